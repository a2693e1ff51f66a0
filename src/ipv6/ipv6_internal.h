/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv6_internal.h - what the files of ipv6/ share
 */
#ifndef WEIR_IPV6_IPV6_INTERNAL_H
#define WEIR_IPV6_IPV6_INTERNAL_H

#include "core/neighbour.h"
#include "ipv6/ip6_fib.h"
#include "ipv6/ipv6.h"
#include "ipv6/ipv6_reasons.h"
#include "ipv6/ndisc.h"

/* ---- what a packet must fit --------------------------------------------------------------------------------- */

#define IP6_MAX_MTU 65575u /* payload length and header */

/* What the next link takes, path MTUs learnt by this node aside. RFC 8201 4: those are for what this node sends; packets of others must
 * fit the link (RFC 4443 3.2). Else a stranger's "packet too big" to a router would bear on everybody behind it. */
static inline u32 rt6_link_mtu(const struct rt6_info *rt)
{
	const struct inet6_dev *idev = __in6_dev_get(rt->dst.dev);
	u32 mtu = dst_metric(&rt->dst, DST_METRIC_MTU), link = rt->dst.dev->mtu;

	if (likely(!mtu))
		mtu = idev && idev->cnf.mtu6 ? min(idev->cnf.mtu6, link) : link;
	return min(mtu, IP6_MAX_MTU);
}
static inline u32 ip6_rt_mtu(const struct rt6_info *rt)
{
	return unlikely(rt->rt6i_pmtu) ? min(rt->rt6i_pmtu, IP6_MAX_MTU) : rt6_link_mtu(rt);
}

struct text;

extern const struct drop_reason_table ipv6_drop_reasons;
extern const struct trace_point_table ipv6_trace_points;

/* One part of IPv6, a row of the table in ipv6_module.c. Initialised in its order, ended backward; cpu lock held in net_*. */
struct ipv6_part {
	const char *name;
	int (*machine_init)(struct machine *m); /* 0 or -errno; registrations */
	int (*net_init)(struct net *net);       /* 0 or -errno */
	void (*net_exit)(struct net *net);
	/* The device notifier's rows run in the table's order for NETDEV_UP/REGISTER, backward for DOWN/UNREGISTER. 0 or -errno */
	int (*netdev_event)(struct net_device *dev, enum netdev_event ev);
};
extern const struct ipv6_part ip6_fib_part, addrconf_part, ndisc_part, mcast_part, icmpv6_part,
	ip6_frag_part, rawv6_part, ipv6_sysctl_part, ipv6_views_part, ipv6_sockets_part;

/* ip6_input.c, ip6_forward.c, ip6_output.c: dst.input and dst.output of routes */
void ipv6_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt);
void ipv6_list_rcv(struct skb_list *list, struct net_device *dev, const struct packet_type *pt);
int ip6_input(struct sk_buff *skb);    /* for us */
int ip6_mc_input(struct sk_buff *skb); /* a group: for us, on, or both */
int ip6_forward(struct sk_buff *skb);
int ip6_output(struct net *net, struct sock *sk, struct sk_buff *skb);
int ip6_pkt_discard(struct sk_buff *skb); /* dst.input of unreachable routes: ICMP error and drop */
int ip6_pkt_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb);

/* exthdrs.c. Hop-by-hop options of a received packet, network header set and skb->data at it. 0 or a drop reason (after
 * any ICMP error). */
skb_drop_reason_t ipv6_parse_hopopts(struct sk_buff *skb);
/* One extension header of type @nexthdr, data at it, transport header set. Gives the type of what follows and leaves data and
 * transport header there; -1: @skb was consumed. Fragments: reassembly.c. */
int ipv6_exthdr_rcv(struct sk_buff **pskb, u8 nexthdr);
bool ipv6_ext_hdr(u8 nexthdr); /* is it the type of an extension header? */
/* Writes @opt's headers in front of the transport header; *proto becomes the type of the first. Room must be there. */
void ipv6_push_nfrag_opts(struct sk_buff *skb, const struct ipv6_txoptions *opt, u8 *proto,
			  const struct in6_addr **daddr);
void ipv6_push_frag_opts(struct sk_buff *skb, const struct ipv6_txoptions *opt, u8 *proto);

/* reassembly.c: transform. @skb's data at the fragment header. NULL: consumed. */
struct sk_buff *ipv6_frag_rcv(struct sk_buff *skb);
/* conntrack and other users come later: the same queues by user id. */

/* icmp.c */
/* May one more message be sent to the /64 of @daddr? net.ipv6.icmp.ratelimit */
bool icmpv6_peer_allow(struct net *net, const struct in6_addr *daddr);
extern const struct net_protocol icmpv6_protocol;
/* raw.c: a copy for each raw socket of @protocol that wants it; borrows; true if one took it. Data at the transport header. */
int raw6_diag_machine_init(struct machine *m); /* raw_diag.c */
bool raw6_local_deliver(struct net *net, struct sk_buff *skb, u8 protocol);
void rawv6_icmp_error(struct net *net, struct sk_buff *skb, u8 type, u8 code, u32 info);
/* A packet to forward with the router alert option IP6CB(skb)->ra: true if sockets took it (consumed). */
bool ip6_call_ra_chain(struct net *net, struct sk_buff *skb);

/* mcast.c: /proc/net/igmp6, /proc/net/mcfilter6 */
void igmp6_show(struct net *net, struct text *t);
void mcfilter6_show(struct net *net, struct text *t);
/* ip6_route.c: the dst of what goes out by @dev without routing (neighbour discovery). Held; NULL: no memory */
struct rt6_info *rt6_link_dst(struct inet6_dev *idev);

/* ndisc_ra.c, ndisc_redirect.c: one type of message each, data at the ICMPv6 header. 0, or why it is dropped; the caller frees. */
struct ndisc_opts;
skb_drop_reason_t ndisc_router_discovery(struct sk_buff *skb, const struct ndisc_opts *opts);
skb_drop_reason_t ndisc_redirect_rcv(struct sk_buff *skb, const struct ndisc_opts *opts);
/* Options of an advertisement by @router */
void ndisc_dns_rcv(struct inet6_dev *idev, const struct in6_addr *router, const u8 *p,
		   const u8 *end);
void ipv6_resolv_conf_show(struct net *net, struct text *t);
/* ndisc.c, for them. Somebody at @addr has the link-layer address @lladdr (NULL: not said). @create: make an entry. */
void ndisc_learn(struct net_device *dev, const struct in6_addr *addr, const u8 *lladdr, u8 state,
		 u32 flags, bool create);
/* Room for a message: data at the ICMPv6 header, @len octets zeroed. NULL: no memory */
struct sk_buff *ndisc_alloc_skb(struct net_device *dev, u32 len);
/* Sums and sends. Consumes. */
void ndisc_send_skb(struct sk_buff *skb, const struct in6_addr *daddr,
		    const struct in6_addr *saddr);

extern const struct offload_callbacks ipv6_offload; /* ip6_offload.c: GSO and GRO */

#endif
