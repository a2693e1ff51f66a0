/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw.c - raw sockets over IPv6: socket(AF_INET6, SOCK_RAW, protocol), RFC 3542 3, ipv6(7)
 *
 * Theory of operation
 *   Receiving: every packet that is delivered on this host is cloned for each raw socket of the protocol at hand whose addresses and
 *   device fit, before the transport (or the next extension header) gets it. The program sees what is behind the headers that
 *   were looked at already, not the IPv6 header. ICMP6_FILTER leaves types of ICMPv6 out.
 *   The checksum of a protocol lies at the offset that IPV6_CHECKSUM names (of ICMPv6: always): then it is written into what goes out
 *   and what comes in with a wrong one is dropped.
 *   Sending: the stack puts an IPv6 header in front, unless the program gives it itself (IPV6_HDRINCL, and IPPROTO_RAW).
 *   IPV6_ROUTER_ALERT of an IPPROTO_RAW socket: packets to forward with that value of the option (RFC 2711) go to the
 *   sockets on netns_ipv6.ra_chain instead, whole.
 *   Raw sockets of AF_INET6 know nothing of IPv4.
 *
 *   Only root may have one. An instance counts the programs that run on it as its root, so that is a socket of uid 0.
 * Locking: the home cpu's lock; sending may wait and so drop it.
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's in6.h */
#include <stdio.h>

#include <linux/icmpv6.h>

#include "core/cpu.h"
#include "core/nf_hook.h"
#include "core/sock_reasons.h"
#include "core/sysctl.h"
#include "ipv6/ip6_sockglue.h"
#include "ipv6/ipv6_internal.h"
#include "lib/csum.h"
#include "socket/socket.h"

#define ICMP6_FILTER_LEN 32

struct raw6_sock {
	struct inet_sock inet;    /* must be first */
	struct list_head ra_node; /* netns_ipv6.ra_chain; empty: not on it */
	int ra_sel;               /* value of the option that is wanted */
	struct inet_cork *cork;   /* what MSG_MORE holds back; NULL: nothing */
	struct ipv6_pinfo inet6;  /* must be last */
};
static_assert(offsetof(struct raw6_sock, inet6) + sizeof(struct ipv6_pinfo) ==
		      sizeof(struct raw6_sock),
	      "inet6_sk_generic()");

static struct raw6_sock *raw6_sk(const struct sock *sk)
{
	return (struct raw6_sock *)sk;
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static struct hlist_head *raw6_bucket(const struct net *net, u8 protocol)
{
	return &net->ipv6->raw_hash[protocol % RAW6_HASH_SIZE];
}

static bool raw6_match(const struct sock *sk, u8 protocol, const struct in6_addr *laddr,
		       const struct in6_addr *faddr, int dif)
{
	if (sk->sk_num != protocol ||
	    (!ipv6_addr_any(&sk->sk_v6_daddr) && !ipv6_addr_equal(&sk->sk_v6_daddr, faddr)) ||
	    (sk->sk_bound_dev_if && sk->sk_bound_dev_if != dif))
		return false;
	return ipv6_addr_any(&sk->sk_v6_rcv_saddr) ||
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, laddr) ||
	       (ipv6_addr_is_multicast(laddr) && inet6_mc_check(sk, laddr, faddr, dif));
}

static void rawv6_unhash(struct sock *sk)
{
	list_del(&raw6_sk(sk)->ra_node);
	list_init(&raw6_sk(sk)->ra_node);
	if (hlist_unhashed(&sk->sk_node))
		return;
	hlist_del_init(&sk->sk_node);
	sock_net(sk)->ipv6->nr_raw--;
	sock_put(sk);
}

static int rawv6_init(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	list_init(&raw6_sk(sk)->ra_node);
	if (sk->sk_protocol == IPPROTO_IP)
		return -EPROTONOSUPPORT;
	if (sk->sk_uid != 0)
		return -EPERM;
	inet->hdrincl = sk->sk_protocol == IPPROTO_RAW;
	/* RFC 3542 3.1: the stack does it for ICMPv6, always. */
	inet6_sk(sk)->checksum_offset = sk->sk_protocol == IPPROTO_ICMPV6 ? 2 : -1;
	sk->sk_num = sk->sk_protocol;
	inet->inet_sport = cpu_to_be16(sk->sk_num);
	sk->sk_userlocks |=
		SK_BINDPORT_LOCK; /* the protocol stays through connect(2) to AF_UNSPEC */
	hlist_add_head(&sk->sk_node, raw6_bucket(sock_net(sk), sk->sk_protocol));
	sock_net(sk)->ipv6->nr_raw++;
	sock_hold(sk);
	return 0;
}

