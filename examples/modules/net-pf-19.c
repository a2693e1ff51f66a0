/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net-pf-19.c - an address family in one file: datagrams between the ports of Ethernet stations
 *
 * Shows what a family consists of: a row of net_families (edp_family), the calls of its sockets (edp_ops), a packet type for
 * what devices receive (edp_packet_type), and its part of each net (struct edp_net). weir loads it when a program first asks
 * for socket(19, ...), if it lies in the module path; weir/module.h tells more.
 *
 * Locking: everything runs with the net's cpu lock held, but for the functions of WEIR_MODULE().
 */
#include <errno.h>

#include "edp.h"
#include "weir/module.h"

#define EDP_HLEN 6
#define EDP_PORT_AUTO                                                                              \
	0x8000 /* first of the ports that are given to sockets that did not ask for one */
#define EDP_ETHERTYPE 0x88b5 /* IEEE 802 local experimental 1 */

struct edp_hdr {
	be16 dport, sport, len;
} __packed;

struct edp_sock {
	struct sock sk; /* must be first */
	struct list_head node;
	u16 port; /* 0: not bound */
	int ifindex;
	struct sockaddr_edp peer; /* connected if sedp_family is set */
};

struct edp_net {
	struct list_head socks;
};

struct edp_cb { /* skb->cb while a packet waits in a receive queue */
	struct sockaddr_edp from;
};
static_assert(sizeof(struct edp_cb) <= SKB_CB_SIZE, "cb");
#define EDP_CB(skb) ((struct edp_cb *)(skb)->cb)

static struct edp_sock *edp_sk(const struct socket *sock)
{
	return (struct edp_sock *)sock->sk;
}

static struct edp_net *edp_net(const struct net *net)
{
	return net_module_data(net, THIS_MODULE);
}

static struct edp_sock *edp_lookup(const struct net *net, u16 port, int ifindex)
{
	struct edp_sock *es;

	list_for_each_entry(es, &edp_net(net)->socks, node) {
		if (es->port == port && (!es->ifindex || !ifindex || es->ifindex == ifindex))
			return es;
	}
	return NULL;
}

/* ---- from the wire to a socket ------------------------------------------------------------------------------- */

static void edp_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	const struct eth_hdr *eth = (const struct eth_hdr *)skb_mac_header(skb);
	const struct edp_hdr *h;
	struct edp_sock *es;
	u32 len;

	if (skb->pkt_type == SKB_PACKET_OTHERHOST) {
		kfree_skb_reason(skb, SKB_DROP_OTHERHOST);
		return;
	}
	skb = skb_share_check(skb); /* cb[] and data pointers are about to become ours */
	if (!skb)
		return;
	if (!pskb_may_pull(skb, EDP_HLEN)) {
		kfree_skb_reason(skb, SKB_DROP_HDR_TRUNC);
		return;
	}
	h = (const struct edp_hdr *)skb->data;
	len = be16_to_cpu(h->len);
	if (len > skb->len - EDP_HLEN) {
		kfree_skb_reason(skb, SKB_DROP_PKT_TOO_SMALL);
		return;
	}
	es = edp_lookup(dev->net, be16_to_cpu(h->dport), dev->ifindex);
	if (!es) {
		kfree_skb_reason(skb, SKB_DROP_UNHANDLED_PROTO);
		return;
	}
	EDP_CB(skb)->from = (struct sockaddr_edp){
		.sedp_family = AF_EDP,
		.sedp_port = h->sport.v,
		.sedp_ifindex = dev->ifindex,
	};
	memcpy(EDP_CB(skb)->from.sedp_addr, eth->src, ETH_ALEN);
	__skb_pull(skb, EDP_HLEN);
	if (pskb_trim(skb, len)) /* short frames were padded */
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
	else
		sock_queue_rcv_skb(&es->sk, skb);
}

static const struct packet_type edp_packet_type = { .type = EDP_ETHERTYPE,
						    .func = edp_rcv,
						    .name = "edp_rcv" };

/* ---- the calls of a socket ----------------------------------------------------------------------------------- */

