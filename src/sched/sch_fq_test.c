/* SPDX-License-Identifier: BSD-2-Clause */
/* sch_fq_test.c - turns, times, rates and limits of fq, in virtual time */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <stdarg.h>

#include "core/dev_test.h"
#include "lib/hash.h"
#include "netlink/netlink.h"
#include "sched/sched_internal.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define FLOW_A 0x88b5 /* without a socket the flow is that of the type of the frame */
#define FLOW_B 0x88b6
#define FRAME  (60 + ETH_HLEN)

static struct net *net;
static struct net_device *dev;
static struct Qdisc *fq;

static const u8 other_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

/* Pairs of attribute and value, until 0. */
static const struct nlattr *make_options(char *buf, int attr, va_list ap)
{
	struct nlattr *options = (struct nlattr *)buf;

	*options = (struct nlattr){ .nla_type = TCA_OPTIONS, .nla_len = NLA_HDRLEN };
	for (; attr; attr = va_arg(ap, int)) {
		struct nlattr *a = (struct nlattr *)(buf + options->nla_len);
		u32 v = va_arg(ap, u32);

		*a = (struct nlattr){ .nla_type = (u16)attr,
				      .nla_len = attr == TCA_FQ_HORIZON_DROP ? NLA_HDRLEN + 1
									     : NLA_HDRLEN + 4 };
		memcpy(a + 1, &v, 4);
		options->nla_len = (u16)(options->nla_len + NLA_HDRLEN + 4);
	}
	return options;
}

static int change(int attr, ...)
{
	char buf[512] __attribute__((aligned(4)));
	va_list ap;
	int err;

	va_start(ap, attr);
	cpu_lock(net->cpu);
	err = fq->ops->change(fq, make_options(buf, attr, ap), NULL);
	cpu_unlock(net->cpu);
	va_end(ap);
	return err;
}

static int setup(void **state)
{
	int err;

	net = test_net();
	dev = test_netdev(net, "e0", true);
	rtnl_lock(net->machine);
	cpu_lock(net->cpu);
	fq = qdisc_create(&dev->tx[0], &fq_qdisc_ops, 0x10000, TC_H_ROOT, NULL, NULL, &err);
	assert_non_null(fq);
	qdisc_put(dev_graft_qdisc(dev, fq));
	cpu_unlock(net->cpu);
	rtnl_unlock(net->machine);
	return 0;
}

static int teardown(void **state)
{
	test_netdev_del(dev);
	test_net_done(net);
	return 0;
}

/* cpu lock held. @when: ns from now; 0: at once */
static int xmit(u16 flow, u32 mark, u64 when)
{
	struct sk_buff *skb = test_frame(dev, other_mac, flow, 60);

	skb->mark = mark;
	skb->tstamp = when ? dev->cpu->now + when : 0;
	return dev_queue_xmit(skb);
}

static void queue(u16 flow, u32 mark, u64 when)
{
	cpu_lock(net->cpu);
	assert_int_equal(xmit(flow, mark, when), 0);
	cpu_unlock(net->cpu);
}

static u32 sent_mark(void)
{
	struct sk_buff *skb = skb_dequeue(&test_priv(dev)->sent);
	u32 mark = skb ? skb->mark : 0;

	consume_skb(skb);
	return mark;
}

static void stop_driver(void)
{
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
}

static void go(void)
{
	cpu_lock(net->cpu);
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	test_run_for(net->machine, 1);
}

static struct tc_fq_qd_stats stats(void)
{
	struct tc_fq_qd_stats s;
	struct nl_msg m;
	u32 nest;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	nlmsg_begin(&m, 0, 1, RTM_NEWQDISC, 0, sizeof(struct tcmsg));
	nest = nla_nest_start(&m, TCA_STATS2);
	fq->ops->dump_stats(fq, &m);
	nla_nest_end(&m, nest);
	assert_int_equal(nlmsg_finish(&m), 0);
	memcpy(&s, m.buf + m.len - sizeof(s), sizeof(s));
	nl_msg_fini(&m);
	return s;
}

