/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - UDP and UDP-Lite sockets: sending, receiving, options (RFC 768, RFC 3828, udp(7), udplite(7))
 *
 * Theory of operation
 *   Sending: the IP version's datagram_send() (ipv4/datagram.c) finds destination, source and route; udp_build_header() writes the header. The checksum is left to the device
 *   (CHECKSUM_PARTIAL), unless it covers a part only (UDP-Lite). A message that MSG_MORE or UDP_CORK holds back gathers in
 *   struct inet_cork (inet/dgram.c). With UDP_SEGMENT a message is many datagrams (udp_offload.c).
 *   Receiving: the queue has datagrams with the UDP header in front; their checksum is verified while the data is copied. One
 *   that turns out to be damaged is dropped and the next one is taken; poll(2) looks ahead, so that it does not promise data
 *   that is not there.
 * Locking: the home cpu's lock; sendmsg and recvmsg may wait and so drop it.
 */
#include "core/zerocopy.h"
#include "udp/udp.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "core/cpu.h"
#include "lib/csum.h"
#include "socket/socket.h"

#define UDP_NO_CHECK6_TX_   101 /* linux/udp.h, which does not go together with netinet/udp.h */
#define UDP_NO_CHECK6_RX_   102
#define UDPLITE_SEND_CSCOV_ 10
#define UDPLITE_RECV_CSCOV_ 11
#define UDP_MAX_LEN         65535
#define UDP_MAX_SEGMENTS    128 /* of one send with UDP_SEGMENT */

/* ---- sending ----------------------------------------------------------------------------------------------- */

/* UDP_SEGMENT, as an option or as a control message. */
static int udp_cmsg_one(const struct cmsghdr *cmsg, size_t len, void *arg)
{
	struct inet_dgram_tx *tx = arg;

	if (cmsg->cmsg_level != SOL_UDP)
		return 0;
	if (cmsg->cmsg_type != UDP_SEGMENT || len != sizeof(u16))
		return -EINVAL;
	memcpy(&tx->gso_size, (const u8 *)cmsg + CMSG_LEN(0), sizeof(u16));
	return 0;
}

static int udp_tx_options(struct sock *sk, const struct kmsghdr *msg, size_t len,
			  struct inet_dgram_tx *tx)
{
	int err;

	tx->gso_size = udp_sk(sk)->gso_size;
	if (msg->controllen) {
		err = cmsg_walk(msg, udp_cmsg_one, tx);
		if (err)
			return err;
	}
	if (tx->gso_size && sk->sk_protocol == IPPROTO_UDPLITE)
		return -EIO;
	if (len <= tx->gso_size)
		tx->gso_size = 0; /* one datagram */
	return 0;
}

/* What the checksum field starts with, before the octets of the datagram are added. */
static u32 udp_pseudo(const struct sock *sk, const struct inet_dgram_addrs *a, u32 len)
{
	return csum_add(a->pseudo,
			csum_add(cpu_to_be16((u16)len).v, cpu_to_be16(sk->sk_protocol).v));
}

/* Does @sk send packets of @family without a checksum? */
static bool udp_no_check_tx(const struct sock *sk, u16 family)
{
	return family == AF_INET6 ? udp_sk(sk)->no_check6_tx : sock_flag(sk, SOCK_NO_CHECK_TX);
}

/* Many datagrams in one packet: 0, or why it cannot be. */
static int udp_set_gso(struct sock *sk, struct sk_buff *skb, u16 family, u16 size, u32 len)
{
	struct skb_shared_info *sh = skb_shinfo(skb);
	u32 payload = len - (u32)sizeof(struct udp_hdr);
	u32 headers = (u32)skb_transport_offset(skb) + (u32)sizeof(struct udp_hdr);

	if (headers + size > dst_mtu(skb->dst))
		return -EMSGSIZE;
	if (payload > (u32)size * UDP_MAX_SEGMENTS || udp_no_check_tx(sk, family))
		return -EINVAL;
	sh->gso_size = size;
	sh->gso_type = SKB_GSO_UDP_L4;
	sh->gso_segs = (u16)((payload + size - 1) / size);
	return 0;
}

/* A checksum over a part is nothing that devices know of (RFC 3828). */
static void udp_partial_csum(struct sk_buff *skb, struct udp_hdr *uh, u32 coverage, u32 pseudo)
{
	u16 sum = csum_fold(skb_checksum(skb, (u32)skb_transport_offset(skb), coverage, pseudo));

	skb->ip_summed = CHECKSUM_NONE;
	uh->check.v = sum ? sum : 0xffff;
}

