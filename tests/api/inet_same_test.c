/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_same_test.c - sockets of AF_INET over the loopback say what those of the kernel say, case by case
 *
 * The kernel is asked in a network namespace of its own; without the right to make one there is nothing to compare (status 77).
 */
#include "tests/api/inet_worlds.h"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/udp.h>
#include <stdlib.h>

#include <asm/socket.h>

/* Younger than some <asm/socket.h>. */
#define SO_RCVMARK_     75
#define SO_RCVPRIORITY_ 82

/* ---- SO_REUSEPORT groups with a program ------------------------------------------------------------------------- */

#define GROUP 4

/* The first octet of what a packet carries, less '0', is the member's place. */
static struct sock_filter by_first_octet[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
					       BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, '0'),
					       BPF_STMT(BPF_RET | BPF_A, 0) };

static long attach(struct world *w, int fd, const struct sock_filter *insns, unsigned short n)
{
	struct sock_fprog prog = { n, (struct sock_filter *)(uintptr_t)insns };

	return i_set(w, fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog));
}

static int sharing_socket(struct world *w, int type, uint16_t port)
{
	int fd = i_socket(w, type);

	assert_int_equal(w_setsockopt(w, fd, SO_REUSEPORT, 1), 0);
	assert_int_equal(i_bind(w, fd, port), 0);
	return fd;
}

/* Which member has received something; each is emptied. */
static void say_who(struct world *w, const int *fd, const char *text)
{
	for (int i = 0; i < GROUP; i++) {
		while (fd[i] >= 0 && w_recv(w, fd[i], 16, 0) >= 0)
			world_say(w, text, i);
	}
}

static void udp_group(struct world *w)
{
	int fd[GROUP + 1], c;

	world_begin(w);
	for (int i = 0; i < GROUP; i++)
		fd[i] = sharing_socket(w, SOCK_DGRAM, 7000);
	c = i_socket(w, SOCK_DGRAM);
	SAY(w, i_connect(w, c, 7000));
	SAY(w, w_setsockopt(w, fd[1], SO_DETACH_REUSEPORT_BPF, 0));
	SAY(w, attach(w, fd[2], by_first_octet, 3));
	for (int i = 0; i < 4; i++) {
		char text[] = { (char)('3' - i), 0 };

		SAY(w, i_send(w, c, text));
	}
	say_who(w, fd, "by program");
	/* The last one takes the place of one who leaves. */
	SAY(w, w_close(w, fd[1]));
	fd[1] = -1;
	SAY(w, i_send(w, c, "1"));
	SAY(w, i_send(w, c, "2"));
	say_who(w, fd, "after a leave");
	/* The program is the group's: who joins later is chosen by it. */
	fd[1] = sharing_socket(w, SOCK_DGRAM, 7000);
	SAY(w, i_send(w, c, "3"));
	say_who(w, fd, "after a join");
	SAY(w, w_setsockopt(w, fd[3], SO_DETACH_REUSEPORT_BPF, 0));
	SAY(w, w_setsockopt(w, fd[3], SO_DETACH_REUSEPORT_BPF, 0));
	for (int i = 0; i < GROUP; i++)
		w_close(w, fd[i]);
	w_close(w, c);
}
CASE(udp_group)

/* Without a member at that place one of the group is found, and always the same for a flow. */
static void udp_group_beyond(struct world *w)
{
	int fd[GROUP], c, got = 0;

	world_begin(w);
	for (int i = 0; i < GROUP; i++)
		fd[i] = sharing_socket(w, SOCK_DGRAM, 7000);
	c = i_socket(w, SOCK_DGRAM);
	SAY(w, i_connect(w, c, 7000));
	SAY(w, attach(w, fd[2], by_first_octet, 3));
	SAY(w, i_send(w, c, "9"));
	SAY(w, i_send(w, c, "8"));
	SAY(w, wcall(w, SYS_SENDTO, (unsigned long)c, P(""), 0, 0, 0, 0)); /* no first octet: 0 */
	settle(w);
	for (int i = 0; i < GROUP; i++) {
		char buf[4];
		int n = 0;

		while (wcall(w, SYS_RECVFROM, (unsigned long)fd[i], P(buf), sizeof(buf), 0, 0, 0) >
		       0)
			n++;
		if (n)
			got = n;
		w_close(w, fd[i]);
	}
	SAY(w, got);
	w_close(w, c);
}
CASE(udp_group_beyond)

