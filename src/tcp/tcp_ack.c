/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ack.c - what an acknowledgement does to the sender: window update, cleaning the retransmit queue, round-trip time
 *
 * Theory of operation
 *   tcp_ack() is the fifth step of RFC 9293 3.10.7.4. In order: is the number acceptable; does it move the send window; which
 *   skbs arrived, by SACK (tcp_sack.c) and cumulatively; what the round trip was; then loss recovery looks at it if it is
 *   dubious (tcp_recovery.c), and congestion control sets the window.
 *   Round-trip times come from the time each skb was last sent (Karn: never from one that was sent twice), else from the
 *   timestamp that the peer echoes.
 * See RFC 6298, RFC 7323 4, RFC 5961 5.
 */
#include <errno.h>

#include "tcp/tcp_ack.h"

/* ---- round-trip time --------------------------------------------------------------------------------- */

/* What one of @n samples adds: without a division where there is but one. */
static s32 rtt_share(s32 delta, u32 n)
{
	return n > 1 ? delta / (s32)n : delta;
}

/*
 * RFC 6298 2.2 and 2.3. srtt_us holds 8 SRTT, rttvar_us 4 RTTVAR, so that the gains 1/8 and 1/4 are shifts. With @n > 1 samples
 * per round trip the gains shrink accordingly (RFC 7323 appendix G), else the memory would be shorter than a round trip.
 * @rtt_us is no longer than TCP_RTO_MAX_US: so neither leaves 31 bits, nor comes below 1 and 0.
 */
static __always_inline void rtt_estimate(struct tcp_sock *tp, u32 rtt_us, u32 n)
{
	s32 r = (s32)max(rtt_us, 1u), srtt = (s32)tp->srtt_us, var = (s32)tp->rttvar_us, err;

	if (unlikely(!srtt)) {
		tp->srtt_us = (u32)r << 3;
		tp->rttvar_us = (u32)r << 1; /* 4 * R/2 */
		return;
	}
	err = r - (srtt >> 3);
	/* RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R| */
	var += rtt_share((err < 0 ? -err : err) - (var >> 2), n);
	/* SRTT <- 7/8 SRTT + 1/8 R */
	srtt += rtt_share(err, n);
	tp->srtt_us = (u32)srtt;
	tp->rttvar_us = (u32)var;
}

void tcp_rtt_estimator(struct tcp_sock *tp, u32 rtt_us, u32 n)
{
	rtt_estimate(tp, rtt_us, n);
}

/*
 * RFC 6298 2.3: SRTT + max(G, 4 RTTVAR). 2.4 asks for a floor of 1 s; like Linux we keep 4 RTTVAR, not the sum, above
 * net.ipv4.tcp_rto_min_us (200 ms): it must cover the peer's delayed ACK.
 */
static __always_inline u32 rto_us(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	/* Both are far below 32 bits. */
	u32 rto = (tp->srtt_us >> 3) + max(tp->rttvar_us, tcp_rto_min_us(sk));

	return min(rto, tcp_rto_max_us(sk));
}

u32 tcp_rto_us(const struct sock *sk)
{
	return rto_us(sk);
}

void tcp_set_rto(struct sock *sk)
{
	inet_csk(sk)->icsk_rto_us = rto_us(sk);
}

/* How many samples a round trip gives: every second segment is acknowledged. */
u32 tcp_acks_per_rtt(const struct tcp_sock *tp)
{
	return max(1u, (tp->packets_out + 1) / 2);
}

/* The least of the last minutes, to follow a path that has become longer: but not by what the peer's delayed ACK took. */
static __always_inline void tcp_update_min_rtt(struct sock *sk, u32 rtt_us, bool delayed)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u16 now = (u16)(tcp_now_ns(sk) / (2 * NSEC_PER_SEC));

	if (!tp->min_rtt_us || rtt_us <= tp->min_rtt_us ||
	    (!delayed && (u16)(now - tp->min_rtt_stamp) > tcp_net(sk)->min_rtt_wlen_s / 2)) {
		tp->min_rtt_us = max(rtt_us, 1u);
		tp->min_rtt_stamp = now;
	}
}

