/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

#include <stdio.h>

#include "core/timer.h"
#include "core/wait.h"

#define MS NSEC_PER_MSEC

/* A counter behind a cpu lock: takers wait until it is not 0. */
struct counter {
	struct machine *m;
	struct cpu *cpu;
	struct wait_queue_head wq;
	u32 value, taken;
	char log[256];
	struct timer_list timer;
};

static void counter_add(struct counter *c, u32 n)
{
	c->value += n;
	wake_up(c->cpu, &c->wq, 1);
}

static int counter_take(struct counter *c, u64 timeout, bool exclusive)
{
	struct wait_entry w;
	u64 deadline;
	int err = 0;

	cpu_lock(c->cpu);
	deadline = timeout == HOST_FOREVER ? timeout : c->cpu->now + timeout;
	assert_int_equal(wait_entry_init(c->cpu, &w), 0);
	w.exclusive = exclusive;
	add_wait_queue(&c->wq, &w);
	while (!c->value && !err)
		err = wait_schedule(c->cpu, &w, deadline);
	remove_wait_queue(&w);
	wait_entry_fini(c->cpu, &w);
	if (c->value) {
		c->value--;
		c->taken++;
		err = 0;
	}
	cpu_unlock(c->cpu);
	return err;
}

static void timer_adds_one(struct cpu *cpu, struct timer_list *t)
{
	counter_add(container_of(t, struct counter, timer), 1);
}

static void begin(struct counter *c, struct host *host, bool workers)
{
	memset(c, 0, sizeof(*c));
	c->m = test_machine_with(host, 1, workers, 0);
	c->cpu = c->m->cpus[0];
	init_waitqueue_head(&c->wq);
	timer_setup(&c->timer, timer_adds_one);
}

static void a_lone_thread_turns_the_loop_itself(void **state)
{
	struct host *hosts[] = { host_sim_create(1, 0), host_linux_create() };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct counter c;
		u64 start;

		begin(&c, hosts[i], false);
		start = host_now(c.m->host);
		cpu_lock(c.cpu);
		mod_timer(c.cpu, &c.timer, start + 5 * MS);
		cpu_unlock(c.cpu);
		assert_int_equal(counter_take(&c, HOST_FOREVER, false), 0);
		assert_true(host_now(c.m->host) >= start + 5 * MS);
		assert_int_equal(counter_take(&c, 3 * MS, false), -EAGAIN);
		if (c.m->host->virtual_time)
			assert_int_equal(host_now(c.m->host),
					 5 * MS / (1 << 20) * (1 << 20) + (1 << 20) + 3 * MS);
		assert_int_equal(counter_take(&c, 0, false), -EAGAIN);
		assert_false(c.m->driven);
		machine_destroy(c.m);
	}
}

static void what_runs_before_sleeping_may_be_what_one_waits_for(void **state)
{
	struct counter c;

	begin(&c, host_sim_create(1, 0), false);
	cpu_lock(c.cpu);
	mod_timer(c.cpu, &c.timer, 0);
	{
		struct wait_entry w;

		assert_int_equal(wait_entry_init(c.cpu, &w), 0);
		add_wait_queue(&c.wq, &w);
		assert_int_equal(wait_schedule(c.cpu, &w, HOST_FOREVER), 0);
		assert_int_equal(c.value, 1);
		assert_int_equal(wait_schedule(c.cpu, &w, c.cpu->now), -EAGAIN);
		remove_wait_queue(&w);
		wait_entry_fini(c.cpu, &w);
	}
	cpu_unlock(c.cpu);
	machine_destroy(c.m);
}

#define TAKERS 4
#define ROUNDS 500

static void taker(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(counter_take(arg, HOST_FOREVER, true), 0);
}

static void giver(void *arg)
{
	struct counter *c = arg;

	for (int i = 0; i < TAKERS * ROUNDS; i++) {
		cpu_lock(c->cpu);
		counter_add(c, 1);
		cpu_unlock(c->cpu);
	}
}

