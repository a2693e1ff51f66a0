/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gro.c - merging received segments of one flow, so that the layers above see few big packets
 *
 * Theory of operation
 *   Each napi holds up to GRO_MAX_HELD packets that may still grow, oldest first. A new packet goes down the headers like input does, but
 *   in the gro_receive callbacks of packet type and transport. Each layer compares its header with those of the held packets
 *   and clears NAPI_GRO_CB(p)->same_flow of those that differ. The transport finds at most one left, and either merges with
 *   skb_gro_receive() or says why not.
 *   What is held goes up when it is complete (the transport says so), when it is the oldest and room is needed, when the napi has
 *   run dry, or when it is older than a millisecond in a napi that never runs dry.
 *   What goes up, merged or not, waits for company: gro_normal_batch wire packets, or the end of the poll. Then it goes layer by layer
 *   (netif_receive_skb_list()), in the order in which it went up.
 * The contract of the callbacks (struct offload_callbacks)
 *   gro_receive(held, skb): skb->data is at the network header; the caller's own header is at data + data_offset, which the callback
 *   advances before it calls the next layer (headers must be checked to lie in the head area: gro_header()). It returns a held packet that
 *   must go up now, or NULL. It sets on skb: same_flow (a held packet belongs to the same flow: skb was merged, or must stay
 *   behind that one), flush (do not hold skb).
 *   skb_shinfo(p)->gso_size of a held packet is the payload length of its first segment; csum_valid on skb says that the checksum
 *   was verified; without that or CHECKSUM_UNNECESSARY/PARTIAL a transport must not merge.
 *   gro_complete(skb, nhoff): a merged packet goes up: corrects lengths and checksums in the headers, sets gso_type and
 *   gso_segs (= count), ip_summed and csum_start for those who will have to cut it again. 0, or -errno: dropped.
 *   cb belongs to GRO from napi_gro_receive() until the packet goes up.
 * Payload
 *   skb_gro_receive() moves references to the payload's fragments; neighbours in memory become one fragment, so the segments of one
 *   big send become one again. Payload in a head area goes to the frag_list.
 * Locking: the cpu lock.
 */
#include "core/netdevice.h"

#include <errno.h>

#include "core/dst.h"
#include "core/zerocopy.h"

#define GRO_MAX_HELD 8
#define GRO_MAX_SIZE 65535 /* of the network layer: its length field has 16 bits */

enum { GRO_NOT_MERGED, GRO_MERGED_FREE, GRO_MERGED_LISTED };

static u32 gro_age_ms(const struct cpu *cpu)
{
	return (u32)(cpu->now / NSEC_PER_MSEC);
}

void __gro_normal_list(struct napi_struct *napi)
{
	struct sk_buff *first = napi->rx_list.first;
	struct skb_list list;

	napi->rx_count = 0;
	if (likely(!first->next)) {
		skb_list_init(&napi->rx_list);
		netif_receive_skb(first);
		return;
	}
	skb_list_move(&napi->rx_list, &list);
	netif_receive_skb_list(&list);
}

void gro_normal_one(struct napi_struct *napi, struct sk_buff *skb, u32 segs)
{
	skb_list_add(&napi->rx_list, skb);
	napi->rx_count += segs;
	if (napi->rx_count >= napi->cpu->softnet->gro_normal_batch)
		__gro_normal_list(napi);
}

/* Hands a held packet (already unlinked) to the layers above. */
static void napi_gro_complete(struct napi_struct *napi, struct sk_buff *skb)
{
	const struct packet_type *pt = dev_get_pack(skb->dev->net, be16_to_cpu(skb->protocol));
	u16 count = NAPI_GRO_CB(skb)->count;

	if (count == 1) {
		skb_shinfo(skb)->gso_size = 0;
	} else {
		skb_shinfo(skb)->gso_segs = count;
		if (!pt || !pt->offload->gro_complete || pt->offload->gro_complete(skb, 0)) {
			kfree_skb_reason(skb, SKB_DROP_GSO);
			return;
		}
		trace_skb(skb, NULL, TP_gro_merged, TRACE_PASS, count, 0);
	}
	gro_normal_one(napi, skb, count);
}