static void rawv6_close(struct sock *sk, u64 timeout_ns)
{
	(void)timeout_ns;
	inet_cork_drop(sk, &raw6_sk(sk)->cork);
	inet_sk_common_release(sk);
}

static int rawv6_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	u16 port;
	int err;

	err = af->bind_addr(sk, addr, len, &port);
	if (err)
		return err;
	if (sk->sk_state != SS_TCP_CLOSE)
		return -EINVAL;
	af->set_addr(sk, addr);
	if (!ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		sk->sk_userlocks |= SK_BINDADDR_LOCK;
	sk_dst_reset(sk);
	return 0;
}

/* ---- packets in ------------------------------------------------------------------------------------------------ */

static bool raw6_icmp_filtered(const struct sock *sk, const struct sk_buff *skb, u32 off)
{
	u8 type;

	if (sk->sk_num != IPPROTO_ICMPV6)
		return false;
	if (skb_copy_bits(skb, off, &type, 1))
		return true;
	return inet6_sk(sk)->icmp6_filter[type >> 5] & (1u << (type & 31));
}

/* RFC 3542 3.1: does the checksum of what the program is to see hold? */
static bool raw6_csum_ok(const struct sock *sk, const struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);

	if (inet6_sk(sk)->checksum_offset < 0 || skb_csum_unnecessary(skb))
		return true;
	return csum_ipv6_magic(&h->saddr, &h->daddr, skb->len, (u8)sk->sk_num,
			       skb_checksum(skb, 0, skb->len, 0)) == 0;
}

/* A copy for @sk of what is at data. borrow @skb */
static void rawv6_rcv(struct net *net, struct sock *sk, const struct sk_buff *skb, bool whole)
{
	struct sk_buff *copy;

	if (!whole && !raw6_csum_ok(sk, skb)) {
		sk->sk_drops++;
		return;
	}
	copy = skb_clone(skb);
	if (!copy)
		return;
	if (skb->dst) {
		dst_hold(skb->dst);
		skb_dst_set(copy, skb->dst);
	}
	trace_skb(copy, net, TP_rawv6_rcv, TRACE_QUEUED, sk->sk_num, sk->sk_rmem_alloc);
	inet_af_ops(net, AF_INET6)->rcv_prepare(sk, copy);
	sock_queue_rcv_skb(sk, copy);
}

bool raw6_local_deliver(struct net *net, struct sk_buff *skb, u8 protocol)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct sock_common *c;
	bool delivered = false;

	hlist_for_each_entry(c, raw6_bucket(net, protocol), skc_node) {
		struct sock *sk = (struct sock *)c;

		if (!raw6_match(sk, protocol, &h->daddr, &h->saddr, IP6CB(skb)->iif))
			continue;
		delivered = true;
		if (!raw6_icmp_filtered(sk, skb, 0))
			rawv6_rcv(net, sk, skb, false);
	}
	return delivered;
}

bool ip6_call_ra_chain(struct net *net, struct sk_buff *skb)
{
	struct raw6_sock *rs;
	bool taken = false;

	list_for_each_entry(rs, &net->ipv6->ra_chain, ra_node) {
		struct sock *sk = &rs->inet.sk;

		if (rs->ra_sel != IP6CB(skb)->ra ||
		    (sk->sk_bound_dev_if && sk->sk_bound_dev_if != IP6CB(skb)->iif))
			continue;
		rawv6_rcv(net, sk, skb, true);
		taken = true;
	}
	if (taken)
		consume_skb(skb);
	return taken;
}

bool ip6_ra_is_on(const struct sock *sk)
{
	return sk->sk_type == SOCK_RAW && !list_empty(&raw6_sk(sk)->ra_node) &&
	       raw6_sk(sk)->ra_sel != 0; /* as Linux: the value as a flag */
}

int ip6_ra_control(struct sock *sk, int sel)
{
	struct raw6_sock *rs = raw6_sk(sk);

	if (sk->sk_type != SOCK_RAW || sk->sk_num != IPPROTO_RAW)
		return -ENOPROTOOPT;
	if ((sel < 0) == list_empty(&rs->ra_node))
		return sel < 0 ? -ENOBUFS : -EADDRINUSE; /* as Linux */
	if (sel >= 0) {
		rs->ra_sel = sel;
		list_add_tail(&rs->ra_node, &sock_net(sk)->ipv6->ra_chain);
	} else {
		list_del(&rs->ra_node);
		list_init(&rs->ra_node);
	}
	return 0;
}

