/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_timer.c - the timers of a connection
 *
 * Theory of operation
 *   A connection has three deadlines: retransmission or zero-window probe (icsk_timeout, by icsk_pending: never both), delayed ACK, and
 *   keepalive (which also ends orphans in FIN_WAIT2 and, on listeners, nothing). They share one node of the wheel, armed for the
 *   earliest. Moving a deadline later costs nothing: the node fires at the old time, finds nothing due and is armed again. That is
 *   what nearly every ACK does with the retransmission timer.
 *   Request socks (SYN-ACK retransmission) and TIME_WAIT have nodes of their own.
 * References: the armed node holds the sock.
 * See RFC 6298 5 (retransmission), RFC 9293 3.8.3 (R1, R2), 3.8.4 (keepalive), 3.8.6.1 (probes), RFC 5482 (user timeout).
 */
#include <errno.h>

#include "inet/ip_metrics.h"
#include "tcp/tcp.h"

/* ---- limits ------------------------------------------------------------------------------------------ */

u32 __tcp_rto_min_us(const struct sock *sk)
{
	u32 us = tcp_rare(sk) ? tcp_rare(sk)->rto_min_us : 0;
	const struct dst_entry *dst = sk->sk_dst_cache;

	/* ip route ... rto_min, which ip(8) always locks; ms. None at all would make the time that retransmissions may take none. */
	if (dst && unlikely(ip_metric_locked(dst, DST_METRIC_RTO_MIN)))
		return clamp(dst_metric(dst, DST_METRIC_RTO_MIN), 1u, tcp_rto_max_us(sk) / 1000) *
		       1000;
	return us ? us : tcp_net(sk)->rto_min_us;
}

/* The timeout @rto, but not beyond the user timeout (RFC 5482, tcp(7)). */
static u32 tcp_clamp_rto_to_user_timeout(const struct sock *sk, u32 rto)
{
	u32 limit = inet_csk(sk)->icsk_user_timeout;
	s32 left;

	if (likely(!limit) || !tcp_sk(sk)->flight->retrans_stamp)
		return rto;
	left = (s32)(tcp_sk(sk)->flight->retrans_stamp + limit - tcp_now_ms(sk));
	return left <= 0 ? 1000 : (u32)min((u64)rto, (u64)left * 1000);
}

/* ---- the shared node --------------------------------------------------------------------------------- */

static u64 tcp_earliest(const struct inet_connection_sock *icsk)
{
	u64 t = HOST_FOREVER;

	if (icsk->icsk_pending && icsk->icsk_timeout)
		t = icsk->icsk_timeout;
	if (icsk->icsk_delack_timeout)
		t = min(t, icsk->icsk_delack_timeout);
	if (icsk->icsk_keepalive_timeout)
		t = min(t, icsk->icsk_keepalive_timeout);
	return t;
}

void __tcp_timer_at(struct sock *sk, u64 t)
{
	if (!mod_timer(sk->sk_cpu, &inet_csk(sk)->icsk_timer, t))
		sock_hold(sk);
}

static void tcp_timer_update(struct sock *sk)
{
	u64 t = tcp_earliest(inet_csk(sk));

	if (t != HOST_FOREVER)
		tcp_timer_at(sk, t);
}

void tcp_reset_keepalive_timer(struct sock *sk, u64 ns)
{
	inet_csk(sk)->icsk_keepalive_timeout = tcp_now_ns(sk) + ns;
	tcp_timer_update(sk);
}

void tcp_delete_keepalive_timer(struct sock *sk)
{
	inet_csk(sk)->icsk_keepalive_timeout = 0;
}

void tcp_clear_xmit_timers(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	tcp_clear_xmit_timer(sk);
	tcp_clear_delack_timer(sk);
	icsk->icsk_keepalive_timeout = 0;
	tcp_pacing_stop(sk);
	if (del_timer(&icsk->icsk_timer))
		sock_put(sk);
}

/* ---- giving up --------------------------------------------------------------------------------------- */