static __always_inline void tcp_rtt_sample(struct sock *sk, s64 rtt_us, s64 newest_us, bool delayed)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (rtt_us < 0)
		return;
	tcp_update_min_rtt(sk, (u32)min(newest_us, (s64)UINT32_MAX), delayed);
	rtt_estimate(tp, (u32)min(rtt_us, (s64)TCP_RTO_MAX_US), tcp_acks_per_rtt(tp));
	inet_csk(sk)->icsk_rto_us = rto_us(sk);
	inet_csk(sk)->icsk_backoff =
		0; /* RFC 6298 5.7, Karn: only a fresh sample ends the back-off */
}

void tcp_ack_update_rtt(struct sock *sk, s64 rtt_us, s64 newest_us, bool delayed)
{
	tcp_rtt_sample(sk, rtt_us, newest_us, delayed);
}

/* ---- timers ------------------------------------------------------------------------------------------ */

/* An ACK while probing a closed window. */
static void tcp_ack_probe(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct sk_buff *head = tcp_send_head(sk);

	if (!head)
		return;
	if (!after(TCP_SKB_CB(head)->end_seq, tcp_wnd_end(tcp_sk(sk)))) {
		/* The window is open: the caller's push sends the rest. */
		icsk->icsk_backoff = 0;
		tcp_sk(sk)->probes_stamp = 0;
		if (icsk->icsk_pending == ICSK_TIME_PROBE0)
			tcp_clear_xmit_timer(sk);
	} else {
		tcp_reset_probe_timer(sk, tcp_probe0_when_us(sk, tcp_rto_max_us(sk)));
	}
}

/* ---- window ------------------------------------------------------------------------------------------ */

static void tcp_snd_una_update(struct tcp_sock *tp, u32 ack)
{
	tp->bytes_acked += ack - tp->snd_una;
	tp->snd_una = ack;
	if (unlikely(tp->urg_out) && !before(ack, tp->snd_up))
		tp->urg_out = 0;
}

/* RFC 9293 3.10.7.4: SND.WL1, SND.WL2 keep old segments from changing the window. WL2 need not be kept: with an ACK equal to
 * snd_una a larger window is taken. */
static u32 tcp_ack_update_window(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 nwin = seg->window, flag = 0;

	if (!(seg->flags & TCP_FLAG_SYN))
		nwin <<= tp->snd_wscale;
	if (after(seg->ack, tp->snd_una) || after(seg->seq, tp->snd_wl1) ||
	    (seg->seq == tp->snd_wl1 && (nwin > tp->snd_wnd || !nwin))) {
		flag |= FLAG_WIN_UPDATE;
		tp->snd_wl1 = seg->seq;
		if (tp->snd_wnd != nwin) {
			tp->snd_wnd = nwin;
			/* The prediction holds the window: compute it anew. */
			tp->pred_flags = 0;
			tcp_fast_path_check(sk);
			if (tcp_send_head(sk))
				tcp_slow_start_after_idle_check(sk);
			if (nwin > tp->max_window) {
				tp->max_window = nwin;
				tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
			}
		}
	}
	tcp_snd_una_update(tp, seg->ack);
	return flag;
}

/* ---- the retransmit queue ---------------------------------------------------------------------------- */

void tcp_rtx_unlink_and_free(struct sock *sk, struct sk_buff *skb)
{
	tcp_rtx_queue_unlink(sk, skb);
	tcp_wmem_free_skb(sk, skb);
}

