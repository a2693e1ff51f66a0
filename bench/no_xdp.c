/* SPDX-License-Identifier: BSD-2-Clause */
/* no_xdp.c - in place of xdp_side.c where libxdp is not: the rows are not measured */
#include <errno.h>
#include <stddef.h>

#include "bench/xdp_side.h"

struct xdp_side *xdp_side_open(const char *ifname)
{
	(void)ifname;
	errno = EOPNOTSUPP;
	return NULL;
}

void xdp_side_close(struct xdp_side *x)
{
	(void)x;
}

uint64_t xdp_side_send(struct xdp_side *x, const void *frame, uint32_t len)
{
	(void)x;
	(void)frame;
	(void)len;
	return 0;
}

uint64_t xdp_side_receive(struct xdp_side *x)
{
	(void)x;
	return 0;
}
