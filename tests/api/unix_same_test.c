/* SPDX-License-Identifier: BSD-2-Clause */
/* unix_same_test.c - AF_UNIX of weir says what that of the kernel says: unix(7), case by case */
#include "tests/api/two_worlds.h"

static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

static long is_fd(int fd)
{
	return fd < 0 ? fd : 0;
}

static void names(struct world *w)
{
	int s = w_socket(w, SOCK_STREAM), d = w_socket(w, SOCK_DGRAM),
	    q = w_socket(w, SOCK_SEQPACKET);
	int s2 = w_socket(w, SOCK_STREAM);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	SAY(w, w_bind(w, s, "n"));
	SAY(w, w_bind(w, s, "m"));
	SAY(w, w_bind(w, s2, "n"));
	SAY(w, w_bind(w, d, "n")); /* another type, another name */
	SAY(w, w_connect(w, q, "n"));
	SAY(w, w_connect(w, s2, "n"));
	SAY(w, w_connect(w, s2, "none"));
	SAY(w, w_connect(w, d, "n"));
	SAY(w, wcall(w, SYS_BIND, (unsigned long)q, P(&sun), 1, 0, 0, 0));
	SAY(w, wcall(w, SYS_BIND, (unsigned long)q, P(&sun), 200, 0, 0, 0));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)q, P(&sun), 2, 0, 0, 0));
	sun.sun_family = AF_INET;
	SAY(w, wcall(w, SYS_BIND, (unsigned long)q, P(&sun), 10, 0, 0, 0));
	SAY(w, w_close(w, s));
	SAY(w, w_bind(w, s2, "n")); /* free again */
	w_close(w, d);
	w_close(w, q);
	w_close(w, s2);
}

static void path_names(struct world *w)
{
	int a = w_socket(w, SOCK_DGRAM), b = w_socket(w, SOCK_DGRAM), s = w_socket(w, SOCK_STREAM);
	struct sockaddr_un sun = { .sun_family = AF_UNIX }, name;
	socklen_t len = sizeof(name);
	unsigned long n = sizeof(sun);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "/tmp/weir-test-%d", getpid());
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)b, P(&sun), n, 0, 0, 0));
	SAY(w, wcall(w, SYS_BIND, (unsigned long)a, P(&sun), n, 0, 0, 0));
	SAY(w, wcall(w, SYS_BIND, (unsigned long)b, P(&sun), n, 0, 0, 0));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)s, P(&sun), n, 0, 0, 0));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)b, P(&sun), n, 0, 0, 0));
	SAY(w, wcall(w, SYS_GETPEERNAME, (unsigned long)b, P(&name), P(&len), 0, 0, 0));
	SAY(w, len);
	SAY(w, w_send(w, b, "one", 3, 0));
	SAY(w, w->native ? unlink(sun.sun_path) : weir_unix_unlink(w->net, sun.sun_path));
	SAY(w, w_send(w, b, "two", 3, 0)); /* who is connected does not care */
	SAY(w, w_recv(w, a, 10, 0));
	SAY(w, wcall(w, SYS_BIND, (unsigned long)b, P(&sun), n, 0, 0, 0)); /* free again */
	SAY(w, w_close(w, b));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)a, P(&sun), n, 0, 0, 0)); /* it stays */
	SAY(w, w->native ? unlink(sun.sun_path) : weir_unix_unlink(w->net, sun.sun_path));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)a, P(&sun), n, 0, 0, 0));
	w_close(w, a);
	w_close(w, s);
}

static void autobound(struct world *w)
{
	int s = w_socket(w, SOCK_STREAM);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(sun);

	SAY(w, wcall(w, SYS_GETSOCKNAME, (unsigned long)s, P(&sun), P(&len), 0, 0, 0));
	SAY(w, len);
	SAY(w, wcall(w, SYS_BIND, (unsigned long)s, P(&sun), 2, 0, 0, 0));
	len = sizeof(sun);
	SAY(w, wcall(w, SYS_GETSOCKNAME, (unsigned long)s, P(&sun), P(&len), 0, 0, 0));
	SAY(w, len);
	SAY(w, sun.sun_path[0]);
	SAY(w, strspn(sun.sun_path + 1, "0123456789abcdef"));
	w_close(w, s);
}

