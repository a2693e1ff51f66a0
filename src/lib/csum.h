/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum.h - the Internet checksum (RFC 1071, RFC 1624)
 *
 * A partial sum is a u32 in ones' complement arithmetic over 16-bit words in memory order; csum_fold() gives the final 16-bit
 * value as it is stored (raw). The fastest variant for the processor is chosen inside; all give the same result.
 */
#ifndef WEIR_LIB_CSUM_H
#define WEIR_LIB_CSUM_H

#include "lib/types.h"

u32 csum_partial(const void *p, size_t len, u32 sum);
/* Copies and sums at once. */
u32 csum_partial_copy(void *dst, const void *src, size_t len, u32 sum);
/*
 * The same by the variants that this processor can use, for tests and measurements: 0 is the widest, the last adds words without
 * vectors. csum_variant_name(): NULL: there are no more.
 */
const char *csum_variant_name(unsigned variant);
u32 csum_variant_partial(unsigned variant, const void *p, size_t len, u32 sum);
u32 csum_variant_partial_copy(unsigned variant, void *dst, const void *src, size_t len, u32 sum);

static inline u32 csum_add(u32 a, u32 b)
{
	u32 r = a + b;

	return r + (r < b);
}
static inline u32 csum_sub(u32 a, u32 b)
{
	return csum_add(a, ~b);
}
/* Adds the sum of a block that starts @offset octets into the whole. */
static inline u32 csum_block_add(u32 sum, u32 block, size_t offset)
{
	if (offset & 1)
		block = (block >> 8) | (block << 24);
	return csum_add(sum, block);
}
static inline u16 csum_fold(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}
/* Pseudo header of IPv4 (RFC 793 3.1): unfolded, continuing from @sum. @len host order. */
u32 csum_tcpudp_nofold(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum);
static inline u16 csum_tcpudp_magic(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	return csum_fold(csum_tcpudp_nofold(saddr, daddr, len, proto, sum));
}
/* Pseudo header of IPv6 (RFC 8200 8.1): the same. @saddr, @daddr: struct in6_addr */
u32 csum_ipv6_nofold(const void *saddr, const void *daddr, u32 len, u8 proto, u32 sum);
static inline u16 csum_ipv6_magic(const void *saddr, const void *daddr, u32 len, u8 proto, u32 sum)
{
	return csum_fold(csum_ipv6_nofold(saddr, daddr, len, proto, sum));
}
/* RFC 1624: *check after a 16- or 32-bit field (raw) changed. */
void csum_replace2(be16 *check, be16 from, be16 to);
void csum_replace4(be16 *check, be32 from, be32 to);

#endif
