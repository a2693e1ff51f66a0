/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr.c - BBR, version 1: a model of the path instead of a reaction to its losses
 *
 * Theory of operation
 *   The path is two numbers: its bottleneck's bandwidth, the largest delivery rate of the last ten round trips, and its propagation
 *   delay, the least round trip of the last ten seconds. Data leaves at the bandwidth (times pacing_gain), and at most cwnd_gain times
 *   their product is in flight. As both cannot be seen at once, the gain moves through states:
 *     STARTUP    2/ln 2: the rate doubles every round trip, until three rounds in a row bring less than a quarter more
 *     DRAIN      its inverse: what STARTUP queued leaves, until no more than the product is in flight
 *     PROBE_BW   eight phases of a round trip: 5/4 to see whether there is more, 3/4 to take back the queue, six of 1
 *     PROBE_RTT  when ten seconds have brought no lower round trip: four packets for 200 ms, to see it without a queue of ours
 *   Losses do not change the model. In the first round of a recovery no more is sent than arrives (packet conservation).
 *   ACKs that come in lumps would let the pipe run dry: what arrived beyond the model's expectation, its maximum over five to ten round
 *   trips, is added to the window.
 * State: struct bbr, allocated with the first use (tcp_ca_state()); times in us of the connection's clock. Bandwidth is in packets per us, shifted
 * by BW_SCALE: from 700 bit/s to 17 Tbit/s at 1,500 octets.
 * See draft-cardwell-iccrg-bbr-congestion-control-00 and Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14(5), 2016; section
 * numbers below are the draft's. Version 3: bbr3.c.
 */
#include "lib/win_filter.h"
#include "tcp/cong/bbr.h"
#include "tcp/tcp.h"

#define CYCLE_LEN          8u
#define BW_ROUNDS          10u /* of the bandwidth filter (4.1.1.2) */
#define FULL_BW_ROUNDS     3u  /* 4.3.2.2 */
#define MIN_CWND           4u
#define MIN_RTT_WINDOW_US  (10u * 1000 * 1000)
#define PROBE_RTT_US       200000u
#define EXTRA_ACKED_ROUNDS 5u
#define EXTRA_ACKED_MAX_US 100000u

/* Gains, in 1/GAIN_ONE. */
#define HIGH_GAIN  (GAIN_ONE * 2885 / 1000 + 1) /* 2/ln 2 (4.3.2.1) */
#define DRAIN_GAIN (GAIN_ONE * 1000 / 2885)
#define CWND_GAIN  (GAIN_ONE * 2)

static const u16 cycle_gain[CYCLE_LEN] = { GAIN_ONE * 5 / 4, GAIN_ONE * 3 / 4, GAIN_ONE, GAIN_ONE,
					   GAIN_ONE,         GAIN_ONE,         GAIN_ONE, GAIN_ONE };

enum bbr_mode { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };

struct bbr {
	struct win_filter bw; /* time: rounds */
	u32 round_count, next_round_delivered;
	u32 min_rtt_us; /* UINT32_MAX: none yet */
	u32 min_rtt_stamp, cycle_stamp;
	u32 full_bw;
	u16 pacing_gain, cwnd_gain;
	u8 mode, prior_ca_state, cycle_index, full_bw_count;
	bool round_start, packet_conservation, idle_restart, filled_pipe, has_seen_rtt;
	struct bbr_probe_rtt probe_rtt;
	struct bbr_aggregation aggregation;
};

static struct bbr *bbr_of(const struct sock *sk)
{
	return tcp_ca_state(sk);
}

static u32 bbr_bw(const struct bbr *b)
{
	return win_filter_get(&b->bw);
}

/* ---- what follows from the model ------------------------------------------------------------------------ */

u64 bbr_rate(const struct sock *sk, u32 bw, u32 gain)
{
	u64 rate = (u64)bw * tcp_sk(sk)->mss_cache;

	rate = (rate * gain) / GAIN_ONE;
	rate = (rate * 10000) >> BW_SCALE; /* 1e6 us in a second, by 100 for the per cent below */
	return rate * (100 - PACING_MARGIN);
}

