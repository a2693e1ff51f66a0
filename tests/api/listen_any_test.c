/* SPDX-License-Identifier: BSD-2-Clause */
/* listen_any_test.c - a gateway in user space: TCP and UDP to any destination, of both IP versions, in virtual time */
#include "tests/api/two_nets.h"

#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *   client 10.0.0.1, fd00::1 ---- eth0 10.0.0.2, fd00::2 gateway: everything that arrives is for it
 */
struct gateway {
	struct two_nets t;
	struct weir_file *listener[2]; /* TCP of IPv4, IPv6 */
};

static const struct weir_machine_config virtual_clock = { .clock = WEIR_CLOCK_VIRTUAL,
							  .seeded = true,
							  .seed = 1 };

static struct sockaddr_storage address(const char *text, uint16_t port)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *sin = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&ss;

	if (strchr(text, ':')) {
		ss.ss_family = AF_INET6;
		sin6->sin6_port = htons(port);
		assert_int_equal(inet_pton(AF_INET6, text, &sin6->sin6_addr), 1);
	} else {
		ss.ss_family = AF_INET;
		sin->sin_port = htons(port);
		assert_int_equal(inet_pton(AF_INET, text, &sin->sin_addr), 1);
	}
	return ss;
}

static bool is_address(const struct sockaddr_storage *ss, const char *text, int port)
{
	struct sockaddr_storage want = address(text, (uint16_t)port);

	if (ss->ss_family != want.ss_family)
		return false;
	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *a = (void *)ss, *b = (void *)&want;

		return a->sin_addr.s_addr == b->sin_addr.s_addr &&
		       (port < 0 || a->sin_port == b->sin_port);
	}
	return !memcmp(&((struct sockaddr_in6 *)ss)->sin6_addr,
		       &((struct sockaddr_in6 *)&want)->sin6_addr, 16) &&
	       (port < 0 || ((struct sockaddr_in6 *)ss)->sin6_port ==
				    ((struct sockaddr_in6 *)&want)->sin6_port);
}

