/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_route.h - IPv6 routing as the layers above see it
 */
#ifndef WEIR_IPV6_IP6_ROUTE_H
#define WEIR_IPV6_IP6_ROUTE_H

#include <linux/rtnetlink.h>
#include <net/route.h>
#include <netinet/in.h>

#include "core/dst.h"
#include "lib/list.h"
#include "lib/types.h"
#include "wire/ipv6.h"

/* RTF_* that net/route.h lacks: values of linux/ipv6_route.h, which cannot be included beside it */
#define RTF_PREFIX_RT 0x00080000 /* a prefix that an advertisement calls on link */
#define RTF_ANYCAST   0x00100000
#define RTF_ROUTEINFO 0x00800000 /* RFC 4191 route information */

struct fib6_info; /* ip6_fib.h: a route as configured */
struct net;
struct sock;

struct flowi6 {
	int oif, iif;
	u32 mark;
	be32 flowlabel;  /* traffic class and flow label, as in the header */
	u8 proto, flags; /* flags: FLOWI6_FLAG_* */
	struct in6_addr saddr, daddr;
	be16 sport, dport; /* ICMPv6: type and code */
	u32 uid;
	u8 srcprefs; /* IPV6_PREFER_SRC_*: bits 0..7 of ipv6_pinfo.srcprefs */
};
#define FLOWI6_FLAG_ANYSRC     1
#define FLOWI6_FLAG_LOCALROUTE 4 /* SO_DONTROUTE */
#define FLOWI6_FLAG_ONE_LOOK   2 /* what the tables say of this flow: no second look with a source */
#define FLOWI6_FLAG_NO_SOURCE  8 /* none is chosen: :: stays :: (RFC 3590, RFC 4862 5.4.2) */

struct rt6_info {
	struct dst_entry dst; /* must be first */
	struct net *net;
	u32 rt6_genid;
	u32 rt6i_flags; /* RTF_* */
	u8 rt6i_type;   /* RTN_* */
	u8 rt6i_dst_plen;
	struct in6_addr rt6i_dst;     /* the prefix that matched */
	struct in6_addr rt6i_gateway; /* next hop; :: the destination is on link */
	struct in6_addr rt6i_prefsrc; /* :: choose by RFC 6724 */
	u32 rt6i_pmtu;                /* learnt for one destination; 0 none */
	struct fib6_info *from;       /* held; NULL: there was no route */
	struct list_head rt6i_list;   /* netns_ipv6.rt6_list */
};

/* Routes @fl; fills in fl->saddr (RFC 6724, if it was ::) and fl->oif. @sk may be NULL. A held entry, or NULL with *ret_err
 * (-ENETUNREACH, -EHOSTUNREACH, -EACCES, -EINVAL, -EADDRNOTAVAIL, -ENOMEM). */
struct rt6_info *ip6_route_output(struct net *net, struct flowi6 *fl, const struct sock *sk,
				  int *ret_err);
/* For a received packet (network header set): sets skb->dst. 0 or a drop reason. */
skb_drop_reason_t ip6_route_input(struct sk_buff *skb);
/* The same for a packet of the connection of skb->sk, if that remembers the answer: skb->dst is set, or not. */
void ip6_route_input_sk(struct sk_buff *skb);
/* It does from now on. */
void ip6_route_remember(const struct sk_buff *skb);
/* The same with the answer that @hint, in front of it, has got: true if that serves @skb too. Nothing has happened in between. */
bool ip6_route_use_hint(struct sk_buff *skb, const struct sk_buff *hint);
void rt6_cache_flush(struct net *net); /* all cached dsts become obsolete */

/* ICMPv6 packet too big came for @daddr: only that destination learns it (RFC 8201). */
void ip6_update_pmtu(struct net *net, const struct in6_addr *daddr, const struct in6_addr *saddr,
		     int oif, u32 mtu);
void ip6_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, u32 mtu);
/* A redirect by @from: @daddr goes to @target (equal: it is on link) on @dev from now on. False: @from is not who is asked now. */
bool rt6_do_redirect(struct net *net, const struct in6_addr *daddr, const struct in6_addr *from,
		     const struct in6_addr *target, struct net_device *dev);

static inline struct rt6_info *skb_rt6_info(const struct sk_buff *skb)
{
	return (struct rt6_info *)skb->dst;
}
/* The neighbour's address for a packet to @daddr. */
static inline const struct in6_addr *rt6_nexthop(const struct rt6_info *rt,
						 const struct in6_addr *daddr)
{
	return ipv6_addr_any(&rt->rt6i_gateway) ? daddr : &rt->rt6i_gateway;
}
static inline void ip6_rt_put(struct rt6_info *rt)
{
	dst_release(rt ? &rt->dst : NULL);
}

#endif
