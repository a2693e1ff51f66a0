/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"

#include <linux/if.h>
#include <stdio.h>

#include "core/ethtool.h"
#include "drivers/drivers_internal.h"
#include "drivers/drivers_module.h"
#include "drivers/fcs.h"
#include "drivers/nic.h"

#define TYPE 0x88b5
#define US   NSEC_PER_USEC
#define MS   NSEC_PER_MSEC

#define MAX_STATIONS 8

static struct {
	struct net_device *dev;
	u64 when;
	u32 len;
	u8 first; /* octet of the payload */
	u8 pkt_type, ip_summed;
	u16 vlan_tci;
	bool vlan_present;
} got[20000];
static u32 nr_got;

static void note(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	assert_true(nr_got < ARRAY_SIZE(got));
	got[nr_got].dev = dev;
	got[nr_got].when = dev->cpu->now;
	got[nr_got].len = skb->len;
	got[nr_got].first = skb->data[0];
	got[nr_got].pkt_type = skb->pkt_type;
	got[nr_got].ip_summed = skb->ip_summed;
	got[nr_got].vlan_present = skb->vlan_present;
	got[nr_got].vlan_tci = skb->vlan_tci;
	nr_got++;
	consume_skb(skb);
}

static const struct packet_type test_pt = { .type = TYPE, .func = note };
static const struct packet_type llc_pt = { .type = ETH_P_802_2, .func = note };
static const struct packet_type novell_pt = { .type = ETH_P_802_3, .func = note };

static int reasons_init(struct machine *m)
{
	drop_reason_register(m, &drivers_drop_reasons);
	trace_point_register(m, &drivers_trace_points);
	return 0;
}

static const struct net_module nic_modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "drivers", reasons_init, NULL, drivers_net_init, drivers_net_exit },
};

struct bed {
	struct machine *m;
	struct cpu *cpu;
	struct net *net[MAX_STATIONS];
	struct net_device *nic[MAX_STATIONS];
	struct net_device *medium;
	u32 n;
};

static void bed_machine(struct bed *b, u64 seed)
{
	struct machine_config cfg = { .host = host_sim_create(seed, 0),
				      .modules = nic_modules,
				      .nr_modules = ARRAY_SIZE(nic_modules) };

	memset(b, 0, sizeof(*b));
	b->m = machine_create(&cfg);
	assert_non_null(b->m);
	b->cpu = b->m->cpus[0];
	nr_got = 0;
}

static void add_station(struct bed *b, const struct nic_params *p, struct net_device *link)
{
	char name[8];
	u32 i = b->n++;
	int err;

	snprintf(name, sizeof(name), "s%u", i);
	b->net[i] = net_create(b->m, name);
	rtnl_lock(b->m);
	b->nic[i] = nic_create(b->net[i], "eth0", p, link, &err);
	assert_non_null(b->nic[i]);
	dev_add_pack(b->net[i], &test_pt);
	dev_add_pack(b->net[i], &llc_pt);
	dev_add_pack(b->net[i], &novell_pt);
	assert_int_equal(dev_open(b->nic[i], NULL), 0);
	rtnl_unlock(b->m);
}

/* s0 ---- s1, a cable of @rate (0: 1 Gbit/s). The second card has @p. */
static void bed_cable(struct bed *b, const struct nic_params *p, u64 rate)
{
	struct link_params lp = { .rate_bps = rate };

	bed_machine(b, 3);
	add_station(b, NULL, NULL);
	add_station(b, p, b->nic[0]);
	if (!rate)
		return;
	rtnl_lock(b->m);
	nic_set_cable(b->nic[0], &lp);
	nic_set_cable(b->nic[1], &lp);
	rtnl_unlock(b->m);
}

static void bed_medium(struct bed *b, const char *kind, const struct medium_params *mp, u32 n,
		       u64 seed)
{
	struct net *home;
	int err;

	bed_machine(b, seed);
	home = net_create(b->m, "wires");
	rtnl_lock(b->m);
	b->medium = medium_create(home, "m0", kind, mp, &err);
	assert_non_null(b->medium);
	assert_int_equal(dev_open(b->medium, NULL), 0);
	rtnl_unlock(b->m);
	while (b->n < n)
		add_station(b, NULL, b->medium);
}

static void bed_done(struct bed *b)
{
	struct skb_memory mem;

	machine_turn(b->m);
	for (u32 i = 0; i < b->n; i++)
		net_destroy(b->net[i]);
	cpu_lock(b->cpu);
	cpu_unlock(b->cpu);
	machine_turn(b->m);
	cpu_lock(b->cpu);
	skb_memory(b->cpu, &mem);
	assert_int_equal(mem.skb_live, 0);
	cpu_unlock(b->cpu);
	machine_destroy(b->m);
}

