/* SPDX-License-Identifier: BSD-2-Clause */
/* ethernet.h - DIX Ethernet header (IEEE 802.3 3.2.6, as a type field) */
#ifndef WEIR_WIRE_ETHERNET_H
#define WEIR_WIRE_ETHERNET_H

#include <linux/if_ether.h> /* ETH_ALEN, ETH_P_* */

#include "lib/types.h"

struct eth_hdr {
	u8 dst[ETH_ALEN];
	u8 src[ETH_ALEN];
	be16 type;
} __packed;

static_assert(sizeof(struct eth_hdr) == 14, "wire format");

#define VLAN_HLEN 4 /* a tag: IEEE 802.1Q 9.4 */

struct eth_view {
	const u8 *dst, *src;
	u16 type; /* >= 1536: Ethernet type; below: length of an 802.3 frame */
};

/* Octets of the header, or -EBADMSG when @len is too short. */
int eth_parse(const u8 *p, size_t len, struct eth_view *ret);
/* Writes sizeof(struct eth_hdr) octets. */
void eth_build(u8 *p, const u8 *dst, const u8 *src, u16 type);

static inline bool is_multicast_ether_addr(const u8 *a)
{
	return a[0] & 1;
}

static inline bool is_zero_ether_addr(const u8 *a)
{
	return !(a[0] | a[1] | a[2] | a[3] | a[4] | a[5]);
}

static inline bool is_broadcast_ether_addr(const u8 *a)
{
	return (a[0] & a[1] & a[2] & a[3] & a[4] & a[5]) == 0xff;
}

static inline bool is_valid_ether_addr(const u8 *a)
{
	return !is_multicast_ether_addr(a) && !is_zero_ether_addr(a);
}

static inline bool ether_addr_equal(const u8 *a, const u8 *b)
{
	return memcmp(a, b, ETH_ALEN) == 0;
}

#endif
