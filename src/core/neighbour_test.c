/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "core/neighbour.h"
#include "wire/ethernet.h"

#define SEC NSEC_PER_SEC

struct bed {
	struct neigh_table tbl;
	struct net *net;
	struct net_device *dev;
	u32 solicits, unicast_solicits, errors, new_notes, del_notes;
};

static struct bed *bed_of(struct neighbour *n)
{
	return container_of(n->tbl, struct bed, tbl);
}

static void solicit(struct neighbour *n, struct sk_buff *skb)
{
	bed_of(n)->solicits++;
	bed_of(n)->unicast_solicits += !!(n->nud_state & NUD_PROBE);
}

static void error_report(struct neighbour *n, struct sk_buff *skb)
{
	bed_of(n)->errors++;
	kfree_skb_reason(skb, SKB_DROP_NEIGH_FAILED);
}

static const struct neigh_ops ops = { .family = 2,
				      .solicit = solicit,
				      .error_report = error_report };

static int constructor(struct neighbour *n)
{
	n->ops = &ops;
	return 0;
}

static void notify(struct neighbour *n, int type)
{
	if (type == RTM_NEWNEIGH)
		bed_of(n)->new_notes++;
	else
		bed_of(n)->del_notes++;
}

/* Leaves the cpu locked. */
static struct bed *bed_create(void)
{
	struct bed *b = calloc(1, sizeof(*b));

	b->net = test_net();
	b->dev = test_netdev(b->net, "e0", true);
	b->tbl.family = 2;
	b->tbl.key_len = 4;
	b->tbl.protocol = ETH_P_IP;
	b->tbl.constructor = constructor;
	b->tbl.notify = notify;
	cpu_lock(b->net->cpu);
	assert_int_equal(neigh_table_init(&b->tbl, b->net), 0);
	return b;
}

static void bed_free(struct bed *b)
{
	neigh_table_clear(&b->tbl);
	cpu_unlock(b->net->cpu);
	test_netdev_del(b->dev);
	test_net_done(b->net);
	free(b);
}

static void bed_sleep(struct bed *b, u64 ns)
{
	cpu_unlock(b->net->cpu);
	test_run_for(b->net->machine, ns);
	cpu_lock(b->net->cpu);
}

static struct neighbour *make(struct bed *b, u32 key)
{
	int err = 0;

	return neigh_create(&b->tbl, &key, b->dev, &err);
}

static void output(struct bed *b, struct neighbour *n, u32 mark)
{
	struct sk_buff *skb = test_packet(b->dev, ETH_P_IP, 100);

	skb->mark = mark;
	neigh_output(n, skb);
}

static u32 sent(struct bed *b)
{
	return test_priv(b->dev)->sent.qlen;
}

static const u8 mac_a[8] = { 2, 0, 0, 0, 0, 0xa }, mac_b[8] = { 2, 0, 0, 0, 0, 0xb };

static void packets_wait_and_leave_in_order(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	assert_int_equal(n->nud_state, NUD_NONE);
	for (u32 i = 1; i <= 3; i++)
		output(b, n, i);
	assert_int_equal(n->nud_state, NUD_INCOMPLETE);
	assert_int_equal(b->solicits, 1);
	assert_int_equal(n->arp_queue.qlen, 3);
	assert_int_equal(sent(b), 0);
	assert_int_equal(neigh_update(n, NULL, NUD_REACHABLE, 0), -EINVAL);
	assert_int_equal(neigh_update(n, mac_a, NUD_REACHABLE, 0), 0);
	assert_int_equal(sent(b), 3);
	assert_int_equal(n->arp_queue_len_bytes, 0);
	for (u32 i = 1; i <= 3; i++) {
		struct sk_buff *skb = skb_dequeue(&test_priv(b->dev)->sent);

		assert_int_equal(skb->mark, i);
		assert_memory_equal(skb->data, mac_a, ETH_ALEN);
		consume_skb(skb);
	}
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	assert_int_equal(b->new_notes, 1);
	neigh_release(n);
	bed_free(b);
}