static void unconnected(struct world *w)
{
	struct sockaddr_un sun;
	socklen_t len = sizeof(sun);

	for (int i = 0; i < 3; i++) {
		int fd = w_socket(w, types[i]);

		SAY(w, w_poll(w, fd, POLL_ALL));
		SAY(w, w_listen(w, fd, 1));
		SAY(w, w_accept(w, fd));
		SAY(w, w_send(w, fd, "x", 1, 0));
		SAY(w, w_recv(w, fd, 1, 0));
		SAY(w, w_sendto(w, fd, "x", 1, "none"));
		SAY(w, w_shutdown(w, fd, SHUT_RDWR));
		SAY(w, w_send(w, fd, "x", 1, 0));
		SAY(w, w_poll(w, fd, POLL_ALL));
		SAY(w, wcall(w, SYS_GETPEERNAME, (unsigned long)fd, P(&sun), P(&len), 0, 0, 0));
		w_close(w, fd);
	}
}

static void peer_closes(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		int fd[2];

		SAY(w, w_pair(w, types[i], fd));
		SAY(w, w_poll(w, fd[0], POLL_ALL));
		SAY(w, w_send(w, fd[0], "unread", 6, 0));
		SAY(w, w_send(w, fd[1], "read", 4, 0));
		SAY(w, w_close(w, fd[1]));
		SAY(w, w_poll(w, fd[0], POLL_ALL));
		SAY(w, w_recv(w, fd[0], 10, 0));
		SAY(w, w_recv(w, fd[0], 10, 0));
		SAY(w, w_recv(w, fd[0], 10, 0));
		SAY(w, w_send(w, fd[0], "x", 1, 0));
		SAY(w, w_send(w, fd[0], "x", 1, 0));
		SAY(w, w_poll(w, fd[0], POLL_ALL));
		w_close(w, fd[0]);
	}
}

static void half_closed(struct world *w)
{
	for (int i = 0; i < 3; i++)
		for (int how = SHUT_RD; how <= SHUT_RDWR; how++) {
			int fd[2];

			w_pair(w, types[i], fd);
			SAY(w, w_send(w, fd[1], "before", 6, 0));
			SAY(w, w_shutdown(w, fd[0], how));
			SAY(w, w_poll(w, fd[0], POLL_ALL));
			SAY(w, w_poll(w, fd[1], POLL_ALL));
			SAY(w, w_send(w, fd[0], "a", 1, 0));
			SAY(w, w_send(w, fd[1], "b", 1, 0));
			SAY(w, w_recv(w, fd[0], 9, 0));
			SAY(w, w_recv(w, fd[0], 9, 0));
			SAY(w, w_recv(w, fd[1], 9, 0));
			w_close(w, fd[0]);
			w_close(w, fd[1]);
		}
}

static void listener(struct world *w)
{
	static const int conn_types[] = { SOCK_STREAM, SOCK_SEQPACKET };

	for (int i = 0; i < 2; i++) {
		int l = w_socket(w, conn_types[i]), c[4], s;

		SAY(w, w_bind(w, l, "l"));
		SAY(w, w_listen(w, l, 1));
		SAY(w, w_poll(w, l, POLL_ALL));
		SAY(w, w_accept(w, l));
		for (int k = 0; k < 4; k++) {
			c[k] = w_socket(w, conn_types[i]);
			SAY(w, w_connect(w, c[k], "l"));
		}
		SAY(w, w_connect(w, c[0], "l"));
		SAY(w, w_poll(w, l, POLL_ALL));
		SAY(w, w_getsockopt(w, l, SO_ACCEPTCONN));
		SAY(w, w_send(w, c[0], "early", 5, 0));
		s = w_accept(w, l);
		SAY(w, is_fd(s));
		SAY(w, w_recv(w, s, 9, 0));
		SAY(w, w_connect(w, c[0], "l"));
		SAY(w, w_listen(w, c[0], 1));
		SAY(w, w_connect(w, l, "l"));
		SAY(w, w_send(w, l, "x", 1, 0));
		SAY(w, w_recv(w, l, 1, 0));
		SAY(w, w_connect(w, c[2], "l"));
		SAY(w, w_shutdown(w, l, SHUT_RD));
		SAY(w, w_connect(w, c[3], "l"));
		SAY(w, w_close(w, l));
		SAY(w, w_poll(w, c[1], POLL_ALL));
		SAY(w, w_recv(w, c[1], 1, 0)); /* nobody had accepted it */
		SAY(w, w_recv(w, c[1], 1, 0));
		SAY(w, w_send(w, c[1], "x", 1, 0));
		SAY(w, w_send(w, c[0], "still", 5, 0));
		SAY(w, w_recv(w, s, 9, 0));
		w_close(w, s);
		for (int k = 0; k < 4; k++)
			w_close(w, c[k]);
	}
}

