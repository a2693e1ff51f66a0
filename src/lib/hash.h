/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - fast hashes without a secret, for keys that no peer chooses (device indices, inode numbers)
 *
 * Keys that come from the wire or from programs are hashed with siphash.h.
 */
#ifndef WEIR_LIB_HASH_H
#define WEIR_LIB_HASH_H

#include "lib/types.h"

/* The top @bits (1-32) of a product with 2^32 divided by the golden ratio (Knuth, vol. 3, 6.4). */
static inline u32 hash_32(u32 val, unsigned bits)
{
	return (val * 0x9e3779b1u) >> (32 - bits);
}

static inline u32 hash_64(u64 val, unsigned bits)
{
	return (u32)((val * 0x9e3779b97f4a7c15ULL) >> (64 - bits));
}

/* Spreads every bit of @x over all bits (the finaliser of splitmix64; a bijection). */
static inline u64 hash_mix64(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* Three words and a start value into one. */
static inline u32 jhash_3words(u32 a, u32 b, u32 c, u32 initval)
{
	u64 h = hash_mix64(((u64)b << 32 | a) + 0x9e3779b97f4a7c15ULL);

	return (u32)(hash_mix64(h ^ ((u64)initval << 32 | c)) >> 32);
}

static inline u32 jhash_2words(u32 a, u32 b, u32 initval)
{
	return jhash_3words(a, b, 0, initval);
}

#endif
