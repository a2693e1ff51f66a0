/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw.c - raw sockets: socket(AF_INET, SOCK_RAW, protocol), raw(7)
 *
 * Theory of operation
 *   Receiving: every packet that is delivered on this host, whole after reassembly and with its IP header, is cloned for each raw
 *   socket of its protocol whose addresses and device fit, before the transport gets it (raw_local_deliver(), called through
 *   netns_ipv4.raw_deliver). Sending: the stack puts an IP header in front; with IP_HDRINCL, and for IPPROTO_RAW, the program gives
 *   the header and the stack completes it: total length and checksum always, source and identification where they are 0.
 *   Fragments are not made of such a packet. ICMP errors about packets of the protocol come to the sockets they fit.
 *   IP_ROUTER_ALERT puts a socket on netns_ipv4.ra_chain: packets to forward that carry the option (RFC 2113) go there instead.
 *
 *   Only root may have one. An instance counts the programs that run on it as its root, so that is a socket of uid 0.
 * Locking: the home cpu's lock; sending may wait and so drop it.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "core/cpu.h"
#include "core/sysctl.h"
#include "ipv4/igmp.h"
#include "ipv4/ip_sockglue.h"
#include "ipv4/ipv4_internal.h"
#include "socket/socket.h"
#include "wire/icmp.h"

#define ICMP_FILTER_ 1 /* linux/icmp.h, which does not go together with net/if.h */

struct raw_sock {
	struct inet_sock inet;    /* must be first */
	u32 icmp_filter;          /* types that are not wanted, as bits */
	struct list_head ra_node; /* netns_ipv4.ra_chain; empty: not on it */
	struct inet_cork *cork;   /* what MSG_MORE holds back; NULL: nothing */
};

static struct raw_sock *raw_sk(const struct sock *sk)
{
	return (struct raw_sock *)sk;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static struct hlist_head *raw_bucket(const struct net *net, u8 protocol)
{
	return &net->ipv4->raw_hash[protocol % RAW_HASH_SIZE];
}

static bool raw_match(const struct sock *sk, u8 protocol, be32 laddr, be32 faddr, int dif)
{
	return sk->sk_num == protocol &&
	       (be32_zero(sk->sk_rcv_saddr) || be32_eq(sk->sk_rcv_saddr, laddr)) &&
	       (be32_zero(sk->sk_daddr) || be32_eq(sk->sk_daddr, faddr)) &&
	       (!sk->sk_bound_dev_if || sk->sk_bound_dev_if == dif);
}

static void raw_unhash(struct sock *sk)
{
	list_del(&raw_sk(sk)->ra_node);
	list_init(&raw_sk(sk)->ra_node);
	if (hlist_unhashed(&sk->sk_node))
		return;
	hlist_del_init(&sk->sk_node);
	sock_net(sk)->ipv4->nr_raw--;
	sock_put(sk);
}

/* raw(7): IPPROTO_RAW implies IP_HDRINCL, and receives nothing, since no packet has that protocol. */
static int raw_init(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	list_init(&raw_sk(sk)->ra_node);
	if (sk->sk_protocol == IPPROTO_IP)
		return -EPROTONOSUPPORT;
	if (sk->sk_uid != 0)
		return -EPERM;
	inet->hdrincl = sk->sk_protocol == IPPROTO_RAW;
	sk->sk_num = sk->sk_protocol;
	inet->inet_sport = cpu_to_be16(sk->sk_num);
	sk->sk_userlocks |=
		SK_BINDPORT_LOCK; /* the protocol stays through connect(2) to AF_UNSPEC */
	hlist_add_head(&sk->sk_node, raw_bucket(sock_net(sk), sk->sk_protocol));
	sock_net(sk)->ipv4->nr_raw++;
	sock_hold(sk);
	return 0;
}

static void raw_close(struct sock *sk, u64 timeout_ns)
{
	(void)timeout_ns;
	inet_cork_drop(sk, &raw_sk(sk)->cork);
	inet_sk_common_release(sk);
}

static int raw_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	u16 port;
	int err;

	if (sk->sk_state != SS_TCP_CLOSE)
		return -EINVAL;
	err = af->bind_addr(sk, addr, len, &port);
	if (err)
		return err;
	af->set_addr(sk, addr);
	if (!be32_zero(sk->sk_rcv_saddr))
		sk->sk_userlocks |= SK_BINDADDR_LOCK;
	sk_dst_reset(sk);
	return 0;
}

/* ---- packets in ------------------------------------------------------------------------------------------------ */

static bool raw_icmp_filtered(const struct sock *sk, const struct sk_buff *skb)
{
	u8 type;

	if (sk->sk_num != IPPROTO_ICMP || skb_copy_bits(skb, 0, &type, 1))
		return false;
	return type < 32 && raw_sk(sk)->icmp_filter & (1u << type);
}

