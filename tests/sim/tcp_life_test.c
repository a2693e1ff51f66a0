/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_life_test.c - options and timers of a connection's life, segment by segment: retries, repair, saved SYNs, metrics
 *
 * See tests/support/tcp_wire.h. Also run with IPv6.
 */
#include "tests/support/tcp_wire.h"

#include <errno.h>
#include <poll.h>
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

static int set_opt(struct weir_file *f, int name, int v)
{
	return weir_setsockopt(f, IPPROTO_TCP, name, &v, sizeof(v));
}

static int get_opt(struct weir_file *f, int name)
{
	socklen_t len = sizeof(int);
	int v = -1, err = weir_getsockopt(f, IPPROTO_TCP, name, &v, &len);

	return err ? err : v;
}

static struct tcp_info info_of(struct weir_file *f)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

/* Milliseconds from now to each of @n segments of the net's; -1: none came within @limit_s. */
static void times_of(struct wire *w, int *ms, unsigned n, unsigned limit_s)
{
	uint64_t start = weir_now(w->m);
	struct wire_seg s;
	unsigned got = 0;

	for (unsigned i = 0; i < limit_s * 100 && got < n; i++) {
		wire_run(w, 10 * WIRE_MS);
		while (got < n && wire_recv(w, &s))
			ms[got++] = (int)((weir_now(w->m) - start) / WIRE_MS);
	}
	while (got < n)
		ms[got++] = -1;
}

/* net.ipv4.tcp_syn_linear_timeouts: 1 2 3 4 5 s, then doubling. The end comes when it would come without (here 127 s). */
static void the_first_syns_come_at_even_intervals(void **state)
{
	struct wire *w = *state;
	static const int expect[] = { 1, 2, 3, 4, 5, 7, 11, 19, 35, 67, -1 };
	struct weir_file *f = wire_socket(w);
	int ms[11], err = 0;
	socklen_t len = sizeof(err);

	assert_int_equal(weir_connect(f, &w->peer.sa, w->addrlen), -EINPROGRESS);
	assert_int_equal(wire_flush(w), 1);
	times_of(w, ms, 11, 140);
	for (unsigned i = 0; i < 11; i++)
		assert_in_range(ms[i] - expect[i] * (expect[i] < 0 ? 1 : 1000), 0, 60);
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	assert_int_equal(err, ETIMEDOUT);
	weir_close(f);
}

static void the_longest_timeout_is_the_sockets_or_the_nets(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c = wire_accept(w, l, NULL, 0, NULL);
	int ms[8];

	assert_int_equal(get_opt(c, 44), 120000);
	assert_int_equal(set_opt(c, 44, 999), -EINVAL);
	assert_int_equal(set_opt(c, 44, 1000), 0);
	assert_int_equal(set_opt(c, 45, 200001), -EINVAL);
	assert_int_equal(get_opt(c, 45), 200000);
	assert_int_equal(weir_send(c, "x", 1, 0), 1);
	wire_flush(w);
	times_of(w, ms, 8, 20);
	assert_in_range(ms[7] - ms[6], 990, 1010);
	assert_in_range(ms[6] - ms[5], 990, 1010);
	weir_close(c);
	weir_close(l);
	wire_flush(w);
}

/* The last wait is cut so that the connection ends in time. */
static void the_user_timeout_ends_the_connection_on_time(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c = wire_accept(w, l, NULL, 0, NULL);
	uint64_t start;

	assert_int_equal(set_opt(c, TCP_USER_TIMEOUT, 5000), 0);
	assert_int_equal(weir_send(c, "x", 1, 0), 1);
	start = weir_now(w->m);
	for (int i = 0; i < 2000 && !(weir_poll_now(c) & POLLERR); i++)
		wire_run(w, 10 * WIRE_MS);
	/* The time runs from the first retransmission. */
	assert_in_range((weir_now(w->m) - start) / WIRE_MS, 5000, 5600);
	weir_close(c);
	weir_close(l);
	wire_flush(w);
}

