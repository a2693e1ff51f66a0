/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bbr3.c - BBR, version 3: the model of bbr.c with bounds that losses set
 *
 * Theory of operation
 *   As in bbr.c a bandwidth and a propagation delay are known, but two more pairs of numbers bound what they allow:
 *     inflight_hi           the most that was in flight without too much loss (2 % of what was sent with it): the long-term bound,
 *                           found by probing and raised by probing again
 *     bw_lo, inflight_lo    what was delivered in the last round with a loss: the short-term bound, forgotten when probing begins
 *   In steady state the bandwidth is probed every two to three seconds, or after as many round trips as Reno would need to grow by what is in
 *   flight, in a cycle of four phases:
 *     DOWN    0.9: takes back the queue, until there is headroom below inflight_hi and no more than the product in flight
 *     CRUISE  1: with headroom for others
 *     REFILL  1: a round trip without the short-term bounds, so that the pipe is full before it is tested
 *     UP      1.25: more each round (1, 2, 4 ... packets), until losses say that it is too much or the rate grows no more
 *   Losses count for inflight_hi from the moment that a probe can have caused them: bw_probe_samples.
 *   The maximum of the bandwidth is that of this cycle and the one before. STARTUP also ends when a round of recovery loses more than
 *   2 % in six places. PROBE_RTT comes every five seconds, with half of the product in flight; what is remembered of the delay lasts ten.
 * State: struct bbr3, allocated with the first use (tcp_ca_state()). Units as in bbr.c.
 * See draft-ietf-ccwg-bbr-02; section numbers below are the draft's. ECN is not looked at.
 */
#include "tcp/cong/bbr.h"
#include "tcp/tcp.h"

#define GAIN(x100)          ((u16)(GAIN_ONE * (x100) / 100))
#define INF                 UINT32_MAX
#define MIN_PIPE_CWND       4u
#define STARTUP_GAIN        GAIN(277)
#define DRAIN_GAIN          GAIN(35)
#define CWND_GAIN           GAIN(200)
#define CWND_GAIN_UP        GAIN(225)
#define CWND_GAIN_PROBE_RTT GAIN(50)
#define FULL_BW_ROUNDS      3u
#define FULL_LOSS_COUNT     6u
#define MIN_RTT_WINDOW_US   (10u * 1000 * 1000)
#define PROBE_RTT_WINDOW_US (5u * 1000 * 1000)
#define RENO_ROUNDS_MAX     63u
#define EXTRA_ACKED_ROUNDS  5u /* two such spans: 5.5.9 asks for ten */

enum bbr3_state { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };

static const struct {
	u16 pacing, cwnd;
} gains[] = {
	[STARTUP] = { STARTUP_GAIN, CWND_GAIN },
	[DRAIN] = { DRAIN_GAIN, CWND_GAIN },
	[DOWN] = { GAIN(90), CWND_GAIN },
	[CRUISE] = { GAIN(100), CWND_GAIN },
	[REFILL] = { GAIN(100), CWND_GAIN },
	[UP] = { GAIN(125), CWND_GAIN_UP },
	[PROBE_RTT] = { GAIN(100), CWND_GAIN_PROBE_RTT },
};

/* What the ACKs that come in now tell about (5.3.3.6). */
enum ack_phase {
	ACKS_INIT,
	ACKS_REFILLING,
	ACKS_PROBE_STARTING,
	ACKS_PROBE_FEEDBACK,
	ACKS_PROBE_STOPPING
};

struct bbr3 {
	/* the model */
	u32 max_bw[2]; /* of this cycle, and of the one before */
	u32 bw_lo, inflight_hi, inflight_lo;
	u32 min_rtt_us, min_rtt_stamp;
	u32 probe_rtt_min_us, probe_rtt_min_stamp;
	/* this round, and this round of losses */
	u32 next_round_delivered, loss_round_delivered;
	u32 bw_latest, inflight_latest;
	u32 round_lost; /* tp->lost when the round of losses began */
	u8 loss_events; /* ACKs of it that told of losses */
	bool round_start, loss_round_start, loss_in_round;
	/* full pipe */
	u32 full_bw;
	u8 full_bw_count;
	bool full_bw_now, full_bw_reached;
	/* probing */
	u32 cycle_stamp, probe_wait_us, rounds_since_probe;
	u32 probe_up_count, probe_up_acks;
	u8 probe_up_rounds, state, ack_phase;
	bool probe_samples;
	/* PROBE_RTT */
	struct bbr_probe_rtt probe_rtt;
	bool probe_rtt_expired, idle_restart, has_seen_rtt;
	u8 prior_ca_state;
	struct bbr_aggregation aggregation;
};

