/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inotify.c - what programs do to files without a notified call: views that are written (views.c), ends that are closed (sock.c)
 *
 * The kernel tells of sockets what it tells of files: when the last descriptor of one is closed, whoever holds it, even in flight over
 * AF_UNIX. There may be no inotify (its instances and watches are limited, for all processes of a user): then views cannot be
 * written, and ends are looked for (ident.c). Its events are swept with those of our ends, before each notification.
 */
#include "run_internal.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

static void event(struct run *r, const struct inotify_event *ev)
{
	if (ev->mask & IN_Q_OVERFLOW)
		asock_close_events_lost(r);
	else
		asock_close_event(r, ev->wd);
	views_event(r, ev);
}

static void source_event(struct loop_source *src, uint32_t events)
{
	struct run *r = (struct run *)((char *)src - offsetof(struct run, inotify_source));
	char buf[4096] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = read(src->fd, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *ev = (const struct inotify_event *)p;

			event(r, ev);
			p += sizeof(*ev) + ev->len;
		}
}

void inotify_open(struct run *r)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return;
	if (loop_add(r, r->ep_ends, &r->inotify_source, fd, EPOLLIN, source_event)) {
		close(fd);
		r->inotify_source.fd = -1;
	}
}

void inotify_close(struct run *r)
{
	if (r->inotify_source.fd >= 0)
		close(r->inotify_source.fd);
	r->inotify_source.fd = -1;
}

int inotify_watch(struct run *r, int fd, uint32_t mask)
{
	char link[40];
	int wd;

	if (r->inotify_source.fd < 0)
		return -ENOSPC;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(r->inotify_source.fd, link, mask);
	return wd < 0 ? -errno : wd;
}

void inotify_unwatch(struct run *r, int wd)
{
	if (r->inotify_source.fd >= 0)
		inotify_rm_watch(r->inotify_source.fd, wd);
}
