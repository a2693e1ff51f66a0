/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * views.c - files that describe the network: /proc/net, /proc/sys/net, /sys/class/net, parameters below /sys/module, and a node's own files in /etc
 *
 * Theory of operation
 *   Opening is notified. If the path names a view, the program is given a memfd with the text, read-only as the file would be; a
 *   directory is built under the state directory from the stack's listing, and opening relative to it comes back here. The host's
 *   file of that name is never opened instead: what the stack does not have does not exist.
 *   A sysctl opened for writing is a memfd too; inotify tells when it was written, and the text goes to the stack. The program's
 *   write() has succeeded by then, so a refusal is only said on stderr.
 *   Other paths are continued. A thread that changes the string between our look and the kernel's could read the host's files,
 *   as it can read any file of the host; memory of foreign processes is closed by Landlock (filter.c), and where there is none by a
 *   look at what the path leads to (path.c).
 *   stat() and friends are not notified: they see the host's files of the same names. uname() shows the node's name.
 */
#include "relay.h"
#include "run_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DEPTH 6 /* of a directory that is built */

struct written {
	LIST_ENTRY(written) link;
	struct run_node *node;
	char *path, *last;
	int fd; /* read-only, of the memfd that the program writes */
	int wd;
};

struct views {
	LIST_HEAD(, written) written;
};

/* ---- paths --------------------------------------------------------------------------------------------------- */

/* Removes "//", "/./" and "/x/../" from absolute @path, in place. */
static void normalise(char *path)
{
	char *out = path, *in = path;

	while (*in) {
		char *end = strchrnul(in + 1, '/');
		size_t n = (size_t)(end - in);

		if (n == 3 && !memcmp(in, "/..", 3)) {
			while (out > path && *--out != '/')
				;
		} else if (n > 1 && !(n == 2 && in[1] == '.')) {
			memmove(out, in, n);
			out += n;
		}
		in = end;
	}
	if (out == path)
		*out++ = '/';
	*out = '\0';
}

static bool under(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '\0' || path[n] == '/');
}

