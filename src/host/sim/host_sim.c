/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_sim.c - the host in virtual time: one thread runs at a time, and time passes only when all sleep
 *
 * Theory of operation
 *   The threads that the host knows pass a baton. Its holder runs until it parks, joins or ends; then the next one is chosen:
 *     1. the thread that became ready first (by an unpark, by being started, or because what it joins has ended);
 *     2. if none is ready, time jumps to the earliest deadline, and its thread runs (the lowest number if several have it);
 *     3. if nobody has a deadline, nobody holds the baton, until an unpark from outside the known threads gives it to one.
 *   So the order of everything is a function of what the threads do, and not of the operating system's scheduler.
 *   A thread that never parks stops time for all. A park with a deadline that has passed lets those run that are ready.
 *
 *   Each thread waits for the baton on a condition of its own.
 * Locking: the host's lock guards the table of threads, parkers and time. It is a leaf: parking happens without any stack lock.
 */
#include "host/host.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "host/streams.h"
#include "lib/list.h"

enum thread_state {
	THREAD_READY,   /* on the ready list; leaves it by getting the baton */
	THREAD_RUNNING, /* holds the baton */
	THREAD_PARKED,  /* until its parker is unparked or until deadline */
	THREAD_JOINING, /* until the thread joined has ended */
	THREAD_ENDED,
};

struct host_thread {
	struct list_head node;  /* all threads, by number */
	struct list_head ready; /* sim->ready */
	struct host_sim *sim;
	enum thread_state state;
	u64 deadline;
	struct host_parker *parker; /* PARKED: on which */
	struct host_thread *joins;  /* JOINING: whom */
	pthread_cond_t baton;
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

struct host_parker {
	struct host_sim *sim;
	bool permit;
	struct host_thread *sleeper;
};

struct host_sim {
	struct host host;
	struct random_streams streams;
	u64 start_realtime;
	pthread_mutex_t lock;
	u64 now; /* atomic: read without the lock */
	struct list_head threads;
	struct list_head ready;
	struct host_thread *running; /* NULL: the baton lies on the table */
	struct host_thread creator;
};

static struct host_sim *sim_of(struct host *h)
{
	return (struct host_sim *)h;
}

static u64 sim_now(struct host *h)
{
	return __atomic_load_n(&sim_of(h)->now, __ATOMIC_RELAXED);
}

static u64 sim_realtime(struct host *h)
{
	return sim_of(h)->start_realtime + sim_now(h);
}

static void sim_random(struct host *h, const char *name, void *buf, size_t len)
{
	random_streams_get(&sim_of(h)->streams, name, buf, len);
}

/* ---- the baton; lock held ----------------------------------------------------------------------------- */

static void make_ready(struct host_thread *t)
{
	t->state = THREAD_READY;
	list_add_tail(&t->ready, &t->sim->ready);
}

static struct host_thread *earliest_sleeper(struct host_sim *s)
{
	struct host_thread *t, *best = NULL;

	list_for_each_entry(t, &s->threads, node)
		if (t->state == THREAD_PARKED && t->deadline != HOST_FOREVER &&
		    (!best || t->deadline < best->deadline))
			best = t;
	return best;
}

/* Gives the baton, which nobody holds, to whom it is due. */
static void pass_baton(struct host_sim *s)
{
	struct host_thread *t = list_first_entry_or_null(&s->ready, struct host_thread, ready);

	if (t) {
		list_del(&t->ready);
	} else {
		t = earliest_sleeper(s);
		if (t && t->deadline > s->now)
			__atomic_store_n(&s->now, t->deadline, __ATOMIC_RELAXED);
	}
	s->running = t;
	if (!t)
		return;
	t->state = THREAD_RUNNING;
	pthread_cond_signal(&t->baton);
}

/* The caller has changed its own state from RUNNING: gives the baton away and waits until it is back. */
static void switch_away(struct host_sim *s, struct host_thread *self)
{
	pass_baton(s);
	while (s->running != self)
		pthread_cond_wait(&self->baton, &s->lock);
}

/* ---- parking ------------------------------------------------------------------------------------------ */

static struct host_parker *sim_parker_create(struct host *h)
{
	struct host_parker *p = calloc(1, sizeof(*p));

