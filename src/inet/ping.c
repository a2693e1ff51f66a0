/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping.c - ICMP echo sockets: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP)
 *
 * Theory of operation
 *   The program sends an ICMP echo request without IP header. The identifier is its "port": what bind(2) gave or one that was
 *   chosen; the stack writes it and the checksum into the header. Replies and errors whose identifier is ours come to the
 *   socket, ICMP header included. No privilege is needed, only a group in net.ipv4.ping_group_range; an instance has one
 *   owner, so sockets count as group 0.
 *   Sockets lie in netns_inet.ping_hash by identifier.
 * Locking: the home cpu's lock.
 * See RFC 792 (echo), icmp(7).
 */
#include "inet/ping.h"

#include <errno.h>
#include <stdio.h>

#include "core/cpu.h"
#include "core/netdevice.h"
#include "core/sysctl.h"
#include "inet/inet_internal.h"
#include "lib/csum.h"
#include "socket/socket.h"
#include "wire/icmp.h"
#include "wire/ipv4.h"

struct ping_sock {
	struct inet_sock inet; /* must be first */
};

/* ---- identifiers ------------------------------------------------------------------------------------- */

static struct hlist_head *ping_bucket(const struct net *net, u16 ident)
{
	return &net->inet->ping_hash[ident & (INET_PING_HASH_SIZE - 1)];
}

static bool ident_taken(const struct sock *sk, u16 ident)
{
	struct sock_common *c;

	hlist_for_each_entry(c, ping_bucket(sock_net(sk), ident), skc_node) {
		if (c == &sk->c || c->skc_num != ident || (c->skc_reuse && sk->sk_reuse))
			continue;
		return true;
	}
	return false;
}

static bool ident_unused(const struct sock *sk, u16 ident)
{
	struct sock_common *c;

	hlist_for_each_entry(c, ping_bucket(sock_net(sk), ident), skc_node)
		if (c->skc_num == ident)
			return false;
	return true;
}

/* @ident 0: the next free one after a random start, alone of its own. */
static int ping_get_port(struct sock *sk, u16 ident)
{
	struct netns_inet *ni = sock_net(sk)->inet;

	if (ident) {
		if (ident_taken(sk, ident))
			return -EADDRINUSE;
	} else {
		if (!ni->ping_next)
			ni->ping_next = (u16)cpu_random(sk->sk_cpu);
		for (u32 i = 0; i < 65536 && !ident; i++) {
			u16 candidate = ni->ping_next++;

			if (candidate && ident_unused(sk, candidate))
				ident = candidate;
		}
		if (!ident)
			return -EADDRINUSE;
	}
	sk->sk_num = ident;
	if (hlist_unhashed(&sk->sk_node)) {
		hlist_add_head(&sk->sk_node, ping_bucket(sock_net(sk), ident));
		sock_hold(sk);
	}
	return 0;
}

static void ping_unhash(struct sock *sk)
{
	if (hlist_unhashed(&sk->sk_node))
		return;
	hlist_del_init(&sk->sk_node);
	sk->sk_num = 0;
	inet_sk(sk)->inet_sport = (be16){ 0 };
	sock_put(sk);
}

void ping_net_exit(struct net *net)
{
	for (u32 i = 0; i < INET_PING_HASH_SIZE; i++)
		while (net->inet->ping_hash[i].first)
			ping_unhash((struct sock *)container_of(net->inet->ping_hash[i].first,
								struct sock_common, skc_node));
}

static bool ping_match(const struct sock *sk, u16 ident, be32 laddr, be32 faddr, int dif)
{
	return sk->sk_num == ident &&
	       (be32_zero(sk->sk_rcv_saddr) || be32_eq(sk->sk_rcv_saddr, laddr)) &&
	       (be32_zero(sk->sk_daddr) || be32_eq(sk->sk_daddr, faddr)) &&
	       (!sk->sk_bound_dev_if || sk->sk_bound_dev_if == dif);
}

static struct sock *ping_lookup(struct net *net, u16 ident, be32 laddr, be32 faddr, int dif)
{
	struct sock_common *c;

	hlist_for_each_entry(c, ping_bucket(net, ident), skc_node)
		if (ping_match((struct sock *)c, ident, laddr, faddr, dif))
			return (struct sock *)c;
	return NULL;
}

/* ---- the calls --------------------------------------------------------------------------------------- */

static int ping_init(struct sock *sk)
{
	const struct netns_inet *ni = sock_net(sk)->inet;

	return ni->ping_group_lo <= 0 && ni->ping_group_hi >= ni->ping_group_lo ? 0 : -EACCES;
}

static void ping_close(struct sock *sk, u64 timeout_ns)
{
	(void)timeout_ns;
	inet_sk_common_release(sk);
}

static int ping_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	return inet_af_ops(sock_net(sk), sk->sk_family)->datagram_connect(sk, addr, len);
}

