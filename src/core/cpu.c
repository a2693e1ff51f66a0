/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.c - the lock of an execution domain, and who runs its deferred work
 *
 * Theory of operation
 *   cpu_unlock() is where the stack works: it first runs what is due (timers, work of other threads, softirqs), then releases the
 *   lock, then wakes the threads that the work has made ready. With nobody to wake that is no system call.
 *
 *   Somebody sleeps for each cpu until its next event: its worker, or the driver of a caller-driven machine (wait.c), or an event
 *   loop outside. cpu->sleep_until says until when (0: awake, and will look again before it sleeps). Arming a timer that is
 *   earlier sets need_kick, and the unlock that follows kicks the sleeper. Work left over after a NAPI budget kicks too.
 *
 *   A mutex is not fair: a worker with endless work would take it again before a waiting thread has woken up. So a worker that has
 *   more to do pauses for a moment when somebody waits. Calls do not pay for all that arrives either: after a NAPI budget was used up,
 *   or when a packet found its socket's buffer full, softirqs rest twice as long as they ran, or until a call finds
 *   nothing or waits. As long as each run finds a full buffer again, the rests double, up to REST_MAX_NS: what is brought and thrown away
 *   costs the programs less and less. Under overload programs get their turn, and packets are dropped at the device's ring.
 * Locking: cpu->lock is the lock; sleep_until and need_kick are guarded by it like the rest.
 */
#include "core/cpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/core_internal.h"
#include "core/slab.h"
#include "core/wait.h"
#include "host/host.h"
#include "lib/random.h"

#define WORKER_PAUSE_NS (10 * NSEC_PER_USEC)
#define LOCK_LOOKS      32 /* one or two microseconds */
#define CPU_NUMBERS_LOT 64u
#define MAX_WAKES       32 /* collected per unlock; more than that are woken under the lock */

u64 cpu_clock_refresh(struct cpu *cpu)
{
	u64 now = host_now(cpu->machine->host);

	/* The host's clock may be a little behind what another thread saw. */
	if (likely(now > cpu->now))
		cpu->now = now;
	return cpu->now;
}

/* Most sections are shorter than it takes to fall asleep and to be woken: a look or two more is worth it. */
static bool cpu_lock_soon(struct cpu *cpu)
{
	for (int i = 0; i < LOCK_LOOKS; i++) {
		cpu_relax();
		if (!pthread_mutex_trylock(&cpu->lock))
			return true;
	}
	return false;
}

static void cpu_lock_mutex(struct cpu *cpu)
{
	int err = pthread_mutex_trylock(&cpu->lock);

	if (unlikely(err)) {
		__atomic_add_fetch(&cpu->lock_waiters, 1, __ATOMIC_RELAXED);
		if (!cpu_lock_soon(cpu))
			err = pthread_mutex_lock(&cpu->lock);
		else
			err = 0;
		__atomic_sub_fetch(&cpu->lock_waiters, 1, __ATOMIC_RELAXED);
	}
	assert(!err); /* EDEADLK: this thread holds it already */
	(void)err;
}

void cpu_lock(struct cpu *cpu)
{
	assert(cpu); /* with the address sanitizer gcc 12 follows the path on which it is not, and warns of it */
	if (!cpu->single_threaded)
		cpu_lock_mutex(cpu);
	assert(!cpu->locked); /* else two threads are in calls on a machine that was promised one at a time */
	cpu->locked = true;
	cpu_clock_refresh(cpu);
}

static inline void cpu_give_back(struct cpu *cpu)
{
	cpu->need_kick = false;
	cpu->epoch++;
	cpu->locked = false;
	if (!cpu->single_threaded)
		pthread_mutex_unlock(&cpu->lock);
}

/* Has somebody to be woken or told of something? */
static inline bool cpu_has_news(const struct cpu *cpu)
{
	return !list_empty(&cpu->wake_list) || cpu->kick_cpus ||
	       (cpu->sleep_until && (cpu->need_kick || cpu->softirq_pending));
}

static __attribute__((noinline)) void cpu_release_and_tell(struct cpu *cpu, bool may_kick)
{
	struct machine *m = cpu->machine;
	struct parker *wakes[MAX_WAKES];
	unsigned n = 0, i;
	u64 others = cpu->kick_cpus;
	bool kick;

	while (!list_empty(&cpu->wake_list)) {
		struct parker *p = wait_entry_collect(
			list_first_entry(&cpu->wake_list, struct wait_entry, wake_node));

		if (n < MAX_WAKES)
			wakes[n++] = p;
		else
			unpark_waiter(m, p);
	}
	kick = may_kick && cpu->sleep_until && (cpu->need_kick || cpu->softirq_pending);
	if (kick)
		cpu->sleep_until = 0; /* once is enough: who sleeps will look */
	cpu->kick_cpus = 0;
	cpu_give_back(cpu);

	/* The entries may be gone by now; parkers live as long as the machine. */
	for (i = 0; i < n; i++)
		unpark_waiter(m, wakes[i]);
	if (kick)
		cpu_kick(cpu);
	for (; unlikely(others); others &= others - 1)
		cpu_kick(m->cpus[__builtin_ctzll(others)]);
}

