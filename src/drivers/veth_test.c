/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"

#include <linux/if.h>

#include "drivers/drivers_internal.h"
#include "drivers/drivers_module.h"
#include "drivers/veth.h"
#include "netlink/netlink.h"
#include "weir/netlink.h"

#define TYPE 0x88b5

static struct sk_buff *got[64];
static u32 nr_got;

static void keep(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	assert_true(nr_got < ARRAY_SIZE(got));
	got[nr_got++] = skb;
}

static const struct packet_type test_pt = { .type = TYPE, .func = keep };

static int reasons_init(struct machine *m)
{
	drop_reason_register(m, &drivers_drop_reasons);
	trace_point_register(m, &drivers_trace_points);
	return 0;
}

static const struct net_module veth_modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "drivers", reasons_init, NULL, drivers_net_init, drivers_net_exit },
};

struct bed {
	struct machine *m;
	struct cpu *cpu;
	struct net *a, *b;
	struct net_device *va, *vb;
};

/* a:eth0 ---- b:eth0, up. Nothing is locked. */
static void bed_init(struct bed *t)
{
	struct machine_config cfg = { .host = host_sim_create(3, 0),
				      .modules = veth_modules,
				      .nr_modules = ARRAY_SIZE(veth_modules) };

	t->m = machine_create(&cfg);
	assert_non_null(t->m);
	t->cpu = t->m->cpus[0];
	t->a = net_create(t->m, "a");
	t->b = net_create(t->m, "b");
	rtnl_lock(t->m);
	assert_int_equal(veth_create(t->a, "eth0", t->b, "eth0", &t->va, &t->vb), 0);
	assert_int_equal(dev_open(t->va, NULL), 0);
	assert_int_equal(dev_open(t->vb, NULL), 0);
	dev_add_pack(t->a, &test_pt);
	dev_add_pack(t->b, &test_pt);
	rtnl_unlock(t->m);
	nr_got = 0;
}

static void drop_got(struct bed *t)
{
	cpu_lock(t->cpu);
	while (nr_got)
		consume_skb(got[--nr_got]);
	cpu_unlock(t->cpu);
}

static void bed_done(struct bed *t)
{
	drop_got(t);
	machine_destroy(t->m);
}

static void pair_and_carrier(void **state)
{
	struct bed t;

	bed_init(&t);
	assert_int_equal(t.a->loopback_dev->ifindex, 1);
	assert_int_equal(t.va->ifindex, 2);
	assert_true(is_veth(t.va) && !is_veth(t.a->loopback_dev));
	assert_int_equal(dev_get_flags(t.va),
			 IFF_UP | IFF_BROADCAST | IFF_MULTICAST | IFF_RUNNING | IFF_LOWER_UP);
	assert_int_equal(t.va->operstate, IF_OPER_UP);
	assert_ptr_equal(t.va->netdev_ops->ndo_get_peer_dev(t.va), t.vb);
	assert_int_equal(t.va->netdev_ops->ndo_get_iflink(t.va), 2);
	rtnl_lock(t.m);
	dev_close(t.vb);
	rtnl_unlock(t.m);
	assert_int_equal(dev_get_flags(t.va), IFF_UP | IFF_BROADCAST | IFF_MULTICAST);
	assert_int_equal(t.va->operstate, IF_OPER_LOWERLAYERDOWN);
	rtnl_lock(t.m);
	t.vb->rtnl_link_ops->dellink(t.vb);
	rtnl_unlock(t.m);
	assert_null(__dev_get_by_name(t.a, "eth0"));
	assert_null(__dev_get_by_name(t.b, "eth0"));
	bed_done(&t);
}

static void what_one_sends_the_other_receives_uncopied(void **state)
{
	struct sk_buff *skb;
	struct bed t;
	u8 *octets;

	bed_init(&t);
	cpu_lock(t.cpu);
	skb = test_frame(t.va, t.vb->dev_addr, TYPE, 100);
	octets = skb->data;
	skb->mark = 7;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->network_header;
	skb->csum_offset = 2;
	assert_int_equal(dev_queue_xmit(skb), 0);
	assert_int_equal(nr_got, 0); /* the peer's softirq does it */
	cpu_unlock(t.cpu);
	assert_int_equal(nr_got, 1);
	assert_ptr_equal(got[0], skb);
	assert_ptr_equal(got[0]->data, octets + ETH_HLEN);
	assert_int_equal(got[0]->ip_summed, CHECKSUM_PARTIAL);
	assert_int_equal(got[0]->pkt_type, SKB_PACKET_HOST);
	assert_int_equal(got[0]->mark, 0); /* does not cross nets */
	assert_ptr_equal(got[0]->dev, t.vb);
	assert_int_equal(t.va->stats.tx_packets, 1);
	assert_int_equal(t.va->stats.tx_bytes, 114);
	assert_int_equal(t.vb->stats.rx_packets, 1);
	assert_int_equal(t.vb->stats.rx_bytes, 114);
	bed_done(&t);
}

static u32 released;

static void note_release(struct sk_buff *skb)
{
	released++;
}

