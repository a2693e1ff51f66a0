/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types.h - the words every file uses: fixed-width integers, octet order as a type, a few macros
 *
 * A be16/be32/be64 is a one-member structure, so that an address or a port cannot be added to, compared
 * with or assigned to a host-order number by accident: it does not compile. Convert once, at the edge.
 */
#ifndef WEIR_LIB_TYPES_H
#define WEIR_LIB_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* Big-endian ("network order") numbers, as they lie in packets. .v is the raw memory image. */
typedef struct {
	u16 v;
} be16;
typedef struct {
	u32 v;
} be32;
typedef struct {
	u64 v;
} be64;

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weir is little-endian for now");

#define BE16_INIT(x) ((be16){ __builtin_bswap16((u16)(x)) })
#define BE32_INIT(x) ((be32){ __builtin_bswap32((u32)(x)) })

static inline be16 cpu_to_be16(u16 x)
{
	return (be16){ __builtin_bswap16(x) };
}

static inline u16 be16_to_cpu(be16 x)
{
	return __builtin_bswap16(x.v);
}

static inline be32 cpu_to_be32(u32 x)
{
	return (be32){ __builtin_bswap32(x) };
}

static inline u32 be32_to_cpu(be32 x)
{
	return __builtin_bswap32(x.v);
}

static inline be64 cpu_to_be64(u64 x)
{
	return (be64){ __builtin_bswap64(x) };
}

static inline u64 be64_to_cpu(be64 x)
{
	return __builtin_bswap64(x.v);
}

static inline bool be16_eq(be16 a, be16 b)
{
	return a.v == b.v;
}

static inline bool be32_eq(be32 a, be32 b)
{
	return a.v == b.v;
}

static inline bool be32_zero(be32 a)
{
	return a.v == 0;
}

static inline bool be16_zero(be16 a)
{
	return a.v == 0;
}

/* From and to the raw images that libc's structures hold (struct in_addr.s_addr, sin_port). */
static inline be32 be32_raw(u32 v)
{
	return (be32){ v };
}

static inline be16 be16_raw(u16 v)
{
	return (be16){ v };
}

#define likely(x)             __builtin_expect(!!(x), 1)
#define unlikely(x)           __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)         (sizeof(a) / sizeof((a)[0]))
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))
#define sizeof_field(t, m)    sizeof(((t *)0)->m)
#define DIV_ROUND_UP(n, d)    (((n) + (d)-1) / (d))
#define ALIGN_UP(x, a)        (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define CACHE_LINE            64
#define __cacheline_aligned   __attribute__((aligned(CACHE_LINE)))
#define __packed              __attribute__((packed))
#define __maybe_unused        __attribute__((unused))
/* What one caller in many needs without a call: the one-packet and the list way share it, or the others are rare. */
#define __inlined      __attribute__((always_inline)) inline
#define __must_check   __attribute__((warn_unused_result))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __fallthrough  __attribute__((fallthrough))

/* Each use has variables of its own, so that min(max(a, b), c) shadows nothing. */
#define compare_once_(a, op, b, x, y)                                                              \
	({                                                                                         \
		__typeof__(a) x = (a);                                                             \
		__typeof__(b) y = (b);                                                             \
		x op y ? x : y;                                                                    \
	})
#define unique_name_2_(prefix, n) prefix##n
#define unique_name_(prefix, n)   unique_name_2_(prefix, n)
#define min(a, b)                                                                                  \
	compare_once_(a, <, b, unique_name_(min_a_, __COUNTER__), unique_name_(min_b_, __COUNTER__))
#define max(a, b)                                                                                  \
	compare_once_(a, >, b, unique_name_(max_a_, __COUNTER__), unique_name_(max_b_, __COUNTER__))
#define min_t(t, a, b)   min((t)(a), (t)(b))
#define max_t(t, a, b)   max((t)(a), (t)(b))
#define clamp(v, lo, hi) min(max(v, lo), hi)

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC  1000000000ULL

/* Clang's thread-safety analysis knows these on C functions; gcc sees nothing. See doc/locking.md. */
#if defined(__clang__) && defined(WEIR_THREAD_SAFETY)
#define __capability(x) __attribute__((capability(x)))
#define __must_hold(x)  __attribute__((requires_capability(x)))
#define __acquires(x)   __attribute__((acquire_capability(x)))
#define __releases(x)   __attribute__((release_capability(x)))
#else
#define __capability(x)
#define __must_hold(x)
#define __acquires(x)
#define __releases(x)
#endif

static inline bool is_power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

/* The exponent of the smallest power of two that is not below @n (n >= 1). */
static inline unsigned order_base_2(u64 n)
{
	return n <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(n - 1);
}

#endif
