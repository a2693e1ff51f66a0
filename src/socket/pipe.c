/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.c - pipes of 64 KiB, and splice(2) through them
 *
 * Theory of operation
 *   A pipe is a ring of octets with two files. Who splices from a socket reserves room first and fills it when the octets have come; who
 *   splices into one has the reading side for itself and takes off what was sent. So nothing is lost when a socket takes or gives less
 *   than asked for, and no lock is held while it does. Octets are copied: once out of the socket, once into the pipe.
 *   Two writers may finish in another order than they began; each one's octets stay together.
 * Invariants
 *   len + reserved <= PIPE_SIZE. There is one reader at most while @reading.
 * Locking: cpu 0's lock, as for epolls, so that files of the machine can wait for each other.
 * See pipe(7), splice(2).
 */
#include "socket/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "core/machine.h"
#include "core/uio.h"
#include "socket/socket_internal.h"

#define PIPE_ATOMIC 4096 /* PIPE_BUF: writes up to this are all or nothing */

struct pipe;

struct pipe_end {
	struct file file; /* must be first */
	struct pipe *pipe;
	bool closed; /* its file is gone, or its last handle */
	struct wait_queue_head wq;
};

struct pipe {
	struct list_head node;  /* machine_sock.pipes; files_lock */
	struct pipe_end end[2]; /* reads, writes */
	u32 files;              /* that exist */
	u32 head, len, reserved;
	bool reading;
	u8 ring[PIPE_SIZE];
};

static const struct file_operations pipe_fops;

bool file_is_pipe(const struct file *f)
{
	return f->ops == &pipe_fops;
}

static struct pipe_end *pipe_end(const struct file *f)
{
	return (struct pipe_end *)f;
}

static struct cpu *pipe_cpu(const struct file *f)
{
	return f->machine->cpus[0];
}

static bool is_reader(const struct pipe_end *e)
{
	return e == &e->pipe->end[0];
}

static u32 pipe_room(const struct pipe *p)
{
	return PIPE_SIZE - p->len - p->reserved;
}

/* ---- the ring: lock held --------------------------------------------------------------------------------- */

static void ring_put(struct pipe *p, const u8 *from, u32 n)
{
	u32 at = (p->head + p->len) % PIPE_SIZE, first = min(n, PIPE_SIZE - at);

	memcpy(p->ring + at, from, first);
	memcpy(p->ring, from + first, n - first);
	p->len += n;
}

static void ring_peek(const struct pipe *p, u8 *to, u32 n)
{
	u32 first = min(n, PIPE_SIZE - p->head);

	memcpy(to, p->ring + p->head, first);
	memcpy(to + first, p->ring, n - first);
}

static void wake_readers(struct pipe *p, struct cpu *cpu)
{
	wake_up(cpu, &p->end[0].wq, EPOLLIN | EPOLLRDNORM);
}

static void wake_writers(struct pipe *p, struct cpu *cpu)
{
	wake_up(cpu, &p->end[1].wq, EPOLLOUT | EPOLLWRNORM);
}

static int end_wait(struct pipe_end *e, struct cpu *cpu, bool nonblock)
{
	struct wait_entry w;
	int err;

	if (nonblock)
		return -EAGAIN;
	err = wait_entry_init(cpu, &w);
	if (err)
		return err;
	add_wait_queue(&e->wq, &w);
	err = wait_schedule(cpu, &w, HOST_FOREVER);
	remove_wait_queue(&w);
	wait_entry_fini(cpu, &w);
	return !err && file_closed(&e->file) ? -EBADF : err;
}

/* ---- readers and writers: no lock held --------------------------------------------------------------------- */

/* Lock held. Waits until a reader has something to take: 1; 0: the end; -errno. */
static int wait_octets(struct pipe_end *e, struct cpu *cpu, bool nonblock)
{
	const struct pipe *p = e->pipe;
	int err;

	while (p->reading || !p->len) {
		if (!p->reading && p->end[1].closed && !p->reserved)
			return 0;
		err = end_wait(e, cpu, nonblock);
		if (err)
			return err;
	}
	return 1;
}

