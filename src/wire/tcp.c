/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp.c - read and write the TCP header (RFC 9293 3.1) and its options */
#include "wire/tcp.h"

#include <errno.h>

#define TCP_MAX_WSCALE      14     /* RFC 7323 2.3 */
#define FASTOPEN_EXP_MAGIC  0xf989 /* RFC 7413 4.1.1: experiment number under kind 254, RFC 6994 */
#define FASTOPEN_COOKIE_MIN 4
#define FASTOPEN_COOKIE_MAX 16

static inline u16 get16(const u8 *p)
{
	be16 v;

	memcpy(&v, p, sizeof(v));
	return be16_to_cpu(v);
}

static inline u32 get32(const u8 *p)
{
	be32 v;

	memcpy(&v, p, sizeof(v));
	return be32_to_cpu(v);
}

static inline u8 *put16(u8 *p, u16 x)
{
	const be16 v = cpu_to_be16(x);

	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static inline u8 *put32(u8 *p, u32 x)
{
	const be32 v = cpu_to_be32(x);

	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

int tcp_parse(const u8 *p, size_t len, struct tcp_view *ret)
{
	struct tcp_hdr h;
	u32 hdr_len;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, p, sizeof(h));
	hdr_len = tcp_hdr_len(&h);
	if (hdr_len < sizeof(h) || hdr_len > len)
		return -EBADMSG;
	*ret = (struct tcp_view){
		.source = be16_to_cpu(h.source),
		.dest = be16_to_cpu(h.dest),
		.window = be16_to_cpu(h.window),
		.urg_ptr = be16_to_cpu(h.urg_ptr),
		.seq = be32_to_cpu(h.seq),
		.ack_seq = be32_to_cpu(h.ack_seq),
		.flags = h.flags,
		.hdr_len = (u8)hdr_len,
	};
	return (int)hdr_len;
}

void tcp_build(u8 *p, const struct tcp_view *v)
{
	const struct tcp_hdr h = {
		.source = cpu_to_be16(v->source),
		.dest = cpu_to_be16(v->dest),
		.seq = cpu_to_be32(v->seq),
		.ack_seq = cpu_to_be32(v->ack_seq),
		.doff_res = (u8)(v->hdr_len / 4 << 4),
		.flags = v->flags,
		.window = cpu_to_be16(v->window),
		.urg_ptr = cpu_to_be16(v->urg_ptr),
	};

	memcpy(p, &h, sizeof(h));
}

/* RFC 7413 4.1.1: an empty cookie asks for one; others have 4 to 16 octets, an even number. */
static void parse_fastopen(const u8 *cookie, u32 len, struct tcp_opts_view *v)
{
	if (len && (len < FASTOPEN_COOKIE_MIN || len > FASTOPEN_COOKIE_MAX || len & 1))
		return;
	v->saw_fastopen = true;
	v->fastopen_cookie = cookie;
	v->fastopen_len = (u8)len;
}

/* RFC 7413 appendix A: what was used before the option had a number. */
static void parse_fastopen_exp(const u8 *cookie, u32 len, struct tcp_opts_view *v)
{
	parse_fastopen(cookie, len, v);
	v->fastopen_exp = v->saw_fastopen;
}

static void parse_sack(const u8 *p, u32 len, struct tcp_opts_view *v)
{
	/* RFC 2018 3: 8 octets a block */
	if (len % 8 || !len)
		return;
	v->num_sacks = (u8)min_t(u32, len / 8, TCP_MAX_SACK_BLOCKS);
	for (u32 i = 0; i < v->num_sacks; i++) {
		v->sacks[i].start = get32(p + 8 * i);
		v->sacks[i].end = get32(p + 8 * i + 4);
	}
}

/* One option with @len octets of data at @p. A wrong length makes it as if it were not there. */
static void parse_option(u8 kind, const u8 *p, u32 len, bool syn, struct tcp_opts_view *v)
{
	switch (kind) {
	case TCPOPT_MSS_: /* RFC 9293 3.2: on SYN segments only */
		if (syn && len == 2)
			v->mss = get16(p);
		break;
	case TCPOPT_WSCALE: /* RFC 7323 2.2, 2.3 */
		if (syn && len == 1) {
			v->wscale_ok = true;
			v->snd_wscale = min_t(u8, p[0], TCP_MAX_WSCALE);
		}
		break;
	case TCPOPT_SACK_OK:
		if (syn && len == 0)
			v->sack_ok = true;
		break;
	case TCPOPT_SACK_BLOCKS:
		if (!syn)
			parse_sack(p, len, v);
		break;
	case TCPOPT_TS: /* RFC 7323 3.2 */
		if (len == 8) {
			v->saw_tstamp = true;
			v->tsval = get32(p);
			v->tsecr = get32(p + 4);
		}
		break;
	case TCPOPT_MD5SIG_: /* RFC 2385 3.0 */
		if (len == 16)
			v->md5 = p;
		break;
	case TCPOPT_AO_: /* RFC 5925 2.2: key ids and at least no MAC */
		if (len >= 2)
			v->ao = p - 2;
		break;
	case TCPOPT_ACCECN0_:
	case TCPOPT_ACCECN1_: /* RFC 9768 3.2.3: longer ones are of the future */
		if (len % 3 == 0 && len <= 9)
			v->accecn = p - 2;
		break;
	case TCPOPT_FASTOPEN_:
		if (syn)
			parse_fastopen(p, len, v);
		break;
	case TCPOPT_EXP_:
		if (syn && len >= 2 && get16(p) == FASTOPEN_EXP_MAGIC)
			parse_fastopen_exp(p + 2, len - 2, v);
		break;
	default:
		break;
	}
}

void tcp_opts_parse(const u8 *p, u32 hdr_len, bool syn, struct tcp_opts_view *ret)
{
	u32 off = sizeof(struct tcp_hdr);

	memset(ret, 0, sizeof(*ret));
	if (hdr_len == sizeof(struct tcp_hdr) + 12 &&
	    tcp_opts_fast_tstamp(p + off, &ret->tsval, &ret->tsecr)) {
		ret->saw_tstamp = true;
		return;
	}
	while (off < hdr_len && p[off] != TCPOPT_EOL_) {
		u32 len;

		if (p[off] == TCPOPT_NOP_) {
			off++;
			continue;
		}
		if (off + 1 >= hdr_len)
			return;
		len = p[off + 1];
		if (len < 2 || len > hdr_len - off)
			return;
		parse_option(p[off], p + off + 2, len - 2, syn, ret);
		off += len;
	}
}

static u8 *put_option(u8 *p, u8 kind, u32 data_len)
{
	p[0] = kind;
	p[1] = (u8)(data_len + 2);
	return p + 2;
}

int tcp_opts_build(u8 *out, const struct tcp_opts_view *v)
{
	/* More than fits even with all set: 4 + 2 + 10 + 3 + 34 + 18 + 18, and the length of an AO option */
	u8 buf[128 + 255], *p = buf;
	size_t len;

	if (v->num_sacks > TCP_MAX_SACK_BLOCKS || v->fastopen_len > FASTOPEN_COOKIE_MAX)
		return -EMSGSIZE;
	if (v->mss)
		p = put16(put_option(p, TCPOPT_MSS_, 2), v->mss);
	if (v->sack_ok)
		p = put_option(p, TCPOPT_SACK_OK, 0);
	if (v->saw_tstamp) {
		/* RFC 7323 appendix A: aligned, so that the receiver's fast path knows the segment */
		if (!v->sack_ok) {
			*p++ = TCPOPT_NOP_;
			*p++ = TCPOPT_NOP_;
		}
		p = put32(put32(put_option(p, TCPOPT_TS, 8), v->tsval), v->tsecr);
	}
	if (v->wscale_ok) {
		*p++ = TCPOPT_NOP_;
		p = put_option(p, TCPOPT_WSCALE, 1);
		*p++ = v->snd_wscale;
	}
	if (v->md5) {
		p = put_option(p, TCPOPT_MD5SIG_, 16);
		memcpy(p, v->md5, 16);
		p += 16;
	}
	if (v->ao) {
		memcpy(p, v->ao, v->ao[1]);
		p += v->ao[1];
	}
	if (v->saw_fastopen) {
		p = put_option(p, TCPOPT_FASTOPEN_, v->fastopen_len);
		if (v->fastopen_len)
			memcpy(p, v->fastopen_cookie, v->fastopen_len);
		p += v->fastopen_len;
	}
	if (v->num_sacks) {
		*p++ = TCPOPT_NOP_;
		*p++ = TCPOPT_NOP_;
		p = put_option(p, TCPOPT_SACK_BLOCKS, v->num_sacks * 8u);
		for (u32 i = 0; i < v->num_sacks; i++)
			p = put32(put32(p, v->sacks[i].start), v->sacks[i].end);
	}
	while ((p - buf) % 4)
		*p++ = TCPOPT_NOP_;
	len = (size_t)(p - buf);
	if (len > TCP_MAX_OPTIONS)
		return -EMSGSIZE;
	memcpy(out, buf, len);
	return (int)len;
}
