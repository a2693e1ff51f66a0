/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_connection_sock.c - listening, the request queue, the accept queue, children
 *
 * Theory of operation
 *   A request sock stands for a SYN that was answered. It lies in ehash (state NEW_SYN_RECV) so that the final ACK finds it by
 *   the 4-tuple, is counted in the listener's icsk_accept_queue.qlen, and has a timer for the SYN-ACK. When the ACK comes the
 *   protocol clones the listener (inet_csk_clone_lock), puts the child into ehash in the request's place (inet_ehash_insert), and
 *   inet_csk_complete_hashdance() moves the request, now carrying the child, to the accept queue.
 * References
 *   request: one for being queued (ehash, timer, count), one for whoever works with it, one while on the accept queue.
 *   It holds its listener. child: the one from cloning goes over to the accept queue and from there to accept(2)'s socket; ehash
 *   holds its own.
 *   A listener for any destination (inet_sock.listen_any) does not answer a SYN by itself: request and SYN wait on the any queue
 *   until the owner has heard of them and said what the SYN's fate is (tcp/tcp_listen_any.c). Its requests that end without
 *   a child come to that queue once more.
 *   A listener that closes resets the children that nobody accepted and ends its requests: the ACK of one finds no socket. With
 *   net.ipv4.tcp_migrate_req another listener of its SO_REUSEPORT group, if there is one, gets both.
 * Locking: the home cpu's lock.
 * See RFC 9293 3.10.7.2-4, RFC 4987.
 */
#include "inet/inet_connection_sock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/dst.h"
#include "core/slab.h"
#include "inet/inet6_sock.h"
#include "inet/inet_internal.h"
#include "socket/socket.h"

/* ---- listen(2) and its end --------------------------------------------------------------------------- */

int inet_csk_listen_start(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	int err;

	memset(&icsk->icsk_accept_queue, 0, sizeof(icsk->icsk_accept_queue));
	memset(&icsk->icsk_ack, 0, sizeof(icsk->icsk_ack));
	sk->sk_ack_backlog = 0;
	/* Other listeners count from now on: what bind(2) permitted may be a conflict for listen(2). */
	sk->sk_state = SS_TCP_LISTEN;
	err = sk->sk_prot->get_port(sk, sk->sk_num);
	if (err) {
		sk->sk_state = SS_TCP_CLOSE;
		return err == -ENOMEM ? err : -EADDRINUSE;
	}
	err = inet_reuseport_join(sk);
	if (err) {
		sk->sk_state = SS_TCP_CLOSE;
		return err;
	}
	inet_sk(sk)->inet_sport = cpu_to_be16(sk->sk_num);
	sk_dst_reset(sk);
	sk->sk_prot->hash(sk);
	return 0;
}

static void accept_queue_add(struct sock *sk, struct request_sock *req, struct sock *child)
{
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;

	req->sk = child;
	req->dl_next = NULL;
	if (q->rskq_accept_head)
		q->rskq_accept_tail->dl_next = req;
	else
		q->rskq_accept_head = req;
	q->rskq_accept_tail = req;
	sk->sk_ack_backlog++;
}

static struct request_sock *accept_queue_remove(struct sock *sk)
{
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;
	struct request_sock *req = q->rskq_accept_head;

	if (!req)
		return NULL;
	q->rskq_accept_head = req->dl_next;
	if (!q->rskq_accept_head)
		q->rskq_accept_tail = NULL;
	sk->sk_ack_backlog--;
	return req;
}

void inet_child_forget(struct sock *listener, struct request_sock *req, struct sock *child)
{
	(void)listener;
	(void)req;
	sock_hold(child);
	if (child->sk_prot->disconnect)
		child->sk_prot->disconnect(child, O_NONBLOCK);
	sock_orphan(child);
	inet_csk_destroy_sock(child);
	sock_put(child);
}

/* Who takes over @c, a request or child of @sk, which listens no more. NULL: nobody */
static struct sock *listener_successor(const struct sock *sk, const struct sock_common *c)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct sock *next = NULL;
	struct inet_tuple t;

	if (likely(!sk->sk_reuseport) || !h)
		return NULL;
	if (h->migrate_req) {
		inet_common_tuple(c, &t);
		t.dif = sk->sk_bound_dev_if;
		next = __inet_lookup_listener(h, &t, NULL);
		if (next && !inet_reuseport_match(sk, next))
			next = NULL;
	}
	NET_INC_STATS(sk->sk_net,
		      next ? MIB_TcpExt_TCPMigrateReqSuccess : MIB_TcpExt_TCPMigrateReqFailure);
	return next;
}

