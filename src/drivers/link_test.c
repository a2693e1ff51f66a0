/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"

#include <stdlib.h>

#include "drivers/drivers_internal.h"
#include "drivers/link.h"

#define MAX_GOT 30000

struct bed {
	struct link link;
	struct net *net;
	struct net_device *dev;
	u32 got, *seq;
	u64 *when;
	u32 flipped_bits;
	enum skb_ip_summed ip_summed;
};

static void deliver(struct link *link, struct sk_buff *skb)
{
	struct bed *b = container_of(link, struct bed, link);

	assert_true(b->got < MAX_GOT);
	assert_ptr_equal(skb->destructor, NULL);
	b->seq[b->got] = skb->mark;
	b->when[b->got] = link->cpu->now;
	b->ip_summed = skb->ip_summed;
	for (u32 i = 0; i < skb->len; i++) {
		u8 o;

		skb_copy_bits(skb, i, &o, 1);
		b->flipped_bits += (u32)__builtin_popcount(o ^ (u8)i);
	}
	b->got++;
	consume_skb(skb);
}

/* Leaves the cpu locked. */
static struct bed *bed_seeded(u64 seed, const struct link_params *p)
{
	struct bed *b = calloc(1, sizeof(*b));
	struct machine *m = test_machine_with(host_sim_create(seed, 0), 1, false, 0);

	b->seq = calloc(MAX_GOT, sizeof(*b->seq));
	b->when = calloc(MAX_GOT, sizeof(*b->when));
	b->net = net_create(m, "t");
	b->dev = test_netdev(b->net, "e0", true);
	link_init(&b->link, b->net->cpu, m->host, "link:t:e0", deliver);
	cpu_lock(b->net->cpu);
	link_set_params(&b->link, p);
	return b;
}

static struct bed *bed_create(const struct link_params *p)
{
	return bed_seeded(1, p);
}

static void bed_free(struct bed *b)
{
	link_fini(&b->link);
	cpu_unlock(b->net->cpu);
	test_netdev_del(b->dev);
	test_net_done(b->net);
	free(b->seq);
	free(b->when);
	free(b);
}

static void bed_sleep(struct bed *b, u64 ns)
{
	cpu_unlock(b->net->cpu);
	test_run_for(b->net->machine, ns);
	cpu_lock(b->net->cpu);
}

static bool put(struct bed *b, u32 seq, u32 len)
{
	struct sk_buff *skb = test_packet(b->dev, 0x88b5, len);

	skb->mark = seq;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return link_enqueue(&b->link, skb);
}

static u32 probability(double p)
{
	return (u32)(p * 4294967296.0);
}

static void delay_is_exact(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .delay_ns = 12345678 });
	u64 start = b->net->cpu->now;

	put(b, 1, 100);
	bed_sleep(b, 12345677);
	assert_int_equal(b->got, 0);
	put(b, 2, 100);
	bed_sleep(b, 1);
	assert_int_equal(b->got, 1);
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(b->got, 2);
	assert_int_equal(b->when[0] - start, 12345678);
	assert_int_equal(b->when[1] - start, 12345677 + 12345678);
	assert_int_equal(b->ip_summed, CHECKSUM_NONE);
	assert_int_equal(b->flipped_bits, 0);
	bed_free(b);
}

static void rate_serialises_and_the_mean_is_exact(void **state)
{
	/* 7 Mbit/s: 1000 octets take 1142857.142857... ns */
	struct bed *b = bed_create(&(struct link_params){ .rate_bps = 7000000, .delay_ns = 1000 });
	u64 start = b->net->cpu->now;

	for (u32 i = 0; i < 700; i++)
		assert_true(put(b, i, 1000));
	bed_sleep(b, 2 * NSEC_PER_SEC);
	assert_int_equal(b->got, 700);
	assert_int_equal(b->when[0] - start, 1142857 + 1000);
	assert_int_equal(b->when[1] - start, 2285714 + 1000);
	assert_int_equal(b->when[699] - start, 800000000 + 1000);
	bed_free(b);
}

static void the_queue_in_front_of_the_rate_is_bounded(void **state)
{
	struct bed *b =
		bed_create(&(struct link_params){ .rate_bps = 1000000, .queue_packets = 5 });

	for (u32 i = 0; i < 6; i++)
		assert_true(put(b, i, 100)); /* one in the serialiser, five wait */
	assert_false(put(b, 6, 100));
	assert_int_equal(b->link.stats.queue_drops, 1);
	assert_int_equal(net_drops(b->net, SKB_DROP_LINK_QUEUE_FULL), 1);
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(b->got, 6);
	bed_free(b);
}

