/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/ethernet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const u8 a[ETH_ALEN] = { 2, 0, 0, 0, 0, 1 }, b[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

static void what_is_built_is_what_is_parsed(void **state)
{
	struct eth_view v;
	u8 p[14];

	eth_build(p, b, a, ETH_P_IP);
	assert_memory_equal(p, "\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\x00", 14);
	assert_int_equal(eth_parse(p, sizeof(p), &v), 14);
	assert_true(ether_addr_equal(v.dst, b));
	assert_true(ether_addr_equal(v.src, a));
	assert_int_equal(v.type, ETH_P_IP);
}

static void short_frames_are_refused(void **state)
{
	const u8 p[14] = { 0 };
	struct eth_view v;

	for (size_t len = 0; len < 14; len++)
		assert_int_equal(eth_parse(p, len, &v), -EBADMSG);
}

static void kinds_of_addresses_are_told_apart(void **state)
{
	const u8 bc[ETH_ALEN] = { 255, 255, 255, 255, 255, 255 }, zero[ETH_ALEN] = { 0 };
	const u8 mc[ETH_ALEN] = { 1, 0, 0x5e, 0, 0, 1 };

	assert_true(is_broadcast_ether_addr(bc) && is_multicast_ether_addr(bc) &&
		    !is_valid_ether_addr(bc));
	assert_true(is_multicast_ether_addr(mc) && !is_broadcast_ether_addr(mc) &&
		    !is_valid_ether_addr(mc));
	assert_true(is_zero_ether_addr(zero) && !is_valid_ether_addr(zero));
	assert_true(is_valid_ether_addr(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(short_frames_are_refused),
		cmocka_unit_test(kinds_of_addresses_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
