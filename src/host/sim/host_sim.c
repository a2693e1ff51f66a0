/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_sim.c - virtual time: threads pass a baton, and time jumps when all of them sleep
 *
 * Theory of operation
 *   Exactly one thread holds the baton (host->running) and runs; every other thread of the host waits in a state:
 *     READY    may run: in the order in which it became ready (ready list)
 *     PARKED   waits for an unpark or for its deadline
 *     DONE     has returned
 *   The holder gives the baton away only by parking, joining or returning. Then the first READY thread gets it; when there is
 *   none, time jumps to the earliest deadline of the PARKED ones, the lower thread number first on a tie. Nothing depends on
 *   the operating system's scheduler, so a run repeats exactly.
 *   When all are parked without a deadline nobody has the baton, until somebody outside unparks one of them.
 *   Since exactly one thread runs, "the calling thread" of park() is the holder; no thread-local storage is needed.
 */
#include "host/host.h"

#include <pthread.h>
#include <stdlib.h>

#include "host/streams.h"
#include "lib/list.h"

enum sim_state { SIM_RUNNING, SIM_READY, SIM_PARKED, SIM_DONE };

struct host_thread {
	struct list_head all;   /* sim_host.threads, by number */
	struct list_head ready; /* sim_host.ready, when READY */
	struct sim_host *host;
	pthread_cond_t baton;
	pthread_t id;
	u32 number;
	enum sim_state state;
	u64 deadline;             /* PARKED */
	bool unparked;            /* why it became READY */
	struct host_thread *joiner;
	void (*fn)(void *arg);
	void *arg;
};

struct sim_host {
	struct host host;
	pthread_mutex_t lock; /* guards everything here */
	u64 now;
	u64 start_realtime;
	struct host_thread *running; /* NULL: everybody sleeps for good */
	struct list_head threads, ready;
	u32 next_number;
	struct host_thread creator;
	struct random_streams streams;
};

struct host_parker {
	struct sim_host *host;
	bool permit;
	struct host_thread *waiter;
};

static struct sim_host *sim_host(struct host *h)
{
	return container_of(h, struct sim_host, host);
}

/* ---- the baton; lock held ------------------------------------------------------------------------------ */

static void make_ready(struct host_thread *t, bool unparked)
{
	t->state = SIM_READY;
	t->unparked = unparked;
	list_add_tail(&t->ready, &t->host->ready);
}

static struct host_thread *earliest_sleeper(struct sim_host *s)
{
	struct host_thread *t, *best = NULL;

	list_for_each_entry(t, &s->threads, all)
		if (t->state == SIM_PARKED && t->deadline != HOST_FOREVER && (!best || t->deadline < best->deadline))
			best = t;
	return best;
}

static void pass_baton(struct sim_host *s)
{
	struct host_thread *t;

	if (list_empty(&s->ready)) {
		t = earliest_sleeper(s);
		if (t) {
			if (t->deadline > s->now)
				__atomic_store_n(&s->now, t->deadline, __ATOMIC_RELAXED);
			make_ready(t, false);
		}
	}
	t = list_first_entry_or_null(&s->ready, struct host_thread, ready);
	s->running = t;
	if (t) {
		list_del(&t->ready);
		t->state = SIM_RUNNING;
		pthread_cond_signal(&t->baton);
	}
}

static void wait_for_baton(struct host_thread *t)
{
	while (t->host->running != t)
		pthread_cond_wait(&t->baton, &t->host->lock);
}

static void thread_init(struct host_thread *t, struct sim_host *s)
{
	t->host = s;
	t->number = s->next_number++;
	pthread_cond_init(&t->baton, NULL);
	list_init(&t->ready);
	list_add_tail(&t->all, &s->threads);
}

/* ---- operations ---------------------------------------------------------------------------------------- */

static u64 sim_now(struct host *h)
{
	return __atomic_load_n(&sim_host(h)->now, __ATOMIC_RELAXED);
}

static u64 sim_realtime(struct host *h)
{
	return sim_host(h)->start_realtime + sim_now(h);
}

static void sim_random(struct host *h, const char *name, void *buf, size_t len)
{
	random_streams_draw(&sim_host(h)->streams, name, buf, len);
}

