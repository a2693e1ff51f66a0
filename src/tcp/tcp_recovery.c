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
 *   Losses are found by RFC 6675's rule: a hole above which tp->reordering segments were SACKed is lost. Without SACK
 *   duplicate ACKs are counted in sacked_out and NewReno's partial ACKs (RFC 6582) mark one hole at a time.
 *   In CWR and Recovery the window follows proportional rate reduction: it shrinks smoothly from prior_cwnd to ssthresh while ACKs
 *   come in (RFC 6937 3, with the rule of RFC 9937 for slow-start-like growth only while snd_una advances).
 *   Undo: if every retransmission of a recovery was reported as duplicate (DSACK), or an echoed timestamp shows that an
 *   original arrived (RFC 3522), the reduction was wrong and is taken back.
 *   A time-based detector (RFC 8985) replaces tcp_mark_lost() without touching the rest.
 * Invariants: tcp.h's on the marks. lost_seq: every hole below it is marked LOST already.
 * See RFC 5681, 6582, 6675, 6937, 3522, 2883.
 */
#include "tcp/tcp.h"

/* ---- marks ------------------------------------------------------------------------------------------- */

void tcp_mark_skb_lost(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	if (cb->sacked & (TCPCB_LOST | TCPCB_SACKED_ACKED))
		return;
	cb->sacked |= TCPCB_LOST;
	tp->lost += cb->gso_segs;
	tp->lost_out += cb->gso_segs;
	if (tp->flight->retransmit_hint &&
	    before(cb->seq, TCP_SKB_CB(tp->flight->retransmit_hint)->seq))
		tp->flight->retransmit_hint = skb;
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

static void tcp_update_scoreboard(struct sock *sk)
{
	if (tcp_is_reno(tcp_sk(sk)))
		tcp_mark_head_lost(sk);
	else
		tcp_mark_lost(sk);
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
		tp->reordering =
			(u16)min(DIV_ROUND_UP(metric, mss), (u32)tcp_net(sk)->max_reordering);
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

/* Each duplicate ACK is a packet that left the network; never as many as are out (one is the hole). */
static void tcp_add_reno_sack(struct sock *sk, bool is_dupack, struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!is_dupack)
		return;
	tp->sacked_out++;
	if (!tcp_limit_reno_sacked(tp))
		st->delivered++;
}

/* A cumulative ACK covers one hole and then what duplicates were counted for. */
static void tcp_remove_reno_sacks(struct sock *sk, u32 acked)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (acked > 1)
		tp->sacked_out -= min(tp->sacked_out, acked - 1);
	tcp_limit_reno_sacked(tp);
}

u32 tcp_dupack_heuristics(const struct tcp_sock *tp)
{
	/* RFC 5681 3.2: the third duplicate; RFC 6675 5 (2): as many SACKed segments. */
	return tp->sacked_out + 1;
}

static bool tcp_time_to_recover(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return tp->lost_out || tcp_dupack_heuristics(tp) > tp->reordering;
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
	       before(st->tsecr - tp->tsoffset, tp->flight->retrans_stamp & ~1u);
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
		for (skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb))
			TCP_SKB_CB(skb)->sacked &= (u8)~TCPCB_LOST;
		tp->lost_out = 0;
		tp->flight->retransmit_hint = NULL;
		tp->flight->lost_seq = tp->snd_una;
	}
	if (tp->flight->prior_ssthresh) {
		tp->snd_cwnd = inet_csk(sk)->icsk_ca_ops->undo_cwnd(sk);
		if (tp->flight->prior_ssthresh > tp->snd_ssthresh)
			tp->snd_ssthresh = tp->flight->prior_ssthresh;
	}
	tp->flight->undo_marker = 0;
}

static void tcp_undo_count(struct sock *sk, enum mib_counter full)
{
	NET_INC_STATS(sk->sk_net, full);
}

static bool tcp_any_retrans_done(const struct sock *sk)
{
	const struct sk_buff *skb = tcp_rtx_queue_head(sk);

	return tcp_sk(sk)->retrans_out || (skb && (TCP_SKB_CB(skb)->sacked & TCPCB_EVER_RETRANS));
}

/* high_seq is acknowledged: the recovery is over. True: stay in this state for one more ACK. */
static bool tcp_try_undo_recovery(struct sock *sk, const struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_may_undo(sk, st)) {
		tcp_undo_count(sk, inet_csk(sk)->icsk_ca_state == TCP_CA_Loss
					   ? MIB_TcpExt_TCPLossUndo
					   : MIB_TcpExt_TCPFullUndo);
		tcp_undo_cwnd_reduction(sk, false);
	}
	if (tp->snd_una == tp->flight->high_seq && tcp_is_reno(tp)) {
		/* RFC 6582 5: hold the state until something above high_seq is acknowledged, or old duplicates would start a false
		 * fast retransmit. */
		if (!tcp_any_retrans_done(sk))
			tp->flight->retrans_stamp = 0;
		return true;
	}
	tcp_set_ca_state(sk, TCP_CA_Open);
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

