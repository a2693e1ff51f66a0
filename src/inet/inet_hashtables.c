/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_hashtables.c - the tables of connection-oriented sockets, and who may have which port
 *
 * Theory of operation
 *   Ports are owned through bind buckets. A bucket (bhash, by port) lists every sock that uses its port: bound ones, listeners,
 *   connections that bind(2) never saw, and, on deathrow, TIME_WAIT entries. bind(2) may join a bucket when it conflicts with no
 *   member: overlapping address on overlapping devices, without a permission to share (bind_conflict()). fastreuse > 0 says
 *   that all members allow sharing and none listens, so that the walk is not needed; fastreuse < 0 says that only
 *   connect(2) uses the port, so that connect(2) may use it again for another destination.
 *   connect(2) needs no exclusive port, only a unique 4-tuple: it looks in ehash for each candidate. Candidates come from RFC 6056
 *   3.3.4 ("double-hash"): a keyed hash of the destination plus a counter of its class. connect() takes ports of one parity first
 *   and bind() to port 0 those of the other, so that they stay out of each other's way.
 * Invariants
 *   A sock in ehash or lhash2 is referenced by the table. skc_hash is the full hash under which it lies; tables double without
 *   asking the entries for more. A bucket exists while it has members.
 * Locking: the home cpu's lock.
 * See RFC 6056 (ports), RFC 6191 (reuse of TIME_WAIT), RFC 9293 3.10.1.
 */
#include "inet/inet_hashtables.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/net_group.h"
#include "core/slab.h"
#include "core/sock_reuseport.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_internal.h"
#include "lib/siphash.h"
#include "socket/socket.h"

#define EHASH_BITS_MIN 4
#define BHASH_BITS_MIN 4
#define LHASH_BITS_MIN 2
#define HASH_BITS_MAX  22

/* ---- tables that grow -------------------------------------------------------------------------------- */

static struct hlist_head *table_alloc(u32 bits)
{
	return calloc((size_t)1 << bits, sizeof(struct hlist_head));
}

int inet_hashinfo_init(struct inet_hashinfo *h, struct net *net)
{
	*h = (struct inet_hashinfo){ .ehash_bits = EHASH_BITS_MIN,
				     .bhash_bits = BHASH_BITS_MIN,
				     .lhash2_bits = LHASH_BITS_MIN,
				     .cpu = net->cpu };
	h->ehash = table_alloc(h->ehash_bits);
	h->bhash = table_alloc(h->bhash_bits);
	h->lhash2 = table_alloc(h->lhash2_bits);
	if (!h->ehash || !h->bhash || !h->lhash2) {
		free(h->ehash);
		free(h->bhash);
		free(h->lhash2);
		return -ENOMEM;
	}
	h->key[0] = net->machine->hash_seed[0] ^ net->id;
	h->key[1] = net->machine->hash_seed[1];
	unihash_key_init(&h->hash_key, h->key);
	net->inet->tcp_hashinfo = h;
	return 0;
}

static void hashinfo_evict(struct inet_hashinfo *h, struct sock_common *c)
{
	if (c->skc_state == SS_TCP_TIME_WAIT)
		inet_twsk_deschedule_put(inet_twsk(c));
	else if (c->skc_state == SS_TCP_NEW_SYN_RECV)
		inet_csk_reqsk_queue_drop(((struct request_sock *)c)->rsk_listener,
					  (struct request_sock *)c);
	else
		inet_unhash((struct sock *)c);
	(void)h;
}

void inet_hashinfo_fini(struct inet_hashinfo *h, struct net *net)
{
	struct hlist_head *tables[] = { h->ehash, h->lhash2 };
	u32 bits[] = { h->ehash_bits, h->lhash2_bits };

	if (!h->ehash)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(h->any); i++)
		if (h->any[i])
			inet_unhash_any(h->any[i]);
	for (u32 t = 0; t < ARRAY_SIZE(tables); t++)
		for (u32 i = 0; i < 1u << bits[t]; i++)
			while (tables[t][i].first)
				hashinfo_evict(h, container_of(tables[t][i].first,
							       struct sock_common, skc_node));
	for (u32 i = 0; i < 1u << h->bhash_bits; i++) {
		struct inet_bind_bucket *tb;

		while ((tb = hlist_entry_safe(h->bhash[i].first, struct inet_bind_bucket, node))) {
			/* The bucket goes with its last member. */
			for (bool last = false; !last;) {
				struct hlist_node *n = tb->owners.first;

				last = !n->next;
				inet_put_port((struct sock *)container_of(
					n, struct inet_connection_sock, icsk_bind_node));
			}
		}
	}
	free(h->ehash);
	free(h->bhash);
	free(h->lhash2);
	free(h->table_perturb);
	memset(h, 0, sizeof(*h));
	if (net->inet && net->inet->tcp_hashinfo == h)
		net->inet->tcp_hashinfo = NULL;
}

