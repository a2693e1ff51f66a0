/* SPDX-License-Identifier: BSD-2-Clause */
/* sch_codel_test.c - when codel drops and marks, in virtual time (RFC 8289) */
#include "sched/sched_test.h"

#define LEN 1000

static int setup(void **state)
{
	sched_setup(state);
	return attach(&codel_qdisc_ops);
}

static struct tc_codel_xstats stats(void)
{
	struct tc_codel_xstats s;

	xstats(root, &s, sizeof(s));
	return s;
}

static void set(int attr, u32 value)
{
	nla_put_u32(opts(), (u16)attr, value);
	assert_int_equal(change(root), 0);
}

/* So many wait. */
static void fill(u32 n, u8 ds)
{
	for (u32 i = 0; i < n; i++)
		assert_int_equal(put_as(ETH_P_IP, 1, ds, LEN, 1), QDISC_OK);
}

/* One comes, one leaves, each millisecond. */
static void flow(u32 ms, u8 ds)
{
	for (u32 i = 0; i < ms; i++) {
		wait_for(MS);
		put_as(ETH_P_IP, 1, ds, LEN, 1);
		take();
	}
}

static void what_does_not_wait_leaves_in_order(void **state)
{
	for (u32 i = 1; i <= 3; i++)
		put(1, LEN, i);
	wait_for(4 * MS);
	for (u32 i = 1; i <= 3; i++)
		assert_int_equal(take().mark, i);
	assert_int_equal(take().mark, 0);
	assert_int_equal(stats().ldelay, 4000);
	assert_int_equal(stats().maxpacket, LEN);
	assert_int_equal(root->stats.qlen, 0);
	assert_int_equal(root->stats.backlog, 0);
}

static void a_burst_is_let_through(void **state)
{
	fill(99, 0);
	for (u32 i = 0; i < 99; i++) { /* 99 ms that the last one waits */
		wait_for(MS);
		assert_int_equal(take().mark, 1);
	}
	assert_int_equal(root->stats.drops, 0);
	assert_false(stats().dropping);
}

/* After an interval above the target, and then by the control law: 100 ms / sqrt(count). */
static void a_standing_queue_is_shortened_by_the_control_law(void **state)
{
	static const u32 law[] = { 0, 100, 171, 229, 279, 324, 364, 402, 438, 471 };
	u64 dropped_at[ARRAY_SIZE(law)], start;
	u32 n = 0;

	fill(60, 0);
	start = host_now(net->machine->host);
	while (n < ARRAY_SIZE(law)) {
		u32 before = root->stats.drops;

		flow(1, 0);
		assert_in_range(root->stats.drops - before, 0, 1);
		if (root->stats.drops != before)
			dropped_at[n++] = host_now(net->machine->host);
	}
	/* Packets wait 5 ms from the fifth on. */
	assert_int_equal(dropped_at[0] - start, 105 * MS);
	for (u32 i = 0; i < ARRAY_SIZE(law); i++)
		assert_int_equal((dropped_at[i] - dropped_at[0]) / MS, law[i]);
	assert_true(stats().dropping);
	assert_int_equal(stats().count, ARRAY_SIZE(law));
	assert_in_range(stats().drop_next, 1, 32000);
	assert_int_equal(drops_by(SKB_DROP_QDISC_CONGESTED), ARRAY_SIZE(law));
}

static void it_stops_when_one_packet_did_not_wait(void **state)
{
	fill(60, 0);
	flow(400, 0);
	assert_true(stats().dropping);
	while (take().mark)
		;
	assert_false(stats().dropping);
	assert_int_equal(stats().drop_next, 0);
}

static void who_comes_back_soon_goes_on_where_he_was(void **state)
{
	u32 count;

	fill(60, 0);
	flow(500, 0);
	count = stats().count;
	assert_true(count > 4);
	while (take().mark)
		;
	fill(60, 0);
	flow(120, 0);
	assert_true(stats().dropping);
	assert_int_equal(stats().lastcount, count - 1);
	/* Much later it begins with one. */
	while (take().mark)
		;
	wait_for(20 * NSEC_PER_SEC);
	fill(60, 0);
	flow(120, 0);
	assert_int_equal(stats().lastcount, 1);
}

