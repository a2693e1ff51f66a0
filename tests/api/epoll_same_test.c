/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll_same_test.c - poll, select and epoll of weir say what those of the kernel say: epoll(7), select(2), case by case */
#include "tests/api/two_worlds.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

struct bed {
	int ep, a, b; /* a pair */
};

static struct bed bed_of(struct world *w, unsigned events)
{
	int fd[2];
	struct bed t = { .ep = w_epoll(w) };

	assert_int_equal(w_pair(w, SOCK_STREAM, fd), 0);
	t.a = fd[0];
	t.b = fd[1];
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.a, events));
	return t;
}

static void bed_end(struct world *w, struct bed *t)
{
	w_close(w, t->ep);
	w_close(w, t->a);
	w_close(w, t->b);
}

static void level(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN | EPOLLRDHUP);

	SAY(w, w_epoll_wait(w, t.ep));
	w_send(w, t.b, "ab", 2, 0);
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_recv(w, t.a, 1, 0));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_recv(w, t.a, 1, 0));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_shutdown(w, t.b, SHUT_WR));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_close(w, t.b));
	SAY(w, w_epoll_wait(w, t.ep));
	bed_end(w, &t);
}

static void edge(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);

	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, t.ep));
	w_send(w, t.b, "a", 1, 0);
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, t.ep));
	w_send(w, t.b, "b", 1, 0); /* another edge, although the first was not read */
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_recv(w, t.a, 1, 0));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_MOD, t.a, EPOLLIN | EPOLLET)); /* as new */
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_close(w, t.b));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, t.ep));
	bed_end(w, &t);
}

static void oneshot(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN | EPOLLONESHOT);

	w_send(w, t.b, "ab", 2, 0);
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, t.ep));
	w_send(w, t.b, "c", 1, 0);
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.a, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_MOD, t.a, EPOLLIN | EPOLLONESHOT));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_close(w, t.b)); /* not even HUP, while it is disarmed */
	SAY(w, w_epoll_wait(w, t.ep));
	bed_end(w, &t);
}

static void exclusive(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN | EPOLLEXCLUSIVE);
	int other = w_epoll(w);

	SAY(w, w_epoll_ctl(w, other, EPOLL_CTL_ADD, t.a, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_MOD, t.a, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_MOD, t.a, EPOLLIN | EPOLLEXCLUSIVE));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.b, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.b, EPOLLIN | EPOLLEXCLUSIVE | EPOLLRDHUP));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE));
	w_send(w, t.b, "a", 1, 0);
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_wait(w, other)); /* nobody slept: both hear of it */
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_DEL, t.a, 0));
	SAY(w, w_epoll_wait(w, t.ep));
	w_close(w, other);
	bed_end(w, &t);
}

static void refusals(struct world *w)
{
	struct bed t = bed_of(w, 0);

	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.a, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_MOD, t.b, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_DEL, t.b, 0));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.ep, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.a, EPOLL_CTL_ADD, t.b, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, 9, t.a, EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.b, EPOLLIN | EPOLLWAKEUP));
	SAY(w, w_epoll_wait(w, t.ep)); /* events 0: nothing but errors and hang-ups */
	SAY(w, w_close(w, t.b));
	SAY(w, w_epoll_wait(w, t.ep));
	bed_end(w, &t);
}

static void nested(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN);
	int ep[7], n;

	for (n = 0; n < 7; n++)
		ep[n] = w_epoll(w);
	SAY(w, w_epoll_ctl(w, ep[0], EPOLL_CTL_ADD, t.ep, EPOLLIN));
	SAY(w, w_epoll_wait(w, ep[0]));
	w_send(w, t.b, "a", 1, 0);
	SAY(w, w_epoll_wait(w, ep[0]));
	SAY(w, w_poll(w, ep[0], POLL_ALL));
	SAY(w, w_recv(w, t.a, 9, 0));
	SAY(w, w_epoll_wait(w, ep[0]));
	SAY(w, w_poll(w, ep[0], POLL_ALL));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, ep[0], EPOLLIN)); /* a circle of two */
	for (n = 1; n < 7; n++)
		SAY(w, w_epoll_ctl(w, ep[n], EPOLL_CTL_ADD, ep[n - 1], EPOLLIN));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, ep[2], EPOLLIN));
	for (n = 0; n < 7; n++)
		w_close(w, ep[n]);
	bed_end(w, &t);
}

