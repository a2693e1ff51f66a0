/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_listen_any.c - connections to any destination, whose fate somebody else decides
 *
 * Theory of operation
 *   For a gateway in user space (weir_listen_any()): one listener of a net takes every SYN that no other socket is for, whatever its
 *   destination. The SYN is not answered. It waits with its request sock, which lies in ehash as any other and so absorbs what the
 *   sender repeats, until the owner has been told of it (tcp_next_syn()) and answers (tcp_answer_syn()) with the outcome of
 *   a connection of its own: then the SYN-ACK goes out and all is as with any listener; or a RST; or an ICMP error about that very
 *   SYN; or nothing.
 *   A request that ends without a child after its owner was told, for whatever reason, is told once more (gone): so that the owner
 *   can drop what it has opened. Request and child have the same cookie.
 * Invariants
 *   any_skb is set exactly in REQSK_ANY_NEW and _TOLD; then no SYN-ACK was sent, and no segment but a RST ends the request.
 *   Such requests are bounded as all are: by the listener's backlog and tcp_max_syn_backlog.
 * Locking: the home cpu's lock.
 * See doc/adr/0008-listen-any.md.
 */
#include <errno.h>

#include "core/cpu.h"
#include "core/netdevice.h"
#include "inet/inet6_sock.h"
#include "inet/inet_reasons.h"
#include "tcp/tcp.h"

int tcp_listen_any(struct sock *sk, int backlog)
{
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;
	int err = inet_hash_any(sk);

	if (err)
		return err;
	memset(q, 0, sizeof(*q));
	memset(&inet_csk(sk)->icsk_ack, 0, sizeof(inet_csk(sk)->icsk_ack));
	sk->sk_ack_backlog = 0;
	/* No somaxconn: that is about programs. */
	sk->sk_max_ack_backlog = (u16)min_t(u32, (u32)backlog, UINT16_MAX);
	sk->sk_state = SS_TCP_LISTEN;
	return 0;
}

skb_drop_reason_t tcp_any_segment(struct sock *listener, struct request_sock *req,
				  const struct tcp_seg *seg)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	bool again = seg->seq == treq->rcv_isn;
	bool inside = !before(seg->seq, treq->rcv_nxt) &&
		      before(seg->seq, treq->rcv_nxt + max(treq->rcv_wnd, 1u));

	/* The sender repeats its SYN, has begun anew with another one, or gives up. */
	if ((seg->flags & TCP_FLAG_SYN) && again)
		return SKB_DROP_TCP_REQ_DUP;
	if ((seg->flags & TCP_FLAG_RST)
		    ? inside || again
		    : (seg->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN) {
		inet_csk_reqsk_queue_drop(listener, req);
		return seg->flags & TCP_FLAG_RST ? SKB_DROP_TCP_RESET : SKB_DROP_TCP_INVALID_SYN;
	}
	return SKB_DROP_TCP_REQ_DUP;
}

int tcp_next_syn(struct sock *sk, struct tcp_any_syn *ret)
{
	struct request_sock *req = inet_csk_any_next(sk);

	if (!req)
		return -EAGAIN;
	ret->cookie = req->c.skc_cookie;
	ret->gone = req->any == REQSK_ANY_GONE;
	inet_common_tuple(&req->c, &ret->tuple);
	reqsk_put(req);
	return 0;
}

static struct request_sock *any_find(struct sock *sk, const struct tcp_any_syn *syn)
{
	struct request_sock *req = (struct request_sock *)__inet_lookup_established(
		&tcp_net(sk)->hashinfo, &syn->tuple);

	if (!req || req->c.skc_state != SS_TCP_NEW_SYN_RECV || req->rsk_listener != sk ||
	    req->c.skc_cookie != syn->cookie)
		return NULL;
	return req;
}

static int any_accept(struct sock *sk, struct request_sock *req)
{
	struct dst_entry *dst = tcp_af(sock_net(sk), req->rsk_ops->family)->route_req(sk, req);

	if (!dst)
		return -EHOSTUNREACH; /* the way back is gone; the owner hears of the request's end */
	req->any = REQSK_ANY_ACCEPTED;
	consume_skb(req->any_skb);
	req->any_skb = NULL;
	tcp_rsk(req)->snt_synack = tcp_now_ns(sk);
	req->timeout = TCP_TIMEOUT_INIT_US * NSEC_PER_USEC;
	mod_timer(sk->sk_cpu, &req->timer, tcp_now_ns(sk) + req->timeout);
	tcp_send_synack(sk, dst, req, NULL); /* if it is lost here, the timer sends another */
	dst_release(dst);
	return 0;
}

/* The device may have gone since. */
static void any_refuse(struct sock *sk, struct request_sock *req, int err)
{
	const struct tcp_af_ops *af = tcp_af(sock_net(sk), req->rsk_ops->family);
	struct sk_buff *skb = req->any_skb;

	skb->dev = __dev_get_by_index(sock_net(sk), req->ir_iif);
	if (err == ECONNREFUSED)
		tcp_send_reset(sk, skb);
	else if (err != ETIMEDOUT && skb->dev)
		af->unreachable(skb, err);
	NET_INC_STATS(sock_net(sk), MIB_Tcp_AttemptFails);
	/* It was the owner that ended it, and needs not be told. */
	req->any = REQSK_ANY_NOT;
	req->any_skb = NULL;
	kfree_skb_reason(skb, SKB_DROP_ANY_REFUSED);
	inet_csk_reqsk_queue_drop(sk, req);
}

int tcp_answer_syn(struct sock *sk, const struct tcp_any_syn *syn, int err)
{
	struct request_sock *req = any_find(sk, syn);

	switch (err) {
	case 0:
	case ECONNREFUSED:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EACCES:
	case ETIMEDOUT:
		break;
	default:
		return -EINVAL;
	}
	if (!req)
		return -ENOENT;
	if (req->any != REQSK_ANY_TOLD)
		return -EALREADY;
	if (!err)
		return any_accept(sk, req);
	any_refuse(sk, req, err);
	return 0;
}
