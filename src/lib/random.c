/* SPDX-License-Identifier: BSD-2-Clause */
/* random.c - seeding of streams, and what is made of the raw 64-bit words */
#include "lib/random.h"

#include "lib/siphash.h"

void random_seed(u64 state[4], u64 seed)
{
	/* Four outputs of splitmix64 are never all zero: it is a bijection of a counter. */
	for (int i = 0; i < 4; i++)
		state[i] = splitmix64(&seed);
}

void random_stream_seed(u64 state[4], u64 seed, const char *name)
{
	const u64 key[2] = { seed, 0x77656972 /* "weir" */ };

	random_seed(state, siphash(name, strlen(name), key));
}

void random_bytes(u64 state[4], void *buf, size_t len)
{
	u8 *p = buf;

	while (len) {
		u64 v = random_next(state);
		size_t n = min_t(size_t, len, sizeof(v));

		memcpy(p, &v, n);
		p += n;
		len -= n;
	}
}

u32 random_below(u64 state[4], u32 n)
{
	/* Lemire: multiply, and redraw in the rare case that would favour some values */
	u64 m = (random_next(state) >> 32) * n;

	if ((u32)m < n) {
		u32 threshold = -n % n;

		while ((u32)m < threshold)
			m = (random_next(state) >> 32) * n;
	}
	return (u32)(m >> 32);
}
