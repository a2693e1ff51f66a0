/* SPDX-License-Identifier: BSD-2-Clause */
/* Cutting and merging, with a protocol of four octets of header: flow number and a flag that asks for delivery at once. */
#include "core/dev_test.h"

#include <stdlib.h>

#include "core/uio.h"

#define TOY_TYPE 0x88b5
#define TOY_HLEN 4

struct toy_hdr {
	u16 flow;
	u8 push;
	u8 merged;
};

static struct sk_buff *delivered[128];
static u32 nr_delivered;

static void toy_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	assert_true(nr_delivered < ARRAY_SIZE(delivered));
	delivered[nr_delivered++] = skb;
}

static struct sk_buff *toy_gso_segment(struct sk_buff *skb, netdev_features_t features,
				       int *ret_err)
{
	skb_reset_transport_header(skb);
	return skb_segment(skb, features, TOY_HLEN, ret_err);
}

static struct sk_buff *toy_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	struct napi_gro_cb *cb = NAPI_GRO_CB(skb);
	const struct toy_hdr *h = (const struct toy_hdr *)(skb->data + cb->data_offset);
	struct sk_buff *p, *next;

	cb->data_offset += TOY_HLEN;
	skb_queue_walk_safe(held, p, next) {
		u32 len = skb->len - cb->data_offset;

		if (!NAPI_GRO_CB(p)->same_flow ||
		    ((const struct toy_hdr *)p->data)->flow != h->flow)
			continue;
		if (len > skb_shinfo(p)->gso_size || skb_gro_receive(p, skb)) {
			cb->same_flow = 1; /* not mergeable: the held one goes first */
			return p;
		}
		return len < skb_shinfo(p)->gso_size || h->push ? p : NULL;
	}
	cb->flush |= h->push;
	return NULL;
}

static int toy_gro_complete(struct sk_buff *skb, int nhoff)
{
	((struct toy_hdr *)(skb->data + nhoff))->merged = 1;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	return 0;
}

static const struct offload_callbacks toy_offload = {
	.gro_receive = toy_gro_receive,
	.gro_complete = toy_gro_complete,
	.gso_segment = toy_gso_segment,
};

static const struct packet_type toy_pt = { .type = TOY_TYPE,
					   .func = toy_rcv,
					   .offload = &toy_offload };

struct bed {
	struct net *net;
	struct net_device *dev;
	struct napi_struct napi;
};

static int idle_poll(struct napi_struct *napi, int budget)
{
	napi_complete_done(napi, 0);
	return 0;
}

/* Leaves the cpu locked. */
static void bed_init(struct bed *b)
{
	b->net = test_net();
	b->dev = test_netdev(b->net, "e0", true);
	rtnl_lock(b->net->machine);
	assert_int_equal(dev_add_pack(b->net, &toy_pt), 0);
	rtnl_unlock(b->net->machine);
	nr_delivered = 0;
	cpu_lock(b->net->cpu);
	netif_napi_add(b->dev, &b->napi, idle_poll);
	napi_enable(&b->napi);
	b->net->cpu->softnet->gro_normal_batch = 1; /* what goes up does so at once */
}

static void bed_done(struct bed *b)
{
	while (nr_delivered)
		consume_skb(delivered[--nr_delivered]);
	netif_napi_del(&b->napi);
	cpu_unlock(b->net->cpu);
	test_netdev_del(b->dev);
	rtnl_lock(b->net->machine);
	dev_remove_pack(b->net, &toy_pt);
	rtnl_unlock(b->net->machine);
	test_net_done(b->net);
}

static u8 octet(u32 i)
{
	return (u8)(i * 31 + (i >> 8));
}

/* Ethernet and toy headers, @linear octets of payload in the head area, @frag in fragments. Data at the mac header. */
static struct sk_buff *toy_big(struct bed *b, u32 linear, u32 frag, u16 flow, u16 mss)
{
	u32 hdr = ETH_HLEN + TOY_HLEN;
	struct sk_buff *skb = alloc_skb(b->net->cpu, NET_SKB_PAD + hdr + linear);
	struct toy_hdr toy = { .flow = flow };
	u8 eth[ETH_HLEN], *payload = malloc(linear + frag);
	struct iovec iov = { payload + linear, frag };
	struct iov_iter it;

