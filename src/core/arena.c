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
 *   Limit: machine->mem_limit bounds the blocks taken by all arenas together. Who meets it reclaims: it parks free slots, counting
 *   them in their run, and gives the runs of which every slot is parked back to the system, and so to whatever kind needs them next;
 *   a flood of receive heads does not starve pages for ever. Parked slots are as free as the others, and are taken when those have
 *   run out. Slots lie all over the memory: it takes up to a microsecond to look at one. So RECLAIM_SLOTS are parked at once, at
 *   most, and no more before RECLAIM_SLOT_NS for each of them; the fast path knows nothing of it. After that, allocation falls back
 *   to larger free head areas, and then fails.
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

#define BLOCK_SIZE       ARENA_BLOCK_SIZE
#define BLOCKS_PER_CHUNK (ARENA_CHUNK_SIZE / BLOCK_SIZE)
#define REMOTE_BATCH     32
#define RECLAIM_NS       NSEC_PER_MSEC
#define RECLAIM_SLOT_NS  4000u
#define RECLAIM_SLOTS    8192u /* in one go: some milliseconds */
#define UNPARK_BATCH     32u

static_assert(sizeof(struct sk_buff) <= ARENA_SKB_SIZE,
	      "the slot of a struct sk_buff is too small");

struct run { /* one or more blocks of a kind, at the index of the first */
	u8 blocks;
	u8 slots; /* 0: no run that could be given back begins here */
	u8 parked;
};

struct chunk {
	struct arena *arena; /* first: arena_of() */
	struct chunk *next;
	u32 used;   /* blocks that were ever taken */
	u64 vacant; /* bit mask of blocks below used that were given back */
	struct run runs[BLOCKS_PER_CHUNK];
};

static_assert(BLOCK_SIZE / ARENA_SKB_SIZE <= UINT8_MAX, "struct run counts the smallest slots");
static_assert(BLOCKS_PER_CHUNK <= 64, "one mask for the blocks of a chunk");

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

void *arena_alloc_slow(struct arena *a, unsigned kind)
{
	return arena_refill(a, kind);
}

void arena_free_remote(struct arena *a, void *p, unsigned kind)
{
	memset(p, 0x5a, arena_kind_size(kind));
	arena_uncharge(a, arena_kind_size(kind));
	free(p);
}

void *arena_alloc_larger(struct arena *a, unsigned class, unsigned *ret_class)
{
	return NULL;
}

void *arena_block_alloc(struct arena *a)
{
	return NULL; /* slab.c has none: each object is a malloc of its own, too */
}

void arena_block_free(struct arena *a, void *block)
{
}

void arena_destroy(struct arena *a)
{
	free(a);
}

#else

static struct chunk *chunk_of(void *p)
{
	return (struct chunk *)((uintptr_t)p & ~(uintptr_t)(ARENA_CHUNK_SIZE - 1));
}

