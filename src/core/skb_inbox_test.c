/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/skb_inbox.h"

#include "core/core_test.h"

struct bed {
	struct machine *m;
	struct cpu *from, *to;
	struct skb_inbox in;
	u32 got[8], nr_got;
};

static void deliver(struct skb_inbox *in, struct sk_buff *skb)
{
	struct bed *t = container_of(in, struct bed, in);

	assert_ptr_equal(skb->cpu, t->to);
	assert_null(skb->dev);
	assert_true(t->nr_got < ARRAY_SIZE(t->got));
	t->got[t->nr_got++] = skb->mark;
	consume_skb(skb);
}

static void bed_init(struct bed *t, u32 limit)
{
	memset(t, 0, sizeof(*t));
	t->m = test_machine_with(host_sim_create(1, 0), 2, false, 0);
	t->from = t->m->cpus[0];
	t->to = t->m->cpus[1];
	skb_inbox_init(&t->in, t->to, limit, deliver);
}

/* Lock of t->from held. */
static bool put(struct bed *t, u32 mark)
{
	struct sk_buff *skb = alloc_skb(t->from, 100);

	assert_non_null(skb);
	skb->mark = mark;
	if (skb_inbox_put(&t->in, skb))
		return true;
	consume_skb(skb);
	return false;
}

static void packets_come_in_order_when_the_owner_turns(void **state)
{
	struct bed t;

	bed_init(&t, 8);
	cpu_lock(t.from);
	for (u32 i = 0; i < 5; i++)
		assert_true(put(&t, i));
	cpu_unlock(t.from);
	assert_int_equal(t.nr_got, 0);
	machine_turn(t.m);
	assert_int_equal(t.nr_got, 5);
	for (u32 i = 0; i < 5; i++)
		assert_int_equal(t.got[i], i);
	/* And again: the call that was made can be asked for once more. */
	cpu_lock(t.from);
	assert_true(put(&t, 5));
	cpu_unlock(t.from);
	machine_turn(t.m);
	assert_int_equal(t.nr_got, 6);
	machine_destroy(t.m);
}

static void a_full_inbox_refuses_and_counts(void **state)
{
	struct bed t;

	bed_init(&t, 2);
	cpu_lock(t.from);
	assert_true(put(&t, 0));
	assert_true(put(&t, 1));
	assert_false(put(&t, 2));
	assert_false(put(&t, 3));
	cpu_unlock(t.from);
	assert_int_equal(skb_inbox_take_refused(&t.in), 2);
	assert_int_equal(skb_inbox_take_refused(&t.in), 0);
	machine_turn(t.m);
	assert_int_equal(t.nr_got, 2);
	cpu_lock(t.from);
	assert_true(put(&t, 4));
	cpu_unlock(t.from);
	machine_turn(t.m);
	assert_int_equal(t.nr_got, 3);
	machine_destroy(t.m);
}

static void the_memory_that_waits_is_bounded(void **state)
{
	u32 n = 0, limit = 1000000;
	struct bed t;

	bed_init(&t, limit);
	cpu_lock(t.from);
	for (bool room = true; room && n < limit; n += room) {
		struct sk_buff *skb = alloc_skb(t.from, 60000);

		assert_non_null(skb);
		room = skb_inbox_put(&t.in, skb);
		if (!room)
			consume_skb(skb);
	}
	cpu_unlock(t.from);
	assert_in_range(n, SKB_INBOX_OCTETS / 131072, SKB_INBOX_OCTETS / 60000 + 1);
	cpu_lock(t.to);
	skb_inbox_fini(&t.in, SKB_DROP_NET_EXIT);
	assert_int_equal(t.in.load, 0);
	cpu_unlock(t.to);
	machine_destroy(t.m);
}

static void what_others_share_is_copied_on_the_way(void **state)
{
	struct sk_buff *skb, *keep;
	struct bed t;

	bed_init(&t, 8);
	cpu_lock(t.from);
	skb = alloc_skb(t.from, 100);
	skb->mark = 7;
	memset(skb_put(skb, 100), 'a', 100);
	keep = skb_clone(skb);
	assert_true(skb_inbox_put(&t.in, skb));
	assert_false(skb_cloned(keep)); /* it has its octets for itself again */
	assert_ptr_equal(keep->cpu, t.from);
	consume_skb(keep);
	cpu_unlock(t.from);
	machine_turn(t.m);
	assert_int_equal(t.got[0], 7);
	machine_destroy(t.m);
}

static void an_inbox_that_ends_drops_what_is_in_it(void **state)
{
	struct skb_memory mem[2];
	struct bed t;

	bed_init(&t, 8);
	cpu_lock(t.from);
	assert_true(put(&t, 0));
	assert_true(put(&t, 1));
	cpu_unlock(t.from);
	cpu_lock(t.to);
	skb_inbox_fini(&t.in, SKB_DROP_NET_EXIT);
	cpu_unlock(t.to);
	machine_turn(t.m);
	assert_int_equal(t.nr_got, 0);
	for (int i = 0; i < 2; i++) {
		cpu_lock(t.m->cpus[i]);
		skb_memory(t.m->cpus[i], &mem[i]);
		cpu_unlock(t.m->cpus[i]);
	}
	assert_true(mem[0].skb_live + mem[1].skb_live == 0);
	machine_destroy(t.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_come_in_order_when_the_owner_turns),
		cmocka_unit_test(a_full_inbox_refuses_and_counts),
		cmocka_unit_test(the_memory_that_waits_is_bounded),
		cmocka_unit_test(what_others_share_is_copied_on_the_way),
		cmocka_unit_test(an_inbox_that_ends_drops_what_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
