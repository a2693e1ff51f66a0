/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmsg_compare.c - control messages and error queues of datagram sockets, told line by line
 *
 * "cmsg_compare kernel" asks the kernel, "cmsg_compare weir" the library; compare-test compares the lines. A line is
 * KIND/PART/... = what happened. The parts: "receive" (each option that asks for control messages, on each kind of packet), "room"
 * (all of them, with buffers of all sizes), "send" (each control message in each length and value, and what comes of it), "error"
 * (what brings an error to the socket, and how the error queue is read). Each line has sockets of its own. Times are told as "set".
 */
#include "tests/api/any_socket.h"

#include <linux/errqueue.h>

#include <asm/socket.h>

#define HERE_PORT  5001 /* of who receives */
#define THERE_PORT 5002 /* of who sends */
#define NOBODY     5003
#define LO_MTU     1500 /* so that there are fragments */

#define SO_RCVMARK_       75
#define SO_RCVPRIORITY_   82
#define SCM_TS_OPT_ID_    81
#define IPV6_FLOWINFO_    11
#define UDP_SEGMENT_      103
#define IPOPT_TS_         68
#define IP_RECVERR4884_   26
#define IPV6_RECVERR4884_ 31

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

static const struct kind {
	const char *name;
	int family, type, protocol;
	bool mapped; /* IPv4 through a socket of AF_INET6 */
	bool echo;   /* what it sends comes back to it */
} kinds[] = {
	{ "udp", AF_INET, SOCK_DGRAM, 0, false, false },
	{ "udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, false, false },
	{ "raw", AF_INET, SOCK_RAW, 253, false, false }, /* RFC 3692: for experiments */
	{ "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP, false, true },
	{ "udp6", AF_INET6, SOCK_DGRAM, 0, false, false },
	{ "udplite6", AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, false, false },
	{ "raw6", AF_INET6, SOCK_RAW, 253, false, false },
	{ "ping6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, false, true },
	{ "udp6-mapped", AF_INET6, SOCK_DGRAM, 0, true, false },
};

static bool is_v4(const struct kind *k)
{
	return k->family == AF_INET || k->mapped;
}

static union address address_of(const struct kind *k, const char *text, uint16_t port)
{
	union address a = { 0 };

	a.sa.sa_family = (sa_family_t)k->family;
	if (k->family == AF_INET) {
		a.in.sin_port = htons(port);
		inet_pton(AF_INET, text, &a.in.sin_addr);
		return a;
	}
	/* The port of a raw address over IPv6 is a protocol, which is the socket's own. */
	a.in6.sin6_port = k->type == SOCK_RAW ? 0 : htons(port);
	if (k->mapped) {
		a.in6.sin6_addr.s6_addr[10] = a.in6.sin6_addr.s6_addr[11] = 0xff;
		inet_pton(AF_INET, text, a.in6.sin6_addr.s6_addr + 12);
	} else {
		inet_pton(AF_INET6, text, &a.in6.sin6_addr);
	}
	if (IN6_IS_ADDR_MULTICAST(&a.in6.sin6_addr))
		a.in6.sin6_scope_id = 1;
	return a;
}

static const char *loopback_of(const struct kind *k)
{
	return is_v4(k) ? "127.0.0.1" : "::1";
}

static struct any open_at(const struct kind *k, const char *text, uint16_t port)
{
	union address a = address_of(k, text, port);
	struct any s = { .fd = -1 };
	long r;

	if (any_socket(&s, k->family, k->type, k->protocol)) {
		fprintf(stderr, "%s: no socket\n", k->name);
		exit(1);
	}
	r = any_bind(s, &a);
	if (r) {
		fprintf(stderr, "%s: bind %s: %s\n", k->name, text, error_name(r));
		exit(1);
	}
	return s;
}

static void set_int(struct any s, int level, int name, int val)
{
	any_set(s, level, name, &val, sizeof(val));
}

/* ---- options that ask for control messages ---------------------------------------------------------------------------- */

static const struct ask {
	const char *name;
	int level, number, val;
} asks[] = {
#define A(level, name)                                                                             \
	{                                                                                          \
#name, level, name, 1                                                              \
	}
	A(SOL_IP, IP_PKTINFO),
	A(SOL_IP, IP_RECVTTL),
	A(SOL_IP, IP_RECVTOS),
	A(SOL_IP, IP_RECVOPTS),
	A(SOL_IP, IP_RETOPTS),
	A(SOL_IP, IP_ORIGDSTADDR),
	A(SOL_IP, IP_CHECKSUM),
	A(SOL_IP, IP_RECVFRAGSIZE),
	A(SOL_IPV6, IPV6_RECVPKTINFO),
	A(SOL_IPV6, IPV6_2292PKTINFO),
	A(SOL_IPV6, IPV6_RECVHOPLIMIT),
	A(SOL_IPV6, IPV6_2292HOPLIMIT),
	A(SOL_IPV6, IPV6_RECVTCLASS),
	{ "IPV6_FLOWINFO", SOL_IPV6, IPV6_FLOWINFO_, 1 },
	A(SOL_IPV6, IPV6_RECVHOPOPTS),
	A(SOL_IPV6, IPV6_2292HOPOPTS),
	A(SOL_IPV6, IPV6_RECVDSTOPTS),
	A(SOL_IPV6, IPV6_2292DSTOPTS),
	A(SOL_IPV6, IPV6_RECVRTHDR),
	A(SOL_IPV6, IPV6_2292RTHDR),
	A(SOL_IPV6, IPV6_RECVPATHMTU),
	A(SOL_IPV6, IPV6_ORIGDSTADDR),
	A(SOL_IPV6, IPV6_RECVFRAGSIZE),
	A(SOL_SOCKET, SO_TIMESTAMP_OLD),
	A(SOL_SOCKET, SO_TIMESTAMP_NEW),
	A(SOL_SOCKET, SO_TIMESTAMPNS_OLD),
	A(SOL_SOCKET, SO_TIMESTAMPNS_NEW),
	{ "SO_TIMESTAMPING_OLD", SOL_SOCKET, SO_TIMESTAMPING_OLD, 0x18 },
	{ "SO_TIMESTAMPING_NEW", SOL_SOCKET, SO_TIMESTAMPING_NEW, 0x18 },
	A(SOL_SOCKET, SO_RXQ_OVFL),
	A(SOL_SOCKET, SO_WIFI_STATUS),
	A(SOL_SOCKET, SO_PASSCRED),
	{ "SO_RCVMARK", SOL_SOCKET, SO_RCVMARK_, 1 },
	{ "SO_RCVPRIORITY", SOL_SOCKET, SO_RCVPRIORITY_, 1 },
};

/* All at once; of the time, one of each size. IP_CHECKSUM is for itself: it says what the device did. */
static void ask_all(struct any s)
{
	for (size_t i = 0; i < ARRAY_SIZE(asks); i++)
		if (asks[i].number != IP_CHECKSUM && asks[i].number != SO_TIMESTAMP_NEW &&
		    asks[i].number != SO_TIMESTAMPNS_OLD && asks[i].number != SO_TIMESTAMPNS_NEW &&
		    asks[i].number != SO_TIMESTAMPING_NEW)
			set_int(s, asks[i].level, asks[i].number, asks[i].val);
}

/* ---- what a message says ------------------------------------------------------------------------------------------------ */

static void tell_octets(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
}

static bool is_time(const struct cmsghdr *c)
{
	return c->cmsg_level == SOL_SOCKET &&
	       (c->cmsg_type == SO_TIMESTAMP_OLD || c->cmsg_type == SO_TIMESTAMP_NEW ||
		c->cmsg_type == SO_TIMESTAMPNS_OLD || c->cmsg_type == SO_TIMESTAMPNS_NEW ||
		c->cmsg_type == SO_TIMESTAMPING_OLD || c->cmsg_type == SO_TIMESTAMPING_NEW);
}

/* What belongs to the run: flow labels are random, an IPv4 checksum covers an identification that is; the time in an IP option. */
static bool is_random(const struct cmsghdr *c)
{
	bool options = c->cmsg_type == IP_RECVOPTS || c->cmsg_type == IP_RETOPTS;

	return (c->cmsg_level == SOL_IP &&
		(c->cmsg_type == IP_CHECKSUM || (options && *CMSG_DATA(c) == IPOPT_TS_))) ||
	       (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_FLOWINFO_);
}

static void tell_cmsg(const struct cmsghdr *c)
{
	size_t n = c->cmsg_len - CMSG_LEN(0);
	const uint8_t *p = CMSG_DATA(c);

	printf(" [%d %d %zu ", c->cmsg_level, c->cmsg_type, n);
	if (is_time(c) || is_random(c))
		printf("set");
	else
		tell_octets(p, n);
	printf("]");
}

/* What recvmsg() gives with @data octets for the message and @room for its control messages. */
static long tell_message(struct any s, size_t data, size_t room, int flags)
{
	union address name;
	uint8_t in[4096], control[2048] __attribute__((aligned(8)));
	struct iovec iov = { in, data };
	struct msghdr msg = { .msg_name = &name,
			      .msg_namelen = sizeof(name),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = room };
	long r;

	memset(&name, 0xee, sizeof(name));
	memset(control, 0xee, sizeof(control));
	r = any_recvmsg(s, &msg, flags | MSG_DONTWAIT);
	if (r < 0) {
		printf(" %s", error_name(r));
		return r;
	}
	printf(" %ld flags %x name ", r, (unsigned)msg.msg_flags);
	tell_octets((const uint8_t *)&name, msg.msg_namelen);
	if (flags & MSG_ERRQUEUE) {
		printf(" data ");
		tell_octets(in, (size_t)r < 8 ? (size_t)r : 8);
	}
	printf(" room %zu", msg.msg_controllen);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		tell_cmsg(c);
	return r;
}

static long send_to(const struct kind *k, struct any s, const union address *to, size_t len,
		    const void *control, size_t control_len)
{
	static const char request[] = "\x08\0\0\0\0\0\0\1";
	static char out[70000];
	struct iovec iov = { out, len };
	struct msghdr msg = { .msg_name = to ? (void *)(uintptr_t)&to->sa : NULL,
			      .msg_namelen = to ? address_len(to) : 0,
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = (void *)(uintptr_t)control,
			      .msg_controllen = control_len };
	long r;

	memcpy(out, request, sizeof(request));
	if (k->family == AF_INET6)
		out[0] = (char)128;
	r = any_sendmsg(s, &msg, MSG_DONTWAIT);
	settle();
	return r;
}

/* ---- receiving ---------------------------------------------------------------------------------------------------------- */

static const uint8_t record_route[] = { 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
static const uint8_t timestamp_option[] = { 68, 12, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
static const uint8_t padding_header[] = { 0, 0, 1, 4, 0, 0, 0, 0 };
static const uint8_t long_header[] = { 0, 1, 0x1e, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const uint8_t routing_header[] = { 0, 2, 2, 1, 0, 0, 0, 0, [23] = 1 };

static const struct packet {
	const char *name;
	bool v4;
	const char *to; /* NULL: the loopback address */
	size_t len;
	struct {
		int level, number;
		const void *val;
		socklen_t len;
	} set[4];
} packets[] = {
#define INT(v)    &(int){ v }, 4
#define OCTETS(a) a, sizeof(a)
	{ "plain", true, NULL, 10, { { 0 } } },
	{ "empty", true, NULL, 0, { { 0 } } },
	{ "ttl", true, NULL, 10, { { SOL_IP, IP_TTL, INT(33) } } },
	{ "tos", true, NULL, 10, { { SOL_IP, IP_TOS, INT(0xb8) } } },
	{ "mark",
	  true,
	  NULL,
	  10,
	  { { SOL_SOCKET, SO_MARK, INT(7) }, { SOL_SOCKET, SO_PRIORITY, INT(5) } } },
	{ "record-route", true, NULL, 10, { { SOL_IP, IP_OPTIONS, OCTETS(record_route) } } },
	{ "router-alert", true, NULL, 10, { { SOL_IP, IP_OPTIONS, "\x94\x04\0", 4 } } },
	{ "nop", true, NULL, 10, { { SOL_IP, IP_OPTIONS, "\1\1\1\1", 4 } } },
	{ "fragments", true, NULL, 4000, { { 0 } } },
	{ "other", true, "127.0.0.2", 10, { { 0 } } },
	{ "broadcast", true, "127.255.255.255", 10, { { SOL_SOCKET, SO_BROADCAST, INT(1) } } },

	{ "plain", false, NULL, 10, { { 0 } } },
	{ "empty", false, NULL, 0, { { 0 } } },
	{ "hops", false, NULL, 10, { { SOL_IPV6, IPV6_UNICAST_HOPS, INT(33) } } },
	{ "tclass", false, NULL, 10, { { SOL_IPV6, IPV6_TCLASS, INT(0xb9) } } },
	{ "mark",
	  false,
	  NULL,
	  10,
	  { { SOL_SOCKET, SO_MARK, INT(7) }, { SOL_SOCKET, SO_PRIORITY, INT(5) } } },
	{ "hop-by-hop", false, NULL, 10, { { SOL_IPV6, IPV6_HOPOPTS, OCTETS(padding_header) } } },
	{ "destination", false, NULL, 10, { { SOL_IPV6, IPV6_DSTOPTS, OCTETS(long_header) } } },
	{ "three",
	  false,
	  NULL,
	  10,
	  { { SOL_IPV6, IPV6_HOPOPTS, OCTETS(long_header) },
	    { SOL_IPV6, IPV6_DSTOPTS, OCTETS(padding_header) } } },
	{ "fragments", false, NULL, 4000, { { 0 } } },
	{ "group", false, "ff02::1", 10, { { 0 } } },
};

/* Sends @p; what was sent comes to *@ret_in, which the caller closes after *@ret_out. -1: not for this kind */
static long open_both(const struct kind *k, const struct packet *p, struct any *ret_in,
		      struct any *ret_out)
{
	const char *to = p->to ? p->to : loopback_of(k);
	bool bound = !p->to;

	if (p->v4 != is_v4(k) || (k->echo && (p->to || p->len < 8)))
		return -1;
	*ret_out = open_at(k, loopback_of(k), THERE_PORT);
	*ret_in = k->echo ? *ret_out
			  : open_at(k,
				    bound      ? to
				    : is_v4(k) ? "0.0.0.0"
					       : "::",
				    HERE_PORT);
	for (size_t i = 0; i < ARRAY_SIZE(p->set) && p->set[i].len; i++)
		any_set(*ret_out, p->set[i].level, p->set[i].number, p->set[i].val, p->set[i].len);
	return 0;
}

static long send_packet(const struct kind *k, const struct packet *p, struct any out)
{
	union address to = address_of(k, p->to ? p->to : loopback_of(k), HERE_PORT);

	return send_to(k, out, &to, p->len, NULL, 0);
}

static void close_both(const struct kind *k, struct any in, struct any out)
{
	any_close(out);
	if (!k->echo)
		any_close(in);
}

static void tell_receive(const struct kind *k, const struct packet *p)
{
	struct any in, out;

	for (size_t i = 0; i <= ARRAY_SIZE(asks); i++) {
		if (open_both(k, p, &in, &out))
			return;
		if (i < ARRAY_SIZE(asks))
			set_int(in, asks[i].level, asks[i].number, asks[i].val);
		else
			ask_all(in);
		printf("%s/receive/%s/%s =", k->name, p->name,
		       i < ARRAY_SIZE(asks) ? asks[i].name : "all");
		printf(" %s", error_name(send_packet(k, p, out)));
		tell_message(in, 64, 1024, 0);
		printf("\n");
		close_both(k, in, out);
	}
}

/* Every size of buffer; the two headers of the richest packet are cut in all their parts. */
static void tell_room(const struct kind *k, const struct packet *p)
{
	struct any in, out;

	for (size_t room = 0; room <= 600; room += room < 100 ? 1 : 4) {
		if (open_both(k, p, &in, &out))
			return;
		ask_all(in);
		printf("%s/room/%s/%zu =", k->name, p->name, room);
		send_packet(k, p, out);
		tell_message(in, 64, room, 0);
		printf("\n");
		close_both(k, in, out);
	}
}

/* ---- sending ------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int level, type;
} messages[] = {
#define M(level, name)                                                                             \
	{                                                                                          \
#name, level, name                                                                 \
	}
	M(SOL_IP, IP_TOS),
	M(SOL_IP, IP_TTL),
	M(SOL_IP, IP_RETOPTS),
	M(SOL_IP, IP_PKTINFO),
	{ "IP_PROTOCOL", SOL_IP, 52 },
	M(SOL_IP, IP_RECVTTL),
	M(SOL_IPV6, IPV6_PKTINFO),
	M(SOL_IPV6, IPV6_2292PKTINFO),
	M(SOL_IPV6, IPV6_HOPLIMIT),
	M(SOL_IPV6, IPV6_2292HOPLIMIT),
	M(SOL_IPV6, IPV6_TCLASS),
	M(SOL_IPV6, IPV6_DONTFRAG),
	{ "IPV6_FLOWINFO", SOL_IPV6, IPV6_FLOWINFO_ },
	M(SOL_IPV6, IPV6_HOPOPTS),
	M(SOL_IPV6, IPV6_2292HOPOPTS),
	M(SOL_IPV6, IPV6_DSTOPTS),
	M(SOL_IPV6, IPV6_2292DSTOPTS),
	M(SOL_IPV6, IPV6_RTHDRDSTOPTS),
	M(SOL_IPV6, IPV6_RTHDR),
	M(SOL_IPV6, IPV6_2292RTHDR),
	M(SOL_IPV6, IPV6_NEXTHOP),
	M(SOL_SOCKET, SO_MARK),
	M(SOL_SOCKET, SO_PRIORITY),
	M(SOL_SOCKET, SO_TIMESTAMPING_OLD),
	M(SOL_SOCKET, SO_TIMESTAMPING_NEW),
	M(SOL_SOCKET, SO_TXTIME),
	M(SOL_SOCKET, SCM_RIGHTS),
	M(SOL_SOCKET, SCM_CREDENTIALS),
	{ "SCM_TS_OPT_ID", SOL_SOCKET, SCM_TS_OPT_ID_ },
	{ "SOL_SOCKET.99", SOL_SOCKET, 99 },
	{ "UDP_SEGMENT", IPPROTO_UDP, UDP_SEGMENT_ },
	{ "SOL_UDP.99", IPPROTO_UDP, 99 },
	{ "SOL_TCP.1", IPPROTO_TCP, 1 },
	{ "level-77", 77, 1 },
};

static const struct {
	const char *name;
	int level, type;
	const void *val;
	socklen_t len;
} shaped[] = {
#define INFO4(index, spec, addr) &(struct in_pktinfo){ index, { spec }, { addr } }, 12
#define INFO6(index, ...)        &(struct in6_pktinfo){ { { { __VA_ARGS__ } } }, index }, 20
#define MAPPED(...)              [10] = 0xff, [11] = 0xff, [12] = __VA_ARGS__
	{ "pktinfo/none", SOL_IP, IP_PKTINFO, INFO4(0, 0, 0) },
	{ "pktinfo/device", SOL_IP, IP_PKTINFO, INFO4(1, 0, 0) },
	{ "pktinfo/no-device", SOL_IP, IP_PKTINFO, INFO4(77, 0, 0) },
	{ "pktinfo/source", SOL_IP, IP_PKTINFO, INFO4(0, 0x0500007f, 0) },
	{ "pktinfo/foreign", SOL_IP, IP_PKTINFO, INFO4(0, 0x01020304, 0) },
	{ "pktinfo/group", SOL_IP, IP_PKTINFO, INFO4(0, 0x010000e0, 0) },
	{ "pktinfo/broadcast", SOL_IP, IP_PKTINFO, INFO4(0, 0xffffffff, 0) },
	{ "pktinfo/addr", SOL_IP, IP_PKTINFO, INFO4(0, 0, 0x0500007f) },
	{ "pktinfo6/none", SOL_IPV6, IPV6_PKTINFO, INFO6(0, 0) },
	{ "pktinfo6/device", SOL_IPV6, IPV6_PKTINFO, INFO6(1, 0) },
	{ "pktinfo6/no-device", SOL_IPV6, IPV6_PKTINFO, INFO6(77, 0) },
	{ "pktinfo6/negative", SOL_IPV6, IPV6_PKTINFO, INFO6(0xffffffff, 0) },
	{ "pktinfo6/source", SOL_IPV6, IPV6_PKTINFO, INFO6(0, [15] = 1) },
	{ "pktinfo6/source-device", SOL_IPV6, IPV6_PKTINFO, INFO6(1, [15] = 1) },
	{ "pktinfo6/foreign", SOL_IPV6, IPV6_PKTINFO, INFO6(0, 0x20, 1, [15] = 1) },
	{ "pktinfo6/link-local", SOL_IPV6, IPV6_PKTINFO, INFO6(0, 0xfe, 0x80, [15] = 1) },
	{ "pktinfo6/group", SOL_IPV6, IPV6_PKTINFO, INFO6(0, 0xff, 2, [15] = 1) },
	{ "pktinfo6/mapped", SOL_IPV6, IPV6_PKTINFO, INFO6(0, MAPPED(127, 0, 0, 5)) },
	{ "pktinfo6/mapped-device", SOL_IPV6, IPV6_PKTINFO, INFO6(1, MAPPED(127, 0, 0, 5)) },
	{ "pktinfo6/mapped-foreign", SOL_IPV6, IPV6_PKTINFO, INFO6(0, MAPPED(9, 0, 0, 5)) },
	{ "options/record-route", SOL_IP, IP_RETOPTS, OCTETS(record_route) },
	{ "options/timestamp", SOL_IP, IP_RETOPTS, OCTETS(timestamp_option) },
	{ "options/nop", SOL_IP, IP_RETOPTS, "\1\1\1\1", 4 },
	{ "options/bad", SOL_IP, IP_RETOPTS, "\x07\x02\x04\0", 4 },
	{ "options/long", SOL_IP, IP_RETOPTS,
	  "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1",
	  41 },
	{ "hop-by-hop/padding", SOL_IPV6, IPV6_HOPOPTS, OCTETS(padding_header) },
	{ "hop-by-hop/long", SOL_IPV6, IPV6_HOPOPTS, OCTETS(long_header) },
	{ "hop-by-hop/too-long", SOL_IPV6, IPV6_HOPOPTS, long_header, 8 },
	{ "hop-by-hop/2292", SOL_IPV6, IPV6_2292HOPOPTS, OCTETS(padding_header) },
	{ "destination/padding", SOL_IPV6, IPV6_DSTOPTS, OCTETS(padding_header) },
	{ "destination/long", SOL_IPV6, IPV6_DSTOPTS, OCTETS(long_header) },
	{ "destination/2292", SOL_IPV6, IPV6_2292DSTOPTS, OCTETS(padding_header) },
	{ "destination/first", SOL_IPV6, IPV6_RTHDRDSTOPTS, OCTETS(padding_header) },
	{ "routing/type-2", SOL_IPV6, IPV6_RTHDR, OCTETS(routing_header) },
	{ "routing/type-0", SOL_IPV6, IPV6_RTHDR,
	  "\0\2\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24 },
};

static const socklen_t lengths[] = { 0, 1, 2, 3, 4, 5, 8, 12, 20, 24 };
static const int values[] = { 0, 1, -1, 33, 255, 256, 0x12345678 };

/* Sends with @control; a second message, without, says what stays. */
static void tell_sent(const struct kind *k, const void *control, size_t len)
{
	static const struct packet plain4 = { "plain", true, NULL, 10, { { 0 } } },
				   plain6 = { "plain", false, NULL, 10, { { 0 } } };
	union address to = address_of(k, loopback_of(k), HERE_PORT);
	struct any in, out;

	open_both(k, is_v4(k) ? &plain4 : &plain6, &in, &out);
	ask_all(in);
	for (int i = 0; i < 2; i++) {
		printf(" %s",
		       error_name(send_to(k, out, &to, 10, i ? NULL : control, i ? 0 : len)));
		tell_message(in, 64, 1024, 0);
	}
	printf("\n");
	close_both(k, in, out);
}

static size_t put(uint8_t *control, size_t at, int level, int type, const void *val, size_t len)
{
	struct cmsghdr c = { .cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type };

	memcpy(control + at, &c, sizeof(c));
	memcpy(control + at + CMSG_LEN(0), val, len);
	return at + CMSG_SPACE(len);
}

static void tell_send(const struct kind *k)
{
	uint8_t control[256] __attribute__((aligned(8))), val[32];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(messages) * ARRAY_SIZE(lengths) * ARRAY_SIZE(values);
	     i++) {
		size_t m = i / ARRAY_SIZE(values) / ARRAY_SIZE(lengths);
		size_t n = lengths[i / ARRAY_SIZE(values) % ARRAY_SIZE(lengths)];
		int v = values[i % ARRAY_SIZE(values)];

		for (size_t at = 0; at < sizeof(val); at += 4)
			memcpy(val + at, &v, 4);
		memset(control, 0, sizeof(control));
		len = put(control, 0, messages[m].level, messages[m].type, val, n);
		printf("%s/send/%s/%d-len%zu =", k->name, messages[m].name, v, n);
		tell_sent(k, control, len);
	}
	for (size_t i = 0; i < ARRAY_SIZE(shaped); i++) {
		memset(control, 0, sizeof(control));
		len = put(control, 0, shaped[i].level, shaped[i].type, shaped[i].val,
			  shaped[i].len);
		printf("%s/send/%s =", k->name, shaped[i].name);
		tell_sent(k, control, len);
	}
}

/* Messages whose lengths are wrong, and several. */
static void tell_send_malformed(const struct kind *k)
{
	static const size_t bad[] = { 0, 1, 15, 16, 17, 19, 20, 24, 25, 32, 1000, (size_t)-1 };
	uint8_t control[256] __attribute__((aligned(8))) = { 0 };
	bool v4 = is_v4(k);
	int level = v4 ? SOL_IP : SOL_IPV6, ttl = v4 ? IP_TTL : IPV6_HOPLIMIT,
	    tos = v4 ? IP_TOS : IPV6_TCLASS, val = 9;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(bad) * 2; i++) {
		len = put(control, 0, level, ttl, &val, 4);
		memcpy(control, &bad[i / 2], sizeof(bad[0]));
		printf("%s/malformed/length-%zd-of-%zu =", k->name, (ssize_t)bad[i / 2],
		       i % 2 ? len : 20);
		tell_sent(k, control, i % 2 ? len : 20);
	}
	for (size_t n = 0; n <= 24; n++) {
		put(control, 0, level, ttl, &val, 4);
		printf("%s/malformed/all-%zu =", k->name, n);
		tell_sent(k, control, n);
	}
	len = put(control, 0, level, ttl, &val, 4);
	len = put(control, len, level, tos, &(int){ 4 }, 4);
	printf("%s/several/two =", k->name);
	tell_sent(k, control, len);
	printf("%s/several/second-cut =", k->name);
	tell_sent(k, control, len - 5);
	len = put(control, 0, level, ttl, &val, 4);
	len = put(control, len, level, ttl, &(int){ 4 }, 4);
	printf("%s/several/twice =", k->name);
	tell_sent(k, control, len);
	len = put(control, 0, level, ttl, &val, 4);
	len = put(control, len, level, 99, &val, 4);
	printf("%s/several/unknown-last =", k->name);
	tell_sent(k, control, len);
}

/* ---- the error queue ----------------------------------------------------------------------------------------------------- */

static const struct cause {
	const char *name;
	const char *v4, *v6; /* to whom */
	size_t len;
	int discover; /* IP_MTU_DISCOVER, IPV6_MTU_DISCOVER */
	bool connect;
} causes[] = {
	{ "refused", "127.0.0.1", "::1", 10, -1, false },
	{ "refused-empty", "127.0.0.1", "::1", 0, -1, false },
	{ "refused-large", "127.0.0.1", "::1", 1400, -1, false },
	{ "refused-fragments", "127.0.0.1", "::1", 4000, -1, false },
	{ "refused-connected", "127.0.0.1", "::1", 10, -1, true },
	{ "too-large", "127.0.0.1", "::1", 3000, IP_PMTUDISC_DO, false },
	{ "too-large-connected", "127.0.0.1", "::1", 3000, IP_PMTUDISC_DO, true },
	{ "too-large-probe", "127.0.0.1", "::1", 3000, IP_PMTUDISC_PROBE, false },
	{ "too-large-interface", "127.0.0.1", "::1", 3000, IP_PMTUDISC_INTERFACE, false },
	{ "too-large-for-ip", "127.0.0.1", "::1", 66000, -1, false },
	{ "no-route", "192.0.2.1", "2001:db8::1", 10, -1, false },
};

static const struct recverr {
	const char *name;
	int level, number;
} recverrs[] = {
	{ "none", SOL_SOCKET, SO_DEBUG },
	{ "IP_RECVERR", SOL_IP, IP_RECVERR },
	{ "IPV6_RECVERR", SOL_IPV6, IPV6_RECVERR },
	{ "IP_RECVERR_RFC4884", SOL_IP, IP_RECVERR4884_ },
	{ "IPV6_RECVERR_RFC4884", SOL_IPV6, IPV6_RECVERR4884_ },
};

static void tell_so_error(struct any s)
{
	int err = -1;
	socklen_t len = sizeof(err);

	any_get(s, SOL_SOCKET, SO_ERROR, &err, &len);
	printf(" SO_ERROR %s", error_name(-err));
}

/* A socket to which @c has happened. */
static struct any suffer(const struct kind *k, const struct cause *c, const struct recverr *r,
			 bool all)
{
	struct any s = open_at(k, loopback_of(k), THERE_PORT);
	union address to = address_of(k, is_v4(k) ? c->v4 : c->v6, NOBODY);

	set_int(s, SOL_SOCKET, SO_SNDBUF, 200000);
	set_int(s, r->level, r->number, 1);
	if (all)
		ask_all(s);
	if (c->discover >= 0) {
		set_int(s, SOL_IP, IP_MTU_DISCOVER, c->discover);
		set_int(s, SOL_IPV6, IPV6_MTU_DISCOVER, c->discover);
	}
	if (c->connect)
		printf(" %s", error_name(any_connect(s, &to)));
	printf(" %s", error_name(send_to(k, s, c->connect ? NULL : &to, c->len, NULL, 0)));
	return s;
}

static void tell_errors(const struct kind *k, const struct cause *c, const struct recverr *r)
{
	union address to = address_of(k, is_v4(k) ? c->v4 : c->v6, NOBODY);
	struct any s;

	for (int how = 0; how < 6; how++) {
		printf("%s/error/%s/%s/%d =", k->name, c->name, r->name, how);
		s = suffer(k, c, r, how == 1);
		switch (how) {
		case 0: /* the queue, without and with what asks for more, then what is left */
		case 1:
			while (tell_message(s, 64, 1024, MSG_ERRQUEUE) >= 0)
				;
			tell_so_error(s);
			tell_message(s, 64, 1024, 0);
			break;
		case 2: /* the next call hears of it once, the queue keeps it */
			tell_message(s, 64, 1024, 0);
			tell_message(s, 64, 1024, 0);
			tell_message(s, 64, 1024, MSG_ERRQUEUE);
			break;
		case 3: /* or the next that sends */
			printf(" %s",
			       error_name(send_to(k, s, c->connect ? NULL : &to, 10, NULL, 0)));
			tell_so_error(s);
			tell_so_error(s);
			break;
		case 4: /* without room, and looked at only */
			tell_message(s, 0, 0, MSG_ERRQUEUE | MSG_PEEK);
			tell_message(s, 0, 0, MSG_ERRQUEUE);
			tell_message(s, 0, 0, MSG_ERRQUEUE | MSG_TRUNC);
			break;
		case 5: /* no longer asked for: what was queued is gone */
			set_int(s, r->level, r->number, 0);
			tell_message(s, 64, 1024, MSG_ERRQUEUE);
			tell_so_error(s);
			break;
		}
		printf("\n");
		any_close(s);
	}
}

static void tell_error_room(const struct kind *k, const struct recverr *r)
{
	struct any s;

	for (size_t room = 0; room <= 160; room += room < 40 ? 1 : 4) {
		printf("%s/error-room/%s/%zu =", k->name, r->name, room);
		s = suffer(k, &causes[0], r, room & 2);
		tell_message(s, room % 12, room, MSG_ERRQUEUE);
		tell_message(s, 64, 1024, MSG_ERRQUEUE);
		printf("\n");
		any_close(s);
	}
}

/* IPV6_RECVPATHMTU: the next recvmsg() says it, before any datagram. */
static void tell_path_mtu(const struct kind *k)
{
	for (int how = 0; how < 4; how++) {
		union address to = address_of(k, loopback_of(k), NOBODY);
		struct any s;

		printf("%s/path-mtu/%d =", k->name, how);
		s = open_at(k, loopback_of(k), THERE_PORT);
		set_int(s, SOL_IPV6, IPV6_RECVPATHMTU, 1);
		set_int(s, SOL_IPV6, IPV6_DONTFRAG, how & 1);
		set_int(s, SOL_IPV6, IPV6_RECVERR, how >> 1);
		printf(" %s", error_name(send_to(k, s, &to, 3000, NULL, 0)));
		tell_message(s, 64, 1024, MSG_ERRQUEUE);
		for (int i = 0; i < 2; i++)
			tell_message(s, 64, 1024, 0);
		printf("\n");
		any_close(s);
	}
}

/* The kernel begins to stamp packets some time after the first socket asked for it. @s stays open meanwhile. */
static bool stamps_come(struct any s)
{
	uint8_t control[64];
	union address here;
	struct msghdr msg = { .msg_control = control };
	char c = 0;
	struct iovec iov = { &c, 1 };

	set_int(s, SOL_SOCKET, SO_TIMESTAMPING_OLD, 0x18);
	any_name(s, &here);
	any_connect(s, &here);
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	for (int i = 0; i < 10000; i++) {
		if (any_sendmsg(s, &(struct msghdr){ .msg_iov = &iov, .msg_iovlen = 1 }, 0) < 0)
			return false;
		settle();
		msg.msg_controllen = sizeof(control);
		if (any_recvmsg(s, &msg, MSG_DONTWAIT) == 1 && msg.msg_controllen)
			return true;
		usleep(1000);
	}
	return false;
}

/* ---- main ---------------------------------------------------------------------------------------------------------------- */

static int small_loopback(void)
{
	const struct kind *k = &kinds[0];
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = LO_MTU };
	struct any s;
	long r;

	if (any_socket(&s, k->family, k->type, k->protocol))
		return 1;
	r = any_ioctl(s, SIOCSIFMTU, &ifr);
	any_close(s);
	return r != 0;
}

int main(int argc, char **argv)
{
	int err = any_setup(argc, argv);
	struct any stamped;

	if (err)
		return err;
	stamped = open_at(&kinds[0], "127.0.0.1", 0);
	if (small_loopback() || !stamps_come(stamped))
		return 1;
	for (const struct kind *k = kinds; k < kinds + ARRAY_SIZE(kinds); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
			tell_receive(k, &packets[i]);
		for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
			if (!strcmp(packets[i].name, "record-route") ||
			    !strcmp(packets[i].name, "three"))
				tell_room(k, &packets[i]);
		tell_send(k);
		tell_send_malformed(k);
		for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
			for (size_t r = 0; r < ARRAY_SIZE(recverrs); r++)
				tell_errors(k, &causes[i], &recverrs[r]);
		for (size_t r = 0; r < ARRAY_SIZE(recverrs); r++)
			tell_error_room(k, &recverrs[r]);
		if (k->family == AF_INET6)
			tell_path_mtu(k);
	}
	any_close(stamped);
	any_teardown();
	return 0;
}
