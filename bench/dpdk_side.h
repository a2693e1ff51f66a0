/* SPDX-License-Identifier: BSD-2-Clause */
/* dpdk_side.h - a bare loop on DPDK's net_af_packet, for port_side.c */
#ifndef WEIR_BENCH_DPDK_SIDE_H
#define WEIR_BENCH_DPDK_SIDE_H

#include <stdint.h>

/* Starts DPDK's environment, once in this process: 0 or -errno. Weir's device uses the same one. */
int dpdk_side_start(void);

struct dpdk_side;
struct dpdk_side *dpdk_side_open(const char *ifname, const unsigned char *mac); /* NULL: errno */
void dpdk_side_close(struct dpdk_side *d);
/* Frames that were sent, or received and looked at: one burst. */
uint64_t dpdk_side_send(struct dpdk_side *d, const void *frame, uint32_t len);
uint64_t dpdk_side_receive(struct dpdk_side *d);

#endif
