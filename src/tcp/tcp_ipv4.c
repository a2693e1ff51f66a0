/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ipv4.c - TCP over IPv4: everything here knows an IPv4 address
 *
 * The rest of tcp/ reaches it through inet_connection_sock_af_ops (a socket's own segments) and tcp_af_ops (packets without a full
 * socket). tcp_ipv6.c is the twin; what both do is in tcp_demux.c and tcp_minisocks.c.
 * See RFC 9293 3.9.2.2 (ICMP), RFC 1191 (PMTU).
 */
#include <errno.h>
#include <linux/in_route.h>

#include "inet/inet6_sock.h"
#include "tcp/tcp_auth.h"
#include "wire/icmp.h"

/* ---- a socket's own segments ------------------------------------------------------------------------- */

static void tcp_v4_csum_partial(struct sk_buff *skb, be32 saddr, be32 daddr)
{
	struct tcp_hdr *th = (struct tcp_hdr *)skb_transport_header(skb);

	th->check.v = (u16)~csum_tcpudp_magic(saddr, daddr, skb->len, IPPROTO_TCP, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct tcp_hdr, check);
}

static void tcp_v4_send_check(struct sock *sk, struct sk_buff *skb)
{
	tcp_v4_csum_partial(skb, inet_sk(sk)->inet_saddr, sk->sk_daddr);
}

static struct flowi4 tcp_v4_flow(const struct sock *sk, be32 saddr, be32 daddr, be16 dport)
{
	const struct inet_sock *inet = inet_sk(sk);

	return (struct flowi4){
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.tos = inet->tos,
		.proto = IPPROTO_TCP,
		.saddr = saddr,
		.daddr = inet->inet_opt && inet->inet_opt->srr ? inet->inet_opt->faddr : daddr,
		.sport = inet->inet_sport,
		.dport = dport,
		.uid = sk->sk_uid,
	};
}

/* Makes sure that the socket has a route. 0 or -errno */
static int tcp_v4_rebuild_header(struct sock *sk)
{
	struct flowi4 fl;
	struct rtable *rt;
	int err;

	if (likely(sk_dst_check(sk)))
		return 0;
	fl = tcp_v4_flow(sk, inet_sk(sk)->inet_saddr, sk->sk_daddr, sk->sk_dport);
	rt = ip_route_output_flow(sock_net(sk), &fl, sk, &err);
	if (!rt) {
		sk->sk_err_soft = -err;
		return err;
	}
	sk_dst_set(sk, &rt->dst);
	return 0;
}

const struct inet_connection_sock_af_ops tcp_v4_csk_ops = {
	.queue_xmit = ip_queue_xmit,
	.send_check = tcp_v4_send_check,
	.rebuild_header = tcp_v4_rebuild_header,
	.net_header_len = sizeof(struct ip_hdr),
	.gso_type = SKB_GSO_TCPV4,
};

/* ---- handshakes -------------------------------------------------------------------------------------- */

static const struct request_sock_ops tcp_v4_request_ops = {
	.family = AF_INET,
	.obj_size = sizeof(struct tcp_request_sock),
	.timeout = tcp_reqsk_timer,
	.destructor = tcp_reqsk_destructor,
};

/* RFC 9293 3.9.2.3 (MUST-57): never answer a SYN to a group. */
static bool tcp_v4_syn_acceptable(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

	return !rt || !(rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST));
}

static void tcp_v4_init_req(struct request_sock *req, const struct sock *listener,
			    const struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);

	req->c.skc_rcv_saddr = iph->daddr;
	req->c.skc_daddr = iph->saddr;
	req->ir_hoplimit = iph->ttl;
	req->ir_tos = iph->tos;
	if (listener->sk_family == AF_INET6) {
		ipv6_addr_set_v4mapped(iph->daddr, &req->c.skc_v6_rcv_saddr);
		ipv6_addr_set_v4mapped(iph->saddr, &req->c.skc_v6_daddr);
	}
}

