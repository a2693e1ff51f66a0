/* SPDX-License-Identifier: BSD-2-Clause */
/* icmpv6.h - ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and MLD (RFC 2710, 3810): headers. Types and codes: linux/icmpv6.h */
#ifndef WEIR_WIRE_ICMPV6_H
#define WEIR_WIRE_ICMPV6_H

#include <netinet/in.h> /* before the kernel's in6.h */

#include <linux/icmpv6.h>

#include "lib/types.h"

struct icmpv6_hdr {
	u8 type;
	u8 code;
	be16 checksum;
	union {
		be32 rest; /* MTU, pointer */
		struct {
			be16 id, sequence;
		} echo;
		struct {
			u8 hop_limit, flags; /* M, O, H, router preference */
			be16 lifetime;       /* s */
		} ra;
		be32 nd_flags; /* neighbour advertisement: NDISC_NA_* */
		struct {
			be16 max_delay, reserved;
		} mld;
		struct {
			be16 reserved, ngrec;
		} mld2_report;
	} un;
} __packed __attribute__((aligned(4)));

static_assert(sizeof(struct icmpv6_hdr) == 8, "wire format");

enum {
	NDISC_ROUTER_SOLICITATION = 133,
	NDISC_ROUTER_ADVERTISEMENT = 134,
	NDISC_NEIGHBOUR_SOLICITATION = 135,
	NDISC_NEIGHBOUR_ADVERTISEMENT = 136,
	NDISC_REDIRECT = 137,
};
#define NDISC_NA_ROUTER    0x80000000u
#define NDISC_NA_SOLICITED 0x40000000u
#define NDISC_NA_OVERRIDE  0x20000000u

#endif
