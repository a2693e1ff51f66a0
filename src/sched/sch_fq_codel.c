/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_fq_codel.c - fq_codel: flows take turns, and each one's delay is controlled
 *
 * Theory of operation
 *   A packet goes to one of a number of queues by the hash of its flow. Queues that have something are on two lists: new_flows, served first, and
 *   old_flows. The one in front may send as many octets as it has deficit; then it gets another quantum and goes to the end of old_flows
 *   (deficit round robin). So a flow that sends less than its share never waits for the others: it is new each time. One that is
 *   empty goes from new_flows to the end of old_flows once, lest it be new again at once and starve the old.
 *   Within a queue packets leave by CoDel (codel.c).
 *   Over the limit of packets or of memory, the queue with most octets loses up to drop_batch packets, at most half of its octets, at its head.
 * Invariants
 *   A queue with packets is on a list. stats.qlen and stats.backlog are the sums of those of the queues.
 * See RFC 8290, tc-fq_codel(8).
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <stdlib.h>

#include "core/machine.h"
#include "netlink/netlink.h"
#include "sched/codel.h"
#include "sched/sched_internal.h"

#define FQ_CODEL_FLOWS       1024
#define FQ_CODEL_FLOWS_MAX   65536
#define FQ_CODEL_QUANTUM_MIN 256
#define FQ_CODEL_LIMIT       10240
#define FQ_CODEL_MEMORY      (32u << 20)
#define FQ_CODEL_DROP_BATCH  64

struct fq_codel_flow {
	struct codel_queue queue;
	struct list_head list; /* empty: on none */
	s32 deficit;
};

struct fq_codel_priv {
	struct codel codel;
	struct list_head new_flows, old_flows;
	struct fq_codel_flow *flows;
	u32 nr_flows;
	u32 salt; /* of the hash: RFC 8290 6.2 */

	/* settings; limit is q->limit */
	u32 quantum, memory_limit, drop_batch;

	struct {
		u32 overlimit, overmemory, new_flow;
	} stat;
};

/* ---- in ------------------------------------------------------------------------------------------------ */

/* RFC 8290 4.1.1. A priority that names one of the queues is obeyed. */
static struct fq_codel_flow *fq_codel_classify(struct Qdisc *q, const struct sk_buff *skb)
{
	struct fq_codel_priv *p = qdisc_priv(q);
	u32 minor = TC_H_MIN(skb->priority);

	if (TC_H_MAJ(skb->priority) == q->handle && minor && minor <= p->nr_flows)
		return &p->flows[minor - 1];
	return &p->flows[(u64)skb_flow_hash_salted(skb, p->salt) * p->nr_flows >> 32];
}

static struct fq_codel_flow *fattest(struct list_head *list, struct fq_codel_flow *so_far)
{
	struct fq_codel_flow *f;

	list_for_each_entry(f, list, list) {
		if (f->queue.qlen && (!so_far || f->queue.backlog > so_far->queue.backlog))
			so_far = f;
	}
	return so_far;
}

/* RFC 8290 4.1: there is too much. True: @mine lost something. */
static bool fq_codel_drop(struct Qdisc *q, const struct fq_codel_flow *mine,
			  struct sk_buff **to_free)
{
	struct fq_codel_priv *p = qdisc_priv(q);
	struct fq_codel_flow *f = fattest(&p->old_flows, fattest(&p->new_flows, NULL));
	u32 enough = f->queue.backlog / 2, octets = 0, dropped = 0;

	do {
		struct sk_buff *skb = codel_queue_remove(&p->codel, &f->queue, q);

		octets += QDISC_CB(skb)->pkt_len;
		qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
		dropped++;
	} while (dropped < p->drop_batch && octets < enough);
	f->queue.drops += dropped;
	qdisc_tree_reduce_backlog(q, (s32)dropped, (s32)octets);
	return f == mine;
}

static enum qdisc_verdict fq_codel_enqueue(struct sk_buff *skb, struct Qdisc *q,
					   struct sk_buff **to_free)
{
	struct fq_codel_priv *p = qdisc_priv(q);
	struct fq_codel_flow *f = fq_codel_classify(q, skb);
	bool overmemory, mine;

