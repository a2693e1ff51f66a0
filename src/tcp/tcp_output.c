/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_output.c - from the write queue to IP: when to send, how much at once, and the header
 *
 * Theory of operation
 *   tcp_write_xmit() walks the write queue while congestion window, the peer's window and Nagle's rule allow, and hands each skb,
 *   cut to what may go, to tcp_transmit_skb(), which clones it, pushes the header and gives the clone to IP. An skb holds up to 64 KiB
 *   and counts as many packets as it makes wire segments. The original moves to the retransmit queue.
 *   A clone shares its head area and fragment list with the original. Therefore an original is copied (pskb_copy: head area and
 *   references) instead of cloned while an earlier clone is still under way, and gets a private fragment list before it is cut.
 *   An ACK for a part of an skb only lowers its packet count; the acknowledged octets are cut off when it is retransmitted
 *   or split (tcp_trim_acked()), which most never are.
 * Invariants
 *   The advertised right edge (rcv_wup + rcv_wnd) never moves left (RFC 9293 3.8.6.2.1), but for net.ipv4.tcp_shrink_window.
 * See RFC 9293 3.8, RFC 5681 3.1, RFC 896 (Nagle) with Minshall's variant, RFC 1122 4.2.3.4 (SWS avoidance).
 */
#include <errno.h>

#include "tcp/tcp_auth.h"

/* ---- MSS --------------------------------------------------------------------------------------------- */

static u32 tcp_bound_to_half_wnd(const struct tcp_sock *tp, u32 size)
{
	/* With a tiny window half of it at a time keeps the ACK clock running (RFC 1122 4.2.3.4). */
	u32 cutoff = tp->max_window > TCP_MSS_DEFAULT_ ? tp->max_window >> 1 : tp->max_window;

	if (cutoff && size > cutoff)
		return max(cutoff, 68u - tp->tcp_header_len);
	return size;
}

u32 tcp_mss_of(const struct sock *sk, u32 mtu)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 hdrs = icsk->icsk_af_ops->net_header_len + TCP_BASE_HDR + icsk->icsk_ext_hdr_len;
	u32 mss = mtu > hdrs ? mtu - hdrs : 0;

	mss = min_t(u32, mss, tp->mss_clamp);
	return max(mss, tcp_net(sk)->min_snd_mss);
}

u32 tcp_mss_to_mtu(const struct sock *sk, u32 mss)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return mss + tcp_sk(sk)->tcp_header_len + icsk->icsk_ext_hdr_len +
	       icsk->icsk_af_ops->net_header_len;
}

/* The path takes @pmtu octets: payload per segment (mss_cache), without SACK blocks. */
u32 tcp_sync_mss(struct sock *sk, u32 pmtu)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tcp_mss_of(sk, pmtu) - (tp->tcp_header_len - TCP_BASE_HDR);

	mss = tcp_bound_to_half_wnd(tp, mss);
	inet_csk(sk)->icsk_pmtu_cookie = pmtu;
	if (unlikely(tp->mtup_low)) {
		/* tcp_mtu_probe.c: a router knows better; else nothing that no probe has shown to pass. */
		tp->mtup_high = (u16)min(tp->mtup_high, pmtu);
		mss = min(mss, tcp_mss_of(sk, tp->mtup_low) - (tp->tcp_header_len - TCP_BASE_HDR));
	}
	tp->mss_cache = (u16)min(mss, 65535u);
	return mss;
}

static u32 tcp_mss_beside_sacks(struct sock *sk, u32 mss)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_out_opts opts;
	u32 hdr = tcp_established_options(sk, &opts) + TCP_BASE_HDR;

	return hdr > tp->tcp_header_len ? max(mss - (hdr - tp->tcp_header_len), 8u) : mss;
}

/* Payload per segment now: the route may have changed, and SACK blocks take room. */
u32 tcp_current_mss(struct sock *sk)
{
	const struct dst_entry *dst = sk->sk_dst_cache;
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = tp->mss_cache;

	if (dst) {
		u32 mtu = dst_mtu(dst);

		if (unlikely(mtu != inet_csk(sk)->icsk_pmtu_cookie))
			mss = tcp_sync_mss(sk, mtu);
	}
	return unlikely(tp->num_sacks || tp->dsack_pending) ? tcp_mss_beside_sacks(sk, mss) : mss;
}

u32 tcp_advertise_mss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_dst_cache) {
		u32 mss = dst_metric_advmss(sk->sk_dst_cache);

		if (mss < tp->advmss)
			tp->advmss = (u16)mss;
	}
	return tp->advmss;
}

u32 tcp_size_goal(const struct sock *sk, u32 mss)
{
	const struct dst_entry *dst = sk->sk_dst_cache;
	u32 goal = GSO_MAX_SIZE - 1 - MAX_TCP_HEADER;

	if (dst && dst->dev->gso_max_size >= 2048)
		goal = min_t(u32, goal, dst->dev->gso_max_size - 1 - MAX_TCP_HEADER);
	if (unlikely(tcp_auth(sk)))
		goal = mss;
	goal = tcp_bound_to_half_wnd(tcp_sk(sk), goal);
	goal = goal / mss * mss;
	return max(goal, mss);
}

u32 tcp_init_cwnd(const struct sock *sk, const struct dst_entry *dst)
{
	u32 cwnd = dst ? dst_metric(dst, DST_METRIC_INITCWND) : 0;

	return cwnd ? cwnd : tcp_net(sk)->init_cwnd;
}

/* ---- receive window ---------------------------------------------------------------------------------- */

/* RFC 7323 2: the window of the SYN (not scaled) and the shift count for the rest of the connection. */
void tcp_select_initial_window(const struct sock *sk, u32 space, u32 mss, bool wscale_ok,
			       const struct dst_entry *dst, u32 *ret_rcv_wnd, u32 *window_clamp,
			       u8 *ret_wscale)
{
	const struct netns_tcp *net = tcp_net(sk);
	u32 segs = dst_metric(dst, DST_METRIC_INITRWND);
	u8 wscale = 0;

	/* A buffer that the program has set does not grow by itself. */
	if ((sk->sk_userlocks & SK_RCVBUF_LOCK) && (!*window_clamp || *window_clamp > space))
		*window_clamp = space;
	if (*window_clamp == 0)
		*window_clamp = 65535u << TCP_MAX_WSCALE_;
	space = min(*window_clamp, space);
	if (mss && space > mss)
		space -= space % mss;
	/* A peer without window scaling may take the field for a signed number. */
	*ret_rcv_wnd = min(space, net->workaround_signed_windows && !wscale_ok ? 32767u : 65535u);
	if (unlikely(segs)) /* ip route ... initrwnd */
		*ret_rcv_wnd = (u32)min((u64)*ret_rcv_wnd, (u64)segs * mss);
	if (wscale_ok) {
		/* As large as the buffer may ever become, not as it is now: the shift cannot change later. */
		u32 most = max(net->rmem[2], sk->sk_net->core->rmem_max);

		most = max(most, space);
		most = min(most, *window_clamp);
		if (most > 65535) /* shifted by this much it is no more */
			wscale = (u8)min(16u - (u32)__builtin_clz(most), TCP_MAX_WSCALE_);
	}
	*window_clamp = min(65535u << wscale, *window_clamp);
	*ret_wscale = wscale;
}

/* RFC 7323 2.4, RFC 9293 3.8.6: it should not, but memory is not to be had for the asking. As Linux only where the window is scaled. */
static bool tcp_window_may_shrink(const struct tcp_sock *tp)
{
	return unlikely(tcp_net((const struct sock *)tp)->shrink_window) && tp->rcv_wscale;
}

/* How much the window could be, avoiding silly windows (RFC 9293 3.8.6.2.2). */
u32 __tcp_select_window(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss = icsk->icsk_ack.rcv_mss;
	u32 free_space = tcp_space(sk);
	u32 allowed = tcp_full_space(sk);
	u32 full = min(tp->window_clamp, allowed);
	u32 window;

	if (unlikely(mss > full)) {
		mss = full;
		if (!mss)
			return 0;
	}
	/* What is shrunk must not be rounded up again. */
	if (tcp_window_may_shrink(tp))
		free_space &= ~((1u << tp->rcv_wscale) - 1);
	if (free_space < full >> 1) {
		icsk->icsk_ack.quick = 0;
		if (tcp_under_memory_pressure(sk))
			tcp_adjust_rcv_ssthresh(sk);
		free_space &= ~((1u << tp->rcv_wscale) - 1);
		/* Close it rather than offer crumbs. */
		if (free_space < allowed >> 4 || free_space < mss)
			return 0;
	}
	free_space = min(free_space, tp->rcv_ssthresh);
	if (tp->rcv_wscale)
		return ALIGN_UP(free_space, 1u << tp->rcv_wscale);

	/* Not scaled: move it only in whole segments. */
	window = tp->rcv_wnd;
	if (window + mss <= free_space || window > free_space)
		window = free_space - free_space % mss;
	else if (mss == full && free_space > window + (full >> 1))
		window = free_space;
	return window;
}

