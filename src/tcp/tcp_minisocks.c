/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_minisocks.c - the small socks: a request before the connection exists, TIME_WAIT after it
 *
 * Theory of operation
 *   tcp_conn_request() answers a SYN and keeps a request sock in ehash. Segments for that 4-tuple come to tcp_check_req(): the
 *   right ACK makes the child, a repeated SYN repeats the SYN-ACK, anything else is judged as RFC 9293 3.10.7.4 says for
 *   SYN-RECEIVED. The listener itself never sees them.
 *   tcp_time_wait() replaces a connection by a timewait sock. With tw_substate FIN_WAIT2 it still waits for the peer's FIN (an orphan
 *   that saves memory); with TIME_WAIT it answers retransmissions for a minute (2 MSL), and may be taken over by a SYN that is
 *   clearly newer, or by our own connect(2) (RFC 6191).
 * References: see inet_connection_sock.c and inet_timewait_sock.c.
 * See RFC 9293 3.6.1, RFC 1337, RFC 6191, RFC 7323 5.
 */
#include <errno.h>
#include <stdlib.h>

#include "ipv6/ipv6.h"
#include "tcp/tcp_auth.h"

/* ---- TIME_WAIT --------------------------------------------------------------------------------------- */

static void tcp_twsk_destruct(struct inet_timewait_sock *tw)
{
	tcp_auth_put(tcp_twsk(tw)->auth);
}

void tcp_time_wait(struct sock *sk, u8 substate, u64 timeout_ns)
{
	struct netns_tcp *net = tcp_net(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct inet_timewait_sock *tw;

	tw = inet_twsk_alloc(sk, sizeof(struct tcp_timewait_sock), net->max_tw_buckets, substate);
	if (tw) {
		struct tcp_timewait_sock *tcptw = tcp_twsk(tw);
		u64 rto4 = (u64)inet_csk(sk)->icsk_rto_us * 1000 * 7 / 2;

		tw->tw_rcv_wscale = tp->rcv_wscale;
		tcptw->rcv_nxt = tp->rcv_nxt;
		tcptw->snd_nxt = tp->snd_nxt;
		tcptw->rcv_wnd = tcp_receive_window(tp);
		tcptw->ts_recent = tp->ts_recent;
		tcptw->ts_recent_stamp = tp->ts_recent_stamp;
		tcptw->ts_offset = tp->tsoffset;
		tcptw->saw_tstamp = tp->tstamp_ok;
		tcptw->entry_ms = tcp_now_ms(sk);
		if (unlikely(tcp_auth(sk))) {
			tcptw->auth = tcp_auth(sk);
			tcptw->auth->refcnt++;
			tw->tw_destruct = tcp_twsk_destruct;
		}
		/* Long enough for the peer to send its FIN again, whatever was asked for. */
		timeout_ns = max(timeout_ns, rto4);
		if (substate == SS_TCP_TIME_WAIT)
			timeout_ns = TCP_TIMEWAIT_NS;
		inet_twsk_hashdance(tw, sk, timeout_ns);
	} else {
		/* Too many of them: then without (RFC 9293 wants the wait, but memory is bounded). */
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPTimeWaitOverflow);
	}
	tcp_update_metrics(sk);
	tcp_done(sk);
}

static void tcp_tw_restart(struct tcp_timewait_sock *tw)
{
	inet_twsk_reschedule(&tw->tw, TCP_TIMEWAIT_NS);
}

static bool tcp_tw_paws_reject(const struct tcp_timewait_sock *tw, const struct tcp_seg *seg)
{
	u32 now = (u32)(tw->tw.tw_cpu->now / NSEC_PER_SEC);

	if (!seg->saw_tstamp || !tw->saw_tstamp || (s32)(tw->ts_recent - seg->tsval) <= 0)
		return false;
	return now - tw->ts_recent_stamp < TCP_PAWS_24DAYS_S;
}

static bool tcp_in_window(u32 seq, u32 end_seq, u32 s_win, u32 e_win)
{
	if (seq == s_win)
		return true;
	if (after(end_seq, s_win) && before(seq, e_win))
		return true;
	return seq == e_win && seq == end_seq;
}

/* The answer to a stray segment, at a limited rate. */
static enum tcp_tw_verdict tcp_tw_answer(struct tcp_timewait_sock *tw, struct sk_buff *skb)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct net *net = tw->tw.c.skc_net;
	u32 now = (u32)(tw->tw.tw_cpu->now / NSEC_PER_MSEC);

	if (cb->seq == cb->end_seq || (cb->tcp_flags & TCP_FLAG_SYN)) {
		if (tcp_oow_limited(tw->last_oow_ack, now, net->tcp)) {
			NET_INC_STATS(net, tw->tw.tw_substate == SS_TCP_FIN_WAIT2
						   ? MIB_TcpExt_TCPACKSkippedFinWait2
						   : MIB_TcpExt_TCPACKSkippedTimeWait);
			return TCP_TW_DONE;
		}
		tw->last_oow_ack = now ? now : 1;
	}
	return TCP_TW_ACK;
}