	codel_queue_add(&p->codel, &f->queue, q, skb);
	if (list_empty(&f->list)) {
		list_add_tail(&f->list, &p->new_flows);
		f->deficit = (s32)p->quantum;
		p->stat.new_flow++;
	}
	overmemory = p->codel.memory > p->memory_limit;
	if (likely(q->stats.qlen <= q->limit && !overmemory))
		return QDISC_OK;
	/* One batch frees half of the fattest at most; of a limit that is smaller than what came, all goes. */
	do {
		u32 drops = q->stats.drops;

		mine = fq_codel_drop(q, f, to_free);
		p->stat.overlimit += q->stats.drops - drops;
		p->stat.overmemory += overmemory ? q->stats.drops - drops : 0;
	} while (q->stats.qlen > q->limit || p->codel.memory > p->memory_limit);
	return mine ? QDISC_CN : QDISC_OK;
}

/* ---- out ----------------------------------------------------------------------------------------------- */

/* The flow whose turn it is; NULL: none has anything. RFC 8290 4.2 */
static struct fq_codel_flow *fq_codel_next_flow(struct fq_codel_priv *p)
{
	for (;;) {
		bool new = !list_empty(&p->new_flows);
		struct list_head *list = new ? &p->new_flows : &p->old_flows;
		struct fq_codel_flow *f =
			list_first_entry_or_null(list, struct fq_codel_flow, list);

		if (!f || f->deficit > 0)
			return f;
		f->deficit += (s32)p->quantum;
		list_del(&f->list);
		list_add_tail(&f->list, &p->old_flows);
	}
}

static struct sk_buff *fq_codel_dequeue(struct Qdisc *q)
{
	struct fq_codel_priv *p = qdisc_priv(q);
	struct fq_codel_flow *f;

	while ((f = fq_codel_next_flow(p))) {
		bool new = p->new_flows.next == &f->list;
		struct sk_buff *skb = codel_dequeue(&p->codel, &f->queue, q);

		if (skb) {
			f->deficit -= (s32)QDISC_CB(skb)->pkt_len;
			return skb;
		}
		list_del(&f->list);
		if (new && !list_empty(&p->old_flows))
			list_add_tail(&f->list, &p->old_flows);
	}
	return NULL;
}

static void fq_codel_reset(struct Qdisc *q)
{
	struct fq_codel_priv *p = qdisc_priv(q);

	for (u32 i = 0; i < p->nr_flows; i++) {
		codel_queue_reset(&p->flows[i].queue);
		list_del(&p->flows[i].list);
	}
	p->codel.memory = 0;
}

static void fq_codel_destroy(struct Qdisc *q)
{
	free(((struct fq_codel_priv *)qdisc_priv(q))->flows);
}

/* ---- settings ------------------------------------------------------------------------------------------ */

static const struct nla_policy fq_codel_policy[TCA_FQ_CODEL_MAX + 1] = {
	[TCA_FQ_CODEL_TARGET] = { NLA_K_U32, .help = "us that a packet may wait for long" },
	[TCA_FQ_CODEL_LIMIT] = { NLA_K_U32, .help = "most packets" },
	[TCA_FQ_CODEL_INTERVAL] = { NLA_K_U32, .help = "us: about the longest round trip" },
	[TCA_FQ_CODEL_ECN] = { NLA_K_U32, .help = "marks instead of drops?" },
	[TCA_FQ_CODEL_FLOWS] = { NLA_K_U32, .min = 1, .max = FQ_CODEL_FLOWS_MAX,
				 .help = "queues; when it is made" },
	[TCA_FQ_CODEL_QUANTUM] = { NLA_K_U32, .max = FQ_CODEL_QUANTUM_MAX,
				   .help = "octets a turn" },
	[TCA_FQ_CODEL_CE_THRESHOLD] = { NLA_K_U32, .help = "us of waiting that give a mark" },
	[TCA_FQ_CODEL_DROP_BATCH_SIZE] = { NLA_K_U32, .help = "most that a queue loses at once" },
	[TCA_FQ_CODEL_MEMORY_LIMIT] = { NLA_K_U32, .help = "most octets of memory" },
	[TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR] = { NLA_K_U8,
						 .help = "ce_threshold: masked DS field" },
	[TCA_FQ_CODEL_CE_THRESHOLD_MASK] = { NLA_K_U8, .help = "ce_threshold: mask; 0: all" },
};

