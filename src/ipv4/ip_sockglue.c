/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_sockglue.c - where sockets meet IPv4: options of level IPPROTO_IP, control messages, the error queue
 *
 * Theory of operation
 *   Socket options are rows of ip_sockopts[], indexed by name: where the value lies, its range, and a function where setting or
 *   getting is more than that. Answers (also to values out of range, short buffers and wrong socket types) are those that the
 *   kernel gives; ip_sockglue_test.c has them recorded.
 *   While a packet waits in a socket's queue, struct inet_sock_cb in skb->cb keeps what its control messages will say, because
 *   device and dst are let go before. An ICMP error that a program wants (IP_RECVERR) is a clone of the ICMP packet in the
 *   error queue with its struct sock_extended_err in the same place.
 * Locking: the home cpu's lock.
 * See ip(7), RFC 1122 4.1.3 (errors, TTL and TOS for the program).
 */
#include "ipv4/ip_sockglue.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/in_route.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "inet/inet_sock_cb.h"
#include "ipv4/igmp.h"
#include "ipv4/ip_mc_sockopts.h"
#include "ipv4/ipv4_internal.h"
#include "socket/socket.h"
#include "wire/icmp.h"

#define IP_LOCAL_PORT_RANGE_ 51 /* younger than some <netinet/in.h> */
#define IP_PROTOCOL_         52
#define IPV4_OPTIONS_MAX     40

static_assert(sizeof(struct inet_skb_parm) == sizeof(((struct inet_sock_cb *)0)->parm), "cb");

/* ---- socket options: the rows -------------------------------------------------------------------------- */

enum ip_opt_kind {
	IP_OPT_NONE, /* there is no such option */
	IP_OPT_U8,   /* a u8 member of inet_sock */
	IP_OPT_S16,
	IP_OPT_INT,
	IP_OPT_CMSG, /* a bit of cmsg_flags */
	IP_OPT_FUNC, /* get_int/set_int */
	IP_OPT_RAW,  /* get_raw/set_raw: not an int */
};

enum {                       /* ip_sockopt.flags */
       IP_OPT_FLAG = 1,      /* any value: zero or one is stored */
       IP_OPT_NEED_VAL = 2,  /* an empty value is EINVAL, not zero */
       IP_OPT_NO_STREAM = 4, /* EINVAL on stream sockets */
       IP_OPT_RDONLY = 8,    /* setting: ENOPROTOOPT */
};

struct ip_sockopt {
	const char *name;
	u8 kind, flags;
	u16 offset; /* of the member; CMSG: the bit */
	int min, max;
	int (*set_int)(struct sock *sk, int val); /* 0 or -errno; @val is in range */
	int (*get_int)(const struct sock *sk, int *ret);
	int (*set_raw)(struct sock *sk, const void *val, socklen_t len);
	int (*get_raw)(const struct sock *sk, void *val, socklen_t *len);
};

/* Bit-fields have no offset: a pair of functions each. */
#define IP_BIT_OPTION(field)                                                                       \
	static int set_##field(struct sock *sk, int val)                                           \
	{                                                                                          \
		inet_sk(sk)->field = val != 0;                                                     \
		return 0;                                                                          \
	}                                                                                          \
	static int get_##field(const struct sock *sk, int *ret)                                    \
	{                                                                                          \
		*ret = inet_sk(sk)->field;                                                         \
		return 0;                                                                          \
	}
IP_BIT_OPTION(freebind)
IP_BIT_OPTION(transparent)
IP_BIT_OPTION(mc_loop)
IP_BIT_OPTION(mc_all)
IP_BIT_OPTION(bind_address_no_port)
IP_BIT_OPTION(recverr_rfc4884)

static int set_recverr(struct sock *sk, int val)
{
	inet_sk(sk)->recverr = val != 0;
	if (!val && sk->sk_rare)
		skb_queue_consume(&sk->sk_rare->error_queue);
	return 0;
}

static int get_recverr(const struct sock *sk, int *ret)
{
	*ret = inet_sk(sk)->recverr;
	return 0;
}

/* What pfifo_fast makes of the TOS bits (tc-prio(8)): RFC 1349's delay and throughput bits. */
static u32 tos_to_priority(u8 tos)
{
	static const u8 prio[16] = { 0, 1, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4 };

	return prio[(tos >> 1) & 15];
}

static int set_tos(struct sock *sk, int val)
{
	struct inet_sock *inet = inet_sk(sk);

	/* ECN belongs to TCP, not to the program (RFC 3168 5). */
	if (sk->sk_type == SOCK_STREAM)
		val = (val & ~3) | (inet->tos & 3);
	if (inet->tos != (u8)val) {
		inet->tos = (u8)val;
		sk->sk_priority = tos_to_priority(inet->tos);
		sk_dst_reset(sk);
	}
	return 0;
}

static int get_tos(const struct sock *sk, int *ret)
{
	*ret = inet_sk(sk)->tos;
	return 0;
}

static int set_ttl(struct sock *sk, int val)
{
	if (val == 0)
		return -EINVAL;
	inet_sk(sk)->uc_ttl = (s16)val;
	return 0;
}

static int get_ttl(const struct sock *sk, int *ret)
{
	*ret = inet_sk(sk)->uc_ttl < 0 ? sock_net(sk)->ipv4->default_ttl : inet_sk(sk)->uc_ttl;
	return 0;
}

