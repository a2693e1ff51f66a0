/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/random.h"

struct thing {
	u64 key, seq;
	u32 index;
};

static bool thing_less(const void *a, const void *b)
{
	const struct thing *x = a, *y = b;

	return x->key != y->key ? x->key < y->key : x->seq < y->seq;
}

static const struct heap_ops ops = { .less = thing_less,
				     .index_offset = offsetof(struct thing, index) };

static void items_come_out_in_order_after_any_changes(void **state)
{
	struct thing things[300] = { 0 }, *t, *last = NULL;
	u32 inside = 0;
	u64 rng[4], seq = 0;
	struct heap h;

	heap_init(&h, &ops);
	random_seed(rng, 7);
	for (int i = 0; i < 20000; i++) {
		t = &things[random_below(rng, ARRAY_SIZE(things))];
		if (!t->index) {
			t->key = random_below(rng, 50);
			t->seq = seq++;
			assert_int_equal(heap_push(&h, t), 0);
			inside++;
		} else if (random_below(rng, 2)) {
			heap_remove(&h, t);
			inside--;
			assert_int_equal(t->index, 0);
		} else {
			t->key = random_below(rng, 50);
			heap_update(&h, t);
		}
		assert_int_equal(h.len, inside);
		for (u32 s = 1; s < h.len; s++) {
			assert_false(thing_less(h.slots[s], h.slots[(s - 1) / 2]));
			assert_int_equal(((struct thing *)h.slots[s])->index, s + 1);
		}
	}
	while ((t = heap_pop(&h))) {
		assert_true(!last || thing_less(last, t));
		last = t;
		inside--;
	}
	assert_int_equal(inside, 0);
	assert_null(heap_peek(&h));
	heap_fini(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_order_after_any_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
