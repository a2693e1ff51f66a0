/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * semantics.c - what a program can observe of its sockets: one line for each behaviour
 *
 * The program knows nothing of weir. It is run twice, natively and under the runner, and the lines are compared (semantics-test).
 * Whatever depends on chance (ports, times, inode numbers) is reduced to what must be the same.
 *
 * Usage: semantics [CASE ...]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_MS 40 /* for the other side to learn of something */

static char buf[1 << 17];

/* ---- words for results --------------------------------------------------------------------------------------------- */

/* What the process of a case counts up and its parent reads: how far it came. */
static volatile long *steps;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list ap;

	putchar(' ');
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

/* "what=result", an error by its name */
static long result(const char *what, long r)
{
	int err = errno;

	if (r < 0)
		say("%s=%s", what, strerrorname_np(err));
	else
		say("%s=%ld", what, r);
	return r;
}

static void ok(const char *what, long r)
{
	int err = errno;

	say("%s=%s", what, r < 0 ? strerrorname_np(err) : "ok");
}

static void events(const char *what, unsigned e)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = { { POLLIN, "IN" },   { POLLPRI, "PRI" }, { POLLOUT, "OUT" },
		      { POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLRDHUP, "RDHUP" } };
	const char *sep = "";

	say("%s=[", what);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (e & names[i].bit) {
			printf("%s%s", sep, names[i].name);
			sep = "|";
		}
	putchar(']');
}

static unsigned poll_all(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	return poll(&p, 1, ms) > 0 ? (unsigned)p.revents : 0;
}

static void settle(void)
{
	usleep(SETTLE_MS * 1000);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void about(const char *what, double start, double want)
{
	double took = now_ms() - start;

	say("%s=%s", what, took > want * 0.8 && took < want * 2.5 + 50 ? "in-time" : "BAD-TIME");
}

static void socket_error(const char *what, int fd)
{
	socklen_t len = sizeof(int);
	int err = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	say("%s=%s", what, err ? strerrorname_np(err) : "0");
}

/* ---- sockets ----------------------------------------------------------------------------------------------------------- */

static struct sockaddr *sa(struct sockaddr_in *a)
{
	return (struct sockaddr *)a;
}

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int bound(int type, struct sockaddr_in *a)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t len = sizeof(*a);

	*a = loopback();
	if (bind(fd, sa(a), sizeof(*a)) < 0 || getsockname(fd, sa(a), &len) < 0)
		say("bind: %s", strerrorname_np(errno));
	return fd;
}

static int listener(struct sockaddr_in *a)
{
	int fd = bound(SOCK_STREAM, a);

	listen(fd, 128);
	return fd;
}

static void tcp_pair(int *c, int *s)
{
	struct sockaddr_in a;
	int l = listener(&a);

	*c = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(*c, sa(&a), sizeof(a)) < 0)
		say("connect: %s", strerrorname_np(errno));
	*s = accept(l, NULL, NULL);
	close(l);
}

static struct sockaddr_in closed_port(void)
{
	struct sockaddr_in a;

	close(listener(&a));
	return a;
}

static void nonblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void reset_on_close(int fd)
{
	struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
	settle();
}

static void recv_timeout(int fd, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	signals++;
}

/* SIGALRM after @us, then every @every_us. */
static void alarm_after(int us, int every_us, int flags)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = flags };
	struct itimerval it = { .it_interval = { 0, every_us }, .it_value = { 0, us } };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void alarm_off(void)
{
	alarm_after(0, 0, 0);
}

/* ---- cases: opening ------------------------------------------------------------------------------------------------- */

static void fresh_stream(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	struct msghdr h = { 0 };

	result("peername", getpeername(fd, sa(&a), &len));
	len = sizeof(a);
	result("sockname", getsockname(fd, sa(&a), &len));
	say("port=%d len=%d", ntohs(a.sin_port), (int)len);
	result("shutdown", shutdown(fd, SHUT_WR));
	result("accept", accept(fd, NULL, NULL));
	result("recvmsg", recvmsg(fd, &h, MSG_DONTWAIT));
	close(fd);
}

static void fresh_stream_poll(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	events("poll", poll_all(fd, 0));
	close(fd);
}

static void fresh_stream_octets(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	nonblock(fd);
	result("write", send(fd, buf, 1, MSG_NOSIGNAL));
	result("read", read(fd, buf, 1));
	close(fd);
}

/* Registered before it is connected, shared by two descriptors, and closed without ever being used. */
static void fresh_stream_shared(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET }, got;
	int l, fd = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0), other = dup(fd), s,
	       n = 0;
	struct sockaddr_in a;
	char name[128];
	struct iovec iov = { buf, 10 };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_name = name, .msg_namelen = sizeof(name)
	};
	socklen_t len = sizeof(name);

	for (int i = 0; i < 300; i++)
		close(socket(AF_INET, SOCK_STREAM, 0));
	l = listener(&a);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	epoll_wait(ep, &got, 1, 0);
	result("connect", connect(other, sa(&a), sizeof(a)));
	n = epoll_wait(ep, &got, 1, 1000);
	say("edge=%d writable=%d", n, (got.events & EPOLLOUT) != 0);
	s = accept(l, NULL, NULL);
	n = (int)send(s, "0123456789abcdefghij", 20, 0);
	say("sent=%d", n);
	close(fd);
	result("recvmsg", recvmsg(other, &h, MSG_WAITALL));
	say("namelen=%d controllen=%d", (int)h.msg_namelen, (int)h.msg_controllen);
	result("recvfrom", recvfrom(other, buf, 4, 0, (struct sockaddr *)name, &len));
	say("namelen=%d", (int)len);
	close(s);
	result("rest", recvfrom(other, buf, 100, MSG_WAITALL, (struct sockaddr *)name, &len));
	result("end", recvfrom(other, buf, 100, 0, (struct sockaddr *)name, &len));
	close(other);
	close(l);
	close(ep);
}

static void options_of_kind(void)
{
	static const struct {
		const char *name;
		int opt;
	} opts[] = { { "type", SO_TYPE },           { "domain", SO_DOMAIN },
		     { "protocol", SO_PROTOCOL },   { "acceptconn", SO_ACCEPTCONN },
		     { "reuseaddr", SO_REUSEADDR }, { "keepalive", SO_KEEPALIVE } };
	int types[] = { SOCK_STREAM, SOCK_DGRAM };

	for (int t = 0; t < 2; t++) {
		int fd = socket(AF_INET, types[t], 0);
		struct stat st;

		for (size_t i = 0; i < sizeof(opts) / sizeof(opts[0]); i++) {
			int val = -1;
			socklen_t len = sizeof(val);

			getsockopt(fd, SOL_SOCKET, opts[i].opt, &val, &len);
			say("%s=%d", opts[i].name, val);
		}
		fstat(fd, &st);
		say("is-socket=%d", S_ISSOCK(st.st_mode));
		result("bad-option", setsockopt(fd, SOL_SOCKET, 9999, &st, 4));
		result("short-option", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &st, 1));
		close(fd);
	}
}

static void descriptor_flags(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	say("nonblock=%d cloexec=%d", !!(fcntl(fd, F_GETFL) & O_NONBLOCK), fcntl(fd, F_GETFD));
	say("access=%d", fcntl(fd, F_GETFL) & O_ACCMODE);
	result("lseek", lseek(fd, 0, SEEK_CUR));
	close(fd);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	say("nonblock=%d cloexec=%d", !!(fcntl(fd, F_GETFL) & O_NONBLOCK), fcntl(fd, F_GETFD));
	close(fd);
	result("bad-type", socket(AF_INET, 77, 0));
	result("bad-domain", socket(12345, SOCK_STREAM, 0));
	result("bad-fd", bind(999, NULL, 0));
	result("not-a-socket", listen(1, 1));
}

