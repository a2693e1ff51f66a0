/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin.c - libweir-packetdrill.so: packetdrill's interface to a stack, over a weir instance in virtual time
 *
 * The tool closes what is open at its end without asking, so each descriptor of the instance has a number that is one of the process, too:
 * a place holder (O_PATH), which nothing can be done with but closing it. Other numbers are files of the host that the tool opened
 * itself.
 */
#include "drill/plugin/packetdrill_interface.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drill/plugin/driver.h"

#define HOST_FD  (1 << 20) /* the world's numbers of the host's files begin here */
#define MAX_FDS  4096
#define MAX_POLL 1024

struct plugin {
	struct driver *driver;
	pthread_mutex_t lock; /* guards the table */
	int world[MAX_FDS];   /* descriptors of the instance, by place holder, plus 1; 0: none */
};

static int table_get(struct plugin *p, int fd)
{
	int world;

	pthread_mutex_lock(&p->lock);
	world = p->world[fd] - 1;
	pthread_mutex_unlock(&p->lock);
	return world;
}

static void table_set(struct plugin *p, int fd, int world)
{
	pthread_mutex_lock(&p->lock);
	p->world[fd] = world + 1;
	pthread_mutex_unlock(&p->lock);
}

static unsigned long world_fd(struct plugin *p, int fd)
{
	int world = fd >= 0 && fd < MAX_FDS ? table_get(p, fd) : -1;

	if (fd >= 0 && world < 0)
		world = fd + HOST_FD;
	return (unsigned long)world;
}

