/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_codel.c - codel: one queue, kept short by dropping or marking at its head
 *
 * The queue and the control law are codel.c's; here are the limit, the settings and what tc(8) sees.
 * See RFC 8289, tc-codel(8).
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>

#include "core/machine.h"
#include "netlink/netlink.h"
#include "sched/codel.h"
#include "sched/sched_internal.h"

struct codel_priv {
	struct codel codel;
	struct codel_queue queue;
	u32 drop_overlimit;
};

static enum qdisc_verdict codel_enqueue(struct sk_buff *skb, struct Qdisc *q,
					struct sk_buff **to_free)
{
	struct codel_priv *p = qdisc_priv(q);

	if (unlikely(q->stats.qlen >= q->limit)) {
		p->drop_overlimit++;
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
	}
	codel_queue_add(&p->codel, &p->queue, q, skb);
	return QDISC_OK;
}

static struct sk_buff *codel_qdisc_dequeue(struct Qdisc *q)
{
	struct codel_priv *p = qdisc_priv(q);

	return codel_dequeue(&p->codel, &p->queue, q);
}

static const struct sk_buff *codel_peek(struct Qdisc *q)
{
	return ((struct codel_priv *)qdisc_priv(q))->queue.head;
}

static void codel_reset(struct Qdisc *q)
{
	struct codel_priv *p = qdisc_priv(q);

	codel_queue_reset(&p->queue);
	p->codel.memory = 0;
}

static const struct nla_policy codel_policy[TCA_CODEL_MAX + 1] = {
	[TCA_CODEL_TARGET] = { NLA_K_U32, .help = "us that a packet may wait for long" },
	[TCA_CODEL_LIMIT] = { NLA_K_U32, .help = "most packets" },
	[TCA_CODEL_INTERVAL] = { NLA_K_U32, .help = "us: about the longest round trip" },
	[TCA_CODEL_ECN] = { NLA_K_U32, .help = "marks instead of drops?" },
	[TCA_CODEL_CE_THRESHOLD] = { NLA_K_U32, .help = "us of waiting that give a mark" },
};

/* The limit is lower now: those that wait longest go. */
static void codel_trim(struct Qdisc *q)
{
	struct codel_priv *p = qdisc_priv(q);
	u32 dropped = 0, octets = 0;

	while (q->stats.qlen > q->limit) {
		struct sk_buff *skb = codel_queue_remove(&p->codel, &p->queue, q);

		octets += QDISC_CB(skb)->pkt_len;
		dropped++;
		q->stats.drops++;
		kfree_skb_reason(skb, SKB_DROP_QDISC_FULL);
	}
	qdisc_tree_reduce_backlog(q, (s32)dropped, (s32)octets);
}

static int codel_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[TCA_CODEL_MAX + 1];
	struct codel_priv *p = qdisc_priv(q);
	int err = nla_parse_nested(tb, TCA_CODEL_MAX, opt, codel_policy, extack);

	if (err)
		return err;
	if (tb[TCA_CODEL_TARGET])
		p->codel.target_ns = nla_get_u32(tb[TCA_CODEL_TARGET]) * NSEC_PER_USEC;
	if (tb[TCA_CODEL_INTERVAL])
		p->codel.interval_ns = nla_get_u32(tb[TCA_CODEL_INTERVAL]) * NSEC_PER_USEC;
	if (tb[TCA_CODEL_CE_THRESHOLD])
		p->codel.ce_threshold_ns = nla_get_u32(tb[TCA_CODEL_CE_THRESHOLD]) * NSEC_PER_USEC;
	if (tb[TCA_CODEL_ECN])
		p->codel.ecn = nla_get_u32(tb[TCA_CODEL_ECN]) != 0;
	if (tb[TCA_CODEL_LIMIT])
		q->limit = nla_get_u32(tb[TCA_CODEL_LIMIT]);
	qdisc_set_bypass(q, q->limit >= 1);
	codel_trim(q);
	return 0;
}

static int codel_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct codel_priv *p = qdisc_priv(q);

	codel_setup(&p->codel, qdisc_dev(q), false);
	q->limit = 1000;
	qdisc_set_bypass(q, true);
	return opt ? codel_change(q, opt, extack) : 0;
}

static int codel_dump(struct Qdisc *q, struct nl_msg *m)
{
	const struct codel *c = &((struct codel_priv *)qdisc_priv(q))->codel;

	nla_put_u32(m, TCA_CODEL_TARGET, codel_us(c->target_ns));
	nla_put_u32(m, TCA_CODEL_LIMIT, q->limit);
	nla_put_u32(m, TCA_CODEL_INTERVAL, codel_us(c->interval_ns));
	nla_put_u32(m, TCA_CODEL_ECN, c->ecn);
	if (c->ce_threshold_ns != CODEL_NO_CE_THRESHOLD)
		nla_put_u32(m, TCA_CODEL_CE_THRESHOLD, codel_us(c->ce_threshold_ns));
	return 0;
}

static int codel_dump_stats(struct Qdisc *q, struct nl_msg *m)
{
	const struct codel_priv *p = qdisc_priv(q);
	struct tc_codel_xstats s = {
		.maxpacket = p->codel.maxpacket,
		.count = p->queue.count,
		.lastcount = p->queue.lastcount,
		.ldelay = codel_us(p->queue.delay_ns),
		.drop_next = codel_drop_next_us(&p->queue, qdisc_dev(q)->cpu->now),
		.drop_overlimit = p->drop_overlimit,
		.ecn_mark = p->codel.ecn_mark,
		.dropping = p->queue.dropping,
		.ce_mark = p->codel.ce_mark,
	};

	nla_put(m, TCA_STATS_APP, sizeof(s), &s);
	return 0;
}

const struct Qdisc_ops codel_qdisc_ops = {
	.id = "codel",
	.priv_size = sizeof(struct codel_priv),
	.enqueue = codel_enqueue,
	.dequeue = codel_qdisc_dequeue,
	.peek = codel_peek,
	.init = codel_init,
	.change = codel_change,
	.reset = codel_reset,
	.dump = codel_dump,
	.dump_stats = codel_dump_stats,
};
