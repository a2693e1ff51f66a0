/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv6.h - IPv6 for the layers above: receive registration, output, ICMPv6, the IPv6 part of a socket
 */
#ifndef WEIR_IPV6_IPV6_H
#define WEIR_IPV6_IPV6_H

#include "core/net.h"
#include "core/netdevice.h"
#include "core/skbuff.h"
#include "inet/inet6_sock.h"
#include "inet/inet_fragment.h"
#include "inet/inet_sock.h"
#include "ipv6/addrconf.h"
#include "ipv6/ip6_route.h"
#include "lib/unihash.h"
#include "wire/ipv6.h"

struct inet6_skb_parm { /* skb->cb while IPv6 holds the skb, and under TCP's and UDP's own cb: same size as inet_skb_parm */
	int iif;
	u16 flags; /* IP6SKB_* */
	u16 frag_max_size;
	u16 nhoff; /* from the network header: the octet that names the transport protocol */
	u16 ra;    /* value of the router alert option (RFC 2711) */
};
#define IP6CB(skb)         ((struct inet6_skb_parm *)(skb)->cb)
#define IP6SKB_FORWARDED   1
#define IP6SKB_FRAGMENTED  2
#define IP6SKB_ROUTERALERT 4
#define IP6SKB_HOPBYHOP    16 /* has a hop-by-hop header */
#define IP6SKB_SRCROUTED   64 /* had a routing header that was followed here */

static inline struct ipv6_hdr *ipv6_hdr(const struct sk_buff *skb)
{
	return (struct ipv6_hdr *)skb_network_header(skb);
}
static inline u8 ipv6_get_dsfield(const struct ipv6_hdr *h)
{
	return (u8)(be32_to_cpu(h->ver_tc_flow) >> 20);
}
#define IPV6_FLOWLABEL_MASK_ 0x000fffffu
static inline be32 ip6_flowinfo(u8 tclass, be32 label)
{
	return cpu_to_be32((u32)tclass << 20 | (be32_to_cpu(label) & IPV6_FLOWLABEL_MASK_));
}

struct fib6_info;
struct fib6_table;
struct fib_rules;
struct icmpv6_limits;
#define FIB6_TABLE_HASHSZ 16

/* Per net */
/* Anybody on the link can send advertisements. A flood of one kind must not shut out the other. */
#define RA_ROUTES_MAX  1024 /* prefixes and more specific routes */
#define RA_ROUTERS_MAX 128  /* default routers */

#define RAW6_HASH_BITS 4
#define RAW6_HASH_SIZE (1 << RAW6_HASH_BITS) /* by protocol */

struct netns_ipv6 {
	struct net *net;
	const struct net_protocol *protos[256]; /* transports; extension headers: exthdrs.c */
	struct notifier_block *notifier;

	/* routing: ip6_fib.c, ip6_route.c */
	struct hlist_head fib6_tables[FIB6_TABLE_HASHSZ];
	struct list_head rt6_list; /* every live rt6_info of the net */
	u32 rt6_genid;
	u32 fib6_generation;
	struct rt6_info *null_entry; /* "unreachable": made on demand */
	struct timer_list fib6_gc_timer;
	u32 fib6_src_routes;       /* routes for some sources only: they need a second look */
	u32 ra_routes, ra_routers; /* routes by router advertisements: at most RA_*_MAX */
	struct hlist_head *rt6_exceptions;   /* ip6_route.c; NULL: none was ever learnt */
	struct list_head rt6_exceptions_age; /* the same, by when they changed */
	u32 rt6_exception_count, rt6_exception_seq;
	struct fib_rules *rules;                   /* fib6_rules.c: ip -6 rule */
	bool fib6_has_custom_rules, rules_need_l4; /* what the rules' own fields say */
	struct fib6_info
		*rule_routes[2]; /* the answers "prohibit" and "blackhole"; made on demand */
	u32 fib6_table_count;

	/* addresses: addrconf.c */
	struct list_head in6_devs;
	struct hlist_head
		*addr_hash; /* inet6 addresses by address; grown; NULL: there is none yet */
	u32 addr_hash_bits, addr_count;
	u32 addr_generation; /* of the addresses: netlink dumps */
	struct list_head
		addrlabels; /* ip addrlabel: RFC 6724 policy table; empty: the default one */
	u32 addrlabel_seq;
	struct ipv6_devconf devconf_all, devconf_default;
	bool forwarding, disabled; /* of devconf_all, in effect */

