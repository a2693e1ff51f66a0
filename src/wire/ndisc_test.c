/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/ndisc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void options_are_found_and_read(void **state)
{
	static const u8 p[] = { 1, 1, 2, 0, 0, 0, 0, 9, 200, 1, 0, 0, 0, 0, 0, 0,
				5, 1, 0, 0, 0, 0, 5, 0, 14,  1, 1, 2, 3, 4, 5, 6 };
	struct ndisc_opts o;

	assert_int_equal(ndisc_parse_options(p, sizeof(p), &o), 0);
	assert_memory_equal(ndisc_opt_lladdr(&o.source_ll, 6), "\x02\0\0\0\0\x09", 6);
	assert_null(ndisc_opt_lladdr(&o.source_ll, 8)); /* would have two units */
	assert_null(ndisc_opt_lladdr(&o.target_ll, 6));
	assert_int_equal(ndisc_opt_mtu(&o.mtu), 1280);
	assert_int_equal(ndisc_opt_nonce(&o.nonce), 0x060504030201);
}

static void a_length_of_0_or_beyond_the_end_is_refused(void **state)
{
	u8 p[16] = { 1, 1, 0, 0, 0, 0, 0, 0, 2, 1 };
	struct ndisc_opts o;

	assert_int_equal(ndisc_parse_options(p, 16, &o), 0);
	for (size_t len = 9; len < 16; len++)
		assert_int_equal(ndisc_parse_options(p, len, &o), -EBADMSG);
	p[9] = 0;
	assert_int_equal(ndisc_parse_options(p, 16, &o), -EBADMSG);
	p[9] = 2;
	assert_int_equal(ndisc_parse_options(p, 16, &o), -EBADMSG);
}

static void what_is_built_is_what_is_read(void **state)
{
	u8 p[24];
	struct ndisc_opts o;
	u32 n = ndisc_build_lladdr(p, NDISC_OPT_TARGET_LL_ADDR, (const u8 *)"abcdef", 6);

	assert_int_equal(n, 8);
	assert_int_equal(ndisc_build_nonce(p + n, 0xa1b2c3d4e5f6), 8);
	assert_int_equal(ndisc_parse_options(p, 16, &o), 0);
	assert_memory_equal(ndisc_opt_lladdr(&o.target_ll, 6), "abcdef", 6);
	assert_int_equal(ndisc_opt_nonce(&o.nonce), 0xa1b2c3d4e5f6);
	assert_int_equal(ndisc_build_lladdr(p, 1, (const u8 *)"12345678", 8), 16);
}

static void a_prefix_information_is_read(void **state)
{
	u8 p[32] = {
		3, 4, 64, 0xc0, 0, 0, 0x0e, 0x10, 0, 0, 0, 60, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8
	};
	struct ndisc_prefix_info v;

	assert_int_equal(ndisc_parse_prefix_info(p, 32, &v), 0);
	assert_true(v.onlink && v.autoconf && v.plen == 64);
	assert_int_equal(v.valid, 3600);
	assert_int_equal(v.preferred, 60);
	assert_int_equal(ndisc_parse_prefix_info(p, 24, &v), -EBADMSG);
	p[2] = 129;
	assert_int_equal(ndisc_parse_prefix_info(p, 32, &v), -EBADMSG);
}

static void a_route_information_is_as_long_as_its_prefix_needs(void **state)
{
	u8 p[24] = { 24, 2, 33, 0x18, 0, 0, 0, 9, 0x20, 1, 0x0d, 0xb8, 0xff, 0xff };
	struct ndisc_route_info v;
	struct ndisc_opt o = { 24, 16, p };

	assert_int_equal(ndisc_parse_route_info(&o, &v), 0);
	assert_int_equal(v.pref, 3);
	assert_memory_equal(&v.prefix, "\x20\x01\x0d\xb8\x80\0\0\0\0\0\0\0\0\0\0\0", 16);
	p[2] = 65;
	assert_int_equal(ndisc_parse_route_info(&o, &v), -EBADMSG);
	o.len = 8;
	p[2] = 1;
	assert_int_equal(ndisc_parse_route_info(&o, &v), -EBADMSG);
	p[2] = 0;
	assert_int_equal(ndisc_parse_route_info(&o, &v), 0);
}

static void servers_and_search_domains_are_read(void **state)
{
	u8 r[24] = { 25, 3, 0, 0, 0, 0, 0, 30, 0x20, 1, [23] = 0x53 };
	static const u8 d[] = "\x1f\3\0\0\0\0\0\x1e\3lab\7example\0\0\0";
	struct ndisc_opt ro = { 25, 24, r }, dopt = { 31, 24, d };
	struct ndisc_rdnss rv;
	struct ndisc_dnssl dv;
	char name[NDISC_NAME_MAX];

	assert_int_equal(ndisc_parse_rdnss(&ro, &rv), 0);
	assert_int_equal(rv.count, 1);
	assert_int_equal(rv.lifetime, 30);
	ro.len = 16;
	assert_int_equal(ndisc_parse_rdnss(&ro, &rv), -EBADMSG);
	assert_int_equal(ndisc_parse_dnssl(&dopt, &dv), 0);
	assert_true(ndisc_dnssl_next(&dv, name));
	assert_string_equal(name, "lab.example");
	assert_false(ndisc_dnssl_next(&dv, name));
}

static void a_search_domain_that_could_forge_lines_is_refused(void **state)
{
	static const u8 d[] = "\x1f\2\0\0\0\0\0\x1e\5a\nb c\0";
	struct ndisc_opt o = { 31, 16, d };
	struct ndisc_dnssl v;
	char name[NDISC_NAME_MAX];

	assert_int_equal(ndisc_parse_dnssl(&o, &v), 0);
	assert_false(ndisc_dnssl_next(&v, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_found_and_read),
		cmocka_unit_test(a_length_of_0_or_beyond_the_end_is_refused),
		cmocka_unit_test(what_is_built_is_what_is_read),
		cmocka_unit_test(a_prefix_information_is_read),
		cmocka_unit_test(a_route_information_is_as_long_as_its_prefix_needs),
		cmocka_unit_test(servers_and_search_domains_are_read),
		cmocka_unit_test(a_search_domain_that_could_forge_lines_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
