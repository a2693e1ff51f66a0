/* SPDX-License-Identifier: BSD-2-Clause */
/* skb_internal.h - between skbuff.c and skb_iter.c */
#ifndef WEIR_CORE_SKB_INTERNAL_H
#define WEIR_CORE_SKB_INTERNAL_H

#include "core/arena.h"
#include "core/cpu.h"

/* skbuff.c */

#define SKB_PAGE_ROOM (SKB_PAGE_SIZE - (u32)sizeof(struct page))
struct page *__skb_frag_refill(struct cpu *cpu);
/*
 * The page that this cpu fills at the moment, at skb_cache->frag_off, where there is room for an octet at least. NULL: no memory.
 * When nobody else refers to the page any more, it is filled again from its start: bulk transfers go round in one or two pages that stay in
 * the cache.
 */
static inline struct page *skb_frag_refill(struct cpu *cpu)
{
	struct skb_cache *c = cpu->skb_cache;
	struct page *p = c->frag_page;

	if (unlikely(!p))
		return __skb_frag_refill(cpu);
	if (p->refcount == 1 && !WEIR_POISON)
		c->frag_off = 0;
	return likely(c->frag_off < SKB_PAGE_ROOM) ? p : __skb_frag_refill(cpu);
}
/* Changes truesize, and a charge by sock_wfree or sock_rfree with it. */
void skb_truesize_add(struct sk_buff *skb, s64 delta);
/* A private head area with @nhead more headroom, in which offsets (from the old head) up to @wish can be used, or, if memory is short,
 * up to @need. 0 or -ENOMEM. */
int skb_realloc_head(struct sk_buff *skb, u32 nhead, u32 wish, u32 need);
/* Frees an skb nobody refers to, without a record. */
void skb_free_silently(struct sk_buff *skb);

/* skb_iter.c */

/* Appends @len unwritten octets in fragments: octets appended, or -ENOMEM. */
s64 skb_append_space(struct sk_buff *skb, u32 len);

#endif
