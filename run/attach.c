/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach.c - programs on a net that somebody else drives, without front and without end
 *
 * Theory of operation
 *   A struct run like that of the stack process, but for what belongs to the front: no channel, no control socket, no signals. Its
 *   loop turns only while a command runs, and a pidfd tells when that has ended. What programs do to a net by control calls (netlink,
 *   ioctls, sysctls, views) is answered at once, by the calling thread; so it works in virtual time too, where the clock stands
 *   still. The runner's own deadlines (signals of parked calls) are of real time in either case.
 */
#include "run_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct run_attach {
	struct run run;
	struct run_node *node;
	char name[32], *dir;
	int lock;
	int status;
	bool done;
};

static uint64_t monotonic_now(const struct run_clock *c)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static const struct timespec *monotonic_sleep_until(const struct run_clock *c, uint64_t deadline,
						    struct timespec *ts)
{
	uint64_t now = monotonic_now(c), left = deadline > now ? deadline - now : 0;

	if (deadline == RUN_NEVER)
		return NULL;
	ts->tv_sec = (time_t)(left / NS_PER_S);
	ts->tv_nsec = (long)(left % NS_PER_S);
	return ts;
}

static int attach_open(struct run_attach *a, struct weir_net *net)
{
	struct run *r = &a->run;
	int err;

	r->name = a->name;
	r->kind = "drill";
	r->front = -1;
	r->clock = (struct run_clock){ monotonic_now, monotonic_sleep_until, NULL };
	sigprocmask(SIG_SETMASK, NULL, &r->sigmask);
	r->sigpipe_ignored = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
	getrlimit(RLIMIT_NOFILE, &r->nofile);
	/* What a program leaves behind stays ours to end. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	snprintf(a->name, sizeof(a->name), "drill-%d", (int)getpid());
	err = state_create(a->name, &a->dir, &r->dir_fd, &a->lock);
	if (err)
		return err;
	r->dir = a->dir;
	err = loop_open(r);
	if (err)
		return err;
	r->machine = weir_net_machine(net);
	err = weir_epoll_create(r->machine, &r->wep);
	if (!err)
		err = run_node_create(r, "drill", net, &a->node);
	if (!err)
		a->node->borrowed = true;
	return err;
}

int run_attach_create(struct weir_net *net, struct run_attach **ret_attach, char *error,
		      size_t size)
{
	struct run_attach *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	if (a) {
		a->lock = a->run.dir_fd = -1;
		err = attach_open(a, net);
	}
	if (!err) {
		*ret_attach = a;
		return 0;
	}
	snprintf(error, size, "programs cannot be attached to the instance: %s", strerror(-err));
	run_attach_destroy(a);
	return err;
}

void run_attach_destroy(struct run_attach *a)
{
	struct run *r;

	if (!a)
		return;
	r = &a->run;
	r->machine = NULL; /* the caller's */
	if (r->scratch)
		loop_free(r);
	if (r->ep > 0)
		close(r->ep);
	if (r->ep_ends > 0)
		close(r->ep_ends);
	if (a->dir)
		state_remove(a->name);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	if (a->lock >= 0)
		close(a->lock);
	free(a->dir);
	free(r->filter);
	free(r->scratch);
	free(r->weights);
	free(r->weigh_octets);
	free(r->junk);
	free(r->undelivered);
	free(a);
}

static void command_changed(struct run_proc *p, int wait_status, void *arg)
{
	struct run_attach *a = arg;

	if (WIFSTOPPED(wait_status))
		return;
	a->status = wait_status;
	a->done = true;
}

static void command_ended(int fd, uint32_t events, void *arg)
{
	launch_reap(arg);
}

/* What was written to views is told by inotify, perhaps after its writer has ended. */
static void finish_turns(struct run *r)
{
	for (int i = 0; i < 2; i++) {
		r->busy = true; /* does not sleep */
		loop_turn(r);
	}
	r->busy = false;
}

int run_attach_command(struct run_attach *a, char *const *argv, const char *cwd,
		       int *ret_wait_status)
{
	struct run_spawn sp = { .argv = argv,
				.cwd = cwd,
				.fds = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
				.changed = command_changed,
				.arg = a };
	struct run *r = &a->run;
	struct run_watch *watch;
	struct run_proc *p;
	int pidfd, err;

	a->done = false;
	err = run_spawn(a->node, &sp, &p);
	if (err)
		return err;
	pidfd = (int)syscall(SYS_pidfd_open, run_proc_pid(p), 0);
	watch = pidfd < 0 ? NULL : run_watch_add(r, pidfd, EPOLLIN, command_ended, r);
	if (!watch) {
		launch_kill_all();
		launch_forget(r);
		return -ENOMEM;
	}
	while (!a->done)
		loop_turn(r);
	run_watch_remove(r, watch);
	close(pidfd);
	finish_turns(r);
	launch_kill_all();
	finish_turns(r);
	*ret_wait_status = a->status;
	return 0;
}