/* An orphan that waits for the peer's FIN. */
static enum tcp_tw_verdict tcp_tw_fin_wait2(struct tcp_timewait_sock *tw, struct sk_buff *skb,
					    const struct tcp_seg *seg,
					    skb_drop_reason_t *ret_reason)
{
	bool paws = tcp_tw_paws_reject(tw, seg);

	if (paws ||
	    !tcp_in_window(seg->seq, seg->end_seq, tw->rcv_nxt, tw->rcv_nxt + tw->rcv_wnd)) {
		*ret_reason = paws ? SKB_DROP_TCP_PAWS : SKB_DROP_TCP_OVERWINDOW;
		return tcp_tw_answer(tw, skb);
	}
	if (seg->flags & TCP_FLAG_RST) {
		*ret_reason = SKB_DROP_TCP_RESET;
		inet_twsk_deschedule_put(&tw->tw);
		return TCP_TW_DONE;
	}
	if ((seg->flags & TCP_FLAG_SYN) && !before(seg->seq, tw->rcv_nxt)) {
		*ret_reason = SKB_DROP_TCP_INVALID_SYN;
		return TCP_TW_RST;
	}
	if (!(seg->flags & TCP_FLAG_ACK)) {
		*ret_reason = SKB_DROP_TCP_NO_ACK;
		return TCP_TW_DONE;
	}
	/* A plain ACK that says nothing new. */
	if (!after(seg->end_seq, tw->rcv_nxt) || seg->end_seq == seg->seq)
		return TCP_TW_DONE;
	/* Data for nobody, or a FIN that does not come next. */
	if (!(seg->flags & TCP_FLAG_FIN) || seg->end_seq != tw->rcv_nxt + 1) {
		*ret_reason = SKB_DROP_TCP_ABORT_ON_DATA;
		return TCP_TW_RST;
	}
	tw->tw.tw_substate = SS_TCP_TIME_WAIT;
	tw->rcv_nxt = seg->end_seq;
	if (seg->saw_tstamp) {
		tw->ts_recent_stamp = (u32)(tw->tw.tw_cpu->now / NSEC_PER_SEC);
		tw->ts_recent = seg->tsval;
	}
	tcp_tw_restart(tw);
	return TCP_TW_ACK;
}

enum tcp_tw_verdict tcp_timewait_state_process(struct tcp_timewait_sock *tw, struct sk_buff *skb,
					       const struct tcp_seg *seg, u32 *ret_isn,
					       skb_drop_reason_t *ret_reason)
{
	struct net *net = tw->tw.c.skc_net;
	bool paws;

	trace_skb(skb, net, TP_tcp_timewait_state_process, TRACE_PASS, seg->seq, 0);
	*ret_reason = SKB_NOT_DROPPED;
	if (tw->tw.tw_substate == SS_TCP_FIN_WAIT2)
		return tcp_tw_fin_wait2(tw, skb, seg, ret_reason);

	paws = tcp_tw_paws_reject(tw, seg);
	if (!paws && seg->seq == tw->rcv_nxt &&
	    (seg->seq == seg->end_seq || (seg->flags & TCP_FLAG_RST))) {
		/* In window, and carries nothing. */
		if (seg->flags & TCP_FLAG_RST) {
			/* RFC 1337: a RST must not assassinate TIME_WAIT. Like Linux it may, unless tcp_rfc1337 is set. */
			*ret_reason = SKB_DROP_TCP_RESET;
			if (!net->tcp->rfc1337)
				inet_twsk_deschedule_put(&tw->tw);
			return TCP_TW_DONE;
		}
		tcp_tw_restart(tw);
		if (seg->saw_tstamp) {
			tw->ts_recent = seg->tsval;
			tw->ts_recent_stamp = (u32)(tw->tw.tw_cpu->now / NSEC_PER_SEC);
		}
		return TCP_TW_DONE;
	}
	/* RFC 9293 3.10.7.4, RFC 6191 2: a SYN that is newer than anything of the old connection opens a new one. */
	if ((seg->flags & TCP_FLAG_SYN) && !(seg->flags & (TCP_FLAG_RST | TCP_FLAG_ACK)) && !paws &&
	    (after(seg->seq, tw->rcv_nxt) ||
	     (seg->saw_tstamp && tw->saw_tstamp && (s32)(tw->ts_recent - seg->tsval) < 0))) {
		u32 isn = tw->snd_nxt + 65535 + 2;

		*ret_isn = isn ? isn : 1;
		return TCP_TW_SYN;
	}
	*ret_reason = paws ? SKB_DROP_TCP_PAWS : SKB_DROP_TCP_TIMEWAIT;
	if (paws)
		NET_INC_STATS(net, MIB_TcpExt_PAWSTimewait);
	if (seg->flags & TCP_FLAG_RST)
		return TCP_TW_DONE;
	/* The peer's FIN again, or something old. Only what is plausible starts the minute anew. */
	if (paws || (seg->flags & TCP_FLAG_ACK))
		tcp_tw_restart(tw);
	return tcp_tw_answer(tw, skb);
}

