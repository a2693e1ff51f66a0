/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping.h - ICMP echo for programs without privileges: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)
 */
#ifndef WEIR_INET_PING_H
#define WEIR_INET_PING_H

#include "core/skbuff.h"
#include "inet/inet_sock.h"

extern const struct proto ping_prot;

/* For ipv4/icmp.c. consumes @skb: an echo reply, data at the ICMP header, checksum verified. Softirq. Drops with PING_NO_SOCKET when
 * nobody asked. */
void ping_rcv(struct sk_buff *skb);
/* borrow @skb: an ICMP error about an ICMP echo of ours; data at the inner IP header. Softirq. */
void ping_err(struct sk_buff *skb, u8 type, u8 code, u32 info);

#endif
