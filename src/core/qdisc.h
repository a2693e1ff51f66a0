/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qdisc.h - queueing discipline glue: the queue between the protocols and the driver
 *
 * The core knows noqueue and pfifo_fast; every other discipline is a plug-in under sched/, registered per machine
 * (register_qdisc()). A Qdisc hangs on a netdev_queue, or, as the root of a tree, on all queues of a device. A classful discipline
 * holds others and is asked through its Qdisc_class_ops; only the root is run. All callbacks run with the cpu lock held; those
 * of configuration (init, change, destroy, dump, classes) under rtnl too.
 */
#ifndef WEIR_CORE_QDISC_H
#define WEIR_CORE_QDISC_H

#include "core/netdevice.h"
#include "core/skbuff.h"

struct nlattr;
struct nl_msg;
struct Qdisc;
struct tcmsg;

enum qdisc_verdict {
	QDISC_OK,   /* queued: it counts in the parents, too */
	QDISC_CN,   /* the same, but the sender should slow down (or another packet was dropped) */
	QDISC_DROP, /* put on *to_free by qdisc_drop() */
	QDISC_BYPASS, /* dropped on purpose: do not tell the sender */
};

struct gnet_stats {
	u64 bytes, packets;
	u32 qlen, backlog, drops, requeues, overlimits;
};

struct qdisc_walker {
	int (*fn)(struct Qdisc *q, unsigned long cl, struct qdisc_walker *w); /* < 0: stop */
	int stop, skip, count;
};

/* For walk: calls fn unless the class is to be skipped. False: stop walking. */
static inline bool qdisc_walk_step(struct Qdisc *q, unsigned long cl, struct qdisc_walker *w)
{
	if (w->count >= w->skip && w->fn(q, cl, w) < 0) {
		w->stop = 1;
		return false;
	}
	w->count++;
	return true;
}

/*
 * What a discipline with classes can be asked. A class is an opaque number, 0: none.
 */
struct Qdisc_class_ops {
	/* graft and leaf: both, or neither where find finds none. Makes @new (NULL: the discipline's own default) the leaf of @cl; *ret_old is the caller's, emptied or not. 0 or -errno */
	int (*graft)(struct Qdisc *q, unsigned long cl, struct Qdisc *new, struct Qdisc **ret_old,
		     struct netlink_ext_ack *extack);
	struct Qdisc *(*leaf)(struct Qdisc *q, unsigned long cl);
	unsigned long (*find)(struct Qdisc *q, u32 classid);
	void (*walk)(struct Qdisc *q, struct qdisc_walker *w);
	/* optional: the leaf of @cl became empty by itself */
	void (*qlen_notify)(struct Qdisc *q, unsigned long cl);
	/* optional: creates (*cl 0) or changes a class. @tca: of the message, by TCA_* */
	int (*change)(struct Qdisc *q, u32 classid, u32 parentid, const struct nlattr **tca,
		      unsigned long *cl, struct netlink_ext_ack *extack);
	int (*delete)(struct Qdisc *q, unsigned long cl, struct netlink_ext_ack *extack);
	int (*dump)(struct Qdisc *q, unsigned long cl, struct nl_msg *msg, struct tcmsg *tcm);
	int (*dump_stats)(struct Qdisc *q, unsigned long cl, struct nl_msg *msg);
};

struct Qdisc_ops {
	const char *id; /* "pfifo_fast" */
	u32 priv_size;
	const struct Qdisc_class_ops *cl_ops; /* NULL: classless */
	/* consumes @skb. Drops are chained on *to_free through ->next. */
	enum qdisc_verdict (*enqueue)(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free);
	/* NULL: empty, or nothing may go now; then stats.qlen > 0 and a qdisc_watchdog is armed */
	struct sk_buff *(*dequeue)(struct Qdisc *q);
	const struct sk_buff *(*peek)(struct Qdisc *q); /* borrow */
	/* The rest is optional. @opt: TCA_OPTIONS or NULL */
	int (*init)(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack);
	int (*change)(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack);
	void (*reset)(struct Qdisc *q); /* drops all, with SKB_DROP_QDISC_RESET */
	void (*destroy)(struct Qdisc *q);
	/* TCA_OPTIONS is one structure of at most QDISC_OPTIONS_MAX octets (returns how many), or attributes. */
	u32 (*options)(const struct Qdisc *q, void *ret);
	int (*dump)(struct Qdisc *q, struct nl_msg *msg);
	int (*dump_stats)(struct Qdisc *q, struct nl_msg *msg); /* inside TCA_STATS2 */
	void (*change_tx_queue_len)(struct Qdisc *q, u32 len);
};

#define QDISC_OPTIONS_MAX 64

#define QDISC_STATE_SCHED       1u /* on softnet->output_queue */
#define QDISC_STATE_RUNNING     2u /* somebody moves packets: "the device lock is taken" */
#define QDISC_STATE_DEACTIVATED 4u
#define QDISC_STATE_TAPPED      8u  /* taps have seen the first of gso_skb */
#define QDISC_STATE_MISSED      16u /* somebody came while it ran: NET_TX goes on */
#define TCQ_F_CAN_BYPASS        1u  /* empty and idle: hand to the driver directly */
#define TCQ_F_NOQUEUE           2u
#define TCQ_F_ONETXQUEUE        4u /* all packets go to dev_queue; else to that of skb->queue_mapping */

