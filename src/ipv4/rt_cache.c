/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rt_cache.c - destinations in use: the answer of a route lookup, found again without the FIB
 *
 * Theory of operation
 *   A lookup walks tables and tries, chooses a source address or checks one, and ends at an rtable. What it depends on is a
 *   struct rt_cache_key; the cache maps keys to answers, for packets sent and received alike. Answers are small: rtables are shared by
 *   all destinations of a next hop (route.c), so that an entry is 48 octets and costs no allocation of its own.
 *
 *   The table is a hash of sets of four entries. It is made with the first lookup and doubles when an entry that is in use would have to
 *   give way, up to RT_CACHE_MAX_BITS and to max_size entries; from then on the least recently used of a set gives way, so that a
 *   scan of the whole address space costs its own packets a FIB lookup, and nothing else. Every gc_interval what was not
 *   used for gc_timeout goes; an empty table is freed and its timer sleeps: an idle net holds nothing.
 *
 * Invariants
 *   An entry never outlives what it says: it is good while its rtable is (rt_valid: generation of routes, expiry) and while nothing was
 *   learnt about its destination that a shared rtable does not know (rt_exc_fresh). Groups and broadcasts are not kept: what they say
 *   depends on memberships.
 *   A key must name everything a lookup looks at. While policy rules look at more (protocol, ports, users), whoever asks does without
 *   the cache (fib_rules.need_l4, need_uid).
 * Locking: the cpu lock.
 */
#include "ipv4/rt_cache.h"

#include <stdlib.h>

#include "ipv4/ipv4_internal.h"
#include "ipv4/rt_exception.h"
#include "lib/hash.h"

#define RT_CACHE_WAYS       4u
#define RT_CACHE_MIN_BITS   2
#define RT_CACHE_MAX_BITS   14 /* 65,536 entries, 3 MiB */
#define RT_CACHE_TICK_SHIFT 30 /* lastuse counts about seconds */

static u32 cache_ticks(u64 ns)
{
	return (u32)(ns >> RT_CACHE_TICK_SHIFT);
}

static struct rt_cache_entry *cache_set(const struct rt_cache *c, const struct net *net,
					const struct rt_cache_key *key)
{
	u32 rest = key->mark ^ (u32)key->tos << 24 ^ (u32)key->flags << 16 ^ (u32)key->scope << 8 ^
		   key->input;
	u32 h = jhash_3words(key->daddr.v, key->saddr.v, key->ifindex ^ rest * 0x9e3779b1u,
			     (u32)net->machine->hash_seed[0]);

	return &c->slots[(h & ((1u << c->bits) - 1)) * RT_CACHE_WAYS];
}

