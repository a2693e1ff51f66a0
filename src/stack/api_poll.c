/* SPDX-License-Identifier: BSD-2-Clause */
/* api_poll.c - poll and epoll of the embedding API */
#include <errno.h>
#include <stdlib.h>

#include "socket/socket.h"
#include "stack/stack.h"

int weir_poll(struct weir_machine *wm, struct weir_pollfd *fds, unsigned n, uint64_t timeout_ns)
{
	struct file_poll few[16], *p = few;
	int ready;

	if (n > ARRAY_SIZE(few)) {
		p = calloc(n, sizeof(*p));
		if (!p)
			return -ENOMEM;
	}
	for (unsigned i = 0; i < n; i++)
		p[i] = (struct file_poll){ .file = file_of(fds[i].file),
					   .events = (u16)fds[i].events };
	ready = files_poll(wm->m, p, n, timeout_ns);
	for (unsigned i = 0; i < n; i++)
		fds[i].revents = ready < 0 ? 0 : (short)p[i].revents;
	if (p != few)
		free(p);
	return ready;
}

unsigned weir_poll_now(struct weir_file *wf)
{
	struct file *f = file_get(file_of(wf));
	unsigned mask = f->ops->poll(f, NULL);

	file_put(f);
	return mask;
}

int weir_epoll_create(struct weir_machine *wm, struct weir_file **ret_file)
{
	struct file *f;
	int err = eventpoll_create(wm->m, &f);

	if (!err)
		*ret_file = to_weir_file(f);
	return err;
}

int weir_epoll_ctl(struct weir_file *ep, int op, struct weir_file *target, struct epoll_event *ev)
{
	struct file *e = file_get(file_of(ep)), *f = file_get(file_of(target));
	int err = eventpoll_ctl(e, op, f, ev);

	file_put(f);
	file_put(e);
	return err;
}

int weir_epoll_wait(struct weir_file *ep, struct epoll_event *evs, int max, uint64_t timeout_ns)
{
	struct file *e = file_get(file_of(ep));
	int n = eventpoll_wait(e, evs, max, timeout_ns);

	file_put(e);
	return n;
}