static struct dst_entry *tcp_v4_route_req(const struct sock *sk, const struct request_sock *req)
{
	struct flowi4 fl = {
		.oif = sk->sk_bound_dev_if,
		.mark = req->ir_mark,
		.tos = tcp_req_tos(sk, req, inet_sk(sk)->tos),
		.proto = IPPROTO_TCP,
		.saddr = req->c.skc_rcv_saddr,
		.daddr = req->c.skc_daddr,
		.sport = cpu_to_be16(req->c.skc_num),
		.dport = req->c.skc_dport,
		.uid = sk->sk_uid,
	};
	struct rtable *rt;
	int err;

	rt = ip_route_output_flow(sock_net(sk), &fl, sk, &err);
	return rt ? &rt->dst : NULL;
}

static int tcp_v4_xmit_synack(const struct sock *sk, struct sk_buff *skb,
			      const struct request_sock *req)
{
	tcp_v4_csum_partial(skb, req->c.skc_rcv_saddr, req->c.skc_daddr);
	return ip_build_and_send_pkt(skb, sk, req->c.skc_rcv_saddr, req->c.skc_daddr, NULL,
				     tcp_req_tos(sk, req, inet_sk(sk)->tos));
}

static bool tcp_v4_unreachable(struct sk_buff *skb, int err)
{
	u8 code;

	switch (err) {
	case ENETUNREACH:
		code = ICMP4_NET_UNREACH;
		break;
	case EHOSTUNREACH:
		code = ICMP4_HOST_UNREACH;
		break;
	case EACCES:
		code = ICMP4_PKT_FILTERED;
		break;
	default:
		return false;
	}
	icmp_send(skb, ICMP4_DEST_UNREACH, code, 0);
	return true;
}

static void tcp_v4_reply(struct net *net, struct sk_buff *skb, const void *segment, u32 len,
			 const struct ip_reply_arg *arg)
{
	const struct ip_hdr *iph = ip_hdr(skb);

	ip_send_unicast_reply(net, skb, iph->saddr, iph->daddr, IPPROTO_TCP, segment, len,
			      offsetof(struct tcp_hdr, check), arg);
}

/* ---- connect ----------------------------------------------------------------------------------------- */

int tcp_v4_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)addr;
	struct inet_sock *inet = inet_sk(sk);
	struct net *net = sock_net(sk);
	struct flowi4 fl;
	struct rtable *rt;
	int err;

	if (len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	fl = tcp_v4_flow(sk, inet->inet_saddr, be32_raw(sin->sin_addr.s_addr),
			 be16_raw(sin->sin_port));
	rt = ip_route_connect(net, &fl, sk, &err);
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
	inet->rx_dst_id = 0;
	if (sk->sk_family == AF_INET6) {
		/* ::ffff:a.b.c.d was asked for (tcp_v6_connect()). */
		ipv6_addr_set_v4mapped(inet->inet_saddr, &inet->pinet6->saddr);
		ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &sk->sk_v6_rcv_saddr);
		ipv6_addr_set_v4mapped(sk->sk_daddr, &sk->sk_v6_daddr);
	}
	return tcp_connect_begin(sk, &rt->dst, inet->inet_opt ? inet->inet_opt->optlen : 0,
				 TCP_MSS_DEFAULT_);
}

/* ---- packets ----------------------------------------------------------------------------------------- */

