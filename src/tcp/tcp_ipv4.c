/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ipv4.c - TCP over IPv4: the way in, connect, errors from ICMP, answers without a connection
 *
 * Everything here that knows an IPv4 address; tcp_ipv6.c will be its twin. The rest of tcp/ reaches it through
 * inet_connection_sock_af_ops and request_sock_ops.
 * See RFC 9293 3.10.7, 3.9.2.2 (ICMP), RFC 6528 (initial sequence numbers), RFC 5927 (ICMP attacks), RFC 1191 (PMTU).
 */
#include <errno.h>
#include <linux/in_route.h>

#include "core/sock_reasons.h"
#include "lib/csum.h"
#include "lib/siphash.h"
#include "tcp/tcp.h"
#include "wire/icmp.h"

/* ---- sequence numbers -------------------------------------------------------------------------------- */

/* RFC 6528 3: ISN = M + F(4-tuple, secret). M counts 64 ns, about the rate of RFC 9293 3.4.1's clock at gigabit speeds. */
u32 tcp_v4_init_seq(struct net *net, be32 saddr, be32 daddr, be16 sport, be16 dport)
{
	u64 h = siphash_3u32(saddr.v, daddr.v, (u32)sport.v << 16 | dport.v, net->tcp->isn_key);

	return (u32)h + (u32)(net_now(net) >> 6);
}

/* RFC 7323 5.4: a secret offset per pair of hosts hides our uptime and keeps the clock monotonic towards one peer. */
u32 tcp_v4_init_ts_off(struct net *net, be32 saddr, be32 daddr)
{
	return (u32)siphash_2u64(saddr.v, daddr.v, net->tcp->ts_key);
}

/* ---- answers without a full socket ------------------------------------------------------------------- */

/* RFC 9293 3.10.7.1. borrow @skb; its header is linear. @sk may be NULL. */
void tcp_v4_send_reset(struct sock *sk, struct sk_buff *skb)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	struct net *net = sk ? sock_net(sk) : skb->dev->net;
	const struct ip_hdr *iph = ip_hdr(skb);
	struct tcp_hdr rep = {
		.source = th->dest,
		.dest = th->source,
		.doff_res = sizeof(rep) << 2,
		.flags = TCP_FLAG_RST,
	};

	if (th->flags & TCP_FLAG_RST)
		return;
	if (th->flags & TCP_FLAG_ACK) {
		rep.seq = th->ack_seq;
	} else {
		rep.flags |= TCP_FLAG_ACK;
		rep.ack_seq = cpu_to_be32(cb->end_seq);
	}
	trace_skb(skb, net, TP_tcp_v4_send_reset, TRACE_PASS, be32_to_cpu(rep.seq), 0);
	ip_send_unicast_reply(net, skb, iph->saddr, iph->daddr, IPPROTO_TCP, &rep, sizeof(rep),
			      offsetof(struct tcp_hdr, check), sk ? inet_sk(sk)->tos : 0);
	NET_INC_STATS(net, MIB_Tcp_OutSegs);
	NET_INC_STATS(net, MIB_Tcp_OutRsts);
}

void tcp_v4_send_ack(struct net *net, struct sk_buff *skb, u32 seq, u32 ack, u32 win, u32 tsval,
		     u32 tsecr, bool ts, u8 tos)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	const struct ip_hdr *iph = ip_hdr(skb);
	struct {
		struct tcp_hdr th;
		u8 opt[12];
	} rep = {
		.th = {
			.source = th->dest,
			.dest = th->source,
			.seq = cpu_to_be32(seq),
			.ack_seq = cpu_to_be32(ack),
			.flags = TCP_FLAG_ACK,
			.window = cpu_to_be16((u16)min(win, 65535u)),
		},
	};
	struct tcp_out_opts opts = { .ts = ts, .tsval = tsval, .tsecr = tsecr };
	u32 len = sizeof(rep.th) + tcp_options_size(&opts);

	tcp_options_write(rep.opt, &opts);
	rep.th.doff_res = (u8)(len << 2);
	ip_send_unicast_reply(net, skb, iph->saddr, iph->daddr, IPPROTO_TCP, &rep, len,
			      offsetof(struct tcp_hdr, check), tos);
	NET_INC_STATS(net, MIB_Tcp_OutSegs);
}

