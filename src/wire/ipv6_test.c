/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/ipv6.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void build_example(u8 p[48])
{
	struct in6_addr s = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	struct in6_addr d = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
	const struct ipv6_view v = {
		.tclass = 0xb8,
		.nexthdr = IPPROTO_UDP,
		.hop_limit = 64,
		.flow_label = 0xfabcde,
		.payload_len = 8,
		.saddr = &s,
		.daddr = &d,
	};

	memset(p, 0, 48);
	ipv6_build(p, &v);
}

static void what_is_built_is_what_is_parsed(void **state)
{
	struct ipv6_view v;
	u8 p[48], q[48] = { 0 };

	build_example(p);
	assert_memory_equal(p, "\x6b\x8a\xbc\xde\x00\x08\x11\x40\x20\x01\x0d\xb8", 12);
	assert_int_equal(ipv6_parse(p, sizeof(p), &v), 40);
	assert_int_equal(v.tclass, 0xb8);
	assert_int_equal(v.flow_label, 0xabcde);
	assert_int_equal(v.nexthdr, IPPROTO_UDP);
	assert_int_equal(v.hop_limit, 64);
	assert_int_equal(v.payload_len, 8);
	assert_int_equal(v.saddr->s6_addr[15], 1);
	assert_int_equal(v.daddr->s6_addr[15], 2);
	ipv6_build(q, &v);
	assert_memory_equal(p, q, sizeof(p));
}

static void malformed_headers_are_refused(void **state)
{
	struct ipv6_view v;
	u8 p[48];

	build_example(p);
	for (size_t len = 0; len < sizeof(p); len++)
		assert_int_equal(ipv6_parse(p, len, &v), -EBADMSG);
	p[0] = 0x45;
	assert_int_equal(ipv6_parse(p, sizeof(p), &v), -EBADMSG);
}

static void extension_headers_are_stepped_over(void **state)
{
	static const struct {
		const char *what;
		u8 first, len, p[32];
		int ret;
		u8 next;
		u16 frag;
	} cases[] = {
		{ "none", 17, 8, { 0 }, 0, 17, 0 },
		{ "nothing at all", 59, 0, { 0 }, 0, 59, 0 },
		{ "hop by hop", 0, 16, { 6, 0 }, 8, 6, 0 },
		{ "hop by hop, then destination", 0, 24, { 60, 0, [8] = 17, [9] = 1 }, 24, 17, 0 },
		{ "authentication", 51, 16, { 6, 1 }, 12, 6, 0 },
		{ "first fragment", 44, 16, { 17, 0, 0, 1 }, 8, 17, 1 },
		{ "atomic fragment", 44, 16, { 17, 0, 0, 0 }, 8, 17, 0 },
		{ "later fragment", 44, 16, { 0, 0, 0x05, 0xa9, [8] = 17, 255 }, 8, 0, 0x05a9 },
		{ "cut short", 0, 7, { 6, 0 }, -EBADMSG, 0, 0 },
		{ "longer than the packet", 0, 16, { 6, 2 }, -EBADMSG, 0, 0 },
		{ "second one is not there", 0, 8, { 43, 0 }, -EBADMSG, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 next = cases[i].first;
		u16 frag = 0;
		int ret = ipv6_skip_exthdr(cases[i].p, cases[i].len, &next, &frag);

		if (ret != cases[i].ret ||
		    (ret >= 0 && (next != cases[i].next || frag != cases[i].frag)))
			fail_msg("%s: %d, next %u, frag %u", cases[i].what, ret, next, frag);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(extension_headers_are_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