static void reqsk_change_listener(struct request_sock *req, struct sock *next)
{
	sock_hold(next);
	sock_put(req->rsk_listener);
	req->rsk_listener = next;
}

/* @sk gives up @req, which is in ehash. */
static void reqsk_leave_listener(struct sock *sk, struct request_sock *req)
{
	struct sock *next = req->any ? NULL : listener_successor(sk, &req->c);
	struct request_sock_queue *q;

	if (!next) {
		inet_csk_reqsk_queue_drop(sk, req);
		return;
	}
	q = &inet_csk(next)->icsk_accept_queue;
	reqsk_change_listener(req, next);
	q->qlen++;
	q->young += !req->num_timeout;
}

/* The queue's counters share their memory with what the socket needs when it connects next: nobody may count down later. */
static void reqsk_queue_leave_all(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct hlist_node *next;
	struct sock_common *c;

	for (u32 i = 0; h && inet_csk(sk)->icsk_accept_queue.qlen && i < 1u << h->ehash_bits; i++) {
		hlist_for_each_entry_safe(c, next, &h->ehash[i], skc_node) {
			struct request_sock *req = (struct request_sock *)c;

			if (c->skc_state == SS_TCP_NEW_SYN_RECV && req->rsk_listener == sk)
				reqsk_leave_listener(sk, req);
		}
	}
}

/* ---- the any queue ----------------------------------------------------------------------------------- */

static void any_queue_add(struct sock *sk, struct request_sock *req)
{
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;

	req->c.skc_refcnt++;
	req->dl_next = NULL;
	if (q->any_head)
		q->any_tail->dl_next = req;
	else
		q->any_head = req;
	q->any_tail = req;
	sk_data_ready(sk);
}

static struct request_sock *any_queue_remove(struct sock *sk)
{
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;
	struct request_sock *req = q->any_head;

	if (req)
		q->any_head = req->dl_next;
	return req;
}

void inet_csk_any_ask(struct sock *sk, struct request_sock *req, struct sk_buff *skb)
{
	req->any = REQSK_ANY_NEW;
	req->any_skb = skb;
	any_queue_add(sk, req);
}

struct request_sock *inet_csk_any_next(struct sock *sk)
{
	struct request_sock *req;

	while ((req = any_queue_remove(sk))) {
		if (req->any == REQSK_ANY_NEW)
			req->any = REQSK_ANY_TOLD;
		if (req->any != REQSK_ANY_NOT)
			return req;
		reqsk_put(req); /* it has ended before anybody knew of it */
	}
	return NULL;
}

/* @req ends without a child. */
static void any_gone(struct sock *sk, struct request_sock *req)
{
	enum reqsk_any was = req->any;

	if (req->any_skb)
		kfree_skb_reason(req->any_skb, SKB_DROP_ANY_GONE);
	req->any_skb = NULL;
	req->any = REQSK_ANY_NOT;
	if ((was == REQSK_ANY_TOLD || was == REQSK_ANY_ACCEPTED) && sk->sk_state == SS_TCP_LISTEN) {
		req->any = REQSK_ANY_GONE;
		any_queue_add(sk, req);
	}
}

/* ---- the end of listening ----------------------------------------------------------------------------- */

void inet_csk_listen_stop(struct sock *sk)
{
	struct request_sock *req;

	reqsk_queue_leave_all(sk);
	if (inet_sk(sk)->listen_any) {
		while ((req = any_queue_remove(sk)))
			reqsk_put(req);
		inet_unhash_any(sk);
		inet_sk(sk)->listen_any = 0;
	}
	while ((req = accept_queue_remove(sk))) {
		struct sock *child = req->sk, *next = listener_successor(sk, &child->c);

		if (next) {
			reqsk_change_listener(req, next);
			accept_queue_add(next, req, child);
			sk_data_ready(next);
			continue;
		}
		req->sk = NULL;
		inet_child_forget(sk, req, child);
		reqsk_put(req);
	}
}

/* ---- accept(2) --------------------------------------------------------------------------------------- */

