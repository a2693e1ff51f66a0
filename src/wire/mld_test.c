/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/mld.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "wire/icmpv6.h"

static const struct in6_addr group = { .s6_addr = { 0xff, 0x15, [15] = 9 } };

static void what_is_built_is_what_is_parsed(void **state)
{
	static const u8 sources[32] = { 0x20, 1, [15] = 1, 0x20, 1, [31] = 2 };
	const struct mld_view cases[] = {
		{ .type = ICMPV6_MGM_QUERY, .max_resp_code = 10000 },
		{ .type = ICMPV6_MGM_QUERY, .max_resp_code = 1000, .group = group },
		{ .type = ICMPV6_MGM_REPORT, .group = group },
		{ .type = ICMPV6_MGM_REDUCTION, .group = group },
		{ .type = ICMPV6_MGM_QUERY, .v2 = true, .qrv = 2, .qqic = 125 },
		{ .type = ICMPV6_MGM_QUERY,
		  .v2 = true,
		  .suppress = true,
		  .qrv = 7,
		  .qqic = 255,
		  .group = group,
		  .nsrcs = 2,
		  .sources = sources },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct mld_view *in = &cases[i];
		struct mld_view out;
		u8 p[60];

		mld_build(p, in);
		assert_int_equal(mld_parse(p, mld_len(in), &out), mld_len(in));
		assert_int_equal(out.type, in->type);
		assert_int_equal(out.v2, in->v2);
		assert_int_equal(out.max_resp_code, in->max_resp_code);
		assert_memory_equal(&out.group, &in->group, 16);
		assert_int_equal(out.suppress, in->suppress);
		assert_int_equal(out.qrv, in->qrv);
		assert_int_equal(out.qqic, in->qqic);
		assert_int_equal(out.nsrcs, in->nsrcs);
		if (in->nsrcs)
			assert_memory_equal(out.sources, sources, 32);
	}
}

/* RFC 3810 8.1 */
static void the_length_tells_the_version_of_a_query(void **state)
{
	u8 p[28] = { ICMPV6_MGM_QUERY };
	struct mld_view v;

	assert_int_equal(mld_parse(p, 23, &v), -EBADMSG);
	assert_int_equal(mld_parse(p, 24, &v), 24);
	assert_false(v.v2);
	for (size_t len = 25; len < 28; len++)
		assert_int_equal(mld_parse(p, len, &v), -EBADMSG);
	assert_int_equal(mld_parse(p, 28, &v), 28);
	assert_true(v.v2);
	p[27] = 1; /* a source that is not there */
	assert_int_equal(mld_parse(p, 28, &v), -EBADMSG);
	p[0] = ICMPV6_MGM_REPORT; /* which has one version: more octets are ignored */
	assert_int_equal(mld_parse(p, 28, &v), 24);
}

/* RFC 3810 5.1.3, 5.1.9 */
static void long_times_are_coded_with_an_exponent(void **state)
{
	assert_int_equal(mld_max_resp_ms(&(struct mld_view){ .v2 = true, .max_resp_code = 32767 }),
			 32767);
	assert_int_equal(mld_max_resp_ms(&(struct mld_view){ .v2 = true, .max_resp_code = 32768 }),
			 32768);
	assert_int_equal(mld_max_resp_ms(&(struct mld_view){ .v2 = true, .max_resp_code = 65535 }),
			 0x1fff << 10);
	assert_int_equal(mld_max_resp_ms(&(struct mld_view){ .max_resp_code = 65535 }), 65535);
	assert_int_equal(mld_query_interval_s(127), 127);
	assert_int_equal(mld_query_interval_s(128), 128);
	assert_int_equal(mld_query_interval_s(255), 31744);
}

static void records_of_a_report_are_bounded(void **state)
{
	u8 p[8 + 20 + 16 + 4] = { ICMPV6_MLD2_REPORT, [7] = 1, [8] = 4, [9] = 1, [11] = 1 };
	struct mld_record r;
	u16 n;

	memcpy(p + 12, &group, 16);
	assert_int_equal(mld_report_parse(p, 7, &n), -EBADMSG);
	assert_int_equal(mld_report_parse(p, sizeof(p), &n), 8);
	assert_int_equal(n, 1);
	for (size_t len = 0; len < 40; len++)
		assert_int_equal(mld_record_parse(p + 8, len, &r), -EBADMSG);
	assert_int_equal(mld_record_parse(p + 8, 40, &r), 40);
	assert_int_equal(r.type, 4);
	assert_int_equal(r.aux_words, 1);
	assert_int_equal(r.nsrcs, 1);
	assert_ptr_equal(r.sources, p + 28);
	assert_memory_equal(&r.group, &group, 16);
	p[0] = ICMPV6_MGM_REPORT;
	assert_int_equal(mld_report_parse(p, sizeof(p), &n), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(the_length_tells_the_version_of_a_query),
		cmocka_unit_test(long_times_are_coded_with_an_exponent),
		cmocka_unit_test(records_of_a_report_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