static void send_first(struct bed *b, u32 from, const u8 *dst, u32 len, u8 first)
{
	struct sk_buff *skb;

	cpu_lock(b->cpu);
	skb = test_frame(b->nic[from], dst, TYPE, len);
	skb->data[ETH_HLEN] = first;
	dev_queue_xmit(skb);
	cpu_unlock(b->cpu);
}

static void send_to(struct bed *b, u32 from, u32 to, u32 len)
{
	send_first(b, from, b->nic[to]->dev_addr, len, (u8)from);
}

static u64 drops(const struct net *net, skb_drop_reason_t reason)
{
	return net_drops(net, reason);
}

/* ---- the card --------------------------------------------------------------------------------------------- */

static void fcs_is_the_crc_of_ethernet(void **state)
{
	u8 frame[16] = "123456789";

	assert_int_equal(fcs_compute(frame, 9), 0xcbf43926u); /* the usual check value */
	fcs_append(frame, 9);
	assert_true(fcs_ok(frame, 13));
	frame[3] ^= 1;
	assert_false(fcs_ok(frame, 13));
	assert_false(fcs_ok(frame, 3));
}

static void a_cable_carries_frames_padded_and_timed(void **state)
{
	u64 start;
	struct bed b;

	bed_cable(&b, NULL, 100000000);
	assert_int_equal(dev_get_flags(b.nic[0]),
			 IFF_UP | IFF_BROADCAST | IFF_MULTICAST | IFF_RUNNING | IFF_LOWER_UP);
	start = host_now(b.m->host);
	send_to(&b, 0, 1, 10);
	send_to(&b, 0, 1, 1000);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[0].len,
			 46); /* padded to the shortest frame, check sequence taken off */
	assert_int_equal(got[0].pkt_type, SKB_PACKET_HOST);
	assert_int_equal(got[0].when - start, 64 * 80);
	assert_int_equal(got[1].len, 1000);
	assert_int_equal(got[1].when - start, 64 * 80 + 1018 * 80);
	assert_int_equal(b.nic[0]->stats.tx_packets, 2);
	assert_int_equal(b.nic[1]->stats.rx_bytes, 60 + 1014);
	rtnl_lock(b.m);
	dev_close(b.nic[1]);
	rtnl_unlock(b.m);
	assert_false(netif_carrier_ok(b.nic[0]));
	bed_done(&b);
}

static void full_receive_ring_drops_at_the_card(void **state)
{
	struct nic_params p = { .rx_ring = 16, .tx_ring = 256, .rx_usecs = 1000 };
	struct bed b;

	bed_cable(&b, &p, 0);
	for (int i = 0; i < 50; i++)
		send_to(&b, 0, 1, 100);
	test_run_for(b.m, 10 * MS); /* the interrupt comes long after the fiftieth frame */
	assert_int_equal(nr_got, 16);
	assert_int_equal(nic_get_stats(b.nic[1])->rx_overruns, 34);
	assert_int_equal(b.nic[1]->stats.rx_missed_errors, 34);
	assert_int_equal(drops(b.net[1], SKB_DROP_RX_OVERRUN), 34);
	for (int i = 0; i < 10; i++)
		send_to(&b, 0, 1, 100);
	test_run_for(b.m, 10 * MS); /* and the ring is filled again */
	assert_int_equal(nr_got, 26);
	bed_done(&b);
}

static void every_frame_interrupts_without_moderation(void **state)
{
	const struct nic_stats *st;
	struct bed b;

	bed_cable(&b, NULL, 0);
	st = nic_get_stats(b.nic[1]);
	for (int i = 0; i < 10; i++) {
		send_to(&b, 0, 1, 100);
		test_run_for(b.m, 100 * US);
	}
	assert_int_equal(nr_got, 10);
	assert_int_equal(st->rx_interrupts, 10);
	assert_int_equal(st->polls, 10);
	assert_int_equal(nic_get_stats(b.nic[0])->tx_interrupts, 10);
	bed_done(&b);
}

