/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * heap.h - binary heap of pointers whose items know their place
 *
 * An item holds a u32 that is its slot + 1 while it is in the heap and 0 otherwise; so removing any item is O(log n). The caller makes
 * the order total (a sequence number as last key) if equal items must come out in the order in which they went in.
 */
#ifndef WEIR_LIB_HEAP_H
#define WEIR_LIB_HEAP_H

#include "lib/types.h"

struct heap_ops {
	bool (*less)(const void *a, const void *b); /* @a comes out before @b */
	size_t index_offset;                        /* offsetof(the item's type, its u32) */
};

struct heap {
	void **slots;
	u32 len, cap;
	const struct heap_ops *ops;
};

/* heap.c */

void heap_init(struct heap *h, const struct heap_ops *ops);
void heap_fini(struct heap *h); /* items still inside are forgotten, not freed */
/* 0, or -ENOMEM when the heap cannot grow. */
int heap_push(struct heap *h, void *item);
/* Takes @item, which must be inside, out. */
void heap_remove(struct heap *h, void *item);
/* Restores the order after the key of @item, which is inside, changed. */
void heap_update(struct heap *h, void *item);
void *heap_pop(struct heap *h); /* NULL: empty */

static inline void *heap_peek(const struct heap *h)
{
	return h->len ? h->slots[0] : NULL;
}

#endif