static void the_charge_lasts_until_the_peer_takes_it(void **state)
{
	struct sk_buff *skb;
	struct bed t;

	bed_init(&t);
	released = 0;
	cpu_lock(t.cpu);
	skb = test_frame(t.va, t.vb->dev_addr, TYPE, 100);
	skb->destructor = note_release;
	dev_queue_xmit(skb);
	assert_int_equal(released, 0);
	cpu_unlock(t.cpu);
	assert_int_equal(released, 1);
	bed_done(&t);
}

static void the_ring_is_bounded(void **state)
{
	struct bed t;

	bed_init(&t);
	rtnl_lock(t.m);
	dev_remove_pack(t.b, &test_pt); /* nobody keeps them */
	rtnl_unlock(t.m);
	cpu_lock(t.cpu);
	for (int i = 0; i < 1030; i++)
		dev_queue_xmit(test_frame(t.va, t.vb->dev_addr, TYPE, 60));
	assert_int_equal(t.va->stats.tx_dropped, 6);
	assert_int_equal(net_drops(t.a, SKB_DROP_RING_FULL), 6);
	cpu_unlock(t.cpu);
	test_run_for(t.m, 1);
	assert_int_equal(t.vb->stats.rx_packets, 1024);
	bed_done(&t);
}

static void frames_that_the_peer_cannot_take_are_dropped(void **state)
{
	struct bed t;

	bed_init(&t);
	cpu_lock(t.cpu);
	dev_queue_xmit(test_frame(t.va, t.vb->dev_addr, TYPE, 1505));
	cpu_unlock(t.cpu);
	assert_int_equal(net_drops(t.a, SKB_DROP_DEV_MTU), 1);
	assert_int_equal(nr_got, 0);
	bed_done(&t);
}

static void impairments_change_features_and_delay(void **state)
{
	struct link_params p = { .delay_ns = 5 * NSEC_PER_MSEC };
	struct sk_buff *skb;
	u64 start;
	struct bed t;

	bed_init(&t);
	assert_true(t.va->features & NETIF_F_TSO && t.va->features & NETIF_F_HW_CSUM);
	assert_null(veth_get_link(t.va));
	rtnl_lock(t.m);
	assert_int_equal(veth_set_link(t.va, &p), 0);
	rtnl_unlock(t.m);
	assert_false(t.va->features & (NETIF_F_GSO_SOFTWARE | NETIF_F_CSUM_MASK));
	assert_true(t.va->features & NETIF_F_SG);
	assert_true(t.vb->features & NETIF_F_TSO); /* one direction only */

	cpu_lock(t.cpu);
	start = t.cpu->now;
	skb = test_frame(t.va, t.vb->dev_addr, TYPE, 100);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb->network_header;
	skb->csum_offset = 2;
	dev_queue_xmit(skb);
	cpu_unlock(t.cpu);
	test_run_for(t.m, 5 * NSEC_PER_MSEC - 1);
	assert_int_equal(nr_got, 0);
	test_run_for(t.m, 1);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0]->tstamp - start, 5 * NSEC_PER_MSEC);
	assert_int_equal(got[0]->ip_summed, CHECKSUM_NONE); /* the receiver must look */

	/* Taken away: what is under way stays in front. */
	drop_got(&t);
	cpu_lock(t.cpu);
	skb = test_frame(t.va, t.vb->dev_addr, TYPE, 101);
	dev_queue_xmit(skb);
	cpu_unlock(t.cpu);
	p.delay_ns = 0;
	rtnl_lock(t.m);
	veth_set_link(t.va, &p);
	rtnl_unlock(t.m);
	assert_true(t.va->features & NETIF_F_TSO);
	cpu_lock(t.cpu);
	dev_queue_xmit(test_frame(t.va, t.vb->dev_addr, TYPE, 102));
	cpu_unlock(t.cpu);
	assert_int_equal(nr_got, 0);
	test_run_for(t.m, 5 * NSEC_PER_MSEC);
	assert_int_equal(nr_got, 2);
	assert_int_equal(got[0]->len, 101);
	assert_int_equal(got[1]->len, 102);
	bed_done(&t);
}

/* @v as the one attribute of WEIR_VETH_LINK, through the policy and into changelink. */
static int change(struct net_device *dev, u16 type, const void *v, u32 len)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;
	const struct nlattr *data[WEIR_VETH_LINK + 1] = { NULL };
	struct nl_msg m;
	u32 nest;
	int err;

	assert_int_equal(nl_msg_init(&m, 512), 0);
	assert_non_null(nlmsg_begin(&m, 0, 0, RTM_NEWLINK, 0, 0));
	nest = nla_nest_start(&m, WEIR_VETH_LINK);
	nla_put(&m, type, len, v);
	nla_nest_end(&m, nest);
	assert_int_equal(nlmsg_finish(&m), 0);
	err = nla_parse(data, ops->maxtype, m.buf + NLMSG_HDRLEN, m.len - NLMSG_HDRLEN, ops->policy,
			false, NULL);
	if (!err)
		err = ops->changelink(dev, NULL, data, NULL);
	nl_msg_fini(&m);
	return err;
}

