/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cubic.c - CUBIC (RFC 9438), and when its slow start ends: HyStart as Linux has it, or HyStart++ (RFC 9406)
 *
 * Theory of operation
 *   After a loss the window w_max is remembered. From then on the window follows C (t - K)^3 + w_max, with t the time since the epoch
 *   began and K the time to get back to w_max: steep at first, flat around w_max, steep again beyond. w_est is what Reno would
 *   have (with the slope that makes it fair with beta = 0.7); the larger of both counts.
 *   Slow start ends at the first sign of a queue. HyStart (Ha and Rhee, "Taming the elephants: New TCP slow start", 2011), hystart = 1,
 *   sees one when ACKs that follow each other closely last as long as the path is (hystart_detect 1), or when the least RTT of a round
 *   is an eighth above the least ever (2): then congestion avoidance begins. HyStart++, hystart = 2, compares with the round
 *   before, and goes on at a quarter of the speed (conservative slow start) for five rounds, unless the RTT falls again.
 *   Windows are counted in segments, times in ms, round trips in us.
 * State: struct cubic in icsk_ca_priv; all zero is a fresh connection.
 * Parameters: of each net, /sys/module/tcp_cubic/parameters; names, defaults and (but for hystart = 2) meanings are Linux's.
 */
#include "tcp/cong/cubic.h"

#include "core/sysctl.h"
#include "tcp/tcp.h"

#define BETA_DEN 1024u

#define CURVE_INTERVAL_US 31250u

#define HYSTART_N_RTT_SAMPLE 8u
/* Both: how much longer a round trip has to be, an eighth within these (RFC 9406 4.3). */
#define HYSTART_MIN_RTT_THRESH_US 4000u
#define HYSTART_MAX_RTT_THRESH_US 16000u
#define HYSTART_RTT_DIVISOR       8u
/* RFC 9406 4.3 */
#define CSS_GROWTH_DIVISOR 4u
#define CSS_ROUNDS         5u
#define RTT_NONE           UINT32_MAX
/* How far apart the ACKs of a train may be for our own bursts: four units of 64 KiB, at most a millisecond. */
#define HYSTART_BURST         (4u * 65536)
#define HYSTART_BURST_MAX_US  1000u
#define HYSTART_AFTER_LOSS_NS NSEC_PER_SEC

enum hystart_kind { HYSTART_OFF, HYSTART_CLASSIC, HYSTART_PLUSPLUS };
#define HYSTART_DETECT_TRAIN 1u
#define HYSTART_DETECT_DELAY 2u

struct cubic {
	u64 epoch_start; /* ns; 0: begins with the next ACK */
	u32 w_max;       /* segments; 0: none yet */
	u32 origin;      /* W_cubic's plateau */
	u32 k_ms;
	u32 w_est_frac : 20;                         /* of w_est, in 1/1000000 */
	u32 rtt_samples : 4, started : 1, found : 1; /* HyStart, in this round; at all */
	u32 hystart : 2;                             /* enum hystart_kind */
	u32 w_est;
	u32 cwnd_prior; /* window before the last reduction */
	u32 cnt; /* packets to be acknowledged for one more in the window; 0: not computed yet */
	u32 cnt_cwnd; /* for that window, */
	u32 cnt_us;   /* at that time */
	/* The end of slow start; of the union what @hystart says. */
	u32 window_end, cur_round_min_rtt;
	union {
		struct {
			u32 delay_min;             /* 0: none yet */
			u32 round_start, last_ack; /* us */
		};
		struct {
			u32 last_round_min_rtt, css_baseline_min_rtt;
			u8 css_rounds, css_credit, in_css;
		};
	};
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

/* ---- parameters ---------------------------------------------------------------------------------------- */

#define ROW(name, def, lo, hi, help)                                                               \
	SYSCTL_ROW("tcp_cubic/parameters/" #name, SYSCTL_U32, struct tcp_cubic_params, name, def,  \
		   lo, hi, help)

static const struct sysctl_desc param_rows[] = {
	ROW(beta, 717, 1, 1023, "what is left of the window after a loss, of 1024 (RFC 9438 4.6)"),
	{ .path = "tcp_cubic/parameters/bic_scale",
	  .kind = SYSCTL_U32,
	  .offset = offsetof(struct tcp_cubic_params, bic_scale),
	  .def = 41,
	  .readonly = true,
	  .help = "the curve's C, of 102.4 (RFC 9438 4.1.4)" },
	ROW(fast_convergence, 1, 0, 0x7fffffff,
	    "a window that shrinks leaves more to others (RFC 9438 4.7)"),
	ROW(hystart, 1, 0, 2, "the end of slow start: 0 a loss, 1 HyStart, 2 HyStart++ (RFC 9406)"),
	ROW(hystart_ack_delta_us, 2000, 0, 0x7fffffff, "gap between ACKs that ends a train, us"),
	ROW(hystart_detect, 3, 0, 3, "HyStart looks at: 1 trains of ACKs, 2 delay, 3 both"),
	ROW(hystart_low_window, 16, 0, 0x7fffffff, "HyStart leaves smaller windows alone"),
	ROW(initial_ssthresh, 0, 0, 0x7fffffff,
	    "slow start threshold of new connections without HyStart; 0: none"),
	ROW(tcp_friendliness, 1, 0, 0x7fffffff,
	    "the window is no smaller than Reno's would be (RFC 9438 4.3)"),
};

static void *params_base(struct net *net)
{
	return &net->tcp->cubic;
}

const struct sysctl_table tcp_cubic_params = {
	.base = params_base,
	.rows = param_rows,
	.count = ARRAY_SIZE(param_rows),
	.parameters = true,
};

static const struct tcp_cubic_params *params(const struct sock *sk)
{
	return &tcp_net(sk)->cubic;
}

/* ---- the end of slow start ----------------------------------------------------------------------------- */

static __attribute__((noinline)) void hystart_reset(const struct sock *sk, struct cubic *ca)
{
	ca->hystart = params(sk)->hystart & 3;
	ca->started = ca->found = false;
	ca->rtt_samples = 0;
	ca->cur_round_min_rtt = RTT_NONE;
	if (ca->hystart == HYSTART_PLUSPLUS) {
		ca->in_css = ca->css_rounds = ca->css_credit = 0;
		ca->last_round_min_rtt = RTT_NONE;
	} else {
		ca->delay_min = 0;
	}
}

static u32 hystart_rtt_thresh(u32 rtt_us)
{
	return clamp(rtt_us / HYSTART_RTT_DIVISOR, HYSTART_MIN_RTT_THRESH_US,
		     HYSTART_MAX_RTT_THRESH_US);
}

static void hystart_new_round(struct sock *sk, struct cubic *ca)
{
	ca->window_end = tcp_sk(sk)->snd_nxt;
	ca->cur_round_min_rtt = RTT_NONE;
	ca->rtt_samples = 0;
	ca->started = true;
}

/* ---- HyStart ---- */

static void hystart_found(struct sock *sk, struct cubic *ca, enum mib_counter detect,
			  enum mib_counter cwnd)
{
	struct tcp_sock *tp = tcp_sk(sk);

