/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_paths_test.c - how connections open, stall, close and fail, seen through the socket calls, in virtual time
 *
 *      a --- eth0 =====[ 10 ms ]===== eth0 --- b        10.0.0.1 and 10.0.0.2, port 7
 */
#include "tests/support/topo.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/tcp.h>
#include <cmocka.h>

#define MS 1000000ULL
#define S  1000000000ULL

static const struct topo_link ten_ms = { .delay_ns = 5 * MS };

static int setup(void **state)
{
	struct topo *t = calloc(1, sizeof(*t));

	*state = t;
	return t && topo_create(t, &ten_ms, 3) ? 0 : -1;
}

static int teardown(void **state)
{
	topo_destroy(*state);
	free(*state);
	return 0;
}

/* How many lines of net's /proc/net/tcp are in @st (two hexadecimal digits). */
static int count_state(struct weir_net *net, const char *st)
{
	char *text, *line, *save, local[40], remote[40], state[8];
	size_t len;
	int n = 0, sl;

	bool v6 = getenv("WEIR_TEST_IPV6");

	assert_int_equal(weir_view_read(net, v6 ? "/proc/net/tcp6" : "/proc/net/tcp", &text, &len),
			 0);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!v6)
			assert_int_equal(strlen(line), 149);
		if (sscanf(line, " %d: %39s %39s %7s", &sl, local, remote, state) == 4)
			n += !strcmp(state, st);
	}
	free(text);
	return n;
}

static long counter(struct weir_net *net, const char *path, const char *name)
{
	char *text, *h, *v, *hs, *vs, *save, *a, *b;
	size_t len;
	long r = -1;

	assert_int_equal(weir_view_read(net, path, &text, &len), 0);
	for (h = strtok_r(text, "\n", &save); h && r < 0; h = strtok_r(NULL, "\n", &save)) {
		v = strtok_r(NULL, "\n", &save);
		if (!v)
			break;
		a = strtok_r(h, " ", &hs);
		b = strtok_r(v, " ", &vs);
		for (; a && b; a = strtok_r(NULL, " ", &hs), b = strtok_r(NULL, " ", &vs))
			if (!strcmp(a, name))
				r = atol(b);
	}
	free(text);
	return r;
}

static void orderly_close_ends_in_time_wait_for_a_minute(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	char buf[8];

	assert_true(topo_connect(t, &c, &s));
	assert_int_equal(weir_send(c, "hello", 5, 0), 5);
	topo_run(t, 20 * MS);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 5);
	weir_close(c);
	topo_run(t, 100 * MS);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 0);
	assert_int_equal(count_state(t->net[0], "05"), 1); /* FIN_WAIT2, already without a socket */
	assert_int_equal(count_state(t->net[1], "08"), 1); /* CLOSE_WAIT */
	weir_close(s);
	topo_run(t, 100 * MS);
	assert_int_equal(count_state(t->net[0], "06"), 1);
	assert_int_equal(count_state(t->net[1], "06"), 0);
	assert_int_equal(count_state(t->net[1], "09"), 0);
	topo_run(t, 61 * S);
	assert_int_equal(count_state(t->net[0], "06"), 0);
}

static void half_closed_connection_still_carries_data_the_other_way(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	char buf[100];

	assert_true(topo_connect(t, &c, &s));
	assert_int_equal(weir_shutdown(c, SHUT_WR), 0);
	assert_int_equal(weir_send(c, "x", 1, MSG_NOSIGNAL), -EPIPE);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 0);
	assert_int_equal(weir_send(s, "still here", 10, 0), 10);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), 10);
	assert_int_equal(count_state(t->net[0], "05"), 1);
	assert_int_equal(count_state(t->net[1], "08"), 1);
	weir_close(s);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), 0);
	weir_close(c);
}

