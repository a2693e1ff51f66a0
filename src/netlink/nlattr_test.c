/* SPDX-License-Identifier: BSD-2-Clause */
/* nlattr_test.c - attributes are checked against their policy; messages that do not fit are taken back whole */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "netlink/netlink.h"

enum {
	A_U8 = 1,
	A_U32,
	A_U64,
	A_STR,
	A_NUL,
	A_FLAG,
	A_BIN,
	A_NEST,
	A_REJECT,
	A_S32,
	A_MAX = A_S32
};

static const struct nla_policy policy[A_MAX + 1] = {
	[A_U8] = { NLA_K_U8, .max = 9, .help = "digit" },
	[A_U32] = { NLA_K_U32, .min = 1, .max = 100 },
	[A_U64] = { NLA_K_U64 },
	[A_STR] = { NLA_K_STRING, .len = 4 },
	[A_NUL] = { NLA_K_NUL_STRING, .len = 4 },
	[A_FLAG] = { NLA_K_FLAG },
	[A_BIN] = { NLA_K_BINARY, .len = 6 },
	[A_NEST] = { NLA_K_NESTED },
	[A_REJECT] = { NLA_K_REJECT },
	[A_S32] = { NLA_K_S32, .min = 0, .max = 10 },
};

static void policy_decides_what_is_valid(void **state)
{
	static const struct {
		u16 type;
		u32 len;
		const char *data;
		int err;
	} cases[] = {
		{ A_U8, 1, "\x05", 0 },
		{ A_U8, 0, "", -ERANGE },
		{ A_U8, 1, "\x0a", -ERANGE },
		{ A_U32, 4, "\x64\0\0\0", 0 },
		{ A_U32, 4, "\x65\0\0\0", -ERANGE },
		{ A_U32, 4, "\0\0\0\0", -ERANGE },
		{ A_U32, 3, "\1\0\0", -ERANGE },
		{ A_U64, 8, "\1\0\0\0\0\0\0\0", 0 },
		{ A_U64, 4, "\1\0\0\0", -ERANGE },
		{ A_STR, 4, "abcd", 0 },
		{ A_STR, 5, "abcd\0", 0 },
		{ A_STR, 5, "abcde", -ERANGE },
		{ A_STR, 0, "", -ERANGE },
		{ A_NUL, 3, "ab\0", 0 },
		{ A_NUL, 2, "ab", -EINVAL },
		{ A_FLAG, 0, "", 0 },
		{ A_FLAG, 1, "x", -ERANGE },
		{ A_BIN, 6, "abcdef", 0 },
		{ A_BIN, 7, "abcdefg", -ERANGE },
		{ A_NEST, 0, "", 0 },
		{ A_NEST, 2, "xx", -EINVAL },
		{ A_REJECT, 0, "", -EINVAL },
		{ A_S32, 4, "\xff\xff\xff\xff", -ERANGE },
		{ A_S32, 4, "\x0a\0\0\0", 0 },
		{ 77, 3, "abc", 0 }, /* unknown: ignored */
	};

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct nlattr *tb[A_MAX + 1];
		struct netlink_ext_ack ack = { 0 };
		struct nl_msg m;
		int err;

		assert_int_equal(nl_msg_init(&m, 256), 0);
		nla_put(&m, cases[i].type, cases[i].len, cases[i].data);
		err = nla_parse(tb, A_MAX, m.buf, m.len, policy, false, &ack);
		if (err != cases[i].err)
			print_error("case %u\n", i);
		assert_int_equal(err, cases[i].err);
		assert_int_equal(ack.msg[0] != 0, err != 0);
		if (err)
			assert_ptr_equal(ack.bad_attr, m.buf);
		nl_msg_fini(&m);
	}
}

static void strict_parsing_refuses_the_unknown(void **state)
{
	const struct nlattr *tb[A_MAX + 1];
	struct netlink_ext_ack ack = { 0 };
	struct nl_msg m;

	assert_int_equal(nl_msg_init(&m, 64), 0);
	nla_put_u8(&m, 77, 1);
	assert_int_equal(nla_parse(tb, A_MAX, m.buf, m.len, policy, true, &ack), -EINVAL);
	assert_string_equal(ack.msg, "Attribute 77 is of an unknown type");
	m.len = 0;
	nla_put_u16(&m, A_U8, 1); /* two octets for one */
	assert_int_equal(nla_parse(tb, A_MAX, m.buf, m.len, policy, true, NULL), -EINVAL);
	assert_int_equal(nla_parse(tb, A_MAX, m.buf, m.len, policy, false, NULL), 0);
	nl_msg_fini(&m);
}

