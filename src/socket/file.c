/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.c - reference counts of open files
 *
 * A program's handle is a reference too; calls in progress take one of their own, so that a file may be closed by one thread
 * while another sleeps in it. Linux keeps such a call waiting; we wake it, because a handle that was given back must not
 * be needed to end the wait.
 */
#include "socket/file.h"

#include "socket/socket.h"

void file_init(struct file *f, struct machine *m, const struct file_operations *ops)
{
	f->ops = ops;
	f->machine = m;
	f->refcount = 1;
	f->handles = 1;
	f->flags = 0;
	list_init(&f->ep_links);
}

void file_put(struct file *f)
{
	if (__atomic_sub_fetch(&f->refcount, 1, __ATOMIC_ACQ_REL))
		return;
	eventpoll_release_file(f);
	f->ops->release(f);
}

struct file *file_dup(struct file *f)
{
	__atomic_fetch_add(&f->handles, 1, __ATOMIC_RELAXED);
	return file_get(f);
}

void file_close(struct file *f)
{
	if (!__atomic_sub_fetch(&f->handles, 1, __ATOMIC_ACQ_REL) &&
	    __atomic_load_n(&f->refcount, __ATOMIC_ACQUIRE) > 1) {
		eventpoll_release_file(f);
		if (f->ops->wake)
			f->ops->wake(f);
	}
	file_put(f);
}
