/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_input.c - segment arrival in ESTABLISHED, and what all states share: data, ACK scheduling, receive window growth
 *
 * Theory of operation
 *   tcp_rcv_established() first compares one word of the header (length, flags, window) with pred_flags, and the sequence number
 *   with rcv_nxt: if both are as expected, nothing unusual can be in the segment and it is either the next data or a plain ACK
 *   (header prediction, RFC 1323's authors). Everything else takes the steps of RFC 9293 3.10.7.4 one by one. Hits are counted as Linux
 *   does (TCPHPHits with data, TCPHPAcks for ACKs of something new), misses by cause (TCP_HP_MISSES).
 *   ACKs: at once for every second full segment, for anything out of order, in quick mode (at the start, after idle and losses) and
 *   when the window opens much; else delayed (RFC 9293 3.8.6.3, RFC 5681 4.2).
 *   Receive buffer: rcv_ssthresh limits the window to what skbs of the present size would fit; it grows with each arrival. The
 *   buffer itself grows with what the program reads per round trip (dynamic right sizing), up to tcp_rmem[2].
 * Context: softirq, cpu lock held. skb->data is at the payload, transport_header at the header, which is linear.
 */
#include <errno.h>

#include "tcp/tcp_auth.h"

/* Of the word of the header that begins with the data offset, in host order. */
#define TCP_HP_LENGTH 0xf0000000u
#define TCP_HP_FLAGS  0x01ff0000u
/* Three reserved bits and PSH say nothing; network order. */
#define TCP_HP_MASK __builtin_bswap32(~(0x0e000000u | ((u32)TCP_FLAG_PSH << 16)))

#define TCP_HP_MISS_ROW_(name, point_)                                                             \
	[TCP_HP_MISS_##name] = { MIB_WeirExt_TCPHPMiss##name, TP_##point_ },

/* ---- the segment ------------------------------------------------------------------------------------- */

void tcp_seg_init(struct tcp_seg *seg, struct sk_buff *skb)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	seg->skb = skb;
	seg->seq = cb->seq;
	seg->end_seq = cb->end_seq;
	seg->ack = cb->ack_seq;
	seg->len = skb->len;
	seg->window = be16_to_cpu(th->window);
	seg->urg_ptr = be16_to_cpu(th->urg_ptr);
	seg->flags = cb->tcp_flags;
	seg->opts_parsed = false;
	seg->saw_tstamp = false;
	seg->tsval = seg->tsecr = 0;
	memcpy(&seg->pred, (const u8 *)th + 12, 4);
}

void tcp_seg_parse_opts(struct tcp_seg *seg, bool syn, u32 tsoffset)
{
	const u8 *p = skb_transport_header(seg->skb);

	(void)tsoffset;
	tcp_opts_parse(p, tcp_hdr_len((const struct tcp_hdr *)p), syn, &seg->opts);
	seg->opts_parsed = true;
	seg->saw_tstamp = seg->opts.saw_tstamp;
	seg->tsval = seg->opts.tsval;
	seg->tsecr = seg->opts.tsecr;
}

void tcp_seg_drop(struct tcp_seg *seg, skb_drop_reason_t reason)
{
	kfree_skb_reason(seg->skb, reason);
	seg->skb = NULL;
}

/* ---- timestamps (RFC 7323) --------------------------------------------------------------------------- */

/* @window: by how many ticks it may be older. */
static bool tcp_paws_ok(const struct tcp_sock *tp, const struct tcp_seg *seg, s32 window)
{
	const struct sock *sk = (const struct sock *)tp;

	if ((s32)(tp->ts_recent - seg->tsval) <= window || !tp->ts_recent)
		return true;
	/* RFC 7323 5.5: after 24 days ts_recent says nothing any more. */
	return tcp_now_s(sk) - tp->ts_recent_stamp >= TCP_PAWS_24DAYS_S;
}

/* An ACK that overtook another: harmless, and its timestamp is old by less than a retransmission timeout. */
static bool tcp_disordered_ack(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	const struct sock *sk = (const struct sock *)tp;

	return (seg->flags & TCP_FLAG_ACK) && seg->seq == seg->end_seq && seg->seq == tp->rcv_nxt &&
	       seg->ack == tp->snd_una && (seg->window << tp->snd_wscale) == tp->snd_wnd &&
	       (s32)(tp->ts_recent - seg->tsval) <= (s32)(inet_csk(sk)->icsk_rto_us / 1000);
}

bool tcp_paws_reject(const struct tcp_sock *tp, const struct tcp_seg *seg)
{
	/* One tick: a peer's cpus may not quite agree about the time. */
	return seg->saw_tstamp && !tcp_paws_ok(tp, seg, 1) && !tcp_disordered_ack(tp, seg);
}

/* RFC 7323 4.3 (2): only a segment that covers the last ACK sent may set the echo. */
void tcp_replace_ts_recent(struct tcp_sock *tp, const struct tcp_seg *seg)
{
	const struct sock *sk = (const struct sock *)tp;

	if (!seg->saw_tstamp || after(seg->seq, tp->rcv_wup) || !tcp_paws_ok(tp, seg, 0))
		return;
	tp->ts_recent = seg->tsval;
	tp->ts_recent_stamp = tcp_now_s(sk);
}

/* RFC 9293 3.10.7.4, first check: some octet of it, or its place, lies in the window. */
skb_drop_reason_t tcp_sequence(const struct tcp_sock *tp, u32 seq, u32 end_seq)
{
	if (before(end_seq, tp->rcv_wup))
		return SKB_DROP_TCP_OLD_DATA;
	if (after(seq, tp->rcv_nxt + tcp_receive_window(tp)))
		return SKB_DROP_TCP_OVERWINDOW;
	return SKB_NOT_DROPPED;
}

/* Answers to segments outside the window could be made to ping-pong for ever: one per tcp_invalid_ratelimit. */
bool tcp_oow_rate_limited(struct sock *sk, const struct sk_buff *skb, u32 *last_ms,
			  enum mib_counter skipped)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 now = tcp_now_ms(sk);

	if (cb->seq != cb->end_seq && !(cb->tcp_flags & TCP_FLAG_SYN))
		return false; /* data must be answered */
	if (tcp_oow_limited(*last_ms, now, tcp_net(sk))) {
		NET_INC_STATS(sk->sk_net, skipped);
		return true;
	}
	*last_ms = now ? now : 1;
	return false;
}

