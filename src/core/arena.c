/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.c - memory for packets: slabs per cpu, no malloc on the packet path
 *
 * Theory of operation
 *   An arena belongs to one cpu. It takes chunks of 2 MiB from the system, cuts them into blocks of 32 KiB, and gives runs of
 *   blocks to kinds: the power-of-two classes of head areas, struct sk_buff, pages. A kind cuts its run into slots one after
 *   the other, only when its free list is empty, so that memory that was never needed is never touched. What is freed goes to
 *   the head of the free list of its kind: last in, first out, while it is still in the cache.
 *
 *   A chunk is aligned to its size and begins with a pointer to its arena: any slot knows its owner. When another cpu frees it
 *   (the packet has crossed), it collects slots per owner and gives them back in batches through a list that the owner empties
 *   when a kind runs out.
 *
 *   The first chunk is kept out of huge pages, so that an idle machine has a few pages resident; the later ones ask for them.
 *
 *   Limit: machine->mem_limit bounds the blocks taken by all arenas together; then allocation falls back to larger free head
 *   areas, and then fails.
 *
 *   With AddressSanitizer (WEIR_POISON) every slot is a malloc of its own and is never recycled, so that a use after free is
 *   reported with the place that freed. The limit counts the octets in use then.
 * Locking: the cpu's lock, but for the remote list (atomic) and machine->arena_octets (atomic).
 */
#include "core/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/cpu.h"
#include "core/machine.h"

#define CHUNK_SIZE       (2u << 20)
#define BLOCK_SIZE       (32u << 10)
#define BLOCKS_PER_CHUNK (CHUNK_SIZE / BLOCK_SIZE)
#define REMOTE_BATCH     32

static_assert(sizeof(struct sk_buff) <= ARENA_SKB_SIZE,
	      "the slot of a struct sk_buff is too small");

struct slot { /* a free slot, in its own first octets */
	struct slot *next;
	unsigned kind; /* on remote lists */
};

struct chunk {
	struct arena *arena;
	struct chunk *next;
	u32 used; /* blocks */
};

struct arena_kind {
	struct slot *free;
	u8 *cut, *cut_end; /* the run that is being cut */
};

struct arena {
	struct cpu *cpu;
	struct arena_kind kinds[ARENA_NR_KINDS];
	struct chunk *chunks; /* the first one is cut from */
	u64 octets, mallocs;
	struct slot *remote; /* atomic: what other cpus gave back */
	/* what we have to give back to others: one owner at a time */
	struct arena *batch_owner;
	struct slot *batch_first, *batch_last;
	u32 batch_len;
};

static bool arena_charge(struct arena *a, u64 octets)
{
	struct machine *m = a->cpu->machine;
	u64 total = __atomic_add_fetch(&m->arena_octets, octets, __ATOMIC_RELAXED);

	if (total > m->mem_limit) {
		__atomic_sub_fetch(&m->arena_octets, octets, __ATOMIC_RELAXED);
		return false;
	}
	a->octets += octets;
	return true;
}

static void arena_uncharge(struct arena *a, u64 octets)
{
	__atomic_sub_fetch(&a->cpu->machine->arena_octets, octets, __ATOMIC_RELAXED);
	a->octets -= octets;
}

static void arena_count_malloc(struct arena *a)
{
	a->mallocs++;
	__atomic_add_fetch(&a->cpu->machine->arena_mallocs, 1, __ATOMIC_RELAXED);
}

#if WEIR_POISON

static void *arena_refill(struct arena *a, unsigned kind)
{
	u32 size = arena_kind_size(kind);
	void *p;

	if (!arena_charge(a, size))
		return NULL;
	p = aligned_alloc(CACHE_LINE, size);
	if (!p) {
		arena_uncharge(a, size);
		return NULL;
	}
	memset(p, 0xa5, size);
	arena_count_malloc(a);
	return p;
}

void *arena_alloc(struct arena *a, unsigned kind)
{
	return arena_refill(a, kind);
}

void arena_free(struct arena *a, void *p, unsigned kind)
{
	memset(p, 0x5a, arena_kind_size(kind));
	arena_uncharge(a, arena_kind_size(kind));
	free(p);
}

static void *arena_alloc_larger(struct arena *a, unsigned class, unsigned *ret_class)
{
	return NULL;
}

void arena_destroy(struct arena *a)
{
	free(a);
}

#else

static struct chunk *chunk_of(void *p)
{
	return (struct chunk *)((uintptr_t)p & ~(uintptr_t)(CHUNK_SIZE - 1));
}