void rawv6_icmp_error(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info)
{
	const struct ipv6_hdr *inner = (const struct ipv6_hdr *)skb->data;
	u8 protocol = inner->nexthdr;
	struct sock_common *c;
	u16 frag_off;
	int skip = ipv6_skip_exthdr(skb->data + sizeof(*inner),
				    skb_headlen(skb) - (u32)sizeof(*inner), &protocol, &frag_off);

	if (skip < 0)
		return;
	hlist_for_each_entry(c, raw6_bucket(net, protocol), skc_node) {
		struct sock *sk = (struct sock *)c;
		u32 off = inet_sk(sk)->hdrincl ? 0 : (u32)sizeof(*inner) + (u32)skip;

		if (raw6_match(sk, protocol, &inner->saddr, &inner->daddr, IP6CB(skb)->iif))
			inet_dgram_icmp_err(sk, skb, type, code, info, (be16){ 0 },
					    skb->data + off);
	}
}

static ssize_t rawv6_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags)
{
	return inet_dgram_recvmsg(sk, msg, len, flags, TP_rawv6_recvmsg);
}

/* ---- packets out ------------------------------------------------------------------------------------------------ */

/* Writes the checksum where the program wants it. 0 or -EINVAL: that is outside of the message */
static int raw6_write_csum(const struct sock *sk, struct sk_buff *skb,
			   const struct inet_dgram_addrs *a)
{
	u32 start = (u32)skb_transport_offset(skb), len = skb->len - start, at, sum;
	be16 check;

	at = start + (u32)inet6_sk(sk)->checksum_offset;
	if (at + 2 > skb->len)
		return -EINVAL;
	if (at + 2 > skb_headlen(skb) && !pskb_may_pull(skb, at + 2))
		return -ENOBUFS;
	/* What the program wrote there is part of the sum, as in Linux: programs write 0. */
	sum = csum_add(a->pseudo, csum_add(cpu_to_be32(len).v, cpu_to_be32(a->protocol).v));
	check.v = csum_fold(skb_checksum(skb, start, len, sum));
	if (!check.v && a->protocol == IPPROTO_UDP)
		check.v = 0xffff;
	memcpy(skb->data + at, &check, sizeof(check));
	skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

static int rawv6_build(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
		       const u8 *hdr)
{
	(void)hdr;
	trace_skb(skb, sock_net(sk), TP_rawv6_sendmsg, TRACE_PASS, a->protocol, skb->len);
	return inet6_sk(sk)->checksum_offset < 0 ? 0 : raw6_write_csum(sk, skb, a);
}

static const struct inet_dgram_proto rawv6_dgram_proto = { .build = rawv6_build };

static int rawv6_hdrinc_finish(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return dst_output(net, sk, skb);
}

int rawv6_send_hdrinc(struct sock *sk, const struct flowi6 *fl, struct kmsghdr *msg, u32 len,
		      struct rt6_info **rtp)
{
	struct net *net = sock_net(sk);
	struct rt6_info *rt = *rtp;
	u32 mtu = rt->dst.dev->mtu;
	struct sk_buff *skb;
	int err;

	if (len > mtu) {
		ipv6_local_error(sk, EMSGSIZE, fl, mtu);
		return -EMSGSIZE;
	}
	if (len < sizeof(struct ipv6_hdr))
		return -EINVAL;
	skb = sock_alloc_send_skb(sk, MAX_HEADER + len, 0, msg->flags & MSG_DONTWAIT, &err);
	if (!skb)
		return err;
	skb_reserve(skb, MAX_HEADER);
	skb_reset_network_header(skb);
	if (copy_from_iter(skb_put(skb, len), len, &msg->iter) != len) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
		return -EFAULT;
	}
	skb_set_transport_header(skb, sizeof(struct ipv6_hdr));
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	IP6CB(skb)->nhoff = offsetof(struct ipv6_hdr, nexthdr);
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	skb->priority = sk->sk_priority;
	skb->mark = fl->mark;
	skb_dst_set(skb, &rt->dst);
	*rtp = NULL;
	trace_skb(skb, net, TP_rawv6_sendmsg, TRACE_PASS, sk->sk_protocol, skb->len);
	NET_INC_STATS(net, MIB_Ip6_OutRequests);
	return NF_HOOK(NFPROTO_INDEX_IPV6, NF_INET_LOCAL_OUT, net, sk, skb, NULL, skb->dst->dev,
		       rawv6_hdrinc_finish);
}

static ssize_t rawv6_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	if (len > INT32_MAX)
		return -EMSGSIZE;
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	/* A header of the program's own makes a packet of each message. */
	return inet_dgram_sendmsg(sk, msg, len, &rawv6_dgram_proto, &raw6_sk(sk)->cork,
				  msg->flags & MSG_MORE && !inet_sk(sk)->hdrincl);
}

/* ---- options, ioctls, /proc/net/raw6 ------------------------------------------------------------------------------- */

int rawv6_set_checksum(struct sock *sk, int offset)
{
	/* RFC 3542 3.1: not odd; a negative one switches it off. */
	if (offset > 0 && offset & 1)
		return -EINVAL;
	inet6_sk(sk)->checksum_offset = offset < 0 ? -1 : offset;
	return 0;
}

