/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two_worlds.h - the same calls on the kernel of this machine and on weir; what they say must be the same
 *
 * A case is a function that makes calls on descriptors and writes down what they return. It is run in both worlds and the two
 * transcripts are compared, so that the expectation itself is checked. Only AF_UNIX sockets and epolls are natively within everybody's
 * reach, without a namespace: names are abstract, and begin with the process id.
 */
#ifndef WEIR_TESTS_API_TWO_WORLDS_H
#define WEIR_TESTS_API_TWO_WORLDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

struct world {
	bool native;
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_files *files;
	size_t len;
	char text[65536];
};

static inline void world_say(struct world *w, const char *what, long v)
{
	int n = v < 0 && v > -600 ? snprintf(w->text + w->len, sizeof(w->text) - w->len, "%s: %s\n",
					     what, strerrorname_np((int)-v))
				  : snprintf(w->text + w->len, sizeof(w->text) - w->len,
					     "%s: %ld\n", what, v);

	w->len += (size_t)n;
	assert_true(w->len < sizeof(w->text));
}

#define SAY(w, expr) world_say(w, #expr, (long)(expr))

static inline long result(long r)
{
	return r < 0 ? -errno : r;
}

static inline long native_call(int call, const unsigned long *a)
{
	static const int nr[] = {
		[SYS_SOCKET] = SYS_socket,           [SYS_BIND] = SYS_bind,
		[SYS_CONNECT] = SYS_connect,         [SYS_LISTEN] = SYS_listen,
		[SYS_ACCEPT] = SYS_accept,           [SYS_GETSOCKNAME] = SYS_getsockname,
		[SYS_GETPEERNAME] = SYS_getpeername, [SYS_SOCKETPAIR] = SYS_socketpair,
		[SYS_SENDTO] = SYS_sendto,           [SYS_RECVFROM] = SYS_recvfrom,
		[SYS_SHUTDOWN] = SYS_shutdown,       [SYS_SETSOCKOPT] = SYS_setsockopt,
		[SYS_GETSOCKOPT] = SYS_getsockopt,   [SYS_SENDMSG] = SYS_sendmsg,
		[SYS_RECVMSG] = SYS_recvmsg,         [SYS_ACCEPT4] = SYS_accept4,
		[SYS_RECVMMSG] = SYS_recvmmsg,       [SYS_SENDMMSG] = SYS_sendmmsg,
	};

	return result(syscall(nr[call], a[0], a[1], a[2], a[3], a[4], a[5]));
}

static inline long wcall(struct world *w, int call, unsigned long a0, unsigned long a1,
			 unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	const unsigned long a[6] = { a0, a1, a2, a3, a4, a5 };

	return w->native ? native_call(call, a) : weir_socketcall(w->files, call, a);
}

#define P(p) ((unsigned long)(uintptr_t)(p))

static inline int w_socket(struct world *w, int type)
{
	return (int)wcall(w, SYS_SOCKET, AF_UNIX, (unsigned long)(type | SOCK_NONBLOCK), 0, 0, 0,
			  0);
}

static inline long w_pair(struct world *w, int type, int fd[2])
{
	return wcall(w, SYS_SOCKETPAIR, AF_UNIX, (unsigned long)(type | SOCK_NONBLOCK), 0, P(fd), 0,
		     0);
}

static inline socklen_t w_name(struct sockaddr_un *sun, const char *name)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1,
					    "weir-test-%d-%s", getpid(), name));
}

static inline long w_bind(struct world *w, int fd, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = w_name(&sun, name);

	return wcall(w, SYS_BIND, (unsigned long)fd, P(&sun), len, 0, 0, 0);
}

static inline long w_connect(struct world *w, int fd, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = w_name(&sun, name);

	return wcall(w, SYS_CONNECT, (unsigned long)fd, P(&sun), len, 0, 0, 0);
}

static inline long w_listen(struct world *w, int fd, int backlog)
{
	return wcall(w, SYS_LISTEN, (unsigned long)fd, (unsigned long)backlog, 0, 0, 0, 0);
}

static inline int w_accept(struct world *w, int fd)
{
	return (int)wcall(w, SYS_ACCEPT4, (unsigned long)fd, 0, 0, SOCK_NONBLOCK, 0, 0);
}

static inline long w_shutdown(struct world *w, int fd, int how)
{
	return wcall(w, SYS_SHUTDOWN, (unsigned long)fd, (unsigned long)how, 0, 0, 0, 0);
}

static inline long w_send(struct world *w, int fd, const void *buf, size_t n, int flags)
{
	return wcall(w, SYS_SENDTO, (unsigned long)fd, P(buf), n,
		     (unsigned long)(flags | MSG_NOSIGNAL), 0, 0);
}

static inline long w_sendto(struct world *w, int fd, const void *buf, size_t n, const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = w_name(&sun, name);

	return wcall(w, SYS_SENDTO, (unsigned long)fd, P(buf), n, MSG_NOSIGNAL, P(&sun), len);
}

/* What was received is written down, too. */
static inline long w_recv(struct world *w, int fd, size_t n, int flags)
{
	char buf[256] = "";
	long r;

	assert_true(n < sizeof(buf));
	r = wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), n, (unsigned long)flags, 0, 0);
	if (r > 0) {
		buf[(size_t)r < n ? (size_t)r : n] = 0;
		w->len +=
			(size_t)snprintf(w->text + w->len, sizeof(w->text) - w->len, "'%s' ", buf);
	}
	return r;
}