static void simultaneous_close_goes_through_closing(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;

	assert_true(topo_connect(t, &c, &s));
	topo_run(t, 50 * MS);
	weir_close(c);
	weir_close(s);
	topo_run(t, 7 * MS); /* the FINs have crossed, their ACKs are under way */
	assert_int_equal(count_state(t->net[0], "0B"), 1);
	assert_int_equal(count_state(t->net[1], "0B"), 1);
	topo_run(t, 50 * MS);
	assert_int_equal(count_state(t->net[0], "06"), 1);
	assert_int_equal(count_state(t->net[1], "06"), 1);
}

static void simultaneous_open_makes_one_connection(void **state)
{
	struct topo *t = *state;
	struct weir_file *f[2];
	char buf[8];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			weir_socket(t->net[i], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &f[i]),
			0);
		assert_int_equal(weir_bind(f[i], &t->addr[i].sa, t->addrlen), 0);
	}
	/* ARP first, so that the SYNs cross. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(weir_connect(f[i], &t->addr[!i].sa, t->addrlen), -EINPROGRESS);
	topo_run(t, 3 * S);
	assert_int_equal(count_state(t->net[0], "01"), 1);
	assert_int_equal(count_state(t->net[1], "01"), 1);
	assert_int_equal(weir_send(f[0], "ping", 4, 0), 4);
	assert_int_equal(weir_send(f[1], "pong", 4, 0), 4);
	topo_run(t, 500 * MS);
	assert_int_equal(weir_recv(f[0], buf, sizeof(buf), 0), 4);
	assert_int_equal(weir_recv(f[1], buf, sizeof(buf), 0), 4);
	weir_close(f[0]);
	weir_close(f[1]);
}

static void connecting_to_a_closed_port_is_refused(void **state)
{
	struct topo *t = *state;
	struct weir_file *c;
	int err = 0;
	socklen_t len = sizeof(err);

	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM, 0, &c), 0);
	assert_int_equal(weir_connect(c, &t->addr[1].sa, t->addrlen), -ECONNREFUSED);
	assert_int_equal(weir_getsockopt(c, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	assert_int_equal(err, 0);
	weir_close(c);
}

/* ARP fails, and ICMP tells the waiting connection. */
static void connect_to_a_missing_neighbour_is_unreachable(void **state)
{
	struct topo *t = *state;
	union topo_addr nobody = topo_address(t->family, 0x98);
	struct weir_file *c;
	uint64_t start = weir_now(t->m), took;

	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM, 0, &c), 0);
	assert_int_equal(weir_connect(c, &nobody.sa, t->addrlen), -EHOSTUNREACH);
	took = weir_now(t->m) - start;
	assert_in_range(took, 1 * S, 10 * S);
	weir_close(c);
}

static void connect_gives_up_after_all_its_syns(void **state)
{
	struct topo_link deaf = { .delay_ns = 5 * MS, .loss = 1 };
	struct topo t;
	struct weir_file *c;
	uint64_t start;
	int retries = 2;
	char b;

	(void)state;
	assert_true(topo_create(&t, &ten_ms, 9));
	assert_true(topo_connect(&t, &c, &(struct weir_file *){ NULL })); /* ARP is done */
	assert_true(topo_impair(&t, &deaf));
	weir_close(c);
	assert_int_equal(weir_socket(t.net[0], t.family, SOCK_STREAM, 0, &c), 0);
	assert_int_equal(weir_setsockopt(c, IPPROTO_TCP, TCP_SYNCNT, &retries, sizeof(retries)), 0);
	start = weir_now(t.m);
	assert_int_equal(weir_connect(c, &t.addr[1].sa, t.addrlen), -ETIMEDOUT);
	/* 1 + 2 + 4 s: RFC 6298 2.1 and 5.5 */
	assert_in_range(weir_now(t.m) - start, 6990 * MS, 7010 * MS);
	assert_int_equal(weir_recv(c, &b, 1, 0), -ENOTCONN);
	weir_close(c);
	topo_destroy(&t);
}

static void closing_with_unread_data_resets_the_peer(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	char buf[8];

	assert_true(topo_connect(t, &c, &s));
	assert_int_equal(weir_send(c, "unread", 6, 0), 6);
	topo_run(t, 50 * MS);
	weir_close(s);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), -ECONNRESET);
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), 0);
	assert_int_equal(weir_send(c, "x", 1, MSG_NOSIGNAL), -EPIPE);
	weir_close(c);
	assert_int_equal(count_state(t->net[0], "06"), 0);
}

