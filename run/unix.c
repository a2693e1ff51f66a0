/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix.c - AF_UNIX: which of the host's sockets programs reach
 *
 * Theory of operation
 *   AF_UNIX sockets are the host's, and a daemon of the host would lead to a network. So a program reaches those that its own run has
 *   bound, and those that the user has allowed. connect() and sends are carried out here, on a copy of the program's descriptor and
 *   with a copy of the address: continued, another thread could put another address, or another descriptor, in their place.
 *   bind() is continued, for a name alone leads nowhere; the socket's inode is remembered as ours. Where a name leads is the
 *   kernel's knowledge (sock_diag): the file's device and inode, or the abstract name, give the socket that is bound there. A file is
 *   opened first (O_PATH), then looked at, then connected to through that descriptor, so that nothing can be put in its place.
 *   Without pidfd_getfd there is no copy. Then datagram sockets of AF_UNIX do not exist (filter.c; a pair of them is one of
 *   SOCK_SEQPACKET), so that sends name nobody and are continued, and a connected socket of our own takes the place of the program's.
 * Invariants
 *   connect() is never continued, but to the runner around us, whose matter AF_UNIX is. With copies, nor is a send that could carry an address.
 *   own holds inodes of sockets that were bound by our programs; one that was closed stays until the table is full: its number comes
 *   again only after 2^32 sockets.
 * See unix(7), sock_diag(7), doc/threat-model.md.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#define OWN_MAX       65536
#define RIGHTS_MAX    253 /* descriptors that one message passes: the kernel's SCM_MAX_FD */
#define CONTROL_LIMIT 4096
#define RETRY         (2 * NS_PER_MS)

/* A socket of the host, as sock_diag tells. */
struct unix_row {
	uint32_t ino;
	uint8_t type, state;
	bool has_file;
	uint32_t file_ino, file_dev; /* the kernel's 32 bits of them */
	size_t namelen;              /* abstract names begin with 0 */
	char name[108];
};

struct unix_allowed {
	LIST_ENTRY(unix_allowed) link;
	char *path; /* of a socket or of the directory it is in; "@NAME": abstract */
};

/* ---- what the kernel knows ---------------------------------------------------------------------------------- */

static void parse_row(const struct nlmsghdr *h, struct unix_row *row)
{
	const struct unix_diag_msg *m = (const void *)(h + 1);
	size_t left = h->nlmsg_len - sizeof(*h) - sizeof(*m);
	const char *at = (const char *)(m + 1);

	memset(row, 0, sizeof(*row));
	row->ino = m->udiag_ino;
	row->type = m->udiag_type;
	row->state = m->udiag_state;
	while (left >= sizeof(struct nlattr)) {
		const struct nlattr *a = (const void *)at;
		size_t len = a->nla_len - sizeof(*a), step = NLA_ALIGN(a->nla_len);

		if (a->nla_len < sizeof(*a) || a->nla_len > left)
			return;
		if (a->nla_type == UNIX_DIAG_NAME && len <= sizeof(row->name)) {
			row->namelen = len;
			memcpy(row->name, a + 1, len);
		} else if (a->nla_type == UNIX_DIAG_VFS && len >= sizeof(struct unix_diag_vfs)) {
			const struct unix_diag_vfs *vfs = (const void *)(a + 1);

			row->has_file = true;
			row->file_ino = vfs->udiag_vfs_ino;
			row->file_dev = vfs->udiag_vfs_dev;
		}
		if (step > left)
			return;
		at += step;
		left -= step;
	}
}

static int ask_for_all(void)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req req;
	} q = {
		.h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.req = { .sdiag_family = AF_UNIX,
			 .udiag_states = ~0U,
			 .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_VFS },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		return -errno;
	if (send(fd, &q, sizeof(q), 0) == (ssize_t)sizeof(q))
		return fd;
	close(fd);
	return -EIO;
}

