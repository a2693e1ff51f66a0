/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_recovery.c - finding losses, and the congestion window while they are repaired
 *
 * Theory of operation
 *   The states are Linux's (icsk_ca_state):
 *     Open      nothing unusual.
 *     Disorder  duplicate ACKs or SACKs came, too few to call it a loss.
 *     CWR       the window is being reduced for another reason than loss (our own queue overflowed).
 *     Recovery  fast retransmit and fast recovery, until snd_una reaches high_seq (what was sent when it began).
 *     Loss      after a retransmission timeout, likewise.
 *   Losses are found by RACK (tcp_rack.c), or with net.ipv4.tcp_recovery = 0 by RFC 6675's rule: a hole above which tp->reordering segments were
 *   SACKed is lost. Without SACK duplicate ACKs are counted in sacked_out and NewReno's partial ACKs (RFC 6582) mark one hole at a time.
 *   In CWR and Recovery the window follows proportional rate reduction: it shrinks smoothly from prior_cwnd to ssthresh while ACKs
 *   come in (RFC 9937).
 *   Undo: if every retransmission of a recovery was reported as duplicate (DSACK), or an echoed timestamp shows that an
 *   original arrived (RFC 3522), or F-RTO does (RFC 5682), the reduction was wrong and is taken back.
 * Invariants: tcp.h's on the marks. lost_seq: every hole below it is marked LOST already.
 * See RFC 5681, 6582, 6675, 8985, 9937, 3522, 4015, 5682, 2883.
 */
#include "tcp/tcp.h"

/* ---- marks ------------------------------------------------------------------------------------------- */

void tcp_mark_skb_lost(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	if ((cb->sacked & TCPCB_SACKED_ACKED) ||
	    (cb->sacked & (TCPCB_LOST | TCPCB_SACKED_RETRANS)) == TCPCB_LOST)
		return;
	if (cb->sacked & TCPCB_SACKED_RETRANS) {
		/* Sent again, and lost again. */
		cb->sacked &= (u8)~TCPCB_SACKED_RETRANS;
		tp->retrans_out -= cb->gso_segs;
		NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPLostRetransmit, cb->gso_segs);
	}
	if (!(cb->sacked & TCPCB_LOST)) {
		cb->sacked |= TCPCB_LOST;
		tp->lost_out += cb->gso_segs;
	}
	tp->lost += cb->gso_segs;
	if (f->retransmit_hint && before(cb->seq, TCP_SKB_CB(f->retransmit_hint)->seq))
		f->retransmit_hint = skb;
}

/*
 * RFC 6675 4, IsLost(): walks down from the highest SACKed octet until enough packets above it are SACKed; from there on
 * downwards every hole is lost. Holes below lost_seq are known, so each skb is looked at about once.
 */
static void tcp_mark_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct rb_node *n = tp->flight->rtx_queue.node, *below = NULL;
	struct sk_buff *skb;
	u32 above = 0, mark_to = 0;
	bool found = false;

	while (n) { /* the last skb that begins before fack */
		if (before(TCP_SKB_CB(tcp_rb_skb(n))->seq, tp->flight->fack)) {
			below = n;
			n = n->right;
		} else {
			n = n->left;
		}
	}
	for (skb = tcp_rb_skb(below); skb; skb = tcp_skb_prev(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		if (!after(cb->end_seq, tp->flight->lost_seq))
			break;
		if (cb->sacked & TCPCB_SACKED_ACKED) {
			above += cb->gso_segs;
			continue;
		}
		if (above < tp->reordering)
			continue;
		if (!found) {
			found = true;
			mark_to = cb->end_seq;
		}
		tcp_mark_skb_lost(sk, skb);
	}
	if (found)
		tp->flight->lost_seq = mark_to;
}

/* Without SACK: the first hole is lost. */
static void tcp_mark_head_lost(struct sock *sk)
{
	struct sk_buff *skb = tcp_rtx_queue_head(sk);
	u32 mss;

	if (!skb || tcp_trim_acked(sk, skb))
		return;
	mss = tcp_skb_mss(skb);
	if (mss && skb->len > mss && !(TCP_SKB_CB(skb)->sacked & TCPCB_LOST))
		if (tcp_fragment(sk, true, skb, mss, mss))
			return;
	tcp_mark_skb_lost(sk, skb);
}