static bool is_loopback(const struct sock_common *c)
{
	if (c->skc_bound_dev_if == 1) /* lo, in every net */
		return true;
	if (inet_common_is_v6(c))
		return IN6_IS_ADDR_LOOPBACK(&c->skc_v6_daddr) ||
		       IN6_IS_ADDR_LOOPBACK(&c->skc_v6_rcv_saddr);
	return ipv4_is_loopback(c->skc_daddr) || ipv4_is_loopback(c->skc_rcv_saddr);
}

/* connect(2) chose a 4-tuple that is in TIME_WAIT: with timestamps it is safe a moment later (RFC 6191). */
bool tcp_twsk_unique(struct sock *sk, struct sock_common *c)
{
	struct tcp_timewait_sock *tw = tcp_twsk(c);
	struct netns_tcp *net = tcp_net(sk);
	u32 now = tcp_now_ms(sk);
	u8 reuse = net->tw_reuse;

	if (reuse == 2) /* loopback only */
		reuse = is_loopback(c);
	if (!reuse || !tw->saw_tstamp || !tw->ts_recent_stamp ||
	    tw->tw.tw_substate != SS_TCP_TIME_WAIT || now - tw->entry_ms <= net->tw_reuse_delay_ms)
		return false;
	tcp_sk(sk)->write_seq = tw->snd_nxt + 65535 + 2;
	if (!tcp_sk(sk)->write_seq)
		tcp_sk(sk)->write_seq = 1;
	tcp_sk(sk)->ts_recent = tw->ts_recent;
	tcp_sk(sk)->ts_recent_stamp = tw->ts_recent_stamp;
	return true;
}

/* ---- requests ---------------------------------------------------------------------------------------- */

static const struct tcp_af_ops *req_af(const struct request_sock *req)
{
	return tcp_af(req->c.skc_net, req->rsk_ops->family);
}

int tcp_send_synack(const struct sock *sk, struct dst_entry *dst, struct request_sock *req,
		    const struct tcp_fastopen_cookie *foc)
{
	struct sk_buff *skb = tcp_make_synack(sk, dst, req, foc);

	return skb ? req_af(req)->xmit_synack(sk, skb, req) : -ENOMEM;
}

int tcp_rtx_synack(struct sock *listener, struct request_sock *req)
{
	struct dst_entry *dst = req_af(req)->route_req(listener, req);
	int err = dst ? tcp_send_synack(listener, dst, req, NULL) : -EHOSTUNREACH;

	dst_release(dst);
	return err == -ENOBUFS ? 0 : err;
}

void tcp_openreq_addresses(struct sock *sk, struct request_sock *req, const struct sk_buff *skb)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);

	req->c.skc_num = be16_to_cpu(th->dest);
	req->c.skc_dport = th->source;
	req->c.skc_bound_dev_if = sk->sk_bound_dev_if;
	req->ir_iif = skb->dev ? skb->dev->ifindex : 0;
	req->ir_mark = tcp_net(sk)->fwmark_accept && !sk->sk_mark ? skb->mark : sk->sk_mark;
	req_af(req)->init_req(req, sk, skb);
}

/* The SYN's options and our sysctls decide what the connection will have. */
static void tcp_openreq_init(struct sock *sk, struct request_sock *req, const struct tcp_seg *seg)
{
	const struct netns_tcp *net = tcp_net(sk);
	struct tcp_request_sock *treq = tcp_rsk(req);
	u32 mss = seg->opts.mss ? seg->opts.mss : TCP_MSS_DEFAULT_, user = tcp_sk(sk)->user_mss;

	if (user && user < mss)
		mss = user;
	req->mss = (u16)max(mss, TCP_MIN_SND_MSS);
	treq->rcv_isn = seg->seq;
	treq->rcv_nxt = seg->seq + 1;
	treq->tstamp_ok = seg->saw_tstamp && net->timestamps;
	treq->ts_recent = treq->tstamp_ok ? seg->tsval : 0;
	/* Only timestamps can bring the other options back to a cookie. */
	if (!req->syncookie || treq->tstamp_ok) {
		treq->sack_ok = seg->opts.sack_ok && net->sack;
		treq->wscale_ok = seg->opts.wscale_ok && net->window_scaling;
		treq->snd_wscale = treq->wscale_ok ? seg->opts.snd_wscale & 15 : 0;
	}
	tcp_openreq_addresses(sk, req, seg->skb);
}

