/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_input.c - IPv4 packets on their way in
 *
 * Theory of operation
 *   ip_rcv()            checks the header; PRE_ROUTING hook
 *   ip_rcv_finish()     early demux; routes: skb->dst says whether it goes up or on; options
 *   dst_input()         ip_local_deliver(), ip_forward(), or ip_error()
 *   ip_local_deliver()  reassembly (ip_fragment.c); LOCAL_IN hook; then the transport protocol's handler
 *
 *   ip_list_rcv() does the same for several packets, step by step: all headers, all hooks, all routes; then those with one destination after
 *   the other. A packet with the addresses of the one before it takes over its route.
 *
 *   From ip_rcv() on data is at the IP header and the transport header is set behind its options; the handler gets data at
 *   the transport header. IPCB holds the device of arrival.
 *   Context: NET_RX softirq, cpu lock. Everything here consumes its skb.
 * See RFC 791, RFC 1122 3.2, RFC 1812 5.2.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>

#include "core/net_group.h"
#include "core/nf_hook.h"
#include "inet/inet_hashtables.h"
#include "wire/icmp.h"

int inet_add_protocol(struct net *net, u8 protocol, const struct net_protocol *p)
{
	if (net->ipv4->protos[protocol])
		return -EEXIST;
	assert(p->handler);
	net->ipv4->protos[protocol] = p;
	return 0;
}

void inet_del_protocol(struct net *net, u8 protocol)
{
	if (net->ipv4)
		net->ipv4->protos[protocol] = NULL;
}

/* ---- up to the transport --------------------------------------------------------------------------------- */

static int ip_local_deliver_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	u8 protocol = ip_hdr(skb)->protocol;
	const struct net_protocol *p;
	bool raw;

	__skb_pull(skb, skb_network_header_len(skb));
	raw = unlikely(net->ipv4->nr_raw) && net->ipv4->raw_deliver(net, skb, protocol);
	p = net->ipv4->protos[protocol];
	if (likely(p)) {
		NET_INC_STATS(net, MIB_Ip_InDelivers);
		p->handler(skb);
		return 0;
	}
	if (raw) {
		NET_INC_STATS(net, MIB_Ip_InDelivers);
		consume_skb(skb);
		return 0;
	}
	NET_INC_STATS(net, MIB_Ip_InUnknownProtos);
	icmp_send(skb, ICMP4_DEST_UNREACH, ICMP4_PROT_UNREACH, 0);
	kfree_skb_reason(skb, SKB_DROP_IP_NOPROTO);
	return 0;
}

int ip_local_deliver(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;

	trace_skb(skb, net, TP_ip_local_deliver, TRACE_PASS, ip_hdr(skb)->protocol, 0);
	if (unlikely(ip_is_fragment(ip_hdr(skb)))) {
		skb = ip_defrag(net, skb, IP_DEFRAG_LOCAL_DELIVER);
		if (!skb || (unlikely(skb->dev->shards) && net_steer_whole(skb)))
			return 0;
	}
	return NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_LOCAL_IN, net, NULL, skb, skb->dev, NULL,
		       ip_local_deliver_finish);
}

/* ---- routing --------------------------------------------------------------------------------------------- */

static __inlined skb_drop_reason_t ip_rcv_classify(struct sk_buff *skb, struct net *net)
{
	const struct rtable *rt = skb_rtable(skb);

	if (rt->rt_type == RTN_MULTICAST) {
		NET_INC_STATS(net, MIB_IpExt_InMcastPkts);
		NET_ADD_STATS(net, MIB_IpExt_InMcastOctets, skb->len);
	} else if (rt->rt_type == RTN_BROADCAST) {
		NET_INC_STATS(net, MIB_IpExt_InBcastPkts);
		NET_ADD_STATS(net, MIB_IpExt_InBcastOctets, skb->len);
	} else if (unlikely(skb->pkt_type == SKB_PACKET_BROADCAST ||
			    skb->pkt_type == SKB_PACKET_MULTICAST)) {
		const struct in_device *in_dev = in_dev_get(skb->dev);

		/* RFC 1122 3.3.6 says such a packet should be dropped; it is an option here, as in Linux. */
		if (in_dev && IN_DEV_ORCONF(in_dev, drop_unicast_in_l2_multicast))
			return SKB_DROP_IP_UNICAST_IN_L2_MULTICAST;
	}
	return 0;
}

