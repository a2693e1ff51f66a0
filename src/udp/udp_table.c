/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp_table.c - which socket has which port, and which socket a packet is for
 *
 * Theory of operation
 *   One table per net, by local port, that doubles as sockets come. A port may have several sockets: on different addresses or
 *   devices, connected to different peers, or sharing by SO_REUSEADDR/SO_REUSEPORT. The one that says most about the packet
 *   gets it (udp_score()): the local address first, then the peer, then the device. Among equals of a SO_REUSEPORT group the
 *   flow's hash decides, else the one that was bound last.
 * Invariants
 *   A sock in the table is referenced by it. skc_node is hashed exactly while sk_num != 0.
 * Locking: the home cpu's lock.
 * See RFC 6056 (ephemeral ports), socket(7) SO_REUSEPORT.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "ipv4/igmp.h"
#include "lib/siphash.h"
#include "udp/udp.h"

#define UDP_BITS_MIN 4
#define UDP_BITS_MAX 16

static struct hlist_head *table_alloc(u32 bits)
{
	return calloc((size_t)1 << bits, sizeof(struct hlist_head));
}

int udp_table_init(struct netns_udp *t, struct net *net)
{
	t->bits = UDP_BITS_MIN;
	t->count = 0;
	t->hash = table_alloc(t->bits);
	t->key[0] = net->machine->hash_seed[0] ^ net->id;
	t->key[1] = net->machine->hash_seed[1];
	return t->hash ? 0 : -ENOMEM;
}

void udp_table_fini(struct netns_udp *t)
{
	for (u32 i = 0; t->hash && i < 1u << t->bits; i++)
		while (t->hash[i].first)
			udp_unhash((struct sock *)container_of(t->hash[i].first, struct sock_common,
							       skc_node));
	free(t->hash);
	t->hash = NULL;
}

/* Without memory the table stays as it is: longer chains, the same results. */
static void udp_table_grow(struct netns_udp *t)
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
	return !(sk->sk_reuseport && sk2->sk_reuseport && sk->sk_uid == sk2->sk_uid);
}

static bool udp_port_taken(const struct sock *sk, u16 port, bool choosing)
{
	struct sock_common *c;

	hlist_for_each_entry(c, udp_bucket(sock_net(sk)->udp, port), skc_node)
		if (c != &sk->c && c->skc_num == port &&
		    udp_conflict(sk, (struct sock *)c, choosing))
			return true;
	return false;
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

		if (!udp_port_taken(sk, port, true))
			return port;
	}
	return 0;
}

int udp_get_port(struct sock *sk, u16 port)
{
	struct netns_udp *t = sock_net(sk)->udp;

	if (!t)
		return -ENETDOWN;
	if (!port)
		port = udp_choose_port(sk);
	else if (udp_port_taken(sk, port, false))
		return -EADDRINUSE;
	if (!port)
		return -EADDRINUSE;
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
	hlist_del_init(&sk->sk_node);
	sock_net(sk)->udp->count--;
	sk->sk_num = 0;
	inet_sk(sk)->inet_sport = (be16){ 0 };
	sock_put(sk);
}

/* ---- lookup ---------------------------------------------------------------------------------------------- */

/* 0: not for @sk; else the more, the closer. */
static u32 udp_score(const struct sock *sk, be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif)
{
	u32 score = 1 + (sk->sk_family == AF_INET);

	if (sk->sk_num != hnum || sk->sk_ipv6only)
		return 0;
	if (!be32_zero(sk->sk_rcv_saddr)) {
		if (!be32_eq(sk->sk_rcv_saddr, daddr))
			return 0;
		score += 32;
	}
	if (!be32_zero(sk->sk_daddr)) {
		if (!be32_eq(sk->sk_daddr, saddr))
			return 0;
		score += 8;
	}
	if (!be16_zero(sk->sk_dport)) {
		if (!be16_eq(sk->sk_dport, sport))
			return 0;
		score += 8;
	}
	if (sk->sk_bound_dev_if) {
		if (sk->sk_bound_dev_if != dif)
			return 0;
		score += 4;
	}
	return score;
}

/* Members of a SO_REUSEPORT group share packets; a connected socket has its own. */
static bool shares_packets(const struct sock *sk)
{
	return sk->sk_reuseport && sk->sk_state != SS_TCP_ESTABLISHED;
}

struct sock *udp4_lookup(struct net *net, be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif)
{
	const struct netns_udp *t = net->udp;
	struct sock *best = NULL;
	struct sock_common *c;
	u32 best_score = 0, group = 0, pick;

	hlist_for_each_entry(c, udp_bucket(t, hnum), skc_node) {
		struct sock *sk = (struct sock *)c;
		u32 score = udp_score(sk, saddr, sport, daddr, hnum, dif);

		if (score > best_score) {
			best = sk;
			best_score = score;
			group = 0;
		}
		group += score && score == best_score && shares_packets(sk);
	}
	if (group < 2 || !shares_packets(best))
		return best;
	pick = (u32)((siphash_3u32(saddr.v, daddr.v, (u32)hnum << 16 | sport.v, t->key) &
		      UINT32_MAX) *
			     group >>
		     32);
	hlist_for_each_entry(c, udp_bucket(t, hnum), skc_node) {
		struct sock *sk = (struct sock *)c;

		if (shares_packets(sk) &&
		    udp_score(sk, saddr, sport, daddr, hnum, dif) == best_score && pick-- == 0)
			return sk;
	}
	return best;
}

bool udp_mcast_match(const struct sock *sk, be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif)
{
	return udp_score(sk, saddr, sport, daddr, hnum, dif) != 0 &&
	       ip_mc_sf_allow(sk, daddr, saddr, dif);
}
