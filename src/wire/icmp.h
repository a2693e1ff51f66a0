/* SPDX-License-Identifier: BSD-2-Clause */
/* icmp.h - ICMP for IPv4 (RFC 792, RFC 1191, RFC 4884) */
#ifndef WEIR_WIRE_ICMP_H
#define WEIR_WIRE_ICMP_H

#include "lib/types.h"

struct icmp_hdr {
	u8 type;
	u8 code;
	be16 checksum;
	union {
		struct {
			be16 id, sequence;
		} echo;
		be32 gateway;
		struct {
			be16 unused, mtu;
		} frag;
		be32 rest; /* parameter problem: pointer in the top octet */
	} un;
} __packed;

static_assert(sizeof(struct icmp_hdr) == 8, "wire format");

enum {
	ICMP4_ECHOREPLY = 0,
	ICMP4_DEST_UNREACH = 3,
	ICMP4_SOURCE_QUENCH = 4,
	ICMP4_REDIRECT = 5,
	ICMP4_ECHO = 8,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETERPROB = 12,
	ICMP4_TIMESTAMP = 13,
	ICMP4_TIMESTAMPREPLY = 14,
	ICMP4_ADDRESS = 17,
	ICMP4_ADDRESSREPLY = 18,
	ICMP4_MAX = 18,
};
enum {
	ICMP4_NET_UNREACH,
	ICMP4_HOST_UNREACH,
	ICMP4_PROT_UNREACH,
	ICMP4_PORT_UNREACH,
	ICMP4_FRAG_NEEDED,
	ICMP4_SR_FAILED,
	ICMP4_NET_UNKNOWN,
	ICMP4_HOST_UNKNOWN,
	ICMP4_HOST_ISOLATED,
	ICMP4_NET_ANO,
	ICMP4_HOST_ANO,
	ICMP4_NET_UNR_TOS,
	ICMP4_HOST_UNR_TOS,
	ICMP4_PKT_FILTERED,
	ICMP4_PREC_VIOLATION,
	ICMP4_PREC_CUTOFF,
};

struct icmp_view {
	u8 type, code;
	u16 id, sequence; /* echo, timestamp */
	u32 info; /* next-hop MTU of "fragmentation needed", pointer of parameter problem, gateway (raw) */
	const u8 *payload; /* behind the 8 octets */
	size_t payload_len;
};

/* 8, or -EBADMSG. Does not check the checksum. */
int icmp_parse(const u8 *p, size_t len, struct icmp_view *ret);
/* Writes the 8 octets of the header and v->payload behind them (NULL: it already lies there), and the checksum over both. */
void icmp_build(u8 *p, const struct icmp_view *v);

#endif
