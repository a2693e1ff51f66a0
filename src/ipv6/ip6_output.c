/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_output.c - IPv6 packets on their way out
 *
 * Theory of operation
 *   inet6_csk_xmit()     a stream's segment: the socket's cached route
 *   ip6_xmit()           a packet with everything given
 *   ip6_make_skb(),
 *   ip6_send_skb()       a datagram
 *   ip6_local_out()      length; LOCAL_OUT hook; then dst_output()
 *   ip6_output()         POST_ROUTING hook (forwarded packets join here)
 *   ip6_finish_output()  segments or fragments what is too big
 *   ip6_finish_output2() loops groups back; the next hop's neighbour puts the link-layer header in front and sends
 *
 *   Only the source fragments (RFC 8200 4.5). What every fragment repeats (up to and with hop-by-hop and routing headers) is copied,
 *   the fragment header goes behind it. Identifications come from a keyed hash of the address pair plus a counter, so that a stranger
 *   cannot guess them (RFC 7739 5.3).
 *   All functions here consume their skb. Context: cpu lock.
 * See RFC 8200, RFC 6437 (flow labels), RFC 4007 (scopes).
 */
#include "ipv6/ipv6_internal.h"

#include <errno.h>

#include "core/cpu.h"
#include "core/nf_hook.h"
#include "core/sock.h"
#include "core/trace.h"
#include "core/uio.h"
#include "lib/csum.h"
#include "lib/siphash.h"
#include "wire/icmpv6.h"

#define IP6_MAX_PAYLOAD 65535u
#define IP6_LINEAR_MAX  2048u /* datagrams up to this size lie in one piece */

/* ---- the header ------------------------------------------------------------------------------------------ */

static u8 ip6_select_hop_limit(const struct sock *sk, const struct rt6_info *rt, bool multicast)
{
	const struct ipv6_pinfo *np = sk && sk->sk_family == AF_INET6 ? inet6_sk(sk) : NULL;
	const struct inet6_dev *idev = __in6_dev_get(rt->dst.dev);
	u32 metric;

	if (multicast)
		return np && np->mcast_hops >= 0 ? (u8)np->mcast_hops : 1;
	if (np && np->hop_limit >= 0)
		return (u8)np->hop_limit;
	metric = dst_metric(&rt->dst, DST_METRIC_HOPLIMIT);
	if (metric)
		return (u8)metric;
	return (u8)(idev ? idev->cnf.hop_limit : rt->net->ipv6->devconf_all.hop_limit);
}

/* Data at the transport header: the fixed header goes in front of it and of @opt's headers. */
static inline struct ipv6_hdr *ip6_push_header(struct sk_buff *skb, const struct flowi6 *fl,
					       const struct ipv6_txoptions *opt, be32 flowinfo,
					       u8 hop_limit)
{
	const struct in6_addr *daddr = &fl->daddr;
	u8 proto = fl->proto;
	struct ipv6_hdr *h;

	skb_reset_transport_header(skb);
	if (unlikely(opt)) {
		ipv6_push_frag_opts(skb, opt, &proto);
		ipv6_push_nfrag_opts(skb, opt, &proto, &daddr);
	}
	h = skb_push(skb, sizeof(*h));
	skb_reset_network_header(skb);
	h->ver_tc_flow = cpu_to_be32(6u << 28 | (be32_to_cpu(flowinfo) & 0x0fffffffu));
	h->nexthdr = proto;
	h->hop_limit = hop_limit;
	h->saddr = fl->saddr;
	memcpy(&h->daddr, daddr,
	       sizeof(h->daddr)); /* inside a routing header it may lie anywhere */
	return h;
}