static void tcp_v4_timewait_ack(struct tcp_timewait_sock *tw, struct sk_buff *skb)
{
	u32 now_ms = (u32)(tw->tw.tw_cpu->now / NSEC_PER_MSEC);

	tcp_v4_send_ack(tw->tw.c.skc_net, skb, tw->snd_nxt, tw->rcv_nxt,
			tw->rcv_wnd >> tw->tw.tw_rcv_wscale, now_ms + tw->ts_offset, tw->ts_recent,
			tw->saw_tstamp, tw->tw.tw_tos);
}

void tcp_v4_reqsk_send_ack(struct sock *listener, struct sk_buff *skb, struct request_sock *req)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);

	tcp_v4_send_ack(sock_net(listener), skb, treq->snt_isn + 1, treq->rcv_nxt,
			treq->rcv_wnd >> treq->rcv_wscale, tcp_now_ms(listener) + treq->ts_off,
			treq->ts_recent, treq->tstamp_ok, inet_sk(listener)->tos);
}

/* ---- af_ops ------------------------------------------------------------------------------------------ */

static void tcp_v4_send_check(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_hdr *th = (struct tcp_hdr *)skb_transport_header(skb);

	th->check.v = (u16)~csum_tcpudp_magic(inet_sk(sk)->inet_saddr, sk->sk_daddr, skb->len,
					      IPPROTO_TCP, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct tcp_hdr, check);
}

/* Makes sure that the socket has a route. 0 or -errno */
static int tcp_v4_rebuild_header(struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct flowi4 fl = {
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.tos = inet->tos,
		.proto = IPPROTO_TCP,
		.saddr = inet->inet_saddr,
		.daddr = inet->inet_opt && inet->inet_opt->srr ? inet->inet_opt->faddr
							       : sk->sk_daddr,
		.sport = inet->inet_sport,
		.dport = sk->sk_dport,
		.uid = sk->sk_uid,
	};
	struct rtable *rt;
	int err;

	if (likely(sk_dst_check(sk)))
		return 0;
	rt = ip_route_output_flow(sock_net(sk), &fl, sk, &err);
	if (!rt) {
		sk->sk_err_soft = -err;
		return err;
	}
	sk_dst_set(sk, &rt->dst);
	return 0;
}

static void tcp_v4_conn_request(struct sock *sk, struct sk_buff *skb)
{
	/* RFC 9293 3.9.2.3 (MUST-57): never answer a SYN to a group. */
	if (skb_rtable(skb) && (skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST))) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
		kfree_skb_reason(skb, SKB_DROP_TCP_NOT_FOR_US);
		return;
	}
	tcp_conn_request(sk, skb, 0);
}

static struct sock *tcp_v4_syn_recv_sock(struct sock *sk, struct sk_buff *skb,
					 struct request_sock *req, struct dst_entry *dst)
{
	struct sock *newsk;
	struct tcp_sock *tp;

	(void)dst;
	if (sk_acceptq_is_full(sk)) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenOverflows);
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
		return NULL;
	}
	newsk = tcp_create_openreq_child(sk, req, skb);
	if (!newsk) {
		NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
		return NULL;
	}
	tp = tcp_sk(newsk);
	if (tcp_v4_rebuild_header(newsk))
		goto fail;
	tcp_assign_congestion_control(newsk);
	tcp_sync_mss(newsk, dst_mtu(newsk->sk_dst_cache));
	tp->advmss = (u16)min(dst_metric_advmss(newsk->sk_dst_cache), 65535u);
	if (tp->user_mss && tp->user_mss < tp->advmss)
		tp->advmss = tp->user_mss;
	if (tp->tstamp_ok)
		tp->advmss -= TCPOLEN_TSTAMP_ALIGNED_;
	tcp_initialize_rcv_mss(newsk);
	if (__inet_inherit_port(sk, newsk) < 0)
		goto fail;
	if (!inet_ehash_insert(newsk, (struct sock *)req))
		goto fail;
	return newsk;

fail:
	NET_INC_STATS(sock_net(sk), MIB_TcpExt_ListenDrops);
	inet_csk_prepare_forced_close(newsk);
	inet_csk_destroy_sock(newsk);
	return NULL;
}

