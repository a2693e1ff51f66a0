/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world_kernel.c - the world of a script: the kernel of this machine, behind a tun device, in real time
 *
 * Theory of operation
 *   The process moves into a network namespace of its own, which ends with it, and makes a tun device there whose other end is the
 *   cable. The device offers checksum and segmentation offload, so that big segments come whole, each behind a virtio-net header;
 *   checksums are finished here. Calls are the system's own. What blocks too long is interrupted by a signal.
 *   Times are those of reading from the device: a loaded machine makes them late, so that expectations want a greater tolerance.
 */
#include "drill/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERRUPT SIGUSR1

struct kernel_world {
	struct drill_world world;
	int tun, event, stop;
};

static struct kernel_world *kernel_world(struct drill_world *w)
{
	return (struct kernel_world *)w;
}

/* ---- system calls ---------------------------------------------------------------------------------------- */

static long sys_accept(const unsigned long a[6])
{
	return accept((int)a[0], (struct sockaddr *)a[1], (socklen_t *)a[2]);
}

static long sys_accept4(const unsigned long a[6])
{
	return accept4((int)a[0], (struct sockaddr *)a[1], (socklen_t *)a[2], (int)a[3]);
}

static long sys_bind(const unsigned long a[6])
{
	return bind((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
}

static long sys_close(const unsigned long a[6])
{
	return close((int)a[0]);
}

static long sys_connect(const unsigned long a[6])
{
	return connect((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
}

static long sys_dup(const unsigned long a[6])
{
	return dup((int)a[0]);
}

static long sys_dup2(const unsigned long a[6])
{
	return dup2((int)a[0], (int)a[1]);
}

static long sys_dup3(const unsigned long a[6])
{
	return dup3((int)a[0], (int)a[1], (int)a[2]);
}

static long sys_epoll_create(const unsigned long a[6])
{
	return epoll_create((int)a[0]);
}

static long sys_epoll_create1(const unsigned long a[6])
{
	return epoll_create1((int)a[0]);
}

static long sys_epoll_ctl(const unsigned long a[6])
{
	return epoll_ctl((int)a[0], (int)a[1], (int)a[2], (struct epoll_event *)a[3]);
}

static long sys_epoll_wait(const unsigned long a[6])
{
	return epoll_wait((int)a[0], (struct epoll_event *)a[1], (int)a[2], (int)a[3]);
}

static long sys_fcntl(const unsigned long a[6])
{
	return fcntl((int)a[0], (int)a[1], a[2]);
}

static long sys_getpeername(const unsigned long a[6])
{
	return getpeername((int)a[0], (struct sockaddr *)a[1], (socklen_t *)a[2]);
}

static long sys_getsockname(const unsigned long a[6])
{
	return getsockname((int)a[0], (struct sockaddr *)a[1], (socklen_t *)a[2]);
}

static long sys_getsockopt(const unsigned long a[6])
{
	return getsockopt((int)a[0], (int)a[1], (int)a[2], (void *)a[3], (socklen_t *)a[4]);
}

static long sys_ioctl(const unsigned long a[6])
{
	return ioctl((int)a[0], a[1], a[2]);
}

static long sys_listen(const unsigned long a[6])
{
	return listen((int)a[0], (int)a[1]);
}

static long sys_open(const unsigned long a[6])
{
	return open((const char *)a[0], (int)a[1] | O_CLOEXEC, (mode_t)a[2]);
}

static long sys_pipe(const unsigned long a[6])
{
	return pipe((int *)a[0]);
}

static long sys_pipe2(const unsigned long a[6])
{
	return pipe2((int *)a[0], (int)a[1]);
}

static long sys_poll(const unsigned long a[6])
{
	return poll((struct pollfd *)a[0], a[1], (int)a[2]);
}

static long sys_read(const unsigned long a[6])
{
	return read((int)a[0], (void *)a[1], a[2]);
}

static long sys_readv(const unsigned long a[6])
{
	return readv((int)a[0], (const struct iovec *)a[1], (int)a[2]);
}

static long sys_recv(const unsigned long a[6])
{
	return recv((int)a[0], (void *)a[1], a[2], (int)a[3]);
}

static long sys_recvfrom(const unsigned long a[6])
{
	return recvfrom((int)a[0], (void *)a[1], a[2], (int)a[3], (struct sockaddr *)a[4],
			(socklen_t *)a[5]);
}

static long sys_recvmmsg(const unsigned long a[6])
{
	return recvmmsg((int)a[0], (struct mmsghdr *)a[1], (unsigned)a[2], (int)a[3], NULL);
}

static long sys_recvmsg(const unsigned long a[6])
{
	return recvmsg((int)a[0], (struct msghdr *)a[1], (int)a[2]);
}

static long sys_send(const unsigned long a[6])
{
	return send((int)a[0], (const void *)a[1], a[2], (int)a[3]);
}

static long sys_sendfile(const unsigned long a[6])
{
	return sendfile((int)a[0], (int)a[1], (off_t *)a[2], a[3]);
}

static long sys_sendmmsg(const unsigned long a[6])
{
	return sendmmsg((int)a[0], (struct mmsghdr *)a[1], (unsigned)a[2], (int)a[3]);
}

static long sys_sendmsg(const unsigned long a[6])
{
	return sendmsg((int)a[0], (const struct msghdr *)a[1], (int)a[2]);
}

static long sys_sendto(const unsigned long a[6])
{
	return sendto((int)a[0], (const void *)a[1], a[2], (int)a[3], (const struct sockaddr *)a[4],
		      (socklen_t)a[5]);
}

static long sys_setsockopt(const unsigned long a[6])
{
	return setsockopt((int)a[0], (int)a[1], (int)a[2], (const void *)a[3], (socklen_t)a[4]);
}

static long sys_shutdown(const unsigned long a[6])
{
	return shutdown((int)a[0], (int)a[1]);
}

static long sys_socket(const unsigned long a[6])
{
	return socket((int)a[0], (int)a[1], (int)a[2]);
}

static long sys_socketpair(const unsigned long a[6])
{
	return socketpair((int)a[0], (int)a[1], (int)a[2], (int *)a[3]);
}

static long sys_splice(const unsigned long a[6])
{
	return splice((int)a[0], (off_t *)a[1], (int)a[2], (off_t *)a[3], a[4], (unsigned)a[5]);
}

static long sys_write(const unsigned long a[6])
{
	return write((int)a[0], (const void *)a[1], a[2]);
}

static long sys_writev(const unsigned long a[6])
{
	return writev((int)a[0], (const struct iovec *)a[1], (int)a[2]);
}

static long (*const sys_fn[DRILL_NR_SYS])(const unsigned long a[6]) = {
	[DRILL_SYS_ACCEPT] = sys_accept,
	[DRILL_SYS_ACCEPT4] = sys_accept4,
	[DRILL_SYS_BIND] = sys_bind,
	[DRILL_SYS_CLOSE] = sys_close,
	[DRILL_SYS_CONNECT] = sys_connect,
	[DRILL_SYS_DUP] = sys_dup,
	[DRILL_SYS_DUP2] = sys_dup2,
	[DRILL_SYS_DUP3] = sys_dup3,
	[DRILL_SYS_EPOLL_CREATE] = sys_epoll_create,
	[DRILL_SYS_EPOLL_CREATE1] = sys_epoll_create1,
	[DRILL_SYS_EPOLL_CTL] = sys_epoll_ctl,
	[DRILL_SYS_EPOLL_WAIT] = sys_epoll_wait,
	[DRILL_SYS_FCNTL] = sys_fcntl,
	[DRILL_SYS_GETPEERNAME] = sys_getpeername,
	[DRILL_SYS_GETSOCKNAME] = sys_getsockname,
	[DRILL_SYS_GETSOCKOPT] = sys_getsockopt,
	[DRILL_SYS_IOCTL] = sys_ioctl,
	[DRILL_SYS_LISTEN] = sys_listen,
	[DRILL_SYS_OPEN] = sys_open,
	[DRILL_SYS_PIPE] = sys_pipe,
	[DRILL_SYS_PIPE2] = sys_pipe2,
	[DRILL_SYS_POLL] = sys_poll,
	[DRILL_SYS_READ] = sys_read,
	[DRILL_SYS_READV] = sys_readv,
	[DRILL_SYS_RECV] = sys_recv,
	[DRILL_SYS_RECVFROM] = sys_recvfrom,
	[DRILL_SYS_RECVMMSG] = sys_recvmmsg,
	[DRILL_SYS_RECVMSG] = sys_recvmsg,
	[DRILL_SYS_SEND] = sys_send,
	[DRILL_SYS_SENDFILE] = sys_sendfile,
	[DRILL_SYS_SENDMMSG] = sys_sendmmsg,
	[DRILL_SYS_SENDMSG] = sys_sendmsg,
	[DRILL_SYS_SENDTO] = sys_sendto,
	[DRILL_SYS_SETSOCKOPT] = sys_setsockopt,
	[DRILL_SYS_SHUTDOWN] = sys_shutdown,
	[DRILL_SYS_SOCKET] = sys_socket,
	[DRILL_SYS_SOCKETPAIR] = sys_socketpair,
	[DRILL_SYS_SPLICE] = sys_splice,
	[DRILL_SYS_WRITE] = sys_write,
	[DRILL_SYS_WRITEV] = sys_writev,
};

static long world_sys(struct drill_world *w, enum drill_sys nr, const unsigned long arg[6])
{
	long r = sys_fn[nr](arg);

	return r < 0 ? -errno : r;
}

/* ---- time and threads ------------------------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t world_now(struct drill_world *w)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t world_realtime(struct drill_world *w)
{
	return clock_ns(CLOCK_REALTIME);
}

static void world_poke(struct drill_world *w)
{
	uint64_t one = 1;

	while (write(kernel_world(w)->event, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void world_wait(struct drill_world *w, uint64_t until)
{
	struct pollfd p = { .fd = kernel_world(w)->event, .events = POLLIN };
	uint64_t now = world_now(w), ns = until > now ? until - now : 0, count;
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	if (ppoll(&p, 1, &ts, NULL) > 0 && read(p.fd, &count, sizeof(count)) < 0)
		return; /* somebody else's poke */
}

struct thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->fn(t->arg);
	return NULL;
}

static void *world_thread_start(struct drill_world *w, void (*fn)(void *arg), void *arg)
{
	struct thread *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct thread){ .fn = fn, .arg = arg };
	if (!pthread_create(&t->id, NULL, thread_main, t))
		return t;
	free(t);
	return NULL;
}

static void world_thread_join(struct drill_world *w, void *thread)
{
	struct thread *t = thread;

	pthread_join(t->id, NULL);
	free(t);
}

static void world_thread_interrupt(struct drill_world *w, void *thread)
{
	const struct timespec ms = { 0, 1000000 };

	pthread_kill(((struct thread *)thread)->id, INTERRUPT);
	nanosleep(&ms,
		  NULL); /* it may have been on its way into the call: the caller tries again */
}

static void on_interrupt(int sig)
{
}

/* ---- the cable ------------------------------------------------------------------------------------------- */

static int world_send(struct drill_world *w, const void *packet, size_t len, unsigned gso_size)
{
	const uint8_t *p = packet;
	bool v6 = p[0] >> 4 == 6;
	unsigned header = (v6 ? 40u : (p[0] & 15u) * 4u);
	struct virtio_net_hdr h = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)(uintptr_t)packet, len } };

	if (gso_size) {
		header += (p[header + 12] >> 4) * 4u;
		h.gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = (uint16_t)gso_size;
		h.hdr_len = (uint16_t)header;
	}
	return writev(kernel_world(w)->tun, iov, 2) < 0 ? -errno : 0;
}

