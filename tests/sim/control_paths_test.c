/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_paths_test.c - each of the control paths of doc/paths.md, forced, and recognised in the trace
 *
 *      a --- eth0 (nic) =====[ cable ]===== (nic) eth0 --- b        10.0.0.1 and 10.0.0.2, port 7
 *
 * Virtual time. A call that sends runs softirqs when it gives the lock back; weir_run() is ksoftirqd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/qdisc.h"
#include "drivers/link.h"
#include "drivers/nic.h"
#include "lab/lab_net.h"
#include "see/paths.h"
#include "stack/stack.h"

#define MS 1000000ULL

#define MAX_LINES 4096

static struct weir_machine *m;
static struct weir_net *nets[2];
static struct net_device *devs[2];
static struct weir_file *socks[2]; /* UDP, bound to port 7 */
static struct sockaddr_in addrs[2];
static struct paths_line lines[MAX_LINES];
static unsigned nr_lines;

/* ---- the bed ------------------------------------------------------------------------------------------- */

static void cards(const struct nic_params *p, uint64_t rate_bps)
{
	struct link_params cable = { .rate_bps = rate_bps, .queue_packets = 1000 };
	int err;

	for (int i = 0; i < 2; i++) {
		rtnl_lock(m->m);
		devs[i] = nic_create(net_of(nets[i]), "eth0", p, i ? devs[0] : NULL, &err);
		assert_non_null(devs[i]);
		nic_set_cable(devs[i], &cable);
		rtnl_unlock(m->m);
	}
}

static void bring_up(void)
{
	struct net_error err;

	for (int i = 0; i < 2; i++) {
		addrs[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
		addrs[i].sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
		assert_int_equal(net_addr_add(nets[i], "eth0", addrs[i].sin_addr, 24, &err), 0);
		assert_int_equal(net_link_up(nets[i], "eth0", &err), 0);
		assert_int_equal(
			weir_socket(nets[i], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &socks[i]), 0);
		assert_int_equal(
			weir_bind(socks[i], (struct sockaddr *)&addrs[i], sizeof(addrs[i])), 0);
	}
}

static void run(uint64_t ns)
{
	uint64_t end = weir_now(m) + ns;

	while (weir_now(m) < end)
		weir_run(m, end - weir_now(m));
}

static void datagram(int from)
{
	static const char octets[400];

	assert_int_equal(weir_sendto(socks[from], octets, sizeof(octets), 0,
				     (struct sockaddr *)&addrs[!from], sizeof(addrs[!from])),
			 sizeof(octets));
}

/* A machine whose hosts know each other's link-layer addresses; from now on it is traced. */
static void begin(const struct nic_params *p, uint64_t rate_bps)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .seeded = true, .seed = 1 };
	char buf[2000];

	m = weir_machine_create(&cfg);
	assert_non_null(m);
	nets[0] = weir_net_create(m, "a");
	nets[1] = weir_net_create(m, "b");
	cards(p, rate_bps);
	bring_up();
	datagram(0);
	run(100 * MS);
	datagram(1);
	run(100 * MS);
	assert_true(weir_recv(socks[0], buf, sizeof(buf), 0) > 0);
	assert_true(weir_recv(socks[1], buf, sizeof(buf), 0) > 0);
	assert_int_equal(weir_trace_enable(m, 65536), 0);
}

static void end(void)
{
	weir_close(socks[0]);
	weir_close(socks[1]);
	weir_net_destroy(nets[0]);
	weir_net_destroy(nets[1]);
	weir_machine_destroy(m);
}

/* All paths that ended so far, into @lines. */
static void tell(void)
{
	static struct weir_trace_record records[65536];
	uint64_t cursor[64] = { 0 }, lost;
	struct paths paths;
	int n = weir_trace_read(m, cursor, records, 65536, &lost);

	assert_true(n > 0);
	assert_int_equal(lost, 0);
	paths_init(&paths);
	nr_lines = 0;
	for (int i = 0; i <= n; i++)
		nr_lines += paths_feed(&paths, i < n ? &records[i] : NULL, &lines[nr_lines]);
}