static void bad_addresses(void)
{
	struct sockaddr_in a = loopback(), used;
	int l = listener(&used), fd = socket(AF_INET, SOCK_STREAM, 0);

	result("short", bind(fd, sa(&a), 3));
	result("fault", bind(fd, (struct sockaddr *)8, sizeof(a)));
	a.sin_addr.s_addr = htonl(0x01020304);
	result("not-ours", bind(fd, sa(&a), sizeof(a)));
	result("in-use", bind(fd, sa(&used), sizeof(used)));
	a = loopback();
	result("bind", bind(fd, sa(&a), sizeof(a)));
	result("twice", bind(fd, sa(&a), sizeof(a)));
	result("connect-fault", connect(fd, (struct sockaddr *)8, sizeof(a)));
	close(fd);
	close(l);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	result("bind-after-close", bind(fd, sa(&used), sizeof(used)));
	close(fd);
}

static void refused_nonblocking(void)
{
	struct sockaddr_in a = closed_port();
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	result("connect", connect(fd, sa(&a), sizeof(a)));
	events("poll", poll_all(fd, 500));
	socket_error("error", fd);
	socket_error("again", fd);
	result("read", read(fd, buf, 1));
	close(fd);
}

static void refused_blocking(void)
{
	struct sockaddr_in a = closed_port(), b;
	int fd = socket(AF_INET, SOCK_STREAM, 0), l = listener(&b);

	result("connect", connect(fd, sa(&a), sizeof(a)));
	result("again", connect(fd, sa(&a), sizeof(a)));
	result("elsewhere", connect(fd, sa(&b), sizeof(b)));
	result("write", write(fd, "x", 1));
	close(fd);
	close(l);
}

static void reconnect_after_failure(void)
{
	struct sockaddr_in a = closed_port(), b;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), l = listener(&b), s, r;

	connect(fd, sa(&a), sizeof(a));
	poll_all(fd, 500);
	socket_error("error", fd);
	r = connect(fd, sa(&b), sizeof(b));
	if (r < 0 && errno == ECONNABORTED)
		r = connect(fd, sa(&b), sizeof(b));
	result("connect", r);
	events("poll", poll_all(fd, 500));
	socket_error("error", fd);
	s = accept(l, NULL, NULL);
	result("peer-writes", write(s, "hi", 2));
	settle();
	result("read", read(fd, buf, 10));
	close(fd);
	close(s);
	close(l);
}

/* One whose connect() has failed can be bound, and connected; it cannot listen. */
static void bind_after_failure(void)
{
	struct sockaddr_in a, b = loopback(), peer;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), l = listener(&a), s, r;
	struct sockaddr_in closed = closed_port();
	socklen_t len = sizeof(b);

	connect(fd, sa(&closed), sizeof(closed));
	poll_all(fd, 500);
	ok("bind", bind(fd, sa(&b), sizeof(b)));
	socket_error("error", fd);
	ok("listen", listen(fd, 5));
	getsockname(fd, sa(&b), &len);
	r = connect(fd, sa(&a), sizeof(a));
	if (r < 0 && errno == ECONNABORTED)
		r = connect(fd, sa(&a), sizeof(a));
	result("connect", r);
	events("poll", poll_all(fd, 500));
	s = accept(l, sa(&peer), &len);
	say("same-port=%d", peer.sin_port == b.sin_port);
	result("peer-writes", write(s, "hi", 2));
	settle();
	result("read", read(fd, buf, 10));
	close(fd);
	close(s);
	close(l);
}

/* What does not get to the caller's memory is not lost. */
static void receive_fault(void)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	int a, b;

	tcp_pair(&a, &b);
	write(b, "abc", 3);
	settle();
	result("fault", recvfrom(a, (void *)8, 3, 0, sa(&from), &len));
	result("peek", recvfrom(a, buf, 2, MSG_PEEK, sa(&from), &len));
	result("part", recvfrom(a, buf, 1, 0, sa(&from), &len));
	memset(buf, 0, 10);
	result("rest", recvfrom(a, buf, 10, 0, sa(&from), &len));
	say("%s", buf);
	close(a);
	close(b);
}

static void connect_nonblocking(void)
{
	struct sockaddr_in a, peer;
	socklen_t len = sizeof(peer);
	int l = listener(&a), fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), r;

	r = connect(fd, sa(&a), sizeof(a));
	say("connect=%s", r == 0 || errno == EINPROGRESS ? "ok" : strerrorname_np(errno));
	events("poll", poll_all(fd, 500));
	socket_error("error", fd);
	result("again", connect(fd, sa(&a), sizeof(a)));
	result("peername", getpeername(fd, sa(&peer), &len));
	say("same=%d", peer.sin_port == a.sin_port && peer.sin_addr.s_addr == a.sin_addr.s_addr);
	close(fd);
	close(l);
}

/* ---- cases: data ------------------------------------------------------------------------------------------------------ */

static void connected(void)
{
	int a, b, n = -1;

	tcp_pair(&a, &b);
	nonblock(a);
	events("poll", poll_all(a, 0));
	write(b, "hello", 5);
	settle();
	events("data", poll_all(a, 100));
	ioctl(a, FIONREAD, &n);
	say("fionread=%d", n);
	result("peek", recv(a, buf, 3, MSG_PEEK));
	result("read", read(a, buf, 100));
	result("empty", recv(a, buf, 1, MSG_DONTWAIT));
	close(a);
	close(b);
}

static void half_close(void)
{
	int a, b;

	tcp_pair(&a, &b);
	shutdown(b, SHUT_WR);
	settle();
	events("poll", poll_all(a, 100));
	result("read", read(a, buf, 1));
	result("write", write(a, "back", 4));
	settle();
	result("peer-reads", read(b, buf, 10));
	result("shutdown", shutdown(a, SHUT_WR));
	result("write-after", send(a, "x", 1, MSG_NOSIGNAL));
	settle();
	events("both", poll_all(a, 100));
	result("peer-eof", read(b, buf, 10));
	close(a);
	close(b);
}

static void names_after_both_shut(void)
{
	struct sockaddr_in n;
	socklen_t len = sizeof(n);
	int a, b;

	tcp_pair(&a, &b);
	shutdown(a, SHUT_RDWR);
	shutdown(b, SHUT_RDWR);
	settle();
	ok("sockname", getsockname(a, sa(&n), &len));
	say("family=%d", n.sin_family);
	ok("fstat", fcntl(a, F_GETFL));
	events("poll", poll_all(a, 0));
	result("read", read(a, buf, 1));
	close(a);
	close(b);
}

static void reset_by_peer(void)
{
	int a, b;

	tcp_pair(&a, &b);
	reset_on_close(b);
	events("poll", poll_all(a, 100));
	result("read", read(a, buf, 1));
	result("again", read(a, buf, 1));
	close(a);
	tcp_pair(&a, &b);
	reset_on_close(b);
	socket_error("error", a);
	result("read", read(a, buf, 1));
	close(a);
}

static void write_after_reset(void)
{
	int a, b;

	tcp_pair(&a, &b);
	reset_on_close(b);
	result("write", send(a, "x", 1, MSG_NOSIGNAL));
	result("again", send(a, "x", 1, MSG_NOSIGNAL));
	close(a);
}

