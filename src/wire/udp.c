/* SPDX-License-Identifier: BSD-2-Clause */
/* udp.c - read and write the UDP header (RFC 768) */
#include "wire/udp.h"

#include <errno.h>

int udp_parse(const u8 *p, size_t len, struct udp_view *ret)
{
	struct udp_hdr h;
	u16 ulen;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	ulen = be16_to_cpu(h.len);
	if (ulen < sizeof(h) || ulen > len)
		return -EBADMSG;
	*ret = (struct udp_view){
		.source = be16_to_cpu(h.source),
		.dest = be16_to_cpu(h.dest),
		.len = ulen,
		.has_csum = !be16_zero(h.check),
	};
	return sizeof(h);
}

void udp_build(u8 *p, const struct udp_view *v)
{
	const struct udp_hdr h = {
		.source = cpu_to_be16(v->source),
		.dest = cpu_to_be16(v->dest),
		.len = cpu_to_be16(v->len),
	};

	memcpy(p, &h, sizeof(h));
}