/* RFC 6582 3.2: the third duplicate ACK, and each partial ACK after it, tell of one lost segment. */
static void tcp_newreno_mark_lost(struct sock *sk, bool snd_una_advanced)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 state = inet_csk(sk)->icsk_ca_state;

	if ((state < TCP_CA_Recovery && tp->sacked_out >= tp->reordering) ||
	    (state == TCP_CA_Recovery && snd_una_advanced))
		tcp_mark_head_lost(sk);
}

/* What this ACK tells about losses; RFC 6675's rule is applied later, when recovery is known to be due. */
static void tcp_identify_packet_loss(struct sock *sk, struct tcp_ack_state *st)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_rtx_queue_empty(sk))
		return;
	if (tcp_is_reno(tp)) {
		tcp_newreno_mark_lost(sk, (st->flag & FLAG_SND_UNA_ADVANCED) != 0);
	} else if (tcp_is_rack(sk)) {
		u32 prior_retrans = tp->retrans_out;

		if (tcp_rack_mark_lost(sk))
			st->flag &= ~(u32)FLAG_SET_XMIT_TIMER;
		if (prior_retrans > tp->retrans_out)
			st->flag |= FLAG_LOST_RETRANS;
	}
}

/* ---- reordering -------------------------------------------------------------------------------------- */

/*
 * An original below @low_seq..fack arrived after later ones: the path reorders by so many packets. A larger dupthresh waits
 * longer before it calls a hole lost.
 */
void tcp_check_reordering(struct sock *sk, u32 low_seq, bool ts)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = max_t(u32, tp->mss_cache, 1), metric;

	if (!before(low_seq, tp->flight->fack))
		return;
	metric = tp->flight->fack - low_seq;
	if (metric > tp->reordering * mss && mss)
		tp->reordering = (u16)min(DIV_ROUND_UP(metric, mss), (u32)tcp_reordering_most(sk));
	tp->reord_seen++;
	NET_INC_STATS(sk->sk_net, ts ? MIB_TcpExt_TCPTSReorder : MIB_TcpExt_TCPSACKReorder);
}

/* ---- counting duplicate ACKs without SACK ------------------------------------------------------------ */

/* sacked_out and the holes, at least one, are no more than what is out. True: it had to be lowered. */
static bool tcp_limit_reno_sacked(struct tcp_sock *tp)
{
	u32 holes = min(max(tp->lost_out, 1u), tp->packets_out);

	if (tp->sacked_out + holes <= tp->packets_out)
		return false;
	tp->sacked_out = tp->packets_out - holes;
	return true;
}

/* More duplicates than segments out there: they came from reordering, not from a hole. True: so it is. */
static bool tcp_check_reno_reordering(struct sock *sk, u32 addend)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_limit_reno_sacked(tp))
		return false;
	tp->reordering = (u16)min(tp->packets_out + addend, (u32)tcp_reordering_most(sk));
	tp->reord_seen++;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPRenoReorder);
	return true;
}

/* Each duplicate ACK is a packet that left the network; never as many as are out (one is the hole). */
static void tcp_add_reno_sack(struct sock *sk, bool is_dupack, struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!is_dupack)
		return;
	tp->sacked_out++;
	if (!tcp_check_reno_reordering(sk, 0))
		st->delivered++;
}

/* A cumulative ACK covers one hole and then what duplicates were counted for. */
static void tcp_remove_reno_sacks(struct sock *sk, u32 acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (acked > 1)
		tp->sacked_out -= min(tp->sacked_out, acked - 1);
	tcp_check_reno_reordering(sk, acked);
}

u32 tcp_dupack_heuristics(const struct tcp_sock *tp)
{
	/* RFC 5681 3.2: the third duplicate; RFC 6675 5 (2): as many SACKed segments. */
	return tp->sacked_out + 1;
}