static u64 released_at;

static void note_release(struct sk_buff *skb)
{
	released_at = skb->cpu->now;
}

static void the_charge_ends_with_serialisation(void **state)
{
	struct bed *b =
		bed_create(&(struct link_params){ .rate_bps = 8000000, .delay_ns = NSEC_PER_SEC });
	struct sk_buff *skb = test_packet(b->dev, 0x88b5, 1000);
	u64 start = b->net->cpu->now;

	skb->destructor = note_release;
	released_at = 0;
	link_enqueue(&b->link, skb);
	bed_sleep(b, 100 * NSEC_PER_MSEC);
	assert_int_equal(b->got, 0);
	assert_int_equal(released_at - start, NSEC_PER_MSEC);
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(b->got, 1);
	bed_free(b);
}

static void losses_come_at_their_rate(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .loss = probability(0.1) });

	for (u32 i = 0; i < 20000; i++)
		assert_true(put(b, i, 20)); /* the sender never learns */
	assert_int_equal(b->got + b->link.stats.lost, 20000);
	assert_int_equal(net_drops(b->net, SKB_DROP_LINK_LOSS), b->link.stats.lost);
	/* 2000 +- 6 sigma (42) */
	assert_in_range(b->link.stats.lost, 1750, 2250);
	bed_free(b);
}

static void all_ones_means_always(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .loss = UINT32_MAX });

	for (u32 i = 0; i < 1000; i++)
		put(b, i, 20);
	assert_int_equal(b->got, 0);
	bed_free(b);
}

static void bursts_have_their_mean_length_and_rate(void **state)
{
	struct bed *b =
		bed_create(&(struct link_params){ .loss = probability(0.05), .loss_burst = 10 });
	u32 bursts = 0;

	for (u32 i = 0; i < 25000; i++)
		put(b, i, 20);
	for (u32 i = 1; i < b->got; i++)
		bursts += b->seq[i] != b->seq[i - 1] + 1;
	assert_in_range(b->link.stats.lost, 750, 1750);
	assert_in_range(b->link.stats.lost / bursts, 7, 13);
	bed_free(b);
}

static void the_same_seed_makes_the_same_choices(void **state)
{
	struct link_params p = { .loss = probability(0.2),
				 .duplicate = probability(0.1),
				 .delay_ns = NSEC_PER_MSEC,
				 .jitter_ns = NSEC_PER_MSEC / 2,
				 .reorder = probability(0.1),
				 .corrupt = probability(0.1) };
	struct bed *a = bed_seeded(5, &p), *b, *c;

	for (u32 i = 0; i < 500; i++) {
		put(a, i, 20);
		bed_sleep(a, 100 * NSEC_PER_USEC);
	}
	b = bed_seeded(5, &p);
	for (u32 i = 0; i < 500; i++) {
		put(b, i, 20);
		bed_sleep(b, 100 * NSEC_PER_USEC);
	}
	c = bed_seeded(6, &p);
	for (u32 i = 0; i < 500; i++) {
		put(c, i, 20);
		bed_sleep(c, 100 * NSEC_PER_USEC);
	}
	assert_int_equal(a->got, b->got);
	assert_memory_equal(a->seq, b->seq, a->got * sizeof(*a->seq));
	assert_memory_equal(a->when, b->when, a->got * sizeof(*a->when));
	assert_int_equal(a->flipped_bits, b->flipped_bits);
	assert_true(a->got != c->got || memcmp(a->seq, c->seq, a->got * sizeof(*a->seq)));
	bed_free(a);
	bed_free(b);
	bed_free(c);
}

static void one_impairment_does_not_shift_another(void **state)
{
	struct link_params p = { .loss = probability(0.2) };
	struct bed *a = bed_seeded(5, &p), *b;

	for (u32 i = 0; i < 500; i++)
		put(a, i, 20);
	p.corrupt = probability(0.5);
	p.jitter_ns = 10;
	b = bed_seeded(5, &p);
	for (u32 i = 0; i < 500; i++)
		put(b, i, 20);
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(a->got, b->got);
	assert_memory_equal(a->seq, b->seq, a->got * sizeof(*a->seq));
	bed_free(a);
	bed_free(b);
}

