/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum.c - the Internet checksum (RFC 1071)
 *
 * Theory of operation
 *   Ones' complement addition does not care about the width in which it is done (RFC 1071 2(C)): we add 64-bit words with
 *   end-around carry and fold at the end. Words are taken as they lie in memory, so the result is in memory order as well
 *   (RFC 1071 2(B)) and nothing is ever swapped.
 *
 *   Blocks of CSUM_VECTOR_MIN octets and more are added with AVX2 where the processor has it: eight 32-bit words at a time, widened to
 *   64-bit lanes, which cannot overflow for blocks of less than 2^32 words. Both ways give the residue modulo 2^32 - 1 with the same
 *   representative (0 only for a sum of zeros), hence bit for bit the same partial sum.
 *
 *   The feature is asked for at each call: libgcc keeps the answer in a constant that is set before main(), so that
 *   this is one load and a test, and we need no mutable global of our own.
 */
#include "lib/csum.h"

#define CSUM_VECTOR_MIN 256

static inline u64 load64(const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline u64 load_copy64(u8 *d, const u8 *p)
{
	u64 v;

	memcpy(&v, p, sizeof(v));
	memcpy(d, &v, sizeof(v));
	return v;
}

static inline u64 add_carry(u64 a, u64 b)
{
	a += b;
	return a + (a < b);
}

static inline u32 fold64(u64 v)
{
	v = (v & 0xffffffff) + (v >> 32);
	v = (v & 0xffffffff) + (v >> 32);
	return (u32)v;
}

/* The last 0-7 octets as one word, zeros behind them. */
static inline u64 load_tail(const u8 *p, size_t len)
{
	u64 v = 0;
	unsigned shift = 0;

	if (len & 4) {
		u32 w;

		memcpy(&w, p, sizeof(w));
		v = w;
		p += 4;
		shift = 32;
	}
	if (len & 2) {
		u16 w;

		memcpy(&w, p, sizeof(w));
		v |= (u64)w << shift;
		p += 2;
		shift += 16;
	}
	if (len & 1)
		v |= (u64)*p << shift;
	return v;
}

static u64 sum_words(const u8 *p, size_t len, u64 acc)
{
	u64 a = acc, b = 0, c = 0, d = 0;

	for (; len >= 32; len -= 32, p += 32) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
		c = add_carry(c, load64(p + 16));
		d = add_carry(d, load64(p + 24));
	}
	a = add_carry(add_carry(a, b), add_carry(c, d));
	for (; len >= 8; len -= 8, p += 8)
		a = add_carry(a, load64(p));
	return add_carry(a, load_tail(p, len));
}

static u64 sum_words_copy(u8 *dst, const u8 *p, size_t len, u64 acc)
{
	u64 a = acc, b = 0, c = 0, d = 0;

	for (; len >= 32; len -= 32, p += 32, dst += 32) {
		a = add_carry(a, load_copy64(dst, p));
		b = add_carry(b, load_copy64(dst + 8, p + 8));
		c = add_carry(c, load_copy64(dst + 16, p + 16));
		d = add_carry(d, load_copy64(dst + 24, p + 24));
	}
	a = add_carry(add_carry(a, b), add_carry(c, d));
	for (; len >= 8; len -= 8, p += 8, dst += 8)
		a = add_carry(a, load_copy64(dst, p));
	memcpy(dst, p, len);
	return add_carry(a, load_tail(p, len));
}

#if defined(__x86_64__)
#include <immintrin.h>

#define __target_avx2 __attribute__((target("avx2")))

static inline bool have_vectors(void)
{
	return __builtin_cpu_supports("avx2");
}

/* Adds the four lanes into @acc. Lanes are sums of 32-bit words and far from overflow. */
static __target_avx2 inline u64 add_lanes(__m256i even, __m256i odd, u64 acc)
{
	u64 lane[4];

	_mm256_storeu_si256((__m256i *)lane, _mm256_add_epi64(even, odd));
	acc = add_carry(add_carry(acc, lane[0]), lane[1]);
	return add_carry(add_carry(acc, lane[2]), lane[3]);
}

