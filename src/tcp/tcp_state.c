/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_state.c - segment arrival in every state but ESTABLISHED (RFC 9293 3.10.7)
 *
 * Theory of operation
 *   One function per state, chosen by table. Each is a sequence of the RFC's steps, in the RFC's order:
 *     tcp_check_seq   first: acceptable sequence number (with PAWS, RFC 7323 5)
 *     tcp_check_rst   second: RST
 *     tcp_check_syn   fourth: SYN
 *     tcp_check_ack   fifth: ACK
 *     tcp_data        seventh: payload, which also finds the FIN (eighth: tcp_fin())
 *     tcp_urg         sixth: the urgent pointer
 *   (third is security, which nobody has.)
 *   A step returns true to go on; false when the segment is done with, which then has been consumed. The steps share struct tcp_seg.
 *   A blind attacker's RST, SYN or ACK is answered with a challenge ACK (RFC 5961), at a limited rate.
 * Context: softirq, cpu lock held. A step may end the connection: the caller of tcp_rcv_state_process() holds a reference.
 */
#include <errno.h>

#include "tcp/tcp_auth.h"

typedef void tcp_state_fn(struct sock *sk, struct tcp_seg *seg);

/* ---- challenge ACKs ---------------------------------------------------------------------------------- */

#define CHALLENGE_ACK_UNLIMITED 0x7fffffffu

/* RFC 5961 7: no more than tcp_challenge_ack_limit in a second, per net, and a slow rate per connection. */
void tcp_send_challenge_ack(struct sock *sk)
{
	struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_now_ms(sk);
	u64 second = tcp_now_ns(sk) / NSEC_PER_SEC;

	if (tcp_oow_limited(tp->last_oow_ack, now, net)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPACKSkippedChallenge);
		return;
	}
	tp->last_oow_ack = now ? now : 1;
	if (net->challenge_ack_limit != CHALLENGE_ACK_UNLIMITED) {
		if (net->challenge_epoch != second) {
			u32 limit = (u32)max(net->challenge_ack_limit, 0);

			/* How many there are must not be countable from outside (CVE-2016-5696): half to one and a half times. */
			net->challenge_epoch = second;
			net->challenge_left = (limit + 1) / 2;
			if (limit)
				net->challenge_left += (u32)cpu_random(sk->sk_cpu) % limit;
		}
		if (!net->challenge_left)
			return;
		net->challenge_left--;
	}
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPChallengeACK);
	tcp_send_ack(sk);
}

/* ---- the steps --------------------------------------------------------------------------------------- */

/* A RST at the octet before rcv_nxt is what some stacks send after their FIN was not acknowledged. */
static bool tcp_reset_check(const struct sock *sk, const struct tcp_seg *seg)
{
	return seg->seq == tcp_sk(sk)->rcv_nxt - 1 &&
	       (sk->sk_state == SS_TCP_CLOSE_WAIT || sk->sk_state == SS_TCP_LAST_ACK ||
		sk->sk_state == SS_TCP_CLOSING);
}

/* A valid RST: the connection ends, seg with it. */
static bool tcp_accept_rst(struct sock *sk, struct tcp_seg *seg)
{
	tcp_reset(sk);
	tcp_seg_drop(seg, SKB_DROP_TCP_RESET);
	return false;
}

/* RFC 5961 4.2: a SYN inside a connection says nothing; let the peer prove that it has lost its state. */
static bool tcp_refuse_syn(struct sock *sk, struct tcp_seg *seg)
{
	NET_INC_STATS(sk->sk_net, MIB_Tcp_InErrs);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSYNChallenge);
	tcp_send_challenge_ack(sk);
	tcp_seg_drop(seg, SKB_DROP_TCP_INVALID_SYN);
	return false;
}