/* RFC 1191: the path takes less than we send. */
static void tcp_v4_mtu_reduced(struct sock *sk)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct dst_entry *dst = sk->sk_dst_cache;
	u32 mtu;

	if (sk->sk_state == SS_TCP_LISTEN || sk->sk_state == SS_TCP_CLOSE ||
	    tcp_v4_rebuild_header(sk))
		return;
	dst = sk->sk_dst_cache;
	mtu = dst_mtu(dst);
	if (inet_sk(sk)->pmtudisc != IP_PMTUDISC_DONT && icsk->icsk_pmtu_cookie > mtu) {
		tcp_sync_mss(sk, mtu);
		tcp_simple_retransmit(sk);
	}
}

const struct inet_connection_sock_af_ops tcp_v4_af_ops = {
	.queue_xmit = ip_queue_xmit,
	.send_check = tcp_v4_send_check,
	.rebuild_header = tcp_v4_rebuild_header,
	.conn_request = tcp_v4_conn_request,
	.syn_recv_sock = tcp_v4_syn_recv_sock,
	.net_header_len = sizeof(struct ip_hdr),
	.sockaddr_len = sizeof(struct sockaddr_in),
	.mtu_reduced = tcp_v4_mtu_reduced,
};

static int tcp_v4_rtx_synack(struct sock *listener, struct request_sock *req)
{
	int err = tcp_v4_send_synack(listener, NULL, req);

	return err == -ENOBUFS ? 0 : err;
}

const struct request_sock_ops tcp_v4_request_ops = {
	.family = AF_INET,
	.obj_size = sizeof(struct tcp_request_sock),
	.rtx_syn_ack = tcp_v4_rtx_synack,
	.send_ack = tcp_v4_reqsk_send_ack,
	.send_reset = tcp_v4_send_reset,
	.timeout = tcp_reqsk_timer,
};

/* ---- connect ----------------------------------------------------------------------------------------- */

/* Undoes what tcp_v4_connect() set. */
static int tcp_v4_connect_failed(struct sock *sk, int err)
{
	tcp_set_state(sk, SS_TCP_CLOSE);
	if (!(sk->sk_userlocks & SK_BINDADDR_LOCK)) {
		inet_sk(sk)->inet_saddr = (be32){ 0 };
		sk->sk_rcv_saddr = (be32){ 0 };
	}
	sk_dst_reset(sk);
	sk->sk_dport = (be16){ 0 };
	sk->sk_daddr = (be32){ 0 };
	return err;
}

int tcp_v4_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)addr;
	struct inet_sock *inet = inet_sk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct net *net = sock_net(sk);
	struct flowi4 fl;
	struct rtable *rt;
	int err;

	if (len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	fl = (struct flowi4){
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.tos = inet->tos,
		.proto = IPPROTO_TCP,
		.saddr = inet->inet_saddr,
		.daddr = inet->inet_opt && inet->inet_opt->srr ? inet->inet_opt->faddr
							       : be32_raw(sin->sin_addr.s_addr),
		.sport = inet->inet_sport,
		.dport = be16_raw(sin->sin_port),
		.uid = sk->sk_uid,
	};
	rt = ip_route_output_flow(net, &fl, sk, &err);
	if (!rt) {
		if (err == -ENETUNREACH)
			NET_INC_STATS(net, MIB_Ip_OutNoRoutes);
		return err;
	}
	if (rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		dst_release(&rt->dst);
		return -ENETUNREACH;
	}
	if (be32_zero(inet->inet_saddr))
		inet->inet_saddr = fl.saddr;
	if (be32_zero(sk->sk_rcv_saddr))
		sk->sk_rcv_saddr = inet->inet_saddr;
	/* INADDR_ANY means this host, as in BSD. */
	sk->sk_daddr = sin->sin_addr.s_addr ? be32_raw(sin->sin_addr.s_addr) : fl.daddr;
	sk->sk_dport = be16_raw(sin->sin_port);
	sk_dst_set(sk, &rt->dst);
	tp->write_seq = 0;
	tp->ts_recent = 0;
	tp->ts_recent_stamp = 0;
	tp->mss_clamp = TCP_MSS_DEFAULT_;
	inet_csk(sk)->icsk_ext_hdr_len = inet->inet_opt ? inet->inet_opt->optlen : 0;

	tcp_set_state(sk, SS_TCP_SYN_SENT);
	err = inet_hash_connect(sk);
	if (err)
		return tcp_v4_connect_failed(sk, err);
	if (!tp->write_seq)
		tp->write_seq = tcp_v4_init_seq(net, inet->inet_saddr, sk->sk_daddr,
						inet->inet_sport, sk->sk_dport);
	tp->tsoffset = tcp_v4_init_ts_off(net, inet->inet_saddr, sk->sk_daddr);
	inet->inet_id = (u16)cpu_random(sk->sk_cpu);
	err = tcp_connect(sk);
	if (err)
		return tcp_v4_connect_failed(sk, err);
	return 0;
}