/* How many packets of an skb that was acknowledged in part have arrived. */
static u32 tcp_tso_acked(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 left = cb->end_seq - tcp_sk(sk)->snd_una - ((cb->tcp_flags & TCP_FLAG_FIN) != 0);
	u32 old = cb->gso_segs;
	u32 now = cb->gso_size ? max(DIV_ROUND_UP(left, (u32)cb->gso_size), 1u) : 1;

	now = min(now, old);
	cb->gso_segs = (u16)now;
	return old - now;
}

/* What the skbs that left the queue tell. */
struct tcp_clean {
	bool fresh;     /* one of them was sent once only: */
	u64 last_sent;  /* ns, the newest of those */
	u64 first_sent; /* ns, and the oldest */
	u64 rtx_sent;   /* ns, the last time one of the others was sent again; 0: none */
};

/* Was an earlier transmission of @skb acknowledged, by the timestamp that came back? */
static bool tcp_spurious_retrans(const struct sock *sk, const struct sk_buff *skb,
				 const struct tcp_ack_state *st)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	return (cb->sacked & TCPCB_RETRANS) && st->tsecr &&
	       before(st->tsecr - tcp_sk(sk)->tsoffset, (u32)(cb->sent_ns / NSEC_PER_MSEC));
}

/* @skb was sent once, and nothing has told of it before. @plain: as of tcp_ack_new(). */
static __always_inline void tcp_clean_original(const struct sock *sk, const struct sk_buff *skb,
					       struct tcp_ack_state *st, struct tcp_clean *c,
					       const bool plain)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	if (!c->fresh) {
		c->fresh = true;
		c->first_sent = cb->sent_ns;
	}
	c->last_sent = cb->sent_ns;
	if (!plain) {
		/* What was acknowledged of it before is no news. */
		u32 from = before(cb->seq, st->prior_snd_una) ? st->prior_snd_una : cb->seq;

		if (before(from, st->reord))
			st->reord = from;
		if (!after(cb->end_seq, tcp_sk(sk)->flight->high_seq))
			st->flag |= FLAG_ORIG_SACK_ACKED;
	}
}

/* Of @skb, which has marks, @acked packets are acknowledged. */
static void tcp_clean_marked(struct sock *sk, const struct sk_buff *skb, u32 acked,
			     struct tcp_ack_state *st, struct tcp_clean *c)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_sock *tp = tcp_sk(sk);
	u8 sacked = cb->sacked;

	if (!(sacked & TCPCB_SACKED_ACKED)) {
		tcp_rate_skb_delivered(sk, skb, &st->rs);
		if (!tcp_is_reno(tp) && !(cb->tcp_flags & TCP_FLAG_SYN) &&
		    !tcp_spurious_retrans(sk, skb, st))
			tcp_rack_advance(tp, sacked, cb->end_seq, cb->sent_ns,
					 (u32)tcp_us_since(sk, cb->sent_ns));
	}
	if (sacked & TCPCB_RETRANS) {
		if (sacked & TCPCB_SACKED_RETRANS)
			tp->retrans_out -= acked;
		st->flag |= FLAG_RETRANS_DATA_ACKED;
		c->rtx_sent = max(c->rtx_sent, cb->sent_ns);
	} else if (!(sacked & TCPCB_SACKED_ACKED)) {
		tcp_clean_original(sk, skb, st, c, false);
	}
	if (sacked & TCPCB_SACKED_ACKED)
		tp->sacked_out -= acked;
	if (sacked & TCPCB_LOST)
		tp->lost_out -= acked;
}

/* The same of @skb, which has none. */
static __always_inline void tcp_clean_unmarked(struct sock *sk, const struct sk_buff *skb,
					       struct tcp_ack_state *st, struct tcp_clean *c,
					       const bool plain)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_rate_skb_delivered(sk, skb, &st->rs);
	/* The round trip of a SYN says nothing of how long data may be under way. */
	if ((plain || !tcp_is_reno(tp)) && likely(!(cb->tcp_flags & TCP_FLAG_SYN)))
		tcp_rack_advance(tp, 0, cb->end_seq, cb->sent_ns,
				 (u32)tcp_us_since(sk, cb->sent_ns));
	tcp_clean_original(sk, skb, st, c, plain);
}

