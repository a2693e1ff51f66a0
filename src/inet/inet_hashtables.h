/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_hashtables.h - the three hash tables of connection-oriented protocols
 *
 *   ehash:  connections (also TIME_WAIT and SYN_RECV entries) by 4-tuple, of both IP versions
 *   bhash:  bind buckets by port, with the fastreuse rules (a bucket knows whether all its owners allow sharing)
 *   lhash2: listeners by port and address
 * Tables start small and grow by doubling. Keys are hashed under a key from the machine's seed (unihash.h), so order never depends on
 * addresses of memory. Locking: the home cpu's lock.
 */
#ifndef WEIR_INET_INET_HASHTABLES_H
#define WEIR_INET_INET_HASHTABLES_H

#include "core/sock.h"
#include "inet/inet_sock.h"
#include "lib/list.h"
#include "lib/unihash.h"
#include "wire/ipv6.h"

struct inet_bind_bucket {
	struct hlist_node node;
	u16 port;
	s8 fastreuse; /* 1: all owners have SO_REUSEADDR and do not listen; 0: not; -1: decide by walking */
	s8 fastreuseport;
	u32 fastuid;
	struct hlist_head owners;   /* icsk_bind_node */
	struct hlist_head deathrow; /* tw_bind_node */
};

struct inet_hashinfo {
	struct hlist_head *ehash; /* 1 << ehash_bits */
	struct hlist_head *bhash;
	struct hlist_head *lhash2;
	struct cpu *cpu; /* the net's */
	u32 ehash_bits, bhash_bits, lhash2_bits;
	u32 ehash_count, bhash_count, lhash2_count;
	/* Who takes connections to any destination that no other listener is for: of IPv4, IPv6. Held. */
	struct sock *any[2];
	u64 key[2];                  /* for what is seen outside: ports */
	struct unihash_key hash_key; /* ehash, lhash2 */
	u8 migrate_req; /* sysctl: what a listener leaves behind goes to another of its SO_REUSEPORT group */
	/* RFC 6056 3.3.4: a counter per class of destinations, so that ports go up where they meet */
	u32 *table_perturb; /* INET_TABLE_PERTURB_SIZE; NULL until the first connect */
};

#define INET_TABLE_PERTURB_SIZE 256

/* Also makes @h the table of @net's connection-oriented sockets, which inet_hash() and the others use. 0 or -ENOMEM */
int inet_hashinfo_init(struct inet_hashinfo *h, struct net *net);
/* Ends TIME_WAIT and request socks; sockets that still exist are taken out and stay usable for close(2). */
void inet_hashinfo_fini(struct inet_hashinfo *h, struct net *net);

/*
 * What lookups compare: the addresses and ports of a packet, as it came. For a sock: of the packets that come for it. The family is
 * that of the packets: a connection of an AF_INET6 socket to ::ffff:a.b.c.d is one of AF_INET.
 */
union inet_addr {
	be32 v4;
	struct in6_addr v6;
};

struct inet_tuple {
	u16 family;                   /* AF_INET: the v4 members, AF_INET6: the v6 ones */
	u16 hnum;                     /* local port */
	be16 sport;                   /* remote port */
	int dif;                      /* the device it came in by */
	union inet_addr saddr, daddr; /* remote, local */
};

/* A packet from @saddr to @daddr. */
static inline struct inet_tuple inet_tuple_v4(be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif)
{
	struct inet_tuple t;

	t.family = AF_INET;
	t.hnum = hnum;
	t.sport = sport;
	t.dif = dif;
	t.saddr.v4 = saddr;
	t.daddr.v4 = daddr;
	return t;
}
static inline struct inet_tuple inet_tuple_v6(const struct in6_addr *saddr, be16 sport,
					      const struct in6_addr *daddr, u16 hnum, int dif)
{
	struct inet_tuple t;

	/* Member by member, as in inet_tuple_v4(): a literal is put together elsewhere and copied, by loads that wait for its stores. */
	t.family = AF_INET6;
	t.hnum = hnum;
	t.sport = sport;
	t.dif = dif;
	t.saddr.v6 = *saddr;
	t.daddr.v6 = *daddr;
	return t;
}

/* Keyed: a peer cannot choose tuples that collide. The device does not count. */
u64 inet_tuple_hash(const struct inet_tuple *t, const u64 key[2]);
/* Of the packets for @c, which has a peer. */
void inet_common_tuple(const struct sock_common *c, struct inet_tuple *ret);

/* Are the packets of @c, which has a peer, IPv6? */
static inline bool inet_common_is_v6(const struct sock_common *c)
{
	return c->skc_family == AF_INET6 && !ipv6_addr_v4mapped(&c->skc_v6_daddr);
}