/* ---- input ------------------------------------------------------------------------------------------- */

/* Header and checksum. 0 or a drop reason. */
static skb_drop_reason_t tcp_v4_check_header(struct sk_buff *skb, struct net *net, u32 *ret_hlen)
{
	const struct ip_hdr *iph;
	u32 hlen;

	if (skb->pkt_type != SKB_PACKET_HOST)
		return SKB_DROP_TCP_NOT_FOR_US;
	if (!pskb_may_pull(skb, sizeof(struct tcp_hdr)))
		return SKB_DROP_TCP_HDR;
	hlen = tcp_hdr_len((const struct tcp_hdr *)skb->data);
	if (hlen < sizeof(struct tcp_hdr) || !pskb_may_pull(skb, hlen))
		return SKB_DROP_TCP_HDR;
	*ret_hlen = hlen;
	if (skb_csum_unnecessary(skb))
		return 0;
	iph = ip_hdr(skb);
	if (csum_tcpudp_magic(iph->saddr, iph->daddr, skb->len, IPPROTO_TCP,
			      skb_checksum(skb, 0, skb->len, 0))) {
		NET_INC_STATS(net, MIB_Tcp_InCsumErrors);
		return SKB_DROP_TCP_CSUM;
	}
	skb->csum_valid = 1;
	return 0;
}

/* The cb of a received segment; then data is at the payload. */
static void tcp_v4_fill_cb(struct sk_buff *skb, u32 hlen)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb->data;
	struct inet_skb_parm header = *IPCB(skb);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

	cb->header = header;
	cb->seq = be32_to_cpu(th->seq);
	cb->end_seq = cb->seq + ((th->flags & TCP_FLAG_SYN) != 0) +
		      ((th->flags & TCP_FLAG_FIN) != 0) + skb->len - hlen;
	cb->ack_seq = be32_to_cpu(th->ack_seq);
	cb->tcp_flags = th->flags;
	cb->sacked = 0;
	cb->ip_dsfield = ip_hdr(skb)->tos;
	cb->eor = 0;
	skb_reset_transport_header(skb);
	__skb_pull(skb, hlen);
	skb_orphan(skb); /* it has arrived: no longer on the way out of whoever sent it */
}

static void tcp_v4_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	sock_hold(sk);
	tcp_sk(sk)->segs_in += max_t(u32, skb_shinfo(skb)->gso_segs, 1);
	if (likely(sk->sk_state == SS_TCP_ESTABLISHED))
		tcp_rcv_established(sk, skb);
	else
		tcp_rcv_state_process(sk, skb);
	sock_put(sk);
}

/*
 * The sock's filter (SO_ATTACH_FILTER) sees the segment from its TCP header on, and leaves at least that. What it cuts off was not
 * received. False: not wanted, and consumed.
 */
static bool tcp_filter(struct sock *sk, struct sk_buff *skb)
{
	u32 hlen = (u32)(skb->data - skb_transport_header(skb)), before = skb->len;

	skb_push(skb, hlen);
	if (sk_filter_trim_cap(sk, skb, hlen)) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_FILTER);
		return false;
	}
	__skb_pull(skb, hlen);
	TCP_SKB_CB(skb)->end_seq -= before - skb->len;
	return true;
}

