/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * datagram.c - AF_INET6 sockets and packets: bind, connect, send, control messages, the error queue
 *
 * Theory of operation
 *   ipv6_inet_af_ops is what inet/ calls for every AF_INET6 socket. Such a socket serves both IP versions: a v4-mapped address
 *   (::ffff:a.b.c.d, RFC 4291 2.5.5.2) is an IPv4 address, which goes to the AF_INET operations as a sockaddr_in, and what they
 *   put into the IPv4 members of the sock is written back as mapped addresses. Received packets say themselves what they are
 *   (skb->protocol).
 *   A socket that is bound or connected to an address that is not mapped has 0 in its IPv4 members; inet_common_bound() knows that no
 *   IPv4 packet is for it.
 *   A connected socket caches its dst and revalidates it; any other datagram is routed on its own.
 *   While a packet waits, struct inet_sock_cb in skb->cb keeps what its control messages will say. An ICMPv6 error in the error queue is a
 *   clone of the ICMPv6 packet; addresses are read out of it.
 * Locking: the home cpu's lock; sending may wait for send buffer room and so drop it.
 * See ipv6(7), RFC 3493, RFC 3542, RFC 4007.
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's in6.h */
#include <stdlib.h>

#include <linux/in6.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/sock_reuseport.h"
#include "inet/inet_sock_cb.h"
#include "ipv6/ip6_sockglue.h"
#include "ipv6/ipv6_internal.h"
#include "lib/csum.h"
#include "socket/socket.h"
#include "wire/icmpv6.h"

#define DGRAM_HDR_MAX    8
#define SIN6_LEN_RFC2133 24 /* without sin6_scope_id, as old programs have it */
#define FLOWINFO_MASK    0x0fffffffu

static const struct inet_af_ops *af4(const struct sock *sk)
{
	return inet_af_ops(sock_net(sk), AF_INET);
}

static bool skb_is_ipv4(const struct sk_buff *skb)
{
	return be16_to_cpu(skb->protocol) == ETH_P_IP;
}

bool ipv6_addr_needs_scope_id(const struct in6_addr *a)
{
	u8 scope = a->s6_addr[1] & 15;

	return ipv6_addr_is_multicast(a) ? scope == 1 || scope == 2 : IN6_IS_ADDR_LINKLOCAL(a);
}

u32 ipv6_iface_scope_id(const struct in6_addr *a, int iif)
{
	return ipv6_addr_needs_scope_id(a) ? (u32)iif : 0;
}

bool ipv6_can_nonlocal_bind(const struct sock *sk)
{
	return sock_net(sk)->ipv6->ip_nonlocal_bind || inet_sk(sk)->freebind ||
	       inet_sk(sk)->transparent;
}

void ipv6_flow_init_sk(struct flowi6 *fl, const struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	*fl = (struct flowi6){
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.flowlabel = ip6_flowinfo(np->tclass, np->flow_label),
		.proto = sk->sk_protocol,
		.uid = sk->sk_uid,
		.srcprefs = (u8)np->srcprefs,
	};
	if (sock_flag(sk, SOCK_LOCALROUTE))
		fl->flags |= FLOWI6_FLAG_LOCALROUTE;
	if (inet_sk(sk)->transparent || inet_sk(sk)->freebind || inet_sk(sk)->hdrincl)
		fl->flags |= FLOWI6_FLAG_ANYSRC;
}

/* ---- bind(2) --------------------------------------------------------------------------------------------------- */

static struct sockaddr_in mapped_sockaddr(const struct in6_addr *a, u16 port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = port,
				     .sin_addr.s_addr = ipv6_addr_v4(a).v };
}

/* Raw and ping sockets over IPv6 know nothing of IPv4. */
static bool speaks_ipv4(const struct sock *sk)
{
	return !sk->sk_ipv6only && sk->sk_type != SOCK_RAW && sk->sk_protocol != IPPROTO_ICMPV6;
}

static int bind_mapped(struct sock *sk, const struct sockaddr_in6 *sin6, u16 *ret_port)
{
	struct sockaddr_in sin = mapped_sockaddr(&sin6->sin6_addr, sin6->sin6_port);

	if (!speaks_ipv4(sk))
		return sk->sk_ipv6only && sk->sk_type != SOCK_RAW ? -EINVAL : -EADDRNOTAVAIL;
	return af4(sk)->bind_addr(sk, (const struct sockaddr *)&sin, sizeof(sin), ret_port);
}

/* The device that @sin6's address is an address on, RFC 4007: also the one that @sk is bound to from now on. 0 or -errno */
static int bind_scope(struct sock *sk, const struct sockaddr_in6 *sin6, socklen_t len,
		      struct net_device **ret_dev)
{
	int oif = sk->sk_bound_dev_if;

	if (!ipv6_addr_needs_scope_id(&sin6->sin6_addr)) {
		*ret_dev = oif ? __dev_get_by_index(sock_net(sk), oif) : NULL;
		return oif && !*ret_dev ? -ENODEV : 0;
	}
	if (len >= sizeof(*sin6) && sin6->sin6_scope_id)
		oif = (int)sin6->sin6_scope_id;
	if (!oif)
		return -EINVAL;
	*ret_dev = __dev_get_by_index(sock_net(sk), oif);
	if (!*ret_dev)
		return -ENODEV;
	sk->sk_bound_dev_if = oif;
	return 0;
}

static int ipv6_bind_addr(struct sock *sk, const struct sockaddr *addr, socklen_t len,
			  u16 *ret_port)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)addr;
	struct net_device *dev;
	bool multicast;
	int err;

	if (sk->sk_protocol == IPPROTO_ICMPV6 && sk->sk_type == SOCK_DGRAM && len < sizeof(*sin6))
		return -EINVAL;
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (sin6->sin6_family != AF_INET6)
		return sk->sk_type == SOCK_RAW ? -EINVAL : -EAFNOSUPPORT;
	multicast = ipv6_addr_is_multicast(&sin6->sin6_addr);
	if (multicast && sk->sk_type == SOCK_STREAM)
		return -EINVAL;
	if (ipv6_addr_v4mapped(&sin6->sin6_addr))
		return bind_mapped(sk, sin6, ret_port);
	if (!ipv6_addr_any(&sin6->sin6_addr)) {
		err = bind_scope(sk, sin6, len, &dev);
		if (err)
			return err;
		/* Ping sockets send from what they are bound to: it must be an address to send from. */
		if (multicast && sk->sk_protocol == IPPROTO_ICMPV6 && sk->sk_type == SOCK_DGRAM)
			return -EADDRNOTAVAIL;
		if (!multicast && !ipv6_can_nonlocal_bind(sk) &&
		    !ipv6_chk_addr(sock_net(sk), &sin6->sin6_addr, dev, false))
			return -EADDRNOTAVAIL;
	}
	*ret_port = be16_to_cpu(be16_raw(sin6->sin6_port));
	return 0;
}