static uint16_t checksum(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint64_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint64_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static ssize_t world_receive(struct drill_world *world, void *buf, size_t size, uint64_t *ret_time)
{
	struct kernel_world *w = kernel_world(world);
	struct pollfd p[2] = { { .fd = w->tun, .events = POLLIN },
			       { .fd = w->stop, .events = POLLIN } };
	struct virtio_net_hdr h;
	struct iovec iov[2] = { { &h, sizeof(h) }, { buf, size } };
	uint8_t *octets = buf;
	ssize_t n;

	do {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[1].revents)
			return -ENODEV;
		n = readv(w->tun, iov, 2);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n < (ssize_t)sizeof(h))
		return n < 0 ? -errno : -EIO;
	*ret_time = world_now(world);
	n -= (ssize_t)sizeof(h);
	if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && h.csum_start + h.csum_offset + 2 <= n) {
		/* The field has the sum of the pseudo header. */
		uint16_t sum = checksum(octets + h.csum_start, (size_t)n - h.csum_start);

		sum = htons(sum ? sum : 0xffff);
		memcpy(octets + h.csum_start + h.csum_offset, &sum, sizeof(sum));
	}
	return n;
}

static void world_unplug(struct drill_world *w)
{
	uint64_t one = 1;

	while (write(kernel_world(w)->stop, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* ---- commands -------------------------------------------------------------------------------------------- */

static int world_shell(struct drill_world *w, const char *command, const char *dir, char *error,
		       size_t size)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (chdir(dir))
			_exit(127);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (pid < 0) {
		snprintf(error, size, "cannot start a shell: %s", strerror(errno));
		return -errno;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

/* ---- making and ending ----------------------------------------------------------------------------------- */

static void world_destroy(struct drill_world *world)
{
	struct kernel_world *w = kernel_world(world);

	if (w->tun >= 0)
		close(w->tun);
	if (w->event >= 0)
		close(w->event);
	if (w->stop >= 0)
		close(w->stop);
	free(w);
}

static const struct drill_world_ops kernel_ops = {
	.destroy = world_destroy,
	.sys = world_sys,
	.now = world_now,
	.realtime = world_realtime,
	.poke = world_poke,
	.wait = world_wait,
	.thread_start = world_thread_start,
	.thread_join = world_thread_join,
	.thread_interrupt = world_thread_interrupt,
	.send = world_send,
	.receive = world_receive,
	.unplug = world_unplug,
	.shell = world_shell,
};

static int __attribute__((format(printf, 3, 4)))
refuse(char *error, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, size, fmt, ap);
	va_end(ap);
	return -1;
}

static int open_tun(struct kernel_world *w, char *error, size_t size)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };

	w->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (w->tun < 0)
		return refuse(error, size, "/dev/net/tun: %s", strerror(errno));
	strcpy(ifr.ifr_name, DRILL_DEVICE);
	if (ioctl(w->tun, TUNSETIFF, &ifr) ||
	    ioctl(w->tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN))
		return refuse(error, size, "the tun device: %s", strerror(errno));
	return 0;
}

/* As the instance of the other world is configured. */
static int configure(struct kernel_world *w, const struct drill_net_config *cfg, char *error,
		     size_t size)
{
	char local[64], remote[64], gateway[64], command[2048];
	int status;

	inet_ntop(cfg->family, &cfg->local.v6, local, sizeof(local));
	inet_ntop(cfg->family, &cfg->remote.v6, remote, sizeof(remote));
	inet_ntop(cfg->family, &cfg->gateway.v6, gateway, sizeof(gateway));
	snprintf(command, sizeof(command),
		 "set -e; ip link set lo up; cd /proc/sys/net/ipv6/conf/%s 2>/dev/null && { echo 0 "
		 "> accept_dad; "
		 "echo 0 > router_solicitations; echo 1 > addr_gen_mode; }; cd /; "
		 "ip link set %s mtu %u up; ip addr add %s/%u dev %s; "
		 "ip route add %s dev %s 2>/dev/null || true; ip route add %s via %s dev %s",
		 DRILL_DEVICE, DRILL_DEVICE, cfg->mtu, local, cfg->prefixlen, DRILL_DEVICE, gateway,
		 DRILL_DEVICE, remote, gateway, DRILL_DEVICE);
	status = world_shell(&w->world, command, "/", error, size);
	return status ? refuse(error, size, "ip could not configure the tun device") : 0;
}

static int start(struct kernel_world *w, const struct drill_net_config *cfg, char *error,
		 size_t size)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	if (cfg->pcapng)
		return refuse(error, size, "--pcapng is of weir's world: capture on %s instead",
			      DRILL_DEVICE);
	if (unshare(CLONE_NEWNET))
		return refuse(error, size,
			      "a network namespace cannot be made (%s): --kernel needs root",
			      strerror(errno));
	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->event < 0 || w->stop < 0)
		return refuse(error, size, "eventfd: %s", strerror(errno));
	sigaction(INTERRUPT, &sa, NULL); /* without SA_RESTART */
	signal(SIGPIPE, SIG_IGN);        /* EPIPE is what a script asks about */
	prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
	return open_tun(w, error, size) || configure(w, cfg, error, size) ? -1 : 0;
}

struct drill_world *drill_world_kernel(const struct drill_net_config *cfg, char *error, size_t size)
{
	struct kernel_world *w = calloc(1, sizeof(*w));

	if (!w) {
		refuse(error, size, "no memory");
		return NULL;
	}
	w->world.ops = &kernel_ops;
	w->tun = w->event = w->stop = -1;
	if (!start(w, cfg, error, size))
		return &w->world;
	world_destroy(&w->world);
	return NULL;
}
