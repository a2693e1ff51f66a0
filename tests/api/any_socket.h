/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * any_socket.h - one program that asks the kernel (in a network namespace of its own) or the library
 *
 * What a program tells with it line by line, compare-test compares. The variables belong to the one file that includes this.
 */
#ifndef WEIR_TESTS_API_ANY_SOCKET_H
#define WEIR_TESTS_API_ANY_SOCKET_H

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include "lab/lab_net.h"
#include "weir/weir.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- a socket of the kernel or of the library ---------------------------------------------------------- */

static struct weir_machine *machine; /* NULL: ask the kernel */
static struct weir_net *net;
static bool behind; /* another process delivers what is sent: "weir run" */

struct any {
	int fd;
	struct weir_file *f;
};

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static inline socklen_t address_len(const union address *a)
{
	return a->sa.sa_family == AF_INET6 ? sizeof(a->in6) : sizeof(a->in);
}

static inline union address loopback(int family, uint16_t port)
{
	union address a = { 0 };

	a.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		a.in6.sin6_addr = in6addr_loopback;
		a.in6.sin6_port = htons(port);
	} else {
		a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.in.sin_port = htons(port);
	}
	return a;
}

static inline int any_socket(struct any *s, int family, int type, int protocol)
{
	if (machine)
		return weir_socket(net, family, type | SOCK_NONBLOCK, protocol, &s->f);
	s->fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return s->fd < 0 ? -errno : 0;
}

static inline void any_close(struct any s)
{
	if (machine)
		weir_close(s.f); /* NULL: it could not be made */
	else
		close(s.fd);
}

#define ANY(call, ...)                                                                             \
	(machine ? weir_##call(s.f, __VA_ARGS__) : kernel_result(call(s.fd, __VA_ARGS__)))

static inline long kernel_result(long r)
{
	return r < 0 ? -errno : r;
}

static inline long any_set(struct any s, int level, int name, const void *val, socklen_t len)
{
	return ANY(setsockopt, level, name, val, len);
}
static inline long any_get(struct any s, int level, int name, void *val, socklen_t *len)
{
	return ANY(getsockopt, level, name, val, len);
}
static inline long any_bind(struct any s, const union address *a)
{
	return ANY(bind, &a->sa, address_len(a));
}
static inline long any_connect(struct any s, const union address *a)
{
	return ANY(connect, &a->sa, address_len(a));
}
static inline long any_listen(struct any s)
{
	return ANY(listen, 8);
}
static inline long any_name(struct any s, union address *a)
{
	socklen_t len = sizeof(*a);

	return ANY(getsockname, &a->sa, &len);
}
static inline long any_ioctl(struct any s, unsigned long cmd, void *arg)
{
	return ANY(ioctl, cmd, arg);
}
static inline long any_sendmsg(struct any s, const struct msghdr *msg, int flags)
{
	return ANY(sendmsg, msg, flags);
}
static inline long any_recvmsg(struct any s, struct msghdr *msg, int flags)
{
	return ANY(recvmsg, msg, flags);
}

static inline int octets_waiting(struct any s)
{
	int n = 0;

	any_ioctl(s, FIONREAD, &n);
	return n;
}

/* Lets what is on its way arrive: the kernel's loopback delivers within the call. */
static inline void settle(void)
{
	for (int i = 0; machine && i < 8; i++)
		weir_run(machine, 0);
}

static inline const char *error_name(long r)
{
	static char text[32];

	if (r >= 0)
		return "0";
	snprintf(text, sizeof(text), "%s", strerrorname_np((int)-r) ?: "E?");
	return text;
}

/* ---- set up ---------------------------------------------------------------------------------------------------------- */

/* Ping sockets are for nobody in a new namespace. */
static inline int allow_ping(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ping_group_range", "we");

	if (!f)
		return 1;
	fputs("0 0\n", f);
	return fclose(f) != 0;
}

static inline int kernel_setup(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	/* Nothing here may touch the host's network. */
	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "unshare: %s\n", strerror(errno));
		return 77;
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		return 1;
	close(fd);
	return allow_ping();
}

/* The same defaults on both sides, whatever the kernel's are. */
static inline int copy_sysctls(void)
{
	static const char *const names[] = { "net.core.rmem_default", "net.core.rmem_max",
					     "net.core.wmem_default", "net.core.wmem_max",
					     "net.core.somaxconn",    "net.ipv4.tcp_rmem" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[128] = "/proc/sys/", value[64];
		size_t at = strlen(path);
		FILE *f;

		for (const char *c = names[i]; *c; c++)
			path[at++] = *c == '.' ? '/' : *c;
		path[at] = 0;
		f = fopen(path, "re");
		if (!f)
			continue; /* not shown inside a container */
		if (fgets(value, sizeof(value), f)) {
			value[strcspn(value, "\n")] = 0;
			if (weir_sysctl(net, names[i], value) < 0)
				fprintf(stderr, "%s = %s: refused\n", names[i], value);
		}
		fclose(f);
	}
	return 0;
}

static inline int weir_setup(void)
{
	struct net_error err;

	machine = weir_machine_create(NULL);
	net = machine ? weir_net_create(machine, "n") : NULL;
	if (!net || net_link_up(net, "lo", &err) ||
	    weir_sysctl(net, "net.ipv4.ping_group_range", "0 0") < 0)
		return 1;
	return copy_sysctls();
}

/* Whoever runs this program answers for the network. */
static inline int program_setup(void)
{
	behind = true;
	return 0;
}

/* As the program's one argument says. 0, or the exit status of the program */
static inline int any_setup(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*setup)(void);
	} whom[] = {
		{ "kernel", kernel_setup },
		{ "weir", weir_setup },
		{ "program", program_setup },
	};

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	for (size_t i = 0; i < ARRAY_SIZE(whom) && argc == 2; i++)
		if (!strcmp(argv[1], whom[i].name))
			return whom[i].setup();
	fprintf(stderr, "usage: %s kernel|weir|program\n", argv[0]);
	return 2;
}

static inline void any_teardown(void)
{
	if (!machine)
		return;
	weir_net_destroy(net);
	weir_machine_destroy(machine);
}

#endif
