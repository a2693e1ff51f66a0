/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mc_group_test.c - the membership machine by itself: an IP version that keeps what it would send, in virtual time
 *
 * igmp_test.c drives the same machine through IPv4. Here are what the two versions of IP do differently, the limits of
 * messages, and what sockets and devices that outlive each other leave.
 */
#include "inet/mc_group.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/dev_test.h"

#define MAX_SENT 64

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *dev;
	struct mc_dev d;
	struct list_head list; /* of a socket */
	u8 forced, qrv;
	u32 room;        /* of a report */
	u32 sent;        /* messages since the last look */
	char said[4096]; /* in words, one message in brackets */
};

static struct fixture *fixture_of(const struct mc_dev *d)
{
	return container_of(d, struct fixture, d);
}

static struct in6_addr addr(u8 first, u16 last)
{
	return (struct in6_addr){ .s6_addr = { first, 0x15, [14] = (u8)(last >> 8), (u8)last } };
}
#define G(n) addr(0xff, n)
#define S(n) addr(0x20, n)

static void say(struct fixture *f, const char *fmt, ...)
{
	size_t at = strlen(f->said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->said + at, sizeof(f->said) - at, fmt, ap);
	va_end(ap);
}

/* ---- the IP version ------------------------------------------------------------------------------------------- */

static u8 forced(const struct mc_dev *d)
{
	return fixture_of(d)->forced;
}

static u8 robustness(const struct mc_dev *d)
{
	return fixture_of(d)->qrv;
}

static u64 report_interval(const struct mc_dev *d, enum mc_generation gen)
{
	return NSEC_PER_SEC;
}

static bool silent(const struct mc_group *g)
{
	return g->addr.s6_addr[15] == 255;
}

static int map(const struct mc_group *g, u8 *ret_mac)
{
	memcpy(ret_mac, "\x33\x33", 2);
	memcpy(ret_mac + 2, &g->addr.s6_addr[12], 4);
	return 0;
}

static void send_old(struct mc_group *g, enum mc_generation gen, bool leave)
{
	say(fixture_of(g->mcd), "[%s%d %u]", leave ? "leave" : "join", gen, g->addr.s6_addr[15]);
}

static struct sk_buff *report_new(struct mc_dev *d, u32 *ret_room)
{
	struct fixture *f = fixture_of(d);
	struct sk_buff *skb = alloc_skb(f->net->cpu, f->room);

	*ret_room = f->room;
	return skb;
}

/* Type, group and sources of each record. */
static void report_send(struct mc_dev *d, struct sk_buff *skb, u16 records)
{
	static const char *const type[] = { "?", "IN", "EX", "toIN", "toEX", "ALLOW", "BLOCK" };
	struct fixture *f = fixture_of(d);
	const u8 *p = skb->data;

	f->sent++;
	say(f, "[");
	for (u32 i = 0; i < records; i++) {
		u32 n = (u32)(p[2] << 8 | p[3]);

		say(f, "%s%s %u", i ? ", " : "", type[p[0]], p[19]);
		p += 20;
		for (u32 j = 0; j < n; j++, p += 16)
			say(f, " %u", (u32)(p[14] << 8 | p[15]));
	}
	say(f, "]");
	assert_ptr_equal(p, skb->data + skb->len);
	consume_skb(skb);
}

static const struct mc_ops ops = {
	.family = AF_INET6,
	.addr_len = 16,
	.forced = forced,
	.robustness = robustness,
	.report_interval = report_interval,
	.silent = silent,
	.map = map,
	.send_old = send_old,
	.report_new = report_new,
	.report_send = report_send,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = test_machine();
	f->net = net_create(f->m, "n");
	f->dev = test_netdev(f->net, "eth0", true);
	f->qrv = 2;
	f->room = 1000;
	list_init(&f->list);
	cpu_lock(f->net->cpu);
	mc_dev_init(&f->d, f->dev, &ops);
	cpu_unlock(f->net->cpu);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cpu_lock(f->net->cpu);
	mc_sk_leave_all(&f->list);
	mc_dev_destroy(&f->d);
	cpu_unlock(f->net->cpu);
	test_netdev_del(f->dev);
	machine_destroy(f->m);
	free(f);
	return 0;
}

