/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv6_sockglue.c - socket options of level IPPROTO_IPV6
 *
 * Theory of operation
 *   Options are rows of ipv6_sockopts[], indexed by name: where the value lies, its range, and a function where setting or getting
 *   is more than that. Answers (also to values out of range, short buffers and wrong socket types) are those that the kernel gives.
 *   The options of level IPPROTO_IP of such a socket are IPv4's affair.
 * Locking: the home cpu's lock.
 * See ipv6(7), RFC 3493 5, RFC 3542, RFC 5014 (address preferences), RFC 5082 (minimal hop count).
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's in6.h */
#include <stdlib.h>

#include <linux/in6.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "inet/inet_connection_sock.h"
#include "ipv6/ip6_mc_sockopts.h"
#include "ipv6/ip6_sockglue.h"
#include "ipv6/ipv6_internal.h"
#include "socket/socket.h"

#define IPV6_2292PKTOPTIONS_MAX (64 * 1024)

enum ip6_opt_kind {
	IP6_OPT_NONE, /* there is no such option */
	IP6_OPT_U8,   /* a u8 member of ipv6_pinfo */
	IP6_OPT_RX,   /* a bit of rxopt */
	IP6_OPT_FUNC, /* get_int/set_int */
	IP6_OPT_RAW,  /* get_raw/set_raw: not an int */
};

enum {                        /* ip6_sockopt.flags */
       IP6_OPT_FLAG = 1,      /* any value: zero or one is stored */
       IP6_OPT_SHORT_OK = 2,  /* fewer octets than an int are zero, not EINVAL */
       IP6_OPT_NO_STREAM = 4, /* ENOPROTOOPT on stream sockets */
       IP6_OPT_RDONLY = 8,    /* setting: ENOPROTOOPT */
};

struct ip6_sockopt {
	const char *name;
	u8 kind, flags;
	u32 offset; /* of the member; RX: the bit */
	int min, max;
	int (*set_int)(struct sock *sk, int val); /* 0 or -errno; @val is in range */
	int (*get_int)(const struct sock *sk, int *ret);
	int (*set_raw)(struct sock *sk, const void *val, socklen_t len);
	int (*get_raw)(const struct sock *sk, void *val, socklen_t *len);
};

/* ---- setting and getting what is more than a member ------------------------------------------------------------ */

/* Bit-fields have no offset: a pair of functions each. */
#define NP_BIT_OPTION(field)                                                                       \
	static int set_##field(struct sock *sk, int val)                                           \
	{                                                                                          \
		inet6_sk(sk)->field = val != 0;                                                    \
		return 0;                                                                          \
	}                                                                                          \
	static int get_##field(const struct sock *sk, int *ret)                                    \
	{                                                                                          \
		*ret = inet6_sk(sk)->field;                                                        \
		return 0;                                                                          \
	}
NP_BIT_OPTION(mc_loop)
NP_BIT_OPTION(mc_all)
NP_BIT_OPTION(recverr_rfc4884)
NP_BIT_OPTION(sndflow)
NP_BIT_OPTION(dontfrag)
NP_BIT_OPTION(rtalert_isolate)

#define INET_BIT_OPTION(field)                                                                     \
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
INET_BIT_OPTION(freebind)
INET_BIT_OPTION(transparent)

static int set_recverr(struct sock *sk, int val)
{
	inet6_sk(sk)->recverr = val != 0;
	if (!val && sk->sk_rare)
		skb_queue_consume(&sk->sk_rare->error_queue);
	return 0;
}

static int get_recverr(const struct sock *sk, int *ret)
{
	*ret = inet6_sk(sk)->recverr;
	return 0;
}

/* Only before the socket has a port. */
static int set_v6only(struct sock *sk, const void *val, socklen_t len)
{
	int v;

	if (len < sizeof(v) || inet_sk(sk)->sk.sk_num)
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	sk->sk_ipv6only = v != 0;
	return 0;
}