/* The only packet that was sent: from the device to @dst. */
static void assert_sent(struct bed *b, const u8 *dst, u16 type)
{
	struct sk_buff *skb = skb_dequeue(&test_priv(b->dev)->sent);
	const struct eth_hdr *eth;

	assert_non_null(skb);
	eth = (const struct eth_hdr *)skb->data;
	assert_int_equal(skb->len, 100 + sizeof(*eth));
	assert_memory_equal(eth->dst, dst, ETH_ALEN);
	assert_memory_equal(eth->src, b->dev->dev_addr, ETH_ALEN);
	assert_int_equal(be16_to_cpu(eth->type), type);
	consume_skb(skb);
	assert_int_equal(sent(b), 0);
}

static void a_header_that_is_kept_follows_the_address(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);
	struct sk_buff *skb;

	assert_int_equal(neigh_update(n, mac_a, NUD_REACHABLE, 0), 0);
	output(b, n, 0);
	assert_sent(b, mac_a, ETH_P_IP);
	assert_int_equal(neigh_update(n, mac_b, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE), 0);
	output(b, n, 0);
	assert_sent(b, mac_b, ETH_P_IP);
	/* Not of the table's protocol: what is kept will not do. */
	neigh_output(n, test_packet(b->dev, ETH_P_IPV6, 100));
	assert_sent(b, mac_b, ETH_P_IPV6);
	/* No room in front. */
	skb = test_packet(b->dev, ETH_P_IP, 100);
	assert_int_equal(pskb_expand_head(skb, 0, 0), 0);
	memmove(skb->head, skb->data, skb->len);
	skb->tail -= skb_headroom(skb);
	skb->data = skb->head;
	skb_reset_network_header(skb);
	neigh_output(n, skb);
	assert_sent(b, mac_b, ETH_P_IP);
	neigh_release(n);
	bed_free(b);
}

static void nobody_answers(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	output(b, n, 1);
	bed_sleep(b, 2500 * NSEC_PER_MSEC);
	assert_int_equal(b->solicits, 3); /* at 0, 1 and 2 s */
	assert_int_equal(n->nud_state, NUD_INCOMPLETE);
	bed_sleep(b, 1 * SEC);
	assert_int_equal(n->nud_state, NUD_FAILED);
	assert_int_equal(b->errors, 1);
	assert_int_equal(b->solicits, 3);
	assert_int_equal(n->arp_queue.qlen, 0);
	assert_int_equal(b->tbl.stats.res_failed, 1);
	/* The next packet starts over. */
	output(b, n, 1);
	assert_int_equal(n->nud_state, NUD_INCOMPLETE);
	assert_int_equal(b->solicits, 4);
	neigh_release(n);
	bed_free(b);
}

static void the_queue_is_bounded_in_octets(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n;
	struct sk_buff *skb = test_packet(b->dev, ETH_P_IP, 100);

	b->tbl.parms.queue_len_bytes = 3 * skb->truesize;
	consume_skb(skb);
	n = make(b, 1);
	for (u32 i = 1; i <= 5; i++)
		output(b, n, i);
	assert_int_equal(n->arp_queue.qlen, 3);
	assert_int_equal(skb_peek(&n->arp_queue)->mark, 3); /* the oldest gave way */
	assert_int_equal(net_drops(b->net, SKB_DROP_NEIGH_QUEUEFULL), 2);
	assert_int_equal(b->tbl.stats.unres_discards, 2);
	b->tbl.parms.queue_len_bytes = 1;
	output(b, n, 6);
	assert_int_equal(n->arp_queue.qlen, 1); /* RFC 1122 2.3.2.2: the latest is kept */
	neigh_release(n);
	bed_free(b);
}

static void an_unused_entry_becomes_stale_and_is_collected(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);
	u32 key = 1;

	b->tbl.gc_thresh1 = 0;
	neigh_update(n, mac_a, NUD_REACHABLE, 0);
	assert_true(n->parms->reachable_time >= 15 * SEC && n->parms->reachable_time < 45 * SEC);
	bed_sleep(b, 46 * SEC);
	assert_int_equal(n->nud_state, NUD_STALE);
	assert_int_equal(b->solicits, 0);
	bed_sleep(b, 200 * SEC);
	assert_int_equal(b->tbl.entries, 1); /* we hold it */
	neigh_release(n);
	bed_sleep(b, 200 * SEC);
	assert_int_equal(b->tbl.entries, 0);
	assert_int_equal(b->del_notes, 1);
	assert_null(neigh_lookup(&b->tbl, &key, b->dev));
	assert_false(timer_pending(&b->tbl.gc_timer)); /* an empty table sleeps */
	bed_free(b);
}

