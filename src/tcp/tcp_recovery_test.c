/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_recovery_test.c - losses by time (RFC 8985), probes, spurious timeouts (RFC 5682), undo, PRR (RFC 9937), DSACK (RFC 2883) */
#include "tcp/tcp_test.h"

#include "tcp/tcp_ack.h"

#define MS NSEC_PER_MSEC

static u32 seq_of(u32 segment)
{
	return TEST_ISN + segment * TEST_MSS;
}

/* An ACK up to @ack segments, with @n SACK blocks in segments. @tsecr: 0: no timestamp */
static void ack_sack(struct tcp_fixture *f, u32 ack, u32 n, const u32 blocks[][2], u32 tsecr)
{
	struct sk_buff *skb = alloc_skb(f->sk->sk_cpu, 64);
	struct tcp_seg seg = { .skb = skb,
			       .seq = f->tp->rcv_nxt,
			       .end_seq = f->tp->rcv_nxt,
			       .ack = seq_of(ack),
			       .window = f->tp->snd_wnd >> f->tp->snd_wscale,
			       .flags = TCP_FLAG_ACK,
			       .opts_parsed = true,
			       .saw_tstamp = tsecr != 0,
			       .tsecr = tsecr };

	seg.opts.num_sacks = (u8)n;
	for (u32 i = 0; i < n; i++)
		seg.opts.sacks[i] =
			(struct tcp_sack_block){ seq_of(blocks[i][0]), seq_of(blocks[i][1]) };
	tcp_ack(f->sk, &seg, true);
	tcp_fixture_check_counts(f);
	consume_skb(skb);
}
#define ACK(f, a)        ack_sack(f, a, 0, NULL, 0)
#define SACK(f, a, s, e) ack_sack(f, a, 1, (const u32[][2]){ { s, e } }, 0)

static u64 stat(const struct tcp_fixture *f, enum mib_counter c)
{
	return f->net->mib[c];
}

static u8 state_of(const struct tcp_fixture *f)
{
	return inet_csk(f->sk)->icsk_ca_state;
}

/* Ten segments, one a millisecond; round trip 100 ms. */
static void ten_sent(struct tcp_fixture *f)
{
	f->tp->snd_cwnd = 20;
	f->tp->srtt_us = 100000 << 3;
	f->tp->rttvar_us = 40000;
	f->tp->min_rtt_us = 100000;
	f->tp->min_rtt_stamp = (u8)(tcp_now_s(f->sk) / 4);
	tcp_set_rto(f->sk);
	for (u32 i = 0; i < 10; i++) {
		tcp_fixture_sent(f, 1);
		tcp_fixture_advance(f, MS);
	}
	tcp_rearm_rto(f->sk);
	tcp_fixture_advance(f, 90 * MS); /* the ACK of the first is due now */
}

/* RFC 8985 6.2: without reordering seen three SACKed segments still mean loss at once */
static void three_sacks_above_a_hole_start_recovery_at_once(void **state)
{
	struct tcp_fixture *f = *state;

	ten_sent(f);
	tcp_fixture_advance(f, MS);
	SACK(f, 0, 1, 2);
	tcp_fixture_advance(f, MS);
	SACK(f, 0, 1, 3);
	assert_int_equal(state_of(f), TCP_CA_Disorder);
	assert_int_equal(f->tp->lost_out, 0);
	tcp_fixture_advance(f, MS);
	SACK(f, 0, 1, 4);
	assert_int_equal(state_of(f), TCP_CA_Recovery);
	assert_int_equal(f->tp->lost_out, 1);
	assert_int_equal(f->tp->retrans_out, 1);
}

