/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"

#include <errno.h>

#include "drivers/drivers_internal.h"
#include "drivers/drivers_module.h"
#include "drivers/veth.h"
#include "llc/llc.h"
#include "llc/llc_module.h"
#include "llc/llc_reasons.h"

#define SAP 0x42

static int drivers_init(struct machine *m)
{
	drop_reason_register(m, &drivers_drop_reasons);
	trace_point_register(m, &drivers_trace_points);
	return 0;
}

static const struct net_module modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "llc", llc_machine_init, NULL, llc_net_init, llc_net_exit },
	{ "drivers", drivers_init, NULL, drivers_net_init, drivers_net_exit },
};

struct bed {
	struct machine *m;
	struct cpu *cpu;
	struct net *a, *b; /* a asks, b has the users */
	struct net_device *va, *vb;
	struct packet_tap tap;
};

static u8 got[2000], answer[2000];
static u32 got_len, nr_got, answer_len;

static void take(struct sk_buff *skb)
{
	nr_got++;
	got_len = skb->len;
	assert_int_equal(skb_copy_bits(skb, 0, got, skb->len), 0);
	consume_skb(skb);
}

static void sap_rcv(struct sk_buff *skb, struct net_device *dev, const struct llc_sap *sap)
{
	assert_int_equal(sap->lsap, SAP);
	take(skb);
}

static void client_rcv(struct sk_buff *skb, struct net_device *dev,
		       const struct snap_client *client)
{
	take(skb);
}

static const struct llc_sap sap = { .lsap = SAP, .rcv = sap_rcv };
static const struct snap_client client = { .id = { 0x00000c, 0x2000 }, .rcv = client_rcv };

static void tap_func(struct packet_tap *tap, const struct sk_buff *skb, struct net_device *dev,
		     bool outgoing)
{
	if (outgoing)
		return;
	answer_len = skb->len;
	assert_int_equal(skb_copy_bits(skb, 0, answer, skb->len), 0);
}

static void bed_init(struct bed *t)
{
	struct machine_config cfg = { .host = host_sim_create(3, 0),
				      .modules = modules,
				      .nr_modules = ARRAY_SIZE(modules) };

	*t = (struct bed){ .m = machine_create(&cfg) };
	assert_non_null(t->m);
	t->cpu = t->m->cpus[0];
	t->a = net_create(t->m, "a");
	t->b = net_create(t->m, "b");
	rtnl_lock(t->m);
	assert_int_equal(veth_create(t->a, "eth0", t->b, "eth0", &t->va, &t->vb), 0);
	assert_int_equal(dev_open(t->va, NULL), 0);
	assert_int_equal(dev_open(t->vb, NULL), 0);
	assert_int_equal(llc_sap_register(t->b, &sap), 0);
	assert_int_equal(register_snap_client(t->b, &client), 0);
	rtnl_unlock(t->m);
	t->tap = (struct packet_tap){ .dev = t->va, .type = ETH_P_ALL, .func = tap_func };
	cpu_lock(t->cpu);
	dev_add_tap(t->a, &t->tap);
	cpu_unlock(t->cpu);
	got_len = nr_got = answer_len = 0;
}

static void bed_done(struct bed *t)
{
	cpu_lock(t->cpu);
	dev_remove_tap(&t->tap);
	cpu_unlock(t->cpu);
	machine_destroy(t->m);
}

/* From a to b: a frame with @llc behind a length field that says @len, padded to 60 octets. */
static void send_frame(struct bed *t, const void *llc, u32 size, u16 len)
{
	struct sk_buff *skb;
	u8 *p;

	cpu_lock(t->cpu);
	skb = netdev_alloc_skb(t->va, 2000);
	assert_non_null(skb);
	p = skb_put_zero(skb, max(size + 14, 60u));
	memcpy(p, t->vb->dev_addr, 6);
	memcpy(p + 6, t->va->dev_addr, 6);
	p[12] = (u8)(len >> 8);
	p[13] = (u8)len;
	memcpy(p + 14, llc, size);
	skb_reset_mac_header(skb);
	skb->network_header = (u16)(skb->mac_header + 14);
	skb->protocol = BE16_INIT(ETH_P_802_2);
	assert_int_equal(dev_queue_xmit(skb), 0);
	cpu_unlock(t->cpu);
	machine_run(t->m, 1000000);
}

#define SEND(t, ...)                                                                               \
	do {                                                                                       \
		const u8 octets[] = { __VA_ARGS__ };                                               \
		send_frame(t, octets, sizeof(octets), sizeof(octets));                             \
	} while (0)

static void an_ui_frame_reaches_the_user_of_its_access_point(void **state)
{
	struct bed t;

	bed_init(&t);
	SEND(&t, SAP, 0x44, 0x03, 'h', 'i');
	assert_int_equal(nr_got, 1);
	assert_int_equal(got_len, 2); /* without the padding */
	assert_memory_equal(got, "hi", 2);
	assert_int_equal(answer_len, 0);
	bed_done(&t);
}

static void test_is_answered_with_its_data(void **state)
{
	static const u8 expect[] = { 0, 8, 0x44, SAP | 1, 0xf3, 'h', 'e', 'l', 'l', 'o' };
	struct bed t;

	bed_init(&t);
	SEND(&t, SAP, 0x44, 0xf3, 'h', 'e', 'l', 'l', 'o');
	assert_true(answer_len >= 12 + sizeof(expect));
	assert_memory_equal(answer, t.va->dev_addr, 6);
	assert_memory_equal(answer + 6, t.vb->dev_addr, 6);
	assert_memory_equal(answer + 12, expect, sizeof(expect));
	assert_int_equal(nr_got, 0);
	bed_done(&t);
}

