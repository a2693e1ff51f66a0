/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c - from an address to a dst_entry: what to do with a packet
 *
 * Theory of operation
 *   The FIB says which route serves a destination; an rtable says what to do with a packet: which device, which next hop, which
 *   function. Whatever two packets through the same next hop have in common is one rtable, kept at the next hop (fib_nh.rt_output
 *   and rt_input), so that the packet path takes a reference and allocates nothing. Results that belong to no next hop
 *   (own addresses, broadcast, multicast, unreachable) are kept at the in_device, a slot for each kind.
 *   An rtable of a route on link serves all its neighbours: rt_gateway is 0 and the neighbour is found by the packet's destination.
 *
 *   In front of the FIB lies the destination cache (rt_cache.c), which remembers what lookups gave, for packets sent and received.
 *
 *   What ICMP says about one destination - a smaller path MTU (RFC 1191), a better gateway (RFC 1122 3.2.2.2) - is an exception to
 *   the route (rt_exception.c). A destination with one has rtables of its own.
 *
 * Invariants
 *   An rtable never changes what it says. It is good while its rt_genid is the net's: any change of routes, addresses or devices
 *   bumps that (rt_cache_flush), and everyone who kept one looks again (dst_check). A socket also looks again when something was learnt
 *   about its own destination (rt_exc_fresh). No rtable refers to a device that is
 *   gone: rt_drop_dev() makes them discard.
 * Locking: the cpu lock.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "ipv4/igmp.h"
#include "ipv4/rt_exception.h"
#include "lib/hash.h"
#include "wire/icmp.h"

/* ---- rtables -------------------------------------------------------------------------------------------- */

static struct dst_entry *ipv4_dst_check(struct dst_entry *dst)
{
	return rt_valid((struct rtable *)dst) ? dst : NULL;
}

static struct dst_entry *ipv4_dst_check_sk(struct dst_entry *dst, struct sock *sk)
{
	struct rtable *rt = (struct rtable *)dst;
	const struct ip_options *opt;

	if (!rt_valid(rt))
		return NULL;
	if (likely(sk->sk_dst_cookie == rt->net->ipv4->rt_exc.seq))
		return dst;
	opt = inet_sk(sk)->inet_opt;
	return __rt_exc_fresh(rt->net, rt, opt && opt->srr ? opt->faddr : sk->sk_daddr,
			      &sk->sk_dst_cookie)
		       ? dst
		       : NULL;
}

static void ipv4_dst_destroy(struct dst_entry *dst)
{
	struct rtable *rt = (struct rtable *)dst;

	list_del(&rt->rt_list);
	fib_info_put(rt->fi);
	free(rt);
}

static u32 ipv4_mtu(const struct dst_entry *dst)
{
	return ip_rt_mtu((const struct rtable *)dst);
}

static u32 ipv4_default_advmss(const struct dst_entry *dst)
{
	const struct rtable *rt = (const struct rtable *)dst;
	u32 mtu = ipv4_mtu(dst), floor = rt->net ? rt->net->ipv4->min_adv_mss : 256;

	return min(max(mtu > 40 ? mtu - 40 : 0, floor), IP_MAX_MTU - 40);
}

static void ipv4_dst_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb,
				 u32 mtu, bool confirm)
{
	struct rtable *rt = (struct rtable *)dst;

	if (!rt->net)
		return;
	if (sk && !be32_zero(sk->sk_daddr))
		ipv4_sk_update_pmtu(skb, sk, mtu);
	else if (skb)
		ipv4_update_pmtu(skb, rt->net, mtu, 0, 0);
}

static void ipv4_dst_redirect(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb)
{
	if (sk && skb)
		ipv4_sk_redirect(skb, sk);
}

static struct neighbour *ipv4_neigh_lookup(const struct dst_entry *dst, const void *daddr)
{
	const struct rtable *rt = (const struct rtable *)dst;
	struct net_device *dev = dst->dev;
	struct neigh_table *tbl;
	struct neighbour *n;
	be32 key;
	int err;

	if (!rt->net)
		return NULL;
	tbl = rt->net->ipv4->arp_tbl;
	memcpy(&key, daddr, sizeof(key));
	if (!be32_zero(rt->rt_gateway))
		key = rt->rt_gateway;
	/* One neighbour stands for all where the link has only one other end. */
	if (dev->flags & (IFF_LOOPBACK | IFF_POINTOPOINT))
		key = (be32){ 0 };
	n = neigh_lookup(tbl, &key, dev);
	return n ? n : neigh_create(tbl, &key, dev, &err);
}

static const struct dst_ops ipv4_dst_ops = {
	.family = AF_INET,
	.check = ipv4_dst_check,
	.check_sk = ipv4_dst_check_sk,
	.destroy = ipv4_dst_destroy,
	.mtu = ipv4_mtu,
	.default_advmss = ipv4_default_advmss,
	.update_pmtu = ipv4_dst_update_pmtu,
	.redirect = ipv4_dst_redirect,
	.neigh_lookup = ipv4_neigh_lookup,
};

/* One reference. NULL: no memory. */
static struct rtable *rt_alloc(struct net *net, struct net_device *dev, u8 type, u32 flags,
			       struct fib_info *fi)
{
	struct rtable *rt = calloc(1, sizeof(*rt));

	if (!rt)
		return NULL;
	dst_init(&rt->dst, &ipv4_dst_ops, dev);
	rt->dst.header_len = 0;
	rt->net = net;
	rt->rt_genid = net->ipv4->rt_genid;
	if (!++net->ipv4->rt_last_id)
		net->ipv4->rt_last_id = 1;
	rt->rt_id = net->ipv4->rt_last_id;
	rt->rt_type = type;
	rt->rt_flags = flags;
	rt->fi = fi;
	if (fi) {
		fi->refcount++;
		if (fi->metrics.any)
			rt->dst.metrics = fi->metrics.value;
		rt->rt_mtu_locked = fi->metrics.lock & (1u << DST_METRIC_MTU);
	}
	list_add(&rt->rt_list, &net->ipv4->rt_list);
	return rt;
}

/* The cached rtable of *@slot if it is good, held; else drops it. */
static struct rtable *rt_slot_get(struct rtable **slot)
{
	struct rtable *rt = *slot;

	if (!rt)
		return NULL;
	if (likely(rt_valid(rt))) {
		dst_hold(&rt->dst);
		return rt;
	}
	*slot = NULL;
	ip_rt_put(rt);
	return NULL;
}

static struct rtable *rt_slot_set(struct rtable **slot, struct rtable *rt)
{
	*slot = rt;
	dst_hold(&rt->dst);
	return rt;
}

void rt_cache_flush(struct net *net)
{
	net->ipv4->rt_genid++;
}

void rt_in_dev_drop_cache(struct in_device *in_dev)
{
	for (u32 i = 0; i < NR_IN_RT; i++) {
		struct rtable *rt = in_dev->rt_cache[i];

		in_dev->rt_cache[i] = NULL;
		ip_rt_put(rt);
	}
}

static void rt_retire(struct rtable *rt)
{
	struct neighbour *n = rt->dst.neigh;

	rt->dst.obsolete = 1;
	rt->dst.input = dst_discard;
	rt->dst.output = dst_discard_out;
	rt->dst.neigh = NULL;
	if (n)
		neigh_release(n);
}

static void rt_caches_drop(struct net *net)
{
	rt_cache_clear(net);
	rt_exc_drop_routes(net);
}

