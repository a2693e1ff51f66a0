/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * codel.h - controlled delay: a queue whose packets wait no longer than they have to
 *
 * What codel and fq_codel have in common. A discipline has one struct codel, and a struct codel_queue for each queue. Theory of operation: codel.c.
 * Locking: the cpu lock.
 */
#ifndef WEIR_SCHED_CODEL_H
#define WEIR_SCHED_CODEL_H

#include "core/qdisc.h"

struct nlattr;

#define CODEL_NO_CE_THRESHOLD UINT64_MAX

struct codel { /* of a discipline */
	u64 target_ns, interval_ns, ce_threshold_ns;
	u32 mtu; /* octets: no more than that may wait for any time */
	u8 ce_selector, ce_mask;
	bool ecn;

	u32 memory;    /* truesize of all that waits */
	u32 maxpacket; /* longest that left */
	u32 ecn_mark, ce_mark;
};

struct codel_queue {
	struct sk_buff *head, *tail; /* through ->next */
	u32 qlen, backlog;
	u32 drops; /* by the control law, or for lack of room */
	u32 count, lastcount;
	bool dropping;
	u64 first_above_ns; /* if nothing waits less until then, drop; 0: something did */
	u64 drop_next_ns;
	u64 delay_ns; /* of what left last */
};

void codel_setup(struct codel *c, const struct net_device *dev, bool ecn);
/* consumes @skb */
void codel_queue_add(struct codel *c, struct codel_queue *cq, struct Qdisc *q, struct sk_buff *skb);
/* The first, whatever it waited; NULL: none. */
struct sk_buff *codel_queue_remove(struct codel *c, struct codel_queue *cq, struct Qdisc *q);
/* The next that may leave, marked or not; what has to go before it is dropped. NULL: none. */
struct sk_buff *codel_dequeue(struct codel *c, struct codel_queue *cq, struct Qdisc *q);
/* Drops all, and forgets. */
void codel_queue_reset(struct codel_queue *cq);

static inline u32 codel_us(u64 ns)
{
	return (u32)min(ns / NSEC_PER_USEC, (u64)UINT32_MAX);
}
/* How far away the next drop is, as statistics have it: us, negative: it is due. 0: none is intended */
s32 codel_drop_next_us(const struct codel_queue *cq, u64 now);

#endif
