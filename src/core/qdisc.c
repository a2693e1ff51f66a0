/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qdisc.c - the glue between a transmit queue, its discipline and the driver
 *
 * Theory of operation
 *   A netdev_queue has a configured qdisc (qdisc_sleeping) and an active one (qdisc): the same while the device is up and
 *   has carrier, else none. qdisc_run() moves packets from the qdisc to the driver until there are none, the driver is busy or
 *   a quota is used up; for the latter two somebody calls __netif_schedule(), which continues in NET_TX softirq.
 *   A packet that the driver refused waits, validated, in q->gso_skb in front of everything the discipline holds; of a packet that
 *   became several segments it is the segments that were not sent.
 *   An empty, idle discipline with TCQ_F_CAN_BYPASS is passed by: the packet goes to the driver directly.
 * Invariants
 *   One qdisc_run() at a time per qdisc (QDISC_STATE_RUNNING): whoever comes while it runs (a driver that transmits again) only
 *   enqueues. QDISC_STATE_SCHED <=> on softnet->output_queue, which holds a reference.
 *   stats.qlen and stats.backlog are kept by enqueue and dequeue of the discipline; gso_skb counts extra.
 * Locking: the cpu lock.
 */
#include "core/qdisc.h"

#include <errno.h>
#include <stdlib.h>

#define QDISC_RUN_QUOTA 64

/* ---- life ---------------------------------------------------------------------------------------------- */

struct Qdisc *qdisc_create(struct netdev_queue *txq, const struct Qdisc_ops *ops)
{
	size_t size = ALIGN_UP(sizeof(struct Qdisc) + ops->priv_size, CACHE_LINE);
	struct Qdisc *q = aligned_alloc(CACHE_LINE, size);

	if (!q)
		return NULL;
	memset(q, 0, size);
	q->ops = ops;
	q->dev_queue = txq;
	q->refcount = 1;
	skb_queue_head_init(&q->gso_skb);
	if (ops->init && ops->init(q, NULL, NULL)) {
		free(q);
		return NULL;
	}
	return q;
}

void qdisc_reset(struct Qdisc *q)
{
	skb_queue_purge_reason(&q->gso_skb, SKB_DROP_DEV_DOWN);
	q->state &= ~QDISC_STATE_TAPPED;
	if (q->ops->reset)
		q->ops->reset(q);
	q->stats.qlen = 0;
	q->stats.backlog = 0;
}

void qdisc_put(struct Qdisc *q)
{
	if (!q || --q->refcount)
		return;
	qdisc_reset(q);
	if (q->ops->destroy)
		q->ops->destroy(q);
	free(q);
}

/* ---- moving packets ------------------------------------------------------------------------------------ */

void __netif_schedule(struct Qdisc *q)
{
	struct softnet_data *sd = qdisc_dev(q)->cpu->softnet;

	if (q->state & QDISC_STATE_SCHED)
		return;
	q->state |= QDISC_STATE_SCHED;
	q->refcount++;
	q->next_sched = NULL;
	*sd->output_queue_tailp = q;
	sd->output_queue_tailp = &q->next_sched;
	raise_softirq(qdisc_dev(q)->cpu, NET_TX_SOFTIRQ);
}

/* Keeps what the driver did not take (a ->next list) for later, in front. @seen: taps have seen the first. */
static void qdisc_requeue(struct Qdisc *q, struct sk_buff *skb, bool seen)
{
	struct sk_buff *prev = (struct sk_buff *)&q->gso_skb;

	while (skb) {
		struct sk_buff *next = skb->next;

		skb_queue_after(&q->gso_skb, prev, skb);
		q->stats.requeues++;
		prev = skb;
		skb = next;
	}
	if (seen)
		q->state |= QDISC_STATE_TAPPED;
	else
		q->state &= ~QDISC_STATE_TAPPED;
}

/* Sends @skb (consumes it, or requeues what is left). @valid: it has been through validate_xmit_skb(). True: the driver took all. */
static bool sch_direct_xmit(struct Qdisc *q, struct sk_buff *skb, struct net_device *dev,
			    struct netdev_queue *txq, bool valid)
{
	bool tapped = valid && q->state & QDISC_STATE_TAPPED;
	enum netdev_tx ret = NETDEV_TX_BUSY;
	struct sk_buff *left = skb;

	if (!valid) {
		left = validate_xmit_skb(skb, dev);
		if (!left)
			return true;
	} else {
		q->state &= ~QDISC_STATE_TAPPED;
	}
	if (netif_xmit_stopped(txq)) {
		qdisc_requeue(q, left, tapped);
		return false;
	}
	left = __dev_hard_start_xmit(left, dev, txq, tapped, &ret);
	if (likely(!left))
		return true;
	/* BUSY: the driver refused @left after taps had seen it. */
	qdisc_requeue(q, left, ret == NETDEV_TX_BUSY);
	return false;
}

/* One packet. False: nothing to send, or the driver is busy. */
static bool qdisc_restart(struct Qdisc *q, struct net_device *dev, struct netdev_queue *txq)
{
	struct sk_buff *skb;

	if (netif_xmit_stopped(txq))
		return false;
	skb = skb_dequeue(&q->gso_skb);
	if (unlikely(skb))
		return sch_direct_xmit(q, skb, dev, txq, true);
	skb = q->ops->dequeue(q);
	if (!skb)
		return false;
	q->stats.packets++;
	q->stats.bytes += QDISC_CB(skb)->pkt_len;
	trace_skb(skb, dev->net, TP_qdisc_dequeue, TRACE_PASS, q->stats.qlen,
		  dev->cpu->now - QDISC_CB(skb)->enqueued);
	return sch_direct_xmit(q, skb, dev, txq, false);
}

