/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.h - one execution domain: its lock, softirqs, timers, caches and clock
 *
 * Theory of operation
 *   Everything on the packet path and every socket belongs to one cpu and is touched only with its lock held.
 *   User context takes the lock with cpu_lock(), walks down the stack, and gives it back with cpu_unlock(),
 *   which first runs pending softirqs (at most one NAPI budget; what is left is for the worker or the next
 *   turn of the loop) and, after unlocking, issues the wake-ups that were collected on wake_list.
 *   If that budget was not enough, packets come faster than they are processed, and calls must not pay for them one budget each: for
 *   as long as that round took, cpu_unlock() leaves softirqs alone, so that programs get half of the time.
 *   cpu->now is the time in ns, read once when the lock is taken and once per softirq round.
 *
 *   Softirqs run in the order of enum softirq. Who runs them: cpu_unlock(), as on the way back from a system call, or ksoftirqd: the
 *   worker thread of the cpu, or whoever turns the loop of a machine without workers. "Interrupts" of drivers (a full ring, a timer)
 *   only raise softirqs. cpu->context says what runs now; it is part of every trace record.
 * Locking: doc/locking.md.
 */
#ifndef WEIR_CORE_CPU_H
#define WEIR_CORE_CPU_H

#include <pthread.h>

#include "core/skbuff.h"
#include "core/timer.h"
#include "core/trace.h"
#include "lib/types.h"

struct machine;
struct net;
struct napi_struct;
struct tasklet;
struct timer_wheel; /* timer.c */
struct hrtimer_heap;
struct skb_cache;    /* skbuff.c */
struct slabs;        /* slab.c */
struct softnet_data; /* dev.c: see netdevice.h */
struct host_parker;

enum softirq {
	HI_SOFTIRQ,
	TIMER_SOFTIRQ,
	NET_TX_SOFTIRQ,
	NET_RX_SOFTIRQ,
	TASKLET_SOFTIRQ,
	NR_SOFTIRQS
};

enum cpu_context {                  /* doc/paths.md */
		   CONTEXT_PROCESS, /* a program's thread in a call, or control code */
		   CONTEXT_WORK,    /* HI softirq: handed over by another thread */
		   CONTEXT_TASKLET_HI,
		   CONTEXT_TIMER,
		   CONTEXT_NET_TX,
		   CONTEXT_NET_RX,
		   CONTEXT_TASKLET,
		   CONTEXT_HARDIRQ, /* the interrupt handler of an emulated card */
		   NR_CONTEXTS
};
#define CONTEXT_KSOFTIRQD 0x80u /* flag: a softirq that ksoftirqd runs */

/* Work that any thread may hand to a cpu: runs there in HI softirq with the lock held. The caller owns the
 * memory until fn runs. */
struct cpu_work {
	struct cpu_work *next;
	void (*fn)(struct cpu *cpu, struct cpu_work *w);
};

/* A call that one cpu wants of another, again and again: asked for twice before it was made, it is made once. */
struct cpu_call {
	struct cpu_work work;
	void (*fn)(struct cpu *cpu, struct cpu_call *call); /* HI softirq of that cpu */
	u32 queued;                                         /* atomic */
};

struct tasklet {
	struct list_head node; /* empty: not scheduled */
	void (*func)(struct cpu *cpu, struct tasklet *t);
};

/* Numbers of the machine that this cpu may give out: taken in lots, because a counter that all cpus write moves between their caches. */
struct cpu_numbers {
	u64 last, end; /* given out; of the lot */
};

struct __capability("cpu") cpu
{
	pthread_mutex_t lock; /* guards all below, and all state homed on this cpu */
	struct machine *machine;
	u64 now;             /* ns */
	u32 softirq_pending; /* bit mask of enum softirq */
	bool in_softirq;
	bool locked; /* for lock_assert_held(); of a single-threaded machine this is the lock */
	u16 id;
	bool trace_on;        /* any consumer of trace points on this machine */
	bool single_threaded; /* of the machine: @lock is not used */
	u8 context;           /* enum cpu_context and CONTEXT_KSOFTIRQD */
	bool ksoftirqd;
	bool xmit_more; /* netdev_xmit_more() */
	bool sent_here; /* something that was sent waits to be received on this cpu: who wants to know clears it */
	u32 softirq_depth;
	u64 next_skb_id; /* id << 8 | cpu id */
	u64 epoch;       /* advanced by every cpu_unlock() */
	struct softnet_data *softnet;
	u64 timers_at; /* no timer is due before: timer.c */
	struct timer_wheel *wheel;
	struct hrtimer_heap *hrtimers;
	struct skb_cache *skb_cache;
	struct slabs *slabs;
	struct trace_ring *trace;
	struct list_head wake_list; /* struct wait_entry to wake after unlocking (wait.h) */
	struct list_head tasklets, tasklets_hi;
	u64 softirq_counts[NR_SOFTIRQS];
	u64 nr_socks;
	struct cpu_numbers cookies, inos; /* of socks, of sockets */
	u64 rng[4]; /* xoshiro state seeded from the host stream "cpuN": for unimportant choices */

