/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prefix_trie.h - longest prefix match over keys of up to 128 bits
 *
 * The trie knows prefixes and one pointer for each, which it does not look into. Theory of operation: prefix_trie.c.
 * Locking: of the owner. Readers must not run while a writer does.
 */
#ifndef WEIR_LIB_PREFIX_TRIE_H
#define WEIR_LIB_PREFIX_TRIE_H

#include "lib/types.h"

struct prefix_key { /* as a number: the first bit of the address is the top bit of hi */
	u64 hi, lo;
};

struct prefix_node {
	struct prefix_key key; /* bits behind plen are 0 */
	u8 plen;               /* 0..128 */
	struct prefix_node *child[2];
	struct prefix_node *parent;
	void *value; /* NULL: only joins its children */
};

struct prefix_trie {
	struct prefix_node *root;
	u32 nodes;    /* all */
	u32 prefixes; /* that have a value */
};

#define PREFIX_TRIE_MAX_DEPTH 129

struct prefix_key prefix_key_load(const void *addr16); /* 16 octets in network order */
void prefix_key_store(struct prefix_key k, void *addr16);

/* The node of exactly this prefix with a value; NULL. */
struct prefix_node *prefix_trie_find(const struct prefix_trie *t, struct prefix_key key, u8 plen);
/* The node of exactly this prefix, made if needed. The caller gives it a value right away, and reports with
 * prefix_trie_changed(). NULL: no memory. */
struct prefix_node *prefix_trie_get(struct prefix_trie *t, struct prefix_key key, u8 plen);
/* @had: whether @n had a value before the change. Removes what is not needed any more; @n may be gone afterwards. */
void prefix_trie_changed(struct prefix_trie *t, struct prefix_node *n, bool had);
/* The node with a value and the longest prefix that contains @key; NULL. The next shorter ones: prefix_trie_shorter(). */
struct prefix_node *prefix_trie_match(const struct prefix_trie *t, struct prefix_key key);
struct prefix_node *prefix_trie_shorter(const struct prefix_node *n);
/* In order of (key, plen): the first node with a value that is not before (key, plen); NULL at the end. */
struct prefix_node *prefix_trie_seek(const struct prefix_trie *t, struct prefix_key key, u8 plen);
struct prefix_node *prefix_trie_next(const struct prefix_node *n);
/* Frees all nodes; values must be gone. */
void prefix_trie_free(struct prefix_trie *t);

#endif
