/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eventpoll_test.c - epoll reports what the kernel of this machine reports
 *
 * A script is played on a kernel UDP socket with the kernel's epoll and on one of ours with ours, and the outcomes are compared:
 *   A<mask> add  M<mask> modify  D delete  s send it a datagram  r read one  w epoll_wait with no timeout
 * Masks: i IN, o OUT, e ET, 1 ONESHOT, x EXCLUSIVE, p PRI
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/host.h"
#include "lib/types.h"
#include "netlink/netlink.h"
#include "weir/weir.h"

static struct weir_machine *machine;
static struct weir_net *net;

static int take_ack(const struct nlmsghdr *nlh, void *arg)
{
	return 0;
}

static void lo_up(struct weir_net *n)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg i;
	} r = { { sizeof(r), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 0, 0 },
		{ .ifi_index = 1, .ifi_flags = 1, .ifi_change = 1 } };

	assert_int_equal(weir_netlink(n, NETLINK_ROUTE, &r.h, take_ack, NULL, NULL, 0), 0);
}

static int setup(void **state)
{
	machine = weir_machine_create(NULL);
	net = machine ? weir_net_create(machine, "n") : NULL;
	if (net)
		lo_up(net);
	return !net;
}

static int teardown(void **state)
{
	weir_net_destroy(net);
	weir_machine_destroy(machine);
	return 0;
}

struct player { /* the kernel's, or ours if f is set */
	int fd, ep;
	struct weir_file *f, *wep;
};

static struct sockaddr_in loopback(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void open_kernel(struct player *p)
{
	struct sockaddr_in a = loopback();
	socklen_t len = sizeof(a);

	*p = (struct player){ .fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
			      .ep = epoll_create1(0) };
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&a, len), 0); /* to itself */
}

