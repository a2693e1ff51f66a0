/* SPDX-License-Identifier: BSD-2-Clause */
/* core_internal.h - between the files of core/ that make up a machine: cpu.c softirq.c timer.c wait.c machine.c net.c */
#ifndef WEIR_CORE_CORE_INTERNAL_H
#define WEIR_CORE_CORE_INTERNAL_H

#include "core/cpu.h"
#include "core/machine.h"

struct parker;
struct wait_entry;

/* cpu.c */
struct cpu *cpu_create(struct machine *m, u16 id); /* NULL: no memory */
void cpu_destroy(struct cpu *cpu);
/* Unlocks and wakes, running nothing. @may_kick: tell the sleeper of this cpu if it has something to do earlier than it thinks. */
void cpu_release(struct cpu *cpu, bool may_kick) __releases(cpu);
/*
 * One turn, and when this cpu has something to do next: absolute, 0 now, HOST_FOREVER never. @driver: the caller is who will sleep
 * for this cpu (its worker, or the driver of the machine). No lock held.
 */
u64 cpu_turn(struct cpu *cpu, bool driver);
/* Wakes whoever sleeps for this cpu. Any thread. */
void cpu_kick(struct cpu *cpu);
void cpu_worker(void *arg); /* the thread of a worker; @arg is the cpu */

/* A thread that looks again and again does so gently. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* timer.c */
int timers_init(struct cpu *cpu); /* 0 or -ENOMEM */
void timers_fini(struct cpu *cpu);
void run_timers(struct cpu *cpu); /* all that are due at cpu->now */
bool __timers_due(struct cpu *cpu);
/* Is there anything for run_timers()? Asked at each unlock. */
static inline bool timers_due(struct cpu *cpu)
{
	return unlikely(cpu->now >= cpu->timers_at) && __timers_due(cpu);
}
u64 timers_next(struct cpu *cpu); /* ns, 0 now, HOST_FOREVER none */

/* softirq.c. Lock held */
/* Raises what came from outside or by time alone. Is anything pending then? */
static inline bool cpu_raise_due(struct cpu *cpu)
{
	if (unlikely(__atomic_load_n(&cpu->remote_work, __ATOMIC_RELAXED)))
		raise_softirq(cpu, HI_SOFTIRQ);
	if (timers_due(cpu))
		raise_softirq(cpu, TIMER_SOFTIRQ);
	return cpu->softirq_pending;
}
void __cpu_run_pending(struct cpu *cpu); /* something is pending */
/* Runs what is due until nothing is left or a NAPI budget is used up. */
static inline void cpu_run_pending(struct cpu *cpu)
{
	if (cpu_raise_due(cpu))
		__cpu_run_pending(cpu);
}

/* wait.c */
void parkers_init(struct machine *m);
void parkers_fini(struct machine *m);
/* Lock held: takes an entry off cpu->wake_list and gives what unpark_waiter() wants. */
struct parker *wait_entry_collect(struct wait_entry *w);
void unpark_waiter(struct machine *m, struct parker *p);

/* trace.c */
void trace_fini(struct cpu *cpu);

#endif