	/* ndisc.c, icmp.c, mcast.c, reassembly.c, raw.c */
	struct neigh_table *nd_tbl;
	struct icmpv6_limits *icmp_limits; /* icmp.c */
	struct fqdir frags;
	struct hlist_head raw_hash[RAW6_HASH_SIZE];
	u32 nr_raw;                  /* in it */
	struct list_head ra_chain;   /* raw sockets with IPV6_ROUTER_ALERT */
	struct list_head flowlabels; /* ip6_flowlabel.c */
	struct unihash_key label_key;
	u32 icmpv6_msg_in[256], icmpv6_msg_out[256];

	/* sysctls: table in sysctl_ipv6.c */
	u8 anycast_src_echo_reply, icmpv6_echo_ignore_all, icmpv6_echo_ignore_multicast,
		icmpv6_echo_ignore_anycast, auto_flowlabels, flowlabel_consistency,
		flowlabel_state_ranges, ip_nonlocal_bind, fwmark_reflect, skip_notify_on_dev_down,
		fib_multipath_hash_policy;
	u32 icmpv6_ratelimit_ms;
	u32 icmpv6_ratemask[8];
	u32 idgen_retries, idgen_delay_s, max_dst_opts_cnt, max_hbh_opts_cnt, max_dst_opts_len,
		max_hbh_opts_len, mld_max_msf, mld_qrv;
	u32 route_gc_interval_s, route_gc_timeout_s, route_gc_thresh, route_max_size,
		route_mtu_expires_s, route_min_adv_mss;
	u32 ident_counter; /* ip6_output.c: fragments */
};

/* ---- ip6_input.c ---------------------------------------------------------------------------------------- */

int inet6_add_protocol(struct net *net, u8 protocol, const struct net_protocol *p); /* 0, -EEXIST */
void inet6_del_protocol(struct net *net, u8 protocol);

/* ---- ip6_output.c --------------------------------------------------------------------------------------- */

/* For TCP (af_ops.queue_xmit): routes or uses the socket's dst, adds header and the socket's extension headers. Consumes; data at
 * the transport header. */
int inet6_csk_xmit(struct sock *sk, struct sk_buff *skb);
/* A packet with everything given: header (@opt before it, may be NULL) from @fl. skb->dst set, data at the transport header.
 * @sk may be NULL or a listener. Consumes. */
int ip6_xmit(struct net *net, const struct sock *sk, struct sk_buff *skb, const struct flowi6 *fl,
	     const struct ipv6_txoptions *opt, s16 hop_limit);
/* Twin of ip_send_unicast_reply(): a RST or ACK that belongs to no full socket, answering @skb (borrow). */
void ip6_send_unicast_reply(struct net *net, struct sk_buff *skb, const struct in6_addr *daddr,
			    const struct in6_addr *saddr, u8 proto, const void *segment, u32 len,
			    u32 csum_offset, const struct ip_reply_arg *arg);
struct ipcm6_cookie {       /* control messages of one sendmsg(2), on top of what the socket says */
	s16 hlimit, tclass; /* -1: the default */
	bool dontfrag;
	u16 gso_size;               /* payload octets per datagram; 0: one datagram */
	struct ipv6_txoptions *opt; /* held; NULL none */
	struct sockcm_cookie sockc;
};
/* Twin of ip_make_skb(), the same contract. */
struct sk_buff *ip6_make_skb(struct sock *sk, const struct flowi6 *fl, struct iov_iter *from,
			     u32 length, u32 transhdrlen, struct rt6_info **rt, u32 flags,
			     const struct ipcm6_cookie *ipc6, int *ret_err);
/* Octets of the biggest wire packet that @skb becomes: GSO counted by segment. */
u32 ip6_wire_len(const struct sk_buff *skb);
int ip6_send_skb(struct net *net, struct sk_buff *skb);                   /* consumes */
int ip6_local_out(struct net *net, struct sock *sk, struct sk_buff *skb); /* consumes */
/* Where extension headers that every fragment repeats end: offset from the network header; *ret_nexthdr: where the type of what
 * follows is written. 0: malformed. */
