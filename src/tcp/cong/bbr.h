/* SPDX-License-Identifier: BSD-2-Clause */
/* bbr.h - what both versions of BBR compute in the same way; bandwidth in packets per us << BW_SCALE, gains in 1/GAIN_ONE */
#ifndef WEIR_TCP_CONG_BBR_H
#define WEIR_TCP_CONG_BBR_H

#include "tcp/tcp.h"

#define BW_SCALE      24u
#define GAIN_ONE      256u
#define PACING_MARGIN 1u /* per cent below the bandwidth, so that no queue grows from rounding */

/* What arrived in lumps, beyond what the bandwidth explains: its maximum over two spans of rounds. */
struct bbr_aggregation {
	u32 epoch, epoch_acked; /* us; packets since then */
	u32 extra_acked[2];
	u8 rounds, index;
};
/* @rounds: of a span. */
void bbr_aggregation_update(const struct sock *sk, struct bbr_aggregation *a,
			    const struct rate_sample *rs, u32 bw, bool round_start, u8 rounds);
/* So many packets can be acknowledged at once. */
u32 bbr_aggregation_extra(const struct bbr_aggregation *a, u32 bw);
static inline void bbr_aggregation_restart(const struct sock *sk, struct bbr_aggregation *a)
{
	a->epoch = tcp_now_us(sk);
	a->epoch_acked = 0;
}
/* More than @us ago? Of stamps that lie in the past: after 71 minutes it begins anew, which makes a wait no longer than it is. */
static inline bool bbr_elapsed(const struct sock *sk, u32 stamp, u32 us)
{
	return tcp_now_us(sk) - stamp > us;
}

/* PROBE_RTT, and the window to come back to from it and from recoveries */
struct bbr_probe_rtt {
	u32 since; /* us: so long no more than a few are in flight; while timed */
	u32 prior_cwnd;
	bool timed, round_done;
};
/* @normal: neither a recovery nor PROBE_RTT has lowered the window. */
void bbr_save_cwnd(const struct sock *sk, struct bbr_probe_rtt *p, bool normal);
static inline void bbr_restore_cwnd(struct sock *sk, const struct bbr_probe_rtt *p)
{
	tcp_sk(sk)->snd_cwnd = max(tcp_sk(sk)->snd_cwnd, p->prior_cwnd);
}
/* An ACK in PROBE_RTT, which waits until no more than @few are in flight, and then 200 ms and a round. True: it is over. */
bool bbr_probe_rtt_ack(struct sock *sk, struct bbr_probe_rtt *p, u32 few, bool round_start,
		       u32 *next_round_delivered);
/* Have the 200 ms passed? */
bool bbr_probe_rtt_elapsed(const struct sock *sk, const struct bbr_probe_rtt *p);

/* For get_info(). */
u32 bbr_fill_info(const struct sock *sk, u32 bw, u32 min_rtt_us, u32 pacing_gain, u32 cwnd_gain,
		  union tcp_cc_info *ret_info, u16 *ret_attr);

/* Octets per second. */
u64 bbr_rate(const struct sock *sk, u32 bw, u32 gain);
/* Packets. @min_rtt_us UINT32_MAX: not known, the initial window. */
u32 bbr_bdp(const struct sock *sk, u32 bw, u32 min_rtt_us, u32 gain);
u32 bbr_min_tso_segs(const struct sock *sk);
u32 bbr_quantization(const struct sock *sk, u32 cwnd);
/* Sets *has_seen_rtt if it rests on a measured round trip. */
void bbr_init_pacing_rate(struct sock *sk, u32 gain, bool *has_seen_rtt);

#endif
