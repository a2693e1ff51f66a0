/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping.c - ICMP echo sockets: socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6)
 *
 * Theory of operation
 *   The program sends an ICMP echo request without IP header. The identifier is its "port": what bind(2) gave or one that was
 *   chosen; the stack writes it and the checksum into the header. Replies and errors whose identifier is ours come to the
 *   socket, ICMP header included. No privilege is needed, only a group in net.ipv4.ping_group_range; an instance has one
 *   owner, so sockets count as group 0.
 *   Sockets of both IP versions lie in netns_inet.ping_hash by identifier, and share the identifiers as in Linux.
 * Locking: the home cpu's lock.
 * See RFC 792 (echo), RFC 4443 4.1, icmp(7).
 */
#include "inet/ping.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdio.h>

#include "core/cpu.h"
#include "core/netdevice.h"
#include "core/sysctl.h"
#include "inet/inet6_sock.h"
#include "inet/inet_internal.h"
#include "inet/inet_sock_cb.h"
#include "lib/csum.h"
#include "socket/socket.h"
#include "wire/icmp.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"

struct ping_sock {
	struct inet_sock inet; /* must be first */
};
struct ping6_sock {
	struct inet_sock inet; /* must be first */
	struct ipv6_pinfo inet6;
};
static_assert(sizeof(struct icmp_hdr) == sizeof(struct icmpv6_hdr), "echo has one header");

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

/* A ping socket talks one IP version: mapped addresses are not for it. */
static bool ping_match(const struct sock *sk, const struct inet_tuple *t)
{
	return sk->sk_num == t->hnum && sk->sk_family == t->family &&
	       inet_common_bound(&sk->c, t) != INET_BOUND_ELSEWHERE &&
	       inet_common_peer(&sk->c, t) >= 0 &&
	       (!sk->sk_bound_dev_if || sk->sk_bound_dev_if == t->dif);
}

static struct sock *ping_lookup(struct net *net, const struct inet_tuple *t)
{
	struct sock_common *c;

	hlist_for_each_entry(c, ping_bucket(net, t->hnum), skc_node)
		if (ping_match((struct sock *)c, t))
			return (struct sock *)c;
	return NULL;
}

/* ---- the calls --------------------------------------------------------------------------------------- */

static int ping_init(struct sock *sk)
{
	const struct netns_inet *ni = sock_net(sk)->inet;

	sk->sk_ipv6only = sk->sk_family == AF_INET6;
	return ni->ping_group_lo <= 0 && ni->ping_group_hi >= ni->ping_group_lo ? 0 : -EACCES;
}

static void ping_close(struct sock *sk, u64 timeout_ns)
{
	(void)timeout_ns;
	inet_sk_common_release(sk);
}

/* The program's header with our identifier and the checksum over header and payload, with a pseudo header in ICMPv6 only (RFC 792,
 * RFC 4443 2.3). */
static int ping_build(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
		      const u8 *hdr)
{
	struct icmp_hdr *icmp = (struct icmp_hdr *)skb_transport_header(skb);
	u32 sum = 0;

	memcpy(icmp, hdr, sizeof(*icmp));
	icmp->un.echo.id = inet_sk(sk)->inet_sport;
	icmp->checksum = (be16){ 0 };
	if (a->family == AF_INET6) {
		u32 len = skb->len - (u32)skb_transport_offset(skb);

		sum = csum_add(a->pseudo,
			       csum_add(cpu_to_be32(len).v, cpu_to_be32(IPPROTO_ICMPV6).v));
	}
	sum = csum_add(sum, inet_dgram_csum(skb));
	icmp->checksum = be16_raw(csum_fold(sum));
	return 0;
}

static const struct inet_dgram_proto ping_dgram_proto = {
	.protocol = IPPROTO_ICMP,
	.hdr_len = sizeof(struct icmp_hdr),
	.hdr_in_msg = true,
	.build = ping_build,
};

static const struct inet_dgram_proto ping6_dgram_proto = {
	.protocol = IPPROTO_ICMPV6,
	.hdr_len = sizeof(struct icmpv6_hdr),
	.hdr_in_msg = true,
	.build = ping_build,
};

static ssize_t ping_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	bool v6 = sk->sk_family == AF_INET6;
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
	if (hdr.type != (v6 ? ICMPV6_ECHO_REQUEST : ICMP4_ECHO) || hdr.code != 0)
		return -EINVAL;
	iov_iter_revert(&msg->iter, &start);
	return af->datagram_send(sk, msg, len, v6 ? &ping6_dgram_proto : &ping_dgram_proto);
}

static ssize_t ping_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	return inet_dgram_recvmsg(sk, msg, len, flags, TP_ping_recvmsg);
}

static int ping_ioctl(struct sock *sk, unsigned cmd, void *arg)
{
	return inet_dgram_ioctl(sk, cmd, arg, 0);
}