	ca->found = true;
	tp->snd_ssthresh = tp->snd_cwnd;
	NET_INC_STATS(sk->sk_net, detect);
	NET_ADD_STATS(sk->sk_net, cwnd, tp->snd_cwnd);
}

/*
 * ACKs that come closely one after the other since the round began tell how long a burst takes at the bottleneck: half of the round trip
 * says that the path is full both ways. A paced sender's ACKs are spread over the whole of it.
 */
static bool hystart_train_is_long(struct sock *sk, struct cubic *ca)
{
	u64 burst_us =
		HYSTART_BURST * (NSEC_PER_SEC / NSEC_PER_USEC) / max(tcp_pacing_rate(sk), (u64)1);
	u32 now = tcp_now_us(sk), threshold;

	if (now - ca->last_ack > params(sk)->hystart_ack_delta_us)
		return false;
	ca->last_ack = now;
	threshold = ca->delay_min + (u32)min(burst_us, (u64)HYSTART_BURST_MAX_US);
	if (!tcp_is_paced(sk))
		threshold >>= 1;
	return now - ca->round_start > threshold;
}

static __attribute__((noinline)) void hystart_update(struct sock *sk, struct cubic *ca, u32 rtt)
{
	u32 detect = params(sk)->hystart_detect;

	if (!ca->started || after(tcp_sk(sk)->snd_una, ca->window_end)) {
		hystart_new_round(sk, ca);
		ca->round_start = ca->last_ack = tcp_now_us(sk);
	}
	if ((detect & HYSTART_DETECT_TRAIN) && hystart_train_is_long(sk, ca)) {
		hystart_found(sk, ca, MIB_TcpExt_TCPHystartTrainDetect,
			      MIB_TcpExt_TCPHystartTrainCwnd);
		return;
	}
	if (!(detect & HYSTART_DETECT_DELAY))
		return;
	ca->cur_round_min_rtt = min(ca->cur_round_min_rtt, rtt);
	if (ca->rtt_samples < HYSTART_N_RTT_SAMPLE)
		ca->rtt_samples++;
	else if (ca->cur_round_min_rtt > ca->delay_min + hystart_rtt_thresh(ca->delay_min))
		hystart_found(sk, ca, MIB_TcpExt_TCPHystartDelayDetect,
			      MIB_TcpExt_TCPHystartDelayCwnd);
}

static void hystart_acked(struct sock *sk, struct cubic *ca, u32 rtt)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* What was measured while losses were repaired is too long. */
	if (ca->epoch_start && tcp_now_ns(sk) - ca->epoch_start < HYSTART_AFTER_LOSS_NS)
		return;
	if (!ca->delay_min || rtt < ca->delay_min)
		ca->delay_min = rtt;
	if (ca->hystart && !ca->found && tcp_in_slow_start(tp) &&
	    tp->snd_cwnd >= params(sk)->hystart_low_window)
		hystart_update(sk, ca, rtt);
}

