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
 * Times are us of 32 bits: what is compared is less than an hour apart.
 * See draft-cheng-iccrg-delivery-rate-estimation, RFC 9438 4 (app-limited), linux/tcp.h (tcp_info).
 */
#include "tcp/tcp.h"

static u32 ns_to_us(u64 ns)
{
	return (u32)(ns / NSEC_PER_USEC);
}

/* @skb is being sent (again); it is not counted in flight yet. Draft 3.3: Transmission */
void tcp_rate_skb_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	/* Nothing was in flight: the sample begins with this one. */
	if (!tp->packets_out) {
		f->first_tx_us = ns_to_us(max(tcp_now_ns(sk), cb->sent_ns));
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

/* @skb has arrived, as an ACK or SACK just told. Draft 3.3: Updating the rate sample */
void tcp_rate_skb_delivered(struct sock *sk, struct sk_buff *skb, struct rate_sample *rs)
{
	struct tcp_flight *f = tcp_sk(sk)->flight;
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 sent_us = ns_to_us(cb->sent_ns);

	if (!cb->tx.pending)
		return;
	if (!rs->valid ||
	    tcp_skb_sent_after(cb->sent_ns, rs->sent_ns, cb->end_seq, rs->last_end_seq)) {
		rs->valid = true;
		rs->sent_ns = cb->sent_ns;
		rs->last_end_seq = cb->end_seq;
		rs->prior_delivered = cb->tx.delivered;
		rs->prior_delivered_ce = cb->tx.delivered_ce;
		rs->prior_lost = cb->tx.lost;
		rs->tx_in_flight = cb->tx.in_flight;
		rs->prior_us = cb->tx.delivered_us;
		rs->is_app_limited = cb->tx.app_limited;
		rs->is_retrans = cb->sacked & TCPCB_RETRANS;
		rs->snd_interval_us = sent_us - cb->tx.first_tx_us;
		f->first_tx_us = sent_us;
	}
}

/* The ACK has been looked at: makes the sample. rs->acked_sacked and rs->losses are set. */
void tcp_rate_gen(struct sock *sk, bool reneged, struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_now_us(sk);

	/* The bubble has passed. */
	if (tp->app_limited && after(tp->delivered, tp->app_limited))
		tp->app_limited = 0;
	if (rs->acked_sacked && tp->flight != &tcp_no_flight)
		tp->flight->delivered_us = now;
	rs->interval_us = -1;
	rs->delivered = -1;
	rs->delivered_ce = rs->lost = 0;
	if (!rs->valid) {
		rs->sent_ns = 0;
		rs->prior_delivered = rs->prior_delivered_ce = rs->prior_lost = 0;
		rs->prior_us = rs->last_end_seq = rs->tx_in_flight = 0;
		rs->snd_interval_us = rs->rcv_interval_us = 0;
		rs->is_app_limited = rs->is_retrans = false;
		return;
	}
	rs->rcv_interval_us = now - rs->prior_us;
	/* What was SACKed and is taken back was counted twice: no sample. */
	if (reneged)
		return;
	rs->delivered = (s32)(tp->delivered - rs->prior_delivered);
	rs->delivered_ce = (s32)(tp->delivered_ce - rs->prior_delivered_ce);
	rs->lost = (s32)(tp->lost - rs->prior_lost);
	/* Shorter than the path can be: a retransmission was acknowledged by the original's ACK. */
	if (max(rs->snd_interval_us, rs->rcv_interval_us) < tcp_min_rtt(tp))
		return;
	rs->interval_us = max(rs->snd_interval_us, rs->rcv_interval_us);
	/* For tcp_info: the last sample that was not app-limited, or a better one. */
	if (!rs->is_app_limited || (u64)rs->delivered * tp->rate_interval_us >=
					   (u64)tp->rate_delivered * (u64)rs->interval_us) {
		tp->rate_delivered = (u32)rs->delivered;
		tp->rate_interval_us = (u32)rs->interval_us;
		tp->rate_app_limited = rs->is_app_limited;
	}
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