static int set_mc_ttl(struct sock *sk, int val)
{
	inet_sk(sk)->mc_ttl = (u8)(val < 0 ? 1 : val);
	return 0;
}

static int get_mc_ttl(const struct sock *sk, int *ret)
{
	*ret = inet_sk(sk)->mc_ttl;
	return 0;
}

static int get_mtu(const struct sock *sk, int *ret)
{
	struct dst_entry *dst = sk_dst_check((struct sock *)sk);

	if (!dst)
		return -ENOTCONN;
	*ret = (int)dst_mtu(dst);
	return 0;
}

static int get_num(const struct sock *sk, int *ret)
{
	*ret = sk->sk_num;
	return 0;
}

#define IP_RAW_OPTION(field)                                                                       \
	static int set_##field(struct sock *sk, int val)                                           \
	{                                                                                          \
		if (sk->sk_type != SOCK_RAW)                                                       \
			return -ENOPROTOOPT;                                                       \
		inet_sk(sk)->field = val != 0;                                                     \
		return 0;                                                                          \
	}                                                                                          \
	static int get_##field(const struct sock *sk, int *ret)                                    \
	{                                                                                          \
		*ret = inet_sk(sk)->field;                                                         \
		return 0;                                                                          \
	}
IP_RAW_OPTION(hdrincl)
IP_RAW_OPTION(nodefrag)

static int set_router_alert(struct sock *sk, int val)
{
	return ip_ra_control(sk, val != 0);
}

static int get_router_alert(const struct sock *sk, int *ret)
{
	*ret = ip_ra_is_on(sk);
	return 0;
}

/* ip(7): an empty range removes the limit of its side; the low half is the first port. */
static int set_port_range(struct sock *sk, const void *val, socklen_t len)
{
	u32 v;
	u16 lo, hi;

	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	lo = (u16)v;
	hi = (u16)(v >> 16);
	if (lo && hi && lo > hi)
		return -EINVAL;
	inet_sk(sk)->local_port_range_lo = lo;
	inet_sk(sk)->local_port_range_hi = hi;
	return 0;
}

static int get_port_range(const struct sock *sk, int *ret)
{
	*ret = (int)((u32)inet_sk(sk)->local_port_range_hi << 16 |
		     inet_sk(sk)->local_port_range_lo);
	return 0;
}