	/* what others touch (atomics): the multi-producer queue, and who waits */
	struct cpu_work *remote_work;
	u32 lock_waiters;           /* atomic: threads that wait for the lock */
	struct host_parker *worker; /* whom to unpark for new work; NULL: caller-driven */

	/* who sleeps for this cpu does so until then; arming something earlier sets need_kick. 0: nobody sleeps */
	u64 sleep_until;
	bool need_kick;
	u64 kick_cpus;           /* bit mask of those that got work from us: told after unlocking */
	u64 rounds;              /* do_softirq() calls that did something */
	u64 softirq_defer_until; /* until then cpu_unlock() leaves softirqs to the worker or the next turn */
	bool receiver_full; /* softirqs brought what a socket had no room for: programs are behind */
	u8 rest_shift;      /* how often so, of late */
};

void cpu_lock(struct cpu *cpu) __acquires(cpu);
void cpu_unlock(struct cpu *cpu) __releases(cpu);
static inline void lock_assert_held(const struct cpu *cpu)
{
	assert(cpu->locked);
	(void)cpu;
}

/* The next number of @n, of which @source (atomic) counts the machine's. From 1 on; on one cpu without a gap. Lock held. */
u64 cpu_numbers_refill(struct cpu_numbers *n, u64 *source);
static inline u64 cpu_number(struct cpu_numbers *n, u64 *source)
{
	return likely(n->last != n->end) ? ++n->last : cpu_numbers_refill(n, source);
}

/* Reads the clock now: for long loops that need it fresh. */
u64 cpu_clock_refresh(struct cpu *cpu);

/* A call finds nothing to take: programs have caught up, and softirqs need not rest (cpu.c). */
static inline void cpu_end_rest(struct cpu *cpu)
{
	cpu->softirq_defer_until = 0;
}

static inline void raise_softirq(struct cpu *cpu, enum softirq nr)
{
	cpu->softirq_pending |= 1u << nr;
}

/* One pass over pending softirqs. Lock held. True: more is pending. */
bool do_softirq(struct cpu *cpu);

/* When this cpu next has something to do by itself (cpu->now scale): 0 now, HOST_FOREVER never. Lock held. */
u64 cpu_next_event(struct cpu *cpu);

/* Any thread, no lock needed. */
void cpu_queue_work(struct cpu *cpu, struct cpu_work *w);
void cpu_call_init(struct cpu_call *call, void (*fn)(struct cpu *cpu, struct cpu_call *call));
/* The lock of @from is held; @to is told of it when that is given back. */
void cpu_call_on(struct cpu *from, struct cpu *to, struct cpu_call *call);
/* Runs what was handed over so far: before the owner of a cpu_work goes away. Lock held. */
void run_remote_work(struct cpu *cpu);

/* Runs once in the next round of its softirq (TASKLET, or HI), however often it is scheduled before. */
void tasklet_schedule(struct cpu *cpu, struct tasklet *t);
void tasklet_hi_schedule(struct cpu *cpu, struct tasklet *t);

/* Around the handler of an emulated interrupt; irq_exit() gets what irq_enter() returned. */
static inline u8 irq_enter(struct cpu *cpu)
{
	u8 interrupted = cpu->context;

	cpu->context = CONTEXT_HARDIRQ;
	return interrupted;
}
static inline void irq_exit(struct cpu *cpu, u8 interrupted)
{
	cpu->context = interrupted;
}

/* A pseudo-random number for choices that need not be secret (ephemeral port offsets, jitter). */
u64 cpu_random(struct cpu *cpu);

#endif