/* Orphans must not hold memory for long: fewer attempts when there are many of them. */
static u32 tcp_orphan_retries(struct sock *sk, bool alive)
{
	u32 retries = tcp_net(sk)->orphan_retries;

	/* An ICMP error and no answer: it is not worth another try. */
	if (sk->sk_err_soft && !alive)
		return 0;
	if (!retries && alive)
		return 8; /* about 100 s */
	return retries;
}

static bool tcp_out_of_resources(struct sock *sk, bool do_reset)
{
	u32 shift = 0;

	/* One that sends nothing for long, or has an error, counts for more. */
	if (tcp_now_ms(sk) - tcp_sk(sk)->lsndtime > 2 * TCP_RTO_MAX_US / 1000 || !do_reset)
		shift++;
	if (sk->sk_err_soft)
		shift++;
	if (!tcp_check_oom(sk, shift))
		return false;
	if (do_reset)
		tcp_send_active_reset(sk);
	tcp_done(sk);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPAbortOnMemory);
	return true;
}

/* What @boundary retransmissions with doubling take, in us: R1 and R2 of RFC 9293 3.8.3 are meant as times. */
static u64 tcp_model_timeout(u64 rto_base, u64 rto_max, u32 boundary)
{
	u32 linear = 63 - (u32)__builtin_clzll(max(rto_max / rto_base, (u64)1));

	if (boundary <= linear)
		return ((2ULL << boundary) - 1) * rto_base;
	return ((2ULL << linear) - 1) * rto_base + (u64)(boundary - linear) * rto_max;
}

static bool tcp_retransmits_timed_out(struct sock *sk, u32 boundary, u64 timeout_us)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 elapsed_ms = tcp_now_ms(sk) - tcp_sk(sk)->flight->retrans_stamp;

	if (!icsk->icsk_retransmits)
		return false;
	if (!timeout_us) {
		u64 base = tcp_rto_min_us(sk);

		if (sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV)
			base = TCP_TIMEOUT_INIT_US;
		timeout_us = tcp_model_timeout(base, tcp_rto_max_us(sk), boundary);
	}
	return (s32)elapsed_ms >= 0 && (u64)elapsed_ms * 1000 >= timeout_us;
}

/* True: it was given up (and may be gone but for our caller's reference). */
static bool tcp_write_timeout(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct netns_tcp *net = tcp_net(sk);
	bool expired;

	if (sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV) {
		u32 until = icsk->icsk_syn_retries ? icsk->icsk_syn_retries : net->syn_retries;

		if (icsk->icsk_retransmits)
			sk_dst_reset(sk);
		if (sk->sk_state == SS_TCP_SYN_RECV) {
			expired = icsk->icsk_retransmits >= net->synack_retries + 1u ||
				  (icsk->icsk_user_timeout &&
				   tcp_retransmits_timed_out(sk, 0,
							     icsk->icsk_user_timeout * 1000ULL));
		} else {
			/* As long as that many SYNs with doubling intervals would take, however many there are. */
			expired = icsk->icsk_retransmits >= until + net->syn_linear_timeouts ||
				  tcp_retransmits_timed_out(sk, until,
							    icsk->icsk_user_timeout * 1000ULL);
		}
	} else {
		u32 until = net->retries2;

		if (tcp_retransmits_timed_out(sk, net->retries1, 0)) {
			tcp_mtu_blackhole(sk);
			sk_dst_reset(sk); /* R1: perhaps another route works */
		}
		if (sock_flag(sk, SOCK_DEAD)) {
			bool alive = icsk->icsk_rto_us < tcp_rto_max_us(sk);

			until = tcp_orphan_retries(sk, alive);
			if (tcp_out_of_resources(sk,
						 alive || !tcp_retransmits_timed_out(sk, until, 0)))
				return true;
		}
		expired = tcp_retransmits_timed_out(sk, until, icsk->icsk_user_timeout * 1000ULL);
	}
	if (unlikely(tcp_sk(sk)->syn_fastopen || tcp_sk(sk)->syn_data))
		tcp_fastopen_detect_blackhole(sk, expired);
	if (!expired)
		return false;
	tcp_write_err(sk);
	return true;
}