static struct bbr3 *bbr_of(const struct sock *sk)
{
	return tcp_ca_state(sk);
}

static u32 max_bw(const struct bbr3 *b)
{
	return max(b->max_bw[0], b->max_bw[1]);
}

static u32 bw(const struct bbr3 *b)
{
	return min(max_bw(b), b->bw_lo);
}

static bool in_probe_bw(const struct bbr3 *b)
{
	return b->state >= DOWN && b->state <= UP;
}

/* The rate of this sample; 0: none. */
static u32 sample_bw(const struct rate_sample *rs)
{
	if (rs->delivered <= 0 || rs->interval_us <= 0)
		return 0;
	return (u32)min(((u64)rs->delivered << BW_SCALE) / (u64)rs->interval_us, (u64)UINT32_MAX);
}

/* ---- what follows from the model ------------------------------------------------------------------------ */

static u32 quantized(const struct sock *sk, const struct bbr3 *b, u32 w)
{
	w = max(w, 3 * tcp_tso_segs(sk, tcp_sk(sk)->mss_cache));
	w = max(w, MIN_PIPE_CWND);
	return b->state == UP ? w + 2 : w;
}

static u32 inflight(const struct sock *sk, const struct bbr3 *b, u32 bandwidth, u32 gain)
{
	return quantized(sk, b, bbr_bdp(sk, bandwidth, b->min_rtt_us, gain));
}

static u32 inflight_with_headroom(const struct bbr3 *b)
{
	u32 headroom;

	if (b->inflight_hi == INF)
		return INF;
	headroom = max((u32)((u64)b->inflight_hi * 15 / 100), 1u);
	return max(b->inflight_hi - min(headroom, b->inflight_hi), MIN_PIPE_CWND);
}

static u32 target_inflight(const struct sock *sk, const struct bbr3 *b)
{
	return min(bbr_bdp(sk, bw(b), b->min_rtt_us, GAIN_ONE), tcp_sk(sk)->snd_cwnd);
}

static u32 probe_rtt_cwnd(const struct sock *sk, const struct bbr3 *b)
{
	return max(bbr_bdp(sk, bw(b), b->min_rtt_us, CWND_GAIN_PROBE_RTT), MIN_PIPE_CWND);
}

static void set_pacing_rate(struct sock *sk, struct bbr3 *b, u32 gain)
{
	u64 rate = bbr_rate(sk, bw(b), gain);

	if (unlikely(!b->has_seen_rtt && tcp_sk(sk)->srtt_us))
		bbr_init_pacing_rate(sk, STARTUP_GAIN, &b->has_seen_rtt);
	if (b->full_bw_reached || rate > tcp_pacing_rate(sk))
		tcp_set_pacing_rate(sk, rate);
}

/* ---- rounds, and resetting -------------------------------------------------------------------------------- */

static void start_round(const struct sock *sk, struct bbr3 *b)
{
	b->next_round_delivered = tcp_sk(sk)->delivered;
}

static void reset_congestion_signals(struct bbr3 *b)
{
	b->loss_in_round = false;
	b->loss_events = 0;
	b->bw_latest = b->inflight_latest = 0;
}

static void reset_lower_bounds(struct bbr3 *b)
{
	b->bw_lo = b->inflight_lo = INF;
}

