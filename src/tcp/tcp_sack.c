/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sack.c - selective acknowledgements, both ways
 *
 * Theory of operation
 *   Sender: each block of an ACK marks the skbs of the retransmit queue that lie inside it SACKED. A block whose edge falls inside
 *   an skb cuts it, at a segment boundary, so that a mark always holds for a whole skb. sack_cache remembers one range that is marked
 *   through and through (the block that grows with each ACK), so that it is not walked again.
 *   A first block at or below the cumulative ACK, or inside the second, reports octets that arrived twice (DSACK).
 *   Receiver: selective_acks[] lists the out-of-order ranges, the one that changed last first (RFC 2018 4), so that a lost ACK costs little.
 *   duplicate_sack is reported once, before them.
 *   RFC 5681 4.2 has an ACK sent at once for each segment that is out of order. Once the sender knows that there is a hole (three did), as
 *   in Linux one stands for several (compressed SACKs): it waits for a twentieth of the round trip, at most net.ipv4.tcp_comp_sack_delay_ns,
 *   and goes before a block would be reported for the first time behind the second place, where it may not fit.
 * See RFC 2018, RFC 2883, RFC 6675.
 */
#include "tcp/tcp_ack.h"

/* ---- sender ------------------------------------------------------------------------------------------ */

/*
 * RFC 2018 8 and 2883 4 leave room for liars: accept only blocks inside what we have sent, and DSACKs no older than a window
 * below the point where the current recovery began.
 */
bool tcp_is_sackblock_valid(const struct tcp_sock *tp, bool is_dsack, u32 start, u32 end)
{
	if (after(end, tp->snd_nxt) || !before(start, end))
		return false;
	if (!before(start, tp->snd_nxt))
		return false;
	if (after(start, tp->snd_una))
		return true;
	if (!is_dsack || !tp->flight->undo_marker)
		return false;
	if (after(end, tp->snd_una))
		return false;
	if (!before(start, tp->flight->undo_marker))
		return true;
	if (!after(end, tp->flight->undo_marker))
		return false;
	return !before(start, end - tp->max_window);
}

/*
 * How many segments [start, end), which the peer has got twice, are. 0: it cannot be our doing: more duplicates than there were
 * retransmissions come from the path, or from an attacker, and say nothing about us.
 */
static u32 tcp_dsack_seen(struct tcp_sock *tp, u32 start, u32 end, struct tcp_sacktag *st)
{
	u32 len = end - start, segs = 1, mss = max_t(u32, tp->mss_cache, 1);

	if (!before(start, end) || len > tp->max_window)
		return 0;
	if (len > mss)
		segs = DIV_ROUND_UP(len, mss);
	else if (tp->flight->tlp_high_seq && tp->flight->tlp_high_seq == end)
		st->dsack_tlp = true;
	tp->dsack_dups += segs;
	if (tp->dsack_dups > tp->total_retrans)
		return 0;
	/* RFC 8985 6.2 step 4: RACK was too quick, if the path reorders and it was not the loss probe. */
	if (tp->reord_seen && !st->dsack_tlp)
		tp->rack_dsack_seen = 1;
	return segs;
}

/* RFC 2883 4: a first block at or below the ACK, or inside the second. True: it is a DSACK, and to be believed. */
static bool tcp_check_dsack(struct sock *sk, const struct tcp_opts_view *o, u32 ack,
			    u32 prior_snd_una, struct tcp_sacktag *st)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	const struct tcp_sack_block *b = o->sacks;

	if (before(b[0].start, ack)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPDSACKRecv);
	} else if (o->num_sacks > 1 && !after(b[0].end, b[1].end) &&
		   !before(b[0].start, b[1].start)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPDSACKOfoRecv);
	} else {
		return false;
	}
	st->dsack_segs = tcp_dsack_seen(tp, b[0].start, b[0].end, st);
	if (!st->dsack_segs) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPDSACKIgnoredDubious);
		return false;
	}
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPDSACKRecvSegs, st->dsack_segs);
	/* Retransmissions of ours turned out to be needless. What lies above snd_una is counted with its skb. */
	if (f->undo_marker && f->undo_retrans > 0 && !after(b[0].end, prior_snd_una) &&
	    after(b[0].end, f->undo_marker))
		f->undo_retrans = max(0, f->undo_retrans - (s32)st->dsack_segs);
	return true;
}

