/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skb_iter.c - walking, copying, summing, cutting and joining the octets of a packet
 *
 * Theory of operation
 *   The octets of a packet are the head area, then the fragments, then the skbs of frag_list. skb_walk() visits the contiguous
 *   pieces of a range in order; everything that only reads or fills octets is a visitor of it. What changes the shape of a
 *   packet (trim, pull, split, join) works on fragments and moves references, never payload.
 *   Two fragments that lie behind each other in one page are one fragment: this keeps a stream that is copied into the current
 *   page piece by piece in few slots.
 * Locking: the lock of skb->cpu.
 */
#include "core/skbuff.h"

#include <errno.h>

#include "core/arena.h"
#include "core/cpu.h"
#include "core/skb_internal.h"
#include "core/uio.h"
#include "lib/csum.h"
#include "wire/ethernet.h"

/* ---- walking ------------------------------------------------------------------------------------------ */

static int skb_walk_from(const struct sk_buff *skb, u32 off, u32 len, u32 pos, skb_visit_t visit,
			 void *ctx)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u32 start = skb_headlen(skb), n, i;
	const struct sk_buff *f;
	int err;

	if (off < start) {
		n = min(start - off, len);
		err = visit(ctx, skb->data + off, n, pos);
		if (err || n == len)
			return err;
		off += n, len -= n, pos += n;
	}
	for (i = 0; i < sh->nr_frags; start += sh->frags[i++].size) {
		const skb_frag_t *frag = &sh->frags[i];

		if (off >= start + frag->size)
			continue;
		n = min(start + frag->size - off, len);
		err = visit(ctx, skb_frag_address(frag) + (off - start), n, pos);
		if (err || n == len)
			return err;
		off += n, len -= n, pos += n;
	}
	for (f = sh->frag_list; f; start += f->len, f = f->next) {
		if (off >= start + f->len)
			continue;
		n = min(start + f->len - off, len);
		err = skb_walk_from(f, off - start, n, pos, visit, ctx);
		if (err || n == len)
			return err;
		off += n, len -= n, pos += n;
	}
	return -EFAULT;
}

int skb_walk(const struct sk_buff *skb, u32 off, u32 len, skb_visit_t visit, void *ctx)
{
	if (off > skb->len || len > skb->len - off)
		return -EFAULT;
	return len ? skb_walk_from(skb, off, len, 0, visit, ctx) : 0;
}

static int visit_copy_out(void *to, u8 *p, u32 n, u32 pos)
{
	memcpy((u8 *)to + pos, p, n);
	return 0;
}

int skb_copy_bits(const struct sk_buff *skb, u32 offset, void *to, u32 len)
{
	return skb_walk(skb, offset, len, visit_copy_out, to);
}

static int visit_copy_in(void *from, u8 *p, u32 n, u32 pos)
{
	memcpy(p, (const u8 *)from + pos, n);
	return 0;
}

int skb_store_bits(struct sk_buff *skb, u32 offset, const void *from, u32 len)
{
	return skb_walk(skb, offset, len, visit_copy_in, (void *)from);
}

/* ---- checksums ---------------------------------------------------------------------------------------- */

static int visit_sum(void *ctx, u8 *p, u32 n, u32 pos)
{
	u32 *sum = ctx;

	*sum = csum_block_add(*sum, csum_partial(p, n, 0), pos);
	return 0;
}

/*
 * Two of them are made for each packet on a wire, so that what skb_walk() does for any visitor is written out for pieces of head area and
 * fragments: some 150 instructions of a segment fewer.
 */
u32 skb_checksum(const struct sk_buff *skb, u32 offset, u32 len, u32 csum)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u32 start = skb_headlen(skb), pos = 0, n;

	assert(offset <= skb->len && len <= skb->len - offset);
	if (unlikely(sh->frag_list)) {
		(void)skb_walk(skb, offset, len, visit_sum, &csum);
		return csum;
	}
	if (offset < start) {
		pos = min(start - offset, len);
		csum = csum_partial(skb->data + offset, pos, csum);
	}
	for (const skb_frag_t *f = sh->frags; pos < len; start += f++->size) {
		u32 skip = offset + pos - start;

		if (skip >= f->size)
			continue;
		n = min(f->size - skip, len - pos);
		csum = csum_block_add(csum, csum_partial(skb_frag_address(f) + skip, n, 0), pos);
		pos += n;
	}
	return csum;
}

