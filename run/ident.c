/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ident.c - which attached socket is the caller's descriptor 5?
 *
 * Theory of operation
 *   Descriptors are duplicated, inherited, passed and closed natively, so no table of ours could follow them. For each call we take
 *   a copy of the descriptor from the calling thread and look up the inode it has: that is exact, whatever happened before. The
 *   copy is closed after the call: a kept one would hide the program's close.
 *   Where pidfd_getfd is forbidden, the link /proc/TID/fd/N names the inode, and what needs the copy itself is done in the weaker
 *   ways that sock.c describes.
 *   A pidfd of a thread may be kept: it never comes to mean another thread. Pairs of thread and number must not be trusted, and are
 *   only kept as a hint (hint_tid, hint_fd) that is verified by inode.
 *
 *   Some states close the supervisor's end (the only way to make the program see an error), or leave it in a hang-up that no longer
 *   changes. Such sockets are orphans: after a while they are found once, and from then on inotify tells of their last close. Where it cannot,
 *   one walk over the descriptors of all our processes finds out from time to time which of them somebody still holds.
 */
#include "run_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PIDFD_THREAD_FLAG O_EXCL
#define SCAN_INTERVAL     (500 * NS_PER_MS)
#define SCAN_SHARE        20 /* a walk may take 1/20 of the time */

/* ---- copies ------------------------------------------------------------------------------------------- */

static pid_t status_number(pid_t tid, const char *field)
{
	char path[40], line[128];
	pid_t val = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, field, strlen(field))) {
			val = (pid_t)strtol(line + strlen(field), NULL, 10);
			break;
		}
	}
	fclose(f);
	return val;
}

pid_t ident_process(pid_t tid)
{
	return status_number(tid, "Tgid:");
}

unsigned ident_pid_namespaces(pid_t pid)
{
	char path[40], line[128];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (!n && fgets(line, sizeof(line), f))
		if (!strncmp(line, "NSpid:", 6))
			for (char *save, *p = strtok_r(line + 6, " \t\n", &save); p;
			     p = strtok_r(NULL, " \t\n", &save))
				n++;
	fclose(f);
	return n;
}

static int getfd(int pidfd, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? -errno : copy;
}

/* Kernels before 6.9: a pidfd names a process, so it is looked up anew each time. */
static int copy_by_process(pid_t tid, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tid, 0);
	int ret;

	if (pidfd < 0 &&
	    (errno == EINVAL || errno == ENOENT)) /* a thread; newer kernels say ENOENT */
		pidfd = (int)syscall(SYS_pidfd_open, status_number(tid, "Tgid:"), 0);
	if (pidfd < 0)
		return -errno;
	ret = getfd(pidfd, fd);
	close(pidfd);
	return ret;
}

static int slot_open(struct run *r, struct pidfd_slot *slot, pid_t tid)
{
	if (slot->fd >= 0)
		close(slot->fd);
	slot->fd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD_FLAG);
	slot->tid = tid;
	slot->opened = r->seq;
	return slot->fd < 0 ? -errno : 0;
}

int ident_copy(struct run *r, pid_t tid, int fd)
{
	struct pidfd_slot *slot = &r->pidfds[(unsigned)tid % PIDFD_CACHE];
	int ret = -ESRCH;

	if (!r->fac.pidfd_getfd)
		return -EPERM;
	if (r->nested)
		return nested_copy(r, tid, fd);
	if (!r->fac.pidfd_thread)
		return copy_by_process(tid, fd);
	if (slot->fd >= 0 && slot->tid == tid)
		ret = getfd(slot->fd, fd);
	if (ret != -ESRCH)
		return ret;
	/* Unknown, or the thread it named is gone and its number was given to another one. */
	ret = slot_open(r, slot, tid);
	return ret ? ret : getfd(slot->fd, fd);
}

/* The pidfd that named the caller's thread just now was opened before the call: it is the caller's, then and since. */
static bool caller_is_certain(const struct call *c)
{
	const struct pidfd_slot *slot = &c->run->pidfds[c->n.pid % PIDFD_CACHE];

	return c->run->fac.pidfd_thread && slot->fd >= 0 && slot->tid == (pid_t)c->n.pid &&
	       slot->opened < c->seq;
}

