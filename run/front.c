/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front.c - the process that the user started
 *
 * Theory of operation
 *   The front holds the state directory, starts the stack process, and waits. The program in the foreground is in the front's process
 *   group, as if the shell had started it: the terminal's signals, job control and pipelines work natively, and kill(0, ...) reaches
 *   whom it would reach. Signals that were sent to the front alone are relayed. The stack process has a group of its own.
 *   Front and stack watch each other: the stack sees its channel to the front hang up, the front reaps the stack. Whoever is left kills
 *   all programs (both are subreapers: orphans come to the one that lives) and removes the directory. If both are killed at
 *   once, programs that the stack started itself die by PR_SET_PDEATHSIG, and the directory is removed by the next start.
 */
#include "run_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum front_message { FRONT_READY, FRONT_DONE, FRONT_SUSPEND, FRONT_BYE };

struct message {
	int kind;
	int value;
};

struct front {
	const struct run_config *cfg;
	char *name;
	char *dir;
	int dir_fd, lock_fd;
	int channel;
	int signals;
	pid_t stack;
	sigset_t mask; /* as we were started with */
	bool done;
	int status;    /* wait status to end with */
	int notify_fd; /* detached: whom to tell that the set-up has ended; -1 */
};

/* In the background, what is said goes to STATE/log. */
static void redirect_output(int dir_fd)
{
	int fd =
		openat(dir_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	fflush(NULL);
	if (fd < 0)
		return;
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* ---- the stack's side ----------------------------------------------------------------------------------------------- */

static void tell_front(struct run *r, int kind, int value)
{
	struct message m = { kind, value };

	send(r->front, &m, sizeof(m), MSG_NOSIGNAL);
}

void run_ready(struct run *r, int status)
{
	if (r->ready || !r->detached)
		return;
	r->ready = true;
	redirect_output(r->dir_fd);
	tell_front(r, FRONT_READY, status);
}

void front_report(struct run *r, int wait_status)
{
	tell_front(r, FRONT_DONE, wait_status);
}

void run_suspend(struct run *r)
{
	tell_front(r, FRONT_SUSPEND, 0);
}

/* Who removes the directory? A front that answers does. One that has been killed does not answer, even while it is still our parent. */
static bool front_answers(struct run *r)
{
	struct relayed_signal s;
	ssize_t n;

	tell_front(r, FRONT_BYE, 0);
	do
		n = recv(r->front, &s, sizeof(s), 0);
	while ((n < 0 && errno == EINTR) || (n == (ssize_t)sizeof(s) && s.sig));
	return n == (ssize_t)sizeof(s);
}

static int stack_main(struct front *f, int channel)
{
	struct run *r = calloc(1, sizeof(*r));
	struct rlimit lim;
	int status;

	if (!r)
		return 125;
	setpgid(0, 0); /* the terminal's signals are the front's */
	r->name = f->name;
	r->kind = f->cfg->kind;
	r->dir = f->dir;
	r->dir_fd = f->dir_fd;
	r->front = channel;
	r->detached = f->cfg->detach;
	r->sigmask = f->mask;
	r->sigpipe_ignored = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
	getrlimit(RLIMIT_NOFILE, &r->nofile);
	lim = r->nofile;
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim); /* a descriptor for each attached socket */
	status = loop_main(f->cfg, r);
	if (!front_answers(r))
		state_remove(f->name);
	free(r->filter);
	free(r->scratch);
	free(r->weights);
	free(r->weigh_octets);
	free(r->junk);
	free(r->undelivered);
	free(r);
	return status;
}

/* ---- the front ------------------------------------------------------------------------------------------------------ */

/* All that can be caught and are not ours to act on go to the stack. */
static void block_signals(struct front *f)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &f->mask);
	f->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The program has stopped (^Z): so do we, as the shell expects. It continues our process group, which the program is in. */
static void suspend(struct front *f)
{
	struct relayed_signal cont = { .sig = SIGCONT, .direct = true };

	raise(SIGSTOP);
	send(f->channel, &cont, sizeof(cont), MSG_NOSIGNAL);
}

static void tell_starter(struct front *f, int status)
{
	if (f->notify_fd < 0)
		return;
	if (write(f->notify_fd, &status, sizeof(status)) != (ssize_t)sizeof(status))
		loop_say("nobody waits for the start"); /* into the log */
	close(f->notify_fd);
	f->notify_fd = -1;
}

static void channel_event(struct front *f)
{
	struct message m;

	while (recv(f->channel, &m, sizeof(m), MSG_DONTWAIT) == (ssize_t)sizeof(m)) {
		switch (m.kind) {
		case FRONT_READY:
			redirect_output(f->dir_fd);
			tell_starter(f, m.value);
			break;
		case FRONT_SUSPEND:
			suspend(f);
			break;
		case FRONT_BYE:
			send(f->channel, &(struct relayed_signal){ 0 },
			     sizeof(struct relayed_signal), MSG_NOSIGNAL);
			break;
		default:
			f->done = true;
			f->status = m.value;
		}
	}
}