/* RFC 8985 6.2 step 5: fewer than three, but the time for reordering passes: the timer marks it */
static void one_sack_and_a_quarter_of_the_round_trip_are_enough(void **state)
{
	struct tcp_fixture *f = *state;

	ten_sent(f);
	tcp_fixture_advance(f, MS);
	SACK(f, 0, 1, 2);
	assert_int_equal(inet_csk(f->sk)->icsk_pending, ICSK_TIME_REO_TIMEOUT);
	assert_in_range(inet_csk(f->sk)->icsk_timeout - tcp_now_ns(f->sk), 24 * MS, 28 * MS);
	tcp_fixture_advance(f, 28 * MS);
	tcp_rack_reo_timeout(f->sk);
	assert_int_equal(state_of(f), TCP_CA_Recovery);
	assert_int_equal(f->tp->retrans_out, 1);
	assert_int_equal(inet_csk(f->sk)->icsk_pending, ICSK_TIME_RETRANS);
}

/* RFC 8985 6.2 step 5: a retransmission that was sent before one that has arrived is lost, too: no timeout */
static void a_lost_retransmission_is_found(void **state)
{
	struct tcp_fixture *f = *state;

	ten_sent(f);
	tcp_fixture_advance(f, 10 * MS);
	SACK(f, 0, 2, 10); /* 0 and 1 are sent again */
	assert_int_equal(f->tp->retrans_out, 2);
	tcp_fixture_advance(f, 150 * MS);
	/* The second one arrives, the first does not. */
	SACK(f, 0, 1, 10);
	assert_int_equal(stat(f, MIB_TcpExt_TCPLostRetransmit), 1);
	assert_int_equal(f->tp->retrans_out, 1); /* sent a third time */
	assert_int_equal(state_of(f), TCP_CA_Recovery);
}

/* RFC 8985 6.2 step 4: each round trip with a DSACK makes the window one step larger, if there is reordering at all */
static void dsacks_enlarge_the_reordering_window(void **state)
{
	struct tcp_fixture *f = *state;
	struct rate_sample rs = { .valid = true, .prior_delivered = 5 };

	f->tp->delivered = 10;
	f->tp->rack_dsack_seen = 1;
	tcp_rack_update_reo_wnd(f->sk, &rs);
	assert_int_equal(f->tp->reo_wnd_steps, 2);
	f->tp->rack_dsack_seen = 1; /* of the same round trip */
	tcp_rack_update_reo_wnd(f->sk, &rs);
	assert_int_equal(f->tp->reo_wnd_steps, 2);
	f->tp->rack_dsack_seen = 1;
	rs.prior_delivered = 10;
	tcp_rack_update_reo_wnd(f->sk, &rs);
	assert_int_equal(f->tp->reo_wnd_steps, 3);
	f->tp->reo_wnd_persist = 0; /* sixteen recoveries later */
	tcp_rack_update_reo_wnd(f->sk, &rs);
	assert_int_equal(f->tp->reo_wnd_steps, 1);
}

/* RFC 8985 7.3: after two round trips the last segment again; 7.4: no DSACK comes: it repaired a loss, which costs the window */
static void a_probe_that_repairs_a_loss_counts_as_one(void **state)
{
	struct tcp_fixture *f = *state;
	u32 cwnd;

	ten_sent(f);
	ACK(f, 9);
	assert_int_equal(inet_csk(f->sk)->icsk_pending, ICSK_TIME_LOSS_PROBE);
	f->sk->sk_wmem_alloc = 0;
	cwnd = f->tp->snd_cwnd;
	tcp_fixture_advance(f, 400 * MS);
	inet_csk(f->sk)->icsk_timeout = 0;
	tcp_send_loss_probe(f->sk);
	assert_int_equal(stat(f, MIB_TcpExt_TCPLossProbes), 1);
	assert_int_equal(f->tp->flight->tlp_high_seq, seq_of(10));
	assert_int_equal(inet_csk(f->sk)->icsk_pending, ICSK_TIME_RETRANS);
	tcp_fixture_sent(f, 2); /* goes on */
	tcp_fixture_advance(f, 100 * MS);
	ACK(f, 10);
	assert_int_equal(f->tp->snd_cwnd >= cwnd, 1); /* a DSACK may still come */
	tcp_fixture_advance(f, 100 * MS);
	ACK(f, 11);
	assert_int_equal(stat(f, MIB_TcpExt_TCPLossProbeRecovery), 1);
	assert_true(f->tp->snd_cwnd < cwnd);
	assert_int_equal(f->tp->flight->tlp_high_seq, 0);
}

