/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - the stack's only door to the operating system: time, entropy, threads, sleeping
 *
 * Theory of operation
 *   A machine is created on a host and owns it. host/linux is real time; host/sim is virtual time with a
 *   seed. The stack never calls the clock, sleeps or draws random numbers any other way.
 *
 *   Sleeping is parking. A parker belongs to one thread; host_park() returns after host_unpark() or at the
 *   deadline. An unpark that comes first is remembered (one permit), so there is no lost wake-up. Nobody
 *   parks while holding a cpu lock, therefore locks are plain mutexes on every host.
 *
 *   Virtual time (host/sim): threads that the host knows (host_thread_start() and the creator) pass a baton:
 *   exactly one runs, the others are parked or wait for the baton. When all are parked, time jumps to the
 *   earliest deadline and that thread runs; ties are broken by thread number, so runs repeat.
 *
 *   Descriptors: a device that is backed by one is told when it can be read or written (a watch). The telling comes from a thread of
 *   the host's, so that it reaches whoever sleeps for the cpu, in whichever way: the function hands work to the cpu and returns.
 *
 * Context: any. No function here takes a stack lock.
 */
#ifndef WEIR_HOST_HOST_H
#define WEIR_HOST_HOST_H

#include "lib/types.h"

#define HOST_FOREVER UINT64_MAX /* a deadline that never comes */

struct host;
struct host_parker;
struct host_thread;
struct host_watch;

enum { HOST_WATCH_READ = 1, HOST_WATCH_WRITE = 2 };

struct host_ops {
	/* Nanoseconds since an arbitrary start. Between two threads, and two calls of one, it may seem to go back by less than a microsecond. */
	u64 (*now)(struct host *h);
	/* Nanoseconds since 1970 (virtual: the start date of the configuration plus now). */
	u64 (*realtime)(struct host *h);
	/* Fills @buf from the random stream @name. Streams are independent of each other and of how much
	 * the others were used; under a seed each is a function of seed and name alone. */
	void (*random)(struct host *h, const char *name, void *buf, size_t len);

	struct host_parker *(*parker_create)(struct host *h); /* NULL: out of memory */
	void (*parker_free)(struct host_parker *p);
	/* Sleeps until unparked or @deadline_ns (host_now() scale). True if unparked. 0 only takes a permit that is there, and
	 * never gives way to another thread. One thread at a time per parker. */
	bool (*park)(struct host_parker *p, u64 deadline_ns);
	void (*unpark)(struct host_parker *p); /* any thread */

	struct host_thread *(*thread_start)(struct host *h, const char *name, void (*fn)(void *arg),
					    void *arg);
	void (*thread_join)(struct host_thread *t);

	/* Watches @fd, which stays the caller's and must outlive the watch; not armed yet. NULL with errno: no memory, not a descriptor
	 * that can be waited for, EOPNOTSUPP under virtual time. */
	struct host_watch *(*watch_create)(struct host *h, int fd, void (*ready)(void *arg),
					   void *arg);
	/* Asks for one call of ready() when the descriptor is as @events (HOST_WATCH_*) say, or has failed; again after each call. */
	void (*watch_arm)(struct host_watch *w, u32 events);
	/* ready() is not running and will not be called when this returns. Not with a cpu lock held. NULL is fine. */
	void (*watch_free)(struct host_watch *w);

	void (*destroy)(struct host *h);
};

struct host {
	const struct host_ops *ops;
	bool virtual_time;
};

/* Both return NULL with errno set when there is no memory. */
struct host *host_linux_create(void);
/* @start_realtime_ns: what realtime() says at virtual time 0. */
struct host *host_sim_create(u64 seed, u64 start_realtime_ns);
/* Real time, but random streams derived from @seed: repeatable impairments for real programs. */
struct host *host_linux_create_seeded(u64 seed);

/* Who the process is, whatever the clock: SO_PEERCRED of the native AF_UNIX. */
struct host_credentials {
	u32 pid, uid, gid;
};
void host_credentials(struct host_credentials *ret);

/* linux/object.c: code that is loaded into the process, the same for every host */

/* Maps the shared object @path; all that it needs must be there. NULL: @ret_error says why, at most @size octets. */
void *host_object_open(const char *path, char *ret_error, size_t size);
void *host_object_symbol(void *object, const char *name); /* NULL: it has none of this name */
void host_object_close(void *object);
/*
 * Can nobody but root change what @path is, the file itself and every directory on its way? 0; -ENOENT and the like; -EACCES: others
 * can. @ret_path: its name without links, to be freed.
 */
int host_path_root_only(const char *path, char **ret_path);

static inline u64 host_now(struct host *h)
{
	return h->ops->now(h);
}

static inline u64 host_realtime(struct host *h)
{
	return h->ops->realtime(h);
}

static inline void host_random(struct host *h, const char *name, void *buf, size_t len)
{
	h->ops->random(h, name, buf, len);
}

#endif