/* ---- when to acknowledge ----------------------------------------------------------------------------- */

static void tcp_incr_quickack(struct sock *sk, u32 max_quickacks)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 n = tcp_sk(sk)->rcv_wnd / max(2u * icsk->icsk_ack.rcv_mss, 1u);

	n = min(n ? n : 2, max_quickacks);
	if (n > icsk->icsk_ack.quick)
		icsk->icsk_ack.quick = (u8)n;
}

void tcp_enter_quickack_mode(struct sock *sk, u32 max_quickacks)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	tcp_incr_quickack(sk, max_quickacks);
	icsk->icsk_ack.pingpong = 0;
	icsk->icsk_ack.ato_us = TCP_ATO_MIN_US;
}

void tcp_initialize_rcv_mss(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 hint = min(tp->advmss, tp->mss_cache);

	hint = min(hint, tp->rcv_wnd / 2);
	hint = min(hint, TCP_MSS_DEFAULT_);
	inet_csk(sk)->icsk_ack.rcv_mss = (u16)max(hint, TCP_MIN_MSS);
}

/* What a full segment of the peer is. */
static __always_inline void __tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 len = skb_shinfo(skb)->gso_size ? skb_shinfo(skb)->gso_size : skb->len;
	u16 last = icsk->icsk_ack.last_seg_size;

	icsk->icsk_ack.last_seg_size = 0;
	if (len >= icsk->icsk_ack.rcv_mss) {
		icsk->icsk_ack.rcv_mss = (u16)min(len, (u32)tcp_sk(sk)->advmss);
		return;
	}
	/* Two shorter ones of equal size without PSH: the path has become narrower. */
	if (len >= TCP_MIN_MSS && !(TCP_SKB_CB(skb)->tcp_flags & TCP_FLAG_PSH)) {
		icsk->icsk_ack.last_seg_size = (u16)len;
		if (len == last) {
			icsk->icsk_ack.rcv_mss = (u16)len;
			return;
		}
	}
	if (icsk->icsk_ack.pending & ICSK_ACK_PUSHED)
		icsk->icsk_ack.pending |= ICSK_ACK_PUSHED2;
	icsk->icsk_ack.pending |= ICSK_ACK_PUSHED;
}