/* Lock held. Waits until a writer has room for @least octets: 1 or -errno. */
static int wait_room(struct pipe_end *e, size_t least, struct cpu *cpu, bool nonblock)
{
	const struct pipe *p = e->pipe;
	int err = 0;

	while (!err && !p->end[0].closed && pipe_room(p) < least)
		err = end_wait(e, cpu, nonblock);
	if (p->end[0].closed)
		err = -EPIPE;
	return err ? err : 1;
}

/* Copies up to @n octets without taking them; the caller has the reading side until pipe_consume(). 0: the end. */
static ssize_t pipe_claim(struct file *f, u8 *to, size_t n, bool nonblock)
{
	struct pipe *p = pipe_end(f)->pipe;
	struct cpu *cpu = pipe_cpu(f);
	ssize_t ret;

	cpu_lock(cpu);
	ret = wait_octets(pipe_end(f), cpu, nonblock);
	if (ret > 0) {
		ret = (ssize_t)min(n, (size_t)p->len);
		ring_peek(p, to, (u32)ret);
		p->reading = true;
	}
	cpu_unlock(cpu);
	return ret;
}

static void pipe_consume(struct file *f, size_t n)
{
	struct pipe *p = pipe_end(f)->pipe;
	struct cpu *cpu = pipe_cpu(f);

	cpu_lock(cpu);
	p->head = (p->head + (u32)n) % PIPE_SIZE;
	p->len -= (u32)n;
	p->reading = false;
	wake_writers(p, cpu);
	wake_readers(p, cpu);
	cpu_unlock(cpu);
}

/* Room for up to @n octets, at least @least. */
static ssize_t pipe_reserve(struct file *f, size_t n, size_t least, bool nonblock)
{
	struct pipe *p = pipe_end(f)->pipe;
	struct cpu *cpu = pipe_cpu(f);
	ssize_t ret;

	cpu_lock(cpu);
	ret = wait_room(pipe_end(f), least, cpu, nonblock);
	if (ret > 0) {
		ret = (ssize_t)min(n, (size_t)pipe_room(p));
		p->reserved += (u32)ret;
	}
	cpu_unlock(cpu);
	return ret;
}

/* @reserved octets were, @n of them have come. */
static void pipe_commit(struct file *f, size_t reserved, const u8 *from, size_t n)
{
	struct pipe *p = pipe_end(f)->pipe;
	struct cpu *cpu = pipe_cpu(f);

	cpu_lock(cpu);
	p->reserved -= (u32)reserved;
	ring_put(p, from, (u32)n);
	wake_readers(p, cpu);
	wake_writers(p, cpu);
	cpu_unlock(cpu);
}

static bool nonblock_file(const struct file *f)
{
	return __atomic_load_n(&f->flags, __ATOMIC_RELAXED) & O_NONBLOCK;
}

/* ---- the files --------------------------------------------------------------------------------------------- */

static ssize_t pipe_read(struct file *f, struct kmsghdr *msg, size_t len)
{
	ssize_t n;
	u8 *buf;

	if (!is_reader(pipe_end(f)))
		return -EBADF;
	if (!len)
		return 0;
	buf = malloc(min(len, (size_t)PIPE_SIZE));
	if (!buf)
		return -ENOMEM;
	n = pipe_claim(f, buf, min(len, (size_t)PIPE_SIZE), nonblock_file(f));
	if (n > 0) {
		copy_to_iter(buf, (size_t)n, &msg->iter);
		pipe_consume(f, (size_t)n);
	}
	free(buf);
	return n;
}

