/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_rack.c - RACK-TLP: losses are found by time, and a probe makes the tail of a flight speak
 *
 * Theory of operation
 *   RACK. If a segment that was sent later has arrived, one that was sent earlier and has not is lost, unless the path reorders: so it gets a
 *   while (reo_wnd) longer. flight->rack remembers the transmission, newest by sending time, that is known to have arrived, and the
 *   round trip it took. flight->tsorted holds the skbs that are in flight in the order they were sent in, retransmissions at its end: detection
 *   walks it from its head and stops at the first skb that was sent after that one; what is marked lost leaves the list until it is sent again. So each
 *   transmission is looked at about once, and lost retransmissions are found in the same way.
 *   reo_wnd is 0 when no reordering was ever seen and recovery has begun or three segments were SACKed (the classic threshold); else a
 *   quarter of the least round trip, times reo_wnd_steps, at most the smoothed round trip. Each round trip with a DSACK adds a step (we
 *   were too quick); 16 recoveries without put it back. What is not over yet waits for ICSK_TIME_REO_TIMEOUT.
 *   TLP. When a flight is out and nothing more is going to be sent, ICSK_TIME_LOSS_PROBE fires after two round trips: one new
 *   segment, else the last one again. Its SACK starts RACK, so that a lost tail costs no timeout. tlp_high_seq is snd_nxt of the probe; if the ACK for it brings no
 *   DSACK and no duplicate, the probe itself has repaired the loss, which then counts as one for the congestion window.
 * One timer for all three: ICSK_TIME_REO_TIMEOUT and _LOSS_PROBE stand in place of the retransmission timer, which is armed after them with what
 * is left of its time (tcp_rearm_rto()).
 * What each ACK does for it is in tcp_ack.h.
 * See RFC 8985 (6: RACK, 7: TLP), net.ipv4.tcp_recovery, net.ipv4.tcp_early_retrans.
 */
#include "tcp/tcp.h"

/* ---- RACK --------------------------------------------------------------------------------------------- */

/* RFC 8985 6.2 step 4 */
static u32 tcp_rack_reo_wnd(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->reord_seen) {
		if (inet_csk(sk)->icsk_ca_state >= TCP_CA_Recovery)
			return 0;
		if (tp->sacked_out >= tp->reordering &&
		    !(tcp_net(sk)->recovery & TCP_RACK_NO_DUPTHRESH))
			return 0;
	}
	return (u32)min((u64)(tcp_min_rtt(tp) >> 2) * tp->reo_wnd_steps, (u64)(tp->srtt_us >> 3));
}

/* How long until @skb counts as lost, in us; <= 0: it does. */
s64 tcp_rack_skb_timeout(const struct sock *sk, const struct sk_buff *skb, u32 reo_wnd)
{
	u64 age_us = tcp_us_since(sk, TCP_SKB_CB(skb)->sent_ns);

	return (s64)tcp_sk(sk)->flight->rack_rtt_us + reo_wnd - (s64)age_us;
}

/* RFC 8985 6.2 step 5. Us until the last one that may be lost is; 0: none */
static u32 tcp_rack_detect_loss(struct sock *sk)
{
	struct tcp_flight *f = tcp_sk(sk)->flight;
	u32 reo_wnd = tcp_rack_reo_wnd(sk);
	struct list_head *at, *next;
	s64 wait = 0;

	for (at = f->tsorted.next; at != &f->tsorted; at = next) {
		struct tcp_skb_cb *cb = container_of(at, struct tcp_skb_cb, tsorted);
		struct sk_buff *skb = container_of((void *)cb, struct sk_buff, cb);
		s64 left;

		next = at->next;
		/* Known to be lost by other means, and not sent again yet. */
		if ((cb->sacked & (TCPCB_LOST | TCPCB_SACKED_RETRANS)) == TCPCB_LOST)
			continue;
		if (!tcp_skb_sent_after(f->rack_sent_ns, cb->sent_ns, f->rack_end_seq, cb->end_seq))
			break;
		left = tcp_rack_skb_timeout(sk, skb, reo_wnd);
		if (left <= 0) {
			tcp_mark_skb_lost(sk, skb);
			tcp_tsorted_del(skb);
		} else {
			wait = max(wait, left);
		}
	}
	return (u32)wait;
}

/* An ACK may have told of losses. True: the timer is set to look again. */
bool tcp_rack_mark_lost(struct sock *sk)
{
	struct tcp_flight *f = tcp_sk(sk)->flight;
	u32 wait;

	if (!f->rack_advanced)
		return false;
	f->rack_advanced = false;
	wait = tcp_rack_detect_loss(sk);
	if (!wait)
		return false;
	tcp_reset_xmit_timer(sk, ICSK_TIME_REO_TIMEOUT,
			     min(wait + TCP_TIMEOUT_MIN_US, inet_csk(sk)->icsk_rto_us));
	return true;
}

/* ICSK_TIME_REO_TIMEOUT: the time for reordering is over. */
void tcp_rack_reo_timeout(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 prior_in_flight = tcp_packets_in_flight(tp), prior_lost = tp->lost;

	tcp_rack_detect_loss(sk);
	if (tcp_packets_in_flight(tp) != prior_in_flight) {
		if (icsk->icsk_ca_state != TCP_CA_Recovery) {
			tcp_enter_recovery(sk, false);
			if (!tcp_ca(sk)->cong_control)
				tcp_cwnd_reduction(sk, 1, tp->lost - prior_lost, 0);
		}
		tcp_xmit_retransmit_queue(sk);
	}
	if (icsk->icsk_pending != ICSK_TIME_RETRANS)
		tcp_rearm_rto(sk);
}

/* ---- TLP ---------------------------------------------------------------------------------------------- */

