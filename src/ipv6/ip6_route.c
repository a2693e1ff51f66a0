/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_route.c - from an address to a dst_entry: what to do with an IPv6 packet
 *
 * Theory of operation
 *   The FIB (ip6_fib.c) says which route serves a destination; an rt6_info says what to do with a packet: which device, which next hop,
 *   which functions. Whatever two packets on the same route have in common is one rt6_info, kept at the route, so that the packet path
 *   takes a reference and allocates nothing. It serves both directions: what is sent to an own address comes back over loopback with the
 *   dst it was sent with.
 *
 *   What ICMPv6 says about one destination - a smaller path MTU (RFC 8201), a better next hop (RFC 4861 8) - is an exception: kept
 *   in a hash by destination and route, with an rt6_info of its own, until it expires or the route goes. Whoever keeps a shared rt6_info
 *   for a destination keeps the number of changes there have been, and looks again when it is about its own (check_sk). Strangers can
 *   make exceptions, so their number is bounded: the one that was learnt first gives way.
 *
 *   Source addresses (RFC 6724) are chosen here when the caller has none, for the device that the route leads to; a source
 *   that makes a more specific route fit (ip route ... from) leads to a second look.
 * Invariants
 *   An rt6_info never changes what it says. It is good while its rt6_genid is the net's (any change of routes, addresses or devices
 *   bumps that) and neither its route nor what ICMPv6 said has expired. No rt6_info refers to a device that is gone: rt6_drop_dev() makes them discard.
 * Locking: the cpu lock.
 */
#include "ipv6/ip6_route.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/netdevice.h"
#include "core/trace.h"
#include "ipv6/ipv6_internal.h"
#include "lib/siphash.h"

#define IPV6_MIN_MTU_     1280u
#define EXCEPTION_BUCKETS 64u
#define EXCEPTIONS_MAX    4096u
#define REDIRECT_LIFETIME (600 * NSEC_PER_SEC)

struct rt6_exception {
	struct hlist_node node;
	struct list_head of_route; /* fib6_info.exceptions */
	struct list_head age;      /* netns_ipv6.rt6_exceptions_age: what changed last is last */
	struct in6_addr daddr;
	struct fib6_info *f; /* the route it was learnt on, which takes it along when it goes */
	bool redirected;
	struct in6_addr gateway;            /* of a redirect; ::: on link */
	u32 pmtu;                           /* 0: none */
	u64 pmtu_expires, redirect_expires; /* ns */
	struct rt6_info *rt;                /* held; NULL: not asked for yet */
};

static bool rt6_valid(const struct rt6_info *rt)
{
	return !rt->dst.obsolete && rt->rt6_genid == rt->net->ipv6->rt6_genid &&
	       (!rt->dst.expires || rt->dst.expires > net_now(rt->net)) &&
	       (!rt->from || !fib6_expired(rt->from));
}

/* ---- dst_ops ------------------------------------------------------------------------------------------------ */

static struct rt6_exception *exception_find(struct net *net, const struct in6_addr *daddr,
					    const struct fib6_info *f);

static struct dst_entry *ip6_dst_check(struct dst_entry *dst)
{
	return rt6_valid((struct rt6_info *)dst) ? dst : NULL;
}

static struct dst_entry *ip6_dst_check_sk(struct dst_entry *dst, struct sock *sk)
{
	struct rt6_info *rt = (struct rt6_info *)dst;
	const struct rt6_exception *e;

	if (!rt6_valid(rt))
		return NULL;
	if (likely(sk->sk_dst_cookie == rt->net->ipv6->rt6_exception_seq))
		return dst;
	e = rt->from ? exception_find(rt->net, &sk->sk_v6_daddr, rt->from) : NULL;
	if (e && e->rt != rt)
		return NULL;
	sk->sk_dst_cookie = rt->net->ipv6->rt6_exception_seq;
	return dst;
}

static void ip6_dst_destroy(struct dst_entry *dst)
{
	struct rt6_info *rt = (struct rt6_info *)dst;

	list_del(&rt->rt6i_list);
	fib6_info_put(rt->from);
	free(rt);
}

static u32 ip6_mtu(const struct dst_entry *dst)
{
	return ip6_rt_mtu((const struct rt6_info *)dst);
}