static bool tcp_check_seq(struct sock *sk, struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	skb_drop_reason_t reason;

	if (!seg->opts_parsed)
		tcp_seg_parse_opts(seg, false, tp->tsoffset);
	reason = tcp_auth_unexpected(sk, seg);
	if (unlikely(reason)) {
		tcp_seg_drop(seg, reason);
		return false;
	}
	if (!tp->tstamp_ok)
		seg->saw_tstamp = false;
	if (tcp_paws_reject(tp, seg) && !(seg->flags & TCP_FLAG_RST)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_PAWSEstab);
		if (!tcp_oow_rate_limited(sk, seg->skb, &tp->last_oow_ack,
					  MIB_TcpExt_TCPACKSkippedPAWS))
			tcp_send_dupack_dsack(sk, seg->seq, seg->end_seq);
		tcp_seg_drop(seg, SKB_DROP_TCP_PAWS);
		return false;
	}
	reason = tcp_sequence(tp, seg->seq, seg->end_seq);
	if (likely(!reason))
		return true;
	if (seg->flags & TCP_FLAG_RST) {
		if (tcp_reset_check(sk, seg))
			return tcp_accept_rst(sk, seg);
	} else if (seg->flags & TCP_FLAG_SYN) {
		return tcp_refuse_syn(sk, seg);
	} else if (!tcp_oow_rate_limited(sk, seg->skb, &tp->last_oow_ack,
					 MIB_TcpExt_TCPACKSkippedSeq)) {
		tcp_send_dupack_dsack(sk, seg->seq, seg->end_seq);
	}
	tcp_seg_drop(seg, reason);
	return false;
}

/* RFC 5961 3.2: only the exact next number resets. The right edge of a SACKed range is as good: the peer's snd_nxt may be there. */
static bool tcp_rst_matches(const struct sock *sk, const struct tcp_seg *seg)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 max_sack;

	if (seg->seq == tp->rcv_nxt || tcp_reset_check(sk, seg))
		return true;
	if (!tp->sack_ok || !tp->num_sacks)
		return false;
	max_sack = tp->ofo->selective_acks[0].end;
	for (u32 i = 1; i < tp->num_sacks; i++)
		max_sack = after(tp->ofo->selective_acks[i].end, max_sack)
				   ? tp->ofo->selective_acks[i].end
				   : max_sack;
	return seg->seq == max_sack;
}

static bool tcp_check_rst(struct sock *sk, struct tcp_seg *seg)
{
	if (likely(!(seg->flags & TCP_FLAG_RST)))
		return true;
	if (tcp_rst_matches(sk, seg))
		return tcp_accept_rst(sk, seg);
	tcp_send_challenge_ack(sk);
	tcp_seg_drop(seg, SKB_DROP_TCP_RESET_SEQ);
	return false;
}

static bool tcp_check_syn(struct sock *sk, struct tcp_seg *seg)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (likely(!(seg->flags & TCP_FLAG_SYN)))
		return true;
	/* Simultaneous open: the peer's SYN comes again as SYN-ACK and completes the handshake. */
	if (sk->sk_state == SS_TCP_SYN_RECV && (seg->flags & TCP_FLAG_ACK) && sk->sk_socket &&
	    seg->seq + 1 == tp->rcv_nxt && seg->end_seq == tp->rcv_nxt && seg->ack == tp->snd_nxt)
		return true;
	return tcp_refuse_syn(sk, seg);
}

bool tcp_validate_incoming(struct sock *sk, struct tcp_seg *seg)
{
	return tcp_check_seq(sk, seg) && tcp_check_rst(sk, seg) && tcp_check_syn(sk, seg);
}

/* Fifth: what it acknowledges must have been sent. */
static bool tcp_check_ack(struct sock *sk, struct tcp_seg *seg)
{
	enum tcp_ack_result r;

	if (!(seg->flags & TCP_FLAG_ACK)) {
		tcp_seg_drop(seg, SKB_DROP_TCP_NO_ACK);
		return false;
	}
	tcp_replace_ts_recent(tcp_sk(sk), seg);
	r = tcp_ack(sk, seg, true);
	if (r == TCP_ACK_OK || (r == TCP_ACK_OLD && sk->sk_state != SS_TCP_SYN_RECV))
		return true;
	if (sk->sk_state == SS_TCP_SYN_RECV)
		tcp_send_reset(sk, seg->skb);
	tcp_seg_drop(seg, r == TCP_ACK_OLD ? SKB_DROP_TCP_OLD_ACK : SKB_DROP_TCP_INVALID_ACK);
	return false;
}

/* Is there payload beyond rcv_nxt? */
static bool tcp_new_data(const struct sock *sk, const struct tcp_seg *seg)
{
	return seg->end_seq != seg->seq &&
	       after(seg->end_seq - ((seg->flags & TCP_FLAG_FIN) != 0), tcp_sk(sk)->rcv_nxt);
}

