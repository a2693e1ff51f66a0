/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * escape.c - a program that tries to leave its instance: "escape DIRECTORY VICTIM PORT INHERITED"
 *
 * escape-test runs it under the profiles of hosts. Outside are sockets that nobody may reach: DIRECTORY/stream, DIRECTORY/datagram, the
 * abstract names weir-escape-VICTIM-stream and -datagram, a TCP listener on PORT of the host, and process VICTIM. INHERITED is the number of a
 * descriptor that a socket had. One line for each attempt: "name: refused" or "name: ESCAPED"; for what must work, "works" or "BROKEN".
 * What reached the sockets outside is counted there, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define RACE_ROUNDS  300
#define NR_TUNSETIFF 0x400454ca

static const char *dir;
static pid_t victim;
static int port, inherited;
static unsigned attempts, failed;

static void report(const char *name, bool escaped)
{
	printf("%s: %s\n", name, escaped ? "ESCAPED" : "refused");
	attempts++;
	failed += escaped;
}

static void works(const char *name, bool well)
{
	printf("%s: %s\n", name, well ? "works" : "BROKEN");
	failed += !well;
}

/* ---- sockets of the kernel ----------------------------------------------------------------------------------- */

/* The kernel names a socket's protocol; what the stack gives is an end of an AF_UNIX pair. */
static bool is_kernel_socket(int fd)
{
	char name[32] = "";

	if (fd < 0)
		return false;
	fgetxattr(fd, "system.sockprotoname", name, sizeof(name) - 1);
	close(fd);
	return strncmp(name, "UNIX", 4) != 0;
}

static void families(void)
{
	static const struct {
		const char *name;
		int domain, type, protocol;
	} kinds[] = {
		{ "tcp", AF_INET, SOCK_STREAM, 0 },
		{ "udp", AF_INET, SOCK_DGRAM, 0 },
		{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
		{ "raw", AF_INET, SOCK_RAW, IPPROTO_RAW },
		{ "sctp", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP },
		{ "mptcp", AF_INET, SOCK_STREAM, 262 },
		{ "tcp6", AF_INET6, SOCK_STREAM, 0 },
		{ "udp6", AF_INET6, SOCK_DGRAM, 0 },
		{ "packet", AF_PACKET, SOCK_RAW, 0 },
		{ "packet-old", AF_INET, SOCK_PACKET, 0 },
		{ "rtnetlink", AF_NETLINK, SOCK_RAW, 0 },
		{ "sock-diag", AF_NETLINK, SOCK_RAW, 4 },
		{ "audit", AF_NETLINK, SOCK_RAW, 9 },
		{ "connector", AF_NETLINK, SOCK_DGRAM, 11 },
		{ "uevent", AF_NETLINK, SOCK_RAW, 15 },
		{ "generic-netlink", AF_NETLINK, SOCK_RAW, 16 },
		{ "rdma-netlink", AF_NETLINK, SOCK_RAW, 20 },
		{ "vsock", 40, SOCK_STREAM, 0 },
		{ "bluetooth", 31, SOCK_RAW, 1 },
		{ "alg", 38, SOCK_SEQPACKET, 0 },
		{ "can", 29, SOCK_RAW, 1 },
		{ "tipc", 30, SOCK_SEQPACKET, 0 },
		{ "rds", 21, SOCK_SEQPACKET, 0 },
		{ "xdp", 44, SOCK_RAW, 0 },
		{ "key", 15, SOCK_RAW, 2 },
		{ "pppox", 24, SOCK_STREAM, 0 },
		{ "smc", 43, SOCK_STREAM, 0 },
		{ "qipcrtr", 42, SOCK_DGRAM, 0 },
		{ "kcm", 41, SOCK_DGRAM, 0 },
		{ "llc", 26, SOCK_DGRAM, 0 },
		{ "nfc", 39, SOCK_SEQPACKET, 0 },
		{ "mctp", 45, SOCK_DGRAM, 0 },
	};
	char name[64];
	int sv[2];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(name, sizeof(name), "socket-%s", kinds[i].name);
		report(name,
		       is_kernel_socket(socket(kinds[i].domain, kinds[i].type, kinds[i].protocol)));
	}
	report("socket-upper-half",
	       is_kernel_socket((int)syscall(SYS_socket, 0x100000002L, SOCK_STREAM, 0)));
	report("socketpair-tipc", socketpair(30, SOCK_SEQPACKET, 0, sv) == 0);
	report("socketpair-tipc-upper-half",
	       syscall(SYS_socketpair, 0x10000001eL, SOCK_SEQPACKET, 0, sv) == 0);
}