void tcp_openreq_init_rwin(struct sock *sk, struct request_sock *req, const struct dst_entry *dst)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	u32 mss = dst_metric_advmss(dst), clamp = tcp_sk(sk)->window_clamp;
	u8 wscale = 0;

	if (tcp_sk(sk)->user_mss && tcp_sk(sk)->user_mss < mss)
		mss = tcp_sk(sk)->user_mss;
	treq->window_clamp = clamp ? clamp : dst_metric(dst, DST_METRIC_WINDOW);
	tcp_select_initial_window(
		sk, tcp_full_space(sk), mss - (treq->tstamp_ok ? TCPOLEN_TSTAMP_ALIGNED_ : 0),
		treq->wscale_ok, dst, &treq->rcv_wnd, &treq->window_clamp, &wscale);
	treq->rcv_wscale = wscale & 15;
}

static u8 tcp_syncookies(const struct sock *sk)
{
	/* A cookie is an answer: who takes connections to any destination has not given one yet. */
	return inet_sk(sk)->listen_any ? 0 : tcp_net(sk)->syncookies;
}

/* TCP_SAVE_SYN: keeps the headers of the SYN for who accepts the connection. Without memory there are none. */
static void tcp_save_syn(const struct sock *listener, struct request_sock *req,
			 const struct sk_buff *skb)
{
	const u8 *end = skb_transport_header(skb), *from;
	struct tcp_saved_syn *s;

	if (likely(!tcp_rare(listener) || !tcp_rare(listener)->save_syn))
		return;
	end += tcp_hdr_len((const struct tcp_hdr *)end);
	from = tcp_rare(listener)->save_syn == 2 ? skb->head + skb->mac_header
						 : skb->head + skb->network_header;
	s = malloc(sizeof(*s) + (size_t)(end - from));
	if (!s)
		return;
	s->len = (u32)(end - from);
	memcpy(s->octets, from, s->len);
	tcp_rsk(req)->saved_syn = s;
}

void tcp_reqsk_destructor(struct request_sock *req)
{
	free(tcp_rsk(req)->saved_syn);
}

/* Is there room for @seg's SYN? *ret_cookie: only if nothing is kept of it. */
static bool tcp_request_admitted(struct sock *sk, const struct tcp_seg *seg, u32 tw_isn,
				 bool *ret_cookie, skb_drop_reason_t *ret_reason)
{
	u32 qlen = inet_csk(sk)->icsk_accept_queue.qlen;
	u8 syncookies = tcp_syncookies(sk);
	bool cookie = false;

	/* One that follows a connection in TIME_WAIT has its number already. */
	if ((syncookies == 2 || inet_csk_reqsk_queue_is_full(sk)) && !tw_isn) {
		trace_skb(seg->skb, sk->sk_net, TP_tcp_syn_flood, TRACE_PASS, seg->seq, qlen);
		if (!syncookies) {
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPReqQFullDrop);
			*ret_reason = SKB_DROP_TCP_REQ_OVERFLOW;
			return false;
		}
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPReqQFullDoCookies);
		cookie = true;
	}
	if (sk_acceptq_is_full(sk)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_ListenOverflows);
		*ret_reason = SKB_DROP_TCP_LISTEN_OVERFLOW;
		return false;
	}
	*ret_cookie = cookie;
	return true;
}

/* A SYN of which nothing is kept. 0 or a drop reason */
static skb_drop_reason_t tcp_conn_cookie(struct sock *sk, const struct tcp_seg *seg,
					 const struct tcp_af_ops *af)
{
	struct tcp_request_sock treq = { .req = { .syncookie = 1 } };
	struct request_sock *req = &treq.req;
	struct net *net = sock_net(sk);
	struct dst_entry *dst;
	struct inet_tuple t;
	u16 mss;

	inet_reqsk_init(req, af->req_ops, sk);
	tcp_openreq_init(sk, req, seg);
	tcp_auth_openreq(sk, req, seg);
	dst = af->route_req(sk, req);
	if (!dst)
		return SKB_DROP_TCP_NOROUTE;
	inet_common_tuple(&req->c, &t);
	treq.ts_off = tcp_init_isn(net, &t).ts_off;
	mss = req->mss;
	treq.snt_isn = tcp_cookie_make(net, &t, seg->seq, &mss);
	tcp_openreq_init_rwin(sk, req, dst);
	tcp_ecn_accept_syn(sk, dst, seg, &treq);
	treq.ecn_ok &= treq.tstamp_ok; /* a timestamp carries it */
	tcp_send_synack(sk, dst, req, NULL);
	tcp_cookie_sent(sk);
	dst_release(dst);
	return 0;
}

/* Without cookies the last quarter of tcp_max_syn_backlog is for peers that have had a connection before. */
static bool tcp_backlog_is_for_friends(const struct sock *sk)
{
	s64 most = tcp_net(sk)->max_syn_backlog;

	return !tcp_syncookies(sk) &&
	       (s64)inet_csk(sk)->icsk_accept_queue.qlen + (most >> 2) > most;
}