	assert_non_null(skb);
	for (u32 i = 0; i < linear + frag; i++)
		payload[i] = octet(i);
	skb_reserve(skb, NET_SKB_PAD);
	skb_put(skb, hdr);
	skb_put_data(skb, payload, linear);
	iov_iter_init(&it, &iov, 1, frag);
	assert_int_equal(skb_append_iter(skb, &it, frag, false), frag);
	free(payload);
	memcpy(eth, b->dev->dev_addr, ETH_ALEN);
	memset(eth + ETH_ALEN, 5, ETH_ALEN);
	memcpy(eth + 12, "\x88\xb5", 2);
	skb_store_bits(skb, 0, eth, ETH_HLEN);
	skb_store_bits(skb, ETH_HLEN, &toy, TOY_HLEN);
	skb->dev = b->dev;
	skb->protocol = cpu_to_be16(TOY_TYPE);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb_reset_mac_header(skb);
	skb->network_header = skb->transport_header = (u16)(skb->mac_header + ETH_HLEN);
	skb->csum_start = skb->transport_header;
	skb->csum_offset = 2;
	skb_shinfo(skb)->gso_size = mss;
	skb_shinfo(skb)->gso_segs = (u16)DIV_ROUND_UP(linear + frag, mss);
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	return skb;
}

static void assert_payload(const struct sk_buff *skb, u32 off, u32 from, u32 len)
{
	assert_int_equal(skb->len, off + len);
	for (u32 i = 0; i < len; i++) {
		u8 o;

		assert_int_equal(skb_copy_bits(skb, off + i, &o, 1), 0);
		if (o != octet(from + i))
			fail_msg("octet %u of %u", i, len);
	}
}

static const struct {
	u32 linear, frag;
	u16 mss;
} shapes[] = {
	{ 0, 10000, 1448 }, { 100, 10000, 1448 }, { 5000, 0, 1000 },    { 1447, 2, 1448 },
	{ 0, 65000, 1448 }, { 1, 40000, 997 },    { 3000, 3001, 1500 }, { 0, 1448, 1448 },
	{ 0, 1449, 1448 },  { 17, 33333, 4099 },  { 0, 60000, 536 },
};

static void segments_carry_the_octets_and_headers_of_the_whole(void **state)
{
	for (u32 s = 0; s < ARRAY_SIZE(shapes); s++) {
		u32 total = shapes[s].linear + shapes[s].frag, off = 0;
		struct sk_buff *skb, *seg, *next;
		struct bed b;
		int err;

		bed_init(&b);
		skb = toy_big(&b, shapes[s].linear, shapes[s].frag, 7, shapes[s].mss);
		seg = skb_gso_segment(skb, 0, &err);
		assert_non_null(seg);
		assert_int_equal(skb_network_offset(skb), ETH_HLEN); /* borrowed: as it was */
		for (; seg; seg = next) {
			u32 len = min((u32)shapes[s].mss, total - off);

			next = seg->next;
			seg->next = NULL;
			assert_int_equal(skb_network_offset(seg), ETH_HLEN);
			assert_int_equal(skb_checksum_start_offset(seg), ETH_HLEN);
			assert_int_equal(seg->csum_offset, 2);
			assert_int_equal(seg->parent_id, skb->id);
			assert_false(skb_is_gso(seg));
			assert_memory_equal(skb_mac_header(seg), skb_mac_header(skb),
					    ETH_HLEN + TOY_HLEN);
			assert_payload(seg, ETH_HLEN + TOY_HLEN, off, len);
			/* Payload that lies in fragments is not copied. */
			if (!shapes[s].linear)
				assert_int_equal(skb_headlen(seg), ETH_HLEN + TOY_HLEN);
			off += len;
			consume_skb(seg);
		}
		assert_int_equal(off, total);
		consume_skb(skb);
		bed_done(&b);
	}
}

static void a_segment_names_its_origin_in_its_record(void **state)
{
	struct trace_record r[64];
	struct sk_buff *skb, *seg;
	u64 cursor = 0, lost;
	u32 n, named = 0, nsegs = 0;
	struct bed b;
	int err;

	bed_init(&b);
	cpu_unlock(b.net->cpu);
	assert_int_equal(trace_enable(b.net->machine, 64), 0);
	cpu_lock(b.net->cpu);
	skb = toy_big(&b, 300, 0, 7, 100);
	for (seg = skb_gso_segment(skb, 0, &err); seg; nsegs++) {
		struct sk_buff *next = seg->next;

		seg->next = NULL;
		consume_skb(seg);
		seg = next;
	}
	cpu_unlock(b.net->cpu);
	n = trace_read(b.net->cpu, &cursor, r, 64, &lost);
	for (u32 i = 0; i < n; i++)
		named += r[i].point == TP_skb_gso_segment && r[i].verdict == TRACE_CREATE &&
			 r[i].related == skb->id;
	assert_int_equal(nsegs, 3);
	assert_int_equal(named, nsegs);
	trace_disable(b.net->machine);
	cpu_lock(b.net->cpu);
	consume_skb(skb);
	bed_done(&b);
}

