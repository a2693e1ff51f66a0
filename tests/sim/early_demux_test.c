/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early_demux_test.c - a connection's packets find their socket before their route, and nobody can tell but by the work
 *
 *      a --- eth0 (veth) ===== (veth) eth0 --- b        10.0.0.1 and 10.0.0.2, fd::1 and fd::2
 *
 * Virtual time. Each case is run with early demux and without, for TCP and connected UDP.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/route.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ipv4/ip.h"
#include "lab/lab_net.h"
#include "stack/stack.h"

#define MS 1000000ULL

struct bed {
	struct weir_machine *m;
	struct weir_net *a, *b;
	struct weir_file *c, *s; /* a's and b's end of a connection */
};

struct variant {
	bool v6, udp, early;
};

static struct sockaddr_storage address(bool v6, int i, socklen_t *ret_len)
{
	struct sockaddr_storage ss = { .ss_family = v6 ? AF_INET6 : AF_INET };
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;

	*ret_len = v6 ? sizeof(*sin6) : sizeof(*sin);
	if (v6) {
		sin6->sin6_port = htons((uint16_t)(7 + i));
		sin6->sin6_addr.s6_addr[0] = 0xfd;
		sin6->sin6_addr.s6_addr[15] = (uint8_t)(i + 1);
	} else {
		sin->sin_port = htons((uint16_t)(7 + i));
		sin->sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
	}
	return ss;
}

static void run(struct bed *t, uint64_t ns)
{
	uint64_t end = weir_now(t->m) + ns;

	while (weir_now(t->m) < end)
		weir_run(t->m, end - weir_now(t->m));
}

static void bring_up(struct weir_net *net, int i)
{
	struct lab_ip ip4 = { .family = AF_INET }, ip6 = { .family = AF_INET6 };
	struct net_error err;

	ip4.v4.s_addr = htonl(0x0a000001u + (uint32_t)i);
	ip6.v6.s6_addr[0] = 0xfd;
	ip6.v6.s6_addr[15] = (uint8_t)(i + 1);
	assert_int_equal(net_link_up(net, "lo", &err), 0);
	assert_int_equal(weir_sysctl(net, "net.ipv6.conf.eth0.accept_dad", "0"), 0);
	assert_int_equal(net_ip_add(net, "eth0", &ip4, 24, &err), 0);
	assert_int_equal(net_ip_add(net, "eth0", &ip6, 64, &err), 0);
	assert_int_equal(net_link_up(net, "eth0", &err), 0);
}

static void connect_udp(struct bed *t, bool v6)
{
	struct weir_file **f[2] = { &t->c, &t->s };
	struct weir_net *net[2] = { t->a, t->b };
	struct sockaddr_storage ss;
	socklen_t len;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_socket(net[i], v6 ? AF_INET6 : AF_INET,
					     SOCK_DGRAM | SOCK_NONBLOCK, 0, f[i]),
				 0);
		ss = address(v6, i, &len);
		assert_int_equal(weir_bind(*f[i], (struct sockaddr *)&ss, len), 0);
	}
	for (int i = 0; i < 2; i++) {
		ss = address(v6, !i, &len);
		assert_int_equal(weir_connect(*f[i], (struct sockaddr *)&ss, len), 0);
	}
}

static void connect_tcp(struct bed *t, bool v6)
{
	struct sockaddr_storage ss;
	struct weir_file *l;
	socklen_t len;
	int fam = v6 ? AF_INET6 : AF_INET, one = 1;

	ss = address(v6, 1, &len);
	assert_int_equal(weir_socket(t->b, fam, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	assert_int_equal(weir_socket(t->a, fam, SOCK_STREAM | SOCK_NONBLOCK, 0, &t->c), 0);
	assert_int_equal(weir_connect(t->c, (struct sockaddr *)&ss, len), -EINPROGRESS);
	run(t, 10 * MS);
	/* An octet does not wait for the ACK of the one before it. */
	assert_int_equal(weir_setsockopt(t->c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &t->s), 0);
	weir_close(l);
}

static void bed_up(struct bed *t, const struct variant *v)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .seed = 1 };
	struct net_error err;

	t->m = weir_machine_create(&cfg);
	t->a = weir_net_create(t->m, "a");
	t->b = weir_net_create(t->m, "b");
	assert_int_equal(net_veth_add(t->a, "eth0", t->b, "eth0", 1500, &err), 0);
	bring_up(t->a, 0);
	bring_up(t->b, 1);
	/* One of the two settings that turn it off; the other one does as well. */
	if (!v->early)
		assert_int_equal(weir_sysctl(t->b,
					     v->v6    ? "net.ipv4.ip_early_demux"
					     : v->udp ? "net.ipv4.udp_early_demux"
						      : "net.ipv4.tcp_early_demux",
					     "0"),
				 0);
	run(t, 3000 * MS);
	if (v->udp)
		connect_udp(t, v->v6);
	else
		connect_tcp(t, v->v6);
}

