/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_files.c - descriptors for the embedding API: the table, and the one entry for all socket calls
 *
 * weir_socketcall() is what socketcall(2) is: a number and an array of arguments. Each row of the table unpacks them and calls the same
 * function of api_socket.c that a program with files calls. Only SCM_RIGHTS needs more: in messages files travel as pointers, and
 * programs with descriptors have numbers there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include "socket/fdtable.h"
#include "stack/stack.h"

#define SCM_FILES_MAX   253
#define FILES_LIMIT_MAX (1 << 20)

struct weir_files {
	struct weir_net *net;
	struct files *t;
};

/* ---- the table --------------------------------------------------------------------------------------------- */

int weir_files_create(struct weir_net *net, unsigned limit, struct weir_files **ret_files)
{
	struct weir_files *wf = malloc(sizeof(*wf));

	if (!wf)
		return -ENOMEM;
	wf->net = net;
	wf->t = files_alloc(limit ? min(limit, (unsigned)FILES_LIMIT_MAX) : 1024);
	if (!wf->t) {
		free(wf);
		return -ENOMEM;
	}
	*ret_files = wf;
	return 0;
}

void weir_files_destroy(struct weir_files *wf)
{
	if (!wf)
		return;
	files_free(wf->t);
	free(wf);
}

int weir_files_fork(struct weir_files *wf, struct weir_files **ret_files)
{
	struct weir_files *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->net = wf->net;
	c->t = files_clone(wf->t);
	if (!c->t) {
		free(c);
		return -ENOMEM;
	}
	*ret_files = c;
	return 0;
}

void weir_files_exec(struct weir_files *wf)
{
	files_close_on_exec(wf->t);
}

int weir_fd_install(struct weir_files *wf, struct weir_file *f, int flags)
{
	if (!f)
		return -EBADF;
	return flags & ~SOCK_CLOEXEC ? -EINVAL
				     : fd_install(wf->t, file_of(f), 0, flags & SOCK_CLOEXEC);
}

struct weir_file *weir_fd_file(struct weir_files *wf, int fd)
{
	struct file *f = fd_get(wf->t, fd);

	if (!f)
		return NULL;
	file_dup(f);
	file_put(f);
	return to_weir_file(f);
}

int weir_fd_close(struct weir_files *wf, int fd)
{
	return fd_close(wf->t, fd);
}

static int dup_from(struct weir_files *wf, int fd, int from, bool cloexec)
{
	struct weir_file *f = weir_fd_file(wf, fd);
	int newfd;

	if (!f)
		return -EBADF;
	newfd = fd_install(wf->t, file_of(f), from, cloexec);
	if (newfd < 0)
		weir_close(f);
	return newfd;
}

int weir_fd_dup(struct weir_files *wf, int fd)
{
	return dup_from(wf, fd, 0, false);
}

int weir_fd_dup2(struct weir_files *wf, int fd, int to)
{
	if (fd == to)
		return fd_get_cloexec(wf->t, fd) < 0 ? -EBADF : to;
	return fd_dup3(wf->t, fd, to, false);
}

int weir_fd_dup3(struct weir_files *wf, int fd, int to, int flags)
{
	return flags & ~O_CLOEXEC ? -EINVAL : fd_dup3(wf->t, fd, to, flags & O_CLOEXEC);
}

int weir_fd_fcntl(struct weir_files *wf, int fd, int cmd, int arg)
{
	struct file *f;
	int ret;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup_from(wf, fd, arg, cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec(wf->t, fd);
	case F_SETFD:
		return fd_set_cloexec(wf->t, fd, arg & FD_CLOEXEC);
	}
	f = fd_get(wf->t, fd);
	if (!f)
		return -EBADF;
	ret = weir_fcntl(to_weir_file(f), cmd, arg);
	file_put(f);
	return ret;
}

/* ---- select ------------------------------------------------------------------------------------------------ */

#define SELECT_IN  (EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR)
#define SELECT_OUT (EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR)
#define SELECT_EX  EPOLLPRI

static const u32 select_events[3] = { SELECT_IN, SELECT_OUT, SELECT_EX };

