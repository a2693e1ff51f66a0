/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_accecn.c - accurate ECN (RFC 9768): how many packets and octets were marked, instead of whether any was
 *
 * Theory of operation
 *   The SYN offers it with all of AE, CWR and ECE; the SYN-ACK accepts it and tells in the same three bits which ECN codepoint the SYN came
 *   with; the first segment after it tells the same of the SYN-ACK (3.1.1, 3.2.2.1). From then on the three bits are the ACE field: the
 *   three lowest bits of r.cep, the count of packets that came in marked, which begins at 5 so that a path that zeroes the bits is noticed.
 *   The sender of data adds the difference to its s.cep. Where an ACK covers so many segments that the field may have gone round, the
 *   worst is assumed unless the option says otherwise (3.2.2.5.2, appendix A.2).
 *   The AccECN option carries 24 bits of each of the three octet counts: ECT(0), CE, ECT(1). It is sent with pure ACKs and with data that
 *   leaves room for it in its segment, never with what is sent again, and only after the peer has shown that it passes the path (3.2.3.2).
 *   What is marked, and the answer of congestion control, are as with RFC 3168: tcp_ecn.c, once per round trip; tp->delivered_ce counts exactly.
 * State: struct tcp_accecn behind tcp_rare, from the SYN or the child on; TCP_ECN_ACCECN in tp->ecn_flags says that it is there. The upper three bits of
 *   ecn_flags are the ACE field that the next ACK is expected to have, for header prediction.
 * Locking: the home cpu's lock.
 */
#include <stdlib.h>

#include "tcp/tcp.h"
#include "tcp/tcp_info.h"

#define INET_ECN_NOT_ECT 0u
#define INET_ECN_ECT_1   1u
#define INET_ECN_ECT_0   2u
#define INET_ECN_CE      3u
#define INET_ECN_MASK    3u

/* 3.2.1: where the counters begin */
#define CEP_INIT   5u
#define BYTES_INIT 1u

#define COUNTER_BITS 0xffffffu
#define COUNTER_SIGN 0x800000u

/* 3.2.2.5.1: marks that an ACK must not wait for, while data is to be acknowledged and while none is */
#define CE_ACK_DATA 2u
#define CE_ACK_BARE 3u

/* 3.1.1 and 3.2.2.1: a codepoint in the ACE field of the segment that answers the one that came with it */
static const u8 handshake_ace[] = {
	[INET_ECN_NOT_ECT] = 2, [INET_ECN_ECT_1] = 3, [INET_ECN_ECT_0] = 4, [INET_ECN_CE] = 6
};

struct tcp_accecn {
	/* as receiver of data; octets by codepoint */
	u32 r_cep, r_bytes[4];
	/* as sender: what the peer said last */
	u32 s_cep, s_bytes[4];
	/* the newest segment whose ACE field was looked at */
	u32 end_seq, ack, tsval;
	u32 marked_seq; /* snd_nxt when a mark was told last, */
	bool marking;   /* less than a round trip ago */
	u32 option_us;  /* when an option was sent last, */
	u32 option_ceb; /* and the marked octets that it told */
	u8 syn_ect;     /* codepoint of the peer's SYN or SYN-ACK */
	u8 ect_seen;    /* of the last data */
	u8 unsaid_ce;   /* marks that came in since an ACE field left */
	u8 option_due;  /* options that are to be sent because a counter has changed */
	u8 synacks;     /* SYN-ACKs sent by the child itself (fast open) */
	u8 opt_seen;    /* enum tcp_accecn_opt_seen */
	u8 fail;        /* TCP_ACCECN_* */
	bool reflect;   /* the next segment tells of the SYN-ACK's codepoint */
	bool await_first; /* the peer's first segment does; or, of the active end, shows that the field passes */
	bool passive;
};

static struct tcp_accecn *accecn_of(const struct sock *sk)
{
	return tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN ? tcp_rare(sk)->accecn : NULL;
}

static u8 ect_of(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK;
}

static u32 header_ace(const struct sk_buff *skb)
{
	return tcp_hdr_ace((const struct tcp_hdr *)skb_transport_header(skb));
}

u16 tcp_ace_flags(u32 ace)
{
	return (u16)((ace & 1 ? TCP_FLAG_ECE : 0) | (ace & 2 ? TCP_FLAG_CWR : 0) |
		     (ace & 4 ? TCP_FLAG_AE : 0));
}

