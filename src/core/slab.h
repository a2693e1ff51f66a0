/* SPDX-License-Identifier: BSD-2-Clause */
/* slab.h - memory of what comes and goes with connections: socks, sockets, requests, TIME_WAIT entries, bind buckets. See slab.c */
#ifndef WEIR_CORE_SLAB_H
#define WEIR_CORE_SLAB_H

#include <string.h>

#include "core/cpu.h"
#include "lib/list.h"
#include "lib/types.h"

#define SLAB_OBJECT_MAX 2048u                              /* what is larger comes from malloc() */
#define SLAB_CLASSES    (SLAB_OBJECT_MAX / CACHE_LINE + 1) /* 0: the larger ones */

struct slab_object { /* a free one, in its own first octets */
	struct slab_object *next;
};

struct slab_class {
	struct slab_object *free; /* last in, first out */
	u32 room;                 /* so many more may lie there */
	u32 slabs, empty;
	struct list_head partial; /* slabs with room; empty ones are last */
};

/* cpu->slabs */
struct slabs {
	bool plain; /* each object is a malloc() of its own */
	struct slab_class classes[SLAB_CLASSES];
};

int slabs_init(struct cpu *cpu); /* 0 or -ENOMEM */
void slabs_fini(struct cpu *cpu);
/* For tests, before the first object: memory checkers see each object, and malloc() may refuse it. */
void slabs_make_plain(struct cpu *cpu);

/* The halves out of line of what follows. */
void *slab_alloc_slow(struct cpu *cpu, unsigned class, u32 size);
void slab_free_slow(struct cpu *cpu, unsigned class, void *p);

static inline unsigned slab_class(u32 size)
{
	return likely(size <= SLAB_OBJECT_MAX) ? DIV_ROUND_UP(size, CACHE_LINE) : 0;
}

/* An object of @size octets, at the start of a cache line, with anything in it. NULL: no memory. Lock of @cpu held. */
static inline void *slab_alloc(struct cpu *cpu, u32 size)
{
	unsigned class = slab_class(size);
	struct slab_class *c = &cpu->slabs->classes[class];
	struct slab_object *o = c->free;

	lock_assert_held(cpu);
	if (unlikely(!o))
		return slab_alloc_slow(cpu, class, size);
	c->free = o->next;
	c->room++;
	return o;
}

static inline void *slab_zalloc(struct cpu *cpu, u32 size)
{
	void *p = slab_alloc(cpu, size);

	return likely(p) ? memset(p, 0, size) : NULL;
}

/* @p is from @cpu, whose lock is held, and was asked for with @size; not NULL. */
static inline void slab_free(struct cpu *cpu, void *p, u32 size)
{
	unsigned class = slab_class(size);
	struct slab_class *c = &cpu->slabs->classes[class];
	struct slab_object *o = (struct slab_object *)p;

	lock_assert_held(cpu);
	if (unlikely(!c->room)) {
		slab_free_slow(cpu, class, p);
		return;
	}
	c->room--;
	o->next = c->free;
	c->free = o;
}

#endif