/*
 * All packets for us that come in by a device have the same rtable, which lives until routes, addresses or settings change: so its
 * number says all that a connection has to remember, and no reference is held. Rules may want to see each packet's mark and type of
 * service; they do, unlike in Linux.
 */
static __inlined void ip_route_input_sk(struct sk_buff *skb)
{
	struct in_device *in_dev = in_dev_get(skb->dev);
	struct rtable *rt;

	if (unlikely(!in_dev || in_dev->net->ipv4->fib_has_custom_rules))
		return;
	rt = in_dev->rt_cache[IN_RT_LOCAL_IN];
	if (likely(rt && rt->rt_id == inet_sk(skb->sk)->rx_dst_id && rt_valid(rt))) {
		dst_hold(&rt->dst);
		skb_dst_set(skb, &rt->dst);
	}
}

static void ip_route_remember(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

	inet_sk(skb->sk)->rx_dst_id = rt->rt_type == RTN_LOCAL ? rt->rt_id : 0;
}

/*
 * The socket first, the route then: a connection's packets all come the same way, and its socket remembers which that is. Other packets are
 * looked up here in vain, as far as there are sockets at all.
 */
static __attribute__((noinline)) void ip_early_demux(struct net *net, struct sk_buff *skb,
						     const struct ip_hdr *iph)
{
	const struct net_protocol *p = net->ipv4->protos[iph->protocol];

	if (!p || !p->early_demux || ip_is_fragment(iph))
		return;
	p->early_demux(skb);
	if (skb->sk)
		ip_route_input_sk(skb);
}

/* Routes and looks at options. @hint: a packet that went this way just before, which may have the answer; or NULL. False: consumed. */
static __inlined bool ip_rcv_finish_core(struct net *net, struct sk_buff *skb,
					 const struct sk_buff *hint)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	skb_drop_reason_t reason = 0;

	/* What comes back over loopback brings the dst it was sent with. */
	if (!skb->dst && !(hint && ip_route_use_hint(skb, hint))) {
		if (inet_wants_early_demux(net))
			ip_early_demux(net, skb, iph);
		if (!skb->dst) {
			reason = ip_route_input(skb, iph->daddr, iph->saddr, iph->tos, skb->dev);
			if (!reason && skb->sk)
				ip_route_remember(skb);
		}
	}
	if (!reason && unlikely(iph->ihl_version != 0x45))
		reason = ip_rcv_options(skb);
	if (!reason)
		reason = ip_rcv_classify(skb, net);
	if (unlikely(reason)) {
		kfree_skb_reason(skb, reason);
		return false;
	}
	trace_skb(skb, net, TP_ip_rcv_finish, TRACE_PASS, skb_rtable(skb)->rt_type, 0);
	return true;
}

static int ip_rcv_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return ip_rcv_finish_core(net, skb, NULL) ? dst_input(skb) : 0;
}

/* All of @list go to the same destination. */
static void ip_sublist_rcv_finish(struct skb_list *list)
{
	struct sk_buff *skb;

	while ((skb = skb_list_take(list)))
		dst_input(skb);
}

static void ip_list_rcv_finish(struct net *net, struct skb_list *list)
{
	struct sk_buff *skb, *hint = NULL;
	struct dst_entry *dst = NULL;
	struct skb_list sub;

	skb_list_init(&sub);
	while ((skb = skb_list_take(list))) {
		bool routed = !skb->dst;

		if (!ip_rcv_finish_core(net, skb, hint))
			continue;
		/* A hint is in @sub: nothing has been delivered, and so nothing has changed, since it was routed. */
		if (skb->dst != dst) {
			ip_sublist_rcv_finish(&sub);
			dst = skb->dst;
			hint = NULL;
		}
		/* A source route may have led to another dst than the addresses do, and what a socket knows is for its packets. */
		if (routed && !skb->sk && likely(ip_hdr(skb)->ihl_version == 0x45))
			hint = skb;
		skb_list_add(&sub, skb);
	}
	ip_sublist_rcv_finish(&sub);
}

/* ---- the header ------------------------------------------------------------------------------------------ */

