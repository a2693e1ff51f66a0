/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_input.c - IPv6 packets on their way in
 *
 * Theory of operation
 *   ipv6_rcv()          checks the header, looks at hop-by-hop options; PRE_ROUTING hook
 *   ip6_rcv_finish()    early demux; routes: skb->dst says whether it goes up or on
 *   dst_input()         ip6_input(), ip6_mc_input(), ip6_forward(), or ip6_pkt_discard()
 *   ip6_input()         LOCAL_IN hook; then the chain of extension headers, one after the other, up to the transport
 *
 *   ipv6_list_rcv() does the same for several packets, step by step: all headers, all hooks, all routes; then those with one destination
 *   after the other. A packet with the addresses of the one before it takes over its route.
 *
 *   From ipv6_rcv() on the network header stands at the fixed header, data too, and the transport header behind what was looked at:
 *   the fixed header and hop-by-hop options. IP6CB(skb)->nhoff is where the type of what follows the transport header's place is
 *   written; each extension header moves it on. A transport's handler gets data at its own header.
 *   Context: NET_RX softirq, cpu lock. Everything here consumes its skb.
 * See RFC 8200, RFC 4291 2.5.3 and 2.7 (addresses that must not arrive).
 */
#include "ipv6/ipv6_internal.h"

#include <errno.h>

#include "core/net_group.h"
#include "core/nf_hook.h"
#include "inet/inet_hashtables.h"
#include "core/trace.h"
#include "wire/icmpv6.h"

int inet6_add_protocol(struct net *net, u8 protocol, const struct net_protocol *p)
{
	assert(p->handler);
	if (net->ipv6->protos[protocol])
		return -EEXIST;
	net->ipv6->protos[protocol] = p;
	return 0;
}

void inet6_del_protocol(struct net *net, u8 protocol)
{
	if (net->ipv6)
		net->ipv6->protos[protocol] = NULL;
}

/* ---- up to the transport --------------------------------------------------------------------------------- */

/* Nobody has @nexthdr (RFC 8200 4): unless it says "nothing follows", its sender is told where it stands. */
static void ip6_no_protocol(struct net *net, struct sk_buff *skb, u8 nexthdr, bool raw)
{
	if (raw || nexthdr == IPPROTO_NONE) {
		NET_INC_STATS(net, MIB_Ip6_InDelivers);
		consume_skb(skb);
		return;
	}
	NET_INC_STATS(net, MIB_Ip6_InUnknownProtos);
	icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_UNK_NEXTHDR, IP6CB(skb)->nhoff);
	kfree_skb_reason(skb, SKB_DROP_IP6_NOPROTO);
}

static int ip6_input_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	const struct net_protocol *p;
	bool raw;
	int next;

	(void)sk;
	__skb_pull(skb, skb_network_header_len(skb));
	for (;;) {
		next = skb_network_header(skb)[IP6CB(skb)->nhoff];
		raw = unlikely(net->ipv6->nr_raw) && raw6_local_deliver(net, skb, (u8)next);
		if (!ipv6_ext_hdr((u8)next))
			break;
		if (ipv6_exthdr_rcv(&skb, (u8)next) < 0)
			return 0;
		if (next == IPPROTO_FRAGMENT && unlikely(skb->dev->shards) && net_steer_whole(skb))
			return 0;
	}
	p = net->ipv6->protos[next];
	if (unlikely(!p)) {
		ip6_no_protocol(net, skb, (u8)next, raw);
		return 0;
	}
	NET_INC_STATS(net, MIB_Ip6_InDelivers);
	p->handler(skb);
	return 0;
}

int ip6_input(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;

	trace_skb(skb, net, TP_ip6_input, TRACE_PASS, ipv6_hdr(skb)->nexthdr, 0);
	return NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_LOCAL_IN, net, NULL, skb, skb->dev, NULL,
		       ip6_input_finish);
}

