/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - the socket side of TCP: send, receive, poll, shutdown, close
 *
 * Theory of operation
 *   sendmsg() copies into the fragments of the last skb of the write queue until it is as large as one GSO unit, then into a new one,
 *   and pushes as it goes. sk_wmem_queued counts the originals' memory against sk_sndbuf; a writer that must wait is woken when a
 *   third is free (sk_stream_write_space), so that it wakes rarely.
 *   recvmsg() copies from sk_receive_queue straight to the program, from copied_seq on. tcp_cleanup_rbuf() then decides whether
 *   the window has opened enough to tell the peer.
 *   close() leaves an orphan when there is still something to say: it lives until its FIN is acknowledged (or given up), then
 *   as a timewait sock. The orphan keeps the reference that the socket had; inet_csk_destroy_sock() gives it back.
 * See RFC 9293 3.9.1 and 3.10.1-6, RFC 2525 2.17 (RST instead of FIN when data was not read), tcp(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "core/recv_pages.h"
#include "core/zerocopy.h"
#include "inet/inet6_sock.h"
#include "socket/sock_replica.h"
#include "tcp/tcp_auth.h"

#define TCP_MEMORY_WAIT_NS (20 * NSEC_PER_MSEC)
#define TCP_SNDBUF_LEAST   4608u

/* ---- life -------------------------------------------------------------------------------------------- */

void tcp_init_sock(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_init_xmit_timers(sk);
	icsk->icsk_rto_us = TCP_TIMEOUT_INIT_US;
	icsk->icsk_af_ops = tcp_af(sock_net(sk), sk->sk_family)->csk_ops;
	tp->flight = (struct tcp_flight *)(uintptr_t)&tcp_no_flight;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tp->mss_cache = TCP_MSS_DEFAULT_;
	tp->mss_clamp = 65535;
	tp->advmss = 65535;
	tp->tcp_header_len = TCP_BASE_HDR;
	tp->reordering = tcp_reordering_least(sk);
	tp->reo_wnd_steps = 1;
	tcp_assign_congestion_control(sk);
	sk->sk_sndbuf = net->wmem[1];
	sk->sk_rcvbuf = net->rmem[1];
}

static int tcp_proto_init(struct sock *sk)
{
	if (!tcp_af(sock_net(sk), sk->sk_family))
		return -EAFNOSUPPORT;
	tcp_init_sock(sk);
	return 0;
}

void tcp_wmem_free_skb(struct sock *sk, struct sk_buff *skb)
{
	sk->sk_wmem_queued -= skb->truesize;
	sk_mem_reclaim(sk);
	consume_skb(skb);
}

void tcp_write_queue_purge(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->sk_write_queue)))
		tcp_wmem_free_skb(sk, skb);
	while ((skb = tcp_rtx_queue_head(sk)))
		tcp_rtx_unlink_and_free(sk, skb);
	tp->packets_out = tp->sacked_out = tp->lost_out = tp->retrans_out = 0;
	tcp_flight_free(sk);
	inet_csk(sk)->icsk_backoff = 0;
}

static int tcp_proto_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	return tcp_af(sock_net(sk), sk->sk_family)->connect(sk, addr, len);
}

static void tcp_destroy_sock(struct sock *sk)
{
	tcp_clear_xmit_timers(sk);
	tcp_fastopen_destroy(sk);
	if (unlikely(tcp_rare(sk))) {
		free(tcp_rare(sk)->saved_syn);
		tcp_rare(sk)->saved_syn = NULL;
		tcp_auth_put(tcp_rare(sk)->auth);
		tcp_rare(sk)->auth = NULL;
	}
	tcp_accecn_free(sk);
	tcp_cleanup_congestion_control(sk);
	tcp_write_queue_purge(sk);
	tcp_sk(sk)->dsack_pending = 0;
	tcp_ofo_purge(sk);
	if (inet_csk(sk)->icsk_bind_hash)
		inet_put_port(sk);
	if (tcp_sk(sk)->is_orphan) {
		tcp_sk(sk)->is_orphan = 0;
		tcp_net(sk)->orphan_count--;
	}
}

void tcp_set_state(struct sock *sk, u8 state)
{
	u8 old = sk->sk_state;

	if (state == SS_TCP_ESTABLISHED) {
		tcp_fastopen_left_syn_recv(sk, false);
		if (old != SS_TCP_ESTABLISHED)
			NET_INC_STATS(sk->sk_net, MIB_Tcp_CurrEstab);
	} else {
		if (state == SS_TCP_CLOSE) {
			tcp_fastopen_left_syn_recv(sk, false);
			if (old == SS_TCP_CLOSE_WAIT || old == SS_TCP_ESTABLISHED)
				NET_INC_STATS(sk->sk_net, MIB_Tcp_EstabResets);
			sk->sk_prot->unhash(sk);
			if (inet_csk(sk)->icsk_bind_hash && !(sk->sk_userlocks & SK_BINDPORT_LOCK))
				inet_put_port(sk);
		}
		if (old == SS_TCP_ESTABLISHED)
			NET_ADD_STATS(sk->sk_net, MIB_Tcp_CurrEstab, (u64)-1);
	}
	sk->sk_state = state;
}

