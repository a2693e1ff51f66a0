/* SPDX-License-Identifier: BSD-2-Clause */
/* heap.c - binary heap of pointers: slot i is not after its children 2i + 1 and 2i + 2 */
#include "lib/heap.h"

#include <errno.h>
#include <stdlib.h>

static inline u32 *item_index(const struct heap *h, void *item)
{
	return (u32 *)((char *)item + h->ops->index_offset);
}

static inline void place(struct heap *h, u32 slot, void *item)
{
	h->slots[slot] = item;
	*item_index(h, item) = slot + 1;
}

/* @item belongs at @slot or nearer to the root. */
static void sift_up(struct heap *h, u32 slot, void *item)
{
	while (slot) {
		u32 up = (slot - 1) / 2;

		if (!h->ops->less(item, h->slots[up]))
			break;
		place(h, slot, h->slots[up]);
		slot = up;
	}
	place(h, slot, item);
}

/* @item belongs at @slot or below. */
static void sift_down(struct heap *h, u32 slot, void *item)
{
	for (;;) {
		u32 child = 2 * slot + 1;

		if (child >= h->len)
			break;
		if (child + 1 < h->len && h->ops->less(h->slots[child + 1], h->slots[child]))
			child++;
		if (!h->ops->less(h->slots[child], item))
			break;
		place(h, slot, h->slots[child]);
		slot = child;
	}
	place(h, slot, item);
}

static void settle(struct heap *h, u32 slot, void *item)
{
	if (slot && h->ops->less(item, h->slots[(slot - 1) / 2]))
		sift_up(h, slot, item);
	else
		sift_down(h, slot, item);
}

void heap_init(struct heap *h, const struct heap_ops *ops)
{
	*h = (struct heap){ .ops = ops };
}

void heap_fini(struct heap *h)
{
	free(h->slots);
	h->slots = NULL;
	h->len = h->cap = 0;
}

int heap_push(struct heap *h, void *item)
{
	if (h->len == h->cap) {
		u32 cap = h->cap ? h->cap * 2 : 16;
		void **slots = realloc(h->slots, cap * sizeof(*slots));

		if (!slots)
			return -ENOMEM;
		h->slots = slots;
		h->cap = cap;
	}
	sift_up(h, h->len++, item);
	return 0;
}

void heap_remove(struct heap *h, void *item)
{
	u32 *index = item_index(h, item);
	u32 slot = *index - 1;
	void *last;

	assert(*index && slot < h->len && h->slots[slot] == item);
	last = h->slots[--h->len];
	*index = 0;
	if (last != item)
		settle(h, slot, last);
}

void heap_update(struct heap *h, void *item)
{
	settle(h, *item_index(h, item) - 1, item);
}

void *heap_pop(struct heap *h)
{
	void *item = heap_peek(h);

	if (item)
		heap_remove(h, item);
	return item;
}