/* A label for a flow that the program gave none (RFC 6437 3). It stays the flow's, and costs a hash for the first packet only. */
static u32 ip6_auto_label(struct net *net, struct ipv6_pinfo *np, const struct flowi6 *fl)
{
	u32 mode = net->ipv6->auto_flowlabels;
	be32 label;

	/* 0: never; 1: unless the socket does not want it; 2: if the socket wants it; 3: always */
	if (mode != 3 && (!mode || !(np && np->autoflowlabel_set ? np->autoflowlabel : mode & 1)))
		return 0;
	if (np && np->auto_label.label.v && be16_eq(np->auto_label.dport, fl->dport) &&
	    be16_eq(np->auto_label.sport, fl->sport) &&
	    ipv6_addr_equal(&np->auto_label.daddr, &fl->daddr))
		return be32_to_cpu(np->auto_label.label) & IPV6_FLOWLABEL_MASK_;
	label = ip6_make_flowlabel(net, fl);
	if (np) {
		np->auto_label.daddr = fl->daddr;
		np->auto_label.sport = fl->sport;
		np->auto_label.dport = fl->dport;
		np->auto_label.label = label;
	}
	return be32_to_cpu(label) & IPV6_FLOWLABEL_MASK_;
}

/* fl->flowlabel, completed. */
static inline be32 ip6_flow_flowinfo(struct net *net, const struct sock *sk,
				     const struct flowi6 *fl)
{
	struct ipv6_pinfo *np = sk && sk->sk_family == AF_INET6 ? inet6_sk(sk) : NULL;
	u32 info = be32_to_cpu(fl->flowlabel);

	if (!(info & IPV6_FLOWLABEL_MASK_))
		info |= ip6_auto_label(net, np, fl);
	return cpu_to_be32(info);
}

/* ---- out of this host -------------------------------------------------------------------------------------- */

static int ip6_local_out_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}

int ip6_local_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	u32 len = skb->len - (u32)sizeof(struct ipv6_hdr);

	NET_INC_STATS(net, MIB_Ip6_OutRequests);
	if (unlikely(len > IP6_MAX_PAYLOAD)) {
		NET_INC_STATS(net, MIB_Ip6_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_IP6_OUT_TOO_LONG);
		return -EMSGSIZE;
	}
	ipv6_hdr(skb)->payload_len = cpu_to_be16((u16)len);
	IP6CB(skb)->nhoff = offsetof(struct ipv6_hdr, nexthdr);
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	trace_skb(skb, net, TP_ip6_local_out, TRACE_PASS, ipv6_hdr(skb)->nexthdr, 0);
	return NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb->dst->dev,
		       ip6_local_out_finish);
}

int ip6_xmit(struct net *net, const struct sock *sk, struct sk_buff *skb, const struct flowi6 *fl,
	     const struct ipv6_txoptions *opt, s16 hop_limit)
{
	struct rt6_info *rt = skb_rt6_info(skb);
	u32 room = (u32)sizeof(struct ipv6_hdr) + LL_MAX_HEADER;

	if (opt)
		room += opt->opt_flen + opt->opt_nflen;
	if (unlikely(skb_headroom(skb) < room) && skb_cow_head(skb, room)) {
		NET_INC_STATS(net, MIB_Ip6_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return -ENOBUFS;
	}
	ip6_push_header(skb, fl, opt, ip6_flow_flowinfo(net, sk, fl),
			hop_limit >= 0
				? (u8)hop_limit
				: ip6_select_hop_limit(sk, rt, ipv6_addr_is_multicast(&fl->daddr)));
	if (sk && sk->sk_state != SS_TCP_LISTEN) {
		skb->priority = sk->sk_priority;
		skb->mark = fl->mark;
	}
	trace_skb(skb, net, TP_ip6_xmit, TRACE_PASS, fl->proto, 0);
	return ip6_local_out(net, (struct sock *)sk, skb);
}

static struct rt6_info *ip6_sk_route(struct sock *sk, struct flowi6 *fl)
{
	struct dst_entry *dst = sk_dst_check(sk);
	struct in6_addr final;
	struct rt6_info *rt;
	int err;

	if (likely(dst))
		return (struct rt6_info *)dst;
	final = fl->daddr;
	if (inet6_sk(sk)->opt)
		fl6_update_dst(fl, inet6_sk(sk)->opt, &final);
	rt = ip6_route_output(sock_net(sk), fl, sk, &err);
	fl->daddr = final;
	if (rt)
		sk_dst_set(sk, &rt->dst);
	return rt;
}

int inet6_csk_xmit(struct sock *sk, struct sk_buff *skb)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct rt6_info *rt;
	struct flowi6 fl;

	ipv6_flow_init_sk(&fl, sk);
	fl.saddr = np->saddr;
	fl.daddr = sk->sk_v6_daddr;
	fl.sport = inet_sk(sk)->inet_sport;
	fl.dport = sk->sk_dport;
	if (likely(!skb->dst)) {
		rt = ip6_sk_route(sk, &fl);
		if (unlikely(!rt)) {
			kfree_skb_reason(skb, SKB_DROP_IP6_OUT_NOROUTE);
			return -EHOSTUNREACH;
		}
		dst_hold(&rt->dst);
		skb_dst_set(skb, &rt->dst);
	}
	return ip6_xmit(sock_net(sk), sk, skb, &fl, np->opt, -1);
}

