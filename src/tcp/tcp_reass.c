/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_reass.c - putting received octets in order
 *
 * Theory of operation
 *   In-order skbs go to sk_receive_queue, where each is merged into the last one if that costs no copy of payload (or only a small
 *   one into free tail room: a stream of tiny segments must not cost a buffer each). Others wait in ofo->queue, a tree by
 *   sequence number, so that a peer cannot make insertion slow. Most arrivals append to its last skb.
 * Invariants
 *   In the tree no skb covers another; neighbours may share octets at their edges. An skb there ends beyond rcv_nxt.
 *   Octets that are queued twice are read once: recvmsg() starts at copied_seq, wherever in an skb that is.
 * Memory: when sk_rmem_alloc reaches sk_rcvbuf, or the net has none left (tcp_mem), out-of-order skbs are given up, the last first (they
 * are the least likely to be needed soon; RFC 2018 8 permits reneging).
 * See RFC 9293 3.10.7.4 (seventh step), RFC 2018, RFC 2883.
 */
#include <errno.h>

#include "tcp/tcp.h"

#define TCP_COPYBREAK 256u

static void tcp_merge_cb(struct sk_buff *to, const struct sk_buff *from)
{
	TCP_SKB_CB(to)->end_seq = TCP_SKB_CB(from)->end_seq;
	TCP_SKB_CB(to)->ack_seq = TCP_SKB_CB(from)->ack_seq;
	TCP_SKB_CB(to)->tcp_flags |= TCP_SKB_CB(from)->tcp_flags;
}

bool tcp_try_coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *from)
{
	u32 seq = TCP_SKB_CB(from)->seq, end = TCP_SKB_CB(from)->end_seq, delta;
	struct tcp_skb_cb cb = *TCP_SKB_CB(from);
	bool charged = from->destructor != NULL;

	if (seq != TCP_SKB_CB(to)->end_seq || (TCP_SKB_CB(to)->tcp_flags & TCP_FLAG_FIN))
		return false;
	if (from->len <= TCP_COPYBREAK && !skb_cloned(to) && skb_tailroom(to) >= from->len) {
		u32 len = from->len;

		if (len && skb_copy_bits(from, 0, skb_put(to, len), len))
			return false; /* cannot happen: the octets are there */
		tcp_merge_cb(to, from);
		consume_skb(from);
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPRcvCoalesce);
		return true;
	}
	if (charged) /* it was charged in the out-of-order queue */
		skb_orphan(from);
	if (!skb_try_coalesce(to, from, &delta)) {
		if (charged)
			skb_set_owner_r(from, sk);
		return false;
	}
	TCP_SKB_CB(to)->end_seq = end;
	TCP_SKB_CB(to)->ack_seq = cb.ack_seq;
	TCP_SKB_CB(to)->tcp_flags |= cb.tcp_flags;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPRcvCoalesce);
	return true;
}

bool __tcp_queue_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;
	bool merged = tail && tcp_try_coalesce(sk, tail, skb);

	tcp_rcv_nxt_update(tcp_sk(sk), end_seq);
	if (!merged) {
		skb_queue_tail(&sk->sk_receive_queue, skb);
		if (!skb->destructor)
			skb_set_owner_r(skb, sk);
	}
	return merged;
}

/* ---- memory ------------------------------------------------------------------------------------------ */

bool tcp_ofo_get(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->ofo)
		return true;
	tp->ofo = packet_slot_alloc(sk->sk_cpu);
	if (unlikely(!tp->ofo))
		return false;
	memset(tp->ofo, 0, sizeof(*tp->ofo));
	tp->ofo->sk = sk;
	tcp_sack_compress_init(tp->ofo);
	return true;
}

/* Gives it back if nothing waits and nothing is to be reported. */
void __tcp_ofo_put(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!RB_EMPTY_ROOT(&tp->ofo->queue) || tp->dsack_pending)
		return;
	tp->num_sacks = 0;
	hrtimer_cancel(sk->sk_cpu, &tp->ofo->ack_timer);
	packet_slot_free(sk->sk_cpu, tp->ofo);
	tp->ofo = NULL;
}

void tcp_ofo_purge(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	if (!tp->ofo)
		return;
	while ((skb = tcp_rb_skb(rb_first(&tp->ofo->queue)))) {
		rb_erase(&skb->rbnode, &tp->ofo->queue);
		skb->next = skb->prev = NULL;
		kfree_skb_reason(skb, SKB_DROP_TCP_OFO_PRUNED);
	}
	sk_mem_reclaim(sk);
	__tcp_ofo_put(sk);
}