int ip6_mc_input(struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct net *net = skb->dev->net;

	NET_INC_STATS(net, MIB_Ip6_InMcastPkts);
	NET_ADD_STATS(net, MIB_Ip6_InMcastOctets, skb->len);
	if (ipv6_chk_mcast_addr(skb->dev, &h->daddr, ipv6_is_mld(skb) ? NULL : &h->saddr))
		return ip6_input(skb);
	NET_INC_STATS(net, MIB_Ip6_InDiscards);
	kfree_skb_reason(skb, SKB_DROP_IP6_MULTICAST_NOT_JOINED);
	return 0;
}

/* ---- routing --------------------------------------------------------------------------------------------- */

/* As ip_early_demux() of IPv4. With extension headers nobody looks. */
static __attribute__((noinline)) void ip6_early_demux(struct net *net, struct sk_buff *skb)
{
	const struct net_protocol *p = net->ipv6->protos[ipv6_hdr(skb)->nexthdr];

	if (!p || !p->early_demux)
		return;
	p->early_demux(skb);
	if (skb->sk)
		ip6_route_input_sk(skb);
}

/* Routes. @hint: a packet that went this way just before, which may have the answer; or NULL. False: consumed. */
static __inlined bool ip6_rcv_finish_core(struct net *net, struct sk_buff *skb,
					  const struct sk_buff *hint)
{
	skb_drop_reason_t reason = 0;

	/* What comes back over loopback brings the dst it was sent with. */
	if (!skb->dst && !(hint && ip6_route_use_hint(skb, hint))) {
		if (inet_wants_early_demux(net))
			ip6_early_demux(net, skb);
		if (!skb->dst) {
			reason = ip6_route_input(skb);
			if (!reason && skb->sk)
				ip6_route_remember(skb);
		}
	}
	if (unlikely(reason)) {
		kfree_skb_reason(skb, reason);
		return false;
	}
	trace_skb(skb, net, TP_ip6_rcv_finish, TRACE_PASS, skb_rt6_info(skb)->rt6i_type, 0);
	return true;
}

static int ip6_rcv_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	(void)sk;
	return ip6_rcv_finish_core(net, skb, NULL) ? dst_input(skb) : 0;
}

/* All of @list go to the same destination. */
static void ip6_sublist_rcv_finish(struct skb_list *list)
{
	struct sk_buff *skb;

	while ((skb = skb_list_take(list)))
		dst_input(skb);
}

static void ip6_list_rcv_finish(struct net *net, struct skb_list *list)
{
	struct sk_buff *skb, *hint = NULL;
	struct dst_entry *dst = NULL;
	struct skb_list sub;

	skb_list_init(&sub);
	while ((skb = skb_list_take(list))) {
		bool routed = !skb->dst;

		if (!ip6_rcv_finish_core(net, skb, hint))
			continue;
		/* A hint is in @sub: nothing has been delivered, and so nothing has changed, since it was routed. */
		if (skb->dst != dst) {
			ip6_sublist_rcv_finish(&sub);
			dst = skb->dst;
			hint = NULL;
		}
		/* What a socket knows is for its packets. */
		if (routed && !skb->sk)
			hint = skb;
		skb_list_add(&sub, skb);
	}
	ip6_sublist_rcv_finish(&sub);
}

/* ---- the header ------------------------------------------------------------------------------------------ */