int skb_checksum_help(struct sk_buff *skb)
{
	int start = skb_checksum_start_offset(skb);
	u32 sum;
	u16 field;

	if (skb->ip_summed == CHECKSUM_COMPLETE)
		skb->ip_summed = CHECKSUM_NONE;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return 0;
	if (start < 0 || (u32)start + skb->csum_offset + sizeof(field) > skb->len ||
	    skb_is_gso(skb))
		return -EINVAL;
	if (skb_ensure_writable(skb, (u32)start + skb->csum_offset + (u32)sizeof(field)))
		return -ENOMEM;
	/* The field holds the sum of the pseudo header, so it is summed like any other octets. */
	sum = skb_checksum(skb, (u32)start, skb->len - (u32)start, 0);
	field = csum_fold(sum);
	if (!field) /* RFC 768: 0 means none; both zeros are the same number */
		field = 0xffff;
	memcpy(skb->data + start + skb->csum_offset, &field, sizeof(field));
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

/* ---- VLAN tags ---------------------------------------------------------------------------------------- */

int skb_vlan_push_inside(struct sk_buff *skb)
{
	be16 tag[2] = { skb->vlan_proto, cpu_to_be16(skb->vlan_tci) };

	static_assert(sizeof(tag) == VLAN_HLEN, "IEEE 802.1Q 9.4");
	if (!pskb_may_pull(skb, ETH_HLEN) || skb_cow_head(skb, VLAN_HLEN))
		return -ENOMEM;
	skb_push(skb, VLAN_HLEN);
	memmove(skb->data, skb->data + VLAN_HLEN, 2 * ETH_ALEN);
	memcpy(skb->data + 2 * ETH_ALEN, tag, sizeof(tag));
	skb_reset_mac_header(skb);
	skb->mac_len += VLAN_HLEN;
	skb->protocol = skb->vlan_proto;
	skb->vlan_present = 0;
	return 0;
}

/* ---- to the program ----------------------------------------------------------------------------------- */

static int visit_to_iter(void *to, u8 *p, u32 n, u32 pos)
{
	return copy_to_iter(p, n, to) == n ? 0 : -EFAULT;
}

/* The range, if it lies in the head area or the first fragment. NULL: it does not. */
static const u8 *skb_piece(const struct sk_buff *skb, u32 offset, u32 len)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u32 start = skb_headlen(skb);

	if ((u64)offset + len <= start)
		return skb->data + offset;
	if (offset < start || !sh->nr_frags || (u64)(offset - start) + len > sh->frags[0].size)
		return NULL;
	return skb_frag_address(&sh->frags[0]) + (offset - start);
}

int __skb_copy_datagram_iter(const struct sk_buff *skb, u32 offset, struct iov_iter *to, u32 len)
{
	const u8 *p = skb_piece(skb, offset, len);

	if (likely(p))
		return copy_to_iter(p, len, to) == len ? 0 : -EFAULT;
	return skb_walk(skb, offset, len, visit_to_iter, to);
}

struct csum_iter {
	struct iov_iter *to;
	u32 sum;
};

static int visit_to_iter_sum(void *ctx, u8 *p, u32 n, u32 pos)
{
	struct csum_iter *c = ctx;
	u32 sum;

	if (csum_and_copy_to_iter(p, n, &sum, c->to) != n)
		return -EFAULT;
	c->sum = csum_block_add(c->sum, sum, pos);
	return 0;
}