static bool qdisc_idle(const struct Qdisc *q)
{
	return !q->stats.qlen && skb_queue_empty(&q->gso_skb);
}

void qdisc_run(struct Qdisc *q)
{
	struct netdev_queue *txq = q->dev_queue;
	struct net_device *dev = txq->dev;
	int quota = QDISC_RUN_QUOTA;

	if (q->state & (QDISC_STATE_RUNNING | QDISC_STATE_DEACTIVATED))
		return;
	q->state |= QDISC_STATE_RUNNING;
	q->refcount++; /* the driver may bring the device down */
	while (qdisc_restart(q, dev, txq)) {
		if (q->state & QDISC_STATE_DEACTIVATED)
			break;
		if (--quota <= 0) {
			__netif_schedule(q);
			break;
		}
	}
	q->state &= ~QDISC_STATE_RUNNING;
	/* A driver that says BUSY without stopping its queue gives no later signal: ask it again. */
	if (!(q->state & (QDISC_STATE_DEACTIVATED | QDISC_STATE_SCHED)) &&
	    !skb_queue_empty(&q->gso_skb) && !netif_xmit_stopped(txq))
		__netif_schedule(q);
	qdisc_put(q);
}

static void free_dropped(struct sk_buff *skb, struct net_device *dev)
{
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, QDISC_CB(skb)->reason ? QDISC_CB(skb)->reason
							    : SKB_DROP_QDISC_FULL);
		skb = next;
	}
}

int qdisc_xmit_skb(struct sk_buff *skb, struct Qdisc *q, struct net_device *dev,
		   struct netdev_queue *txq)
{
	struct sk_buff *to_free = NULL;
	enum qdisc_verdict verdict;
	u32 len = skb->len;

	if ((q->flags & TCQ_F_CAN_BYPASS) && qdisc_idle(q) && !(q->state & QDISC_STATE_RUNNING)) {
		q->stats.packets++;
		q->stats.bytes += len;
		q->state |= QDISC_STATE_RUNNING;
		q->refcount++;
		sch_direct_xmit(q, skb, dev, txq, false);
		q->state &= ~QDISC_STATE_RUNNING;
		if (!qdisc_idle(q))
			qdisc_run(q);
		qdisc_put(q);
		return 0;
	}

	QDISC_CB(skb)->enqueued = dev->cpu->now;
	QDISC_CB(skb)->pkt_len = len;
	QDISC_CB(skb)->reason = 0;
	trace_skb(skb, dev->net, TP_qdisc_enqueue, TRACE_QUEUED, q->stats.qlen, 0);
	verdict = q->ops->enqueue(skb, q, &to_free);
	qdisc_run(q);
	if (unlikely(to_free))
		free_dropped(to_free, dev);
	return verdict == QDISC_DROP ? -ENOBUFS : 0;
}

/* ---- device up and down -------------------------------------------------------------------------------- */

/* The driver's chance when a queue has been stopped for too long. */
static void dev_watchdog(struct cpu *cpu, struct timer_list *t)
{
	struct net_device *dev = container_of(t, struct net_device, watchdog_timer);

	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];

		if (netif_xmit_stopped(txq) && cpu->now - txq->trans_start >= dev->watchdog_timeo) {
			txq->trans_timeout++;
			txq->trans_start = cpu->now;
			if (dev->netdev_ops->ndo_tx_timeout)
				dev->netdev_ops->ndo_tx_timeout(dev, i);
		}
	}
	mod_timer(cpu, t, cpu->now + dev->watchdog_timeo);
}

static const struct Qdisc_ops *default_ops(const struct net_device *dev)
{
	if (dev->default_qdisc)
		return dev->default_qdisc;
	return dev->tx_queue_len ? &pfifo_fast_ops : &noqueue_qdisc_ops;
}

void dev_activate(struct net_device *dev)
{
	bool queues = false;

	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];

		if (!txq->qdisc_sleeping)
			txq->qdisc_sleeping = qdisc_create(txq, default_ops(dev));
		/* Without memory for a queue the device works without one. */
		if (!txq->qdisc_sleeping)
			txq->qdisc_sleeping = qdisc_create(txq, &noqueue_qdisc_ops);
		if (!txq->qdisc_sleeping || !netif_carrier_ok(dev))
			continue;
		txq->qdisc_sleeping->state &= ~QDISC_STATE_DEACTIVATED;
		txq->qdisc = txq->qdisc_sleeping;
		txq->trans_start = dev->cpu->now;
		queues |= !(txq->qdisc->flags & TCQ_F_NOQUEUE);
	}
	if (queues && dev->watchdog_timeo) {
		if (!dev->watchdog_timer.function)
			timer_setup(&dev->watchdog_timer, dev_watchdog);
		mod_timer(dev->cpu, &dev->watchdog_timer, dev->cpu->now + dev->watchdog_timeo);
	}
}

void dev_deactivate(struct net_device *dev)
{
	if (dev->watchdog_timer.function)
		del_timer(&dev->watchdog_timer);
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct Qdisc *q = dev->tx[i].qdisc;

		if (!q)
			continue;
		dev->tx[i].qdisc = NULL;
		q->state |= QDISC_STATE_DEACTIVATED;
		qdisc_reset(q);
	}
}

void dev_shutdown(struct net_device *dev)
{
	dev_deactivate(dev);
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct Qdisc *q = dev->tx[i].qdisc_sleeping;

		dev->tx[i].qdisc_sleeping = NULL;
		if (q)
			q->state |= QDISC_STATE_DEACTIVATED;
		qdisc_put(q);
	}
}
