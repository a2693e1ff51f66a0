/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.c - blocking: wait queues, parkers, and who drives a machine without workers
 *
 * Theory of operation
 *   A thread that waits has a parker from the machine's pool. A wake-up means: signalled is set, then the host unparks it. Other
 *   unparks (a kick: there is new work; a handover) leave signalled alone, so they never look like a wake-up. Parkers are never
 *   freed before the machine, so a late unpark hits a parker in the pool or somebody else's, who looks and sleeps on.
 *
 *   With workers a thread that waits just sleeps. In a caller-driven machine one of the threads that wait is the driver: it turns
 *   the loop, and sleeps until the machine's next event. The others queue on driver_queue; when the driver leaves, the first of
 *   them takes over. A driver that leaves with nobody queued leaves the machine undriven, until the next call.
 *   Before it sleeps a thread may look for a while whether it was woken (busy_poll.h).
 *   Under virtual time the same code makes time jump: the driver sleeps until the next event, everybody else until told.
 *
 * Locking: wait queues and wait_entry by the lock of the cpu that owns the queue. parker_lock (leaf) guards the pool and who drives.
 */
#include "core/wait.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "core/busy_poll.h"
#include "core/core_internal.h"
#include "host/host.h"

struct parker {
	struct list_head node; /* machine->parkers or driver_queue */
	struct host_parker *hp;
	u32 signalled; /* atomic */
	bool handover; /* parker_lock: this one is the driver now */
	u8 missed;     /* its thread's: how often in a row busy polling was in vain */
};

/* ---- parkers ------------------------------------------------------------------------------------------ */

void parkers_init(struct machine *m)
{
	pthread_mutex_init(&m->parker_lock, NULL);
	list_init(&m->parkers);
	list_init(&m->driver_queue);
}

void parkers_fini(struct machine *m)
{
	struct parker *p, *next;

	list_for_each_entry_safe(p, next, &m->parkers, node) {
		m->host->ops->parker_free(p->hp);
		free(p);
	}
	pthread_mutex_destroy(&m->parker_lock);
}

static struct parker *parker_create(struct machine *m)
{
	struct parker *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	list_init(&p->node);
	p->hp = m->host->ops->parker_create(m->host);
	if (!p->hp) {
		free(p);
		return NULL;
	}
	return p;
}

static struct parker *parker_get(struct machine *m)
{
	struct parker *p;

	pthread_mutex_lock(&m->parker_lock);
	p = list_first_entry_or_null(&m->parkers, struct parker, node);
	if (p)
		list_del(&p->node);
	pthread_mutex_unlock(&m->parker_lock);
	if (!p)
		return parker_create(m);
	__atomic_store_n(&p->signalled, 0, __ATOMIC_RELAXED);
	m->host->ops->park(p->hp, 0); /* takes a permit left over */
	return p;
}

static void parker_put(struct machine *m, struct parker *p)
{
	pthread_mutex_lock(&m->parker_lock);
	list_add(&p->node, &m->parkers);
	pthread_mutex_unlock(&m->parker_lock);
}

static bool parker_take_signal(struct parker *p)
{
	return __atomic_load_n(&p->signalled, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&p->signalled, 0, __ATOMIC_ACQUIRE);
}

void unpark_waiter(struct machine *m, struct parker *p)
{
	__atomic_store_n(&p->signalled, 1, __ATOMIC_RELEASE);
	m->host->ops->unpark(p->hp);
}

/* ---- wait queues -------------------------------------------------------------------------------------- */

void add_wait_queue(struct wait_queue_head *q, struct wait_entry *w)
{
	/* Exclusive ones at the end: everybody else hears of every event first. */
	if (w->exclusive)
		list_add_tail(&w->node, &q->entries);
	else
		list_add(&w->node, &q->entries);
}

void remove_wait_queue(struct wait_entry *w)
{
	list_del(&w->node);
	list_del(&w->wake_node);
}