/* Two control messages, and room for less and less of them. */
static void control_cut(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), one = 1;
	socklen_t len = sizeof(a);

	bind(fd, (struct sockaddr *)&a, sizeof(a));
	getsockname(fd, (struct sockaddr *)&a, &len);
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one));
	for (size_t room = 2 * CMSG_SPACE(sizeof(int)); room; room -= room > 4 ? 4 : room) {
		char control[2 * CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
		struct iovec iov = { buf, 10 };
		struct msghdr h = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = room };

		sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a));
		recvmsg(fd, &h, 0);
		say("%d:%d%s", (int)room, (int)h.msg_controllen,
		    h.msg_flags & MSG_CTRUNC ? "c" : "");
		for (struct cmsghdr *cm = CMSG_FIRSTHDR(&h); cm; cm = CMSG_NXTHDR(&h, cm))
			say("(%d)", (int)cm->cmsg_len);
	}
	close(fd);
}

/* The peer has closed, and answers what comes then with a reset: a writer must not wait for it to read. */
static void reset_behind_end(void)
{
	int a, b, n = 0;
	long r;

	tcp_pair(&a, &b);
	close(b);
	settle();
	result("read", read(a, buf, 1));
	for (; n < 1000; n++) {
		r = send(a, buf, sizeof(buf) < 1000 ? sizeof(buf) : 1000, MSG_NOSIGNAL);
		if (r < 0)
			break;
		if (n < 10)
			settle();
	}
	result("write", n < 1000 ? -1 : 0);
	result("again", send(a, "x", 1, MSG_NOSIGNAL));
	result("read", read(a, buf, 1));
	events("poll", poll_all(a, 0) & (POLLHUP | POLLIN));
	close(a);
}

static void close_with_unread(void)
{
	int a, b;

	tcp_pair(&a, &b);
	write(b, "data", 4);
	settle();
	close(a);
	settle();
	events("poll", poll_all(b, 100));
	result("read", read(b, buf, 1));
	close(b);
}

static void data_then_reset(void)
{
	int a, b;

	tcp_pair(&a, &b);
	write(b, "data", 4);
	settle();
	reset_on_close(b);
	result("read", read(a, buf, 10));
	result("then", read(a, buf, 10));
	close(a);
}

static void data_then_close(void)
{
	int a, b;
	long got = 0, n;

	tcp_pair(&a, &b);
	memset(buf, 'x', sizeof(buf));
	for (int i = 0; i < 3; i++)
		write(b, buf, 65536);
	close(b);
	while ((n = read(a, buf, sizeof(buf))) > 0)
		got += n;
	say("got=%ld", got);
	result("then", n);
	close(a);
}

static void held_by_child(void)
{
	int a, b, d;
	pid_t pid;

	tcp_pair(&a, &b);
	d = dup(a);
	pid = fork();
	if (!pid) {
		close(b);
		usleep(200000);
		_exit(0);
	}
	close(a);
	close(d);
	nonblock(b);
	usleep(60000);
	result("held", read(b, buf, 1));
	waitpid(pid, NULL, 0);
	settle();
	result("gone", read(b, buf, 1));
	close(b);
}

static void urgent(void)
{
	int a, b, mark = -1;
	long n;

	tcp_pair(&a, &b);
	result("send", send(a, "AB!", 3, MSG_OOB));
	settle();
	events("poll", poll_all(b, 100));
	ioctl(b, SIOCATMARK, &mark);
	say("at-mark=%d", mark);
	n = result("urgent", recv(b, buf, 10, MSG_OOB));
	say("octet=%c", n > 0 ? buf[0] : '-');
	result("data", recv(b, buf, 10, MSG_DONTWAIT));
	close(a);
	close(b);
}