static void datagrams_press_back(struct world *w)
{
	int r = w_socket(w, SOCK_DGRAM), s = w_socket(w, SOCK_DGRAM);
	int ep = w_epoll(w);

	SAY(w, w_bind(w, r, "r"));
	for (int i = 0; i < 12; i++)
		SAY(w, w_sendto(w, s, "x", 1, "r"));
	SAY(w, w_poll(w, s, POLL_ALL)); /* not connected: it cannot know */
	SAY(w, w_connect(w, s, "r"));
	SAY(w, w_poll(w, s, POLL_ALL));
	SAY(w, w_epoll_ctl(w, ep, EPOLL_CTL_ADD, s, EPOLLOUT | EPOLLET));
	SAY(w, w_epoll_wait(w, ep));
	SAY(w, w_recv(w, r, 1, 0));
	SAY(w, w_epoll_wait(w, ep));
	SAY(w, w_epoll_wait(w, ep));
	SAY(w, w_poll(w, s, POLL_ALL));
	SAY(w, w_connect(w, r, "none"));
	w_close(w, r);
	SAY(w, w_poll(w, s, POLL_ALL));
	SAY(w, w_send(w, s, "x", 1, 0));
	SAY(w, w_send(w, s, "x", 1, 0));
	w_close(w, s);
	w_close(w, ep);
}

static void datagram_peers(struct world *w)
{
	int a = w_socket(w, SOCK_DGRAM), b = w_socket(w, SOCK_DGRAM), c = w_socket(w, SOCK_DGRAM);
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	w_bind(w, a, "a");
	w_bind(w, b, "b");
	SAY(w, w_connect(w, a, "b"));
	SAY(w, w_sendto(w, c, "x", 1, "a"));
	SAY(w, w_connect(w, c, "a"));
	SAY(w, w_sendto(w, b, "from b", 6, "a"));
	SAY(w, w_connect(w, a, "a")); /* leaves b, and forgets what it sent */
	SAY(w, w_recv(w, a, 9, 0));
	SAY(w, w_send(w, a, "self", 4, 0));
	SAY(w, w_recv(w, a, 9, 0));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)a, P(&unspec), sizeof(unspec), 0, 0, 0));
	SAY(w, w_send(w, a, "x", 1, 0));
	SAY(w, w_connect(w, a, "b"));
	SAY(w, w_connect(w, b, "a"));
	SAY(w, w_send(w, a, "lost", 4, 0));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)b, P(&unspec), sizeof(unspec), 0, 0, 0));
	SAY(w, w_poll(w, a, POLL_ALL));
	SAY(w, w_getsockopt(w, a, SO_ERROR));
	w_close(w, a);
	w_close(w, b);
	w_close(w, c);
}

static void peeking(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		int fd[2];

		w_pair(w, types[i], fd);
		w_send(w, fd[0], "abcdef", 6, 0);
		w_send(w, fd[0], "ghi", 3, 0);
		SAY(w, w_recv(w, fd[1], 4, MSG_PEEK));
		SAY(w, w_recv(w, fd[1], 9, MSG_PEEK));
		SAY(w, w_recv(w, fd[1], 4, MSG_PEEK | MSG_TRUNC));
		SAY(w, w_setsockopt(w, fd[1], SO_PEEK_OFF, 2));
		SAY(w, w_recv(w, fd[1], 2, MSG_PEEK));
		SAY(w, w_getsockopt(w, fd[1], SO_PEEK_OFF));
		SAY(w, w_recv(w, fd[1], 9, MSG_PEEK));
		SAY(w, w_recv(w, fd[1], 9, MSG_PEEK));
		SAY(w, w_recv(w, fd[1], 9, MSG_PEEK));
		SAY(w, w_getsockopt(w, fd[1], SO_PEEK_OFF));
		SAY(w, w_recv(w, fd[1], 4, 0));
		SAY(w, w_getsockopt(w, fd[1], SO_PEEK_OFF));
		SAY(w, w_recv(w, fd[1], 9, MSG_PEEK));
		SAY(w, w_recv(w, fd[1], 9, 0));
		SAY(w, w_recv(w, fd[1], 9, 0));
		w_close(w, fd[0]);
		w_close(w, fd[1]);
	}
}

