/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_mc_sockopts.c - the socket options of multicast membership, in their old (IP_*) and their protocol independent (MCAST_*) forms
 *
 * Both forms come down to a group, a device and perhaps a source: struct mc_request. See ip(7), RFC 3678.
 * Locking: the home cpu's lock.
 */
#include "ipv4/ip_mc_sockopts.h"

#include <errno.h>
#include <netinet/in.h>

#include "ipv4/igmp.h"

struct mc_request {
	struct ip_mreqn imr;
	be32 source;
};

static int storage_addr(const struct sockaddr_storage *ss, be32 *ret)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;

	if (sin->sin_family != AF_INET)
		return -EADDRNOTAVAIL;
	*ret = be32_raw(sin->sin_addr.s_addr);
	return 0;
}

/* struct ip_mreq or ip_mreqn */
static int parse_mreq(const struct sock *sk, const void *val, socklen_t len, struct mc_request *r)
{
	memset(r, 0, sizeof(*r));
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	if (len < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(&r->imr, val, len >= sizeof(r->imr) ? sizeof(r->imr) : sizeof(struct ip_mreq));
	return 0;
}

static int parse_mreq_source(const struct sock *sk, const void *val, socklen_t len,
			     struct mc_request *r)
{
	struct ip_mreq_source m;

	memset(r, 0, sizeof(*r));
	if (len != sizeof(m))
		return -EINVAL;
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	memcpy(&m, val, sizeof(m));
	r->imr.imr_multiaddr = m.imr_multiaddr;
	r->imr.imr_address = m.imr_interface;
	r->source = be32_raw(m.imr_sourceaddr.s_addr);
	return 0;
}

static int parse_group(const struct sock *sk, const void *val, socklen_t len, struct mc_request *r)
{
	struct group_req g;
	be32 group;

	memset(r, 0, sizeof(*r));
	if (len < sizeof(g))
		return -EINVAL;
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	memcpy(&g, val, sizeof(g));
	if (storage_addr(&g.gr_group, &group))
		return -EINVAL;
	r->imr.imr_multiaddr.s_addr = group.v;
	r->imr.imr_ifindex = (int)g.gr_interface;
	return 0;
}

static int parse_group_source(const struct sock *sk, const void *val, socklen_t len,
			      struct mc_request *r)
{
	struct group_source_req g;
	be32 group;

	memset(r, 0, sizeof(*r));
	if (len != sizeof(g))
		return -EINVAL;
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	memcpy(&g, val, sizeof(g));
	if (storage_addr(&g.gsr_group, &group) || storage_addr(&g.gsr_source, &r->source))
		return -EADDRNOTAVAIL;
	r->imr.imr_multiaddr.s_addr = group.v;
	r->imr.imr_ifindex = (int)g.gsr_interface;
	return 0;
}

/* ---- setting -------------------------------------------------------------------------------------------------- */

static int join_source(struct sock *sk, const struct mc_request *r)
{
	int err = ip_mc_join_group(sk, &r->imr, MCAST_INCLUDE);

	if (err && err != -EADDRINUSE) /* further sources of the same group */
		return err;
	return ip_mc_source(sk, &r->imr, r->source, MCAST_INCLUDE, true);
}

#define MC_OPTION(name, parse, call)                                                               \
	int name(struct sock *sk, const void *val, socklen_t len)                                  \
	{                                                                                          \
		struct mc_request r;                                                               \
		int err = parse(sk, val, len, &r);                                                 \
                                                                                                   \
		return err ? err : (call);                                                         \
	}

MC_OPTION(ip_add_membership, parse_mreq, ip_mc_join_group(sk, &r.imr, MCAST_EXCLUDE))
MC_OPTION(ip_drop_membership, parse_mreq, ip_mc_leave_group(sk, &r.imr))
MC_OPTION(ip_add_source_membership, parse_mreq_source, join_source(sk, &r))
MC_OPTION(ip_drop_source_membership, parse_mreq_source,
	  ip_mc_source(sk, &r.imr, r.source, MCAST_INCLUDE, false))
MC_OPTION(ip_block_source, parse_mreq_source,
	  ip_mc_source(sk, &r.imr, r.source, MCAST_EXCLUDE, true))
MC_OPTION(ip_unblock_source, parse_mreq_source,
	  ip_mc_source(sk, &r.imr, r.source, MCAST_EXCLUDE, false))
MC_OPTION(mcast_join_group, parse_group, ip_mc_join_group(sk, &r.imr, MCAST_EXCLUDE))
MC_OPTION(mcast_leave_group, parse_group, ip_mc_leave_group(sk, &r.imr))
MC_OPTION(mcast_join_source_group, parse_group_source, join_source(sk, &r))
MC_OPTION(mcast_leave_source_group, parse_group_source,
	  ip_mc_source(sk, &r.imr, r.source, MCAST_INCLUDE, false))
MC_OPTION(mcast_block_source, parse_group_source,
	  ip_mc_source(sk, &r.imr, r.source, MCAST_EXCLUDE, true))
MC_OPTION(mcast_unblock_source, parse_group_source,
	  ip_mc_source(sk, &r.imr, r.source, MCAST_EXCLUDE, false))

/* ---- whole filters ----------------------------------------------------------------------------------------------- */

#define MSFILTER_HEAD 16 /* struct ip_msfilter without sources */
#define MSFILTER_MAX  1024

int ip_set_msfilter(struct sock *sk, const void *val, socklen_t len)
{
	struct ip_mreqn imr = { 0 };
	be32 sources[MSFILTER_MAX];
	u32 head[4]; /* group, interface, mode, number */

	if (len < MSFILTER_HEAD)
		return -EINVAL;
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	memcpy(head, val, sizeof(head));
	if (head[3] > MSFILTER_MAX || head[3] > sock_net(sk)->ipv4->igmp_max_msf)
		return -ENOBUFS;
	if (len < MSFILTER_HEAD + head[3] * sizeof(be32))
		return -EINVAL;
	memcpy(sources, (const u8 *)val + MSFILTER_HEAD, head[3] * sizeof(be32));
	imr.imr_multiaddr.s_addr = head[0];
	imr.imr_address.s_addr = head[1];
	return head[2] > 1 ? -EINVAL : ip_mc_msfilter(sk, &imr, (u8)head[2], sources, head[3]);
}

int ip_get_msfilter(const struct sock *sk, void *val, socklen_t *len)
{
	struct ip_mreqn imr = { 0 };
	be32 sources[MSFILTER_MAX];
	u32 head[4], n, room;
	u8 mode;
	int err;

	if (*len < MSFILTER_HEAD)
		return -EINVAL;
	memcpy(head, val, sizeof(head));
	imr.imr_multiaddr.s_addr = head[0];
	imr.imr_address.s_addr = head[1];
	room = min(head[3], (u32)MSFILTER_MAX);
	room = min(room, (u32)((*len - MSFILTER_HEAD) / sizeof(be32)));
	err = ip_mc_gsfget(sk, &imr, &mode, sources, room, &n);
	if (err)
		return err;
	room = min(room, n);
	head[2] = mode;
	head[3] = n; /* all that there are, as RFC 3678 4.2.1 wants */
	memcpy(val, head, sizeof(head));
	memcpy((u8 *)val + MSFILTER_HEAD, sources, room * sizeof(be32));
	*len = (socklen_t)(MSFILTER_HEAD + room * sizeof(be32));
	return 0;
}

/* struct group_filter without sources */
#define GFILTER_HEAD offsetof(struct group_filter, gf_slist)

int mcast_set_msfilter(struct sock *sk, const void *val, socklen_t len)
{
	struct ip_mreqn imr = { 0 };
	be32 sources[MSFILTER_MAX], group;
	struct group_filter g;

	if (len < GFILTER_HEAD)
		return -EINVAL;
	if (inet_sk(sk)->is_icsk)
		return -EPROTO;
	memcpy(&g, val, GFILTER_HEAD);
	if (g.gf_numsrc > MSFILTER_MAX || g.gf_numsrc > sock_net(sk)->ipv4->igmp_max_msf)
		return -ENOBUFS;
	if (len < GFILTER_HEAD + g.gf_numsrc * sizeof(struct sockaddr_storage) || g.gf_fmode > 1)
		return -EINVAL;
	if (storage_addr(&g.gf_group, &group))
		return -EADDRNOTAVAIL;
	for (u32 i = 0; i < g.gf_numsrc; i++) {
		struct sockaddr_storage ss;

		memcpy(&ss, (const u8 *)val + GFILTER_HEAD + i * sizeof(ss), sizeof(ss));
		if (storage_addr(&ss, &sources[i]))
			return -EADDRNOTAVAIL;
	}
	imr.imr_multiaddr.s_addr = group.v;
	imr.imr_ifindex = (int)g.gf_interface;
	return ip_mc_msfilter(sk, &imr, (u8)g.gf_fmode, sources, g.gf_numsrc);
}

int mcast_get_msfilter(const struct sock *sk, void *val, socklen_t *len)
{
	struct ip_mreqn imr = { 0 };
	be32 sources[MSFILTER_MAX], group;
	struct group_filter g;
	u32 n, room;
	u8 mode;
	int err;

	if (*len < GFILTER_HEAD)
		return -EINVAL;
	memcpy(&g, val, GFILTER_HEAD);
	if (storage_addr(&g.gf_group, &group))
		return -EINVAL;
	imr.imr_multiaddr.s_addr = group.v;
	imr.imr_ifindex = (int)g.gf_interface;
	room = min(g.gf_numsrc, (u32)MSFILTER_MAX);
	room = min(room, (u32)((*len - GFILTER_HEAD) / sizeof(struct sockaddr_storage)));
	err = ip_mc_gsfget(sk, &imr, &mode, sources, room, &n);
	if (err)
		return err == -ENODEV ? -EADDRNOTAVAIL : err;
	room = min(room, n);
	g.gf_fmode = mode;
	g.gf_numsrc = n; /* all that there are, as RFC 3678 5.2.1 wants */
	memcpy(val, &g, GFILTER_HEAD);
	for (u32 i = 0; i < room; i++) {
		const struct sockaddr_in sin = { .sin_family = AF_INET,
						 .sin_addr.s_addr = sources[i].v };
		struct sockaddr_storage ss = { 0 };

		memcpy(&ss, &sin, sizeof(sin));
		memcpy((u8 *)val + GFILTER_HEAD + i * sizeof(ss), &ss, sizeof(ss));
	}
	*len = (socklen_t)(GFILTER_HEAD + room * sizeof(struct sockaddr_storage));
	return 0;
}
