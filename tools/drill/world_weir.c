/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world_weir.c - the world of a script: a weir instance in virtual time
 *
 * Theory of operation
 *   A machine with a virtual clock, one net, and a weir_dev whose cable ends here. Its threads pass a baton (weir_thread_start()), and time
 *   moves only when all sleep: the script's thread in wait(), the cable's in weir_dev_output(), blocked calls in theirs. wait() sleeps
 *   in a poll on a pipe that poke() writes to; it always lets one nanosecond pass, so that everybody who can run now has run.
 *   Descriptors are a weir_files table's; those of files of the host, which open() gives, lie above HOST_FD.
 *   Commands run with the runner's machinery (run/), attached to the net, while the clock stands still; the frequent ones are done
 *   here, by the same doors (shell.c).
 */
#include "drill/world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <weir/crypto.h>
#include <weir/weir.h>

#include "drill/shell.h"
#include "lab/lab_net.h"
#include "run/run.h"
#include "see/pcapng.h"

#define HOST_FD (1 << 20)
#define MAX_FDS 4096
#define MAX_WAIT                                                                                   \
	(86400ULL * 1000000000ULL) /* a stack that has nothing to do would sleep for ever */
#define MAX_POLL  1024
#define DEV_QUEUE 4096

struct weir_world {
	struct drill_world world;
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_dev *dev;
	struct weir_files *files;
	struct weir_file *pipe[2]; /* poke */
	struct run_attach *attach; /* NULL until a command needs it */
	struct pcapng *capture;
};

static struct weir_world *weir_world(struct drill_world *w)
{
	return (struct weir_world *)w;
}

/* ---- system calls ---------------------------------------------------------------------------------------- */

/* An own reference to a file, to be given back with weir_close(). */
static struct weir_file *file_of(struct weir_world *w, unsigned long fd)
{
	return weir_fd_file(w->files, (int)fd);
}

static long install(struct weir_world *w, struct weir_file *f, int err, int flags)
{
	int fd;

	if (err)
		return err;
	fd = weir_fd_install(w->files, f, flags);
	if (fd < 0)
		weir_close(f);
	return fd;
}

static long sys_socketcall(struct weir_world *w, int call, const unsigned long a[6])
{
	return weir_socketcall(w->files, call, a);
}

static long sys_close(struct weir_world *w, const unsigned long a[6])
{
	if ((int)a[0] >= HOST_FD)
		return close((int)a[0] - HOST_FD) ? -errno : 0;
	return weir_fd_close(w->files, (int)a[0]);
}

static long sys_dup(struct weir_world *w, const unsigned long a[6])
{
	return weir_fd_dup(w->files, (int)a[0]);
}

static long sys_dup2(struct weir_world *w, const unsigned long a[6])
{
	return weir_fd_dup2(w->files, (int)a[0], (int)a[1]);
}

static long sys_dup3(struct weir_world *w, const unsigned long a[6])
{
	return weir_fd_dup3(w->files, (int)a[0], (int)a[1], (int)a[2]);
}

static uint64_t timeout_ns(unsigned long ms)
{
	return (int)ms < 0 ? WEIR_FOREVER : (uint64_t)(int)ms * 1000000;
}

static long epoll_new(struct weir_world *w, int flags)
{
	struct weir_file *f;
	int err = weir_epoll_create(w->m, &f);

	return install(w, f, err, flags);
}

static long sys_epoll_create(struct weir_world *w, const unsigned long a[6])
{
	return (int)a[0] > 0 ? epoll_new(w, 0) : -EINVAL;
}

static long sys_epoll_create1(struct weir_world *w, const unsigned long a[6])
{
	return epoll_new(w, a[0] & SOCK_CLOEXEC);
}

static long sys_epoll_ctl(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *ep = file_of(w, a[0]), *f = file_of(w, a[2]);
	long r = -EBADF;

	if (ep && f)
		r = weir_epoll_ctl(ep, (int)a[1], f, (struct epoll_event *)a[3]);
	weir_close(f);
	weir_close(ep);
	return r;
}

static long sys_epoll_wait(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *ep = file_of(w, a[0]);
	long r = -EBADF;

	if (ep)
		r = weir_epoll_wait(ep, (struct epoll_event *)a[1], (int)a[2], timeout_ns(a[3]));
	weir_close(ep);
	return r;
}

static long sys_fcntl(struct weir_world *w, const unsigned long a[6])
{
	return weir_fd_fcntl(w->files, (int)a[0], (int)a[1], (int)a[2]);
}

