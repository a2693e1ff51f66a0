/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_demux.c - from a packet to its connection, and answers without one: for both IP versions
 *
 * Theory of operation
 *   tcp_v4_rcv() and tcp_v6_rcv() check what only they know (addresses, checksum) and make a struct inet_tuple of the packet;
 *   tcp_rcv() finds what it is for: a connection, a handshake in progress (request sock), a TIME_WAIT entry, a listener, nothing.
 *   ICMP errors come the same way: tcp_err_sock() finds the connection whose segment is quoted, and believes only a quotation of
 *   what is in flight (RFC 5927 4).
 *   Segments that are answered without a full socket go out through struct tcp_af_ops of the packet's IP version; the IP version
 *   of a socket's own segments is in icsk_af_ops. They differ for AF_INET6 sockets with IPv4 peers.
 * See RFC 9293 3.10.7, 3.9.2.2 (ICMP), RFC 6528 (initial sequence numbers), RFC 5927 (ICMP attacks).
 */
#include <errno.h>

#include "core/sock_reasons.h"
#include "inet/inet6_sock.h"
#include "inet/inet_sock_cb.h"
#include "ipv6/ipv6.h"
#include "lib/siphash.h"
#include "tcp/tcp_auth.h"

/* ---- sequence numbers -------------------------------------------------------------------------------- */

/*
 * RFC 6528 3: ISN = M + F(4-tuple, secret). M counts 64 ns, about the rate of RFC 9293 3.4.1's clock at gigabit speeds. RFC 7323 5.4: a secret
 * offset hides our uptime, and keeps the timestamps of a 4-tuple monotonic from one connection to the next (RFC 6191). It is
 * the other half of F: what one connection shows tells nothing of another's.
 */
struct tcp_isn tcp_init_isn(struct net *net, const struct inet_tuple *t)
{
	u64 hash = inet_tuple_hash(t, net->tcp->isn_key);

	return (struct tcp_isn){
		.seq = (u32)hash + (u32)(net_now(net) >> 6),
		.ts_off = (u32)(hash >> 32),
	};
}

/* ---- answers without a full socket ------------------------------------------------------------------- */

void tcp_skb_tuple(const struct sk_buff *skb, struct inet_tuple *ret)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	u16 dport = be16_to_cpu(th->dest);

	if (be16_to_cpu(skb->protocol) == ETH_P_IPV6)
		*ret = inet_tuple_v6(&ipv6_hdr(skb)->saddr, th->source, &ipv6_hdr(skb)->daddr,
				     dport, 0);
	else
		*ret = inet_tuple_v4(ip_hdr(skb)->saddr, th->source, ip_hdr(skb)->daddr, dport, 0);
}

/* The type of service that the answers of @sk to packets like @skb have. */
static u8 answer_tos(const struct sock *sk, const struct sk_buff *skb)
{
	if (!sk)
		return 0;
	return (be16_to_cpu(skb->protocol) == ETH_P_IPV6 ? inet_sk(sk)->pinet6->tclass
							 : inet_sk(sk)->tos) &
	       0xfc; /* never ECT (RFC 3168 6.1.4) */
}

/* How @sk answers packets like @skb. */
static struct ip_reply_arg answer_as(const struct sock *sk, const struct sk_buff *skb)
{
	return (struct ip_reply_arg){
		.tos = answer_tos(sk, skb),
		.mark = sk ? sk->sk_mark : 0,
		.oif = sk ? sk->sk_bound_dev_if : 0,
	};
}

/* A segment that is not a socket's: room for the header and what it may carry. */
struct tcp_reply {
	struct tcp_hdr th;
	u8 opt[TCP_MAX_OPTIONS];
};

