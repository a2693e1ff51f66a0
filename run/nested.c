/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nested.c - the inner runner's side: a listener that the runner around us holds
 *
 * Theory of operation
 *   The programs have the outer runner's filter already, and cannot have another one with a listener. So they are started without; the
 *   outer runner tells us of their calls through a channel, and does what we say (relay.h). The handlers do not notice: notify.c
 *   sends their answers here. Our own calls, among them those that make the way out, are the outer runner's to serve, as any program's.
 *   AF_UNIX is left to it altogether: which sockets can be reached is a matter of its run, which ours is part of.
 * Invariants
 *   From the start of the channel on every call of a child of this process comes to us: so a child calls nothing that is notified while
 *   we wait for it (launch.c), and nothing else is forked.
 *   Calls that come while we wait for a result are queued, and served in the next turn.
 */
#include "relay.h"
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct queued {
	TAILQ_ENTRY(queued) link;
	struct relay_msg msg;
};

struct nested {
	struct tree tree; /* all our programs: its source is the channel */
	TAILQ_HEAD(, queued) calls;
	bool gone;
};

/* ---- the channel -------------------------------------------------------------------------------------------------- */

static void enqueue(struct nested *x, const struct relay_msg *m)
{
	struct queued *q = malloc(sizeof(*q));

	if (!q)
		abort(); /* its caller would wait for ever */
	q->msg = *m;
	TAILQ_INSERT_TAIL(&x->calls, q, link);
}

/* The runner around us has ended, and with it all that we serve. */
static void lost(struct nested *x)
{
	if (x->gone)
		return;
	x->gone = true;
	loop_remove(x->tree.run->ep, &x->tree.source);
	run_finish(x->tree.run, SIGKILL);
}

/* One message. 0: none, or the channel's end. *ret_fd: what came along, or -1. */
static int receive(struct nested *x, int fd, int flags, struct relay_msg *m, int *ret_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	ssize_t n;

	/* recvmsg() is a notified call: only where a descriptor may come. */
	if (ret_fd) {
		*ret_fd = -1;
		h.msg_control = control;
		h.msg_controllen = sizeof(control);
	}
	do
		n = ret_fd ? recvmsg(fd, &h, flags | MSG_CMSG_CLOEXEC)
			   : recv(fd, m, sizeof(*m), flags);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*m)) {
		if (n >= 0 || errno != EAGAIN)
			lost(x);
		return 0;
	}
	cm = ret_fd ? CMSG_FIRSTHDR(&h) : NULL;
	if (cm && cm->cmsg_type == SCM_RIGHTS && cm->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(cm), sizeof(int));
	return 1;
}