static void sizes(struct world *w)
{
	static char big[212993];

	for (int i = 0; i < 3; i++) {
		int fd[2], n = -1;

		w_pair(w, types[i], fd);
		if (types[i] != SOCK_STREAM) {
			SAY(w, w_send(w, fd[0], big, 212961, 0));
			SAY(w, w_send(w, fd[0], big, 212960, 0));
			SAY(w, w_send(w, fd[0], "more", 4, 0));
			SAY(w, w_poll(w, fd[0], POLLOUT));
			SAY(w, w_recv(w, fd[1], 0, 0));
			SAY(w, w_poll(w, fd[0], POLLOUT));
		}
		SAY(w, w_send(w, fd[0], "", 0, 0));
		SAY(w, w_ioctl(w, fd[1], FIONREAD, &n));
		SAY(w, n);
		SAY(w, w_recv(w, fd[1], 9, 0));
		w_send(w, fd[0], "abc", 3, 0);
		w_send(w, fd[0], "de", 2, 0);
		SAY(w, w_ioctl(w, fd[1], FIONREAD, &n));
		SAY(w, n);
		SAY(w, w_ioctl(w, fd[0], TIOCOUTQ, &n));
		SAY(w, n > 0);
		SAY(w, w_recv(w, fd[1], 2, 0));
		SAY(w, w_ioctl(w, fd[1], FIONREAD, &n));
		SAY(w, n);
		w_close(w, fd[0]);
		w_close(w, fd[1]);
	}
}

static void watermark(struct world *w)
{
	int fd[2];

	w_pair(w, SOCK_STREAM, fd);
	SAY(w, w_setsockopt(w, fd[1], SO_RCVLOWAT, 4));
	SAY(w, w_send(w, fd[0], "ab", 2, 0));
	SAY(w, w_poll(w, fd[1], POLL_ALL));
	SAY(w, w_recv(w, fd[1], 8, 0));
	SAY(w, w_recv(w, fd[1], 8, MSG_WAITALL));
	w_close(w, fd[0]);
	w_close(w, fd[1]);
}

/* ---- control messages ------------------------------------------------------------------------------------- */

static long send_fds(struct world *w, int fd, const int *fds, unsigned n, const char *text)
{
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(300 * sizeof(int))];
	} u = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u };

	msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
	u.c = (struct cmsghdr){ CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&u.c), fds, n * sizeof(int));
	return wcall(w, SYS_SENDMSG, (unsigned long)fd, P(&msg), MSG_NOSIGNAL, 0, 0, 0);
}

/* Receives with room for @room descriptors; writes flags and kinds of control messages down. The descriptors go to @ret_fds. */
static long recv_msg(struct world *w, int fd, unsigned room, int flags, int *ret_fds)
{
	union {
		struct cmsghdr c;
		char buf[512];
	} u = { 0 };
	char buf[16] = "";
	struct iovec iov = { buf, sizeof(buf) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room ? &u : NULL };
	struct cmsghdr *c;
	long r;

	msg.msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0;
	r = wcall(w, SYS_RECVMSG, (unsigned long)fd, P(&msg), (unsigned long)flags, 0, 0, 0);
	if (r < 0)
		return r;
	w->len += (size_t)snprintf(w->text + w->len, sizeof(w->text) - w->len, "'%s' flags %x\n",
				   buf, (unsigned)msg.msg_flags);
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t n = c->cmsg_len - CMSG_LEN(0);

		world_say(w, "  type", c->cmsg_type);
		world_say(w, "  octets", (long)n);
		if (c->cmsg_type == SCM_RIGHTS)
			memcpy(ret_fds, CMSG_DATA(c), n);
	}
	return r;
}

