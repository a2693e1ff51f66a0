/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"
#include "core/sysctl.h"
#include "core/trace.h"

static const u8 other_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

/* cpu lock held */
static int xmit(struct net_device *dev, u32 priority, u32 mark)
{
	struct sk_buff *skb = test_frame(dev, other_mac, 0x88b5, 60);

	skb->priority = priority;
	skb->mark = mark;
	return dev_queue_xmit(skb);
}

static u32 sent_mark(struct net_device *dev)
{
	struct sk_buff *skb = skb_dequeue(&test_priv(dev)->sent);
	u32 mark = skb ? skb->mark : 0;

	consume_skb(skb);
	return mark;
}

static void an_empty_queue_is_bypassed(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct Qdisc *q = dev->tx[0].qdisc;

	assert_ptr_equal(q->ops, &pfifo_fast_ops);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(dev, 0, 1), 0);
	assert_int_equal(test_priv(dev)->sent.qlen, 1);
	assert_int_equal(q->stats.packets, 1);
	assert_int_equal(q->stats.bytes, 74);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static void bands_are_served_in_order_of_priority(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	assert_int_equal(xmit(dev, 0, 10), 0); /* best effort: band 1 */
	xmit(dev, 2, 20);                      /* bulk: band 2 */
	xmit(dev, 6, 1);                       /* interactive: band 0 */
	xmit(dev, 7, 2);                       /* control: band 0 */
	xmit(dev, 0, 11);
	assert_int_equal(test_priv(dev)->sent.qlen, 0);
	assert_true(q->stats.qlen + q->gso_skb.qlen == 5);
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	/* The first was on its way already when the driver stopped it. */
	assert_int_equal(sent_mark(dev), 10);
	assert_int_equal(sent_mark(dev), 1);
	assert_int_equal(sent_mark(dev), 2);
	assert_int_equal(sent_mark(dev), 11);
	assert_int_equal(sent_mark(dev), 20);
	assert_int_equal(q->stats.qlen, 0);
	assert_int_equal(q->stats.backlog, 0);
	test_netdev_del(dev);
	test_net_done(net);
}

static void the_limit_is_the_queue_length_of_the_device(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct Qdisc *q = dev->tx[0].qdisc;

	rtnl_lock(net->machine);
	dev_change_tx_queue_len(dev, 3);
	rtnl_unlock(net->machine);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (int i = 0; i < 4; i++)
		assert_int_equal(xmit(dev, 0, 1), 0);
	assert_int_equal(xmit(dev, 0, 1), -ENOBUFS);
	assert_int_equal(q->stats.drops, 1);
	assert_int_equal(dev->stats.tx_dropped, 1);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_FULL), 1);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

struct counting_tap {
	struct packet_tap tap;
	u32 seen;
};

static void tap_func(struct packet_tap *tap, const struct sk_buff *skb, struct net_device *dev,
		     bool outgoing)
{
	container_of(tap, struct counting_tap, tap)->seen++;
}

static void a_busy_driver_gets_the_same_packet_again(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);
	struct counting_tap t = { .tap = { .type = ETH_P_ALL, .func = tap_func, .dev = dev } };
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	dev_add_tap(net, &t.tap);
	td->busy = true;
	xmit(dev, 0, 1);
	xmit(dev, 6, 2);
	assert_int_equal(td->sent.qlen, 0);
	assert_int_equal(q->gso_skb.qlen, 1);
	assert_true(q->stats.requeues >= 1);
	td->busy = false;
	__netif_schedule(q);
	cpu_unlock(net->cpu);
	/* The one that was refused goes first, whatever came meanwhile; taps saw each once. */
	assert_int_equal(sent_mark(dev), 1);
	assert_int_equal(sent_mark(dev), 2);
	assert_int_equal(t.seen, 2);
	cpu_lock(net->cpu);
	dev_remove_tap(&t.tap);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static void a_stopped_queue_continues_where_it_was(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);

	cpu_lock(net->cpu);
	td->stop_after = 2;
	for (u32 i = 1; i <= 5; i++)
		xmit(dev, 0, i);
	assert_int_equal(td->sent.qlen, 2);
	td->stop_after = 0;
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	for (u32 i = 1; i <= 5; i++)
		assert_int_equal(sent_mark(dev), i);
	test_netdev_del(dev);
	test_net_done(net);
}