static long sys_ioctl(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *f = file_of(w, a[0]);
	long r = f ? weir_ioctl(f, a[1], (void *)a[2]) : -EBADF;

	weir_close(f);
	return r;
}

static long sys_open(struct weir_world *w, const unsigned long a[6])
{
	int fd = open((const char *)a[0], (int)a[1] | O_CLOEXEC, (mode_t)a[2]);

	return fd < 0 ? -errno : HOST_FD + fd;
}

static long pipe_new(struct weir_world *w, int *fds, int flags)
{
	struct weir_file *f[2];
	int err = weir_pipe(w->m, f, flags & SOCK_NONBLOCK);

	if (err)
		return err;
	for (int i = 0; i < 2; i++) {
		long fd = install(w, f[i], 0, flags & SOCK_CLOEXEC);

		if (fd < 0) {
			if (i)
				weir_fd_close(w->files, fds[0]);
			else
				weir_close(f[1]);
			return fd;
		}
		fds[i] = (int)fd;
	}
	return 0;
}

static long sys_pipe(struct weir_world *w, const unsigned long a[6])
{
	return pipe_new(w, (int *)a[0], 0);
}

static long sys_pipe2(struct weir_world *w, const unsigned long a[6])
{
	return pipe_new(w, (int *)a[0], (int)a[1]);
}

static long sys_poll(struct weir_world *w, const unsigned long a[6])
{
	struct pollfd *p = (struct pollfd *)a[0];
	struct weir_pollfd fds[MAX_POLL];
	size_t n = a[1], bad = 0;
	long r;

	if (n > MAX_POLL)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		fds[i] = (struct weir_pollfd){ .events = p[i].events };
		if (p[i].fd < 0)
			continue;
		fds[i].file = file_of(w, (unsigned long)p[i].fd);
		bad += !fds[i].file;
	}
	r = weir_poll(w->m, fds, (unsigned)n, bad ? 0 : timeout_ns(a[2]));
	for (size_t i = 0; i < n; i++) {
		bool missing = p[i].fd >= 0 && !fds[i].file;

		p[i].revents = missing ? POLLNVAL : fds[i].revents;
		weir_close(fds[i].file);
	}
	return r < 0 ? r : r + (long)bad;
}

static long sys_read(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *f;
	long r;

	if ((int)a[0] >= HOST_FD) {
		r = read((int)a[0] - HOST_FD, (void *)a[1], a[2]);
		return r < 0 ? -errno : r;
	}
	f = file_of(w, a[0]);
	r = f ? weir_read(f, (void *)a[1], a[2]) : -EBADF;
	weir_close(f);
	return r;
}

static long sys_write(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *f;
	long r;

	if ((int)a[0] >= HOST_FD) {
		r = write((int)a[0] - HOST_FD, (const void *)a[1], a[2]);
		return r < 0 ? -errno : r;
	}
	f = file_of(w, a[0]);
	r = f ? weir_write(f, (const void *)a[1], a[2]) : -EBADF;
	weir_close(f);
	return r;
}

static long sys_readv(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *f = file_of(w, a[0]);
	long r = f ? weir_readv(f, (const struct iovec *)a[1], (int)a[2]) : -EBADF;

	weir_close(f);
	return r;
}

static long sys_writev(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *f = file_of(w, a[0]);
	long r = f ? weir_writev(f, (const struct iovec *)a[1], (int)a[2]) : -EBADF;

	weir_close(f);
	return r;
}

static long sys_sendfile(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *out = file_of(w, a[0]);
	long r = -EBADF;

	if (out && (int)a[1] >= HOST_FD)
		r = weir_sendfile(out, (int)a[1] - HOST_FD, (off_t *)a[2], a[3]);
	else if (out && (int)a[1] >= 0)
		r = -EINVAL; /* sockets and pipes are not files that can be mapped */
	weir_close(out);
	return r;
}

static long sys_splice(struct weir_world *w, const unsigned long a[6])
{
	struct weir_file *in = file_of(w, a[0]), *out = file_of(w, a[2]);
	long r = -EBADF;

	if (in && out)
		r = a[1] || a[3] ? -ESPIPE : weir_splice(in, out, a[4], (unsigned)a[5]);
	weir_close(in);
	weir_close(out);
	return r;
}

/*
 * Either a function or a number of socketcall(2). @buffer: argument 1 points to as many octets as argument 2 says. The library takes
 * pointers for what they are; a kernel looks whether they lead anywhere.
 */
