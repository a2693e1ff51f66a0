/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_fastopen_test.c - data in the SYN, segment by segment (RFC 7413)
 *
 * See tests/support/tcp_wire.h. Also run with IPv6.
 */
#include "tests/support/tcp_wire.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <netinet/tcp.h>

#define FASTOPEN 34

static int setup(void **state)
{
	static struct wire w;

	*state = &w;
	if (!wire_create(&w))
		return -1;
	wire_sysctl(&w, "net.ipv4.tcp_fastopen", "3");
	return 0;
}

static int teardown(void **state)
{
	wire_destroy(*state);
	return 0;
}

static void set_opt(struct weir_file *f, int name, int v, int expect)
{
	assert_int_equal(weir_setsockopt(f, IPPROTO_TCP, name, &v, sizeof(v)), expect);
}

static struct tcp_info info_of(struct weir_file *f)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info;
}

/* tcpi_fastopen_client_fail, which libc's structure does not name: two bits behind delivery_rate_app_limited */
static int client_fail(struct weir_file *f)
{
	struct tcp_info info = info_of(f);

	return ((const uint8_t *)&info)[7] >> 1 & 3;
}

/* ---- server -------------------------------------------------------------------------------------------- */

/* A SYN with MSS, a cookie option and data. */
static struct wire_seg syn_of(uint16_t port, const void *cookie, uint8_t cookie_len,
			      const char *text)
{
	struct wire_seg s = { .flags = TH_SYN,
			      .sport = port,
			      .seq = 1000,
			      .win = 65535,
			      .opt = { 2, 4, 5, 180, FASTOPEN, (uint8_t)(2 + cookie_len) },
			      .opt_len = (uint8_t)(6 + cookie_len),
			      .data = text,
			      .len = (uint32_t)strlen(text) };

	if (cookie_len)
		memcpy(s.opt + 6, cookie, cookie_len);
	return s;
}

/* Asks for a cookie; the handshake is dropped by a RST. */
static void get_cookie(struct wire *w, uint8_t cookie[8])
{
	struct wire_seg s = syn_of(999, NULL, 0, ""), r;
	const uint8_t *c;
	unsigned len;

	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags, TH_SYN | TH_ACK);
	c = wire_opt(&r, FASTOPEN, &len);
	assert_non_null(c);
	assert_int_equal(len, 8);
	memcpy(cookie, c, 8);
	s = (struct wire_seg){ .flags = TH_RST, .sport = 999, .seq = 1001 };
	wire_send(w, &s);
}

static void a_cookie_brings_the_data_of_the_syn_to_the_program(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c;
	struct wire_seg s, r, again;
	const uint8_t *mss;
	uint8_t cookie[8];
	char buf[10];

	set_opt(l, TCP_FASTOPEN, 2, 0);
	get_cookie(w, cookie);
	assert_int_equal(wire_counter(w, "TCPFastOpenCookieReqd"), 1);
	s = syn_of(1000, cookie, 8, "hello");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags, TH_SYN | TH_ACK);
	assert_int_equal(r.ack, 1006);
	mss = wire_opt(&r, 2, NULL);
	assert_non_null(mss);
	assert_int_equal(mss[0] << 8 | mss[1], w->family == AF_INET ? 1460 : 1440);
	assert_null(wire_opt(&r, FASTOPEN, NULL));
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), 0);
	assert_int_equal(info_of(c).tcpi_state, TCP_SYN_RECV);
	assert_int_equal(weir_recv(c, buf, 10, 0), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(wire_counter(w, "TCPFastOpenPassive"), 1);
	/* The answer does not wait for the handshake. */
	assert_int_equal(weir_send(c, "world", 5, 0), 5);
	assert_true(wire_recv(w, &again));
	assert_int_equal(again.seq, r.seq + 1);
	assert_int_equal(again.len, 5);
	/* The SYN-ACK was lost: the peer's SYN comes again, and after that our timer's turn. */
	wire_send(w, &s);
	assert_true(wire_recv(w, &again));
	assert_int_equal(again.flags, TH_SYN | TH_ACK);
	assert_int_equal(again.ack, 1006);
	wire_run(w, 1100 * WIRE_MS);
	assert_true(wire_recv(w, &again));
	assert_int_equal(again.flags, TH_SYN | TH_ACK);
	s = (struct wire_seg){ .flags = TH_ACK, .seq = 1006, .ack = r.seq + 6, .win = 65535 };
	wire_send(w, &s);
	assert_int_equal(info_of(c).tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info_of(c).tcpi_options & TCPI_OPT_SYN_DATA, TCPI_OPT_SYN_DATA);
	s.flags |= TH_PUSH;
	s.data = "more";
	s.len = 4;
	wire_send(w, &s);
	assert_int_equal(weir_recv(c, buf, 10, 0), 4);
	weir_close(c);
	weir_close(l);
	wire_flush(w);
}