void tcp_measure_rcv_mss(struct sock *sk, const struct sk_buff *skb)
{
	__tcp_measure_rcv_mss(sk, skb);
}

void __tcp_ack_snd_check(struct sock *sk, bool ofo_possible)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	/* RFC 5681 4.2: every second full segment, and out-of-order ones at once. */
	if ((tp->rcv_nxt - tp->rcv_wup > icsk->icsk_ack.rcv_mss &&
	     (tp->rcv_nxt - tp->copied_seq < max(sk->sk_rcvlowat, 1u) ||
	      __tcp_select_window(sk) >= tp->rcv_wnd)) ||
	    tcp_in_quickack_mode(sk) || (icsk->icsk_ack.pending & ICSK_ACK_NOW))
		tcp_send_ack(sk);
	else if (!ofo_possible || tcp_ofo_empty(tp))
		tcp_send_delayed_ack(sk);
	else if (!tcp_sack_compress(sk))
		tcp_send_ack(sk);
}

void tcp_ack_snd_check(struct sock *sk)
{
	if (inet_csk(sk)->icsk_ack.pending & (ICSK_ACK_SCHED | ICSK_ACK_NOW))
		__tcp_ack_snd_check(sk, true);
}

/* ---- receive buffer ---------------------------------------------------------------------------------- */

/* How far the window may grow because of an skb that uses its memory badly. */
static u32 tcp_grow_badly(const struct sock *sk, const struct sk_buff *skb)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 truesize = tcp_win_from_space(skb->truesize) >> 1;
	u32 window = tcp_win_from_space(tcp_net(sk)->rmem[2]) >> 1;

	while (tp->rcv_ssthresh <= window) {
		if (truesize <= skb->len)
			return 2u * inet_csk(sk)->icsk_ack.rcv_mss;
		truesize >>= 1;
		window >>= 1;
	}
	return 0;
}

static void tcp_grow_window(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 limit = min(tp->window_clamp, tcp_space(sk)), incr;

	if (tp->rcv_ssthresh >= limit || tcp_under_memory_pressure(sk))
		return;
	if (tcp_win_from_space(skb->truesize) <= skb->len)
		incr = 2u * tp->advmss;
	else
		incr = tcp_grow_badly(sk, skb);
	if (incr) {
		incr = max(incr, 2 * skb->len);
		tp->rcv_ssthresh += min(limit - tp->rcv_ssthresh, incr);
		inet_csk(sk)->icsk_ack.quick |= 1;
	}
}

static void tcp_sndbuf_expand(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 per_mss = tp->mss_cache + MAX_TCP_HEADER + 512u,
	    segs = max(TCP_INIT_CWND, tp->snd_cwnd);
	u64 mem;

	per_mss = 1u << order_base_2(per_mss);
	/* Twice the window: one in flight, one to follow. */
	segs = max(segs, tp->reordering + 1u);
	mem = 2ULL * segs * (per_mss + 256);
	if (sk->sk_sndbuf < mem)
		sk->sk_sndbuf = (u32)min(mem, (u64)tcp_net(sk)->wmem[2]);
}