static void netlink_changes_only_what_is_given(void **state)
{
	u64 delay = 7 * NSEC_PER_MSEC, rate = 1000000, too_long = 3601 * NSEC_PER_SEC;
	const struct nlattr *data[WEIR_VETH_LINK + 1] = { NULL },
						   *link[WEIR_LINK_MAX + 1] = { NULL };
	struct nl_msg m;
	struct bed t;

	bed_init(&t);
	rtnl_lock(t.m);
	assert_int_equal(change(t.va, WEIR_LINK_DELAY_NS, &delay, sizeof(delay)), 0);
	assert_int_equal(change(t.va, WEIR_LINK_RATE_BPS, &rate, sizeof(rate)), 0);
	assert_int_equal(veth_get_link(t.va)->p.delay_ns, delay);
	assert_int_equal(veth_get_link(t.va)->p.rate_bps, rate);
	assert_int_equal(change(t.va, WEIR_LINK_DELAY_NS, &too_long, sizeof(too_long)), -ERANGE);
	assert_int_equal(change(t.va, WEIR_LINK_DELAY_NS, &delay, 4) < 0, 1);
	assert_int_equal(veth_get_link(t.va)->p.delay_ns, delay);

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	nlmsg_begin(&m, 0, 0, RTM_NEWLINK, 0, 0);
	t.va->rtnl_link_ops->fill_info(&m, t.va);
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_int_equal(nla_parse(data, WEIR_VETH_LINK, m.buf + NLMSG_HDRLEN, m.len - NLMSG_HDRLEN,
				   t.va->rtnl_link_ops->policy, false, NULL),
			 0);
	assert_int_equal(nla_parse_nested(link, WEIR_LINK_MAX, data[WEIR_VETH_LINK], NULL, NULL),
			 0);
	assert_int_equal(nla_get_u64(link[WEIR_LINK_RATE_BPS]), rate);
	assert_int_equal(nla_get_u32(link[WEIR_LINK_QUEUE_PACKETS]), LINK_QUEUE_PACKETS_DEFAULT);
	nl_msg_fini(&m);
	rtnl_unlock(t.m);
	bed_done(&t);
}

static void a_device_that_goes_takes_its_frames_along(void **state)
{
	struct link_params p = { .delay_ns = NSEC_PER_SEC };
	struct bed t;

	bed_init(&t);
	rtnl_lock(t.m);
	veth_set_link(t.va, &p);
	rtnl_unlock(t.m);
	cpu_lock(t.cpu);
	dev_queue_xmit(test_frame(t.va, t.vb->dev_addr, TYPE, 100));
	cpu_unlock(t.cpu);
	net_destroy(t.a);
	assert_null(__dev_get_by_name(t.b, "eth0"));
	test_run_for(t.m, 2 * NSEC_PER_SEC);
	assert_int_equal(nr_got, 0);
	bed_done(&t);
}

static void frames_on_the_ring_belong_to_the_receiver(void **state)
{
	struct bed t;

	bed_init(&t);
	cpu_lock(t.cpu);
	assert_int_equal(dev_queue_xmit(test_frame(t.va, t.vb->dev_addr, TYPE, 100)), 0);
	/* The sender may be gone before the receiver discards it. */
	t.vb->netdev_ops->ndo_stop(t.vb);
	assert_int_equal(net_drops(t.b, SKB_DROP_DEV_DOWN), 1);
	assert_int_equal(net_drops(t.a, SKB_DROP_DEV_DOWN), 0);
	t.vb->netdev_ops->ndo_open(t.vb);
	cpu_unlock(t.cpu);
	bed_done(&t);
}

static void loopback_receives_what_it_sends(void **state)
{
	struct net_device *lo;
	struct bed t;

	bed_init(&t);
	lo = t.a->loopback_dev;
	assert_int_equal(lo->mtu, 65536);
	assert_int_equal(lo->ifindex, 1);
	rtnl_lock(t.m);
	dev_open(lo, NULL);
	assert_int_equal(dev_change_net_namespace(lo, t.b, NULL), -EINVAL);
	rtnl_unlock(t.m);
	assert_int_equal(dev_get_flags(lo), IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP);
	cpu_lock(t.cpu);
	dev_queue_xmit(test_frame(lo, NULL, TYPE, 100));
	cpu_unlock(t.cpu);
	assert_int_equal(nr_got, 1);
	assert_int_equal(got[0]->pkt_type, SKB_PACKET_HOST);
	assert_int_equal(lo->stats.rx_bytes, 114);
	bed_done(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pair_and_carrier),
		cmocka_unit_test(what_one_sends_the_other_receives_uncopied),
		cmocka_unit_test(the_charge_lasts_until_the_peer_takes_it),
		cmocka_unit_test(the_ring_is_bounded),
		cmocka_unit_test(frames_that_the_peer_cannot_take_are_dropped),
		cmocka_unit_test(impairments_change_features_and_delay),
		cmocka_unit_test(netlink_changes_only_what_is_given),
		cmocka_unit_test(a_device_that_goes_takes_its_frames_along),
		cmocka_unit_test(frames_on_the_ring_belong_to_the_receiver),
		cmocka_unit_test(loopback_receives_what_it_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
