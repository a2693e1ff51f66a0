/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_table.c - which socket has which port
 *
 * Theory of operation
 *   One table per net and variant, by local port, that doubles as sockets come. A port may have several sockets: on different
 *   addresses or devices, connected to different peers, or sharing by SO_REUSEADDR/SO_REUSEPORT. The one that says most about a
 *   packet gets it (udp_score()): the local address first, then the peer, then the device. Among equals of a SO_REUSEPORT group
 *   the flow's hash decides, else the one that was bound last. Both IP versions share the table: a socket of AF_INET6 may take IPv4
 *   packets.
 * Invariants
 *   A sock in the table is referenced by it. skc_node is hashed exactly while sk_num != 0.
 * Locking: the home cpu's lock.
 * See RFC 6056 (ephemeral ports), socket(7) SO_REUSEPORT.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/net_group.h"
#include "core/sock_reuseport.h"
#include "udp/udp.h"

#define UDP_BITS_MIN 4
#define UDP_BITS_MAX 16

static struct hlist_head *table_alloc(u32 bits)
{
	return calloc((size_t)1 << bits, sizeof(struct hlist_head));
}

int udp_table_init(struct udp_table *t)
{
	t->bits = UDP_BITS_MIN;
	t->count = 0;
	t->hash = table_alloc(t->bits);
	return t->hash ? 0 : -ENOMEM;
}

void udp_table_fini(struct udp_table *t)
{
	for (u32 i = 0; t->hash && i < 1u << t->bits; i++)
		while (t->hash[i].first)
			udp_unhash((struct sock *)container_of(t->hash[i].first, struct sock_common,
							       skc_node));
	free(t->hash);
	t->hash = NULL;
}

/* Without memory the table stays as it is: longer chains, the same results. */
static void udp_table_grow(struct udp_table *t)
{
	struct hlist_head *old = t->hash;
	struct hlist_head *bigger = t->bits < UDP_BITS_MAX ? table_alloc(t->bits + 1) : NULL;
	u32 n = 1u << t->bits;

	if (!bigger)
		return;
	t->hash = bigger;
	t->bits++;
	for (u32 i = 0; i < n; i++) {
		struct hlist_node **tail[2] = { &bigger[i].first, &bigger[i + n].first };
		struct hlist_node *node = old[i].first, *next;

		/* Order is kept: it decides among equals. */
		for (; node; node = next) {
			u32 half = (container_of(node, struct sock_common, skc_node)->skc_num &
				    n) != 0;

			next = node->next;
			*tail[half] = node;
			node->pprev = tail[half];
			node->next = NULL;
			tail[half] = &node->next;
		}
	}
	free(old);
}

/* ---- lookup ---------------------------------------------------------------------------------------------- */

static __inlined u32 __udp_score(const struct sock *sk, const struct inet_tuple *t)
{
	enum inet_bound how;
	u32 score;
	int peer;

	if (sk->sk_num != t->hnum)
		return 0;
	score = 1 + (sk->sk_family == AF_INET);
	how = inet_common_bound(&sk->c, t);
	if (how == INET_BOUND_ELSEWHERE)
		return 0;
	if (how == INET_BOUND_ADDR)
		score += 32;
	peer = inet_common_peer(&sk->c, t);
	if (peer < 0)
		return 0;
	if (peer)
		score += 8;
	if (!be16_zero(sk->sk_dport)) {
		if (!be16_eq(sk->sk_dport, t->sport))
			return 0;
		score += 8;
	}
	if (sk->sk_bound_dev_if) {
		if (sk->sk_bound_dev_if != t->dif)
			return 0;
		score += 4;
	}
	return score;
}

u32 udp_score(const struct sock *sk, const struct inet_tuple *t)
{
	return __udp_score(sk, t);
}

