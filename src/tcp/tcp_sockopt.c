/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sockopt.c - options of level SOL_TCP (tcp(7)), as a table
 *
 * A row names the option, its range and two functions on an int. Options that are not an int (TCP_INFO, TCP_CONGESTION) have
 * functions of their own below. What is not in the table is ENOPROTOOPT. Context: user, cpu lock held.
 */
#include <errno.h>
#include <stdlib.h>

#include "tcp/tcp_auth.h"
#include "tcp/tcp_auth_uapi.h"
#include "tcp/tcp_info.h"

struct tcp_opt {
	int name;
	int min, max;                       /* outside: -EINVAL */
	int (*set)(struct sock *sk, int v); /* NULL: read only. 0 or -errno */
	int (*get)(struct sock *sk);
};

/* ---- the functions of the rows ------------------------------------------------------------------------ */

static int set_nodelay(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (v) {
		/* What is there now goes out even under a cork. */
		tp->nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH;
		tcp_push_pending_frames(sk);
	} else {
		tp->nonagle &= (u8)~TCP_NAGLE_OFF;
	}
	return 0;
}

static int get_nodelay(struct sock *sk)
{
	return (tcp_sk(sk)->nonagle & TCP_NAGLE_OFF) != 0;
}

static int set_cork(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (v) {
		tp->nonagle |= TCP_NAGLE_CORK;
		tp->nonagle &= (u8)~TCP_NAGLE_PUSH;
		return 0;
	}
	tp->nonagle &= (u8)~TCP_NAGLE_CORK;
	if (tp->nonagle & TCP_NAGLE_OFF)
		tp->nonagle |= TCP_NAGLE_PUSH;
	tcp_push_pending_frames(sk);
	return 0;
}

static int get_cork(struct sock *sk)
{
	return (tcp_sk(sk)->nonagle & TCP_NAGLE_CORK) != 0;
}

static int set_maxseg(struct sock *sk, int v)
{
	if (v && ((u32)v < TCP_MIN_MSS || v > 32767))
		return -EINVAL;
	tcp_sk(sk)->user_mss = (u16)v;
	return 0;
}

static int get_maxseg(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (tp->user_mss && (sk->sk_state == SS_TCP_CLOSE || sk->sk_state == SS_TCP_LISTEN))
		return tp->user_mss;
	return tp->mss_cache;
}

static int set_keepidle(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->keepalive_time_s = (u16)v;
	if (sock_flag(sk, SOCK_KEEPOPEN) && sk->sk_state != SS_TCP_CLOSE &&
	    sk->sk_state != SS_TCP_LISTEN) {
		u64 wait = (u64)v * NSEC_PER_SEC, idle = tcp_idle_ns(sk);

		tcp_reset_keepalive_timer(sk, wait > idle ? wait - idle : 0);
	}
	return 0;
}

static int get_keepidle(struct sock *sk)
{
	return (int)keepalive_time_s(sk);
}

static int set_keepintvl(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->keepalive_intvl_s = (u16)v;
	return 0;
}

static int get_keepintvl(struct sock *sk)
{
	return (int)keepalive_intvl_s(sk);
}

static int set_keepcnt(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->keepalive_probes = (u8)v;
	return 0;
}

static int get_keepcnt(struct sock *sk)
{
	return (int)keepalive_probes(sk);
}

static int set_syncnt(struct sock *sk, int v)
{
	inet_csk(sk)->icsk_syn_retries = (u8)v;
	return 0;
}

static int get_syncnt(struct sock *sk)
{
	u8 v = inet_csk(sk)->icsk_syn_retries;

	return v ? v : tcp_net(sk)->syn_retries;
}

/* Linux: below 0 no FIN_WAIT2 for orphans, above 120 s (and 0) the net's default. */
static int set_linger2(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->linger2_s = v < 0 ? -1 : v > 120 ? 120 : (s8)v;
	return 0;
}

static int get_linger2(struct sock *sk)
{
	s8 v = tcp_rare(sk) ? tcp_rare(sk)->linger2_s : 0;

	return v ? v : (int)tcp_net(sk)->fin_timeout_s;
}

/* Seconds to the number of SYN-ACK retransmissions they cover, and back. */
static int set_defer_accept(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);
	u8 n = 0;

	if (!r)
		return -ENOMEM;
	for (int t = 1, covered = 1; v > 0; n++) {
		if (covered >= v || n >= 30) {
			n++;
			break;
		}
		t = min(t << 1, 120);
		covered += t;
	}
	r->defer_accept = n;
	return 0;
}