static ssize_t pipe_write(struct file *f, struct kmsghdr *msg, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;
	u8 *buf;

	if (is_reader(pipe_end(f)))
		return -EBADF;
	buf = malloc(min(max(len, (size_t)1), (size_t)PIPE_SIZE));
	if (!buf)
		return -ENOMEM;
	while (done < len) {
		n = pipe_reserve(f, min(len - done, (size_t)PIPE_SIZE),
				 len <= PIPE_ATOMIC ? len : 1, nonblock_file(f));
		if (n < 0)
			break;
		copy_from_iter(buf, (size_t)n, &msg->iter);
		pipe_commit(f, (size_t)n, buf, (size_t)n);
		done += (size_t)n;
	}
	free(buf);
	return done ? (ssize_t)done : n;
}

static u32 pipe_poll(struct file *f, struct wait_entry *w)
{
	struct pipe_end *e = pipe_end(f);
	struct pipe *p = e->pipe;
	u32 mask = 0;

	cpu_lock(pipe_cpu(f));
	if (is_reader(e)) {
		if (p->len)
			mask |= EPOLLIN | EPOLLRDNORM;
		if (p->end[1].closed)
			mask |= EPOLLHUP;
	} else {
		if (pipe_room(p) >= PIPE_ATOMIC)
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (p->end[0].closed)
			mask |= EPOLLERR;
	}
	if (w)
		add_wait_queue(&e->wq, w);
	cpu_unlock(pipe_cpu(f));
	return mask;
}

static void pipe_unpoll(struct file *f, struct wait_entry *w)
{
	cpu_lock(pipe_cpu(f));
	remove_wait_queue(w);
	cpu_unlock(pipe_cpu(f));
}

/* Whoever waits at either end must look again. */
static void pipe_end_close(struct file *f, u32 files)
{
	struct pipe *p = pipe_end(f)->pipe;
	struct machine_sock *ms = f->machine->sock;
	struct cpu *cpu = pipe_cpu(f);
	bool last;

	cpu_lock(cpu);
	pipe_end(f)->closed = true;
	p->files -= files;
	last = !p->files;
	wake_up(cpu, &p->end[0].wq, EPOLLIN | EPOLLRDNORM | EPOLLHUP);
	wake_up(cpu, &p->end[1].wq, EPOLLOUT | EPOLLWRNORM | EPOLLERR);
	cpu_unlock(cpu);
	if (!last)
		return;
	pthread_mutex_lock(&ms->files_lock);
	list_del(&p->node);
	pthread_mutex_unlock(&ms->files_lock);
	free(p);
}

static void pipe_release(struct file *f)
{
	pipe_end_close(f, 1);
}

static void pipe_wake(struct file *f)
{
	pipe_end_close(f, 0);
}

static const struct file_operations pipe_fops = {
	.poll = pipe_poll,
	.unpoll = pipe_unpoll,
	.read_iter = pipe_read,
	.write_iter = pipe_write,
	.release = pipe_release,
	.wake = pipe_wake,
};

int pipe_create(struct machine *m, int flags, struct file *ret_files[2])
{
	struct pipe *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->files = 2;
	for (int i = 0; i < 2; i++) {
		file_init(&p->end[i].file, m, &pipe_fops);
		p->end[i].file.flags = (u32)flags & O_NONBLOCK;
		p->end[i].pipe = p;
		init_waitqueue_head(&p->end[i].wq);
		ret_files[i] = &p->end[i].file;
	}
	pthread_mutex_lock(&m->sock->files_lock);
	list_add_tail(&p->node, &m->sock->pipes);
	pthread_mutex_unlock(&m->sock->files_lock);
	return 0;
}

void pipes_free(struct machine *m)
{
	struct pipe *p;

	while ((p = list_first_entry_or_null(&m->sock->pipes, struct pipe, node))) {
		list_del(&p->node);
		free(p);
	}
}

/* ---- splice ------------------------------------------------------------------------------------------------ */

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

