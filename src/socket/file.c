/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.c - reference counts of open files
 *
 * A program's handle is a reference too; calls in progress take one of their own, so that a file may be closed by one thread
 * while another sleeps in it. Linux keeps such a call waiting; we wake it, because a handle that was given back must not
 * be needed to end the wait.
 */
#include "socket/file.h"

#include <stdlib.h>

#include "socket/sock_replica.h"
#include "socket/socket_internal.h"

void file_init(struct file *f, struct machine *m, const struct file_operations *ops)
{
	f->ops = ops;
	f->machine = m;
	f->refcount = 1;
	f->handles = 1;
	f->flags = 0;
	f->watched = false;
	list_init(&f->ep_links);
}

void file_release(struct file *f)
{
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

struct file_batch *file_batch_alloc(u32 room)
{
	struct file_batch *b = malloc(sizeof(*b) + room * sizeof(b->files[0]));

	if (b)
		b->count = 0;
	return b;
}

void file_batch_retire(struct machine *m, struct file_batch *b)
{
	struct machine_sock *ms = m->sock;

	pthread_mutex_lock(&ms->files_lock);
	list_add_tail(&b->node, &ms->retired);
	__atomic_store_n(&ms->have_retired, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&ms->files_lock);
}

/* The next batch, or NULL. One thread at a time empties the list: closing a file may retire more, and a chain of them must not become a
 * chain of calls. */
static struct file_batch *file_batch_next(struct machine_sock *ms, bool first)
{
	struct file_batch *b = NULL;

	pthread_mutex_lock(&ms->files_lock);
	if (!first || !ms->putting) {
		b = list_first_entry_or_null(&ms->retired, struct file_batch, node);
		if (b)
			list_del(&b->node);
		ms->putting = b != NULL;
		__atomic_store_n(&ms->have_retired,
				 !list_empty(&ms->retired) || !list_empty(&ms->retired_replicas),
				 __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&ms->files_lock);
	return b;
}

void __file_batches_put(struct machine *m)
{
	struct file_batch *b;

	sock_replicas_put(m);
	for (b = file_batch_next(m->sock, true); b; b = file_batch_next(m->sock, false)) {
		for (u32 i = 0; i < b->count; i++)
			file_close(b->files[i]);
		free(b);
	}
}
