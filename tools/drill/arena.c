/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.c - memory that is freed at once */
#include "drill/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chunk {
	struct chunk *next;
	size_t used, size;
	max_align_t data[];
};

struct drill_arena {
	struct chunk *chunks; /* the one that is being filled first */
};

enum { CHUNK_SIZE = 16384 };

static void *xcalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p) {
		fputs("weir drill: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

struct drill_arena *drill_arena_create(void)
{
	return xcalloc(sizeof(struct drill_arena));
}

void drill_arena_free(struct drill_arena *a)
{
	struct chunk *next;

	if (!a)
		return;
	for (struct chunk *c = a->chunks; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
}

void *drill_arena_alloc(struct drill_arena *a, size_t size)
{
	const size_t align = sizeof(max_align_t);
	struct chunk *c = a->chunks;
	void *p;

	size = (size + align - 1) / align * align;
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		c = xcalloc(sizeof(*c) + room);
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	p = (char *)c->data + c->used;
	c->used += size;
	return p;
}

char *drill_arena_text(struct drill_arena *a, const char *text, size_t len)
{
	char *copy = drill_arena_alloc(a, len + 1);

	memcpy(copy, text, len);
	return copy;
}

void *drill_arena_grow(struct drill_arena *a, void *items, size_t nr, size_t item_size)
{
	void *larger;

	if (nr && (nr & (nr - 1)))
		return items; /* below the next power of two */
	larger = drill_arena_alloc(a, (nr ? nr * 2 : 1) * item_size);
	if (nr)
		memcpy(larger, items, nr * item_size);
	return larger;
}
