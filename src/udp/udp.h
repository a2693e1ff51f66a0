/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.h - UDP and UDP-Lite sockets and their tables; inside udp/
 */
#ifndef WEIR_UDP_UDP_H
#define WEIR_UDP_UDP_H

#include "core/drop_reason.h"
#include "core/netdevice.h"
#include "core/sock_mem.h"
#include "core/trace.h"
#include "inet/inet6_sock.h"
#include "inet/inet_hashtables.h"
#include "ipv4/ip.h"
#include "wire/udp.h"

#define UDP_DROP_REASONS(X)                                                                        \
	X(UDP_HEADER, "shorter than its header says (RFC 768)")                                    \
	X(UDP_CSUM, "checksum is wrong (RFC 768)")                                                 \
	X(UDP_NO_SOCKET, "no socket has the port: answered with ICMP port unreachable")            \
	X(UDP_NO_MEMBER, "broadcast or multicast that no socket wants")                            \
	X(UDPLITE_COVERAGE, "checksum covers less than the header, or more than there is")         \
	X(UDPLITE_WANTED, "checksum covers less than the socket wants (UDPLITE_RECV_CSCOV)")       \
	X(UDP_SEGMENT, "a big datagram could not be cut for its socket")

DROP_REASON_ENUM(UDP, UDP_DROP_REASONS);

#define UDP_TRACE_POINTS(X)                                                                        \
	X(udp_sendmsg, "udp/udp.c", "sport", "dport")                                              \
	X(udp_rcv, "udp/udp_input.c", "sport", "dport")                                            \
	X(udp_queue_rcv_skb, "udp/udp_input.c", "rmem", NULL)                                      \
	X(udp_mcast_deliver, "udp/udp_input.c", "sockets", NULL)                                   \
	X(udp_err, "udp/udp_input.c", "type", "code")                                              \
	X(udp_recvmsg, "udp/udp.c", "len", NULL)                                                   \
	X(udp_gro_receive, "udp/udp_offload.c", "sport", "dport")                                  \
	X(udp_gso_segment, "udp/udp_offload.c", "size", NULL)

TRACE_POINT_ENUM(UDP, UDP_TRACE_POINTS);

extern const struct drop_reason_table udp_drop_reasons;
extern const struct trace_point_table udp_trace_points;

struct udp_sock {
	struct inet_sock inet; /* must be first */
	u8 corked : 1;         /* UDP_CORK */
	u8 gro : 1;            /* UDP_GRO: merged datagrams are welcome */
	u8 no_check6_tx : 1, no_check6_rx : 1;
	u8 send_cscov_set : 1, recv_cscov_set : 1;
	u8 claimed_alone : 1; /* net_udp_claim() was told: not shared */
	u8 connected : 1;     /* counted in netns_inet.udp_connected */
	u16 gso_size;         /* UDP_SEGMENT: payload octets of one datagram; 0: as they are sent */
	u16 send_cscov, recv_cscov; /* UDP-Lite, RFC 3828: octets; 0: all */
	struct inet_cork *cork; /* the datagram that MSG_MORE or UDP_CORK holds back; NULL: none */
};

#define udp_sk(sk_) ((struct udp_sock *)(sk_))

struct udp6_sock {
	struct udp_sock udp;     /* must be first */
	struct ipv6_pinfo inet6; /* inet6_sk_generic() */
};

static inline struct udp_hdr *udp_hdr(const struct sk_buff *skb)
{
	return (struct udp_hdr *)skb_transport_header(skb);
}

/* ---- udp_variant.c: what differs between UDP and UDP-Lite ------------------------------------------------ */

enum udp_variant_id { UDP_PLAIN, UDP_LITE, NR_UDP_VARIANTS };

/* enum mib of the counters of one variant over one IP version */
struct udp_mib {
	u16 in_datagrams, no_ports, in_errors, out_datagrams, rcvbuf_errors, sndbuf_errors,
		in_csum_errors, ignored_multi, mem_errors;
};

struct udp_variant {
	u8 id; /* enum udp_variant_id */
	u8 protocol;
	struct udp_mib mib[2]; /* over IPv4, IPv6 */
	/* The header at data: cuts off padding; *ret_coverage octets from the header on are in the checksum. 0, or why not. */
	skb_drop_reason_t (*check_header)(struct sk_buff *skb, u32 *ret_coverage);
	/* What of @len octets (header included) @sk's checksum covers, and *ret_field, the third field of the header. NULL: all */
	u32 (*coverage)(const struct sock *sk, u32 len, u16 *ret_field);
};

extern const struct udp_variant udp_variants[NR_UDP_VARIANTS];
static inline const struct udp_variant *udp_sk_variant(const struct sock *sk)
{
	return &udp_variants[sk->sk_protocol == IPPROTO_UDPLITE ? UDP_LITE : UDP_PLAIN];
}
/* The counters of a packet, which may be IPv4 for a socket of AF_INET6. */
static inline const struct udp_mib *udp_skb_mib(const struct sk_buff *skb,
						const struct udp_variant *v)
{
	return &v->mib[be16_to_cpu(skb->protocol) == ETH_P_IPV6];
}

/* ---- udp_table.c ---------------------------------------------------------------------------------------- */

struct udp_table {
	struct hlist_head *hash; /* 1 << bits buckets, by local port */
	u32 bits, count;
};