void ip6_send_unicast_reply(struct net *net, struct sk_buff *skb, const struct in6_addr *daddr,
			    const struct in6_addr *saddr, u8 proto, const void *segment, u32 len,
			    u32 csum_offset, const struct ip_reply_arg *arg)
{
	u32 reflected = net->ipv6->fwmark_reflect ? skb->mark : 0;
	struct flowi6 fl = {
		.oif = arg->oif,
		.mark = reflected ? reflected : arg->mark,
		.proto = proto,
		.flags = FLOWI6_FLAG_ANYSRC,
		.daddr = *daddr,
		.saddr = *saddr,
		.flowlabel = ip6_flowinfo(arg->tos, arg->flowlabel),
	};
	struct sk_buff *nskb;
	struct rt6_info *rt;
	be16 check;
	u8 *p;
	int err;

	/* RFC 4007 6: a link-local address means the link it came from. */
	if (!fl.oif && ipv6_addr_type(daddr) & IPV6_ADDR_LINKLOCAL)
		fl.oif = IP6CB(skb)->iif;
	rt = ip6_route_output(net, &fl, NULL, &err);
	if (!rt)
		return;
	nskb = alloc_skb(net->cpu, MAX_HEADER + sizeof(struct ipv6_hdr) + len);
	if (!nskb) {
		ip6_rt_put(rt);
		return;
	}
	skb_reserve(nskb, MAX_HEADER + sizeof(struct ipv6_hdr));
	p = skb_put_data(nskb, segment, len);
	check.v = csum_ipv6_magic(saddr, daddr, len, proto, csum_partial(p, len, 0));
	memcpy(p + csum_offset, &check, sizeof(check));
	skb_dst_set(nskb, &rt->dst);
	nskb->mark = fl.mark;
	nskb->parent_id = skb->id;
	ip6_xmit(net, NULL, nskb, &fl, NULL, -1);
}

/* ---- datagrams ----------------------------------------------------------------------------------------------- */

/* The biggest packet that @sk may send without fragments. */
static u32 ip6_sk_mtu(const struct sock *sk, const struct rt6_info *rt)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	u32 mtu = np->pmtudisc >= IPV6_PMTUDISC_PROBE ? rt->dst.dev->mtu : ip6_rt_mtu(rt);

	return np->frag_size && np->frag_size < mtu ? np->frag_size : mtu;
}

/*
 * What does not fit and must not be fragmented is the program's problem, at once (RFC 3542 11.2). @piece: of @length,
 * what one packet will hold after it was cut (UDP_SEGMENT).
 */
static int ip6_check_datagram_len(struct sock *sk, const struct flowi6 *fl,
				  const struct rt6_info *rt, const struct ipcm6_cookie *ipc6,
				  u32 hlen, u32 length, u32 piece)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	u32 mtu = ip6_sk_mtu(sk, rt);
	bool whole = ipc6->dontfrag || np->pmtudisc == IPV6_PMTUDISC_DO ||
		     np->pmtudisc == IPV6_PMTUDISC_PROBE || np->pmtudisc == IPV6_PMTUDISC_INTERFACE;

	if (hlen - sizeof(struct ipv6_hdr) + length > IP6_MAX_PAYLOAD) {
		ipv6_local_error(sk, EMSGSIZE, fl, mtu);
		return -EMSGSIZE;
	}
	if (!whole || hlen + piece <= mtu)
		return 0;
	if (ipc6->dontfrag)
		ipv6_local_rxpmtu(sk, fl, mtu);
	ipv6_local_error(sk, EMSGSIZE, fl, mtu);
	return -EMSGSIZE;
}

