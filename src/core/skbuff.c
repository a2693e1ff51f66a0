/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skbuff.c - the packet buffer: life, sharing, shape
 *
 * Theory of operation: core/skbuff.h. What walks the octets is in skb_iter.c, where memory comes from in arena.c.
 *
 * truesize is what an skb costs: its struct, its head area, and the octets of its fragments (not their whole pages, which are
 * shared). Functions that change it keep a charge to a socket in step (skb_truesize_add()).
 * Locking: everything under the lock of skb->cpu.
 */
#include "core/skbuff.h"

#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/cpu.h"
#include "core/dst.h"
#include "core/netdevice.h"
#include "core/skb_internal.h"
#include "core/sock.h"

/* ---- memory ------------------------------------------------------------------------------------------- */

int skb_cache_init(struct cpu *cpu)
{
	struct skb_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->arena = arena_create(cpu);
	if (!c->arena) {
		free(c);
		return -ENOMEM;
	}
	cpu->skb_cache = c;
	return 0;
}

void skb_cache_fini(struct cpu *cpu)
{
	struct skb_cache *c = cpu->skb_cache;

	if (!c)
		return;
	if (c->frag_page) {
		c->frag_page->refcount--;
		if (!c->frag_page->refcount)
			arena_free(c->arena, c->frag_page, ARENA_KIND_PAGE);
	}
	arena_destroy(c->arena);
	free(c);
	cpu->skb_cache = NULL;
}

void skb_memory(struct cpu *cpu, struct skb_memory *ret)
{
	lock_assert_held(cpu);
	*ret = (struct skb_memory){
		.skb_live = cpu->skb_cache->skb_live,
		.arena_octets = arena_octets(cpu->skb_cache->arena),
		.mallocs = arena_mallocs(cpu->skb_cache->arena),
	};
}

static_assert(PACKET_SLOT_SIZE == ARENA_SKB_SIZE, "slots are of the kind of struct sk_buff");

void *packet_slot_alloc(struct cpu *cpu)
{
	lock_assert_held(cpu);
	return arena_alloc(cpu->skb_cache->arena, ARENA_KIND_SKB);
}

void packet_slot_free(struct cpu *cpu, void *slot)
{
	arena_free(cpu->skb_cache->arena, slot, ARENA_KIND_SKB);
}

struct page *page_alloc(struct cpu *cpu)
{
	struct page *p = arena_alloc(cpu->skb_cache->arena, ARENA_KIND_PAGE);

	if (!p)
		return NULL;
	*p = (struct page){
		.refcount = 1,
		.size = SKB_PAGE_SIZE,
		.owner = cpu,
		.addr = (u8 *)p + sizeof(*p),
	};
	return p;
}

void page_put(struct page *page)
{
	assert(page->refcount > 0);
	if (--page->refcount)
		return;
	if (page->release)
		page->release(page);
	else
		arena_free(page->owner->skb_cache->arena, page, ARENA_KIND_PAGE);
}

/* A page in place of the current one, which is full, or of none. */
struct page *__skb_frag_refill(struct cpu *cpu)
{
	struct skb_cache *c = cpu->skb_cache;
	struct page *fresh = page_alloc(cpu);

	if (!fresh)
		return NULL;
	if (c->frag_page)
		page_put(c->frag_page);
	c->frag_page = fresh;
	c->frag_off = 0;
	return fresh;
}

void skb_truesize_add(struct sk_buff *skb, s64 delta)
{
	if (!skb->destructor)
		skb->truesize += (u32)delta;
	else if (skb->destructor == sock_wfree) {
		skb->truesize += (u32)delta;
		skb->sk->sk_wmem_alloc += (u32)delta;
	} else if (skb->destructor == sock_rfree) {
		skb->truesize += (u32)delta;
		skb->sk->sk_rmem_alloc += (u32)delta;
	}
	/* A protocol's own accounting: it gives back what it took, so truesize must stay. */
}

/* ---- making ------------------------------------------------------------------------------------------- */

static u64 skb_new_id(struct cpu *cpu)
{
	return cpu->next_skb_id += 1u << 8;
}

static inline struct sk_buff *skb_alloc_struct(struct cpu *cpu)
{
	struct sk_buff *skb;

	lock_assert_held(cpu);
	skb = arena_alloc(cpu->skb_cache->arena, ARENA_KIND_SKB);
	if (skb)
		cpu->skb_cache->skb_live++;
	return skb;
}

