/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_repair.c - taking a connection apart and putting it together elsewhere (TCP_REPAIR, as checkpointing programs use it)
 *
 * Theory of operation
 *   A socket in repair talks to nobody by itself: connect(2) makes it ESTABLISHED without a SYN, octets that are sent go into one of its
 *   queues (TCP_REPAIR_QUEUE) as if they had been sent or received before, and close(2) leaves no trace on the wire. Queues are read by
 *   MSG_PEEK. Sequence numbers, options and windows are got and set one by one; switching repair off sends a window probe, whose answer
 *   starts the connection anew.
 * Context: user, cpu lock held.
 */
#include <errno.h>

#include "tcp/tcp_auth.h"

enum { NO_QUEUE, RECV_QUEUE, SEND_QUEUE, NR_QUEUES }; /* TCP_REPAIR_QUEUE */

struct repair_opt { /* struct tcp_repair_opt */
	u32 code, val;
};

struct repair_window { /* struct tcp_repair_window */
	u32 snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup;
};

int tcp_set_repair(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == SS_TCP_LISTEN)
		return -EPERM;
	if (v < -1 || v > 1)
		return -EINVAL;
	tp->repair = v == 1;
	tp->repair_queue = NO_QUEUE;
	sk->sk_reuse = v == 1 ? SK_FORCE_REUSE : SK_NO_REUSE;
	if (v == 0)
		tcp_send_window_probe(sk);
	return 0;
}

int tcp_get_repair(struct sock *sk)
{
	return tcp_sk(sk)->repair;
}

int tcp_set_repair_queue(struct sock *sk, int v)
{
	if (!tcp_sk(sk)->repair)
		return -EPERM;
	if (v < 0 || v >= NR_QUEUES)
		return -EINVAL;
	tcp_sk(sk)->repair_queue = (u8)v & 3;
	return 0;
}

int tcp_get_repair_queue(struct sock *sk)
{
	return tcp_sk(sk)->repair ? tcp_sk(sk)->repair_queue : -EINVAL;
}

int tcp_set_queue_seq(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state != SS_TCP_CLOSE)
		return -EPERM;
	switch (tp->repair_queue) {
	case SEND_QUEUE:
		if (!tcp_rtx_queue_empty(sk))
			return -EPERM;
		tp->write_seq = (u32)v;
		return 0;
	case RECV_QUEUE:
		if (tp->rcv_nxt != tp->copied_seq)
			return -EPERM;
		tp->rcv_nxt = tp->copied_seq = (u32)v;
		return 0;
	default:
		return -EINVAL;
	}
}

int tcp_get_queue_seq(const struct sock *sk, u32 *ret)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->repair_queue == NO_QUEUE)
		return -EINVAL;
	*ret = tp->repair_queue == SEND_QUEUE ? tp->write_seq : tp->rcv_nxt;
	return 0;
}

static int repair_one(struct tcp_sock *tp, const struct repair_opt *o)
{
	u32 snd = o->val & 0xffff, rcv = o->val >> 16;

	switch (o->code) {
	case TCPOPT_MSS_:
		tp->mss_clamp = (u16)o->val;
		return 0;
	case TCPOPT_WSCALE:
		if (snd > TCP_MAX_WSCALE_ || rcv > TCP_MAX_WSCALE_)
			return -EFBIG;
		tp->snd_wscale = snd & 15;
		tp->rcv_wscale = rcv & 15;
		tp->wscale_ok = 1;
		return 0;
	case TCPOPT_SACK_OK:
		if (o->val)
			return -EINVAL;
		tp->sack_ok = 1;
		return 0;
	case TCPOPT_TS:
		if (o->val)
			return -EINVAL;
		tp->tstamp_ok = 1;
		return 0;
	default:
		return 0;
	}
}

int tcp_set_repair_options(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct repair_opt o;
	int err = 0;

	if (!tp->repair)
		return -EINVAL;
	if (sk->sk_state != SS_TCP_ESTABLISHED)
		return -EPERM;
	for (; len >= sizeof(o) && !err; len -= (socklen_t)sizeof(o)) {
		memcpy(&o, val, sizeof(o));
		val = (const u8 *)val + sizeof(o);
		err = repair_one(tp, &o);
	}
	tp->tcp_header_len = (u16)(TCP_BASE_HDR + (tp->tstamp_ok ? TCPOLEN_TSTAMP_ALIGNED_ : 0) +
				   tcp_auth_header_len(sk));
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
	tp->pred_flags = 0;
	return err;
}

