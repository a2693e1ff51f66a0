/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rbtree.c - red-black tree with parent pointers
 *
 * Theory of operation
 *   A binary search tree in which every node is red or black, the root is black, a red node has no red child, and every path from
 *   a node down to a missing child holds the same number of black nodes: no path is more than twice as long as another.
 *   Insertion and deletion follow Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", chapter 13; instead of a
 *   sentinel, a missing child (NULL) counts as black and the fix-up of a deletion carries its parent along.
 */
#include "lib/rbtree.h"

static inline bool is_red(const struct rb_node *n)
{
	return n && !(n->parent_color & 1);
}

static inline void set_parent(struct rb_node *n, struct rb_node *parent)
{
	n->parent_color = (uintptr_t)parent | (n->parent_color & 1);
}

static inline void set_red(struct rb_node *n)
{
	n->parent_color &= ~(uintptr_t)1;
}

static inline void set_black(struct rb_node *n)
{
	n->parent_color |= 1;
}

static inline void copy_color(struct rb_node *n, const struct rb_node *from)
{
	n->parent_color = (n->parent_color & ~(uintptr_t)1) | (from->parent_color & 1);
}

/* Makes what points down to @old point to @new. */
static void change_child(struct rb_node *parent, struct rb_node *old, struct rb_node *new,
			 struct rb_root *root)
{
	if (!parent)
		root->node = new;
	else if (parent->left == old)
		parent->left = new;
	else
		parent->right = new;
}

/*
 *       n               r
 *      / \             / \
 *     a   r    --->   n   c
 *        / \         / \
 *       b   c       a   b
 */
static void rotate_left(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *r = n->right, *parent = rb_parent(n);

	n->right = r->left;
	if (r->left)
		set_parent(r->left, n);
	r->left = n;
	set_parent(r, parent);
	change_child(parent, n, r, root);
	set_parent(n, r);
}

static void rotate_right(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *l = n->left, *parent = rb_parent(n);

	n->left = l->right;
	if (l->right)
		set_parent(l->right, n);
	l->right = n;
	set_parent(l, parent);
	change_child(parent, n, l, root);
	set_parent(n, l);
}

void rb_insert_color(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *parent;

	/* Only one rule may be broken here: @n and its parent are both red. */
	while (is_red(parent = rb_parent(n))) {
		struct rb_node *grand = rb_parent(parent); /* exists: the root is black */
		bool left = parent == grand->left;
		struct rb_node *uncle = left ? grand->right : grand->left;

		if (is_red(uncle)) {
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			n = grand;
			continue;
		}
		if (n == (left ? parent->right : parent->left)) {
			/* an inner grandchild: make it an outer one */
			if (left)
				rotate_left(parent, root);
			else
				rotate_right(parent, root);
			parent = n;
		}
		set_black(parent);
		set_red(grand);
		if (left)
			rotate_right(grand, root);
		else
			rotate_left(grand, root);
		break;
	}
	set_black(root->node);
}

/* Paths through @n (may be NULL), a child of @parent, are one black node short. */
static void erase_fixup(struct rb_node *n, struct rb_node *parent, struct rb_root *root)
{
	while (parent && !is_red(n)) {
		bool left = n == parent->left;
		struct rb_node *sib =
			left ? parent->right : parent->left; /* exists: it has the black nodes */
		struct rb_node *near, *far;

		if (is_red(sib)) {
			set_black(sib);
			set_red(parent);
			if (left)
				rotate_left(parent, root);
			else
				rotate_right(parent, root);
			sib = left ? parent->right : parent->left;
		}
		near = left ? sib->left : sib->right;
		far = left ? sib->right : sib->left;
		if (!is_red(near) && !is_red(far)) {
			set_red(sib);
			n = parent;
			parent = rb_parent(n);
			continue;
		}
		if (!is_red(far)) {
			set_black(near);
			set_red(sib);
			if (left)
				rotate_right(sib, root);
			else
				rotate_left(sib, root);
			far = sib;
			sib = near;
		}
		copy_color(sib, parent);
		set_black(parent);
		set_black(far);
		if (left)
			rotate_left(parent, root);
		else
			rotate_right(parent, root);
		return;
	}
	if (n)
		set_black(n);
}

void rb_erase(struct rb_node *n, struct rb_root *root)
{
	struct rb_node *child, *parent;
	bool removed_black;

	if (n->left && n->right) {
		/* The successor has no left child. It takes the place and the colour of @n. */
		struct rb_node *next = n->right;

		while (next->left)
			next = next->left;
		child = next->right;
		parent = rb_parent(next);
		removed_black = !is_red(next);
		if (parent == n) {
			parent = next;
		} else {
			parent->left = child;
			if (child)
				set_parent(child, parent);
			next->right = n->right;
			set_parent(next->right, next);
		}
		next->left = n->left;
		set_parent(next->left, next);
		next->parent_color = n->parent_color;
		change_child(rb_parent(n), n, next, root);
	} else {
		child = n->left ? n->left : n->right;
		parent = rb_parent(n);
		removed_black = !is_red(n);
		change_child(parent, n, child, root);
		if (child)
			set_parent(child, parent);
	}
	if (removed_black)
		erase_fixup(child, parent, root);
	RB_CLEAR_NODE(n);
}

void rb_replace_node(struct rb_node *old, struct rb_node *new, struct rb_root *root)
{
	change_child(rb_parent(old), old, new, root);
	if (old->left)
		set_parent(old->left, new);
	if (old->right)
		set_parent(old->right, new);
	*new = *old;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *n = root->node;

	while (n && n->right)
		n = n->right;
	return n;
}

struct rb_node *rb_next(const struct rb_node *n)
{
	struct rb_node *parent;

	if (n->right) {
		n = n->right;
		while (n->left)
			n = n->left;
		return (struct rb_node *)n;
	}
	while ((parent = rb_parent(n)) && n == parent->right)
		n = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *n)
{
	struct rb_node *parent;

	if (n->left) {
		n = n->left;
		while (n->right)
			n = n->right;
		return (struct rb_node *)n;
	}
	while ((parent = rb_parent(n)) && n == parent->left)
		n = parent;
	return parent;
}