void rt_drop_dev(struct net_device *dev)
{
	struct netns_ipv4 *ip4 = dev->net->ipv4;
	struct in_device *in_dev;
	struct rtable *rt;

	rt_cache_flush(dev->net);
	rt_caches_drop(dev->net);
	/* Broadcast and multicast slots of other devices never point to this one; local ones point to "lo". */
	if (dev->flags & IFF_LOOPBACK)
		list_for_each_entry(in_dev, &ip4->in_devs, node)
			rt_in_dev_drop_cache(in_dev);
	list_for_each_entry(rt, &ip4->rt_list, rt_list)
		if (rt->dst.dev == dev)
			rt_retire(rt);
}

/* ---- kinds of addresses ----------------------------------------------------------------------------------- */

static u32 addr_type(struct net *net, const struct net_device *dev, be32 addr)
{
	struct flowi4 fl = { .daddr = addr };
	struct fib_result res;

	if (ipv4_is_zeronet(addr) || ipv4_is_lbcast(addr))
		return RTN_BROADCAST;
	if (ipv4_is_multicast(addr))
		return RTN_MULTICAST;
	if (!net->ipv4->fib_local || fib_table_lookup(net, net->ipv4->fib_local, &fl, &res))
		return RTN_UNICAST;
	return !dev || fib_result_nh(&res)->dev == dev ? res.type : RTN_UNICAST;
}

u32 inet_addr_type(struct net *net, be32 addr)
{
	return addr_type(net, NULL, addr);
}

u32 inet_dev_addr_type(struct net *net, const struct net_device *dev, be32 addr)
{
	return addr_type(net, dev, addr);
}

/* ---- path MTU ---------------------------------------------------------------------------------------------- */

/* The flow of a connected socket. */
static struct flowi4 rt_sk_flow(const struct sock *sk)
{
	const struct inet_sock *inet = inet_sk(sk);

	return (struct flowi4){
		.oif = sk->sk_bound_dev_if,
		.mark = sk->sk_mark,
		.tos = inet->tos & IPTOS_RT_MASK,
		.proto = sk->sk_protocol,
		.saddr = inet->inet_saddr,
		.daddr = inet->inet_opt && inet->inet_opt->srr ? inet->inet_opt->faddr
							       : sk->sk_daddr,
		.sport = inet->inet_sport,
		.dport = sk->sk_dport,
		.uid = sk->sk_uid,
	};
}

/* The exception to the route of @rt for @daddr, to be changed. NULL: there can be none, or no memory. */
static struct rt_exception *rt_exc_of(struct net *net, be32 daddr, const struct rtable *rt)
{
	if (!rt->fi || (rt->rt_flags & RTCF_LOCAL) || rt->rt_type != RTN_UNICAST)
		return NULL;
	return rt_exc_get(net, daddr, rt->fi_gw, rt->dst.dev->ifindex);
}

void rt_learn_pmtu(struct net *net, const struct flowi4 *flow, u32 mtu)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	struct flowi4 fl = *flow;
	struct rt_exception *e;
	struct rtable *rt;
	int err;

	if (be32_zero(fl.daddr) || ipv4_is_multicast(fl.daddr) || ipv4_is_lbcast(fl.daddr))
		return;
	rt = ip_route_output_key(net, &fl, &err);
	if (!rt)
		return;
	/* RFC 1191 3: a router's word makes it smaller, only time makes it bigger. */
	if (mtu >= dst_mtu(&rt->dst) || (rt->rt_mtu_locked && !rt->rt_pmtu))
		goto put;
	e = rt_exc_of(net, fl.daddr, rt);
	if (!e)
		goto put;
	/* Absurd values would make every packet a crowd of fragments: below the floor DF is given up instead. */
	e->locked = mtu < ip4->min_pmtu;
	e->pmtu = max(mtu, ip4->min_pmtu);
	e->pmtu_expires = net_now(net) + ip4->mtu_expires_s * NSEC_PER_SEC;
	rt_exc_changed(net, e);
put:
	ip_rt_put(rt);
}

void ipv4_update_pmtu(struct sk_buff *skb, struct net *net, u32 mtu, int oif, u8 proto)
{
	const struct ip_hdr *iph = (const struct ip_hdr *)skb->data;
	const struct flowi4 fl = {
		.daddr = iph->daddr, .oif = oif, .tos = iph->tos & IPTOS_RT_MASK, .proto = proto
	};

	rt_learn_pmtu(net, &fl, mtu);
}

/* The socket's route is looked up anew: it has changed. */
static void rt_sk_update(struct net *net, struct sock *sk)
{
	struct flowi4 fl = rt_sk_flow(sk);
	struct rtable *rt;
	int err;

	if (!sk->sk_dst_cache)
		return;
	rt = ip_route_output_flow(net, &fl, sk, &err);
	if (rt)
		sk_dst_set(sk, &rt->dst);
}

void ipv4_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, u32 mtu)
{
	struct net *net = sock_net(sk);
	const struct inet_sock *inet = inet_sk(sk);
	struct flowi4 fl;

	/* ip(7): these leave the path MTU alone, so that nobody can make them send small fragments. */
	if (inet->pmtudisc == IP_PMTUDISC_INTERFACE || inet->pmtudisc == IP_PMTUDISC_OMIT)
		return;
	if (be32_zero(sk->sk_daddr)) { /* not connected: nothing is cached */
		ipv4_update_pmtu(skb, net, mtu, sk->sk_bound_dev_if, sk->sk_protocol);
		return;
	}
	fl = rt_sk_flow(sk);
	rt_learn_pmtu(net, &fl, mtu);
	rt_sk_update(net, sk);
}

/* ---- redirects ---------------------------------------------------------------------------------------------- */

/* Is @gw the gateway of a default route by @dev? secure_redirects believes in no others. */
static bool rt_is_default_gateway(struct net *net, be32 gw, const struct net_device *dev)
{
	struct fib_node *n =
		net->ipv4->fib_main ? fib_trie_find(&net->ipv4->fib_main->trie, 0, 0) : NULL;

	for (struct fib_alias *fa = n ? n->aliases : NULL; fa; fa = fa->next)
		for (u32 i = 0; i < fa->fi->nhs; i++)
			if (fa->fi->nh[i].dev == dev && be32_eq(fa->fi->nh[i].gw, gw))
				return true;
	return false;
}

/* May a redirect to @gw, which came by @in_dev from @from, change the route @rt? RFC 1122 3.2.2.2, ip-sysctl. */
static bool rt_redirect_ok(struct net *net, struct in_device *in_dev, const struct rtable *rt,
			   be32 from, be32 gw)
{
	bool accept = in_dev->forwarding ? IN_DEV_ANDCONF(in_dev, accept_redirects)
					 : IN_DEV_ORCONF(in_dev, accept_redirects);

	if (!accept || rt->dst.dev != in_dev->dev || !be32_eq(rt->rt_gateway, from) ||
	    be32_eq(gw, from))
		return false;
	if (ipv4_is_multicast(gw) || ipv4_is_lbcast(gw) || ipv4_is_zeronet(gw))
		return false;
	if (IN_DEV_ORCONF(in_dev, shared_media))
		return inet_addr_type(net, gw) == RTN_UNICAST;
	return inet_addr_onlink(in_dev, gw, from) && (!IN_DEV_ORCONF(in_dev, secure_redirects) ||
						      rt_is_default_gateway(net, gw, in_dev->dev));
}

