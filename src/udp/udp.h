/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.h - UDP sockets and their table; inside udp/
 */
#ifndef WEIR_UDP_UDP_H
#define WEIR_UDP_UDP_H

#include "core/drop_reason.h"
#include "core/trace.h"
#include "inet/inet_sock.h"
#include "ipv4/ip.h"
#include "wire/udp.h"

#define UDP_DROP_REASONS(X)                                                                        \
	X(UDP_HEADER, "shorter than its header says (RFC 768)")                                    \
	X(UDP_CSUM, "checksum is wrong (RFC 768)")                                                 \
	X(UDP_NO_SOCKET, "no socket has the port: answered with ICMP port unreachable")            \
	X(UDP_NO_MEMBER, "broadcast or multicast that no socket wants")

DROP_REASON_ENUM(UDP, UDP_DROP_REASONS);

#define UDP_TRACE_POINTS(X)                                                                        \
	X(udp_sendmsg, "udp/udp.c", "sport", "dport")                                              \
	X(udp_rcv, "udp/udp_input.c", "sport", "dport")                                            \
	X(udp_queue_rcv_skb, "udp/udp_input.c", "rmem", NULL)                                      \
	X(udp_mcast_deliver, "udp/udp_input.c", "sockets", NULL)                                   \
	X(udp_err, "udp/udp_input.c", "type", "code")                                              \
	X(udp_recvmsg, "udp/udp.c", "len", NULL)

TRACE_POINT_ENUM(UDP, UDP_TRACE_POINTS);

extern const struct drop_reason_table udp_drop_reasons;
extern const struct trace_point_table udp_trace_points;

struct udp_cork;

struct udp_sock {
	struct inet_sock inet; /* must be first */
	u8 corked : 1;         /* UDP_CORK */
	struct udp_cork *cork; /* the datagram that MSG_MORE or UDP_CORK holds back; NULL: none */
};

#define udp_sk(sk_) ((struct udp_sock *)(sk_))

static inline struct udp_hdr *udp_hdr(const struct sk_buff *skb)
{
	return (struct udp_hdr *)skb_transport_header(skb);
}

/* ---- udp_table.c ---------------------------------------------------------------------------------------- */

struct netns_udp {
	struct hlist_head *hash; /* 1 << bits buckets, by local port */
	u32 bits, count;
	u64 key[2];
};

int udp_table_init(struct netns_udp *t, struct net *net); /* 0 or -ENOMEM */
void udp_table_fini(struct netns_udp *t);
static inline struct hlist_head *udp_bucket(const struct netns_udp *t, u16 port)
{
	return &t->hash[port & ((1u << t->bits) - 1)];
}
int udp_get_port(struct sock *sk, u16 port);
void udp_unhash(struct sock *sk);
/* The socket for a unicast packet; not held. NULL: none. */
struct sock *udp4_lookup(struct net *net, be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif);
/* Does @sk want a packet with these addresses that goes to many? */
bool udp_mcast_match(const struct sock *sk, be32 saddr, be16 sport, be32 daddr, u16 hnum, int dif);

/* ---- udp.c ------------------------------------------------------------------------------------------------ */

extern const struct proto udp_prot;
/* borrow @skb. True: its checksum is right (or absent, or checked before). */
bool udp_checksum_ok(struct sk_buff *skb);

/* ---- udp_diag.c ----------------------------------------------------------------------------------------- */

int udp_diag_machine_init(struct machine *m);

/* ---- udp_input.c ------------------------------------------------------------------------------------------ */

extern const struct net_protocol udp_protocol;

#endif