static void moderation_bundles_by_time_and_by_frames(void **state)
{
	struct nic_params p = { .rx_ring = 256, .tx_ring = 256, .rx_usecs = 250, .rx_frames = 8 };
	const struct nic_stats *st;
	u64 start;
	struct bed b;

	bed_cable(&b, &p, 0);
	st = nic_get_stats(b.nic[1]);
	start = host_now(b.m->host);
	for (int i = 0; i < 3; i++)
		send_to(&b, 0, 1, 100);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 3);
	assert_int_equal(st->rx_interrupts, 1);
	assert_in_range(got[0].when - start, 250 * US, 252 * US); /* from the first frame on */
	for (int i = 0; i < 16; i++)
		send_to(&b, 0, 1, 100);
	test_run_for(b.m, 100 * US); /* before the time is over */
	assert_int_equal(nr_got, 19);
	assert_int_equal(st->rx_interrupts, 3);
	bed_done(&b);
}

static u32 released;

static void note_release(struct sk_buff *skb)
{
	released++;
}

static void transmitted_packets_go_through_the_completion_queue(void **state)
{
	struct nic_params p = nic_defaults;
	struct sk_buff *skb;
	struct bed b;

	bed_cable(&b, NULL, 10000000);
	p.tx_usecs = 500;
	rtnl_lock(b.m);
	assert_int_equal(nic_set_params(b.nic[0], &p), 0);
	rtnl_unlock(b.m);
	released = 0;
	cpu_lock(b.cpu);
	skb = test_frame(b.nic[0], b.nic[1]->dev_addr, TYPE, 100);
	skb->destructor = note_release;
	dev_queue_xmit(skb);
	cpu_unlock(b.cpu);
	test_run_for(b.m, 118 * 800); /* it has left */
	assert_int_equal(b.nic[0]->stats.tx_packets, 1);
	assert_int_equal(released, 0); /* but nobody has told the driver */
	test_run_for(b.m, 500 * US);
	assert_int_equal(released, 1);
	assert_int_equal(nic_get_stats(b.nic[0])->tx_interrupts, 1);
	bed_done(&b);
}

static void a_full_transmit_ring_stops_the_queue_and_completion_wakes_it(void **state)
{
	struct nic_params p = { .rx_ring = 256, .tx_ring = 4 };
	struct bed b;

	bed_machine(&b, 3);
	add_station(&b, &p, NULL);
	add_station(&b, NULL, b.nic[0]);
	for (u32 i = 0; i < 20; i++)
		send_to(&b, 0, 1, 100 + i);
	assert_true(netif_xmit_stopped(&b.nic[0]->tx[0]));
	assert_true(nic_get_stats(b.nic[0])->tx_stopped > 0);
	test_run_for(b.m, 10 * MS);
	assert_int_equal(nr_got, 20);
	for (u32 i = 0; i < 20; i++)
		assert_int_equal(got[i].len, 100 + i);
	assert_false(netif_xmit_stopped(&b.nic[0]->tx[0]));
	bed_done(&b);
}

/* @n frames of 100, 101, ... octets wait in the qdisc, and leave it together. */
static void send_together(struct bed *b, u32 n)
{
	struct netdev_queue *txq = &b->nic[0]->tx[0];

	cpu_lock(b->cpu);
	netif_tx_stop_queue(txq);
	for (u32 i = 0; i < n; i++)
		dev_queue_xmit(test_frame(b->nic[0], b->nic[1]->dev_addr, TYPE, 100 + i));
	netif_tx_wake_queue(txq);
	cpu_unlock(b->cpu);
}

static void all_came_in_order(struct bed *b, u32 n)
{
	test_run_for(b->m, 10 * MS);
	assert_int_equal(nr_got, n);
	for (u32 i = 0; i < n; i++)
		assert_int_equal(got[i].len, 100 + i);
	assert_int_equal(b->nic[0]->stats.tx_packets, n);
	assert_int_equal(b->nic[0]->stats.tx_dropped, 0);
}

static void the_doorbell_rings_once_for_a_batch(void **state)
{
	struct bed b;

	bed_cable(&b, NULL, 0);
	send_together(&b, 17);
	/* The one that found the queue stopped, and all that came after it */
	assert_int_equal(nic_get_stats(b.nic[0])->tx_doorbells, 2);
	all_came_in_order(&b, 17);
	bed_done(&b);
}

static void a_ring_that_fills_within_a_batch_loses_nothing(void **state)
{
	struct nic_params p = { .rx_ring = 256, .tx_ring = 5 };
	struct bed b;

	bed_machine(&b, 3);
	add_station(&b, &p, NULL);
	add_station(&b, NULL, b.nic[0]);
	send_together(&b, 40);
	assert_true(nic_get_stats(b.nic[0])->tx_stopped > 0);
	all_came_in_order(&b, 40);
	assert_true(nic_get_stats(b.nic[0])->tx_doorbells < 40);
	bed_done(&b);
}

