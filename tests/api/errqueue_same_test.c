/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errqueue_same_test.c - what the error queue of a socket says to its program is what the kernel's says
 */
#include "tests/api/inet_worlds.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include <asm/socket.h>

#define IPV6_FLOWINFO_ 11 /* of <linux/in6.h>, which cannot be included beside <netinet/in.h> */
#define OPT_ID_TCP     (1u << 16) /* younger than some <linux/net_tstamp.h> */
#define TX_COMPLETION  (1u << 18)
#define SCM_TS_OPT_ID  81 /* younger than some <asm/socket.h> */
#define STAMPS                                                                                     \
	(SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED)
#define ALL_STAMPS (STAMPS | SOF_TIMESTAMPING_TX_ACK)
#define TSONLY     (SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY)

/* Not in the first instant of virtual time, which is 0. */
static void begin(struct world *w)
{
	world_begin(w);
	if (!w->native)
		weir_run(w->m, 1000000000);
}

/* ---- the error queue, written down ------------------------------------------------------------------------------ */

static void say_octets(struct world *w, const char *what, const uint8_t *p, size_t n)
{
	char hex[2 * 64 + 1] = "";

	for (size_t i = 0; i < n && i < 64; i++)
		sprintf(hex + 2 * i, "%02x", p[i]);
	w->len += (size_t)snprintf(w->text + w->len, sizeof(w->text) - w->len, "  %s %s\n", what,
				   hex);
	assert_true(w->len < sizeof(w->text));
}

/* Which attributes, how long, and the values that do not belong to the run. */
static void say_stats(struct world *w, const uint8_t *p, size_t n)
{
	enum { RETRANS = 5, SNDQ = 13, CA = 14, SSTHRESH = 15, SENT = 18, NOTSENT = 24, TTL = 26 };

	while (n >= 4) {
		uint16_t len, type;
		uint32_t v = 0;

		memcpy(&len, p, 2);
		memcpy(&type, p + 2, 2);
		assert_in_range(len, 5, n);
		memcpy(&v, p + 4, len - 4u < 4 ? len - 4u : 4);
		world_say(w, "  attribute", type);
		world_say(w, "    octets", len);
		if (type == RETRANS || type == SNDQ || type == CA || type == SSTHRESH ||
		    type == SENT || type == NOTSENT || type == TTL)
			world_say(w, "    value", v);
		len = (uint16_t)((len + 3) & ~3);
		p += len;
		n -= len;
	}
}

static void say_cmsg(struct world *w, const struct cmsghdr *c)
{
	const uint8_t *p = CMSG_DATA(c);
	size_t n = c->cmsg_len - CMSG_LEN(0);
	int64_t ts[6];

	world_say(w, "  level", c->cmsg_level);
	world_say(w, "  type", c->cmsg_type);
	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPING) {
		memcpy(ts, p, sizeof(ts));
		world_say(w, "  by software", ts[0] || ts[1]);
		world_say(w, "  by hardware", ts[2] || ts[3] || ts[4] || ts[5]);
	} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING_OPT_STATS) {
		say_stats(w, p, n);
	} else {
		say_octets(w, "value", p, n);
	}
}

