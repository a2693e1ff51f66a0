/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * busy_poll.h - looking for a while before sleeping: SO_BUSY_POLL, net.core.busy_read, net.core.busy_poll, EPIOCSPARAMS
 *
 * Theory of operation
 *   A thread that would sleep looks again and again whether it was woken, and does what other threads left for its cpu meanwhile, as long
 *   as its caller pays for: a wake-up that finds it looking is no system call on either side. A machine without workers is
 *   turned by who looks. Looking in vain is made up for: each time halves what the thread spends the next time, down to a 64th, until it is
 *   lucky again; who prefers busy polling (SO_PREFER_BUSY_POLL) always gets the whole time.
 *   Under virtual time nobody looks: time would not pass.
 */
#ifndef WEIR_CORE_BUSY_POLL_H
#define WEIR_CORE_BUSY_POLL_H

#include "core/wait.h"

struct busy_poll {
	u64 ns; /* 0: sleep at once */
	bool prefer;
};

/* As wait_schedule() and wait_park(). @cpu: whose work is done meanwhile; may be NULL. */
int wait_schedule_busy(struct cpu *cpu, struct wait_entry *w, u64 deadline_ns,
		       struct busy_poll busy);
int wait_park_busy(struct machine *m, struct cpu *cpu, struct wait_entry *w, u64 deadline_ns,
		   struct busy_poll busy);

#endif