/* No more than the buffer's @space; net.ipv4.tcp_app_win keeps some of it for what the program is slow to read, a segment at least. */
static void tcp_clamp_initial_window(const struct sock *sk, u32 space)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 app_win = tcp_net(sk)->app_win;

	if (tp->window_clamp >= space)
		tp->window_clamp = space;
	if (!app_win)
		return;
	if (tp->window_clamp == space && space > 4u * tp->advmss)
		tp->window_clamp = max(space - (space >> app_win), 4u * tp->advmss);
	if (tp->window_clamp > 2u * tp->advmss && tp->window_clamp + tp->advmss > space)
		tp->window_clamp = max(2u * tp->advmss, space - tp->advmss);
}

void tcp_init_buffer_space(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(sk->sk_userlocks & SK_SNDBUF_LOCK))
		tcp_sndbuf_expand(sk);
	tp->rcvq_time = tcp_now_us(sk);
	tp->rcvq_seq = tp->copied_seq;
	tp->rcvq_space = min(tp->rcv_wnd, TCP_INIT_CWND * tp->advmss);
	tcp_clamp_initial_window(sk, tcp_full_space(sk));
	tp->rcv_ssthresh = min(tp->rcv_ssthresh, tp->window_clamp);
}

/* Dynamic right sizing, once in a round trip: the program wants in the next one twice what it read in this. */
void __tcp_rcv_space_adjust(struct sock *sk, u32 now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 copied = tp->copied_seq - tp->rcvq_seq;

	if (copied > tp->rcvq_space && tcp_net(sk)->moderate_rcvbuf &&
	    !(sk->sk_userlocks & SK_RCVBUF_LOCK) && !tcp_under_memory_pressure(sk)) {
		u64 win = ((u64)copied << 1) + 16ULL * tp->advmss, buf;

		/* The sender may be in slow start: leave it the room to double again. */
		win += win * (copied - tp->rcvq_space) / max(tp->rcvq_space, 1u) << 1;
		buf = min(win << 1, (u64)tcp_net(sk)->rmem[2]);
		if (buf > sk->sk_rcvbuf) {
			sk->sk_rcvbuf = (u32)buf;
			tp->window_clamp = tcp_win_from_space((u32)buf);
		}
	}
	if (copied > tp->rcvq_space)
		tp->rcvq_space = copied;
	tp->rcvq_seq = tp->copied_seq;
	tp->rcvq_time = now;
}

/* The receiver's view of the round trip: our timestamp went out with an ACK and came back with data. */
static void tcp_rcv_rtt_measure(struct sock *sk, const struct sk_buff *skb, u32 tsecr)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 ms, us;

	if (skb->len < inet_csk(sk)->icsk_ack.rcv_mss || !tsecr)
		return;
	ms = tcp_now_ms(sk) - (tsecr - tp->tsoffset);
	if (ms > TCP_RTO_MAX_US / 1000)
		return;
	us = max(ms, 1u) * 1000;
	tp->rcv_rtt_us = tp->rcv_rtt_us ? tp->rcv_rtt_us - (tp->rcv_rtt_us >> 3) + (us >> 3) : us;
}

void tcp_event_data_recv(struct sock *sk, struct sk_buff *skb)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 now = tcp_now_ms(sk);
	u64 gap_us = (u64)(now - icsk->icsk_ack.lrcvtime) * 1000;

	icsk->icsk_ack.pending |= ICSK_ACK_SCHED;
	__tcp_measure_rcv_mss(sk, skb);
	if (!icsk->icsk_ack.ato_us) {
		/* The first data: the sender is in slow start and needs every ACK. */
		tcp_incr_quickack(sk, TCP_MAX_QUICKACKS);
		icsk->icsk_ack.ato_us = TCP_ATO_MIN_US;
	} else if (gap_us <= TCP_ATO_MIN_US / 2) {
		icsk->icsk_ack.ato_us = (icsk->icsk_ack.ato_us >> 1) + TCP_ATO_MIN_US / 2;
	} else if (gap_us < icsk->icsk_ack.ato_us) {
		icsk->icsk_ack.ato_us =
			min((icsk->icsk_ack.ato_us >> 1) + (u32)gap_us, icsk->icsk_rto_us);
	} else if (gap_us > icsk->icsk_rto_us) {
		/* It was idle: the sender begins slowly again. */
		tcp_incr_quickack(sk, TCP_MAX_QUICKACKS);
	}
	icsk->icsk_ack.lrcvtime = now;
	tcp_ecn_data(sk, skb);
	if (skb->len >= 128)
		tcp_grow_window(sk, skb);
}

