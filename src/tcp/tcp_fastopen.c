/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_fastopen.c - data in the SYN (RFC 7413), both sides
 *
 * Theory of operation
 *   Server: a SYN with a cookie of ours, or with none where none is asked for (TFO_SERVER_COOKIE_NOT_REQD), makes the child at once: in
 *   SYN_RECV, on the accept queue, with the SYN's octets to read. The child sends the SYN-ACK itself, from its retransmit queue, as
 *   a simultaneous open does, and may send data behind it. A cookie is the keyed hash of both addresses; a second key is valid, too,
 *   and its holders get a new cookie. An empty cookie asks for one, which the SYN-ACK brings.
 *   A listener has at most TCP_FASTOPEN's number of such children that are not acknowledged. One that ends by a RST keeps its place for
 *   a minute: a flood with spoofed addresses makes their owners send RSTs (RFC 7413 5.1).
 *   Client: MSG_FASTOPEN, or the first send after connect(2) with TCP_FASTOPEN_CONNECT, puts octets into the SYN if the cache
 *   (tcp_metrics.c) has a cookie for the peer; else the SYN asks for one. SYN and data are two segments of the retransmit queue that
 *   leave as one. What the SYN-ACK does not acknowledge is sent again at once.
 *   Middleboxes that swallow such SYNs: tcp_fastopen_blackhole_timeout_sec stops active fast open for a while, longer each time.
 * Invariants
 *   tp->tfo_passive: a child in SYN_RECV of a listener's fast open, counted in tfo->listener's qlen.
 *   tfo->sending only during tcp_connect(): retransmitted SYNs carry neither cookie nor data.
 * Context: cpu lock held.
 * See RFC 7413, RFC 6994 (the experimental option), tcp(7).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "host/host.h"
#include "inet/inet6_sock.h"
#include "lib/siphash.h"
#include "tcp/tcp.h"

#define TFO_CLIENT_ENABLE          0x1
#define TFO_SERVER_ENABLE          0x2
#define TFO_CLIENT_NO_COOKIE       0x4
#define TFO_SERVER_COOKIE_NOT_REQD 0x200
#define TFO_SERVER_WO_SOCKOPT1     0x400

#define TFO_COOKIE_LEN  8
#define TFO_RST_HOLD_NS (60 * NSEC_PER_SEC)

struct tfo_rst { /* a place that a RST has left behind */
	struct tfo_rst *next;
	u64 expires;
};

/* ---- state ------------------------------------------------------------------------------------------- */

struct tcp_fastopen *tcp_fastopen_get(struct sock *sk)
{
	struct tcp_rare *r = tcp_rare_get(sk);

	if (r && !r->tfo) {
		r->tfo = calloc(1, sizeof(*r->tfo));
		if (r->tfo)
			r->tfo->cookie.len = -1;
	}
	return r ? r->tfo : NULL;
}

static void rst_list_free(struct tcp_fastopen *tfo)
{
	struct tfo_rst *r;

	while ((r = tfo->rst_head)) {
		tfo->rst_head = r->next;
		free(r);
		tfo->qlen--;
	}
}

/* The child is acknowledged, or gone. @reset: by a RST. */
static void release_place(struct sock *sk, bool reset)
{
	struct tcp_fastopen *tfo = tcp_rare(sk)->tfo, *l;
	struct sock *listener = tfo->listener;
	struct tfo_rst *r;

	tcp_sk(sk)->tfo_passive = 0;
	tfo->listener = NULL;
	l = tcp_rare(listener)->tfo;
	if (l) {
		r = reset && listener->sk_state == SS_TCP_LISTEN ? malloc(sizeof(*r)) : NULL;
		if (r) {
			*r = (struct tfo_rst){ NULL, tcp_now_ns(sk) + TFO_RST_HOLD_NS };
			if (l->rst_head)
				l->rst_tail->next = r;
			else
				l->rst_head = r;
			l->rst_tail = r;
		} else {
			l->qlen--;
		}
	}
	sock_put(listener);
}

