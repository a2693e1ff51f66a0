/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_prediction_test.c - what header prediction counts: hits as Linux does, misses by their cause (WeirExt in /proc/net/netstat)
 *
 * Each row is one segment of the peer's for a connection with timestamps and SACK, and the counters that it moves; all others stay. What
 * Linux counts was asked of it: tests/packet/tcp/recv/header-prediction-counters.pkt. See tests/support/tcp_wire.h. Also run with IPv6.
 */
#include "tests/support/tcp_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <netinet/tcp.h>

#define PEER_TS  100u
#define SENT     100u /* octets that the net has in flight where a row says so */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum before {
	NOTHING,
	IN_FLIGHT,    /* SENT octets are */
	OUT_OF_ORDER, /* ten octets wait behind a hole of ten */
	URGENT,       /* an urgent octet came */
	SMALL_BUFFER, /* half of the window is used */
	NO_MEMORY,    /* tcp_mem has no page left for the next segment */
	JUST_OPEN, /* connect(2) from here, with a window scale: nothing came since the SYN-ACK */
};

enum opts { TIMESTAMPS, OLD_TIMESTAMPS, NO_OPTS, NOPS, WITH_SACK };

struct row {
	const char *name;
	enum before before;
	int seq, ack; /* from what is next, from the end of what was acknowledged */
	uint8_t flags;
	uint32_t len;
	enum opts opts;
	int win; /* 0: as ever */
	const char *counted[2];
};