static int udp_build_header(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
			    const u8 *hdr)
{
	struct udp_hdr *uh = udp_hdr(skb);
	u32 len = skb->len - (u32)skb_transport_offset(skb), pseudo = udp_pseudo(sk, a, len);
	u32 coverage = len;
	u16 field = (u16)len;
	int err;

	(void)hdr;
	if (unlikely(sk->sk_protocol == IPPROTO_UDPLITE))
		coverage = udp_sk_variant(sk)->coverage(sk, len, &field);
	*uh = (struct udp_hdr){ .source = a->sport, .dest = a->dport, .len = cpu_to_be16(field) };
	trace_skb(skb, sock_net(sk), TP_udp_sendmsg, TRACE_PASS, be16_to_cpu(a->sport),
		  be16_to_cpu(a->dport));
	if (a->gso_size) {
		err = udp_set_gso(sk, skb, a->family, a->gso_size, len);
		if (err)
			return err;
	}
	if (coverage < len) {
		udp_partial_csum(skb, uh, coverage, pseudo);
		return 0;
	}
	if (udp_no_check_tx(sk, a->family) && sk->sk_protocol == IPPROTO_UDP) {
		skb->ip_summed = CHECKSUM_NONE;
		return 0;
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->transport_header;
	skb->csum_offset = offsetof(struct udp_hdr, check);
	uh->check.v = (u16)~csum_fold(pseudo);
	return 0;
}

static void udp_sent(struct sock *sk, u16 family, int err)
{
	const struct udp_mib *mib = &udp_sk_variant(sk)->mib[family == AF_INET6];
	struct net *net = sock_net(sk);

	if (!err)
		NET_INC_STATS(net, mib->out_datagrams);
	else if (err == -ENOBUFS || err == -EAGAIN)
		NET_INC_STATS(net, mib->sndbuf_errors);
}

/* The protocol of a packet is the socket's: a row serves UDP-Lite too. */
static const struct inet_dgram_proto udp_dgram_proto = {
	.protocol = IPPROTO_UDP,
	.hdr_len = sizeof(struct udp_hdr),
	.build = udp_build_header,
	.sent = udp_sent,
	.tx_options = udp_tx_options,
};

/* The same for a message that asks for nothing that udp_tx_options() would find. */
static const struct inet_dgram_proto udp_plain_proto = {
	.protocol = IPPROTO_UDP,
	.hdr_len = sizeof(struct udp_hdr),
	.build = udp_build_header,
	.sent = udp_sent,
};

static ssize_t udp_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct udp_sock *up = udp_sk(sk);
	bool more = up->corked || msg->flags & MSG_MORE;
	bool plain = !more && !up->cork && !up->gso_size && !msg->controllen;
	struct zerocopy zc;
	ssize_t sent;
	int err;

	/* IPv6 puts the path MTU into the error queue with the same answer: tracepath asks that way. */
	if (len > (sk->sk_family == AF_INET ? UDP_MAX_LEN : INT32_MAX - sizeof(struct udp_hdr)))
		return -EMSGSIZE;
	if (msg->flags & MSG_OOB &&
	    sk->sk_family == AF_INET) /* Linux's UDP over IPv6 does not look */
		return -EOPNOTSUPP;
	err = zerocopy_begin(&zc, sk, msg->flags);
	if (err)
		return err;
	/* Datagrams are copied: the program's memory is its own again at once. */
	zerocopy_was_copied(&zc);
	sent = inet_dgram_sendmsg(sk, msg, len, plain ? &udp_plain_proto : &udp_dgram_proto,
				  &up->cork, more);
	zerocopy_end(&zc, sent >= 0);
	return sent;
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

static void udp_csum_failed(struct sock *sk, const struct sk_buff *skb)
{
	const struct udp_mib *mib = udp_skb_mib(skb, udp_sk_variant(sk));

	NET_INC_STATS(sock_net(sk), mib->in_csum_errors);
	NET_INC_STATS(sock_net(sk), mib->in_errors);
	sk->sk_drops++;
}

/* A damaged datagram that the caller holds a reference of; it is in the queue still if it was only peeked at. */
static void udp_discard(struct sock *sk, struct sk_buff *skb, int flags)
{
	udp_csum_failed(sk, skb);
	if (flags & MSG_PEEK && skb_peek(&sk->sk_receive_queue) == skb) {
		skb_unlink(skb, &sk->sk_receive_queue);
		consume_skb(skb); /* the queue's reference; the last one tells the reason */
	}
	kfree_skb_reason(skb, SKB_DROP_UDP_CSUM);
}

/* Payload octets to the program: @copied of @ulen, after the first @off. -EINVAL: the checksum is wrong */
static int udp_copy_payload(struct kmsghdr *msg, struct sk_buff *skb, u32 off, u32 copied, u32 ulen)
{
	/* A partial copy cannot verify on the way. */
	if (copied < ulen && !udp_checksum_ok(skb))
		return -EINVAL;
	if (skb_csum_unnecessary(skb))
		return skb_copy_datagram_iter(skb, (u32)sizeof(struct udp_hdr) + off, &msg->iter,
					      copied);
	return skb_copy_and_csum_datagram_iter(skb, sizeof(struct udp_hdr), &msg->iter);
}

/* A merged datagram says where it was put together. */
static void udp_recv_gro(const struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	int size = skb_shinfo(skb)->gso_size;

	if (udp_sk(sk)->gro && size)
		put_cmsg(msg, SOL_UDP, UDP_GRO, sizeof(size), &size);
}

static ssize_t udp_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	const struct iov_iter start = msg->iter;
	struct sk_buff *skb;
	u32 ulen, copied, off;
	int err;

	if (flags & MSG_ERRQUEUE)
		return af->recv_error(sk, msg, len);
	if (af->recv_pathmtu && af->recv_pathmtu(sk, msg))
		return 0;
restart:
	off = 0;
	skb = skb_recv_datagram_off(sk, flags, sizeof(struct udp_hdr), &off, &err);
	if (!skb)
		return err;
	ulen = skb->len - (u32)sizeof(struct udp_hdr);
	copied = (u32)min_t(size_t, ulen - off, len);
	err = udp_copy_payload(msg, skb, off, copied, ulen);
	if (err == -EINVAL) {
		udp_discard(sk, skb, flags);
		iov_iter_revert(&msg->iter, &start);
		goto restart;
	}
	if (err) {
		skb_free_datagram(sk, skb);
		return err;
	}
	if (copied < ulen - off)
		msg->flags |= MSG_TRUNC;
	sk_peek_offset_moved(sk, flags & MSG_PEEK ? (int)copied : -(int)ulen);
	if (!(flags & MSG_PEEK))
		NET_INC_STATS(sock_net(sk), udp_skb_mib(skb, udp_sk_variant(sk))->in_datagrams);
	af->rcv_name(sk, msg, skb, udp_hdr(skb)->source);
	sock_recv_cmsgs(sk, msg, skb);
	af->recv_cmsg(sk, msg, skb);
	udp_recv_gro(sk, msg, skb);
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
		udp_csum_failed(sk, skb);
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
	if (cmd == SIOCINQ)
		udp_first_packet(sk);
	return inet_dgram_ioctl(sk, cmd, arg, sizeof(struct udp_hdr));
}