void __tcp_fastopen_left_syn_recv(struct sock *sk, bool reset)
{
	release_place(sk, reset);
}

void tcp_fastopen_destroy(struct sock *sk)
{
	struct tcp_rare *r = tcp_rare(sk);

	if (!r || !r->tfo)
		return;
	if (tcp_sk(sk)->tfo_passive)
		release_place(sk, false);
	rst_list_free(r->tfo);
	free(r->tfo);
	r->tfo = NULL;
}

/* ---- keys and cookies -------------------------------------------------------------------------------- */

/* The keys in force: the listener's own, or the net's. NULL: there are none yet. */
static const struct tcp_fastopen_keys *keys_of(const struct sock *sk)
{
	const struct tcp_fastopen *tfo = tcp_rare(sk) ? tcp_rare(sk)->tfo : NULL;
	const struct tcp_fastopen_keys *k =
		tfo && tfo->keys.num ? &tfo->keys : &tcp_net(sk)->fastopen_keys;

	return k->num ? k : NULL;
}

static void make_net_key(struct net *net)
{
	struct tcp_fastopen_keys *k = &net->tcp->fastopen_keys;

	if (k->num)
		return;
	host_random(net->machine->host, "tcp-fastopen", k->key[0], sizeof(k->key[0]));
	k->num = 1;
}

static void cookie_make(const u64 key[2], const struct inet_tuple *t,
			struct tcp_fastopen_cookie *ret)
{
	u8 addrs[32];
	u32 n = t->family == AF_INET ? 4 : 16;
	u64 h;

	memcpy(addrs, &t->saddr, n);
	memcpy(addrs + n, &t->daddr, n);
	h = siphash(addrs, 2 * n, key);
	for (u32 i = 0; i < TFO_COOKIE_LEN; i++)
		ret->val[i] = (u8)(h >> (8 * i));
	ret->len = TFO_COOKIE_LEN;
}

/* 0: not ours; 1: of the first key; 2: of the second. *ret_new: of the first key. */
static u32 cookie_check(const struct sock *sk, const struct inet_tuple *t,
			const struct tcp_fastopen_cookie *c, struct tcp_fastopen_cookie *ret_new)
{
	const struct tcp_fastopen_keys *k = keys_of(sk);

	for (u32 i = 0; k && i < k->num; i++) {
		struct tcp_fastopen_cookie ours;

		cookie_make(k->key[i], t, &ours);
		if (!i)
			memcpy(ret_new, &ours, sizeof(ours));
		if (c->len == ours.len && !memcmp(c->val, ours.val, (size_t)ours.len))
			return i + 1;
	}
	return 0;
}

void tcp_fastopen_cookie_of(const struct tcp_opts_view *o, struct tcp_fastopen_cookie *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->len = o->saw_fastopen ? (s8)o->fastopen_len : -1;
	ret->exp = o->fastopen_exp;
	if (ret->len > 0)
		memcpy(ret->val, o->fastopen_cookie, (size_t)ret->len);
}

/* ---- server ------------------------------------------------------------------------------------------ */

static u32 queue_limit(const struct sock *sk)
{
	const struct tcp_fastopen *tfo = tcp_rare(sk) ? tcp_rare(sk)->tfo : NULL;
	u32 both = TFO_SERVER_ENABLE | TFO_SERVER_WO_SOCKOPT1;

	if (tfo && tfo->max_qlen)
		return tfo->max_qlen;
	return (tcp_net(sk)->fastopen & both) == both ? sk->sk_max_ack_backlog : 0;
}

