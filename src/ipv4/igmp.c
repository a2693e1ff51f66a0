/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * igmp.c - IGMP: what IPv4 has of its own about multicast groups (versions 1, 2, 3)
 *
 * Who is member of what, and when routers are told, is inet/mc_group.c's; here queries are read, reports are written, and programs'
 * requests find their device. 224.0.0.1 is always joined and never reported.
 * Locking: the cpu lock; socket options and softirq.
 * See RFC 1112, RFC 2236, RFC 3376, RFC 5790.
 */
#include "ipv4/igmp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/sock.h"
#include "core/sysctl.h"
#include "ipv4/ipv4_internal.h"
#include "lib/csum.h"

#define ALL_HOSTS   ((be32){ 0x010000e0 }) /* 224.0.0.1 */
#define ALL_ROUTERS ((be32){ 0x020000e0 }) /* 224.0.0.2 */
#define ALL_REPORTS ((be32){ 0x160000e0 }) /* 224.0.0.22 */

enum igmp_type {
	IGMP_QUERY = 0x11,
	IGMP_V1_REPORT = 0x12,
	IGMP_V2_REPORT = 0x16,
	IGMP_V2_LEAVE = 0x17,
	IGMP_V3_REPORT = 0x22,
};

#define V1_MAX_RESPONSE     (10 * NSEC_PER_SEC) /* RFC 3376 7.2.1 */
#define TOS_INTERNETCONTROL 0xc0

struct igmp_msg { /* versions 1 and 2; the beginning of a query of version 3 */
	u8 type, code;
	be16 csum;
	be32 group;
};
struct igmp_query3 {
	struct igmp_msg m;
	u8 flags, qqic;
	be16 nsrcs;
};
struct igmp_report3 {
	u8 type, resv1;
	be16 csum, resv2, ngrec;
};

static struct in_device *mc_in_dev(const struct mc_dev *d)
{
	return container_of(d, struct in_device, mc);
}

static struct in6_addr mapped(be32 v4)
{
	struct in6_addr a;

	ipv6_addr_set_v4mapped(v4, &a);
	return a;
}

static bool igmp_silent(const struct mc_group *g)
{
	be32 group = ipv6_addr_v4(&g->addr);

	return be32_eq(group, ALL_HOSTS) ||
	       ((be32_to_cpu(group) >> 8) == 0xe00000 &&
		!g->mcd->dev->net->ipv4->igmp_link_local_mcast_reports);
}

/* ---- messages out ---------------------------------------------------------------------------------------------- */

static const struct ip_options router_alert_option = {
	.optlen = 4,
	.router_alert = 20,
	.data = { 148, 4, 0, 0 },
};

/* An empty packet to @dst with room for @size octets; NULL: the device cannot send. */
static struct sk_buff *igmp_new(struct in_device *in_dev, be32 dst, u32 size)
{
	struct net *net = in_dev->net;
	struct flowi4 fl = { .daddr = dst, .oif = in_dev->dev->ifindex, .proto = IPPROTO_IGMP };
	struct sk_buff *skb;
	struct rtable *rt;
	int err;

	if (!netif_running(in_dev->dev))
		return NULL;
	rt = ip_route_output_key(net, &fl, &err);
	if (!rt)
		return NULL;
	skb = be32_zero(fl.saddr) ? NULL : alloc_skb(net->cpu, MAX_HEADER + 24 + size);
	if (!skb) {
		ip_rt_put(rt);
		return NULL;
	}
	skb_reserve(skb, MAX_HEADER + 24);
	skb_dst_set(skb, &rt->dst);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	/* The IP header is written when the message is complete; until then the source waits here. */
	memcpy(skb->head, &fl.saddr, sizeof(fl.saddr));
	return skb;
}