struct sk_buff *ip6_make_skb(struct sock *sk, const struct flowi6 *fl, struct iov_iter *from,
			     u32 length, u32 transhdrlen, struct rt6_info **rtp, u32 flags,
			     const struct ipcm6_cookie *ipc6, int *ret_err)
{
	struct net *net = sock_net(sk);
	struct rt6_info *rt = *rtp;
	const struct ipv6_txoptions *opt = ipc6->opt;
	u32 hlen = (u32)sizeof(struct ipv6_hdr) + (opt ? opt->opt_flen + opt->opt_nflen : 0u);
	u32 data = length - transhdrlen, truesize;
	bool linear = length <= IP6_LINEAR_MAX, multicast = ipv6_addr_is_multicast(&fl->daddr);
	struct sk_buff *skb;
	be32 info;
	s64 n;

	/* What will be cut must fit piece by piece. */
	*ret_err = ip6_check_datagram_len(
		sk, fl, rt, ipc6, hlen, length,
		ipc6->gso_size && data > ipc6->gso_size ? transhdrlen + ipc6->gso_size : length);
	if (*ret_err)
		return NULL;
	skb = sock_alloc_send_skb(sk, MAX_HEADER + hlen + transhdrlen + (linear ? data : 0), 0,
				  flags & MSG_DONTWAIT, ret_err);
	if (!skb)
		return NULL;
	skb_reserve(skb, MAX_HEADER + hlen);
	if (linear) {
		u8 *to = skb_put(skb, length);

		n = (s64)copy_from_iter(to + transhdrlen, data, from);
	} else {
		skb_put(skb, transhdrlen);
		truesize = skb->truesize;
		n = skb_append_iter(skb, from, data, false);
		if (skb->destructor) /* the fragments are charged too */
			sk->sk_wmem_alloc += skb->truesize - truesize;
	}
	if (n != (s64)data) {
		*ret_err = n < 0 ? (int)n : -EFAULT;
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NULL;
	}
	info = ip6_flow_flowinfo(net, sk, fl);
	if (ipc6->tclass >= 0)
		info = ip6_flowinfo((u8)ipc6->tclass, info);
	ip6_push_header(skb, fl, opt, info,
			ipc6->hlimit >= 0 ? (u8)ipc6->hlimit
					  : ip6_select_hop_limit(sk, rt, multicast));
	skb->priority = ipc6->sockc.priority;
	sock_tx_timestamp(sk, skb, &ipc6->sockc);
	skb->mark = ipc6->sockc.mark;
	skb_dst_set(skb, &rt->dst);
	*rtp = NULL;
	return skb;
}

int ip6_send_skb(struct net *net, struct sk_buff *skb)
{
	return ip6_local_out(net, skb->sk, skb);
}

/* ---- to the link ----------------------------------------------------------------------------------------------- */

static struct neighbour *ip6_dst_neigh(struct rt6_info *rt, const struct in6_addr *nexthop)
{
	struct neighbour *n = rt->dst.neigh;

	if (likely(n && !n->dead))
		return n;
	if (n) {
		rt->dst.neigh = NULL;
		neigh_release(n);
	}
	return rt->dst.ops->neigh_lookup(&rt->dst, nexthop);
}

static int ip6_mc_loopback(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dev_loopback_xmit(skb);
}

/* A group: a copy for ourselves (RFC 3493 5.2), unless the socket does not want it, or the stack says it on the link without having
 * asked for a route (rt6_link_dst()): ND and MLD are for the others. False: it goes no further, and was consumed. */
