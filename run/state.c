/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.c - state directories: $XDG_RUNTIME_DIR/weir/NAME, else weir-UID/NAME in the temporary directory
 *
 * Theory of operation
 *   Each instance has a directory with a "lock" file that front and stack process hold locked (flock) as long as one of them lives.
 *   A directory whose lock can be had belongs to nobody: it is removed by whoever comes by. Making and removing is serialised by
 *   a lock on the base directory's ".lock".
 *   The base must belong to us, and nobody else may enter it: names in it can then be trusted.
 */
#include "run_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_LIMIT 64

bool state_name_valid(const char *name)
{
	if (!name[0] || name[0] == '.' || name[0] == '-' || strlen(name) > NAME_LIMIT)
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return true;
}

static void base_path(char *buf, size_t size)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (dir && dir[0] == '/' && access(dir, W_OK) == 0) {
		snprintf(buf, size, "%s/weir", dir);
		return;
	}
	dir = getenv("TMPDIR");
	snprintf(buf, size, "%s/weir-%u", dir && dir[0] == '/' ? dir : "/tmp", geteuid());
}

/* A descriptor of the base directory, made if it is not there; or -errno. */
static int open_base(char *path, size_t size)
{
	struct stat st;
	int fd;

	base_path(path, size);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 077)) {
		close(fd);
		return -EPERM; /* somebody else made it, or lets others in */
	}
	return fd;
}

static int lock_base(int base)
{
	int fd = openat(base, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		return -errno;
	}
	return fd < 0 ? -errno : fd;
}

static void remove_tree(int at, const char *name)
{
	int fd = openat(at, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *e;
	DIR *d;

	if (fd < 0) {
		unlinkat(at, name, 0);
		return;
	}
	d = fdopendir(fd);
	if (!d) {
		close(fd);
		return;
	}
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(fd, e->d_name, 0) < 0)
			remove_tree(fd, e->d_name);
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* Is NAME/lock held by somebody? Caller holds the base lock. */
static bool is_live(int base, const char *name)
{
	char path[NAME_MAX + 8];
	bool live;
	int fd;

	snprintf(path, sizeof(path), "%s/lock", name);
	fd = openat(base, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	live = flock(fd, LOCK_EX | LOCK_NB) < 0;
	close(fd);
	return live;
}

static int make_instance(int base, const char *name, int *ret_fd, int *ret_lock)
{
	int fd, lock;

	if (is_live(base, name))
		return -EEXIST;
	remove_tree(base, name);
	if (mkdirat(base, name, 0700) < 0)
		return -errno;
	fd = openat(base, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	lock = openat(fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0) {
		int err = -errno;

		if (lock >= 0)
			close(lock);
		close(fd);
		return err;
	}
	*ret_fd = fd;
	*ret_lock = lock;
	return 0;
}

/* Directories of instances that are gone. Caller holds the base lock. */
static void remove_stale(int base)
{
	DIR *d = fdopendir(openat(base, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC));
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (state_name_valid(e->d_name) && !is_live(base, e->d_name))
			remove_tree(base, e->d_name);
	closedir(d);
}

int state_create(const char *name, char **ret_dir, int *ret_fd, int *ret_lock)
{
	char path[PATH_MAX];
	int base, lock, err;

	base = open_base(path, sizeof(path) - NAME_LIMIT - 2);
	if (base < 0)
		return base;
	lock = lock_base(base);
	if (lock < 0) {
		close(base);
		return lock;
	}
	remove_stale(base);
	err = make_instance(base, name, ret_fd, ret_lock);
	if (!err && asprintf(ret_dir, "%s/%s", path, name) < 0)
		err = -ENOMEM;
	close(lock);
	close(base);
	return err;
}

void state_remove(const char *name)
{
	char path[PATH_MAX];
	int base = open_base(path, sizeof(path)), lock;

	if (base < 0)
		return;
	lock = lock_base(base);
	remove_tree(base, name);
	if (lock >= 0)
		close(lock);
	close(base);
}

int state_open(const char *name)
{
	char path[PATH_MAX];
	int base, fd;

	if (!state_name_valid(name))
		return -EINVAL;
	base = open_base(path, sizeof(path));
	if (base < 0)
		return base;
	fd = is_live(base, name)
		     ? openat(base, name, O_DIRECTORY | O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
		     : -1;
	close(base);
	return fd < 0 ? -ENOENT : fd;
}

int run_state_each(int (*fn)(const char *name, void *arg), void *arg)
{
	char path[PATH_MAX];
	int base = open_base(path, sizeof(path)), lock, ret = 0;
	struct dirent **list;
	int n;

	if (base < 0)
		return base;
	lock = lock_base(base);
	if (lock >= 0) {
		remove_stale(base);
		close(lock);
	}
	close(base);
	n = scandir(path, &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (!ret && state_name_valid(list[i]->d_name))
			ret = fn(list[i]->d_name, arg);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return ret;
}