static void what_has_no_time_leaves_at_once_in_order(void **state)
{
	for (u32 i = 1; i <= 3; i++)
		queue(FLOW_A, i, 0);
	for (u32 i = 1; i <= 3; i++)
		assert_int_equal(sent_mark(), i);
	assert_int_equal(stats().flows, 1);
}

static void flows_take_turns(void **state)
{
	/* A quantum of two frames; the first turn has it, too. */
	assert_int_equal(change(TCA_FQ_QUANTUM, 2 * FRAME, TCA_FQ_INITIAL_QUANTUM, 2 * FRAME, 0),
			 0);
	stop_driver();
	for (u32 i = 1; i <= 4; i++)
		queue(FLOW_A, 10 + i, 0);
	for (u32 i = 1; i <= 4; i++)
		queue(FLOW_B, 20 + i, 0);
	go();
	for (u32 i = 0; i < 8; i++) {
		static const u32 order[] = { 11, 12, 21, 22, 13, 14, 23, 24 };

		assert_int_equal(sent_mark(), order[i]);
	}
}

static void a_new_flow_is_served_before_old_ones(void **state)
{
	assert_int_equal(change(TCA_FQ_QUANTUM, FRAME, TCA_FQ_INITIAL_QUANTUM, FRAME, 0), 0);
	stop_driver();
	for (u32 i = 1; i <= 4; i++)
		queue(FLOW_A, 10 + i, 0);
	test_priv(dev)->stop_after = 2;
	go();
	assert_int_equal(sent_mark(), 11);
	assert_int_equal(sent_mark(), 12);
	queue(FLOW_B, 21, 0);
	test_priv(dev)->stop_after = 0;
	go();
	assert_int_equal(sent_mark(), 21);
	assert_int_equal(sent_mark(), 13);
	assert_int_equal(sent_mark(), 14);
}

static void a_packet_leaves_at_its_time(void **state)
{
	queue(FLOW_A, 1, 5 * NSEC_PER_MSEC);
	queue(FLOW_B, 2, 3 * NSEC_PER_MSEC);
	queue(FLOW_B, 3, 0); /* later in its flow, and earlier in time */
	assert_int_equal(sent_mark(), 0);
	assert_int_equal(stats().throttled_flows, 2);
	assert_int_equal(stats().time_next_delayed_flow, 3 * NSEC_PER_MSEC);
	test_run_for(net->machine, 3 * NSEC_PER_MSEC - 1);
	assert_int_equal(sent_mark(), 0);
	test_run_for(net->machine, 1);
	assert_int_equal(sent_mark(), 3);
	assert_int_equal(sent_mark(), 2);
	assert_int_equal(sent_mark(), 0);
	test_run_for(net->machine, 2 * NSEC_PER_MSEC);
	assert_int_equal(sent_mark(), 1);
	assert_int_equal(fq->stats.qlen, 0);
	assert_int_equal(fq->stats.backlog, 0);
	assert_int_equal(stats().throttled, 2);
}

static void times_order_a_flow(void **state)
{
	stop_driver();
	queue(FLOW_A, 3, 3 * NSEC_PER_MSEC);
	queue(FLOW_A, 1, 1 * NSEC_PER_MSEC);
	queue(FLOW_A, 4, 3 * NSEC_PER_MSEC); /* equal times: as they came */
	queue(FLOW_A, 2, 2 * NSEC_PER_MSEC);
	test_run_for(net->machine, 5 * NSEC_PER_MSEC);
	go();
	for (u32 i = 1; i <= 4; i++)
		assert_int_equal(sent_mark(), i);
}

static void beyond_the_horizon_nothing_waits(void **state)
{
	assert_int_equal(change(TCA_FQ_HORIZON, 1000u, 0), 0);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(FLOW_A, 1, NSEC_PER_MSEC + 1), -ENOBUFS);
	assert_int_equal(xmit(FLOW_A, 2, NSEC_PER_MSEC), 0);
	cpu_unlock(net->cpu);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_HORIZON), 1);
	assert_int_equal(stats().horizon_drops, 1);
	test_run_for(net->machine, NSEC_PER_MSEC);
	assert_int_equal(sent_mark(), 2);

	assert_int_equal(change(TCA_FQ_HORIZON_DROP, 0u, 0), 0);
	queue(FLOW_A, 3, NSEC_PER_SEC);
	test_run_for(net->machine, NSEC_PER_MSEC);
	assert_int_equal(sent_mark(), 3);
	assert_int_equal(stats().horizon_caps, 1);
}

