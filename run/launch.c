/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * launch.c - starting and ending programs
 *
 * Theory of operation
 *   A child shares our descriptor table (CLONE_FILES) while it installs the filter, so the listener appears in our table too: no
 *   pidfd_getfd is needed, and nothing has to be sent (sendmsg would be notified already). Then it takes a table of its own, puts its
 *   standard descriptors in place and executes the program. A pipe tells us the listener's number, that the tables have
 *   parted, and, if execve fails, why; its end at a successful execve is the good news. Nothing the child does in between is
 *   notified, so that we may wait for it.
 *   Programs stay our descendants (we are a subreaper): Yama lets an ancestor look into their memory, and all can be found to be
 *   ended. Direct children also die with us (PR_SET_PDEATHSIG).
 * Invariants
 *   Between clone and execve only async-signal-safe calls are made.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

enum report_kind { REPORT_LISTENER, REPORT_PARTED, REPORT_ERROR };

struct report {
	int kind;
	int value;
};

struct child {
	struct run *run;
	const struct run_spawn *sp;
	int pipe[2];
	pid_t front_pgrp;
};

void run_allow_mount(struct run *r)
{
	r->fac.landlock = 0;
	if (r->ruleset >= 0)
		close(r->ruleset);
	r->ruleset = -1;
}

/* ---- in the child ---------------------------------------------------------------------------------------------- */

static void report(struct child *ch, int kind, int value)
{
	struct report rep = { kind, value };

	if (write(ch->pipe[1], &rep, sizeof(rep)) != (ssize_t)sizeof(rep))
		_exit(127);
}

static void __attribute__((noreturn)) fail(struct child *ch, int err)
{
	report(ch, REPORT_ERROR, err);
	_exit(127);
}

/* A descriptor table of our own. What the supervisor has open is close-on-exec. */
static void part_tables(struct child *ch)
{
	if (syscall(SYS_close_range, ~0U - 1, ~0U, CLOSE_RANGE_UNSHARE) == 0)
		return;
	if (unshare(CLONE_FILES) < 0)
		fail(ch, -errno);
}

/* The three may overlap with 0, 1, 2: first out of the way, then into place. */
static void place_descriptors(struct child *ch)
{
	int up[3];

	for (int i = 0; i < 3; i++) {
		up[i] = fcntl(ch->sp->fds[i], F_DUPFD_CLOEXEC, 10);
		if (up[i] < 0)
			fail(ch, -errno);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(up[i], i) < 0)
			fail(ch, -errno);
	if (ch->sp->inherit)
		return;
	/* Only the pipe is needed, to report a failing execve. */
	if (ch->pipe[1] > 3)
		syscall(SYS_close_range, 3, (unsigned)ch->pipe[1] - 1, 0);
	syscall(SYS_close_range, (unsigned)ch->pipe[1] + 1, ~0U, 0);
}

/* Process group, session, terminal. */
static void place_in_session(struct child *ch)
{
	if (ch->sp->session) {
		setsid();
		if (isatty(0))
			ioctl(0, TIOCSCTTY, 0);
	} else {
		setpgid(0, ch->sp->foreground ? ch->front_pgrp : 0);
	}
}

/* As the front was started; of the dispositions, only this one was ours. */
static void restore_signals(struct run *r)
{
	if (!r->sigpipe_ignored)
		signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &r->sigmask, NULL);
}

static void __attribute__((noreturn)) child_main(struct child *ch)
{
	const struct run_spawn *sp = ch->sp;
	struct run *r = ch->run;
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Nested, the filter of the runner around us is there already. */
	listener = r->nested ? filter_confine(r->ruleset)
			     : filter_install(&r->fac, r->ruleset, r->filter, r->filter_len);
	if (listener < 0)
		fail(ch, listener);
	if (!r->nested)
		report(ch, REPORT_LISTENER, listener);
	part_tables(ch);
	if (!r->nested)
		close(listener);
	place_descriptors(ch);
	report(ch, REPORT_PARTED, 0);
	place_in_session(ch);
	if (sp->cwd && chdir(sp->cwd) < 0)
		fail(ch, -errno);
	setrlimit(RLIMIT_NOFILE, &r->nofile);
	if (sp->envp)
		environ = (char **)(uintptr_t)sp->envp;
	restore_signals(r);
	execvp(sp->argv[0], sp->argv);
	fail(ch, -errno);
}

/* ---- in the stack process ---------------------------------------------------------------------------------------- */

/* One report, or 0: the child executes its program, or is dead. */
static int read_report(struct child *ch, int pidfd, struct report *rep)
{
	struct pollfd p[2] = { { .fd = ch->pipe[0], .events = POLLIN },
			       { .fd = pidfd, .events = POLLIN } };

	/* While the tables are shared the pipe does not end with the child. */
	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return 0;
	if (!(p[0].revents & (POLLIN | POLLHUP)))
		return 0;
	return read(ch->pipe[0], rep, sizeof(*rep)) == (ssize_t)sizeof(*rep);
}

