/* SPDX-License-Identifier: BSD-2-Clause */
/* udp.h - UDP (RFC 768) */
#ifndef WEIR_WIRE_UDP_H
#define WEIR_WIRE_UDP_H

#include "lib/types.h"

struct udp_hdr {
	be16 source, dest, len, check;
} __packed;

static_assert(sizeof(struct udp_hdr) == 8, "wire format");

struct udp_view {
	u16 source, dest, len; /* len: of header and payload, checked against what is there */
	bool has_csum;
};

/* 8, or -EBADMSG. */
int udp_parse(const u8 *p, size_t len, struct udp_view *ret);
/* Writes 8 octets; the checksum is left 0 (none, or to be filled in). */
void udp_build(u8 *p, const struct udp_view *v);

#endif