static bool kernel_socket_after(const char *how)
{
	(void)how;
	return is_kernel_socket(socket(AF_INET, SOCK_DGRAM, 0));
}

/* Runs @fn in a grandchild that has left its parent and its session. */
static bool in_daemon(bool (*fn)(const char *), const char *arg)
{
	int p[2];
	char c = '?';
	pid_t pid;

	if (pipe(p) < 0)
		return true;
	pid = fork();
	if (!pid) {
		setsid();
		if (fork())
			_exit(0);
		c = fn(arg) ? '1' : '0';
		_exit(write(p[1], &c, 1) != 1);
	}
	waitpid(pid, NULL, 0);
	close(p[1]);
	if (read(p[0], &c, 1) != 1)
		c = '?';
	close(p[0]);
	return c != '0';
}

static bool after_unshare(const char *arg)
{
	unshare(CLONE_NEWUSER | CLONE_NEWNET);
	return kernel_socket_after(arg);
}

static bool after_setns(const char *arg)
{
	int fd = (int)syscall(SYS_pidfd_open, victim, 0);

	setns(fd, CLONE_NEWNET);
	return kernel_socket_after(arg);
}

static bool after_closing_all(const char *arg)
{
	int keep = fcntl(1, F_DUPFD, 900);

	for (int i = 3; i < 900; i++) {
		char link[32], to[64];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", i);
		n = readlink(link, to, sizeof(to));
		if (n > 4 && !memcmp(to, "pipe", 4))
			continue;
		close(i);
	}
	close(keep);
	return kernel_socket_after(arg);
}

static void processes(void)
{
	report("daemon", in_daemon(kernel_socket_after, NULL));
	report("unshare", in_daemon(after_unshare, NULL));
	report("setns", in_daemon(after_setns, NULL));
	report("closed-all", in_daemon(after_closing_all, NULL));
	report("inherited-socket", fcntl(inherited, F_GETFD) >= 0 && is_kernel_socket(inherited));
}

/* ---- other ways into the kernel ------------------------------------------------------------------------------- */