static void zero_linger_resets(void **state)
{
	struct topo *t = *state;
	struct linger l = { .l_onoff = 1, .l_linger = 0 };
	struct weir_file *c, *s;
	char b;

	assert_true(topo_connect(t, &c, &s));
	topo_run(t, 50 * MS);
	assert_int_equal(weir_setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	weir_close(c);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(s, &b, 1, 0), -ECONNRESET);
	weir_close(s);
	assert_int_equal(count_state(t->net[0], "06"), 0);
}

static void lingering_close_waits_for_the_last_ack(void **state)
{
	struct topo *t = *state;
	struct linger l = { .l_onoff = 1, .l_linger = 5 };
	struct weir_file *c, *s;
	uint64_t start;

	assert_true(topo_connect(t, &c, &s));
	topo_run(t, 50 * MS);
	assert_int_equal(weir_setsockopt(c, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	assert_int_equal(weir_send(c, "last words", 10, 0), 10);
	start = weir_now(t->m);
	weir_close(c);
	assert_in_range(weir_now(t->m) - start, 10 * MS, 300 * MS);
	weir_close(s);
}

static void orphan_in_fin_wait2_ends_after_tcp_fin_timeout(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;

	assert_int_equal(weir_sysctl(t->net[0], "net.ipv4.tcp_fin_timeout", "10"), 0);
	assert_true(topo_connect(t, &c, &s));
	weir_close(c);
	topo_run(t, 1 * S);
	assert_int_equal(count_state(t->net[0], "05"), 1);
	topo_run(t, 10 * S);
	assert_int_equal(count_state(t->net[0], "05"), 0);
	weir_close(s);
}

static void closed_window_is_probed_until_it_opens(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	static char buf[65536];
	ssize_t n;
	size_t sent = 0, got = 0;
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int clamp = 100000;

	assert_true(topo_connect(t, &c, &s));
	for (int i = 0; i < 200; i++) {
		while ((n = weir_send(c, buf, sizeof(buf), 0)) > 0)
			sent += (size_t)n;
		topo_run(t, 20 * MS);
	}
	assert_int_equal(n, -EAGAIN);
	topo_run(t, 300 * S);
	assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(info.tcpi_state, TCP_ESTABLISHED); /* it lives as long as it is answered */
	assert_int_equal(info.tcpi_unacked, 0);
	assert_true(counter(t->net[0], "/proc/net/netstat", "TCPWinProbe") >= 5);
	/* A bound for the window does not keep it closed. */
	assert_int_equal(weir_setsockopt(s, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, sizeof(clamp)),
			 0);
	while (got < sent) {
		n = weir_recv(s, buf, sizeof(buf), 0);
		if (n > 0)
			got += (size_t)n;
		else
			topo_run(t, 50 * MS);
		assert_true(n > 0 || n == -EAGAIN);
		assert_true(weir_now(t->m) < 900 * S);
	}
	weir_close(c);
	weir_close(s);
}

static void poll_tells_room_hangup_and_errors(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s, *l = topo_listen(t, 1);
	static char buf[65536];
	char b;

	assert_int_equal(weir_poll_now(l) & (POLLIN | POLLHUP), 0);
	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
	assert_int_equal(weir_poll_now(c),
			 POLLOUT | POLLWRNORM | POLLHUP); /* as Linux says of a fresh socket */
	assert_int_equal(weir_connect(c, &t->addr[1].sa, t->addrlen), -EINPROGRESS);
	assert_int_equal(weir_poll_now(c), 0);
	topo_run(t, 1200 * MS);
	assert_int_equal(weir_poll_now(c), POLLOUT | POLLWRNORM);
	assert_true(weir_poll_now(l) & POLLIN);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s), 0);
	while (weir_send(c, buf, sizeof(buf), 0) > 0)
		;
	assert_int_equal(weir_poll_now(c) & POLLOUT, 0);
	topo_run(t, 100 * MS);
	assert_true(weir_poll_now(s) & POLLIN);
	weir_close(c);
	for (int i = 0; i < 1000 && weir_recv(s, buf, sizeof(buf), 0) != 0; i++)
		topo_run(t, 5 * MS);
	assert_true(weir_poll_now(s) & POLLRDHUP);
	assert_int_equal(weir_poll_now(s) & POLLHUP, 0);
	weir_close(s);
	weir_close(l);

	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
	assert_int_equal(weir_connect(c, &t->addr[1].sa, t->addrlen), -EINPROGRESS);
	topo_run(t, 50 * MS);
	assert_true(weir_poll_now(c) & POLLERR);
	assert_int_equal(weir_recv(c, &b, 1, 0), -ECONNREFUSED);
	weir_close(c);
}