/* @len is a multiple of 64. */
static __target_avx2 u64 sum_vectors(const u8 *p, size_t len, u64 acc)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i e0 = _mm256_setzero_si256(), o0 = e0, e1 = e0, o1 = e0;

	for (; len; len -= 64, p += 64) {
		__m256i v0 = _mm256_loadu_si256((const __m256i *)p);
		__m256i v1 = _mm256_loadu_si256((const __m256i *)(p + 32));

		e0 = _mm256_add_epi64(e0, _mm256_and_si256(v0, low));
		o0 = _mm256_add_epi64(o0, _mm256_srli_epi64(v0, 32));
		e1 = _mm256_add_epi64(e1, _mm256_and_si256(v1, low));
		o1 = _mm256_add_epi64(o1, _mm256_srli_epi64(v1, 32));
	}
	/* An odd word weighs the same as an even one: 2^32 is 1 modulo 2^32 - 1. */
	return add_lanes(_mm256_add_epi64(e0, e1), _mm256_add_epi64(o0, o1), acc);
}

static __target_avx2 u64 sum_vectors_copy(u8 *dst, const u8 *p, size_t len, u64 acc)
{
	const __m256i low = _mm256_set1_epi64x(0xffffffff);
	__m256i e0 = _mm256_setzero_si256(), o0 = e0, e1 = e0, o1 = e0;

	for (; len; len -= 64, p += 64, dst += 64) {
		__m256i v0 = _mm256_loadu_si256((const __m256i *)p);
		__m256i v1 = _mm256_loadu_si256((const __m256i *)(p + 32));

		_mm256_storeu_si256((__m256i *)dst, v0);
		_mm256_storeu_si256((__m256i *)(dst + 32), v1);
		e0 = _mm256_add_epi64(e0, _mm256_and_si256(v0, low));
		o0 = _mm256_add_epi64(o0, _mm256_srli_epi64(v0, 32));
		e1 = _mm256_add_epi64(e1, _mm256_and_si256(v1, low));
		o1 = _mm256_add_epi64(o1, _mm256_srli_epi64(v1, 32));
	}
	return add_lanes(_mm256_add_epi64(e0, e1), _mm256_add_epi64(o0, o1), acc);
}
#else
static inline bool have_vectors(void)
{
	return false;
}

static u64 sum_vectors(const u8 *p, size_t len, u64 acc)
{
	return sum_words(p, len, acc);
}

static u64 sum_vectors_copy(u8 *dst, const u8 *p, size_t len, u64 acc)
{
	return sum_words_copy(dst, p, len, acc);
}
#endif

u32 csum_partial(const void *buf, size_t len, u32 sum)
{
	const u8 *p = buf;
	u64 acc = sum;

	if (len >= CSUM_VECTOR_MIN && have_vectors()) {
		size_t bulk = len & ~(size_t)63;

		acc = sum_vectors(p, bulk, acc);
		p += bulk;
		len -= bulk;
	}
	return fold64(sum_words(p, len, acc));
}

u32 csum_partial_copy(void *dst, const void *src, size_t len, u32 sum)
{
	const u8 *p = src;
	u8 *d = dst;
	u64 acc = sum;

	if (len >= CSUM_VECTOR_MIN && have_vectors()) {
		size_t bulk = len & ~(size_t)63;

		acc = sum_vectors_copy(d, p, bulk, acc);
		p += bulk;
		d += bulk;
		len -= bulk;
	}
	return fold64(sum_words_copy(d, p, len, acc));
}

u32 csum_partial_words(const void *p, size_t len, u32 sum)
{
	return fold64(sum_words(p, len, sum));
}

u32 csum_tcpudp_nofold(be32 saddr, be32 daddr, u32 len, u8 proto, u32 sum)
{
	/* RFC 9293 3.1: source, destination, zero and protocol, length - all in memory order. */
	u64 v = (u64)sum + saddr.v + daddr.v + cpu_to_be32(len).v + ((u32)proto << 8);

	return fold64(v);
}

u32 csum_ipv6_nofold(const void *saddr, const void *daddr, u32 len, u8 proto, u32 sum)
{
	u32 w[8];
	u64 v = (u64)sum + cpu_to_be32(len).v + cpu_to_be32(proto).v;

	memcpy(w, saddr, 16);
	memcpy(w + 4, daddr, 16);
	for (u32 i = 0; i < ARRAY_SIZE(w); i++)
		v += w[i];
	return fold64(v);
}

/* RFC 1624 3, equation 3: HC' = ~(~HC + ~m + m') */
void csum_replace2(be16 *check, be16 from, be16 to)
{
	u32 sum = (u32)(u16)~check->v + (u16)~from.v + to.v;

	check->v = csum_fold(sum);
}

void csum_replace4(be16 *check, be32 from, be32 to)
{
	u64 sum = (u64)(u16)~check->v + (u32)~from.v + to.v;

	check->v = csum_fold(fold64(sum));
}