/* Is there room for another child that nobody has acknowledged? */
static bool queue_has_room(struct sock *sk)
{
	u32 limit = queue_limit(sk);
	struct tcp_fastopen *tfo;
	struct tfo_rst *r;

	if (!limit)
		return false;
	tfo = tcp_fastopen_get(sk);
	if (!tfo)
		return false;
	if (tfo->qlen < limit)
		return true;
	r = tfo->rst_head;
	if (!r || r->expires > tcp_now_ns(sk)) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenListenOverflow);
		return false;
	}
	tfo->rst_head = r->next;
	free(r);
	tfo->qlen--;
	return true;
}

/* The octets of the SYN are the first to read. */
static void queue_syn_data(struct sock *child, const struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(child);
	struct sk_buff *skb;
	struct tcp_skb_cb *cb;

	if (!syn->len)
		return;
	skb = skb_clone((struct sk_buff *)(uintptr_t)syn);
	if (!skb)
		return; /* not acknowledged: they come again */
	skb_dst_drop(skb);
	cb = TCP_SKB_CB(skb);
	cb->seq++;
	cb->end_seq = cb->seq + skb->len; /* a FIN comes again */
	cb->tcp_flags &= (u8) ~(TCP_FLAG_SYN | TCP_FLAG_FIN);
	skb_set_owner_r(skb, child);
	sk_mem_charge(child);
	skb_queue_tail(&child->sk_receive_queue, skb);
	tp->rcv_nxt = tp->rcv_wup = cb->end_seq;
	tp->bytes_received += skb->len;
	tp->syn_data_acked = 1;
}

/* The child of a SYN, on the accept queue. False: no memory, or the accept queue is full. */
static bool create_child(struct sock *listener, const struct tcp_seg *seg, struct request_sock *req,
			 const struct tcp_fastopen_cookie *answer)
{
	struct sock *child = tcp_syn_recv_sock(listener, seg->skb, req);
	struct tcp_fastopen *tfo;
	struct tcp_sock *tp;

	if (!child)
		return false;
	tp = tcp_sk(child);
	tfo = tcp_fastopen_get(child);
	if (!tfo || tcp_queue_synack(child, tcp_rsk(req)->snt_isn)) {
		/* Without a RST: the handshake goes on without fast open. */
		tcp_set_state(child, SS_TCP_CLOSE);
		inet_child_forget(listener, req, child);
		return false;
	}
	sock_hold(listener);
	tfo->listener = listener;
	tcp_rare(listener)->tfo->qlen++;
	tp->tfo_passive = 1;
	/* RFC 7413 4.2.2: the window of a SYN is not scaled. It begins behind the SYN-ACK, which snd_una still stands before. */
	tp->snd_wnd = seg->window + 1;
	tp->max_window = seg->window;
	tcp_init_transfer(child);
	queue_syn_data(child, seg->skb);
	tp->copied_seq = seg->seq + 1;
	tfo->cookie = *answer;
	sock_hold(child);
	tcp_xmit_synack_of(child);
	if (inet_csk_complete_hashdance(listener, child, req))
		sk_data_ready(listener);
	sock_put(child);
	return true;
}

bool tcp_try_fastopen(struct sock *sk, const struct tcp_seg *seg, struct request_sock *req,
		      const struct dst_entry *dst, struct tcp_fastopen_cookie *foc)
{
	const struct tcp_fastopen *tfo = tcp_rare(sk) ? tcp_rare(sk)->tfo : NULL;
	const struct netns_tcp *net = tcp_net(sk);
	struct tcp_fastopen_cookie none = { .len = -1 }, ours = { .len = -1 };
	bool data = seg->end_seq != seg->seq + 1;
	struct inet_tuple t;
	u32 key = 0;

	if (foc->len == 0)
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenCookieReqd);
	if (!(net->fastopen & TFO_SERVER_ENABLE) || (!data && foc->len < 0) ||
	    !queue_has_room(sk)) {
		foc->len = -1;
		return false;
	}
	if (data && ((net->fastopen & TFO_SERVER_COOKIE_NOT_REQD) || (tfo && tfo->no_cookie) ||
		     dst_metric(dst, DST_METRIC_FASTOPEN_NO_COOKIE))) {
		key = 1;
	} else if (foc->len == 0) {
		const struct tcp_fastopen_keys *k = keys_of(sk);

		if (k) {
			inet_common_tuple(&req->c, &t);
			cookie_make(k->key[0], &t, &ours);
		}
	} else if (foc->len > 0) {
		inet_common_tuple(&req->c, &t);
		key = cookie_check(sk, &t, foc, &ours);
		if (!key)
			NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenPassiveFail);
	}
	ours.exp = foc->exp;
	if (key) {
		if (create_child(sk, seg, req, key == 2 ? &ours : &none)) {
			if (key == 2)
				NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenPassiveAltKey);
			NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenPassive);
			return true;
		}
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenPassiveFail);
	}
	*foc = ours;
	return false;
}

