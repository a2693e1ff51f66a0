/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay.c - the outer runner's side of a nested one: passes the calls of its programs on
 *
 * Theory of operation
 *   A process of ours that opens RELAY_PATH becomes the runner of its descendants: a notification of one of those goes to it, and what it
 *   says is done. Its descendants are found by their parents: a stack process is a subreaper, so orphans stay with it.
 *   The nearest such ancestor counts; a runner nested in that one is known to it alone, and asks it.
 *   What it wants continued is handled here as any other call, on the net that the runner itself is on. So a nested runner gives its
 *   programs nothing that it could not have itself: it is a program of ours, and its own sockets, its way out too, are ours.
 * Invariants
 *   A forwarded call is answered by one who holds it: the list of its relay, or, after RELAY_CONTINUE, this runner.
 *   Nothing here waits for the inner runner: what does not fit into the channel is sent when it has read. It waits for the result of each
 *   request before it makes another, so one result at most has to be kept.
 *   When the inner runner goes, those whose calls it held are killed: nobody else would answer in its place.
 */
#include "relay.h"
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RELAYS_MAX 64
#define CALLS_MAX  4096 /* of one nested runner: a caller that waits is a thread */
#define BATCH      32

struct forwarded {
	TAILQ_ENTRY(forwarded) link;
	struct call call;
	uint64_t id;
	bool sent;
};

struct relay {
	LIST_ENTRY(relay) link;
	struct run *run;
	struct run_watch *watch;
	int fd;
	pid_t pid; /* the nested stack process */
	TAILQ_HEAD(, forwarded) calls;
	unsigned nr_calls;
	uint64_t last_id;
	bool stuffed; /* the channel is full: EPOLLOUT is watched */
	bool owes;    /* the result of the last request has not been sent */
	int64_t result;
	int result_fd; /* goes along with it, or -1 */
};

static void relay_event(int fd, uint32_t events, void *arg);

/* ---- forwarded calls ------------------------------------------------------------------------------------------ */

static void forget(struct relay *rl, struct forwarded *f)
{
	TAILQ_REMOVE(&rl->calls, f, link);
	rl->nr_calls--;
	free(f);
}

static struct forwarded *forwarded_find(struct relay *rl, uint64_t id)
{
	struct forwarded *f;

	TAILQ_FOREACH(f, &rl->calls, link)
	if (f->id == id)
		return f;
	return NULL;
}

static void relay_end(struct relay *rl)
{
	struct forwarded *f;

	while ((f = TAILQ_FIRST(&rl->calls))) {
		pid_t pid = ident_process((pid_t)f->call.n.pid);

		if (pid > 0 && notify_valid(&f->call))
			kill(pid, SIGKILL);
		forget(rl, f);
	}
	run_watch_remove(rl->run, rl->watch);
	close(rl->fd);
	if (rl->result_fd >= 0)
		close(rl->result_fd);
	LIST_REMOVE(rl, link);
	free(rl);
}

void relay_tree_gone(struct tree *t)
{
	struct relay *rl;

	LIST_FOREACH(rl, &t->run->relays, link)
	{
		struct forwarded *f, *next;

		for (f = TAILQ_FIRST(&rl->calls); f; f = next) {
			next = TAILQ_NEXT(f, link);
			if (f->call.tree == t)
				forget(rl, f);
		}
	}
}

void relay_exit(struct run *r)
{
	while (!LIST_EMPTY(&r->relays))
		relay_end(LIST_FIRST(&r->relays));
}

/* ---- the channel ------------------------------------------------------------------------------------------------ */

static void watch_room(struct relay *rl, bool on)
{
	struct run_watch *w;

	if (rl->stuffed == on)
		return;
	/* The descriptor can be in the loop's epoll once only. */
	run_watch_remove(rl->run, rl->watch);
	w = run_watch_add(rl->run, rl->fd, on ? EPOLLIN | EPOLLOUT : EPOLLIN, relay_event, rl);
	if (!w)
		abort(); /* the memory that was freed just now */
	rl->watch = w;
	rl->stuffed = on;
}

