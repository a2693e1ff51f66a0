/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.c - real time as a struct run_clock */
#include "clock.h"

#include <stddef.h>

#include <weir/weir.h>

#define NS_PER_S 1000000000ULL

static uint64_t real_now(const struct run_clock *c)
{
	return weir_now(c->priv);
}

static const struct timespec *real_sleep_until(const struct run_clock *c, uint64_t deadline,
					       struct timespec *ts)
{
	uint64_t now, left;

	if (deadline == RUN_NEVER)
		return NULL;
	now = real_now(c);
	left = deadline > now ? deadline - now : 0;
	ts->tv_sec = (time_t)(left / NS_PER_S);
	ts->tv_nsec = (long)(left % NS_PER_S);
	return ts;
}

void run_clock_real(struct run_clock *c, struct weir_machine *m)
{
	c->now = real_now;
	c->sleep_until = real_sleep_until;
	c->priv = m;
}