/* The same, where half of the buffer is free and the window is scaled. */
static inline u32 tcp_window_now(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 free_space = tcp_space(sk), full = min(tp->window_clamp, tcp_full_space(sk));

	if (unlikely(!full || free_space < full >> 1 || !tp->rcv_wscale ||
		     tcp_window_may_shrink(tp)))
		return __tcp_select_window(sk);
	return ALIGN_UP(min(free_space, tp->rcv_ssthresh), 1u << tp->rcv_wscale);
}

/* The field of a header that goes out now. */
static inline u32 tcp_select_window(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 old = tp->rcv_wnd, cur = tcp_receive_window(tp), win = tcp_window_now(sk);

	if (unlikely(win < cur) && !tcp_window_may_shrink(tp)) {
		if (!win)
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPWantZeroWindowAdv);
		win = ALIGN_UP(cur, 1u << tp->rcv_wscale);
	}
	tp->rcv_wnd = win;
	tp->rcv_wup = tp->rcv_nxt;
	win = min(win, 65535u << tp->rcv_wscale) >> tp->rcv_wscale;
	if (unlikely(!win)) {
		tp->pred_flags = 0;
		if (old)
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPToZeroWindowAdv);
	} else if (unlikely(!old)) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPFromZeroWindowAdv);
	}
	return win;
}

/* ---- queues and counts ------------------------------------------------------------------------------- */

static void tcp_init_nondata_skb(struct sk_buff *skb, u32 seq, u8 flags)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->seq = seq;
	cb->end_seq = seq + ((flags & (TCP_FLAG_SYN | TCP_FLAG_FIN)) != 0);
	cb->tcp_flags = flags;
	cb->gso_segs = 1;
}

/* RFC 5681 4.1: after an idle period start with the initial window; like Linux halve once for each RTO of it (RFC 2861). */
void tcp_cwnd_restart(struct sock *sk, u64 idle_us)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 restart = min(tcp_init_cwnd(sk, sk->sk_dst_cache), tp->snd_cwnd), cwnd = tp->snd_cwnd;
	u64 rto = inet_csk(sk)->icsk_rto_us;

	tcp_ca_event(sk, CA_EVENT_CWND_RESTART);
	tp->snd_ssthresh = tcp_current_ssthresh(sk);
	while (idle_us > rto && cwnd > restart) {
		idle_us -= rto;
		cwnd >>= 1;
	}
	tp->snd_cwnd = max(cwnd, restart);
	tp->max_packets_out = 0;
	tp->is_cwnd_limited = 0;
}

/* Appends an skb without octets yet to the write queue. */
void tcp_skb_entail(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->seq = cb->end_seq = tp->write_seq;
	cb->tcp_flags = TCP_FLAG_ACK;
	cb->sacked = 0;
	skb->nohdr = 1;
	if (!tcp_send_head(sk))
		tcp_chrono_start(sk, TCP_CHRONO_BUSY);
	skb_queue_tail(&sk->sk_write_queue, skb);
	sk->sk_wmem_queued += skb->truesize;
	if (tp->nonagle & TCP_NAGLE_PUSH)
		tp->nonagle &= ~TCP_NAGLE_PUSH;
	tcp_slow_start_after_idle_check(sk);
}

void tcp_set_skb_tso_segs(struct sk_buff *skb, u32 mss_now)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->gso_size = (u16)mss_now;
	cb->gso_segs = skb->len <= mss_now ? 1 : (u16)DIV_ROUND_UP(skb->len, mss_now);
}

const struct tcp_flight tcp_no_flight;
static void tcp_corked_push(struct cpu *cpu, struct tasklet *t);

bool __tcp_flight_get(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = packet_slot_alloc(sk->sk_cpu);

	if (unlikely(!f))
		return false;
	*f = (struct tcp_flight){
		.cwnd_usage_seq = tp->snd_una,
		.fack = tp->snd_una,
		.rexmit_seq = tp->snd_una,
		.lost_seq = tp->snd_una,
		.high_seq = tp->snd_una,
	};
	list_init(&f->tsorted);
	list_init(&f->corked.node);
	f->corked.func = tcp_corked_push;
	f->sk = sk;
	tp->flight = f;
	return true;
}

void tcp_flight_free(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->flight == &tcp_no_flight)
		return;
	list_del(&tp->flight->corked.node);
	packet_slot_free(sk->sk_cpu, tp->flight);
	tp->flight = (struct tcp_flight *)(uintptr_t)&tcp_no_flight;
}

void tcp_rtx_queue_insert(struct sock *sk, struct sk_buff *skb)
{
	struct rb_root *root = &tcp_sk(sk)->flight->rtx_queue;
	struct rb_node **link = &root->node, *parent = NULL;

	if (RB_EMPTY_ROOT(root)) {
		rb_insert_only(&skb->rbnode, root);
		return;
	}
	while (*link) {
		parent = *link;
		link = before(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(tcp_rb_skb(parent))->seq)
			       ? &parent->left
			       : &parent->right;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, root);
}

void tcp_rtx_queue_unlink(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->flight->retransmit_hint == skb)
		tp->flight->retransmit_hint = NULL;
	tcp_tsorted_del(skb);
	if (rb_is_only(&skb->rbnode, &tp->flight->rtx_queue))
		tp->flight->rtx_queue.node = NULL;
	else
		rb_erase(&skb->rbnode, &tp->flight->rtx_queue);
	skb->next = skb->prev = NULL; /* the list's; the tree's are the same octets */
}

/* @decr packets with the marks @sacked fewer in the retransmit queue: keeps the sums right. */
static void tcp_adjust_counts(struct sock *sk, u8 sacked, s32 decr)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->packets_out -= (u32)decr;
	if (sacked & TCPCB_SACKED_ACKED)
		tp->sacked_out -= (u32)decr;
	if (sacked & TCPCB_SACKED_RETRANS)
		tp->retrans_out -= (u32)decr;
	if (sacked & TCPCB_LOST)
		tp->lost_out -= (u32)decr;
	if (tcp_is_reno(tp) && decr > 0)
		tp->sacked_out -= min(tp->sacked_out, (u32)decr);
}

void tcp_adjust_pcount(struct sock *sk, const struct sk_buff *skb, s32 decr)
{
	tcp_adjust_counts(sk, TCP_SKB_CB(skb)->sacked, decr);
}

/* Gives @skb a fragment list of its own: a clone under way shares the present one. 0 or -ENOMEM */
static int tcp_skb_unclone(struct sock *sk, struct sk_buff *skb)
{
	u32 old = skb->truesize;
	int err;

	if (likely(!skb_cloned(skb)))
		return 0;
	err = pskb_expand_head(skb, 0, 0);
	sk->sk_wmem_queued += skb->truesize - old;
	sk_mem_charge(sk);
	return err;
}

/* Cuts off what is acknowledged already (all data lies in fragments). 0 or -ENOMEM */
int tcp_trim_acked(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct skb_shared_info *sh;
	u32 cut = tcp_sk(sk)->snd_una - cb->seq, left, i = 0;

	if (likely(!before(cb->seq, tcp_sk(sk)->snd_una)))
		return 0;
	if (tcp_skb_unclone(sk, skb))
		return -ENOMEM;
	sh = skb_shinfo(skb);
	cut = min(cut, skb->len);
	for (left = cut; left && left >= sh->frags[i].size; i++) {
		left -= sh->frags[i].size;
		page_put(sh->frags[i].page);
	}
	sh->nr_frags = (u8)(sh->nr_frags - i);
	memmove(sh->frags, sh->frags + i, sh->nr_frags * sizeof(sh->frags[0]));
	sh->frags[0].offset += left;
	sh->frags[0].size -= left;
	skb->len -= cut;
	skb->data_len -= cut;
	skb->truesize -= cut;
	sk->sk_wmem_queued -= cut;
	cb->seq += cut;
	return 0;
}

