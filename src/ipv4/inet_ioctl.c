/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_ioctl.c - the old requests that change addresses, routes and neighbours, as ifconfig(8), route(8) and arp(8) make them
 *
 * Each is translated into the rtnetlink message that says the same and handed to its handler: there is one code that changes things.
 * An alias (eth0:1) is an address with that label. The requests that only read are beside what they show (devinet.c, arp.c).
 * Context: a program's thread with the cpu lock, which is let go for rtnl.
 * See netdevice(7), arp(7), linux/route.h.
 */
#include <errno.h>
#include <net/if.h>

#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/route.h>
#include <linux/sockios.h>

#include "core/machine.h"
#include "ipv4/ipv4_internal.h"
#include "netlink/netlink.h"
#include "socket/socket.h"

#define REQUEST_SIZE 512

/* Finishes @m, runs it and frees it. rtnl held. */
static int run_request(struct net *net, struct nl_msg *m)
{
	int err = nlmsg_finish(m);

	if (!err)
		err = rtnl_request(net, (const struct nlmsghdr *)m->buf);
	nl_msg_fini(m);
	return err;
}

static be32 sockaddr_addr(const void *sa)
{
	struct sockaddr_in sin;

	memcpy(&sin, sa, sizeof(sin));
	return be32_raw(sin.sin_addr.s_addr);
}

static u16 sockaddr_family(const void *sa)
{
	return ((const struct sockaddr *)sa)->sa_family;
}

/* The length of @mask, or -EINVAL when its ones are not in front. */
static int mask_length(be32 mask)
{
	u32 holes = ~be32_to_cpu(mask);

	return holes & (holes + 1) ? -EINVAL : 32 - __builtin_popcount(holes);
}

/* ---- addresses --------------------------------------------------------------------------------------------- */

struct ifreq_addr { /* an address as it is and as it is to be */
	int ifindex;
	bool point_to_point, can_broadcast;
	char label[IFNAMSIZ];
	bool exists;
	be32 local, address, broadcast;
	u8 plen;
};

static be32 net_broadcast(be32 addr, u8 plen)
{
	u32 hosts = plen >= 32 ? 0 : ~0u >> plen;

	return cpu_to_be32(be32_to_cpu(addr) | hosts);
}

/* Networks had classes when SIOCSIFADDR was made. -1: no address of a host */
static int class_length(be32 addr)
{
	u32 a = be32_to_cpu(addr);

	if (!a)
		return 0;
	if (a >> 31 == 0)
		return 8;
	if (a >> 30 == 2)
		return 16;
	return a >> 29 == 6 ? 24 : -1;
}

/* rtnl held. Finds device and address that @ifr names. */
static int find_addr(struct net *net, struct ifreq *ifr, struct ifreq_addr *ret)
{
	char name[IFNAMSIZ];
	const struct in_ifaddr *ifa;
	struct net_device *dev;

	ifr->ifr_name[IFNAMSIZ - 1] = '\0';
	*ret = (struct ifreq_addr){ 0 };
	strcpy(ret->label, ifr->ifr_name);
	strcpy(name, ifr->ifr_name);
	name[strcspn(name, ":")] = '\0';
	dev = __dev_get_by_name(net, name);
	if (!dev)
		return -ENODEV;
	ret->ifindex = dev->ifindex;
	ret->point_to_point = dev->flags & IFF_POINTOPOINT;
	ret->can_broadcast = dev->flags & IFF_BROADCAST;
	if (!dev->ip_ptr)
		return 0;
	list_for_each_entry(ifa, &dev->ip_ptr->ifa_list, node) {
		if (strcmp(ifa->label, ret->label))
			continue;
		ret->exists = true;
		ret->local = ifa->local;
		ret->address = ifa->address;
		ret->broadcast = ifa->broadcast;
		ret->plen = ifa->prefixlen;
		break;
	}
	return 0;
}