/* The files in the sets; references are held. -EBADF: a number has none; the first @*ret_n were taken. */
static int select_gather(struct weir_files *wf, int nfds, fd_set *const sets[3],
			 struct file_poll *p, int *fds, u32 *ret_n)
{
	for (int fd = 0; fd < nfds; fd++) {
		u32 events = 0;

		for (int s = 0; s < 3; s++)
			if (sets[s] && FD_ISSET(fd, sets[s]))
				events |= select_events[s];
		if (!events)
			continue;
		fds[*ret_n] = fd;
		p[*ret_n] = (struct file_poll){ .file = fd_get(wf->t, fd), .events = events };
		if (!p[*ret_n].file)
			return -EBADF;
		(*ret_n)++;
	}
	return 0;
}

/* Leaves in the sets what is ready. How many bits that are. */
static int select_answer(const struct file_poll *p, const int *fds, u32 n, fd_set *const sets[3])
{
	int bits = 0;

	for (u32 i = 0; i < n; i++)
		for (int s = 0; s < 3; s++) {
			if (!sets[s] || !FD_ISSET(fds[i], sets[s]))
				continue;
			if (p[i].revents & select_events[s])
				bits++;
			else
				FD_CLR(fds[i], sets[s]);
		}
	return bits;
}

int weir_select(struct weir_files *wf, int nfds, fd_set *readfds, fd_set *writefds,
		fd_set *exceptfds, uint64_t timeout_ns)
{
	fd_set *const sets[3] = { readfds, writefds, exceptfds };
	struct file_poll *p;
	int *fds, ret;
	u32 n = 0;

	if (nfds < 0 || nfds > FD_SETSIZE)
		return -EINVAL;
	p = calloc((size_t)nfds + 1, sizeof(*p) + sizeof(*fds));
	if (!p)
		return -ENOMEM;
	fds = (int *)(p + nfds + 1);
	ret = select_gather(wf, nfds, sets, p, fds, &n);
	if (!ret)
		ret = files_poll(net_of(wf->net)->machine, p, n, timeout_ns);
	if (ret >= 0)
		ret = select_answer(p, fds, n, sets);
	for (u32 i = 0; i < n; i++)
		file_put(p[i].file);
	free(p);
	return ret;
}

/* ---- files in messages ------------------------------------------------------------------------------------- */

/* A control buffer with pointers, and the references that keep them good during the call. */
struct scm_files {
	u8 *control;
	size_t len;
	struct file *held[SCM_FILES_MAX];
	u32 nheld;
};

static void scm_files_fini(struct scm_files *s)
{
	for (u32 i = 0; i < s->nheld; i++)
		file_put(s->held[i]);
	free(s->control);
}

/* Appends a message; there is room. */
static u8 *scm_append(struct scm_files *s, const struct cmsghdr *c, size_t len)
{
	struct cmsghdr h = *c;
	u8 *at = s->control + s->len;

	h.cmsg_len = CMSG_LEN(len);
	memset(at, 0, CMSG_SPACE(len));
	memcpy(at, &h, sizeof(h));
	s->len += CMSG_SPACE(len);
	return at + CMSG_LEN(0);
}

/* Numbers become pointers. */
static int scm_take_fds(struct weir_files *wf, struct scm_files *s, const struct cmsghdr *c,
			const u8 *data, size_t len)
{
	u32 n = (u32)min(len / sizeof(int), (size_t)SCM_FILES_MAX + 1);
	u8 *to;

	if (n > SCM_FILES_MAX - s->nheld)
		return -EINVAL;
	to = scm_append(s, c, n * sizeof(struct file *));
	for (u32 i = 0; i < n; i++) {
		struct file *f;
		int fd;

		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		f = fd_get(wf->t, fd);
		if (!f)
			return -EBADF;
		s->held[s->nheld++] = f;
		memcpy(to + i * sizeof(f), &f, sizeof(f));
	}
	return 0;
}

/* The control messages of @msg as files travel. */
static int scm_from_fds(struct weir_files *wf, struct scm_files *s, const struct msghdr *msg)
{
	size_t off = 0, left;
	struct cmsghdr c;
	int err = 0;

	s->control = NULL;
	s->len = 0;
	s->nheld = 0;
	if (msg->msg_controllen > 65536)
		return -ENOBUFS;
	/* A pointer is twice as long as a number. */
	s->control = malloc(2 * CMSG_ALIGN(msg->msg_controllen) + 64);
	if (!s->control)
		return -ENOMEM;
	for (; !err && off < msg->msg_controllen; off += min(CMSG_ALIGN(c.cmsg_len), left)) {
		const u8 *data = (const u8 *)msg->msg_control + off + CMSG_LEN(0);
		size_t n;

		left = msg->msg_controllen - off;
		if (left < sizeof(c))
			break;
		memcpy(&c, (const u8 *)msg->msg_control + off, sizeof(c));
		if (c.cmsg_len < sizeof(c) || c.cmsg_len > left)
			return -EINVAL;
		n = c.cmsg_len - CMSG_LEN(0);
		if (c.cmsg_level == SOL_SOCKET && c.cmsg_type == SCM_RIGHTS)
			err = scm_take_fds(wf, s, &c, data, n);
		else
			memcpy(scm_append(s, &c, n), data, n);
	}
	return err;
}