static u32 ip6_default_advmss(const struct dst_entry *dst)
{
	const struct rt6_info *rt = (const struct rt6_info *)dst;
	u32 mtu = ip6_mtu(dst), floor = rt->net->ipv6->route_min_adv_mss;

	/* RFC 2675 5: 65,535 would mean "as large as you like". */
	return min(max(mtu > 60 ? mtu - 60 : 0, floor), 65535u - 60);
}

static void ip6_dst_update_pmtu(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb,
				u32 mtu, bool confirm)
{
	struct rt6_info *rt = (struct rt6_info *)dst;

	if (sk && sk->sk_family == AF_INET6)
		ip6_sk_update_pmtu(skb, sk, mtu);
	else if (skb)
		ip6_update_pmtu(rt->net, &ipv6_hdr(skb)->daddr, &ipv6_hdr(skb)->saddr, 0, mtu);
}

static struct neighbour *ip6_neigh_lookup(const struct dst_entry *dst, const void *daddr)
{
	const struct rt6_info *rt = (const struct rt6_info *)dst;
	struct neigh_table *tbl = rt->net->ipv6->nd_tbl;
	const struct in6_addr *key = rt6_nexthop(rt, daddr);
	struct neighbour *n;
	int err;

	/* One neighbour stands for all where the link has only one other end. */
	if (dst->dev->flags & (IFF_LOOPBACK | IFF_POINTOPOINT))
		key = &in6addr_any;
	n = neigh_lookup(tbl, key, dst->dev);
	return n ? n : neigh_create(tbl, key, dst->dev, &err);
}

static const struct dst_ops ip6_dst_ops = {
	.family = AF_INET6,
	.check = ip6_dst_check,
	.check_sk = ip6_dst_check_sk,
	.destroy = ip6_dst_destroy,
	.mtu = ip6_mtu,
	.default_advmss = ip6_default_advmss,
	.update_pmtu = ip6_dst_update_pmtu,
	.neigh_lookup = ip6_neigh_lookup,
};

/* ---- rt6_infos ----------------------------------------------------------------------------------------------- */

/* What packets do on a route of @type. */
static void rt6_set_functions(struct rt6_info *rt, u8 type)
{
	rt->dst.output = ip6_output;
	switch (type) {
	case RTN_LOCAL:
	case RTN_ANYCAST:
		rt->dst.input = ip6_input;
		return;
	case RTN_MULTICAST:
		rt->dst.input = ip6_mc_input;
		return;
	case RTN_UNICAST:
		rt->dst.input = ip6_forward;
		return;
	case RTN_BLACKHOLE:
		rt->dst.error = -EINVAL;
		break;
	case RTN_PROHIBIT:
		rt->dst.error = -EACCES;
		break;
	case RTN_UNREACHABLE:
		rt->dst.error = -EHOSTUNREACH;
		break;
	default:
		rt->dst.error = -ENETUNREACH;
	}
	rt->dst.input = ip6_pkt_discard;
	rt->dst.output = ip6_pkt_discard_out;
}

/* One reference. @f NULL: no route. @e: what is different for one destination, or NULL. NULL: no memory */
static struct rt6_info *rt6_alloc(struct net *net, struct fib6_info *f,
				  const struct rt6_exception *e)
{
	struct rt6_info *rt = calloc(1, sizeof(*rt));
	bool own = !f || f->type == RTN_LOCAL || f->type == RTN_ANYCAST;

	if (!rt)
		return NULL;
	/* What is for ourselves goes over loopback, whatever device has the address. */
	dst_init(&rt->dst, &ip6_dst_ops, own ? net->loopback_dev : f->dev);
	rt->net = net;
	rt->rt6_genid = net->ipv6->rt6_genid;
	rt->rt6i_type = f ? f->type : RTN_UNREACHABLE;
	list_add(&rt->rt6i_list, &net->ipv6->rt6_list);
	rt6_set_functions(rt, f ? f->type : RTN_UNSPEC);
	if (!f)
		return rt;
	rt->rt6i_flags = f->flags;
	rt->rt6i_dst = f->dst;
	rt->rt6i_dst_plen = f->dst_len;
	rt->rt6i_gateway = f->gateway;
	rt->rt6i_prefsrc = f->prefsrc;
	rt->from = f;
	f->refcount++;
	if (f->metrics.any)
		rt->dst.metrics = f->metrics.value;
	if (!e)
		return rt;
	rt->rt6i_dst = e->daddr;
	rt->rt6i_dst_plen = 128;
	rt->rt6i_flags |= RTF_CACHE;
	if (e->pmtu && e->pmtu_expires > net_now(net)) {
		rt->rt6i_pmtu = e->pmtu;
		rt->dst.expires = e->pmtu_expires;
	}
	if (e->redirected && e->redirect_expires > net_now(net)) {
		rt->rt6i_gateway = e->gateway;
		rt->rt6i_flags |= RTF_DYNAMIC;
		rt->dst.expires = rt->dst.expires ? min(rt->dst.expires, e->redirect_expires)
						  : e->redirect_expires;
	}
	return rt;
}

