/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram.c - connect and send of IPv4 datagram sockets (UDP, ping)
 *
 * A connected socket caches its dst and revalidates it; any other datagram is routed on its own. The transport's header comes
 * from struct inet_dgram_proto. Locking: the home cpu's lock; sending may wait for send buffer room and so drop it.
 */
#include <errno.h>
#include <linux/in_route.h>

#include "core/cpu.h"
#include "core/sock_reuseport.h"
#include "ipv4/ip_sockglue.h"
#include "ipv4/ipv4_internal.h"
#include "lib/csum.h"
#include "socket/socket.h"

#define DGRAM_HDR_MAX 8

static u8 flow_flags(const struct sock *sk)
{
	u8 flags = sock_flag(sk, SOCK_LOCALROUTE) ? FLOWI_FLAG_LOCALROUTE : 0;

	if (unlikely(inet_sk(sk)->transparent || inet_sk(sk)->freebind || inet_sk(sk)->hdrincl))
		flags |= FLOWI_FLAG_ANYSRC;
	return flags;
}

void ipv4_flow_init_sk(struct flowi4 *fl, const struct sock *sk)
{
	*fl = (struct flowi4){ .oif = sk->sk_bound_dev_if,
			       .mark = sk->sk_mark,
			       .tos = inet_sk(sk)->tos,
			       .proto = sk->sk_protocol,
			       .flags = flow_flags(sk),
			       .uid = sk->sk_uid };
}

/* RFC 1122 3.2.1.3 (a): "this host" as a destination is ourselves. */
static void flow_set_dest(struct flowi4 *fl, be32 daddr)
{
	if (be32_zero(daddr))
		daddr = be32_zero(fl->saddr) ? cpu_to_be32(INADDR_LOOPBACK) : fl->saddr;
	fl->daddr = daddr;
}

/* Where and from which address: the socket's multicast and unicast choices. */
static void flow_set_source(struct flowi4 *fl, const struct sock *sk, be32 daddr)
{
	const struct inet_sock *inet = inet_sk(sk);

	if (ipv4_is_multicast(daddr)) {
		if (!fl->oif)
			fl->oif = inet->mc_index;
		if (be32_zero(fl->saddr))
			fl->saddr = inet->mc_addr;
	} else if (!fl->oif) {
		fl->oif = inet->uc_index;
	}
}

typedef struct rtable *route_fn(struct net *net, struct flowi4 *fl, const struct sock *sk,
				int *err);

static struct rtable *flow_route(struct sock *sk, struct flowi4 *fl, route_fn *route, int *ret_err)
{
	struct rtable *rt = route(sock_net(sk), fl, sk, ret_err);

	if (!rt) {
		if (*ret_err == -ENETUNREACH)
			NET_INC_STATS(sock_net(sk), MIB_Ip_OutNoRoutes);
		return NULL;
	}
	if (rt->rt_flags & RTCF_BROADCAST && !sock_flag(sk, SOCK_BROADCAST)) {
		dst_release(&rt->dst);
		*ret_err = -EACCES;
		return NULL;
	}
	return rt;
}

int ip4_datagram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)addr;
	struct inet_sock *inet = inet_sk(sk);
	struct flowi4 fl;
	struct rtable *rt;
	int err = 0;

	if (len < sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	sk_dst_reset(sk);
	ipv4_flow_init_sk(&fl, sk);
	fl.saddr = inet->inet_saddr;
	fl.sport = inet->inet_sport;
	fl.dport = be16_raw(sin->sin_port);
	flow_set_source(&fl, sk, be32_raw(sin->sin_addr.s_addr));
	flow_set_dest(&fl, be32_raw(sin->sin_addr.s_addr));
	rt = flow_route(sk, &fl, ip_route_connect, &err);
	if (!rt)
		return err;
	if (be32_zero(inet->inet_saddr))
		inet->inet_saddr = fl.saddr;
	if (be32_zero(sk->sk_rcv_saddr)) {
		reuseport_detach_sock(sk); /* which is for another address now */
		sk->sk_rcv_saddr = fl.saddr;
	}
	sk->sk_daddr = fl.daddr;
	sk->sk_dport = be16_raw(sin->sin_port);
	sk->sk_state = SS_TCP_ESTABLISHED;
	inet->rx_dst_id = 0;
	inet->inet_id = (u16)cpu_random(sk->sk_cpu);
	sk_dst_set(sk, &rt->dst);
	return 0;
}