static inline void skb_free_struct(struct sk_buff *skb)
{
	struct skb_cache *c = skb->cpu->skb_cache;

	c->skb_live--;
	arena_free(c->arena, skb, ARENA_KIND_SKB);
}

static void skb_shinfo_init(struct sk_buff *skb)
{
	struct skb_shared_info *sh = skb_shinfo(skb);

	memset(sh, 0, offsetof(struct skb_shared_info, frags));
	sh->dataref = 1;
}

/* All behind the line of lists and memory, by steps that become plain stores instead of a loop. */
static inline void skb_clear_state(struct sk_buff *skb)
{
	u8 *p = (u8 *)&skb->dev;

	static_assert(sizeof(*skb) - offsetof(struct sk_buff, dev) == 176,
		      "what is cleared is all that is not set");
	memset(p, 0, 64);
	memset(p + 64, 0, 64);
	memset(p + 128, 0, 48);
}

/* An skb with all fields set but id's parent; not traced. */
static __inlined struct sk_buff *__alloc_skb_inline(struct cpu *cpu, u32 size)
{
	const u32 shinfo = ALIGN_UP((u32)sizeof(struct skb_shared_info), 8u);
	struct sk_buff *skb;
	unsigned class;
	u32 head_size;
	u8 *head;

	if (size > ARENA_MAX_SIZE - shinfo)
		return NULL;
	skb = skb_alloc_struct(cpu);
	if (unlikely(!skb))
		return NULL;
	head = arena_alloc_head(cpu->skb_cache->arena, size + shinfo, &class);
	if (unlikely(!head)) {
		skb->cpu = cpu;
		skb_free_struct(skb);
		return NULL;
	}
	skb_clear_state(skb);
	head_size = arena_class_size(class);
	skb->rbnode = (struct rb_node){ 0 };
	skb->head = skb->data = head;
	skb->tail = 0;
	skb->end = head_size - shinfo;
	skb->len = skb->data_len = 0;
	skb->mac_header = skb->network_header = skb->transport_header = SKB_NO_HEADER;
	skb->mac_len = 0;
	skb->cpu = cpu;
	skb->head_slab = class & 0x1f;
	skb->users = 1;
	skb->truesize = ARENA_SKB_SIZE + head_size;
	skb->id = skb_new_id(cpu);
	skb_shinfo_init(skb);
	return skb;
}

static struct sk_buff *__alloc_skb(struct cpu *cpu, u32 size)
{
	return __alloc_skb_inline(cpu, size);
}

struct sk_buff *alloc_skb(struct cpu *cpu, u32 size)
{
	struct sk_buff *skb = __alloc_skb_inline(cpu, size);

	if (skb && unlikely(cpu->trace_on))
		__trace_skb(skb, NULL, TP_alloc_skb, TRACE_CREATE, 0, 0, size, 0);
	return skb;
}

struct sk_buff *netdev_alloc_skb(struct net_device *dev, u32 size)
{
	struct sk_buff *skb;

	if (size > ARENA_MAX_SIZE) /* the sum below could wrap */
		return NULL;
	skb = __alloc_skb(dev->cpu, size + NET_SKB_PAD);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	skb->dev = dev;
	trace_skb(skb, dev->net, TP_alloc_skb, TRACE_CREATE, size, 0);
	return skb;
}

struct sk_buff *alloc_skb_with_frags(struct cpu *cpu, u32 header, u32 data)
{
	struct sk_buff *skb = alloc_skb(cpu, header);

	if (!skb)
		return NULL;
	if (data && skb_append_space(skb, data) != (s64)data) {
		consume_skb(skb); /* not a packet yet: nothing is discarded */
		return NULL;
	}
	return skb;
}

/* ---- ending ------------------------------------------------------------------------------------------- */

static void skb_free_frag_list(struct sk_buff *skb)
{
	struct sk_buff *next;

	for (; skb; skb = next) {
		next = skb->next;
		if (--skb->users == 0)
			skb_free_silently(skb);
	}
}