static int get_defer_accept(struct sock *sk)
{
	int sum = 0, t = 1;

	for (u8 n = tcp_rare(sk) ? tcp_rare(sk)->defer_accept : 0; n; n--) {
		sum += t;
		t = min(t << 1, 120);
	}
	return sum;
}

static int set_window_clamp(struct sock *sk, int v)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!v) {
		if (sk->sk_state != SS_TCP_CLOSE)
			return -EINVAL;
		tp->window_clamp = 0;
		return 0;
	}
	tp->window_clamp = max((u32)v, 2304u / 2);
	/* Not min(rcv_wnd, ..): a window that is closed just now could never open again. */
	tp->rcv_ssthresh = min(tp->rcv_ssthresh, tp->window_clamp);
	return 0;
}

static int get_window_clamp(struct sock *sk)
{
	return (int)tcp_sk(sk)->window_clamp;
}

static int set_quickack(struct sock *sk, int v)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	if (!v) {
		tcp_enter_pingpong(sk);
		return 0;
	}
	icsk->icsk_ack.pingpong = 0;
	if ((sk->sk_state == SS_TCP_ESTABLISHED || sk->sk_state == SS_TCP_CLOSE_WAIT) &&
	    (icsk->icsk_ack.pending & ICSK_ACK_SCHED)) {
		icsk->icsk_ack.pending |= ICSK_ACK_PUSHED;
		tcp_cleanup_rbuf(sk, 1);
		if (!(v & 1)) /* this once */
			tcp_enter_pingpong(sk);
	}
	return 0;
}

static int get_quickack(struct sock *sk)
{
	return !tcp_in_pingpong(sk);
}

static int set_user_timeout(struct sock *sk, int v)
{
	inet_csk(sk)->icsk_user_timeout = (u32)v;
	return 0;
}

static int get_user_timeout(struct sock *sk)
{
	return (int)inet_csk(sk)->icsk_user_timeout;
}

static int set_tx_delay(struct sock *sk, int us)
{
	struct tcp_rare *r = us || tcp_rare(sk) ? tcp_rare_get(sk) : NULL;

	if (us && !r)
		return -ENOMEM;
	if (r)
		r->tx_delay_us = (u32)us;
	return 0;
}

static int get_tx_delay(struct sock *sk)
{
	return tcp_rare(sk) ? (int)tcp_rare(sk)->tx_delay_us : 0;
}

static int set_notsent_lowat(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->notsent_lowat = (u32)v;
	tcp_stream_write_space(sk);
	return 0;
}

static int get_notsent_lowat(struct sock *sk)
{
	return tcp_rare(sk) ? (int)tcp_rare(sk)->notsent_lowat : 0;
}

static int set_thin_lto(struct sock *sk, int v)
{
	tcp_sk(sk)->thin_lto = v & 1;
	return 0;
}

static int get_thin_lto(struct sock *sk)
{
	return tcp_sk(sk)->thin_lto;
}

static int set_timestamp(struct sock *sk, int v)
{
	if (!tcp_sk(sk)->repair)
		return -EPERM;
	tcp_sk(sk)->tsoffset = (u32)v - tcp_now_ms(sk);
	return 0;
}

/* Bit 0: the clock ticks in us, which ours never does. */
static int get_timestamp(struct sock *sk)
{
	return (int)(tcp_tsval(sk) & ~1u);
}

static int set_save_syn(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->save_syn = (u8)v;
	return 0;
}

static int get_save_syn(struct sock *sk)
{
	return tcp_rare(sk) ? tcp_rare(sk)->save_syn : 0;
}

static int set_inq(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->recvmsg_inq = v;
	return 0;
}

static int get_inq(struct sock *sk)
{
	return tcp_rare(sk) && tcp_rare(sk)->recvmsg_inq;
}

static int set_rto_max_ms(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->rto_max_ms = (u32)v;
	return 0;
}

static int get_rto_max_ms(struct sock *sk)
{
	return (int)(tcp_rto_max_us(sk) / 1000);
}

static int set_rto_min_us(struct sock *sk, int v)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (!r)
		return -ENOMEM;
	r->rto_min_us = (u32)v;
	return 0;
}

static int get_rto_min_us(struct sock *sk)
{
	return (int)tcp_rto_min_us(sk);
}

static int get_zero(struct sock *sk)
{
	(void)sk;
	return 0;
}

/* Newer than libc's header. */
#define TCP_IS_MPTCP_   43
#define TCP_RTO_MAX_MS_ 44
#define TCP_RTO_MIN_US_ 45