/* The interface of outgoing packets, as an index in network order. */
static int set_unicast_if(struct sock *sk, const void *val, socklen_t len)
{
	u32 v;
	int ifindex;

	if (len != sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	ifindex = (int)be32_to_cpu(be32_raw(v));
	if (ifindex && !__dev_get_by_index(sock_net(sk), ifindex))
		return -EADDRNOTAVAIL;
	if (ifindex && sk->sk_bound_dev_if && sk->sk_bound_dev_if != ifindex)
		return -EINVAL;
	inet_sk(sk)->uc_index = ifindex;
	return 0;
}

static int get_unicast_if(const struct sock *sk, int *ret)
{
	*ret = (int)cpu_to_be32((u32)inet_sk(sk)->uc_index).v;
	return 0;
}

/* The three forms of an interface: struct in_addr, ip_mreq, ip_mreqn. 0 or -EINVAL */
static int copy_mreqn(struct ip_mreqn *mreq, const void *val, socklen_t len)
{
	memset(mreq, 0, sizeof(*mreq));
	if (len >= sizeof(*mreq))
		memcpy(mreq, val, sizeof(*mreq));
	else if (len >= sizeof(struct ip_mreq))
		memcpy(mreq, val,
		       sizeof(struct ip_mreq)); /* group, then address of the interface */
	else if (len >= sizeof(struct in_addr))
		memcpy(&mreq->imr_address, val, sizeof(struct in_addr));
	else
		return -EINVAL;
	return 0;
}

static struct net_device *mreqn_dev(const struct sock *sk, const struct ip_mreqn *mreq)
{
	return mreq->imr_ifindex ? __dev_get_by_index(sock_net(sk), mreq->imr_ifindex)
				 : ip_dev_find(sock_net(sk), be32_raw(mreq->imr_address.s_addr));
}

static int set_multicast_if(struct sock *sk, const void *val, socklen_t len)
{
	struct inet_sock *inet = inet_sk(sk);
	struct ip_mreqn mreq;
	struct net_device *dev;
	int err;

	if (sk->sk_type == SOCK_STREAM)
		return -EINVAL;
	err = copy_mreqn(&mreq, val, len);
	if (err)
		return err;
	if (!mreq.imr_ifindex && mreq.imr_address.s_addr == INADDR_ANY) {
		inet->mc_index = 0;
		inet->mc_addr = (be32){ 0 };
		return 0;
	}
	dev = mreqn_dev(sk, &mreq);
	if (!dev)
		return -EADDRNOTAVAIL;
	if (sk->sk_bound_dev_if && sk->sk_bound_dev_if != dev->ifindex)
		return -EINVAL;
	inet->mc_index = dev->ifindex;
	inet->mc_addr = be32_raw(mreq.imr_address.s_addr);
	return 0;
}

/* An address, however little of it there is room for. */
static int get_multicast_if(const struct sock *sk, void *val, socklen_t *len)
{
	*len = min_t(socklen_t, *len, sizeof(be32));
	memcpy(val, &inet_sk(sk)->mc_addr, *len);
	return 0;
}

/* IP_OPTIONS: options of every packet the socket sends. */
static int set_options(struct sock *sk, const void *val, socklen_t len)
{
	struct ip_options *opt = NULL;
	int err;

	if (len > IPV4_OPTIONS_MAX)
		return -EINVAL;
	if (len) {
		opt = calloc(1, sizeof(*opt));
		if (!opt)
			return -ENOMEM;
		err = ip_options_compile(val, (u32)len, opt);
		if (err) {
			free(opt);
			return err;
		}
	}
	free(inet_sk(sk)->inet_opt);
	inet_sk(sk)->inet_opt = opt;
	sk_dst_reset(sk); /* a source route goes another way */
	return 0;
}

static int get_options(const struct sock *sk, void *val, socklen_t *len)
{
	const struct ip_options *opt = inet_sk(sk)->inet_opt;
	u8 data[IPV4_OPTIONS_MAX];

	*len = min_t(socklen_t, *len, opt ? opt->optlen : 0);
	if (*len) {
		ip_options_undo(opt, data);
		memcpy(val, data, *len);
	}
	return 0;
}

/* Of a stream: what the SYN of an accepted connection had; of others their defaults. */
static int get_pktoptions(const struct sock *sk, void *val, socklen_t *len)
{
	const struct inet_sock *inet = inet_sk(sk);
	struct kmsghdr msg = { .control = val, .controllen = *len };
	struct in_pktinfo info = { .ipi_ifindex = inet->mc_index,
				   .ipi_spec_dst.s_addr = sk->sk_rcv_saddr.v,
				   .ipi_addr.s_addr = sk->sk_rcv_saddr.v };
	int ttl = inet->mc_ttl, tos = inet->rcv_tos;

	if (sk->sk_type != SOCK_STREAM)
		return -ENOPROTOOPT;
	if (inet->cmsg_flags & IP_CMSG_PKTINFO)
		put_cmsg(&msg, SOL_IP, IP_PKTINFO, sizeof(info), &info);
	if (inet->cmsg_flags & IP_CMSG_TTL)
		put_cmsg(&msg, SOL_IP, IP_TTL, sizeof(ttl), &ttl);
	if (inet->cmsg_flags & IP_CMSG_TOS)
		put_cmsg(&msg, SOL_IP, IP_TOS, sizeof(tos), &tos);
	*len = (socklen_t)msg.control_used;
	return 0;
}

#define ROW_CMSG(bit) .kind = IP_OPT_CMSG, .flags = IP_OPT_FLAG, .offset = (bit)
#define ROW_BIT(field, extra)                                                                      \
	.kind = IP_OPT_FUNC, .flags = IP_OPT_FLAG | (extra), .set_int = set_##field,               \
	.get_int = get_##field
#define ROW_U8(field, lo, hi)                                                                      \
	.kind = IP_OPT_U8, .offset = offsetof(struct inet_sock, field), .min = (lo), .max = (hi)
#define ROW_SET(fn) .kind = IP_OPT_RAW, .set_raw = (fn)
#define ROW_GET(fn) .kind = IP_OPT_FUNC, .flags = IP_OPT_RDONLY, .get_int = (fn)

static const struct ip_sockopt ip_sockopts[] = {
	[IP_TOS] = { "IP_TOS", .kind = IP_OPT_FUNC, .min = INT32_MIN, .max = INT32_MAX,
		     .set_int = set_tos, .get_int = get_tos },
	[IP_TTL] = { "IP_TTL", .kind = IP_OPT_FUNC, .flags = IP_OPT_NEED_VAL, .min = -1, .max = 255,
		     .set_int = set_ttl, .get_int = get_ttl },
	[IP_HDRINCL] = { "IP_HDRINCL", ROW_BIT(hdrincl, 0) },
	[IP_OPTIONS] = { "IP_OPTIONS", .kind = IP_OPT_RAW, .set_raw = set_options,
			 .get_raw = get_options },
	[IP_ROUTER_ALERT] = { "IP_ROUTER_ALERT", .kind = IP_OPT_FUNC, .flags = IP_OPT_FLAG,
			      .set_int = set_router_alert, .get_int = get_router_alert },
	[IP_RECVOPTS] = { "IP_RECVOPTS", ROW_CMSG(IP_CMSG_RECVOPTS) },
	[IP_RETOPTS] = { "IP_RETOPTS", ROW_CMSG(IP_CMSG_RETOPTS) },
	[IP_PKTINFO] = { "IP_PKTINFO", ROW_CMSG(IP_CMSG_PKTINFO) },
	[IP_PKTOPTIONS] = { "IP_PKTOPTIONS", .kind = IP_OPT_RAW, .get_raw = get_pktoptions },
	[IP_MTU_DISCOVER] = { "IP_MTU_DISCOVER",
			      ROW_U8(pmtudisc, IP_PMTUDISC_DONT, IP_PMTUDISC_OMIT) },
	[IP_RECVERR] = { "IP_RECVERR", ROW_BIT(recverr, 0) },
	[IP_RECVTTL] = { "IP_RECVTTL", ROW_CMSG(IP_CMSG_TTL) },
	[IP_RECVTOS] = { "IP_RECVTOS", ROW_CMSG(IP_CMSG_TOS) },
	[IP_MTU] = { "IP_MTU", ROW_GET(get_mtu) },
	[IP_FREEBIND] = { "IP_FREEBIND", ROW_BIT(freebind, IP_OPT_NEED_VAL) },
	[IP_PASSSEC] = { "IP_PASSSEC", ROW_CMSG(IP_CMSG_PASSSEC) },
	[IP_TRANSPARENT] = { "IP_TRANSPARENT", ROW_BIT(transparent, IP_OPT_NEED_VAL) },
	[IP_ORIGDSTADDR] = { "IP_ORIGDSTADDR", ROW_CMSG(IP_CMSG_ORIGDSTADDR) },
	[IP_MINTTL] = { "IP_MINTTL", ROW_U8(min_ttl, 0, 255), .flags = IP_OPT_NEED_VAL },
	[IP_NODEFRAG] = { "IP_NODEFRAG", ROW_BIT(nodefrag, 0) },
	[IP_CHECKSUM] = { "IP_CHECKSUM", ROW_CMSG(IP_CMSG_CHECKSUM) },
	[IP_BIND_ADDRESS_NO_PORT] = { "IP_BIND_ADDRESS_NO_PORT", ROW_BIT(bind_address_no_port, 0) },
	[IP_RECVFRAGSIZE] = { "IP_RECVFRAGSIZE", .kind = IP_OPT_CMSG,
			      .flags = IP_OPT_FLAG | IP_OPT_NO_STREAM,
			      .offset = IP_CMSG_RECVFRAGSIZE },
	[IP_RECVERR_RFC4884] = { "IP_RECVERR_RFC4884", .kind = IP_OPT_FUNC, .max = 1,
				 .set_int = set_recverr_rfc4884, .get_int = get_recverr_rfc4884 },
	[IP_MULTICAST_IF] = { "IP_MULTICAST_IF", .kind = IP_OPT_RAW, .set_raw = set_multicast_if,
			      .get_raw = get_multicast_if },
	[IP_MULTICAST_TTL] = { "IP_MULTICAST_TTL", .kind = IP_OPT_FUNC,
			       .flags = IP_OPT_NEED_VAL | IP_OPT_NO_STREAM, .min = -1, .max = 255,
			       .set_int = set_mc_ttl, .get_int = get_mc_ttl },
	[IP_MULTICAST_LOOP] = { "IP_MULTICAST_LOOP", ROW_BIT(mc_loop, IP_OPT_NEED_VAL) },
	[IP_ADD_MEMBERSHIP] = { "IP_ADD_MEMBERSHIP", .kind = IP_OPT_RAW,
				.set_raw = ip_add_membership },
	[IP_DROP_MEMBERSHIP] = { "IP_DROP_MEMBERSHIP", .kind = IP_OPT_RAW,
				 .set_raw = ip_drop_membership },
	[IP_UNBLOCK_SOURCE] = { "IP_UNBLOCK_SOURCE", ROW_SET(ip_unblock_source) },
	[IP_BLOCK_SOURCE] = { "IP_BLOCK_SOURCE", ROW_SET(ip_block_source) },
	[IP_ADD_SOURCE_MEMBERSHIP] = { "IP_ADD_SOURCE_MEMBERSHIP",
				       ROW_SET(ip_add_source_membership) },
	[IP_DROP_SOURCE_MEMBERSHIP] = { "IP_DROP_SOURCE_MEMBERSHIP",
					ROW_SET(ip_drop_source_membership) },
	[MCAST_JOIN_GROUP] = { "MCAST_JOIN_GROUP", ROW_SET(mcast_join_group) },
	[MCAST_BLOCK_SOURCE] = { "MCAST_BLOCK_SOURCE", ROW_SET(mcast_block_source) },
	[MCAST_UNBLOCK_SOURCE] = { "MCAST_UNBLOCK_SOURCE", ROW_SET(mcast_unblock_source) },
	[MCAST_LEAVE_GROUP] = { "MCAST_LEAVE_GROUP", ROW_SET(mcast_leave_group) },
	[MCAST_JOIN_SOURCE_GROUP] = { "MCAST_JOIN_SOURCE_GROUP", ROW_SET(mcast_join_source_group) },
	[MCAST_LEAVE_SOURCE_GROUP] = { "MCAST_LEAVE_SOURCE_GROUP",
				       ROW_SET(mcast_leave_source_group) },
	[MCAST_MSFILTER] = { "MCAST_MSFILTER", .kind = IP_OPT_RAW, .set_raw = mcast_set_msfilter,
			     .get_raw = mcast_get_msfilter },
	[IP_MSFILTER] = { "IP_MSFILTER", .kind = IP_OPT_RAW, .set_raw = ip_set_msfilter,
			  .get_raw = ip_get_msfilter },
	[IP_MULTICAST_ALL] = { "IP_MULTICAST_ALL", .kind = IP_OPT_FUNC, .flags = IP_OPT_NEED_VAL,
			       .max = 1, .set_int = set_mc_all, .get_int = get_mc_all },
	[IP_UNICAST_IF] = { "IP_UNICAST_IF", .kind = IP_OPT_RAW, .set_raw = set_unicast_if,
			    .get_int = get_unicast_if },
	[IP_LOCAL_PORT_RANGE_] = { "IP_LOCAL_PORT_RANGE", .kind = IP_OPT_RAW,
				   .set_raw = set_port_range, .get_int = get_port_range },
	[IP_PROTOCOL_] = { "IP_PROTOCOL", ROW_GET(get_num) },
};

static const struct ip_sockopt *sockopt_find(int name)
{
	if (name < 0 || (size_t)name >= ARRAY_SIZE(ip_sockopts) ||
	    ip_sockopts[name].kind == IP_OPT_NONE)
		return NULL;
	return &ip_sockopts[name];
}

/* Linux takes an int or a single octet; nothing means 0. */
static int sockopt_int(const void *val, socklen_t len)
{
	int v = 0;

	if (len >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	else if (len)
		v = *(const u8 *)val;
	return v;
}

static int store_int(struct sock *sk, const struct ip_sockopt *o, int v)
{
	u8 *field = (u8 *)sk + o->offset;
	struct inet_sock *inet = inet_sk(sk);

	switch (o->kind) {
	case IP_OPT_U8:
		*field = (u8)v;
		return 0;
	case IP_OPT_CMSG:
		inet->cmsg_flags =
			(u16)(v ? inet->cmsg_flags | o->offset : inet->cmsg_flags & ~o->offset);
		return 0;
	default:
		return o->set_int(sk, v);
	}
}

int ip_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	const struct ip_sockopt *o = level == SOL_IP ? sockopt_find(name) : NULL;
	int v;

	if (!o || o->flags & IP_OPT_RDONLY || (o->kind == IP_OPT_RAW && !o->set_raw))
		return -ENOPROTOOPT;
	if (o->kind == IP_OPT_RAW)
		return o->set_raw(sk, val, len);
	if ((o->flags & IP_OPT_NEED_VAL && !len) ||
	    (o->flags & IP_OPT_NO_STREAM && sk->sk_type == SOCK_STREAM))
		return -EINVAL;
	v = sockopt_int(val, len);
	if (o->flags & IP_OPT_FLAG)
		v = v != 0;
	else if (v < o->min || v > o->max)
		return -EINVAL;
	return store_int(sk, o, v);
}

static int load_int(const struct sock *sk, const struct ip_sockopt *o, int *ret)
{
	if (o->get_int)
		return o->get_int(sk, ret);
	if (o->kind == IP_OPT_U8)
		*ret = *((const u8 *)sk + o->offset);
	else if (o->kind == IP_OPT_CMSG)
		*ret = (inet_sk(sk)->cmsg_flags & o->offset) != 0;
	else
		return -ENOPROTOOPT;
	return 0;
}

int ip_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	const struct ip_sockopt *o;
	int v, err;

	if (level != SOL_IP)
		return -EOPNOTSUPP;
	o = sockopt_find(name);
	if (!o)
		return -ENOPROTOOPT;
	if (o->get_raw)
		return o->get_raw(sk, val, len);
	err = load_int(sk, o, &v);
	if (err)
		return err;
	/* A small value fits in a single octet, if that is all the program gave room for. */
	if (*len > 0 && *len < sizeof(v) && v >= 0 && v <= 255) {
		*(u8 *)val = (u8)v;
		*len = 1;
		return 0;
	}
	*len = min_t(socklen_t, *len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}

/* ---- bind(2), ioctl(2) --------------------------------------------------------------------------------- */

static int ipv4_bind_addr(struct sock *sk, const struct sockaddr *addr, socklen_t len,
			  u16 *ret_port)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)addr;
	const struct inet_sock *inet = inet_sk(sk);
	be32 a;
	u32 type;

	if (len < sizeof(*sin))
		return -EINVAL;
	a = be32_raw(sin->sin_addr.s_addr);
	/* AF_UNSPEC with "any": what old programs pass. */
	if (sin->sin_family != AF_INET && !(sin->sin_family == AF_UNSPEC && be32_zero(a)))
		return -EAFNOSUPPORT;
	type = be32_zero(a) ? RTN_LOCAL : inet_addr_type(sock_net(sk), a);
	if (type != RTN_LOCAL && type != RTN_MULTICAST && type != RTN_BROADCAST &&
	    !sock_net(sk)->inet->ip_nonlocal_bind && !inet->freebind && !inet->transparent)
		return -EADDRNOTAVAIL;
	/* Ping sockets send from what they are bound to: it must be an address to send from. */
	if (sk->sk_protocol == IPPROTO_ICMP && (type == RTN_MULTICAST || type == RTN_BROADCAST))
		return -EADDRNOTAVAIL;
	*ret_port = be16_to_cpu(be16_raw(sin->sin_port));
	return 0;
}

