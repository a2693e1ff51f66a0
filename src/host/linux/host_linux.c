/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_linux.c - the host in real time: CLOCK_MONOTONIC, futexes, pthreads
 *
 * A parker is one futex word: EMPTY, PERMIT (unparked, not yet consumed) or WAITING (its thread sleeps). Neither parking with a
 * permit nor unparking a thread that is awake is a system call. See futex(2).
 */
#include "host/host.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/linux/tsc.h"
#include "host/linux/watch.h"
#include "host/streams.h"

struct host_linux {
	struct host host;
	struct random_streams streams;
	struct watcher watcher;
	struct tsc_clock tsc;
};

enum { EMPTY, PERMIT, WAITING };

#define SHORT_NS 2000 /* so short a sleep is spent awake */

struct host_parker {
	u32 state; /* atomic */
};

struct host_thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

static u64 linux_now(struct host *h)
{
	struct tsc_clock *c = &((struct host_linux *)h)->tsc;
	u64 tsc, now;

	if (unlikely(!c->usable))
		return clock_ns(CLOCK_MONOTONIC);
	tsc = tsc_read();
	now = tsc_clock_at(c, tsc);
	if (unlikely(!now)) {
		now = clock_ns(CLOCK_MONOTONIC);
		/* Who was interrupted in between would set the clock ahead. */
		if (tsc_read() - tsc < TSC_PROMPT)
			tsc_clock_sync(c, tsc, now);
	}
	return now;
}

static u64 linux_realtime(struct host *h)
{
	return clock_ns(CLOCK_REALTIME);
}

static void linux_random(struct host *h, const char *name, void *buf, size_t len)
{
	random_streams_get(&((struct host_linux *)h)->streams, name, buf, len);
}

static struct host_parker *linux_parker_create(struct host *h)
{
	return calloc(1, sizeof(struct host_parker));
}

static void linux_parker_free(struct host_parker *p)
{
	free(p);
}

/* Until the word changes or the deadline, which is absolute on CLOCK_MONOTONIC with this operation. False: it passed. */
static bool futex_wait(u32 *word, u32 expected, u64 deadline_ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(deadline_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(deadline_ns % NSEC_PER_SEC),
	};
	long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
			 deadline_ns == HOST_FOREVER ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY);

	return r == 0 || errno != ETIMEDOUT;
}

/* The kernel would make some 60 us of it: timer_slack, and the way to sleep and back. */
static bool park_shortly(struct host_parker *p, u64 deadline_ns)
{
	do {
		if (__atomic_exchange_n(&p->state, EMPTY, __ATOMIC_ACQUIRE) == PERMIT)
			return true;
	} while (clock_ns(CLOCK_MONOTONIC) < deadline_ns);
	return false;
}

static bool linux_park(struct host_parker *p, u64 deadline_ns)
{
	u32 state = EMPTY;

	if (__atomic_exchange_n(&p->state, EMPTY, __ATOMIC_ACQUIRE) == PERMIT)
		return true;
	if (!deadline_ns)
		return false;
	if (deadline_ns < clock_ns(CLOCK_MONOTONIC) + SHORT_NS)
		return park_shortly(p, deadline_ns);
	if (__atomic_compare_exchange_n(&p->state, &state, WAITING, false, __ATOMIC_ACQUIRE,
					__ATOMIC_ACQUIRE))
		while (__atomic_load_n(&p->state, __ATOMIC_ACQUIRE) == WAITING &&
		       futex_wait(&p->state, WAITING, deadline_ns))
			;
	return __atomic_exchange_n(&p->state, EMPTY, __ATOMIC_ACQUIRE) == PERMIT;
}

static void linux_unpark(struct host_parker *p)
{
	if (__atomic_exchange_n(&p->state, PERMIT, __ATOMIC_RELEASE) == WAITING)
		syscall(SYS_futex, &p->state, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

static void *thread_main(void *arg)
{
	struct host_thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

static struct host_thread *linux_thread_start(struct host *h, const char *name,
					      void (*fn)(void *arg), void *arg)
{
	struct host_thread *t = malloc(sizeof(*t));
	int err;

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	err = pthread_create(&t->id, NULL, thread_main, t);
	if (err) {
		free(t);
		errno = err;
		return NULL;
	}
	pthread_setname_np(t->id, name);
	return t;
}

static void linux_thread_join(struct host_thread *t)
{
	pthread_join(t->id, NULL);
	free(t);
}

static struct host_watch *linux_watch_create(struct host *h, int fd, void (*ready)(void *arg),
					     void *arg)
{
	return watcher_add(&((struct host_linux *)h)->watcher, fd, ready, arg);
}

static void linux_destroy(struct host *h)
{
	struct host_linux *l = (struct host_linux *)h;

	watcher_fini(&l->watcher);
	random_streams_fini(&l->streams);
	free(l);
}

static const struct host_ops host_linux_ops = {
	.now = linux_now,
	.realtime = linux_realtime,
	.random = linux_random,
	.parker_create = linux_parker_create,
	.parker_free = linux_parker_free,
	.park = linux_park,
	.unpark = linux_unpark,
	.thread_start = linux_thread_start,
	.thread_join = linux_thread_join,
	.watch_create = linux_watch_create,
	.watch_arm = watcher_arm,
	.watch_free = watcher_remove,
	.destroy = linux_destroy,
};

static struct host *linux_create(bool seeded, u64 seed)
{
	struct host_linux *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->host.ops = &host_linux_ops;
	random_streams_init(&l->streams, seeded, seed);
	watcher_init(&l->watcher);
	l->tsc.usable = tsc_usable();
	return &l->host;
}

struct host *host_linux_create(void)
{
	return linux_create(false, 0);
}

struct host *host_linux_create_seeded(u64 seed)
{
	return linux_create(true, seed);
}

void host_credentials(struct host_credentials *ret)
{
	*ret = (struct host_credentials){ (u32)getpid(), geteuid(), getegid() };
}