/* ---- retransmission ---------------------------------------------------------------------------------- */

/* A stream with little in flight cannot cause congestion, and its latency suffers most from doubling: the first timeouts do without. */
static bool tcp_thin_linear(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	return sk->sk_state == SS_TCP_ESTABLISHED &&
	       (tp->thin_lto || tcp_net(sk)->thin_linear_timeouts) && tp->packets_out < 4 &&
	       !tcp_in_initial_slowstart(tp) &&
	       inet_csk(sk)->icsk_retransmits <= TCP_THIN_LINEAR_RETRIES;
}

/*
 * The peer shrank its window to zero over data in flight. It lives as long as it answers (RFC 9293 3.8.6.1), and one answer may be lost: at the
 * longest intervals that is silence for twice as long. Linux has that as its limit; the quarter more is for timers that are late, and short round
 * trips. The user timeout holds for these octets as for any.
 */
static bool tcp_zero_window_timed_out(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 limit_ms = inet_csk(sk)->icsk_user_timeout, most_ms = tcp_rto_max_us(sk) / 1000 * 9 / 4;
	u32 silent_ms = tcp_now_ms(sk) - tp->rcv_tstamp, stamp = tp->flight->retrans_stamp;
	u32 tried_ms = stamp ? tcp_now_ms(sk) - stamp : 0;

	if (limit_ms && stamp && (s32)(tried_ms - limit_ms) >= 0)
		return true;
	return (s32)(silent_ms - most_ms) > 0 && (s32)(tried_ms - most_ms) > 0;
}

void tcp_retransmit_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_rtx_queue_head(sk);

	if (!tp->packets_out || !head)
		return;
	if (!tp->snd_wnd && !sock_flag(sk, SOCK_DEAD) && sk->sk_state != SS_TCP_SYN_SENT &&
	    sk->sk_state != SS_TCP_SYN_RECV) {
		if (tcp_zero_window_timed_out(sk)) {
			tcp_write_err(sk);
			return;
		}
		tcp_enter_loss(sk);
		tcp_retransmit_skb(sk, tcp_rtx_queue_head(sk), 1);
		sk_dst_reset(sk);
		goto back_off;
	}
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPTimeouts);
	if (tcp_write_timeout(sk))
		return;
	if (!icsk->icsk_retransmits) {
		if (icsk->icsk_ca_state == TCP_CA_Recovery)
			NET_INC_STATS(sk->sk_net, tcp_is_reno(tp) ? MIB_TcpExt_TCPRenoRecoveryFail
								  : MIB_TcpExt_TCPSackRecoveryFail);
		else if (icsk->icsk_ca_state == TCP_CA_Loss)
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPLossFailures);
		else if (icsk->icsk_ca_state == TCP_CA_Disorder || tp->sacked_out)
			NET_INC_STATS(sk->sk_net, tcp_is_reno(tp) ? MIB_TcpExt_TCPRenoFailures
								  : MIB_TcpExt_TCPSackFailures);
	}
	if (!icsk->icsk_retransmits)
		tcp_rto_recovery_begin(sk);
	tp->total_rto++;
	tcp_enter_loss(sk);
	icsk->icsk_retransmits = (u8)min(icsk->icsk_retransmits + 1, 255);
	if (tcp_local_congestion(tcp_retransmit_skb(sk, tcp_rtx_queue_head(sk), 1))) {
		/* Our own queue is full: no reason to back off. */
		tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_RESOURCE_PROBE_US);
		return;
	}
back_off:
	if (tcp_thin_linear(sk)) {
		icsk->icsk_backoff = 0;
		icsk->icsk_rto_us = tcp_rto_us(sk);
	} else if (sk->sk_state != SS_TCP_SYN_SENT ||
		   icsk->icsk_retransmits > tcp_net(sk)->syn_linear_timeouts) {
		/* RFC 6298 5.5. The first SYNs come at even intervals: servers are more often slow than networks. */
		icsk->icsk_backoff = (u8)min(icsk->icsk_backoff + 1, 255);
		icsk->icsk_rto_us = min(icsk->icsk_rto_us << 1, tcp_rto_max_us(sk));
	}
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS,
			     tcp_clamp_rto_to_user_timeout(sk, icsk->icsk_rto_us));
	if (tcp_retransmits_timed_out(sk, tcp_net(sk)->retries1 + 1u, 0))
		sk_dst_reset(sk);
}

