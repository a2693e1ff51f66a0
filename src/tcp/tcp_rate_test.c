/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_rate_test.c - delivery rate samples (draft-cheng-iccrg-delivery-rate-estimation) and the chronograph */
#include "tcp/tcp_test.h"

#define MS NSEC_PER_MSEC

/* The sample that an ACK up to @ack makes, seen by a control with cong_control(). */
static struct rate_sample last;

static void keep_sample(struct sock *sk, u32 ack, u32 flag, const struct rate_sample *rs)
{
	last = *rs;
}

static const struct tcp_congestion_ops keeper = {
	.name = "keeper",
	.ssthresh = tcp_reno_ssthresh,
	.cong_avoid = tcp_reno_cong_avoid,
	.undo_cwnd = tcp_reno_undo_cwnd,
	.cong_control = keep_sample,
};

static void ack_segment(struct tcp_fixture *f, u32 segments)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64);
	struct tcp_seg seg = { .skb = skb,
			       .seq = f->tp->rcv_nxt,
			       .end_seq = f->tp->rcv_nxt,
			       .ack = TEST_ISN + segments * TEST_MSS,
			       .window = f->tp->snd_wnd >> f->tp->snd_wscale,
			       .flags = TCP_FLAG_ACK };

	assert_int_equal(tcp_ack(f->sk, &seg, true), TCP_ACK_OK);
	consume_skb(skb);
}

/* One segment each millisecond, each acknowledged 40 ms later: 1000 packets a second, whatever the window. */
static void steady_sending_measures_its_own_rate(void **state)
{
	struct tcp_fixture *f = *state;

	inet_csk(f->sk)->icsk_ca_ops = &keeper;
	f->tp->snd_cwnd = 100;
	for (u32 ms = 0; ms < 200; ms++) {
		tcp_fixture_sent(f, 1);
		if (ms >= 40)
			ack_segment(f, ms - 39);
		if (ms > 100) {
			assert_in_range(last.delivered, 40, 41); /* the ACK before or after it */
			assert_int_equal(last.interval_us, last.delivered * 1000);
			assert_int_equal(last.acked_sacked, 1);
			assert_int_equal(last.rtt_us, 40000);
			assert_false(last.is_app_limited);
		}
		tcp_fixture_advance(f, MS);
	}
	assert_in_range(tcp_delivery_rate(f->tp), 975 * TEST_MSS, 1025 * TEST_MSS);
}

/* Ten segments sent over 9 ms, all acknowledged at one instant: the send interval bounds the sample, or it would be infinite. */
static void compressed_acks_do_not_inflate_the_rate(void **state)
{
	struct tcp_fixture *f = *state;

	inet_csk(f->sk)->icsk_ca_ops = &keeper;
	f->tp->min_rtt_us = 1000;
	tcp_fixture_sent(f, 1);
	tcp_fixture_advance(f, 20 * MS);
	for (u32 i = 0; i < 10; i++) {
		tcp_fixture_sent(f, 1);
		tcp_fixture_advance(f, MS);
	}
	ack_segment(f, 1);
	for (u32 i = 2; i <= 11; i++)
		ack_segment(f, i);
	assert_true(last.interval_us >= 29000);
	assert_int_equal(last.delivered, 11);
}

/* draft 2.2: a sample of a segment that was sent while the program had nothing more to say is a lower bound */
static void a_pause_of_the_program_marks_what_follows(void **state)
{
	struct tcp_fixture *f = *state;

	inet_csk(f->sk)->icsk_ca_ops = &keeper;
	f->tp->snd_cwnd = 100;
	tcp_fixture_sent(f, 5);
	f->sk->sk_wmem_alloc = 0;
	tcp_rate_check_app_limited(f->sk);
	assert_int_equal(f->tp->app_limited, 5);
	tcp_fixture_sent(f, 5);
	tcp_fixture_advance(f, 10 * MS);
	ack_segment(f, 5);
	assert_false(last.is_app_limited); /* these were sent before */
	ack_segment(f, 10);
	assert_true(last.is_app_limited);
	assert_int_equal(f->tp->app_limited, 0); /* the bubble is through */
}

static void a_full_window_is_no_pause(void **state)
{
	struct tcp_fixture *f = *state;

	f->tp->snd_cwnd = 5;
	tcp_fixture_sent(f, 5);
	tcp_rate_check_app_limited(f->sk);
	assert_int_equal(f->tp->app_limited, 0);
}

/* An interval below the least round trip cannot be: the ACK was for the original, the time is of the retransmission. */
static void too_short_an_interval_is_no_sample(void **state)
{
	struct tcp_fixture *f = *state;

	inet_csk(f->sk)->icsk_ca_ops = &keeper;
	f->tp->min_rtt_us = 30000;
	f->tp->min_rtt_stamp = (u8)(tcp_now_s(f->sk) / 4);
	tcp_fixture_sent(f, 1);
	tcp_fixture_advance(f, 10 * MS);
	TCP_SKB_CB(tcp_rtx_queue_head(f->sk))->sacked = TCPCB_EVER_RETRANS; /* no RTT sample */
	ack_segment(f, 1);
	assert_int_equal(last.interval_us, -1);
	assert_int_equal(last.delivered, 1);
}

static void chronograph_adds_up(void **state)
{
	struct tcp_fixture *f = *state;
	u64 rwnd, sndbuf;

	tcp_fixture_sent(f, 1);
	tcp_chrono_start(f->sk, TCP_CHRONO_BUSY);
	tcp_fixture_advance(f, 10 * MS);
	tcp_chrono_start(f->sk, TCP_CHRONO_RWND_LIMITED);
	tcp_fixture_advance(f, 20 * MS);
	tcp_chrono_start(f->sk, TCP_CHRONO_BUSY); /* the more specific one stays */
	tcp_fixture_advance(f, 1 * MS);
	tcp_chrono_stop(f->sk, TCP_CHRONO_RWND_LIMITED);
	tcp_fixture_advance(f, 5 * MS);
	assert_int_equal(tcp_chrono_busy(f->sk, &rwnd, &sndbuf), 36000);
	assert_int_equal(rwnd, 21000);
	assert_int_equal(sndbuf, 0);
	ack_segment(f, 1);
	tcp_fixture_advance(f, 100 * MS);
	assert_int_equal(tcp_chrono_busy(f->sk, &rwnd, &sndbuf), 36000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(steady_sending_measures_its_own_rate),
		T(compressed_acks_do_not_inflate_the_rate),
		T(a_pause_of_the_program_marks_what_follows),
		T(a_full_window_is_no_pause),
		T(too_short_an_interval_is_no_sample),
		T(chronograph_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