/* A segment for a handshake in progress. */
static void tcp_v4_rcv_request(struct request_sock *req, struct sk_buff *skb)
{
	struct sock *listener = req->rsk_listener, *child;
	skb_drop_reason_t reason = SKB_DROP_TCP_CLOSE;

	if (listener->sk_state != SS_TCP_LISTEN) {
		inet_csk_reqsk_queue_drop(listener, req);
		tcp_v4_send_reset(NULL, skb);
		kfree_skb_reason(skb, reason);
		return;
	}
	if (sk_has_filter(listener) && !tcp_filter(listener, skb))
		return;
	sock_hold(listener);
	req->c.skc_refcnt++;
	child = tcp_check_req(listener, skb, req, &reason);
	if (child)
		tcp_child_process(listener, child, skb);
	else
		kfree_skb_reason(skb, reason);
	reqsk_put(req);
	sock_put(listener);
}

static void tcp_v4_no_socket(struct sk_buff *skb)
{
	tcp_v4_send_reset(NULL, skb);
	kfree_skb_reason(skb, SKB_DROP_TCP_NO_SOCKET);
}

static void tcp_v4_rcv_timewait(struct tcp_timewait_sock *tw, struct sk_buff *skb)
{
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	struct net *net = skb->dev->net;
	struct sock *listener;
	struct tcp_seg seg;
	u32 isn = 0;

	tcp_seg_init(&seg, skb);
	tcp_seg_parse_opts(&seg, (seg.flags & TCP_FLAG_SYN) != 0, 0);
	switch (tcp_timewait_state_process(tw, skb, &seg, &isn)) {
	case TCP_TW_SYN:
		listener = __inet_lookup_listener(net, &net->tcp->hashinfo, ip_hdr(skb)->saddr,
						  th->source, ip_hdr(skb)->daddr,
						  be16_to_cpu(th->dest), skb->dev->ifindex);
		if (listener) {
			inet_twsk_deschedule_put(&tw->tw);
			NET_INC_STATS(net, MIB_TcpExt_TWRecycled);
			tcp_conn_request(listener, skb, isn);
			return;
		}
		__fallthrough;
	case TCP_TW_ACK:
		tcp_v4_timewait_ack(tw, skb);
		break;
	case TCP_TW_RST:
		tcp_v4_send_reset(NULL, skb);
		inet_twsk_deschedule_put(&tw->tw);
		break;
	case TCP_TW_DONE:
		break;
	}
	kfree_skb_reason(skb, SKB_DROP_TCP_TIMEWAIT);
}

/* NET_RX softirq. Consumes; data at the TCP header. */
void tcp_v4_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	const struct ip_hdr *iph;
	const struct tcp_hdr *th;
	skb_drop_reason_t reason;
	struct sock *sk;
	u32 hlen = 0;

	NET_INC_STATS(net, MIB_Tcp_InSegs);
	reason = tcp_v4_check_header(skb, net, &hlen);
	if (unlikely(reason)) {
		NET_INC_STATS(net, MIB_Tcp_InErrs);
		kfree_skb_reason(skb, reason);
		return;
	}
	tcp_v4_fill_cb(skb, hlen);
	trace_skb(skb, net, TP_tcp_v4_rcv, TRACE_PASS, TCP_SKB_CB(skb)->seq,
		  TCP_SKB_CB(skb)->ack_seq);
	th = (const struct tcp_hdr *)skb_transport_header(skb);
	iph = ip_hdr(skb);
	sk = __inet_lookup_established(net, &net->tcp->hashinfo, iph->saddr, th->source, iph->daddr,
				       be16_to_cpu(th->dest), skb->dev->ifindex);
	if (!sk)
		sk = __inet_lookup_listener(net, &net->tcp->hashinfo, iph->saddr, th->source,
					    iph->daddr, be16_to_cpu(th->dest), skb->dev->ifindex);
	if (unlikely(!sk)) {
		tcp_v4_no_socket(skb);
		return;
	}
	if (unlikely(sk->sk_state == SS_TCP_TIME_WAIT)) {
		tcp_v4_rcv_timewait(tcp_twsk(sk), skb);
		return;
	}
	if (sk->sk_state == SS_TCP_NEW_SYN_RECV) {
		tcp_v4_rcv_request((struct request_sock *)sk, skb);
		return;
	}
	if (unlikely(inet_sk(sk)->min_ttl && iph->ttl < inet_sk(sk)->min_ttl)) {
		kfree_skb_reason(skb, SKB_DROP_TCP_MIN_TTL);
		return;
	}
	if (sk_has_filter(sk) && !tcp_filter(sk, skb))
		return;
	tcp_v4_do_rcv(sk, skb);
}

