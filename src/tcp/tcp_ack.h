/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ack.h - what is done for each skb that has arrived, and at the end of each ACK: inline, because an ordinary ACK does little else
 *
 * The theory of the first part is in tcp_rate.c, that of the second in tcp_rack.c. What tcp_ack() asks nobody for (congestion control without
 * cong_control() looks at no sample) the compiler leaves out.
 */
#ifndef WEIR_TCP_TCP_ACK_H
#define WEIR_TCP_TCP_ACK_H

#include "tcp/tcp.h"

static inline u32 tcp_ns_to_us(u64 ns)
{
	return (u32)(ns / NSEC_PER_USEC);
}

/* @skb has arrived, as an ACK or SACK just told. Draft 3.3: Updating the rate sample */
static __always_inline void tcp_rate_skb_delivered(struct sock *sk, const struct sk_buff *skb,
						   struct rate_sample *rs)
{
	struct tcp_flight *f = tcp_sk(sk)->flight;
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 sent_us = tcp_ns_to_us(cb->sent_ns);

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
static __always_inline void tcp_rate_gen(struct sock *sk, bool reneged, struct rate_sample *rs)
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

/* RFC 8985 6.2 step 2: a transmission of @sent_ns up to @end_seq, which took @rtt_us, has arrived. @sacked: its marks. */
static __always_inline void tcp_rack_advance(struct tcp_sock *tp, u8 sacked, u32 end_seq,
					     u64 sent_ns, u32 rtt_us)
{
	struct tcp_flight *f = tp->flight;

	/* Quicker than the path can be: the ACK is for an earlier transmission of it. */
	if (unlikely(sacked & TCPCB_RETRANS) && rtt_us < tcp_min_rtt(tp))
		return;
	f->rack_advanced = true;
	f->rack_rtt_us = rtt_us;
	if (tcp_skb_sent_after(sent_ns, f->rack_sent_ns, end_seq, f->rack_end_seq)) {
		f->rack_sent_ns = sent_ns;
		f->rack_end_seq = end_seq;
	}
}

/* RFC 8985 6.2 step 4: DSACKs show that reo_wnd was too small; once in a round trip, whose begin last_delivered marks. */
static __always_inline void tcp_rack_update_reo_wnd(struct sock *sk, const struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if ((tcp_net(sk)->recovery & TCP_RACK_STATIC_REO_WND) || !rs->valid)
		return;
	if (before(rs->prior_delivered, tp->rack_last_delivered))
		tp->rack_dsack_seen = 0;
	if (tp->rack_dsack_seen) {
		tp->reo_wnd_steps = (u8)min(tp->reo_wnd_steps + 1, 255);
		tp->rack_dsack_seen = 0;
		tp->rack_last_delivered = tp->delivered;
		tp->reo_wnd_persist = TCP_RACK_RECOVERY_THRESH;
	} else if (!tp->reo_wnd_persist) {
		tp->reo_wnd_steps = 1;
	}
}

#endif
