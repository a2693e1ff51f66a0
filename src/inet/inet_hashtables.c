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
#include "inet/inet_connection_sock.h"
#include "inet/inet_internal.h"
#include "lib/siphash.h"

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
				     .lhash2_bits = LHASH_BITS_MIN };
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

u32 inet_ehashfn(const struct inet_hashinfo *h, be32 laddr, u16 lport, be32 faddr, be16 fport)
{
	return (u32)siphash_3u32(laddr.v, faddr.v, (u32)lport << 16 | fport.v, h->key);
}

u32 inet_common_hash(const struct inet_hashinfo *h, const struct sock_common *c)
{
	return inet_ehashfn(h, c->skc_rcv_saddr, c->skc_num, c->skc_daddr, c->skc_dport);
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
}

static bool ehash_match(const struct sock_common *c, u32 hash, be32 laddr, u16 lport, be32 faddr,
			be16 fport)
{
	return c->skc_hash == hash && be32_eq(c->skc_daddr, faddr) &&
	       be32_eq(c->skc_rcv_saddr, laddr) && be16_eq(c->skc_dport, fport) &&
	       c->skc_num == lport;
}

struct sock *__inet_lookup_established(struct net *net, struct inet_hashinfo *h, be32 saddr,
				       be16 sport, be32 daddr, u16 hnum, int dif)
{
	u32 hash = inet_ehashfn(h, daddr, hnum, saddr, sport);
	struct sock_common *c;

	(void)net; /* the tables are per net */
	hlist_for_each_entry(c, inet_ehash_bucket(h, hash), skc_node)
		if (ehash_match(c, hash, daddr, hnum, saddr, sport) &&
		    (!c->skc_bound_dev_if || c->skc_bound_dev_if == dif))
			return (struct sock *)c;
	return NULL;
}

/* The entry that has the 4-tuple which @sk would have with local port @lport; NULL: it is free. */
static struct sock_common *ehash_find_twin(const struct sock *sk, u16 lport, u32 hash)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct sock_common *c;

	hlist_for_each_entry(c, inet_ehash_bucket(h, hash), skc_node)
		if (c != &sk->c &&
		    ehash_match(c, hash, sk->sk_rcv_saddr, lport, sk->sk_daddr, sk->sk_dport) &&
		    (!c->skc_bound_dev_if || !sk->sk_bound_dev_if ||
		     c->skc_bound_dev_if == sk->sk_bound_dev_if))
			return c;
	return NULL;
}

bool inet_ehash_insert(struct sock *sk, struct sock *osk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);

	if (!h)
		return false;
	sk->sk_hash = inet_common_hash(h, &sk->c);
	if (osk) {
		if (hlist_unhashed(&osk->sk_node))
			return false;
		__inet_ehash_del(h, &osk->c);
	} else if (ehash_find_twin(sk, sk->sk_num, sk->sk_hash)) {
		return false;
	}
	__inet_ehash_add(h, &sk->c);
	sock_hold(sk);
	return true;
}

/* ---- listeners --------------------------------------------------------------------------------------- */

static u32 lhash2_fn(const struct inet_hashinfo *h, be32 addr, u16 port)
{
	return (u32)siphash_2u64(addr.v, port, h->key);
}

static void listener_hash(struct inet_hashinfo *h, struct sock *sk)
{
	if (h->lhash2_count >= 1u << h->lhash2_bits)
		common_table_grow(&h->lhash2, &h->lhash2_bits);
	sk->sk_hash = lhash2_fn(h, sk->sk_rcv_saddr, sk->sk_num);
	hlist_add_head(&sk->sk_node, &h->lhash2[sk->sk_hash & ((1u << h->lhash2_bits) - 1)]);
	h->lhash2_count++;
	sk->c.skc_in_lhash = 1;
	sock_hold(sk);
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
		hlist_del_init(&sk->sk_node);
		h->lhash2_count--;
		sk->c.skc_in_lhash = 0;
	} else {
		__inet_ehash_del(h, &sk->c);
	}
	sock_put(sk);
}

/* How well listener @sk fits: 0 not at all. A fixed device beats none, a v4 socket beats a v6 one that takes v4 too. */
static u32 listener_score(const struct sock *sk, be32 addr, u16 hnum, int dif)
{
	if (sk->sk_num != hnum || !be32_eq(sk->sk_rcv_saddr, addr) || sk->sk_ipv6only)
		return 0;
	if (sk->sk_bound_dev_if && sk->sk_bound_dev_if != dif)
		return 0;
	return 1 + (sk->sk_bound_dev_if ? 2 : 0) + (sk->sk_family == AF_INET);
}

/*
 * The best listener on (@addr, @hnum). Several with SO_REUSEPORT share by a hash of the flow, so that a retransmitted SYN and
 * the final ACK find the same one while the group does not change.
 */
static struct sock *lhash2_lookup(struct inet_hashinfo *h, be32 addr, u16 hnum, int dif, u32 flow)
{
	u32 hash = lhash2_fn(h, addr, hnum);
	struct hlist_head *bucket = &h->lhash2[hash & ((1u << h->lhash2_bits) - 1)];
	struct sock_common *c;
	struct sock *best = NULL;
	u32 best_score = 0, group = 0, pick;

