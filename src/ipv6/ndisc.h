/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ndisc.h - neighbour discovery (RFC 4861) on core/neighbour
 */
#ifndef WEIR_IPV6_NDISC_H
#define WEIR_IPV6_NDISC_H

#include "core/neighbour.h"
#include "ipv6/addrconf.h"

/* For icmpv6_rcv(): consumes; types 133..137, data at the ICMPv6 header, checksum verified. */
void ndisc_rcv(struct sk_buff *skb);
/* @saddr NULL: chosen. @nonce 0: none (RFC 7527). */
void ndisc_send_ns(struct net_device *dev, const struct in6_addr *target,
		   const struct in6_addr *daddr, const struct in6_addr *saddr, u64 nonce);
void ndisc_send_na(struct net_device *dev, const struct in6_addr *daddr,
		   const struct in6_addr *target, bool router, bool solicited, bool override,
		   bool inc_opt);
void ndisc_send_rs(struct net_device *dev, const struct in6_addr *saddr,
		   const struct in6_addr *daddr);
/* borrow: tells the sender of @skb, which ip6_forward() sends out where it came from, of @target. Rate limited. */
void ndisc_send_redirect(struct sk_buff *skb, const struct in6_addr *target);
/* The link-layer address that @group maps to on @dev (RFC 2464 7). 0 or -EINVAL */
int ndisc_mc_map(const struct in6_addr *group, u8 *ret, const struct net_device *dev);

/* ---- ndisc_dns.c: what router advertisements say of name servers (RFC 8106) ------------------------------- */

struct ipv6_rdnss {
	struct in6_addr addr;
	int ifindex; /* a link-local address needs it */
};
/* Name servers that are valid now, of all devices, at most @max; how many. cpu lock held. */
u32 ipv6_rdnss_get(struct net *net, struct ipv6_rdnss *ret, u32 max);
#define IPV6_DNSSL_NAME 254
/* Search domains, the same way. */
u32 ipv6_dnssl_get(struct net *net, char (*ret)[IPV6_DNSSL_NAME], u32 max);

#endif