static ssize_t files_sendmsg(struct weir_files *wf, struct weir_file *f, const struct msghdr *msg,
			     int flags)
{
	struct msghdr m = *msg;
	struct scm_files s;
	ssize_t ret;

	if (!msg->msg_control || !msg->msg_controllen)
		return weir_sendmsg(f, msg, flags);
	ret = scm_from_fds(wf, &s, msg);
	m.msg_control = s.control;
	m.msg_controllen = s.len;
	if (!ret)
		ret = weir_sendmsg(f, &m, flags);
	scm_files_fini(&s);
	return ret;
}

/* Pointers become numbers: as many as there is room for; all other files are closed. */
static void scm_give_fds(struct weir_files *wf, struct kmsghdr *out, const u8 *data, size_t len,
			 bool cloexec)
{
	size_t room = out->controllen - out->control_used;
	u32 n = (u32)(len / sizeof(struct file *)), most = 0, done = 0;
	int fds[SCM_FILES_MAX];

	if (room > CMSG_LEN(0))
		most = (u32)min((room - CMSG_LEN(0)) / sizeof(int), (size_t)SCM_FILES_MAX);
	for (u32 i = 0; i < n; i++) {
		struct file *f;
		int fd = -EMFILE;

		memcpy(&f, data + i * sizeof(f), sizeof(f));
		if (done < most && done == i)
			fd = fd_install(wf->t, f, 0, cloexec);
		if (fd >= 0)
			fds[done++] = fd;
		else
			file_close(f);
	}
	if (done)
		put_cmsg(out, SOL_SOCKET, SCM_RIGHTS, done * sizeof(int), fds);
	if (done < n)
		out->flags |= MSG_CTRUNC;
}

static void scm_to_fds(struct weir_files *wf, const u8 *control, size_t len, struct kmsghdr *out,
		       bool cloexec)
{
	struct cmsghdr c;

	for (size_t off = 0; off + sizeof(c) <= len; off += CMSG_ALIGN(c.cmsg_len)) {
		const u8 *data = control + off + CMSG_LEN(0);

		memcpy(&c, control + off, sizeof(c));
		if (c.cmsg_level == SOL_SOCKET && c.cmsg_type == SCM_RIGHTS)
			scm_give_fds(wf, out, data, c.cmsg_len - CMSG_LEN(0), cloexec);
		else
			put_cmsg(out, c.cmsg_level, c.cmsg_type, c.cmsg_len - CMSG_LEN(0), data);
	}
}

static ssize_t files_recvmsg(struct weir_files *wf, struct weir_file *f, struct msghdr *msg,
			     int flags)
{
	struct kmsghdr out = { .control = msg->msg_control, .controllen = msg->msg_controllen };
	struct msghdr m = *msg;
	ssize_t ret;

	if (!msg->msg_control || !msg->msg_controllen)
		return weir_recvmsg(f, msg, flags);
	/* Room for what the caller has room for, with longer files. */
	m.msg_controllen = 2 * CMSG_ALIGN(min(msg->msg_controllen, (size_t)65536)) + 64;
	m.msg_control = malloc(m.msg_controllen);
	if (!m.msg_control)
		return -ENOMEM;
	ret = weir_recvmsg(f, &m, flags);
	if (ret >= 0) {
		out.flags = (u32)m.msg_flags;
		scm_to_fds(wf, m.msg_control, m.msg_controllen, &out, flags & MSG_CMSG_CLOEXEC);
		msg->msg_namelen = m.msg_namelen;
		msg->msg_controllen = out.control_used;
		msg->msg_flags = (int)out.flags;
	}
	free(m.msg_control);
	return ret;
}

/* ---- the calls --------------------------------------------------------------------------------------------- */

