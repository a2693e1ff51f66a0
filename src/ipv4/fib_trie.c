/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_trie.c - a path-compressed binary trie (Morrison 1968, PATRICIA)
 *
 * Theory of operation
 *   Each node stands for a prefix. A node's children are longer prefixes inside it, chosen by the first bit behind it;
 *   bits that do not distinguish anything are skipped, so that n prefixes need at most 2n - 1 nodes and a path has at most
 *   33 of them, however long the prefixes are. A node without aliases only joins two subtrees.
 *
 *   Match: walk down while the node contains the key, noting the nodes that have aliases. The last noted is the longest
 *   match; the others are for the caller to fall back on when no alias of the longest fits the flow (TOS, device,
 *   scope). A walk touches one cache line a level; the top levels of a big table stay in the cache.
 *
 *   Most nets have a handful of prefixes. A walk to one of them is a chain of loads and of jumps that no processor foresees, so a table of up to
 *   FIB_ROW_MAX prefixes has them in a row besides: all are compared, four at a time, without a jump (a lookup among ten routes: 11 ns, 24 by walking).
 *
 *   Order: a node comes before its children and child 0 before child 1, which is the order of (key, length). A dump
 *   resumes with fib_trie_seek() at the place where it stopped, whatever has changed in between.
 *
 *   Why not lib/prefix_trie, which IPv6 is on: keys of 128 bits cost IPv4 a quarter more instructions in a lookup (165 instead of 132 with
 *   ten routes), two to three times the time of a lookup in a small table, and 56 octets a node instead of 40.
 *
 * Invariants
 *   A child's prefix is longer than its parent's and inside it. A node without aliases has two children.
 *   The row has each node with aliases once, longer prefixes first, and behind them places that match nothing; with more than FIB_ROW_MAX
 *   of them it has nothing.
 */
#include "ipv4/fib_trie.h"

#include <stdlib.h>

static inline bool node_contains(const struct fib_node *n, u32 key)
{
	return ((n->key ^ key) & fib_mask(n->plen)) == 0;
}

/* The bit behind the first @plen bits (plen < 32). */
static inline u32 key_bit(u32 key, u8 plen)
{
	return (key >> (31 - plen)) & 1;
}

static struct fib_node **link_of(struct fib_trie *t, const struct fib_node *n)
{
	if (!n->parent)
		return &t->root;
	return &n->parent->child[n->parent->child[1] == n];
}

static struct fib_node *node_new(struct fib_trie *t, u32 key, u8 plen)
{
	struct fib_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->key = key & fib_mask(plen);
	n->plen = plen;
	t->nodes++;
	return n;
}

static void node_attach(struct fib_node *parent, struct fib_node *n)
{
	parent->child[key_bit(n->key, parent->plen)] = n;
	n->parent = parent;
}

/* ---- the row ------------------------------------------------------------------------------------------- */

static void row_clear(struct fib_row *r, u32 i)
{
	r->key[i] = 1;
	r->mask[i] = 0;
	r->node[i] = NULL;
}

static void row_insert(struct fib_row *r, u32 n, struct fib_node *node)
{
	u32 i = n;

	for (; i && r->node[i - 1]->plen < node->plen; i--) {
		r->key[i] = r->key[i - 1];
		r->mask[i] = r->mask[i - 1];
		r->node[i] = r->node[i - 1];
	}
	r->key[i] = node->key;
	r->mask[i] = fib_mask(node->plen);
	r->node[i] = node;
}

static void row_fill(struct fib_trie *t)
{
	u32 n = 0;

	if (t->prefixes > FIB_ROW_MAX)
		return;
	for (struct fib_node *node = fib_trie_first(t); node; node = fib_trie_next(node))
		row_insert(&t->row, n++, node);
	while (n < FIB_ROW_MAX)
		row_clear(&t->row, n++);
}

/* ---- the trie ------------------------------------------------------------------------------------------ */

struct fib_node *fib_trie_find(const struct fib_trie *t, u32 key, u8 plen)
{
	struct fib_node *n = t->root;

	while (n && n->plen <= plen && node_contains(n, key)) {
		if (n->plen == plen)
			return n->aliases ? n : NULL;
		n = n->child[key_bit(key, n->plen)];
	}
	return NULL;
}

