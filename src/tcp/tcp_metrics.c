/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_metrics.c - what earlier connections between two addresses have learnt (RFC 9040), and `ip tcp_metrics`
 *
 * Theory of operation
 *   An orderly end of a connection leaves its round-trip time and deviation, congestion window, threshold and reordering with the pair of
 *   addresses; the next one begins with some of it: the reordering, the threshold (if net.ipv4.tcp_no_ssthresh_metrics_save is 0), and a first
 *   retransmission timeout that is not below the earlier round trips. Fast open keeps its cookie here, too.
 *   What nothing was learnt about for an hour is forgotten, as in Linux; cookies stay. Values that the route fixes (`ip route ... rtt`) are not learnt.
 * Bounds
 *   A bucket holds TCP_METRICS_DEPTH entries; then the one that was not used for longest gives way. The table is made at the first use.
 * Locking: the cpu lock of the net.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/tcp_metrics.h>

#include "core/cpu.h"
#include "core/dst.h"
#include "netlink/genetlink.h"
#include "tcp/tcp.h"
#include "tcp/tcp_internal.h"

#define TCP_METRICS_BITS       8
#define TCP_METRICS_DEPTH      4
#define TCP_METRICS_TIMEOUT_NS (3600 * NSEC_PER_SEC)

/* RTT and RTTVAR as in tcp_sock: us << 3 and us << 2 */
#define NR_METRICS (TCP_METRIC_REORDERING + 1)

struct tcp_metrics {
	struct hlist_node node;
	struct inet_tuple key; /* ports and device 0 */
	u64 stamp;             /* ns: last use */
	u32 vals[NR_METRICS];
	/* fast open */
	struct tcp_fastopen_cookie cookie;
	u16 fopen_mss;
	u16 syn_loss;      /* SYNs with data that were not answered, in a row */
	u64 last_syn_loss; /* ns */
};

struct tcp_metrics_table { /* netns_tcp.metrics */
	struct hlist_head bucket[1 << TCP_METRICS_BITS];
};

/* ---- the table ----------------------------------------------------------------------------------------- */

static bool same_addr(const struct inet_tuple *t, const union inet_addr *a,
		      const union inet_addr *b)
{
	return t->family == AF_INET ? be32_eq(a->v4, b->v4) : ipv6_addr_equal(&a->v6, &b->v6);
}

static bool same_pair(const struct inet_tuple *a, const struct inet_tuple *b)
{
	return a->family == b->family && same_addr(a, &a->saddr, &b->saddr) &&
	       same_addr(a, &a->daddr, &b->daddr);
}

static struct hlist_head *bucket_of(const struct net *net, const struct inet_tuple *t)
{
	u64 h = inet_tuple_hash(t, net->tcp->hashinfo.key);

	return &net->tcp->metrics->bucket[h & ((1u << TCP_METRICS_BITS) - 1)];
}

static void metrics_expire(const struct net *net, struct tcp_metrics *tm)
{
	if (net_now(net) - tm->stamp <= TCP_METRICS_TIMEOUT_NS)
		return;
	memset(tm->vals, 0, sizeof(tm->vals));
	tm->stamp = net_now(net);
}

/* NULL: none, or @create and no memory */
static struct tcp_metrics *metrics_get(struct net *net, const struct sock_common *c, bool create)
{
	struct tcp_metrics *tm, *oldest = NULL;
	struct hlist_head *head;
	struct inet_tuple t;
	u32 depth = 0;

	if (!net->tcp->metrics) {
		if (create)
			net->tcp->metrics = calloc(1, sizeof(*net->tcp->metrics));
		if (!net->tcp->metrics)
			return NULL;
	}
	inet_common_tuple(c, &t);
	t.hnum = 0;
	t.sport = (be16){ 0 };
	t.dif = 0;
	head = bucket_of(net, &t);
	hlist_for_each_entry(tm, head, node) {
		if (same_pair(&tm->key, &t)) {
			metrics_expire(net, tm);
			return tm;
		}
		if (!oldest || tm->stamp < oldest->stamp)
			oldest = tm;
		depth++;
	}
	if (!create)
		return NULL;
	if (depth < TCP_METRICS_DEPTH) {
		tm = calloc(1, sizeof(*tm));
		if (!tm)
			return NULL;
		hlist_add_head(&tm->node, head);
	} else {
		struct hlist_node node = oldest->node;

		tm = oldest;
		memset(tm, 0, sizeof(*tm));
		tm->node = node;
	}
	tm->key = t;
	tm->stamp = net_now(net);
	return tm;
}

