/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_diag.c - connections as ss(8) sees them, and SOCK_DESTROY
 *
 * See linux/inet_diag.h, inet/inet_diag.c.
 */
#include "inet/inet_diag.h"
#include "tcp/tcp_auth.h"
#include "tcp/tcp_info.h"
#include "tcp/tcp_internal.h"

/* idiag_timer */
enum { TIMER_OFF, TIMER_RETRANS, TIMER_KEEPALIVE, TIMER_TIMEWAIT, TIMER_PROBE0 };

static bool tcp_diag_table(const struct net *net, u32 nth, struct inet_diag_table *ret)
{
	const struct inet_hashinfo *h = &net->tcp->hashinfo;

	if (nth > 1)
		return false;
	*ret = nth ? (struct inet_diag_table){ h->ehash, h->ehash_bits, false }
		   : (struct inet_diag_table){ h->lhash2, h->lhash2_bits, true };
	return true;
}

static struct sock_common *tcp_diag_lookup(struct net *net, const struct inet_diag_req_v2 *req)
{
	struct inet_hashinfo *h = &net->tcp->hashinfo;
	struct inet_tuple t;
	struct sock *sk;

	inet_diag_tuple(req, &t);
	sk = __inet_lookup_established(h, &t);
	if (!sk)
		sk = __inet_lookup_listener(h, &t, NULL);
	return sk ? &sk->c : NULL;
}

static u32 ms_until(const struct net *net, u64 when)
{
	u64 now = net_now(net);

	return when > now ? (u32)((when - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC) : 0;
}

static void diag_timer(const struct sock *sk, struct inet_diag_msg *r)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (icsk->icsk_pending == ICSK_TIME_PROBE0) {
		r->idiag_timer = TIMER_PROBE0;
		r->idiag_retrans = icsk->icsk_probes_out;
		r->idiag_expires = ms_until(sock_net(sk), icsk->icsk_timeout);
	} else if (icsk->icsk_pending) {
		r->idiag_timer = TIMER_RETRANS;
		r->idiag_retrans = icsk->icsk_retransmits;
		r->idiag_expires = ms_until(sock_net(sk), icsk->icsk_timeout);
	} else if (icsk->icsk_keepalive_timeout) {
		r->idiag_timer = TIMER_KEEPALIVE;
		r->idiag_retrans = icsk->icsk_probes_out;
		r->idiag_expires = ms_until(sock_net(sk), icsk->icsk_keepalive_timeout);
	}
}

static void tcp_diag_get_info(struct sock *sk, struct inet_diag_msg *r, void *info)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (sk->sk_state == SS_TCP_LISTEN) {
		r->idiag_rqueue = sk->sk_ack_backlog;
		r->idiag_wqueue = sk->sk_max_ack_backlog;
	} else {
		r->idiag_rqueue = (u32)max((s32)(tp->rcv_nxt - tp->copied_seq), 0);
		r->idiag_wqueue = tp->write_seq - tp->snd_una;
		diag_timer(sk, r);
	}
	if (info)
		tcp_get_info(sk, info);
}

static void tcp_diag_get_aux(struct sock *sk, struct nl_msg *m, u32 ext, bool privileged)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->icsk_ca_ops;

	union tcp_cc_info info;
	u16 attr;
	u32 len;

	if (ca && ext & (1u << (INET_DIAG_CONG - 1)))
		nla_put_string(m, INET_DIAG_CONG, ca->name);
	/* Asked for by the oldest kind of information, whatever kind there is. */
	if (ca && ca->get_info && inet_csk(sk)->icsk_ca_initialized &&
	    ext & (1u << (INET_DIAG_VEGASINFO - 1))) {
		len = ca->get_info(sk, &info, &attr);
		nla_put(m, attr, len, &info);
	}
	if (privileged)
		tcp_auth_diag(sk, m);
}

static void tcp_diag_get_mini(const struct sock_common *c, struct inet_diag_msg *r)
{
	if (c->skc_state == SS_TCP_TIME_WAIT) {
		r->idiag_timer = TIMER_TIMEWAIT;
		r->idiag_expires = ms_until(c->skc_net, inet_twsk(c)->tw_timer.expires);
	} else {
		const struct request_sock *req = (const struct request_sock *)c;

		r->idiag_timer = TIMER_RETRANS;
		r->idiag_retrans = req->num_retrans;
		r->idiag_expires = ms_until(c->skc_net, req->timer.expires);
		r->idiag_uid = req->rsk_listener->sk_uid;
	}
}

/* What tcp_disconnect() does for the program, done to it: the peer gets a RST, the program ECONNABORTED. */
static void tcp_abort(struct sock *sk)
{
	sock_hold(sk);
	if (sk->sk_state == SS_TCP_LISTEN) {
		tcp_set_state(sk, SS_TCP_CLOSE);
		inet_csk_listen_stop(sk);
	} else if (tcp_need_reset(sk->sk_state)) {
		tcp_send_active_reset(sk);
	}
	tcp_write_queue_purge(sk);
	if (!sock_flag(sk, SOCK_DEAD)) {
		sk->sk_err = ECONNABORTED;
		sk_error_report(sk);
	}
	tcp_done(sk);
	sock_put(sk);
}

static int tcp_diag_destroy(struct sock_common *c)
{
	if (c->skc_state == SS_TCP_TIME_WAIT) {
		inet_twsk_deschedule_put(inet_twsk(c));
	} else if (c->skc_state == SS_TCP_NEW_SYN_RECV) {
		struct request_sock *req = (struct request_sock *)c;

		inet_csk_reqsk_queue_drop(req->rsk_listener, req);
	} else {
		tcp_abort((struct sock *)c);
	}
	return 0;
}

static const struct inet_diag_handler tcp_diag_handler = {
	.protocol = IPPROTO_TCP,
	.info_size = sizeof(struct tcp_info_uapi),
	.table = tcp_diag_table,
	.lookup = tcp_diag_lookup,
	.get_info = tcp_diag_get_info,
	.get_aux = tcp_diag_get_aux,
	.get_mini = tcp_diag_get_mini,
	.destroy = tcp_diag_destroy,
};

int tcp_diag_machine_init(struct machine *m)
{
	return inet_diag_register(m, &tcp_diag_handler);
}