/* The good rt6_info in *@slot, held; else a new one is put there. NULL: no memory */
static struct rt6_info *rt6_slot_get(struct net *net, struct rt6_info **slot, struct fib6_info *f,
				     const struct rt6_exception *e)
{
	struct rt6_info *rt = *slot;

	if (unlikely(!rt || !rt6_valid(rt))) {
		*slot = NULL;
		ip6_rt_put(rt);
		rt = rt6_alloc(net, f, e);
		if (!rt)
			return NULL;
		*slot = rt;
	}
	dst_hold(&rt->dst);
	return rt;
}

struct rt6_info *rt6_link_dst(struct inet6_dev *idev)
{
	struct rt6_info *rt = idev->link_dst;

	if (rt && !rt->dst.obsolete) {
		dst_hold(&rt->dst);
		return rt;
	}
	ip6_rt_put(rt);
	rt = idev->link_dst = calloc(1, sizeof(*rt));
	if (!rt)
		return NULL;
	dst_init(&rt->dst, &ip6_dst_ops, idev->dev);
	rt->net = idev->net;
	list_add(&rt->rt6i_list, &idev->net->ipv6->rt6_list);
	rt->rt6i_type = RTN_UNICAST;
	rt6_set_functions(rt, RTN_UNICAST);
	dst_hold(&rt->dst);
	return rt;
}

void fib6_drop_cache(struct fib6_info *f)
{
	struct rt6_info *rt = f->rt_cache;

	f->rt_cache = NULL;
	if (rt)
		rt->dst.obsolete = 1;
	ip6_rt_put(rt);
}

void rt6_cache_flush(struct net *net)
{
	net->ipv6->rt6_genid++;
}

void rt6_drop_dev(struct net_device *dev)
{
	struct netns_ipv6 *ip6 = dev->net->ipv6;
	struct rt6_info *rt;

	rt6_exceptions_clear(dev->net);
	if (ip6->null_entry) {
		rt = ip6->null_entry;
		ip6->null_entry = NULL;
		ip6_rt_put(rt);
	}
	list_for_each_entry(rt, &ip6->rt6_list, rt6i_list) {
		if (rt->dst.dev != dev)
			continue;
		rt->dst.obsolete = 1;
		rt->dst.input = dst_discard;
		rt->dst.output = dst_discard_out;
		if (rt->dst.neigh) {
			neigh_release(rt->dst.neigh);
			rt->dst.neigh = NULL;
		}
	}
}

/* ---- exceptions ----------------------------------------------------------------------------------------------- */

static struct hlist_head *exception_bucket(const struct net *net, const struct in6_addr *daddr)
{
	u64 w[2];

	memcpy(w, daddr, 16); /* strangers choose it */
	return &net->ipv6->rt6_exceptions[siphash_2u64(w[0], w[1], net->machine->hash_seed) %
					  EXCEPTION_BUCKETS];
}

static u64 exception_expires(const struct rt6_exception *e)
{
	u64 pmtu = e->pmtu ? e->pmtu_expires : 0;
	u64 redirect = e->redirected ? e->redirect_expires : 0;

	return max(pmtu, redirect);
}