/* The rules for sets of epolls that watch the same files. */
static void depth_from_below(struct world *w)
{
	int ep[8], fd[2];

	w_pair(w, SOCK_STREAM, fd);
	for (int n = 0; n < 8; n++)
		ep[n] = w_epoll(w);
	for (int n = 7; n > 0; n--) /* the deepest first */
		SAY(w, w_epoll_ctl(w, ep[n - 1], EPOLL_CTL_ADD, ep[n], EPOLLIN));
	SAY(w, w_epoll_ctl(w, ep[7], EPOLL_CTL_ADD, fd[0], EPOLLIN));
	for (int n = 0; n < 8; n++)
		w_close(w, ep[n]);
	w_close(w, fd[0]);
	w_close(w, fd[1]);
}

static void closed_files_leave(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN);

	w_send(w, t.b, "a", 1, 0);
	w_close(w, t.a);
	SAY(w, w_epoll_wait(w, t.ep));
	w_close(w, t.b);
	w_close(w, t.ep);
}

static void several_ready(struct world *w)
{
	struct bed t = bed_of(w, EPOLLIN | EPOLLOUT);

	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_ADD, t.b, EPOLLOUT));
	SAY(w, w_epoll_wait(w, t.ep));
	w_send(w, t.a, "x", 1, 0);
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_MOD, t.b, EPOLLIN));
	SAY(w, w_epoll_wait(w, t.ep));
	SAY(w, w_epoll_ctl(w, t.ep, EPOLL_CTL_DEL, t.a, 0));
	SAY(w, w_epoll_wait(w, t.ep));
	bed_end(w, &t);
}

static void selected(struct world *w)
{
	int fd[2], l = w_socket(w, SOCK_STREAM), c = w_socket(w, SOCK_STREAM);

	w_pair(w, SOCK_STREAM, fd);
	SAY(w, w_select(w, fd[0]));
	w_send(w, fd[1], "a", 1, 0);
	SAY(w, w_select(w, fd[0]));
	SAY(w, w_recv(w, fd[0], 9, 0));
	SAY(w, w_shutdown(w, fd[1], SHUT_WR));
	SAY(w, w_select(w, fd[0]));
	SAY(w, w_close(w, fd[1]));
	SAY(w, w_select(w, fd[0]));
	SAY(w, w_select(w, c)); /* never connected: HUP, and writable */
	w_bind(w, l, "l");
	w_listen(w, l, 1);
	SAY(w, w_select(w, l));
	SAY(w, w_connect(w, c, "l"));
	SAY(w, w_select(w, l));
	w_close(w, l);
	SAY(w, w_select(w, c));
	SAY(w, w_select(w, fd[1])); /* closed */
	w_close(w, c);
	w_close(w, fd[0]);
}

#define SAME(fn)                                                                                   \
	static void fn##_as_natively(void **state)                                                 \
	{                                                                                          \
		same_in_both(fn);                                                                  \
	}
SAME(level)
SAME(edge)
SAME(oneshot)
SAME(exclusive)
SAME(refusals)
SAME(nested)
SAME(depth_from_below)
SAME(closed_files_leave)
SAME(several_ready)
SAME(selected)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(level_as_natively),
		cmocka_unit_test(edge_as_natively),
		cmocka_unit_test(oneshot_as_natively),
		cmocka_unit_test(exclusive_as_natively),
		cmocka_unit_test(refusals_as_natively),
		cmocka_unit_test(nested_as_natively),
		cmocka_unit_test(depth_from_below_as_natively),
		cmocka_unit_test(closed_files_leave_as_natively),
		cmocka_unit_test(several_ready_as_natively),
		cmocka_unit_test(selected_as_natively),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
