/* SPDX-License-Identifier: BSD-2-Clause */
/* sch_fq_codel_test.c - turns, limits and delays of fq_codel, in virtual time (RFC 8290) */
#include "lib/hash.h"
#include "sched/sched_test.h"

#define LEN 500

static int setup(void **state)
{
	return sched_setup(state);
}

static struct tc_fq_codel_xstats stats(void)
{
	struct tc_fq_codel_xstats s;

	xstats(root, &s, sizeof(s));
	assert_int_equal(s.type, TCA_FQ_CODEL_XSTATS_QDISC);
	return s;
}

static void set(int attr, u32 value)
{
	nla_put_u32(opts(), (u16)attr, value);
	assert_int_equal(change(root), 0);
}

static int refused(int attr, u32 value)
{
	nla_put_u32(opts(), (u16)attr, value);
	return change(root);
}

/* By its priority a packet names its queue, so that no hash decides. */
static enum qdisc_verdict put_in(u32 queue, u32 len, u32 mark)
{
	enum qdisc_verdict v;
	struct sk_buff *skb;

	cpu_lock(net->cpu);
	skb = ip_frame(ETH_P_IP, queue, 0, len);
	skb->mark = mark;
	skb->priority = TC_H_MAKE(root->handle, queue);
	v = put_skb(skb);
	cpu_unlock(net->cpu);
	return v;
}