/* Takes what is acknowledged off the retransmit queue (RFC 9293 3.10.7.4). @plain: as of tcp_ack_new(). */
static __always_inline void tcp_clean_rtx_queue(struct sock *sk, const struct sk_buff *ack_skb,
						struct tcp_ack_state *st, struct tcp_clean *c,
						const bool plain)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = tcp_rtx_queue_head(sk))) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		bool whole = !after(cb->end_seq, tp->snd_una);
		u32 acked = cb->gso_segs;

		tcp_ack_tstamp(sk, skb, ack_skb);
		if (!whole) {
			if (acked <= 1 || !after(tp->snd_una, cb->seq))
				break;
			acked = tcp_tso_acked(sk, skb);
			if (!acked)
				break;
		}
		if (plain || likely(!cb->sacked))
			tcp_clean_unmarked(sk, skb, st, c, plain);
		else
			tcp_clean_marked(sk, skb, acked, st, c);
		if (plain || (!(cb->sacked & TCPCB_SACKED_ACKED) && !tcp_is_reno(tp)))
			st->delivered += acked;
		tp->packets_out -= acked;
		st->acked_pkts += acked;
		if (likely(!(cb->tcp_flags & TCP_FLAG_SYN))) {
			st->flag |= FLAG_DATA_ACKED;
		} else {
			st->flag |= FLAG_SYN_ACKED;
			tp->flight->retrans_stamp = 0;
		}
		if (!whole)
			break;
		tcp_rtx_unlink_and_free(sk, skb);
	}
	if (!skb) {
		/* What an ACK for the whole of a short flight took long for may be the peer's delay. */
		st->rs.is_ack_delayed = st->acked_pkts == 1 && !(st->flag & FLAG_DATA_SACKED) &&
					!(st->flag & FLAG_RETRANS_DATA_ACKED) &&
					tp->snd_una - st->prior_snd_una < tp->mss_cache;
		return;
	}
	/* RFC 2018 8: the peer took back what it had reported. */
	if (!plain && (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED))
		st->flag |= FLAG_SACK_RENEGING;
}

/*
 * The round trip that the echo of our timestamp shows, in us; -1: none. RFC 7323 4.1: it tells which transmission arrived. Valid only when the ACK
 * moves snd_una (rule RTTM).
 */
static s64 tcp_rtt_of_echo(struct sock *sk, const struct tcp_ack_state *st,
			   const struct tcp_clean *c)
{
	u32 sent = st->tsecr - tcp_sk(sk)->tsoffset, ms = tcp_now_ms(sk) - sent;

	if (!st->tsecr || !(st->flag & FLAG_ACKED))
		return -1;
	/* It echoes the original, whose ACKs were lost: what passed since is our timeout, not the path's round trip.
	 * The path works, so that the back-off ends (RFC 4015 3). */
	if (c->rtx_sent && before(sent, (u32)(c->rtx_sent / NSEC_PER_MSEC))) {
		if (tcp_sk(sk)->srtt_us)
			tcp_set_rto(sk);
		inet_csk(sk)->icsk_backoff = 0;
		return -1;
	}
	if (ms >= TCP_RTO_MAX_US / 1000)
		return -1;
	return ms ? ms * 1000LL : 1;
}

/*
 * The round trip this ACK shows, in us; -1: none. That of the oldest segment it tells of includes what the receiver waited for: so the timeout must
 * know it. *ret_newest: that of the newest, which is the path's alone; *ret_acked: the same of what was acknowledged and sent once only.
 */
