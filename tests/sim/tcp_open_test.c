/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_open_test.c - how connections begin, segment by segment: SYN cookies
 *
 * See tests/support/tcp_wire.h. Also run with IPv6.
 */
#include "tests/support/tcp_wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <netinet/tcp.h>

static int setup(void **state)
{
	static struct wire w;

	*state = &w;
	return wire_create(&w) ? 0 : -1;
}

static int teardown(void **state)
{
	wire_destroy(*state);
	return 0;
}

/* MSS 1460, SACK permitted, timestamps 100 0, NOP, window scale 7 */
static const uint8_t all_opts[] = {
	2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 100, 0, 0, 0, 0, 1, 3, 3, 7
};

static struct wire_seg syn_of(uint32_t seq, const void *opts, unsigned len)
{
	struct wire_seg s = { .flags = TH_SYN, .seq = seq, .win = 65535, .opt_len = (uint8_t)len };

	memcpy(s.opt, opts, len);
	return s;
}

/* The ACK of the SYN-ACK @r, with the timestamp echoed if there was one. */
static struct wire_seg ack_of(const struct wire_seg *r, uint32_t seq)
{
	struct wire_seg s = { .flags = TH_ACK, .seq = seq, .ack = r->seq + 1, .win = 1000 };

	if (wire_opt(r, 8, NULL)) {
		memcpy(s.opt, "\1\1\10\12\0\0\0\145", 8);
		memcpy(s.opt + 8, wire_opt(r, 8, NULL), 4);
		s.opt_len = 12;
	}
	return s;
}

static struct tcp_info info_of(struct weir_file *f)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

/* ---- SYN cookies --------------------------------------------------------------------------------------- */

static void a_flood_with_cookies_allocates_nothing_and_an_honest_peer_gets_in(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c;
	struct weir_memory before, after;
	struct wire_seg s = syn_of(1, all_opts, 4), r;
	uint64_t arena;

	for (uint32_t i = 0; i < 10; i++) {
		w->peer_host = 0x10000 + i;
		wire_send(w, &s);
	}
	wire_flush(w);
	weir_memory(w->m, &before);
	arena = before.arena_octets;
	assert_true(before.nr_socks < 10);
	for (uint32_t i = 0; i < 5000; i++) {
		w->peer_host = 0x20000 + i % 64;
		s.seq = i;
		s.sport = (uint16_t)(2000 + i);
		wire_send(w, &s);
		assert_int_equal(wire_flush(w), 1);
		weir_memory(w->m, &after);
		assert_int_equal(after.nr_socks, before.nr_socks);
	}
	assert_int_equal(after.skb_live, before.skb_live);
	assert_true(after.arena_octets <= arena + (64u << 10));
	assert_true(wire_counter(w, "SyncookiesSent") >= 5000);
	assert_int_equal(wire_counter(w, "TCPReqQFullDoCookies"),
			 wire_counter(w, "SyncookiesSent"));
	assert_int_equal(wire_counter(w, "TCPReqQFullDrop"), 0);

	w->peer_host = 0;
	s = syn_of(1000, all_opts, sizeof(all_opts));
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	s = ack_of(&r, 1001);
	s.flags |= TH_PUSH;
	s.data = "hello";
	s.len = 5;
	wire_send(w, &s);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), 0);
	assert_int_equal(weir_recv(c, r.payload, 10, 0), 5);
	assert_int_equal(wire_counter(w, "SyncookiesRecv"), 1);
	assert_int_equal(info_of(c).tcpi_options,
			 TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	assert_int_equal(info_of(c).tcpi_snd_wscale, 7);
	weir_close(c);
	weir_close(l);
	wire_run(w, 200 * WIRE_SEC);
	wire_flush(w);
}

/* The options that a cookie can carry, and only with timestamps. */
static void cookies_keep_what_fits_into_them(void **state)
{
	struct wire *w = *state;
	static const struct {
		uint8_t opts[24];
		uint8_t len;
		uint16_t v4_mss, v6_mss;
		uint8_t tcpi;
	} cases[] = {
		{ { 2, 4, 5, 180 }, 4, 1460, 1440, 0 },
		{ { 2, 4, 5, 179 }, 4, 1440, 1420, 0 },
		{ { 2, 4, 1, 0 }, 4, 536, 1220, 0 },
		{ { 2, 4, 5, 180, 1, 3, 3, 7, 1, 1, 4, 2 }, 12, 1460, 1440, 0 },
		{ { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 100 },
		  16,
		  1448,
		  1428,
		  TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK },
		{ { 2, 4, 5, 180, 1, 1, 8, 10, 0, 0, 0, 100, 0, 0, 0, 0, 1, 3, 3, 0 },
		  20,
		  1448,
		  1428,
		  TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE },
	};
	struct weir_file *l, *c;
	uint32_t old_tsval = 0;

	wire_sysctl(w, "net.ipv4.tcp_syncookies", "2");
	l = wire_listen(w, 4);
	wire_run(w, 100 * WIRE_SEC);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_seg s = syn_of(1000, cases[i].opts, cases[i].len), r;
		struct tcp_info info;

		s.sport = (uint16_t)(3000 + i);
		wire_send(w, &s);
		assert_true(wire_recv(w, &r));
		assert_int_equal(wire_opt(&r, 3, NULL) != NULL,
				 (cases[i].tcpi & TCPI_OPT_WSCALE) != 0);
		assert_int_equal(wire_opt(&r, 4, NULL) != NULL,
				 (cases[i].tcpi & TCPI_OPT_SACK) != 0);
		if (cases[i].tcpi & TCPI_OPT_TIMESTAMPS)
			old_tsval = wire_opt32(&r, 8, 0);
		s = ack_of(&r, 1001);
		s.sport = (uint16_t)(3000 + i);
		wire_send(w, &s);
		assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), 0);
		info = info_of(c);
		assert_int_equal(info.tcpi_options, cases[i].tcpi);
		/* of a window of 1000 half is used at a time, unless it is scaled */
		assert_int_equal(weir_send(c, "x", 1, 0), 1);
		assert_true(wire_recv(w, &r));
		assert_int_equal(r.len, 1);
		/* The clock in which options were hidden does not run backwards. */
		if (cases[i].tcpi & TCPI_OPT_TIMESTAMPS)
			assert_in_range(wire_opt32(&r, 8, 0) - old_tsval, 0, 64);
		weir_close(c);
		wire_flush(w);
	}
	weir_close(l);
}