/* ---- ICMP errors ------------------------------------------------------------------------------------- */

/* A connection that is still opening fails with @err (RFC 1122 4.2.3.9: soft errors are shown once it is clear). */
static void tcp_v4_err_opening(struct sock *sk, int err)
{
	sk->sk_err = err;
	sk_error_report(sk);
	tcp_done(sk);
}

static void tcp_v4_err_request(struct request_sock *req, u32 seq)
{
	struct sock *listener = req->rsk_listener;

	if (seq != tcp_rsk(req)->snt_isn) {
		NET_INC_STATS(req->c.skc_net, MIB_TcpExt_OutOfWindowIcmps);
		return;
	}
	inet_csk_reqsk_queue_drop(listener, req);
	NET_INC_STATS(sock_net(listener), MIB_TcpExt_ListenDrops);
}

/* borrow: data at the inner IP header, of a segment that we sent. */
void tcp_v4_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct ip_hdr *iph = (const struct ip_hdr *)skb->data;
	struct net *net = skb->dev->net;
	const struct tcp_hdr *th;
	struct sock *sk;
	bool fatal = false;
	u32 seq;
	int err;

	if (!pskb_may_pull(skb, ip_hdr_len(iph) + 8))
		return;
	iph = (const struct ip_hdr *)skb->data;
	th = (const struct tcp_hdr *)(skb->data + ip_hdr_len(iph));
	sk = __inet_lookup_established(net, &net->tcp->hashinfo, iph->daddr, th->dest, iph->saddr,
				       be16_to_cpu(th->source), skb->dev->ifindex);
	if (!sk) {
		NET_INC_STATS(net, MIB_Icmp_InErrors);
		return;
	}
	if (sk->sk_state == SS_TCP_TIME_WAIT)
		return;
	seq = be32_to_cpu(th->seq);
	if (sk->sk_state == SS_TCP_NEW_SYN_RECV) {
		if (type == ICMP4_DEST_UNREACH && code != ICMP4_FRAG_NEEDED)
			tcp_v4_err_request((struct request_sock *)sk, seq);
		return;
	}
	/* RFC 5927 4: believe only what quotes a segment that is in flight. */
	if (sk->sk_state != SS_TCP_LISTEN &&
	    !between(seq, tcp_sk(sk)->snd_una, tcp_sk(sk)->snd_nxt)) {
		NET_INC_STATS(net, MIB_TcpExt_OutOfWindowIcmps);
		return;
	}
	switch (type) {
	case ICMP4_PARAMETERPROB:
		err = EPROTO;
		break;
	case ICMP4_DEST_UNREACH:
		if (code > ICMP4_PREC_CUTOFF)
			return;
		if (code == ICMP4_FRAG_NEEDED) {
			sock_hold(sk);
			ipv4_sk_update_pmtu(skb, sk, info);
			tcp_v4_mtu_reduced(sk);
			sock_put(sk);
			return;
		}
		err = icmp_err_convert(code, &fatal);
		err = err < 0 ? -err : err;
		break;
	case ICMP4_TIME_EXCEEDED:
		err = EHOSTUNREACH;
		break;
	case ICMP4_REDIRECT:
		ipv4_sk_redirect(skb, sk);
		return;
	default:
		return;
	}
	sock_hold(sk);
	if (sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV) {
		tcp_v4_err_opening(sk, err);
	} else if (inet_sk(sk)->recverr) {
		sk->sk_err = err;
		sk_error_report(sk);
	} else {
		/* RFC 9293 3.9.2.2 (MUST-56): not a reason to abort; shown if the connection times out. */
		sk->sk_err_soft = err;
	}
	sock_put(sk);
}

const struct net_protocol tcp_v4_protocol = {
	.handler = tcp_v4_rcv,
	.err_handler = tcp_v4_err,
	.offload = &tcp_v4_offload,
};