static void the_watchdog_resets_a_transmitter_that_hangs(void **state)
{
	struct nic_params p = { .rx_ring = 256, .tx_ring = 4 };
	struct bed b;

	bed_machine(&b, 3);
	add_station(&b, &p, NULL);
	add_station(&b, NULL, b.nic[0]);
	cpu_lock(b.cpu);
	nic_hang(b.nic[0]);
	cpu_unlock(b.cpu);
	for (int i = 0; i < 6; i++)
		send_to(&b, 0, 1, 100);
	test_run_for(b.m, 4 * NSEC_PER_SEC);
	assert_int_equal(nr_got, 0);
	test_run_for(b.m, 7 * NSEC_PER_SEC);
	assert_int_equal(nic_get_stats(b.nic[0])->tx_timeouts, 1);
	assert_int_equal(drops(b.net[0], SKB_DROP_TX_HUNG), 4);
	assert_int_equal(nr_got, 2); /* those that waited in the qdisc */
	bed_done(&b);
}

static void programmed_io_interrupts_for_each_frame_and_uses_the_backlog(void **state)
{
	struct nic_params p = { .rx_ring = 16, .tx_ring = 16, .pio = true };
	struct bed b;

	bed_cable(&b, &p, 0);
	for (int i = 0; i < 10; i++)
		send_to(&b, 0, 1, 100);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 10);
	assert_int_equal(nic_get_stats(b.nic[1])->rx_interrupts, 10);
	assert_int_equal(nic_get_stats(b.nic[1])->polls, 0);
	/* The backlog of the cpu is what overflows. */
	b.cpu->softnet->netdev_max_backlog = 0;
	send_to(&b, 0, 1, 100);
	test_run_for(b.m, MS);
	assert_int_equal(drops(b.net[1], SKB_DROP_CPU_BACKLOG), 1);
	bed_done(&b);
}

static void the_address_filter_passes_what_is_asked_for(void **state)
{
	static const u8 other[] = { 2, 9, 9, 9, 9, 9 }, group[] = { 1, 0, 0x5e, 0, 0, 1 },
			group2[] = { 1, 0, 0x5e, 0, 0, 77 };
	struct bed b;

	bed_cable(&b, NULL, 0);
	send_first(&b, 0, other, 100, 0);
	send_first(&b, 0, group, 100, 0);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 0);
	assert_int_equal(nic_get_stats(b.nic[1])->rx_filtered, 2);
	assert_int_equal(drops(b.net[1], SKB_DROP_RX_FILTER), 2);

	send_first(&b, 0, b.nic[1]->broadcast, 100, 0);
	cpu_lock(b.cpu);
	dev_mc_add(b.nic[1], group);
	cpu_unlock(b.cpu);
	send_first(&b, 0, group, 100, 0);
	send_first(&b, 0, group2, 100, 0);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[0].pkt_type, SKB_PACKET_BROADCAST);
	assert_int_equal(got[1].pkt_type, SKB_PACKET_MULTICAST);

	cpu_lock(b.cpu);
	dev_mc_del(b.nic[1], group);
	dev_set_allmulti(b.nic[1], 1);
	cpu_unlock(b.cpu);
	send_first(&b, 0, group2, 100, 0);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 3);
	cpu_lock(b.cpu);
	dev_set_allmulti(b.nic[1], -1);
	dev_set_promiscuity(b.nic[1], 1);
	cpu_unlock(b.cpu);
	send_first(&b, 0, other, 100, 0);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 4);
	assert_int_equal(got[3].pkt_type, SKB_PACKET_OTHERHOST);
	bed_done(&b);
}

static void damaged_frames_fail_the_frame_check(void **state)
{
	struct link_params lp = { .rate_bps = PORT_RATE_DEFAULT, .corrupt = UINT32_MAX };
	struct bed b;

	bed_cable(&b, NULL, 0);
	rtnl_lock(b.m);
	nic_set_cable(b.nic[0], &lp);
	rtnl_unlock(b.m);
	for (int i = 0; i < 20; i++)
		send_to(&b, 0, 1, 200);
	test_run_for(b.m, 10 * MS);
	assert_int_equal(nr_got, 0);
	assert_int_equal(b.nic[1]->stats.rx_crc_errors, 20);
	assert_int_equal(drops(b.net[1], SKB_DROP_FRAME_CHECK), 20);
	bed_done(&b);
}