static void receive_timeout(void)
{
	struct timeval tv = { 9, 9 };
	socklen_t len = sizeof(tv);
	double start;
	int a, b;

	tcp_pair(&a, &b);
	recv_timeout(a, 100);
	start = now_ms();
	result("recv", recv(a, buf, 1, 0));
	about("after", start, 100);
	getsockopt(a, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
	say("get=%ld.%06ld", (long)tv.tv_sec, (long)tv.tv_usec);
	close(a);
	close(b);
}

/* A signal ends a wait that has an end; it does not begin it anew, whatever SA_RESTART says: signal(7). */
static void timeout_and_signals(void)
{
	struct sockaddr_in a, la;
	int u = bound(SOCK_DGRAM, &a), l = listener(&la);

	recv_timeout(u, 500);
	recv_timeout(l, 500);
	alarm_after(50000, 50000, SA_RESTART);
	result("recvfrom", recvfrom(u, buf, 1, 0, NULL, NULL));
	result("accept", accept(l, NULL, NULL));
	result("again", recvfrom(u, buf, 1, 0, NULL, NULL));
	alarm_off();
	result("in-peace", recvfrom(u, buf, 1, 0, NULL, NULL));
	close(u);
	close(l);
}

static void back_pressure(void)
{
	long total = 0, got = 0, n;
	int a, b, q = 0;

	tcp_pair(&a, &b);
	nonblock(a);
	/* Until nothing moves any more: what lies between the two ends may take its time. */
	for (int quiet = 0; quiet < 3; quiet++) {
		while ((n = write(a, buf, 65536)) > 0) {
			total += n;
			quiet = 0;
		}
		settle();
	}
	result("full", n);
	say("much=%d", total > 100000);
	events("poll", poll_all(a, 100));
	ioctl(a, SIOCOUTQ, &q);
	say("outq=%s", q > 0 ? "some" : "none");
	while (got < total && (n = read(b, buf, 65536)) > 0)
		got += n;
	settle();
	say("all=%d", got == total);
	events("poll", poll_all(a, 100));
	usleep(200000);
	ioctl(a, SIOCOUTQ, &q);
	say("outq=%d", q);
	close(a);
	close(b);
}

static void send_file_and_splice(void)
{
	int a, b, f = open("/bin/sh", O_RDONLY), p[2];
	long got = 0, n;

	tcp_pair(&a, &b);
	result("sendfile", sendfile(a, f, NULL, 20000));
	while (got < 20000 && (n = read(b, buf, sizeof(buf))) > 0)
		got += n;
	say("got=%ld", got);
	if (pipe(p) < 0)
		return;
	write(b, "splice", 6);
	settle();
	result("splice", splice(a, NULL, p[1], NULL, 100, SPLICE_F_NONBLOCK));
	result("pipe", read(p[0], buf, 100));
	close(p[0]);
	close(p[1]);
	close(f);
	close(a);
	close(b);
}

static void stamp_ioctl(void)
{
	struct sockaddr_in a4 = loopback();
	int s = socket(AF_INET, SOCK_DGRAM, 0), t = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval tv = { 0 };
	struct timespec ts = { 0 };
	socklen_t len = sizeof(a4);

	a4.sin_port = 0;
	bind(s, (struct sockaddr *)&a4, sizeof(a4));
	getsockname(s, (struct sockaddr *)&a4, &len);
	result("none yet", ioctl(s, SIOCGSTAMP, &tv));
	sendto(s, "x", 1, 0, (struct sockaddr *)&a4, sizeof(a4));
	result("recv", recv(s, buf, sizeof(buf), 0));
	result("stamp", ioctl(s, SIOCGSTAMP, &tv));
	say("near=%d", labs((long)(tv.tv_sec - time(NULL))) < 10);
	result("stampns", ioctl(s, SIOCGSTAMPNS, &ts));
	say("same=%d", ts.tv_sec == tv.tv_sec && ts.tv_nsec / 1000 == tv.tv_usec);
	result("bad address", ioctl(s, SIOCGSTAMP, (void *)8));
	result("stream", ioctl(t, SIOCGSTAMP, &tv));
	close(s);
	close(t);
}

static void messages_on_streams(void)
{
	struct sockaddr_in a4 = loopback();
	struct iovec iov[2] = { { buf, 3 }, { buf + 3, 7 } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };
	socklen_t len = sizeof(a4);
	int a, b;

	tcp_pair(&a, &b);
	write(b, "hey", 3);
	settle();
	h.msg_name = &a4;
	h.msg_namelen = sizeof(a4);
	result("recvmsg", recvmsg(a, &h, 0));
	say("namelen=%d flags=%x", (int)h.msg_namelen, (unsigned)h.msg_flags);
	h.msg_name = NULL;
	h.msg_namelen = 0;
	result("sendmsg", sendmsg(a, &h, 0));
	a4 = loopback();
	result("sendto", sendto(a, "x", 1, 0, sa(&a4), sizeof(a4)));
	settle();
	result("recvfrom", recvfrom(b, buf, 20, 0, sa(&a4), &len));
	result("waitall", (write(a, "abc", 3), write(a, "def", 3), recv(b, buf, 6, MSG_WAITALL)));
	close(a);
	close(b);
}

/* Octets that go different ways must stay in order. */
static void order(void)
{
	struct sockaddr_in to = loopback();
	long n, got = 0;
	int a, b;

	tcp_pair(&a, &b);
	for (int i = 0; i < 20; i++) {
		write(a, "1", 1);
		sendto(a, "2", 1, 0, sa(&to), sizeof(to));
	}
	while (got < 40 && (n = recv(b, buf + got, 100, 0)) > 0)
		got += n;
	buf[got] = '\0';
	say("read=%s", buf);
	close(a);
	close(b);
}

static void tcp_information(void)
{
	struct tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);
	int a, b, one = 1, val = 0;

	tcp_pair(&a, &b);
	result("info", getsockopt(a, IPPROTO_TCP, TCP_INFO, &ti, &len));
	say("state=%d", ti.tcpi_state);
	result("nodelay", setsockopt(a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	len = sizeof(val);
	getsockopt(a, IPPROTO_TCP, TCP_NODELAY, &val, &len);
	say("get=%d", val);
	close(a);
	close(b);
}

static void segments(void)
{
	int a, b;
	pid_t pid;
	long got = 0, n;
	unsigned sum = 0;

	tcp_pair(&a, &b);
	pid = fork();
	if (!pid) {
		close(b);
		for (int i = 0; i < 64; i++) {
			memset(buf, i, sizeof(buf));
			for (long off = 0; off < (long)sizeof(buf); off += n)
				if ((n = write(a, buf + off, sizeof(buf) - (size_t)off)) <= 0)
					_exit(1);
		}
		_exit(0);
	}
	close(a);
	while ((n = read(b, buf, sizeof(buf))) > 0) {
		for (long i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)buf[i];
		got += n;
	}
	say("octets=%ld sum=%08x", got, sum);
	waitpid(pid, NULL, 0);
	close(b);
}

/* ---- cases: listeners --------------------------------------------------------------------------------------------------- */

static void accepting(void)
{
	struct sockaddr_in a, peer;
	socklen_t len = sizeof(peer);
	int l = listener(&a), fd, s;

	nonblock(l);
	result("empty", accept(l, NULL, NULL));
	events("poll", poll_all(l, 0));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	connect(fd, sa(&a), sizeof(a));
	settle();
	events("waiting", poll_all(l, 100));
	s = accept4(l, sa(&peer), &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ok("accept4", s);
	say("family=%d len=%d nonblock=%d cloexec=%d", peer.sin_family, (int)len,
	    !!(fcntl(s, F_GETFL) & O_NONBLOCK), fcntl(s, F_GETFD));
	events("taken", poll_all(l, 0));
	close(s);
	close(fd);
	close(l);
}

static void accept_timeout(void)
{
	struct sockaddr_in a;
	int l = listener(&a);
	double start = now_ms();

	recv_timeout(l, 100);
	result("accept", accept(l, NULL, NULL));
	about("after", start, 100);
	close(l);
}

static void accept_many(void)
{
	struct sockaddr_in a;
	int l = listener(&a), fd[20], s, n = 0;

	nonblock(l);
	for (int i = 0; i < 20; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd[i], sa(&a), sizeof(a));
	}
	settle();
	while (poll_all(l, 50) & POLLIN) {
		s = accept(l, NULL, NULL);
		if (s < 0)
			break;
		close(s);
		n++;
	}
	say("accepted=%d", n);
	events("poll", poll_all(l, 0));
	for (int i = 0; i < 20; i++)
		close(fd[i]);
	close(l);
}

static void accept_edge_triggered(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct sockaddr_in a;
	int l = listener(&a), ep = epoll_create1(0), fd, n = 0;

	nonblock(l);
	epoll_ctl(ep, EPOLL_CTL_ADD, l, &ev);
	for (int i = 0; i < 5; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, sa(&a), sizeof(a));
		close(fd);
		if (epoll_wait(ep, &ev, 1, 500) == 1)
			while ((fd = accept(l, NULL, NULL)) >= 0) {
				close(fd);
				n++;
			}
	}
	say("accepted=%d", n);
	close(ep);
	close(l);
}

static void accept_and_signals(void)
{
	struct sockaddr_in a;
	int l = listener(&a), s;
	double start;
	pid_t pid;

	alarm_after(100000, 0, 0);
	start = now_ms();
	result("accept", accept(l, NULL, NULL));
	about("after", start, 100);
	signals = 0;
	alarm_after(100000, 0, SA_RESTART);
	pid = fork();
	if (!pid) {
		int fd;

		usleep(300000);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, sa(&a), sizeof(a));
		usleep(100000);
		_exit(0);
	}
	s = accept(l, NULL, NULL);
	ok("restarted", s);
	say("signals=%d", (int)signals);
	close(s);
	close(l);
	waitpid(pid, NULL, 0);
}

static void accept_woken_by_shutdown(void)
{
	struct sockaddr_in a;
	int l = listener(&a), status = 0;
	pid_t pid = fork();

	if (!pid) {
		int r = accept(l, NULL, NULL);

		_exit(r < 0 ? errno : 0);
	}
	usleep(100000);
	shutdown(l, SHUT_RDWR);
	usleep(100000);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	say("accept=%s", WIFEXITED(status) ? strerrorname_np(WEXITSTATUS(status)) : "waits");
	result("again", accept(l, NULL, NULL));
	close(l);
}

static void backlog(void)
{
	struct sockaddr_in a;
	int l = bound(SOCK_STREAM, &a), fd[8], n = 0;

	listen(l, 1);
	for (int i = 0; i < 8; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd[i], sa(&a), sizeof(a));
	}
	usleep(100000);
	for (int i = 0; i < 8; i++) {
		n += poll_all(fd[i], 0) == POLLOUT;
		close(fd[i]);
	}
	say("connected=%s", n < 8 ? "some" : "all");
	close(l);
}

/* ---- cases: UDP -------------------------------------------------------------------------------------------------------- */