int skb_copy_and_csum_datagram_iter(struct sk_buff *skb, u32 hlen, struct iov_iter *to)
{
	u32 chunk = skb->len - hlen;
	struct iov_iter saved = *to;
	struct csum_iter c = { .to = to };
	int err;

	assert(hlen <= skb->len);
	if (skb_csum_unnecessary(skb))
		return skb_copy_datagram_iter(skb, hlen, to, min_t(size_t, chunk, to->count));
	if (to->count < chunk) { /* part of it goes out: the whole must be verified first */
		if (csum_fold(skb_checksum(skb, 0, skb->len, skb->csum)))
			return -EINVAL;
		skb->csum_valid = 1;
		return skb_copy_datagram_iter(skb, hlen, to, (u32)to->count);
	}
	c.sum = skb_checksum(skb, 0, hlen, skb->csum);
	if (hlen & 1) /* the payload's sum begins in the middle of a word */
		c.sum = csum_block_add(0, c.sum, 1);
	err = skb_walk(skb, hlen, chunk, visit_to_iter_sum, &c);
	if (!err && csum_fold(c.sum))
		err = -EINVAL;
	if (err)
		iov_iter_revert(to, &saved);
	else
		skb->csum_valid = 1;
	return err;
}

/* ---- appending ---------------------------------------------------------------------------------------- */

/* A slot for @page at @off: the last one if it ends there, else a new one (with a reference). NULL: all are used. */
static inline skb_frag_t *skb_frag_slot(struct sk_buff *skb, struct page *page, u32 off)
{
	struct skb_shared_info *sh = skb_shinfo(skb);
	skb_frag_t *last = sh->nr_frags ? &sh->frags[sh->nr_frags - 1] : NULL;

	if (last && last->page == page && last->offset + last->size == off)
		return last;
	if (sh->nr_frags == MAX_SKB_FRAGS)
		return NULL;
	last = &sh->frags[sh->nr_frags++];
	*last = (skb_frag_t){ .page = page, .offset = off };
	page_get(page);
	return last;
}

static inline void skb_grew(struct sk_buff *skb, u32 n)
{
	skb->len += n;
	skb->data_len += n;
	skb->truesize += n; /* who has charged the skb already charges this, too */
}

/* @from NULL: unwritten octets. */
static s64 skb_append_frags(struct sk_buff *skb, struct iov_iter *from, u32 len)
{
	struct skb_cache *c = skb->cpu->skb_cache;
	u32 done = 0, off, n;
	struct page *page;
	skb_frag_t *frag;

	assert(!skb_cloned(skb) && !skb_shinfo(skb)->frag_list && (!from || len <= from->count));
	while (done < len) {
		page = skb_frag_refill(skb->cpu);
		if (unlikely(!page))
			break;
		off = c->frag_off;
		n = min(SKB_PAGE_ROOM - off, len - done);
		frag = skb_frag_slot(skb, page, off);
		if (unlikely(!frag)) {
			skb_grew(skb, done);
			return done;
		}
		if (from)
			copy_from_iter(page->addr + off, n, from);
		frag->size += n;
		c->frag_off = off + n;
		done += n;
	}
	skb_grew(skb, done);
	return likely(done || !len) ? (s64)done : -ENOMEM;
}

s64 skb_append_space(struct sk_buff *skb, u32 len)
{
	return skb_append_frags(skb, NULL, len);
}

s64 skb_append_iter(struct sk_buff *skb, struct iov_iter *from, u32 len, bool linear_ok)
{
	u32 linear;
	s64 r;

	len = (u32)min_t(size_t, len, from->count);
	if (!linear_ok || skb_is_nonlinear(skb))
		return skb_append_frags(skb, from, len);
	linear = min(len, skb_tailroom(skb));
	copy_from_iter(skb_put(skb, linear), linear, from);
	if (linear == len)
		return linear;
	r = skb_append_frags(skb, from, len - linear);
	return r < 0 && linear ? linear : r < 0 ? r : linear + r;
}

bool skb_append_page(struct sk_buff *skb, struct page *page, u32 off, u32 len)
{
	skb_frag_t *f = skb_frag_slot(skb, page, off);

	if (!f)
		return false;
	f->size += len;
	skb_grew(skb, len);
	return true;
}

u32 skb_append_frag_refs(struct sk_buff *dst, const struct sk_buff *src, u32 off, u32 len)
{
	const struct skb_shared_info *sh = skb_shinfo(src);
	u32 start = skb_headlen(src), done = 0, i;

	assert(off >= start && !skb_cloned(dst) && !skb_shinfo(dst)->frag_list);
	for (i = 0; i < sh->nr_frags && done < len; start += sh->frags[i++].size) {
		const skb_frag_t *f = &sh->frags[i];
		u32 skip, n;
		skb_frag_t *to;

		if (off >= start + f->size)
			continue;
		skip = off - start;
		n = min(f->size - skip, len - done);
		to = skb_frag_slot(dst, f->page, f->offset + skip);
		if (!to)
			break;
		to->size += n;
		off += n;
		done += n;
	}
	skb_shinfo(dst)->zerocopy |= sh->zerocopy;
	skb_grew(dst, done);
	return done;
}

