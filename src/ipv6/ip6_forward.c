/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_forward.c - IPv6 packets that only pass through
 *
 * ip6_forward() checks what a router must check (RFC 8200 3, RFC 4291 2.5.6, RFC 4443), takes one off the hop limit, and passes the
 * FORWARD hook; ip6_forward_finish() sends. Routers do not fragment: too big a packet is answered with the next link's MTU
 * (RFC 8200 5). A host that should have asked another router is told (RFC 4861 8.2).
 * Context: NET_RX softirq, cpu lock. Consumes its skb.
 */
#include "ipv6/ipv6_internal.h"

#include <errno.h>

#include "core/nf_hook.h"
#include "core/trace.h"
#include "wire/icmpv6.h"

static int ip6_forward_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	NET_INC_STATS(net, MIB_Ip6_OutForwDatagrams);
	NET_ADD_STATS(net, MIB_Ip6_OutOctets, skb->len);
	skb->tstamp = 0;
	return dst_output(net, sk, skb);
}

/* RFC 4291 2.5: may a packet from this source leave its link? 0 or a drop reason, after the ICMP error */
static skb_drop_reason_t forward_check_source(struct sk_buff *skb)
{
	int type = ipv6_addr_type(&ipv6_hdr(skb)->saddr);

	if (type == IPV6_ADDR_ANY || type & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LOOPBACK))
		return SKB_DROP_IP6_MARTIAN_SOURCE;
	if (type & IPV6_ADDR_LINKLOCAL) {
		icmpv6_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_NOT_NEIGHBOUR, 0);
		return SKB_DROP_IP6_SCOPE;
	}
	return 0;
}

/* Out where it came in: the sender could have gone there itself. */
static bool forward_redirects(const struct sk_buff *skb)
{
	return skb->dst->dev == skb->dev && !(IP6CB(skb)->flags & IP6SKB_SRCROUTED) &&
	       !ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
}

static skb_drop_reason_t forward_check(struct net *net, struct sk_buff *skb, u32 mtu)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	if (h->hop_limit <= 1) {
		NET_INC_STATS(net, MIB_Ip6_InHdrErrors);
		icmpv6_send(skb, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
		return SKB_DROP_IP6_HOP_LIMIT;
	}
	if (forward_redirects(skb)) {
		ndisc_send_redirect(skb, rt6_nexthop(skb_rt6_info(skb), &h->daddr));
	} else {
		skb_drop_reason_t reason = forward_check_source(skb);

		if (reason) {
			NET_INC_STATS(net, MIB_Ip6_InAddrErrors);
			return reason;
		}
	}
	if (ip6_wire_len(skb) > mtu) {
		NET_INC_STATS(net, MIB_Ip6_InTooBigErrors);
		NET_INC_STATS(net, MIB_Ip6_FragFails);
		icmpv6_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
		return SKB_DROP_IP6_PKT_TOO_BIG;
	}
	return 0;
}

int ip6_forward(struct sk_buff *skb)
{
	struct rt6_info *rt = skb_rt6_info(skb);
	struct net *net = rt->net;
	u32 mtu = rt6_link_mtu(rt);
	skb_drop_reason_t reason;

	if (!net->ipv6->devconf_all.forwarding) {
		NET_INC_STATS(net, MIB_Ip6_InAddrErrors);
		reason = SKB_DROP_IP6_NOFORWARD;
		goto discard;
	}
	/* What was sent to many on a link is not passed on as if it had been sent to us. */
	if (skb->pkt_type != SKB_PACKET_HOST) {
		NET_INC_STATS(net, MIB_Ip6_InDiscards);
		reason = SKB_DROP_IP6_FORWARD_L2;
		goto discard;
	}
	/* RFC 2711: routers look at such a packet. */
	if (unlikely(IP6CB(skb)->flags & IP6SKB_ROUTERALERT) && !list_empty(&net->ipv6->ra_chain) &&
	    ip6_call_ra_chain(net, skb))
		return 0;
	/* Addressed to a connection whose address is no longer here (ip6_early_demux()): it is nobody's then. */
	if (unlikely(skb->sk))
		skb_orphan(skb);
	trace_skb(skb, net, TP_ip6_forward, TRACE_PASS, ipv6_hdr(skb)->hop_limit, mtu);
	reason = forward_check(net, skb, mtu);
	if (reason)
		goto discard;
	/* The header will change, and the next link's header must fit. */
	if (skb_cow_head(skb, LL_MAX_HEADER)) {
		NET_INC_STATS(net, MIB_Ip6_InDiscards);
		reason = SKB_DROP_NOMEM;
		goto discard;
	}
	ipv6_hdr(skb)->hop_limit--;
	IP6CB(skb)->flags |= IP6SKB_FORWARDED;
	/* A sum over the whole packet, old hop limit included, is no help to the next device. */
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	return NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_FORWARD, net, NULL, skb, skb->dev, rt->dst.dev,
		       ip6_forward_finish);

discard:
	kfree_skb_reason(skb, reason);
	return 0;
}
