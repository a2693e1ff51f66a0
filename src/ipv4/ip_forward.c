/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_forward.c - packets that only pass through
 *
 * ip_forward() checks what a router must check (RFC 1812 5.2.1, 5.3.1), takes one off the TTL, and passes the FORWARD hook;
 * ip_forward_finish() sends. Too big a packet is answered with "fragmentation needed" and the next link's MTU when it must
 * not be fragmented (RFC 1191 4), and cut by ip_finish_output() otherwise. A packet that goes back by
 * the link it came from earns its sender a redirect.
 * Context: NET_RX softirq, cpu lock. Consumes its skb.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>

#include "core/nf_hook.h"
#include "wire/icmp.h"
#include "wire/tcp.h"
#include "wire/udp.h"

/* Octets of the biggest wire packet that a merged packet becomes again. */
static u32 ip_wire_len(const struct sk_buff *skb)
{
	const struct skb_shared_info *si = skb_shinfo(skb);
	u32 hlen = ip_hdr_len(ip_hdr(skb)), thlen = sizeof(struct udp_hdr);

	if (!si->gso_size)
		return skb->len;
	if ((si->gso_type & SKB_GSO_TCPV4) && skb_headlen(skb) >= hlen + sizeof(struct tcp_hdr))
		thlen = tcp_hdr_len((const struct tcp_hdr *)(skb_network_header(skb) + hlen));
	return hlen + thlen + si->gso_size;
}

static int ip_forward_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	NET_INC_STATS(net, MIB_Ip_ForwDatagrams);
	if (unlikely(IPCB(skb)->opt_off))
		ip_forward_options(skb);
	skb->tstamp = 0;
	return dst_output(net, sk, skb);
}

/* RFC 2113: routers look at such a packet. */
static bool ip_has_router_alert(const struct sk_buff *skb)
{
	struct ipv4_opts_view o;

	return IPCB(skb)->opt_off &&
	       !ipv4_opts_parse((const u8 *)ip_hdr(skb), ip_hdr_len(ip_hdr(skb)), &o) &&
	       o.router_alert;
}

int ip_forward(struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);
	struct net *net = rt->net;
	skb_drop_reason_t reason;
	struct ip_hdr *iph;
	u32 mtu;

	/* RFC 1122 3.3.6, RFC 1812 5.3.4: what was broadcast on a link is not passed on to another. */
	if (skb->pkt_type != SKB_PACKET_HOST) {
		reason = SKB_DROP_IP_FORWARD_L2;
		goto discard;
	}
	if (unlikely(!list_empty(&net->ipv4->ra_chain)) && ip_has_router_alert(skb) &&
	    ip_call_ra_chain(net, skb))
		return 0;
	if (unlikely(ip_source_route_broken(skb))) {
		icmp_send(skb, ICMP4_DEST_UNREACH, ICMP4_SR_FAILED, 0);
		reason = SKB_DROP_IP_SOURCE_ROUTE_FAILED;
		goto discard;
	}
	/* Addressed to a connection whose address is no longer here (ip_early_demux()): it is nobody's then. */
	if (unlikely(skb->sk))
		skb_orphan(skb);
	iph = ip_hdr(skb);
	mtu = ip_rt_mtu_forward(rt);
	trace_skb(skb, net, TP_ip_forward, TRACE_PASS, iph->ttl, mtu);
	if (iph->ttl <= 1) {
		NET_INC_STATS(net, MIB_Ip_InHdrErrors);
		icmp_send(skb, ICMP4_TIME_EXCEEDED, 0, 0);
		reason = SKB_DROP_IP_TTL;
		goto discard;
	}
	IPCB(skb)->flags |= IPSKB_FORWARDED;
	if (ip_wire_len(skb) > mtu && (be16_to_cpu(iph->frag_off) & IP_F_DF)) {
		NET_INC_STATS(net, MIB_Ip_FragFails);
		icmp_send(skb, ICMP4_DEST_UNREACH, ICMP4_FRAG_NEEDED, mtu);
		reason = SKB_DROP_IP_PKT_TOO_BIG;
		goto discard;
	}
	/* The header will change, and the next link's header must fit. */
	if (skb_cow_head(skb, LL_MAX_HEADER)) {
		NET_INC_STATS(net, MIB_Ip_InDiscards);
		reason = SKB_DROP_NOMEM;
		goto discard;
	}
	/* Who gives the way wants no better one. */
	if (likely(!(IPCB(skb)->flags & IPSKB_SOURCE_ROUTED)))
		ip_rt_send_redirect(skb);
	ip_decrease_ttl(ip_hdr(skb));
	if (net->ipv4->ip_forward_update_priority)
		skb->priority = rt_tos2priority(ip_hdr(skb)->tos);
	/* A sum over the whole packet, old TTL included, is no help to the next device. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_FORWARD, net, NULL, skb, skb->dev, rt->dst.dev,
		       ip_forward_finish);

discard:
	kfree_skb_reason(skb, reason);
	return 0;
}
