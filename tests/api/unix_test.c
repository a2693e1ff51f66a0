/* SPDX-License-Identifier: BSD-2-Clause */
/* unix_test.c - AF_UNIX: what is weir's own, and what views show of it */
#include "tests/api/two_nets.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

struct bed {
	struct weir_machine *m;
	struct weir_net *net, *other;
	struct weir_file *l, *c; /* a listener, and who waits to be accepted */
};

static int setup(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct sockaddr_un sun = { AF_UNIX, "/run/daemon" };
	struct bed *b = calloc(1, sizeof(*b));

	b->m = weir_machine_create(&cfg);
	b->net = weir_net_create(b->m, "a");
	b->other = weir_net_create(b->m, "b");
	assert_int_equal(weir_socket(b->net, AF_UNIX, SOCK_STREAM, 0, &b->l), 0);
	assert_int_equal(weir_bind(b->l, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(weir_listen(b->l, 5), 0);
	assert_int_equal(weir_socket(b->net, AF_UNIX, SOCK_STREAM, 0, &b->c), 0);
	assert_int_equal(weir_connect(b->c, (struct sockaddr *)&sun, sizeof(sun)), 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	weir_close(b->l);
	weir_close(b->c);
	weir_net_destroy(b->net);
	weir_net_destroy(b->other);
	weir_machine_destroy(b->m);
	free(b);
	return 0;
}

struct seen {
	struct bed *b;
	int listeners, connected, embryos;
};

static int diag_reply(const struct nlmsghdr *nlh, void *arg)
{
	const struct unix_diag_msg *d = NLMSG_DATA(nlh);
	const struct nlattr *a = (const struct nlattr *)(d + 1);
	size_t left = nlh->nlmsg_len - NLMSG_LENGTH(sizeof(*d));
	struct seen *s = arg;

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	assert_int_equal(d->udiag_family, AF_UNIX);
	s->listeners += d->udiag_state == 10;
	s->connected += d->udiag_state == 1 && d->udiag_ino == weir_inode(s->b->c);
	s->embryos += d->udiag_state == 1 && !d->udiag_ino;
	for (; left >= sizeof(*a); left -= (size_t)NLA_ALIGN(a->nla_len),
				   a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len))) {
		const void *v = a + 1;

		if (a->nla_type == UNIX_DIAG_NAME)
			assert_string_equal(v, "/run/daemon");
		if (a->nla_type == UNIX_DIAG_ICONS)
			assert_int_equal(*(const uint32_t *)v, weir_inode(s->b->c));
		if (a->nla_type == UNIX_DIAG_RQLEN && d->udiag_state == 10) {
			assert_int_equal(((const struct unix_diag_rqlen *)v)->udiag_rqueue, 1);
			assert_int_equal(((const struct unix_diag_rqlen *)v)->udiag_wqueue, 5);
		}
		if ((size_t)NLA_ALIGN(a->nla_len) > left)
			break;
	}
	return 0;
}

static void sock_diag_shows_names_queues_and_who_waits(void **state)
{
	struct {
		struct nlmsghdr h;
		struct unix_diag_req r;
	} q = { .h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_show = 0x7f } };
	struct seen s = { .b = *state };

	assert_int_equal(weir_netlink(s.b->net, NETLINK_SOCK_DIAG, &q.h, diag_reply, &s, NULL, 0),
			 0);
	assert_int_equal(s.listeners, 1);
	assert_int_equal(s.connected, 1);
	assert_int_equal(s.embryos, 1);
}

static void proc_net_unix_lists_sockets(void **state)
{
	struct bed *b = *state;
	size_t len;
	char *text;

	assert_int_equal(weir_view_read(b->net, "/proc/net/unix", &text, &len), 0);
	assert_non_null(strstr(text, " 00010000 0001 01 "));
	assert_non_null(strstr(text, " /run/daemon\n"));
	free(text);
}

static int send_files(struct weir_file *to, struct weir_file *f, size_t n)
{
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(253 * sizeof(f))];
	} u = { .c = { CMSG_LEN(n * sizeof(f)), SOL_SOCKET, SCM_RIGHTS } };
	char octet = 0;
	struct iovec iov = { &octet, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &u,
			      .msg_controllen = CMSG_SPACE(n * sizeof(f)) };

	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(&u.c) + i * sizeof(f), &f, sizeof(f));
	return (int)weir_sendmsg(to, &msg, MSG_DONTWAIT);
}

