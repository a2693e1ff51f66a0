/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/csum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/random.h"

/* RFC 1071 4.1, octet by octet in network order: the definition that all else is compared with. */
static u16 naive(const u8 *p, size_t len)
{
	u32 sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (u32)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

static u16 folded(u32 sum)
{
	return be16_to_cpu(be16_raw(csum_fold(sum)));
}

static void example_of_rfc1071(void **state)
{
	/* RFC 1071 3: 00 01 f2 03 f4 f5 f6 f7 adds up to ddf2 */
	const u8 p[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	assert_int_equal(folded(csum_partial(p, sizeof(p), 0)), (u16)~0xddf2);
}

/* Every length up to two packets' at each alignment to a vector, of random octets, ones and zeros. */
static void every_variant_is_the_naive_one_at_all_alignments_and_lengths(void **state)
{
	enum { SIZE = 4096, LEN = 1100, OFF = 64 };
	u8 *buf = malloc(SIZE), *dst = malloc(SIZE);
	u64 rng[4];

	random_seed(rng, 1);
	for (int fill = 0; fill < 3; fill++) {
		random_bytes(rng, buf, SIZE);
		if (fill == 1)
			memset(buf, 0xff, SIZE);
		if (fill == 2)
			memset(buf, 0, SIZE);
		for (size_t off = 0; off <= OFF; off++) {
			for (size_t len = 0; len < LEN; len += fill && len > 300 ? 13 : 1) {
				u16 right = naive(buf + off, len);
				u32 sum = csum_partial(buf + off, len, 0);

				assert_int_equal(folded(sum), right);
				for (unsigned v = 0; csum_variant_name(v); v++) {
					assert_int_equal(csum_variant_partial(v, buf + off, len, 0),
							 sum);
					dst[2] = dst[3 + len] = 0xa5;
					assert_int_equal(csum_variant_partial_copy(
								 v, dst + 3, buf + off, len, 0),
							 sum);
					assert_memory_equal(dst + 3, buf + off, len);
					assert_int_equal(dst[2], 0xa5);
					assert_int_equal(dst[3 + len], 0xa5);
				}
			}
		}
	}
	free(buf);
	free(dst);
}

/* Every value of a 16-bit word in every place of a block, beside words that make it carry. */
static void every_variant_adds_every_word_in_every_place(void **state)
{
	enum { LEN = 384 };
	u8 buf[LEN];

	for (unsigned v = 0; csum_variant_name(v); v++)
		for (u32 place = 0; place < LEN / 2; place++) {
			memset(buf, place & 1 ? 0xff : 0, LEN);
			for (u32 word = 0; word < 1 << 16; word += place % 16 ? 251 : 1) {
				u32 rest = place & 1 ? 0xffff : 0;

				buf[2 * place] = (u8)(word >> 8);
				buf[2 * place + 1] = (u8)word;
				/* ones are zeros in ones' complement; 0 is only the sum of zeros */
				assert_int_equal(folded(csum_variant_partial(v, buf, LEN, 0)),
						 (u16) ~(word ? word : rest));
			}
		}
}

static void large_blocks_do_not_overflow(void **state)
{
	size_t len = 4 << 20;
	u8 *buf = malloc(len);

	memset(buf, 0xff, len);
	assert_int_equal(folded(csum_partial(buf, len, 0xffffffff)), 0);
	for (unsigned v = 0; csum_variant_name(v); v++)
		assert_int_equal(csum_partial(buf, len, 5), csum_variant_partial(v, buf, len, 5));
	free(buf);
}

static void sums_of_parts_add_up(void **state)
{
	u64 rng[4];
	u8 buf[513];

	random_seed(rng, 2);
	random_bytes(rng, buf, sizeof(buf));
	for (size_t cut = 0; cut <= sizeof(buf); cut++) {
		u32 a = csum_partial(buf, cut, 0),
		    b = csum_partial(buf + cut, sizeof(buf) - cut, 0);

		assert_int_equal(folded(csum_block_add(a, b, cut)), naive(buf, sizeof(buf)));
		if (!(cut & 1)) {
			u32 whole = csum_partial(buf, sizeof(buf), 0);

			assert_int_equal(folded(csum_partial(buf + cut, sizeof(buf) - cut, a)),
					 folded(whole));
			assert_int_equal(folded(csum_sub(whole, a)),
					 naive(buf + cut, sizeof(buf) - cut));
		}
	}
}

static void pseudo_header_is_that_of_rfc9293(void **state)
{
	u8 ph[12] = { 192, 0, 2, 1, 198, 51, 100, 255, 0, 6, 0x12, 0x35 };
	be32 s = cpu_to_be32(0xc0000201), d = cpu_to_be32(0xc63364ff);

	assert_int_equal(be16_to_cpu(be16_raw(csum_tcpudp_magic(s, d, 0x1235, 6, 0))),
			 naive(ph, sizeof(ph)));
	assert_int_equal(csum_fold(csum_tcpudp_nofold(s, d, 0x1235, 6, 0xffffffff)),
			 csum_tcpudp_magic(s, d, 0x1235, 6, 0));
}

static void replaced_fields_keep_the_checksum_right(void **state)
{
	u64 rng[4];
	u16 w[10];

	random_seed(rng, 3);
	for (int i = 0; i < 20000; i++) {
		be16 check, old16, new16;
		be32 old32, new32;

		random_bytes(rng, w, sizeof(w));
		if (i & 1) /* values in which the two zeros of ones' complement meet */
			w[2] = random_below(rng, 2) ? 0xffff : 0;
		w[5] = 0;
		check.v = w[5] = csum_fold(csum_partial(w, sizeof(w), 0));
		old16.v = w[2];
		new16.v = w[2] = (u16)(i & 2 ? random_next(rng) : (i & 4 ? 0xffff : 0));
		csum_replace2(&check, old16, new16);
		memcpy(&old32, w + 6, 4);
		new32.v = (u32)random_next(rng);
		memcpy(w + 6, &new32, 4);
		csum_replace4(&check, old32, new32);
		w[5] = check.v;
		assert_int_equal(csum_fold(csum_partial(w, sizeof(w), 0)), 0);
	}
}

/* RFC 1624 4: the case in which RFC 1141 gave ffff instead of 0000 */
static void example_of_rfc1624(void **state)
{
	be16 check = cpu_to_be16(0xdd2f);

	csum_replace2(&check, cpu_to_be16(0x5555), cpu_to_be16(0x3285));
	assert_int_equal(be16_to_cpu(check), 0x0000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_of_rfc1071),
		cmocka_unit_test(every_variant_is_the_naive_one_at_all_alignments_and_lengths),
		cmocka_unit_test(every_variant_adds_every_word_in_every_place),
		cmocka_unit_test(large_blocks_do_not_overflow),
		cmocka_unit_test(sums_of_parts_add_up),
		cmocka_unit_test(pseudo_header_is_that_of_rfc9293),
		cmocka_unit_test(replaced_fields_keep_the_checksum_right),
		cmocka_unit_test(example_of_rfc1624),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