static void exception_retire(struct rt6_exception *e)
{
	struct rt6_info *rt = e->rt;

	e->rt = NULL;
	if (rt)
		rt->dst.obsolete = 1;
	ip6_rt_put(rt);
}

static void exception_free(struct net *net, struct rt6_exception *e)
{
	hlist_del_init(&e->node);
	list_del(&e->of_route);
	list_del(&e->age);
	net->ipv6->rt6_exception_count--;
	exception_retire(e);
	free(e);
}

/* Not expired, or NULL. */
static struct rt6_exception *exception_find(struct net *net, const struct in6_addr *daddr,
					    const struct fib6_info *f)
{
	struct rt6_exception *e;

	if (likely(!net->ipv6->rt6_exception_count))
		return NULL;
	hlist_for_each_entry(e, exception_bucket(net, daddr), node) {
		if (e->f != f || !ipv6_addr_equal(&e->daddr, daddr))
			continue;
		if (exception_expires(e) > net_now(net))
			return e;
		exception_free(net, e);
		return NULL;
	}
	return NULL;
}

/* Found or made; the caller changes it and then calls exception_changed(). NULL: no memory */
static struct rt6_exception *exception_get(struct net *net, const struct in6_addr *daddr,
					   struct fib6_info *f)
{
	struct netns_ipv6 *ip6 = net->ipv6;
	struct rt6_exception *e = exception_find(net, daddr, f);

	if (e)
		return e;
	if (!ip6->rt6_exceptions)
		ip6->rt6_exceptions = calloc(EXCEPTION_BUCKETS, sizeof(*ip6->rt6_exceptions));
	if (!ip6->rt6_exceptions)
		return NULL;
	if (ip6->rt6_exception_count >= EXCEPTIONS_MAX)
		exception_free(
			net, list_first_entry(&ip6->rt6_exceptions_age, struct rt6_exception, age));
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->daddr = *daddr;
	e->f = f;
	hlist_add_head(&e->node, exception_bucket(net, daddr));
	list_add(&e->of_route, &f->exceptions);
	list_add_tail(&e->age, &ip6->rt6_exceptions_age);
	ip6->rt6_exception_count++;
	return e;
}

static void exception_changed(struct net *net, struct rt6_exception *e)
{
	exception_retire(e);
	list_del(&e->age);
	list_add_tail(&e->age, &net->ipv6->rt6_exceptions_age);
	net->ipv6->rt6_exception_seq++;
}

void rt6_exceptions_drop(struct fib6_info *f)
{
	while (!list_empty(&f->exceptions))
		exception_free(f->net,
			       list_first_entry(&f->exceptions, struct rt6_exception, of_route));
}

void rt6_exceptions_clear(struct net *net)
{
	struct netns_ipv6 *ip6 = net->ipv6;

	if (!ip6->rt6_exceptions)
		return;
	for (u32 i = 0; i < EXCEPTION_BUCKETS; i++)
		while (ip6->rt6_exceptions[i].first)
			exception_free(net, container_of(ip6->rt6_exceptions[i].first,
							 struct rt6_exception, node));
	free(ip6->rt6_exceptions);
	ip6->rt6_exceptions = NULL;
	ip6->rt6_exception_seq++;
}

static void pmtu_learn(struct net *net, struct fib6_info *f, const struct in6_addr *daddr, u32 mtu)
{
	struct rt6_exception *e;

	if ((f->type != RTN_UNICAST && f->type != RTN_MULTICAST) || mtu >= f->dev->mtu ||
	    f->metrics.lock & (1u << DST_METRIC_MTU))
		return;
	e = exception_find(net, daddr, f);
	/* Only ever down: growth is found by asking again after the time is over. */
	if (e && e->pmtu && e->pmtu <= mtu && e->pmtu_expires > net_now(net))
		return;
	e = exception_get(net, daddr, f);
	if (!e)
		return;
	e->pmtu = mtu;
	e->pmtu_expires = net_now(net) + net->ipv6->route_mtu_expires_s * NSEC_PER_SEC;
	exception_changed(net, e);
}

