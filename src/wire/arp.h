/* SPDX-License-Identifier: BSD-2-Clause */
/* arp.h - ARP for IPv4 over Ethernet-like links (RFC 826) */
#ifndef WEIR_WIRE_ARP_H
#define WEIR_WIRE_ARP_H

#include "lib/types.h"

enum { ARP_OP_REQUEST = 1, ARP_OP_REPLY = 2 };
#define ARP_HTYPE_ETHER 1

struct arp_hdr {
	be16 htype, ptype;
	u8 hlen, plen;
	be16 op;
	/* sender hw, sender ip, target hw, target ip follow */
} __packed;

struct arp_view {
	u16 htype, ptype, op;
	u8 hlen;
	const u8 *sha, *tha; /* hlen octets each */
	be32 sip, tip;
};

/* Octets used; -EBADMSG: too short; -EPROTONOSUPPORT: not IPv4 over a @hlen-octet link. */
int arp_parse(const u8 *p, size_t len, u8 hlen, struct arp_view *ret);
#define ARP_LEN(hlen) (sizeof(struct arp_hdr) + 2 * ((hlen) + 4))
/* Writes ARP_LEN(v->hlen) octets; v->tha NULL: zeros. */
void arp_build(u8 *p, const struct arp_view *v);

#endif
