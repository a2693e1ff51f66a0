/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_sock_cb.h - skb->cb while a packet waits in the queue or the error queue of an internet socket
 *
 * Shared by both IP versions, because an AF_INET6 socket has packets and errors of both.
 */
#ifndef WEIR_INET_INET_SOCK_CB_H
#define WEIR_INET_INET_SOCK_CB_H

#include "core/sock.h"

struct inet_sock_cb {
	struct {
		int iif;
		u8 rest[8];
	} parm;        /* of the IP version: struct inet_skb_parm, inet6_skb_parm */
	be32 spec_dst; /* IPv4: the local address for answers */
	int ifindex;
	/* error queue only */
	struct sock_extended_err ee;
	union {
		struct {
			be32 addr; /* where the packet that failed was going */
			be32 offender;
		};
		u32 addr_off; /* IPv6: the same, as octets from the network header; 0: none */
	};
	be16 port;
	u8 opt_stats; /* see struct sock_err_cb */
};
#define INET_SOCK_CB(skb) ((struct inet_sock_cb *)(skb)->cb)
static_assert(sizeof(struct inet_sock_cb) <= SKB_CB_SIZE, "cb");
static_assert(offsetof(struct inet_sock_cb, ee) == offsetof(struct sock_err_cb, ee),
	      "time stamps are queued by core/sock.c");
static_assert(offsetof(struct inet_sock_cb, opt_stats) == offsetof(struct sock_err_cb, opt_stats),
	      "with what came with them");

#endif