static bool tcp_try_undo_loss(struct sock *sk, const struct tcp_ack_state *st)
{
	if (!tcp_may_undo(sk, st))
		return false;
	tcp_undo_cwnd_reduction(sk, true);
	tcp_undo_count(sk, MIB_TcpExt_TCPLossUndo);
	inet_csk(sk)->icsk_retransmits = 0;
	tcp_set_ca_state(sk, TCP_CA_Open);
	return true;
}

/* A partial ACK in Recovery that shows that the original was only late. */
static bool tcp_try_undo_partial(struct sock *sk, const struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->flight->undo_marker || !tcp_packet_delayed(sk, st))
		return false;
	tcp_check_reordering(sk, st->prior_snd_una, true);
	/* With retransmissions under way the answer must wait for theirs. */
	if (tp->retrans_out)
		return true;
	if (!tcp_any_retrans_done(sk))
		tp->flight->retrans_stamp = 0;
	tcp_undo_cwnd_reduction(sk, true);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPPartialUndo);
	tcp_set_ca_state(sk, TCP_CA_Open);
	return true;
}

/* ---- proportional rate reduction --------------------------------------------------------------------- */

void tcp_set_ca_state(struct sock *sk, u8 state)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_ops && icsk->icsk_ca_ops->set_state)
		icsk->icsk_ca_ops->set_state(sk, state);
	icsk->icsk_ca_state = state;
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
	tp->snd_cwnd_cnt = 0;
	tp->flight->prior_cwnd = tp->snd_cwnd;
	tp->flight->prr_delivered = 0;
	tp->flight->prr_out = 0;
	tp->snd_ssthresh = inet_csk(sk)->icsk_ca_ops->ssthresh(sk);
}

/* RFC 6937 3 */
static void tcp_cwnd_reduction(struct sock *sk, const struct tcp_ack_state *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 in_flight = tcp_packets_in_flight(tp);
	s32 delta = (s32)(tp->snd_ssthresh - in_flight), sndcnt;

	if (!st->delivered || !tp->flight->prior_cwnd)
		return;
	tp->flight->prr_delivered += st->delivered;
	if (delta < 0) {
		u64 dividend = (u64)tp->snd_ssthresh * tp->flight->prr_delivered +
			       tp->flight->prior_cwnd - 1;

		sndcnt = (s32)(dividend / tp->flight->prior_cwnd) - (s32)tp->flight->prr_out;
	} else {
		sndcnt = max((s32)(tp->flight->prr_delivered - tp->flight->prr_out),
			     (s32)st->delivered);
		if ((st->flag & FLAG_SND_UNA_ADVANCED) && !(st->flag & FLAG_LOST_RETRANS))
			sndcnt++;
		sndcnt = min(delta, sndcnt);
	}
	/* The fast retransmit itself always goes out. */
	sndcnt = max(sndcnt, tp->flight->prr_out ? 0 : 1);
	tp->snd_cwnd = max(in_flight + (u32)sndcnt, 1u);
}

static void tcp_end_cwnd_reduction(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

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

static u32 tcp_current_ssthresh(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_in_cwnd_reduction(sk))
		return tp->snd_ssthresh;
	return max(tp->snd_ssthresh, (tp->snd_cwnd >> 1) + (tp->snd_cwnd >> 2));
}

static void tcp_enter_recovery(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_rtx_queue_head(sk);

	NET_INC_STATS(sk->sk_net,
		      tcp_is_reno(tp) ? MIB_TcpExt_TCPRenoRecovery : MIB_TcpExt_TCPSackRecovery);
	tp->flight->prior_ssthresh = 0;
	tcp_init_undo(tp);
	if (!tcp_in_cwnd_reduction(sk)) {
		tp->flight->prior_ssthresh = tcp_current_ssthresh(sk);
		tcp_init_cwnd_reduction(sk);
	} else {
		tp->flight->high_seq = tp->snd_nxt;
	}
	tcp_set_ca_state(sk, TCP_CA_Recovery);
	if (head)
		trace_skb(head, sk->sk_net, TP_tcp_enter_recovery, TRACE_PASS, tp->snd_ssthresh,
			  tp->lost_out);
}

