/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_pacing.c - a rate instead of bursts: when the next unit may leave, and how large it is
 *
 * Theory of operation
 *   A connection is paced when its congestion control sets a rate, the program has set SO_MAX_PACING_RATE, or its packets pass a discipline that
 *   heeds times of departure (fq, which sets SOCK_FQ_PACED with each packet that comes to it; it is cleared with each that we send, so that it
 *   tells of the last one). Then each unit that
 *   leaves moves the time of the next one (wstamp) by as long as the unit takes at the rate. The discipline keeps it until then
 *   (skb->tstamp), and two units at a time are enough for it; or else tcp_write_xmit() and the retransmit queue wait, and a timer of
 *   nanoseconds goes on when the time has come. What was lost by waking up late is made good: up to half of the
 *   next gap.
 *   The rate is that of the congestion control, or else twice (in slow start) or 1.2 times the window per round trip, as Linux has it: enough to grow.
 *   Units of segmentation hold what the rate sends in a millisecond, more on short paths: small enough to leave no gaps, large enough to
 *   be cheap.
 *   TCP_TX_DELAY moves the time of each packet by as much again, for such a discipline: a longer path, to try things with.
 * State: struct tcp_pacing, allocated when pacing begins and kept as long as the connection: few connections are paced.
 * Locking: the home cpu's lock; the timer fires under it.
 */
#include <stdlib.h>

#include "tcp/tcp_auth.h"

#define PACING_SHIFT 10u /* what the rate sends in 1/1024 s makes a unit */
#define UNPACED_SEGS                                                                               \
	10u /* the first segments of a connection are its initial window, which may leave at once */
#define PACING_UNLIMITED UINT64_MAX
#define UNIT_OVERHEAD    1024u /* of memory around the payload of a unit */

struct tcp_pacing {
	struct hrtimer timer;
	struct sock *sk;
	u64 wstamp_ns; /* nothing leaves before */
	u64 prior_ns;  /* what it was before the last unit */
	u64 rate;      /* octets/s; what the congestion control has set. 0: by the window */
	bool wanted;   /* paced by our timer where no discipline does it */
	bool full;     /* enough of ours is in queues of this host: goes on when some has left */
};

static u64 max_rate(const struct sock *sk)
{
	return sk->sk_rare ? sk->sk_rare->max_pacing_rate : PACING_UNLIMITED;
}

static u64 window_rate(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_tcp *net = tcp_net(sk);
	u32 ratio =
		tp->snd_cwnd < tp->snd_ssthresh / 2 ? net->pacing_ss_ratio : net->pacing_ca_ratio;
	u64 rate;

	if (!tp->srtt_us)
		return PACING_UNLIMITED;
	/* srtt_us is shifted by 3: 8 * 1e6 / srtt_us round trips per second */
	rate = (u64)tp->mss_cache * min(max(tp->snd_cwnd, tp->packets_out), 1u << 24) * ratio;
	return rate * (8 * 10000) / tp->srtt_us;
}

static struct tcp_pacing *pacing_of(const struct sock *sk)
{
	return tcp_rare(sk) ? tcp_rare(sk)->pacing : NULL;
}

u64 tcp_pacing_rate(const struct sock *sk)
{
	const struct tcp_pacing *p = pacing_of(sk);

	return min(p && p->rate ? p->rate : window_rate(sk), max_rate(sk));
}

bool tcp_is_paced(const struct sock *sk)
{
	const struct tcp_pacing *p = pacing_of(sk);

	return sock_flag(sk, SOCK_FQ_PACED) || (p && p->wanted);
}

/* ---- waiting ------------------------------------------------------------------------------------------- */

static void pacing_timer(struct cpu *cpu, struct hrtimer *t)
{
	struct sock *sk = container_of(t, struct tcp_pacing, timer)->sk;
	struct tcp_sock *tp = tcp_sk(sk);

	(void)cpu;
	if (sk->sk_state == SS_TCP_CLOSE)
		return;
	if (tp->lost_out > tp->retrans_out && tp->snd_cwnd > tcp_packets_in_flight(tp))
		tcp_xmit_retransmit_queue(sk);
	__tcp_push_pending_frames(sk, tcp_current_mss(sk), tp->nonagle);
}

/* NULL: no memory, then the connection is not paced. */
static struct tcp_pacing *pacing_start(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (!rare || rare->pacing)
		return rare ? rare->pacing : NULL;
	rare->pacing = calloc(1, sizeof(*rare->pacing));
	if (rare->pacing) {
		rare->pacing->sk = sk;
		hrtimer_setup(&rare->pacing->timer, pacing_timer);
	}
	return rare->pacing;
}

void tcp_set_pacing_rate(struct sock *sk, u64 octets_per_s)
{
	struct tcp_pacing *p = pacing_start(sk);

	if (!p)
		return;
	p->wanted = true;
	p->rate = max(octets_per_s, (u64)1);
}

static bool pacing_by_timer(struct sock *sk, struct tcp_pacing *p)
{
	if (!p->wanted || tcp_now_ns(sk) >= p->wstamp_ns)
		return false;
	if (!hrtimer_active(&p->timer) && hrtimer_start(sk->sk_cpu, &p->timer, p->wstamp_ns))
		return false; /* no memory for a timer: better too early than never */
	return true;
}