/* The first skb that reaches beyond @seq. */
static struct sk_buff *tcp_rtx_find(struct sock *sk, u32 seq)
{
	struct rb_node *n = tcp_sk(sk)->flight->rtx_queue.node, *best = NULL;

	while (n) {
		if (after(TCP_SKB_CB(tcp_rb_skb(n))->end_seq, seq)) {
			best = n;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return tcp_rb_skb(best);
}

/*
 * Does @skb lie inside [start, end)? An skb that lies in it partly is cut: 1: what @skb is now lies inside, 0: it does not
 * (what follows may), -1: no memory.
 */
static int tcp_match_skb_to_sack(struct sock *sk, struct sk_buff *skb, u32 start, u32 end)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 mss = tcp_skb_mss(skb), cut;
	bool inside;

	if (!after(start, cb->seq) && !before(end, cb->end_seq))
		return 1;
	if (cb->gso_segs <= 1 || !mss || !after(cb->end_seq, start))
		return 0;
	if (tcp_trim_acked(sk, skb))
		return -1;
	/* Only whole segments can have arrived: round the cut away from what is claimed. */
	inside = !after(start, cb->seq);
	if (!inside) {
		cut = DIV_ROUND_UP(start - cb->seq, mss) * mss;
	} else {
		cut = (end - cb->seq) / mss * mss;
		if (!cut)
			return 0;
	}
	if (cut >= skb->len)
		return 0;
	if (tcp_fragment(sk, true, skb, cut, mss))
		return -1;
	return inside;
}

/* @skb has arrived. */
static void tcp_sacktag_one(struct sock *sk, struct sk_buff *skb, struct tcp_sacktag *st,
			    struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 pcount = cb->gso_segs;

	if (cb->sacked & TCPCB_SACKED_ACKED)
		return;
	tcp_rack_advance(tp, cb->sacked, cb->end_seq, cb->sent_ns,
			 (u32)tcp_us_since(sk, cb->sent_ns));
	tcp_rate_skb_delivered(sk, skb, rs);
	cb->tx.pending = 0; /* acknowledged later: once is enough */
	tcp_tsorted_del(skb);
	if (cb->sacked & TCPCB_SACKED_RETRANS) {
		/* The copy that was sent again is accounted for: which one arrived does not matter for the pipe. */
		cb->sacked &= (u8)~TCPCB_SACKED_RETRANS;
		tp->retrans_out -= pcount;
	}
	if (!(cb->sacked & TCPCB_EVER_RETRANS)) {
		/* Never sent again and below what arrived earlier: reordering. */
		if (before(cb->seq, st->prior_fack) && before(cb->seq, st->reord))
			st->reord = cb->seq;
		if (!after(cb->end_seq, tp->flight->high_seq))
			st->orig_sacked = true;
		st->oldest_sent = st->oldest_sent ? min(st->oldest_sent, cb->sent_ns) : cb->sent_ns;
		st->newest_sent = max(st->newest_sent, cb->sent_ns);
	}
	if (cb->sacked & TCPCB_LOST) {
		cb->sacked &= (u8)~TCPCB_LOST;
		tp->lost_out -= pcount;
	}
	cb->sacked |= TCPCB_SACKED_ACKED;
	tp->sacked_out += pcount;
	st->delivered += pcount;
	st->newly_sacked = true;
	if (after(cb->end_seq, tp->flight->fack))
		tp->flight->fack = cb->end_seq;
}

static void tcp_sacktag_range(struct sock *sk, u32 start, u32 end, struct tcp_sacktag *st,
			      struct rate_sample *rs)
{
	struct sk_buff *skb;