/* The retransmission timer fired: everything in flight counts as lost (RFC 5681 3.1, RFC 6675 5.1). */
void tcp_enter_loss(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_rtx_queue_head(sk), *skb;
	bool reneg = head && (TCP_SKB_CB(head)->sacked & TCPCB_SACKED_ACKED);
	bool forget = reneg || tcp_is_reno(tp);
	bool again = icsk->icsk_ca_state == TCP_CA_Loss &&
		     before(tp->snd_una, tp->flight->high_seq) && icsk->icsk_retransmits;

	if (reneg)
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSACKReneging);
	if (!again) {
		/* Only the first timeout of a series lowers ssthresh (RFC 5681 3.1). */
		if (icsk->icsk_ca_state != TCP_CA_Recovery ||
		    !before(tp->snd_una, tp->flight->high_seq)) {
			tp->flight->prior_ssthresh = tcp_current_ssthresh(sk);
			tp->flight->prior_cwnd = tp->snd_cwnd;
			tp->snd_ssthresh = icsk->icsk_ca_ops->ssthresh(sk);
		}
		tcp_ca_event(sk, CA_EVENT_LOSS);
		tcp_init_undo(tp);
	}
	if (forget) {
		tp->sacked_out = 0;
		tp->flight->sack_cache = (struct tcp_sack_block){ 0, 0 };
		tp->flight->fack = tp->snd_una;
	}
	tp->lost_out = 0;
	tp->retrans_out = 0;
	tp->flight->retransmit_hint = NULL;
	tp->flight->lost_seq = tp->snd_nxt;
	for (skb = head; skb; skb = tcp_skb_next(skb)) {
		struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		if (forget)
			cb->sacked &= (u8)~TCPCB_SACKED_ACKED;
		cb->sacked &= (u8) ~(TCPCB_LOST | TCPCB_SACKED_RETRANS);
		tcp_mark_skb_lost(sk, skb);
	}
	tp->snd_cwnd = tcp_packets_in_flight(tp) + 1;
	tp->snd_cwnd_cnt = 0;
	/* A timeout shows that waiting so long for reordering was no good. */
	if (icsk->icsk_ca_state <= TCP_CA_Disorder && tp->sacked_out >= tcp_net(sk)->reordering)
		tp->reordering = min_t(u16, tp->reordering, tcp_net(sk)->reordering);
	tcp_set_ca_state(sk, TCP_CA_Loss);
	tp->flight->high_seq = tp->snd_nxt;
	if (head)
		trace_skb(head, sk->sk_net, TP_tcp_enter_loss, TRACE_PASS, tp->snd_ssthresh,
			  tp->lost_out);
}

/* Path MTU went down: what is larger must be sent again, without blaming congestion. */
/* Nothing of what is in flight has arrived. */
void tcp_mark_all_lost(struct sock *sk)
{
	for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb))
		tcp_mark_skb_lost(sk, skb);
}

void tcp_simple_retransmit(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tcp_current_mss(sk), before_ = tp->lost_out;
	struct sk_buff *skb;

	for (skb = tcp_rtx_queue_head(sk); skb; skb = tcp_skb_next(skb)) {
		if (tcp_skb_mss(skb) > mss && skb->len > mss) {
			if (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_RETRANS) {
				TCP_SKB_CB(skb)->sacked &= (u8)~TCPCB_SACKED_RETRANS;
				tp->retrans_out -= tcp_skb_pcount(skb);
			}
			tcp_mark_skb_lost(sk, skb);
		}
	}
	if (before_ == tp->lost_out)
		return;
	tp->flight->retransmit_hint = NULL;
	if (tcp_is_reno(tp))
		tcp_limit_reno_sacked(tp);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Loss) {
		tp->flight->high_seq = tp->snd_nxt;
		tp->snd_ssthresh = tcp_current_ssthresh(sk);
		tp->flight->prior_ssthresh = 0;
		tp->flight->undo_marker = 0;
		tcp_set_ca_state(sk, TCP_CA_Loss);
	}
	tcp_xmit_retransmit_queue(sk);
}

static void tcp_try_to_open(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 state = TCP_CA_Open;

	if (!tcp_any_retrans_done(sk))
		tp->flight->retrans_stamp = 0;
	if (inet_csk(sk)->icsk_ca_state == TCP_CA_CWR)
		return;
	if (tcp_left_out(tp) || tcp_any_retrans_done(sk) || tp->flight->undo_marker)
		state = TCP_CA_Disorder;
	if (inet_csk(sk)->icsk_ca_state != state) {
		tcp_set_ca_state(sk, state);
		tp->flight->high_seq = tp->snd_nxt;
	}
}

/* ---- the state machine ------------------------------------------------------------------------------- */

/* The peer dropped what it had reported. It may only be late in telling: wait a moment, then treat it as a timeout. */
static bool tcp_check_sack_reneging(struct sock *sk, const struct tcp_ack_state *st)
{
	if (!(st->flag & FLAG_SACK_RENEGING))
		return false;
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, max(tcp_sk(sk)->srtt_us >> 4, 10000u));
	return true;
}