static void files_in_flight_are_limited(void **state)
{
	struct bed *b = *state;
	struct weir_file *p[2], *f;
	int n = 0, r;

	assert_int_equal(weir_socketpair(b->net, AF_UNIX, SOCK_DGRAM, 0, p), 0);
	assert_int_equal(weir_socket(b->net, AF_INET, SOCK_DGRAM, 0, &f), 0);
	while ((r = send_files(p[0], f, 253)) == 1 && n < 1000)
		n++;
	assert_int_equal(r, -ETOOMANYREFS);
	assert_int_equal(n, 16384 / 253);
	assert_int_equal(weir_close(f), 0);
	weir_close(p[0]);
	weir_close(p[1]);
}

static void sockets_stay_in_their_net(void **state)
{
	struct bed *b = *state;
	struct weir_file *p[2], *inet;

	assert_int_equal(weir_socketpair(b->other, AF_UNIX, SOCK_STREAM, 0, p), 0);
	assert_int_equal(weir_socket(b->net, AF_INET, SOCK_DGRAM, 0, &inet), 0);
	assert_int_equal(send_files(p[0], b->l, 1), -EXDEV);
	assert_int_equal(send_files(p[0], inet, 1), 1);
	weir_close(p[0]);
	weir_close(p[1]);
	weir_close(inet);
}

static void names_belong_to_a_net(void **state)
{
	struct bed *b = *state;
	struct sockaddr_un sun = { AF_UNIX, "/run/daemon" };
	struct weir_file *f;

	assert_int_equal(weir_socket(b->other, AF_UNIX, SOCK_STREAM, 0, &f), 0);
	assert_int_equal(weir_connect(f, (struct sockaddr *)&sun, sizeof(sun)), -ENOENT);
	assert_int_equal(weir_unix_unlink(b->other, sun.sun_path), -ENOENT);
	weir_close(f);
}

/* The table grows meanwhile. */
static void a_thousand_names_are_found(void **state)
{
	enum { NAMES = 1000 };
	static struct weir_file *files[NAMES];
	struct sockaddr_un sun = { AF_UNIX, "" };
	struct bed *b = *state;
	struct weir_file *f;
	char got[16];

	assert_int_equal(weir_socket(b->net, AF_UNIX, SOCK_DGRAM, 0, &f), 0);
	for (int i = 0; i < NAMES; i++) {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "/name/%d", i);
		assert_int_equal(
			weir_socket(b->net, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, &files[i]), 0);
		assert_int_equal(weir_bind(files[i], (struct sockaddr *)&sun, sizeof(sun)), 0);
	}
	for (int i = 0; i < NAMES; i++) {
		snprintf(sun.sun_path, sizeof(sun.sun_path), "/name/%d", i);
		assert_int_equal(
			weir_sendto(f, &i, sizeof(i), 0, (struct sockaddr *)&sun, sizeof(sun)),
			sizeof(i));
		assert_int_equal(weir_recv(files[i], got, sizeof(got), 0), sizeof(i));
		assert_memory_equal(got, &i, sizeof(i));
		weir_close(files[i]);
		assert_int_equal(weir_unix_unlink(b->net, sun.sun_path), 0);
		assert_int_equal(weir_unix_unlink(b->net, sun.sun_path), -ENOENT);
	}
	weir_close(f);
}

static void a_blocking_read_ends_with_its_time(void **state)
{
	struct bed *b = *state;
	struct timeval tv = { 1, 500000 };
	uint64_t start = weir_now(b->m);
	char c;

	assert_int_equal(weir_setsockopt(b->c, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(weir_read(b->c, &c, 1), -EAGAIN);
	assert_true(weir_now(b->m) - start >= 1500000000);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sock_diag_shows_names_queues_and_who_waits),
		TEST(proc_net_unix_lists_sockets),
		TEST(files_in_flight_are_limited),
		TEST(sockets_stay_in_their_net),
		TEST(names_belong_to_a_net),
		TEST(a_thousand_names_are_found),
		TEST(a_blocking_read_ends_with_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