/* @skb: data at the packet that was redirected, network header at the message. */
static void rt_learn_redirect(struct net *net, const struct flowi4 *flow, struct sk_buff *skb,
			      be32 gw)
{
	struct in_device *in_dev = in_dev_get(skb->dev);
	struct flowi4 fl = *flow;
	struct rt_exception *e;
	struct neighbour *n;
	struct rtable *rt;
	int err;

	rt = in_dev ? ip_route_output_key(net, &fl, &err) : NULL;
	if (!rt)
		return;
	if (!rt_redirect_ok(net, in_dev, rt, ip_hdr(skb)->saddr, gw)) {
		trace_skb(skb, net, TP_ip_redirect_ignored, TRACE_PASS, be32_to_cpu(gw),
			  be32_to_cpu(fl.daddr));
		goto put;
	}
	/* A gateway that is not there must not swallow the traffic: it has to have an address first. The next redirect finds it. */
	n = neigh_lookup(net->ipv4->arp_tbl, &gw, rt->dst.dev);
	if (!n)
		n = neigh_create(net->ipv4->arp_tbl, &gw, rt->dst.dev, &err);
	if (!n)
		goto put;
	if (!(n->nud_state & NUD_VALID)) {
		neigh_event_send(n, NULL);
	} else {
		e = rt_exc_of(net, fl.daddr, rt);
		if (e) {
			e->gw = gw;
			e->gw_expires = net_now(net) + net->ipv4->rt_cache.gc_timeout;
			rt_exc_changed(net, e);
		}
	}
	neigh_release(n);
put:
	ip_rt_put(rt);
}

static be32 redirect_gateway(const struct sk_buff *skb)
{
	struct icmp_hdr h;

	memcpy(&h, skb->data - sizeof(h), sizeof(h));
	return h.un.gateway;
}

void ipv4_redirect(struct sk_buff *skb, struct net *net)
{
	const struct ip_hdr *inner = (const struct ip_hdr *)skb->data;
	const struct flowi4 fl = { .daddr = inner->daddr,
				   .tos = inner->tos & IPTOS_RT_MASK,
				   .proto = inner->protocol };

	rt_learn_redirect(net, &fl, skb, redirect_gateway(skb));
}

void ipv4_sk_redirect(struct sk_buff *skb, struct sock *sk)
{
	struct net *net = sock_net(sk);
	struct flowi4 fl;

	if (be32_zero(sk->sk_daddr)) {
		ipv4_redirect(skb, net);
		return;
	}
	fl = rt_sk_flow(sk);
	rt_learn_redirect(net, &fl, skb, redirect_gateway(skb));
	rt_sk_update(net, sk);
}

/* ---- remote hosts that we tell about routes ------------------------------------------------------------------- */

#define RT_PEERS                                                                                   \
	64 /* direct mapped: hosts that share a slot push each other out and start afresh */

struct rt_peer {
	be32 addr;
	u32 redirects; /* sent since redirect_silence began anew */
	u64 redirect_last;
	u64 error_stamp, error_tokens; /* ns */
};

/* NULL: no memory. Made with the first packet that is misrouted. */
static struct rt_peer *rt_peer(struct net *net, be32 addr)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	struct rt_peer *p;

	if (!ip4->rt_peers)
		ip4->rt_peers = calloc(RT_PEERS, sizeof(*p));
	if (!ip4->rt_peers)
		return NULL;
	p = &ip4->rt_peers[jhash_2words(addr.v, (u32)net->machine->hash_seed[1], 0) % RT_PEERS];
	if (!be32_eq(p->addr, addr))
		*p = (struct rt_peer){ .addr = addr,
				       .error_stamp = net_now(net),
				       .error_tokens = ip4->rt_error_burst };
	return p;
}

/* RFC 1812 5.2.7.2: the sender is on the link by which the packet leaves again, and could send to the next hop itself. */
static bool rt_redirect_due(const struct sk_buff *skb, const struct rtable *rt)
{
	struct in_device *in_dev = in_dev_get(rt->dst.dev);
	be32 next = rt->rt_uses_gateway ? rt->rt_gateway : ip_hdr(skb)->daddr;

	return rt->dst.dev == skb->dev && in_dev && IN_DEV_ORCONF(in_dev, send_redirects) &&
	       (IN_DEV_ORCONF(in_dev, shared_media) ||
		inet_addr_onlink(in_dev, ip_hdr(skb)->saddr, next));
}

void ip_rt_send_redirect(struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);
	struct net *net = rt->net;
	struct netns_ipv4 *ip4 = net->ipv4;
	u64 now = net_now(net);
	struct rt_peer *p;

	if (likely(rt->dst.dev != skb->dev) || !rt_redirect_due(skb, rt))
		return;
	p = rt_peer(net, ip_hdr(skb)->saddr);
	if (!p)
		return;
	/* A host that does not listen is told less and less often, and after a time of silence once more. */
	if (now - p->redirect_last > ip4->rt_redirect_silence)
		p->redirects = 0;
	if (p->redirects >= ip4->rt_redirect_number) {
		p->redirect_last = now;
		return;
	}
	if (p->redirects && now - p->redirect_last < ip4->rt_redirect_load << p->redirects)
		return;
	p->redirects++;
	p->redirect_last = now;
	icmp_send(skb, ICMP4_REDIRECT, 1 /* for the host */,
		  be32_to_cpu(rt->rt_uses_gateway ? rt->rt_gateway : ip_hdr(skb)->daddr));
}

/* May @addr be told that what it sends cannot be forwarded? error_cost, error_burst. */
static bool rt_error_allowed(struct net *net, be32 addr)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	u64 now = net_now(net);
	struct rt_peer *p = rt_peer(net, addr);

	if (!p)
		return false;
	p->error_tokens = min(p->error_tokens + (now - p->error_stamp), (u64)ip4->rt_error_burst);
	p->error_stamp = now;
	if (p->error_tokens < ip4->rt_error_cost)
		return false;
	p->error_tokens -= ip4->rt_error_cost;
	return true;
}

/* ---- output ------------------------------------------------------------------------------------------------ */

static struct rtable *rt_new_output(struct net *net, struct net_device *dev, u8 type, u32 flags,
				    struct fib_info *fi, const struct fib_nh *nh)
{
	struct rtable *rt = rt_alloc(net, dev, type, flags, fi);

	if (!rt)
		return NULL;
	rt->dst.output = flags & (RTCF_BROADCAST | RTCF_MULTICAST) ? ip_mc_output : ip_output;
	if (flags & RTCF_LOCAL)
		rt->dst.input = ip_local_deliver;
	if (nh && !be32_zero(nh->gw)) {
		rt->rt_gateway = rt->fi_gw = nh->gw;
		rt->rt_uses_gateway = 1;
	}
	return rt;
}

/* Makes @rt, fresh from the next hop, what @e says about its destination. */
static void rt_exc_apply(struct net *net, struct rt_exception *e, struct rtable *rt)
{
	u64 now = net_now(net), until = UINT64_MAX;

	rt->rt_exception = 1;
	if (e->pmtu && e->pmtu_expires > now) {
		rt->rt_pmtu = min(e->pmtu, ipv4_mtu(&rt->dst));
		rt->rt_mtu_locked |= e->locked;
		until = min(until, e->pmtu_expires);
	}
	if (!be32_zero(e->gw) && e->gw_expires > now) {
		rt->rt_gateway = e->gw;
		rt->rt_uses_gateway = 1;
		rt->rt_flags |= RTCF_REDIRECTED;
		until = min(until, e->gw_expires);
	}
	rt->dst.expires = until;
}

/* The rtable kept in @slot of an exception, or NULL: make one. */
static struct rtable *rt_exc_slot_get(struct rtable **slot, const struct fib_info *fi)
{
	struct rtable *rt = rt_slot_get(slot);

	if (!rt || rt->fi == fi)
		return rt;
	ip_rt_put(rt);
	ip_rt_put(*slot);
	*slot = NULL;
	return NULL;
}