/* One datagram on its way: what sendmsg(2) said, merged with what the socket says. */
struct dgram_tx {
	struct flowi4 fl;
	struct ipcm_cookie ipc;
	bool connected; /* the socket's cached dst will do */
};

/* The destination: of the message, or of the connection. Where the protocol has ports, 0 is none. */
static int tx_dest(struct sock *sk, const struct kmsghdr *msg, const struct inet_dgram_proto *proto,
		   be32 *ret_addr, be16 *ret_port, bool *ret_connected)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)msg->name;

	if (sin && msg->namelen) {
		if (msg->namelen < sizeof(*sin))
			return -EINVAL;
		if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
			return -EAFNOSUPPORT;
		if (!sin->sin_port && proto->hdr_len && !proto->hdr_in_msg)
			return -EINVAL;
		*ret_addr = be32_raw(sin->sin_addr.s_addr);
		*ret_port = be16_raw(sin->sin_port);
		*ret_connected = false;
		return 0;
	}
	if (sk->sk_state != SS_TCP_ESTABLISHED)
		return -EDESTADDRREQ;
	*ret_addr = sk->sk_daddr;
	*ret_port = sk->sk_dport;
	*ret_connected = true;
	return 0;
}

/* What the socket says. */
static void ipcm_init_sk(struct ipcm_cookie *ipc, const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	ipc->sk = sk;
	ipc->addr = inet->inet_saddr;
	ipc->sport = inet->inet_sport;
	ipc->oif = sk->sk_bound_dev_if;
	ipc->tos = inet->tos;
	ipc->ttl = -1;
	ipc->gso_size = 0;
	ipc->opt = inet->inet_opt;
	sockcm_init(&ipc->sockc, sk);
}

static int tx_prepare(struct sock *sk, struct kmsghdr *msg, size_t len,
		      const struct inet_dgram_proto *proto, struct dgram_tx *tx)
{
	be32 daddr;
	be16 dport;
	int err = tx_dest(sk, msg, proto, &daddr, &dport, &tx->connected);

	if (err)
		return err;
	ipcm_init_sk(&tx->ipc, sk);
	if (msg->corked) {
		tx->ipc.sockc.mark = msg->corked->mark;
		tx->ipc.sockc.priority = msg->corked->priority;
		tx->ipc.tos = msg->corked->tos;
	}
	if (proto->tx_options) {
		struct inet_dgram_tx own = { 0 };

		err = proto->tx_options(sk, msg, len, &own);
		if (err)
			return err;
		tx->ipc.gso_size = own.gso_size;
	}
	if (msg->controllen) {
		err = ip_cmsg_send(msg, &tx->ipc);
		if (err)
			return err;
		tx->connected = false;
	}
	tx->fl = (struct flowi4){ .oif = tx->ipc.oif,
				  .mark = tx->ipc.sockc.mark,
				  .tos = tx->ipc.tos,
				  .proto = sk->sk_protocol,
				  .flags = flow_flags(sk),
				  .saddr = tx->ipc.addr,
				  .sport = tx->ipc.sport,
				  .dport = dport,
				  .uid = sk->sk_uid };
	if (msg->flags & MSG_DONTROUTE) {
		tx->fl.flags |= FLOWI_FLAG_LOCALROUTE;
		tx->connected = false;
	}
	if (ipv4_is_multicast(daddr))
		tx->connected = false;
	flow_set_source(&tx->fl, sk, daddr);
	flow_set_dest(&tx->fl, daddr);
	return 0;
}

/* A held route. */
static struct rtable *tx_route(struct sock *sk, struct dgram_tx *tx, int *ret_err)
{
	struct dst_entry *dst = tx->connected ? sk_dst_check(sk) : NULL;
	const struct ip_options *opt = tx->ipc.opt;
	struct rtable *rt;
	be32 daddr;