int tcp_fragment(struct sock *sk, bool in_rtx_queue, struct sk_buff *skb, u32 len, u32 mss_now)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb), *bcb;
	struct sk_buff *buff;
	u32 old = skb->truesize, segs = cb->gso_segs;

	/* More memory than the program may fill is a sign of an attack by odd SACK blocks: stop cutting. Not the head: the
	 * program may have lowered its limit, and without sending the head again nothing would go on. */
	if (unlikely(in_rtx_queue && (sk->sk_wmem_queued >> 1) > sk->sk_sndbuf + 0x20000 &&
		     skb != tcp_rtx_queue_head(sk))) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPWqueueTooBig);
		return -ENOMEM;
	}
	if (tcp_skb_unclone(sk, skb))
		return -ENOMEM;
	buff = tcp_stream_alloc_skb(sk);
	if (!buff)
		return -ENOMEM;
	old = skb->truesize;
	skb_split(skb, buff, len);
	sk->sk_wmem_queued += skb->truesize + buff->truesize - old;
	sk_mem_charge(sk);
	buff->nohdr = 1;

	bcb = TCP_SKB_CB(buff);
	bcb->seq = cb->seq + len;
	bcb->end_seq = cb->end_seq;
	cb->end_seq = bcb->seq;
	bcb->tcp_flags = cb->tcp_flags;
	cb->tcp_flags &= (u8) ~(TCP_FLAG_FIN | TCP_FLAG_PSH);
	bcb->sacked = cb->sacked;
	bcb->sent_ns = cb->sent_ns;
	bcb->tx = cb->tx;
	bcb->eor = cb->eor;
	cb->eor = 0;
	buff->tstamp = skb->tstamp;
	if (unlikely(cb->tx_tstamp))
		tcp_fragment_tstamp(skb, buff);

	tcp_set_skb_tso_segs(skb, mss_now);
	tcp_set_skb_tso_segs(buff, mss_now);
	if (in_rtx_queue) {
		s32 diff = (s32)segs - cb->gso_segs - bcb->gso_segs;

		if (diff)
			tcp_adjust_pcount(sk, skb, diff);
		tcp_rtx_queue_insert(sk, buff);
		if (cb->tsorted.next)
			list_add(&bcb->tsorted, &cb->tsorted);
		/* What lies behind a LOST mark keeps it: the hint may point before it, never after. */
		if (tp->flight->retransmit_hint == skb && (cb->sacked & TCPCB_SACKED_RETRANS))
			tp->flight->retransmit_hint = NULL;
	} else {
		skb_queue_after(&sk->sk_write_queue, skb, buff);
	}
	return 0;
}

/* ---- the header -------------------------------------------------------------------------------------- */

static void tcp_corked_push(struct cpu *cpu, struct tasklet *t)
{
	struct sock *sk = container_of(t, struct tcp_flight, corked)->sk;

	(void)cpu;
	if (sk->sk_state != SS_TCP_CLOSE)
		__tcp_push_pending_frames(sk, tcp_current_mss(sk), tcp_sk(sk)->nonagle);
}

bool __tcp_autocork(struct sock *sk, const struct sk_buff *skb, u32 size_goal)
{
	if (skb->len >= size_goal || !tcp_net(sk)->autocorking || TCP_SKB_CB(skb)->eor ||
	    sk->sk_wmem_alloc <= skb->truesize)
		return false;
	if (!sock_flag(sk, SOCK_AUTOCORKED)) {
		sock_set_flag(sk, SOCK_AUTOCORKED);
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAutoCorking);
	}
	return true;
}

/* Something of ours has left. Without a flight all was acknowledged, which has pushed the rest. */
static void tcp_uncork(struct sock *sk)
{
	sock_reset_flag(sk, SOCK_AUTOCORKED);
	if (tcp_sk(sk)->flight != &tcp_no_flight)
		tasklet_schedule(sk->sk_cpu, &tcp_sk(sk)->flight->corked);
}

/* The clone is gone (sent, or dropped on the way): its memory is no longer on the way out. */
static void tcp_wfree(struct sk_buff *skb)
{
	const u32 told = 1u << SOCK_FQ_PACED | 1u << SOCK_AUTOCORKED;
	struct sock *sk = skb->sk;

	if (unlikely(sk->sk_flags & told)) {
		if (sock_flag(sk, SOCK_AUTOCORKED))
			tcp_uncork(sk);
		if (sock_flag(sk, SOCK_FQ_PACED))
			tcp_pacing_room(sk, skb->truesize);
	}
	sk_wmem_uncharge(sk, skb->truesize); /* @sk may be gone now */
}

static void tcp_charge(struct sk_buff *skb, struct sock *sk)
{
	skb->sk = sk;
	skb->destructor = tcp_wfree;
	sk->sk_wmem_alloc += skb->truesize;
}

static void tcp_event_ack_sent(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (unlikely(tcp_sk(sk)->ofo))
		tcp_sack_compressed_sent(sk, 0);
	/* Data that goes out while nothing is to be acknowledged does not use up the quick ACKs. */
	if (icsk->icsk_ack.quick && (icsk->icsk_ack.pending & ICSK_ACK_SCHED)) {
		icsk->icsk_ack.quick--;
		/* Leaving quick mode: a delayed ACK may now take longer. */
		if (!icsk->icsk_ack.quick)
			icsk->icsk_ack.ato_us = TCP_ATO_MIN_US;
	}
	tcp_clear_delack_timer(sk);
}

static void tcp_event_data_sent(struct sock *sk, u32 now_ms)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tcp_packets_in_flight(tp))
		tcp_ca_event(sk, CA_EVENT_TX_START);
	tp->lsndtime = now_ms;
	/* An answer within the delayed-ACK time: the session is interactive, ACKs ride on data. */
	if (icsk->icsk_ack.lrcvtime &&
	    now_ms - icsk->icsk_ack.lrcvtime < icsk->icsk_ack.ato_us / 1000 &&
	    icsk->icsk_ack.pingpong < 255)
		icsk->icsk_ack.pingpong++;
}

/* @flags: TCP_FLAG_*. @opts NULL: timestamps at most. */
static inline void tcp_build_header(struct sock *sk, struct sk_buff *skb, u32 seq, u8 flags,
				    const struct tcp_out_opts *opts, u32 hdr_len, u32 now_ms)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_hdr *th = skb_push(skb, hdr_len);
	u32 window;

	skb_reset_transport_header(skb);
	/* The window of a SYN is never scaled (RFC 7323 2.2). */
	if (unlikely(flags & TCP_FLAG_SYN))
		window = min(tp->rcv_wnd, 65535u);
	else
		window = tcp_select_window(sk);
	th->source = inet->inet_sport;
	th->dest = sk->sk_dport;
	th->seq = cpu_to_be32(seq);
	th->ack_seq = cpu_to_be32(likely(flags & TCP_FLAG_ACK) ? tp->rcv_nxt : 0);
	th->doff_res = (u8)(hdr_len << 2);
	th->flags = flags;
	th->window = cpu_to_be16((u16)window);
	th->check.v = 0;
	th->urg_ptr.v = 0;
	if (unlikely(tp->urg_out))
		__tcp_urg_header(tp, seq, th);
	if (unlikely(opts))
		tcp_options_write((u8 *)(th + 1), opts);
	else if (likely(tp->tstamp_ok))
		tcp_tstamp_write((u8 *)(th + 1), now_ms + tp->tsoffset, tp->ts_recent);
}

/* Has a header of @sk's more to say than where the octets belong, and the time? */
static inline bool tcp_header_is_plain(const struct sock *sk, u8 flags)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return !(flags & TCP_FLAG_SYN) && !tp->dsack_pending && !(tp->ecn_flags & TCP_ECN_USED) &&
	       !tp->num_sacks && !tcp_auth(sk);
}

/* What the header of a segment needs besides; *flags: TCP_FLAG_*, with what ECN adds to them. NULL: timestamps at most */
static const struct tcp_out_opts *tcp_header_options(struct sock *sk, const struct tcp_skb_cb *cb,
						     u32 len, u16 *flags, u32 *hdr_len,
						     struct tcp_out_opts *opts)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const u8 accecn = tp->ecn_flags & TCP_ECN_ACCECN;

	if (*flags & TCP_FLAG_SYN)
		*hdr_len += tcp_syn_options(sk, opts);
	else if (tp->num_sacks || tp->dsack_pending || accecn || tcp_auth(sk))
		*hdr_len += tcp_established_options(sk, opts);
	else
		opts = NULL;
	*flags |= tcp_ecn_send(sk, cb, len);
	if (tp->ecn_flags & TCP_ECN_ACCECN)
		*hdr_len += tcp_accecn_option(sk, cb, len, *hdr_len, opts);
	return opts;
}

