/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mcast.c - multicast groups of IPv6: multicast listener discovery, versions 1 and 2
 *
 * Theory of operation
 *   Who is member of what, and when routers are told, is inet/mc_group.c's; here queries are read, reports are written, and programs'
 *   requests find their device. addrconf.c joins what every node is in (all nodes, solicited nodes, all routers).
 *
 *   Every message comes from a link-local address, has hop limit 1, and the router alert option in a hop-by-hop header, and what is
 *   received must have them, too (RFC 3810 5, 6.2). Before the device has such an address, while it is being checked for duplicates,
 *   the source is :: (RFC 3590); routers ignore that, switches that listen do not. When the address is there routers are told
 *   again.
 *
 *   ff02::1 and groups that do not leave the node are never reported (RFC 3810 6).
 * Locking: the cpu lock; socket options and softirq.
 * See RFC 2710, RFC 3590, RFC 3810.
 */
#include "wire/mld.h"

#include <errno.h>

#include "core/cpu.h"
#include "core/sock.h"
#include "core/sysctl.h"
#include "core/trace.h"
#include "inet/mc_group.h"
#include "ipv6/ipv6_internal.h"
#include "lib/csum.h"
#include "netlink/netlink.h"
#include "wire/icmpv6.h"

#define MLD_HEADERS 48u /* the fixed header and hop-by-hop options */

static const struct in6_addr all_routers = { .s6_addr = { 0xff, 2, [15] = 2 } };
static const struct in6_addr all_mld2_routers = { .s6_addr = { 0xff, 2, [15] = 0x16 } };

static struct inet6_dev *mc_idev(const struct mc_dev *d)
{
	return container_of(d, struct inet6_dev, mc);
}

static u8 mc_scope(const struct in6_addr *group)
{
	return group->s6_addr[1] & 15;
}

/* ---- messages out ---------------------------------------------------------------------------------------------- */

/* The headers of a message to @dst with room for @size octets behind them; NULL: the device cannot send. Data at the fixed header */
static struct sk_buff *mld_new(struct mc_dev *d, const struct in6_addr *dst, u32 size)
{
	static const u8 router_alert[8] = {
		IPPROTO_ICMPV6, 0, 5, 2, 0, 0, 1, 0
	}; /* RFC 2711; PadN */
	struct flowi6 fl = {
		.proto = IPPROTO_ICMPV6,
		.flags = FLOWI6_FLAG_NO_SOURCE,
		.oif = d->dev->ifindex,
		.daddr = *dst,
	};
	struct net *net = d->dev->net;
	struct ipv6_hdr *h;
	struct rt6_info *rt;
	struct sk_buff *skb;
	int err;

	if (!netif_running(d->dev))
		return NULL;
	/* RFC 3590 4 */
	if (ipv6_get_lladdr(d->dev, &fl.saddr, IFA_F_TENTATIVE))
		fl.saddr = in6addr_any;
	rt = ip6_route_output(net, &fl, NULL, &err);
	if (!rt)
		return NULL;
	skb = alloc_skb(net->cpu, MAX_HEADER + MLD_HEADERS + size);
	if (!skb) {
		ip6_rt_put(rt);
		return NULL;
	}
	skb_reserve(skb, MAX_HEADER);
	skb_dst_set(skb, &rt->dst);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	skb_reset_network_header(skb);
	h = skb_put_zero(skb, sizeof(*h));
	h->ver_tc_flow = cpu_to_be32(6u << 28);
	h->nexthdr = IPPROTO_HOPOPTS;
	h->hop_limit = 1;
	h->saddr = fl.saddr;
	h->daddr = *dst;
	skb_put_data(skb, router_alert, sizeof(router_alert));
	skb_set_transport_header(skb, MLD_HEADERS);
	return skb;
}

/* Consumes. */
static void mld_send(struct mc_dev *d, struct sk_buff *skb)
{
	struct icmpv6_hdr *m = (struct icmpv6_hdr *)(skb->data + MLD_HEADERS);
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	u32 len = skb->len - MLD_HEADERS;
	struct net *net = d->dev->net;

	m->checksum = BE16_INIT(0);
	m->checksum.v =
		csum_ipv6_magic(&h->saddr, &h->daddr, len, IPPROTO_ICMPV6, csum_partial(m, len, 0));
	skb->priority = 7; /* TC_PRIO_CONTROL */
	trace_skb(skb, net, TP_igmp6_send, TRACE_PASS, m->type, len);
	icmpv6_count_out(net, m->type);
	ip6_local_out(net, NULL, skb);
}