/* What was said within @ns. */
#define expect_said(f, ns, what)                                                                   \
	do {                                                                                       \
		test_run_for((f)->m, ns);                                                          \
		assert_string_equal((f)->said, what);                                              \
		(f)->said[0] = 0;                                                                  \
		(f)->sent = 0;                                                                     \
	} while (0)

static int join(struct fixture *f, struct list_head *list, struct in6_addr group, u8 mode)
{
	int err;

	cpu_lock(f->net->cpu);
	err = mc_sk_join(list, &f->d, &group, mode);
	cpu_unlock(f->net->cpu);
	return err;
}

static int source(struct fixture *f, struct list_head *list, struct in6_addr group,
		  struct in6_addr src, u8 mode, bool add)
{
	int err;

	cpu_lock(f->net->cpu);
	err = mc_sk_source(mc_sk_find(list, &group, 0), &src, mode, add, 1000);
	cpu_unlock(f->net->cpu);
	return err;
}

/* Joins, with the sources first..last, at one time. */
static void join_sources(struct fixture *f, struct list_head *list, struct in6_addr group, u8 mode,
			 u16 first, u16 last)
{
	cpu_lock(f->net->cpu);
	assert_int_equal(mc_sk_join(list, &f->d, &group, mode), 0);
	for (u16 i = first; i <= last; i++) {
		const struct in6_addr src = S(i);

		assert_int_equal(mc_sk_source(mc_sk_find(list, &group, 0), &src, mode, true, 1000),
				 0);
	}
	cpu_unlock(f->net->cpu);
}

static void leave_all(struct fixture *f, struct list_head *list)
{
	cpu_lock(f->net->cpu);
	mc_sk_leave_all(list);
	cpu_unlock(f->net->cpu);
}

static void hear(struct fixture *f, const struct mc_query *q)
{
	cpu_lock(f->net->cpu);
	mc_heard_query(&f->d, q);
	cpu_unlock(f->net->cpu);
}

static bool wants(struct fixture *f, struct in6_addr group, struct in6_addr src)
{
	return mc_group_wants(&f->d, &group, &src);
}

/* ---- filters --------------------------------------------------------------------------------------------------- */

/* RFC 3376 3.2, RFC 3810 4.2: the three examples of the merging rules. */
static void filters_of_sockets_merge(void **state)
{
	const struct mc_query general = { .generation = MC_GEN_FILTER, .max_resp = NSEC_PER_SEC };
	struct list_head a = LIST_HEAD_INIT(a), b = LIST_HEAD_INIT(b), c = LIST_HEAD_INIT(c);
	struct fixture *f = *state;

	/* EXCLUDE {1, 2, 3, 4}, EXCLUDE {2, 3, 4, 5}: EXCLUDE {2, 3, 4} */
	join_sources(f, &a, G(1), MCAST_EXCLUDE, 1, 4);
	join_sources(f, &b, G(1), MCAST_EXCLUDE, 2, 5);
	assert_true(wants(f, G(1), S(1)));
	assert_false(wants(f, G(1), S(2)));
	assert_false(wants(f, G(1), S(4)));
	assert_true(wants(f, G(1), S(5)));
	assert_true(wants(f, G(1), S(6)));
	test_run_for(f->m, NSEC_PER_SEC * 10);
	f->said[0] = 0;
	hear(f, &general);
	expect_said(f, NSEC_PER_SEC * 2, "[EX 1 2 3 4]");
	/* and INCLUDE {4, 5, 6}: EXCLUDE {2, 3} */
	join_sources(f, &c, G(1), MCAST_INCLUDE, 4, 6);
	assert_true(wants(f, G(1), S(4)));
	expect_said(f, NSEC_PER_SEC * 10, "[ALLOW 1 4][ALLOW 1 4]");
	hear(f, &general);
	expect_said(f, NSEC_PER_SEC * 2, "[EX 1 2 3]");
	/* The INCLUDE socket alone: INCLUDE {4, 5, 6} */
	cpu_lock(f->net->cpu);
	mc_sk_leave_all(&a);
	mc_sk_leave_all(&b);
	cpu_unlock(f->net->cpu);
	assert_false(wants(f, G(1), S(1)));
	assert_true(wants(f, G(1), S(6)));
	expect_said(f, NSEC_PER_SEC * 10, "[toIN 1 4 5 6][toIN 1 4 5 6]");
	leave_all(f, &c);
	assert_false(wants(f, G(1), S(6)));
}

