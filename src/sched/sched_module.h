/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_module.h - what stack/modules.c calls */
#ifndef WEIR_SCHED_SCHED_MODULE_H
#define WEIR_SCHED_SCHED_MODULE_H

struct machine;

int sched_machine_init(struct machine *m);

#endif