/* The header is filled in, but for options and length. */
static void tcp_send_reply(struct net *net, struct sk_buff *skb, struct tcp_reply *rep,
			   const struct tcp_out_opts *o, const struct ip_reply_arg *arg)
{
	u32 len = sizeof(rep->th) + tcp_options_size(o);

	rep->th.doff_res = (u8)(len << 2);
	tcp_options_write(rep->opt, o);
	tcp_auth_sign_reply(net, skb, &rep->th, o);
	tcp_skb_af(net, skb)->reply(net, skb, rep, len, arg);
	NET_INC_STATS(net, MIB_Tcp_OutSegs);
}

/* RFC 9293 3.10.7.1 */
static void tcp_reset_for(struct sock *sk, const struct tcp_timewait_sock *tw, struct sk_buff *skb)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct net *net = sk ? sock_net(sk) : skb->dev->net;
	struct tcp_out_opts opts = { 0 };
	struct ip_reply_arg arg = answer_as(sk, skb);
	struct tcp_reply rep = {
		.th = { .source = th->dest, .dest = th->source, .flags = TCP_FLAG_RST },
	};

	if (th->flags & TCP_FLAG_RST)
		return;
	if (th->flags & TCP_FLAG_ACK) {
		rep.th.seq = th->ack_seq;
	} else {
		rep.th.flags |= TCP_FLAG_ACK;
		rep.th.ack_seq = cpu_to_be32(cb->end_seq);
	}
	if (!tcp_auth_reset(net, sk, tw, skb, be32_to_cpu(rep.th.seq), &opts))
		return;
	trace_skb(skb, net, TP_tcp_send_reset, TRACE_PASS, be32_to_cpu(rep.th.seq), 0);
	if (tw) {
		arg.mark = tw->tw.tw_mark;
		arg.oif = tw->tw.c.skc_bound_dev_if;
	}
	tcp_send_reply(net, skb, &rep, &opts, &arg);
	NET_INC_STATS(net, MIB_Tcp_OutRsts);
}

void tcp_send_reset(struct sock *sk, struct sk_buff *skb)
{
	tcp_reset_for(sk, NULL, skb);
}

/* What an ACK says that belongs to no full socket. */
struct tcp_mini_ack {
	u32 seq, ack, win;
	struct tcp_out_opts opts;
	struct ip_reply_arg arg;
};

static void tcp_send_mini_ack(struct net *net, struct sk_buff *skb, const struct tcp_mini_ack *a)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	struct tcp_reply rep = {
		.th = {
			.source = th->dest,
			.dest = th->source,
			.seq = cpu_to_be32(a->seq),
			.ack_seq = cpu_to_be32(a->ack),
			.flags = TCP_FLAG_ACK,
			.window = cpu_to_be16((u16)min(a->win, 65535u)),
		},
	};

	tcp_send_reply(net, skb, &rep, &a->opts, &a->arg);
}

static void tcp_timewait_ack(struct tcp_timewait_sock *tw, struct sk_buff *skb)
{
	u32 now_ms = (u32)(tw->tw.tw_cpu->now / NSEC_PER_MSEC);
	bool v6 = be16_to_cpu(skb->protocol) == ETH_P_IPV6;
	struct tcp_mini_ack a = {
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.win = tw->rcv_wnd >> tw->tw.tw_rcv_wscale,
		.opts = { .ts = tw->saw_tstamp,
			  .tsval = now_ms + tw->ts_offset,
			  .tsecr = tw->ts_recent },
		.arg = { .tos = (v6 ? tw->tw.tw_tclass : tw->tw.tw_tos) & 0xfc, /* never ECT */
			 .flowlabel = tw->tw.tw_flowlabel,
			 .mark = tw->tw.tw_mark,
			 .oif = tw->tw.c.skc_bound_dev_if },
	};

	tcp_auth_timewait(tw, a.seq, &a.opts);
	tcp_send_mini_ack(tw->tw.c.skc_net, skb, &a);
}

