/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_ipv6.c - TCP over IPv6: everything here knows an IPv6 address
 *
 * The twin of tcp_ipv4.c. A connection of an AF_INET6 socket to ::ffff:a.b.c.d is one of IPv4: tcp_v6_connect() hands it over, and
 * its segments never come here.
 * See RFC 8200 8.1 (checksum), RFC 8201 (path MTU), RFC 4443 2.4 and RFC 9293 3.9.2.2 (ICMPv6 errors), RFC 6437 (flow labels).
 */
#include <errno.h>

#include "ipv6/ipv6.h"
#include "lib/csum.h"
#include "tcp/tcp_auth.h"
#include "wire/icmpv6.h"

/* RFC 9293 3.7.1: what a peer takes that does not say: the smallest MTU of IPv6 without both headers. */
#define TCP_MSS_DEFAULT_V6 (IPV6_MIN_MTU_ - 60)
#define IPV6_MIN_MTU_      1280u /* RFC 8200 5 */

static_assert(sizeof(struct inet6_skb_parm) == sizeof(struct inet_skb_parm), "tcp_skb_cb.header");

/* ---- a socket's own segments ------------------------------------------------------------------------- */

static void tcp_v6_csum_partial(struct sk_buff *skb, const struct in6_addr *saddr,
				const struct in6_addr *daddr)
{
	struct tcp_hdr *th = (struct tcp_hdr *)skb_transport_header(skb);

	th->check.v = (u16)~csum_ipv6_magic(saddr, daddr, skb->len, IPPROTO_TCP, 0);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct tcp_hdr, check);
}

static void tcp_v6_send_check(struct sock *sk, struct sk_buff *skb)
{
	tcp_v6_csum_partial(skb, &inet6_sk(sk)->saddr, &sk->sk_v6_daddr);
}

/* A held route for @sk's packets with these addresses; fl->saddr is filled in if it was ::. */
static struct rt6_info *tcp_v6_route(const struct sock *sk, struct flowi6 *fl, int *ret_err)
{
	struct in6_addr final;
	struct rt6_info *rt;

	/* With a routing header the first hop is what is routed to. */
	final = fl->daddr;
	if (inet6_sk(sk)->opt)
		fl6_update_dst(fl, inet6_sk(sk)->opt, &final);
	rt = ip6_route_output(sock_net(sk), fl, sk, ret_err);
	fl->daddr = final;
	return rt;
}

/* Makes sure that the socket has a route. 0 or -errno */
static int tcp_v6_rebuild_header(struct sock *sk)
{
	struct flowi6 fl;
	struct rt6_info *rt;
	int err;

	if (likely(sk_dst_check(sk)))
		return 0;
	ipv6_flow_init_sk(&fl, sk);
	fl.proto = IPPROTO_TCP;
	fl.saddr = inet6_sk(sk)->saddr;
	fl.daddr = sk->sk_v6_daddr;
	fl.sport = inet_sk(sk)->inet_sport;
	fl.dport = sk->sk_dport;
	rt = tcp_v6_route(sk, &fl, &err);
	if (!rt) {
		sk->sk_err_soft = -err;
		return err;
	}
	sk_dst_set(sk, &rt->dst);
	return 0;
}

static const struct inet_connection_sock_af_ops tcp_v6_csk_ops = {
	.queue_xmit = inet6_csk_xmit,
	.send_check = tcp_v6_send_check,
	.rebuild_header = tcp_v6_rebuild_header,
	.net_header_len = sizeof(struct ipv6_hdr),
	.gso_type = SKB_GSO_TCPV6,
};

static u16 tcp_v6_ext_hdr_len(const struct sock *sk)
{
	const struct ipv6_txoptions *opt = inet6_sk(sk)->opt;

	return opt ? (u16)(opt->opt_flen + opt->opt_nflen) : 0;
}

/* ---- handshakes -------------------------------------------------------------------------------------- */

