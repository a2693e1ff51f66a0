/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ecn.c - explicit congestion notification (RFC 3168): routers mark instead of dropping
 *
 * Theory of operation
 *   The SYN offers ECN with ECE and CWR set, the SYN-ACK accepts it with ECE alone. From then on data that is sent for the first time carries
 *   ECT(0); retransmissions, pure ACKs and probes do not (RFC 3168 6.1.4 to 6.1.6). A router that would drop such a packet marks
 *   it CE. The receiver then sets ECE in every ACK (TCP_ECN_DEMAND_CWR) until a segment with CWR comes, by which the sender says that it has
 *   reduced its window (TCP_ECN_QUEUE_CWR, once per window).
 *   A congestion control with needs_ecn (DCTCP) wants to know which segments were marked: it hears of each change, has ECE mirror
 *   the present state, and has everything sent ECT.
 *   A SYN that is sent again offers nothing, as some middleboxes drop offers: net.ipv4.tcp_ecn_fallback.
 *   Where both ends know RFC 9768, TCP_ECN_ACCECN takes the place of TCP_ECN_OK: tcp_accecn.c. What is ECT is decided here for both.
 * State: tp->ecn_flags.
 * Locking: the home cpu's lock.
 */
#include <linux/rtnetlink.h>

#include "ipv6/ipv6.h"
#include "inet/ip_metrics.h"
#include "tcp/tcp.h"

#define INET_ECN_ECT_0 2u
#define INET_ECN_CE    3u
#define INET_ECN_MASK  3u
#define SYN_ECN        (TCP_FLAG_ECE | TCP_FLAG_CWR)
#define SYN_ECN_ACE    3u /* the same in the ACE field */

/* Of what this socket sends from now on. */
static void set_ect(struct sock *sk, u8 bits)
{
	inet_sk(sk)->tos = (u8)((inet_sk(sk)->tos & ~INET_ECN_MASK) | bits);
	if (inet_sk(sk)->pinet6)
		inet_sk(sk)->pinet6->tclass =
			(u8)((inet_sk(sk)->pinet6->tclass & ~INET_ECN_MASK) | bits);
}

static bool needs_ecn(const struct sock *sk)
{
	return inet_csk(sk)->icsk_ca_ops && inet_csk(sk)->icsk_ca_ops->needs_ecn;
}

static bool route_wants_ecn(const struct dst_entry *dst)
{
	return dst &&
	       dst_metric(dst, DST_METRIC_FEATURES) & (RTAX_FEATURE_ECN | DST_FEATURE_ECN_CA);
}

/* Congestion control that needs ECN wants all segments ECT, another none until data is sent. */
void tcp_ecn_init(struct sock *sk)
{
	set_ect(sk, needs_ecn(sk) && tcp_sk(sk)->ecn_flags & TCP_ECN_USED ? INET_ECN_ECT_0 : 0);
}

/* ---- negotiation --------------------------------------------------------------------------------------- */

/* net.ipv4.tcp_ecn: the most that is agreed to, and what is asked for */
static const struct {
	u8 in, out;
} ecn_modes[] = {
	{ 0, 0 },
	{ TCP_ECN_OK, TCP_ECN_OK },
	{ TCP_ECN_OK, 0 },
	{ TCP_ECN_ACCECN, TCP_ECN_ACCECN },
	{ TCP_ECN_ACCECN, TCP_ECN_OK },
	{ TCP_ECN_ACCECN, 0 },
};

/* The flags that our SYN has besides SYN; tcp_accecn_send() adds AE. */
u8 tcp_ecn_send_syn(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 mode = tcp_net(sk)->ecn;

	tp->ecn_flags = 0;
	if (!(ecn_modes[mode].out) && !needs_ecn(sk) && !route_wants_ecn(sk->sk_dst_cache))
		return 0;
	if (ecn_modes[mode].out != TCP_ECN_ACCECN || !tcp_accecn_offer(sk))
		tp->ecn_flags = TCP_ECN_OK;
	/* RFC 8257 3.5 */
	if (needs_ecn(sk))
		set_ect(sk, INET_ECN_ECT_0);
	return SYN_ECN;
}

/* The SYN was lost: perhaps because of what it offered. */
void tcp_ecn_clear_syn(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	/* An answer must say the same again: the peer may have had the first one. */
	if (!tcp_net(sk)->ecn_fallback || cb->tcp_flags & TCP_FLAG_ACK)
		return;
	/* RFC 9768 3.1.4.1 offers twice. */
	if (tcp_sk(sk)->ecn_flags & TCP_ECN_ACCECN && !(cb->sacked & TCPCB_EVER_RETRANS))
		return;
	cb->tcp_flags &= (u8)~SYN_ECN;
}

/* RFC 3168 6.1.1, RFC 9768 3.1.1. @seg: the SYN-ACK, or the SYN that crossed ours */
void tcp_ecn_rcv_syn_sent(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 accepts = seg->flags & TCP_FLAG_ACK ? TCP_FLAG_ECE : SYN_ECN;

	if (unlikely(tp->ecn_flags & TCP_ECN_ACCECN))
		tcp_accecn_rcv_synack(sk, seg, inet_sk(sk)->tos & INET_ECN_MASK);
	else if ((seg->flags & SYN_ECN) != accepts)
		tp->ecn_flags &= (u8)~TCP_ECN_OK;
}

