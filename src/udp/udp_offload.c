/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_offload.c - many datagrams in one packet: cutting (UDP_SEGMENT) and merging (UDP_GRO)
 *
 * Theory of operation
 *   A program that sets UDP_SEGMENT hands over up to 128 datagrams of one size (the last may be shorter) as one. They travel down as
 *   one packet with gso_size until a device without NETIF_F_GSO_UDP_L4, where skb_gso_segment() cuts them: each gets a header
 *   with its own length. Only packets with CHECKSUM_PARTIAL exist: the checksum field holds the pseudo-header sum, which
 *   contains the length and is corrected by the difference (RFC 1624).
 *   Received datagrams are merged only for a socket that asked for it (UDP_GRO): others could not tell where one ends. Two merge
 *   when they differ in nothing but payload; the first shorter one ends the batch.
 * See core/gso.c and core/gro.c for the contracts.
 */
#include <errno.h>

#include "lib/csum.h"
#include "udp/udp.h"

#define UDP_GRO_COUNT_MAX 64

struct sk_buff *udp_gso_segment(struct sk_buff *skb, netdev_features_t features, int *ret_err)
{
	u32 old_len = skb->len;
	struct sk_buff *segs;

	*ret_err = -EINVAL;
	if (skb->ip_summed != CHECKSUM_PARTIAL || !pskb_may_pull(skb, sizeof(struct udp_hdr)))
		return NULL;
	trace_skb(skb, NULL, TP_udp_gso_segment, TRACE_PASS, skb_shinfo(skb)->gso_size, 0);
	segs = skb_segment(skb, features, sizeof(struct udp_hdr), ret_err);
	for (struct sk_buff *seg = segs; seg; seg = seg->next) {
		struct udp_hdr *uh = udp_hdr(seg);
		u32 len = seg->len - (u32)skb_transport_offset(seg);
		u32 sum = uh->check.v;

		sum = csum_sub(sum, cpu_to_be16((u16)old_len).v);
		sum = csum_add(sum, cpu_to_be16((u16)len).v);
		uh->check.v = (u16)~csum_fold(sum);
		uh->len = cpu_to_be16((u16)len);
	}
	return segs;
}

static bool udp_gro_checksum_ok(struct sk_buff *skb, u32 off, u32 pseudo)
{
	u32 len = skb->len - off;

	if (skb_csum_unnecessary(skb))
		return true;
	pseudo = csum_add(pseudo, csum_add(cpu_to_be16((u16)len).v, cpu_to_be16(IPPROTO_UDP).v));
	if (csum_fold(skb_checksum(skb, off, len, pseudo)))
		return false; /* input will count and drop it */
	skb->csum_valid = 1;
	return true;
}

struct sk_buff *udp_gro_receive(struct sk_buff_head *held, struct sk_buff *skb,
				const struct sock *sk, u32 pseudo)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	u32 off = cb->data_offset, len, size;
	const struct udp_hdr *uh;
	struct sk_buff *p, *next, *found = NULL;

	/* A datagram without checksum could not be cut again as it was. */
	if (cb->flush || !sk || !udp_sk(sk)->gro)
		goto not_mine;
	uh = (const struct udp_hdr *)(skb->data + off);
	len = skb->len - off;
	if (be16_zero(uh->check) || len <= sizeof(*uh) || be16_to_cpu(uh->len) != len ||
	    !udp_gro_checksum_ok(skb, off, pseudo))
		goto not_mine;
	trace_skb(skb, NULL, TP_udp_gro_receive, TRACE_PASS, be16_to_cpu(uh->source),
		  be16_to_cpu(uh->dest));
	cb->data_offset = off + (u32)sizeof(*uh);
	len -= (u32)sizeof(*uh);

	skb_queue_walk_safe(held, p, next) {
		const struct udp_hdr *ph = (const struct udp_hdr *)(p->data + off);

		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		if (!be16_eq(ph->source, uh->source) || !be16_eq(ph->dest, uh->dest))
			NAPI_GRO_CB(p)->same_flow = 0;
		else
			found = p;
	}
	if (!found)
		return NULL;
	size = skb_shinfo(found)->gso_size;
	if (NAPI_GRO_CB(found)->flush || len > size || skb_gro_receive(found, skb)) {
		cb->same_flow = 1; /* behind what is held of its flow */
		cb->flush = 1;
		return found;
	}
	return len < size || NAPI_GRO_CB(found)->count >= UDP_GRO_COUNT_MAX ? found : NULL;

not_mine:
	cb->flush = 1;
	return NULL;
}

int udp_gro_complete(struct sk_buff *skb, int nhoff, u32 pseudo)
{
	struct udp_hdr *uh = (struct udp_hdr *)(skb->data + nhoff);
	u32 len = skb->len - (u32)nhoff;

	uh->len = cpu_to_be16((u16)len);
	pseudo = csum_add(pseudo, csum_add(uh->len.v, cpu_to_be16(IPPROTO_UDP).v));
	uh->check.v = (u16)~csum_fold(pseudo);
	skb->transport_header = (u16)((u8 *)uh - skb->head);
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct udp_hdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_L4;
	return 0;
}