void tcp_reqsk_send_ack(struct sock *listener, struct sk_buff *skb, struct request_sock *req)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct tcp_mini_ack a = {
		.seq = treq->snt_isn + 1,
		.ack = treq->rcv_nxt,
		.win = treq->rcv_wnd >> treq->rcv_wscale,
		.opts = { .ts = treq->tstamp_ok,
			  .tsval = tcp_now_ms(listener) + treq->ts_off,
			  .tsecr = treq->ts_recent },
		.arg = answer_as(listener, skb),
	};

	a.arg.mark = req->ir_mark;
	a.arg.oif = req->c.skc_bound_dev_if;
	if (!tcp_auth_request(listener, req, a.seq, &a.opts))
		return;
	tcp_send_mini_ack(sock_net(listener), skb, &a);
}

/* ---- input ------------------------------------------------------------------------------------------- */

/* The cb of a received segment; then data is at the payload. */
static void tcp_fill_cb(struct sk_buff *skb, u32 hlen, u8 dsfield)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb->data;
	struct inet_skb_parm header = *IPCB(skb); /* or IPv6's, of the same size */
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->header = header;
	cb->seq = be32_to_cpu(th->seq);
	cb->end_seq = cb->seq + ((th->flags & TCP_FLAG_SYN) != 0) +
		      ((th->flags & TCP_FLAG_FIN) != 0) + skb->len - hlen;
	cb->ack_seq = be32_to_cpu(th->ack_seq);
	cb->tcp_flags = th->flags;
	cb->sacked = 0;
	cb->ip_dsfield = dsfield;
	cb->eor = 0;
	skb_reset_transport_header(skb);
	__skb_pull(skb, hlen);
}

/* The whole header lies in the head area: its length; 0: there is none. */
static u32 tcp_pull_header(struct sk_buff *skb)
{
	u32 head = skb_headlen(skb), hlen;

	if (unlikely(head < sizeof(struct tcp_hdr)) && !pskb_may_pull(skb, sizeof(struct tcp_hdr)))
		return 0;
	hlen = tcp_hdr_len((const struct tcp_hdr *)skb->data);
	if (unlikely(hlen < sizeof(struct tcp_hdr)))
		return 0;
	return likely(hlen <= head) || pskb_may_pull(skb, hlen) ? hlen : 0;
}

/* Header and checksum. 0 or a drop reason. */
static skb_drop_reason_t tcp_check_header(struct sk_buff *skb, struct net *net, u32 pseudo,
					  u32 *ret_hlen)
{
	if (skb->pkt_type != SKB_PACKET_HOST)
		return SKB_DROP_TCP_NOT_FOR_US;
	*ret_hlen = tcp_pull_header(skb);
	if (unlikely(!*ret_hlen))
		return SKB_DROP_TCP_HDR;
	if (skb_csum_unnecessary(skb))
		return 0;
	if (csum_fold(skb_checksum(skb, 0, skb->len, pseudo))) {
		NET_INC_STATS(net, MIB_Tcp_InCsumErrors);
		return SKB_DROP_TCP_CSUM;
	}
	skb->csum_valid = 1;
	return 0;
}

const struct tcp_hdr *tcp_rcv_header(struct sk_buff *skb, u32 pseudo, u8 dsfield, u16 tp)
{
	struct net *net = skb->dev->net;
	u32 hlen = 0;
	skb_drop_reason_t reason;

	NET_INC_STATS(net, MIB_Tcp_InSegs);
	reason = tcp_check_header(skb, net, pseudo, &hlen);
	if (unlikely(reason)) {
		NET_INC_STATS(net, MIB_Tcp_InErrs);
		kfree_skb_reason(skb, reason);
		return NULL;
	}
	tcp_fill_cb(skb, hlen, dsfield);
	trace_skb(skb, net, tp, TRACE_PASS, TCP_SKB_CB(skb)->seq, TCP_SKB_CB(skb)->ack_seq);
	return (const struct tcp_hdr *)skb_transport_header(skb);
}