/* A report of version 1, or done. */
static void mld_send_old(struct mc_group *g, enum mc_generation gen, bool leave)
{
	const struct mld_view v = {
		.type = leave ? ICMPV6_MGM_REDUCTION : ICMPV6_MGM_REPORT,
		.group = g->addr,
	};
	struct sk_buff *skb = mld_new(g->mcd, leave ? &all_routers : &g->addr, MLD_V1_LEN);

	(void)gen;
	if (!skb)
		return;
	mld_build(skb_put(skb, MLD_V1_LEN), &v);
	mld_send(g->mcd, skb);
}

static struct sk_buff *mld_report_new(struct mc_dev *d, u32 *ret_room)
{
	u32 size = clamp(d->dev->mtu, 1280u, 9000u) - MLD_HEADERS;
	struct sk_buff *skb = mld_new(d, &all_mld2_routers, size);
	struct icmpv6_hdr *m;

	if (!skb)
		return NULL;
	m = skb_put_zero(skb, sizeof(*m));
	m->type = ICMPV6_MLD2_REPORT;
	*ret_room = size - (u32)sizeof(*m);
	return skb;
}

static void mld_report_send(struct mc_dev *d, struct sk_buff *skb, u16 records)
{
	struct icmpv6_hdr *m = (struct icmpv6_hdr *)(skb->data + MLD_HEADERS);

	m->un.mld2_report.ngrec = cpu_to_be16(records);
	mld_send(d, skb);
}

/* ---- for mc_group.c ---------------------------------------------------------------------------------------------- */

static u8 mld_forced(const struct mc_dev *d)
{
	u8 all = d->dev->net->ipv6->devconf_all.force_mld_version;
	u8 version = all ? all : mc_idev(d)->cnf.force_mld_version;

	return version == 1 ? MC_GEN_LEAVE : version ? MC_GEN_FILTER : 0;
}

static u8 mld_robustness(const struct mc_dev *d)
{
	return (u8)min(d->dev->net->ipv6->mld_qrv, (u32)UINT8_MAX);
}

static u64 mld_report_interval(const struct mc_dev *d, enum mc_generation gen)
{
	const struct ipv6_devconf *cnf = &mc_idev(d)->cnf;

	return NSEC_PER_MSEC * (gen == MC_GEN_FILTER ? cnf->mldv2_unsolicited_report_interval
						     : cnf->mldv1_unsolicited_report_interval);
}

static bool mld_silent(const struct mc_group *g)
{
	return mc_scope(&g->addr) <= 1 || ipv6_addr_is_ll_all_nodes(&g->addr);
}

/* What does not leave the node does not come in by the device either. */
static int mld_map(const struct mc_group *g, u8 *ret_mac)
{
	if (mc_scope(&g->addr) <= 1)
		return -EINVAL;
	return ndisc_mc_map(&g->addr, ret_mac, g->mcd->dev);
}

static const struct mc_ops mld_ops = {
	.family = AF_INET6,
	.addr_len = sizeof(struct in6_addr),
	.forced = mld_forced,
	.robustness = mld_robustness,
	.report_interval = mld_report_interval,
	.silent = mld_silent,
	.map = mld_map,
	.send_old = mld_send_old,
	.report_new = mld_report_new,
	.report_send = mld_report_send,
};

/* ---- who is member ----------------------------------------------------------------------------------------------- */

int ipv6_dev_mc_inc(struct net_device *dev, const struct in6_addr *group)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	return idev ? mc_group_inc(&idev->mc, group, MCAST_EXCLUDE) : -EINVAL;
}

int ipv6_dev_mc_dec(struct net_device *dev, const struct in6_addr *group)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	return idev ? mc_group_dec(&idev->mc, group, MCAST_EXCLUDE) : -ENODEV;
}

bool ipv6_chk_mcast_addr(const struct net_device *dev, const struct in6_addr *group,
			 const struct in6_addr *src)
{
	const struct inet6_dev *idev = __in6_dev_get(dev);

	return idev && mc_group_wants(&idev->mc, group, src && !ipv6_addr_any(src) ? src : NULL);
}