/* The IPv4 members follow from the IPv6 ones. */
static void set_ipv4_addr(struct sock *sk, const struct in6_addr *a)
{
	struct sockaddr_in sin;

	if (ipv6_addr_v4mapped(a)) {
		sin = mapped_sockaddr(a, 0);
		af4(sk)->set_addr(sk, (const struct sockaddr *)&sin);
		return;
	}
	sk->sk_rcv_saddr = (be32){ 0 };
	inet_sk(sk)->inet_saddr = (be32){ 0 };
}

static void ipv6_set_addr(struct sock *sk, const struct sockaddr *addr)
{
	struct in6_addr a = in6addr_any;

	if (addr)
		a = ((const struct sockaddr_in6 *)addr)->sin6_addr;
	sk->sk_v6_rcv_saddr = a;
	/* Received from, but never sent from. */
	inet6_sk(sk)->saddr = ipv6_addr_is_multicast(&a) ? in6addr_any : a;
	set_ipv4_addr(sk, &a);
}

/* ---- connect(2) ------------------------------------------------------------------------------------------------ */

/* What the AF_INET operations have set, as mapped addresses. */
static void ipv4_connected(struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	static const struct in6_addr mapped_any = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

	ipv6_addr_set_v4mapped(sk->sk_daddr, &sk->sk_v6_daddr);
	if (ipv6_addr_any(&np->saddr) || ipv6_addr_equal(&np->saddr, &mapped_any))
		ipv6_addr_set_v4mapped(inet_sk(sk)->inet_saddr, &np->saddr);
	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr) ||
	    ipv6_addr_equal(&sk->sk_v6_rcv_saddr, &mapped_any))
		ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &sk->sk_v6_rcv_saddr);
}

static int connect_ipv4(struct sock *sk, const struct sockaddr_in *sin, socklen_t len)
{
	int err = af4(sk)->datagram_connect(sk, (const struct sockaddr *)sin, len);

	if (!err)
		ipv4_connected(sk);
	return err;
}

/* RFC 4007: a link-local destination is one on a device, which the socket is bound to from now on. */
static int connect_scope(struct sock *sk, const struct sockaddr_in6 *sin6, socklen_t len)
{
	const struct in6_addr *daddr = &sin6->sin6_addr;

	if (!ipv6_addr_needs_scope_id(daddr))
		return 0;
	if (len >= sizeof(*sin6) && sin6->sin6_scope_id) {
		if (sk->sk_bound_dev_if && sk->sk_bound_dev_if != (int)sin6->sin6_scope_id)
			return -EINVAL;
		sk->sk_bound_dev_if = (int)sin6->sin6_scope_id;
	}
	if (!sk->sk_bound_dev_if && ipv6_addr_is_multicast(daddr))
		sk->sk_bound_dev_if = inet6_sk(sk)->mcast_oif;
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

/* Where and by which device: what the socket says about groups and other destinations. */
static void flow_set_oif(struct flowi6 *fl, const struct sock *sk)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	if (fl->oif)
		return;
	if (np->sticky_pktinfo_ifindex)
		fl->oif = np->sticky_pktinfo_ifindex;
	else
		fl->oif = ipv6_addr_is_multicast(&fl->daddr) ? np->mcast_oif : np->ucast_oif;
}

/* A held route; fl->daddr stays the final destination. */
static struct rt6_info *flow_route(struct sock *sk, struct flowi6 *fl,
				   const struct ipv6_txoptions *opt, int *ret_err)
{
	struct in6_addr final;
	struct rt6_info *rt;

	fl6_update_dst(fl, opt, &final);
	rt = ip6_route_output(sock_net(sk), fl, sk, ret_err);
	fl->daddr = final;
	if (!rt && *ret_err == -ENETUNREACH)
		NET_INC_STATS(sock_net(sk), MIB_Ip6_OutNoRoutes);
	return rt;
}

/* "Any" as a destination is ourselves, in the version of what the socket is bound to. */
static struct in6_addr self_if_any(const struct in6_addr *daddr, const struct in6_addr *own)
{
	struct in6_addr a = *daddr;

	if (ipv6_addr_any(daddr)) {
		if (ipv6_addr_v4mapped(own))
			ipv6_addr_set_v4mapped(cpu_to_be32(INADDR_LOOPBACK), &a);
		else
			a = in6addr_loopback;
	}
	return a;
}

static int connect_ipv6(struct sock *sk, const struct sockaddr_in6 *sin6, be32 flowinfo)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct ipv6_txoptions *opt;
	struct rt6_info *rt;
	struct flowi6 fl;
	int err;

	ipv6_flow_init_sk(&fl, sk);
	fl.flowlabel = ip6_flowinfo(np->tclass, flowinfo);
	fl.saddr = np->saddr;
	fl.daddr = sin6->sin6_addr;
	fl.sport = inet_sk(sk)->inet_sport;
	fl.dport = be16_raw(sin6->sin6_port);
	flow_set_oif(&fl, sk);
	err = fl6_sock_lookup(sk, flowinfo, &opt);
	if (err)
		return err;
	rt = flow_route(sk, &fl, np->opt ? np->opt : opt, &err);
	if (!rt)
		return err;
	np->flow_label = flowinfo;
	sk->sk_v6_daddr = fl.daddr;
	sk->sk_daddr = (be32){ 0 };
	sk->sk_dport = fl.dport;
	if (ipv6_addr_any(&np->saddr))
		np->saddr = fl.saddr;
	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr)) {
		reuseport_detach_sock(sk); /* which is for another address now */
		sk->sk_v6_rcv_saddr = fl.saddr;
	}
	sk->sk_state = SS_TCP_ESTABLISHED;
	inet6_sk_rx_dst_reset(np);
	sk_dst_set(sk, &rt->dst);
	return 0;
}