/* ---- HyStart++ ---- */

static void css_check_delay(struct sock *sk, struct cubic *ca)
{
	if (ca->rtt_samples < HYSTART_N_RTT_SAMPLE)
		return;
	if (ca->in_css) {
		/* The delay went away: it was no queue of ours. */
		if (ca->cur_round_min_rtt < ca->css_baseline_min_rtt) {
			ca->css_baseline_min_rtt = RTT_NONE;
			ca->in_css = false;
		}
		return;
	}
	if (ca->last_round_min_rtt == RTT_NONE ||
	    ca->cur_round_min_rtt <
		    ca->last_round_min_rtt + hystart_rtt_thresh(ca->last_round_min_rtt))
		return;
	ca->css_baseline_min_rtt = ca->cur_round_min_rtt;
	ca->in_css = true;
	ca->css_rounds = 0;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPHystartDelayDetect);
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPHystartDelayCwnd, tcp_sk(sk)->snd_cwnd);
}

static __attribute__((noinline)) void css_acked(struct sock *sk, struct cubic *ca, u32 rtt)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_in_slow_start(tp))
		return;
	if (!ca->started) {
		hystart_new_round(sk, ca);
	} else if (!before(tp->snd_una, ca->window_end)) {
		if (ca->in_css && ++ca->css_rounds >= CSS_ROUNDS)
			tp->snd_ssthresh =
				tp->snd_cwnd; /* RFC 9406 4.2: on to congestion avoidance */
		ca->last_round_min_rtt = ca->cur_round_min_rtt;
		hystart_new_round(sk, ca);
	}
	ca->cur_round_min_rtt = min(ca->cur_round_min_rtt, rtt);
	if (ca->rtt_samples < HYSTART_N_RTT_SAMPLE)
		ca->rtt_samples++;
	css_check_delay(sk, ca);
}

static u32 css_slow_start(struct tcp_sock *tp, struct cubic *ca, u32 acked)
{
	u32 credit = ca->css_credit + acked;

	ca->css_credit = credit % CSS_GROWTH_DIVISOR;
	return tcp_slow_start(tp, credit / CSS_GROWTH_DIVISOR);
}

static void cubic_pkts_acked(struct sock *sk, const struct ack_sample *s)
{
	struct cubic *ca = inet_csk_ca(sk);
	u32 rtt;

	if (s->rtt_us < 0)
		return;
	rtt = max((u32)s->rtt_us, 1u);
	if (unlikely(ca->hystart != params(sk)->hystart))
		hystart_reset(sk, ca);
	if (ca->hystart == HYSTART_PLUSPLUS)
		css_acked(sk, ca, rtt);
	else
		hystart_acked(sk, ca, rtt);
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
		acked = unlikely(ca->hystart == HYSTART_PLUSPLUS && ca->in_css)
				? css_slow_start(tp, ca, acked)
				: tcp_slow_start(tp, acked);
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
	if (w_cubic < ca->w_est && params(sk)->tcp_friendliness) {
		/* Reno-friendly region (4.3): follow w_est. */
		if (ca->w_est > cwnd) {
			ca->cnt = 0;
			tp->snd_cwnd = min(ca->w_est, cwnd + acked);
			return;
		}
		cnt = 100 * cwnd;
	} else {
		cnt = target > cwnd ? cwnd / (target - cwnd) : 100 * cwnd;
	}
	/* As Linux: without a loss so far nothing is known of the path: at least 5 % per RTT, whichever curve is followed. */
	if (!ca->w_max)
		cnt = min(cnt, 20u);
	/* At most one segment for every two that arrived. */
	ca->cnt = max(cnt, 2u);
	tcp_cong_avoid_ai(tp, ca->cnt, acked);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static u32 cubic_ssthresh(struct sock *sk)
{
	const struct tcp_cubic_params *p = params(sk);
	struct cubic *ca = inet_csk_ca(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	ca->epoch_start = 0;
	ca->cwnd_prior = cwnd;
	/* RFC 9438 4.7, fast convergence: give up some of what the others may need. */
	if (cwnd < ca->w_max && p->fast_convergence)
		ca->w_max = (u32)((u64)cwnd * (BETA_DEN + p->beta) / (2 * BETA_DEN));
	else
		ca->w_max = cwnd;
	return max((u32)((u64)cwnd * p->beta / BETA_DEN), 2u);
}

static void cubic_set_state(struct sock *sk, u8 state)
{
	struct cubic *ca = inet_csk_ca(sk);

	if (state == TCP_CA_Loss) {
		ca->epoch_start = 0;
		ca->w_max =
			0; /* RFC 9438 4.8: after a timeout the curve begins where slow start ends */
		hystart_reset(sk, ca);
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
	hystart_reset(sk, inet_csk_ca(sk));
	if (!params(sk)->hystart && params(sk)->initial_ssthresh)
		tcp_sk(sk)->snd_ssthresh = params(sk)->initial_ssthresh;
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