void ip6_update_pmtu(struct net *net, const struct in6_addr *daddr, const struct in6_addr *saddr,
		     int oif, u32 mtu)
{
	bool strict = ipv6_addr_type(daddr) & (IPV6_ADDR_LINKLOCAL | IPV6_ADDR_MULTICAST);
	struct flowi6 fl = { .daddr = *daddr, .saddr = *saddr, .oif = strict ? oif : 0 };
	struct fib6_info *f, *s;

	/* RFC 8201 4: less than 1,280 is never believed (RFC 8021: and makes no atomic fragments). */
	if (mtu < IPV6_MIN_MTU_)
		return;
	f = fib6_lookup(net, &fl, strict);
	/* Which next hop of a multipath route the flow takes, its flow label has a say in: all of them learn. */
	for (s = f && f->table ? fib6_prefix_first(f) : NULL; s; s = s->next)
		if (s == f || fib6_is_sibling(f, s))
			pmtu_learn(net, s, daddr, mtu);
}

void ip6_sk_update_pmtu(struct sk_buff *skb, struct sock *sk, u32 mtu)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	int oif = sk->sk_bound_dev_if;

	if (!oif && skb && skb->dev)
		oif = skb->dev->ifindex;
	/* An unconnected socket's packet is the one inside the ICMPv6 message: data at its header. */
	if (ipv6_addr_any(&sk->sk_v6_daddr) && skb)
		ip6_update_pmtu(sock_net(sk), &((const struct ipv6_hdr *)skb->data)->daddr,
				&((const struct ipv6_hdr *)skb->data)->saddr, oif, mtu);
	else
		ip6_update_pmtu(sock_net(sk), &sk->sk_v6_daddr, &np->saddr, oif, mtu);
}

bool rt6_do_redirect(struct net *net, const struct in6_addr *daddr, const struct in6_addr *from,
		     const struct in6_addr *target, struct net_device *dev)
{
	struct flowi6 fl = { .daddr = *daddr, .oif = dev->ifindex };
	struct fib6_info *f = fib6_lookup(net, &fl, true);
	struct rt6_exception *e = f ? exception_find(net, daddr, f) : NULL;
	const struct in6_addr *first_hop;

	if (!f || f->type != RTN_UNICAST || f->dev != dev)
		return false;
	/* RFC 4861 8.1: only the router that is asked now may send elsewhere. */
	first_hop = e && e->redirected && e->redirect_expires > net_now(net) ? &e->gateway
									     : &f->gateway;
	if (!ipv6_addr_equal(first_hop, from))
		return false;
	e = exception_get(net, daddr, f);
	if (!e)
		return false;
	e->redirected = true;
	e->gateway = ipv6_addr_equal(target, daddr) ? in6addr_any : *target;
	e->redirect_expires = net_now(net) + REDIRECT_LIFETIME;
	exception_changed(net, e);
	return true;
}

/* ---- output ------------------------------------------------------------------------------------------------------- */

/* RFC 4007: which link is meant cannot be told from such an address. */
static bool rt6_need_strict(const struct in6_addr *daddr)
{
	return ipv6_addr_type(daddr) & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LINKLOCAL);
}

/* The rt6_info for @f and @daddr, held. */
static struct rt6_info *rt6_get(struct net *net, struct fib6_info *f, const struct in6_addr *daddr)
{
	struct rt6_exception *e;

	if (!f)
		return rt6_slot_get(net, &net->ipv6->null_entry, NULL, NULL);
	e = f->type == RTN_UNICAST || f->type == RTN_MULTICAST ? exception_find(net, daddr, f)
							       : NULL;
	return e ? rt6_slot_get(net, &e->rt, f, e) : rt6_slot_get(net, &f->rt_cache, f, NULL);
}

static int rt6_choose_source(struct net *net, struct fib6_info *f, struct flowi6 *fl)
{
	if (!ipv6_addr_any(&fl->saddr) || fl->flags & FLOWI6_FLAG_NO_SOURCE)
		return 0;
	if (!ipv6_addr_any(&f->prefsrc)) {
		fl->saddr = f->prefsrc;
		return 0;
	}
	return ipv6_dev_get_saddr(net, f->dev, &fl->daddr, fl->srcprefs, &fl->saddr);
}

static bool rt6_is_error(const struct fib6_info *f)
{
	return !f || (f->type != RTN_UNICAST && f->type != RTN_LOCAL && f->type != RTN_MULTICAST &&
		      f->type != RTN_ANYCAST);
}