static int rawv6_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	int v;

	if (level == IPPROTO_ICMPV6) {
		if (sk->sk_num != IPPROTO_ICMPV6)
			return -EOPNOTSUPP;
		if (name != ICMPV6_FILTER)
			return -ENOPROTOOPT;
		memcpy(inet6_sk(sk)->icmp6_filter, val, min_t(socklen_t, len, ICMP6_FILTER_LEN));
		return 0;
	}
	if (level != SOL_RAW)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	return name == IPV6_CHECKSUM ? rawv6_set_checksum(sk, v) : -ENOPROTOOPT;
}

static int rawv6_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	if (level == IPPROTO_ICMPV6) {
		if (sk->sk_num != IPPROTO_ICMPV6)
			return -EOPNOTSUPP;
		if (name != ICMPV6_FILTER)
			return -ENOPROTOOPT;
		*len = min_t(socklen_t, *len, ICMP6_FILTER_LEN);
		memcpy(val, inet6_sk(sk)->icmp6_filter, *len);
		return 0;
	}
	if (level != SOL_RAW || name != IPV6_CHECKSUM)
		return -ENOPROTOOPT;
	*len = min_t(socklen_t, *len, sizeof(int));
	memcpy(val, &inet6_sk(sk)->checksum_offset, *len);
	return 0;
}

static int rawv6_ioctl(struct sock *sk, unsigned cmd, void *arg)
{
	return inet_dgram_ioctl(sk, cmd, arg, 0);
}

static const struct proto rawv6_prot = {
	.name = "RAWv6",
	.obj_size = sizeof(struct raw6_sock),
	.init = rawv6_init,
	.close = rawv6_close,
	.connect = ip6_datagram_connect,
	.disconnect = inet_dgram_disconnect,
	.ioctl = rawv6_ioctl,
	.setsockopt = rawv6_setsockopt,
	.getsockopt = rawv6_getsockopt,
	.sendmsg = rawv6_sendmsg,
	.recvmsg = rawv6_recvmsg,
	.bind = rawv6_bind,
	.unhash = rawv6_unhash,
};

static const struct inet_protosw rawv6_protosw = {
	.type = SOCK_RAW,
	.protocol = IPPROTO_IP, /* any */
	.prot = &rawv6_prot,
	.ops = &inet6_dgram_ops,
	.flags = INET_PROTOSW_REUSE,
};

static void put_addr(struct text *t, const struct in6_addr *a, u16 port)
{
	u32 w[4];

	memcpy(w, a, sizeof(w));
	text_printf(t, " %08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3], port);
}

static void raw6_show(struct net *net, struct text *t)
{
	text_printf(t, "  sl  local_address                         remote_address"
		       "                        st tx_queue rx_queue tr tm->when retrnsmt   uid  "
		       "timeout inode ref pointer drops\n");
	for (u32 i = 0; i < RAW6_HASH_SIZE; i++) {
		struct sock_common *c;

		hlist_for_each_entry(c, &net->ipv6->raw_hash[i], skc_node) {
			const struct sock *sk = (const struct sock *)c;

			text_printf(t, "%5u:", i);
			put_addr(t, &sk->sk_v6_rcv_saddr, sk->sk_num);
			put_addr(t, &sk->sk_v6_daddr, 0);
			text_printf(
				t,
				" %02X %08X:%08X 00:00000000 00000000 %5u %8d %llu %u %016llx %u\n",
				sk->sk_state, sk->sk_wmem_alloc, sk->sk_rmem_alloc, sk->sk_uid, 0,
				sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL,
				sk->sk_refcnt, (unsigned long long)sk->sk_cookie, sk->sk_drops);
		}
	}
}

/* ---- registration ---------------------------------------------------------------------------------------------------- */

static const struct view_desc raw6_views[] = { { "/proc/net/raw6", raw6_show } };

static int rawv6_machine_init(struct machine *m)
{
	int err = inet_register_protosw(m, AF_INET6, &rawv6_protosw);

	if (!err)
		err = raw6_diag_machine_init(m);
	return err ? err : view_register(m, raw6_views, ARRAY_SIZE(raw6_views));
}

static void rawv6_net_exit(struct net *net)
{
	for (u32 i = 0; i < RAW6_HASH_SIZE; i++)
		while (net->ipv6->raw_hash[i].first)
			rawv6_unhash((struct sock *)container_of(net->ipv6->raw_hash[i].first,
								 struct sock_common, skc_node));
}

const struct ipv6_part rawv6_part = {
	.name = "rawv6",
	.machine_init = rawv6_machine_init,
	.net_exit = rawv6_net_exit,
};