/* The connection is over. An orphan ends here (the caller holds a reference). */
void tcp_done(struct sock *sk)
{
	if (sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV)
		NET_INC_STATS(sk->sk_net, MIB_Tcp_AttemptFails);
	if (sk->sk_state == SS_TCP_CLOSE && sock_flag(sk, SOCK_DEAD))
		return; /* was ended before */
	tcp_set_state(sk, SS_TCP_CLOSE);
	tcp_clear_xmit_timers(sk);
	sk->sk_shutdown = SK_SHUTDOWN_MASK;
	if (!sock_flag(sk, SOCK_DEAD))
		sk_state_change(sk);
	else
		inet_csk_destroy_sock(sk);
}

/* A RST that is to be believed (RFC 9293 3.10.7.4, second). */
void tcp_reset(struct sock *sk)
{
	switch (sk->sk_state) {
	case SS_TCP_SYN_SENT:
		sk->sk_err = ECONNREFUSED;
		break;
	case SS_TCP_CLOSE_WAIT:
		sk->sk_err = EPIPE;
		break;
	case SS_TCP_CLOSE:
		return;
	default:
		sk->sk_err = ECONNRESET;
	}
	tcp_fastopen_left_syn_recv(sk, true);
	tcp_write_queue_purge(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	tcp_done(sk);
}

void tcp_write_err(struct sock *sk)
{
	sk->sk_err = sk->sk_err_soft ? sk->sk_err_soft : ETIMEDOUT;
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	tcp_write_queue_purge(sk);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnTimeout);
	tcp_done(sk);
}

u64 tcp_fin_time_ns(const struct sock *sk)
{
	s8 linger2 = tcp_rare(sk) ? tcp_rare(sk)->linger2_s : 0;
	u64 tmo = linger2 > 0 ? (u64)linger2 : (u64)max(tcp_net(sk)->fin_timeout_s, 0);
	u64 rto = (u64)inet_csk(sk)->icsk_rto_us * NSEC_PER_USEC;

	/* Long enough for the peer to send its FIN again. */
	return max(tmo * NSEC_PER_SEC, (rto << 2) - (rto >> 1));
}

/* ---- waiting ----------------------------------------------------------------------------------------- */

static int tcp_wait(struct sock *sk, u64 *timeo)
{
	cpu_end_rest(sk->sk_cpu);
	return *timeo ? sk_wait_event(sk, timeo) : -EAGAIN;
}

/* The arena or tcp_mem has run out, not the socket's own room: nobody wakes us when others give some back. Looks again soon. */
static int tcp_wait_memory(struct sock *sk, u64 *timeo)
{
	u64 nap = min(*timeo, TCP_MEMORY_WAIT_NS), left = nap;
	int err;

	sk_enter_memory_pressure(sk);
	sk_stream_moderate_sndbuf(sk);
	err = tcp_wait(sk, &left);

	if (*timeo != HOST_FOREVER)
		*timeo -= nap - left;
	return err == -EAGAIN && *timeo ? 0 : err;
}

/* A send call on a socket that is still connecting. 0 or -errno */
int tcp_wait_connect(struct sock *sk, u64 *timeo)
{
	for (;;) {
		int err = sock_error(sk);

		if (err)
			return err;
		if (sk->sk_state == SS_TCP_ESTABLISHED || sk->sk_state == SS_TCP_CLOSE_WAIT)
			return 0;
		if (sk->sk_state != SS_TCP_SYN_SENT && sk->sk_state != SS_TCP_SYN_RECV)
			return -EPIPE;
		/* What fast open sends has its own mark: the octets that did not fit into the SYN. */
		tcp_sk(sk)->write_pending =
			*timeo && !(tcp_rare(sk) && tcp_rare(sk)->tfo && tcp_rare(sk)->tfo->msg);
		err = tcp_wait(sk, timeo);
		if (err)
			return err;
	}
}

/* ---- room in the send buffer ------------------------------------------------------------------------- */

static u32 tcp_notsent(const struct tcp_sock *tp)
{
	return tp->write_seq - tp->snd_nxt;
}

static u32 tcp_notsent_lowat(const struct sock *sk)
{
	u32 v = tcp_rare(sk) ? tcp_rare(sk)->notsent_lowat : 0;

	return v ? v : tcp_net(sk)->notsent_lowat;
}

static bool tcp_stream_memory_free(const struct sock *sk)
{
	return sk->sk_wmem_queued < sk->sk_sndbuf &&
	       tcp_notsent(tcp_sk(sk)) < tcp_notsent_lowat(sk);
}

/* A third is free: as much room as half of what is queued. */
static bool tcp_stream_is_writeable(const struct sock *sk)
{
	return sk_stream_wspace(sk) >= (s64)(sk->sk_wmem_queued >> 1) &&
	       tcp_stream_memory_free(sk) &&
	       (tcp_notsent_lowat(sk) == UINT32_MAX ||
		tcp_notsent(tcp_sk(sk)) << 1 < tcp_notsent_lowat(sk));
}

void tcp_stream_write_space(struct sock *sk)
{
	if (!tcp_stream_is_writeable(sk) || !sock_flag(sk, SOCK_NOSPACE))
		return;
	sock_reset_flag(sk, SOCK_NOSPACE);
	if (!(sk->sk_shutdown & SK_SHUTDOWN_SEND))
		sk_write_space(sk);
}

/* ---- sending ----------------------------------------------------------------------------------------- */

static void tcp_mark_push(struct tcp_sock *tp, struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->tcp_flags |= TCP_FLAG_PSH;
	tp->pushed_seq = tp->write_seq;
}