/* Doubles a table of sock_common. Without memory it stays as it is: longer chains, the same results. */
static void common_table_grow(struct hlist_head **table, u32 *bits)
{
	struct hlist_head *bigger = *bits < HASH_BITS_MAX ? table_alloc(*bits + 1) : NULL;
	u32 mask = (2u << *bits) - 1;

	if (!bigger)
		return;
	for (u32 i = 0; i < 1u << *bits; i++) {
		struct sock_common *c;

		while ((c = hlist_entry_safe((*table)[i].first, struct sock_common, skc_node))) {
			hlist_del_init(&c->skc_node);
			hlist_add_head(&c->skc_node, &bigger[c->skc_hash & mask]);
		}
	}
	free(*table);
	*table = bigger;
	++*bits;
}

static void bhash_grow(struct inet_hashinfo *h)
{
	struct hlist_head *bigger = h->bhash_bits < 16 ? table_alloc(h->bhash_bits + 1) : NULL;
	u32 mask = (2u << h->bhash_bits) - 1;

	if (!bigger)
		return;
	for (u32 i = 0; i < 1u << h->bhash_bits; i++) {
		struct inet_bind_bucket *tb;

		while ((tb = hlist_entry_safe(h->bhash[i].first, struct inet_bind_bucket, node))) {
			hlist_del_init(&tb->node);
			hlist_add_head(&tb->node, &bigger[tb->port & mask]);
		}
	}
	free(h->bhash);
	h->bhash = bigger;
	h->bhash_bits++;
}

/* ---- ehash ------------------------------------------------------------------------------------------- */

static u32 tuple_ports(const struct inet_tuple *t)
{
	return (u32)t->hnum << 16 | t->sport.v;
}

static void tuple_words(const struct inet_tuple *t, u32 words[9])
{
	memcpy(&words[0], &t->daddr.v6, 16);
	memcpy(&words[4], &t->saddr.v6, 16);
	words[8] = tuple_ports(t);
}

u64 inet_tuple_hash(const struct inet_tuple *t, const u64 key[2])
{
	u32 words[9];

	if (likely(t->family == AF_INET))
		return siphash_3u32(t->daddr.v4.v, t->saddr.v4.v, tuple_ports(t), key);
	tuple_words(t, words);
	return siphash_9u32(words, key);
}

void inet_common_tuple(const struct sock_common *c, struct inet_tuple *ret)
{
	ret->hnum = c->skc_num;
	ret->sport = c->skc_dport;
	ret->dif = c->skc_bound_dev_if;
	if (inet_common_is_v6(c)) {
		ret->family = AF_INET6;
		ret->saddr.v6 = c->skc_v6_daddr;
		ret->daddr.v6 = c->skc_v6_rcv_saddr;
	} else {
		ret->family = AF_INET;
		ret->saddr.v4 = c->skc_daddr;
		ret->daddr.v4 = c->skc_rcv_saddr;
	}
}

static u32 ehash_fn(const struct inet_hashinfo *h, const struct inet_tuple *t)
{
	if (likely(t->family == AF_INET))
		return unihash_3u32(t->daddr.v4.v, t->saddr.v4.v, tuple_ports(t), &h->hash_key);
	return unihash_4_4_1(t->daddr.v6.s6_addr32, t->saddr.v6.s6_addr32, tuple_ports(t),
			     &h->hash_key);
}

u32 inet_common_hash(const struct inet_hashinfo *h, const struct sock_common *c)
{
	struct inet_tuple t;

	inet_common_tuple(c, &t);
	return ehash_fn(h, &t);
}

