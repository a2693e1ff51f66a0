/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - UDP sockets: sending, receiving, options (RFC 768, udp(7))
 *
 * Theory of operation
 *   Sending: ipv4/datagram.c finds destination, source and route; udp_build_header() writes the header. The checksum is left to the device
 *   (CHECKSUM_PARTIAL). A message that MSG_MORE or UDP_CORK holds back gathers in struct udp_cork and leaves as one
 *   datagram, to where its first piece was to go.
 *   Receiving: the queue has datagrams with the UDP header in front; their checksum is verified while the data is copied. One
 *   that turns out to be damaged is dropped and the next one is taken; poll(2) looks ahead, so that it does not promise data
 *   that is not there.
 * Locking: the home cpu's lock; sendmsg and recvmsg may wait and so drop it.
 */
#include "udp/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "core/cpu.h"
#include "ipv4/ip_sockglue.h"
#include "lib/csum.h"
#include "socket/socket.h"

#define UDP_MAX_LEN 65535

/* ---- sending ----------------------------------------------------------------------------------------------- */

static int udp_build_header(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
			    const u8 *hdr)
{
	struct udp_hdr *uh = udp_hdr(skb);
	u32 len = skb->len - (u32)skb_transport_offset(skb);

	(void)hdr;
	*uh = (struct udp_hdr){ .source = a->sport,
				.dest = a->dport,
				.len = cpu_to_be16((u16)len) };
	trace_skb(skb, sock_net(sk), TP_udp_sendmsg, TRACE_PASS, be16_to_cpu(a->sport),
		  be16_to_cpu(a->dport));
	if (sock_flag(sk, SOCK_NO_CHECK_TX)) {
		skb->ip_summed = CHECKSUM_NONE;
		return 0;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct udp_hdr, check);
	uh->check = be16_raw((u16)~csum_tcpudp_magic(a->saddr, a->daddr, len, IPPROTO_UDP, 0));
	return 0;
}

static void udp_sent(struct sock *sk, int err)
{
	struct net *net = sock_net(sk);

	if (!err)
		NET_INC_STATS(net, MIB_Udp_OutDatagrams);
	else if (err == -ENOBUFS || err == -EAGAIN)
		NET_INC_STATS(net, MIB_Udp_SndbufErrors);
}

static const struct inet_dgram_proto udp_dgram_proto = {
	.protocol = IPPROTO_UDP,
	.hdr_len = sizeof(struct udp_hdr),
	.build = udp_build_header,
	.sent = udp_sent,
};

/* A datagram that is not complete yet, and where it goes. */
struct udp_cork {
	struct sockaddr_storage name;
	socklen_t namelen; /* 0: to the peer */
	u32 flags;
	u32 len;
	u8 data[UDP_MAX_LEN];
};

static void cork_drop(struct udp_sock *up)
{
	free(up->cork);
	up->cork = NULL;
}

/* Sends what is held back. */
static ssize_t cork_push(struct sock *sk, u32 flags)
{
	struct udp_cork *cork = udp_sk(sk)->cork;
	struct kmsghdr msg = { .flags = (cork->flags & ~(u32)MSG_MORE) | flags };
	struct iovec iov = { cork->data, cork->len };
	ssize_t ret;

	/* Ours while the lock may be dropped. */
	udp_sk(sk)->cork = NULL;
	if (cork->namelen) {
		msg.name = &cork->name;
		msg.namelen = cork->namelen;
	}
	iov_iter_init(&msg.iter, &iov, 1, cork->len);
	ret = ip4_datagram_send(sk, &msg, cork->len, &udp_dgram_proto);
	free(cork);
	return ret;
}

static int cork_append(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct udp_sock *up = udp_sk(sk);
	struct udp_cork *cork = up->cork;

	if (!cork) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)msg->name;

		/* What would be refused when it leaves is refused now. */
		if (msg->controllen)
			return -EOPNOTSUPP;
		if (!(sin && msg->namelen) && sk->sk_state != SS_TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		if (sin && msg->namelen && msg->namelen < sizeof(*sin))
			return -EINVAL;
		cork = malloc(sizeof(*cork));
		if (!cork)
			return -ENOBUFS;
		cork->namelen = sin ? msg->namelen : 0;
		if (cork->namelen)
			cork->name = *msg->name;
		cork->flags = msg->flags;
		cork->len = 0;
		up->cork = cork;
	}
	if (len > UDP_MAX_LEN - sizeof(struct udp_hdr) - cork->len) {
		cork_drop(up);
		return -EMSGSIZE;
	}
	if (copy_from_iter(cork->data + cork->len, len, &msg->iter) != len)
		return -EFAULT;
	cork->len += (u32)len;
	return 0;
}

static ssize_t udp_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct udp_sock *up = udp_sk(sk);
	bool more = up->corked || msg->flags & MSG_MORE;
	ssize_t ret;

	if (len > UDP_MAX_LEN)
		return -EMSGSIZE;
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (sk->sk_shutdown & SK_SHUTDOWN_SEND)
		return -EPIPE;
	if (likely(!more && !up->cork))
		return ip4_datagram_send(sk, msg, len, &udp_dgram_proto);
	ret = cork_append(sk, msg, len);
	if (!ret && !more)
		ret = cork_push(sk, msg->flags & MSG_DONTWAIT);
	return ret < 0 ? ret : (ssize_t)len;
}

/* ---- receiving --------------------------------------------------------------------------------------------- */

bool udp_checksum_ok(struct sk_buff *skb)
{
	if (skb_csum_unnecessary(skb))
		return true;
	if (csum_fold(skb_checksum(skb, 0, skb->len, skb->csum)))
		return false;
	skb->csum_valid = 1;
	return true;
}

