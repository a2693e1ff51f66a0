/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qdisc.c - the glue between a transmit queue, its discipline and the driver
 *
 * Theory of operation
 *   A device has a root qdisc (dev->qdisc): one that was configured and serves all its queues, or defaults, one for each queue. A
 *   netdev_queue has a configured qdisc (qdisc_sleeping) and an active one (qdisc): the same while the device is up and
 *   has carrier, else none. qdisc_run() moves packets from the qdisc to the driver until
 *     there are none,
 *     the driver is busy or has stopped its queue: whoever wakes it calls __netif_schedule(),
 *     the discipline holds them back: its watchdog runs the queue again, in a high-priority tasklet,
 *     somebody else queued one meanwhile (a driver that transmits again): NET_TX softirq goes on, or
 *     a quota is used up: NET_TX softirq goes on.
 *   What waits for one queue goes to the driver in a list as long as the driver has room for (tx_room), so that it rings its card's bell once. Not
 *   longer: what a driver refuses waits in front of everything that comes later, whatever the discipline would say.
 *   These are the control paths of doc/paths.md; q->held remembers which it was, for the trace.
 *   A packet that the driver refused waits, validated, in q->gso_skb in front of everything the discipline holds; of a packet that
 *   became several segments it is the segments that were not sent.
 *   An empty, idle discipline with TCQ_F_CAN_BYPASS is passed by: the packet goes to the driver directly.
 * Invariants
 *   One qdisc_run() at a time per qdisc (QDISC_STATE_RUNNING): whoever comes while it runs only enqueues. QDISC_STATE_SCHED <=> on
 *   softnet->output_queue, which holds a reference. stats.qlen and stats.backlog are kept by enqueue and dequeue of the discipline;
 *   gso_skb counts extra. Besides: dev->qdisc and each queue's qdisc_sleeping hold a reference.
 * Locking: the cpu lock; rtnl too for configuration.
 */
#include "core/qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/net_group.h"

#define QDISC_RUN_QUOTA 64

/* ---- kinds --------------------------------------------------------------------------------------------- */

const struct Qdisc_ops *qdisc_lookup_ops(const struct machine *m, const char *kind)
{
	for (u32 i = 0; i < m->nr_qdisc_kinds; i++) {
		if (!strcmp(m->qdisc_kinds[i]->id, kind))
			return m->qdisc_kinds[i];
	}
	return NULL;
}

int register_qdisc(struct machine *m, const struct Qdisc_ops *ops)
{
	const struct Qdisc_ops **kinds;
	const struct Qdisc_class_ops *cl = ops->cl_ops;

	if (!ops->id || !ops->enqueue || !ops->dequeue ||
	    (cl && !(cl->find && cl->walk && !cl->graft == !cl->leaf)))
		return -EINVAL;
	if (qdisc_lookup_ops(m, ops->id))
		return -EEXIST;
	kinds = realloc(m->qdisc_kinds, (m->nr_qdisc_kinds + 1) * sizeof(*kinds));
	if (!kinds)
		return -ENOMEM;
	m->qdisc_kinds = kinds;
	kinds[m->nr_qdisc_kinds++] = ops;
	return 0;
}