/* RFC 8985 7.4.2: the DSACK says that both copies have arrived: no loss */
static void a_needless_probe_costs_nothing(void **state)
{
	struct tcp_fixture *f = *state;
	u32 cwnd;

	ten_sent(f);
	ACK(f, 9);
	cwnd = f->tp->snd_cwnd;
	f->sk->sk_wmem_alloc = 0;
	inet_csk(f->sk)->icsk_timeout = 0;
	tcp_send_loss_probe(f->sk);
	tcp_fixture_advance(f, 50 * MS);
	SACK(f, 10, 9, 10);
	assert_int_equal(stat(f, MIB_TcpExt_TCPLossProbeRecovery), 0);
	assert_true(f->tp->snd_cwnd >= cwnd);
	assert_ptr_equal(f->tp->flight, &tcp_no_flight);
}

/* RFC 5682 3.1: the timeout was spurious: the next ACK advances, new data goes out, and its ACK covers what was never sent again */
static void frto_takes_back_a_spurious_timeout(void **state)
{
	struct tcp_fixture *f = *state;
	u32 cwnd;

	ten_sent(f);
	cwnd = f->tp->snd_cwnd;
	tcp_fixture_advance(f, 500 * MS);
	tcp_retransmit_timer(f->sk);
	assert_int_equal(state_of(f), TCP_CA_Loss);
	assert_int_equal(f->tp->frto, 1);
	assert_true(f->tp->snd_cwnd < cwnd);
	tcp_fixture_advance(f, 10 * MS);
	ACK(f, 2); /* the original of 1 arrives, too */
	assert_int_equal(stat(f, MIB_TcpExt_TCPSpuriousRTOs), 1);
	assert_int_equal(state_of(f), TCP_CA_Open);
	assert_true(f->tp->snd_cwnd >= cwnd);
	assert_int_equal(f->tp->lost_out, 0);
	/* RACK knows them again. */
	assert_ptr_equal(f->tp->flight->tsorted.next,
			 &TCP_SKB_CB(tcp_rtx_queue_head(f->sk))->tsorted);
}

/* 3a: a duplicate ACK after the new data: the timeout was real */
static void frto_leaves_a_real_timeout_alone(void **state)
{
	struct tcp_fixture *f = *state;

	ten_sent(f);
	tcp_fixture_advance(f, 500 * MS);
	tcp_retransmit_timer(f->sk);
	tcp_fixture_advance(f, 100 * MS);
	ACK(f, 1);                        /* the retransmission */
	assert_int_equal(f->tp->frto, 0); /* nothing new to send: conventional recovery */
	assert_int_equal(state_of(f), TCP_CA_Loss);
	assert_int_equal(stat(f, MIB_TcpExt_TCPSpuriousRTOs), 0);
	assert_true(f->tp->retrans_out > 0);
}

/* RFC 3522, 4015: the echo is of the original: fast retransmit was wrong */
static void an_old_echo_undoes_recovery(void **state)
{
	struct tcp_fixture *f = *state;
	u32 tsval = tcp_tsval(f->sk), cwnd;

	ten_sent(f);
	cwnd = f->tp->snd_cwnd;
	tcp_fixture_advance(f, 4 * MS);
	SACK(f, 0, 1, 4);
	assert_int_equal(state_of(f), TCP_CA_Recovery);
	tcp_fixture_advance(f, 2 * MS);
	ack_sack(f, 10, 0, NULL, tsval);
	assert_int_equal(stat(f, MIB_TcpExt_TCPFullUndo), 1);
	assert_int_equal(state_of(f), TCP_CA_Open);
	assert_true(f->tp->snd_cwnd >= cwnd);
}