/* ---- zero-window probe ------------------------------------------------------------------------------- */

u64 tcp_probe0_base_us(const struct sock *sk)
{
	return max(inet_csk(sk)->icsk_rto_us, tcp_rto_min_us(sk));
}

u64 tcp_probe0_when_us(const struct sock *sk, u64 max_us)
{
	u32 backoff = min_t(u32, inet_csk(sk)->icsk_backoff, 20);

	return min(tcp_probe0_base_us(sk) << backoff, max_us);
}

void tcp_reset_probe_timer(struct sock *sk, u64 us)
{
	u32 limit = inet_csk(sk)->icsk_user_timeout, stamp = tcp_sk(sk)->probes_stamp;

	if (limit && stamp) {
		s32 left = (s32)(stamp + limit - tcp_now_ms(sk));

		us = min(us, (u64)max(left, 1) * 1000);
	}
	tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, us);
}

/* Nothing is in flight and data waits: probe until the window opens. */
void tcp_check_probe_timer(struct sock *sk)
{
	if (!tcp_sk(sk)->packets_out && !inet_csk(sk)->icsk_pending)
		tcp_reset_xmit_timer(sk, ICSK_TIME_PROBE0, tcp_probe0_base_us(sk));
}

static void tcp_probe_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 max_probes = tcp_net(sk)->retries2;

	if (unlikely(tp->repair))
		return;
	if (unlikely(tp->fin_waits && !tp->packets_out)) {
		tcp_send_fin(sk);
		return;
	}
	if (tp->packets_out || !tcp_send_head(sk)) {
		icsk->icsk_probes_out = 0;
		tp->probes_stamp = 0;
		return;
	}
	if (sock_flag(sk, SOCK_DEAD)) {
		bool alive = tcp_probe0_when_us(sk, UINT64_MAX >> 1) < tcp_rto_max_us(sk);

		max_probes = tcp_orphan_retries(sk, alive);
		if (!alive && icsk->icsk_backoff >= max_probes) {
			tcp_write_err(sk);
			return;
		}
		if (tcp_out_of_resources(sk, true))
			return;
	}
	/* The user timeout holds for octets that a closed window keeps here, too, however well the peer answers: tcp(7). */
	if (!tp->probes_stamp) {
		tp->probes_stamp = tcp_stamp_ms(sk);
	} else if (icsk->icsk_user_timeout &&
		   (s32)(tcp_now_ms(sk) - tp->probes_stamp - icsk->icsk_user_timeout) >= 0) {
		tcp_write_err(sk);
		return;
	}
	/* A peer that answers keeps icsk_probes_out at zero (RFC 9293 3.8.6.1: a probing connection must stay open). */
	if (icsk->icsk_probes_out >= max_probes)
		tcp_write_err(sk);
	else
		tcp_send_probe0(sk);
}

/* ---- delayed ACK ------------------------------------------------------------------------------------- */

static void tcp_delack_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (sk->sk_state == SS_TCP_CLOSE || sk->sk_state == SS_TCP_LISTEN ||
	    !(icsk->icsk_ack.pending & ICSK_ACK_TIMER))
		return;
	icsk->icsk_ack.pending &= (u8)~ICSK_ACK_TIMER;
	if (!(icsk->icsk_ack.pending & ICSK_ACK_SCHED))
		return;
	if (!tcp_in_pingpong(sk)) {
		/* It was late: let the next one wait longer. */
		icsk->icsk_ack.ato_us = min(icsk->icsk_ack.ato_us << 1, icsk->icsk_rto_us);
	} else {
		/* The answer did not come in time: it is no dialogue after all. */
		icsk->icsk_ack.pingpong = 0;
		icsk->icsk_ack.ato_us = TCP_ATO_MIN_US;
	}
	tcp_send_ack(sk);
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_DelayedACKs);
}