/* 0 when a connection waits, or -errno. */
static int wait_for_connection(struct sock *sk, u64 timeo)
{
	for (;;) {
		int err;

		if (sk->sk_state != SS_TCP_LISTEN)
			return -EINVAL;
		if (inet_csk(sk)->icsk_accept_queue.rskq_accept_head)
			return 0;
		if (!timeo)
			return -EAGAIN;
		err = sk_wait_event(sk, &timeo);
		if (err == -EINTR)
			return err;
		if (err)
			timeo = 0; /* look once more, then give up */
	}
}

struct sock *inet_csk_accept(struct sock *sk, int flags, int *ret_err)
{
	struct request_sock *req;
	struct sock *child;
	int err = wait_for_connection(sk, sock_rcvtimeo(sk, flags & O_NONBLOCK));

	if (err) {
		*ret_err = err;
		return NULL;
	}
	req = accept_queue_remove(sk);
	child = req->sk;
	req->sk = NULL;
	reqsk_put(req);
	return child;
}

/* ---- request socks ----------------------------------------------------------------------------------- */

void inet_reqsk_init(struct request_sock *req, const struct request_sock_ops *ops,
		     struct sock *listener)
{
	req->c.skc_state = SS_TCP_NEW_SYN_RECV;
	req->c.skc_family = ops->family;
	req->c.skc_net = sock_net(listener);
	req->c.skc_prot = listener->sk_prot;
	req->c.skc_reuse = listener->sk_reuse & 3;
	req->c.skc_reuseport = listener->sk_reuseport;
	req->c.skc_bound_dev_if = listener->sk_bound_dev_if;
	req->c.skc_refcnt = 1;
	req->rsk_ops = ops;
	req->rsk_listener = listener;
	if (ops->timeout)
		timer_setup(&req->timer, ops->timeout);
}

struct request_sock *inet_reqsk_alloc(const struct request_sock_ops *ops, struct sock *listener)
{
	struct request_sock *req = slab_zalloc(listener->sk_cpu, ops->obj_size);

	if (!req)
		return NULL;
	inet_reqsk_init(req, ops, listener);
	req->c.skc_cookie = sock_new_cookie(listener);
	sock_hold(listener);
	return req;
}

void reqsk_put(struct request_sock *req)
{
	struct cpu *cpu;

	if (--req->c.skc_refcnt)
		return;
	assert(!req->queued && hlist_unhashed(&req->c.skc_node));
	if (req->rsk_ops->destructor)
		req->rsk_ops->destructor(req);
	consume_skb(req->pktopts);
	dst_release(req->dst);
	cpu = req->rsk_listener->sk_cpu;
	sock_put(req->rsk_listener);
	slab_free(cpu, req, req->rsk_ops->obj_size);
}

int inet_csk_reqsk_queue_hash_add(struct sock *sk, struct request_sock *req, u64 timeout_ns)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;

	if (!h)
		return -ENETDOWN;
	req->c.skc_hash = inet_common_hash(h, &req->c);
	__inet_ehash_add(h, &req->c);
	req->queued = 1;
	req->c.skc_refcnt++;
	q->qlen++;
	q->young++;
	req->timeout = timeout_ns;
	if (req->rsk_ops->timeout)
		mod_timer(sk->sk_cpu, &req->timer, sk->sk_cpu->now + timeout_ns);
	return 0;
}

void inet_csk_reqsk_queue_drop(struct sock *sk, struct request_sock *req)
{
	struct request_sock_queue *q = &inet_csk(sk)->icsk_accept_queue;

	if (!req->queued)
		return;
	req->queued = 0;
	if (req->any)
		any_gone(sk, req);
	/* Its child may have taken its place already. */
	if (!hlist_unhashed(&req->c.skc_node))
		__inet_ehash_del(sk_hashinfo(sk), &req->c);
	if (req->rsk_ops->timeout)
		del_timer(&req->timer);
	/* A socket that listens no more keeps something else there. */
	if (sk->sk_state == SS_TCP_LISTEN) {
		if (q->qlen)
			q->qlen--;
		if (!req->num_timeout && q->young)
			q->young--;
	}
	reqsk_put(req);
}

bool inet_csk_complete_hashdance(struct sock *sk, struct sock *child, struct request_sock *req)
{
	req->c.skc_refcnt++; /* the accept queue's */
	req->any = REQSK_ANY_NOT;
	inet_csk_reqsk_queue_drop(sk, req);
	if (sk->sk_state != SS_TCP_LISTEN) {
		inet_child_forget(sk, req, child);
		reqsk_put(req);
		return false;
	}
	accept_queue_add(sk, req, child);
	return true;
}