static bool key_equal(const struct rt_cache_key *a, const struct rt_cache_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void entry_drop(struct rt_cache *c, struct rt_cache_entry *e)
{
	struct rtable *rt = e->rt;

	e->rt = NULL;
	c->used--;
	ip_rt_put(rt);
}

static bool entry_good(struct net *net, struct rt_cache_entry *e)
{
	return rt_valid(e->rt) && rt_exc_fresh(net, e->rt, e->key.daddr, &e->exc_seq);
}

struct rt_cache_entry *rt_cache_find(struct net *net, const struct rt_cache_key *key)
{
	struct rt_cache *c = &net->ipv4->rt_cache;
	struct rt_cache_entry *e;

	if (unlikely(!c->slots))
		return NULL;
	e = cache_set(c, net, key);
	for (u32 i = 0; i < RT_CACHE_WAYS; i++, e++) {
		if (!e->rt || !key_equal(&e->key, key))
			continue;
		if (likely(entry_good(net, e))) {
			e->lastuse = cache_ticks(net_now(net));
			return e;
		}
		entry_drop(c, e);
		return NULL;
	}
	return NULL;
}

/* ---- room ------------------------------------------------------------------------------------------------ */

static bool entry_idle(struct net *net, const struct rt_cache_entry *e)
{
	return !rt_valid(e->rt) ||
	       cache_ticks(net_now(net)) - e->lastuse > cache_ticks(net->ipv4->rt_cache.gc_timeout);
}

static void cache_collect(struct net *net)
{
	struct rt_cache *c = &net->ipv4->rt_cache;

	c->last_gc = net_now(net);
	for (u32 i = 0; c->used && i < RT_CACHE_WAYS << c->bits; i++) {
		if (c->slots[i].rt && entry_idle(net, &c->slots[i])) {
			c->stat.gc_total++;
			entry_drop(c, &c->slots[i]);
		}
	}
}

static void cache_gc(struct cpu *cpu, struct timer_list *t)
{
	struct rt_cache *c = container_of(t, struct rt_cache, gc_timer);
	struct netns_ipv4 *ip4 = container_of(c, struct netns_ipv4, rt_cache);

	cache_collect(ip4->net);
	if (c->used)
		mod_timer(cpu, t, cpu->now + max(c->gc_interval, (u64)NSEC_PER_SEC));
	else
		rt_cache_clear(ip4->net);
}

/* Twice the sets (or the first). False: no memory, or it is big enough. */
static bool cache_grow(struct net *net)
{
	struct rt_cache *c = &net->ipv4->rt_cache;
	struct rt_cache_entry *old = c->slots;
	u32 old_count = old ? RT_CACHE_WAYS << c->bits : 0;
	u8 bits = old ? (u8)(c->bits + 1) : RT_CACHE_MIN_BITS;
	struct rt_cache_entry *slots;

	if (bits > RT_CACHE_MAX_BITS)
		return false;
	slots = calloc(RT_CACHE_WAYS << bits, sizeof(*slots));
	if (!slots)
		return false;
	c->slots = slots;
	c->bits = bits;
	/* A set of the old table becomes two: there is room for each. */
	for (u32 i = 0; i < old_count; i++) {
		struct rt_cache_entry *to;

		if (!old[i].rt)
			continue;
		to = cache_set(c, net, &old[i].key);
		while (to->rt)
			to++;
		*to = old[i];
	}
	free(old);
	if (!timer_pending(&c->gc_timer))
		mod_timer(net->cpu, &c->gc_timer,
			  net_now(net) + max(c->gc_interval, (u64)NSEC_PER_SEC));
	return true;
}

/* A place in the set of @key: a free one, one that nobody uses, or after growing has failed the least recently used. */
static struct rt_cache_entry *cache_place(struct net *net, const struct rt_cache_key *key)
{
	struct rt_cache *c = &net->ipv4->rt_cache;
	struct rt_cache_entry *set, *victim;
	bool grew = true;

	while (grew) {
		set = victim = cache_set(c, net, key);
		for (u32 i = 0; i < RT_CACHE_WAYS; i++) {
			if (!set[i].rt)
				return &set[i];
			if ((s32)(set[i].lastuse - victim->lastuse) < 0)
				victim = &set[i];
		}
		for (u32 i = 0; i < RT_CACHE_WAYS; i++)
			if (entry_idle(net, &set[i]))
				return &set[i];
		grew = c->used < c->max_size && cache_grow(net);
	}
	c->stat.gc_dst_overflow++;
	return victim;
}

void rt_cache_insert(struct net *net, const struct rt_cache_key *key, struct rtable *rt, be32 saddr,
		     int oif)
{
	struct rt_cache *c = &net->ipv4->rt_cache;
	struct rt_cache_entry *e;

	if (!c->max_size || (!c->slots && !cache_grow(net)))
		return;
	if (unlikely(c->used >= c->gc_thresh)) {
		if (net_now(net) - c->last_gc >= c->gc_min_interval)
			cache_collect(net);
		else
			c->stat.gc_ignored++;
	}
	e = cache_place(net, key);
	if (e->rt)
		entry_drop(c, e);
	else if (c->used >= c->max_size) {
		c->stat.gc_dst_overflow++;
		return;
	}
	dst_hold(&rt->dst);
	*e = (struct rt_cache_entry){ .rt = rt,
				      .key = *key,
				      .saddr = saddr,
				      .oif = oif,
				      .lastuse = cache_ticks(net_now(net)) };
	c->used++;
}

void rt_cache_init(struct net *net)
{
	timer_setup(&net->ipv4->rt_cache.gc_timer, cache_gc);
}

void rt_cache_clear(struct net *net)
{
	struct rt_cache *c = &net->ipv4->rt_cache;

	for (u32 i = 0; c->used && i < RT_CACHE_WAYS << c->bits; i++)
		if (c->slots[i].rt)
			entry_drop(c, &c->slots[i]);
	del_timer(&c->gc_timer);
	free(c->slots);
	c->slots = NULL;
	c->bits = 0;
}
