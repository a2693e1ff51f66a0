/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_generic.c - the two disciplines that are always there: noqueue and pfifo_fast
 *
 * pfifo_fast: three first-in first-out bands, 0 served first. The band comes from skb->priority (tc-prio(8); IPv4 derives it
 * from the TOS octet, RFC 1349). The limit counts packets of all bands together and is the device's tx_queue_len; a device
 * without one cannot have this discipline.
 * Locking: the cpu lock.
 */
#include "core/qdisc.h"

#include <errno.h>
#include <linux/pkt_sched.h>

#define PFIFO_FAST_BANDS 3

/* TC_PRIO_* of linux/pkt_sched.h to band, as tc-pfifo_fast(8) prints it. */
static const u8 prio2band[16] = { 1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1 };

struct pfifo_fast_priv {
	struct sk_buff_head band[PFIFO_FAST_BANDS];
	u32 nonempty; /* bit mask of bands */
};

static int pfifo_fast_init(struct Qdisc *q, const struct nlattr *opt,
			   struct netlink_ext_ack *extack)
{
	struct pfifo_fast_priv *p = qdisc_priv(q);

	for (int i = 0; i < PFIFO_FAST_BANDS; i++)
		skb_queue_head_init(&p->band[i]);
	q->flags |= TCQ_F_CAN_BYPASS;
	q->limit = qdisc_dev(q)->tx_queue_len;
	return q->limit ? 0 : -EINVAL;
}

static enum qdisc_verdict pfifo_fast_enqueue(struct sk_buff *skb, struct Qdisc *q,
					     struct sk_buff **to_free)
{
	struct pfifo_fast_priv *p = qdisc_priv(q);
	u8 band = prio2band[skb->priority & 15];

	if (q->stats.qlen >= q->limit)
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
	skb_queue_tail(&p->band[band], skb);
	p->nonempty |= 1u << band;
	qdisc_qstats_add(q, skb);
	return QDISC_OK;
}

static struct sk_buff *pfifo_fast_dequeue(struct Qdisc *q)
{
	struct pfifo_fast_priv *p = qdisc_priv(q);
	struct sk_buff *skb;
	int band;

	if (!p->nonempty)
		return NULL;
	band = __builtin_ctz(p->nonempty);
	skb = skb_dequeue(&p->band[band]);
	if (skb_queue_empty(&p->band[band]))
		p->nonempty &= ~(1u << band);
	qdisc_qstats_del(q, skb);
	return skb;
}

static const struct sk_buff *pfifo_fast_peek(struct Qdisc *q)
{
	struct pfifo_fast_priv *p = qdisc_priv(q);

	return p->nonempty ? skb_peek(&p->band[__builtin_ctz(p->nonempty)]) : NULL;
}

static void pfifo_fast_reset(struct Qdisc *q)
{
	struct pfifo_fast_priv *p = qdisc_priv(q);

	for (int i = 0; i < PFIFO_FAST_BANDS; i++)
		skb_queue_purge_reason(&p->band[i], SKB_DROP_QDISC_RESET);
	p->nonempty = 0;
}

static u32 pfifo_fast_options(const struct Qdisc *q, void *ret)
{
	struct tc_prio_qopt *opt = ret;

	static_assert(sizeof(*opt) <= QDISC_OPTIONS_MAX &&
			      sizeof(opt->priomap) == sizeof(prio2band),
		      "linux/pkt_sched.h");
	opt->bands = PFIFO_FAST_BANDS;
	memcpy(opt->priomap, prio2band, sizeof(prio2band));
	return sizeof(*opt);
}

/* What waits above a lower limit may still leave. */
static void pfifo_fast_change_tx_queue_len(struct Qdisc *q, u32 len)
{
	q->limit = len;
}

const struct Qdisc_ops pfifo_fast_ops = {
	.id = "pfifo_fast",
	.priv_size = sizeof(struct pfifo_fast_priv),
	.enqueue = pfifo_fast_enqueue,
	.dequeue = pfifo_fast_dequeue,
	.peek = pfifo_fast_peek,
	.init = pfifo_fast_init,
	.reset = pfifo_fast_reset,
	.options = pfifo_fast_options,
	.change_tx_queue_len = pfifo_fast_change_tx_queue_len,
};

static int noqueue_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	q->flags |= TCQ_F_NOQUEUE;
	return 0;
}

/* dev_queue_xmit() never calls these: a noqueue device sends or drops at once. */
static enum qdisc_verdict noqueue_enqueue(struct sk_buff *skb, struct Qdisc *q,
					  struct sk_buff **to_free)
{
	return qdisc_drop(skb, q, to_free, SKB_DROP_DEV_TX_FULL);
}

static struct sk_buff *noqueue_dequeue(struct Qdisc *q)
{
	return NULL;
}

const struct Qdisc_ops noqueue_qdisc_ops = {
	.id = "noqueue",
	.enqueue = noqueue_enqueue,
	.dequeue = noqueue_dequeue,
	.init = noqueue_init,
};