static inline void __cpu_release(struct cpu *cpu, bool may_kick)
{
	lock_assert_held(cpu);
	if (unlikely(cpu_has_news(cpu)))
		cpu_release_and_tell(cpu, may_kick);
	else
		cpu_give_back(cpu);
}

void cpu_release(struct cpu *cpu, bool may_kick)
{
	__cpu_release(cpu, may_kick);
}

void cpu_unlock(struct cpu *cpu)
{
	if (likely(cpu->now >= cpu->softirq_defer_until) && cpu_raise_due(cpu))
		__cpu_run_pending(cpu);
	__cpu_release(cpu, true);
}

void cpu_kick(struct cpu *cpu)
{
	struct host *host = cpu->machine->host;
	struct host_parker *worker = __atomic_load_n(&cpu->worker, __ATOMIC_ACQUIRE);

	if (worker)
		host->ops->unpark(worker);
	else
		machine_kick(cpu->machine);
}

u64 cpu_next_event(struct cpu *cpu)
{
	u64 next;

	lock_assert_held(cpu);
	if (cpu->softirq_pending || __atomic_load_n(&cpu->remote_work, __ATOMIC_RELAXED))
		return 0;
	next = timers_next(cpu);
	return next <= cpu->now ? 0 : next;
}

u64 cpu_turn(struct cpu *cpu, bool driver)
{
	u64 next;

	cpu_lock(cpu);
	if (driver)
		cpu->sleep_until = 0;
	cpu->ksoftirqd = true;
	cpu_run_pending(cpu);
	cpu->ksoftirqd = false;
	next = cpu_next_event(cpu);
	if (driver || !__atomic_load_n(&cpu->machine->driven, __ATOMIC_RELAXED))
		cpu->sleep_until = next;
	cpu_release(cpu, !driver);
	return linkwatch_turn(cpu->machine) ? 0 : next;
}

void cpu_worker(void *arg)
{
	struct cpu *cpu = arg;
	struct machine *m = cpu->machine;
	u64 next;

	while (!__atomic_load_n(&m->stopping, __ATOMIC_ACQUIRE)) {
		next = cpu_turn(cpu, true);
		if (!next && __atomic_load_n(&cpu->lock_waiters, __ATOMIC_RELAXED))
			next = host_now(m->host) + WORKER_PAUSE_NS;
		if (next)
			m->host->ops->park(cpu->worker, next);
	}
}

u64 cpu_random(struct cpu *cpu)
{
	lock_assert_held(cpu);
	return random_next(cpu->rng);
}

struct cpu *cpu_create(struct machine *m, u16 id)
{
	struct cpu *cpu = aligned_alloc(CACHE_LINE, ALIGN_UP(sizeof(*cpu), (size_t)CACHE_LINE));
	pthread_mutexattr_t attr;
	char stream[16];

	if (!cpu)
		return NULL;
	memset(cpu, 0, sizeof(*cpu));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&cpu->lock, &attr);
	pthread_mutexattr_destroy(&attr);
	cpu->machine = m;
	cpu->single_threaded = m->single_threaded;
	cpu->id = id;
	cpu->next_skb_id = id;
	cpu->sleep_until = HOST_FOREVER; /* nobody has looked yet */
	list_init(&cpu->wake_list);
	list_init(&cpu->tasklets);
	list_init(&cpu->tasklets_hi);
	cpu_clock_refresh(cpu);
	snprintf(stream, sizeof(stream), "cpu%u", id);
	host_random(m->host, stream, cpu->rng, sizeof(cpu->rng));
	if (skb_cache_init(cpu) || slabs_init(cpu) || timers_init(cpu)) {
		cpu_destroy(cpu);
		return NULL;
	}
	return cpu;
}

u64 cpu_numbers_refill(struct cpu_numbers *n, u64 *source)
{
	n->end = __atomic_add_fetch(source, CPU_NUMBERS_LOT, __ATOMIC_RELAXED);
	n->last = n->end - CPU_NUMBERS_LOT + 1;
	return n->last;
}

void cpu_destroy(struct cpu *cpu)
{
	if (!cpu)
		return;
	assert(!cpu->locked);
	trace_fini(cpu);
	timers_fini(cpu);
	slabs_fini(cpu);
	skb_cache_fini(cpu);
	pthread_mutex_destroy(&cpu->lock);
	free(cpu);
}