static bool tcp_time_to_recover(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* RACK counts no segments: it has marked what is lost. */
	return tp->lost_out || (!tcp_is_rack(sk) && tcp_dupack_heuristics(tp) > tp->reordering);
}

/* ---- undo -------------------------------------------------------------------------------------------- */

static void tcp_init_undo(struct tcp_sock *tp)
{
	tp->flight->undo_marker = tp->snd_una ? tp->snd_una : 1;
	tp->flight->undo_retrans = tp->retrans_out ? (s32)tp->retrans_out : -1;
}

/* RFC 3522 (Eifel): the echoed timestamp is older than our first retransmission, so an original arrived. */
static bool tcp_packet_delayed(const struct sock *sk, const struct tcp_ack_state *st)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->tstamp_ok && tp->flight->retrans_stamp && st->tsecr &&
	       (st->flag & FLAG_SND_UNA_ADVANCED) &&
	       before(st->tsecr - tp->tsoffset, tp->flight->retrans_stamp);
}

static bool tcp_may_undo(const struct sock *sk, const struct tcp_ack_state *st)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->flight->undo_marker && (!tp->flight->undo_retrans || tcp_packet_delayed(sk, st));
}

static void tcp_undo_cwnd_reduction(struct sock *sk, bool unmark_lost)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	if (unmark_lost) {
		/* They are in flight again, and older than all others: RACK looks at them first. */
		for (skb = tcp_rtx_queue_tail(sk); skb; skb = tcp_skb_prev(skb)) {
			struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

			if (!(cb->sacked & TCPCB_LOST))
				continue;
			cb->sacked &= (u8)~TCPCB_LOST;
			if (!cb->tsorted.next)
				list_add(&cb->tsorted, &tp->flight->tsorted);
		}
		tp->lost_out = 0;
		tp->flight->retransmit_hint = NULL;
		tp->flight->lost_seq = tp->snd_una;
		tp->flight->rack_advanced = true;
	}
	if (tp->flight->prior_ssthresh) {
		tp->snd_cwnd = tcp_ca(sk)->undo_cwnd(sk);
		if (tp->flight->prior_ssthresh > tp->snd_ssthresh) {
			tp->snd_ssthresh = tp->flight->prior_ssthresh;
			tcp_ecn_withdraw_cwr(tp);
		}
	}
	tp->flight->undo_marker = 0;
}

static bool tcp_any_retrans_done(const struct sock *sk)
{
	const struct sk_buff *skb = tcp_rtx_queue_head(sk);

	return tcp_sk(sk)->retrans_out || (skb && (TCP_SKB_CB(skb)->sacked & TCPCB_EVER_RETRANS));
}

/* RFC 6582 5: hold the state until something above high_seq is acknowledged, or old duplicates would start a false fast retransmit. */
static bool tcp_is_non_sack_preventing_reopen(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->snd_una != tp->flight->high_seq || !tcp_is_reno(tp))
		return false;
	if (!tcp_any_retrans_done(sk))
		tp->flight->retrans_stamp = 0;
	return true;
}

/* high_seq is acknowledged: the recovery is over. True: stay in this state for one more ACK. */
static bool tcp_try_undo_recovery(struct sock *sk, const struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_may_undo(sk, st)) {
		NET_INC_STATS(sk->sk_net, inet_csk(sk)->icsk_ca_state == TCP_CA_Loss
						  ? MIB_TcpExt_TCPLossUndo
						  : MIB_TcpExt_TCPFullUndo);
		tcp_undo_cwnd_reduction(sk, false);
	} else if (tp->reo_wnd_persist) {
		tp->reo_wnd_persist--;
	}
	if (tcp_is_non_sack_preventing_reopen(sk))
		return true;
	tcp_set_ca_state(sk, TCP_CA_Open);
	tp->is_sack_reneg = 0;
	return false;
}

static bool tcp_try_undo_dsack(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->flight->undo_marker || tp->flight->undo_retrans)
		return false;
	tcp_undo_cwnd_reduction(sk, false);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPDSACKUndo);
	return true;
}