static const struct weir_sys {
	long (*fn)(struct weir_world *w, const unsigned long a[6]);
	int socketcall;
	bool buffer;
} weir_sys[DRILL_NR_SYS] = {
	[DRILL_SYS_ACCEPT] = { .socketcall = SYS_ACCEPT },
	[DRILL_SYS_ACCEPT4] = { .socketcall = SYS_ACCEPT4 },
	[DRILL_SYS_BIND] = { .socketcall = SYS_BIND },
	[DRILL_SYS_CLOSE] = { sys_close },
	[DRILL_SYS_CONNECT] = { .socketcall = SYS_CONNECT },
	[DRILL_SYS_DUP] = { sys_dup },
	[DRILL_SYS_DUP2] = { sys_dup2 },
	[DRILL_SYS_DUP3] = { sys_dup3 },
	[DRILL_SYS_EPOLL_CREATE] = { sys_epoll_create },
	[DRILL_SYS_EPOLL_CREATE1] = { sys_epoll_create1 },
	[DRILL_SYS_EPOLL_CTL] = { sys_epoll_ctl },
	[DRILL_SYS_EPOLL_WAIT] = { sys_epoll_wait },
	[DRILL_SYS_FCNTL] = { sys_fcntl },
	[DRILL_SYS_GETPEERNAME] = { .socketcall = SYS_GETPEERNAME },
	[DRILL_SYS_GETSOCKNAME] = { .socketcall = SYS_GETSOCKNAME },
	[DRILL_SYS_GETSOCKOPT] = { .socketcall = SYS_GETSOCKOPT },
	[DRILL_SYS_IOCTL] = { sys_ioctl },
	[DRILL_SYS_LISTEN] = { .socketcall = SYS_LISTEN },
	[DRILL_SYS_OPEN] = { sys_open },
	[DRILL_SYS_PIPE] = { sys_pipe },
	[DRILL_SYS_PIPE2] = { sys_pipe2 },
	[DRILL_SYS_POLL] = { sys_poll },
	[DRILL_SYS_READ] = { sys_read, 0, true },
	[DRILL_SYS_READV] = { sys_readv },
	[DRILL_SYS_RECV] = { NULL, SYS_RECV, true },
	[DRILL_SYS_RECVFROM] = { NULL, SYS_RECVFROM, true },
	[DRILL_SYS_RECVMMSG] = { .socketcall = SYS_RECVMMSG },
	[DRILL_SYS_RECVMSG] = { .socketcall = SYS_RECVMSG },
	[DRILL_SYS_SEND] = { NULL, SYS_SEND, true },
	[DRILL_SYS_SENDFILE] = { sys_sendfile },
	[DRILL_SYS_SENDMMSG] = { .socketcall = SYS_SENDMMSG },
	[DRILL_SYS_SENDMSG] = { .socketcall = SYS_SENDMSG },
	[DRILL_SYS_SENDTO] = { NULL, SYS_SENDTO, true },
	[DRILL_SYS_SETSOCKOPT] = { .socketcall = SYS_SETSOCKOPT },
	[DRILL_SYS_SHUTDOWN] = { .socketcall = SYS_SHUTDOWN },
	[DRILL_SYS_SOCKET] = { .socketcall = SYS_SOCKET },
	[DRILL_SYS_SOCKETPAIR] = { .socketcall = SYS_SOCKETPAIR },
	[DRILL_SYS_SPLICE] = { sys_splice },
	[DRILL_SYS_WRITE] = { sys_write, 0, true },
	[DRILL_SYS_WRITEV] = { sys_writev },
};

static long world_sys(struct drill_world *world, enum drill_sys nr, const unsigned long arg[6])
{
	const struct weir_sys *s = &weir_sys[nr];
	struct weir_world *w = weir_world(world);

	if (s->buffer && !arg[1] && arg[2])
		return -EFAULT;
	return s->fn ? s->fn(w, arg) : sys_socketcall(w, s->socketcall, arg);
}

/* ---- time and threads ------------------------------------------------------------------------------------ */

static uint64_t world_now(struct drill_world *w)
{
	return weir_now(weir_world(w)->m);
}

static uint64_t world_realtime(struct drill_world *w)
{
	return weir_realtime(weir_world(w)->m);
}

static void world_poke(struct drill_world *w)
{
	/* A full pipe has enough in it. */
	weir_write(weir_world(w)->pipe[1], "", 1);
}