static void udp_csum_failed(struct sock *sk)
{
	NET_INC_STATS(sock_net(sk), MIB_Udp_InCsumErrors);
	NET_INC_STATS(sock_net(sk), MIB_Udp_InErrors);
	sk->sk_drops++;
}

/* A damaged datagram that the caller holds a reference of; it is in the queue still if it was only peeked at. */
static void udp_discard(struct sock *sk, struct sk_buff *skb, int flags)
{
	udp_csum_failed(sk);
	if (flags & MSG_PEEK && skb_peek(&sk->sk_receive_queue) == skb) {
		skb_unlink(skb, &sk->sk_receive_queue);
		consume_skb(skb); /* the queue's reference; the last one tells the reason */
	}
	kfree_skb_reason(skb, SKB_DROP_UDP_CSUM);
}

/* Payload octets to the program; @copied of @ulen. -EINVAL: the checksum is wrong */
static int udp_copy_payload(struct kmsghdr *msg, struct sk_buff *skb, u32 copied, u32 ulen)
{
	/* A partial copy cannot verify on the way. */
	if (copied < ulen && !udp_checksum_ok(skb))
		return -EINVAL;
	if (skb_csum_unnecessary(skb))
		return skb_copy_datagram_iter(skb, sizeof(struct udp_hdr), &msg->iter, copied);
	return skb_copy_and_csum_datagram_iter(skb, sizeof(struct udp_hdr), &msg->iter);
}

static ssize_t udp_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	struct iov_iter start = msg->iter;
	struct sk_buff *skb;
	u32 ulen, copied;
	int err;

	if (flags & MSG_ERRQUEUE)
		return af->recv_error(sk, msg, len);
restart:
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	ulen = skb->len - (u32)sizeof(struct udp_hdr);
	copied = (u32)min_t(size_t, ulen, len);
	err = udp_copy_payload(msg, skb, copied, ulen);
	if (err == -EINVAL) {
		udp_discard(sk, skb, flags);
		iov_iter_revert(&msg->iter, &start);
		goto restart;
	}
	if (err) {
		skb_free_datagram(sk, skb);
		return err;
	}
	if (copied < ulen)
		msg->flags |= MSG_TRUNC;
	if (!(flags & MSG_PEEK))
		NET_INC_STATS(sock_net(sk), MIB_Udp_InDatagrams);
	af->rcv_name(sk, msg, skb, udp_hdr(skb)->source);
	af->recv_cmsg(sk, msg, skb);
	trace_skb(skb, sock_net(sk), TP_udp_recvmsg, flags & MSG_PEEK ? TRACE_PASS : TRACE_DONE,
		  copied, 0);
	skb_free_datagram(sk, skb);
	return flags & MSG_TRUNC ? (ssize_t)ulen : (ssize_t)copied;
}

/* The first datagram whose checksum is right; damaged ones before it are dropped. */
static struct sk_buff *udp_first_packet(struct sock *sk)
{
	struct sk_buff *skb;

	while ((skb = skb_peek(&sk->sk_receive_queue)) && !udp_checksum_ok(skb)) {
		skb_unlink(skb, &sk->sk_receive_queue);
		udp_csum_failed(sk);
		kfree_skb_reason(skb, SKB_DROP_UDP_CSUM);
	}
	return skb;
}

static u32 udp_poll(struct socket *sock)
{
	udp_first_packet(sock->sk);
	return datagram_poll(sock);
}

static int udp_ioctl(struct sock *sk, unsigned cmd, void *arg)
{
	const struct sk_buff *skb;
	int v;

	if (cmd == SIOCINQ) {
		skb = udp_first_packet(sk);
		v = skb ? (int)(skb->len - sizeof(struct udp_hdr)) : 0;
	} else if (cmd == SIOCOUTQ) {
		v = (int)sk->sk_wmem_alloc;
	} else {
		return -ENOIOCTLCMD;
	}
	memcpy(arg, &v, sizeof(v));
	return 0;
}

/* ---- life and options ---------------------------------------------------------------------------------------- */

static void udp_close(struct sock *sk, u64 timeout_ns)
{
	(void)timeout_ns;
	cork_drop(udp_sk(sk));
	inet_sk_common_release(sk);
}

static int udp_disconnect(struct sock *sk, int flags)
{
	cork_drop(udp_sk(sk));
	return inet_dgram_disconnect(sk, flags);
}

static int udp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	struct udp_sock *up = udp_sk(sk);
	ssize_t ret = 0;
	int v;

	if (level != IPPROTO_UDP)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (name != UDP_CORK)
		return -ENOPROTOOPT;
	up->corked = v != 0;
	if (!v && up->cork)
		ret = cork_push(sk, 0);
	return ret < 0 ? (int)ret : 0;
}

static int udp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	int v = udp_sk(sk)->corked;

	if (level != IPPROTO_UDP)
		return -EOPNOTSUPP;
	if (name != UDP_CORK)
		return -ENOPROTOOPT;
	*len = min_t(socklen_t, *len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

const struct proto udp_prot = {
	.name = "UDP",
	.obj_size = sizeof(struct udp_sock),
	.close = udp_close,
	.connect = ip4_datagram_connect,
	.disconnect = udp_disconnect,
	.ioctl = udp_ioctl,
	.setsockopt = udp_setsockopt,
	.getsockopt = udp_getsockopt,
	.sendmsg = udp_sendmsg,
	.recvmsg = udp_recvmsg,
	.get_port = udp_get_port,
	.unhash = udp_unhash,
	.poll = udp_poll,
};
