/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/bitmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void single_bits_are_found_where_they_were_set(void **state)
{
	DECLARE_BITMAP(map, 200);

	for (size_t n = 0; n < 200; n++) {
		bitmap_zero(map, 200);
		bitmap_set(map, n);
		assert_true(bitmap_test(map, n));
		assert_int_equal(bitmap_next(map, 200, 0), n);
		assert_int_equal(bitmap_next(map, 200, n), n);
		assert_int_equal(bitmap_next(map, 200, n + 1), 200);
		assert_int_equal(bitmap_next_zero(map, 200, n), n + 1);
		assert_int_equal(bitmap_weight(map, 200), 1);
		bitmap_clear(map, n);
		assert_int_equal(bitmap_weight(map, 200), 0);
	}
}

static void bits_beyond_the_end_do_not_count(void **state)
{
	u64 map[2] = { ~0ULL, ~0ULL };

	assert_int_equal(bitmap_weight(map, 70), 70);
	assert_int_equal(bitmap_next_zero(map, 70, 0), 70);
	map[1] = 1ULL << 10;
	assert_int_equal(bitmap_next(map, 70, 64), 70);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_bits_are_found_where_they_were_set),
		cmocka_unit_test(bits_beyond_the_end_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
