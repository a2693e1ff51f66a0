/* SPDX-License-Identifier: BSD-2-Clause */
/* siphash.c - SipHash-2-4 and SipHash-1-3, straight from the paper (section 2) */
#include "lib/siphash.h"

struct sip {
	u64 v0, v1, v2, v3;
};

static inline u64 rotl(u64 x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_init(struct sip *s, const u64 key[2])
{
	s->v0 = key[0] ^ 0x736f6d6570736575;
	s->v1 = key[1] ^ 0x646f72616e646f6d;
	s->v2 = key[0] ^ 0x6c7967656e657261;
	s->v3 = key[1] ^ 0x7465646279746573;
}

static inline void sip_word(struct sip *s, u64 m, int c_rounds)
{
	s->v3 ^= m;
	for (int i = 0; i < c_rounds; i++)
		sip_round(s);
	s->v0 ^= m;
}

/* @last: the octets that do not fill a word, and the length modulo 256 in the top octet. */
static inline u64 sip_final(struct sip *s, u64 last, int c_rounds, int d_rounds)
{
	sip_word(s, last, c_rounds);
	s->v2 ^= 0xff;
	for (int i = 0; i < d_rounds; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline u64 sip_data(const u8 *p, size_t len, const u64 key[2], int c_rounds, int d_rounds)
{
	u64 last = (u64)len << 56, tail = 0;
	struct sip s;

	sip_init(&s, key);
	for (; len >= 8; len -= 8, p += 8) {
		u64 m;

		memcpy(&m, p, sizeof(m));
		sip_word(&s, m, c_rounds);
	}
	if (len)
		memcpy(&tail, p, len & 7);
	return sip_final(&s, last | tail, c_rounds, d_rounds);
}

static inline u64 sip_two(u64 a, u64 b, const u64 key[2], int c_rounds, int d_rounds)
{
	struct sip s;

	sip_init(&s, key);
	sip_word(&s, a, c_rounds);
	sip_word(&s, b, c_rounds);
	return sip_final(&s, 16ULL << 56, c_rounds, d_rounds);
}

static inline u64 sip_three32(u32 a, u32 b, u32 c, const u64 key[2], int c_rounds, int d_rounds)
{
	struct sip s;

	sip_init(&s, key);
	sip_word(&s, (u64)b << 32 | a, c_rounds);
	return sip_final(&s, 12ULL << 56 | c, c_rounds, d_rounds);
}

u64 siphash(const void *data, size_t len, const u64 key[2])
{
	return sip_data(data, len, key, 2, 4);
}

u64 siphash_1u64(u64 a, const u64 key[2])
{
	struct sip s;

	sip_init(&s, key);
	sip_word(&s, a, 2);
	return sip_final(&s, 8ULL << 56, 2, 4);
}

u64 siphash_2u64(u64 a, u64 b, const u64 key[2])
{
	return sip_two(a, b, key, 2, 4);
}

u64 siphash_3u32(u32 a, u32 b, u32 c, const u64 key[2])
{
	return sip_three32(a, b, c, key, 2, 4);
}

u64 siphash_4u32(u32 a, u32 b, u32 c, u32 d, const u64 key[2])
{
	return sip_two((u64)b << 32 | a, (u64)d << 32 | c, key, 2, 4);
}

/* Two IPv6 addresses and their ports: of a known length, so that it is straight-line code. */
u64 siphash_9u32(const u32 words[9], const u64 key[2])
{
	return sip_data((const u8 *)words, 9 * sizeof(u32), key, 2, 4);
}

u64 siphash13(const void *data, size_t len, const u64 key[2])
{
	return sip_data(data, len, key, 1, 3);
}

u64 siphash13_1u64(u64 a, const u64 key[2])
{
	struct sip s;

	sip_init(&s, key);
	sip_word(&s, a, 1);
	return sip_final(&s, 8ULL << 56, 1, 3);
}

u64 siphash13_2u64(u64 a, u64 b, const u64 key[2])
{
	return sip_two(a, b, key, 1, 3);
}

u64 siphash13_3u32(u32 a, u32 b, u32 c, const u64 key[2])
{
	return sip_three32(a, b, c, key, 1, 3);
}

u64 siphash13_4u32(u32 a, u32 b, u32 c, u32 d, const u64 key[2])
{
	return sip_two((u64)b << 32 | a, (u64)d << 32 | c, key, 1, 3);
}

u64 siphash13_9u32(const u32 words[9], const u64 key[2])
{
	return sip_data((const u8 *)words, 9 * sizeof(u32), key, 1, 3);
}
