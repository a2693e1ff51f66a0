/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"
#include "core/core_internal.h"

#include "core/dev_test.h"
#include "core/netdevice.h"
#include "core/timer.h"

struct bench {
	struct machine *m;
	struct cpu *cpu;
	char log[64];
	struct tasklet tasklet;
	struct timer_list timer;
	struct cpu_work work[3];
	struct napi_struct napi;
	bool again;
	u64 takes_ns; /* the tasklet */
	u32 polled;
	bool fills; /* what it brings finds no room */
};

static struct bench *bench_of(struct cpu *cpu)
{
	return cpu->machine->kick_arg;
}

static void note(struct cpu *cpu, const char *what)
{
	strncat(bench_of(cpu)->log, what,
		sizeof(bench_of(cpu)->log) - strlen(bench_of(cpu)->log) - 1);
}

static void tasklet_fn(struct cpu *cpu, struct tasklet *t)
{
	note(cpu, "t");
	cpu->now += bench_of(cpu)->takes_ns;
	if (bench_of(cpu)->again) {
		bench_of(cpu)->again = false;
		tasklet_schedule(cpu, t);
	}
}

static void timer_fn(struct cpu *cpu, struct timer_list *t)
{
	note(cpu, "T");
	tasklet_schedule(cpu, &bench_of(cpu)->tasklet);
}

static void work_fn(struct cpu *cpu, struct cpu_work *w)
{
	static const char *const names[] = { "0", "1", "2" };

	assert_true(cpu->locked && cpu->in_softirq);
	note(cpu, names[w - bench_of(cpu)->work]);
}

/* A card that always has more. */
static int poll_fn(struct napi_struct *napi, int budget)
{
	struct bench *b = bench_of(napi->cpu);

	if (!b->polled)
		note(napi->cpu, "N");
	b->polled += (u32)budget;
	napi->cpu->receiver_full |= b->fills;
	return budget;
}

static void begin(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->m = test_machine();
	b->cpu = b->m->cpus[0];
	b->m->kick_arg = b;
	list_init(&b->tasklet.node);
	b->tasklet.func = tasklet_fn;
	timer_setup(&b->timer, timer_fn);
	for (int i = 0; i < 3; i++)
		b->work[i].fn = work_fn;
}

static void softirqs_run_in_their_order(void **state)
{
	struct bench b;

	begin(&b);
	cpu_lock(b.cpu);
	tasklet_schedule(b.cpu, &b.tasklet);
	tasklet_schedule(b.cpu, &b.tasklet); /* once */
	mod_timer(b.cpu, &b.timer, 0);
	cpu_queue_work(b.cpu, &b.work[0]);
	cpu_queue_work(b.cpu, &b.work[2]);
	cpu_queue_work(b.cpu, &b.work[1]);
	assert_string_equal(b.log, "");
	cpu_unlock(b.cpu);
	assert_string_equal(b.log, "021Tt");
	assert_true(b.cpu->softirq_counts[HI_SOFTIRQ] == 1 &&
		    b.cpu->softirq_counts[TIMER_SOFTIRQ] == 1);
	machine_destroy(b.m);
}

static void a_tasklet_that_schedules_itself_runs_in_the_next_pass(void **state)
{
	struct bench b;

	begin(&b);
	b.again = true;
	cpu_lock(b.cpu);
	tasklet_schedule(b.cpu, &b.tasklet);
	assert_true(do_softirq(b.cpu));
	assert_string_equal(b.log, "t");
	assert_false(do_softirq(b.cpu));
	assert_string_equal(b.log, "tt");
	assert_false(do_softirq(b.cpu));
	cpu_unlock(b.cpu);
	machine_destroy(b.m);
}

/* ---- contexts -------------------------------------------------------------------------------------------- */

struct contexts {
	struct tasklet tasklet, tasklet_hi;
	struct timer_list timer;
	struct cpu_work work;
	struct napi_struct napi;
	u8 seen[16];
	u32 nr;
};

static struct contexts *contexts;

static void see(struct cpu *cpu)
{
	contexts->seen[contexts->nr++] = cpu->context;
}