int udp_listen_any(struct sock *sk, int backlog)
{
	struct netns_udp *net = sock_net(sk)->udp;
	struct sock **any;

	(void)backlog;
	if (sk->sk_protocol != IPPROTO_UDP)
		return -EOPNOTSUPP;
	if (!net)
		return -ENETDOWN;
	any = &net->any[sk->sk_family == AF_INET6];
	if (*any)
		return -EADDRINUSE;
	*any = sk;
	sock_hold(sk);
	return 0;
}

void udp_unhash_any(struct sock *sk)
{
	struct netns_udp *net = inet_sk(sk)->listen_any ? sock_net(sk)->udp : NULL;
	struct sock **any = net ? &net->any[sk->sk_family == AF_INET6] : NULL;

	if (!any || *any != sk)
		return;
	*any = NULL;
	sock_put(sk);
}

/* The one that takes what nobody else does. */
static struct sock *any_lookup(struct net *net, const struct udp_variant *v,
			       const struct inet_tuple *t)
{
	struct sock *sk = v->id == UDP_PLAIN ? net->udp->any[t->family == AF_INET6] : NULL;

	return sk && (!sk->sk_bound_dev_if || sk->sk_bound_dev_if == t->dif) ? sk : NULL;
}

struct sock *udp_lookup(struct net *net, const struct udp_variant *v, const struct inet_tuple *t,
			const struct sk_buff *skb)
{
	const struct hlist_head *bucket = udp_bucket(&net->udp->table[v->id], t->hnum);
	struct sock *best = NULL, *member;
	struct sock_common *c;
	u32 best_score = 0;

	hlist_for_each_entry(c, bucket, skc_node) {
		struct sock *sk = (struct sock *)c;
		u32 score = __udp_score(sk, t);

		if (score > best_score) {
			best = sk;
			best_score = score;
		}
	}
	if (!best)
		return any_lookup(net, v, t);
	if (!udp_shares_packets(best))
		return best;
	member = reuseport_select_sock(best, (u32)inet_tuple_hash(t, net->udp->key), skb,
				       sizeof(struct udp_hdr));
	return member ? member : best;
}

/* Who would have to look at many sockets does not look, as in Linux, where this is the first one: most have a port of their own. */
#define UDP_EARLY_LOOKS 4

void udp_early_sock(struct sk_buff *skb, const struct inet_tuple *t)
{
	struct net *net = skb->dev->net;
	struct sock_common *c;
	u32 looks = 0;

	hlist_for_each_entry(c, udp_bucket(&net->udp->table[UDP_PLAIN], t->hnum), skc_node) {
		struct sock *sk = (struct sock *)c;

		if (++looks > UDP_EARLY_LOOKS)
			return;
		if (sk->sk_state != SS_TCP_ESTABLISHED || !be16_eq(sk->sk_dport, t->sport) ||
		    sk->sk_num != t->hnum)
			continue;
		/* Of one that has several addresses or peers the route may not always be the same. */
		if (inet_common_bound(c, t) == INET_BOUND_ADDR && inet_common_peer(c, t) > 0 &&
		    udp_lookup(net, &udp_variants[UDP_PLAIN], t, NULL) == sk)
			skb_set_owner_edemux(skb, sk);
		return;
	}
}

/* Where @sk's port lies or will lie. */
static struct udp_table *sk_table(const struct sock *sk)
{
	return &sock_net(sk)->udp->table[udp_sk_variant(sk)->id];
}

/* ---- ports ----------------------------------------------------------------------------------------------- */

/* May @sk not have the port that @sk2 has? @choosing: nobody asked for this port, so permission to share does not count. */
static bool udp_conflict(const struct sock *sk, const struct sock *sk2, bool choosing)
{
	if (sk->sk_bound_dev_if && sk2->sk_bound_dev_if &&
	    sk->sk_bound_dev_if != sk2->sk_bound_dev_if)
		return false;
	if (!inet_rcv_saddr_equal(&sk->c, &sk2->c, true))
		return false;
	if (choosing)
		return true;
	if (sk->sk_reuse && sk2->sk_reuse)
		return false;
	/* One that was given a program before it is bound is a group already. */
	return !(sk->sk_reuseport && sk2->sk_reuseport && sk->sk_uid == sk2->sk_uid &&
		 !sk_reuseport_cb(sk));
}