static bool ip6_finish_multicast(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct net_device *dev = skb->dst->dev;
	const struct ipv6_pinfo *np = sk && sk->sk_family == AF_INET6 ? inet6_sk(sk) : NULL;
	struct sk_buff *copy;

	if (!(dev->flags & IFF_LOOPBACK) && (!np || np->mc_loop) && skb_rt6_info(skb)->from &&
	    ipv6_chk_mcast_addr(dev, &h->daddr, &h->saddr)) {
		copy = skb_clone(skb);
		if (copy) {
			dst_hold(skb->dst);
			skb_dst_set(copy, skb->dst);
			NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_POST_ROUTING, net, sk, copy, NULL, dev,
				ip6_mc_loopback);
		}
		if (h->hop_limit == 0) {
			NET_INC_STATS(net, MIB_Ip6_OutDiscards);
			consume_skb(skb);
			return false;
		}
	}
	NET_INC_STATS(net, MIB_Ip6_OutMcastPkts);
	NET_ADD_STATS(net, MIB_Ip6_OutMcastOctets, skb->len);
	/* RFC 4291 2.7: scope 1 does not leave the interface. */
	if ((h->daddr.s6_addr[1] & 15) <= 1 && !(dev->flags & IFF_LOOPBACK)) {
		consume_skb(skb);
		return false;
	}
	return true;
}

static __inlined int __ip6_finish_output2(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct rt6_info *rt = skb_rt6_info(skb);
	struct net_device *dev = rt->dst.dev;
	u32 room = dev->hard_header_len + dev->needed_headroom;
	struct neighbour *n;
	bool keep;
	int ret;

	if (unlikely(skb_headroom(skb) < room && dev->header_ops) && skb_cow_head(skb, room)) {
		NET_INC_STATS(net, MIB_Ip6_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return -ENOMEM;
	}
	if (ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr) && !ip6_finish_multicast(net, sk, skb))
		return 0;
	n = ip6_dst_neigh(rt, rt6_nexthop(rt, &ipv6_hdr(skb)->daddr));
	if (unlikely(!n)) {
		NET_INC_STATS(net, MIB_Ip6_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_NEIGH_CREATEFAIL);
		return -ENOBUFS;
	}
	trace_skb(skb, net, TP_ip6_finish_output2, TRACE_PASS, dev->ifindex, 0);
	if (skb->dst_pending_confirm) {
		skb->dst_pending_confirm = 0;
		neigh_confirm(n);
	}
	keep = rt->dst.neigh == n;
	if (!keep && !rt->dst.obsolete &&
	    (!ipv6_addr_any(&rt->rt6i_gateway) || (dev->flags & IFF_LOOPBACK))) {
		rt->dst.neigh = n; /* takes over the reference */
		keep = true;
	}
	/* If it is kept, the dst may go with the packet, and with the dst the neighbour: it is not touched then. */
	ret = neigh_output(n, skb);
	if (unlikely(!keep))
		neigh_release(n);
	return ret;
}

static int ip6_finish_output2(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return __ip6_finish_output2(net, sk, skb);
}

/* One packet of a list that was cut here: the list ends with the first that fails, the others are tried all the same. */
static int ip6_finish_output_gso(struct net *net, struct sock *sk, struct sk_buff *skb, u32 mtu)
{
	struct sk_buff *segs, *next;
	int ret = 0, err = 0;

	skb_reset_mac_header(skb); /* no link-layer header yet: segments begin at the IPv6 header */
	segs = skb_gso_segment(skb, 0, &err);
	if (!segs) {
		NET_INC_STATS(net, MIB_Ip6_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_GSO);
		return err ? err : -ENOMEM;
	}
	consume_skb(skb);
	for (; segs; segs = next) {
		next = segs->next;
		segs->next = NULL;
		err = segs->len > mtu ? ip6_fragment(net, sk, segs, ip6_finish_output2)
				      : ip6_finish_output2(net, sk, segs);
		if (err && !ret)
			ret = err;
	}
	return ret;
}