static void datagrams(void)
{
	struct sockaddr_in ua, from;
	socklen_t len = sizeof(from);
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0);

	result("sendto", sendto(w, "0123456789", 10, 0, sa(&ua), sizeof(ua)));
	settle();
	events("poll", poll_all(u, 100));
	result("peek", recvfrom(u, buf, 4, MSG_TRUNC | MSG_PEEK, sa(&from), &len));
	result("short", recvfrom(u, buf, 4, 0, sa(&from), &len));
	say("family=%d len=%d", from.sin_family, (int)len);
	result("empty", recvfrom(u, buf, 4, MSG_DONTWAIT, sa(&from), &len));
	sendto(w, "", 0, 0, sa(&ua), sizeof(ua));
	settle();
	result("zero", recvfrom(u, buf, 10, MSG_DONTWAIT, sa(&from), &len));
	connect(w, sa(&ua), sizeof(ua));
	result("send", send(w, "abc", 3, 0));
	settle();
	result("recv", recv(u, buf, 10, MSG_DONTWAIT));
	result("too-long", sendto(w, buf, 70000, 0, sa(&ua), sizeof(ua)));
	close(u);
	close(w);
}

/* Native and addressed reads of one socket see each datagram once, with its own source. */
static void datagram_sources(void)
{
	struct sockaddr_in ua, from, own[3];
	socklen_t len;
	int u = bound(SOCK_DGRAM, &ua), w[3];

	for (int i = 0; i < 3; i++)
		w[i] = bound(SOCK_DGRAM, &own[i]);
	for (int i = 0; i < 9; i++) {
		char c = (char)('a' + i);

		sendto(w[i % 3], &c, 1, 0, sa(&ua), sizeof(ua));
	}
	settle();
	for (int i = 0; i < 9; i++) {
		buf[0] = '?';
		if (i % 2) {
			recv(u, buf, 1, MSG_DONTWAIT);
			say("%c", buf[0]);
		} else {
			len = sizeof(from);
			recvfrom(u, buf, 1, MSG_DONTWAIT, sa(&from), &len);
			say("%c:%d", buf[0], from.sin_port == own[i % 3].sin_port);
		}
	}
	close(u);
	for (int i = 0; i < 3; i++)
		close(w[i]);
}

static void datagram_waiting(void)
{
	struct sockaddr_in ua, from;
	socklen_t len = sizeof(from);
	int u = bound(SOCK_DGRAM, &ua);
	double start;
	pid_t pid;

	alarm_after(100000, 0, 0);
	result("signal", recvfrom(u, buf, 10, 0, sa(&from), &len));
	recv_timeout(u, 100);
	start = now_ms();
	result("timeout", recvfrom(u, buf, 10, 0, sa(&from), &len));
	about("after", start, 100);
	recv_timeout(u, 0);
	pid = fork();
	if (!pid) {
		int w = socket(AF_INET, SOCK_DGRAM, 0);

		usleep(100000);
		sendto(w, "late", 4, 0, sa(&ua), sizeof(ua));
		_exit(0);
	}
	len = sizeof(from);
	result("late", recvfrom(u, buf, 10, 0, sa(&from), &len));
	waitpid(pid, NULL, 0);
	close(u);
}

static void many_messages(void)
{
	struct sockaddr_in ua, na[4];
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0);
	struct mmsghdr mm[4];
	struct iovec iov[4];

	connect(w, sa(&ua), sizeof(ua));
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ buf + i * 100, (size_t)(3 + i) };
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	result("sendmmsg", sendmmsg(w, mm, 4, 0));
	say("len=%u,%u", mm[0].msg_len, mm[3].msg_len);
	settle();
	for (int i = 0; i < 4; i++) {
		iov[i].iov_len = 100;
		mm[i].msg_hdr.msg_name = &na[i];
		mm[i].msg_hdr.msg_namelen = sizeof(na[i]);
	}
	result("recvmmsg", recvmmsg(u, mm, 4, MSG_DONTWAIT, NULL));
	say("len=%u,%u family=%d namelen=%d", mm[0].msg_len, mm[3].msg_len, na[3].sin_family,
	    (int)mm[3].msg_hdr.msg_namelen);
	close(u);
	close(w);
}

static void datagram_truncated(void)
{
	struct sockaddr_in ua, from;
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0);
	struct iovec iov = { buf, 4 };
	struct msghdr h = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};

	sendto(w, "0123456789", 10, 0, sa(&ua), sizeof(ua));
	settle();
	result("recvmsg", recvmsg(u, &h, 0));
	say("flags=%x namelen=%d", (unsigned)h.msg_flags, (int)h.msg_namelen);
	close(u);
	close(w);
}

/* A copy of @fd in a message of a pair that nobody reads. */
static void pass_fd(int fd, int sv[2])
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { buf, 1 };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);

	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd, sizeof(int));
	ok("pass", (int)sendmsg(sv[0], &h, 0) - 1);
}

static void datagram_refused(void)
{
	struct sockaddr_in a = closed_port();
	int w = socket(AF_INET, SOCK_DGRAM, 0);

	connect(w, sa(&a), sizeof(a));
	result("send", sendto(w, "x", 1, 0, NULL, 0));
	settle();
	socket_error("error", w);
	close(w);
}

static void datagram_refused_native(void)
{
	struct sockaddr_in a = closed_port();
	int w = socket(AF_INET, SOCK_DGRAM, 0);

	connect(w, sa(&a), sizeof(a));
	send(w, "x", 1, 0);
	settle();
	result("recv", recv(w, buf, 1, MSG_DONTWAIT));
	send(w, "x", 1, 0);
	settle();
	result("send", send(w, "x", 1, 0));
	close(w);
}

/* How an error polls, natively fetched errors included: they come once. */
static void datagram_refused_events(void)
{
	struct sockaddr_in a = closed_port();
	int w = socket(AF_INET, SOCK_DGRAM, 0);

	connect(w, sa(&a), sizeof(a));
	events("before", poll_all(w, 0));
	send(w, "x", 1, 0);
	settle();
	events("refused", poll_all(w, 2000));
	socket_error("error", w);
	events("told", poll_all(w, 0));
	for (int i = 0; i < 2; i++) {
		send(w, "x", 1, 0);
		settle();
		events("again", poll_all(w, 2000));
		say("recv=%d", (int)recv(w, buf, 1, MSG_DONTWAIT));
		events("fetched", poll_all(w, 0));
	}
	socket_error("error", w);
	close(w);
}

static void error_queue_next(int fd)
{
	struct sockaddr_in from = { 0 };
	struct iovec iov = { buf, sizeof(buf) };
	char control[512];
	struct msghdr h = { .msg_name = &from,
			    .msg_namelen = sizeof(from),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	result("queued", recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT));
	say("flags=%x", (unsigned)h.msg_flags);
	events("poll", poll_all(fd, 0));
}

