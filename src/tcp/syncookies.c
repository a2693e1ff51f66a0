/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syncookies.c - a handshake without memory (RFC 4987 3.6)
 *
 * Theory of operation
 *   When the queue of requests is full (or always, with net.ipv4.tcp_syncookies 2) the SYN-ACK's sequence number says all that the request
 *   would have kept:
 *     cookie = H0(tuple) + client ISN + (minute << 24) + ((H1(tuple, client ISN, minute) + index of the MSS) mod 2^24)
 *   H0 and H1 are keyed with secrets of the net. An ACK of cookie + 1 rebuilds the request: subtracting H0 and the client's number leaves the
 *   minute, which tells how old the cookie is and, with H1, the index. Guessing hits one in 2^24 times 2 minutes. H1 has the client's number too:
 *   else the ACK of a segment behind one to three lost octets would pass as one with another index, and they would be missing from the stream.
 *   What else the SYN had offered does not fit. If it had timestamps, the low six bits of ours carry it, which the ACK echoes:
 *     bits 0-3 the peer's window scale (15: none), bit 4 SACK, bit 5 ECN
 *   The timestamp stays the largest of that form which is not in the future. Without timestamps the connection has none of them.
 *   Our own scale is computed again from the same input.
 * Invariants
 *   Nothing is allocated for a SYN but the SYN-ACK itself.
 *   Cookies are looked at only within two minutes after this listener has sent one: forging needs a flood first.
 * Context: softirq, cpu lock held.
 * See RFC 4987 3.6, RFC 7323 5.4 (timestamps need only be monotonic per connection).
 */
#include "lib/siphash.h"
#include "tcp/tcp_auth.h"

#define COOKIE_BITS      24u
#define COOKIE_MASK      ((1u << COOKIE_BITS) - 1)
#define COOKIE_AGE_MAX   2u /* minutes */
#define COOKIE_MINUTE_NS (60 * NSEC_PER_SEC)

#define TSOPT_BITS        6u
#define TSOPT_MASK        ((1u << TSOPT_BITS) - 1)
#define TSOPT_WSCALE_MASK 0xfu /* this very value: no window scaling */
#define TSOPT_SACK        0x10u
#define TSOPT_ECN         0x20u

/* What is common: the default of RFC 9293 3.7.1, tunnels, PPPoE, Ethernet. */
static const u16 mss_v4[] = { 536, 1300, 1440, 1460 };
static const u16 mss_v6[] = { 1280 - 60, 1480 - 60, 1500 - 60, 9000 - 60 };

static_assert(ARRAY_SIZE(mss_v4) == ARRAY_SIZE(mss_v6), "one index for both");

static const u16 *mss_table(const struct inet_tuple *t)
{
	return t->family == AF_INET6 ? mss_v6 : mss_v4;
}

/* The part that depends on the minute and the SYN. */
static u32 cookie_hash(const struct net *net, const struct inet_tuple *t, u32 client_isn,
		       u32 minute)
{
	const u64 *key = net->tcp->cookie_key[1];

	return (u32)siphash_2u64(inet_tuple_hash(t, key), (u64)client_isn << 32 | minute, key);
}

static u32 cookie_base(const struct net *net, const struct inet_tuple *t)
{
	return (u32)inet_tuple_hash(t, net->tcp->cookie_key[0]);
}

static u32 cookie_minute(struct net *net)
{
	return (u32)(net_now(net) / COOKIE_MINUTE_NS);
}

u32 tcp_cookie_make(struct net *net, const struct inet_tuple *t, u32 client_isn, u16 *mss)
{
	const u16 *table = mss_table(t);
	u32 minute = cookie_minute(net), i = ARRAY_SIZE(mss_v4) - 1;

	while (i && table[i] > *mss)
		i--;
	*mss = table[i];
	return cookie_base(net, t) + client_isn + (minute << COOKIE_BITS) +
	       ((cookie_hash(net, t, client_isn, minute) + i) & COOKIE_MASK);
}

u16 tcp_cookie_mss(struct net *net, const struct inet_tuple *t, u32 client_isn, u32 cookie)
{
	u32 minute = cookie_minute(net), age, i;

	cookie -= cookie_base(net, t) + client_isn;
	age = (minute - (cookie >> COOKIE_BITS)) & (UINT32_MAX >> COOKIE_BITS);
	if (age >= COOKIE_AGE_MAX)
		return 0;
	i = (cookie - cookie_hash(net, t, client_isn, minute - age)) & COOKIE_MASK;
	return i < ARRAY_SIZE(mss_v4) ? mss_table(t)[i] : 0;
}

u32 tcp_cookie_tsval(const struct tcp_request_sock *treq, u32 now_ms)
{
	u32 opts = treq->wscale_ok ? treq->snd_wscale : TSOPT_WSCALE_MASK, ts;

	if (treq->sack_ok)
		opts |= TSOPT_SACK;
	if (treq->ecn_ok)
		opts |= TSOPT_ECN;
	ts = (now_ms & ~TSOPT_MASK) | opts;
	return after(ts, now_ms) ? ts - (1u << TSOPT_BITS) : ts;
}