static void the_card_fills_in_checksums(void **state)
{
	struct sk_buff *skb;
	struct bed b;

	bed_cable(&b, NULL, 0);
	cpu_lock(b.cpu);
	skb = test_frame(b.nic[0], b.nic[1]->dev_addr, TYPE, 100);
	memset(skb->data + ETH_HLEN, 0, 100);
	skb->data[ETH_HLEN + 9] = 5;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)(skb->data - skb->head + ETH_HLEN);
	skb->csum_offset = 0;
	dev_queue_xmit(skb);
	cpu_unlock(b.cpu);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0].first, 0xff); /* ~0x0005 */
	bed_done(&b);
}

#define VLAN_OFFLOAD (NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX)

static void set_vlan_offload(struct bed *b, u32 i, bool on)
{
	rtnl_lock(b->m);
	ethtool_set_features(b->nic[i], on ? VLAN_OFFLOAD : 0, VLAN_OFFLOAD);
	rtnl_unlock(b->m);
	assert_int_equal(!!(b->nic[i]->features & VLAN_OFFLOAD), on);
}

static void send_tagged(struct bed *b)
{
	struct sk_buff *skb;

	cpu_lock(b->cpu);
	skb = test_frame(b->nic[0], b->nic[1]->dev_addr, TYPE, 100);
	skb->vlan_present = 1;
	skb->vlan_proto = BE16_INIT(ETH_P_8021Q);
	skb->vlan_tci = 42;
	dev_queue_xmit(skb);
	cpu_unlock(b->cpu);
	test_run_for(b->m, MS);
}

static void vlan_tags_are_inserted_and_stripped(void **state)
{
	struct bed b;

	bed_cable(&b, NULL, 0);
	set_vlan_offload(&b, 0, true);
	set_vlan_offload(&b, 1, true);
	send_tagged(&b);
	assert_int_equal(nr_got, 1);
	assert_true(got[0].vlan_present);
	assert_int_equal(got[0].vlan_tci, 42);
	assert_int_equal(got[0].len, 100);
	bed_done(&b);
}

/* A receiver that strips nothing sees that the tag was in the frame: four octets behind the addresses. Whether the card put it there
 * or, with the offload off, software, it is there once. */
static void a_tag_is_on_the_wire_once(struct bed *b)
{
	static const struct packet_type tagged_pt = { .type = ETH_P_8021Q, .func = note };

	rtnl_lock(b->m);
	dev_add_pack(b->net[1], &tagged_pt);
	rtnl_unlock(b->m);
	send_tagged(b);
	assert_int_equal(nr_got, 1);
	assert_false(got[0].vlan_present);
	assert_int_equal(got[0].len, 104);
	assert_int_equal(got[0].first, 0); /* 0x002a, the tag */
	bed_done(b);
}

static void an_inserted_tag_is_on_the_wire(void **state)
{
	struct bed b;

	bed_cable(&b, NULL, 0);
	set_vlan_offload(&b, 0, true);
	set_vlan_offload(&b, 1, true);
	set_vlan_offload(&b, 1, false);
	a_tag_is_on_the_wire_once(&b);
}

static void a_card_without_tag_insertion_sends_tags_of_software(void **state)
{
	struct bed b;

	bed_cable(&b, NULL, 0);
	a_tag_is_on_the_wire_once(&b);
}

static void frames_with_a_length_are_802_2_or_novell(void **state)
{
	struct sk_buff *skb;
	struct bed b;

	bed_cable(&b, NULL, 0);
	cpu_lock(b.cpu);
	for (int i = 0; i < 2; i++) {
		skb = test_packet(b.nic[0], TYPE, 100);
		if (i)
			memset(skb->data, 0xff, 2);
		else
			memset(skb->data, 0xaa, 2); /* SNAP */
		dev_hard_header(skb, b.nic[0], ETH_P_802_2, b.nic[1]->dev_addr, NULL, 100);
		dev_queue_xmit(skb);
	}
	cpu_unlock(b.cpu);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[0].first, 0xaa);
	assert_int_equal(got[1].first, 0xff);
	bed_done(&b);
}

/* ---- hub ---------------------------------------------------------------------------------------------------- */

static void everybody_on_a_hub_hears_everybody(void **state)
{
	u64 start;
	struct bed b;

	bed_medium(&b, "hub", NULL, 4, 1);
	start = host_now(b.m->host);
	send_first(&b, 0, b.nic[1]->broadcast, 100, 7);
	test_run_for(b.m, 10 * MS);
	assert_int_equal(nr_got, 3);
	for (u32 i = 0; i < 3; i++) /* preamble and 118 octets at 10 Mbit/s, 5 us away */
		assert_int_equal(got[i].when - start, 6400 + 118 * 800 + 5000);
	send_to(&b, 0, 1, 100);
	test_run_for(b.m, 10 * MS);
	assert_int_equal(nr_got, 4);
	assert_int_equal(nic_get_stats(b.nic[2])->rx_filtered, 1);
	assert_int_equal(medium_get_stats(b.medium)->collisions, 0);
	bed_done(&b);
}

