/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - intrusive lists: struct list_head (ring, O(1) at both ends) and struct hlist (hash buckets)
 *
 * An unlinked list_head points to itself; list_del() leaves it so, so that list_empty(&x->node) says
 * "x is on no list" and deleting twice is harmless. An unlinked hlist_node has pprev == NULL.
 */
#ifndef WEIR_LIB_LIST_H
#define WEIR_LIB_LIST_H

#include "lib/types.h"

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name)                                                                       \
	{                                                                                          \
		&(name), &(name)                                                                   \
	}

static inline void list_init(struct list_head *h)
{
	h->next = h->prev = h;
}

static inline bool list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void __list_add(struct list_head *n, struct list_head *prev, struct list_head *next)
{
	next->prev = n;
	n->next = next;
	n->prev = prev;
	prev->next = n;
}

static inline void list_add(struct list_head *n, struct list_head *h)
{
	__list_add(n, h, h->next);
}

static inline void list_add_tail(struct list_head *n, struct list_head *h)
{
	__list_add(n, h->prev, h);
}

static inline void list_del(struct list_head *n)
{
	n->next->prev = n->prev;
	n->prev->next = n->next;
	list_init(n);
}

static inline void list_move_tail(struct list_head *n, struct list_head *h)
{
	list_del(n);
	list_add_tail(n, h);
}

/* Appends all of @from to @to and leaves @from empty. */
static inline void list_splice_tail_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(p, type, member)       container_of(p, type, member)
#define list_first_entry(h, type, member) list_entry((h)->next, type, member)
#define list_first_entry_or_null(h, type, member)                                                  \
	(list_empty(h) ? NULL : list_first_entry(h, type, member))
#define list_last_entry(h, type, member) list_entry((h)->prev, type, member)
#define list_for_each_entry(pos, h, member)                                                        \
	for (pos = list_entry((h)->next, __typeof__(*pos), member); &pos->member != (h);           \
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))
/* The body may unlink and free @pos, nothing else of the list. */
#define list_for_each_entry_safe(pos, n, h, member)                                                \
	for (pos = list_entry((h)->next, __typeof__(*pos), member),                                \
	    n = list_entry(pos->member.next, __typeof__(*pos), member);                            \
	     &pos->member != (h); pos = n, n = list_entry(n->member.next, __typeof__(*n), member))

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

static inline bool hlist_unhashed(const struct hlist_node *n)
{
	return !n->pprev;
}

static inline bool hlist_empty(const struct hlist_head *h)
{
	return !h->first;
}

static inline void hlist_add_head(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
	n->pprev = &h->first;
}

static inline void hlist_del_init(struct hlist_node *n)
{
	if (!n->pprev)
		return;
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
	n->next = NULL;
	n->pprev = NULL;
}

#define hlist_entry_safe(p, type, member)                                                          \
	({                                                                                         \
		struct hlist_node *hlist_p_ = (p);                                                 \
		hlist_p_ ? container_of(hlist_p_, type, member) : NULL;                            \
	})
#define hlist_for_each_entry(pos, h, member)                                                       \
	for (pos = hlist_entry_safe((h)->first, __typeof__(*pos), member); pos;                    \
	     pos = hlist_entry_safe(pos->member.next, __typeof__(*pos), member))
#define hlist_for_each_entry_safe(pos, n, h, member)                                               \
	for (pos = hlist_entry_safe((h)->first, __typeof__(*pos), member);                         \
	     pos && ((n = pos->member.next) || 1);                                                 \
	     pos = hlist_entry_safe(n, __typeof__(*pos), member))

#endif