u32 ip6_wire_len(const struct sk_buff *skb)
{
	u32 headers, thlen = 8;

	if (!skb_is_gso(skb))
		return skb->len;
	headers = (u32)(skb->transport_header - skb->network_header);
	if (skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6)
		thlen = (u32)(skb_transport_header(skb)[12] >> 4) * 4;
	return headers + thlen + skb_shinfo(skb)->gso_size;
}

/* What the packet must fit: the path's MTU, or what the socket says. */
static u32 ip6_skb_mtu(const struct sock *sk, const struct sk_buff *skb)
{
	const struct rt6_info *rt = skb_rt6_info(skb);

	if (sk && sk->sk_family == AF_INET6 && !(IP6CB(skb)->flags & IP6SKB_FORWARDED))
		return ip6_sk_mtu(sk, rt);
	return IP6CB(skb)->flags & IP6SKB_FORWARDED ? rt6_link_mtu(rt) : ip6_rt_mtu(rt);
}

static int ip6_finish_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	u32 mtu = ip6_skb_mtu(sk, skb);

	trace_skb(skb, net, TP_ip6_finish_output, TRACE_PASS, mtu, 0);
	if (likely(ip6_wire_len(skb) <= mtu))
		return __ip6_finish_output2(net, sk, skb);
	return skb_is_gso(skb) ? ip6_finish_output_gso(net, sk, skb, mtu)
			       : ip6_fragment(net, sk, skb, ip6_finish_output2);
}

int ip6_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct net_device *dev = skb->dst->dev, *in = skb->dev;
	const struct inet6_dev *idev = __in6_dev_get(dev);

	NET_INC_STATS(net, MIB_Ip6_OutTransmits);
	if (!(IP6CB(skb)->flags & IP6SKB_FORWARDED))
		NET_ADD_STATS(net, MIB_Ip6_OutOctets, skb->len);
	skb->dev = dev;
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	if (unlikely(!idev || idev->cnf.disable_ipv6)) {
		NET_INC_STATS(net, MIB_Ip6_OutDiscards);
		kfree_skb_reason(skb, SKB_DROP_IP6_DISABLED);
		return 0;
	}
	trace_skb(skb, net, TP_ip6_output, TRACE_PASS, dev->ifindex, 0);
	return NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_POST_ROUTING, net, sk, skb, in, dev,
		       ip6_finish_output);
}

/* ---- routes that lead nowhere ------------------------------------------------------------------------------- */

int ip6_pkt_discard(struct sk_buff *skb)
{
	struct rt6_info *rt = skb_rt6_info(skb);
	struct net *net = rt->net;

	if (rt->dst.error == -EINVAL) { /* blackhole */
		kfree_skb_reason(skb, SKB_DROP_IP6_BLACKHOLE);
		return 0;
	}
	NET_INC_STATS(net, MIB_Ip6_InNoRoutes);
	if (rt->dst.error == -EACCES)
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADM_PROHIBITED, 0);
	else
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_NOROUTE, 0);
	kfree_skb_reason(skb, SKB_DROP_IP6_IN_NOROUTE);
	return 0;
}

int ip6_pkt_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	int err = skb->dst->error;

	(void)sk;
	NET_INC_STATS(net, MIB_Ip6_OutNoRoutes);
	kfree_skb_reason(skb, SKB_DROP_IP6_OUT_NOROUTE);
	return err ? err : -ENETUNREACH;
}

/* ---- fragments ------------------------------------------------------------------------------------------------- */

u32 ip6_find_1stfragopt(const struct sk_buff *skb, u32 *ret_nexthdr_off)
{
	const u8 *nh = skb_network_header(skb);
	u32 limit = (u32)(skb_tail_pointer(skb) - nh), off = sizeof(struct ipv6_hdr);
	u32 at = offsetof(struct ipv6_hdr, nexthdr), next;
	bool routed = false;

	/* RFC 8200 4.5: hop-by-hop, destination options that a routing header follows, and that one are repeated. */
	for (;;) {
		u8 type = nh[at];

		*ret_nexthdr_off = at;
		if (type != IPPROTO_HOPOPTS && type != IPPROTO_ROUTING && type != IPPROTO_DSTOPTS)
			return off;
		if (off + 8 > limit)
			return 0;
		if (type == IPPROTO_DSTOPTS && (routed || nh[off] != IPPROTO_ROUTING))
			return off;
		routed |= type == IPPROTO_ROUTING;
		next = off + ((u32)nh[off + 1] + 1) * 8;
		if (next > limit)
			return 0;
		at = off;
		off = next;
	}
}