static void duplicates_follow_their_original(void **state)
{
	struct bed *b = bed_create(
		&(struct link_params){ .duplicate = probability(0.5), .delay_ns = 1000 });
	u32 twins = 0;

	for (u32 i = 0; i < 1000; i++)
		put(b, i, 20);
	bed_sleep(b, NSEC_PER_MSEC);
	for (u32 i = 1; i < b->got; i++) {
		assert_true(b->seq[i] == b->seq[i - 1] || b->seq[i] == b->seq[i - 1] + 1);
		twins += b->seq[i] == b->seq[i - 1];
	}
	assert_int_equal(twins, b->link.stats.duplicated);
	assert_int_equal(b->got, 1000 + twins);
	assert_in_range(twins, 400, 600);
	bed_free(b);
}

static void reordered_frames_overtake(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .reorder = probability(0.1),
							  .delay_ns = 10 * NSEC_PER_MSEC });
	u32 early = 0;

	for (u32 i = 0; i < 1000; i++) {
		put(b, i, 20);
		bed_sleep(b, 100 * NSEC_PER_USEC);
	}
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(b->got, 1000);
	for (u32 i = 1; i < b->got; i++)
		early += b->seq[i] > b->seq[i - 1] + 1;
	assert_in_range(b->link.stats.reordered, 50, 150);
	assert_true(early > 30);
	bed_free(b);
}

static void jitter_keeps_order_and_bounds(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .delay_ns = 5 * NSEC_PER_MSEC,
							  .jitter_ns = 3 * NSEC_PER_MSEC });
	u64 start = b->net->cpu->now, lo = UINT64_MAX, hi = 0;

	for (u32 i = 0; i < 1000; i++) {
		put(b, i, 20);
		bed_sleep(b, 2 * NSEC_PER_MSEC);
	}
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(b->got, 1000);
	for (u32 i = 0; i < 1000; i++) {
		u64 delay = b->when[i] - start - i * 2 * NSEC_PER_MSEC;

		assert_int_equal(b->seq[i], i);
		assert_in_range(delay, 2 * NSEC_PER_MSEC, 8 * NSEC_PER_MSEC);
		lo = min(lo, delay);
		hi = max(hi, delay);
	}
	assert_true(lo < 2500 * NSEC_PER_USEC && hi > 7500 * NSEC_PER_USEC);
	bed_free(b);
}

static void corruption_flips_one_bit_of_a_copy(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .corrupt = UINT32_MAX });
	struct sk_buff *skb = test_packet(b->dev, 0x88b5, 100), *clone = skb_clone(skb);

	link_enqueue(&b->link, clone);
	assert_int_equal(b->flipped_bits, 1);
	assert_int_equal(b->link.stats.corrupted, 1);
	assert_int_equal(b->ip_summed, CHECKSUM_NONE);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(skb->data[i], (u8)i); /* the sender's own octets */
	consume_skb(skb);
	for (u32 i = 1; i < 200; i++) {
		put(b, i, 64);
		assert_int_equal(b->flipped_bits, i + 1);
	}
	bed_free(b);
}

static void a_purged_link_delivers_nothing(void **state)
{
	struct bed *b = bed_create(&(struct link_params){ .delay_ns = 1000, .rate_bps = 1000000 });

	for (u32 i = 0; i < 10; i++)
		put(b, i, 100);
	bed_sleep(b, 900 * NSEC_PER_USEC);
	link_purge(&b->link);
	bed_sleep(b, NSEC_PER_SEC);
	assert_int_equal(b->got, 1);
	assert_int_equal(net_drops(b->net, SKB_DROP_DEV_DOWN), 9);
	bed_free(b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(delay_is_exact),
		cmocka_unit_test(rate_serialises_and_the_mean_is_exact),
		cmocka_unit_test(the_queue_in_front_of_the_rate_is_bounded),
		cmocka_unit_test(the_charge_ends_with_serialisation),
		cmocka_unit_test(losses_come_at_their_rate),
		cmocka_unit_test(all_ones_means_always),
		cmocka_unit_test(bursts_have_their_mean_length_and_rate),
		cmocka_unit_test(the_same_seed_makes_the_same_choices),
		cmocka_unit_test(one_impairment_does_not_shift_another),
		cmocka_unit_test(duplicates_follow_their_original),
		cmocka_unit_test(reordered_frames_overtake),
		cmocka_unit_test(jitter_keeps_order_and_bounds),
		cmocka_unit_test(corruption_flips_one_bit_of_a_copy),
		cmocka_unit_test(a_purged_link_delivers_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