/* A chunk, or NULL. Nothing but its first page is touched. */
static struct chunk *chunk_map(struct arena *a)
{
	size_t map_size = 2 * (size_t)CHUNK_SIZE;
	u8 *map = mmap(NULL, map_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *start;
	struct chunk *c;

	if (map == MAP_FAILED)
		return NULL;
	start = (u8 *)ALIGN_UP((uintptr_t)map, (uintptr_t)CHUNK_SIZE);
	if (start > map)
		munmap(map, (size_t)(start - map));
	if (start + CHUNK_SIZE < map + map_size)
		munmap(start + CHUNK_SIZE, (size_t)(map + map_size - start - CHUNK_SIZE));
	/* Advice only: without huge pages it works as well. */
	(void)madvise(start, CHUNK_SIZE, a->chunks ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	arena_count_malloc(a);
	c = (struct chunk *)start;
	*c = (struct chunk){ .arena = a };
	return c;
}

/* How many blocks a kind takes at once. */
static u32 run_blocks(unsigned kind)
{
	return DIV_ROUND_UP(arena_kind_size(kind), BLOCK_SIZE);
}

/* Gives @kind a new run to cut. False: limit, or no memory. */
static bool kind_grow(struct arena *a, unsigned kind)
{
	struct arena_kind *k = &a->kinds[kind];
	u32 n = run_blocks(kind);
	struct chunk *c = a->chunks;
	u8 *start;

	if (!arena_charge(a, (u64)n * BLOCK_SIZE))
		return false;
	if (!c || c->used + n > BLOCKS_PER_CHUNK) {
		c = chunk_map(a);
		if (!c) {
			arena_uncharge(a, (u64)n * BLOCK_SIZE);
			return false;
		}
		c->used =
			1; /* for the chunk's own head; small kinds get the rest of that block below */
		c->next = a->chunks;
		a->chunks = c;
		if (arena_kind_size(kind) < BLOCK_SIZE / 2) {
			k->cut = (u8 *)c + ALIGN_UP((u32)sizeof(*c), arena_kind_size(kind));
			k->cut_end = (u8 *)c + BLOCK_SIZE;
			return true;
		}
	}
	start = (u8 *)c + (size_t)c->used * BLOCK_SIZE;
	c->used += n;
	k->cut = start;
	k->cut_end = start + (size_t)n * BLOCK_SIZE;
	return true;
}

/* Takes what other cpus have given back. */
static void arena_collect_remote(struct arena *a)
{
	struct slot *s = __atomic_exchange_n(&a->remote, NULL, __ATOMIC_ACQUIRE), *next;

	for (; s; s = next) {
		struct arena_kind *k = &a->kinds[s->kind];

		next = s->next;
		s->next = k->free;
		k->free = s;
	}
}

static void *arena_alloc_slow(struct arena *a, unsigned kind)
{
	struct arena_kind *k = &a->kinds[kind];
	void *p;

	if (__atomic_load_n(&a->remote, __ATOMIC_RELAXED))
		arena_collect_remote(a);
	if (k->free) {
		p = k->free;
		k->free = k->free->next;
		return p;
	}
	if (k->cut == k->cut_end && !kind_grow(a, kind))
		return NULL;
	p = k->cut;
	k->cut += arena_kind_size(kind);
	return p;
}

void *arena_alloc(struct arena *a, unsigned kind)
{
	struct slot *s = a->kinds[kind].free;

	if (unlikely(!s))
		return arena_alloc_slow(a, kind);
	a->kinds[kind].free = s->next;
	return s;
}

static void arena_flush_batch(struct arena *a)
{
	struct arena *owner = a->batch_owner;
	struct slot *old;

	if (!a->batch_len)
		return;
	old = __atomic_load_n(&owner->remote, __ATOMIC_RELAXED);
	do {
		a->batch_last->next = old;
	} while (!__atomic_compare_exchange_n(&owner->remote, &old, a->batch_first, true,
					      __ATOMIC_RELEASE, __ATOMIC_RELAXED));
	a->batch_len = 0;
	a->batch_first = a->batch_last = NULL;
}

static void arena_free_remote(struct arena *a, struct slot *s, struct arena *owner, unsigned kind)
{
	if (a->batch_owner != owner)
		arena_flush_batch(a);
	a->batch_owner = owner;
	s->kind = kind;
	s->next = a->batch_first;
	a->batch_first = s;
	if (!a->batch_last)
		a->batch_last = s;
	if (++a->batch_len == REMOTE_BATCH)
		arena_flush_batch(a);
}

void arena_free(struct arena *a, void *p, unsigned kind)
{
	struct arena *owner = chunk_of(p)->arena;
	struct slot *s = p;

	if (unlikely(owner != a)) {
		arena_free_remote(a, s, owner, kind);
		return;
	}
	s->next = a->kinds[kind].free;
	a->kinds[kind].free = s;
}

/* At the limit: a larger head area that lies free. */
static void *arena_alloc_larger(struct arena *a, unsigned class, unsigned *ret_class)
{
	while (++class < ARENA_NR_CLASSES) {
		if (a->kinds[class].free || a->kinds[class].cut != a->kinds[class].cut_end) {
			*ret_class = class;
			return arena_alloc(a, class);
		}
	}
	return NULL;
}

void arena_destroy(struct arena *a)
{
	struct chunk *c, *next;

	if (!a)
		return;
	arena_uncharge(a, a->octets);
	for (c = a->chunks; c; c = next) {
		next = c->next;
		munmap(c, CHUNK_SIZE);
	}
	free(a);
}

#endif

void *arena_alloc_head(struct arena *a, u32 size, unsigned *ret_class)
{
	unsigned class;
	void *p;

	if (size > ARENA_MAX_SIZE)
		return NULL;
	class = size <= 1u << ARENA_MIN_SHIFT ? 0 : order_base_2(size) - ARENA_MIN_SHIFT;
	p = arena_alloc(a, class);
	if (likely(p)) {
		*ret_class = class;
		return p;
	}
	return arena_alloc_larger(a, class, ret_class);
}

struct arena *arena_create(struct cpu *cpu)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		a->cpu = cpu;
	return a;
}

u64 arena_octets(const struct arena *a)
{
	return a->octets;
}

u64 arena_mallocs(const struct arena *a)
{
	return a->mallocs;
}