static void see_tasklet(struct cpu *cpu, struct tasklet *t)
{
	see(cpu);
}

static void see_timer(struct cpu *cpu, struct timer_list *t)
{
	see(cpu);
}

static void see_work(struct cpu *cpu, struct cpu_work *w)
{
	see(cpu);
}

static int see_poll(struct napi_struct *napi, int budget)
{
	see(napi->cpu);
	napi_complete_done(napi, 0);
	return 0;
}

static enum netdev_tx see_xmit(struct sk_buff *skb, struct net_device *dev)
{
	see(dev->cpu);
	return test_xmit(skb, dev);
}

/* Raises all there is, last first; cpu lock held. */
static void raise_all(struct net_device *dev)
{
	struct cpu *cpu = dev->cpu;

	tasklet_schedule(cpu, &contexts->tasklet);
	napi_schedule(&contexts->napi);
	netif_tx_stop_queue(&dev->tx[0]);
	dev_queue_xmit(test_frame(dev, (const u8 *)"\x02\0\0\0\0\x02", 0x88b5, 60));
	netif_tx_wake_queue(&dev->tx[0]);
	mod_timer(cpu, &contexts->timer, 0);
	tasklet_hi_schedule(cpu, &contexts->tasklet_hi);
	tasklet_hi_schedule(cpu, &contexts->tasklet_hi);
	tasklet_schedule(cpu, &contexts->tasklet);
	cpu_queue_work(cpu, &contexts->work);
	assert_int_equal(contexts->nr, 0);
	assert_int_equal(cpu->context, CONTEXT_PROCESS);
}