/* RFC 2883 5: every retransmission was reported as duplicate, even after the recovery was over */
static void dsacks_for_all_retransmissions_undo_recovery(void **state)
{
	struct tcp_fixture *f = *state;
	u32 cwnd;

	ten_sent(f);
	cwnd = f->tp->snd_cwnd;
	tcp_fixture_advance(f, 4 * MS);
	SACK(f, 0, 1, 4);
	assert_int_equal(f->tp->flight->undo_retrans, 1);
	tcp_fixture_sent(f, 1);
	tcp_fixture_advance(f, 20 * MS);
	SACK(f, 10, 0, 0); /* empty block: nothing */
	assert_true(f->tp->snd_cwnd < cwnd);
	tcp_fixture_advance(f, 80 * MS);
	SACK(f, 10, 0, 1);
	assert_int_equal(stat(f, MIB_TcpExt_TCPDSACKUndo), 1);
	assert_true(f->tp->snd_cwnd >= cwnd);
	assert_int_equal(f->tp->dsack_dups, 1);
}

/* More duplicates than we have sent again are not our doing. */
static void dsacks_beyond_our_retransmissions_are_ignored(void **state)
{
	struct tcp_fixture *f = *state;

	ten_sent(f);
	SACK(f, 2, 0, 1);
	assert_int_equal(stat(f, MIB_TcpExt_TCPDSACKIgnoredDubious), 1);
	assert_int_equal(f->tp->rack_dsack_seen, 0);
}

/* RFC 2018 8: the peer takes back what it had reported; after a moment it is all sent again */
static void reneging_ends_in_a_timeout_that_forgets(void **state)
{
	struct tcp_fixture *f = *state;

	ten_sent(f);
	SACK(f, 0, 1, 2);
	ACK(f, 1); /* 1 was SACKed, and is not acknowledged */
	assert_int_equal(inet_csk(f->sk)->icsk_pending, ICSK_TIME_RETRANS);
	assert_in_range(inet_csk(f->sk)->icsk_timeout - tcp_now_ns(f->sk), 10 * MS, 60 * MS);
	tcp_retransmit_timer(f->sk);
	assert_int_equal(stat(f, MIB_TcpExt_TCPSACKReneging), 1);
	assert_int_equal(f->tp->sacked_out, 0);
	tcp_fixture_check_counts(f);
}

/* RFC 9937: after a burst of losses, below ssthresh, an ACK that brings no bad news lets one more out than was delivered */
static void prr_grows_only_on_good_news(void **state)
{
	struct tcp_fixture *f = *state;

	tcp_fixture_sent(f, 10);
	f->tp->snd_cwnd = 20;
	tcp_init_cwnd_reduction(f->sk);
	f->tp->snd_ssthresh = 14;
	f->tp->flight->prr_out = 1;
	f->tp->packets_out = 5;
	tcp_cwnd_reduction(f->sk, 1, 0, FLAG_SND_UNA_ADVANCED);
	assert_int_equal(f->tp->snd_cwnd, 5 + 2);
	f->tp->flight->prr_out = f->tp->flight->prr_delivered;
	tcp_cwnd_reduction(f->sk, 1, 3, FLAG_SND_UNA_ADVANCED);
	assert_int_equal(f->tp->snd_cwnd, 5 + 1);
	f->tp->packets_out = 18; /* above: ssthresh / prior_cwnd of what is delivered */
	f->tp->flight->prr_delivered = f->tp->flight->prr_out = 0;
	f->tp->flight->prr_out = 7;
	f->tp->flight->prr_delivered = 9;
	tcp_cwnd_reduction(f->sk, 1, 0, FLAG_SND_UNA_ADVANCED);
	assert_int_equal(f->tp->snd_cwnd, 18);
	f->tp->packets_out = 10;
}

