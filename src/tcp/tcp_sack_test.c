/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_sack_test.c - the scoreboard against a plain array of segments, and the receiver's list of blocks */
#include "tcp/tcp_test.h"

static u32 seq_of(u32 segment)
{
	return TEST_ISN + segment * TEST_MSS;
}

static struct tcp_sacktag sack(struct tcp_fixture *f, u32 ack, const struct tcp_sack_block *b,
			       u32 n)
{
	struct tcp_opts_view o = { .num_sacks = (u8)n };
	struct rate_sample rs = { 0 };
	struct tcp_sacktag st;

	memcpy(o.sacks, b, n * sizeof(*b));
	tcp_sacktag_write_queue(f->sk, &o, ack, f->tp->snd_una, &st, &rs);
	tcp_fixture_check_counts(f);
	return st;
}

static bool segment_sacked(const struct tcp_fixture *f, u32 segment)
{
	const struct sk_buff *skb;

	for (skb = tcp_rtx_queue_head(f->sk); skb; skb = tcp_skb_next(skb))
		if (before(seq_of(segment), TCP_SKB_CB(skb)->end_seq))
			return TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED;
	return false;
}

static void block_inside_a_big_skb_cuts_it_at_segments(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_sack_block b = { seq_of(3), seq_of(5) };
	struct tcp_sacktag st;

	tcp_fixture_sent(f, 10);
	st = sack(f, TEST_ISN, &b, 1);
	assert_int_equal(st.delivered, 2);
	assert_int_equal(f->tp->sacked_out, 2);
	assert_int_equal(f->tp->packets_out, 10);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(segment_sacked(f, i), i == 3 || i == 4);
	/* The same again tells nothing new. */
	st = sack(f, TEST_ISN, &b, 1);
	assert_int_equal(st.delivered, 0);
}

static void blocks_that_end_inside_a_segment_claim_whole_ones_only(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_sack_block b = { seq_of(3) + 1, seq_of(6) - 1 };

	tcp_fixture_sent(f, 10);
	assert_int_equal(sack(f, TEST_ISN, &b, 1).delivered, 1);
	assert_true(segment_sacked(f, 4));
}

static void blocks_out_of_range_are_ignored(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_sack_block b[4];

	tcp_fixture_sent(f, 10);
	b[0] = (struct tcp_sack_block){ seq_of(2), seq_of(11) }; /* beyond snd_nxt */
	b[1] = (struct tcp_sack_block){ seq_of(5), seq_of(4) };  /* backwards */
	b[2] = (struct tcp_sack_block){ seq_of(0) - 5000,
					seq_of(0) - 10 }; /* below snd_una: not a DSACK here */
	b[3] = (struct tcp_sack_block){ seq_of(3), seq_of(3) }; /* empty */
	for (u32 i = 0; i < 4; i++) {
		assert_int_equal(sack(f, TEST_ISN, &b[i], 1).delivered, 0);
		assert_int_equal(f->tp->sacked_out, 0);
	}
}

static void dsack_is_told_from_news(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_sack_block below = { TEST_ISN - 1000, TEST_ISN };
	struct tcp_sack_block inside[2] = { { seq_of(4), seq_of(5) }, { seq_of(3), seq_of(6) } };
	struct tcp_sacktag st;

	tcp_fixture_sent(f, 10);
	f->tp->total_retrans = 10; /* what is reported as duplicate may be ours */
	assert_int_equal(sack(f, TEST_ISN, &below, 1).dsack_segs, 1);
	assert_int_equal(f->tp->sacked_out, 0);
	st = sack(f, TEST_ISN, inside, 2);
	assert_true(st.dsack_segs > 0);
	assert_int_equal(st.delivered, 3);
}

/* Random blocks, random cuts: after each the marks are those of the array. */
static void scoreboard_agrees_with_an_array(void **state)
{
	struct tcp_fixture *f = *state;
	enum { N = 200 };
	bool want[N] = { false };
	u64 rng = 5;

	for (u32 n = 0, segs; n < N; n += segs) {
		segs = min(1 + tcp_fixture_random(&rng, 40), N - n);
		tcp_fixture_sent(f, segs);
	}
	for (int round = 0; round < 300; round++) {
		struct tcp_sack_block b[3];
		u32 n = 1 + tcp_fixture_random(&rng, 3), expect = 0;

		for (u32 i = 0; i < n; i++) {
			u32 from = 1 + tcp_fixture_random(&rng, N - 1),
			    to = min(from + 1 + tcp_fixture_random(&rng, 12), (u32)N);
			u32 cut_a = tcp_fixture_random(&rng, 4)
					    ? 0
					    : tcp_fixture_random(&rng, TEST_MSS);
			u32 cut_b = tcp_fixture_random(&rng, 4)
					    ? 0
					    : tcp_fixture_random(&rng, TEST_MSS);

			b[i] = (struct tcp_sack_block){ seq_of(from) + cut_a, seq_of(to) - cut_b };
			/* The first of two that lies inside the second would be a DSACK. */
			if (i == 1 && !after(b[0].end, b[1].end) && !before(b[0].start, b[1].start))
				b[1] = b[0];
			if (!before(b[i].start, b[i].end))
				b[i] = (struct tcp_sack_block){ seq_of(from), seq_of(to) };
		}
		if (n > 1 && !after(b[0].end, b[1].end) && !before(b[0].start, b[1].start))
			n = 1;
		for (u32 i = 0; i < n; i++)
			for (u32 s = 1; s < N; s++)
				if (!before(seq_of(s), b[i].start) &&
				    !after(seq_of(s + 1), b[i].end) && !want[s]) {
					want[s] = true;
					expect++;
				}
		assert_int_equal(sack(f, TEST_ISN, b, n).delivered, expect);
		for (u32 s = 0; s < N; s++)
			assert_int_equal(segment_sacked(f, s), want[s]);
	}
}

