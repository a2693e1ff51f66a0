/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_offload.c - cutting big segments for devices that cannot, and merging received ones
 *
 * Theory of operation
 *   gso_segment: skb_segment() cuts the payload; each piece then gets its sequence number; FIN and PSH stay with the last, CWR with the
 *   first only, unless it is a part of AccECN's field (SKB_GSO_TCP_ACCECN). The checksum field of a CHECKSUM_PARTIAL packet holds the pseudo-header sum, which contains the length:
 *   it is corrected by the difference (RFC 1624).
 *   gro_receive: two segments of one flow merge when the second continues the first and they differ in nothing but sequence
 *   number, FIN and PSH. CWR in each of them is AccECN's; in the first only RFC 3168's. A segment shorter than the first of its batch, or one with PSH, ends the batch, so that the boundaries
 *   can be restored exactly.
 * See core/gso.c and core/gro.c for the contracts.
 */
#include <errno.h>

#include "tcp/tcp.h"
#include "wire/ipv6.h"

/* The sum of the pseudo header, from that of its addresses. */
static u32 tcp_pseudo(u32 addrs, u32 len)
{
	return csum_add(addrs, csum_add(cpu_to_be32(len).v, cpu_to_be32(IPPROTO_TCP).v));
}

/* ---- cutting ----------------------------------------------------------------------------------------- */

/* @addrs: the sum of the addresses. */
static void tcp_segment_csum(struct sk_buff *seg, struct tcp_hdr *th, u32 old_len, u32 new_len,
			     u32 addrs)
{
	if (seg->ip_summed == CHECKSUM_PARTIAL) {
		u32 sum = th->check.v;

		sum = csum_sub(sum, cpu_to_be16((u16)old_len).v);
		sum = csum_add(sum, cpu_to_be16((u16)new_len).v);
		th->check.v = (u16)~csum_fold(sum);
		return;
	}
	th->check.v = 0;
	th->check.v = csum_fold(skb_checksum(seg, (u32)skb_transport_offset(seg), new_len,
					     tcp_pseudo(addrs, new_len)));
}

static struct sk_buff *tcp_gso_segment(struct sk_buff *skb, netdev_features_t features, u32 addrs,
				       int *ret_err)
{
	const struct tcp_hdr *th;
	u32 old_len = skb->len, mss = skb_shinfo(skb)->gso_size, seq, thlen;
	struct sk_buff *segs, *seg;
	bool accecn = skb_shinfo(skb)->gso_type & SKB_GSO_TCP_ACCECN;
	u8 flags;

	*ret_err = -EINVAL;
	if (!pskb_may_pull(skb, sizeof(*th)))
		return NULL;
	th = (const struct tcp_hdr *)skb_transport_header(skb);
	thlen = tcp_hdr_len(th);
	if (thlen < sizeof(*th) || !pskb_may_pull(skb, thlen))
		return NULL;
	th = (const struct tcp_hdr *)skb_transport_header(skb);
	seq = be32_to_cpu(th->seq);
	flags = th->flags;
	segs = skb_segment(skb, features, thlen, ret_err);
	for (seg = segs; seg; seg = seg->next) {
		struct tcp_hdr *h = (struct tcp_hdr *)skb_transport_header(seg);
		u32 new_len = seg->len - (u32)skb_transport_offset(seg);

		h->seq = cpu_to_be32(seq);
		h->flags = flags;
		if (seg->next)
			h->flags &= (u8) ~(TCP_FLAG_FIN | TCP_FLAG_PSH);
		if (seg != segs && !accecn)
			h->flags &= (u8)~TCP_FLAG_CWR;
		tcp_segment_csum(seg, h, old_len, new_len, addrs);
		seq += mss;
	}
	return segs;
}

/* ---- merging ----------------------------------------------------------------------------------------- */

/* Everything in the headers but sequence number, FIN, PSH, the CWR of @a and checksum is the same. */
static bool tcp_gro_same_headers(const struct tcp_hdr *a, const struct tcp_hdr *b, u32 thlen)
{
	if (a->ack_seq.v != b->ack_seq.v || a->doff_res != b->doff_res ||
	    a->window.v != b->window.v)
		return false;
	if ((a->flags ^ b->flags) & (u8) ~(TCP_FLAG_CWR | TCP_FLAG_FIN | TCP_FLAG_PSH))
		return false;
	return !memcmp(a + 1, b + 1, thlen - sizeof(*a));
}

/* @b may follow the batch @p whose header is @a: the first pair decides whether CWR is in all or in the first only. */
static bool tcp_gro_same_cwr(const struct sk_buff *p, const struct tcp_hdr *a,
			     const struct tcp_hdr *b)
{
	bool all = skb_shinfo(p)->gso_type & SKB_GSO_TCP_ACCECN;

	if (likely(!((a->flags | b->flags) & TCP_FLAG_CWR)))
		return true;
	if (NAPI_GRO_CB(p)->count == 1)
		return a->flags & TCP_FLAG_CWR;
	return all == !!(b->flags & TCP_FLAG_CWR);
}

static bool tcp_gro_checksum_ok(struct sk_buff *skb, u32 off, u32 addrs)
{
	u32 len = skb->len - off;

	if (skb_csum_unnecessary(skb))
		return true;
	if (csum_fold(skb_checksum(skb, off, len, tcp_pseudo(addrs, len))))
		return false; /* input will count and drop it */
	skb->csum_valid = 1;
	return true;
}