/* Addresses that must not come in by this device. */
static __inlined skb_drop_reason_t ipv6_rcv_check_addrs(const struct ipv6_hdr *h,
							const struct net_device *dev, u8 pkt_type)
{
	bool lo = dev->flags & IFF_LOOPBACK;

	/* RFC 4291 2.5.3: never outside of a node. What an own device looped back has been checked when it left. */
	if (!lo && (IN6_IS_ADDR_LOOPBACK(&h->saddr) || IN6_IS_ADDR_LOOPBACK(&h->daddr)))
		return SKB_DROP_IP6_LOOPBACK;
	/* RFC 4291 2.7: a group is no source. Mapped addresses stand for IPv4 in programs, not on the wire: whoever sent one could
	 * pass for 127.0.0.1. */
	if (ipv6_addr_is_multicast(&h->saddr) || ipv6_addr_v4mapped(&h->saddr))
		return SKB_DROP_IP6_MARTIAN_SOURCE;
	if (!ipv6_addr_is_multicast(&h->daddr)) {
		/* RFC 1122 3.3.6 in spirit: a unicast packet in a link-layer multicast is no accident. */
		if (unlikely(pkt_type == SKB_PACKET_BROADCAST ||
			     pkt_type == SKB_PACKET_MULTICAST) &&
		    __in6_dev_get(dev)->cnf.drop_unicast_in_l2_multicast)
			return SKB_DROP_IP6_UNICAST_IN_L2_MULTICAST;
		return 0;
	}
	/* RFC 4291 2.7: scope 0 is reserved; scope 1 (interface-local) stays inside. */
	if ((h->daddr.s6_addr[1] & 15) == 0 ||
	    (!lo && pkt_type != SKB_PACKET_LOOPBACK && (h->daddr.s6_addr[1] & 15) == 1))
		return SKB_DROP_IP6_MARTIAN_DEST;
	return 0;
}

/* Cuts what the link padded. The sum of the whole frame is of no use any more then. */
static skb_drop_reason_t ipv6_rcv_trim(struct sk_buff *skb, u32 len)
{
	if (likely(skb->len == len))
		return 0;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return pskb_trim(skb, len) ? SKB_DROP_NOMEM : 0;
}

static __inlined skb_drop_reason_t ipv6_rcv_check(struct sk_buff *skb, struct net *net)
{
	/* By the two ECN bits: RFC 3168 5 */
	static const u16 ecn_counter[4] = { MIB_Ip6_InNoECTPkts, MIB_Ip6_InECT1Pkts,
					    MIB_Ip6_InECT0Pkts, MIB_Ip6_InCEPkts };
	const struct ipv6_hdr *h;
	skb_drop_reason_t reason;
	u32 len;

	if (!pskb_may_pull(skb, sizeof(*h)))
		return SKB_DROP_IP6_HDR_SHORT;
	h = ipv6_hdr(skb);
	if (be32_to_cpu(h->ver_tc_flow) >> 28 != 6)
		return SKB_DROP_IP6_VERSION;
	NET_INC_STATS(net, ecn_counter[ipv6_get_dsfield(h) & 3]);
	reason = ipv6_rcv_check_addrs(h, skb->dev, skb->pkt_type);
	if (reason)
		return reason;
	len = be16_to_cpu(h->payload_len);
	/* RFC 2675: a payload length of 0 with a hop-by-hop header would be a jumbogram; exthdrs.c refuses those. */
	if (len || h->nexthdr != IPPROTO_HOPOPTS) {
		if (len + sizeof(*h) > skb->len)
			return SKB_DROP_IP6_TRUNCATED;
		reason = ipv6_rcv_trim(skb, len + sizeof(*h));
		if (reason)
			return reason;
	}
	skb_set_transport_header(skb, sizeof(*h));
	IP6CB(skb)->nhoff = offsetof(struct ipv6_hdr, nexthdr);
	if (likely(ipv6_hdr(skb)->nexthdr != IPPROTO_HOPOPTS))
		return 0;
	reason = ipv6_parse_hopopts(skb);
	if (reason || len)
		return reason;
	/* RFC 2675 3: no length, and no jumbo payload option that would explain it */
	icmpv6_send(skb, ICMPV6_PARAMPROB, ICMPV6_HDR_FIELD,
		    offsetof(struct ipv6_hdr, payload_len));
	return SKB_DROP_IP6_TRUNCATED;
}

static void ipv6_rcv_count(struct net *net, skb_drop_reason_t reason)
{
	switch (reason) {
	case SKB_DROP_IP6_TRUNCATED:
		NET_INC_STATS(net, MIB_Ip6_InTruncatedPkts);
		break;
	case SKB_DROP_NOMEM:
		NET_INC_STATS(net, MIB_Ip6_InDiscards);
		break;
	default:
		NET_INC_STATS(net, MIB_Ip6_InHdrErrors);
	}
}

