/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/arp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const u8 request[28] = {
	0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 192, 0, 2, 2,
};

static void a_request_is_parsed(void **state)
{
	struct arp_view v;

	assert_int_equal(arp_parse(request, sizeof(request), 6, &v), 28);
	assert_int_equal(v.htype, ARP_HTYPE_ETHER);
	assert_int_equal(v.ptype, 0x0800);
	assert_int_equal(v.op, ARP_OP_REQUEST);
	assert_memory_equal(v.sha, "\x02\0\0\0\0\x01", 6);
	assert_int_equal(be32_to_cpu(v.sip), 0xc0000201);
	assert_int_equal(be32_to_cpu(v.tip), 0xc0000202);
}

static void what_is_built_is_what_is_parsed(void **state)
{
	struct arp_view v;
	u8 p[28];

	arp_parse(request, sizeof(request), 6, &v);
	arp_build(p, &v);
	assert_memory_equal(p, request, sizeof(p));
	v.tha = NULL;
	memset(p, 0xff, sizeof(p));
	arp_build(p, &v);
	assert_memory_equal(p, request, sizeof(p));
}

static void malformed_packets_are_refused(void **state)
{
	static const struct {
		int off;
		u8 value;
	} wrong[] = { { 2, 0x86 }, { 4, 8 }, { 5, 16 }, { 4, 0 }, { 5, 0 } };
	struct arp_view v;
	u8 p[28];

	for (size_t len = 0; len < sizeof(request); len++)
		assert_int_equal(arp_parse(request, len, 6, &v), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		memcpy(p, request, sizeof(p));
		p[wrong[i].off] = wrong[i].value;
		assert_int_equal(arp_parse(p, sizeof(p), 6, &v), -EPROTONOSUPPORT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_parsed),
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(malformed_packets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