/* Nobody will read it: RFC 9293 3.6 and RFC 2525 2.17 want a RST. */
static void tcp_abort_on_data(struct sock *sk, struct tcp_seg *seg)
{
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnData);
	tcp_send_reset(sk, seg->skb);
	tcp_reset(sk);
	tcp_seg_drop(seg, SKB_DROP_TCP_ABORT_ON_DATA);
}

/* Seventh and eighth, and what may be sent because of it all. Ends the processing of the segment. */
static void tcp_data(struct sock *sk, struct tcp_seg *seg)
{
	tcp_urg(sk, seg);
	tcp_data_queue(sk, seg);
	if (sk->sk_state == SS_TCP_CLOSE)
		return; /* FIN_WAIT2 met its FIN: a timewait sock goes on */
	tcp_data_snd_check(sk);
	tcp_ack_snd_check(sk);
}

/* ---- LISTEN (3.10.7.2) ------------------------------------------------------------------------------- */

/* An ACK for no handshake that we know: one that a cookie stands for, or a mistake. */
static void tcp_listen_ack(struct sock *sk, struct tcp_seg *seg)
{
	struct sock *child = NULL;

	switch (tcp_cookie_check(sk, seg, &child)) {
	case TCP_COOKIE_CHILD:
		tcp_child_process(sk, child, seg->skb);
		seg->skb = NULL;
		return;
	case TCP_COOKIE_DROP:
		tcp_seg_drop(seg, SKB_DROP_TCP_LISTEN_OVERFLOW);
		return;
	case TCP_COOKIE_NONE:
		break;
	}
	tcp_send_reset(sk, seg->skb);
	tcp_seg_drop(seg, SKB_DROP_TCP_FLAGS);
}

static void tcp_state_listen(struct sock *sk, struct tcp_seg *seg)
{
	if (seg->flags & TCP_FLAG_RST) {
		tcp_seg_drop(seg, SKB_DROP_TCP_RESET);
	} else if (seg->flags & TCP_FLAG_ACK) {
		tcp_listen_ack(sk, seg);
	} else if ((seg->flags & TCP_FLAG_SYN) && !(seg->flags & TCP_FLAG_FIN)) {
		tcp_conn_request(sk, seg->skb, 0);
		seg->skb = NULL;
	} else {
		tcp_seg_drop(seg, SKB_DROP_TCP_FLAGS);
	}
}

/* ---- SYN-SENT (3.10.7.3) ----------------------------------------------------------------------------- */

/* What both kinds of SYN tell in this state. */
static void tcp_learn_from_syn(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_tcp *net = tcp_net(sk);
	u32 mss = seg->opts.mss ? seg->opts.mss : TCP_MSS_DEFAULT_;

	if (tp->user_mss && tp->user_mss < mss)
		mss = tp->user_mss;
	tp->mss_clamp = (u16)mss;
	tp->sack_ok = seg->opts.sack_ok && net->sack;
	tp->wscale_ok = seg->opts.wscale_ok && net->window_scaling;
	tp->snd_wscale = tp->wscale_ok ? seg->opts.snd_wscale & 15 : 0;
	if (!tp->wscale_ok) {
		tp->rcv_wscale = 0;
		tp->window_clamp = min(tp->window_clamp, 65535u);
	}
	tp->tcp_header_len = TCP_BASE_HDR;
	tcp_ecn_rcv_syn_sent(sk, seg);
	tp->tstamp_ok = seg->saw_tstamp && net->timestamps;
	if (tp->tstamp_ok) {
		tp->tcp_header_len += TCPOLEN_TSTAMP_ALIGNED_;
		tp->ts_recent = seg->tsval;
		tp->ts_recent_stamp = tcp_now_s(sk);
		tp->advmss -= TCPOLEN_TSTAMP_ALIGNED_;
	}
	if (unlikely(tcp_auth(sk))) {
		tcp_ao_peer_isn(sk, seg->seq);
		tp->tcp_header_len = (u16)(tp->tcp_header_len + tcp_auth_header_len(sk));
	}
	tp->rcv_nxt = seg->seq + 1;
	tp->rcv_wup = tp->rcv_nxt;
	tp->copied_seq = tp->rcv_nxt;
	tp->snd_wnd = seg->window; /* not scaled in a SYN (RFC 7323 2.2) */
	tp->snd_wl1 = seg->seq;
	tp->max_window = max(tp->max_window, tp->snd_wnd);
	tcp_mtup_init(sk);
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
	tcp_initialize_rcv_mss(sk);
}