static int get_v6only(const struct sock *sk, int *ret)
{
	*ret = sk->sk_ipv6only;
	return 0;
}

static int set_hop_limit(struct sock *sk, int val)
{
	inet6_sk(sk)->hop_limit = (s16)val;
	return 0;
}

/* What the next packet would have. */
static int get_hop_limit(const struct sock *sk, int *ret)
{
	const struct dst_entry *dst = sk->sk_dst_cache;
	const struct inet6_dev *idev;

	*ret = inet6_sk(sk)->hop_limit;
	if (*ret >= 0)
		return 0;
	*ret = (int)sock_net(sk)->ipv6->devconf_all.hop_limit;
	if (!dst || dst->obsolete || dst->ops->family != AF_INET6)
		return 0;
	idev = dst->dev ? __in6_dev_get(dst->dev) : NULL;
	if (dst_metric(dst, DST_METRIC_HOPLIMIT))
		*ret = (int)dst_metric(dst, DST_METRIC_HOPLIMIT);
	else if (idev)
		*ret = (int)idev->cnf.hop_limit;
	return 0;
}

static int set_mcast_hops(struct sock *sk, int val)
{
	inet6_sk(sk)->mcast_hops = (s16)(val < 0 ? 1 : val);
	return 0;
}

static int get_mcast_hops(const struct sock *sk, int *ret)
{
	*ret = inet6_sk(sk)->mcast_hops < 0 ? 1 : inet6_sk(sk)->mcast_hops;
	return 0;
}

static int set_mcast_if(struct sock *sk, int val)
{
	if (val && !__dev_get_by_index(sock_net(sk), val))
		return -ENODEV;
	if (val && sk->sk_bound_dev_if && sk->sk_bound_dev_if != val)
		return -EINVAL;
	inet6_sk(sk)->mcast_oif = val;
	return 0;
}

static int get_mcast_if(const struct sock *sk, int *ret)
{
	*ret = inet6_sk(sk)->mcast_oif;
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
	inet6_sk(sk)->ucast_oif = ifindex;
	return 0;
}

static int get_unicast_if(const struct sock *sk, int *ret)
{
	*ret = (int)cpu_to_be32((u32)inet6_sk(sk)->ucast_oif).v;
	return 0;
}

static int set_tclass(struct sock *sk, int val)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	if (val < 0)
		val = 0;
	/* ECN belongs to TCP, not to the program (RFC 3168 5). */
	if (sk->sk_type == SOCK_STREAM)
		val = (val & ~3) | (np->tclass & 3);
	if (np->tclass != (u8)val) {
		np->tclass = (u8)val;
		sk_dst_reset(sk);
	}
	return 0;
}

static int get_tclass(const struct sock *sk, int *ret)
{
	*ret = inet6_sk(sk)->tclass;
	return 0;
}

static int set_autoflowlabel(struct sock *sk, int val)
{
	inet6_sk(sk)->autoflowlabel = val != 0;
	inet6_sk(sk)->autoflowlabel_set = 1;
	return 0;
}

static int get_autoflowlabel(const struct sock *sk, int *ret)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);

	*ret = np->autoflowlabel_set ? np->autoflowlabel : sock_net(sk)->ipv6->auto_flowlabels & 1;
	return 0;
}