struct netns_udp {
	struct udp_table table[NR_UDP_VARIANTS]; /* each variant has its own ports */
	u64 key[2];
	struct sock_mem mem; /* net.ipv4.udp_mem */
	u32 rmem_min, wmem_min;
	u32 child_hash_entries; /* kept only, as l3mdev_accept */
	u8 early_demux, l3mdev_accept;
	/* Who takes datagrams to any destination that no other socket is for: of IPv4, IPv6. Held. */
	struct sock *any[2];
	u32 gro_socks; /* with UDP_GRO: received packets are looked up for them */
};

int udp_table_init(struct udp_table *t); /* 0 or -ENOMEM */
void udp_table_fini(struct udp_table *t);
static inline struct hlist_head *udp_bucket(const struct udp_table *t, u16 port)
{
	return &t->hash[port & ((1u << t->bits) - 1)];
}
int udp_get_port(struct sock *sk, u16 port);
void udp_unhash(struct sock *sk);
/* @sk is, and is no longer, the one for any destination of its IP version. 0, -EADDRINUSE */
int udp_listen_any(struct sock *sk, int backlog);
void udp_unhash_any(struct sock *sk);
/* How well a packet fits @sk: 0 it is not for it; else the more, the closer. */
u32 udp_score(const struct sock *sk, const struct inet_tuple *t);
/* The socket for a unicast packet; not held. NULL: none. @skb: the packet, data at the UDP header, for the programs of SO_REUSEPORT
 * groups; NULL: the flow's hash decides. */
struct sock *udp_lookup(struct net *net, const struct udp_variant *v, const struct inet_tuple *t,
			const struct sk_buff *skb);
/* Early demux: the header at skb's transport header, if there may be something to look for; the connected socket that udp_lookup() will
 * give for @t becomes skb->sk. borrow */
static inline const struct udp_hdr *udp_early_header(const struct sk_buff *skb)
{
	const struct netns_udp *u = skb->dev->net->udp;

	if (!u->early_demux || !skb->dev->net->inet->udp_connected ||
	    skb->pkt_type != SKB_PACKET_HOST ||
	    skb_headlen(skb) < (u32)skb_transport_offset(skb) + sizeof(struct udp_hdr))
		return NULL;
	return (const struct udp_hdr *)skb_transport_header(skb);
}
void udp_early_sock(struct sk_buff *skb, const struct inet_tuple *t);
/* Members of a SO_REUSEPORT group share packets; a connected socket has its own. */
static inline bool udp_shares_packets(const struct sock *sk)
{
	return sk->sk_reuseport && sk->sk_state != SS_TCP_ESTABLISHED;
}

/* ---- udp.c ------------------------------------------------------------------------------------------------ */

extern const struct proto udp_prot, udplite_prot, udpv6_prot, udplitev6_prot;
/* borrow @skb. True: its checksum is right (or absent, or checked before). */
bool udp_checksum_ok(struct sk_buff *skb);

/* ---- udp_diag.c ----------------------------------------------------------------------------------------- */

int udp_diag_machine_init(struct machine *m);

/* ---- udp_input.c: received datagrams, whatever the IP version --------------------------------------------- */

/* The sum of a packet's addresses: asked for only if there is something to verify. */
typedef u32 (*udp_pseudo_fn)(const struct sk_buff *skb);
/* Checks the header (at data) and the checksum field. False: consumed. */
bool udp_rcv_check(struct sk_buff *skb, const struct udp_variant *v, udp_pseudo_fn addrs);
/* A unicast datagram that passed the check: to the socket that @t finds. @unreachable answers where there is none. consume */
void udp_unicast_deliver(struct net *net, const struct udp_variant *v, struct sk_buff *skb,
			 const struct inet_tuple *t, void (*unreachable)(struct sk_buff *skb));
/* A datagram to many: a copy for every socket that @t fits and @allow lets have it. consume */
void udp_mcast_deliver(struct net *net, const struct udp_variant *v, struct sk_buff *skb,
		       const struct inet_tuple *t,
		       bool (*allow)(const struct sock *sk, const struct inet_tuple *t));
/* A datagram for @sk; one that GRO made is cut again, if @sk does not want it whole. consume */
void udp_queue_rcv_skb(struct sock *sk, struct sk_buff *skb);
/* An ICMP error about a datagram of @sk; @skb's data at the inner IP header, @uh the inner UDP header. borrow */
void udp_err_sock(struct sock *sk, struct sk_buff *skb, struct udp_hdr *uh, u8 type, u8 code,
		  u32 info);

/* ---- udp_offload.c ------------------------------------------------------------------------------------------ */

struct sk_buff *udp_gso_segment(struct sk_buff *skb, netdev_features_t features, int *ret_err);
/* @sk: who will get @skb; @pseudo: the sum of the addresses. */
struct sk_buff *udp_gro_receive(struct sk_buff_head *held, struct sk_buff *skb,
				const struct sock *sk, u32 pseudo);
int udp_gro_complete(struct sk_buff *skb, int nhoff, u32 pseudo);

/* ---- udp_ipv4.c, udp_ipv6.c ---------------------------------------------------------------------------------- */

extern const struct net_protocol udp4_protocols[NR_UDP_VARIANTS], udp6_protocols[NR_UDP_VARIANTS];

#endif