	hlist_for_each_entry(c, bucket, skc_node) {
		struct sock *sk = (struct sock *)c;
		u32 score = listener_score(sk, addr, hnum, dif);

		if (score > best_score) {
			best = sk;
			best_score = score;
			group = 0;
		}
		group += score && score == best_score && sk->sk_reuseport;
	}
	if (group < 2 || !best->sk_reuseport)
		return best;
	pick = (u32)((u64)flow * group >> 32);
	hlist_for_each_entry(c, bucket, skc_node) {
		struct sock *sk = (struct sock *)c;

		if (sk->sk_reuseport && listener_score(sk, addr, hnum, dif) == best_score &&
		    pick-- == 0)
			return sk;
	}
	return best;
}

struct sock *__inet_lookup_listener(struct net *net, struct inet_hashinfo *h, be32 saddr,
				    be16 sport, be32 daddr, u16 hnum, int dif)
{
	u32 flow = inet_ehashfn(h, daddr, hnum, saddr, sport);
	struct sock *sk = lhash2_lookup(h, daddr, hnum, dif, flow);

	(void)net;
	return sk ? sk : lhash2_lookup(h, (be32){ 0 }, hnum, dif, flow);
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
	struct inet_bind_bucket *tb = calloc(1, sizeof(*tb));

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
	free(tb);
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

bool inet_rcv_saddr_equal(const struct sock_common *a, const struct sock_common *b,
			  bool match_wildcard)
{
	/* A v6 socket bound to "any" holds the v4 wildcard too, unless it is v6 only; then it meets no v4 socket. */
	if ((a->skc_family != b->skc_family) && (a->skc_ipv6only || b->skc_ipv6only))
		return false;
	if (be32_eq(a->skc_rcv_saddr, b->skc_rcv_saddr))
		return true;
	return match_wildcard && (be32_zero(a->skc_rcv_saddr) || be32_zero(b->skc_rcv_saddr));
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
	bool port_shared = sk->sk_reuseport && c2->skc_reuseport &&
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
		tb->fast_rcv_saddr = sk->sk_rcv_saddr;
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
		if (tb && !(tb->fastreuse > 0 && reuse) && bind_conflict(sk, tb, BIND_SHARE_ALL))
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

/* True when @sk may have the 4-tuple with @lport; *ret_tw: after ending this TIME_WAIT entry. */
static bool connect_tuple_free(struct sock *sk, u16 lport, struct inet_timewait_sock **ret_tw)
{
	u32 hash =
		inet_ehashfn(sk_hashinfo(sk), sk->sk_rcv_saddr, lport, sk->sk_daddr, sk->sk_dport);
	struct sock_common *twin = ehash_find_twin(sk, lport, hash);

	*ret_tw = NULL;
	if (!twin)
		return true;
	if (twin->skc_state != SS_TCP_TIME_WAIT || !sk->sk_prot->twsk_unique ||
	    !sk->sk_prot->twsk_unique(sk, twin))
		return false;
	*ret_tw = inet_twsk(twin);
	return true;
}

static void connect_hash(struct sock *sk, u16 port, struct inet_timewait_sock *tw)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);

	sk->sk_num = port;
	inet_sk(sk)->inet_sport = cpu_to_be16(port);
	sk->sk_hash = inet_common_hash(h, &sk->c);
	__inet_ehash_add(h, &sk->c);
	sock_hold(sk);
	if (tw)
		inet_twsk_deschedule_put(tw);
}

/* The bucket for @port if connect(2) may use it; *ret_tb NULL: there is none yet. */
static bool connect_port_usable(struct sock *sk, u16 port, struct inet_bind_bucket **ret_tb,
				struct inet_timewait_sock **ret_tw)
{
	struct inet_bind_bucket *tb = bucket_find(sk_hashinfo(sk), port);

	*ret_tb = tb;
	*ret_tw = NULL;
	if (!tb)
		return true;
	/* Somebody called bind(2) for it: leave it to them. */
	if (tb->fastreuse >= 0 || tb->fastreuseport >= 0)
		return false;
	return connect_tuple_free(sk, port, ret_tw);
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

int inet_hash_connect(struct sock *sk)
{
	struct inet_hashinfo *h = sk_hashinfo(sk);
	struct inet_bind_bucket *tb;
	struct inet_timewait_sock *tw;
	u64 class;
	u32 *perturb, n, offset;
	u16 lo, hi;

	if (!h)
		return -ENETDOWN;
	if (sk->sk_num) {
		if (!connect_tuple_free(sk, sk->sk_num, &tw))
			return -EADDRNOTAVAIL;
		connect_hash(sk, sk->sk_num, tw);
		return 0;
	}

	class = siphash_3u32(sk->sk_rcv_saddr.v, sk->sk_daddr.v, sk->sk_dport.v, h->key);
	perturb = perturb_slot(h, sk, class);
	inet_sk_get_local_port_range(sk, &lo, &hi);
	n = (u32)hi - lo + 1;
	offset = (u32)(((perturb ? *perturb : 0) + (class >> 32)) % n) & ~1u;
	for (u32 parity = 0; parity < 2; parity++) {
		for (u32 i = 0; i < (n + 1) / 2; i++) {
			u32 at = (offset / 2 + i) % ((n + 1) / 2) * 2 + parity;
			u16 port = (u16)(lo + at);

			if (at >= n || !connect_port_usable(sk, port, &tb, &tw))
				continue;
			if (!tb) {
				tb = bucket_create(h, port);
				if (!tb)
					return -ENOMEM;
				tb->fastreuse = -1;
				tb->fastreuseport = -1;
			}
			bucket_add(sk, tb, port);
			connect_hash(sk, port, tw);
			/* The next connection of this class starts behind this port, at a step nobody can predict. */
			if (perturb)
				*perturb += (i + 1) * 2 + ((u32)cpu_random(sk->sk_cpu) & 14);
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}
