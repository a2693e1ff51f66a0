/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.c - a world in virtual time for threads that know nothing of it
 *
 * Theory of operation
 *   Time in a weir world passes when all threads that it knows sleep. packetdrill's threads are its own: one runs the script, another one
 *   makes the system calls that block, and whether such a call has blocked the script's thread sees by the other's being asleep.
 *   So a thread of ours, the driver's, makes the world, which makes it the one whose sleep lets time pass, and does one by one what
 *   the tool's threads ask for. These really sleep until they have their answer.
 *   System calls run in threads of the world, one each. For one of the script's thread time passes until it returns. One of another thread
 *   begins at once and then goes on beside what the script's thread does; when it returns, time stands still until the tool's
 *   thread has taken the result and sleeps again (settle()): in real time it would have had aeons for that.
 *   At its end the tool waits for its other thread without asking anything of us. Then, and only then, the driver lets time pass on its own
 *   account: when the script's thread has been seen waiting for another thread for a while (patience()).
 * Invariants
 *   The driver's thread alone touches the world, the sysctls and the calls that run. The lock guards the queue of requests, and
 *   what is handed back.
 */
#include "drill/plugin/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

#include "drill/cable.h"
#include "drill/plugin/flags.h"
#include "drill/plugin/follow.h"

#define DAY         (86400ULL * 1000000000ULL) /* nobody in a stack plans further ahead */
#define USEC        1000ULL
#define SETTLE_MS   1000 /* of real time: then it is busy with something that is not ours */
#define LOOK_NS     1000000
#define PATIENCE    10 /* looks at the script's thread, one a millisecond */
#define MAX_GLANCES 4  /* a loop around the clock goes on */
#define NR_FILES    4096

enum request_kind { REQUEST_SYS, REQUEST_SEND, REQUEST_RECEIVE, REQUEST_SLEEP };

struct request {
	struct request *next; /* of the queue, then of the calls that run */
	struct driver *d;
	enum request_kind kind;
	pid_t tid;
	enum drill_sys nr; /* SYS */
	unsigned long arg[6];
	void *buf; /* SEND, RECEIVE */
	size_t len;
	uint64_t ns; /* SLEEP; time of RECEIVE */
	long result;
	void *thread;
	bool returned; /* the system call has; written by its thread */
	bool answered; /* by the driver */
};

struct driver {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t asked, answer;
	struct request *first, **tail; /* the queue */
	bool started, stop;
	bool busy;        /* the driver is with a request */
	unsigned glances; /* at the clock since the last answer, without time passing */
	bool taken;       /* the last answer to another thread than the script's */

	pid_t script; /* the script's thread */
	struct drill_world *world;
	struct drill_cable cable;
	struct follow *follow;
	struct request *running; /* system calls */

	struct flags flags;
	int err; /* of the start */
	char *error;
	size_t error_size;
};

/* ---- the tool's threads ---------------------------------------------------------------------------------- */

static pid_t my_tid(void)
{
	return (pid_t)syscall(SYS_gettid);
}

enum sight {
	SIGHT_RUNS,
	SIGHT_WAITS,  /* for another thread */
	SIGHT_SLEEPS, /* in another system call */
	SIGHT_GONE,
};

static enum sight look_at(pid_t tid)
{
	char path[64], text[64];
	enum sight sight = SIGHT_GONE;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	f = fopen(path, "re");
	if (f && fgets(text, sizeof(text), f)) {
		if (text[0] < '0' || text[0] > '9')
			sight = SIGHT_RUNS;
		else
			sight = atol(text) == SYS_futex ? SIGHT_WAITS : SIGHT_SLEEPS;
	}
	if (f)
		fclose(f);
	return sight;
}

static void nap(void)
{
	struct timespec ts = { .tv_nsec = LOOK_NS / 50 };

	nanosleep(&ts, NULL);
}

