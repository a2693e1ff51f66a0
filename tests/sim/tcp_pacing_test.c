/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_pacing_test.c - a paced connection sends at its rate, evenly; BBR finds that rate: measured on the wire in virtual time
 *
 *      a --- eth0 =====[ 10 ms ]===== eth0 --- b        what leaves a is looked at
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/topo.h"

#define MS 1000000ULL
#define S  1000000000ULL

#define MSS 1448u

struct wire { /* data segments that left a */
	uint64_t first, last, octets;
	/* octets that left without 200 us between them: ever, and after the initial window */
	uint64_t longest_burst, longest_later, burst;
	struct tcp_info info; /* of the sender, at the end */
	union tcp_cc_info cc;
};

static void look(const struct weir_frame *f, void *arg)
{
	struct wire *w = arg;
	uint32_t payload = f->len > 66 ? f->len - 66 : 0; /* Ethernet, IPv4, TCP with timestamps */

	if (!f->outgoing || f->protocol != 0x0800 || !payload)
		return;
	if (!w->octets)
		w->first = f->time;
	w->burst = w->octets && f->time - w->last < MS / 5 ? w->burst + payload : payload;
	if (w->burst > w->longest_burst)
		w->longest_burst = w->burst;
	if (w->octets > 20 * MSS && w->burst > w->longest_later)
		w->longest_later = w->burst;
	w->last = f->time;
	w->octets += payload;
}

/* Sends for @ns, as much as the socket takes; reads at the other end. */
static struct wire send_for(const char *cong, uint64_t rate, const struct topo_link *link,
			    uint64_t ns)
{
	static char buf[65536];
	struct weir_file *c, *s;
	struct weir_tap *tap;
	struct wire w = { 0 };
	socklen_t len;
	struct topo t;

	assert_true(topo_create(&t, link, 5));
	assert_true(topo_connect(&t, &c, &s));
	if (cong)
		assert_int_equal(weir_setsockopt(c, IPPROTO_TCP, TCP_CONGESTION, cong,
						 (socklen_t)strlen(cong)),
				 0);
	if (rate)
		assert_int_equal(weir_setsockopt(c, SOL_SOCKET, 47 /* SO_MAX_PACING_RATE */, &rate,
						 sizeof(rate)),
				 0);
	tap = weir_tap_create(t.net[0], "eth0", 0, look, &w);
	assert_non_null(tap);
	for (uint64_t end = weir_now(t.m) + ns; weir_now(t.m) < end;) {
		while (weir_send(c, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
		topo_run(&t, MS);
		while (weir_recv(s, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			;
	}
	weir_tap_destroy(tap);
	len = sizeof(w.info);
	assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_INFO, &w.info, &len), 0);
	len = sizeof(w.cc);
	assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_CC_INFO, &w.cc, &len), 0);
	weir_close(c);
	weir_close(s);
	topo_destroy(&t);
	return w;
}

static const struct topo_link ten_ms = { .delay_ns = 5 * MS };

static void so_max_pacing_rate_is_kept_and_even(void **state)
{
	struct wire w = send_for(NULL, 1000000, &ten_ms, 2 * S);
	double rate = (double)w.octets * 1e9 / (double)(w.last - w.first);

	assert_true(fabs(rate - 1e6) < 0.03e6);
	/* The initial window may leave at once; what follows comes in pairs at most (net.ipv4.tcp_min_tso_segs). */
	assert_true(w.longest_burst <= 10 * MSS);
	assert_true(w.longest_later <= 2 * MSS);
}

static void without_a_rate_a_window_leaves_at_once(void **state)
{
	struct wire w = send_for(NULL, 0, &ten_ms, S / 2);

	assert_true(w.longest_burst > 64 * MSS);
}

static const char *const bbr[] = { "bbr", "bbr3" };

#define BOTTLENECK 20e6                                    /* bit/s */
#define BEST       (BOTTLENECK * MSS / (MSS + 66.0) / 8.0) /* octets/s of payload */

