/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_gc.c - sockets that only messages hold, which only they could read
 *
 * Theory of operation
 *   A socket whose file is referred to by messages alone is a candidate. It is reachable all the same if one of these messages waits at a
 *   socket that is none, or at a candidate that is reachable. So: for each candidate count the messages that hold it, less those
 *   that wait at candidates; where something is left, it is held from outside, and with it everything that its own messages hold, and so
 *   on. The messages at all other candidates are thrown away, and by that their files close.
 *   What waits at the embryos of a listener waits at the listener.
 *   Nobody can take a candidate out of a message while the lock of the cpu is held, and sockets of a net travel only in messages
 *   of the same net: the count cannot change meanwhile. Calls that are inside a file hold a reference: it is no candidate.
 */
#include "core/machine.h"
#include "core/sock_reasons.h"
#include "unix/unix_internal.h"

struct unix_sock *unix_file_sock(struct file *f, const struct net *net)
{
	struct socket *sock = file_socket(f);

	/* Of other cpus nothing but this may be read. */
	if (!file_is_socket(f) || sock->cpu_id != net->cpu->id)
		return NULL;
	if (!sock->sk || sock->sk->sk_family != AF_UNIX || sock->sk->sk_net != net)
		return NULL;
	return unix_sk(sock->sk);
}

/* Calls @fn for each candidate that a message waiting at @u or at its embryos holds. */
static void for_each_held(struct unix_sock *u, void (*fn)(struct unix_sock *held, void *arg),
			  void *arg)
{
	struct unix_sock *child, *held;
	struct sk_buff *skb;

	skb_queue_walk(&u->sk.sk_receive_queue, skb) {
		const struct file_batch *b = UNIXCB(skb)->files;

		for (u32 i = 0; b && i < b->count; i++) {
			held = unix_file_sock(b->files[i], sock_net(&u->sk));
			if (held && held->gc_candidate)
				fn(held, arg);
		}
	}
	list_for_each_entry(child, &u->embryos, embryo)
		for_each_held(child, fn, arg); /* embryos have none */
}

static void not_from_outside(struct unix_sock *held, void *arg)
{
	held->gc_outside--;
}

/* @arg: the list of what is reachable and was not followed yet */
static void reachable(struct unix_sock *held, void *arg)
{
	held->gc_candidate = false;
	list_move_tail(&held->gc_node, arg);
}

static void throw_away(struct unix_sock *u)
{
	struct unix_sock *child;

	skb_queue_purge_reason(&u->sk.sk_receive_queue, SKB_DROP_SOCKET_CLOSE);
	list_for_each_entry(child, &u->embryos, embryo)
		skb_queue_purge_reason(&child->sk.sk_receive_queue, SKB_DROP_SOCKET_CLOSE);
}

void unix_gc(struct net *net)
{
	struct list_head candidates, live;
	struct unix_sock *u, *n;

	lock_assert_held(net->cpu);
	if (!net->unx->inflight_unix)
		return;
	list_init(&candidates);
	list_init(&live);
	list_for_each_entry(u, &net->unx->socks, node) {
		u->gc_candidate = u->inflight && u->sk.sk_socket &&
				  u->inflight == __atomic_load_n(&u->sk.sk_socket->file.refcount,
								 __ATOMIC_ACQUIRE);
		u->gc_outside = u->inflight;
		if (u->gc_candidate)
			list_add_tail(&u->gc_node, &candidates);
	}
	list_for_each_entry(u, &candidates, gc_node)
		for_each_held(u, not_from_outside, NULL);
	list_for_each_entry_safe(u, n, &candidates, gc_node)
		if (u->gc_outside)
			reachable(u, &live);
	while ((u = list_first_entry_or_null(&live, struct unix_sock, gc_node))) {
		list_del(&u->gc_node);
		for_each_held(u, reachable, &live);
	}
	while ((u = list_first_entry_or_null(&candidates, struct unix_sock, gc_node))) {
		list_del(&u->gc_node);
		u->gc_candidate = false;
		throw_away(u); /* files are closed later: nobody leaves the list */
	}
}