int tcp_transmit_skb(struct sock *sk, struct sk_buff *skb, bool clone_it)
{
	const struct inet_connection_sock_af_ops *af_ops = inet_csk(sk)->icsk_af_ops;
	struct tcp_skb_cb *const cb = TCP_SKB_CB(skb); /* the original's, if there is one */
	u32 hdr_len = TCP_BASE_HDR, segs = cb->gso_segs, len = skb->len;
	const struct tcp_out_opts *o = NULL;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now_ms = tcp_now_ms(sk);
	u16 flags = cb->tcp_flags;
	struct skb_shared_info *sh;
	struct tcp_out_opts opts;
	int err;

	cb->sent_ns = tcp_now_ns(sk);
	if (clone_it) {
		skb = unlikely(skb_cloned(skb)) ? pskb_copy(skb) : skb_clone(skb);
		if (unlikely(!skb))
			return -ENOBUFS;
	}
	if (unlikely(!tcp_header_is_plain(sk, (u8)flags)))
		o = tcp_header_options(sk, cb, len, &flags, &hdr_len, &opts);
	if (likely(!o && tp->tstamp_ok))
		hdr_len += TCPOLEN_TSTAMP_ALIGNED_;
	sh = skb_shinfo(skb);
	if (segs > 1) {
		/* As Linux: a receiver that merges the segments hands them up at their end, and does not wait for more. */
		flags |= TCP_FLAG_PSH;
		sh->gso_size = cb->gso_size;
		sh->gso_type = af_ops->gso_type;
		if (unlikely(flags & TCP_FLAG_CWR && tp->ecn_flags & TCP_ECN_ACCECN))
			sh->gso_type |= SKB_GSO_TCP_ACCECN;
	} else {
		segs = 1;
		sh->gso_size = 0;
		sh->gso_type = 0;
	}
	sh->gso_segs = (u16)segs;
	tcp_build_header(sk, skb, cb->seq, (u8)flags, o, hdr_len, now_ms);
	if (unlikely(flags & TCP_FLAG_AE))
		((struct tcp_hdr *)skb_transport_header(skb))->doff_res |= 1;
	if (unlikely(o && o->sig_len))
		tcp_auth_sign(sk, skb, o);
	tcp_charge(skb, sk);
	af_ops->send_check(sk, skb);
	trace_skb(skb, sk->sk_net, TP_tcp_transmit_skb, TRACE_PASS, cb->seq, tp->rcv_nxt);

	if (likely(flags & TCP_FLAG_ACK))
		tcp_event_ack_sent(sk);
	if (len) {
		tcp_event_data_sent(sk, now_ms);
		tp->bytes_sent += len;
		tp->data_segs_out += segs;
	}
	tcp_pacing_xmit(sk, skb, cb, len);
	if (unlikely(tp->dsack_pending)) {
		tp->dsack_pending = 0; /* RFC 2883 4: reported once */
		tcp_ofo_put(sk);
	}
	tp->segs_out += segs;
	NET_ADD_STATS(sk->sk_net, MIB_Tcp_OutSegs, segs);

	skb->priority = sk->sk_priority;
	skb->mark = sk->sk_mark;
	memset(skb->cb, 0, sizeof(struct inet_skb_parm));
	err = af_ops->queue_xmit(sk, skb);
	if (unlikely(err)) {
		tcp_pacing_failed(sk);
		if (err == -ENOBUFS)
			tcp_enter_cwr(sk); /* our own queue is full: that is congestion */
	}
	return err;
}

/* ---- sending new data -------------------------------------------------------------------------------- */

/* New data is out, where @prior packets were before: the timer for it. @probe: a loss probe may take its place. */
static void tcp_new_data_timer(struct sock *sk, u32 prior, bool probe)
{
	/* Of the first packet in flight the timeout has just begun. */
	if (probe && tcp_schedule_loss_probe(sk, !prior))
		return;
	if (!prior || inet_csk(sk)->icsk_pending == ICSK_TIME_LOSS_PROBE)
		tcp_rearm_rto(sk);
}

void tcp_event_new_data_sent(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 segs = tcp_skb_pcount(skb);

	skb_unlink(skb, &sk->sk_write_queue);
	tcp_rate_skb_sent(sk, skb);
	tp->snd_nxt = TCP_SKB_CB(skb)->end_seq;
	tcp_rtx_queue_insert(sk, skb);
	tcp_tsorted_add(tp, skb);
	tp->packets_out += segs;
	NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPOrigDataSent, segs);
	tcp_check_space(sk);
}

/* RFC 1122 4.2.3.4 (Nagle) in Minshall's variant: hold back a small segment only while another small one is unacknowledged. */
static bool tcp_minshall_check(const struct tcp_sock *tp)
{
	return after(tp->snd_sml, tp->snd_una) && !after(tp->snd_sml, tp->snd_nxt);
}

static bool tcp_nagle_check(bool partial, const struct tcp_sock *tp, int nonagle)
{
	return partial && ((nonagle & TCP_NAGLE_CORK) ||
			   (!nonagle && tp->packets_out && tcp_minshall_check(tp)));
}

static bool tcp_nagle_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss,
			   int nonagle)
{
	/* Neither the last octets nor urgent ones wait. */
	if ((nonagle & TCP_NAGLE_PUSH) || (TCP_SKB_CB(skb)->tcp_flags & TCP_FLAG_FIN) ||
	    tp->urg_out)
		return true;
	return !tcp_nagle_check(skb->len < mss, tp, nonagle);
}

bool tcp_snd_wnd_test(const struct tcp_sock *tp, const struct sk_buff *skb, u32 mss)
{
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;

	if (skb->len > mss)
		end_seq = TCP_SKB_CB(skb)->seq + mss;
	return !after(end_seq, tcp_wnd_end(tp));
}

/* Packets that the congestion window has room for. */
static inline u32 tcp_cwnd_room(const struct tcp_sock *tp)
{
	u32 in_flight = tcp_packets_in_flight(tp);

	if (unlikely(tp->tfo_passive) && in_flight)
		in_flight--; /* the SYN-ACK is no part of the window */
	return in_flight < tp->snd_cwnd ? tp->snd_cwnd - in_flight : 0;
}

/* As Linux: no unit is more than half of the window, so that ACKs of one let the next one go. */
static inline u32 tcp_unit_quota(const struct tcp_sock *tp, u32 room)
{
	return min(max(tp->snd_cwnd >> 1, 1u), room);
}

/* How many octets of @skb go now: whole segments unless Nagle lets the rest follow. */
static u32 tcp_mss_split_point(const struct sock *sk, const struct sk_buff *skb, u32 mss,
			       u32 max_segs, int nonagle)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 window = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq;
	u64 max_len = (u64)mss * max_segs;
	u32 needed, partial;

	if (max_len <= window && skb != tcp_write_queue_tail(sk))
		return (u32)max_len;
	needed = min(skb->len, window);
	if (max_len <= needed)
		return (u32)max_len;
	partial = needed % mss;
	return tcp_nagle_check(partial != 0, tp, nonagle) ? needed - partial : needed;
}

#define TSO_DEFER_SEGS 3u

/*
 * Waiting for another ACK would make a bigger unit: worth it while that ACK is near. True: wait. An ACK is on its way whenever
 * something is in flight, so waiting cannot stall the connection.
 */
static bool tcp_tso_should_defer(struct sock *sk, struct sk_buff *skb, u32 mss, u32 max_segs,
				 bool *is_cwnd_limited)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 send_win, cong_win, limit, chunk, divisor;
	struct sk_buff *head;
	u64 age_us;

	if (inet_csk(sk)->icsk_ca_state >= TCP_CA_Recovery ||
	    (TCP_SKB_CB(skb)->tcp_flags & TCP_FLAG_FIN))
		return false;
	/* The last burst was long ago: this one need not be big. */
	if (tcp_now_ms(sk) - tp->lsndtime > 1)
		return false;
	send_win = tcp_wnd_end(tp) - TCP_SKB_CB(skb)->seq;
	cong_win = tcp_unit_quota(tp, tcp_cwnd_room(tp)) * mss;
	limit = min(send_win, cong_win);
	if (limit >= max_segs * mss)
		return false;
	if (skb != tcp_write_queue_tail(sk) && limit >= skb->len)
		return false;
	/* A part of the window at a time is big enough; or else three segments more than an ACK lets go. */
	divisor = tcp_net(sk)->tso_win_divisor;
	chunk = divisor ? (u32)min((u64)tp->snd_wnd, (u64)tp->snd_cwnd * mss) / divisor
			: TSO_DEFER_SEGS * mss + 1;
	if (chunk && limit >= chunk)
		return false;
	head = tcp_rtx_queue_head(sk);
	if (!head)
		return false;
	age_us = tcp_us_since(sk, TCP_SKB_CB(head)->sent_ns);
	if (age_us < tp->srtt_us >> 4) /* less than half of the round trip is over */
		return false;
	if (cong_win < send_win && cong_win <= skb->len)
		*is_cwnd_limited = true;
	return true;
}