static void a_station_defers_to_carrier_and_keeps_the_gap(void **state)
{
	struct bed b;

	bed_medium(&b, "hub", NULL, 3, 1);
	send_to(&b, 0, 2, 1000);
	test_run_for(b.m, 100 * US); /* longer than the way: 1 hears 0 */
	send_to(&b, 1, 2, 1000);
	test_run_for(b.m, 10 * MS);
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[1].first, 1);
	assert_int_equal(medium_get_stats(b.medium)->collisions, 0);
	assert_int_equal(medium_get_stats(b.medium)->deferred, 1);
	/* frame, gap of 96 bits, and the way twice: there and back */
	assert_int_equal(got[1].when - got[0].when, 6400 + 1018 * 800 + 9600 + 5000);
	bed_done(&b);
}

static void two_that_start_together_collide_and_back_off(void **state)
{
	const struct medium_stats *st;
	struct bed b;

	bed_medium(&b, "hub", NULL, 3, 1);
	st = medium_get_stats(b.medium);
	send_to(&b, 0, 2, 1000);
	send_to(&b, 1, 2, 1000);
	test_run_for(b.m, 100 * MS);
	assert_int_equal(nr_got, 2);
	assert_true(st->collisions >= 2);
	assert_int_equal(st->aborted, 0);
	assert_int_equal(st->attempts[0], 0);
	assert_int_equal(b.nic[0]->stats.collisions + b.nic[1]->stats.collisions, st->collisions);
	assert_true(b.nic[0]->stats.collisions >= 1 && b.nic[1]->stats.collisions >= 1);
	bed_done(&b);
}

struct hub_run {
	u32 frames;
	u64 collisions, aborted, last;
};

/* Eight stations have 100 frames each. */
static struct hub_run hub_run(u64 seed)
{
	struct hub_run r;
	struct bed b;

	bed_medium(&b, "hub", NULL, 8, seed);
	for (u32 i = 0; i < 100; i++) {
		for (u32 s = 0; s < 8; s++)
			send_to(&b, s, (s + 1) % 8, 400);
	}
	test_run_for(b.m, 10 * NSEC_PER_SEC);
	r.frames = nr_got;
	r.collisions = medium_get_stats(b.medium)->collisions;
	r.aborted = medium_get_stats(b.medium)->aborted;
	r.last = got[nr_got - 1].when;
	bed_done(&b);
	return r;
}

static void the_same_seed_collides_alike(void **state)
{
	struct hub_run a = hub_run(5), b = hub_run(5), c = hub_run(6);

	assert_int_equal(a.frames + a.aborted, 800);
	assert_true(a.collisions > 100);
	assert_int_equal(a.frames, b.frames);
	assert_int_equal(a.collisions, b.collisions);
	assert_int_equal(a.last, b.last);
	assert_true(a.last != c.last);
	/* 800 frames of 418 octets take 272 ms: contention may cost, but not half. */
	assert_true(a.last < 544 * MS);
}

/* A station next to which another jams all the time gives up after 16 attempts. */
static void sixteen_collisions_are_excessive(void **state)
{
	const struct medium_stats *st;
	struct port *jammer;
	struct bed b;

	bed_medium(&b, "hub", NULL, 2, 1);
	st = medium_get_stats(b.medium);
	jammer = nic_port(b.nic[1]);
	send_to(&b, 0, 1, 1000);
	for (int i = 0; i < 1000000 && !st->aborted; i++) {
		cpu_lock(b.cpu);
		if (nic_port(b.nic[0])->state == STATION_TX) { /* noise that 0 hears at once */
			nic_port(b.nic[0])->collide_at = b.cpu->now + 1000;
			hrtimer_start(b.cpu, &nic_port(b.nic[0])->timer, b.cpu->now + 1000);
		}
		cpu_unlock(b.cpu);
		test_run_for(b.m, 10 * US);
	}
	assert_int_equal(jammer->state, STATION_IDLE);
	assert_int_equal(st->aborted, 1);
	assert_int_equal(st->collisions, HUB_ATTEMPTS);
	assert_int_equal(st->attempts[HUB_ATTEMPTS], 1);
	assert_int_equal(drops(b.net[0], SKB_DROP_EXCESSIVE_COLLISIONS), 1);
	assert_int_equal(b.nic[0]->stats.tx_aborted_errors, 1);
	assert_int_equal(b.nic[0]->stats.collisions, HUB_ATTEMPTS);
	assert_int_equal(nr_got, 0);
	bed_done(&b);
}

