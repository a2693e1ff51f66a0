/* SPDX-License-Identifier: BSD-2-Clause */
/* sch_red_test.c - what red marks, drops and lets in (Floyd and Jacobson 1993; Adaptive RED 2001) */
#include "sched/sched_test.h"

#define LEN 1000
#define MIN 10000
#define MAX 30000

static int setup(void **state)
{
	return sched_setup(state);
}

static struct tc_red_xstats stats(void)
{
	struct tc_red_xstats s;

	xstats(root, &s, sizeof(s));
	return s;
}

/* The mean is nearly the queue itself (Wlog 1), max_p a tenth, half of the mean is gone after 1,024 us. */
static const struct tc_red_qopt usual = {
	.limit = 60000, .qth_min = MIN, .qth_max = MAX, .Wlog = 1, .Plog = 20, .Scell_log = 10
};

static void put_opts(const struct tc_red_qopt *o, u32 flags)
{
	struct nla_bitfield32 bits = { flags, 15 };
	u8 stab[256];

	for (u32 i = 0; i < sizeof(stab); i++)
		stab[i] = (u8)(i < 31 ? i : 31);
	nla_put(opts(), TCA_RED_PARMS, sizeof(*o), o);
	nla_put(opts(), TCA_RED_STAB, sizeof(stab), stab);
	nla_put_u32(opts(), TCA_RED_MAX_P, UINT32_MAX / 10);
	nla_put(opts(), TCA_RED_FLAGS, sizeof(bits), &bits);
}

static void start(u32 flags)
{
	put_opts(&usual, flags);
	assert_int_equal(attach(&red_qdisc_ops), 0);
}

/* So many octets wait, whatever chance says. */
static void fill(u32 octets)
{
	while (root->stats.backlog < octets)
		put(1, LEN, 1);
}

/* The same, and the mean is more than MAX: what comes is not let in by chance. */
static void overfill(u32 flags)
{
	struct tc_red_qopt lax = usual;

	lax.qth_min = lax.qth_max = 1u << 30;
	put_opts(&lax, 0);
	assert_int_equal(attach(&red_qdisc_ops), 0);
	fill(MAX + 10 * LEN);
	put_opts(&usual, flags);
	assert_int_equal(change(root), 0);
	for (u32 i = 0; i < 4; i++) /* a change forgets the mean */
		put_as(ETH_P_IP, 1, 3, LEN, 1);
}

/* With so many octets waiting: of @n packets, how many were marked or dropped. */
static u32 actions_at(u32 octets, u32 n)
{
	u32 before;

	fill(octets);
	before = root->stats.overlimits;
	for (u32 i = 0; i < n; i++) {
		put(1, LEN, 1);
		while (root->stats.backlog > octets)
			take();
	}
	return root->stats.overlimits - before;
}

static void below_min_nothing_happens(void **state)
{
	start(0);
	assert_int_equal(actions_at(MIN - LEN, 5000), 0);
	assert_int_equal(stats().early, 0);
}

static void in_between_chance_decides_by_the_mean(void **state)
{
	/* p is 0.05 in the middle; a mark comes after 1 to 1/p packets, evenly: 10 in the mean. */
	start(0);
	assert_in_range(actions_at((MIN + MAX) / 2, 5000), 400, 550);
	/* p is 0.09 */
	assert_in_range(actions_at(MAX - 2 * LEN, 5000), 700, 1000);
	assert_int_equal(stats().early, root->stats.overlimits);
	assert_int_equal(drops_by(SKB_DROP_QDISC_CONGESTED), root->stats.overlimits);
}

static void drops_come_evenly(void **state)
{
	u32 last = 0, longest = 0;

	start(0);
	fill((MIN + MAX) / 2);
	for (u32 i = 0; i < 2000; i++) {
		u32 before = root->stats.drops;

		put(1, LEN, 1);
		while (root->stats.backlog > (MIN + MAX) / 2)
			take();
		if (root->stats.drops == before)
			continue;
		longest = max(longest, i - last);
		last = i;
	}
	assert_in_range(longest, 15, 23); /* 1/p is 20 */
}