static const struct paths_line *told(enum paths_direction direction, unsigned path, unsigned sender,
				     uint8_t context)
{
	for (unsigned i = 0; i < nr_lines; i++)
		if (lines[i].direction == direction && lines[i].path == path &&
		    lines[i].sender == sender && lines[i].context == context)
			return &lines[i];
	return NULL;
}

static unsigned count(enum paths_direction direction, unsigned path)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nr_lines; i++)
		n += lines[i].direction == direction && lines[i].path == path;
	return n;
}

/* ---- transmission -------------------------------------------------------------------------------------- */

/* 1: nothing is in the way. */
static void a_call_goes_all_the_way_to_the_driver(void **state)
{
	begin(NULL, 0);
	datagram(0);
	tell();
	assert_string_equal(told(PATHS_TRANSMIT, 1, 0, WEIR_CONTEXT_PROCESS)->text,
			    "transmit path 1: process context, from the call to the driver");
	assert_int_equal(count(PATHS_TRANSMIT, 2) + count(PATHS_TRANSMIT, 3), 0);
	end();
}

/* 2 and 5: one descriptor and a slow cable. The second finds the queue stopped; the card's interrupt wakes it. */
static void a_busy_card_leaves_it_to_tx_softirq(void **state)
{
	const struct nic_params p = { .rx_ring = NIC_RING_DEFAULT, .tx_ring = 1 };

	begin(&p, 10000000);
	datagram(0);
	datagram(0);
	tell();
	assert_int_equal(count(PATHS_TRANSMIT, 1), 1);
	assert_int_equal(count(PATHS_TRANSMIT, 2), 0); /* it waits */
	run(100 * MS);
	tell();
	assert_string_equal(told(PATHS_TRANSMIT, 2, 5, WEIR_CONTEXT_NET_TX | WEIR_KSOFTIRQD)->text,
			    "transmit path 2: queued because the driver was busy, TX softirq "
			    "raised, sent by 5: "
			    "ksoftirqd/net_tx");
	end();
}

/* 5 in a program's call: whoever gives the lock back runs what is pending. */
static void tx_softirq_runs_at_the_end_of_a_call(void **state)
{
	begin(NULL, 0);
	cpu_lock(devs[0]->cpu);
	netif_tx_stop_queue(&devs[0]->tx[0]);
	cpu_unlock(devs[0]->cpu);
	datagram(0);
	cpu_lock(devs[0]->cpu);
	netif_tx_wake_queue(&devs[0]->tx[0]);
	cpu_unlock(devs[0]->cpu);
	tell();
	assert_non_null(told(PATHS_TRANSMIT, 2, 5, WEIR_CONTEXT_NET_TX));
	end();
}

/* A discipline that lets one packet go in a millisecond. */
struct one_per_ms {
	struct sk_buff_head queue;
	struct qdisc_watchdog watchdog;
	u64 next;
};

static int one_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct one_per_ms *p = qdisc_priv(q);

	skb_queue_head_init(&p->queue);
	qdisc_watchdog_init(&p->watchdog, q);
	return 0;
}

static enum qdisc_verdict one_enqueue(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free)
{
	struct one_per_ms *p = qdisc_priv(q);

	skb_queue_tail(&p->queue, skb);
	qdisc_qstats_add(q, skb);
	return QDISC_OK;
}

static struct sk_buff *one_dequeue(struct Qdisc *q)
{
	struct one_per_ms *p = qdisc_priv(q);
	u64 now = qdisc_dev(q)->cpu->now;
	struct sk_buff *skb;

	if (skb_queue_empty(&p->queue))
		return NULL;
	if (now < p->next) {
		q->stats.overlimits++;
		qdisc_watchdog_schedule_ns(&p->watchdog, p->next);
		return NULL;
	}
	p->next = now + MS;
	skb = skb_dequeue(&p->queue);
	qdisc_qstats_del(q, skb);
	return skb;
}

static void one_reset(struct Qdisc *q)
{
	struct one_per_ms *p = qdisc_priv(q);

	skb_queue_purge_reason(&p->queue, SKB_DROP_QDISC_RESET);
	qdisc_watchdog_cancel(&p->watchdog);
}

static const struct Qdisc_ops one_ops = {
	.id = "one_per_ms",
	.priv_size = sizeof(struct one_per_ms),
	.enqueue = one_enqueue,
	.dequeue = one_dequeue,
	.init = one_init,
	.reset = one_reset,
};