/* The program's header with our identifier and the checksum over header and payload (no pseudo header: RFC 792). */
static int ping_build(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
		      const u8 *hdr)
{
	struct icmp_hdr *icmp = (struct icmp_hdr *)skb_transport_header(skb);
	u32 sum;

	(void)a;
	memcpy(icmp, hdr, sizeof(*icmp));
	icmp->un.echo.id = inet_sk(sk)->inet_sport;
	icmp->checksum = (be16){ 0 };
	sum = inet_dgram_csum(skb);
	icmp->checksum = be16_raw(csum_fold(sum));
	return 0;
}

static const struct inet_dgram_proto ping_dgram_proto = {
	.protocol = IPPROTO_ICMP,
	.hdr_len = sizeof(struct icmp_hdr),
	.hdr_in_msg = true,
	.build = ping_build,
};

static ssize_t ping_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	struct iov_iter start = msg->iter;
	struct icmp_hdr hdr;

	if (len > 65535)
		return -EMSGSIZE;
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (len < sizeof(hdr))
		return -EINVAL;
	/* Only requests: a program without privileges must not answer for the stack. */
	if (copy_from_iter(&hdr, sizeof(hdr), &msg->iter) != sizeof(hdr))
		return -EFAULT;
	if (hdr.type != ICMP4_ECHO || hdr.code != 0)
		return -EINVAL;
	iov_iter_revert(&msg->iter, &start);
	return af->datagram_send(sk, msg, len, &ping_dgram_proto);
}

static ssize_t ping_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	return inet_dgram_recvmsg(sk, msg, len, flags, TP_ping_recvmsg);
}

static int ping_ioctl(struct sock *sk, unsigned cmd, void *arg)
{
	return inet_dgram_ioctl(sk, cmd, arg, 0);
}

const struct proto ping_prot = {
	.name = "PING",
	.obj_size = sizeof(struct ping_sock),
	.init = ping_init,
	.close = ping_close,
	.connect = ping_connect,
	.disconnect = inet_dgram_disconnect,
	.ioctl = ping_ioctl,
	.sendmsg = ping_sendmsg,
	.recvmsg = ping_recvmsg,
	.get_port = ping_get_port,
	.unhash = ping_unhash,
};

/* ---- packets ------------------------------------------------------------------------------------------ */

void ping_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	const struct ip_hdr *iph = (const struct ip_hdr *)skb_network_header(skb);
	const struct icmp_hdr *icmp;
	struct sock *sk;

	if (!pskb_may_pull(skb, sizeof(*icmp))) {
		kfree_skb_reason(skb, SKB_DROP_PING_HEADER);
		return;
	}
	iph = (const struct ip_hdr *)skb_network_header(skb);
	icmp = (const struct icmp_hdr *)skb->data;
	trace_skb(skb, net, TP_ping_rcv, TRACE_PASS, be16_to_cpu(icmp->un.echo.id),
		  be16_to_cpu(icmp->un.echo.sequence));
	sk = ping_lookup(net, be16_to_cpu(icmp->un.echo.id), iph->daddr, iph->saddr,
			 skb->dev->ifindex);
	if (!sk) {
		kfree_skb_reason(skb, SKB_DROP_PING_NO_SOCKET);
		return;
	}
	inet_af_ops(net, AF_INET)->rcv_prepare(sk, skb);
	sock_queue_rcv_skb(sk, skb);
}

void ping_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	struct net *net = skb->dev->net;
	const struct ip_hdr *inner;
	const struct icmp_hdr *icmp;
	struct sock *sk;
	u32 hlen;

	if (!pskb_may_pull(skb, sizeof(*inner)))
		return;
	hlen = ip_hdr_len((const struct ip_hdr *)skb->data);
	if (!pskb_may_pull(skb, hlen + sizeof(*icmp)))
		return;
	inner = (const struct ip_hdr *)skb->data;
	icmp = (const struct icmp_hdr *)(skb->data + hlen);
	trace_skb(skb, net, TP_ping_err, TRACE_PASS, type, code);
	/* We only send requests; anything else in there is not ours. */
	if (icmp->type != ICMP4_ECHO)
		return;
	sk = ping_lookup(net, be16_to_cpu(icmp->un.echo.id), inner->saddr, inner->daddr,
			 skb->dev->ifindex);
	if (sk)
		inet_dgram_icmp_err(sk, skb, type, code, info, (be16){ 0 },
				    (u8 *)(skb->data + hlen));
}

/* ---- /proc/net/icmp ----------------------------------------------------------------------------------- */

void ping_proc_show(struct net *net, struct text *t)
{
	inet_dgram_proc_header(t, true);
	for (u32 i = 0; i < INET_PING_HASH_SIZE; i++) {
		struct sock_common *c;

		hlist_for_each_entry(c, &net->inet->ping_hash[i], skc_node)
			inet_dgram_proc_line(t, i, (struct sock *)c);
	}
}