/* What the next ACK will have if nothing more was marked. */
static void expect_ace(struct tcp_sock *tp, u32 cep)
{
	tp->ecn_flags = (u8)((tp->ecn_flags & ~TCP_ECN_ACE_MASK) | (cep << TCP_ECN_ACE_SHIFT));
	if (tp->pred_flags)
		tcp_fast_path_set(tp);
}

/* ---- beginning and end --------------------------------------------------------------------------------- */

static struct tcp_accecn *accecn_get(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare_get(sk);
	struct tcp_accecn *a;

	if (!rare)
		return NULL;
	if (!rare->accecn)
		rare->accecn = malloc(sizeof(*a));
	a = rare->accecn;
	if (a)
		*a = (struct tcp_accecn){ .r_cep = CEP_INIT,
					  .s_cep = CEP_INIT,
					  .r_bytes = { 0, BYTES_INIT, BYTES_INIT, 0 },
					  .s_bytes = { 0, BYTES_INIT, BYTES_INIT, 0 },
					  .await_first = true };
	return a;
}

bool tcp_accecn_offer(struct sock *sk)
{
	if (!accecn_get(sk))
		return false;
	tcp_sk(sk)->ecn_flags = TCP_ECN_ACCECN;
	return true;
}

void tcp_accecn_free(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare(sk);

	tcp_sk(sk)->ecn_flags &= (u8) ~(TCP_ECN_ACCECN | TCP_ECN_ACE_MASK);
	if (rare) {
		free(rare->accecn);
		rare->accecn = NULL;
	}
}

/* The active end enters the mode: the SYN left with codepoint @sent, the SYN-ACK @seg came. */
static void accecn_connected(struct sock *sk, const struct tcp_seg *seg, u32 ace, u8 sent)
{
	struct tcp_accecn *a = accecn_of(sk);

	a->syn_ect = ect_of(seg->skb);
	a->reflect = true;
	if (a->syn_ect == INET_ECN_CE)
		a->r_cep++;
	/* 3.2.2.3: on the way a codepoint may become CE, and nothing else. */
	if (ace != handshake_ace[sent] && !(sent && ace == handshake_ace[INET_ECN_CE]))
		a->fail |= TCP_ACCECN_ACE_FAIL_RECV;
	if (seg->opts.accecn)
		a->opt_seen = TCP_ACCECN_OPT_COUNTER_SEEN;
	a->end_seq = seg->end_seq;
	a->ack = seg->ack;
	a->tsval = seg->saw_tstamp ? seg->tsval : 0;
	expect_ace(tcp_sk(sk), a->s_cep);
}

void tcp_accecn_rcv_synack(struct sock *sk, const struct tcp_seg *seg, u8 sent)
{
	u32 ace = header_ace(seg->skb);
	/* What the answer means, 3.1.1. 5 was the nonce's (RFC 3540): classic ECN. 7: the SYN came back as it was. */
	static const u8 modes[8] = {
		[1] = TCP_ECN_OK,     [2] = TCP_ECN_ACCECN, [3] = TCP_ECN_ACCECN,
		[4] = TCP_ECN_ACCECN, [5] = TCP_ECN_OK,     [6] = TCP_ECN_ACCECN
	};

	/* Two ends that open at once do without. */
	if (seg->flags & TCP_FLAG_ACK && modes[ace] == TCP_ECN_ACCECN) {
		accecn_connected(sk, seg, ace, sent);
		return;
	}
	tcp_accecn_free(sk);
	if (seg->flags & TCP_FLAG_ACK)
		tcp_sk(sk)->ecn_flags |= modes[ace];
}

/* The passive end. No memory: its ACE field is 0, which tells the peer that nothing is counted. */
void tcp_accecn_child(struct sock *sk, u8 syn_ect)
{
	struct tcp_accecn *a = accecn_get(sk);

	if (!a)
		return;
	tcp_sk(sk)->ecn_flags = TCP_ECN_ACCECN;
	a->syn_ect = syn_ect;
	a->passive = true;
	expect_ace(tcp_sk(sk), a->s_cep);
}

/* The three flags of a SYN-ACK that answers a SYN with codepoint @syn_ect, @retries after the first. 3.1.4.2: perhaps it is they that get lost. */
u16 tcp_accecn_synack_flags(u8 syn_ect, u32 retries)
{
	return retries > 1 ? 0 : tcp_ace_flags(handshake_ace[syn_ect]);
}

