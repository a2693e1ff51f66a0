/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rt_exception.c - what was learnt about single destinations: path MTUs (RFC 1191) and redirects (RFC 1122 3.2.2.2)
 *
 * Theory of operation
 *   Routes are for prefixes, ICMP messages about one destination. What they say is an exception to the route: kept by destination and by
 *   the next hop it was learnt through, so that another route to the same place does not inherit it. Both facts expire on their own
 *   (mtu_expires, gc_timeout). A destination with an exception has rtables of its own (route.c), all others share their next hop's.
 *
 *   Those who keep a shared rtable for some destination (sockets, the destination cache) must notice when an exception to
 *   it appears, and nobody else should be bothered. Each change of an exception therefore bumps a number; whoever keeps an rtable keeps the
 *   number too, and when they differ asks once whether there is an exception for its own destination (rt_exc_fresh). An
 *   exception's own rtables are made obsolete when it changes.
 *
 *   The table is a hash of sets of four, made with the first exception. It grows up to 4,096 entries, then the one that expires first
 *   gives way: strangers can fill it, and must not fill memory. When the last has expired it is freed.
 * Locking: the cpu lock.
 */
#include "ipv4/rt_exception.h"

#include <stdlib.h>

#include "lib/hash.h"

#define RT_EXC_WAYS      4u
#define RT_EXC_MIN_BITS  2
#define RT_EXC_MAX_BITS  10
#define RT_EXC_GC_PERIOD (60 * NSEC_PER_SEC)

static u32 exc_count(const struct rt_exceptions *x)
{
	return x->slots ? RT_EXC_WAYS << x->bits : 0;
}

static struct rt_exception *exc_set(const struct rt_exceptions *x, const struct net *net,
				    be32 daddr)
{
	u32 h = jhash_2words(daddr.v, (u32)net->machine->hash_seed[1], 0);

	return &x->slots[(h & ((1u << x->bits) - 1)) * RT_EXC_WAYS];
}

u64 rt_exc_expires(const struct net *net, const struct rt_exception *e)
{
	u64 until = 0;

	if (e->pmtu)
		until = max(until, e->pmtu_expires);
	if (!be32_zero(e->gw))
		until = max(until, e->gw_expires);
	return until > net_now(net) ? until : 0;
}

/* Whoever holds one of the entry's rtables looks again. */
static void exc_retire_routes(struct rt_exception *e)
{
	struct rtable *out = e->rt_output, *in = e->rt_input;

	e->rt_output = e->rt_input = NULL;
	if (out)
		out->dst.obsolete = 1;
	if (in)
		in->dst.obsolete = 1;
	ip_rt_put(out);
	ip_rt_put(in);
}

static void exc_drop(struct rt_exceptions *x, struct rt_exception *e)
{
	exc_retire_routes(e);
	*e = (struct rt_exception){ 0 };
	x->used--;
}

struct rt_exception *rt_exc_find(struct net *net, be32 daddr, be32 nh_gw, int nh_oif)
{
	struct rt_exceptions *x = &net->ipv4->rt_exc;
	struct rt_exception *e;

	if (likely(!x->used))
		return NULL;
	e = exc_set(x, net, daddr);
	for (u32 i = 0; i < RT_EXC_WAYS; i++, e++)
		if (be32_eq(e->daddr, daddr) && be32_eq(e->nh_gw, nh_gw) && e->nh_oif == nh_oif)
			return rt_exc_expires(net, e) ? e : NULL;
	return NULL;
}

/* ---- room ------------------------------------------------------------------------------------------------ */

static void exc_gc(struct cpu *cpu, struct timer_list *t)
{
	struct rt_exceptions *x = container_of(t, struct rt_exceptions, gc_timer);
	struct netns_ipv4 *ip4 = container_of(x, struct netns_ipv4, rt_exc);

	for (u32 i = 0; i < exc_count(x); i++)
		if (!be32_zero(x->slots[i].daddr) && !rt_exc_expires(ip4->net, &x->slots[i]))
			exc_drop(x, &x->slots[i]);
	if (x->used)
		mod_timer(cpu, t, cpu->now + RT_EXC_GC_PERIOD);
	else
		rt_exc_clear(ip4->net);
}

