/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h - open files: what a descriptor refers to
 *
 * file table (optional, struct weir_files) -> struct file -> struct inode -> struct socket -> struct sock.
 * The public header's struct weir_file is this (stack/api_*.c cast). Reference counts are atomic: files may be shared by threads.
 */
#ifndef WEIR_SOCKET_FILE_H
#define WEIR_SOCKET_FILE_H

#include <sys/types.h>

#include "core/machine.h"
#include "core/wait.h"
#include "lib/list.h"
#include "lib/types.h"

struct file;
struct kmsghdr;
struct machine;

struct file_operations {
	/* EPOLL* bits that hold now. No lock held by the caller; takes the cpu lock itself. If @w is given, it is
	 * queued on the file's wait queue in the same critical section. */
	u32 (*poll)(struct file *f, struct wait_entry *w);
	void (*unpoll)(struct file *f, struct wait_entry *w);
	ssize_t (*read_iter)(struct file *f, struct kmsghdr *msg, size_t len);
	ssize_t (*write_iter)(struct file *f, struct kmsghdr *msg, size_t len);
	int (*ioctl)(struct file *f, unsigned long cmd, void *arg);
	void (*release)(struct file *f); /* last reference is gone */
	/* Optional: the last handle was closed while calls are still inside: wake them. */
	void (*wake)(struct file *f);
};

struct inode {
	u64 ino;
	u32 mode;
	u32 uid;
};

struct file {
	const struct file_operations *ops;
	struct machine *machine;
	u32 refcount; /* handles and calls in progress; atomic, unless the machine is single-threaded */
	u32 handles;  /* atomic: what programs hold (weir_close() gives one back) */
	u32 flags;    /* O_NONBLOCK */
	bool watched; /* atomic: an epoll has watched it, some time */
	struct list_head
		ep_links; /* struct epitem watching this file; leaf lock of the machine's epolls */
};

void file_init(struct file *f, struct machine *m, const struct file_operations *ops);
static inline struct file *file_get(struct file *f)
{
	if (f->machine->single_threaded)
		f->refcount++;
	else
		__atomic_fetch_add(&f->refcount, 1, __ATOMIC_RELAXED);
	return f;
}
void file_release(struct file *f); /* the last reference is gone */
static inline void file_put(struct file *f)
{
	u32 left = f->machine->single_threaded
			   ? --f->refcount
			   : __atomic_sub_fetch(&f->refcount, 1, __ATOMIC_ACQ_REL);

	if (unlikely(!left))
		file_release(f);
}
/* Another handle, and giving one back. Calls inside a file whose last handle goes are woken and fail with -EBADF. */
struct file *file_dup(struct file *f);
void file_close(struct file *f);
static inline bool file_closed(const struct file *f)
{
	return !__atomic_load_n(&f->handles, __ATOMIC_ACQUIRE);
}

/*
 * Handles that travel together (SCM_RIGHTS), or that are to be given back. Giving one back may take any cpu's lock, so who holds a
 * lock retires the batch, and it is given back when the call leaves the stack (socket.c).
 */
struct file_batch {
	struct list_head node; /* machine_sock.retired; files_lock */
	u32 count;
	struct file *files[];
};

struct file_batch *file_batch_alloc(u32 room); /* NULL: no memory */
void file_batch_retire(struct machine *m, struct file_batch *b);

#endif
