/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_urg_test.c - urgent data, segment by segment (RFC 9293 3.8.5, RFC 6093)
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
#include <sys/ioctl.h>
#include <cmocka.h>

#include <linux/sockios.h>
#include <netinet/tcp.h>

struct bed {
	struct wire w;
	struct weir_file *l, *c;
	uint32_t nxt; /* the net's */
};

static int setup_with(void **state, const void *opts, unsigned len)
{
	static struct bed b;

	*state = &b;
	if (!wire_create(&b.w))
		return -1;
	b.l = wire_listen(&b.w, 4);
	b.c = wire_accept(&b.w, b.l, opts, len, &b.nxt);
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, NULL, 0);
}

static int setup_sack(void **state)
{
	return setup_with(state, (uint8_t[]){ 1, 1, 4, 2 }, 4);
}

static int teardown(void **state)
{
	struct bed *b = *state;

	weir_close(b->c);
	weir_close(b->l);
	wire_destroy(&b->w);
	return 0;
}

/* @urg 0: no URG */
static void data(struct bed *b, uint32_t seq, const char *text, uint16_t urg)
{
	struct wire_seg s = { .flags = TH_ACK | TH_PUSH,
			      .seq = seq,
			      .ack = b->nxt,
			      .win = 65535,
			      .data = text,
			      .len = (uint32_t)strlen(text) };

	if (urg) {
		s.flags |= TH_URG;
		s.urg = urg;
	}
	wire_send(&b->w, &s);
}

static void expect(struct bed *b, int flags, const char *text)
{
	char buf[64] = "";

	assert_int_equal(weir_recv(b->c, buf, sizeof(buf) - 1, flags | MSG_DONTWAIT), strlen(text));
	assert_string_equal(buf, text);
}

static int at_mark(struct bed *b)
{
	int v = -1;

	assert_int_equal(weir_ioctl(b->c, SIOCATMARK, &v), 0);
	return v;
}

static int inq(struct bed *b)
{
	int v = -1;

	assert_int_equal(weir_ioctl(b->c, SIOCINQ, &v), 0);
	return v;
}

static int recv_error(struct bed *b, int flags)
{
	char c;

	return (int)weir_recv(b->c, &c, 1, flags | MSG_DONTWAIT);
}

static void reading_stops_at_the_mark_and_steps_over_it(void **state)
{
	struct bed *b = *state;

	assert_int_equal(recv_error(b, MSG_OOB), -EINVAL);
	data(b, 1001, "abcDe", 4); /* the pointer is behind the D */
	assert_true(weir_poll_now(b->c) & POLLPRI);
	assert_int_equal(inq(b), 3);
	assert_int_equal(at_mark(b), 0);
	expect(b, 0, "abc");
	assert_int_equal(at_mark(b), 1);
	expect(b, MSG_OOB | MSG_PEEK, "D");
	expect(b, MSG_OOB, "D");
	assert_int_equal(recv_error(b, MSG_OOB), -EINVAL);
	assert_false(weir_poll_now(b->c) & POLLPRI);
	expect(b, 0, "e");
	assert_int_equal(at_mark(b), 0);
	assert_int_equal(recv_error(b, 0), -EAGAIN);
}

/* Only the urgent octet is there: nothing to read for who does not ask for it. */
static void the_urgent_octet_alone_is_not_readable(void **state)
{
	struct bed *b = *state;

	data(b, 1001, "U", 1);
	assert_int_equal(weir_poll_now(b->c) & (POLLIN | POLLPRI), POLLPRI);
	expect(b, MSG_OOB | MSG_PEEK, "U");
	/* A read goes past it all the same, and then it is gone. */
	assert_int_equal(recv_error(b, 0), -EAGAIN);
	assert_int_equal(recv_error(b, MSG_OOB), -EINVAL);
}

static void inline_it_is_read_like_the_others(void **state)
{
	struct bed *b = *state;
	int on = 1;

	assert_int_equal(weir_setsockopt(b->c, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)), 0);
	data(b, 1001, "abcDe", 4);
	assert_int_equal(inq(b), 5);
	assert_int_equal(recv_error(b, MSG_OOB), -EINVAL);
	expect(b, 0, "abc");
	assert_int_equal(at_mark(b), 1);
	expect(b, 0, "De");
	assert_int_equal(at_mark(b), 0);
}

static void the_octet_may_come_later_than_the_pointer(void **state)
{
	struct bed *b = *state;

	data(b, 1001, "ab", 4); /* two more to come */
	assert_false(weir_poll_now(b->c) & POLLPRI);
	assert_int_equal(recv_error(b, MSG_OOB), -EAGAIN);
	expect(b, 0, "ab");
	/* out of order: it is known before what lies in front of it is */
	data(b, 1004, "D", 0);
	assert_true(weir_poll_now(b->c) & POLLPRI);
	expect(b, MSG_OOB, "D");
	data(b, 1003, "c", 0);
	data(b, 1005, "e", 0);
	expect(b, 0, "c");
	expect(b, 0, "e");
}