bool ipv6_is_mld(const struct sk_buff *skb)
{
	u32 at = (u32)(skb_transport_header(skb) - skb->data);
	u8 type;

	if (!(IP6CB(skb)->flags & IP6SKB_ROUTERALERT) ||
	    skb_network_header(skb)[IP6CB(skb)->nhoff] != IPPROTO_ICMPV6 ||
	    skb_copy_bits(skb, at, &type, 1))
		return false;
	return type == ICMPV6_MGM_QUERY || type == ICMPV6_MGM_REPORT ||
	       type == ICMPV6_MGM_REDUCTION || type == ICMPV6_MLD2_REPORT;
}

/* ---- messages in --------------------------------------------------------------------------------------------------- */

/* What a message must be to be believed: RFC 3810 6.2. Reads it to @ret. 0 or a drop reason */
static skb_drop_reason_t mld_check(struct sk_buff *skb, struct mld_view *ret)
{
	const struct ipv6_hdr *h;

	if (skb_linearize(skb))
		return SKB_DROP_NOMEM;
	h = ipv6_hdr(skb);
	if (h->hop_limit != 1 || !(IP6CB(skb)->flags & IP6SKB_ROUTERALERT) || IP6CB(skb)->ra)
		return SKB_DROP_MLD_NOT_LOCAL;
	if (mld_parse(skb->data, skb->len, ret) < 0)
		return SKB_DROP_MLD_BAD;
	return 0;
}

void igmp6_event_query(struct sk_buff *skb)
{
	struct inet6_dev *idev = __in6_dev_get(skb->dev);
	struct mc_query q = { 0 };
	skb_drop_reason_t reason;
	struct mld_view v;

	reason = idev ? mld_check(skb, &v) : SKB_DROP_IP6_DISABLED;
	if (!reason && !(ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL))
		reason = SKB_DROP_MLD_SOURCE;
	if (!reason && !ipv6_addr_any(&v.group) && !ipv6_addr_is_multicast(&v.group))
		reason = SKB_DROP_MLD_BAD;
	if (reason) {
		kfree_skb_reason(skb, reason);
		return;
	}
	trace_skb(skb, skb->dev->net, TP_igmp6_event_query, TRACE_PASS, v.v2 ? 2 : 1,
		  mld_max_resp_ms(&v));
	q.group = ipv6_addr_any(&v.group) ? NULL : &v.group;
	q.generation = v.v2 ? MC_GEN_FILTER : MC_GEN_LEAVE;
	q.max_resp = max(mld_max_resp_ms(&v), 1u) * NSEC_PER_MSEC;
	q.qrv = v.qrv;
	q.query_interval = mld_query_interval_s(v.qqic) * NSEC_PER_SEC;
	q.sources = v.sources;
	q.nsrcs = v.nsrcs;
	mc_heard_query(&idev->mc, &q);
	consume_skb(skb);
}

/* Version 1: another host has said it for us. */
void igmp6_event_report(struct sk_buff *skb)
{
	struct inet6_dev *idev = __in6_dev_get(skb->dev);
	skb_drop_reason_t reason;
	struct mld_view v;

	if (skb->pkt_type == SKB_PACKET_LOOPBACK) { /* our own */
		consume_skb(skb);
		return;
	}
	reason = idev ? mld_check(skb, &v) : SKB_DROP_IP6_DISABLED;
	/* RFC 3590 4 */
	if (!reason && !ipv6_addr_any(&ipv6_hdr(skb)->saddr) &&
	    !(ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL))
		reason = SKB_DROP_MLD_SOURCE;
	if (!reason && !ipv6_addr_is_multicast(&v.group))
		reason = SKB_DROP_MLD_BAD;
	if (reason) {
		kfree_skb_reason(skb, reason);
		return;
	}
	trace_skb(skb, skb->dev->net, TP_igmp6_event_report, TRACE_PASS, 0, 0);
	mc_heard_report(&idev->mc, &v.group);
	consume_skb(skb);
}

/* ---- devices come and go ------------------------------------------------------------------------------------------- */

void ipv6_mc_init_dev(struct inet6_dev *idev)
{
	mc_dev_init(&idev->mc, idev->dev, &mld_ops);
}

