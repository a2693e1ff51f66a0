/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dst.h - where a packet goes next: the result of routing, attached to the packet
 *
 * A dst_entry belongs to a route (struct rtable embeds it). References are plain counts under the cpu lock. A socket
 * caches one and revalidates it with dst_check(): obsolete entries are those whose net has changed its routes since.
 */
#ifndef WEIR_CORE_DST_H
#define WEIR_CORE_DST_H

#include "core/skbuff.h"

struct dst_entry;
struct neighbour;
struct net;
struct net_device;

struct dst_ops {
	u16 family;
	/* The dst if it is still good, else NULL. */
	struct dst_entry *(*check)(struct dst_entry *dst);
	/* The same for a socket that keeps it, which may learn that its own destination is an exception. Optional: check() then. */
	struct dst_entry *(*check_sk)(struct dst_entry *dst, struct sock *sk);
	void (*destroy)(struct dst_entry *dst); /* frees the embedding structure */
	u32 (*mtu)(const struct dst_entry *dst);
	u32 (*default_advmss)(const struct dst_entry *dst);
	/* ICMP said the path takes @mtu only. @sk may be NULL */
	void (*update_pmtu)(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb, u32 mtu,
			    bool confirm);
	void (*redirect)(struct dst_entry *dst, struct sock *sk, struct sk_buff *skb);
	/* The neighbour for the next hop to @daddr (raw octets of the family); held. NULL: no memory. */
	struct neighbour *(*neigh_lookup)(const struct dst_entry *dst, const void *daddr);
	struct sk_buff *(*local_out)(struct net *net, struct sock *sk, struct sk_buff *skb);
};

enum {
	DST_METRIC_MTU,
	DST_METRIC_ADVMSS,
	DST_METRIC_WINDOW,
	DST_METRIC_RTT,
	DST_METRIC_RTTVAR,
	DST_METRIC_SSTHRESH,
	DST_METRIC_CWND,
	DST_METRIC_INITCWND,
	DST_METRIC_INITRWND,
	DST_METRIC_HOPLIMIT,
	DST_METRIC_RTO_MIN,
	DST_METRIC_QUICKACK,
	DST_METRIC_FEATURES,
	DST_METRIC_REORDERING,
	DST_METRIC_FASTOPEN_NO_COOKIE,
	DST_METRIC_CC_ALGO, /* a number that TCP knows a name for: inet/ip_metrics.h */
	NR_DST_METRICS
};

struct dst_entry {
	struct net_device *dev; /* held */
	const struct dst_ops *ops;
	int (*input)(struct sk_buff *skb); /* consumes */
	int (*output)(struct net *net, struct sock *sk,
		      struct sk_buff *skb); /* consumes; 0 or -errno */
	const u32 *metrics;      /* NR_DST_METRICS values, 0: unset; shared with the route */
	struct neighbour *neigh; /* cached next hop, held; NULL: not resolved yet */
	u32 refcount;
	s16 error; /* what lookups through it give */
	s16 obsolete;
	u16 header_len;
	u16 trailer_len;
	u64 lastuse;
	u64 expires; /* ns; 0 never (PMTU exceptions) */
};

void dst_init(struct dst_entry *dst, const struct dst_ops *ops, struct net_device *dev);
static inline void dst_hold(struct dst_entry *dst)
{
	dst->refcount++;
}
void dst_destroy(struct dst_entry *dst);              /* the last reference is gone */
static inline void dst_release(struct dst_entry *dst) /* NULL is fine */
{
	if (!dst)
		return;
	assert(dst->refcount > 0);
	if (--dst->refcount == 0)
		dst_destroy(dst);
}
static inline struct dst_entry *dst_check(struct dst_entry *dst)
{
	return dst->ops->check(dst);
}
static inline u32 dst_mtu(const struct dst_entry *dst)
{
	return dst->ops->mtu(dst);
}
static inline u32 dst_metric(const struct dst_entry *dst, int m)
{
	return dst->metrics ? dst->metrics[m] : 0;
}
u32 dst_metric_advmss(const struct dst_entry *dst);
int dst_discard(struct sk_buff *skb);
int dst_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb);
static inline int dst_input(struct sk_buff *skb)
{
	return skb->dst->input(skb);
}
static inline int dst_output(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	return skb->dst->output(net, sk, skb);
}

#endif