/* What traceroute does: it waits for POLLERR, and then asks the queue. */
static void datagram_error_queue(void)
{
	struct sockaddr_in a = closed_port(), b = closed_port(), ua;
	int w = bound(SOCK_DGRAM, &ua), u = bound(SOCK_DGRAM, &b), one = 1;

	setsockopt(w, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	result("first", sendto(w, "abc", 3, 0, sa(&a), sizeof(a)));
	settle();
	events("poll", poll_all(w, 2000));
	result("second", sendto(w, "de", 2, 0, sa(&a), sizeof(a)));
	events("poll", poll_all(w, 0));
	result("third", sendto(w, "f", 1, 0, sa(&a), sizeof(a)));
	settle();
	error_queue_next(w);
	error_queue_next(w);
	error_queue_next(w);
	/* Datagrams come as if nothing had been. */
	sendto(u, "ok", 2, 0, sa(&ua), sizeof(ua));
	settle();
	events("poll", poll_all(w, 2000));
	result("recv", recv(w, buf, 10, MSG_DONTWAIT));
	result("native", sendto(w, "x", 1, 0, sa(&b), sizeof(b)));
	result("received", recv(u, buf, 10, 0));
	close(u);
	close(w);
}

struct sender {
	int fd;
	volatile bool stop;
};

static void *send_all_lengths(void *arg)
{
	const struct sender *s = arg;
	char text[240];

	for (unsigned i = 0; !s->stop; i++) {
		size_t len = 1 + i % sizeof(text);

		memset(text, (int)len, len);
		send(s->fd, text, len, MSG_DONTWAIT);
	}
	return NULL;
}

/* What the queue gives back are the octets that were sent, also while others are: each datagram is full of its length. */
static void datagram_error_octets(void)
{
	struct sockaddr_in a = closed_port();
	int w = socket(AF_INET, SOCK_DGRAM, 0), one = 1, wrong = 0;
	struct sender s = { .fd = w };
	pthread_t t;

	setsockopt(w, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	connect(w, sa(&a), sizeof(a));
	pthread_create(&t, NULL, send_all_lengths, &s);
	for (int i = 0; i < 300; i++) {
		struct iovec iov = { buf, 1000 };
		struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
		long n = recvmsg(w, &h, MSG_ERRQUEUE | MSG_DONTWAIT);

		for (long k = 0; k < n; k++)
			wrong += (unsigned char)buf[k] != n;
	}
	s.stop = true;
	pthread_join(t, NULL);
	say("wrong=%d", wrong);
	close(w);
}

/* One that waits in a native recv() is woken. */
static void *send_to_nobody(void *arg)
{
	settle();
	send(*(int *)arg, "x", 1, 0);
	return NULL;
}

static void datagram_refused_waiting(void)
{
	struct sockaddr_in a = closed_port();
	int w = socket(AF_INET, SOCK_DGRAM, 0);
	pthread_t t;

	connect(w, sa(&a), sizeof(a));
	pthread_create(&t, NULL, send_to_nobody, &w);
	say("recv=%d", (int)recv(w, buf, 1, 0));
	pthread_join(t, NULL);
	close(w);
}

/* A descriptor with O_PATH is none of the socket's: its close is not the socket's. */
static void datagram_path_closed(void)
{
	struct sockaddr_in ua;
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0), p;
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", u);
	p = open(path, O_PATH);
	result("path", p >= 0);
	close(p);
	sendto(w, "abc", 3, 0, sa(&ua), sizeof(ua));
	result("recv", recv(u, buf, 10, 0));
	close(u);
	close(w);
}

/* The port of a datagram socket is free when its last descriptor is closed, wherever that was: also in a message that nobody reads. */
static void datagram_closed(void)
{
	struct sockaddr_in ua;
	int u = bound(SOCK_DGRAM, &ua), w, sv[2];

	pass_fd(u, sv);
	close(u);
	w = socket(AF_INET, SOCK_DGRAM, 0);
	ok("in-flight", bind(w, sa(&ua), sizeof(ua)));
	close(sv[0]);
	close(sv[1]);
	ok("closed", bind(w, sa(&ua), sizeof(ua)));
	close(w);
}

/* A resolver's way: it waits in poll, and asks with an address. */
static void datagram_refused_polled(void)
{
	struct sockaddr_in a = closed_port(), from;
	socklen_t len = sizeof(from);
	int w = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd p = { .fd = w, .events = POLLIN };

	connect(w, sa(&a), sizeof(a));
	send(w, "x", 1, 0);
	result("poll", poll(&p, 1, 2000));
	result("recvfrom", recvfrom(w, buf, 1, MSG_DONTWAIT, sa(&from), &len));
	p.events = POLLIN;
	result("again", poll(&p, 1, 0));
	result("recvfrom", recvfrom(w, buf, 1, MSG_DONTWAIT, sa(&from), &len));
	send(w, "x", 1, 0);
	result("poll", poll(&p, 1, 2000));
	socket_error("error", w);
	result("again", poll(&p, 1, 0));
	send(w, "x", 1, 0);
	result("poll", poll(&p, 1, 2000));
	result("send-with-address", sendto(w, "x", 1, 0, sa(&a), sizeof(a)));
	close(w);
}

/* The error overtakes what was received earlier, and does not take its place. */
static void datagram_refused_behind_data(void)
{
	struct sockaddr_in ua, from;
	socklen_t len = sizeof(from);
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0);

	connect(w, sa(&ua), sizeof(ua));
	send(w, "1", 1, 0);
	settle();
	recvfrom(u, buf, 1, 0, sa(&from), &len);
	sendto(u, "ab", 2, 0, sa(&from), len);
	sendto(u, "c", 1, 0, sa(&from), len);
	settle();
	close(u);
	/* One that is connected elsewhere takes nothing from us. */
	u = socket(AF_INET, SOCK_DGRAM, 0);
	ok("bind", bind(u, sa(&ua), sizeof(ua)));
	ua.sin_port = htons(1);
	connect(u, sa(&ua), sizeof(ua));
	send(w, "2", 1, 0);
	settle();
	result("first", recvfrom(w, buf, 10, MSG_DONTWAIT, sa(&from), &len));
	result("second", recvfrom(w, buf, 10, MSG_DONTWAIT, sa(&from), &len));
	result("third", recv(w, buf, 10, MSG_DONTWAIT));
	events("poll", poll_all(w, 0));
	close(u);
	close(w);
}

static void datagram_length(void)
{
	struct sockaddr_in ua;
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0), n = -1;

	connect(w, sa(&ua), sizeof(ua));
	ok("none", ioctl(u, FIONREAD, &n));
	say("%d", n);
	send(w, "abc", 3, 0);
	send(w, "", 0, 0);
	send(w, "abcde", 5, 0);
	settle();
	for (int i = 0; i < 4; i++) {
		ok("len", ioctl(u, FIONREAD, &n));
		say("%d", n);
		result("recv", recv(u, buf, 10, MSG_DONTWAIT));
	}
	close(u);
	close(w);
}

/* Empty datagrams that were read natively leave the sources of the others right. */
static void datagram_empty_sources(void)
{
	struct sockaddr_in ua, from, own[3];
	socklen_t len;
	int u = bound(SOCK_DGRAM, &ua), w[3];

	for (int i = 0; i < 3; i++)
		w[i] = bound(SOCK_DGRAM, &own[i]);
	for (int i = 0; i < 9; i++)
		sendto(w[i % 3], "abc", i % 2 ? 3 : 0, 0, sa(&ua), sizeof(ua));
	settle();
	for (int i = 0; i < 9; i++) {
		if (i % 3 == 0) {
			result("recv", recv(u, buf, 10, MSG_DONTWAIT));
			continue;
		}
		len = sizeof(from);
		result("recvfrom", recvfrom(u, buf, 10, MSG_DONTWAIT, sa(&from), &len));
		say(":%d", from.sin_port == own[i % 3].sin_port);
	}
	result("end", recv(u, buf, 10, MSG_DONTWAIT));
	close(u);
	for (int i = 0; i < 3; i++)
		close(w[i]);
}

/* @count datagrams, one each @ms. */
static pid_t send_slowly(const struct sockaddr_in *to, int count, int ms)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (int i = 0; i < count; i++) {
		int w = socket(AF_INET, SOCK_DGRAM, 0);

		usleep((useconds_t)ms * 1000);
		sendto(w, "abc", 3, 0, (const struct sockaddr *)to, sizeof(*to));
		close(w);
	}
	_exit(0);
}

