/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.c - seccomp notifications: receive, answer, hand over descriptors
 *
 * Theory of operation
 *   Each program tree has a listener. A notification is copied once; handlers act on the copy and return what is to be answered.
 *   A caller can vanish at any time (SIGKILL; on kernels before 5.19 any signal): then answering fails with ENOENT and the effect
 *   of the call must not be lost or doubled. Handlers that pop something give it back themselves; for the others the result is
 *   remembered for the restarted call (park_remember).
 * Invariants
 *   Before a notification is handled, everything that the programs did natively before it has been seen (loop_sweep_ends).
 * See seccomp_unotify(2).
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS      SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define BATCH 32 /* notifications of one tree before the others have their turn */

static int kernel_answer(struct call *c, long ret)
{
	struct seccomp_notif_resp resp = { .id = c->n.id };

	if (ret < 0)
		resp.error = (int)ret;
	else
		resp.val = ret;
	if (ioctl(c->tree->source.fd, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0)
		return 0;
	return -ENOENT;
}

static int kernel_continue(struct call *c)
{
	struct seccomp_notif_resp resp = { .id = c->n.id,
					   .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	return ioctl(c->tree->source.fd, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0 ? 0 : -ENOENT;
}

/* Before 5.14 giving a descriptor and answering are two steps; a caller that vanishes in between keeps the descriptor. */
static int addfd_in_two_steps(struct call *c, struct seccomp_notif_addfd *add)
{
	int fd;

	add->flags &= ~(uint32_t)SECCOMP_ADDFD_FLAG_SEND;
	fd = ioctl(c->tree->source.fd, SECCOMP_IOCTL_NOTIF_ADDFD, add);
	if (fd < 0)
		return -errno;
	kernel_answer(c, fd);
	return fd;
}

static int kernel_addfd(struct call *c, int fd, bool cloexec, int at, bool send)
{
	struct seccomp_notif_addfd add = {
		.id = c->n.id,
		.srcfd = (uint32_t)fd,
		.newfd_flags = cloexec ? O_CLOEXEC : 0,
	};
	int ret;

	if (at >= 0) {
		add.flags |= SECCOMP_ADDFD_FLAG_SETFD;
		add.newfd = (uint32_t)at;
	}
	if (send) {
		if (!c->run->fac.addfd_send)
			return addfd_in_two_steps(c, &add);
		add.flags |= SECCOMP_ADDFD_FLAG_SEND;
	}
	ret = ioctl(c->tree->source.fd, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	return ret < 0 ? -errno : ret;
}

static bool kernel_valid(const struct call *c)
{
	return ioctl(c->tree->source.fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &c->n.id) == 0;
}

static const struct notify_ops kernel_ops = {
	.answer = kernel_answer,
	.cont = kernel_continue,
	.addfd = kernel_addfd,
	.valid = kernel_valid,
};

int notify_answer(struct call *c, long ret)
{
	return c->tree->ops->answer(c, ret);
}

int notify_continue(struct call *c)
{
	return c->tree->ops->cont(c);
}

int notify_addfd(struct call *c, int fd, bool cloexec, int at, bool send)
{
	return c->tree->ops->addfd(c, fd, cloexec, at, send);
}

bool notify_valid(const struct call *c)
{
	return c->tree->ops->valid(c);
}

static void answer_and_remember(struct call *c)
{
	if (notify_answer(c, c->ret) && !c->run->fac.killable)
		park_remember(c, c->ret);
}

bool notify_dispatch(struct call *c)
{
	const struct call_row *row = calls_find(c->n.data.nr);
	enum call_result res = CALL_CONTINUE;

	c->a = -1;
	c->sock = NULL;
	c->alive = c->certain = false;
	c->early_len = 0;
	if (row && row->early_addr && !c->parked)
		mem_read_early(c, call_ptr(c, row->early_addr),
			       row->early_size ? row->early_size : call_ptr(c, row->early_len));
	if (row)
		res = row->fn(c);
	if (c->a >= 0)
		close(c->a);
	c->a = -1;
	switch (res) {
	case CALL_DONE:
		return false;
	case CALL_RETURN:
		answer_and_remember(c);
		return false;
	case CALL_CONTINUE:
		notify_continue(c);
		return false;
	case CALL_PARK:
		return true;
	}
	return false;
}

void notify_handle(struct call *c)
{
	long ret;
	int err;

	loop_sweep_ends(c->run);
	packet_swap_back(c);
	if (!c->run->fac.killable && park_recall(c, &ret)) {
		if (notify_answer(c, ret))
			park_remember(c, ret);
		return;
	}
	if (!notify_dispatch(c))
		return;
	err = park_add(c);
	if (err)
		notify_answer(c, err);
}

void notify_take(struct tree *t, const struct seccomp_notif *n)
{
	struct call c = { .run = t->run, .tree = t, .n = *n, .seq = t->run->seq };

	if (!relay_forward(&c))
		notify_handle(&c);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

/* Receiving would block when nothing is there, so each further one is asked for first. */
static void listener_event(struct loop_source *src, uint32_t events)
{
	struct tree *t = (struct tree *)src;
	struct seccomp_notif n;

	for (int i = 0; i < BATCH; i++) {
		if (i == 0 ? !(events & EPOLLIN) : !readable(src->fd))
			break;
		memset(&n, 0, sizeof(n));
		t->run->seq++; /* what was opened before now is older than the call */
		if (ioctl(src->fd, SECCOMP_IOCTL_NOTIF_RECV, &n) == 0)
			notify_take(t, &n);
		else if (errno != ENOENT && errno != EINTR)
			break;
	}
	/* The last process of the tree has ended. */
	if ((events & EPOLLHUP) && !readable(src->fd))
		notify_tree_free(t);
}

int notify_tree_add(struct run *r, struct run_node *node, int listener, pid_t pid,
		    struct tree **ret)
{
	struct tree *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->run = r;
	t->ops = &kernel_ops;
	t->node = node;
	t->pid = pid;
	err = loop_add(r, r->ep, &t->source, listener, EPOLLIN, listener_event);
	if (err) {
		free(t);
		return err;
	}
	/*
	 * The caller sleeps until we answer, and we until it calls: waking each other on the same cpu is twice as fast for calls in
	 * a row. Best effort, from Linux 6.6 on.
	 */
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
	LIST_INSERT_HEAD(&r->trees, t, link);
	*ret = t;
	return 0;
}

void notify_tree_free(struct tree *t)
{
	park_tree_gone(t);
	relay_tree_gone(t);
	if (t->proc)
		t->proc->tree = NULL;
	loop_remove(t->run->ep, &t->source);
	close(t->source.fd);
	LIST_REMOVE(t, link);
	LIST_INSERT_HEAD(&t->run->dead_trees, t, link);
}

void notify_bury(struct run *r)
{
	while (!LIST_EMPTY(&r->dead_trees)) {
		struct tree *t = LIST_FIRST(&r->dead_trees);

		LIST_REMOVE(t, link);
		free(t);
	}
}