#define PING_PROTO(name_, sock_)                                                                   \
	{                                                                                          \
		.name = (name_), .obj_size = sizeof(sock_), .init = ping_init,                     \
		.close = ping_close, .connect = inet_datagram_connect,                             \
		.disconnect = inet_dgram_disconnect, .ioctl = ping_ioctl, .sendmsg = ping_sendmsg, \
		.recvmsg = ping_recvmsg, .get_port = ping_get_port, .unhash = ping_unhash,         \
	}

const struct proto ping_prot = PING_PROTO("PING", struct ping_sock);
const struct proto pingv6_prot = PING_PROTO("PINGv6", struct ping6_sock);

/* ---- packets ------------------------------------------------------------------------------------------ */

/* The version that carried @skb. The first octet of a packet inside an error is whatever the sender of the error wrote. */
static bool ping_is_v6(const struct sk_buff *skb)
{
	return be16_to_cpu(skb->protocol) == ETH_P_IPV6;
}

/* A packet with the IP header at @iph; @ident is ours, @reverse: it is one that we sent. */
static struct inet_tuple ping_tuple(const struct sk_buff *skb, const u8 *iph, u16 ident,
				    bool reverse)
{
	const struct ip_hdr *h4 = (const struct ip_hdr *)iph;
	const struct ipv6_hdr *h6 = (const struct ipv6_hdr *)iph;
	be16 none = { 0 };

	if (ping_is_v6(skb))
		return inet_tuple_v6(reverse ? &h6->daddr : &h6->saddr, none,
				     reverse ? &h6->saddr : &h6->daddr, ident,
				     INET_SOCK_CB(skb)->parm.iif);
	return inet_tuple_v4(reverse ? h4->daddr : h4->saddr, none, reverse ? h4->saddr : h4->daddr,
			     ident, skb->dev->ifindex);
}

void ping_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	const struct icmp_hdr *icmp;
	struct inet_tuple t;
	struct sock *sk;

	if (!pskb_may_pull(skb, sizeof(*icmp))) {
		kfree_skb_reason(skb, SKB_DROP_PING_HEADER);
		return;
	}
	icmp = (const struct icmp_hdr *)skb->data;
	trace_skb(skb, net, TP_ping_rcv, TRACE_PASS, be16_to_cpu(icmp->un.echo.id),
		  be16_to_cpu(icmp->un.echo.sequence));
	t = ping_tuple(skb, skb_network_header(skb), be16_to_cpu(icmp->un.echo.id), false);
	sk = ping_lookup(net, &t);
	if (!sk) {
		kfree_skb_reason(skb, SKB_DROP_PING_NO_SOCKET);
		return;
	}
	inet_af_ops(net, t.family)->rcv_prepare(sk, skb);
	sock_queue_rcv_skb(sk, skb);
}

/* Where the ICMP header of the packet at data begins; 0: there is none. */
static u32 inner_icmp_off(struct sk_buff *skb)
{
	/* Whoever calls for IPv6 has stepped over the extension headers. */
	if (ping_is_v6(skb))
		return pskb_may_pull(skb, sizeof(struct ipv6_hdr)) ? (u32)skb_transport_offset(skb)
								   : 0;
	return pskb_may_pull(skb, sizeof(struct ip_hdr))
		       ? ip_hdr_len((const struct ip_hdr *)skb->data)
		       : 0;
}

void ping_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	struct net *net = skb->dev->net;
	u32 off = inner_icmp_off(skb);
	const struct icmp_hdr *icmp;
	struct inet_tuple t;
	struct sock *sk;

	if (!off || !pskb_may_pull(skb, off + sizeof(*icmp)))
		return;
	icmp = (const struct icmp_hdr *)(skb->data + off);
	trace_skb(skb, net, TP_ping_err, TRACE_PASS, type, code);
	t = ping_tuple(skb, skb->data, be16_to_cpu(icmp->un.echo.id), true);
	/* We only send requests; anything else in there is not ours. */
	if (icmp->type != (t.family == AF_INET6 ? ICMPV6_ECHO_REQUEST : ICMP4_ECHO))
		return;
	sk = ping_lookup(net, &t);
	if (sk)
		inet_dgram_icmp_err(sk, skb, type, code, info, (be16){ 0 },
				    (u8 *)(skb->data + off));
}

/* ---- /proc/net/icmp, /proc/net/icmp6 ------------------------------------------------------------------ */

static void ping_show(struct net *net, struct text *t, u16 family)
{
	inet_dgram_proc_header(t, family, true);
	for (u32 i = 0; i < INET_PING_HASH_SIZE; i++) {
		struct sock_common *c;

		hlist_for_each_entry(c, &net->inet->ping_hash[i], skc_node)
			if (c->skc_family == family)
				inet_dgram_proc_line(t, i, (struct sock *)c);
	}
}

void ping_proc_show(struct net *net, struct text *t)
{
	ping_show(net, t, AF_INET);
}

void ping6_proc_show(struct net *net, struct text *t)
{
	ping_show(net, t, AF_INET6);
}