static void a_hub_longer_than_its_slot_is_refused(void **state)
{
	struct medium_params p = { .rate_bps = 100000000, .delay_ns = 3000 };
	struct bed b;
	int err;

	bed_machine(&b, 1);
	b.net[0] = net_create(b.m, "n");
	b.n = 1;
	rtnl_lock(b.m);
	assert_null(medium_create(b.net[0], "hub0", "hub", &p, &err));
	assert_int_equal(err, -EINVAL);
	rtnl_unlock(b.m);
	bed_done(&b);
}

/* ---- switch ------------------------------------------------------------------------------------------------- */

static void a_switch_floods_what_it_does_not_know_and_learns(void **state)
{
	const struct medium_stats *st;
	struct bed b;

	bed_medium(&b, "switch", NULL, 4, 1);
	st = medium_get_stats(b.medium);
	send_to(&b, 0, 1, 100);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 1);
	assert_int_equal(st->flooded, 1);
	assert_int_equal(nic_get_stats(b.nic[2])->rx_filtered, 1);
	send_to(&b, 1, 0, 100); /* 0 is known */
	send_to(&b, 0, 1, 100); /* and 1 now */
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 3);
	assert_int_equal(st->flooded, 1);
	assert_int_equal(st->learned, 2);
	assert_int_equal(nic_get_stats(b.nic[2])->rx_filtered, 1);
	assert_int_equal(nic_get_stats(b.nic[3])->rx_filtered, 1);
	send_first(&b, 0, b.nic[1]->broadcast, 100, 0);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 6);
	bed_done(&b);
}

static void a_switch_forgets_who_is_silent_and_who_left(void **state)
{
	struct medium_params p = { .ageing_ns = NSEC_PER_SEC };
	const struct medium_stats *st;
	struct bed b;

	bed_medium(&b, "switch", &p, 3, 1);
	st = medium_get_stats(b.medium);
	send_to(&b, 1, 0, 100);
	test_run_for(b.m, 500 * MS);
	send_to(&b, 0, 1, 100);
	test_run_for(b.m, 600 * MS);
	assert_int_equal(st->flooded, 1);
	send_to(&b, 0, 1, 100); /* 1 has said nothing for 1.1 s */
	test_run_for(b.m, MS);
	assert_int_equal(st->flooded, 2);
	send_to(&b, 1, 0, 100);
	test_run_for(b.m, MS);
	rtnl_lock(b.m);
	dev_close(b.nic[1]);
	rtnl_unlock(b.m);
	send_to(&b, 0, 1, 100);
	test_run_for(b.m, MS);
	assert_int_equal(st->flooded, 3);
	assert_int_equal(nr_got, 4);
	bed_done(&b);
}

/* ---- token --------------------------------------------------------------------------------------------------- */

static void the_token_visits_stations_in_order(void **state)
{
	struct medium_params p = { .rate_bps = 16000000, .delay_ns = 1000, .hold_ns = 1 };
	struct bed b;

	bed_medium(&b, "token", &p, 5, 1);
	/* Asked for in the wrong order, two frames each. */
	for (int round = 0; round < 2; round++) {
		for (int s = 4; s >= 1; s--)
			send_to(&b, (u32)s, 0, 200);
	}
	test_run_for(b.m, 100 * MS);
	assert_int_equal(nr_got, 8);
	/* The first request was alone when the token went to it, or was overtaken by one nearer to the token. */
	for (u32 i = 1; i < 8; i++)
		assert_int_equal(got[i].first, got[i - 1].first % 4 + 1);
	/* The next station's frame comes a frame (preamble, 218 octets) and a token's hop (24 bits, the way) later, but has one hop
	 * less to go to station 0. */
	if (got[2].first == got[1].first + 1)
		assert_int_equal(got[2].when - got[1].when,
				 (64 + 218 * 8) * 125 / 2 + 1500 + 1000 - 1000);
	assert_int_equal(medium_get_stats(b.medium)->tokens, 8);
	bed_done(&b);
}

static void a_station_keeps_the_token_for_its_time(void **state)
{
	struct bed b;

	bed_medium(&b, "token", NULL, 3, 1);
	for (int i = 0; i < 10; i++) {
		send_to(&b, 0, 2, 200);
		send_to(&b, 1, 2, 200);
	}
	test_run_for(b.m, 100 * MS);
	assert_int_equal(nr_got, 20);
	assert_int_equal(medium_get_stats(b.medium)->tokens, 2);
	for (u32 i = 1; i < 10; i++)
		assert_int_equal(got[i].first, got[0].first);
	bed_done(&b);
}

