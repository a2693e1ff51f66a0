/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/ipv4.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A header with a known checksum (b861), and 95 octets behind it */
static const u8 example[20] = {
	0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
	0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
};

static void a_header_is_parsed(void **state)
{
	u8 p[0x73] = { 0 };
	struct ipv4_view v;

	memcpy(p, example, sizeof(example));
	assert_int_equal(ipv4_parse(p, sizeof(p), &v), 20);
	assert_int_equal(v.hdr_len, 20);
	assert_int_equal(v.tot_len, 0x73);
	assert_int_equal(v.frag_off, IP_F_DF);
	assert_int_equal(v.ttl, 64);
	assert_int_equal(v.protocol, 17);
	assert_int_equal(be32_to_cpu(v.saddr), 0xc0a80001);
	assert_int_equal(be32_to_cpu(v.daddr), 0xc0a800c7);
	assert_true(ipv4_csum_ok(p, 20));
	p[8]--;
	assert_false(ipv4_csum_ok(p, 20));
}

static void what_is_built_is_what_was_parsed(void **state)
{
	u8 p[0x73] = { 0 }, q[20];
	struct ipv4_view v;

	memcpy(p, example, sizeof(example));
	ipv4_parse(p, sizeof(p), &v);
	ipv4_build(q, &v);
	assert_memory_equal(q, example, sizeof(q));
}

static void malformed_headers_are_refused(void **state)
{
	static const struct {
		const char *what;
		int off;
		u8 value;
	} wrong[] = {
		{ "version 6", 0, 0x65 },
		{ "version 0", 0, 0x05 },
		{ "header of 16 octets", 0, 0x44 },
		{ "header longer than the packet", 0, 0x4f },
		{ "longer than what is there", 3, 0x75 },
		{ "total length below the header's", 3, 19 },
	};
	struct ipv4_view v;
	u8 p[0x73];

	for (size_t len = 0; len < sizeof(p); len++) {
		memset(p, 0, sizeof(p));
		memcpy(p, example, sizeof(example));
		assert_int_equal(ipv4_parse(p, len, &v), -EBADMSG);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memset(p, 0, sizeof(p));
		memcpy(p, example, sizeof(example));
		if (wrong[i].value == 0x4f)
			p[3] = 40; /* tot_len 40 < 60 */
		p[wrong[i].off] = wrong[i].value;
		if (ipv4_parse(p, sizeof(p), &v) != -EBADMSG)
			fail_msg("accepted: %s", wrong[i].what);
	}
}

static void octets_behind_the_total_length_are_padding(void **state)
{
	u8 p[60] = { 0 };
	struct ipv4_view v;

	memcpy(p, example, sizeof(example));
	p[3] = 28;
	assert_int_equal(ipv4_parse(p, sizeof(p), &v), 20);
	assert_int_equal(v.tot_len, 28);
}

static void checksum_follows_the_ttl(void **state)
{
	struct ip_hdr h;

	memcpy(&h, example, sizeof(h));
	for (int ttl = 64; ttl > 0; ttl--) {
		assert_int_equal(h.ttl, ttl);
		ip_decrease_ttl(&h);
		assert_true(ipv4_csum_ok((const u8 *)&h, 20));
	}
	/* every value that the identification can give the checksum */
	for (u32 id = 0; id < 65536; id++) {
		memcpy(&h, example, sizeof(h));
		h.id = cpu_to_be16((u16)id);
		ip_send_check(&h);
		ip_decrease_ttl(&h);
		assert_true(ipv4_csum_ok((const u8 *)&h, 20));
	}
}