static void flows_and_the_whole_have_limits(void **state)
{
	assert_int_equal(change(TCA_FQ_FLOW_PLIMIT, 2u, TCA_FQ_PLIMIT, 3u, 0), 0);
	stop_driver();
	queue(FLOW_A, 1, 0);
	queue(FLOW_A, 2, 0);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(FLOW_A, 3, 0), -ENOBUFS);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_FLOW_LIMIT), 1);
	assert_int_equal(xmit(FLOW_B, 4, 0), 0);
	assert_int_equal(xmit(FLOW_B, 5, 0), -ENOBUFS);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_FULL), 1);
	cpu_unlock(net->cpu);
	assert_int_equal(stats().flows_plimit, 1);
	assert_int_equal(fq->stats.drops, 2);
	go();
	assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 2);
	assert_int_equal(sent_mark(), 4);
}

static void a_lower_limit_drops_what_is_too_much(void **state)
{
	stop_driver();
	for (u32 i = 1; i <= 4; i++)
		queue(FLOW_A, i, 0);
	queue(FLOW_B, 5, NSEC_PER_SEC);
	assert_int_equal(change(TCA_FQ_PLIMIT, 2u, 0), 0);
	assert_int_equal(fq->stats.qlen, 2);
	assert_int_equal(fq->stats.backlog, 2 * FRAME);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_FULL), 3);
	go();
	assert_int_not_equal(sent_mark(), 0);
	assert_int_equal(change(TCA_FQ_PLIMIT, 0u, 0), 0);
	assert_int_equal(fq->stats.qlen, 0);
}

static void a_rate_spaces_packets(void **state)
{
	/* 74 octets in 1 ms, after the credit of the first turn. */
	assert_int_equal(change(TCA_FQ_FLOW_MAX_RATE, 74000u, TCA_FQ_QUANTUM, FRAME,
				TCA_FQ_INITIAL_QUANTUM, FRAME, TCA_FQ_LOW_RATE_THRESHOLD, 0u, 0),
			 0);
	for (u32 i = 1; i <= 3; i++)
		queue(FLOW_A, i, 0);
	assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 0);
	test_run_for(net->machine, NSEC_PER_MSEC - 1);
	assert_int_equal(sent_mark(), 0);
	test_run_for(net->machine, 1);
	assert_int_equal(sent_mark(), 2);
	test_run_for(net->machine, NSEC_PER_MSEC);
	assert_int_equal(sent_mark(), 3);
	/* nopacing */
	assert_int_equal(change(TCA_FQ_RATE_ENABLE, 0u, 0), 0);
	test_run_for(net->machine, NSEC_PER_SEC);
	for (u32 i = 4; i <= 9; i++)
		queue(FLOW_A, i, 0);
	for (u32 i = 4; i <= 9; i++)
		assert_int_equal(sent_mark(), i);
}

static void a_low_rate_leaves_no_credit(void **state)
{
	assert_int_equal(change(TCA_FQ_FLOW_MAX_RATE, 1000u, 0), 0); /* below 550 kbit/s */
	queue(FLOW_A, 1, 0);
	queue(FLOW_A, 2, 0);
	assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 0);
	test_run_for(net->machine, FRAME * NSEC_PER_MSEC - 1);
	assert_int_equal(sent_mark(), 0);
	test_run_for(net->machine, 1);
	assert_int_equal(sent_mark(), 2);
	/* A gap is a second at most. */
	assert_int_equal(change(TCA_FQ_FLOW_MAX_RATE, 1u, 0), 0);
	test_run_for(net->machine, NSEC_PER_SEC);
	queue(FLOW_B, 3, 0);
	queue(FLOW_B, 4, 0);
	assert_int_equal(sent_mark(), 3);
	test_run_for(net->machine, NSEC_PER_SEC);
	assert_int_equal(sent_mark(), 4);
	assert_int_equal(stats().pkts_too_long, 2);
}