/* ---- client ------------------------------------------------------------------------------------------ */

static bool client_may(const struct sock *sk)
{
	return tcp_net(sk)->fastopen & TFO_CLIENT_ENABLE;
}

/* After a blackhole was noticed: not for some time, doubled for each in a row. */
static bool active_should_disable(struct sock *sk)
{
	struct netns_tcp *net = tcp_net(sk);
	u64 pause;

	if (!net->fastopen_blackhole_timeout_s || !net->tfo_blackholes)
		return false;
	pause = (u64)net->fastopen_blackhole_timeout_s << min(net->tfo_blackholes - 1, 6u);
	if (tcp_now_ns(sk) < net->tfo_blackhole_ns + pause * NSEC_PER_SEC) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenBlackhole);
		return true;
	}
	tcp_sk(sk)->tfo_probe = 1; /* whether it is over */
	return false;
}

void tcp_fastopen_blackhole(struct sock *sk)
{
	struct netns_tcp *net = tcp_net(sk);

	if (!net->fastopen_blackhole_timeout_s)
		return;
	net->tfo_blackholes++;
	net->tfo_blackhole_ns = tcp_now_ns(sk);
	NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenBlackhole);
}

void tcp_fastopen_detect_blackhole(struct sock *sk, bool expired)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	u32 timeouts = inet_csk(sk)->icsk_retransmits;

	/* Both the SYN's and the data's second timeout: nothing comes through any more. */
	if ((tp->syn_fastopen || tp->syn_data || tp->syn_data_acked) &&
	    (timeouts == 2 || (timeouts < 2 && expired)))
		tcp_fastopen_blackhole(sk);
}

void tcp_fastopen_orderly_fin(struct sock *sk)
{
	if (tcp_sk(sk)->tfo_probe && sk->sk_dst_cache &&
	    sk->sk_dst_cache->dev != sock_net(sk)->loopback_dev)
		tcp_net(sk)->tfo_blackholes = 0;
}

/* May a SYN to this peer carry data? *cookie: what to send, len 0 to ask for one, -1 none is needed. */
static bool may_send_data(struct sock *sk, u16 *mss, struct tcp_fastopen_cookie *cookie)
{
	struct tcp_rare *r = tcp_rare(sk);

	tcp_fastopen_cache_get(sk, mss, cookie);
	if (active_should_disable(sk)) {
		cookie->len = -1;
		return false;
	}
	if ((tcp_net(sk)->fastopen & TFO_CLIENT_NO_COOKIE) || (r && r->tfo && r->tfo->no_cookie) ||
	    (sk->sk_dst_cache && dst_metric(sk->sk_dst_cache, DST_METRIC_FASTOPEN_NO_COOKIE))) {
		cookie->len = -1;
		return true;
	}
	if (cookie->len > 0)
		return true;
	if (r && r->tfo)
		r->tfo->client_fail = TFO_COOKIE_UNAVAILABLE_;
	return false;
}