static void many_messages_waiting(void)
{
	struct sockaddr_in ua;
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0);
	struct timespec ts = { 0, 1 };
	socklen_t len = sizeof(int);
	struct mmsghdr mm[3];
	struct iovec iov[3];
	pid_t pid;

	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 3; i++) {
		iov[i] = (struct iovec){ buf + i * 100, 100 };
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	pid = send_slowly(&ua, 3, 30);
	result("all", recvmmsg(u, mm, 3, 0, NULL));
	waitpid(pid, NULL, 0);
	pid = send_slowly(&ua, 2, 100);
	result("for-one", recvmmsg(u, mm, 3, MSG_WAITFORONE, NULL));
	result("the-other", recvmmsg(u, mm, 1, 0, NULL));
	waitpid(pid, NULL, 0);
	pid = send_slowly(&ua, 2, 100);
	result("limit", recvmmsg(u, mm, 3, 0, &ts));
	say("left=%ld.%ld", (long)ts.tv_sec, ts.tv_nsec);
	result("the-other", recvmmsg(u, mm, 1, 0, NULL));
	waitpid(pid, NULL, 0);
	ts = (struct timespec){ 3600, 0 };
	sendto(w, "x", 1, 0, sa(&ua), sizeof(ua));
	result("long-limit", recvmmsg(u, mm, 1, 0, &ts));
	say("left=%d", ts.tv_sec == 3599);
	ts = (struct timespec){ 0, -1 };
	result("bad-limit", recvmmsg(u, mm, 3, MSG_DONTWAIT, &ts));
	sendto(w, "x", 1, 0, sa(&ua), sizeof(ua));
	alarm_after(100000, 0, 0);
	result("signal", recvmmsg(u, mm, 3, 0, NULL));
	alarm_off();
	/* Linux leaves its ERESTARTSYS behind as the socket's error. */
	getsockopt(u, SOL_SOCKET, SO_ERROR, buf, &len);
	recv_timeout(u, 100);
	sendto(w, "x", 1, 0, sa(&ua), sizeof(ua));
	result("timeout", recvmmsg(u, mm, 3, 0, NULL));
	result("timeout", recvmmsg(u, mm, 3, 0, NULL));
	close(u);
	close(w);
}

static void datagram_shutdown(void)
{
	struct sockaddr_in ua;
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0);

	result("unconnected", shutdown(w, SHUT_WR));
	connect(w, sa(&ua), sizeof(ua));
	result("connected", shutdown(w, SHUT_WR));
	result("send", send(w, "x", 1, MSG_NOSIGNAL));
	settle();
	result("recv", recv(w, buf, 1, MSG_DONTWAIT));
	close(u);
	close(w);
}

/* ---- cases: descriptors and processes -------------------------------------------------------------------------------- */

static void passed_descriptor(void)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { buf, 1 };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
	int a, b, sv[2], status;
	pid_t pid;

	tcp_pair(&a, &b);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0)
		return;
	pid = fork();
	if (!pid) {
		struct sockaddr_in n;
		socklen_t len = sizeof(n);
		int fd;

		close(a);
		close(b);
		recvmsg(sv[1], &h, 0);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(fd));
		write(fd, "from-child", 10);
		_exit(getpeername(fd, sa(&n), &len) < 0 ? errno : 0);
	}
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &a, sizeof(int));
	sendmsg(sv[0], &h, 0);
	close(a);
	waitpid(pid, &status, 0);
	say("peername=%d", WEXITSTATUS(status));
	settle();
	result("read", read(b, buf, 20));
	/* The copies in flight are gone with both ends of the pair. */
	close(sv[0]);
	close(sv[1]);
	settle();
	result("then", read(b, buf, 20));
	close(b);
}

static void through_exec(void)
{
	char script[64];
	int a, b;
	pid_t pid;

	tcp_pair(&a, &b);
	snprintf(script, sizeof(script), "echo -n exec >&%d", a);
	pid = fork();
	if (!pid) {
		close(b);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(1);
	}
	close(a);
	waitpid(pid, NULL, 0);
	settle();
	result("read", read(b, buf, 20));
	result("eof", read(b, buf, 20));
	close(b);
}

/* It names nothing, also from a directory that is a view. */
static void empty_path(void)
{
	int d = open("/proc/sys/net/ipv4", O_RDONLY | O_DIRECTORY);

	result("directory", d >= 0);
	result("open", openat(d, "", O_RDONLY));
	close(d);
}

static void closed_by_exec(void)
{
	struct sockaddr_in a;
	int l = listener(&a), done[2], fd;
	pid_t pid;

	fcntl(l, F_SETFD, FD_CLOEXEC);
	pipe2(done, O_CLOEXEC);
	pid = fork();
	if (!pid) {
		execl("/bin/sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	close(done[1]);
	result("executed", read(done[0], buf, 1));
	close(done[0]);
	close(l);
	settle();
	fd = socket(AF_INET, SOCK_STREAM, 0);
	result("connect", connect(fd, sa(&a), sizeof(a)));
	close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void killed_holder(void)
{
	struct sockaddr_in a;
	int l = listener(&a), fd, s;
	pid_t pid = fork();

	if (!pid) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, sa(&a), sizeof(a));
		pause();
	}
	s = accept(l, NULL, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	settle();
	result("read", read(s, buf, 1));
	close(s);
	close(l);
}

struct worker {
	int l;
	int n;
};

static void *serve(void *arg)
{
	struct worker *w = arg;
	char c;

	for (int i = 0; i < w->n; i++) {
		int s = accept(w->l, NULL, NULL);

		if (s >= 0 && read(s, &c, 1) == 1)
			write(s, &c, 1);
		close(s);
	}
	return NULL;
}

static void threads(void)
{
	struct sockaddr_in a;
	struct worker w = { listener(&a), 25 };
	pthread_t t[4];
	int good = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, serve, &w);
	for (int i = 0; i < 100; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		char c = 'x';

		if (connect(fd, sa(&a), sizeof(a)) == 0 && write(fd, &c, 1) == 1 &&
		    read(fd, &c, 1) == 1)
			good++;
		close(fd);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("served=%d", good);
	close(w.l);
}

static void edge_triggered(void)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP };
	int a, b, ep = epoll_create1(0), n;

	tcp_pair(&a, &b);
	epoll_ctl(ep, EPOLL_CTL_ADD, a, &ev);
	epoll_wait(ep, &ev, 1, 100);
	say("first=%x", ev.events);
	say("second=%d", epoll_wait(ep, &ev, 1, 50));
	write(b, "x", 1);
	n = epoll_wait(ep, &ev, 1, 100);
	say("data=%d/%x", n, ev.events);
	write(b, "x", 1);
	say("more=%d", epoll_wait(ep, &ev, 1, 100));
	close(b);
	n = epoll_wait(ep, &ev, 1, 100);
	say("close=%d/%x", n, ev.events);
	close(a);
	close(ep);
}

static void select_works(void)
{
	struct timeval tv = { 0, 100000 };
	fd_set r, w;
	int a, b;

	tcp_pair(&a, &b);
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_SET(a, &r);
	FD_SET(a, &w);
	result("select", select(a + 1, &r, &w, NULL, &tv));
	say("r=%d w=%d", FD_ISSET(a, &r), FD_ISSET(a, &w));
	close(a);
	close(b);
}

static void read_and_signal(void)
{
	int a, b;

	tcp_pair(&a, &b);
	alarm_after(50000, 0, 0);
	result("read", read(a, buf, 1));
	close(a);
	close(b);
}

