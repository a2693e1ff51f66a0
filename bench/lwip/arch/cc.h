/* SPDX-License-Identifier: BSD-2-Clause */
/* cc.h - what lwIP wants to know of the compiler */
#ifndef WEIR_BENCH_LWIP_CC_H
#define WEIR_BENCH_LWIP_CC_H

#include <stdint.h>
#include <stdlib.h>

uint16_t bench_lwip_chksum(const void *data, int len);
uint16_t bench_lwip_chksum_copy(void *dst, const void *src, uint16_t len);
uint32_t bench_lwip_rand(void);

#define LWIP_CHKSUM                     bench_lwip_chksum
#define LWIP_CHKSUM_COPY(dst, src, len) bench_lwip_chksum_copy(dst, src, len)
#define LWIP_RAND()                     bench_lwip_rand()
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) abort()

#endif