static void an_idle_token_costs_nothing(void **state)
{
	struct bed b;

	bed_medium(&b, "token", NULL, 3, 1);
	test_run_for(b.m, MS);
	assert_true(machine_turn(b.m) > NSEC_PER_SEC); /* nothing but watchdogs */
	test_run_for(b.m, 3600 * NSEC_PER_SEC);
	send_to(&b, 2, 0, 100);
	test_run_for(b.m, MS);
	assert_int_equal(nr_got, 1);
	bed_done(&b);
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

static void unplug_while_sending(const char *kind)
{
	struct bed b;

	bed_medium(&b, kind, NULL, 4, 2);
	for (u32 i = 0; i < 20; i++) {
		for (u32 s = 0; s < 4; s++)
			send_to(&b, s, (s + 1) % 4, 500);
	}
	test_run_for(b.m, 700 * US);
	rtnl_lock(b.m);
	b.nic[1]->rtnl_link_ops = NULL;
	unregister_netdevice(b.nic[1]);
	dev_close(b.medium);
	rtnl_unlock(b.m);
	test_run_for(b.m, 100 * MS);
	assert_false(netif_carrier_ok(b.nic[0]));
	rtnl_lock(b.m);
	dev_open(b.medium, NULL);
	rtnl_unlock(b.m);
	nr_got = 0;
	send_to(&b, 0, 2, 100);
	send_to(&b, 2, 3, 100);
	test_run_for(b.m, 100 * MS);
	assert_true(nr_got >= 2);
	rtnl_lock(b.m);
	unregister_netdevice(b.medium);
	rtnl_unlock(b.m);
	assert_false(netif_carrier_ok(b.nic[0]));
	send_to(&b, 0, 2, 100);
	test_run_for(b.m, 100 * MS);
	bed_done(&b);
}

static void stations_and_media_may_go_at_any_time(void **state)
{
	unplug_while_sending("hub");
	unplug_while_sending("switch");
	unplug_while_sending("token");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fcs_is_the_crc_of_ethernet),
		cmocka_unit_test(a_cable_carries_frames_padded_and_timed),
		cmocka_unit_test(full_receive_ring_drops_at_the_card),
		cmocka_unit_test(every_frame_interrupts_without_moderation),
		cmocka_unit_test(moderation_bundles_by_time_and_by_frames),
		cmocka_unit_test(transmitted_packets_go_through_the_completion_queue),
		cmocka_unit_test(a_full_transmit_ring_stops_the_queue_and_completion_wakes_it),
		cmocka_unit_test(the_doorbell_rings_once_for_a_batch),
		cmocka_unit_test(a_ring_that_fills_within_a_batch_loses_nothing),
		cmocka_unit_test(the_watchdog_resets_a_transmitter_that_hangs),
		cmocka_unit_test(programmed_io_interrupts_for_each_frame_and_uses_the_backlog),
		cmocka_unit_test(the_address_filter_passes_what_is_asked_for),
		cmocka_unit_test(damaged_frames_fail_the_frame_check),
		cmocka_unit_test(the_card_fills_in_checksums),
		cmocka_unit_test(vlan_tags_are_inserted_and_stripped),
		cmocka_unit_test(an_inserted_tag_is_on_the_wire),
		cmocka_unit_test(a_card_without_tag_insertion_sends_tags_of_software),
		cmocka_unit_test(frames_with_a_length_are_802_2_or_novell),
		cmocka_unit_test(everybody_on_a_hub_hears_everybody),
		cmocka_unit_test(a_station_defers_to_carrier_and_keeps_the_gap),
		cmocka_unit_test(two_that_start_together_collide_and_back_off),
		cmocka_unit_test(the_same_seed_collides_alike),
		cmocka_unit_test(sixteen_collisions_are_excessive),
		cmocka_unit_test(a_hub_longer_than_its_slot_is_refused),
		cmocka_unit_test(a_switch_floods_what_it_does_not_know_and_learns),
		cmocka_unit_test(a_switch_forgets_who_is_silent_and_who_left),
		cmocka_unit_test(the_token_visits_stations_in_order),
		cmocka_unit_test(a_station_keeps_the_token_for_its_time),
		cmocka_unit_test(an_idle_token_costs_nothing),
		cmocka_unit_test(stations_and_media_may_go_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