static void tcp_process_loss(struct sock *sk, struct tcp_ack_state *st, bool is_dupack, u32 *rexmit)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if ((st->flag & FLAG_SND_UNA_ADVANCED) && tcp_try_undo_loss(sk, st))
		return;
	if (!before(tp->snd_una, tp->flight->high_seq)) {
		tcp_try_undo_recovery(sk, st);
		return;
	}
	if (tcp_is_reno(tp)) {
		if (st->flag & FLAG_SND_UNA_ADVANCED)
			tp->sacked_out = 0;
		else
			tcp_add_reno_sack(sk, is_dupack, st);
	}
	*rexmit = REXMIT_LOST;
}

/* False: the recovery is over, or this ACK needs nothing more. */
static bool tcp_process_recovery(struct sock *sk, struct tcp_ack_state *st, bool is_dupack)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(st->flag & FLAG_SND_UNA_ADVANCED)) {
		if (tcp_is_reno(tp))
			tcp_add_reno_sack(sk, is_dupack, st);
	} else {
		if (tcp_is_reno(tp))
			tcp_remove_reno_sacks(sk, st->acked_pkts);
		if (tcp_try_undo_partial(sk, st))
			return false;
	}
	if (tcp_try_undo_dsack(sk)) {
		tcp_set_ca_state(sk, TCP_CA_Disorder);
		tcp_try_to_open(sk);
		return false;
	}
	/* RFC 6582 3.2 step 3: a partial ACK says that the next hole is lost too; a duplicate does not. */
	if (!tcp_is_reno(tp) || (st->flag & FLAG_SND_UNA_ADVANCED))
		tcp_update_scoreboard(sk);
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
		if (tcp_may_undo(sk, st)) {
			if (tcp_try_undo_recovery(sk, st))
				return true;
			return false;
		}
		if (tp->snd_una == tp->flight->high_seq && tcp_is_reno(tp)) {
			tcp_try_undo_recovery(sk, st);
			return true;
		}
		tcp_end_cwnd_reduction(sk);
		tp->flight->undo_marker = 0;
		tcp_set_ca_state(sk, TCP_CA_Open);
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

	if (tp->flight == &tcp_no_flight)
		return; /* nothing in flight, and nothing to undo */
	if (!tp->packets_out && tp->sacked_out)
		tp->sacked_out = 0;
	if (tcp_check_sack_reneging(sk, st))
		return;
	if (icsk->icsk_ca_state == TCP_CA_Open)
		tp->flight->retrans_stamp = 0;
	else if (!before(tp->snd_una, tp->flight->high_seq) && tcp_check_recovered(sk, st))
		return;

	switch (icsk->icsk_ca_state) {
	case TCP_CA_Recovery:
		if (!tcp_process_recovery(sk, st, is_dupack))
			return;
		break;
	case TCP_CA_Loss:
		tcp_process_loss(sk, st, is_dupack, ret_rexmit);
		if (icsk->icsk_ca_state != TCP_CA_Open)
			return;
		tcp_try_to_open(sk);
		return;
	default:
		if (tcp_is_reno(tp)) {
			if (st->flag & FLAG_SND_UNA_ADVANCED)
				tp->sacked_out = 0;
			tcp_add_reno_sack(sk, is_dupack, st);
		}
		if (icsk->icsk_ca_state <= TCP_CA_Disorder)
			tcp_try_undo_dsack(sk);
		if (!tcp_time_to_recover(sk)) {
			tcp_try_to_open(sk);
			return;
		}
		tcp_enter_recovery(sk);
		tp->flight->lost_seq = tp->snd_una;
		/* RFC 5681 3.2 step 3, RFC 6675 5 (4.3): the first hole is lost, whatever its distance. */
		tcp_mark_head_lost(sk);
		tcp_update_scoreboard(sk);
		break;
	}
	*ret_rexmit = REXMIT_LOST;
}

/* ---- the window -------------------------------------------------------------------------------------- */

void tcp_cong_control(struct sock *sk, const struct tcp_ack_state *st)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->icsk_ca_ops;
	struct tcp_sock *tp = tcp_sk(sk);

	if (ca->cong_control) {
		ca->cong_control(sk, tp->snd_una, st->flag, &st->rs);
		return;
	}
	if (tcp_in_cwnd_reduction(sk)) {
		tcp_cwnd_reduction(sk, st);
	} else if (st->flag & FLAG_DATA_ACKED ||
		   (tp->reordering > tcp_net(sk)->reordering && (st->flag & FLAG_DATA_SACKED))) {
		u32 acked = tcp_is_reno(tp) ? max(st->delivered, st->acked_pkts) : st->delivered;

		ca->cong_avoid(sk, tp->snd_una, acked);
	}
}

void tcp_xmit_recovery(struct sock *sk, u32 rexmit)
{
	if (rexmit == REXMIT_NONE || sk->sk_state == SS_TCP_SYN_SENT)
		return;
	tcp_xmit_retransmit_queue(sk);
}