static struct sk_buff *tcp_gro_receive(struct sk_buff_head *held, struct sk_buff *skb, u32 addrs)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	u32 off = cb->data_offset, thlen, len, mss;
	const struct tcp_hdr *th;
	struct sk_buff *p, *next, *found = NULL;
	bool flush;

	cb->flush |= skb_headlen(skb) < off + sizeof(*th);
	if (cb->flush)
		return NULL;
	th = (const struct tcp_hdr *)(skb->data + off);
	thlen = tcp_hdr_len(th);
	if (thlen < sizeof(*th) || skb_headlen(skb) < off + thlen ||
	    !tcp_gro_checksum_ok(skb, off, addrs)) {
		cb->flush = 1;
		return NULL;
	}
	cb->data_offset = off + thlen;
	len = skb->len - off - thlen;

	skb_queue_walk_safe(held, p, next) {
		const struct tcp_hdr *ph;

		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		ph = (const struct tcp_hdr *)(p->data + off);
		if (ph->source.v != th->source.v || ph->dest.v != th->dest.v) {
			NAPI_GRO_CB(p)->same_flow = 0;
			continue;
		}
		found = p;
		break;
	}
	/* What ends a batch even if it merges. */
	flush = (th->flags &
		 (TCP_FLAG_URG | TCP_FLAG_PSH | TCP_FLAG_RST | TCP_FLAG_SYN | TCP_FLAG_FIN)) ||
		!len;
	if (!found) {
		cb->flush |= flush;
		return NULL;
	}
	mss = skb_shinfo(found)->gso_size;
	{
		struct tcp_hdr *ph = (struct tcp_hdr *)(found->data + off);
		u32 plen = found->len - off - thlen;
		bool no = NAPI_GRO_CB(found)->flush || !tcp_gro_same_cwr(found, ph, th) || !len ||
			  len > mss || !tcp_gro_same_headers(ph, th, thlen) ||
			  be32_to_cpu(th->seq) != be32_to_cpu(ph->seq) + plen ||
			  plen != NAPI_GRO_CB(found)->count * mss || /* the last was short */
			  (th->flags & (TCP_FLAG_RST | TCP_FLAG_SYN | TCP_FLAG_URG));

		if (no || skb_gro_receive(found, skb)) {
			/* The held one goes first; this one may begin a new batch. */
			cb->flush |= flush;
			return found;
		}
		ph->flags |= th->flags & (TCP_FLAG_FIN | TCP_FLAG_PSH);
		if (unlikely(th->flags & TCP_FLAG_CWR))
			skb_shinfo(found)->gso_type |= SKB_GSO_TCP_ACCECN;
	}
	return flush || len < mss ? found : NULL;
}

static int tcp_gro_complete(struct sk_buff *skb, int nhoff, u32 addrs, u16 gso_type)
{
	struct tcp_hdr *th = (struct tcp_hdr *)(skb->data + nhoff);
	u32 len = skb->len - (u32)nhoff;

	th->check.v = (u16)~csum_fold(tcp_pseudo(addrs, len));
	skb->transport_header = (u16)((u8 *)th - skb->head);
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct tcp_hdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb_shinfo(skb)->gso_segs = NAPI_GRO_CB(skb)->count;
	skb_shinfo(skb)->gso_type |= gso_type;
	return 0;
}

/* ---- by IP version: the network header is set --------------------------------------------------------- */

static u32 addrs4(const struct sk_buff *skb)
{
	const struct ip_hdr *h = (const struct ip_hdr *)(skb->head + skb->network_header);

	return csum_tcpudp_nofold(h->saddr, h->daddr, 0, 0, 0);
}

static u32 addrs6(const struct sk_buff *skb)
{
	const struct ipv6_hdr *h = (const struct ipv6_hdr *)(skb->head + skb->network_header);

	return csum_ipv6_nofold(&h->saddr, &h->daddr, 0, 0, 0);
}

static struct sk_buff *tcp4_gso_segment(struct sk_buff *skb, netdev_features_t features,
					int *ret_err)
{
	return tcp_gso_segment(skb, features, addrs4(skb), ret_err);
}

static struct sk_buff *tcp4_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	return tcp_gro_receive(held, skb, addrs4(skb));
}

static int tcp4_gro_complete(struct sk_buff *skb, int nhoff)
{
	return tcp_gro_complete(skb, nhoff, addrs4(skb), SKB_GSO_TCPV4);
}

static struct sk_buff *tcp6_gso_segment(struct sk_buff *skb, netdev_features_t features,
					int *ret_err)
{
	return tcp_gso_segment(skb, features, addrs6(skb), ret_err);
}

static struct sk_buff *tcp6_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	return tcp_gro_receive(held, skb, addrs6(skb));
}

static int tcp6_gro_complete(struct sk_buff *skb, int nhoff)
{
	return tcp_gro_complete(skb, nhoff, addrs6(skb), SKB_GSO_TCPV6);
}

const struct offload_callbacks tcp_v4_offload = {
	.gro_receive = tcp4_gro_receive,
	.gro_complete = tcp4_gro_complete,
	.gso_segment = tcp4_gso_segment,
};

const struct offload_callbacks tcp_v6_offload = {
	.gro_receive = tcp6_gro_receive,
	.gro_complete = tcp6_gro_complete,
	.gso_segment = tcp6_gso_segment,
};