static void a_stale_entry_is_used_then_probed(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	neigh_update(n, mac_a, NUD_STALE, 0);
	output(b, n, 1);
	assert_int_equal(sent(b), 1); /* at once */
	assert_int_equal(n->nud_state, NUD_DELAY);
	bed_sleep(b, 5100 * NSEC_PER_MSEC);
	assert_int_equal(n->nud_state, NUD_PROBE);
	assert_int_equal(b->unicast_solicits, 1);
	output(b, n, 1);
	assert_int_equal(sent(b), 2); /* still usable */
	neigh_update(n, mac_a, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE);
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	neigh_release(n);
	bed_free(b);
}

static void probes_that_fail_end_in_FAILED(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	neigh_update(n, mac_a, NUD_STALE, 0);
	output(b, n, 1);
	bed_sleep(b, 9 * SEC);
	assert_int_equal(b->unicast_solicits, 3);
	assert_int_equal(n->nud_state, NUD_FAILED);
	neigh_release(n);
	bed_free(b);
}

static void progress_above_confirms(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	neigh_update(n, mac_a, NUD_STALE, 0);
	output(b, n, 1);
	assert_int_equal(n->nud_state, NUD_DELAY);
	bed_sleep(b, 2 * SEC);
	neigh_confirm(n);
	bed_sleep(b, 4 * SEC);
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	assert_int_equal(b->solicits, 0);
	/* As long as confirmations come nobody is asked. */
	for (int i = 0; i < 30; i++) {
		bed_sleep(b, 5 * SEC);
		neigh_confirm(n);
		output(b, n, 1);
	}
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	assert_int_equal(b->solicits, 0);
	neigh_release(n);
	bed_free(b);
}

static void a_used_entry_without_confirmation_is_delayed_not_stale(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);
	bool delayed = false;

	neigh_update(n, mac_a, NUD_REACHABLE, 0);
	for (int i = 0; i < 50 && b->solicits == 0; i++) {
		output(b, n, 1);
		bed_sleep(b, SEC);
		delayed |= n->nud_state == NUD_DELAY;
		assert_int_not_equal(n->nud_state, NUD_STALE);
	}
	assert_true(delayed);
	assert_int_equal(n->nud_state, NUD_PROBE);
	neigh_release(n);
	bed_free(b);
}

static void a_changed_address_needs_permission(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	neigh_update(n, mac_a, NUD_REACHABLE, 0);
	/* No override: ignored. */
	assert_int_equal(neigh_update(n, mac_b, NUD_STALE, 0), 0);
	assert_memory_equal(n->ha, mac_a, ETH_ALEN);
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	/* Weakly: the old one is doubted. */
	neigh_update(n, mac_b, NUD_STALE, NEIGH_UPDATE_F_WEAK_OVERRIDE);
	assert_memory_equal(n->ha, mac_a, ETH_ALEN);
	assert_int_equal(n->nud_state, NUD_STALE);
	/* Override: taken. */
	neigh_update(n, mac_b, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE);
	assert_memory_equal(n->ha, mac_b, ETH_ALEN);
	/* The same address again does not make a confirmed entry stale. */
	neigh_update(n, mac_b, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE);
	neigh_update(n, mac_b, NUD_STALE, NEIGH_UPDATE_F_OVERRIDE);
	assert_int_equal(n->nud_state, NUD_REACHABLE);
	neigh_release(n);
	bed_free(b);
}

static void permanent_entries_belong_to_the_administrator(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	assert_int_equal(b->tbl.gc_entries, 1);
	neigh_update(n, mac_a, NUD_PERMANENT, NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE);
	assert_int_equal(b->tbl.gc_entries, 0);
	assert_int_equal(neigh_update(n, mac_b, NUD_REACHABLE, NEIGH_UPDATE_F_OVERRIDE), -EPERM);
	assert_false(timer_pending(&n->timer));
	neigh_release(n);
	bed_sleep(b, 500 * SEC);
	assert_int_equal(n->nud_state, NUD_PERMANENT);
	assert_int_equal(
		neigh_update(n, mac_b, NUD_NOARP, NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE),
		0);
	assert_int_equal(b->tbl.gc_entries, 1);
	output(b, n, 1);
	assert_int_equal(sent(b), 1);
	bed_free(b);
}