struct sk_buff *__tcp_v6_pktoptions(const struct sock *sk, const struct sk_buff *skb)
{
	struct sk_buff *opts = ipv6_pktoptions(sk, skb);

	if (opts)
		memcpy(&INET_SOCK_CB(opts)->parm, &TCP_SKB_CB(skb)->header,
		       sizeof(INET_SOCK_CB(opts)->parm));
	return opts;
}

/* The headers of what came next are kept, not of what is old or early. */
static void tcp_v6_keep_pktoptions(struct sock *sk, struct sk_buff *opts, u32 end_seq)
{
	if (end_seq == tcp_sk(sk)->rcv_nxt && sk->sk_state != SS_TCP_CLOSE &&
	    sk->sk_state != SS_TCP_LISTEN)
		ipv6_set_pktoptions(sk, opts);
	else
		consume_skb(opts);
}

static void tcp_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *opts = tcp_v6_pktoptions(sk, skb);
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;

	sock_hold(sk);
	tcp_segs_in(tcp_sk(sk), skb);
	if (likely(sk->sk_state == SS_TCP_ESTABLISHED))
		tcp_rcv_established(sk, skb);
	else
		tcp_rcv_state_process(sk, skb);
	if (unlikely(opts))
		tcp_v6_keep_pktoptions(sk, opts, end_seq);
	sock_put(sk);
}

/*
 * The sock's filter (SO_ATTACH_FILTER) sees the segment from its TCP header on, and leaves at least that. What it cuts off was not
 * received. False: not wanted, and consumed.
 */
static bool tcp_filter(struct sock *sk, struct sk_buff *skb)
{
	u32 hlen = (u32)(skb->data - skb_transport_header(skb)), before = skb->len;

	skb_push(skb, hlen);
	if (sk_filter_trim_cap(sk, skb, hlen)) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_FILTER);
		return false;
	}
	__skb_pull(skb, hlen);
	TCP_SKB_CB(skb)->end_seq -= before - skb->len;
	return true;
}

/* @sk, which may have keys or a filter, wants to see it. False: consumed. */
static bool tcp_admit(struct sock *sk, const struct request_sock *req, struct sk_buff *skb)
{
	skb_drop_reason_t reason;

	if (likely(!sk->sk_rare))
		return true;
	reason = tcp_inbound_auth(sk, req, skb);
	if (reason) {
		sk->sk_drops++;
		kfree_skb_reason(skb, reason);
		return false;
	}
	return !sk_has_filter(sk) || tcp_filter(sk, skb);
}

/* A segment for a handshake in progress. */
static void tcp_rcv_request(struct request_sock *req, struct sk_buff *skb)
{
	struct sock *listener = req->rsk_listener, *child;
	skb_drop_reason_t reason = SKB_DROP_TCP_CLOSE;

	if (listener->sk_state != SS_TCP_LISTEN) {
		inet_csk_reqsk_queue_drop(listener, req);
		tcp_send_reset(NULL, skb);
		kfree_skb_reason(skb, reason);
		return;
	}
	if (!tcp_admit(listener, req, skb))
		return;
	sock_hold(listener);
	req->c.skc_refcnt++;
	child = tcp_check_req(listener, skb, req, &reason);
	if (child)
		tcp_child_process(listener, child, skb);
	else
		kfree_skb_reason(skb, reason);
	reqsk_put(req);
	sock_put(listener);
}

static void tcp_no_socket(struct sk_buff *skb)
{
	tcp_send_reset(NULL, skb);
	kfree_skb_reason(skb, SKB_DROP_TCP_NO_SOCKET);
}

