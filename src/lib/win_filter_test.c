/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/win_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/random.h"

static void a_larger_value_is_the_maximum_at_once(void **state)
{
	struct win_filter f;

	win_filter_reset(&f, 0, 10);
	assert_int_equal(win_filter_max(&f, 100, 1, 20), 20);
	assert_int_equal(win_filter_max(&f, 100, 2, 15), 20);
	assert_int_equal(win_filter_get(&f), 20);
}

static void what_left_the_window_is_forgotten(void **state)
{
	struct win_filter f;

	win_filter_reset(&f, 0, 50);
	assert_int_equal(win_filter_max(&f, 100, 60, 30), 50);
	assert_int_equal(win_filter_max(&f, 100, 101, 10), 30);
	assert_int_equal(win_filter_max(&f, 100, 161, 9), 10);
	/* Nothing for longer than a window: the new one is all there is. */
	assert_int_equal(win_filter_max(&f, 100, 1000, 1), 1);
}

static void the_minimum_is_the_mirror_image(void **state)
{
	struct win_filter f;

	win_filter_reset(&f, 0, 50);
	assert_int_equal(win_filter_min(&f, 100, 60, 70), 50);
	assert_int_equal(win_filter_min(&f, 100, 101, 90), 70);
	assert_int_equal(win_filter_min(&f, 100, 102, 5), 5);
}

/* Against the definition: never above the true maximum of the window, never below that of its last three quarters. */
static void the_estimate_stays_between_two_true_maxima(void **state)
{
	enum { N = 4000, WINDOW = 64 };
	static u32 value[N];
	struct win_filter f;
	u64 rng[4];
	u32 start = UINT32_MAX - N / 2; /* times wrap on the way */

	random_seed(rng, 7);
	for (u32 i = 0; i < N; i++) {
		u32 most = 0, recent = 0, got;

		value[i] = (u32)(random_next(rng) % 1000);
		got = i ? win_filter_max(&f, WINDOW, start + i, value[i])
			: win_filter_reset(&f, start, value[0]);
		for (u32 j = i > WINDOW ? i - WINDOW : 0; j <= i; j++)
			most = max(most, value[j]);
		for (u32 j = i > WINDOW / 4 ? i - WINDOW / 4 : 0; j <= i; j++)
			recent = max(recent, value[j]);
		assert_true(got <= most);
		assert_true(got >= recent);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_larger_value_is_the_maximum_at_once),
		cmocka_unit_test(what_left_the_window_is_forgotten),
		cmocka_unit_test(the_minimum_is_the_mirror_image),
		cmocka_unit_test(the_estimate_stays_between_two_true_maxima),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