static bool udp_port_taken(const struct sock *sk, u16 port, bool choosing)
{
	struct sock_common *c;

	hlist_for_each_entry(c, udp_bucket(sk_table(sk), port), skc_node)
		if (c != &sk->c && c->skc_num == port &&
		    udp_conflict(sk, (struct sock *)c, choosing))
			return true;
	return false;
}

/* Of the net's cpus one has each port of UDP; the lead those of UDP-Lite. */
static bool has_claims(const struct sock *sk)
{
	return unlikely(sock_net(sk)->group) && udp_sk_variant(sk)->id == UDP_PLAIN;
}

static bool port_elsewhere(const struct sock *sk, u16 port)
{
	return has_claims(sk) && net_udp_elsewhere(sock_net(sk), port);
}

/* RFC 6056 3.3.1: a random port of the range, the next free one from there. 0: none. */
static u16 udp_choose_port(const struct sock *sk)
{
	u16 lo, hi;
	u32 n, offset;

	inet_sk_get_local_port_range(sk, &lo, &hi);
	n = (u32)hi - lo + 1;
	offset = (u32)(cpu_random(sk->sk_cpu) % n);
	for (u32 i = 0; i < n; i++) {
		u16 port = (u16)(lo + (offset + i) % n);

		if (!udp_port_taken(sk, port, true) && !port_elsewhere(sk, port))
			return port;
	}
	return 0;
}

/* The group on @port that @sk belongs to, or a new one. 0, -ENOMEM, -EBUSY. */
static int udp_reuseport_join(struct sock *sk, u16 port)
{
	struct sock_common *c;

	hlist_for_each_entry(c, udp_bucket(sk_table(sk), port), skc_node) {
		struct sock *sk2 = (struct sock *)c;

		if (sk2->sk_num == port && inet_reuseport_match(sk, sk2))
			return reuseport_add_sock(sk, sk2);
	}
	return reuseport_alloc(sk);
}

int udp_get_port(struct sock *sk, u16 port)
{
	struct udp_table *t;
	int err;

	if (!sock_net(sk)->udp)
		return -ENETDOWN;
	t = sk_table(sk);
	if (!port)
		port = udp_choose_port(sk);
	else if (udp_port_taken(sk, port, false))
		return -EADDRINUSE;
	if (!port)
		return -EADDRINUSE;
	if (has_claims(sk)) {
		err = net_udp_claim(sock_net(sk), port, sk->sk_reuseport);
		if (err)
			return err;
	}
	if (sk->sk_reuseport) {
		err = udp_reuseport_join(sk, port);
		if (err) {
			if (has_claims(sk))
				net_udp_unclaim(sock_net(sk), port, true);
			return err;
		}
	}
	udp_sk(sk)->claimed_alone = !sk->sk_reuseport;
	if (t->count >= 1u << t->bits)
		udp_table_grow(t);
	sk->sk_num = port;
	hlist_add_head(&sk->sk_node, udp_bucket(t, port));
	t->count++;
	sock_hold(sk);
	return 0;
}

void udp_unhash(struct sock *sk)
{
	if (hlist_unhashed(&sk->sk_node))
		return;
	reuseport_detach_sock(sk);
	hlist_del_init(&sk->sk_node);
	sk_table(sk)->count--;
	sock_net(sk)->inet->udp_connected -= udp_sk(sk)->connected;
	udp_sk(sk)->connected = 0;
	if (has_claims(sk))
		net_udp_unclaim(sock_net(sk), sk->sk_num, !udp_sk(sk)->claimed_alone);
	sk->sk_num = 0;
	inet_sk(sk)->inet_sport = (be16){ 0 };
	sock_put(sk);
}
