/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

#include "core/timer.h"

#define TICK (1ULL << TIMER_TICK_SHIFT)

struct probe {
	struct timer_list timer;
	struct hrtimer hrtimer;
	u64 fired_at;
	u32 fired, order;
	u64 again; /* ns: arm again for then */
	struct probe *kill;
};

static u32 order_of_firing(struct cpu *cpu)
{
	return (u32)++ * (u64 *)cpu->machine->kick_arg;
}

static void note(struct cpu *cpu, struct probe *p)
{
	p->fired++;
	p->fired_at = cpu->now;
	p->order = order_of_firing(cpu);
}

static void timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct probe *p = container_of(t, struct probe, timer);

	note(cpu, p);
	if (p->kill)
		del_timer(&p->kill->timer);
	if (p->again)
		mod_timer(cpu, t, p->again);
}

static void hrtimer_fn(struct cpu *cpu, struct hrtimer *t)
{
	struct probe *p = container_of(t, struct probe, hrtimer);

	note(cpu, p);
	if (p->kill)
		hrtimer_cancel(cpu, &p->kill->hrtimer);
	if (p->again)
		assert_int_equal(hrtimer_start(cpu, t, p->again), 0);
}

static void probe_init(struct probe *p)
{
	memset(p, 0, sizeof(*p));
	timer_setup(&p->timer, timer_fn);
	hrtimer_setup(&p->hrtimer, hrtimer_fn);
}

struct fixture {
	struct machine *m;
	struct cpu *cpu;
	u64 counter;
};

static void begin(struct fixture *f)
{
	f->m = test_machine();
	f->cpu = f->m->cpus[0];
	f->counter = 0;
	f->m->kick_arg = &f->counter;
	cpu_lock(f->cpu);
}

static void end(struct fixture *f)
{
	cpu_unlock(f->cpu);
	machine_destroy(f->m);
}

static void run_until(struct fixture *f, u64 ns)
{
	cpu_unlock(f->cpu);
	while (host_now(f->m->host) < ns)
		assert_int_equal(machine_run(f->m, ns - host_now(f->m->host)), 0);
	cpu_lock(f->cpu);
}

static void a_timer_fires_within_one_tick_at_every_level(void **state)
{
	struct fixture f;
	struct probe p[55];
	u64 at[ARRAY_SIZE(p)];

	begin(&f);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++) { /* from 1 ns to over a year */
		probe_init(&p[i]);
		at[i] = (1ULL << i) + i;
		assert_false(mod_timer(f.cpu, &p[i].timer, at[i]));
	}
	run_until(&f, 1ULL << 55);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
		assert_int_equal(p[i].fired, 1);
		assert_true(p[i].fired_at >= at[i]);
		assert_true(p[i].fired_at - at[i] < TICK);
		assert_int_equal(p[i].order, i + 1);
	}
	end(&f);
}

static void timers_fire_in_the_order_of_their_ticks(void **state)
{
	struct fixture f;
	static struct probe p[2000];
	u64 now;

	begin(&f);
	for (u32 round = 0; round < 5; round++) {
		now = f.cpu->now;
		for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
			probe_init(&p[i]);
			mod_timer(f.cpu, &p[i].timer,
				  now + cpu_random(f.cpu) % (1ULL << (24 + 4 * round)));
		}
		for (u32 i = 0; i < ARRAY_SIZE(p); i += 3) /* moved */
			mod_timer(f.cpu, &p[i].timer,
				  now + cpu_random(f.cpu) % (1ULL << (24 + 4 * round)));
		for (u32 i = 0; i < ARRAY_SIZE(p); i += 7)
			assert_true(del_timer(&p[i].timer));
		run_until(&f, now + (1ULL << (24 + 4 * round)) + TICK);
		for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
			assert_int_equal(p[i].fired, i % 7 != 0);
			if (!p[i].fired)
				continue;
			assert_true(p[i].fired_at >= p[i].timer.expires);
			assert_true(p[i].fired_at - p[i].timer.expires < TICK);
		}
	}
	assert_int_equal(cpu_next_event(f.cpu), HOST_FOREVER);
	end(&f);
}

static void equal_expiries_fire_in_the_order_of_arming(void **state)
{
	struct fixture f;
	struct probe p[100], tick;
	u64 at = 77 * NSEC_PER_SEC;

	begin(&f);
	probe_init(&tick);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
		probe_init(&p[i]);
		/* Time goes on, so that they enter the wheel at different distances. */
		mod_timer(f.cpu, &tick.timer, f.cpu->now + NSEC_PER_SEC / 2);
		run_until(&f, f.cpu->now + NSEC_PER_SEC / 2 + TICK);
		mod_timer(f.cpu, &p[i].timer, at);
	}
	f.counter = 0;
	run_until(&f, at + TICK);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++)
		assert_int_equal(p[i].order, i + 1);
	end(&f);
}