/* ---- sending what has become possible ---------------------------------------------------------------- */

static bool tcp_should_expand_sndbuf(const struct sock *sk)
{
	const struct sock_mem *mem = &tcp_net(sk)->mem;

	if (sk->sk_userlocks & SK_SNDBUF_LOCK)
		return false;
	if (tcp_under_memory_pressure(sk) || mem->allocated >= mem->limit[0])
		return false;
	/* With a full congestion window a larger buffer would not help. */
	return tcp_sk(sk)->packets_out < tcp_sk(sk)->snd_cwnd;
}

/* Room in the send buffer, and a program waits for it. */
void __tcp_check_space(struct sock *sk)
{
	if (!sk->sk_socket)
		return;
	if (tcp_should_expand_sndbuf(sk))
		tcp_sndbuf_expand(sk);
	tcp_stream_write_space(sk);
	if (!sock_flag(sk, SOCK_NOSPACE))
		tcp_chrono_stop(sk, TCP_CHRONO_SNDBUF_LIMITED);
}

void tcp_data_snd_check(struct sock *sk)
{
	tcp_push_pending_frames(sk);
	tcp_check_space(sk);
}

void tcp_fast_path_check(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_ofo_empty(tp) && tp->rcv_wnd && sk->sk_rmem_alloc < sk->sk_rcvbuf && !tp->urg_data)
		tcp_fast_path_set(tp);
}

/* ---- data -------------------------------------------------------------------------------------------- */

/* RFC 9293 3.10.7.4, eighth step: the FIN is in order. */
void tcp_fin(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_SCHED;
	sk->sk_shutdown |= SK_SHUTDOWN_RCV;
	sock_set_flag(sk, SOCK_DONE);
	tcp_fastopen_orderly_fin(sk);
	tcp_ofo_purge(sk);
	tp->num_sacks = 0;
	switch (sk->sk_state) {
	case SS_TCP_SYN_RECV:
	case SS_TCP_ESTABLISHED:
		tcp_set_state(sk, SS_TCP_CLOSE_WAIT);
		tcp_enter_pingpong(sk); /* our FIN will probably carry the ACK */
		break;
	case SS_TCP_FIN_WAIT1:
		/* Simultaneous close. */
		tcp_send_ack(sk);
		tcp_set_state(sk, SS_TCP_CLOSING);
		break;
	case SS_TCP_FIN_WAIT2:
		tcp_send_ack(sk);
		tcp_time_wait(sk, SS_TCP_TIME_WAIT, TCP_TIMEWAIT_NS);
		break;
	default: /* CLOSE_WAIT, CLOSING, LAST_ACK: a FIN that came again */
		break;
	}
	if (!sock_flag(sk, SOCK_DEAD))
		sk_state_change(sk);
}

static void tcp_drop_outside(struct sock *sk, struct tcp_seg *seg, skb_drop_reason_t reason)
{
	tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS);
	inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_SCHED;
	tcp_seg_drop(seg, reason);
}

/* The octets at rcv_nxt have come. */
static void tcp_data_queue_in_order(struct sock *sk, struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = seg->skb;

	if (unlikely(tcp_try_rmem_schedule(sk, skb, skb->truesize))) {
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_SCHED | ICSK_ACK_NOW;
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPRcvQDrop);
		sk_data_ready(sk);
		tcp_seg_drop(seg, SKB_DROP_TCP_RCVBUFF);
		return;
	}
	if (skb->len)
		tcp_event_data_recv(sk, skb);
	seg->skb = NULL;
	tcp_queue_rcv(sk, skb);
	if (seg->flags & TCP_FLAG_FIN)
		tcp_fin(sk);
	if (!tcp_ofo_empty(tp)) {
		tcp_ofo_queue(sk);
		/* RFC 5681 4.2: at once when a gap was filled. */
		if (tcp_ofo_empty(tp))
			inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
	}
	if (tp->num_sacks)
		tcp_sack_remove(tp);
	tcp_ofo_put(sk);
	tcp_fast_path_check(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_data_ready(sk);
}