	if (p)
		p->sim = sim_of(h);
	return p;
}

static void sim_parker_free(struct host_parker *p)
{
	free(p);
}

static bool sim_park(struct host_parker *p, u64 deadline_ns)
{
	struct host_sim *s = p->sim;
	struct host_thread *self;
	bool permit;

	pthread_mutex_lock(&s->lock);
	self = s->running;
	if (!p->permit && deadline_ns) {
		/* Only the threads that the host knows may sleep in virtual time. */
		assert(self && pthread_equal(self->id, pthread_self()) && !p->sleeper);
		if (deadline_ns <= s->now) {
			make_ready(self);
		} else {
			self->state = THREAD_PARKED;
			self->deadline = deadline_ns;
			self->parker = p;
			p->sleeper = self;
		}
		switch_away(s, self);
		p->sleeper = NULL;
		self->parker = NULL;
	}
	permit = p->permit;
	p->permit = false;
	pthread_mutex_unlock(&s->lock);
	return permit;
}

static void sim_unpark(struct host_parker *p)
{
	struct host_sim *s = p->sim;
	struct host_thread *t;

	pthread_mutex_lock(&s->lock);
	p->permit = true;
	t = p->sleeper;
	if (t && t->state == THREAD_PARKED)
		make_ready(t);
	if (!s->running)
		pass_baton(s);
	pthread_mutex_unlock(&s->lock);
}

/* ---- threads ------------------------------------------------------------------------------------------ */

static void thread_init(struct host_thread *t, struct host_sim *s)
{
	t->sim = s;
	t->deadline = HOST_FOREVER;
	list_init(&t->ready);
	pthread_cond_init(&t->baton, NULL);
	list_add_tail(&t->node, &s->threads);
}

static void *thread_main(void *arg)
{
	struct host_thread *self = arg, *t;
	struct host_sim *s = self->sim;

	pthread_mutex_lock(&s->lock);
	self->id = pthread_self(); /* the starter may not have got it yet */
	while (s->running != self)
		pthread_cond_wait(&self->baton, &s->lock);
	pthread_mutex_unlock(&s->lock);

	self->fn(self->arg);

	pthread_mutex_lock(&s->lock);
	self->state = THREAD_ENDED;
	list_for_each_entry(t, &s->threads, node)
		if (t->state == THREAD_JOINING && t->joins == self)
			make_ready(t);
	pass_baton(s);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static struct host_thread *sim_thread_start(struct host *h, const char *name, void (*fn)(void *arg),
					    void *arg)
{
	struct host_sim *s = sim_of(h);
	struct host_thread *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	pthread_mutex_lock(&s->lock);
	thread_init(t, s);
	err = pthread_create(&t->id, NULL, thread_main, t);
	if (err) {
		list_del(&t->node);
		pthread_mutex_unlock(&s->lock);
		pthread_cond_destroy(&t->baton);
		free(t);
		errno = err;
		return NULL;
	}
	pthread_setname_np(t->id, name);
	make_ready(t);
	pthread_mutex_unlock(&s->lock);
	return t;
}

static void sim_thread_join(struct host_thread *t)
{
	struct host_sim *s = t->sim;
	struct host_thread *self;

	pthread_mutex_lock(&s->lock);
	if (t->state != THREAD_ENDED) {
		self = s->running;
		assert(self && pthread_equal(self->id, pthread_self()));
		self->state = THREAD_JOINING;
		self->joins = t;
		switch_away(s, self);
		self->joins = NULL;
	}
	list_del(&t->node);
	pthread_mutex_unlock(&s->lock);
	pthread_join(t->id, NULL);
	pthread_cond_destroy(&t->baton);
	free(t);
}

static void sim_destroy(struct host *h)
{
	struct host_sim *s = sim_of(h);

	assert(s->threads.next == &s->creator.node && s->threads.prev == &s->creator.node);
	pthread_cond_destroy(&s->creator.baton);
	pthread_mutex_destroy(&s->lock);
	random_streams_fini(&s->streams);
	free(s);
}

/* Nobody outside can be waited for in virtual time. */
static struct host_watch *sim_watch_create(struct host *h, int fd, void (*ready)(void *arg),
					   void *arg)
{
	errno = EOPNOTSUPP;
	return NULL;
}

static void sim_watch_arm(struct host_watch *w, u32 events)
{
	assert(!"there are no watches");
}

static void sim_watch_free(struct host_watch *w)
{
	assert(!w);
}

static const struct host_ops host_sim_ops = {
	.now = sim_now,
	.realtime = sim_realtime,
	.random = sim_random,
	.parker_create = sim_parker_create,
	.parker_free = sim_parker_free,
	.park = sim_park,
	.unpark = sim_unpark,
	.thread_start = sim_thread_start,
	.thread_join = sim_thread_join,
	.watch_create = sim_watch_create,
	.watch_arm = sim_watch_arm,
	.watch_free = sim_watch_free,
	.destroy = sim_destroy,
};

struct host *host_sim_create(u64 seed, u64 start_realtime_ns)
{
	struct host_sim *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->host.ops = &host_sim_ops;
	s->host.virtual_time = true;
	s->start_realtime = start_realtime_ns;
	random_streams_init(&s->streams, true, seed);
	pthread_mutex_init(&s->lock, NULL);
	list_init(&s->threads);
	list_init(&s->ready);
	thread_init(&s->creator, s);
	s->creator.id = pthread_self();
	s->creator.state = THREAD_RUNNING;
	s->running = &s->creator;
	return &s->host;
}