static void open_ours(struct player *p)
{
	struct sockaddr_in a = loopback();
	socklen_t len = sizeof(a);

	*p = (struct player){ 0 };
	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &p->f), 0);
	assert_int_equal(weir_epoll_create(machine, &p->wep), 0);
	assert_int_equal(weir_bind(p->f, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(weir_getsockname(p->f, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(weir_connect(p->f, (struct sockaddr *)&a, len), 0);
}

static void close_player(struct player *p)
{
	if (p->f) {
		weir_close(p->f);
		weir_close(p->wep);
	} else {
		close(p->fd);
		close(p->ep);
	}
}

static int ctl(struct player *p, int op, u32 mask)
{
	struct epoll_event ev = { .events = mask, .data.u64 = 77 };

	if (p->f)
		return weir_epoll_ctl(p->wep, op, p->f, &ev);
	return epoll_ctl(p->ep, op, p->fd, &ev) ? -errno : 0;
}

static u32 parse_mask(const char **s)
{
	static const struct {
		char c;
		u32 bit;
	} bits[] = { { 'i', EPOLLIN },      { 'o', EPOLLOUT },       { 'e', (u32)EPOLLET },
		     { '1', EPOLLONESHOT }, { 'x', EPOLLEXCLUSIVE }, { 'p', EPOLLPRI } };
	u32 mask = 0;

	for (;; (*s)++) {
		u32 i = 0;

		while (i < ARRAY_SIZE(bits) && bits[i].c != (*s)[1])
			i++;
		if (i == ARRAY_SIZE(bits))
			return mask;
		mask |= bits[i].bit;
	}
}

/* Says what came of @script. */
static void play(struct player *p, const char *script, char *out, size_t size)
{
	struct epoll_event ev[4];
	size_t n = 0;
	char c, buf[8];
	long r;

	for (const char *s = script; *s; s++) {
		switch (c = *s) {
		case 'A':
			r = ctl(p, EPOLL_CTL_ADD, parse_mask(&s));
			break;
		case 'M':
			r = ctl(p, EPOLL_CTL_MOD, parse_mask(&s));
			break;
		case 'D':
			r = ctl(p, EPOLL_CTL_DEL, 0);
			break;
		case 's':
			r = p->f ? weir_send(p->f, "x", 1, 0) : send(p->fd, "x", 1, 0);
			break;
		case 'r':
			r = p->f ? weir_recv(p->f, buf, 8, 0) : recv(p->fd, buf, 8, 0);
			if (!p->f && r < 0)
				r = -errno;
			break;
		case 'w':
			r = p->f ? weir_epoll_wait(p->wep, ev, 4, 0) : epoll_wait(p->ep, ev, 4, 0);
			n += (size_t)snprintf(out + n, size - n, "[%x]", r == 1 ? ev[0].events : 0);
			break;
		default:
			continue;
		}
		n += (size_t)snprintf(out + n, size - n, "%c%ld ", c, r);
	}
}

static void scripts_end_as_in_the_kernel(void **state)
{
	static const char *const scripts[] = {
		"Ai w s w w r w",          /* level: as long as there is something */
		"s s Ai w r w r w",        /* added while ready */
		"Aie w s w w s w r w r w", /* edge: once for each arrival */
		"s Aie w w r w",           /* edge, added while ready */
		"Aie s s w w",             /* two arrivals, one report */
		"Aioe w w s w r w",        /* edge with both directions */
		"Ao w w s w",              /* only writable */
		"Ai1 s w w s w Mi1 w w",   /* oneshot, armed again by MOD */
		"Aie s w Mie w w",         /* MOD reports what is ready again */
		"Ai s Mo w Mi w",          /* interest changes */
		"Ai s D w Ai w",           /* deleted, added again */
		"Ai Ai D D",               /* EEXIST, ENOENT */
		"Mi",                      /* ENOENT */
		"Aix s w r w Mi D",        /* exclusive cannot be modified */
		"Axp Axi1",                /* not with every bit */
		"A w s w",                 /* no interest at all */
		"Ap s w",
		"Ai s w r w s w D s w",
		"Aie1 s w s w M1ie w",
		"r w s r Ai w",
	};
	char k[512], w[512];

	for (u32 i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct player kernel, ours;

		open_kernel(&kernel);
		open_ours(&ours);
		play(&kernel, scripts[i], k, sizeof(k));
		play(&ours, scripts[i], w, sizeof(w));
		if (strcmp(k, w))
			print_error("script \"%s\"\n", scripts[i]);
		assert_string_equal(w, k);
		close_player(&kernel);
		close_player(&ours);
	}
}

static struct weir_file *udp(u16 port)
{
	struct sockaddr_in a = loopback();
	struct weir_file *f;

	a.sin_port = htons(port);
	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&a, sizeof(a)), 0);
	return f;
}

static void send_to(struct weir_file *f, u16 port)
{
	struct sockaddr_in a = loopback();

	a.sin_port = htons(port);
	assert_int_equal(weir_sendto(f, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), 1);
}

static void level_triggered_files_take_turns(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN }, got[2];
	struct weir_file *ep, *f[4];
	u32 seen = 0;

	assert_int_equal(weir_epoll_create(machine, &ep), 0);
	for (u32 i = 0; i < 4; i++) {
		f[i] = udp((u16)(1000 + i));
		ev.data.u32 = i;
		assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, f[i], &ev), 0);
		send_to(f[0], (u16)(1000 + i));
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(weir_epoll_wait(ep, got, 2, 0), 2);
		seen |= 1u << got[0].data.u32 | 1u << got[1].data.u32;
	}
	assert_int_equal(seen, 15);
	for (u32 i = 0; i < 4; i++)
		weir_close(f[i]); /* leaves the epoll by itself */
	assert_int_equal(weir_epoll_wait(ep, got, 2, 0), 0);
	weir_close(ep);
}

