/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_auth.h - segments that are signed: TCP-MD5 (RFC 2385) and TCP-AO (RFC 5925)
 *
 * Theory of operation
 *   A socket's keys are in struct tcp_auth, behind tcp_rare.auth: a socket without keys pays for all of this with the branch on sk_rare. The
 *   keys of a listener say what its peers' handshakes are signed with; a child gets copies of those that match its peer, and the
 *   TIME_WAIT sock shares the connection's, until the socket changes its own or connects again. Which key a segment is signed with is chosen with its options (tcp_auth_options() and its
 *   relatives put it into struct tcp_out_opts), as it takes room there; the signature is written when the header is complete.
 *   What arrives for a socket with keys is judged before anything else sees it (tcp_inbound_auth()). What is signed although nobody asked
 *   for it is found where options are parsed anyway (tcp_auth_unexpected()): header prediction never lets such a segment pass.
 *   MACs come from machine->crypto (weir/crypto.h). Without it there are no keys, and the option of a received segment is one that is not known.
 * Invariants
 *   A signed segment is one wire segment: sockets with keys make no larger units (tcp_auth() is looked at where their size is chosen).
 *   No key is allocated or prepared on the packet path, but those of a new child.
 * See doc/adr/0010-signatures.md.
 */
#ifndef WEIR_TCP_TCP_AUTH_H
#define WEIR_TCP_TCP_AUTH_H

#include "tcp/tcp.h"
#include "weir/crypto.h"

#define TCP_AUTH_MAX_KEY     80u /* octets of TCP_MD5SIG_MAXKEYLEN and TCP_AO_MAXKEYLEN */
#define TCPOLEN_MD5_ALIGNED_ 20u /* two NOPs, kind, length, 16 octets */
#define TCP_MD5_OCTETS       16u

/* Is the signature right? Takes as long for a wrong one wherever it is wrong: who guesses must not learn how far he got. */
static inline bool tcp_mac_equal(const u8 *want, const u8 *sent, u32 len)
{
	volatile u8 differ = 0;

	for (u32 i = 0; i < len; i++)
		differ = (u8)(differ | (want[i] ^ sent[i]));
	return !differ;
}

/* Which peers a key is for. */
struct tcp_key_match {
	u8 family; /* AF_INET: addr[0] */
	u8 prefixlen;
	bool by_ifindex; /* for @ifindex alone; 0: what belongs to no VRF, which is everything here */
	int ifindex;
	u32 addr[4];
};

struct tcp_md5_key {
	struct list_head node;
	struct tcp_key_match match;
	u8 keylen;
	u8 key[TCP_AUTH_MAX_KEY];
};

struct tcp_ao;
struct tcp_ao_key;

struct tcp_auth { /* tcp_rare.auth, tcp_timewait_sock.auth */
	u32 refcnt;
	u32 octets;           /* of all keys: at most net.core.optmem_max */
	struct list_head md5; /* tcp_md5_key */
	struct tcp_ao *ao;    /* NULL: none */
};

/* The two ends of a segment: in6_addr, or be32 for IPv4. */
struct tcp_ends {
	u8 family;
	const void *saddr, *daddr;
};

static inline struct tcp_auth *tcp_auth(const struct sock *sk)
{
	return unlikely(sk->sk_rare) ? tcp_rare(sk)->auth : NULL;
}

/* ---- tcp_auth.c -------------------------------------------------------------------------------------- */

/* The socket's keys; makes the empty set. NULL: no memory */
struct tcp_auth *tcp_auth_get(struct sock *sk);
void tcp_auth_put(struct tcp_auth *auth);
/* A key of @octets, which is nobody's any more: its memory keeps nothing of it. */
void tcp_auth_key_free(void *key, size_t octets);
/* A new key of @octets: counts it. 0 or -ENOMEM */
int tcp_auth_charge(struct sock *sk, struct tcp_auth *auth, u32 octets);
const struct weir_mac *tcp_auth_mac(const struct net *net, const char *name);
bool tcp_key_matches(const struct tcp_key_match *m, u8 family, const void *addr);
bool tcp_key_same(const struct tcp_key_match *a, const struct tcp_key_match *b);
/* The address in @sa as a key has it: a mapped one is IPv4. False: not of socket's family. */
bool tcp_key_address(const struct sock *sk, const struct sockaddr_storage *sa,
		     struct tcp_key_match *m, u16 *ret_port);
/* Who the segment is from and to; it was received, or its header is complete. */
void tcp_ends_of_sock(const struct sock *sk, struct tcp_ends *ret);
void tcp_ends_of_request(const struct request_sock *req, struct tcp_ends *ret);
void tcp_ends_of_skb(const struct sk_buff *skb, struct tcp_ends *ret);
/* RFC 2385 2, RFC 5925 5.1: the pseudo header of a segment of @len octets. */
u32 tcp_auth_pseudo(u8 to[40], const struct tcp_ends *e, u32 len);
/* Octets of @skb, as part of the MAC under way. */
void tcp_auth_update_skb(const struct weir_mac *mac, void *ctx, const struct sk_buff *skb, u32 off,
			 u32 len);