static __always_inline s64 tcp_pick_rtt(struct sock *sk, const struct tcp_ack_state *st,
					const struct tcp_clean *c, s64 *ret_newest, s64 *ret_acked,
					const bool plain)
{
	bool acked = c->fresh && (plain || !(st->flag & FLAG_RETRANS_DATA_ACKED));
	bool sacked = !plain && st->sack_rtt_us >= 0;

	*ret_acked = *ret_newest = acked ? (s64)tcp_us_since(sk, c->last_sent) : -1;
	if (sacked)
		*ret_newest = st->sack_newest_rtt_us;
	if (acked)
		return likely(c->first_sent == c->last_sent) ? *ret_acked
							     : (s64)tcp_us_since(sk, c->first_sent);
	if (sacked)
		return st->sack_rtt_us;
	if (plain)
		return -1;
	return *ret_newest = tcp_rtt_of_echo(sk, st, c);
}

/* ---- tcp_ack ----------------------------------------------------------------------------------------- */

/* Does loss recovery have to look at this ACK? */
static bool tcp_ack_is_dubious(const struct sock *sk, u32 flag)
{
	return !(flag & FLAG_NOT_DUP) || (flag & FLAG_CA_ALERT) ||
	       inet_csk(sk)->icsk_ca_state != TCP_CA_Open;
}

static void tcp_sack_step(struct sock *sk, const struct tcp_seg *seg, struct tcp_ack_state *st)
{
	struct tcp_sacktag tag;

	if (!tcp_sk(sk)->sack_ok || !seg->opts_parsed || !seg->opts.num_sacks)
		return;
	tcp_sacktag_write_queue(sk, &seg->opts, seg->ack, st->prior_snd_una, &tag, &st->rs);
	st->delivered += tag.delivered;
	st->sack_rtt_us = tag.rtt_us;
	st->sack_newest_rtt_us = tag.newest_rtt_us;
	if (before(tag.reord, st->reord))
		st->reord = tag.reord;
	if (tag.newly_sacked)
		st->flag |= FLAG_DATA_SACKED;
	if (tag.orig_sacked)
		st->flag |= FLAG_ORIG_SACK_ACKED;
	if (tag.dsack_segs)
		st->flag |= FLAG_DSACKING_ACK;
	if (tag.dsack_tlp)
		st->flag |= FLAG_DSACK_TLP;
}

static __always_inline void tcp_count_delivered(struct sock *sk, const struct tcp_ack_state *st)
{
	tcp_sk(sk)->delivered += st->delivered;
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPDelivered, st->delivered);
	if (unlikely(st->flag & FLAG_ECE) && tcp_sk(sk)->ecn_flags & TCP_ECN_OK) {
		tcp_sk(sk)->delivered_ce += st->delivered;
		NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPDeliveredCE, st->delivered);
	}
}

/* For the congestion control: @rtt_us of the newest segment; -1: none. */
static __always_inline void tcp_ack_sample(struct sock *sk, const struct tcp_ack_state *st,
					   s64 rtt_us)
{
	const struct tcp_congestion_ops *ca = tcp_ca(sk);

	if (ca->pkts_acked && (st->acked_pkts || st->delivered)) {
		struct ack_sample sample = {
			.pkts_acked = max(st->acked_pkts, st->delivered),
			.rtt_us = (s32)min(rtt_us, (s64)INT32_MAX),
			.in_flight = st->prior_in_flight,
		};

		ca->pkts_acked(sk, &sample);
	}
}

/* Not if recovery has set it to something earlier. */
static __always_inline void tcp_ack_set_timer(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->packets_out && unlikely(tp->fin_waits))
		tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, TCP_RESOURCE_PROBE_US);
	else if (!tp->packets_out)
		tcp_clear_xmit_timer(sk);
	else if (!tcp_schedule_loss_probe(sk, true))
		tcp_rearm_rto(sk);
}

