/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/prefix_trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 500

struct model {
	struct prefix_key key;
	u8 plen;
	bool there;
};

static bool covers(const struct model *e, struct prefix_key k)
{
	for (u32 i = 0; i < e->plen; i++) {
		u64 a = i < 64 ? e->key.hi >> (63 - i) : e->key.lo >> (127 - i);
		u64 b = i < 64 ? k.hi >> (63 - i) : k.lo >> (127 - i);

		if ((a ^ b) & 1)
			return false;
	}
	return true;
}

static const struct model *longest(const struct model *m, struct prefix_key k)
{
	const struct model *best = NULL;

	for (u32 i = 0; i < N; i++)
		if (m[i].there && covers(&m[i], k) && (!best || m[i].plen > best->plen))
			best = &m[i];
	return best;
}

/* Few distinct bits, so that prefixes nest and collide. */
static struct prefix_key some_key(u64 *state)
{
	u64 a = *state = *state * 6364136223846793005ull + 1442695040888963407ull;
	u64 b = *state = *state * 6364136223846793005ull + 1442695040888963407ull;

	return (struct prefix_key){ (a >> 33 & 7) << 61 | (a >> 40 & 3),
				    (b >> 33 & 7) << 60 | (b >> 50 & 1) };
}

static void match_agrees_with_a_linear_search_while_prefixes_come_and_go(void **unused)
{
	struct prefix_trie t = { 0 };
	struct model *m = calloc(N, sizeof(*m));
	u64 state = 7;

	for (u32 round = 0; round < 20000; round++) {
		struct model *e = &m[(state >> 35) % N];
		struct prefix_key k = some_key(&state);
		u8 plen = (u8)((state >> 40) % 129);
		const struct model *want;
		struct prefix_node *n;

		if (e->there) {
			n = prefix_trie_find(&t, e->key, e->plen);
			assert_ptr_equal(n->value, e);
			n->value = NULL;
			prefix_trie_changed(&t, n, true);
			e->there = false;
		} else if (!prefix_trie_find(&t, k, plen)) {
			n = prefix_trie_get(&t, k, plen);
			n->value = e;
			*e = (struct model){ n->key, plen, true };
			prefix_trie_changed(&t, n, false);
		}
		k = some_key(&state);
		want = longest(m, k);
		n = prefix_trie_match(&t, k);
		assert_int_equal(n != NULL, want != NULL);
		if (n)
			assert_int_equal(n->plen, want->plen);
		for (u32 last = 129; n; n = prefix_trie_shorter(n)) {
			assert_true(n->plen < last);
			last = n->plen;
		}
	}
	assert_true(t.nodes <= 2 * t.prefixes);
	prefix_trie_free(&t);
	free(m);
}

static void seek_and_next_visit_every_prefix_in_order(void **unused)
{
	struct prefix_trie t = { 0 };
	u64 state = 3;
	u32 seen = 0;
	struct prefix_node *n, *last = NULL;

	for (u32 i = 0; i < 300; i++) {
		u8 plen = (u8)(state % 129);

		n = prefix_trie_get(&t, some_key(&state), plen);
		if (!n->value) {
			n->value = &t;
			prefix_trie_changed(&t, n, false);
		}
	}
	for (n = prefix_trie_seek(&t, (struct prefix_key){ 0, 0 }, 0); n; n = prefix_trie_next(n)) {
		if (last)
			assert_true(last->key.hi < n->key.hi ||
				    (last->key.hi == n->key.hi && last->key.lo < n->key.lo) ||
				    (last->key.hi == n->key.hi && last->key.lo == n->key.lo &&
				     last->plen < n->plen));
		assert_ptr_equal(prefix_trie_seek(&t, n->key, n->plen), n);
		last = n;
		seen++;
	}
	assert_int_equal(seen, t.prefixes);
	for (n = prefix_trie_seek(&t, (struct prefix_key){ 0, 0 }, 0); n;
	     n = prefix_trie_seek(&t, (struct prefix_key){ 0, 0 }, 0)) {
		n->value = NULL;
		prefix_trie_changed(&t, n, true);
	}
	assert_null(t.root);
}

static void keys_are_loaded_in_network_order(void **unused)
{
	u8 a[16] = { 0x20, 1, [15] = 9 }, b[16];
	struct prefix_key k = prefix_key_load(a);

	assert_true(k.hi == 0x2001000000000000ull && k.lo == 9);
	prefix_key_store(k, b);
	assert_memory_equal(a, b, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(match_agrees_with_a_linear_search_while_prefixes_come_and_go),
		cmocka_unit_test(seek_and_next_visit_every_prefix_in_order),
		cmocka_unit_test(keys_are_loaded_in_network_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