static void group_refusals(struct world *w)
{
	static const struct sock_filter endless = BPF_STMT(BPF_LD | BPF_IMM, 0);
	int plain = i_socket(w, SOCK_DGRAM), fd[3];

	world_begin(w);
	SAY(w, attach(w, plain, by_first_octet, 3));
	SAY(w, w_setsockopt(w, plain, SO_DETACH_REUSEPORT_BPF, 0));
	SAY(w, i_bind(w, plain, 7001));
	SAY(w, w_setsockopt(w, plain, SO_REUSEPORT, 1)); /* too late */
	SAY(w, attach(w, plain, by_first_octet, 3));
	SAY(w, w_setsockopt(w, plain, SO_DETACH_REUSEPORT_BPF, 0));
	w_close(w, plain);
	/* Before it is bound: with a program of its own, which it gives up for the group's. */
	for (int i = 0; i < 3; i++) {
		fd[i] = i_socket(w, SOCK_DGRAM);
		SAY(w, w_setsockopt(w, fd[i], SO_REUSEPORT, 1));
		SAY(w, w_setsockopt(w, fd[i], SO_DETACH_REUSEPORT_BPF, 0));
		SAY(w, attach(w, fd[i], by_first_octet, 3));
		SAY(w, attach(w, fd[i], &endless, 1));
		SAY(w, i_bind(w, fd[i], 7001));
	}
	SAY(w, w_setsockopt(w, fd[0], SO_DETACH_REUSEPORT_BPF, 0));
	SAY(w, w_setsockopt(w, fd[1], SO_DETACH_REUSEPORT_BPF, 0));
	SAY(w, w_setsockopt(w, fd[0], SO_LOCK_FILTER, 1));
	SAY(w, attach(w, fd[0], by_first_octet, 3));
	SAY(w, attach(w, fd[1], by_first_octet, 3));
	for (int i = 0; i < 3; i++)
		w_close(w, fd[i]);
}
CASE(group_refusals)

static void listener_refusals(struct world *w)
{
	int fd[3];

	world_begin(w);
	for (int i = 0; i < 3; i++) {
		fd[i] = i_socket(w, SOCK_STREAM);
		SAY(w, w_setsockopt(w, fd[i], SO_REUSEPORT, 1));
		if (i == 1) /* bound beside another: no */
			SAY(w, attach(w, fd[i], by_first_octet, 3));
		SAY(w, i_bind(w, fd[i], 7001));
		if (i == 2)
			SAY(w, attach(w, fd[i], by_first_octet, 3));
		SAY(w, w_listen(w, fd[i], 5));
		SAY(w, w_setsockopt(w, fd[i], SO_DETACH_REUSEPORT_BPF, 0));
	}
	for (int i = 0; i < 3; i++)
		w_close(w, fd[i]);
}
CASE(listener_refusals)

/* One who connects to a peer has packets of its own. */
static void udp_group_connected(struct world *w)
{
	int fd[GROUP], c = i_socket(w, SOCK_DGRAM), d = i_socket(w, SOCK_DGRAM);

	world_begin(w);
	for (int i = 0; i < GROUP; i++)
		fd[i] = sharing_socket(w, SOCK_DGRAM, 7000);
	SAY(w, i_bind(w, c, 7010));
	SAY(w, i_connect(w, c, 7000));
	SAY(w, i_connect(w, d, 7000));
	SAY(w, i_connect(w, fd[1], 7010));
	SAY(w, attach(w, fd[0], by_first_octet, 3));
	SAY(w, i_send(w, c, "3"));
	SAY(w, i_send(w, d, "2"));
	say_who(w, fd, "connected");
	for (int i = 0; i < GROUP; i++)
		w_close(w, fd[i]);
	w_close(w, c);
	w_close(w, d);
}
CASE(udp_group_connected)

static void listeners(struct world *w)
{
	struct sock_filter second[] = { BPF_STMT(BPF_RET | BPF_K, 1) };
	struct sock_filter by_len[] = { BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
					BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 2),
					BPF_STMT(BPF_RET | BPF_A, 0) };
	int fd[GROUP], c, s;

	world_begin(w);
	for (int i = 0; i < GROUP; i++) {
		fd[i] = sharing_socket(w, SOCK_STREAM, 7002);
		SAY(w, w_listen(w, fd[i], 5));
	}
	for (int round = 0; round < 2; round++) {
		SAY(w, round ? attach(w, fd[0], by_len, 3) : attach(w, fd[3], second, 1));
		c = i_socket(w, SOCK_STREAM);
		SAY(w, i_connect(w, c, 7002));
		for (int i = 0; i < GROUP; i++) {
			s = w_accept(w, fd[i]);
			if (s < 0)
				continue;
			world_say(w, "accepted by", i);
			/* A connection is not of the group. */
			SAY(w, w_setsockopt(w, s, SO_DETACH_REUSEPORT_BPF, 0));
			i_stream_end(w, s);
		}
		i_stream_end(w, c);
	}
	for (int i = 0; i < GROUP; i++)
		w_close(w, fd[i]);
}
CASE(listeners)