/* At the rate at which the window would leave in a round trip, before the first sample (4.2.1). */
void bbr_init_pacing_rate(struct sock *sk, u32 gain, bool *has_seen_rtt)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 rtt_us = 1000;

	if (tp->srtt_us) {
		rtt_us = max(tp->srtt_us >> 3, 1u);
		*has_seen_rtt = true;
	}
	tcp_set_pacing_rate(
		sk,
		bbr_rate(sk, (u32)min(((u64)tp->snd_cwnd << BW_SCALE) / rtt_us, (u64)UINT32_MAX),
			 gain));
}

static void set_pacing_rate(struct sock *sk, struct bbr *b, u32 gain)
{
	u64 rate = bbr_rate(sk, bbr_bw(b), gain);

	if (unlikely(!b->has_seen_rtt && tcp_sk(sk)->srtt_us))
		bbr_init_pacing_rate(sk, HIGH_GAIN, &b->has_seen_rtt);
	/* While the pipe fills, a sample that is too low must not slow it down. */
	if (b->filled_pipe || rate > tcp_pacing_rate(sk))
		tcp_set_pacing_rate(sk, rate);
}

u32 bbr_bdp(const struct sock *sk, u32 bw, u32 min_rtt_us, u32 gain)
{
	u64 w;

	if (min_rtt_us == UINT32_MAX) /* nothing is known yet: the initial window */
		return tcp_init_cwnd(sk, sk->sk_dst_cache);
	w = (u64)bw * min_rtt_us;
	return (u32)min(((w * gain / GAIN_ONE) + (1u << BW_SCALE) - 1) >> BW_SCALE,
			(u64)UINT32_MAX >> 2);
}

/* Room for units of segmentation that wait at both ends, and for an ACK of two segments (4.2.3.2). */
u32 bbr_quantization(const struct sock *sk, u32 cwnd)
{
	cwnd += 3 * tcp_tso_segs(sk, tcp_sk(sk)->mss_cache);
	return (cwnd + 1) & ~1u;
}

static u32 inflight(const struct sock *sk, const struct bbr *b, u32 gain)
{
	u32 w = bbr_quantization(sk, bbr_bdp(sk, bbr_bw(b), b->min_rtt_us, gain));

	/* The phase that probes must have more in flight even where the product is tiny. */
	return b->mode == PROBE_BW && b->cycle_index == 0 ? w + 2 : w;
}

/* ---- ACK aggregation --------------------------------------------------------------------------------------- */

void bbr_aggregation_update(const struct sock *sk, struct bbr_aggregation *a,
			    const struct rate_sample *rs, u32 bw, bool round_start, u8 rounds)
{
	u32 now = tcp_now_us(sk), expected, extra;

	if (!rs->acked_sacked || rs->delivered < 0 || rs->interval_us <= 0)
		return;
	if (round_start && ++a->rounds >= rounds) {
		a->rounds = 0;
		a->index ^= 1;
		a->extra_acked[a->index] = 0;
	}
	expected = (u32)min((u64)bw * (u32)(now - a->epoch) >> BW_SCALE, (u64)UINT32_MAX >> 2);
	if (a->epoch_acked <= expected || a->epoch_acked > 0xfffff) {
		bbr_aggregation_restart(sk, a);
		expected = 0;
	}
	a->epoch_acked += rs->acked_sacked;
	extra = min(a->epoch_acked - expected, tcp_sk(sk)->snd_cwnd);
	a->extra_acked[a->index] = max(a->extra_acked[a->index], extra);
}

u32 bbr_aggregation_extra(const struct bbr_aggregation *a, u32 bw)
{
	u32 most = (u32)min((u64)bw * EXTRA_ACKED_MAX_US >> BW_SCALE, (u64)UINT32_MAX >> 2);

	return min(max(a->extra_acked[0], a->extra_acked[1]), most);
}

u32 bbr_fill_info(const struct sock *sk, u32 bw, u32 min_rtt_us, u32 pacing_gain, u32 cwnd_gain,
		  union tcp_cc_info *info, u16 *ret_attr)
{
	u64 rate = bbr_rate(sk, bw, GAIN_ONE);