/* The inode of socket @fd of @tid by its /proc link; 0: no socket. */
static ino_t link_inode(const char *dir, const char *name)
{
	char path[300], text[64];
	unsigned long ino;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	n = readlink(path, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "socket:[%lu]", &ino) == 1 ? (ino_t)ino : 0;
}

static ino_t fd_inode(pid_t tid, int fd)
{
	char dir[40], name[16];

	snprintf(dir, sizeof(dir), "/proc/%d/fd", tid);
	snprintf(name, sizeof(name), "%d", fd);
	return link_inode(dir, name);
}

struct asock *__call_sock(struct call *c, int fd)
{
	pid_t tid = (pid_t)c->n.pid;
	struct asock *s;
	struct stat st;

	if (c->a >= 0)
		close(c->a);
	c->sock = NULL;
	c->a = -1;
	if (fd < 0)
		return NULL;
	if (!c->run->fac.pidfd_getfd) {
		s = asock_find(c->run, fd_inode(tid, fd));
		if (s && s->kept_a >= 0)
			c->a = fcntl(s->kept_a, F_DUPFD_CLOEXEC, 3);
	} else {
		c->a = ident_copy(c->run, tid, fd);
		c->certain = c->a >= 0 && caller_is_certain(c);
		c->alive |= c->certain;
		if (c->a < 0 || fstat(c->a, &st) < 0 || !S_ISSOCK(st.st_mode))
			return NULL;
		s = asock_find(c->run, st.st_ino);
	}
	if (!s)
		return NULL;
	asock_set_hint(s, tid, fd);
	c->sock = s;
	return s;
}

struct asock *call_sock(struct call *c, int fd)
{
	struct asock *s = __call_sock(c, fd);

	if (!s || c->certain || notify_valid(c))
		return s;
	c->sock = NULL;
	return NULL;
}

ino_t ident_inode(struct call *c, int fd)
{
	return fd < 0 ? 0 : fd_inode((pid_t)c->n.pid, fd);
}

bool ident_is_socket(struct call *c, int fd)
{
	return ident_inode(c, fd) != 0;
}

bool ident_hint_holds(const struct asock *s)
{
	return s->hint_tid > 0 && fd_inode(s->hint_tid, s->hint_fd) == s->ino;
}

/* ---- walks -------------------------------------------------------------------------------------------- */

struct pid_list {
	pid_t *pids, *parents;
	size_t nr, room;
};

static bool pid_list_add(struct pid_list *l, pid_t pid, pid_t parent)
{
	if (l->nr == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		pid_t *pids = realloc(l->pids, room * sizeof(*pids));
		pid_t *parents;

		if (!pids)
			return false;
		l->pids = pids;
		parents = realloc(l->parents, room * sizeof(*parents));
		if (!parents)
			return false;
		l->parents = parents;
		l->room = room;
	}
	l->pids[l->nr] = pid;
	l->parents[l->nr++] = parent;
	return true;
}

/* From /proc/PID/stat, behind the name in parentheses. */
pid_t ident_parent(pid_t pid)
{
	char path[40], text[512], *p;
	int ppid = -1;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || sscanf(p + 1, " %*c %d", &ppid) != 1)
		return -1;
	return ppid;
}

static void list_processes(struct pid_list *l)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid > 0 && !pid_list_add(l, pid, ident_parent(pid)))
			break;
	}
	closedir(d);
}

static pid_t list_parent(const struct pid_list *l, pid_t pid)
{
	for (size_t i = 0; i < l->nr; i++)
		if (l->pids[i] == pid)
			return l->parents[i];
	return -1;
}

void ident_each_descendant(pid_t ancestor, void (*fn)(pid_t pid, void *arg), void *arg)
{
	struct pid_list l = { 0 };

	list_processes(&l);
	for (size_t i = 0; i < l.nr; i++) {
		pid_t up = l.parents[i];
		/* bounded, should the list be inconsistent */
		for (size_t hops = 0; up > 1 && up != ancestor && hops < l.nr; hops++)
			up = list_parent(&l, up);
		if (up == ancestor)
			fn(l.pids[i], arg);
	}
	free(l.pids);
	free(l.parents);
}