/* ---- sending ------------------------------------------------------------------------------------------- */

u16 tcp_accecn_send(struct sock *sk, const struct tcp_skb_cb *cb)
{
	struct tcp_accecn *a = accecn_of(sk);

	if (unlikely(cb->tcp_flags & TCP_FLAG_SYN)) {
		if (cb->tcp_flags & TCP_FLAG_ACK)
			return tcp_accecn_synack_flags(a->syn_ect, a->synacks++);
		return cb->tcp_flags & TCP_FLAG_CWR ? TCP_FLAG_AE : 0;
	}
	a->unsaid_ce = 0;
	if (unlikely(a->reflect)) {
		a->reflect = false;
		return tcp_ace_flags(handshake_ace[a->syn_ect]);
	}
	return tcp_ace_flags(a->r_cep);
}

bool tcp_accecn_may_mark(const struct sock *sk)
{
	return !(accecn_of(sk)->fail & TCP_ACCECN_ACE_FAIL_RECV);
}

/* 3.2.3.3: when other counters than before have changed, or octets were marked, and some times per round trip */
static bool option_is_due(const struct sock *sk, const struct tcp_accecn *a)
{
	u32 beacon = tcp_net(sk)->ecn_option_beacon;

	return a->option_due || a->option_ceb != a->r_bytes[INET_ECN_CE] ||
	       (beacon && tcp_now_us(sk) - a->option_us >= (tcp_sk(sk)->srtt_us >> 3) / beacon);
}

/* Octets that the option takes when @fields of its counters are there */
static u32 option_size(u32 fields)
{
	return ALIGN_UP(2 + 3 * fields, 4u);
}

u32 tcp_accecn_option(struct sock *sk, const struct tcp_skb_cb *cb, u32 payload, u32 hdr_len,
		      struct tcp_out_opts *o)
{
	struct tcp_accecn *a = accecn_of(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 room = TCP_BASE_HDR + TCP_MAX_OPTIONS - hdr_len, fields = 3;
	u8 mode = tcp_net(sk)->ecn_option;

	if (!mode || (cb->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_RST)) || cb->gso_segs > 1)
		return 0;
	if (mode != TCP_ECN_OPTION_PERSIST && a->opt_seen != TCP_ACCECN_OPT_COUNTER_SEEN)
		return 0;
	if (mode == TCP_ECN_OPTION_MINIMUM && !option_is_due(sk, a))
		return 0;
	if (payload) {
		u32 segment = tp->mss_cache + tp->tcp_header_len;

		if (before(cb->seq, tp->snd_nxt) || hdr_len + payload > segment)
			return 0;
		room = min(room, segment - hdr_len - payload);
	}
	while (fields && option_size(fields) > room)
		fields--;
	if (!fields)
		return 0;
	o->accecn = a->r_bytes;
	o->accecn_fields = (u8)fields;
	a->option_due -= a->option_due != 0;
	a->option_us = tcp_now_us(sk);
	a->option_ceb = a->r_bytes[INET_ECN_CE];
	return option_size(fields);
}

void tcp_accecn_synack_option(const struct netns_tcp *net, const struct tcp_request_sock *treq,
			      struct tcp_out_opts *o)
{
	static const u32 begin[4] = { 0, BYTES_INIT, BYTES_INIT, 0 };

	/* 3.2.3.2.2: perhaps it is the option that gets lost. */
	if (!net->ecn_option || treq->synacks ||
	    tcp_options_size(o) + option_size(3) > TCP_MAX_OPTIONS)
		return;
	o->accecn = begin;
	o->accecn_fields = 3;
}

/* Which order: the counters that change come first (3.2.3). */
u8 *tcp_accecn_write(u8 *p, const struct tcp_out_opts *o)
{
	bool one_first = o->accecn[INET_ECN_ECT_1] != BYTES_INIT;
	static const u8 order[2][3] = { { INET_ECN_ECT_0, INET_ECN_CE, INET_ECN_ECT_1 },
					{ INET_ECN_ECT_1, INET_ECN_CE, INET_ECN_ECT_0 } };
	u8 *end = p + option_size(o->accecn_fields);

	*p++ = one_first ? TCPOPT_ACCECN1_ : TCPOPT_ACCECN0_;
	*p++ = (u8)(2 + 3 * o->accecn_fields);
	for (u32 i = 0; i < o->accecn_fields; i++) {
		u32 v = o->accecn[order[one_first][i]];

		*p++ = (u8)(v >> 16);
		*p++ = (u8)(v >> 8);
		*p++ = (u8)v;
	}
	while (p < end)
		*p++ = TCPOPT_NOP_;
	return p;
}