/* The SYN @seg for listener @sk by @dst: which kind of ECN does the connection use? */
void tcp_ecn_accept_syn(const struct sock *sk, const struct dst_entry *dst,
			const struct tcp_seg *seg, struct tcp_request_sock *treq)
{
	u8 ect = TCP_SKB_CB(seg->skb)->ip_dsfield & INET_ECN_MASK,
	   in = ecn_modes[tcp_net(sk)->ecn].in;
	u32 ace = tcp_hdr_ace((const struct tcp_hdr *)skb_transport_header(seg->skb));

	/* RFC 9768 3.1.2: whatever is neither nothing nor RFC 3168's counts as its own, for what may come. */
	if (ace && ace != SYN_ECN_ACE && in == TCP_ECN_ACCECN) {
		treq->accecn_ok = 1;
		treq->syn_ect = ect & INET_ECN_MASK;
		return;
	}
	/* RFC 3168 6.1.1 forbids ECT in a SYN, so whoever sets it does not know what he does; or speaks DCTCP. */
	treq->ecn_ok = (seg->flags & SYN_ECN) == SYN_ECN &&
		       ((!ect && (in || route_wants_ecn(dst))) || needs_ecn(sk));
}

/* Only AccECN's first segment has these (RFC 9768 3.2.2.1): others have 0 there. */
bool tcp_ecn_cookie_is_accecn(const struct sock *listener, const struct tcp_seg *seg)
{
	u32 ace = tcp_hdr_ace((const struct tcp_hdr *)skb_transport_header(seg->skb));

	return ecn_modes[tcp_net(listener)->ecn].in == TCP_ECN_ACCECN && ace > 1;
}

u16 tcp_ecn_synack_flags(const struct tcp_request_sock *treq)
{
	if (unlikely(treq->accecn_ok))
		return tcp_accecn_synack_flags(treq->syn_ect, treq->synacks);
	return treq->ecn_ok ? TCP_FLAG_ECE : 0;
}

void tcp_ecn_child(struct sock *child, const struct tcp_request_sock *treq)
{
	tcp_sk(child)->ecn_flags = treq->ecn_ok ? TCP_ECN_OK : 0;
	if (unlikely(treq->accecn_ok))
		tcp_accecn_child(child, treq->syn_ect);
}

/* ---- sending ------------------------------------------------------------------------------------------- */

/* @skb, with @cb and @payload octets, is being sent. The flags that its header gets besides those it has. */
u16 tcp_ecn_send(struct sock *sk, const struct tcp_skb_cb *cb, u32 payload)
{
	struct tcp_sock *tp = tcp_sk(sk);
	bool accecn;
	u16 flags = 0;

	if (likely(!(tp->ecn_flags & TCP_ECN_USED)))
		return 0;
	accecn = tp->ecn_flags & TCP_ECN_ACCECN;
	if (accecn)
		flags = tcp_accecn_send(sk, cb);
	if (cb->tcp_flags & TCP_FLAG_SYN)
		return flags;
	if (payload && !before(cb->seq, tp->snd_nxt) && (!accecn || tcp_accecn_may_mark(sk))) {
		set_ect(sk, INET_ECN_ECT_0);
		if (tp->ecn_flags & TCP_ECN_QUEUE_CWR) {
			tp->ecn_flags &= (u8)~TCP_ECN_QUEUE_CWR;
			flags |= TCP_FLAG_CWR;
		}
	} else if (!needs_ecn(sk)) {
		set_ect(sk, 0);
	}
	if (tp->ecn_flags & TCP_ECN_DEMAND_CWR)
		flags |= TCP_FLAG_ECE;
	return flags;
}

/* ---- receiving ------------------------------------------------------------------------------------------ */

/* The sender has reduced its window. */
void tcp_ecn_accept_cwr(struct sock *sk, const struct tcp_seg *seg)
{
	if (!(seg->flags & TCP_FLAG_CWR))
		return;
	tcp_sk(sk)->ecn_flags &= (u8)~TCP_ECN_DEMAND_CWR;
	/* Its window may be a single segment now: it must not wait for our ACK. */
	if (seg->seq != seg->end_seq)
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
}

/* Data came in. */
void __tcp_ecn_data(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	switch (TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK) {
	case 0:
		/* Not ECT where ECT was: a retransmission. The sender waits for what this makes us tell. */
		if (tp->ecn_flags & TCP_ECN_SEEN)
			tcp_enter_quickack_mode(sk, 2);
		break;
	case INET_ECN_CE:
		if (needs_ecn(sk))
			tcp_ca_event(sk, CA_EVENT_ECN_IS_CE);
		if (!(tp->ecn_flags & TCP_ECN_DEMAND_CWR)) {
			tcp_enter_quickack_mode(sk, 2);
			tp->ecn_flags |= TCP_ECN_DEMAND_CWR;
		}
		tp->ecn_flags |= TCP_ECN_SEEN;
		break;
	default:
		if (needs_ecn(sk))
			tcp_ca_event(sk, CA_EVENT_ECN_NO_CE);
		tp->ecn_flags |= TCP_ECN_SEEN;
		break;
	}
}
