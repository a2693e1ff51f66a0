/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_ao.h - TCP-AO (RFC 5925), for tcp_auth.c; tcp_ao.c has the theory of operation */
#ifndef WEIR_TCP_TCP_AO_H
#define WEIR_TCP_TCP_AO_H

#include "tcp/tcp_auth.h"

struct tcp_ao_key { /* a master key tuple */
	struct list_head node;
	struct tcp_key_match match;
	const struct weir_mac *mac;
	u32 octets; /* with the prepared keys behind it */
	u8 sndid, rcvid, maclen, keyflags;
	u8 keylen;
	u8 key[TCP_AUTH_MAX_KEY]; /* as it was given */
	u64 good, bad;            /* segments */
	u8 *master;               /* prepared: of the key derivation, */
	u8 *snd, *rcv;            /* of a connection's traffic keys */
};

struct tcp_ao {
	struct list_head keys; /* tcp_ao_key */
	struct tcp_ao_key *current, *rnext;
	u32 lisn, risn;        /* initial sequence numbers, ours and the peer's */
	u32 snd_sne, snd_seen; /* upper half of snd_una, and its lower half then */
	u32 rcv_sne, rcv_seen; /* of rcv_nxt */
	bool synchronized;     /* both numbers are known, traffic keys are prepared */
	bool required;         /* nothing goes unsigned, even without a key for it */
	bool accept_icmps;
	u64 good, bad, key_not_found, ao_required, dropped_icmp;
};

struct tcp_ao_key *tcp_ao_lookup(const struct tcp_ao *ao, u8 family, const void *addr, int sndid,
				 int rcvid); /* -1: any. NULL: none */
void tcp_ao_free(struct tcp_ao *ao);
/* All keys of @from, and which is in use, but nothing of its connection. NULL: no memory */
struct tcp_ao *tcp_ao_copy(const struct tcp_ao *from);
void tcp_ao_traffic_key(const struct tcp_ao_key *key, const struct tcp_ends *e, be16 sport,
			be16 dport, u32 sisn, u32 disn, u8 ret[WEIR_MAC_DIGEST_MAX]);
void tcp_ao_mac(const struct tcp_ao_key *key, const void *traffic, u32 sne,
		const struct tcp_ends *e, const struct tcp_hdr *th, const u8 *opt,
		const struct sk_buff *skb, u32 off, u32 len, u8 ret[WEIR_MAC_DIGEST_MAX]);
u32 tcp_ao_sne(u32 sne, u32 base, u32 seq);
u32 tcp_ao_snd_sne(const struct sock *sk, u32 seq);

void tcp_ao_established(const struct tcp_ao *ao, struct tcp_out_opts *o);
void tcp_ao_syn(const struct sock *sk, const struct tcp_ao *ao, struct tcp_out_opts *o);
/* False: there is no such key. */
bool tcp_ao_request(const struct tcp_ao *ao, const struct request_sock *req,
		    struct tcp_out_opts *o);
/* What answers for a connection; @snd_nxt: its sequence number. False: it is not signed */
bool tcp_ao_answer(struct tcp_ao *ao, u32 snd_nxt, struct tcp_out_opts *o);
void tcp_ao_sign(const struct tcp_out_opts *o, const struct tcp_ends *e, struct tcp_hdr *th,
		 const struct sk_buff *skb, u32 off, u32 len, u32 sne);

skb_drop_reason_t tcp_ao_inbound(struct sock *sk, const struct request_sock *req,
				 const struct sk_buff *skb, const u8 *opt);
/* The same for TIME_WAIT, whose @ao is a connection's that has ended. */
skb_drop_reason_t tcp_ao_inbound_timewait(struct net *net, struct tcp_ao *ao,
					  const struct sk_buff *skb, const u8 *opt);
/* Must segments of this peer be signed? */
bool tcp_ao_required(const struct tcp_auth *auth, u8 family, const void *addr);

int tcp_ao_connect(struct sock *sk); /* 0 or -EKEYREJECTED */
int tcp_ao_inherit(struct sock *newsk, struct tcp_auth *to, const struct tcp_ao *from,
		   const struct tcp_request_sock *treq);
int tcp_ao_setsockopt(struct sock *sk, int name, const void *val, socklen_t len);
int tcp_ao_getsockopt(struct sock *sk, int name, void *val, socklen_t *len);

#endif