/* Why what waits in a qdisc waits: the argument "held" of trace points; doc/paths.md */
enum qdisc_held {
	QDISC_HELD_NOT,
	QDISC_HELD_DRIVER, /* the driver was busy or its queue stopped */
	QDISC_HELD_LOCK,   /* the queue was being run when the packet came */
	QDISC_HELD_POLICY, /* the discipline lets nothing go now */
	QDISC_HELD_QUOTA,  /* a run has moved enough */
};

struct Qdisc {
	const struct Qdisc_ops *ops;
	struct netdev_queue *dev_queue; /* of the root of several queues: the first */
	u32 flags;                      /* TCQ_F_* */
	u32 state;
	u32 handle, parent;
	u32 limit;
	u16 runs; /* how often it was run: tells what is sent by the call that queued it */
	u8 held;  /* enum qdisc_held: why the last run ended */
	struct gnet_stats stats;     /* of a tree's root: of the whole tree */
	struct sk_buff_head gso_skb; /* requeued: the driver was busy */
	struct Qdisc *next_sched;
	struct list_head node; /* net_device.qdiscs */
	u32 refcount;
	u8 priv[] __attribute__((aligned(8)));
};

extern const struct Qdisc_ops noqueue_qdisc_ops, pfifo_fast_ops;

struct qdisc_skb_cb { /* skb->cb while a qdisc holds the skb; the discipline's own data follows */
	u64 enqueued; /* ns */
	u32 pkt_len;  /* octets that count */
	skb_drop_reason_t reason;
	u16 runs; /* of the qdisc, then */
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

static inline void qdisc_set_bypass(struct Qdisc *q, bool may)
{
	q->flags &= ~TCQ_F_CAN_BYPASS;
	if (may)
		q->flags |= TCQ_F_CAN_BYPASS;
}

static inline void qdisc_qstats_add(struct Qdisc *q, const struct sk_buff *skb)
{
	q->stats.qlen++;
	q->stats.backlog += QDISC_CB(skb)->pkt_len;
}

static inline void qdisc_qstats_del(struct Qdisc *q, const struct sk_buff *skb)
{
	q->stats.qlen--;
	q->stats.backlog -= QDISC_CB(skb)->pkt_len;
}

/* ---- qdisc.c: kinds; rtnl ---- */
int register_qdisc(struct machine *m,
		   const struct Qdisc_ops *ops); /* 0, -EEXIST, -EINVAL, -ENOMEM */
const struct Qdisc_ops *qdisc_lookup_ops(const struct machine *m, const char *kind);
void qdisc_kinds_free(struct machine *m);

/* ---- life; rtnl and cpu lock ---- */
/* @txq: its only queue, or the first of a root of several queues. NULL with *ret_err */
struct Qdisc *qdisc_create(struct netdev_queue *txq, const struct Qdisc_ops *ops, u32 handle,
			   u32 parent, const struct nlattr *opt, struct netlink_ext_ack *extack,
			   int *ret_err);
void qdisc_put(struct Qdisc *q);
/* The one that @handle names on @dev; NULL: none. Handle 0 belongs to nobody. */
struct Qdisc *qdisc_lookup(struct net_device *dev, u32 handle);
/*
 * Puts @new (takes the reference; NULL: the default) in the place of the root. What waits in the old one is dropped. Returns the
 * old one, whose reference is the caller's; NULL: there was none.
 */
struct Qdisc *dev_graft_qdisc(struct net_device *dev, struct Qdisc *new);
/* Tells the parents of @q that @packets of @octets left it on another way than dequeue; less than 0: became more by themselves. */
void qdisc_tree_reduce_backlog(struct Qdisc *q, s32 packets, s32 octets);
void dev_activate(struct net_device *dev);   /* device is up */
void dev_deactivate(struct net_device *dev); /* purges queues */
void dev_qdisc_change_tx_queue_len(struct net_device *dev);

/* ---- moving packets ---- */
/* Queues or sends at once: the qdisc half of dev_queue_xmit(). Consumes. 0 or -ENOBUFS */
int qdisc_xmit_skb(struct sk_buff *skb, struct Qdisc *q, struct net_device *dev,
		   struct netdev_queue *txq);
/* Empties the queue. */
void qdisc_reset(struct Qdisc *q);
/* Releases all qdiscs of a device that goes away. */
void dev_shutdown(struct net_device *dev);
void __netif_schedule(struct Qdisc *q); /* run it in NET_TX softirq */
/* Sends from the qdisc until it is empty, holds back, the driver is busy or the quota is used. */
void qdisc_run(struct Qdisc *q);

/*
 * For a discipline that holds packets back: runs its root when the time has come, in a high-priority tasklet.
 */
struct qdisc_watchdog {
	struct hrtimer timer;
	struct tasklet tasklet;
	struct Qdisc *qdisc;
};
void qdisc_watchdog_init(struct qdisc_watchdog *wd, struct Qdisc *q);
void qdisc_watchdog_schedule_ns(struct qdisc_watchdog *wd, u64 expires);
void qdisc_watchdog_cancel(struct qdisc_watchdog *wd); /* in reset and destroy */

static inline struct net_device *qdisc_dev(const struct Qdisc *q)
{
	return q->dev_queue->dev;
}

static inline struct Qdisc *qdisc_root(const struct Qdisc *q)
{
	return q->dev_queue->qdisc_sleeping;
}

#endif