/* Until execve. Returns 0 and the listener, or -errno. */
static int hear_child(struct child *ch, int pidfd, int *ret_listener)
{
	struct report rep;
	bool parted = false;
	int err = -ECHILD; /* died without a word */

	*ret_listener = -1;
	while (read_report(ch, pidfd, &rep)) {
		switch (rep.kind) {
		case REPORT_LISTENER:
			*ret_listener = rep.value;
			break;
		case REPORT_PARTED:
			parted = true;
			close(ch->pipe[1]);
			ch->pipe[1] = -1;
			break;
		default:
			return rep.value;
		}
	}
	if (parted)
		err = 0;
	return err;
}

static struct run_proc *proc_new(struct run_node *node, const struct run_spawn *sp, pid_t pid)
{
	struct run_proc *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->run = node->run;
	p->node = node;
	p->pid = pid;
	p->changed = sp->changed;
	p->arg = sp->arg;
	p->command = strdup(sp->argv[0]);
	LIST_INSERT_HEAD(&node->run->procs, p, link);
	return p;
}

static void proc_free(struct run_proc *p)
{
	if (p->tree)
		p->tree->proc = NULL;
	LIST_REMOVE(p, link);
	free(p->command);
	free(p);
}

static int attach(struct run_node *node, const struct run_spawn *sp, pid_t pid, int listener,
		  struct run_proc **ret_proc)
{
	struct run_proc *p = proc_new(node, sp, pid);
	int err;

	if (!p)
		return -ENOMEM;
	if (listener < 0) { /* nested */
		*ret_proc = p;
		return 0;
	}
	fcntl(listener, F_SETFD, FD_CLOEXEC);
	err = notify_tree_add(node->run, node, listener, pid, &p->tree);
	if (err) {
		proc_free(p);
		return err;
	}
	p->tree->proc = p;
	*ret_proc = p;
	return 0;
}

int run_spawn(struct run_node *node, const struct run_spawn *sp, struct run_proc **ret_proc)
{
	struct child ch = { .run = node->run, .sp = sp, .front_pgrp = getpgid(getppid()) };
	int pidfd, listener, err = node->run->nested ? nested_attach(node) : 0;
	pid_t pid;

	if (err)
		return err;
	if (pipe2(ch.pipe, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		child_main(&ch);
	if (pid < 0) {
		err = -errno;
		goto out;
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	err = hear_child(&ch, pidfd, &listener);
	if (!err)
		err = attach(node, sp, pid, listener, ret_proc);
	if (err) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (listener >= 0)
			close(listener);
	}
	if (pidfd >= 0)
		close(pidfd);
out:
	close(ch.pipe[0]);
	if (ch.pipe[1] >= 0)
		close(ch.pipe[1]);
	return err;
}

pid_t run_proc_pid(const struct run_proc *p)
{
	return p->pid;
}

void run_proc_kill(struct run_proc *p, int sig)
{
	/* If it leads none, itself. */
	if (kill(-p->pid, sig) < 0)
		kill(p->pid, sig);
}

static void kill_one(pid_t pid, void *arg)
{
	kill(pid, *(int *)arg);
}

void run_proc_kill_tree(struct run_proc *p)
{
	int stop = SIGSTOP, sig = SIGKILL;

	/* Stopped first, so that none forks out of the list. Those that were left by their parents are found at the end of the run. */
	kill(p->pid, stop);
	ident_each_descendant(p->pid, kill_one, &stop);
	ident_each_descendant(p->pid, kill_one, &sig);
	kill(p->pid, sig);
}

static struct run_proc *proc_find(struct run *r, pid_t pid)
{
	struct run_proc *p;

	LIST_FOREACH(p, &r->procs, link)
	if (p->pid == pid)
		return p;
	return NULL;
}

void launch_reap(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		struct run_proc *p = proc_find(r, pid);

		if (!p)
			continue;
		if (p->changed)
			p->changed(p, status, p->arg);
		if (!WIFSTOPPED(status))
			proc_free(p);
	}
}

void launch_forget(struct run *r)
{
	while (!LIST_EMPTY(&r->procs))
		proc_free(LIST_FIRST(&r->procs));
}

/* Takes those that have ended. True: others have not. */
static bool children_left(void)
{
	pid_t pid;

	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0);
	return pid == 0;
}

/* Who descends from us has an ancestor that is our child, or became it (subreaper): without children there is nobody to look for. */
void launch_kill_all(void)
{
	int sig = SIGKILL;

	while (children_left()) {
		ident_each_descendant(getpid(), kill_one, &sig);
		if (children_left())
			usleep(1000);
	}
}
