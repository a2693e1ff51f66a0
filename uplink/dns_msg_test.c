/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_msg_test.c - questions and answers, whole and damaged */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "dns_msg.h"

#define QUESTION "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3WWW\1a\4test\0\0\1\0\1"
/* A CNAME with a compressed name, an A, an AAAA. */
#define ANSWER                                                                                     \
	"\x12\x34\x81\x80\0\1\0\3\0\0\0\0\3www\1a\4test\0\0\1\0\1"                                 \
	"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x10"                                                   \
	"\xc0\x10\0\1\0\1\0\0\0\x3c\0\4\5\6\7\x08"                                                 \
	"\xc0\x10\0\x1c\0\1\0\0\0\x3c\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x15"
#define LEN(s) (sizeof(s) - 1)

static void a_question_is_read(void **state)
{
	struct dns_question q;

	assert_true(dns_read_question((const uint8_t *)QUESTION, LEN(QUESTION), &q));
	assert_string_equal(q.name, "www.a.test");
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.type, DNS_TYPE_A);
	assert_false(q.response);
	assert_true(q.query);
	assert_int_equal(q.end, LEN(QUESTION));
	for (size_t n = 0; n < LEN(QUESTION); n++)
		assert_false(dns_read_question((const uint8_t *)QUESTION, n, &q));
}

static void an_update_is_no_query(void **state)
{
	uint8_t msg[] = QUESTION;
	struct dns_question q;

	msg[2] = 5 << 3;
	assert_true(dns_read_question(msg, LEN(QUESTION), &q));
	assert_false(q.query);
}

static void names_that_are_no_questions(void **state)
{
	static const struct {
		const char *octets;
		size_t len;
	} cases[] = {
#define C(s) { "\0\0\1\0\0\1\0\0\0\0\0\0" s, LEN("\0\0\1\0\0\1\0\0\0\0\0\0" s) }
		C("\xc0\x0c\0\1\0\1"), /* a pointer: to what? */
		C("\x40zzz\0\0\1\0\1"),
		C("\3ab"),
		{ "\0\0\1\0\0\2\0\0\0\0\0\0\0\0\1\0\1", 17 }, /* two questions */
	};
	uint8_t longest[400] = { 0, 0, 1, 0, 0, 1 };
	struct dns_question q;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(dns_read_question((const uint8_t *)cases[i].octets, cases[i].len, &q));
	/* Longer than a name may be. */
	for (int i = 0; i < 5; i++) {
		longest[DNS_HEADER + i * 64] = 63;
		memset(longest + DNS_HEADER + i * 64 + 1, 'a', 63);
	}
	assert_false(dns_read_question(longest, sizeof(longest), &q));
}

struct seen {
	int v4, v6;
	uint8_t last;
};

static void see(int family, const uint8_t *addr, void *arg)
{
	struct seen *s = arg;

	s->v4 += family == AF_INET;
	s->v6 += family == AF_INET6;
	s->last = addr[family == AF_INET ? 3 : 15];
}

static void addresses_of_an_answer_are_found(void **state)
{
	struct seen s = { 0 };

	assert_true(dns_each_address((const uint8_t *)ANSWER, LEN(ANSWER), see, &s));
	assert_int_equal(s.v4, 1);
	assert_int_equal(s.v6, 1);
	assert_int_equal(s.last, 0x15);
	for (size_t n = 0; n < LEN(ANSWER); n++)
		assert_false(dns_each_address((const uint8_t *)ANSWER, n, see, &s));
	/* A question has none. */
	assert_false(dns_each_address((const uint8_t *)QUESTION, LEN(QUESTION), see, &s));
}

static void an_error_repeats_the_question(void **state)
{
	uint8_t msg[] = QUESTION;
	struct dns_question q;

	assert_int_equal(dns_make_error(msg, LEN(QUESTION), DNS_SERVFAIL), LEN(QUESTION));
	assert_true(dns_read_question(msg, LEN(QUESTION), &q));
	assert_true(q.response);
	assert_int_equal(msg[3] & 15, DNS_SERVFAIL);
	assert_string_equal(q.name, "www.a.test");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_read),
		cmocka_unit_test(an_update_is_no_query),
		cmocka_unit_test(names_that_are_no_questions),
		cmocka_unit_test(addresses_of_an_answer_are_found),
		cmocka_unit_test(an_error_repeats_the_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
