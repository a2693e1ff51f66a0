/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_offload.c - IPv6's part in cutting and merging: GSO on the way out, GRO on the way in
 *
 * The contract of the callbacks is at the top of core/gso.c and core/gro.c. Packets with extension headers are cut (their headers
 * are repeated in each segment) but not merged.
 * Context: cpu lock.
 */
#include "ipv6/ipv6_internal.h"

#include <errno.h>

static const struct offload_callbacks *transport_offload(const struct sk_buff *skb, u8 protocol)
{
	const struct net_protocol *p =
		skb->dev && skb->dev->net->ipv6 ? skb->dev->net->ipv6->protos[protocol] : NULL;

	return p ? p->offload : NULL;
}

/* borrow; data at the IPv6 header */
static struct sk_buff *ipv6_gso_segment(struct sk_buff *skb, netdev_features_t features,
					int *ret_err)
{
	const struct offload_callbacks *ops;
	struct sk_buff *segs;
	u16 frag_off;
	u8 next;
	int skip;

	*ret_err = -EINVAL;
	if (!pskb_may_pull(skb, sizeof(struct ipv6_hdr)))
		return NULL;
	skb_reset_network_header(skb);
	next = ipv6_hdr(skb)->nexthdr;
	skip = ipv6_skip_exthdr(skb->data + sizeof(struct ipv6_hdr),
				skb_headlen(skb) - sizeof(struct ipv6_hdr), &next, &frag_off);
	if (skip < 0 || frag_off)
		return NULL;
	ops = transport_offload(skb, next);
	*ret_err = -EPROTONOSUPPORT;
	if (!ops || !ops->gso_segment)
		return NULL;
	__skb_pull(skb, (u32)sizeof(struct ipv6_hdr) + (u32)skip);
	skb_reset_transport_header(skb);
	segs = ops->gso_segment(skb, features, ret_err);
	for (struct sk_buff *seg = segs; seg; seg = seg->next)
		ipv6_hdr(seg)->payload_len =
			cpu_to_be16((u16)((int)seg->len - skb_network_offset(seg) -
					  (int)sizeof(struct ipv6_hdr)));
	return segs;
}

/* May @skb, with header @h, continue @p? Clears same_flow of others, notes what forbids a merge in flush. */
static void ipv6_gro_compare(struct sk_buff *p, const struct ipv6_hdr *h, u32 off)
{
	const struct ipv6_hdr *h2 = (const struct ipv6_hdr *)(p->data + off);
	u32 diff = be32_to_cpu(h->ver_tc_flow) ^ be32_to_cpu(h2->ver_tc_flow);

	/* The flow label tells flows apart, the traffic class does not. */
	if (h->nexthdr != h2->nexthdr || diff & IPV6_FLOWLABEL_MASK_ ||
	    !ipv6_addr_equal(&h->saddr, &h2->saddr) || !ipv6_addr_equal(&h->daddr, &h2->daddr)) {
		NAPI_GRO_CB(p)->same_flow = 0;
		return;
	}
	NAPI_GRO_CB(p)->flush |= h->hop_limit != h2->hop_limit || diff != 0;
}

static struct sk_buff *ipv6_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	const struct offload_callbacks *ops;
	const struct ipv6_hdr *h;
	u32 off = cb->data_offset, len;
	struct sk_buff *p, *next;

	cb->flush = 1;
	/* What a careless driver put at an odd place is not merged: ipv6_rcv() moves it. */
	if (skb_headlen(skb) < off + sizeof(*h) || (uintptr_t)(skb->data + off) & 3)
		return NULL;
	h = (const struct ipv6_hdr *)(skb->data + off);
	ops = transport_offload(skb, h->nexthdr);
	if (!ops || !ops->gro_receive || be32_to_cpu(h->ver_tc_flow) >> 28 != 6)
		return NULL;
	/* A short packet that the link padded must not overtake what is held of its flow: the transport sees it, too. */
	len = off + (u32)sizeof(*h) + be16_to_cpu(h->payload_len);
	if (unlikely(len < skb->len)) {
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
		if (pskb_trim(skb, len))
			return NULL;
		h = (const struct ipv6_hdr *)(skb->data + off);
	}
	if (len != skb->len)
		return NULL;
	cb->flush = 0;
	skb_queue_walk_safe(held, p, next) {
		if (NAPI_GRO_CB(p)->same_flow)
			ipv6_gro_compare(p, h, off);
	}
	cb->is_atomic = 1; /* there is no identification to count */
	cb->proto = h->nexthdr;
	cb->data_offset = off + (u32)sizeof(*h);
	skb->network_header = (u16)(skb->data - skb->head + off);
	skb_set_transport_header(skb, (int)cb->data_offset);
	return ops->gro_receive(held, skb);
}

static int ipv6_gro_complete(struct sk_buff *skb, int nhoff)
{
	struct ipv6_hdr *h = (struct ipv6_hdr *)(skb->data + nhoff);
	const struct offload_callbacks *ops = transport_offload(skb, h->nexthdr);

	if (!ops || !ops->gro_complete)
		return -EPROTONOSUPPORT;
	h->payload_len = cpu_to_be16((u16)(skb->len - (u32)nhoff - (u32)sizeof(*h)));
	return ops->gro_complete(skb, nhoff + (int)sizeof(*h));
}

const struct offload_callbacks ipv6_offload = {
	.gro_receive = ipv6_gro_receive,
	.gro_complete = ipv6_gro_complete,
	.gso_segment = ipv6_gso_segment,
};
