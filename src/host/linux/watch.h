/* SPDX-License-Identifier: BSD-2-Clause */
/* watch.h - for host_linux.c: descriptors that devices wait for. See watch.c */
#ifndef WEIR_HOST_LINUX_WATCH_H
#define WEIR_HOST_LINUX_WATCH_H

#include <pthread.h>

#include "host/host.h"
#include "lib/list.h"

struct watcher {
	pthread_mutex_t lock; /* guards all below, and is held while ready() runs */
	struct list_head watches;
	u64 next_id;
	int epoll_fd, stop_fd; /* -1: there was no watch yet */
	pthread_t thread;
};

void watcher_init(struct watcher *wr);
void watcher_fini(struct watcher *wr); /* no watch is left */
struct host_watch *watcher_add(struct watcher *wr, int fd, void (*ready)(void *arg), void *arg);
void watcher_arm(struct host_watch *w, u32 events);
void watcher_remove(struct host_watch *w);

#endif