static socklen_t addrlen(const struct sockaddr_storage *ss)
{
	return ss->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static void settle(struct gateway *g, unsigned ms)
{
	uint64_t end = weir_now(g->t.m) + ms * 1000000ull;

	while (weir_now(g->t.m) < end)
		weir_run(g->t.m, end - weir_now(g->t.m));
}

static void default_route(struct weir_net *net, int family, const char *via)
{
	struct lab_route r = { .is_default = true, .has_via = true };
	struct net_error err;

	r.dst.family = r.via.family = family;
	assert_int_equal(inet_pton(family, via, r.via.octets), 1);
	assert_int_equal(net_route_add(net, &r, &err), 0);
}

static void add_ip6(struct weir_net *net, const char *text)
{
	struct lab_ip ip = { .family = AF_INET6 };
	struct net_error err;

	assert_int_equal(inet_pton(AF_INET6, text, &ip.v6), 1);
	assert_int_equal(net_ip_add(net, "eth0", &ip, 64, &err), 0);
}

static int setup(void **state)
{
	struct gateway *g = calloc(1, sizeof(*g));
	struct net_error err;

	two_nets_create(&g->t, &virtual_clock);
	for (int i = 0; i < 2; i++) {
		struct weir_net *net = g->t.net[i];

		assert_int_equal(net_link_up(net, "lo", &err), 0);
		assert_int_equal(weir_sysctl(net, "net.ipv6.conf.eth0.disable_ipv6", "0"), 0);
		assert_int_equal(weir_sysctl(net, "net.ipv6.conf.eth0.accept_dad", "0"), 0);
		add_ip6(net, i ? "fd00::2" : "fd00::1");
	}
	default_route(g->t.net[0], AF_INET, "10.0.0.2");
	default_route(g->t.net[0], AF_INET6, "fd00::2");
	assert_int_equal(net_local_any(g->t.net[1], AF_INET, &err), 0);
	assert_int_equal(net_local_any(g->t.net[1], AF_INET6, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(weir_socket(g->t.net[1], i ? AF_INET6 : AF_INET,
					     SOCK_STREAM | SOCK_NONBLOCK, 0, &g->listener[i]),
				 0);
		assert_int_equal(weir_listen_any(g->listener[i], 100), 0);
	}
	settle(g, 100);
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct gateway *g = *state;

	for (int i = 0; i < 2; i++)
		weir_close(g->listener[i]);
	two_nets_destroy(&g->t);
	free(g);
	return 0;
}

/* A connect that is under way. */
static struct weir_file *begin(struct gateway *g, const char *text, uint16_t port)
{
	struct sockaddr_storage ss = address(text, port);
	struct weir_file *f;

	assert_int_equal(weir_socket(g->t.net[0], ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0, &f),
			 0);
	assert_int_equal(weir_connect(f, (struct sockaddr *)&ss, addrlen(&ss)), -EINPROGRESS);
	settle(g, 10);
	return f;
}

static int so_error(struct weir_file *f)
{
	int err = -1;
	socklen_t len = sizeof(err);

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	return err;
}

static const char *const far[2] = { "198.51.100.7", "2001:db8::7" };
static const char *const near[2] = { "10.0.0.1", "fd00::1" };

static void a_syn_waits_for_its_answer(void **state)
{
	struct gateway *g = *state;

	for (int v = 0; v < 2; v++) {
		struct weir_file *c = begin(g, far[v], 443), *s;
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct weir_syn syn;
		char buf[8];

		assert_true(weir_poll_now(g->listener[v]) & POLLIN);
		assert_int_equal(weir_next_syn(g->listener[v], &syn), 0);
		assert_false(syn.gone);
		assert_true(is_address(&syn.dst, far[v], 443));
		assert_true(is_address(&syn.src, near[v], -1));
		assert_int_equal(weir_next_syn(g->listener[v], &syn), -EAGAIN);
		assert_false(weir_poll_now(g->listener[v]) & POLLIN);
		/* The client repeats its SYN: that is no other one. */
		settle(g, 10000);
		assert_int_equal(weir_next_syn(g->listener[v], &syn), -EAGAIN);
		assert_false(weir_poll_now(c) & (POLLOUT | POLLHUP | POLLERR));
		assert_int_equal(weir_accept(g->listener[v], NULL, NULL, SOCK_NONBLOCK, &s),
				 -EAGAIN);
		/* Yes. */
		assert_int_equal(weir_answer_syn(g->listener[v], &syn, 0), 0);
		settle(g, 10);
		assert_true(weir_poll_now(c) & POLLOUT);
		assert_int_equal(weir_accept(g->listener[v], NULL, NULL, SOCK_NONBLOCK, &s), 0);
		assert_int_equal(weir_cookie(s), syn.cookie);
		assert_int_equal(weir_getsockname(s, (struct sockaddr *)&ss, &len), 0);
		assert_true(is_address(&ss, far[v], 443));
		assert_int_equal(weir_send(s, "hello", 5, 0), 5);
		settle(g, 10);
		assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), 5);
		assert_int_equal(weir_answer_syn(g->listener[v], &syn, 0), -ENOENT);
		weir_close(c);
		weir_close(s);
	}
}

static void the_outcome_is_passed_on(void **state)
{
	static const struct {
		int answer, seen;
	} cases[] = { { ECONNREFUSED, ECONNREFUSED },
		      { ENETUNREACH, ENETUNREACH },
		      { EHOSTUNREACH, EHOSTUNREACH },
		      { EACCES, EHOSTUNREACH } };
	struct gateway *g = *state;

	for (int v = 0; v < 2; v++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
			struct weir_file *c = begin(g, far[v], 80);
			struct weir_syn syn;
			int want = v && cases[i].answer == EACCES ? EACCES : cases[i].seen;

			assert_int_equal(weir_next_syn(g->listener[v], &syn), 0);
			assert_int_equal(weir_answer_syn(g->listener[v], &syn, cases[i].answer), 0);
			settle(g, 10);
			assert_true(weir_poll_now(c) & POLLERR);
			assert_int_equal(so_error(c), want);
			/* It was our own doing. */
			assert_int_equal(weir_next_syn(g->listener[v], &syn), -EAGAIN);
			weir_close(c);
		}
}

