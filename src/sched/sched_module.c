/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_module.c - the disciplines that are there, and the door to them */
#include "sched/sched_module.h"

#include "sched/sched_internal.h"

static const struct Qdisc_ops *const disciplines[] = {
	&pfifo_qdisc_ops, &bfifo_qdisc_ops, &pfifo_head_drop_qdisc_ops,
	&fq_qdisc_ops,    &codel_qdisc_ops, &fq_codel_qdisc_ops,
	&red_qdisc_ops,   &tbf_qdisc_ops,
};

int sched_machine_init(struct machine *m)
{
	for (u32 i = 0; i < ARRAY_SIZE(disciplines); i++) {
		int err = register_qdisc(m, disciplines[i]);

		if (err)
			return err;
	}
	return sch_api_machine_init(m);
}
