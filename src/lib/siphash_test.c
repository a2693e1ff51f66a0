/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const u64 key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

/* The authors' vectors: key 00 01 .. 0f, message i is the i octets 00 01 .. */
static const u64 vectors[64] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
	0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
	0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
	0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
	0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
	0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
	0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
	0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
	0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
	0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
	0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
	0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
	0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
	0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
	0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
	0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

static void siphash_gives_the_reference_values(void **state)
{
	u8 msg[64];

	for (unsigned i = 0; i < sizeof(msg); i++)
		msg[i] = (u8)i;
	for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++)
		assert_int_equal(siphash(msg, i, key), vectors[i]);
}

static void integer_forms_hash_the_same_octets(void **state)
{
	const u64 q[2] = { 0x1122334455667788, 0x99aabbccddeeff01 };
	const u32 w[9] = { 0xdeadbeef, 0x01020304, 0xfffffffe, 77, 5, 0x80000000, 7, 8, 9 };

	assert_int_equal(siphash_1u64(q[0], key), siphash(q, 8, key));
	assert_int_equal(siphash_2u64(q[0], q[1], key), siphash(q, 16, key));
	assert_int_equal(siphash_3u32(w[0], w[1], w[2], key), siphash(w, 12, key));
	assert_int_equal(siphash_4u32(w[0], w[1], w[2], w[3], key), siphash(w, 16, key));
	assert_int_equal(siphash_9u32(w, key), siphash(w, 36, key));
	assert_int_equal(siphash13_9u32(w, key), siphash13(w, 36, key));
	assert_int_equal(siphash13_1u64(q[0], key), siphash13(q, 8, key));
	assert_int_equal(siphash13_2u64(q[0], q[1], key), siphash13(q, 16, key));
	assert_int_equal(siphash13_3u32(w[0], w[1], w[2], key), siphash13(w, 12, key));
	assert_int_equal(siphash13_4u32(w[0], w[1], w[2], w[3], key), siphash13(w, 16, key));
}

static void fewer_rounds_give_another_function(void **state)
{
	/* SipHash-1-3 of the empty message and of one zero octet under the reference key */
	const u8 zero = 0;

	assert_int_equal(siphash13(NULL, 0, key), 0xabac0158050fc4dc);
	assert_int_equal(siphash13(&zero, 1, key), 0xc9f49bf37d57ca93);
}

static void the_key_matters(void **state)
{
	const u64 other[2] = { key[0], key[1] ^ 1 };

	assert_int_not_equal(siphash_2u64(1, 2, key), siphash_2u64(1, 2, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_reference_values),
		cmocka_unit_test(integer_forms_hash_the_same_octets),
		cmocka_unit_test(fewer_rounds_give_another_function),
		cmocka_unit_test(the_key_matters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
