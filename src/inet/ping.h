/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping.h - ICMP echo for programs without privileges: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), and the same for ICMPv6
 */
#ifndef WEIR_INET_PING_H
#define WEIR_INET_PING_H

#include "core/skbuff.h"
#include "inet/inet_sock.h"

extern const struct proto ping_prot, pingv6_prot;

/* For ipv4/icmp.c and ipv6/icmp.c. consumes @skb: an echo reply, data at the ICMP header, checksum verified. Softirq. Drops with PING_NO_SOCKET when
 * nobody asked. */
void ping_rcv(struct sk_buff *skb);
/* borrow @skb: an ICMP error about an ICMP echo of ours; data at the inner IP header, in IPv6 the transport header at the inner ICMPv6
 * header. Softirq. */
void ping_err(struct sk_buff *skb, u8 type, u8 code, u32 info);

#endif