bool tcp_fastopen_defer_connect(struct sock *sk)
{
	struct tcp_fastopen *tfo = tcp_rare(sk) ? tcp_rare(sk)->tfo : NULL;
	struct tcp_fastopen_cookie cookie = { 0 };
	u16 mss = 0;

	if (!tfo || !tfo->connect || tfo->msg)
		return false;
	tfo->ask = !may_send_data(sk, &mss, &cookie);
	if (tfo->ask)
		return false;
	inet_sk(sk)->defer_connect = 1;
	return true;
}

/* The skb of what fits behind the SYN; NULL: nothing does. */
static struct sk_buff *syn_data_skb(struct sock *sk, struct tcp_fastopen *tfo)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 space = tcp_mss_of(sk, inet_csk(sk)->icsk_pmtu_cookie);
	struct sk_buff *skb;
	struct tcp_skb_cb *cb;
	s64 n;

	space = space > TCP_MAX_OPTIONS ? space - TCP_MAX_OPTIONS : 0;
	space = (u32)min((size_t)space, tfo->msg->iter.count);
	if (!space)
		return NULL;
	skb = tcp_stream_alloc_skb(sk);
	if (!skb)
		return NULL;
	n = skb_append_iter(skb, &tfo->msg->iter, space, false);
	if (n <= 0) {
		consume_skb(skb);
		return NULL;
	}
	cb = TCP_SKB_CB(skb);
	cb->seq = tp->write_seq;
	cb->end_seq = cb->seq + (u32)n;
	cb->tcp_flags = TCP_FLAG_ACK | TCP_FLAG_PSH;
	tcp_set_skb_tso_segs(skb, space);
	skb->nohdr = 1;
	tfo->copied = (u32)n;
	return skb;
}

int tcp_fastopen_send_syn(struct sock *sk, struct sk_buff *syn)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_fastopen *tfo = tcp_rare(sk)->tfo;
	struct sk_buff *data = NULL, *both;
	u16 mss = tp->mss_clamp;
	bool may;
	int err;

	memset(&tfo->cookie, 0, sizeof(tfo->cookie));
	tp->syn_fastopen = 1;
	may = may_send_data(sk, &mss, &tfo->cookie);
	if (may) {
		/* The peer has not told its MSS: what it told last time holds. */
		tp->mss_clamp = min(mss, tp->mss_clamp);
		data = syn_data_skb(sk, tfo);
	} else if (tfo->cookie.len > 0) {
		tfo->cookie.len = 0;
	}
	tp->syn_fastopen_exp = tfo->cookie.exp;
	if (tfo->cookie.len < 0)
		tp->syn_fastopen = 0; /* a SYN without the option */
	tfo->sending = true;
	both = data ? skb_clone(data) : NULL;
	if (!both) {
		if (data)
			tcp_return_syn_data(sk, data);
		err = tcp_transmit_skb(sk, syn, TCP_SEND_CLONE);
		if (err)
			tp->syn_fastopen = 0;
		tfo->sending = false;
		return err;
	}
	TCP_SKB_CB(syn)->sent_ns = TCP_SKB_CB(data)->sent_ns = tcp_now_ns(sk);
	TCP_SKB_CB(both)->seq = TCP_SKB_CB(syn)->seq;
	TCP_SKB_CB(both)->tcp_flags = TCP_FLAG_SYN;
	err = tcp_transmit_skb(sk, both, !TCP_SEND_CLONE);
	tfo->sending = false;
	if (tcp_local_congestion(err)) {
		/* It did not leave: the timer sends the SYN, the data follow it. */
		tcp_return_syn_data(sk, data);
		tp->syn_fastopen = 0;
		return err;
	}
	sk->sk_wmem_queued += data->truesize;
	sk_mem_charge(sk);
	tp->write_seq = TCP_SKB_CB(data)->end_seq;
	tp->snd_nxt = tp->pushed_seq = tp->write_seq;
	tcp_rtx_queue_insert(sk, data);
	tp->packets_out += 1;
	tp->syn_data = 1;
	NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPOrigDataSent);
	return err;
}