/* Of a connection of a net on several cpus, as if its local port were @port. */
static u64 common_flow_hash(const struct sock_common *c, u16 port)
{
	const struct net_group *g = c->skc_net->group;
	be16 local = cpu_to_be16(port);

	return inet_common_is_v6(c)
		       ? net_flow_hash_v6(g, &c->skc_v6_rcv_saddr, local, &c->skc_v6_daddr,
					  c->skc_dport)
		       : net_flow_hash_v4(g, c->skc_rcv_saddr, local, c->skc_daddr, c->skc_dport);
}

/* Do the packets of such a connection come to its cpu by themselves? */
static bool flow_is_here(const struct sock_common *c, u16 port)
{
	const struct net *net = c->skc_net;

	return likely(!net->group) ||
	       net_flow_home(net->group, common_flow_hash(c, port)) == net->shard;
}

void __inet_ehash_add(struct inet_hashinfo *h, struct sock_common *c)
{
	if (h->ehash_count >= 1u << h->ehash_bits)
		common_table_grow(&h->ehash, &h->ehash_bits);
	hlist_add_head(&c->skc_node, inet_ehash_bucket(h, c->skc_hash));
	h->ehash_count++;
}

void __inet_ehash_del(struct inet_hashinfo *h, struct sock_common *c)
{
	hlist_del_init(&c->skc_node);
	h->ehash_count--;
	if (unlikely(c->skc_flow_named)) {
		c->skc_flow_named = 0;
		if (c->skc_net->group) /* else the net is about to end */
			net_flow_del(c->skc_net, common_flow_hash(c, c->skc_num));
	}
}

/* Addresses and ports. What has a peer over IPv6 has no IPv4 addresses: 0.0.0.0 is no packet's. */
static bool ehash_match(const struct sock_common *c, u32 hash, const struct inet_tuple *t)
{
	if (c->skc_hash != hash || c->skc_num != t->hnum || !be16_eq(c->skc_dport, t->sport))
		return false;
	if (likely(t->family == AF_INET))
		return be32_eq(c->skc_daddr, t->saddr.v4) && be32_eq(c->skc_rcv_saddr, t->daddr.v4);
	return c->skc_family == AF_INET6 && ipv6_addr_equal(&c->skc_v6_daddr, &t->saddr.v6) &&
	       ipv6_addr_equal(&c->skc_v6_rcv_saddr, &t->daddr.v6);
}

struct sock *__inet_lookup_established(const struct inet_hashinfo *h, const struct inet_tuple *t)
{
	u32 hash = ehash_fn(h, t);
	struct sock_common *c;

	hlist_for_each_entry(c, inet_ehash_bucket(h, hash), skc_node)
		if (ehash_match(c, hash, t) &&
		    (!c->skc_bound_dev_if || c->skc_bound_dev_if == t->dif))
			return (struct sock *)c;
	return NULL;
}

/* The entry that has the 4-tuple @t, which @sk would have; NULL: it is free. */
static struct sock_common *ehash_find_twin(const struct sock *sk, const struct inet_tuple *t,
					   u32 hash)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct sock_common *c;

	hlist_for_each_entry(c, inet_ehash_bucket(h, hash), skc_node)
		if (c != &sk->c && ehash_match(c, hash, t) &&
		    (!c->skc_bound_dev_if || !t->dif || c->skc_bound_dev_if == t->dif))
			return c;
	return NULL;
}

bool inet_ehash_insert(struct sock *sk, struct sock *osk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct inet_tuple t;

	if (!h)
		return false;
	if (osk) {
		if (hlist_unhashed(&osk->sk_node))
			return false;
		sk->sk_hash = osk->sk_hash;
		__inet_ehash_del(h, &osk->c);
	} else {
		inet_common_tuple(&sk->c, &t);
		sk->sk_hash = ehash_fn(h, &t);
		if (ehash_find_twin(sk, &t, sk->sk_hash))
			return false;
	}
	__inet_ehash_add(h, &sk->c);
	sock_hold(sk);
	return true;
}

