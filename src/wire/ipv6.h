/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv6.h - the IPv6 fixed header (RFC 8200 3) */
#ifndef WEIR_WIRE_IPV6_H
#define WEIR_WIRE_IPV6_H

#include <netinet/in.h>

#include <string.h>

#include "lib/types.h"

static inline bool ipv6_addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	u64 x[2], y[2];

	memcpy(x, a, 16);
	memcpy(y, b, 16);
	return !((x[0] ^ y[0]) | (x[1] ^ y[1]));
}
static inline bool ipv6_addr_any(const struct in6_addr *a)
{
	u64 x[2];

	memcpy(x, a, 16);
	return !(x[0] | x[1]);
}
/* ::ffff:a.b.c.d (RFC 4291 2.5.5.2) */
static inline bool ipv6_addr_v4mapped(const struct in6_addr *a)
{
	return !memcmp(a, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
}
static inline be32 ipv6_addr_v4(const struct in6_addr *a) /* the IPv4 address of a mapped one */
{
	be32 v;

	memcpy(&v, &a->s6_addr[12], 4);
	return v;
}
static inline void ipv6_addr_set_v4mapped(be32 v4, struct in6_addr *ret)
{
	memcpy(ret, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
	memcpy(&ret->s6_addr[12], &v4, 4);
}
/* Are the first @plen bits the same? */
bool ipv6_prefix_equal(const struct in6_addr *a, const struct in6_addr *b, u32 plen);

struct ipv6_hdr {
	be32 ver_tc_flow;
	be16 payload_len;
	u8 nexthdr;
	u8 hop_limit;
	struct in6_addr saddr;
	struct in6_addr daddr;
} __packed __attribute__((aligned(4)));

static_assert(sizeof(struct ipv6_hdr) == 40, "wire format");

struct ipv6_view {
	u8 tclass, nexthdr, hop_limit;
	u32 flow_label;
	u16 payload_len;
	const struct in6_addr *saddr, *daddr;
};

/* 40, or -EBADMSG. */
int ipv6_parse(const u8 *p, size_t len, struct ipv6_view *ret);
void ipv6_build(u8 *p, const struct ipv6_view *v);
/* RFC 3168 5: Congestion Experienced. False: not of an ECN-capable transport. */
bool ipv6_set_ce(struct ipv6_hdr *h);

/*
 * Steps over the extension headers in [p, p+len), the first of which is of type *nexthdr (RFC 8200 4.1). The octets skipped, with
 * *nexthdr what follows them, or -EBADMSG. Stops behind a fragment header, and sets *ret_frag_off (offset in octets, bit 0: more) when
 * it is a real fragment; of a later fragment nothing more can be read.
 */
int ipv6_skip_exthdr(const u8 *p, size_t len, u8 *nexthdr, u16 *ret_frag_off);

#endif