/* Calls @fn for each until it returns true. Uses the scratch buffer. 1: it did; 0: it never did; -errno: they cannot be known. */
static int each_row(struct run *r, bool (*fn)(const struct unix_row *row, void *arg), void *arg)
{
	int fd = ask_for_all(), found = 0;
	bool done = false;

	if (fd < 0)
		return fd;
	while (!done) {
		ssize_t n = recv(fd, r->scratch, SCRATCH_SIZE, 0);
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)r->scratch;

		if (n <= 0)
			break;
		for (; !done && NLMSG_OK(h, (size_t)n); h = NLMSG_NEXT(h, n)) {
			struct unix_row row;

			done = h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR;
			if (h->nlmsg_type == NLMSG_ERROR)
				found = -EIO;
			if (done || h->nlmsg_len < sizeof(*h) + sizeof(struct unix_diag_msg))
				continue;
			parse_row(h, &row);
			if (fn(&row, arg)) {
				found = 1;
				done = true;
			}
		}
	}
	close(fd);
	return found;
}

/* ---- what is ours ------------------------------------------------------------------------------------------- */

static struct unix_own *own_find(struct run *r, uint32_t ino)
{
	struct unix_own *o;

	LIST_FOREACH(o, &r->unix_own[ino % UNIX_OWN_HASH], link)
	if (o->ino == ino)
		return o;
	return NULL;
}

static bool mark_alive(const struct unix_row *row, void *arg)
{
	struct unix_own *o = own_find(arg, row->ino);

	if (o)
		o->alive = true;
	return false;
}

/* Forgets those that are closed. */
static void own_prune(struct run *r)
{
	if (each_row(r, mark_alive, r) < 0)
		return;
	for (unsigned i = 0; i < UNIX_OWN_HASH; i++) {
		struct unix_own *o, *next;

		for (o = LIST_FIRST(&r->unix_own[i]); o; o = next) {
			next = LIST_NEXT(o, link);
			if (!o->alive) {
				LIST_REMOVE(o, link);
				free(o);
				r->nr_unix_own--;
			} else {
				o->alive = false;
			}
		}
	}
}

static int own_add(struct run *r, uint32_t ino)
{
	struct unix_own *o;

	if (own_find(r, ino))
		return 0;
	if (r->nr_unix_own == OWN_MAX)
		own_prune(r);
	if (r->nr_unix_own == OWN_MAX)
		return -ENOBUFS;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->ino = ino;
	LIST_INSERT_HEAD(&r->unix_own[ino % UNIX_OWN_HASH], o, link);
	r->nr_unix_own++;
	return 0;
}

int run_allow_unix(struct run *r, const char *path)
{
	struct unix_allowed *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->path = strdup(path);
	if (!a->path) {
		free(a);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&r->unix_allowed, a, link);
	return 0;
}

int unix_init(struct run *r)
{
	r->native = calloc(1, sizeof(*r->native));
	if (!r->native)
		return -ENOMEM;
	r->native->run = r;
	TAILQ_INIT(&r->native->waiters);
	return 0;
}

void unix_exit(struct run *r)
{
	struct unix_allowed *a;
	struct unix_own *o;

	while ((a = LIST_FIRST(&r->unix_allowed))) {
		LIST_REMOVE(a, link);
		free(a->path);
		free(a);
	}
	for (unsigned i = 0; i < UNIX_OWN_HASH; i++) {
		while ((o = LIST_FIRST(&r->unix_own[i]))) {
			LIST_REMOVE(o, link);
			free(o);
		}
	}
	r->nr_unix_own = 0;
	free(r->native);
	r->native = NULL;
}

/* ---- where an address leads --------------------------------------------------------------------------------- */

/* An address of the program's, made ours. */
struct target {
	struct sockaddr_un sun;
	socklen_t len;
	int file; /* O_PATH, or -1 */
};

struct wanted {
	struct run *run;
	const struct sockaddr_un *sun; /* abstract */
	size_t namelen;
	uint32_t file_ino, file_dev;
	bool by_file, own;
};

static bool match_row(const struct unix_row *row, void *arg)
{
	struct wanted *w = arg;

	if (w->by_file
		    ? !row->has_file || row->file_ino != w->file_ino || row->file_dev != w->file_dev
		    : row->namelen != w->namelen ||
			      memcmp(row->name, w->sun->sun_path, w->namelen) != 0)
		return false;
	w->own = own_find(w->run, row->ino) != NULL;
	return w->own;
}

static bool abstract_allowed(struct run *r, const struct sockaddr_un *sun, size_t namelen)
{
	struct unix_allowed *a;

	LIST_FOREACH(a, &r->unix_allowed, link)
	if (a->path[0] == '@' && strlen(a->path) == namelen &&
	    !memcmp(a->path + 1, sun->sun_path + 1, namelen - 1))
		return true;
	return false;
}