void ipv6_mc_destroy_dev(struct inet6_dev *idev)
{
	mc_dev_destroy(&idev->mc);
}

void ipv6_mc_dad_complete(struct inet6_dev *idev)
{
	mc_dev_tell_all(&idev->mc);
}

static int mcast_netdev_event(struct net_device *dev, enum netdev_event ev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	if (!idev)
		return 0;
	cpu_lock(dev->net->cpu);
	if (ev == NETDEV_UP)
		mc_dev_up(&idev->mc);
	else if (ev == NETDEV_DOWN)
		mc_dev_down(&idev->mc);
	cpu_unlock(dev->net->cpu);
	return 0;
}

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

/* By index, or the one that a packet to @group would take. NULL: none */
static struct inet6_dev *mc_find_dev(const struct sock *sk, int ifindex,
				     const struct in6_addr *group, int *ret_err)
{
	struct net *net = sock_net(sk);
	struct net_device *dev = NULL;
	struct inet6_dev *idev;
	struct rt6_info *rt;
	int err;

	if (ifindex) {
		dev = __dev_get_by_index(net, ifindex);
	} else {
		struct flowi6 fl = { .flags = FLOWI6_FLAG_NO_SOURCE, .daddr = *group };

		rt = ip6_route_output(net, &fl, NULL, &err);
		if (rt) {
			dev = rt->dst.dev;
			ip6_rt_put(rt);
		}
	}
	idev = dev ? __in6_dev_get(dev) : NULL;
	*ret_err = !dev ? -ENODEV : !idev ? -EINVAL : 0;
	return idev;
}

int ipv6_sock_mc_join(struct sock *sk, int ifindex, const struct in6_addr *group, u8 mode)
{
	struct list_head *list = &inet6_sk(sk)->mc_list;
	struct inet6_dev *idev;
	int err;

	if (!ipv6_addr_is_multicast(group))
		return -EINVAL;
	if (mc_sk_find(list, group, ifindex))
		return -EADDRINUSE;
	idev = mc_find_dev(sk, ifindex, group, &err);
	return idev ? mc_sk_join(list, &idev->mc, group, mode) : err;
}

int ipv6_sock_mc_drop(struct sock *sk, int ifindex, const struct in6_addr *group)
{
	struct mc_socklist *ml;

	if (!ipv6_addr_is_multicast(group))
		return -EINVAL;
	ml = mc_sk_find(&inet6_sk(sk)->mc_list, group, ifindex);
	if (!ml)
		return -EADDRNOTAVAIL;
	mc_sk_leave(ml);
	return 0;
}

/* The membership of a request about sources; NULL with *ret_err. */
static struct mc_socklist *mc_sk_get(const struct sock *sk, int ifindex,
				     const struct in6_addr *group, int *ret_err)
{
	struct mc_socklist *ml;

	*ret_err = -EINVAL;
	if (!ipv6_addr_is_multicast(group))
		return NULL;
	ml = mc_sk_find(&inet6_sk(sk)->mc_list, group, ifindex);
	if (!ml && !mc_find_dev(sk, ifindex, group, ret_err))
		return NULL;
	*ret_err = -EINVAL;
	return ml;
}

int ip6_mc_source(struct sock *sk, int ifindex, const struct in6_addr *group,
		  const struct in6_addr *source, u8 mode, bool add)
{
	struct mc_socklist *ml;
	int err;

	ml = mc_sk_get(sk, ifindex, group, &err);
	return ml ? mc_sk_source(ml, source, mode, add, sock_net(sk)->ipv6->mld_max_msf) : err;
}

int ip6_mc_msfilter(struct sock *sk, int ifindex, const struct in6_addr *group, u8 mode,
		    const struct in6_addr *sources, u32 n)
{
	struct mc_socklist *ml;
	int err;

	if (n > sock_net(sk)->ipv6->mld_max_msf)
		return -ENOBUFS;
	if (mode != MCAST_INCLUDE && mode != MCAST_EXCLUDE)
		return -EINVAL;
	ml = mc_sk_get(sk, ifindex, group, &err);
	return ml ? mc_sk_msfilter(ml, mode, sources, n) : err;
}

int ip6_mc_msfget(const struct sock *sk, int ifindex, const struct in6_addr *group, u8 *ret_mode,
		  struct in6_addr *sources, u32 max, u32 *ret_n)
{
	const struct mc_socklist *ml;

