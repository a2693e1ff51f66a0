/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_urg.c - urgent data (RFC 9293 3.8.5, RFC 6093)
 *
 * Theory of operation
 *   The peer's urgent pointer marks one octet of the stream, the urgent octet at urg_seq. Like all BSD descendants we take the pointer for the
 *   octet behind it (RFC 6093 2.1) unless net.ipv4.tcp_stdurg is set, and always send it so. urg_data says what became of the octet:
 *     0                  there is no mark, or it was read past
 *     TCP_URG_NOTYET     announced, the octet has not come
 *     TCP_URG_VALID | c  it is c, to be had by MSG_OOB
 *     TCP_URG_READ       it was
 *   The octet also lies in the stream. Reading stops in front of the mark once (SIOCATMARK tells), then steps over it, unless
 *   SO_OOBINLINE is set. A newer mark replaces an older one, whose octet is then read with the others.
 *   Sending: snd_up is behind the last octet that was sent with MSG_OOB; while urg_out is set each segment before it has URG.
 * Invariants: while urg_data is not 0 there is no header prediction. urg_out only while before(snd_una, snd_up).
 * Context: cpu lock held.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "tcp/tcp.h"

/* ---- receiving --------------------------------------------------------------------------------------- */

/* The mark moves on over an octet that a program has stopped at and not taken: that is an ordinary one now, but not to be read twice. */
static void urg_skip_old(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	if (tp->urg_seq != tp->copied_seq || !tp->urg_data || sock_flag(sk, SOCK_URGINLINE) ||
	    tp->copied_seq == tp->rcv_nxt)
		return;
	tp->copied_seq++;
	if (skb && !before(tp->copied_seq, TCP_SKB_CB(skb)->end_seq)) {
		skb_unlink(skb, &sk->sk_receive_queue);
		consume_skb(skb);
	}
}

/* An urgent pointer has come. */
static void urg_announced(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mark = seg->urg_ptr;

	if (mark && !tcp_net(sk)->stdurg)
		mark--;
	mark += seg->seq;
	if (after(tp->copied_seq, mark) || before(mark, tp->rcv_nxt) ||
	    (tp->urg_data && !after(mark, tp->urg_seq)))
		return; /* read already, received without being urgent then, or not newer */
	urg_skip_old(sk);
	tp->urg_data = TCP_URG_NOTYET;
	tp->urg_seq = mark;
	tp->pred_flags = 0;
}

void __tcp_urg(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 off;
	u8 c;

	if (seg->flags & TCP_FLAG_URG)
		urg_announced(sk, seg);
	if (tp->urg_data != TCP_URG_NOTYET)
		return;
	off = tp->urg_seq - seg->seq - ((seg->flags & TCP_FLAG_SYN) != 0);
	if (off >= seg->skb->len || skb_copy_bits(seg->skb, off, &c, 1))
		return;
	tp->urg_data = TCP_URG_VALID | c;
	if (!sock_flag(sk, SOCK_DEAD))
		sock_wake(sk, EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND);
}

ssize_t tcp_recv_urg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 c = (u8)tp->urg_data;

	if (sock_flag(sk, SOCK_URGINLINE) || !tp->urg_data || tp->urg_data == TCP_URG_READ)
		return -EINVAL;
	if (sk->sk_state == SS_TCP_CLOSE && !sock_flag(sk, SOCK_DONE))
		return -ENOTCONN;
	if (tp->urg_data & TCP_URG_VALID) {
		if (!(flags & MSG_PEEK))
			tp->urg_data = TCP_URG_READ;
		msg->flags |= MSG_OOB;
		if (!len) {
			msg->flags |= MSG_TRUNC;
			return 0;
		}
		if (!(flags & MSG_TRUNC) && copy_to_iter(&c, 1, &msg->iter) != 1)
			return -EFAULT;
		return 1;
	}
	if (sk->sk_state == SS_TCP_CLOSE || (sk->sk_shutdown & SK_SHUTDOWN_RCV))
		return 0;
	return -EAGAIN; /* like Linux it never waits */
}

u32 tcp_urg_limit(const struct sock *sk, u32 seq, u32 n, bool *ret_skip)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ahead = tp->urg_seq - seq;

	*ret_skip = false;
	if (likely(!tp->urg_data) || ahead >= n)
		return n;
	if (ahead)
		return ahead;
	*ret_skip = !sock_flag(sk, SOCK_URGINLINE);
	return n;
}

void tcp_urg_read_past(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (likely(!tp->urg_data) || !after(tp->copied_seq, tp->urg_seq))
		return;
	tp->urg_data = 0;
	tcp_fast_path_check(sk);
}

u32 tcp_inq(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 n;

	if (sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV)
		return 0;
	/* Reading will stop at the mark. */
	if (unlikely(tp->urg_data) && !sock_flag(sk, SOCK_URGINLINE) &&
	    !before(tp->urg_seq, tp->copied_seq) && before(tp->urg_seq, tp->rcv_nxt))
		return tp->urg_seq - tp->copied_seq;
	n = tp->rcv_nxt - tp->copied_seq;
	/* A FIN that waits is not an octet to read. */
	return n && sock_flag(sk, SOCK_DONE) ? n - 1 : n;
}

/* ---- sending ----------------------------------------------------------------------------------------- */

void tcp_mark_urg(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->snd_up = tp->write_seq;
	tp->urg_out = 1;
}

void __tcp_urg_header(const struct tcp_sock *tp, u32 seq, struct tcp_hdr *th)
{
	u32 ahead = tp->snd_up - seq;

	if (!before(seq, tp->snd_up))
		return;
	if (ahead >= 0x10000) {
		/* Out of reach of the pointer: say at least that there is something, if this is the last that goes. */
		if (!after(seq + 0xffff, tp->snd_nxt))
			return;
		ahead = 0xffff;
	}
	th->flags |= TCP_FLAG_URG;
	th->urg_ptr = cpu_to_be16((u16)ahead);
}
