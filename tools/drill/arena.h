/* SPDX-License-Identifier: BSD-2-Clause */
/* arena.h - memory that is freed at once: all nodes of one script */
#ifndef WEIR_DRILL_ARENA_H
#define WEIR_DRILL_ARENA_H

#include <stddef.h>

struct drill_arena;

/* A tool without memory has nothing to say: these end the process with a message rather than fail. */
struct drill_arena *drill_arena_create(void);
void drill_arena_free(struct drill_arena *a);
void *drill_arena_alloc(struct drill_arena *a, size_t size); /* zeroed, aligned for anything */
char *drill_arena_text(struct drill_arena *a, const char *text, size_t len);

/*
 * The array @items of @nr elements with room for one more: itself, or twice as large elsewhere. Capacities are the powers of two, so
 * that nobody has to store them.
 */
void *drill_arena_grow(struct drill_arena *a, void *items, size_t nr, size_t item_size);

#endif
