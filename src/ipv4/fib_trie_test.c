/* SPDX-License-Identifier: BSD-2-Clause */
#include "ipv4/fib_trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The trie never looks into an alias: a marker is enough. */
#define ALIAS(i) ((struct fib_alias *)(uintptr_t)((i) + 1))

struct prefix {
	u32 key;
	u8 plen;
	bool present;
};

static u64 rnd(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 20;
}

static void put(struct fib_trie *t, u32 key, u8 plen, struct fib_alias *a)
{
	struct fib_node *n = fib_trie_get(t, key, plen);
	bool had;

	assert_non_null(n);
	had = n->aliases != NULL;
	n->aliases = a;
	fib_trie_changed(t, n, had);
}

static void clear(struct fib_trie *t)
{
	struct fib_node *n;

	while ((n = fib_trie_first(t)) != NULL)
		put(t, n->key, n->plen, NULL);
	assert_null(t->root);
	assert_int_equal(t->nodes, 0);
	assert_int_equal(t->prefixes, 0);
}

static void fib_trie_empty_matches_nothing(void **state)
{
	struct fib_trie t = { 0 };
	struct fib_match m;

	fib_trie_match(&t, 0x0a000001, &m);
	assert_int_equal(m.n, 0);
	assert_null(fib_trie_first(&t));
	assert_null(fib_trie_find(&t, 0, 0));
}

static void fib_trie_longest_prefix_is_last(void **state)
{
	struct fib_trie t = { 0 };
	struct fib_match m;

	put(&t, 0x0a010203, 32, ALIAS(3));
	put(&t, 0, 0, ALIAS(0));
	put(&t, 0x0a000000, 8, ALIAS(1));
	put(&t, 0x0a010200, 24, ALIAS(2));
	fib_trie_match(&t, 0x0a010203, &m);
	assert_int_equal(m.n, 4);
	for (u32 i = 0; i < 4; i++)
		assert_ptr_equal(m.node[i]->aliases, ALIAS(i));
	fib_trie_match(&t, 0x0a010204, &m);
	assert_int_equal(m.n, 3);
	fib_trie_match(&t, 0x0b000000, &m);
	assert_int_equal(m.n, 1);
	clear(&t);
}

static void fib_trie_masks_the_key(void **state)
{
	struct fib_trie t = { 0 };

	put(&t, 0x0a0102ff, 24, ALIAS(1));
	assert_non_null(fib_trie_find(&t, 0x0a010200, 24));
	assert_null(fib_trie_find(&t, 0x0a010200, 25));
	assert_null(fib_trie_find(&t, 0x0a010000, 16));
	fib_trie_free(&t);
	assert_null(t.root);
}

/* Oracle: an array, searched whole. */
static void check_against_array(const struct fib_trie *t, const struct prefix *p, u32 n, u32 key)
{
	struct fib_match m;
	u32 want = 0;

	fib_trie_match(t, key, &m);
	for (u32 i = 0; i < n; i++)
		want += p[i].present && ((p[i].key ^ key) & fib_mask(p[i].plen)) == 0;
	assert_int_equal(m.n, want);
	for (u32 i = 0; i < m.n; i++) {
		uintptr_t id = (uintptr_t)m.node[i]->aliases - 1;

		assert_true(id < n && p[id].present && p[id].plen == m.node[i]->plen);
		assert_true(((p[id].key ^ key) & fib_mask(p[id].plen)) == 0);
		assert_true(i == 0 || m.node[i - 1]->plen < m.node[i]->plen);
	}
	if (!fib_trie_is_small(t))
		return;
	for (u32 found = fib_row_match(t, key); found; found &= found - 1)
		assert_ptr_equal(t->row.node[__builtin_ctz(found)], m.node[--m.n]);
	assert_int_equal(m.n, 0);
}

static void check_order(const struct fib_trie *t, u32 want)
{
	struct fib_node *prev = NULL;
	u32 n = 0;

	for (struct fib_node *x = fib_trie_first(t); x; prev = x, x = fib_trie_next(x)) {
		assert_non_null(x->aliases);
		if (prev)
			assert_true(prev->key < x->key ||
				    (prev->key == x->key && prev->plen < x->plen));
		assert_ptr_equal(fib_trie_seek(t, x->key, x->plen), x);
		n++;
	}
	assert_int_equal(n, want);
	assert_int_equal(t->prefixes, want);
	assert_true(t->nodes <= 2 * want);
}

