/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.h - where the octets of packets lie; for skbuff.c, machine.c and the tests only. See arena.c */
#ifndef WEIR_CORE_ARENA_H
#define WEIR_CORE_ARENA_H

#include "core/skbuff.h"
#include "lib/types.h"

/* Classes of head areas: 512 octets << class, shared info included. 128 KiB holds a full segmentation unit made linear. */
#define ARENA_MIN_SHIFT  9
#define ARENA_NR_CLASSES 9
#define ARENA_MAX_SIZE   (1u << (ARENA_MIN_SHIFT + ARENA_NR_CLASSES - 1))

/* Beside the head areas: struct sk_buff, and pages for fragments. */
enum { ARENA_KIND_SKB = ARENA_NR_CLASSES, ARENA_KIND_PAGE, ARENA_NR_KINDS };

#define ARENA_SKB_SIZE 256 /* of a struct sk_buff's slot */

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_POISON 1
#endif
#endif
#ifndef WEIR_POISON
#define WEIR_POISON 0
#endif

/* cpu->skb_cache */
struct skb_cache {
	struct arena *arena;
	struct page *frag_page; /* the current page; holds a reference. NULL: none */
	u32 frag_off;           /* octets of it given out */
	u64 skb_live;
};

int skb_cache_init(struct cpu *cpu); /* 0 or -ENOMEM */
void skb_cache_fini(struct cpu *cpu);

#define ARENA_CHUNK_SIZE (2u << 20)
#define ARENA_BLOCK_SIZE (32u << 10)

struct slot { /* a free slot, in its own first octets */
	struct slot *next;
	struct slot **pprev; /* while parked */
	unsigned kind;       /* on remote lists */
};

struct arena_kind {
	struct slot *free;
	struct slot *parked; /* free, and counted in their runs */
	u8 *cut, *cut_end;   /* the run that is being cut */
};

struct arena {
	struct cpu *cpu;
	struct arena_kind kinds[ARENA_NR_KINDS];
	struct chunk *chunks; /* the first one is cut from */
	u32 nr_vacant;        /* blocks of all chunks */
	u64 reclaim_at;       /* not again before (cpu->now) */
	u32 reclaim_kind;     /* where to go on */
	u64 octets, mallocs;
	struct slot *remote; /* atomic: what other cpus gave back */
	/* what we have to give back to others: one owner at a time */
	struct arena *batch_owner;
	struct slot *batch_first, *batch_last;
	u32 batch_len;
};

/* arena.c. All: lock of @cpu held. */
struct arena *arena_create(struct cpu *cpu);
void arena_destroy(struct arena *a); /* all memory of it, in use or not */
u64 arena_octets(const struct arena *a);
u64 arena_mallocs(const struct arena *a);
/* The halves out of line of what follows. */
void *arena_alloc_slow(struct arena *a, unsigned kind);
void *arena_alloc_larger(struct arena *a, unsigned class, unsigned *ret_class);
void arena_free_remote(struct arena *a, void *p, unsigned kind);
/* A block for slab.c, aligned to its size, which does not count for the limit. NULL: the system has no more. */
void *arena_block_alloc(struct arena *a);
void arena_block_free(struct arena *a, void *block);

static inline u32 arena_class_size(unsigned class)
{
	return 1u << (ARENA_MIN_SHIFT + class);
}

static inline u32 arena_kind_size(unsigned kind)
{
	return kind == ARENA_KIND_SKB    ? ARENA_SKB_SIZE
	       : kind == ARENA_KIND_PAGE ? SKB_PAGE_SIZE
					 : 1u << (ARENA_MIN_SHIFT + kind);
}

/* Whose @p is: a chunk begins with it. */
static inline struct arena *arena_of(const void *p)
{
	return *(struct arena **)((uintptr_t)p & ~(uintptr_t)(ARENA_CHUNK_SIZE - 1));
}

/* NULL: limit reached, or the system has no more. @kind: a class or ARENA_KIND_*. */
static inline void *arena_alloc(struct arena *a, unsigned kind)
{
	struct slot *s = a->kinds[kind].free;

	if (WEIR_POISON || unlikely(!s))
		return arena_alloc_slow(a, kind);
	a->kinds[kind].free = s->next;
	return s;
}

/* To the arena it came from; @a is the one of the cpu that frees. */
static inline void arena_free(struct arena *a, void *p, unsigned kind)
{
	struct slot *s = (struct slot *)p;

	if (WEIR_POISON || unlikely(arena_of(p) != a)) {
		arena_free_remote(a, p, kind);
		return;
	}
	s->next = a->kinds[kind].free;
	a->kinds[kind].free = s;
}

/* A head area of at least @size octets; the class it was given in *ret_class. */
static inline void *arena_alloc_head(struct arena *a, u32 size, unsigned *ret_class)
{
	unsigned class = size <= 1u << ARENA_MIN_SHIFT ? 0 : order_base_2(size) - ARENA_MIN_SHIFT;
	void *p;

	if (unlikely(size > ARENA_MAX_SIZE))
		return NULL;
	*ret_class = class;
	p = arena_alloc(a, class);
	return likely(p) ? p : arena_alloc_larger(a, class, ret_class);
}

#endif