/* ---- joining and splitting ---------------------------------------------------------------------------- */

bool skb_try_coalesce(struct sk_buff *to, struct sk_buff *from, u32 *ret_delta_truesize)
{
	struct skb_shared_info *ts = skb_shinfo(to), *fs = skb_shinfo(from);
	u32 i, joined = 0;

	assert(to != from);
	if (skb_cloned(to) || skb_shared(to) || skb_shared(from) || ts->frag_list || fs->frag_list)
		return false;
	ts->zerocopy |= fs->zerocopy; /* too much is only a copy more */
	if (skb_headlen(from))        /* its payload would have to be copied */
		return false;
	if (fs->nr_frags && ts->nr_frags) {
		const skb_frag_t *last = &ts->frags[ts->nr_frags - 1];

		joined = last->page == fs->frags[0].page &&
			 last->offset + last->size == fs->frags[0].offset;
	}
	if (ts->nr_frags + fs->nr_frags - joined > MAX_SKB_FRAGS)
		return false;

	for (i = 0; i < fs->nr_frags; i++)
		skb_frag_slot(to, fs->frags[i].page, fs->frags[i].offset)->size +=
			fs->frags[i].size;
	to->len += from->data_len;
	to->data_len += from->data_len;
	skb_truesize_add(to, from->data_len);
	*ret_delta_truesize = from->data_len;
	if (unlikely(from->cpu->trace_on))
		__trace_skb(from, NULL, TP_consume_skb, TRACE_DONE, 0, to->id, 0, 0);
	from->users = 0;
	skb_free_silently(from);
	return true;
}

void skb_split(struct sk_buff *skb, struct sk_buff *skb1, u32 len)
{
	struct skb_shared_info *sh = skb_shinfo(skb), *sh1 = skb_shinfo(skb1);
	u32 headlen = skb_headlen(skb), start = headlen, moved = 0, kept = 0, i;

	assert(len <= skb->len && skb1->len == 0 && !sh1->nr_frags && !sh->frag_list);
	assert(!skb_cloned(skb) && !skb_cloned(skb1));
	if (len < headlen)
		skb_put_data(skb1, skb->data + len, headlen - len);
	for (i = 0; i < sh->nr_frags; i++) {
		skb_frag_t *f = &sh->frags[i];
		u32 size = f->size;

		if (start + size <= len) {
			kept++;
		} else {
			u32 skip = len > start ? len - start : 0;

			sh1->frags[sh1->nr_frags++] =
				(skb_frag_t){ f->page, f->offset + skip, size - skip };
			moved += size - skip;
			if (skip) {
				page_get(f->page);
				f->size = skip;
				kept++;
			}
		}
		start += size;
	}
	sh->nr_frags = (u8)kept & 0x7f;
	sh1->zerocopy = sh->zerocopy;
	if (len < headlen) {
		skb->tail = (u32)(skb->data - skb->head) + len;
		skb->data_len = 0;
	} else {
		skb->data_len = len - headlen;
	}
	skb->len = len;
	skb1->len += moved;
	skb1->data_len = moved;
	skb_truesize_add(skb, -(s64)moved);
	skb_truesize_add(skb1, moved);
}

/* ---- trimming and pulling ----------------------------------------------------------------------------- */

/* Cuts the fragments so that @len octets of them stay; returns how many are there. */
static u32 skb_trim_frags(struct skb_shared_info *sh, u32 len)
{
	u32 total = 0, n, i, kept = 0;

	for (i = 0; i < sh->nr_frags; i++) {
		n = min(sh->frags[i].size, len - total);
		if (n) {
			sh->frags[i].size = n;
			kept++;
		} else {
			page_put(sh->frags[i].page);
		}
		total += n;
	}
	sh->nr_frags = (u8)kept;
	return total;
}