/* What is left of the retransmission timeout of the oldest segment, in us; <= 0: over */
static s64 tcp_rto_left_us(const struct sock *sk)
{
	const struct sk_buff *head = tcp_rtx_queue_head(sk);
	u64 age_us;

	if (!head)
		return inet_csk(sk)->icsk_rto_us;
	age_us = tcp_us_since(sk, TCP_SKB_CB(head)->sent_ns);
	return (s64)inet_csk(sk)->icsk_rto_us - (s64)age_us;
}

/* RFC 6298 5.2, 5.3. After a probe or a wait for reordering the timeout counts from the transmission, as if it had been armed all along. */
void tcp_rearm_rto(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	u32 rto = icsk->icsk_rto_us;

	if (!tcp_sk(sk)->packets_out) {
		tcp_clear_xmit_timer(sk);
		return;
	}
	if (icsk->icsk_pending == ICSK_TIME_REO_TIMEOUT ||
	    icsk->icsk_pending == ICSK_TIME_LOSS_PROBE)
		rto = (u32)max(tcp_rto_left_us(sk), (s64)1);
	tcp_reset_xmit_timer(sk, ICSK_TIME_RETRANS, rto);
}

/*
 * RFC 8985 7.2: arms the probe instead of the retransmission timer. @advancing: an ACK has just moved snd_una (or SACKed), so that the timeout
 * begins anew. False: no probe is due.
 */
bool tcp_schedule_loss_probe(struct sock *sk, bool advancing)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u8 early = tcp_net(sk)->early_retrans;
	s64 rto_left;
	u64 pto;

	/* Before the handshake is complete there is data only with fast open: the SYN-ACK comes first. */
	if ((early != 3 && early != 4) || !tp->packets_out || tcp_is_reno(tp) ||
	    sk->sk_state == SS_TCP_SYN_RECV ||
	    (icsk->icsk_ca_state != TCP_CA_Open && icsk->icsk_ca_state != TCP_CA_CWR))
		return false;
	if (tp->srtt_us) {
		pto = tp->srtt_us >> 2; /* 2 SRTT */
		/* A lone segment may wait for the peer's delayed ACK. */
		pto += tp->packets_out == 1 ? tcp_rto_min_us(sk) : TCP_TIMEOUT_MIN_US;
	} else {
		pto = TCP_TIMEOUT_INIT_US;
	}
	rto_left = advancing ? icsk->icsk_rto_us : tcp_rto_left_us(sk);
	if (rto_left > 0)
		pto = min(pto, (u64)rto_left);
	tcp_reset_xmit_timer(sk, ICSK_TIME_LOSS_PROBE, pto);
	return true;
}

/* The last segment, again (RFC 8985 7.3). False: it could not be sent. */
static bool tcp_tlp_retransmit(struct sock *sk, u32 mss)
{
	struct sk_buff *skb = tcp_rtx_queue_tail(sk);
	u32 pcount;

	if (!skb)
		return false;
	/* Something of ours waits in a queue of this host: surely what was sent last. */
	if (sk->sk_wmem_alloc) {
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPSpuriousRtxHostQueues);
		return false;
	}
	pcount = tcp_skb_pcount(skb);
	if (pcount > 1 && skb->len > (pcount - 1) * mss) {
		if (tcp_trim_acked(sk, skb))
			return false;
		pcount = DIV_ROUND_UP(skb->len, mss);
		if (pcount > 1) {
			if (tcp_fragment(sk, true, skb, (pcount - 1) * mss, mss))
				return false;
			skb = tcp_skb_next(skb);
		}
	}
	return !__tcp_retransmit_skb(sk, skb, 1);
}

/* ICSK_TIME_LOSS_PROBE (RFC 8985 7.3) */
void tcp_send_loss_probe(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;
	u32 mss = tcp_current_mss(sk), prior = tp->packets_out;

	/* One at a time. */
	if (tp->packets_out && !f->tlp_high_seq) {
		const struct sk_buff *head = tcp_send_head(sk);
		bool sent;

		f->tlp_retrans = false;
		if (head && tcp_snd_wnd_test(tp, head, mss)) {
			tcp_write_xmit(sk, mss, TCP_NAGLE_OFF, 2);
			sent = tp->packets_out > prior;
		} else {
			sent = tcp_tlp_retransmit(sk, mss);
			f->tlp_retrans = sent;
		}
		if (sent) {
			f->tlp_high_seq = tp->snd_nxt;
			NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPLossProbes);
			/* The timeout counts from the probe on. */
			inet_csk(sk)->icsk_pending = 0;
		}
	}
	tcp_rearm_rto(sk);
}

/* RFC 8985 7.4.2: what became of the probe */
void tcp_process_tlp_ack(struct sock *sk, u32 ack, u32 flag)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_flight *f = tp->flight;

	if (before(ack, f->tlp_high_seq))
		return;
	if (!f->tlp_retrans) {
		f->tlp_high_seq = 0; /* new data: it has arrived, and nothing is lost */
	} else if (flag & FLAG_DSACK_TLP) {
		f->tlp_high_seq = 0; /* both copies have arrived */
	} else if (after(ack, f->tlp_high_seq)) {
		/* No DSACK came with the ACK of the probe: only it has arrived. The loss costs what a loss costs (7.4.1). */
		tcp_init_cwnd_reduction(sk);
		tcp_set_ca_state(sk, TCP_CA_CWR);
		tcp_end_cwnd_reduction(sk);
		tcp_try_keep_open(sk);
		NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPLossProbeRecovery);
	} else if (!(flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DATA_SACKED))) {
		f->tlp_high_seq = 0; /* a duplicate ACK: both copies have arrived */
	}
}