/* The next message; false: there is none. */
static bool say_error(struct world *w, int fd)
{
	struct sockaddr_storage name = { 0 };
	uint8_t buf[4096], control[2048];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr h = { .msg_name = &name,
			    .msg_namelen = sizeof(name),
			    .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	long r = wcall(w, SYS_RECVMSG, (unsigned long)fd, P(&h), MSG_ERRQUEUE | MSG_DONTWAIT, 0, 0,
		       0);

	if (r == -EAGAIN)
		return false;
	world_say(w, "error", r);
	assert_true(r >= 0);
	world_say(w, "flags", h.msg_flags);
	say_octets(w, "name", (const uint8_t *)&name, h.msg_namelen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
		say_cmsg(w, c);
	return true;
}

/* All that come: @n are expected, for which it waits. */
static void say_errors(struct world *w, int fd, int n)
{
	for (int i = 0; n && i < 2000; i++) {
		while (n && say_error(w, fd))
			n--;
		if (!n)
			break;
		if (w->native)
			usleep(1000);
		else
			weir_run(w->m, 1000000);
	}
	world_say(w, "missing", n);
	if (!n && say_error(w, fd))
		world_say(w, "one too many", fd);
}

/* ---- streams of both families -------------------------------------------------------------------------------------- */

static socklen_t lo_address(int family, uint16_t port, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6,
				     .sin6_port = htons(port),
				     .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in sin = lo_port(port);

	memset(ss, 0, sizeof(*ss));
	if (family == AF_INET) {
		memcpy(ss, &sin, sizeof(sin));
		return sizeof(sin);
	}
	memcpy(ss, &sin6, sizeof(sin6));
	return sizeof(sin6);
}

static void connected(struct world *w, int family, int type, uint16_t port, int fd[2])
{
	struct sockaddr_storage ss;
	socklen_t len = lo_address(family, port, &ss);
	int l = i_socket_of(w, family, type);

	assert_int_equal(wcall(w, SYS_BIND, (unsigned long)l, P(&ss), len, 0, 0, 0), 0);
	fd[0] = i_socket_of(w, family, type);
	if (type == SOCK_STREAM) {
		assert_int_equal(w_listen(w, l, 5), 0);
		assert_int_equal(wcall(w, SYS_CONNECT, (unsigned long)fd[0], P(&ss), len, 0, 0, 0),
				 -EINPROGRESS);
		settle(w);
		fd[1] = w_accept(w, l);
		assert_true(fd[1] >= 0);
		w_close(w, l);
	} else {
		assert_int_equal(wcall(w, SYS_CONNECT, (unsigned long)fd[0], P(&ss), len, 0, 0, 0),
				 0);
		fd[1] = l;
	}
}

static void end(struct world *w, int fd[2])
{
	i_stream_end(w, fd[0]);
	i_stream_end(w, fd[1]);
}

static long stamps(struct world *w, int fd, unsigned flags)
{
	return i_set_int(w, fd, SOL_SOCKET, SO_TIMESTAMPING, (int)flags);
}

/* Reads what there is, so that it is acknowledged at once. */
static void take(struct world *w, int fd)
{
	char buf[4096];

	settle(w);
	while (wcall(w, SYS_RECVFROM, (unsigned long)fd, P(buf), sizeof(buf), MSG_DONTWAIT, 0, 0) >
	       0)
		settle(w);
	settle(w);
}

static long send_with(struct world *w, int fd, int level, int type, const void *val, size_t len)
{
	uint8_t control[CMSG_SPACE(16)] = { 0 };
	struct iovec iov = { (void *)(uintptr_t) "hello", 5 };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = CMSG_SPACE(len) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	long r;

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), val, len);
	r = wcall(w, SYS_SENDMSG, (unsigned long)fd, P(&h), 0, 0, 0, 0);
	settle(w);
	return r;
}

static long send_with_u32(struct world *w, int fd, int level, int type, uint32_t v)
{
	return send_with(w, fd, level, type, &v, sizeof(v));
}

/* ---- time stamps of streams ---------------------------------------------------------------------------------------- */

static void stream_stamps_of(struct world *w, int family, uint16_t port)
{
	int fd[2];

	connected(w, family, SOCK_STREAM, port, fd);
	SAY(w, stamps(w, fd[0], ALL_STAMPS | TSONLY));
	SAY(w, i_send(w, fd[0], "hello"));
	take(w, fd[1]);
	say_errors(w, fd[0], 3);
	SAY(w, i_send(w, fd[0], "hello again"));
	take(w, fd[1]);
	say_errors(w, fd[0], 3);
	/* Asked for anew they count anew. */
	SAY(w, stamps(w, fd[0], ALL_STAMPS | SOF_TIMESTAMPING_OPT_TSONLY));
	SAY(w, i_send(w, fd[0], "nameless"));
	take(w, fd[1]);
	say_errors(w, fd[0], 3);
	SAY(w, stamps(w, fd[0], ALL_STAMPS | TSONLY | OPT_ID_TCP));
	SAY(w, i_send(w, fd[0], "named"));
	SAY(w, w_poll(w, fd[0], POLL_ALL));
	take(w, fd[1]);
	say_errors(w, fd[0], 3);
	SAY(w, w_poll(w, fd[0], POLL_ALL));
	end(w, fd);
}

static void stream_stamps(struct world *w)
{
	begin(w);
	stream_stamps_of(w, AF_INET, 4001);
	stream_stamps_of(w, AF_INET6, 4002);
}
CASE(stream_stamps)

/* Octets that wait count for OPT_ID, but not for OPT_ID_TCP. */
static void stream_identifiers(struct world *w)
{
	int fd[2], one = 1, zero = 0;

	begin(w);
	connected(w, AF_INET, SOCK_STREAM, 4011, fd);
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &one, sizeof(one)));
	SAY(w, i_send(w, fd[0], "0123456789"));
	SAY(w, stamps(w, fd[0], STAMPS | TSONLY));
	SAY(w, i_send(w, fd[0], "abcde"));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &zero, sizeof(zero)));
	take(w, fd[1]);
	say_errors(w, fd[0], 2);
	SAY(w, stamps(w, fd[0], STAMPS | SOF_TIMESTAMPING_OPT_TSONLY));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &one, sizeof(one)));
	SAY(w, i_send(w, fd[0], "0123456789"));
	SAY(w, stamps(w, fd[0], STAMPS | TSONLY | OPT_ID_TCP));
	SAY(w, i_send(w, fd[0], "abcde"));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &zero, sizeof(zero)));
	take(w, fd[1]);
	say_errors(w, fd[0], 2);
	end(w, fd);
}
CASE(stream_identifiers)