int ip6_datagram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;
	be32 flowinfo = BE32_INIT(0);
	int err;

	if (addr->sa_family == AF_INET)
		return sk->sk_ipv6only ? -EAFNOSUPPORT
				       : connect_ipv4(sk, (const struct sockaddr_in *)addr, len);
	if (len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (addr->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	memset(&sin6, 0, sizeof(sin6));
	memcpy(&sin6, addr, min_t(size_t, len, sizeof(sin6)));
	sk_dst_reset(sk);
	sin6.sin6_addr = self_if_any(&sin6.sin6_addr, &sk->sk_v6_rcv_saddr);
	if (ipv6_addr_v4mapped(&sin6.sin6_addr)) {
		if (sk->sk_ipv6only)
			return -ENETUNREACH;
		sin = mapped_sockaddr(&sin6.sin6_addr, sin6.sin6_port);
		return connect_ipv4(sk, &sin, sizeof(sin));
	}
	if (inet6_sk(sk)->sndflow)
		flowinfo = be32_raw(sin6.sin6_flowinfo & cpu_to_be32(FLOWINFO_MASK).v);
	err = connect_scope(sk, &sin6, len);
	return err ? err : connect_ipv6(sk, &sin6, flowinfo);
}

/* ---- control messages of sendmsg(2) ------------------------------------------------------------------------------- */

/* One datagram on its way: what sendmsg(2) said, merged with what the socket says. */
struct dgram6_tx {
	struct sock *sk;
	struct flowi6 fl;
	struct ipcm6_cookie ipc;
	struct ipv6_txoptions *fl_opt; /* borrowed, of the flow label */
	bool connected;                /* the socket's cached dst will do */
};

static int cmsg_int(const struct cmsghdr *cmsg, size_t len, int min, int max, int *ret)
{
	if (len != sizeof(int))
		return -EINVAL;
	memcpy(ret, CMSG_DATA(cmsg), sizeof(int));
	return *ret < min || *ret > max ? -EINVAL : 0;
}

static int cmsg_pktinfo(const struct cmsghdr *cmsg, size_t len, struct dgram6_tx *tx)
{
	struct net *net = sock_net(tx->sk);
	struct net_device *dev = NULL;
	struct in6_pktinfo info;
	bool link_local, strict;

	if (len < sizeof(info))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	if (info.ipi6_ifindex) {
		if (tx->fl.oif && (int)info.ipi6_ifindex != tx->fl.oif)
			return -EINVAL;
		tx->fl.oif = (int)info.ipi6_ifindex;
	}
	link_local = ipv6_addr_type(&info.ipi6_addr) & IPV6_ADDR_LINKLOCAL;
	if (tx->fl.oif) {
		dev = __dev_get_by_index(net, tx->fl.oif);
		if (!dev)
			return -ENODEV;
	} else if (link_local) {
		return -EINVAL;
	}
	if (ipv6_addr_any(&info.ipi6_addr))
		return 0;
	strict = ipv6_addr_scope(&info.ipi6_addr) <= 2;
	if (!ipv6_can_nonlocal_bind(tx->sk) &&
	    !ipv6_chk_addr(net, &info.ipi6_addr, strict ? dev : NULL, false) &&
	    !ipv6_chk_acast_addr(net, dev, &info.ipi6_addr))
		return -EINVAL;
	tx->fl.saddr = info.ipi6_addr;
	return 0;
}

/* Of a socket for any destination: what was received can be answered with what came along. */
static int cmsg_origdst(const struct cmsghdr *cmsg, size_t len, struct dgram6_tx *tx)
{
	struct sockaddr_in6 sin6;

	if (len < sizeof(sin6) || !inet_sk(tx->sk)->listen_any)
		return -EINVAL;
	memcpy(&sin6, CMSG_DATA(cmsg), sizeof(sin6));
	tx->fl.saddr = sin6.sin6_addr;
	tx->fl.sport = be16_raw(sin6.sin6_port);
	return 0;
}

static int cmsg_flowinfo(const struct cmsghdr *cmsg, size_t len, struct dgram6_tx *tx)
{
	be32 v;

	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, CMSG_DATA(cmsg), sizeof(v));
	tx->fl.flowlabel = be32_raw(v.v & cpu_to_be32(FLOWINFO_MASK).v);
	return 0;
}

/* Which header; RFC 2292's names are older ones for the same. -1: none */
static int cmsg_option_type(int type)
{
	switch (type) {
	case IPV6_HOPOPTS:
	case IPV6_2292HOPOPTS:
		return IPV6_HOPOPTS;
	case IPV6_DSTOPTS:
	case IPV6_2292DSTOPTS:
		return IPV6_DSTOPTS;
	case IPV6_RTHDRDSTOPTS:
		return IPV6_RTHDRDSTOPTS;
	case IPV6_RTHDR:
	case IPV6_2292RTHDR:
		return IPV6_RTHDR;
	default:
		return -1;
	}
}

static bool txopt_has(const struct ipv6_txoptions *opt, int type)
{
	if (!opt)
		return false;
	return (type == IPV6_HOPOPTS   ? opt->hopopt
		: type == IPV6_DSTOPTS ? opt->dst1opt
		: type == IPV6_RTHDR   ? opt->srcrt
				       : opt->dst0opt) != 0;
}

int ip6_cmsg_option(struct sock *sk, const struct cmsghdr *cmsg, size_t len,
		    struct ipv6_txoptions **opt)
{
	int type = cmsg_option_type(cmsg->cmsg_type), err;
	const u8 *hdr = CMSG_DATA(cmsg);
	struct ipv6_txoptions *renewed;
	u32 hlen;