/* Its answer was given: until it has taken it and sleeps again, or does something that takes long. */
static void settle(struct driver *d, pid_t tid)
{
	pthread_mutex_lock(&d->lock);
	while (!d->taken)
		pthread_cond_wait(&d->asked, &d->lock);
	pthread_mutex_unlock(&d->lock);
	for (int i = 0; i < SETTLE_MS * 50 && look_at(tid) == SIGHT_RUNS; i++)
		nap();
}

static void answer(struct driver *d, struct request *r)
{
	pid_t tid = r->tid;
	bool other = r->kind == REQUEST_SYS && tid != d->script;

	pthread_mutex_lock(&d->lock);
	d->taken = false;
	d->glances = 0;
	r->answered = true; /* @r is the asker's from here on */
	pthread_cond_broadcast(&d->answer);
	pthread_mutex_unlock(&d->lock);
	if (other)
		settle(d, tid);
}

static long ask(struct driver *d, struct request *r)
{
	r->d = d;
	r->tid = my_tid();
	pthread_mutex_lock(&d->lock);
	*d->tail = r;
	d->tail = &r->next;
	pthread_cond_signal(&d->asked);
	while (!r->answered)
		pthread_cond_wait(&d->answer, &d->lock);
	if (r->kind == REQUEST_SYS && r->tid != d->script) {
		d->taken = true;
		pthread_cond_signal(&d->asked);
	}
	pthread_mutex_unlock(&d->lock);
	return r->result;
}

/* ---- time ------------------------------------------------------------------------------------------------ */

static uint64_t world_now(struct driver *d)
{
	return d->world->ops->now(d->world);
}

static bool has_returned(const struct request *r)
{
	return __atomic_load_n(&r->returned, __ATOMIC_ACQUIRE);
}

/* System calls that have returned. */
static void reap(struct driver *d)
{
	struct request **p = &d->running, *r;

	while ((r = *p)) {
		if (!has_returned(r)) {
			p = &r->next;
			continue;
		}
		*p = r->next;
		d->world->ops->thread_join(d->world, r->thread);
		answer(d, r);
	}
}

/* Lets time pass until something happened, a packet or the end of a call, or @until. What can run now has run behind it. */
static void pass(struct driver *d, uint64_t until)
{
	d->world->ops->wait(d->world, until);
	reap(d);
}

/* ---- requests -------------------------------------------------------------------------------------------- */

static void call_thread(void *arg)
{
	struct request *r = arg;
	struct drill_world *w = r->d->world;

	r->result = w->ops->sys(w, r->nr, r->arg);
	__atomic_store_n(&r->returned, true, __ATOMIC_RELEASE);
	w->ops->poke(w);
}

/* Closes what a call waits for: it returns. */
static void end_call(struct driver *d, const struct request *r)
{
	const struct pollfd *fds = (const struct pollfd *)r->arg[0];
	size_t n = r->nr == DRILL_SYS_POLL ? r->arg[1] : 1;

	for (size_t i = 0; i < n; i++) {
		unsigned long arg[6] = { r->nr == DRILL_SYS_POLL ? (unsigned long)fds[i].fd
								 : r->arg[0] };

		d->world->ops->sys(d->world, DRILL_SYS_CLOSE, arg);
	}
}

static void serve_sys(struct driver *d, struct request *r)
{
	const uint64_t limit = world_now(d) + DAY;
	const bool script = r->tid == d->script;

	if (d->follow)
		follow_update(d->follow, drill_world_weir_net(d->world));
	r->thread = d->world->ops->thread_start(d->world, call_thread, r);
	if (!r->thread) {
		r->result = -ENOMEM;
		answer(d, r);
		return;
	}
	if (!script) {
		r->next = d->running;
		d->running = r;
		pass(d, world_now(d)); /* it begins now */
		return;
	}
	while (!has_returned(r) && world_now(d) < limit)
		pass(d, limit);
	if (!has_returned(r)) {
		end_call(d, r);
		while (!has_returned(r))
			pass(d, world_now(d) + USEC);
		r->result = -EDEADLK;
	}
	d->world->ops->thread_join(d->world, r->thread);
	answer(d, r);
}

