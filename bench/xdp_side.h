/* SPDX-License-Identifier: BSD-2-Clause */
/* xdp_side.h - a bare loop on an AF_XDP socket; bench/no_xdp.c where libxdp is not */
#ifndef WEIR_BENCH_XDP_SIDE_H
#define WEIR_BENCH_XDP_SIDE_H

#include <stdint.h>

struct xdp_side;

/* The first queue of an interface. NULL with errno */
struct xdp_side *xdp_side_open(const char *ifname);
void xdp_side_close(struct xdp_side *x);
/* How many frames were sent or taken. */
uint64_t xdp_side_send(struct xdp_side *x, const void *frame, uint32_t len);
uint64_t xdp_side_receive(struct xdp_side *x);

#endif