static void ipv4_set_addr(struct sock *sk, const struct sockaddr *addr)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)addr;
	be32 a = addr ? be32_raw(sin->sin_addr.s_addr) : (be32){ 0 };

	sk->sk_rcv_saddr = a;
	inet_sk(sk)->inet_saddr = a;
	if (!be32_zero(a)) {
		u32 type = inet_addr_type(sock_net(sk), a);

		/* Received from, but never sent from. */
		if (type == RTN_MULTICAST || type == RTN_BROADCAST)
			inet_sk(sk)->inet_saddr = (be32){ 0 };
	}
}

static int ipv4_ioctl(struct net *net, unsigned cmd, void *arg)
{
	int err = devinet_ioctl(net, cmd, arg);

	if (err == -ENOIOCTLCMD)
		err = arp_ioctl(net, cmd, arg);
	return err == -ENOIOCTLCMD ? inet_set_ioctl(net, cmd, arg) : err;
}

/* ---- control messages ---------------------------------------------------------------------------------- */

static int cmsg_int(const struct cmsghdr *cmsg, size_t len, int min, int max, int *ret)
{
	if (len == sizeof(int))
		memcpy(ret, CMSG_DATA(cmsg), sizeof(int));
	else if (len == sizeof(u8))
		*ret = *CMSG_DATA(cmsg);
	else
		return -EINVAL;
	return *ret < min || *ret > max ? -EINVAL : 0;
}