	if (dst) {
		dst_hold(dst);
		/* What routing would have filled in. */
		if (be32_zero(tx->fl.saddr))
			tx->fl.saddr = inet_sk(sk)->inet_saddr;
		return (struct rtable *)dst;
	}
	daddr = tx->fl.daddr;
	if (unlikely(opt && opt->srr)) {
		tx->fl.daddr = opt->faddr;
		if (opt->is_strictroute) /* the first hop too is a neighbour */
			tx->fl.flags |= FLOWI_FLAG_LOCALROUTE;
	}
	rt = flow_route(sk, &tx->fl, ip_route_output_flow, ret_err);
	tx->fl.daddr = daddr;
	if (rt && tx->connected) {
		dst_hold(&rt->dst);
		sk_dst_set(sk, &rt->dst);
	}
	return rt;
}

/* Builds the packet and sends it. Takes over @rt. */
static int tx_packet(struct sock *sk, struct kmsghdr *msg, u32 len, struct dgram_tx *tx,
		     struct rtable *rt, const struct inet_dgram_proto *proto, const u8 *hdr)
{
	struct inet_dgram_addrs addrs;
	struct sk_buff *skb;
	int err = 0;

	skb = ip_make_skb(sk, &tx->fl, &msg->iter, len, proto->hdr_len, &rt, msg->flags, &tx->ipc,
			  &err);
	if (!skb) {
		if (rt)
			dst_release(&rt->dst);
		return err;
	}
	/* RFC 4861 7.3.1: the program knows that what it sent before has arrived. */
	if (unlikely(msg->flags & MSG_CONFIRM))
		skb->dst_pending_confirm = 1;
	/* The final destination counts, behind a source route too. */
	addrs = (struct inet_dgram_addrs){ .family = AF_INET,
					   .pseudo = csum_tcpudp_nofold(ip_hdr(skb)->saddr,
									tx->fl.daddr, 0, 0, 0),
					   .sport = tx->fl.sport,
					   .dport = tx->fl.dport,
					   .gso_size = tx->ipc.gso_size };
	err = proto->build(sk, skb, &addrs, hdr);
	if (err) {
		consume_skb(skb);
		return err;
	}
	if (unlikely(sk->sk_protocol == IPPROTO_ICMP))
		icmp_count_sent(sock_net(sk), skb);
	return ip_send_skb(sock_net(sk), skb);
}

ssize_t ip4_datagram_send(struct sock *sk, struct kmsghdr *msg, size_t len,
			  const struct inet_dgram_proto *proto)
{
	u8 hdr[DGRAM_HDR_MAX] = { 0 };
	struct dgram_tx tx;
	struct rtable *rt;
	u32 total;
	int err;

	assert(proto->hdr_len <= DGRAM_HDR_MAX);
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	err = tx_prepare(sk, msg, len, proto, &tx);
	if (err)
		return err;
	rt = tx_route(sk, &tx, &err);
	if (!rt)
		return err;
	if (msg->flags & MSG_PROBE) {
		dst_release(&rt->dst);
		return (ssize_t)len;
	}
	if (proto->hdr_in_msg) {
		if (copy_from_iter(hdr, proto->hdr_len, &msg->iter) != proto->hdr_len) {
			dst_release(&rt->dst);
			return -EFAULT;
		}
		total = (u32)len;
	} else {
		total = (u32)len + proto->hdr_len;
	}
	if (inet_sk(sk)->hdrincl) {
		err = raw_send_hdrinc(sk, &tx.fl, msg, total, &rt);
		if (rt)
			dst_release(&rt->dst);
	} else {
		err = tx_packet(sk, msg, total, &tx, rt, proto, hdr);
	}
	if (proto->sent)
		proto->sent(sk, AF_INET, err);
	/* A full queue on the way is a loss like any other, unless the program wants to know. */
	if (err == -ENOBUFS && !inet_sk(sk)->recverr)
		err = 0;
	return err ? err : (ssize_t)len;
}
