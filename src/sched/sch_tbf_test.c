/* SPDX-License-Identifier: BSD-2-Clause */
/* sch_tbf_test.c - rates, buckets, and the discipline inside; settings and what is refused as Linux 6.18 does */
#include "lib/hash.h"
#include "sched/sched_test.h"

#define LEN    1000
#define SECOND NSEC_PER_SEC

/* 1,000,000 octets/s: one in a millisecond. */
static struct tc_tbf_qopt usual(void)
{
	return (struct tc_tbf_qopt){ .rate = { .rate = 1000000, .linklayer = 1 },
				     .limit = 100 * LEN,
				     .buffer = 2 * LEN * 1000 / 64 }; /* two packets */
}

static int start_with(const struct tc_tbf_qopt *o)
{
	nla_put(opts(), TCA_TBF_PARMS, sizeof(*o), o);
	return attach(&tbf_qdisc_ops);
}

static int setup(void **state)
{
	struct tc_tbf_qopt o = usual();

	sched_setup(state);
	return start_with(&o);
}

/* Through the glue: the driver takes what it is given. */
static void emit(u32 n, u32 len)
{
	cpu_lock(net->cpu);
	for (u32 i = 0; i < n; i++)
		dev_queue_xmit(ip_frame(ETH_P_IP, i, 0, len));
	cpu_unlock(net->cpu);
}

static u32 sent(void)
{
	u32 n = test_priv(dev)->sent.qlen;

	cpu_lock(net->cpu);
	skb_queue_consume(&test_priv(dev)->sent);
	cpu_unlock(net->cpu);
	return n;
}

static void a_bucket_and_then_the_rate(void **state)
{
	emit(10, LEN);
	assert_int_equal(sent(), 2);
	wait_for(MS - 1);
	assert_int_equal(sent(), 0);
	wait_for(1);
	assert_int_equal(sent(), 1);
	wait_for(5 * MS);
	assert_int_equal(sent(), 5);
	assert_int_equal(root->stats.qlen, 2);
	assert_int_equal(root->stats.backlog, 2 * LEN);
	assert_true(root->stats.overlimits > 0);
	wait_for(SECOND);
	assert_int_equal(sent(), 2);
	emit(10, LEN); /* the bucket is full, not fuller */
	assert_int_equal(sent(), 2);
}

static void a_peak_empties_the_bucket_slowly(void **state)
{
	struct tc_tbf_qopt o = usual();

	o.buffer *= 5;
	o.peakrate = (struct tc_ratespec){ .rate = 2000000 };
	o.mtu = LEN * 500 / 64 + 1; /* one packet */
	assert_int_equal(start_with(&o), 0);
	emit(30, LEN);
	assert_int_equal(sent(), 1);
	wait_for(5 * MS);
	assert_int_equal(sent(), 10); /* two in a millisecond */
	wait_for(4 * MS);
	assert_int_equal(sent(), 8);
	wait_for(6 * MS);
	assert_int_equal(sent(), 6); /* ten were in the bucket */
}