/* What only an ACK that tells of something unusual, or comes while something unusual is going on, has to be asked. */
static inline void tcp_ack_unusual(struct sock *sk, const struct tcp_seg *seg,
				   struct tcp_ack_state *st, u32 *rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);

	/* What was SACKed left after the head: the head's time is not over because it takes long. RFC 6298 5.3 in SACK's words. */
	if (!(st->flag & FLAG_ACKED) && st->sack_rtt_us >= 0 && tcp_rtx_queue_head(sk) &&
	    st->sack_rtt_us > (s64)tcp_us_since(sk, TCP_SKB_CB(tcp_rtx_queue_head(sk))->sent_ns))
		st->flag |= FLAG_SET_XMIT_TIMER;
	if (unlikely(tp->flight->tlp_high_seq))
		tcp_process_tlp_ack(sk, seg->ack, st->flag);
	if (tcp_accecn_ack(sk, seg, st->delivered))
		st->flag |= FLAG_ECE;
	if (tcp_ack_is_dubious(sk, st->flag)) {
		bool dup = !(st->flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP));

		tcp_fastretrans_alert(sk, st, dup, rexmit);
	}
}

/*
 * The ACK @skb is acceptable, the window is updated, and something was in flight. @plain, a constant: there is nothing unusual to ask for
 * (tcp_ack_plain()), and @seg is NULL. The compiler makes two functions of this one text.
 */
static __always_inline void tcp_ack_new(struct sock *sk, const struct tcp_seg *seg,
					struct sk_buff *skb, struct tcp_ack_state *st,
					const bool plain)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	u32 rexmit = REXMIT_NONE;
	struct tcp_clean clean = { 0 };
	s64 acked_rtt_us;

	if (plain || (st->flag & FLAG_SND_UNA_ADVANCED)) {
		tcp_clean_rtx_queue(sk, skb, st, &clean, plain);
		/* Without SACK what follows a segment that was sent again may have been here long before it: that says nothing about the timeout. */
		if (!plain && tcp_is_reno(tp) && (st->flag & FLAG_RETRANS_DATA_ACKED))
			st->flag &= ~(u32)FLAG_ORIG_SACK_ACKED;
		if (before(f->fack, tp->snd_una))
			f->fack = tp->snd_una;
		if (before(f->rexmit_seq, tp->snd_una))
			f->rexmit_seq = tp->snd_una;
		if (before(f->lost_seq, tp->snd_una))
			f->lost_seq = tp->snd_una;
	}
	tcp_rack_update_reo_wnd(sk, &st->rs);
	st->seq_rtt_us = tcp_pick_rtt(sk, st, &clean, &st->rs.rtt_us, &acked_rtt_us, plain);
	tcp_rtt_sample(sk, st->seq_rtt_us, st->rs.rtt_us, st->rs.is_ack_delayed);
	if (st->flag & FLAG_ACKED) {
		st->flag |= FLAG_SET_XMIT_TIMER;
		if (!plain) {
			tcp_mtu_probe_check_acked(sk);
			if (tcp_is_reno(tp)) {
				/* One is the hole, the others may be those that duplicate ACKs were counted for. */
				if (st->acked_pkts)
					st->delivered += st->acked_pkts > tp->sacked_out
								 ? st->acked_pkts - tp->sacked_out
								 : 1;
			} else if (before(st->reord, st->prior_fack)) {
				tcp_check_reordering(sk, st->reord, false);
			}
		}
		if (sk->sk_dst_cache && (st->flag & FLAG_DATA_ACKED))
			sk->sk_dst_cache->lastuse = tcp_now_ns(sk);
	}
	st->rs.rtt_us = acked_rtt_us >= 0 ? acked_rtt_us : st->sack_rtt_us;
	tcp_ack_sample(sk, st, st->rs.rtt_us);
	if (!plain)
		tcp_ack_unusual(sk, seg, st, &rexmit);
	if (st->flag & FLAG_SET_XMIT_TIMER)
		tcp_ack_set_timer(sk);
	trace_skb(skb, sk->sk_net, TP_tcp_ack, TRACE_PASS, tp->snd_una, tcp_packets_in_flight(tp));
	tcp_count_delivered(sk, st);
	st->rs.acked_sacked = st->delivered;
	st->rs.is_ece = (st->flag & FLAG_ECE) != 0;
	st->rs.losses = st->lost = plain ? 0 : tp->lost - st->prior_lost;
	tcp_rate_gen(sk, !plain && tp->is_sack_reneg, &st->rs);
	if (!plain) {
		tcp_cong_control(sk, st);
		tcp_xmit_recovery(sk, rexmit);
	} else if (st->flag & FLAG_DATA_ACKED) {
		tcp_ca(sk)->cong_avoid(sk, tp->snd_una, st->delivered);
	}
	if (!tp->packets_out) {
		tcp_chrono_stop(sk, TCP_CHRONO_BUSY);
		tcp_flight_put(sk);
	}
}

