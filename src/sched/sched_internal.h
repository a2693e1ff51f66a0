/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_internal.h - between the files of sched/ */
#ifndef WEIR_SCHED_SCHED_INTERNAL_H
#define WEIR_SCHED_SCHED_INTERNAL_H

#include "core/qdisc.h"

/* sch_api.c */
int sch_api_machine_init(struct machine *m);

/* ecn.c */
bool qdisc_mark_ce(struct sk_buff *skb); /* false: its sender does not understand marks */

/* sch_fifo.c, sch_fq.c */
extern const struct Qdisc_ops pfifo_qdisc_ops, bfifo_qdisc_ops, pfifo_head_drop_qdisc_ops,
	fq_qdisc_ops;

#endif