/* Does nobody see @c but its main socket (socket/sock_replica.h)? */
bool inet_is_replica(const struct sock_common *c);

enum inet_bound {
	INET_BOUND_ELSEWHERE, /* to another address, or to none of that IP version */
	INET_BOUND_ANY,
	INET_BOUND_ADDR, /* to just this one */
};

/* How is @c bound, as far as packets to @t->daddr go? A socket of AF_INET6 has IPv4's "any" too, unless it is IPV6_V6ONLY. */
static inline enum inet_bound inet_common_bound(const struct sock_common *c,
						const struct inet_tuple *t)
{
	if (likely(t->family == AF_INET)) {
		if (!be32_zero(c->skc_rcv_saddr))
			return be32_eq(c->skc_rcv_saddr, t->daddr.v4) ? INET_BOUND_ADDR
								      : INET_BOUND_ELSEWHERE;
		if (c->skc_family == AF_INET)
			return INET_BOUND_ANY;
		return (ipv6_addr_any(&c->skc_v6_rcv_saddr) && !c->skc_ipv6only) ||
				       ipv6_addr_v4mapped(&c->skc_v6_rcv_saddr)
			       ? INET_BOUND_ANY
			       : INET_BOUND_ELSEWHERE;
	}
	if (c->skc_family != AF_INET6)
		return INET_BOUND_ELSEWHERE;
	if (ipv6_addr_any(&c->skc_v6_rcv_saddr))
		return INET_BOUND_ANY;
	return ipv6_addr_equal(&c->skc_v6_rcv_saddr, &t->daddr.v6) ? INET_BOUND_ADDR
								   : INET_BOUND_ELSEWHERE;
}

/* The peer of @c, which is bound for packets of @t's version: 0 it has none, 1 it is the sender of @t, -1 another. */
static inline int inet_common_peer(const struct sock_common *c, const struct inet_tuple *t)
{
	if (likely(t->family == AF_INET))
		return be32_zero(c->skc_daddr) ? 0 : be32_eq(c->skc_daddr, t->saddr.v4) ? 1 : -1;
	if (ipv6_addr_any(&c->skc_v6_daddr))
		return 0;
	return ipv6_addr_equal(&c->skc_v6_daddr, &t->saddr.v6) ? 1 : -1;
}

/* Is early demux wanted, and is there anything that it could find? A router without connections does not pay for it. */
static inline bool inet_wants_early_demux(const struct net *net)
{
	const struct netns_inet *inet = net->inet;

	return inet->ip_early_demux &&
	       (inet->udp_connected || (inet->tcp_hashinfo && inet->tcp_hashinfo->ehash_count));
}

/* Results are not held. @skb: the segment, data at its payload, for the programs of SO_REUSEPORT groups; NULL: the flow's hash decides. */
struct sock *__inet_lookup_established(const struct inet_hashinfo *h, const struct inet_tuple *t);
struct sock *__inet_lookup_listener(const struct inet_hashinfo *h, const struct inet_tuple *t,
				    const struct sk_buff *skb);

/* Puts @sk into ehash (or lhash2 when it listens). 0 or -ENOMEM */
int inet_hash(struct sock *sk);
void inet_unhash(struct sock *sk);
/* A listener with SO_REUSEPORT that is about to be hashed joins its group. 0, -ENOMEM, -EBUSY. */
int inet_reuseport_join(struct sock *sk);
/* @sk becomes, and is no longer, the listener for any destination of its IP version. 0, -EADDRINUSE: there is one */
int inet_hash_any(struct sock *sk);
void inet_unhash_any(struct sock *sk);
/* As inet_hash for a child that replaces @osk (a request sock or NULL) in ehash; false: the tuple is taken. */
bool inet_ehash_insert(struct sock *sk, struct sock *osk);
/* The bind conflict rules of Linux: SO_REUSEADDR, SO_REUSEPORT, device, address. 0 or -EADDRINUSE. @port 0: choose
 * one from the local range (RFC 6056 3.3.3, double-hash). */
int inet_csk_get_port(struct sock *sk, u16 port);
/* For connect(): a port such that the 4-tuple is unique; hashes @sk. 0 or -EADDRNOTAVAIL */
int inet_hash_connect(struct sock *sk);
void inet_put_port(struct sock *sk); /* leaves its bucket */
int __inet_inherit_port(const struct sock *parent, struct sock *child);

static inline struct hlist_head *inet_ehash_bucket(const struct inet_hashinfo *h, u32 hash)
{
	return &h->ehash[hash & ((1u << h->ehash_bits) - 1)];
}

#endif
