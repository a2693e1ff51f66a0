/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * park.c - calls that wait
 *
 * Theory of operation
 *   A handler that cannot finish says what it waits for; its notification stays unanswered here. Three things end the wait:
 *     try again  something happened to the socket: the handler runs anew, from the arguments on;
 *     expire     the deadline (SO_RCVTIMEO ...) passed on the runner's clock;
 *     signal     a thread that waits for us does not see signals (WAIT_KILLABLE_RECV), so we look whether an unblocked one is pending for
 *                it, and answer ERESTARTSYS: then the kernel runs the handler, and restarts the call or returns EINTR as SA_RESTART says.
 *                A call with a deadline gives EINTR, as in Linux: a restart would begin the time anew.
 *   Nothing tells us of a signal, so a parked thread is looked at every few milliseconds, less often when it has waited long.
 *   All waiting is here, for the day when time is virtual: then this module is asked who waits and until when.
 * Invariants
 *   A parked call is on the list of the run and of exactly one socket; while its handler runs (busy) nobody else answers it.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERESTARTSYS 512 /* the kernel's; never seen by programs */
#define LOOK_FRESH  (10 * NS_PER_MS)
#define LOOK_OLD    (50 * NS_PER_MS)
#define OLD_AFTER   (2 * NS_PER_S)

static void unlink_parked(struct parked *p)
{
	TAILQ_REMOVE(&p->call.run->parked, p, link);
	if (p->call.wait_on)
		TAILQ_REMOVE(&p->call.wait_on->waiters, p, sock_link);
}

static void end_parked(struct parked *p)
{
	unlink_parked(p);
	free(p);
}

static void keep_result(struct call *c, long ret);

/*
 * Its caller was interrupted. What was done before the wait is the repeated call's result; one that would begin its time anew with
 * each signal, and never see the end of it, gets EINTR.
 */
static void caller_gone(struct parked *p)
{
	if (!p->call.run->fac.killable) {
		if (p->call.done)
			keep_result(&p->call, (long)p->call.done);
		else if (p->call.deadline)
			keep_result(&p->call, -EINTR);
	}
	end_parked(p);
}

/* What was done before the wait counts. */
static void answer_parked(struct parked *p, int err)
{
	long ret = p->call.done ? (long)p->call.done : err;

	if (notify_answer(&p->call, ret) && !p->call.run->fac.killable)
		park_remember(&p->call, ret);
	end_parked(p);
}

static void schedule(struct parked *p)
{
	struct run *r = p->call.run;
	uint64_t now = run_now(r);
	uint64_t next = now + (now - p->since > OLD_AFTER ? LOOK_OLD : LOOK_FRESH);

	if (p->call.deadline && p->call.deadline < next)
		next = p->call.deadline;
	if (next < r->park_check)
		r->park_check = next;
}

int park_add(struct call *c)
{
	struct parked *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->call = *c;
	p->call.parked = p;
	p->since = run_now(c->run);
	TAILQ_INSERT_TAIL(&c->run->parked, p, link);
	TAILQ_INSERT_TAIL(&c->wait_on->waiters, p, sock_link);
	schedule(p);
	return 0;
}

/* Runs the handler. True: the call is answered and gone. */
static bool try_again(struct parked *p)
{
	bool waits;

	if (p->busy)
		return false;
	if (!notify_valid(&p->call)) {
		caller_gone(p);
		return true;
	}
	p->busy = true;
	waits = notify_dispatch(&p->call);
	p->busy = false;
	if (!waits) {
		end_parked(p);
		return true;
	}
	if (!p->call.wait_on) { /* its socket was closed meanwhile */
		answer_parked(p, -EBADF);
		return true;
	}
	return false;
}

void park_wake(struct asock *s)
{
	struct parked *p, *next;
	struct run *r = s->run;
	unsigned round = ++r->wake_round;

restart:
	for (p = TAILQ_FIRST(&s->waiters); p; p = next) {
		next = TAILQ_NEXT(p, sock_link);
		if (p->round == round)
			continue;
		p->round = round;
		/* A handler may change the list: begin anew; nobody is tried twice. */
		try_again(p);
		goto restart;
	}
}

bool park_wake_one(struct asock *s)
{
	struct parked *p, *next;

	for (p = TAILQ_FIRST(&s->waiters); p; p = next) {
		next = TAILQ_NEXT(p, sock_link);
		if (!notify_valid(&p->call)) {
			if (!p->busy)
				caller_gone(p);
			continue;
		}
		if (try_again(p))
			return true;
	}
	return false;
}