/* Half of the largest window the peer ever offered without a PSH: some receivers wait for one. */
static bool tcp_forced_push(const struct tcp_sock *tp)
{
	return after(tp->write_seq, tp->pushed_seq + (tp->max_window >> 1));
}

static inline void tcp_push(struct sock *sk, u32 flags, u32 mss_now, int nonagle, u32 size_goal)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!skb)
		return;
	if (!(flags & MSG_MORE) || tcp_forced_push(tp))
		tcp_mark_push(tp, skb);
	if (unlikely(flags & MSG_OOB))
		tcp_mark_urg(sk);
	if (tcp_autocork(sk, skb, size_goal))
		return;
	__tcp_push_pending_frames(sk, mss_now, flags & MSG_MORE ? TCP_NAGLE_CORK : nonagle);
}

/*
 * The payload of a segment, and how large an skb of the write queue may become, for a call that still has @count octets. Where nothing
 * waits and it is less than a segment, how much a unit holds does not matter.
 */
static u32 tcp_send_mss(struct sock *sk, u32 *ret_size_goal, size_t count)
{
	u32 mss = tcp_current_mss(sk);

	*ret_size_goal = count < mss && !tcp_send_head(sk) ? mss : tcp_size_goal(sk, mss);
	return mss;
}

/* The skb that new octets go to; NULL: no room, wait. */
static struct sk_buff *tcp_send_skb(struct sock *sk, u32 size_goal)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (skb && skb->len < size_goal && !TCP_SKB_CB(skb)->eor && !skb_cloned(skb) &&
	    !(TCP_SKB_CB(skb)->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_FIN)))
		return skb;
	if (!tcp_stream_memory_free(sk))
		return NULL;
	skb = tcp_stream_alloc_skb(sk);
	if (skb)
		tcp_skb_entail(sk, skb);
	return skb;
}

/* Copies up to what fits into @skb. Octets, 0: its fragments are full, or -errno. */
static s64 tcp_send_copy(struct sock *sk, struct sk_buff *skb, struct iov_iter *from, u32 size_goal,
			 struct zerocopy *zc)
{
	u32 len = (u32)min((size_t)(size_goal - skb->len), from->count);
	s64 n;

	if (unlikely(!sk_mem_schedule(sk, len, SK_MEM_SEND)))
		return -ENOMEM;
	n = unlikely(zc->uarg) ? zerocopy_append(zc, skb, from, len)
			       : skb_append_iter(skb, from, len, false);
	if (n <= 0)
		return n;
	sk->sk_wmem_queued += (u32)n; /* as truesize has grown */
	tcp_sk(sk)->write_seq += (u32)n;
	TCP_SKB_CB(skb)->end_seq += (u32)n;
	TCP_SKB_CB(skb)->gso_segs = 0;
	return n;
}

static void tcp_remove_empty_skb(struct sock *sk)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (skb && TCP_SKB_CB(skb)->end_seq == TCP_SKB_CB(skb)->seq) {
		skb_unlink(skb, &sk->sk_write_queue);
		tcp_wmem_free_skb(sk, skb);
	}
}

static bool tcp_send_refused(const struct sock *sk)
{
	return sk->sk_err || (sk->sk_shutdown & SK_SHUTDOWN_SEND);
}

static int tcp_send_error(struct sock *sk)
{
	return sk->sk_err ? sock_error(sk) : -EPIPE;
}

/* What went with the SYN was copied; who asked to be told of octets that are not is told so. */
static void tcp_syn_data_was_copied(struct sock *sk, u32 flags)
{
	struct zerocopy zc;

	if (zerocopy_begin(&zc, sk, flags))
		return;
	zerocopy_was_copied(&zc);
	zerocopy_end(&zc, true);
}