/* A SYN that waits for its ACK. 0 or a drop reason */
static skb_drop_reason_t tcp_conn_queue(struct sock *sk, const struct tcp_seg *seg,
					const struct tcp_af_ops *af, u32 tw_isn)
{
	struct request_sock *req = inet_reqsk_alloc(af->req_ops, sk);
	struct tcp_request_sock *treq = tcp_rsk(req);
	skb_drop_reason_t reason = SKB_DROP_NOMEM;
	struct net *net = sock_net(sk);
	struct dst_entry *dst;
	struct tcp_fastopen_cookie foc;
	struct inet_tuple t;
	struct tcp_isn isn;
	bool any;

	if (!req)
		return SKB_DROP_NOMEM;
	tcp_openreq_init(sk, req, seg);
	tcp_auth_openreq(sk, req, seg);
	if (!tw_isn && tcp_backlog_is_for_friends(sk) && !tcp_peer_is_proven(net, req)) {
		reason = SKB_DROP_TCP_REQ_OVERFLOW;
		goto out;
	}
	dst = af->route_req(sk, req);
	if (!dst) {
		reason = SKB_DROP_TCP_NOROUTE;
		goto out;
	}
	inet_common_tuple(&req->c, &t);
	isn = tcp_init_isn(net, &t);
	treq->ts_off = isn.ts_off;
	treq->snt_isn = tw_isn ? tw_isn : isn.seq;
	treq->snt_synack = tcp_now_ns(sk);
	tcp_openreq_init_rwin(sk, req, dst);
	tcp_ecn_accept_syn(sk, dst, seg, treq);
	tcp_save_syn(sk, req, seg->skb);
	any = inet_sk(sk)->listen_any;
	tcp_fastopen_cookie_of(&seg->opts, &foc);
	if (!any && tcp_try_fastopen(sk, seg, req, dst, &foc)) {
		dst_release(dst);
		reason = 0;
		goto out;
	}
	if (!inet_csk_reqsk_queue_hash_add(
		    sk, req, any ? TCP_ANY_ANSWER_NS : TCP_TIMEOUT_INIT_US * NSEC_PER_USEC)) {
		req->pktopts = tcp_v6_pktoptions(sk, seg->skb);
		if (any)
			inet_csk_any_ask(sk, req, skb_get(seg->skb));
		else /* if it is lost here, the timer sends another */
			tcp_send_synack(sk, dst, req, &foc);
		reason = 0;
	}
	req->dst = dst;
out:
	reqsk_put(req);
	return reason;
}

/* RFC 9293 3.10.7.2: a SYN for listener @sk. Consumes @skb. @tw_isn: our first number if TIME_WAIT was taken over, else 0. */
void tcp_conn_request(struct sock *sk, struct sk_buff *skb, u32 tw_isn)
{
	struct net *net = sock_net(sk);
	const struct tcp_af_ops *af = tcp_skb_af(net, skb);
	skb_drop_reason_t reason;
	struct tcp_seg seg;
	bool cookie;

	tcp_seg_init(&seg, skb);
	tcp_seg_parse_opts(&seg, true, 0);
	trace_skb(skb, net, TP_tcp_conn_request, TRACE_PASS, seg.seq,
		  inet_csk(sk)->icsk_accept_queue.qlen);
	if (!af->syn_acceptable(skb)) {
		reason = SKB_DROP_TCP_NOT_FOR_US;
		goto drop;
	}
	reason = tcp_auth_unexpected(sk, &seg);
	if (unlikely(reason)) {
		kfree_skb_reason(skb, reason);
		return;
	}
	if (!tcp_request_admitted(sk, &seg, tw_isn, &cookie, &reason))
		goto drop;
	reason = cookie ? tcp_conn_cookie(sk, &seg, af) : tcp_conn_queue(sk, &seg, af, tw_isn);
	if (reason)
		goto drop;
	consume_skb(skb);
	return;

drop:
	NET_INC_STATS(net, MIB_TcpExt_ListenDrops);
	kfree_skb_reason(skb, reason);
}

/* ---- from request to connection ---------------------------------------------------------------------- */

/* Ends a handshake that went wrong. */
static void tcp_embryonic_reset(struct sock *listener, struct sk_buff *skb,
				struct request_sock *req, u8 flags)
{
	if (!(flags & TCP_FLAG_RST))
		tcp_send_reset(listener, skb);
	inet_csk_reqsk_queue_drop(listener, req);
	NET_INC_STATS(sock_net(listener), MIB_TcpExt_EmbryonicRsts);
}

static bool tcp_req_rate_limited(struct sock *listener, struct sk_buff *skb,
				 struct tcp_request_sock *treq)
{
	return tcp_oow_rate_limited(listener, skb, &treq->last_oow_ack,
				    MIB_TcpExt_TCPACKSkippedSynRecv);
}