/* @frto_undo: RFC 5682 says that the timeout was spurious. */
static bool tcp_try_undo_loss(struct sock *sk, const struct tcp_ack_state *st, bool frto_undo)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!frto_undo && !tcp_may_undo(sk, st))
		return false;
	tcp_undo_cwnd_reduction(sk, true);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPLossUndo);
	if (frto_undo)
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSpuriousRTOs);
	inet_csk(sk)->icsk_retransmits = 0;
	if (tcp_is_non_sack_preventing_reopen(sk))
		return true;
	if (frto_undo || !tcp_is_reno(tp)) {
		tcp_set_ca_state(sk, TCP_CA_Open);
		tp->is_sack_reneg = 0;
	}
	return true;
}

/* Segments far above the hole were SACKed: it is lost by RFC 6675's rule, whatever was marked so far. */
static bool tcp_force_fast_retransmit(const struct tcp_sock *tp)
{
	return after(tp->flight->fack, tp->snd_una + tp->reordering * tp->mss_cache);
}

/* A partial ACK in Recovery. True: wait, it shows that the original was only late. */
static bool tcp_try_undo_partial(struct sock *sk, const struct tcp_ack_state *st, bool *ret_do_lost)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->flight->undo_marker || !tcp_packet_delayed(sk, st)) {
		*ret_do_lost = tcp_force_fast_retransmit(tp);
		return false;
	}
	tcp_check_reordering(sk, st->prior_snd_una, true);
	/* With retransmissions under way the answer must wait for theirs. */
	if (tp->retrans_out)
		return true;
	if (!tcp_any_retrans_done(sk))
		tp->flight->retrans_stamp = 0;
	tcp_undo_cwnd_reduction(sk, true);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPPartialUndo);
	tcp_try_keep_open(sk);
	return false;
}

/* ---- proportional rate reduction --------------------------------------------------------------------- */

void tcp_set_ca_state(struct sock *sk, u8 state)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_state == TCP_CA_Loss && state != TCP_CA_Loss)
		tcp_rto_recovery_end(sk);
	if (tcp_ca(sk)->set_state)
		tcp_ca(sk)->set_state(sk, state);
	icsk->icsk_ca_state = state;
}

/* The time from a first timeout until what was lost is there: tcp_info tells its sum. */
void tcp_rto_recovery_begin(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->total_rto_recoveries++;
	if (!tp->rto_stamp)
		tp->rto_stamp = tcp_stamp_ms(sk);
}

void tcp_rto_recovery_end(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->total_rto_ms = tcp_total_rto_ms(sk);
	tp->rto_stamp = 0;
}

static bool tcp_in_cwnd_reduction(const struct sock *sk)
{
	u8 s = inet_csk(sk)->icsk_ca_state;

	return s == TCP_CA_CWR || s == TCP_CA_Recovery;
}

void tcp_init_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->flight->high_seq = tp->snd_nxt;
	tp->flight->tlp_high_seq = 0;
	tp->snd_cwnd_cnt = 0;
	tp->flight->prior_cwnd = tp->snd_cwnd;
	tp->flight->prr_delivered = 0;
	tp->flight->prr_out = 0;
	tp->snd_ssthresh = tcp_ca(sk)->ssthresh(sk);
	tcp_ecn_queue_cwr(tp);
}

/*
 * RFC 9937 5. While more is in flight than the target, ssthresh / prior_cwnd of what is delivered is sent; below it, what was delivered, and one more
 * for an ACK that advances without telling of a loss (SafeACK: slow start; else packet conservation).
 */
void tcp_cwnd_reduction(struct sock *sk, u32 delivered, u32 newly_lost, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	u32 in_flight = tcp_packets_in_flight(tp);
	s32 delta = (s32)(tp->snd_ssthresh - in_flight), sndcnt;

	if (!delivered || !f->prior_cwnd)
		return;
	f->prr_delivered += delivered;
	if (delta < 0) {
		u64 dividend = (u64)tp->snd_ssthresh * f->prr_delivered + f->prior_cwnd - 1;

		sndcnt = (s32)(dividend / f->prior_cwnd) - (s32)f->prr_out;
	} else {
		sndcnt = max((s32)(f->prr_delivered - f->prr_out), (s32)delivered);
		if ((flag & FLAG_SND_UNA_ADVANCED) && !newly_lost)
			sndcnt++;
		sndcnt = min(delta, sndcnt);
	}
	/* The fast retransmit itself always goes out. */
	sndcnt = max(sndcnt, f->prr_out ? 0 : 1);
	tp->snd_cwnd = max(in_flight + (u32)sndcnt, 1u);
}