static void serve_send(struct driver *d, struct request *r)
{
	r->result = d->world->ops->send(d->world, r->buf, r->len, 0);
	pass(d, world_now(d)); /* what it sets off happens now */
	answer(d, r);
}

static void serve_receive(struct driver *d, struct request *r)
{
	const uint64_t limit = world_now(d) + DAY;
	struct drill_frame *f;

	while (!(f = drill_cable_take(&d->cable)) && world_now(d) < limit)
		pass(d, limit);
	if (!f) {
		r->result = 0;
	} else if (f->len > r->len) {
		r->result = -EMSGSIZE;
	} else {
		memcpy(r->buf, f->octets, f->len);
		r->ns = f->time + (d->world->ops->realtime(d->world) - world_now(d));
		r->result = (long)f->len;
	}
	free(f);
	answer(d, r);
}

static void serve_sleep(struct driver *d, struct request *r)
{
	const uint64_t until = world_now(d) + r->ns;

	while (world_now(d) < until)
		pass(d, until);
	r->result = 0;
	r->ns = d->world->ops->realtime(d->world);
	answer(d, r);
}

static void (*const serve[])(struct driver *d, struct request *r) = {
	[REQUEST_SYS] = serve_sys,
	[REQUEST_SEND] = serve_send,
	[REQUEST_RECEIVE] = serve_receive,
	[REQUEST_SLEEP] = serve_sleep,
};

/* ---- the driver's thread --------------------------------------------------------------------------------- */

static int start(struct driver *d)
{
	struct drill_net_config cfg;
	int err = drill_network(&d->flags.options, &cfg, d->error, d->error_size);

	if (err)
		return err;
	d->world = drill_world_weir(&cfg, d->error, d->error_size);
	if (!d->world)
		return -EIO;
	err = drill_cable_start(&d->cable, d->world);
	if (!err && d->flags.follow_sysctls) {
		d->follow = follow_create();
		err = d->follow ? 0 : -ENOMEM;
	}
	if (err)
		snprintf(d->error, d->error_size, "no memory");
	else if (d->follow) /* those that are named win */
		follow_update(d->follow, drill_world_weir_net(d->world));
	for (size_t i = 0; i < d->flags.nr_sysctls && !err; i++) {
		const struct flags_sysctl *s = &d->flags.sysctls[i];

		err = weir_sysctl(drill_world_weir_net(d->world), s->name, s->value);
		if (err)
			snprintf(d->error, d->error_size, "--so_flags: %s=%s: %s", s->name,
				 s->value, strerror(-err));
	}
	return err;
}

static void finish(struct driver *d)
{
	/* Calls that still block end with their files. */
	for (unsigned long fd = 0; d->running && fd < NR_FILES; fd++) {
		unsigned long arg[6] = { fd };

		d->world->ops->sys(d->world, DRILL_SYS_CLOSE, arg);
	}
	while (d->running)
		pass(d, world_now(d) + USEC);
	drill_cable_end(&d->cable);
	follow_free(d->follow);
	if (d->world)
		d->world->ops->destroy(d->world);
}

/* Lock held. Nothing is asked: waits for a request. True: the script's thread waits for a call that needs time to pass. */
static bool patience(struct driver *d)
{
	int looks = 0;

	while (!d->first && !d->stop) {
		struct timespec ts;

		if (!d->running) {
			pthread_cond_wait(&d->asked, &d->lock);
			continue;
		}
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_nsec += LOOK_NS;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_nsec -= 1000000000;
			ts.tv_sec++;
		}
		pthread_cond_timedwait(&d->asked, &d->lock, &ts);
		looks = look_at(d->script) == SIGHT_WAITS ? looks + 1 : 0;
		if (looks == PATIENCE)
			return !d->first;
	}
	return false;
}