/* A source that one socket names twice is one that this socket names. */
static void a_source_named_twice_counts_once(void **state)
{
	struct list_head a = LIST_HEAD_INIT(a), b = LIST_HEAD_INIT(b);
	const struct in6_addr twice[] = { S(1), S(1) }, group = G(1);
	struct fixture *f = *state;

	assert_int_equal(join(f, &a, G(1), MCAST_EXCLUDE), 0);
	assert_int_equal(join(f, &b, G(1), MCAST_EXCLUDE), 0);
	cpu_lock(f->net->cpu);
	assert_int_equal(mc_sk_msfilter(mc_sk_find(&a, &group, 0), MCAST_EXCLUDE, twice, 2), 0);
	cpu_unlock(f->net->cpu);
	assert_true(wants(f, G(1), S(1))); /* @b does */
	leave_all(f, &b);
	assert_false(wants(f, G(1), S(1)));
	leave_all(f, &a);
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

static void long_lists_are_split_but_excluded_ones_cut(void **state)
{
	struct fixture *f = *state;

	f->room = 20 + 3 * 16;
	join_sources(f, &f->list, G(1), MCAST_INCLUDE, 1, 4);
	expect_said(f, NSEC_PER_MSEC * 5, "[ALLOW 1 1 2 3][ALLOW 1 4]");
	expect_said(f, NSEC_PER_SEC * 2, "[ALLOW 1 1 2 3][ALLOW 1 4]");
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 2, "[BLOCK 1 1 2 3][BLOCK 1 4][BLOCK 1 1 2 3][BLOCK 1 4]");
	/* RFC 3376 4.2.16: one record only */
	join_sources(f, &f->list, G(2), MCAST_EXCLUDE, 1, 4);
	expect_said(f, NSEC_PER_MSEC * 5, "[toEX 2 1 2 3]");
}

static void an_excluded_list_begins_a_new_report_rather_than_being_cut(void **state)
{
	const struct mc_query general = { .generation = MC_GEN_FILTER, .max_resp = NSEC_PER_SEC };
	struct fixture *f = *state;

	f->room = 20 + 3 * 16;
	join_sources(f, &f->list, G(1), MCAST_EXCLUDE, 1, 3);
	join_sources(f, &f->list, G(2), MCAST_EXCLUDE, 1, 0);
	test_run_for(f->m, NSEC_PER_SEC * 10);
	f->said[0] = 0;
	hear(f, &general);
	expect_said(f, NSEC_PER_SEC * 10, "[EX 2][EX 1 1 2 3]");
}

static void changes_while_reports_are_due_are_merged(void **state)
{
	struct fixture *f = *state;

	f->qrv = 3;
	cpu_lock(f->net->cpu);
	mc_dev_down(&f->d); /* takes the new value */
	cpu_unlock(f->net->cpu);
	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	expect_said(f, NSEC_PER_MSEC * 5, "[toEX 1]");
	/* Left before the repetitions: what is said from now on is that, and three times. */
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 10, "[toIN 1][toIN 1][toIN 1]");
	assert_true(list_empty(&f->d.groups));
}

static void silent_groups_are_never_named(void **state)
{
	const struct mc_query general = { .generation = MC_GEN_FILTER, .max_resp = NSEC_PER_SEC };
	struct fixture *f = *state;

	assert_int_equal(join(f, &f->list, G(255), MCAST_EXCLUDE), 0);
	hear(f, &general);
	expect_said(f, NSEC_PER_SEC * 10, "");
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 10, "");
	assert_true(list_empty(&f->d.groups));
}

/* ---- queries ----------------------------------------------------------------------------------------------------- */