/* A mapped address takes IPV6_PKTINFO, too. */
static int cmsg_pktinfo6(const struct cmsghdr *cmsg, size_t len, struct ipcm_cookie *ipc)
{
	struct in6_pktinfo info;

	if (len < sizeof(info))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	if (!ipv6_addr_v4mapped(&info.ipi6_addr))
		return -EINVAL;
	if (info.ipi6_ifindex)
		ipc->oif = (int)info.ipi6_ifindex;
	ipc->addr = be32_raw(info.ipi6_addr.s6_addr32[3]);
	return 0;
}

static int cmsg_send_one(const struct cmsghdr *cmsg, size_t len, void *arg)
{
	struct ipcm_cookie *ipc = arg;
	struct in_pktinfo info;
	struct sockaddr_in sin;
	int v, err;

	if (cmsg->cmsg_level == SOL_SOCKET)
		return sock_cmsg_send(ipc->sk, cmsg, len, &ipc->sockc);
	if (cmsg->cmsg_level == SOL_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO &&
	    ipc->sk->sk_family == AF_INET6)
		return cmsg_pktinfo6(cmsg, len, ipc);
	if (cmsg->cmsg_level != SOL_IP)
		return 0;
	switch (cmsg->cmsg_type) {
	case IP_RETOPTS: /* instead of the socket's */
		err = ip_options_compile(CMSG_DATA(cmsg), min_t(u32, (u32)len, IPV4_OPTIONS_MAX),
					 &ipc->own_opt);
		if (!err)
			ipc->opt = &ipc->own_opt;
		return err;
	case IP_PROTOCOL_: /* for sockets of IPPROTO_RAW, whose programs write the header themselves here */
		return len == sizeof(int) ? cmsg_int(cmsg, len, 1, 255, &v) : -EINVAL;
	case IP_PKTINFO:
		if (len != sizeof(info))
			return -EINVAL;
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		if (info.ipi_ifindex)
			ipc->oif = info.ipi_ifindex;
		ipc->addr = be32_raw(info.ipi_spec_dst.s_addr);
		return 0;
	case IP_ORIGDSTADDR: /* ours: what was received can be answered with what came along */
		if (len < sizeof(sin) || !inet_sk(ipc->sk)->listen_any)
			return -EINVAL;
		memcpy(&sin, CMSG_DATA(cmsg), sizeof(sin));
		ipc->addr = be32_raw(sin.sin_addr.s_addr);
		if (sin.sin_port)
			ipc->sport = be16_raw(sin.sin_port);
		return 0;
	case IP_TTL:
		if (len != sizeof(int))
			return -EINVAL;
		err = cmsg_int(cmsg, len, 1, 255, &v);
		if (!err)
			ipc->ttl = (s16)v;
		return err;
	case IP_TOS:
		err = cmsg_int(cmsg, len, 0, 255, &v);
		if (!err) {
			ipc->tos = (u8)v;
			if (!ipc->sockc.priority_set)
				ipc->sockc.priority = tos_to_priority(ipc->tos);
		}
		return err;
	default:
		return -EINVAL;
	}
}