static struct rtable *rt_exc_route(struct net *net, struct rt_exception *e, struct net_device *dev,
				   struct fib_info *fi, const struct fib_nh *nh)
{
	struct rtable *rt = rt_exc_slot_get(&e->rt_output, fi);

	if (rt)
		return rt;
	rt = rt_new_output(net, dev, RTN_UNICAST, 0, fi, nh);
	if (!rt)
		return NULL;
	rt_exc_apply(net, e, rt);
	return rt_slot_set(&e->rt_output, rt);
}

static enum in_rt_slot rt_output_slot(u8 type, u32 flags)
{
	if (type == RTN_BROADCAST)
		return IN_RT_BROADCAST_OUT;
	if (type == RTN_MULTICAST)
		return flags & RTCF_LOCAL ? IN_RT_MULTICAST_LOCAL_OUT : IN_RT_MULTICAST_OUT;
	return type == RTN_LOCAL ? IN_RT_LOCAL_OUT : IN_RT_ONLINK_OUT;
}

/* @res NULL: no route was needed. */
static struct rtable *rt_make_output(struct net *net, const struct flowi4 *fl,
				     struct fib_result *res, u8 type, struct net_device *dev,
				     int *ret_err)
{
	struct in_device *in_dev = in_dev_get(dev);
	struct fib_info *fi = res ? res->fi : NULL;
	struct fib_nh *nh = res ? fib_result_nh(res) : NULL;
	struct rt_exception *e;
	struct rtable **slot, *rt;
	u32 flags = 0;

	*ret_err = -EINVAL;
	if (!in_dev)
		return NULL;
	if (ipv4_is_loopback(fl->saddr) && !(dev->flags & IFF_LOOPBACK) &&
	    !IN_DEV_ORCONF(in_dev, route_localnet))
		return NULL;
	if (ipv4_is_lbcast(fl->daddr))
		type = RTN_BROADCAST;
	else if (ipv4_is_multicast(fl->daddr))
		type = RTN_MULTICAST;
	else if (ipv4_is_zeronet(fl->daddr))
		return NULL;
	if (dev->flags & IFF_LOOPBACK)
		flags |= RTCF_LOCAL;
	if (type == RTN_BROADCAST)
		flags |= RTCF_BROADCAST | RTCF_LOCAL;
	if (type == RTN_MULTICAST)
		flags |= RTCF_MULTICAST |
			 (ip_check_mc(in_dev, fl->daddr, fl->saddr, fl->proto) ? RTCF_LOCAL : 0);
	if (type == RTN_BROADCAST || type == RTN_MULTICAST)
		fi = NULL; /* straight to the link, whatever the route says */

	*ret_err = -ENOMEM;
	if (fi && type == RTN_UNICAST && !(flags & RTCF_LOCAL)) {
		e = rt_exc_find(net, fl->daddr, nh->gw, dev->ifindex);
		if (unlikely(e))
			return rt_exc_route(net, e, dev, fi, nh);
	}
	slot = fi ? &nh->rt_output : &in_dev->rt_cache[rt_output_slot(type, flags)];
	rt = rt_slot_get(slot);
	if (likely(rt))
		return rt;
	rt = rt_new_output(net, dev, type, flags, fi, fi ? nh : NULL);
	return rt ? rt_slot_set(slot, rt) : NULL;
}

/* Checks a source the caller insists on. *ret_dev: the device that group and broadcast packets leave by. */
static int rt_output_check_saddr(struct net *net, struct flowi4 *fl, struct net_device **ret_dev)
{
	if (ipv4_is_multicast(fl->saddr) || ipv4_is_lbcast(fl->saddr))
		return -EINVAL;
	if (!fl->oif && (ipv4_is_multicast(fl->daddr) || ipv4_is_lbcast(fl->daddr))) {
		*ret_dev = ip_dev_find(net, fl->saddr);
		if (!*ret_dev)
			return -ENETUNREACH;
		fl->oif = (*ret_dev)->ifindex;
		return 0;
	}
	if (!(fl->flags & FLOWI_FLAG_ANYSRC) && inet_addr_type(net, fl->saddr) != RTN_LOCAL)
		return -ENETUNREACH;
	return 0;
}

/* A device the caller insists on. *ret_done: no route is needed. */
static int rt_output_check_oif(struct net *net, struct flowi4 *fl, struct net_device **ret_dev,
			       bool *ret_done)
{
	struct net_device *dev = __dev_get_by_index(net, fl->oif);

	if (!dev)
		return -ENODEV;
	if (!netif_running(dev) || !dev->ip_ptr)
		return -ENETUNREACH;
	*ret_dev = dev;
	if ((be32_to_cpu(fl->daddr) & 0xffffff00) == 0xe0000000 || ipv4_is_lbcast(fl->daddr)) {
		if (be32_zero(fl->saddr))
			fl->saddr = inet_select_addr(dev, (be32){ 0 }, RT_SCOPE_LINK);
		*ret_done = true;
		return 0;
	}
	if (be32_zero(fl->saddr)) {
		if (ipv4_is_multicast(fl->daddr))
			fl->saddr = inet_select_addr(dev, (be32){ 0 }, fl->scope);
		else if (be32_zero(fl->daddr))
			fl->saddr = inet_select_addr(dev, (be32){ 0 }, RT_SCOPE_HOST);
	}
	return 0;
}

static struct rtable *rt_output_lookup(struct net *net, struct flowi4 *fl, int *ret_err)
{
	struct net_device *dev = NULL;
	struct fib_result res;
	bool done = false;
	int err = 0;

	if (!be32_zero(fl->saddr))
		err = rt_output_check_saddr(net, fl, &dev);
	if (err)
		goto fail;
	if (dev) {
		fl->oif = dev->ifindex;
		return rt_make_output(net, fl, NULL, RTN_UNICAST, dev, ret_err);
	}
	if (fl->oif)
		err = rt_output_check_oif(net, fl, &dev, &done);
	if (err)
		goto fail;
	if (done)
		return rt_make_output(net, fl, NULL, RTN_UNICAST, dev, ret_err);

	/* "This host" (RFC 1122 3.2.1.3): programs connect to 0.0.0.0 and mean themselves. */
	if (be32_zero(fl->daddr)) {
		err = -ENETUNREACH;
		if (!net->loopback_dev || !netif_running(net->loopback_dev))
			goto fail;
		fl->daddr = fl->saddr;
		if (be32_zero(fl->daddr))
			fl->daddr = fl->saddr = BE32_INIT(INADDR_LOOPBACK);
		fl->oif = net->loopback_dev->ifindex;
		return rt_make_output(net, fl, NULL, RTN_LOCAL, net->loopback_dev, ret_err);
	}

	err = fib_lookup(net, fl, &res);
	if (err) {
		/* A program that binds to a device and has no route there means a neighbour (as Linux does). */
		if (!fl->oif || err != -ENETUNREACH)
			goto fail;
		if (be32_zero(fl->saddr))
			fl->saddr = inet_select_addr(dev, (be32){ 0 }, RT_SCOPE_LINK);
		return rt_make_output(net, fl, NULL, RTN_UNICAST, dev, ret_err);
	}
	if (res.type == RTN_LOCAL) {
		if (be32_zero(fl->saddr))
			fl->saddr = !be32_zero(res.fi->prefsrc) ? res.fi->prefsrc : fl->daddr;
		dev = net->loopback_dev;
		err = -ENETUNREACH;
		if (!dev)
			goto fail;
		fl->oif = dev->ifindex;
		return rt_make_output(net, fl, &res, RTN_LOCAL, dev, ret_err);
	}
	fib_select_path(net, &res, fl);
	if (be32_zero(fl->saddr))
		fl->saddr = fib_result_prefsrc(net, &res);
	dev = fib_result_nh(&res)->dev;
	err = -ENETUNREACH;
	if (!dev)
		goto fail;
	fl->oif = dev->ifindex;
	return rt_make_output(net, fl, &res, res.type, dev, ret_err);

fail:
	*ret_err = err;
	return NULL;
}

