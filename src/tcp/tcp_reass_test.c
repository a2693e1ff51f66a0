/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_reass_test.c - segments in any order, cut and overlapping in any way, against an array of octets */
#include "tcp/tcp_test.h"

#include "core/net_group.h"

static u8 octet_at(u32 i)
{
	return (u8)(i * 31 + (i >> 8) * 7 + 3);
}

/* Octets [from, to) of the stream; in the head area or in fragments; with a FIN behind them. */
static void arrive(struct tcp_fixture *f, u32 from, u32 to, bool frags, bool fin)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64 + (frags ? 0 : to - from));
	struct tcp_seg seg = { .seq = TEST_RCV + from,
			       .end_seq = TEST_RCV + to + fin,
			       .len = to - from,
			       .flags = (u8)(TCP_FLAG_ACK | (fin ? TCP_FLAG_FIN : 0)) };
	u8 buf[8192];

	assert_non_null(skb);
	assert_true(to - from <= sizeof(buf));
	skb_reserve(skb, 64);
	skb_reset_transport_header(skb);
	for (u32 i = from; i < to; i++)
		buf[i - from] = octet_at(i);
	if (frags) {
		struct iovec iov = { buf, to - from };
		struct iov_iter it;

		iov_iter_init(&it, &iov, 1, iov.iov_len);
		skb_append_iter(skb, &it, to - from, false);
	} else {
		skb_put_data(skb, buf, to - from);
	}
	seg.skb = skb;
	TCP_SKB_CB(skb)->seq = seg.seq;
	TCP_SKB_CB(skb)->end_seq = seg.end_seq;
	TCP_SKB_CB(skb)->ack_seq = f->tp->snd_una;
	TCP_SKB_CB(skb)->tcp_flags = seg.flags;
	TCP_SKB_CB(skb)->sacked = 0;
	tcp_data_queue(f->sk, &seg);
	assert_null(seg.skb);
}

/* In the tree: sorted, none inside another, none at or below rcv_nxt. */
static void check_tree(const struct tcp_fixture *f)
{
	const struct sk_buff *prev = NULL, *skb;

	for (skb = tcp_ofo_head(f->tp); skb; skb = tcp_skb_next(skb)) {
		assert_true(after(TCP_SKB_CB(skb)->seq, f->tp->rcv_nxt));
		if (prev) {
			assert_true(after(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(prev)->seq));
			assert_true(after(TCP_SKB_CB(skb)->end_seq, TCP_SKB_CB(prev)->end_seq));
		}
		prev = skb;
	}
}