int ip_cmsg_send(const struct kmsghdr *msg, struct ipcm_cookie *ipc)
{
	return cmsg_walk(msg, cmsg_send_one, ipc);
}

/* The address that an answer should come from (RFC 1122 4.1.3.5). Ping sockets are not told, as by Linux. */
static be32 fib_compute_spec_dst(const struct sock *sk, const struct sk_buff *skb)
{
	struct net *net = sock_net(sk);
	const struct rtable *rt = skb_rtable(skb);
	const struct ip_hdr *iph = ip_hdr(skb);
	struct flowi4 fl = { .daddr = iph->saddr };
	struct fib_result res;

	if (!skb->dev || (sk->sk_type == SOCK_DGRAM && sk->sk_protocol == IPPROTO_ICMP))
		return (be32){ 0 };
	if (rt && rt->rt_type == RTN_LOCAL)
		return iph->daddr;
	if (!be32_zero(iph->saddr) && !fib_lookup(net, &fl, &res))
		return fib_result_prefsrc(net, &res);
	return inet_select_addr(skb->dev, iph->saddr, RT_SCOPE_UNIVERSE);
}

/* IP_PKTINFO's view of the packet: the interface, and the address that an answer should come from. */
static void ipv4_rcv_prepare(struct sock *sk, struct sk_buff *skb)
{
	struct inet_sock_cb *cb = INET_SOCK_CB(skb);

	if (inet_sk(sk)->cmsg_flags & IP_CMSG_PKTINFO) {
		cb->ifindex = skb->dev ? skb->dev->ifindex : cb->parm.iif;
		cb->spec_dst = fib_compute_spec_dst(sk, skb);
	} else {
		cb->ifindex = 0;
		cb->spec_dst = (be32){ 0 };
	}
	skb_dst_drop(skb);
}

