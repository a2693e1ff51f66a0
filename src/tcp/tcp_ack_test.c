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

/* What an ACK may change, but for addresses. */
static void same_state(const struct tcp_fixture *a, const struct tcp_fixture *b)
{
	const struct inet_connection_sock *ia = inet_csk(a->sk), *ib = inet_csk(b->sk);
	const struct tcp_flight *fa = a->tp->flight, *fb = b->tp->flight;

#define SAME(x, y, m) assert_int_equal((x)->m, (y)->m)
	SAME(a->tp, b->tp, snd_una);
	SAME(a->tp, b->tp, snd_wl1);
	SAME(a->tp, b->tp, packets_out);
	SAME(a->tp, b->tp, srtt_us);
	SAME(a->tp, b->tp, rttvar_us);
	SAME(a->tp, b->tp, min_rtt_us);
	SAME(a->tp, b->tp, min_rtt_stamp);
	SAME(a->tp, b->tp, rcv_tstamp);
	SAME(a->tp, b->tp, bytes_acked);
	SAME(a->tp, b->tp, snd_cwnd);
	SAME(a->tp, b->tp, snd_cwnd_cnt);
	SAME(a->tp, b->tp, snd_ssthresh);
	SAME(a->tp, b->tp, delivered);
	SAME(a->tp, b->tp, app_limited);
	SAME(a->tp, b->tp, rate_delivered);
	SAME(a->tp, b->tp, rate_interval_us);
	SAME(a->tp, b->tp, rate_app_limited);
	SAME(a->tp, b->tp, reo_wnd_steps);
	SAME(a->tp, b->tp, rack_dsack_seen);
	SAME(a->tp, b->tp, rack_last_delivered);
	SAME(a->tp, b->tp, chrono_type);
	SAME(a->tp, b->tp, chrono_start);
	SAME(a->sk, b->sk, sk_wmem_queued);
	SAME(a->sk, b->sk, sk_err_soft);
	SAME(ia, ib, icsk_rto_us);
	SAME(ia, ib, icsk_timeout);
	SAME(ia, ib, icsk_pending);
	SAME(ia, ib, icsk_backoff);
	SAME(ia, ib, icsk_retransmits);
	SAME(ia, ib, icsk_probes_out);
	SAME(ia, ib, icsk_ca_state);
	assert_memory_equal(inet_csk_ca(a->sk), inet_csk_ca(b->sk), ICSK_CA_PRIV_SIZE);
	assert_int_equal(fa == &tcp_no_flight, fb == &tcp_no_flight);
	SAME(fa, fb, fack);
	SAME(fa, fb, rexmit_seq);
	SAME(fa, fb, lost_seq);
	SAME(fa, fb, rack_sent_ns);
	SAME(fa, fb, rack_end_seq);
	SAME(fa, fb, rack_rtt_us);
	SAME(fa, fb, rack_advanced);
	SAME(fa, fb, first_tx_us);
	SAME(fa, fb, delivered_us);
#undef SAME
	tcp_fixture_check_counts(a);
	tcp_fixture_check_counts(b);
}

/* Header prediction lets an ACK through: once with the questions that only something unusual answers otherwise, once without. */
static void predicted_ack(struct tcp_fixture *f, u32 ack, bool ask)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64);
	struct tcp_seg seg;

	*(struct tcp_hdr *)skb_put(skb, sizeof(struct tcp_hdr)) = (struct tcp_hdr){
		.window = cpu_to_be16((u16)(f->tp->snd_wnd >> f->tp->snd_wscale)),
	};
	skb_reset_transport_header(skb);
	__skb_pull(skb, sizeof(struct tcp_hdr));
	TCP_SKB_CB(skb)->seq = TCP_SKB_CB(skb)->end_seq = f->tp->rcv_nxt;
	TCP_SKB_CB(skb)->ack_seq = ack;
	TCP_SKB_CB(skb)->tcp_flags = TCP_FLAG_ACK;
	if (ask) {
		/* Something unusual that concerns none of this: a probe for a larger MTU, far from here. */
		if (f->tp->flight != &tcp_no_flight) {
			f->tp->flight->mtu_probe_size = 1;
			f->tp->flight->mtu_probe_end = f->tp->snd_nxt + (1 << 24);
		}
		tcp_seg_init(&seg, skb);
		assert_int_equal(tcp_ack(f->sk, &seg, false), TCP_ACK_OK);
		if (f->tp->flight != &tcp_no_flight)
			f->tp->flight->mtu_probe_size = 0;
	} else {
		tcp_ack_predicted(f->sk, skb, 0);
	}
	consume_skb(skb);
}

static void what_is_not_asked_would_have_changed_nothing(void **state)
{
	void *other;
	struct tcp_fixture *f[2] = { *state };
	u64 seed = 1;

	tcp_fixture_setup(&other);
	f[1] = other;
	f[0]->tp->snd_wnd = f[1]->tp->snd_wnd = 60000u << f[0]->tp->snd_wscale;
	for (u32 i = 0; i < 20000; i++) {
		u32 units = tcp_fixture_random(&seed, 4), segs[4], acked, what;
		u64 ns = tcp_fixture_random(&seed, 1000) * 37 * NSEC_PER_USEC;

		what = tcp_fixture_random(&seed, 100);
		for (u32 u = 0; u < units; u++)
			segs[u] = 1 + tcp_fixture_random(&seed, 5);
		acked = tcp_fixture_random(&seed, 12) * TEST_MSS + tcp_fixture_random(&seed, 2) * 9;
		for (u32 k = 0; k < 2; k++) {
			struct tcp_sock *tp = f[k]->tp;
			u32 in_flight;

			for (u32 u = 0; u < units; u++) {
				if (what < 5)
					tcp_rate_check_app_limited(f[k]->sk);
				tcp_chrono_start(f[k]->sk, TCP_CHRONO_BUSY);
				tcp_fixture_sent(f[k], segs[u]);
			}
			in_flight = tp->snd_nxt - tp->snd_una;
			tp->max_packets_out = tp->packets_out;
			tp->is_cwnd_limited = what % 2;
			if (what == 7) /* there was a loss some time ago */
				tp->snd_ssthresh = tp->snd_cwnd;
			if (what == 8)
				tp->rack_dsack_seen = 1;
			if (what == 9)
				tp->snd_cwnd = 10;
			/* Something unusual: tcp_ack_predicted() asks, too. */
			if (what == 10 && tp->packets_out)
				assert_int_equal(__tcp_retransmit_skb(
							 f[k]->sk, tcp_rtx_queue_tail(f[k]->sk), 1),
						 0);
			tcp_fixture_advance(f[k], ns);
			predicted_ack(f[k],
				      tp->snd_una + (what < 40 ? in_flight : min(acked, in_flight)),
				      k);
		}
		same_state(f[0], f[1]);
	}
	assert_true(f[0]->tp->delivered > 20000);
	tcp_fixture_teardown(&other);
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
		WITH_FIXTURE(what_is_not_asked_would_have_changed_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