static void other_calls(void)
{
	char insn[2] = { 0 };

	report("io-uring-setup", syscall(425, 1, insn) >= 0 || errno != ENOSYS);
	report("io-uring-enter", syscall(426, 0, 0, 0, 0, NULL, 0) >= 0 || errno != ENOSYS);
	report("io-uring-register", syscall(427, 0, 0, NULL, 0) >= 0 || errno != ENOSYS);
	report("bpf", syscall(SYS_bpf, 0, NULL, 0) >= 0 || errno != EPERM);
	report("request-key",
	       syscall(SYS_request_key, "dns_resolver", "a.example", "", 0) >= 0 || errno != EPERM);
	report("userfaultfd", syscall(SYS_userfaultfd, 1) >= 0 || errno != EPERM);
	report("tiocsti", ioctl(0, TIOCSTI, "x") == 0 || errno != EPERM);
	report("tioclinux", ioctl(0, TIOCLINUX, "\2") == 0 || errno != EPERM);
	report("tun", ioctl(0, NR_TUNSETIFF, insn) == 0 || errno != EPERM);
	report("tun-upper-half",
	       syscall(SYS_ioctl, 0, 0x100000000UL | NR_TUNSETIFF, insn) == 0 || errno != EPERM);
#ifdef __x86_64__
	long ret;

	/* socket(AF_INET, SOCK_STREAM, 0) by the table of 32-bit programs */
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(359L), "b"(2L), "c"(1L), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	report("int80", ret != -ENOSYS);
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(102L), "b"(1L), "c"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	report("int80-socketcall", ret != -ENOSYS);
	report("x32",
	       syscall(0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0 || errno != ENOSYS);
#endif
}

static bool opens(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void foreign_process(void)
{
	char path[96], octet = 0;
	struct iovec local = { &octet, 1 }, remote = { NULL, 1 };
	int pidfd = (int)syscall(SYS_pidfd_open, victim, 0);

	report("pidfd-getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0 || errno != EPERM);
	report("kcmp", syscall(SYS_kcmp, victim, victim, 0, 0, 0) >= 0 || errno != EPERM);
	report("ptrace-attach", ptrace(PTRACE_ATTACH, victim, NULL, NULL) == 0 || errno != EPERM);
	report("ptrace-seize", ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0 || errno != EPERM);
	report("vm-read",
	       process_vm_readv(victim, &local, 1, &remote, 1, 0) >= 0 || errno != EPERM);
	report("vm-write",
	       process_vm_writev(victim, &local, 1, &remote, 1, 0) >= 0 || errno != EPERM);
	snprintf(path, sizeof(path), "/proc/%d/mem", victim);
	report("proc-mem", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/%d/task/%d/mem", victim, victim);
	report("proc-task-mem", opens(path, O_RDONLY));
	snprintf(path, sizeof(path), "/proc/%d/../%d/mem", getpid(), victim);
	report("proc-dots-mem", opens(path, O_RDONLY));
}

/* The same file by other names: links, other ways through /proc, other calls. */
static void foreign_memory(void)
{
	char target[64], path[160];
	struct open_how how = { .flags = O_RDWR };
	int fd;

	snprintf(target, sizeof(target), "/proc/%d/mem", victim);
	snprintf(path, sizeof(path), "%s/mem-link", dir);
	symlink(target, path);
	report("mem-link", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "%s/mem-link-link", dir);
	symlink("mem-link", path);
	report("mem-link-link", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/self/root/proc/%d/mem", victim);
	report("mem-root", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/self/../thread-self/root%s/mem-link", dir);
	report("mem-root-link", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/%d/root/proc/%d/task/%d/mem", getppid(), victim,
		 victim);
	report("mem-parent-root", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "/proc/%d", victim);
	fd = open(path, O_PATH | O_DIRECTORY);
	report("mem-at", openat(fd, "mem", O_RDWR) >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/mem", fd);
	report("mem-fd", opens(path, O_RDWR));
	snprintf(path, sizeof(path), "/dev/fd/%d/mem", fd);
	report("mem-dev-fd", opens(path, O_RDWR));
	fchdir(fd);
	report("mem-cwd", opens("mem", O_RDWR));
	report("mem-cwd-root", opens("/proc/self/cwd/mem", O_RDWR));
	chdir("/");
	close(fd);
	fd = open(target, O_PATH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	report("mem-path", fd >= 0 && opens(path, O_RDWR));
	close(fd);
#ifdef SYS_creat
	report("mem-creat", syscall(SYS_creat, target, 0600) >= 0);
#endif
	report("mem-openat2", syscall(SYS_openat2, AT_FDCWD, target, &how, sizeof(how)) >= 0);
	snprintf(target, sizeof(target), "/proc/%d/mem", getpid());
	works("own-mem", opens(target, O_RDWR));
	works("own-mem-self", opens("/proc/self/mem", O_RDWR));
	snprintf(path, sizeof(path), "/proc/self/root/proc/self/task/%d/mem", getpid());
	works("own-mem-root", opens(path, O_RDWR));
}

/* ---- what the host has ------------------------------------------------------------------------------------------ */

static bool shows_port(const char *path)
{
	char line[512], want[16];
	FILE *f = fopen(path, "r");
	bool found = false;

	if (!f)
		return false;
	snprintf(want, sizeof(want), ":%04X ", port);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, want) != NULL;
	fclose(f);
	return found;
}

static void host_network(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct ifconf conf = { 0 };
	struct ifreq reqs[16];
	int fd = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_UNIX, SOCK_STREAM, 0);
	char path[64];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	report("host-loopback", connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	close(fd);
	report("proc-net-tcp", shows_port("/proc/net/tcp"));
	report("proc-self-net-tcp", shows_port("/proc/self/net/tcp"));
	report("proc-thread-net-tcp", shows_port("/proc/thread-self/net/tcp"));
	snprintf(path, sizeof(path), "/proc/%d/net/tcp", victim);
	report("proc-victim-net-tcp", shows_port(path));
	snprintf(path, sizeof(path), "/proc/%d/task/%d/net/tcp", getpid(), getpid());
	report("proc-task-net-tcp", shows_port(path));
	report("proc-dots-net-tcp", shows_port("/proc/self/../net/../self/net/tcp"));
	conf.ifc_len = sizeof(reqs);
	conf.ifc_req = reqs;
	report("interfaces-by-unix-socket",
	       ioctl(u, SIOCGIFCONF, &conf) == 0 &&
		       (conf.ifc_len != sizeof(reqs[0]) || strcmp(reqs[0].ifr_name, "lo") != 0));
	close(u);
}

/* ---- AF_UNIX ---------------------------------------------------------------------------------------------------- */

static socklen_t path_to(struct sockaddr_un *a, const char *fmt, const char *arg)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), fmt, arg);
	return sizeof(*a);
}

static socklen_t abstract(struct sockaddr_un *a, const char *kind)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   (size_t)snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1,
					    "weir-escape-%d-%s", victim, kind));
}

static bool connects(const struct sockaddr_un *a, socklen_t len, int type)
{
	int fd = socket(AF_UNIX, type, 0);
	bool done = fd >= 0 && connect(fd, (const struct sockaddr *)a, len) == 0;

	if (fd >= 0)
		close(fd);
	return done;
}

static void unix_streams(void)
{
	struct sockaddr_un a;
	socklen_t len;
	char text[160], own[128];
	int fd, d;

	len = path_to(&a, "%s/stream", dir);
	report("unix-path", connects(&a, len, SOCK_STREAM));
	report("unix-path-nonblocking", connects(&a, len, SOCK_STREAM | SOCK_NONBLOCK));
	snprintf(own, sizeof(own), "%s/own-link", dir);
	symlink("stream", own);
	len = path_to(&a, "%s/own-link", dir);
	report("unix-symbolic-link", connects(&a, len, SOCK_STREAM));
	snprintf(text, sizeof(text), "%s/stream", dir);
	snprintf(own, sizeof(own), "%s/own-hard-link", dir);
	link(text, own);
	len = path_to(&a, "%s/own-hard-link", dir);
	report("unix-hard-link", connects(&a, len, SOCK_STREAM));
	len = path_to(&a, "/proc/self/root%s/stream", dir);
	report("unix-proc-root", connects(&a, len, SOCK_STREAM));
	d = open(dir, O_RDONLY | O_DIRECTORY);
	snprintf(text, sizeof(text), "/proc/self/fd/%d/stream", d);
	len = path_to(&a, "%s", text);
	report("unix-proc-fd", connects(&a, len, SOCK_STREAM));
	fchdir(d);
	close(d);
	len = path_to(&a, "%s", "stream");
	report("unix-relative", connects(&a, len, SOCK_STREAM));
	snprintf(text, sizeof(text), "%s/stream", dir);
	d = open(text, O_PATH);
	snprintf(text, sizeof(text), "/proc/self/fd/%d", d);
	len = path_to(&a, "%s", text);
	report("unix-o-path", connects(&a, len, SOCK_STREAM));
	close(d);
	len = abstract(&a, "stream");
	report("unix-abstract", connects(&a, len, SOCK_STREAM));
	/* The name was ours once. */
	len = path_to(&a, "%s/own-once", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bind(fd, (struct sockaddr *)&a, len);
	listen(fd, 5);
	snprintf(text, sizeof(text), "%s/stream", dir);
	snprintf(own, sizeof(own), "%s/own-swapped", dir);
	link(text, own);
	rename(own, a.sun_path);
	report("unix-renamed-over-own", connects(&a, len, SOCK_STREAM));
	close(fd);
	/* A second bind of a socket that is not ours does not make it ours: it is none that we hold. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	len = path_to(&a, "%s/stream", dir);
	bind(fd, (struct sockaddr *)&a, len);
	report("unix-bound-name", connects(&a, len, SOCK_STREAM));
	close(fd);
	/* Upper half of the register: AF_UNIX by a way that the filter does not let pass. */
	fd = (int)syscall(SYS_socket, 0x100000001L, SOCK_DGRAM, 0);
	len = path_to(&a, "%s/datagram", dir);
	report("unix-upper-half",
	       fd >= 0 && sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len) == 1);
	if (fd >= 0)
		close(fd);
}

static long send_message(int fd, const struct sockaddr_un *a, socklen_t len)
{
	struct iovec iov = { (void *)(uintptr_t) "m", 1 };
	struct msghdr h = { .msg_name = (void *)(uintptr_t)a,
			    .msg_namelen = len,
			    .msg_iov = &iov,
			    .msg_iovlen = 1 };

	return sendmsg(fd, &h, MSG_NOSIGNAL);
}

static void unix_datagrams(void)
{
	struct sockaddr_un a, b;
	socklen_t len = path_to(&a, "%s/datagram", dir), blen = abstract(&b, "datagram");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), sv[2] = { -1, -1 };
	struct mmsghdr mm;
	struct iovec iov = { (void *)(uintptr_t) "n", 1 };
	char octet;

	socketpair(AF_UNIX, SOCK_DGRAM, 0, sv);
	report("datagram-connect", connects(&a, len, SOCK_DGRAM));
	report("datagram-connect-abstract", connects(&b, blen, SOCK_DGRAM));
	report("datagram-sendto", sendto(fd, "x", 1, 0, (struct sockaddr *)&a, len) == 1);
	report("datagram-sendto-abstract", sendto(fd, "x", 1, 0, (struct sockaddr *)&b, blen) == 1);
	report("datagram-sendmsg", send_message(fd, &a, len) == 1);
	report("datagram-sendmsg-abstract", send_message(fd, &b, blen) == 1);
	memset(&mm, 0, sizeof(mm));
	mm.msg_hdr = (struct msghdr){
		.msg_name = &a, .msg_namelen = len, .msg_iov = &iov, .msg_iovlen = 1
	};
	report("datagram-sendmmsg", sendmmsg(fd, &mm, 1, 0) == 1);
	/* Where such a pair ignores the address these succeed, into the pair: what gets out is counted outside. */
	report("datagram-pair-sendto", sendto(sv[0], "x", 1, 0, (struct sockaddr *)&a, len) == 1 &&
					       recv(sv[1], &octet, 1, MSG_DONTWAIT) != 1);
	report("datagram-pair-sendmsg",
	       send_message(sv[0], &a, len) == 1 && recv(sv[1], &octet, 1, MSG_DONTWAIT) != 1);
	report("datagram-raw-type", is_kernel_socket(-1) || connects(&a, len, SOCK_RAW));
	close(fd);
	close(sv[0]);
	close(sv[1]);
}