static void queries_for_sources_are_answered_with_those_wanted(void **state)
{
	const struct in6_addr asked[] = { S(1), S(2), S(9) }, group = G(1);
	const struct mc_query q = { .group = &group,
				    .generation = MC_GEN_FILTER,
				    .max_resp = NSEC_PER_SEC,
				    .sources = (const u8 *)asked,
				    .nsrcs = 2 },
			      q3 = { .group = &group,
				     .generation = MC_GEN_FILTER,
				     .max_resp = NSEC_PER_SEC,
				     .sources = (const u8 *)asked,
				     .nsrcs = 3 };
	struct fixture *f = *state;

	join_sources(f, &f->list, G(1), MCAST_INCLUDE, 2, 3);
	expect_said(f, NSEC_PER_SEC * 10, "[ALLOW 1 2 3][ALLOW 1 2 3]");
	hear(f, &q);
	expect_said(f, NSEC_PER_SEC * 2, "[IN 1 2]");
	/* Two queries before the answer: one answer to both. */
	hear(f, &q);
	hear(f, &q3);
	expect_said(f, NSEC_PER_SEC * 2, "[IN 1 2]");
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 10, "[BLOCK 1 2 3][BLOCK 1 2 3]");
	/* EXCLUDE {1, 2}: of 1 and 2 nothing; 9 is wanted, and the whole filter says so. */
	join_sources(f, &f->list, G(1), MCAST_EXCLUDE, 1, 2);
	expect_said(f, NSEC_PER_SEC * 10, "[toEX 1 1 2][toEX 1 1 2]");
	hear(f, &q);
	expect_said(f, NSEC_PER_SEC * 2, "");
	hear(f, &q3);
	expect_said(f, NSEC_PER_SEC * 2, "[EX 1 1 2]");
}

static void a_query_tells_how_often_changes_are_said(void **state)
{
	const struct mc_query q = { .generation = MC_GEN_FILTER,
				    .max_resp = NSEC_PER_SEC,
				    .qrv = 4,
				    .query_interval = 10 * NSEC_PER_SEC };
	struct fixture *f = *state;

	hear(f, &q);
	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	test_run_for(f->m, 10 * NSEC_PER_SEC);
	/* and once more in answer to the query */
	assert_int_equal(f->sent, 5);
}

static void old_routers_are_spoken_to_in_their_words_until_they_are_gone(void **state)
{
	const struct in6_addr group = G(1);
	const struct mc_query v1 = { .generation = MC_GEN_LEAVE, .max_resp = NSEC_PER_SEC },
			      specific = { .group = &group,
					   .generation = MC_GEN_LEAVE,
					   .max_resp = NSEC_PER_SEC },
			      v2 = { .generation = MC_GEN_FILTER,
				     .max_resp = NSEC_PER_SEC,
				     .qrv = 2,
				     .query_interval = 10 * NSEC_PER_SEC };
	struct fixture *f = *state;

	hear(f, &v2);
	hear(f, &v1);
	assert_int_equal(mc_dev_generation(&f->d), MC_GEN_LEAVE);
	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	expect_said(f, NSEC_PER_SEC * 3, "[join2 1][join2 1]");
	hear(f, &specific);
	expect_said(f, NSEC_PER_SEC * 2, "[join2 1]");
	/* A newer router does not keep the old one in mind: 2 * 10 s + 1 s after its query it is forgotten. */
	test_run_for(f->m, NSEC_PER_SEC * 10);
	hear(f, &v2);
	expect_said(f, NSEC_PER_SEC * 2, "[join2 1]");
	test_run_for(f->m, NSEC_PER_SEC * 5);
	assert_int_equal(mc_dev_generation(&f->d), MC_GEN_FILTER);
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 10, "[toIN 1][toIN 1]");
	/* RFC 3810 8.2.1: a query for a group says nothing about its router. */
	hear(f, &specific);
	assert_int_equal(mc_dev_generation(&f->d), MC_GEN_FILTER);
}

static void what_an_old_router_interrupts_is_forgotten(void **state)
{
	const struct mc_query v1 = { .generation = MC_GEN_LEAVE, .max_resp = NSEC_PER_SEC };
	struct fixture *f = *state;

	join_sources(f, &f->list, G(1), MCAST_INCLUDE, 1, 1);
	expect_said(f, NSEC_PER_MSEC * 5, "[ALLOW 1 1]");
	leave_all(f, &f->list);
	hear(f, &v1);
	expect_said(f, NSEC_PER_SEC * 10, "");
	assert_true(list_empty(&f->d.groups));
}