static void a_long_queue_leaves_in_rounds(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);

	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 1; i <= 200; i++)
		xmit(dev, 0, i);
	dev->tx[0].state = 0;
	qdisc_run(dev->tx[0].qdisc);
	assert_int_equal(td->sent.qlen, 64);
	assert_true(net->cpu->softirq_pending & 1u << NET_TX_SOFTIRQ);
	cpu_unlock(net->cpu);
	test_run_for(net->machine, 1);
	assert_int_equal(td->sent.qlen, 200);
	test_netdev_del(dev);
	test_net_done(net);
}

/* @n packets with marks from 1 wait behind a stopped queue, which is open again; none has been offered to the driver. */
static void waiting(struct net_device *dev, u32 n)
{
	qdisc_set_bypass(dev->tx[0].qdisc, false);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 1; i <= n; i++)
		assert_int_equal(xmit(dev, 0, i), 0);
	assert_int_equal(dev->tx[0].qdisc->stats.qlen, n);
	dev->tx[0].state = 0;
	dev->tx[0].tx_room = 8;
}

static void sent_in_order(struct net_device *dev, u32 n)
{
	assert_int_equal(test_priv(dev)->sent.qlen, n);
	for (u32 i = 1; i <= n; i++)
		assert_int_equal(sent_mark(dev), i);
}

static void what_waits_leaves_together_with_one_doorbell(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	waiting(dev, 20);
	qdisc_run(q);
	assert_int_equal(td->doorbells,
			 3); /* 8, 8, 4: as it says all along that it has room for 8 */
	assert_int_equal(td->told, 20);
	assert_int_equal(q->stats.packets, 20);
	assert_int_equal(q->stats.bytes, 20 * 74);
	assert_int_equal(q->stats.backlog, 0);
	assert_int_equal(q->stats.requeues, 0);
	/* One that comes alone is not kept waiting for another. */
	assert_int_equal(xmit(dev, 0, 21), 0);
	assert_int_equal(td->told, 21);
	cpu_unlock(net->cpu);
	sent_in_order(dev, 21);
	test_netdev_del(dev);
	test_net_done(net);
}

/* Then nothing that it refuses overtakes what the discipline would send first. */
static void a_driver_that_tells_of_no_room_gets_packets_one_by_one(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	waiting(dev, 4);
	dev->tx[0].tx_room = 0;
	td->stop_after = 2;
	qdisc_run(q);
	assert_int_equal(td->doorbells, 2);
	assert_int_equal(q->gso_skb.qlen, 0);
	assert_int_equal(q->stats.qlen, 2);
	xmit(dev, 6, 100);
	td->stop_after = 0;
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(dev), 1);
	assert_int_equal(sent_mark(dev), 2);
	assert_int_equal(sent_mark(dev), 100);
	assert_int_equal(sent_mark(dev), 3);
	assert_int_equal(sent_mark(dev), 4);
	test_netdev_del(dev);
	test_net_done(net);
}