/* ---- races: another thread changes the argument --------------------------------------------------------------------- */

struct race {
	struct sockaddr_un own, host;
	struct sockaddr_un *shared;
	int fd, plain, other; /* numbers that change their meaning */
	const char *link;
	volatile int stop;
};

static void *swap_address(void *arg)
{
	struct race *r = arg;

	while (!r->stop) {
		memcpy(r->shared, &r->own, sizeof(r->own));
		memcpy(r->shared, &r->host, sizeof(r->host));
	}
	return NULL;
}

static void *swap_descriptor(void *arg)
{
	struct race *r = arg;

	while (!r->stop) {
		dup2(r->plain, r->fd);
		dup2(r->other, r->fd);
	}
	return NULL;
}

static void *swap_link(void *arg)
{
	struct race *r = arg;

	while (!r->stop) {
		unlink(r->link);
		symlink(r->own.sun_path, r->link);
		unlink(r->link);
		symlink(r->host.sun_path, r->link);
	}
	return NULL;
}

/* Whom did it reach? The listeners have different names. */
static bool reached_host(int fd, const struct race *r)
{
	struct sockaddr_un peer;
	socklen_t len = sizeof(peer);

	memset(&peer, 0, sizeof(peer));
	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
	       !strcmp(peer.sun_path, r->host.sun_path);
}