static int transmit(int channel, const struct relay_msg *q, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)q, sizeof(*q) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *cm;

	if (fd < 0)
		return send(channel, q, sizeof(*q), MSG_NOSIGNAL) < 0 ? -errno : 0;
	cm = CMSG_FIRSTHDR(&h);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	return sendmsg(channel, &h, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Sends @q, with @fd if that is >= 0, and waits for the result. */
static long ask(struct nested *x, const struct relay_msg *q, int fd, int *ret_fd)
{
	int channel = x->tree.source.fd;
	struct relay_msg m;

	if (x->gone || transmit(channel, q, fd) < 0)
		return -ENOENT;
	while (receive(x, channel, 0, &m, ret_fd)) {
		if (m.kind == RELAY_RESULT)
			return (long)m.value;
		if (m.kind == RELAY_CALL)
			enqueue(x, &m);
	}
	return -ENOENT;
}

/* ---- as a listener ---------------------------------------------------------------------------------------------------- */

static struct nested *nested_of(const struct call *c)
{
	return c->run->nested;
}

static int nested_answer(struct call *c, long ret)
{
	struct relay_msg q = { .kind = RELAY_ANSWER, .id = c->n.id, .value = ret };

	return ask(nested_of(c), &q, -1, NULL) < 0 ? -ENOENT : 0;
}

static int nested_continue(struct call *c)
{
	struct relay_msg q = { .kind = RELAY_CONTINUE, .id = c->n.id };

	return ask(nested_of(c), &q, -1, NULL) < 0 ? -ENOENT : 0;
}

static int nested_addfd(struct call *c, int fd, bool cloexec, int at, bool send)
{
	struct relay_msg q = {
		.kind = RELAY_ADDFD,
		.id = c->n.id,
		.value = at,
		.flags = (cloexec ? RELAY_CLOEXEC : 0U) | (send ? RELAY_SEND : 0U),
	};

	return (int)ask(nested_of(c), &q, fd, NULL);
}

static bool nested_valid(const struct call *c)
{
	struct relay_msg q = { .kind = RELAY_VALID, .id = c->n.id };

	return ask(nested_of(c), &q, -1, NULL) > 0;
}

static const struct notify_ops nested_ops = {
	.answer = nested_answer,
	.cont = nested_continue,
	.addfd = nested_addfd,
	.valid = nested_valid,
};

int nested_copy(struct run *r, pid_t tid, int fd)
{
	struct relay_msg q = { .kind = RELAY_COPY, .id = (uint64_t)tid, .value = fd };
	int copy = -1;
	long ret = ask(r->nested, &q, -1, &copy);

	return ret < 0 ? (int)ret : copy < 0 ? -EBADF : copy;
}

/* ---- the loop's part --------------------------------------------------------------------------------------------------- */

bool nested_waiting(const struct run *r)
{
	return r->nested && !TAILQ_EMPTY(&r->nested->calls);
}

void nested_serve(struct run *r)
{
	struct nested *x = r->nested;
	struct queued *q;

	while (x && (q = TAILQ_FIRST(&x->calls))) {
		TAILQ_REMOVE(&x->calls, q, link);
		q->msg.n.id = q->msg.id;
		notify_take(&x->tree, &q->msg.n);
		free(q);
	}
}

static void nested_event(struct loop_source *src, uint32_t events)
{
	struct nested *x = (struct nested *)src;
	struct relay_msg m;

	while (!x->gone && receive(x, src->fd, MSG_DONTWAIT, &m, NULL))
		if (m.kind == RELAY_CALL)
			enqueue(x, &m);
	nested_serve(x->tree.run);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------- */

bool nested_possible(void)
{
	int fd = open(RELAY_PATH, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int nested_open(struct run *r)
{
	struct nested *x = calloc(1, sizeof(*x));
	struct relay_msg hello;
	int fd, err;

	if (!x)
		return -ENOMEM;
	TAILQ_INIT(&x->calls);
	x->tree.run = r;
	x->tree.ops = &nested_ops;
	fd = open(RELAY_PATH, O_RDWR | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	if (!err && recv(fd, &hello, sizeof(hello), 0) != (ssize_t)sizeof(hello))
		err = -EPROTO;
	if (!err)
		err = loop_add(r, r->ep, &x->tree.source, fd, EPOLLIN, nested_event);
	if (err) {
		if (err == -EXDEV)
			loop_say("a weir run inside a weir run needs the same process ids: not in "
				 "a pid namespace");
		if (fd >= 0)
			close(fd);
		free(x);
		return err;
	}
	r->nested = x;
	r->fac.killable = hello.value & RELAY_KILLABLE;
	r->fac.pidfd_getfd = hello.value & RELAY_COPIES;
	r->fac.addfd_send = true;
	r->unix_pid = (pid_t)hello.id;
	return 0;
}

int nested_attach(struct run_node *node)
{
	struct tree *t = &node->run->nested->tree;

	if (t->node && t->node != node) {
		loop_say("inside a weir run there can be one node only");
		return -EOPNOTSUPP;
	}
	t->node = node;
	return 0;
}

void nested_close(struct run *r)
{
	struct nested *x = r->nested;
	struct queued *q;

	if (!x)
		return;
	r->nested = NULL;
	park_tree_gone(&x->tree);
	while ((q = TAILQ_FIRST(&x->calls))) {
		TAILQ_REMOVE(&x->calls, q, link);
		free(q);
	}
	if (!x->gone)
		loop_remove(r->ep, &x->tree.source);
	close(x->tree.source.fd);
	free(x);
}