static bool same_file(const char *path, const struct stat *st)
{
	struct stat own;

	return stat(path, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

/* Is the file the allowed one, or in the allowed directory under the name that @fd says? Compared by inode: names can be arranged. */
static bool file_allowed(struct run *r, int fd, const struct stat *st)
{
	char link[40], name[PATH_MAX], path[2 * PATH_MAX];
	struct unix_allowed *a;
	char *base;
	ssize_t n;

	if (LIST_EMPTY(&r->unix_allowed))
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n <= 0)
		return false;
	name[n] = '\0';
	base = strrchr(name, '/');
	LIST_FOREACH(a, &r->unix_allowed, link)
	{
		if (same_file(a->path, st))
			return true;
		snprintf(path, sizeof(path), "%s%s", a->path, base ? base : "/");
		if (same_file(path, st))
			return true;
	}
	return false;
}

static int resolve_abstract(struct call *c, struct target *t)
{
	struct wanted w = {
		.run = c->run,
		.sun = &t->sun,
		.namelen = t->len - offsetof(struct sockaddr_un, sun_path),
	};
	int err;

	if (abstract_allowed(c->run, &t->sun, w.namelen))
		return 0;
	err = each_row(c->run, match_row, &w);
	if (err < 0)
		return -EACCES;
	return w.own ? 0 : -ECONNREFUSED;
}

static int resolve_file(struct call *c, struct target *t)
{
	char path[sizeof(t->sun.sun_path) + 1] = "";
	struct wanted w = { .run = c->run, .by_file = true };
	struct stat st;
	int err;

	memcpy(path, t->sun.sun_path, t->len - offsetof(struct sockaddr_un, sun_path));
	t->file = path_open(c, AT_FDCWD, path, true);
	if (!notify_valid(c))
		return -ENOENT;
	if (t->file < 0)
		return t->file;
	if (fstat(t->file, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ECONNREFUSED;
	w.file_ino = (uint32_t)st.st_ino;
	w.file_dev = ((uint32_t)major(st.st_dev) << 20) | (uint32_t)minor(st.st_dev);
	if (!file_allowed(c->run, t->file, &st)) {
		err = each_row(c->run, match_row, &w);
		if (err <= 0 || !w.own)
			return -EACCES;
	}
	memset(&t->sun, 0, sizeof(t->sun));
	t->sun.sun_family = AF_UNIX;
	t->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)snprintf(t->sun.sun_path, sizeof(t->sun.sun_path),
					      "/proc/self/fd/%d", t->file));
	return 0;
}

/* 0, or what the call returns. The target is to be released in any case. */
static int resolve(struct call *c, uint64_t addr, uint64_t len, struct target *t)
{
	int n = (int)len, err;

	t->file = -1;
	if (n < (int)sizeof(sa_family_t) || (size_t)n > sizeof(t->sun))
		return -EINVAL;
	memset(&t->sun, 0, sizeof(t->sun));
	err = mem_read(c, addr, &t->sun, (size_t)n);
	if (err)
		return err;
	t->len = (socklen_t)n;
	if (t->sun.sun_family == AF_UNSPEC)
		return 0;
	if (t->sun.sun_family != AF_UNIX || n == (int)sizeof(sa_family_t))
		return -EINVAL;
	return t->sun.sun_path[0] ? resolve_file(c, t) : resolve_abstract(c, t);
}

static void release(struct target *t)
{
	if (t->file >= 0)
		close(t->file);
	t->file = -1;
}

/* ---- the program's socket ----------------------------------------------------------------------------------- */

static int socket_number(int fd, int name)
{
	socklen_t len = sizeof(int);
	int val = -1;

	return getsockopt(fd, SOL_SOCKET, name, &val, &len) < 0 ? -1 : val;
}

/* What is wrong with a descriptor that is none of the stack's sockets. 0: it is one of AF_UNIX, and c->a a copy of it. */
static int check_copy(struct call *c)
{
	struct stat st;

	if (c->a < 0 || fstat(c->a, &st) < 0)
		return -EBADF;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	/* One of another family was brought in as a standard stream: it stays as it came. */
	return socket_number(c->a, SO_DOMAIN) == AF_UNIX ? 0 : -EPERM;
}

/* The same where there is none. */
static int check_link(struct call *c, int fd)
{
	char path[48];

	if (fd >= 0 && ident_inode(c, fd))
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)c->n.pid, fd);
	return fd >= 0 && access(path, F_OK) == 0 ? -ENOTSOCK : -EBADF;
}