static void bed_down(struct bed *t)
{
	weir_close(t->c);
	weir_close(t->s);
	weir_net_destroy(t->a);
	weir_net_destroy(t->b);
	weir_machine_destroy(t->m);
}

/* a sends an octet: does b have it at once? */
static bool arrives(struct bed *t)
{
	char x = 'x';

	assert_int_equal(weir_send(t->c, &x, 1, 0), 1);
	run(t, MS);
	return weir_recv(t->s, &x, 1, 0) == 1;
}

static const struct variant variants[] = {
	{ false, false, true }, { false, true, true },   { true, false, true },
	{ true, true, true },   { false, false, false }, { false, true, false },
	{ true, false, false }, { true, true, false },
};

#define FOR_EACH_VARIANT(v)                                                                        \
	for (const struct variant *v = variants; v < variants + ARRAY_SIZE(variants); v++)

/* Routes of IPv4 are asked for without early demux only. */
static void the_socket_knows_the_route(void **state)
{
	FOR_EACH_VARIANT(v)
	{
		const struct rt_cache_stat *stat;
		struct bed t;
		u32 before;

		bed_up(&t, v);
		assert_true(arrives(&t));
		assert_true(arrives(&t));
		stat = &net_of(t.b)->ipv4->rt_cache.stat;
		before = stat->in_hit + stat->in_slow_tot;
		for (int i = 0; i < 10; i++)
			assert_true(arrives(&t));
		if (!v->v6)
			assert_int_equal(stat->in_hit + stat->in_slow_tot - before,
					 v->early ? 0 : 10);
		bed_down(&t);
	}
}

struct in6_ifreq_ {
	struct in6_addr addr;
	uint32_t prefixlen;
	int ifindex;
};

static void take_address_away(struct bed *t, bool v6)
{
	struct ifreq ifr = { .ifr_name = "eth0" };
	struct weir_file *f;

	assert_int_equal(weir_socket(t->b, v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0, &f), 0);
	if (v6) {
		struct in6_ifreq_ r = { .prefixlen = 64 };

		assert_int_equal(weir_ioctl(f, SIOCGIFINDEX, &ifr), 0);
		r.ifindex = ifr.ifr_ifindex;
		r.addr.s6_addr[0] = 0xfd;
		r.addr.s6_addr[15] = 2;
		assert_int_equal(weir_ioctl(f, SIOCDIFADDR, &r), 0);
	} else {
		((struct sockaddr_in *)&ifr.ifr_addr)->sin_family = AF_INET;
		assert_int_equal(weir_ioctl(f, SIOCSIFADDR, &ifr), 0); /* 0.0.0.0 */
	}
	weir_close(f);
}

static void an_address_that_goes_takes_its_connections_along(void **state)
{
	FOR_EACH_VARIANT(v)
	{
		struct bed t;

		bed_up(&t, v);
		assert_true(arrives(&t));
		assert_true(arrives(&t));
		take_address_away(&t, v->v6);
		assert_false(arrives(&t));
		bed_down(&t);
	}
}

/* A host route of IPv4 to a by @dev, or to nowhere. */
static void route_to_a(struct bed *t, const char *dev, bool reject, unsigned long cmd)
{
	struct sockaddr_in dst = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001u) };
	struct rtentry rt = { .rt_flags = (unsigned short)(RTF_UP | RTF_HOST |
							   (reject ? RTF_REJECT : 0)),
			      .rt_dev = (char *)dev };
	struct weir_file *f;

	memcpy(&rt.rt_dst, &dst, sizeof(dst));
	((struct sockaddr_in *)&rt.rt_genmask)->sin_family = AF_INET;
	((struct sockaddr_in *)&rt.rt_genmask)->sin_addr.s_addr = 0xffffffffu;
	assert_int_equal(weir_socket(t->b, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_ioctl(f, cmd, &rt), 0);
	weir_close(f);
}

static void the_reverse_path_filter_sees_a_change_at_once(void **state)
{
	FOR_EACH_VARIANT(v)
	{
		struct net *b;
		struct bed t;
		u64 filtered;

		if (v->v6) /* which has no such filter */
			continue;
		bed_up(&t, v);
		b = net_of(t.b);
		assert_true(arrives(&t));
		assert_true(arrives(&t));
		route_to_a(&t, "lo", false, SIOCADDRT);
		assert_true(arrives(&t)); /* nobody asked to be strict */
		filtered = b->mib[MIB_TcpExt_IPReversePathFilter];
		assert_int_equal(weir_sysctl(t.b, "net.ipv4.conf.eth0.rp_filter", "1"), 0);
		assert_false(arrives(&t));
		assert_true(b->mib[MIB_TcpExt_IPReversePathFilter] > filtered);
		route_to_a(&t, "lo", false, SIOCDELRT);
		if (v->udp)
			assert_true(arrives(&t));
		/* Nothing goes back: the source is not one to believe, by either filter. */
		route_to_a(&t, NULL, true, SIOCADDRT);
		filtered = b->mib[MIB_TcpExt_IPReversePathFilter];
		assert_false(arrives(&t));
		assert_true(b->mib[MIB_TcpExt_IPReversePathFilter] > filtered);
		bed_down(&t);
	}
}