/* Without a boundary the last call to add to a segment is told of. */
static void stream_boundaries(struct world *w)
{
	int fd[2], one = 1, zero = 0;

	begin(w);
	connected(w, AF_INET, SOCK_STREAM, 4021, fd);
	SAY(w, stamps(w, fd[0], ALL_STAMPS | TSONLY));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &one, sizeof(one)));
	SAY(w, i_send(w, fd[0], "aaa"));
	SAY(w, i_send(w, fd[0], "bbbb"));
	SAY(w, w_send(w, fd[0], "c", 1, MSG_EOR));
	SAY(w, i_send(w, fd[0], "dd"));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &zero, sizeof(zero)));
	take(w, fd[1]);
	say_errors(w, fd[0], 6);
	end(w, fd);
}
CASE(stream_boundaries)

/* More than one segment of any size, and the window: one stamp of each kind for each call. */
static void stream_bulk(struct world *w)
{
	static char big[150000];
	size_t sent = 0;
	int fd[2];

	begin(w);
	connected(w, AF_INET, SOCK_STREAM, 4031, fd);
	SAY(w, i_set_int(w, fd[0], SOL_SOCKET, SO_SNDBUF, 1000000));
	SAY(w, stamps(w, fd[0], ALL_STAMPS | TSONLY));
	for (int i = 0; i < 3; i++) {
		long n = w_send(w, fd[0], big, sizeof(big), 0);

		world_say(w, "sent", n);
		sent += (size_t)n;
		while (n > 0) {
			long r = wcall(w, SYS_RECVFROM, (unsigned long)fd[1], P(big), sizeof(big),
				       MSG_DONTWAIT, 0, 0);

			if (r > 0)
				n -= r;
			else if (w->native)
				usleep(100);
			else
				weir_run(w->m, 1000000);
		}
		say_errors(w, fd[0], 3);
	}
	world_say(w, "in all", (long)sent);
	end(w, fd);
}
CASE(stream_bulk)

static void stream_stats_of(struct world *w, int family, uint16_t port)
{
	unsigned flags = ALL_STAMPS | TSONLY | SOF_TIMESTAMPING_OPT_STATS;
	int fd[2];

	connected(w, family, SOCK_STREAM, port, fd);
	SAY(w, stamps(w, fd[0], flags));
	SAY(w, i_send(w, fd[0], "hello"));
	take(w, fd[1]);
	say_errors(w, fd[0], 3);
	end(w, fd);
}

static void stream_stats(struct world *w)
{
	begin(w);
	stream_stats_of(w, AF_INET, 4041);
	stream_stats_of(w, AF_INET6, 4042);
}
CASE(stream_stats)

/* With the packet itself, and with what OPT_CMSG shows of it. */
static void stream_packets_of(struct world *w, int family, uint16_t port)
{
	int fd[2], level = family == AF_INET ? SOL_IP : SOL_IPV6;

	connected(w, family, SOCK_STREAM, port, fd);
	SAY(w, i_set_int(w, fd[0], level, family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO, 1));
	SAY(w, i_set_int(w, fd[0], level, family == AF_INET ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1));
	for (int i = 0; i < 4; i++) {
		unsigned flags = ALL_STAMPS | (i & 1 ? SOF_TIMESTAMPING_OPT_CMSG : 0) |
				 (i & 2 ? (unsigned)SOF_TIMESTAMPING_OPT_TSONLY : 0);

		SAY(w, stamps(w, fd[0], flags));
		SAY(w, i_send(w, fd[0], "hello"));
		take(w, fd[1]);
		say_errors(w, fd[0], 3);
	}
	end(w, fd);
}

static void stream_packets(struct world *w)
{
	begin(w);
	stream_packets_of(w, AF_INET, 4051);
	stream_packets_of(w, AF_INET6, 4052);
}
CASE(stream_packets)

