/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "host/host.h"

#define MAX_EVENTS 64

struct log {
	struct host *h;
	char text[MAX_EVENTS * 32];
};

struct sleeper {
	struct log *log;
	const char *name;
	u64 step;
	int times;
};

static void note(struct log *l, const char *who)
{
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%s@%llu ", who,
		 (unsigned long long)host_now(l->h));
}

static void sleeper_main(void *arg)
{
	struct sleeper *s = arg;
	struct host_parker *p = s->log->h->ops->parker_create(s->log->h);

	for (int i = 0; i < s->times; i++) {
		assert_false(s->log->h->ops->park(p, host_now(s->log->h) + s->step));
		note(s->log, s->name);
	}
	s->log->h->ops->parker_free(p);
}

static void sim_time_jumps_to_the_next_deadline_and_ties_go_by_number(void **state)
{
	for (int round = 0; round < 20; round++) {
		struct log l = { .h = host_sim_create(1, 1000) };
		struct sleeper a = { &l, "a", 3000000000, 3 }, b = { &l, "b", 1000000000, 4 };
		struct host_thread *ta = l.h->ops->thread_start(l.h, "a", sleeper_main, &a);
		struct host_thread *tb = l.h->ops->thread_start(l.h, "b", sleeper_main, &b);

		l.h->ops->thread_join(ta);
		l.h->ops->thread_join(tb);
		assert_string_equal(l.text, "b@1000000000 b@2000000000 a@3000000000 b@3000000000 "
					    "b@4000000000 a@6000000000 a@9000000000 ");
		assert_int_equal(host_realtime(l.h), 9000001000);
		l.h->ops->destroy(l.h);
	}
}

struct ping_pong {
	struct host *h;
	struct host_parker *parker[2];
	int count;
};

static void pong_main(void *arg)
{
	struct ping_pong *pp = arg;

	for (int i = 0; i < 100; i++) {
		assert_true(pp->h->ops->park(pp->parker[1], HOST_FOREVER));
		pp->count++;
		pp->h->ops->unpark(pp->parker[0]);
	}
}

static void ping_pong(struct host *h)
{
	struct ping_pong pp = { .h = h };
	struct host_thread *t;

	pp.parker[0] = h->ops->parker_create(h);
	pp.parker[1] = h->ops->parker_create(h);
	t = h->ops->thread_start(h, "pong", pong_main, &pp);
	for (int i = 0; i < 100; i++) {
		h->ops->unpark(pp.parker[1]);
		assert_true(h->ops->park(pp.parker[0], HOST_FOREVER));
		assert_int_equal(pp.count, i + 1);
	}
	h->ops->thread_join(t);
	h->ops->parker_free(pp.parker[0]);
	h->ops->parker_free(pp.parker[1]);
}

static void an_unpark_is_never_lost(void **state)
{
	struct host *h = host_linux_create();

	ping_pong(h);
	h->ops->destroy(h);
	h = host_sim_create(1, 0);
	ping_pong(h);
	h->ops->destroy(h);
}

static void a_permit_is_remembered_once(void **state)
{
	struct host *hosts[] = { host_linux_create(), host_sim_create(1, 0) };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct host_parker *p = hosts[i]->ops->parker_create(hosts[i]);

		hosts[i]->ops->unpark(p);
		hosts[i]->ops->unpark(p);
		assert_true(hosts[i]->ops->park(p, HOST_FOREVER));
		assert_false(hosts[i]->ops->park(p, host_now(hosts[i]) + 1000));
		hosts[i]->ops->unpark(p);
		assert_true(hosts[i]->ops->park(p, host_now(hosts[i]) + 1000));
		hosts[i]->ops->parker_free(p);
		hosts[i]->ops->destroy(hosts[i]);
	}
}

static void random_streams_are_independent_of_each_other(void **state)
{
	struct host *h1 = host_sim_create(7, 0), *h2 = host_linux_create_seeded(7),
		    *h3 = host_sim_create(8, 0);
	u64 a1, a2, a3, b, skip[10];

	host_random(h1, "a", &a1, sizeof(a1));
	host_random(h2, "b", skip, sizeof(skip)); /* another stream in between */
	host_random(h2, "a", &a2, sizeof(a2));
	host_random(h3, "a", &a3, sizeof(a3));
	host_random(h1, "b", &b, sizeof(b));
	assert_int_equal(a1, a2);
	assert_int_not_equal(a1, a3);
	assert_int_equal(b, skip[0]);
	host_random(h1, "a", &a1, sizeof(a1));
	assert_int_not_equal(a1, a2); /* a stream goes on */
	h1->ops->destroy(h1);
	h2->ops->destroy(h2);
	h3->ops->destroy(h3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim_time_jumps_to_the_next_deadline_and_ties_go_by_number),
		cmocka_unit_test(an_unpark_is_never_lost),
		cmocka_unit_test(a_permit_is_remembered_once),
		cmocka_unit_test(random_streams_are_independent_of_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
