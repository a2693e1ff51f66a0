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
/* Both halves, added to what they are the other way round: the carry of the lower sum goes into the upper one. */
static inline u16 csum_fold(u32 sum)
{
	sum += sum << 16 | sum >> 16;
	return (u16)(~sum >> 16);
}
static inline u32 csum_fold64(u64 sum)
{
	sum += sum << 32 | sum >> 32;
	return (u32)(sum >> 32);
}
/* Pseudo header of IPv4 (RFC 9293 3.1): source, destination, zero and protocol, length, all in memory order; unfolded, continuing from
 * @sum. @len host order. */
static inline u32 csum_tcpudp_nofold(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	return csum_fold64((u64)sum + saddr.v + daddr.v + cpu_to_be32(len).v +
			   cpu_to_be32(proto).v);
}
static inline u16 csum_tcpudp_magic(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	return csum_fold(csum_tcpudp_nofold(saddr, daddr, len, proto, sum));
}
/* Pseudo header of IPv6 (RFC 8200 8.1): the same. @saddr, @daddr: struct in6_addr */
static inline u32 csum_ipv6_nofold(const void *saddr, const void *daddr, u32 len, u8 proto, u32 sum)
{
	u64 v = (u64)sum + cpu_to_be32(len).v + cpu_to_be32(proto).v, w[4];

	memcpy(w, saddr, 16);
	memcpy(w + 2, daddr, 16);
	for (u32 i = 0; i < ARRAY_SIZE(w); i++) {
		v += w[i];
		v += v < w[i];
	}
	return csum_fold64(v);
}
static inline u16 csum_ipv6_magic(const void *saddr, const void *daddr, u32 len, u8 proto, u32 sum)
{
	return csum_fold(csum_ipv6_nofold(saddr, daddr, len, proto, sum));
}
/* RFC 1624: *check after a 16- or 32-bit field (raw) changed. */
void csum_replace2(be16 *check, be16 from, be16 to);
void csum_replace4(be16 *check, be32 from, be32 to);

#endif