static bool race_connect(struct race *r, void *(*other)(void *), const struct sockaddr_un *to)
{
	bool escaped = false;
	pthread_t t;

	r->stop = 0;
	pthread_create(&t, NULL, other, r);
	for (int i = 0; i < RACE_ROUNDS && !escaped; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

		connect(fd, (const struct sockaddr *)to, sizeof(*to));
		escaped = reached_host(fd, r);
		close(fd);
	}
	r->stop = 1;
	pthread_join(t, NULL);
	return escaped;
}

/* The number is now an attached socket, now one of AF_UNIX; the escape would be counted outside. */
static void race_descriptor(struct race *r, bool connecting)
{
	pthread_t t;

	r->stop = 0;
	r->fd = dup(r->plain);
	pthread_create(&t, NULL, swap_descriptor, r);
	for (int i = 0; i < RACE_ROUNDS; i++)
		if (connecting)
			connect(r->fd, (struct sockaddr *)&r->host, sizeof(r->host));
		else
			send_message(r->fd, &r->host, sizeof(r->host));
	r->stop = 1;
	pthread_join(t, NULL);
	close(r->fd);
}

static void races(void)
{
	struct sockaddr_un shared, by_link;
	struct race r = { .shared = &shared };
	char link[128];
	int own = socket(AF_UNIX, SOCK_STREAM, 0), fd;

	path_to(&r.own, "%s/own-race", dir);
	path_to(&r.host, "%s/stream", dir);
	shared = r.own;
	bind(own, (struct sockaddr *)&r.own, sizeof(r.own));
	listen(own, 4096);
	report("race-address", race_connect(&r, swap_address, &shared));
	snprintf(link, sizeof(link), "%s/own-race-link", dir);
	path_to(&by_link, "%s", link);
	r.link = link;
	report("race-link", race_connect(&r, swap_link, &by_link));
	r.plain = socket(AF_INET, SOCK_STREAM, 0);
	r.other = socket(AF_UNIX, SOCK_STREAM, 0);
	race_descriptor(&r, true);
	report("race-descriptor-connect", reached_host(r.other, &r));
	close(r.other);
	r.plain = open("/dev/null", O_RDWR);
	r.other = socket(AF_UNIX, SOCK_STREAM, 0);
	race_descriptor(&r, true);
	report("race-file-connect", reached_host(r.other, &r));
	close(r.other);
	/* These are counted outside. */
	path_to(&r.host, "%s/datagram", dir);
	r.other = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (r.other < 0)
		r.other = dup(r.plain);
	race_descriptor(&r, false);
	report("race-descriptor-send", false);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd >= 0) {
		pthread_t t;

		r.stop = 0;
		pthread_create(&t, NULL, swap_address, &r);
		for (int i = 0; i < RACE_ROUNDS; i++)
			send_message(fd, &shared, sizeof(shared));
		r.stop = 1;
		pthread_join(t, NULL);
		close(fd);
	}
	report("race-name-of-message", false);
	close(own);
}