/* ---- life and options ---------------------------------------------------------------------------------------- */

static int udp_set_gro(struct sock *sk, int v)
{
	struct udp_sock *up = udp_sk(sk);

	sock_net(sk)->udp->gro_socks += (u32) !!v - up->gro;
	up->gro = v != 0;
	return 0;
}

static void udp_close(struct sock *sk, u64 timeout_ns)
{
	(void)timeout_ns;
	udp_set_gro(sk, 0);
	inet_cork_drop(sk, &udp_sk(sk)->cork);
	udp_unhash_any(sk);
	inet_sk_common_release(sk);
}

static int udp_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	int err = inet_datagram_connect(sk, addr, len);

	if (!err && !udp_sk(sk)->connected && !hlist_unhashed(&sk->sk_node)) {
		udp_sk(sk)->connected = 1;
		sock_net(sk)->inet->udp_connected++;
	}
	return err;
}

static int udp_disconnect(struct sock *sk, int flags)
{
	inet_cork_drop(sk, &udp_sk(sk)->cork);
	return inet_dgram_disconnect(sk, flags);
}

static int udp_set_cork(struct sock *sk, int v)
{
	struct udp_sock *up = udp_sk(sk);

	up->corked = v != 0;
	return !v && up->cork ? inet_dgram_push(sk, &udp_dgram_proto, &up->cork, 0) : 0;
}
static int udp_get_cork(const struct sock *sk)
{
	return udp_sk(sk)->corked;
}

static int udp_set_segment(struct sock *sk, int v)
{
	if (v < 0 || v > UINT16_MAX)
		return -EINVAL;
	udp_sk(sk)->gso_size = (u16)v;
	return 0;
}
static int udp_get_segment(const struct sock *sk)
{
	return udp_sk(sk)->gso_size;
}

static int udp_get_gro(const struct sock *sk)
{
	return udp_sk(sk)->gro;
}