/* @n prefixes come and go. */
static void check_changes(u32 n)
{
	enum { MAX = 600 };
	static const u32 masks[] = { 0xffffffff, 0x0000ffff, 0xff0000ff, 0x00000f0f };

	for (u32 round = 0; round < ARRAY_SIZE(masks); round++) {
		struct fib_trie t = { 0 };
		struct prefix p[MAX];
		u64 seed = 42 + round;
		u32 present = 0;

		memset(p, 0, sizeof(p));
		for (u32 i = 0; i < n; i++) {
			p[i].plen = (u8)(rnd(&seed) % 33);
			p[i].key = (u32)rnd(&seed) & masks[round] & fib_mask(p[i].plen);
			for (u32 j = 0; j < i; j++) /* duplicates would replace */
				if (p[j].key == p[i].key && p[j].plen == p[i].plen)
					p[i].plen = 255;
		}
		for (u32 step = 0; step < 6 * MAX; step++) {
			u32 i = (u32)(rnd(&seed) % n);

			if (p[i].plen == 255)
				continue;
			p[i].present = !p[i].present;
			present += p[i].present ? 1u : -1u;
			put(&t, p[i].key, p[i].plen, p[i].present ? ALIAS(i) : NULL);
			assert_true((fib_trie_find(&t, p[i].key, p[i].plen) != NULL) ==
				    p[i].present);
			if (step % 16 == 0)
				check_against_array(&t, p, n, (u32)rnd(&seed) & masks[round]);
			check_against_array(&t, p, n, p[i].key);
			if (step % 256 == 0)
				check_order(&t, present);
		}
		check_order(&t, present);
		clear(&t);
	}
}

static void fib_trie_agrees_with_brute_force(void **state)
{
	check_changes(600);
}

/* With about as many as the row has places, and with few. */
static void fib_trie_row_agrees_with_brute_force(void **state)
{
	check_changes(2 * FIB_ROW_MAX);
	check_changes(FIB_ROW_MAX);
	check_changes(3);
}

static void fib_trie_seek_finds_the_place_of_a_removed_prefix(void **state)
{
	struct fib_trie t = { 0 };

	put(&t, 0x0a000000, 8, ALIAS(0));
	put(&t, 0x0a000000, 24, ALIAS(1));
	put(&t, 0xc0a80000, 16, ALIAS(2));
	assert_ptr_equal(fib_trie_seek(&t, 0x0a000000, 9)->aliases, ALIAS(1));
	assert_ptr_equal(fib_trie_seek(&t, 0x0a000000, 25)->aliases, ALIAS(2));
	assert_ptr_equal(fib_trie_seek(&t, 0xc0a80000, 16)->aliases, ALIAS(2));
	assert_null(fib_trie_seek(&t, 0xc0a80000, 17));
	clear(&t);
}

static void fib_trie_takes_many_routes(void **state)
{
	enum { N = 200000 };
	struct fib_trie t = { 0 };
	struct fib_trie_stat st;
	struct fib_match m;
	u64 seed = 7;

	for (u32 i = 0; i < N; i++)
		put(&t, (u32)rnd(&seed), (u8)(8 + rnd(&seed) % 17), ALIAS(i));
	fib_trie_stats(&t, &st);
	assert_true(st.max_depth <= 33);
	assert_true(t.nodes < 2 * t.prefixes);
	fib_trie_match(&t, (u32)rnd(&seed), &m);
	assert_true(m.n <= 33);
	fib_trie_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fib_trie_empty_matches_nothing),
		cmocka_unit_test(fib_trie_longest_prefix_is_last),
		cmocka_unit_test(fib_trie_masks_the_key),
		cmocka_unit_test(fib_trie_agrees_with_brute_force),
		cmocka_unit_test(fib_trie_row_agrees_with_brute_force),
		cmocka_unit_test(fib_trie_seek_finds_the_place_of_a_removed_prefix),
		cmocka_unit_test(fib_trie_takes_many_routes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