/* Cuts what the link padded. The sum of the whole frame is of no use any more then. */
static skb_drop_reason_t ip_rcv_trim(struct sk_buff *skb, u32 len)
{
	if (likely(skb->len == len))
		return 0;
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return pskb_trim(skb, len) ? SKB_DROP_NOMEM : 0;
}

static __inlined skb_drop_reason_t ip_rcv_check(struct sk_buff *skb, struct net *net)
{
	/* By the two ECN bits: RFC 3168 5 */
	static const u16 ecn_counter[4] = { MIB_IpExt_InNoECTPkts, MIB_IpExt_InECT1Pkts,
					    MIB_IpExt_InECT0Pkts, MIB_IpExt_InCEPkts };
	const struct ip_hdr *iph;
	u32 hlen, len;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return SKB_DROP_IP_HDR_SHORT;
	iph = ip_hdr(skb);
	hlen = ip_hdr_len(iph);
	if (iph->ihl_version >> 4 != 4)
		return SKB_DROP_IP_VERSION;
	if (hlen < sizeof(*iph))
		return SKB_DROP_IP_IHL;
	NET_INC_STATS(net, ecn_counter[iph->tos & 3]);
	if (!pskb_may_pull(skb, hlen))
		return SKB_DROP_IP_HDR_SHORT;
	iph = ip_hdr(skb);
	if (!ipv4_csum_ok((const u8 *)iph, hlen)) {
		NET_INC_STATS(net, MIB_IpExt_InCsumErrors);
		return SKB_DROP_IP_CSUM;
	}
	len = be16_to_cpu(iph->tot_len);
	if (skb->len < len)
		return SKB_DROP_IP_TRUNCATED;
	if (len < hlen)
		return SKB_DROP_IP_TOT_LEN;
	skb_set_transport_header(skb, (int)hlen);
	return ip_rcv_trim(skb, len);
}

/* The packet with a good header, its own and nobody else's; NULL: consumed. */
static __inlined struct sk_buff *ip_rcv_core(struct sk_buff *skb, struct net *net,
					     const struct net_device *dev)
{
	skb_drop_reason_t reason;
	struct inet_skb_parm *cb;

	if (skb->pkt_type == SKB_PACKET_OTHERHOST) {
		kfree_skb_reason(skb, SKB_DROP_OTHERHOST);
		return NULL;
	}
	NET_INC_STATS(net, MIB_Ip_InReceives);
	NET_ADD_STATS(net, MIB_IpExt_InOctets, skb->len);
	skb = skb_share_check(skb);
	if (!skb) {
		NET_INC_STATS(net, MIB_Ip_InDiscards);
		return NULL;
	}
	skb_reset_network_header(skb);
	reason = ip_rcv_check(skb, net);
	if (unlikely(reason)) {
		NET_INC_STATS(net, reason == SKB_DROP_IP_TRUNCATED ? MIB_IpExt_InTruncatedPkts
				   : reason == SKB_DROP_NOMEM      ? MIB_Ip_InDiscards
								   : MIB_Ip_InHdrErrors);
		kfree_skb_reason(skb, reason);
		return NULL;
	}
	cb = IPCB(skb);
	memset(cb, 0, sizeof(*cb));
	cb->iif = dev->ifindex;
	skb_orphan(skb);
	trace_skb(skb, net, TP_ip_rcv, TRACE_PASS, skb->len, ip_hdr(skb)->protocol);
	return skb;
}

void ip_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	struct net *net = dev->net;

	skb = ip_rcv_core(skb, net, dev);
	if (likely(skb))
		NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_PRE_ROUTING, net, NULL, skb, dev, NULL,
			ip_rcv_finish);
}

void ip_list_rcv(struct skb_list *list, struct net_device *dev, const struct packet_type *pt)
{
	struct net *net = dev->net;
	struct skb_list good;
	struct sk_buff *skb;

	skb_list_init(&good);
	while ((skb = skb_list_take(list))) {
		skb = ip_rcv_core(skb, net, dev);
		if (likely(skb))
			skb_list_add(&good, skb);
	}
	NF_HOOK_LIST(NFPROTO_INDEX_IPV4, NF_INET_PRE_ROUTING, net, &good, dev, ip_rcv_finish);
	ip_list_rcv_finish(net, &good);
}