/* ---- receiving: what came in marked -------------------------------------------------------------------- */

/* An acceptable segment. 3.2.2.5.1: marks are told soon. */
void __tcp_accecn_rcv(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_accecn *a = accecn_of(sk);
	u8 ect = ect_of(seg->skb);
	bool unacked;

	a->r_bytes[ect] += seg->len;
	if (ect)
		tcp_sk(sk)->ecn_flags |= TCP_ECN_SEEN;
	if (seg->len && ect != a->ect_seen)
		a->option_due = 2;
	if (ect == INET_ECN_CE) {
		u32 segs = max_t(u32, skb_shinfo(seg->skb)->gso_segs, 1);

		a->r_cep += segs;
		a->unsaid_ce = (u8)min(a->unsaid_ce + segs, 255u);
	}
	unacked = seg->len || (inet_csk(sk)->icsk_ack.pending & ICSK_ACK_SCHED);
	if (a->unsaid_ce && (a->unsaid_ce >= (unacked ? CE_ACK_DATA : CE_ACK_BARE) ||
			     (seg->len && ect == INET_ECN_CE && a->ect_seen != INET_ECN_CE))) {
		if (seg->len)
			inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
		else
			tcp_send_ack(sk); /* no data comes that would */
	}
	if (seg->len)
		a->ect_seen = ect;
}

/* ---- receiving: what the peer says --------------------------------------------------------------------- */

/* Adds what @told, 24 bits, is ahead of *@count. */
static u32 counter_advance(u32 *count, u32 told)
{
	u32 delta = (told - *count) & COUNTER_BITS;

	if (delta & COUNTER_SIGN)
		return 0; /* an older ACK */
	*count += delta;
	return delta;
}

/* Is there an option with counters? Then *@ret_ceb is how many more octets were marked. */
static bool option_rcv(struct tcp_accecn *a, const struct tcp_seg *seg, u32 *ret_ceb)
{
	const u8 *p = seg->opts_parsed ? seg->opts.accecn : NULL;
	bool zero_first = p && p[0] == TCPOPT_ACCECN0_, ce = false;
	u32 n;

	if (!p || a->fail & TCP_ACCECN_OPT_FAIL_RECV)
		return false;
	n = (p[1] - 2u) / 3;
	if (!n) {
		a->opt_seen = max_t(u8, a->opt_seen, TCP_ACCECN_OPT_EMPTY_SEEN);
		return false;
	}
	for (u32 i = 0; i < n; i++) {
		const u8 *f = p + 2 + 3 * i;
		u32 told = (u32)f[0] << 16 | (u32)f[1] << 8 | f[2];
		u8 which = i == 1                   ? INET_ECN_CE
			   : (i == 0) == zero_first ? INET_ECN_ECT_0
						    : INET_ECN_ECT_1;

		/* 3.2.3.2.4: the first one cannot be 0, unless the path has made it so. */
		if (a->opt_seen != TCP_ACCECN_OPT_COUNTER_SEEN && i == 0 && !told) {
			a->opt_seen = TCP_ACCECN_OPT_FAIL_SEEN;
			a->fail |= TCP_ACCECN_OPT_FAIL_RECV;
			return false;
		}
		if (which == INET_ECN_CE) {
			*ret_ceb = counter_advance(&a->s_bytes[which], told);
			ce = true;
		} else {
			counter_advance(&a->s_bytes[which], told);
		}
	}
	a->opt_seen = TCP_ACCECN_OPT_COUNTER_SEEN;
	return ce;
}

/* Is @seg newer than all whose field was looked at? Of two equal ACKs nobody knows which was sent first. */
static bool is_news(struct tcp_accecn *a, const struct tcp_seg *seg, u32 delivered)
{
	bool newer_ts = seg->saw_tstamp && (s32)(seg->tsval - a->tsval) > 0;

	if (!delivered && !newer_ts && !after(seg->ack, a->ack) && !after(seg->end_seq, a->end_seq))
		return false;
	if (newer_ts)
		a->tsval = seg->tsval;
	if (after(seg->ack, a->ack))
		a->ack = seg->ack;
	if (after(seg->end_seq, a->end_seq))
		a->end_seq = seg->end_seq;
	return true;
}