static void tcp_cwnd_validate(struct sock *sk, bool is_cwnd_limited)
{
	struct tcp_sock *tp = tcp_sk(sk);

	/* Whether this round trip's window filled up, or else the most that was in flight in it (RFC 7661's idea: do not grow what is
	 * not used). */
	if (is_cwnd_limited || !before(tp->snd_una, tp->flight->cwnd_usage_seq) ||
	    (!tp->is_cwnd_limited && tp->packets_out > tp->max_packets_out)) {
		tp->is_cwnd_limited = is_cwnd_limited;
		tp->max_packets_out = tp->packets_out;
		tp->flight->cwnd_usage_seq = tp->snd_nxt;
	}
	/* All is sent, the window has room, and the program waits: our buffer is too small. */
	if (!is_cwnd_limited && !tcp_send_head(sk) && unlikely(sock_flag(sk, SOCK_NOSPACE)) &&
	    sk->sk_socket &&
	    (sk->sk_state == SS_TCP_ESTABLISHED || sk->sk_state == SS_TCP_CLOSE_WAIT))
		tcp_chrono_start(sk, TCP_CHRONO_SNDBUF_LIMITED);
}

/* Returns false when it could not be cut for want of memory. */
static bool tcp_cut_to_limit(struct sock *sk, struct sk_buff *skb, u32 limit, u32 mss)
{
	return skb->len <= limit || !tcp_fragment(sk, false, skb, limit, mss);
}

/*
 * What a small window or another limit has left short takes up what follows it, as far as it may go now: @room octets more, and of
 * one skb (as Linux since 6.10), so that units do not stay small for ever.
 */
static void tcp_grow_skb(struct sock *sk, struct sk_buff *skb, u32 room, u32 mss)
{
	struct sk_buff *next = skb->next;

	if (TCP_SKB_CB(skb)->eor || TCP_SKB_CB(skb)->tx_tstamp || tcp_sk(sk)->urg_out ||
	    skb_shinfo(skb)->nr_frags + skb_shinfo(next)->nr_frags > MAX_SKB_FRAGS)
		return;
	if (next->len > room && tcp_fragment(sk, false, next, room, mss))
		return;
	tcp_collapse_send(sk, skb, next);
}

/* What holds the head of the write queue back. */
enum tcp_xmit_limit {
	TCP_XMIT_GO,
	TCP_XMIT_WAIT, /* Nagle's rule, memory, or a larger unit is worth a wait */
	TCP_XMIT_CWND, /* that wait is one for the congestion window */
	TCP_XMIT_RWND
};

/*
 * @skb is more than a segment, or others follow it: cuts it to, or fills it up to, the unit of at most *@max_segs (0: not known yet) that
 * may go where the congestion window has @room.
 */
static enum tcp_xmit_limit tcp_xmit_unit(struct sock *sk, struct sk_buff *skb, u32 mss_now,
					 int nonagle, int push_one, u32 room, u32 *max_segs)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	bool last = skb == tcp_write_queue_tail(sk), cwnd_limited = false;
	u32 quota, limit = mss_now;

	if (!*max_segs)
		*max_segs = push_one ? 1 : tcp_tso_segs(sk, mss_now);
	quota = min(tcp_unit_quota(tp, room), *max_segs);
	if (!last && unlikely(skb->len < quota * mss_now)) {
		tcp_grow_skb(sk, skb, quota * mss_now - skb->len, mss_now);
		tcp_set_skb_tso_segs(skb, mss_now);
		last = skb == tcp_write_queue_tail(sk);
	}
	if (!tcp_snd_wnd_test(tp, skb, mss_now))
		return TCP_XMIT_RWND;
	if (tcp_skb_pcount(skb) == 1)
		return tcp_nagle_test(tp, skb, mss_now, last ? nonagle : TCP_NAGLE_PUSH)
			       ? TCP_XMIT_GO
			       : TCP_XMIT_WAIT;
	if (!push_one && tcp_tso_should_defer(sk, skb, mss_now, *max_segs, &cwnd_limited))
		return cwnd_limited ? TCP_XMIT_CWND : TCP_XMIT_WAIT;
	/* An urgent pointer is each segment's own. */
	if (likely(!tp->urg_out))
		limit = tcp_mss_split_point(sk, skb, mss_now, quota, nonagle);
	return limit && tcp_cut_to_limit(sk, skb, limit, mss_now) ? TCP_XMIT_GO : TCP_XMIT_WAIT;
}

/* The same for any @skb, the head of the write queue. */
static inline enum tcp_xmit_limit tcp_xmit_test(struct sock *sk, struct sk_buff *skb, u32 mss_now,
						int nonagle, int push_one, u32 *max_segs)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 room = tcp_cwnd_room(tp);

	if (!cb->gso_segs || cb->gso_size != mss_now)
		tcp_set_skb_tso_segs(skb, mss_now);
	if (unlikely(!room)) {
		if (push_one != 2 && (!(cb->tcp_flags & TCP_FLAG_FIN) || cb->gso_segs > 1))
			return TCP_XMIT_WAIT;
		room = 1; /* a loss probe goes out of turn, and the end is no burden */
	}
	if (cb->gso_segs > 1 || skb != tcp_write_queue_tail(sk))
		return tcp_xmit_unit(sk, skb, mss_now, nonagle, push_one, room, max_segs);
	/* A lone segment with nothing behind it is no unit to be made as large as it may be. */
	if (unlikely(!tcp_snd_wnd_test(tp, skb, mss_now)))
		return TCP_XMIT_RWND;
	return tcp_nagle_test(tp, skb, mss_now, nonagle) ? TCP_XMIT_GO : TCP_XMIT_WAIT;
}

bool tcp_write_xmit(struct sock *sk, u32 mss_now, int nonagle, int push_one)
{
	enum tcp_xmit_limit limit = TCP_XMIT_GO;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 max_segs = 0, sent = 0, prior = tp->packets_out;
	bool is_cwnd_limited;
	struct sk_buff *skb;

	/* Without memory it is as if the device refused: an ACK, the next write or the probe timer tries again. */
	if (tcp_send_head(sk) && unlikely(!tcp_flight_get(sk)))
		return !tp->packets_out;
	if (unlikely(tp->mtup_low) && !push_one) {
		enum tcp_mtu_probe probe = tcp_mtu_probe(sk);

		if (probe == TCP_MTU_PROBE_WAIT)
			return false;
		sent = probe == TCP_MTU_PROBE_SENT;
	}
	while ((skb = tcp_send_head(sk)) && !tcp_pacing_wait(sk)) {
		struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 segs;

		limit = tcp_xmit_test(sk, skb, mss_now, nonagle, push_one, &max_segs);
		if (limit != TCP_XMIT_GO)
			break;
		trace_skb(skb, sk->sk_net, TP_tcp_write_xmit, TRACE_PASS, tp->snd_cwnd,
			  tcp_packets_in_flight(tp));
		if (unlikely(tp->repair) && tcp_repair_skips_wire(tp))
			cb->sent_ns = tcp_now_ns(sk); /* round trips count from here */
		else if (tcp_transmit_skb(sk, skb, TCP_SEND_CLONE) == -ENOBUFS &&
			 !skb_cloned(skb) && cb->end_seq != cb->seq)
			break; /* our queue is full: ACKs will come, or the probe timer, and try again */
		segs = tcp_skb_pcount(skb);
		if (skb->len < segs * mss_now)
			tp->snd_sml = cb->end_seq;
		tcp_event_new_data_sent(sk, skb);
		sent += segs;
		if (push_one)
			break;
	}
	/* Windows or Nagle hold this one back: an ACK or more data will push it. */
	if (unlikely(sk->sk_cpu->trace_on && (skb = tcp_send_head(sk))))
		trace_skb(skb, sk->sk_net, TP_tcp_write_xmit, TRACE_QUEUED, tp->snd_cwnd,
			  tcp_packets_in_flight(tp));
	if (unlikely(limit == TCP_XMIT_RWND))
		tcp_chrono_start(sk, TCP_CHRONO_RWND_LIMITED);
	else
		tcp_chrono_stop(sk, TCP_CHRONO_RWND_LIMITED);
	is_cwnd_limited = limit == TCP_XMIT_CWND || tcp_packets_in_flight(tp) >= tp->snd_cwnd;
	if (likely(sent || is_cwnd_limited))
		tcp_cwnd_validate(sk, is_cwnd_limited);
	if (sent) {
		if (inet_csk(sk)->icsk_ca_state == TCP_CA_Recovery ||
		    inet_csk(sk)->icsk_ca_state == TCP_CA_CWR)
			tp->flight->prr_out += sent;
		tcp_new_data_timer(sk, prior, push_one != 2);
		return false;
	}
	return !tp->packets_out && tcp_send_head(sk);
}

