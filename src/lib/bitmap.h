/* SPDX-License-Identifier: BSD-2-Clause */
/* bitmap.h - arrays of bits in 64-bit words: bit n is bit n % 64 of word n / 64 */
#ifndef WEIR_LIB_BITMAP_H
#define WEIR_LIB_BITMAP_H

#include "lib/types.h"

#define BITMAP_WORDS(bits)      DIV_ROUND_UP((size_t)(bits), 64)
#define DECLARE_BITMAP(n, bits) u64 n[BITMAP_WORDS(bits)]

static inline bool bitmap_test(const u64 *map, size_t n)
{
	return map[n / 64] >> (n % 64) & 1;
}

static inline void bitmap_set(u64 *map, size_t n)
{
	map[n / 64] |= 1ULL << (n % 64);
}

static inline void bitmap_clear(u64 *map, size_t n)
{
	map[n / 64] &= ~(1ULL << (n % 64));
}

static inline void bitmap_zero(u64 *map, size_t bits)
{
	memset(map, 0, BITMAP_WORDS(bits) * sizeof(u64));
}

/* The first bit >= @from that equals @value, or @bits. */
static inline size_t bitmap_find(const u64 *map, size_t bits, size_t from, bool value)
{
	while (from < bits) {
		u64 word = value ? map[from / 64] : ~map[from / 64];

		word >>= from % 64;
		if (word) {
			from += (size_t)__builtin_ctzll(word);
			return from < bits ? from : bits;
		}
		from = (from / 64 + 1) * 64;
	}
	return bits;
}

static inline size_t bitmap_next(const u64 *map, size_t bits, size_t from)
{
	return bitmap_find(map, bits, from, true);
}

static inline size_t bitmap_next_zero(const u64 *map, size_t bits, size_t from)
{
	return bitmap_find(map, bits, from, false);
}

/* How many of the first @bits bits are set. */
static inline size_t bitmap_weight(const u64 *map, size_t bits)
{
	size_t n = 0;

	for (size_t i = 0; i < bits / 64; i++)
		n += (size_t)__builtin_popcountll(map[i]);
	if (bits % 64)
		n += (size_t)__builtin_popcountll(map[bits / 64] & ((1ULL << (bits % 64)) - 1));
	return n;
}

#endif
