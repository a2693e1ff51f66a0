/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_pacing_test.c - a paced connection sends at its rate, evenly; measured on the wire in virtual time
 *
 *      a --- eth0 =====[ 10 ms ]===== eth0 --- b        what leaves a is looked at
 */
#include <errno.h>
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
	struct topo t;

	assert_true(topo_create(&t, link, 5));
	assert_true(topo_connect(&t, &c, &s));
	if (cong)
		assert_int_equal(weir_setsockopt(c, IPPROTO_TCP, 13 /* TCP_CONGESTION */, cong,
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_max_pacing_rate_is_kept_and_even),
		cmocka_unit_test(without_a_rate_a_window_leaves_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
