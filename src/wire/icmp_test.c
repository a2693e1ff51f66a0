/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/icmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "lib/csum.h"

static void what_is_built_is_what_is_parsed(void **state)
{
	static const struct icmp_view cases[] = {
		{ .type = ICMP4_ECHO, .id = 0x1234, .sequence = 7 },
		{ .type = ICMP4_ECHOREPLY, .id = 1, .sequence = 65535 },
		{ .type = ICMP4_TIMESTAMP, .id = 3, .sequence = 4 },
		{ .type = ICMP4_DEST_UNREACH, .code = ICMP4_FRAG_NEEDED, .info = 1400 },
		{ .type = ICMP4_DEST_UNREACH, .code = ICMP4_PORT_UNREACH },
		{ .type = ICMP4_PARAMETERPROB, .info = 21 },
		{ .type = ICMP4_REDIRECT, .code = 1, .info = 0x0100000a },
		{ .type = ICMP4_TIME_EXCEEDED },
	};
	static const u8 payload[5] = { 1, 2, 3, 4, 5 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct icmp_view in = cases[i], out;
		u8 p[13];

		in.payload = payload;
		in.payload_len = sizeof(payload);
		icmp_build(p, &in);
		assert_int_equal(csum_fold(csum_partial(p, sizeof(p), 0)), 0);
		assert_int_equal(icmp_parse(p, sizeof(p), &out), 8);
		assert_int_equal(out.type, in.type);
		assert_int_equal(out.code, in.code);
		assert_int_equal(out.id, in.id);
		assert_int_equal(out.sequence, in.sequence);
		assert_int_equal(out.info, in.info);
		assert_int_equal(out.payload_len, 5);
		assert_memory_equal(out.payload, payload, 5);
	}
}

static void short_messages_are_refused(void **state)
{
	const u8 p[8] = { 8 };
	struct icmp_view v;

	for (size_t len = 0; len < 8; len++)
		assert_int_equal(icmp_parse(p, len, &v), -EBADMSG);
	assert_int_equal(icmp_parse(p, 8, &v), 8);
	assert_int_equal(v.payload_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(short_messages_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
