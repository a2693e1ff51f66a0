/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_internal.h - between the files of sched/ */
#ifndef WEIR_SCHED_SCHED_INTERNAL_H
#define WEIR_SCHED_SCHED_INTERNAL_H

#include "core/qdisc.h"

/* sch_api.c */
int sch_api_machine_init(struct machine *m);

/* sch_fifo.c */
extern const struct Qdisc_ops pfifo_qdisc_ops, bfifo_qdisc_ops, pfifo_head_drop_qdisc_ops;

#endif