static void full_accept_queue_refuses_and_recovers(void **state)
{
	struct topo *t = *state;
	struct weir_file *l = topo_listen(t, 1), *c[6], *s;
	int accepted = 0;

	for (int i = 0; i < 6; i++) {
		assert_int_equal(
			weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c[i]),
			0);
		assert_int_equal(weir_connect(c[i], &t->addr[1].sa, t->addrlen), -EINPROGRESS);
		topo_run(t, 30 * MS);
	}
	topo_run(t, 200 * MS);
	assert_true(counter(t->net[1], "/proc/net/netstat", "ListenDrops") > 0);
	for (int i = 0; i < 400 && accepted < 6; i++) {
		if (!weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s)) {
			accepted++;
			weir_close(s);
		}
		topo_run(t, 100 * MS);
	}
	assert_int_equal(accepted, 6);
	for (int i = 0; i < 6; i++)
		weir_close(c[i]);
	weir_close(l);
}

static void keepalive_finds_out_that_the_peer_is_gone(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	int on = 1, idle = 10, intvl = 2, cnt = 3;
	struct topo_link deaf = { .delay_ns = 5 * MS, .loss = 1 };
	char b;

	assert_true(topo_connect(t, &c, &s));
	weir_setsockopt(c, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	weir_setsockopt(c, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	weir_setsockopt(c, IPPROTO_TCP, TCP_KEEPINTVL, &intvl, sizeof(intvl));
	weir_setsockopt(c, IPPROTO_TCP, TCP_KEEPCNT, &cnt, sizeof(cnt));
	topo_run(t, 60 * S); /* alive: probes are answered */
	assert_int_equal(weir_recv(c, &b, 1, 0), -EAGAIN);
	assert_true(counter(t->net[0], "/proc/net/netstat", "TCPKeepAlive") >= 4);
	assert_true(topo_impair(t, &deaf));
	topo_run(t, 20 * S);
	assert_int_equal(weir_recv(c, &b, 1, 0), -ETIMEDOUT);
	weir_close(c);
	weir_close(s);
}

static void nagle_holds_small_segments_back_and_nodelay_does_not(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	long before, after;
	int on = 1;

	assert_true(topo_connect(t, &c, &s));
	topo_run(t, 50 * MS);
	before = counter(t->net[0], "/proc/net/snmp", "OutSegs");
	for (int i = 0; i < 10; i++)
		weir_send(c, "x", 1, 0);
	topo_run(t, 200 * MS);
	after = counter(t->net[0], "/proc/net/snmp", "OutSegs");
	assert_int_equal(after - before,
			 2); /* the first at once, the others together when it was acknowledged */
	weir_setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (int i = 0; i < 10; i++)
		weir_send(c, "x", 1, 0);
	topo_run(t, 200 * MS);
	assert_int_equal(counter(t->net[0], "/proc/net/snmp", "OutSegs") - after, 10);
	weir_close(c);
	weir_close(s);
}

static void cork_collects_until_it_is_lifted(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	int on = 1, off = 0;
	char buf[100];

	assert_true(topo_connect(t, &c, &s));
	weir_setsockopt(c, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
	weir_send(c, "head", 4, 0);
	weir_send(c, "body", 4, 0);
	topo_run(t, 100 * MS);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), -EAGAIN);
	weir_setsockopt(c, IPPROTO_TCP, TCP_CORK, &off, sizeof(off));
	topo_run(t, 100 * MS);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 8);
	weir_close(c);
	weir_close(s);
}