static ssize_t tcp_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 flags = msg->flags, size_goal, mss;
	u64 timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	struct sockcm_cookie sockc;
	struct zerocopy zc;
	size_t copied = 0, in_syn = 0;
	int err = 0;

	(void)len;
	if (unlikely((flags & MSG_FASTOPEN) || inet_sk(sk)->defer_connect) && !tp->repair) {
		err = tcp_sendmsg_fastopen(sk, msg, &in_syn);
		if (in_syn && (err == -EINPROGRESS || (!err && !msg->iter.count)))
			tcp_syn_data_was_copied(sk, flags);
		if (err)
			return err == -EINPROGRESS && in_syn ? (ssize_t)in_syn : err;
	}
	if (unlikely(tp->repair)) {
		ssize_t n = 0;

		err = tcp_repair_send(sk, msg, &n);
		if (err)
			return err < 0 ? err : n;
	}
	if (sk->sk_state != SS_TCP_ESTABLISHED && sk->sk_state != SS_TCP_CLOSE_WAIT &&
	    !tp->tfo_passive) {
		err = tcp_wait_connect(sk, &timeo);
		if (err)
			return in_syn ? (ssize_t)in_syn : err;
	}
	sockcm_init(&sockc, sk);
	if (unlikely(msg->controllen)) {
		err = sock_cmsgs_send(sk, msg, &sockc);
		if (err)
			return err;
	}
	if (tcp_send_refused(sk))
		return tcp_send_error(sk);
	err = zerocopy_begin(&zc, sk, msg->iter.count ? flags : 0);
	if (err)
		return in_syn ? (ssize_t)in_syn : err;
	tcp_rate_check_app_limited(sk);
	mss = tcp_send_mss(sk, &size_goal, msg->iter.count);

	while (msg->iter.count) {
		struct sk_buff *skb = tcp_send_skb(sk, size_goal);
		s64 n = 0;

		if (skb) {
			n = tcp_send_copy(sk, skb, &msg->iter, size_goal, &zc);
			if (n == 0) {
				/* All fragments are in use: the next octets need another skb. */
				TCP_SKB_CB(skb)->eor = 1;
				tcp_mark_push(tp, skb);
				continue;
			}
			if (n < 0 && n != -ENOMEM) {
				err = (int)n;
				tcp_remove_empty_skb(sk);
				break;
			}
		}
		if (n > 0) {
			copied += (size_t)n;
			if (skb->len < size_goal || !msg->iter.count)
				continue;
			if (tcp_forced_push(tp)) {
				tcp_mark_push(tp, skb);
				__tcp_push_pending_frames(sk, mss, TCP_NAGLE_PUSH);
			} else if (skb == tcp_send_head(sk)) {
				__tcp_push_pending_frames(sk, mss, TCP_NAGLE_PUSH);
			}
			continue;
		}
		sock_set_flag(sk, SOCK_NOSPACE);
		tcp_remove_empty_skb(sk);
		if (copied)
			tcp_push(sk, flags & (u32) ~(MSG_MORE | MSG_OOB), mss, TCP_NAGLE_PUSH,
				 size_goal);
		err = tcp_stream_memory_free(sk) ? tcp_wait_memory(sk, &timeo)
						 : tcp_wait(sk, &timeo);
		if (err)
			break;
		if (tcp_send_refused(sk)) {
			/* With octets to report the error stays, for the next call. */
			err = copied ? 0 : tcp_send_error(sk);
			break;
		}
		mss = tcp_send_mss(sk, &size_goal, msg->iter.count);
	}
	zerocopy_end(&zc, copied);
	if (copied) {
		struct sk_buff *skb = tcp_write_queue_tail(sk);

		if (skb)
			trace_skb(skb, sk->sk_net, TP_tcp_sendmsg, TRACE_QUEUED,
				  TCP_SKB_CB(skb)->seq, copied);
		tcp_tx_timestamp(sk, &sockc);
		if (skb && flags & MSG_EOR)
			TCP_SKB_CB(skb)->eor = 1;
		tcp_push(sk, flags, mss, tp->nonagle, size_goal);
		return (ssize_t)(copied + in_syn);
	}
	return in_syn ? (ssize_t)in_syn : err;
}

/* ---- receiving --------------------------------------------------------------------------------------- */

/* The program has read @copied octets: is it time to tell the peer? */
void tcp_cleanup_rbuf(struct sock *sk, u32 copied)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	bool now = false;

	sk_mem_reclaim(sk);
	if (icsk->icsk_ack.pending & ICSK_ACK_SCHED) {
		/* More than one segment waits for its ACK, or the program has read all that was pushed. */
		if (tp->rcv_nxt - tp->rcv_wup > icsk->icsk_ack.rcv_mss ||
		    (copied &&
		     ((icsk->icsk_ack.pending & ICSK_ACK_PUSHED2) ||
		      ((icsk->icsk_ack.pending & ICSK_ACK_PUSHED) && !tcp_in_pingpong(sk))) &&
		     !sk->sk_rmem_alloc))
			now = true;
	}
	/* RFC 9293 3.8.6.2.2: tell when the window has doubled. */
	if (copied && !now && !(sk->sk_shutdown & SK_SHUTDOWN_RCV)) {
		u32 win = tcp_receive_window(tp);

		if (2 * win <= tp->window_clamp) {
			u32 new_win = __tcp_select_window(sk);

			if (new_win && new_win >= 2 * win)
				now = true;
		}
	}
	if (now)
		tcp_send_ack(sk);
}

/* One skb that has been read to its end leaves the queue. */
static void tcp_eat_recv_skb(struct sock *sk, struct sk_buff *skb)
{
	skb_unlink(skb, &sk->sk_receive_queue);
	trace_skb(skb, sk->sk_net, TP_tcp_recvmsg, TRACE_DONE, TCP_SKB_CB(skb)->seq, skb->len);
	consume_skb(skb);
}

/* The skb that holds octet @seq, and where in it; NULL: not there yet. Skbs that lie below are dropped unless peeking. */
static struct sk_buff *tcp_recv_skb(struct sock *sk, u32 seq, u32 *ret_off, bool peek)
{
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(&sk->sk_receive_queue, skb, next) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 off = seq - cb->seq;

		if (cb->tcp_flags & TCP_FLAG_SYN)
			off--;
		if (before(seq, cb->seq))
			return NULL;
		if (off < skb->len || (cb->tcp_flags & TCP_FLAG_FIN)) {
			*ret_off = off;
			return skb;
		}
		if (!peek)
			tcp_eat_recv_skb(sk, skb);
	}
	return NULL;
}

/* Nothing (more) to read: 1: wait, 0: end, or -errno. */
static int tcp_recv_idle(struct sock *sk, size_t copied, u64 timeo)
{
	if (copied) {
		if (sk->sk_err || sk->sk_state == SS_TCP_CLOSE ||
		    (sk->sk_shutdown & SK_SHUTDOWN_RCV) || !timeo)
			return 0;
		return 1;
	}
	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
		return 0;
	if (sk->sk_state == SS_TCP_CLOSE)
		return -ENOTCONN; /* never connected */
	return timeo ? 1 : -EAGAIN;
}

