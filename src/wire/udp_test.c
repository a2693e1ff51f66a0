/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/udp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void what_is_built_is_what_is_parsed(void **state)
{
	const struct udp_view in = { .source = 53, .dest = 40000, .len = 12 };
	struct udp_view v;
	u8 p[12] = { 0 };

	udp_build(p, &in);
	assert_memory_equal(p, "\x00\x35\x9c\x40\x00\x0c\x00\x00", 8);
	assert_int_equal(udp_parse(p, sizeof(p), &v), 8);
	assert_int_equal(v.source, 53);
	assert_int_equal(v.dest, 40000);
	assert_int_equal(v.len, 12);
	assert_false(v.has_csum);
	p[7] = 1;
	udp_parse(p, sizeof(p), &v);
	assert_true(v.has_csum);
}

static void lengths_are_checked(void **state)
{
	static const struct {
		size_t len;
		u8 ulen;
		int ret;
	} cases[] = {
		{ 7, 7, -EBADMSG }, { 8, 8, 8 },  { 8, 0, -EBADMSG }, { 8, 7, -EBADMSG },
		{ 8, 9, -EBADMSG }, { 12, 8, 8 }, { 0, 0, -EBADMSG }, { 12, 12, 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 p[12] = { 0, 1, 0, 2, 0, cases[i].ulen };
		struct udp_view v;

		assert_int_equal(udp_parse(p, cases[i].len, &v), cases[i].ret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(lengths_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