static int set_mtu(struct sock *sk, int val)
{
	if (val && val < 1280) /* RFC 8200 5 */
		return -EINVAL;
	inet6_sk(sk)->frag_size = (u32)val;
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

static int get_pathmtu(const struct sock *sk, void *val, socklen_t *len)
{
	struct ip6_mtuinfo info = { 0 };
	struct dst_entry *dst;

	if (*len < sizeof(info))
		return -EINVAL;
	dst = sk_dst_check((struct sock *)sk);
	if (!dst)
		return -ENOTCONN;
	info.ip6m_mtu = dst_mtu(dst);
	*len = sizeof(info);
	memcpy(val, &info, sizeof(info));
	return 0;
}

static int set_router_alert(struct sock *sk, int val)
{
	return ip6_ra_control(sk, val);
}

static int get_router_alert(const struct sock *sk, int *ret)
{
	*ret = ip6_ra_is_on(sk);
	return 0;
}

static int set_hdrincl(struct sock *sk, int val)
{
	if (sk->sk_type != SOCK_RAW)
		return -ENOPROTOOPT;
	inet_sk(sk)->hdrincl = val != 0;
	return 0;
}

static int get_hdrincl(const struct sock *sk, int *ret)
{
	if (sk->sk_type != SOCK_RAW)
		return -ENOPROTOOPT;
	*ret = inet_sk(sk)->hdrincl;
	return 0;
}

static int set_checksum(struct sock *sk, const void *val, socklen_t len)
{
	int v;

	if (sk->sk_type != SOCK_RAW)
		return -ENOPROTOOPT;
	/* RFC 3542 3.1: of ICMPv6 it is where it is. */
	if (sk->sk_num == IPPROTO_ICMPV6 || len < sizeof(v))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	return rawv6_set_checksum(sk, v);
}

static int get_checksum(const struct sock *sk, int *ret)
{
	if (sk->sk_type != SOCK_RAW)
		return -ENOPROTOOPT;
	*ret = inet6_sk(sk)->checksum_offset;
	return 0;
}

/* RFC 5014: of each pair of opposites at most one; what is not named stays. */
static int set_addr_preferences(struct sock *sk, int val)
{
	const int pubtmp =
		IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBTMP_DEFAULT;
	const int home = IPV6_PREFER_SRC_HOME | IPV6_PREFER_SRC_COA;
	const int cga = IPV6_PREFER_SRC_CGA | IPV6_PREFER_SRC_NONCGA;
	u32 prefs = inet6_sk(sk)->srcprefs;

	if (__builtin_popcount((u32)(val & pubtmp)) > 1 ||
	    __builtin_popcount((u32)(val & home)) > 1 || __builtin_popcount((u32)(val & cga)) > 1)
		return -EINVAL;
	if (val & pubtmp)
		prefs = (prefs & ~(u32)pubtmp) |
			((u32)val & (IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_TMP));
	if (val & home)
		prefs = (prefs & ~(u32)home) | ((u32)val & IPV6_PREFER_SRC_COA);
	inet6_sk(sk)->srcprefs = (u16)prefs;
	return 0;
}

static int get_addr_preferences(const struct sock *sk, int *ret)
{
	u32 prefs = inet6_sk(sk)->srcprefs;
	u32 v = prefs & (IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_TMP);

	if (!v)
		v = IPV6_PREFER_SRC_PUBTMP_DEFAULT;
	v |= prefs & IPV6_PREFER_SRC_COA ? IPV6_PREFER_SRC_COA : IPV6_PREFER_SRC_HOME;
	*ret = (int)v;
	return 0;
}

/* ---- not an int -------------------------------------------------------------------------------------------------- */

/* IPV6_PKTINFO: source address and interface of every packet. */
static int set_pktinfo(struct sock *sk, const void *val, socklen_t len)
{
	struct in6_pktinfo info;

	if (len < sizeof(info))
		return -EINVAL;
	memcpy(&info, val, sizeof(info));
	if (sk->sk_bound_dev_if && (int)info.ipi6_ifindex != sk->sk_bound_dev_if)
		return -EINVAL;
	inet6_sk(sk)->sticky_pktinfo_ifindex = (int)info.ipi6_ifindex;
	inet6_sk(sk)->sticky_pktinfo_addr = info.ipi6_addr;
	return 0;
}

static void ext_header_len(struct sock *sk)
{
	const struct ipv6_txoptions *opt = inet6_sk(sk)->opt;

	/* A stream's segments have less room. */
	if (inet_sk(sk)->is_icsk)
		((struct inet_connection_sock *)sk)->icsk_ext_hdr_len =
			opt ? (u16)(opt->opt_flen + opt->opt_nflen) : 0;
	sk_dst_reset(sk);
}

static int set_ext_header(struct sock *sk, int type, const void *val, socklen_t len)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct ipv6_txoptions *opt;
	int err;

	opt = ipv6_renew_options(sk, np->opt, type, len ? val : NULL, len, &err);
	if (err)
		return err;
	txopt_put(np->opt);
	np->opt = opt;
	ext_header_len(sk);
	return 0;
}