static __inlined void skb_release_data(struct sk_buff *skb)
{
	struct skb_shared_info *sh = skb_shinfo(skb);
	u32 i;

	if (skb->cloned) {
		sh->dataref -= skb->nohdr ? (1u << SKB_DATAREF_SHIFT) + 1 : 1;
		if (sh->dataref & SKB_DATAREF_MASK)
			return;
	}
	for (i = 0; i < sh->nr_frags; i++)
		page_put(sh->frags[i].page);
	if (unlikely(sh->frag_list))
		skb_free_frag_list(sh->frag_list);
	arena_free(skb->cpu->skb_cache->arena, skb->head, skb->head_slab);
}

/* The end of an skb without a trace record: what is traced or counted is done. */
static __inlined void __skb_free_silently(struct sk_buff *skb)
{
	skb_dst_drop(skb);
	skb_orphan(skb);
	skb_release_data(skb);
	skb_free_struct(skb);
}

void skb_free_silently(struct sk_buff *skb)
{
	__skb_free_silently(skb);
}

static struct net *skb_net(const struct sk_buff *skb)
{
	return skb->dev ? skb->dev->net : skb->sk ? sock_net(skb->sk) : NULL;
}

void consume_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	assert(skb->users > 0);
	if (--skb->users)
		return;
	trace_skb(skb, NULL, TP_consume_skb, TRACE_DONE, 0, 0);
	__skb_free_silently(skb);
}

void kfree_skb_reason(struct sk_buff *skb, skb_drop_reason_t reason)
{
	struct net *net;

	if (!skb)
		return;
	assert(skb->users > 0 && reason != SKB_NOT_DROPPED && reason < SKB_DROP_MAX);
	if (--skb->users)
		return;
	net = skb_net(skb);
	if (net && net->drop_counts)
		++*net_drop_counter(net, reason);
	if (unlikely(skb->cpu->trace_on))
		__trace_skb(skb, net, TP_kfree_skb, TRACE_DROP, reason, 0, 0, 0);
	skb_free_silently(skb);
}

void kfree_skb_list_reason(struct sk_buff *skb, skb_drop_reason_t reason)
{
	struct sk_buff *next;

	for (; skb; skb = next) {
		next = skb->next;
		skb->next = NULL;
		kfree_skb_reason(skb, reason);
	}
}

/* ---- sharing ------------------------------------------------------------------------------------------ */

static void skb_trace_child(const struct sk_buff *n)
{
	if (unlikely(n->cpu->trace_on))
		__trace_skb(n, NULL, TP_skb_clone, TRACE_CREATE, 0, n->parent_id, 0, 0);
}

/* What a child has from its parent, be it a clone or a copy. */
static void skb_child_init(struct sk_buff *n, const struct sk_buff *parent, u64 id)
{
	n->next = n->prev = NULL;
	n->users = 1;
	n->sk = NULL;
	n->destructor = NULL;
	n->peeked = 0;
	n->nohdr = 0;
	n->id = id;
	n->parent_id = parent->id;
	if (n->dst)
		dst_hold(n->dst);
}

struct sk_buff *skb_clone(const struct sk_buff *skb)
{
	struct sk_buff *n = skb_alloc_struct(skb->cpu);

	if (!n)
		return NULL;
	memcpy(n, skb, sizeof(*n));
	skb_child_init(n, skb, skb_new_id(skb->cpu));
	n->cloned = 1;
	((struct sk_buff *)skb)->cloned = 1;
	skb_shinfo(skb)->dataref++;
	skb_trace_child(n);
	return n;
}

/* Everything but the memory: from dev on, and the header offsets, which count from the same headroom. */
static void skb_copy_header(struct sk_buff *n, const struct sk_buff *old)
{
	const size_t from = offsetof(struct sk_buff, dev);
	struct skb_shared_info *to = skb_shinfo(n);
	const struct skb_shared_info *sh = skb_shinfo(old);
	unsigned class = n->head_slab;
	u32 truesize = n->truesize;
	u64 id = n->id;

	memcpy((u8 *)n + from, (const u8 *)old + from, sizeof(*n) - from);
	skb_child_init(n, old, id);
	n->truesize = truesize;
	n->head_slab = class & 0x1f;
	n->cloned = 0;
	n->transport_header = old->transport_header;
	n->network_header = old->network_header;
	n->mac_header = old->mac_header;
	n->mac_len = old->mac_len;
	to->gso_size = sh->gso_size;
	to->gso_segs = sh->gso_segs;
	to->gso_type = sh->gso_type;
	to->tx_flags = sh->tx_flags;
	to->tskey = sh->tskey;
}