static void a_wrong_cookie_makes_an_ordinary_handshake_that_brings_the_right_one(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4), *c;
	struct wire_seg s, r;
	uint8_t cookie[8];

	set_opt(l, TCP_FASTOPEN, 2, 0);
	get_cookie(w, cookie);
	s = syn_of(1000, "12345678", 8, "hello");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.ack, 1001);
	assert_memory_equal(wire_opt(&r, FASTOPEN, NULL), cookie, 8);
	assert_int_equal(wire_counter(w, "TCPFastOpenPassiveFail"), 1);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &c), -EAGAIN);
	/* Without the bit of the sysctl, or the option of the listener, there is none. */
	wire_sysctl(w, "net.ipv4.tcp_fastopen", "1");
	s = syn_of(1001, cookie, 8, "hello");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.ack, 1001);
	assert_null(wire_opt(&r, FASTOPEN, NULL));
	/* No cookie is asked for. */
	wire_sysctl(w, "net.ipv4.tcp_fastopen", "0x203");
	s = syn_of(1002, NULL, 0, "hello");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.ack, 1006);
	weir_close(l);
	wire_flush(w);
}

static void keys_are_what_was_set_and_the_second_is_replaced(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 4);
	struct wire_seg s, r;
	uint8_t keys[32] = "first key 123456second key 12345", got[40], cookie[8];
	socklen_t len = sizeof(got);
	size_t n;
	char *text;

	wire_sysctl(w, "net.ipv4.tcp_fastopen_key", "00000001-00000002-00000003-00000004");
	assert_int_equal(weir_view_read(w->net, "/proc/sys/net/ipv4/tcp_fastopen_key", &text, &n),
			 0);
	assert_string_equal(text, "00000001-00000002-00000003-00000004\n");
	free(text);
	set_opt(l, TCP_FASTOPEN, 2, 0);
	assert_int_equal(weir_setsockopt(l, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys + 16, 16), 0);
	get_cookie(w, cookie);
	assert_int_equal(weir_setsockopt(l, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 31), -EINVAL);
	assert_int_equal(weir_setsockopt(l, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 32), 0);
	assert_int_equal(weir_getsockopt(l, IPPROTO_TCP, TCP_FASTOPEN_KEY, got, &len), 0);
	assert_int_equal(len, 32);
	assert_memory_equal(got, keys, 32);
	s = syn_of(1000, cookie, 8, "hello");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.ack, 1006);
	assert_non_null(wire_opt(&r, FASTOPEN, NULL));
	assert_memory_not_equal(wire_opt(&r, FASTOPEN, NULL), cookie, 8);
	assert_int_equal(wire_counter(w, "TCPFastOpenPassiveAltKey"), 1);
	weir_close(l);
	wire_flush(w);
}

static void resets_keep_their_place_for_a_minute(void **state)
{
	struct wire *w = *state;
	struct weir_file *l = wire_listen(w, 10);
	struct wire_seg s, r;
	uint8_t cookie[8];

	set_opt(l, TCP_FASTOPEN, 2, 0);
	get_cookie(w, cookie);
	for (uint16_t i = 0; i < 2; i++) {
		s = syn_of((uint16_t)(1000 + i), cookie, 8, "x");
		wire_send(w, &s);
		assert_true(wire_recv(w, &r));
		assert_int_equal(r.ack, 1002);
		s = (struct wire_seg){
			.flags = TH_RST | TH_ACK, .sport = s.sport, .seq = 1002, .ack = r.seq + 1
		};
		wire_send(w, &s);
	}
	s = syn_of(1010, cookie, 8, "x");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.ack, 1001);
	assert_int_equal(wire_counter(w, "TCPFastOpenListenOverflow"), 1);
	wire_run(w, 61 * WIRE_SEC);
	wire_flush(w);
	s = syn_of(1011, cookie, 8, "x");
	wire_send(w, &s);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.ack, 1002);
	weir_close(l);
	wire_run(w, 200 * WIRE_SEC);
	wire_flush(w);
}

