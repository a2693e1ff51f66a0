/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rbtree.h - intrusive red-black tree
 *
 * The user embeds a struct rb_node, walks down from root->node himself (so that no compare function is called through a pointer),
 * and hands the place he found to rb_link_node() and rb_insert_color():
 *
 *     struct rb_node **link = &root->node, *parent = NULL;
 *
 *     while (*link) {
 *             parent = *link;
 *             link = key < rb_entry(parent, struct thing, node)->key ? &parent->left : &parent->right;
 *     }
 *     rb_link_node(&thing->node, parent, link);
 *     rb_insert_color(&thing->node, root);
 *
 * parent_color is the parent's address with the colour in bit 0 (1: black). A node that is on no tree and was marked by
 * RB_CLEAR_NODE() is its own parent; rb_erase() marks so too.
 */
#ifndef WEIR_LIB_RBTREE_H
#define WEIR_LIB_RBTREE_H

#include "lib/types.h"

struct rb_node {
	uintptr_t parent_color;
	struct rb_node *left, *right;
};

struct rb_root {
	struct rb_node *node; /* NULL: empty */
};

#define RB_ROOT_INIT                                                                               \
	{                                                                                          \
		NULL                                                                               \
	}
#define rb_entry(p, type, member) container_of(p, type, member)
#define rb_entry_safe(p, type, member)                                                             \
	({                                                                                         \
		struct rb_node *rb_p_ = (p);                                                       \
		rb_p_ ? rb_entry(rb_p_, type, member) : NULL;                                      \
	})
#define RB_EMPTY_ROOT(root) ((root)->node == NULL)
#define RB_EMPTY_NODE(n)    ((n)->parent_color == (uintptr_t)(n))
#define RB_CLEAR_NODE(n)    ((n)->parent_color = (uintptr_t)(n))

static inline struct rb_node *rb_parent(const struct rb_node *n)
{
	return (struct rb_node *)(n->parent_color & ~(uintptr_t)1);
}

/* Hangs @n (red) under @parent at @link, which must be empty. */
static inline void rb_link_node(struct rb_node *n, struct rb_node *parent, struct rb_node **link)
{
	n->parent_color = (uintptr_t)parent;
	n->left = n->right = NULL;
	*link = n;
}

/* Hangs @n into @root, which is empty: both calls at once. */
static inline void rb_insert_only(struct rb_node *n, struct rb_root *root)
{
	n->parent_color = 1;
	n->left = n->right = NULL;
	root->node = n;
}

/* Is there nothing but @n on @root? */
static inline bool rb_is_only(const struct rb_node *n, const struct rb_root *root)
{
	return root->node == n && !n->left && !n->right;
}

/* rbtree.c */

/* Balances after rb_link_node(). */
void rb_insert_color(struct rb_node *n, struct rb_root *root);
/* Takes @n out and marks it with RB_CLEAR_NODE(). */
void rb_erase(struct rb_node *n, struct rb_root *root);
/* Puts @new where @old is; both compare alike. @old is not touched. */
void rb_replace_node(struct rb_node *old, struct rb_node *new, struct rb_root *root);

/* In order; NULL at the end. */
static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->left)
		n = n->left;
	return n;
}
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *n);
struct rb_node *rb_prev(const struct rb_node *n);

#define rb_for_each(pos, root) for (pos = rb_first(root); pos; pos = rb_next(pos))
/* The body may erase and free @pos. */
#define rb_for_each_safe(pos, n, root)                                                             \
	for (pos = rb_first(root); pos && ((n = rb_next(pos)), 1); pos = n)

#endif
