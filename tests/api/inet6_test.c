/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet6_test.c - sockets of AF_INET6 over ::1 and over mapped IPv4 addresses, in virtual time
 *
 * What is expected was seen on Linux; the tables were recorded with real sockets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

#define UDP_NO_CHECK6_TX_ 101 /* linux/udp.h, which does not go together with netinet/udp.h */
#define UDP_NO_CHECK6_RX_ 102

struct fixture {
	struct weir_machine *m;
	struct weir_net *net;
};

static int setup(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .seeded = true, .seed = 1 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct net_error err;

	f->m = weir_machine_create(&cfg);
	assert_non_null(f->m);
	f->net = weir_net_create(f->m, "a");
	assert_non_null(f->net);
	assert_int_equal(net_link_up(f->net, "lo", &err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	weir_net_destroy(f->net);
	weir_machine_destroy(f->m);
	free(f);
	return 0;
}

static void settle(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		weir_run(f->m, 1000000);
}

/* An address of either version, by its text. */
static socklen_t address(struct sockaddr_storage *ss, const char *text, uint16_t port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		return sizeof(*sin);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &sin6->sin6_addr), 1);
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = htons(port);
	return sizeof(*sin6);
}

static struct weir_file *open_socket(struct fixture *f, int family, int type)
{
	struct weir_file *file;

	assert_int_equal(weir_socket(f->net, family, type | SOCK_NONBLOCK, 0, &file), 0);
	return file;
}

static int bind_to(struct weir_file *file, const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, port);

	return weir_bind(file, (struct sockaddr *)&ss, len);
}

static int connect_to(struct weir_file *file, const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, port);

	return weir_connect(file, (struct sockaddr *)&ss, len);
}

static ssize_t send_to(struct weir_file *file, const char *data, const char *text, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, text, port);

	return weir_sendto(file, data, strlen(data), 0, (struct sockaddr *)&ss, len);
}

static void set_int(struct weir_file *file, int level, int name, int v)
{
	assert_int_equal(weir_setsockopt(file, level, name, &v, sizeof(v)), 0);
}

static int get_int(struct weir_file *file, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	assert_int_equal(weir_getsockopt(file, level, name, &v, &len), 0);
	return v;
}

/* Its own address, or its peer's, as text. */
static const char *name_of(struct weir_file *file, bool peer, char *text)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);

	assert_int_equal(
		(peer ? weir_getpeername : weir_getsockname)(file, (struct sockaddr *)&sin6, &len),
		0);
	assert_int_equal(len, sizeof(sin6));
	assert_int_equal(sin6.sin6_family, AF_INET6);
	return inet_ntop(AF_INET6, &sin6.sin6_addr, text, INET6_ADDRSTRLEN);
}

/* ---- errors about packets that were never sent ------------------------------------------------------------------ */