static void no_wake_up_is_lost_between_threads(void **state)
{
	for (int mode = 0; mode < 4; mode++) { /* real and virtual time, without and with workers */
		struct host_thread *t[TAKERS + 1];
		struct counter c;
		const struct host_ops *ops;

		begin(&c, mode & 2 ? host_sim_create(1, 0) : host_linux_create(), mode & 1);
		ops = c.m->host->ops;
		for (int i = 0; i < TAKERS; i++)
			t[i] = ops->thread_start(c.m->host, "taker", taker, &c);
		t[TAKERS] = ops->thread_start(c.m->host, "giver", giver, &c);
		for (int i = 0; i <= TAKERS; i++)
			ops->thread_join(t[i]);
		assert_int_equal(c.taken, TAKERS * ROUNDS);
		assert_int_equal(c.value, 0);
		assert_false(c.m->driven);
		machine_destroy(c.m);
	}
}

static void sleeper(void *arg)
{
	struct counter *c = arg;

	assert_int_equal(counter_take(c, 20 * MS, false), -EAGAIN);
}

static void the_driver_hands_over_when_it_leaves(void **state)
{
	/* The first thread drives and leaves after 20 ms; the timer at 50 ms must still fire for the second. */
	for (int sim = 0; sim < 2; sim++) {
		struct host_thread *t;
		struct counter c;
		u64 start;

		begin(&c, sim ? host_sim_create(1, 0) : host_linux_create(), false);
		start = host_now(c.m->host);
		cpu_lock(c.cpu);
		mod_timer(c.cpu, &c.timer, start + 50 * MS);
		cpu_unlock(c.cpu);
		t = c.m->host->ops->thread_start(c.m->host, "sleeper", sleeper, &c);
		assert_int_equal(counter_take(&c, HOST_FOREVER, false), 0);
		assert_true(host_now(c.m->host) >= start + 50 * MS);
		c.m->host->ops->thread_join(t);
		machine_destroy(c.m);
	}
}

struct sim_sleeper {
	struct counter *c;
	char name;
	u64 step;
};

static void sim_sleeper(void *arg)
{
	struct sim_sleeper *s = arg;

	for (int i = 0; i < 4; i++) {
		size_t n;

		assert_int_equal(counter_take(s->c, s->step, false), -EAGAIN);
		n = strlen(s->c->log);
		snprintf(s->c->log + n, sizeof(s->c->log) - n, "%c%llu ", s->name,
			 (unsigned long long)(host_now(s->c->m->host) / MS));
	}
}

static void virtual_time_repeats(void **state)
{
	char first[256];

	for (int round = 0; round < 20; round++) {
		struct counter c;
		struct sim_sleeper a = { &c, 'a', 3 * MS }, b = { &c, 'b', 2 * MS };
		struct host_thread *ta, *tb;

		begin(&c, host_sim_create(5, 0), false);
		ta = c.m->host->ops->thread_start(c.m->host, "a", sim_sleeper, &a);
		tb = c.m->host->ops->thread_start(c.m->host, "b", sim_sleeper, &b);
		c.m->host->ops->thread_join(ta);
		c.m->host->ops->thread_join(tb);
		if (round == 0) {
			memcpy(first, c.log, sizeof(first));
			assert_string_equal(c.log, "b2 a3 b4 a6 b6 b8 a9 a12 ");
		}
		assert_string_equal(c.log, first);
		machine_destroy(c.m);
	}
}

static void one_thread_may_wait_on_several_queues(void **state)
{
	struct counter c;
	struct wait_queue_head other;
	struct wait_entry w, shared;

	begin(&c, host_sim_create(1, 0), false);
	init_waitqueue_head(&other);
	cpu_lock(c.cpu);
	assert_int_equal(wait_entry_init(c.cpu, &w), 0);
	wait_entry_share(&shared, &w);
	add_wait_queue(&other, &shared);
	cpu_unlock(c.cpu);
	assert_int_equal(wait_park(c.m, &w, 10), -EAGAIN);
	for (int i = 0; i < 2; i++) { /* again and again */
		cpu_lock(c.cpu);
		wake_up(c.cpu, &other, 1);
		cpu_unlock(c.cpu);
		assert_int_equal(wait_park(c.m, &w, HOST_FOREVER), 0);
	}
	wait_entry_unpark(c.m, &w);
	assert_int_equal(wait_park(c.m, &w, HOST_FOREVER), 0);
	cpu_lock(c.cpu);
	remove_wait_queue(&shared);
	wait_entry_fini(c.cpu, &w);
	assert_false(waitqueue_active(&other));
	cpu_unlock(c.cpu);
	machine_destroy(c.m);
}