static void epolls_nest_but_not_in_a_circle(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN }, got;
	struct weir_file *ep[6], *f = udp(1000);

	for (u32 i = 0; i < 6; i++)
		assert_int_equal(weir_epoll_create(machine, &ep[i]), 0);
	assert_int_equal(weir_epoll_ctl(ep[0], EPOLL_CTL_ADD, f, &ev), 0);
	assert_int_equal(weir_epoll_ctl(ep[1], EPOLL_CTL_ADD, ep[0], &ev), 0);
	assert_int_equal(weir_epoll_ctl(ep[0], EPOLL_CTL_ADD, ep[1], &ev), -ELOOP);
	assert_int_equal(weir_epoll_ctl(ep[0], EPOLL_CTL_ADD, ep[0], &ev), -EINVAL);
	assert_int_equal(weir_epoll_wait(ep[1], &got, 1, 0), 0);
	send_to(f, 1000);
	assert_int_equal(weir_epoll_wait(ep[1], &got, 1, 0), 1);
	assert_int_equal(got.events, EPOLLIN);
	assert_true(weir_poll_now(ep[0]) & EPOLLIN);
	assert_int_equal(weir_epoll_ctl(ep[2], EPOLL_CTL_ADD, ep[1], &ev), 0);
	assert_int_equal(weir_epoll_ctl(ep[3], EPOLL_CTL_ADD, ep[2], &ev), 0);
	assert_int_equal(weir_epoll_ctl(ep[4], EPOLL_CTL_ADD, ep[3], &ev), 0);
	assert_int_equal(weir_epoll_ctl(ep[5], EPOLL_CTL_ADD, ep[4], &ev), -ELOOP);
	for (u32 i = 0; i < 6; i++)
		weir_close(ep[i]);
	weir_close(f);
}

static void waiting_ends_by_time_in_virtual_time(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *n = weir_net_create(m, "v");
	struct weir_file *ep, *f;
	struct weir_pollfd pfd = { .events = POLLIN };
	struct epoll_event ev = { .events = EPOLLIN };

	assert_int_equal(weir_epoll_create(m, &ep), 0);
	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, f, &ev), 0);
	assert_int_equal(weir_epoll_wait(ep, &ev, 1, 5000000000), 0);
	assert_true(weir_now(m) >= 5000000000 && weir_now(m) < 5100000000);
	pfd.file = f;
	assert_int_equal(weir_poll(m, &pfd, 1, 5000000000), 0);
	assert_true(weir_now(m) >= 10000000000);
	weir_close(f);
	weir_close(ep);
	weir_net_destroy(n);
	weir_machine_destroy(m);
}

struct blocked {
	struct weir_file *f, *ep;
	int result;
};

static void block_in_recv(void *arg)
{
	struct blocked *b = arg;
	char c;

	b->result = (int)weir_recv(b->f, &c, 1, 0);
}

static void block_in_epoll(void *arg)
{
	struct blocked *b = arg;
	struct epoll_event ev;

	b->result = weir_epoll_wait(b->ep, &ev, 1, WEIR_FOREVER);
}

/* In virtual time the thread has got to its sleep when this one has slept. */
static void closing_wakes_those_who_sleep_inside(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *n = weir_net_create(m, "v");
	struct blocked b = { 0 };
	struct weir_thread *t;

	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM, 0, &b.f), 0);
	t = weir_thread_start(m, "recv", block_in_recv, &b);
	weir_sleep(m, 1000000);
	weir_close(b.f);
	weir_thread_join(t);
	assert_int_equal(b.result, -EBADF);

	assert_int_equal(weir_epoll_create(m, &b.ep), 0);
	t = weir_thread_start(m, "epoll", block_in_epoll, &b);
	weir_sleep(m, 1000000);
	weir_close(b.ep);
	weir_thread_join(t);
	assert_int_equal(b.result, -EBADF);

	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM, 0, &b.f), 0);
	t = weir_thread_start(m, "recv", block_in_recv, &b);
	weir_sleep(m, 1000000);
	weir_net_destroy(n); /* the file stays, the net goes */
	weir_thread_join(t);
	assert_int_equal(b.result, -ENETDOWN);
	assert_int_equal(weir_send(b.f, "x", 1, 0), -ENETDOWN);
	assert_int_equal(weir_poll_now(b.f) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
	weir_close(b.f);
	weir_machine_destroy(m);
}

static void run_says_when_an_epoll_became_ready(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct weir_file *ep, *f = udp(1000);

	assert_int_equal(weir_epoll_create(machine, &ep), 0);
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, f, &ev), 0);
	assert_int_equal(weir_run(machine, 0), 0);
	send_to(f, 1000);
	assert_int_equal(weir_run(machine, 0), 1);
	assert_int_equal(weir_run(machine, 0), 0);
	weir_close(ep);
	weir_close(f);
}