static const struct topo_link path = { .delay_ns = 20 * MS,
				       .rate_bps = 20000000,
				       .queue_packets = 1000 };

static double octets_per_s(const struct wire *w)
{
	return (double)w->octets * 1e9 / (double)(w->last - w->first);
}

/* Deep buffers: the path is full, the buffer is not. Cubic fills both. */
static void bbr_fills_the_path_not_the_queue(void **state)
{
	struct wire w = send_for("cubic", 0, &path, 10 * S);

	assert_true(w.info.tcpi_rtt > 150000);
	for (unsigned i = 0; i < 2; i++) {
		w = send_for(bbr[i], 0, &path, 10 * S);
		assert_true(octets_per_s(&w) > 0.9 * BEST);
		assert_true(w.info.tcpi_rtt < 60000);
		assert_int_equal(w.info.tcpi_total_retrans, 0);
		/* What ss(8) shows: the bandwidth, in octets per second, and the delay of the path */
		assert_true(fabs(((uint64_t)w.cc.bbr.bbr_bw_hi << 32 | w.cc.bbr.bbr_bw_lo) - BEST) <
			    0.1 * BEST);
		assert_true(w.cc.bbr.bbr_min_rtt >= 40000 && w.cc.bbr.bbr_min_rtt < 45000);
	}
}

/* Losses that are no congestion. */
static void bbr_does_not_take_random_losses_for_congestion(void **state)
{
	struct topo_link lossy = path;
	struct wire w;

	lossy.loss = 0.01;
	w = send_for("cubic", 0, &lossy, 10 * S);
	assert_true(octets_per_s(&w) < 0.4 * BEST);
	for (unsigned i = 0; i < 2; i++) {
		w = send_for(bbr[i], 0, &lossy, 10 * S);
		assert_true(octets_per_s(&w) > (i ? 0.75 : 0.95) * BEST);
	}
}

/* A buffer of a sixth of the path: version 3 finds the bound that it can keep to. */
static void bbr3_keeps_losses_of_shallow_buffers_low(void **state)
{
	struct topo_link shallow = path;
	struct wire w[2];

	shallow.queue_packets = 10;
	for (unsigned i = 0; i < 2; i++) {
		w[i] = send_for(bbr[i], 0, &shallow, 20 * S);
		assert_true(octets_per_s(&w[i]) > 0.8 * BEST);
	}
	assert_true(w[1].info.tcpi_total_retrans < w[0].info.tcpi_total_retrans / 3);
	assert_true(w[1].info.tcpi_total_retrans * 100 < w[1].octets / MSS);
}

/* Chosen before there is a connection: SYNs are sent again and acknowledged while its state does not exist yet. */
static void each_control_opens_connections_over_bad_links(void **state)
{
	static const char *const all[] = { "cubic", "reno", "bbr", "bbr3", "dctcp" };
	const struct topo_link bad = { .delay_ns = 5 * MS, .loss = 0.3 };

	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (unsigned seed = 1; seed <= 5; seed++) {
			struct topo_result r;
			struct topo t;

			assert_true(topo_create(&t, &bad, seed));
			for (int n = 0; n < 2; n++)
				assert_int_equal(weir_sysctl(t.net[n],
							     "net.ipv4.tcp_congestion_control",
							     all[i]),
						 0);
			r = topo_transfer(&t, 20000, 20000, 3600 * S);
			assert_true(r.ok);
			topo_destroy(&t);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_control_opens_connections_over_bad_links),
		cmocka_unit_test(so_max_pacing_rate_is_kept_and_even),
		cmocka_unit_test(without_a_rate_a_window_leaves_at_once),
		cmocka_unit_test(bbr_fills_the_path_not_the_queue),
		cmocka_unit_test(bbr_does_not_take_random_losses_for_congestion),
		cmocka_unit_test(bbr3_keeps_losses_of_shallow_buffers_low),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
