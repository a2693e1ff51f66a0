/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_mc_sockopts.c - the socket options of multicast and anycast membership: RFC 3493 5.2, RFC 3678 5
 *
 * All come down to a group, a device and perhaps a source: struct mc6_request.
 * Locking: the home cpu's lock.
 */
#include "ipv6/ip6_mc_sockopts.h"

#include <errno.h>
#include <netinet/in.h> /* before the kernel's in6.h */
#include <stdlib.h>

#include <linux/in6.h>

#include "ipv6/ipv6_internal.h"

#define MSFILTER_MAX 1024

struct mc6_request {
	int ifindex;
	struct in6_addr group, source;
};

static int storage_addr(const struct sockaddr_storage *ss, struct in6_addr *ret)
{
	if (ss->ss_family != AF_INET6)
		return -EADDRNOTAVAIL;
	*ret = ((const struct sockaddr_in6 *)ss)->sin6_addr;
	return 0;
}

static int parse_mreq(const struct sock *sk, const void *val, socklen_t len, struct mc6_request *r)
{
	struct ipv6_mreq m;

	if (len < sizeof(m))
		return -EINVAL;
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	memcpy(&m, val, sizeof(m));
	r->ifindex = (int)m.ipv6mr_interface;
	r->group = m.ipv6mr_multiaddr;
	return 0;
}

static int parse_acaddr(const struct sock *sk, const void *val, socklen_t len,
			struct mc6_request *r)
{
	struct ipv6_mreq m;

	(void)sk;
	if (len < sizeof(m))
		return -EINVAL;
	memcpy(&m, val, sizeof(m));
	r->ifindex = (int)m.ipv6mr_interface;
	r->group = m.ipv6mr_multiaddr;
	return 0;
}

static int parse_group(const struct sock *sk, const void *val, socklen_t len, struct mc6_request *r)
{
	struct group_req g;

	(void)sk;
	if (len < sizeof(g))
		return -EINVAL;
	memcpy(&g, val, sizeof(g));
	r->ifindex = (int)g.gr_interface;
	return storage_addr(&g.gr_group, &r->group);
}

static int parse_group_source(const struct sock *sk, const void *val, socklen_t len,
			      struct mc6_request *r)
{
	struct group_source_req g;

	(void)sk;
	if (len < sizeof(g))
		return -EINVAL;
	memcpy(&g, val, sizeof(g));
	r->ifindex = (int)g.gsr_interface;
	return storage_addr(&g.gsr_group, &r->group) || storage_addr(&g.gsr_source, &r->source)
		       ? -EADDRNOTAVAIL
		       : 0;
}

static int join_source(struct sock *sk, const struct mc6_request *r)
{
	int err = ipv6_sock_mc_join(sk, r->ifindex, &r->group, MCAST_INCLUDE);

	if (err && err != -EADDRINUSE) /* further sources of the same group */
		return err;
	return ip6_mc_source(sk, r->ifindex, &r->group, &r->source, MCAST_INCLUDE, true);
}

#define MC6_OPTION(name, parse, call)                                                              \
	int name(struct sock *sk, const void *val, socklen_t len)                                  \
	{                                                                                          \
		struct mc6_request r;                                                              \
		int err = parse(sk, val, len, &r);                                                 \
                                                                                                   \
		return err ? err : (call);                                                         \
	}

MC6_OPTION(ip6_join_group, parse_mreq, ipv6_sock_mc_join(sk, r.ifindex, &r.group, MCAST_EXCLUDE))
MC6_OPTION(ip6_leave_group, parse_mreq, ipv6_sock_mc_drop(sk, r.ifindex, &r.group))
MC6_OPTION(ip6_join_anycast, parse_acaddr, ipv6_sock_ac_join(sk, r.ifindex, &r.group))
MC6_OPTION(ip6_leave_anycast, parse_acaddr, ipv6_sock_ac_drop(sk, r.ifindex, &r.group))
MC6_OPTION(mcast6_join_group, parse_group,
	   ipv6_sock_mc_join(sk, r.ifindex, &r.group, MCAST_EXCLUDE))
MC6_OPTION(mcast6_leave_group, parse_group, ipv6_sock_mc_drop(sk, r.ifindex, &r.group))
MC6_OPTION(mcast6_join_source_group, parse_group_source, join_source(sk, &r))
MC6_OPTION(mcast6_leave_source_group, parse_group_source,
	   ip6_mc_source(sk, r.ifindex, &r.group, &r.source, MCAST_INCLUDE, false))
MC6_OPTION(mcast6_block_source, parse_group_source,
	   ip6_mc_source(sk, r.ifindex, &r.group, &r.source, MCAST_EXCLUDE, true))
MC6_OPTION(mcast6_unblock_source, parse_group_source,
	   ip6_mc_source(sk, r.ifindex, &r.group, &r.source, MCAST_EXCLUDE, false))

/* ---- whole filters ----------------------------------------------------------------------------------------------- */

/* struct group_filter without sources */
#define GFILTER_HEAD offsetof(struct group_filter, gf_slist)

int mcast6_set_msfilter(struct sock *sk, const void *val, socklen_t len)
{
	struct in6_addr sources[MSFILTER_MAX], group;
	struct group_filter g;

	if (len < GFILTER_HEAD)
		return -EINVAL;
	memcpy(&g, val, GFILTER_HEAD);
	if (g.gf_numsrc > MSFILTER_MAX || g.gf_numsrc > sock_net(sk)->ipv6->mld_max_msf)
		return -ENOBUFS;
	if (len < GFILTER_HEAD + g.gf_numsrc * sizeof(struct sockaddr_storage) || g.gf_fmode > 1)
		return -EINVAL;
	if (storage_addr(&g.gf_group, &group))
		return -EINVAL;
	for (u32 i = 0; i < g.gf_numsrc; i++) {
		struct sockaddr_storage ss;

		memcpy(&ss, (const u8 *)val + GFILTER_HEAD + i * sizeof(ss), sizeof(ss));
		if (storage_addr(&ss, &sources[i]))
			return -EINVAL;
	}
	return ip6_mc_msfilter(sk, (int)g.gf_interface, &group, (u8)g.gf_fmode, sources,
			       g.gf_numsrc);
}

int mcast6_get_msfilter(const struct sock *sk, void *val, socklen_t *len)
{
	struct in6_addr sources[MSFILTER_MAX], group;
	struct group_filter g;
	u32 n, room;
	u8 mode;
	int err;

	if (*len < GFILTER_HEAD)
		return -EINVAL;
	memcpy(&g, val, GFILTER_HEAD);
	if (storage_addr(&g.gf_group, &group))
		return -EADDRNOTAVAIL;
	room = min(g.gf_numsrc, (u32)MSFILTER_MAX);
	room = min(room, (u32)((*len - GFILTER_HEAD) / sizeof(struct sockaddr_storage)));
	err = ip6_mc_msfget(sk, (int)g.gf_interface, &group, &mode, sources, room, &n);
	if (err)
		return err;
	room = min(room, n);
	g.gf_fmode = mode;
	g.gf_numsrc = n; /* all that there are, as RFC 3678 5.2.1 wants */
	memcpy(val, &g, GFILTER_HEAD);
	for (u32 i = 0; i < room; i++) {
		const struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
						   .sin6_addr = sources[i] };
		struct sockaddr_storage ss = { 0 };

		memcpy(&ss, &sin6, sizeof(sin6));
		memcpy((u8 *)val + GFILTER_HEAD + i * sizeof(ss), &ss, sizeof(ss));
	}
	*len = (socklen_t)(GFILTER_HEAD + room * sizeof(struct sockaddr_storage));
	return 0;
}