/* As in Linux: an exclusive watch without a thread that sleeps on it lets the event through to the next. */
static void an_exclusive_watch_that_wakes_nobody_passes_the_event_on(void **state)
{
	u32 masks[] = { EPOLLOUT | (u32)EPOLLET, EPOLLIN, EPOLLIN };
	struct weir_file *ep[3], *f = udp(1000);
	struct epoll_event ev;

	for (u32 i = 0; i < ARRAY_SIZE(ep); i++) {
		ev.events = masks[i] | EPOLLEXCLUSIVE;
		assert_int_equal(weir_epoll_create(machine, &ep[i]), 0);
		assert_int_equal(weir_epoll_ctl(ep[i], EPOLL_CTL_ADD, f, &ev), 0);
		weir_epoll_wait(ep[i], &ev, 1, 0);
	}
	send_to(f, 1000);
	weir_run(machine, 0);
	assert_int_equal(weir_epoll_wait(ep[1], &ev, 1, 0), 1);
	assert_int_equal(weir_epoll_wait(ep[2], &ev, 1, 0), 1);
	for (u32 i = 0; i < ARRAY_SIZE(ep); i++)
		weir_close(ep[i]);
	weir_close(f);
}

/* ---- threads that sleep ------------------------------------------------------------------------------------ */

#define SLEEPERS_MAX 6

struct sleeper {
	struct weir_machine *m;
	struct weir_file *ep; /* NULL: in poll(2) */
	struct weir_file *f;
	int woken;
};

static void sleep_in_it(void *arg)
{
	struct sleeper *s = arg;
	struct weir_pollfd pfd = { .file = s->f, .events = POLLIN };
	struct epoll_event ev;

	s->woken = s->ep ? weir_epoll_wait(s->ep, &ev, 1, 1000000000)
			 : weir_poll(s->m, &pfd, 1, 1000000000);
}

/*
 * How many of those who sleep are woken by @datagrams. @who: a thread each. x: an epoll of its own, exclusive; n: one that is not; o:
 * exclusive, but for another event; p: poll(2); s: the epoll, not exclusive, of all others that say s; X: the same, exclusive.
 */
static int woken_of(const char *who, int datagrams)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct weir_thread *t[SLEEPERS_MAX];
	struct sleeper s[SLEEPERS_MAX] = { 0 };
	struct weir_file *f, *from, *shared = NULL;
	size_t n = strlen(who);
	int woken = 0;

	machine = weir_machine_create(&cfg);
	net = weir_net_create(machine, "v");
	lo_up(net);
	f = udp(1000);
	from = udp(1001); /* that the datagram has left is no event of @f */
	for (size_t i = 0; i < n; i++) {
		struct epoll_event ev = {
			.events = who[i] == 'o' ? EPOLLOUT | (u32)EPOLLET : EPOLLIN,
		};
		bool share = who[i] == 's' || who[i] == 'X';

		s[i].m = machine;
		s[i].f = f;
		if (strchr("xoX", who[i]))
			ev.events |= EPOLLEXCLUSIVE;
		if (share && shared) {
			s[i].ep = shared;
		} else if (who[i] != 'p') {
			assert_int_equal(weir_epoll_create(machine, &s[i].ep), 0);
			assert_int_equal(weir_epoll_ctl(s[i].ep, EPOLL_CTL_ADD, f, &ev), 0);
			if (share)
				shared = s[i].ep;
		}
		if (who[i] == 'o') /* what holds already is told once */
			assert_int_equal(weir_epoll_wait(s[i].ep, &ev, 1, 0), 1);
		t[i] = weir_thread_start(machine, "sleeper", sleep_in_it, &s[i]);
		weir_sleep(machine, 1000000);
	}
	for (int i = 0; i < datagrams; i++) {
		send_to(from, 1000);
		weir_sleep(machine, 1000000);
	}
	for (size_t i = 0; i < n; i++) {
		weir_thread_join(t[i]);
		woken += s[i].woken;
		if (s[i].ep && s[i].ep != shared)
			weir_close(s[i].ep);
	}
	if (shared)
		weir_close(shared);
	weir_close(from);
	weir_close(f);
	weir_net_destroy(net);
	weir_machine_destroy(machine);
	return woken;
}

