/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_ack_test.c - the retransmission timer's arithmetic (RFC 6298), and what an ACK does to the retransmit queue */
#include "tcp/tcp_test.h"

static void first_sample_sets_srtt_and_half_as_rttvar(void **state)
{
	struct tcp_fixture *f = *state;

	tcp_rtt_estimator(f->tp, 100000, 1);
	assert_int_equal(f->tp->srtt_us >> 3, 100000);
	assert_int_equal(f->tp->rttvar_us >> 2, 50000);
	/* 2.2: RTO = SRTT + 4 RTTVAR = 300 ms */
	assert_int_equal(tcp_rto_us(f->sk), 300000);
}

/* 2.3 worked by hand in floating point. */
static void later_samples_follow_the_recursion(void **state)
{
	static const u32 samples[] = { 100000, 120000, 80000, 300000,  100000,
				       100000, 50000,  1,     2000000, 90000 };
	struct tcp_fixture *f = *state;
	double srtt = 0, var = 0;

	for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
		double r = samples[i];

		if (!i) {
			srtt = r;
			var = r / 2;
		} else {
			var = 0.75 * var + 0.25 * (srtt > r ? srtt - r : r - srtt);
			srtt = 0.875 * srtt + 0.125 * r;
		}
		tcp_rtt_estimator(f->tp, samples[i], 1);
		assert_in_range(f->tp->srtt_us >> 3, (u32)(srtt * 0.999) - 2,
				(u32)(srtt * 1.001) + 2);
		assert_in_range(f->tp->rttvar_us >> 2, (u32)(var * 0.999) - 2,
				(u32)(var * 1.001) + 2);
	}
}

static void rto_keeps_its_floor_and_ceiling(void **state)
{
	struct tcp_fixture *f = *state;

	for (int i = 0; i < 100; i++)
		tcp_rtt_estimator(f->tp, 10000, 1);
	assert_in_range(tcp_rto_us(f->sk), 209000, 211000); /* SRTT + tcp_rto_min */
	tcp_rtt_estimator(f->tp, 119000000, 1);
	tcp_rtt_estimator(f->tp, 119000000, 1);
	assert_int_equal(tcp_rto_us(f->sk), TCP_RTO_MAX_US);
}

static void many_samples_a_round_trip_do_not_shorten_the_memory(void **state)
{
	struct tcp_fixture *f = *state;
	u32 slow, fast;

	tcp_rtt_estimator(f->tp, 100000, 1);
	tcp_rtt_estimator(f->tp, 200000, 1);
	fast = f->tp->srtt_us;
	f->tp->srtt_us = 0;
	tcp_rtt_estimator(f->tp, 100000, 1);
	for (int i = 0; i < 10; i++)
		tcp_rtt_estimator(f->tp, 200000, 10);
	slow = f->tp->srtt_us;
	assert_in_range(slow >> 3, (fast >> 3) - 1500,
			(fast >> 3) + 1500); /* RFC 7323 appendix G */
}

static void ack_segment(struct tcp_fixture *f, u32 ack)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64);
	struct tcp_seg seg = { .skb = skb,
			       .seq = f->tp->rcv_nxt,
			       .end_seq = f->tp->rcv_nxt,
			       .ack = ack,
			       .window = f->tp->snd_wnd >> f->tp->snd_wscale,
			       .flags = TCP_FLAG_ACK };

	assert_int_equal(tcp_ack(f->sk, &seg, true), TCP_ACK_OK);
	consume_skb(skb);
}