/* Two units, or what leaves in a millisecond: more in the discipline's queue would be no use, and would fill it (as Linux' small queues). */
static u32 pacing_queue_limit(const struct sock *sk)
{
	u32 mss = tcp_sk(sk)->mss_cache;
	u64 units = 2ULL * (tcp_tso_segs(sk, mss) * mss + UNIT_OVERHEAD);
	u64 limit = max(units, tcp_pacing_rate(sk) >> PACING_SHIFT);
	u32 delay_us = tcp_rare(sk) ? tcp_rare(sk)->tx_delay_us : 0;

	/* What TCP_TX_DELAY keeps there, as if it were on its way. */
	if (unlikely(delay_us))
		limit += 2 * min(tcp_pacing_rate(sk), (u64)UINT32_MAX) * delay_us /
			 (NSEC_PER_SEC / NSEC_PER_USEC);
	return (u32)min(limit, (u64)tcp_net(sk)->limit_output_bytes);
}

bool __tcp_pacing_wait(struct sock *sk)
{
	struct tcp_pacing *p = pacing_of(sk);

	if (!p)
		return false;
	if (!sock_flag(sk, SOCK_FQ_PACED))
		return pacing_by_timer(sk, p);
	/* What is in flight brings ACKs: without any, the first always goes. */
	p->full = !tcp_rtx_queue_empty(sk) && sk->sk_wmem_alloc > pacing_queue_limit(sk);
	return p->full;
}

void tcp_pacing_room(struct sock *sk, u32 truesize)
{
	struct tcp_pacing *p = pacing_of(sk);

	if (!p || !p->full || sk->sk_wmem_alloc - truesize > pacing_queue_limit(sk))
		return;
	p->full = false;
	if (!hrtimer_active(&p->timer))
		hrtimer_start(sk->sk_cpu, &p->timer, tcp_now_ns(sk)); /* else an ACK goes on */
}

u64 __tcp_pacing_delay_ns(const struct sock *sk)
{
	const struct tcp_pacing *p = pacing_of(sk);
	u64 now = tcp_now_ns(sk);

	return p && p->wstamp_ns > now ? p->wstamp_ns - now : 0;
}

static void pacing_xmit(struct sock *sk, struct sk_buff *skb, struct tcp_skb_cb *cb, u32 octets)
{
	bool by_fq = sock_flag(sk, SOCK_FQ_PACED), limited = max_rate(sk) != PACING_UNLIMITED;
	struct tcp_pacing *p = pacing_of(sk);
	u64 now = tcp_now_ns(sk), rate, gap, late;

	if (!p && (by_fq || limited))
		p = pacing_start(sk);
	if (!p)
		return;
	p->wanted |= limited;
	if (!by_fq && !p->wanted)
		return;
	p->prior_ns = p->wstamp_ns;
	late = now > p->wstamp_ns ? now - p->wstamp_ns : 0;
	p->wstamp_ns = max(p->wstamp_ns, now);
	if (by_fq) {
		skb->tstamp = cb->sent_ns = p->wstamp_ns;
		sock_reset_flag(sk, SOCK_FQ_PACED);
	}
	rate = tcp_pacing_rate(sk);
	if (!octets || rate == PACING_UNLIMITED ||
	    tcp_sk(sk)->bytes_sent < (u64)UNPACED_SEGS * tcp_sk(sk)->mss_cache)
		return;
	gap = octets * NSEC_PER_SEC / max(rate, (u64)1);
	p->wstamp_ns += gap - min(gap / 2, late);
}

/* As if it had not been tried: or else the timer would try again at the pace of the rate, for as long as our own queue is full. */
void __tcp_pacing_failed(struct sock *sk)
{
	struct tcp_pacing *p = pacing_of(sk);

	if (p && p->prior_ns)
		p->wstamp_ns = p->prior_ns;
}

void tcp_add_tx_delay(const struct sock *sk, struct sk_buff *skb)
{
	u32 us = tcp_rare(sk) ? tcp_rare(sk)->tx_delay_us : 0;

	if (unlikely(us))
		skb->tstamp = max(skb->tstamp, tcp_now_ns(sk)) + us * NSEC_PER_USEC;
}

void __tcp_pacing_xmit(struct sock *sk, struct sk_buff *skb, struct tcp_skb_cb *cb, u32 octets)
{
	pacing_xmit(sk, skb, cb, octets);
	tcp_add_tx_delay(sk, skb);
}

void tcp_pacing_stop(struct sock *sk)
{
	struct tcp_pacing *p = pacing_of(sk);

	if (p)
		hrtimer_cancel(sk->sk_cpu, &p->timer);
}

void tcp_pacing_free(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare(sk);

	if (rare && rare->pacing) {
		tcp_pacing_stop(sk);
		free(rare->pacing);
		rare->pacing = NULL;
	}
}

/* ---- how much at once ---------------------------------------------------------------------------------- */

u32 tcp_tso_segs(const struct sock *sk, u32 mss)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct netns_tcp *net = tcp_net(sk);
	const struct tcp_congestion_ops *ca = tcp_ca(sk);
	u32 most = GSO_MAX_SIZE - 1 - MAX_TCP_HEADER,
	    near = net->tso_rtt_log < 32 ? tcp_min_rtt(tp) >> net->tso_rtt_log : 0;
	u32 least = ca->min_tso_segs ? ca->min_tso_segs((struct sock *)sk) : net->min_tso_segs;
	u64 octets = most;

	if (unlikely(tcp_auth(sk)))
		return 1; /* each segment has a signature of its own */
	/* A receiver that is near has its ACKs here soon: large units hide nothing. */
	if (near)
		octets = min((tcp_pacing_rate(sk) >> PACING_SHIFT) + (near < 32 ? most >> near : 0),
			     (u64)most);
	return max((u32)octets / mss, max(least, 1u));
}