static void a_driver_that_is_busy_within_a_batch_gets_the_rest_again_in_order(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);
	struct counting_tap t = { .tap = { .type = ETH_P_ALL, .func = tap_func, .dev = dev } };
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	dev_add_tap(net, &t.tap);
	waiting(dev, 10);
	td->busy_after = 3;
	qdisc_run(q);
	assert_int_equal(td->told, 3);
	assert_int_equal(q->gso_skb.qlen, 5); /* of the batch of 8 */
	assert_int_equal(q->stats.qlen, 2);
	assert_int_equal(q->stats.requeues, 5);
	/* What comes meanwhile, of whatever band, goes behind what was on its way. */
	xmit(dev, 6, 100);
	assert_int_equal(q->gso_skb.qlen, 5);
	td->busy_after = 0;
	qdisc_run(q);
	assert_int_equal(td->told, 11);
	for (u32 i = 1; i <= 8; i++)
		assert_int_equal(sent_mark(dev), i);
	assert_int_equal(sent_mark(dev), 100);
	assert_int_equal(sent_mark(dev), 9);
	assert_int_equal(sent_mark(dev), 10);
	assert_int_equal(td->sent.qlen, 0);
	assert_int_equal(q->stats.packets, 11);
	assert_int_equal(t.seen, 11); /* the one that was refused is not seen twice */
	dev_remove_tap(&t.tap);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static void a_queue_that_stops_within_a_batch_keeps_the_rest(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	waiting(dev, 10);
	td->stop_after = 5;
	qdisc_run(q);
	assert_int_equal(td->sent.qlen, 5);
	assert_int_equal(td->told, 5); /* nobody waits for a packet that does not come */
	assert_int_equal(q->gso_skb.qlen, 3);
	td->stop_after = 0;
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	assert_int_equal(td->told, 10);
	assert_int_equal(q->stats.backlog, 0);
	sent_in_order(dev, 10);
	test_netdev_del(dev);
	test_net_done(net);
}

static void a_batch_goes_down_with_the_device(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);

	cpu_lock(net->cpu);
	waiting(dev, 10);
	td->stop_after = 5;
	qdisc_run(dev->tx[0].qdisc);
	dev_deactivate(dev);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_RESET), 5);
	cpu_unlock(net->cpu);
	sent_in_order(dev, 5);
	test_netdev_del(dev);
	test_net_done(net);
}

static void taking_the_device_down_empties_the_queue(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct Qdisc *q = dev->tx[0].qdisc;

	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 0; i < 3; i++)
		xmit(dev, 0, i);
	__netif_schedule(q); /* scheduled, and then gone */
	dev_deactivate(dev);
	assert_int_equal(q->stats.qlen, 0);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_RESET), 3);
	dev_activate(dev);
	dev->tx[0].state = 0;
	xmit(dev, 0, 9);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(dev), 9);
	test_netdev_del(dev);
	test_net_done(net);
}

/* The last record of @tp; NULL: none. */
static const struct trace_record *trace_of(struct net *net, trace_point_t tp)
{
	static struct trace_record records[256];
	u64 cursor = 0, lost;
	u32 n = trace_read(net->cpu, &cursor, records, ARRAY_SIZE(records), &lost);

	while (n > 0) {
		if (records[--n].point == tp)
			return &records[n];
	}
	return NULL;
}

static u32 reentries;

/* Sends another one while it sends, as a tunnel or an embedder's device may. */
static enum netdev_tx xmit_again(struct sk_buff *skb, struct net_device *dev)
{
	if (reentries < 3)
		xmit(dev, 0, 100 + reentries++);
	return test_xmit(skb, dev);
}

/* Control path 2 of doc/paths.md: "the device lock could not be obtained". */
static void who_comes_while_the_queue_is_run_leaves_it_to_tx_softirq(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct Qdisc *q = dev->tx[0].qdisc;
	struct net_device_ops ops = test_dev_ops;
	const struct trace_record *r;

	ops.ndo_start_xmit = xmit_again;
	dev->netdev_ops = &ops;
	reentries = 0;
	assert_int_equal(trace_enable(net->machine, 256), 0);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(dev, 0, 1), 0);
	/* The call has sent its own packet and returns; the other one waits. */
	assert_int_equal(test_priv(dev)->sent.qlen, 1);
	assert_int_equal(q->stats.qlen, 1);
	assert_int_equal(q->held, QDISC_HELD_LOCK);
	assert_true(net->cpu->softirq_pending & 1u << NET_TX_SOFTIRQ);
	cpu_unlock(net->cpu);
	test_run_for(net->machine, 1);
	trace_disable(net->machine);
	assert_int_equal(sent_mark(dev), 1);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(sent_mark(dev), 100 + i);
	assert_int_equal(q->stats.qlen, 0);
	r = trace_of(net, TP_qdisc_dequeue);
	assert_int_equal(r->arg1, QDISC_HELD_LOCK);
	assert_int_equal(r->context & ~CONTEXT_KSOFTIRQD, CONTEXT_NET_TX);
	test_netdev_del(dev);
	test_net_done(net);
}

