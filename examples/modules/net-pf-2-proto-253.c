/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-pf-2-proto-253.c - an IP protocol in one file: 253, which RFC 3692 and RFC 4727 keep for experiments
 *
 * socket(AF_INET, SOCK_SEQPACKET, 253): messages without ports, one socket for each local address. weir loads this when it is asked
 * for such a socket and no protocol answers. IPv4 does the addresses, the routing and the options of the sockets (struct inet_af_ops);
 * what is left is to find the socket of a packet, and an answer for packets that have none.
 *
 * Locking: everything runs with the net's cpu lock held, but for the functions of WEIR_MODULE().
 */
#include <errno.h>
#include <netinet/ip_icmp.h>

#include "weir/module.h"

#define IPPROTO_EXP1 253

struct exp_sock {
	struct inet_sock inet; /* must be first */
	struct list_head node;
};

struct exp_net {
	struct list_head socks;
};

static struct exp_net *exp_net(const struct net *net)
{
	return net_module_data(net, THIS_MODULE);
}

/* ---- packets in -------------------------------------------------------------------------------------------------- */

static bool exp_match(const struct sock *sk, const struct ip_hdr *iph, int iif)
{
	if (!be32_zero(sk->sk_rcv_saddr) && !be32_eq(sk->sk_rcv_saddr, iph->daddr))
		return false;
	if (sk->sk_state == SS_TCP_ESTABLISHED && !be32_eq(sk->sk_daddr, iph->saddr))
		return false;
	return !sk->sk_bound_dev_if || sk->sk_bound_dev_if == iif;
}

static struct sock *exp_lookup(struct net *net, const struct sk_buff *skb)
{
	struct exp_sock *es;

	list_for_each_entry(es, &exp_net(net)->socks, node) {
		if (exp_match(&es->inet.sk, ip_hdr(skb), (int)skb->skb_iif))
			return &es->inet.sk;
	}
	return NULL;
}

static void exp_rcv(struct sk_buff *skb)
{
	struct net *net = skb->dev->net;
	struct sock *sk = exp_lookup(net, skb);

	if (!sk) {
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
		kfree_skb_reason(skb, SKB_DROP_UNHANDLED_PROTO);
		return;
	}
	inet_af_ops(net, AF_INET)->rcv_prepare(sk, skb);
	sock_queue_rcv_skb(sk, skb);
}

/* An ICMP error about what we sent: to connected sockets. */
static void exp_err(struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	struct net *net = skb->dev->net;
	const struct ip_hdr *iph;
	struct exp_sock *es;
	bool hard;

	if (!pskb_may_pull(skb, sizeof(*iph)))
		return;
	iph = (const struct ip_hdr *)skb->data;
	list_for_each_entry(es, &exp_net(net)->socks, node) {
		struct sock *sk = &es->inet.sk;
		int err;

		if (sk->sk_state != SS_TCP_ESTABLISHED || !be32_eq(sk->sk_daddr, iph->daddr))
			continue;
		err = inet_af_ops(net, AF_INET)->icmp_errno(sk, skb, type, code, info, &hard);
		if (!err || !hard)
			continue;
		sk->sk_err = err;
		sk_error_report(sk);
	}
}

static const struct net_protocol exp_protocol = { .handler = exp_rcv, .err_handler = exp_err };

/* ---- sockets ------------------------------------------------------------------------------------------------------- */

static int exp_sk_init(struct sock *sk)
{
	sk->sk_num = IPPROTO_EXP1; /* as raw sockets have it: no port will be looked for */
	list_add_tail(&((struct exp_sock *)sk)->node, &exp_net(sock_net(sk))->socks);
	return 0;
}

static void exp_unhash(struct sock *sk)
{
	list_del(&((struct exp_sock *)sk)->node);
}

static void exp_close(struct sock *sk, u64 timeout_ns)
{
	inet_sk_common_release(sk);
}

static int exp_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), AF_INET);
	u16 port;
	int err = af->bind_addr(sk, addr, len, &port);

	if (!err)
		af->set_addr(sk, addr);
	return err;
}

static int exp_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	return inet_af_ops(sock_net(sk), AF_INET)->datagram_connect(sk, addr, len);
}

static int exp_build(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
		     const u8 *hdr)
{
	return 0; /* no header of our own */
}

static const struct inet_dgram_proto exp_dgram = { .protocol = IPPROTO_EXP1, .build = exp_build };

static ssize_t exp_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	return inet_af_ops(sock_net(sk), AF_INET)->datagram_send(sk, msg, len, &exp_dgram);
}

static ssize_t exp_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), AF_INET);
	struct sk_buff *skb;
	size_t copied;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return af->recv_error(sk, msg, len);
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	copied = min_t(size_t, skb->len, len);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, (u32)copied);
	if (!err) {
		af->rcv_name(sk, msg, skb, (be16){ 0 });
		af->recv_cmsg(sk, msg, skb);
	}
	if (flags & MSG_TRUNC)
		copied = skb->len;
	skb_free_datagram(sk, skb);
	return err ? err : (ssize_t)copied;
}

static const struct proto exp_proto = {
	.name = "EXP1",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct exp_sock),
	.init = exp_sk_init,
	.close = exp_close,
	.bind = exp_bind,
	.connect = exp_connect,
	.disconnect = inet_dgram_disconnect,
	.sendmsg = exp_sendmsg,
	.recvmsg = exp_recvmsg,
	.unhash = exp_unhash,
};

static const struct proto_ops exp_ops = {
	.family = AF_INET,
	.owner = THIS_MODULE,
	.release = inet_release,
	.bind = inet_bind,
	.connect = inet_dgram_connect,
	.getname = inet_getname,
	.poll = datagram_poll,
	.ioctl = inet_ioctl,
	.shutdown = inet_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.sendmsg = inet_sendmsg,
	.recvmsg = inet_recvmsg,
};

static const struct inet_protosw exp_protosw = {
	.type = SOCK_SEQPACKET,
	.protocol = IPPROTO_EXP1,
	.prot = &exp_proto,
	.ops = &exp_ops,
};

/* ---- registration -------------------------------------------------------------------------------------------------- */

static int exp_init(struct machine *m)
{
	return inet_register_protosw(m, AF_INET, &exp_protosw);
}

static void exp_exit(struct machine *m)
{
	inet_unregister_protosw(m, AF_INET, &exp_protosw);
}

static int exp_net_init(struct net *net)
{
	int err;

	list_init(&exp_net(net)->socks);
	cpu_lock(net->cpu);
	err = inet_add_protocol(net, IPPROTO_EXP1, &exp_protocol);
	cpu_unlock(net->cpu);
	return err;
}

static void exp_net_exit(struct net *net)
{
	cpu_lock(net->cpu);
	inet_del_protocol(net, IPPROTO_EXP1);
	cpu_unlock(net->cpu);
}

WEIR_MODULE(.name = "net-pf-2-proto-253",
	    .description = "IP protocol 253, for experiments (RFC 3692)",
	    .net_size = sizeof(struct exp_net), .init = exp_init, .exit = exp_exit,
	    .net_init = exp_net_init, .net_exit = exp_net_exit);
