/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dctcp.c - Data Center TCP (RFC 8257): as much less as there was congestion
 *
 * Theory of operation
 *   Switches mark packets CE as soon as their queue exceeds a threshold. The receiver echoes the marks exactly: an ACK that covers marked
 *   data has ECE, another has not; when the state changes while an ACK is being delayed, that ACK is sent first, for what came before.
 *   The sender estimates alpha, the fraction of packets that are marked, as a moving average over windows, and once per window with marks
 *   reduces its own by alpha / 2: by half when all was marked, hardly at all when little was. Losses and timeouts halve it.
 * State: struct dctcp in icsk_ca_priv. Both ends must know ECN; else it behaves as Reno.
 */
#include <linux/inet_diag.h>

#include "tcp/tcp.h"

#define ALPHA_ONE  1024u
#define GAIN_SHIFT 4u /* g = 1/16 (RFC 8257 4.2) */

struct dctcp {
	u32 alpha;
	u32 window_end; /* the window in which marks are being counted ends here */
	u32 delivered, delivered_ce;
	u32 prior_rcv_nxt; /* receiver: up to which the state below was echoed */
	u32 loss_cwnd;
	bool ce; /* receiver: the last data was marked */
	struct tcp_plb plb;
};
static_assert(sizeof(struct dctcp) <= ICSK_CA_PRIV_SIZE, "private state");

static void dctcp_count_from_here(const struct tcp_sock *tp, struct dctcp *ca)
{
	ca->window_end = tp->snd_nxt;
	ca->delivered = tp->delivered;
	ca->delivered_ce = tp->delivered_ce;
}

static void dctcp_init(struct sock *sk)
{
	struct dctcp *ca = inet_csk_ca(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	ca->alpha = ALPHA_ONE; /* RFC 8257 4.2: cautious */
	ca->prior_rcv_nxt = tp->rcv_nxt;
	dctcp_count_from_here(tp, ca);
}

/* RFC 8257 3.3: at the end of each window alpha moves by 1/16 towards the fraction of it that was marked. */
static void dctcp_pkts_acked(struct sock *sk, const struct ack_sample *s)
{
	struct dctcp *ca = inet_csk_ca(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 delivered, marked;

	(void)s;
	if (before(tp->snd_una, ca->window_end))
		return;
	delivered = tp->delivered - ca->delivered;
	marked = tp->delivered_ce - ca->delivered_ce;
	tcp_plb_round(sk, &ca->plb, delivered, marked);
	if (!delivered && !ca->alpha)
		return;
	/* Below 1/16 of its unit the average would not move any more: then it is 0. */
	ca->alpha -= ca->alpha >> GAIN_SHIFT ? ca->alpha >> GAIN_SHIFT : ca->alpha;
	if (marked)
		ca->alpha = min(ca->alpha + (u32)(((u64)marked * ALPHA_ONE >> GAIN_SHIFT) /
						  max(delivered, 1u)),
				ALPHA_ONE);
	dctcp_count_from_here(tp, ca);
}

/* RFC 8257 3.3: cwnd (1 - alpha / 2) */
static u32 dctcp_ssthresh(struct sock *sk)
{
	struct dctcp *ca = inet_csk_ca(sk);
	u32 cwnd = tcp_sk(sk)->snd_cwnd;

	ca->loss_cwnd = cwnd;
	if (!(tcp_sk(sk)->ecn_flags & TCP_ECN_USED))
		return tcp_reno_ssthresh(sk);
	return max(cwnd - (u32)((u64)cwnd * ca->alpha / (2 * ALPHA_ONE)), 2u);
}

static u32 dctcp_undo_cwnd(struct sock *sk)
{
	const struct dctcp *ca = inet_csk_ca(sk);

	return max(tcp_sk(sk)->snd_cwnd, ca->loss_cwnd);
}

/* RFC 8257 3.5: a loss is answered as Reno does. */
static void dctcp_loss(struct sock *sk)
{
	struct dctcp *ca = inet_csk_ca(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	ca->loss_cwnd = tp->snd_cwnd;
	tp->snd_ssthresh = tcp_reno_ssthresh(sk);
}

static void dctcp_timeout(struct sock *sk)
{
	struct dctcp *ca = inet_csk_ca(sk);

	dctcp_loss(sk);
	tcp_plb_timeout(sk, &ca->plb);
}

/* Timeouts are an event: once for a series of them, and before the window is lowered. */
static void dctcp_set_state(struct sock *sk, u8 state)
{
	if (state == TCP_CA_Recovery && inet_csk(sk)->icsk_ca_state != TCP_CA_Recovery)
		dctcp_loss(sk);
	else if (state == TCP_CA_Open)
		dctcp_count_from_here(tcp_sk(sk), inet_csk_ca(sk));
}

/* The receiver's part, RFC 8257 3.2: figure 1 is this function. */
static void dctcp_echo(struct sock *sk, bool ce)
{
	struct dctcp *ca = inet_csk_ca(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	if (ca->ce != ce) {
		/* What waits for its ACK was of the other kind. */
		if (inet_csk(sk)->icsk_ack.pending & ICSK_ACK_TIMER) {
			tcp_ecn_demand_cwr(tp, ca->ce);
			tcp_send_ack_of(sk, ca->prior_rcv_nxt);
		}
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
	}
	ca->prior_rcv_nxt = tp->rcv_nxt;
	ca->ce = ce;
	tcp_ecn_demand_cwr(tp, ce);
}

static void dctcp_cwnd_event(struct sock *sk, enum tcp_ca_event ev)
{
	if (ev == CA_EVENT_ECN_IS_CE || ev == CA_EVENT_ECN_NO_CE)
		dctcp_echo(sk, ev == CA_EVENT_ECN_IS_CE);
	else if (ev == CA_EVENT_LOSS)
		dctcp_timeout(sk);
}

static u32 dctcp_get_info(struct sock *sk, union tcp_cc_info *info, u16 *ret_attr)
{
	const struct dctcp *ca = inet_csk_ca(sk);
	const struct tcp_sock *tp = tcp_sk(sk);

	memset(&info->dctcp, 0, sizeof(info->dctcp));
	info->dctcp.dctcp_enabled = (tp->ecn_flags & TCP_ECN_USED) != 0;
	info->dctcp.dctcp_ce_state = ca->ce;
	info->dctcp.dctcp_alpha = (u16)ca->alpha;
	info->dctcp.dctcp_ab_ecn = (tp->delivered_ce - ca->delivered_ce) * tp->mss_cache;
	info->dctcp.dctcp_ab_tot = (tp->delivered - ca->delivered) * tp->mss_cache;
	*ret_attr = INET_DIAG_DCTCPINFO;
	return sizeof(info->dctcp);
}

const struct tcp_congestion_ops tcp_dctcp = {
	.name = "dctcp",
	.init = dctcp_init,
	.ssthresh = dctcp_ssthresh,
	.cong_avoid = tcp_reno_cong_avoid,
	.undo_cwnd = dctcp_undo_cwnd,
	.set_state = dctcp_set_state,
	.cwnd_event = dctcp_cwnd_event,
	.pkts_acked = dctcp_pkts_acked,
	.get_info = dctcp_get_info,
	.priv_size = sizeof(struct dctcp),
	.needs_ecn = true,
	.restricted = true, /* unfair to others on a path without its marks (RFC 8257 5) */
};