static void tcp_rcv_timewait(struct tcp_timewait_sock *tw, struct sk_buff *skb,
			     const struct inet_tuple *t)
{
	struct net *net = skb->dev->net;
	struct sock *listener;
	skb_drop_reason_t reason;
	struct tcp_seg seg;
	u32 isn = 0;

	reason = tcp_inbound_timewait(tw, skb);
	if (unlikely(reason)) {
		kfree_skb_reason(skb, reason);
		return;
	}
	tcp_seg_init(&seg, skb);
	tcp_seg_parse_opts(&seg, (seg.flags & TCP_FLAG_SYN) != 0, 0);
	switch (tcp_timewait_state_process(tw, skb, &seg, &isn, &reason)) {
	case TCP_TW_SYN:
		listener = __inet_lookup_listener(&net->tcp->hashinfo, t, skb);
		if (listener) {
			/* What is not for the listener (a signature is missing) does not end TIME_WAIT. */
			if (!tcp_admit(listener, NULL, skb))
				return;
			inet_twsk_deschedule_put(&tw->tw);
			NET_INC_STATS(net, MIB_TcpExt_TWRecycled);
			tcp_conn_request(listener, skb, isn);
			return;
		}
		__fallthrough;
	case TCP_TW_ACK:
		tcp_timewait_ack(tw, skb);
		break;
	case TCP_TW_RST:
		tcp_reset_for(NULL, tw, skb);
		inet_twsk_deschedule_put(&tw->tw);
		break;
	case TCP_TW_DONE:
		break;
	}
	if (reason)
		kfree_skb_reason(skb, reason);
	else
		consume_skb(skb);
}

/* RFC 5082: IP_MINTTL, IPV6_MINHOPCOUNT */
static bool tcp_ttl_too_low(const struct sock *sk, bool v6, u8 ttl)
{
	if (likely(!v6))
		return ttl < inet_sk(sk)->min_ttl;
	return ttl < inet_sk(sk)->pinet6->min_hopcount;
}

void tcp_early_sock(struct sk_buff *skb, const struct inet_tuple *t)
{
	struct sock *sk = __inet_lookup_established(&skb->dev->net->tcp->hashinfo, t);

	if (sk && sk->sk_state != SS_TCP_TIME_WAIT && sk->sk_state != SS_TCP_NEW_SYN_RECV)
		skb_set_owner_edemux(skb, sk);
}

static __inlined void rcv_sock(struct sock *sk, struct sk_buff *skb, bool v6, u8 ttl)
{
	if (unlikely(tcp_ttl_too_low(sk, v6, ttl))) {
		kfree_skb_reason(skb, SKB_DROP_TCP_MIN_TTL);
		return;
	}
	if (!tcp_admit(sk, NULL, skb))
		return;
	tcp_do_rcv(sk, skb);
}

void tcp_rcv_sock(struct sock *sk, struct sk_buff *skb, bool v6, u8 ttl)
{
	rcv_sock(sk, skb, v6, ttl);
}

void tcp_rcv(struct sk_buff *skb, const struct inet_tuple *t, u8 ttl)
{
	const struct inet_hashinfo *h = &skb->dev->net->tcp->hashinfo;
	struct sock *sk = __inet_lookup_established(h, t);

	if (!sk)
		sk = __inet_lookup_listener(h, t, skb);
	if (unlikely(!sk)) {
		tcp_no_socket(skb);
		return;
	}
	if (unlikely(sk->sk_state == SS_TCP_TIME_WAIT)) {
		tcp_rcv_timewait(tcp_twsk(sk), skb, t);
		return;
	}
	if (sk->sk_state == SS_TCP_NEW_SYN_RECV) {
		tcp_rcv_request((struct request_sock *)sk, skb);
		return;
	}
	rcv_sock(sk, skb, t->family != AF_INET, ttl);
}

/* ---- ICMP errors ------------------------------------------------------------------------------------- */

static void tcp_err_request(struct request_sock *req, u32 seq)
{
	struct sock *listener = req->rsk_listener;

	if (seq != tcp_rsk(req)->snt_isn) {
		NET_INC_STATS(req->c.skc_net, MIB_TcpExt_OutOfWindowIcmps);
		return;
	}
	inet_csk_reqsk_queue_drop(listener, req);
	NET_INC_STATS(sock_net(listener), MIB_TcpExt_ListenDrops);
}