struct sk_buff *skb_copy(const struct sk_buff *skb)
{
	u32 headroom = skb_headroom(skb);
	struct sk_buff *n = __alloc_skb(skb->cpu, headroom + skb->len);
	int err;

	if (!n)
		return NULL;
	skb_reserve(n, headroom);
	skb_put(n, skb->len);
	/* Headers may lie in the headroom already pulled (mac): they come along. */
	memcpy(n->head, skb->head, headroom);
	err = skb_copy_bits(skb, 0, n->data, skb->len);
	assert(!err);
	(void)err;
	skb_copy_header(n, skb);
	skb_trace_child(n);
	return n;
}

/* @n's fragments become references to @skb's. */
static void skb_share_frags(struct sk_buff *n, const struct sk_buff *skb)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	struct skb_shared_info *to = skb_shinfo(n);
	struct sk_buff *f;
	u32 i;

	for (i = 0; i < sh->nr_frags; i++) {
		to->frags[i] = sh->frags[i];
		page_get(to->frags[i].page);
	}
	to->nr_frags = sh->nr_frags;
	to->zerocopy = sh->zerocopy;
	to->frag_list = sh->frag_list;
	for (f = sh->frag_list; f; f = f->next)
		skb_get(f);
}

struct sk_buff *pskb_copy(const struct sk_buff *skb)
{
	u32 headroom = skb_headroom(skb);
	struct sk_buff *n = __alloc_skb(skb->cpu, headroom + skb_headlen(skb));

	if (!n)
		return NULL;
	skb_reserve(n, headroom);
	memcpy(n->head, skb->head, headroom);
	skb_put_data(n, skb->data, skb_headlen(skb));
	skb_share_frags(n, skb);
	n->data_len = skb->data_len;
	n->len += n->data_len;
	n->truesize += n->data_len;
	skb_copy_header(n, skb);
	skb_trace_child(n);
	return n;
}

struct sk_buff *skb_unshare(struct sk_buff *skb)
{
	struct sk_buff *n;

	if (!skb_shared(skb) && !skb_cloned(skb))
		return skb;
	n = skb_copy(skb);
	if (n)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
	return n;
}

struct sk_buff *__skb_share_check(struct sk_buff *skb)
{
	struct sk_buff *n;

	n = skb_clone(skb);
	if (n)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
	return n;
}

/* ---- shape of the head area --------------------------------------------------------------------------- */

static void skb_shift_offset(u16 *offset, u32 by)
{
	if (*offset != SKB_NO_HEADER)
		*offset = (u16)(*offset + by);
}

int skb_realloc_head(struct sk_buff *skb, u32 nhead, u32 wish, u32 need)
{
	const u32 shinfo = ALIGN_UP((u32)sizeof(struct skb_shared_info), 8u);
	struct skb_cache *c = skb->cpu->skb_cache;
	u32 used = skb->tail;
	u32 old_size = arena_kind_size(skb->head_slab);
	struct sk_buff fresh;
	unsigned class;
	u8 *head;

	assert(!skb_shared(skb) && used <= need && need <= wish);
	if (nhead > ARENA_MAX_SIZE || need > ARENA_MAX_SIZE)
		return -ENOMEM;
	nhead = ALIGN_UP(nhead, 8u); /* header structures keep their alignment */
	head = arena_alloc_head(c->arena, nhead + wish + shinfo, &class);
	if (!head)
		head = arena_alloc_head(c->arena, nhead + need + shinfo, &class);
	if (!head)
		return -ENOMEM;
	memcpy(head + nhead, skb->head, used);

	fresh = (struct sk_buff){ .head = head, .end = arena_kind_size(class) - shinfo };
	memcpy(skb_shinfo(&fresh), skb_shinfo(skb), offsetof(struct skb_shared_info, frags));
	skb_shinfo(&fresh)->dataref = 1;
	if (skb_cloned(skb)) {
		skb_share_frags(&fresh, skb);
		skb_release_data(skb); /* one reference less; the others keep it */
	} else {
		memcpy(skb_shinfo(&fresh)->frags, skb_shinfo(skb)->frags,
		       skb_shinfo(skb)->nr_frags * sizeof(skb_frag_t));
		arena_free(c->arena, skb->head, skb->head_slab);
	}
	skb->data = head + nhead + (skb->data - skb->head);
	skb->head = head;
	skb->end = fresh.end;
	skb->tail += nhead;
	skb->head_slab = class & 0x1f;
	skb->cloned = 0;
	skb->nohdr = 0;
	skb_shift_offset(&skb->mac_header, nhead);
	skb_shift_offset(&skb->network_header, nhead);
	skb_shift_offset(&skb->transport_header, nhead);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb->csum_start = (u16)(skb->csum_start + nhead);
	skb_truesize_add(skb, (s64)arena_kind_size(class) - old_size);
	return 0;
}