static void a_full_table_collects_by_force_and_then_refuses(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *held[8];
	u32 key = 100;
	int err = 0;

	b->tbl.gc_thresh2 = 4;
	b->tbl.gc_thresh3 = 8;
	for (u32 i = 0; i < 8; i++) {
		held[i] = make(b, i);
		assert_non_null(held[i]);
	}
	assert_null(neigh_create(&b->tbl, &key, b->dev, &err));
	assert_int_equal(err, -ENOBUFS);
	assert_int_equal(b->tbl.stats.table_fulls, 1);
	/* Unheld and failed: makes room. */
	neigh_update(held[0], NULL, NUD_FAILED, NEIGH_UPDATE_F_ADMIN);
	neigh_release(held[0]);
	held[0] = make(b, 100);
	assert_non_null(held[0]);
	assert_int_equal(b->tbl.entries, 8);
	for (u32 i = 0; i < 8; i++)
		neigh_release(held[i]);
	bed_free(b);
}

static void a_reachable_time_of_zero_leaves_time_for_others(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n;
	u64 rounds;

	b->tbl.parms.base_reachable_time = b->tbl.parms.reachable_time = 0;
	n = make(b, 1);
	rounds = b->net->cpu->rounds;
	bed_sleep(b, 10 * NSEC_PER_SEC);
	assert_true(b->net->cpu->rounds - rounds < 1000);
	neigh_release(n);
	bed_free(b);
}

static void a_removed_entry_is_harmless(void **state)
{
	struct bed *b = bed_create();
	struct neighbour *n = make(b, 1);

	output(b, n, 1);
	assert_int_equal(neigh_remove(n), 0);
	assert_int_equal(neigh_remove(n), -ENOENT);
	assert_int_equal(net_drops(b->net, SKB_DROP_NEIGH_DEAD), 1);
	assert_int_equal(b->del_notes, 1);
	output(b, n, 2);
	assert_int_equal(net_drops(b->net, SKB_DROP_NEIGH_DEAD), 2);
	assert_int_equal(neigh_update(n, mac_a, NUD_REACHABLE, 0), -EPERM);
	neigh_confirm(n);
	assert_int_equal(b->tbl.entries, 0);
	neigh_release(n);
	bed_free(b);
}

static int count(struct neighbour *n, void *arg)
{
	++*(u32 *)arg;
	return 0;
}

static void tables_grow_and_devices_leave(void **state)
{
	struct bed *b = bed_create();
	struct net_device *other;
	u32 seen = 0;
	int err;

	cpu_unlock(b->net->cpu);
	other = test_netdev(b->net, "e1", true);
	cpu_lock(b->net->cpu);
	for (u32 i = 0; i < 300; i++) {
		u32 key = i;

		neigh_release(make(b, i));
		neigh_release(neigh_create(&b->tbl, &key, other, &err));
	}
	assert_int_equal(b->tbl.entries, 600);
	assert_true(b->tbl.stats.hash_grows >= 6);
	for (u32 i = 0; i < 300; i++) {
		struct neighbour *n = neigh_lookup(&b->tbl, &i, other);

		assert_ptr_equal(n->dev, other);
		neigh_release(n);
	}
	neigh_for_each(&b->tbl, count, &seen);
	assert_int_equal(seen, 600);
	neigh_ifdown(&b->tbl, other);
	assert_int_equal(b->tbl.entries, 300);
	cpu_unlock(b->net->cpu);
	test_netdev_del(other);
	cpu_lock(b->net->cpu);
	bed_free(b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_wait_and_leave_in_order),
		cmocka_unit_test(a_header_that_is_kept_follows_the_address),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(the_queue_is_bounded_in_octets),
		cmocka_unit_test(an_unused_entry_becomes_stale_and_is_collected),
		cmocka_unit_test(a_stale_entry_is_used_then_probed),
		cmocka_unit_test(probes_that_fail_end_in_FAILED),
		cmocka_unit_test(progress_above_confirms),
		cmocka_unit_test(a_used_entry_without_confirmation_is_delayed_not_stale),
		cmocka_unit_test(a_changed_address_needs_permission),
		cmocka_unit_test(permanent_entries_belong_to_the_administrator),
		cmocka_unit_test(a_full_table_collects_by_force_and_then_refuses),
		cmocka_unit_test(a_reachable_time_of_zero_leaves_time_for_others),
		cmocka_unit_test(a_removed_entry_is_harmless),
		cmocka_unit_test(tables_grow_and_devices_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