static void reset_full_bw(struct bbr3 *b, u32 rate)
{
	b->full_bw = rate;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

/* ---- the phases of a cycle (5.3.3) -------------------------------------------------------------------------- */

static void start_down(struct sock *sk, struct bbr3 *b)
{
	reset_congestion_signals(b);
	b->probe_up_count = INF;
	/* 5.3.3.5.1: at random, so that flows do not probe in step */
	b->rounds_since_probe = (u32)(cpu_random(sk->sk_cpu) & 1);
	b->probe_wait_us = 2000000 + (u32)(cpu_random(sk->sk_cpu) % 1000000);
	b->cycle_stamp = tcp_now_us(sk);
	b->ack_phase = ACKS_PROBE_STOPPING;
	start_round(sk, b);
	b->state = DOWN;
}

static void start_refill(struct sock *sk, struct bbr3 *b)
{
	reset_lower_bounds(b);
	b->probe_up_rounds = 0;
	b->probe_up_acks = 0;
	b->ack_phase = ACKS_REFILLING;
	start_round(sk, b);
	b->state = REFILL;
}

/* 5.3.3.6: a packet for each @probe_up_count that are acknowledged; twice as fast each round. */
static void raise_slope(const struct sock *sk, struct bbr3 *b)
{
	u32 growth = 1u << b->probe_up_rounds;

	b->probe_up_rounds = (u8)min(b->probe_up_rounds + 1, 30);
	b->probe_up_count = max(tcp_sk(sk)->snd_cwnd / growth, 1u);
}

static void start_up(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	b->ack_phase = ACKS_PROBE_STARTING;
	start_round(sk, b);
	reset_full_bw(b, sample_bw(rs));
	b->state = UP;
	raise_slope(sk, b);
}

/* 5.3.3.5.3: as often as Reno would have grown into what is in flight, but at most 63 rounds. */
static bool time_to_probe(struct sock *sk, struct bbr3 *b)
{
	if (!bbr_elapsed(sk, b->cycle_stamp, b->probe_wait_us) &&
	    b->rounds_since_probe < min(target_inflight(sk, b), RENO_ROUNDS_MAX))
		return false;
	start_refill(sk, b);
	return true;
}

static bool time_to_cruise(const struct sock *sk, const struct bbr3 *b)
{
	u32 now = tcp_packets_in_flight(tcp_sk(sk));

	return now <= inflight_with_headroom(b) && now <= inflight(sk, b, max_bw(b), GAIN_ONE);
}

static bool time_to_go_down(const struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* The bound held it back, not the path: that it grew no more says nothing. */
	if (tp->is_cwnd_limited && tp->snd_cwnd >= b->inflight_hi) {
		reset_full_bw(b, sample_bw(rs));
		return false;
	}
	return b->full_bw_now;
}

/* ---- the long-term bound (5.5.10.2) ------------------------------------------------------------------------- */

static bool inflight_too_high(const struct rate_sample *rs)
{
	return rs->lost > 0 && (u64)rs->lost * 50 > rs->tx_in_flight;
}

static void handle_inflight_too_high(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	b->probe_samples = false; /* react once per probe */
	if (!rs->is_app_limited)
		b->inflight_hi =
			max(max(rs->tx_in_flight, target_inflight(sk, b) * 7 / 10), MIN_PIPE_CWND);
	if (b->state == UP)
		start_down(sk, b);
}

static void probe_inflight_hi(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 delta;

	if (!tp->is_cwnd_limited || tp->snd_cwnd < b->inflight_hi)
		return;
	b->probe_up_acks += rs->acked_sacked;
	if (b->probe_up_acks >= b->probe_up_count) {
		delta = b->probe_up_acks / b->probe_up_count;
		b->probe_up_acks -= delta * b->probe_up_count;
		b->inflight_hi += min(delta, INF - 1 - b->inflight_hi);
	}
	if (b->round_start)
		raise_slope(sk, b);
}

static void adapt_upper_bounds(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	if (b->ack_phase == ACKS_PROBE_STARTING && b->round_start)
		b->ack_phase = ACKS_PROBE_FEEDBACK;
	if (b->ack_phase == ACKS_PROBE_STOPPING && b->round_start) {
		b->probe_samples = false;
		b->ack_phase = ACKS_INIT;
		/* The samples of this probe are in: a new cycle of the maximum begins. */
		if (in_probe_bw(b) && !rs->is_app_limited && b->max_bw[0]) {
			b->max_bw[1] = b->max_bw[0];
			b->max_bw[0] = 0;
		}
	}
	if (inflight_too_high(rs)) {
		if (b->probe_samples)
			handle_inflight_too_high(sk, b, rs);
		return;
	}
	if (b->inflight_hi == INF)
		return;
	b->inflight_hi = max(b->inflight_hi, rs->tx_in_flight);
	if (b->state == UP)
		probe_inflight_hi(sk, b, rs);
}

static void update_phase(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	if (!b->full_bw_reached)
		return;
	adapt_upper_bounds(sk, b, rs);
	switch (b->state) {
	case DOWN:
		if (!time_to_probe(sk, b) && time_to_cruise(sk, b))
			b->state = CRUISE;
		break;
	case CRUISE:
		time_to_probe(sk, b);
		break;
	case REFILL:
		if (b->round_start) {
			b->probe_samples = true;
			start_up(sk, b, rs);
		}
		break;
	case UP:
		if (time_to_go_down(sk, b, rs))
			start_down(sk, b);
		break;
	default:
		break;
	}
}

/* ---- the short-term bounds (5.5.10.3) ------------------------------------------------------------------------ */

static void update_latest(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	b->loss_round_start = false;
	if (rs->delivered < 0 || rs->interval_us <= 0)
		return;
	b->bw_latest = max(b->bw_latest, sample_bw(rs));
	b->inflight_latest = max(b->inflight_latest, (u32)rs->delivered);
	if (!before(rs->prior_delivered, b->loss_round_delivered)) {
		b->loss_round_delivered = tcp_sk(sk)->delivered;
		b->loss_round_start = true;
	}
}

static void advance_latest(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	if (!b->loss_round_start)
		return;
	b->bw_latest = sample_bw(rs);
	b->inflight_latest = rs->delivered > 0 ? (u32)rs->delivered : 0;
	b->round_lost = tcp_sk(sk)->lost;
	b->loss_events = 0;
	b->loss_in_round = false;
}

static void adapt_lower_bounds(struct sock *sk, struct bbr3 *b)
{
	if (b->state == STARTUP || b->state == REFILL || b->state == UP || !b->loss_in_round)
		return;
	if (b->bw_lo == INF)
		b->bw_lo = max_bw(b);
	if (b->inflight_lo == INF)
		b->inflight_lo = tcp_sk(sk)->snd_cwnd;
	b->bw_lo = max(b->bw_latest, (u32)((u64)b->bw_lo * 7 / 10));
	b->inflight_lo = max(b->inflight_latest, (u32)((u64)b->inflight_lo * 7 / 10));
}

static void update_round(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	b->round_start = rs->delivered >= 0 && rs->interval_us > 0 &&
			 !before(rs->prior_delivered, b->next_round_delivered);
	if (!b->round_start)
		return;
	start_round(sk, b);
	b->rounds_since_probe++;
}

static void update_congestion_signals(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	u32 rate = sample_bw(rs);

	update_round(sk, b, rs);
	if (rate && (!rs->is_app_limited || rate >= max_bw(b)))
		b->max_bw[0] = max(b->max_bw[0], rate);
	if (rs->losses) {
		b->loss_in_round = true;
		b->loss_events = (u8)min(b->loss_events + 1, 255);
	}
	if (b->loss_round_start)
		adapt_lower_bounds(sk, b);
}

/* ---- STARTUP, DRAIN (5.3.1, 5.3.2) ------------------------------------------------------------------------------ */

static void check_full_bw(struct bbr3 *b, const struct rate_sample *rs)
{
	if (b->full_bw_now || !b->round_start || rs->is_app_limited)
		return;
	if (sample_bw(rs) >= (u32)min((u64)b->full_bw * 5 / 4, (u64)INF)) {
		reset_full_bw(b, sample_bw(rs));
		return;
	}
	b->full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
	b->full_bw_reached |= b->full_bw_now;
}

/* 5.3.1.3: a full round of recovery that lost more than 2 %, in six places */
static void check_high_loss(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (b->full_bw_reached || !b->loss_round_start || b->loss_events < FULL_LOSS_COUNT ||
	    inet_csk(sk)->icsk_ca_state != TCP_CA_Recovery || !inflight_too_high(rs) ||
	    tp->lost == b->round_lost)
		return;
	b->full_bw_reached = true;
	b->inflight_hi = max(bbr_bdp(sk, max_bw(b), b->min_rtt_us, GAIN_ONE), b->inflight_latest);
}

static void check_startup_and_drain(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);

	check_full_bw(b, rs);
	check_high_loss(sk, b, rs);
	if (b->state == STARTUP && b->full_bw_reached) {
		b->state = DRAIN;
		tp->snd_ssthresh =
			inflight(sk, b, max_bw(b), GAIN_ONE); /* for those who look at it */
	}
	if (b->state == DRAIN && tcp_packets_in_flight(tp) <= inflight(sk, b, max_bw(b), GAIN_ONE))
		start_down(sk, b);
}

