/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_options.c - which options a segment carries, how long they are, and writing them
 *
 * A segment's options are first chosen (struct tcp_out_opts), then measured, then written; all three walk in the same order, the
 * one that Linux uses, because middleboxes are known to have learnt it. Parsing is wire/tcp.h's.
 * See RFC 9293 3.2, RFC 7323 2.2 and 3.2, RFC 2018 2 and 3.
 */
#include "tcp/tcp_auth.h"

#define OPT_WORD(a, b, c, d) (((u32)(a) << 24) | ((u32)(b) << 16) | ((u32)(c) << 8) | (u32)(d))

static u8 *put32(u8 *p, u32 v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
	return p + 4;
}

static u32 fastopen_size(const struct tcp_fastopen_cookie *c)
{
	return (c->exp ? 4u : 2u) + (u32)c->len;
}

/* RFC 7413 4.1.1, or RFC 6994 with experiment 0xf989 */
static u8 *put_fastopen(u8 *p, const struct tcp_fastopen_cookie *c)
{
	u32 len = fastopen_size(c), pad = ALIGN_UP(len, 4u) - len;

	*p++ = c->exp ? TCPOPT_EXP_ : TCPOPT_FASTOPEN_;
	*p++ = (u8)len;
	if (c->exp) {
		*p++ = 0xf9;
		*p++ = 0x89;
	}
	memcpy(p, c->val, (size_t)c->len);
	memset(p + c->len, TCPOPT_NOP_, pad);
	return p + c->len + pad;
}

/* The cookie, if there is one and it fits. */
static void choose_fastopen(struct tcp_out_opts *o, const struct tcp_fastopen_cookie *c)
{
	if (c && c->len >= 0 &&
	    tcp_options_size(o) + ALIGN_UP(fastopen_size(c), 4u) <= TCP_MAX_OPTIONS)
		o->fastopen = c;
}

u32 tcp_options_size(const struct tcp_out_opts *o)
{
	u32 n = o->sig_len;

	if (o->mss)
		n += 4;
	if (o->ts)
		n += TCPOLEN_TSTAMP_ALIGNED_;
	else if (o->sack_perm)
		n += 4;
	if (o->wscale)
		n += 4;
	if (o->num_sacks)
		n += 4 + 8u * o->num_sacks;
	if (o->fastopen)
		n += ALIGN_UP(fastopen_size(o->fastopen), 4u);
	if (o->accecn)
		n += ALIGN_UP(2u + 3u * o->accecn_fields, 4u);
	return n;
}

/* Its octets are zero until the header is complete. */
static u8 *put_signature(u8 *p, const struct tcp_out_opts *o)
{
	u8 *end = p + o->sig_len;

	if (o->sig_kind == TCPOPT_MD5SIG_) {
		p = put32(p, OPT_WORD(TCPOPT_NOP_, TCPOPT_NOP_, TCPOPT_MD5SIG_, 18));
		memset(p, 0, (size_t)(end - p));
		return end;
	}
	p = put32(p, OPT_WORD(TCPOPT_AO_, 4 + o->sig_maclen, o->sig_keyid, o->sig_rnext));
	memset(p, 0, o->sig_maclen);
	memset(p + o->sig_maclen, TCPOPT_NOP_, (size_t)(end - p) - o->sig_maclen);
	return end;
}

void tcp_options_write(u8 *p, const struct tcp_out_opts *o)
{
	if (unlikely(o->sig_len))
		p = put_signature(p, o);
	if (o->mss)
		p = put32(p, OPT_WORD(TCPOPT_MSS_, 4, o->mss >> 8, o->mss & 0xff));
	if (o->ts) {
		/* SACK-permitted takes the place of the two NOPs that align the timestamps. */
		tcp_tstamp_write(p, o->tsval, o->tsecr);
		if (o->sack_perm)
			put32(p, OPT_WORD(TCPOPT_SACK_OK, 2, TCPOPT_TS, 10));
		p += TCPOLEN_TSTAMP_ALIGNED_;
	} else if (o->sack_perm) {
		p = put32(p, OPT_WORD(TCPOPT_NOP_, TCPOPT_NOP_, TCPOPT_SACK_OK, 2));
	}
	if (o->wscale)
		p = put32(p, OPT_WORD(TCPOPT_NOP_, TCPOPT_WSCALE, 3, o->wscale_val));
	if (o->num_sacks) {
		p = put32(p, OPT_WORD(TCPOPT_NOP_, TCPOPT_NOP_, TCPOPT_SACK_BLOCKS,
				      2 + 8 * o->num_sacks));
		for (u32 i = 0; i < o->num_sacks; i++) {
			p = put32(p, o->sacks[i].start);
			p = put32(p, o->sacks[i].end);
		}
	}
	if (o->fastopen)
		p = put_fastopen(p, o->fastopen);
	if (unlikely(o->accecn))
		tcp_accecn_write(p, o);
}