/* NET_RX softirq. Consumes; data at the TCP header. */
static void tcp_v4_rcv(struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	const struct tcp_hdr *th;
	struct inet_tuple t;
	struct sock *sk;
	u32 pseudo = 0;

	if (!skb_csum_unnecessary(skb))
		pseudo = csum_tcpudp_nofold(iph->saddr, iph->daddr, skb->len, IPPROTO_TCP, 0);
	th = tcp_rcv_header(skb, pseudo, iph->tos, TP_tcp_v4_rcv);
	if (!th)
		return;
	iph = ip_hdr(skb);
	sk = skb_steal_sock(skb);
	if (sk) {
		tcp_rcv_sock(sk, skb, false, iph->ttl);
		return;
	}
	t = inet_tuple_v4(iph->saddr, th->source, iph->daddr, be16_to_cpu(th->dest),
			  skb->dev->ifindex);
	tcp_rcv(skb, &t, iph->ttl);
}

static void tcp_v4_early_demux(struct sk_buff *skb)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	const struct tcp_hdr *th = tcp_early_header(skb);
	struct inet_tuple t;

	if (!th)
		return;
	t = inet_tuple_v4(iph->saddr, th->source, iph->daddr, be16_to_cpu(th->dest),
			  skb->dev->ifindex);
	tcp_early_sock(skb, &t);
}

/* errno of an ICMP error, or 0: it says nothing to a connection. */
static int tcp_v4_errno(u8 type, u8 code)
{
	bool fatal;
	int err;

	switch (type) {
	case ICMP4_PARAMETERPROB:
		return EPROTO;
	case ICMP4_DEST_UNREACH:
		if (code > ICMP4_PREC_CUTOFF)
			return 0;
		err = icmp_err_convert(code, &fatal);
		return err < 0 ? -err : err;
	case ICMP4_TIME_EXCEEDED:
		return EHOSTUNREACH;
	default:
		return 0;
	}
}

/* borrow: data at the inner IP header, of a segment that we sent. */
static void tcp_v4_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct ip_hdr *iph = (const struct ip_hdr *)skb->data;
	bool unreach = type == ICMP4_DEST_UNREACH, too_big = unreach && code == ICMP4_FRAG_NEEDED;
	struct net *net = skb->dev->net;
	const struct tcp_hdr *th;
	struct inet_tuple t;
	struct sock *sk;
	int err;

	if (!pskb_may_pull(skb, ip_hdr_len(iph) + 8))
		return;
	iph = (const struct ip_hdr *)skb->data;
	th = (const struct tcp_hdr *)(skb->data + ip_hdr_len(iph));
	t = inet_tuple_v4(iph->daddr, th->dest, iph->saddr, be16_to_cpu(th->source),
			  skb->dev->ifindex);
	sk = tcp_err_sock(net, &t, be32_to_cpu(th->seq), unreach && !too_big, MIB_Icmp_InErrors);
	if (!sk)
		return;
	if (type == ICMP4_REDIRECT) {
		ipv4_sk_redirect(skb, sk);
		return;
	}
	if (unreach && code >= ICMP4_PROT_UNREACH && code <= ICMP4_FRAG_NEEDED &&
	    unlikely(tcp_ao_ignore_icmp(sk)))
		return;
	if (too_big) {
		sock_hold(sk);
		ipv4_sk_update_pmtu(skb, sk, info);
		tcp_mtu_reduced(sk);
		sock_put(sk);
		return;
	}
	err = tcp_v4_errno(type, code);
	if (err)
		tcp_err_report(sk, err, inet_sk(sk)->recverr);
}

const struct tcp_af_ops tcp_v4_af_ops = {
	.req_ops = &tcp_v4_request_ops,
	.csk_ops = &tcp_v4_csk_ops,
	.connect = tcp_v4_connect,
	.syn_acceptable = tcp_v4_syn_acceptable,
	.init_req = tcp_v4_init_req,
	.route_req = tcp_v4_route_req,
	.xmit_synack = tcp_v4_xmit_synack,
	.unreachable = tcp_v4_unreachable,
	.reply = tcp_v4_reply,
};

const struct net_protocol tcp_v4_protocol = {
	.handler = tcp_v4_rcv,
	.err_handler = tcp_v4_err,
	.early_demux = tcp_v4_early_demux,
	.offload = &tcp_v4_offload,
};