static void xid_is_answered_as_type_1(void **state)
{
	static const u8 expect[] = { 0, 6, 0x44, SAP | 1, 0xaf, 0x81, 1, 0 };
	struct bed t;

	bed_init(&t);
	SEND(&t, SAP, 0x44, 0xaf, 0x81, 3, 0x20);
	assert_memory_equal(answer + 12, expect, sizeof(expect));
	bed_done(&t);
}

static void nothing_answers_a_response_or_for_others(void **state)
{
	struct bed t;

	bed_init(&t);
	SEND(&t, SAP, 0x45, 0xf3, 'x');  /* a response */
	SEND(&t, 0x40, 0x44, 0xf3, 'x'); /* nobody's access point */
	SEND(&t, 0, 0x44, 0xf3, 'x');    /* the null one: Linux without llc2 is silent too */
	assert_int_equal(answer_len, 0);
	assert_int_equal(net_drops(t.b, SKB_DROP_LLC_NO_SAP), 2);
	bed_done(&t);
}

static void frames_are_dropped_for_the_right_reason(void **state)
{
	static const u8 ui[] = { SAP, 0x44, 3, 'x' };
	struct bed t;

	bed_init(&t);
	SEND(&t, SAP, 0x44, 0x00, 0x00, 'x'); /* an I frame */
	assert_int_equal(net_drops(t.b, SKB_DROP_LLC_TYPE), 1);
	send_frame(&t, ui, sizeof(ui), 400); /* the length field promises more than there is */
	assert_int_equal(net_drops(t.b, SKB_DROP_PKT_TOO_SMALL), 1);
	send_frame(&t, ui, sizeof(ui), 2);
	assert_int_equal(net_drops(t.b, SKB_DROP_HDR_TRUNC), 1);
	SEND(&t, 0xaa, 0xaa, 3, 0, 0);
	assert_int_equal(net_drops(t.b, SKB_DROP_HDR_TRUNC), 2);
	assert_int_equal(nr_got, 0);
	bed_done(&t);
}

/* RFC 1042 would have IP in SNAP; Linux does not take it on Ethernet (seen with a packet socket over veth). */
static void snap_reaches_its_client_and_ip_in_snap_nobody(void **state)
{
	struct bed t;

	bed_init(&t);
	SEND(&t, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 'c', 'd', 'p');
	assert_int_equal(nr_got, 1);
	assert_int_equal(got_len, 3);
	SEND(&t, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0, 0x45);
	assert_int_equal(nr_got, 1);
	assert_int_equal(net_drops(t.b, SKB_DROP_SNAP_NO_CLIENT), 1);
	bed_done(&t);
}

static void what_is_built_is_received(void **state)
{
	struct sk_buff *skb;
	struct bed t;

	bed_init(&t);
	for (int snap = 0; snap < 2; snap++) {
		cpu_lock(t.cpu);
		skb = netdev_alloc_skb(t.va, 100);
		skb_put_data(skb, "data", 4);
		if (snap)
			assert_int_equal(snap_build_and_send_pkt(skb, t.vb->dev_addr, &client.id),
					 0);
		else
			assert_int_equal(llc_build_and_send_ui_pkt(skb, t.vb->dev_addr, 0x44, SAP),
					 0);
		cpu_unlock(t.cpu);
		machine_run(t.m, 1000000);
		assert_int_equal(nr_got, snap + 1);
		assert_int_equal(got_len, 4);
		assert_memory_equal(got, "data", 4);
	}
	cpu_lock(t.cpu);
	skb = netdev_alloc_skb(t.va, 1600);
	skb_put_zero(skb, 1498);
	assert_int_equal(llc_build_and_send_ui_pkt(skb, t.vb->dev_addr, 0x44, SAP), -EMSGSIZE);
	cpu_unlock(t.cpu);
	bed_done(&t);
}

static void an_access_point_has_one_user_and_can_lose_it(void **state)
{
	static const struct llc_sap odd = { .lsap = 3, .rcv = sap_rcv }, null = { .rcv = sap_rcv };
	struct bed t;

	bed_init(&t);
	rtnl_lock(t.m);
	assert_int_equal(llc_sap_register(t.b, &sap), -EEXIST);
	assert_int_equal(llc_sap_register(t.b, &odd), -EINVAL);
	assert_int_equal(llc_sap_register(t.b, &null), -EINVAL);
	assert_int_equal(register_snap_client(t.b, &client), -EEXIST);
	llc_sap_unregister(t.b, &sap);
	unregister_snap_client(t.b, &client);
	rtnl_unlock(t.m);
	SEND(&t, SAP, 0x44, 0x03, 'x');
	SEND(&t, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 'x');
	SEND(&t, 0xaa, 0xaa, 0xf3, 'x');
	assert_int_equal(nr_got, 0);
	assert_int_equal(answer_len, 0);
	assert_int_equal(net_drops(t.b, SKB_DROP_LLC_NO_SAP), 3);
	bed_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ui_frame_reaches_the_user_of_its_access_point),
		cmocka_unit_test(test_is_answered_with_its_data),
		cmocka_unit_test(xid_is_answered_as_type_1),
		cmocka_unit_test(nothing_answers_a_response_or_for_others),
		cmocka_unit_test(frames_are_dropped_for_the_right_reason),
		cmocka_unit_test(snap_reaches_its_client_and_ip_in_snap_nobody),
		cmocka_unit_test(what_is_built_is_received),
		cmocka_unit_test(an_access_point_has_one_user_and_can_lose_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
