/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cubic.c - CUBIC (RFC 9438) with HyStart++ (RFC 9406)
 *
 * Theory of operation
 *   After a loss the window w_max is remembered. From then on the window follows C (t - K)^3 + w_max, with t the time since the epoch
 *   began and K the time to get back to w_max: steep at first, flat around w_max, steep again beyond. w_est is what Reno would
 *   have (with the slope that makes it fair with beta = 0.7); the larger of both counts.
 *   Slow start ends at the first sign of a queue: when the least RTT of a round exceeds that of the round before by an eighth,
 *   it goes on at a quarter of the speed (conservative slow start) for five rounds, unless the RTT falls again.
 *   Windows are counted in segments, times in ms.
 * State: struct cubic in icsk_ca_priv; all zero is a fresh connection.
 */
#include "tcp/cong/cubic.h"

#include "tcp/tcp.h"

#define BETA_NUM 717u /* beta_cubic 0.7 in 1/1024 (RFC 9438 4.6) */
#define BETA_DEN 1024u

#define CURVE_INTERVAL_US 31250u

/* RFC 9406 4.2, 4.3 */
#define HYSTART_MIN_RTT_THRESH_US 4000u
#define HYSTART_MAX_RTT_THRESH_US 16000u
#define HYSTART_RTT_DIVISOR       8u
#define HYSTART_N_RTT_SAMPLE      8u
#define CSS_GROWTH_DIVISOR        4u
#define CSS_ROUNDS                5u
#define RTT_NONE                  UINT32_MAX

struct cubic {
	u64 epoch_start; /* ns; 0: begins with the next ACK */
	u32 w_max;       /* segments; 0: none yet */
	u32 origin;      /* W_cubic's plateau */
	u32 k_ms;
	u32 w_est_frac; /* of w_est, in 1/1000000 */
	u32 w_est;
	u32 cwnd_prior; /* window before the last reduction */
	u32 cnt; /* packets to be acknowledged for one more in the window; 0: not computed yet */
	u32 cnt_cwnd; /* for that window, */
	u32 cnt_us;   /* at that time */
	/* HyStart++ */
	u32 window_end;
	u32 last_round_min_rtt, cur_round_min_rtt, css_baseline_min_rtt;
	u8 rtt_samples, css_rounds, css_credit;
	bool in_css : 1, started : 1;
};
static_assert(sizeof(struct cubic) <= ICSK_CA_PRIV_SIZE, "private state");

/* ---- arithmetic --------------------------------------------------------------------------------------- */

u32 cubic_root(u64 x)
{
	u64 r = 0;

	/* One bit of the root at a time: 22 rounds, once per epoch. */
	for (int s = 63; s >= 0; s -= 3) {
		u64 b;

		r <<= 1;
		b = 3 * r * (r + 1) + 1;
		if ((x >> s) >= b) {
			x -= b << s;
			r++;
		}
	}
	return (u32)r;
}

u32 cubic_k_ms(u32 diff)
{
	/* K = cbrt(diff / 0.4) s = cbrt(diff * 2.5e9) ms */
	return cubic_root((u64)min(diff, 1u << 30) * 2500000000ULL);
}

u32 cubic_window(u32 origin, u32 k_ms, u32 t_ms)
{
	u64 d = t_ms > k_ms ? t_ms - k_ms : k_ms - t_ms, delta;

	d = min(d, (u64)1000000);               /* 17 minutes: d^3 * 4 fits 64 bits */
	delta = d * d * d * 4 / 10000000000ULL; /* 0.4 (d/1000)^3 */
	if (t_ms > k_ms)
		return (u32)min((u64)origin + delta, (u64)UINT32_MAX);
	return origin > delta ? origin - (u32)delta : 1;
}

/* ---- HyStart++ ----------------------------------------------------------------------------------------- */

static void hystart_round(struct sock *sk, struct cubic *ca)
{
	ca->window_end = tcp_sk(sk)->snd_nxt;
	ca->last_round_min_rtt = ca->started ? ca->cur_round_min_rtt : RTT_NONE;
	ca->cur_round_min_rtt = RTT_NONE;
	ca->rtt_samples = 0;
	ca->started = true;
}