/* Does a send call wait that will go on as soon as the connection stands? Its octets then carry the ACK. */
static bool tcp_data_will_follow(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_rare(sk);
	const struct tcp_fastopen *tfo = r ? r->tfo : NULL;

	return tcp_send_head(sk) || tcp_sk(sk)->write_pending || (r && r->defer_accept) ||
	       tcp_in_pingpong(sk) || (tfo && tfo->msg && tfo->msg->iter.count);
}

/* RFC 9293 3.10.7.3: octets of a SYN-ACK are the first of the connection. As Linux, where fast open was tried. */
static void tcp_synack_data(struct sock *sk, struct tcp_seg *seg)
{
	seg->seq++;
	TCP_SKB_CB(seg->skb)->seq = seg->seq;
	TCP_SKB_CB(seg->skb)->tcp_flags &= (u8)~TCP_FLAG_SYN;
	tcp_data_queue(sk, seg);
}

static void tcp_syn_sent_synack(struct sock *sk, struct tcp_seg *seg)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	bool again;

	tp->snd_wl1 = seg->seq;
	/* With it the end of a recovery is seen at once: tcp_ack() asks. */
	tp->sack_ok = seg->opts.sack_ok && tcp_net(sk)->sack;
	tcp_ack(sk, seg, true);
	tcp_learn_from_syn(sk, seg);
	tcp_finish_connect(sk);
	again = unlikely(tp->syn_fastopen || tp->syn_data) && tcp_rcv_fastopen_synack(sk, seg);
	if (unlikely(tp->syn_fastopen || tp->syn_data) && !again && seg->end_seq != seg->seq + 1)
		tcp_synack_data(sk, seg);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_state_change(sk);
	if (again) {
		consume_skb(seg->skb); /* what was sent again carries the ACK */
		return;
	}
	if (tcp_data_will_follow(sk)) {
		tp->write_pending = 0;
		/* Data will follow at once and carry the ACK. */
		icsk->icsk_ack.pending |= ICSK_ACK_SCHED | ICSK_ACK_TIMER;
		tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
		tcp_reset_delack_timer(sk, tcp_now_ns(sk) + TCP_DELACK_MAX_US * NSEC_PER_USEC);
		consume_skb(seg->skb);
		tcp_push_pending_frames(sk);
		return;
	}
	consume_skb(seg->skb);
	tcp_send_ack(sk);
}

/* A SYN without ACK: both sides open at once (RFC 9293 3.5, figure 7). */
static void tcp_syn_sent_simultaneous(struct sock *sk, struct tcp_seg *seg)
{
	struct sk_buff *syn = tcp_rtx_queue_head(sk);

	tcp_set_state(sk, SS_TCP_SYN_RECV);
	tcp_learn_from_syn(sk, seg);
	consume_skb(seg->skb);
	if (!syn)
		return;
	/* The same SYN, now with an ACK; the timer goes on. */
	TCP_SKB_CB(syn)->tcp_flags |= TCP_FLAG_ACK;
	TCP_SKB_CB(syn)->tcp_flags &= tcp_sk(sk)->ecn_flags & TCP_ECN_OK
					      ? (u8)~TCP_FLAG_CWR
					      : (u8) ~(TCP_FLAG_ECE | TCP_FLAG_CWR);
	tcp_transmit_skb(sk, syn, TCP_SEND_CLONE);
}

static void tcp_state_syn_sent(struct sock *sk, struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	skb_drop_reason_t reason;

	tcp_seg_parse_opts(seg, true, tp->tsoffset);
	reason = tcp_auth_unexpected(sk, seg);
	if (unlikely(reason)) {
		tcp_seg_drop(seg, reason);
		return;
	}
	if (seg->flags & TCP_FLAG_ACK) {
		bool bad = !after(seg->ack, tp->snd_una) || after(seg->ack, tp->snd_nxt);

		/* The peer has the rest of an old connection, which our reset ends (RFC 9293 3.5.1): the SYN goes again at once, once. */
		if (bad && !(seg->flags & TCP_FLAG_RST) && !inet_csk(sk)->icsk_retransmits)
			tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_MIN_US);
		/* An echo of a timestamp that this SYN did not carry: an answer to an earlier incarnation. */
		if (!bad && seg->saw_tstamp && seg->tsecr &&
		    !between(seg->tsecr - tp->tsoffset, tp->flight->retrans_stamp - 1,
			     tcp_now_ms(sk))) {
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_PAWSActive);
			bad = true;
		}
		if (bad) {
			if (!(seg->flags & TCP_FLAG_RST))
				tcp_send_reset(sk, seg->skb);
			tcp_seg_drop(seg, SKB_DROP_TCP_INVALID_ACK);
			return;
		}
		if (seg->flags & TCP_FLAG_RST) {
			tcp_accept_rst(sk, seg);
			return;
		}
		if (!(seg->flags & TCP_FLAG_SYN)) {
			tcp_seg_drop(seg, SKB_DROP_TCP_FLAGS);
			return;
		}
		tcp_syn_sent_synack(sk, seg);
		return;
	}
	if ((seg->flags & TCP_FLAG_RST) || !(seg->flags & TCP_FLAG_SYN)) {
		tcp_seg_drop(seg, SKB_DROP_TCP_FLAGS);
		return;
	}
	tcp_syn_sent_simultaneous(sk, seg);
}

