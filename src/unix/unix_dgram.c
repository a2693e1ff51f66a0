/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_dgram.c - messages with boundaries: SOCK_DGRAM, and SOCK_SEQPACKET, which is the same between two
 *
 * The order of the checks is Linux's: it decides which error a program sees.
 */
#include <errno.h>

#include "core/sock_reasons.h"
#include "unix/unix_internal.h"

#define LINEAR_MAX 2048 /* larger messages lie in page fragments */

struct sk_buff *unix_alloc_skb(struct sock *sk, struct iov_iter *from, u32 len, bool noblock,
			       int *ret_err)
{
	u32 linear = len <= LINEAR_MAX ? len : 0, before;
	struct sk_buff *skb = sock_alloc_send_skb(sk, linear, 0, noblock, ret_err);
	s64 n;

	if (!skb)
		return NULL;
	before = skb->truesize;
	n = skb_append_iter(skb, from, len, linear != 0);
	sk->sk_wmem_alloc += skb->truesize - before;
	if (n == len)
		return skb;
	*ret_err = -ENOBUFS;
	kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
	return NULL;
}

bool unix_dgram_full(const struct sock *sk, const struct sock *other)
{
	return other != sk && unix_sk(other)->peer != sk &&
	       other->sk_receive_queue.qlen > other->sk_max_ack_backlog;
}

/* The peer has gone. */
static int peer_is_dead(struct sock *sk, struct sock *other)
{
	if (sk->sk_type == SOCK_SEQPACKET)
		return -EPIPE;
	if (unix_sk(sk)->peer == other) {
		unix_disconnect_peer(sk);
		sk->sk_state = SS_TCP_CLOSE;
	}
	return -ECONNREFUSED;
}

/* May @skb be queued at @other now? 0, -EAGAIN: wait, or why not. */
static int dgram_check(struct sock *sk, struct sock *other)
{
	const struct sock *back = unix_sk(other)->peer;

	if (back && back != sk)
		return -EPERM;
	if (sock_flag(other, SOCK_DEAD))
		return peer_is_dead(sk, other);
	if (other->sk_shutdown & SK_SHUTDOWN_RCV)
		return -EPIPE;
	return unix_dgram_full(sk, other) ? -EAGAIN : 0;
}

static int dgram_deliver(struct sock *sk, struct sock *other, struct sk_buff *skb, u64 timeo)
{
	int err;

	if (sk_filter_trim_cap(other, skb, 1)) { /* the sender does not hear of it */
		kfree_skb_reason(skb, SKB_DROP_SOCKET_FILTER);
		return 0;
	}
	for (;;) {
		err = dgram_check(sk, other);
		if (err != -EAGAIN || !timeo)
			break;
		err = unix_wait_for_peer(sk, other, &timeo);
		if (!err)
			err = sock_error(sk);
		if (!err && (sk->sk_shutdown & SK_SHUTDOWN_SEND))
			err = -EPIPE;
		if (err)
			break;
	}
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
		return err;
	}
	unix_add_cred(skb, sk, other);
	trace_skb(skb, sock_net(sk), TP_unix_dgram_sendmsg, TRACE_QUEUED,
		  other->sk_receive_queue.qlen, 0);
	skb->tstamp = sk->sk_cpu->now;
	skb_queue_tail(&other->sk_receive_queue, skb);
	sk_data_ready(other);
	return 0;
}

/* Where it goes: a reference, or NULL with *ret_err. */
static struct sock *dgram_target(struct sock *sk, const struct kmsghdr *msg, int *ret_err)
{
	const struct sockaddr *addr = (const struct sockaddr *)msg->name;
	struct sock *other = unix_sk(sk)->peer;

	if (addr && msg->namelen)
		return unix_find_other(sock_net(sk), addr, msg->namelen, sk->sk_type, ret_err);
	if (!other) {
		*ret_err = -ENOTCONN;
		return NULL;
	}
	sock_hold(other);
	return other;
}

static ssize_t dgram_send(struct sock *sk, struct kmsghdr *msg, struct unix_scm *scm, size_t len)
{
	bool noblock = msg->flags & MSG_DONTWAIT;
	struct sk_buff *skb;
	struct sock *other;
	int err = 0;

	if (msg->name && msg->namelen)
		err = unix_validate((const struct sockaddr *)msg->name, msg->namelen);
	if (!err && sock_flag(sk, SOCK_PASSCRED))
		err = unix_autobind(sk);
	if (err)
		return err;
	if (len > sk->sk_sndbuf - 32)
		return -EMSGSIZE;
	skb = unix_alloc_skb(sk, &msg->iter, (u32)len, noblock, &err);
	if (!skb)
		return err;
	other = dgram_target(sk, msg, &err);
	err = other ? unix_scm_to_skb(sk, scm, skb) : err;
	if (err)
		kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
	else
		err = dgram_deliver(sk, other, skb, sock_sndtimeo(sk, noblock));
	if (other)
		sock_put(other);
	return err ? err : (ssize_t)len;
}

