/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_internal.h - between the files of sched/ */
#ifndef WEIR_SCHED_SCHED_INTERNAL_H
#define WEIR_SCHED_SCHED_INTERNAL_H

#include "core/qdisc.h"

/* sch_api.c */
int sch_api_machine_init(struct machine *m);

/* ecn.c */
bool qdisc_mark_ce(struct sk_buff *skb); /* false: its sender does not understand marks */

u8 qdisc_dsfield(const struct sk_buff *skb); /* 0: no IP */

/* sch_inner.c: of a discipline that has one inside, on the first place of its private part */
struct qdisc_inner {
	struct Qdisc *q;
	u32 limit; /* of the bfifo that is there when nothing else is */
};
extern const struct Qdisc_class_ops qdisc_inner_class_ops;
int qdisc_inner_init(struct Qdisc *q, u32 limit); /* 0 or -ENOMEM */
void qdisc_inner_set_limit(struct Qdisc *q, u32 limit);
/* consumes; counts in @q what is queued */
enum qdisc_verdict qdisc_inner_enqueue(struct sk_buff *skb, struct Qdisc *q,
				       struct sk_buff **to_free);
const struct sk_buff *qdisc_inner_peek(struct Qdisc *q); /* the one that dequeue gives next */
struct sk_buff *qdisc_inner_dequeue(struct Qdisc *q);
void qdisc_inner_reset(struct Qdisc *q);
void qdisc_inner_destroy(struct Qdisc *q);

/* sch_NAME.c */
extern const struct Qdisc_ops pfifo_qdisc_ops, bfifo_qdisc_ops, pfifo_head_drop_qdisc_ops,
	fq_qdisc_ops, codel_qdisc_ops, fq_codel_qdisc_ops, red_qdisc_ops, tbf_qdisc_ops;

#endif