/* ---- SYN-RECEIVED (3.10.7.4) ------------------------------------------------------------------------- */

static void tcp_state_syn_recv(struct sock *sk, struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);

	bool fastopen = tp->tfo_passive;

	/* The peer's SYN again: our SYN-ACK was lost. Its number is kept in snd_wl1. */
	if (fastopen &&
	    (seg->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) == TCP_FLAG_SYN &&
	    seg->seq == tp->snd_wl1) {
		if (!tcp_oow_rate_limited(sk, seg->skb, &tp->last_oow_ack,
					  MIB_TcpExt_TCPACKSkippedSynRecv))
			tcp_retransmit_skb(sk, tcp_rtx_queue_head(sk), 1);
		tcp_seg_drop(seg, SKB_DROP_TCP_REQ_DUP);
		return;
	}
	if (!tcp_validate_incoming(sk, seg) || !tcp_check_ack(sk, seg))
		return;
	if (!fastopen)
		tp->copied_seq = tp->rcv_nxt;
	tcp_set_state(sk, SS_TCP_ESTABLISHED);
	tp->snd_una = seg->ack;
	tp->snd_wnd = seg->window << ((seg->flags & TCP_FLAG_SYN) ? 0 : tp->snd_wscale);
	tp->max_window = max(tp->max_window, tp->snd_wnd);
	tp->snd_wl1 = seg->seq;
	inet_csk(sk)->icsk_ack.lrcvtime = tcp_now_ms(sk);
	if (!fastopen) {
		tp->delivered++; /* the SYN-ACK */
		tcp_init_transfer(sk);
		tp->lsndtime = tcp_now_ms(sk);
	}
	tcp_initialize_rcv_mss(sk);
	if (sock_flag(sk, SOCK_KEEPOPEN))
		tcp_reset_keepalive_timer(sk, keepalive_time_s(sk) * NSEC_PER_SEC);
	tcp_fast_path_set(tp);
	if (sk->sk_socket)
		sk_state_change(sk);
	/* shutdown(2) or close(2) came before the handshake was over: their FIN goes now. */
	if (sk->sk_shutdown & SK_SHUTDOWN_SEND) {
		tcp_set_state(sk, SS_TCP_FIN_WAIT1);
		tcp_send_fin(sk);
	}
	tcp_data(sk, seg);
}

/* ---- the closing states (3.10.7.4) ------------------------------------------------------------------- */

static bool tcp_fin_acked(const struct sock *sk)
{
	return tcp_sk(sk)->snd_una == tcp_sk(sk)->write_seq && !tcp_sk(sk)->fin_waits;
}

/* The receive side is shut down: payload that nobody can read ends the connection. */
static bool tcp_check_shutdown_data(struct sock *sk, struct tcp_seg *seg)
{
	if ((sk->sk_shutdown & SK_SHUTDOWN_RCV) && tcp_new_data(sk, seg)) {
		tcp_abort_on_data(sk, seg);
		return false;
	}
	return true;
}

