/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.h - IPv4 routing as the layers above see it
 */
#ifndef WEIR_IPV4_ROUTE_H
#define WEIR_IPV4_ROUTE_H

#include <linux/rtnetlink.h>

#include "core/dst.h"
#include "lib/list.h"
#include "lib/types.h"

struct net;
struct sock;

struct flowi4 {
	int oif, iif;
	u32 mark;
	u8 tos, scope, proto, flags; /* flags: FLOWI_FLAG_* */
	be32 saddr, daddr;
	be16 sport, dport; /* ICMP: type and code */
	u32 uid;
};
#define FLOWI_FLAG_ANYSRC     1
#define FLOWI_FLAG_KNOWN_NH   2
#define FLOWI_FLAG_LOCALROUTE 4 /* SO_DONTROUTE: directly connected only */

struct rtable {
	struct dst_entry dst; /* must be first */
	struct net *net;
	u32 rt_genid;
	u32 rt_id;    /* no other of the net has this number */
	u32 rt_flags; /* RTCF_* of linux/in_route.h */
	u8 rt_type;   /* RTN_* */
	u8 rt_uses_gateway;
	u8 rt_is_input;
	u8 rt_exception; /* says what was learnt about one destination */
	int rt_iif;
	be32 rt_gateway; /* next hop; 0: on link */
	be32 fi_gw;      /* what the route says: a redirect changes rt_gateway only */
	be32 rt_src;     /* preferred source */
	u32 rt_pmtu;     /* learnt; 0 none */
	bool rt_mtu_locked;
	struct fib_info *fi;      /* held; NULL: comes from no route */
	struct list_head rt_list; /* netns_ipv4.rt_list */
};

/* Routes @fl; fills in fl->saddr and fl->oif. A held entry, or NULL with *ret_err (-ENETUNREACH, -EHOSTUNREACH,
 * -EACCES, -EINVAL, -ENOMEM). */
struct rtable *ip_route_output_key(struct net *net, struct flowi4 *fl, int *ret_err);
/* As above; @sk gives flags. */
struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl, const struct sock *sk,
				    int *ret_err);
/* For a received packet: sets skb->dst. 0 or a drop reason. */
skb_drop_reason_t ip_route_input(struct sk_buff *skb, be32 daddr, be32 saddr, u8 tos,
				 struct net_device *dev);
/* The same with the answer that @hint, in front of it, has got: true if that serves @skb too. Nothing has happened in between. */
bool ip_route_use_hint(struct sk_buff *skb, const struct sk_buff *hint);
/* For a socket that is being connected: rules that look at the source are asked again when it has been chosen. */
struct rtable *ip_route_connect(struct net *net, struct flowi4 *fl, const struct sock *sk,
				int *ret_err);
void rt_cache_flush(struct net *net); /* all cached dsts become obsolete */
/* RTN_* of an address: local, broadcast, multicast, unicast, ... */
u32 inet_addr_type(struct net *net, be32 addr);
u32 inet_dev_addr_type(struct net *net, const struct net_device *dev, be32 addr);
/* ICMP fragmentation needed came for (daddr, saddr). */
void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, u32 mtu, int oif, u8 proto);
void ipv4_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, u32 mtu);
/* An ICMP redirect came; data at the packet that it quotes, right behind the ICMP header. borrow */
void ipv4_redirect(struct sk_buff *skb, struct net *net);
void ipv4_sk_redirect(struct sk_buff *skb, struct sock *sk);

static inline void ip_rt_put(struct rtable *rt)
{
	dst_release(rt ? &rt->dst : NULL);
}

static inline struct rtable *skb_rtable(const struct sk_buff *skb)
{
	return (struct rtable *)skb->dst;
}

#endif