static void files_travel(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		int fd[2], x[2], many[254], got[300] = { -1, -1 };

		w_pair(w, types[i], fd);
		w_pair(w, SOCK_DGRAM, x);
		SAY(w, send_fds(w, fd[0], x, 2, "two"));
		SAY(w, w_send(w, fd[0], "then", 4, 0));
		SAY(w, w_close(w, x[0]));
		SAY(w, w_close(w, x[1]));
		SAY(w, recv_msg(w, fd[1], 8, MSG_PEEK, got)); /* gives handles, too */
		w_close(w, got[0]);
		w_close(w, got[1]);
		SAY(w, recv_msg(w, fd[1], 8, 0, got));
		SAY(w, w_send(w, got[0], "through", 7, 0));
		SAY(w, w_recv(w, got[1], 9, 0));
		SAY(w, recv_msg(w, fd[1], 8, 0, got));
		/* no room for the second, for any */
		SAY(w, send_fds(w, fd[0], got, 2, "cut"));
		SAY(w, send_fds(w, fd[0], got, 2, "none"));
		w_close(w, got[0]);
		SAY(w, recv_msg(w, fd[1], 1, 0, x));
		SAY(w, w_send(w, got[1], "x", 1, 0)); /* only the first of them is left */
		SAY(w, w_close(w, x[0]));
		SAY(w, recv_msg(w, fd[1], 0, 0, x));
		SAY(w, w_send(w, got[1], "x", 1, 0)); /* nobody is there any more */
		for (int k = 0; k < 254; k++)
			many[k] = got[1];
		SAY(w, send_fds(w, fd[0], many, 253, "max"));
		SAY(w, send_fds(w, fd[0], many, 254, "too many"));
		many[0] = 1000000;
		SAY(w, send_fds(w, fd[0], many, 1, "bad"));
		w_close(w, got[1]);
		w_close(w, fd[0]);
		w_close(w, fd[1]);
	}
}

static void credentials_travel(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		struct ucred cred;
		socklen_t len = sizeof(cred);
		int fd[2], got[8];

		w_pair(w, types[i], fd);
		w_send(w, fd[0], "without", 7, 0);
		SAY(w, w_setsockopt(w, fd[1], SO_PASSCRED, 1));
		w_send(w, fd[0], "with", 4, 0);
		SAY(w, recv_msg(w, fd[1], 16, 0, got));
		SAY(w, recv_msg(w, fd[1], 16, 0, got));
		SAY(w, wcall(w, SYS_GETSOCKOPT, (unsigned long)fd[0], SOL_SOCKET, SO_PEERCRED,
			     P(&cred), P(&len), 0));
		SAY(w, cred.pid == getpid());
		SAY(w, cred.uid == geteuid() && cred.gid == getegid());
		w_close(w, fd[0]);
		w_close(w, fd[1]);
	}
}

/* A socket that only its own queue holds. */
static void circles(struct world *w)
{
	for (int i = 0; i < 3; i++) {
		int fd[2];

		w_pair(w, types[i], fd);
		SAY(w, send_fds(w, fd[0], &fd[1], 1, "you"));
		SAY(w, send_fds(w, fd[1], &fd[0], 1, "me"));
		w_close(w, fd[0]);
		w_close(w, fd[1]);
		w_close(w, w_socket(w, SOCK_DGRAM)); /* the collector comes with the next close */
	}
}

static void say_name(struct world *w, long r, const struct sockaddr_un *sun, socklen_t len)
{
	SAY(w, r);
	SAY(w, len);
	SAY(w, len == 8 && strspn(sun->sun_path + 1, "0123456789abcdef") == 5);
}

static void ask_name(struct world *w, int call, int fd)
{
	struct sockaddr_un sun = { 0 };
	socklen_t len = sizeof(sun);
	long r = wcall(w, call, (unsigned long)fd, P(&sun), P(&len), 0, 0, 0);

	say_name(w, call == SYS_ACCEPT ? is_fd((int)r) : r, &sun, len);
	if (call == SYS_ACCEPT) {
		ask_name(w, SYS_GETPEERNAME, (int)r);
		SAY(w, w_recv(w, (int)r, 10, 0));
		w_close(w, (int)r);
	}
}