static void recv_pktinfo(struct kmsghdr *msg, const struct sk_buff *skb)
{
	struct in_pktinfo info = { .ipi_ifindex = INET_SOCK_CB(skb)->ifindex };

	info.ipi_spec_dst.s_addr = INET_SOCK_CB(skb)->spec_dst.v;
	info.ipi_addr.s_addr = ip_hdr(skb)->daddr.v;
	put_cmsg(msg, SOL_IP, IP_PKTINFO, sizeof(info), &info);
}

static void recv_options(struct kmsghdr *msg, const struct sk_buff *skb)
{
	u32 len = ip_hdr_len(ip_hdr(skb)) - (u32)sizeof(struct ip_hdr);

	if (len)
		put_cmsg(msg, SOL_IP, IP_RECVOPTS, len,
			 skb_network_header(skb) + sizeof(struct ip_hdr));
}

/* The options of an answer, as IP_OPTIONS would take them. */
static void recv_reply_options(struct kmsghdr *msg, const struct sk_buff *skb)
{
	struct ip_options opt;
	u8 data[IPV4_OPTIONS_MAX];

	if (ip_hdr_len(ip_hdr(skb)) == sizeof(struct ip_hdr))
		return;
	ip_options_echo(skb, &opt);
	ip_options_undo(&opt, data);
	put_cmsg(msg, SOL_IP, IP_RETOPTS, opt.optlen, data);
}

static void recv_origdst(struct kmsghdr *msg, const struct sk_buff *skb)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = ip_hdr(skb)->daddr.v };

	/* UDP and TCP: the destination port is the second half-word. In front of what an ICMP error quotes it cannot be copied. */
	if (skb_transport_header(skb) + 4 <= skb_tail_pointer(skb))
		memcpy(&sin.sin_port, skb_transport_header(skb) + 2, sizeof(sin.sin_port));
	else if (skb_copy_bits(skb, (u32)skb_transport_offset(skb) + 2, &sin.sin_port,
			       sizeof(sin.sin_port)))
		return;
	put_cmsg(msg, SOL_IP, IP_ORIGDSTADDR, sizeof(sin), &sin);
}

/* What the header of an IPv4 packet says, as far as the socket asks. */
static void ipv4_recv_cmsg(struct sock *sk, struct kmsghdr *msg, struct sk_buff *skb)
{
	u32 flags = inet_sk(sk)->cmsg_flags;

	if (!flags)
		return;
	if (flags & IP_CMSG_PKTINFO)
		recv_pktinfo(msg, skb);
	if (flags & IP_CMSG_TTL) {
		int ttl = ip_hdr(skb)->ttl;

		put_cmsg(msg, SOL_IP, IP_TTL, sizeof(ttl), &ttl);
	}
	if (flags & IP_CMSG_TOS)
		put_cmsg(msg, SOL_IP, IP_TOS, 1, &ip_hdr(skb)->tos);
	if (flags & IP_CMSG_RECVOPTS)
		recv_options(msg, skb);
	if (flags & IP_CMSG_RETOPTS)
		recv_reply_options(msg, skb);
	if (flags & IP_CMSG_ORIGDSTADDR)
		recv_origdst(msg, skb);
	if (flags & IP_CMSG_CHECKSUM && skb->ip_summed == CHECKSUM_COMPLETE)
		put_cmsg(msg, SOL_IP, IP_CHECKSUM, sizeof(skb->csum), &skb->csum);
	if (flags & IP_CMSG_RECVFRAGSIZE && IPCB(skb)->frag_max_size) {
		int size = IPCB(skb)->frag_max_size;

		put_cmsg(msg, SOL_IP, IP_RECVFRAGSIZE, sizeof(size), &size);
	}
}

static void msg_set_name(struct kmsghdr *msg, be32 addr, be16 port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)msg->name;

	if (!sin)
		return;
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_port = port.v;
	sin->sin_addr.s_addr = addr.v;
	msg->namelen = sizeof(*sin);
}

static void ipv4_rcv_name(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb,
			  be16 sport)
{
	(void)sk;
	msg_set_name(msg, ip_hdr(skb)->saddr, sport);
}

/* ---- errors ------------------------------------------------------------------------------------------- */

void ip_icmp_error(struct sock *sk, struct sk_buff *skb, int err, be16 port, u32 info, u8 *payload)
{
	const struct icmp_hdr *icmp = (const struct icmp_hdr *)skb_transport_header(skb);
	const struct ip_hdr *inner = (const struct ip_hdr *)skb->data;
	u32 off = (u32)(payload - skb->data);
	struct inet_sock_cb *cb;
	struct sk_buff *copy;

	if (!inet_sk(sk)->recverr || off > skb_headlen(skb))
		return;
	copy = skb_clone(skb);
	if (!copy)
		return;
	cb = INET_SOCK_CB(copy);
	cb->ifindex = skb->dev ? skb->dev->ifindex : 0;
	cb->spec_dst = (be32){ 0 };
	cb->ee = (struct sock_extended_err){ .ee_errno = (u32)err,
					     .ee_origin = SO_EE_ORIGIN_ICMP,
					     .ee_type = icmp->type,
					     .ee_code = icmp->code,
					     .ee_info = info };
	/* RFC 4884 4.1, 4.2, 4.5: in 32-bit words. */
	if (inet_sk(sk)->recverr_rfc4884 &&
	    (icmp->type == ICMP4_DEST_UNREACH || icmp->type == ICMP4_TIME_EXCEEDED ||
	     icmp->type == ICMP4_PARAMETERPROB))
		cb->ee.ee_rfc4884 = inet_rfc4884(skb, off, 4u * ((const u8 *)&icmp->un)[1]);
	cb->addr = inner->daddr;
	cb->offender = ip_hdr(skb)->saddr;
	cb->port = port;
	__skb_pull(copy, off);
	skb_dst_drop(copy);
	sock_queue_err_skb(sk, copy);
}