static void world_wait(struct drill_world *world, uint64_t until)
{
	struct weir_world *w = weir_world(world);
	struct weir_pollfd p = { .file = w->pipe[0], .events = POLLIN };
	uint64_t now = weir_now(w->m), ns = until > now ? until - now : 1;
	char junk[64];

	if (weir_poll(w->m, &p, 1, ns < MAX_WAIT ? ns : MAX_WAIT) > 0)
		weir_read(w->pipe[0], junk, sizeof(junk));
	weir_sleep(w->m, 1);
}

static void *world_thread_start(struct drill_world *w, void (*fn)(void *arg), void *arg)
{
	return weir_thread_start(weir_world(w)->m, "drill", fn, arg);
}

static void world_thread_join(struct drill_world *w, void *thread)
{
	weir_thread_join(thread);
}

/* ---- the cable ------------------------------------------------------------------------------------------- */

static int world_send(struct drill_world *w, const void *packet, size_t len, unsigned gso_size)
{
	struct weir_dev *dev = weir_world(w)->dev;

	return gso_size ? weir_dev_input_merged(dev, packet, len, gso_size)
			: weir_dev_input(dev, packet, len);
}

static ssize_t world_receive(struct drill_world *world, void *buf, size_t size, uint64_t *ret_time)
{
	struct weir_world *w = weir_world(world);
	ssize_t n;

	do
		n = weir_dev_output(w->dev, buf, size, WEIR_FOREVER);
	while (n == -EAGAIN || n == -EMSGSIZE);
	*ret_time = weir_now(w->m);
	return n;
}

/* Removes the device: receive() ends. */
static void world_unplug(struct drill_world *world)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
		struct rtattr attr;
		char name[sizeof(DRILL_DEVICE)];
	} q = {
		.nlh = { .nlmsg_len = sizeof(q),
			 .nlmsg_type = RTM_DELLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.attr = { .rta_len = RTA_LENGTH(sizeof(DRILL_DEVICE)), .rta_type = IFLA_IFNAME },
		.name = DRILL_DEVICE,
	};

	weir_netlink(weir_world(world)->net, NETLINK_ROUTE, &q.nlh, NULL, NULL, NULL, 0);
}

/* ---- commands -------------------------------------------------------------------------------------------- */

static int do_sysctl(void *net, const char *name, const char *value)
{
	return weir_sysctl(net, name, value);
}

static int do_write(void *net, const char *path, const char *text)
{
	return weir_view_write(net, path, text, strlen(text));
}

static const struct drill_shell_ops shell_ops = { .sysctl = do_sysctl, .write = do_write };

static int world_shell(struct drill_world *world, const char *command, const char *dir, char *error,
		       size_t size)
{
	struct weir_world *w = weir_world(world);
	/* Scripts are written where sh is bash ("&> file"). */
	char bash[] = "/bin/bash", posix[] = "/bin/sh", flag[] = "-c";
	char *sh = access(bash, X_OK) ? posix : bash;
	char *const argv[] = { sh, flag, (char *)(uintptr_t)command, NULL };
	int status, err = 0;

	if (drill_shell(command, dir, &shell_ops, w->net, &status))
		return status;
	if (!w->attach)
		err = run_attach_create(w->net, &w->attach, error, size);
	if (err)
		return err;
	err = run_attach_command(w->attach, argv, dir, &status);
	if (err)
		snprintf(error, size, "cannot start a shell: %s", strerror(-err));
	return err ? err : status;
}

/* ---- making and ending ----------------------------------------------------------------------------------- */

static struct lab_ip lab_ip_of(const struct drill_addr *a)
{
	struct lab_ip ip = { .family = a->family };

	memcpy(ip.octets, &a->v6, lab_ip_len(&ip));
	return ip;
}