void tcp_end_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_ca(sk)->cong_control)
		return;

	if (tp->snd_ssthresh < TCP_INFINITE_SSTHRESH &&
	    (tp->flight->undo_marker || inet_csk(sk)->icsk_ca_state == TCP_CA_CWR))
		tp->snd_cwnd = tp->snd_ssthresh;
	tcp_ca_event(sk, CA_EVENT_COMPLETE_CWR);
}

void tcp_enter_cwr(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_flight_get(sk))
		return;
	tp->flight->prior_ssthresh = 0;
	if (inet_csk(sk)->icsk_ca_state < TCP_CA_CWR) {
		tp->flight->undo_marker = 0;
		tcp_init_cwnd_reduction(sk);
		tcp_set_ca_state(sk, TCP_CA_CWR);
	}
}

/* ---- entering and leaving ---------------------------------------------------------------------------- */

u32 tcp_current_ssthresh(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_in_cwnd_reduction(sk))
		return tp->snd_ssthresh;
	return max(tp->snd_ssthresh, (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2));
}

void tcp_enter_recovery(struct sock *sk, bool marked)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_rtx_queue_head(sk);

	NET_INC_STATS(sk->sk_net,
		      tcp_is_reno(tp) ? MIB_TcpExt_TCPRenoRecovery : MIB_TcpExt_TCPSackRecovery);
	tp->flight->prior_ssthresh = 0;
	tcp_init_undo(tp);
	if (!tcp_in_cwnd_reduction(sk)) {
		/* A mark is congestion whatever becomes of the loss: no undo. */
		if (!marked)
			tp->flight->prior_ssthresh = tcp_current_ssthresh(sk);
		tcp_init_cwnd_reduction(sk);
	} else {
		tp->flight->high_seq = tp->snd_nxt;
		tp->flight->tlp_high_seq = 0; /* what the probe repaired has its price already */
	}
	tcp_set_ca_state(sk, TCP_CA_Recovery);
	if (head)
		trace_skb(head, sk->sk_net, TP_tcp_enter_recovery, TRACE_PASS, tp->snd_ssthresh,
			  tp->lost_out);
}

/* RFC 6675 5.1, RFC 8985 6.3: what is lost after a timeout: all but what RACK knows to be too young. */
static void tcp_timeout_mark_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	struct sk_buff *head = tcp_rtx_queue_head(sk), *skb;
	bool reneg = head && (TCP_SKB_CB(head)->sacked & TCPCB_SACKED_ACKED);

	if (reneg) {
		/* RFC 2018 8: forget all that was SACKed. */
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSACKReneging);
		tp->is_sack_reneg = 1;
	}
	if (reneg || tcp_is_reno(tp)) {
		tp->sacked_out = 0;
		f->sack_cache = (struct tcp_sack_block){ 0, 0 };
		f->fack = tp->snd_una;
	}
	for (skb = head; skb; skb = tcp_skb_next(skb)) {
		if (reneg)
			TCP_SKB_CB(skb)->sacked &= (u8)~TCPCB_SACKED_ACKED;
		else if (tcp_is_rack(sk) && skb != head && tcp_rack_skb_timeout(sk, skb, 0) > 0)
			continue;
		tcp_mark_skb_lost(sk, skb);
	}
	f->retransmit_hint = NULL;
	f->lost_seq = tp->snd_nxt;
}