/* ---- PROBE_RTT (5.3.4) -------------------------------------------------------------------------------------------- */

static void save_cwnd(const struct sock *sk, struct bbr3 *b)
{
	bbr_save_cwnd(sk, &b->probe_rtt,
		      b->prior_ca_state < TCP_CA_Recovery && b->state != PROBE_RTT);
}

static void probe_rtt_done(struct sock *sk, struct bbr3 *b)
{
	b->probe_rtt_min_stamp = tcp_now_us(sk);
	bbr_restore_cwnd(sk, &b->probe_rtt);
	reset_lower_bounds(b);
	if (b->full_bw_reached) {
		start_down(sk, b);
		b->state = CRUISE;
	} else {
		b->state = STARTUP;
	}
}

static void update_min_rtt(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	u32 now = tcp_now_us(sk);

	b->probe_rtt_expired = bbr_elapsed(sk, b->probe_rtt_min_stamp, PROBE_RTT_WINDOW_US);
	if (rs->rtt_us >= 0 && ((u32)rs->rtt_us < b->probe_rtt_min_us ||
				(b->probe_rtt_expired && !rs->is_ack_delayed))) {
		b->probe_rtt_min_us = (u32)rs->rtt_us;
		b->probe_rtt_min_stamp = now;
	}
	if (b->probe_rtt_min_us <= b->min_rtt_us ||
	    bbr_elapsed(sk, b->min_rtt_stamp, MIN_RTT_WINDOW_US)) {
		b->min_rtt_us = b->probe_rtt_min_us;
		b->min_rtt_stamp = b->probe_rtt_min_stamp;
	}
}