void __wake_up(struct cpu *cpu, struct wait_queue_head *q, u32 events)
{
	struct wait_entry *w, *next;

	lock_assert_held(cpu);
	list_for_each_entry_safe(w, next, &q->entries, node) {
		if (w->exclusive && w->woken)
			continue; /* has an event of its own to look at */
		w->declined = false;
		w->func(cpu, w, events);
		if (w->exclusive && !w->declined)
			return;
	}
}

void wait_entry_wake(struct cpu *cpu, struct wait_entry *w, u32 events)
{
	lock_assert_held(cpu);
	w->woken = true;
	if (list_empty(&w->wake_node))
		list_add_tail(&w->wake_node, &cpu->wake_list);
}

struct parker *wait_entry_collect(struct wait_entry *w)
{
	list_del(&w->wake_node);
	return w->private;
}

void wait_entry_unpark(struct machine *m, struct wait_entry *w)
{
	unpark_waiter(m, w->private);
}

int wait_entry_init(struct cpu *cpu, struct wait_entry *w)
{
	struct parker *p = parker_get(cpu->machine);

	*w = (struct wait_entry){ .func = wait_entry_wake, .private = p };
	list_init(&w->node);
	list_init(&w->wake_node);
	return p ? 0 : -ENOMEM;
}

void wait_entry_share(struct wait_entry *w, const struct wait_entry *thread)
{
	*w = (struct wait_entry){ .func = thread->func, .private = thread->private };
	list_init(&w->node);
	list_init(&w->wake_node);
}

void wait_entry_fini(struct cpu *cpu, struct wait_entry *w)
{
	if (w->private)
		parker_put(cpu->machine, w->private);
	w->private = NULL;
}

/* ---- driving ------------------------------------------------------------------------------------------ */

/* True: the caller drives from now on. False: somebody else does, and @p is queued for taking over. */
static bool driver_enter(struct machine *m, struct parker *p)
{
	bool mine;

	pthread_mutex_lock(&m->parker_lock);
	mine = !m->driven;
	if (mine) {
		__atomic_store_n(&m->driven, true, __ATOMIC_RELAXED);
		m->driver = p->hp;
	} else {
		list_add_tail(&p->node, &m->driver_queue);
	}
	pthread_mutex_unlock(&m->parker_lock);
	return mine;
}

/* Has the former driver chosen the caller? */
static bool driver_took_over(struct machine *m, struct parker *p)
{
	bool mine;

	pthread_mutex_lock(&m->parker_lock);
	mine = p->handover;
	p->handover = false;
	pthread_mutex_unlock(&m->parker_lock);
	return mine;
}

/* Nobody inside drives any more: an event loop outside is to hear of all that comes. */
static void expect_kicks(struct machine *m)
{
	u32 i;

	for (i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpus[i];

		cpu_lock(cpu);
		if (!cpu->sleep_until)
			cpu->sleep_until = HOST_FOREVER;
		cpu_release(cpu, true);
	}
}

static void driver_leave(struct machine *m, struct parker *p, bool driver)
{
	struct parker *next = NULL;

	pthread_mutex_lock(&m->parker_lock);
	if (p->handover) { /* chosen at the very moment */
		p->handover = false;
		driver = true;
	}
	if (driver) {
		next = list_first_entry_or_null(&m->driver_queue, struct parker, node);
		m->driver = next ? next->hp : NULL;
		if (next) {
			list_del(&next->node);
			next->handover = true;
		} else {
			__atomic_store_n(&m->driven, false, __ATOMIC_RELAXED);
		}
	} else {
		list_del(&p->node);
	}
	pthread_mutex_unlock(&m->parker_lock);
	if (next)
		m->host->ops->unpark(next->hp);
	else if (driver && __atomic_load_n(&m->kick, __ATOMIC_ACQUIRE))
		expect_kicks(m);
}