static void stream_control_messages(struct world *w)
{
	static const uint32_t kinds[] = { SOF_TIMESTAMPING_TX_SOFTWARE, SOF_TIMESTAMPING_TX_SCHED,
					  SOF_TIMESTAMPING_TX_ACK };
	int fd[2];

	begin(w);
	connected(w, AF_INET, SOCK_STREAM, 4061, fd);
	SAY(w, stamps(w, fd[0], SOF_TIMESTAMPING_SOFTWARE | TSONLY));
	SAY(w, i_send(w, fd[0], "unasked"));
	take(w, fd[1]);
	say_errors(w, fd[0], 0);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SO_TIMESTAMPING, kinds[i]));
		take(w, fd[1]);
		say_errors(w, fd[0], 1);
	}
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_TX_HARDWARE));
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SO_TIMESTAMPING, TX_COMPLETION));
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SO_TIMESTAMPING, SOF_TIMESTAMPING_RX_SOFTWARE));
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SCM_TS_OPT_ID, 7));
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SO_MARK, 7));
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, SO_PRIORITY, 3));
	SAY(w, send_with_u32(w, fd[0], SOL_SOCKET, 999, 3));
	SAY(w, send_with_u32(w, fd[0], SOL_IP, IP_TTL, 3));
	SAY(w, send_with(w, fd[0], SOL_SOCKET, SO_TIMESTAMPING, "12345678", 8));
	take(w, fd[1]);
	say_errors(w, fd[0], 0);
	end(w, fd);
}
CASE(stream_control_messages)

static void stamp_refusals(struct world *w)
{
	int fd;

	begin(w);
	fd = i_socket(w, SOCK_STREAM);
	SAY(w, stamps(w, fd, STAMPS | SOF_TIMESTAMPING_OPT_ID));
	SAY(w, stamps(w, fd, STAMPS | OPT_ID_TCP));
	SAY(w, stamps(w, fd, STAMPS | SOF_TIMESTAMPING_OPT_STATS));
	SAY(w, stamps(w, fd, STAMPS | SOF_TIMESTAMPING_OPT_TX_SWHW | SOF_TIMESTAMPING_TX_HARDWARE));
	SAY(w, stamps(w, fd, TX_COMPLETION));
	SAY(w, stamps(w, fd, TX_COMPLETION << 1));
	w_close(w, fd);
}
CASE(stamp_refusals)

/* ---- and of datagrams ---------------------------------------------------------------------------------------------- */

static void datagram_packets_of(struct world *w, int family, uint16_t port)
{
	int fd[2], level = family == AF_INET ? SOL_IP : SOL_IPV6;

	connected(w, family, SOCK_DGRAM, port, fd);
	SAY(w, i_set_int(w, fd[0], level, family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO, 1));
	SAY(w, i_set_int(w, fd[0], level, family == AF_INET ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1));
	for (int i = 0; i < 8; i++) {
		unsigned flags = STAMPS | (i & 1 ? SOF_TIMESTAMPING_OPT_CMSG : 0) |
				 (i & 2 ? (unsigned)SOF_TIMESTAMPING_OPT_TSONLY : 0) |
				 (i & 4 ? SOF_TIMESTAMPING_OPT_ID : 0);

		/* What does not concern datagrams is taken all the same. */
		flags |= SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_TX_HARDWARE |
			 SOF_TIMESTAMPING_OPT_TX_SWHW | TX_COMPLETION;
		SAY(w, stamps(w, fd[0], flags));
		SAY(w, i_send(w, fd[0], "hello"));
		take(w, fd[1]);
		say_errors(w, fd[0], 2);
	}
	end(w, fd);
}

static void datagram_packets(struct world *w)
{
	begin(w);
	datagram_packets_of(w, AF_INET, 4101);
	datagram_packets_of(w, AF_INET6, 4102);
}
CASE(datagram_packets)

/* ---- departure times: without a discipline that looks at them they do nothing ------------------------------------- */

static void departure_of(struct world *w, int family, int type, uint16_t port)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI,
				      -1 };
	uint64_t when = 1;
	int fd[2];

	connected(w, family, type, port, fd);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		for (uint32_t flags = 0; flags < 5; flags++) {
			struct sock_txtime t = { clocks[i], flags };
			socklen_t len = sizeof(t);

			SAY(w, i_set(w, fd[0], SOL_SOCKET, SO_TXTIME, &t, sizeof(t)));
			SAY(w, i_set(w, fd[0], SOL_SOCKET, SO_TXTIME, &t, sizeof(t) - 4));
			SAY(w, i_set(w, fd[0], SOL_SOCKET, SO_TXTIME, &t, sizeof(t) + 4));
			SAY(w, wcall(w, SYS_GETSOCKOPT, (unsigned long)fd[0], SOL_SOCKET, SO_TXTIME,
				     P(&t), P(&len), 0));
			world_say(w, "clock", t.clockid);
			world_say(w, "flags", t.flags);
			world_say(w, "octets", len);
		}
		/* Long ago, and in three years. */
		SAY(w, send_with(w, fd[0], SOL_SOCKET, SCM_TXTIME, &when, sizeof(when)));
		when += 100000000000000000ULL;
		SAY(w, send_with(w, fd[0], SOL_SOCKET, SCM_TXTIME, &when, sizeof(when)));
		SAY(w, send_with(w, fd[0], SOL_SOCKET, SCM_TXTIME, &when, 4));
		settle(w);
		SAY(w, w_recv(w, fd[1], 100, 0));
		take(w, fd[1]);
	}
	say_errors(w, fd[0], 0);
	end(w, fd);
	connected(w, family, type, (uint16_t)(port + 1), fd);
	SAY(w, send_with(w, fd[0], SOL_SOCKET, SCM_TXTIME, &when, sizeof(when)));
	end(w, fd);
}