struct fib_node *fib_trie_get(struct fib_trie *t, u32 key, u8 plen)
{
	struct fib_node *parent = NULL, *n = t->root, *leaf, *join;
	u8 common;

	key &= fib_mask(plen);
	while (n && n->plen <= plen && node_contains(n, key)) {
		if (n->plen == plen)
			return n;
		parent = n;
		n = n->child[key_bit(key, n->plen)];
	}

	leaf = node_new(t, key, plen);
	if (!leaf)
		return NULL;
	if (!n) { /* a free place */
		if (parent)
			node_attach(parent, leaf);
		else
			t->root = leaf;
		return leaf;
	}

	common = n->key == key ? 32 : (u8)__builtin_clz(n->key ^ key);
	common = min(common, n->plen);
	common = min(common, plen);
	if (common == plen) { /* between parent and n */
		*link_of(t, n) = leaf;
		leaf->parent = parent;
		node_attach(leaf, n);
		return leaf;
	}

	join = node_new(t, key, common);
	if (!join) {
		t->nodes--;
		free(leaf);
		return NULL;
	}
	*link_of(t, n) = join;
	join->parent = parent;
	node_attach(join, n);
	node_attach(join, leaf);
	return leaf;
}

void fib_trie_changed(struct fib_trie *t, struct fib_node *n, bool had)
{
	bool changed = had != (n->aliases != NULL);

	t->prefixes += (n->aliases != NULL);
	t->prefixes -= had;

	/* Going up at most once: only a parent that joined two subtrees loses its purpose. */
	while (n && !n->aliases && !(n->child[0] && n->child[1])) {
		struct fib_node *child = n->child[0] ? n->child[0] : n->child[1];
		struct fib_node *parent = n->parent;

		*link_of(t, n) = child;
		if (child)
			child->parent = parent;
		t->nodes--;
		free(n);
		n = parent;
	}
	if (changed)
		row_fill(t);
}

void fib_trie_match(const struct fib_trie *t, u32 key, struct fib_match *ret)
{
	struct fib_node *n = t->root;

	ret->n = 0;
	while (n && node_contains(n, key)) {
		if (n->aliases)
			ret->node[ret->n++] = n;
		if (n->plen == 32)
			return;
		n = n->child[key_bit(key, n->plen)];
	}
}

/* The node behind @n in order, with or without aliases; @down: below it is still to come. */
static struct fib_node *node_step(const struct fib_node *n, bool down)
{
	if (down && n->child[0])
		return n->child[0];
	if (down && n->child[1])
		return n->child[1];
	for (; n->parent; n = n->parent)
		if (n == n->parent->child[0] && n->parent->child[1])
			return n->parent->child[1];
	return NULL;
}

struct fib_node *fib_trie_next(const struct fib_node *n)
{
	struct fib_node *next = node_step(n, true);

	while (next && !next->aliases)
		next = node_step(next, true);
	return next;
}

static bool node_before(const struct fib_node *n, u32 key, u8 plen)
{
	return n->key != key ? n->key < key : n->plen < plen;
}

struct fib_node *fib_trie_seek(const struct fib_trie *t, u32 key, u8 plen)
{
	struct fib_node *n = t->root;

	while (n) {
		/* All below n lie within n's prefix: skip the subtree when its last key is still before. */
		bool skip = (n->key | ~fib_mask(n->plen)) < key;

		if (!skip && n->aliases && !node_before(n, key, plen))
			return n;
		n = node_step(n, !skip);
	}
	return NULL;
}

void fib_trie_free(struct fib_trie *t)
{
	struct fib_node *n = t->root;

	while (n) {
		struct fib_node *parent = n->parent;

		if (n->child[0]) {
			n = n->child[0];
			continue;
		}
		if (n->child[1]) {
			n = n->child[1];
			continue;
		}
		*link_of(t, n) = NULL;
		free(n);
		n = parent;
	}
	*t = (struct fib_trie){ 0 };
}

void fib_trie_stats(const struct fib_trie *t, struct fib_trie_stat *ret)
{
	*ret = (struct fib_trie_stat){ 0 };
	for (struct fib_node *n = fib_trie_first(t); n; n = fib_trie_next(n)) {
		u32 depth = 0;

		for (const struct fib_node *p = n; p->parent; p = p->parent)
			depth++;
		ret->max_depth = max(ret->max_depth, depth);
		ret->total_depth += depth;
	}
}