bool ident_in_tree(pid_t pid)
{
	pid_t me = getpid(), up = pid; /* a thread's parent is its process's */

	for (int hops = 0; up > 1 && up != me && hops < 4096; hops++) {
		up = ident_parent(up);
		if (up == me)
			return true;
	}
	return false;
}

struct fd_walk {
	void (*fn)(pid_t pid, int fd, ino_t ino, void *arg);
	void *arg;
};

static void walk_fds_of(pid_t pid, void *arg)
{
	struct fd_walk *w = arg;
	char dir[40];
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	d = opendir(dir);
	if (!d)
		return;
	while ((e = readdir(d))) {
		ino_t ino = e->d_name[0] == '.' ? 0 : link_inode(dir, e->d_name);

		if (ino)
			w->fn(pid, atoi(e->d_name), ino, w->arg);
	}
	closedir(d);
}

static void walk_sockets(void (*fn)(pid_t pid, int fd, ino_t ino, void *arg), void *arg)
{
	struct fd_walk w = { fn, arg };

	ident_each_descendant(getpid(), walk_fds_of, &w);
}

static void find_holder(pid_t pid, int fd, ino_t ino, void *arg)
{
	struct asock *s = arg;

	if (ino == s->ino)
		asock_set_hint(s, pid, fd);
}

/* By the hint; -1: it does not hold. */
static int copy_by_hint(struct asock *s)
{
	struct stat st;
	int a = s->hint_tid > 0 ? ident_copy(s->run, s->hint_tid, s->hint_fd) : -1;

	if (a < 0)
		return -1;
	if (fstat(a, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_ino == s->ino)
		return a;
	close(a);
	return -1;
}

int ident_find(struct asock *s)
{
	int a;

	if (s->kept_a >= 0)
		return fcntl(s->kept_a, F_DUPFD_CLOEXEC, 3);
	if (!s->run->fac.pidfd_getfd)
		return -1;
	a = copy_by_hint(s);
	if (a >= 0)
		return a;
	s->hint_tid = 0;
	walk_sockets(find_holder, s);
	return copy_by_hint(s);
}

/* hint_tid was made 0 before the walk, and is the holder's after it. */
static void mark_held(pid_t pid, int fd, ino_t ino, void *arg)
{
	struct asock *s = asock_find(arg, ino);

	if (s && s->orphan)
		asock_set_hint(s, pid, fd);
}

/* Somebody connects: listeners whose closing we cannot see must not answer for those who closed them. */
void ident_check_listeners(struct run *r)
{
	struct asock *s;

	if (r->fac.pidfd_getfd)
		return;
	TAILQ_FOREACH(s, &r->orphans, orphan_link)
	{
		if (s->state == AS_LISTENING && !ident_hint_holds(s)) {
			r->orphan_scan = 0;
			ident_scan_orphans(r);
			return;
		}
	}
}

/* It need not be looked for any more. */
static void await_close(struct asock *s)
{
	int a = s->kept_a >= 0 ? -1 : copy_by_hint(s);

	if (a < 0)
		return;
	asock_await_close(s, a);
	close(a);
}

void ident_scan_orphans(struct run *r)
{
	uint64_t start = run_now(r), took;
	struct asock *s, *next;
	unsigned lost = 0;

	if (TAILQ_EMPTY(&r->orphans) || start < r->orphan_scan)
		return;
	TAILQ_FOREACH(s, &r->orphans, orphan_link)
	{
		if (!ident_hint_holds(s)) {
			s->hint_tid = 0;
			lost++;
		}
	}
	if (lost)
		walk_sockets(mark_held, r);
	for (s = TAILQ_FIRST(&r->orphans); s; s = next) {
		next = TAILQ_NEXT(s, orphan_link);
		if (s->hint_tid == 0)
			asock_free(s);
		else
			await_close(s);
	}
	took = run_now(r) - start;
	r->orphan_scan = run_now(r) +
			 (took * SCAN_SHARE > SCAN_INTERVAL ? took * SCAN_SHARE : SCAN_INTERVAL);
}
