/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.h - waiting for a condition that is guarded by a cpu lock
 *
 * Theory of operation
 *   Whoever waits puts a wait_entry on the wait_queue of the object. wake_up() calls each entry's function
 *   under the cpu lock; a blocked thread's function moves the entry to cpu->wake_list, and the thread is unparked
 *   after the lock was released. An epoll's function puts its item on the ready list. With nobody on the queue
 *   a wake-up costs one compare.
 *   In caller-driven machines (no workers) a thread that would block turns the loop itself: wait_schedule()
 *   does whichever is right.
 * Locking: queue and entries are guarded by the cpu lock of the object that owns the queue.
 */
#ifndef WEIR_CORE_WAIT_H
#define WEIR_CORE_WAIT_H

#include "lib/list.h"
#include "lib/types.h"

struct cpu;
struct machine;

struct wait_queue_head {
	struct list_head entries;
};

struct wait_entry {
	struct list_head node;      /* on a wait_queue_head */
	struct list_head wake_node; /* on cpu->wake_list */
	/* @events: EPOLL* bits of what happened. Lock held; must not block or call back into the object. */
	void (*func)(struct cpu *cpu, struct wait_entry *w, u32 events);
	void *private;  /* struct parker of a thread (wait.c), or the func's own */
	bool exclusive; /* wake only one of these per wake_up (accept) */
	bool woken;
	bool declined; /* set by func of an exclusive entry: it woke nobody, so the next one is asked, too */
};

static inline void init_waitqueue_head(struct wait_queue_head *q)
{
	list_init(&q->entries);
}

static inline bool waitqueue_active(const struct wait_queue_head *q)
{
	return !list_empty(&q->entries);
}

void add_wait_queue(struct wait_queue_head *q, struct wait_entry *w);
void remove_wait_queue(struct wait_entry *w);
/* Lock held. @events: EPOLLIN, EPOLLOUT, ... */
void __wake_up(struct cpu *cpu, struct wait_queue_head *q, u32 events);
static inline void wake_up(struct cpu *cpu, struct wait_queue_head *q, u32 events)
{
	if (unlikely(waitqueue_active(q)))
		__wake_up(cpu, q, events);
}

/* Prepares @w for the calling thread (gets a parker from the machine's pool). 0 or -ENOMEM. */
int wait_entry_init(struct cpu *cpu, struct wait_entry *w);
void wait_entry_fini(struct cpu *cpu, struct wait_entry *w);
/*
 * Sleeps once: unlocks the cpu, parks until woken or @deadline_ns, locks it again. The condition must be
 * checked again. 0; -EAGAIN when the deadline passed; -EINTR when the machine is being stopped.
 * User context only.
 */
int wait_schedule(struct cpu *cpu, struct wait_entry *w, u64 deadline_ns);

/* For waits on several objects (poll, epoll): another entry that wakes the thread of @thread. No fini needed. */
void wait_entry_share(struct wait_entry *w, const struct wait_entry *thread);
/* As wait_schedule(), with no lock held by the caller. May return 0 without a wake-up: check again. A wake-up that came since the
 * last call is remembered. */
int wait_park(struct machine *m, struct wait_entry *w, u64 deadline_ns);
/* Lock held. Wakes the thread of @w, which was prepared by wait_entry_init() or wait_entry_share(), after the cpu is unlocked: for
 * functions of entries that decide themselves. */
void wait_entry_wake(struct cpu *cpu, struct wait_entry *w, u32 events);
/* Any thread, any lock or none: wakes the thread of @w at once. */
void wait_entry_unpark(struct machine *m, struct wait_entry *w);

#endif