/* The numbers of <linux/net.h>, whose other names are the stack's own. */
enum {
	SYS_SOCKET = 1,
	SYS_BIND,
	SYS_CONNECT,
	SYS_LISTEN,
	SYS_ACCEPT,
	SYS_GETSOCKNAME,
	SYS_GETPEERNAME,
	SYS_SOCKETPAIR,
	SYS_SEND,
	SYS_RECV,
	SYS_SENDTO,
	SYS_RECVFROM,
	SYS_SHUTDOWN,
	SYS_SETSOCKOPT,
	SYS_GETSOCKOPT,
	SYS_SENDMSG,
	SYS_RECVMSG,
	SYS_ACCEPT4,
	SYS_RECVMMSG,
	SYS_SENDMMSG,
};

typedef const unsigned long *call_args;
#define ARG_PTR(i) ((void *)a[i])
#define ARG_INT(i) ((int)a[i])
#define ARG_LEN(i) ((socklen_t)a[i])

/* Takes over the handle of @f. */
static long new_fd(struct weir_files *wf, struct weir_file *f, int flags)
{
	int fd = fd_install(wf->t, file_of(f), 0, flags & SOCK_CLOEXEC);

	if (fd < 0)
		weir_close(f);
	return fd;
}

static long call_socket(struct weir_files *wf, struct weir_file *f, call_args a)
{
	struct weir_file *newf;
	int err = weir_socket(wf->net, ARG_INT(0), ARG_INT(1), ARG_INT(2), &newf);

	(void)f;
	return err ? err : new_fd(wf, newf, ARG_INT(1));
}

static long call_socketpair(struct weir_files *wf, struct weir_file *f, call_args a)
{
	struct weir_file *pair[2];
	int err = weir_socketpair(wf->net, ARG_INT(0), ARG_INT(1), ARG_INT(2), pair);
	long fd[2];

	(void)f;
	if (err)
		return err;
	fd[0] = new_fd(wf, pair[0], ARG_INT(1));
	fd[1] = fd[0] < 0 ? fd[0] : new_fd(wf, pair[1], ARG_INT(1));
	if (fd[0] < 0)
		weir_close(pair[1]);
	else if (fd[1] < 0)
		fd_close(wf->t, (int)fd[0]);
	if (fd[1] < 0)
		return fd[1];
	((int *)ARG_PTR(3))[0] = (int)fd[0];
	((int *)ARG_PTR(3))[1] = (int)fd[1];
	return 0;
}

static long do_accept(struct weir_files *wf, struct weir_file *f, call_args a, int flags)
{
	struct weir_file *newf;
	int err = weir_accept(f, ARG_PTR(1), ARG_PTR(2), flags, &newf);

	return err ? err : new_fd(wf, newf, flags);
}

static long call_accept(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return do_accept(wf, f, a, 0);
}

static long call_accept4(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return do_accept(wf, f, a, ARG_INT(3));
}

static long call_bind(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_bind(f, ARG_PTR(1), ARG_LEN(2));
}

static long call_connect(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_connect(f, ARG_PTR(1), ARG_LEN(2));
}

static long call_listen(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_listen(f, ARG_INT(1));
}

static long call_getsockname(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_getsockname(f, ARG_PTR(1), ARG_PTR(2));
}

static long call_getpeername(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_getpeername(f, ARG_PTR(1), ARG_PTR(2));
}

static long call_send(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_send(f, ARG_PTR(1), a[2], ARG_INT(3));
}

static long call_recv(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_recv(f, ARG_PTR(1), a[2], ARG_INT(3));
}

static long call_sendto(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_sendto(f, ARG_PTR(1), a[2], ARG_INT(3), ARG_PTR(4), ARG_LEN(5));
}

static long call_recvfrom(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_recvfrom(f, ARG_PTR(1), a[2], ARG_INT(3), ARG_PTR(4), ARG_PTR(5));
}

static long call_shutdown(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_shutdown(f, ARG_INT(1));
}

static long call_setsockopt(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_setsockopt(f, ARG_INT(1), ARG_INT(2), ARG_PTR(3), ARG_LEN(4));
}

static long call_getsockopt(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return weir_getsockopt(f, ARG_INT(1), ARG_INT(2), ARG_PTR(3), ARG_PTR(4));
}

static long call_sendmsg(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return files_sendmsg(wf, f, ARG_PTR(1), ARG_INT(2));
}

static long call_recvmsg(struct weir_files *wf, struct weir_file *f, call_args a)
{
	return files_recvmsg(wf, f, ARG_PTR(1), ARG_INT(2));
}

#define MMSG_MAX 1024 /* UIO_MAXIOV: sendmmsg(2) */