static void hystart_reset(struct cubic *ca)
{
	ca->started = false;
	ca->in_css = false;
	ca->css_rounds = 0;
	ca->css_credit = 0;
	ca->last_round_min_rtt = ca->cur_round_min_rtt = RTT_NONE;
}

static void hystart_check_delay(struct sock *sk, struct cubic *ca)
{
	u32 thresh;

	if (ca->rtt_samples < HYSTART_N_RTT_SAMPLE || ca->cur_round_min_rtt == RTT_NONE)
		return;
	if (ca->in_css) {
		/* The delay went away: it was no queue of ours. */
		if (ca->cur_round_min_rtt < ca->css_baseline_min_rtt) {
			ca->css_baseline_min_rtt = RTT_NONE;
			ca->in_css = false;
		}
		return;
	}
	if (ca->last_round_min_rtt == RTT_NONE)
		return;
	thresh = clamp(ca->last_round_min_rtt / HYSTART_RTT_DIVISOR, HYSTART_MIN_RTT_THRESH_US,
		       HYSTART_MAX_RTT_THRESH_US);
	if (ca->cur_round_min_rtt < ca->last_round_min_rtt + thresh)
		return;
	ca->css_baseline_min_rtt = ca->cur_round_min_rtt;
	ca->in_css = true;
	ca->css_rounds = 0;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPHystartDelayDetect);
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPHystartDelayCwnd, tcp_sk(sk)->snd_cwnd);
}

static void cubic_pkts_acked(struct sock *sk, const struct ack_sample *s)
{
	struct cubic *ca = inet_csk_ca(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 rtt;

	if (!tcp_in_slow_start(tp) || s->rtt_us < 0)
		return;
	if (!ca->started) {
		hystart_round(sk, ca);
	} else if (!before(tp->snd_una, ca->window_end)) {
		if (ca->in_css && ++ca->css_rounds >= CSS_ROUNDS)
			tp->snd_ssthresh =
				tp->snd_cwnd; /* RFC 9406 4.2: on to congestion avoidance */
		hystart_round(sk, ca);
	}
	rtt = max((u32)s->rtt_us, 1u);
	ca->cur_round_min_rtt = min(ca->cur_round_min_rtt, rtt);
	if (ca->rtt_samples < 255)
		ca->rtt_samples++;
	hystart_check_delay(sk, ca);
}

static u32 hystart_slow_start(struct tcp_sock *tp, struct cubic *ca, u32 acked)
{
	u32 credit = ca->css_credit + acked;

	if (!ca->in_css)
		return tcp_slow_start(tp, acked);
	ca->css_credit = credit % CSS_GROWTH_DIVISOR;
	return tcp_slow_start(tp, credit / CSS_GROWTH_DIVISOR);
}

/* ---- congestion avoidance ------------------------------------------------------------------------------ */

static void cubic_epoch_begin(struct sock *sk, struct cubic *ca)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	ca->epoch_start = max(tcp_now_ns(sk), (u64)1);
	ca->cnt = 0;
	ca->w_est = tp->snd_cwnd;
	ca->w_est_frac = 0;
	if (tp->snd_cwnd < ca->w_max) {
		ca->k_ms = cubic_k_ms(ca->w_max - tp->snd_cwnd);
		ca->origin = ca->w_max;
	} else {
		ca->k_ms = 0;
		ca->origin = tp->snd_cwnd;
	}
}

/* RFC 9438 4.3: alpha is 3 (1 - beta) / (1 + beta) until the window of the last reduction is reached, then 1. */
static void cubic_update_w_est(struct cubic *ca, u32 cwnd, u32 acked)
{
	u32 alpha_milli = ca->w_est < ca->cwnd_prior ? 529 : 1000;
	u64 add = (u64)alpha_milli * acked * 1000 / max(cwnd, 1u) + ca->w_est_frac;

	ca->w_est += (u32)(add / 1000000);
	ca->w_est_frac = (u32)(add % 1000000);
}

