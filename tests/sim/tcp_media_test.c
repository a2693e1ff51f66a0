/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_media_test.c - TCP between emulated cards, over each thing that a card can be plugged into; made by netlink alone
 *
 *      a --- eth0 ===[ cable | hub | switch | token ]=== eth0 --- b        10.0.0.1 and 10.0.0.2, port 7
 */
#include "tests/support/topo.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/lab_net.h"

#define S 1000000000ULL

static void must(int r, const struct net_error *err)
{
	if (r)
		fail_msg("%s: %s", strerror(-r), err->text);
}

/* @kind NULL: a cable */
static void media_create(struct topo *t, const char *kind, uint64_t seed)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
					   .seeded = true,
					   .seed = seed };
	static const char *const names[] = { "a", "b" };
	struct net_error err = { "" };

	memset(t, 0, sizeof(*t));
	t->m = weir_machine_create(&cfg);
	assert_non_null(t->m);
	for (int i = 0; i < 2; i++)
		t->net[i] = weir_net_create(t->m, names[i]);
	if (kind) {
		must(net_medium_add(t->net[0], "wire0", kind, &err), &err);
		must(net_nic_add(t->net[0], "wire0", t->net[0], "eth0", &err), &err);
		must(net_nic_add(t->net[0], "wire0", t->net[1], "eth0", &err), &err);
	} else {
		must(net_nic_add(t->net[0], NULL, t->net[0], "eth0", &err), &err);
		must(net_nic_add(t->net[0], "eth0", t->net[1], "eth0", &err), &err);
	}
	t->family = AF_INET;
	t->addrlen = sizeof(t->addr[0].in);
	for (int i = 0; i < 2; i++) {
		t->addr[i] = topo_address(AF_INET, (unsigned)i);
		must(net_addr_add(t->net[i], "eth0", t->addr[i].in.sin_addr, 24, &err), &err);
		must(net_link_up(t->net[i], "eth0", &err), &err);
	}
}

static long stat_of(struct weir_net *net, const char *file)
{
	char path[100], *text;
	size_t len;
	long v;

	snprintf(path, sizeof(path), "/sys/class/net/%s", file);
	assert_int_equal(weir_view_read(net, path, &text, &len), 0);
	v = atol(text);
	free(text);
	return v;
}

/* Both directions at once; returns the ns it took. */
static uint64_t transfer(const char *kind, uint64_t octets, uint64_t *ret_digest,
			 long *ret_collisions)
{
	struct topo_result r;
	struct topo t;

	media_create(&t, kind, 11);
	r = topo_transfer(&t, octets, octets, 1000 * S);
	if (!r.ok)
		fail_msg("%s: %s", kind ? kind : "cable", r.problem);
	if (ret_digest)
		*ret_digest = r.digest[0];
	if (ret_collisions)
		*ret_collisions = stat_of(t.net[0], "eth0/statistics/collisions") +
				  stat_of(t.net[1], "eth0/statistics/collisions");
	assert_int_equal(stat_of(t.net[1], "eth0/statistics/rx_crc_errors"), 0);
	topo_destroy(&t);
	return r.ns;
}

static void a_cable_carries_tcp_near_its_rate(void **state)
{
	uint64_t ns = transfer(NULL, 20000000, NULL, NULL);

	/* 160 Mbit on 1 Gbit/s each way */
	assert_in_range(ns, 160000000, 250000000);
}

static void a_hub_carries_tcp_with_collisions_and_repeats(void **state)
{
	uint64_t d1, d2, ns1, ns2;
	long c1, c2;

	ns1 = transfer("hub", 500000, &d1, &c1);
	ns2 = transfer("hub", 500000, &d2, &c2);
	/* 8 Mbit on 10 Mbit/s that both share */
	assert_in_range(ns1, 800000000, 2000000000);
	assert_true(c1 > 0);
	assert_int_equal(ns1, ns2);
	assert_int_equal(c1, c2);
	assert_int_equal(d1, d2);
}

static void a_switch_carries_tcp_both_ways_at_once(void **state)
{
	long collisions;
	uint64_t ns = transfer("switch", 20000000, NULL, &collisions);

	assert_in_range(ns, 160000000, 250000000);
	assert_int_equal(collisions, 0);
}

static void a_token_medium_carries_tcp_without_collisions(void **state)
{
	long collisions;
	uint64_t ns = transfer("token", 1000000, NULL, &collisions);

	/* 16 Mbit on 16 Mbit/s that both share */
	assert_in_range(ns, 1000000000, 1300000000);
	assert_int_equal(collisions, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cable_carries_tcp_near_its_rate),
		cmocka_unit_test(a_hub_carries_tcp_with_collisions_and_repeats),
		cmocka_unit_test(a_switch_carries_tcp_both_ways_at_once),
		cmocka_unit_test(a_token_medium_carries_tcp_without_collisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