/* Any call, or the rest of one: @copied octets were read before. */
static __attribute__((noinline)) ssize_t tcp_recvmsg_any(struct sock *sk, struct kmsghdr *msg,
							 size_t len, int flags, size_t copied)
{
	const struct inet_af_ops *af;
	struct tcp_sock *tp = tcp_sk(sk);
	u32 peek_off = flags & MSG_PEEK ? (u32)max(sk_peek_offset(sk), 0) : 0;
	u32 peek_seq = tp->copied_seq + peek_off;
	u32 *seq = flags & MSG_PEEK ? &peek_seq : &tp->copied_seq;
	u64 timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	size_t target;
	ssize_t err = 0, done = 0;

	if (flags & MSG_ERRQUEUE) {
		af = inet_af_ops(sk->sk_net, sk->sk_family);
		return af && af->recv_error ? af->recv_error(sk, msg, len) : -EAGAIN;
	}
	if (sk->sk_state == SS_TCP_LISTEN)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return tcp_recv_urg(sk, msg, len, flags);
	if (unlikely(tp->repair)) {
		err = tcp_repair_recv(sk, msg, len, flags, &done);
		if (err)
			return err < 0 ? err : done;
	}
	target = flags & MSG_WAITALL ? len : min_t(size_t, max(sk->sk_rcvlowat, 1u), len);
	target = max(
		target,
		(size_t)1); /* like Linux: asked for nothing, it waits until there would be something */

	while (!len || copied < len) {
		u32 off, n;
		struct sk_buff *skb;
		bool fin, skip;

		/* What was read ends in front of the urgent octet. */
		if (unlikely(tp->urg_data) && tp->urg_seq == *seq) {
			if (copied || flags & MSG_SPLICE_READ)
				break;
			if (flags & MSG_TO_MARK && !(tp->urg_data & TCP_URG_READ)) {
				err = -EAGAIN;
				break;
			}
		}
		skb = tcp_recv_skb(sk, *seq, &off, flags & MSG_PEEK);
		if (!skb) {
			if (copied >= target)
				break;
			err = tcp_recv_idle(sk, copied, timeo);
			if (err <= 0)
				break;
			tcp_cleanup_rbuf(sk, (u32)copied);
			err = sk_wait_event(sk, &timeo);
			if (err == -EAGAIN) {
				timeo = 0; /* look once more */
				err = 0;
			} else if (err) {
				break;
			}
			/* Somebody else may have read meanwhile. */
			peek_seq = tp->copied_seq + peek_off + (u32)copied;
			continue;
		}
		err = 0;
		if (!len)
			break;
		fin = TCP_SKB_CB(skb)->tcp_flags & TCP_FLAG_FIN;
		n = off < skb->len ? (u32)min((size_t)(skb->len - off), len - copied) : 0;
		n = tcp_urg_limit(sk, *seq, n, &skip);
		if (unlikely(skip)) {
			++*seq;
			off++;
			n--;
		}
		if (n) {
			if (unlikely(msg->pages)) {
				n = recv_pages_add(msg->pages, skb, off, n);
				if (!n)
					break;
			} else if (!(flags & MSG_TRUNC)) {
				err = skb_copy_datagram_iter(skb, off, &msg->iter, n);
				if (err)
					break;
			}
			*seq += n;
			copied += n;
			if (!(flags & MSG_PEEK))
				tcp_rcv_space_adjust(sk);
		}
		tcp_urg_read_past(sk);
		if (off + n < skb->len)
			continue;
		if (fin) {
			/* The end: the FIN counts as one octet of sequence space. */
			if (off + n == skb->len) {
				++*seq;
				if (!(flags & MSG_PEEK))
					tcp_eat_recv_skb(sk, skb);
			}
			break;
		}
		if (!(flags & MSG_PEEK))
			tcp_eat_recv_skb(sk, skb);
	}
	if (!(flags & MSG_PEEK))
		tcp_cleanup_rbuf(sk, (u32)copied);
	sk_peek_offset_moved(sk, flags & MSG_PEEK ? (int)copied : -(int)copied);
	msg->namelen = 0;
	if (unlikely(tcp_rare(sk) && tcp_rare(sk)->recvmsg_inq) && (copied || !err)) {
		int n = (int)tcp_inq(sk);

		/* The end of the stream is something to read, too. */
		if (!n && sock_flag(sk, SOCK_DONE))
			n = 1;
		put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(n), &n);
	}
	return copied ? (ssize_t)copied : err;
}

/* Reads up to @len octets of what waits in the receive queue, as far as there is nothing but octets: no FIN, nothing that was read before. */
static __always_inline size_t tcp_recv_ready(struct sock *sk, struct iov_iter *to, size_t len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;
	size_t copied = 0;

	while (copied < len && (skb = skb_peek(&sk->sk_receive_queue))) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 off = tp->copied_seq - cb->seq, n;

		if (unlikely(off >= skb->len || (cb->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_FIN))))
			break;
		n = (u32)min((size_t)(skb->len - off), len - copied);
		if (unlikely(skb_copy_datagram_iter(skb, off, to, n)))
			break;
		tp->copied_seq += n;
		/* Time stands still meanwhile: if this does not see that a round trip has passed, nor do the next. */
		if (!copied)
			tcp_rcv_space_adjust(sk);
		copied += n;
		if (off + n < skb->len)
			break;
		tcp_eat_recv_skb(sk, skb);
	}
	return copied;
}