u32 tcp_syn_options(struct sock *sk, struct tcp_out_opts *o)
{
	const struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	*o = (struct tcp_out_opts){ .mss = (u16)tcp_advertise_mss(sk) };
	if (sk->sk_state == SS_TCP_SYN_RECV && tp->tstamp_ok)
		o->mss += TCPOLEN_TSTAMP_ALIGNED_; /* RFC 6691: options do not count */
	if (net->timestamps) {
		o->ts = true;
		o->tsval = tcp_tsval(sk);
		o->tsecr = tp->ts_recent; /* a SYN of a simultaneous open echoes */
	}
	if (net->window_scaling) {
		o->wscale = true;
		o->wscale_val = tp->rcv_wscale;
	}
	o->sack_perm = net->sack != 0;
	/* In the SYN-ACK of a simultaneous open only what the peer's SYN had (RFC 7323 2.2, 3.2). */
	if (sk->sk_state == SS_TCP_SYN_RECV) {
		o->ts = tp->tstamp_ok;
		o->wscale = tp->wscale_ok;
		o->sack_perm = tp->sack_ok;
	}
	if (unlikely(tcp_auth(sk)))
		tcp_auth_syn(sk, tcp_auth(sk), o);
	if (unlikely(tcp_rare(sk) && tcp_rare(sk)->tfo && tcp_rare(sk)->tfo->sending))
		choose_fastopen(o, &tcp_rare(sk)->tfo->cookie);
	return tcp_options_size(o);
}

bool tcp_synack_options(const struct sock *sk, const struct request_sock *req, u16 mss,
			const struct tcp_fastopen_cookie *foc, struct tcp_out_opts *o)
{
	const struct tcp_request_sock *treq = (const struct tcp_request_sock *)req;

	*o = (struct tcp_out_opts){
		.mss = mss,
		.ts = treq->tstamp_ok,
		.tsval =
			(req->syncookie ? tcp_cookie_tsval(treq, tcp_now_ms(sk)) : tcp_now_ms(sk)) +
			treq->ts_off,
		.tsecr = treq->ts_recent,
		.wscale = treq->wscale_ok,
		.wscale_val = treq->rcv_wscale,
		.sack_perm = treq->sack_ok,
	};
	if (!tcp_auth_synack(sk, req, o))
		return false;
	choose_fastopen(o, foc);
	if (unlikely(treq->accecn_ok))
		tcp_accecn_synack_option(tcp_net(sk), treq, o);
	return true;
}

u32 tcp_established_options(struct sock *sk, struct tcp_out_opts *o)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 room, want = 0;

	*o = (struct tcp_out_opts){ .ts = tp->tstamp_ok };
	if (o->ts) {
		o->tsval = tcp_tsval(sk);
		o->tsecr = tp->ts_recent;
	}
	if (unlikely(tcp_auth(sk)))
		tcp_auth_established(sk, tcp_auth(sk), o);
	if (likely(!tp->num_sacks && !tp->dsack_pending))
		return (o->ts ? TCPOLEN_TSTAMP_ALIGNED_ : 0) + o->sig_len;

	room = tcp_options_size(o);
	room = room < TCP_MAX_OPTIONS - 4 ? (TCP_MAX_OPTIONS - 4 - room) / 8 : 0;
	if (tp->dsack_pending && room) /* RFC 2883 4: the first block */
		o->sacks[want++] = tp->ofo->duplicate_sack;
	for (u32 i = 0; i < tp->num_sacks && want < min_t(u32, room, TCP_MAX_SACK_BLOCKS); i++)
		o->sacks[want++] = tp->ofo->selective_acks[i];
	o->num_sacks = (u8)want;
	return tcp_options_size(o);
}
