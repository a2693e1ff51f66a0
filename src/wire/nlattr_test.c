/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/nlattr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void attributes_are_walked_in_order(void **state)
{
	struct nlattr_view a;
	struct nl_walk w;
	u32 value = 7, got;
	u8 buf[64];
	char name[8];
	size_t len = 0;

	len += (size_t)nlattr_build(buf + len, sizeof(buf) - len, 1, &value, 4);
	len += (size_t)nlattr_build(buf + len, sizeof(buf) - len, 3 | NLA_F_NET_BYTEORDER, "eth0",
				    5);
	len += (size_t)nlattr_build(buf + len, sizeof(buf) - len, 2, NULL, 0);
	assert_int_equal(len, 8 + 12 + 4);
	nl_walk_init(&w, buf, len);
	assert_true(nlattr_next(&w, &a));
	assert_int_equal(a.type, 1);
	assert_true(nlattr_u32(&a, &got));
	assert_int_equal(got, 7);
	assert_true(nlattr_next(&w, &a));
	assert_int_equal(a.type, 3);
	assert_true(a.net_byteorder && !a.nested);
	assert_false(nlattr_u32(&a, &got));
	assert_true(nlattr_string(&a, name, sizeof(name)));
	assert_string_equal(name, "eth0");
	assert_false(nlattr_string(&a, name, 4));
	assert_true(nlattr_next(&w, &a));
	assert_int_equal(a.len, 0);
	assert_false(nlattr_next(&w, &a));
	assert_int_equal(w.left, 0);
	assert_int_equal(nlattr_validate(buf, len, 0), 0);
	assert_true(nlattr_find(buf, len, 2, &a));
	assert_false(nlattr_find(buf, len, 4, &a));
}

static void wrong_lengths_end_the_walk(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		u8 p[16];
		int ret;
	} cases[] = {
		{ "empty", 0, { 0 }, 0 },
		{ "a header and nothing", 4, { 4, 0, 1, 0 }, 0 },
		{ "three octets", 3, { 4, 0, 1 }, -EBADMSG },
		{ "length 0", 8, { 0, 0, 1, 0 }, -EBADMSG },
		{ "length 3", 8, { 3, 0, 1, 0 }, -EBADMSG },
		{ "longer than the stream", 8, { 9, 0, 1, 0 }, -EBADMSG },
		{ "65535", 8, { 255, 255, 1, 0 }, -EBADMSG },
		{ "last without padding", 5, { 5, 0, 1, 0, 9 }, 0 },
		{ "rest behind the padding", 10, { 5, 0, 1, 0, 9, 0, 0, 0, 1, 2 }, -EBADMSG },
		{ "nested, good", 8, { 8, 0, 1, 0x80, 4, 0, 2, 0 }, 0 },
		{ "nested, bad", 8, { 8, 0, 1, 0x80, 3, 0, 2, 0 }, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (nlattr_validate(cases[i].p, cases[i].len, 4) != cases[i].ret)
			fail_msg("%s", cases[i].what);
	}
}

static void nesting_is_followed_to_the_given_depth(void **state)
{
	const u8 p[12] = { 12, 0, 1, 0x80, 8, 0, 1, 0x80, 1, 0, 0, 0 };

	assert_int_equal(nlattr_validate(p, sizeof(p), 1), 0);
	assert_int_equal(nlattr_validate(p, sizeof(p), 2), -EBADMSG);
}

static void messages_are_walked(void **state)
{
	struct nlmsghdr h[2] = {
		{ .nlmsg_len = 16,
		  .nlmsg_type = 18,
		  .nlmsg_flags = NLM_F_REQUEST,
		  .nlmsg_seq = 5,
		  .nlmsg_pid = 9 },
		{ .nlmsg_len = 16, .nlmsg_type = 3 },
	};
	struct nlmsg_view m;
	struct nl_walk w;

	nl_walk_init(&w, h, sizeof(h));
	assert_true(nlmsg_next(&w, &m));
	assert_int_equal(m.type, 18);
	assert_int_equal(m.seq, 5);
	assert_int_equal(m.portid, 9);
	assert_int_equal(m.len, 0);
	assert_int_equal(nlmsg_validate(h, sizeof(h)), 2);
	assert_int_equal(nlmsg_validate(h, sizeof(h) - 1), -EBADMSG);
	h[1].nlmsg_len = 15;
	assert_int_equal(nlmsg_validate(h, sizeof(h)), -EBADMSG);
	h[1].nlmsg_len = 0xffffffff;
	assert_int_equal(nlmsg_validate(h, sizeof(h)), -EBADMSG);
}

static void what_does_not_fit_is_not_built(void **state)
{
	u8 buf[8] = { 0 };

	assert_int_equal(nlattr_build(buf, 8, 1, "12345", 5), -EMSGSIZE);
	assert_int_equal(nlattr_build(buf, 8, 1, buf, 70000), -EMSGSIZE);
	assert_int_equal(nlattr_build(buf, 8, 1, "1", 1), 8);
}

static void strings_with_a_nul_inside_are_refused(void **state)
{
	const struct nlattr_view a = { .data = (const u8 *)"a\0b", .len = 4 };
	const struct nlattr_view b = { .data = (const u8 *)"abc", .len = 3 };
	const struct nlattr_view q = { .data = (const u8 *)"12345678", .len = 8 };
	char buf[8];
	u64 v;

	assert_false(nlattr_string(&a, buf, sizeof(buf)));
	assert_true(nlattr_string(&b, buf, sizeof(buf)));
	assert_true(nlattr_u64(&q, &v));
	assert_false(nlattr_u64(&b, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_walked_in_order),
		cmocka_unit_test(wrong_lengths_end_the_walk),
		cmocka_unit_test(nesting_is_followed_to_the_given_depth),
		cmocka_unit_test(messages_are_walked),
		cmocka_unit_test(what_does_not_fit_is_not_built),
		cmocka_unit_test(strings_with_a_nul_inside_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