static ssize_t splice_read(struct file *in, u8 *buf, size_t n)
{
	struct iovec iov = { buf, n };
	struct kmsghdr msg = { .flags = MSG_SPLICE_READ };

	iov_iter_init(&msg.iter, &iov, 1, n);
	return in->ops->read_iter(in, &msg, n);
}

static ssize_t splice_write(struct file *out, u8 *buf, size_t n, bool more)
{
	struct iovec iov = { buf, n };
	struct kmsghdr msg = { .flags = more ? MSG_MORE : 0 };

	iov_iter_init(&msg.iter, &iov, 1, n);
	return out->ops->write_iter(out, &msg, n);
}

static ssize_t splice_to_pipe(struct file *in, struct file *out, u8 *buf, size_t len, bool nonblock)
{
	ssize_t room = pipe_reserve(out, len, 1, nonblock), n;

	if (room < 0)
		return room;
	n = splice_read(in, buf, (size_t)room);
	pipe_commit(out, (size_t)room, buf, n > 0 ? (size_t)n : 0);
	return n;
}

static ssize_t splice_from_pipe(struct file *in, struct file *out, u8 *buf, size_t len,
				bool nonblock, bool more)
{
	ssize_t have = pipe_claim(in, buf, len, nonblock), n;

	if (have <= 0)
		return have;
	n = splice_write(out, buf, (size_t)have, more);
	pipe_consume(in, n > 0 ? (size_t)n : 0);
	return n;
}

/* Until there are octets on one side and room on the other. Neither is held meanwhile. 1; 0: the end; -errno */
static ssize_t wait_both(struct file *in, struct file *out, bool nonblock)
{
	struct cpu *cpu = pipe_cpu(in);
	int r;

	cpu_lock(cpu);
	do {
		r = wait_octets(pipe_end(in), cpu, nonblock);
		if (r > 0)
			r = wait_room(pipe_end(out), 1, cpu, nonblock);
	} while (r > 0 && wait_octets(pipe_end(in), cpu, true) == -EAGAIN);
	cpu_unlock(cpu);
	return r;
}

static ssize_t splice_pipes(struct file *in, struct file *out, u8 *buf, size_t len, bool nonblock)
{
	ssize_t n, room;

	do { /* others may be faster than we */
		n = wait_both(in, out, nonblock);
		if (n <= 0)
			return n;
		n = room = pipe_reserve(out, len, 1, true);
		if (room < 0)
			continue;
		n = pipe_claim(in, buf, (size_t)room, true);
		pipe_commit(out, (size_t)room, buf, n > 0 ? (size_t)n : 0);
		if (n > 0)
			pipe_consume(in, (size_t)n);
	} while (n == -EAGAIN && !nonblock);
	return n;
}

ssize_t files_splice(struct file *in, struct file *out, size_t len, unsigned flags)
{
	bool from = file_is_pipe(in), to = file_is_pipe(out);
	bool nonblock = (flags & SPLICE_F_NONBLOCK) || (from && nonblock_file(in)) ||
			(to && nonblock_file(out));
	ssize_t ret;
	u8 *buf;

	if (!len)
		return 0;
	if (flags & ~(unsigned)SPLICE_FLAGS)
		return -EINVAL;
	if ((from && !is_reader(pipe_end(in))) || (to && is_reader(pipe_end(out))))
		return -EBADF;
	if ((!from && !to) || !in->ops->read_iter || !out->ops->write_iter ||
	    in->machine != out->machine)
		return -EINVAL;
	if (from && to && pipe_end(in)->pipe == pipe_end(out)->pipe)
		return -EINVAL;
	len = min(len, (size_t)PIPE_SIZE);
	buf = malloc(len);
	if (!buf)
		return -ENOMEM;
	if (from && to)
		ret = splice_pipes(in, out, buf, len, nonblock);
	else if (from)
		ret = splice_from_pipe(in, out, buf, len, nonblock, flags & SPLICE_F_MORE);
	else
		ret = splice_to_pipe(in, out, buf, len, nonblock);
	free(buf);
	return ret;
}
