/* SPDX-License-Identifier: BSD-2-Clause */
/* rt_cache.h - the destination cache in front of the FIB. Theory of operation: rt_cache.c. Locking: the cpu lock. */
#ifndef WEIR_IPV4_RT_CACHE_H
#define WEIR_IPV4_RT_CACHE_H

#include "core/timer.h"
#include "lib/types.h"

struct net;
struct rtable;

/* Everything that the answer to a lookup depends on. No padding: keys are compared and hashed as octets. */
struct rt_cache_key {
	be32 daddr, saddr;
	u32 ifindex; /* output: the device asked for, or 0; input: the device of arrival */
	u32 mark;
	u8 tos, scope, flags; /* FLOWI_FLAG_* */
	u8 input;
};
static_assert(sizeof(struct rt_cache_key) == 20, "no padding");

struct rt_cache_entry {
	struct rtable *rt; /* held; NULL: free */
	struct rt_cache_key key;
	be32 saddr;  /* output: the source that was chosen */
	int oif;     /* output: the device that was chosen */
	u32 exc_seq; /* nothing was learnt about daddr up to then: rt_exception.h */
	u32 lastuse; /* RT_CACHE_TICK_SHIFT */
};
static_assert(sizeof(struct rt_cache_entry) <= 48, "a set of four is three lines");

/* Columns of /proc/net/stat/rt_cache, in its order. */
struct rt_cache_stat {
	u32 in_hit, in_slow_tot, in_slow_mc, in_no_route, in_brd, in_martian_dst, in_martian_src;
	u32 out_hit, out_slow_tot, out_slow_mc;
	u32 gc_total, gc_ignored, gc_goal_miss, gc_dst_overflow, in_hlist_search, out_hlist_search;
};

struct rt_cache {
	struct rt_cache_entry *slots; /* NULL: empty */
	u8 bits;                      /* log2 of sets */
	u32 used;
	struct timer_list gc_timer;
	u64 last_gc;
	struct rt_cache_stat stat;
	/* net.ipv4.route.* */
	u32 max_size, gc_thresh;
	u64 gc_timeout, gc_interval, gc_min_interval;
};

void rt_cache_init(struct net *net);
/* The entry of @key if it is still good, NULL otherwise. */
struct rt_cache_entry *rt_cache_find(struct net *net, const struct rt_cache_key *key);
/* Takes a reference of its own to @rt. Having no room is no error: the next packet asks the FIB again. */
void rt_cache_insert(struct net *net, const struct rt_cache_key *key, struct rtable *rt, be32 saddr,
		     int oif);
void rt_cache_clear(struct net *net); /* forgets everything and gives the memory back */

#endif