static void check_probe_rtt(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	if (b->probe_rtt_expired && !b->idle_restart && b->state != PROBE_RTT) {
		save_cwnd(sk, b);
		b->state = PROBE_RTT;
		b->probe_rtt.timed = false;
		b->ack_phase = ACKS_PROBE_STOPPING;
		start_round(sk, b);
	}
	if (b->state == PROBE_RTT && bbr_probe_rtt_ack(sk, &b->probe_rtt, probe_rtt_cwnd(sk, b),
						       b->round_start, &b->next_round_delivered))
		probe_rtt_done(sk, b);
	if (rs->delivered > 0)
		b->idle_restart = false;
}

/* ---- the window (5.6.4) --------------------------------------------------------------------------------------------- */

static u32 bound_by_model(const struct sock *sk, const struct bbr3 *b, u32 cwnd)
{
	u32 cap = INF;

	if (b->state == CRUISE || b->state == PROBE_RTT)
		cap = inflight_with_headroom(b);
	else if (in_probe_bw(b))
		cap = b->inflight_hi;
	cap = min(cap, b->inflight_lo);
	if (b->state == PROBE_RTT)
		cap = min(cap, probe_rtt_cwnd(sk, b));
	return min(cwnd, max(cap, MIN_PIPE_CWND));
}

static void set_cwnd(struct sock *sk, struct bbr3 *b, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 cwnd = tp->snd_cwnd, most;
	u8 prior = b->prior_ca_state, state = inet_csk(sk)->icsk_ca_state;

	/* 5.6.4.4: after a timeout what is known of the path is used again as soon as it is over. */
	if (prior >= TCP_CA_Recovery && state < TCP_CA_Recovery)
		cwnd = max(cwnd, b->probe_rtt.prior_cwnd);
	b->prior_ca_state = state;
	if (rs->acked_sacked) {
		most = bbr_bdp(sk, bw(b), b->min_rtt_us, gains[b->state].cwnd);
		if (b->full_bw_reached)
			most += bbr_aggregation_extra(&b->aggregation, bw(b));
		most = quantized(sk, b, most);
		if (b->full_bw_reached)
			cwnd = min(cwnd + rs->acked_sacked, most);
		else if (cwnd < most || tp->delivered < 2 * tcp_init_cwnd(sk, sk->sk_dst_cache))
			cwnd += rs->acked_sacked;
		cwnd = max(cwnd, MIN_PIPE_CWND);
	}
	tp->snd_cwnd = bound_by_model(sk, b, cwnd);
}

