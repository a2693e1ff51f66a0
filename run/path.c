/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.c - where a path of a program's leads
 *
 * Theory of operation
 *   A path is walked as the kernel would walk it for the caller: from its root, its working directory or the directory it names, and with
 *   /proc/self meaning the caller, not us. So links are followed here, one by one; those of procfs that are no text (fd/3, cwd, root) by the
 *   kernel. A path without links takes one system call.
 * What is found may be another object than the kernel finds later, if the program exchanges something in between.
 * See path_resolution(7), openat2(2).
 */
#include "run_internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel has it */
#define OPEN_HERE (O_PATH | O_CLOEXEC)

struct walk {
	pid_t tid;
	int root, dir; /* O_PATH */
	unsigned links;
	bool follow; /* a link at the end */
	char rest[PATH_MAX];
};

/* ---- procfs ----------------------------------------------------------------------------------------------------- */

static bool on_procfs(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) == 0 && st.f_type == PROC_SUPER_MAGIC;
}

/* /proc/self or /proc/thread-self of the caller; in our procfs, whichever the caller's is. */
static int open_self(const struct walk *w, bool thread)
{
	pid_t process = ident_process(w->tid);
	char path[48];

	if (thread)
		snprintf(path, sizeof(path), "/proc/%d/task/%d", process, w->tid);
	else
		snprintf(path, sizeof(path), "/proc/%d", process);
	return open(path, OPEN_HERE);
}

/* Does @name, ".../PID/mem" or ".../PID/task/TID/mem", say truly whose memory @fd is? What is mounted elsewhere may have any name. */
static bool is_memory_of_ours(int fd, char *name)
{
	char *part[4], path[64];
	struct stat st, same;
	unsigned n = 0;

	for (char *slash; n < 4 && (slash = strrchr(name, '/')); *slash = '\0')
		part[n++] = slash + 1;
	if (n < 2)
		return false;
	if (n == 4 && !strcmp(part[2], "task"))
		snprintf(path, sizeof(path), "/proc/%d/task/%d/mem", atoi(part[3]), atoi(part[1]));
	else
		snprintf(path, sizeof(path), "/proc/%d/mem", atoi(part[1]));
	return ident_in_tree((pid_t)atoi(part[1])) && fstat(fd, &st) == 0 &&
	       stat(path, &same) == 0 && st.st_dev == same.st_dev && st.st_ino == same.st_ino;
}

bool path_is_foreign_memory(int fd)
{
	char link[40], name[PATH_MAX], *end;
	struct statx stx;
	ssize_t n;

	if (!on_procfs(fd))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n <= 0 || statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx) < 0)
		return true;
	name[n] = '\0';
	/* A single file that is mounted somewhere is not called what it is. */
	if (S_ISREG(stx.stx_mode) && (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return true;
	end = strrchr(name, '/');
	return end && !strcmp(end, "/mem") && !is_memory_of_ours(fd, name);
}

/* ---- the walk ----------------------------------------------------------------------------------------------------- */

static void step(struct walk *w, int next)
{
	close(w->dir);
	w->dir = next;
}

static bool at_root(const struct walk *w)
{
	struct stat dir, root;

	return fstat(w->dir, &dir) == 0 && fstat(w->root, &root) == 0 &&
	       dir.st_dev == root.st_dev && dir.st_ino == root.st_ino;
}

/* The text of a link takes the place of its name: @rest is what comes behind. */
static int walk_text(struct walk *w, const char *text, const char *rest)
{
	char all[PATH_MAX];

	if (snprintf(all, sizeof(all), "%s%s", text, rest) >= (int)sizeof(all))
		return -ENAMETOOLONG;
	strcpy(w->rest, all);
	if (text[0] == '/')
		step(w, fcntl(w->root, F_DUPFD_CLOEXEC, 3));
	return w->dir < 0 ? -errno : 0;
}

/* @link, called @name in w->dir, with @rest behind it; @link is consumed. */
static int walk_link(struct walk *w, int link, const char *name, const char *rest)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);
	bool proc = on_procfs(link);
	int next;

	close(link);
	if (n <= 0)
		return n < 0 ? -errno : -ENOENT;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	text[n] = '\0';
	if (!proc || (text[0] != '/' && !isdigit((unsigned char)text[0]) && !strchr(text, ':')))
		return walk_text(w, text, rest);
	next = isdigit((unsigned char)text[0]) ? open_self(w, strchr(text, '/') != NULL)
					       : openat(w->dir, name, OPEN_HERE);
	if (next < 0)
		return -errno;
	step(w, next);
	memmove(w->rest, rest, strlen(rest) + 1);
	return 0;
}

/* One name of the rest. */
static int walk_name(struct walk *w, char *name, const char *rest)
{
	bool last = rest[strspn(rest, "/")] == '\0';
	struct stat st;
	int next;

	if (!strcmp(name, ".") || (!strcmp(name, "..") && at_root(w))) {
		memmove(w->rest, rest, strlen(rest) + 1);
		return 0;
	}
	next = openat(w->dir, name, OPEN_HERE | O_NOFOLLOW);
	if (next < 0 || fstat(next, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (!last || w->follow || *rest))
		return walk_link(w, next, name, rest);
	step(w, next);
	if (!last && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	memmove(w->rest, rest, strlen(rest) + 1);
	return 0;
}

static int walk(struct walk *w)
{
	int err = 0;

	while (!err) {
		char name[NAME_MAX + 1], *begin = w->rest + strspn(w->rest, "/");
		size_t n = strcspn(begin, "/");

		if (!n)
			return 0;
		if (n > NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, begin, n);
		name[n] = '\0';
		err = walk_name(w, name, begin + n);
	}
	return err;
}

static int open_base(pid_t tid, int dirfd, const char *what)
{
	char path[48];

	if (what)
		snprintf(path, sizeof(path), "/proc/%d/%s", tid, what);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", tid, dirfd);
	return open(path, OPEN_HERE);
}

int path_open(struct call *c, int dirfd, const char *path, bool follow)
{
	struct open_how how = { .flags = OPEN_HERE | (follow ? 0 : O_NOFOLLOW),
				.resolve = RESOLVE_NO_SYMLINKS };
	struct walk w = { .tid = (pid_t)c->n.pid, .follow = follow };
	bool absolute = path[0] == '/';
	int fd, err;

	if (strlen(path) >= sizeof(w.rest))
		return -ENAMETOOLONG;
	strcpy(w.rest, path);
	w.root = open_base(w.tid, -1, "root");
	if (w.root < 0)
		return -errno;
	w.dir = absolute ? fcntl(w.root, F_DUPFD_CLOEXEC, 3)
			 : open_base(w.tid, dirfd, dirfd == AT_FDCWD ? "cwd" : NULL);
	err = w.dir < 0 ? -errno : 0;
	if (!err) {
		how.resolve |= absolute ? RESOLVE_IN_ROOT : 0;
		fd = (int)syscall(SYS_openat2, w.dir, path, &how, sizeof(how));
		if (fd >= 0)
			step(&w, fd);
		/* Links; somebody moves directories; or a filter around us does not know the call (a container's). */
		else if (errno == ELOOP || errno == EAGAIN || errno == ENOSYS || errno == EPERM)
			err = walk(&w);
		else
			err = -errno;
	}
	close(w.root);
	if (err && w.dir >= 0)
		close(w.dir);
	return err ? err : w.dir;
}