/* Only UDP over IPv6 heeds them (RFC 6935). */
static int udp_set_no_check6_tx(struct sock *sk, int v)
{
	udp_sk(sk)->no_check6_tx = v != 0;
	return 0;
}
static int udp_get_no_check6_tx(const struct sock *sk)
{
	return udp_sk(sk)->no_check6_tx;
}
static int udp_set_no_check6_rx(struct sock *sk, int v)
{
	udp_sk(sk)->no_check6_rx = v != 0;
	return 0;
}
static int udp_get_no_check6_rx(const struct sock *sk)
{
	return udp_sk(sk)->no_check6_rx;
}

/* RFC 3828 3.1: the header is always covered. As Linux, 1 to 7 are raised, and what is too much means all. */
static u16 udplite_clamp(int v)
{
	if (v && v < (int)sizeof(struct udp_hdr))
		return sizeof(struct udp_hdr);
	return (u16)min(v, (int)UINT16_MAX);
}
static int udplite_set_send_cscov(struct sock *sk, int v)
{
	if (sk->sk_protocol != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	udp_sk(sk)->send_cscov = udplite_clamp(v);
	udp_sk(sk)->send_cscov_set = 1;
	return 0;
}
static int udplite_get_send_cscov(const struct sock *sk)
{
	return udp_sk(sk)->send_cscov;
}
static int udplite_set_recv_cscov(struct sock *sk, int v)
{
	if (sk->sk_protocol != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	udp_sk(sk)->recv_cscov = udplite_clamp(v);
	udp_sk(sk)->recv_cscov_set = 1;
	return 0;
}
static int udplite_get_recv_cscov(const struct sock *sk)
{
	return udp_sk(sk)->recv_cscov;
}

static const struct udp_sockopt {
	const char *label;
	int name;
	int (*set)(struct sock *sk, int v); /* 0 or -errno; UDP_CORK: * may block */
	int (*get)(const struct sock *sk);
} udp_sockopts[] = {
	{ "UDP_CORK", UDP_CORK, udp_set_cork, udp_get_cork },
	{ "UDP_SEGMENT", UDP_SEGMENT, udp_set_segment, udp_get_segment },
	{ "UDP_GRO", UDP_GRO, udp_set_gro, udp_get_gro },
	{ "UDP_NO_CHECK6_TX", UDP_NO_CHECK6_TX_, udp_set_no_check6_tx, udp_get_no_check6_tx },
	{ "UDP_NO_CHECK6_RX", UDP_NO_CHECK6_RX_, udp_set_no_check6_rx, udp_get_no_check6_rx },
	{ "UDPLITE_SEND_CSCOV", UDPLITE_SEND_CSCOV_, udplite_set_send_cscov,
	  udplite_get_send_cscov },
	{ "UDPLITE_RECV_CSCOV", UDPLITE_RECV_CSCOV_, udplite_set_recv_cscov,
	  udplite_get_recv_cscov },
};

static const struct udp_sockopt *udp_sockopt_find(int name)
{
	for (u32 i = 0; i < ARRAY_SIZE(udp_sockopts); i++)
		if (udp_sockopts[i].name == name)
			return &udp_sockopts[i];
	return NULL;
}

static int udp_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	const struct udp_sockopt *o = udp_sockopt_find(name);
	int v;

	(void)level;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	return o ? o->set(sk, v) : -ENOPROTOOPT;
}

static int udp_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	const struct udp_sockopt *o = udp_sockopt_find(name);
	int v;

	(void)level;
	if (!o)
		return -ENOPROTOOPT;
	v = o->get(sk);
	*len = min_t(socklen_t, *len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

static struct sock_mem *udp_memory(const struct net *net)
{
	return &net->udp->mem;
}

#define UDP_PROTO(name_, sock_)                                                                    \
	{                                                                                          \
		.name = (name_), .obj_size = sizeof(sock_), .close = udp_close,                    \
		.connect = udp_connect, .disconnect = udp_disconnect, .ioctl = udp_ioctl,          \
		.setsockopt = udp_setsockopt, .getsockopt = udp_getsockopt,                        \
		.sendmsg = udp_sendmsg, .recvmsg = udp_recvmsg, .get_port = udp_get_port,          \
		.listen_any = udp_listen_any, .unhash = udp_unhash, .poll = udp_poll,              \
		.memory = udp_memory,                                                              \
	}

const struct proto udp_prot = UDP_PROTO("UDP", struct udp_sock);
const struct proto udplite_prot = UDP_PROTO("UDP-Lite", struct udp_sock);
const struct proto udpv6_prot = UDP_PROTO("UDPv6", struct udp6_sock);
const struct proto udplitev6_prot = UDP_PROTO("UDPLITEv6", struct udp6_sock);
