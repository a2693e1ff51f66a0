/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor.c - what this machine lets the runner do
 *
 * Every facility is tried, not guessed from versions: policy (containers, Yama, LSMs) decides as much as the kernel does. What needs a
 * filter or another process is tried in a child, so that nothing of it stays.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROBE_CALL                                                                                 \
	SYS_getppid /* what the probe's filter notifies: harmless, and never answered by the C library itself */

/* ---- seccomp, in a child ------------------------------------------------------------------------------------------- */

/* Notifies PROBE_CALL and nothing else. Returns the listener, or -errno. */
static int probe_filter(unsigned long flags)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROBE_CALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };
	long fd;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags,
		     &prog);
	return fd < 0 ? -errno : (int)fd;
}

/* Runs @fn in a child; its result (an errno, 0 is well) comes back. */
static int in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(fn(arg) & 0xff);
	if (waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static int try_listener(void *arg)
{
	int fd = probe_filter(0);

	return fd < 0 ? -fd : 0;
}

static int try_killable(void *arg)
{
	int fd = probe_filter(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);

	return fd < 0 ? -fd : 0;
}

/* A child that shares our descriptors notifies a call, and is answered with a descriptor in one step. */
static int try_addfd_send(void *arg)
{
	struct seccomp_notif n = { 0 };
	struct seccomp_notif_addfd add = { .flags = SECCOMP_ADDFD_FLAG_SEND };
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int err = 0;

	if (shared == MAP_FAILED)
		return ENOMEM;
	*shared = 0;
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0) {
		int fd = probe_filter(0);

		__atomic_store_n(shared, fd, __ATOMIC_RELEASE);
		if (fd >= 0)
			syscall(PROBE_CALL);
		_exit(0);
	}
	if (pid < 0)
		return errno;
	while (!__atomic_load_n(shared, __ATOMIC_ACQUIRE))
		sched_yield();
	if (*shared < 0) {
		err = -*shared;
	} else if (ioctl(*shared, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0) {
		err = errno;
	} else {
		add.id = n.id;
		add.srcfd = 0;
		if (ioctl(*shared, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
			err = errno;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err;
}

/* ---- looking into a child ------------------------------------------------------------------------------------------- */

struct peek {
	pid_t pid;
	const int *word;
};

static int try_vm(const struct peek *p)
{
	int got = 0, put = 42;
	struct iovec local = { &got, sizeof(got) };
	struct iovec remote = { (void *)(uintptr_t)p->word, sizeof(got) };

	if (process_vm_readv(p->pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(got))
		return errno;
	local.iov_base = &put;
	return process_vm_writev(p->pid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(put) ? 0
											   : errno;
}

static int try_proc_mem(const struct peek *p)
{
	char path[40];
	int got, fd, err = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", p->pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (pread(fd, &got, sizeof(got), (off_t)(uintptr_t)p->word) != (ssize_t)sizeof(got))
		err = errno;
	close(fd);
	return err;
}

static int try_getfd(const struct peek *p)
{
	int pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0), fd, err = 0;

	if (pidfd < 0)
		return errno;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	/* No descriptor 0 in the child is an answer too. */
	if (fd < 0 && errno != EBADF)
		err = errno;
	if (fd >= 0)
		close(fd);
	close(pidfd);
	return err;
}

/* One child for both. What is allowed as bits: 1 copies of descriptors, 2 memory. */
static int try_getfd_and_vm(const struct peek *p)
{
	return (try_getfd(p) == 0 ? 1 : 0) | (try_vm(p) == 0 ? 2 : 0);
}

/* @fn is given a child that waits. What it returns; -errno without a child. */
static int with_child(int (*fn)(const struct peek *p))
{
	int hold[2], ready[2], err, word = 7; /* at the same address in the child */
	struct peek p = { .word = &word };
	char c;

	if (pipe2(hold, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(ready, O_CLOEXEC) < 0) {
		err = -errno;
		close(hold[0]);
		close(hold[1]);
		return err;
	}
	fflush(NULL);
	p.pid = fork();
	if (p.pid == 0) {
		/* We may be not dumpable; programs will be, after their execve. */
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		close(hold[1]);
		if (write(ready[1], "", 1) < 0)
			_exit(1);
		_exit(read(hold[0], &c, 1) < 0);
	}
	close(hold[0]);
	close(ready[1]);
	/* Its first octet, or, without a child, the end. */
	err = read(ready[0], &c, 1) == 1 ? fn(&p) : -EAGAIN;
	close(ready[0]);
	close(hold[1]);
	if (p.pid > 0)
		waitpid(p.pid, NULL, 0);
	return err;
}

static int try_pidfd_thread(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), O_EXCL);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_epoll_pwait2(void)
{
	int ep = epoll_create1(EPOLL_CLOEXEC), err;
	struct timespec none = { 0, 0 };
	struct epoll_event ev;

	err = epoll_pwait2(ep, &ev, 1, &none, NULL) < 0 ? errno : 0;
	close(ep);
	return err;
}

static int try_unix_oob(void)
{
	int sv[2], err = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return errno;
	if (send(sv[0], "x", 1, MSG_OOB | MSG_NOSIGNAL) < 0)
		err = errno;
	close(sv[0]);
	close(sv[1]);
	return err;
}

static int try_userns(void *arg)
{
	return unshare(CLONE_NEWUSER) < 0 ? errno : 0;
}

/* ---- the probe of every start ----------------------------------------------------------------------------------------- */

int doctor_probe(struct facilities *ret, char *why, size_t why_size)
{
	/* Each child costs a good part of what a start takes. Kernels that have the youngest of these have the others. */
	int err = 0, allowed;

	ret->killable = in_child(try_killable, NULL) == 0;
	if (!ret->killable)
		err = in_child(try_listener, NULL);
	ret->nested = err && nested_possible();
	if (err && !ret->nested) {
		snprintf(why, why_size, "seccomp user notification is not available (%s)",
			 strerror(err));
		return -err;
	}
	ret->addfd_send = ret->killable || in_child(try_addfd_send, NULL) == 0;
	allowed = with_child(try_getfd_and_vm);
	if (allowed < 0)
		allowed = 0;
	ret->pidfd_getfd = allowed & 1;
	ret->pidfd_thread = try_pidfd_thread() == 0;
	ret->vm_access = allowed & 2;
	ret->landlock = filter_landlock_abi();
	if (!ret->vm_access && with_child(try_proc_mem)) {
		snprintf(why, why_size,
			 "neither process_vm_readv nor /proc/PID/mem of a child is allowed");
		return -EPERM;
	}
	return 0;
}

/* ---- weir doctor ---------------------------------------------------------------------------------------------------------- */

struct finding {
	const char *name;
	int err; /* 0: there */
	bool needed;
	const char *lost; /* without it */
	const char *cure;
};

static void print_text(FILE *out, const struct finding *f, size_t n, const char *release)
{
	fprintf(out, "Linux %s, uid %u\n\n", release, geteuid());
	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%-8s %s%s%s%s\n",
			!f[i].err     ? "yes"
			: f[i].needed ? "MISSING"
				      : "no",
			f[i].name, f[i].err ? " (" : "", f[i].err ? strerror(f[i].err) : "",
			f[i].err ? ")" : "");
		if (f[i].err)
			fprintf(out, "           without it: %s\n           what to do: %s\n",
				f[i].lost, f[i].cure);
	}
}

static void print_json(FILE *out, const struct finding *f, size_t n, const char *release, bool ok)
{
	json_t *list = json_array(), *root;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:b, s:b, s:s, s:s, s:s}", "name", f[i].name,
						"available", !f[i].err, "needed", f[i].needed,
						"error", f[i].err ? strerror(f[i].err) : "",
						"without_it", f[i].lost, "what_to_do", f[i].cure));
	root = json_pack("{s:s, s:i, s:b, s:o}", "kernel", release, "uid", (int)geteuid(), "ok", ok,
			 "facilities", list);
	json_dumpf(root, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(root);
}

static int state_error(void)
{
	char name[32], *dir;
	int fd, lock, err;

	snprintf(name, sizeof(name), "doctor-%d", getpid());
	err = state_create(name, &dir, &fd, &lock);
	if (err)
		return -err;
	state_remove(name);
	free(dir);
	close(fd);
	close(lock);
	return 0;
}

int run_doctor(FILE *out, bool json)
{
	struct facilities fac = { 0 };
	struct utsname u = { 0 };
	struct rlimit lim = { 0 };
	char why[256];
	bool ok;

	uname(&u);
	getrlimit(RLIMIT_NOFILE, &lim);
	ok = doctor_probe(&fac, why, sizeof(why)) == 0;
	/* That of the runner around us serves, with all that it can. */
	int inner = fac.nested ? 0 : -1;
	int vm = abs(with_child(try_vm)), mem = abs(with_child(try_proc_mem)),
	    state = state_error();
	const struct finding f[] = {
		{ fac.nested ? "seccomp user notification (by the weir run around us)"
			     : "seccomp user notification",
		  inner ? in_child(try_listener, NULL) : 0, true, "programs cannot be attached",
		  "Linux 5.9 or newer, and a container profile that lets seccomp(2) through" },
		{ "seccomp: descriptor and answer in one step (ADDFD_SEND)",
		  inner ? in_child(try_addfd_send, NULL) : 0, false,
		  "socket() and accept() cost two wake-ups", "Linux 5.14 or newer" },
		{ "seccomp: calls that wait are not torn by signals (WAIT_KILLABLE_RECV)",
		  inner ? in_child(try_killable, NULL) : 0, false,
		  "a signal may interrupt a call after its effect; results are then kept for the "
		  "repeated call",
		  "Linux 5.19 or newer" },
		{ "pidfd_getfd", inner ? abs(with_child(try_getfd)) : 0, false,
		  "the end of unconnected sockets is noticed up to half a second late",
		  "Linux 5.6 or newer; Docker: --cap-add SYS_PTRACE or a profile that allows it" },
		{ "pidfd of a thread", try_pidfd_thread(), false,
		  "each call costs two system calls more", "Linux 6.9 or newer" },
		{ "process_vm_readv, process_vm_writev", vm, mem != 0,
		  "memory is read through /proc/PID/mem", "Podman: --cap-add SYS_PTRACE" },
		{ "/proc/PID/mem of a child", mem, vm != 0,
		  "needed only where process_vm_readv is forbidden",
		  "mount /proc; Yama: kernel.yama.ptrace_scope at most 1" },
		{ "Landlock", fac.landlock >= 2 ? 0 : ENOSYS, false,
		  "a program may race the check that keeps it out of other processes' memory",
		  "Linux 5.19 or newer with CONFIG_SECURITY_LANDLOCK, and landlock in lsm=" },
		{ "urgent octets on AF_UNIX (MSG_OOB)", try_unix_oob(), false, "MSG_OOB fails",
		  "Linux 5.15 or newer" },
		{ "epoll_pwait2", try_epoll_pwait2(), false, "timers are exact to 1 ms only",
		  "Linux 5.11 or newer" },
		{ "user namespaces", in_child(try_userns, NULL), false, "nothing today",
		  "nothing" },
		{ "65536 descriptors (RLIMIT_NOFILE, hard limit)",
		  lim.rlim_max >= 65536 ? 0 : EMFILE, false,
		  "fewer sockets can be attached at a time",
		  "ulimit -Hn 65536, or LimitNOFILE= of the service" },
		{ "a state directory of our own", state, true, "instances cannot be started",
		  "set XDG_RUNTIME_DIR, or TMPDIR, to a directory that you can write" },
	};

	ok = ok && !state;
	if (json)
		print_json(out, f, sizeof(f) / sizeof(f[0]), u.release, ok);
	else
		print_text(out, f, sizeof(f) / sizeof(f[0]), u.release);
	if (!json)
		fprintf(out, "\n%s\n",
			ok ? "Programs can be attached here."
			   : "Programs cannot be attached here.");
	return ok ? 0 : 1;
}