/* ---- what must work -------------------------------------------------------------------------------------------------- */

static bool own_stream(const struct sockaddr_un *a, socklen_t len)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), s;
	char octet = 0;
	bool well;

	well = bind(l, (const struct sockaddr *)a, len) == 0 && listen(l, 1) == 0 &&
	       connect(c, (const struct sockaddr *)a, len) == 0;
	s = well ? accept(l, NULL, NULL) : -1;
	well = well && s >= 0 && send(c, "y", 1, 0) == 1 && recv(s, &octet, 1, 0) == 1 &&
	       octet == 'y';
	close(l);
	close(c);
	if (s >= 0)
		close(s);
	return well;
}

/* A blocking connect waits for room in the backlog. */
static bool own_backlog(void)
{
	struct sockaddr_un a;
	socklen_t len = path_to(&a, "%s/own-backlog", dir);
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c[3];
	bool well;
	pid_t pid;

	bind(l, (struct sockaddr *)&a, len);
	listen(l, 0);
	for (int i = 0; i < 3; i++)
		c[i] = socket(AF_UNIX, SOCK_STREAM | (i == 1 ? SOCK_NONBLOCK : 0), 0);
	well = connect(c[0], (struct sockaddr *)&a, len) == 0 &&
	       connect(c[1], (struct sockaddr *)&a, len) < 0 && errno == EAGAIN;
	pid = fork();
	if (!pid) {
		usleep(50000);
		_exit(accept(l, NULL, NULL) < 0);
	}
	well = well && connect(c[2], (struct sockaddr *)&a, len) == 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 3; i++)
		close(c[i]);
	close(l);
	return well;
}

