/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qdisc.h - queueing discipline glue: the queue between the protocols and the driver
 *
 * The core knows noqueue and pfifo_fast; every other discipline is a plug-in under sched/, registered per
 * machine. A Qdisc hangs on a netdev_queue. All callbacks run with the cpu lock held unless said otherwise.
 */
#ifndef WEIR_CORE_QDISC_H
#define WEIR_CORE_QDISC_H

#include "core/netdevice.h"
#include "core/skbuff.h"

struct nlattr;
struct nl_msg;
struct Qdisc;

enum qdisc_verdict {
	QDISC_OK,     /* queued */
	QDISC_CN,     /* queued, but the sender should slow down (or another packet was dropped) */
	QDISC_DROP,   /* put on *to_free by qdisc_drop() */
	QDISC_BYPASS, /* dropped on purpose: do not tell the sender */
};

struct gnet_stats {
	u64 bytes, packets;
	u32 qlen, backlog, drops, requeues, overlimits;
};

struct Qdisc_ops {
	const char *id; /* "pfifo_fast" */
	u32 priv_size;
	/* consumes @skb. Drops are chained on *to_free through ->next. */
	enum qdisc_verdict (*enqueue)(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free);
	struct sk_buff *(*dequeue)(struct Qdisc *q);
	const struct sk_buff *(*peek)(struct Qdisc *q); /* borrow */
	int (*init)(struct Qdisc *q, const struct nlattr *opt,
		    struct netlink_ext_ack *extack); /* rtnl too */
	int (*change)(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack);
	void (*reset)(struct Qdisc *q);
	void (*destroy)(struct Qdisc *q);
	int (*dump)(struct Qdisc *q, struct nl_msg *msg);
};

#define QDISC_STATE_SCHED       1u /* on softnet->output_queue */
#define QDISC_STATE_RUNNING     2u
#define QDISC_STATE_DEACTIVATED 4u
#define QDISC_STATE_TAPPED      8u /* taps have seen the first of gso_skb */
#define TCQ_F_CAN_BYPASS        1u /* empty and idle: hand to the driver directly */
#define TCQ_F_NOQUEUE           2u

struct Qdisc {
	const struct Qdisc_ops *ops;
	struct netdev_queue *dev_queue;
	u32 flags; /* TCQ_F_* */
	u32 state;
	u32 handle, parent;
	u32 limit;
	struct gnet_stats stats;
	struct sk_buff_head gso_skb; /* requeued: the driver was busy */
	struct Qdisc *next_sched;
	u32 refcount;
	u8 priv[] __attribute__((aligned(16)));
};

extern const struct Qdisc_ops noqueue_qdisc_ops, pfifo_fast_ops;

struct qdisc_skb_cb { /* skb->cb while a qdisc holds the skb; the discipline's own data follows */
	u64 enqueued; /* ns */
	u32 pkt_len;  /* octets that count */
	skb_drop_reason_t reason;
	u16 pad;
	u8 data[24];
};
static_assert(sizeof(struct qdisc_skb_cb) <= SKB_CB_SIZE, "cb");
#define QDISC_CB(skb) ((struct qdisc_skb_cb *)(skb)->cb)

static inline enum qdisc_verdict qdisc_drop(struct sk_buff *skb, struct Qdisc *q,
					    struct sk_buff **to_free, skb_drop_reason_t reason)
{
	QDISC_CB(skb)->reason = reason;
	q->stats.drops++;
	skb->next = *to_free;
	*to_free = skb;
	return QDISC_DROP;
}

#define qdisc_priv(q) ((void *)(q)->priv)

/* qdisc.c */
struct Qdisc *qdisc_create(struct netdev_queue *txq,
			   const struct Qdisc_ops *ops); /* NULL: no memory */
void qdisc_put(struct Qdisc *q);
void dev_activate(struct net_device *dev);   /* rtnl + cpu lock: device is up */
void dev_deactivate(struct net_device *dev); /* purges queues */
/* Queues or sends at once: the qdisc half of dev_queue_xmit(). Consumes. 0 or -ENOBUFS */
int qdisc_xmit_skb(struct sk_buff *skb, struct Qdisc *q, struct net_device *dev,
		   struct netdev_queue *txq);
/* Empties the queue. */
void qdisc_reset(struct Qdisc *q);
/* Releases all qdiscs of a device that goes away. */
void dev_shutdown(struct net_device *dev);
void __netif_schedule(struct Qdisc *q); /* run it in NET_TX softirq */
/* Sends from the qdisc until it is empty, the driver is busy or the quota is used. */
void qdisc_run(struct Qdisc *q);
static inline struct net_device *qdisc_dev(const struct Qdisc *q)
{
	return q->dev_queue->dev;
}

#endif