/* Groups and broadcasts depend on memberships, and "this host" becomes another destination. */
static bool rt_output_cachable(const struct rtable *rt, be32 daddr)
{
	return (rt->rt_type == RTN_UNICAST || rt->rt_type == RTN_LOCAL) && !be32_zero(daddr);
}

struct rtable *ip_route_output_key(struct net *net, struct flowi4 *fl, int *ret_err)
{
	struct rt_cache_key key;
	struct rt_cache_entry *e;
	struct rtable *rt;
	bool cached;

	if (unlikely(!net->ipv4 || net->dying)) {
		*ret_err = -ENETDOWN;
		return NULL;
	}
	if (fl->flags & FLOWI_FLAG_LOCALROUTE)
		fl->scope = max(fl->scope, (u8)RT_SCOPE_LINK);
	key = (struct rt_cache_key){ .daddr = fl->daddr,
				     .saddr = fl->saddr,
				     .ifindex = (u32)fl->oif,
				     .mark = fl->mark,
				     .tos = fl->tos & IPTOS_RT_MASK,
				     .scope = fl->scope,
				     .flags = fl->flags };
	cached = likely(!net->ipv4->rules_need_more);
	e = cached ? rt_cache_find(net, &key) : NULL;
	if (likely(e)) {
		net->ipv4->rt_cache.stat.out_hit++;
		fl->saddr = e->saddr;
		fl->oif = e->oif;
		dst_hold(&e->rt->dst);
		return e->rt;
	}
	rt = rt_output_lookup(net, fl, ret_err);
	if (!rt && (*ret_err == -ENETUNREACH || *ret_err == -EHOSTUNREACH || *ret_err == -EACCES))
		NET_INC_STATS(net, MIB_Ip_OutNoRoutes);
	if (rt && rt->rt_type == RTN_MULTICAST)
		net->ipv4->rt_cache.stat.out_slow_mc++;
	else
		net->ipv4->rt_cache.stat.out_slow_tot++;
	if (rt && cached && rt_output_cachable(rt, key.daddr))
		rt_cache_insert(net, &key, rt, fl->saddr, fl->oif);
	return rt;
}

struct rtable *ip_route_output_flow(struct net *net, struct flowi4 *fl, const struct sock *sk,
				    int *ret_err)
{
	if (sk && sock_flag(sk, SOCK_LOCALROUTE))
		fl->flags |= FLOWI_FLAG_LOCALROUTE;
	if (sk && inet_sk(sk)->transparent)
		fl->flags |= FLOWI_FLAG_ANYSRC;
	return ip_route_output_key(net, fl, ret_err);
}

struct rtable *ip_route_connect(struct net *net, struct flowi4 *fl, const struct sock *sk,
				int *ret_err)
{
	bool no_source = be32_zero(fl->saddr);
	int oif = fl->oif;
	struct rtable *rt = ip_route_output_flow(net, fl, sk, ret_err);

	if (likely(!rt || !no_source || !net->ipv4->fib_has_custom_rules))
		return rt;
	ip_rt_put(rt);
	fl->oif = oif;
	return ip_route_output_flow(net, fl, sk, ret_err);
}

/* ---- input ------------------------------------------------------------------------------------------------- */

/* What cannot be forwarded: tells the sender, as far as we are a router (RFC 1812 5.2.7.1). */
static int ip_error(struct sk_buff *skb)
{
	struct rtable *rt = skb_rtable(skb);
	u8 code = ICMP4_HOST_UNREACH;

	if (rt->dst.error == -ENETUNREACH) {
		NET_INC_STATS(rt->net, MIB_IpExt_InNoRoutes);
		code = ICMP4_NET_UNREACH;
	} else if (rt->dst.error == -EACCES) {
		code = ICMP4_PKT_FILTERED;
	}
	if (rt_error_allowed(rt->net, ip_hdr(skb)->saddr))
		icmp_send(skb, ICMP4_DEST_UNREACH, code, 0);
	kfree_skb_reason(skb, rt->dst.error == -ENETUNREACH ? SKB_DROP_IP_IN_NOROUTE
							    : SKB_DROP_IP_UNREACHABLE);
	return 0;
}

static int ip_rt_bug(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	kfree_skb_reason(skb, SKB_DROP_IP_BAD_DST);
	return -EINVAL;
}

/* Is the source of @in one that may arrive by this device? RFC 1812 5.3.7, 5.3.8; RFC 3704 for rp_filter. */
static skb_drop_reason_t rt_validate_source(struct net *net, struct in_device *in_dev,
					    const struct flowi4 *in)
{
	/* What would go back, of the same conversation. */
	struct flowi4 fl = { .daddr = in->saddr,
			     .saddr = in->daddr,
			     .tos = in->tos,
			     .proto = in->proto,
			     .sport = in->dport,
			     .dport = in->sport,
			     .mark = IN_DEV_ORCONF(in_dev, src_valid_mark) ? in->mark : 0 };
	u8 rp_filter = IN_DEV_MAXCONF(in_dev, rp_filter);
	struct fib_result res;

	/* What we sent to ourselves and the loopback device brings back. */
	if (in_dev->dev->flags & IFF_LOOPBACK)
		return 0;
	if (fib_lookup(net, &fl, &res))
		goto no_way_back;
	if (res.type == RTN_LOCAL && !IN_DEV_ORCONF(in_dev, accept_local))
		return SKB_DROP_IP_LOCAL_SOURCE;
	if (res.type != RTN_UNICAST && res.type != RTN_LOCAL)
		return SKB_DROP_IP_MARTIAN_SOURCE;
	if (rp_filter != 1)
		return 0;
	for (u32 i = 0; i < res.fi->nhs; i++)
		if (res.fi->nh[i].dev == in_dev->dev)
			return 0;
	/* A device without addresses learns one (DHCP): nothing can point to it yet. */
	if (list_empty(&in_dev->ifa_list))
		return 0;
no_way_back:
	if (!rp_filter)
		return 0;
	NET_INC_STATS(net, MIB_TcpExt_IPReversePathFilter);
	return SKB_DROP_IP_RPFILTER;
}

/* For us: dst.dev is the device by which answers to ourselves would go. */
static skb_drop_reason_t rt_input_local(struct sk_buff *skb, struct net *net,
					struct in_device *in_dev, enum in_rt_slot which, u8 type,
					u32 flags)
{
	struct rtable **slot = &in_dev->rt_cache[which];
	struct rtable *rt = rt_slot_get(slot);

	if (unlikely(!rt)) {
		rt = rt_alloc(net, net->loopback_dev ? net->loopback_dev : in_dev->dev, type, flags,
			      NULL);
		if (!rt)
			return SKB_DROP_NOMEM;
		rt->rt_is_input = 1;
		rt->rt_iif = in_dev->dev->ifindex;
		rt->dst.input = ip_local_deliver;
		rt->dst.output = ip_rt_bug;
		rt_slot_set(slot, rt);
	}
	skb_dst_set(skb, &rt->dst);
	return 0;
}