static const struct row rows[] = {
	{ "data", NOTHING, 0, 0, TH_ACK, 10, TIMESTAMPS, 0, { "TCPHPHits" } },
	{ "data, pushed", NOTHING, 0, 0, TH_ACK | TH_PUSH, 10, TIMESTAMPS, 0, { "TCPHPHits" } },
	{ "data and an ACK",
	  IN_FLIGHT,
	  0,
	  SENT,
	  TH_ACK,
	  10,
	  TIMESTAMPS,
	  0,
	  { "TCPHPHits", "TCPHPAcks" } },
	{ "ACK", IN_FLIGHT, 0, SENT, TH_ACK, 0, TIMESTAMPS, 0, { "TCPHPAcks" } },
	{ "ACK of a part", IN_FLIGHT, 0, SENT / 2, TH_ACK, 0, TIMESTAMPS, 0, { "TCPHPAcks" } },
	{ "duplicate ACK", IN_FLIGHT, 0, 0, TH_ACK, 0, TIMESTAMPS, 0, { "TCPPureAcks" } },
	{ "ACK with SACK",
	  IN_FLIGHT,
	  0,
	  0,
	  TH_ACK,
	  0,
	  WITH_SACK,
	  0,
	  { "TCPPureAcks", "TCPHPMissOptions" } },
	{ "ACK with another window",
	  IN_FLIGHT,
	  0,
	  SENT,
	  TH_ACK,
	  0,
	  TIMESTAMPS,
	  1000,
	  { "TCPPureAcks", "TCPHPMissWindow" } },
	{ "data with another window",
	  NOTHING,
	  0,
	  0,
	  TH_ACK,
	  10,
	  TIMESTAMPS,
	  1000,
	  { "TCPHPMissWindow" } },
	{ "FIN", NOTHING, 0, 0, TH_ACK | TH_FIN, 0, TIMESTAMPS, 0, { "TCPHPMissFlags" } },
	{ "data with URG",
	  NOTHING,
	  0,
	  0,
	  TH_ACK | TH_URG,
	  10,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissFlags" } },
	{ "data without ACK", NOTHING, 0, 0, TH_PUSH, 10, TIMESTAMPS, 0, { "TCPHPMissFlags" } },
	{ "data with ECE", NOTHING, 0, 0, TH_ACK | 0x40, 10, TIMESTAMPS, 0, { "TCPHPMissFlags" } },
	{ "data out of order", NOTHING, 10, 0, TH_ACK, 10, TIMESTAMPS, 0, { "TCPHPMissSeq" } },
	{ "old data", NOTHING, -10, 0, TH_ACK, 5, TIMESTAMPS, 0, { "TCPHPMissSeq" } },
	{ "data with an old ACK", NOTHING, 0, -1, TH_ACK, 10, TIMESTAMPS, 0, { "TCPHPMissAck" } },
	{ "data with an ACK of what was never sent",
	  IN_FLIGHT,
	  0,
	  SENT + 1,
	  TH_ACK,
	  10,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissAck" } },
	{ "data with an old timestamp",
	  NOTHING,
	  0,
	  0,
	  TH_ACK,
	  10,
	  OLD_TIMESTAMPS,
	  0,
	  { "TCPHPMissTimestamp" } },
	{ "data without timestamps",
	  NOTHING,
	  0,
	  0,
	  TH_ACK,
	  10,
	  NO_OPTS,
	  0,
	  { "TCPHPMissOptions" } },
	{ "data with other options of that length",
	  NOTHING,
	  0,
	  0,
	  TH_ACK,
	  10,
	  NOPS,
	  0,
	  { "TCPHPMissOptions" } },
	{ "data beyond the window",
	  SMALL_BUFFER,
	  0,
	  0,
	  TH_ACK,
	  1400,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissRcvWindow" } },
	{ "data without memory for it",
	  NO_MEMORY,
	  0,
	  0,
	  TH_ACK,
	  1400,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissMemory" } },
	{ "data that fills a hole",
	  OUT_OF_ORDER,
	  0,
	  0,
	  TH_ACK,
	  10,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissOfoQueue" } },
	{ "data behind an urgent octet",
	  URGENT,
	  0,
	  0,
	  TH_ACK,
	  10,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissUrgent" } },
	{ "the first after the handshake",
	  JUST_OPEN,
	  0,
	  0,
	  TH_ACK,
	  10,
	  TIMESTAMPS,
	  0,
	  { "TCPHPMissUnset" } },
};

static const char *const counters[] = {
	"TCPHPHits",          "TCPHPAcks",          "TCPPureAcks",     "TCPHPMissFlags",
	"TCPHPMissOptions",   "TCPHPMissWindow",    "TCPHPMissSeq",    "TCPHPMissAck",
	"TCPHPMissTimestamp", "TCPHPMissRcvWindow", "TCPHPMissMemory", "TCPHPMissOfoQueue",
	"TCPHPMissUrgent",    "TCPHPMissUnset",
};

struct bed {
	struct wire w;
	struct weir_file *l, *c;
	uint16_t port;      /* the net's; 0: the usual one */
	uint32_t next, nxt; /* the peer's, the net's */
};

static void put_timestamps(struct wire_seg *s, uint32_t val)
{
	uint32_t be = htonl(val);

	memcpy(s->opt, "\1\1\10\12", 4);
	memcpy(s->opt + 4, &be, 4);
	memset(s->opt + 8, 0, 4);
	s->opt_len = 12;
}

static struct wire_seg segment(const struct bed *b, uint32_t seq, uint8_t flags, uint32_t len)
{
	static const uint8_t octets[1400];
	struct wire_seg s = { .dport = b->port,
			      .seq = seq,
			      .ack = b->nxt,
			      .flags = flags,
			      .win = 65535,
			      .len = len,
			      .data = octets };

	put_timestamps(&s, PEER_TS);
	return s;
}

static void in_order(struct bed *b, uint32_t len)
{
	struct wire_seg s = segment(b, b->next, TH_ACK, len);

	wire_send(&b->w, &s);
	b->next += len;
}

static void accept_one(struct bed *b)
{
	static const uint8_t opts[] = { 8, 10, 0, 0, 0, PEER_TS, 0, 0, 0, 0, 4, 2 };

	b->c = wire_accept(&b->w, b->l, opts, sizeof(opts), &b->nxt);
	b->next = 1001;
}

/* connect(2), answered with options that a listener's peer would have, and a window scale */
static void connect_one(struct bed *b)
{
	struct wire_seg syn, answer = { .seq = 5000, .flags = TH_SYN | TH_ACK, .win = 65535 };
	const uint8_t *ts;

	b->c = wire_socket(&b->w);
	weir_connect(b->c, &b->w.peer.sa, b->w.addrlen);
	assert_true(wire_recv(&b->w, &syn));
	ts = wire_opt(&syn, 8, NULL);
	assert_non_null(ts);
	memcpy(answer.opt, "\2\4\5\264\3\3\0\1\10\12\0\0\0\144", 14);
	answer.opt[6] = 7;
	memcpy(answer.opt + 14, ts, 4);
	memcpy(answer.opt + 18, "\4\2", 2);
	answer.opt_len = 20;
	answer.ack = syn.seq + 1;
	answer.dport = b->port = syn.sport;
	wire_send(&b->w, &answer);
	b->next = 5001;
	b->nxt = syn.seq + 1;
}

static void prepare(struct bed *b, enum before before)
{
	static const char octets[SENT];
	struct wire_seg s;
	int size = 4096;

	if (before == JUST_OPEN) {
		connect_one(b);
		return;
	}
	b->l = wire_listen(&b->w, 4);
	if (before == SMALL_BUFFER)
		assert_int_equal(weir_setsockopt(b->l, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)),
				 0);
	accept_one(b);
	in_order(b, 20); /* of which a part may come again */
	switch (before) {
	case IN_FLIGHT:
		assert_int_equal(weir_send(b->c, octets, sizeof(octets), 0), sizeof(octets));
		break;
	case OUT_OF_ORDER:
		s = segment(b, b->next + 10, TH_ACK, 10);
		wire_send(&b->w, &s);
		break;
	case URGENT:
		s = segment(b, b->next, TH_ACK | TH_URG, 5);
		s.urg = 5;
		wire_send(&b->w, &s);
		b->next += 5;
		break;
	case SMALL_BUFFER:
		in_order(b, 1400);
		in_order(b, 1400);
		break;
	case NO_MEMORY:
		wire_sysctl(&b->w, "net.ipv4.tcp_mem", "1 1 1");
		in_order(b, 1400);
		in_order(b, 1400);
		break;
	default:
		break;
	}
}

static void put_opts(struct wire_seg *s, const struct bed *b, enum opts opts)
{
	uint32_t left = htonl(b->nxt + SENT / 2), right = htonl(b->nxt + SENT);

	switch (opts) {
	case OLD_TIMESTAMPS:
		put_timestamps(s, PEER_TS - 1);
		break;
	case NO_OPTS:
		s->opt_len = 0;
		break;
	case NOPS:
		memset(s->opt, 1, s->opt_len);
		break;
	case WITH_SACK:
		memcpy(s->opt + 12, "\1\1\5\12", 4);
		memcpy(s->opt + 16, &left, 4);
		memcpy(s->opt + 20, &right, 4);
		s->opt_len = 24;
		break;
	default:
		break;
	}
}

static void check(const struct row *r)
{
	long was[COUNT(counters)];
	struct bed b = { 0 };
	struct wire_seg s;

	assert_true(wire_create(&b.w));
	prepare(&b, r->before);
	for (size_t i = 0; i < COUNT(counters); i++)
		was[i] = wire_counter(&b.w, counters[i]);
	s = segment(&b, b.next + (uint32_t)r->seq, r->flags, r->len);
	s.ack += (uint32_t)r->ack;
	s.urg = r->flags & TH_URG ? 1 : 0;
	if (r->win)
		s.win = (uint16_t)r->win;
	put_opts(&s, &b, r->opts);
	wire_send(&b.w, &s);
	for (size_t i = 0; i < COUNT(counters); i++) {
		long moved = wire_counter(&b.w, counters[i]) - was[i], expected = 0;

		for (size_t k = 0; k < COUNT(r->counted); k++)
			expected += r->counted[k] && !strcmp(r->counted[k], counters[i]);
		if (moved != expected)
			fail_msg("%s: %s moved by %ld, not %ld", r->name, counters[i], moved,
				 expected);
	}
	weir_close(b.c);
	if (b.l)
		weir_close(b.l);
	wire_destroy(&b.w);
}

static void each_segment_is_counted_as_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check(&rows[i]);
}

/* nstat(8) and netstat(8) read lines in pairs: names, then as many values. */
static void what_linux_does_not_count_has_a_line_of_its_own(void **state)
{
	struct wire w;
	char *text, *names, *values;
	size_t len;

	(void)state;
	assert_true(wire_create(&w));
	assert_int_equal(weir_view_read(w.net, "/proc/net/netstat", &text, &len), 0);
	names = strstr(text, "\nWeirExt: ");
	assert_non_null(names);
	values = strstr(names + 1, "\nWeirExt: ");
	assert_non_null(values);
	*values = 0;
	for (size_t i = 3; i < COUNT(counters); i++)
		assert_non_null(strstr(names, counters[i]));
	free(text);
	wire_destroy(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_segment_is_counted_as_what_it_is),
		cmocka_unit_test(what_linux_does_not_count_has_a_line_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