/* What our timestamp @ts (without offset) says. False: it offers what we never do now. */
static bool cookie_ts_decode(struct tcp_request_sock *treq, const struct netns_tcp *net, u32 ts)
{
	if (!net->timestamps)
		return false;
	treq->sack_ok = (ts & TSOPT_SACK) != 0;
	treq->ecn_ok = (ts & TSOPT_ECN) && net->ecn;
	if (treq->sack_ok && !net->sack)
		return false;
	if ((ts & TSOPT_WSCALE_MASK) == TSOPT_WSCALE_MASK)
		return true;
	treq->wscale_ok = 1;
	treq->snd_wscale = ts & TSOPT_WSCALE_MASK;
	return treq->snd_wscale <= TCP_MAX_WSCALE_ && net->window_scaling;
}

/* Listeners have no timestamps of their own: when the last cookie was sent, s + 1. */
static u32 *overflow_stamp(struct sock *listener)
{
	return &tcp_sk(listener)->ts_recent_stamp;
}

void tcp_cookie_sent(struct sock *listener)
{
	*overflow_stamp(listener) = tcp_now_s(listener) + 1;
	NET_INC_STATS(sock_net(listener), MIB_TcpExt_SyncookiesSent);
}

static bool recent_overflow(struct sock *listener)
{
	u32 stamp = *overflow_stamp(listener);

	return stamp && tcp_now_s(listener) + 1 - stamp <= COOKIE_AGE_MAX * 60;
}

/* The request that the cookie of @seg stands for; a reference. NULL: no memory, or its options cannot be ours. */
static struct request_sock *cookie_request(struct sock *listener, const struct tcp_seg *seg,
					   const struct tcp_af_ops *af, u16 mss)
{
	struct request_sock *req = inet_reqsk_alloc(af->req_ops, listener);
	struct tcp_request_sock *treq = tcp_rsk(req);
	struct inet_tuple t;

	if (!req)
		return NULL;
	tcp_openreq_addresses(listener, req, seg->skb);
	inet_common_tuple(&req->c, &t);
	req->syncookie = 1;
	tcp_auth_openreq(listener, req, seg);
	req->mss = mss;
	treq->rcv_isn = seg->seq - 1;
	treq->snt_isn = seg->ack - 1;
	treq->rcv_nxt = seg->seq;
	treq->ts_off = tcp_init_isn(sock_net(listener), &t).ts_off;
	treq->tstamp_ok = seg->saw_tstamp;
	treq->accecn_ok = tcp_ecn_cookie_is_accecn(listener, seg);
	treq->ts_recent = seg->saw_tstamp ? seg->tsval : 0;
	if (seg->saw_tstamp &&
	    !cookie_ts_decode(treq, tcp_net(listener), seg->tsecr - treq->ts_off)) {
		reqsk_put(req);
		return NULL;
	}
	return req;
}

enum tcp_cookie_verdict tcp_cookie_check(struct sock *listener, struct tcp_seg *seg,
					 struct sock **ret_child)
{
	struct net *net = sock_net(listener);
	const struct tcp_af_ops *af = tcp_skb_af(net, seg->skb);
	struct request_sock *req;
	struct dst_entry *dst;
	struct sock *child;
	struct inet_tuple t;
	u16 mss;

	if (!net->tcp->syncookies || !(seg->flags & TCP_FLAG_ACK) ||
	    (seg->flags & (TCP_FLAG_RST | TCP_FLAG_SYN)) || !recent_overflow(listener))
		return TCP_COOKIE_NONE;
	tcp_skb_tuple(seg->skb, &t);
	mss = tcp_cookie_mss(net, &t, seg->seq - 1, seg->ack - 1);
	trace_skb(seg->skb, net, TP_tcp_cookie_check, TRACE_PASS, seg->seq, mss);
	if (!mss) {
		NET_INC_STATS(net, MIB_TcpExt_SyncookiesFailed);
		return TCP_COOKIE_NONE;
	}
	NET_INC_STATS(net, MIB_TcpExt_SyncookiesRecv);
	tcp_seg_parse_opts(seg, false, 0);
	req = cookie_request(listener, seg, af, mss);
	if (!req)
		return TCP_COOKIE_NONE;
	dst = af->route_req(listener, req);
	if (!dst) {
		reqsk_put(req);
		return TCP_COOKIE_NONE;
	}
	tcp_openreq_init_rwin(listener, req, dst);
	req->dst = dst;
	child = tcp_syn_recv_sock(listener, seg->skb, req);
	if (child && !inet_csk_complete_hashdance(listener, child, req))
		child = NULL;
	reqsk_put(req);
	*ret_child = child;
	return child ? TCP_COOKIE_CHILD : TCP_COOKIE_DROP;
}