/* Addresses are read as words: a packet that a driver put at an odd place is moved down to the next even one. 0 or -ENOMEM */
static int ipv6_rcv_align(struct sk_buff *skb)
{
	u32 k, before;

	if (likely(!((uintptr_t)skb->data & 3)))
		return 0;
	if (skb_cow_head(skb, 4))
		return -ENOMEM;
	k = (uintptr_t)skb->data & 3;
	before = skb_mac_header_was_set(skb) ? (u32)(skb->data - skb_mac_header(skb)) : 0;
	if (!k || before + k > skb_headroom(skb))
		return k ? -ENOMEM : 0;
	memmove(skb->data - before - k, skb->data - before, before + skb_headlen(skb));
	if (skb_mac_header_was_set(skb))
		skb->mac_header = (u16)(skb->mac_header - k);
	skb->data -= k;
	skb->tail -= k;
	return 0;
}

/* The packet with a good header, its own and nobody else's; NULL: consumed. */
static __inlined struct sk_buff *ip6_rcv_core(struct sk_buff *skb, struct net *net,
					      const struct net_device *dev)
{
	const struct inet6_dev *idev = __in6_dev_get(dev);
	skb_drop_reason_t reason;
	struct inet6_skb_parm *cb;

	if (skb->pkt_type == SKB_PACKET_OTHERHOST) {
		kfree_skb_reason(skb, SKB_DROP_OTHERHOST);
		return NULL;
	}
	NET_INC_STATS(net, MIB_Ip6_InReceives);
	NET_ADD_STATS(net, MIB_Ip6_InOctets, skb->len);
	if (!idev || idev->cnf.disable_ipv6) {
		NET_INC_STATS(net, MIB_Ip6_InDiscards);
		kfree_skb_reason(skb, SKB_DROP_IP6_DISABLED);
		return NULL;
	}
	skb = skb_share_check(skb);
	if (!skb) {
		NET_INC_STATS(net, MIB_Ip6_InDiscards);
		return NULL;
	}
	if (ipv6_rcv_align(skb)) {
		NET_INC_STATS(net, MIB_Ip6_InDiscards);
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NULL;
	}
	skb_reset_network_header(skb);
	cb = IP6CB(skb);
	memset(cb, 0, sizeof(*cb));
	/* What we sent to an own address comes back by loopback, but belongs to the link that has the address (RFC 4007 6). */
	cb->iif = unlikely(skb->dst && skb_rt6_info(skb)->from)
			  ? skb_rt6_info(skb)->from->dev->ifindex
			  : dev->ifindex;
	reason = ipv6_rcv_check(skb, net);
	if (unlikely(reason)) {
		ipv6_rcv_count(net, reason);
		kfree_skb_reason(skb, reason);
		return NULL;
	}
	skb_orphan(skb);
	trace_skb(skb, net, TP_ipv6_rcv, TRACE_PASS, skb->len, ipv6_hdr(skb)->nexthdr);
	return skb;
}

void ipv6_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	struct net *net = dev->net;

	(void)pt;
	skb = ip6_rcv_core(skb, net, dev);
	if (likely(skb))
		NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL,
			ip6_rcv_finish);
}

void ipv6_list_rcv(struct skb_list *list, struct net_device *dev, const struct packet_type *pt)
{
	struct net *net = dev->net;
	struct skb_list good;
	struct sk_buff *skb;

	(void)pt;
	skb_list_init(&good);
	while ((skb = skb_list_take(list))) {
		skb = ip6_rcv_core(skb, net, dev);
		if (likely(skb))
			skb_list_add(&good, skb);
	}
	NF_HOOK_LIST(NFPROTO_INDEX_IPV6, NF_INET_PRE_ROUTING, net, &good, dev, ip6_rcv_finish);
	ip6_list_rcv_finish(net, &good);
}
