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

/* arena.c. All: lock of @cpu held. */
struct arena *arena_create(struct cpu *cpu);
void arena_destroy(struct arena *a); /* all memory of it, in use or not */
/* NULL: limit reached, or the system has no more. @kind: a class or ARENA_KIND_*. */
void *arena_alloc(struct arena *a, unsigned kind);
/* To the arena it came from; @a is the one of the cpu that frees. */
void arena_free(struct arena *a, void *p, unsigned kind);
/* A head area of at least @size octets; the class it was given in *ret_class. */
void *arena_alloc_head(struct arena *a, u32 size, unsigned *ret_class);
u64 arena_octets(const struct arena *a);
u64 arena_mallocs(const struct arena *a);

static inline u32 arena_kind_size(unsigned kind)
{
	return kind == ARENA_KIND_SKB    ? ARENA_SKB_SIZE
	       : kind == ARENA_KIND_PAGE ? SKB_PAGE_SIZE
					 : 1u << (ARENA_MIN_SHIFT + kind);
}

#endif
