/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softirq.c - deferred work of a cpu: softirqs, tasklets, work from other threads
 *
 * Theory of operation
 *   A softirq is a bit in cpu->softirq_pending. A pass visits the bits in the order of enum softirq and runs those that are set when
 *   their turn comes, so what TIMER raises in NET_TX runs in the same pass, and what NET_RX raises in NET_TX in the next one.
 *   HI runs what other threads handed over and then the high-priority tasklets. A tasklet is on a list or not: scheduling it twice
 *   is once; one that schedules itself runs in the next pass.
 *   The packet-path handlers limit themselves (net_rx_action's budget) and raise themselves again.
 * Locking: the cpu's lock, held all along; remote_work is a stack that any thread pushes to (atomics).
 */
#include "core/cpu.h"

#include "core/core_internal.h"
#include "core/netdevice.h"

#define SOFTIRQ_MAX_PASSES 10            /* per unlock; Linux has the same number */
#define REST_MAX_SHIFT     4             /* rests are at most 16 times as long as the run */
#define REST_MAX_NS        NSEC_PER_MSEC /* theory of operation: cpu.c */

void run_remote_work(struct cpu *cpu)
{
	struct cpu_work *w = __atomic_exchange_n(&cpu->remote_work, NULL, __ATOMIC_ACQUIRE);
	struct cpu_work *fifo = NULL, *next;

	for (; w; w = next) { /* the last pushed comes first: turn round */
		next = w->next;
		w->next = fifo;
		fifo = w;
	}
	for (; fifo; fifo = next) {
		next = fifo->next;
		fifo->fn(cpu, fifo);
	}
}

/* True: it is the first. Who pushed the one before has kicked, or will. */
static bool remote_work_push(struct cpu *cpu, struct cpu_work *w)
{
	struct cpu_work *old = __atomic_load_n(&cpu->remote_work, __ATOMIC_RELAXED);

	do {
		w->next = old;
	} while (!__atomic_compare_exchange_n(&cpu->remote_work, &old, w, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	return !old;
}

void cpu_queue_work(struct cpu *cpu, struct cpu_work *w)
{
	if (remote_work_push(cpu, w))
		cpu_kick(cpu);
}

/* ---- calls from cpu to cpu ------------------------------------------------------------------------------ */

static void cpu_call_run(struct cpu *cpu, struct cpu_work *w)
{
	struct cpu_call *call = container_of(w, struct cpu_call, work);

	/* Before fn looks: what comes from now on asks for another one. */
	__atomic_exchange_n(&call->queued, 0, __ATOMIC_ACQ_REL);
	call->fn(cpu, call);
}

void cpu_call_init(struct cpu_call *call, void (*fn)(struct cpu *cpu, struct cpu_call *call))
{
	*call = (struct cpu_call){ .work.fn = cpu_call_run, .fn = fn };
}

void cpu_call_on(struct cpu *from, struct cpu *to, struct cpu_call *call)
{
	lock_assert_held(from);
	if (!__atomic_exchange_n(&call->queued, 1, __ATOMIC_ACQ_REL) &&
	    remote_work_push(to, &call->work))
		from->kick_cpus |= 1ull << to->id;
}

static void schedule_on(struct cpu *cpu, struct tasklet *t, struct list_head *list, enum softirq nr)
{
	lock_assert_held(cpu);
	if (t->node.next && !list_empty(&t->node))
		return;
	list_add_tail(&t->node, list);
	raise_softirq(cpu, nr);
}

void tasklet_schedule(struct cpu *cpu, struct tasklet *t)
{
	schedule_on(cpu, t, &cpu->tasklets, TASKLET_SOFTIRQ);
}

void tasklet_hi_schedule(struct cpu *cpu, struct tasklet *t)
{
	schedule_on(cpu, t, &cpu->tasklets_hi, HI_SOFTIRQ);
}

/* Those that are scheduled now. */
static void run_tasklets(struct cpu *cpu, struct list_head *list)
{
	struct list_head run;
	struct tasklet *t;

	list_init(&run);
	list_splice_tail_init(list, &run);
	while (!list_empty(&run)) {
		t = list_first_entry(&run, struct tasklet, node);
		list_del(&t->node);
		t->func(cpu, t);
	}
}

static void tasklet_action(struct cpu *cpu)
{
	run_tasklets(cpu, &cpu->tasklets);
}

static void hi_action(struct cpu *cpu)
{
	run_remote_work(cpu);
	if (list_empty(&cpu->tasklets_hi))
		return;
	cpu->context += CONTEXT_TASKLET_HI - CONTEXT_WORK;
	run_tasklets(cpu, &cpu->tasklets_hi);
}

static const struct {
	void (*action)(struct cpu *cpu);
	u8 context; /* in which it begins */
} softirqs[NR_SOFTIRQS] = {
	[HI_SOFTIRQ] = { hi_action, CONTEXT_WORK },
	[TIMER_SOFTIRQ] = { run_timers, CONTEXT_TIMER },
	[NET_TX_SOFTIRQ] = { net_tx_action, CONTEXT_NET_TX },
	[NET_RX_SOFTIRQ] = { net_rx_action, CONTEXT_NET_RX },
	[TASKLET_SOFTIRQ] = { tasklet_action, CONTEXT_TASKLET },
};

/* Something is pending. */
static inline void __do_softirq(struct cpu *cpu)
{
	u8 interrupted = cpu->context, ksoftirqd = cpu->ksoftirqd ? CONTEXT_KSOFTIRQD : 0;
	u32 left, bit, turn = ~0u;

	lock_assert_held(cpu);
	assert(!cpu->in_softirq);
	cpu->in_softirq = true;
	/* Those that are set when their turn comes. */
	while ((left = cpu->softirq_pending & turn)) {
		unsigned nr = (unsigned)__builtin_ctz(left);

		bit = left & -left;
		turn = -(2 * bit);
		cpu->softirq_pending ^= bit;
		cpu->softirq_counts[nr]++;
		cpu->context = softirqs[nr].context | ksoftirqd;
		softirqs[nr].action(cpu);
	}
	cpu->context = interrupted;
	cpu->in_softirq = false;
	__atomic_store_n(&cpu->rounds, cpu->rounds + 1, __ATOMIC_RELAXED);
}

bool do_softirq(struct cpu *cpu)
{
	if (!cpu->softirq_pending)
		return false;
	__do_softirq(cpu);
	return cpu->softirq_pending != 0;
}

/* ---- as long as it is worth it -------------------------------------------------------------------------- */

/* Softirqs ran for @ran ns and brought more than programs take. */
static void cpu_rest(struct cpu *cpu, u64 ran)
{
	u64 longer;

	if (cpu->receiver_full)
		cpu->rest_shift += cpu->rest_shift < REST_MAX_SHIFT;
	cpu->receiver_full = false;
	longer = min(ran << cpu->rest_shift, REST_MAX_NS);
	cpu->softirq_defer_until = cpu->now + max(2 * ran, longer);
}

void __cpu_run_pending(struct cpu *cpu)
{
	const u32 rx = 1u << NET_RX_SOFTIRQ;
	u64 start = cpu->now;
	int pass = 0;
	u32 before;

	for (;;) {
		before = cpu->softirq_pending;
		__do_softirq(cpu);
		if (unlikely(before & cpu->softirq_pending & rx || cpu->receiver_full)) {
			cpu_clock_refresh(cpu);
			cpu_rest(cpu, cpu->now - start);
			return;
		}
		if (unlikely(cpu->rest_shift))
			cpu->rest_shift--;
		/* In the first pass the time of cpu_lock() is good. */
		if (likely(!cpu_raise_due(cpu)) || ++pass == SOFTIRQ_MAX_PASSES)
			return;
		cpu_clock_refresh(cpu);
	}
}