/* A copy for @sk with the IP header in front. borrow @skb, data at the transport header */
static void raw_rcv(struct net *net, struct sock *sk, const struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb);

	if (!copy)
		return;
	skb_push(copy, (u32)-skb_network_offset(copy));
	dst_hold(skb->dst);
	skb_dst_set(copy, skb->dst);
	trace_skb(copy, net, TP_raw_rcv, TRACE_QUEUED, sk->sk_num, sk->sk_rmem_alloc);
	inet_af_ops(net, AF_INET)->rcv_prepare(sk, copy);
	sock_queue_rcv_skb(sk, copy);
}

bool raw_local_deliver(struct net *net, const struct sk_buff *skb, u8 protocol)
{
	const struct ip_hdr *iph = ip_hdr(skb);
	struct sock_common *c;
	bool delivered = false;

	hlist_for_each_entry(c, raw_bucket(net, protocol), skc_node) {
		struct sock *sk = (struct sock *)c;

		if (!raw_match(sk, protocol, iph->daddr, iph->saddr, skb->dev->ifindex))
			continue;
		delivered = true;
		if (!raw_icmp_filtered(sk, skb) &&
		    ip_mc_sf_allow(sk, iph->daddr, iph->saddr, skb->dev->ifindex))
			raw_rcv(net, sk, skb);
	}
	return delivered;
}

bool ip_call_ra_chain(struct net *net, struct sk_buff *skb)
{
	u8 protocol = ip_hdr(skb)->protocol;
	struct raw_sock *rs;
	bool taken = false;

	list_for_each_entry(rs, &net->ipv4->ra_chain, ra_node) {
		struct sock *sk = &rs->inet.sk;

		if (sk->sk_num != protocol ||
		    (sk->sk_bound_dev_if && sk->sk_bound_dev_if != skb->dev->ifindex))
			continue;
		if (ip_is_fragment(ip_hdr(skb))) {
			skb = ip_defrag(net, skb, IP_DEFRAG_CALL_RA_CHAIN);
			if (!skb)
				return true;
		}
		raw_rcv(net, sk, skb);
		taken = true;
	}
	if (taken)
		consume_skb(skb);
	return taken;
}

bool ip_ra_is_on(const struct sock *sk)
{
	return sk->sk_type == SOCK_RAW && !list_empty(&raw_sk(sk)->ra_node);
}

int ip_ra_control(struct sock *sk, bool on)
{
	struct raw_sock *rs = raw_sk(sk);

	if (sk->sk_type != SOCK_RAW || sk->sk_num == IPPROTO_RAW)
		return -EINVAL;
	if (on == !list_empty(&rs->ra_node))
		return on ? -EADDRINUSE : -ENOBUFS; /* as Linux */
	if (on) {
		list_add_tail(&rs->ra_node, &sock_net(sk)->ipv4->ra_chain);
	} else {
		list_del(&rs->ra_node);
		list_init(&rs->ra_node);
	}
	return 0;
}

static void raw_err(struct sock *sk, struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	u32 hlen = ip_hdr_len((const struct ip_hdr *)skb->data);

	inet_dgram_icmp_err(sk, skb, type, code, info, (be16){ 0 },
			    skb->data + (inet_sk(sk)->hdrincl ? 0 : hlen));
}

void raw_icmp_error(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct ip_hdr *inner = (const struct ip_hdr *)skb->data;
	struct sock_common *c;

	hlist_for_each_entry(c, raw_bucket(net, inner->protocol), skc_node)
		if (raw_match((struct sock *)c, inner->protocol, inner->saddr, inner->daddr,
			      skb->dev->ifindex))
			raw_err((struct sock *)c, skb, type, code, info);
}

static ssize_t raw_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	return inet_dgram_recvmsg(sk, msg, len, flags, TP_raw_recvmsg);
}

/* ---- packets out ------------------------------------------------------------------------------------------------ */

/* The program has written everything. */
static int raw_build(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
		     const u8 *hdr)
{
	(void)a;
	(void)hdr;
	trace_skb(skb, sock_net(sk), TP_raw_sendmsg, TRACE_PASS, sk->sk_protocol, skb->len);
	return 0;
}

static const struct inet_dgram_proto raw_dgram_proto = { .build = raw_build };

/* raw(7): what the stack completes in a header of the program's. 0 or -EINVAL */
static int raw_complete_header(struct sk_buff *skb, const struct flowi4 *fl)
{
	struct ip_hdr *iph = ip_hdr(skb);
	u32 hlen = ip_hdr_len(iph);

	if (hlen < sizeof(*iph) || hlen > skb->len)
		return -EINVAL;
	skb_set_transport_header(skb, (int)hlen);
	if (be32_zero(iph->saddr))
		iph->saddr = fl->saddr;
	iph->tot_len = cpu_to_be16((u16)skb->len);
	return 0;
}

