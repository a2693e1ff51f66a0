/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * siphash.h - keyed hash of short inputs (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012)
 *
 * With a secret key a peer cannot choose inputs that collide: hash tables over addresses and ports, initial sequence numbers
 * (RFC 6528 3), SYN cookies. siphash() is SipHash-2-4; siphash13() does fewer rounds and is for hash tables only, where the
 * output is never shown. The forms for integers hash the same octets as siphash() over them in memory order.
 */
#ifndef WEIR_LIB_SIPHASH_H
#define WEIR_LIB_SIPHASH_H

#include "lib/types.h"

u64 siphash(const void *data, size_t len, const u64 key[2]);
u64 siphash_1u64(u64 a, const u64 key[2]);
u64 siphash_2u64(u64 a, u64 b, const u64 key[2]);
u64 siphash_3u32(u32 a, u32 b, u32 c, const u64 key[2]);
u64 siphash_4u32(u32 a, u32 b, u32 c, u32 d, const u64 key[2]);
u64 siphash_9u32(const u32 words[9], const u64 key[2]);

u64 siphash13(const void *data, size_t len, const u64 key[2]);
u64 siphash13_1u64(u64 a, const u64 key[2]);
u64 siphash13_2u64(u64 a, u64 b, const u64 key[2]);
u64 siphash13_3u32(u32 a, u32 b, u32 c, const u64 key[2]);
u64 siphash13_4u32(u32 a, u32 b, u32 c, u32 d, const u64 key[2]);
u64 siphash13_9u32(const u32 words[9], const u64 key[2]);

#endif