static void departure_times(struct world *w)
{
	begin(w);
	departure_of(w, AF_INET, SOCK_DGRAM, 4501);
	departure_of(w, AF_INET6, SOCK_DGRAM, 4503);
	departure_of(w, AF_INET, SOCK_STREAM, 4505);
}
CASE(departure_times)

/* ---- zero copy --------------------------------------------------------------------------------------------------- */

/* Over the loopback everything is copied at last, by the receiver. */
static void zero_copy_stream(struct world *w)
{
	static char big[100000];
	int fd[2];

	begin(w);
	connected(w, AF_INET, SOCK_STREAM, 4601, fd);
	SAY(w, w_send(w, fd[0], "not asked for", 13, MSG_ZEROCOPY));
	take(w, fd[1]);
	say_errors(w, fd[0], 0);
	SAY(w, w_setsockopt(w, fd[0], SO_ZEROCOPY, 2));
	SAY(w, w_setsockopt(w, fd[0], SO_ZEROCOPY, 1));
	SAY(w, w_getsockopt(w, fd[0], SO_ZEROCOPY));
	SAY(w, w_send(w, fd[0], "hello", 5, MSG_ZEROCOPY));
	settle(w);
	SAY(w, w_recv(w, fd[1], 100, 0));
	settle(w);
	SAY(w, w_poll(w, fd[0], POLL_ALL));
	say_errors(w, fd[0], 1);
	SAY(w, w_send(w, fd[0], "", 0, MSG_ZEROCOPY));
	SAY(w, w_send(w, fd[0], "usual", 5, 0));
	/* What is told of later is one range. */
	for (int i = 0; i < 3; i++) {
		SAY(w, w_send(w, fd[0], big, sizeof(big) / 10, MSG_ZEROCOPY));
		take(w, fd[1]);
	}
	if (w->native)
		usleep(100000);
	else
		weir_run(w->m, 100000000);
	say_errors(w, fd[0], 1);
	SAY(w, w_shutdown(w, fd[0], SHUT_WR));
	SAY(w, w_send(w, fd[0], "hello", 5, MSG_ZEROCOPY));
	SAY(w, w_setsockopt(w, fd[0], SO_ZEROCOPY, 0));
	SAY(w, w_getsockopt(w, fd[0], SO_ZEROCOPY));
	say_errors(w, fd[0], 0);
	end(w, fd);
}
CASE(zero_copy_stream)

/* What leaves is the program's memory as it is then, not as it was; and it is needed until it is acknowledged. */
static void zero_copy_is_no_copy(struct world *w)
{
	static char memory[3][64];
	struct iovec iov[3] = { { memory[0], 5 }, { memory[1], 0 }, { memory[2], 7 } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 3 };
	int fd[2], one = 1, zero = 0;

	begin(w);
	memset(memory, 'a', sizeof(memory));
	connected(w, AF_INET, SOCK_STREAM, 4621, fd);
	SAY(w, w_setsockopt(w, fd[0], SO_ZEROCOPY, 1));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &one, sizeof(one)));
	SAY(w, wcall(w, SYS_SENDMSG, (unsigned long)fd[0], P(&h), MSG_ZEROCOPY, 0, 0, 0));
	SAY(w, w_send(w, fd[0], "copied", 6, 0));
	settle(w);
	say_errors(w, fd[0], 0);
	memset(memory, 'b', sizeof(memory));
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &zero, sizeof(zero)));
	settle(w);
	SAY(w, w_recv(w, fd[1], 100, 0));
	settle(w);
	say_errors(w, fd[0], 1);
	/* A connection that ends has no need of it either. */
	SAY(w, i_set(w, fd[0], SOL_TCP, TCP_CORK, &one, sizeof(one)));
	SAY(w, w_send(w, fd[0], memory[0], 20, MSG_ZEROCOPY));
	end(w, fd);
}
CASE(zero_copy_is_no_copy)