/* Gives up out-of-order skbs until an eighth of the buffer is free. True: something was freed. */
bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in_skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 goal = sk->sk_rcvbuf - (sk->sk_rcvbuf >> 3);
	struct sk_buff *skb, *prev;
	bool pruned = false;

	if (tcp_ofo_empty(tp))
		return false;
	for (skb = tcp_rb_skb(rb_last(&tp->ofo->queue)); skb; skb = prev) {
		/* The new one is even later: keep what we have. */
		if (in_skb && after(TCP_SKB_CB(in_skb)->seq, TCP_SKB_CB(skb)->seq))
			break;
		prev = tcp_skb_prev(skb);
		rb_erase(&skb->rbnode, &tp->ofo->queue);
		skb->next = skb->prev = NULL;
		kfree_skb_reason(skb, SKB_DROP_TCP_OFO_PRUNED);
		pruned = true;
		if (sk->sk_rmem_alloc <= goal)
			break;
	}
	if (!pruned)
		return false;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_OfoPruned);
	/* We renege: what is reported from now on must be true again. */
	tp->num_sacks = 0;
	return true;
}

/* Makes room below the socket's own limit. */
static bool tcp_prune_to_rcvbuf(struct sock *sk, const struct sk_buff *in_skb)
{
	if (sk->sk_rmem_alloc <= sk->sk_rcvbuf)
		return true;
	tcp_prune_ofo_queue(sk, in_skb);
	return sk->sk_rmem_alloc <= sk->sk_rcvbuf;
}

/* And below that of all. */
static bool tcp_prune_to_tcp_mem(struct sock *sk, const struct sk_buff *in_skb, u32 size)
{
	while (!sk_mem_schedule(sk, size, SK_MEM_RECV))
		if (!tcp_prune_ofo_queue(sk, in_skb))
			return false;
	return true;
}

int tcp_try_rmem_schedule(struct sock *sk, const struct sk_buff *skb, u32 size)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool in_order =
		TCP_SKB_CB(skb)->seq == tp->rcv_nxt || before(TCP_SKB_CB(skb)->seq, tp->rcv_nxt);
	const struct sk_buff *keep = in_order ? NULL : skb;

	if (likely(sk->sk_rmem_alloc <= sk->sk_rcvbuf && sk_mem_schedule(sk, size, SK_MEM_RECV)))
		return 0;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_PruneCalled);
	if (tcp_under_memory_pressure(sk))
		tcp_adjust_rcv_ssthresh(sk);
	if (tcp_prune_to_rcvbuf(sk, keep) && tcp_prune_to_tcp_mem(sk, keep, size))
		return 0;
	/* The next octets in order, and nothing for the program to read: taking them is the only way on. */
	if (in_order && skb_queue_empty(&sk->sk_receive_queue)) {
		sk_forced_mem_schedule(sk, size);
		return 0;
	}
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_RcvPruned);
	tp->pred_flags = 0;
	return -ENOMEM;
}

/* ---- the out-of-order queue -------------------------------------------------------------------------- */

static void tcp_ofo_insert(struct tcp_sock *tp, struct sk_buff *skb, struct rb_node *parent,
			   struct rb_node **link)
{
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &tp->ofo->queue);
}

/* @skb is in the tree: removes what it covers on its right. */
static void tcp_ofo_merge_right(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;
	struct sk_buff *next;

	while ((next = tcp_skb_next(skb))) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(next);

		if (!after(end_seq, cb->seq))
			break;
		if (before(end_seq, cb->end_seq)) {
			tcp_dsack_extend(sk, cb->seq, end_seq);
			break;
		}
		tcp_dsack_extend(sk, cb->seq, cb->end_seq);
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPOFOMerge);
		rb_erase(&next->rbnode, &tp->ofo->queue);
		next->next = next->prev = NULL;
		kfree_skb_reason(next, SKB_DROP_TCP_OFO_OVERLAP);
	}
}

/*
 * Finds the place of @skb and puts it there. False: it is gone (merged into another, or covered by it).
 */
