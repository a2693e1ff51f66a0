/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefix_trie.c - a path-compressed binary trie (Morrison 1968, PATRICIA)
 *
 * Theory of operation
 *   Each node stands for a prefix. A node's children are longer prefixes inside it, chosen by the first bit behind it;
 *   bits that do not distinguish anything are skipped, so that n prefixes need at most 2n - 1 nodes, however long they are.
 *   A node without a value only joins two subtrees.
 *   Match: walk down while the node contains the key; the last one with a value is the longest match. Its ancestors with values are
 *   the shorter ones, for the caller to fall back on.
 *   Order: a node comes before its children and child 0 before child 1, which is the order of (key, length). A walk resumes with
 *   prefix_trie_seek() where it stopped, whatever has changed in between.
 * Invariants
 *   A child's prefix is longer than its parent's and inside it. A node without a value has two children.
 */
#include "lib/prefix_trie.h"

#include <stdlib.h>
#include <string.h>

static inline struct prefix_key mask_of(u8 plen)
{
	return (struct prefix_key){ plen >= 64 ? ~0ull
				    : plen     ? ~0ull << (64 - plen)
					       : 0,
				    plen <= 64 ? 0 : ~0ull << (128 - plen) };
}

static inline struct prefix_key key_masked(struct prefix_key k, u8 plen)
{
	struct prefix_key m = mask_of(plen);

	return (struct prefix_key){ k.hi & m.hi, k.lo & m.lo };
}

static inline bool key_before(struct prefix_key a, struct prefix_key b)
{
	return a.hi != b.hi ? a.hi < b.hi : a.lo < b.lo;
}

static inline bool node_contains(const struct prefix_node *n, struct prefix_key k)
{
	struct prefix_key m = mask_of(n->plen);

	return !(((n->key.hi ^ k.hi) & m.hi) | ((n->key.lo ^ k.lo) & m.lo));
}

/* The bit behind the first @plen bits (plen < 128). */
static inline u32 key_bit(struct prefix_key k, u8 plen)
{
	return (u32)((plen < 64 ? k.hi >> (63 - plen) : k.lo >> (127 - plen)) & 1);
}

/* How many bits from the top are the same. */
static u8 common_bits(struct prefix_key a, struct prefix_key b)
{
	if (a.hi != b.hi)
		return (u8)__builtin_clzll(a.hi ^ b.hi);
	if (a.lo != b.lo)
		return (u8)(64 + __builtin_clzll(a.lo ^ b.lo));
	return 128;
}

struct prefix_key prefix_key_load(const void *addr16)
{
	u64 w[2];

	memcpy(w, addr16, 16);
	return (struct prefix_key){ __builtin_bswap64(w[0]), __builtin_bswap64(w[1]) };
}

void prefix_key_store(struct prefix_key k, void *addr16)
{
	u64 w[2] = { __builtin_bswap64(k.hi), __builtin_bswap64(k.lo) };

	memcpy(addr16, w, 16);
}

static struct prefix_node **link_of(struct prefix_trie *t, const struct prefix_node *n)
{
	if (!n->parent)
		return &t->root;
	return &n->parent->child[n->parent->child[1] == n];
}

static struct prefix_node *node_new(struct prefix_trie *t, struct prefix_key key, u8 plen)
{
	struct prefix_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->key = key_masked(key, plen);
	n->plen = plen;
	t->nodes++;
	return n;
}

static void node_attach(struct prefix_node *parent, struct prefix_node *n)
{
	parent->child[key_bit(n->key, parent->plen)] = n;
	n->parent = parent;
}

struct prefix_node *prefix_trie_find(const struct prefix_trie *t, struct prefix_key key, u8 plen)
{
	struct prefix_node *n = t->root;

	while (n && n->plen <= plen && node_contains(n, key)) {
		if (n->plen == plen)
			return n->value ? n : NULL;
		n = n->child[key_bit(key, n->plen)];
	}
	return NULL;
}

struct prefix_node *prefix_trie_get(struct prefix_trie *t, struct prefix_key key, u8 plen)
{
	struct prefix_node *parent = NULL, *n = t->root, *leaf, *join;
	u8 common;

	key = key_masked(key, plen);
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
	common = min(min(common_bits(n->key, key), n->plen), plen);
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

void prefix_trie_changed(struct prefix_trie *t, struct prefix_node *n, bool had)
{
	t->prefixes += n->value != NULL;
	t->prefixes -= had;
	/* Going up at most once: only a parent that joined two subtrees loses its purpose. */
	while (n && !n->value && !(n->child[0] && n->child[1])) {
		struct prefix_node *child = n->child[0] ? n->child[0] : n->child[1];
		struct prefix_node *parent = n->parent;

		*link_of(t, n) = child;
		if (child)
			child->parent = parent;
		t->nodes--;
		free(n);
		n = parent;
	}
}

struct prefix_node *prefix_trie_match(const struct prefix_trie *t, struct prefix_key key)
{
	struct prefix_node *n = t->root, *best = NULL;

	while (n && node_contains(n, key)) {
		if (n->value)
			best = n;
		if (n->plen == 128)
			break;
		n = n->child[key_bit(key, n->plen)];
	}
	return best;
}

struct prefix_node *prefix_trie_shorter(const struct prefix_node *n)
{
	struct prefix_node *p = n->parent;

	while (p && !p->value)
		p = p->parent;
	return p;
}

/* The node behind @n in order, with or without a value; @down: below it is still to come. */
static struct prefix_node *node_step(const struct prefix_node *n, bool down)
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

struct prefix_node *prefix_trie_next(const struct prefix_node *n)
{
	struct prefix_node *next = node_step(n, true);

	while (next && !next->value)
		next = node_step(next, true);
	return next;
}

struct prefix_node *prefix_trie_seek(const struct prefix_trie *t, struct prefix_key key, u8 plen)
{
	struct prefix_node *n = t->root;

	while (n) {
		struct prefix_key m = mask_of(n->plen);
		/* All below n lie within n's prefix: skip the subtree when its last key is still before. */
		struct prefix_key last = { n->key.hi | ~m.hi, n->key.lo | ~m.lo };
		bool skip = key_before(last, key);
		bool before =
			key_before(n->key, key) || (!key_before(key, n->key) && n->plen < plen);

		if (!skip && n->value && !before)
			return n;
		n = node_step(n, !skip);
	}
	return NULL;
}

void prefix_trie_free(struct prefix_trie *t)
{
	struct prefix_node *n = t->root;

	while (n) {
		struct prefix_node *parent = n->parent;

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
	*t = (struct prefix_trie){ 0 };
}