static void peek_waitall_and_low_water_mark(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	char buf[100];
	int lowat = 6;

	assert_true(topo_connect(t, &c, &s));
	weir_send(c, "abcd", 4, 0);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(s, buf, 2, MSG_PEEK), 2);
	assert_int_equal(weir_recv(s, buf, 100, MSG_PEEK), 4);
	assert_memory_equal(buf, "abcd", 4);
	weir_setsockopt(s, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
	assert_int_equal(weir_poll_now(s) & POLLIN, 0);
	weir_send(c, "efgh", 4, 0);
	topo_run(t, 100 * MS);
	assert_true(weir_poll_now(s) & POLLIN);
	assert_int_equal(weir_recv(s, buf, 8, MSG_WAITALL), 8);
	assert_memory_equal(buf, "abcdefgh", 8);
	weir_close(c);
	weir_close(s);
}

static int peek_off(struct weir_file *f)
{
	int off;
	socklen_t len = sizeof(off);

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_PEEK_OFF, &off, &len), 0);
	return off;
}

/* Each line was asked of Linux 6.18. */
static void peeking_goes_on_where_it_ended(void **state)
{
	static const struct {
		int set; /* SO_PEEK_OFF before, -2: stays */
		int room, flags;
		const char *got; /* NULL: -EAGAIN */
		int off;         /* afterwards */
	} steps[] = {
		{ 0, 3, MSG_PEEK, "abc", 3 },
		{ -2, 3, MSG_PEEK, "def", 6 },
		{ -2, 10, MSG_PEEK, "ghij", 10 },
		{ -2, 1, MSG_PEEK, NULL, 10 },
		{ -2, 2, 0, "ab", 8 },
		{ -2, 3, MSG_PEEK, NULL, 8 },
		{ 1, 2, MSG_PEEK, "de", 3 },
		{ -2, 6, 0, "cdefgh", 0 },
		{ -2, 2, MSG_PEEK, "ij", 2 },
		{ 5, 2, MSG_PEEK, NULL, 5 },
		{ 1, 3, MSG_PEEK | MSG_WAITALL, "j", 2 },
		{ -1, 1, MSG_PEEK, "i", -1 },
		{ -2, 1, MSG_PEEK, "i", -1 },
	};
	struct topo *t = *state;
	struct weir_file *c, *s;
	char buf[16];

	assert_true(topo_connect(t, &c, &s));
	weir_send(c, "abcdefghij", 10, 0);
	topo_run(t, 50 * MS);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ssize_t want = steps[i].got ? (ssize_t)strlen(steps[i].got) : -EAGAIN;

		if (steps[i].set != -2)
			assert_int_equal(weir_setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &steps[i].set,
							 sizeof(int)),
					 0);
		assert_int_equal(
			weir_recv(s, buf, (size_t)steps[i].room, steps[i].flags | MSG_DONTWAIT),
			want);
		if (want > 0)
			assert_memory_equal(buf, steps[i].got, (size_t)want);
		assert_int_equal(peek_off(s), steps[i].off);
	}
	assert_int_equal(weir_setsockopt(s, SOL_SOCKET, SO_PEEK_OFF, &(int){ 12 }, sizeof(int)), 0);
	weir_close(c);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(s, buf, 5, MSG_PEEK), 0);
	assert_int_equal(peek_off(s), 12);
	weir_close(s);
}