static void metrics_free(struct tcp_metrics *tm)
{
	hlist_del_init(&tm->node);
	free(tm);
}

void tcp_metrics_net_exit(struct net *net)
{
	struct tcp_metrics_table *tbl = net->tcp->metrics;
	struct hlist_node *next;
	struct tcp_metrics *tm;

	for (u32 b = 0; tbl && b < ARRAY_SIZE(tbl->bucket); b++)
		hlist_for_each_entry_safe(tm, next, &tbl->bucket[b], node)
			metrics_free(tm);
	free(tbl);
	net->tcp->metrics = NULL;
}

/* ---- learning ------------------------------------------------------------------------------------------ */

/* What the route says is not learnt. */
static u32 fixed(const struct dst_entry *dst, u32 what)
{
	static const u8 metric[NR_METRICS] = {
		[TCP_METRIC_RTT] = DST_METRIC_RTT,
		[TCP_METRIC_RTTVAR] = DST_METRIC_RTTVAR,
		[TCP_METRIC_SSTHRESH] = DST_METRIC_SSTHRESH,
		[TCP_METRIC_CWND] = DST_METRIC_CWND,
		[TCP_METRIC_REORDERING] = DST_METRIC_REORDERING,
	};

	return dst_metric(dst, metric[what]);
}

static void learn(struct tcp_metrics *tm, const struct dst_entry *dst, u32 what, u32 val)
{
	if (!fixed(dst, what))
		tm->vals[what] = val;
}

static void learn_rtt(struct tcp_metrics *tm, const struct dst_entry *dst,
		      const struct tcp_sock *tp)
{
	u32 rtt = tm->vals[TCP_METRIC_RTT], var = tm->vals[TCP_METRIC_RTTVAR], dev;
	s32 m = (s32)(rtt - tp->srtt_us);

	/* A longer one counts at once, shorter ones slowly. */
	learn(tm, dst, TCP_METRIC_RTT, m <= 0 ? tp->srtt_us : rtt - (u32)(m >> 3));
	dev = max((u32)(m < 0 ? -m : m) >> 1, tp->rttvar_us);
	learn(tm, dst, TCP_METRIC_RTTVAR, dev >= var ? dev : var - ((var - dev) >> 2));
}

static void learn_window(struct tcp_metrics *tm, const struct dst_entry *dst, const struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 ssthresh = tm->vals[TCP_METRIC_SSTHRESH], cwnd = tm->vals[TCP_METRIC_CWND];
	bool save = !tcp_net(sk)->no_ssthresh_metrics_save;

	if (tcp_in_initial_slowstart(tp)) {
		/* No loss at all: the path takes at least this. */
		if (save && ssthresh && tp->snd_cwnd >> 1 > ssthresh)
			learn(tm, dst, TCP_METRIC_SSTHRESH, tp->snd_cwnd >> 1);
		if (tp->snd_cwnd > cwnd)
			learn(tm, dst, TCP_METRIC_CWND, tp->snd_cwnd);
	} else if (!tcp_in_slow_start(tp) && inet_csk(sk)->icsk_ca_state == TCP_CA_Open) {
		if (save)
			learn(tm, dst, TCP_METRIC_SSTHRESH,
			      max(tp->snd_cwnd >> 1, tp->snd_ssthresh));
		learn(tm, dst, TCP_METRIC_CWND, (cwnd + tp->snd_cwnd) >> 1);
	} else {
		/* The window says nothing just now. */
		learn(tm, dst, TCP_METRIC_CWND, (cwnd + tp->snd_ssthresh) >> 1);
		if (save && ssthresh && tp->snd_ssthresh > ssthresh)
			learn(tm, dst, TCP_METRIC_SSTHRESH, tp->snd_ssthresh);
	}
}