/* ---- the hooks ------------------------------------------------------------------------------------------------------ */

static void bbr3_main(struct sock *sk, u32 ack, u32 flag, const struct rate_sample *rs)
{
	struct bbr3 *b = bbr_of(sk);

	(void)ack;
	(void)flag;
	update_latest(sk, b, rs);
	update_congestion_signals(sk, b, rs);
	bbr_aggregation_update(sk, &b->aggregation, rs, bw(b), b->round_start,
			       b->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1);
	check_startup_and_drain(sk, b, rs);
	update_phase(sk, b, rs);
	update_min_rtt(sk, b, rs);
	check_probe_rtt(sk, b, rs);
	advance_latest(sk, b, rs);
	set_pacing_rate(sk, b, gains[b->state].pacing);
	set_cwnd(sk, b, rs);
}

static void bbr3_init(struct sock *sk)
{
	struct bbr3 *b = bbr_of(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	b->min_rtt_us = b->probe_rtt_min_us = tcp_min_rtt(tp) ? tcp_min_rtt(tp) : INF;
	b->min_rtt_stamp = b->probe_rtt_min_stamp = b->aggregation.epoch = tcp_now_us(sk);
	b->inflight_hi = INF;
	reset_lower_bounds(b);
	start_round(sk, b);
	b->loss_round_delivered = tp->delivered;
	b->round_lost = tp->lost;
	b->state = STARTUP;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	bbr_init_pacing_rate(sk, STARTUP_GAIN, &b->has_seen_rtt);
}

static u32 bbr3_ssthresh(struct sock *sk)
{
	save_cwnd(sk, bbr_of(sk));
	return tcp_sk(sk)->snd_ssthresh;
}

/* The losses were none: what they have bounded is forgotten. */
static u32 bbr3_undo_cwnd(struct sock *sk)
{
	struct bbr3 *b = bbr_of(sk);

	reset_full_bw(b, 0);
	b->loss_in_round = false;
	reset_lower_bounds(b);
	return max(tcp_sk(sk)->snd_cwnd, b->probe_rtt.prior_cwnd);
}

static void bbr3_set_state(struct sock *sk, u8 state)
{
	struct bbr3 *b = bbr_of(sk);

	if (state != TCP_CA_Loss)
		return;
	b->prior_ca_state = TCP_CA_Loss;
	reset_full_bw(b, 0);
}

/* 5.4.1 */
static void bbr3_cwnd_event(struct sock *sk, enum tcp_ca_event ev)
{
	struct bbr3 *b = bbr_of(sk);

	if (ev != CA_EVENT_TX_START || !tcp_sk(sk)->app_limited)
		return;
	b->idle_restart = true;
	bbr_aggregation_restart(sk, &b->aggregation);
	if (in_probe_bw(b))
		set_pacing_rate(sk, b, GAIN_ONE);
	else if (b->state == PROBE_RTT && bbr_probe_rtt_elapsed(sk, &b->probe_rtt))
		probe_rtt_done(sk, b);
}

static u32 bbr3_get_info(struct sock *sk, union tcp_cc_info *info, u16 *ret_attr)
{
	const struct bbr3 *b = bbr_of(sk);

	return bbr_fill_info(sk, bw(b), b->min_rtt_us, gains[b->state].pacing, gains[b->state].cwnd,
			     info, ret_attr);
}

const struct tcp_congestion_ops tcp_bbr3 = {
	.name = "bbr3",
	.init = bbr3_init,
	.cong_control = bbr3_main,
	.ssthresh = bbr3_ssthresh,
	.undo_cwnd = bbr3_undo_cwnd,
	.set_state = bbr3_set_state,
	.cwnd_event = bbr3_cwnd_event,
	.min_tso_segs = bbr_min_tso_segs,
	.get_info = bbr3_get_info,
	.priv_size = sizeof(struct bbr3),
};
