/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unihash.h - hash of a few words under a long secret key, for the tables that every packet is looked up in
 *
 * The multilinear family (Lemire, Kaser: "Strongly universal string hashing is fast", 2014, theorem 2.1): 32-bit words, one 64-bit key
 * word for each and one more, sum and product modulo 2^64, the upper half. For any two different inputs of one length all pairs of
 * hashes are equally likely over the keys, and so for any part of their bits: who does not know the key cannot choose inputs
 * that meet more often than random ones would. It costs a multiplication a word, a tenth of siphash.h. It is no more than that:
 * an output that is shown tells of the key, so what leaves this host (sequence numbers, ports, cookies) needs siphash.h.
 */
#ifndef WEIR_LIB_UNIHASH_H
#define WEIR_LIB_UNIHASH_H

#include "lib/siphash.h"

#define UNIHASH_WORDS 9 /* two IPv6 addresses and two ports */

struct unihash_key {
	u64 k[UNIHASH_WORDS + 1];
};

static inline void unihash_key_init(struct unihash_key *key, const u64 seed[2])
{
	for (u32 i = 0; i < ARRAY_SIZE(key->k); i++)
		key->k[i] = siphash_1u64(i, seed);
}

static inline u32 unihash_2u32(u32 a, u32 b, const struct unihash_key *key)
{
	return (u32)((key->k[0] + key->k[1] * a + key->k[2] * b) >> 32);
}

static inline u32 unihash_3u32(u32 a, u32 b, u32 c, const struct unihash_key *key)
{
	return (u32)((key->k[0] + key->k[1] * a + key->k[2] * b + key->k[3] * c) >> 32);
}

/* The same as unihash() of these nine words: two addresses of four, and one more. */
static inline u32 unihash_4_4_1(const u32 a[4], const u32 b[4], u32 c,
				const struct unihash_key *key)
{
	const u64 *k = key->k;

	return (u32)((k[0] + k[1] * a[0] + k[2] * a[1] + k[3] * a[2] + k[4] * a[3] + k[5] * b[0] +
		      k[6] * b[1] + k[7] * b[2] + k[8] * b[3] + k[9] * c) >>
		     32);
}

/* @n at most UNIHASH_WORDS */
static inline u32 unihash(const u32 *words, u32 n, const struct unihash_key *key)
{
	u64 sum = key->k[0];

	for (u32 i = 0; i < n; i++)
		sum += key->k[i + 1] * words[i];
	return (u32)(sum >> 32);
}

#endif