#define TX_DELAY_MAX_US ((1 << 28) - 1) /* srtt_us, which grows by it, is shifted by 3 */

#define INT_LO (-0x7fffffff - 1)
#define INT_HI 0x7fffffff

static const struct tcp_opt tcp_opts[] = {
	{ TCP_NODELAY, INT_LO, INT_HI, set_nodelay, get_nodelay },
	{ TCP_CORK, INT_LO, INT_HI, set_cork, get_cork },
	{ TCP_MAXSEG, 0, 32767, set_maxseg, get_maxseg },
	{ TCP_KEEPIDLE, 1, 32767, set_keepidle, get_keepidle },
	{ TCP_KEEPINTVL, 1, 32767, set_keepintvl, get_keepintvl },
	{ TCP_KEEPCNT, 1, 127, set_keepcnt, get_keepcnt },
	{ TCP_SYNCNT, 1, 127, set_syncnt, get_syncnt },
	{ TCP_LINGER2, INT_LO, INT_HI, set_linger2, get_linger2 },
	{ TCP_DEFER_ACCEPT, INT_LO, INT_HI, set_defer_accept, get_defer_accept },
	{ TCP_WINDOW_CLAMP, 0, INT_HI, set_window_clamp, get_window_clamp },
	{ TCP_QUICKACK, INT_LO, INT_HI, set_quickack, get_quickack },
	{ TCP_USER_TIMEOUT, 0, INT_HI, set_user_timeout, get_user_timeout },
	{ TCP_NOTSENT_LOWAT, INT_LO, INT_HI, set_notsent_lowat, get_notsent_lowat },
	{ TCP_FASTOPEN, INT_LO, INT_HI, tcp_set_fastopen, tcp_get_fastopen },
	{ TCP_FASTOPEN_CONNECT, 0, 1, tcp_set_fastopen_connect, tcp_get_fastopen_connect },
	{ TCP_FASTOPEN_NO_COOKIE, 0, 1, tcp_set_fastopen_no_cookie, tcp_get_fastopen_no_cookie },
	{ TCP_REPAIR, INT_LO, INT_HI, tcp_set_repair, tcp_get_repair },
	{ TCP_REPAIR_QUEUE, INT_LO, INT_HI, tcp_set_repair_queue, tcp_get_repair_queue },
	{ TCP_QUEUE_SEQ, INT_LO, INT_HI, tcp_set_queue_seq, NULL },
	{ TCP_TIMESTAMP, INT_LO, INT_HI, set_timestamp, get_timestamp },
	{ TCP_SAVE_SYN, 0, 2, set_save_syn, get_save_syn },
	{ TCP_INQ, 0, 1, set_inq, get_inq },
	{ TCP_TX_DELAY, 0, TX_DELAY_MAX_US, set_tx_delay, get_tx_delay },
	{ TCP_IS_MPTCP_, 0, 0, NULL, get_zero },
	{ TCP_RTO_MAX_MS_, 1000, 120000, set_rto_max_ms, get_rto_max_ms },
	{ TCP_RTO_MIN_US_, 1, 200000, set_rto_min_us, get_rto_min_us },
	{ TCP_THIN_LINEAR_TIMEOUTS, 0, 1, set_thin_lto, get_thin_lto },
};

static const struct tcp_opt *tcp_opt_find(int name)
{
	for (u32 i = 0; i < ARRAY_SIZE(tcp_opts); i++)
		if (tcp_opts[i].name == name)
			return &tcp_opts[i];
	return NULL;
}

/* ---- setsockopt, getsockopt --------------------------------------------------------------------------- */

int tcp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	const struct tcp_opt *o;
	char ca[TCP_CA_NAME_SIZE];
	int v;

	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if (name == TCP_CONGESTION) {
		if (len < 1)
			return -EINVAL;
		memset(ca, 0, sizeof(ca));
		memcpy(ca, val, min_t(size_t, len, sizeof(ca) - 1));
		return tcp_set_congestion_control(sk, ca, true);
	}
	switch (name) {
	case TCP_FASTOPEN_KEY:
		return tcp_set_fastopen_key(sk, val, len);
	case TCP_REPAIR_OPTIONS:
		return tcp_set_repair_options(sk, val, len);
	case TCP_REPAIR_WINDOW:
		return tcp_set_repair_window(sk, val, len);
	case TCP_MD5SIG:
	case TCP_MD5SIG_EXT_:
	case TCP_AO_ADD_KEY_:
	case TCP_AO_DEL_KEY_:
	case TCP_AO_INFO_:
	case TCP_AO_REPAIR_:
		return tcp_auth_setsockopt(sk, name, val, len);
	case TCP_ULP: /* there are no upper layer protocols */
		return len ? -ENOENT : -EINVAL;
	default:
		break;
	}
	o = tcp_opt_find(name);
	if (!o || !o->set)
		return -ENOPROTOOPT;
	if (len < sizeof(int))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (v < o->min || v > o->max)
		return -EINVAL;
	return o->set(sk, v);
}