/* A name is known to who was connected or has a message until that one is done, too; but nobody finds it. */
static void names_of_the_closed(struct world *w)
{
	struct sockaddr_un auto_name = { .sun_family = AF_UNIX }, sun = { 0 };
	int a = w_socket(w, SOCK_DGRAM), b = w_socket(w, SOCK_DGRAM);
	int l = w_socket(w, SOCK_STREAM), c = w_socket(w, SOCK_STREAM);
	socklen_t len = sizeof(sun);
	char buf[10];
	long r;

	SAY(w, w_bind(w, a, "n"));
	wcall(w, SYS_BIND, (unsigned long)b, P(&auto_name), 2, 0, 0, 0);
	SAY(w, w_sendto(w, b, "late", 4, "n"));
	SAY(w, w_close(w, b));
	r = wcall(w, SYS_RECVFROM, (unsigned long)a, P(buf), sizeof(buf), 0, P(&sun), P(&len));
	say_name(w, r, &sun, len);
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)a, P(&sun), len, 0, 0, 0));

	SAY(w, w_bind(w, l, "l"));
	SAY(w, w_listen(w, l, 1));
	wcall(w, SYS_BIND, (unsigned long)c, P(&auto_name), 2, 0, 0, 0);
	SAY(w, w_connect(w, c, "l"));
	SAY(w, w_send(w, c, "hi", 2, 0));
	SAY(w, w_close(w, c));
	ask_name(w, SYS_ACCEPT, l);
	w_close(w, l);
	w_close(w, a);
}

static void many_messages(struct world *w)
{
	char text[4][8] = { "one", "two", "three", "four" }, in[4][8] = { 0 };
	struct iovec iov[4], iin[4];
	struct mmsghdr out[4] = { 0 }, got[4] = { 0 };
	int fd[2];

	w_pair(w, SOCK_DGRAM, fd);
	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ text[i], strlen(text[i]) };
		iin[i] = (struct iovec){ in[i], 7 };
		out[i].msg_hdr.msg_iov = &iov[i];
		got[i].msg_hdr.msg_iov = &iin[i];
		out[i].msg_hdr.msg_iovlen = got[i].msg_hdr.msg_iovlen = 1;
	}
	SAY(w, wcall(w, SYS_SENDMMSG, (unsigned long)fd[0], P(out), 3, 0, 0, 0));
	SAY(w, out[2].msg_len);
	SAY(w, wcall(w, SYS_RECVMMSG, (unsigned long)fd[1], P(got), 4, MSG_WAITFORONE, 0, 0));
	SAY(w, got[2].msg_len);
	SAY(w, strcmp(in[2], "three"));
	SAY(w, wcall(w, SYS_RECVMMSG, (unsigned long)fd[1], P(got), 4, 0, 0, 0));
	w_close(w, fd[0]);
	w_close(w, fd[1]);
}

#define SAME(fn)                                                                                   \
	static void fn##_as_natively(void **state)                                                 \
	{                                                                                          \
		same_in_both(fn);                                                                  \
	}
SAME(names)
SAME(path_names)
SAME(autobound)
SAME(unconnected)
SAME(peer_closes)
SAME(half_closed)
SAME(listener)
SAME(datagrams_press_back)
SAME(datagram_peers)
SAME(peeking)
SAME(sizes)
SAME(watermark)
SAME(files_travel)
SAME(credentials_travel)
SAME(circles)
SAME(names_of_the_closed)
SAME(many_messages)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_as_natively),
		cmocka_unit_test(path_names_as_natively),
		cmocka_unit_test(autobound_as_natively),
		cmocka_unit_test(unconnected_as_natively),
		cmocka_unit_test(peer_closes_as_natively),
		cmocka_unit_test(half_closed_as_natively),
		cmocka_unit_test(listener_as_natively),
		cmocka_unit_test(datagrams_press_back_as_natively),
		cmocka_unit_test(datagram_peers_as_natively),
		cmocka_unit_test(peeking_as_natively),
		cmocka_unit_test(sizes_as_natively),
		cmocka_unit_test(watermark_as_natively),
		cmocka_unit_test(files_travel_as_natively),
		cmocka_unit_test(credentials_travel_as_natively),
		cmocka_unit_test(circles_as_natively),
		cmocka_unit_test(names_of_the_closed_as_natively),
		cmocka_unit_test(many_messages_as_natively),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
