/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_stream.c - octets without boundaries: SOCK_STREAM
 *
 * A send call is cut into pieces, so that a reader can begin before all of it is there. Reads join pieces, but not across what comes with
 * them: files end a read, and with SO_PASSCRED so do other credentials.
 */
#include <errno.h>

#include "core/sock_reasons.h"
#include "unix/unix_internal.h"

#define PIECE_MAX 32768

/* ---- sending --------------------------------------------------------------------------------------------- */

static int stream_send_piece(struct sock *sk, struct kmsghdr *msg, struct unix_scm *scm, u32 n)
{
	struct sk_buff *skb;
	struct sock *other;
	int err;

	skb = unix_alloc_skb(sk, &msg->iter, n, msg->flags & MSG_DONTWAIT, &err);
	if (!skb)
		return err;
	err = unix_scm_to_skb(sk, scm, skb);
	other = unix_sk(sk)->peer; /* it may have gone while we waited for room */
	if (!err && (sock_flag(other, SOCK_DEAD) || (other->sk_shutdown & SK_SHUTDOWN_RCV)))
		err = -EPIPE;
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
		return err;
	}
	unix_add_cred(skb, sk, other);
	trace_skb(skb, sock_net(sk), TP_unix_stream_sendmsg, TRACE_QUEUED,
		  other->sk_receive_queue.qlen, 0);
	skb_queue_tail(&other->sk_receive_queue, skb);
	sk_data_ready(other);
	return 0;
}

ssize_t unix_stream_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct unix_scm scm;
	size_t sent = 0;
	int err;

	err = unix_scm_send(sk, msg, &scm);
	if (err)
		goto out;
	err = -EOPNOTSUPP;
	if (msg->flags & MSG_OOB)
		goto out;
	if (msg->namelen) {
		err = sk->sk_state == SS_TCP_ESTABLISHED ? -EISCONN : -EOPNOTSUPP;
		goto out;
	}
	err = unix_sk(sk)->peer ? 0 : -ENOTCONN;
	if (!err && (sk->sk_shutdown & SK_SHUTDOWN_SEND))
		err = -EPIPE;
	while (!err && sent < len) {
		size_t n = min(len - sent, (size_t)min(sk->sk_sndbuf / 2 - 64, (u32)PIECE_MAX));

		err = stream_send_piece(sk, msg, &scm, (u32)n);
		if (!err)
			sent += n;
	}
out:
	unix_scm_destroy(sk, &scm);
	return sent ? (ssize_t)sent : err;
}

/* ---- receiving ------------------------------------------------------------------------------------------- */

/* A read call in progress. */
struct stream_read {
	struct kmsghdr *msg;
	struct unix_scm scm;
	size_t left, copied, target;
	u64 timeo;
	int flags;
	u32 skip;
	bool check_creds;
};

static u32 unix_skb_len(struct sk_buff *skb)
{
	return skb->len - UNIXCB(skb)->consumed;
}

/* The piece in which octet r->skip of what waits lies. */
static struct sk_buff *stream_find(struct sock *sk, struct stream_read *r,
				   const struct sk_buff *from)
{
	struct sk_buff *skb =
		from ? skb_peek_next(from, &sk->sk_receive_queue) : skb_peek(&sk->sk_receive_queue);

	while (skb && r->skip >= unix_skb_len(skb)) {
		r->skip -= unix_skb_len(skb);
		skb = skb_peek_next(skb, &sk->sk_receive_queue);
	}
	return skb;
}

/* Nothing is there. 0: look again; 1: that was all; -errno */
enum stream_more { STREAM_AGAIN, STREAM_END };
static enum stream_more stream_wait(struct sock *sk, struct stream_read *r, int *ret_err)
{
	*ret_err = 0;
	if (r->copied >= r->target)
		return STREAM_END;
	*ret_err = sock_error(sk);
	if (*ret_err || (sk->sk_shutdown & SK_SHUTDOWN_RCV))
		return STREAM_END;
	*ret_err = r->timeo ? sk_wait_event(sk, &r->timeo) : -EAGAIN;
	return *ret_err ? STREAM_END : STREAM_AGAIN;
}

static bool same_cred(const struct unix_cred *a, const struct unix_cred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* May what comes with @skb go into the same read? */
static bool stream_joins(struct sock *sk, struct stream_read *r, struct sk_buff *skb)
{
	if (r->check_creds)
		return same_cred(&r->scm.cred, &UNIXCB(skb)->cred);
	if (sock_flag(sk, SOCK_PASSCRED)) {
		r->scm.cred = UNIXCB(skb)->cred;
		r->check_creds = true;
	}
	return true;
}

/* Takes @n octets off the first piece. True: the read may go on. */
static bool stream_consume(struct sock *sk, struct stream_read *r, struct sk_buff *skb, u32 n)
{
	UNIXCB(skb)->consumed += n;
	unix_peek_off_move(sk, r->flags, n);
	if (UNIXCB(skb)->files)
		r->scm.files = unix_detach_files(sock_net(sk), skb);
	if (unix_skb_len(skb))
		return false;
	skb_unlink(skb, &sk->sk_receive_queue);
	trace_skb(skb, sock_net(sk), TP_unix_stream_recvmsg, TRACE_DONE, skb->len, 0);
	consume_skb(skb);
	return !r->scm.files;
}

/* The same for a read that only looks. */
static bool stream_peek(struct sock *sk, struct stream_read *r, struct sk_buff *skb, u32 n,
			int *ret_err)
{
	unix_peek_off_move(sk, r->flags, n);
	r->scm.files = unix_peek_files(UNIXCB(skb)->files, ret_err);
	r->skip = 0;
	return !UNIXCB(skb)->files;
}

static int stream_read(struct sock *sk, struct stream_read *r)
{
	struct sk_buff *skb, *last = NULL;
	bool more = true;
	int err = 0;
	u32 n;

	while (more && !err) {
		skb = stream_find(sk, r, r->flags & MSG_PEEK ? last : NULL);
		if (!skb) {
			if (last || stream_wait(sk, r, &err) == STREAM_END)
				break;
			r->skip = (u32)unix_peek_off(sk, r->flags);
			continue;
		}
		if (!stream_joins(sk, r, skb))
			break;
		if (!r->copied)
			unix_copy_name(r->msg, skb->sk);
		n = (u32)min((size_t)(unix_skb_len(skb) - r->skip), r->left);
		err = skb_copy_datagram_iter(skb, UNIXCB(skb)->consumed + r->skip, &r->msg->iter,
					     n);
		if (err)
			break;
		r->copied += n;
		r->left -= n;
		if (r->flags & MSG_PEEK) {
			last = skb;
			more = stream_peek(sk, r, skb, n, &err);
		} else {
			more = stream_consume(sk, r, skb, n);
		}
		more = more && r->left;
	}
	return err;
}

ssize_t unix_stream_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct stream_read r = { .msg = msg, .left = len, .flags = flags };
	int err;

	if (sk->sk_state != SS_TCP_ESTABLISHED)
		return -EINVAL;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	msg->namelen = 0;
	r.target = flags & MSG_WAITALL ? len : min((size_t)sk->sk_rcvlowat, len);
	r.target = max(r.target, (size_t)1);
	r.timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	r.skip = (u32)unix_peek_off(sk, flags);
	r.scm.cred = UNIX_NO_CRED;
	err = stream_read(sk, &r);
	unix_scm_recv(sk, msg, &r.scm);
	return r.copied ? (ssize_t)r.copied : err;
}