static bool exc_grow(struct net *net)
{
	struct rt_exceptions *x = &net->ipv4->rt_exc;
	struct rt_exception *old = x->slots, *slots, *to;
	u32 old_count = exc_count(x);
	u8 bits = old ? (u8)(x->bits + 1) : RT_EXC_MIN_BITS;

	if (bits > RT_EXC_MAX_BITS)
		return false;
	slots = calloc(RT_EXC_WAYS << bits, sizeof(*slots));
	if (!slots)
		return false;
	x->slots = slots;
	x->bits = bits;
	for (u32 i = 0; i < old_count; i++) {
		if (be32_zero(old[i].daddr))
			continue;
		to = exc_set(x, net, old[i].daddr);
		while (!be32_zero(to->daddr))
			to++;
		*to = old[i];
	}
	free(old);
	if (!timer_pending(&x->gc_timer))
		mod_timer(net->cpu, &x->gc_timer, net_now(net) + RT_EXC_GC_PERIOD);
	return true;
}

struct rt_exception *rt_exc_get(struct net *net, be32 daddr, be32 nh_gw, int nh_oif)
{
	struct rt_exceptions *x = &net->ipv4->rt_exc;
	struct rt_exception *set, *victim;
	bool grew = true;

	if (!x->slots && !exc_grow(net))
		return NULL;
	set = exc_set(x, net, daddr);
	for (u32 i = 0; i < RT_EXC_WAYS; i++)
		if (be32_eq(set[i].daddr, daddr) && be32_eq(set[i].nh_gw, nh_gw) &&
		    set[i].nh_oif == nh_oif)
			return &set[i];
	while (grew) {
		set = victim = exc_set(x, net, daddr);
		for (u32 i = 0; i < RT_EXC_WAYS; i++) {
			if (be32_zero(victim->daddr))
				break;
			if (be32_zero(set[i].daddr) ||
			    rt_exc_expires(net, &set[i]) < rt_exc_expires(net, victim))
				victim = &set[i];
		}
		if (be32_zero(victim->daddr) || !rt_exc_expires(net, victim))
			break;
		grew = exc_grow(net);
	}
	if (!be32_zero(victim->daddr))
		exc_drop(x, victim);
	*victim = (struct rt_exception){ .daddr = daddr, .nh_gw = nh_gw, .nh_oif = nh_oif };
	x->used++;
	return victim;
}

void rt_exc_changed(struct net *net, struct rt_exception *e)
{
	exc_retire_routes(e);
	/* Zero is what those who have not asked yet keep. */
	if (!++net->ipv4->rt_exc.seq)
		net->ipv4->rt_exc.seq = 1;
}

bool __rt_exc_fresh(struct net *net, const struct rtable *rt, be32 daddr, u32 *seq)
{
	const struct rt_exception *e;

	/* An rtable that is an exception's own is obsolete when that changes; those inside this host have none. */
	if (!rt->rt_exception && rt->fi && rt->dst.dev) {
		e = rt_exc_find(net, daddr, rt->rt_gateway, rt->dst.dev->ifindex);
		if (e)
			return false;
	}
	*seq = net->ipv4->rt_exc.seq;
	return true;
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void rt_exc_drop_routes(struct net *net)
{
	struct rt_exceptions *x = &net->ipv4->rt_exc;

	for (u32 i = 0; i < exc_count(x); i++)
		exc_retire_routes(&x->slots[i]);
}

void rt_exc_clear(struct net *net)
{
	struct rt_exceptions *x = &net->ipv4->rt_exc;

	rt_exc_drop_routes(net);
	del_timer(&x->gc_timer);
	free(x->slots);
	x->slots = NULL;
	x->used = 0;
	x->bits = 0;
}

struct rt_exception *rt_exc_next(struct net *net, u64 *pos)
{
	struct rt_exceptions *x = &net->ipv4->rt_exc;

	while (*pos < exc_count(x)) {
		struct rt_exception *e = &x->slots[(*pos)++];

		if (!be32_zero(e->daddr) && rt_exc_expires(net, e))
			return e;
	}
	return NULL;
}

void rt_exc_init(struct net *net)
{
	net->ipv4->rt_exc.seq = 1;
	timer_setup(&net->ipv4->rt_exc.gc_timer, exc_gc);
}