static void options_are_found_or_the_wrong_octet_is_named(void **state)
{
	static const struct {
		const char *what;
		u8 len, opt[40];
		int ret;
		struct ipv4_opts_view v;
	} cases[] = {
		{ "none", 0, { 0 }, 0, { 0 } },
		{ "end", 4, { 0, 1, 2, 3 }, 0, { 0 } },
		{ "NOPs", 4, { 1, 1, 1, 1 }, 0, { 0 } },
		{ "record route", 8, { 7, 7, 4, 0, 0, 0, 0, 0 }, 0, { .rr = 20 } },
		{ "record route behind NOP", 8, { 1, 7, 7, 8 }, 0, { .rr = 21 } },
		{ "record route, pointer too small", 8, { 7, 7, 3 }, 22, { 0 } },
		{ "record route, no room at pointer", 8, { 7, 7, 5 }, 22, { 0 } },
		{ "record route of 2 octets", 4, { 7, 2, 0, 0 }, 21, { 0 } },
		{ "record route twice", 16, { 7, 7, 4, 0, 0, 0, 0, 7, 7, 4 }, 27, { 0 } },
		{ "loose source route", 8, { 131, 7, 4, 10, 0, 0, 1, 0 }, 0, { .srr = 20 } },
		{ "strict source route",
		  8,
		  { 137, 7, 4, 10, 0, 0, 1, 0 },
		  0,
		  { .srr = 20, .strict = true } },
		{ "both source routes", 16, { 131, 7, 4, 10, 0, 0, 1, 137, 7, 4 }, 27, { 0 } },
		{ "timestamp", 8, { 68, 8, 5, 0 }, 0, { .ts = 20 } },
		{ "timestamp and address", 12, { 68, 12, 5, 1 }, 0, { .ts = 20 } },
		{ "timestamp and address, room for 4", 8, { 68, 8, 5, 1 }, 22, { 0 } },
		{ "timestamp, full, overflow 15", 8, { 68, 8, 9, 0xf0 }, 0, { .ts = 20 } },
		{ "timestamp, pointer 4", 8, { 68, 8, 4, 0 }, 22, { 0 } },
		{ "timestamp, flag 2", 8, { 68, 8, 9, 2 }, 0, { .ts = 20 } }, /* as Linux */
		{ "timestamp of 3 octets", 4, { 68, 3, 5, 0 }, 21, { 0 } },
		{ "router alert", 4, { 148, 4, 0, 0 }, 0, { .router_alert = 20 } },
		{ "router alert of another value", 4, { 148, 4, 0, 1 }, 0, { 0 } },
		{ "router alert of 3 octets", 4, { 148, 3, 0, 0 }, 21, { 0 } },
		{ "unknown", 4, { 200, 4, 0, 0 }, 0, { 0 } },
		{ "length 0", 4, { 200, 0, 0, 0 }, 20, { 0 } },
		{ "length 1", 4, { 200, 1, 0, 0 }, 20, { 0 } },
		{ "too long", 4, { 200, 5, 0, 0 }, 20, { 0 } },
		{ "no length", 4, { 1, 1, 1, 7 }, 23, { 0 } },
		{ "behind the end nothing counts", 8, { 0, 200, 0, 0, 7, 0 }, 0, { 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ipv4_opts_view v = { 0 };
		u8 p[60];
		int ret;

		memcpy(p, example, 20);
		memcpy(p + 20, cases[i].opt, 40);
		ret = ipv4_opts_parse(p, 20u + cases[i].len, &v);
		if (ret != cases[i].ret || memcmp(&v, &cases[i].v, sizeof(v)) != 0)
			fail_msg("%s: %d instead of %d", cases[i].what, ret, cases[i].ret);
	}
}

static void addresses_are_classified_and_written(void **state)
{
	char buf[16];

	assert_string_equal(ipv4_ntop(cpu_to_be32(0xc0a800c7), buf), "192.168.0.199");
	assert_string_equal(ipv4_ntop(cpu_to_be32(0), buf), "0.0.0.0");
	assert_string_equal(ipv4_ntop(cpu_to_be32(0xffffffff), buf), "255.255.255.255");
	assert_string_equal(ipv4_ntop(cpu_to_be32(0x0a640a01), buf), "10.100.10.1");
	assert_true(ipv4_is_loopback(cpu_to_be32(0x7f010203)));
	assert_true(ipv4_is_multicast(cpu_to_be32(0xe0000001)));
	assert_false(ipv4_is_multicast(cpu_to_be32(0xf0000001)));
	assert_true(ipv4_is_lbcast(cpu_to_be32(0xffffffff)));
	assert_true(ipv4_is_zeronet(cpu_to_be32(0x00000001)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_parsed),
		cmocka_unit_test(what_is_built_is_what_was_parsed),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(octets_behind_the_total_length_are_padding),
		cmocka_unit_test(checksum_follows_the_ttl),
		cmocka_unit_test(options_are_found_or_the_wrong_octet_is_named),
		cmocka_unit_test(addresses_are_classified_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