/* RFC 6675 4: three SACKed segments above a hole make it lost, however the skbs are cut. */
static void holes_below_three_sacked_segments_are_lost(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_sack_block b[3] = { { seq_of(10), seq_of(12) },
				       { seq_of(5), seq_of(6) },
				       { seq_of(2), seq_of(3) } };
	struct tcp_ack_state st = { .flag = FLAG_DATA_SACKED };
	const struct sk_buff *skb;
	u32 rexmit = 0;

	f->net->tcp->recovery = 0; /* without RACK */
	tcp_fixture_sent(f, 7);
	tcp_fixture_sent(f, 8);
	f->tp->snd_cwnd = 30;
	sack(f, TEST_ISN, b, 3);
	tcp_fastretrans_alert(f->sk, &st, false, &rexmit);
	assert_int_equal(inet_csk(f->sk)->icsk_ca_state, TCP_CA_Recovery);
	assert_int_equal(rexmit, REXMIT_LOST);
	tcp_fixture_check_counts(f);
	/* SACKed: 2, 5, 10, 11. Above 3 and 4 there are three, above 6 to 9 two. */
	for (skb = tcp_rtx_queue_head(f->sk); skb; skb = tcp_skb_next(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		bool lost = before(cb->seq, seq_of(5)) && !(cb->sacked & TCPCB_SACKED_ACKED);

		assert_int_equal((cb->sacked & TCPCB_LOST) != 0, lost);
	}
	assert_int_equal(f->tp->lost_out, 4);
}

static void receiver_lists_the_latest_block_first_and_joins_neighbours(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_sack_block *b;

	assert_true(tcp_ofo_get(f->sk));
	b = f->tp->ofo->selective_acks;
	tcp_sack_new_ofo_skb(f->tp, 100, 200);
	tcp_sack_new_ofo_skb(f->tp, 300, 400);
	tcp_sack_new_ofo_skb(f->tp, 500, 600);
	assert_int_equal(f->tp->num_sacks, 3);
	assert_int_equal(b[0].start, 500);
	tcp_sack_new_ofo_skb(f->tp, 200, 250);
	assert_int_equal(b[0].start, 100);
	assert_int_equal(b[0].end, 250);
	assert_int_equal(f->tp->num_sacks, 3);
	tcp_sack_new_ofo_skb(f->tp, 250, 500); /* fills everything between */
	assert_int_equal(f->tp->num_sacks, 1);
	assert_int_equal(b[0].start, 100);
	assert_int_equal(b[0].end, 600);
	for (u32 i = 0; i < 8; i++)
		tcp_sack_new_ofo_skb(f->tp, 1000 + i * 100, 1050 + i * 100);
	assert_int_equal(f->tp->num_sacks, 4);
	assert_int_equal(b[0].start, 1700);
}

#define WITH_FIXTURE(t) cmocka_unit_test_setup_teardown(t, tcp_fixture_setup, tcp_fixture_teardown)

static u64 counter(struct tcp_fixture *f, enum mib_counter c)
{
	return f->sk->sk_net->mib[c];
}

static void saved_acks_are_counted(void **state)
{
	struct tcp_fixture *f = *state;

	assert_true(tcp_ofo_get(f->sk));
	f->tp->sack_ok = 1;
	for (int i = 0; i < 3; i++)
		assert_false(tcp_sack_compress(f->sk)); /* the sender has to learn of the hole */
	for (int i = 0; i < 4; i++)
		assert_true(tcp_sack_compress(f->sk));
	assert_true(hrtimer_active(&f->tp->ofo->ack_timer));
	tcp_sack_compressed_sent(f->sk, 1); /* one for four */
	assert_int_equal(counter(f, MIB_TcpExt_TCPAckCompressed), 3);
	assert_false(hrtimer_active(&f->tp->ofo->ack_timer));
	assert_true(tcp_sack_compress(f->sk));
	tcp_sack_compressed_sent(f->sk, 0); /* another ACK said it */
	assert_int_equal(counter(f, MIB_TcpExt_TCPAckCompressed), 4);
	tcp_ofo_purge(f->sk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(block_inside_a_big_skb_cuts_it_at_segments),
		WITH_FIXTURE(blocks_that_end_inside_a_segment_claim_whole_ones_only),
		WITH_FIXTURE(blocks_out_of_range_are_ignored),
		WITH_FIXTURE(dsack_is_told_from_news),
		WITH_FIXTURE(scoreboard_agrees_with_an_array),
		WITH_FIXTURE(holes_below_three_sacked_segments_are_lost),
		WITH_FIXTURE(receiver_lists_the_latest_block_first_and_joins_neighbours),
		WITH_FIXTURE(saved_acks_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