void tcp_update_metrics(struct sock *sk)
{
	const struct dst_entry *dst = sk->sk_dst_cache;
	const struct netns_tcp *net = tcp_net(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_metrics *tm;

	if (net->no_metrics_save || !dst)
		return;
	if (inet_csk(sk)->icsk_backoff || !tp->srtt_us) {
		/* It ended while nothing came through: what was known may be wrong. */
		tm = metrics_get(sock_net(sk), &sk->c, false);
		if (tm)
			learn(tm, dst, TCP_METRIC_RTT, 0);
		return;
	}
	tm = metrics_get(sock_net(sk), &sk->c, true);
	if (!tm)
		return;
	learn_rtt(tm, dst, tp);
	learn_window(tm, dst, sk);
	if (tm->vals[TCP_METRIC_REORDERING] < tp->reordering &&
	    tp->reordering != tcp_reordering_least(sk))
		tm->vals[TCP_METRIC_REORDERING] = tp->reordering;
	tm->stamp = tcp_now_ns(sk);
}

void tcp_init_metrics(struct sock *sk)
{
	const struct dst_entry *dst = sk->sk_dst_cache;
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 crtt = 0, reordering = 0, ssthresh = 0;
	const struct tcp_metrics *tm;

	if (dst) {
		tm = metrics_get(sock_net(sk), &sk->c, false);
		crtt = fixed(dst, TCP_METRIC_RTT) * 1000 * 8;
		ssthresh = fixed(dst, TCP_METRIC_SSTHRESH);
		if (tm) {
			crtt = crtt ? crtt : tm->vals[TCP_METRIC_RTT];
			/* As in Linux the route's counts for a peer that is known. */
			reordering = fixed(dst, TCP_METRIC_REORDERING);
			reordering = reordering ? reordering : tm->vals[TCP_METRIC_REORDERING];
			if (!ssthresh && !tcp_net(sk)->no_ssthresh_metrics_save)
				ssthresh = tm->vals[TCP_METRIC_SSTHRESH];
		}
	}
	if (ssthresh)
		tp->snd_ssthresh = ssthresh;
	if (reordering)
		tp->reordering = (u16)reordering;
	if (crtt > tp->srtt_us) {
		/* SYNs are small: data may well take as long as it did before. */
		crtt >>= 3;
		icsk->icsk_rto_us =
			min(crtt + max(2 * crtt, tcp_rto_min_us(sk)), tcp_rto_max_us(sk));
	} else if (!tp->srtt_us) {
		/* RFC 6298 5.7: no sample from the handshake, because it was sent again: be careful. */
		icsk->icsk_rto_us = TCP_TIMEOUT_FALLBACK_US;
	}
}

bool tcp_peer_is_proven(struct net *net, const struct request_sock *req)
{
	const struct tcp_metrics *tm = metrics_get(net, &req->c, false);

	return tm && tm->vals[TCP_METRIC_RTT];
}

/* ---- fast open ----------------------------------------------------------------------------------------- */

void tcp_fastopen_cache_get(struct sock *sk, u16 *mss, struct tcp_fastopen_cookie *cookie)
{
	const struct tcp_metrics *tm = metrics_get(sock_net(sk), &sk->c, false);

	if (!tm)
		return;
	if (tm->fopen_mss)
		*mss = tm->fopen_mss;
	*cookie = tm->cookie;
	/* The option's number is tried in turns until one is answered. */
	if (cookie->len <= 0 && tm->cookie.try_exp == 1)
		cookie->exp = true;
}

void tcp_fastopen_cache_set(struct sock *sk, u16 mss, const struct tcp_fastopen_cookie *cookie,
			    bool syn_lost, u8 try_exp)
{
	struct tcp_metrics *tm = metrics_get(sock_net(sk), &sk->c, true);

	if (!tm)
		return;
	if (mss)
		tm->fopen_mss = mss;
	if (cookie && cookie->len > 0)
		tm->cookie = *cookie;
	else if (try_exp > tm->cookie.try_exp && tm->cookie.len <= 0 && !tm->cookie.exp)
		tm->cookie.try_exp = try_exp;
	if (syn_lost) {
		if (tm->syn_loss < UINT16_MAX)
			tm->syn_loss++;
		tm->last_syn_loss = tcp_now_ns(sk);
	} else {
		tm->syn_loss = 0;
	}
}

/* ---- ip tcp_metrics ------------------------------------------------------------------------------------ */

static const struct nla_policy metrics_policy[TCP_METRICS_ATTR_MAX + 1] = {
	[TCP_METRICS_ATTR_ADDR_IPV4] = { NLA_K_IN_ADDR, .help = "peer" },
	[TCP_METRICS_ATTR_ADDR_IPV6] = { NLA_K_IN6_ADDR, .help = "peer" },
	[TCP_METRICS_ATTR_SADDR_IPV4] = { NLA_K_IN_ADDR, .help = "own address" },
	[TCP_METRICS_ATTR_SADDR_IPV6] = { NLA_K_IN6_ADDR, .help = "own address" },
};

static void put_vals(struct nl_msg *msg, const struct tcp_metrics *tm)
{
	u32 nest = nla_nest_start_noflag(msg, TCP_METRICS_ATTR_VALS);

	for (u32 i = 0; i < NR_METRICS; i++) {
		u32 val = tm->vals[i];

		if (!val)
			continue;
		/* Attributes are the metric's index + 1. Times go out twice, in us and in ms. */
		if (i == TCP_METRIC_RTT || i == TCP_METRIC_RTTVAR) {
			nla_put_u32(
				msg,
				(i == TCP_METRIC_RTT ? TCP_METRIC_RTT_US : TCP_METRIC_RTTVAR_US) +
					1,
				val);
			val = max(val / 1000, 1u);
		}
		nla_put_u32(msg, (u16)(i + 1), val);
	}
	nla_nest_end(msg, nest);
}

static void put_addr(struct nl_msg *msg, const struct tcp_metrics *tm, const union inet_addr *a,
		     u16 v4, u16 v6)
{
	if (tm->key.family == AF_INET)
		nla_put_in_addr(msg, v4, a->v4);
	else
		nla_put(msg, v6, 16, &a->v6);
}

static void metrics_fill(struct nl_msg *msg, const struct net *net, const struct tcp_metrics *tm)
{
	u64 now = net_now((struct net *)(uintptr_t)net);

	put_addr(msg, tm, &tm->key.saddr, TCP_METRICS_ATTR_ADDR_IPV4, TCP_METRICS_ATTR_ADDR_IPV6);
	put_addr(msg, tm, &tm->key.daddr, TCP_METRICS_ATTR_SADDR_IPV4, TCP_METRICS_ATTR_SADDR_IPV6);
	nla_put_u64(msg, TCP_METRICS_ATTR_AGE, (now - tm->stamp) / NSEC_PER_MSEC);
	put_vals(msg, tm);
	if (tm->fopen_mss)
		nla_put_u16(msg, TCP_METRICS_ATTR_FOPEN_MSS, tm->fopen_mss);
	if (tm->syn_loss) {
		nla_put_u16(msg, TCP_METRICS_ATTR_FOPEN_SYN_DROPS, tm->syn_loss);
		nla_put_u64(msg, TCP_METRICS_ATTR_FOPEN_SYN_DROP_TS,
			    (now - tm->last_syn_loss) / NSEC_PER_MSEC);
	}
	if (tm->cookie.len > 0)
		nla_put(msg, TCP_METRICS_ATTR_FOPEN_COOKIE, (u32)tm->cookie.len, tm->cookie.val);
}

/* An address of the request: 1 it is there, 0 not, or -EINVAL. */
static int get_addr(const struct nlattr **tb, u16 v4, u16 v6, union inet_addr *ret, u16 *family)
{
	if (tb[v4]) {
		*family = AF_INET;
		ret->v4 = nla_get_in_addr(tb[v4]);
		return 1;
	}
	if (!tb[v6])
		return 0;
	if (nla_len(tb[v6]) != 16)
		return -EINVAL;
	*family = AF_INET6;
	memcpy(&ret->v6, nla_data(tb[v6]), 16);
	return 1;
}

struct metrics_query {
	struct inet_tuple key;
	bool source; /* also the own address must match */
};

static int parse_query(const struct nlattr **tb, struct metrics_query *q)
{
	u16 family = 0;
	int err;

	memset(q, 0, sizeof(*q));
	err = get_addr(tb, TCP_METRICS_ATTR_ADDR_IPV4, TCP_METRICS_ATTR_ADDR_IPV6, &q->key.saddr,
		       &q->key.family);
	if (err <= 0)
		return err;
	err = get_addr(tb, TCP_METRICS_ATTR_SADDR_IPV4, TCP_METRICS_ATTR_SADDR_IPV6, &q->key.daddr,
		       &family);
	if (err < 0 || (err && family != q->key.family))
		return -EINVAL;
	q->source = err;
	return 1;
}

static bool matches(const struct tcp_metrics *tm, const struct metrics_query *q)
{
	return tm->key.family == q->key.family &&
	       same_addr(&tm->key, &tm->key.saddr, &q->key.saddr) &&
	       (!q->source || same_addr(&tm->key, &tm->key.daddr, &q->key.daddr));
}

static int metrics_get_one(const struct genl_request *g)
{
	struct net *net = g->req->net;
	struct tcp_metrics_table *tbl;
	struct metrics_query q;
	struct tcp_metrics *tm;
	int err = parse_query(g->tb, &q);

	if (err <= 0)
		return -EINVAL;
	err = -ESRCH;
	cpu_lock(net->cpu);
	tbl = net->tcp->metrics;
	for (u32 b = 0; tbl && err && b < ARRAY_SIZE(tbl->bucket); b++) {
		hlist_for_each_entry(tm, &tbl->bucket[b], node) {
			if (!matches(tm, &q))
				continue;
			err = genl_reply_begin(g->req->reply, g, TCP_METRICS_CMD_GET) ? 0
										      : -EMSGSIZE;
			if (!err) {
				metrics_fill(g->req->reply, net, tm);
				err = nlmsg_finish(g->req->reply);
			}
			break;
		}
	}
	cpu_unlock(net->cpu);
	return err;
}

/* args[0]: bucket, args[1]: entries of it that are done */
static int metrics_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	u16 family = cb->nlh->nlmsg_type;
	struct net *net = cb->net;
	struct tcp_metrics_table *tbl;
	struct tcp_metrics *tm;
	int more = 0;

	cpu_lock(net->cpu);
	tbl = net->tcp->metrics;
	for (; tbl && !more && cb->args[0] < ARRAY_SIZE(tbl->bucket); cb->args[0]++) {
		u64 i = 0;

		hlist_for_each_entry(tm, &tbl->bucket[cb->args[0]], node) {
			if (i++ < cb->args[1])
				continue;
			if (genl_msg_begin(msg, family, cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
					   TCP_METRICS_CMD_GET, TCP_METRICS_GENL_VERSION))
				metrics_fill(msg, net, tm);
			if (nlmsg_finish(msg)) {
				more = 1;
				break;
			}
			cb->args[1]++;
		}
		if (more)
			break;
		cb->args[1] = 0;
	}
	cpu_unlock(net->cpu);
	return more;
}