/* A chunk, or NULL. Nothing but its first page is touched. */
static struct chunk *chunk_map(struct arena *a)
{
	size_t map_size = 2 * (size_t)ARENA_CHUNK_SIZE;
	u8 *map = mmap(NULL, map_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	u8 *start;
	struct chunk *c;

	if (map == MAP_FAILED)
		return NULL;
	start = (u8 *)ALIGN_UP((uintptr_t)map, (uintptr_t)ARENA_CHUNK_SIZE);
	if (start > map)
		munmap(map, (size_t)(start - map));
	if (start + ARENA_CHUNK_SIZE < map + map_size)
		munmap(start + ARENA_CHUNK_SIZE,
		       (size_t)(map + map_size - start - ARENA_CHUNK_SIZE));
	/* Advice only: without huge pages it works as well. */
	(void)madvise(start, ARENA_CHUNK_SIZE, a->chunks ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
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

/* Blocks of @mask below which @n - 1 further ones are set, too: where runs of @n can begin. */
static u64 mask_runs(u64 mask, u32 n)
{
	u64 starts = mask;

	for (u32 i = 1; i < n; i++)
		starts &= mask >> i;
	return starts;
}

static u64 mask_of(u32 first, u32 n)
{
	return ((n < 64 ? 1ULL << n : 0) - 1) << first;
}

/* @n blocks in a row that were given back once. NULL: none */
static struct chunk *vacant_find(struct arena *a, u32 n, u32 *ret_first)
{
	struct chunk *c;

	if (a->nr_vacant < n)
		return NULL;
	for (c = a->chunks; c; c = c->next) {
		u64 starts = mask_runs(c->vacant, n);

		if (!starts)
			continue;
		*ret_first = (u32)__builtin_ctzll(starts);
		c->vacant &= ~mask_of(*ret_first, n);
		a->nr_vacant -= n;
		return c;
	}
	return NULL;
}

static void kind_cut(struct arena_kind *k, unsigned kind, struct chunk *c, u32 first, u32 n)
{
	c->runs[first] = (struct run){
		.blocks = (u8)n,
		.slots = (u8)(n * BLOCK_SIZE / arena_kind_size(kind)),
	};
	k->cut = (u8 *)c + (size_t)first * BLOCK_SIZE;
	k->cut_end = k->cut + (size_t)n * BLOCK_SIZE;
}

/* The chunk that is cut from, with at least @n blocks left. The first block of a fresh one (used is 0) has its head. */
static struct chunk *chunk_with_room(struct arena *a, u32 n)
{
	struct chunk *c = a->chunks;

	if (c && c->used + n <= BLOCKS_PER_CHUNK)
		return c;
	c = chunk_map(a);
	if (!c)
		return NULL;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

/* @n blocks of @c, whose first is given. */
static u32 chunk_take(struct chunk *c, u32 n)
{
	u32 first = max(c->used, 1u);

	c->used = first + n;
	return first;
}

static bool arena_reclaim(struct arena *a);

/* Gives @kind a new run to cut. False: limit, or no memory. */
static bool kind_grow(struct arena *a, unsigned kind)
{
	struct arena_kind *k = &a->kinds[kind];
	u32 n = run_blocks(kind), first;
	struct chunk *c;

	if (!arena_charge(a, (u64)n * BLOCK_SIZE) &&
	    (!arena_reclaim(a) || !arena_charge(a, (u64)n * BLOCK_SIZE)))
		return false;
	c = vacant_find(a, n, &first);
	if (c) {
		kind_cut(k, kind, c, first, n);
		return true;
	}
	c = chunk_with_room(a, n);
	if (!c) {
		arena_uncharge(a, (u64)n * BLOCK_SIZE);
		return false;
	}
	if (!c->used && arena_kind_size(kind) < BLOCK_SIZE / 2) {
		k->cut = (u8 *)c + ALIGN_UP((u32)sizeof(*c), arena_kind_size(kind));
		k->cut_end = (u8 *)c + BLOCK_SIZE;
		c->used = 1;
		return true;
	}
	kind_cut(k, kind, c, chunk_take(c, n), n);
	return true;
}

void *arena_block_alloc(struct arena *a)
{
	u32 first;
	struct chunk *c = vacant_find(a, 1, &first);

	if (!c) {
		c = chunk_with_room(a, 1);
		if (!c)
			return NULL;
		first = chunk_take(c, 1);
	}
	return (u8 *)c + (size_t)first * BLOCK_SIZE;
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

/* ---- giving back ---------------------------------------------------------------------------------------- */

static struct run *run_of(struct slot *s)
{
	struct chunk *c = chunk_of(s);

	return &c->runs[((uintptr_t)s - (uintptr_t)c) / BLOCK_SIZE];
}

static void slot_park(struct arena_kind *k, struct slot *s)
{
	s->next = k->parked;
	s->pprev = &k->parked;
	if (s->next)
		s->next->pprev = &s->next;
	k->parked = s;
	run_of(s)->parked++;
}

static void slot_unpark(struct slot *s)
{
	*s->pprev = s->next;
	if (s->next)
		s->next->pprev = s->pprev;
	run_of(s)->parked--;
}

/* Some of the parked slots are wanted again. False: there are none. */
static bool kind_unpark(struct arena_kind *k)
{
	struct slot *s;

	for (u32 i = 0; i < UNPARK_BATCH && (s = k->parked); i++) {
		slot_unpark(s);
		s->next = k->free;
		k->free = s;
	}
	return k->free != NULL;
}

static void chunk_vacate(struct arena *a, struct chunk *c, u32 first, u32 n)
{
	c->vacant |= mask_of(first, n);
	a->nr_vacant += n;
	/* Advice: the octets are not needed, and zero when they are touched again. */
	(void)madvise((u8 *)c + (size_t)first * BLOCK_SIZE, (size_t)n * BLOCK_SIZE, MADV_DONTNEED);
}

/* Gives the run of @kind that @s lies in to the system, if all of it is parked. Its length in blocks if it was. */
static u32 run_release(struct arena *a, unsigned kind, struct slot *s)
{
	struct chunk *c = chunk_of(s);
	u32 first = (u32)(((uintptr_t)s - (uintptr_t)c) / BLOCK_SIZE);
	struct run *r = &c->runs[first];
	u8 *start = (u8 *)c + (size_t)first * BLOCK_SIZE;
	u32 n = r->blocks;

	if (!r->slots || r->parked != r->slots)
		return 0;
	for (u32 i = 0; i < r->slots; i++)
		slot_unpark((struct slot *)(start + (size_t)i * arena_kind_size(kind)));
	*r = (struct run){ 0 };
	chunk_vacate(a, c, first, n);
	arena_uncharge(a, (u64)n * BLOCK_SIZE);
	return n;
}

void arena_block_free(struct arena *a, void *block)
{
	struct chunk *c = chunk_of(block);

	assert(c->arena == a);
	chunk_vacate(a, c, (u32)(((uintptr_t)block - (uintptr_t)c) / BLOCK_SIZE), 1);
}

/* At the limit: runs that are free as a whole go back. False: none was found, or it is too early to look again. */
static bool arena_reclaim(struct arena *a)
{
	u32 released = 0, looked = 0;

	if (a->cpu->now < a->reclaim_at)
		return false;
	for (unsigned i = 0; i < ARENA_NR_KINDS && looked < RECLAIM_SLOTS; i++) {
		unsigned kind = a->reclaim_kind % ARENA_NR_KINDS;
		struct arena_kind *k = &a->kinds[kind];
		struct slot *s;

		for (; (s = k->free) && looked < RECLAIM_SLOTS; looked++) {
			k->free = s->next;
			slot_park(k, s);
			released += run_release(a, kind, s);
		}
		if (!k->free)
			a->reclaim_kind = kind + 1;
	}
	a->reclaim_at = a->cpu->now + max((u64)RECLAIM_NS, (u64)looked * RECLAIM_SLOT_NS);
	return released != 0;
}

void *arena_alloc_slow(struct arena *a, unsigned kind)
{
	struct arena_kind *k = &a->kinds[kind];
	void *p;

	if (__atomic_load_n(&a->remote, __ATOMIC_RELAXED))
		arena_collect_remote(a);
	if (k->free || kind_unpark(k)) {
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

void arena_free_remote(struct arena *a, void *p, unsigned kind)
{
	struct arena *owner = arena_of(p);
	struct slot *s = p;

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

/* At the limit: a larger head area that lies free. */
void *arena_alloc_larger(struct arena *a, unsigned class, unsigned *ret_class)
{
	while (++class < ARENA_NR_CLASSES) {
		const struct arena_kind *k = &a->kinds[class];

		if (k->free || k->parked || k->cut != k->cut_end) {
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
		munmap(c, ARENA_CHUNK_SIZE);
	}
	free(a);
}

#endif

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