static bool send_call(struct relay *rl, struct forwarded *f)
{
	struct relay_msg m = { .kind = RELAY_CALL, .id = f->id, .n = f->call.n };

	f->sent = send(rl->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof(m);
	return f->sent;
}

static bool send_result(struct relay *rl)
{
	struct relay_msg m = { .kind = RELAY_RESULT, .value = rl->result };
	int fd = rl->result_fd;
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *cm;

		h.msg_control = control;
		h.msg_controllen = sizeof(control);
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	}
	if (sendmsg(rl->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return false;
	rl->owes = false;
	rl->result_fd = -1;
	if (fd >= 0)
		close(fd);
	return true;
}

static void flush(struct relay *rl)
{
	struct forwarded *f = NULL;
	bool room = !rl->owes || send_result(rl);

	if (room)
		TAILQ_FOREACH(f, &rl->calls, link)
	if (!f->sent && !send_call(rl, f))
		break;
	watch_room(rl, !room || f);
}

/* To be sent by flush(), before anything else. @fd is consumed. */
static void set_result(struct relay *rl, int64_t value, int fd)
{
	if (rl->owes) { /* it does not wait for results: its end */
		if (fd >= 0)
			close(fd);
		shutdown(rl->fd, SHUT_RDWR);
		return;
	}
	rl->owes = true;
	rl->result = value;
	rl->result_fd = fd;
	send_result(rl);
}

/* ---- requests ----------------------------------------------------------------------------------------------------- */

static int64_t answer(struct relay *rl, struct forwarded *f, const struct relay_msg *q, int fd)
{
	int err = q->value < -4095 ? -EINVAL : notify_answer(&f->call, (long)q->value);

	forget(rl, f);
	return err;
}

static int64_t add_fd(struct relay *rl, struct forwarded *f, const struct relay_msg *q, int fd)
{
	bool send = q->flags & RELAY_SEND;
	int ret =
		fd < 0 ? -EBADF
		       : notify_addfd(&f->call, fd, q->flags & RELAY_CLOEXEC, (int)q->value, send);

	if (send && (ret >= 0 || ret == -ENOENT))
		forget(rl, f);
	return ret;
}

static int64_t valid(struct relay *rl, struct forwarded *f, const struct relay_msg *q, int fd)
{
	bool waits = notify_valid(&f->call);

	if (!waits)
		forget(rl, f);
	return waits;
}

typedef int64_t (*relay_request)(struct relay *rl, struct forwarded *f, const struct relay_msg *q,
				 int fd);
static const relay_request requests[RELAY_KINDS] = {
	[RELAY_ANSWER] = answer,
	[RELAY_ADDFD] = add_fd,
	[RELAY_VALID] = valid,
};

static struct relay *relay_of(struct run *r, pid_t tid);

static void copy(struct relay *rl, const struct relay_msg *q)
{
	pid_t tid = (pid_t)q->id;
	/* rl->pid may be a foreign process's by now, if its runner has ended and another holds the channel. */
	bool ours = ident_in_tree(tid) && relay_of(rl->run, tid) == rl;
	int fd = ours ? ident_copy(rl->run, tid, (int)q->value) : -ESRCH;

	set_result(rl, fd < 0 ? fd : 0, fd);
}

static void serve(struct relay *rl, const struct relay_msg *q, int fd)
{
	struct forwarded *f;

	if (q->kind == RELAY_COPY) {
		copy(rl, q);
		return;
	}
	f = forwarded_find(rl, q->id);
	if (f && q->kind == RELAY_CONTINUE) {
		struct call c = f->call;

		forget(rl, f);
		set_result(rl, 0, -1);
		notify_handle(&c);
		return;
	}
	set_result(rl,
		   !f                                           ? -ENOENT
		   : q->kind < RELAY_KINDS && requests[q->kind] ? requests[q->kind](rl, f, q, fd)
								: -EINVAL,
		   -1);
}

/* The descriptor that came along with a whole request, or -1. What else came is closed: control data has room for two, as it is aligned. */
static int given_fd(struct msghdr *h, bool whole)
{
	struct cmsghdr *cm = CMSG_FIRSTHDR(h);
	size_t nr;
	int fd;

	if (!cm || cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
		return -1;
	nr = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	for (size_t i = 0; i < nr; i++) {
		memcpy(&fd, CMSG_DATA(cm) + i * sizeof(fd), sizeof(fd));
		if (whole && nr == 1)
			return fd;
		close(fd);
	}
	return -1;
}

/* One request. False: there is none. *ret_fd: the descriptor that came along, or -1. */
static bool receive(struct relay *rl, struct relay_msg *q, int *ret_fd, bool *ret_end)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { q, sizeof(*q) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(rl->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	bool whole = n == (ssize_t)sizeof(*q);

	*ret_end = !whole && (n >= 0 || (errno != EAGAIN && errno != EINTR));
	*ret_fd = n >= 0 ? given_fd(&h, whole) : -1;
	return whole;
}

static void relay_event(int fd, uint32_t events, void *arg)
{
	struct relay *rl = arg;
	struct relay_msg q;
	bool end = false;

	for (int i = 0; i < BATCH; i++) {
		int given;

		if (!receive(rl, &q, &given, &end))
			break;
		serve(rl, &q, given);
		if (given >= 0)
			close(given);
	}
	if (end)
		relay_end(rl);
	else
		flush(rl);
}

/* ---- who is whose ---------------------------------------------------------------------------------------------------- */

static struct relay *relay_of(struct run *r, pid_t tid)
{
	pid_t me = getpid(), up = tid; /* a thread's parent is its process's */

	for (int hops = 0; up > 1 && up != me && hops < 4096; hops++) {
		struct relay *rl;

		up = ident_parent(up);
		LIST_FOREACH(rl, &r->relays, link)
		if (rl->pid == up)
			return rl;
	}
	return NULL;
}

bool relay_forward(struct call *c)
{
	struct relay *rl = LIST_EMPTY(&c->run->relays) ? NULL : relay_of(c->run, (pid_t)c->n.pid);
	struct forwarded *f;

	if (!rl)
		return false;
	f = rl->nr_calls < CALLS_MAX ? calloc(1, sizeof(*f)) : NULL;
	if (!f) {
		notify_answer(c, -ENOMEM);
		return true;
	}
	f->call = *c;
	f->id = ++rl->last_id;
	TAILQ_INSERT_TAIL(&rl->calls, f, link);
	rl->nr_calls++;
	flush(rl);
	return true;
}

/* ---- a runner comes ---------------------------------------------------------------------------------------------------- */

static int relay_create(struct call *c, pid_t pid, int fd, struct relay **ret)
{
	int64_t what = (c->run->fac.killable ? RELAY_KILLABLE : 0) |
		       (c->run->fac.pidfd_getfd ? RELAY_COPIES : 0);
	struct relay_msg hello = { .kind = RELAY_HELLO,
				   .value = what,
				   .id = (uint64_t)c->run->unix_pid };
	struct relay *rl = calloc(1, sizeof(*rl));

	if (!rl)
		return -ENOMEM;
	TAILQ_INIT(&rl->calls);
	rl->run = c->run;
	rl->fd = fd;
	rl->pid = pid;
	rl->result_fd = -1;
	rl->watch = run_watch_add(c->run, fd, EPOLLIN, relay_event, rl);
	if (!rl->watch || send(fd, &hello, sizeof(hello), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (rl->watch)
			run_watch_remove(c->run, rl->watch);
		free(rl);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&c->run->relays, rl, link);
	*ret = rl;
	return 0;
}

/* What may keep @pid from being a runner here. */
static int judge(struct run *r, pid_t pid)
{
	struct relay *rl;
	unsigned n = 0;

	if (pid <= 0)
		return -ESRCH;
	/* Its numbers of processes must be ours. */
	if (ident_pid_namespaces(pid) != 1)
		return -EXDEV;
	LIST_FOREACH(rl, &r->relays, link)
	{
		if (rl->pid == pid)
			return -EBUSY;
		n++;
	}
	return n < RELAYS_MAX ? 0 : -ENFILE;
}

enum call_result relay_open(struct call *c, uint64_t flags)
{
	pid_t pid = ident_process((pid_t)c->n.pid);
	int err = judge(c->run, pid), sv[2], fd;
	struct relay *rl;

	if (err)
		return call_return(c, err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return call_return(c, -errno);
	err = relay_create(c, pid, sv[0], &rl);
	if (err) {
		close(sv[0]);
		close(sv[1]);
		return call_return(c, err);
	}
	fd = notify_addfd(c, sv[1], flags & O_CLOEXEC, -1, true);
	close(sv[1]);
	if (fd >= 0)
		return CALL_DONE;
	relay_end(rl);
	return fd == -ENOENT ? CALL_DONE : call_return(c, fd);
}
