/* SPDX-License-Identifier: BSD-2-Clause */
/* stream_calls_test.c - what bind, connect, listen, accept and shutdown say about stream sockets; recorded from Linux 6.18 */
#include "tests/api/two_nets.h"

#include <stdlib.h>
#include <string.h>

static const struct weir_machine_config virtual_clock = { .clock = WEIR_CLOCK_VIRTUAL,
							  .seeded = true,
							  .seed = 1 };

static int setup(void **state)
{
	struct two_nets *t = calloc(1, sizeof(*t));

	two_nets_create(t, &virtual_clock);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	two_nets_destroy(*state);
	free(*state);
	return 0;
}

static void settle(struct two_nets *t)
{
	for (int i = 0; i < 50; i++)
		weir_run(t->m, 1000000);
}

static struct weir_file *stream(struct weir_net *net, int flags)
{
	struct weir_file *f;

	assert_int_equal(weir_socket(net, AF_INET, SOCK_STREAM | flags, 0, &f), 0);
	return f;
}

static struct weir_file *listener(struct two_nets *t, int flags)
{
	struct weir_file *f = stream(t->net[1], flags);

	assert_int_equal(weir_bind(f, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
	assert_int_equal(weir_listen(f, 5), 0);
	return f;
}

static int connect_to(struct weir_file *f, const struct sockaddr_in *a)
{
	return weir_connect(f, (const struct sockaddr *)a, sizeof(*a));
}

static int disconnect(struct weir_file *f)
{
	struct sockaddr_in a = { .sin_family = AF_UNSPEC };

	return connect_to(f, &a);
}

static void unconnected_sockets_say_so(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *f = stream(t->net[0], 0), *out;
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	char c;

	assert_int_equal(weir_accept(f, NULL, NULL, 0, &out), -EINVAL);
	assert_int_equal(weir_shutdown(f, SHUT_WR), -ENOTCONN);
	assert_int_equal(weir_getpeername(f, (struct sockaddr *)&name, &len), -ENOTCONN);
	weir_close(f);
	f = stream(t->net[0], 0);
	assert_int_equal(weir_send(f, "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(weir_recv(f, &c, 1, 0), -ENOTCONN);
	assert_int_equal(disconnect(f), 0);
	name = t->addr[1];
	assert_int_equal(weir_connect(f, (struct sockaddr *)&name, 8), -EINVAL);
	name.sin_family = AF_INET6;
	assert_int_equal(connect_to(f, &name), -EAFNOSUPPORT);
	weir_close(f);
}

static void listeners_answer_as_in_linux(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *l = listener(t, SOCK_NONBLOCK), *out;
	struct sockaddr_in any = { .sin_family = AF_INET };
	char c;

	assert_int_equal(weir_listen(l, 1), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&any, sizeof(any)), -EINVAL);
	assert_int_equal(connect_to(l, &t->addr[0]), -EISCONN);
	assert_int_equal(weir_send(l, "x", 1, MSG_NOSIGNAL), -EPIPE);
	assert_int_equal(weir_recv(l, &c, 1, 0), -ENOTCONN);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &out), -EAGAIN);
	assert_int_equal(weir_shutdown(l, SHUT_WR), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &out), -EAGAIN);
	assert_int_equal(weir_shutdown(l, SHUT_RD), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &out), -EINVAL);
	assert_int_equal(weir_listen(l, 1), 0);
	weir_close(l);
}

static void nonblocking_connect_goes_through_its_states(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *l = listener(t, SOCK_NONBLOCK), *f = stream(t->net[0], SOCK_NONBLOCK), *s;
	struct sockaddr_in any = { .sin_family = AF_INET }, peer;
	struct lab_impairment imp = { .delay_ns = 10000000 };
	socklen_t len = sizeof(peer);
	struct net_error err;

	assert_int_equal(net_link_impair(t->net[0], "eth0", &imp, &err), 0);
	assert_int_equal(connect_to(f, &t->addr[1]), -EINPROGRESS);
	assert_int_equal(connect_to(f, &t->addr[1]), -EALREADY);
	settle(t);
	assert_true(weir_poll_now(f) & POLLOUT);
	assert_int_equal(connect_to(f, &t->addr[1]), 0);
	assert_int_equal(connect_to(f, &t->addr[1]), -EISCONN);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&any, sizeof(any)), -EINVAL);
	assert_int_equal(weir_listen(f, 1), -EINVAL);
	assert_int_equal(weir_accept(l, (struct sockaddr *)&peer, &len, 0, &s), 0);
	assert_int_equal(peer.sin_addr.s_addr, t->addr[0].sin_addr.s_addr);
	weir_close(s);
	weir_close(f);
	weir_close(l);
}

static void refused_socket_may_try_again(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *f = stream(t->net[0], 0), *l;

	assert_int_equal(connect_to(f, &t->addr[1]), -ECONNREFUSED);
	l = listener(t, 0);
	assert_int_equal(connect_to(f, &t->addr[1]), 0);
	weir_close(f);
	weir_close(l);
}

static void disconnect_resets_and_allows_another_connect(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *l = listener(t, 0), *f = stream(t->net[0], 0), *s;
	struct sockaddr_in name;
	socklen_t len = sizeof(name);
	char c;

	assert_int_equal(connect_to(f, &t->addr[1]), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &s), 0);
	assert_int_equal(disconnect(f), 0);
	assert_int_equal(weir_getpeername(f, (struct sockaddr *)&name, &len), -ENOTCONN);
	assert_int_equal(weir_recv(s, &c, 1, 0), -ECONNRESET);
	assert_int_equal(connect_to(f, &t->addr[1]), 0);
	weir_close(s);
	weir_close(f);
	weir_close(l);
}

static void closed_listener_resets_what_nobody_accepted(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *l = listener(t, 0), *f = stream(t->net[0], 0);
	char c;

	assert_int_equal(connect_to(f, &t->addr[1]), 0);
	weir_close(l);
	assert_int_equal(weir_recv(f, &c, 1, 0), -ECONNRESET);
	weir_close(f);
}

static void listener_port_is_busy_until_it_closes(void **state)
{
	struct two_nets *t = *state;
	struct weir_file *l = listener(t, 0), *f = stream(t->net[1], 0);

	assert_int_equal(weir_bind(f, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])),
			 -EADDRINUSE);
	weir_close(l);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
	weir_close(f);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(unconnected_sockets_say_so),
		T(listeners_answer_as_in_linux),
		T(nonblocking_connect_goes_through_its_states),
		T(refused_socket_may_try_again),
		T(disconnect_resets_and_allows_another_connect),
		T(closed_listener_resets_what_nobody_accepted),
		T(listener_port_is_busy_until_it_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