static u32 read_all(struct tcp_fixture *f, u32 at)
{
	u8 buf[4096];

	for (;;) {
		struct iovec iov = { buf, sizeof(buf) };
		struct kmsghdr msg = { .flags = MSG_DONTWAIT };
		ssize_t n;

		iov_iter_init(&msg.iter, &iov, 1, sizeof(buf));
		n = tcp_prot_v4.recvmsg(f->sk, &msg, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			return at;
		for (ssize_t i = 0; i < n; i++, at++)
			assert_int_equal(buf[i], octet_at(at));
	}
}

/* The RFC's overlap matrix: an old segment [10,20) and a new one with every pair of edges. */
static void every_overlap_of_two_segments_is_read_right(void **state)
{
	for (u32 from = 5; from <= 24; from++) {
		for (u32 to = from + 1; to <= 25; to++) {
			struct tcp_fixture *f;
			u32 want = 20;

			tcp_fixture_setup((void **)&f);
			arrive(f, 10, 20, to & 1, false);
			arrive(f, from, to, from & 1, false);
			check_tree(f);
			arrive(f, 0, 10, false, false);
			if (from <= 20 && to > 20)
				want = to;
			assert_int_equal(f->tp->rcv_nxt - TEST_RCV, want);
			assert_int_equal(read_all(f, 0), want);
			tcp_fixture_teardown((void **)&f);
		}
	}
}

static void random_segments_agree_with_an_array(void **state)
{
	enum { N = 20000 };
	static bool have[N];
	u64 rng = 77;

	for (int run = 0; run < 20; run++) {
		struct tcp_fixture *f;
		u32 next = 0, read = 0;

		tcp_fixture_setup((void **)&f);
		memset(have, 0, sizeof(have));
		while (next < N) {
			u32 from = next + tcp_fixture_random(&rng, 3000), to;

			from = from > 1500 ? from - tcp_fixture_random(&rng, 1500) : from;
			from = tcp_fixture_random(&rng, 5) ? min(from, (u32)N - 1) : next;
			to = min(from + 1 + tcp_fixture_random(&rng, 700), (u32)N);
			arrive(f, from, to, tcp_fixture_random(&rng, 2), false);
			for (u32 i = from; i < to; i++)
				have[i] = true;
			while (next < N && have[next])
				next++;
			check_tree(f);
			assert_int_equal(f->tp->rcv_nxt - TEST_RCV, next);
			if (!tcp_fixture_random(&rng, 10))
				read = read_all(f, read);
		}
		assert_int_equal(read_all(f, read), N);
		assert_true(tcp_ofo_empty(f->tp));
		assert_int_equal(f->sk->sk_rmem_alloc, 0);
		assert_int_equal(f->tp->num_sacks, 0);
		tcp_fixture_teardown((void **)&f);
	}
}

static void fin_waits_for_the_octets_before_it(void **state)
{
	struct tcp_fixture *f = *state;

	arrive(f, 100, 200, false, true);
	assert_int_equal(f->sk->sk_state, SS_TCP_ESTABLISHED);
	arrive(f, 0, 100, false, false);
	assert_int_equal(f->sk->sk_state, SS_TCP_CLOSE_WAIT);
	assert_int_equal(f->tp->rcv_nxt - TEST_RCV, 201);
	assert_int_equal(read_all(f, 0), 200);
}

static void old_octets_are_reported_by_dsack(void **state)
{
	struct tcp_fixture *f = *state;

	arrive(f, 0, 100, false, false);
	arrive(f, 20, 60, false, false);
	assert_true(f->tp->dsack_pending);
	assert_int_equal(f->tp->ofo->duplicate_sack.start - TEST_RCV, 20);
	assert_int_equal(f->tp->ofo->duplicate_sack.end - TEST_RCV, 60);
	assert_int_equal(read_all(f, 0), 100);
}

static void full_buffer_gives_up_the_latest_out_of_order_octets(void **state)
{
	struct tcp_fixture *f = *state;

	f->sk->sk_rcvbuf = 40000;
	for (u32 i = 0; i < 60; i++)
		arrive(f, 3000 + i * 2000, 4000 + i * 2000, false, false);
	assert_true(f->sk->sk_rmem_alloc <= 48000);
	check_tree(f);
	/* What comes next in order is always taken. */
	arrive(f, 0, 3000, false, false);
	assert_true(f->tp->rcv_nxt - TEST_RCV >= 3000);
	read_all(f, 0);
}

static void tiny_segments_share_buffers(void **state)
{
	struct tcp_fixture *f = *state;

	for (u32 i = 0; i < 2000; i++)
		arrive(f, i, i + 1, false, false);
	assert_true(f->sk->sk_rmem_alloc < 2000 * 300);
	assert_int_equal(read_all(f, 0), 2000);
	assert_int_equal(f->sk->sk_rmem_alloc, 0);
}

/* As Linux: each skb that becomes a part of the last one, a lone FIN too. Payload in pages is joined without a copy. */
static void what_joins_the_last_skb_is_counted(void **state)
{
	static const struct {
		u32 len[2];    /* of two segments, one after the other */
		bool frags[2]; /* in pages */
		bool fin;      /* behind the second */
		bool cloned;   /* somebody else looks at the first */
		u32 joined;
	} rows[] = {
		{ { 1000, 1000 }, { true, true }, false, false, 1 },
		{ { 8000, 8000 }, { true, true }, false, false, 1 },
		{ { 1000, 1000 }, { true, true }, false, true, 0 },
		{ { 1000, 1000 }, { true, false }, false, false, 0 },
		{ { 10, 10 }, { false, false }, false, false, 1 },
		{ { 10, 10 }, { false, false }, false, true, 0 },
		{ { 1000, 0 }, { true, true }, true, false, 1 },
		{ { 1000, 0 }, { false, false }, true, false, 1 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sk_buff *first, *clone = NULL;
		const struct tcp_fixture *f;
		void *bed;
		u64 was;

		tcp_fixture_setup(&bed);
		f = bed;
		arrive(bed, 0, rows[i].len[0], rows[i].frags[0], false);
		first = skb_peek(&f->sk->sk_receive_queue);
		if (rows[i].cloned)
			clone = skb_clone(first);
		was = net_mib(f->net, MIB_TcpExt_TCPRcvCoalesce);
		arrive(bed, rows[i].len[0], rows[i].len[0] + rows[i].len[1], rows[i].frags[1],
		       rows[i].fin);
		assert_int_equal(net_mib(f->net, MIB_TcpExt_TCPRcvCoalesce) - was, rows[i].joined);
		assert_int_equal(f->sk->sk_receive_queue.qlen, rows[i].joined ? 1 : 2);
		/* Pages stay pages: nothing was copied to the head. */
		if (rows[i].joined && rows[i].frags[0])
			assert_int_equal(first->data_len, rows[i].len[0] + rows[i].len[1]);
		if (clone)
			consume_skb(clone);
		assert_int_equal(read_all(bed, 0), rows[i].len[0] + rows[i].len[1]);
		assert_int_equal(f->sk->sk_rmem_alloc, 0);
		tcp_fixture_teardown(&bed);
	}
}

#define WITH_FIXTURE(t) cmocka_unit_test_setup_teardown(t, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_overlap_of_two_segments_is_read_right),
		cmocka_unit_test(random_segments_agree_with_an_array),
		WITH_FIXTURE(fin_waits_for_the_octets_before_it),
		WITH_FIXTURE(old_octets_are_reported_by_dsack),
		WITH_FIXTURE(full_buffer_gives_up_the_latest_out_of_order_octets),
		WITH_FIXTURE(tiny_segments_share_buffers),
		cmocka_unit_test(what_joins_the_last_skb_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