	if (type < 0 || len < 2 || (txopt_has(*opt, type) && cmsg->cmsg_type != IPV6_2292DSTOPTS))
		return -EINVAL;
	hlen = ((u32)hdr[1] + 1) * 8;
	if (hlen > len)
		return -EINVAL;
	renewed = ipv6_renew_options(sk, *opt, type, hdr, hlen, &err);
	if (!renewed)
		return err;
	txopt_put(*opt);
	*opt = renewed;
	return 0;
}

static int cmsg_send_one(const struct cmsghdr *cmsg, size_t len, void *arg)
{
	struct dgram6_tx *tx = arg;
	int v, err;

	if (cmsg->cmsg_level == SOL_SOCKET)
		return sock_cmsg_send(tx->sk, cmsg, len, &tx->ipc.sockc);
	if (cmsg->cmsg_level != SOL_IPV6)
		return 0;
	switch (cmsg->cmsg_type) {
	case IPV6_PKTINFO:
	case IPV6_2292PKTINFO:
		return cmsg_pktinfo(cmsg, len, tx);
	case IPV6_ORIGDSTADDR:
		return cmsg_origdst(cmsg, len, tx);
	case IPV6_FLOWINFO:
		return cmsg_flowinfo(cmsg, len, tx);
	case IPV6_HOPLIMIT:
	case IPV6_2292HOPLIMIT:
		err = cmsg_int(cmsg, len, -1, 255, &v);
		if (!err)
			tx->ipc.hlimit = (s16)v;
		return err;
	case IPV6_TCLASS:
		err = cmsg_int(cmsg, len, -1, 255, &v);
		if (!err)
			tx->ipc.tclass = (s16)v;
		return err;
	case IPV6_DONTFRAG:
		err = cmsg_int(cmsg, len, 0, 1, &v);
		if (!err)
			tx->ipc.dontfrag = v;
		return err;
	default:
		return ip6_cmsg_option(tx->sk, cmsg, len, &tx->ipc.opt);
	}
}

/* ---- sending -------------------------------------------------------------------------------------------------- */

/* The destination that @msg names. 0 (and *ret_connected: none, it is the peer), or -errno */
static int tx_name(const struct sock *sk, const struct kmsghdr *msg, bool ports,
		   struct sockaddr_in6 *ret, bool *ret_connected)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)msg->name;
	bool raw = sk->sk_type == SOCK_RAW;

	*ret_connected = !sin6 || !msg->namelen;
	if (*ret_connected)
		return 0;
	if (msg->namelen < sizeof(sin6->sin6_family))
		return -EINVAL;
	if (sin6->sin6_family == AF_UNSPEC && !raw && ports) {
		*ret_connected = true;
		return 0;
	}
	if (msg->namelen < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (sin6->sin6_family != AF_INET6 && !(raw && sin6->sin6_family == AF_UNSPEC))
		return ports ? -EINVAL : -EAFNOSUPPORT;
	if (!sin6->sin6_port && ports)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, sin6, min_t(size_t, msg->namelen, sizeof(*ret)));
	ret->sin6_addr = self_if_any(&sin6->sin6_addr, &inet6_sk(sk)->saddr);
	return 0;
}

/* An IPv4 packet of an AF_INET6 socket. */
static ssize_t send_ipv4(struct sock *sk, struct kmsghdr *msg, size_t len,
			 const struct inet_dgram_proto *proto, const struct sockaddr_in *sin)
{
	struct sockaddr_storage *name = msg->name, ss = { 0 };
	socklen_t namelen = msg->namelen;
	ssize_t ret;

	if (sk->sk_ipv6only)
		return -ENETUNREACH;
	if (sin) {
		memcpy(&ss, sin, sizeof(*sin));
		msg->name = &ss;
		msg->namelen = sizeof(*sin);
	}
	ret = af4(sk)->datagram_send(sk, msg, len, proto);
	msg->name = name;
	msg->namelen = namelen;
	return ret;
}

/* The destination's place in the flow; the label that goes with it. */
static int tx_dest(struct sock *sk, const struct sockaddr_in6 *sin6, socklen_t namelen,
		   struct dgram6_tx *tx)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	if (tx->connected) {
		if (sk->sk_state != SS_TCP_ESTABLISHED)
			return -EDESTADDRREQ;
		tx->fl.daddr = sk->sk_v6_daddr;
		tx->fl.dport = sk->sk_dport;
		return 0;
	}
	tx->fl.daddr = sin6->sin6_addr;
	tx->fl.dport = be16_raw(sin6->sin6_port);
	tx->fl.flowlabel = BE32_INIT(0);
	if (np->sndflow)
		tx->fl.flowlabel = be32_raw(sin6->sin6_flowinfo & cpu_to_be32(FLOWINFO_MASK).v);
	if (namelen >= sizeof(*sin6) && sin6->sin6_scope_id &&
	    ipv6_addr_needs_scope_id(&sin6->sin6_addr)) {
		if (sk->sk_bound_dev_if && sk->sk_bound_dev_if != (int)sin6->sin6_scope_id)
			return -EINVAL;
		tx->fl.oif = (int)sin6->sin6_scope_id;
	}
	return 0;
}

/* raw(7) over IPv6: the port of the address is the protocol, if anything. */
static int tx_raw_protocol(const struct sock *sk, struct dgram6_tx *tx)
{
	u16 proto = tx->connected ? 0 : be16_to_cpu(tx->fl.dport);

	if (sk->sk_type != SOCK_RAW)
		return 0;
	tx->fl.dport = (be16){ 0 };
	if (!proto)
		return 0;
	if ((proto != sk->sk_num && sk->sk_num != IPPROTO_RAW) || proto > 255)
		return -EINVAL;
	tx->fl.proto = (u8)proto;
	return 0;
}