static void a_cookie_is_good_for_its_tuple_and_two_minutes(void **state)
{
	struct wire *w = *state;
	struct wire_seg s, r, ack;
	struct weir_file *l, *c;

	l = wire_listen(w, 4);
	/* Nobody was sent one yet: an ACK is not even looked at. */
	ack = (struct wire_seg){ .flags = TH_ACK, .seq = 1001, .ack = 77, .win = 1000 };
	wire_send(w, &ack);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags, TH_RST);
	assert_int_equal(wire_counter(w, "SyncookiesFailed"), 0);

	wire_sysctl(w, "net.ipv4.tcp_syncookies", "2");
	s = syn_of(1000, all_opts, sizeof(all_opts));
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	/* another port, another number of the peer's, another of ours */
	ack = ack_of(&r, 1001);
	ack.sport = 1001;
	wire_send(w, &ack);
	/* what comes behind one to three octets that were lost */
	for (uint32_t off = 1; off <= 3; off++) {
		ack = ack_of(&r, 1001 + off);
		wire_send(w, &ack);
	}
	ack = ack_of(&r, 1001);
	ack.ack += 100;
	wire_send(w, &ack);
	assert_int_equal(wire_counter(w, "SyncookiesFailed"), 5);
	assert_int_equal(wire_flush(w), 5);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), -EAGAIN);
	ack = ack_of(&r, 1001);
	wire_run(w, 59 * WIRE_SEC);
	wire_send(w, &ack);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), 0);
	weir_close(c);
	wire_flush(w);

	s.sport = ack.sport = 1005;
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	ack = ack_of(&r, 1001);
	ack.sport = 1005;
	wire_run(w, 119 * WIRE_SEC);
	s.sport = 1006; /* keeps the listener in its flood */
	wire_send(w, &s);
	wire_flush(w);
	wire_run(w, 2 * WIRE_SEC);
	wire_send(w, &ack);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), -EAGAIN);
	assert_int_equal(wire_counter(w, "SyncookiesFailed"), 6);
	weir_close(l);
	wire_run(w, 200 * WIRE_SEC);
	wire_flush(w);
}

static void without_cookies_a_full_queue_drops(void **state)
{
	struct wire *w = *state;
	struct wire_seg s = syn_of(1, all_opts, 4);
	struct weir_file *l;

	wire_sysctl(w, "net.ipv4.tcp_syncookies", "0");
	l = wire_listen(w, 4);
	for (uint32_t i = 0; i < 20; i++) {
		w->peer_host = 0x10000 + i;
		wire_send(w, &s);
	}
	assert_int_equal(wire_flush(w), 5);
	assert_int_equal(wire_counter(w, "TCPReqQFullDrop"), 15);
	assert_int_equal(wire_counter(w, "SyncookiesSent"), 0);
	weir_close(l);
}

/* Also of those whose state lies outside of the socket: a SYN is lost, the next one is answered; and they change meanwhile. */
static void each_control_survives_the_handshake(void **state)
{
	static const char *const names[] = { "bbr", "bbr3", "dctcp", "cubic", "reno" };
	struct wire *w = *state;

	for (unsigned i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
		const char *name = names[i / 2];
		struct weir_file *f = wire_socket(w);
		struct wire_seg s, r;

		if (i & 1)
			weir_connect(f, &w->peer.sa, w->addrlen);
		assert_int_equal(weir_setsockopt(f, IPPROTO_TCP, TCP_CONGESTION, name,
						 (socklen_t)strlen(name)),
				 0);
		if (!(i & 1))
			weir_connect(f, &w->peer.sa, w->addrlen);
		wire_run(w, 1500 * WIRE_MS);
		assert_int_equal(wire_flush(w), 2);
		wire_run(w, WIRE_SEC);
		assert_true(wire_recv(w, &r));
		s = (struct wire_seg){ .flags = TH_SYN | TH_ACK,
				       .dport = r.sport,
				       .seq = 5000,
				       .ack = r.seq + 1,
				       .win = 65535 };
		wire_send(w, &s);
		assert_int_equal(info_of(f).tcpi_state, TCP_ESTABLISHED);
		assert_int_equal(weir_send(f, "x", 1, 0), 1);
		weir_close(f);
		s = (struct wire_seg){ .flags = TH_RST, .dport = r.sport, .seq = 5001 };
		wire_send(w, &s);
		wire_flush(w);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_flood_with_cookies_allocates_nothing_and_an_honest_peer_gets_in),
		T(cookies_keep_what_fits_into_them),
		T(a_cookie_is_good_for_its_tuple_and_two_minutes),
		T(without_cookies_a_full_queue_drops),
		T(each_control_survives_the_handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