/* The retransmission timer fired (RFC 5681 3.1). */
void tcp_enter_loss(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	struct sk_buff *head = tcp_rtx_queue_head(sk);
	bool new_recovery = icsk->icsk_ca_state < TCP_CA_Recovery;

	tcp_timeout_mark_lost(sk);
	/* Only the first timeout of a series lowers ssthresh. */
	if (icsk->icsk_ca_state <= TCP_CA_Disorder || !after(f->high_seq, tp->snd_una) ||
	    (icsk->icsk_ca_state == TCP_CA_Loss && !icsk->icsk_retransmits)) {
		f->prior_ssthresh = tcp_current_ssthresh(sk);
		f->prior_cwnd = tp->snd_cwnd;
		tp->snd_ssthresh = tcp_ca(sk)->ssthresh(sk);
		tcp_ca_event(sk, CA_EVENT_LOSS);
		tcp_init_undo(tp);
	}
	tp->snd_cwnd = tcp_packets_in_flight(tp) + 1;
	tp->snd_cwnd_cnt = 0;
	/* A timeout shows that waiting so long for reordering was no good. */
	if (icsk->icsk_ca_state <= TCP_CA_Disorder && tp->sacked_out >= tcp_reordering_least(sk))
		tp->reordering = min(tp->reordering, tcp_reordering_least(sk));
	tcp_set_ca_state(sk, TCP_CA_Loss);
	f->high_seq = tp->snd_nxt;
	f->tlp_high_seq = 0;
	tcp_ecn_queue_cwr(tp);
	/* RFC 5682 3.1 step 1: not inside a fast recovery, whose retransmissions would confuse it */
	tp->frto = net->frto && (new_recovery || icsk->icsk_retransmits) && !f->mtu_probe_size;
	if (head)
		trace_skb(head, sk->sk_net, TP_tcp_enter_loss, TRACE_PASS, tp->snd_ssthresh,
			  tp->lost_out);
}

/* Nothing of what is in flight has arrived. */
void tcp_mark_all_lost(struct sock *sk)
{
	for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb))
		tcp_mark_skb_lost(sk, skb);
}

/* The path takes less than it was given: what is larger must be sent again, without blaming congestion. */
void tcp_simple_retransmit(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tcp_current_mss(sk);
	struct sk_buff *skb;

	/* RFC 7413 4.1.3: a SYN with data that was too large: the SYN again, alone; the data follow it. */
	if (unlikely(tp->syn_data && sk->sk_state == SS_TCP_SYN_SENT))
		tcp_mark_all_lost(sk);
	for (skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb)) {
		if (tcp_skb_mss(skb) > mss && skb->len > mss) {
			if (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_RETRANS) {
				TCP_SKB_CB(skb)->sacked &= (u8)~TCPCB_SACKED_RETRANS;
				tp->retrans_out -= tcp_skb_pcount(skb);
			}
			tcp_mark_skb_lost(sk, skb);
		}
	}
	if (!tp->lost_out)
		return;
	tp->flight->retransmit_hint = NULL;
	if (tcp_is_reno(tp))
		tcp_limit_reno_sacked(tp);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Loss) {
		tp->flight->high_seq = tp->snd_nxt;
		tp->snd_ssthresh = tcp_current_ssthresh(sk);
		tp->flight->prior_ssthresh = 0;
		tp->flight->undo_marker = 0;
		tp->frto = 0; /* no timeout led here */
		tcp_set_ca_state(sk, TCP_CA_Loss);
	}
	tcp_xmit_retransmit_queue(sk);
}

/* Open, or Disorder while something is missing. */
void tcp_try_keep_open(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = tcp_left_out(tp) || tcp_any_retrans_done(sk) ? TCP_CA_Disorder : TCP_CA_Open;

	if (inet_csk(sk)->icsk_ca_state != state) {
		tcp_set_ca_state(sk, state);
		tp->flight->high_seq = tp->snd_nxt;
	}
}

static void tcp_try_to_open(struct sock *sk)
{
	if (!tcp_any_retrans_done(sk))
		tcp_sk(sk)->flight->retrans_stamp = 0;
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_CWR)
		tcp_try_keep_open(sk);
}

/* ---- the state machine ------------------------------------------------------------------------------- */