/* The first segment without SYN that came from the peer. 3.2.2.1, 3.2.2.4 */
static void first_ace(struct tcp_accecn *a, const struct tcp_seg *seg, u32 ace)
{
	/* Nothing that we send before it may be marked. */
	if (!ace || (a->passive &&
		     (ace == handshake_ace[INET_ECN_ECT_0] ||
		      ace == handshake_ace[INET_ECN_ECT_1] || ace == handshake_ace[INET_ECN_CE])))
		a->fail |= TCP_ACCECN_ACE_FAIL_RECV;
	if (a->passive && ace == handshake_ace[INET_ECN_CE])
		a->s_cep++;
	a->end_seq = seg->end_seq;
	a->ack = seg->ack;
	a->tsval = seg->saw_tstamp ? seg->tsval : 0;
}

/*
 * Appendix A.2: @ce more marks by the field, of @delivered segments, may be 8, 16, ... more. With the option: as many as make its octets.
 * Without: the most that is possible; but that it is 8 and not none is assumed neither of a path that has marked nothing for a round trip, nor of
 * a peer that sends options when something was marked.
 */
static u32 safe_delta(const struct sock *sk, struct tcp_accecn *a, u32 ce, u32 delivered,
		      bool option, u32 ceb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 most;

	if (!before(tp->snd_una, a->marked_seq))
		a->marking = false;
	if (delivered < 8 || delivered < ce)
		return ce;
	most = delivered - ((delivered - ce) & 7);
	if (option)
		return ceb <= ce * tp->mss_cache && ceb < most * tp->mss_cache / 2 ? ce : most;
	return ce || (a->marking && a->opt_seen != TCP_ACCECN_OPT_COUNTER_SEEN) ? most : 0;
}

u32 __tcp_accecn_ack(struct sock *sk, const struct tcp_seg *seg, u32 delivered)
{
	struct tcp_accecn *a = accecn_of(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ace = header_ace(seg->skb), ceb = 0, ce;
	bool option;

	if (unlikely(seg->flags & TCP_FLAG_SYN))
		return 0;
	option = option_rcv(a, seg, &ceb);
	if (unlikely(a->await_first)) {
		a->await_first = false;
		first_ace(a, seg, ace);
		if (a->passive || !ace) {
			expect_ace(tp, a->s_cep);
			return 0;
		}
	} else if (!is_news(a, seg, delivered)) {
		return 0;
	}
	if (!ace && a->fail & TCP_ACCECN_ACE_FAIL_RECV)
		return 0;
	ce = safe_delta(sk, a, (ace - a->s_cep) & 7, delivered, option, ceb);
	if (likely(!ce))
		return 0;
	a->s_cep += ce;
	a->marked_seq = tp->snd_nxt;
	a->marking = true;
	tp->delivered_ce += ce;
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPDeliveredCE, ce);
	expect_ace(tp, a->s_cep);
	return ce;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

void tcp_accecn_info(const struct sock *sk, struct tcp_info_uapi *info)
{
	const struct tcp_accecn *a = accecn_of(sk);

	if (tcp_sk(sk)->ecn_flags & TCP_ECN_OK)
		info->tcpi_ecn_mode = TCPI_ECN_MODE_RFC3168;
	if (!a)
		return;
	info->tcpi_ecn_mode =
		sk->sk_state == SS_TCP_SYN_SENT ? TCPI_ECN_MODE_PENDING : TCPI_ECN_MODE_ACCECN;
	info->tcpi_received_ce = a->r_cep - CEP_INIT;
	info->tcpi_delivered_e1_bytes = a->s_bytes[INET_ECN_ECT_1] - BYTES_INIT;
	info->tcpi_delivered_e0_bytes = a->s_bytes[INET_ECN_ECT_0] - BYTES_INIT;
	info->tcpi_delivered_ce_bytes = a->s_bytes[INET_ECN_CE];
	info->tcpi_received_e1_bytes = a->r_bytes[INET_ECN_ECT_1] - BYTES_INIT;
	info->tcpi_received_e0_bytes = a->r_bytes[INET_ECN_ECT_0] - BYTES_INIT;
	info->tcpi_received_ce_bytes = a->r_bytes[INET_ECN_CE];
	info->tcpi_accecn_opt_seen = a->opt_seen & 3;
	info->tcpi_accecn_fail_mode = a->fail & 15;
}