static const struct request_sock_ops tcp_v6_request_ops = {
	.family = AF_INET6,
	.obj_size = sizeof(struct tcp_request_sock),
	.timeout = tcp_reqsk_timer,
	.destructor = tcp_reqsk_destructor,
};

/* RFC 9293 3.9.2.3 (MUST-57): never answer a SYN to a group; nor one that claims to come from an IPv4 address. */
static bool tcp_v6_syn_acceptable(const struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	return !ipv6_addr_is_multicast(&h->daddr) && !ipv6_addr_v4mapped(&h->saddr);
}

static void tcp_v6_init_req(struct request_sock *req, const struct sock *listener,
			    const struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	req->c.skc_v6_rcv_saddr = h->daddr;
	req->c.skc_v6_daddr = h->saddr;
	req->ir_hoplimit = h->hop_limit;
	req->ir_tos = ipv6_get_dsfield(h);
	req->ir_flowinfo = cpu_to_be32(be32_to_cpu(h->ver_tc_flow) & 0x0fffffffu);
	if (inet6_sk(listener)->repflow)
		req->ir_flowlabel = cpu_to_be32(be32_to_cpu(h->ver_tc_flow) & IPV6_FLOWLABEL_MASK_);
	/* RFC 4007 6: link-local addresses mean the link that the SYN came from. */
	if (!req->c.skc_bound_dev_if && ipv6_addr_type(&h->saddr) & IPV6_ADDR_LINKLOCAL)
		req->c.skc_bound_dev_if = TCP_SKB_CB(skb)->header.iif;
}

static struct flowi6 tcp_v6_req_flow(const struct sock *sk, const struct request_sock *req)
{
	struct flowi6 fl;

	ipv6_flow_init_sk(&fl, sk);
	fl.oif = req->c.skc_bound_dev_if;
	fl.mark = req->ir_mark;
	fl.proto = IPPROTO_TCP;
	fl.flowlabel = ip6_flowinfo(tcp_req_tos(sk, req, inet6_sk(sk)->tclass), req->ir_flowlabel);
	fl.saddr = req->c.skc_v6_rcv_saddr;
	fl.daddr = req->c.skc_v6_daddr;
	fl.sport = cpu_to_be16(req->c.skc_num);
	fl.dport = req->c.skc_dport;
	return fl;
}

static struct dst_entry *tcp_v6_route_req(const struct sock *sk, const struct request_sock *req)
{
	struct flowi6 fl = tcp_v6_req_flow(sk, req);
	struct rt6_info *rt;
	int err;

	rt = tcp_v6_route(sk, &fl, &err);
	return rt ? &rt->dst : NULL;
}

static int tcp_v6_xmit_synack(const struct sock *sk, struct sk_buff *skb,
			      const struct request_sock *req)
{
	struct flowi6 fl = tcp_v6_req_flow(sk, req);

	tcp_v6_csum_partial(skb, &req->c.skc_v6_rcv_saddr, &req->c.skc_v6_daddr);
	return ip6_xmit(sock_net(sk), sk, skb, &fl, inet6_sk(sk)->opt, -1);
}

static bool tcp_v6_unreachable(struct sk_buff *skb, int err)
{
	u8 code;

	switch (err) {
	case ENETUNREACH:
		code = ICMPV6_NOROUTE;
		break;
	case EHOSTUNREACH:
		code = ICMPV6_ADDR_UNREACH;
		break;
	case EACCES:
		code = ICMPV6_ADM_PROHIBITED;
		break;
	default:
		return false;
	}
	icmpv6_send(skb, ICMPV6_DEST_UNREACH, code, 0);
	return true;
}

static void tcp_v6_reply(struct net *net, struct sk_buff *skb, const void *segment, u32 len,
			 const struct ip_reply_arg *arg)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	ip6_send_unicast_reply(net, skb, &h->saddr, &h->daddr, IPPROTO_TCP, segment, len,
			       offsetof(struct tcp_hdr, check), arg);
}

