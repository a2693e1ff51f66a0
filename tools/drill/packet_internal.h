/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_internal.h - what the files about packets share */
#ifndef WEIR_DRILL_PACKET_INTERNAL_H
#define WEIR_DRILL_PACKET_INTERNAL_H

#include "drill/out.h"
#include "drill/packet.h"

/* packet_format.c */
void drill_put_addr(struct drill_out *o, const struct drill_addr *a);
void drill_put_gre(struct drill_out *o, const struct drill_gre *gre);
void drill_put_mpls(struct drill_out *o, const struct drill_mpls *mpls);
void drill_put_flags(struct drill_out *o, const struct drill_packet *p);
void drill_put_option(struct drill_out *o, const struct drill_tcp_option *opt);
void drill_put_options(struct drill_out *o, const struct drill_packet *p);
void drill_put_quote(struct drill_out *o, const struct drill_packet *p);
const char *drill_ecn_word(enum drill_ecn ecn);

/* Numbers of the wire. */
enum {
	DRILL_PROTO_GRE = 47,
	DRILL_PROTO_MPLS = 137,
	DRILL_ETHERTYPE_MPLS = 0x8847,
	DRILL_ETHERTYPE_IP = 0x0800,
	DRILL_ETHERTYPE_IPV6 = 0x86dd,
	DRILL_FASTOPEN_MAGIC = 0xf989, /* RFC 7413 appendix, RFC 6994 */
	DRILL_IPV4_HEADER = 20,
	DRILL_IPV6_HEADER = 40,
	DRILL_TCP_HEADER = 20,
	DRILL_UDP_HEADER = 8,
	DRILL_ICMP_HEADER = 8,
	DRILL_MD5_OCTETS = 16,
	DRILL_AO_OCTETS = 12,
};

static inline void drill_put16(uint8_t *to, uint16_t v)
{
	to[0] = v >> 8;
	to[1] = v;
}

static inline void drill_put32(uint8_t *to, uint32_t v)
{
	drill_put16(to, v >> 16);
	drill_put16(to + 2, v);
}

static inline uint16_t drill_get16(const uint8_t *from)
{
	return from[0] << 8 | from[1];
}

static inline uint32_t drill_get32(const uint8_t *from)
{
	return (uint32_t)drill_get16(from) << 16 | drill_get16(from + 2);
}

/* RFC 1071: the sum of @len octets added to @sum, and the checksum made of one. */
uint32_t drill_sum(uint32_t sum, const uint8_t *data, size_t len);
uint16_t drill_sum_fold(uint32_t sum);
/* Of the pseudo header (RFC 9293 3.1, 8200 8.1). */
uint32_t drill_sum_pseudo(const struct drill_addr *src, const struct drill_addr *dst, uint8_t proto,
			  uint32_t len);

/* packet_sign.c: a segment from its header on, whose signature does not count */
struct drill_signed {
	const struct drill_addr *src, *dst;
	const uint8_t *tcp;
	size_t len;
	uint32_t sisn, disn;
};
#define DRILL_SIGNATURE_MAX 64
/* What belongs into @o, whose blob is a secret. Its octets, or 0: compiled without cryptography. */
size_t drill_signature(const struct drill_tcp_option *o, const struct drill_signed *s,
		       uint8_t ret[DRILL_SIGNATURE_MAX]);

#endif