u32 ip6_find_1stfragopt(const struct sk_buff *skb, u32 *ret_nexthdr_off);
int ip6_fragment(struct net *net, struct sock *sk, struct sk_buff *skb,
		 int (*output)(struct net *, struct sock *, struct sk_buff *));

/* ---- icmp.c ---------------------------------------------------------------------------------------------- */

/* borrow @skb: the packet that cannot be delivered. Obeys RFC 4443 2.4 (never about errors, multicast except too big and the
 * parameter problem of options; rate limited). @info: MTU or pointer. */
void icmpv6_send(struct sk_buff *skb, u8 type, u8 code, u32 info);
/* *ret_err gets the errno of an ICMPv6 error; true: fatal to a connection. */
bool icmpv6_err_convert(u8 type, u8 code, int *ret_err);
void icmpv6_count_out(struct net *net, u8 type);

/* ---- exthdrs.c, ip6_flowlabel.c --------------------------------------------------------------------------- */

/* For setsockopt and control messages: checks one extension header of @type (IPV6_HOPOPTS, IPV6_RTHDRDSTOPTS, IPV6_RTHDR,
 * IPV6_DSTOPTS) and gives a new set with it instead of @old's. NULL with *ret_err (-EINVAL, -EPERM, -ENOBUFS). @hdr NULL: removed. */
struct ipv6_txoptions *ipv6_renew_options(const struct sock *sk, const struct ipv6_txoptions *old,
					  int type, const void *hdr, u32 len, int *ret_err);
/* With a routing header the packet goes to its first hop: changes fl->daddr, the final one is returned through @ret_final. */
void fl6_update_dst(struct flowi6 *fl, const struct ipv6_txoptions *opt,
		    struct in6_addr *ret_final);
/* The extension headers of a received packet as control messages, as far as the socket asks with @rxopts. */
#define IPV6_RX_NEW_EXTHDRS (IPV6_RX_HOPOPTS | IPV6_RX_DSTOPTS | IPV6_RX_SRCRT)
#define IPV6_RX_OLD_EXTHDRS (IPV6_RX_OHOPOPTS | IPV6_RX_ODSTOPTS | IPV6_RX_OSRCRT)
void ipv6_datagram_recv_exthdrs(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb,
				u32 rxopts);
/* The label of a flow (RFC 6437 3): a keyed hash of what identifies it. */
be32 ip6_make_flowlabel(struct net *net, const struct flowi6 *fl);
/* If @sk's packets have a label that was made for them they get another one. */
void ip6_sk_rehash(struct sock *sk);

/* ---- ipv6_sockglue.c, datagram.c --------------------------------------------------------------------------- */

/* What AF_INET6 sockets need of IPv6; ipv6_net_init() registers it with inet_register_af_ops(). */
extern const struct inet_af_ops ipv6_inet_af_ops;
int ipv6_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len);
int ipv6_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len);
/* Puts an error on @sk's error queue if it wants it (IPV6_RECVERR). borrow skb. */
void ipv6_icmp_error(struct sock *sk, struct sk_buff *skb, int err, be16 port, u32 info,
		     u8 *payload);
/* borrow @skb, a packet for stream @sk: its headers, if @sk asks for any by IPV6_RECV*; NULL: not, or no memory. The caller sets the
 * cb: struct inet_sock_cb. */
struct sk_buff *ipv6_pktoptions(const struct sock *sk, const struct sk_buff *skb);
void ipv6_set_pktoptions(struct sock *sk, struct sk_buff *opts); /* consumes */
/* Control messages of what ipv6_pktoptions() kept, as IPV6_2292PKTOPTIONS tells them. */
void ipv6_recv_pktoptions(const struct sock *sk, struct kmsghdr *msg, const struct sk_buff *opts);
void ipv6_local_error(struct sock *sk, int err, const struct flowi6 *fl, u32 info);
/* The path takes packets of @mtu octets only: tells a program that set IPV6_RECVPATHMTU. */
void ipv6_local_rxpmtu(struct sock *sk, const struct flowi6 *fl, u32 mtu);
void ipv6_flow_init_sk(struct flowi6 *fl, const struct sock *sk);

#endif
