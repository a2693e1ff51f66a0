/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "wire/llc.h"

static void llc_reads_a_command_and_a_response(void **state)
{
	static const u8 ui[] = { 0xaa, 0xaa, 0x03 }, test[] = { 0x42, 0x03, 0xf3 };
	struct llc_view v;

	assert_int_equal(llc_parse(ui, sizeof(ui), &v), 3);
	assert_true(v.dsap == LLC_SAP_SNAP && v.ssap == LLC_SAP_SNAP && v.ctrl == LLC_CTRL_UI);
	assert_false(v.response || v.pf);
	assert_int_equal(llc_parse(test, sizeof(test), &v), 3);
	assert_true(v.ssap == 2 && v.response && v.pf && v.ctrl == LLC_CTRL_TEST);
}

static void llc_numbered_formats_have_a_longer_header(void **state)
{
	static const u8 i[] = { 0x42, 0x42, 0x02, 0x05 };
	struct llc_view v;
	u8 again[4];

	assert_int_equal(llc_parse(i, 4, &v), 4);
	assert_true(v.pf && v.ctrl == 0x0402);
	assert_int_equal(llc_build(again, &v), 4);
	assert_memory_equal(again, i, 4);
	assert_int_equal(llc_parse(i, 3, &v), -EBADMSG);
}

static void llc_and_snap_refuse_what_is_too_short(void **state)
{
	static const u8 snap[] = { 0, 0, 0, 8, 0 };
	struct snap_view s;
	struct llc_view v;

	assert_int_equal(llc_parse(snap, 2, &v), -EBADMSG);
	assert_int_equal(snap_parse(snap, 4, &s), -EBADMSG);
	assert_int_equal(snap_parse(snap, 5, &s), SNAP_LEN);
	assert_true(s.oui == 0 && s.pid == 0x0800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(llc_reads_a_command_and_a_response),
		cmocka_unit_test(llc_numbered_formats_have_a_longer_header),
		cmocka_unit_test(llc_and_snap_refuse_what_is_too_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
