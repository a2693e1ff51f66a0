/* SPDX-License-Identifier: BSD-2-Clause */
/* slab_test.c */
#include "core/core_test.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/slab.h"

#define MANY 5000u

static struct slab_class *class_of(struct cpu *cpu, u32 size)
{
	return &cpu->slabs->classes[slab_class(size)];
}

static void objects_do_not_overlap(void **state)
{
	static const u32 sizes[] = { 1, 40, 64, 128, 272, 896, 1100, SLAB_OBJECT_MAX, 5000 };
	struct cpu *cpu = test_cpu();
	u8 *p[ARRAY_SIZE(sizes)][100];

	for (u32 i = 0; i < 100; i++)
		for (u32 s = 0; s < ARRAY_SIZE(sizes); s++) {
			p[s][i] = slab_alloc(cpu, sizes[s]);
			assert_non_null(p[s][i]);
			memset(p[s][i], (int)(s * 100 + i), sizes[s]);
		}
	for (u32 i = 0; i < 100; i++)
		for (u32 s = 0; s < ARRAY_SIZE(sizes); s++) {
			for (u32 o = 0; o < sizes[s]; o++)
				assert_int_equal(p[s][i][o], (u8)(s * 100 + i));
			slab_free(cpu, p[s][i], sizes[s]);
		}
	test_cpu_done(cpu);
}

static void the_last_one_is_the_next_one_and_zeroed_if_asked_for(void **state)
{
	static const u8 zero[100];
	struct cpu *cpu = test_cpu();
	u8 *p = slab_zalloc(cpu, sizeof(zero)), *q;

	assert_memory_equal(p, zero, sizeof(zero));
	memset(p, 1, sizeof(zero));
	slab_free(cpu, p, sizeof(zero));
	q = slab_zalloc(cpu, sizeof(zero));
	if (!WEIR_POISON) {
		assert_ptr_equal(p, q);
		assert_int_equal((uintptr_t)q % CACHE_LINE, 0);
	}
	assert_memory_equal(q, zero, sizeof(zero));
	slab_free(cpu, q, sizeof(zero));
	test_cpu_done(cpu);
}

/* In an order of no meaning. */
static void shuffle(void **p, u32 n)
{
	u32 x = 1;

	for (u32 i = n; i > 1; i--) {
		u32 j;
		void *t;

		x = x * 1664525 + 1013904223;
		j = (x >> 8) % i;
		t = p[i - 1];
		p[i - 1] = p[j];
		p[j] = t;
	}
}

static void what_is_free_goes_back(void **state)
{
	struct cpu *cpu = test_cpu();
	struct slab_class *c = class_of(cpu, 896);
	void **p = calloc(MANY, sizeof(*p));
	u32 most = 0;

	for (int round = 0; round < 3; round++) {
		for (u32 i = 0; i < MANY; i++) {
			p[i] = slab_alloc(cpu, 896);
			assert_non_null(p[i]);
			memset(p[i], 0xff, 896);
		}
		most = max(most, c->slabs);
		assert_int_equal(most, c->slabs); /* what was given back is used again */
		shuffle(p, MANY);
		for (u32 i = 0; i < MANY; i++)
			slab_free(cpu, p[i], 896);
	}
	if (!WEIR_POISON)
		assert_in_range(most, MANY / 36, MANY / 36 + 2);
	/* But for what lies on the class's list and in a few empty slabs. */
	assert_in_range(c->slabs, 0, 2 + 64);
	assert_true(c->empty <= 1 + c->slabs / 8);
	free(p);
	test_cpu_done(cpu);
}

static void blocks_of_packets_and_of_objects_are_one_memory(void **state)
{
	struct cpu *cpu = test_cpu();
	void *p[400];
	u64 before, limit = cpu->machine->mem_limit;
	struct sk_buff *skb;

	before = cpu->machine->arena_octets;
	cpu->machine->mem_limit = before; /* that of packets is not theirs */
	for (u32 i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = slab_alloc(cpu, 2048);
		assert_non_null(p[i]);
	}
	assert_int_equal(cpu->machine->arena_octets, before);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(cpu, p[i], 2048);
	cpu->machine->mem_limit = limit;
	assert_true(WEIR_POISON || cpu->skb_cache->arena->nr_vacant > 0);
	skb = alloc_skb(cpu, 100000);
	assert_non_null(skb);
	consume_skb(skb);
	test_cpu_done(cpu);
}

static void a_plain_one_is_a_malloc_each(void **state)
{
	struct cpu *cpu = test_cpu();
	void *p[100];

	slabs_make_plain(cpu);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = slab_zalloc(cpu, 128);
	for (u32 i = 0; i < ARRAY_SIZE(p); i++)
		slab_free(cpu, p[i], 128);
	assert_int_equal(class_of(cpu, 128)->slabs, 0);
	assert_null(class_of(cpu, 128)->free);
	test_cpu_done(cpu);
}

static void numbers_have_no_gaps_on_one_cpu(void **state)
{
	struct cpu_numbers a = { 0 }, b = { 0 };
	u64 source = 0;

	for (u64 i = 1; i <= 64; i++)
		assert_int_equal(cpu_number(&a, &source), i);
	assert_int_equal(cpu_number(&a, &source), 65);
	assert_int_equal(cpu_number(&b, &source), 129); /* another cpu's are others */
	assert_int_equal(cpu_number(&a, &source), 66);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_do_not_overlap),
		cmocka_unit_test(the_last_one_is_the_next_one_and_zeroed_if_asked_for),
		cmocka_unit_test(what_is_free_goes_back),
		cmocka_unit_test(blocks_of_packets_and_of_objects_are_one_memory),
		cmocka_unit_test(a_plain_one_is_a_malloc_each),
		cmocka_unit_test(numbers_have_no_gaps_on_one_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