/* Rules may look at the source: as in Linux, a flow that gets no route without one chooses it for the destination alone and
 * asks again. */
static struct fib6_info *rt6_ask_with_source(struct net *net, struct fib6_info *f,
					     struct flowi6 *fl, bool strict)
{
	if (!rt6_is_error(f) || fl->flags & (FLOWI6_FLAG_NO_SOURCE | FLOWI6_FLAG_ONE_LOOK) ||
	    ipv6_dev_get_saddr(net, NULL, &fl->daddr, fl->srcprefs, &fl->saddr))
		return f;
	return fib6_lookup(net, fl, strict);
}

struct rt6_info *ip6_route_output(struct net *net, struct flowi6 *fl, const struct sock *sk,
				  int *ret_err)
{
	bool strict = rt6_need_strict(&fl->daddr), no_source = ipv6_addr_any(&fl->saddr);
	struct fib6_info *f, *again;
	struct rt6_info *rt;

	*ret_err = -ENETUNREACH;
	/* RFC 4291 2.5.2: "no address" as a destination is ourselves, as in BSD. */
	if (ipv6_addr_any(&fl->daddr))
		fl->daddr = in6addr_loopback;
	f = fib6_lookup(net, fl, strict);
	if (unlikely(no_source && net->ipv6->fib6_has_custom_rules))
		f = rt6_ask_with_source(net, f, fl, strict);
	if (!f)
		return NULL;
	if (fl->flags & FLOWI6_FLAG_LOCALROUTE && fib6_has_gateway(f))
		return NULL;
	if (rt6_is_error(f)) {
		rt = rt6_get(net, f, &fl->daddr);
		*ret_err = rt ? rt->dst.error : -ENOMEM;
		ip6_rt_put(rt);
		return NULL;
	}
	*ret_err = rt6_choose_source(net, f, fl);
	if (*ret_err)
		return NULL;
	if (unlikely(no_source && net->ipv6->fib6_src_routes)) {
		again = fib6_lookup(net, fl, strict);
		f = again ? again : f;
	}
	*ret_err = -ENOMEM;
	rt = rt6_get(net, f, &fl->daddr);
	if (rt)
		fl->oif = rt->dst.dev->ifindex;
	return rt;
}

/* ---- input -------------------------------------------------------------------------------------------------------- */

skb_drop_reason_t ip6_route_input(struct sk_buff *skb)
{
	const struct ipv6_hdr *h = ipv6_hdr(skb);
	struct net *net = skb->dev->net;
	bool strict = rt6_need_strict(&h->daddr);
	struct flowi6 fl = {
		.iif = skb->dev->ifindex,
		.oif = strict ? skb->dev->ifindex : 0,
		.mark = skb->mark,
		.flowlabel = be32_raw(h->ver_tc_flow.v & cpu_to_be32(0x0fffffff).v),
		.proto = h->nexthdr,
		.daddr = h->daddr,
		.saddr = h->saddr,
	};
	struct fib6_info *f;
	struct rt6_info *rt;

	if (unlikely(net->ipv6->rules_need_l4))
		fib6_rules_dissect(skb, &fl);
	f = fib6_lookup(net, &fl, strict);
	rt = rt6_get(net, f, &h->daddr);
	if (!rt)
		return SKB_DROP_NOMEM;
	skb_dst_set(skb, &rt->dst);
	return 0;
}

void ip6_route_input_sk(struct sk_buff *skb)
{
	const struct ipv6_pinfo *np = inet6_sk(skb->sk);

	/* Rules may want to see each packet. */
	if (!np->rx_dst || np->rx_dst_ifindex != skb->dev->ifindex ||
	    unlikely(skb->dev->net->ipv6->fib6_has_custom_rules) || !dst_check(np->rx_dst))
		return;
	dst_hold(np->rx_dst);
	skb_dst_set(skb, np->rx_dst);
}

void ip6_route_remember(const struct sk_buff *skb)
{
	struct ipv6_pinfo *np = inet6_sk(skb->sk);

	inet6_sk_rx_dst_reset(np);
	if (skb_rt6_info(skb)->rt6i_type != RTN_LOCAL)
		return;
	np->rx_dst = skb->dst;
	np->rx_dst_ifindex = skb->dev->ifindex;
	dst_hold(np->rx_dst);
}

