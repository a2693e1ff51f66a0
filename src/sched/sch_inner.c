/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_inner.c - a discipline that has one other inside, in its only class
 *
 * red decides what gets into the one inside, tbf when something leaves it. There is a bfifo until something else is attached
 * (`tc qdisc add ... parent 1:1`), and after that was deleted; Linux leaves nothing then, and all is dropped. As on Linux any minor number
 * names the class, which calls itself MAJOR:1.
 * What was only looked at waits in front of the inner one, in its gso_skb, until it is taken: it has left its sums, not those of the outer one.
 * Locking: the cpu lock; rtnl too for configuration.
 */
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "core/machine.h"
#include "sched/sched_internal.h"

static struct qdisc_inner *inner_of(const struct Qdisc *q)
{
	return (struct qdisc_inner *)q->priv;
}

static struct Qdisc *create_bfifo(struct Qdisc *q, int *ret_err)
{
	struct Qdisc *fifo = qdisc_create(q->dev_queue, &bfifo_qdisc_ops, 0,
					  TC_H_MAKE(q->handle, 1), NULL, NULL, ret_err);

	if (fifo)
		fifo->limit = inner_of(q)->limit;
	return fifo;
}

int qdisc_inner_init(struct Qdisc *q, u32 limit)
{
	int err = 0;

	inner_of(q)->limit = limit;
	inner_of(q)->q = create_bfifo(q, &err);
	return err;
}

/* A fifo that somebody attached gets it, too, as on Linux: in its own unit. */
void qdisc_inner_set_limit(struct Qdisc *q, u32 limit)
{
	struct Qdisc *in = inner_of(q)->q;

	inner_of(q)->limit = limit;
	if (in->ops == &bfifo_qdisc_ops || in->ops == &pfifo_qdisc_ops)
		in->limit = limit;
}

/* ---- packets --------------------------------------------------------------------------------------------- */

enum qdisc_verdict qdisc_inner_enqueue(struct sk_buff *skb, struct Qdisc *q,
				       struct sk_buff **to_free)
{
	struct Qdisc *in = inner_of(q)->q;
	u32 octets = QDISC_CB(skb)->pkt_len;
	enum qdisc_verdict v = in->ops->enqueue(skb, in, to_free);

	if (unlikely(v == QDISC_DROP)) {
		q->stats.drops++;
	} else if (likely(v != QDISC_BYPASS)) {
		q->stats.qlen++;
		q->stats.backlog += octets;
	}
	return v;
}

const struct sk_buff *qdisc_inner_peek(struct Qdisc *q)
{
	struct Qdisc *in = inner_of(q)->q;
	struct sk_buff *skb = skb_peek(&in->gso_skb);

	if (!skb) {
		skb = in->ops->dequeue(in);
		if (skb)
			skb_queue_tail(&in->gso_skb, skb);
	}
	return skb;
}

struct sk_buff *qdisc_inner_dequeue(struct Qdisc *q)
{
	struct Qdisc *in = inner_of(q)->q;
	struct sk_buff *skb = skb_dequeue(&in->gso_skb);

	if (!skb)
		skb = in->ops->dequeue(in);
	if (!skb)
		return NULL;
	in->stats.packets++;
	in->stats.bytes += QDISC_CB(skb)->pkt_len;
	qdisc_qstats_del(q, skb);
	return skb;
}

void qdisc_inner_reset(struct Qdisc *q)
{
	qdisc_reset(inner_of(q)->q);
}

void qdisc_inner_destroy(struct Qdisc *q)
{
	qdisc_put(inner_of(q)->q);
}

/* ---- the class ------------------------------------------------------------------------------------------- */

static int inner_graft(struct Qdisc *q, unsigned long cl, struct Qdisc *new, struct Qdisc **ret_old,
		       struct netlink_ext_ack *extack)
{
	int err;

	if (!new)
		new = create_bfifo(q, &err);
	if (!new)
		return err;
	*ret_old = inner_of(q)->q;
	inner_of(q)->q = new;
	return 0;
}

static struct Qdisc *inner_leaf(struct Qdisc *q, unsigned long cl)
{
	return inner_of(q)->q;
}

static unsigned long inner_find(struct Qdisc *q, u32 classid)
{
	return 1;
}

static void inner_walk(struct Qdisc *q, struct qdisc_walker *w)
{
	qdisc_walk_step(q, 1, w);
}

static int inner_dump(struct Qdisc *q, unsigned long cl, struct nl_msg *m, struct tcmsg *tcm)
{
	tcm->tcm_handle |= TC_H_MIN(1);
	tcm->tcm_info = inner_of(q)->q->handle;
	return 0;
}

const struct Qdisc_class_ops qdisc_inner_class_ops = {
	.graft = inner_graft,
	.leaf = inner_leaf,
	.find = inner_find,
	.walk = inner_walk,
	.dump = inner_dump,
};