static void set_root(struct net_device *dev, const struct Qdisc_ops *ops)
{
	struct Qdisc *q;
	int err;

	rtnl_lock(m->m);
	cpu_lock(dev->cpu);
	q = qdisc_create(&dev->tx[0], ops, 0x10000, 0, NULL, NULL, &err);
	assert_non_null(q);
	qdisc_put(dev_graft_qdisc(dev, q));
	cpu_unlock(dev->cpu);
	rtnl_unlock(m->m);
}

/* 3 and 6: the discipline's policy, and the tasklet of its watchdog. */
static void a_discipline_holds_back_and_a_tasklet_sends(void **state)
{
	uint64_t t0;

	begin(NULL, 0);
	set_root(devs[0], &one_ops);
	t0 = weir_now(m);
	for (int i = 0; i < 3; i++)
		datagram(0);
	tell();
	assert_int_equal(count(PATHS_TRANSMIT, 1), 1);
	assert_int_equal(count(PATHS_TRANSMIT, 3), 0);
	run(10 * MS);
	tell();
	assert_int_equal(count(PATHS_TRANSMIT, 3), 2);
	assert_string_equal(
		told(PATHS_TRANSMIT, 3, 6, WEIR_CONTEXT_TASKLET_HI | WEIR_KSOFTIRQD)->text,
		"transmit path 3: queued by qdisc, sent by 6: ksoftirqd/tasklet_hi (qdisc "
		"watchdog)");
	assert_true(weir_now(m) >= t0 + 2 * MS);
	/* Taking it away while the watchdog is armed leaves nothing behind. */
	datagram(0);
	datagram(0);
	set_root(devs[0], &pfifo_fast_ops);
	run(10 * MS);
	end();
}