static void a_past_timer_fires_in_the_next_round_only(void **state)
{
	struct fixture f;
	struct probe p, h;

	begin(&f);
	run_until(&f, NSEC_PER_SEC);
	probe_init(&p);
	probe_init(&h);
	p.again = h.again = 1; /* long past, for ever */
	mod_timer(f.cpu, &p.timer, 1);
	assert_int_equal(hrtimer_start(f.cpu, &h.hrtimer, 1), 0);
	assert_int_equal(cpu_next_event(f.cpu), 0);
	raise_softirq(f.cpu, TIMER_SOFTIRQ);
	do_softirq(f.cpu);
	assert_int_equal(p.fired, 1);
	assert_int_equal(h.fired, 1);
	p.again = h.again = 0;
	raise_softirq(f.cpu, TIMER_SOFTIRQ);
	do_softirq(f.cpu);
	assert_int_equal(p.fired, 2);
	assert_int_equal(h.fired, 2);
	assert_int_equal(cpu_next_event(f.cpu), HOST_FOREVER);
	end(&f);
}

static void a_handler_may_end_another_timer(void **state)
{
	struct fixture f;
	struct probe a, b, c, d;

	begin(&f);
	probe_init(&a);
	probe_init(&b);
	probe_init(&c);
	probe_init(&d);
	a.kill = &b;
	c.kill = &d;
	mod_timer(f.cpu, &a.timer, 5000);
	mod_timer(f.cpu, &b.timer, 5000);
	hrtimer_start(f.cpu, &c.hrtimer, 5000);
	hrtimer_start(f.cpu, &d.hrtimer, 5000);
	run_until(&f, NSEC_PER_SEC);
	assert_int_equal(a.fired + c.fired, 2);
	assert_int_equal(b.fired + d.fired, 0);
	assert_false(timer_pending(&b.timer));
	assert_false(hrtimer_active(&d.hrtimer));
	end(&f);
}

static void an_hrtimer_fires_at_its_nanosecond(void **state)
{
	struct fixture f;
	static struct probe p[500];

	begin(&f);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
		probe_init(&p[i]);
		assert_int_equal(hrtimer_start(f.cpu, &p[i].hrtimer, 1000 + (i * 7919) % 500 * 13),
				 0);
	}
	for (u32 i = 0; i < ARRAY_SIZE(p); i += 5)
		assert_true(hrtimer_cancel(f.cpu, &p[i].hrtimer));
	assert_false(hrtimer_cancel(f.cpu, &p[0].hrtimer));
	run_until(&f, 10000);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
		assert_int_equal(p[i].fired, i % 5 != 0);
		if (p[i].fired)
			assert_int_equal(p[i].fired_at, p[i].hrtimer.expires);
	}
	/* equal expiries: order of arming; and before a wheel timer of a later tick */
	f.counter = 0;
	for (u32 i = 0; i < 10; i++)
		hrtimer_start(f.cpu, &p[9 - i].hrtimer, 20 * TICK - 1);
	mod_timer(f.cpu, &p[10].timer, 20 * TICK - 1);
	run_until(&f, 30 * TICK);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(p[9 - i].order, i + 1);
	assert_int_equal(p[10].order, 11);
	end(&f);
}

static void a_deleted_timer_causes_no_wake_up(void **state)
{
	struct fixture f;
	struct probe p, q;

	begin(&f);
	probe_init(&p);
	probe_init(&q);
	mod_timer(f.cpu, &p.timer, 100 * TICK);
	mod_timer(f.cpu, &q.timer, 5000 * TICK);
	assert_true(cpu_next_event(f.cpu) <= 100 * TICK);
	assert_true(del_timer(&p.timer));
	assert_false(del_timer(&p.timer));
	assert_true(cpu_next_event(f.cpu) > 100 * TICK);
	assert_true(cpu_next_event(f.cpu) <= 5000 * TICK);
	assert_true(del_timer(&q.timer));
	assert_int_equal(cpu_next_event(f.cpu), HOST_FOREVER);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_within_one_tick_at_every_level),
		cmocka_unit_test(timers_fire_in_the_order_of_their_ticks),
		cmocka_unit_test(equal_expiries_fire_in_the_order_of_arming),
		cmocka_unit_test(a_past_timer_fires_in_the_next_round_only),
		cmocka_unit_test(a_handler_may_end_another_timer),
		cmocka_unit_test(an_hrtimer_fires_at_its_nanosecond),
		cmocka_unit_test(a_deleted_timer_causes_no_wake_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