bool inet_is_replica(const struct sock_common *c)
{
	const struct socket *sock;

	if (c->skc_state == SS_TCP_TIME_WAIT || c->skc_state == SS_TCP_NEW_SYN_RECV)
		return false;
	sock = ((const struct sock *)c)->sk_socket;
	return sock && sock->replica;
}

/* ---- listeners --------------------------------------------------------------------------------------- */

/* "Any" lies under the same hash for both IP versions, so that a listener that takes both is found by both. */
static u32 lhash2_fn(const struct inet_hashinfo *h, u16 family, const union inet_addr *addr,
		     u16 port)
{
	u32 words[5] = { 0 };

	if (family == AF_INET)
		return unihash_2u32(addr->v4.v, port, &h->hash_key);
	if (ipv6_addr_any(&addr->v6))
		return unihash_2u32(0, port, &h->hash_key);
	memcpy(words, &addr->v6, 16);
	words[4] = port;
	return unihash(words, ARRAY_SIZE(words), &h->hash_key);
}

static u32 listener_hash_of(const struct inet_hashinfo *h, const struct sock *sk)
{
	if (sk->sk_family == AF_INET || ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		return lhash2_fn(h, AF_INET, &(union inet_addr){ .v4 = sk->sk_rcv_saddr },
				 sk->sk_num);
	return lhash2_fn(h, AF_INET6, &(union inet_addr){ .v6 = sk->sk_v6_rcv_saddr }, sk->sk_num);
}

static void listener_hash(struct inet_hashinfo *h, struct sock *sk)
{
	if (h->lhash2_count >= 1u << h->lhash2_bits)
		common_table_grow(&h->lhash2, &h->lhash2_bits);
	sk->sk_hash = listener_hash_of(h, sk);
	hlist_add_head(&sk->sk_node, &h->lhash2[sk->sk_hash & ((1u << h->lhash2_bits) - 1)]);
	h->lhash2_count++;
	sk->c.skc_in_lhash = 1;
	sock_hold(sk);
}

int inet_reuseport_join(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct sock_common *c;
	u32 hash;

	if (!sk->sk_reuseport || !h)
		return 0;
	hash = listener_hash_of(h, sk);
	hlist_for_each_entry(c, &h->lhash2[hash & ((1u << h->lhash2_bits) - 1)], skc_node) {
		struct sock *sk2 = (struct sock *)c;

		if (sk2 != sk && sk2->sk_num == sk->sk_num && inet_reuseport_match(sk, sk2))
			return reuseport_add_sock(sk, sk2);
	}
	return reuseport_alloc(sk);
}

int inet_hash(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);

	if (!h)
		return -ENETDOWN;
	if (sk->sk_state == SS_TCP_CLOSE || !hlist_unhashed(&sk->sk_node))
		return 0;
	if (sk->sk_state == SS_TCP_LISTEN)
		listener_hash(h, sk);
	else if (!inet_ehash_insert(sk, NULL))
		return -EADDRNOTAVAIL;
	return 0;
}

void inet_unhash(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);

	if (hlist_unhashed(&sk->sk_node))
		return;
	if (sk->c.skc_in_lhash) {
		reuseport_detach_sock(sk);
		hlist_del_init(&sk->sk_node);
		h->lhash2_count--;
		sk->c.skc_in_lhash = 0;
	} else {
		__inet_ehash_del(h, &sk->c);
	}
	sock_put(sk);
}

/* How well listener @sk, bound as @how says, fits: 0 not at all. A fixed device beats none, a v4 socket a v6 one that takes v4 too. */
static u32 listener_score(const struct sock *sk, const struct inet_tuple *t, enum inet_bound how)
{
	if (sk->sk_num != t->hnum || inet_common_bound(&sk->c, t) != how)
		return 0;
	if (sk->sk_bound_dev_if && sk->sk_bound_dev_if != t->dif)
		return 0;
	return 1 + (sk->sk_bound_dev_if ? 2 : 0) + (sk->sk_family == AF_INET);
}

/*
 * The best listener that is bound as @how says. Several with SO_REUSEPORT share by their program or a hash of the flow, so that a
 * retransmitted SYN and the final ACK find the same one while the group does not change.
 */