static bool dropped_for(struct gateway *g, const char *reason)
{
	static struct weir_trace_record records[4096];
	uint64_t lost, from[64] = { 0 };
	int n = weir_trace_read(g->t.m, from, records, 4096, &lost);

	for (int i = 0; i < n; i++)
		if (!strcmp(weir_drop_reason_name(g->t.m, records[i].reason), reason))
			return true;
	return false;
}

static void discards_say_why(void **state)
{
	struct gateway *g = *state;
	struct weir_file *c;
	struct weir_syn syn;

	assert_int_equal(weir_trace_enable(g->t.m, 4096), 0);
	c = begin(g, far[0], 80);
	assert_int_equal(weir_next_syn(g->listener[0], &syn), 0);
	assert_false(dropped_for(g, "TCP_REQ_DUP"));
	settle(g, 1500); /* the SYN comes again */
	assert_true(dropped_for(g, "TCP_REQ_DUP"));
	assert_false(dropped_for(g, "ANY_REFUSED"));
	assert_int_equal(weir_answer_syn(g->listener[0], &syn, ECONNREFUSED), 0);
	assert_true(dropped_for(g, "ANY_REFUSED"));
	weir_trace_disable(g->t.m);
	weir_close(c);
}

static void silence_ends_in_a_timeout(void **state)
{
	struct gateway *g = *state;
	struct weir_file *c = begin(g, far[0], 80);
	struct weir_syn syn;
	int told = 0;

	assert_int_equal(weir_next_syn(g->listener[0], &syn), 0);
	assert_int_equal(weir_answer_syn(g->listener[0], &syn, ETIMEDOUT), 0);
	for (int i = 0; i < 200; i++) {
		settle(g, 1000);
		/* A repeated SYN is a new one now. */
		while (!weir_next_syn(g->listener[0], &syn)) {
			assert_int_equal(weir_answer_syn(g->listener[0], &syn, ETIMEDOUT), 0);
			told++;
		}
	}
	assert_true(told > 0);
	assert_int_equal(so_error(c), ETIMEDOUT);
	weir_close(c);
	assert_int_equal(weir_answer_syn(g->listener[0], &syn, EIO), -EINVAL);
}

/* The sender closes while its SYN waits: nothing is sent. The SYN-ACK is answered with RST, and the owner is told. */
static void a_sender_that_gives_up_is_told(void **state)
{
	struct gateway *g = *state;

	for (int v = 0; v < 2; v++) {
		struct weir_file *c = begin(g, far[v], 80), *s;
		struct weir_syn syn, end;

		assert_int_equal(weir_next_syn(g->listener[v], &syn), 0);
		weir_close(c);
		settle(g, 10);
		assert_int_equal(weir_answer_syn(g->listener[v], &syn, 0), 0);
		settle(g, 10);
		assert_int_equal(weir_accept(g->listener[v], NULL, NULL, SOCK_NONBLOCK, &s),
				 -EAGAIN);
		assert_true(weir_poll_now(g->listener[v]) & POLLIN);
		assert_int_equal(weir_next_syn(g->listener[v], &end), 0);
		assert_true(end.gone);
		assert_int_equal(end.cookie, syn.cookie);
		assert_int_equal(weir_next_syn(g->listener[v], &end), -EAGAIN);
	}
}

static void a_syn_without_an_answer_ends(void **state)
{
	struct gateway *g = *state;
	struct weir_file *c = begin(g, far[0], 80);
	struct weir_syn syn, end;

	assert_int_equal(weir_next_syn(g->listener[0], &syn), 0);
	settle(g, 170000); /* the client has given up by now */
	assert_int_equal(weir_next_syn(g->listener[0], &end), -EAGAIN);
	settle(g, 20000);
	assert_int_equal(weir_next_syn(g->listener[0], &end), 0);
	assert_true(end.gone);
	assert_int_equal(end.cookie, syn.cookie);
	assert_int_equal(weir_answer_syn(g->listener[0], &syn, 0), -ENOENT);
	weir_close(c);
}