bool ip6_route_use_hint(struct sk_buff *skb, const struct sk_buff *hint)
{
	const struct ipv6_hdr *a = ipv6_hdr(skb), *b = ipv6_hdr(hint);

	/* What a lookup looks at: ip6_route_input(). */
	if (!ipv6_addr_equal(&a->daddr, &b->daddr) || !ipv6_addr_equal(&a->saddr, &b->saddr) ||
	    a->ver_tc_flow.v != b->ver_tc_flow.v || a->nexthdr != b->nexthdr ||
	    skb->mark != hint->mark || skb->dev != hint->dev ||
	    unlikely(skb->dev->net->ipv6->rules_need_l4))
		return false;
	dst_hold(hint->dst);
	skb_dst_set(skb, hint->dst);
	return true;
}

/* ---- ip route get, ip route show cache ------------------------------------------------------------------------------ */

static const struct nla_policy getroute6_policy[RTA_MAX + 1] = {
	[RTA_DST] = { .kind = NLA_K_IN6_ADDR, .help = "destination" },
	[RTA_SRC] = { .kind = NLA_K_IN6_ADDR, .help = "source" },
	[RTA_IIF] = { .kind = NLA_K_U32, .help = "came in by" },
	[RTA_OIF] = { .kind = NLA_K_U32, .help = "goes out by" },
	[RTA_MARK] = { .kind = NLA_K_U32, .help = "mark" },
	[RTA_UID] = { .kind = NLA_K_U32, .help = "user" },
	[RTA_IP_PROTO] = { .kind = NLA_K_U8, .help = "protocol" },
	[RTA_SPORT] = { .kind = NLA_K_BE16, .help = "source port" },
	[RTA_DPORT] = { .kind = NLA_K_BE16, .help = "destination port" },
};

static int fill_rt6(struct nl_msg *m, u32 portid, u32 seq, u16 flags, const struct rt6_info *rt,
		    const struct in6_addr *daddr, const struct in6_addr *saddr,
		    const struct in6_addr *src, int iif)
{
	struct rtmsg *rtm = nlmsg_begin(m, portid, seq, RTM_NEWROUTE, flags, sizeof(*rtm));
	const struct fib6_info *f = rt->from;
	struct rta_cacheinfo ci = { .rta_error = (u32)rt->dst.error };
	u32 table = f && f->table ? f->table->id : RT_TABLE_MAIN;

	if (!rtm)
		return -EMSGSIZE;
	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = 128;
	rtm->rtm_src_len = src ? 128 : 0;
	rtm->rtm_table = table < 256 ? (u8)table : RT_TABLE_COMPAT;
	rtm->rtm_protocol = f ? f->protocol : RTPROT_UNSPEC;
	rtm->rtm_type = rt->rt6i_type;
	rtm->rtm_flags = rt->rt6i_flags & RTF_CACHE ? RTM_F_CLONED : 0;
	nla_put_u32(m, RTA_TABLE, table);
	nla_put(m, RTA_DST, 16, daddr);
	if (src)
		nla_put(m, RTA_SRC, 16, src);
	if (iif)
		nla_put_u32(m, RTA_IIF, (u32)iif);
	else if (saddr && !ipv6_addr_any(saddr))
		nla_put(m, RTA_PREFSRC, 16, saddr);
	if (rt->rt6i_pmtu) {
		u32 mark = nla_nest_start_noflag(m, RTA_METRICS);

		nla_put_u32(m, RTAX_MTU, rt->rt6i_pmtu);
		nla_nest_end(m, mark);
	} else if (f) {
		ip_metrics_put(m, f->net->machine, &f->metrics);
	}
	if (!ipv6_addr_any(&rt->rt6i_gateway))
		nla_put(m, RTA_GATEWAY, 16, &rt->rt6i_gateway);
	nla_put_u32(m, RTA_OIF, (u32)rt->dst.dev->ifindex);
	nla_put_u32(m, RTA_PRIORITY, f ? f->metric : UINT32_MAX);
	if (rt->dst.expires > net_now(rt->net))
		ci.rta_expires = (s32)((rt->dst.expires - net_now(rt->net)) / (10 * NSEC_PER_MSEC));
	nla_put(m, RTA_CACHEINFO, sizeof(ci), &ci);
	nla_put_u8(m, RTA_PREF, f ? f->pref : 0);
	return nlmsg_finish(m);
}