/* Everything that the message and the socket say about this datagram. 0 or -errno; tx->ipc.opt is held in any case */
static int tx_prepare(struct sock *sk, struct kmsghdr *msg, size_t len,
		      const struct inet_dgram_proto *proto, struct dgram6_tx *tx,
		      const struct sockaddr_in6 *sin6)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	int err = tx_dest(sk, sin6, msg->namelen, tx);

	if (!err)
		err = tx_raw_protocol(sk, tx);
	if (!err && proto->tx_options) {
		struct inet_dgram_tx own = { 0 };

		err = proto->tx_options(sk, msg, len, &own);
		tx->ipc.gso_size = own.gso_size;
	}
	if (err)
		return err;
	if (!tx->fl.oif)
		tx->fl.oif = np->sticky_pktinfo_ifindex;
	if (msg->controllen) {
		err = cmsg_walk(msg, cmsg_send_one, tx);
		if (err)
			return err;
		tx->connected = false;
	}
	err = fl6_sock_lookup(sk, tx->fl.flowlabel, &tx->fl_opt);
	if (err)
		return err;
	if (!tx->ipc.opt) {
		tx->ipc.opt = np->opt ? np->opt : tx->fl_opt;
		if (tx->ipc.opt)
			tx->ipc.opt->refcount++;
	}
	tx->fl.mark = tx->ipc.sockc.mark;
	if (be16_zero(tx->fl.sport))
		tx->fl.sport = inet_sk(sk)->inet_sport;
	if (tx->ipc.tclass < 0)
		tx->ipc.tclass = np->tclass;
	tx->fl.flowlabel = ip6_flowinfo((u8)tx->ipc.tclass, tx->fl.flowlabel);
	if (ipv6_addr_any(&tx->fl.saddr))
		tx->fl.saddr = np->saddr;
	if (ipv6_addr_any(&tx->fl.saddr))
		tx->fl.saddr = np->sticky_pktinfo_addr;
	if (ipv6_addr_is_multicast(&tx->fl.daddr))
		tx->connected = false;
	flow_set_oif(&tx->fl, sk);
	if (msg->flags & MSG_DONTROUTE) {
		tx->fl.flags |= FLOWI6_FLAG_LOCALROUTE;
		tx->connected = false;
	}
	return 0;
}

/* A held route. */
static struct rt6_info *tx_route(struct sock *sk, struct dgram6_tx *tx, int *ret_err)
{
	struct dst_entry *dst = tx->connected ? sk_dst_check(sk) : NULL;
	struct rt6_info *rt;

	if (dst) {
		dst_hold(dst);
		return (struct rt6_info *)dst;
	}
	rt = flow_route(sk, &tx->fl, tx->ipc.opt, ret_err);
	if (rt && tx->connected) {
		dst_hold(&rt->dst);
		sk_dst_set(sk, &rt->dst);
	}
	return rt;
}

/* Builds the packet and sends it. Takes over @rt. */
static int tx_packet(struct sock *sk, struct kmsghdr *msg, u32 len, struct dgram6_tx *tx,
		     struct rt6_info *rt, const struct inet_dgram_proto *proto, const u8 *hdr)
{
	struct inet_dgram_addrs addrs;
	struct sk_buff *skb;
	int err = 0;

	skb = ip6_make_skb(sk, &tx->fl, &msg->iter, len, proto->hdr_len, &rt, msg->flags, &tx->ipc,
			   &err);
	if (!skb) {
		ip6_rt_put(rt);
		return err;
	}
	/* The final destination counts, behind a routing header too (RFC 8200 8.1). */
	addrs = (struct inet_dgram_addrs){
		.family = AF_INET6,
		.pseudo = csum_ipv6_nofold(&tx->fl.saddr, &tx->fl.daddr, 0, 0, 0),
		.sport = tx->fl.sport,
		.dport = tx->fl.dport,
		.protocol = tx->fl.proto,
		.gso_size = tx->ipc.gso_size,
	};
	err = proto->build(sk, skb, &addrs, hdr);
	if (err) {
		consume_skb(skb);
		return err;
	}
	if (tx->fl.proto == IPPROTO_ICMPV6 && skb_transport_offset(skb) < (int)skb_headlen(skb))
		icmpv6_count_out(sock_net(sk), *skb_transport_header(skb));
	return ip6_send_skb(sock_net(sk), skb);
}

static int tx_send(struct sock *sk, struct kmsghdr *msg, size_t len, struct dgram6_tx *tx,
		   const struct inet_dgram_proto *proto)
{
	u32 total = (u32)len + (proto->hdr_in_msg ? 0u : proto->hdr_len);
	u8 hdr[DGRAM_HDR_MAX] = { 0 };
	struct rt6_info *rt;
	int err = 0;

	assert(proto->hdr_len <= DGRAM_HDR_MAX);
	rt = tx_route(sk, tx, &err);
	if (!rt)
		return err;
	if (msg->flags & MSG_PROBE) {
		ip6_rt_put(rt);
		return 0;
	}
	if (proto->hdr_in_msg &&
	    copy_from_iter(hdr, proto->hdr_len, &msg->iter) != proto->hdr_len) {
		ip6_rt_put(rt);
		return -EFAULT;
	}
	if (inet_sk(sk)->hdrincl) {
		err = rawv6_send_hdrinc(sk, &tx->fl, msg, total, &rt);
		ip6_rt_put(rt);
	} else {
		err = tx_packet(sk, msg, total, tx, rt, proto, hdr);
	}
	if (proto->sent)
		proto->sent(sk, AF_INET6, err);
	/* A full queue on the way is a loss like any other, unless the program wants to know. */
	return err == -ENOBUFS && !inet6_sk(sk)->recverr ? 0 : err;
}

static ssize_t ip6_datagram_send(struct sock *sk, struct kmsghdr *msg, size_t len,
				 const struct inet_dgram_proto *proto)
{
	bool ports = proto->hdr_len && !proto->hdr_in_msg;
	struct sockaddr_in6 sin6;
	struct sockaddr_in sin;
	struct dgram6_tx tx;
	int err;

	if (msg->name && msg->namelen >= sizeof(sin.sin_family) && ports &&
	    msg->name->ss_family == AF_INET)
		return send_ipv4(sk, msg, len, proto, NULL);
	err = tx_name(sk, msg, ports, &sin6, &tx.connected);
	if (err)
		return err;
	if (ports && !tx.connected && ipv6_addr_v4mapped(&sin6.sin6_addr)) {
		sin = mapped_sockaddr(&sin6.sin6_addr, sin6.sin6_port);
		return send_ipv4(sk, msg, len, proto, &sin);
	}
	if (tx.connected && sk->sk_state == SS_TCP_ESTABLISHED &&
	    ipv6_addr_v4mapped(&sk->sk_v6_daddr)) {
		sin = mapped_sockaddr(&sk->sk_v6_daddr, sk->sk_dport.v);
		return send_ipv4(sk, msg, len, proto, &sin);
	}
	tx.sk = sk;
	ipv6_flow_init_sk(&tx.fl, sk);
	tx.ipc.hlimit = tx.ipc.tclass = -1;
	tx.ipc.dontfrag = inet6_sk(sk)->dontfrag;
	tx.ipc.gso_size = 0;
	tx.ipc.opt = NULL;
	sockcm_init(&tx.ipc.sockc, sk);
	err = tx_prepare(sk, msg, len, proto, &tx, &sin6);
	if (!err)
		err = tx_send(sk, msg, len, &tx, proto);
	txopt_put(tx.ipc.opt);
	return err ? err : (ssize_t)len;
}