	memset(&info->bbr, 0, sizeof(info->bbr));
	info->bbr.bbr_bw_lo = (u32)rate;
	info->bbr.bbr_bw_hi = (u32)(rate >> 32);
	info->bbr.bbr_min_rtt = min_rtt_us;
	info->bbr.bbr_pacing_gain = pacing_gain;
	info->bbr.bbr_cwnd_gain = cwnd_gain;
	*ret_attr = INET_DIAG_BBRINFO;
	return sizeof(info->bbr);
}

/* ---- the window ------------------------------------------------------------------------------------------ */

void bbr_save_cwnd(const struct sock *sk, struct bbr_probe_rtt *p, bool normal)
{
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	p->prior_cwnd = normal ? cwnd : max(p->prior_cwnd, cwnd);
}

static void save_cwnd(const struct sock *sk, struct bbr *b)
{
	bbr_save_cwnd(sk, &b->probe_rtt,
		      b->prior_ca_state < TCP_CA_Recovery && b->mode != PROBE_RTT);
}

/* 4.2.3.4. True: the window is set. */
static bool conserve_packets(struct sock *sk, struct bbr *b, const struct rate_sample *rs,
			     u32 *cwnd)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 prior = b->prior_ca_state, state = inet_csk(sk)->icsk_ca_state;

	if (rs->losses)
		*cwnd = *cwnd > rs->losses ? *cwnd - rs->losses : 1;
	if (state == TCP_CA_Recovery && prior != TCP_CA_Recovery) {
		b->packet_conservation = true;
		b->next_round_delivered = tp->delivered;
		*cwnd = tcp_packets_in_flight(tp) + rs->acked_sacked;
	} else if (prior >= TCP_CA_Recovery && state < TCP_CA_Recovery) {
		*cwnd = max(*cwnd, b->probe_rtt.prior_cwnd);
		b->packet_conservation = false;
	}
	b->prior_ca_state = state;
	if (b->packet_conservation)
		*cwnd = max(*cwnd, tcp_packets_in_flight(tp) + rs->acked_sacked);
	return b->packet_conservation;
}

static void set_cwnd(struct sock *sk, struct bbr *b, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd = tp->snd_cwnd, target;

	if (rs->acked_sacked && !conserve_packets(sk, b, rs, &cwnd)) {
		target = bbr_bdp(sk, bbr_bw(b), b->min_rtt_us, b->cwnd_gain);
		if (b->filled_pipe)
			target += bbr_aggregation_extra(&b->aggregation, bbr_bw(b));
		target = bbr_quantization(sk, target);
		if (b->filled_pipe)
			cwnd = min(cwnd + rs->acked_sacked, target);
		else if (cwnd < target || tp->delivered < tcp_init_cwnd(sk, sk->sk_dst_cache))
			cwnd += rs->acked_sacked;
		cwnd = max(cwnd, MIN_CWND);
	}
	tp->snd_cwnd = b->mode == PROBE_RTT ? min(cwnd, MIN_CWND) : cwnd;
}

/* ---- the model ------------------------------------------------------------------------------------------- */

static void update_bw(struct sock *sk, struct bbr *b, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u64 bw;

	b->round_start = false;
	if (rs->delivered < 0 || rs->interval_us <= 0)
		return;
	if (!before(rs->prior_delivered, b->next_round_delivered)) {
		b->next_round_delivered = tp->delivered;
		b->round_count++;
		b->round_start = true;
		b->packet_conservation = false;
	}
	bw = ((u64)rs->delivered << BW_SCALE) / (u64)rs->interval_us;
	bw = min(bw, (u64)UINT32_MAX);
	/* A program that sends too little says nothing about the path, unless it sent more than was thought possible. */
	if (!rs->is_app_limited || bw >= bbr_bw(b))
		win_filter_max(&b->bw, BW_ROUNDS, b->round_count, (u32)bw);
}

static void enter_startup(struct bbr *b)
{
	b->mode = STARTUP;
	b->pacing_gain = b->cwnd_gain = HIGH_GAIN;
}

/* 4.3.4.1: a random phase first, so that flows do not probe in step; but not the one that drains what none has filled. */
static void enter_probe_bw(struct sock *sk, struct bbr *b)
{
	b->mode = PROBE_BW;
	b->cwnd_gain = CWND_GAIN;
	b->cycle_index = (u8)(cpu_random(sk->sk_cpu) % (CYCLE_LEN - 1));
	b->cycle_index = b->cycle_index ? b->cycle_index + 1 : 0;
	b->cycle_stamp = tcp_now_us(sk);
	b->pacing_gain = cycle_gain[b->cycle_index];
}