static void connections_inherit_rare_options_of_the_listener(void **state)
{
	static const struct {
		int name, val;
	} opts[] = {
		{ SO_PEEK_OFF, 3 },
		{ SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE },
		{ SO_BUSY_POLL, 7 },
		{ SO_MAX_PACING_RATE, 12345 },
		{ SO_INCOMING_CPU, 1 },
	};
	struct topo *t = *state;
	struct weir_file *l = topo_listen(t, 1), *c, *s;

	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++)
		assert_int_equal(
			weir_setsockopt(l, SOL_SOCKET, opts[i].name, &opts[i].val, sizeof(int)), 0);
	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
	weir_connect(c, &t->addr[1].sa, t->addrlen);
	topo_run(t, 100 * MS);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s), 0);
	for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
		socklen_t len = sizeof(int);
		int val;

		assert_int_equal(weir_getsockopt(s, SOL_SOCKET, opts[i].name, &val, &len), 0);
		assert_int_equal(val, opts[i].val);
	}
	weir_close(s);
	weir_close(c);
	weir_close(l);
}

/* As Linux does it: the program learns who it was, and then that it is gone. */
static void a_connection_reset_before_accept_is_accepted(void **state)
{
	struct topo *t = *state;
	struct weir_file *l = topo_listen(t, 1), *c, *s;
	struct linger hard = { .l_onoff = 1 };
	union topo_addr client = { 0 }, peer = { 0 };
	socklen_t len = sizeof(client);
	char b;

	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
	weir_connect(c, &t->addr[1].sa, t->addrlen);
	topo_run(t, 100 * MS);
	assert_int_equal(weir_getsockname(c, &client.sa, &len), 0);
	weir_setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	weir_close(c);
	topo_run(t, 100 * MS);
	len = sizeof(peer);
	assert_int_equal(weir_accept(l, &peer.sa, &len, SOCK_NONBLOCK, &s), 0);
	assert_memory_equal(&peer, &client, sizeof(peer));
	len = sizeof(peer);
	assert_int_equal(weir_getpeername(s, &peer.sa, &len), -ENOTCONN);
	assert_int_equal(weir_recv(s, &b, 1, 0), -ECONNRESET);
	assert_int_equal(weir_recv(s, &b, 1, 0), 0);
	weir_close(s);
	weir_close(l);
}

static void congestion_control_can_be_chosen(void **state)
{
	struct topo *t = *state;
	struct weir_file *f;
	char name[16] = "";
	socklen_t len = sizeof(name);

	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM, 0, &f), 0);
	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "cubic");
	assert_int_equal(weir_setsockopt(f, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
	len = sizeof(name);
	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "reno");
	assert_int_equal(weir_setsockopt(f, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6), -ENOENT);
	assert_int_equal(weir_sysctl(t->net[0], "net.ipv4.tcp_congestion_control", "reno"), 0);
	weir_close(f);
	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM, 0, &f), 0);
	len = sizeof(name);
	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "reno");
	weir_close(f);
}

/* Every combination of what a peer may lack: the connection works all the same. */
static void connections_work_without_any_option(void **state)
{
	static const char *const names[] = { "net.ipv4.tcp_sack", "net.ipv4.tcp_timestamps",
					     "net.ipv4.tcp_window_scaling", "net.ipv4.tcp_dsack" };
	struct topo_link lossy = { .delay_ns = 5 * MS, .rate_bps = 50000000, .loss = 0.02 };

	(void)state;
	for (unsigned mask = 0; mask < 16; mask++) {
		struct topo_result r;
		struct topo t;

		assert_true(topo_create(&t, &lossy, 40 + mask));
		for (int i = 0; i < 4; i++)
			assert_int_equal(weir_sysctl(t.net[1], names[i], mask >> i & 1 ? "1" : "0"),
					 0);
		if (mask & 1)
			assert_int_equal(
				weir_sysctl(t.net[0], "net.ipv4.tcp_congestion_control", "reno"),
				0);
		r = topo_transfer(&t, 300000, 300000, 600 * S);
		if (!r.ok)
			print_message("options %x: %s\n", mask, r.problem);
		assert_true(r.ok);
		topo_destroy(&t);
	}
}