/* Flags that change nothing while there is something to read. */
#define TCP_RECV_PLAIN_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CMSG_CLOEXEC)

static ssize_t tcp_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	size_t copied = 0;

	/* What few programs ask for is behind sk_rare. */
	if (likely(!(flags & ~TCP_RECV_PLAIN_FLAGS) && !sk->sk_rare && !msg->pages &&
		   !tp->urg_data && !tp->repair)) {
		copied = tcp_recv_ready(sk, &msg->iter, len);
		if (likely(copied && (copied == len || (copied >= max(sk->sk_rcvlowat, 1u) &&
							skb_queue_empty(&sk->sk_receive_queue))))) {
			tcp_cleanup_rbuf(sk, (u32)copied);
			msg->namelen = 0;
			return (ssize_t)copied;
		}
	}
	return tcp_recvmsg_any(sk, msg, len, flags, copied);
}

/* ---- readiness, ioctl -------------------------------------------------------------------------------- */

static bool tcp_stream_is_readable(const struct sock *sk, u32 target)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 avail = tp->rcv_nxt - tp->copied_seq;

	if (!avail)
		return false;
	/* Below the low-water mark, but nothing more will fit: it must be read all the same. */
	return avail >= target || sk_rmem_full(sk) ||
	       tcp_receive_window(tp) <= inet_csk(sk)->icsk_ack.rcv_mss;
}

/* The buffer must be able to hold what the program waits for, and who sleeps may not have to any more. */
static int tcp_set_rcvlowat(struct sock *sk, u32 val)
{
	bool locked = sk->sk_userlocks & SK_RCVBUF_LOCK;
	u32 space;

	val = min(val, (locked ? sk->sk_rcvbuf : tcp_net(sk)->rmem[2]) / 2);
	sk->sk_rcvlowat = max(val, 1u);
	if (tcp_stream_is_readable(sk, sk->sk_rcvlowat) || sock_flag(sk, SOCK_DONE))
		sk_data_ready(sk);
	space = 2 * val; /* tcp_win_from_space() of it is at least val */
	if (!locked && space > sk->sk_rcvbuf) {
		sk->sk_rcvbuf = space;
		tcp_sk(sk)->window_clamp = max(tcp_sk(sk)->window_clamp, val);
	}
	return 0;
}

u32 tcp_poll(struct socket *sock)
{
	struct sock *sk = sock->sk;
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 mask = 0, target = max(sk->sk_rcvlowat, 1u);

	if (sk->sk_state == SS_TCP_LISTEN)
		return inet_csk(sk)->icsk_accept_queue.rskq_accept_head ||
				       inet_csk(sk)->icsk_accept_queue.any_head ||
				       sock_replicas_ready(sk)
			       ? EPOLLIN | EPOLLRDNORM
			       : 0;
	/* HUP: both directions are over. Not when only the peer has closed: sending is still possible. */
	if (sk->sk_shutdown == SK_SHUTDOWN_MASK || sk->sk_state == SS_TCP_CLOSE)
		mask |= EPOLLHUP;
	if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (sk->sk_state == SS_TCP_SYN_SENT && inet_sk(sk)->defer_connect) {
		mask |= EPOLLOUT | EPOLLWRNORM; /* writing opens it */
	} else if (sk->sk_state != SS_TCP_SYN_SENT &&
		   (sk->sk_state != SS_TCP_SYN_RECV || tp->tfo_passive)) {
		/* The urgent octet itself is not read. */
		if (tcp_at_mark(tp) && !sock_flag(sk, SOCK_URGINLINE))
			target++;
		if (tcp_stream_is_readable(sk, target))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (sk->sk_shutdown & SK_SHUTDOWN_SEND) {
			mask |= EPOLLOUT | EPOLLWRNORM;
		} else if (tcp_stream_is_writeable(sk)) {
			mask |= EPOLLOUT | EPOLLWRNORM;
		} else {
			sock_set_flag(sk, SOCK_NOSPACE);
		}
		if (tp->urg_data & TCP_URG_VALID)
			mask |= EPOLLPRI;
	}
	if (sk->sk_err || (sk->sk_rare && !skb_queue_empty(&sk->sk_rare->error_queue)))
		mask |= EPOLLERR;
	return mask;
}

static int tcp_ioctl(struct sock *sk, unsigned cmd, void *arg)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	bool opening = sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV;
	int answ = 0;

	if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD && cmd != SIOCATMARK)
		return -ENOIOCTLCMD;
	if (cmd == SIOCATMARK) {
		answ = tcp_at_mark(tp);
		memcpy(arg, &answ, sizeof(answ));
		return 0;
	}
	if (sk->sk_state == SS_TCP_LISTEN)
		return -EINVAL;
	if (!opening) {
		if (cmd == SIOCINQ) {
			answ = (int)tcp_inq(sk);
		} else if (sk->sk_state != SS_TCP_CLOSE) {
			answ = (int)(tp->write_seq - (cmd == SIOCOUTQ ? tp->snd_una : tp->snd_nxt));
		}
	}
	memcpy(arg, &answ, sizeof(answ));
	return 0;
}