static void a_newer_mark_replaces_an_older_one(void **state)
{
	struct bed *b = *state;

	data(b, 1001, "aB", 2);
	data(b, 1003, "cD", 2);
	expect(b, MSG_OOB, "D");
	expect(b, 0, "aBc");
	/* an older one comes again: it says nothing */
	data(b, 1001, "aB", 2);
	assert_int_equal(recv_error(b, MSG_OOB), -EINVAL);
	/* stopped at a mark whose octet nobody took, and the next one comes: not read twice, not lost for MSG_OOB */
	data(b, 1005, "eF", 2);
	expect(b, 0, "e");
	data(b, 1007, "gH", 2);
	expect(b, 0, "g");
	expect(b, MSG_OOB, "H");
}

static void stdurg_takes_the_pointer_as_it_is(void **state)
{
	struct bed *b = *state;

	wire_sysctl(&b->w, "net.ipv4.tcp_stdurg", "1");
	data(b, 1001, "abCd", 2);
	expect(b, MSG_OOB, "C");
}

static void sent_segments_point_behind_the_last_urgent_octet(void **state)
{
	struct bed *b = *state;
	struct wire_seg s;
	static char big[4000];

	assert_int_equal(weir_send(b->c, "abC", 3, MSG_OOB), 3);
	assert_true(wire_recv(&b->w, &s));
	assert_int_equal(s.flags & TH_URG, TH_URG);
	assert_int_equal(s.urg, 3);
	/* while it is not acknowledged, what follows has none */
	assert_int_equal(weir_send(b->c, "x", 1, 0), 1);
	assert_true(wire_recv(&b->w, &s));
	assert_int_equal(s.flags & TH_URG, 0);
	b->nxt += 4;
	s = (struct wire_seg){ .flags = TH_ACK, .seq = 1001, .ack = b->nxt, .win = 65535 };
	wire_send(&b->w, &s);
	/* each segment has its own distance */
	assert_int_equal(weir_send(b->c, big, sizeof(big), MSG_OOB), sizeof(big));
	for (uint32_t at = 0; at < sizeof(big); at += s.len) {
		assert_true(wire_recv(&b->w, &s));
		assert_int_equal(s.flags & TH_URG, TH_URG);
		assert_int_equal(s.urg, sizeof(big) - at);
	}
}

/* What had left as one unit before there was anything urgent. */
static void retransmitted_segments_point_behind_it_each_by_itself(void **state)
{
	struct bed *b = *state;
	struct wire_seg s;
	static char big[4000];
	uint32_t up;

	assert_int_equal(weir_send(b->c, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(weir_send(b->c, big, sizeof(big), MSG_OOB), sizeof(big));
	assert_int_equal(wire_flush(&b->w), 6);
	up = b->nxt + 2 * sizeof(big);
	wire_run(&b->w, WIRE_MS);
	s = (struct wire_seg){
		.flags = TH_ACK, .seq = 1001, .ack = b->nxt, .win = 65535, .opt_len = 12
	};
	memcpy(s.opt, (uint8_t[]){ 1, 1, 5, 10 }, 4);
	for (int i = 0; i < 4; i++) {
		s.opt[4 + i] = (uint8_t)((up - sizeof(big)) >> (24 - 8 * i));
		s.opt[8 + i] = (uint8_t)(up >> (24 - 8 * i));
	}
	wire_send(&b->w, &s);
	wire_run(&b->w, 100 * WIRE_MS);
	for (uint32_t at = b->nxt; at != up - sizeof(big); at += s.len) {
		assert_true(wire_recv(&b->w, &s));
		assert_int_equal(s.seq, at);
		assert_int_equal(s.flags & TH_URG, TH_URG);
		assert_int_equal(s.urg, up - at);
	}
}

static void a_closed_window_is_told_of_urgent_data(void **state)
{
	struct bed *b = *state;
	struct wire_seg s = { .flags = TH_ACK, .seq = 1001, .ack = b->nxt, .win = 0 };

	wire_send(&b->w, &s);
	assert_int_equal(weir_send(b->c, "U", 1, MSG_OOB), 1);
	assert_false(wire_recv(&b->w, &s));
	wire_run(&b->w, 300 * WIRE_MS);
	assert_true(wire_recv(&b->w, &s));
	assert_int_equal(s.flags & TH_URG, TH_URG);
	assert_int_equal(s.seq, b->nxt);
	assert_int_equal(s.urg, 1);
	assert_int_equal(s.len, 0);
	assert_true(wire_recv(&b->w, &s));
	assert_int_equal(s.seq, b->nxt - 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reading_stops_at_the_mark_and_steps_over_it),
		T(the_urgent_octet_alone_is_not_readable),
		T(inline_it_is_read_like_the_others),
		T(the_octet_may_come_later_than_the_pointer),
		T(a_newer_mark_replaces_an_older_one),
		T(stdurg_takes_the_pointer_as_it_is),
		T(sent_segments_point_behind_the_last_urgent_octet),
		cmocka_unit_test_setup_teardown(
			retransmitted_segments_point_behind_it_each_by_itself, setup_sack,
			teardown),
		T(a_closed_window_is_told_of_urgent_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
