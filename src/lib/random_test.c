/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/hash.h"

static void splitmix64_gives_the_reference_values(void **state)
{
	u64 s = 1234567;

	assert_int_equal(splitmix64(&s), 6457827717110365317ULL);
	assert_int_equal(splitmix64(&s), 3203168211198807973ULL);
	assert_int_equal(splitmix64(&s), 9817491932198370423ULL);
}

static void xoshiro_gives_the_reference_values(void **state)
{
	u64 s[4] = { 1, 2, 3, 4 };

	assert_int_equal(random_next(s), 11520);
	assert_int_equal(random_next(s), 0);
	assert_int_equal(random_next(s), 1509978240);
	assert_int_equal(random_next(s), 1215971899390074240ULL);
}

static void streams_depend_on_seed_and_name_alone(void **state)
{
	u64 a[4], b[4];

	random_stream_seed(a, 42, "link a:eth0");
	random_stream_seed(b, 42, "link a:eth0");
	assert_memory_equal(a, b, sizeof(a));
	random_stream_seed(b, 42, "link b:eth0");
	assert_memory_not_equal(a, b, sizeof(a));
	random_stream_seed(b, 43, "link a:eth0");
	assert_memory_not_equal(a, b, sizeof(a));
}

static void bytes_are_the_words_in_memory_order(void **state)
{
	u64 a[4], b[4], w[2];
	u8 buf[13];

	random_seed(a, 5);
	random_seed(b, 5);
	w[0] = random_next(a);
	w[1] = random_next(a);
	random_bytes(b, buf, sizeof(buf));
	assert_memory_equal(buf, w, sizeof(buf));
}

static void below_is_in_range_and_even(void **state)
{
	u32 counts[10] = { 0 };
	u64 s[4];

	random_seed(s, 9);
	for (int i = 0; i < 100000; i++) {
		u32 v = random_below(s, 10);

		assert_in_range(v, 0, 9);
		counts[v]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(counts[i], 9500, 10500);
	assert_int_equal(random_below(s, 1), 0);
}

static void hashes_use_all_buckets(void **state)
{
	u32 a[16] = { 0 }, b[16] = { 0 }, c[16] = { 0 };

	for (u32 i = 0; i < 16000; i++) {
		a[hash_32(i, 4)]++;
		b[jhash_3words(i, 0, 0, 0) & 15]++;
		c[hash_64((u64)i << 32, 4)]++;
	}
	for (int i = 0; i < 16; i++) {
		assert_in_range(a[i], 900, 1100);
		assert_in_range(b[i], 850, 1150);
		assert_in_range(c[i], 850, 1150);
	}
	assert_int_not_equal(jhash_3words(1, 2, 3, 4), jhash_3words(1, 2, 3, 5));
	assert_int_not_equal(jhash_3words(1, 2, 3, 4), jhash_3words(2, 1, 3, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splitmix64_gives_the_reference_values),
		cmocka_unit_test(xoshiro_gives_the_reference_values),
		cmocka_unit_test(streams_depend_on_seed_and_name_alone),
		cmocka_unit_test(bytes_are_the_words_in_memory_order),
		cmocka_unit_test(below_is_in_range_and_even),
		cmocka_unit_test(hashes_use_all_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