ssize_t unix_dgram_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct unix_scm scm;
	ssize_t ret;

	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	ret = unix_scm_send(sk, msg, &scm);
	if (!ret)
		ret = dgram_send(sk, msg, &scm, len);
	unix_scm_destroy(sk, &scm);
	return ret;
}

/* ---- receiving ------------------------------------------------------------------------------------------- */

/* The message in which octet *skip of what waits lies (SO_PEEK_OFF), less which it is counted then. */
static struct sk_buff *dgram_find(struct sock *sk, int flags, u32 *skip)
{
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		if (!(flags & MSG_PEEK) || !*skip || *skip < skb->len)
			return skb;
		*skip -= skb->len;
	}
	return NULL;
}

static struct sk_buff *dgram_wait(struct sock *sk, int flags, u32 *skip, int *ret_err)
{
	u64 timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct sk_buff *skb;
	int err;

	for (;;) {
		err = sock_error(sk);
		if (err)
			break;
		*skip = (u32)unix_peek_off(sk, flags);
		skb = dgram_find(sk, flags, skip);
		if (skb)
			return skb;
		/* The end, but not for a datagram socket that would not wait for it: as Linux. */
		if ((sk->sk_shutdown & SK_SHUTDOWN_RCV) && (timeo || unix_connection_based(sk)))
			break;
		err = timeo ? sk_wait_event(sk, &timeo) : -EAGAIN;
		if (err)
			break;
	}
	*ret_err = err;
	return NULL;
}

int unix_copy_name(struct kmsghdr *msg, const struct sock *from)
{
	const struct unix_name *n = from ? unix_sk(from)->name : NULL;

	msg->namelen = 0;
	if (!msg->name || !n)
		return 0;
	memset(msg->name, 0, sizeof(*msg->name));
	msg->name->ss_family = AF_UNIX;
	memcpy((char *)msg->name + UNIX_SUN_OFFSET, n->path, n->len - UNIX_SUN_OFFSET);
	msg->namelen = n->len;
	return 0;
}

ssize_t unix_dgram_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	struct unix_scm scm = { 0 };
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	u32 skip, n, full;
	int err = 0;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	msg->namelen = 0;
	skb = dgram_wait(sk, flags, &skip, &err);
	if (!skb)
		return err;
	if (flags & MSG_PEEK) {
		scm.files = unix_peek_files(UNIXCB(skb)->files, &err);
		if (err)
			return err;
	} else {
		skb_unlink(skb, &sk->sk_receive_queue);
		unix_wake_peer_wait(sk);
		scm.files = unix_detach_files(sock_net(sk), skb);
	}
	scm.cred = UNIXCB(skb)->cred;
	unix_copy_name(msg, skb->sk);
	full = skb->len - skip;
	n = (u32)min((size_t)full, len);
	if (n < full)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, skip, &msg->iter, n);
	sock_recv_cmsgs(sk, msg, skb);
	unix_scm_recv(sk, msg, &scm);
	unix_peek_off_move(sk, flags, flags & MSG_PEEK ? n : skb->len);
	trace_skb(skb, sock_net(sk), TP_unix_dgram_recvmsg, TRACE_DONE, n, 0);
	if (!(flags & MSG_PEEK))
		consume_skb(skb);
	if (err)
		return err;
	return flags & MSG_TRUNC ? (ssize_t)full : (ssize_t)n;
}

/* ---- SOCK_SEQPACKET -------------------------------------------------------------------------------------- */

ssize_t unix_seqpacket_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	int err = sock_error(sock->sk);

	if (err)
		return err;
	if (sock->sk->sk_state != SS_TCP_ESTABLISHED)
		return -ENOTCONN;
	msg->namelen = 0; /* an address is ignored */
	return unix_dgram_sendmsg(sock, msg, len);
}

ssize_t unix_seqpacket_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	if (sock->sk->sk_state != SS_TCP_ESTABLISHED)
		return -ENOTCONN;
	return unix_dgram_recvmsg(sock, msg, len, flags);
}