static void zero_copy_datagrams(struct world *w)
{
	static char big[100000];
	int fd[2], raw, un;

	begin(w);
	for (int v6 = 0; v6 < 2; v6++) {
		connected(w, v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 4611, fd);
		SAY(w, w_setsockopt(w, fd[0], SO_ZEROCOPY, 1));
		SAY(w, w_send(w, fd[0], "hello", 5, MSG_ZEROCOPY));
		settle(w);
		say_errors(w, fd[0], 1);
		SAY(w, w_send(w, fd[0], "", 0, MSG_ZEROCOPY));
		SAY(w, w_send(w, fd[0], big, sizeof(big), MSG_ZEROCOPY));
		settle(w);
		say_errors(w, fd[0], 1);
		SAY(w, w_send(w, fd[0], "hello", 5, MSG_ZEROCOPY));
		settle(w);
		say_errors(w, fd[0], 1);
		end(w, fd);
	}
	raw = (int)wcall(w, SYS_SOCKET, AF_INET, SOCK_RAW, 253, 0, 0, 0);
	un = w_socket(w, SOCK_STREAM);
	SAY(w, w_setsockopt(w, raw, SO_ZEROCOPY, 1));
	SAY(w, w_setsockopt(w, un, SO_ZEROCOPY, 1));
	w_close(w, raw);
	w_close(w, un);
}
CASE(zero_copy_datagrams)

/* ---- extensions of ICMP errors (RFC 4884) --------------------------------------------------------------------------- */

#define PORT_FROM 4201
#define PORT_TO   4202

/* An ICMP error about a datagram from PORT_FROM to PORT_TO. */
struct icmp_case {
	uint8_t type, code;
	uint8_t words;   /* length field: 32 bits each, of ICMPv6 64 */
	uint16_t quoted; /* octets of the datagram, IP header included, with zeros after it */
	uint8_t ext[16]; /* what follows */
	uint8_t ext_len;
};

static uint16_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n & 1)
		sum += (uint32_t)(p[n - 1] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* 0xee 0xee where the checksum of an extension belongs: the right one */
static size_t icmp_build(const struct icmp_case *c, int family, uint8_t *buf)
{
	size_t iplen = family == AF_INET ? 20 : 40, n = 8u + c->quoted + c->ext_len;
	uint8_t *ip = buf + 8, *udp = ip + iplen, *ext = ip + c->quoted;
	uint16_t sum;

	memset(buf, 0, n);
	buf[0] = c->type;
	buf[1] = c->code;
	buf[family == AF_INET ? 5 : 4] = c->words;
	if (family == AF_INET) {
		const uint8_t h[20] = { 0x45, 0, 0,   200, 0, 1, 0,   0, 64, 17,
					0,    0, 127, 0,   0, 1, 127, 0, 0,  1 };

		memcpy(ip, h, sizeof(h));
		sum = (uint16_t)~sum16(ip, 20, 0);
		ip[10] = (uint8_t)(sum >> 8);
		ip[11] = (uint8_t)sum;
	} else {
		ip[0] = 0x60;
		ip[5] = 160;
		ip[6] = 17;
		ip[7] = 64;
		ip[23] = ip[39] = 1; /* ::1 */
	}
	udp[0] = PORT_FROM >> 8;
	udp[1] = PORT_FROM & 0xff;
	udp[2] = PORT_TO >> 8;
	udp[3] = PORT_TO & 0xff;
	udp[5] = 180;
	memcpy(ext, c->ext, c->ext_len);
	if (c->ext_len >= 4 && ext[2] == 0xee && ext[3] == 0xee) {
		ext[2] = ext[3] = 0;
		sum = (uint16_t)~sum16(ext, c->ext_len, 0);
		ext[2] = (uint8_t)(sum >> 8);
		ext[3] = (uint8_t)sum;
	}
	if (family == AF_INET) { /* ICMPv6's is filled in by the socket */
		sum = (uint16_t)~sum16(buf, n, 0);
		buf[2] = (uint8_t)(sum >> 8);
		buf[3] = (uint8_t)sum;
	}
	return n;
}

#define OBJECT      0x20, 0, 0xee, 0xee, 0, 8, 2, 15, 1, 2, 3, 4
#define UNREACH(v6) (uint8_t)((v6) ? 1 : 3), (uint8_t)((v6) ? 4 : 3)

static void icmp_extensions_of(struct world *w, int family)
{
	const bool v6 = family == AF_INET6;
	const uint8_t u = v6 ? 8 : 4; /* octets of one unit of the length field */
	const uint8_t exceeded = v6 ? 3 : 11, problem = v6 ? 4 : 12;
	const struct icmp_case cases[] = {
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { OBJECT }, 12 },
		{ exceeded, 0, (uint8_t)(128 / u), 128, { OBJECT }, 12 },
		{ problem, 0, (uint8_t)(128 / u), 128, { OBJECT }, 12 },
		{ UNREACH(v6), 0, 128, { OBJECT }, 12 },
		{ UNREACH(v6), (uint8_t)(160 / u), 160, { OBJECT }, 12 },
		{ UNREACH(v6), (uint8_t)(120 / u), 120, { OBJECT }, 12 },
		{ UNREACH(v6), (uint8_t)(136 / u), 128, { OBJECT }, 12 },
		{ UNREACH(v6), (uint8_t)(240 / u), 128, { OBJECT }, 12 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0 }, 0 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 0xee, 0xee }, 4 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 0 }, 3 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 0, 0, 0, 4, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 1, 2, 0, 4, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x10, 0, 0xee, 0xee, 0, 4, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x10, 0, 1, 2, 0, 4, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x10, 0, 0xee, 0xee, 0, 3, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 0xee, 0xee, 0, 3, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 0xee, 0xee, 0, 12, 1, 1 }, 8 },
		{ UNREACH(v6), (uint8_t)(128 / u), 128, { 0x20, 0, 0xee, 0xee, 0, 5, 1, 1, 9 }, 9 },
		{ UNREACH(v6),
		  (uint8_t)(128 / u),
		  128,
		  { 0x20, 0, 0xee, 0xee, 0, 4, 1, 1, 0, 4 },
		  10 },
	};
	struct sockaddr_storage from, to;
	socklen_t from_len = lo_address(family, PORT_FROM, &from);
	socklen_t to_len = lo_address(family, PORT_TO, &to), any_len;
	int level = v6 ? SOL_IPV6 : SOL_IP, u_fd, raw;
	struct sockaddr_storage any;
	uint8_t buf[512];

	u_fd = i_socket_of(w, family, SOCK_DGRAM);
	SAY(w, wcall(w, SYS_BIND, (unsigned long)u_fd, P(&from), from_len, 0, 0, 0));
	SAY(w, wcall(w, SYS_CONNECT, (unsigned long)u_fd, P(&to), to_len, 0, 0, 0));
	SAY(w, i_set_int(w, u_fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, 1));
	raw = (int)wcall(w, SYS_SOCKET, (unsigned long)family, SOCK_RAW,
			 v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 0, 0, 0);
	assert_true(raw >= 0);
	any_len = lo_address(family, 0, &any);
	for (int on = 0; on < 2; on++) {
		SAY(w, i_set(w, u_fd, level, v6 ? 31 : 26, &on, sizeof(on)));
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			size_t n = icmp_build(&cases[i], family, buf);

			world_say(w, "case", (long)i);
			SAY(w, wcall(w, SYS_SENDTO, (unsigned long)raw, P(buf), n, 0, P(&any),
				     any_len));
			settle(w);
			while (say_error(w, u_fd))
				;
		}
	}
	w_close(w, raw);
	w_close(w, u_fd);
}

