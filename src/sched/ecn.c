/* SPDX-License-Identifier: BSD-2-Clause */
/* ecn.c - a mark instead of a drop: Congestion Experienced (RFC 3168 5) */
#include "core/machine.h"
#include "sched/sched_internal.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

u8 qdisc_dsfield(const struct sk_buff *skb)
{
	int off = skb_network_offset(skb);
	u8 h[2];

	if (off < 0 || skb_copy_bits(skb, (u32)off, h, sizeof(h)))
		return 0;
	switch (be16_to_cpu(skb->protocol)) {
	case ETH_P_IP:
		return h[1];
	case ETH_P_IPV6:
		return (u8)(h[0] << 4 | h[1] >> 4);
	default:
		return 0;
	}
}

static bool set_ce(struct sk_buff *skb)
{
	int off = skb_network_offset(skb);
	u32 len;
	void *h;

	if (off < 0)
		return false;
	len = be16_to_cpu(skb->protocol) == ETH_P_IP ? sizeof(struct ip_hdr)
						     : sizeof(struct ipv6_hdr);
	if (skb_ensure_writable(skb, (u32)off + len))
		return false;
	h = skb_network_header(skb);
	switch (be16_to_cpu(skb->protocol)) {
	case ETH_P_IP:
		return ip_set_ce(h);
	case ETH_P_IPV6:
		return ipv6_set_ce(h);
	default:
		return false;
	}
}

bool qdisc_mark_ce(struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;
	u8 before = qdisc_dsfield(skb);

	if (!set_ce(skb))
		return false;
	trace_skb(skb, dev->net, TP_qdisc_mark_ce, TRACE_PASS, before,
		  dev->cpu->now - QDISC_CB(skb)->enqueued);
	return true;
}
