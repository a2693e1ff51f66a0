/* SPDX-License-Identifier: BSD-2-Clause */
/* reno.c - NewReno's window: slow start, then one segment per round trip; half on loss (RFC 5681 3.1, RFC 6582) */
#include "tcp/tcp.h"

u32 tcp_reno_ssthresh(struct sock *sk)
{
	/* RFC 5681 (4) says half of FlightSize; like everyone we take the window, which validation keeps close to it. */
	return max(tcp_sk(sk)->snd_cwnd >> 1, 2u);
}

void tcp_reno_cong_avoid(struct sock *sk, u32 ack, u32 acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	(void)ack;
	if (!tcp_is_cwnd_limited(sk))
		return;
	if (tcp_in_slow_start(tp)) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	tcp_cong_avoid_ai(tp, tp->snd_cwnd, acked);
}

u32 tcp_reno_undo_cwnd(struct sock *sk)
{
	return max(tcp_sk(sk)->snd_cwnd, tcp_sk(sk)->flight->prior_cwnd);
}

const struct tcp_congestion_ops tcp_reno = {
	.name = "reno",
	.ssthresh = tcp_reno_ssthresh,
	.cong_avoid = tcp_reno_cong_avoid,
	.undo_cwnd = tcp_reno_undo_cwnd,
};
