/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_reuseport.c - sockets that share an address and port by SO_REUSEPORT, and which of them a packet is for
 *
 * Theory of operation
 *   Sockets that are bound to the same address, port and device by one user, each with SO_REUSEPORT, are a group. Who is found by a lookup
 *   stands for its group; reuseport_select_sock() then picks the member: by the group's program (SO_ATTACH_REUSEPORT_CBPF), whose result
 *   is a place in the group, or by the hash of the flow, if there is no program or no such place. So a flow stays with its member
 *   while the group does not change. The program is the group's: whoever attaches it does so for all, later members too.
 *   A place in the group is the order of joining. A member that leaves is replaced by the last one, as in Linux, so that the others keep
 *   their places.
 *   Before it is bound a socket can get a program already: it has a group of its own then, which ends if it joins another one.
 * Invariant: sk_reuseport_cb() is set exactly while the sock is in socks[] of that group.
 * Locking: the home cpu's lock.
 * See socket(7), SO_REUSEPORT, SO_ATTACH_REUSEPORT_CBPF.
 */
#include "core/sock_reuseport.h"

#include <errno.h>
#include <stdlib.h>

#include "core/bpf_classic.h"

#define REUSEPORT_MIN_SOCKS 16

static void group_free(struct sock_reuseport *g)
{
	bpf_prog_put(g->prog);
	free(g->socks);
	free(g);
}

int reuseport_alloc(struct sock *sk)
{
	struct sock_reuseport *g;

	if (sk_reuseport_cb(sk))
		return 0;
	if (!sock_rare(sk))
		return -ENOMEM;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->max_socks = REUSEPORT_MIN_SOCKS;
	g->socks = calloc(g->max_socks, sizeof(g->socks[0]));
	if (!g->socks) {
		free(g);
		return -ENOMEM;
	}
	g->socks[g->num_socks++] = sk;
	sk->sk_rare->reuseport_cb = g;
	return 0;
}

static int group_grow(struct sock_reuseport *g)
{
	struct sock **more;

	if (g->num_socks < g->max_socks)
		return 0;
	more = realloc(g->socks, 2u * g->max_socks * sizeof(g->socks[0]));
	if (!more)
		return -ENOMEM;
	g->socks = more;
	g->max_socks *= 2;
	return 0;
}

int reuseport_add_sock(struct sock *sk, struct sock *sk2)
{
	struct sock_reuseport *own = sk_reuseport_cb(sk), *g;
	int err;

	if (own && own == sk_reuseport_cb(sk2))
		return 0;
	if (own && own->num_socks != 1)
		return -EBUSY;
	err = sock_rare(sk) ? reuseport_alloc(sk2) : -ENOMEM;
	if (err)
		return err;
	g = sk_reuseport_cb(sk2);
	err = group_grow(g);
	if (err)
		return err;
	if (own)
		group_free(own);
	g->socks[g->num_socks++] = sk;
	sk->sk_rare->reuseport_cb = g;
	return 0;
}

void reuseport_detach_sock(struct sock *sk)
{
	struct sock_reuseport *g = sk_reuseport_cb(sk);
	u32 i = 0;

	if (likely(!g))
		return;
	sk->sk_rare->reuseport_cb = NULL;
	while (g->socks[i] != sk)
		i++;
	g->socks[i] = g->socks[--g->num_socks];
	if (!g->num_socks)
		group_free(g);
}

/* A connected datagram socket is found by its peer's address alone. */
static bool takes_from_all(const struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM || sk->sk_state != SS_TCP_ESTABLISHED;
}

static struct sock *select_by_hash(const struct sock_reuseport *g, u32 hash)
{
	u32 first = (u32)((u64)hash * g->num_socks >> 32), i = first;

	do {
		if (likely(takes_from_all(g->socks[i])))
			return g->socks[i];
		i = i + 1 == g->num_socks ? 0 : i + 1;
	} while (i != first);
	return NULL;
}

struct sock *reuseport_select_sock(struct sock *sk, u32 hash, const struct sk_buff *skb,
				   u32 hdr_len)
{
	const struct sock_reuseport *g = sk_reuseport_cb(sk);

	if (!g)
		return NULL;
	if (g->prog && skb && hdr_len <= skb->len) {
		u32 place = bpf_prog_run(g->prog, skb, (int)hdr_len);

		if (place < g->num_socks)
			return g->socks[place];
	}
	return select_by_hash(g, hash);
}

int reuseport_attach_prog(struct sock *sk, struct bpf_prog *prog)
{
	struct bpf_prog *old;

	if (hlist_unhashed(&sk->sk_node)) {
		int err = sk->sk_reuseport ? reuseport_alloc(sk) : -EINVAL;

		if (err)
			return err;
	} else if (!sk_reuseport_cb(sk)) {
		return -EINVAL; /* it was bound without SO_REUSEPORT, or is no socket that is bound */
	}
	old = sk_reuseport_cb(sk)->prog;
	sk_reuseport_cb(sk)->prog = prog;
	bpf_prog_put(old);
	return 0;
}

int reuseport_detach_prog(struct sock *sk)
{
	struct sock_reuseport *g = sk_reuseport_cb(sk);

	if (!g)
		return sk->sk_reuseport ? -ENOENT : -EINVAL;
	if (!g->prog)
		return -ENOENT;
	bpf_prog_put(g->prog);
	g->prog = NULL;
	return 0;
}