void ip_local_error(struct sock *sk, int err, be32 daddr, be16 port, u32 info)
{
	struct inet_sock_cb *cb;
	struct sk_buff *skb;

	if (!inet_sk(sk)->recverr)
		return;
	skb = alloc_skb(sk->sk_cpu, sizeof(struct ip_hdr));
	if (!skb)
		return;
	skb_reset_network_header(skb);
	/* A socket of AF_INET6 with a mapped peer tells by this whose address it is. */
	skb->protocol = cpu_to_be16(ETH_P_IP);
	cb = INET_SOCK_CB(skb);
	memset(cb, 0, sizeof(*cb));
	cb->ee = (struct sock_extended_err){ .ee_errno = (u32)err,
					     .ee_origin = SO_EE_ORIGIN_LOCAL,
					     .ee_info = info };
	cb->addr = daddr;
	cb->port = port;
	sock_queue_err_skb(sk, skb);
}

/* A packet of ours that was stamped on its way out: with SOF_TIMESTAMPING_OPT_CMSG it is shown as one that was received. What was
 * acknowledged, and a mere stamp, is no packet. */
static bool stamped_packet(const struct sock *sk, const struct sk_buff *skb)
{
	return sk->sk_rare->tsflags & SOF_TIMESTAMPING_OPT_CMSG && skb->len &&
	       be16_to_cpu(skb->protocol) == ETH_P_IP;
}

static ssize_t ipv4_recv_error(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct {
		struct sock_extended_err ee;
		struct sockaddr_in offender;
	} report = { 0 };
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	struct inet_sock_cb *cb;
	size_t copied;
	int err;

	if (!skb)
		return -EAGAIN;
	cb = INET_SOCK_CB(skb);
	copied = min_t(size_t, skb->len, len);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, (u32)copied);
	if (err) {
		consume_skb(skb);
		return err;
	}
	if (!be16_zero(cb->port) || cb->ee.ee_origin == SO_EE_ORIGIN_ICMP ||
	    cb->ee.ee_origin == SO_EE_ORIGIN_LOCAL)
		msg_set_name(msg, cb->addr, cb->port);
	report.ee = cb->ee;
	if (cb->ee.ee_origin != SO_EE_ORIGIN_TIMESTAMPING)
		sock_recv_timestamp(sk, msg, skb);
	if (cb->ee.ee_origin == SO_EE_ORIGIN_ICMP) {
		report.offender.sin_family = AF_INET;
		report.offender.sin_addr.s_addr = cb->offender.v;
		ipv4_recv_cmsg(sk, msg, skb);
	} else if (cb->ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) {
		sock_recv_tx_timestamp(sk, msg, skb);
		if (stamped_packet(sk, skb)) {
			report.offender.sin_family = AF_INET;
			report.offender.sin_addr.s_addr = ip_hdr(skb)->saddr.v;
			cb->ifindex = skb->skb_iif;
			cb->spec_dst = ip_hdr(skb)->saddr;
			ipv4_recv_cmsg(sk, msg, skb);
		}
	}
	put_cmsg(msg, SOL_IP, IP_RECVERR, sizeof(report), &report);
	msg->flags |= MSG_ERRQUEUE;
	consume_skb(skb);
	return (ssize_t)copied;
}

/* RFC 1122 4.2.3.9 and 4.1.3.3: what an ICMP error tells a datagram socket. */
static int ipv4_icmp_errno(struct sock *sk, struct sk_buff *skb, u8 type, u8 code, u32 info,
			   bool *ret_hard)
{
	*ret_hard = false;
	switch (type) {
	case ICMP4_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP4_PARAMETERPROB:
		*ret_hard = true;
		return EPROTO;
	case ICMP4_REDIRECT:
		ipv4_sk_redirect(skb, sk);
		return 0;
	case ICMP4_DEST_UNREACH:
		if (code != ICMP4_FRAG_NEEDED)
			return icmp_err_convert(code, ret_hard);
		ipv4_sk_update_pmtu(skb, sk, info);
		*ret_hard = true;
		return inet_sk(sk)->pmtudisc != IP_PMTUDISC_DONT ? EMSGSIZE : 0;
	default:
		return 0;
	}
}

const struct inet_af_ops ipv4_inet_af_ops = {
	.family = AF_INET,
	.sockaddr_len = sizeof(struct sockaddr_in),
	.bind_addr = ipv4_bind_addr,
	.set_addr = ipv4_set_addr,
	.release = ip_mc_drop_socket,
	.setsockopt = ip_setsockopt,
	.getsockopt = ip_getsockopt,
	.ioctl = ipv4_ioctl,
	.recv_cmsg = ipv4_recv_cmsg,
	.recv_error = ipv4_recv_error,
	.datagram_connect = ip4_datagram_connect,
	.datagram_send = ip4_datagram_send,
	.rcv_prepare = ipv4_rcv_prepare,
	.rcv_name = ipv4_rcv_name,
	.icmp_error = ip_icmp_error,
	.icmp_errno = ipv4_icmp_errno,
};