static void above_max_all_is_dropped(void **state)
{
	overfill(0);
	for (u32 i = 0; i < 50; i++)
		assert_int_equal(put(1, LEN, 1), QDISC_DROP);
}

static void a_burst_passes_while_the_mean_is_low(void **state)
{
	struct tc_red_qopt slow = usual;

	slow.Wlog = 9;
	put_opts(&slow, 0);
	assert_int_equal(attach(&red_qdisc_ops), 0);
	for (u32 i = 0; i < 60; i++)
		assert_int_equal(put(1, LEN, 1), QDISC_OK);
	/* but not past the limit */
	assert_int_equal(put(1, LEN, 1), QDISC_DROP);
	assert_int_equal(stats().pdrop, 1);
	assert_int_equal(stats().early, 0);
	assert_int_equal(drops_by(SKB_DROP_QDISC_FULL), 1);
	assert_int_equal(root->stats.qlen, 60);
}

static void idle_time_counts(void **state)
{
	overfill(0);
	while (take().mark)
		;
	assert_int_equal(put(1, LEN, 1), QDISC_DROP); /* the mean is about what it was */
	while (take().mark)
		;
	wait_for(10 * MS); /* halved about nine times */
	assert_int_equal(actions_at(LEN, 100), 0);
}

/* ds field, flags, above max: is it marked, is it let in? */
static void flags_say_what_happens_instead_of_a_drop(void **state)
{
	static const struct {
		u32 flags;
		u8 ds;
		bool in, marked;
	} rows[] = {
		{ 0, 2, false, false },
		{ TC_RED_ECN, 0, false, false },
		{ TC_RED_ECN, 1, true, true },
		{ TC_RED_ECN, 2, true, true },
		{ TC_RED_ECN | TC_RED_HARDDROP, 2, false, false },
		{ TC_RED_ECN | TC_RED_NODROP, 0, true, false },
		{ TC_RED_ECN | TC_RED_NODROP, 2, true, true },
		{ TC_RED_ECN | TC_RED_NODROP | TC_RED_HARDDROP, 0, false, false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 before, qlen;

		overfill(rows[i].flags);
		before = stats().marked;
		qlen = root->stats.qlen;
		assert_int_equal(put_as(ETH_P_IP, 1, rows[i].ds, LEN, 1) == QDISC_OK, rows[i].in);
		assert_int_equal(root->stats.qlen - qlen, rows[i].in);
		assert_int_equal(stats().marked - before, rows[i].marked);
	}
}

static u32 max_p_of(struct Qdisc *q)
{
	const struct nlattr *a, *tb[TCA_RED_MAX + 1];
	struct nl_msg m;
	u32 nest, p;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	nlmsg_begin(&m, 0, 1, RTM_NEWQDISC, 0, sizeof(struct tcmsg));
	nest = nla_nest_start(&m, TCA_OPTIONS);
	q->ops->dump(q, &m);
	nla_nest_end(&m, nest);
	assert_int_equal(nlmsg_finish(&m), 0);
	a = (const struct nlattr *)(m.buf + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct tcmsg)));
	assert_int_equal(nla_parse_nested(tb, TCA_RED_MAX, a, NULL, NULL), 0);
	p = nla_get_u32(tb[TCA_RED_MAX_P]);
	nl_msg_fini(&m);
	return p;
}