/* ---- closing ----------------------------------------------------------------------------------------- */

/* RFC 9293 3.10.4: where close(2) or shutdown(2) leads. True: a FIN is due. */
static bool tcp_close_state(struct sock *sk)
{
	switch (sk->sk_state) {
	case SS_TCP_ESTABLISHED:
		tcp_set_state(sk, SS_TCP_FIN_WAIT1);
		return true;
	case SS_TCP_SYN_RECV:
		tcp_set_state(sk, SS_TCP_FIN_WAIT1);
		return true;
	case SS_TCP_CLOSE_WAIT:
		tcp_set_state(sk, SS_TCP_LAST_ACK);
		return true;
	case SS_TCP_SYN_SENT:
	case SS_TCP_LISTEN:
		tcp_set_state(sk, SS_TCP_CLOSE);
		return false;
	default:
		return false;
	}
}

static void tcp_shutdown(struct sock *sk, int how)
{
	if (!(how & SK_SHUTDOWN_SEND))
		return;
	if (sk->sk_state != SS_TCP_ESTABLISHED && sk->sk_state != SS_TCP_SYN_RECV &&
	    sk->sk_state != SS_TCP_CLOSE_WAIT)
		return;
	if (tcp_close_state(sk))
		tcp_send_fin(sk);
}

/* What nobody has read. */
static u32 tcp_flush_receive(struct sock *sk)
{
	u32 unread = 0;
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&sk->sk_receive_queue))) {
		const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
		u32 end = cb->end_seq - ((cb->tcp_flags & TCP_FLAG_FIN) != 0);

		if (after(end, tcp_sk(sk)->copied_seq))
			unread += end - max_t(u32, 0,
					      after(cb->seq, tcp_sk(sk)->copied_seq)
						      ? cb->seq
						      : tcp_sk(sk)->copied_seq);
		consume_skb(skb);
	}
	return unread;
}

static void tcp_linger_wait(struct sock *sk, u64 timeo)
{
	while (timeo && (sk->sk_state == SS_TCP_FIN_WAIT1 || sk->sk_state == SS_TCP_CLOSING ||
			 sk->sk_state == SS_TCP_LAST_ACK)) {
		if (sk_wait_event(sk, &timeo))
			break;
	}
}

bool tcp_check_oom(const struct sock *sk, u32 shift)
{
	const struct netns_tcp *net = tcp_net(sk);

	return (u64)net->orphan_count << shift > net->max_orphans ||
	       (sk->sk_wmem_queued > TCP_SNDBUF_LEAST && net->mem.allocated > net->mem.limit[2]);
}

/* The socket is gone; what the connection still needs goes on without it. */
static void tcp_become_orphan(struct sock *sk)
{
	struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u64 tmo;

	sock_orphan(sk);
	tp->is_orphan = 1; /* counted until tcp_destroy_sock() */
	net->orphan_count++;
	if (sk->sk_state == SS_TCP_FIN_WAIT2) {
		tmo = tcp_fin_time_ns(sk);
		if (tcp_rare(sk) && tcp_rare(sk)->linger2_s < 0) {
			tcp_set_state(sk, SS_TCP_CLOSE);
			tcp_send_active_reset(sk);
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnLinger);
		} else if (tmo > TCP_TIMEWAIT_NS) {
			tcp_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_NS);
		} else {
			tcp_time_wait(sk, SS_TCP_FIN_WAIT2, tmo);
			return;
		}
	}
	sk_mem_reclaim(sk);
	if (sk->sk_state != SS_TCP_CLOSE && tcp_check_oom(sk, 0)) {
		tcp_set_state(sk, SS_TCP_CLOSE);
		tcp_send_active_reset(sk);
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnMemory);
	}
	if (sk->sk_state == SS_TCP_CLOSE)
		inet_csk_destroy_sock(sk);
}

static void tcp_close(struct sock *sk, u64 timeout_ns)
{
	u32 unread;

	sock_hold(sk);
	sk->sk_shutdown = SK_SHUTDOWN_MASK;
	if (sk->sk_state == SS_TCP_LISTEN) {
		tcp_set_state(sk, SS_TCP_CLOSE);
		inet_csk_listen_stop(sk);
		goto orphan;
	}
	unread = tcp_flush_receive(sk);
	if (sk->sk_state == SS_TCP_CLOSE)
		goto orphan;
	if (unlikely(tcp_sk(sk)->repair)) {
		tcp_disconnect(sk, 0);
	} else if (unread) {
		/* RFC 2525 2.17: the peer must learn that its data was lost. */
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnClose);
		tcp_send_active_reset(sk);
		tcp_set_state(sk, SS_TCP_CLOSE);
	} else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		tcp_disconnect(sk, 0);
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnData);
	} else if (tcp_close_state(sk)) {
		tcp_send_fin(sk);
	}
	tcp_linger_wait(sk, timeout_ns);
orphan:
	tcp_become_orphan(sk);
	sock_put(sk);
}

/* A connection that must not end without a RST (RFC 9293 3.10.5, ABORT). */
bool tcp_need_reset(u8 state)
{
	return state == SS_TCP_ESTABLISHED || state == SS_TCP_CLOSE_WAIT ||
	       state == SS_TCP_FIN_WAIT1 || state == SS_TCP_FIN_WAIT2 || state == SS_TCP_SYN_RECV;
}

