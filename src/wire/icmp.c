/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp.c - read and write the ICMP header (RFC 792) */
#include "wire/icmp.h"

#include <errno.h>

#include "lib/csum.h"

static bool has_id(u8 type)
{
	switch (type) {
	case ICMP4_ECHO:
	case ICMP4_ECHOREPLY:
	case ICMP4_TIMESTAMP:
	case ICMP4_TIMESTAMPREPLY:
	case ICMP4_ADDRESS:
	case ICMP4_ADDRESSREPLY:
		return true;
	default:
		return false;
	}
}

int icmp_parse(const u8 *p, size_t len, struct icmp_view *ret)
{
	struct icmp_hdr h;
	struct icmp_view v;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	v = (struct icmp_view){
		.type = h.type,
		.code = h.code,
		.payload = p + sizeof(h),
		.payload_len = len - sizeof(h),
	};
	if (has_id(h.type)) {
		v.id = be16_to_cpu(h.un.echo.id);
		v.sequence = be16_to_cpu(h.un.echo.sequence);
	} else if (h.type == ICMP4_DEST_UNREACH && h.code == ICMP4_FRAG_NEEDED) {
		v.info = be16_to_cpu(h.un.frag.mtu); /* RFC 1191 4 */
	} else if (h.type == ICMP4_PARAMETERPROB) {
		v.info = be32_to_cpu(h.un.rest) >> 24;
	} else if (h.type == ICMP4_REDIRECT) {
		v.info = h.un.gateway.v;
	}
	*ret = v;
	return sizeof(h);
}

void icmp_build(u8 *p, const struct icmp_view *v)
{
	struct icmp_hdr h = { .type = v->type, .code = v->code };

	if (has_id(v->type)) {
		h.un.echo.id = cpu_to_be16(v->id);
		h.un.echo.sequence = cpu_to_be16(v->sequence);
	} else if (v->type == ICMP4_DEST_UNREACH && v->code == ICMP4_FRAG_NEEDED) {
		h.un.frag.mtu = cpu_to_be16((u16)v->info);
	} else if (v->type == ICMP4_PARAMETERPROB) {
		h.un.rest = cpu_to_be32(v->info << 24);
	} else if (v->type == ICMP4_REDIRECT) {
		h.un.gateway.v = v->info;
	}
	if (v->payload && v->payload_len)
		memmove(p + sizeof(h), v->payload, v->payload_len);
	h.checksum.v = csum_fold(
		csum_partial(p + sizeof(h), v->payload_len, csum_partial(&h, sizeof(h), 0)));
	memcpy(p, &h, sizeof(h));
}