/* ---- keepalive --------------------------------------------------------------------------------------- */

u32 keepalive_time_s(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_rare(sk);

	return r && r->keepalive_time_s ? r->keepalive_time_s
					: (u32)max(tcp_net(sk)->keepalive_time_s, 0);
}

u32 keepalive_intvl_s(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_rare(sk);

	return r && r->keepalive_intvl_s ? r->keepalive_intvl_s
					 : (u32)max(tcp_net(sk)->keepalive_intvl_s, 0);
}

u32 keepalive_probes(const struct sock *sk)
{
	const struct tcp_rare *r = tcp_rare(sk);

	return r && r->keepalive_probes ? r->keepalive_probes : tcp_net(sk)->keepalive_probes;
}

/* SO_KEEPALIVE was changed. */
void tcp_set_keepalive(struct sock *sk, bool on)
{
	if (sk->sk_state == SS_TCP_CLOSE || sk->sk_state == SS_TCP_LISTEN)
		return;
	if (on && !sock_flag(sk, SOCK_KEEPOPEN))
		tcp_reset_keepalive_timer(sk, keepalive_time_s(sk) * NSEC_PER_SEC);
	else if (!on && !(sk->sk_state == SS_TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD)))
		tcp_delete_keepalive_timer(sk);
}

u64 tcp_idle_ns(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u64 ack = (u64)(tcp_now_ms(sk) - tp->rcv_tstamp) * NSEC_PER_MSEC;
	u64 data = (u64)(tcp_now_ms(sk) - inet_csk(sk)->icsk_ack.lrcvtime) * NSEC_PER_MSEC;

	return min(ack, data);
}

/* RFC 9293 3.8.4 */
static void tcp_keepalive_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u64 idle, wait = keepalive_time_s(sk) * NSEC_PER_SEC;

	if (sk->sk_state == SS_TCP_FIN_WAIT2 && sock_flag(sk, SOCK_DEAD)) {
		/* The rest of tcp_fin_timeout passes in a timewait sock. */
		if (!(tcp_rare(sk) && tcp_rare(sk)->linger2_s < 0) &&
		    tcp_fin_time_ns(sk) > TCP_TIMEWAIT_NS) {
			tcp_time_wait(sk, SS_TCP_FIN_WAIT2, TCP_TIMEWAIT_NS);
			return;
		}
		tcp_send_active_reset(sk);
		tcp_done(sk);
		return;
	}
	if (!sock_flag(sk, SOCK_KEEPOPEN) || sk->sk_state == SS_TCP_CLOSE ||
	    sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_LISTEN)
		return;
	/* Data in flight is probed by its retransmission. */
	if (!tp->packets_out && !tcp_send_head(sk)) {
		idle = tcp_idle_ns(sk);
		if (idle < wait) {
			wait -= idle;
		} else {
			bool give_up = icsk->icsk_user_timeout
					       ? idle >= icsk->icsk_user_timeout * NSEC_PER_MSEC &&
							 icsk->icsk_probes_out > 0
					       : icsk->icsk_probes_out >= keepalive_probes(sk);

			if (give_up) {
				tcp_send_active_reset(sk);
				tcp_write_err(sk);
				return;
			}
			wait = TCP_RESOURCE_PROBE_US * NSEC_PER_USEC;
			if (!tcp_local_congestion(tcp_write_wakeup(sk))) {
				icsk->icsk_probes_out++;
				NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPKeepAlive);
				/* The sysctl may say 0: the clock has to go on between probes. */
				wait = max(keepalive_intvl_s(sk) * NSEC_PER_SEC, NSEC_PER_MSEC);
			}
		}
	}
	tcp_reset_keepalive_timer(sk, wait);
}

/* ---- dispatch ---------------------------------------------------------------------------------------- */