static u32 charge_released;

static void release_charge(struct sk_buff *skb)
{
	charge_released += skb->truesize;
}

static void the_charge_ends_with_the_last_segment(void **state)
{
	struct sk_buff *skb, *seg, *next;
	u32 charged;
	struct bed b;
	int err;

	bed_init(&b);
	skb = toy_big(&b, 0, 5000, 7, 1448);
	charged = skb->truesize;
	skb->destructor = release_charge;
	charge_released = 0;
	seg = skb_gso_segment(skb, 0, &err);
	consume_skb(skb);
	for (; seg; seg = next) {
		next = seg->next;
		assert_int_equal(charge_released, 0);
		consume_skb(seg);
	}
	assert_int_equal(charge_released, charged);
	bed_done(&b);
}

static void what_nobody_can_cut_is_dropped(void **state)
{
	struct sk_buff *skb;
	struct bed b;
	int err;

	bed_init(&b);
	skb = toy_big(&b, 0, 5000, 7, 1448);
	skb->protocol = cpu_to_be16(0x1234);
	assert_null(skb_gso_segment(skb, 0, &err));
	assert_int_equal(err, -EPROTONOSUPPORT);
	assert_null(validate_xmit_skb(skb, b.dev));
	assert_int_equal(net_drops(b.net, SKB_DROP_GSO), 1);
	bed_done(&b);
}

static void devices_get_what_they_can_carry(void **state)
{
	struct sk_buff *skb;
	struct bed b;
	u32 n = 0;

	bed_init(&b);
	/* Whole, when the device cuts by itself. */
	b.dev->features |= NETIF_F_GSO_UDP_L4;
	skb = toy_big(&b, 0, 5000, 7, 1448);
	assert_ptr_equal(validate_xmit_skb(skb, b.dev), skb);
	assert_null(skb->next);
	/* In segments with final checksums and linear, when it can do nothing. */
	b.dev->features = 0;
	skb = validate_xmit_skb(skb, b.dev);
	while (skb) {
		struct sk_buff *next = skb->next;

		assert_false(skb_is_nonlinear(skb));
		assert_int_not_equal(skb->ip_summed, CHECKSUM_PARTIAL);
		consume_skb(skb);
		skb = next;
		n++;
	}
	assert_int_equal(n, 4);
	bed_done(&b);
}

/* ---- merging ---------------------------------------------------------------------------------------------- */

static void gro_feed(struct bed *b, struct sk_buff *seg)
{
	seg->next = seg->prev = NULL;
	seg->ip_summed = CHECKSUM_NONE;
	seg->protocol = eth_type_trans(seg, b->dev);
	napi_gro_receive(&b->napi, seg);
}

static void cut_and_merged_again_is_the_same(void **state)
{
	for (u32 s = 0; s < ARRAY_SIZE(shapes); s++) {
		u32 total = shapes[s].linear + shapes[s].frag, n = 0;
		struct sk_buff *skb, *seg, *next;
		struct bed b;
		int err;

		bed_init(&b);
		skb = toy_big(&b, shapes[s].linear, shapes[s].frag, 7, shapes[s].mss);
		seg = skb_gso_segment(skb, 0, &err);
		consume_skb(skb);
		for (; seg; seg = next, n++) {
			next = seg->next;
			gro_feed(&b, seg);
		}
		napi_gro_flush(&b.napi, false);
		assert_int_equal(nr_delivered, 1);
		assert_payload(delivered[0], TOY_HLEN, 0, total);
		if (n > 1) {
			assert_int_equal(skb_shinfo(delivered[0])->gso_segs, n);
			assert_int_equal(skb_shinfo(delivered[0])->gso_size, shapes[s].mss);
			assert_int_equal(((struct toy_hdr *)delivered[0]->data)->merged, 1);
		} else {
			assert_false(skb_is_gso(delivered[0]));
		}
		/* And it can be cut a second time. */
		if (n > 1) {
			skb = delivered[--nr_delivered];
			skb_push(skb, ETH_HLEN);
			seg = skb_gso_segment(skb, 0, &err);
			assert_non_null(seg);
			for (u32 off = 0; seg; seg = next) {
				u32 len = min((u32)shapes[s].mss, total - off);

				next = seg->next;
				assert_payload(seg, ETH_HLEN + TOY_HLEN, off, len);
				off += len;
				consume_skb(seg);
			}
			consume_skb(skb);
		}
		bed_done(&b);
	}
}

