/* SPDX-License-Identifier: BSD-2-Clause */
/* busy_poll_test.c - threads that look before they sleep: what they are told, and that they are woken all the same */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "tests/api/two_nets.h"

#define ROUNDS 200

struct params { /* struct epoll_params of <linux/eventpoll.h> since 6.9 */
	uint32_t busy_poll_usecs;
	uint16_t busy_poll_budget;
	uint8_t prefer_busy_poll, pad;
};
#define SET_PARAMS _IOW(0x8A, 0x01, struct params)
#define GET_PARAMS _IOR(0x8A, 0x02, struct params)

static int get_int(struct weir_file *f, int name)
{
	socklen_t len = sizeof(int);
	int v = -1;

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, name, &v, &len), 0);
	return v;
}

static void a_new_socket_has_what_the_sysctl_says(void **state)
{
	struct two_nets t;
	struct weir_file *f;

	two_nets_create(&t, NULL);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(get_int(f, SO_BUSY_POLL), 0);
	weir_close(f);
	assert_int_equal(weir_sysctl(t.net[0], "net.core.busy_read", "50"), 0);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(get_int(f, SO_BUSY_POLL), 50);
	weir_close(f);
	two_nets_destroy(&t);
}

static void an_epoll_keeps_its_parameters(void **state)
{
	struct params p = { 50, 8, 1, 0 }, got;
	struct weir_file *ep;
	struct two_nets t;

	two_nets_create(&t, NULL);
	assert_int_equal(weir_epoll_create(t.m, &ep), 0);
	assert_int_equal(weir_ioctl(ep, GET_PARAMS, &got), 0);
	assert_memory_equal(&got, &(struct params){ 0 }, sizeof(got));
	assert_int_equal(weir_ioctl(ep, SET_PARAMS, &p), 0);
	assert_int_equal(weir_ioctl(ep, SET_PARAMS, &(struct params){ .pad = 1 }), -EINVAL);
	assert_int_equal(weir_ioctl(ep, SET_PARAMS, &(struct params){ .prefer_busy_poll = 2 }),
			 -EINVAL);
	assert_int_equal(weir_ioctl(ep, SET_PARAMS, &(struct params){ 0x80000000u, 0, 0, 0 }),
			 -EINVAL);
	assert_int_equal(weir_ioctl(ep, GET_PARAMS, &got), 0);
	assert_memory_equal(&got, &p, sizeof(got));
	weir_close(ep);
	two_nets_destroy(&t);
}

/* Who looks with poll and epoll, too, is answered by who looks in recv. */
static void *echo(void *arg)
{
	struct weir_file *f = arg;
	char c;

	while (weir_recv(f, &c, 1, 0) == 1)
		weir_send(f, &c, 1, 0);
	return NULL;
}

static void ping_pong(const struct weir_machine_config *cfg, int usecs, int prefer)
{
	struct weir_file *l, *c, *s, *ep;
	struct params params = { (uint32_t)usecs, 8, (uint8_t)prefer, 0 };
	struct epoll_event ev = { .events = EPOLLIN };
	struct two_nets t;
	pthread_t server;

	two_nets_create(&t, cfg);
	assert_int_equal(weir_sysctl(t.net[0], "net.core.busy_read", usecs ? "20" : "0"), 0);
	assert_int_equal(weir_sysctl(t.net[0], "net.core.busy_poll", usecs ? "20" : "0"), 0);
	assert_int_equal(weir_socket(t.net[1], AF_INET, SOCK_STREAM, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_STREAM, 0, &c), 0);
	assert_int_equal(weir_connect(c, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &s), 0);
	assert_int_equal(
		weir_setsockopt(c, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof(prefer)), 0);
	assert_int_equal(weir_epoll_create(t.m, &ep), 0);
	assert_int_equal(weir_ioctl(ep, SET_PARAMS, &params), 0);
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev), 0);
	assert_int_equal(pthread_create(&server, NULL, echo, s), 0);
	for (int i = 0; i < ROUNDS; i++) {
		struct weir_pollfd p = { .file = c, .events = POLLIN };
		char x = 'x';

		assert_int_equal(weir_send(c, &x, 1, 0), 1);
		if (i % 3 == 1)
			assert_int_equal(weir_poll(t.m, &p, 1, WEIR_FOREVER), 1);
		if (i % 3 == 2)
			assert_int_equal(weir_epoll_wait(ep, &ev, 1, WEIR_FOREVER), 1);
		assert_int_equal(weir_recv(c, &x, 1, 0), 1);
	}
	weir_close(c); /* the server, which looks or sleeps, hears of it */
	pthread_join(server, NULL);
	weir_close(ep);
	weir_close(s);
	weir_close(l);
	two_nets_destroy(&t);
}

static void who_looks_is_woken_and_who_sleeps_too(void **state)
{
	static const struct weir_machine_config cfgs[] = {
		{ 0 },
		{ .ncpus = 2 },
		{ .workers = true },
		{ .ncpus = 2, .workers = true },
	};

	for (size_t i = 0; i < sizeof(cfgs) / sizeof(cfgs[0]); i++) {
		ping_pong(&cfgs[i], 0, 0);
		ping_pong(&cfgs[i], 50, 0);
		ping_pong(&cfgs[i], 50, 1);
	}
}

/* Time that does not pass by itself must not be waited for. */
static void under_virtual_time_nobody_looks(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct timeval tv = { .tv_sec = 5 };
	struct weir_file *f;
	struct two_nets t;
	uint64_t start;
	int usecs = 1000000000;
	char c;

	two_nets_create(&t, &cfg);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&t.addr[0], sizeof(t.addr[0])), 0);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_BUSY_POLL, &usecs, sizeof(usecs)), 0);
	assert_int_equal(weir_setsockopt(f, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	start = weir_now(t.m);
	assert_int_equal(weir_recv(f, &c, 1, 0), -EAGAIN);
	assert_true(weir_now(t.m) - start == 5000000000u);
	weir_close(f);
	two_nets_destroy(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_socket_has_what_the_sysctl_says),
		cmocka_unit_test(an_epoll_keeps_its_parameters),
		cmocka_unit_test(who_looks_is_woken_and_who_sleeps_too),
		cmocka_unit_test(under_virtual_time_nobody_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