/* Makes the skb at *@pf, a member of a frag_list, safe to change. */
static int skb_frag_list_own(struct sk_buff **pf)
{
	struct sk_buff *f = *pf, *n;

	if (!skb_shared(f))
		return 0;
	n = skb_clone(f);
	if (!n)
		return -ENOMEM;
	n->next = f->next;
	f->users--;
	*pf = n;
	return 0;
}

static int skb_trim_frag_list(struct skb_shared_info *sh, u32 len)
{
	struct sk_buff **pf, *f, *next;
	int err;

	for (pf = &sh->frag_list; *pf && len; pf = &(*pf)->next) {
		/* Even what stays whole is made ours: its next is about to change, and a clone may be on the same list. */
		err = skb_frag_list_own(pf);
		if (err)
			return err;
		if ((*pf)->len <= len) {
			len -= (*pf)->len;
			continue;
		}
		err = pskb_trim(*pf, len);
		if (err)
			return err;
		len = 0;
	}
	f = *pf;
	*pf = NULL;
	for (; f; f = next) {
		next = f->next;
		if (--f->users == 0)
			skb_free_silently(f);
	}
	return 0;
}

int ___pskb_trim(struct sk_buff *skb, u32 len)
{
	u32 headlen = skb_headlen(skb), old = skb->data_len, in_frags;
	struct skb_shared_info *sh;
	int err;

	if (skb_cloned(skb)) {
		err = pskb_expand_head(skb, 0, 0);
		if (err)
			return err;
	}
	sh = skb_shinfo(skb);
	in_frags = skb_trim_frags(sh, len > headlen ? len - headlen : 0);
	if (sh->frag_list) {
		err = skb_trim_frag_list(sh, len > headlen ? len - headlen - in_frags : 0);
		if (err)
			return err;
	}
	skb->len = len;
	if (len < headlen) {
		skb->tail = (u32)(skb->data - skb->head) + len;
		skb->data_len = 0;
	} else {
		skb->data_len = len - headlen;
	}
	skb_truesize_add(skb, (s64)skb->data_len - old);
	return 0;
}

/* Takes @n octets away from the front of the fragments. */
static void skb_eat_frags(struct skb_shared_info *sh, u32 *n)
{
	u32 i, kept = 0;

	for (i = 0; i < sh->nr_frags; i++) {
		u32 eat = min(sh->frags[i].size, *n);

		*n -= eat;
		if (eat == sh->frags[i].size) {
			page_put(sh->frags[i].page);
			continue;
		}
		sh->frags[kept] = sh->frags[i];
		sh->frags[kept].offset += eat;
		sh->frags[kept++].size -= eat;
	}
	sh->nr_frags = (u8)kept;
}

/* Takes @n octets away from the front of frag_list. 0 or -ENOMEM */
static int skb_eat_frag_list(struct skb_shared_info *sh, u32 n)
{
	struct sk_buff *f;
	int err;

	while (n) {
		f = sh->frag_list;
		if (f->len <= n) {
			n -= f->len;
			sh->frag_list = f->next;
			if (--f->users == 0)
				skb_free_silently(f);
			continue;
		}
		err = skb_frag_list_own(&sh->frag_list);
		if (err || !pskb_pull(sh->frag_list, n))
			return -ENOMEM;
		n = 0;
	}
	return 0;
}

void *__pskb_pull_tail(struct sk_buff *skb, u32 delta)
{
	u32 need = skb->tail + delta, left = delta;
	u8 *to;

	assert(delta <= skb->data_len);
	if (need > skb->end || skb_cloned(skb)) {
		/* Some spare room: headers are pulled one after the other. */
		u32 wish = need > skb->end ? need + (delta < 1024 ? 128 : 0) : skb->end;

		if (skb_realloc_head(skb, 0, wish, need))
			return NULL;
	}
	to = skb_tail_pointer(skb);
	if (skb_copy_bits(skb, skb_headlen(skb), to, delta))
		return NULL;
	skb_eat_frags(skb_shinfo(skb), &left);
	if (left && skb_eat_frag_list(skb_shinfo(skb), left))
		return NULL;
	skb->tail += delta;
	skb->data_len -= delta;
	skb_truesize_add(skb, -(s64)delta);
	return skb_tail_pointer(skb);
}