/* The peer dropped what it had reported. It may only be late in telling: wait a moment, then treat it as a timeout. */
static bool tcp_check_sack_reneging(struct sock *sk, struct tcp_ack_state *st)
{
	if (!(st->flag & FLAG_SACK_RENEGING) || !(st->flag & FLAG_SND_UNA_ADVANCED))
		return false;
	st->flag &= ~(u32)FLAG_SET_XMIT_TIMER;
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, max(tcp_sk(sk)->srtt_us >> 4, 10000u));
	return true;
}

/*
 * In Loss. RFC 5682 3.1: after the timeout one segment was sent again. If the next ACK advances, new data is sent (step 2b); what then comes for
 * segments that were never sent again shows that the timeout was spurious (3b), a duplicate ACK that it was not (3a).
 */
static void tcp_process_loss(struct sock *sk, struct tcp_ack_state *st, bool is_dupack, u32 *rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	bool recovered = !before(tp->snd_una, f->high_seq);

	/* Duplicates that were counted before stand for what this ACK took away. */
	if (tcp_is_reno(tp))
		tcp_limit_reno_sacked(tp);
	if ((st->flag & FLAG_SND_UNA_ADVANCED) && tcp_try_undo_loss(sk, st, false))
		return;
	if (tp->frto) {
		if ((st->flag & FLAG_ORIG_SACK_ACKED) && tcp_try_undo_loss(sk, st, true))
			return;
		if (after(tp->snd_nxt, f->high_seq)) {
			if ((st->flag & FLAG_DATA_SACKED) || is_dupack)
				tp->frto = 0; /* 3a: it was real */
		} else if ((st->flag & FLAG_SND_UNA_ADVANCED) && !recovered) {
			f->high_seq = tp->snd_nxt;
			/* 2b, as soon as the window is set; without new data as ever */
			if (tcp_send_head(sk) && after(tcp_wnd_end(tp), tp->snd_nxt)) {
				*rexmit = REXMIT_NEW;
				return;
			}
			tp->frto = 0;
		}
	}
	if (recovered) {
		tcp_try_undo_recovery(sk, st);
		return;
	}
	if (tcp_is_reno(tp)) {
		/* A duplicate ACK in 2b stands for new data that has arrived. */
		if (after(tp->snd_nxt, f->high_seq) && is_dupack)
			tcp_add_reno_sack(sk, is_dupack, st);
		else if (st->flag & FLAG_SND_UNA_ADVANCED)
			tp->sacked_out = 0;
	}
	*rexmit = REXMIT_LOST;
}

/* In Recovery. False: the ACK needs nothing more. */
static bool tcp_process_recovery(struct sock *sk, struct tcp_ack_state *st, bool is_dupack,
				 bool *ret_do_lost)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(st->flag & FLAG_SND_UNA_ADVANCED)) {
		if (tcp_is_reno(tp))
			tcp_add_reno_sack(sk, is_dupack, st);
	} else {
		if (tcp_is_reno(tp))
			tcp_remove_reno_sacks(sk, st->acked_pkts);
		if (tcp_try_undo_partial(sk, st, ret_do_lost))
			return false;
	}
	if (tcp_try_undo_dsack(sk))
		tcp_try_keep_open(sk);
	tcp_identify_packet_loss(sk, st);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Recovery) {
		if (!tcp_time_to_recover(sk))
			return false;
		/* It was undone, and another loss is evident. */
		tcp_enter_recovery(sk, st->flag & FLAG_ECE);
	}
	return true;
}

/* snd_una reached high_seq. True: done with this ACK. */
static bool tcp_check_recovered(struct sock *sk, struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	switch (inet_csk(sk)->icsk_ca_state) {
	case TCP_CA_CWR:
		if (tp->snd_una != tp->flight->high_seq) {
			tcp_end_cwnd_reduction(sk);
			tcp_set_ca_state(sk, TCP_CA_Open);
		}
		return false;
	case TCP_CA_Recovery:
		if (tcp_is_reno(tp))
			tp->sacked_out = 0;
		if (tcp_try_undo_recovery(sk, st))
			return true;
		tcp_end_cwnd_reduction(sk);
		return false;
	default:
		return false;
	}
}

/*
 * A dubious ACK: decides the state, marks losses, and says what to send (*ret_rexmit). The window for it is set afterwards by
 * tcp_cong_control().
 */