/* The data that did not go with the SYN wait for the handshake. */
void tcp_return_syn_data(struct sock *sk, struct sk_buff *data)
{
	struct tcp_sock *tp = tcp_sk(sk);

	TCP_SKB_CB(data)->gso_segs = 0;
	sk->sk_wmem_queued += data->truesize;
	sk_mem_charge(sk);
	tp->write_seq = TCP_SKB_CB(data)->end_seq;
	skb_queue_tail(&sk->sk_write_queue, data);
}

/* What the SYN-ACK says of fast open; false: all is well. True: data had to be sent again, which carried the ACK. */
bool tcp_rcv_fastopen_synack(struct sock *sk, const struct tcp_seg *seg)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *data = tp->syn_data ? tcp_rtx_queue_head(sk) : NULL;
	struct tcp_fastopen *tfo = tcp_rare(sk) ? tcp_rare(sk)->tfo : NULL;
	struct tcp_fastopen_cookie cookie;
	bool lost = false;
	u8 try_exp = 0;

	tcp_fastopen_cookie_of(&seg->opts, &cookie);
	if (!tp->syn_fastopen) {
		cookie.len = -1; /* not asked for */
	} else if (tp->total_retrans) {
		/* The SYN came through only without data and option. */
		lost = cookie.len < 0 && data;
	} else if (cookie.len < 0 && !tp->syn_data) {
		/* RFC 7413 4.1.3.1: no answer to the option: the other form next time. */
		try_exp = tp->syn_fastopen_exp ? 2 : 1;
	}
	tcp_fastopen_cache_set(sk, seg->opts.mss ? seg->opts.mss : TCP_MSS_DEFAULT_, &cookie, lost,
			       try_exp);
	if (data) {
		if (tfo)
			tfo->client_fail =
				tp->total_retrans ? TFO_SYN_RETRANSMITTED_ : TFO_DATA_NOT_ACKED_;
		tcp_mark_all_lost(sk);
		tcp_xmit_retransmit_queue(sk);
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenActiveFail);
		return true;
	}
	tp->syn_data_acked = tp->syn_data;
	if (tp->syn_data_acked) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_TCPFastOpenActive);
		if (tp->delivered > 1)
			tp->delivered--; /* SYN and data were one packet */
	}
	return false;
}

/* sendmsg(2) that may open the connection. *ret_copied: octets that went into the SYN. 0: connected. */
int tcp_sendmsg_fastopen(struct sock *sk, struct kmsghdr *msg, size_t *ret_copied)
{
	const struct sockaddr *addr = msg->namelen ? (const struct sockaddr *)msg->name : NULL;
	bool deferred = inet_sk(sk)->defer_connect;
	int flags = msg->flags & MSG_DONTWAIT ? O_NONBLOCK : 0, err;
	struct tcp_fastopen *tfo;

	if (!client_may(sk) ||
	    (addr && msg->namelen >= sizeof(addr->sa_family) && addr->sa_family == AF_UNSPEC))
		return -EOPNOTSUPP;
	tfo = tcp_fastopen_get(sk);
	if (!tfo)
		return -ENOBUFS;
	if (tfo->msg)
		return -EALREADY; /* another thread is at it */
	tfo->msg = msg;
	tfo->copied = 0;
	if (deferred) {
		u64 timeo = sock_sndtimeo(sk, flags);

		inet_sk(sk)->defer_connect = 0;
		err = tcp_connect(sk);
		if (err)
			tcp_connect_failed(sk, err);
		else
			err = tcp_wait_connect(sk, &timeo);
		if (err == -EAGAIN)
			err = -EINPROGRESS;
	} else {
		err = inet_stream_connect(sk->sk_socket, addr, msg->namelen, flags);
	}
	tfo = tcp_rare(sk)->tfo;
	if (tfo) {
		*ret_copied = tfo->copied;
		tfo->msg = NULL;
	}
	return err;
}