void __tcp_push_pending_frames(struct sock *sk, u32 cur_mss, int nonagle)
{
	if (unlikely(sk->sk_state == SS_TCP_CLOSE))
		return;
	if (tcp_write_xmit(sk, cur_mss, nonagle, 0))
		tcp_check_probe_timer(sk);
}

bool tcp_collapse_send(struct sock *sk, struct sk_buff *to, struct sk_buff *from)
{
	const u8 special = TCP_FLAG_SYN | TCP_FLAG_URG;
	struct tcp_skb_cb *cb = TCP_SKB_CB(to);
	const struct tcp_skb_cb fcb = *TCP_SKB_CB(from);
	u32 delta, freed = from->truesize;

	if (cb->eor || cb->tx_tstamp || fcb.tx_tstamp ||
	    ((cb->tcp_flags | fcb.tcp_flags) & special) || tcp_skb_unclone(sk, to))
		return false;
	skb_unlink(from, &sk->sk_write_queue);
	if (!skb_try_coalesce(to, from, &delta)) {
		skb_queue_after(&sk->sk_write_queue, to, from);
		return false;
	}
	sk->sk_wmem_queued += delta - freed;
	sk_mem_charge(sk);
	cb->end_seq = fcb.end_seq;
	cb->tcp_flags |= fcb.tcp_flags;
	cb->eor = fcb.eor;
	cb->gso_segs = 0;
	return true;
}

/* ---- retransmission ---------------------------------------------------------------------------------- */

/* @from follows @to in the retransmit queue, and becomes its end. False: it cannot, or there is no memory. */
static bool tcp_collapse_retrans(struct sock *sk, struct sk_buff *to, struct sk_buff *from)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(to);
	const struct tcp_skb_cb fcb = *TCP_SKB_CB(from);
	u32 delta, freed = from->truesize;

	if (tcp_skb_unclone(sk, to))
		return false;
	tcp_rtx_queue_unlink(sk, from);
	if (!skb_try_coalesce(to, from, &delta)) {
		tcp_rtx_queue_insert(sk, from);
		if (fcb.tsorted.next)
			list_add(&TCP_SKB_CB(from)->tsorted, fcb.tsorted.prev);
		return false;
	}
	sk->sk_wmem_queued += delta - freed;
	sk_mem_charge(sk);
	cb->end_seq = fcb.end_seq;
	cb->tcp_flags |= fcb.tcp_flags;
	cb->sacked |= fcb.sacked & TCPCB_EVER_RETRANS;
	cb->eor = fcb.eor;
	return true;
}

/*
 * A retransmission shorter than a segment takes up what follows it, as far as it fits into @space octets: programs that write little at a time make
 * one lost packet of many (RFC 9293 3.8 permits repacketization).
 */
static void tcp_retrans_try_collapse(struct sock *sk, struct sk_buff *to, u32 space)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const u8 special = TCP_FLAG_SYN | TCP_FLAG_URG;
	struct sk_buff *skb;

	if (!tcp_net(sk)->retrans_collapse)
		return;
	while ((skb = tcp_skb_next(to))) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb), *tcb = TCP_SKB_CB(to);
		struct tcp_skb_cb gone = *cb;

		if (tcb->eor || tcb->tx_tstamp || cb->tx_tstamp || cb->gso_segs > 1 ||
		    (cb->sacked & TCPCB_SACKED_ACKED) ||
		    ((cb->tcp_flags | tcb->tcp_flags) & special) || to->len + skb->len > space ||
		    after(cb->end_seq, tcp_wnd_end(tp)))
			break;
		if (!tcp_collapse_retrans(sk, to, skb))
			break;
		tcp_adjust_counts(sk, gone.sacked, gone.gso_segs);
	}
}

int __tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u32 mss = tcp_current_mss(sk), len, avail;
	int err;

	/* What is acknowledged from here on may be this one: nothing is learnt of a probe. */
	tp->flight->mtu_probe_size = 0;
	if (tcp_trim_acked(sk, skb))
		return -ENOMEM;
	if (inet_csk(sk)->icsk_af_ops->rebuild_header(sk))
		return -EHOSTUNREACH;
	/* The window may have shrunk (RFC 9293 3.8.6: it should not): keep to it, but always try the first segment. */
	avail = after(tcp_wnd_end(tp), cb->seq) ? tcp_wnd_end(tp) - cb->seq : 0;
	if (!avail && !(cb->tcp_flags & TCP_FLAG_SYN)) {
		if (cb->seq != tp->snd_una)
			return -EAGAIN;
		avail = mss;
	}
	if (unlikely(tp->urg_out || tcp_auth(sk)))
		segs = 1; /* an urgent pointer, a signature is each segment's own */
	len = (u32)min((u64)mss * segs, (u64)GSO_MAX_SIZE - 1 - MAX_TCP_HEADER);
	if (len > avail && avail)
		len = avail > mss ? avail - avail % mss : avail;
	if (skb->len > len) {
		if (tcp_fragment(sk, true, skb, len, mss))
			return -ENOMEM;
	} else {
		s32 diff = cb->gso_segs;

		tcp_set_skb_tso_segs(skb, mss);
		diff -= cb->gso_segs;
		if (diff)
			tcp_adjust_pcount(sk, skb, diff);
		if (skb->len < min(len, mss))
			tcp_retrans_try_collapse(sk, skb, min(len, mss));
	}
	segs = tcp_skb_pcount(skb);
	trace_skb(skb, sk->sk_net, TP_tcp_retransmit_skb, TRACE_PASS, cb->seq, segs);
	NET_ADD_STATS(sk->sk_net, MIB_Tcp_RetransSegs, segs);
	if (cb->tcp_flags & TCP_FLAG_SYN) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSynRetrans);
		tcp_ecn_clear_syn(sk, skb);
	}
	tp->total_retrans += segs;
	tp->bytes_retrans += skb->len;
	err = tcp_transmit_skb(sk, skb, TCP_SEND_CLONE);

	/* Also when it did not leave: Karn's rule must hold for it from here on. */
	cb->sacked |= TCPCB_EVER_RETRANS;
	tp->flight->rexmit_seq = tp->snd_nxt;
	if (unlikely(err)) {
		NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPRetransFail, segs);
		return err;
	}
	tcp_tsorted_add(tp, skb);
	tcp_rate_skb_sent(sk, skb);
	return 0;
}

int tcp_retransmit_skb(struct sock *sk, struct sk_buff *skb, u32 segs)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	int err = __tcp_retransmit_skb(sk, skb, segs);

	if (!tp->flight->retrans_stamp)
		tp->flight->retrans_stamp = tcp_stamp_ms(sk);
	if (unlikely(err))
		return err;
	segs = tcp_skb_pcount(skb);
	if (!(cb->sacked & TCPCB_SACKED_RETRANS)) {
		cb->sacked |= TCPCB_SACKED_RETRANS;
		tp->retrans_out += segs;
	}
	if (tp->flight->undo_retrans < 0)
		tp->flight->undo_retrans = 0;
	tp->flight->undo_retrans += (s32)segs;
	return 0;
}

/* Sends again what is marked LOST, as far as the congestion window goes (RFC 6675 5, step C). */
void tcp_xmit_retransmit_queue(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb, *next, *head = tcp_rtx_queue_head(sk);
	u32 most = tcp_tso_segs(sk, tcp_current_mss(sk)); /* no burst, however large the skb is */
	bool rearm = false;

	skb = tp->flight->retransmit_hint ? tp->flight->retransmit_hint : head;
	for (; skb && tp->retrans_out < tp->lost_out; skb = next) {
		u32 in_flight = tcp_packets_in_flight(tp);
		u8 sacked = TCP_SKB_CB(skb)->sacked;
		bool first = skb == head;

		if (in_flight >= tp->snd_cwnd || tcp_pacing_wait(sk))
			break;
		tp->flight->retransmit_hint = skb;
		next = tcp_skb_next(skb);
		if (!(sacked & TCPCB_LOST) ||
		    (sacked & (TCPCB_SACKED_ACKED | TCPCB_SACKED_RETRANS)))
			continue;
		if (tcp_retransmit_skb(sk, skb, min(tp->snd_cwnd - in_flight, most)))
			break;
		next = tcp_skb_next(skb); /* it may have been cut */
		if (inet_csk(sk)->icsk_ca_state == TCP_CA_Loss) {
			NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPSlowStartRetrans,
				      tcp_skb_pcount(skb));
		} else {
			NET_ADD_STATS(sk->sk_net, MIB_TcpExt_TCPFastRetrans, tcp_skb_pcount(skb));
			tp->flight->prr_out += tcp_skb_pcount(skb);
		}
		rearm |= first;
	}
	/* Segments that may yet turn out to be lost are looked at first (RFC 8985 6.2 step 5); then tcp_rearm_rto() counts from now, too. */
	if (rearm && inet_csk(sk)->icsk_pending != ICSK_TIME_REO_TIMEOUT)
		tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, inet_csk(sk)->icsk_rto_us);
}