static u32 ip6_select_ident(struct net *net, const struct ipv6_hdr *h)
{
	u64 words[4], sum;
	u32 id;

	memcpy(words, &h->saddr, 16);
	memcpy(words + 2, &h->daddr, 16);
	sum = siphash_2u64(siphash_2u64(words[0], words[1], net->machine->hash_seed) ^ words[2],
			   words[3], net->machine->hash_seed);
	id = (u32)sum + ++net->ipv6->ident_counter;
	return id ? id : 1;
}

struct frag_hdr { /* RFC 8200 4.5 */
	u8 nexthdr, reserved;
	be16 frag_off; /* octets (a multiple of 8), bit 0: more follow */
	be32 identification;
} __packed __attribute__((aligned(4)));

static void ip6_copy_metadata(struct sk_buff *to, const struct sk_buff *from)
{
	inet_frag_copy_metadata(to, from);
	*IP6CB(to) = *IP6CB(from);
	IP6CB(to)->flags |= IP6SKB_FRAGMENTED;
}

int ip6_fragment(struct net *net, struct sock *sk, struct sk_buff *skb,
		 int (*output)(struct net *, struct sock *, struct sk_buff *))
{
	u32 mtu = ip6_skb_mtu(sk, skb), at, hlen = ip6_find_1stfragopt(skb, &at), room, off, total,
	    len;
	struct frag_hdr fh = { .identification =
				       cpu_to_be32(ip6_select_ident(net, ipv6_hdr(skb))) };
	int err = -EMSGSIZE;
	u8 nexthdr;

	if (!hlen || mtu < hlen + sizeof(fh) + 8)
		goto fail;
	/* A checksum over the whole cannot be left to a device that sees pieces. */
	if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
		err = -ENOMEM;
		goto fail;
	}
	nexthdr = skb_network_header(skb)[at];
	fh.nexthdr = nexthdr;
	room = (mtu - hlen - (u32)sizeof(fh)) & ~7u;
	total = skb->len;
	for (off = hlen; off < total; off += len) {
		struct sk_buff *frag;
		u8 *p;

		len = min(room, total - off);
		frag = inet_frag_piece(skb, hlen + (u32)sizeof(fh), off, len);
		if (!frag) {
			err = -ENOMEM;
			goto fail;
		}
		if (skb->sk && skb->destructor == sock_wfree)
			skb_set_owner_w(frag, skb->sk);
		ip6_copy_metadata(frag, skb);
		fh.frag_off = cpu_to_be16((u16)((off - hlen) | (off + len < total)));
		skb_reset_transport_header(frag);
		p = skb_push(frag, hlen + (u32)sizeof(fh));
		skb_reset_network_header(frag);
		memcpy(p, skb_network_header(skb), hlen);
		memcpy(p + hlen, &fh, sizeof(fh));
		p[at] = IPPROTO_FRAGMENT;
		ipv6_hdr(frag)->payload_len =
			cpu_to_be16((u16)(frag->len - sizeof(struct ipv6_hdr)));
		NET_INC_STATS(net, MIB_Ip6_FragCreates);
		if (unlikely(frag->cpu->trace_on))
			__trace_skb(frag, net, TP_ip6_fragment, TRACE_CREATE, 0, skb->id,
				    off - hlen, skb->id);
		err = output(net, sk, frag);
		if (err)
			goto fail;
	}
	NET_INC_STATS(net, MIB_Ip6_FragOKs);
	consume_skb(skb);
	return 0;

fail:
	NET_INC_STATS(net, MIB_Ip6_FragFails);
	kfree_skb_reason(skb,
			 err == -EMSGSIZE ? SKB_DROP_IP6_PKT_TOO_BIG : SKB_DROP_IP6_FRAG_FAILED);
	return err;
}