static int edp_check_addr(const void *addr, socklen_t len)
{
	const struct sockaddr_edp *a = addr;

	if (len < sizeof(*a))
		return -EINVAL;
	return a->sedp_family == AF_EDP ? 0 : -EAFNOSUPPORT;
}

static int edp_get_port(struct edp_sock *es, u16 port, int ifindex)
{
	const struct net *net = sock_net(&es->sk);

	if (port && edp_lookup(net, port, ifindex))
		return -EADDRINUSE;
	for (u32 p = EDP_PORT_AUTO; !port && p <= UINT16_MAX; p++) {
		if (!edp_lookup(net, (u16)p, ifindex))
			port = (u16)p;
	}
	if (!port)
		return -EAGAIN;
	es->port = port;
	es->ifindex = ifindex;
	return 0;
}

static int edp_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_edp *a = (const struct sockaddr_edp *)addr;
	struct edp_sock *es = edp_sk(sock);
	int err = edp_check_addr(addr, len);

	if (err)
		return err;
	if (es->port)
		return -EINVAL;
	if (a->sedp_ifindex && !__dev_get_by_index(sock->net, a->sedp_ifindex))
		return -ENODEV;
	return edp_get_port(es, be16_to_cpu(be16_raw(a->sedp_port)), a->sedp_ifindex);
}

static int edp_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags)
{
	struct edp_sock *es = edp_sk(sock);
	int err;

	if (addr->sa_family == AF_UNSPEC) {
		es->peer.sedp_family = 0;
		sock->state = SS_UNCONNECTED;
		return 0;
	}
	err = edp_check_addr(addr, len);
	if (!err && !es->port)
		err = edp_get_port(es, 0, 0);
	if (err)
		return err;
	memcpy(&es->peer, addr, sizeof(es->peer));
	sock->state = SS_CONNECTED;
	return 0;
}

static int edp_getname(struct socket *sock, struct sockaddr_storage *ret, int peer)
{
	const struct edp_sock *es = edp_sk(sock);
	struct sockaddr_edp a = { .sedp_family = AF_EDP, .sedp_ifindex = es->ifindex };
	const struct net_device *dev;

	if (peer && !es->peer.sedp_family)
		return -ENOTCONN;
	if (peer) {
		a = es->peer;
	} else {
		a.sedp_port = cpu_to_be16(es->port).v;
		dev = es->ifindex ? __dev_get_by_index(sock->net, es->ifindex) : NULL;
		if (dev)
			memcpy(a.sedp_addr, dev->dev_addr, sizeof(a.sedp_addr));
	}
	memcpy(ret, &a, sizeof(a));
	return sizeof(a);
}

static ssize_t edp_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	struct edp_sock *es = edp_sk(sock);
	struct sockaddr_edp to = es->peer;
	struct net_device *dev;
	struct edp_hdr h;
	struct sk_buff *skb;
	u32 reserve;
	int err = 0;

	if (msg->name) {
		err = edp_check_addr(msg->name, msg->namelen);
		if (err)
			return err;
		memcpy(&to, msg->name, sizeof(to));
	}
	if (!to.sedp_family)
		return -EDESTADDRREQ;
	dev = __dev_get_by_index(sock->net, to.sedp_ifindex ? to.sedp_ifindex : es->ifindex);
	if (!dev || dev->addr_len != ETH_ALEN)
		return -ENODEV;
	if (!netif_running(dev))
		return -ENETDOWN;
	if (len + EDP_HLEN > dev->mtu)
		return -EMSGSIZE;
	if (!es->port)
		err = edp_get_port(es, 0, 0);
	if (err)
		return err;

	dev_hold(dev); /* waiting for room drops the lock */
	reserve = LL_MAX_HEADER + dev->hard_header_len + dev->needed_headroom;
	skb = sock_alloc_send_skb(&es->sk, reserve + EDP_HLEN + (u32)len, 0,
				  msg->flags & MSG_DONTWAIT, &err);
	if (!skb)
		goto out;
	skb_reserve(skb, reserve);
	skb_reset_network_header(skb);
	h = (struct edp_hdr){ be16_raw(to.sedp_port), cpu_to_be16(es->port),
			      cpu_to_be16((u16)len) };
	skb_put_data(skb, &h, sizeof(h));
	if (copy_from_iter(skb_put(skb, (u32)len), len, &msg->iter) != len)
		err = -EFAULT;
	else if (dev->reg_state != NETREG_REGISTERED)
		err = -ENODEV;
	else if (dev_hard_header(skb, dev, EDP_ETHERTYPE, to.sedp_addr, NULL, skb->len) < 0)
		err = -EINVAL;
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
		goto out;
	}
	skb->dev = dev;
	skb->protocol = BE16_INIT(EDP_ETHERTYPE);
	err = dev_queue_xmit(skb);