static u8 tcp_info_options(const struct tcp_sock *tp)
{
	return (u8)((tp->tstamp_ok ? TCPI_OPT_TIMESTAMPS : 0) | (tp->sack_ok ? TCPI_OPT_SACK : 0) |
		    (tp->wscale_ok ? TCPI_OPT_WSCALE : 0) |
		    (tp->syn_data_acked ? TCPI_OPT_SYN_DATA : 0) |
		    (tp->ecn_flags & TCP_ECN_USED ? TCPI_OPT_ECN : 0) |
		    (tp->ecn_flags & TCP_ECN_SEEN ? TCPI_OPT_ECN_SEEN : 0));
}

void tcp_get_info(struct sock *sk, struct tcp_info_uapi *info)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 now = tcp_now_ms(sk);
	u64 rwnd, sndbuf;

	memset(info, 0, sizeof(*info));
	info->tcpi_state = sk->sk_state;
	if (sk->sk_state == SS_TCP_LISTEN) {
		info->tcpi_unacked = sk->sk_ack_backlog;
		info->tcpi_sacked = sk->sk_max_ack_backlog;
		return;
	}
	info->tcpi_ca_state = icsk->icsk_ca_state;
	info->tcpi_retransmits = icsk->icsk_retransmits;
	info->tcpi_probes = icsk->icsk_probes_out;
	info->tcpi_backoff = icsk->icsk_backoff;
	info->tcpi_options = tcp_info_options(tp);
	tcp_accecn_info(sk, info);
	info->tcpi_total_rto = tp->total_rto;
	info->tcpi_total_rto_recoveries = tp->total_rto_recoveries;
	info->tcpi_total_rto_time = tcp_total_rto_ms(sk);
	if (tcp_rare(sk) && tcp_rare(sk)->tfo)
		info->tcpi_fastopen_client_fail = tcp_rare(sk)->tfo->client_fail & 3;
	info->tcpi_snd_wscale = tp->snd_wscale;
	info->tcpi_rcv_wscale = tp->rcv_wscale;
	info->tcpi_rto = icsk->icsk_rto_us;
	info->tcpi_ato = icsk->icsk_ack.ato_us;
	info->tcpi_snd_mss = tp->mss_cache;
	info->tcpi_rcv_mss = icsk->icsk_ack.rcv_mss;
	info->tcpi_unacked = tp->packets_out;
	info->tcpi_sacked = tp->sacked_out;
	info->tcpi_lost = tp->lost_out;
	info->tcpi_retrans = tp->retrans_out;
	info->tcpi_last_data_sent = now - tp->lsndtime;
	info->tcpi_last_data_recv = now - icsk->icsk_ack.lrcvtime;
	info->tcpi_last_ack_recv = now - tp->rcv_tstamp;
	info->tcpi_pmtu = icsk->icsk_pmtu_cookie;
	info->tcpi_rcv_ssthresh = tp->rcv_ssthresh;
	info->tcpi_rtt = tp->srtt_us >> 3;
	info->tcpi_rttvar = tp->rttvar_us >> 2;
	info->tcpi_snd_ssthresh = tp->snd_ssthresh;
	info->tcpi_snd_cwnd = tp->snd_cwnd;
	info->tcpi_advmss = tp->advmss;
	info->tcpi_reordering = tp->reordering;
	info->tcpi_rcv_rtt = tp->rcv_rtt_us;
	info->tcpi_rcv_space = tp->rcvq_space;
	info->tcpi_total_retrans = tp->total_retrans;
	info->tcpi_pacing_rate = tcp_pacing_rate(sk);
	info->tcpi_max_pacing_rate = sk->sk_rare ? sk->sk_rare->max_pacing_rate : UINT64_MAX;
	info->tcpi_bytes_acked = tp->bytes_acked;
	info->tcpi_bytes_received = tp->bytes_received;
	info->tcpi_segs_out = tp->segs_out;
	info->tcpi_segs_in = tp->segs_in;
	info->tcpi_notsent_bytes = tp->write_seq - tp->snd_nxt;
	info->tcpi_min_rtt = tp->min_rtt_us;
	info->tcpi_delivered = tp->delivered;
	info->tcpi_bytes_sent = tp->bytes_sent;
	info->tcpi_bytes_retrans = tp->bytes_retrans;
	info->tcpi_snd_wnd = tp->snd_wnd;
	info->tcpi_rcv_wnd = tp->rcv_wnd;
	info->tcpi_rehash = tp->plb_rehash;
	info->tcpi_delivery_rate = tcp_delivery_rate(tp);
	info->tcpi_delivery_rate_app_limited = tp->rate_app_limited;
	info->tcpi_busy_time = tcp_chrono_busy(sk, &rwnd, &sndbuf);
	info->tcpi_rwnd_limited = rwnd;
	info->tcpi_sndbuf_limited = sndbuf;
	info->tcpi_delivered_ce = tp->delivered_ce;
	info->tcpi_data_segs_in = tp->data_segs_in;
	info->tcpi_data_segs_out = tp->data_segs_out;
	info->tcpi_dsack_dups = tp->dsack_dups;
	info->tcpi_reord_seen = tp->reord_seen;
	info->tcpi_rcv_ooopack = tp->rcv_ooopack;
}