/* ---- SO_RCVLOWAT ------------------------------------------------------------------------------------------------ */

static void say_ready(struct world *w, int fd, int ep)
{
	SAY(w, w_poll(w, fd, POLLIN | POLLRDNORM));
	SAY(w, w_select(w, fd) & 1);
	SAY(w, w_epoll_wait(w, ep));
}

static void low_watermark(struct world *w)
{
	int fd[2], ep = w_epoll(w), edge = w_epoll(w);

	world_begin(w);
	i_stream_pair(w, 7003, fd);
	SAY(w, w_setsockopt(w, fd[1], SO_RCVLOWAT, 4));
	SAY(w, w_getsockopt(w, fd[1], SO_RCVLOWAT));
	SAY(w, w_epoll_ctl(w, ep, EPOLL_CTL_ADD, fd[1], EPOLLIN));
	SAY(w, w_epoll_ctl(w, edge, EPOLL_CTL_ADD, fd[1], EPOLLIN | EPOLLET));
	say_ready(w, fd[1], ep);
	SAY(w, i_send(w, fd[0], "abc"));
	say_ready(w, fd[1], ep);
	SAY(w, w_epoll_wait(w, edge));
	SAY(w, w_recv(w, fd[1], 1, 0)); /* what is there can be had without waiting */
	SAY(w, i_send(w, fd[0], "de"));
	say_ready(w, fd[1], ep);
	SAY(w, w_epoll_wait(w, edge));
	SAY(w, w_epoll_wait(w, edge));
	SAY(w, w_setsockopt(w, fd[1], SO_RCVLOWAT, 5));
	say_ready(w, fd[1], ep);
	SAY(w, w_setsockopt(w, fd[1], SO_RCVLOWAT, 3)); /* lowering it makes it ready, and wakes */
	say_ready(w, fd[1], ep);
	SAY(w, w_recv(w, fd[1], 2, 0));
	say_ready(w, fd[1], ep);
	SAY(w, w_shutdown(w, fd[0], SHUT_WR)); /* the end is always worth reading */
	settle(w);
	say_ready(w, fd[1], ep);
	SAY(w, w_recv(w, fd[1], 9, 0));
	say_ready(w, fd[1], ep);
	i_stream_end(w, fd[0]);
	i_stream_end(w, fd[1]);
	w_close(w, ep);
	w_close(w, edge);
}
CASE(low_watermark)

/* ---- corked datagrams ------------------------------------------------------------------------------------------- */

/* TTL, TOS and flags of the datagram that @fd has. */
static void say_header(struct world *w, int fd)
{
	char buf[64], control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	long r = wcall(w, SYS_RECVMSG, (unsigned long)fd, P(&h), 0, 0, 0, 0);

	world_say(w, "received", r);
	if (r < 0)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
		world_say(w,
			  c->cmsg_level == SOL_SOCKET
				  ? c->cmsg_type == SO_MARK ? "mark" : "priority"
			  : c->cmsg_type == IP_TTL ? "ttl"
						   : "tos",
			  CMSG_DATA(c)[0]);
}

static long more(struct world *w, int fd, const char *text, int flags)
{
	return wcall(w, SYS_SENDTO, (unsigned long)fd, P(text), strlen(text), (unsigned long)flags,
		     0, 0);
}

static void say_what(struct world *w, int fd, int ttl, int tos, int mark, int priority)
{
	SAY(w, i_set_int(w, fd, SOL_IP, IP_TTL, ttl));
	SAY(w, i_set_int(w, fd, SOL_IP, IP_TOS, tos));
	SAY(w, w_setsockopt(w, fd, SO_MARK, mark));
	SAY(w, w_setsockopt(w, fd, SO_PRIORITY, priority));
}