static void control_packets_go_first(void **state)
{
	struct sk_buff *skb;

	stop_driver();
	queue(FLOW_A, 2, 0);
	cpu_lock(net->cpu);
	skb = test_frame(dev, other_mac, FLOW_A, 60);
	skb->mark = 1;
	skb->priority = TC_PRIO_CONTROL;
	assert_int_equal(dev_queue_xmit(skb), 0);
	cpu_unlock(net->cpu);
	go();
	assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 2);
	assert_int_equal(stats().highprio_packets, 1);
}

static void idle_flows_go_when_others_come(void **state)
{
	queue(0x1001, 1, 0);
	assert_int_equal(stats().flows, 1);
	queue(0x1002, 1, 0); /* as it leaves the first is seen to be idle */
	test_run_for(net->machine, 4 * NSEC_PER_SEC);
	queue(0x1003, 1, 0);
	assert_int_equal(stats().gc_flows, 1);
	assert_int_equal(stats().flows, 2);
	/* However young they are, there are no more than twice the buckets. */
	assert_int_equal(change(TCA_FQ_BUCKETS_LOG, 2u, TCA_FQ_ORPHAN_MASK, 0xffffu, 0), 0);
	for (u32 i = 0; i < 50; i++)
		queue((u16)(0x2000 + i), 1, 0);
	assert_in_range(stats().flows, 1, 9);
}

static void orphans_share_flows_by_the_mask(void **state)
{
	assert_int_equal(change(TCA_FQ_ORPHAN_MASK, 0u, 0), 0);
	queue(FLOW_A, 1, 0);
	queue(FLOW_B, 2, 0);
	assert_int_equal(stats().flows, 1);
}

static void more_buckets_keep_the_flows(void **state)
{
	stop_driver();
	queue(FLOW_A, 1, 0);
	queue(FLOW_B, 2, 0);
	assert_int_equal(change(TCA_FQ_BUCKETS_LOG, 4u, 0), 0);
	queue(FLOW_A, 3, 0);
	assert_int_equal(stats().flows, 2);
	go();
	assert_int_equal(sent_mark(), 1);
	assert_int_equal(sent_mark(), 3);
	assert_int_equal(sent_mark(), 2);
}

/* An IP packet that waits for 2 ms, with @ecn in its header: the same after its way. */
static u8 ecn_after_waiting(u16 type, u8 ecn)
{
	struct sk_buff *skb;
	u8 *h, after;

	stop_driver();
	cpu_lock(net->cpu);
	skb = test_frame(dev, other_mac, type, 60);
	h = skb_network_header(skb);
	memset(h, 0, 60);
	h[0] = type == ETH_P_IP ? 0x45 : 0x60;
	h[1] = type == ETH_P_IP ? ecn : (u8)(ecn << 4);
	if (type == ETH_P_IP)
		ip_send_check((struct ip_hdr *)h);
	assert_int_equal(dev_queue_xmit(skb), 0);
	cpu_unlock(net->cpu);
	test_run_for(net->machine, 2 * NSEC_PER_MSEC);
	go();
	skb = skb_dequeue(&test_priv(dev)->sent);
	assert_non_null(skb);
	h = skb_network_header(skb);
	after = type == ETH_P_IP ? h[1] & 3 : h[1] >> 4 & 3;
	if (type == ETH_P_IP)
		assert_true(ipv4_csum_ok(h, 20));
	consume_skb(skb);
	return after;
}

static void waiting_too_long_is_marked(void **state)
{
	assert_int_equal(ecn_after_waiting(ETH_P_IP, 2), 2);
	assert_int_equal(change(TCA_FQ_CE_THRESHOLD, 1000u, 0), 0);
	assert_int_equal(ecn_after_waiting(ETH_P_IP, 2), 3);
	assert_int_equal(ecn_after_waiting(ETH_P_IP, 1), 3);
	assert_int_equal(ecn_after_waiting(ETH_P_IP, 0), 0); /* its sender does not understand */
	assert_int_equal(ecn_after_waiting(ETH_P_IPV6, 2), 3);
	assert_int_equal(ecn_after_waiting(ETH_P_IPV6, 0), 0);
	assert_int_equal(ecn_after_waiting(0x88b5, 1), 1); /* no IP */
	assert_int_equal(stats().ce_mark, 3);
}

