/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_accecn_test.c - over a link that marks, the sender knows to the octet what was marked (RFC 9768), in virtual time
 *
 *      a --- eth0 =====[ 10 ms, 100 Mbit/s, marks from 20 packets on ]===== eth0 --- b
 *
 * Segments leave in units that are cut on the way and arrive in batches that are merged, so that this also shows that cutting and merging keep
 * the ACE field.
 */
#include "tests/support/topo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tcp/tcp_info.h"

#define MS     1000000ULL
#define OCTETS (20u << 20)

static const struct topo_link marking = {
	.delay_ns = 5 * MS, .rate_bps = 100000000, .queue_packets = 1000, .ecn_packets = 20
};

static struct tcp_info_uapi info_of(struct weir_file *f)
{
	struct tcp_info_uapi i;
	socklen_t len = sizeof(i);

	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, 11 /* TCP_INFO */, &i, &len), 0);
	assert_int_equal(len, sizeof(i));
	return i;
}

/* OCTETS from @c to @s; both are left open and quiet. */
static void transfer(struct topo *t, struct weir_file *c, struct weir_file *s)
{
	static uint8_t buf[1 << 16];
	uint32_t sent = 0, got = 0;

	for (int turns = 0; got < OCTETS; turns++) {
		ssize_t n = sent < OCTETS ? weir_send(c, buf,
						      sizeof(buf) < OCTETS - sent ? sizeof(buf)
										  : OCTETS - sent,
						      0)
					  : 0;

		assert_true(turns < 1000000);
		if (n > 0)
			sent += (uint32_t)n;
		while ((n = weir_recv(s, buf, sizeof(buf), 0)) > 0)
			got += (uint32_t)n;
		topo_run(t, MS);
	}
	topo_run(t, 100 * MS);
}

static void run(const char *cc, const char *option, double loss)
{
	struct topo_link l = marking;
	struct topo t;
	struct weir_file *c, *s;
	struct tcp_info_uapi ci, si;

	l.loss = loss;
	assert_true(topo_create(&t, &l, 7));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_sysctl(t.net[i], "net.ipv4.tcp_ecn", "3"), 0);
		assert_int_equal(weir_sysctl(t.net[i], "net.ipv4.tcp_ecn_option", option), 0);
		assert_int_equal(weir_sysctl(t.net[i], "net.ipv4.tcp_congestion_control", cc), 0);
	}
	assert_true(topo_connect(&t, &c, &s));
	transfer(&t, c, s);
	ci = info_of(c);
	si = info_of(s);
	assert_int_equal(ci.tcpi_ecn_mode, TCPI_ECN_MODE_ACCECN);
	assert_int_equal(si.tcpi_ecn_mode, TCPI_ECN_MODE_ACCECN);
	assert_int_equal(ci.tcpi_accecn_fail_mode, 0);
	assert_int_equal(si.tcpi_accecn_fail_mode, 0);
	assert_true(si.tcpi_received_ce > 10); /* the link did mark */
	assert_int_equal(ci.tcpi_delivered_ce, si.tcpi_received_ce);
	if (strcmp(option, "0")) {
		assert_int_equal(ci.tcpi_delivered_ce_bytes, si.tcpi_received_ce_bytes);
		/* What was not marked is told with the next option, which may be a while. */
		assert_true(ci.tcpi_delivered_e0_bytes <= si.tcpi_received_e0_bytes);
	}
	if (!strcmp(option, "2"))
		assert_int_equal(ci.tcpi_delivered_e0_bytes, si.tcpi_received_e0_bytes);
	assert_int_equal(ci.tcpi_delivered_e1_bytes, 0);
	if (loss <= 0)
		assert_int_equal(si.tcpi_received_e0_bytes + si.tcpi_received_ce_bytes, OCTETS);
	assert_int_equal(si.tcpi_delivered_ce, 0);
	weir_close(c);
	weir_close(s);
	topo_destroy(&t);
}

static void every_mark_is_told_whatever_steers_the_window(void **state)
{
	(void)state;
	run("cubic", "2", 0);
	run("reno", "2", 0);
	run("dctcp", "2", 0);
}

static void options_that_come_seldom_tell_as_much(void **state)
{
	(void)state;
	run("cubic", "1", 0);
	run("dctcp", "1", 0);
}

static void losses_of_data_and_acks_lose_no_mark(void **state)
{
	(void)state;
	run("reno", "2", 0.0005);
	run("dctcp", "2", 0.0005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mark_is_told_whatever_steers_the_window),
		cmocka_unit_test(options_that_come_seldom_tell_as_much),
		cmocka_unit_test(losses_of_data_and_acks_lose_no_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
