/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

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
	u32 polled;
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
		cmocka_unit_test(unlocking_runs_one_budget_and_leaves_the_rest),
		cmocka_unit_test(calls_do_not_pay_a_budget_each),
		cmocka_unit_test(work_of_other_threads_arrives_in_order),
		cmocka_unit_test(with_workers_work_is_done_by_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