/* Consumes. */
static void igmp_send(struct in_device *in_dev, struct sk_buff *skb, be32 dst)
{
	struct igmp_msg *m = (struct igmp_msg *)skb->data;
	struct ip_hdr *iph;
	be32 saddr;

	memcpy(&saddr, skb->head, sizeof(saddr));
	m->csum = BE16_INIT(0);
	m->csum.v = csum_fold(csum_partial(m, skb->len, 0));
	trace_skb(skb, in_dev->net, TP_igmp_send, TRACE_PASS, m->type, be32_to_cpu(dst));
	skb_reset_transport_header(skb);
	iph = skb_push(skb, sizeof(*iph) + router_alert_option.optlen);
	memset(iph, 0, sizeof(*iph));
	skb_reset_network_header(skb);
	iph->ihl_version = 0x46;
	iph->tos = TOS_INTERNETCONTROL;
	iph->frag_off = BE16_INIT(IP_F_DF);
	iph->ttl = 1;
	iph->protocol = IPPROTO_IGMP;
	iph->saddr = saddr;
	iph->daddr = dst;
	ip_options_build(in_dev->net, iph, &router_alert_option, dst, saddr);
	skb->priority = 7; /* TC_PRIO_CONTROL */
	ip_local_out(in_dev->net, NULL, skb);
}

/* A report or leave of version 1 or 2. */
static void igmp_send_old(struct mc_group *g, enum mc_generation gen, bool leave)
{
	struct in_device *in_dev = mc_in_dev(g->mcd);
	be32 group = ipv6_addr_v4(&g->addr), dst = leave ? ALL_ROUTERS : group;
	u8 type = leave ? IGMP_V2_LEAVE : gen == MC_GEN_JOIN ? IGMP_V1_REPORT : IGMP_V2_REPORT;
	struct sk_buff *skb = igmp_new(in_dev, dst, sizeof(struct igmp_msg));

	if (!skb)
		return;
	*(struct igmp_msg *)skb_put(skb, sizeof(struct igmp_msg)) =
		(struct igmp_msg){ .type = type, .group = group };
	igmp_send(in_dev, skb, dst);
}

static struct sk_buff *igmp_report_new(struct mc_dev *d, u32 *ret_room)
{
	u32 size = clamp(d->dev->mtu, 576u, 9000u) - 24;
	struct sk_buff *skb = igmp_new(mc_in_dev(d), ALL_REPORTS, size);

	if (!skb)
		return NULL;
	*(struct igmp_report3 *)skb_put(skb, sizeof(struct igmp_report3)) =
		(struct igmp_report3){ .type = IGMP_V3_REPORT };
	*ret_room = size - (u32)sizeof(struct igmp_report3);
	return skb;
}

static void igmp_report_send(struct mc_dev *d, struct sk_buff *skb, u16 records)
{
	((struct igmp_report3 *)skb->data)->ngrec = cpu_to_be16(records);
	igmp_send(mc_in_dev(d), skb, ALL_REPORTS);
}

/* ---- for mc_group.c ---------------------------------------------------------------------------------------------- */

static u8 igmp_forced(const struct mc_dev *d)
{
	return IN_DEV_MAXCONF(mc_in_dev(d), force_igmp_version);
}

static u8 igmp_robustness(const struct mc_dev *d)
{
	return d->dev->net->ipv4->igmp_qrv;
}

static u64 igmp_report_interval(const struct mc_dev *d, enum mc_generation gen)
{
	const struct in_device *in_dev = mc_in_dev(d);

	return gen == MC_GEN_FILTER ? in_dev->igmpv3_unsolicited_report_interval
				    : in_dev->igmpv2_unsolicited_report_interval;
}