/* ---- segments without data --------------------------------------------------------------------------- */

/* The sequence number of a segment without data: inside the peer's window even if that shrank. */
static u32 tcp_acceptable_seq(const struct tcp_sock *tp)
{
	if (!before(tcp_wnd_end(tp), tp->snd_nxt) ||
	    (tp->wscale_ok && tp->snd_nxt - tcp_wnd_end(tp) < (1u << tp->rcv_wscale)))
		return tp->snd_nxt;
	return tcp_wnd_end(tp);
}

void tcp_send_ack(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct sk_buff *skb;

	if (sk->sk_state == SS_TCP_CLOSE)
		return;
	skb = tcp_stream_alloc_skb(sk);
	if (unlikely(!skb)) {
		icsk->icsk_ack.pending |= ICSK_ACK_SCHED;
		icsk->icsk_ack.ato_us = TCP_ATO_MIN_US;
		tcp_reset_delack_timer(sk, tcp_now_ns(sk) + TCP_DELACK_MAX_US * NSEC_PER_USEC);
		return;
	}
	tcp_init_nondata_skb(skb, tcp_acceptable_seq(tcp_sk(sk)), TCP_FLAG_ACK);
	trace_skb(skb, sk->sk_net, TP_tcp_send_ack, TRACE_CREATE, tcp_sk(sk)->rcv_nxt,
		  tcp_sk(sk)->rcv_wnd);
	tcp_transmit_skb(sk, skb, !TCP_SEND_CLONE);
}

void tcp_send_ack_of(struct sock *sk, u32 rcv_nxt)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tp->rcv_nxt;

	/* As if it had been sent before the rest came: the right edge of its window is one that held then. */
	tp->rcv_nxt = rcv_nxt;
	tcp_send_ack(sk);
	tp->rcv_nxt = now;
}

/* RFC 9293 3.8.6.3: within 500 ms; like Linux between 40 and 200 ms, learnt from the peer's rhythm. */
void tcp_send_delayed_ack(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ato = icsk->icsk_ack.ato_us;
	u64 now = tcp_now_ns(sk), when;

	if (ato > TCP_DELACK_MIN_US) {
		u32 most = 500000;

		if (tcp_in_pingpong(sk) || (icsk->icsk_ack.pending & ICSK_ACK_PUSHED))
			most = TCP_DELACK_MAX_US;
		if (tp->srtt_us) {
			u32 rtt = max(tp->srtt_us >> 3, TCP_DELACK_MIN_US);

			most = min(most, rtt);
		}
		ato = min(ato, most);
	}
	ato = min(ato, TCP_DELACK_MAX_US);
	when = now + ato * NSEC_PER_USEC;
	if (icsk->icsk_ack.pending & ICSK_ACK_TIMER) {
		if (icsk->icsk_delack_timeout <= now + (ato >> 2) * NSEC_PER_USEC) {
			tcp_send_ack(sk);
			return;
		}
		when = min(when, icsk->icsk_delack_timeout);
	}
	icsk->icsk_ack.pending |= ICSK_ACK_SCHED | ICSK_ACK_TIMER;
	tcp_reset_delack_timer(sk, when);
}

void tcp_send_active_reset(struct sock *sk)
{
	struct sk_buff *skb;

	NET_INC_STATS(sk->sk_net, MIB_Tcp_OutRsts);
	skb = tcp_stream_alloc_skb(sk);
	if (!skb)
		return;
	tcp_init_nondata_skb(skb, tcp_acceptable_seq(tcp_sk(sk)), TCP_FLAG_ACK | TCP_FLAG_RST);
	tcp_transmit_skb(sk, skb, !TCP_SEND_CLONE);
}

/* The FIN rides on the last octets that wait, or on a segment of its own. */
void tcp_send_fin(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *tail = tcp_write_queue_tail(sk), *skb;

	tp->fin_waits = 0;
	if (tail) {
		TCP_SKB_CB(tail)->tcp_flags |= TCP_FLAG_FIN;
		TCP_SKB_CB(tail)->end_seq++;
		tp->write_seq++;
	} else {
		skb = tcp_stream_alloc_skb(sk);
		if (unlikely(!skb)) {
			/* No memory: the last sent segment carries it when it is sent again, but no SYN; else once more when nothing is in flight. */
			tail = tcp_rtx_queue_tail(sk);
			if (tail && !(TCP_SKB_CB(tail)->tcp_flags & TCP_FLAG_SYN)) {
				TCP_SKB_CB(tail)->tcp_flags |= TCP_FLAG_FIN;
				TCP_SKB_CB(tail)->end_seq++;
				tp->write_seq++;
				tp->snd_nxt++;
			} else {
				tp->fin_waits = 1;
				if (!tail)
					tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0,
							     TCP_RESOURCE_PROBE_US);
			}
			return;
		}
		tcp_init_nondata_skb(skb, tp->write_seq, TCP_FLAG_ACK | TCP_FLAG_FIN);
		trace_skb(skb, sk->sk_net, TP_tcp_send_fin, TRACE_QUEUED, tp->write_seq, 0);
		skb->nohdr = 1;
		tcp_chrono_start(sk, TCP_CHRONO_BUSY);
		skb_queue_tail(&sk->sk_write_queue, skb);
		sk->sk_wmem_queued += skb->truesize;
		sk_mem_charge(sk);
		tp->write_seq++;
	}
	__tcp_push_pending_frames(sk, tcp_current_mss(sk), TCP_NAGLE_OFF);
}

/* ---- opening ----------------------------------------------------------------------------------------- */

static void tcp_connect_init(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct dst_entry *dst = sk->sk_dst_cache;
	u8 wscale = 0;

	tp->tcp_header_len = (u16)(TCP_BASE_HDR + (net->timestamps ? TCPOLEN_TSTAMP_ALIGNED_ : 0) +
				   tcp_auth_header_len(sk));
	tp->mss_clamp = tp->user_mss ? tp->user_mss : 65535;
	tp->max_window = 0;
	tcp_sync_mss(sk, dst_mtu(dst));
	tcp_assign_congestion_control(sk);
	if (!tp->window_clamp)
		tp->window_clamp = dst_metric(dst, DST_METRIC_WINDOW);
	tp->advmss = (u16)min(dst_metric_advmss(dst), 65535u);
	if (tp->user_mss && tp->user_mss < tp->advmss)
		tp->advmss = tp->user_mss;
	tcp_initialize_rcv_mss(sk);
	tcp_select_initial_window(
		sk, tcp_full_space(sk), tp->advmss - (tp->tcp_header_len - TCP_BASE_HDR),
		net->window_scaling, dst, &tp->rcv_wnd, &tp->window_clamp, &wscale);
	tp->rcv_wscale = wscale & 15;
	tp->rcv_ssthresh = tp->rcv_wnd;
	sk->sk_err = 0;
	sock_reset_flag(sk, SOCK_DONE);
	tp->snd_wnd = 0;
	tp->snd_wl1 = 0;
	tp->snd_una = tp->snd_sml = tp->snd_nxt = tp->write_seq;
	if (!tp->ts_recent_stamp && !tp->repair)
		tp->rcv_nxt = 0;
	tp->rcv_wup = tp->rcv_nxt;
	tp->copied_seq = tp->rcv_nxt;
	icsk->icsk_rto_us = TCP_TIMEOUT_INIT_US;
	icsk->icsk_retransmits = 0;
	tp->packets_out = tp->sacked_out = tp->lost_out = tp->retrans_out = 0;
}