static bool tcp_req_paws_reject(struct sock *listener, const struct tcp_request_sock *treq,
				const struct tcp_seg *seg)
{
	(void)listener;
	return seg->saw_tstamp && treq->tstamp_ok && (s32)(treq->ts_recent - seg->tsval) > 0 &&
	       !(seg->flags & TCP_FLAG_RST);
}

struct sock *tcp_syn_recv_sock(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	struct sock *newsk;
	struct tcp_sock *tp;

	if (sk_acceptq_is_full(sk)) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenOverflows);
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
		return NULL;
	}
	/* Of a SYN that was answered with a cookie nothing was kept. */
	if (!req->pktopts)
		req->pktopts = tcp_v6_pktoptions(sk, skb);
	newsk = tcp_create_openreq_child(sk, req, skb);
	if (!newsk) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
		return NULL;
	}
	tp = tcp_sk(newsk);
	sk_dst_set(newsk, req->dst);
	req->dst = NULL;
	if (inet_csk(newsk)->icsk_af_ops->rebuild_header(newsk))
		goto fail;
	tcp_assign_congestion_control(newsk);
	tcp_sync_mss(newsk, dst_mtu(newsk->sk_dst_cache));
	tp->advmss = (u16)min(dst_metric_advmss(newsk->sk_dst_cache), 65535u);
	if (tp->user_mss && tp->user_mss < tp->advmss)
		tp->advmss = tp->user_mss;
	if (tp->tstamp_ok)
		tp->advmss -= TCPOLEN_TSTAMP_ALIGNED_;
	tcp_initialize_rcv_mss(newsk);
	if (__inet_inherit_port(sk, newsk) < 0)
		goto fail;
	if (!inet_ehash_insert(newsk, req->queued ? (struct sock *)req : NULL))
		goto fail;
	return newsk;

fail:
	NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
	inet_csk_prepare_forced_close(newsk);
	inet_csk_destroy_sock(newsk);
	return NULL;
}

struct sock *tcp_check_req(struct sock *sk, struct sk_buff *skb, struct request_sock *req,
			   skb_drop_reason_t *ret_reason)
{
	struct tcp_request_sock *treq = tcp_rsk(req);
	struct sock *child;
	struct tcp_seg seg;
	bool paws;

	tcp_seg_init(&seg, skb);
	tcp_seg_parse_opts(&seg, (seg.flags & TCP_FLAG_SYN) != 0, 0);
	trace_skb(skb, sock_net(sk), TP_tcp_check_req, TRACE_PASS, seg.seq, 0);
	*ret_reason = tcp_auth_unexpected(sk, &seg);
	if (unlikely(*ret_reason))
		return NULL;
	if (req->any == REQSK_ANY_NEW || req->any == REQSK_ANY_TOLD) {
		*ret_reason = tcp_any_segment(sk, req, &seg);
		return NULL;
	}
	paws = tcp_req_paws_reject(sk, treq, &seg);
	*ret_reason = SKB_DROP_TCP_REQ_DUP;

	/* The SYN again: our SYN-ACK was lost or is late. */
	if (seg.seq == treq->rcv_isn &&
	    (seg.flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) == TCP_FLAG_SYN && !paws) {
		if (!tcp_req_rate_limited(sk, skb, treq) && !tcp_rtx_synack(sk, req)) {
			NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPSynRetrans);
			NET_INC_STATS(sock_net(sk), MIB_Tcp_RetransSegs);
			mod_timer(sk->sk_cpu, &req->timer, tcp_now_ns(sk) + req->timeout);
		}
		return NULL;
	}
	/* RFC 9293 3.10.7.4, SYN-RECEIVED: an ACK for something else gets a RST. */
	if ((seg.flags & TCP_FLAG_ACK) && seg.ack != treq->snt_isn + 1) {
		if (!(seg.flags & TCP_FLAG_RST))
			tcp_send_reset(sk, skb);
		*ret_reason = SKB_DROP_TCP_INVALID_ACK;
		return NULL;
	}
	if (paws ||
	    !tcp_in_window(seg.seq, seg.end_seq, treq->rcv_nxt, treq->rcv_nxt + treq->rcv_wnd)) {
		/* A repeated SYN-ACK's SYN is one below the window: truncate rather than complain. */
		if (!(seg.flags & TCP_FLAG_RST) && !tcp_req_rate_limited(sk, skb, treq))
			tcp_reqsk_send_ack(sk, skb, req);
		if (paws)
			NET_INC_STATS(sock_net(sk), MIB_TcpExt_PAWSEstab);
		*ret_reason = paws ? SKB_DROP_TCP_PAWS : SKB_DROP_TCP_OVERWINDOW;
		return NULL;
	}
	if (seg.saw_tstamp && treq->tstamp_ok && !after(seg.seq, treq->rcv_nxt))
		treq->ts_recent = seg.tsval;
	if (seg.flags & (TCP_FLAG_RST | TCP_FLAG_SYN)) {
		NET_INC_STATS(sock_net(sk), MIB_Tcp_AttemptFails);
		*ret_reason =
			seg.flags & TCP_FLAG_RST ? SKB_DROP_TCP_RESET : SKB_DROP_TCP_INVALID_SYN;
		tcp_embryonic_reset(sk, skb, req, seg.flags);
		return NULL;
	}
	if (!(seg.flags & TCP_FLAG_ACK)) {
		*ret_reason = SKB_DROP_TCP_NO_ACK;
		return NULL;
	}
	if (tcp_rare(sk) && req->num_timeout < tcp_rare(sk)->defer_accept &&
	    seg.end_seq == treq->rcv_isn + 1) {
		req->acked = 1;
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPDeferAcceptDrop);
		*ret_reason = SKB_DROP_TCP_DEFER_ACCEPT;
		return NULL;
	}
	child = tcp_syn_recv_sock(sk, skb, req);
	if (!child) {
		*ret_reason = SKB_DROP_TCP_LISTEN_OVERFLOW;
		if (tcp_net(sk)->abort_on_overflow)
			tcp_embryonic_reset(sk, skb, req, seg.flags);
		else
			req->acked = 1; /* the peer will try again with data */
		return NULL;
	}
	if (!req->num_retrans) {
		/* The handshake is a round trip too. */
		u64 us = (tcp_now_ns(sk) - treq->snt_synack) / NSEC_PER_USEC;

		us = max(us, (u64)1);
		tcp_ack_update_rtt(child, (s64)us, (s64)us, false);
	} else if (req->num_retrans > 1 &&
		   !(seg.saw_tstamp && treq->tstamp_ok &&
		     seg.tsecr - treq->ts_off == (u32)(treq->snt_synack / NSEC_PER_MSEC))) {
		/* RFC 5681 3.1: lost, and not only late (the echo is not that of the first): tcp_init_transfer() keeps it. */
		tcp_sk(child)->snd_cwnd = 1;
	}
	*ret_reason = SKB_DROP_TCP_CLOSE;
	return inet_csk_complete_hashdance(sk, child, req) ? child : NULL;
}

