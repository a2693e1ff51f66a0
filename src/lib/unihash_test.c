/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/unihash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void key_of(u64 n, struct unihash_key *key)
{
	const u64 seed[2] = { n, ~n };

	unihash_key_init(key, seed);
}

static void forms_for_words_agree(void **state)
{
	const u32 w[UNIHASH_WORDS] = { 1, 0xffffffff, 0x80000000, 4, 5, 6, 7, 8, 9 };
	struct unihash_key key;

	key_of(7, &key);
	assert_int_equal(unihash_2u32(w[0], w[1], &key), unihash(w, 2, &key));
	assert_int_equal(unihash_3u32(w[0], w[1], w[2], &key), unihash(w, 3, &key));
	assert_int_equal(unihash_4_4_1(w, w + 4, w[8], &key), unihash(w, 9, &key));
	assert_int_not_equal(unihash(w, 8, &key), unihash(w, 9, &key));
}

/* Inputs that a peer could choose (they differ in one word, in high bits only, or by the same amount) meet as rarely as random ones: over
 * 2^16 keys, in 8 bits of the result, 256 times; six standard deviations are 96. */
static void chosen_inputs_meet_as_rarely_as_random_ones(void **state)
{
	static const u32 pairs[][2][3] = {
		{ { 0, 0, 0 }, { 0, 0, 1 } },
		{ { 0, 0, 0 }, { 0, 0, 0x80000000 } },
		{ { 1, 2, 3 }, { 2, 1, 3 } },
		{ { 0x01000000, 0, 80 }, { 0, 0x01000000, 80 } },
		{ { 0xffffffff, 0, 0 }, { 0, 0xffffffff, 0xffffffff } },
	};

	for (size_t p = 0; p < ARRAY_SIZE(pairs); p++)
		for (int shift = 0; shift <= 24; shift += 8) {
			u32 met = 0;

			for (u64 n = 0; n < 1 << 16; n++) {
				struct unihash_key key;
				u32 x;

				key_of(n, &key);
				x = unihash(pairs[p][0], 3, &key) ^ unihash(pairs[p][1], 3, &key);
				met += (x >> shift & 0xff) == 0;
			}
			assert_in_range(met, 256 - 96, 256 + 96);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms_for_words_agree),
		cmocka_unit_test(chosen_inputs_meet_as_rarely_as_random_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