static bool pass_descriptor(void)
{
	union {
		struct cmsghdr align;
		char octets[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t) "f", 1 };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
	int sv[2], p[2], got = -1;
	char octet = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0 || pipe(p) < 0)
		return false;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &p[1], sizeof(int));
	if (sendmsg(sv[0], &h, 0) != 1)
		return false;
	memset(&control, 0, sizeof(control));
	iov.iov_base = &octet;
	h.msg_controllen = sizeof(control);
	if (recvmsg(sv[1], &h, 0) != 1 || !CMSG_FIRSTHDR(&h))
		return false;
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&h)), sizeof(int));
	return write(got, "z", 1) == 1 && read(p[0], &octet, 1) == 1 && octet == 'z';
}

/* All of a long message goes, though the reader is slow. */
static bool long_message(void)
{
	static char octets[1 << 20];
	struct iovec iov = { octets, sizeof(octets) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t got = 0;
	int sv[2];
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0)
		return false;
	pid = fork();
	if (!pid) {
		close(sv[1]);
		_exit(sendmsg(sv[0], &h, 0) != (ssize_t)sizeof(octets));
	}
	close(sv[0]);
	while ((n = read(sv[1], octets, sizeof(octets))) > 0)
		got += (size_t)n;
	close(sv[1]);
	return waitpid(pid, (int *)(void *)octets, 0) == pid && got == sizeof(octets) &&
	       *(int *)(void *)octets == 0;
}

static bool own_datagrams(void)
{
	struct sockaddr_un a;
	socklen_t len = path_to(&a, "%s/own-datagrams", dir);
	int r = socket(AF_UNIX, SOCK_DGRAM, 0), s = socket(AF_UNIX, SOCK_DGRAM, 0);
	char octet = 0;
	bool well;

	if (r < 0 &&
	    errno == EPROTONOSUPPORT) /* as documented where descriptors cannot be copied */
		return true;
	well = bind(r, (struct sockaddr *)&a, len) == 0 &&
	       sendto(s, "d", 1, 0, (struct sockaddr *)&a, len) == 1 &&
	       recv(r, &octet, 1, 0) == 1 && send_message(s, &a, len) == 1 &&
	       recv(r, &octet, 1, 0) == 1 && octet == 'm';
	close(r);
	close(s);
	return well;
}

static bool datagram_pair(void)
{
	char octets[4] = "";
	int sv[2];

	return socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) == 0 && send(sv[0], "ab", 2, 0) == 2 &&
	       send(sv[0], "c", 1, 0) == 1 && recv(sv[1], octets, 4, 0) == 2 &&
	       recv(sv[1], octets, 4, 0) == 1 && octets[0] == 'c';
}

static void what_works(void)
{
	struct sockaddr_un a;
	socklen_t len = path_to(&a, "%s/own-stream", dir);
	int u;

	works("own-path", own_stream(&a, len));
	unlink(a.sun_path);
	len = abstract(&a, "own");
	works("own-abstract", own_stream(&a, len));
	works("own-backlog", own_backlog());
	works("own-datagrams", own_datagrams());
	works("datagram-pair", datagram_pair());
	works("pass-descriptor", pass_descriptor());
	works("long-message", long_message());
	len = path_to(&a, "%s/allowed", dir);
	works("allowed-path", connects(&a, len, SOCK_STREAM));
	len = path_to(&a, "%s/none", dir);
	u = socket(AF_UNIX, SOCK_STREAM, 0);
	works("missing-path", connect(u, (struct sockaddr *)&a, len) < 0 && errno == ENOENT);
	close(u);
	works("not-a-socket", connect(0, (struct sockaddr *)&a, len) < 0 && errno == ENOTSOCK);
	works("no-descriptor", connect(777, (struct sockaddr *)&a, len) < 0 && errno == EBADF);
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	dir = argv[1];
	victim = atoi(argv[2]);
	port = atoi(argv[3]);
	inherited = atoi(argv[4]);
	/* Only a process that the test made for this: outside weir the attempts would succeed. */
	if (victim <= 1)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	families();
	processes();
	other_calls();
	foreign_process();
	foreign_memory();
	host_network();
	unix_streams();
	unix_datagrams();
	races();
	what_works();
	printf("attempts %u\n", attempts);
	return failed != 0;
}
