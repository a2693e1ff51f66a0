/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet.h - a packet as data: as a script writes it, as the wire has it
 *
 * Theory of operation
 *   struct drill_packet is what stands in a script: numbers in the script's own space, and @has for what was written at all. What was
 *   not written is a wildcard in an expected packet and has a default in an injected one.
 *   drill_packet_build() makes octets of one (an IP packet, no link header) and drill_packet_parse() one of octets (everything
 *   in @has then, numbers as on the wire). drill_packet_shift() moves between the script's numbers and the wire's: the caller
 *   knows the offsets (initial sequence numbers, time stamp clocks). drill_packet_match() compares an expected packet with a seen
 *   one, both in the script's numbers, and names the first field that differs. drill_packet_format() writes the script's text.
 *
 * Sizes: a packet of up to DRILL_PACKET_MAX octets; TSO-sized ones count as one.
 */
#ifndef WEIR_DRILL_PACKET_H
#define WEIR_DRILL_PACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRILL_PACKET_MAX 65575 /* the largest IPv6 packet: header and 65,535 octets */

struct drill_pos {
	uint32_t line, column; /* from 1; 0: not from a script */
};

enum drill_direction {
	DRILL_INBOUND,  /* < towards the stack under test */
	DRILL_OUTBOUND, /* > from it */
};

/* ---- the IP header ------------------------------------------------------------------------------------- */

enum drill_ecn {
	DRILL_ECN_ANY,   /* not written */
	DRILL_ECN_NONE,  /* [noecn] */
	DRILL_ECN_ECT0,  /* [ect0] */
	DRILL_ECN_ECT1,  /* [ect1] */
	DRILL_ECN_CE,    /* [ce] */
	DRILL_ECN_ECT01, /* [ect01]: expected packets: one of the two; injected: ECT(0) */
};

enum {
	DRILL_HAS_TOS = 1 << 0, /* [tos 0x28]; its low bits are the ECN field */
	DRILL_HAS_TTL = 1 << 1,
	DRILL_HAS_FLOWLABEL = 1 << 2,
	DRILL_HAS_ACK = 1 << 3,
	DRILL_HAS_WINDOW = 1 << 4,
	DRILL_HAS_URG_PTR = 1 << 5,
	DRILL_HAS_ANY_OPTIONS = 1 << 6, /* <...> */
	DRILL_HAS_PORTS = 1 << 7,       /* 53 > 1024 */
	DRILL_HAS_ACE =
		1 << 8, /* flags with a digit: all three of AE, CWR, ECE are meant (RFC 9768) */
	DRILL_HAS_ICMP_MTU = 1 << 9,
	DRILL_HAS_ICMP_ID = 1 << 10,
	DRILL_HAS_ICMP_SEQ = 1 << 11,
	DRILL_HAS_ICMP_CODE = 1 << 12,
};

struct drill_ip_info {
	uint32_t has; /* DRILL_HAS_TOS, _TTL, _FLOWLABEL */
	enum drill_ecn ecn;
	uint8_t tos; /* traffic class */
	uint8_t ttl; /* hop limit */
	uint32_t flowlabel;
};