/* When do the options of a datagram count that is sent in pieces: at its first piece, or when it leaves? */
static void corked_options(struct world *w)
{
	int a = i_socket(w, SOCK_DGRAM), b = i_socket(w, SOCK_DGRAM);

	world_begin(w);
	SAY(w, i_bind(w, b, 7004));
	SAY(w, i_connect(w, a, 7004));
	SAY(w, i_set_int(w, b, SOL_IP, IP_RECVTTL, 1));
	SAY(w, i_set_int(w, b, SOL_IP, IP_RECVTOS, 1));
	SAY(w, w_setsockopt(w, b, SO_RCVMARK_, 1));
	SAY(w, w_setsockopt(w, b, SO_RCVPRIORITY_, 1));
	for (int cork = 0; cork < 2; cork++) {
		say_what(w, a, 10, 8, 1, 1);
		if (cork)
			SAY(w, i_set_int(w, a, SOL_UDP, UDP_CORK, 1));
		SAY(w, more(w, a, "ab", cork ? 0 : MSG_MORE));
		say_what(w, a, 20, 16, 2, 2);
		SAY(w, more(w, a, "cd", MSG_MORE));
		say_what(w, a, 30, 4, 3, 3);
		if (cork)
			SAY(w, i_set_int(w, a, SOL_UDP, UDP_CORK, 0));
		else
			SAY(w, more(w, a, "ef", 0));
		settle(w);
		say_header(w, b);
	}
	w_close(w, a);
	w_close(w, b);
}
CASE(corked_options)

/* ---- several messages with one call ------------------------------------------------------------------------------- */

struct batch {
	struct mmsghdr m[4];
	struct iovec iov[4];
	char buf[4][8];
};

static void batch_init(struct batch *b)
{
	memset(b, 0, sizeof(*b));
	for (int i = 0; i < 4; i++) {
		memset(b->buf[i], 'a' + i, sizeof(b->buf[i]));
		b->iov[i] = (struct iovec){ b->buf[i], 3 };
		b->m[i].msg_hdr.msg_iov = &b->iov[i];
		b->m[i].msg_hdr.msg_iovlen = 1;
		b->m[i].msg_len = 99;
	}
}

static void say_batch(struct world *w, const char *what, long r, const struct batch *b)
{
	world_say(w, what, r);
	for (int i = 0; i < 4; i++)
		world_say(w, "len", b->m[i].msg_len);
}

static long batch_send(struct world *w, int fd, struct batch *b, unsigned n, int flags)
{
	long r = wcall(w, SYS_SENDMMSG, (unsigned long)fd, P(b->m), n, (unsigned long)flags, 0, 0);

	settle(w);
	return r;
}

static long batch_recv(struct world *w, int fd, struct batch *b, int flags,
		       const struct timespec *ts)
{
	return wcall(w, SYS_RECVMMSG, (unsigned long)fd, P(b->m), 4, (unsigned long)flags, P(ts),
		     0);
}

static void batches(struct world *w)
{
	int a = i_socket(w, SOCK_DGRAM), b = i_socket(w, SOCK_DGRAM);
	struct sockaddr_in nobody = { .sin_family = AF_INET6 };
	struct timespec none = { 0, 0 }, wrong = { 0, 1000000000 }, negative = { -1, 0 };
	struct batch t;

	world_begin(w);
	SAY(w, i_bind(w, b, 7005));
	SAY(w, i_connect(w, a, 7005));
	batch_init(&t);
	say_batch(w, "all", batch_send(w, a, &t, 4, 0), &t);
	batch_init(&t);
	say_batch(w, "received", batch_recv(w, b, &t, 0, NULL), &t);
	say_batch(w, "none", batch_recv(w, b, &t, 0, NULL), &t);
	/* What comes before an error counts; the error itself is for the next call. */
	batch_init(&t);
	t.m[2].msg_hdr.msg_name = &nobody;
	t.m[2].msg_hdr.msg_namelen = sizeof(nobody);
	say_batch(w, "some", batch_send(w, a, &t, 4, 0), &t);
	batch_init(&t);
	t.m[0].msg_hdr.msg_name = &nobody;
	t.m[0].msg_hdr.msg_namelen = sizeof(nobody);
	say_batch(w, "first", batch_send(w, a, &t, 4, 0), &t);
	batch_init(&t);
	say_batch(w, "received", batch_recv(w, b, &t, MSG_WAITFORONE, NULL), &t);
	say_batch(w, "nothing to send", batch_send(w, a, &t, 0, 0), &t);
	batch_init(&t);
	batch_send(w, a, &t, 3, 0);
	say_batch(w, "wrong time", batch_recv(w, b, &t, 0, &wrong), &t);
	say_batch(w, "negative time", batch_recv(w, b, &t, 0, &negative), &t);
	say_batch(w, "no time", batch_recv(w, b, &t, 0, &none),
		  &t); /* one: the time is looked at after each */
	say_batch(w, "the rest", batch_recv(w, b, &t, 0, NULL), &t);
	/* An error that waits at the socket is told if nothing was received before. */
	w_close(w, b);
	batch_init(&t);
	say_batch(w, "refused", batch_send(w, a, &t, 2, 0), &t);
	say_batch(w, "refused", batch_recv(w, a, &t, 0, NULL), &t);
	say_batch(w, "no more", batch_recv(w, a, &t, 0, NULL), &t);
	w_close(w, a);
}
CASE(batches)