static void a_saved_syn_is_told_once(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c;
	unsigned ip = w->family == AF_INET ? 20 : 40;
	uint8_t buf[200];
	socklen_t len;

	assert_int_equal(set_opt(l, TCP_SAVE_SYN, 3), -EINVAL);
	assert_int_equal(set_opt(l, TCP_SAVE_SYN, 1), 0);
	c = wire_accept(w, l, NULL, 0, NULL);
	len = 10;
	assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len), -EINVAL);
	len = sizeof(buf);
	assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len), 0);
	assert_int_equal(len, ip + 24);
	assert_int_equal(buf[0] >> 4, w->family == AF_INET ? 4 : 6);
	assert_int_equal(buf[ip + 13], TH_SYN);
	assert_int_equal(buf[ip + 20], 2);
	len = sizeof(buf);
	assert_int_equal(weir_getsockopt(c, IPPROTO_TCP, TCP_SAVED_SYN, buf, &len), 0);
	assert_int_equal(len, 0);
	weir_close(c);
	/* One that nobody reads goes with its connection. */
	wire_flush(w);
	w->peer_host = 5;
	weir_close(wire_accept(w, l, NULL, 0, NULL));
	weir_close(l);
	wire_flush(w);
}

static void inq_tells_what_is_left(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4);
	uint32_t nxt;
	struct weir_file *c = wire_accept(w, l, NULL, 0, &nxt);
	struct wire_seg s = {
		.flags = TH_ACK, .seq = 1001, .ack = nxt, .win = 65535, .data = "abcdef", .len = 6
	};
	char buf[4], control[64];
	struct iovec iov = { buf, 4 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;
	int left;

	assert_int_equal(set_opt(c, TCP_INQ, 2), -EINVAL);
	assert_int_equal(set_opt(c, TCP_INQ, 1), 0);
	wire_send(w, &s);
	assert_int_equal(weir_recvmsg(c, &msg, 0), 4);
	cm = CMSG_FIRSTHDR(&msg);
	assert_non_null(cm);
	assert_int_equal(cm->cmsg_level, SOL_TCP);
	assert_int_equal(cm->cmsg_type, TCP_CM_INQ);
	memcpy(&left, CMSG_DATA(cm), sizeof(left));
	assert_int_equal(left, 2);
	weir_close(c);
	weir_close(l);
	wire_flush(w);
}

/* ---- TCP_REPAIR ---------------------------------------------------------------------------------------- */

static void a_connection_is_put_together_without_a_packet(void **state)
{
	struct wire *w = *state;
	struct weir_file *f = wire_socket(w);
	struct {
		uint32_t code, val;
	} opts[] = { { 2, 1000 }, { 3, 5 | 6 << 16 }, { 4, 0 } };
	uint32_t win[5];
	socklen_t len = sizeof(win);
	struct wire_seg s;
	char buf[10];

	wire_run(w, WIRE_SEC);
	assert_int_equal(set_opt(f, TCP_REPAIR_QUEUE, 1), -EPERM);
	assert_int_equal(set_opt(f, TCP_REPAIR, 2), -EINVAL);
	assert_int_equal(set_opt(f, TCP_REPAIR, 1), 0);
	assert_int_equal(set_opt(f, TCP_REPAIR_QUEUE, 3), -EINVAL);
	assert_int_equal(set_opt(f, TCP_REPAIR_QUEUE, 2), 0);
	assert_int_equal(set_opt(f, TCP_QUEUE_SEQ, 7000), 0);
	assert_int_equal(set_opt(f, TCP_REPAIR_QUEUE, 1), 0);
	assert_int_equal(set_opt(f, TCP_QUEUE_SEQ, 9000), 0);
	assert_int_equal(weir_connect(f, &w->peer.sa, w->addrlen), 0);
	assert_int_equal(info_of(f).tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(weir_setsockopt(f, IPPROTO_TCP, TCP_REPAIR_OPTIONS, opts, sizeof(opts)),
			 0);
	assert_int_equal(info_of(f).tcpi_snd_mss, 1000);
	assert_int_equal(info_of(f).tcpi_snd_wscale, 5);
	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_REPAIR_WINDOW, win, &len), 0);
	win[0] = 9000;
	win[1] = win[2] = 5000;
	assert_int_equal(weir_setsockopt(f, IPPROTO_TCP, TCP_REPAIR_WINDOW, win, sizeof(win)), 0);
	/* What had been received, and what had been sent and is not acknowledged. */
	assert_int_equal(weir_send(f, "old", 3, 0), 3);
	assert_int_equal(get_opt(f, TCP_QUEUE_SEQ), 9003);
	assert_int_equal(set_opt(f, TCP_REPAIR_QUEUE, 2), 0);
	assert_int_equal(weir_send(f, "sent", 4, 0), 4);
	assert_int_equal(get_opt(f, TCP_QUEUE_SEQ), 7004);
	assert_int_equal(weir_recv(f, buf, 10, 0), -EPERM);
	assert_int_equal(weir_recv(f, buf, 10, MSG_PEEK), 4);
	assert_memory_equal(buf, "sent", 4);
	assert_false(wire_recv(w, &s));
	/* Back to life: a probe, then everything as usual. */
	assert_int_equal(set_opt(f, TCP_REPAIR, 0), 0);
	assert_true(wire_recv(w, &s));
	assert_int_equal(s.seq, 6999);
	assert_int_equal(s.ack, 9003);
	assert_int_equal(weir_recv(f, buf, 10, 0), 3);
	wire_run(w, 5 * WIRE_MS);
	s = (struct wire_seg){ .flags = TH_ACK | TH_PUSH,
			       .dport = s.sport,
			       .seq = 9003,
			       .ack = 7004,
			       .win = 1000,
			       .data = "new",
			       .len = 3 };
	wire_send(w, &s);
	assert_int_equal(weir_recv(f, buf, 10, 0), 3);
	assert_int_equal(info_of(f).tcpi_unacked, 0);
	/* The round trip counts from when the octets came into the queue. */
	assert_in_range(info_of(f).tcpi_rtt, 4000, 6000);
	/* Half of what is sent is acknowledged: the queue has the rest. */
	assert_int_equal(weir_send(f, "abcdef", 6, 0), 6);
	wire_run(w, 5 * WIRE_MS);
	s = (struct wire_seg){
		.flags = TH_ACK, .dport = s.dport, .seq = 9006, .ack = 7007, .win = 1000
	};
	wire_send(w, &s);
	assert_int_equal(set_opt(f, TCP_REPAIR, 1), 0);
	assert_int_equal(set_opt(f, TCP_REPAIR_QUEUE, 2), 0);
	assert_int_equal(weir_recv(f, buf, 10, MSG_PEEK), 3);
	assert_memory_equal(buf, "def", 3);
	/* Taken apart: nobody hears of it. */
	wire_flush(w);
	assert_int_equal(set_opt(f, TCP_REPAIR, 1), 0);
	weir_close(f);
	assert_false(wire_recv(w, &s));
}