/* Thin streams: no doubling for the first six timeouts. */
static void thin_streams_wait_linearly(void **state)
{
	struct tcp_fixture *f = *state;
	u32 rto;

	tcp_fixture_sent(f, 1);
	f->tp->snd_ssthresh = 10;
	f->tp->srtt_us = 100000 << 3;
	f->tp->rttvar_us = 200000;
	tcp_set_rto(f->sk);
	rto = inet_csk(f->sk)->icsk_rto_us;
	f->net->tcp->thin_linear_timeouts = 1;
	for (int i = 0; i < 6; i++) {
		tcp_fixture_advance(f, rto * NSEC_PER_USEC);
		tcp_retransmit_timer(f->sk);
		assert_int_equal(inet_csk(f->sk)->icsk_rto_us, rto);
	}
	tcp_retransmit_timer(f->sk);
	assert_int_equal(inet_csk(f->sk)->icsk_rto_us, 2 * rto);
}

static void queue_octets(struct tcp_fixture *f, u32 octets)
{
	struct sk_buff *skb = tcp_stream_alloc_skb(f->sk);
	static const u8 zeroes[64 * TEST_MSS];
	struct iovec iov = { (void *)(uintptr_t)zeroes, octets };
	struct iov_iter it;

	assert_non_null(skb);
	tcp_skb_entail(f->sk, skb);
	iov_iter_init(&it, &iov, 1, iov.iov_len);
	assert_int_equal(skb_append_iter(skb, &it, octets, false), octets);
	f->sk->sk_wmem_queued += octets;
	f->tp->write_seq += octets;
	TCP_SKB_CB(skb)->end_seq += octets;
}

/* net.ipv4.tcp_retrans_collapse */
static void small_segments_are_sent_again_as_one(void **state)
{
	struct tcp_fixture *f = *state;

	f->sk->sk_sndbuf = 1 << 20;
	for (int i = 0; i < 12; i++) {
		queue_octets(f, 100);
		tcp_write_xmit(f->sk, TEST_MSS, TCP_NAGLE_OFF, 0);
	}
	assert_int_equal(f->tp->packets_out, 10); /* the window is full */
	inet_csk(f->sk)->icsk_rto_us = 300000;
	tcp_fixture_advance(f, 300 * MS);
	tcp_retransmit_timer(f->sk);
	tcp_fixture_check_counts(f);
	assert_int_equal(f->tp->packets_out, 1);
	assert_int_equal(f->tp->lost_out, 1);
	assert_int_equal(f->tp->retrans_out, 1);
	assert_int_equal(tcp_rtx_queue_head(f->sk)->len, 1000);
	tcp_write_queue_purge(f->sk);
	assert_int_equal(f->sk->sk_wmem_queued, 0);
}

static void a_record_boundary_is_kept_when_sent_again(void **state)
{
	struct tcp_fixture *f = *state;

	f->sk->sk_sndbuf = 1 << 20;
	for (int i = 0; i < 4; i++) {
		queue_octets(f, 100);
		TCP_SKB_CB(tcp_write_queue_tail(f->sk))->eor = i == 1; /* MSG_EOR */
		tcp_write_xmit(f->sk, TEST_MSS, TCP_NAGLE_OFF, 0);
	}
	inet_csk(f->sk)->icsk_rto_us = 300000;
	tcp_retransmit_timer(f->sk);
	assert_int_equal(tcp_rtx_queue_head(f->sk)->len, 200);
	assert_int_equal(f->tp->packets_out, 3);
	tcp_fixture_check_counts(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(three_sacks_above_a_hole_start_recovery_at_once),
		T(one_sack_and_a_quarter_of_the_round_trip_are_enough),
		T(a_lost_retransmission_is_found),
		T(dsacks_enlarge_the_reordering_window),
		T(a_probe_that_repairs_a_loss_counts_as_one),
		T(a_needless_probe_costs_nothing),
		T(frto_takes_back_a_spurious_timeout),
		T(frto_leaves_a_real_timeout_alone),
		T(an_old_echo_undoes_recovery),
		T(dsacks_for_all_retransmissions_undo_recovery),
		T(dsacks_beyond_our_retransmissions_are_ignored),
		T(reneging_ends_in_a_timeout_that_forgets),
		T(prr_grows_only_on_good_news),
		T(thin_streams_wait_linearly),
		T(small_segments_are_sent_again_as_one),
		T(a_record_boundary_is_kept_when_sent_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