void park_fail(struct asock *s, int err)
{
	struct parked *p;

	while ((p = TAILQ_FIRST(&s->waiters))) {
		if (p->busy) {
			TAILQ_REMOVE(&s->waiters, p, sock_link);
			p->call.wait_on = NULL;
			continue;
		}
		answer_parked(p, err);
	}
}

void park_tree_gone(struct tree *t)
{
	struct parked *p, *next;

	for (p = TAILQ_FIRST(&t->run->parked); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->call.tree == t)
			end_parked(p);
	}
}

/* ---- signals ---------------------------------------------------------------------------------------------- */

static unsigned long mask_of(const char *status, const char *field)
{
	const char *p = strstr(status, field);

	return p ? strtoul(p + strlen(field), NULL, 16) : 0;
}

static bool signal_pending(pid_t tid)
{
	char path[40], text[4096];
	unsigned long pending;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	pending = mask_of(text, "SigPnd:") | mask_of(text, "ShdPnd:");
	return pending & ~mask_of(text, "SigBlk:") & ~mask_of(text, "SigIgn:");
}

static void look_at(struct parked *p, uint64_t now)
{
	if (p->busy)
		return;
	if (!notify_valid(&p->call)) {
		caller_gone(p);
		return;
	}
	if (p->call.run->fac.killable && signal_pending((pid_t)p->call.n.pid)) {
		answer_parked(p, p->call.deadline ? -EINTR : -ERESTARTSYS);
		return;
	}
	if (p->call.deadline && p->call.deadline <= now) {
		answer_parked(p, p->call.expire);
		return;
	}
	schedule(p);
}

void park_check(struct run *r)
{
	uint64_t now = run_now(r);
	struct parked *p, *next;

	if (now < r->park_check)
		return;
	r->park_check = RUN_NEVER;
	for (p = TAILQ_FIRST(&r->parked); p; p = next) {
		next = TAILQ_NEXT(p, link);
		look_at(p, now);
	}
}

uint64_t park_next(const struct run *r)
{
	return TAILQ_EMPTY(&r->parked) ? RUN_NEVER : r->park_check;
}

/* ---- results that nobody took ----------------------------------------------------------------------------- */

/*
 * Before 5.19 a signal can interrupt a caller after the effect and before the answer. The kernel, or the program, repeats the call
 * with the same arguments: it gets the result that was meant for the first. What cannot be seen is a signal at the very moment of the
 * answer: the kernel takes the answer, says so, and repeats the call all the same (34 times in 626,000 signals, on Linux 6.18).
 */
#define REMEMBER 64

struct undelivered {
	struct {
		uint32_t tid;
		struct seccomp_data data;
		long ret;
	} slot[REMEMBER];
	unsigned next;
};

static void keep_result(struct call *c, long ret)
{
	struct undelivered *u = c->run->undelivered;

	if (!u)
		u = c->run->undelivered = calloc(1, sizeof(*u));
	if (!u)
		return;
	u->slot[u->next].tid = c->n.pid;
	u->slot[u->next].data = c->n.data;
	u->slot[u->next].ret = ret;
	u->next = (u->next + 1) % REMEMBER;
}

void park_remember(struct call *c, long ret)
{
	/* -ENOENT: the caller was gone before there was an effect; and what does not exist may be asked for again. */
	if (ret != -ERESTARTSYS && ret != -EINTR && ret != -ENOENT)
		keep_result(c, ret);
}

/* A thread that calls does not wait any more. */
static void leave_wait(struct run *r, uint32_t tid)
{
	struct parked *p, *next;

	for (p = TAILQ_FIRST(&r->parked); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->call.n.pid == tid && !p->busy && !notify_valid(&p->call))
			caller_gone(p);
	}
}

bool park_recall(struct call *c, long *ret)
{
	struct undelivered *u;

	leave_wait(c->run, c->n.pid);
	u = c->run->undelivered;
	for (unsigned i = 0; u && i < REMEMBER; i++) {
		if (u->slot[i].tid != c->n.pid || u->slot[i].data.nr != c->n.data.nr ||
		    memcmp(u->slot[i].data.args, c->n.data.args, sizeof(c->n.data.args)) != 0)
			continue;
		u->slot[i].tid = 0;
		*ret = u->slot[i].ret;
		return true;
	}
	return false;
}
