/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cong.c - which congestion control algorithms there are, and which one a connection has
 *
 * Algorithms register per machine (rtnl); the first is the default of new nets. A connection's choice can change at any time: the
 * old one's release and the new one's init are called. See cong/reno.c for the smallest example.
 */
#include <errno.h>
#include <stdlib.h>

#include "inet/ip_metrics.h"
#include "tcp/tcp.h"

int tcp_register_congestion_control(struct machine *m, const struct tcp_congestion_ops *ops)
{
	struct tcp_machine *tm = m->tcp;

	if (!ops->name || !ops->ssthresh || !ops->undo_cwnd ||
	    (!ops->cong_avoid && !ops->cong_control))
		return -EINVAL;
	if (tcp_ca_find(m, ops->name))
		return -EEXIST;
	if (tm->nr_cong == TCP_CONG_MAX)
		return -ENOSPC;
	tm->cong[tm->nr_cong++] = ops;
	return 0;
}

void tcp_unregister_congestion_control(struct machine *m, const struct tcp_congestion_ops *ops)
{
	struct tcp_machine *tm = m->tcp;

	for (u32 i = 0; i < tm->nr_cong; i++) {
		if (tm->cong[i] != ops)
			continue;
		tm->nr_cong--;
		memmove(&tm->cong[i], &tm->cong[i + 1], (tm->nr_cong - i) * sizeof(tm->cong[0]));
		return;
	}
}

const struct tcp_congestion_ops *tcp_ca_find(const struct machine *m, const char *name)
{
	const struct tcp_machine *tm = m->tcp;

	for (u32 i = 0; i < tm->nr_cong; i++)
		if (!strcmp(tm->cong[i]->name, name))
			return tm->cong[i];
	return NULL;
}

/* A number for a route's metrics (FNV-1a of the name; 0 is none). */
static u32 ca_key(const char *name)
{
	u32 h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (u8)*name) * 16777619u;
	return h ? h : 1;
}

static const struct tcp_congestion_ops *ca_of_key(const struct machine *m, u32 key)
{
	const struct tcp_machine *tm = m->tcp;

	for (u32 i = 0; i < tm->nr_cong; i++)
		if (ca_key(tm->cong[i]->name) == key)
			return tm->cong[i];
	return NULL;
}

static u32 route_key(const struct machine *m, const char *name, bool *ret_ecn)
{
	const struct tcp_congestion_ops *ca = tcp_ca_find(m, name);

	if (ca)
		*ret_ecn = ca->needs_ecn;
	return ca ? ca_key(name) : 0;
}

static const char *route_name(const struct machine *m, u32 key)
{
	const struct tcp_congestion_ops *ca = ca_of_key(m, key);

	return ca ? ca->name : NULL;
}

const struct ip_metrics_cong tcp_route_cong = { .key = route_key, .name = route_name };

static bool route_says(const struct sock *sk)
{
	return sk->sk_dst_cache && dst_metric(sk->sk_dst_cache, DST_METRIC_CC_ALGO);
}

/* The route's, if it names one that is there; else the socket's own, else the net's. */
void tcp_assign_congestion_control(struct sock *sk)
{
	if (unlikely(route_says(sk))) {
		const struct tcp_congestion_ops *ca = ca_of_key(
			sk->sk_net->machine, dst_metric(sk->sk_dst_cache, DST_METRIC_CC_ALGO));

		if (ca)
			inet_csk(sk)->icsk_ca_ops = ca;
	}
	if (!inet_csk(sk)->icsk_ca_ops)
		inet_csk(sk)->icsk_ca_ops = tcp_net(sk)->cong_default;
}

static bool ca_state_alloc(struct sock *sk)
{
	struct tcp_rare *rare = tcp_rare_get(sk);

	if (rare)
		rare->ca_state = calloc(1, inet_csk(sk)->icsk_ca_ops->priv_size);
	return rare && rare->ca_state;
}

void tcp_init_congestion_control(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (tcp_sk(sk)->flight != &tcp_no_flight)
		tcp_sk(sk)->flight->prior_ssthresh =
			0; /* the old one's window is not to be restored */
	memset(icsk->icsk_ca_priv, 0, sizeof(icsk->icsk_ca_priv));
	/* Without memory for an algorithm's state the connection goes on with the one that needs none. */
	if (icsk->icsk_ca_ops->priv_size > ICSK_CA_PRIV_SIZE && !ca_state_alloc(sk))
		icsk->icsk_ca_ops = &tcp_reno;
	tcp_ecn_init(sk);
	if (icsk->icsk_ca_ops->init)
		icsk->icsk_ca_ops->init(sk);
	icsk->icsk_ca_initialized = 1;
}

void tcp_cleanup_congestion_control(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_ca_initialized && icsk->icsk_ca_ops && icsk->icsk_ca_ops->release)
		icsk->icsk_ca_ops->release(sk);
	icsk->icsk_ca_initialized = 0;
	tcp_pacing_free(sk);
	if (tcp_rare(sk)) {
		free(tcp_rare(sk)->ca_state);
		tcp_rare(sk)->ca_state = NULL;
	}
}

int tcp_set_congestion_control(struct sock *sk, const char *name, bool privileged)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_congestion_ops *ca = tcp_ca_find(sk->sk_net->machine, name);

	if (!ca)
		return -ENOENT;
	if (ca->restricted && !privileged)
		return -EPERM;
	/* ip route ... congctl lock NAME */
	if (unlikely(route_says(sk)) && ip_metric_locked(sk->sk_dst_cache, DST_METRIC_CC_ALGO))
		return -EPERM;
	if (ca == icsk->icsk_ca_ops)
		return 0;
	tcp_cleanup_congestion_control(sk);
	icsk->icsk_ca_ops = ca;
	if (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN &&
	    sk->sk_state != SS_TCP_SYN_SENT)
		tcp_init_congestion_control(sk);
	return 0;
}

/* ---- shared by the algorithms ------------------------------------------------------------------------- */

/* Is the window what limits? Growing one that is not used says nothing about the path. */
bool tcp_is_cwnd_limited(const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	/* In slow start the window may run ahead of what was used by a factor of two. */
	if (tcp_in_slow_start(tp))
		return tp->snd_cwnd < 2 * tp->max_packets_out;
	return tp->is_cwnd_limited;
}

/* RFC 5681 3.1: by one segment for each that was acknowledged (RFC 3465's byte counting without a limit, ACKs being merged). */
u32 tcp_slow_start(struct tcp_sock *tp, u32 acked)
{
	u32 cwnd = min(tp->snd_cwnd + acked, tp->snd_ssthresh);

	acked -= cwnd - tp->snd_cwnd;
	tp->snd_cwnd = cwnd;
	return acked;
}

/* By one segment for each @w that were acknowledged. */
void tcp_cong_avoid_ai(struct tcp_sock *tp, u32 w, u32 acked)
{
	w = max(w, 1u);
	if (tp->snd_cwnd_cnt >= w) {
		tp->snd_cwnd_cnt = 0;
		tp->snd_cwnd++;
	}
	tp->snd_cwnd_cnt += acked;
	if (tp->snd_cwnd_cnt >= w) {
		u32 delta = tp->snd_cwnd_cnt / w;

		tp->snd_cwnd_cnt -= delta * w;
		tp->snd_cwnd += delta;
	}
}