static struct request *next_request(struct driver *d)
{
	struct request *r = d->first;

	if (r) {
		d->first = r->next;
		if (!d->first)
			d->tail = &d->first;
		r->next = NULL;
	}
	return r;
}

static void *driver_thread(void *arg)
{
	struct driver *d = arg;
	int err = start(d);

	pthread_mutex_lock(&d->lock);
	d->err = err;
	d->started = true;
	pthread_cond_broadcast(&d->answer);
	while (!err && !d->stop) {
		bool alone = patience(d);
		struct request *r = next_request(d);

		d->busy = r || alone;
		pthread_mutex_unlock(&d->lock);
		if (r)
			serve[r->kind](d, r);
		else if (alone)
			pass(d, world_now(d) + DAY);
		pthread_mutex_lock(&d->lock);
		d->busy = false;
	}
	pthread_mutex_unlock(&d->lock);
	finish(d);
	return NULL;
}

/* ---- for the tool ---------------------------------------------------------------------------------------- */

static void release(struct driver *d)
{
	flags_free(&d->flags);
	pthread_cond_destroy(&d->asked);
	pthread_cond_destroy(&d->answer);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

struct driver *driver_create(const char *flags, char *error, size_t size)
{
	struct driver *d = calloc(1, sizeof(*d));
	int err;

	if (!d) {
		snprintf(error, size, "no memory");
		return NULL;
	}
	d->tail = &d->first;
	d->script = my_tid();
	d->error = error;
	d->error_size = size;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->asked, NULL);
	pthread_cond_init(&d->answer, NULL);
	err = flags_parse(&d->flags, flags, error, size);
	if (!err) {
		err = pthread_create(&d->thread, NULL, driver_thread, d);
		if (err)
			snprintf(error, size, "no thread: %s", strerror(err));
	}
	if (err) {
		release(d);
		return NULL;
	}
	pthread_mutex_lock(&d->lock);
	while (!d->started)
		pthread_cond_wait(&d->answer, &d->lock);
	err = d->err;
	pthread_mutex_unlock(&d->lock);
	if (!err)
		return d;
	pthread_join(d->thread, NULL);
	release(d);
	return NULL;
}

void driver_destroy(struct driver *d)
{
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_cond_signal(&d->asked);
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	release(d);
}

long driver_sys(struct driver *d, enum drill_sys nr, const unsigned long arg[6])
{
	struct request r = { .kind = REQUEST_SYS, .nr = nr };

	memcpy(r.arg, arg, sizeof(r.arg));
	return ask(d, &r);
}

int driver_send(struct driver *d, const void *packet, size_t len)
{
	struct request r = { .kind = REQUEST_SEND, .buf = (void *)(uintptr_t)packet, .len = len };

	return (int)ask(d, &r);
}

ssize_t driver_receive(struct driver *d, void *buf, size_t size, uint64_t *ret_time)
{
	struct request r = { .kind = REQUEST_RECEIVE, .buf = buf, .len = size };
	ssize_t n = ask(d, &r);

	if (n > 0)
		*ret_time = r.ns;
	return n;
}

void driver_sleep(struct driver *d, uint64_t ns)
{
	struct request r = { .kind = REQUEST_SLEEP, .ns = ns };

	ask(d, &r);
}

uint64_t driver_time(struct driver *d)
{
	struct request r = { .kind = REQUEST_SLEEP, .ns = USEC };

	bool busy;

	/* While time passes for a thread, it does not for another one that has just got its result. */
	pthread_mutex_lock(&d->lock);
	busy = d->busy && d->glances < MAX_GLANCES;
	d->glances += busy;
	pthread_mutex_unlock(&d->lock);
	if (busy)
		return d->world->ops->realtime(d->world);
	ask(d, &r);
	return r.ns;
}