static void an_exclusive_watch_wakes_one_thread(void **state)
{
	assert_int_equal(woken_of("xxxx", 0), 0);
	assert_int_equal(woken_of("xxxx", 1), 1);
	assert_int_equal(woken_of("xxxx", 2), 2);
	assert_int_equal(woken_of("xxxx", 4), 4);
	/* All others hear of everything. */
	assert_int_equal(woken_of("nnnn", 1), 4);
	assert_int_equal(woken_of("nnxx", 1), 3);
	assert_int_equal(woken_of("xxnn", 1), 3);
	assert_int_equal(woken_of("xnxn", 1), 3);
	assert_int_equal(woken_of("xxp", 1), 2);
	assert_int_equal(woken_of("xxpp", 2), 4);
	/* Who waits for something else does not use the event up. */
	assert_int_equal(woken_of("oxx", 1), 1);
	assert_int_equal(woken_of("xox", 1), 1);
	/* Threads that share an epoll: nobody reads, and so one tells the next, as in Linux. */
	assert_int_equal(woken_of("ssss", 1), 4);
	assert_int_equal(woken_of("XXXX", 1), 4);
	assert_int_equal(woken_of("XXxx", 1), 2);
	assert_int_equal(woken_of("ssxx", 1), 3);
}

static void what_was_left_in_an_epoll_is_an_event_for_the_loop(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct weir_file *ep, *f[2] = { udp(1000), udp(1001) };
	struct pollfd pfd = { .events = POLLIN };
	char c;

	assert_int_equal(weir_epoll_create(machine, &ep), 0);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, f[i], &ev), 0);
		send_to(f[0], (u16)(1000 + i));
	}
	assert_int_equal(weir_run(machine, 0), 1);
	assert_int_equal(weir_epoll_wait(ep, &ev, 1, 0), 1); /* one of two */
	pfd.fd = weir_arm(machine);
	assert_int_equal(poll(&pfd, 1, 0), 1);
	assert_int_equal(weir_run(machine, 0), 1);
	assert_int_equal(weir_recv(f[0], &c, 1, 0), 1);
	assert_int_equal(weir_recv(f[1], &c, 1, 0), 1);
	assert_int_equal(weir_epoll_wait(ep, &ev, 1, 0), 0);
	assert_int_equal(weir_run(machine, 0), 0);
	weir_close(ep);
	weir_close(f[0]);
	weir_close(f[1]);
}

static void files_of_another_machine_cannot_be_watched(void **state)
{
	struct weir_machine *other = weir_machine_create(NULL);
	struct epoll_event ev = { .events = EPOLLIN };
	struct weir_pollfd pfd = { .file = udp(1000), .events = POLLIN };
	struct weir_file *ep;

	assert_int_equal(weir_epoll_create(other, &ep), 0);
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, pfd.file, &ev), -EINVAL);
	assert_int_equal(weir_poll(other, &pfd, 1, 1000), -EINVAL);
	weir_close(ep);
	weir_close(pfd.file);
	weir_machine_destroy(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scripts_end_as_in_the_kernel, setup, teardown),
		cmocka_unit_test_setup_teardown(level_triggered_files_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(epolls_nest_but_not_in_a_circle, setup, teardown),
		cmocka_unit_test(waiting_ends_by_time_in_virtual_time),
		cmocka_unit_test(closing_wakes_those_who_sleep_inside),
		cmocka_unit_test_setup_teardown(run_says_when_an_epoll_became_ready, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			an_exclusive_watch_that_wakes_nobody_passes_the_event_on, setup, teardown),
		cmocka_unit_test(an_exclusive_watch_wakes_one_thread),
		cmocka_unit_test_setup_teardown(what_was_left_in_an_epoll_is_an_event_for_the_loop,
						setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_another_machine_cannot_be_watched, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