/* Of what is to be sent: options, then, once the header is there, its signature. */
void tcp_auth_established(struct sock *sk, const struct tcp_auth *auth, struct tcp_out_opts *o);
void tcp_auth_syn(struct sock *sk, const struct tcp_auth *auth, struct tcp_out_opts *o);
/* Octets of it in every segment of a connection: 0 without keys. */
u32 tcp_auth_header_len(struct sock *sk);
/* False: the request must not be answered any more. */
bool tcp_auth_synack(const struct sock *listener, const struct request_sock *req,
		     struct tcp_out_opts *o);
void tcp_auth_sign(const struct sock *sk, struct sk_buff *skb, const struct tcp_out_opts *o);
void tcp_auth_sign_synack(const struct sock *listener, struct sk_buff *skb,
			  const struct request_sock *req, const struct tcp_out_opts *o);

/* An answer without a full socket: the option is chosen, then the header completed, then signed. */
void tcp_auth_timewait(const struct tcp_timewait_sock *tw, u32 seq, struct tcp_out_opts *o);
/* False: it cannot be signed. */
bool tcp_auth_request(const struct sock *listener, const struct request_sock *req, u32 seq,
		      struct tcp_out_opts *o);
/* A RST with @seq in answer to @skb, from @sk (NULL: from nobody) or @tw. False: none may be sent. */
bool tcp_auth_reset(struct net *net, const struct sock *sk, const struct tcp_timewait_sock *tw,
		    const struct sk_buff *skb, u32 seq, struct tcp_out_opts *o);
/* @th with its options answers @skb. */
void tcp_auth_sign_reply(struct net *net, const struct sk_buff *skb, struct tcp_hdr *th,
			 const struct tcp_out_opts *o);

/* A segment for @sk (a listener: with its @req, if it has one). 0 or a drop reason. borrow */
skb_drop_reason_t tcp_inbound_auth(struct sock *sk, const struct request_sock *req,
				   const struct sk_buff *skb);
/* The same for @tw. What may begin a new connection is judged by its listener. */
skb_drop_reason_t __tcp_inbound_timewait(const struct tcp_timewait_sock *tw,
					 const struct sk_buff *skb);
static inline skb_drop_reason_t tcp_inbound_timewait(const struct tcp_timewait_sock *tw,
						     const struct sk_buff *skb)
{
	return unlikely(tw->auth) ? __tcp_inbound_timewait(tw, skb) : SKB_NOT_DROPPED;
}
/* Its options are parsed, and it was for a socket without keys: 0 or a drop reason. */
skb_drop_reason_t __tcp_auth_unexpected(struct net *net, const struct tcp_seg *seg);
static inline skb_drop_reason_t tcp_auth_unexpected(const struct sock *sk,
						    const struct tcp_seg *seg)
{
	if (likely(!seg->opts.md5 && !seg->opts.ao) || tcp_auth(sk))
		return SKB_NOT_DROPPED;
	return __tcp_auth_unexpected(sk->sk_net, seg);
}

/* The peer's initial sequence number is known. */
void tcp_ao_peer_isn(struct sock *sk, u32 isn);
/* Is an ICMP error about the connection not to be believed (RFC 5925 7.8)? Counts it. */
bool tcp_ao_ignore_icmp(const struct sock *sk);
/* connect(2): the peer is known now. 0, -EKEYREJECTED or -ENOMEM */
int tcp_auth_connect(struct sock *sk);
/* What @req cannot have because its segments are signed. */
void tcp_auth_openreq(const struct sock *listener, struct request_sock *req,
		      const struct tcp_seg *seg);
/* The child of @req, with an empty part of its own: the keys for its peer. 0 or -errno */
int tcp_auth_inherit(struct sock *newsk, const struct sock *listener,
		     const struct request_sock *req);
int tcp_auth_setsockopt(struct sock *sk, int name, const void *val, socklen_t len);
int tcp_auth_getsockopt(struct sock *sk, int name, void *val, socklen_t *len);
void tcp_auth_diag(const struct sock *sk, struct nl_msg *m);

/* ---- tcp_md5.c --------------------------------------------------------------------------------------- */

/* The key for a peer; NULL: none. */
const struct tcp_md5_key *tcp_md5_lookup(const struct tcp_auth *auth, u8 family, const void *addr);
/* @th is followed by its options, its checksum does not count; @len octets of payload at @off of @skb (NULL: none) */
void tcp_md5_hash(const struct net *net, const struct tcp_md5_key *key, const struct tcp_ends *e,
		  const struct tcp_hdr *th, const struct sk_buff *skb, u32 off, u32 len,
		  u8 ret[TCP_MD5_OCTETS]);
skb_drop_reason_t tcp_md5_inbound(struct net *net, const struct tcp_auth *auth,
				  const struct tcp_ends *e, const struct sk_buff *skb,
				  const u8 *sent);
int tcp_md5_setsockopt(struct sock *sk, int name, const void *val, socklen_t len);
int tcp_md5_copy(struct sock *newsk, struct tcp_auth *to, const struct tcp_md5_key *key,
		 const struct tcp_ends *e);

#endif