static void what_waits_is_bounded(void **state)
{
	struct gateway *g = *state;
	struct weir_file *c[150];
	struct weir_syn syn;
	int told = 0;

	for (int i = 0; i < 150; i++)
		c[i] = begin(g, far[0], (uint16_t)(1000 + i));
	while (!weir_next_syn(g->listener[0], &syn))
		told++;
	assert_int_equal(told, 101); /* as listen(2): one more than the backlog */
	for (int i = 0; i < 150; i++)
		weir_close(c[i]);
}

static void other_listeners_come_first(void **state)
{
	struct gateway *g = *state;
	struct sockaddr_storage ss = address("10.0.0.2", 53);
	struct weir_file *l, *c, *s;
	struct weir_syn syn;

	assert_int_equal(weir_socket(g->t.net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&ss, addrlen(&ss)), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	c = begin(g, "10.0.0.2", 53);
	assert_int_equal(weir_next_syn(g->listener[0], &syn), -EAGAIN);
	assert_int_equal(weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s), 0);
	weir_close(c);
	weir_close(s);
	weir_close(l);
}

static void there_is_one_for_each_protocol_and_version(void **state)
{
	struct gateway *g = *state;
	struct weir_file *f;
	struct sockaddr_storage ss = address("10.0.0.2", 9);
	struct weir_syn syn;

	assert_int_equal(weir_socket(g->t.net[1], AF_INET, SOCK_STREAM, 0, &f), 0);
	assert_int_equal(weir_listen_any(f, 1), -EADDRINUSE);
	assert_int_equal(weir_next_syn(f, &syn), -EINVAL);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&ss, addrlen(&ss)), 0);
	assert_int_equal(weir_listen_any(f, 1), -EINVAL);
	weir_close(f);
	assert_int_equal(weir_socket(g->t.net[1], AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, &f), 0);
	assert_int_equal(weir_listen_any(f, 1), -EOPNOTSUPP);
	weir_close(f);
	/* The place is free again when the socket is closed. */
	weir_close(g->listener[0]);
	assert_int_equal(weir_socket(g->t.net[1], AF_INET, SOCK_STREAM, 0, &g->listener[0]), 0);
	assert_int_equal(weir_listen_any(g->listener[0], 1), 0);
}

/* Closing forgets all that waits, and so does the end of the net; nothing leaks (checked by the sanitizers). */
static void it_can_be_closed_at_any_time(void **state)
{
	struct gateway *g = *state;
	struct weir_file *c[3];
	struct weir_syn syn;

	for (int i = 0; i < 3; i++)
		c[i] = begin(g, far[0], 80);
	assert_int_equal(weir_next_syn(g->listener[0], &syn), 0);
	assert_int_equal(weir_next_syn(g->listener[0], &syn), 0);
	assert_int_equal(weir_answer_syn(g->listener[0], &syn, 0), 0);
	weir_close(g->listener[0]);
	settle(g, 10);
	for (int i = 0; i < 3; i++)
		weir_close(c[i]);
	assert_int_equal(weir_socket(g->t.net[1], AF_INET, SOCK_STREAM, 0, &g->listener[0]), 0);
	assert_int_equal(weir_listen_any(g->listener[0], 1), 0);
}