static struct sock *lhash2_lookup(const struct inet_hashinfo *h, const struct inet_tuple *t,
				  enum inet_bound how, const struct sk_buff *skb)
{
	static const union inet_addr any;
	u32 hash = lhash2_fn(h, t->family, how == INET_BOUND_ADDR ? &t->daddr : &any, t->hnum);
	struct hlist_head *bucket = &h->lhash2[hash & ((1u << h->lhash2_bits) - 1)];
	struct sock *best = NULL, *member;
	struct sock_common *c;
	u32 best_score = 0;

	hlist_for_each_entry(c, bucket, skc_node) {
		struct sock *sk = (struct sock *)c;
		u32 score = listener_score(sk, t, how);

		if (score > best_score) {
			best = sk;
			best_score = score;
		}
	}
	if (!best || !best->sk_reuseport)
		return best;
	member = reuseport_select_sock(best, ehash_fn(h, t), skb, 0);
	return member ? member : best;
}

int inet_hash_any(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct sock **any;

	if (!h)
		return -ENETDOWN;
	any = &h->any[sk->sk_family == AF_INET6];
	if (*any)
		return -EADDRINUSE;
	*any = sk;
	sock_hold(sk);
	return 0;
}

void inet_unhash_any(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct sock **any = h ? &h->any[sk->sk_family == AF_INET6] : NULL;

	if (!any || *any != sk)
		return;
	*any = NULL;
	sock_put(sk);
}

static struct sock *any_lookup(const struct inet_hashinfo *h, const struct inet_tuple *t)
{
	struct sock *sk = h->any[t->family == AF_INET6];

	return sk && (!sk->sk_bound_dev_if || sk->sk_bound_dev_if == t->dif) ? sk : NULL;
}

struct sock *__inet_lookup_listener(const struct inet_hashinfo *h, const struct inet_tuple *t,
				    const struct sk_buff *skb)
{
	struct sock *sk = lhash2_lookup(h, t, INET_BOUND_ADDR, skb);

	if (!sk)
		sk = lhash2_lookup(h, t, INET_BOUND_ANY, skb);
	return sk ? sk : any_lookup(h, t);
}

/* ---- bind buckets ------------------------------------------------------------------------------------ */

static struct inet_bind_bucket *bucket_find(const struct inet_hashinfo *h, u16 port)
{
	struct inet_bind_bucket *tb;

	hlist_for_each_entry(tb, &h->bhash[port & ((1u << h->bhash_bits) - 1)], node)
		if (tb->port == port)
			return tb;
	return NULL;
}

static struct inet_bind_bucket *bucket_create(struct inet_hashinfo *h, u16 port)
{
	struct inet_bind_bucket *tb = slab_zalloc(h->cpu, sizeof(*tb));

	if (!tb)
		return NULL;
	if (h->bhash_count >= 1u << h->bhash_bits)
		bhash_grow(h);
	tb->port = port;
	hlist_add_head(&tb->node, &h->bhash[port & ((1u << h->bhash_bits) - 1)]);
	h->bhash_count++;
	return tb;
}

static bool bucket_unused(const struct inet_bind_bucket *tb)
{
	return hlist_empty(&tb->owners) && hlist_empty(&tb->deathrow);
}

void inet_bind_bucket_put(struct inet_hashinfo *h, struct inet_bind_bucket *tb)
{
	if (!bucket_unused(tb))
		return;
	hlist_del_init(&tb->node);
	h->bhash_count--;
	slab_free(h->cpu, tb, sizeof(*tb));
}

static void bucket_add(struct sock *sk, struct inet_bind_bucket *tb, u16 port)
{
	inet_sk(sk)->sk.sk_num = port;
	hlist_add_head(&inet_csk(sk)->icsk_bind_node, &tb->owners);
	inet_csk(sk)->icsk_bind_hash = tb;
}

void inet_bind_bucket_add_tw(struct inet_bind_bucket *tb, struct inet_timewait_sock *tw)
{
	hlist_add_head(&tw->tw_bind_node, &tb->deathrow);
	tw->tw_tb = tb;
}

void inet_put_port(struct sock *sk)
{
	struct inet_bind_bucket *tb = inet_csk(sk)->icsk_bind_hash;

	if (!tb)
		return;
	hlist_del_init(&inet_csk(sk)->icsk_bind_node);
	inet_csk(sk)->icsk_bind_hash = NULL;
	sk->sk_num = 0;
	inet_bind_bucket_put(sk_hashinfo(sk), tb);
}

