/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_fib.h - IPv6 routes as the tables hold them, and the ways in for addresses and router advertisements
 *
 * Theory of operation: ip6_fib.c.
 * Locking: changed with rtnl or from softirq (router advertisements), always with the net's cpu lock held; read with the cpu lock.
 */
#ifndef WEIR_IPV6_IP6_FIB_H
#define WEIR_IPV6_IP6_FIB_H

#include "inet/ip_metrics.h"
#include "ipv6/ip6_route.h"
#include "lib/prefix_trie.h"
#include "netlink/netlink.h"

#define IP6_RT_PRIO_USER   1024 /* metric of a route that names none */
#define IP6_RT_PRIO_KERNEL 256  /* of one that the stack makes */

struct fib6_table {
	struct hlist_node hash; /* netns_ipv6.fib6_tables */
	u32 id;
	struct prefix_trie trie; /* values: struct fib6_info, the first of a prefix */
};

struct fib6_info { /* a route through one next hop; those of a multipath route follow each other */
	struct fib6_info *next; /* of the prefix: by metric, then in the order they came */
	struct fib6_table *table;
	struct net *net;
	u32 refcount; /* the table's, and rt6_infos' */
	bool dead;    /* not in the table any more */
	struct in6_addr dst, src;
	u8 dst_len, src_len; /* src: only for packets from there (ip route add ... from) */
	u8 protocol, type, pref;
	u32 metric, flags; /* RTF_* */
	u64 expires;       /* ns; 0: never */
	struct in6_addr prefsrc;
	struct net_device *dev; /* held; loopback for unreachable, blackhole, ... */
	struct in6_addr gateway;
	u8 nh_flags; /* RTNH_F_* */
	u16 weight;  /* 1.. */
	struct ip_metrics metrics;
	struct rt6_info *rt_cache;   /* held; what packets through this route get */
	struct list_head exceptions; /* ip6_route.c: what was learnt of destinations behind it */
};

struct fib6_config { /* a request to add or remove a route */
	u32 table, metric;
	struct in6_addr dst, src, gateway, prefsrc;
	u8 dst_len, src_len;
	bool has_gateway;
	u8 protocol, type; /* RTPROT_*, RTN_* */
	u8 pref;           /* ICMPV6_ROUTER_PREF_* */
	u32 flags;         /* RTF_* */
	u32 nl_flags;      /* NLM_F_* */
	u32 rtm_flags;     /* RTNH_F_* */
	u16 weight;
	u8 hop_limit; /* a metric; 0: not said */
	int oif;
	u64 expires; /* ns, absolute; 0 never */
	const struct nlattr *metrics, *multipath;
	u32 portid;
	const struct nlmsghdr *nlh; /* NULL: by the stack itself */
};

/* cpu lock held. 0 or -errno (-EEXIST, -ESRCH, -EINVAL, -EHOSTUNREACH, -ENODEV, -ENOMEM) */
int ip6_route_add(struct net *net, const struct fib6_config *cfg, struct netlink_ext_ack *extack);
int ip6_route_del(struct net *net, const struct fib6_config *cfg, struct netlink_ext_ack *extack);

struct fib6_table *fib6_get_table(const struct net *net, u32 id); /* NULL: none */
struct fib6_table *fib6_new_table(struct net *net,
				  u32 id); /* found or made; NULL: no memory, or too many */
/* The route for @fl, or NULL. @strict: on fl->oif only. Borrowed. */
struct fib6_info *fib6_lookup(struct net *net, const struct flowi6 *fl, bool strict);
struct fib6_info *fib6_table_lookup(struct fib6_table *tb, const struct flowi6 *fl, bool strict);
/* fib6_rules.c */
int fib6_rules_init(struct net *net);
void fib6_needs_changed(struct net *net); /* the rules, or fib_multipath_hash_policy */
struct fib6_info *fib6_rules_lookup(struct net *net, const struct flowi6 *fl, bool strict);
/* Protocol and ports of a received packet (network header set) for rules that look at them. borrow */
void fib6_rules_dissect(const struct sk_buff *skb, struct flowi6 *fl);
/* The answer of a rule that prohibits (RTN_PROHIBIT) or swallows (RTN_BLACKHOLE). Borrowed. NULL: no memory */
struct fib6_info *fib6_rule_route(struct net *net, u8 type);
/* The first route of @f's prefix. @f is in its table. */
struct fib6_info *fib6_prefix_first(const struct fib6_info *f);
/* Does @f continue the multipath route that @prev is part of? */
bool fib6_is_sibling(const struct fib6_info *prev, const struct fib6_info *f);
static inline bool fib6_expired(const struct fib6_info *f)
{
	return f->expires && f->expires <= net_now(f->net);
}
static inline bool fib6_has_gateway(const struct fib6_info *f)
{
	return f->flags & RTF_GATEWAY;
}
void fib6_info_put(struct fib6_info *f); /* NULL is fine */
/* One route message; all next hops of a multipath route when @f is its first. nlmsg_finish()'s verdict */
int fib6_dump_info(struct nl_msg *m, u32 portid, u32 seq, int event, u16 flags,
		   const struct fib6_info *f, bool siblings);
extern const struct rtnl_handler ip6_route_rtnl_handlers[];
extern const u32 nr_ip6_route_rtnl_handlers;
int inet6_rtm_getroute(struct nl_request *req); /* ip6_route.c: ip route get */

/* Routes that an address brings: addrconf.c calls. The host route in table local (@anycast: RTF_ANYCAST). 0 or -errno */
int ip6_add_local_route(struct net_device *dev, const struct in6_addr *addr, bool anycast);
void ip6_del_local_route(struct net_device *dev, const struct in6_addr *addr, bool anycast);
/* The prefix of an address or of an advertisement, on link. @lifetime in s, 0: remove; ~0: for ever. @metric 0: the usual one */
int rt6_prefix_route(struct net_device *dev, const struct in6_addr *prefix, u8 plen, u32 lifetime,
		     u32 metric, u8 protocol);

/* Router advertisements: ndisc.c calls. @lifetime in s, 0: remove; ~0: for ever. */
int rt6_default_router(struct net_device *dev, const struct in6_addr *router, u32 lifetime, u8 pref,
		       u8 hop_limit, u32 metric);
int rt6_route_information(struct net_device *dev, const struct in6_addr *router,
			  const struct in6_addr *prefix, u8 plen, u32 lifetime, u8 pref);
void rt6_purge_default_routers(struct net *net); /* the net became a router */

/* Device events, from addrconf.c's notifier in the right order. */
int rt6_device_up(struct net_device *dev); /* the device's group route; 0 or -ENOMEM */
void rt6_device_down(struct net_device *dev, bool unregister);
/* @addr is gone: routes that prefer it as source, cached dsts. */
void rt6_remove_prefsrc(struct net *net, const struct in6_addr *addr);

/* ip6_route.c */
void fib6_drop_cache(struct fib6_info *f); /* its rt6_info */
struct text;
void ipv6_route_show(struct net *net, struct text *t);
/* ip route show cache: a page of a dump */
int rt6_dump_exceptions(struct nl_msg *msg, struct netlink_callback *cb);
void rt6_exceptions_clear(struct net *net);
void rt6_exceptions_drop(struct fib6_info *f); /* those of a route */
void rt6_drop_dev(struct net_device *dev);     /* nothing refers to @dev any more */

#endif