static void fq_codel_set(struct Qdisc *q, const struct nlattr **tb)
{
	struct fq_codel_priv *p = qdisc_priv(q);
	const struct {
		int attr;
		u32 *word; /* or: */
		u64 *us;
		u8 *octet;
	} rows[] = {
		{ TCA_FQ_CODEL_LIMIT, .word = &q->limit },
		{ TCA_FQ_CODEL_FLOWS, .word = &p->nr_flows },
		{ TCA_FQ_CODEL_QUANTUM, .word = &p->quantum },
		{ TCA_FQ_CODEL_DROP_BATCH_SIZE, .word = &p->drop_batch },
		{ TCA_FQ_CODEL_MEMORY_LIMIT, .word = &p->memory_limit },
		{ TCA_FQ_CODEL_TARGET, .us = &p->codel.target_ns },
		{ TCA_FQ_CODEL_INTERVAL, .us = &p->codel.interval_ns },
		{ TCA_FQ_CODEL_CE_THRESHOLD, .us = &p->codel.ce_threshold_ns },
		{ TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR, .octet = &p->codel.ce_selector },
		{ TCA_FQ_CODEL_CE_THRESHOLD_MASK, .octet = &p->codel.ce_mask },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct nlattr *a = tb[rows[i].attr];

		if (!a)
			continue;
		if (rows[i].word)
			*rows[i].word = nla_get_u32(a);
		else if (rows[i].us)
			*rows[i].us = nla_get_u32(a) * NSEC_PER_USEC;
		else
			*rows[i].octet = nla_get_u8(a);
	}
	if (tb[TCA_FQ_CODEL_ECN])
		p->codel.ecn = nla_get_u32(tb[TCA_FQ_CODEL_ECN]) != 0;
	p->quantum = max(p->quantum, (u32)FQ_CODEL_QUANTUM_MIN);
	p->drop_batch = max(p->drop_batch, 1u);
	qdisc_set_bypass(q, q->limit >= 1);
}

/* A limit is lower now. */
static void fq_codel_trim(struct Qdisc *q)
{
	struct fq_codel_priv *p = qdisc_priv(q);
	struct sk_buff *gone = NULL;

	while (q->stats.qlen > q->limit || p->codel.memory > p->memory_limit)
		fq_codel_drop(q, NULL, &gone);
	while (gone) {
		struct sk_buff *skb = gone;

		gone = skb->next;
		skb->next = NULL;
		kfree_skb_reason(skb, SKB_DROP_QDISC_FULL);
	}
}

static int fq_codel_change(struct Qdisc *q, const struct nlattr *opt,
			   struct netlink_ext_ack *extack)
{
	const struct fq_codel_priv *p = qdisc_priv(q);
	const struct nlattr *tb[TCA_FQ_CODEL_MAX + 1];
	int err = nla_parse_nested(tb, TCA_FQ_CODEL_MAX, opt, fq_codel_policy, extack);

	if (err)
		return err == -ERANGE ? -EINVAL : err;
	if (p->flows && tb[TCA_FQ_CODEL_FLOWS]) {
		nl_set_err_msg(extack, "the number of flows is fixed when the qdisc is made");
		return -EINVAL;
	}
	fq_codel_set(q, tb);
	if (p->flows)
		fq_codel_trim(q);
	return 0;
}

static int fq_codel_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct net_device *dev = qdisc_dev(q);
	struct fq_codel_priv *p = qdisc_priv(q);
	int err;

	codel_setup(&p->codel, dev, true);
	list_init(&p->new_flows);
	list_init(&p->old_flows);
	p->salt = (u32)cpu_random(dev->cpu);
	q->limit = FQ_CODEL_LIMIT;
	p->nr_flows = FQ_CODEL_FLOWS;
	p->quantum = dev->mtu + dev->hard_header_len;
	p->memory_limit = FQ_CODEL_MEMORY;
	p->drop_batch = FQ_CODEL_DROP_BATCH;
	qdisc_set_bypass(q, true);
	err = opt ? fq_codel_change(q, opt, extack) : 0;
	if (err)
		return err;
	p->flows = calloc(p->nr_flows, sizeof(*p->flows));
	if (!p->flows)
		return -ENOMEM;
	for (u32 i = 0; i < p->nr_flows; i++)
		list_init(&p->flows[i].list);
	return 0;
}