static int get_ext_header(const struct sock *sk, u16 place, void *val, socklen_t *len)
{
	const struct ipv6_txoptions *opt = inet6_sk(sk)->opt;
	const u8 *hdr;

	if (!place) {
		*len = 0;
		return 0;
	}
	hdr = opt->data + place - 1;
	*len = min_t(socklen_t, *len, ((u32)hdr[1] + 1) * 8);
	memcpy(val, hdr, *len);
	return 0;
}

#define EXT_HEADER_OPTION(name, type, member)                                                      \
	static int set_##name(struct sock *sk, const void *val, socklen_t len)                     \
	{                                                                                          \
		return set_ext_header(sk, type, val, len);                                         \
	}                                                                                          \
	static int get_##name(const struct sock *sk, void *val, socklen_t *len)                    \
	{                                                                                          \
		const struct ipv6_txoptions *opt = inet6_sk(sk)->opt;                              \
                                                                                                   \
		return get_ext_header(sk, opt ? opt->member : 0, val, len);                        \
	}
EXT_HEADER_OPTION(hopopts, IPV6_HOPOPTS, hopopt)
EXT_HEADER_OPTION(rthdrdstopts, IPV6_RTHDRDSTOPTS, dst0opt)
EXT_HEADER_OPTION(rthdr, IPV6_RTHDR, srcrt)
EXT_HEADER_OPTION(dstopts, IPV6_DSTOPTS, dst1opt)

/* RFC 2292: headers of all packets as control messages. */
struct pktoptions {
	struct sock *sk;
	struct ipv6_txoptions *opt;
};

static int pktoption(const struct cmsghdr *cmsg, size_t len, void *arg)
{
	struct pktoptions *p = arg;

	if (cmsg->cmsg_level != SOL_IPV6)
		return 0;
	return ip6_cmsg_option(p->sk, cmsg, len, &p->opt);
}

static int set_pktoptions(struct sock *sk, const void *val, socklen_t len)
{
	struct kmsghdr msg = { .control = (void *)(uintptr_t)val, .controllen = len };
	struct pktoptions p = { .sk = sk };
	int err;

	if (len > IPV6_2292PKTOPTIONS_MAX)
		return -EINVAL;
	err = cmsg_walk(&msg, pktoption, &p);
	if (err) {
		txopt_put(p.opt);
		return err;
	}
	txopt_put(inet6_sk(sk)->opt);
	inet6_sk(sk)->opt = p.opt;
	ext_header_len(sk);
	return 0;
}

static void put_int(struct kmsghdr *msg, int type, int v)
{
	put_cmsg(msg, SOL_IPV6, type, sizeof(v), &v);
}

