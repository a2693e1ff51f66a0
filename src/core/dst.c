/* SPDX-License-Identifier: BSD-2-Clause */
/* dst.c - references to destinations; the two that discard. Theory of operation: dst.h. Locking: the cpu lock. */
#include "core/dst.h"

#include "core/neighbour.h"
#include "core/netdevice.h"

void dst_init(struct dst_entry *dst, const struct dst_ops *ops, struct net_device *dev)
{
	memset(dst, 0, sizeof(*dst));
	dst->ops = ops;
	dst->dev = dev;
	dst->input = dst_discard;
	dst->output = dst_discard_out;
	dst->refcount = 1;
	if (dev) {
		dev_hold(dev);
		dst->lastuse = dev->cpu->now;
	}
}

void dst_destroy(struct dst_entry *dst)
{
	struct net_device *dev = dst->dev;
	struct neighbour *n = dst->neigh;

	dst->ops->destroy(dst);
	if (n)
		neigh_release(n);
	if (dev)
		dev_put(dev);
}

u32 dst_metric_advmss(const struct dst_entry *dst)
{
	u32 advmss = dst_metric(dst, DST_METRIC_ADVMSS);

	return advmss ? advmss : dst->ops->default_advmss(dst);
}

int dst_discard_out(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	kfree_skb_reason(skb, SKB_DROP_DST_DISCARD);
	return 0;
}

int dst_discard(struct sk_buff *skb)
{
	kfree_skb_reason(skb, SKB_DROP_DST_DISCARD);
	return 0;
}