int pskb_expand_head(struct sk_buff *skb, u32 nhead, u32 ntail)
{
	ntail = min(ntail, (u32)ARENA_MAX_SIZE + 1); /* which fails; so that no sum wraps */
	/* The tail room that was there is a wish, not a need. */
	return skb_realloc_head(skb, nhead, skb->end + ntail, skb->tail + ntail);
}

int skb_cow_head(struct sk_buff *skb, u32 headroom)
{
	u32 delta = headroom > skb_headroom(skb) ? headroom - skb_headroom(skb) : 0;

	if (!delta && !skb_header_cloned(skb))
		return 0;
	return pskb_expand_head(skb, ALIGN_UP(delta, (u32)NET_SKB_PAD), 0);
}

int skb_ensure_writable(struct sk_buff *skb, u32 len)
{
	if (!pskb_may_pull(skb, len))
		return -ENOMEM;
	return skb_cloned(skb) ? pskb_expand_head(skb, 0, 0) : 0;
}

int skb_linearize(struct sk_buff *skb)
{
	return !skb_is_nonlinear(skb) || __pskb_pull_tail(skb, skb->data_len) ? 0 : -ENOMEM;
}

/* May the memory of @skb change hands with it, without a trace left on this cpu? */
static bool skb_is_exclusive(const struct sk_buff *skb)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u32 i;

	if (skb_shared(skb) || skb_cloned(skb) || sh->frag_list)
		return false;
	for (i = 0; i < sh->nr_frags; i++)
		if (sh->frags[i].page->refcount != 1 || sh->frags[i].page->release)
			return false;
	return true;
}

struct sk_buff *skb_migrate(struct sk_buff *skb, struct cpu *cpu)
{
	u32 i;

	lock_assert_held(skb->cpu);
	if (skb->cpu == cpu)
		return skb;
	if (!skb_is_exclusive(skb)) {
		struct sk_buff *n = skb_copy(skb);

		if (!n) {
			kfree_skb_reason(skb, SKB_DROP_NOMEM);
			return NULL;
		}
		consume_skb(skb);
		skb = n;
	}
	skb_orphan(skb);
	skb_dst_drop(skb);
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
		skb_shinfo(skb)->frags[i].page->owner = cpu;
	skb->cloned = 0;
	skb->cpu = cpu;
	return skb;
}

/* ---- what crosses borders ----------------------------------------------------------------------------- */

void __skb_dst_drop(struct sk_buff *skb)
{
	struct dst_entry *dst = skb->dst;

	skb->dst = NULL;
	dst_release(dst);
}

void skb_scrub_packet(struct sk_buff *skb, bool xnet)
{
	skb->pkt_type = SKB_PACKET_HOST;
	skb->skb_iif = 0;
	skb->nf_trace = 0;
	skb->nfct = NULL;
	skb->offload_fwd_mark = 0;
	skb->redirected = 0;
	skb_dst_drop(skb);
	if (!xnet)
		return;
	skb->mark = 0;
	skb->priority = 0;
	skb->tstamp = 0;
	skb->hash = 0;
	skb->l4_hash = skb->sw_hash = 0;
	skb->tc_index = 0;
	skb->dst_pending_confirm = 0;
}

/* ---- queues ------------------------------------------------------------------------------------------- */

void skb_queue_splice_tail_init(struct sk_buff_head *from, struct sk_buff_head *to)
{
	if (skb_queue_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = (struct sk_buff *)to;
	to->prev = from->prev;
	to->qlen += from->qlen;
	skb_queue_head_init(from);
}

void skb_queue_purge_reason(struct sk_buff_head *q, skb_drop_reason_t reason)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(q)))
		kfree_skb_reason(skb, reason);
}

void skb_queue_consume(struct sk_buff_head *q)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(q)))
		consume_skb(skb);
}
