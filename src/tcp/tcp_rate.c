/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_rate.c - how fast the path delivers, sampled with each ACK; and what a connection spends its time with
 *
 * Theory of operation
 *   tp->delivered counts the packets that are known to have arrived, flight->delivered_us when it last grew. Each skb remembers both as they
 *   were when it was sent. When it is acknowledged, delivered has grown by so many packets since (rs->delivered), and it took the
 *   longer of two times: from the ACK that was the last one when it was sent until this ACK, and from the sending of what that ACK
 *   acknowledged (flight->first_tx_us) until the sending of this skb. The first alone would be too short when ACKs come
 *   compressed, the second alone when the sender pauses. Of all skbs that an ACK covers the one sent last is taken: the freshest sample.
 *   A sample is app-limited if the program had left the pipe partly empty when the skb was sent: it tells a lower bound only. app_limited
 *   is the count that delivered must pass until the bubble is through; 0: none.
 *   The same with tp->delivered_ce (ECN) and tp->lost, for controls that look at both.
 *   The chronograph: at any time the connection is idle, or busy, or busy but held up by the peer's window or by our send buffer.
 *   tcp_chrono_start() of the more specific one wins; tcp_info shows the sums.
 * What an ACK does of this for each skb, and the sample itself, is in tcp_ack.h.
 * Times are us of 32 bits: what is compared is less than an hour apart.
 * See draft-cheng-iccrg-delivery-rate-estimation, RFC 9438 4 (app-limited), linux/tcp.h (tcp_info).
 */
#include "tcp/tcp_ack.h"

/* @skb is being sent (again); it is not counted in flight yet. Draft 3.3: Transmission */
void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	/* Nothing was in flight: the sample begins with this one. */
	if (!tp->packets_out) {
		f->first_tx_us = tcp_ns_to_us(max(tcp_now_ns(sk), cb->sent_ns));
		f->delivered_us = f->first_tx_us;
	}
	cb->tx = (struct tcp_tx_sample){
		.first_tx_us = f->first_tx_us,
		.delivered_us = f->delivered_us,
		.delivered = tp->delivered,
		.delivered_ce = tp->delivered_ce,
		.lost = tp->lost,
		.in_flight = (tcp_packets_in_flight(tp) + cb->gso_segs) & TCP_TX_IN_FLIGHT_MAX,
		.app_limited = tp->app_limited != 0,
		.pending = 1,
	};
}

u64 tcp_delivery_rate(const struct tcp_sock *tp)
{
	if (!tp->rate_delivered || !tp->rate_interval_us)
		return 0;
	return (u64)tp->rate_delivered * tp->mss_cache * 1000000 / tp->rate_interval_us;
}

/* ---- the chronograph ---------------------------------------------------------------------------------- */

static void tcp_chrono_set(struct sock *sk, enum tcp_chrono type)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_now_ms(sk);

	if (tp->chrono_type > TCP_CHRONO_IDLE)
		tp->chrono_ms[tp->chrono_type - 1] += now - tp->chrono_start;
	tp->chrono_start = now;
	tp->chrono_type = type;
}

void __tcp_chrono_start(struct sock *sk, enum tcp_chrono type)
{
	tcp_chrono_set(sk, type);
}

/* It is over: falls back to busy while there is anything to be sent or acknowledged. */
void __tcp_chrono_stop(struct sock *sk, enum tcp_chrono type)
{
	if (!tcp_send_head(sk) && tcp_rtx_queue_empty(sk))
		tcp_chrono_set(sk, TCP_CHRONO_IDLE);
	else if (type == tcp_sk(sk)->chrono_type)
		tcp_chrono_set(sk, TCP_CHRONO_BUSY);
}

/* us; *ret_rwnd, *ret_sndbuf: the parts of it that were waits */
u64 tcp_chrono_busy(const struct sock *sk, u64 *ret_rwnd, u64 *ret_sndbuf)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 sum = 0, us[TCP_CHRONO_TYPES - 1];

	for (u32 i = 0; i < ARRAY_SIZE(us); i++) {
		us[i] = tp->chrono_ms[i];
		if (tp->chrono_type == i + 1)
			us[i] += tcp_now_ms(sk) - tp->chrono_start;
		us[i] *= 1000;
		sum += us[i];
	}
	*ret_rwnd = us[TCP_CHRONO_RWND_LIMITED - 1];
	*ret_sndbuf = us[TCP_CHRONO_SNDBUF_LIMITED - 1];
	return sum;
}