/* The directory that @dirfd names, as the program sees it; views that were built are shown under their own names. */
static int dir_path(struct call *c, int dirfd, char *buf, size_t size)
{
	char link[48], prefix[PATH_MAX];
	ssize_t n;

	if (dirfd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", (int)c->n.pid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)c->n.pid, dirfd);
	n = readlink(link, buf, size - 1);
	if (n <= 0 || buf[0] != '/')
		return -ENOENT;
	buf[n] = '\0';
	snprintf(prefix, sizeof(prefix), "%s/views/%s", c->run->dir, c->tree->node->name);
	if (under(buf, prefix))
		memmove(buf, buf + strlen(prefix), strlen(buf + strlen(prefix)) + 1);
	return 0;
}

/* "/proc/self/net/x", "/proc/12/net/x", "/proc/12/task/13/net/x" -> "/proc/net/x" */
static void fold_process_net(char *path)
{
	char *p = path + strlen("/proc/"), *net;

	if (strncmp(path, "/proc/", 6) != 0)
		return;
	if (!strncmp(p, "self/", 5) || !strncmp(p, "thread-self/", 12) ||
	    isdigit((unsigned char)*p))
		p = strchr(p, '/');
	else
		return;
	if (p && !strncmp(p, "/task/", 6))
		p = strchr(p + 6, '/');
	net = p;
	if (net && under(net, "/net"))
		memmove(path + strlen("/proc"), net, strlen(net) + 1);
}

/* 0 and an absolute, normalised path, if it is worth a look; -ENOENT: none of ours. */
static int resolve(struct call *c, int dirfd, const char *text, char *path)
{
	if (text[0] == '/') {
		strcpy(path, text);
	} else {
		char dir[PATH_MAX];

		if (dir_path(c, dirfd, dir, sizeof(dir)) ||
		    snprintf(path, PATH_MAX, "%s/%s", dir, text) >= PATH_MAX)
			return -ENOENT;
	}
	normalise(path);
	if (strncmp(path, "/proc/", 6) != 0 && strncmp(path, "/sys/", 5) != 0 &&
	    strncmp(path, "/etc/", 5) != 0)
		return -ENOENT;
	fold_process_net(path);
	return 0;
}

/* What programs may write to. */
static bool is_setting(const char *path)
{
	return under(path, "/proc/sys/net") || under(path, "/sys/module/tcp_cubic/parameters");
}

static bool is_stack_view(const char *path)
{
	return under(path, "/proc/net") || under(path, "/sys/class/net") || is_setting(path);
}

/* Where Landlock does not see to it. 0, -EACCES, or what keeps us from looking; what cannot be found the caller will not find either. */
static int refuse_foreign_memory(struct call *c, int dirfd, const char *text, uint64_t flags)
{
	int fd, err = 0;

	if (c->run->ruleset >= 0)
		return 0;
	fd = path_open(c, dirfd, text, !(flags & O_NOFOLLOW));
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR || fd == -EACCES || fd == -EBADF ? 0 : fd;
	if (path_is_foreign_memory(fd))
		err = -EACCES;
	close(fd);
	return err;
}

/* ---- giving files ---------------------------------------------------------------------------------------------- */

static int text_memfd(const char *text, size_t len)
{
	int fd = memfd_create("weir-view", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Another open file description of the same file, with rights of its own. */
static int reopen(int fd, int flags)
{
	char link[40];
	int ret;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ret = open(link, flags | O_CLOEXEC);
	return ret < 0 ? -errno : ret;
}

/* Consumes @fd. */
static enum call_result give(struct call *c, int fd, uint64_t flags)
{
	int ret;

	if (fd < 0)
		return call_return(c, fd);
	ret = notify_addfd(c, fd, flags & O_CLOEXEC, -1, true);
	close(fd);
	return ret >= 0 || ret == -ENOENT ? CALL_DONE : call_return(c, ret);
}

static enum call_result give_text(struct call *c, const char *text, size_t len, uint64_t flags)
{
	int fd = text_memfd(text, len), ro;

	if (fd < 0)
		return call_return(c, fd);
	ro = reopen(fd, O_RDONLY);
	close(fd);
	return give(c, ro, flags);
}

/* ---- directories ------------------------------------------------------------------------------------------------ */

static void build_entry(struct run_node *node, int dirfd, const char *path, int depth);

static void build_dir(struct run_node *node, int dirfd, const char *path, char *listing, int depth)
{
	char *save, *name;

	for (name = strtok_r(listing, "\n", &save); name; name = strtok_r(NULL, "\n", &save)) {
		char sub[PATH_MAX];

		if (strchr(name, '/') || name[0] == '.' || depth <= 0)
			continue;
		if (snprintf(sub, sizeof(sub), "%s/%s", path, name) < (int)sizeof(sub))
			build_entry(node, dirfd, sub, depth - 1);
	}
}

static void build_file(int dirfd, const char *name, const char *text, size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return;
	if (write(fd, text, len) != (ssize_t)len)
		unlinkat(dirfd, name, 0);
	close(fd);
}

/* The last part of @path becomes a file or directory in @dirfd. */
static void build_entry(struct run_node *node, int dirfd, const char *path, int depth)
{
	const char *name = strrchr(path, '/') + 1;
	char *text = NULL;
	size_t len = 0;
	int err = weir_view_read(node->net, path, &text, &len);

	if (err == -EISDIR) {
		int sub;

		mkdirat(dirfd, name, 0755);
		sub = openat(dirfd, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (sub >= 0) {
			build_dir(node, sub, path, text, depth);
			close(sub);
		}
	} else if (!err) {
		build_file(dirfd, name, text, len);
	}
	free(text);
}

static void remove_below(int dirfd)
{
	DIR *d = fdopendir(dup(dirfd));
	struct dirent *e;

	if (!d)
		return;
	rewinddir(d);
	while ((e = readdir(d))) {
		int sub;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd, e->d_name, 0) == 0)
			continue;
		sub = openat(dirfd, e->d_name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (sub >= 0) {
			remove_below(sub);
			close(sub);
		}
		unlinkat(dirfd, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

/* Makes STATE/views/NODE/PATH, part by part. A directory descriptor, or -errno. */
static int make_path(struct run_node *node, const char *path)
{
	char full[PATH_MAX], *save, *part;
	int fd = openat(node->run->dir_fd, ".", O_DIRECTORY | O_RDONLY | O_CLOEXEC), err;

	if (snprintf(full, sizeof(full), "views/%s%s", node->name, path) >= (int)sizeof(full)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	for (part = strtok_r(full, "/", &save); part && fd >= 0;
	     part = strtok_r(NULL, "/", &save)) {
		int sub;

		mkdirat(fd, part, 0755);
		sub = openat(fd, part, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		err = errno;
		close(fd);
		errno = err;
		fd = sub;
	}
	return fd < 0 ? -errno : fd;
}

static enum call_result give_dir(struct call *c, const char *path, char *listing, uint64_t flags)
{
	struct run_node *node = c->tree->node;
	int fd = make_path(node, path), ret;

	if (fd < 0)
		return call_return(c, fd);
	remove_below(fd);
	build_dir(node, fd, path, listing, DEPTH);
	ret = reopen(fd, O_DIRECTORY | O_RDONLY | (int)(flags & O_PATH));
	close(fd);
	return give(c, ret, flags);
}

/* ---- written views ------------------------------------------------------------------------------------------------ */

static void written_free(struct written *w)
{
	LIST_REMOVE(w, link);
	close(w->fd);
	free(w->path);
	free(w->last);
	free(w);
}

/* The text as far as its first line goes: what is behind is the rest of an older, longer value. */
static void written_push(struct written *w)
{
	char text[4096], *end;
	ssize_t n = pread(w->fd, text, sizeof(text) - 1, 0);
	int err;

	if (n <= 0)
		return;
	text[n] = '\0';
	end = strchr(text, '\n');
	if (end)
		end[1] = '\0';
	if (w->last && !strcmp(w->last, text))
		return;
	free(w->last);
	w->last = strdup(text);
	err = weir_view_write(w->node->net, w->path, text, strlen(text));
	if (err)
		loop_say("%s: writing %s: %s", w->node->name, w->path, strerror(-err));
}

void views_event(struct run *r, const struct inotify_event *ev)
{
	struct written *w;

	LIST_FOREACH(w, &r->views->written, link)
	if (w->wd == ev->wd)
		break;
	if (!w)
		return;
	written_push(w);
	if (ev->mask & (IN_CLOSE_WRITE | IN_IGNORED)) {
		inotify_unwatch(r, w->wd);
		written_free(w);
	}
}

static enum call_result give_writable(struct call *c, const char *path, const char *text,
				      size_t len, uint64_t flags)
{
	bool empty = (flags & O_TRUNC) || (flags & O_ACCMODE) == O_WRONLY;
	struct views *v = c->run->views;
	struct written *w = calloc(1, sizeof(*w));
	int fd = text_memfd(text, empty ? 0 : len), prog = -1;

	if (!w || fd < 0)
		goto fail;
	w->node = c->tree->node;
	w->path = strdup(path);
	w->fd = reopen(fd, O_RDONLY);
	prog = reopen(fd, (int)(flags & O_ACCMODE));
	w->wd = inotify_watch(c->run, w->fd, IN_MODIFY | IN_CLOSE_WRITE);
	if (!w->path || w->fd < 0 || prog < 0 || w->wd < 0)
		goto fail_open;
	if (!empty)
		w->last = strndup(text, len);
	LIST_INSERT_HEAD(&v->written, w, link);
	/* Ours must be closed before the program's, so that its last close is the one that is seen. The close of ours is seen too:
	 * it was opened for writing, but before the watch began nothing was written. */
	close(fd);
	return give(c, prog, flags);
fail_open:
	if (w->fd >= 0)
		close(w->fd);
	if (prog >= 0)
		close(prog);
	free(w->path);
fail:
	if (fd >= 0)
		close(fd);
	free(w);
	return call_return(c, -ENOMEM);
}

int views_init(struct run *r)
{
	r->views = calloc(1, sizeof(*r->views));
	return r->views ? 0 : -ENOMEM;
}

void views_exit(struct run *r)
{
	struct views *v = r->views;

	if (!v)
		return;
	while (!LIST_EMPTY(&v->written))
		written_free(LIST_FIRST(&v->written));
	free(v);
	r->views = NULL;
}

/* ---- handlers --------------------------------------------------------------------------------------------------------- */

static enum call_result open_stack_view(struct call *c, const char *path, uint64_t flags)
{
	bool writing = (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH);
	enum call_result res;
	char *text = NULL;
	size_t len = 0;
	int err = weir_view_read(c->tree->node->net, path, &text, &len);

	/* Some can only be written: route/flush. */
	if (err == -EACCES && (flags & O_ACCMODE) == O_WRONLY && is_setting(path))
		err = 0;
	if (err == -EISDIR)
		res = writing ? call_return(c, -EISDIR) : give_dir(c, path, text, flags);
	else if (err)
		res = call_return(c, err);
	else if (flags & O_DIRECTORY)
		res = call_return(c, -ENOTDIR);
	else if (writing && !is_setting(path))
		res = call_return(c, -EACCES);
	else if (writing)
		res = give_writable(c, path, text, len, flags);
	else
		res = give_text(c, text, len, flags);
	free(text);
	return res;
}

/* Name servers that the stack has learnt (RFC 8106) come before what the node has; if it has none, @text only says so. */
static enum call_result give_resolv_conf(struct call *c, const char *text, uint64_t flags)
{
	enum call_result res;
	char *learnt, *all;
	size_t len;

	if (weir_view_read(c->tree->node->net, "/etc/resolv.conf", &learnt, &len))
		return give_text(c, text, strlen(text), flags);
	if (asprintf(&all, "%s%s", learnt, *learnt && text[0] == '#' ? "" : text) < 0)
		all = NULL;
	res = all ? give_text(c, all, strlen(all), flags) : call_return(c, -ENOMEM);
	free(all);
	free(learnt);
	return res;
}

/* An argument cannot be read: the memory of a program that may be executed only is its own. Where our look is all there is, it opens nothing. */
static enum call_result unread(struct call *c, int err)
{
	return c->run->ruleset >= 0 ? CALL_CONTINUE : call_return(c, err);
}

static enum call_result open_path(struct call *c, int dirfd, uint64_t addr, uint64_t flags)
{
	char path[PATH_MAX], given[PATH_MAX];
	int err = mem_read_string(c, addr, given, sizeof(given));
	const char *text;

	if (err < 0)
		return unread(c, err);
	if (!given[0])
		return call_return(c, -ENOENT);
	err = refuse_foreign_memory(c, dirfd, given, flags);
	if (err)
		return call_return(c, err);
	if (resolve(c, dirfd, given, path))
		return CALL_CONTINUE;
	if (!strcmp(path, RELAY_PATH))
		return (flags & O_ACCMODE) == O_RDWR ? relay_open(c, flags)
						     : give_text(c, "weir\n", 5, flags);
	if (is_stack_view(path)) {
		if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			return call_return(c, -EEXIST);
		return open_stack_view(c, path, flags);
	}
	text = node_file_text(c->tree->node, path);
	if (!text)
		return CALL_CONTINUE;
	if ((flags & O_ACCMODE) != O_RDONLY)
		return call_return(c, -EACCES);
	if (!strcmp(path, "/etc/resolv.conf"))
		return give_resolv_conf(c, text, flags);
	return give_text(c, text, strlen(text), flags);
}

enum call_result call_open(struct call *c)
{
	return open_path(c, AT_FDCWD, call_ptr(c, 0), call_ptr(c, 1));
}

enum call_result call_openat(struct call *c)
{
	return open_path(c, call_int(c, 0), call_ptr(c, 1), call_ptr(c, 2));
}

enum call_result call_openat2(struct call *c)
{
	struct open_how how;
	int err;

	if (call_ptr(c, 3) < sizeof(how))
		return call_return(c, -EINVAL);
	err = mem_read(c, call_ptr(c, 2), &how, sizeof(how));
	if (err)
		return unread(c, err);
	return open_path(c, call_int(c, 0), call_ptr(c, 1), how.flags);
}

enum call_result call_creat(struct call *c)
{
	return open_path(c, AT_FDCWD, call_ptr(c, 0), O_CREAT | O_WRONLY | O_TRUNC);
}

enum call_result call_uname(struct call *c)
{
	struct run_node *node = c->tree->node;
	struct utsname u;

	if (!node->hostname || uname(&u) < 0)
		return CALL_CONTINUE;
	snprintf(u.nodename, sizeof(u.nodename), "%s", node->hostname);
	return call_return(c, mem_write(c, call_ptr(c, 0), &u, sizeof(u)));
}

/* The node's name, not the host's. */
enum call_result call_sethostname(struct call *c)
{
	struct utsname u;
	uint64_t len = call_ptr(c, 1);
	int err;

	if (geteuid() != 0)
		return call_return(c, -EPERM);
	if (len >= sizeof(u.nodename))
		return call_return(c, -EINVAL);
	memset(&u, 0, sizeof(u));
	err = mem_read(c, call_ptr(c, 0), u.nodename, len);
	if (!err)
		err = run_node_set_hostname(c->tree->node, u.nodename);
	return call_return(c, err);
}