static inline long w_setsockopt(struct world *w, int fd, int name, int val)
{
	return wcall(w, SYS_SETSOCKOPT, (unsigned long)fd, SOL_SOCKET, (unsigned long)name, P(&val),
		     sizeof(val), 0);
}

static inline long w_getsockopt(struct world *w, int fd, int name)
{
	int val = -1;
	socklen_t len = sizeof(val);
	long r = wcall(w, SYS_GETSOCKOPT, (unsigned long)fd, SOL_SOCKET, (unsigned long)name,
		       P(&val), P(&len), 0);

	return r ? r : val;
}

static inline long w_close(struct world *w, int fd)
{
	return w->native ? result(close(fd)) : weir_fd_close(w->files, fd);
}

static inline struct weir_file *w_file(struct world *w, int fd)
{
	struct weir_file *f = weir_fd_file(w->files, fd);

	assert_non_null(f);
	weir_close(f); /* the table still has it */
	return f;
}

static inline long w_ioctl(struct world *w, int fd, unsigned long cmd, int *arg)
{
	return w->native ? result(ioctl(fd, cmd, arg)) : weir_ioctl(w_file(w, fd), cmd, arg);
}

static inline long w_poll(struct world *w, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct weir_pollfd wp = { .events = events };
	long r;

	if (w->native) {
		r = result(poll(&p, 1, 0));
		return r < 0 ? r : p.revents;
	}
	wp.file = w_file(w, fd);
	r = weir_poll(w->m, &wp, 1, 0);
	return r < 0 ? r : wp.revents;
}

#define POLL_ALL                                                                                   \
	(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND)

/* ---- epoll ------------------------------------------------------------------------------------------------ */

static inline int w_epoll(struct world *w)
{
	struct weir_file *f;

	if (w->native)
		return (int)result(epoll_create1(0));
	assert_int_equal(weir_epoll_create(w->m, &f), 0);
	return weir_fd_install(w->files, f, 0);
}

static inline long w_epoll_ctl(struct world *w, int ep, int op, int fd, unsigned events)
{
	struct epoll_event ev = { .events = events, .data.u64 = 42 };

	return w->native ? result(epoll_ctl(ep, op, fd, &ev))
			 : weir_epoll_ctl(w_file(w, ep), op, w_file(w, fd), &ev);
}

/* The events of all that are ready, one number: count << 16 | the first's; or -errno. */
static inline long w_epoll_wait(struct world *w, int ep)
{
	struct epoll_event ev[8] = { 0 };
	long r = w->native ? result(epoll_wait(ep, ev, 8, 0))
			   : weir_epoll_wait(w_file(w, ep), ev, 8, 0);

	return r <= 0 ? r : r << 16 | (long)ev[0].events;
}

/* Bits 0..2: readable, writable, exceptional; or -errno. */
static inline long w_select(struct world *w, int fd)
{
	struct timeval now = { 0, 0 };
	fd_set set[3];
	long r;

	for (int i = 0; i < 3; i++) {
		FD_ZERO(&set[i]);
		FD_SET(fd, &set[i]);
	}
	r = w->native ? result(select(fd + 1, &set[0], &set[1], &set[2], &now))
		      : weir_select(w->files, fd + 1, &set[0], &set[1], &set[2], 0);
	if (r < 0)
		return r;
	r = 0;
	for (int i = 0; i < 3; i++)
		if (FD_ISSET(fd, &set[i]))
			r |= 1 << i;
	return r;
}

/* ---- the comparison --------------------------------------------------------------------------------------- */

static inline void world_weir(struct world *w)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };

	w->m = weir_machine_create(&cfg);
	assert_non_null(w->m);
	w->net = weir_net_create(w->m, "a");
	assert_non_null(w->net);
	assert_int_equal(weir_files_create(w->net, 1024, &w->files), 0);
}

static inline void world_weir_end(struct world *w)
{
	struct weir_memory mem;

	weir_files_destroy(w->files);
	weir_memory(w->m, &mem);
	assert_int_equal(mem.nr_socks, 0);
	assert_int_equal(mem.skb_live, 0);
	weir_net_destroy(w->net);
	weir_machine_destroy(w->m);
}

/* Shows the first line that differs. */
static inline void world_compare(const char *host, const char *weir)
{
	int line = 1;

	while (*host && *host == *weir) {
		line += *host == '\n';
		host++;
		weir++;
	}
	if (!*host && !*weir)
		return;
	while (line > 1 && host[-1] != '\n') {
		host--;
		weir--;
	}
	fail_msg("line %d: natively \"%.*s\", weir \"%.*s\"", line, (int)strcspn(host, "\n"), host,
		 (int)strcspn(weir, "\n"), weir);
}

/* Descriptors must not be written down: the lowest free number differs. */
static inline void same_in_both(void (*fn)(struct world *w))
{
	static struct world host, weir;

	host = (struct world){ .native = true };
	weir = (struct world){ 0 };
	fn(&host);
	if (getenv("SHOW"))
		puts(host.text);
	world_weir(&weir);
	fn(&weir);
	world_weir_end(&weir);
	world_compare(host.text, weir.text);
}

#endif