static void a_socket_in_repair_takes_any_port(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *f = wire_socket(w);
	union {
		struct sockaddr sa;
		struct sockaddr_storage ss;
	} a;
	socklen_t len = sizeof(a);
	int reuse = 0;

	assert_int_equal(weir_getsockname(l, &a.sa, &len), 0);
	assert_int_equal(weir_bind(f, &a.sa, len), -EADDRINUSE);
	assert_int_equal(set_opt(f, TCP_REPAIR, 1), 0);
	assert_int_equal(weir_bind(f, &a.sa, len), 0);
	len = sizeof(reuse);
	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_REUSEADDR, &reuse, &len), 0);
	assert_int_equal(reuse, 2);
	/* Beside the listener it cannot listen, out of repair. */
	assert_int_equal(set_opt(f, TCP_REPAIR, 0), 0);
	assert_int_equal(weir_listen(f, 1), -EADDRINUSE);
	weir_close(f);
	weir_close(l);
}

/* ---- tcp_metrics.c, TIME_WAIT --------------------------------------------------------------------------- */

static void slow_peers_are_remembered(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c;
	struct wire_seg s;
	uint32_t nxt;

	c = wire_accept(w, l, NULL, 0, &nxt);
	assert_true(info_of(c).tcpi_rto <= 210000);
	/* Half a second to each octet, then the peer closes first. */
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(weir_send(c, "x", 1, 0), 1);
		wire_run(w, 500 * WIRE_MS);
		s = (struct wire_seg){ .flags = TH_ACK, .seq = 1001, .ack = ++nxt, .win = 65535 };
		wire_send(w, &s);
	}
	s.flags |= TH_FIN;
	wire_send(w, &s);
	weir_close(c);
	s = (struct wire_seg){ .flags = TH_ACK, .seq = 1002, .ack = nxt + 1, .win = 65535 };
	wire_send(w, &s);
	wire_flush(w);
	c = wire_accept(w, l, NULL, 0, NULL);
	assert_true(info_of(c).tcpi_rto > 400000);
	weir_close(c);
	/* For an hour. */
	wire_run(w, 3700 * WIRE_SEC);
	wire_flush(w);
	c = wire_accept(w, l, NULL, 0, NULL);
	assert_true(info_of(c).tcpi_rto <= 210000);
	weir_close(c);
	weir_close(l);
	wire_flush(w);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_first_syns_come_at_even_intervals),
		T(the_longest_timeout_is_the_sockets_or_the_nets),
		T(the_user_timeout_ends_the_connection_on_time),
		T(a_saved_syn_is_told_once),
		T(inq_tells_what_is_left),
		T(a_connection_is_put_together_without_a_packet),
		T(a_socket_in_repair_takes_any_port),
		T(slow_peers_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