/* ---- received packets ------------------------------------------------------------------------------------------- */

/* The device is let go, its number stays; so does what the control messages need of the header. */
static void ipv6_rcv_prepare(struct sock *sk, struct sk_buff *skb)
{
	if (skb_is_ipv4(skb)) {
		af4(sk)->rcv_prepare(sk, skb);
		return;
	}
	INET_SOCK_CB(skb)->ifindex = IP6CB(skb)->iif;
	skb_dst_drop(skb);
}

static const u8 *ipv4_octets(const struct sk_buff *skb)
{
	return skb_network_header(skb);
}

/* An IPv4 packet's source or destination, mapped. */
static struct in6_addr mapped_from_packet(const struct sk_buff *skb, u32 off)
{
	struct in6_addr a;
	be32 v4;

	memcpy(&v4, ipv4_octets(skb) + off, sizeof(v4));
	ipv6_addr_set_v4mapped(v4, &a);
	return a;
}
#define IPV4_OFF_SADDR 12
#define IPV4_OFF_DADDR 16

static void msg_set_name(struct kmsghdr *msg, const struct in6_addr *addr, be16 port, be32 flowinfo,
			 u32 scope_id)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)msg->name;

	if (!sin6)
		return;
	*sin6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
				       .sin6_port = port.v,
				       .sin6_flowinfo = flowinfo.v,
				       .sin6_addr = *addr,
				       .sin6_scope_id = scope_id };
	msg->namelen = sizeof(*sin6);
}

static be32 packet_flowinfo(const struct ipv6_hdr *h)
{
	return be32_raw(h->ver_tc_flow.v & cpu_to_be32(FLOWINFO_MASK).v);
}

static void ipv6_rcv_name(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb,
			  be16 sport)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	bool ping = sk->sk_protocol == IPPROTO_ICMPV6 && sk->sk_type == SOCK_DGRAM;
	struct in6_addr a;

	if (!msg->name)
		return;
	if (skb_is_ipv4(skb)) {
		a = mapped_from_packet(skb, IPV4_OFF_SADDR);
		msg_set_name(msg, &a, sport, BE32_INIT(0), 0);
		return;
	}
	msg_set_name(msg, &h->saddr, sport,
		     ping && inet6_sk(sk)->sndflow ? packet_flowinfo(h) : BE32_INIT(0),
		     ipv6_iface_scope_id(&h->saddr, INET_SOCK_CB(skb)->parm.iif));
}

static void put_pktinfo(struct kmsghdr *msg, const struct sk_buff *skb, int type)
{
	struct in6_pktinfo info = { .ipi6_ifindex = (u32)INET_SOCK_CB(skb)->parm.iif };

	info.ipi6_addr =
		skb_is_ipv4(skb) ? mapped_from_packet(skb, IPV4_OFF_DADDR) : ipv6_hdr(skb)->daddr;
	put_cmsg(msg, SOL_IPV6, type, sizeof(info), &info);
}

static void put_int(struct kmsghdr *msg, int type, int v)
{
	put_cmsg(msg, SOL_IPV6, type, sizeof(v), &v);
}

static void recv_origdst(struct kmsghdr *msg, const struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = h->daddr };

	/* UDP and TCP: the destination port is the second half-word. In front of what an ICMP error quotes it cannot be copied. */
	if (skb_transport_header(skb) + 4 <= skb_tail_pointer(skb))
		memcpy(&sin6.sin6_port, skb_transport_header(skb) + 2, sizeof(sin6.sin6_port));
	else if (skb_copy_bits(skb, (u32)skb_transport_offset(skb) + 2, &sin6.sin6_port,
			       sizeof(sin6.sin6_port)))
		return;
	sin6.sin6_scope_id = ipv6_iface_scope_id(&h->daddr, INET_SOCK_CB(skb)->parm.iif);
	put_cmsg(msg, SOL_IPV6, IPV6_ORIGDSTADDR, sizeof(sin6), &sin6);
}

/* What the header of an IPv6 packet says, as far as @rxopt asks. */
static void recv_specific(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb,
			  u32 rxopt)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	be32 flowinfo = packet_flowinfo(h);

	if (rxopt & IPV6_RX_HOPLIMIT)
		put_int(msg, IPV6_HOPLIMIT, h->hop_limit);
	if (rxopt & IPV6_RX_TCLASS)
		put_int(msg, IPV6_TCLASS, ipv6_get_dsfield(h));
	if (rxopt & IPV6_RX_FLOW && !be32_zero(flowinfo))
		put_cmsg(msg, SOL_IPV6, IPV6_FLOWINFO, sizeof(flowinfo), &flowinfo);
	ipv6_datagram_recv_exthdrs(sk, msg, skb, IPV6_RX_NEW_EXTHDRS);
	if (rxopt & IPV6_RX_OPKTINFO)
		put_pktinfo(msg, skb, IPV6_2292PKTINFO);
	if (rxopt & IPV6_RX_OHOPLIMIT)
		put_int(msg, IPV6_2292HOPLIMIT, h->hop_limit);
	ipv6_datagram_recv_exthdrs(sk, msg, skb, IPV6_RX_OLD_EXTHDRS);
	if (rxopt & IPV6_RX_ORIGDSTADDR)
		recv_origdst(msg, skb);
	if (rxopt & IPV6_RX_FRAGSIZE && IP6CB(skb)->frag_max_size)
		put_int(msg, IPV6_RECVFRAGSIZE, IP6CB(skb)->frag_max_size);
}