/* 4 and 7: ten segments may go at first; ACKs let the others go. */
static void tcp_waits_for_acks(void **state)
{
	static const char octets[100000];
	struct weir_file *l, *c, *s;
	const struct paths_line *line;
	int r = -EAGAIN;

	begin(NULL, 100000000);
	assert_int_equal(weir_socket(nets[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&addrs[1], sizeof(addrs[1])), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	assert_int_equal(weir_socket(nets[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &c), 0);
	weir_connect(c, (struct sockaddr *)&addrs[1], sizeof(addrs[1]));
	for (int i = 0; i < 100 && r == -EAGAIN; i++) {
		run(MS);
		r = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &s);
	}
	assert_int_equal(r, 0);
	assert_true(weir_send(c, octets, sizeof(octets), 0) > 20000);
	run(200 * MS);
	tell();
	assert_true(count(PATHS_TRANSMIT, 1) > 0);
	line = told(PATHS_TRANSMIT, 4, 7, WEIR_CONTEXT_NET_RX | WEIR_KSOFTIRQD);
	assert_non_null(line);
	assert_string_equal(line->text,
			    "transmit path 4: held by TCP (cwnd 10, in flight 10), sent "
			    "by 7: ksoftirqd/net_rx (an ACK came)");
	/* The receiver's part of it: data to the socket, ACKs to the machine that sends on. */
	line = NULL;
	for (unsigned i = 0; i < nr_lines; i++) {
		if (strstr(lines[i].text, "up to TCP, which handles the ACK"))
			line = &lines[i];
	}
	assert_non_null(line);
	assert_int_equal(line->path, 2);
	weir_close(s);
	weir_close(c);
	weir_close(l);
	end();
}

/* ---- reception ------------------------------------------------------------------------------------------ */

/* The card's interrupt queues the frame for the cpu; RX softirq carries it to the socket. */
static void an_interrupt_takes_the_frame_and_rx_softirq_carries_it_up(void **state)
{
	const struct nic_params p = { .rx_ring = NIC_RING_DEFAULT,
				      .tx_ring = NIC_RING_DEFAULT,
				      .pio = true };
	const struct paths_line *first, *second;

	begin(&p, 10000000);
	datagram(0);
	run(10 * MS);
	tell();
	first = told(PATHS_RECEIVE, 1, 0, WEIR_CONTEXT_HARDIRQ);
	second = told(PATHS_RECEIVE, 2, 0, WEIR_CONTEXT_NET_RX | WEIR_KSOFTIRQD);
	assert_true(first && second && first < second);
	assert_int_equal(first->skb_id, second->skb_id);
	assert_string_equal(
		first->text,
		"receive path 1: the interrupt handler takes the frame and raises RX softirq");
	assert_string_equal(second->text,
			    "receive path 2: ksoftirqd/net_rx up to the socket's receive queue");
	end();
}

/* With NAPI one interrupt stands for many frames: those that come while it is masked are polled. */
static void with_napi_one_interrupt_serves_many_frames(void **state)
{
	const struct nic_params p = { .rx_ring = NIC_RING_DEFAULT,
				      .tx_ring = NIC_RING_DEFAULT,
				      .rx_usecs = 2000 };

	begin(&p, 100000000);
	for (int i = 0; i < 10; i++)
		datagram(0);
	run(20 * MS);
	tell();
	assert_int_equal(count(PATHS_RECEIVE, 1), 1);
	assert_int_equal(count(PATHS_RECEIVE, 2), 10);
	end();
}

/* Without delay the frame arrives while the sender's call runs: that call's softirq carries it up. */
static void rx_softirq_runs_at_the_end_of_a_call(void **state)
{
	begin(NULL, 0);
	datagram(0);
	tell();
	assert_non_null(told(PATHS_RECEIVE, 1, 0, WEIR_CONTEXT_HARDIRQ));
	assert_non_null(told(PATHS_RECEIVE, 2, 0, WEIR_CONTEXT_NET_RX));
	end();
}

/* ---- limits of RX softirq as sysctls ---------------------------------------------------------------------- */

static void set(const char *path, const char *value)
{
	assert_int_equal(weir_view_write(nets[1], path, value, strlen(value)), 0);
}

/* Columns of /proc/net/softnet_stat: processed, dropped, time_squeeze. */
static void softnet(unsigned column[3])
{
	char *text;
	size_t len;

	assert_int_equal(weir_view_read(nets[1], "/proc/net/softnet_stat", &text, &len), 0);
	assert_int_equal(sscanf(text, "%x %x %x", &column[0], &column[1], &column[2]), 3);
	free(text);
}

static void budget_weight_and_backlog_show_in_softnet_stat(void **state)
{
	unsigned before[3], after[3];
	struct cpu *cpu;

	begin(NULL, 0);
	set("/proc/sys/net/core/netdev_max_backlog", "10\n");
	set("/proc/sys/net/core/netdev_budget", "4\n");
	set("/proc/sys/net/core/dev_weight", "2\n");
	set("/proc/sys/net/core/netdev_budget_usecs", "2000\n");
	softnet(before);
	cpu = devs[1]->cpu;
	cpu_lock(cpu);
	for (int i = 0; i < 15; i++) {
		struct sk_buff *skb = alloc_skb(cpu, 128);

		skb_reserve(skb, 14);
		skb_put(skb, 60);
		skb->dev = devs[1];
		skb->protocol = cpu_to_be16(0x88b5);
		skb->mac_header = 0;
		netif_rx(skb);
	}
	cpu_unlock(cpu); /* one budget: two polls of two packets */
	softnet(after);
	assert_int_equal(after[0] - before[0], 4);
	assert_int_equal(after[1] - before[1], 5);
	assert_int_equal(after[2] - before[2], 1);
	run(MS);
	softnet(after);
	assert_int_equal(after[0] - before[0], 10);
	assert_int_equal(after[2] - before[2], 2);
	end();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_goes_all_the_way_to_the_driver),
		cmocka_unit_test(a_busy_card_leaves_it_to_tx_softirq),
		cmocka_unit_test(tx_softirq_runs_at_the_end_of_a_call),
		cmocka_unit_test(a_discipline_holds_back_and_a_tasklet_sends),
		cmocka_unit_test(tcp_waits_for_acks),
		cmocka_unit_test(an_interrupt_takes_the_frame_and_rx_softirq_carries_it_up),
		cmocka_unit_test(with_napi_one_interrupt_serves_many_frames),
		cmocka_unit_test(rx_softirq_runs_at_the_end_of_a_call),
		cmocka_unit_test(budget_weight_and_backlog_show_in_softnet_stat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