static void backlog_of_zero_lets_one_connection_in(void **state)
{
	struct topo *t = *state;
	struct weir_file *l = topo_listen(t, 0), *c[2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c[i]),
			0);
		assert_int_equal(weir_connect(c[i], &t->addr[1].sa, t->addrlen), -EINPROGRESS);
		topo_run(t, 100 * MS);
	}
	assert_int_equal(weir_poll_now(c[0]), POLLOUT | POLLWRNORM);
	assert_int_equal(weir_poll_now(c[1]), 0);
	for (int i = 0; i < 2; i++)
		weir_close(c[i]);
	weir_close(l);
}

/* RFC 6298 5.7 */
static void lost_syn_costs_neither_slow_start_nor_leaves_a_hasty_timeout(void **state)
{
	struct topo_link deaf = { .delay_ns = 5 * MS, .loss = 1 };

	(void)state;
	for (int stamps = 0; stamps < 2; stamps++) {
		struct weir_file *c, *s, *l;
		struct tcp_info info;
		socklen_t len = sizeof(info);
		struct topo t;

		assert_true(topo_create(&t, &ten_ms, 5));
		assert_int_equal(
			weir_sysctl(t.net[1], "net.ipv4.tcp_timestamps", stamps ? "1" : "0"), 0);
		assert_true(topo_connect(&t, &c, &s)); /* ARP is done */
		weir_close(c);
		weir_close(s);
		l = topo_listen(&t, 1);
		assert_true(topo_impair(&t, &deaf));
		assert_int_equal(
			weir_socket(t.net[0], t.family, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
		assert_int_equal(weir_connect(c, &t.addr[1].sa, t.addrlen), -EINPROGRESS);
		topo_run(&t, 500 * MS);
		assert_true(topo_impair(&t, &ten_ms));
		topo_run(&t, 2 * S);
		assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
		assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
		assert_int_equal(info.tcpi_snd_ssthresh, 0x7fffffff);
		if (stamps) /* the echo tells which SYN arrived */
			assert_in_range(info.tcpi_rto, 200000, 250000);
		else
			assert_int_equal(info.tcpi_rto, 3000000);
		weir_close(c);
		weir_close(l);
		topo_destroy(&t);
	}
}

static void error_during_a_partial_send_waits_for_the_next_call(void **state)
{
	struct topo *t = *state;
	struct topo_link deaf = { .delay_ns = 5 * MS, .loss = 1 };
	static char buf[4 << 20];
	struct weir_file *c, *s, *l = topo_listen(t, 1);
	int ms = 3000;
	ssize_t n;

	assert_int_equal(weir_socket(t->net[0], t->family, SOCK_STREAM, 0, &c), 0);
	assert_int_equal(weir_connect(c, &t->addr[1].sa, t->addrlen), 0);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &s), 0);
	weir_setsockopt(c, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	assert_true(topo_impair(t, &deaf));
	n = weir_send(c, buf, sizeof(buf), MSG_NOSIGNAL);
	assert_in_range(n, 1, sizeof(buf) - 1);
	assert_int_equal(weir_send(c, buf, 1, MSG_NOSIGNAL), -ETIMEDOUT);
	assert_int_equal(weir_send(c, buf, 1, MSG_NOSIGNAL), -EPIPE);
	weir_close(c);
	weir_close(s);
	weir_close(l);
}

static void smaller_send_buffer_does_not_stop_retransmission(void **state)
{
	struct topo *t = *state;
	struct topo_link deaf = { .delay_ns = 5 * MS, .loss = 1 };
	static char buf[65536];
	struct weir_file *c, *s;
	int large = 1 << 20, small = 1;
	size_t sent = 0, got = 0;
	ssize_t n;

	assert_true(topo_connect(t, &c, &s));
	weir_setsockopt(c, SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
	assert_true(topo_impair(t, &deaf));
	while ((n = weir_send(c, buf, sizeof(buf), 0)) > 0)
		sent += (size_t)n;
	assert_true(sent > 300000);
	weir_setsockopt(c, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	topo_run(t, 100 * MS);
	assert_true(topo_impair(t, &ten_ms));
	for (int i = 0; i < 4000 && got < sent; i++) {
		n = weir_recv(s, buf, sizeof(buf), 0);
		if (n > 0)
			got += (size_t)n;
		else
			topo_run(t, 10 * MS);
	}
	assert_int_equal(got, sent);
	weir_close(c);
	weir_close(s);
}

static void user_timeout_ends_a_connection_whose_window_stays_closed(void **state)
{
	struct topo *t = *state;
	static char buf[65536];
	struct weir_file *c, *s;
	int ms = 10000;
	ssize_t n = 1;

	assert_true(topo_connect(t, &c, &s));
	for (int i = 0; i < 200; i++) {
		while ((n = weir_send(c, buf, sizeof(buf), 0)) > 0)
			;
		topo_run(t, 20 * MS);
	}
	assert_int_equal(n, -EAGAIN);
	assert_int_equal(weir_setsockopt(c, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)), 0);
	topo_run(t, 60 * S);
	assert_int_equal(weir_recv(c, buf, 1, 0), -ETIMEDOUT);
	weir_close(c);
	weir_close(s);
}

static void reading_nothing_waits_until_there_is_something(void **state)
{
	struct topo *t = *state;
	struct weir_file *c, *s;
	char b[2];

	assert_true(topo_connect(t, &c, &s));
	assert_int_equal(weir_recv(s, b, 0, 0), -EAGAIN);
	weir_send(c, "x", 1, 0);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(s, b, 0, 0), 0);
	assert_int_equal(weir_recv(s, b, 2, 0), 1);
	weir_close(c);
	topo_run(t, 50 * MS);
	assert_int_equal(weir_recv(s, b, 0, 0), 0);
	weir_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(orderly_close_ends_in_time_wait_for_a_minute, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			half_closed_connection_still_carries_data_the_other_way, setup, teardown),
		cmocka_unit_test_setup_teardown(simultaneous_close_goes_through_closing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(simultaneous_open_makes_one_connection, setup,
						teardown),
		cmocka_unit_test_setup_teardown(connecting_to_a_closed_port_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(connect_to_a_missing_neighbour_is_unreachable,
						setup, teardown),
		cmocka_unit_test(connect_gives_up_after_all_its_syns),
		cmocka_unit_test_setup_teardown(closing_with_unread_data_resets_the_peer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(zero_linger_resets, setup, teardown),
		cmocka_unit_test_setup_teardown(lingering_close_waits_for_the_last_ack, setup,
						teardown),
		cmocka_unit_test_setup_teardown(orphan_in_fin_wait2_ends_after_tcp_fin_timeout,
						setup, teardown),
		cmocka_unit_test_setup_teardown(closed_window_is_probed_until_it_opens, setup,
						teardown),
		cmocka_unit_test_setup_teardown(poll_tells_room_hangup_and_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(full_accept_queue_refuses_and_recovers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(keepalive_finds_out_that_the_peer_is_gone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			nagle_holds_small_segments_back_and_nodelay_does_not, setup, teardown),
		cmocka_unit_test_setup_teardown(cork_collects_until_it_is_lifted, setup, teardown),
		cmocka_unit_test_setup_teardown(peek_waitall_and_low_water_mark, setup, teardown),
		cmocka_unit_test_setup_teardown(peeking_goes_on_where_it_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(connections_inherit_rare_options_of_the_listener,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_connection_reset_before_accept_is_accepted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(congestion_control_can_be_chosen, setup, teardown),
		cmocka_unit_test(connections_work_without_any_option),
		cmocka_unit_test(lost_syn_costs_neither_slow_start_nor_leaves_a_hasty_timeout),
		cmocka_unit_test_setup_teardown(backlog_of_zero_lets_one_connection_in, setup,
						teardown),
		cmocka_unit_test_setup_teardown(error_during_a_partial_send_waits_for_the_next_call,
						setup, teardown),
		cmocka_unit_test_setup_teardown(smaller_send_buffer_does_not_stop_retransmission,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			user_timeout_ends_a_connection_whose_window_stays_closed, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_nothing_waits_until_there_is_something,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
