/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_worlds.h - the calls of two_worlds.h on sockets of AF_INET and AF_INET6 over the loopback
 *
 * The kernel is asked in a network namespace of its own; without the right to make one there is nothing to compare (status 77).
 */
#ifndef WEIR_TESTS_API_INET_WORLDS_H
#define WEIR_TESTS_API_INET_WORLDS_H

#include "tests/api/two_worlds.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>

#include "lab/lab_net.h"

static inline void world_begin(struct world *w)
{
	struct net_error err;

	if (!w->native)
		assert_int_equal(net_link_up(w->net, "lo", &err), 0);
}

/* What is on its way arrives; natively it has, within the call. */
static inline void settle(struct world *w)
{
	for (int i = 0; !w->native && i < 8; i++)
		weir_run(w->m, 0);
}

static inline int i_socket_of(struct world *w, int family, int type)
{
	return (int)wcall(w, SYS_SOCKET, (unsigned long)family,
			  (unsigned long)(type | SOCK_NONBLOCK), 0, 0, 0, 0);
}

static inline int i_socket(struct world *w, int type)
{
	return i_socket_of(w, AF_INET, type);
}

static inline struct sockaddr_in lo_port(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static inline long i_bind(struct world *w, int fd, uint16_t port)
{
	struct sockaddr_in sin = lo_port(port);

	return wcall(w, SYS_BIND, (unsigned long)fd, P(&sin), sizeof(sin), 0, 0, 0);
}

static inline long i_connect(struct world *w, int fd, uint16_t port)
{
	struct sockaddr_in sin = lo_port(port);
	long r = wcall(w, SYS_CONNECT, (unsigned long)fd, P(&sin), sizeof(sin), 0, 0, 0);

	settle(w);
	return r;
}

static inline long i_set(struct world *w, int fd, int level, int name, const void *val, size_t len)
{
	return wcall(w, SYS_SETSOCKOPT, (unsigned long)fd, (unsigned long)level,
		     (unsigned long)name, P(val), len, 0);
}

static inline long i_set_int(struct world *w, int fd, int level, int name, int val)
{
	return i_set(w, fd, level, name, &val, sizeof(val));
}

static inline long i_send(struct world *w, int fd, const char *text)
{
	long r = w_send(w, fd, text, strlen(text), 0);

	settle(w);
	return r;
}

/* A connected pair of streams through a listener on @port. */
static inline void i_stream_pair(struct world *w, uint16_t port, int fd[2])
{
	int l = i_socket(w, SOCK_STREAM);

	assert_int_equal(i_bind(w, l, port), 0);
	assert_int_equal(w_listen(w, l, 5), 0);
	fd[0] = i_socket(w, SOCK_STREAM);
	assert_int_equal(i_connect(w, fd[0], port), -EINPROGRESS);
	fd[1] = w_accept(w, l);
	assert_true(fd[1] >= 0);
	w_close(w, l);
}

/* Without waiting, and without TIME_WAIT. */
static inline void i_stream_end(struct world *w, int fd)
{
	struct linger now = { 1, 0 };

	i_set(w, fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	w_close(w, fd);
	settle(w);
}

#define CASE(name)                                                                                 \
	static void name##_as_natively(void **state)                                               \
	{                                                                                          \
		same_in_both(name);                                                                \
	}

static inline int own_namespace(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, r;

	if (unshare(CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return r;
}

#endif