static void neighbours_in_memory_become_one_fragment(void **state)
{
	struct sk_buff *skb, *seg, *next;
	struct bed b;
	int err;

	bed_init(&b);
	skb = toy_big(&b, 0, 20000, 7, 1000);
	assert_int_equal(skb_shinfo(skb)->nr_frags, 1);
	seg = skb_gso_segment(skb, 0, &err);
	consume_skb(skb);
	for (; seg; seg = next) {
		next = seg->next;
		gro_feed(&b, seg);
	}
	napi_gro_flush(&b.napi, false);
	assert_int_equal(nr_delivered, 1);
	assert_int_equal(skb_shinfo(delivered[0])->nr_frags, 1);
	assert_null(skb_shinfo(delivered[0])->frag_list);
	bed_done(&b);
}

static struct sk_buff *toy_small(struct bed *b, u16 flow, u32 len, bool push)
{
	struct sk_buff *skb = toy_big(b, 0, len, flow, 1);

	skb_shinfo(skb)->gso_size = skb_shinfo(skb)->gso_segs = skb_shinfo(skb)->gso_type = 0;
	((struct toy_hdr *)(skb->data + ETH_HLEN))->push = push;
	return skb;
}

static void flows_do_not_mix_and_few_are_held(void **state)
{
	struct bed b;

	bed_init(&b);
	for (u16 round = 0; round < 2; round++) {
		for (u16 flow = 0; flow < 8; flow++)
			gro_feed(&b, toy_small(&b, flow, 100, false));
	}
	assert_int_equal(nr_delivered, 0);
	assert_int_equal(b.napi.gro_count, 8);
	/* The ninth flow pushes out the oldest. */
	gro_feed(&b, toy_small(&b, 8, 100, false));
	assert_int_equal(nr_delivered, 1);
	assert_int_equal(((struct toy_hdr *)delivered[0]->data)->flow, 0);
	assert_int_equal(delivered[0]->len, TOY_HLEN + 200);
	napi_gro_flush(&b.napi, false);
	assert_int_equal(nr_delivered, 9);
	assert_int_equal(b.napi.gro_count, 0);
	bed_done(&b);
}

static void a_packet_that_ends_a_burst_delivers_it(void **state)
{
	struct bed b;

	bed_init(&b);
	gro_feed(&b, toy_small(&b, 1, 100, false));
	gro_feed(&b, toy_small(&b, 1, 100, true)); /* merged, asks for delivery */
	assert_int_equal(nr_delivered, 1);
	assert_int_equal(delivered[0]->len, TOY_HLEN + 200);
	gro_feed(&b, toy_small(&b, 1, 100, false));
	gro_feed(&b, toy_small(&b, 1, 60, false)); /* shorter: the last one */
	assert_int_equal(nr_delivered, 2);
	gro_feed(&b, toy_small(&b, 1, 60, false));
	gro_feed(&b, toy_small(&b, 1, 100, false)); /* longer: cannot be merged, order is kept */
	assert_int_equal(nr_delivered, 4);
	assert_int_equal(delivered[2]->len, TOY_HLEN + 60);
	assert_int_equal(delivered[3]->len, TOY_HLEN + 100);
	gro_feed(&b, toy_small(&b, 1, 50, true)); /* alone: not held */
	assert_int_equal(nr_delivered, 5);
	assert_int_equal(b.napi.gro_count, 0);
	bed_done(&b);
}

static void merged_packets_stay_below_64_KiB(void **state)
{
	u32 total = 0;
	struct bed b;

	bed_init(&b);
	for (int i = 0; i < 100; i++)
		gro_feed(&b, toy_small(&b, 1, 1448, false));
	napi_gro_flush(&b.napi, false);
	for (u32 i = 0; i < nr_delivered; i++) {
		assert_true(delivered[i]->len <= 65535);
		total += delivered[i]->len - TOY_HLEN;
	}
	assert_int_equal(total, 144800);
	assert_true(nr_delivered <= 5);
	bed_done(&b);
}