int tcp_connect(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_fastopen *tfo;
	struct sk_buff *skb;
	int err;

	err = inet_csk(sk)->icsk_af_ops->rebuild_header(sk);
	if (err)
		return -EHOSTUNREACH;
	err = unlikely(tcp_auth(sk)) ? tcp_auth_connect(sk) : 0;
	if (err)
		return err;
	tcp_connect_init(sk);
	if (unlikely(tp->repair)) {
		tcp_finish_connect(sk);
		return 0;
	}
	skb = tcp_stream_alloc_skb(sk);
	if (!skb)
		return -ENOBUFS;
	tcp_init_nondata_skb(skb, tp->write_seq, (u8)(TCP_FLAG_SYN | tcp_ecn_send_syn(sk)));
	if (!tcp_flight_get(sk)) {
		consume_skb(skb);
		return -ENOBUFS;
	}
	tp->write_seq++;
	skb->nohdr = 1;
	sk->sk_wmem_queued += skb->truesize;
	sk_mem_charge(sk);
	tcp_rtx_queue_insert(sk, skb);
	tcp_tsorted_add(tp, skb);
	tcp_rate_skb_sent(sk, skb);
	tp->packets_out += 1;
	tp->flight->retrans_stamp = tcp_stamp_ms(sk);
	trace_skb(skb, sk->sk_net, TP_tcp_connect, TRACE_CREATE, TCP_SKB_CB(skb)->seq, 0);
	tp->snd_nxt = tp->write_seq;
	tp->pushed_seq = tp->write_seq;
	NET_INC_STATS(sk->sk_net, MIB_Tcp_ActiveOpens);
	tfo = tcp_rare(sk) ? tcp_rare(sk)->tfo : NULL;
	err = unlikely(tfo && (tfo->msg || tfo->ask)) ? tcp_fastopen_send_syn(sk, skb)
						      : tcp_transmit_skb(sk, skb, TCP_SEND_CLONE);
	if (err == -ECONNREFUSED)
		return err;
	/* Any other failure is a lost SYN: the timer sends it again. */
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, inet_csk(sk)->icsk_rto_us);
	return 0;
}

/* The answer to @req's SYN. NULL: no memory, or no key for it. */
struct sk_buff *tcp_make_synack(const struct sock *sk, struct dst_entry *dst,
				struct request_sock *req, const struct tcp_fastopen_cookie *foc)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_request_sock *treq = tcp_rsk(req);
	u16 ecn = tcp_ecn_synack_flags(treq);
	struct sk_buff *skb = alloc_skb(sk->sk_cpu, MAX_TCP_HEADER);
	u32 mss = dst_metric_advmss(dst), hdr_len;
	struct tcp_out_opts opts;
	struct tcp_hdr *th;

	if (!skb)
		return NULL;
	if (tp->user_mss && tp->user_mss < mss)
		mss = tp->user_mss;
	if (!tcp_synack_options(sk, req, (u16)min(mss, 65535u), foc, &opts)) {
		consume_skb(skb);
		return NULL;
	}
	hdr_len = TCP_BASE_HDR + tcp_options_size(&opts);
	skb_reserve(skb, MAX_TCP_HEADER);
	dst_hold(dst);
	skb_dst_set(skb, dst);
	th = skb_push(skb, hdr_len);
	skb_reset_transport_header(skb);
	*th = (struct tcp_hdr){
		.source = cpu_to_be16(req->c.skc_num),
		.dest = req->c.skc_dport,
		.seq = cpu_to_be32(treq->snt_isn),
		.ack_seq = cpu_to_be32(treq->rcv_nxt),
		.doff_res = (u8)(hdr_len << 2 | (ecn & TCP_FLAG_AE ? 1 : 0)),
		.flags = (u8)(TCP_FLAG_SYN | TCP_FLAG_ACK | ecn),
		.window = cpu_to_be16((u16)min(treq->rcv_wnd, 65535u)),
	};
	tcp_options_write((u8 *)(th + 1), &opts);
	treq->synacks = (u8)min(treq->synacks + 1u, 7u) & 7;
	if (unlikely(opts.sig_len))
		tcp_auth_sign_synack(sk, skb, req, &opts);
	skb->mark = req->ir_mark;
	tcp_add_tx_delay(sk, skb);
	trace_skb(skb, sk->sk_net, TP_tcp_make_synack, TRACE_CREATE, treq->snt_isn, treq->rcv_nxt);
	NET_INC_STATS(sk->sk_net, MIB_Tcp_OutSegs);
	return skb;
}

int tcp_queue_synack(struct sock *sk, u32 isn)
{
	struct sk_buff *skb = tcp_stream_alloc_skb(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!skb)
		return -ENOMEM;
	tp->snd_una = tp->snd_sml = isn; /* the flight begins here */
	if (!tcp_flight_get(sk)) {
		consume_skb(skb);
		return -ENOMEM;
	}
	tcp_init_nondata_skb(skb, isn,
			     TCP_FLAG_SYN | TCP_FLAG_ACK |
				     (tp->ecn_flags & TCP_ECN_OK ? TCP_FLAG_ECE : 0));
	skb->nohdr = 1;
	sk->sk_wmem_queued += skb->truesize;
	sk_mem_charge(sk);
	tcp_rtx_queue_insert(sk, skb);
	tp->packets_out++;
	return 0;
}

void tcp_xmit_synack_of(struct sock *sk)
{
	struct tcp_fastopen *tfo = tcp_rare(sk)->tfo;

	tfo->sending = true;
	tcp_transmit_skb(sk, tcp_rtx_queue_head(sk), TCP_SEND_CLONE);
	tfo->sending = false;
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_TIMEOUT_INIT_US);
}

/* ---- probes ------------------------------------------------------------------------------------------ */

/* A segment with an old sequence number: the peer answers with an ACK that tells its window. */
static int tcp_xmit_probe_skb(struct sock *sk, u32 seq)
{
	struct sk_buff *skb = tcp_stream_alloc_skb(sk);

	if (!skb)
		return -ENOMEM;
	tcp_init_nondata_skb(skb, seq, TCP_FLAG_ACK);
	return tcp_transmit_skb(sk, skb, !TCP_SEND_CLONE);
}

/* Something that makes the peer answer: data if its window has room, else an old octet. 0 or -errno */
int tcp_write_wakeup(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	if (sk->sk_state == SS_TCP_CLOSE)
		return -ENOTCONN;
	skb = tcp_send_head(sk);
	if (skb && before(TCP_SKB_CB(skb)->seq, tcp_wnd_end(tp))) {
		struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 mss = tcp_current_mss(sk), room = tcp_wnd_end(tp) - cb->seq;
		int err;

		if (!tcp_flight_get(sk))
			return -ENOMEM;
		if (before(tp->pushed_seq, cb->end_seq))
			tp->pushed_seq = cb->end_seq;
		/* A window smaller than a segment: the override timeout of RFC 9293 3.8.6.2.1 fills it as it is. */
		if (room < cb->end_seq - cb->seq || skb->len > mss) {
			room = min(room, mss);
			cb->tcp_flags |= TCP_FLAG_PSH;
			if (room < skb->len && tcp_fragment(sk, false, skb, room, mss))
				return -ENOMEM;
		}
		tcp_set_skb_tso_segs(skb, mss);
		cb->tcp_flags |= TCP_FLAG_PSH;
		err = tcp_transmit_skb(sk, skb, TCP_SEND_CLONE);
		if (!err) {
			u32 prior = tp->packets_out;

			tcp_event_new_data_sent(sk, skb);
			tcp_new_data_timer(sk, prior, false);
		}
		return err;
	}
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPWinProbe);
	/* RFC 9293 3.8.6.1: urgent news goes out although the window is closed. */
	if (unlikely(tp->urg_out) && between(tp->snd_up, tp->snd_una + 1, tp->snd_una + 0xffff))
		tcp_xmit_probe_skb(sk, tp->snd_una);
	return tcp_xmit_probe_skb(sk, tp->snd_una - 1);
}

void tcp_send_window_probe(struct sock *sk)
{
	if (sk->sk_state == SS_TCP_ESTABLISHED)
		tcp_xmit_probe_skb(sk, tcp_sk(sk)->snd_una - 1);
}

/* RFC 9293 3.8.6.1: the peer's window is closed and nothing is in flight. */
void tcp_send_probe0(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	int err = tcp_write_wakeup(sk);
	u64 when = TCP_RESOURCE_PROBE_US;

	if (tp->packets_out || !tcp_send_head(sk)) {
		icsk->icsk_probes_out = 0;
		icsk->icsk_backoff = 0;
		tp->probes_stamp = 0;
		return;
	}
	icsk->icsk_probes_out++;
	if (!tcp_local_congestion(err)) {
		if (icsk->icsk_backoff < tcp_net(sk)->retries2)
			icsk->icsk_backoff++;
		when = tcp_probe0_when_us(sk, tcp_rto_max_us(sk));
	}
	tcp_reset_probe_timer(sk, when);
}