/* sock_rare_inherit() has given the child such a part if the listener has one. */
static void tcp_rare_inherit(struct sock *newsk, const struct sock *sk)
{
	const struct tcp_rare *from = tcp_rare(sk);
	struct tcp_rare *to = tcp_rare(newsk);

	if (likely(!from) || !to)
		return;
	to->notsent_lowat = from->notsent_lowat;
	to->tx_delay_us = from->tx_delay_us;
	to->keepalive_time_s = from->keepalive_time_s;
	to->keepalive_intvl_s = from->keepalive_intvl_s;
	to->keepalive_probes = from->keepalive_probes;
	to->linger2_s = from->linger2_s;
	to->defer_accept = from->defer_accept;
	to->rto_min_us = from->rto_min_us;
	to->rto_max_ms = from->rto_max_ms;
	to->recvmsg_inq = from->recvmsg_inq;
}

/* Of the answer to @req's SYN and of its connection, where a socket would have @tos: the SYN's own if it is reflected. The ECN bits are ECN's. */
u8 tcp_req_tos(const struct sock *sk, const struct request_sock *req, u8 tos)
{
	return unlikely(tcp_net(sk)->reflect_tos) ? (u8)((req->ir_tos & ~3u) | (tos & 3u)) : tos;
}

/* The child of @req, not hashed yet: everything that is per connection is set here, the rest is the listener's. */
struct sock *tcp_create_openreq_child(const struct sock *sk, struct request_sock *req,
				      struct sk_buff *skb)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	struct sock *newsk = inet_csk_clone_lock(sk, req);
	struct inet_connection_sock *icsk;
	struct tcp_sock *tp;

	if (!newsk)
		return NULL;
	icsk = inet_csk(newsk);
	tp = tcp_sk(newsk);
	icsk->icsk_af_ops = req_af(req)->csk_ops;
	icsk->icsk_ca_ops = inet_csk(sk)->icsk_ca_ops;
	memset(icsk->icsk_ca_priv, 0, sizeof(icsk->icsk_ca_priv));
	tcp_init_xmit_timers(newsk);
	icsk->icsk_rto_us = TCP_TIMEOUT_INIT_US;
	icsk->icsk_ca_state = TCP_CA_Open;
	icsk->icsk_ca_initialized = 0;
	icsk->icsk_ack.lrcvtime = tcp_now_ms(newsk);

	tp->pred_flags = 0;
	tp->rcv_wup = tp->copied_seq = tp->rcv_nxt = treq->rcv_isn + 1;
	tp->snd_una = tp->snd_sml = tp->snd_nxt = tp->write_seq = tp->pushed_seq =
		treq->snt_isn + 1;
	tp->srtt_us = 0;
	tp->rttvar_us = 0;
	tp->min_rtt_us = 0;
	tp->packets_out = tp->sacked_out = tp->lost_out = tp->retrans_out = 0;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->snd_cwnd_cnt = 0;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tp->max_packets_out = 0;
	tp->is_cwnd_limited = 0;
	tp->reordering = tcp_reordering_least(newsk);
	tcp_rack_reset(tp);
	tp->total_retrans = req->num_retrans;
	tp->total_rto = tp->total_rto_recoveries = 0;
	tp->total_rto_ms = tp->rto_stamp = 0;
	tp->bytes_acked = tp->bytes_received = tp->bytes_sent = 0;
	tp->bytes_retrans = 0;
	tp->delivered = tp->delivered_ce = tp->lost = tp->app_limited = 0;
	tp->rate_delivered = tp->rate_interval_us = 0;
	tp->rate_app_limited = 0;
	tp->data_segs_in = tp->data_segs_out = 0;
	tp->dsack_dups = tp->reord_seen = tp->rcv_ooopack = 0;
	tp->chrono_type = TCP_CHRONO_IDLE;
	memset(tp->chrono_ms, 0, sizeof(tp->chrono_ms));
	tp->segs_in = tp->segs_out = 0;
	tp->lsndtime = tp->rcv_tstamp = tcp_now_ms(newsk);
	tp->last_oow_ack = treq->last_oow_ack;
	tp->probes_stamp = 0;
	tp->plb_rehash = 0;
	tp->num_sacks = 0;
	tp->dsack_pending = 0;
	tp->rcv_rtt_us = 0;
	tp->urg_data = 0;
	tp->urg_out = 0;
	tp->repair = 0;
	tp->tfo_passive = tp->syn_data = tp->syn_data_acked = 0;
	tp->syn_fastopen = tp->syn_fastopen_exp = tp->tfo_probe = 0;

	tp->tsoffset = treq->ts_off;
	tp->tstamp_ok = treq->tstamp_ok;
	tp->sack_ok = treq->sack_ok;
	tp->wscale_ok = treq->wscale_ok;
	tp->snd_wscale = treq->snd_wscale;
	tp->rcv_wscale = treq->wscale_ok ? treq->rcv_wscale : 0;
	tp->rcv_wnd = treq->rcv_wnd;
	tp->rcv_ssthresh = treq->rcv_wnd;
	tp->window_clamp = tp->wscale_ok ? treq->window_clamp : min(treq->window_clamp, 65535u);
	tp->snd_wnd = be16_to_cpu(((const struct tcp_hdr *)skb_transport_header(skb))->window)
		      << tp->snd_wscale;
	tp->max_window = tp->snd_wnd;
	tp->snd_wl1 = treq->rcv_isn;
	tp->tcp_header_len = TCP_BASE_HDR;
	tp->ts_recent = 0;
	tp->ts_recent_stamp = 0;
	if (tp->tstamp_ok) {
		tp->ts_recent = treq->ts_recent;
		tp->ts_recent_stamp = tcp_now_s(newsk);
		tp->tcp_header_len += TCPOLEN_TSTAMP_ALIGNED_;
	}
	tp->mss_clamp = req->mss;
	newsk->sk_destruct = sk->sk_destruct;
	tcp_rare_inherit(newsk, sk);
	if (unlikely(tcp_auth(sk) || treq->ao_used)) {
		if (tcp_auth_inherit(newsk, sk, req)) {
			inet_csk_prepare_forced_close(newsk);
			inet_csk_destroy_sock(newsk);
			return NULL;
		}
		tp->tcp_header_len = (u16)(tp->tcp_header_len + tcp_auth_header_len(newsk));
	}
	inet_sk(newsk)->tos = tcp_req_tos(sk, req, inet_sk(newsk)->tos);
	if (inet_sk(newsk)->pinet6)
		inet_sk(newsk)->pinet6->tclass =
			tcp_req_tos(sk, req, inet_sk(newsk)->pinet6->tclass);
	tcp_ecn_child(newsk, treq);
	if (unlikely(treq->saved_syn) && tcp_rare_get(newsk)) {
		tcp_rare(newsk)->saved_syn = treq->saved_syn;
		tcp_rsk(req)->saved_syn = NULL;
	}
	NET_INC_STATS(sock_net(sk), MIB_Tcp_PassiveOpens);
	return newsk;
}

/* The segment that completed the handshake, on its child; then whoever waits in accept(2) is woken. */
void tcp_child_process(struct sock *parent, struct sock *child, struct sk_buff *skb)
{
	u8 state = child->sk_state;

	sock_hold(child);
	tcp_segs_in(tcp_sk(child), skb);
	tcp_rcv_state_process(child, skb);
	if (state == SS_TCP_SYN_RECV && child->sk_state != state)
		sk_data_ready(parent);
	sock_put(child);
}
