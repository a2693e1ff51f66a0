/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet6_sock.h - what an AF_INET6 socket has besides struct inet_sock
 *
 * It lies here and not in ipv6/ because af_inet.c makes and ends such sockets; what the fields mean is ipv6/'s affair.
 * struct ipv6_pinfo is the tail of the sock's object (inet6_sk_generic()), so that one structure serves both families: TCP's
 * object over IPv6 is a tcp_sock followed by an ipv6_pinfo.
 */
#ifndef WEIR_INET_INET6_SOCK_H
#define WEIR_INET_INET6_SOCK_H

#include <netinet/in.h>
#include <stdlib.h>

#include "inet/inet_sock.h"
#include "lib/list.h"
#include "lib/types.h"

struct sk_buff;

/* Extension headers that a socket or a control message asks for (RFC 3542 6): one allocation, lengths included. */
struct ipv6_txoptions {
	u32 refcount;
	u16 opt_flen;  /* octets after the fragment header's place: destination options 1 */
	u16 opt_nflen; /* octets before it: hop-by-hop, destination options 0, routing header */
	u16 hopopt, dst0opt, srcrt, dst1opt; /* offsets into data + 1; 0: absent */
	u16 len;
	u8 data[] __attribute__((aligned(8))); /* addresses of routing headers are read in place */
};
static inline void txopt_put(struct ipv6_txoptions *opt) /* NULL is fine */
{
	if (opt && --opt->refcount == 0)
		free(opt);
}

struct ipv6_pinfo {            /* what an AF_INET6 socket has besides inet_sock: inet_sock.pinet6 */
	struct in6_addr saddr; /* what we send from; sk_v6_rcv_saddr is what we are bound to */
	struct in6_addr sticky_pktinfo_addr; /* IPV6_PKTINFO */
	int sticky_pktinfo_ifindex;
	be32 flow_label;           /* of the connection, with traffic class */
	u32 frag_size;             /* IPV6_MTU: 0 unset */
	s16 hop_limit, mcast_hops; /* -1: default */
	int ucast_oif, mcast_oif;
	u32 rxopt; /* IPV6_RX_*: which control messages to give */
	u8 tclass;
	u8 pmtudisc; /* IPV6_PMTUDISC_* */
	u8 mc_loop : 1, mc_all : 1, recverr : 1, recverr_rfc4884 : 1, sndflow : 1, repflow : 1,
		autoflowlabel : 1, autoflowlabel_set : 1;
	u8 dontfrag : 1, rtalert_isolate : 1, hdrincl : 1;
	u8 min_hopcount;
	u16 srcprefs;        /* IPV6_PREFER_SRC_* */
	s32 checksum_offset; /* IPV6_CHECKSUM of raw sockets; -1: none */
	u32 icmp6_filter[8]; /* ICMP6_FILTER: bit set: block */
	struct ipv6_txoptions *opt;
	struct list_head mc_list, ac_list, fl_list; /* mcast.c, anycast.c, ip6_flowlabel.c */
	struct sk_buff *rxpmtu;                     /* IPV6_RECVPATHMTU */
	struct sk_buff
		*pktoptions; /* streams: the headers of the last packet, if rxopt asks for any */
	/* The route by which packets of this IPv6 connection come in by that device: ip6_early_demux(); held, or NULL */
	struct dst_entry *rx_dst;
	int rx_dst_ifindex;
	be32 rcv_flowinfo; /* and its traffic class and flow label */
	struct {           /* ip6_output.c: the label made up for the flow that was sent last */
		struct in6_addr daddr;
		be16 sport, dport;
		be32 label; /* 0: none yet */
	} auto_label;
};
#define inet6_sk(sk_) (inet_sk(sk_)->pinet6)

/* It is for another peer now. */
static inline void inet6_sk_rx_dst_reset(struct ipv6_pinfo *np)
{
	dst_release(np->rx_dst);
	np->rx_dst = NULL;
}

enum { /* ipv6_pinfo.rxopt */
       IPV6_RX_PKTINFO = 1 << 0,
       IPV6_RX_OPKTINFO = 1 << 1,
       IPV6_RX_HOPLIMIT = 1 << 2,
       IPV6_RX_OHOPLIMIT = 1 << 3,
       IPV6_RX_HOPOPTS = 1 << 4,
       IPV6_RX_OHOPOPTS = 1 << 5,
       IPV6_RX_DSTOPTS = 1 << 6,
       IPV6_RX_ODSTOPTS = 1 << 7,
       IPV6_RX_SRCRT = 1 << 8,
       IPV6_RX_OSRCRT = 1 << 9,
       IPV6_RX_TCLASS = 1 << 10,
       IPV6_RX_FLOW = 1 << 11,
       IPV6_RX_PMTU = 1 << 12,
       IPV6_RX_ORIGDSTADDR = 1 << 13,
       IPV6_RX_FRAGSIZE = 1 << 14,
};

static inline struct ipv6_pinfo *inet6_sk_generic(const struct sock *sk)
{
	return (struct ipv6_pinfo *)((u8 *)sk + sk->sk_prot->obj_size - sizeof(struct ipv6_pinfo));
}

#endif