/* RFC 9293 3.10.7.4, seventh step. Consumes seg->skb. */
void tcp_data_queue(struct sock *sk, struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 window = tcp_receive_window(tp);

	if (seg->seq == seg->end_seq) {
		consume_skb(seg->skb);
		seg->skb = NULL;
		return;
	}
	trace_skb(seg->skb, sk->sk_net, TP_tcp_data_queue, TRACE_QUEUED, seg->seq, tp->rcv_nxt);
	skb_dst_drop(seg->skb);
	tcp_ecn_accept_cwr(sk, seg);
	if (seg->seq == tp->rcv_nxt) {
		if (!window) {
			/* A lone FIN needs no room. */
			if (seg->len) {
				NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPZeroWindowDrop);
				tcp_drop_outside(sk, seg, SKB_DROP_TCP_ZERO_WINDOW);
				return;
			}
		}
		tcp_data_queue_in_order(sk, seg);
		return;
	}
	if (!after(seg->end_seq, tp->rcv_nxt)) {
		/* All old: our ACK was lost, or it was sent too early. */
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_DelayedACKLost);
		tcp_dsack_set(sk, seg->seq, seg->end_seq);
		tcp_drop_outside(sk, seg, SKB_DROP_TCP_OLD_DATA);
		return;
	}
	if (!before(seg->seq, tp->rcv_nxt + window)) {
		tcp_drop_outside(sk, seg, SKB_DROP_TCP_OVERWINDOW);
		return;
	}
	if (before(seg->seq, tp->rcv_nxt)) {
		tcp_dsack_set(sk, seg->seq, tp->rcv_nxt);
		if (!window) {
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPZeroWindowDrop);
			tcp_drop_outside(sk, seg, SKB_DROP_TCP_ZERO_WINDOW);
			return;
		}
		tcp_data_queue_in_order(sk, seg);
		return;
	}
	tcp_data_queue_ofo(sk, seg->skb);
	seg->skb = NULL;
}

/* ---- ESTABLISHED ------------------------------------------------------------------------------------- */

/* Timestamps of a segment that was predicted. */
struct tcp_hp_stamps {
	bool saw;
	u32 val, ecr;
};

/* The word of the header is not as predicted: why. */
static __attribute__((noinline, cold)) enum tcp_hp tcp_hp_word_differs(const struct sock *sk,
								       u32 word)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 differs = __builtin_bswap32((word ^ tp->pred_flags) & TCP_HP_MASK);

	if (!tp->pred_flags) {
		/* What tcp_fast_path_check() asks for. */
		if (!tcp_ofo_empty(tp))
			return TCP_HP_MISS_OfoQueue;
		if (tp->urg_data)
			return TCP_HP_MISS_Urgent;
		if (!tp->rcv_wnd)
			return TCP_HP_MISS_RcvWindow;
		return sk->sk_rmem_alloc >= sk->sk_rcvbuf ? TCP_HP_MISS_Memory : TCP_HP_MISS_Unset;
	}
	if (differs & TCP_HP_FLAGS)
		return TCP_HP_MISS_Flags;
	return differs & TCP_HP_LENGTH ? TCP_HP_MISS_Options : TCP_HP_MISS_Window;
}