int __inet_inherit_port(const struct sock *parent, struct sock *child)
{
	struct inet_bind_bucket *tb = inet_csk(parent)->icsk_bind_hash;
	u16 port = child->sk_num;

	/* Somebody else's address and port: it is in nobody's way here. */
	if (inet_sk(parent)->listen_any)
		return 0;
	if (!tb)
		return -ENOENT;
	if (tb->port != port) {
		/* A redirected connection: the child's port is not the listener's. */
		struct inet_hashinfo *h = sk_hashinfo(child);

		tb = bucket_find(h, port);
		if (!tb)
			tb = bucket_create(h, port);
		if (!tb)
			return -ENOMEM;
	}
	bucket_add(child, tb, port);
	return 0;
}

/* ---- bind(2): who may share a port ------------------------------------------------------------------- */

static bool takes_v4(const struct sock_common *c)
{
	return c->skc_family == AF_INET || ipv6_addr_v4mapped(&c->skc_v6_rcv_saddr) ||
	       (ipv6_addr_any(&c->skc_v6_rcv_saddr) && !c->skc_ipv6only);
}

static bool takes_v6(const struct sock_common *c)
{
	return c->skc_family == AF_INET6 && !ipv6_addr_v4mapped(&c->skc_v6_rcv_saddr);
}

/* Two sockets meet where both take packets of one IP version. */
bool inet_rcv_saddr_equal(const struct sock_common *a, const struct sock_common *b,
			  bool match_wildcard)
{
	const struct in6_addr *a6 = &a->skc_v6_rcv_saddr, *b6 = &b->skc_v6_rcv_saddr;

	if (takes_v4(a) && takes_v4(b) &&
	    (be32_eq(a->skc_rcv_saddr, b->skc_rcv_saddr) ||
	     (match_wildcard && (be32_zero(a->skc_rcv_saddr) || be32_zero(b->skc_rcv_saddr)))))
		return true;
	return takes_v6(a) && takes_v6(b) &&
	       (ipv6_addr_equal(a6, b6) ||
		(match_wildcard && (ipv6_addr_any(a6) || ipv6_addr_any(b6))));
}

enum bind_sharing {
	BIND_SHARE_NONE,  /* choosing a port: only one that nobody overlaps */
	BIND_SHARE_REUSE, /* choosing a port: SO_REUSEADDR may share (net.ipv4.ip_autobind_reuse) */
	BIND_SHARE_ALL,   /* a port was asked for: all permissions count */
};

/* May @sk not have the port as long as @c2 has it? */
static bool bind_conflicts_with(const struct sock *sk, const struct sock_common *c2, u32 uid2,
				enum bind_sharing sharing)
{
	/* One that was given a program before is a group already. */
	bool port_shared = sk->sk_reuseport && c2->skc_reuseport && !sk_reuseport_cb(sk) &&
			   (c2->skc_state == SS_TCP_TIME_WAIT || uid2 == sk->sk_uid);

	if (sk->sk_bound_dev_if && c2->skc_bound_dev_if &&
	    sk->sk_bound_dev_if != c2->skc_bound_dev_if)
		return false;
	if (!inet_rcv_saddr_equal(&sk->c, c2, true))
		return false;
	/* SO_REUSEADDR on both: fine while the other does not listen. That we may listen later is looked at then. */
	if (sk->sk_reuse && c2->skc_reuse && c2->skc_state != SS_TCP_LISTEN)
		return sharing == BIND_SHARE_NONE || (sharing == BIND_SHARE_REUSE && port_shared);
	return sharing != BIND_SHARE_ALL || !port_shared;
}

static bool bind_conflict(const struct sock *sk, const struct inet_bind_bucket *tb,
			  enum bind_sharing sharing)
{
	struct inet_connection_sock *other;
	struct inet_timewait_sock *tw;