static void a_packet_costs_what_the_link_says(void **state)
{
	static const struct {
		struct tc_ratespec rate;
		u32 len, us;
	} rows[] = {
		{ { .rate = 1000000 }, 100, 100 },
		{ { .rate = 1000000, .overhead = 24 }, 100, 124 },
		{ { .rate = 1000000, .mpu = 512 }, 100, 512 },
		{ { .rate = 1000000, .linklayer = TC_LINKLAYER_ATM }, 100, 159 }, /* 3 cells */
		{ { .rate = 1000000, .linklayer = TC_LINKLAYER_ATM, .overhead = 45 }, 100, 212 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tc_tbf_qopt o = usual();

		o.rate = rows[i].rate;
		o.buffer = rows[i].us * 1000 / 64 + 5; /* one packet */
		assert_int_equal(start_with(&o), 0);
		emit(3, rows[i].len);
		assert_int_equal(sent(), 1);
		wait_for(rows[i].us * NSEC_PER_USEC - 1000);
		assert_int_equal(sent(), 0);
		wait_for(1000);
		assert_int_equal(sent(), 1);
	}
}

static void what_is_longer_than_the_bucket_is_dropped(void **state)
{
	u32 burst = 700;

	assert_int_equal(put(1, 1500, 1), QDISC_OK);
	nla_put_u32(opts(), TCA_TBF_BURST, burst);
	nla_put(opts(), TCA_TBF_PARMS, sizeof(struct tc_tbf_qopt),
		&(struct tc_tbf_qopt){ .rate = { .rate = 1000000 }, .limit = 5000 });
	assert_int_equal(change(root), 0);
	assert_int_equal(put(1, burst, 2), QDISC_OK);
	assert_int_equal(put(1, burst + 1, 3), QDISC_DROP);
	assert_int_equal(drops_by(SKB_DROP_QDISC_TOO_LONG), 1);
	assert_int_equal(root->stats.drops, 1);
}

/* It owes what it is longer: the next one waits for that, too. */
static void what_waited_when_the_bucket_became_smaller_leaves(void **state)
{
	struct tc_tbf_qopt o = usual();

	emit(4, LEN);
	assert_int_equal(sent(), 2);
	o.buffer = LEN * 1000 / 4 / 64;
	nla_put(opts(), TCA_TBF_PARMS, sizeof(o), &o);
	assert_int_equal(change(root), 0);
	wait_for(MS);
	assert_int_equal(sent(), 1);
	wait_for(MS - 1);
	assert_int_equal(sent(), 0);
	wait_for(1);
	assert_int_equal(sent(), 1);
	assert_int_equal(root->stats.qlen, 0);
}

static void the_limit_is_one_of_octets(void **state)
{
	struct tc_tbf_qopt o = usual();

	o.limit = 3 * LEN;
	assert_int_equal(start_with(&o), 0);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(put(1, LEN, 1), QDISC_OK);
	assert_int_equal(put(1, LEN, 1), QDISC_DROP);
	assert_int_equal(drops_by(SKB_DROP_QDISC_FULL), 1);
	o.limit = 4 * LEN;
	nla_put(opts(), TCA_TBF_PARMS, sizeof(o), &o);
	assert_int_equal(change(root), 0);
	assert_int_equal(put(1, LEN, 1), QDISC_OK);
	assert_int_equal(put(1, LEN, 1), QDISC_DROP);
}

static void wrong_settings_are_refused(void **state)
{
	struct tc_tbf_qopt o = usual();

	assert_int_equal(attach(&tbf_qdisc_ops), -EINVAL);
	o.rate.rate = 0;
	assert_int_equal(start_with(&o), -EINVAL);
	o = usual();
	o.peakrate.rate = o.rate.rate;
	o.mtu = 1 << 20;
	assert_int_equal(start_with(&o), -EINVAL);
	o.peakrate.rate++;
	assert_int_equal(start_with(&o), 0);
	o = usual();
	o.buffer = 0;
	assert_int_equal(start_with(&o), -EINVAL);
	o = usual();
	o.rate.mpu = 60000; /* nothing could ever leave */
	assert_int_equal(start_with(&o), -EINVAL);
}

/* What was looked at is the first to leave, and is in nobody's sums twice. */
static void the_one_inside_is_what_waits(void **state)
{
	struct Qdisc *in = attach_inner(&pfifo_qdisc_ops, 0x20000);
	u32 qlen, octets;

	emit(6, LEN);
	assert_int_equal(sent(), 2);
	assert_int_equal(root->stats.qlen, 4);
	assert_int_equal(in->stats.qlen + in->gso_skb.qlen, 4);
	assert_int_equal(in->stats.packets, 2);
	wait_for(MS);
	assert_int_equal(sent(), 1);
	/* Away with it, as tc qdisc del would. */
	cpu_lock(net->cpu);
	qlen = in->stats.qlen + in->gso_skb.qlen;
	octets = qlen * LEN;
	in->refcount++;
	cpu_unlock(net->cpu);
	attach_inner(&codel_qdisc_ops, 0x30000);
	cpu_lock(net->cpu);
	qdisc_reset(in);
	qdisc_tree_reduce_backlog(in, (s32)qlen, (s32)octets);
	qdisc_put(in);
	cpu_unlock(net->cpu);
	assert_int_equal(root->stats.qlen, 0);
	assert_int_equal(root->stats.backlog, 0);
	emit(3, LEN);
	wait_for(SECOND);
	assert_int_equal(sent(), 3);
}

/* Sums of the tree are right whatever the inner one drops, and the rate holds. */
static void what_is_dropped_inside_is_known_outside(void **state)
{
	static const struct Qdisc_ops *const inner[] = { &codel_qdisc_ops, &fq_codel_qdisc_ops,
							 &pfifo_head_drop_qdisc_ops,
							 &fq_qdisc_ops };

	for (u32 k = 0; k < ARRAY_SIZE(inner); k++) {
		struct tc_tbf_qopt o = usual();
		struct Qdisc *in;
		u32 out = 0, before = (u32)drops_by(SKB_DROP_QDISC_CONGESTED);

		assert_int_equal(start_with(&o), 0);
		in = attach_inner(inner[k], 0x20000);
		for (u32 i = 0; i < 6000; i++) {
			emit(hash_mix64(i) % 4, LEN);
			wait_for(MS);
			out += sent();
			assert_int_equal(root->stats.qlen, in->stats.qlen + in->gso_skb.qlen);
			assert_int_equal(root->stats.backlog, root->stats.qlen * LEN);
		}
		assert_in_range(out, 5995, 6003);
		assert_int_equal(root->stats.drops, in->stats.drops);
		if (k < 2)
			assert_true(drops_by(SKB_DROP_QDISC_CONGESTED) > before + 500);
	}
}

static void a_rate_beyond_32_bits(void **state)
{
	const u64 rate = 6250000000; /* 50 Gbit/s */
	const struct nlattr *tb[TCA_TBF_MAX + 1], *a;
	struct tc_tbf_qopt o = usual();
	struct nl_msg m;
	u32 nest;

	o.rate.rate = UINT32_MAX;
	nla_put(opts(), TCA_TBF_PARMS, sizeof(o), &o);
	nla_put_u64(opts(), TCA_TBF_RATE64, rate);
	nla_put_u32(opts(), TCA_TBF_BURST, 5 << 20);
	assert_int_equal(attach(&tbf_qdisc_ops), 0);
	assert_int_equal(nl_msg_init(&m, 1024), 0);
	nlmsg_begin(&m, 0, 1, RTM_NEWQDISC, 0, sizeof(struct tcmsg));
	nest = nla_nest_start(&m, TCA_OPTIONS);
	root->ops->dump(root, &m);
	nla_nest_end(&m, nest);
	assert_int_equal(nlmsg_finish(&m), 0);
	a = (const struct nlattr *)(m.buf + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct tcmsg)));
	assert_int_equal(nla_parse_nested(tb, TCA_TBF_MAX, a, NULL, NULL), 0);
	assert_int_equal(nla_get_u64(tb[TCA_TBF_RATE64]), rate);
	memcpy(&o, nla_data(tb[TCA_TBF_PARMS]), sizeof(o));
	assert_int_equal(o.rate.rate, UINT32_MAX);
	assert_int_equal(o.buffer, (5ULL << 20) * 1000 / 6250 / 64);
	nl_msg_fini(&m);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, sched_teardown)
	static const struct CMUnitTest tests[] = {
		T(a_bucket_and_then_the_rate),
		T(a_peak_empties_the_bucket_slowly),
		T(a_packet_costs_what_the_link_says),
		T(what_is_longer_than_the_bucket_is_dropped),
		T(what_waited_when_the_bucket_became_smaller_leaves),
		T(the_limit_is_one_of_octets),
		T(wrong_settings_are_refused),
		T(the_one_inside_is_what_waits),
		T(what_is_dropped_inside_is_known_outside),
		T(a_rate_beyond_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