/* Is the segment what was expected? *@ret is written in any case. */
static enum tcp_hp tcp_predict(struct sock *sk, const struct sk_buff *skb,
			       struct tcp_hp_stamps *ret)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const u8 *th = skb_transport_header(skb);
	u32 word;

	ret->saw = false;
	ret->val = ret->ecr = 0;
	memcpy(&word, th + 12, sizeof(word));
	if (unlikely((word & TCP_HP_MASK) != tp->pred_flags))
		return tcp_hp_word_differs(sk, word);
	if (unlikely(cb->seq != tp->rcv_nxt))
		return TCP_HP_MISS_Seq;
	/* From snd_una to snd_nxt. */
	if (unlikely(cb->ack_seq - tp->snd_una > tp->snd_nxt - tp->snd_una))
		return TCP_HP_MISS_Ack;
	if (tp->tcp_header_len == TCP_BASE_HDR + TCPOLEN_TSTAMP_ALIGNED_) {
		if (unlikely(!tcp_opts_fast_tstamp(th + TCP_BASE_HDR, &ret->val, &ret->ecr)))
			return TCP_HP_MISS_Options;
		if (unlikely((s32)(ret->val - tp->ts_recent) < 0))
			return TCP_HP_MISS_Timestamp;
		ret->saw = true;
	} else if (unlikely(tp->tstamp_ok)) {
		return TCP_HP_MISS_Options; /* they are behind a signature */
	}
	if (skb->len) {
		/* Beyond the window or the buffer: the slow path knows what to do. */
		if (unlikely(skb->len > tcp_receive_window(tp)))
			return TCP_HP_MISS_RcvWindow;
		if (unlikely(sk->sk_rmem_alloc > sk->sk_rcvbuf ||
			     !sk_mem_schedule(sk, skb->truesize, SK_MEM_RECV)))
			return TCP_HP_MISS_Memory;
	}
	if (ret->saw && tp->rcv_nxt == tp->rcv_wup) {
		tp->ts_recent = ret->val;
		tp->ts_recent_stamp = tcp_now_s(sk);
	}
	return TCP_HP_HIT;
}

static void tcp_seg_predicted(struct tcp_seg *seg, struct sk_buff *skb,
			      const struct tcp_hp_stamps *ts)
{
	tcp_seg_init(seg, skb);
	seg->saw_tstamp = ts->saw;
	seg->tsval = ts->val;
	seg->tsecr = ts->ecr;
}

/* A plain ACK, as predicted. */
static void tcp_fast_ack(struct sock *sk, struct sk_buff *skb, const struct tcp_hp_stamps *ts)
{
	tcp_ack_predicted(sk, skb, ts->ecr);
	consume_skb(skb);
	tcp_data_snd_check(sk);
}

/* The next data, as predicted. */
static void tcp_fast_data(struct sock *sk, struct sk_buff *skb, const struct tcp_hp_stamps *ts)
{
	struct tcp_sock *tp = tcp_sk(sk);

	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPHPHits);
	tcp_rcv_rtt_measure(sk, skb, ts->ecr);
	skb_dst_drop(skb);
	if (TCP_SKB_CB(skb)->ack_seq != tp->snd_una) {
		tcp_ack_predicted(sk, skb, ts->ecr);
		tcp_event_data_recv(sk, skb);
		tcp_queue_rcv(sk, skb);
		sk_mem_charge(sk);      /* the ACK may have given back what was granted for it */
		tcp_data_snd_check(sk); /* may have carried our ACK */
		if (inet_csk(sk)->icsk_ack.pending & ICSK_ACK_SCHED)
			__tcp_ack_snd_check(sk, false);
	} else {
		/* A mere receiver's SND.WL1 must follow, or after 2 GiB every window update would look old. */
		tp->snd_wl1 = TCP_SKB_CB(skb)->seq;
		tcp_event_data_recv(sk, skb);
		tcp_queue_rcv(sk, skb);
		__tcp_ack_snd_check(sk, false);
	}
	sk_data_ready(sk);
}