static uint16_t sum16(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* An ICMP error of @family about @inner comes to this host. */
static void error_about(struct fixture *f, int family, const uint8_t *inner, size_t len)
{
	uint8_t msg[128] = { family == AF_INET ? 3 : 1, family == AF_INET ? 3 : 4 };
	struct sockaddr_storage to;
	struct weir_file *raw;
	socklen_t tolen = address(&to, family == AF_INET ? "127.0.0.1" : "::1", 0);
	uint16_t sum;

	memcpy(msg + 8, inner, len);
	sum = htons(sum16(msg, 8 + len));
	memcpy(msg + 2, &sum, 2);
	assert_int_equal(weir_socket(f->net, family, SOCK_RAW,
				     family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, &raw),
			 0);
	assert_int_equal(weir_sendto(raw, msg, 8 + len, 0, (struct sockaddr *)&to, tolen), 8 + len);
	settle(f);
	weir_close(raw);
}

/* The packet inside says version 6, the error about it came by version 4, and the other way round: it is nobody's. */
static void an_error_about_a_packet_of_the_other_version_is_nobodys(void **state)
{
	struct fixture *f = *state;
	uint8_t in4[28] = { 0x65,       0,        0,          28,       [8] = 64, 1,
			    [12] = 127, [15] = 1, [16] = 127, [19] = 1, [20] = 8, [25] = 9 };
	uint8_t in6[48] = { 0x45,     [6] = IPPROTO_ICMPV6,
			    64,       [12] = 127,
			    [15] = 1, [16] = 127,
			    [19] = 1, [20] = 8,
			    [25] = 9, [40] = 128 };
	struct weir_file *ping;

	assert_int_equal(
		weir_socket(f->net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP, &ping), 0);
	set_int(ping, IPPROTO_IP, IP_RECVERR, 1);
	assert_int_equal(bind_to(ping, "127.0.0.1", 9), 0);
	error_about(f, AF_INET, in4, sizeof(in4));
	error_about(f, AF_INET6, in6, sizeof(in6));
	assert_int_equal(get_int(ping, SOL_SOCKET, SO_ERROR), 0);
	in4[0] = 0x45; /* a true one is heard of */
	error_about(f, AF_INET, in4, sizeof(in4));
	assert_int_equal(get_int(ping, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	weir_close(ping);
}

/* ---- bind(2) ------------------------------------------------------------------------------------------------ */

static const struct {
	const char *addr;
	int v6only;
} places[] = {
	{ "0.0.0.0", 0 },        { "127.0.0.1", 0 },        { "::", 0 }, { "::", 1 }, { "::1", 0 },
	{ "::ffff:0.0.0.0", 0 }, { "::ffff:127.0.0.1", 0 },
};
#define NPLACES (sizeof(places) / sizeof(places[0]))

/*
 * A line for each place of the first socket and its flags (1 SO_REUSEADDR, 2 SO_REUSEPORT, 4 it listens); in it four characters for
 * each place of the second socket, one for each of its flags: '-' bind fails with EADDRINUSE, 'b' only listen does, 'l' both work.
 */
static const char *const linux_tcp[] = {
	"------------llllllll--------", "-l-l-l-l-l-lllllllll-l-l-l-l",
	"--ll--ll--llllllllll--ll--ll", "-lll-lll-lllllllllll-lll-lll",
	"------------llllllll--------", "------------llllllll--------",
	"--ll--ll--llllllllll--ll--ll", "--ll--ll--llllllllll--ll--ll",
	"------------llllllll--------", "-l-l-l-l-l-lllllllll-l-l-l-l",
	"--ll--ll--llllllllll--ll--ll", "-lll-lll-lllllllllll-lll-lll",
	"------------llllllll--------", "------------llllllll--------",
	"--ll--ll--llllllllll--ll--ll", "--ll--ll--llllllllll--ll--ll",
	"----------------------------", "-l-l-l-l-l-l-l-l-l-l-l-l-l-l",
	"--ll--ll--ll--ll--ll--ll--ll", "-lll-lll-lll-lll-lll-lll-lll",
	"----------------------------", "----------------------------",
	"--ll--ll--ll--ll--ll--ll--ll", "--ll--ll--ll--ll--ll--ll--ll",
	"llllllll------------llllllll", "llllllll-l-l-l-l-l-lllllllll",
	"llllllll--ll--ll--llllllllll", "llllllll-lll-lll-lllllllllll",
	"llllllll------------llllllll", "llllllll------------llllllll",
	"llllllll--ll--ll--llllllllll", "llllllll--ll--ll--llllllllll",
	"llllllll------------llllllll", "llllllll-l-l-l-l-l-lllllllll",
	"llllllll--ll--ll--llllllllll", "llllllll-lll-lll-lllllllllll",
	"llllllll------------llllllll", "llllllll------------llllllll",
	"llllllll--ll--ll--llllllllll", "llllllll--ll--ll--llllllllll",
	"------------llllllll--------", "-l-l-l-l-l-lllllllll-l-l-l-l",
	"--ll--ll--llllllllll--ll--ll", "-lll-lll-lllllllllll-lll-lll",
	"------------llllllll--------", "------------llllllll--------",
	"--ll--ll--llllllllll--ll--ll", "--ll--ll--llllllllll--ll--ll",
	"------------llllllll--------", "-l-l-l-l-l-lllllllll-l-l-l-l",
	"--ll--ll--llllllllll--ll--ll", "-lll-lll-lllllllllll-lll-lll",
	"------------llllllll--------", "------------llllllll--------",
	"--ll--ll--llllllllll--ll--ll", "--ll--ll--llllllllll--ll--ll",
};
/* The same; nobody listens, 'b' is success. */
static const char *const linux_udp[] = {
	"------------bbbbbbbb--------", "-b-b-b-b-b-bbbbbbbbb-b-b-b-b",
	"--bb--bb--bbbbbbbbbb--bb--bb", "-bbb-bbb-bbbbbbbbbbb-bbb-bbb",
	"------------bbbbbbbb--------", "-b-b-b-b-b-bbbbbbbbb-b-b-b-b",
	"--bb--bb--bbbbbbbbbb--bb--bb", "-bbb-bbb-bbbbbbbbbbb-bbb-bbb",
	"----------------------------", "-b-b-b-b-b-b-b-b-b-b-b-b-b-b",
	"--bb--bb--bb--bb--bb--bb--bb", "-bbb-bbb-bbb-bbb-bbb-bbb-bbb",
	"bbbbbbbb------------bbbbbbbb", "bbbbbbbb-b-b-b-b-b-bbbbbbbbb",
	"bbbbbbbb--bb--bb--bbbbbbbbbb", "bbbbbbbb-bbb-bbb-bbbbbbbbbbb",
	"bbbbbbbb------------bbbbbbbb", "bbbbbbbb-b-b-b-b-b-bbbbbbbbb",
	"bbbbbbbb--bb--bb--bbbbbbbbbb", "bbbbbbbb-bbb-bbb-bbbbbbbbbbb",
	"------------bbbbbbbb--------", "-b-b-b-b-b-bbbbbbbbb-b-b-b-b",
	"--bb--bb--bbbbbbbbbb--bb--bb", "-bbb-bbb-bbbbbbbbbbb-bbb-bbb",
	"------------bbbbbbbb--------", "-b-b-b-b-b-bbbbbbbbb-b-b-b-b",
	"--bb--bb--bbbbbbbbbb--bb--bb", "-bbb-bbb-bbbbbbbbbbb-bbb-bbb",
};

static struct weir_file *place_socket(struct fixture *f, int type, unsigned place, unsigned flags)
{
	bool v6 = strchr(places[place].addr, ':');
	struct weir_file *file = open_socket(f, v6 ? AF_INET6 : AF_INET, type);

	set_int(file, SOL_SOCKET, SO_REUSEADDR, flags & 1);
	set_int(file, SOL_SOCKET, SO_REUSEPORT, (flags & 2) != 0);
	if (v6)
		set_int(file, IPPROTO_IPV6, IPV6_V6ONLY, places[place].v6only);
	return file;
}

static char try_pair(struct fixture *f, int type, unsigned p1, unsigned f1, unsigned p2,
		     unsigned f2)
{
	struct weir_file *a = place_socket(f, type, p1, f1), *b = place_socket(f, type, p2, f2);
	char result = '-';
	int err;

	assert_int_equal(bind_to(a, places[p1].addr, 2000), 0);
	if (f1 & 4)
		assert_int_equal(weir_listen(a, 5), 0);
	err = bind_to(b, places[p2].addr, 2000);
	if (!err)
		result = type == SOCK_STREAM && weir_listen(b, 5) == 0 ? 'l' : 'b';
	else
		assert_int_equal(err, -EADDRINUSE);
	weir_close(a);
	weir_close(b);
	return result;
}

static void check_table(struct fixture *f, int type, const char *const *table, unsigned nflags)
{
	for (unsigned p1 = 0; p1 < NPLACES; p1++)
		for (unsigned f1 = 0; f1 < nflags; f1++)
			for (unsigned second = 0; second < NPLACES * 4; second++) {
				char want = table[p1 * nflags + f1][second];
				char got = try_pair(f, type, p1, f1, second / 4, second % 4);

				if (got != want)
					fail_msg("%s (only %d, flags %u) then %s (only %d, flags "
						 "%u): %c, Linux says %c",
						 places[p1].addr, places[p1].v6only, f1,
						 places[second / 4].addr, places[second / 4].v6only,
						 second % 4, got, want);
			}
}

static void tcp_bind_conflicts_of_both_versions_are_those_of_linux(void **state)
{
	check_table(*state, SOCK_STREAM, linux_tcp, 8);
}

static void udp_bind_conflicts_of_both_versions_are_those_of_linux(void **state)
{
	check_table(*state, SOCK_DGRAM, linux_udp, 4);
}

static void bound_to_one_ipv6_address_means_v6only(void **state)
{
	struct weir_file *file = open_socket(*state, AF_INET6, SOCK_DGRAM);

	assert_int_equal(get_int(file, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	assert_int_equal(bind_to(file, "::1", 2000), 0);
	assert_int_equal(get_int(file, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	weir_close(file);
	file = open_socket(*state, AF_INET6, SOCK_DGRAM);
	assert_int_equal(bind_to(file, "::ffff:127.0.0.1", 2000), 0);
	assert_int_equal(get_int(file, IPPROTO_IPV6, IPV6_V6ONLY), 0);
	weir_close(file);
}

static void sysctl_bindv6only_is_the_default_of_new_sockets(void **state)
{
	struct fixture *f = *state;
	struct weir_file *file;

	assert_int_equal(weir_sysctl(f->net, "net.ipv6.bindv6only", "1"), 0);
	file = open_socket(f, AF_INET6, SOCK_STREAM);
	assert_int_equal(get_int(file, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	weir_close(file);
}

/* ---- TCP ---------------------------------------------------------------------------------------------------- */

static struct weir_file *listener(struct fixture *f, const char *addr, int v6only)
{
	struct weir_file *l = open_socket(f, strchr(addr, ':') ? AF_INET6 : AF_INET, SOCK_STREAM);

	if (strchr(addr, ':'))
		set_int(l, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
	assert_int_equal(bind_to(l, addr, 80), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	return l;
}

/* Connects a socket of @family to @to; *ret_server is what accept(2) gives. -errno if the connection fails. */
static int tcp_pair(struct fixture *f, struct weir_file *l, int family, const char *to,
		    struct weir_file **ret_client, struct weir_file **ret_server)
{
	int err;

	*ret_client = open_socket(f, family, SOCK_STREAM);
	err = connect_to(*ret_client, to, 80);
	if (err == -EINPROGRESS) {
		settle(f);
		err = -get_int(*ret_client, SOL_SOCKET, SO_ERROR);
	}
	if (!err)
		err = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, ret_server);
	return err;
}

static void check_pair(struct fixture *f, struct weir_file *c, struct weir_file *s)
{
	char big[40000], buf[40000];

	memset(big, 'x', sizeof(big));
	assert_int_equal(weir_send(c, "hello", 5, 0), 5);
	assert_int_equal(weir_send(s, big, sizeof(big), 0), sizeof(big));
	settle(f);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 5);
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), sizeof(big));
	assert_memory_equal(buf, big, sizeof(big));
	weir_close(c);
	settle(f);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 0);
	weir_close(s);
}

static void tcp_connects_over_ipv6(void **state)
{
	struct weir_file *l = listener(*state, "::", 0), *c, *s;
	char t[INET6_ADDRSTRLEN];

	assert_int_equal(tcp_pair(*state, l, AF_INET6, "::1", &c, &s), 0);
	assert_string_equal(name_of(c, false, t), "::1");
	assert_string_equal(name_of(c, true, t), "::1");
	assert_string_equal(name_of(s, false, t), "::1");
	assert_string_equal(name_of(s, true, t), "::1");
	/* 1500 and more fits; the MSS is that of the loopback device. */
	assert_in_range(get_int(c, IPPROTO_TCP, 2 /* TCP_MAXSEG */), 32768 - 100, 65535);
	check_pair(*state, c, s);
	weir_close(l);
}

static void ipv6_listener_takes_ipv4_connections_as_mapped(void **state)
{
	struct weir_file *l = listener(*state, "::", 0), *c, *s;
	char t[INET6_ADDRSTRLEN];

	assert_int_equal(tcp_pair(*state, l, AF_INET, "127.0.0.1", &c, &s), 0);
	assert_string_equal(name_of(s, false, t), "::ffff:127.0.0.1");
	assert_string_equal(name_of(s, true, t), "::ffff:127.0.0.1");
	check_pair(*state, c, s);
	weir_close(l);
}

static void ipv6_socket_connects_to_a_mapped_address(void **state)
{
	struct weir_file *l = listener(*state, "127.0.0.1", 0), *c, *s;
	char t[INET6_ADDRSTRLEN];

	assert_int_equal(tcp_pair(*state, l, AF_INET6, "::ffff:127.0.0.1", &c, &s), 0);
	assert_string_equal(name_of(c, false, t), "::ffff:127.0.0.1");
	assert_string_equal(name_of(c, true, t), "::ffff:127.0.0.1");
	check_pair(*state, c, s);
	weir_close(l);
}

static void mapped_at_both_ends(void **state)
{
	struct weir_file *l = listener(*state, "::ffff:127.0.0.1", 0), *c, *s;

	assert_int_equal(tcp_pair(*state, l, AF_INET6, "::ffff:127.0.0.1", &c, &s), 0);
	check_pair(*state, c, s);
	/* It is bound to an IPv4 address. */
	assert_int_equal(tcp_pair(*state, l, AF_INET6, "::1", &c, &s), -ECONNREFUSED);
	weir_close(c);
	weir_close(l);
}

static void v6only_listener_leaves_ipv4_to_others(void **state)
{
	struct weir_file *l6 = listener(*state, "::", 1), *l4, *c, *s;

	assert_int_equal(tcp_pair(*state, l6, AF_INET, "127.0.0.1", &c, &s), -ECONNREFUSED);
	weir_close(c);
	l4 = listener(*state, "0.0.0.0", 0);
	assert_int_equal(tcp_pair(*state, l4, AF_INET, "127.0.0.1", &c, &s), 0);
	check_pair(*state, c, s);
	assert_int_equal(tcp_pair(*state, l6, AF_INET6, "::1", &c, &s), 0);
	check_pair(*state, c, s);
	weir_close(l4);
	weir_close(l6);
}

static void v6only_socket_reaches_no_mapped_address(void **state)
{
	struct weir_file *c = open_socket(*state, AF_INET6, SOCK_STREAM);

	set_int(c, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	assert_int_equal(connect_to(c, "::ffff:127.0.0.1", 80), -ENETUNREACH);
	weir_close(c);
}

static void refused_over_ipv6_the_socket_may_connect_again(void **state)
{
	struct weir_file *c = open_socket(*state, AF_INET6, SOCK_STREAM), *l, *s;

	connect_to(c, "::1", 80);
	settle(*state);
	assert_int_equal(get_int(c, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	l = listener(*state, "0.0.0.0", 0);
	connect_to(c, "::ffff:127.0.0.1", 80);
	connect_to(c, "::ffff:127.0.0.1", 80);
	settle(*state);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s), 0);
	check_pair(*state, c, s);
	weir_close(l);
}

static void link_local_needs_its_zone(void **state)
{
	struct weir_file *c = open_socket(*state, AF_INET6, SOCK_STREAM);

	assert_int_equal(connect_to(c, "fe80::1", 80), -EINVAL);
	weir_close(c);
	c = open_socket(*state, AF_INET6, SOCK_STREAM);
	assert_int_equal(connect_to(c, "ff02::1", 80), -ENETUNREACH);
	weir_close(c);
}

static unsigned lines(struct fixture *f, const char *view)
{
	char *text;
	size_t len;
	unsigned n = 0;

	assert_int_equal(weir_view_read(f->net, view, &text, &len), 0);
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	free(text);
	return n - 1;
}

static void views_list_sockets_by_their_family(void **state)
{
	struct weir_file *l = listener(*state, "::", 0), *c, *s, *u;

	assert_int_equal(tcp_pair(*state, l, AF_INET, "127.0.0.1", &c, &s), 0);
	assert_int_equal(lines(*state, "/proc/net/tcp6"), 2);
	assert_int_equal(lines(*state, "/proc/net/tcp"), 1);
	check_pair(*state, c, s);
	u = open_socket(*state, AF_INET6, SOCK_DGRAM);
	assert_int_equal(bind_to(u, "::", 53), 0);
	assert_int_equal(lines(*state, "/proc/net/udp6"), 1);
	assert_int_equal(lines(*state, "/proc/net/udp"), 0);
	weir_close(u);
	weir_close(l);
}

/* ---- UDP ---------------------------------------------------------------------------------------------------- */

static void check_recv(struct fixture *f, struct weir_file *file, const char *data,
		       const char *from)
{
	struct sockaddr_in6 sin6;
	socklen_t len = sizeof(sin6);
	char buf[64], t[INET6_ADDRSTRLEN];

	settle(f);
	assert_int_equal(weir_recvfrom(file, buf, sizeof(buf), 0, (struct sockaddr *)&sin6, &len),
			 strlen(data));
	assert_memory_equal(buf, data, strlen(data));
	assert_int_equal(sin6.sin6_family, AF_INET6);
	assert_string_equal(inet_ntop(AF_INET6, &sin6.sin6_addr, t, sizeof(t)), from);
}

static void udp_carries_datagrams_of_both_versions(void **state)
{
	struct weir_file *s = open_socket(*state, AF_INET6, SOCK_DGRAM);
	struct weir_file *c6 = open_socket(*state, AF_INET6, SOCK_DGRAM);
	struct weir_file *c4 = open_socket(*state, AF_INET, SOCK_DGRAM);
	char t[INET6_ADDRSTRLEN];

	assert_int_equal(bind_to(s, "::", 7), 0);
	assert_int_equal(send_to(c6, "six", "::1", 7), 3);
	check_recv(*state, s, "six", "::1");
	assert_int_equal(send_to(c4, "four", "127.0.0.1", 7), 4);
	check_recv(*state, s, "four", "::ffff:127.0.0.1");
	assert_int_equal(send_to(c6, "mapped", "::ffff:127.0.0.1", 7), 6);
	check_recv(*state, s, "mapped", "::ffff:127.0.0.1");
	assert_int_equal(connect_to(c6, "::ffff:127.0.0.1", 7), 0);
	assert_string_equal(name_of(c6, false, t), "::ffff:127.0.0.1");
	assert_int_equal(weir_send(c6, "again", 5, 0), 5);
	check_recv(*state, s, "again", "::ffff:127.0.0.1");
	weir_close(s);
	weir_close(c6);
	weir_close(c4);
}

static void closed_port_refuses_a_connected_socket(void **state)
{
	static const char *const to[] = { "::1", "::ffff:127.0.0.1" };

	for (int i = 0; i < 2; i++) {
		struct weir_file *c = open_socket(*state, AF_INET6, SOCK_DGRAM);

		assert_int_equal(connect_to(c, to[i], 9), 0);
		assert_int_equal(weir_send(c, "x", 1, 0), 1);
		settle(*state);
		assert_int_equal(get_int(c, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
		weir_close(c);
	}
}

static void datagrams_without_checksum_are_for_those_who_want_them(void **state)
{
	struct weir_file *s = open_socket(*state, AF_INET6, SOCK_DGRAM);
	struct weir_file *c = open_socket(*state, AF_INET6, SOCK_DGRAM);
	char buf[8];

	assert_int_equal(bind_to(s, "::1", 7), 0);
	set_int(c, SOL_UDP, UDP_NO_CHECK6_TX_, 1);
	assert_int_equal(send_to(c, "x", "::1", 7), 1);
	settle(*state);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), -EAGAIN);
	set_int(s, SOL_UDP, UDP_NO_CHECK6_RX_, 1);
	assert_int_equal(send_to(c, "y", "::1", 7), 1);
	check_recv(*state, s, "y", "::1");
	weir_close(s);
	weir_close(c);
}

static void udp_segment_cuts_over_ipv6(void **state)
{
	struct weir_file *s = open_socket(*state, AF_INET6, SOCK_DGRAM);
	struct weir_file *c = open_socket(*state, AF_INET6, SOCK_DGRAM);
	char data[1001] = { 0 };

	memset(data, 'd', 1000);
	assert_int_equal(bind_to(s, "::1", 7), 0);
	set_int(c, SOL_UDP, UDP_SEGMENT, 300);
	assert_int_equal(send_to(c, data, "::1", 7), 1000);
	settle(*state);
	for (int i = 0; i < 4; i++)
		assert_int_equal(weir_recv(s, data, sizeof(data), 0), i < 3 ? 300 : 100);
	weir_close(s);
	weir_close(c);
}

static void udplite_over_ipv6(void **state)
{
	struct fixture *f = *state;
	struct weir_file *s, *c;

	assert_int_equal(
		weir_socket(f->net, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDPLITE, &s), 0);
	assert_int_equal(
		weir_socket(f->net, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDPLITE, &c), 0);
	set_int(c, IPPROTO_UDPLITE, 10 /* UDPLITE_SEND_CSCOV */, 8);
	assert_int_equal(bind_to(s, "::1", 7), 0);
	assert_int_equal(send_to(c, "lite", "::1", 7), 4);
	check_recv(f, s, "lite", "::1");
	assert_int_equal(lines(f, "/proc/net/udplite6"), 2);
	weir_close(s);
	weir_close(c);
}

/* ---- ping --------------------------------------------------------------------------------------------------- */

static void ping_socket_gets_its_echo(void **state)
{
	struct fixture *f = *state;
	struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_seq = htons(3) }, reply;
	struct sockaddr_storage ss;
	socklen_t len = address(&ss, "::1", 0);
	struct weir_file *p;

	assert_int_equal(
		weir_socket(f->net, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMPV6, &p), 0);
	assert_int_equal(weir_sendto(p, &echo, sizeof(echo), 0, (struct sockaddr *)&ss, len),
			 sizeof(echo));
	settle(f);
	assert_int_equal(weir_recv(p, &reply, sizeof(reply), 0), sizeof(reply));
	assert_int_equal(reply.icmp6_type, ICMP6_ECHO_REPLY);
	assert_int_equal(reply.icmp6_seq, htons(3));
	assert_int_equal(lines(f, "/proc/net/icmp6"), 1);
	assert_int_equal(lines(f, "/proc/net/icmp"), 0);
	echo.icmp6_type = ICMP6_ECHO_REPLY;
	assert_int_equal(weir_sendto(p, &echo, sizeof(echo), 0, (struct sockaddr *)&ss, len),
			 -EINVAL);
	weir_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_error_about_a_packet_of_the_other_version_is_nobodys, setup, teardown),
		cmocka_unit_test_setup_teardown(
			tcp_bind_conflicts_of_both_versions_are_those_of_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(
			udp_bind_conflicts_of_both_versions_are_those_of_linux, setup, teardown),
		cmocka_unit_test_setup_teardown(bound_to_one_ipv6_address_means_v6only, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sysctl_bindv6only_is_the_default_of_new_sockets,
						setup, teardown),
		cmocka_unit_test_setup_teardown(tcp_connects_over_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_listener_takes_ipv4_connections_as_mapped,
						setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_socket_connects_to_a_mapped_address, setup,
						teardown),
		cmocka_unit_test_setup_teardown(mapped_at_both_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(v6only_listener_leaves_ipv4_to_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(v6only_socket_reaches_no_mapped_address, setup,
						teardown),
		cmocka_unit_test_setup_teardown(refused_over_ipv6_the_socket_may_connect_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(link_local_needs_its_zone, setup, teardown),
		cmocka_unit_test_setup_teardown(views_list_sockets_by_their_family, setup,
						teardown),
		cmocka_unit_test_setup_teardown(udp_carries_datagrams_of_both_versions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closed_port_refuses_a_connected_socket, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			datagrams_without_checksum_are_for_those_who_want_them, setup, teardown),
		cmocka_unit_test_setup_teardown(udp_segment_cuts_over_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(udplite_over_ipv6, setup, teardown),
		cmocka_unit_test_setup_teardown(ping_socket_gets_its_echo, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