static void cubic_cong_avoid(struct sock *sk, u32 ack, u32 acked)
{
	struct cubic *ca = inet_csk_ca(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 t_ms, target, w_cubic, cnt, cwnd;

	(void)ack;
	if (!tcp_is_cwnd_limited(sk))
		return;
	if (tcp_in_slow_start(tp)) {
		acked = hystart_slow_start(tp, ca, acked);
		if (!acked || tcp_in_slow_start(tp))
			return;
	}
	cwnd = tp->snd_cwnd;
	if (!ca->epoch_start)
		cubic_epoch_begin(sk, ca);
	t_ms = (u32)((tcp_now_ns(sk) - ca->epoch_start) / NSEC_PER_MSEC);
	cubic_update_w_est(ca, cwnd, acked);
	/* As Linux: the curve is looked at 32 times a second, and whenever the window has changed. RFC 9438 4.2 has it with each ACK; between them it
	 * moves by far less than a segment per round trip. */
	if (ca->cnt && ca->cnt_cwnd == cwnd && tcp_now_us(sk) - ca->cnt_us <= CURVE_INTERVAL_US) {
		tcp_cong_avoid_ai(tp, ca->cnt, acked);
		return;
	}
	ca->cnt_cwnd = cwnd;
	ca->cnt_us = tcp_now_us(sk);
	w_cubic = cubic_window(ca->origin, ca->k_ms, t_ms);
	/* RFC 9438 4.2: where the curve will be one RTT from now, between the window and half as much again. */
	target = cubic_window(ca->origin, ca->k_ms,
			      t_ms + (tcp_min_rtt(tp) ? tcp_min_rtt(tp) : tp->srtt_us >> 3) / 1000);
	target = clamp(target, cwnd, cwnd + (cwnd >> 1));
	if (w_cubic < ca->w_est) {
		/* Reno-friendly region (4.3): follow w_est. */
		if (ca->w_est > cwnd) {
			ca->cnt = 0;
			tp->snd_cwnd = min(ca->w_est, cwnd + acked);
			return;
		}
		cnt = 100 * cwnd;
	} else {
		cnt = target > cwnd ? cwnd / (target - cwnd) : 100 * cwnd;
		/* Without a loss so far nothing is known of the path: at least 5 % per RTT. */
		if (!ca->w_max)
			cnt = min(cnt, 20u);
	}
	/* At most one segment for every two that arrived. */
	ca->cnt = max(cnt, 2u);
	tcp_cong_avoid_ai(tp, ca->cnt, acked);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static u32 cubic_ssthresh(struct sock *sk)
{
	struct cubic *ca = inet_csk_ca(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	ca->epoch_start = 0;
	ca->cwnd_prior = cwnd;
	/* RFC 9438 4.7, fast convergence: give up some of what the others may need. */
	if (cwnd < ca->w_max)
		ca->w_max = (u32)((u64)cwnd * (BETA_DEN + BETA_NUM) / (2 * BETA_DEN));
	else
		ca->w_max = cwnd;
	return max((u32)((u64)cwnd * BETA_NUM / BETA_DEN), 2u);
}

static void cubic_set_state(struct sock *sk, u8 state)
{
	struct cubic *ca = inet_csk_ca(sk);

	if (state == TCP_CA_Loss) {
		ca->epoch_start = 0;
		ca->w_max =
			0; /* RFC 9438 4.8: after a timeout the curve begins where slow start ends */
		hystart_reset(ca);
	}
}

static void cubic_cwnd_event(struct sock *sk, enum tcp_ca_event ev)
{
	struct cubic *ca = inet_csk_ca(sk);

	/* RFC 9438 5.8: time without sending is no time of growth. */
	if (ev == CA_EVENT_TX_START && ca->epoch_start) {
		u64 idle = (u64)(tcp_now_ms(sk) - tcp_sk(sk)->lsndtime) * NSEC_PER_MSEC;

		if ((s64)idle > 0)
			ca->epoch_start = min(ca->epoch_start + idle, tcp_now_ns(sk));
	}
}

static void cubic_init(struct sock *sk)
{
	hystart_reset(inet_csk_ca(sk));
}

const struct tcp_congestion_ops tcp_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.ssthresh = cubic_ssthresh,
	.cong_avoid = cubic_cong_avoid,
	.undo_cwnd = tcp_reno_undo_cwnd,
	.set_state = cubic_set_state,
	.cwnd_event = cubic_cwnd_event,
	.pkts_acked = cubic_pkts_acked,
	.priv_size = sizeof(struct cubic),
};