static void all_contexts_run_in_order_and_know_who_they_are(void **state)
{
	static const u8 order[] = { CONTEXT_WORK,   CONTEXT_TASKLET_HI, CONTEXT_TIMER,
				    CONTEXT_NET_TX, CONTEXT_NET_RX,     CONTEXT_TASKLET };
	struct contexts c = { .nr = 0 };
	struct net_device_ops ops = test_dev_ops;
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	contexts = &c;
	ops.ndo_start_xmit = see_xmit;
	dev->netdev_ops = &ops;
	c.tasklet.func = c.tasklet_hi.func = see_tasklet;
	list_init(&c.tasklet.node);
	list_init(&c.tasklet_hi.node);
	timer_setup(&c.timer, see_timer);
	c.work.fn = see_work;
	cpu_lock(net->cpu);
	netif_napi_add(dev, &c.napi, see_poll);
	napi_enable(&c.napi);
	raise_all(dev);
	cpu_unlock(net->cpu); /* softirq, at the end of a call */
	assert_int_equal(c.nr, ARRAY_SIZE(order));
	assert_memory_equal(c.seen, order, sizeof(order));

	c.nr = 0;
	cpu_lock(net->cpu);
	raise_all(dev);
	net->cpu->softirq_defer_until = net->cpu->now + 1; /* calls have paid enough: ksoftirqd */
	cpu_unlock(net->cpu);
	assert_int_equal(c.nr, 0);
	machine_turn(net->machine);
	assert_int_equal(c.nr, ARRAY_SIZE(order));
	for (u32 i = 0; i < c.nr; i++)
		assert_int_equal(c.seen[i], order[i] | CONTEXT_KSOFTIRQD);
	cpu_lock(net->cpu);
	assert_int_equal(net->cpu->context, CONTEXT_PROCESS);
	netif_napi_del(&c.napi);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

/* ---- limits of a round ----------------------------------------------------------------------------------- */

static u64 slow_clock;

static u64 slow_now(struct host *h)
{
	return slow_clock += NSEC_PER_MSEC;
}

/* A packet takes so long that time is up long before the budget of packets. */
static void a_round_ends_when_its_time_is_up(void **state)
{
	struct bench b;
	struct net_device dev;
	struct host_ops ops;

	begin(&b);
	memset(&dev, 0, sizeof(dev));
	dev.cpu = b.cpu;
	list_init(&dev.napi_list);
	slow_clock = host_now(b.m->host);
	ops = *b.m->host->ops;
	ops.now = slow_now;
	b.m->host->ops = &ops;
	cpu_lock(b.cpu);
	b.cpu->softnet->netdev_budget = 1000000;
	netif_napi_add(&dev, &b.napi, poll_fn);
	napi_enable(&b.napi);
	napi_schedule(&b.napi);
	do_softirq(b.cpu);
	/* The clock is looked at every 64 packets and steps by a millisecond: two steps are the limit. */
	assert_int_equal(b.polled, 2 * NAPI_POLL_WEIGHT);
	assert_int_equal(b.cpu->softnet->time_squeeze, 1);
	assert_true(b.cpu->softirq_pending & 1u << NET_RX_SOFTIRQ);
	napi_disable(&b.napi);
	netif_napi_del(&b.napi);
	do_softirq(b.cpu);
	cpu_unlock(b.cpu);
	machine_destroy(b.m);
}

static void count_kick(struct machine *m, void *arg)
{
	strcat(((struct bench *)arg)->log, "K");
}

static void unlocking_runs_one_budget_and_leaves_the_rest(void **state)
{
	struct bench b;
	struct net_device dev;

	begin(&b);
	memset(&dev, 0, sizeof(dev));
	dev.cpu = b.cpu;
	list_init(&dev.napi_list);
	b.m->kick = count_kick;
	cpu_lock(b.cpu);
	netif_napi_add(&dev, &b.napi, poll_fn);
	napi_enable(&b.napi);
	napi_schedule(&b.napi);
	cpu_unlock(b.cpu);
	assert_string_equal(b.log, "NK"); /* who sleeps for the cpu has to go on */
	assert_int_equal(b.polled, b.cpu->softnet->netdev_budget + NAPI_POLL_WEIGHT - 1 -
					   (b.cpu->softnet->netdev_budget + NAPI_POLL_WEIGHT - 1) %
						   NAPI_POLL_WEIGHT);
	cpu_lock(b.cpu);
	assert_int_equal(cpu_next_event(b.cpu), 0);
	napi_disable(&b.napi);
	netif_napi_del(&b.napi);
	cpu_unlock(b.cpu);
	machine_destroy(b.m);
}

static void a_poll_that_fills_a_receiver_is_the_last_of_its_round(void **state)
{
	struct bench b;
	struct net_device dev;

	begin(&b);
	b.fills = true;
	memset(&dev, 0, sizeof(dev));
	dev.cpu = b.cpu;
	list_init(&dev.napi_list);
	cpu_lock(b.cpu);
	netif_napi_add(&dev, &b.napi, poll_fn);
	napi_enable(&b.napi);
	napi_schedule(&b.napi);
	cpu_unlock(b.cpu);
	assert_int_equal(b.polled, NAPI_POLL_WEIGHT);
	cpu_lock(b.cpu);
	assert_true(b.cpu->softirq_pending & 1u << NET_RX_SOFTIRQ);
	assert_int_equal(b.cpu->softnet->time_squeeze, 0);
	napi_disable(&b.napi);
	netif_napi_del(&b.napi);
	cpu_unlock(b.cpu);
	machine_destroy(b.m);
}

static void producer(void *arg)
{
	struct bench *b = arg;

	for (int i = 0; i < 3; i++)
		cpu_queue_work(b->cpu, &b->work[i]);
}

/* When a budget is not enough, calls get as much time as the round took: they do not pay one budget each. */
static void calls_do_not_pay_a_budget_each(void **state)
{
	struct bench b;
	struct tasklet *t = &b.tasklet;

	begin(&b);
	cpu_lock(b.cpu);
	b.cpu->softirq_defer_until = b.cpu->now + 1;
	tasklet_schedule(b.cpu, t);
	cpu_unlock(b.cpu);
	assert_string_equal(b.log, "");
	machine_turn(b.m); /* whoever drives does it */
	assert_string_equal(b.log, "t");
	cpu_lock(b.cpu);
	b.cpu->softirq_defer_until = b.cpu->now;
	tasklet_schedule(b.cpu, t);
	cpu_unlock(b.cpu);
	assert_string_equal(b.log, "tt");
	machine_destroy(b.m);
}

/* What softirqs bring beyond a socket's buffer is thrown away: programs go first until they have caught up. */
static void calls_go_first_when_a_receiver_is_full(void **state)
{
	struct bench b;

	begin(&b);
	b.again = true;
	cpu_lock(b.cpu);
	b.cpu->receiver_full = true; /* as sock_queue_rcv_skb() says it in a softirq */
	tasklet_schedule(b.cpu, &b.tasklet);
	cpu_unlock(b.cpu);
	assert_string_equal(b.log, "t"); /* one pass, not all that there is to do */
	assert_false(b.cpu->receiver_full);
	machine_turn(b.m);
	assert_string_equal(b.log, "tt");
	machine_destroy(b.m);
}

/* What is brought in vain costs less and less of the programs' time. */
static void softirqs_rest_longer_while_a_receiver_stays_full(void **state)
{
	struct bench b;
	u64 last = 0;

	begin(&b);
	b.takes_ns = 10 * NSEC_PER_USEC;
	for (int i = 0; i < 8; i++) {
		u64 rest;

		cpu_lock(b.cpu);
		cpu_end_rest(b.cpu);
		b.cpu->receiver_full = true;
		tasklet_schedule(b.cpu, &b.tasklet);
		cpu_run_pending(b.cpu);
		rest = b.cpu->softirq_defer_until - b.cpu->now;
		assert_true(i < 4 ? rest > last : rest == last);
		assert_true(rest >= 2 * b.takes_ns && rest <= 16 * b.takes_ns);
		last = rest;
		cpu_unlock(b.cpu);
	}
	/* And shorter again when it has room. */
	for (int i = 0; i < 4; i++) {
		cpu_lock(b.cpu);
		cpu_end_rest(b.cpu);
		tasklet_schedule(b.cpu, &b.tasklet);
		cpu_unlock(b.cpu);
	}
	assert_int_equal(b.cpu->rest_shift, 0);
	machine_destroy(b.m);
}

static void work_of_other_threads_arrives_in_order(void **state)
{
	struct bench b;
	struct host_thread *t;

	begin(&b);
	t = b.m->host->ops->thread_start(b.m->host, "producer", producer, &b);
	assert_int_equal(machine_run(b.m, NSEC_PER_SEC), 0); /* asleep when the work comes */
	b.m->host->ops->thread_join(t);
	assert_int_equal(machine_run(b.m, 0), 0);
	assert_string_equal(b.log, "012");
	machine_destroy(b.m);
}

static void with_workers_work_is_done_by_them(void **state)
{
	struct bench b;
	u32 i;

	begin(&b);
	machine_destroy(b.m);
	b.m = test_machine_with(host_linux_create(), 2, true, 0);
	b.m->kick_arg = &b;
	b.cpu = b.m->cpus[1];
	producer(&b);
	for (i = 0; i < 10000; i++) {
		bool done;

		cpu_lock(b.cpu);
		done = !strcmp(b.log, "012");
		cpu_unlock(b.cpu);
		if (done)
			break;
	}
	assert_string_equal(b.log, "012");
	assert_int_equal(machine_run(b.m, 0), -EINVAL);
	machine_destroy(b.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softirqs_run_in_their_order),
		cmocka_unit_test(a_tasklet_that_schedules_itself_runs_in_the_next_pass),
		cmocka_unit_test(all_contexts_run_in_order_and_know_who_they_are),
		cmocka_unit_test(a_round_ends_when_its_time_is_up),
		cmocka_unit_test(unlocking_runs_one_budget_and_leaves_the_rest),
		cmocka_unit_test(calls_do_not_pay_a_budget_each),
		cmocka_unit_test(calls_go_first_when_a_receiver_is_full),
		cmocka_unit_test(a_poll_that_fills_a_receiver_is_the_last_of_its_round),
		cmocka_unit_test(softirqs_rest_longer_while_a_receiver_stays_full),
		cmocka_unit_test(work_of_other_threads_arrives_in_order),
		cmocka_unit_test(with_workers_work_is_done_by_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