static void adaptive_moves_the_probability(void **state)
{
	const u32 tenth = UINT32_MAX / 10, percent = UINT32_MAX / 100;

	start(TC_RED_ADAPTATIVE);
	actions_at(MAX - 3 * LEN, 10);
	wait_for(NSEC_PER_SEC / 2);
	actions_at(MAX - 3 * LEN, 10);
	assert_in_range(max_p_of(root), tenth + percent - 2, tenth + percent + 2);
	wait_for(100 * NSEC_PER_SEC);
	actions_at(MAX - 3 * LEN, 10);
	assert_in_range(max_p_of(root), UINT32_MAX / 2, UINT32_MAX / 2 + percent);
	while (take().mark)
		;
	wait_for(100 * NSEC_PER_SEC);
	put(1, LEN, 1);
	assert_in_range(max_p_of(root), percent / 10 * 9 - 10, percent);
	start(0);
	actions_at(MAX - 3 * LEN, 10);
	wait_for(NSEC_PER_SEC);
	actions_at(MAX - 3 * LEN, 10);
	assert_int_equal(max_p_of(root), tenth);
}

static void wrong_settings_are_refused(void **state)
{
	static const struct {
		u32 flags;
		struct tc_red_qopt o;
	} rows[] = {
		{ 0, { .qth_min = 2, .qth_max = 1 } }, { 0, { .qth_max = 1, .Wlog = 32 } },
		{ 0, { .qth_max = 1, .Plog = 32 } },   { 0, { .qth_max = 1, .Scell_log = 32 } },
		{ TC_RED_NODROP, { .qth_max = 1 } },   { 16, { .qth_max = 1 } },
	};
	u8 stab[256] = { [200] = 32 };

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		put_opts(&rows[i].o, rows[i].flags);
		assert_int_equal(attach(&red_qdisc_ops), -EINVAL);
	}
	assert_int_equal(attach(&red_qdisc_ops), -EINVAL);
	nla_put(opts(), TCA_RED_PARMS, sizeof(usual), &usual);
	assert_int_equal(attach(&red_qdisc_ops), -EINVAL);
	nla_put(opts(), TCA_RED_PARMS, sizeof(usual), &usual);
	nla_put(opts(), TCA_RED_STAB, sizeof(stab), stab);
	assert_int_equal(attach(&red_qdisc_ops), -EINVAL);
	put_opts(&usual, 0);
	nla_put_u32(opts(), TCA_RED_MARK_BLOCK, 3);
	assert_int_equal(attach(&red_qdisc_ops), -EOPNOTSUPP);
	put_opts(&usual, 0);
	nla_put_u32(opts(), TCA_RED_EARLY_DROP_BLOCK, 3);
	assert_int_equal(attach(&red_qdisc_ops), -EOPNOTSUPP);
}

/* Plog: max_p is (max - min) / 2^Plog where the attribute is not. */
static void an_old_tc_gives_a_logarithm(void **state)
{
	u8 stab[256] = { 0 };

	nla_put(opts(), TCA_RED_PARMS, sizeof(usual), &usual);
	nla_put(opts(), TCA_RED_STAB, sizeof(stab), stab);
	assert_int_equal(attach(&red_qdisc_ops), 0);
	assert_int_equal(max_p_of(root), (u32)(MAX - MIN) << (32 - 20));
}

static void another_may_be_inside(void **state)
{
	struct Qdisc *in;

	start(0);
	fill(3 * LEN);
	in = attach_inner(&pfifo_qdisc_ops, 0x20000);
	assert_int_equal(root->ops->cl_ops->find(root, 0x10001), 1);
	assert_ptr_equal(root->ops->cl_ops->leaf(root, 1), in);
	put(1, LEN, 5);
	assert_int_equal(in->stats.qlen, 1);
	assert_int_equal(take().mark, 5);
	assert_int_equal(in->stats.packets, 1);
	assert_int_equal(in->stats.bytes, LEN);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, sched_teardown)
	static const struct CMUnitTest tests[] = {
		T(below_min_nothing_happens),
		T(in_between_chance_decides_by_the_mean),
		T(drops_come_evenly),
		T(above_max_all_is_dropped),
		T(a_burst_passes_while_the_mean_is_low),
		T(idle_time_counts),
		T(flags_say_what_happens_instead_of_a_drop),
		T(adaptive_moves_the_probability),
		T(wrong_settings_are_refused),
		T(an_old_tc_gives_a_logarithm),
		T(another_may_be_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