struct sock *tcp_err_sock(struct net *net, const struct inet_tuple *t, u32 seq, bool unreachable,
			  enum mib_counter in_errors)
{
	struct sock *sk = __inet_lookup_established(&net->tcp->hashinfo, t);

	if (!sk) {
		NET_INC_STATS(net, in_errors);
		return NULL;
	}
	if (sk->sk_state == SS_TCP_TIME_WAIT)
		return NULL;
	if (sk->sk_state == SS_TCP_NEW_SYN_RECV) {
		if (unreachable)
			tcp_err_request((struct request_sock *)sk, seq);
		return NULL;
	}
	/* RFC 5927 4: believe only what quotes a segment that is in flight. */
	if (sk->sk_state != SS_TCP_LISTEN &&
	    !between(seq, tcp_sk(sk)->snd_una, tcp_sk(sk)->snd_nxt)) {
		NET_INC_STATS(net, MIB_TcpExt_OutOfWindowIcmps);
		return NULL;
	}
	return sk;
}

void tcp_err_report(struct sock *sk, int err, bool recverr)
{
	sock_hold(sk);
	if (sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV) {
		/* A connection that is still opening fails (RFC 1122 4.2.3.9: soft errors are shown once it is clear). */
		sk->sk_err = err;
		sk_error_report(sk);
		tcp_done(sk);
	} else if (recverr) {
		sk->sk_err = err;
		sk_error_report(sk);
	} else {
		/* RFC 9293 3.9.2.2 (MUST-56): not a reason to abort; shown if the connection times out. */
		sk->sk_err_soft = err;
	}
	sock_put(sk);
}

/* RFC 1191, RFC 8201: the path takes less than we send. */
void tcp_mtu_reduced(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 mtu;

	if (sk->sk_state == SS_TCP_LISTEN || sk->sk_state == SS_TCP_CLOSE ||
	    icsk->icsk_af_ops->rebuild_header(sk))
		return;
	mtu = dst_mtu(sk->sk_dst_cache);
	if (inet_sk(sk)->pmtudisc != IP_PMTUDISC_DONT && icsk->icsk_pmtu_cookie > mtu) {
		tcp_sync_mss(sk, mtu);
		tcp_simple_retransmit(sk);
	}
}

/* ---- connect ----------------------------------------------------------------------------------------- */

int tcp_connect_failed(struct sock *sk, int err)
{
	tcp_set_state(sk, SS_TCP_CLOSE);
	if (!(sk->sk_userlocks & SK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	sk_dst_reset(sk);
	inet_reset_peer(sk);
	return err;
}

int tcp_connect_begin(struct sock *sk, struct dst_entry *dst, u16 ext_hdr_len, u16 mss)
{
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct net *net = sock_net(sk);
	struct inet_tuple t;
	struct tcp_isn isn;
	int err;

	sk_dst_set(sk, dst);
	if (likely(!tp->repair))
		tp->write_seq = 0;
	tp->ts_recent = 0;
	tp->ts_recent_stamp = 0;
	tp->mss_clamp = mss;
	inet_csk(sk)->icsk_ext_hdr_len = ext_hdr_len;

	tcp_set_state(sk, SS_TCP_SYN_SENT);
	err = inet_hash_connect(sk);
	if (err)
		return tcp_connect_failed(sk, err);
	inet_common_tuple(&sk->c, &t);
	if (likely(!tp->repair)) {
		isn = tcp_init_isn(net, &t);
		if (!tp->write_seq)
			tp->write_seq = isn.seq;
		tp->tsoffset = isn.ts_off;
	}
	inet->inet_id = (u16)cpu_random(sk->sk_cpu);
	if (unlikely(tcp_fastopen_defer_connect(sk)))
		return 0;
	err = tcp_connect(sk);
	return err ? tcp_connect_failed(sk, err) : 0;
}