/* ---- headers of a stream's packets ---------------------------------------------------------------------------------- */

struct sk_buff *ipv6_pktoptions(const struct sock *sk, const struct sk_buff *skb)
{
	u32 from, len;
	struct sk_buff *n;

	if (!inet_sk(sk)->pinet6 || !inet6_sk(sk)->rxopt || skb_is_ipv4(skb))
		return NULL;
	/* And the ports, for IPV6_ORIGDSTADDR. */
	from = skb->network_header;
	len = (u32)skb->transport_header - from + 4;
	n = alloc_skb(skb->cpu, len);
	if (!n)
		return NULL;
	skb_reset_network_header(n);
	skb_put_data(n, skb->head + from, len);
	n->transport_header = (u16)(n->network_header + len - 4);
	n->protocol = skb->protocol;
	memset(n->cb, 0, sizeof(n->cb));
	return n;
}

void ipv6_set_pktoptions(struct sock *sk, struct sk_buff *opts)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	consume_skb(np->pktoptions);
	np->pktoptions = opts;
	np->mcast_oif = INET_SOCK_CB(opts)->parm.iif;
	np->mcast_hops = ipv6_hdr(opts)->hop_limit;
	np->rcv_flowinfo = packet_flowinfo(ipv6_hdr(opts));
}

void ipv6_recv_pktoptions(const struct sock *sk, struct kmsghdr *msg, const struct sk_buff *opts)
{
	u32 rxopt = inet6_sk(sk)->rxopt;

	if (rxopt & IPV6_RX_PKTINFO)
		put_pktinfo(msg, opts, IPV6_PKTINFO);
	recv_specific((struct sock *)sk, msg, opts, rxopt);
}

static void ipv6_recv_cmsg(struct sock *sk, struct kmsghdr *msg, struct sk_buff *skb)
{
	u32 rxopt = inet6_sk(sk)->rxopt;

	if (rxopt & IPV6_RX_PKTINFO)
		put_pktinfo(msg, skb, IPV6_PKTINFO);
	if (skb_is_ipv4(skb))
		af4(sk)->recv_cmsg(sk, msg, skb);
	else if (rxopt)
		recv_specific(sk, msg, skb, rxopt);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

void ipv6_icmp_error(struct sock *sk, struct sk_buff *skb, int err, be16 port, u32 info,
		     u8 *payload)
{
	const struct icmpv6_hdr *icmp;
	u32 off = (u32)(payload - skb->data);
	struct inet_sock_cb *cb;
	struct sk_buff *copy;

	if (skb_is_ipv4(skb)) {
		af4(sk)->icmp_error(sk, skb, err, port, info, payload);
		return;
	}
	if (!inet6_sk(sk)->recverr || off > skb_headlen(skb))
		return;
	copy = skb_clone(skb);
	if (!copy)
		return;
	icmp = (const struct icmpv6_hdr *)skb->data - 1; /* in front of the inner header */
	cb = INET_SOCK_CB(copy);
	cb->ifindex = IP6CB(skb)->iif;
	cb->ee = (struct sock_extended_err){ .ee_errno = (u32)err,
					     .ee_origin = SO_EE_ORIGIN_ICMP6,
					     .ee_type = icmp->type,
					     .ee_code = icmp->code,
					     .ee_info = info };
	/* RFC 4884 4.3, 4.4: in 64-bit words. */
	if (inet6_sk(sk)->recverr_rfc4884 &&
	    (icmp->type == ICMPV6_DEST_UNREACH || icmp->type == ICMPV6_TIME_EXCEED))
		cb->ee.ee_rfc4884 = inet_rfc4884(skb, off, 8u * *(const u8 *)&icmp->un);
	cb->addr_off =
		(u32)(skb->data - skb_network_header(skb)) + (u32)offsetof(struct ipv6_hdr, daddr);
	cb->port = port;
	__skb_pull(copy, off);
	skb_dst_drop(copy);
	sock_queue_err_skb(sk, copy);
}

/* A packet that never was, with @fl's destination. NULL: no memory */
static struct sk_buff *local_report(const struct sock *sk, const struct flowi6 *fl)
{
	struct sk_buff *skb = alloc_skb(sk->sk_cpu, sizeof(struct ipv6_hdr));
	struct ipv6_hdr *h;

	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	h = skb_put_zero(skb, sizeof(*h));
	h->daddr = fl->daddr;
	__skb_pull(skb, sizeof(*h));
	skb_reset_transport_header(skb);
	skb->protocol = BE16_INIT(ETH_P_IPV6);
	memset(skb->cb, 0, sizeof(skb->cb));
	return skb;
}

void ipv6_local_error(struct sock *sk, int err, const struct flowi6 *fl, u32 info)
{
	struct inet_sock_cb *cb;
	struct sk_buff *skb;

	if (!inet6_sk(sk)->recverr)
		return;
	skb = local_report(sk, fl);
	if (!skb)
		return;
	cb = INET_SOCK_CB(skb);
	cb->ee = (struct sock_extended_err){ .ee_errno = (u32)err,
					     .ee_origin = SO_EE_ORIGIN_LOCAL,
					     .ee_info = info };
	cb->addr_off = offsetof(struct ipv6_hdr, daddr);
	cb->port = fl->dport;
	sock_queue_err_skb(sk, skb);
}

void ipv6_local_rxpmtu(struct sock *sk, const struct flowi6 *fl, u32 mtu)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct sk_buff *skb;

	if (!(np->rxopt & IPV6_RX_PMTU))
		return;
	skb = local_report(sk, fl);
	if (!skb)
		return;
	INET_SOCK_CB(skb)->ee.ee_info = mtu;
	consume_skb(np->rxpmtu); /* only the latest counts */
	np->rxpmtu = skb;
}