/* ---- children ---------------------------------------------------------------------------------------- */

/* The IPv6 part of a child: what the listener has set, and what belongs to one connection. */
static void clone_pinfo(struct sock *newsk, const struct request_sock *req)
{
	struct ipv6_pinfo *np = inet6_sk_generic(newsk);

	inet_sk(newsk)->pinet6 = np;
	np->saddr = req->c.skc_v6_rcv_saddr;
	np->flow_label = req->ir_flowlabel;
	if (np->opt)
		np->opt->refcount++;
	np->rxpmtu = NULL;
	np->rx_dst = NULL;
	np->pktoptions = req->pktopts ? skb_get(req->pktopts) : NULL;
	np->rcv_flowinfo = req->ir_flowinfo;
	list_init(&np->mc_list);
	list_init(&np->ac_list);
	list_init(&np->fl_list);
	np->mcast_oif = req->ir_iif;
	np->mcast_hops = req->ir_hoplimit;
}

struct sock *inet_csk_clone_lock(const struct sock *sk, const struct request_sock *req)
{
	/* A request that came of a SYN cookie has no number. */
	struct sock *newsk = sk_clone(sk, req->c.skc_cookie);
	struct inet_connection_sock *newicsk;

	if (!newsk)
		return NULL;
	newsk->sk_state = SS_TCP_SYN_RECV;
	inet_sk(newsk)->rx_dst_id = 0;
	newsk->sk_num = req->c.skc_num;
	newsk->sk_dport = req->c.skc_dport;
	newsk->sk_daddr = req->c.skc_daddr;
	newsk->sk_rcv_saddr = req->c.skc_rcv_saddr;
	newsk->sk_v6_daddr = req->c.skc_v6_daddr;
	newsk->sk_v6_rcv_saddr = req->c.skc_v6_rcv_saddr;
	newsk->sk_bound_dev_if = req->c.skc_bound_dev_if;
	if (req->ir_mark)
		newsk->sk_mark = req->ir_mark;
	inet_sk(newsk)->inet_saddr = req->c.skc_rcv_saddr;
	inet_sk(newsk)->inet_sport = cpu_to_be16(req->c.skc_num);
	inet_sk(newsk)->inet_opt = NULL;
	inet_sk(newsk)->listen_any = 0;
	inet_sk(newsk)->mc_index = req->ir_iif;
	inet_sk(newsk)->mc_ttl = req->ir_hoplimit;
	inet_sk(newsk)->rcv_tos = req->ir_tos;
	if (inet_sk(sk)->pinet6)
		clone_pinfo(newsk, req);
	inet_sk(newsk)->inet_id = (u16)cpu_random(sk->sk_cpu);

	newicsk = inet_csk(newsk);
	newicsk->icsk_bind_node = (struct hlist_node){ 0 };
	newicsk->icsk_bind_hash = NULL;
	memset(&newicsk->icsk_accept_queue, 0, sizeof(newicsk->icsk_accept_queue));
	memset(&newicsk->icsk_ack, 0, sizeof(newicsk->icsk_ack));
	timer_setup(&newicsk->icsk_timer, inet_csk(sk)->icsk_timer.function);
	newicsk->icsk_timeout = newicsk->icsk_delack_timeout = newicsk->icsk_keepalive_timeout = 0;
	newicsk->icsk_pending = 0;
	newicsk->icsk_retransmits = newicsk->icsk_backoff = newicsk->icsk_probes_out = 0;
	return newsk;
}

void inet_csk_destroy_sock(struct sock *sk)
{
	assert(sk->sk_state == SS_TCP_CLOSE && !sk->sk_socket);
	sk->sk_prot->destroy(sk);
	inet_unhash(sk);
	inet_put_port(sk);
	sock_put(sk);
}

/* A child that failed before anybody else knew it: ready for inet_csk_destroy_sock(). */
void inet_csk_prepare_forced_close(struct sock *sk)
{
	sock_orphan(sk);
	sock_set_flag(sk, SOCK_DEAD);
	inet_sk(sk)->sk.sk_state = SS_TCP_CLOSE;
	sk->sk_num = 0;
}