static struct host_parker *sim_parker_create(struct host *h)
{
	struct host_parker *p = calloc(1, sizeof(*p));

	if (p)
		p->host = sim_host(h);
	return p;
}

static void sim_parker_free(struct host_parker *p)
{
	free(p);
}

static bool sim_park(struct host_parker *p, u64 deadline_ns)
{
	struct sim_host *s = p->host;
	struct host_thread *me;
	bool unparked;

	pthread_mutex_lock(&s->lock);
	me = s->running;
	if (p->permit) {
		p->permit = false;
		pthread_mutex_unlock(&s->lock);
		return true;
	}
	p->waiter = me;
	if (deadline_ns <= s->now) {
		make_ready(me, false); /* behind those that are ready: nobody starves */
	} else {
		me->state = SIM_PARKED;
		me->deadline = deadline_ns;
	}
	pass_baton(s);
	wait_for_baton(me);
	p->waiter = NULL;
	unparked = me->unparked || p->permit;
	p->permit = false;
	pthread_mutex_unlock(&s->lock);
	return unparked;
}

static void sim_unpark(struct host_parker *p)
{
	struct sim_host *s = p->host;

	pthread_mutex_lock(&s->lock);
	if (p->waiter && p->waiter->state == SIM_PARKED) {
		make_ready(p->waiter, true);
		if (!s->running)
			pass_baton(s);
	} else {
		p->permit = true;
	}
	pthread_mutex_unlock(&s->lock);
}

static void *sim_thread_main(void *arg)
{
	struct host_thread *t = arg;
	struct sim_host *s = t->host;

	pthread_mutex_lock(&s->lock);
	wait_for_baton(t);
	pthread_mutex_unlock(&s->lock);
	t->fn(t->arg);
	pthread_mutex_lock(&s->lock);
	t->state = SIM_DONE;
	if (t->joiner)
		make_ready(t->joiner, true);
	pass_baton(s);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static struct host_thread *sim_thread_start(struct host *h, const char *name, void (*fn)(void *arg), void *arg)
{
	struct sim_host *s = sim_host(h);
	struct host_thread *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	pthread_mutex_lock(&s->lock);
	thread_init(t, s);
	make_ready(t, true);
	if (pthread_create(&t->id, NULL, sim_thread_main, t) != 0) {
		list_del(&t->ready);
		list_del(&t->all);
		pthread_mutex_unlock(&s->lock);
		pthread_cond_destroy(&t->baton);
		free(t);
		return NULL;
	}
	pthread_mutex_unlock(&s->lock);
	return t;
}

static void sim_thread_join(struct host_thread *t)
{
	struct sim_host *s = t->host;

	pthread_mutex_lock(&s->lock);
	if (t->state != SIM_DONE) {
		struct host_thread *me = s->running;

		t->joiner = me;
		me->state = SIM_PARKED;
		me->deadline = HOST_FOREVER;
		pass_baton(s);
		wait_for_baton(me);
	}
	list_del(&t->all);
	pthread_mutex_unlock(&s->lock);
	pthread_join(t->id, NULL);
	pthread_cond_destroy(&t->baton);
	free(t);
}

static void sim_destroy(struct host *h)
{
	struct sim_host *s = sim_host(h);

	random_streams_fini(&s->streams);
	pthread_cond_destroy(&s->creator.baton);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static const struct host_ops sim_ops = {
	.now = sim_now,
	.realtime = sim_realtime,
	.random = sim_random,
	.parker_create = sim_parker_create,
	.parker_free = sim_parker_free,
	.park = sim_park,
	.unpark = sim_unpark,
	.thread_start = sim_thread_start,
	.thread_join = sim_thread_join,
	.destroy = sim_destroy,
};

struct host *host_sim_create(u64 seed, u64 start_realtime_ns)
{
	struct sim_host *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->host.ops = &sim_ops;
	s->host.virtual_time = true;
	s->start_realtime = start_realtime_ns;
	pthread_mutex_init(&s->lock, NULL);
	list_init(&s->threads);
	list_init(&s->ready);
	random_streams_init(&s->streams, seed);
	thread_init(&s->creator, s);
	s->creator.state = SIM_RUNNING;
	s->running = &s->creator;
	return &s->host;
}