static bool ipv6_recv_pathmtu(struct sock *sk, struct kmsghdr *msg)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct sk_buff *skb = np->rxpmtu;
	struct ip6_mtuinfo info;

	if (likely(!skb) || !(np->rxopt & IPV6_RX_PMTU))
		return false;
	np->rxpmtu = NULL;
	info = (struct ip6_mtuinfo){ .ip6m_addr.sin6_family = AF_INET6 };
	info.ip6m_mtu = INET_SOCK_CB(skb)->ee.ee_info;
	info.ip6m_addr.sin6_addr = ipv6_hdr(skb)->daddr;
	if (msg->name)
		msg_set_name(msg, &info.ip6m_addr.sin6_addr, (be16){ 0 }, BE32_INIT(0), 0);
	put_cmsg(msg, SOL_IPV6, IPV6_PATHMTU, sizeof(info), &info);
	consume_skb(skb);
	return true;
}

/* Where the packet that failed was going. */
static void error_name(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	const struct inet_sock_cb *cb = INET_SOCK_CB(skb);
	be32 flowinfo = BE32_INIT(0);
	struct in6_addr a;
	const u8 *p;

	if (skb_is_ipv4(skb)) {
		ipv6_addr_set_v4mapped(cb->addr, &a);
		msg_set_name(msg, &a, cb->port, flowinfo, 0);
		return;
	}
	if (!cb->addr_off)
		return;
	p = skb_network_header(skb) + cb->addr_off;
	memcpy(&a, p, sizeof(a));
	if (inet6_sk(sk)->sndflow) {
		memcpy(&flowinfo, p - offsetof(struct ipv6_hdr, daddr), sizeof(flowinfo));
		flowinfo.v &= cpu_to_be32(FLOWINFO_MASK).v;
	}
	msg_set_name(msg, &a, cb->port, flowinfo, ipv6_iface_scope_id(&a, cb->parm.iif));
}

/* Who said that it failed, and what else the program asked for about that packet. */
static void error_offender(struct sock *sk, struct kmsghdr *msg, struct sk_buff *skb,
			   struct sockaddr_in6 *ret)
{
	const struct inet_sock_cb *cb = INET_SOCK_CB(skb);
	u32 rxopt = inet6_sk(sk)->rxopt;

	ret->sin6_family = AF_INET6;
	if (rxopt & IPV6_RX_PKTINFO)
		put_pktinfo(msg, skb, IPV6_PKTINFO);
	if (skb_is_ipv4(skb)) {
		ipv6_addr_set_v4mapped(cb->offender, &ret->sin6_addr);
		af4(sk)->recv_cmsg(sk, msg, skb);
		return;
	}
	ret->sin6_addr = ipv6_hdr(skb)->saddr;
	ret->sin6_scope_id = ipv6_iface_scope_id(&ret->sin6_addr, cb->parm.iif);
	if (rxopt)
		recv_specific(sk, msg, skb, rxopt);
}

/* A packet of ours that was stamped on its way out is shown as one that was received. What was acknowledged, and a mere stamp, is no
 * packet. */
static bool stamped_packet(const struct sk_buff *skb)
{
	return INET_SOCK_CB(skb)->ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING && skb->len &&
	       skb->protocol.v;
}

static ssize_t ipv6_recv_error(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct {
		struct sock_extended_err ee;
		struct sockaddr_in6 offender;
	} report = { 0 };
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	size_t copied;
	int err;

	if (!skb)
		return -EAGAIN;
	copied = min_t(size_t, skb->len, len);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, (u32)copied);
	if (err) {
		consume_skb(skb);
		return err;
	}
	report.ee = INET_SOCK_CB(skb)->ee;
	if (report.ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
		sock_recv_tx_timestamp(sk, msg, skb);
		INET_SOCK_CB(skb)->parm.iif = skb->skb_iif;
	} else {
		sock_recv_timestamp(sk, msg, skb);
		error_name(sk, msg, skb);
	}
	if (is_icmp_err_skb(skb) || stamped_packet(skb))
		error_offender(sk, msg, skb, &report.offender);
	put_cmsg(msg, SOL_IPV6, IPV6_RECVERR, sizeof(report), &report);
	msg->flags |= MSG_ERRQUEUE;
	consume_skb(skb);
	return (ssize_t)copied;
}

static int ipv6_icmp_errno(struct sock *sk, struct sk_buff *skb, u8 type, u8 code, u32 info,
			   bool *ret_hard)
{
	u8 disc = inet6_sk(sk)->pmtudisc;
	int err;

	if (skb_is_ipv4(skb))
		return af4(sk)->icmp_errno(sk, skb, type, code, info, ret_hard);
	*ret_hard = icmpv6_err_convert(type, code, &err);
	if (type == NDISC_REDIRECT)
		return 0;
	if (type == ICMPV6_PKT_TOOBIG) {
		if (disc == IPV6_PMTUDISC_INTERFACE || disc == IPV6_PMTUDISC_OMIT)
			return 0;
		ip6_sk_update_pmtu(skb, sk, info);
		*ret_hard = disc != IPV6_PMTUDISC_DONT;
	}
	return err;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void ipv6_release(struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	ipv6_sock_mc_close(sk);
	ipv6_sock_ac_close(sk);
	fl6_free_socklist(sk);
	consume_skb(np->rxpmtu);
	np->rxpmtu = NULL;
	consume_skb(np->pktoptions);
	np->pktoptions = NULL;
	inet6_sk_rx_dst_reset(np);
}

const struct inet_af_ops ipv6_inet_af_ops = {
	.family = AF_INET6,
	.sockaddr_len = sizeof(struct sockaddr_in6),
	.bind_addr = ipv6_bind_addr,
	.set_addr = ipv6_set_addr,
	.release = ipv6_release,
	.setsockopt = ipv6_setsockopt,
	.getsockopt = ipv6_getsockopt,
	.ioctl = ipv6_ioctl,
	.recv_cmsg = ipv6_recv_cmsg,
	.recv_error = ipv6_recv_error,
	.recv_pathmtu = ipv6_recv_pathmtu,
	.datagram_connect = ip6_datagram_connect,
	.datagram_send = ip6_datagram_send,
	.rcv_prepare = ipv6_rcv_prepare,
	.rcv_name = ipv6_rcv_name,
	.icmp_error = ipv6_icmp_error,
	.icmp_errno = ipv6_icmp_errno,
};