/* What stands in for the retransmission timer leaves icsk_pending: tcp_rearm_rto() wants to know it. */
static void tcp_write_timer(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	switch (icsk->icsk_pending) {
	case ICSK_TIME_REO_TIMEOUT:
		tcp_rack_reo_timeout(sk);
		break;
	case ICSK_TIME_LOSS_PROBE:
		tcp_send_loss_probe(sk);
		break;
	case ICSK_TIME_PROBE0:
		icsk->icsk_pending = 0;
		tcp_probe_timer(sk);
		break;
	default:
		icsk->icsk_pending = 0;
		tcp_retransmit_timer(sk);
		break;
	}
}

/* TIMER softirq. The node's reference is ours now. */
static void tcp_timer(struct cpu *cpu, struct timer_list *t)
{
	struct inet_connection_sock *icsk =
		container_of(t, struct inet_connection_sock, icsk_timer);
	struct sock *sk = &icsk->icsk_inet.sk;
	u64 now = cpu->now;

	if (icsk->icsk_delack_timeout && icsk->icsk_delack_timeout <= now) {
		icsk->icsk_delack_timeout = 0;
		tcp_delack_timer(sk);
	}
	if (icsk->icsk_pending && icsk->icsk_timeout && icsk->icsk_timeout <= now) {
		icsk->icsk_timeout = 0;
		if (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN)
			tcp_write_timer(sk);
		else
			icsk->icsk_pending = 0;
	}
	if (icsk->icsk_keepalive_timeout && icsk->icsk_keepalive_timeout <= now) {
		icsk->icsk_keepalive_timeout = 0;
		tcp_keepalive_timer(sk);
	}
	tcp_timer_update(sk);
	sock_put(sk);
}

void tcp_init_xmit_timers(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	timer_setup(&icsk->icsk_timer, tcp_timer);
	icsk->icsk_pending = 0;
	icsk->icsk_timeout = icsk->icsk_delack_timeout = icsk->icsk_keepalive_timeout = 0;
	icsk->icsk_ack.pending = 0;
}

/* ---- SYN-ACK ----------------------------------------------------------------------------------------- */

/*
 * TIMER softirq: the last ACK of a handshake has not come. req->timer's reference stays with it until it is dropped.
 * RFC 9293 3.8.1: the SYN-ACK is sent again with doubling intervals. With TCP_DEFER_ACCEPT the peer may have sent its ACK: then
 * we are silent until the waiting time for data is over.
 */
void tcp_reqsk_timer(struct cpu *cpu, struct timer_list *t)
{
	struct request_sock *req = container_of(t, struct request_sock, timer);
	struct sock *listener = req->rsk_listener;
	struct netns_tcp *net = tcp_net(listener);
	struct inet_connection_sock *icsk = inet_csk(listener);
	u32 max_retries = icsk->icsk_syn_retries ? icsk->icsk_syn_retries : net->synack_retries;
	u32 defer = tcp_rare(listener) ? tcp_rare(listener)->defer_accept : 0;
	bool expire, resend;

	if (listener->sk_state != SS_TCP_LISTEN || req->any == REQSK_ANY_NEW ||
	    req->any == REQSK_ANY_TOLD) {
		inet_csk_reqsk_queue_drop(listener, req);
		return;
	}
	if (defer) {
		expire = req->num_timeout >= max_retries &&
			 (!req->acked || req->num_timeout >= defer);
		resend = !req->acked || req->num_timeout >= defer - 1;
	} else {
		expire = req->num_timeout >= max_retries;
		resend = true;
	}
	if (!expire && resend) {
		if (tcp_rtx_synack(listener, req) == 0) {
			req->num_retrans++;
			NET_INC_STATS(listener->sk_net, MIB_Tcp_RetransSegs);
			NET_INC_STATS(listener->sk_net, MIB_TcpExt_TCPSynRetrans);
		}
	}
	if (expire) {
		inet_csk_reqsk_queue_drop(listener, req);
		return;
	}
	if (req->num_timeout++ == 0)
		icsk->icsk_accept_queue.young--;
	req->timeout = min(req->timeout << 1, (u64)tcp_rto_max_us(listener) * NSEC_PER_USEC);
	mod_timer(cpu, &req->timer, cpu->now + req->timeout);
}
