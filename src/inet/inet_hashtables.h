/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_hashtables.h - the three hash tables of connection-oriented protocols
 *
 *   ehash:  connections (also TIME_WAIT and SYN_RECV entries) by 4-tuple
 *   bhash:  bind buckets by port, with the fastreuse rules (a bucket knows whether all its owners allow sharing)
 *   lhash2: listeners by port and address
 * Tables start small and grow by doubling. Keys are hashed with siphash under the machine's seed, so order never depends on
 * addresses of memory. Locking: the home cpu's lock.
 */
#ifndef WEIR_INET_INET_HASHTABLES_H
#define WEIR_INET_INET_HASHTABLES_H

#include "core/sock.h"
#include "lib/list.h"

struct inet_bind_bucket {
	struct hlist_node node;
	u16 port;
	s8 fastreuse; /* 1: all owners have SO_REUSEADDR and do not listen; 0: not; -1: decide by walking */
	s8 fastreuseport;
	u32 fastuid;
	be32 fast_rcv_saddr;
	u16 num_owners;             /* of both lists, saturating */
	struct hlist_head owners;   /* icsk_bind_node */
	struct hlist_head deathrow; /* tw_bind_node */
};

struct inet_hashinfo {
	struct hlist_head *ehash; /* 1 << ehash_bits */
	struct hlist_head *bhash;
	struct hlist_head *lhash2;
	u32 ehash_bits, bhash_bits, lhash2_bits;
	u32 ehash_count, bhash_count, lhash2_count;
	u64 key[2];
	/* RFC 6056 3.3.4: a counter per class of destinations, so that ports go up where they meet */
	u32 *table_perturb; /* INET_TABLE_PERTURB_SIZE; NULL until the first connect */
};

#define INET_TABLE_PERTURB_SIZE 256

/* Also makes @h the table of @net's connection-oriented sockets, which inet_hash() and the others use. 0 or -ENOMEM */
int inet_hashinfo_init(struct inet_hashinfo *h, struct net *net);
/* Ends TIME_WAIT and request socks; sockets that still exist are taken out and stay usable for close(2). */
void inet_hashinfo_fini(struct inet_hashinfo *h, struct net *net);

/* IPv4 lookups; IPv6 has its own twins next to its addresses. Result is not held. */
struct sock *__inet_lookup_established(struct net *net, struct inet_hashinfo *h, be32 saddr,
				       be16 sport, be32 daddr, u16 hnum, int dif);
struct sock *__inet_lookup_listener(struct net *net, struct inet_hashinfo *h, be32 saddr,
				    be16 sport, be32 daddr, u16 hnum, int dif);

/* Puts @sk into ehash (or lhash2 when it listens). 0 or -ENOMEM */
int inet_hash(struct sock *sk);
void inet_unhash(struct sock *sk);
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
u32 inet_ehashfn(const struct inet_hashinfo *h, be32 laddr, u16 lport, be32 faddr, be16 fport);

#endif