static void the_default_discipline_is_a_sysctl(void **state)
{
	struct net *net = test_net();
	struct text t = { 0 };
	struct net_device *dev;

	assert_int_equal(view_write(net, "/proc/sys/net/core/default_qdisc", "nosuch\n", 7),
			 -ENOENT);
	assert_int_equal(view_write(net, "/proc/sys/net/core/default_qdisc", "noqueue\n", 8), 0);
	assert_int_equal(view_read(net, "/proc/sys/net/core/default_qdisc", &t), 0);
	assert_string_equal(t.buf, "noqueue\n");
	text_free(&t);
	dev = test_netdev(net, "e0", true);
	assert_string_equal(dev->qdisc->ops->id, "noqueue");
	test_netdev_del(dev);
	test_net_done(net);
}

static u32 timeouts;

static void count_timeout(struct net_device *dev, u32 queue)
{
	timeouts++;
	netif_tx_wake_queue(&dev->tx[queue]);
}

static void a_stuck_queue_wakes_the_watchdog(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", false);
	struct net_device_ops ops = test_dev_ops;
	const struct trace_record *r;

	ops.ndo_tx_timeout = count_timeout;
	dev->netdev_ops = &ops;
	dev->watchdog_timeo = NSEC_PER_SEC;
	timeouts = 0;
	rtnl_lock(net->machine);
	dev_open(dev, NULL);
	rtnl_unlock(net->machine);
	assert_int_equal(trace_enable(net->machine, 64), 0);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	xmit(dev, 0, 1);
	cpu_unlock(net->cpu);
	test_run_for(net->machine, 5 * NSEC_PER_SEC);
	assert_int_equal(timeouts, 1);
	assert_int_equal(dev->tx[0].trans_timeout, 1);
	/* The packet that waited can tell, and went when the driver had recovered. */
	r = trace_of(net, TP_dev_watchdog);
	assert_non_null(r);
	assert_true(r->arg2 >= 1000);
	assert_int_equal(r->context, CONTEXT_TIMER | CONTEXT_KSOFTIRQD);
	trace_disable(net->machine);
	assert_int_equal(sent_mark(dev), 1);
	assert_false(netif_xmit_stopped(&dev->tx[0]));
	test_netdev_del(dev);
	test_net_done(net);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_queue_is_bypassed),
		cmocka_unit_test(bands_are_served_in_order_of_priority),
		cmocka_unit_test(the_limit_is_the_queue_length_of_the_device),
		cmocka_unit_test(a_busy_driver_gets_the_same_packet_again),
		cmocka_unit_test(a_stopped_queue_continues_where_it_was),
		cmocka_unit_test(a_long_queue_leaves_in_rounds),
		cmocka_unit_test(what_waits_leaves_together_with_one_doorbell),
		cmocka_unit_test(a_driver_that_tells_of_no_room_gets_packets_one_by_one),
		cmocka_unit_test(a_driver_that_is_busy_within_a_batch_gets_the_rest_again_in_order),
		cmocka_unit_test(a_queue_that_stops_within_a_batch_keeps_the_rest),
		cmocka_unit_test(a_batch_goes_down_with_the_device),
		cmocka_unit_test(taking_the_device_down_empties_the_queue),
		cmocka_unit_test(who_comes_while_the_queue_is_run_leaves_it_to_tx_softirq),
		cmocka_unit_test(the_default_discipline_is_a_sysctl),
		cmocka_unit_test(a_stuck_queue_wakes_the_watchdog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
