/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.h - repeatable pseudo-random streams: xoshiro256** (Blackman, Vigna), seeded through splitmix64
 *
 * Not for secrets. A stream is a state of four words derived from a seed and a name, so that streams do not depend on each other, nor on
 * the order in which they were made: "adding one does not shift the others" (DESIGN section 9).
 */
#ifndef WEIR_LIB_RANDOM_H
#define WEIR_LIB_RANDOM_H

#include "lib/types.h"

/* The state is a counter: any value will do as a start. */
static inline u64 splitmix64(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline u64 random_next(u64 s[4])
{
	u64 x = s[1] * 5, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return (x << 7 | x >> 57) * 9;
}

/* random.c */

void random_seed(u64 state[4], u64 seed);
void random_stream_seed(u64 state[4], u64 seed, const char *name);
void random_bytes(u64 state[4], void *buf, size_t len);
/* Evenly in [0, n); @n > 0. */
u32 random_below(u64 state[4], u32 n);

#endif
