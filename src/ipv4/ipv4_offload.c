/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv4_offload.c - IPv4's part in cutting and merging: GSO on the way out, GRO on the way in
 *
 * The contract of the callbacks is at the top of core/gso.c and core/gro.c. Packets with options or fragments are not merged.
 * Identification: segments count up from the big packet's (RFC 6864 leaves it open, TCP normalisers expect it); merging wants
 * consecutive values only where DF is not set.
 * Context: cpu lock.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>

static const struct offload_callbacks *transport_offload(const struct sk_buff *skb, u8 protocol)
{
	const struct net_protocol *p =
		skb->dev && skb->dev->net->ipv4 ? skb->dev->net->ipv4->protos[protocol] : NULL;

	return p ? p->offload : NULL;
}

/* borrow; data at the IP header */
static struct sk_buff *inet_gso_segment(struct sk_buff *skb, netdev_features_t features,
					int *ret_err)
{
	const struct offload_callbacks *ops;
	struct sk_buff *segs;
	struct ip_hdr *iph;
	u32 hlen;
	u16 id;

	*ret_err = -EINVAL;
	if (!pskb_may_pull(skb, sizeof(*iph)))
		return NULL;
	skb_reset_network_header(skb);
	iph = ip_hdr(skb);
	hlen = ip_hdr_len(iph);
	if (hlen < sizeof(*iph) || !pskb_may_pull(skb, hlen) || ip_is_fragment(iph))
		return NULL;
	iph = ip_hdr(skb);
	id = be16_to_cpu(iph->id);
	ops = transport_offload(skb, iph->protocol);
	*ret_err = -EPROTONOSUPPORT;
	if (!ops || !ops->gso_segment)
		return NULL;
	__skb_pull(skb, hlen);
	skb_reset_transport_header(skb);
	segs = ops->gso_segment(skb, features, ret_err);
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		iph = ip_hdr(seg);
		iph->tot_len = cpu_to_be16((u16)((int)seg->len - skb_network_offset(seg)));
		iph->id = cpu_to_be16(id);
		if (!(skb_shinfo(skb)->gso_type & SKB_GSO_TCP_FIXEDID))
			id++;
		ip_send_check(iph);
	}
	return segs;
}

/* May @skb, with header @iph, continue @p? Clears same_flow of others, notes what forbids a merge in flush. */
static void inet_gro_compare(struct sk_buff *p, const struct ip_hdr *iph, u32 off)
{
	const struct ip_hdr *iph2 = (const struct ip_hdr *)(p->data + off);
	bool df = be16_to_cpu(iph->frag_off) & IP_F_DF;
	u16 next_id = (u16)(be16_to_cpu(iph2->id) + NAPI_GRO_CB(p)->count);

	if (iph->protocol != iph2->protocol || !be32_eq(iph->saddr, iph2->saddr) ||
	    !be32_eq(iph->daddr, iph2->daddr)) {
		NAPI_GRO_CB(p)->same_flow = 0;
		return;
	}
	NAPI_GRO_CB(p)->flush |= iph->ttl != iph2->ttl || iph->tos != iph2->tos ||
				 !be16_eq(iph->frag_off, iph2->frag_off) ||
				 (!df && be16_to_cpu(iph->id) != next_id);
}

static struct sk_buff *inet_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	const struct offload_callbacks *ops;
	const struct ip_hdr *iph;
	u32 off = cb->data_offset, len;
	struct sk_buff *p, *next;

	cb->flush = 1;
	if (skb_headlen(skb) < off + sizeof(*iph))
		return NULL;
	iph = (const struct ip_hdr *)(skb->data + off);
	ops = transport_offload(skb, iph->protocol);
	if (!ops || !ops->gro_receive || iph->ihl_version != 0x45 ||
	    !ipv4_csum_ok((const u8 *)iph, sizeof(*iph)) || ip_is_fragment(iph))
		return NULL;
	/* A short packet that the link padded must not overtake what is held of its flow: the transport sees it, too. */
	len = off + be16_to_cpu(iph->tot_len);
	if (unlikely(len < skb->len) && len >= off + sizeof(*iph)) {
		if (skb->ip_summed == CHECKSUM_COMPLETE)
			skb->ip_summed = CHECKSUM_NONE;
		if (pskb_trim(skb, len))
			return NULL;
		iph = (const struct ip_hdr *)(skb->data + off);
	}
	if (len != skb->len)
		return NULL;
	cb->flush = 0;
	skb_queue_walk_safe(held, p, next) {
		if (NAPI_GRO_CB(p)->same_flow)
			inet_gro_compare(p, iph, off);
	}
	cb->ip_id = be16_to_cpu(iph->id);
	cb->is_atomic = (be16_to_cpu(iph->frag_off) & IP_F_DF) != 0;
	cb->proto = iph->protocol;
	cb->data_offset = off + sizeof(*iph);
	skb->network_header = (u16)(skb->data - skb->head + off);
	skb_set_transport_header(skb, (int)cb->data_offset);
	return ops->gro_receive(held, skb);
}

static int inet_gro_complete(struct sk_buff *skb, int nhoff)
{
	struct ip_hdr *iph = (struct ip_hdr *)(skb->data + nhoff);
	const struct offload_callbacks *ops = transport_offload(skb, iph->protocol);

	if (!ops || !ops->gro_complete)
		return -EPROTONOSUPPORT;
	iph->tot_len = cpu_to_be16((u16)(skb->len - (u32)nhoff));
	ip_send_check(iph);
	return ops->gro_complete(skb, nhoff + (int)sizeof(*iph));
}

const struct offload_callbacks inet_offload = {
	.gro_receive = inet_gro_receive,
	.gro_complete = inet_gro_complete,
	.gso_segment = inet_gso_segment,
};
