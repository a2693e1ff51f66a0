/* SPDX-License-Identifier: BSD-2-Clause */
/* fdtable.c - numbers for files. Contract: fdtable.h */
#include "socket/fdtable.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "socket/file.h"

struct fd_slot {
	struct file *file; /* a handle; NULL: free */
	bool cloexec;
};

struct files {
	pthread_mutex_t lock;
	struct fd_slot *slots;
	u32 size, limit;
	u32 first_free; /* no lower number is free */
};

struct files *files_alloc(u32 limit)
{
	struct files *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	t->limit = limit;
	return t;
}

void files_free(struct files *t)
{
	if (!t)
		return;
	for (u32 i = 0; i < t->size; i++)
		if (t->slots[i].file)
			file_close(t->slots[i].file);
	pthread_mutex_destroy(&t->lock);
	free(t->slots);
	free(t);
}

/* Makes number @fd exist. Lock held. */
static int files_grow(struct files *t, u32 fd)
{
	u32 size = max(t->size * 2, 16u);
	struct fd_slot *s;

	if (fd < t->size)
		return 0;
	if (fd >= t->limit)
		return -EMFILE;
	size = min(max(size, fd + 1), t->limit);
	s = realloc(t->slots, size * sizeof(*s));
	if (!s)
		return -ENOMEM;
	memset(s + t->size, 0, (size - t->size) * sizeof(*s));
	t->slots = s;
	t->size = size;
	return 0;
}

static int install_locked(struct files *t, struct file *f, u32 from, bool cloexec)
{
	u32 fd = max(from, t->first_free);
	int err;

	while (fd < t->size && t->slots[fd].file)
		fd++;
	err = files_grow(t, fd);
	if (err)
		return err;
	t->slots[fd] = (struct fd_slot){ f, cloexec };
	if (from <= t->first_free)
		t->first_free = fd + 1;
	return (int)fd;
}

int fd_install(struct files *t, struct file *f, int from, bool cloexec)
{
	int fd;

	if (from < 0 || (u32)from >= t->limit)
		return from ? -EINVAL : -EMFILE;
	pthread_mutex_lock(&t->lock);
	fd = install_locked(t, f, (u32)from, cloexec);
	pthread_mutex_unlock(&t->lock);
	return fd;
}

/* Lock held. */
static struct fd_slot *slot_of(struct files *t, int fd)
{
	if (fd < 0 || (u32)fd >= t->size || !t->slots[fd].file)
		return NULL;
	return &t->slots[fd];
}

struct file *fd_get(struct files *t, int fd)
{
	struct fd_slot *s;
	struct file *f;

	pthread_mutex_lock(&t->lock);
	s = slot_of(t, fd);
	f = s ? file_get(s->file) : NULL;
	pthread_mutex_unlock(&t->lock);
	return f;
}

int fd_close(struct files *t, int fd)
{
	struct file *f = NULL;
	struct fd_slot *s;

	pthread_mutex_lock(&t->lock);
	s = slot_of(t, fd);
	if (s) {
		f = s->file;
		s->file = NULL;
		t->first_free = min(t->first_free, (u32)fd);
	}
	pthread_mutex_unlock(&t->lock);
	if (!f)
		return -EBADF;
	file_close(f);
	return 0;
}

int fd_dup3(struct files *t, int fd, int to, bool cloexec)
{
	struct file *old = NULL;
	struct fd_slot *s;
	int err;

	if (fd == to)
		return -EINVAL;
	if (to < 0 || (u32)to >= t->limit)
		return -EBADF;
	pthread_mutex_lock(&t->lock);
	err = slot_of(t, fd) ? files_grow(t, (u32)to) : -EBADF;
	if (!err) {
		s = &t->slots[to];
		old = s->file;
		*s = (struct fd_slot){ file_dup(t->slots[fd].file), cloexec };
	}
	pthread_mutex_unlock(&t->lock);
	if (old)
		file_close(old);
	return err ? err : to;
}

int fd_get_cloexec(struct files *t, int fd)
{
	const struct fd_slot *s;
	int ret;

	pthread_mutex_lock(&t->lock);
	s = slot_of(t, fd);
	ret = s ? s->cloexec : -EBADF;
	pthread_mutex_unlock(&t->lock);
	return ret;
}

int fd_set_cloexec(struct files *t, int fd, bool on)
{
	struct fd_slot *s;

	pthread_mutex_lock(&t->lock);
	s = slot_of(t, fd);
	if (s)
		s->cloexec = on;
	pthread_mutex_unlock(&t->lock);
	return s ? 0 : -EBADF;
}

void files_close_on_exec(struct files *t)
{
	for (u32 fd = 0; fd < t->size; fd++)
		if (fd_get_cloexec(t, (int)fd) == 1)
			fd_close(t, (int)fd);
}

struct files *files_clone(struct files *t)
{
	struct files *c = files_alloc(t->limit);
	int err;

	if (!c)
		return NULL;
	pthread_mutex_lock(&t->lock);
	err = t->size ? files_grow(c, t->size - 1) : 0;
	for (u32 i = 0; !err && i < t->size; i++) {
		c->slots[i] = t->slots[i];
		if (c->slots[i].file)
			file_dup(c->slots[i].file);
	}
	c->first_free = t->first_free;
	pthread_mutex_unlock(&t->lock);
	if (!err)
		return c;
	files_free(c);
	return NULL;
}