static void icmp_extensions(struct world *w)
{
	begin(w);
	icmp_extensions_of(w, AF_INET);
}
CASE(icmp_extensions)

static void icmpv6_extensions(struct world *w)
{
	begin(w);
	icmp_extensions_of(w, AF_INET6);
}
CASE(icmpv6_extensions)

/* ---- IP_PKTOPTIONS, IPV6_2292PKTOPTIONS: what a stream's packets had ------------------------------------------------- */

static void say_pktoptions(struct world *w, const char *what, int fd, int family)
{
	int level = family == AF_INET ? SOL_IP : SOL_IPV6;
	int name = family == AF_INET ? IP_PKTOPTIONS : IPV6_2292PKTOPTIONS;
	uint8_t buf[512] __attribute__((aligned(8)));
	socklen_t len = sizeof(buf);
	long r = wcall(w, SYS_GETSOCKOPT, (unsigned long)fd, (unsigned long)level,
		       (unsigned long)name, P(buf), P(&len), 0);
	struct msghdr h = { .msg_control = buf, .msg_controllen = len };

	world_say(w, what, r);
	world_say(w, "octets", (long)len);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_FLOWINFO_)
			CMSG_DATA(c)[1] &= 0xf0, CMSG_DATA(c)[2] = CMSG_DATA(c)[3] = 0; /* random */
		say_cmsg(w, c);
	}
}

/* @old: those of RFC 2292 */
static void ask_headers(struct world *w, int fd, int family, bool old)
{
	int level = family == AF_INET ? SOL_IP : SOL_IPV6;

	if (family == AF_INET) {
		SAY(w, i_set_int(w, fd, level, IP_PKTINFO, 1));
		SAY(w, i_set_int(w, fd, level, IP_RECVTTL, 1));
		SAY(w, i_set_int(w, fd, level, IP_RECVTOS, 1));
		SAY(w, i_set_int(w, fd, level, IP_RECVOPTS, 1));
	} else {
		SAY(w, i_set_int(w, fd, level, old ? IPV6_2292PKTINFO : IPV6_RECVPKTINFO, 1));
		SAY(w, i_set_int(w, fd, level, old ? IPV6_2292HOPLIMIT : IPV6_RECVHOPLIMIT, 1));
		SAY(w, i_set_int(w, fd, level, IPV6_RECVTCLASS, 1));
		SAY(w, i_set_int(w, fd, level, IPV6_FLOWINFO_, 1));
	}
}