/* Calls that are torn by signals happen once. */
static void signal_storm_tcp(void)
{
	struct sockaddr_in a;
	int l = listener(&a), good = 0, bad = 0;
	pid_t pid = fork();

	if (!pid) {
		for (;;) {
			int s = accept(l, NULL, NULL);
			char c;

			if (s >= 0 && read(s, &c, 1) == 1)
				write(s, "y", 1);
			close(s);
		}
	}
	alarm_after(1000, 1000, SA_RESTART);
	for (int i = 0; i < 300; i++, ++*steps) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int r = connect(fd, sa(&a), sizeof(a));

		if (r < 0 && errno == EINTR) {
			close(fd);
			good++;
			continue;
		}
		if (r == 0 && write(fd, "x", 1) == 1 && read(fd, buf, 1) == 1)
			good++;
		else
			bad++;
		close(fd);
	}
	alarm_off();
	say("good=%d bad=%d", good, bad);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(l);
}

static void signal_storm_udp(void)
{
	struct sockaddr_in ua, from;
	int u = bound(SOCK_DGRAM, &ua), w = socket(AF_INET, SOCK_DGRAM, 0), twice = 0, lost = 0;

	recv_timeout(u, 1000);
	/* Where the kernel tears notified calls (before 5.19), a call must be done between two signals, on a busy machine, too. */
	alarm_after(1000, 1000, SA_RESTART);
	for (int i = 0, want = 0; i < 5000; i++, ++*steps) {
		socklen_t len = sizeof(from);
		int got = -1, torn = 0;
		long n;

		sendto(w, &i, sizeof(i), 0, sa(&ua), sizeof(ua));
		do
			n = recvfrom(u, &got, sizeof(got), 0, sa(&from), &len);
		while (n < 0 && errno == EINTR && ++torn < 1000);
		if (n < 0)
			got = want;
		twice += got < want;
		lost += got > want || n < 0;
		want = got + 1;
	}
	alarm_off();
	say("twice=%d lost=%d", twice, lost);
	close(u);
	close(w);
}

static void lowest_descriptor(void)
{
	int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0), c;

	close(a);
	c = socket(AF_INET, SOCK_STREAM, 0);
	say("reused=%d next=%d", c == a, b == a + 1);
	close(b);
	close(c);
}

static void table_full(void)
{
	struct sockaddr_in a;
	int l = listener(&a), fd = socket(AF_INET, SOCK_STREAM, 0), top, s;
	struct pollfd p = { .fd = l, .events = POLLIN };

	connect(fd, sa(&a), sizeof(a));
	do
		top = dup(0);
	while (top >= 0 && top < 250);
	while ((s = dup(0)) >= 0)
		;
	result("socket", socket(AF_INET, SOCK_STREAM, 0));
	result("accept", accept(l, NULL, NULL));
	for (s = fd + 1; s < 1024; s++)
		close(s);
	say("still=%d", poll(&p, 1, 100));
	s = accept(l, NULL, NULL);
	ok("then", s);
	close(s);
	close(fd);
	close(l);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*fn)(void);
} cases[] = {
	{ "fresh-stream", fresh_stream },
	{ "fresh-stream-poll", fresh_stream_poll },
	{ "fresh-stream-octets", fresh_stream_octets },
	{ "fresh-stream-shared", fresh_stream_shared },
	{ "options-of-kind", options_of_kind },
	{ "descriptor-flags", descriptor_flags },
	{ "bad-addresses", bad_addresses },
	{ "refused-nonblocking", refused_nonblocking },
	{ "refused-blocking", refused_blocking },
	{ "reconnect-after-failure", reconnect_after_failure },
	{ "bind-after-failure", bind_after_failure },
	{ "receive-fault", receive_fault },
	{ "connect-nonblocking", connect_nonblocking },
	{ "connected", connected },
	{ "half-close", half_close },
	{ "names-after-both-shut", names_after_both_shut },
	{ "reset-by-peer", reset_by_peer },
	{ "write-after-reset", write_after_reset },
	{ "control-cut", control_cut },
	{ "reset-behind-end", reset_behind_end },
	{ "close-with-unread", close_with_unread },
	{ "data-then-reset", data_then_reset },
	{ "data-then-close", data_then_close },
	{ "held-by-child", held_by_child },
	{ "urgent", urgent },
	{ "receive-timeout", receive_timeout },
	{ "timeout-and-signals", timeout_and_signals },
	{ "back-pressure", back_pressure },
	{ "send-file-and-splice", send_file_and_splice },
	{ "stamp-ioctl", stamp_ioctl },
	{ "messages-on-streams", messages_on_streams },
	{ "order", order },
	{ "tcp-information", tcp_information },
	{ "segments", segments },
	{ "accepting", accepting },
	{ "accept-timeout", accept_timeout },
	{ "accept-many", accept_many },
	{ "accept-edge-triggered", accept_edge_triggered },
	{ "accept-and-signals", accept_and_signals },
	{ "accept-woken-by-shutdown", accept_woken_by_shutdown },
	{ "backlog", backlog },
	{ "datagrams", datagrams },
	{ "datagram-sources", datagram_sources },
	{ "datagram-waiting", datagram_waiting },
	{ "many-messages", many_messages },
	{ "datagram-truncated", datagram_truncated },
	{ "datagram-refused", datagram_refused },
	{ "datagram-refused-native", datagram_refused_native },
	{ "datagram-refused-events", datagram_refused_events },
	{ "datagram-refused-waiting", datagram_refused_waiting },
	{ "datagram-error-queue", datagram_error_queue },
	{ "datagram-error-octets", datagram_error_octets },
	{ "datagram-closed", datagram_closed },
	{ "datagram-path-closed", datagram_path_closed },
	{ "datagram-refused-polled", datagram_refused_polled },
	{ "datagram-refused-behind-data", datagram_refused_behind_data },
	{ "datagram-length", datagram_length },
	{ "datagram-empty-sources", datagram_empty_sources },
	{ "many-messages-waiting", many_messages_waiting },
	{ "datagram-shutdown", datagram_shutdown },
	{ "passed-descriptor", passed_descriptor },
	{ "through-exec", through_exec },
	{ "closed-by-exec", closed_by_exec },
	{ "empty-path", empty_path },
	{ "killed-holder", killed_holder },
	{ "threads", threads },
	{ "edge-triggered", edge_triggered },
	{ "select", select_works },
	{ "read-and-signal", read_and_signal },
	{ "signal-storm-tcp", signal_storm_tcp },
	{ "signal-storm-udp", signal_storm_udp },
	{ "lowest-descriptor", lowest_descriptor },
	{ "table-full", table_full },
};

static bool wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

/* Where a process is that hangs: does it still get on, and what does it wait for? */
static void tell_hang(const char *name, pid_t pid)
{
	static const char *const files[] = { "syscall", "wchan" };
	long before = *steps;

	usleep(500000);
	printf("%s: HANGS, at step %ld, half a second before at %ld;", name, *steps, before);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[40], text[200] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_RDONLY);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
			say("%s %.*s", files[i], (int)strcspn(text, "\n"), text);
		close(fd);
	}
	putchar('\n');
}

/* Each case in a process of its own, so that one that hangs or dies costs its line only. */
static void run_case(size_t i)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	*steps = 0;
	pid = fork();
	if (!pid) {
		printf("%s:", cases[i].name);
		cases[i].fn();
		putchar('\n');
		fflush(stdout);
		_exit(0);
	}
	for (int ms = 0; waitpid(pid, &status, WNOHANG) == 0; ms += 5) {
		if (ms > 10000) {
			tell_hang(cases[i].name, pid);
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return;
		}
		usleep(5000);
	}
	if (WIFSIGNALED(status))
		printf("%s: %s\n", cases[i].name, strsignal(WTERMSIG(status)));
}

int main(int argc, char **argv)
{
	steps = mmap(NULL, sizeof(*steps), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (steps == MAP_FAILED)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (wanted(cases[i].name, argc, argv))
			run_case(i);
	return 0;
}