/* connect(2) with AF_UNSPEC, and everything that aborts: back to CLOSED, ready for another connection. */
int tcp_disconnect(struct sock *sk, int flags)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u8 old = sk->sk_state;

	(void)flags;
	if (old == SS_TCP_LISTEN) {
		tcp_set_state(sk, SS_TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else {
		if (unlikely(tp->repair)) {
			sk->sk_err = ECONNABORTED;
		} else if (tcp_need_reset(old) ||
			   (tp->snd_nxt != tp->write_seq &&
			    (old == SS_TCP_CLOSING || old == SS_TCP_LAST_ACK))) {
			tcp_send_active_reset(sk);
			sk->sk_err = ECONNRESET;
		} else if (old == SS_TCP_SYN_SENT) {
			sk->sk_err = ECONNRESET;
		}
		if (old != SS_TCP_CLOSE)
			tcp_set_state(sk, SS_TCP_CLOSE);
	}
	tcp_clear_xmit_timers(sk);
	skb_queue_consume(&sk->sk_receive_queue);
	tcp_write_queue_purge(sk);
	tp->dsack_pending = 0;
	tcp_ofo_purge(sk);

	/* As in Linux, getsockname() goes on to tell the port, even one that came with the connection and was given back. */
	inet_reset_peer(sk);
	if (!(sk->sk_userlocks & SK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	sk->sk_shutdown = 0;
	sock_reset_flag(sk, SOCK_DONE);
	tp->srtt_us = tp->rttvar_us = tp->min_rtt_us = 0;
	icsk->icsk_rto_us = TCP_TIMEOUT_INIT_US;
	icsk->icsk_backoff = icsk->icsk_probes_out = icsk->icsk_retransmits = 0;
	tcp_cleanup_congestion_control(sk);
	icsk->icsk_ca_state = TCP_CA_Open;
	memset(&icsk->icsk_ack, 0, sizeof(icsk->icsk_ack));
	tp->write_seq = tp->snd_una = tp->snd_nxt = 0;
	tp->rcv_nxt = tp->copied_seq = tp->rcv_wup = 0;
	tp->snd_cwnd = TCP_INIT_CWND;
	tp->snd_cwnd_cnt = 0;
	tp->snd_ssthresh = TCP_INFINITE_SSTHRESH;
	tp->is_cwnd_limited = 0;
	tp->max_packets_out = 0;
	tp->window_clamp = 0;
	tp->num_sacks = 0;
	tp->probes_stamp = 0;
	tp->plb_rehash = 0;
	tp->tstamp_ok = tp->sack_ok = tp->wscale_ok = 0;
	tcp_accecn_free(sk);
	tp->ecn_flags = 0;
	tp->ts_recent = tp->ts_recent_stamp = 0;
	tp->rcv_rtt_us = 0;
	tp->rcvq_space = 0;
	tp->urg_data = 0;
	tp->urg_out = 0;
	tp->syn_data = tp->syn_data_acked = 0;
	tp->syn_fastopen = tp->syn_fastopen_exp = tp->tfo_probe = 0;
	inet_sk(sk)->defer_connect = 0;
	tp->fin_waits = 0;
	tp->total_retrans = 0;
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
	tp->reordering = tcp_reordering_least(sk);
	tcp_rack_reset(tp);
	tp->pred_flags = 0;
	sk_dst_reset(sk);
	sk_error_report(sk);
	return 0;
}

static void tcp_hash(struct sock *sk)
{
	inet_hash(sk);
}

struct tcp6_sock {
	struct tcp_sock tcp;
	struct ipv6_pinfo inet6; /* inet6_sk_generic() */
};

static void tcp_recv_released(struct sock *sk)
{
	if (sk->sk_state != SS_TCP_CLOSE)
		tcp_cleanup_rbuf(sk, 1);
	else
		sk_mem_reclaim(sk);
}

static struct sock_mem *tcp_memory(const struct net *net)
{
	return &net->tcp->mem;
}

#define TCP_PROTO(name_, sock_)                                                                    \
	{                                                                                          \
		.name = (name_), .obj_size = sizeof(sock_), .rare_size = sizeof(struct tcp_rare),  \
		.init = tcp_proto_init, .close = tcp_close, .destroy = tcp_destroy_sock,           \
		.connect = tcp_proto_connect, .disconnect = tcp_disconnect,                        \
		.accept = inet_csk_accept, .ioctl = tcp_ioctl, .setsockopt = tcp_setsockopt,       \
		.getsockopt = tcp_getsockopt, .sendmsg = tcp_sendmsg, .recvmsg = tcp_recvmsg,      \
		.shutdown = tcp_shutdown, .keepalive = tcp_set_keepalive,                          \
		.set_rcvlowat = tcp_set_rcvlowat, .get_port = inet_csk_get_port,                   \
		.listen_any = tcp_listen_any, .hash = tcp_hash, .unhash = inet_unhash,             \
		.stream_memory_free = tcp_stream_memory_free, .memory = tcp_memory,                \
		.recv_released = tcp_recv_released, .poll = tcp_poll,                              \
		.tskey_base = tcp_tskey_base, .tstamp_stats = tcp_tstamp_stats,                    \
		.twsk_unique = tcp_twsk_unique,                                                    \
	}

const struct proto tcp_prot_v4 = TCP_PROTO("TCP", struct tcp_sock);
const struct proto tcp_prot_v6 = TCP_PROTO("TCPv6", struct tcp6_sock);