struct drill_addr {
	int family; /* AF_INET, AF_INET6; 0: unset */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/* ---- encapsulation, outermost first -------------------------------------------------------------------- */

enum drill_layer_kind {
	DRILL_LAYER_IPV4, /* ipv4 192.0.2.1 > 192.0.2.2: */
	DRILL_LAYER_IPV6, /* ipv6 2001:db8::1 > 2001:db8::2: */
	DRILL_LAYER_GRE,  /* gre: or gre flags [key present], sum 0, off 0, key 7, seq 0: */
	DRILL_LAYER_MPLS, /* mpls (label 1, tc 0, [S], ttl 64): */
	DRILL_LAYER_PSP,  /* encap psp spi 7: understood, but build and match refuse it */
};

enum { DRILL_GRE_CHECKSUM = 0x8000, DRILL_GRE_KEY = 0x2000, DRILL_GRE_SEQ = 0x1000 }; /* RFC 2890 */

struct drill_gre {
	uint16_t flags;
	uint16_t sum, off;
	uint32_t key, seq;
};

struct drill_mpls_entry {
	uint32_t label;
	uint8_t tc, ttl;
	bool bottom;
};

#define DRILL_MPLS_MAX 8
struct drill_mpls {
	size_t nr;
	struct drill_mpls_entry entry[DRILL_MPLS_MAX];
};

struct drill_layer {
	enum drill_layer_kind kind;
	struct drill_pos pos;
	struct drill_ip_info ip;
	struct drill_addr src, dst;
	struct drill_gre gre;
	struct drill_mpls mpls;
	uint32_t spi;
};

#define DRILL_LAYERS_MAX 4

/* ---- TCP ----------------------------------------------------------------------------------------------- */

enum {
	DRILL_TCP_FIN = 0x001, /* F */
	DRILL_TCP_SYN = 0x002, /* S */
	DRILL_TCP_RST = 0x004, /* R */
	DRILL_TCP_PSH = 0x008, /* P */
	DRILL_TCP_ACK = 0x010, /* . */
	DRILL_TCP_URG = 0x020, /* U */
	DRILL_TCP_ECE = 0x040, /* E */
	DRILL_TCP_CWR = 0x080, /* W */
	DRILL_TCP_AE = 0x100,  /* A */
};

/* Option kinds as IANA numbers them. */
enum drill_tcp_kind {
	DRILL_OPT_EOL = 0,
	DRILL_OPT_NOP = 1,
	DRILL_OPT_MSS = 2,
	DRILL_OPT_WSCALE = 3,
	DRILL_OPT_SACKOK = 4,
	DRILL_OPT_SACK = 5,
	DRILL_OPT_TS = 8,
	DRILL_OPT_MD5 =
		19, /* md5 [32 hex digits | "key"]: @blob; nothing: any signature in an expected packet */
	DRILL_OPT_AO = 29,       /* ao KEYID RNEXT [hex digits of the MAC | "key"] */
	DRILL_OPT_FASTOPEN = 34, /* FO [cookie]: @blob */
	DRILL_OPT_ACCECN0 = 172, /* ECN e0b N ceb N e1b N (RFC 9768 3.2.3) */
	DRILL_OPT_ACCECN1 = 174, /* ECN e1b N ceb N e0b N */
	DRILL_OPT_EXP =
		254, /* FOEXP [cookie]: magic 0xF989 is left out of @blob (RFC 7413 4.1.1 note) */
	DRILL_OPT_RAW = 256, /* opt KIND [hex digits]: any other, also when seen */
};

struct drill_sack_block {
	uint32_t left, right;
};

#define DRILL_SACK_MAX 4
#define DRILL_BLOB_MAX 38

struct drill_tcp_option {
	enum drill_tcp_kind kind;
	struct drill_pos pos;
	union {
		uint16_t mss;
		uint8_t wscale;
		struct {
			uint32_t val, ecr;
			bool any_val, any_ecr; /* TS val ... ecr 7 */
		} ts;
		struct {
			uint8_t nr;
			struct drill_sack_block block[DRILL_SACK_MAX];
		} sack;
		struct {
			uint8_t nr; /* counters present: 0 to 3, in the order of the kind */
			uint32_t counter[3];
		} accecn;
		struct {
			uint8_t raw_kind;
			uint8_t keyid, rnext; /* AO */
			bool secret; /* MD5, AO: the octets are the key, from which the signature is computed */
			uint8_t len;
			uint8_t octet[DRILL_BLOB_MAX];
		} blob;
	};
};

#define DRILL_TCP_OPTIONS_MAX 40

struct drill_tcp {
	uint16_t flags;
	uint32_t seq,
		end; /* 1:1001(1000); the script's two numbers, checked to fit by the parser */
	uint32_t ack;
	uint32_t window; /* as on the wire, not scaled */
	uint16_t urg_ptr;
	uint8_t nr_options;
	struct drill_tcp_option option[DRILL_TCP_OPTIONS_MAX];
};

/* ---- ICMP ---------------------------------------------------------------------------------------------- */

enum drill_quote_kind {
	DRILL_QUOTE_NONE,
	DRILL_QUOTE_TCP, /* [1:1461(1460)] */
	DRILL_QUOTE_UDP, /* [udp (100)] */
	DRILL_QUOTE_RAW, /* [raw (100)] */
};

struct drill_icmp {
	/* Names are looked up in the table of the packet's IP version; numbers are themselves. */
	uint8_t type, code;
	const char *type_name, *code_name; /* as written; NULL: a number, or no code. Static. */
	uint32_t mtu;
	uint16_t id, seq;
	enum drill_quote_kind quote;
	uint32_t quote_seq, quote_end; /* TCP */
};

/* ---- the packet ---------------------------------------------------------------------------------------- */

enum drill_proto { DRILL_TCP, DRILL_UDP, DRILL_ICMP };

struct drill_packet {
	enum drill_direction dir;
	struct drill_pos pos;
	uint32_t has; /* DRILL_HAS_ACK and following; those of the IP header are in @ip.has */
	int family;   /* of the innermost IP header; 0: not written, the script's variant decides */
	uint8_t nr_layers;
	struct drill_layer layer[DRILL_LAYERS_MAX];
	struct drill_ip_info ip;    /* of the innermost IP header */
	struct drill_addr src, dst; /* parsed packets */
	uint16_t sport, dport;      /* with DRILL_HAS_PORTS */
	enum drill_proto proto;
	uint32_t
		payload_len; /* TCP, UDP; ICMP: octets of the quoted transport payload, raw data, or echo data */
	const uint8_t *
		payload; /* parsed packets: into the octets that were parsed; NULL in a script's: zeros */
	const uint8_t *transport; /* parsed TCP segments: their octets, header first */
	uint32_t transport_len;
	uint32_t sisn,
		disn; /* initial sequence numbers of its sender and its receiver, for TCP-AO */
	struct drill_tcp tcp;
	struct drill_icmp icmp;
};

/* ---- text ---------------------------------------------------------------------------------------------- */

/* The packet as a script writes it, without direction: "[ect0] P. 1:1001(1000) ack 1 win 256 <nop,nop,TS val 1 ecr 2>". Fields that
 * are not in @has are left out. As snprintf: returns the length of the whole. */
size_t drill_packet_format(const struct drill_packet *p, char *buf, size_t size);
/* Leaves in the @has of a parsed packet what is worth showing next to @expected (NULL: next to nothing): what that one writes, and
 * acknowledgment, window and an ECN field that is not 0 in any case. */
void drill_packet_shorten(struct drill_packet *seen, const struct drill_packet *expected);
/* The other way. 0, or -EINVAL and "line:column: sentence". */
int drill_packet_read(const char *text, enum drill_direction dir, struct drill_packet *ret,
		      char *error, size_t size);

/* ---- octets -------------------------------------------------------------------------------------------- */

/* Where a packet goes and what its unwritten fields are. src and dst of the innermost header, as seen in the packet's direction. */
struct drill_build {
	struct drill_addr src, dst; /* both of one family, which wins over packet->family 0 */
	uint16_t sport, dport;
	uint8_t ttl;     /* 0: 255 */
	uint16_t window; /* for packets without win */
	uint16_t ip_id;
	/* ICMP with a quote: the header of the packet that is quoted, which went the other way (dst:dport -> src:sport), is built from
	 * the same four. */
	uint8_t quote_proto; /* IPPROTO_TCP or _UDP for an ICMP error without a quote; 0: TCP */
};

/* Octets written, or -EMSGSIZE (@size too small or over DRILL_PACKET_MAX), -EINVAL with a sentence in @error (names that the IP
 * version does not have, a PSP layer, options over 40 octets). TCP options are padded with EOL to a multiple of four. Checksums are right. */
ptrdiff_t drill_packet_build(const struct drill_packet *p, const struct drill_build *b,
			     uint8_t *buf, size_t size, char *error, size_t error_size);

struct drill_parse_flags {
	bool no_checksums; /* the octets come from a device with checksum offload */
};

/* 0, or -EINVAL with a sentence that says what is wrong with the octets. @ret's payload points into @data. Numbers are the wire's. */
int drill_packet_parse(const uint8_t *data, size_t len, const struct drill_parse_flags *flags,
		       struct drill_packet *ret, char *error, size_t error_size);

/* Adds (mod 2^32) to a TCP packet's numbers: @seq to seq and end, @ack to ack and SACK blocks, @ts_val and @ts_ecr to the time
 * stamps; for ICMP with a quoted TCP packet, @ack to the quoted numbers. Reset segments and zero echo replies are as any other:
 * the caller knows when a number is none (ecr of a SYN). SACK blocks in the data's direction: of @ack's space. */
struct drill_shift {
	uint32_t seq, ack, ts_val, ts_ecr;
};
void drill_packet_shift(struct drill_packet *p, const struct drill_shift *by);

/* The option of this kind, or NULL. */
const struct drill_tcp_option *drill_packet_option(const struct drill_packet *p,
						   enum drill_tcp_kind kind);
struct drill_tcp_option *drill_packet_option_mut(struct drill_packet *p, enum drill_tcp_kind kind);

/* ---- comparison ---------------------------------------------------------------------------------------- */

struct drill_match_options {
	bool ignore_ts_val; /* the caller checked the time stamps itself */
	bool ignore_ts_ecr;
	bool ignore_seq; /* the first SYN: its number is learned from it */
};

struct drill_mismatch {
	char field[32]; /* "ack", "option 3 (TS val)", "layer 1 source" */
	char expected[96];
	char seen[96];
};

/* true: @seen is what @expected asks for. @opt and @ret may be NULL. Both in the same numbers. */
bool drill_packet_match(const struct drill_packet *expected, const struct drill_packet *seen,
			const struct drill_match_options *opt, struct drill_mismatch *ret);

#endif