/* RFC 1112 6.4: 01:00:5e and the low 23 bits of the group. */
static int igmp_map(const struct mc_group *g, u8 *ret_mac)
{
	const u8 *a = &g->addr.s6_addr[12];
	const u8 mac[6] = { 1, 0, 0x5e, a[1] & 0x7f, a[2], a[3] };

	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

/* Routes of groups say whether we are a member. */
static void igmp_changed(const struct mc_dev *d)
{
	rt_cache_flush(d->dev->net);
}

static const struct mc_ops igmp_ops = {
	.family = AF_INET,
	.addr_len = sizeof(be32),
	.forced = igmp_forced,
	.robustness = igmp_robustness,
	.report_interval = igmp_report_interval,
	.silent = igmp_silent,
	.map = igmp_map,
	.changed = igmp_changed,
	.send_old = igmp_send_old,
	.report_new = igmp_report_new,
	.report_send = igmp_report_send,
};

/* ---- who is member ----------------------------------------------------------------------------------------------- */

bool ip_check_mc(const struct in_device *in_dev, be32 group, be32 saddr, u8 protocol)
{
	const struct in6_addr g = mapped(group), src = mapped(saddr);
	bool any = protocol == IPPROTO_IGMP || be32_zero(saddr);

	return be32_eq(group, ALL_HOSTS) || mc_group_wants(&in_dev->mc, &g, any ? NULL : &src);
}

/* ---- messages in --------------------------------------------------------------------------------------------------- */

/* RFC 3376 4.1.1: an exponent and a mantissa above 127. */
static u32 igmp_code(u8 code)
{
	return code < 128 ? code : (u32)((code & 15) | 16) << ((code >> 4 & 7) + 3);
}

/* RFC 3376 7.1: the length tells the version. Data in the head area. False: malformed */
static bool igmp_heard_query(struct in_device *in_dev, const struct sk_buff *skb)
{
	const struct igmp_query3 *q = (const struct igmp_query3 *)skb->data;
	const struct in6_addr group = mapped(q->m.group);
	struct mc_query query = { .group = be32_zero(q->m.group) ? NULL : &group };

	if (skb->len == sizeof(struct igmp_msg)) {
		query.generation = q->m.code ? MC_GEN_LEAVE : MC_GEN_JOIN;
		query.max_resp = q->m.code ? q->m.code * (NSEC_PER_SEC / 10) : V1_MAX_RESPONSE;
		mc_heard_query(&in_dev->mc, &query);
		return true;
	}
	if (skb->len < sizeof(*q))
		return false;
	query.nsrcs = be16_to_cpu(q->nsrcs);
	if (skb->len < sizeof(*q) + query.nsrcs * sizeof(be32))
		return false;
	query.generation = MC_GEN_FILTER;
	query.max_resp = max(igmp_code(q->m.code), 1u) * (NSEC_PER_SEC / 10);
	query.qrv = q->flags & 7;
	query.query_interval = igmp_code(q->qqic) * NSEC_PER_SEC;
	query.sources = (const u8 *)(q + 1);
	mc_heard_query(&in_dev->mc, &query);
	return true;
}

/* Versions 1 and 2: another host has said it for us. */
static void igmp_heard_report(struct in_device *in_dev, be32 group)
{
	const struct in6_addr g = mapped(group);

	mc_heard_report(&in_dev->mc, &g);
}

static void igmp_rcv(struct sk_buff *skb)
{
	struct in_device *in_dev = in_dev_get(skb->dev);
	const struct igmp_msg *m;

	if (!in_dev || !pskb_may_pull(skb, sizeof(*m)) || skb_linearize(skb)) {
		kfree_skb_reason(skb, SKB_DROP_IGMP_BAD);
		return;
	}
	if (!skb_csum_unnecessary(skb) && csum_fold(skb_checksum(skb, 0, skb->len, 0))) {
		kfree_skb_reason(skb, SKB_DROP_IGMP_CSUM);
		return;
	}
	m = (const struct igmp_msg *)skb->data;
	trace_skb(skb, in_dev->net, TP_igmp_rcv, TRACE_PASS, m->type, be32_to_cpu(m->group));
	switch (m->type) {
	case IGMP_QUERY:
		if (!igmp_heard_query(in_dev, skb)) {
			kfree_skb_reason(skb, SKB_DROP_IGMP_BAD);
			return;
		}
		break;
	case IGMP_V1_REPORT:
	case IGMP_V2_REPORT:
		if (skb->pkt_type != SKB_PACKET_LOOPBACK)
			igmp_heard_report(in_dev, m->group);
		break;
	default: /* for routers */
		break;
	}
	consume_skb(skb);
}

const struct net_protocol igmp_protocol = {
	.handler = igmp_rcv,
};

/* ---- devices come and go ------------------------------------------------------------------------------------------- */

void ip_mc_init_dev(struct in_device *in_dev)
{
	mc_dev_init(&in_dev->mc, in_dev->dev, &igmp_ops);
}

void ip_mc_up(struct in_device *in_dev)
{
	const struct in6_addr all = mapped(ALL_HOSTS);

	if (!mc_group_find(&in_dev->mc, &all) &&
	    in_dev->dev->flags & (IFF_MULTICAST | IFF_LOOPBACK))
		mc_group_inc(&in_dev->mc, &all, MCAST_EXCLUDE);
	mc_dev_up(&in_dev->mc);
}

void ip_mc_down(struct in_device *in_dev)
{
	mc_dev_down(&in_dev->mc);
}

void ip_mc_destroy_dev(struct in_device *in_dev)
{
	mc_dev_destroy(&in_dev->mc);
}

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

/* RFC 1112 7.1, ip(7): the device by index, by address, or the one that a packet to the group would take. */
static struct in_device *mc_find_dev(const struct sock *sk, const struct ip_mreqn *imr)
{
	struct net *net = sock_net(sk);
	struct net_device *dev = NULL;
	struct rtable *rt;
	int err;

	if (imr->imr_ifindex) {
		dev = __dev_get_by_index(net, imr->imr_ifindex);
	} else if (imr->imr_address.s_addr) {
		dev = ip_dev_find(net, be32_raw(imr->imr_address.s_addr));
		if (!dev)
			return NULL;
	} else {
		struct flowi4 fl = { .daddr = be32_raw(imr->imr_multiaddr.s_addr) };

		rt = ip_route_output_key(net, &fl, &err);
		if (rt) {
			dev = rt->dst.dev;
			ip_rt_put(rt);
		}
	}
	return dev ? in_dev_get(dev) : NULL;
}

int ip_mc_join_group(struct sock *sk, const struct ip_mreqn *imr, u8 mode)
{
	const struct in6_addr group = mapped(be32_raw(imr->imr_multiaddr.s_addr));
	struct in_device *in_dev;
	struct list_head *list;

	if (!ipv4_is_multicast(ipv6_addr_v4(&group)))
		return -EINVAL;
	in_dev = mc_find_dev(sk, imr);
	if (!in_dev)
		return -ENODEV;
	if (!sock_rare(sk))
		return -ENOMEM;
	list = &sk->sk_rare->mc_list;
	if (mc_sk_count(list) >= sock_net(sk)->ipv4->igmp_max_memberships &&
	    !mc_sk_find(list, &group, in_dev->dev->ifindex))
		return -ENOBUFS;
	return mc_sk_join(list, &in_dev->mc, &group, mode);
}

/* The membership that @imr means; NULL with *ret_err. */
static struct mc_socklist *sk_mc_get(const struct sock *sk, const struct ip_mreqn *imr,
				     int *ret_err)
{
	const struct in6_addr group = mapped(be32_raw(imr->imr_multiaddr.s_addr));
	struct in_device *in_dev = mc_find_dev(sk, imr);
	struct mc_socklist *ml = NULL;

	/* Of a device that has gone, by its index. */
	if (sk->sk_rare && (imr->imr_ifindex || in_dev))
		ml = mc_sk_find(&sk->sk_rare->mc_list, &group,
				imr->imr_ifindex ? imr->imr_ifindex : in_dev->dev->ifindex);
	*ret_err = !ml && !in_dev ? -ENODEV : -EADDRNOTAVAIL;
	return ml;
}

int ip_mc_leave_group(struct sock *sk, const struct ip_mreqn *imr)
{
	struct mc_socklist *ml;
	int err;

	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err == -ENODEV && (imr->imr_ifindex || imr->imr_address.s_addr)
			       ? -EADDRNOTAVAIL
			       : err;
	mc_sk_leave(ml);
	return 0;
}

int ip_mc_source(struct sock *sk, const struct ip_mreqn *imr, be32 source, u8 mode, bool add)
{
	const struct in6_addr src = mapped(source);
	struct mc_socklist *ml;
	int err;

	if (!ipv4_is_multicast(be32_raw(imr->imr_multiaddr.s_addr)))
		return -EINVAL;
	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err == -ENODEV ? -ENODEV : -EINVAL;
	return mc_sk_source(ml, &src, mode, add, sock_net(sk)->ipv4->igmp_max_msf);
}

int ip_mc_msfilter(struct sock *sk, const struct ip_mreqn *imr, u8 mode, const be32 *sources, u32 n)
{
	struct mc_socklist *ml;
	struct in6_addr *list;
	int err;

	if (!ipv4_is_multicast(be32_raw(imr->imr_multiaddr.s_addr)) ||
	    (mode != MCAST_INCLUDE && mode != MCAST_EXCLUDE))
		return -EINVAL;
	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err == -ENODEV ? -ENODEV : -EINVAL;
	list = calloc(n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++)
		list[i] = mapped(sources[i]);
	err = mc_sk_msfilter(ml, mode, list, n);
	free(list);
	return err;
}

int ip_mc_gsfget(const struct sock *sk, const struct ip_mreqn *imr, u8 *ret_mode, be32 *sources,
		 u32 max, u32 *ret_n)
{
	const struct mc_socklist *ml;
	int err;

	if (!ipv4_is_multicast(be32_raw(imr->imr_multiaddr.s_addr)))
		return -EINVAL;
	ml = sk_mc_get(sk, imr, &err);
	if (!ml)
		return err;
	*ret_mode = ml->mode;
	*ret_n = ml->n;
	for (u32 i = 0; i < min(max, ml->n); i++)
		sources[i] = ipv6_addr_v4(&ml->sources[i]);
	return 0;
}

void ip_mc_drop_socket(struct sock *sk)
{
	if (sk->sk_rare)
		mc_sk_leave_all(&sk->sk_rare->mc_list);
}

bool ip_mc_sf_allow(const struct sock *sk, be32 group, be32 saddr, int dif)
{
	const struct in6_addr g = mapped(group), src = mapped(saddr);
	const struct mc_socklist *ml;

	if (!ipv4_is_multicast(group))
		return true;
	ml = sk->sk_rare ? mc_sk_find(&sk->sk_rare->mc_list, &g, dif) : NULL;
	return ml ? mc_sk_allows(ml, &src) : inet_sk(sk)->mc_all;
}

/* ---- ip maddr: RTM_GETMULTICAST, /proc/net/igmp, mcfilter ------------------------------------------------------------------------------------- */

static struct mc_dev *dev_mc(const struct net_device *dev)
{
	struct in_device *in_dev = in_dev_get(dev);

	return in_dev ? &in_dev->mc : NULL;
}

int inet_rtm_dumpmulticast(struct nl_msg *msg, struct netlink_callback *cb)
{
	return mc_group_dump(msg, cb, dev_mc);
}

static u32 mc_members(const struct in_device *in_dev)
{
	const struct mc_group *g;
	u32 n = 0;

	list_for_each_entry(g, &in_dev->mc.groups, node)
		n += g->users != 0;
	return n;
}

void igmp_show(struct net *net, struct text *t)
{
	const struct in_device *in_dev;
	const struct mc_group *g;

	text_printf(t, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n");
	list_for_each_entry(in_dev, &net->ipv4->in_devs, node) {
		if (!mc_members(in_dev))
			continue;
		text_printf(t, "%d\t%-10s: %5u      V%d\n", in_dev->dev->ifindex, in_dev->dev->name,
			    mc_members(in_dev), mc_dev_generation(&in_dev->mc));
		list_for_each_entry(g, &in_dev->mc.groups, node)
			if (g->users) /* time in USER_HZ */
				text_printf(t, "\t\t\t\t%08X %5u %d:%08llX\t\t%u\n",
					    ipv6_addr_v4(&g->addr).v, g->users,
					    timer_pending(&g->timer),
					    (unsigned long long)(mc_group_timer_left(g) /
								 (10 * NSEC_PER_MSEC)),
					    g->reporter);
	}
}

void mcfilter_show(struct net *net, struct text *t)
{
	const struct in_device *in_dev;
	const struct mc_group *g;
	const struct mc_source *s;

	text_printf(t, "Idx Device        MCA        SRC    INC    EXC\n");
	list_for_each_entry(in_dev, &net->ipv4->in_devs, node)
		list_for_each_entry(g, &in_dev->mc.groups, node)
			list_for_each_entry(s, &g->sources, node)
				text_printf(t, "%3d %6.6s 0x%08x 0x%08x %6u %6u\n",
					    in_dev->dev->ifindex, in_dev->dev->name,
					    be32_to_cpu(ipv6_addr_v4(&g->addr)),
					    be32_to_cpu(ipv6_addr_v4(&s->addr)),
					    s->count[MCAST_INCLUDE], s->count[MCAST_EXCLUDE]);
}
