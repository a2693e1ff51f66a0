/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch.c - one thread that waits for the descriptors of devices
 *
 * Theory of operation
 *   An epoll instance holds all watches of a host, each for one event at a time (EPOLLONESHOT): who was told reads the descriptor until it
 *   is empty and arms the watch again, so that a device under load costs no wake-up per frame. The thread exists from the first watch on.
 *   Events name their watch by number, not by address: one that was removed between epoll_wait() and the call is not found any more.
 * Locking: watcher->lock, a leaf but for what ready() takes (it hands work to a cpu). Arming takes no lock.
 */
#include "host/linux/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define STOP_ID 0

struct host_watch {
	struct list_head node;
	struct watcher *wr;
	u64 id;
	int fd;
	void (*ready)(void *arg);
	void *arg;
};

static void call_ready(struct watcher *wr, u64 id)
{
	struct host_watch *w;

	list_for_each_entry(w, &wr->watches, node) {
		if (w->id == id) {
			w->ready(w->arg);
			return;
		}
	}
}

static void *watcher_main(void *arg)
{
	struct watcher *wr = arg;
	struct epoll_event evs[16];
	bool stop = false;
	int n, i;

	while (!stop) {
		n = epoll_wait(wr->epoll_fd, evs, ARRAY_SIZE(evs), -1);
		pthread_mutex_lock(&wr->lock);
		for (i = 0; i < n; i++) {
			if (evs[i].data.u64 == STOP_ID)
				stop = true;
			else
				call_ready(wr, evs[i].data.u64);
		}
		pthread_mutex_unlock(&wr->lock);
	}
	return NULL;
}

/* Signals of the process are for the program's own threads. */
static int start_thread(struct watcher *wr)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&wr->thread, NULL, watcher_main, wr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_setname_np(wr->thread, "weir/watch");
	return err;
}

/* Lock held. 0 or an errno */
static int watcher_open(struct watcher *wr)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = STOP_ID };
	int err;

	if (wr->epoll_fd >= 0)
		return 0;
	wr->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (wr->epoll_fd < 0)
		return errno;
	wr->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (wr->stop_fd < 0) {
		err = errno;
		goto out_epoll;
	}
	err = epoll_ctl(wr->epoll_fd, EPOLL_CTL_ADD, wr->stop_fd, &ev) ? errno : start_thread(wr);
	if (!err)
		return 0;
	close(wr->stop_fd);
out_epoll:
	close(wr->epoll_fd);
	wr->epoll_fd = wr->stop_fd = -1;
	return err;
}

struct host_watch *watcher_add(struct watcher *wr, int fd, void (*ready)(void *arg), void *arg)
{
	struct host_watch *w = malloc(sizeof(*w));
	struct epoll_event ev = { .events = EPOLLONESHOT };
	int err;

	if (!w)
		return NULL;
	*w = (struct host_watch){ .wr = wr, .fd = fd, .ready = ready, .arg = arg };
	pthread_mutex_lock(&wr->lock);
	err = watcher_open(wr);
	if (!err) {
		ev.data.u64 = w->id = ++wr->next_id;
		/* Nothing to wait for yet; an error is told all the same, once. */
		if (epoll_ctl(wr->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
			err = errno;
		else
			list_add_tail(&w->node, &wr->watches);
	}
	pthread_mutex_unlock(&wr->lock);
	if (err) {
		free(w);
		errno = err;
		return NULL;
	}
	return w;
}

void watcher_arm(struct host_watch *w, u32 events)
{
	struct epoll_event ev = {
		.events = EPOLLONESHOT | (events & HOST_WATCH_READ ? (u32)EPOLLIN : 0) |
			  (events & HOST_WATCH_WRITE ? (u32)EPOLLOUT : 0),
		.data.u64 = w->id,
	};

	(void)epoll_ctl(w->wr->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev); /* it is in there */
}

void watcher_remove(struct host_watch *w)
{
	struct watcher *wr;

	if (!w)
		return;
	wr = w->wr;
	pthread_mutex_lock(&wr->lock);
	(void)epoll_ctl(wr->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	list_del(&w->node);
	pthread_mutex_unlock(&wr->lock);
	free(w);
}

void watcher_init(struct watcher *wr)
{
	*wr = (struct watcher){ .epoll_fd = -1, .stop_fd = -1 };
	pthread_mutex_init(&wr->lock, NULL);
	list_init(&wr->watches);
}

void watcher_fini(struct watcher *wr)
{
	u64 one = 1;

	assert(list_empty(&wr->watches));
	if (wr->epoll_fd >= 0) {
		while (write(wr->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
		pthread_join(wr->thread, NULL);
		close(wr->stop_fd);
		close(wr->epoll_fd);
	}
	pthread_mutex_destroy(&wr->lock);
}