static void lengths_never_lead_outside(void **state)
{
	const struct nlattr *tb[A_MAX + 1];
	u8 *buf = malloc(12); /* exact, so that a sanitizer sees an octet too many */
	struct nlattr a = { .nla_len = 200, .nla_type = A_BIN };

	memset(buf, 0, 12);
	memcpy(buf, &a, sizeof(a));
	assert_int_equal(nla_parse(tb, A_MAX, buf, 12, policy, false, NULL), 0);
	assert_null(tb[A_BIN]);
	a.nla_len = 3;
	memcpy(buf, &a, sizeof(a));
	assert_int_equal(nla_parse(tb, A_MAX, buf, 12, policy, false, NULL), 0);
	a.nla_len = 12;
	memcpy(buf, &a, sizeof(a));
	for (size_t n = 0; n < 12; n++) {
		nla_parse(tb, A_MAX, buf, n, policy, false, NULL);
		assert_null(tb[A_BIN]);
	}
	assert_int_equal(nla_parse(tb, A_MAX, buf, 12, NULL, false, NULL), 0);
	assert_ptr_equal(tb[A_BIN], buf);
	free(buf);
}

static void strings_are_cut_and_terminated(void **state)
{
	struct nl_msg m;
	char dst[4];

	assert_int_equal(nl_msg_init(&m, 64), 0);
	nla_put(&m, A_STR, 3, "abc"); /* no NUL inside */
	assert_int_equal(nla_strscpy(dst, (struct nlattr *)m.buf, 4), 3);
	assert_string_equal(dst, "abc");
	assert_int_equal(nla_strscpy(dst, (struct nlattr *)m.buf, 3), -E2BIG);
	assert_string_equal(dst, "ab");
	nl_msg_fini(&m);
}

static void a_message_that_does_not_fit_is_taken_back(void **state)
{
	struct nl_msg m;
	u32 before;

	assert_int_equal(nl_msg_init(&m, 64), 0);
	assert_non_null(nlmsg_begin(&m, 1, 2, 16, 0, 4));
	nla_put_u32(&m, 1, 7);
	assert_int_equal(nlmsg_finish(&m), 0);
	before = m.len;
	assert_int_equal(before, 16 + 4 + 8);

	assert_non_null(nlmsg_begin(&m, 1, 2, 16, 0, 4));
	nla_put_string(&m, 2, "much longer than what is left of sixty-four octets");
	nla_put_u8(&m, 3, 1); /* would fit, but the message is lost already */
	assert_int_equal(nlmsg_finish(&m), -EMSGSIZE);
	assert_int_equal(m.len, before);
	assert_false(m.overflow);

	assert_null(nlmsg_begin(&m, 1, 2, 16, 0, 100));
	assert_int_equal(m.len, before);
	nl_msg_fini(&m);
}

static void nests_have_their_length(void **state)
{
	const struct nlattr *tb[A_MAX + 1], *in[A_MAX + 1];
	struct nl_msg m;
	u32 nest;

	assert_int_equal(nl_msg_init(&m, 128), 0);
	assert_non_null(nlmsg_begin(&m, 0, 0, 16, 0, 0));
	nest = nla_nest_start(&m, A_NEST);
	nla_put_u32(&m, A_U32, 42);
	nla_nest_end(&m, nest);
	nla_put_u8(&m, A_U8, 3);
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(nlmsg_parse((struct nlmsghdr *)m.buf, 0, tb, A_MAX, policy, NULL), 0);
	assert_int_equal(nla_len(tb[A_NEST]), 8);
	assert_int_equal(nla_get_u8(tb[A_U8]), 3);
	assert_int_equal(nla_parse_nested(in, A_MAX, tb[A_NEST], policy, NULL), 0);
	assert_int_equal(nla_get_u32(in[A_U32]), 42);
	nl_msg_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_decides_what_is_valid),
		cmocka_unit_test(strict_parsing_refuses_the_unknown),
		cmocka_unit_test(lengths_never_lead_outside),
		cmocka_unit_test(strings_are_cut_and_terminated),
		cmocka_unit_test(a_message_that_does_not_fit_is_taken_back),
		cmocka_unit_test(nests_have_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
