/* SPDX-License-Identifier: BSD-2-Clause */
/* no_dpdk.c - in place of dpdk_side.c where DPDK is not: the rows are not measured */
#include <errno.h>
#include <stddef.h>

#include "bench/dpdk_side.h"

int dpdk_side_start(void)
{
	return -EPROTONOSUPPORT;
}

struct dpdk_side *dpdk_side_open(const char *ifname, const unsigned char *mac)
{
	(void)ifname;
	(void)mac;
	errno = EPROTONOSUPPORT;
	return NULL;
}

void dpdk_side_close(struct dpdk_side *d)
{
	(void)d;
}

uint64_t dpdk_side_send(struct dpdk_side *d, const void *frame, uint32_t len)
{
	(void)d;
	(void)frame;
	(void)len;
	return 0;
}

uint64_t dpdk_side_receive(struct dpdk_side *d)
{
	(void)d;
	return 0;
}