/* A cpu whose turn came late in the round may have given one whose turn came early something to do. */
static bool cpus_have_work(const struct machine *m)
{
	for (u32 i = 0; m->ncpus > 1 && i < m->ncpus; i++)
		if (__atomic_load_n(&m->cpus[i]->remote_work, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* One turn of all cpus: ns until the next event. *@ret_worked: something was done. */
static u64 turn_all(struct machine *m, bool driver, bool *ret_worked)
{
	u64 next = HOST_FOREVER, rounds = 0, now;
	u32 i;

	for (i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpus[i];
		u64 before = __atomic_load_n(&cpu->rounds, __ATOMIC_RELAXED);

		next = min(next, cpu_turn(cpu, driver));
		rounds += __atomic_load_n(&cpu->rounds, __ATOMIC_RELAXED) - before;
	}
	if (ret_worked)
		*ret_worked = rounds != 0;
	if (next == 0 || cpus_have_work(m))
		return 0;
	if (next == HOST_FOREVER)
		return next;
	now = host_now(m->host);
	return next > now ? next - now : 0;
}

u64 machine_turn(struct machine *m)
{
	return turn_all(m, false, NULL);
}

u64 machine_next_event(struct machine *m)
{
	u64 next = HOST_FOREVER, now;
	u32 i;

	for (i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpus[i];

		cpu_lock(cpu);
		cpu->sleep_until = cpu_next_event(cpu);
		next = min(next, cpu->sleep_until);
		cpu_release(cpu, false);
	}
	if (__atomic_load_n(&m->linkwatch_pending, __ATOMIC_SEQ_CST))
		return 0; /* the next turn tells of a carrier */
	if (next == 0 || next == HOST_FOREVER)
		return next;
	now = host_now(m->host);
	return next > now ? next - now : 0;
}

void machine_kick(struct machine *m)
{
	void (*kick)(struct machine * m, void *arg) = __atomic_load_n(&m->kick, __ATOMIC_ACQUIRE);

	pthread_mutex_lock(&m->parker_lock);
	if (m->driver)
		m->host->ops->unpark(m->driver);
	pthread_mutex_unlock(&m->parker_lock);
	if (kick)
		kick(m, m->kick_arg);
}

static u64 deadline_after(u64 now, u64 ns)
{
	return ns >= HOST_FOREVER - now ? HOST_FOREVER : now + ns;
}

static bool machine_stopping(const struct machine *m)
{
	return __atomic_load_n(&m->stopping, __ATOMIC_ACQUIRE);
}

/* Waits for a wake-up, driving the machine if nobody else does. */
static int park_driving(struct machine *m, struct parker *p, u64 deadline)
{
	bool driver = driver_enter(m, p);
	u64 now, until;
	int err = 0;

	for (;;) {
		until = deadline;
		if (parker_take_signal(p))
			break;
		if (machine_stopping(m)) {
			err = -EINTR;
			break;
		}
		if (!driver)
			driver = driver_took_over(m, p);
		if (driver) {
			u64 ns = turn_all(m, true, NULL);

			if (parker_take_signal(p))
				break;
			now = host_now(m->host);
			until = min(deadline, deadline_after(now, ns));
		} else {
			now = host_now(m->host);
		}
		if (deadline <= now) {
			err = -EAGAIN;
			break;
		}
		if (until > now)
			m->host->ops->park(p->hp, until);
	}
	driver_leave(m, p, driver);
	return err;
}

/* Waits for a wake-up; workers do the work. */
static int park_plain(struct machine *m, struct parker *p, u64 deadline)
{
	for (;;) {
		if (parker_take_signal(p))
			return 0;
		if (machine_stopping(m))
			return -EINTR;
		if (deadline <= host_now(m->host))
			return -EAGAIN;
		m->host->ops->park(p->hp, deadline);
	}
}

/* ---- busy polling --------------------------------------------------------------------------------------- */

#define LOOKS_PER_ROUND  16
#define ROUNDS_PER_YIELD 16 /* some tens of microseconds */
#define MISSED_MAX       6  /* a 64th of the time */

static bool parker_look(const struct parker *p)
{
	for (int i = 0; i < LOOKS_PER_ROUND; i++) {
		if (__atomic_load_n(&p->signalled, __ATOMIC_RELAXED))
			return true;
		cpu_relax();
	}
	return false;
}

/* What would wait for a worker to wake up, or for who turns the machine. */
static void busy_help(struct machine *m, struct cpu *cpu)
{
	if (!m->workers) {
		machine_turn(m);
	} else if (cpu && __atomic_load_n(&cpu->remote_work, __ATOMIC_RELAXED)) {
		cpu_lock(cpu);
		cpu_unlock(cpu);
	}
}

/* Until @p is signalled, or what the caller pays for is spent. */
static void busy_wait(struct machine *m, struct cpu *cpu, struct parker *p, u64 deadline,
		      struct busy_poll busy)
{
	u64 now = host_now(m->host), until;
	u32 rounds = 0;

	until = min(deadline, deadline_after(now, busy.prefer ? busy.ns : busy.ns >> p->missed));
	do {
		if (parker_look(p)) {
			p->missed = 0;
			return;
		}
		busy_help(m, cpu);
		/* Who is to wake us may wait for the processor that we are on. */
		if (++rounds % ROUNDS_PER_YIELD == 0)
			sched_yield();
	} while (!machine_stopping(m) && host_now(m->host) < until);
	if (p->missed < MISSED_MAX)
		p->missed++;
}

int wait_park_busy(struct machine *m, struct cpu *cpu, struct wait_entry *w, u64 deadline_ns,
		   struct busy_poll busy)
{
	if (unlikely(busy.ns) && !m->host->virtual_time)
		busy_wait(m, cpu, w->private, deadline_ns, busy);
	return m->workers ? park_plain(m, w->private, deadline_ns)
			  : park_driving(m, w->private, deadline_ns);
}

int wait_park(struct machine *m, struct wait_entry *w, u64 deadline_ns)
{
	return wait_park_busy(m, NULL, w, deadline_ns, (struct busy_poll){ 0 });
}

int wait_schedule(struct cpu *cpu, struct wait_entry *w, u64 deadline_ns)
{
	return wait_schedule_busy(cpu, w, deadline_ns, (struct busy_poll){ 0 });
}

int wait_schedule_busy(struct cpu *cpu, struct wait_entry *w, u64 deadline_ns,
		       struct busy_poll busy)
{
	int err;

	lock_assert_held(cpu);
	assert(!cpu->in_softirq);
	if (!w->woken)
		cpu_run_pending(cpu);
	if (w->woken) { /* by what ran just now: nothing to sleep for */
		w->woken = false;
		list_del(&w->wake_node);
		return 0;
	}
	if (deadline_ns <= cpu->now)
		return -EAGAIN;
	cpu_release(cpu, true);
	err = wait_park_busy(cpu->machine, cpu, w, deadline_ns, busy);
	cpu_lock(cpu);
	if (w->woken && err == -EAGAIN)
		err = 0;
	w->woken = false;
	list_del(&w->wake_node);
	return err;
}

int machine_run(struct machine *m, u64 timeout_ns)
{
	bool driver, worked, kicked = false, did = false;
	u64 deadline, ns, now;
	struct parker *p;
	int err = 0;

	if (m->workers)
		return -EINVAL;
	p = parker_get(m);
	if (!p)
		return -ENOMEM;
	deadline = deadline_after(host_now(m->host), timeout_ns);
	driver = driver_enter(m, p);
	for (;;) {
		if (machine_stopping(m)) {
			err = -EINTR;
			break;
		}
		if (!driver)
			driver = driver_took_over(m, p);
		ns = turn_all(m, driver, &worked);
		did |= worked;
		now = host_now(m->host);
		if (ns == 0 && now < deadline)
			continue;
		if (did || kicked || deadline <= now)
			break;
		kicked = m->host->ops->park(p->hp, min(deadline, deadline_after(now, ns)));
	}
	driver_leave(m, p, driver);
	parker_put(m, p);
	return err;
}