static __always_inline void tcp_ack_begin(const struct tcp_sock *tp, struct tcp_ack_state *st,
					  u32 tsecr)
{
	/* Member by member: it is large, and tcp_rate_gen() sets the rest of the sample. */
	st->prior_snd_una = tp->snd_una;
	st->prior_packets = tp->packets_out;
	st->prior_in_flight = tcp_packets_in_flight(tp);
	st->prior_fack = tp->flight->fack;
	st->prior_lost = tp->lost;
	st->delivered = st->acked_pkts = st->flag = st->lost = 0;
	st->sack_rtt_us = st->seq_rtt_us = -1;
	st->reord = tp->snd_nxt;
	st->tsecr = tsecr;
	tcp_rate_begin(&st->rs, st->prior_in_flight);
}

/* Header prediction says: the window is as before, and snd_una moves. */
static __always_inline void tcp_ack_advance(struct sock *sk, u32 seq, u32 ack)
{
	tcp_sk(sk)->snd_wl1 = seq;
	tcp_snd_una_update(tcp_sk(sk), ack);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPHPAcks);
}

/* The peer is there. */
static __always_inline void tcp_ack_heard(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	sk->sk_err_soft = 0;
	icsk->icsk_probes_out = 0;
	tcp_sk(sk)->rcv_tstamp = tcp_now_ms(sk);
}

/*
 * Is nothing unusual going on? Data is in flight, none of it has marks or was sent more than once, nothing is held to have arrived beyond
 * snd_una, no loss is repaired or was undone, no probe is out, and nobody but tcp_ack() looks at the marks of routers.
 */
static __always_inline bool tcp_ack_is_plain(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_flight *f = tp->flight;

	return tp->packets_out && tp->sack_ok &&
	       !(tp->sacked_out | tp->lost_out | tp->retrans_out | inet_csk(sk)->icsk_ca_state |
		 f->tlp_high_seq | f->mtu_probe_size | (tp->ecn_flags & TCP_ECN_ACCECN)) &&
	       !after(f->fack, tp->snd_una) && !after(f->rexmit_seq, tp->snd_una) &&
	       !tcp_ca(sk)->cong_control;
}

/* tcp_ack_is_plain() held, and the ACK @skb has moved snd_una from @prior_una and told nothing else but a window. */
static __attribute__((noinline)) void tcp_ack_plain(struct sock *sk, struct sk_buff *skb,
						    u32 prior_una)
{
	struct tcp_ack_state st = { 0 }; /* in registers: nobody is handed its address */

	tcp_ack_begin(tcp_sk(sk), &st, 0);
	st.prior_snd_una = prior_una;
	st.flag = FLAG_SND_UNA_ADVANCED | FLAG_WIN_UPDATE;
	tcp_ack_new(sk, NULL, skb, &st, true);
}