/* What is no longer there, or another thing now, is not found. */
static void a_connection_ends_for_what_comes_after_it(void **state)
{
	FOR_EACH_VARIANT(v)
	{
		struct linger abort_close = { 1, 0 };
		struct bed t;
		char x = 'x';

		if (v->udp)
			continue;
		bed_up(&t, v);
		assert_true(arrives(&t));
		assert_int_equal(weir_send(t.c, &x, 1, 0), 1);
		assert_int_equal(weir_setsockopt(t.c, SOL_SOCKET, SO_LINGER, &abort_close,
						 sizeof(abort_close)),
				 0);
		weir_close(t.s);
		weir_close(t.c);
		run(&t, 10 * MS);
		t.c = t.s = NULL;
		assert_int_equal(weir_socket(t.a, AF_INET, SOCK_DGRAM, 0, &t.c), 0);
		assert_int_equal(weir_socket(t.b, AF_INET, SOCK_DGRAM, 0, &t.s), 0);
		bed_down(&t);
	}
}

/* A UDP socket that gets another peer asks for that one's route; one that has none is found late. */
static void another_peer_is_another_route(void **state)
{
	const struct variant v = { false, true, true };
	const struct rt_cache_stat *stat;
	struct sockaddr_storage ss;
	struct bed t;
	socklen_t len;
	u32 before;

	bed_up(&t, &v);
	assert_true(arrives(&t));
	assert_true(arrives(&t));
	stat = &net_of(t.b)->ipv4->rt_cache.stat;
	before = stat->in_hit + stat->in_slow_tot;
	ss = address(false, 0, &len);
	assert_int_equal(weir_connect(t.s, (struct sockaddr *)&ss, len), 0);
	assert_true(arrives(&t));
	assert_int_equal(stat->in_hit + stat->in_slow_tot - before, 1);
	ss.ss_family = AF_UNSPEC;
	assert_int_equal(weir_connect(t.s, (struct sockaddr *)&ss, len), 0);
	before = stat->in_hit + stat->in_slow_tot;
	assert_true(arrives(&t));
	assert_true(arrives(&t));
	assert_int_equal(stat->in_hit + stat->in_slow_tot - before, 2);
	bed_down(&t);
}

/* How many routes of IPv6 b holds once a socket that had an IPv6 peer, and an IPv4 one then, has gone: as such, or as one of AF_INET. */
static unsigned routes_left_by(bool as_ipv4)
{
	const struct variant v = { true, true, true };
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(8) }, mapped = any;
	struct sockaddr_storage ss;
	int inet = AF_INET;
	unsigned routes;
	struct bed t;
	size_t text_len;
	socklen_t len;
	char *text;

	bed_up(&t, &v);
	weir_close(t.s);
	assert_int_equal(weir_socket(t.b, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, &t.s), 0);
	assert_int_equal(weir_bind(t.s, (struct sockaddr *)&any, sizeof(any)), 0);
	ss = address(true, 0, &len);
	assert_int_equal(weir_connect(t.s, (struct sockaddr *)&ss, len), 0);
	assert_true(arrives(&t));
	assert_true(arrives(&t));
	ss.ss_family = AF_UNSPEC;
	assert_int_equal(weir_connect(t.s, (struct sockaddr *)&ss, len), 0);
	mapped.sin6_port = htons(7);
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.1", &mapped.sin6_addr), 1);
	assert_int_equal(weir_connect(t.s, (struct sockaddr *)&mapped, sizeof(mapped)), 0);
	if (as_ipv4)
		assert_int_equal(
			weir_setsockopt(t.s, IPPROTO_IPV6, IPV6_ADDRFORM, &inet, sizeof(inet)), 0);
	weir_close(t.s);
	/* Who is not held any more goes when the next one takes its place. */
	assert_int_equal(weir_sysctl(t.b, "net.ipv6.route.flush", "1"), 0);
	assert_int_equal(weir_socket(t.b, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, &t.s), 0);
	assert_int_equal(weir_bind(t.s, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_true(arrives(&t));
	assert_int_equal(weir_view_read(t.b, "/proc/net/rt6_stats", &text, &text_len), 0);
	assert_int_equal(sscanf(text, "%*x %*x %*x %*x %*x %x", &routes), 1);
	free(text);
	bed_down(&t);
	return routes;
}

static void who_becomes_one_of_ipv4_lets_the_route_of_ipv6_go(void **state)
{
	assert_int_equal(routes_left_by(true), routes_left_by(false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_knows_the_route),
		cmocka_unit_test(an_address_that_goes_takes_its_connections_along),
		cmocka_unit_test(the_reverse_path_filter_sees_a_change_at_once),
		cmocka_unit_test(a_connection_ends_for_what_comes_after_it),
		cmocka_unit_test(another_peer_is_another_route),
		cmocka_unit_test(who_becomes_one_of_ipv4_lets_the_route_of_ipv6_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