/* What a stream took only a part of is the last of its call, whatever room there is by then: else the next would stand in its midst. */
static void batch_of_a_stream_ends_with_a_part(struct world *w)
{
	static char octets[4 << 20];
	char control[CMSG_SPACE(sizeof(uint32_t))] = { 0 };
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	struct batch t;
	int fd[2];

	world_begin(w);
	*cmsg = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(uint32_t)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SO_TIMESTAMPING };
	for (int with_control = 0; with_control < 2; with_control++) {
		i_stream_pair(w, (uint16_t)(7007 + with_control), fd);
		SAY(w, i_set_int(w, fd[0], SOL_SOCKET, SO_SNDBUF, 4096));
		batch_init(&t);
		t.iov[1] = (struct iovec){ octets, sizeof(octets) };
		if (with_control) {
			t.m[0].msg_hdr.msg_control = control;
			t.m[0].msg_hdr.msg_controllen = sizeof(control);
		}
		SAY(w, batch_send(w, fd[0], &t, 4, MSG_DONTWAIT));
		SAY(w, t.m[0].msg_len);
		SAY(w, t.m[1].msg_len > 0 && t.m[1].msg_len < sizeof(octets));
		SAY(w, t.m[2].msg_len);
		i_stream_end(w, fd[0]);
		i_stream_end(w, fd[1]);
	}
}
CASE(batch_of_a_stream_ends_with_a_part)

static void batches_wait(struct world *w)
{
	int a = (int)wcall(w, SYS_SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0, 0);
	int b = (int)wcall(w, SYS_SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0, 0);
	struct timespec ms = { 0, 1000000 };
	struct timeval tv = { 0, 20000 };
	struct batch t;

	world_begin(w);
	SAY(w, i_bind(w, b, 7006));
	SAY(w, i_connect(w, a, 7006));
	batch_init(&t);
	batch_send(w, a, &t, 2, 0);
	say_batch(w, "wait for one", batch_recv(w, b, &t, MSG_WAITFORONE, NULL), &t);
	/* The time limits between messages only: it is SO_RCVTIMEO that ends a wait. */
	SAY(w, i_set(w, b, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	batch_init(&t);
	batch_send(w, a, &t, 2, 0);
	say_batch(w, "two and a wait", batch_recv(w, b, &t, 0, NULL), &t);
	say_batch(w, "a wait", batch_recv(w, b, &t, 0, &ms), &t);
	SAY(w, ms.tv_sec);
	batch_send(w, a, &t, 4, 0);
	ms = (struct timespec){ 100, 500 };
	say_batch(w, "in time", batch_recv(w, b, &t, 0, &ms), &t);
	SAY(w, ms.tv_sec >= 98 && ms.tv_sec <= 100); /* what is left of it */
	w_close(w, a);
	w_close(w, b);
}
CASE(batches_wait)

/* ---- set up ------------------------------------------------------------------------------------------------------- */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_group_as_natively),
		cmocka_unit_test(udp_group_beyond_as_natively),
		cmocka_unit_test(udp_group_connected_as_natively),
		cmocka_unit_test(group_refusals_as_natively),
		cmocka_unit_test(listener_refusals_as_natively),
		cmocka_unit_test(listeners_as_natively),
		cmocka_unit_test(low_watermark_as_natively),
		cmocka_unit_test(corked_options_as_natively),
		cmocka_unit_test(batches_as_natively),
		cmocka_unit_test(batch_of_a_stream_ends_with_a_part_as_natively),
		cmocka_unit_test(batches_wait_as_natively),
	};

	if (own_namespace()) {
		fprintf(stderr, "no network namespace of its own: nothing to compare with\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