static void gro_release(struct napi_struct *napi, struct sk_buff *skb)
{
	skb_unlink(skb, &napi->gro_list);
	napi->gro_count--;
	napi_gro_complete(napi, skb);
}

/* @only_old: those that wait longer than a millisecond. */
void napi_gro_flush(struct napi_struct *napi, bool only_old)
{
	u32 now = gro_age_ms(napi->cpu);
	struct sk_buff *skb;

	/* Delivering may change the list (the device goes down): always take the first. */
	while ((skb = skb_peek(&napi->gro_list))) {
		if (only_old && NAPI_GRO_CB(skb)->age_ms == now)
			return;
		gro_release(napi, skb);
	}
}

/* Two packets can be of one flow only if everything in front of the network header is the same. */
static void gro_list_prepare(const struct sk_buff_head *held, const struct sk_buff *skb)
{
	u32 maclen = (u32)(skb->data - skb_mac_header(skb));
	struct sk_buff *p, *next;

	skb_queue_walk_safe(held, p, next) {
		NAPI_GRO_CB(p)->flush = 0;
		NAPI_GRO_CB(p)->same_flow = p->dev == skb->dev &&
					    be16_eq(p->protocol, skb->protocol) &&
					    p->pkt_type == skb->pkt_type && p->mark == skb->mark &&
					    p->vlan_present == skb->vlan_present &&
					    (!p->vlan_present || p->vlan_tci == skb->vlan_tci) &&
					    (u32)(p->data - skb_mac_header(p)) == maclen &&
					    !memcmp(skb_mac_header(p), skb_mac_header(skb), maclen);
	}
}

static bool gro_wanted(const struct sk_buff *skb, const struct packet_type *pt)
{
	return pt && pt->offload && pt->offload->gro_receive && skb->dev->features & NETIF_F_GRO &&
	       !skb_is_gso(skb) && !skb_shinfo(skb)->frag_list && !skb_shared(skb);
}

void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb)
{
	const struct packet_type *pt = dev_get_pack(skb->dev->net, be16_to_cpu(skb->protocol));
	struct napi_gro_cb *cb;
	struct sk_buff *done;

	skb = skb_orphan_frags_rx(skb);
	if (unlikely(!skb))
		return;
	cb = NAPI_GRO_CB(skb);
	if (!gro_wanted(skb, pt)) {
		gro_normal_one(napi, skb, 1);
		return;
	}
	trace_skb(skb, NULL, TP_napi_gro_receive, TRACE_PASS, 0, 0);
	if (!skb->tstamp)
		skb->tstamp = skb->cpu->now;
	skb_reset_network_header(skb);
	skb_reset_mac_len(skb);
	memset(cb, 0, sizeof(*cb));
	cb->count = 1;
	cb->last = skb;
	cb->age_ms = gro_age_ms(napi->cpu);
	gro_list_prepare(&napi->gro_list, skb);

	done = pt->offload->gro_receive(&napi->gro_list, skb);
	if (done) {
		/* What is merged must not be looked at any more once it has gone up. */
		u8 merged = cb->merged;

		if (merged == GRO_MERGED_FREE)
			consume_skb(skb);
		gro_release(napi, done);
		if (merged)
			return;
	} else if (cb->merged) {
		if (cb->merged == GRO_MERGED_FREE)
			consume_skb(skb);
		return;
	}
	/* Behind a packet of its own flow that does not want it: order is kept, because that one was returned as done.
	 * A clone cannot grow: its headers and fragment slots belong to the sender's retransmission queue, too. */
	if (cb->flush || cb->same_flow || skb_cloned(skb)) {
		gro_normal_one(napi, skb, 1);
		return;
	}
	if (napi->gro_count >= GRO_MAX_HELD)
		gro_release(napi, skb_peek(&napi->gro_list));
	skb_shinfo(skb)->gso_size = (u16)(skb->len - cb->data_offset);
	skb_queue_tail(&napi->gro_list, skb);
	napi->gro_count++;
}