static void wrong_settings_are_refused(void **state)
{
	assert_int_equal(change(TCA_FQ_QUANTUM, 0u, 0), -EINVAL);
	assert_int_equal(change(TCA_FQ_QUANTUM, (1u << 20) + 1, 0), -EINVAL);
	assert_int_equal(change(TCA_FQ_BUCKETS_LOG, 0u, 0), -EINVAL);
	assert_int_equal(change(TCA_FQ_BUCKETS_LOG, 19u, 0), -EINVAL);
	assert_int_equal(change(TCA_FQ_RATE_ENABLE, 2u, 0), -EINVAL);
	assert_int_equal(change(TCA_FQ_INITIAL_QUANTUM, 0x80000000u, 0), -EINVAL);
}

static void replacing_it_drops_what_waits(void **state)
{
	queue(FLOW_A, 1, NSEC_PER_SEC);
	queue(FLOW_A, 2, NSEC_PER_SEC / 2);
	queue(FLOW_B, 3, NSEC_PER_SEC);
	rtnl_lock(net->machine);
	cpu_lock(net->cpu);
	qdisc_put(dev_graft_qdisc(dev, NULL));
	cpu_unlock(net->cpu);
	rtnl_unlock(net->machine);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_RESET), 3);
	test_run_for(net->machine, 2 * NSEC_PER_SEC);
	assert_int_equal(sent_mark(), 0);
}

/* Whatever comes when, all of it leaves or is counted as dropped, none before its time. */
static void nothing_is_lost_and_nothing_leaves_early(void **state)
{
	u32 in = 0, out = 0, refused = 0;
	struct sk_buff *skb;

	assert_int_equal(change(TCA_FQ_FLOW_PLIMIT, 20u, TCA_FQ_PLIMIT, 100u, TCA_FQ_BUCKETS_LOG,
				1u, TCA_FQ_QUANTUM, 100u, 0),
			 0);
	for (u32 i = 0; i < 5000; i++) {
		u32 r = (u32)hash_mix64(i);

		if (i % 500 == 499)
			assert_int_equal(change(TCA_FQ_PLIMIT, 20 + r % 100, TCA_FQ_BUCKETS_LOG,
						1 + r % 3, 0),
					 0);
		cpu_lock(net->cpu);
		in++;
		refused += xmit((u16)(0x3000 + r % 7), 1,
				r % 5 ? (r >> 8) % (3 * NSEC_PER_MSEC) : 0) != 0;
		cpu_unlock(net->cpu);
		if (r % 3 == 0)
			test_run_for(net->machine, (r >> 16) % NSEC_PER_MSEC);
		while ((skb = skb_dequeue(&test_priv(dev)->sent))) {
			assert_true(skb->tstamp <= host_now(net->machine->host));
			consume_skb(skb);
			out++;
		}
	}
	test_run_for(net->machine, NSEC_PER_SEC);
	while (sent_mark())
		out++;
	assert_int_equal(fq->stats.qlen, 0);
	assert_int_equal(fq->stats.backlog, 0);
	assert_true(refused > 0);
	assert_int_equal(in, out + fq->stats.drops);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(what_has_no_time_leaves_at_once_in_order),
		T(flows_take_turns),
		T(a_new_flow_is_served_before_old_ones),
		T(a_packet_leaves_at_its_time),
		T(times_order_a_flow),
		T(beyond_the_horizon_nothing_waits),
		T(flows_and_the_whole_have_limits),
		T(a_lower_limit_drops_what_is_too_much),
		T(a_rate_spaces_packets),
		T(a_low_rate_leaves_no_credit),
		T(control_packets_go_first),
		T(idle_flows_go_when_others_come),
		T(orphans_share_flows_by_the_mask),
		T(more_buckets_keep_the_flows),
		T(waiting_too_long_is_marked),
		T(wrong_settings_are_refused),
		T(replacing_it_drops_what_waits),
		T(nothing_is_lost_and_nothing_leaves_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
