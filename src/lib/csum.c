/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * csum.c - the Internet checksum (RFC 1071)
 *
 * Theory of operation
 *   Ones' complement addition does not care about the width in which it is done (RFC 1071 2(C)): we add 64-bit words with
 *   end-around carry and fold at the end. Words are taken as they lie in memory, so the result is in memory order as well
 *   (RFC 1071 2(B)) and nothing is ever swapped.
 *
 *   Blocks of CSUM_VECTOR_MIN octets and more are added with the widest vectors that the processor has (AVX-512, AVX2, SSE2; NEON): 32-bit
 *   words widened to 64-bit lanes, which cannot overflow for blocks of less than 2^32 words. All ways give the residue modulo 2^32 - 1 with
 *   the same representative (0 only for a sum of zeros), hence bit for bit the same partial sum.
 *
 *   The feature is asked for at each call: libgcc keeps the answer in a constant that is set before main(), so that
 *   this is one load and a test, and we need no mutable global of our own.
 */
#include "lib/csum.h"

#define CSUM_VECTOR_MIN 256
#define CSUM_WIDE_MIN   4096

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

/* ---- vectors ------------------------------------------------------------------------------------------- */

/*
 * One text for every width, in the compiler's vector extension: 16 octets are SSE2 or NEON, which every processor of its kind has, 32 AVX2,
 * 64 AVX-512. Blocks are a multiple of BLOCK octets; four accumulators, so that additions do not wait for each other. An odd word weighs the
 * same as an even one: 2^32 is 1 modulo 2^32 - 1.
 */
#define BLOCK 128u

#define SUM_VECTORS(name, octets, attributes)                                                      \
	typedef u64 vec_##name __attribute__((vector_size(octets), aligned(1), may_alias));        \
                                                                                                   \
	attributes static inline u64 sum_##name(u8 *dst, const u8 *p, size_t len, u64 acc)         \
	{                                                                                          \
		vec_##name e0 = { 0 }, o0 = e0, e1 = e0, o1 = e0;                                  \
		u64 lane[octets / 8];                                                              \
                                                                                                   \
		for (size_t i = 0; i < len; i += 2 * octets) {                                     \
			vec_##name v0 = *(const vec_##name *)(p + i);                              \
			vec_##name v1 = *(const vec_##name *)(p + i + octets);                     \
                                                                                                   \
			if (dst) {                                                                 \
				*(vec_##name *)(dst + i) = v0;                                     \
				*(vec_##name *)(dst + i + octets) = v1;                            \
			}                                                                          \
			e0 += v0 & 0xffffffff;                                                     \
			o0 += v0 >> 32;                                                            \
			e1 += v1 & 0xffffffff;                                                     \
			o1 += v1 >> 32;                                                            \
		}                                                                                  \
		e0 += o0;                                                                          \
		e1 += o1;                                                                          \
		e0 += e1;                                                                          \
		memcpy(lane, &e0, sizeof(lane));                                                   \
		for (u32 i = 0; i < ARRAY_SIZE(lane); i++)                                         \
			acc = add_carry(acc, lane[i]);                                             \
		return acc;                                                                        \
	}                                                                                          \
	attributes static u64 sum_vectors_##name(const u8 *p, size_t len, u64 acc)                 \
	{                                                                                          \
		return sum_##name(NULL, p, len, acc);                                              \
	}                                                                                          \
	attributes static u64 sum_vectors_copy_##name(u8 *dst, const u8 *p, size_t len, u64 acc)   \
	{                                                                                          \
		return sum_##name(dst, p, len, acc);                                               \
	}

#define NO_ATTRIBUTES

SUM_VECTORS(v128, 16, NO_ATTRIBUTES)

#if defined(__x86_64__)
#define NAME_V128 "sse2"

SUM_VECTORS(v256, 32, __attribute__((target("avx2"))))
SUM_VECTORS(v512, 64, __attribute__((target("avx512f"))))

#define WIDER_VARIANTS                                                                             \
	{ "avx512", sum_vectors_v512, sum_vectors_copy_v512 },                                     \
		{ "avx2", sum_vectors_v256, sum_vectors_copy_v256 },

/* The first that this processor has. */
static inline unsigned first_usable(void)
{
	return __builtin_cpu_supports("avx512f") ? 0 : __builtin_cpu_supports("avx2") ? 1 : 2;
}

/* One packet is too short for the widest ones to pay: measured, they win from some KiB on. */
static inline unsigned best_for(size_t len)
{
	if (len < CSUM_WIDE_MIN && __builtin_cpu_supports("avx2"))
		return 1;
	return first_usable();
}
#else
#define NAME_V128 "neon"
#define WIDER_VARIANTS

static inline unsigned first_usable(void)
{
	return 0;
}

static inline unsigned best_for(size_t len)
{
	(void)len;
	return 0;
}
#endif

/* Widest first; what follows a usable one is usable. */
static const struct {
	const char *name;
	u64 (*sum)(const u8 *p, size_t len, u64 acc);
	u64 (*copy)(u8 *dst, const u8 *p, size_t len, u64 acc);
} variants[] = {
	WIDER_VARIANTS{ NAME_V128, sum_vectors_v128, sum_vectors_copy_v128 },
	{ "words", sum_words, sum_words_copy },
};

const char *csum_variant_name(unsigned variant)
{
	variant += first_usable();
	return variant < ARRAY_SIZE(variants) ? variants[variant].name : NULL;
}

static inline u32 sum_by(unsigned i, const u8 *p, size_t len, u32 sum)
{
	u64 acc = sum;

	if (len >= CSUM_VECTOR_MIN) {
		size_t bulk = len & ~(size_t)(BLOCK - 1);

		acc = variants[i].sum(p, bulk, acc);
		p += bulk;
		len -= bulk;
	}
	return csum_fold64(sum_words(p, len, acc));
}

static inline u32 copy_by(unsigned i, u8 *d, const u8 *p, size_t len, u32 sum)
{
	u64 acc = sum;

	if (len >= CSUM_VECTOR_MIN) {
		size_t bulk = len & ~(size_t)(BLOCK - 1);

		acc = variants[i].copy(d, p, bulk, acc);
		p += bulk;
		d += bulk;
		len -= bulk;
	}
	return csum_fold64(sum_words_copy(d, p, len, acc));
}

u32 csum_variant_partial(unsigned variant, const void *p, size_t len, u32 sum)
{
	return sum_by(first_usable() + variant, p, len, sum);
}

u32 csum_variant_partial_copy(unsigned variant, void *dst, const void *src, size_t len, u32 sum)
{
	return copy_by(first_usable() + variant, dst, src, len, sum);
}

u32 csum_partial(const void *buf, size_t len, u32 sum)
{
	if (len < CSUM_VECTOR_MIN)
		return csum_fold64(sum_words(buf, len, sum));
	return sum_by(best_for(len), buf, len, sum);
}

u32 csum_partial_copy(void *dst, const void *src, size_t len, u32 sum)
{
	return copy_by(best_for(len), dst, src, len, sum);
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

	check->v = csum_fold(csum_fold64(sum));
}
