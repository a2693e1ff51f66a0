/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_fib.h - IPv6 routes as the tables hold them, and the ways in for addresses and router advertisements
 *
 * Locking: changed with rtnl or from softirq (router advertisements), always with the net's cpu lock held; read with the cpu lock.
 */
#ifndef WEIR_IPV6_IP6_FIB_H
#define WEIR_IPV6_IP6_FIB_H

#include "ipv6/ip6_route.h"
#include "netlink/netlink.h"

struct fib6_config { /* a request to add or remove a route */
	u32 table, metric;
	struct in6_addr dst, src, gateway,
		prefsrc; /* src: source-specific routes (ip route add ... from) */
	u8 dst_len, src_len;
	bool has_gateway;
	u8 protocol, type; /* RTPROT_*, RTN_* */
	u8 pref;           /* ICMPV6_ROUTER_PREF_* */
	u32 flags;         /* RTF_* */
	u32 nl_flags;      /* NLM_F_* */
	u32 rtm_flags;     /* RTNH_F_* */
	int oif;
	u64 expires; /* ns, absolute; 0 never */
	const struct nlattr *metrics, *multipath;
	u32 portid;
	const struct nlmsghdr *nlh; /* NULL: by the stack itself */
};

/* cpu lock held. 0 or -errno (-EEXIST, -ESRCH, -EINVAL, -EHOSTUNREACH, -ENODEV, -ENOMEM) */
int ip6_route_add(struct net *net, const struct fib6_config *cfg, struct netlink_ext_ack *extack);
int ip6_route_del(struct net *net, const struct fib6_config *cfg, struct netlink_ext_ack *extack);

/* Routes that an address brings: addrconf.c calls. The host route in table local (@anycast: RTF_ANYCAST), and the prefix. */
int ip6_add_local_route(struct net_device *dev, const struct in6_addr *addr, bool anycast);
void ip6_del_local_route(struct net_device *dev, const struct in6_addr *addr);

/* Router advertisements: ndisc.c calls. @lifetime in s, 0: remove; ~0: forever. */
int rt6_default_router(struct net_device *dev, const struct in6_addr *router, u32 lifetime, u8 pref,
		       u8 hop_limit, u32 metric);
int rt6_route_information(struct net_device *dev, const struct in6_addr *router,
			  const struct in6_addr *prefix, u8 plen, u32 lifetime, u8 pref);
void rt6_purge_default_routers(struct net *net); /* the net became a router */
/* An on-link prefix from an advertisement. */
int rt6_prefix_route(struct net_device *dev, const struct in6_addr *prefix, u8 plen, u32 lifetime,
		     u32 metric);

/* Device events, from addrconf.c's notifier in the right order. */
void rt6_device_up(struct net_device *dev);
void rt6_device_down(struct net_device *dev, bool unregister);
/* @addr is gone: routes that prefer it as source, cached dsts. */
void rt6_remove_prefsrc(struct net *net, const struct in6_addr *addr);

#endif
