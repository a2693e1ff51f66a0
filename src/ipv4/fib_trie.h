/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_trie.h - longest prefix match over IPv4 prefixes
 *
 * The trie knows prefixes and, for each, a list of aliases it does not look into: what an alias means is the business of
 * fib_semantics.c. Keys are in host order. Theory of operation: fib_trie.c.
 * Locking: of the owner. Readers must not run while a writer does.
 */
#ifndef WEIR_IPV4_FIB_TRIE_H
#define WEIR_IPV4_FIB_TRIE_H

#include "lib/types.h"

struct fib_alias;

struct fib_node {
	u32 key; /* bits behind plen are 0 */
	u8 plen; /* 0..32 */
	struct fib_node *child[2];
	struct fib_node *parent;
	struct fib_alias *aliases; /* NULL: only joins its children */
};

/* The prefixes of a small table side by side, longest first. */
#define FIB_ROW_MAX 16 /* a multiple of four */
struct fib_row {
	u32 key[FIB_ROW_MAX], mask[FIB_ROW_MAX]; /* of no prefix: a key that the mask forbids */
	struct fib_node *node[FIB_ROW_MAX];
};

struct fib_trie {
	struct fib_node *root;
	u32 nodes;          /* all */
	u32 prefixes;       /* that have aliases */
	struct fib_row row; /* good while prefixes <= FIB_ROW_MAX */
};

#define FIB_TRIE_MAX_DEPTH 33

/* The nodes with aliases that match one key: shortest prefix first. */
struct fib_match {
	struct fib_node *node[FIB_TRIE_MAX_DEPTH];
	u32 n;
};

static inline u32 fib_mask(u32 plen)
{
	return plen ? ~0u << (32 - plen) : 0;
}

/* The node of exactly this prefix with aliases; NULL. */
struct fib_node *fib_trie_find(const struct fib_trie *t, u32 key, u8 plen);
/* The node of exactly this prefix, made if needed. The caller gives it aliases right away, and reports with
 * fib_trie_changed(). NULL: no memory. */
struct fib_node *fib_trie_get(struct fib_trie *t, u32 key, u8 plen);
/* @had: whether @n had aliases before the change. Removes what is not needed any more; @n may be gone afterwards. */
void fib_trie_changed(struct fib_trie *t, struct fib_node *n, bool had);
/* Are the prefixes of @t in its row? */
static inline bool fib_trie_is_small(const struct fib_trie *t)
{
	return t->prefixes <= FIB_ROW_MAX;
}

typedef u32 fib_vector __attribute__((vector_size(16), may_alias, aligned(4)));

/* Of a small table: a bit for each place of the row whose prefix contains @key; the lowest is the longest prefix. */
static inline u32 fib_row_match(const struct fib_trie *t, u32 key)
{
	fib_vector keys = { key, key, key, key }, bit = { 1, 2, 4, 8 }, found = { 0 };

	for (u32 i = 0; i < t->prefixes; i += 4, bit <<= 4)
		found |= bit & (fib_vector)((keys & *(const fib_vector *)&t->row.mask[i]) ==
					    *(const fib_vector *)&t->row.key[i]);
	return found[0] | found[1] | found[2] | found[3];
}

/* All prefixes that contain @key. */
void fib_trie_match(const struct fib_trie *t, u32 key, struct fib_match *ret);
/* In order of (key, plen): the first node with aliases that is not before (key, plen); NULL at the end. */
struct fib_node *fib_trie_seek(const struct fib_trie *t, u32 key, u8 plen);
struct fib_node *fib_trie_next(const struct fib_node *n);
static inline struct fib_node *fib_trie_first(const struct fib_trie *t)
{
	return fib_trie_seek(t, 0, 0);
}
/* Frees all nodes; aliases must be gone. */
void fib_trie_free(struct fib_trie *t);

struct fib_trie_stat {
	u32 max_depth;
	u64 total_depth; /* of nodes with aliases */
};
void fib_trie_stats(const struct fib_trie *t, struct fib_trie_stat *ret);

#endif