static bool same_network(const struct lab_ip *a, const struct lab_ip *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((a->octets[i / 8] ^ b->octets[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* A route to the remote host through the gateway, as `ip route add REMOTE via GATEWAY dev tun0` makes it. */
static int add_route(struct weir_world *w, const struct drill_net_config *cfg,
		     struct net_error *err)
{
	struct lab_ip local = lab_ip_of(&cfg->local);
	struct lab_route r = { .dst = lab_ip_of(&cfg->remote), .via = lab_ip_of(&cfg->gateway) };
	struct lab_route link = { .dst = r.via };

	r.prefixlen = link.prefixlen = (uint8_t)(lab_ip_len(&r.dst) * 8);
	r.has_via = memcmp(r.via.octets, local.octets, lab_ip_len(&local)) != 0;
	strcpy(r.dev, DRILL_DEVICE);
	strcpy(link.dev, DRILL_DEVICE);
	if (r.has_via && !same_network(&local, &r.via, cfg->prefixlen)) {
		int ret = net_route_add(w->net, &link, err);

		if (ret)
			return ret;
	}
	return net_route_add(w->net, &r, err);
}

static int configure(struct weir_world *w, const struct drill_net_config *cfg,
		     struct net_error *err)
{
	/* Nothing is said on the cable but what the script is about. */
	static const char *const quiet[][2] = {
		{ "net.ipv6.conf." DRILL_DEVICE ".accept_dad", "0" },
		{ "net.ipv6.conf." DRILL_DEVICE ".router_solicitations", "0" },
		{ "net.ipv6.conf." DRILL_DEVICE ".addr_gen_mode", "1" },
	};
	struct lab_ip local = lab_ip_of(&cfg->local);
	int ret = run_net_open(w->net);

	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]) && !ret; i++)
		ret = weir_sysctl(w->net, quiet[i][0], quiet[i][1]);
	if (!ret)
		ret = net_link_set_mtu(w->net, DRILL_DEVICE, cfg->mtu, err);
	if (!ret)
		ret = net_link_up(w->net, DRILL_DEVICE, err);
	if (!ret)
		ret = net_ip_add(w->net, DRILL_DEVICE, &local, cfg->prefixlen, err);
	return ret ? ret : add_route(w, cfg, err);
}

static void world_destroy(struct drill_world *world)
{
	struct weir_world *w = weir_world(world);

	run_attach_destroy(w->attach);
	if (w->files)
		weir_files_destroy(w->files);
	for (int i = 0; i < 2; i++)
		weir_close(w->pipe[i]);
	if (w->capture)
		pcapng_close(w->capture);
	if (w->dev)
		weir_dev_destroy(w->dev);
	if (w->net)
		weir_net_destroy(w->net);
	if (w->m)
		weir_machine_destroy(w->m);
	free(w);
}

static const struct drill_world_ops weir_ops = {
	.destroy = world_destroy,
	.sys = world_sys,
	.now = world_now,
	.realtime = world_realtime,
	.poke = world_poke,
	.wait = world_wait,
	.thread_start = world_thread_start,
	.thread_join = world_thread_join,
	.send = world_send,
	.receive = world_receive,
	.unplug = world_unplug,
	.shell = world_shell,
	.virtual_time = true,
};

static int start(struct weir_world *w, const struct drill_net_config *cfg, struct net_error *err)
{
	/* 2026-01-01: time stamps of control messages and cookies have a date. */
	const struct weir_machine_config mc = { .clock = WEIR_CLOCK_VIRTUAL,
						.seeded = true,
						.seed = cfg->seed,
						.crypto = weir_crypto_openssl(),
						.start_realtime = 1767225600000000000ULL };
	int ret;

	w->m = weir_machine_create(&mc);
	w->net = w->m ? weir_net_create(w->m, "drill") : NULL;
	w->dev = w->net ? weir_dev_create(w->net, DRILL_DEVICE, WEIR_DEV_L3 | WEIR_DEV_GSO,
					  DEV_QUEUE)
			: NULL;
	if (!w->dev)
		return -errno;
	ret = weir_pipe(w->m, w->pipe, SOCK_NONBLOCK);
	if (!ret)
		ret = weir_files_create(w->net, MAX_FDS, &w->files);
	if (!ret)
		ret = configure(w, cfg, err);
	if (!ret && cfg->pcapng) {
		w->capture = pcapng_create(cfg->pcapng, NULL);
		ret = w->capture ? pcapng_watch(w->capture, w->net) : -errno;
		if (ret)
			snprintf(err->text, sizeof(err->text), "%s", cfg->pcapng);
	}
	return ret;
}

struct drill_world *drill_world_weir(const struct drill_net_config *cfg, char *error, size_t size)
{
	struct weir_world *w = calloc(1, sizeof(*w));
	struct net_error err = { "" };
	int ret;

	if (!w) {
		snprintf(error, size, "no memory");
		return NULL;
	}
	w->world.ops = &weir_ops;
	ret = start(w, cfg, &err);
	if (!ret)
		return &w->world;
	snprintf(error, size, "cannot make the instance: %s%s%s", strerror(-ret),
		 err.text[0] ? ": " : "", err.text);
	world_destroy(&w->world);
	return NULL;
}

struct weir_net *drill_world_weir_net(struct drill_world *w)
{
	return weir_world(w)->net;
}