/* As if a packet had come in by device @iif. NULL with *ret_err */
static struct rt6_info *getroute_input(struct nl_request *req, const struct flowi6 *fl,
				       int *ret_err)
{
	struct net_device *dev = __dev_get_by_index(req->net, fl->iif);
	struct flowi6 lookup = *fl;

	*ret_err = -ENODEV;
	if (!dev) {
		nl_set_err_msg(req->extack, "The input device does not exist");
		return NULL;
	}
	*ret_err = -ENOMEM;
	lookup.oif = rt6_need_strict(&fl->daddr) ? fl->iif : 0;
	return rt6_get(req->net, fib6_lookup(req->net, &lookup, lookup.oif != 0), &fl->daddr);
}

int inet6_rtm_getroute(struct nl_request *req)
{
	const struct rtmsg *rtm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[RTA_MAX + 1];
	struct net *net = req->net;
	struct in6_addr src = { 0 };
	struct flowi6 fl = { .flags = FLOWI6_FLAG_ONE_LOOK };
	struct rt6_info *rt;
	int err = nlmsg_parse(req->nlh, sizeof(*rtm), tb, RTA_MAX, getroute6_policy, req->extack);

	if (err)
		return err;
	if (tb[RTA_DST])
		memcpy(&fl.daddr, nla_data(tb[RTA_DST]), 16);
	if (tb[RTA_SRC])
		memcpy(&src, nla_data(tb[RTA_SRC]), 16);
	fl.saddr = src;
	fl.oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0;
	fl.iif = tb[RTA_IIF] ? (int)nla_get_u32(tb[RTA_IIF]) : 0;
	fl.mark = tb[RTA_MARK] ? nla_get_u32(tb[RTA_MARK]) : 0;
	fl.uid = tb[RTA_UID] ? nla_get_u32(tb[RTA_UID]) : 0;
	fl.proto = tb[RTA_IP_PROTO] ? nla_get_u8(tb[RTA_IP_PROTO]) : 0;
	if (tb[RTA_SPORT])
		memcpy(&fl.sport, nla_data(tb[RTA_SPORT]), 2);
	if (tb[RTA_DPORT])
		memcpy(&fl.dport, nla_data(tb[RTA_DPORT]), 2);
	fl.flowlabel = ip6_flowinfo(rtm->rtm_tos, (be32){ 0 });
	cpu_lock(net->cpu);
	rt = fl.iif ? getroute_input(req, &fl, &err) : ip6_route_output(net, &fl, NULL, &err);
	if (rt && rtm->rtm_flags & RTM_F_FIB_MATCH && rt->from)
		err = fib6_dump_info(req->reply, req->portid, req->nlh->nlmsg_seq, RTM_NEWROUTE, 0,
				     rt->from, true);
	else if (rt)
		err = fill_rt6(req->reply, req->portid, req->nlh->nlmsg_seq, 0, rt, &fl.daddr,
			       &fl.saddr, &src, fl.iif);
	ip6_rt_put(rt);
	cpu_unlock(net->cpu);
	return err;
}

/* args[6]: entries that are out already. */
int rt6_dump_exceptions(struct nl_msg *msg, struct netlink_callback *cb)
{
	struct netns_ipv6 *ip6 = cb->net->ipv6;
	u64 i = 0;

	for (u32 b = 0; ip6->rt6_exceptions && b < EXCEPTION_BUCKETS; b++) {
		struct rt6_exception *e;

		hlist_for_each_entry(e, &ip6->rt6_exceptions[b], node) {
			if (i++ < cb->args[6] || !e->rt || !rt6_valid(e->rt))
				continue;
			if (fill_rt6(msg, cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI, e->rt,
				     &e->daddr, NULL, NULL, 0)) {
				cb->args[6] = i - 1;
				return 1;
			}
		}
	}
	return 0;
}