static void retry_timer(void *arg)
{
	struct run *r = arg;

	r->native_timer = NULL;
	park_wake(r->native);
	if (!TAILQ_EMPTY(&r->native->waiters))
		r->native_timer = run_timer_add(r, run_now(r) + RETRY, retry_timer, r);
}

/* A native socket does not tell us when it can go on: it is asked. */
static enum call_result wait_natively(struct call *c)
{
	struct run *r = c->run;
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);

	getsockopt(c->a, SOL_SOCKET, SO_SNDTIMEO, &tv, &len);
	if (!r->native_timer)
		r->native_timer = run_timer_add(r, run_now(r) + RETRY, retry_timer, r);
	if (!r->native_timer)
		return call_return(c, -ENOMEM);
	c->sock = r->native;
	return call_park(c, (uint64_t)tv.tv_sec * NS_PER_S + (uint64_t)tv.tv_usec * 1000, -EAGAIN);
}

enum call_result unix_bind(struct call *c)
{
	ino_t ino = c->run->nested ? 0 : ident_inode(c, call_int(c, 0));

	/* What is no socket gets its error from the kernel. One that was bound before is not made ours by trying again: it fails. */
	if (ino && own_add(c->run, (uint32_t)ino))
		return call_return(c, -ENOBUFS);
	return CALL_CONTINUE;
}

/* On the copy, without waiting. */
static int connect_copy(struct call *c, const struct target *t)
{
	int fl = fcntl(c->a, F_GETFL), err;

	if (fl < 0)
		return -errno;
	if (!(fl & O_NONBLOCK))
		fcntl(c->a, F_SETFL, fl | O_NONBLOCK);
	err = connect(c->a, (const struct sockaddr *)&t->sun, t->len) < 0 ? -errno : 0;
	if (!(fl & O_NONBLOCK))
		fcntl(c->a, F_SETFL, fl);
	return err;
}

struct by_ino {
	uint32_t ino;
	struct unix_row row;
};

static bool match_ino(const struct unix_row *row, void *arg)
{
	struct by_ino *b = arg;

	if (row->ino != b->ino)
		return false;
	b->row = *row;
	return true;
}

/* Without copies: a connected socket takes the place of the program's. */
static int connect_instead(struct call *c, const struct target *t)
{
	struct by_ino b = { .ino = (uint32_t)ident_inode(c, call_int(c, 0)) };
	unsigned fl = fdinfo_flags((pid_t)c->n.pid, call_int(c, 0));
	int fd, err;

	if (each_row(c->run, match_ino, &b) <= 0)
		return -EPERM;
	if (b.row.state == 1) /* TCP_ESTABLISHED */
		return -EISCONN;
	if (b.row.state != 7) /* TCP_CLOSE */
		return -EINVAL;
	fd = socket(AF_UNIX, b.row.type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)&t->sun, t->len) < 0 ? -errno : 0;
	if (!err && !(fl & O_NONBLOCK))
		fcntl(fd, F_SETFL, 0);
	if (!err) {
		err = notify_addfd(c, fd, fl & O_CLOEXEC, call_int(c, 0), false);
		err = err < 0 ? err : 0;
	}
	close(fd);
	return err;
}

enum call_result unix_connect(struct call *c)
{
	bool copies = c->run->fac.pidfd_getfd;
	int err = copies ? check_copy(c) : check_link(c, call_int(c, 0));
	struct target t;

	if (c->run->nested)
		return CALL_CONTINUE;
	if (err)
		return call_return(c, err);
	err = resolve(c, call_ptr(c, 1), call_ptr(c, 2), &t);
	if (!err)
		err = copies ? connect_copy(c, &t) : connect_instead(c, &t);
	release(&t);
	if (err == -EAGAIN && !call_nonblock(c, 0))
		return wait_natively(c);
	return call_return(c, err);
}

/* Without copies a pair of datagram sockets is one of packets, which cannot name anybody else. */
enum call_result unix_pair(struct call *c)
{
	int type = call_int(c, 1), sv[2], given[2] = { -1, -1 }, err = 0;