static void an_exclusive_waiter_is_woken_alone(void **state)
{
	struct counter c;
	struct wait_entry a, b, all;

	begin(&c, host_sim_create(1, 0), false);
	cpu_lock(c.cpu);
	wait_entry_init(c.cpu, &a);
	wait_entry_init(c.cpu, &b);
	wait_entry_init(c.cpu, &all);
	a.exclusive = b.exclusive = true;
	add_wait_queue(&c.wq, &a);
	add_wait_queue(&c.wq, &b);
	add_wait_queue(&c.wq, &all);
	wake_up(c.cpu, &c.wq, 1);
	assert_true(a.woken && !b.woken && all.woken);
	wake_up(c.cpu, &c.wq, 1);
	assert_true(b.woken);
	remove_wait_queue(&a);
	remove_wait_queue(&b);
	remove_wait_queue(&all);
	wait_entry_fini(c.cpu, &a);
	wait_entry_fini(c.cpu, &b);
	wait_entry_fini(c.cpu, &all);
	cpu_unlock(c.cpu);
	machine_destroy(c.m);
}

static void running_moves_virtual_time_by_the_timeout_at_most(void **state)
{
	struct counter c;

	begin(&c, host_sim_create(1, 0), false);
	assert_int_equal(machine_run(c.m, 7 * MS), 0);
	assert_int_equal(host_now(c.m->host), 7 * MS);
	cpu_lock(c.cpu);
	mod_timer(c.cpu, &c.timer, 10 * MS);
	cpu_unlock(c.cpu);
	assert_int_equal(machine_run(c.m, NSEC_PER_SEC),
			 0); /* returns with the work, not with the time */
	assert_true(host_now(c.m->host) < 12 * MS);
	assert_int_equal(c.value, 1);
	assert_int_equal(machine_turn(c.m), HOST_FOREVER);
	machine_destroy(c.m);
}

static void kicked(struct machine *m, void *arg)
{
	++*(int *)arg;
}

static void an_earlier_timer_kicks_who_sleeps(void **state)
{
	struct counter c;
	int kicks = 0;

	begin(&c, host_sim_create(1, 0), false);
	c.m->kick = kicked;
	c.m->kick_arg = &kicks;
	assert_int_equal(machine_next_event(c.m), HOST_FOREVER);
	cpu_lock(c.cpu);
	mod_timer(c.cpu, &c.timer, NSEC_PER_SEC);
	cpu_unlock(c.cpu);
	assert_int_equal(kicks, 1);
	assert_true(machine_next_event(c.m) <= NSEC_PER_SEC);
	cpu_lock(c.cpu);
	mod_timer(c.cpu, &c.timer, 3 * NSEC_PER_SEC); /* later: nobody has to know */
	cpu_unlock(c.cpu);
	assert_int_equal(kicks, 1);
	del_timer(&c.timer);
	machine_destroy(c.m);
}

static void the_lock_is_not_taken_twice(void **state)
{
	struct machine *m = test_machine();

	cpu_lock(m->cpus[0]);
	assert_int_equal(pthread_mutex_lock(&m->cpus[0]->lock), EDEADLK);
	cpu_unlock(m->cpus[0]);
	assert_false(m->cpus[0]->locked);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lone_thread_turns_the_loop_itself),
		cmocka_unit_test(what_runs_before_sleeping_may_be_what_one_waits_for),
		cmocka_unit_test(no_wake_up_is_lost_between_threads),
		cmocka_unit_test(the_driver_hands_over_when_it_leaves),
		cmocka_unit_test(virtual_time_repeats),
		cmocka_unit_test(one_thread_may_wait_on_several_queues),
		cmocka_unit_test(an_exclusive_waiter_is_woken_alone),
		cmocka_unit_test(running_moves_virtual_time_by_the_timeout_at_most),
		cmocka_unit_test(an_earlier_timer_kicks_who_sleeps),
		cmocka_unit_test(the_lock_is_not_taken_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