	if (!before(start, end))
		return;
	for (skb = tcp_rtx_find(sk, start); skb && before(TCP_SKB_CB(skb)->seq, end);
	     skb = tcp_skb_next(skb)) {
		int in;

		if (TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED)
			continue;
		in = tcp_match_skb_to_sack(sk, skb, start, end);
		if (in < 0)
			break;
		if (in)
			tcp_sacktag_one(sk, skb, st, rs);
	}
}

/* A DSACK above snd_una: which retransmissions it means (RFC 2883 4.2). */
static void tcp_dsack_range(struct sock *sk, u32 start, u32 end, struct tcp_sacktag *st)
{
	struct tcp_flight *f = tcp_sk(sk)->flight;
	const struct sk_buff *skb;

	for (skb = tcp_rtx_find(sk, start); skb && before(TCP_SKB_CB(skb)->seq, end);
	     skb = tcp_skb_next(skb)) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		if (before(cb->seq, start) || after(cb->end_seq, end) ||
		    !(cb->sacked & TCPCB_RETRANS))
			continue;
		if (f->undo_marker && f->undo_retrans > 0 && after(cb->end_seq, f->undo_marker))
			f->undo_retrans = max(0, f->undo_retrans - cb->gso_segs);
		/* It had arrived before: it was only late. */
		if ((cb->sacked & TCPCB_SACKED_ACKED) && before(cb->seq, st->reord))
			st->reord = cb->seq;
	}
}

/* One block, leaving out the part that is known to be marked already. */
static void tcp_sacktag_block(struct sock *sk, u32 start, u32 end, bool remember,
			      struct tcp_sacktag *st, struct rate_sample *rs)
{
	struct tcp_sack_block *cache = &tcp_sk(sk)->flight->sack_cache;

	if (before(start, tcp_sk(sk)->snd_una))
		start = tcp_sk(sk)->snd_una;
	if (cache->start != cache->end && !after(start, cache->start) && !before(end, cache->end)) {
		tcp_sacktag_range(sk, start, cache->start, st, rs);
		tcp_sacktag_range(sk, cache->end, end, st, rs);
	} else {
		tcp_sacktag_range(sk, start, end, st, rs);
	}
	/* The edges may have been rounded to segments: remember only what was marked for certain. */
	if (remember) {
		const struct sk_buff *first = tcp_rtx_find(sk, start),
				     *last = tcp_rtx_find(sk, end - 1);

		*cache = (struct tcp_sack_block){ 0, 0 };
		if (first && last && (TCP_SKB_CB(first)->sacked & TCPCB_SACKED_ACKED)) {
			u32 to = TCP_SKB_CB(last)->sacked & TCPCB_SACKED_ACKED
					 ? TCP_SKB_CB(last)->end_seq
					 : TCP_SKB_CB(last)->seq;

			if (before(TCP_SKB_CB(first)->seq, to))
				*cache = (struct tcp_sack_block){ TCP_SKB_CB(first)->seq, to };
		}
	}
}

void tcp_sacktag_write_queue(struct sock *sk, const struct tcp_opts_view *o, u32 ack,
			     u32 prior_snd_una, struct tcp_sacktag *st, struct rate_sample *rs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool dsack;

	*st = (struct tcp_sacktag){ .rtt_us = -1, .newest_rtt_us = -1, .reord = tp->snd_nxt };
	if (!tp->packets_out) {
		tcp_check_dsack(sk, o, ack, prior_snd_una, st);
		return;
	}
	if (!tp->sacked_out) {
		if (before(tp->flight->fack, tp->snd_una))
			tp->flight->fack = tp->snd_una;
		tp->flight->sack_cache = (struct tcp_sack_block){ 0, 0 };
	}
	if (before(tp->flight->sack_cache.start, tp->snd_una))
		tp->flight->sack_cache = (struct tcp_sack_block){ 0, 0 };
	st->prior_fack = tp->flight->fack;
	dsack = tcp_check_dsack(sk, o, ack, prior_snd_una, st);

	/* An ACK from long ago, reordered: too old to say anything. */
	if (before(ack, prior_snd_una - tp->max_window))
		return;
	for (u32 i = 0; i < o->num_sacks; i++) {
		bool is_dsack = i == 0 && dsack;

		if (!tcp_is_sackblock_valid(tp, is_dsack, o->sacks[i].start, o->sacks[i].end)) {
			if (!is_dsack)
				NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSACKDiscard);
			else
				NET_INC_STATS(sk->sk_net,
					      tp->flight->undo_marker
						      ? MIB_TcpExt_TCPDSACKIgnoredOld
						      : MIB_TcpExt_TCPDSACKIgnoredNoUndo);
			continue;
		}
		/* A DSACK for octets above snd_una lies inside the block that follows it. */
		if (is_dsack)
			tcp_dsack_range(sk, o->sacks[i].start, o->sacks[i].end, st);
		if (is_dsack || !after(o->sacks[i].end, tp->snd_una))
			continue;
		tcp_sacktag_block(sk, o->sacks[i].start, o->sacks[i].end, i == (u32)dsack, st, rs);
	}
	if (st->newest_sent) {
		st->rtt_us = (s64)tcp_us_since(sk, st->oldest_sent);
		st->newest_rtt_us = (s64)tcp_us_since(sk, st->newest_sent);
	}
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Loss || tp->flight->undo_marker) {
		if (before(st->reord, tp->snd_nxt))
			tcp_check_reordering(sk, st->reord, false);
	}
}