out:
	dev_put(dev);
	return err ? err : (ssize_t)len;
}

static ssize_t edp_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	struct sk_buff *skb;
	size_t copied;
	int err;

	if (flags & (MSG_OOB | MSG_ERRQUEUE))
		return flags & MSG_OOB ? -EOPNOTSUPP : -EAGAIN;
	skb = skb_recv_datagram(sock->sk, flags, &err);
	if (!skb)
		return err;
	copied = min_t(size_t, skb->len, len);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, (u32)copied);
	if (!err && msg->name) {
		memcpy(msg->name, &EDP_CB(skb)->from, sizeof(struct sockaddr_edp));
		msg->namelen = sizeof(struct sockaddr_edp);
	}
	if (!err)
		sock_recv_timestamp(sock->sk, msg, skb);
	if (flags & MSG_TRUNC)
		copied = skb->len;
	skb_free_datagram(sock->sk, skb);
	return err ? err : (ssize_t)copied;
}

static int edp_shutdown(struct socket *sock, int how)
{
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	sock->sk->sk_shutdown |= (u8)(how + 1);
	sk_state_change(sock->sk);
	return 0;
}

static int edp_release(struct socket *sock)
{
	struct edp_sock *es = edp_sk(sock);

	list_del(&es->node);
	sock_orphan(&es->sk);
	sock->sk = NULL;
	sock_put(&es->sk);
	return 0;
}

static const struct proto_ops edp_ops = {
	.family = AF_EDP,
	.owner = THIS_MODULE,
	.release = edp_release,
	.bind = edp_bind,
	.connect = edp_connect,
	.getname = edp_getname,
	.poll = datagram_poll,
	.shutdown = edp_shutdown,
	.sendmsg = edp_sendmsg,
	.recvmsg = edp_recvmsg,
};

static const struct proto edp_proto = {
	.name = "EDP",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct edp_sock),
};

/* ---- the family ------------------------------------------------------------------------------------------------ */

static int edp_create(struct net *net, struct socket *sock, int protocol)
{
	struct edp_net *en = edp_net(net);
	struct sock *sk;

	if (sock->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol)
		return -EPROTONOSUPPORT;
	sk = sk_alloc(net, AF_EDP, &edp_proto);
	if (!sk)
		return -ENOBUFS;
	sock_init_data(sk, sock, &sock->wq, sock->type);
	sock->state = SS_UNCONNECTED;
	sock->ops = &edp_ops;
	sock->sk = sk;
	list_add_tail(&edp_sk(sock)->node, &en->socks);
	return 0;
}

static const struct net_proto_family edp_family = {
	.family = AF_EDP,
	.owner = THIS_MODULE,
	.create = edp_create,
};

static int edp_init(struct machine *m)
{
	return sock_register(m, &edp_family);
}

static void edp_exit(struct machine *m)
{
	sock_unregister(m, AF_EDP);
}

static int edp_net_init(struct net *net)
{
	list_init(&edp_net(net)->socks);
	return dev_add_pack(net, &edp_packet_type);
}

static void edp_net_exit(struct net *net)
{
	dev_remove_pack(net, &edp_packet_type);
}

WEIR_MODULE(.name = "net-pf-19", .description = "datagrams between the ports of Ethernet stations",
	    .net_size = sizeof(struct edp_net), .init = edp_init, .exit = edp_exit,
	    .net_init = edp_net_init, .net_exit = edp_net_exit);
