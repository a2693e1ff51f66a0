/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gso.c - cutting a big segment into wire segments, as late as possible and without copying payload
 *
 * Theory of operation
 *   A GSO packet is one skb whose payload is many times gso_size. Who can send it whole (loopback, veth, a card with TSO) gets it whole;
 *   for all others validate_xmit_skb() calls skb_gso_segment(), which goes down the headers as input does: Ethernet here,
 *   then the packet type's gso_segment (inet_gso_segment), then the transport's (tcp_gso_segment, udp_gso_segment). The transport
 *   pulls nothing, checks its header, calls skb_segment(), and then corrects what differs between segments, each layer its own
 *   header: lengths, IP id, sequence numbers, flags.
 * The contract between the layers
 *   gso_segment() is called with data at its own header, the header set (network_header, transport_header), and
 *   returns segments whose data is at the mac header; all three header offsets of a segment are set.
 *   The skb itself is borrowed: data is put back where it was; only its socket charge moves to the last segment.
 *   Segments keep ip_summed, csum_start and csum_offset. For CHECKSUM_PARTIAL the transport must only make the checksum field of each
 *   segment the pseudo-header sum for the segment's length; the device or skb_checksum_help() does the rest. If ip_summed is not
 *   PARTIAL the transport must compute the whole checksum itself (skb_checksum()).
 * Payload
 *   in fragments is referenced; octets that lie in a head area are copied behind the headers of the segment. frag_list members (GRO)
 *   are taken apart the same way.
 * Locking: the cpu lock.
 */
#include "core/netdevice.h"

#include <errno.h>

#include "core/dst.h"

/* ---- walking the payload -------------------------------------------------------------------------------- */

/* How many fragments the range [@off, @off + @len) of @skb takes when it is referenced; -1: part of it lies in the head area of @skb or of a
 * frag_list member, or there are too many. */
static int count_frag_refs(const struct sk_buff *skb, u32 off, u32 len)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u32 start = skb_headlen(skb), end = off + len;
	int n = 0;

	if (off < start)
		return -1;
	for (u32 i = 0; i < sh->nr_frags && start < end; i++) {
		n += start + sh->frags[i].size > off;
		start += sh->frags[i].size;
	}
	for (const struct sk_buff *m = sh->frag_list; m && start < end; m = m->next) {
		u32 from = max(off, start), to = min(end, start + m->len);

		if (from < to) {
			int k = count_frag_refs(m, from - start, to - from);

			if (k < 0)
				return -1;
			n += k;
		}
		start += m->len;
	}
	return n <= MAX_SKB_FRAGS && start >= end ? n : -1;
}

/* Appends references; the caller counted before. */
static void add_frag_refs(struct sk_buff *nskb, const struct sk_buff *skb, u32 off, u32 len)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	struct skb_shared_info *nsh = skb_shinfo(nskb);
	u32 start = skb_headlen(skb), end = off + len;

	nsh->zerocopy |= sh->zerocopy;
	for (u32 i = 0; i < sh->nr_frags && start < end; i++) {
		const skb_frag_t *f = &sh->frags[i];
		u32 from = max(off, start), to = min(end, start + f->size);

		if (from < to) {
			page_get(f->page);
			nsh->frags[nsh->nr_frags++] =
				(skb_frag_t){ f->page, f->offset + (from - start), to - from };
			nskb->len += to - from;
			nskb->data_len += to - from;
			nskb->truesize += to - from;
		}
		start += f->size;
	}
	for (const struct sk_buff *m = sh->frag_list; m && start < end; m = m->next) {
		u32 from = max(off, start), to = min(end, start + m->len);

		if (from < to)
			add_frag_refs(nskb, m, from - start, to - from);
		start += m->len;
	}
}

/* Where the last segment ended: a fragment, and where it begins as seen from data. Segments are cut one behind the other. */
struct frag_pos {
	const skb_frag_t *frag;
	u32 start;
};

/* The same for an skb without frag_list, from @at on, which moves. */
static void add_frags_at(struct sk_buff *nskb, const struct sk_buff *skb, u32 off, u32 len,
			 struct frag_pos *at)
{
	struct skb_shared_info *nsh = skb_shinfo(nskb);
	u32 left = len;

	nsh->zerocopy |= skb_shinfo(skb)->zerocopy;
	while (left) {
		const skb_frag_t *f = at->frag;
		u32 skip = off - at->start, n;

		if (skip >= f->size) {
			at->start += f->size;
			at->frag++;
			continue;
		}
		n = min(f->size - skip, left);
		page_get(f->page);
		nsh->frags[nsh->nr_frags++] = (skb_frag_t){ f->page, f->offset + skip, n };
		off += n;
		left -= n;
	}
	nskb->len += len;
	nskb->data_len += len;
	nskb->truesize += len;
}

/* ---- cutting -------------------------------------------------------------------------------------------- */

static void copy_meta(struct sk_buff *nskb, const struct sk_buff *skb)
{
	const size_t from = offsetof(struct sk_buff, hash), end = offsetof(struct sk_buff, nfct);

	nskb->dev = skb->dev;
	nskb->tstamp = skb->tstamp;
	nskb->protocol = skb->protocol;
	nskb->queue_mapping = skb->queue_mapping;
	nskb->packet_bits = skb->packet_bits;
	nskb->parent_id = skb->id;
	memcpy((u8 *)nskb + from, (const u8 *)skb + from, end - from); /* hash to napi_id */
	nskb->mac_len = skb->mac_len;
	memcpy(nskb->cb, skb->cb, sizeof(nskb->cb));
	if (skb->dst) {
		dst_hold(skb->dst);
		skb_dst_set(nskb, skb->dst);
	}
}