void tcp_fastretrans_alert(struct sock *sk, struct tcp_ack_state *st, bool is_dupack,
			   u32 *ret_rexmit)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	bool do_lost =
		is_dupack || ((st->flag & FLAG_DATA_SACKED) && tcp_force_fast_retransmit(tp));

	if (tp->flight == &tcp_no_flight)
		return; /* nothing in flight, and nothing to undo */
	if (!tp->packets_out && tp->sacked_out)
		tp->sacked_out = 0;
	if (st->flag & FLAG_ECE)
		tp->flight->prior_ssthresh =
			0; /* a mark is congestion whatever becomes of the rest: no undo */
	if (tcp_check_sack_reneging(sk, st))
		return;
	if (icsk->icsk_ca_state == TCP_CA_Open)
		tp->flight->retrans_stamp = 0;
	else if (!before(tp->snd_una, tp->flight->high_seq) && tcp_check_recovered(sk, st))
		return;

	switch (icsk->icsk_ca_state) {
	case TCP_CA_Recovery:
		if (!tcp_process_recovery(sk, st, is_dupack, &do_lost))
			return;
		break;
	case TCP_CA_Loss:
		tcp_process_loss(sk, st, is_dupack, ret_rexmit);
		tcp_identify_packet_loss(sk, st);
		if (icsk->icsk_ca_state != TCP_CA_Open && !(st->flag & FLAG_LOST_RETRANS))
			return;
		/* It was undone, or a retransmission is lost. */
		/* fall through */
	default:
		if (tcp_is_reno(tp)) {
			if (st->flag & FLAG_SND_UNA_ADVANCED)
				tp->sacked_out = 0;
			tcp_add_reno_sack(sk, is_dupack, st);
		}
		if (icsk->icsk_ca_state <= TCP_CA_Disorder)
			tcp_try_undo_dsack(sk);
		tcp_identify_packet_loss(sk, st);
		if (!tcp_time_to_recover(sk)) {
			if (st->flag & FLAG_ECE)
				tcp_enter_cwr(sk);
			tcp_try_to_open(sk);
			return;
		}
		if (icsk->icsk_ca_state < TCP_CA_CWR && tcp_mtu_probe_lost(sk))
			return;
		tcp_enter_recovery(sk, st->flag & FLAG_ECE);
		if (!tcp_is_reno(tp) && !tcp_is_rack(sk)) {
			tp->flight->lost_seq = tp->snd_una;
			/* RFC 6675 5 (4.3): the first hole is lost, whatever its distance. */
			tcp_mark_head_lost(sk);
			do_lost = true;
		}
		break;
	}
	/* RFC 6675 is the fallback without RACK. */
	if (do_lost && !tcp_is_rack(sk) && !tcp_is_reno(tp))
		tcp_mark_lost(sk);
	*ret_rexmit = REXMIT_LOST;
}

/* ---- the window -------------------------------------------------------------------------------------- */

void tcp_cong_control(struct sock *sk, const struct tcp_ack_state *st)
{
	const struct tcp_congestion_ops *ca = tcp_ca(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (ca->cong_control) {
		ca->cong_control(sk, tp->snd_una, st->flag, &st->rs);
		return;
	}
	if (tcp_in_cwnd_reduction(sk)) {
		tcp_cwnd_reduction(sk, st->delivered, st->lost, st->flag);
	} else if (st->flag & FLAG_DATA_ACKED ||
		   (tp->reordering > tcp_reordering_least(sk) && (st->flag & FLAG_DATA_SACKED))) {
		ca->cong_avoid(sk, tp->snd_una, st->delivered);
	}
}

void tcp_xmit_recovery(struct sock *sk, u32 rexmit)
{
	if (rexmit == REXMIT_NONE || sk->sk_state == SS_TCP_SYN_SENT)
		return;
	if (rexmit == REXMIT_NEW) {
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
		if (after(tcp_sk(sk)->snd_nxt, tcp_sk(sk)->flight->high_seq))
			return;
		tcp_sk(sk)->frto = 0; /* nothing new could be sent */
	}
	tcp_xmit_retransmit_queue(sk);
}