/* ---- merging -------------------------------------------------------------------------------------------- */

/* Appends the fragments of @skb behind its first @skip octets, all of which must lie in fragments, to @to's. False: no
 * room; nothing has changed. */
static bool gro_append_frags(struct sk_buff *to, const struct sk_buff *skb, u32 skip)
{
	struct skb_shared_info *tsh = skb_shinfo(to);
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u32 skip_frags = skip - skb_headlen(skb), n = tsh->nr_frags;

	for (u32 i = 0; i < sh->nr_frags; i++) {
		skb_frag_t f = sh->frags[i], *prev = n ? &tsh->frags[n - 1] : NULL;

		if (skip_frags >= f.size) {
			skip_frags -= f.size;
			continue;
		}
		f.offset += skip_frags;
		f.size -= skip_frags;
		skip_frags = 0;
		if (prev && prev->page == f.page && prev->offset + prev->size == f.offset) {
			prev->size += f.size;
		} else if (n < MAX_SKB_FRAGS) {
			page_get(f.page);
			tsh->frags[n++] = f;
		} else {
			return false;
		}
	}
	tsh->nr_frags = (u8)n;
	return true;
}

/* Fragments that may be needed; coalescing needs fewer. */
static bool gro_frags_fit(const struct sk_buff *to, const struct sk_buff *skb)
{
	const struct skb_shared_info *tsh = skb_shinfo(to), *sh = skb_shinfo(skb);
	const skb_frag_t *last, *first;

	if (tsh->nr_frags + sh->nr_frags <= MAX_SKB_FRAGS)
		return true;
	if (!tsh->nr_frags || sh->nr_frags != 1)
		return false;
	last = &tsh->frags[tsh->nr_frags - 1];
	first = &sh->frags[0];
	return last->page == first->page && last->offset + last->size == first->offset;
}

int skb_gro_receive(struct sk_buff *p, struct sk_buff *skb)
{
	u32 offset = NAPI_GRO_CB(skb)->data_offset;
	u32 len = skb->len - offset;
	struct sk_buff *last = NAPI_GRO_CB(p)->last;
	u32 delta;

	if (p->len + len > GRO_MAX_SIZE || NAPI_GRO_CB(p)->count == UINT16_MAX)
		return -E2BIG;

	/* The last of the list takes fragments if nobody shares its shared info. */
	if (offset >= skb_headlen(skb) && !skb_cloned(last) && !skb_shinfo(skb)->frag_list &&
	    (last != p || !skb_shinfo(p)->frag_list) && gro_frags_fit(last, skb)) {
		if (!gro_append_frags(last, skb, offset))
			return -E2BIG;
		delta = len;
		NAPI_GRO_CB(skb)->merged = GRO_MERGED_FREE;
	} else {
		if (skb_cloned(p))
			return -E2BIG;
		if (!pskb_pull(skb, offset))
			return -E2BIG;
		delta = skb->truesize;
		skb->next = skb->prev = NULL;
		if (last == p)
			skb_shinfo(p)->frag_list = skb;
		else
			last->next = skb;
		NAPI_GRO_CB(p)->last = skb;
		skb_orphan(skb);
		skb_dst_drop(skb);
		NAPI_GRO_CB(skb)->merged = GRO_MERGED_LISTED;
		last = p; /* lengths of list members do not change */
	}
	if (last != p) {
		last->len += len;
		last->data_len += len;
		last->truesize += delta;
	}
	p->len += len;
	p->data_len += len;
	p->truesize += delta;
	NAPI_GRO_CB(p)->count++;
	NAPI_GRO_CB(skb)->same_flow = 1;
	if (unlikely(skb->cpu->trace_on))
		__trace_skb(skb, NULL, TP_gro_merged, TRACE_STOLEN, 0, p->id, NAPI_GRO_CB(p)->count,
			    0);
	return 0;
}
