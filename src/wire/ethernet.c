/* SPDX-License-Identifier: BSD-2-Clause */
/* ethernet.c - read and write the DIX Ethernet header */
#include "wire/ethernet.h"

#include <errno.h>

int eth_parse(const u8 *p, size_t len, struct eth_view *ret)
{
	struct eth_hdr h;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	*ret = (struct eth_view){
		.dst = p,
		.src = p + ETH_ALEN,
		.type = be16_to_cpu(h.type),
	};
	return sizeof(h);
}

void eth_build(u8 *p, const u8 *dst, const u8 *src, u16 type)
{
	const be16 t = cpu_to_be16(type);

	memmove(p, dst, ETH_ALEN);
	memmove(p + ETH_ALEN, src, ETH_ALEN);
	memcpy(p + 2 * ETH_ALEN, &t, sizeof(t));
}
