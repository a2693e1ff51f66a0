/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.h - two timer facilities of a cpu
 *
 * Theory of operation
 *   timer_list: a hierarchical wheel of about 1 ms (2^20 ns) granularity, O(1) to arm and cancel, for
 *   protocol timers, most of which never fire. A timer fires at its expiry or up to one tick later, never early.
 *   hrtimer: a heap with nanosecond resolution, for pacing, links and qdisc watchdogs.
 *   Both fire in TIMER softirq of the cpu they were armed on, with its lock held; equal expiries fire in the
 *   order in which they were armed (so that virtual time repeats). A handler may re-arm or free its own timer.
 * Locking: all functions need the cpu's lock.
 */
#ifndef WEIR_CORE_TIMER_H
#define WEIR_CORE_TIMER_H

#include "lib/list.h"
#include "lib/types.h"

struct cpu;

struct timer_list {
	struct list_head entry; /* empty: not pending */
	u64 expires;            /* ns, scale of cpu->now */
	void (*function)(struct cpu *cpu, struct timer_list *t);
};

#define TIMER_TICK_SHIFT 20

void timer_setup(struct timer_list *t, void (*fn)(struct cpu *cpu, struct timer_list *t));
/* Arms or re-arms. A time that is past fires in the next round. True: it was pending before. */
bool mod_timer(struct cpu *cpu, struct timer_list *t, u64 expires_ns);
bool del_timer(struct timer_list *t); /* true: it was pending */
static inline bool timer_pending(const struct timer_list *t)
{
	return t->entry.next && t->entry.next != &t->entry;
}

struct hrtimer {
	u64 expires;
	u64 seq;   /* order of arming */
	u32 index; /* place in the heap + 1; 0: not armed */
	bool late; /* in the heap of those armed too late for the running round */
	void (*function)(struct cpu *cpu, struct hrtimer *t);
};

void hrtimer_setup(struct hrtimer *t, void (*fn)(struct cpu *cpu, struct hrtimer *t));
/* 0 or -ENOMEM (the heap could not grow). */
int hrtimer_start(struct cpu *cpu, struct hrtimer *t, u64 expires_ns);
bool hrtimer_cancel(struct cpu *cpu, struct hrtimer *t); /* true: it was armed */
static inline bool hrtimer_active(const struct hrtimer *t)
{
	return t->index != 0;
}

#endif