/* True: the stack process is gone. */
static bool reap(struct front *f)
{
	bool gone = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != f->stack)
			continue;
		gone = true;
		channel_event(f);
		if (f->done)
			continue;
		f->status = status;
		if (WIFSIGNALED(status)) {
			loop_say("the stack process died (%s); its programs were ended",
				 strsignal(WTERMSIG(status)));
			f->status = 125 << 8;
		}
	}
	return gone;
}

static bool signal_event(struct front *f)
{
	struct signalfd_siginfo si;
	bool gone = false;

	while (read(f->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		struct relayed_signal s = { .sig = (int)si.ssi_signo };

		if (s.sig == SIGCHLD) {
			gone |= reap(f);
			continue;
		}
		/* What the terminal, or kill(0) in a program, sends, is sent to the whole process group. */
		s.direct = si.ssi_code != SI_KERNEL && !ident_in_tree((pid_t)si.ssi_pid);
		send(f->channel, &s, sizeof(s), MSG_NOSIGNAL);
	}
	return gone;
}

static void front_loop(struct front *f)
{
	struct pollfd p[2] = {
		{ .fd = f->signals, .events = POLLIN },
		{ .fd = f->channel, .events = POLLIN },
	};

	for (;;) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[1].revents & POLLIN)
			channel_event(f);
		if (p[1].revents & (POLLHUP | POLLERR))
			p[1].fd = -1;
		if (signal_event(f))
			return;
	}
}

/* Descriptors above the standard ones: sockets lead to the host's network and are not passed on. */
static void close_if_socket(int fd)
{
	struct stat st;

	if (fd > STDERR_FILENO && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void close_inherited_sockets(void)
{
	long max = sysconf(_SC_OPEN_MAX);
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	if (!d) {
		for (int fd = 3; fd < max && fd < 65536; fd++)
			close_if_socket(fd);
		return;
	}
	while ((e = readdir(d)))
		close_if_socket(atoi(e->d_name)); /* "." is 0 */
	closedir(d);
}

static int open_instance(struct front *f)
{
	int err;

	if (f->cfg->name)
		f->name = strdup(f->cfg->name);
	else if (asprintf(&f->name, "%s-%d", f->cfg->kind, getpid()) < 0)
		f->name = NULL;
	if (!f->name)
		return -ENOMEM;
	if (!state_name_valid(f->name)) {
		loop_say("name \"%s\": letters, digits, '.', '_' and '-' only, not first '.' or "
			 "'-', at most 64",
			 f->name);
		return -EINVAL;
	}
	err = state_create(f->name, &f->dir, &f->dir_fd, &f->lock_fd);
	if (err == -EEXIST)
		loop_say("an instance named \"%s\" is running already", f->name);
	else if (err)
		loop_say("cannot create the state directory: %s", strerror(-err));
	return err;
}

static int start_stack(struct front *f)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return -errno;
	fflush(NULL);
	f->stack = fork();
	if (f->stack < 0)
		return -errno;
	if (f->stack == 0) {
		close(sv[0]);
		close(f->signals);
		exit(stack_main(f, sv[1]));
	}
	close(sv[1]);
	f->channel = sv[0];
	return 0;
}

/* Detached: the front becomes a daemon; the starter waits for the set-up. Returns the starter's exit status, or -1 in the daemon. */
static int detach(struct front *f)
{
	int pipefd[2], status = 125, fd;
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return 125;
	if (pid > 0) {
		close(pipefd[1]);
		if (read(pipefd[0], &status, sizeof(status)) != (ssize_t)sizeof(status))
			status = 125;
		return status;
	}
	close(pipefd[0]);
	setsid();
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		dup2(fd, 0);
	f->notify_fd = pipefd[1];
	return -1;
}

static int exit_status(struct front *f)
{
	if (WIFEXITED(f->status))
		return WEXITSTATUS(f->status);
	if (WIFSIGNALED(f->status)) {
		struct rlimit no_core = { 0, 0 };
		sigset_t set;
		int sig = WTERMSIG(f->status);

		/* As the program died, so do we: whoever started us sees the same. */
		setrlimit(RLIMIT_CORE, &no_core);
		signal(sig, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, sig);
		raise(sig);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		return 128 + sig;
	}
	return 125;
}

int run_front(const struct run_config *cfg)
{
	struct front f = { .cfg = cfg, .notify_fd = -1, .status = 125 << 8 };
	int status;

	close_inherited_sockets();
	if (cfg->detach) {
		status = detach(&f);
		if (status >= 0)
			return status;
	}
	if (open_instance(&f)) {
		tell_starter(&f, 2);
		free(f.name);
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	block_signals(&f);
	if (f.signals < 0 || start_stack(&f)) {
		loop_say("cannot start: %s", strerror(errno));
		state_remove(f.name);
		tell_starter(&f, 125);
		return 125;
	}
	front_loop(&f);
	launch_kill_all();
	state_remove(f.name);
	tell_starter(&f, WIFEXITED(f.status) ? WEXITSTATUS(f.status) : 125);
	free(f.name);
	free(f.dir);
	return exit_status(&f);
}