static skb_drop_reason_t rt_input_error(struct sk_buff *skb, struct net *net,
					struct in_device *in_dev, int err)
{
	enum in_rt_slot which = err == -ENETUNREACH ? IN_RT_NET_UNREACH_IN
				: err == -EACCES    ? IN_RT_PROHIBIT_IN
						    : IN_RT_HOST_UNREACH_IN;
	struct rtable **slot = &in_dev->rt_cache[which];
	struct rtable *rt;

	if (err == -EINVAL)
		return SKB_DROP_IP_BLACKHOLE;
	if (!in_dev->forwarding) {
		NET_INC_STATS(net, MIB_IpExt_InNoRoutes);
		return SKB_DROP_IP_IN_NOROUTE;
	}
	rt = rt_slot_get(slot);
	if (!rt) {
		rt = rt_alloc(net, in_dev->dev, RTN_UNREACHABLE, 0, NULL);
		if (!rt)
			return SKB_DROP_NOMEM;
		rt->rt_is_input = 1;
		rt->rt_iif = in_dev->dev->ifindex;
		rt->dst.error = (s16)err;
		rt->dst.input = ip_error;
		rt_slot_set(slot, rt);
	}
	skb_dst_set(skb, &rt->dst);
	return 0;
}

static skb_drop_reason_t rt_input_forward(struct sk_buff *skb, struct net *net,
					  struct in_device *in_dev, struct fib_result *res,
					  be32 daddr)
{
	struct fib_nh *nh = fib_result_nh(res);
	struct rtable **slot = &nh->rt_input, *rt;
	struct rt_exception *e;

	if (!nh->dev || !nh->dev->ip_ptr)
		return SKB_DROP_IP_IN_NOROUTE;
	e = rt_exc_find(net, daddr, nh->gw, nh->dev->ifindex);
	if (unlikely(e)) {
		slot = &e->rt_input;
		rt = rt_exc_slot_get(slot, res->fi);
	} else {
		rt = rt_slot_get(slot);
	}
	if (unlikely(!rt)) {
		rt = rt_alloc(net, nh->dev, RTN_UNICAST, 0, res->fi);
		if (!rt)
			return SKB_DROP_NOMEM;
		rt->rt_is_input = 1;
		rt->dst.input = ip_forward;
		rt->dst.output = ip_output;
		rt->rt_gateway = rt->fi_gw = nh->gw;
		rt->rt_uses_gateway = !be32_zero(nh->gw);
		if (e)
			rt_exc_apply(net, e, rt);
		rt_slot_set(slot, rt);
	}
	skb_dst_set(skb, &rt->dst);
	return 0;
}

static skb_drop_reason_t rt_input_multicast(struct sk_buff *skb, struct net *net,
					    struct in_device *in_dev, const struct flowi4 *fl)
{
	be32 daddr = fl->daddr, saddr = fl->saddr;
	skb_drop_reason_t reason;

	if (ipv4_is_multicast(saddr) || ipv4_is_lbcast(saddr))
		return SKB_DROP_IP_MARTIAN_SOURCE;
	if (ipv4_is_loopback(saddr) && !(in_dev->dev->flags & IFF_LOOPBACK) &&
	    !IN_DEV_ORCONF(in_dev, route_localnet))
		return SKB_DROP_IP_MARTIAN_SOURCE;
	if (!ip_check_mc(in_dev, daddr, saddr, ip_hdr(skb)->protocol))
		return SKB_DROP_IP_MULTICAST_NOT_JOINED;
	if (!ipv4_is_zeronet(saddr)) {
		reason = rt_validate_source(net, in_dev, fl);
		if (reason)
			return reason;
	}
	return rt_input_local(skb, net, in_dev, IN_RT_MULTICAST_IN, RTN_MULTICAST,
			      RTCF_MULTICAST | RTCF_LOCAL);
}

/* Addresses that no packet on a wire may carry: RFC 1122 3.2.1.3, RFC 1812 5.3.7. */
static skb_drop_reason_t rt_input_martians(const struct in_device *in_dev, be32 daddr, be32 saddr)
{
	bool loopback_ok =
		(in_dev->dev->flags & IFF_LOOPBACK) || IN_DEV_ORCONF(in_dev, route_localnet);

	if (ipv4_is_multicast(saddr) || ipv4_is_lbcast(saddr))
		return SKB_DROP_IP_MARTIAN_SOURCE;
	if (ipv4_is_lbcast(daddr) || (be32_zero(saddr) && be32_zero(daddr)))
		return 0;
	if (ipv4_is_zeronet(saddr))
		return SKB_DROP_IP_MARTIAN_SOURCE;
	if (ipv4_is_zeronet(daddr) || (ipv4_is_loopback(daddr) && !loopback_ok))
		return SKB_DROP_IP_MARTIAN_DEST;
	if (ipv4_is_loopback(saddr) && !loopback_ok)
		return SKB_DROP_IP_MARTIAN_SOURCE;
	return 0;
}

void ip_log_martian(const struct sk_buff *skb, be32 daddr, be32 saddr)
{
	struct in_device *in_dev = in_dev_get(skb->dev);

	if (in_dev && IN_DEV_ORCONF(in_dev, log_martians))
		trace_skb(skb, skb->dev->net, TP_ip_log_martian, TRACE_PASS, be32_to_cpu(saddr),
			  be32_to_cpu(daddr));
}

/* Protocol and ports, for rules that look at them. Fragments have no ports: one answer must serve all of a datagram. */
static void rt_input_l4(const struct sk_buff *skb, struct flowi4 *fl)
{
	const struct ip_hdr *iph = ip_hdr(skb);

	fl->proto = iph->protocol;
	if (!ip_is_fragment(iph))
		fib_rules_ports(skb, (u32)(skb_network_offset(skb) + (int)ip_hdr_len(iph)),
				fl->proto, &fl->sport, &fl->dport);
}

static skb_drop_reason_t rt_input_slow(struct sk_buff *skb, struct net *net,
				       struct in_device *in_dev, be32 daddr, be32 saddr, u8 tos)
{
	struct flowi4 fl = { .iif = in_dev->dev->ifindex,
			     .mark = skb->mark,
			     .tos = tos,
			     .saddr = saddr,
			     .daddr = daddr };
	struct fib_result res = { .type = RTN_BROADCAST };
	skb_drop_reason_t reason;
	int err = 0;

	if (unlikely(net->ipv4->rules_need_l4))
		rt_input_l4(skb, &fl);
	if (ipv4_is_multicast(daddr))
		return rt_input_multicast(skb, net, in_dev, &fl);
	reason = rt_input_martians(in_dev, daddr, saddr);
	if (reason)
		return reason;
	if (!ipv4_is_lbcast(daddr) && !be32_zero(daddr))
		err = fib_lookup(net, &fl, &res);
	trace_skb(skb, net, TP_fib_lookup, TRACE_PASS, be32_to_cpu(daddr),
		  err ? RTN_UNREACHABLE : res.type);
	if (err)
		return rt_input_error(skb, net, in_dev, err);