static int tcp_get_bytes(void *val, socklen_t *len, const void *from, size_t size)
{
	if (*len > size)
		*len = (socklen_t)size;
	memcpy(val, from, *len);
	return 0;
}

/* TCP_SAVED_SYN: once. Too little room: how much it takes. */
static int get_saved_syn(struct sock *sk, void *val, socklen_t *len)
{
	struct tcp_rare *r = tcp_rare(sk);

	if (!r || !r->saved_syn) {
		*len = 0;
		return 0;
	}
	if (*len < r->saved_syn->len) {
		*len = (socklen_t)r->saved_syn->len;
		return -EINVAL;
	}
	*len = (socklen_t)r->saved_syn->len;
	memcpy(val, r->saved_syn->octets, r->saved_syn->len);
	free(r->saved_syn);
	r->saved_syn = NULL;
	return 0;
}

int tcp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	char ca[TCP_CA_NAME_SIZE] = { 0 };
	const struct tcp_opt *o;
	struct tcp_info_uapi info;
	union tcp_cc_info cc;
	u32 cc_len;
	u16 attr;
	u8 key[32];
	u32 seq;
	int v;

	if (level != SOL_TCP)
		return -ENOPROTOOPT;
	if ((s32)*len < 0)
		return -EINVAL;
	switch (name) {
	case TCP_INFO:
		tcp_get_info(sk, &info);
		return tcp_get_bytes(val, len, &info, sizeof(info));
	case TCP_SAVED_SYN:
		return get_saved_syn(sk, val, len);
	case TCP_REPAIR_WINDOW:
		return tcp_get_repair_window(sk, val, len);
	case TCP_AO_INFO_:
	case TCP_AO_GET_KEYS_:
	case TCP_AO_REPAIR_:
		return tcp_auth_getsockopt(sk, name, val, len);
	case TCP_ULP:
		*len = 0;
		return 0;
	case TCP_QUEUE_SEQ:
		v = tcp_get_queue_seq(sk, &seq);
		return v ? v : tcp_get_bytes(val, len, &seq, sizeof(seq));
	case TCP_FASTOPEN_KEY:
		v = (int)tcp_get_fastopen_key(sk, key);
		return tcp_get_bytes(val, len, key, (size_t)v);
	case TCP_CONGESTION:
		if (icsk->icsk_ca_ops)
			strncpy(ca, icsk->icsk_ca_ops->name, sizeof(ca) - 1);
		return tcp_get_bytes(val, len, ca, sizeof(ca));
	case TCP_CC_INFO:
		cc_len = icsk->icsk_ca_ops && icsk->icsk_ca_ops->get_info &&
					 icsk->icsk_ca_initialized
				 ? icsk->icsk_ca_ops->get_info(sk, &cc, &attr)
				 : 0;
		return tcp_get_bytes(val, len, &cc, cc_len);
	default:
		break;
	}
	o = tcp_opt_find(name);
	if (!o)
		return -ENOPROTOOPT;
	v = o->get(sk);
	if (name == TCP_REPAIR_QUEUE && v < 0)
		return v;
	return tcp_get_bytes(val, len, &v, sizeof(v));
}