/* Without an address: all. */
static int metrics_del(const struct genl_request *g)
{
	struct net *net = g->req->net;
	struct tcp_metrics_table *tbl;
	struct hlist_node *next;
	struct metrics_query q;
	struct tcp_metrics *tm;
	int all = parse_query(g->tb, &q), err;

	if (all < 0)
		return all;
	err = all ? -ESRCH : 0;
	cpu_lock(net->cpu);
	tbl = net->tcp->metrics;
	for (u32 b = 0; tbl && b < ARRAY_SIZE(tbl->bucket); b++) {
		hlist_for_each_entry_safe(tm, next, &tbl->bucket[b], node) {
			if (!all || matches(tm, &q)) {
				metrics_free(tm);
				err = 0;
			}
		}
	}
	cpu_unlock(net->cpu);
	return err;
}

static const struct genl_op metrics_ops[] = {
	{ .cmd = TCP_METRICS_CMD_GET,
	  .maxtype = TCP_METRICS_ATTR_MAX,
	  .policy = metrics_policy,
	  .doit = metrics_get_one,
	  .dumpit = metrics_dump },
	{ .cmd = TCP_METRICS_CMD_DEL,
	  .admin = true,
	  .maxtype = TCP_METRICS_ATTR_MAX,
	  .policy = metrics_policy,
	  .doit = metrics_del },
};

static const struct genl_family metrics_family = {
	.name = TCP_METRICS_GENL_NAME,
	.version = TCP_METRICS_GENL_VERSION,
	.ops = metrics_ops,
	.nr_ops = ARRAY_SIZE(metrics_ops),
};

int tcp_metrics_machine_init(struct machine *m)
{
	return genl_register_family(m, &metrics_family);
}