	hlist_for_each_entry(other, &tb->owners, icsk_bind_node) {
		struct sock *sk2 = (struct sock *)other;

		if (sk2 != sk && bind_conflicts_with(sk, &sk2->c, sk2->sk_uid, sharing))
			return true;
	}
	hlist_for_each_entry(tw, &tb->deathrow, tw_bind_node)
		if (bind_conflicts_with(sk, &tw->c, tw->tw_uid, sharing))
			return true;
	return false;
}

/*
 * A port of the local range for bind(2) to port 0, chosen at random (RFC 6056 3.3.1), of the parity that connect(2) tries last.
 * *ret_tb: its bucket, or NULL if it has none yet. 0: none is free.
 */
static u16 choose_bind_port(struct sock *sk, enum bind_sharing sharing,
			    struct inet_bind_bucket **ret_tb)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	u16 lo, hi;
	u32 n, offset;

	inet_sk_get_local_port_range(sk, &lo, &hi);
	n = (u32)hi - lo + 1;
	offset = (u32)(cpu_random(sk->sk_cpu) % n) & ~1u;
	for (u32 parity = 2; parity-- > 0;) {
		/* Pairs, so that a range of odd length is covered too. */
		for (u32 i = 0; i < (n + 1) / 2; i++) {
			u32 at = (offset / 2 + i) % ((n + 1) / 2) * 2 + parity;
			u16 port = (u16)(lo + at);
			struct inet_bind_bucket *tb;

			if (at >= n)
				continue;
			tb = bucket_find(h, port);
			if (!tb || !bind_conflict(sk, tb, sharing)) {
				*ret_tb = tb;
				return port;
			}
		}
	}
	return 0;
}

static void bucket_update_fastreuse(struct inet_bind_bucket *tb, const struct sock *sk)
{
	bool reuse = sk->sk_reuse && sk->sk_state != SS_TCP_LISTEN;

	if (bucket_unused(tb)) {
		tb->fastreuse = reuse;
		tb->fastreuseport = sk->sk_reuseport;
		tb->fastuid = sk->sk_uid;
		return;
	}
	if (!reuse)
		tb->fastreuse = 0;
	if (!sk->sk_reuseport)
		tb->fastreuseport = 0;
}

int inet_csk_get_port(struct sock *sk, u16 port)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	bool reuse = sk->sk_reuse && sk->sk_state != SS_TCP_LISTEN;
	struct inet_bind_bucket *tb = NULL;

	if (!h)
		return -ENETDOWN;
	if (port) {
		tb = bucket_find(h, port);
		if (tb && sk->sk_reuse != SK_FORCE_REUSE && !(tb->fastreuse > 0 && reuse) &&
		    bind_conflict(sk, tb, BIND_SHARE_ALL))
			return -EADDRINUSE;
	} else {
		port = choose_bind_port(sk, BIND_SHARE_NONE, &tb);
		if (!port && sock_net(sk)->inet->ip_autobind_reuse)
			port = choose_bind_port(sk, BIND_SHARE_REUSE, &tb);
		if (!port)
			return -EADDRINUSE;
	}
	if (!tb) {
		tb = bucket_create(h, port);
		if (!tb)
			return -ENOMEM;
	}
	bucket_update_fastreuse(tb, sk);
	if (!inet_csk(sk)->icsk_bind_hash)
		bucket_add(sk, tb, port);
	return 0;
}

/* ---- connect(2): a port that makes the 4-tuple unique ------------------------------------------------- */

/* What one port would mean for a connect(2). */
struct connect_try {
	struct inet_tuple tuple;
	u32 hash;                      /* of it, in ehash */
	struct inet_bind_bucket *tb;   /* NULL: there is none yet */
	struct inet_timewait_sock *tw; /* in its place; may be ended */
};

static void connect_try_port(struct connect_try *c, const struct inet_hashinfo *h, u16 port)
{
	c->tuple.hnum = port;
	c->hash = ehash_fn(h, &c->tuple);
	c->tb = NULL;
	c->tw = NULL;
	/* With many connections neither this nor the bind bucket, which is looked at first, is in the cache: both come at once. */
	__builtin_prefetch(inet_ehash_bucket(h, c->hash), 1);
}