/* ---- receiver ---------------------------------------------------------------------------------------- */

static void tcp_sack_swap(struct tcp_sack_block *a, struct tcp_sack_block *b)
{
	struct tcp_sack_block t = *a;

	*a = *b;
	*b = t;
}

/* Grows @b by [seq, end_seq) if they touch or overlap. */
static bool tcp_sack_extend(struct tcp_sack_block *b, u32 seq, u32 end_seq)
{
	if (after(seq, b->end) || after(b->start, end_seq))
		return false;
	if (before(seq, b->start))
		b->start = seq;
	if (after(end_seq, b->end))
		b->end = end_seq;
	return true;
}

/* The first block has grown: blocks it has reached become part of it. */
static void tcp_sack_maybe_coalesce(struct tcp_sock *tp)
{
	struct tcp_sack_block *b = tp->ofo->selective_acks;

	for (u32 i = 1; i < tp->num_sacks;) {
		if (tcp_sack_extend(&b[0], b[i].start, b[i].end)) {
			tp->num_sacks--;
			memmove(&b[i], &b[i + 1], (tp->num_sacks - i) * sizeof(b[0]));
			i = 1; /* it has grown: look at the others again */
			continue;
		}
		i++;
	}
}

/* ---- one ACK for several ---- */

#define SACK_BLOCKS_CERTAIN 2u  /* fit beside the other options */
#define SACK_RTT_PART       20u /* of a round trip */

void tcp_sack_compressed_sent(struct sock *sk, u32 own)
{
	struct tcp_ofo *ofo = tcp_sk(sk)->ofo;

	if (likely(!ofo->compressed_acks))
		return;
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPAckCompressed, ofo->compressed_acks - own);
	ofo->compressed_acks = 0;
	hrtimer_cancel(sk->sk_cpu, &ofo->ack_timer);
}

/* Sends what waits; of the ACKs that were to be sent it is one. */
static void tcp_sack_compress_flush(struct sock *sk)
{
	if (!tcp_sk(sk)->ofo->compressed_acks)
		return;
	tcp_sack_compressed_sent(sk, 1);
	tcp_send_ack(sk);
}

/* The blocks as they are, before the segment at hand changes them: that wants an ACK of its own. */
static void tcp_sack_report_now(struct sock *sk)
{
	tcp_sack_compress_flush(sk);
	inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_SCHED;
}

static void tcp_sack_compress_timer(struct cpu *cpu, struct hrtimer *t)
{
	(void)cpu;
	tcp_sack_compress_flush(container_of(t, struct tcp_ofo, ack_timer)->sk);
}

void tcp_sack_compress_init(struct tcp_ofo *ofo)
{
	hrtimer_setup(&ofo->ack_timer, tcp_sack_compress_timer);
}

