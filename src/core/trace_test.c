/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

#include "core/skbuff.h"
#include "core/trace.h"

static void nothing_is_recorded_when_off(void **state)
{
	struct machine *m = test_machine();
	struct trace_record r[4];
	u64 cursor = 0, lost = 1;

	cpu_lock(m->cpus[0]);
	consume_skb(alloc_skb(m->cpus[0], 10));
	cpu_unlock(m->cpus[0]);
	assert_int_equal(trace_read(m->cpus[0], &cursor, r, 4, &lost), 0);
	assert_int_equal(lost, 0);
	machine_destroy(m);
}

static void a_packet_leaves_its_records(void **state)
{
	struct machine *m = test_machine();
	struct cpu *cpu = m->cpus[0];
	struct trace_record r[16];
	struct sk_buff *skb, *clone;
	u64 cursor = 0, lost, id, clone_id;

	assert_int_equal(trace_enable(m, 16), 0);
	cpu_lock(cpu);
	skb = alloc_skb(cpu, 100);
	id = skb->id;
	clone = skb_clone(skb);
	clone_id = clone->id;
	trace_skb(skb, NULL, TP_netif_rx, TRACE_QUEUED, 11, 22);
	kfree_skb_reason(clone, SKB_DROP_GSO);
	consume_skb(skb);
	cpu_unlock(cpu);
	assert_int_equal(trace_read(cpu, &cursor, r, 16, &lost), 5);
	assert_int_equal(lost, 0);
	assert_int_equal(r[0].skb_id, id);
	assert_int_equal(r[0].verdict, TRACE_CREATE);
	assert_int_equal(r[0].point, TP_alloc_skb);
	assert_int_equal(r[0].arg1, 100);
	assert_int_equal(r[1].skb_id, clone_id);
	assert_int_equal(r[1].related, id);
	assert_int_equal(r[2].arg1, 11);
	assert_int_equal(r[2].arg2, 22);
	assert_int_equal(r[3].skb_id, clone_id);
	assert_int_equal(r[3].reason, SKB_DROP_GSO);
	assert_int_equal(r[3].verdict, TRACE_DROP);
	assert_int_equal(r[4].verdict, TRACE_DONE);
	assert_int_equal(trace_read(cpu, &cursor, r, 16, &lost), 0);
	machine_destroy(m);
}

static void the_ring_overwrites_the_oldest_and_counts_the_lost(void **state)
{
	struct machine *m = test_machine();
	struct cpu *cpu = m->cpus[0];
	struct trace_record r[16];
	u64 cursor = 0, lost;
	struct sk_buff *skb;

	assert_int_equal(trace_enable(m, 10), 0); /* becomes 16 */
	cpu_lock(cpu);
	skb = alloc_skb(cpu, 1);
	for (u32 i = 0; i < 40; i++)
		trace_skb(skb, NULL, TP_netif_rx, TRACE_PASS, i, 0);
	cpu_unlock(cpu);
	assert_int_equal(trace_read(cpu, &cursor, r, 6, &lost), 6);
	assert_int_equal(lost, 41 - 16);
	assert_int_equal(r[0].arg1, 24);
	assert_int_equal(trace_read(cpu, &cursor, r, 16, &lost), 10);
	assert_int_equal(lost, 0);
	assert_int_equal(r[9].arg1, 39);
	assert_int_equal(r[9].seq - r[0].seq, 9);

	trace_disable(m);
	cpu_lock(cpu);
	trace_skb(skb, NULL, TP_netif_rx, TRACE_PASS, 0, 0);
	cpu_unlock(cpu);
	assert_int_equal(trace_read(cpu, &cursor, r, 16, &lost), 0);
	assert_int_equal(trace_enable(m, 64), 0);
	cpu_lock(cpu);
	consume_skb(skb);
	cpu_unlock(cpu);
	assert_int_equal(trace_read(cpu, &cursor, r, 16, &lost), 1);
	assert_int_equal(lost, 0);
	machine_destroy(m);
}

/* More values than there are registers, and octets below the stack pointer: calls nothing but the point. */
static __attribute__((noinline)) u64 mix(const struct sk_buff *skb, const u64 *v, double f)
{
	volatile u64 below[12];
	u64 a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], g = v[5], h = v[6], i = v[7];

	for (u32 n = 0; n < ARRAY_SIZE(below); n++)
		below[n] = v[n % 8] + n;
	f *= 3;
	trace_skb(skb, NULL, TP_netif_rx, TRACE_PASS, a ^ b, c ^ d);
	a = a * 3 + b * 5 + c * 7 + d * 11 + e * 13 + g * 17 + h * 19 + i * 23 + (u64)f;
	for (u32 n = 0; n < ARRAY_SIZE(below); n++)
		a = a * 31 + below[n];
	return a;
}

static void a_point_changes_nothing_of_its_caller(void **state)
{
	static const u64 v[8] = { 3, 1ull << 40, 0x123456789, ~0ull, 77, 1ull << 63, 5, 99 };
	struct machine *m = test_machine();
	struct cpu *cpu = m->cpus[0];
	struct trace_record r[16];
	struct sk_buff *skb;
	u64 cursor = 0, lost, off;

	cpu_lock(cpu);
	skb = alloc_skb(cpu, 1);
	off = mix(skb, v, 1.5e9);
	cpu_unlock(cpu);
	assert_int_equal(trace_enable(m, 16), 0);
	cpu_lock(cpu);
	assert_int_equal(mix(skb, v, 1.5e9), off);
	cpu_unlock(cpu);
	assert_int_equal(trace_read(cpu, &cursor, r, 16, &lost), 1);
	assert_int_equal(r[0].skb_id, skb->id);
	assert_int_equal(r[0].arg1, v[0] ^ v[1]);
	assert_int_equal(r[0].arg2, v[2] ^ v[3]);
	assert_int_equal(r[0].point, TP_netif_rx);
	assert_int_equal(r[0].reason, 0);
	cpu_lock(cpu);
	consume_skb(skb);
	cpu_unlock(cpu);
	machine_destroy(m);
}

static void points_have_names(void **state)
{
	struct machine *m = test_machine();

	assert_string_equal(trace_point_desc(m, TP_qdisc_dequeue)->name, "qdisc_dequeue");
	assert_string_equal(trace_point_desc(m, TP_qdisc_dequeue)->arg2, "waited_ns");
	assert_string_equal(trace_point_desc(m, 0)->name, "?");
	assert_string_equal(trace_point_desc(m, TP_CORE_END_)->name, "?");
	assert_string_equal(trace_point_desc(m, 65535)->name, "?");
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_recorded_when_off),
		cmocka_unit_test(a_packet_leaves_its_records),
		cmocka_unit_test(the_ring_overwrites_the_oldest_and_counts_the_lost),
		cmocka_unit_test(a_point_changes_nothing_of_its_caller),
		cmocka_unit_test(points_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
