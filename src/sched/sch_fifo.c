/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_fifo.c - pfifo, bfifo, pfifo_head_drop: first in, first out
 *
 * One queue. What comes when it is full is dropped (pfifo counts packets, bfifo octets), or makes room by dropping the one that has
 * waited longest (pfifo_head_drop). Without an option the limit is the device's tx_queue_len, for bfifo times the size of a frame.
 * See tc-pfifo(8), tc-bfifo(8).
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <linux/pkt_sched.h>

#include "netlink/netlink.h"
#include "sched/sched_internal.h"

struct fifo_priv {
	struct sk_buff_head queue;
};

static u32 frame_size(const struct net_device *dev)
{
	return dev->mtu + dev->hard_header_len;
}

static int fifo_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct tc_fifo_qopt o;

	if (!opt)
		return 0;
	if ((size_t)nla_len(opt) < sizeof(o)) {
		nl_set_err_msg(extack, "the option of a fifo is a struct tc_fifo_qopt");
		return -EINVAL;
	}
	memcpy(&o, nla_data(opt), sizeof(o));
	q->limit = o.limit;
	return 0;
}

/* Going straight to the driver must not let through what the limit would not. */
static int fifo_start(struct Qdisc *q, u32 limit, u32 unit, const struct nlattr *opt,
		      struct netlink_ext_ack *extack)
{
	struct fifo_priv *p = qdisc_priv(q);
	int err;

	skb_queue_head_init(&p->queue);
	q->limit = limit;
	err = fifo_change(q, opt, extack);
	qdisc_set_bypass(q, !err && q->limit >= unit);
	return err;
}

static int pfifo_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	return fifo_start(q, qdisc_dev(q)->tx_queue_len, 1, opt, extack);
}

static int bfifo_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct net_device *dev = qdisc_dev(q);
	u64 limit = (u64)dev->tx_queue_len * frame_size(dev);

	return fifo_start(q, (u32)min(limit, (u64)UINT32_MAX), frame_size(dev), opt, extack);
}

static int fifo_change_unit(struct Qdisc *q, u32 unit, const struct nlattr *opt,
			    struct netlink_ext_ack *extack)
{
	int err = fifo_change(q, opt, extack);

	if (!err)
		qdisc_set_bypass(q, q->limit >= unit);
	return err;
}

static int pfifo_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	return fifo_change_unit(q, 1, opt, extack);
}

static int bfifo_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	return fifo_change_unit(q, frame_size(qdisc_dev(q)), opt, extack);
}

static enum qdisc_verdict fifo_append(struct sk_buff *skb, struct Qdisc *q)
{
	struct fifo_priv *p = qdisc_priv(q);

	skb_queue_tail(&p->queue, skb);
	qdisc_qstats_add(q, skb);
	return QDISC_OK;
}

static enum qdisc_verdict pfifo_enqueue(struct sk_buff *skb, struct Qdisc *q,
					struct sk_buff **to_free)
{
	if (unlikely(q->stats.qlen >= q->limit))
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
	return fifo_append(skb, q);
}

static enum qdisc_verdict bfifo_enqueue(struct sk_buff *skb, struct Qdisc *q,
					struct sk_buff **to_free)
{
	if (unlikely((u64)q->stats.backlog + QDISC_CB(skb)->pkt_len > q->limit))
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
	return fifo_append(skb, q);
}

static struct sk_buff *fifo_dequeue(struct Qdisc *q)
{
	struct fifo_priv *p = qdisc_priv(q);
	struct sk_buff *skb = skb_dequeue(&p->queue);

	if (skb)
		qdisc_qstats_del(q, skb);
	return skb;
}

static enum qdisc_verdict pfifo_head_drop_enqueue(struct sk_buff *skb, struct Qdisc *q,
						  struct sk_buff **to_free)
{
	struct sk_buff *first;
	u32 octets;

	if (likely(q->stats.qlen < q->limit))
		return fifo_append(skb, q);
	first = fifo_dequeue(q);
	if (!first)
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
	octets = QDISC_CB(first)->pkt_len;
	qdisc_drop(first, q, to_free, SKB_DROP_QDISC_FULL);
	fifo_append(skb, q);
	qdisc_tree_reduce_backlog(q, 1, (s32)octets);
	return QDISC_CN;
}

static const struct sk_buff *fifo_peek(struct Qdisc *q)
{
	struct fifo_priv *p = qdisc_priv(q);

	return skb_peek(&p->queue);
}

static void fifo_reset(struct Qdisc *q)
{
	struct fifo_priv *p = qdisc_priv(q);

	skb_queue_purge_reason(&p->queue, SKB_DROP_QDISC_RESET);
}

static u32 fifo_options(const struct Qdisc *q, void *ret)
{
	struct tc_fifo_qopt *o = ret;

	o->limit = q->limit;
	return sizeof(*o);
}

const struct Qdisc_ops pfifo_qdisc_ops = {
	.id = "pfifo",
	.priv_size = sizeof(struct fifo_priv),
	.enqueue = pfifo_enqueue,
	.dequeue = fifo_dequeue,
	.peek = fifo_peek,
	.init = pfifo_init,
	.change = pfifo_change,
	.reset = fifo_reset,
	.options = fifo_options,
};

const struct Qdisc_ops bfifo_qdisc_ops = {
	.id = "bfifo",
	.priv_size = sizeof(struct fifo_priv),
	.enqueue = bfifo_enqueue,
	.dequeue = fifo_dequeue,
	.peek = fifo_peek,
	.init = bfifo_init,
	.change = bfifo_change,
	.reset = fifo_reset,
	.options = fifo_options,
};

const struct Qdisc_ops pfifo_head_drop_qdisc_ops = {
	.id = "pfifo_head_drop",
	.priv_size = sizeof(struct fifo_priv),
	.enqueue = pfifo_head_drop_enqueue,
	.dequeue = fifo_dequeue,
	.peek = fifo_peek,
	.init = pfifo_init,
	.change = pfifo_change,
	.reset = fifo_reset,
	.options = fifo_options,
};
