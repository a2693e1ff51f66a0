/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_matrix_test.c - one connection over every kind of link, in virtual time
 *
 *      a --- eth0 ===[ 100 Mbit/s, RTT, loss, reorder | duplicate | corrupt ]=== eth0 --- b
 *
 * Both directions at once. What must hold in each cell: every octet arrives once, in order and unchanged; both ends see the end of
 * the stream; the goodput lies in the band of expected_ns(). The same seed gives the same frames at the same times.
 * TCP_MATRIX_PRINT=1 in the environment prints the table.
 */
#include "tests/support/topo.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RATE 100000000.0
#define MSS  1448.0

static const double losses[] = { 0, 0.001, 0.01, 0.05, 0.2 };
static const int rtts_ms[] = { 0, 1, 50, 300 };
static const char *const extras[] = { "none", "reorder", "duplicate", "corrupt" };

/* The steady state of a loss-driven sender with loss @p of data and of ACKs alike: Padhye, Firoiu, Towsley, Kurose (1998),
 * equation 32, with one ACK for two segments and a timeout of RTT + 200 ms. */
static double steady_bps(double p, double rtt)
{
	double rto = rtt + 0.2, r = rtt + 0.001;
	double q = 3 * sqrt(3 * 2 * p / 8);

	if (p <= 0)
		return RATE;
	return fmin(RATE,
		    MSS * 8 / (r * sqrt(2 * 2 * p / 3) + rto * fmin(1, q) * p * (1 + 32 * p * p)));
}

/* Handshake, slow start from ten segments, then the steady state. */
static double expected_s(uint64_t octets, double p, double rtt)
{
	double rounds = log2((double)octets / (10 * MSS) + 1) + 3;

	return rounds * (rtt + 0.001) + (double)octets * 8 / steady_bps(p, rtt);
}

static uint64_t cell_octets(double p)
{
	return p < 0.005 ? 2000000 : p < 0.03 ? 1000000 : p < 0.1 ? 400000 : 200000;
}

static bool run_cell(unsigned l, unsigned r, unsigned x)
{
	uint64_t seed = 1000 + l * 100 + r * 10 + x, octets;
	struct topo_link link = {
		.delay_ns = (uint64_t)rtts_ms[r] * 500000,
		.rate_bps = (uint64_t)RATE,
		.loss = losses[l],
		.reorder = x == 1 ? 0.05 : 0,
		.duplicate = x == 2 ? 0.05 : 0,
		.corrupt = x == 3 ? 0.01 : 0,
	};
	/* Reordering looks like loss until the sender knows how much of it there is: one seed in ten takes more than four times as long. */
	double p = link.loss + link.corrupt, s, want,
	       slack = p >= 0.2           ? 8
		       : link.reorder > 0 ? 6
					  : 4;
	struct topo_result res;
	struct topo t;
	bool ok;

	octets = cell_octets(p);
	if (!topo_create(&t, &link, seed))
		return false;
	res = topo_transfer(&t, octets, octets, 7200000000000ULL);
	topo_destroy(&t);
	s = (double)res.ns / 1e9;
	want = expected_s(octets, p, rtts_ms[r] / 1e3);
	/* The band: no faster than the link, no slower than @slack times the model and, where there is loss, a few seconds for SYNs
	 * and FINs, whose loss costs a timeout each. */
	ok = res.ok && s <= want * slack + (p > 0 ? 1.5 + 60 * p : 0) &&
	     s >= (double)octets * 8 / RATE;
	if (!ok || getenv("TCP_MATRIX_PRINT"))
		print_message("loss %4.1f%% rtt %3d ms %-9s seed %" PRIu64
			      ": %8.3f s, expected %7.3f, %8.3f Mbit/s%s%s\n",
			      link.loss * 100, rtts_ms[r], extras[x], seed, s, want,
			      (double)octets * 8e-6 / s, ok ? "" : " FAILED ",
			      res.problem ? res.problem : "");
	return ok;
}

static void run_row(unsigned l)
{
	unsigned bad = 0;

	for (unsigned r = 0; r < sizeof(rtts_ms) / sizeof(rtts_ms[0]); r++)
		for (unsigned x = 0; x < sizeof(extras) / sizeof(extras[0]); x++)
			bad += !run_cell(l, r, x);
	assert_int_equal(bad, 0);
}

static void tcp_survives_links_without_loss(void **state)
{
	run_row(0);
}

static void tcp_survives_one_loss_in_a_thousand(void **state)
{
	run_row(1);
}

static void tcp_survives_one_percent_loss(void **state)
{
	run_row(2);
}

static void tcp_survives_five_percent_loss(void **state)
{
	run_row(3);
}

static void tcp_survives_twenty_percent_loss(void **state)
{
	run_row(4);
}

/* ---- determinism ---------------------------------------------------------------------------------------- */

struct capture {
	uint64_t hash, frames;
};

static void capture_frame(const struct weir_frame *f, void *arg)
{
	struct capture *c = arg;
	const uint64_t meta[] = { f->time, f->net_id, f->ifindex, f->outgoing, f->len };
	const uint8_t *p = (const uint8_t *)meta;

	for (size_t i = 0; i < sizeof(meta); i++)
		c->hash = (c->hash ^ p[i]) * 0x100000001b3ULL;
	for (size_t i = 0; i < f->caplen; i++)
		c->hash = (c->hash ^ f->data[i]) * 0x100000001b3ULL;
	c->frames++;
}

static struct capture captured_run(uint64_t seed)
{
	struct topo_link link = { .delay_ns = 10000000,
				  .jitter_ns = 1000000,
				  .rate_bps = 50000000,
				  .loss = 0.02,
				  .reorder = 0.01,
				  .duplicate = 0.01,
				  .corrupt = 0.005 };
	struct capture c = { .hash = 0xcbf29ce484222325ULL };
	struct weir_tap *tap[2];
	struct topo_result r;
	struct topo t;

	assert_true(topo_create(&t, &link, seed));
	for (int i = 0; i < 2; i++)
		tap[i] = weir_tap_create(t.net[i], "eth0", 65535, capture_frame, &c);
	r = topo_transfer(&t, 50000, 20000, 600000000000ULL);
	assert_true(r.ok);
	for (int i = 0; i < 2; i++)
		weir_tap_destroy(tap[i]);
	topo_destroy(&t);
	return c;
}

static void same_seed_gives_the_same_capture_a_hundred_times(void **state)
{
	struct capture first = captured_run(7), other = captured_run(8);

	assert_true(first.frames > 100);
	assert_true(first.hash != other.hash);
	for (int i = 1; i < 100; i++) {
		struct capture c = captured_run(7);

		assert_int_equal(c.frames, first.frames);
		assert_true(c.hash == first.hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_survives_links_without_loss),
		cmocka_unit_test(tcp_survives_one_loss_in_a_thousand),
		cmocka_unit_test(tcp_survives_one_percent_loss),
		cmocka_unit_test(tcp_survives_five_percent_loss),
		cmocka_unit_test(tcp_survives_twenty_percent_loss),
		cmocka_unit_test(same_seed_gives_the_same_capture_a_hundred_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