bool tcp_sack_compress(struct sock *sk)
{
	const struct netns_tcp *net = tcp_net(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_ofo *ofo = tp->ofo;
	u32 rtt_us = tp->rcv_rtt_us;
	u64 wait;

	if (!tp->sack_ok || ofo->compressed_acks >= net->comp_sack_nr)
		return false;
	if (ofo->dup_rcv_nxt != tp->rcv_nxt) {
		ofo->dup_rcv_nxt = tp->rcv_nxt;
		ofo->dup_acks = 0;
	}
	if (ofo->dup_acks < TCP_FASTRETRANS_THRESH) {
		ofo->dup_acks++;
		return false;
	}
	if (!hrtimer_active(&ofo->ack_timer)) {
		if (tp->srtt_us)
			rtt_us = min(rtt_us, tp->srtt_us >> 3);
		wait = min(net->comp_sack_delay_ns, rtt_us * NSEC_PER_USEC / SACK_RTT_PART) +
		       min(net->comp_sack_slack_ns, NSEC_PER_SEC);
		if (hrtimer_start(sk->sk_cpu, &ofo->ack_timer, tcp_now_ns(sk) + wait))
			return false;
	}
	ofo->compressed_acks++;
	return true;
}

/* ---- blocks ---- */

/* RFC 2018 4: the block with the octets that came last goes first. */
void tcp_sack_new_ofo_skb(struct tcp_sock *tp, u32 seq, u32 end_seq)
{
	struct tcp_sack_block *b = tp->ofo->selective_acks;
	struct sock *sk = (struct sock *)tp;

	for (u32 i = 0; i < tp->num_sacks; i++) {
		if (i >= SACK_BLOCKS_CERTAIN && !after(seq, b[i].end) &&
		    !after(b[i].start, end_seq))
			tcp_sack_report_now(sk);
		if (!tcp_sack_extend(&b[i], seq, end_seq))
			continue;
		for (; i > 0; i--)
			tcp_sack_swap(&b[i], &b[i - 1]);
		tcp_sack_maybe_coalesce(tp);
		return;
	}
	if (tp->num_sacks >= SACK_BLOCKS_CERTAIN)
		tcp_sack_report_now(sk);
	if (tp->num_sacks == TCP_MAX_SACK_BLOCKS)
		tp->num_sacks--;
	memmove(&b[1], &b[0], tp->num_sacks * sizeof(b[0]));
	b[0] = (struct tcp_sack_block){ seq, end_seq };
	tp->num_sacks++;
}

/* rcv_nxt has moved: forget blocks below it. */
void tcp_sack_remove(struct tcp_sock *tp)
{
	struct tcp_sack_block *b;
	u32 kept = 0;

	if (tcp_ofo_empty(tp)) {
		tp->num_sacks = 0;
		return;
	}
	b = tp->ofo->selective_acks;
	for (u32 i = 0; i < tp->num_sacks; i++) {
		if (before(tp->rcv_nxt, b[i].start))
			b[kept++] = b[i];
	}
	tp->num_sacks = (u8)kept;
}

/* RFC 2883 4: these octets came again; say so with the next ACK. */
void tcp_dsack_set(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->sack_ok || !tcp_net(sk)->dsack || !tcp_ofo_get(sk))
		return;
	NET_INC_STATS(sk->sk_net, before(seq, tp->rcv_nxt) ? MIB_TcpExt_TCPDSACKOldSent
							   : MIB_TcpExt_TCPDSACKOfoSent);
	tp->dsack_pending = 1;
	tp->ofo->duplicate_sack = (struct tcp_sack_block){ seq, end_seq };
}

void tcp_dsack_extend(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->dsack_pending)
		tcp_dsack_set(sk, seq, end_seq);
	else
		tcp_sack_extend(&tp->ofo->duplicate_sack, seq, end_seq);
}

/* A segment with nothing new (an ACK of ours may have been lost): answer at once, with a DSACK for what lies below rcv_nxt. */
void tcp_send_dupack_dsack(struct sock *sk, u32 seq, u32 end_seq)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (end_seq != seq && before(seq, tp->rcv_nxt)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_DelayedACKLost);
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		if (tp->sack_ok && tcp_net(sk)->dsack)
			tcp_dsack_set(sk, seq, after(end_seq, tp->rcv_nxt) ? tp->rcv_nxt : end_seq);
	}
	tcp_send_ack(sk);
}