static void nothing_is_held_longer_than_a_busy_millisecond(void **state)
{
	struct bed b;

	bed_init(&b);
	gro_feed(&b, toy_small(&b, 1, 100, false));
	napi_gro_flush(&b.napi, true);
	assert_int_equal(nr_delivered, 0);
	b.net->cpu->now += 2 * NSEC_PER_MSEC;
	napi_gro_flush(&b.napi, true);
	assert_int_equal(nr_delivered, 1);
	bed_done(&b);
}

static void clones_are_merged_but_never_grow(void **state)
{
	struct sk_buff *origin;
	struct bed b;

	bed_init(&b);
	origin = toy_small(&b, 1, 100, false);
	gro_feed(&b, skb_clone(origin));
	assert_int_equal(nr_delivered, 1); /* not held */
	assert_false(skb_is_gso(origin));
	gro_feed(&b, toy_small(&b, 1, 100, false));
	gro_feed(&b, skb_clone(origin));
	napi_gro_flush(&b.napi, false);
	assert_int_equal(nr_delivered, 2);
	assert_int_equal(delivered[1]->len, TOY_HLEN + 200);
	assert_payload(origin, ETH_HLEN + TOY_HLEN, 0, 100);
	consume_skb(origin);
	bed_done(&b);
}

static void a_device_without_gro_merges_nothing(void **state)
{
	struct bed b;

	bed_init(&b);
	b.dev->features &= ~NETIF_F_GRO;
	gro_feed(&b, toy_small(&b, 1, 100, false));
	gro_feed(&b, toy_small(&b, 1, 100, false));
	assert_int_equal(nr_delivered, 2);
	bed_done(&b);
}

static void the_driver_rings_once_for_the_segments_of_a_packet(void **state)
{
	struct test_dev *td;
	struct bed b;

	bed_init(&b);
	td = test_priv(b.dev);
	assert_int_equal(dev_queue_xmit(toy_big(&b, 0, 14000, 7, 1400)), 0);
	assert_int_equal(td->sent.qlen, 10);
	assert_int_equal(td->doorbells, 1);
	assert_int_equal(td->told, 10);
	bed_done(&b);
}

static void segments_that_a_driver_refuses_come_again_in_order(void **state)
{
	struct test_dev *td;
	struct sk_buff *skb;
	struct bed b;

	bed_init(&b);
	td = test_priv(b.dev);
	td->busy_after = 4;
	assert_int_equal(dev_queue_xmit(toy_big(&b, 0, 14000, 7, 1400)), 0);
	assert_int_equal(td->told, 4);
	td->busy_after = 0;
	qdisc_run(b.dev->tx[0].qdisc);
	assert_int_equal(td->sent.qlen, 10);
	assert_int_equal(td->told, 10);
	assert_int_equal(td->doorbells, 2);
	for (u32 i = 0; i < 10; i++) {
		skb = skb_dequeue(&td->sent);
		assert_payload(skb, ETH_HLEN + TOY_HLEN, i * 1400, 1400);
		consume_skb(skb);
	}
	bed_done(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_carry_the_octets_and_headers_of_the_whole),
		cmocka_unit_test(a_segment_names_its_origin_in_its_record),
		cmocka_unit_test(the_charge_ends_with_the_last_segment),
		cmocka_unit_test(what_nobody_can_cut_is_dropped),
		cmocka_unit_test(devices_get_what_they_can_carry),
		cmocka_unit_test(cut_and_merged_again_is_the_same),
		cmocka_unit_test(neighbours_in_memory_become_one_fragment),
		cmocka_unit_test(flows_do_not_mix_and_few_are_held),
		cmocka_unit_test(a_packet_that_ends_a_burst_delivers_it),
		cmocka_unit_test(merged_packets_stay_below_64_KiB),
		cmocka_unit_test(nothing_is_held_longer_than_a_busy_millisecond),
		cmocka_unit_test(clones_are_merged_but_never_grow),
		cmocka_unit_test(a_device_without_gro_merges_nothing),
		cmocka_unit_test(the_driver_rings_once_for_the_segments_of_a_packet),
		cmocka_unit_test(segments_that_a_driver_refuses_come_again_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
