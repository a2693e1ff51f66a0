/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_mtu_probe.c - finding out what a path takes when no ICMP error tells it
 *
 * Theory of operation
 *   Packetization layer path MTU discovery (RFC 4821), net.ipv4.tcp_mtu_probing: 2 on every connection, 1 on those that seem to send into a
 *   black hole, that is, after the timeouts of R1. The size of the path lies between mtup_low, which is known to pass (or was given up
 *   below), and mtup_high, which is the most that makes sense. Segments are no longer than mtup_low; now and then one in the middle
 *   goes out in their place, made of octets of the write queue. If it arrives, mtup_low is its size; if it alone is lost, mtup_high is one
 *   less, and it is sent again in pieces, without a smaller window (7.5). Anything else (a timeout, other losses) says nothing.
 *   After net.ipv4.tcp_probe_interval the search begins anew (7.7): paths change.
 *   Each timeout of a black hole halves mtup_low (7.7), down to net.ipv4.tcp_mtu_probe_floor.
 * State: mtup_low, mtup_high, mtup_stamp in tcp_sock; the probe under way in tcp_flight. mtup_low == 0: no probing.
 */
#include "tcp/tcp.h"

#define PROBE_MIN_CWND 11u /* a lost probe must leave enough to tell its loss from others */

static u16 clamp_u16(u32 v)
{
	return (u16)min(v, 65535u);
}

/* 0 and less: from the least there is. */
static u32 base_mss(const struct sock *sk)
{
	return (u32)max(tcp_net(sk)->base_mss, 0);
}

/* The range from @low octets of payload to what the peer takes. */
static void mtup_search(struct sock *sk, u32 low)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->mtup_high =
		clamp_u16(tp->mss_clamp + TCP_BASE_HDR + inet_csk(sk)->icsk_af_ops->net_header_len);
	tp->mtup_low = clamp_u16(tcp_mss_to_mtu(sk, low));
	tp->mtup_stamp = tcp_now_s(sk);
}

void tcp_mtup_init(struct sock *sk)
{
	if (unlikely(tcp_net(sk)->mtu_probing > 1))
		mtup_search(sk, base_mss(sk));
	else
		tcp_sk(sk)->mtup_low = 0;
}

void tcp_mtu_blackhole(struct sock *sk)
{
	const struct netns_tcp *net = tcp_net(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 mss;

	if (!net->mtu_probing)
		return;
	if (!tp->mtup_low) {
		mtup_search(sk, base_mss(sk));
	} else {
		mss = min(tcp_mss_of(sk, tp->mtup_low) >> 1, base_mss(sk));
		mss = max(mss, net->mtu_probe_floor);
		mss = max(mss, net->min_snd_mss);
		tp->mtup_low = clamp_u16(tcp_mss_to_mtu(sk, mss));
	}
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
}

/* ---- one probe --------------------------------------------------------------------------------------- */

/* RFC 4821 7.2: the search has ended. Its result may be out of date. */
static void mtup_search_again(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tcp_now_s(sk) - tp->mtup_stamp >= tcp_net(sk)->probe_interval_s)
		mtup_search(sk, tcp_current_mss(sk));
}

/* Makes the head of the write queue @len octets long, of what follows it where needed. False: it cannot be. */
static bool mtup_fill_head(struct sock *sk, u32 len)
{
	struct sk_buff *head = tcp_send_head(sk), *skb;

	while (head->len < len) {
		skb = skb_peek_next(head, &sk->sk_write_queue);
		if (!skb || !tcp_collapse_send(sk, head, skb))
			return false;
	}
	return head->len == len || !tcp_fragment(sk, false, head, len, len);
}

enum tcp_mtu_probe tcp_mtu_probe(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *head = tcp_send_head(sk);
	u32 size, needed, in_flight;

	if (!head || inet_csk(sk)->icsk_ca_state != TCP_CA_Open || tp->flight->mtu_probe_size ||
	    tp->snd_cwnd < PROBE_MIN_CWND || tp->num_sacks || tp->dsack_pending || tp->urg_out ||
	    tp->repair)
		return TCP_MTU_PROBE_NONE;
	size = tcp_mss_of(sk, (tp->mtup_low + tp->mtup_high) / 2u) -
	       (tp->tcp_header_len - TCP_BASE_HDR);
	if (tp->mtup_high - tp->mtup_low < tcp_net(sk)->probe_threshold ||
	    size > tcp_mss_of(sk, tp->mtup_high)) {
		mtup_search_again(sk);
		return TCP_MTU_PROBE_NONE;
	}
	/* RFC 4821 7.4: enough has to follow it for its loss to be noticed without a timeout. */
	needed = size + (tp->reordering + 1u) * tp->mss_cache;
	if (tp->write_seq - tp->snd_nxt < needed || tp->snd_wnd < needed)
		return TCP_MTU_PROBE_NONE;
	in_flight = tcp_packets_in_flight(tp);
	if (after(tp->snd_nxt + needed, tcp_wnd_end(tp)) || in_flight + 2 > tp->snd_cwnd)
		return in_flight ? TCP_MTU_PROBE_WAIT : TCP_MTU_PROBE_NONE;
	if (tcp_pacing_wait(sk) || !mtup_fill_head(sk, size))
		return TCP_MTU_PROBE_NONE;

	tcp_set_skb_tso_segs(head, size);
	if (tcp_transmit_skb(sk, head, TCP_SEND_CLONE))
		return TCP_MTU_PROBE_NONE;
	/* It carries more than others do: as much less in segments (7.4). */
	tp->snd_cwnd--;
	tp->flight->mtu_probe_start = TCP_SKB_CB(head)->seq;
	tp->flight->mtu_probe_end = TCP_SKB_CB(head)->end_seq;
	tp->flight->mtu_probe_size = clamp_u16(tcp_mss_to_mtu(sk, size));
	tcp_event_new_data_sent(sk, head);
	return TCP_MTU_PROBE_SENT;
}

void __tcp_mtu_probe_acked(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 size = tp->flight->mtu_probe_size;
	u64 octets = (u64)tp->snd_cwnd * tcp_mss_to_mtu(sk, tp->mss_cache);

	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPMTUPSuccess);
	/* RFC 4821 7.4: the window is one of octets. */
	tp->snd_cwnd = max((u32)(octets / size), 1u);
	tp->snd_cwnd_cnt = 0;
	tp->snd_ssthresh = tcp_current_ssthresh(sk);
	tp->mtup_low = (u16)size;
	tp->flight->mtu_probe_size = 0;
	tcp_sync_mss(sk, inet_csk(sk)->icsk_pmtu_cookie);
}

bool __tcp_mtu_probe_lost(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->snd_una != tp->flight->mtu_probe_start)
		return false;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPMTUPFail);
	tp->mtup_high = (u16)(tp->flight->mtu_probe_size - 1u);
	tp->flight->mtu_probe_size = 0;
	tp->snd_cwnd++;
	tcp_simple_retransmit(sk);
	return true;
}