	if (call_int(c, 2) != 0 && call_int(c, 2) != AF_UNIX)
		return call_return(c, -EPROTONOSUPPORT);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (type & SOCK_NONBLOCK), 0, sv) < 0)
		return call_return(c, -errno);
	for (int i = 0; i < 2 && !err; i++) {
		given[i] = notify_addfd(c, sv[i], type & SOCK_CLOEXEC, -1, false);
		err = given[i] < 0 ? given[i] : 0;
	}
	close(sv[0]);
	close(sv[1]);
	if (!err)
		err = mem_write(c, call_ptr(c, 3), given, sizeof(given));
	return call_return(c, err);
}

/* ---- sends -------------------------------------------------------------------------------------------------- */

/* Control messages with our copies of the descriptors that they pass. */
struct passed {
	union {
		struct cmsghdr align;
		char octets[CONTROL_LIMIT];
	} control;
	size_t len;
	int fds[RIGHTS_MAX];
	unsigned nr;
};

static void passed_close(struct passed *p)
{
	while (p->nr)
		close(p->fds[--p->nr]);
}

static int copy_rights(struct call *c, const struct cmsghdr *cm, struct passed *p)
{
	size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	const int *fds = (const int *)(const void *)CMSG_DATA(cm);

	for (size_t i = 0; i < n; i++) {
		int fd = p->nr < RIGHTS_MAX ? ident_copy(c->run, (pid_t)c->n.pid, fds[i]) : -EINVAL;

		if (fd < 0)
			return fd;
		p->fds[p->nr++] = fd;
	}
	return 0;
}

/* As the kernel does, those of several messages become one. */
static void join_rights(struct passed *p)
{
	struct cmsghdr *cm = &p->control.align;

	if (!p->nr)
		return;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(p->nr * sizeof(int));
	memcpy(CMSG_DATA(cm), p->fds, p->nr * sizeof(int));
	p->len = CMSG_SPACE(p->nr * sizeof(int));
}

/* Credentials are the kernel's matter: what a program says of itself is dropped, for we could only say it of us. */
static int read_control(struct call *c, const struct user_msg *m, struct passed *p)
{
	struct msghdr h = { .msg_control = p->control.octets, .msg_controllen = m->controllen };
	int err;

	p->nr = 0;
	p->len = 0;
	if (m->controllen > sizeof(p->control))
		return -ENOBUFS;
	err = mem_read(c, m->control, p->control.octets, m->controllen);
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&h); cm && !err; cm = CMSG_NXTHDR(&h, cm)) {
		size_t room = m->controllen - (size_t)((char *)cm - p->control.octets);

		if (cm->cmsg_len < CMSG_LEN(0) || cm->cmsg_len > room)
			return -EINVAL;
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS)
			err = copy_rights(c, cm, p);
	}
	join_rights(p);
	return err;
}

/* One message, or as much of it as goes at once. */
static long send_copy(struct call *c, const struct user_msg *m, int flags)
{
	bool stream = socket_number(c->a, SO_TYPE) == SOCK_STREAM;
	struct iovec iov = { c->run->scratch, m->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct target t = { .file = -1 };
	struct passed p;
	long n;
	int err;

	if (stream && iov.iov_len > SCRATCH_SIZE)
		iov.iov_len = SCRATCH_SIZE;
	if (iov.iov_len > SCRATCH_SIZE)
		return -EMSGSIZE;
	err = read_control(c, m, &p);
	/* The scratch buffer serves the look for the name first. */
	if (!err && m->name && m->namelen) {
		err = resolve(c, m->name, m->namelen, &t);
		h.msg_name = &t.sun;
		h.msg_namelen = t.len;
	}
	if (!err)
		err = mem_read_iov(c, m->iov, m->iovlen, c->run->scratch, iov.iov_len);
	if (!err && p.len) {
		h.msg_control = p.control.octets;
		h.msg_controllen = p.len;
	}
	n = err;
	if (!err) {
		n = sendmsg(c->a, &h, (flags & ~MSG_NOSIGNAL) | MSG_DONTWAIT | MSG_NOSIGNAL);
		n = n < 0 ? -errno : n;
	}
	passed_close(&p);
	release(&t);
	return n;
}

long unix_send(struct call *c, const struct user_msg *m, int flags)
{
	int err = check_copy(c);

	return err ? err : send_copy(c, m, flags);
}

enum call_result unix_send_wait(struct call *c)
{
	return wait_natively(c);
}