	if (res.type != RTN_BROADCAST || !ipv4_is_zeronet(saddr)) {
		reason = rt_validate_source(net, in_dev, &fl);
		if (reason)
			return reason;
	}
	switch (res.type) {
	case RTN_BROADCAST:
		/* RFC 1812 5.3.5.2, RFC 2644: a broadcast of another link of ours. */
		if (unlikely(in_dev->forwarding && IN_DEV_ANDCONF(in_dev, bc_forwarding)) &&
		    !ipv4_is_lbcast(daddr) && !be32_zero(daddr) &&
		    fib_result_nh(&res)->dev != in_dev->dev)
			return rt_input_forward(skb, net, in_dev, &res, daddr);
		return rt_input_local(skb, net, in_dev, IN_RT_BROADCAST_IN, RTN_BROADCAST,
				      RTCF_BROADCAST | RTCF_LOCAL);
	case RTN_LOCAL:
		return rt_input_local(skb, net, in_dev, IN_RT_LOCAL_IN, RTN_LOCAL, RTCF_LOCAL);
	case RTN_UNICAST:
		if (!in_dev->forwarding) {
			NET_INC_STATS(net, MIB_Ip_InAddrErrors);
			return SKB_DROP_IP_NOFORWARD;
		}
		fib_select_path(net, &res, &fl);
		return rt_input_forward(skb, net, in_dev, &res, daddr);
	default:
		return SKB_DROP_IP_MARTIAN_DEST;
	}
}

static void rt_input_count(struct rt_cache_stat *stat, skb_drop_reason_t reason, be32 daddr)
{
	if (ipv4_is_multicast(daddr))
		stat->in_slow_mc++;
	else
		stat->in_slow_tot++;
	switch (reason) {
	case SKB_DROP_IP_MARTIAN_SOURCE:
	case SKB_DROP_IP_LOCAL_SOURCE:
		stat->in_martian_src++;
		break;
	case SKB_DROP_IP_MARTIAN_DEST:
		stat->in_martian_dst++;
		break;
	case SKB_DROP_IP_IN_NOROUTE:
		stat->in_no_route++;
		break;
	default:
		break;
	}
}

skb_drop_reason_t ip_route_input(struct sk_buff *skb, be32 daddr, be32 saddr, u8 tos,
				 struct net_device *dev)
{
	struct in_device *in_dev = in_dev_get(dev);
	struct net *net = dev->net;
	struct rt_cache_stat *stat = &net->ipv4->rt_cache.stat;
	struct rt_cache_key key;
	struct rt_cache_entry *e;
	skb_drop_reason_t reason;
	struct rtable *rt;
	bool cached;

	if (unlikely(!in_dev))
		return SKB_DROP_IP_NO_INDEV;
	tos &= IPTOS_RT_MASK;
	key = (struct rt_cache_key){ .daddr = daddr,
				     .saddr = saddr,
				     .ifindex = (u32)dev->ifindex,
				     .mark = skb->mark,
				     .tos = tos,
				     .input = 1 };
	cached = likely(!net->ipv4->rules_need_l4);
	e = cached ? rt_cache_find(net, &key) : NULL;
	if (likely(e)) {
		stat->in_hit++;
		dst_hold(&e->rt->dst);
		skb_dst_set(skb, &e->rt->dst);
		return 0;
	}
	reason = rt_input_slow(skb, net, in_dev, daddr, saddr, tos);
	rt_input_count(stat, reason, daddr);
	if (reason) {
		if (reason != SKB_DROP_NOMEM && reason != SKB_DROP_IP_NOFORWARD)
			ip_log_martian(skb, daddr, saddr);
		return reason;
	}
	rt = skb_rtable(skb);
	if (cached && (rt->rt_type == RTN_LOCAL || rt->rt_type == RTN_UNICAST))
		rt_cache_insert(net, &key, rt, (be32){ 0 }, 0);
	else if (rt->rt_type == RTN_BROADCAST)
		stat->in_brd++;
	return 0;
}

bool ip_route_use_hint(struct sk_buff *skb, const struct sk_buff *hint)
{
	const struct ip_hdr *a = ip_hdr(skb), *b = ip_hdr(hint);
	struct rtable *rt = skb_rtable(hint);
	struct net *net = skb->dev->net;

	/* What a key of the cache has. */
	if (!be32_eq(a->daddr, b->daddr) || !be32_eq(a->saddr, b->saddr) || a->tos != b->tos ||
	    skb->mark != hint->mark || skb->dev != hint->dev)
		return false;
	if ((rt->rt_type != RTN_LOCAL && rt->rt_type != RTN_UNICAST) ||
	    unlikely(net->ipv4->rules_need_l4))
		return false;
	net->ipv4->rt_cache.stat.in_hit++;
	dst_hold(&rt->dst);
	skb_dst_set(skb, &rt->dst);
	return true;
}

/* ---- ip route get ------------------------------------------------------------------------------------------- */

static const struct nla_policy getroute_policy[RTA_MAX + 1] = {
	[RTA_DST] = { .kind = NLA_K_IN_ADDR }, [RTA_SRC] = { .kind = NLA_K_IN_ADDR },
	[RTA_IIF] = { .kind = NLA_K_U32 },     [RTA_OIF] = { .kind = NLA_K_U32 },
	[RTA_MARK] = { .kind = NLA_K_U32 },    [RTA_UID] = { .kind = NLA_K_U32 },
	[RTA_IP_PROTO] = { .kind = NLA_K_U8 }, [RTA_SPORT] = { .kind = NLA_K_BE16 },
	[RTA_DPORT] = { .kind = NLA_K_BE16 },
};

static struct rtable *getroute_input(struct nl_request *req, const struct flowi4 *fl, int *ret_err)
{
	struct net_device *dev = __dev_get_by_index(req->net, fl->iif);
	struct sk_buff *skb;
	skb_drop_reason_t reason;
	struct rtable *rt = NULL;
	be16 ports[2];
	struct ip_hdr h;

	*ret_err = -ENODEV;
	if (!dev)
		return NULL;
	*ret_err = -ENOBUFS;
	skb = alloc_skb(req->net->cpu, 64);
	if (!skb)
		return NULL;
	/* The first octets of such a packet, for rules that look at ports. */
	ports[0] = fl->sport;
	ports[1] = fl->dport;
	h = (struct ip_hdr){ .ihl_version = 0x45,
			     .tos = fl->tos,
			     .protocol = fl->proto,
			     .saddr = fl->saddr,
			     .daddr = fl->daddr };
	memcpy(skb_put(skb, sizeof(h)), &h, sizeof(h));
	memcpy(skb_put(skb, sizeof(ports)), ports, sizeof(ports));
	skb_reset_network_header(skb);
	skb->dev = dev;
	skb->mark = fl->mark;
	reason = ip_route_input(skb, fl->daddr, fl->saddr, fl->tos, dev);
	if (reason) {
		*ret_err = reason == SKB_DROP_IP_RPFILTER     ? -EXDEV
			   : reason == SKB_DROP_IP_NOFORWARD  ? -EHOSTUNREACH
			   : reason == SKB_DROP_IP_IN_NOROUTE ? -ENETUNREACH
							      : -EINVAL;
		nl_set_err_msg(req->extack, "A packet like this would be dropped: %s",
			       drop_reason_name(req->net->machine, reason));
	} else if (skb_rtable(skb)->dst.error) {
		*ret_err = skb_rtable(skb)->dst.error;
	} else {
		rt = skb_rtable(skb);
		dst_hold(&rt->dst);
	}
	consume_skb(skb);
	return rt;
}

/* Hundredths of a second, for struct rta_cacheinfo. */
static s32 rt_expires_ticks(const struct net *net, u64 expires)
{
	return (s32)((expires - net_now(net)) / (10 * NSEC_PER_MSEC));
}