static size_t msg_octets(const struct msghdr *msg)
{
	size_t n = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++)
		n += msg->msg_iov[i].iov_len;
	return n;
}

static long call_sendmmsg(struct weir_files *wf, struct weir_file *f, call_args a)
{
	struct mmsghdr *v = ARG_PTR(1);
	u32 n = min((u32)a[2], (u32)MMSG_MAX), i;
	ssize_t r = 0;

	for (i = 0; i < n && !v[i].msg_hdr.msg_controllen; i++)
		;
	if (i == n)
		return weir_sendmmsg(f, v, n, ARG_INT(3));
	/* Descriptors may be among what is beside the octets. */
	for (i = 0; i < n; i++) {
		r = files_sendmsg(wf, f, &v[i].msg_hdr, ARG_INT(3));
		if (r < 0)
			break;
		v[i].msg_len = (unsigned)r;
		if ((size_t)r < msg_octets(&v[i].msg_hdr))
			return (long)i + 1; /* as send_section() in socket/syscalls.c */
	}
	return i ? (long)i : r;
}

/* The time limit is looked at after each message only, as recvmmsg(2) confesses. */
static long call_recvmmsg(struct weir_files *wf, struct weir_file *f, call_args a)
{
	struct mmsghdr *v = ARG_PTR(1);
	const struct timespec *limit = ARG_PTR(4);
	u32 n = min((u32)a[2], (u32)MMSG_MAX), i;
	struct weir_machine *m = weir_net_machine(wf->net);
	u64 deadline = UINT64_MAX;
	int flags = ARG_INT(3);
	ssize_t r = 0;

	if (limit && (limit->tv_sec < 0 || limit->tv_nsec < 0 || limit->tv_nsec >= 1000000000))
		return -EINVAL;
	if (limit)
		deadline = weir_now(m) + (u64)limit->tv_sec * NSEC_PER_SEC + (u64)limit->tv_nsec;
	for (i = 0; i < n; i++) {
		if (i && weir_now(m) >= deadline)
			break;
		r = files_recvmsg(wf, f, &v[i].msg_hdr, flags & ~MSG_WAITFORONE);
		if (r < 0)
			break;
		v[i].msg_len = (unsigned)r;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
	}
	return i ? (long)i : r;
}

static const struct socketcall {
	u8 nargs;
	bool no_file; /* the first argument is no descriptor */
	long (*fn)(struct weir_files *wf, struct weir_file *f, call_args a);
} socketcalls[] = {
	[SYS_SOCKET] = { 3, true, call_socket },
	[SYS_BIND] = { 3, false, call_bind },
	[SYS_CONNECT] = { 3, false, call_connect },
	[SYS_LISTEN] = { 2, false, call_listen },
	[SYS_ACCEPT] = { 3, false, call_accept },
	[SYS_GETSOCKNAME] = { 3, false, call_getsockname },
	[SYS_GETPEERNAME] = { 3, false, call_getpeername },
	[SYS_SOCKETPAIR] = { 4, true, call_socketpair },
	[SYS_SEND] = { 4, false, call_send },
	[SYS_RECV] = { 4, false, call_recv },
	[SYS_SENDTO] = { 6, false, call_sendto },
	[SYS_RECVFROM] = { 6, false, call_recvfrom },
	[SYS_SHUTDOWN] = { 2, false, call_shutdown },
	[SYS_SETSOCKOPT] = { 5, false, call_setsockopt },
	[SYS_GETSOCKOPT] = { 5, false, call_getsockopt },
	[SYS_SENDMSG] = { 3, false, call_sendmsg },
	[SYS_RECVMSG] = { 3, false, call_recvmsg },
	[SYS_ACCEPT4] = { 4, false, call_accept4 },
	[SYS_RECVMMSG] = { 5, false, call_recvmmsg },
	[SYS_SENDMMSG] = { 4, false, call_sendmmsg },
};

long weir_socketcall(struct weir_files *wf, int call, const unsigned long *args)
{
	const struct socketcall *c;
	unsigned long a[6];
	struct file *f;
	long ret;

	if (call < 1 || call >= (int)ARRAY_SIZE(socketcalls))
		return -EINVAL;
	c = &socketcalls[call];
	memcpy(a, args, c->nargs * sizeof(a[0]));
	if (c->no_file)
		return c->fn(wf, NULL, a);
	f = fd_get(wf->t, ARG_INT(0));
	if (!f)
		return -EBADF;
	ret = c->fn(wf, to_weir_file(f), a);
	file_put(f);
	return ret;
}