static void tcp_hp_missed(const struct sock *sk, struct sk_buff *skb, enum tcp_hp why)
{
	static const struct {
		u16 counter;
		trace_point_t point;
	} misses[NR_TCP_HP] = { TCP_HP_MISSES(TCP_HP_MISS_ROW_) };

	NET_INC_STATS(sk->sk_net, misses[why].counter);
	trace_skb(skb, sk->sk_net, TP_tcp_rcv_established, TRACE_PASS, tcp_sk(sk)->rcv_nxt, 0);
	trace_skb(skb, sk->sk_net, misses[why].point, TRACE_PASS, TCP_SKB_CB(skb)->seq,
		  tcp_sk(sk)->rcv_nxt);
}

/* RFC 9293 3.10.7.4, step by step. */
static __attribute__((noinline)) void tcp_rcv_unpredicted(struct sock *sk, struct sk_buff *skb,
							  enum tcp_hp why)
{
	struct tcp_seg seg;

	tcp_hp_missed(sk, skb, why);
	tcp_seg_init(&seg, skb);
	tcp_seg_parse_opts(&seg, false, tcp_sk(sk)->tsoffset);
	if (!tcp_validate_incoming(sk, &seg))
		return;
	if (!(seg.flags & TCP_FLAG_ACK)) {
		tcp_seg_drop(&seg, SKB_DROP_TCP_NO_ACK);
		return;
	}
	tcp_accecn_rcv(sk, &seg);
	tcp_replace_ts_recent(tcp_sk(sk), &seg);
	if (tcp_ack(sk, &seg, true) == TCP_ACK_INVALID) {
		tcp_seg_drop(&seg, SKB_DROP_TCP_INVALID_ACK);
		return;
	}
	tcp_rcv_rtt_measure(sk, seg.skb, seg.saw_tstamp ? seg.tsecr : 0);
	tcp_urg(sk, &seg);
	tcp_data_queue(sk, &seg);
	tcp_data_snd_check(sk);
	tcp_ack_snd_check(sk);
}

void tcp_rcv_established(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_hp_stamps ts;
	enum tcp_hp miss = tcp_predict(sk, skb, &ts);

	if (unlikely(miss)) {
		tcp_rcv_unpredicted(sk, skb, miss);
		return;
	}
	if (unlikely(tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN)) {
		struct tcp_seg seg;

		tcp_seg_predicted(&seg, skb, &ts);
		__tcp_accecn_rcv(sk, &seg);
	}
	trace_skb(skb, sk->sk_net, TP_tcp_rcv_established, TRACE_PASS, tcp_sk(sk)->rcv_nxt, 1);
	if (skb->len)
		tcp_fast_data(sk, skb, &ts);
	else
		tcp_fast_ack(sk, skb, &ts);
}

/* ---- becoming ESTABLISHED ---------------------------------------------------------------------------- */

void tcp_init_transfer(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_mtup_init(sk);
	inet_csk(sk)->icsk_af_ops->rebuild_header(sk);
	/* RFC 5681 3.1: more than one SYN lost: begin with one segment. The window of a listener's child says so already. */
	if (tp->snd_cwnd != 1 && !(tp->total_retrans > 1 && tp->flight->undo_marker))
		tp->snd_cwnd = tcp_init_cwnd(sk, sk->sk_dst_cache);
	else
		tp->snd_cwnd = 1;
	/* A lost SYN says nothing about the path's capacity: slow start all the same. */
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tcp_init_metrics(sk);
	tcp_init_congestion_control(sk);
	tcp_init_buffer_space(sk);
}

void tcp_finish_connect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_set_state(sk, SS_TCP_ESTABLISHED);
	inet_csk(sk)->icsk_ack.lrcvtime = tcp_now_ms(sk);
	tcp_init_transfer(sk);
	tcp_rto_recovery_end(sk);
	/* The first data must not look like the end of an idle period. */
	tp->lsndtime = tcp_now_ms(sk);
	if (sock_flag(sk, SOCK_KEEPOPEN))
		tcp_reset_keepalive_timer(sk, keepalive_time_s(sk) * NSEC_PER_SEC);
	/* The window of the SYN-ACK was not scaled: with scaling the next segment will differ. */
	if (!tp->snd_wscale)
		tcp_fast_path_set(tp);
	else
		tp->pred_flags = 0;
}