enum tcp_ack_result tcp_ack(struct sock *sk, struct tcp_seg *seg, bool slowpath)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 rexmit = REXMIT_NONE;
	struct tcp_ack_state st;
	bool plain = false;

	tcp_ack_begin(tp, &st, seg->saw_tstamp ? seg->tsecr : 0);
	if (before(seg->ack, tp->snd_una)) {
		/* RFC 5961 5: older than the largest window ever, or than our SYN (Linux: than our first octet): a blind guess. */
		u32 reach = (u32)min((u64)tp->max_window, tp->bytes_acked + 1);

		if (before(seg->ack, tp->snd_una - reach)) {
			tcp_send_challenge_ack(sk);
			return TCP_ACK_INVALID;
		}
		tcp_sack_step(sk, seg, &st); /* an old ACK may still bring SACK or DSACK news */
		if (st.flag & (FLAG_DATA_SACKED | FLAG_DSACKING_ACK)) {
			tcp_fastretrans_alert(sk, &st, false, &rexmit);
			tcp_count_delivered(sk, &st);
			tcp_xmit_recovery(sk, rexmit);
		}
		return TCP_ACK_OLD;
	}
	if (after(seg->ack, tp->snd_nxt)) {
		/* RFC 9293 3.10.7.4, RFC 5961 5: what was never sent; in SYN-RECEIVED our caller answers with a reset. */
		if (sk->sk_state != SS_TCP_SYN_RECV)
			tcp_send_challenge_ack(sk);
		return TCP_ACK_INVALID;
	}

	if (after(seg->ack, tp->snd_una)) {
		st.flag |= FLAG_SND_UNA_ADVANCED;
		icsk->icsk_retransmits = 0;
		plain = tcp_ack_is_plain(sk);
	}
	if (!slowpath && (st.flag & FLAG_SND_UNA_ADVANCED)) {
		tcp_ack_advance(sk, seg->seq, seg->ack);
		st.flag |= FLAG_WIN_UPDATE;
	} else {
		/* A FIN counts, too: what carries it is no duplicate ACK (RFC 5681 2). */
		if (seg->seq != seg->end_seq)
			st.flag |= FLAG_DATA;
		else
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPPureAcks);
		st.flag |= tcp_ack_update_window(sk, seg);
		tcp_sack_step(sk, seg, &st);
		if (tcp_ecn_echo(tp, seg))
			st.flag |= FLAG_ECE;
	}
	tcp_ack_heard(sk);
	if (!st.prior_packets) {
		tcp_accecn_ack(sk, seg, 0);
		if (st.flag & FLAG_DSACKING_ACK)
			tcp_fastretrans_alert(sk, &st, false, &rexmit);
		tcp_ack_probe(sk);
		if (unlikely(tp->flight->tlp_high_seq))
			tcp_process_tlp_ack(sk, seg->ack, st.flag);
		tcp_flight_put(sk);
		return TCP_ACK_OK;
	}
	if (plain && !(st.flag & FLAG_CA_ALERT))
		tcp_ack_plain(sk, seg->skb, st.prior_snd_una);
	else
		tcp_ack_new(sk, seg, seg->skb, &st, false);
	return TCP_ACK_OK;
}

static __attribute__((noinline)) void tcp_ack_not_plain(struct sock *sk, struct sk_buff *skb,
							u32 tsecr)
{
	struct tcp_seg seg;

	tcp_seg_init(&seg, skb);
	seg.saw_tstamp = tsecr != 0;
	seg.tsecr = tsecr;
	tcp_ack(sk, &seg, false);
}

void tcp_ack_predicted(struct sock *sk, struct sk_buff *skb, u32 tsecr)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 prior_una = tcp_sk(sk)->snd_una;

	if (cb->ack_seq == prior_una || unlikely(!tcp_ack_is_plain(sk))) {
		tcp_ack_not_plain(sk, skb, tsecr);
		return;
	}
	inet_csk(sk)->icsk_retransmits = 0;
	tcp_ack_advance(sk, cb->seq, cb->ack_seq);
	tcp_ack_heard(sk);
	tcp_ack_plain(sk, skb, prior_una);
}