/* An orphan in FIN-WAIT-2: how long it may wait for the peer's FIN. False: seg and connection are done with. */
static bool tcp_orphan_fin_wait2(struct sock *sk, struct tcp_seg *seg)
{
	u64 tmo = tcp_fin_time_ns(sk);

	if ((tcp_rare(sk) && tcp_rare(sk)->linger2_s < 0) || tcp_new_data(sk, seg)) {
		tcp_abort_on_data(sk, seg);
		return false;
	}
	if (tmo > TCP_TIMEWAIT_NS) {
		tcp_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_NS);
	} else if (seg->flags & TCP_FLAG_FIN) {
		tcp_reset_keepalive_timer(sk, tmo); /* this very segment goes on to TIME_WAIT */
	} else {
		tcp_time_wait(sk, SS_TCP_FIN_WAIT2, tmo);
		consume_skb(seg->skb);
		return false;
	}
	return true;
}

static void tcp_state_fin_wait1(struct sock *sk, struct tcp_seg *seg)
{
	if (!tcp_validate_incoming(sk, seg) || !tcp_check_ack(sk, seg))
		return;
	if (tcp_fin_acked(sk)) {
		tcp_set_state(sk, SS_TCP_FIN_WAIT2);
		sk->sk_shutdown |= SK_SHUTDOWN_SEND;
		if (!sock_flag(sk, SOCK_DEAD))
			sk_state_change(sk);
		else if (!tcp_orphan_fin_wait2(sk, seg))
			return;
	}
	if (tcp_check_shutdown_data(sk, seg))
		tcp_data(sk, seg);
}

static void tcp_state_fin_wait2(struct sock *sk, struct tcp_seg *seg)
{
	if (tcp_validate_incoming(sk, seg) && tcp_check_ack(sk, seg) &&
	    tcp_check_shutdown_data(sk, seg))
		tcp_data(sk, seg);
}

/* The peer has sent its FIN: only retransmissions of old octets can follow. */
static void tcp_after_fin(struct sock *sk, struct tcp_seg *seg)
{
	if (!before(seg->seq, tcp_sk(sk)->rcv_nxt)) {
		consume_skb(seg->skb);
		seg->skb = NULL;
		tcp_data_snd_check(sk);
		tcp_ack_snd_check(sk);
		return;
	}
	if (tcp_check_shutdown_data(sk, seg))
		tcp_data(sk, seg);
}

static void tcp_state_close_wait(struct sock *sk, struct tcp_seg *seg)
{
	if (tcp_validate_incoming(sk, seg) && tcp_check_ack(sk, seg))
		tcp_after_fin(sk, seg);
}

static void tcp_state_closing(struct sock *sk, struct tcp_seg *seg)
{
	if (!tcp_validate_incoming(sk, seg) || !tcp_check_ack(sk, seg))
		return;
	if (tcp_fin_acked(sk)) {
		tcp_time_wait(sk, SS_TCP_TIME_WAIT, TCP_TIMEWAIT_NS);
		consume_skb(seg->skb);
		return;
	}
	tcp_after_fin(sk, seg);
}

static void tcp_state_last_ack(struct sock *sk, struct tcp_seg *seg)
{
	if (!tcp_validate_incoming(sk, seg) || !tcp_check_ack(sk, seg))
		return;
	if (tcp_fin_acked(sk)) {
		tcp_update_metrics(sk);
		tcp_done(sk);
		consume_skb(seg->skb);
		return;
	}
	tcp_after_fin(sk, seg);
}

static void tcp_state_closed(struct sock *sk, struct tcp_seg *seg)
{
	(void)sk;
	tcp_seg_drop(seg, SKB_DROP_TCP_CLOSE);
}

static tcp_state_fn *const tcp_state_table[] = {
	[SS_TCP_SYN_SENT] = tcp_state_syn_sent,   [SS_TCP_SYN_RECV] = tcp_state_syn_recv,
	[SS_TCP_FIN_WAIT1] = tcp_state_fin_wait1, [SS_TCP_FIN_WAIT2] = tcp_state_fin_wait2,
	[SS_TCP_CLOSE] = tcp_state_closed,        [SS_TCP_CLOSE_WAIT] = tcp_state_close_wait,
	[SS_TCP_LAST_ACK] = tcp_state_last_ack,   [SS_TCP_LISTEN] = tcp_state_listen,
	[SS_TCP_CLOSING] = tcp_state_closing,
};

void tcp_rcv_state_process(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_seg seg;

	assert(sk->sk_state < ARRAY_SIZE(tcp_state_table) && tcp_state_table[sk->sk_state]);
	tcp_seg_init(&seg, skb);
	trace_skb(skb, sk->sk_net, TP_tcp_rcv_state_process, TRACE_PASS, sk->sk_state, 0);
	tcp_state_table[sk->sk_state](sk, &seg);
}