/* 4.3.4.2 */
static bool next_phase(const struct sock *sk, const struct bbr *b, const struct rate_sample *rs)
{
	bool full = bbr_elapsed(sk, b->cycle_stamp, b->min_rtt_us);

	if (b->pacing_gain == GAIN_ONE)
		return full;
	if (b->pacing_gain > GAIN_ONE)
		return full &&
		       (rs->losses || rs->prior_in_flight >= inflight(sk, b, b->pacing_gain));
	return full || rs->prior_in_flight <= inflight(sk, b, GAIN_ONE);
}

static void update_phase(struct sock *sk, struct bbr *b, const struct rate_sample *rs)
{
	if (b->mode != PROBE_BW || !next_phase(sk, b, rs))
		return;
	b->cycle_index = (b->cycle_index + 1) % CYCLE_LEN;
	b->cycle_stamp = tcp_now_us(sk);
	b->pacing_gain = cycle_gain[b->cycle_index];
}

/* 4.3.2.2, 4.3.3 */
static void check_full_pipe(struct sock *sk, struct bbr *b, const struct rate_sample *rs)
{
	if (!b->filled_pipe && b->round_start && !rs->is_app_limited) {
		if (bbr_bw(b) >= (u32)min((u64)b->full_bw * 5 / 4, (u64)UINT32_MAX)) {
			b->full_bw = bbr_bw(b);
			b->full_bw_count = 0;
		} else if (++b->full_bw_count >= FULL_BW_ROUNDS) {
			b->filled_pipe = true;
		}
	}
	if (b->mode == STARTUP && b->filled_pipe) {
		b->mode = DRAIN;
		b->pacing_gain = DRAIN_GAIN;
		b->cwnd_gain = HIGH_GAIN;
		tcp_sk(sk)->snd_ssthresh = inflight(sk, b, GAIN_ONE); /* for those who look at it */
	}
	if (b->mode == DRAIN && tcp_packets_in_flight(tcp_sk(sk)) <= inflight(sk, b, GAIN_ONE))
		enter_probe_bw(sk, b);
}

bool bbr_probe_rtt_elapsed(const struct sock *sk, const struct bbr_probe_rtt *p)
{
	return p->timed && bbr_elapsed(sk, p->since, PROBE_RTT_US);
}

bool bbr_probe_rtt_ack(struct sock *sk, struct bbr_probe_rtt *p, u32 few, bool round_start,
		       u32 *next_round_delivered)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* Samples of a pipe that is far from full say nothing about the bandwidth. */
	tcp_rate_set_app_limited(sk);
	if (p->timed) {
		p->round_done |= round_start;
		return p->round_done && bbr_probe_rtt_elapsed(sk, p);
	}
	if (tcp_packets_in_flight(tp) <= few) {
		p->timed = true;
		p->since = tcp_now_us(sk);
		p->round_done = false;
		*next_round_delivered = tp->delivered;
	}
	return false;
}

static void probe_rtt_done(struct sock *sk, struct bbr *b)
{
	b->min_rtt_stamp = tcp_now_us(sk);
	bbr_restore_cwnd(sk, &b->probe_rtt);
	if (b->filled_pipe)
		enter_probe_bw(sk, b);
	else
		enter_startup(b);
}

/* 4.3.5 */
static void update_min_rtt(struct sock *sk, struct bbr *b, const struct rate_sample *rs)
{
	bool expired = bbr_elapsed(sk, b->min_rtt_stamp, MIN_RTT_WINDOW_US);

	if (rs->rtt_us >= 0 &&
	    ((u32)rs->rtt_us <= b->min_rtt_us || (expired && !rs->is_ack_delayed))) {
		b->min_rtt_us = (u32)rs->rtt_us;
		b->min_rtt_stamp = tcp_now_us(sk);
	}
	if (expired && !b->idle_restart && b->mode != PROBE_RTT) {
		b->mode = PROBE_RTT;
		b->pacing_gain = b->cwnd_gain = GAIN_ONE;
		save_cwnd(sk, b);
		b->probe_rtt.timed = false;
	}
	if (b->mode == PROBE_RTT && bbr_probe_rtt_ack(sk, &b->probe_rtt, MIN_CWND, b->round_start,
						      &b->next_round_delivered))
		probe_rtt_done(sk, b);
	if (rs->delivered > 0)
		b->idle_restart = false;
}