static void a_forced_generation_heeds_no_router(void **state)
{
	const struct mc_query v1 = { .generation = MC_GEN_LEAVE, .max_resp = NSEC_PER_SEC };
	struct fixture *f = *state;

	f->forced = MC_GEN_FILTER;
	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	hear(f, &v1);
	expect_said(f, NSEC_PER_SEC * 10, "[toEX 1][toEX 1][EX 1]");
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 10, "[toIN 1][toIN 1]");
	f->forced = MC_GEN_LEAVE;
	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	expect_said(f, NSEC_PER_SEC * 10, "[join2 1][join2 1]");
	leave_all(f, &f->list);
	expect_said(f, NSEC_PER_SEC * 10, "[leave2 1]");
}

static void telling_all_says_everything_again(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	assert_int_equal(join(f, &f->list, G(2), MCAST_INCLUDE), 0);
	assert_int_equal(source(f, &f->list, G(2), S(1), MCAST_INCLUDE, true), 0);
	test_run_for(f->m, NSEC_PER_SEC * 10);
	f->said[0] = 0;
	cpu_lock(f->net->cpu);
	mc_dev_tell_all(&f->d);
	cpu_unlock(f->net->cpu);
	expect_said(f, NSEC_PER_SEC * 10, "[toIN 2 1, toEX 1][toIN 2 1, toEX 1]");
}

/* ---- lives ------------------------------------------------------------------------------------------------------- */

static void a_membership_of_a_device_that_went_counts_no_more(void **state)
{
	struct list_head old = LIST_HEAD_INIT(old);
	struct fixture *f = *state;

	assert_int_equal(join(f, &old, G(1), MCAST_EXCLUDE), 0);
	cpu_lock(f->net->cpu);
	mc_dev_destroy(&f->d);
	mc_dev_init(&f->d, f->dev, &ops);
	cpu_unlock(f->net->cpu);
	assert_int_equal(join(f, &f->list, G(1), MCAST_EXCLUDE), 0);
	assert_int_equal(source(f, &old, G(1), S(1), MCAST_EXCLUDE, true), 0);
	leave_all(f, &old);
	assert_true(wants(f, G(1), S(1)));
	leave_all(f, &f->list);
	assert_false(wants(f, G(1), S(1)));
}

static void memberships_of_a_socket_are_bounded(void **state)
{
	struct fixture *f = *state;
	u32 most = f->net->core->optmem_max / (u32)sizeof(struct mc_socklist), n;

	assert_true(most > 100 && most < 65000);
	f->net->core->optmem_max = 100 * (u32)sizeof(struct mc_socklist);
	for (n = 0; n < 100; n++)
		assert_int_equal(join(f, &f->list, G((u16)n), MCAST_EXCLUDE), 0);
	assert_int_equal(join(f, &f->list, G(100), MCAST_EXCLUDE), -ENOMEM);
	assert_int_equal(join(f, &f->list, G(5), MCAST_EXCLUDE), -EADDRINUSE);
}

static void the_device_filter_follows(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(join(f, &f->list, G(7), MCAST_EXCLUDE), 0);
	assert_false(list_empty(&f->dev->mc));
	cpu_lock(f->net->cpu);
	mc_dev_down(&f->d);
	assert_true(list_empty(&f->dev->mc));
	mc_dev_up(&f->d);
	cpu_unlock(f->net->cpu);
	assert_false(list_empty(&f->dev->mc));
	leave_all(f, &f->list);
	assert_true(list_empty(&f->dev->mc));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(filters_of_sockets_merge),
		TEST(a_source_named_twice_counts_once),
		TEST(long_lists_are_split_but_excluded_ones_cut),
		TEST(an_excluded_list_begins_a_new_report_rather_than_being_cut),
		TEST(changes_while_reports_are_due_are_merged),
		TEST(silent_groups_are_never_named),
		TEST(queries_for_sources_are_answered_with_those_wanted),
		TEST(a_query_tells_how_often_changes_are_said),
		TEST(old_routers_are_spoken_to_in_their_words_until_they_are_gone),
		TEST(what_an_old_router_interrupts_is_forgotten),
		TEST(a_forced_generation_heeds_no_router),
		TEST(telling_all_says_everything_again),
		TEST(a_membership_of_a_device_that_went_counts_no_more),
		TEST(memberships_of_a_socket_are_bounded),
		TEST(the_device_filter_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