static void flows_take_turns_of_a_quantum(void **state)
{
	static const u32 order[] = { 11, 12, 21, 22, 13, 14, 23, 24 };

	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	set(TCA_FQ_CODEL_QUANTUM, 2 * LEN);
	for (u32 i = 1; i <= 4; i++)
		put_in(1, LEN, 10 + i);
	for (u32 i = 1; i <= 4; i++)
		put_in(2, LEN, 20 + i);
	assert_int_equal(stats().qdisc_stats.new_flows_len, 2);
	for (u32 i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(take().mark, order[i]);
	assert_int_equal(take().mark, 0);
	assert_int_equal(stats().qdisc_stats.new_flow_count, 2);
	assert_int_equal(stats().qdisc_stats.memory_usage, 0);
}

static void who_sends_little_does_not_wait(void **state)
{
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	set(TCA_FQ_CODEL_QUANTUM, LEN);
	for (u32 i = 1; i <= 9; i++)
		put_in(1, LEN, 10 + i);
	assert_int_equal(take().mark, 11);
	for (u32 i = 1; i <= 4; i++) {
		put_in(2, 60, 20 + i);
		assert_int_equal(take().mark, 20 + i);
		assert_int_equal(take().mark,
				 11 + i); /* the one that is empty waits for a turn of the old */
	}
}

static void a_flow_is_not_new_twice_in_a_turn(void **state)
{
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	set(TCA_FQ_CODEL_QUANTUM, LEN);
	for (u32 i = 1; i <= 3; i++)
		put_in(1, LEN, 10 + i);
	put_in(2, LEN, 21);
	assert_int_equal(take().mark, 11);
	assert_int_equal(take().mark, 21);
	put_in(2, LEN, 22); /* it has used its turn */
	assert_int_equal(take().mark, 12);
	assert_int_equal(take().mark, 22);
	assert_int_equal(take().mark, 13);
}

/* Addresses and the salt decide; packets of one flow stay in order. */
static void the_hash_spreads_flows(void **state)
{
	u32 next[64] = { 0 }, seen = 0;

	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	for (u32 i = 0; i < 3 * 64; i++)
		put(i % 64 * 77 + 1, LEN, i % 64 + 1 + (i / 64 << 8));
	assert_in_range(stats().qdisc_stats.new_flow_count, 50, 64);
	for (struct taken t = take(); t.mark; t = take(), seen++)
		assert_int_equal(t.mark >> 8, next[(t.mark & 0xff) - 1]++);
	assert_int_equal(seen, 3 * 64);
}

static void each_flow_has_its_own_delay(void **state)
{
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	/* 1 sends too much, 2 what it may. */
	for (u32 ms = 0; ms < 1000; ms++) {
		put_in(1, 1000, 1);
		put_in(1, 1000, 1);
		if (ms % 4 == 0)
			put_in(2, 100, 2);
		wait_for(MS);
		take();
		if (ms % 4 == 0)
			take();
	}
	assert_true(root->stats.drops > 20);
	assert_int_equal(drops_by(SKB_DROP_QDISC_CONGESTED), root->stats.drops);
	for (struct taken t = take(); t.mark; t = take())
		assert_int_equal(t.mark, 1);
	assert_int_equal(root->stats.backlog, 0);
}

static void the_fattest_flow_makes_room(void **state)
{
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	set(TCA_FQ_CODEL_LIMIT, 11);
	put_in(2, LEN, 1);
	for (u32 i = 1; i <= 10; i++)
		assert_int_equal(put_in(1, LEN, 10 + i), QDISC_OK);
	assert_int_equal(put_in(2, LEN, 2),
			 QDISC_OK); /* half of the other's octets go, the oldest */
	assert_int_equal(root->stats.qlen, 7);
	assert_int_equal(stats().qdisc_stats.drop_overlimit, 5);
	assert_int_equal(drops_by(SKB_DROP_QDISC_FULL), 5);
	assert_int_equal(take().mark, 1);
	assert_int_equal(take().mark, 2);
	assert_int_equal(take().mark, 16);
	/* A batch is the most it loses at once. */
	set(TCA_FQ_CODEL_DROP_BATCH_SIZE, 0);
	while (root->stats.qlen < 11)
		put_in(1, LEN, 30);
	assert_int_equal(put_in(1, LEN, 31), QDISC_CN);
	assert_int_equal(root->stats.qlen, 11);
	set(TCA_FQ_CODEL_LIMIT, 3);
	assert_int_equal(root->stats.qlen, 3);
	assert_int_equal(root->stats.backlog, 3 * LEN);
	set(TCA_FQ_CODEL_LIMIT, 0);
	assert_int_equal(root->stats.qlen, 0);
	assert_int_equal(put_in(1, LEN, 32), QDISC_CN);
	assert_int_equal(root->stats.qlen, 0);
	assert_int_equal(take().mark, 0);
}

static void memory_is_limited(void **state)
{
	u32 one;

	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	put_in(1, LEN, 1);
	one = stats().qdisc_stats.memory_usage;
	assert_true(one > LEN);
	set(TCA_FQ_CODEL_MEMORY_LIMIT, 4 * one);
	for (u32 i = 2; i <= 4; i++)
		put_in(1, LEN, i);
	assert_int_equal(stats().qdisc_stats.drop_overmemory, 0);
	put_in(2, LEN, 5);
	assert_int_equal(stats().qdisc_stats.drop_overmemory, 2);
	assert_int_equal(stats().qdisc_stats.drop_overlimit, 2);
	assert_int_equal(stats().qdisc_stats.memory_usage, 3 * one);
	assert_int_equal(take().mark, 3);
}

static void thresholds_are_for_those_selected(void **state)
{
	nla_put_u32(opts(), TCA_FQ_CODEL_CE_THRESHOLD, 1000);
	nla_put_u8(opts(), TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR, 1); /* ECT(1): RFC 9331 */
	nla_put_u8(opts(), TCA_FQ_CODEL_CE_THRESHOLD_MASK, 3);
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	put_as(ETH_P_IP, 1, 1, LEN, 1);
	put_as(ETH_P_IP, 1, 2, LEN, 2);
	put_as(ETH_P_IPV6, 1, 0xb9, LEN, 3);
	wait_for(2 * MS);
	for (u32 i = 0; i < 3; i++) {
		struct taken t = take();

		assert_int_equal(t.ds, t.mark == 1 ? 3 : t.mark == 2 ? 2 : 0xbb);
	}
	assert_int_equal(stats().qdisc_stats.ce_mark, 2);
}

static void it_marks_unless_told_not_to(void **state)
{
	for (u32 ecn = 2; ecn--;) {
		assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
		if (!ecn)
			set(TCA_FQ_CODEL_ECN, 0);
		for (u32 ms = 0; ms < 300; ms++) {
			put_as(ETH_P_IP, 1, 2, 1000, 1);
			put_as(ETH_P_IP, 1, 2, 1000, 1);
			wait_for(MS);
			take();
		}
		assert_int_equal(!!stats().qdisc_stats.ecn_mark, ecn);
		assert_int_equal(!!root->stats.drops, !ecn);
	}
}

static void settings_have_ranges(void **state)
{
	nla_put_u32(opts(), TCA_FQ_CODEL_FLOWS, 0);
	assert_int_equal(attach(&fq_codel_qdisc_ops), -EINVAL);
	nla_put_u32(opts(), TCA_FQ_CODEL_FLOWS, 65537);
	assert_int_equal(attach(&fq_codel_qdisc_ops), -EINVAL);
	nla_put_u32(opts(), TCA_FQ_CODEL_FLOWS, 1);
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	assert_int_equal(refused(TCA_FQ_CODEL_FLOWS, 2), -EINVAL);
	assert_int_equal(refused(TCA_FQ_CODEL_QUANTUM, (1 << 20) + 1), -EINVAL);
	set(TCA_FQ_CODEL_QUANTUM, 0); /* 256 */
	put(1, 100, 1);
	put(2, 100, 2);
	assert_int_equal(stats().qdisc_stats.new_flow_count, 1); /* there is only one */
	assert_int_equal(take().mark, 1);
	assert_int_equal(take().mark, 2);
}

static int count_class(struct Qdisc *q, unsigned long cl, struct qdisc_walker *w)
{
	struct tcmsg tcm = { .tcm_handle = q->handle };

	assert_int_equal(q->ops->cl_ops->dump(q, cl, NULL, &tcm), 0);
	assert_int_equal(tcm.tcm_handle, 0x10007);
	w->stop++; /* how often */
	return 0;
}

static void flows_that_have_something_are_classes_to_look_at(void **state)
{
	struct qdisc_walker w = { .fn = count_class };
	struct tc_fq_codel_xstats s;
	struct nl_msg m;

	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	put_in(7, LEN, 1);
	put_in(7, LEN, 2);
	assert_int_equal(nl_msg_init(&m, 1024), 0);
	nlmsg_begin(&m, 0, 1, RTM_NEWTCLASS, 0, sizeof(struct tcmsg));
	cpu_lock(net->cpu);
	root->ops->cl_ops->walk(root, &w);
	assert_int_equal(w.stop, 1);
	assert_int_equal(w.count, 1024);
	assert_int_equal(root->ops->cl_ops->find(root, 0x10007), 0);
	root->ops->cl_ops->dump_stats(root, 7, &m);
	cpu_unlock(net->cpu);
	assert_int_equal(nlmsg_finish(&m), 0);
	memcpy(&s, m.buf + m.len - sizeof(s), sizeof(s));
	assert_int_equal(s.type, TCA_FQ_CODEL_XSTATS_CLASS);
	assert_int_equal(s.class_stats.deficit, 1514);
	nl_msg_fini(&m);
}

/* Whatever comes when, all of it leaves or is counted as dropped. */
static void nothing_is_lost(void **state)
{
	u32 in = 0, out = 0;

	nla_put_u32(opts(), TCA_FQ_CODEL_FLOWS, 4);
	assert_int_equal(attach(&fq_codel_qdisc_ops), 0);
	for (u32 i = 0; i < 20000; i++) {
		u32 r = (u32)hash_mix64(i);

		if (i % 1000 == 999) {
			nla_put_u32(opts(), TCA_FQ_CODEL_LIMIT, r % 300);
			nla_put_u32(opts(), TCA_FQ_CODEL_MEMORY_LIMIT, 20000 + r % 200000);
			nla_put_u32(opts(), TCA_FQ_CODEL_DROP_BATCH_SIZE, r % 40);
			nla_put_u32(opts(), TCA_FQ_CODEL_QUANTUM, 256 + r % 2000);
			nla_put_u32(opts(), TCA_FQ_CODEL_ECN, r & 1);
			assert_int_equal(change(root), 0);
		}
		put_as(r & 64 ? ETH_P_IP : ETH_P_IPV6, r % 37, r >> 8 & 3, 60 + (r >> 10) % 1400,
		       1);
		in++;
		if (r % 3 == 0)
			wait_for((r >> 8) % (2 * MS));
		if (r % 5 < 3)
			out += take().mark;
		assert_true(i < 999 || stats().qdisc_stats.memory_usage <= 220000);
	}
	while (take().mark)
		out++;
	assert_int_equal(root->stats.qlen, 0);
	assert_int_equal(root->stats.backlog, 0);
	assert_int_equal(stats().qdisc_stats.memory_usage, 0);
	assert_true(drops_by(SKB_DROP_QDISC_CONGESTED) > 0 && drops_by(SKB_DROP_QDISC_FULL) > 0);
	assert_int_equal(in, out + root->stats.drops);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, sched_teardown)
	static const struct CMUnitTest tests[] = {
		T(flows_take_turns_of_a_quantum),
		T(who_sends_little_does_not_wait),
		T(a_flow_is_not_new_twice_in_a_turn),
		T(the_hash_spreads_flows),
		T(each_flow_has_its_own_delay),
		T(the_fattest_flow_makes_room),
		T(memory_is_limited),
		T(thresholds_are_for_those_selected),
		T(it_marks_unless_told_not_to),
		T(settings_have_ranges),
		T(flows_that_have_something_are_classes_to_look_at),
		T(nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