/* What a stream's last packet had, as control messages; if none was kept, what is known of the connection. */
static int get_pktoptions(const struct sock *sk, void *val, socklen_t *len)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct kmsghdr msg = { .control = val, .controllen = *len };
	struct in6_pktinfo info = { .ipi6_ifindex = (u32)np->sticky_pktinfo_ifindex,
				    .ipi6_addr = np->sticky_pktinfo_addr };
	int hops;

	if (sk->sk_type != SOCK_STREAM)
		return -ENOPROTOOPT;
	if (np->pktoptions) {
		ipv6_recv_pktoptions(sk, &msg, np->pktoptions);
		*len = (socklen_t)msg.control_used;
		return 0;
	}
	get_mcast_hops(sk, &hops);
	if (np->mcast_oif) {
		info.ipi6_ifindex = (u32)np->mcast_oif;
		info.ipi6_addr = sk->sk_v6_daddr;
	}
	if (np->rxopt & IPV6_RX_PKTINFO)
		put_cmsg(&msg, SOL_IPV6, IPV6_PKTINFO, sizeof(info), &info);
	if (np->rxopt & IPV6_RX_HOPLIMIT)
		put_int(&msg, IPV6_HOPLIMIT, hops);
	if (np->rxopt & IPV6_RX_TCLASS)
		put_int(&msg, IPV6_TCLASS, (int)(be32_to_cpu(np->rcv_flowinfo) >> 20));
	if (np->rxopt & IPV6_RX_OPKTINFO)
		put_cmsg(&msg, SOL_IPV6, IPV6_2292PKTINFO, sizeof(info), &info);
	if (np->rxopt & IPV6_RX_OHOPLIMIT)
		put_int(&msg, IPV6_2292HOPLIMIT, hops);
	if (np->rxopt & IPV6_RX_FLOW)
		put_cmsg(&msg, SOL_IPV6, IPV6_FLOWINFO, sizeof(np->rcv_flowinfo),
			 &np->rcv_flowinfo);
	*len = (socklen_t)msg.control_used;
	return 0;
}

/* ---- IPV6_ADDRFORM: a socket with a mapped peer becomes one of AF_INET ---------------------------------------------- */