	if (!ipv6_addr_is_multicast(group))
		return -EINVAL;
	/* Unlike the others this one wants to know which device, as in Linux. */
	ml = ifindex ? mc_sk_find(&inet6_sk(sk)->mc_list, group, ifindex) : NULL;
	if (!ml)
		return -EADDRNOTAVAIL;
	*ret_mode = ml->mode;
	*ret_n = ml->n;
	if (min(max, ml->n))
		memcpy(sources, ml->sources, min(max, ml->n) * sizeof(*sources));
	return 0;
}

void ipv6_sock_mc_close(struct sock *sk)
{
	mc_sk_leave_all(&inet6_sk(sk)->mc_list);
}

bool inet6_mc_check(const struct sock *sk, const struct in6_addr *group, const struct in6_addr *src,
		    int dif)
{
	const struct list_head *list = &inet6_sk(sk)->mc_list;
	const struct mc_socklist *ml;

	if (!ipv6_addr_is_multicast(group))
		return true;
	/* As in Linux a membership on one device lets in what came by another because another socket is member there. */
	ml = mc_sk_find(list, group, dif);
	if (!ml)
		ml = mc_sk_find(list, group, 0);
	return ml ? mc_sk_allows(ml, src) : inet6_sk(sk)->mc_all;
}

/* ---- ip -6 maddr: RTM_GETMULTICAST, /proc/net/igmp6, mcfilter6 ------------------------------------------------------------------------------------- */

static struct mc_dev *dev_mc(const struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	return idev ? &idev->mc : NULL;
}

static int inet6_rtm_dumpmulticast(struct nl_msg *msg, struct netlink_callback *cb)
{
	return mc_group_dump(msg, cb, dev_mc);
}

static const struct rtnl_handler mcast_rtnl_handlers[] = {
	{ .family = AF_INET6, .type = RTM_GETMULTICAST, .dumpit = inet6_rtm_dumpmulticast },
};

static int mcast_machine_init(struct machine *m)
{
	return rtnl_register(m, mcast_rtnl_handlers, ARRAY_SIZE(mcast_rtnl_handlers));
}

static void text_in6(struct text *t, const struct in6_addr *a)
{
	for (u32 i = 0; i < sizeof(*a); i++)
		text_printf(t, "%02x", a->s6_addr[i]);
}

/* As Linux has them. */
static u32 mc_flags(const struct mc_group *g)
{
	return (timer_pending(&g->timer) ? 1u : 0) | (g->reporter ? 2u : 0) | (g->on_dev ? 4u : 0) |
	       (mld_silent(g) ? 8u : 0) | (g->gsquery ? 16u : 0);
}

void igmp6_show(struct net *net, struct text *t)
{
	const struct inet6_dev *idev;
	const struct mc_group *g;

	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		list_for_each_entry(g, &idev->mc.groups, node) {
			if (!g->users)
				continue;
			text_printf(t, "%-4d %-15s ", idev->dev->ifindex, idev->dev->name);
			text_in6(t, &g->addr);
			text_printf(t, " %5u %08X %llu\n", g->users, mc_flags(g),
				    (unsigned long long)(mc_group_timer_left(g) /
							 (10 * NSEC_PER_MSEC)));
		}
}

void mcfilter6_show(struct net *net, struct text *t)
{
	const struct inet6_dev *idev;
	const struct mc_source *s;
	const struct mc_group *g;

	text_printf(t, "%3s %6s %32s %32s %6s %6s\n", "Idx", "Device", "Multicast Address",
		    "Source Address", "INC", "EXC");
	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		list_for_each_entry(g, &idev->mc.groups, node)
			list_for_each_entry(s, &g->sources, node) {
				text_printf(t, "%3d %6.6s ", idev->dev->ifindex, idev->dev->name);
				text_in6(t, &g->addr);
				text_printf(t, " ");
				text_in6(t, &s->addr);
				text_printf(t, " %6u %6u\n", s->count[MCAST_INCLUDE],
					    s->count[MCAST_EXCLUDE]);
			}
}

const struct ipv6_part mcast_part = {
	.name = "mcast",
	.machine_init = mcast_machine_init,
	.netdev_event = mcast_netdev_event,
};
