/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.c - memory of what comes and goes with connections, by size
 *
 * Theory of operation
 *   A cpu has a class for each number of cache lines. A class keeps the objects that were given back last, up to SLAB_KEEP, on a list of
 *   its own: who opens and closes connections takes the same few objects again and again while they are in the cache, for a handful
 *   of instructions (malloc() and free() were 7 % of what a short connection costs). The others lie in slabs: blocks of the cpu's arena, each with
 *   a head in its first line. So a million connections lie in huge pages where there are some, side by side.
 *   An object is found in its slab by its address. A slab whose objects are all free goes back to the arena, and its memory to
 *   the system, unless the class has few of those: what comes and goes must not take a slab and give it back each time.
 *   These blocks do not count for machine->mem_limit: that is for packets. What is in them has bounds of its own, as in Linux.
 *
 *   A class that keeps none (room is always 0) goes through the slow halves: so do objects larger than SLAB_OBJECT_MAX, and all of them in plain
 *   mode, which AddressSanitizer's builds always have.
 * Locking: the cpu's lock. An object is given back on the cpu that it is from.
 */
#include "core/slab.h"

#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"

#define SLAB_KEEP      64u
#define SLAB_MAX_EMPTY 8u /* one slab in so many may stay empty, and one more */

struct slab {                  /* a block begins with it */
	struct list_head node; /* slab_class.partial, while an object is free */
	struct slab_object *free;
	u16 class;
	u16 objects;
	u16 used; /* out, or on the class's own list */
	u16 cut;  /* those from here on were never used, and not touched */
};

static_assert(sizeof(struct slab) <= CACHE_LINE, "objects begin at the second line");

int slabs_init(struct cpu *cpu)
{
	struct slabs *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->plain = WEIR_POISON;
	for (unsigned i = 0; i < SLAB_CLASSES; i++) {
		s->classes[i].room = i && !s->plain ? SLAB_KEEP : 0;
		list_init(&s->classes[i].partial);
	}
	cpu->slabs = s;
	return 0;
}

/* The blocks end with the arena. */
void slabs_fini(struct cpu *cpu)
{
	free(cpu->slabs);
	cpu->slabs = NULL;
}

void slabs_make_plain(struct cpu *cpu)
{
	for (unsigned i = 0; i < SLAB_CLASSES; i++) {
		assert(!cpu->slabs->classes[i].slabs);
		cpu->slabs->classes[i].room = 0;
	}
	cpu->slabs->plain = true;
}

static struct slab *slab_of(const void *object)
{
	return (struct slab *)((uintptr_t)object & ~(uintptr_t)(ARENA_BLOCK_SIZE - 1));
}

static struct slab *slab_create(struct cpu *cpu, unsigned class)
{
	struct slab_class *c = &cpu->slabs->classes[class];
	struct slab *s = arena_block_alloc(cpu->skb_cache->arena);

	if (!s)
		return NULL;
	*s = (struct slab){
		.class = (u16) class,
		.objects = (u16)((ARENA_BLOCK_SIZE - CACHE_LINE) / (class * CACHE_LINE)),
	};
	list_add(&s->node, &c->partial);
	c->slabs++;
	c->empty++;
	return s;
}

static void *object_at(struct slab *s, unsigned class, u32 i)
{
	return (u8 *)s + CACHE_LINE * (1 + (size_t)i * class);
}

/*
 * An object that nobody has had. No line of it is in a cache; but the next one's are on their way, so that who takes one after the
 * other (a million TIME_WAIT entries) waits for none.
 */
static void *slab_cut(struct slab *s, unsigned class)
{
	u32 i = s->cut++;
	u8 *next = object_at(s, class, i + 1);

	for (u32 line = 0; i + 1 < s->objects && line < class; line++)
		__builtin_prefetch(next + line * CACHE_LINE, 1);
	return object_at(s, class, i);
}

void *slab_alloc_slow(struct cpu *cpu, unsigned class, u32 size)
{
	struct slab_class *c = &cpu->slabs->classes[class];
	struct slab_object *o;
	struct slab *s;

	if (!class || cpu->slabs->plain)
		return malloc(size);
	s = list_first_entry_or_null(&c->partial, struct slab, node);
	if (!s)
		s = slab_create(cpu, class);
	if (!s)
		return NULL;
	o = s->free;
	if (o)
		s->free = o->next;
	else
		o = slab_cut(s, class);
	c->empty -= !s->used;
	if (++s->used == s->objects)
		list_del(&s->node);
	return o;
}

static void slabs_release_empty(struct cpu *cpu, struct slab_class *c)
{
	while (c->empty > 1 + c->slabs / SLAB_MAX_EMPTY) {
		struct slab *s = container_of(c->partial.prev, struct slab, node);

		list_del(&s->node);
		c->slabs--;
		c->empty--;
		arena_block_free(cpu->skb_cache->arena, s);
	}
}

/* Back to its slab. */
static void object_return(struct slab_class *c, struct slab_object *o)
{
	struct slab *s = slab_of(o);
	bool listed = s->used != s->objects;

	assert(s->used);
	o->next = s->free;
	s->free = o;
	if (--s->used && listed)
		return;
	if (listed)
		list_del(&s->node);
	if (s->used) {
		list_add(&s->node, &c->partial);
	} else {
		c->empty++;
		list_add_tail(&s->node, &c->partial);
	}
}

/* There is no room for @p on the list: the older half of it goes. */
void slab_free_slow(struct cpu *cpu, unsigned class, void *p)
{
	struct slab_class *c = &cpu->slabs->classes[class];
	struct slab_object *o = p, *next;

	if (!class || cpu->slabs->plain) {
		free(p);
		return;
	}
	o->next = c->free;
	c->free = o;
	for (u32 i = 1; i < SLAB_KEEP / 2; i++)
		o = o->next;
	next = o->next;
	o->next = NULL;
	c->room = SLAB_KEEP / 2;
	for (o = next; o; o = next) {
		next = o->next;
		assert(slab_of(o)->class == class);
		object_return(c, o);
	}
	slabs_release_empty(cpu, c);
}