/* ---- client -------------------------------------------------------------------------------------------- */

static struct wire_seg synack_of(const struct wire_seg *syn, uint32_t ack, const void *cookie,
				 uint8_t cookie_len)
{
	struct wire_seg s = { .flags = TH_SYN | TH_ACK,
			      .dport = syn->sport,
			      .seq = 5000,
			      .ack = ack,
			      .win = 65535,
			      .opt = { 2, 4, 5, 180, FASTOPEN, (uint8_t)(2 + cookie_len) },
			      .opt_len = (uint8_t)(cookie_len ? 6 + cookie_len : 4) };

	if (cookie_len)
		memcpy(s.opt + 6, cookie, cookie_len);
	return s;
}

static ssize_t send_fast(struct wire *w, struct weir_file *f, const char *data, size_t len)
{
	return weir_sendto(f, data, len, MSG_FASTOPEN | MSG_DONTWAIT, &w->peer.sa, w->addrlen);
}

/* Asks for a cookie, gets "abcdefgh". */
static void learn_cookie(struct wire *w)
{
	struct weir_file *f = wire_socket(w);
	struct wire_seg s, r;
	unsigned len;

	assert_int_equal(send_fast(w, f, "data", 4), -EINPROGRESS);
	assert_true(wire_recv(w, &s));
	assert_int_equal(s.flags, TH_SYN);
	assert_int_equal(s.len, 0);
	assert_non_null(wire_opt(&s, FASTOPEN, &len));
	assert_int_equal(len, 0);
	r = synack_of(&s, s.seq + 1, "abcdefgh", 8);
	wire_send(w, &r);
	assert_int_equal(client_fail(f), 1);
	weir_close(f);
	wire_flush(w);
	s = (struct wire_seg){
		.flags = TH_RST | TH_ACK, .dport = s.sport, .seq = 5001, .ack = s.seq + 2
	};
	wire_send(w, &s);
	wire_flush(w);
}

static void the_client_asks_for_a_cookie_then_sends_data_with_the_syn(void **state)
{
	struct wire *w = *state;
	struct weir_file *f;
	struct wire_seg s, r;
	unsigned len;

	learn_cookie(w);
	f = wire_socket(w);
	assert_int_equal(send_fast(w, f, "hello", 5), 5);
	assert_true(wire_recv(w, &s));
	assert_int_equal(s.flags, TH_SYN);
	assert_int_equal(s.len, 5);
	assert_memory_equal(s.payload, "hello", 5);
	assert_memory_equal(wire_opt(&s, FASTOPEN, &len), "abcdefgh", 8);
	r = synack_of(&s, s.seq + 6, NULL, 0);
	wire_send(w, &r);
	assert_int_equal(info_of(f).tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info_of(f).tcpi_options & TCPI_OPT_SYN_DATA, TCPI_OPT_SYN_DATA);
	assert_int_equal(info_of(f).tcpi_unacked, 0);
	assert_int_equal(wire_counter(w, "TCPFastOpenActive"), 1);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags, TH_ACK);
	assert_int_equal(r.seq, s.seq + 6);
	weir_close(f);
	wire_flush(w);
}

static void data_that_the_syn_ack_does_not_take_are_sent_again_at_once(void **state)
{
	struct wire *w = *state;
	struct weir_file *f;
	struct wire_seg s, r;

	learn_cookie(w);
	f = wire_socket(w);
	assert_int_equal(send_fast(w, f, "hello", 5), 5);
	assert_true(wire_recv(w, &s));
	r = synack_of(&s, s.seq + 1, NULL, 0);
	wire_send(w, &r);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.len, 5);
	assert_int_equal(r.seq, s.seq + 1);
	assert_int_equal(r.ack, 5001);
	assert_int_equal(wire_counter(w, "TCPFastOpenActiveFail"), 1);
	assert_int_equal(client_fail(f), 2);
	weir_close(f);
	wire_flush(w);
}

