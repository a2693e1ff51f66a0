/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h - the one interface through which the runner sees time
 *
 * Deadlines of parked calls and timers are points on this clock. Today it is the machine's real-time clock; a program in virtual time gets
 * another one, which never makes the loop sleep: it is told the earliest deadline and jumps there when all programs wait.
 */
#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

#include <stdint.h>
#include <time.h>

#define RUN_NEVER UINT64_MAX

struct run_clock {
	uint64_t (*now)(const struct run_clock *c);
	/* How long the operating system may sleep until @deadline (RUN_NEVER: NULL is returned). @ts is storage for the answer. */
	const struct timespec *(*sleep_until)(const struct run_clock *c, uint64_t deadline,
					      struct timespec *ts);
	void *priv;
};

/* Real time: that of a struct weir_machine. */
struct weir_machine;
void run_clock_real(struct run_clock *c, struct weir_machine *m);

#endif