int raw_send_hdrinc(struct sock *sk, const struct flowi4 *fl, struct kmsghdr *msg, u32 len,
		    struct rtable **rtp)
{
	struct net *net = sock_net(sk);
	struct rtable *rt = *rtp;
	u32 mtu = rt->dst.dev->mtu;
	struct sk_buff *skb;
	int err;

	if (len < sizeof(struct ip_hdr))
		return -EINVAL;
	if (len > mtu) {
		ip_local_error(sk, EMSGSIZE, fl->daddr, sk->sk_dport, mtu);
		return -EMSGSIZE;
	}
	skb = sock_alloc_send_skb(sk, MAX_HEADER + len, 0, msg->flags & MSG_DONTWAIT, &err);
	if (!skb)
		return err;
	skb_reserve(skb, MAX_HEADER);
	skb_reset_network_header(skb);
	if (copy_from_iter(skb_put(skb, len), len, &msg->iter) != len)
		err = -EFAULT;
	else
		err = raw_complete_header(skb, fl);
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_RAW_HEADER);
		return err;
	}
	if (be16_zero(ip_hdr(skb)->id))
		ip_hdr(skb)->id = ip_new_ident(net, ip_hdr(skb));
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb->priority = sk->sk_priority;
	skb->mark = fl->mark;
	skb_dst_set(skb, &rt->dst);
	*rtp = NULL;
	raw_build(sk, skb, NULL, NULL);
	icmp_count_sent(net, skb);
	return ip_send_skb(net, skb);
}

static ssize_t raw_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	if (len > 65535)
		return -EMSGSIZE;
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	/* A header of the program's own makes a packet of each message. */
	return inet_dgram_sendmsg(sk, msg, len, &raw_dgram_proto, &raw_sk(sk)->cork,
				  msg->flags & MSG_MORE && !inet_sk(sk)->hdrincl);
}

/* ---- options, ioctls, /proc/net/raw -------------------------------------------------------------------------------- */

static int raw_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	if (level != SOL_RAW || name != ICMP_FILTER_)
		return -ENOPROTOOPT;
	if (sk->sk_num != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	memcpy(&raw_sk(sk)->icmp_filter, val, min_t(socklen_t, len, sizeof(u32)));
	return 0;
}

static int raw_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	if (level != SOL_RAW || name != ICMP_FILTER_)
		return -ENOPROTOOPT;
	if (sk->sk_num != IPPROTO_ICMP)
		return -EOPNOTSUPP;
	*len = min_t(socklen_t, *len, sizeof(u32));
	memcpy(val, &raw_sk(sk)->icmp_filter, *len);
	return 0;
}

static int raw_ioctl(struct sock *sk, unsigned cmd, void *arg)
{
	return inet_dgram_ioctl(sk, cmd, arg, 0);
}

static const struct proto raw_prot = {
	.name = "RAW",
	.obj_size = sizeof(struct raw_sock),
	.init = raw_init,
	.close = raw_close,
	.connect = ip4_datagram_connect,
	.disconnect = inet_dgram_disconnect,
	.ioctl = raw_ioctl,
	.setsockopt = raw_setsockopt,
	.getsockopt = raw_getsockopt,
	.sendmsg = raw_sendmsg,
	.recvmsg = raw_recvmsg,
	.bind = raw_bind,
	.unhash = raw_unhash,
};

const struct inet_protosw raw_protosw = {
	.type = SOCK_RAW,
	.protocol = IPPROTO_IP, /* any */
	.prot = &raw_prot,
	.ops = &inet_dgram_ops,
	.flags = INET_PROTOSW_REUSE,
};

void raw_show(struct net *net, struct text *t)
{
	text_printf(t, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
		       "retrnsmt   uid  timeout inode ref pointer drops\n");
	for (u32 i = 0; i < RAW_HASH_SIZE; i++) {
		struct sock_common *c;

		hlist_for_each_entry(c, &net->ipv4->raw_hash[i], skc_node) {
			const struct sock *sk = (const struct sock *)c;

			text_printf(
				t,
				"%4u: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000 "
				"%5u %8d %llu %u %016llx %u\n",
				i, sk->sk_rcv_saddr.v, sk->sk_num, sk->sk_daddr.v, 0, sk->sk_state,
				sk->sk_wmem_alloc, sk->sk_rmem_alloc, sk->sk_uid, 0,
				sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL,
				sk->sk_refcnt, (unsigned long long)sk->sk_cookie, sk->sk_drops);
		}
	}
}

/* ---- registration ---------------------------------------------------------------------------------------------------- */

void raw_net_init(struct net *net)
{
	list_init(&net->ipv4->ra_chain);
	net->ipv4->raw_deliver = raw_local_deliver;
}

void raw_net_exit(struct net *net)
{
	for (u32 i = 0; i < RAW_HASH_SIZE; i++)
		while (net->ipv4->raw_hash[i].first)
			raw_unhash((struct sock *)container_of(net->ipv4->raw_hash[i].first,
							       struct sock_common, skc_node));
}
