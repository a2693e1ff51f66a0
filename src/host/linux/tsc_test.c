/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/linux/tsc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A processor whose counter makes 3 ticks a nanosecond. */
static u64 ticks_at(u64 ns)
{
	return 3 * ns + 12345;
}

static u64 now_at(struct tsc_clock *c, u64 ns)
{
	u64 now = tsc_clock_at(c, ticks_at(ns));

	if (now)
		return now;
	tsc_clock_sync(c, ticks_at(ns), ns);
	return ns;
}

static void nothing_is_interpolated_before_a_rate_is_known(void **state)
{
	struct tsc_clock c = { 0 };

	assert_int_equal(tsc_clock_at(&c, ticks_at(1000)), 0);
	tsc_clock_sync(&c, ticks_at(1000), 1000);
	assert_int_equal(tsc_clock_at(&c, ticks_at(1001)), 0);
	/* Too short an interval makes no rate. */
	tsc_clock_sync(&c, ticks_at(1100), 1100);
	assert_int_equal(tsc_clock_at(&c, ticks_at(1101)), 0);
}

static void interpolated_time_lags_by_less_than_a_microsecond_and_never_goes_back(void **state)
{
	struct tsc_clock c = { 0 };
	u64 last = 0, interpolated = 0;

	for (u64 ns = 1000000; ns < 50000000; ns += 777) {
		u64 now = now_at(&c, ns);

		assert_true(now <= ns && ns - now < 1000);
		assert_true(now >= last);
		interpolated += now != ns;
		last = now;
	}
	assert_true(interpolated > 40000);
}

static void a_long_pause_and_a_counter_that_goes_back_are_survived(void **state)
{
	struct tsc_clock c = { 0 };
	const u64 hour = 3600000000000ull;

	for (u64 ns = 1000000; ns < 5000000; ns += 1000)
		now_at(&c, ns);
	assert_int_equal(now_at(&c, hour), hour);
	assert_in_range(now_at(&c, hour + 1000), hour + 990, hour + 1000);
	/* Another processor's counter, far behind: the clock is read. */
	assert_int_equal(tsc_clock_at(&c, 5), 0);
}

static void while_another_thread_writes_the_clock_is_read(void **state)
{
	struct tsc_clock c = { 0 };

	for (u64 ns = 1000000; ns < 5000000; ns += 1000)
		now_at(&c, ns);
	assert_int_not_equal(tsc_clock_at(&c, ticks_at(4999500)), 0);
	c.seq++;
	assert_int_equal(tsc_clock_at(&c, ticks_at(4999500)), 0);
	tsc_clock_sync(&c, ticks_at(9000000), 9000000); /* leaves it alone */
	c.seq++;
	assert_int_not_equal(tsc_clock_at(&c, ticks_at(4999500)), 0);
}

static void a_thread_that_read_a_little_earlier_leaves_the_rate(void **state)
{
	struct tsc_clock c = { 0 };

	for (u64 ns = 1000000; ns < 5000000; ns += 1000)
		now_at(&c, ns);
	tsc_clock_sync(&c, ticks_at(6000000), 6000000);
	/* Its clock is later, for it looked at that later. */
	tsc_clock_sync(&c, ticks_at(6000000 - 50), 6000000 + 50);
	assert_in_range(tsc_clock_at(&c, ticks_at(6001000)), 6000990, 6001000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_interpolated_before_a_rate_is_known),
		cmocka_unit_test(
			interpolated_time_lags_by_less_than_a_microsecond_and_never_goes_back),
		cmocka_unit_test(a_long_pause_and_a_counter_that_goes_back_are_survived),
		cmocka_unit_test(a_thread_that_read_a_little_earlier_leaves_the_rate),
		cmocka_unit_test(while_another_thread_writes_the_clock_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