/* One segment: the headers [mac header, data + thlen) and payload [@off, @off + @len) as seen from data. */
static struct sk_buff *segment_one(struct sk_buff *skb, u32 hlen, u32 off, u32 len,
				   struct frag_pos *at)
{
	bool listed = skb_shinfo(skb)->frag_list;
	u32 mac = skb->mac_header;
	/* Behind an Ethernet header of 14 octets the network header must still be aligned to 4. */
	u32 room = ALIGN_UP(skb->dev ? skb->dev->needed_headroom : 0u, 4u) +
		   (-(skb->network_header - mac) & 3u);
	u32 linear = off < skb_headlen(skb) ? min(len, skb_headlen(skb) - off) : 0;
	struct sk_buff *nskb;

	if (unlikely(listed) && count_frag_refs(skb, off + linear, len - linear) < 0)
		linear = len;
	nskb = alloc_skb(skb->cpu, NET_SKB_PAD + room + hlen + linear);
	if (!nskb)
		return NULL;
	skb_reserve(nskb, NET_SKB_PAD + room);
	skb_put_data(nskb, skb_mac_header(skb), hlen);
	if (linear && skb_copy_bits(skb, off, skb_put(nskb, linear), linear)) {
		kfree_skb_reason(nskb, SKB_DROP_GSO);
		return NULL;
	}
	if (unlikely(listed))
		add_frag_refs(nskb, skb, off + linear, len - linear);
	else
		add_frags_at(nskb, skb, off + linear, len - linear, at);

	copy_meta(nskb, skb);
	skb_reset_mac_header(nskb);
	nskb->network_header = (u16)(nskb->mac_header + (skb->network_header - mac));
	nskb->transport_header = (u16)(nskb->mac_header + (skb->transport_header - mac));
	nskb->csum_start = (u16)(nskb->mac_header + (skb->csum_start - mac));
	nskb->csum_offset = skb->csum_offset;
	return nskb;
}

struct sk_buff *skb_segment(struct sk_buff *skb, netdev_features_t features, u32 thlen,
			    int *ret_err)
{
	u32 mss = skb_shinfo(skb)->gso_size;
	u32 hlen = (u32)(skb->data - skb_mac_header(skb)) + thlen;
	struct sk_buff *head = NULL, *last = NULL;
	struct frag_pos at;
	u32 nsegs = 0;

	*ret_err = -EINVAL;
	if (!mss || skb->len < thlen || !pskb_may_pull(skb, thlen))
		return NULL;
	at = (struct frag_pos){ skb_shinfo(skb)->frags, skb_headlen(skb) };
	for (u32 off = thlen; off < skb->len || !last; off += mss) {
		struct sk_buff *seg = segment_one(skb, hlen, off, min(mss, skb->len - off), &at);

		if (!seg) {
			kfree_skb_list_reason(head, SKB_DROP_NOMEM);
			*ret_err = -ENOMEM;
			return NULL;
		}
		if (unlikely(seg->cpu->trace_on))
			__trace_skb(seg, NULL, TP_skb_gso_segment, TRACE_CREATE, 0, skb->id, mss,
				    nsegs);
		seg->next = NULL;
		if (last)
			last->next = seg;
		else
			head = seg;
		last = seg;
		nsegs++;
	}
	/* The socket stays charged until the last octet has left: the last segment carries the charge of the whole. */
	if (skb->destructor) {
		u32 truesize = last->truesize;

		last->truesize = skb->truesize;
		skb->truesize = truesize;
		last->sk = skb->sk;
		last->destructor = skb->destructor;
		skb->sk = NULL;
		skb->destructor = NULL;
		/* And with it what the socket wants to know. */
		skb_shinfo(last)->tx_flags = skb_shinfo(skb)->tx_flags;
		skb_shinfo(last)->tskey = skb_shinfo(skb)->tskey;
	}
	*ret_err = 0;
	return head;
}

struct sk_buff *skb_gso_segment(struct sk_buff *skb, netdev_features_t features, int *ret_err)
{
	u32 mac_len = (u32)(skb->network_header - skb->mac_header);
	const struct packet_type *pt = dev_get_pack(skb->dev->net, be16_to_cpu(skb->protocol));
	struct sk_buff *segs;

	*ret_err = -EPROTONOSUPPORT;
	if (!pt || !pt->offload || !pt->offload->gso_segment)
		return NULL;
	*ret_err = -EINVAL;
	if (!pskb_may_pull(skb, mac_len))
		return NULL;
	trace_skb(skb, NULL, TP_skb_gso_segment, TRACE_PASS, skb_shinfo(skb)->gso_size,
		  skb_shinfo(skb)->gso_segs);
	__skb_pull(skb, mac_len);
	segs = pt->offload->gso_segment(skb, features, ret_err);
	/* Somebody on the way may have pulled further. */
	skb_push(skb, (u32)(skb->data - skb_mac_header(skb)));
	return segs;
}