static int getroute_fill(struct nl_request *req, const struct rtable *rt, const struct flowi4 *fl,
			 be32 src, u32 table)
{
	struct nl_msg *m = req->reply;
	struct rtmsg *rtm =
		nlmsg_begin(m, req->portid, req->nlh->nlmsg_seq, RTM_NEWROUTE, 0, sizeof(*rtm));
	struct rta_cacheinfo ci = { 0 };

	if (!rtm)
		return -EMSGSIZE;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_src_len = be32_zero(src) ? 0 : 32;
	rtm->rtm_tos = fl->tos;
	rtm->rtm_table = table < 256 ? (u8)table : RT_TABLE_COMPAT;
	rtm->rtm_type = rt->rt_type;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_protocol = RTPROT_UNSPEC;
	rtm->rtm_flags = (rt->rt_flags & ~0xffffu) | RTM_F_CLONED;
	nla_put_u32(m, RTA_TABLE, table);
	nla_put_in_addr(m, RTA_DST, fl->daddr);
	if (!be32_zero(src))
		nla_put_in_addr(m, RTA_SRC, src);
	if (rt->dst.dev)
		nla_put_u32(m, RTA_OIF, (u32)rt->dst.dev->ifindex);
	if (!fl->iif && !be32_eq(fl->saddr, src))
		nla_put_in_addr(m, RTA_PREFSRC, fl->saddr);
	if (rt->rt_uses_gateway)
		nla_put_in_addr(m, RTA_GATEWAY, rt->rt_gateway);
	if (rt->rt_pmtu || dst_metric(&rt->dst, DST_METRIC_MTU)) {
		u32 mark = nla_nest_start_noflag(m, RTA_METRICS);

		nla_put_u32(m, RTAX_MTU,
			    rt->rt_pmtu ? rt->rt_pmtu : dst_metric(&rt->dst, DST_METRIC_MTU));
		if (rt->rt_mtu_locked)
			nla_put_u32(m, RTAX_LOCK, 1u << RTAX_MTU);
		nla_nest_end(m, mark);
	}
	if (fl->mark)
		nla_put_u32(m, RTA_MARK, fl->mark);
	nla_put_u32(m, RTA_UID, fl->uid);
	if (fl->iif)
		nla_put_u32(m, RTA_IIF, (u32)fl->iif);
	if (rt->dst.expires > net_now(req->net))
		ci.rta_expires = rt_expires_ticks(req->net, rt->dst.expires);
	nla_put(m, RTA_CACHEINFO, sizeof(ci), &ci);
	return nlmsg_finish(m);
}

static be16 tb_port(const struct nlattr *a)
{
	be16 port = { 0 };

	if (a)
		memcpy(&port, nla_data(a), sizeof(port));
	return port;
}

int rtnl_getroute_doit(struct nl_request *req)
{
	const struct rtmsg *rtm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[RTA_MAX + 1];
	struct net *net = req->net;
	struct fib_result res;
	struct flowi4 fl, probe;
	struct rtable *rt;
	be32 src;
	int err = nlmsg_parse(req->nlh, sizeof(*rtm), tb, RTA_MAX, getroute_policy, req->extack);

	if (err)
		return err;
	src = tb[RTA_SRC] ? nla_get_in_addr(tb[RTA_SRC]) : (be32){ 0 };
	fl = (struct flowi4){
		.daddr = tb[RTA_DST] ? nla_get_in_addr(tb[RTA_DST]) : (be32){ 0 },
		.saddr = src,
		.oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0,
		.iif = tb[RTA_IIF] ? (int)nla_get_u32(tb[RTA_IIF]) : 0,
		.mark = tb[RTA_MARK] ? nla_get_u32(tb[RTA_MARK]) : 0,
		.uid = tb[RTA_UID] ? nla_get_u32(tb[RTA_UID]) : 0,
		.proto = tb[RTA_IP_PROTO] ? nla_get_u8(tb[RTA_IP_PROTO]) : 0,
		.sport = tb_port(tb[RTA_SPORT]),
		.dport = tb_port(tb[RTA_DPORT]),
		.tos = rtm->rtm_tos & IPTOS_RT_MASK,
	};
	probe = fl;
	cpu_lock(net->cpu);
	rt = fl.iif ? getroute_input(req, &fl, &err) : ip_route_output_key(net, &fl, &err);
	if (!rt)
		goto out;
	if (be32_zero(probe.daddr))
		probe.daddr = fl.daddr;
	err = fib_lookup(net, &probe, &res);
	if (rtm->rtm_flags & RTM_F_FIB_MATCH) {
		if (err)
			nl_set_err_msg(req->extack, "No route of a table matches");
		else
			err = fib_dump_info(req->reply, req->portid, req->nlh->nlmsg_seq,
					    RTM_NEWROUTE, 0, res.node, res.fa);
	} else {
		u32 table =
			!err && (rtm->rtm_flags & RTM_F_LOOKUP_TABLE) ? res.table : RT_TABLE_MAIN;

		err = getroute_fill(req, rt, &fl, src, table);
	}
	ip_rt_put(rt);
out:
	cpu_unlock(net->cpu);
	return err;
}

/* ---- ip route show cache ------------------------------------------------------------------------------------- */

static int rt_fill_exception(struct nl_msg *m, const struct netlink_callback *cb, struct net *net,
			     const struct rt_exception *e)
{
	struct rtmsg *rtm = nlmsg_begin(m, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWROUTE,
					NLM_F_MULTI, sizeof(*rtm));
	struct rta_cacheinfo ci = { .rta_expires = rt_expires_ticks(net, rt_exc_expires(net, e)) };
	bool redirected = !be32_zero(e->gw) && e->gw_expires > net_now(net);
	be32 gw = redirected ? e->gw : e->nh_gw;

	if (!rtm)
		return -EMSGSIZE;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_flags = RTM_F_CLONED | (redirected ? RTCF_REDIRECTED : 0);
	nla_put_u32(m, RTA_TABLE, RT_TABLE_MAIN);
	nla_put_in_addr(m, RTA_DST, e->daddr);
	nla_put_u32(m, RTA_OIF, (u32)e->nh_oif);
	if (!be32_zero(gw))
		nla_put_in_addr(m, RTA_GATEWAY, gw);
	if (e->pmtu && e->pmtu_expires > net_now(net)) {
		u32 mark = nla_nest_start_noflag(m, RTA_METRICS);

		nla_put_u32(m, RTAX_MTU, e->pmtu);
		if (e->locked)
			nla_put_u32(m, RTAX_LOCK, 1u << RTAX_MTU);
		nla_nest_end(m, mark);
	}
	nla_put(m, RTA_CACHEINFO, sizeof(ci), &ci);
	return nlmsg_finish(m);
}

/* args[0]: place in the table of exceptions */
int rt_dump_exceptions(struct nl_msg *m, struct netlink_callback *cb)
{
	struct net *net = cb->net;
	const struct rt_exception *e;
	u64 next = cb->args[0];
	int more = 0;

	cpu_lock(net->cpu);
	while (!more && (e = rt_exc_next(net, &next))) {
		more = rt_fill_exception(m, cb, net, e) ? 1 : 0;
		if (!more)
			cb->args[0] = next;
	}
	cpu_unlock(net->cpu);
	return more;
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

int rt_net_init(struct net *net)
{
	list_init(&net->ipv4->rt_list);
	net->ipv4->rt_genid = 1;
	net->ipv4->net = net;
	rt_cache_init(net);
	rt_exc_init(net);
	return 0;
}

/* Sockets may keep rtables beyond the net: those refer to nothing of it any more. */
void rt_net_exit(struct net *net)
{
	struct rtable *rt;

	rt_cache_clear(net);
	rt_exc_clear(net);
	free(net->ipv4->rt_peers);
	net->ipv4->rt_peers = NULL;
	while (!list_empty(&net->ipv4->rt_list)) {
		rt = list_first_entry(&net->ipv4->rt_list, struct rtable, rt_list);
		list_del(&rt->rt_list);
		rt_retire(rt);
		rt->net = NULL;
	}
}