static void less_than_a_frame_may_wait_for_ever(void **state)
{
	assert_int_equal(put(1, LEN, 1), QDISC_OK);
	for (u32 i = 0; i < 300; i++) {
		wait_for(10 * MS);
		put(1, LEN, 1);
		assert_int_equal(take().mark, 1);
	}
	assert_int_equal(stats().ldelay, 10000);
	assert_int_equal(root->stats.drops, 0);
}

static void ecn_marks_what_understands_it(void **state)
{
	set(TCA_CODEL_ECN, 1);
	fill(60, 2);
	flow(300, 2);
	assert_int_equal(root->stats.drops, 0);
	assert_int_equal(stats().ecn_mark, stats().count);
	assert_in_range(stats().ecn_mark, 3, 4);
	flow(60, 0); /* the first of these leave last */
	flow(200, 0);
	assert_true(root->stats.drops > 0);
}

static void a_mark_is_a_mark(void **state)
{
	static const struct {
		u16 type;
		u8 ds, after;
	} rows[] = {
		{ ETH_P_IP, 0xb8, 0xb8 },   { ETH_P_IP, 0xb9, 0xbb },   { ETH_P_IP, 0xba, 0xbb },
		{ ETH_P_IPV6, 0xb8, 0xb8 }, { ETH_P_IPV6, 0xb9, 0xbb }, { ETH_P_IPV6, 0xba, 0xbb },
	};

	set(TCA_CODEL_CE_THRESHOLD, 2000);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		put_as(rows[i].type, 1, rows[i].ds, LEN, 1);
		wait_for(2 * MS);
		put_as(rows[i].type, 1, rows[i].ds, LEN, 2);
		assert_int_equal(take().ds, rows[i].ds); /* not more than the threshold */
		wait_for(2 * MS + 1);
		assert_int_equal(take().ds, rows[i].after);
	}
	assert_int_equal(stats().ce_mark, 4);
	assert_int_equal(stats().ecn_mark, 0);
}

static void the_limit_is_one_of_packets(void **state)
{
	set(TCA_CODEL_LIMIT, 2);
	fill(2, 0);
	assert_int_equal(put(1, LEN, 3), QDISC_DROP);
	assert_int_equal(stats().drop_overlimit, 1);
	assert_int_equal(drops_by(SKB_DROP_QDISC_FULL), 1);
	set(TCA_CODEL_LIMIT, 1);
	assert_int_equal(root->stats.qlen, 1);
	assert_int_equal(root->stats.backlog, LEN);
	assert_int_equal(drops_by(SKB_DROP_QDISC_FULL), 2);
	assert_int_equal(root->flags & TCQ_F_CAN_BYPASS, TCQ_F_CAN_BYPASS);
	set(TCA_CODEL_LIMIT, 0);
	assert_int_equal(root->flags & TCQ_F_CAN_BYPASS, 0);
	assert_int_equal(put(1, LEN, 4), QDISC_DROP);
}

static void an_interval_of_nothing_ends_with_the_queue(void **state)
{
	set(TCA_CODEL_INTERVAL, 0);
	set(TCA_CODEL_TARGET, 0);
	fill(60, 0);
	wait_for(MS);
	for (u32 i = 0; i < 60 && take().mark; i++)
		;
	assert_int_equal(root->stats.qlen, 0);
	assert_int_equal(root->stats.backlog, 0);
}

static void replacing_it_drops_what_waits(void **state)
{
	fill(3, 0);
	rtnl_lock(net->machine);
	cpu_lock(net->cpu);
	qdisc_put(dev_graft_qdisc(dev, NULL));
	cpu_unlock(net->cpu);
	rtnl_unlock(net->machine);
	assert_int_equal(drops_by(SKB_DROP_QDISC_RESET), 3);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, sched_teardown)
	static const struct CMUnitTest tests[] = {
		T(what_does_not_wait_leaves_in_order),
		T(a_burst_is_let_through),
		T(a_standing_queue_is_shortened_by_the_control_law),
		T(it_stops_when_one_packet_did_not_wait),
		T(who_comes_back_soon_goes_on_where_he_was),
		T(less_than_a_frame_may_wait_for_ever),
		T(ecn_marks_what_understands_it),
		T(a_mark_is_a_mark),
		T(the_limit_is_one_of_packets),
		T(an_interval_of_nothing_ends_with_the_queue),
		T(replacing_it_drops_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
