/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codel.c - controlled delay
 *
 * Theory of operation
 *   What matters is not how much waits but how long: each packet knows when it came (qdisc_skb_cb.enqueued). A burst waits and is gone; a
 *   standing queue is one in which nothing has waited less than the target for a whole interval. Then the discipline enters the dropping
 *   state: it drops one packet, and then more at distances of interval / sqrt(count), until a packet has waited less than the target.
 *   TCP's rate goes with the reciprocal of the square root of its losses, so that this makes it slower steadily. Who comes back to the
 *   dropping state soon goes on about where it was.
 *   With ecn a packet whose sender understands is marked instead, and leaves. Besides, ce_threshold marks all that waited for longer, for senders
 *   like DCTCP that want to know at once; a selector limits that to some of them (RFC 9331: ECT(1)).
 * Invariants
 *   head is NULL <=> qlen is 0. A packet that is dropped here has been taken out of all sums before it is freed.
 * See RFC 8289 5 (the algorithm; names are the RFC's), K. Nichols, V. Jacobson, Controlling Queue Delay, 2012.
 */
#include "sched/codel.h"

#include "core/machine.h"
#include "sched/sched_internal.h"

void codel_setup(struct codel *c, const struct net_device *dev, bool ecn)
{
	/* RFC 8289 4.3, 4.2: TARGET and INTERVAL. */
	*c = (struct codel){ .target_ns = 5 * NSEC_PER_MSEC,
			     .interval_ns = 100 * NSEC_PER_MSEC,
			     .ce_threshold_ns = CODEL_NO_CE_THRESHOLD,
			     .mtu = dev->mtu + dev->hard_header_len,
			     .ecn = ecn };
}

/* ---- the packets ---------------------------------------------------------------------------------------- */

void codel_queue_add(struct codel *c, struct codel_queue *cq, struct Qdisc *q, struct sk_buff *skb)
{
	skb->next = NULL;
	if (cq->head)
		cq->tail->next = skb;
	else
		cq->head = skb;
	cq->tail = skb;
	cq->qlen++;
	cq->backlog += QDISC_CB(skb)->pkt_len;
	c->memory += skb->truesize;
	qdisc_qstats_add(q, skb);
}

struct sk_buff *codel_queue_remove(struct codel *c, struct codel_queue *cq, struct Qdisc *q)
{
	struct sk_buff *skb = cq->head;

	if (!skb)
		return NULL;
	cq->head = skb->next;
	skb->next = skb->prev = NULL;
	cq->qlen--;
	cq->backlog -= QDISC_CB(skb)->pkt_len;
	c->memory -= skb->truesize;
	qdisc_qstats_del(q, skb);
	return skb;
}

void codel_queue_reset(struct codel_queue *cq)
{
	struct sk_buff *skb;

	while ((skb = cq->head)) {
		cq->head = skb->next;
		skb->next = skb->prev = NULL;
		kfree_skb_reason(skb, SKB_DROP_QDISC_RESET);
	}
	*cq = (struct codel_queue){ .drops = cq->drops };
}

/* ---- when ------------------------------------------------------------------------------------------------ */

/* The root of @v, rounded down. */
static u32 square_root(u64 v)
{
	u64 root = 0;

	for (u64 bit = 1ULL << 31; bit; bit >>= 1) {
		if ((root | bit) * (root | bit) <= v)
			root |= bit;
	}
	return (u32)root;
}

/* RFC 8289 5.4: the time after @t for the next drop. */
static u64 control_law(const struct codel *c, u64 t, u32 count)
{
	u32 root = square_root((u64)max(count, 1u) << 32); /* in parts of 2^16 */

	return t + (u64)(((unsigned __int128)c->interval_ns << 16) / root);
}

s32 codel_drop_next_us(const struct codel_queue *cq, u64 now)
{
	s64 us = (s64)(cq->drop_next_ns - now) / (s64)NSEC_PER_USEC;

	return cq->dropping ? (s32)max(min(us, (s64)INT32_MAX), (s64)INT32_MIN) : 0;
}

/* RFC 8289 5.6: the next packet; *ret_ok_to_drop: for a whole interval none has waited less than the target. */
static struct sk_buff *dodequeue(struct codel *c, struct codel_queue *cq, struct Qdisc *q, u64 now,
				 bool *ret_ok_to_drop)
{
	struct sk_buff *skb = codel_queue_remove(c, cq, q);

	*ret_ok_to_drop = false;
	if (!skb) {
		cq->first_above_ns = 0;
		return NULL;
	}
	c->maxpacket = max(c->maxpacket, QDISC_CB(skb)->pkt_len);
	cq->delay_ns = now - QDISC_CB(skb)->enqueued;
	if (cq->delay_ns < c->target_ns || cq->backlog <= c->mtu)
		cq->first_above_ns = 0;
	else if (!cq->first_above_ns)
		cq->first_above_ns = now + c->interval_ns;
	else
		*ret_ok_to_drop = now >= cq->first_above_ns;
	return skb;
}

/* True: @skb says it to the other end instead of being dropped. */
static bool mark(struct codel *c, struct sk_buff *skb)
{
	if (!c->ecn || !qdisc_mark_ce(skb))
		return false;
	c->ecn_mark++;
	return true;
}

static void drop(struct codel_queue *cq, struct Qdisc *q, struct sk_buff *skb)
{
	u32 octets = QDISC_CB(skb)->pkt_len;

	cq->drops++;
	q->stats.drops++;
	qdisc_tree_reduce_backlog(q, 1, (s32)octets);
	kfree_skb_reason(skb, SKB_DROP_QDISC_CONGESTED);
}

/* In the dropping state, @skb being next: drops what is due. */
static struct sk_buff *go_on_dropping(struct codel *c, struct codel_queue *cq, struct Qdisc *q,
				      struct sk_buff *skb, u64 now)
{
	while (cq->dropping && now >= cq->drop_next_ns) {
		bool marked = mark(c, skb), ok_to_drop = true;

		cq->count++;
		if (!marked) {
			drop(cq, q, skb);
			skb = dodequeue(c, cq, q, now, &ok_to_drop);
		}
		if (ok_to_drop)
			cq->drop_next_ns = control_law(c, cq->drop_next_ns, cq->count);
		else
			cq->dropping = false;
		if (marked)
			break;
	}
	return skb;
}

static struct sk_buff *begin_dropping(struct codel *c, struct codel_queue *cq, struct Qdisc *q,
				      struct sk_buff *skb, u64 now)
{
	u32 delta = cq->count - cq->lastcount;
	bool ok_to_drop;

	if (!mark(c, skb)) {
		drop(cq, q, skb);
		skb = dodequeue(c, cq, q, now, &ok_to_drop);
	}
	cq->dropping = true;
	/* RFC 8289 5.5: the rate that controlled the queue the last time is a good one to begin with. */
	cq->count = 1;
	if (delta > 1 && (s64)(now - cq->drop_next_ns) < (s64)(16 * c->interval_ns))
		cq->count = delta;
	cq->lastcount = cq->count;
	cq->drop_next_ns = control_law(c, now, cq->count);
	return skb;
}

/* Above the threshold, and one of those it is for. */
static bool wants_ce(const struct codel *c, const struct codel_queue *cq, const struct sk_buff *skb)
{
	return cq->delay_ns > c->ce_threshold_ns &&
	       (!c->ce_mask || (qdisc_dsfield(skb) & c->ce_mask) == c->ce_selector);
}

struct sk_buff *codel_dequeue(struct codel *c, struct codel_queue *cq, struct Qdisc *q)
{
	u64 now = qdisc_dev(q)->cpu->now;
	bool ok_to_drop;
	struct sk_buff *skb = dodequeue(c, cq, q, now, &ok_to_drop);

	if (cq->dropping && ok_to_drop)
		skb = go_on_dropping(c, cq, q, skb, now);
	else if (cq->dropping)
		cq->dropping = false;
	else if (ok_to_drop)
		skb = begin_dropping(c, cq, q, skb, now);
	if (skb && unlikely(wants_ce(c, cq, skb)) && qdisc_mark_ce(skb))
		c->ce_mark++;
	return skb;
}
