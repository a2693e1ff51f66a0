/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_linux.c - real time: CLOCK_MONOTONIC, getrandom, pthreads, futex-backed condition variables
 *
 * The seeded variant draws from named streams instead of getrandom: the same seed gives the same choices, while time stays real.
 */
#include "host/host.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "host/streams.h"

struct linux_host {
	struct host host;
	bool seeded;
	struct random_streams streams;
};

struct host_parker {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool permit;
};

struct host_thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static u64 clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (u64)t.tv_sec * NSEC_PER_SEC + (u64)t.tv_nsec;
}

static u64 linux_now(struct host *h)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static u64 linux_realtime(struct host *h)
{
	return clock_ns(CLOCK_REALTIME);
}

static void linux_random(struct host *h, const char *name, void *buf, size_t len)
{
	struct linux_host *lh = container_of(h, struct linux_host, host);
	u8 *p = buf;

	if (lh->seeded) {
		random_streams_draw(&lh->streams, name, buf, len);
		return;
	}
	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort(); /* no entropy means no secret keys: going on would be worse */
		p += n;
		len -= (size_t)n;
	}
}

static struct host_parker *linux_parker_create(struct host *h)
{
	struct host_parker *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->cond, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

static void linux_parker_free(struct host_parker *p)
{
	if (!p)
		return;
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static bool linux_park(struct host_parker *p, u64 deadline_ns)
{
	struct timespec until = { (time_t)(deadline_ns / NSEC_PER_SEC), (long)(deadline_ns % NSEC_PER_SEC) };
	bool unparked;
	int err = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->permit && err == 0)
		err = deadline_ns == HOST_FOREVER ? pthread_cond_wait(&p->cond, &p->lock) :
						    pthread_cond_timedwait(&p->cond, &p->lock, &until);
	unparked = p->permit;
	p->permit = false;
	pthread_mutex_unlock(&p->lock);
	return unparked;
}

static void linux_unpark(struct host_parker *p)
{
	pthread_mutex_lock(&p->lock);
	p->permit = true;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
}

static void *linux_thread_main(void *arg)
{
	struct host_thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

static struct host_thread *linux_thread_start(struct host *h, const char *name, void (*fn)(void *arg), void *arg)
{
	struct host_thread *t = calloc(1, sizeof(*t));
	char short_name[16];

	if (!t)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	if (pthread_create(&t->id, NULL, linux_thread_main, t) != 0) {
		free(t);
		return NULL;
	}
	strncpy(short_name, name, sizeof(short_name) - 1);
	short_name[sizeof(short_name) - 1] = '\0';
	pthread_setname_np(t->id, short_name);
	return t;
}

static void linux_thread_join(struct host_thread *t)
{
	pthread_join(t->id, NULL);
	free(t);
}

static void linux_destroy(struct host *h)
{
	struct linux_host *lh = container_of(h, struct linux_host, host);

	random_streams_fini(&lh->streams);
	free(lh);
}

static const struct host_ops linux_ops = {
	.now = linux_now,
	.realtime = linux_realtime,
	.random = linux_random,
	.parker_create = linux_parker_create,
	.parker_free = linux_parker_free,
	.park = linux_park,
	.unpark = linux_unpark,
	.thread_start = linux_thread_start,
	.thread_join = linux_thread_join,
	.destroy = linux_destroy,
};

static struct host *linux_create(bool seeded, u64 seed)
{
	struct linux_host *lh = calloc(1, sizeof(*lh));

	if (!lh)
		return NULL;
	lh->host.ops = &linux_ops;
	lh->seeded = seeded;
	random_streams_init(&lh->streams, seed);
	return &lh->host;
}

struct host *host_linux_create(void)
{
	return linux_create(false, 0);
}

struct host *host_linux_create_seeded(u64 seed)
{
	return linux_create(true, seed);
}
