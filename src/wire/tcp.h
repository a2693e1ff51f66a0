/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp.h - the TCP header (RFC 9293 3.1) and its options (9293 3.2, 7323, 2018, 7413, 9768) */
#ifndef WEIR_WIRE_TCP_H
#define WEIR_WIRE_TCP_H

#include "lib/types.h"

struct tcp_hdr {
	be16 source, dest;
	be32 seq, ack_seq;
	u8 doff_res; /* data offset << 4 | reserved | AE */
	u8 flags;    /* TCP_FLAG_* */
	be16 window;
	be16 check;
	be16 urg_ptr;
} __packed;

static_assert(sizeof(struct tcp_hdr) == 20, "wire format");

enum {
	TCP_FLAG_FIN = 0x01,
	TCP_FLAG_SYN = 0x02,
	TCP_FLAG_RST = 0x04,
	TCP_FLAG_PSH = 0x08,
	TCP_FLAG_ACK = 0x10,
	TCP_FLAG_URG = 0x20,
	TCP_FLAG_ECE = 0x40,
	TCP_FLAG_CWR = 0x80,
	/* RFC 9768: in doff_res, not in flags; with CWR and ECE the ACE field */
	TCP_FLAG_AE = 0x100,
};

enum {
	TCPOPT_EOL_ = 0,
	TCPOPT_NOP_ = 1,
	TCPOPT_MSS_ = 2,
	TCPOPT_WSCALE = 3,
	TCPOPT_SACK_OK = 4,
	TCPOPT_SACK_BLOCKS = 5,
	TCPOPT_TS = 8,
	TCPOPT_MD5SIG_ = 19,
	TCPOPT_AO_ = 29,
	TCPOPT_FASTOPEN_ = 34,
	TCPOPT_ACCECN0_ = 172, /* RFC 9768 3.2.3: ECT(0) first */
	TCPOPT_ACCECN1_ = 174, /* ECT(1) first */
	TCPOPT_EXP_ = 254,
};

#define TCP_MAX_SACK_BLOCKS 4

struct tcp_sack_block {
	u32 start, end;
};

/* A decoded header: host order. */
struct tcp_view {
	u16 source, dest, window, urg_ptr;
	u32 seq, ack_seq;
	u8 flags;
	u8 hdr_len; /* octets, options included */
};

struct tcp_opts_view {
	bool saw_tstamp, sack_ok, wscale_ok, saw_fastopen;
	u8 snd_wscale; /* at most 14: RFC 7323 2.3 */
	u16 mss;       /* 0: absent */
	u32 tsval, tsecr;
	u8 num_sacks;
	struct tcp_sack_block sacks[TCP_MAX_SACK_BLOCKS];
	const u8 *fastopen_cookie;
	u8 fastopen_len;
	bool fastopen_exp; /* in the experimental option */
	const u8 *md5;     /* 16 octets, or NULL */
	const u8 *ao;      /* the whole option, or NULL */
	const u8 *accecn;  /* the same: 0 to 3 counters of 24 bits */
};

/* Header length, or -EBADMSG. */
int tcp_parse(const u8 *p, size_t len, struct tcp_view *ret);
/* Options in [p+20, p+hdr_len). Unknown options are skipped; a malformed length ends the walk (as Linux does). */
void tcp_opts_parse(const u8 *p, u32 hdr_len, bool syn, struct tcp_opts_view *ret);
/* Writes 20 octets; the checksum is left 0. hdr_len says how many octets of options will follow. */
void tcp_build(u8 *p, const struct tcp_view *v);
#define TCP_MAX_OPTIONS 40
/* Writes the options that are set in @v, padded with NOPs to 32 bits. Octets written, or -EMSGSIZE if they are more than 40. */
int tcp_opts_build(u8 *p, const struct tcp_opts_view *v);
/* The header-prediction form: NOP NOP TS and nothing else. True when it is that, and the two values are set. */
static inline bool tcp_opts_fast_tstamp(const u8 *opt, u32 *tsval, u32 *tsecr)
{
	u32 w[3];

	memcpy(w, opt, 12);
	if (w[0] != __builtin_bswap32(0x0101080a))
		return false;
	*tsval = __builtin_bswap32(w[1]);
	*tsecr = __builtin_bswap32(w[2]);
	return true;
}

/* RFC 9768 3.2.2 */
static inline u32 tcp_hdr_ace(const struct tcp_hdr *h)
{
	/* CWR is above ECE, and AE above both. */
	return (h->doff_res & 1u) << 2 | h->flags >> 6;
}

static inline u32 tcp_hdr_len(const struct tcp_hdr *h)
{
	return (h->doff_res >> 4) * 4u;
}

static inline bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}
#define after(a, b) before(b, a)
/* a <= x <= b */
static inline bool between(u32 x, u32 a, u32 b)
{
	return b - a >= x - a;
}

#endif