static long returned(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

/* A number for what a call returned. */
static long returned_fd(struct plugin *p, long r)
{
	unsigned long arg[6] = { (unsigned long)r };
	int fd;

	if (r < 0)
		return returned(r);
	fd = open("/", O_PATH | O_CLOEXEC);
	if (fd >= 0 && fd < MAX_FDS) {
		table_set(p, fd, (int)r);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	driver_sys(p->driver, DRILL_SYS_CLOSE, arg);
	return returned(-EMFILE);
}

#define W(x)         ((unsigned long)(x)) /* a word of arguments */
#define DRIVER(user) (((struct plugin *)(user))->driver)
#define SYS(nr, ...)                                                                               \
	driver_sys(DRIVER(user), DRILL_SYS_##nr, (const unsigned long[6]){ __VA_ARGS__ })
#define SYS_FD(nr, fd, ...) returned(SYS(nr, world_fd(user, fd), __VA_ARGS__))

/* ---- sockets --------------------------------------------------------------------------------------------- */

static int plugin_socket(void *user, int domain, int type, int protocol)
{
	return (int)returned_fd(user, SYS(SOCKET, W(domain), W(type), W(protocol)));
}

static int plugin_bind(void *user, int fd, const struct sockaddr *addr, socklen_t len)
{
	return (int)SYS_FD(BIND, fd, W(addr), len);
}

static int plugin_listen(void *user, int fd, int backlog)
{
	return (int)SYS_FD(LISTEN, fd, W(backlog));
}

static int plugin_accept(void *user, int fd, struct sockaddr *addr, socklen_t *len)
{
	return (int)returned_fd(user, SYS(ACCEPT, world_fd(user, fd), W(addr), W(len)));
}

static int plugin_connect(void *user, int fd, const struct sockaddr *addr, socklen_t len)
{
	return (int)SYS_FD(CONNECT, fd, W(addr), len);
}

static ssize_t plugin_read(void *user, int fd, void *buf, size_t n)
{
	return SYS_FD(READ, fd, W(buf), n);
}

static ssize_t plugin_readv(void *user, int fd, const struct iovec *iov, int n)
{
	return SYS_FD(READV, fd, W(iov), W(n));
}

static ssize_t plugin_recv(void *user, int fd, void *buf, size_t n, int flags)
{
	return SYS_FD(RECV, fd, W(buf), n, W(flags));
}

static ssize_t plugin_recvfrom(void *user, int fd, void *buf, size_t n, int flags,
			       struct sockaddr *addr, socklen_t *len)
{
	return SYS_FD(RECVFROM, fd, W(buf), n, W(flags), W(addr), W(len));
}

static ssize_t plugin_recvmsg(void *user, int fd, struct msghdr *msg, int flags)
{
	return SYS_FD(RECVMSG, fd, W(msg), W(flags));
}

static ssize_t plugin_write(void *user, int fd, const void *buf, size_t n)
{
	return SYS_FD(WRITE, fd, W(buf), n);
}

static ssize_t plugin_writev(void *user, int fd, const struct iovec *iov, int n)
{
	return SYS_FD(WRITEV, fd, W(iov), W(n));
}

static ssize_t plugin_send(void *user, int fd, const void *buf, size_t n, int flags)
{
	return SYS_FD(SEND, fd, W(buf), n, W(flags));
}

static ssize_t plugin_sendto(void *user, int fd, const void *buf, size_t n, int flags,
			     const struct sockaddr *addr, socklen_t len)
{
	return SYS_FD(SENDTO, fd, W(buf), n, W(flags), W(addr), len);
}

static ssize_t plugin_sendmsg(void *user, int fd, const struct msghdr *msg, int flags)
{
	return SYS_FD(SENDMSG, fd, W(msg), W(flags));
}

static int plugin_shutdown(void *user, int fd, int how)
{
	return (int)SYS_FD(SHUTDOWN, fd, W(how));
}

static int plugin_getsockopt(void *user, int fd, int level, int name, void *val, socklen_t *len)
{
	return (int)SYS_FD(GETSOCKOPT, fd, W(level), W(name), W(val), W(len));
}

static int plugin_setsockopt(void *user, int fd, int level, int name, const void *val,
			     socklen_t len)
{
	return (int)SYS_FD(SETSOCKOPT, fd, W(level), W(name), W(val), len);
}

/* ---- descriptors ----------------------------------------------------------------------------------------- */

static unsigned long last_argument(va_list ap)
{
	return va_arg(ap, unsigned long);
}

static int plugin_fcntl(void *user, int fd, int cmd, ...)
{
	bool is_dup = cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC;
	unsigned long arg;
	va_list ap;
	long r;

	va_start(ap, cmd);
	arg = last_argument(ap);
	va_end(ap);
	if (world_fd(user, fd) >= HOST_FD && fd >= 0)
		return fcntl(fd, cmd, arg);
	if (is_dup) /* the number is the host's choice, as is that of every other descriptor */
		arg = 0;
	r = SYS(FCNTL, world_fd(user, fd), W(cmd), arg);
	return (int)(is_dup ? returned_fd(user, r) : returned(r));
}

static int plugin_ioctl(void *user, int fd, unsigned long cmd, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, cmd);
	arg = last_argument(ap);
	va_end(ap);
	return (int)SYS_FD(IOCTL, fd, cmd, arg);
}

static int plugin_close(void *user, int fd)
{
	struct plugin *p = user;
	unsigned long world = world_fd(p, fd);

	if (fd >= 0 && fd < MAX_FDS && table_get(p, fd) >= 0) {
		table_set(p, fd, -1);
		close(fd);
	}
	return (int)returned(SYS(CLOSE, world));
}

static int plugin_pipe(void *user, int fds[2])
{
	int world[2];
	long r = SYS(PIPE, W(world));

	if (r)
		return (int)returned(r);
	fds[0] = (int)returned_fd(user, world[0]);
	if (fds[0] >= 0) {
		fds[1] = (int)returned_fd(user, world[1]);
		if (fds[1] >= 0)
			return 0;
		plugin_close(user, fds[0]);
	} else {
		SYS(CLOSE, W(world[1]));
	}
	return (int)returned(-EMFILE);
}

static int plugin_poll(void *user, struct pollfd *fds, nfds_t n, int timeout)
{
	struct pollfd world[MAX_POLL];
	long r;

	if (n > MAX_POLL)
		return (int)returned(-EINVAL);
	for (nfds_t i = 0; i < n; i++) {
		world[i] = fds[i];
		world[i].fd = (int)world_fd(user, fds[i].fd);
	}
	r = SYS(POLL, W(world), n, W(timeout));
	for (nfds_t i = 0; i < n; i++)
		fds[i].revents = world[i].revents;
	return (int)returned(r);
}

static int plugin_epoll_create(void *user, int size)
{
	return (int)returned_fd(user, SYS(EPOLL_CREATE, W(size)));
}

static int plugin_epoll_ctl(void *user, int epfd, int op, int fd, struct epoll_event *ev)
{
	return (int)SYS_FD(EPOLL_CTL, epfd, W(op), world_fd(user, fd), W(ev));
}

static int plugin_epoll_wait(void *user, int epfd, struct epoll_event *evs, int max, int timeout)
{
	return (int)SYS_FD(EPOLL_WAIT, epfd, W(evs), W(max), W(timeout));
}

static int plugin_splice(void *user, int in, loff_t *in_off, int out, loff_t *out_off, size_t n,
			 unsigned flags)
{
	return (int)SYS_FD(SPLICE, in, W(in_off), world_fd(user, out), W(out_off), n, flags);
}

/* ---- the cable and the clock ----------------------------------------------------------------------------- */

static int plugin_netdev_send(void *user, const void *packet, size_t len)
{
	return (int)returned(driver_send(DRIVER(user), packet, len));
}

static int plugin_netdev_receive(void *user, void *buf, size_t *len, long long *usec)
{
	uint64_t time = 0;
	ssize_t n = driver_receive(DRIVER(user), buf, *len, &time);

	*len = n > 0 ? (size_t)n : 0;
	*usec = (long long)(time / 1000);
	return returned(n) < 0 ? -1 : 0;
}

static int plugin_usleep(void *user, useconds_t usec)
{
	driver_sleep(DRIVER(user), usec * 1000ULL);
	return 0;
}

static int plugin_gettimeofday(void *user, struct timeval *tv, struct timezone *tz)
{
	uint64_t ns = driver_time(DRIVER(user));

	if (tv) {
		tv->tv_sec = (time_t)(ns / 1000000000);
		tv->tv_usec = (suseconds_t)(ns / 1000 % 1000000);
	}
	if (tz)
		memset(tz, 0, sizeof(*tz));
	return 0;
}

/* The tool may have closed it, and the number be another file's now. */
static bool is_place_holder(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_PATH;
}

static void plugin_free(void *user)
{
	struct plugin *p = user;

	driver_destroy(p->driver);
	for (int fd = 0; fd < MAX_FDS; fd++)
		if (p->world[fd] && is_place_holder(fd))
			close(fd);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static const struct packetdrill_interface plugin = {
	.free = plugin_free,
	.socket = plugin_socket,
	.bind = plugin_bind,
	.listen = plugin_listen,
	.accept = plugin_accept,
	.connect = plugin_connect,
	.read = plugin_read,
	.readv = plugin_readv,
	.recv = plugin_recv,
	.recvfrom = plugin_recvfrom,
	.recvmsg = plugin_recvmsg,
	.write = plugin_write,
	.writev = plugin_writev,
	.send = plugin_send,
	.sendto = plugin_sendto,
	.sendmsg = plugin_sendmsg,
	.fcntl = plugin_fcntl,
	.ioctl = plugin_ioctl,
	.close = plugin_close,
	.shutdown = plugin_shutdown,
	.getsockopt = plugin_getsockopt,
	.setsockopt = plugin_setsockopt,
	.poll = plugin_poll,
	.netdev_send = plugin_netdev_send,
	.netdev_receive = plugin_netdev_receive,
	.usleep = plugin_usleep,
	.gettimeofday = plugin_gettimeofday,
	.epoll_create = plugin_epoll_create,
	.epoll_ctl = plugin_epoll_ctl,
	.epoll_wait = plugin_epoll_wait,
	.pipe = plugin_pipe,
	.splice = plugin_splice,
};

__attribute__((visibility("default"))) void
packetdrill_interface_init(const char *flags, struct packetdrill_interface *ifc)
{
	char error[512] = "no memory";
	struct plugin *p = calloc(1, sizeof(*p));

	if (p)
		p->driver = driver_create(flags, error, sizeof(error));
	if (!p || !p->driver) {
		fprintf(stderr, "libweir-packetdrill: %s\n", error);
		exit(EXIT_FAILURE);
	}
	pthread_mutex_init(&p->lock, NULL);
	*ifc = plugin;
	ifc->user = p;
}