/* ---- connect ----------------------------------------------------------------------------------------- */

/* ::ffff:a.b.c.d: the same socket, over IPv4. 0 or -errno */
static int tcp_v6_connect_mapped(struct sock *sk, const struct sockaddr_in6 *sin6)
{
	const struct tcp_af_ops *af4 = tcp_af(sock_net(sk), AF_INET);
	const struct inet_connection_sock_af_ops *own = inet_csk(sk)->icsk_af_ops;
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = sin6->sin6_port,
		.sin_addr.s_addr = ipv6_addr_v4(&sin6->sin6_addr).v,
	};
	int err;

	if (sk->sk_ipv6only)
		return -ENETUNREACH;
	inet_csk(sk)->icsk_af_ops = af4->csk_ops;
	err = af4->connect(sk, (const struct sockaddr *)&sin, sizeof(sin));
	if (err)
		inet_csk(sk)->icsk_af_ops = own;
	return err;
}

/* Which link a link-local @addr is on (RFC 4007 6). 0 or -EINVAL */
static int tcp_v6_set_zone(struct sock *sk, const struct sockaddr_in6 *sin6, socklen_t len,
			   const struct in6_addr *addr)
{
	if (!(ipv6_addr_type(addr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (len >= sizeof(*sin6) && sin6->sin6_scope_id) {
		if (sk->sk_bound_dev_if && sk->sk_bound_dev_if != (int)sin6->sin6_scope_id)
			return -EINVAL;
		sk->sk_bound_dev_if = (int)sin6->sin6_scope_id;
	}
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

static int tcp_v6_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)addr;
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct in6_addr daddr;
	struct rt6_info *rt;
	struct flowi6 fl;
	int err;

	if (len < 24) /* up to sin6_scope_id: RFC 2133 had none */
		return -EINVAL;
	if (sin6->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	daddr = sin6->sin6_addr;
	/* As in BSD "any" is this host: of the version that the socket is bound for. */
	if (ipv6_addr_any(&daddr)) {
		if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
			ipv6_addr_set_v4mapped(cpu_to_be32(INADDR_LOOPBACK), &daddr);
		else
			daddr = in6addr_loopback;
	}
	if (ipv6_addr_is_multicast(&daddr))
		return -ENETUNREACH;
	err = tcp_v6_set_zone(sk, sin6, len, &daddr);
	if (err)
		return err;
	if (ipv6_addr_v4mapped(&daddr)) {
		struct sockaddr_in6 mapped = *sin6;

		mapped.sin6_addr = daddr;
		return tcp_v6_connect_mapped(sk, &mapped);
	}
	if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		return -ENETUNREACH; /* bound to an IPv4 address */

	inet_csk(sk)->icsk_af_ops = &tcp_v6_csk_ops;
	if (np->sndflow)
		np->flow_label = cpu_to_be32(ntohl(sin6->sin6_flowinfo) & 0x0fffffffu);
	sk->sk_v6_daddr = daddr;
	ipv6_flow_init_sk(&fl, sk);
	fl.proto = IPPROTO_TCP;
	fl.saddr = np->saddr;
	fl.daddr = daddr;
	fl.sport = inet_sk(sk)->inet_sport;
	fl.dport = be16_raw(sin6->sin6_port);
	rt = tcp_v6_route(sk, &fl, &err);
	if (!rt) {
		if (err == -ENETUNREACH)
			NET_INC_STATS(sock_net(sk), MIB_Ip6_OutNoRoutes);
		inet_reset_peer(sk);
		return err;
	}
	if (ipv6_addr_any(&np->saddr))
		np->saddr = fl.saddr;
	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		sk->sk_v6_rcv_saddr = np->saddr;
	sk->sk_dport = be16_raw(sin6->sin6_port);
	inet6_sk_rx_dst_reset(np);
	return tcp_connect_begin(sk, &rt->dst, tcp_v6_ext_hdr_len(sk), TCP_MSS_DEFAULT_V6);
}

/* ---- packets ----------------------------------------------------------------------------------------- */

/* NET_RX softirq. Consumes; data at the TCP header. */
static void tcp_v6_rcv(struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	const struct tcp_hdr *th;
	int dif = IP6CB(skb)->iif; /* before TCP's cb */
	struct inet_tuple t;
	struct sock *sk;
	u32 pseudo = 0;

	if (!skb_csum_unnecessary(skb))
		pseudo = csum_ipv6_nofold(&h->saddr, &h->daddr, skb->len, IPPROTO_TCP, 0);
	th = tcp_rcv_header(skb, pseudo, ipv6_get_dsfield(h), TP_tcp_v6_rcv);
	if (!th)
		return;
	h = ipv6_hdr(skb);
	sk = skb_steal_sock(skb);
	if (sk) {
		tcp_rcv_sock(sk, skb, true, h->hop_limit);
		return;
	}
	t = inet_tuple_v6(&h->saddr, th->source, &h->daddr, be16_to_cpu(th->dest), dif);
	tcp_rcv(skb, &t, h->hop_limit);
}

static void tcp_v6_early_demux(struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	const struct tcp_hdr *th = tcp_early_header(skb);
	struct inet_tuple t;

	if (!th)
		return;
	t = inet_tuple_v6(&h->saddr, th->source, &h->daddr, be16_to_cpu(th->dest), IP6CB(skb)->iif);
	tcp_early_sock(skb, &t);
}

/* borrow: data at the inner IPv6 header, of a segment that we sent; the transport header is the inner TCP header. */
static void tcp_v6_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct ipv6_hdr *h = (const struct ipv6_hdr *)skb->data;
	const struct tcp_hdr *th = (const struct tcp_hdr *)skb_transport_header(skb);
	struct inet_tuple t;
	struct sock *sk;
	int err = 0;

	t = inet_tuple_v6(&h->daddr, th->dest, &h->saddr, be16_to_cpu(th->source), IP6CB(skb)->iif);
	sk = tcp_err_sock(skb->dev->net, &t, be32_to_cpu(th->seq), type == ICMPV6_DEST_UNREACH,
			  MIB_Icmp6_InErrors);
	if (!sk)
		return;
	if (type == ICMPV6_PKT_TOOBIG) {
		/* Smaller than any IPv6 link: not believed (RFC 8201 4). */
		if (info < IPV6_MIN_MTU_)
			return;
		sock_hold(sk);
		ip6_sk_update_pmtu(skb, sk, info);
		tcp_mtu_reduced(sk);
		sock_put(sk);
		return;
	}
	if (type == ICMPV6_DEST_UNREACH &&
	    (code == ICMPV6_ADM_PROHIBITED || code == ICMPV6_PORT_UNREACH) &&
	    unlikely(tcp_ao_ignore_icmp(sk)))
		return;
	icmpv6_err_convert(type, code, &err);
	if (err)
		tcp_err_report(sk, err < 0 ? -err : err, inet6_sk(sk)->recverr);
}

const struct tcp_af_ops tcp_v6_af_ops = {
	.req_ops = &tcp_v6_request_ops,
	.csk_ops = &tcp_v6_csk_ops,
	.connect = tcp_v6_connect,
	.syn_acceptable = tcp_v6_syn_acceptable,
	.init_req = tcp_v6_init_req,
	.route_req = tcp_v6_route_req,
	.xmit_synack = tcp_v6_xmit_synack,
	.unreachable = tcp_v6_unreachable,
	.reply = tcp_v6_reply,
};

const struct net_protocol tcp_v6_protocol = {
	.handler = tcp_v6_rcv,
	.err_handler = tcp_v6_err,
	.early_demux = tcp_v6_early_demux,
	.offload = &tcp_v6_offload,
};