/* May @sk have the 4-tuple? */
static bool connect_tuple_free(struct sock *sk, struct connect_try *c)
{
	struct sock_common *twin = ehash_find_twin(sk, &c->tuple, c->hash);

	if (!twin)
		return true;
	if (twin->skc_state != SS_TCP_TIME_WAIT || !sk->sk_prot->twsk_unique ||
	    !sk->sk_prot->twsk_unique(sk, twin))
		return false;
	c->tw = inet_twsk(twin);
	return true;
}

/* May connect(2) use the port? */
static bool connect_port_usable(struct sock *sk, struct connect_try *c)
{
	c->tb = bucket_find(sk_hashinfo(sk), c->tuple.hnum);
	if (!c->tb)
		return true;
	/* Somebody called bind(2) for it: leave it to them. */
	if (c->tb->fastreuse >= 0 || c->tb->fastreuseport >= 0)
		return false;
	return connect_tuple_free(sk, c);
}

static void connect_hash(struct sock *sk, const struct connect_try *c)
{
	sk->sk_num = c->tuple.hnum;
	inet_sk(sk)->inet_sport = cpu_to_be16(c->tuple.hnum);
	sk->sk_hash = c->hash;
	__inet_ehash_add(sk_hashinfo(sk), &sk->c);
	sock_hold(sk);
	if (c->tw)
		inet_twsk_deschedule_put(c->tw);
}

static u32 *perturb_slot(struct inet_hashinfo *h, struct sock *sk, u64 class)
{
	if (!h->table_perturb) {
		h->table_perturb = malloc(INET_TABLE_PERTURB_SIZE * sizeof(u32));
		if (!h->table_perturb)
			return NULL;
		for (u32 i = 0; i < INET_TABLE_PERTURB_SIZE; i++)
			h->table_perturb[i] = (u32)cpu_random(sk->sk_cpu);
	}
	return &h->table_perturb[class % INET_TABLE_PERTURB_SIZE];
}

/* The bind bucket of the port that was chosen. NULL: no memory */
static struct inet_bind_bucket *connect_bucket(struct inet_hashinfo *h, const struct connect_try *c)
{
	struct inet_bind_bucket *tb = c->tb;

	if (tb)
		return tb;
	tb = bucket_create(h, c->tuple.hnum);
	if (tb) {
		tb->fastreuse = -1;
		tb->fastreuseport = -1;
	}
	return tb;
}

int inet_hash_connect(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct inet_bind_bucket *tb;
	struct connect_try c;
	u64 class;
	u32 *perturb, n, offset;
	u16 lo, hi;

	if (!h)
		return -ENETDOWN;
	inet_common_tuple(&sk->c, &c.tuple);
	if (sk->sk_num) {
		connect_try_port(&c, h, sk->sk_num);
		if (!connect_tuple_free(sk, &c))
			return -EADDRNOTAVAIL;
		if (!flow_is_here(&sk->c, sk->sk_num)) {
			if (net_flow_add(sock_net(sk), common_flow_hash(&sk->c, sk->sk_num)))
				return -EADDRNOTAVAIL;
			sk->c.skc_flow_named = 1;
		}
		connect_hash(sk, &c);
		return 0;
	}

	c.tuple.hnum = 0;
	class = inet_tuple_hash(&c.tuple, h->key);
	perturb = perturb_slot(h, sk, class);
	inet_sk_get_local_port_range(sk, &lo, &hi);
	n = (u32)hi - lo + 1;
	offset = (u32)(((perturb ? *perturb : 0) + (class >> 32)) % n) & ~1u;
	for (u32 parity = 0; parity < 2; parity++) {
		for (u32 i = 0; i < (n + 1) / 2; i++) {
			u32 at = (offset / 2 + i) % ((n + 1) / 2) * 2 + parity;
			u16 port = (u16)(lo + at);

			if (at >= n || !flow_is_here(&sk->c, port))
				continue;
			connect_try_port(&c, h, port);
			if (!connect_port_usable(sk, &c))
				continue;
			tb = connect_bucket(h, &c);
			if (!tb)
				return -ENOMEM;
			bucket_add(sk, tb, port);
			connect_hash(sk, &c);
			/* The next connection of this class starts behind this port, at a step nobody can predict. */
			if (perturb)
				*perturb += (i + 1) * 2 + ((u32)cpu_random(sk->sk_cpu) & 14);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}