static int addr_request(struct net *net, const struct ifreq_addr *a, u16 type, u16 flags)
{
	struct ifaddrmsg *ifm;
	struct nl_msg m;

	if (nl_msg_init(&m, REQUEST_SIZE))
		return -ENOBUFS;
	ifm = nlmsg_begin(&m, 0, 0, type, (u16)(NLM_F_REQUEST | flags), sizeof(*ifm));
	if (ifm) {
		ifm->ifa_family = AF_INET;
		ifm->ifa_prefixlen = a->plen;
		ifm->ifa_scope =
			be32_to_cpu(a->local) >> 24 == 127 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
		ifm->ifa_index = (u32)a->ifindex;
		nla_put_in_addr(&m, IFA_LOCAL, a->local);
		nla_put_in_addr(&m, IFA_ADDRESS, a->address);
		if (!be32_zero(a->broadcast))
			nla_put_in_addr(&m, IFA_BROADCAST, a->broadcast);
		nla_put_string(&m, IFA_LABEL, a->label);
	}
	return run_request(net, &m);
}

/* @now takes the place of @old. */
static int replace_addr(struct net *net, const struct ifreq_addr *old, const struct ifreq_addr *now)
{
	int err = old->exists ? addr_request(net, old, RTM_DELADDR, 0) : 0;

	if (err || be32_zero(now->local)) /* 0.0.0.0 only takes the address away */
		return err;
	return addr_request(net, now, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
}

static int set_addr(struct net *net, const struct ifreq_addr *old, struct ifreq *ifr)
{
	struct ifreq_addr now = *old;
	int plen;

	now.local = now.address = sockaddr_addr(&ifr->ifr_addr);
	if (sockaddr_family(&ifr->ifr_addr) != AF_INET)
		return -EINVAL;
	plen = class_length(now.local);
	if (plen < 0)
		return -EINVAL;
	if (old->exists && be32_eq(old->local, now.local))
		return 0;
	now.plen = old->point_to_point ? 32 : (u8)plen;
	now.broadcast = old->can_broadcast && now.plen < 31 ? net_broadcast(now.local, now.plen)
							    : (be32){ 0 };
	return replace_addr(net, old, &now);
}

static int set_netmask(struct net *net, const struct ifreq_addr *old, struct ifreq *ifr)
{
	struct ifreq_addr now = *old;
	int plen = mask_length(sockaddr_addr(&ifr->ifr_netmask));

	if (plen < 0)
		return plen;
	if (plen == old->plen)
		return 0;
	now.plen = (u8)plen;
	/* A broadcast address that was the usual one stays the usual one. */
	if (old->can_broadcast && plen < 31 &&
	    be32_eq(old->broadcast, net_broadcast(old->local, old->plen)))
		now.broadcast = net_broadcast(old->local, now.plen);
	return replace_addr(net, old, &now);
}

static int set_broadcast(struct net *net, const struct ifreq_addr *old, struct ifreq *ifr)
{
	struct ifreq_addr now = *old;

	now.broadcast = sockaddr_addr(&ifr->ifr_broadaddr);
	return be32_eq(now.broadcast, old->broadcast) ? 0 : replace_addr(net, old, &now);
}

static int set_peer(struct net *net, const struct ifreq_addr *old, struct ifreq *ifr)
{
	struct ifreq_addr now = *old;

	now.address = sockaddr_addr(&ifr->ifr_dstaddr);
	now.plen = 32;
	if (class_length(now.address) < 0)
		return -EINVAL;
	return be32_eq(now.address, old->address) ? 0 : replace_addr(net, old, &now);
}

static const struct {
	unsigned cmd;
	bool creates;
	int (*set)(struct net *net, const struct ifreq_addr *old, struct ifreq *ifr);
} addr_requests[] = {
	{ SIOCSIFADDR, true, set_addr },
	{ SIOCSIFNETMASK, false, set_netmask },
	{ SIOCSIFBRDADDR, false, set_broadcast },
	{ SIOCSIFDSTADDR, false, set_peer },
};

static int addr_ioctl(struct net *net, unsigned cmd, void *arg)
{
	struct ifreq *ifr = arg;
	struct ifreq_addr old;
	int err;

	for (u32 i = 0; i < ARRAY_SIZE(addr_requests); i++) {
		if (addr_requests[i].cmd != cmd)
			continue;
		err = find_addr(net, ifr, &old);
		if (!err && !old.exists && !addr_requests[i].creates)
			err = -EADDRNOTAVAIL;
		return err ? err : addr_requests[i].set(net, &old, ifr);
	}
	/* An alias that is taken down is an address that is removed; devices are dev_ioctl()'s. */
	if (cmd != SIOCSIFFLAGS || !memchr(ifr->ifr_name, ':', IFNAMSIZ))
		return -ENOIOCTLCMD;
	err = find_addr(net, ifr, &old);
	if (!err && !old.exists)
		err = -EADDRNOTAVAIL;
	if (!err && !(ifr->ifr_flags & IFF_UP))
		err = addr_request(net, &old, RTM_DELADDR, 0);
	return err;
}

/* ---- routes -------------------------------------------------------------------------------------------------- */

static void put_metrics(struct nl_msg *m, const struct rtentry *rt)
{
	u32 nest;

	if (!(rt->rt_flags & (RTF_MTU | RTF_WINDOW | RTF_IRTT)))
		return;
	nest = nla_nest_start_noflag(m, RTA_METRICS);
	if (rt->rt_flags & RTF_MTU && rt->rt_mtu > 40)
		nla_put_u32(m, RTAX_ADVMSS, (u32)rt->rt_mtu - 40);
	if (rt->rt_flags & RTF_WINDOW)
		nla_put_u32(m, RTAX_WINDOW, (u32)rt->rt_window);
	if (rt->rt_flags & RTF_IRTT)
		nla_put_u32(m, RTAX_RTT, (u32)rt->rt_irtt << 3);
	nla_nest_end(m, nest);
}

/* The device that @rt names, and the address of its alias as the source. */
static int put_route_dev(struct net *net, struct nl_msg *m, const struct rtentry *rt)
{
	struct ifreq ifr = { 0 };
	struct ifreq_addr a;
	int err;

	if (!rt->rt_dev)
		return 0;
	strncpy(ifr.ifr_name, rt->rt_dev, IFNAMSIZ - 1);
	err = find_addr(net, &ifr, &a);
	if (err)
		return err;
	nla_put_u32(m, RTA_OIF, (u32)a.ifindex);
	if (!strchr(a.label, ':'))
		return 0;
	if (!a.exists)
		return -ENODEV;
	nla_put_in_addr(m, RTA_PREFSRC, a.local);
	return 0;
}

/* The prefix length, checked, or -errno. */
static int route_prefix(const struct rtentry *rt)
{
	be32 mask = sockaddr_addr(&rt->rt_genmask);
	int plen;

	if (sockaddr_family(&rt->rt_dst) != AF_INET)
		return -EAFNOSUPPORT;
	if (rt->rt_flags & RTF_HOST)
		return 32;
	if (sockaddr_family(&rt->rt_genmask) != AF_INET &&
	    (!be32_zero(mask) || sockaddr_family(&rt->rt_genmask)))
		return -EAFNOSUPPORT;
	plen = mask_length(mask);
	if (plen >= 0 && be32_to_cpu(sockaddr_addr(&rt->rt_dst)) & ~be32_to_cpu(mask))
		return -EINVAL;
	return plen;
}

static int fill_route(struct net *net, struct nl_msg *m, struct rtmsg *rtm,
		      const struct rtentry *rt, bool del)
{
	be32 gw = sockaddr_addr(&rt->rt_gateway);
	int plen = route_prefix(rt), err;

	if (plen < 0)
		return plen;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = (u8)plen;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = del ? RTPROT_UNSPEC : RTPROT_BOOT;
	rtm->rtm_type = del ? RTN_UNSPEC : RTN_UNICAST;
	rtm->rtm_scope = del ? RT_SCOPE_NOWHERE : RT_SCOPE_LINK;
	if (plen)
		nla_put_in_addr(m, RTA_DST, sockaddr_addr(&rt->rt_dst));
	if (rt->rt_metric) /* "+1 for binary compatibility", says the header */
		nla_put_u32(m, RTA_PRIORITY, (u32)rt->rt_metric - 1);
	if (rt->rt_flags & RTF_REJECT) {
		rtm->rtm_type = RTN_UNREACHABLE;
		rtm->rtm_scope = RT_SCOPE_HOST;
		return 0;
	}
	err = put_route_dev(net, m, rt);
	if (err)
		return err;
	if (sockaddr_family(&rt->rt_gateway) == AF_INET && !be32_zero(gw)) {
		nla_put_in_addr(m, RTA_GATEWAY, gw);
		if (rt->rt_flags & RTF_GATEWAY && !del)
			rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	} else if (rt->rt_flags & RTF_GATEWAY && !del) {
		return -EINVAL;
	}
	put_metrics(m, rt);
	return 0;
}

static int route_ioctl(struct net *net, unsigned cmd, void *arg)
{
	bool del = cmd == SIOCDELRT;
	struct rtmsg *rtm;
	struct nl_msg m;
	int err = -ENOBUFS;

	if (cmd != SIOCADDRT && cmd != SIOCDELRT)
		return -ENOIOCTLCMD;
	if (nl_msg_init(&m, REQUEST_SIZE))
		return err;
	rtm = nlmsg_begin(&m, 0, 0, del ? RTM_DELROUTE : RTM_NEWROUTE,
			  (u16)(NLM_F_REQUEST | (del ? 0 : NLM_F_CREATE)), sizeof(*rtm));
	if (rtm)
		err = fill_route(net, &m, rtm, arg, del);
	if (!err)
		return run_request(net, &m);
	nl_msg_fini(&m);
	return err;
}

/* ---- neighbours ------------------------------------------------------------------------------------------------ */

static struct net_device *arp_named_dev(struct net *net, const struct arpreq *r)
{
	char name[IFNAMSIZ] = "";

	memcpy(name, r->arp_dev, min(sizeof(r->arp_dev), sizeof(name) - 1));
	return __dev_get_by_name(net, name);
}

static struct net_device *arp_route_dev(struct net *net, be32 addr)
{
	struct net_device *dev = NULL;
	struct flowi4 fl = { .daddr = addr };
	struct fib_result res;

	cpu_lock(net->cpu);
	if (fib_lookup(net, &fl, &res) == 0)
		dev = fib_result_nh(&res)->dev;
	cpu_unlock(net->cpu);
	return dev;
}

/* The one whose address is to be told. */
static struct net_device *arp_own_dev(struct net *net, const struct arpreq *r)
{
	struct net_device *dev;

	net_for_each_dev(net, dev) {
		if (dev->type == r->arp_ha.sa_family && dev->addr_len &&
		    !memcmp(dev->dev_addr, r->arp_ha.sa_data, dev->addr_len))
			return dev;
	}
	return NULL;
}

/* The device that @r is about; *ret_dev NULL: a proxy entry for questions by any. 0 or -errno */
static int arp_find_dev(struct net *net, const struct arpreq *r, be32 addr, bool del,
			struct net_device **ret_dev)
{
	bool proxy = r->arp_flags & ATF_PUBL;

	*ret_dev = NULL;
	if (r->arp_dev[0]) {
		*ret_dev = arp_named_dev(net, r);
		return *ret_dev ? 0 : -ENODEV;
	}
	if (!proxy) {
		*ret_dev = arp_route_dev(net, addr);
		return *ret_dev ? 0 : -ENETUNREACH;
	}
	if (del || !(r->arp_flags & ATF_COM))
		return 0;
	*ret_dev = arp_own_dev(net, r);
	return *ret_dev ? 0 : -ENODEV;
}

/* A mask is for proxy entries only, and those are for single addresses: arp(7). */
static int arp_check_mask(const struct arpreq *r)
{
	be32 mask = sockaddr_addr(&r->arp_netmask);

	if (!(r->arp_flags & ATF_NETMASK))
		return 0;
	if (!(r->arp_flags & ATF_PUBL))
		return -EINVAL;
	if (be32_zero(mask))
		return -EOPNOTSUPP; /* proxy for all: proxy_arp of the device */
	return be32_to_cpu(mask) == UINT32_MAX ? 0 : -EINVAL;
}

static int arp_set_ioctl(struct net *net, unsigned cmd, void *arg)
{
	struct arpreq *r = arg;
	be32 addr = sockaddr_addr(&r->arp_pa);
	bool del = cmd == SIOCDARP, proxy = r->arp_flags & ATF_PUBL;
	struct net_device *dev;
	struct ndmsg *ndm;
	struct nl_msg m;
	int err;

	if (cmd != SIOCSARP && cmd != SIOCDARP)
		return -ENOIOCTLCMD;
	if (sockaddr_family(&r->arp_pa) != AF_INET)
		return -EPFNOSUPPORT;
	err = arp_check_mask(r);
	if (!err)
		err = arp_find_dev(net, r, addr, del, &dev);
	if (err)
		return err;
	if (!del && dev && r->arp_ha.sa_family && r->arp_ha.sa_family != dev->type)
		return -EINVAL;
	if (nl_msg_init(&m, REQUEST_SIZE))
		return -ENOBUFS;
	ndm = nlmsg_begin(&m, 0, 0, del ? RTM_DELNEIGH : RTM_NEWNEIGH,
			  (u16)(NLM_F_REQUEST | (del ? 0 : NLM_F_CREATE | NLM_F_REPLACE)),
			  sizeof(*ndm));
	if (ndm) {
		ndm->ndm_family = AF_INET;
		ndm->ndm_ifindex = dev ? dev->ifindex : 0;
		ndm->ndm_flags = proxy ? NTF_PROXY : 0;
		ndm->ndm_state = r->arp_flags & ATF_PERM ? NUD_PERMANENT : NUD_STALE;
		nla_put_in_addr(&m, NDA_DST, addr);
		if (!del && !proxy)
			nla_put(&m, NDA_LLADDR, dev->addr_len, r->arp_ha.sa_data);
	}
	err = run_request(net, &m);
	return del && !proxy && err == -ENOENT ? -ENXIO : err; /* arp(7) */
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

int inet_set_ioctl(struct net *net, unsigned cmd, void *arg)
{
	static int (*const handlers[])(struct net * net, unsigned cmd, void *arg) = {
		addr_ioctl,
		route_ioctl,
		arp_set_ioctl,
	};
	int err = -ENOIOCTLCMD;

	switch (cmd) {
	case SIOCSIFADDR:
	case SIOCSIFNETMASK:
	case SIOCSIFBRDADDR:
	case SIOCSIFDSTADDR:
	case SIOCSIFFLAGS:
	case SIOCADDRT:
	case SIOCDELRT:
	case SIOCSARP:
	case SIOCDARP:
		break;
	default:
		return -ENOIOCTLCMD;
	}
	cpu_unlock(net->cpu); /* rtnl comes before it; the caller's socket keeps the net */
	rtnl_lock(net->machine);
	for (u32 i = 0; i < ARRAY_SIZE(handlers) && err == -ENOIOCTLCMD; i++)
		err = handlers[i](net, cmd, arg);
	rtnl_unlock(net->machine);
	cpu_lock(net->cpu);
	return err;
}