static int set_addrform(struct sock *sk, int val)
{
	const struct inet_protosw *p;
	int err;

	if (val != AF_INET)
		return -EINVAL;
	if (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_UDP &&
	    sk->sk_protocol != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	if (sk->sk_type == SOCK_RAW)
		return -ENOPROTOOPT;
	if (sk->sk_state != SS_TCP_ESTABLISHED)
		return -ENOTCONN;
	if (sk->sk_ipv6only || !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return -EADDRNOTAVAIL;
	p = inet_protosw_find(sock_net(sk)->machine, AF_INET, sk->sk_type, sk->sk_protocol, &err);
	if (!p)
		return err;
	ipv6_inet_af_ops.release(sk);
	txopt_put(inet6_sk(sk)->opt);
	inet_sk(sk)->pinet6 = NULL;
	sk_change_prot(sk, p->prot);
	sk->sk_socket->ops = p->ops;
	sk->sk_family = AF_INET;
	return 0;
}

static int get_addrform(const struct sock *sk, int *ret)
{
	if (sk->sk_protocol != IPPROTO_TCP && sk->sk_protocol != IPPROTO_UDP &&
	    sk->sk_protocol != IPPROTO_UDPLITE)
		return -ENOPROTOOPT;
	if (sk->sk_state != SS_TCP_ESTABLISHED)
		return -ENOTCONN;
	*ret = sk->sk_family;
	return 0;
}

/* ---- the rows -------------------------------------------------------------------------------------------------------- */

#define ROW_RX(bit)    .kind = IP6_OPT_RX, .flags = IP6_OPT_FLAG, .offset = (bit)
#define ROW_BIT(field) ROW_BIT_(field, 0)
#define ROW_BIT_(field, extra)                                                                     \
	.kind = IP6_OPT_FUNC, .flags = IP6_OPT_FLAG | (extra), .set_int = set_##field,             \
	.get_int = get_##field
#define ROW_INT(fn, lo, hi)                                                                        \
	.kind = IP6_OPT_FUNC, .min = (lo), .max = (hi), .set_int = set_##fn, .get_int = get_##fn
#define ROW_ANY(fn) ROW_INT(fn, INT32_MIN, INT32_MAX)
#define ROW_U8(field, lo, hi)                                                                      \
	.kind = IP6_OPT_U8, .offset = offsetof(struct ipv6_pinfo, field), .min = (lo), .max = (hi)
#define ROW_SET(fn) .kind = IP6_OPT_RAW, .set_raw = (fn)
#define ROW_RAW(fn) .kind = IP6_OPT_RAW, .set_raw = set_##fn, .get_raw = get_##fn

static const struct ip6_sockopt ipv6_sockopts[] = {
	[IPV6_ADDRFORM] = { "IPV6_ADDRFORM", ROW_ANY(addrform) },
	[IPV6_2292PKTINFO] = { "IPV6_2292PKTINFO", ROW_RX(IPV6_RX_OPKTINFO) },
	[IPV6_2292HOPOPTS] = { "IPV6_2292HOPOPTS", ROW_RX(IPV6_RX_OHOPOPTS) },
	[IPV6_2292DSTOPTS] = { "IPV6_2292DSTOPTS", ROW_RX(IPV6_RX_ODSTOPTS) },
	[IPV6_2292RTHDR] = { "IPV6_2292RTHDR", ROW_RX(IPV6_RX_OSRCRT) },
	[IPV6_2292PKTOPTIONS] = { "IPV6_2292PKTOPTIONS", ROW_RAW(pktoptions) },
	[IPV6_CHECKSUM] = { "IPV6_CHECKSUM", .kind = IP6_OPT_RAW, .set_raw = set_checksum,
			    .get_int = get_checksum },
	[IPV6_2292HOPLIMIT] = { "IPV6_2292HOPLIMIT", ROW_RX(IPV6_RX_OHOPLIMIT) },
	[IPV6_FLOWINFO] = { "IPV6_FLOWINFO", ROW_RX(IPV6_RX_FLOW) },
	[IPV6_UNICAST_HOPS] = { "IPV6_UNICAST_HOPS", ROW_INT(hop_limit, -1, 255) },
	[IPV6_MULTICAST_IF] = { "IPV6_MULTICAST_IF", ROW_ANY(mcast_if),
				.flags = IP6_OPT_NO_STREAM },
	[IPV6_MULTICAST_HOPS] = { "IPV6_MULTICAST_HOPS", ROW_INT(mcast_hops, -1, 255),
				  .flags = IP6_OPT_NO_STREAM },
	[IPV6_MULTICAST_LOOP] = { "IPV6_MULTICAST_LOOP", ROW_INT(mc_loop, 0, 1) },
	[IPV6_JOIN_GROUP] = { "IPV6_JOIN_GROUP", ROW_SET(ip6_join_group) },
	[IPV6_LEAVE_GROUP] = { "IPV6_LEAVE_GROUP", ROW_SET(ip6_leave_group) },
	[IPV6_ROUTER_ALERT] = { "IPV6_ROUTER_ALERT", ROW_ANY(router_alert) },
	[IPV6_MTU_DISCOVER] = { "IPV6_MTU_DISCOVER",
				ROW_U8(pmtudisc, IPV6_PMTUDISC_DONT, IPV6_PMTUDISC_OMIT) },
	[IPV6_MTU] = { "IPV6_MTU", ROW_ANY(mtu) },
	[IPV6_RECVERR] = { "IPV6_RECVERR", ROW_BIT(recverr) },
	[IPV6_V6ONLY] = { "IPV6_V6ONLY", .kind = IP6_OPT_RAW, .set_raw = set_v6only,
			  .get_int = get_v6only },
	[IPV6_JOIN_ANYCAST] = { "IPV6_JOIN_ANYCAST", ROW_SET(ip6_join_anycast) },
	[IPV6_LEAVE_ANYCAST] = { "IPV6_LEAVE_ANYCAST", ROW_SET(ip6_leave_anycast) },
	[IPV6_MULTICAST_ALL] = { "IPV6_MULTICAST_ALL", ROW_BIT(mc_all) },
	[IPV6_ROUTER_ALERT_ISOLATE] = { "IPV6_ROUTER_ALERT_ISOLATE", ROW_BIT(rtalert_isolate) },
	[IPV6_RECVERR_RFC4884] = { "IPV6_RECVERR_RFC4884", ROW_INT(recverr_rfc4884, 0, 1) },
	[IPV6_FLOWLABEL_MGR] = { "IPV6_FLOWLABEL_MGR", .kind = IP6_OPT_RAW,
				 .set_raw = ipv6_flowlabel_opt, .get_raw = ipv6_flowlabel_opt_get },
	[IPV6_FLOWINFO_SEND] = { "IPV6_FLOWINFO_SEND", ROW_BIT(sndflow) },
	[IPV6_HDRINCL] = { "IPV6_HDRINCL", ROW_BIT(hdrincl) },
	[MCAST_JOIN_GROUP] = { "MCAST_JOIN_GROUP", ROW_SET(mcast6_join_group) },
	[MCAST_BLOCK_SOURCE] = { "MCAST_BLOCK_SOURCE", ROW_SET(mcast6_block_source) },
	[MCAST_UNBLOCK_SOURCE] = { "MCAST_UNBLOCK_SOURCE", ROW_SET(mcast6_unblock_source) },
	[MCAST_LEAVE_GROUP] = { "MCAST_LEAVE_GROUP", ROW_SET(mcast6_leave_group) },
	[MCAST_JOIN_SOURCE_GROUP] = { "MCAST_JOIN_SOURCE_GROUP",
				      ROW_SET(mcast6_join_source_group) },
	[MCAST_LEAVE_SOURCE_GROUP] = { "MCAST_LEAVE_SOURCE_GROUP",
				       ROW_SET(mcast6_leave_source_group) },
	[MCAST_MSFILTER] = { "MCAST_MSFILTER", .kind = IP6_OPT_RAW, .set_raw = mcast6_set_msfilter,
			     .get_raw = mcast6_get_msfilter },
	[IPV6_RECVPKTINFO] = { "IPV6_RECVPKTINFO", ROW_RX(IPV6_RX_PKTINFO) },
	[IPV6_PKTINFO] = { "IPV6_PKTINFO", ROW_SET(set_pktinfo) },
	[IPV6_RECVHOPLIMIT] = { "IPV6_RECVHOPLIMIT", ROW_RX(IPV6_RX_HOPLIMIT) },
	[IPV6_RECVHOPOPTS] = { "IPV6_RECVHOPOPTS", ROW_RX(IPV6_RX_HOPOPTS) },
	[IPV6_HOPOPTS] = { "IPV6_HOPOPTS", ROW_RAW(hopopts) },
	[IPV6_RTHDRDSTOPTS] = { "IPV6_RTHDRDSTOPTS", ROW_RAW(rthdrdstopts) },
	[IPV6_RECVRTHDR] = { "IPV6_RECVRTHDR", ROW_RX(IPV6_RX_SRCRT) },
	[IPV6_RTHDR] = { "IPV6_RTHDR", ROW_RAW(rthdr) },
	[IPV6_RECVDSTOPTS] = { "IPV6_RECVDSTOPTS", ROW_RX(IPV6_RX_DSTOPTS) },
	[IPV6_DSTOPTS] = { "IPV6_DSTOPTS", ROW_RAW(dstopts) },
	[IPV6_RECVPATHMTU] = { "IPV6_RECVPATHMTU", ROW_RX(IPV6_RX_PMTU) },
	[IPV6_PATHMTU] = { "IPV6_PATHMTU", .kind = IP6_OPT_RAW, .get_raw = get_pathmtu },
	[IPV6_DONTFRAG] = { "IPV6_DONTFRAG", ROW_BIT_(dontfrag, IP6_OPT_SHORT_OK) },
	[IPV6_RECVTCLASS] = { "IPV6_RECVTCLASS", ROW_RX(IPV6_RX_TCLASS) },
	[IPV6_TCLASS] = { "IPV6_TCLASS", ROW_INT(tclass, -1, 255) },
	[IPV6_AUTOFLOWLABEL] = { "IPV6_AUTOFLOWLABEL", ROW_BIT_(autoflowlabel, IP6_OPT_SHORT_OK) },
	[IPV6_ADDR_PREFERENCES] = { "IPV6_ADDR_PREFERENCES", ROW_ANY(addr_preferences) },
	[IPV6_MINHOPCOUNT] = { "IPV6_MINHOPCOUNT", ROW_U8(min_hopcount, 0, 255) },
	[IPV6_ORIGDSTADDR] = { "IPV6_ORIGDSTADDR", ROW_RX(IPV6_RX_ORIGDSTADDR) },
	[IPV6_TRANSPARENT] = { "IPV6_TRANSPARENT", ROW_BIT(transparent) },
	[IPV6_UNICAST_IF] = { "IPV6_UNICAST_IF", .kind = IP6_OPT_RAW, .set_raw = set_unicast_if,
			      .get_int = get_unicast_if },
	[IPV6_RECVFRAGSIZE] = { "IPV6_RECVFRAGSIZE", .kind = IP6_OPT_RX,
				.flags = IP6_OPT_FLAG | IP6_OPT_SHORT_OK,
				.offset = IPV6_RX_FRAGSIZE },
	[IPV6_FREEBIND] = { "IPV6_FREEBIND", ROW_BIT(freebind) },
};

static const struct ip6_sockopt *sockopt_find(int name)
{
	if (name < 0 || (size_t)name >= ARRAY_SIZE(ipv6_sockopts) ||
	    ipv6_sockopts[name].kind == IP6_OPT_NONE)
		return NULL;
	return &ipv6_sockopts[name];
}

static int store_int(struct sock *sk, const struct ip6_sockopt *o, int v)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	switch (o->kind) {
	case IP6_OPT_U8:
		*((u8 *)np + o->offset) = (u8)v;
		return 0;
	case IP6_OPT_RX:
		np->rxopt = v ? np->rxopt | o->offset : np->rxopt & ~o->offset;
		return 0;
	default:
		return o->set_int(sk, v);
	}
}

int ipv6_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	const struct ip6_sockopt *o = level == SOL_IPV6 ? sockopt_find(name) : NULL;
	int v = 0;

	if (!o || o->flags & IP6_OPT_RDONLY || (o->kind == IP6_OPT_RAW && !o->set_raw) ||
	    (o->flags & IP6_OPT_NO_STREAM && sk->sk_type == SOCK_STREAM))
		return -ENOPROTOOPT;
	if (o->kind == IP6_OPT_RAW)
		return o->set_raw(sk, val, len);
	/* Whoever does not know the option says so first. */
	if (name == IPV6_HDRINCL && sk->sk_type != SOCK_RAW)
		return -ENOPROTOOPT;
	if (len >= sizeof(v))
		memcpy(&v, val, sizeof(v));
	else if (!(o->flags & IP6_OPT_SHORT_OK))
		return -EINVAL;
	if (o->flags & IP6_OPT_FLAG)
		v = v != 0;
	else if (v < o->min || v > o->max)
		return -EINVAL;
	return store_int(sk, o, v);
}

static int load_int(const struct sock *sk, const struct ip6_sockopt *o, int *ret)
{
	if (o->get_int)
		return o->get_int(sk, ret);
	if (o->kind == IP6_OPT_U8)
		*ret = *((const u8 *)inet6_sk(sk) + o->offset);
	else if (o->kind == IP6_OPT_RX)
		*ret = (inet6_sk(sk)->rxopt & o->offset) != 0;
	else
		return -ENOPROTOOPT;
	return 0;
}

int ipv6_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len)
{
	const struct ip6_sockopt *o;
	int v, err;

	if (level != SOL_IPV6)
		return -EOPNOTSUPP;
	o = sockopt_find(name);
	if (!o)
		return -ENOPROTOOPT;
	if (o->get_raw)
		return o->get_raw(sk, val, len);
	err = load_int(sk, o, &v);
	if (err)
		return err;
	*len = min_t(socklen_t, *len, sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}