static int fq_codel_dump(struct Qdisc *q, struct nl_msg *m)
{
	const struct fq_codel_priv *p = qdisc_priv(q);

	nla_put_u32(m, TCA_FQ_CODEL_TARGET, codel_us(p->codel.target_ns));
	nla_put_u32(m, TCA_FQ_CODEL_LIMIT, q->limit);
	nla_put_u32(m, TCA_FQ_CODEL_INTERVAL, codel_us(p->codel.interval_ns));
	nla_put_u32(m, TCA_FQ_CODEL_ECN, p->codel.ecn);
	nla_put_u32(m, TCA_FQ_CODEL_QUANTUM, p->quantum);
	nla_put_u32(m, TCA_FQ_CODEL_DROP_BATCH_SIZE, p->drop_batch);
	nla_put_u32(m, TCA_FQ_CODEL_MEMORY_LIMIT, p->memory_limit);
	nla_put_u32(m, TCA_FQ_CODEL_FLOWS, p->nr_flows);
	if (p->codel.ce_threshold_ns != CODEL_NO_CE_THRESHOLD) {
		nla_put_u32(m, TCA_FQ_CODEL_CE_THRESHOLD, codel_us(p->codel.ce_threshold_ns));
		nla_put_u8(m, TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR, p->codel.ce_selector);
		nla_put_u8(m, TCA_FQ_CODEL_CE_THRESHOLD_MASK, p->codel.ce_mask);
	}
	return 0;
}

static u32 list_length(const struct list_head *list)
{
	u32 n = 0;

	for (const struct list_head *at = list->next; at != list; at = at->next)
		n++;
	return n;
}

static int fq_codel_dump_stats(struct Qdisc *q, struct nl_msg *m)
{
	const struct fq_codel_priv *p = qdisc_priv(q);
	struct tc_fq_codel_xstats s = {
		.type = TCA_FQ_CODEL_XSTATS_QDISC,
		.qdisc_stats = { .maxpacket = p->codel.maxpacket,
				 .drop_overlimit = p->stat.overlimit,
				 .ecn_mark = p->codel.ecn_mark,
				 .new_flow_count = p->stat.new_flow,
				 .new_flows_len = list_length(&p->new_flows),
				 .old_flows_len = list_length(&p->old_flows),
				 .ce_mark = p->codel.ce_mark,
				 .memory_usage = p->codel.memory,
				 .drop_overmemory = p->stat.overmemory },
	};

	nla_put(m, TCA_STATS_APP, sizeof(s), &s);
	return 0;
}

/* ---- classes: the queues that have something, to be looked at only ----------------------------------------- */

static unsigned long fq_codel_find(struct Qdisc *q, u32 classid)
{
	return 0;
}

static void fq_codel_walk(struct Qdisc *q, struct qdisc_walker *w)
{
	const struct fq_codel_priv *p = qdisc_priv(q);

	for (u32 i = 0; i < p->nr_flows; i++) {
		if (list_empty(&p->flows[i].list))
			w->count++;
		else if (!qdisc_walk_step(q, i + 1, w))
			return;
	}
}

static int fq_codel_dump_class(struct Qdisc *q, unsigned long cl, struct nl_msg *m,
			       struct tcmsg *tcm)
{
	tcm->tcm_handle |= TC_H_MIN(cl);
	return 0;
}

static int fq_codel_dump_class_stats(struct Qdisc *q, unsigned long cl, struct nl_msg *m)
{
	const struct fq_codel_flow *f = &((struct fq_codel_priv *)qdisc_priv(q))->flows[cl - 1];
	struct gnet_stats_queue queue = { .qlen = f->queue.qlen,
					  .backlog = f->queue.backlog,
					  .drops = f->queue.drops };
	struct tc_fq_codel_xstats s = {
		.type = TCA_FQ_CODEL_XSTATS_CLASS,
		.class_stats = { .deficit = f->deficit,
				 .ldelay = codel_us(f->queue.delay_ns),
				 .count = f->queue.count,
				 .lastcount = f->queue.lastcount,
				 .dropping = f->queue.dropping,
				 .drop_next =
					 codel_drop_next_us(&f->queue, qdisc_dev(q)->cpu->now) },
	};

	nla_put(m, TCA_STATS_QUEUE, sizeof(queue), &queue);
	nla_put(m, TCA_STATS_APP, sizeof(s), &s);
	return 0;
}

static const struct Qdisc_class_ops fq_codel_class_ops = {
	.find = fq_codel_find,
	.walk = fq_codel_walk,
	.dump = fq_codel_dump_class,
	.dump_stats = fq_codel_dump_class_stats,
};

const struct Qdisc_ops fq_codel_qdisc_ops = {
	.id = "fq_codel",
	.priv_size = sizeof(struct fq_codel_priv),
	.cl_ops = &fq_codel_class_ops,
	.enqueue = fq_codel_enqueue,
	.dequeue = fq_codel_dequeue,
	.init = fq_codel_init,
	.change = fq_codel_change,
	.reset = fq_codel_reset,
	.destroy = fq_codel_destroy,
	.dump = fq_codel_dump,
	.dump_stats = fq_codel_dump_stats,
};