static void partial_acks_lower_the_count_without_cutting(void **state)
{
	struct tcp_fixture *f = *state;
	struct sk_buff *skb = tcp_fixture_sent(f, 10);

	tcp_fixture_sent(f, 5);
	tcp_fixture_advance(f, 20 * NSEC_PER_MSEC);
	ack_segment(f, TEST_ISN + 3 * TEST_MSS);
	assert_int_equal(f->tp->packets_out, 12);
	assert_int_equal(skb->len, 10 * TEST_MSS);
	tcp_fixture_check_counts(f);
	assert_int_equal(f->tp->srtt_us >> 3, 20000);
	ack_segment(f, TEST_ISN + 3 * TEST_MSS + 500); /* half a segment */
	assert_int_equal(f->tp->packets_out, 12);
	assert_int_equal(tcp_trim_acked(f->sk, skb), 0);
	assert_int_equal(skb->len, 6 * TEST_MSS + 500);
	ack_segment(f, TEST_ISN + 15 * TEST_MSS);
	assert_int_equal(f->tp->packets_out, 0);
	assert_true(tcp_rtx_queue_empty(f->sk));
	assert_int_equal(f->sk->sk_wmem_queued, 0);
}

static void timeout_marks_everything_lost_and_sends_one_segment(void **state)
{
	struct tcp_fixture *f = *state;

	tcp_fixture_sent(f, 10);
	tcp_fixture_sent(f, 10);
	inet_csk(f->sk)->icsk_rto_us = 300000;
	f->tp->snd_cwnd = f->tp->max_packets_out = 20;
	tcp_retransmit_timer(f->sk);
	tcp_fixture_check_counts(f);
	assert_int_equal(f->tp->lost_out, 20);
	assert_int_equal(f->tp->retrans_out, 1);
	assert_int_equal(f->tp->snd_cwnd, 1);
	assert_int_equal(f->tp->snd_ssthresh, 14);              /* 0.7 of 20: RFC 9438 4.6 */
	assert_int_equal(inet_csk(f->sk)->icsk_rto_us, 600000); /* 5.5 */
	assert_int_equal(inet_csk(f->sk)->icsk_ca_state, TCP_CA_Loss);
	/* Karn: the ACK for it is no sample and does not end the back-off. */
	tcp_fixture_advance(f, 50 * NSEC_PER_MSEC);
	ack_segment(f, TEST_ISN + TEST_MSS);
	assert_int_equal(f->tp->srtt_us, 0);
	assert_int_equal(inet_csk(f->sk)->icsk_rto_us, 600000);
	tcp_fixture_check_counts(f);
	assert_int_equal(f->tp->retrans_out, 2); /* slow start goes on */
}

static void acks_for_the_future_and_the_far_past_are_refused(void **state)
{
	struct tcp_fixture *f = *state;
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64);
	struct tcp_seg seg = {
		.skb = skb, .seq = f->tp->rcv_nxt, .end_seq = f->tp->rcv_nxt, .flags = TCP_FLAG_ACK
	};

	tcp_fixture_sent(f, 2);
	seg.ack = f->tp->snd_nxt + 1;
	assert_int_equal(tcp_ack(f->sk, &seg, true), TCP_ACK_INVALID);
	seg.ack = f->tp->snd_una - 1;
	assert_int_equal(tcp_ack(f->sk, &seg, true), TCP_ACK_OLD);
	seg.ack = f->tp->snd_una - f->tp->max_window - 1;
	assert_int_equal(tcp_ack(f->sk, &seg, true), TCP_ACK_INVALID);
	tcp_fixture_check_counts(f);
	consume_skb(skb);
}

#define WITH_FIXTURE(t) cmocka_unit_test_setup_teardown(t, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(first_sample_sets_srtt_and_half_as_rttvar),
		WITH_FIXTURE(later_samples_follow_the_recursion),
		WITH_FIXTURE(rto_keeps_its_floor_and_ceiling),
		WITH_FIXTURE(many_samples_a_round_trip_do_not_shorten_the_memory),
		WITH_FIXTURE(partial_acks_lower_the_count_without_cutting),
		WITH_FIXTURE(timeout_marks_everything_lost_and_sends_one_segment),
		WITH_FIXTURE(acks_for_the_future_and_the_far_past_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