/* ---- the hooks ------------------------------------------------------------------------------------------- */

static void bbr_main(struct sock *sk, u32 ack, u32 flag, const struct rate_sample *rs)
{
	struct bbr *b = bbr_of(sk);

	(void)ack;
	(void)flag;
	update_bw(sk, b, rs);
	bbr_aggregation_update(sk, &b->aggregation, rs, bbr_bw(b), b->round_start,
			       EXTRA_ACKED_ROUNDS);
	update_phase(sk, b, rs);
	check_full_pipe(sk, b, rs);
	update_min_rtt(sk, b, rs);
	set_pacing_rate(sk, b, b->pacing_gain);
	set_cwnd(sk, b, rs);
}

static void bbr_init(struct sock *sk)
{
	struct bbr *b = bbr_of(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	b->min_rtt_us = tcp_min_rtt(tp) ? tcp_min_rtt(tp) : UINT32_MAX;
	b->min_rtt_stamp = b->aggregation.epoch = tcp_now_us(sk);
	b->next_round_delivered = tp->delivered;
	b->prior_ca_state = TCP_CA_Open;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	enter_startup(b);
	bbr_init_pacing_rate(sk, HIGH_GAIN, &b->has_seen_rtt);
}

/* Losses do not lower a threshold; what the window was is remembered. */
static u32 bbr_ssthresh(struct sock *sk)
{
	save_cwnd(sk, bbr_of(sk));
	return tcp_sk(sk)->snd_ssthresh;
}

static u32 bbr_undo_cwnd(struct sock *sk)
{
	struct bbr *b = bbr_of(sk);

	b->full_bw = 0; /* the loss was none: it may have hidden growth */
	b->full_bw_count = 0;
	return tcp_sk(sk)->snd_cwnd;
}

static void bbr_set_state(struct sock *sk, u8 state)
{
	struct bbr *b = bbr_of(sk);

	if (state != TCP_CA_Loss)
		return;
	b->prior_ca_state = TCP_CA_Loss;
	b->full_bw = 0;
	b->round_start = true; /* a timeout ends the round */
}

/* 4.3.4.4: what waited leaves at the bandwidth, not in a burst. */
static void bbr_cwnd_event(struct sock *sk, enum tcp_ca_event ev)
{
	struct bbr *b = bbr_of(sk);

	if (ev != CA_EVENT_TX_START || !tcp_sk(sk)->app_limited)
		return;
	b->idle_restart = true;
	bbr_aggregation_restart(sk, &b->aggregation);
	if (b->mode == PROBE_BW)
		set_pacing_rate(sk, b, GAIN_ONE);
	else if (b->mode == PROBE_RTT && bbr_probe_rtt_elapsed(sk, &b->probe_rtt))
		probe_rtt_done(sk, b);
}

/* One segment below 1.2 Mbit/s, so that a slow link is not blocked for long. */
u32 bbr_min_tso_segs(const struct sock *sk)
{
	return tcp_pacing_rate(sk) < 1200000 / 8 ? 1 : 2;
}

static u32 bbr_get_info(struct sock *sk, union tcp_cc_info *info, u16 *ret_attr)
{
	const struct bbr *b = bbr_of(sk);

	return bbr_fill_info(sk, bbr_bw(b), b->min_rtt_us, b->pacing_gain, b->cwnd_gain, info,
			     ret_attr);
}

const struct tcp_congestion_ops tcp_bbr = {
	.name = "bbr",
	.init = bbr_init,
	.cong_control = bbr_main,
	.ssthresh = bbr_ssthresh,
	.undo_cwnd = bbr_undo_cwnd,
	.set_state = bbr_set_state,
	.cwnd_event = bbr_cwnd_event,
	.min_tso_segs = bbr_min_tso_segs,
	.get_info = bbr_get_info,
	.priv_size = sizeof(struct bbr),
};