void qdisc_kinds_free(struct machine *m)
{
	free(m->qdisc_kinds);
	m->qdisc_kinds = NULL;
	m->nr_qdisc_kinds = 0;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct Qdisc *qdisc_create(struct netdev_queue *txq, const struct Qdisc_ops *ops, u32 handle,
			   u32 parent, const struct nlattr *opt, struct netlink_ext_ack *extack,
			   int *ret_err)
{
	size_t size = ALIGN_UP(sizeof(struct Qdisc) + ops->priv_size, CACHE_LINE);
	struct Qdisc *q = aligned_alloc(CACHE_LINE, size);

	if (!q) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	memset(q, 0, size);
	q->ops = ops;
	q->dev_queue = txq;
	q->handle = handle;
	q->parent = parent;
	q->refcount = 1;
	if (txq->dev->num_tx_queues == 1)
		q->flags |= TCQ_F_ONETXQUEUE;
	skb_queue_head_init(&q->gso_skb);
	list_init(&q->node);
	*ret_err = ops->init ? ops->init(q, opt, extack) : 0;
	if (*ret_err) {
		free(q);
		return NULL;
	}
	dev_hold(txq->dev);
	if (handle)
		list_add_tail(&q->node, &txq->dev->qdiscs);
	return q;
}

void qdisc_reset(struct Qdisc *q)
{
	skb_queue_purge_reason(&q->gso_skb, SKB_DROP_QDISC_RESET);
	q->state &= ~QDISC_STATE_TAPPED;
	if (q->ops->reset)
		q->ops->reset(q);
	q->stats.qlen = 0;
	q->stats.backlog = 0;
}

void qdisc_put(struct Qdisc *q)
{
	struct net_device *dev;

	if (!q || --q->refcount)
		return;
	dev = qdisc_dev(q);
	qdisc_reset(q);
	if (q->ops->destroy)
		q->ops->destroy(q);
	list_del(&q->node);
	free(q);
	dev_put(dev);
}

struct Qdisc *qdisc_lookup(struct net_device *dev, u32 handle)
{
	struct Qdisc *q;

	if (!handle)
		return NULL;
	list_for_each_entry(q, &dev->qdiscs, node) {
		if (q->handle == handle)
			return q;
	}
	return NULL;
}

void qdisc_tree_reduce_backlog(struct Qdisc *q, s32 packets, s32 octets)
{
	struct net_device *dev = qdisc_dev(q);
	bool empty = !q->stats.qlen;
	u32 parent;

	while (packets && (parent = q->parent) && parent != TC_H_ROOT) {
		const struct Qdisc_class_ops *cl_ops;

		q = qdisc_lookup(dev, TC_H_MAJ(parent));
		if (!q)
			return;
		cl_ops = q->ops->cl_ops;
		if (empty && cl_ops->qlen_notify)
			cl_ops->qlen_notify(q, cl_ops->find(q, parent));
		q->stats.qlen -= (u32)packets;
		q->stats.backlog -= (u32)octets;
		q->stats.drops += (u32)max(packets, 0);
		empty = empty && !q->stats.qlen;
	}
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

static struct netdev_queue *skb_tx_queue(const struct Qdisc *q, const struct sk_buff *skb)
{
	if (likely(q->flags & TCQ_F_ONETXQUEUE))
		return q->dev_queue;
	return &qdisc_dev(q)->tx[skb->queue_mapping];
}

/* Keeps what the driver did not take (a ->next list) for later, in front. @seen: taps have seen the first. */
static void qdisc_requeue(struct Qdisc *q, struct sk_buff *skb, bool seen)
{
	struct sk_buff *prev = (struct sk_buff *)&q->gso_skb;

	while (skb) {
		struct sk_buff *next = skb->next;

		trace_skb(skb, NULL, TP_qdisc_requeue, TRACE_QUEUED, QDISC_HELD_DRIVER, 0);
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

/* Sends the list @skb (consumes it, or requeues what is left). @valid: it has been through validate_xmit_skb(). True: the driver took all. */
static bool sch_direct_xmit(struct Qdisc *q, struct sk_buff *skb, struct net_device *dev,
			    struct netdev_queue *txq, bool valid)
{
	bool tapped = valid && q->state & QDISC_STATE_TAPPED;
	enum netdev_tx ret = NETDEV_TX_BUSY;
	struct sk_buff *left = skb;

	if (!valid) {
		left = validate_xmit_skb_list(skb, dev);
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

/* The next packet of the discipline; NULL: it has none, or lets none go. */
static struct sk_buff *dequeue_one(struct Qdisc *q)
{
	struct net_device *dev = qdisc_dev(q);
	struct sk_buff *skb = q->ops->dequeue(q);

	if (!skb)
		return NULL;
	skb->next = NULL;
	q->stats.packets++;
	q->stats.bytes += QDISC_CB(skb)->pkt_len;
	trace_skb(skb, dev->net, TP_qdisc_dequeue, TRACE_PASS,
		  QDISC_CB(skb)->runs == q->runs ? QDISC_HELD_NOT : q->held,
		  dev->cpu->now - QDISC_CB(skb)->enqueued);
	return skb;
}

/* Behind @skb: what else the driver takes in the same call. Counts *quota down. A big segment may become many packets: it ends the list. */
static void try_bulk_dequeue_skb(struct Qdisc *q, struct sk_buff *skb, int *quota)
{
	u32 room = q->dev_queue->tx_room;

	for (;;) {
		*quota -= 1;
		if (room-- <= 1 || *quota <= 0 || !q->stats.qlen || skb_is_gso(skb))
			return;
		skb->next = dequeue_one(q);
		if (!skb->next)
			return;
		skb = skb->next;
	}
}

/* All that the driver refused before and that is for the queue of the first. */
static struct sk_buff *dequeue_requeued(struct Qdisc *q, int *quota)
{
	struct sk_buff *head = NULL, **tail = &head;

	do {
		struct sk_buff *skb = skb_dequeue(&q->gso_skb);

		trace_skb(skb, qdisc_dev(q)->net, TP_dequeue_skb, TRACE_PASS, q->held, 0);
		skb->next = NULL;
		*tail = skb;
		tail = &skb->next;
		*quota -= 1;
	} while (q->flags & TCQ_F_ONETXQUEUE && !skb_queue_empty(&q->gso_skb));
	return head;
}

/* The next packets (a ->next list): those that the driver refused before, or the discipline's. NULL with *held */
static struct sk_buff *dequeue_skb(struct Qdisc *q, bool *valid, int *quota, enum qdisc_held *held)
{
	struct sk_buff *skb = skb_peek(&q->gso_skb);

	*held = QDISC_HELD_DRIVER;
	if (unlikely(skb)) {
		if (netif_xmit_stopped(skb_tx_queue(q, skb)))
			return NULL;
		*valid = true;
		return dequeue_requeued(q, quota);
	}
	if (q->flags & TCQ_F_ONETXQUEUE && netif_xmit_stopped(q->dev_queue))
		return NULL;
	*valid = false;
	skb = dequeue_one(q);
	if (!skb) {
		*held = q->stats.qlen ? QDISC_HELD_POLICY : QDISC_HELD_NOT;
		return NULL;
	}
	if (q->flags & TCQ_F_ONETXQUEUE)
		try_bulk_dequeue_skb(q, skb, quota);
	else
		*quota -= 1;
	return skb;
}

static bool qdisc_idle(const struct Qdisc *q)
{
	return !q->stats.qlen && skb_queue_empty(&q->gso_skb);
}

/* False: somebody further up this call's stack runs it, and will leave the rest to NET_TX. */
static bool qdisc_run_begin(struct Qdisc *q)
{
	if (unlikely(q->state & QDISC_STATE_RUNNING)) {
		q->state |= QDISC_STATE_MISSED;
		return false;
	}
	q->state |= QDISC_STATE_RUNNING;
	q->refcount++; /* the driver may bring the device down */
	return true;
}

static void qdisc_run_end(struct Qdisc *q, enum qdisc_held held)
{
	u32 missed = q->state & QDISC_STATE_MISSED;
	const struct sk_buff *left = skb_peek(&q->gso_skb);

	q->state &= ~(QDISC_STATE_RUNNING | QDISC_STATE_MISSED);
	q->held = missed ? QDISC_HELD_LOCK : (u8)held;
	q->runs++;
	/* A driver that says BUSY without stopping its queue gives no later signal: ask it again. */
	if (unlikely(missed || (left && !netif_xmit_stopped(skb_tx_queue(q, left)))) &&
	    !(q->state & QDISC_STATE_DEACTIVATED))
		__netif_schedule(q);
	qdisc_put(q);
}

/* Moves packets; between qdisc_run_begin() and qdisc_run_end(). Returns why it has stopped. */
static enum qdisc_held __qdisc_run(struct Qdisc *q)
{
	struct net_device *dev = qdisc_dev(q);
	int quota = QDISC_RUN_QUOTA;

	while (!(q->state & (QDISC_STATE_DEACTIVATED | QDISC_STATE_MISSED))) {
		enum qdisc_held held;
		bool valid;
		struct sk_buff *skb = dequeue_skb(q, &valid, &quota, &held);

		if (!skb)
			return held;
		if (!sch_direct_xmit(q, skb, dev, skb_tx_queue(q, skb), valid))
			return QDISC_HELD_DRIVER;
		if (quota <= 0) {
			__netif_schedule(q);
			return QDISC_HELD_QUOTA;
		}
	}
	return QDISC_HELD_NOT;
}

void qdisc_run(struct Qdisc *q)
{
	if (!(q->state & QDISC_STATE_DEACTIVATED) && qdisc_run_begin(q))
		qdisc_run_end(q, __qdisc_run(q));
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

	if ((q->flags & TCQ_F_CAN_BYPASS) && qdisc_idle(q) && qdisc_run_begin(q)) {
		enum qdisc_held held = QDISC_HELD_DRIVER;

		q->stats.packets++;
		q->stats.bytes += len;
		if (sch_direct_xmit(q, skb, dev, txq, false))
			held = qdisc_idle(q) ? QDISC_HELD_NOT : __qdisc_run(q);
		qdisc_run_end(q, held);
		return 0;
	}

	QDISC_CB(skb)->enqueued = dev->cpu->now;
	QDISC_CB(skb)->pkt_len = len;
	QDISC_CB(skb)->reason = 0;
	QDISC_CB(skb)->runs = q->runs;
	trace_skb(skb, dev->net, TP_qdisc_enqueue, TRACE_QUEUED, q->stats.qlen, 0);
	verdict = q->ops->enqueue(skb, q, &to_free);
	qdisc_run(q);
	if (unlikely(to_free))
		free_dropped(to_free, dev);
	return verdict == QDISC_DROP ? -ENOBUFS : 0;
}

/* ---- holding back -------------------------------------------------------------------------------------- */

static void watchdog_tasklet(struct cpu *cpu, struct tasklet *t)
{
	struct qdisc_watchdog *wd = container_of(t, struct qdisc_watchdog, tasklet);
	struct Qdisc *root = qdisc_root(wd->qdisc);

	if (root)
		qdisc_run(root);
}

/* Not from here: a timer round ends only when all its handlers have run. */
static void watchdog_timer(struct cpu *cpu, struct hrtimer *t)
{
	tasklet_hi_schedule(cpu, &container_of(t, struct qdisc_watchdog, timer)->tasklet);
}

void qdisc_watchdog_init(struct qdisc_watchdog *wd, struct Qdisc *q)
{
	hrtimer_setup(&wd->timer, watchdog_timer);
	list_init(&wd->tasklet.node);
	wd->tasklet.func = watchdog_tasklet;
	wd->qdisc = q;
}

void qdisc_watchdog_schedule_ns(struct qdisc_watchdog *wd, u64 expires)
{
	struct cpu *cpu = qdisc_dev(wd->qdisc)->cpu;

	if (hrtimer_active(&wd->timer) && wd->timer.expires == expires)
		return;
	/* Without memory for a timer the queue is asked again at once, until there is some. */
	if (hrtimer_start(cpu, &wd->timer, expires))
		tasklet_hi_schedule(cpu, &wd->tasklet);
}

void qdisc_watchdog_cancel(struct qdisc_watchdog *wd)
{
	hrtimer_cancel(qdisc_dev(wd->qdisc)->cpu, &wd->timer);
	list_del(&wd->tasklet.node);
}

/* ---- device up and down -------------------------------------------------------------------------------- */

/* What waits longest: the trace of a timeout is about it. */
static const struct sk_buff *qdisc_first(struct Qdisc *q)
{
	const struct sk_buff *skb = skb_peek(&q->gso_skb);

	return skb || !q->ops->peek ? skb : q->ops->peek(q);
}

/* The driver's chance when a queue has been stopped for too long. */
static void dev_watchdog(struct cpu *cpu, struct timer_list *t)
{
	struct net_device *dev = container_of(t, struct net_device, watchdog_timer);

	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];
		const struct sk_buff *skb;

		if (!netif_xmit_stopped(txq) || cpu->now - txq->trans_start < dev->watchdog_timeo)
			continue;
		skb = txq->qdisc ? qdisc_first(txq->qdisc) : NULL;
		if (skb)
			trace_skb(skb, dev->net, TP_dev_watchdog, TRACE_QUEUED, i,
				  (cpu->now - txq->trans_start) / NSEC_PER_MSEC);
		txq->trans_timeout++;
		txq->trans_start = cpu->now;
		if (dev->netdev_ops->ndo_tx_timeout)
			dev->netdev_ops->ndo_tx_timeout(dev, i);
	}
	mod_timer(cpu, t, cpu->now + dev->watchdog_timeo);
}

static const struct Qdisc_ops *default_ops(const struct net_device *dev)
{
	if (dev->default_qdisc)
		return dev->default_qdisc;
	return dev->tx_queue_len ? dev->net->core->default_qdisc : &noqueue_qdisc_ops;
}

static struct Qdisc *default_qdisc(struct netdev_queue *txq)
{
	int err;
	struct Qdisc *q = qdisc_create(txq, default_ops(txq->dev), 0, 0, NULL, NULL, &err);

	/* Without memory for a queue, or if it cannot start, the device works without one. */
	if (!q)
		q = qdisc_create(txq, &noqueue_qdisc_ops, 0, 0, NULL, NULL, &err);
	if (q)
		q->flags |= TCQ_F_ONETXQUEUE;
	return q;
}

/* Defaults where nothing is configured. */
static void attach_default_qdiscs(struct net_device *dev)
{
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		if (!dev->tx[i].qdisc_sleeping)
			dev->tx[i].qdisc_sleeping = default_qdisc(&dev->tx[i]);
	}
	if (!dev->qdisc) {
		dev->qdisc = dev->tx[0].qdisc_sleeping;
		if (dev->qdisc)
			dev->qdisc->refcount++;
	}
}

void dev_activate(struct net_device *dev)
{
	bool queues = false;

	attach_default_qdiscs(dev);
	if (!netif_carrier_ok(dev))
		return;
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct netdev_queue *txq = &dev->tx[i];

		if (!txq->qdisc_sleeping)
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

struct Qdisc *dev_graft_qdisc(struct net_device *dev, struct Qdisc *new)
{
	struct Qdisc *old = dev->qdisc;

	dev_deactivate(dev);
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		qdisc_put(dev->tx[i].qdisc_sleeping);
		dev->tx[i].qdisc_sleeping = new;
		if (new)
			new->refcount++;
	}
	dev->qdisc = new;
	if (netif_running(dev))
		dev_activate(dev);
	net_group_device_watch(dev->net);
	return old;
}

void dev_qdisc_change_tx_queue_len(struct net_device *dev)
{
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct Qdisc *q = dev->tx[i].qdisc_sleeping;

		if (q && q->ops->change_tx_queue_len)
			q->ops->change_tx_queue_len(q, dev->tx_queue_len);
	}
}

void dev_shutdown(struct net_device *dev)
{
	struct Qdisc *root;

	dev_deactivate(dev);
	for (u32 i = 0; i < dev->num_tx_queues; i++) {
		struct Qdisc *q = dev->tx[i].qdisc_sleeping;

		dev->tx[i].qdisc_sleeping = NULL;
		if (q)
			q->state |= QDISC_STATE_DEACTIVATED;
		qdisc_put(q);
	}
	root = dev->qdisc;
	dev->qdisc = NULL;
	qdisc_put(root);
}