static void a_lost_syn_is_sent_again_without_cookie_and_data(void **state)
{
	struct wire *w = *state;
	struct weir_file *f;
	struct wire_seg s, r;

	learn_cookie(w);
	f = wire_socket(w);
	assert_int_equal(send_fast(w, f, "hello", 5), 5);
	assert_true(wire_recv(w, &s));
	wire_run(w, 1100 * WIRE_MS);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.flags, TH_SYN);
	assert_int_equal(r.len, 0);
	assert_null(wire_opt(&r, FASTOPEN, NULL));
	r = synack_of(&s, s.seq + 1, NULL, 0);
	wire_send(w, &r);
	assert_true(wire_recv(w, &r));
	assert_int_equal(r.len, 5);
	assert_int_equal(client_fail(f), 3);
	weir_close(f);
	wire_flush(w);
}

static void fastopen_connect_waits_for_the_first_octets(void **state)
{
	struct wire *w = *state;
	struct weir_file *f;
	struct wire_seg s;

	learn_cookie(w);
	f = wire_socket(w);
	set_opt(f, TCP_FASTOPEN_CONNECT, 2, -EINVAL);
	set_opt(f, TCP_FASTOPEN_CONNECT, 1, 0);
	assert_int_equal(weir_connect(f, &w->peer.sa, w->addrlen), 0);
	assert_false(wire_recv(w, &s));
	assert_int_equal(weir_connect(f, &w->peer.sa, w->addrlen), -EISCONN);
	assert_int_equal(weir_poll_now(f) & POLLOUT, POLLOUT);
	assert_int_equal(weir_send(f, "hello", 5, 0), 5);
	assert_true(wire_recv(w, &s));
	assert_int_equal(s.flags, TH_SYN);
	assert_int_equal(s.len, 5);
	s = synack_of(&s, s.seq + 6, NULL, 0);
	wire_send(w, &s);
	assert_int_equal(info_of(f).tcpi_state, TCP_ESTABLISHED);
	weir_close(f);
	wire_flush(w);
}

static void fastopen_connect_without_a_cookie_asks_for_one(void **state)
{
	struct wire *w = *state;
	struct weir_file *f = wire_socket(w);
	struct wire_seg s;
	unsigned len;

	set_opt(f, TCP_FASTOPEN_CONNECT, 1, 0);
	assert_int_equal(weir_connect(f, &w->peer.sa, w->addrlen), -EINPROGRESS);
	assert_true(wire_recv(w, &s));
	assert_int_equal(s.len, 0);
	assert_non_null(wire_opt(&s, FASTOPEN, &len));
	assert_int_equal(len, 0);
	weir_close(f);
}

static void without_the_sysctl_the_client_has_no_fast_open(void **state)
{
	struct wire *w = *state;
	struct weir_file *f = wire_socket(w);

	wire_sysctl(w, "net.ipv4.tcp_fastopen", "0");
	assert_int_equal(send_fast(w, f, "hello", 5), -EOPNOTSUPP);
	set_opt(f, TCP_FASTOPEN_CONNECT, 1, -EOPNOTSUPP);
	weir_close(f);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_cookie_brings_the_data_of_the_syn_to_the_program),
		T(a_wrong_cookie_makes_an_ordinary_handshake_that_brings_the_right_one),
		T(keys_are_what_was_set_and_the_second_is_replaced),
		T(resets_keep_their_place_for_a_minute),
		T(the_client_asks_for_a_cookie_then_sends_data_with_the_syn),
		T(data_that_the_syn_ack_does_not_take_are_sent_again_at_once),
		T(a_lost_syn_is_sent_again_without_cookie_and_data),
		T(fastopen_connect_waits_for_the_first_octets),
		T(fastopen_connect_without_a_cookie_asks_for_one),
		T(without_the_sysctl_the_client_has_no_fast_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