/* ---- options ----------------------------------------------------------------------------------------- */

int tcp_set_fastopen(struct sock *sk, int v)
{
	struct tcp_fastopen *tfo;

	if (v < 0 || (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN))
		return -EINVAL;
	tfo = tcp_fastopen_get(sk);
	if (!tfo)
		return -ENOMEM;
	make_net_key(sock_net(sk));
	tfo->max_qlen = min((u32)v, sock_net(sk)->core->somaxconn);
	return 0;
}

int tcp_get_fastopen(struct sock *sk)
{
	return tcp_rare(sk) && tcp_rare(sk)->tfo ? (int)tcp_rare(sk)->tfo->max_qlen : 0;
}

int tcp_set_fastopen_connect(struct sock *sk, int v)
{
	struct tcp_fastopen *tfo;

	if (!client_may(sk))
		return -EOPNOTSUPP;
	if (sk->sk_state != SS_TCP_CLOSE)
		return -EINVAL;
	tfo = tcp_fastopen_get(sk);
	if (!tfo)
		return -ENOMEM;
	tfo->connect = v;
	return 0;
}

int tcp_get_fastopen_connect(struct sock *sk)
{
	return tcp_rare(sk) && tcp_rare(sk)->tfo && tcp_rare(sk)->tfo->connect;
}

int tcp_set_fastopen_no_cookie(struct sock *sk, int v)
{
	struct tcp_fastopen *tfo;

	if (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN)
		return -EINVAL;
	tfo = tcp_fastopen_get(sk);
	if (!tfo)
		return -ENOMEM;
	tfo->no_cookie = v;
	return 0;
}

int tcp_get_fastopen_no_cookie(struct sock *sk)
{
	return tcp_rare(sk) && tcp_rare(sk)->tfo && tcp_rare(sk)->tfo->no_cookie;
}

int tcp_set_fastopen_key(struct sock *sk, const void *val, socklen_t len)
{
	struct tcp_fastopen *tfo;

	if (len != 16 && len != 32)
		return -EINVAL;
	tfo = tcp_fastopen_get(sk);
	if (!tfo)
		return -ENOMEM;
	memcpy(tfo->keys.key, val, len);
	tfo->keys.num = len / 16;
	return 0;
}

u32 tcp_get_fastopen_key(const struct sock *sk, u8 key[32])
{
	const struct tcp_fastopen_keys *k = keys_of(sk);

	if (k)
		memcpy(key, k->key, k->num * 16);
	return k ? k->num * 16 : 0;
}

/* ---- net.ipv4.tcp_fastopen_key ------------------------------------------------------------------------ */

void tcp_fastopen_key_show(struct net *net, struct text *t)
{
	const struct tcp_fastopen_keys *k = &net->tcp->fastopen_keys;

	for (u32 i = 0; i < max(k->num, 1u); i++) {
		u32 w[4];

		memcpy(w, k->key[i], sizeof(w)); /* all zero without a key */
		text_printf(t, "%s%08x-%08x-%08x-%08x", i ? "," : "", w[0], w[1], w[2], w[3]);
	}
	text_printf(t, "\n");
}

int tcp_fastopen_key_store(struct net *net, const char *text, size_t len)
{
	struct tcp_fastopen_keys keys = { 0 };
	char buf[96];
	u32 w[4];
	int n = 0;

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	for (char *p = buf; keys.num < 2; p += n + 1) {
		if (sscanf(p, "%8x-%8x-%8x-%8x%n", &w[0], &w[1], &w[2], &w[3], &n) != 4)
			return -EINVAL;
		memcpy(keys.key[keys.num++], w, sizeof(w));
		if (p[n] != ',')
			break;
	}
	net->tcp->fastopen_keys = keys;
	return 0;
}