int tcp_set_repair_window(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct repair_window w;

	if (!tp->repair)
		return -EPERM;
	if (len != sizeof(w))
		return -EINVAL;
	memcpy(&w, val, sizeof(w));
	if (w.max_window < w.snd_wnd || after(w.snd_wl1, tp->rcv_nxt + w.rcv_wnd) ||
	    after(w.rcv_wup, tp->rcv_nxt))
		return -EINVAL;
	tp->snd_wl1 = w.snd_wl1;
	tp->snd_wnd = w.snd_wnd;
	tp->max_window = w.max_window;
	tp->rcv_wnd = w.rcv_wnd;
	tp->rcv_wup = w.rcv_wup;
	tp->pred_flags = 0;
	return 0;
}

int tcp_get_repair_window(const struct sock *sk, void *val, socklen_t *len)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct repair_window w = { tp->snd_wl1, tp->snd_wnd, tp->max_window, tp->rcv_wnd,
				   tp->rcv_wup };

	if (*len != sizeof(w))
		return -EINVAL;
	if (!tp->repair)
		return -EPERM;
	memcpy(val, &w, sizeof(w));
	return 0;
}

/* ---- the queues ---------------------------------------------------------------------------------------- */

/* As if the peer had sent them. Octets or -errno */
static ssize_t send_to_receive_queue(struct sock *sk, struct kmsghdr *msg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	size_t copied = 0;

	while (msg->iter.count) {
		struct sk_buff *skb = tcp_stream_alloc_skb(sk);
		s64 n;

		if (!skb)
			return copied ? (ssize_t)copied : -ENOMEM;
		n = skb_append_iter(skb, &msg->iter, (u32)min_t(size_t, msg->iter.count, 65536),
				    false);
		TCP_SKB_CB(skb)->seq = tp->rcv_nxt;
		if (n <= 0 || tcp_try_rmem_schedule(sk, skb, skb->truesize)) {
			consume_skb(skb);
			return copied ? (ssize_t)copied : -ENOMEM;
		}
		TCP_SKB_CB(skb)->end_seq = tp->rcv_nxt + (u32)n;
		TCP_SKB_CB(skb)->ack_seq = tp->snd_una - 1;
		tcp_queue_rcv(sk, skb);
		copied += (size_t)n;
	}
	return (ssize_t)copied;
}

int tcp_repair_send(struct sock *sk, struct kmsghdr *msg, ssize_t *ret)
{
	switch (tcp_sk(sk)->repair_queue) {
	case RECV_QUEUE:
		*ret = send_to_receive_queue(sk, msg);
		return 1;
	case SEND_QUEUE:
		return 0; /* as usual, but nothing leaves: tcp_repair_skips_wire() */
	default:
		return -EINVAL;
	}
}

bool tcp_repair_skips_wire(const struct tcp_sock *tp)
{
	return tp->repair && tp->repair_queue == SEND_QUEUE;
}

/* The first skb may begin with octets that are acknowledged by now: they are not in the queue. */
static int peek_skb(const struct sock *sk, const struct sk_buff *skb, struct kmsghdr *msg,
		    size_t *left)
{
	u32 una = tcp_sk(sk)->snd_una, seq = TCP_SKB_CB(skb)->seq;
	u32 off = before(seq, una) ? min(una - seq, skb->len) : 0;
	u32 n = (u32)min((size_t)(skb->len - off), *left);
	int err = n ? skb_copy_datagram_iter(skb, off, &msg->iter, n) : 0;

	*left -= err ? 0 : n;
	return err;
}

int tcp_repair_recv(struct sock *sk, struct kmsghdr *msg, size_t len, int flags, ssize_t *ret)
{
	const struct sk_buff *skb;
	size_t left = len;
	int err = 0;

	if (!(flags & MSG_PEEK))
		return -EPERM;
	if (tcp_sk(sk)->repair_queue == NO_QUEUE)
		return -EINVAL;
	if (tcp_sk(sk)->repair_queue == RECV_QUEUE)
		return 0; /* as usual */
	for (skb = tcp_rtx_queue_head(sk); skb && !err; skb = tcp_skb_next(skb))
		err = peek_skb(sk, skb, msg, &left);
	skb_queue_walk(&sk->sk_write_queue, skb) {
		if (err)
			break;
		err = peek_skb(sk, skb, msg, &left);
	}
	if (err && left == len)
		return err;
	*ret = (ssize_t)(len - left);
	return 1;
}
