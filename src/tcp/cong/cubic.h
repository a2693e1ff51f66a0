/* SPDX-License-Identifier: BSD-2-Clause */
/* cubic.h - CUBIC's arithmetic, apart from the socket: what the unit test compares with floating point */
#ifndef WEIR_TCP_CONG_CUBIC_H
#define WEIR_TCP_CONG_CUBIC_H

#include "lib/types.h"

/* Cube root, rounded down. */
u32 cubic_root(u64 x);
/* RFC 9438 4.2: K in ms for a window that has to grow by @diff segments with C = 0.4. */
u32 cubic_k_ms(u32 diff);
/* W_cubic(t) (RFC 9438 4.2, figure 1) in segments: C (t - K)^3 + @origin; at least 1. */
u32 cubic_window(u32 origin, u32 k_ms, u32 t_ms);

#endif