/* The device that a SYN came by is removed before the answer. */
static void a_device_may_go_before_the_answer(void **state)
{
	static const int answers[] = { 0, ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT };
	struct gateway *g = *state;
	struct weir_file *c[4];
	struct weir_syn syn[4];

	for (int i = 0; i < 4; i++) {
		c[i] = begin(g, far[0], 80);
		assert_int_equal(weir_next_syn(g->listener[0], &syn[i]), 0);
	}
	weir_net_destroy(g->t.net[0]);
	g->t.net[0] = weir_net_create(g->t.m, "again");
	for (int i = 0; i < 4; i++) {
		int err = weir_answer_syn(g->listener[0], &syn[i], answers[i]);

		assert_true(err == 0 || err == -EHOSTUNREACH);
		weir_close(c[i]);
	}
	settle(g, 1000);
}

/* ---- UDP ------------------------------------------------------------------------------------------------------- */

union control {
	char buf[256];
	struct cmsghdr align;
};

static void datagrams_come_with_their_destination_and_go_from_any_source(void **state)
{
	struct gateway *g = *state;

	for (int v = 0; v < 2; v++) {
		int level = v ? SOL_IPV6 : SOL_IP, one = 1;
		int type = v ? 74 /* IPV6_ORIGDSTADDR */ : 20 /* IP_ORIGDSTADDR */;
		struct sockaddr_storage to = address(far[v], 53), from, dst = { 0 };
		struct sockaddr_storage forged = address(v ? "2001:db8::99" : "203.0.113.9", 5353);
		struct weir_file *any, *c;
		union control ctl = { 0 };
		char data[64];
		struct iovec iov = { data, sizeof(data) };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1,
				      .msg_control = &ctl,
				      .msg_controllen = sizeof(ctl) };
		struct cmsghdr *cm;
		socklen_t len = sizeof(from);

		assert_int_equal(
			weir_socket(g->t.net[1], to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0, &any),
			0);
		assert_int_equal(weir_setsockopt(any, level, type, &one, sizeof(one)), 0);
		assert_int_equal(weir_listen_any(any, 0), 0);
		assert_int_equal(
			weir_socket(g->t.net[0], to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0, &c),
			0);
		assert_int_equal(weir_sendto(c, "ask", 3, 0, (struct sockaddr *)&to, addrlen(&to)),
				 3);
		settle(g, 10);
		assert_int_equal(weir_recvmsg(any, &msg, 0), 3);
		assert_true(is_address(&from, near[v], -1));
		cm = CMSG_FIRSTHDR(&msg);
		assert_non_null(cm);
		assert_int_equal(cm->cmsg_level, level);
		assert_int_equal(cm->cmsg_type, type);
		memcpy(&dst, CMSG_DATA(cm), addrlen(&to));
		assert_true(is_address(&dst, far[v], 53));

		/* The answer, from where it was sent to; then something from elsewhere. */
		memcpy(data, "answer", 6);
		iov.iov_len = 6;
		assert_int_equal(weir_sendmsg(any, &msg, 0), 6);
		memcpy(CMSG_DATA(cm), &forged, addrlen(&forged));
		assert_int_equal(weir_sendmsg(any, &msg, 0), 6);
		settle(g, 10);
		assert_int_equal(
			weir_recvfrom(c, data, sizeof(data), 0, (struct sockaddr *)&from, &len), 6);
		assert_true(is_address(&from, far[v], 53));
		len = sizeof(from);
		assert_int_equal(
			weir_recvfrom(c, data, sizeof(data), 0, (struct sockaddr *)&from, &len), 6);
		assert_true(is_address(&from, v ? "2001:db8::99" : "203.0.113.9", 5353));
		/* Only for such sockets. */
		assert_int_equal(weir_sendmsg(c, &msg, 0), -EINVAL);
		weir_close(c);
		weir_close(any);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_syn_waits_for_its_answer),
		T(the_outcome_is_passed_on),
		T(discards_say_why),
		T(silence_ends_in_a_timeout),
		T(a_sender_that_gives_up_is_told),
		T(a_syn_without_an_answer_ends),
		T(what_waits_is_bounded),
		T(other_listeners_come_first),
		T(there_is_one_for_each_protocol_and_version),
		T(it_can_be_closed_at_any_time),
		T(a_device_may_go_before_the_answer),
		T(datagrams_come_with_their_destination_and_go_from_any_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