static void set_headers(struct world *w, int fd, int family, int ttl, int tos)
{
	bool v4 = family == AF_INET;

	i_set_int(w, fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, ttl);
	i_set_int(w, fd, v4 ? SOL_IP : SOL_IPV6, v4 ? IP_TOS : IPV6_TCLASS, tos);
}

/* @when: 0: the listener asks, 1: both ask later, 2: the listener asks in the old way, 3: listener and client ask */
static void pktoptions_of(struct world *w, int family, int when)
{
	struct sockaddr_storage ss;
	socklen_t len = lo_address(family, (uint16_t)(4300 + when), &ss);
	int l = i_socket_of(w, family, SOCK_STREAM), c = i_socket_of(w, family, SOCK_STREAM), a;

	assert_int_equal(wcall(w, SYS_BIND, (unsigned long)l, P(&ss), len, 0, 0, 0), 0);
	set_headers(w, c, family, 33, 0x28);
	if (when != 1)
		ask_headers(w, l, family, when == 2);
	say_pktoptions(w, "bound", l, family);
	w_listen(w, l, 5);
	say_pktoptions(w, "listening", l, family);
	if (when == 3)
		ask_headers(w, c, family, true);
	wcall(w, SYS_CONNECT, (unsigned long)c, P(&ss), len, 0, 0, 0);
	settle(w);
	a = w_accept(w, l);
	assert_true(a >= 0);
	say_pktoptions(w, "accepted", a, family);
	say_pktoptions(w, "connected", c, family);
	if (when == 1) {
		ask_headers(w, a, family, false);
		ask_headers(w, c, family, false);
		say_pktoptions(w, "accepted", a, family);
		say_pktoptions(w, "connected", c, family);
		ask_headers(w, a, family, true);
		say_pktoptions(w, "in both ways", a, family);
	}
	set_headers(w, c, family, 44, 0x48);
	SAY(w, i_send(w, c, "x"));
	say_pktoptions(w, "data came", a, family);
	take(w, a);
	SAY(w, i_send(w, a, "x"));
	say_pktoptions(w, "answer came", c, family);
	for (len = 0; len < 70; len += 7) {
		uint8_t buf[128] __attribute__((aligned(8)));
		socklen_t n = len;

		SAY(w, wcall(w, SYS_GETSOCKOPT, (unsigned long)a,
			     family == AF_INET ? SOL_IP : SOL_IPV6,
			     family == AF_INET ? IP_PKTOPTIONS : IPV6_2292PKTOPTIONS, P(buf), P(&n),
			     0));
		world_say(w, "octets", n);
	}
	i_stream_end(w, c);
	i_stream_end(w, a);
	w_close(w, l);
}

static void pktoptions(struct world *w)
{
	begin(w);
	for (int when = 0; when < 4; when++)
		pktoptions_of(w, AF_INET, when);
}
CASE(pktoptions)

static void pktoptions_v6(struct world *w)
{
	begin(w);
	for (int when = 0; when < 4; when++)
		pktoptions_of(w, AF_INET6, when);
}
CASE(pktoptions_v6)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_stamps_as_natively),
		cmocka_unit_test(stream_identifiers_as_natively),
		cmocka_unit_test(stream_boundaries_as_natively),
		cmocka_unit_test(stream_bulk_as_natively),
		cmocka_unit_test(stream_stats_as_natively),
		cmocka_unit_test(stream_packets_as_natively),
		cmocka_unit_test(stream_control_messages_as_natively),
		cmocka_unit_test(stamp_refusals_as_natively),
		cmocka_unit_test(datagram_packets_as_natively),
		cmocka_unit_test(departure_times_as_natively),
		cmocka_unit_test(zero_copy_stream_as_natively),
		cmocka_unit_test(zero_copy_is_no_copy_as_natively),
		cmocka_unit_test(zero_copy_datagrams_as_natively),
		cmocka_unit_test(icmp_extensions_as_natively),
		cmocka_unit_test(icmpv6_extensions_as_natively),
		cmocka_unit_test(pktoptions_as_natively),
		cmocka_unit_test(pktoptions_v6_as_natively),
	};

	if (own_namespace()) {
		fprintf(stderr, "no network namespace of its own: nothing to compare with\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