static bool tcp_ofo_place(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq, end_seq = TCP_SKB_CB(skb)->end_seq;
	struct rb_node **link = &tp->ofo->queue.node, *parent = NULL;
	struct sk_buff *last = tcp_rb_skb(rb_last(&tp->ofo->queue));

	if (last) {
		/* Mostly it continues the last one. */
		if (tcp_try_coalesce(sk, last, skb))
			return false;
		if (!before(seq, TCP_SKB_CB(last)->end_seq)) {
			parent = &last->rbnode;
			tcp_ofo_insert(tp, skb, parent, &parent->right);
			return true;
		}
	}
	while (*link) {
		struct sk_buff *at = tcp_rb_skb(*link);
		const struct tcp_skb_cb *cb = TCP_SKB_CB(at);

		parent = *link;
		if (before(seq, cb->seq)) {
			link = &parent->left;
			continue;
		}
		if (before(seq, cb->end_seq)) {
			if (!after(end_seq, cb->end_seq)) {
				/* Nothing new. */
				NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPOFOMerge);
				tcp_dsack_set(sk, seq, end_seq);
				kfree_skb_reason(skb, SKB_DROP_TCP_OFO_OVERLAP);
				return false;
			}
			if (seq == cb->seq) {
				/* The same beginning, and longer: takes its place. */
				rb_replace_node(parent, &skb->rbnode, &tp->ofo->queue);
				tcp_dsack_extend(sk, cb->seq, cb->end_seq);
				NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPOFOMerge);
				at->next = at->prev = NULL;
				kfree_skb_reason(at, SKB_DROP_TCP_OFO_OVERLAP);
				tcp_ofo_merge_right(sk, skb);
				return true;
			}
			tcp_dsack_set(sk, seq, cb->end_seq);
		} else if (seq == cb->end_seq) {
			struct sk_buff *next = tcp_skb_next(at);

			/* Only when it reaches no further than its right neighbour begins, so that nothing is covered. */
			if ((!next || !after(end_seq, TCP_SKB_CB(next)->seq)) &&
			    tcp_try_coalesce(sk, at, skb))
				return false;
		}
		link = &parent->right;
	}
	tcp_ofo_insert(tp, skb, parent, link);
	tcp_ofo_merge_right(sk, skb);
	return true;
}

void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq, end_seq = TCP_SKB_CB(skb)->end_seq;

	trace_skb(skb, sk->sk_net, TP_tcp_data_queue_ofo, TRACE_QUEUED, seq, tp->rcv_nxt);
	if (unlikely(tcp_try_rmem_schedule(sk, skb, skb->truesize) || !tcp_ofo_get(sk))) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPOFODrop);
		sk_data_ready(sk);
		kfree_skb_reason(skb, SKB_DROP_TCP_RCVBUFF);
		return;
	}
	tp->pred_flags = 0; /* the next segment needs the slow path */
	inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_SCHED;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPOFOQueue);
	tp->rcv_ooopack += max_t(u32, skb_shinfo(skb)->gso_segs, 1);
	if (tcp_ofo_place(sk, skb))
		skb_set_owner_r(skb, sk);
	if (tp->sack_ok)
		tcp_sack_new_ofo_skb(tp, seq, end_seq);
}

/* rcv_nxt has moved: what follows it now without a gap. */
void tcp_ofo_queue(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 dsack_high = tp->rcv_nxt;
	struct sk_buff *skb;

	while ((skb = tcp_ofo_head(tp))) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		bool fin = cb->tcp_flags & TCP_FLAG_FIN;

		if (after(cb->seq, tp->rcv_nxt))
			break;
		if (before(cb->seq, dsack_high)) {
			u32 high = dsack_high;

			if (before(cb->end_seq, dsack_high))
				dsack_high = cb->end_seq;
			tcp_dsack_extend(sk, cb->seq,
					 min(high - cb->seq, cb->end_seq - cb->seq) + cb->seq);
		}
		rb_erase(&skb->rbnode, &tp->ofo->queue);
		skb->next = skb->prev = NULL;
		trace_skb(skb, sk->sk_net, TP_tcp_ofo_queue, TRACE_QUEUED, cb->seq, tp->rcv_nxt);
		if (!after(cb->end_seq, tp->rcv_nxt)) {
			kfree_skb_reason(skb, SKB_DROP_TCP_OFO_OVERLAP);
			continue;
		}
		tcp_queue_rcv(sk, skb);
		if (fin) {
			/* Nothing can follow a FIN; tcp_fin() purges the tree. */
			tcp_fin(sk);
			break;
		}
	}
}
