/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/dev_test.h"

#include <linux/if.h>
#include <linux/if_packet.h>
#include <stdio.h>

#include "core/dst.h"
#include "core/nf_hook.h"
#include "core/sysctl.h"

static const u8 other_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

/* ---- names, lists, flags -------------------------------------------------------------------------------- */

static void names_are_checked_and_numbered(void **state)
{
	struct net *net = test_net();
	struct net_device *e0 = test_netdev(net, "eth%d", false),
			  *e5 = test_netdev(net, "eth5", false),
			  *e1 = test_netdev(net, "eth%d", false), *bad;

	assert_string_equal(e0->name, "eth0");
	assert_string_equal(e1->name, "eth1");
	assert_ptr_equal(__dev_get_by_name(net, "eth5"), e5);
	assert_null(__dev_get_by_name(net, "eth2"));
	assert_int_equal(dev_valid_name("a/b"), -EINVAL);
	assert_int_equal(dev_valid_name(".."), -EINVAL);
	assert_int_equal(dev_valid_name("a b"), -EINVAL);
	assert_int_equal(dev_valid_name(""), -EINVAL);
	assert_int_equal(dev_valid_name("fifteen-octets-"), 0);

	rtnl_lock(net->machine);
	bad = alloc_netdev(net, sizeof(struct test_dev), "eth5", test_dev_setup, 1);
	assert_int_equal(register_netdevice(bad), -EEXIST);
	free_netdev(bad);
	bad = alloc_netdev(net, sizeof(struct test_dev), "e%dx%d", test_dev_setup, 1);
	assert_int_equal(register_netdevice(bad), -EINVAL);
	free_netdev(bad);
	assert_int_equal(dev_change_name(e0, "eth5"), -EEXIST);
	assert_int_equal(dev_change_name(e0, "wan"), 0);
	assert_ptr_equal(__dev_get_by_name(net, "wan"), e0);
	assert_null(__dev_get_by_name(net, "eth0"));
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void indexes_start_at_one_per_net_and_hashes_grow(void **state)
{
	struct machine *m = test_machine();
	struct net *a = net_create(m, "a"), *b = net_create(m, "b");
	struct net_device *dev, *first = test_netdev(b, "x%d", false);
	int last = 0;

	assert_int_equal(first->ifindex, 1);
	for (int i = 1; i <= 200; i++)
		assert_int_equal(test_netdev(a, "d%d", false)->ifindex, i);
	assert_int_equal(a->core->nr_devs, 200);
	for (int i = 1; i <= 200; i++)
		assert_int_equal(__dev_get_by_index(a, i)->ifindex, i);
	assert_non_null(__dev_get_by_name(a, "d199"));
	net_for_each_dev(a, dev) {
		assert_true(dev->ifindex > last);
		last = dev->ifindex;
	}
	machine_destroy(m);
}

static void flags_are_shown_as_linux_does(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", false);

	assert_int_equal(dev_get_flags(dev), IFF_BROADCAST | IFF_MULTICAST);
	rtnl_lock(net->machine);
	assert_int_equal(dev_change_flags(dev, dev->flags | IFF_UP, NULL), 0);
	assert_int_equal(test_priv(dev)->opens, 1);
	assert_int_equal(dev_get_flags(dev),
			 IFF_BROADCAST | IFF_MULTICAST | IFF_UP | IFF_RUNNING | IFF_LOWER_UP);
	/* A program that listens does not show, the administrator's wish does. */
	cpu_lock(dev->cpu);
	dev_set_promiscuity(dev, 1);
	cpu_unlock(dev->cpu);
	assert_true(dev->flags & IFF_PROMISC);
	assert_false(dev_get_flags(dev) & IFF_PROMISC);
	dev_change_flags(dev, dev_get_flags(dev) | IFF_PROMISC, NULL);
	assert_true(dev_get_flags(dev) & IFF_PROMISC);
	assert_int_equal(dev->promiscuity, 2);
	dev_change_flags(dev, dev_get_flags(dev) & ~(u32)IFF_PROMISC, NULL);
	assert_int_equal(dev->promiscuity, 1);
	cpu_lock(dev->cpu);
	dev_set_promiscuity(dev, -1);
	assert_int_equal(dev_set_promiscuity(dev, -1), -EINVAL);
	netif_carrier_off(dev);
	cpu_unlock(dev->cpu);
	linkwatch_run(net->machine);
	assert_false(dev->flags & IFF_PROMISC);
	assert_int_equal(dev_get_flags(dev), IFF_BROADCAST | IFF_MULTICAST | IFF_UP);
	dev_change_flags(dev, dev->flags & ~(u32)IFF_UP, NULL);
	assert_int_equal(test_priv(dev)->stops, 1);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void mtu_and_address_are_checked(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	rtnl_lock(net->machine);
	assert_int_equal(dev_set_mtu(dev, 67, NULL), -EINVAL);
	assert_int_equal(dev_set_mtu(dev, 1501, NULL), -EINVAL);
	assert_int_equal(dev_set_mtu(dev, 1400, NULL), 0);
	assert_int_equal(dev_set_mac_address(dev, other_mac, NULL), -EBUSY);
	dev_close(dev);
	assert_int_equal(dev_set_mac_address(dev, (const u8 *)"\x01\0\0\0\0\x01", NULL),
			 -EADDRNOTAVAIL);
	assert_int_equal(dev_set_mac_address(dev, other_mac, NULL), 0);
	assert_memory_equal(dev->dev_addr, other_mac, ETH_ALEN);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void features_follow_the_driver(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	assert_true(dev->features & NETIF_F_GSO && dev->features & NETIF_F_GRO &&
		    dev->features & NETIF_F_SG);
	rtnl_lock(net->machine);
	test_priv(dev)->forbidden = NETIF_F_SG;
	netdev_update_features(dev);
	assert_false(dev->features & (NETIF_F_SG | NETIF_F_GSO | NETIF_F_FRAGLIST));
	test_priv(dev)->forbidden = 0;
	netdev_update_features(dev);
	assert_true(dev->features & NETIF_F_SG && dev->features & NETIF_F_GSO);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void multicast_addresses_are_counted(void **state)
{
	static const u8 mc[ETH_ALEN] = { 1, 0, 0x5e, 0, 0, 1 };
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct text t = { 0 };

	cpu_lock(net->cpu);
	assert_int_equal(dev_mc_add(dev, mc), 0);
	assert_int_equal(dev_mc_add(dev, mc), 0);
	cpu_unlock(net->cpu);
	assert_int_equal(view_read(net, "/proc/net/dev_mcast", &t), 0);
	assert_string_equal(t.buf, "1    e0              2     0     01005e000001\n");
	cpu_lock(net->cpu);
	assert_int_equal(dev_mc_del(dev, mc), 0);
	assert_int_equal(dev_mc_del(dev, mc), 0);
	assert_int_equal(dev_mc_del(dev, mc), -ENOENT);
	cpu_unlock(net->cpu);
	text_free(&t);
	test_net_done(net);
}

/* ---- notifiers -------------------------------------------------------------------------------------------- */

struct recorder {
	struct notifier_block nb;
	char log[256];
	char tag;
	struct recorder *shared; /* where to write */
	enum netdev_event refuse;
};

static int record(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev)
{
	static const char *const names[] = {
		[NETDEV_REGISTER] = "reg",
		[NETDEV_UNREGISTER] = "unreg",
		[NETDEV_UP] = "up",
		[NETDEV_DOWN] = "down",
		[NETDEV_GOING_DOWN] = "going",
		[NETDEV_CHANGE] = "change",
		[NETDEV_CHANGEMTU] = "mtu",
		[NETDEV_CHANGEADDR] = "addr",
		[NETDEV_CHANGENAME] = "name",
		[NETDEV_FEAT_CHANGE] = "feat",
		[NETDEV_PRE_UP] = "preup",
		[NETDEV_CHANGE_TX_QUEUE_LEN] = "qlen",
		[NETDEV_POST_INIT] = "init",
	};
	struct recorder *r = container_of(nb, struct recorder, nb);
	struct recorder *to = r->shared ? r->shared : r;
	size_t n = strlen(to->log);

	snprintf(to->log + n, sizeof(to->log) - n, "%s%s ", r->tag ? (char[]){ r->tag, 0 } : "",
		 names[ev]);
	return r->refuse == ev ? -EPERM : 0;
}

/* Drivers lose a carrier in softirqs: routes and listeners must not wait for the next one who configures. */
static void a_carrier_is_told_of_by_the_next_turn_and_by_who_configures(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct recorder r = { .nb.call = record };

	rtnl_lock(net->machine);
	register_netdevice_notifier(net, &r.nb);
	rtnl_unlock(net->machine);
	r.log[0] = '\0';
	cpu_lock(dev->cpu);
	netif_carrier_off(dev);
	cpu_unlock(dev->cpu);
	assert_string_equal(r.log, "");
	assert_int_equal(machine_next_event(net->machine), 0);
	machine_turn(net->machine);
	assert_string_equal(r.log, "change ");
	assert_int_not_equal(machine_next_event(net->machine), 0);

	rtnl_lock(net->machine);
	cpu_lock(dev->cpu);
	netif_carrier_on(dev);
	cpu_unlock(dev->cpu);
	machine_turn(net->machine); /* somebody configures */
	assert_string_equal(r.log, "change ");
	rtnl_unlock(net->machine);
	assert_string_equal(r.log, "change change ");

	rtnl_lock(net->machine);
	unregister_netdevice_notifier(net, &r.nb);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void notifiers_see_everything_in_order(void **state)
{
	struct net *net = test_net();
	struct recorder r = { .nb.call = record };
	struct net_device *dev;

	rtnl_lock(net->machine);
	register_netdevice_notifier(net, &r.nb);
	rtnl_unlock(net->machine);
	dev = test_netdev(net, "e0", true);
	rtnl_lock(net->machine);
	dev_set_mtu(dev, 1000, NULL);
	dev_change_name(dev, "e1");
	dev_change_tx_queue_len(dev, 5);
	cpu_lock(dev->cpu);
	netif_carrier_off(dev);
	netif_carrier_on(dev);
	cpu_unlock(dev->cpu);
	linkwatch_run(net->machine);
	unregister_netdevice(dev);
	unregister_netdevice_notifier(net, &r.nb);
	rtnl_unlock(net->machine);
	assert_string_equal(r.log, "init reg preup up mtu name qlen change going down unreg ");
	test_net_done(net);
}

static void late_notifiers_get_a_replay(void **state)
{
	struct net *net = test_net();
	struct recorder r = { .nb.call = record };

	test_netdev(net, "down0", false);
	test_netdev(net, "up0", true);
	rtnl_lock(net->machine);
	register_netdevice_notifier(net, &r.nb);
	assert_string_equal(r.log, "reg reg up ");
	r.log[0] = '\0';
	unregister_netdevice_notifier(net, &r.nb);
	assert_string_equal(r.log, "unreg going down unreg ");
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void notifiers_run_by_priority_and_may_refuse(void **state)
{
	struct net *net = test_net();
	struct recorder low = { .nb = { .call = record, .priority = -1 }, .tag = 'l' };
	struct recorder mid = { .nb.call = record, .tag = 'm', .shared = &low };
	struct recorder high = { .nb = { .call = record, .priority = 9 },
				 .tag = 'h',
				 .shared = &low };
	struct net_device *dev;

	rtnl_lock(net->machine);
	register_netdevice_notifier(net, &low.nb);
	register_netdevice_notifier(net, &high.nb);
	register_netdevice_notifier(net, &mid.nb);
	mid.refuse = NETDEV_REGISTER;
	dev = alloc_netdev(net, sizeof(struct test_dev), "e0", test_dev_setup, 1);
	assert_int_equal(register_netdevice(dev), -EPERM);
	assert_string_equal(low.log, "hinit minit linit hreg mreg hunreg munreg lunreg ");
	assert_null(__dev_get_by_name(net, "e0"));
	mid.refuse = NETDEV_PRE_UP;
	assert_int_equal(register_netdevice(dev), 0);
	assert_int_equal(dev_open(dev, NULL), -EPERM);
	assert_false(netif_running(dev));
	unregister_netdevice_notifier(net, &low.nb);
	unregister_netdevice_notifier(net, &mid.nb);
	unregister_netdevice_notifier(net, &high.nb);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void a_device_moves_between_nets(void **state)
{
	struct machine *m = test_machine();
	struct net *a = net_create(m, "a"), *b = net_create(m, "b");
	struct net_device *dev = test_netdev(a, "e0", true),
			  *occupied = test_netdev(b, "e0", false);
	struct recorder in_a = { .nb.call = record }, in_b = { .nb.call = record };

	(void)occupied;
	rtnl_lock(m);
	register_netdevice_notifier(a, &in_a.nb);
	register_netdevice_notifier(b, &in_b.nb);
	in_a.log[0] = in_b.log[0] = '\0';
	assert_int_equal(dev_change_net_namespace(dev, b, "e0"), -EEXIST);
	assert_int_equal(dev_change_net_namespace(dev, b, NULL), 0);
	assert_string_equal(dev->name, "dev0");
	assert_int_equal(dev->ifindex, 2);
	assert_ptr_equal(dev->net, b);
	assert_string_equal(in_a.log, "going down unreg ");
	assert_string_equal(in_b.log, "reg ");
	assert_null(__dev_get_by_name(a, "e0"));
	unregister_netdevice_notifier(a, &in_a.nb);
	unregister_netdevice_notifier(b, &in_b.nb);
	rtnl_unlock(m);
	machine_destroy(m);
}

static void references_outlive_registration(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct cpu *cpu = net->cpu;

	cpu_lock(cpu);
	dev_hold(dev);
	cpu_unlock(cpu);
	rtnl_lock(net->machine);
	unregister_netdevice(dev);
	rtnl_unlock(net->machine);
	cpu_lock(cpu);
	assert_false(netif_running(dev));
	dev_put(dev);
	cpu_unlock(cpu);
	test_net_done(net);
}

/* ---- receive ---------------------------------------------------------------------------------------------- */

static u32 received, received_type;

static void count_rcv(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	received++;
	received_type = skb->pkt_type;
	assert_int_equal(skb_network_offset(skb), 0);
	consume_skb(skb);
}

static const struct packet_type test_pt = { .type = 0x88b5, .func = count_rcv };

static struct sk_buff *incoming(struct net_device *dev, const u8 *dst, u16 type)
{
	struct sk_buff *skb = test_frame(dev, dst, type, 50);

	skb->protocol = eth_type_trans(skb, dev);
	return skb;
}

static void frames_are_classified_and_delivered(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	rtnl_lock(net->machine);
	assert_int_equal(dev_add_pack(net, &test_pt), 0);
	assert_int_equal(dev_add_pack(net, &test_pt), -EEXIST);
	rtnl_unlock(net->machine);
	received = 0;
	cpu_lock(net->cpu);
	netif_rx(incoming(dev, dev->dev_addr, 0x88b5));
	assert_int_equal(received, 0); /* not before the softirq */
	cpu_unlock(net->cpu);
	assert_int_equal(received, 1);
	assert_int_equal(received_type, PACKET_HOST);

	cpu_lock(net->cpu);
	netif_receive_skb(incoming(dev, dev->broadcast, 0x88b5));
	assert_int_equal(received_type, PACKET_BROADCAST);
	netif_receive_skb(incoming(dev, (const u8 *)"\x01\0\x5e\0\0\1", 0x88b5));
	assert_int_equal(received_type, PACKET_MULTICAST);
	netif_receive_skb(incoming(dev, other_mac, 0x88b5));
	assert_int_equal(received_type, PACKET_OTHERHOST);
	netif_receive_skb(incoming(dev, dev->dev_addr, 0x88b6));
	assert_int_equal(received, 4);
	assert_int_equal(dev->stats.rx_dropped, 1);
	assert_int_equal(net_drops(net, SKB_DROP_UNHANDLED_PROTO), 1);
	cpu_unlock(net->cpu);
	rtnl_lock(net->machine);
	dev_remove_pack(net, &test_pt);
	assert_null(dev_get_pack(net, 0x88b5));
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void the_backlog_is_bounded(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	rtnl_lock(net->machine);
	dev_add_pack(net, &test_pt);
	rtnl_unlock(net->machine);
	received = 0;
	cpu_lock(net->cpu);
	for (int i = 0; i < 1003; i++)
		netif_rx(incoming(dev, dev->dev_addr, 0x88b5));
	assert_int_equal(net->cpu->softnet->dropped, 3);
	assert_int_equal(net_drops(net, SKB_DROP_CPU_BACKLOG), 3);
	cpu_unlock(net->cpu);
	/* User context does one budget: 300 packets, in polls of 64. */
	assert_int_equal(received, 320);
	assert_int_equal(net->cpu->softnet->time_squeeze, 1);
	test_run_for(net->machine, 1);
	assert_int_equal(received, 1000);
	rtnl_lock(net->machine);
	dev_remove_pack(net, &test_pt);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static enum rx_handler_result steal(struct sk_buff **pskb)
{
	struct net_device *upper = (*pskb)->dev->rx_handler_data;

	if (upper) {
		(*pskb)->dev = upper;
		return RX_HANDLER_ANOTHER;
	}
	consume_skb(*pskb);
	return RX_HANDLER_CONSUMED;
}

static void a_device_above_takes_packets(void **state)
{
	struct net *net = test_net();
	struct net_device *port = test_netdev(net, "port", true),
			  *br = test_netdev(net, "br", true);

	rtnl_lock(net->machine);
	dev_add_pack(net, &test_pt);
	rtnl_unlock(net->machine);
	received = 0;
	cpu_lock(net->cpu);
	assert_int_equal(netdev_rx_handler_register(port, steal, NULL), 0);
	assert_int_equal(netdev_rx_handler_register(port, steal, NULL), -EBUSY);
	netif_receive_skb(incoming(port, port->dev_addr, 0x88b5));
	assert_int_equal(received, 0);
	netdev_rx_handler_unregister(port);
	assert_int_equal(netdev_rx_handler_register(port, steal, br), 0);
	netif_receive_skb(incoming(port, port->dev_addr, 0x88b5));
	assert_int_equal(received, 1);
	cpu_unlock(net->cpu);
	rtnl_lock(net->machine);
	dev_remove_pack(net, &test_pt);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

/* ---- NAPI -------------------------------------------------------------------------------------------------- */

struct test_napi {
	struct napi_struct napi;
	int work, polls;
	bool again; /* an "interrupt" comes while it is polled */
};

static int test_poll(struct napi_struct *napi, int budget)
{
	struct test_napi *t = container_of(napi, struct test_napi, napi);
	int n = min(t->work, budget);

	t->polls++;
	t->work -= n;
	if (t->again) {
		t->again = false;
		napi_schedule(napi);
	}
	if (n < budget)
		napi_complete_done(napi, n);
	return n;
}

static void napis_take_turns_and_lose_no_wakeup(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_napi a = { .work = 200 }, b = { .work = 10 };

	cpu_lock(net->cpu);
	netif_napi_add(dev, &a.napi, test_poll);
	netif_napi_add(dev, &b.napi, test_poll);
	a.work = 200;
	napi_schedule(&a.napi); /* disabled: nothing happens */
	assert_int_equal(net->cpu->softirq_pending & (1u << NET_RX_SOFTIRQ), 0);
	napi_enable(&a.napi);
	napi_enable(&b.napi);
	napi_schedule(&a.napi);
	napi_schedule(&b.napi);
	napi_schedule(&b.napi);
	cpu_unlock(net->cpu);
	assert_int_equal(a.work, 0);
	assert_int_equal(a.polls, 4);
	assert_int_equal(b.polls, 1);

	cpu_lock(net->cpu);
	b.again = true;
	napi_schedule(&b.napi);
	cpu_unlock(net->cpu);
	assert_int_equal(b.polls, 3);
	cpu_lock(net->cpu);
	napi_schedule(&a.napi);
	netif_napi_del(&a.napi);
	netif_napi_del(&b.napi);
	cpu_unlock(net->cpu);
	assert_int_equal(a.polls, 4);
	test_net_done(net);
}

/* ---- lists ------------------------------------------------------------------------------------------------- */

static char list_log[64]; /* a letter for a handler, a digit for each packet's mark */

static void log_packet(struct sk_buff *skb)
{
	sprintf(list_log + strlen(list_log), "%u", skb->mark);
	consume_skb(skb);
}

static void log_single(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt)
{
	strcat(list_log, pt->type == 0x88b5 ? "s" : "o");
	assert_ptr_equal(skb->dev, dev);
	log_packet(skb);
}

static void log_list(struct skb_list *list, struct net_device *dev, const struct packet_type *pt)
{
	struct sk_buff *skb;

	strcat(list_log, "L");
	while ((skb = skb_list_take(list))) {
		assert_ptr_equal(skb->dev, dev);
		assert_int_equal(skb_network_offset(skb), 0);
		log_packet(skb);
	}
}

static const struct packet_type listing_pt = { .type = 0x88b5,
					       .func = log_single,
					       .list_func = log_list };
static const struct packet_type single_pt = { .type = 0x88b6, .func = log_single };

static void log_begin(struct net *net)
{
	list_log[0] = 0;
	rtnl_lock(net->machine);
	assert_int_equal(dev_add_pack(net, &listing_pt), 0);
	assert_int_equal(dev_add_pack(net, &single_pt), 0);
	rtnl_unlock(net->machine);
}

static void log_end(struct net *net)
{
	rtnl_lock(net->machine);
	dev_remove_pack(net, &listing_pt);
	dev_remove_pack(net, &single_pt);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static struct sk_buff *marked(struct net_device *dev, u16 type, u32 mark)
{
	struct sk_buff *skb = incoming(dev, dev->dev_addr, type);

	skb->mark = mark;
	return skb;
}

static void a_list_goes_up_in_order_by_type_and_device(void **state)
{
	struct net *net = test_net();
	struct net_device *a = test_netdev(net, "a", true), *b = test_netdev(net, "b", true),
			  *port = test_netdev(net, "port", true);
	struct skb_list list;

	log_begin(net);
	cpu_lock(net->cpu);
	assert_int_equal(netdev_rx_handler_register(port, steal, b), 0);
	skb_list_init(&list);
	skb_list_add(&list, marked(a, 0x88b5, 1));
	skb_list_add(&list, marked(a, 0x88b5, 2));
	skb_list_add(&list, marked(a, 0x88b6, 3)); /* another type */
	skb_list_add(&list, marked(a, 0x88b6, 4));
	skb_list_add(&list, marked(a, 0x88b7, 0)); /* nobody wants it */
	skb_list_add(&list, marked(a, 0x88b5, 5)); /* alone */
	skb_list_add(&list, marked(b, 0x88b5, 6));
	skb_list_add(&list, marked(port, 0x88b5, 7)); /* goes to b */
	netif_receive_skb_list(&list);
	assert_true(skb_list_empty(&list));
	assert_string_equal(list_log, "L12o3o4s5L67");
	assert_int_equal(net_drops(net, SKB_DROP_UNHANDLED_PROTO), 1);
	assert_int_equal(net->cpu->softnet->processed, 8);

	netdev_rx_handler_unregister(port);
	assert_int_equal(netdev_rx_handler_register(port, steal, NULL), 0);
	list_log[0] = 0;
	skb_list_add(&list, marked(a, 0x88b5, 1));
	skb_list_add(&list, marked(port, 0x88b5, 2)); /* taken away */
	skb_list_add(&list, marked(a, 0x88b5, 3));
	netif_receive_skb_list(&list);
	assert_string_equal(list_log, "L13");
	netdev_rx_handler_unregister(port);
	cpu_unlock(net->cpu);
	log_end(net);
}

struct lump_napi {
	struct napi_struct napi;
	u32 left, next;
	u32 known_last; /* of so many the driver knows that the last one is the last */
};

static int lump_poll(struct napi_struct *napi, int budget)
{
	struct lump_napi *t = container_of(napi, struct lump_napi, napi);
	int n = 0;

	for (; t->left && n < budget; n++, t->left--) {
		struct sk_buff *skb = marked(napi->dev, 0x88b5, t->next++ % 10);

		if (t->known_last)
			gro_normal_one_of(napi, skb, t->left > 1);
		else
			napi_gro_receive(napi, skb);
	}
	if (n < budget)
		napi_complete_done(napi, n);
	return n;
}

static const char *lump(struct net *net, struct lump_napi *t, u32 n)
{
	list_log[0] = 0;
	t->left = n;
	t->next = 0;
	cpu_lock(net->cpu);
	napi_schedule(&t->napi);
	cpu_unlock(net->cpu);
	return list_log;
}

static void what_a_poll_brings_goes_up_in_batches(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct lump_napi t = { .left = 0 };

	log_begin(net);
	cpu_lock(net->cpu);
	netif_napi_add(dev, &t.napi, lump_poll);
	napi_enable(&t.napi);
	cpu_unlock(net->cpu);
	assert_string_equal(lump(net, &t, 1), "s0");
	assert_string_equal(lump(net, &t, 2), "L01");
	assert_string_equal(lump(net, &t, 20), "L01234567L89012345L6789");
	t.known_last = 1;
	assert_string_equal(lump(net, &t, 1), "s0");
	assert_string_equal(lump(net, &t, 3), "L012");
	t.known_last = 0;
	/* A poll that has used up its budget keeps nothing until the next one. */
	t.napi.weight = 3;
	assert_string_equal(lump(net, &t, 5), "L012L34");
	t.napi.weight = NAPI_POLL_WEIGHT;

	net->cpu->softnet->gro_normal_batch = 2;
	assert_string_equal(lump(net, &t, 5), "L01L23s4");
	net->cpu->softnet->gro_normal_batch = 1;
	assert_string_equal(lump(net, &t, 3), "s0s1s2");
	cpu_lock(net->cpu);
	netif_napi_del(&t.napi);
	cpu_unlock(net->cpu);
	log_end(net);
}

static void what_waits_for_company_ends_with_its_napi(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct lump_napi t = { .left = 0 };

	log_begin(net);
	cpu_lock(net->cpu);
	netif_napi_add(dev, &t.napi, lump_poll);
	napi_enable(&t.napi);
	gro_normal_one(&t.napi, marked(dev, 0x88b5, 1), 1);
	gro_normal_one(&t.napi, marked(dev, 0x88b5, 2), 1);
	napi_disable(&t.napi);
	assert_int_equal(net_drops(net, SKB_DROP_DEV_DOWN), 2);
	napi_enable(&t.napi);
	cpu_unlock(net->cpu);
	assert_string_equal(lump(net, &t, 1), "s0");
	cpu_lock(net->cpu);
	netif_napi_del(&t.napi);
	cpu_unlock(net->cpu);
	log_end(net);
}

/* ---- transmit, taps ------------------------------------------------------------------------------------------ */

struct test_tap {
	struct packet_tap tap;
	u32 in, out, len;
	u32 sent_then; /* packets the driver had when the last outgoing one was seen */
};

static void tap_func(struct packet_tap *tap, const struct sk_buff *skb, struct net_device *dev,
		     bool outgoing)
{
	struct test_tap *t = container_of(tap, struct test_tap, tap);

	assert_ptr_equal(skb->data, skb_mac_header(skb));
	t->in += !outgoing;
	t->out += outgoing;
	t->len = skb->len;
	if (outgoing)
		t->sent_then = test_priv(dev)->sent.qlen;
}

/* A device that cuts big segments itself gets them whole, and so do taps. */
static void taps_see_big_segments_whole_behind_the_qdisc(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", false);
	struct test_tap tap = { .tap = { .type = ETH_P_ALL, .func = tap_func, .dev = dev } };
	struct sk_buff *skb;

	dev->features |= NETIF_F_TSO;
	rtnl_lock(net->machine);
	dev_open(dev, NULL);
	rtnl_unlock(net->machine);
	cpu_lock(net->cpu);
	dev_add_tap(net, &tap.tap);
	netif_tx_stop_queue(&dev->tx[0]);
	skb = test_frame(dev, (const u8 *)"\x02\0\0\0\0\x02", ETH_P_IP, 8000);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb_shinfo(skb)->gso_size = 1448;
	skb_shinfo(skb)->gso_segs = 6;
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	assert_int_equal(dev_queue_xmit(skb), 0);
	assert_int_equal(tap.out, 0); /* it waits in the qdisc */
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	assert_int_equal(tap.out, 1);
	assert_int_equal(tap.len, 8000 + ETH_HLEN);
	assert_int_equal(test_priv(dev)->sent.qlen, 1);
	cpu_lock(net->cpu);
	dev_remove_tap(&tap.tap);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static void taps_see_frames_before_the_driver_and_the_protocol(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true), *e1 = test_netdev(net, "e1", true);
	struct test_tap all = { .tap = { .type = ETH_P_ALL, .func = tap_func } };
	struct test_tap mine = { .tap = { .type = ETH_P_ALL, .func = tap_func, .dev = dev } };
	struct test_tap typed = { .tap = { .type = 0x88b5, .func = tap_func } };

	cpu_lock(net->cpu);
	dev_add_tap(net, &all.tap);
	dev_add_tap(net, &mine.tap);
	dev_add_tap(net, &typed.tap);
	assert_int_equal(dev_queue_xmit(test_frame(dev, other_mac, 0x88b5, 60)), 0);
	assert_int_equal(dev_queue_xmit(test_frame(e1, other_mac, 0x88b5, 60)), 0);
	assert_int_equal(all.out, 2);
	assert_int_equal(mine.out, 1);
	assert_int_equal(typed.out, 0); /* packet(7): one protocol means incoming only */
	assert_int_equal(mine.sent_then, 0);
	netif_receive_skb(incoming(dev, dev->dev_addr, 0x88b5));
	netif_receive_skb(incoming(dev, dev->dev_addr, 0x88b6));
	assert_int_equal(all.in, 2);
	assert_int_equal(mine.in, 2);
	assert_int_equal(typed.in, 1);
	dev_remove_tap(&all.tap);
	dev_remove_tap(&mine.tap);
	dev_remove_tap(&typed.tap);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_netdev_del(e1);
	test_net_done(net);
}

static struct sk_buff *tagged_frame(struct net_device *dev)
{
	struct sk_buff *skb = test_frame(dev, other_mac, ETH_P_IP, 60);

	skb->vlan_present = 1;
	skb->vlan_proto = BE16_INIT(ETH_P_8021Q);
	skb->vlan_tci = 0x602a;
	return skb;
}

/* IEEE 802.1Q 9.4: behind the addresses, and the octets of others who share the packet stay as they are. */
static void a_device_that_cannot_tag_gets_tagged_frames(void **state)
{
	static const u8 tag[] = { 0x81, 0x00, 0x60, 0x2a, 0x08, 0x00 };
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct test_dev *td = test_priv(dev);
	struct sk_buff *skb, *sent;
	u8 first[8];

	cpu_lock(net->cpu);
	skb = tagged_frame(dev);
	memset(first, 0xff, sizeof(first));
	skb_store_bits(skb, ETH_HLEN, first, sizeof(first));
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)(skb_headroom(skb) + ETH_HLEN + 8);
	skb->csum_offset = 2;
	sent = skb_clone(skb);
	assert_int_equal(dev_queue_xmit(sent), 0);
	assert_int_equal(td->sent.qlen, 1);
	sent = skb_dequeue(&td->sent);
	assert_int_equal(sent->len, 60 + ETH_HLEN + VLAN_HLEN);
	assert_false(sent->vlan_present);
	assert_int_equal(be16_to_cpu(sent->protocol), ETH_P_8021Q);
	assert_memory_equal(sent->data, other_mac, ETH_ALEN);
	assert_memory_equal(sent->data + 2 * ETH_ALEN, tag, sizeof(tag));
	assert_memory_equal(sent->data + ETH_HLEN + VLAN_HLEN, first, sizeof(first));
	assert_int_equal(skb_network_offset(sent), ETH_HLEN + VLAN_HLEN);
	assert_int_equal(skb_checksum_start_offset(sent), ETH_HLEN + VLAN_HLEN + 8);
	assert_int_equal(skb->data[2 * ETH_ALEN], 0x08);
	consume_skb(sent);
	consume_skb(skb);

	dev->features |= NETIF_F_HW_VLAN_CTAG_TX;
	assert_int_equal(dev_queue_xmit(tagged_frame(dev)), 0);
	sent = skb_dequeue(&td->sent);
	assert_true(sent->vlan_present);
	assert_int_equal(sent->len, 60 + ETH_HLEN);
	consume_skb(sent);

	/* What knows of IPv4 only does not find it behind a tag. */
	dev->features = NETIF_F_IP_CSUM;
	skb = tagged_frame(dev);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u16)(skb_headroom(skb) + ETH_HLEN + 8);
	skb->csum_offset = 2;
	assert_int_equal(dev_queue_xmit(skb), 0);
	sent = skb_dequeue(&td->sent);
	assert_int_equal(sent->ip_summed, CHECKSUM_NONE);
	consume_skb(sent);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static void what_cannot_be_sent_is_dropped_with_a_reason(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", false);

	cpu_lock(net->cpu);
	assert_int_equal(dev_queue_xmit(test_frame(dev, other_mac, 0x88b5, 60)), -ENETDOWN);
	assert_int_equal(net_drops(net, SKB_DROP_DEV_DOWN), 1);
	cpu_unlock(net->cpu);
	rtnl_lock(net->machine);
	dev_open(dev, NULL);
	rtnl_unlock(net->machine);
	cpu_lock(net->cpu);
	netif_carrier_off(dev);
	assert_int_equal(dev_queue_xmit(test_frame(dev, other_mac, 0x88b5, 60)), 0);
	assert_int_equal(net_drops(net, SKB_DROP_DEV_NO_CARRIER), 1);
	netif_carrier_on(dev);
	assert_int_equal(dev_queue_xmit(test_frame(dev, other_mac, 0x88b5, 60)), 0);
	assert_int_equal(test_priv(dev)->sent.qlen, 1);
	assert_int_equal(dev->stats.tx_dropped, 2);
	cpu_unlock(net->cpu);
	test_netdev_del(dev);
	test_net_done(net);
}

static enum netdev_tx loop_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_queue_xmit(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops loop_ops = { .ndo_start_xmit = loop_xmit };

static void loop_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &loop_ops;
	dev->default_qdisc = &noqueue_qdisc_ops;
}

static void endless_configurations_end(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = alloc_netdev(net, 0, "loop", loop_setup, 1);

	rtnl_lock(net->machine);
	assert_int_equal(register_netdevice(dev), 0);
	dev_open(dev, NULL);
	rtnl_unlock(net->machine);
	cpu_lock(net->cpu);
	dev_queue_xmit(test_frame(dev, other_mac, 0x88b5, 60));
	assert_int_equal(net_drops(net, SKB_DROP_FORWARD_LOOP), 1);
	assert_int_equal(net->cpu->softnet->xmit_recursion, 0);
	cpu_unlock(net->cpu);
	test_net_done(net);
}

static void sent_packets_are_freed_in_softirq(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	cpu_lock(net->cpu);
	dev_consume_skb_irq(test_packet(dev, 0x88b5, 10));
	dev_consume_skb_irq(test_packet(dev, 0x88b5, 10));
	assert_non_null(net->cpu->softnet->completion_queue);
	cpu_unlock(net->cpu);
	assert_null(net->cpu->softnet->completion_queue);
	test_net_done(net);
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

static void devices_are_seen_in_proc_and_sys(void **state)
{
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct packet_tap all = { .type = ETH_P_ALL, .name = "all_rcv" };
	struct packet_tap one = { .type = ETH_P_IP, .dev = dev, .name = "one_rcv" };
	struct text t = { 0 };

	dev->stats.rx_bytes = 1234;
	assert_int_equal(view_read(net, "/proc/net/dev", &t), 0);
	assert_non_null(strstr(
		t.buf,
		"\n    e0:    1234       0    0    0    0     0          0         0        0 "));
	t.len = 0;
	assert_int_equal(view_read(net, "/sys/class/net", &t), -EISDIR);
	assert_string_equal(t.buf, "e0\n");
	t.len = 0;
	assert_int_equal(view_read(net, "/sys/class/net/e0/address", &t), 0);
	assert_string_equal(t.buf, "02:00:00:00:00:01\n");
	t.len = 0;
	assert_int_equal(view_read(net, "/sys/class/net/e0/operstate", &t), 0);
	assert_string_equal(t.buf, "unknown\n");
	t.len = 0;
	assert_int_equal(view_read(net, "/sys/class/net/e0/statistics/rx_bytes", &t), 0);
	assert_string_equal(t.buf, "1234\n");
	t.len = 0;
	assert_int_equal(view_read(net, "/proc/net/ptype", &t), 0);
	assert_string_equal(t.buf, "Type Device      Function\n");
	dev_add_tap(net, &all);
	dev_add_tap(net, &one);
	t.len = 0;
	assert_int_equal(view_read(net, "/proc/net/ptype", &t), 0);
	assert_string_equal(t.buf, "Type Device      Function\n"
				   "0800 e0       one_rcv\n"
				   "ALL           all_rcv\n");
	dev_remove_tap(&all);
	dev_remove_tap(&one);
	t.len = 0;
	assert_int_equal(view_read(net, "/sys/class/net/e0/speed", &t), -EINVAL);
	assert_int_equal(view_read(net, "/sys/class/net/e0/nonsense", &t), -ENOENT);
	assert_int_equal(view_read(net, "/sys/class/net/e9/mtu", &t), -ENOENT);
	t.len = 0;
	assert_int_equal(view_read(net, "/proc/net/softnet_stat", &t), 0);
	assert_int_equal(t.len, 15 * 9);
	text_free(&t);
	test_net_done(net);
}

/* ---- hooks and destinations --------------------------------------------------------------------------------------- */

static char hook_log[32];
static u32 hook_ok;

static enum nf_verdict hook_func(void *priv, struct sk_buff *skb, const struct nf_hook_state *state,
				 skb_drop_reason_t *ret_reason)
{
	strcat(hook_log, priv);
	if (skb->mark == 1)
		return NF_VERDICT_DROP;
	if (skb->mark == 2) {
		consume_skb(skb);
		return NF_VERDICT_STOLEN;
	}
	return NF_VERDICT_ACCEPT;
}

static int hook_okfn(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	hook_ok++;
	consume_skb(skb);
	return 0;
}

static int run_hook(struct net *net, struct net_device *dev, u32 mark)
{
	struct sk_buff *skb = test_packet(dev, ETH_P_IP, 20);

	skb->mark = mark;
	return NF_HOOK(NFPROTO_INDEX_IPV4, NF_INET_LOCAL_IN, net, NULL, skb, dev, NULL, hook_okfn);
}

static void hooks_see_each_packet_of_a_list(void **state)
{
	static const struct nf_hook_ops first = { hook_func, (void *)"a", NFPROTO_INDEX_IPV4,
						  NF_INET_PRE_ROUTING, 1 },
					second = { hook_func, (void *)"b", NFPROTO_INDEX_IPV4,
						   NF_INET_PRE_ROUTING, 2 };
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	static const u32 marks[] = { 7, 1, 2, 8 };
	struct skb_list list;
	struct sk_buff *skb;

	skb_list_init(&list);
	rtnl_lock(net->machine);
	for (u32 round = 0; round < 2; round++) {
		cpu_lock(net->cpu);
		for (u32 i = 0; i < ARRAY_SIZE(marks); i++) {
			skb = test_packet(dev, ETH_P_IP, 20);
			skb->mark = marks[i];
			skb_list_add(&list, skb);
		}
		hook_log[0] = 0;
		NF_HOOK_LIST(NFPROTO_INDEX_IPV4, NF_INET_PRE_ROUTING, net, &list, dev, hook_okfn);
		/* One was dropped and one stolen by the first hook; nothing without hooks. */
		assert_string_equal(hook_log, round ? "abaaab" : "");
		for (u32 i = 0; i < ARRAY_SIZE(marks); i++) {
			if (round && (i == 1 || i == 2))
				continue;
			skb = skb_list_take(&list);
			assert_int_equal(skb->mark, marks[i]);
			consume_skb(skb);
		}
		assert_true(skb_list_empty(&list));
		assert_int_equal(net_drops(net, SKB_DROP_NETFILTER_DROP), round);
		cpu_unlock(net->cpu);
		if (!round) {
			assert_int_equal(nf_register_net_hook(net, &second), 0);
			assert_int_equal(nf_register_net_hook(net, &first), 0);
		}
	}
	nf_unregister_net_hook(net, &first);
	nf_unregister_net_hook(net, &second);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static void hooks_run_by_priority_and_decide(void **state)
{
	static char names[3][2] = { "c", "a", "b" };
	struct nf_hook_ops ops[3] = {
		{ hook_func, names[0], NFPROTO_INDEX_IPV4, NF_INET_LOCAL_IN, 10 },
		{ hook_func, names[1], NFPROTO_INDEX_IPV4, NF_INET_LOCAL_IN, -10 },
		{ hook_func, names[2], NFPROTO_INDEX_IPV4, NF_INET_LOCAL_IN, 0 },
	};
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);

	hook_log[0] = '\0';
	hook_ok = 0;
	rtnl_lock(net->machine);
	for (int i = 0; i < 3; i++)
		assert_int_equal(nf_register_net_hook(net, &ops[i]), 0);
	cpu_lock(net->cpu);
	assert_int_equal(run_hook(net, dev, 0), 0);
	assert_string_equal(hook_log, "abc");
	assert_int_equal(hook_ok, 1);
	assert_int_equal(run_hook(net, dev, 1), -EPERM);
	assert_int_equal(net_drops(net, SKB_DROP_NETFILTER_DROP), 1);
	assert_int_equal(run_hook(net, dev, 2), 0);
	assert_int_equal(hook_ok, 1);
	cpu_unlock(net->cpu);
	for (int i = 0; i < 3; i++)
		nf_unregister_net_hook(net, &ops[i]);
	assert_null(net->nf->entries[NFPROTO_INDEX_IPV4][NF_INET_LOCAL_IN]);
	rtnl_unlock(net->machine);
	test_net_done(net);
}

static u32 dst_destroyed;

static void test_dst_destroy(struct dst_entry *dst)
{
	dst_destroyed++;
}

static void a_destination_holds_its_device_and_discards_by_default(void **state)
{
	static const struct dst_ops ops = { .family = 2, .destroy = test_dst_destroy };
	struct net *net = test_net();
	struct net_device *dev = test_netdev(net, "e0", true);
	struct dst_entry dst;
	struct sk_buff *skb;
	u32 others;

	cpu_lock(net->cpu);
	others = dev->refcount;
	dst_init(&dst, &ops, dev);
	assert_int_equal(dev->refcount, others + 1);
	skb = test_packet(dev, ETH_P_IP, 20);
	dst_hold(&dst);
	skb_dst_set(skb, &dst);
	assert_int_equal(dst_input(skb), 0);
	assert_int_equal(net_drops(net, SKB_DROP_DST_DISCARD), 1);
	assert_int_equal(dst.refcount, 1);
	dst_destroyed = 0;
	dst_release(&dst);
	assert_int_equal(dst_destroyed, 1);
	assert_int_equal(dev->refcount, others);
	cpu_unlock(net->cpu);
	test_net_done(net);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_checked_and_numbered),
		cmocka_unit_test(indexes_start_at_one_per_net_and_hashes_grow),
		cmocka_unit_test(flags_are_shown_as_linux_does),
		cmocka_unit_test(mtu_and_address_are_checked),
		cmocka_unit_test(features_follow_the_driver),
		cmocka_unit_test(multicast_addresses_are_counted),
		cmocka_unit_test(a_carrier_is_told_of_by_the_next_turn_and_by_who_configures),
		cmocka_unit_test(notifiers_see_everything_in_order),
		cmocka_unit_test(late_notifiers_get_a_replay),
		cmocka_unit_test(notifiers_run_by_priority_and_may_refuse),
		cmocka_unit_test(a_device_moves_between_nets),
		cmocka_unit_test(references_outlive_registration),
		cmocka_unit_test(frames_are_classified_and_delivered),
		cmocka_unit_test(the_backlog_is_bounded),
		cmocka_unit_test(a_device_above_takes_packets),
		cmocka_unit_test(napis_take_turns_and_lose_no_wakeup),
		cmocka_unit_test(a_list_goes_up_in_order_by_type_and_device),
		cmocka_unit_test(what_a_poll_brings_goes_up_in_batches),
		cmocka_unit_test(what_waits_for_company_ends_with_its_napi),
		cmocka_unit_test(taps_see_frames_before_the_driver_and_the_protocol),
		cmocka_unit_test(taps_see_big_segments_whole_behind_the_qdisc),
		cmocka_unit_test(a_device_that_cannot_tag_gets_tagged_frames),
		cmocka_unit_test(what_cannot_be_sent_is_dropped_with_a_reason),
		cmocka_unit_test(endless_configurations_end),
		cmocka_unit_test(sent_packets_are_freed_in_softirq),
		cmocka_unit_test(devices_are_seen_in_proc_and_sys),
		cmocka_unit_test(hooks_run_by_priority_and_decide),
		cmocka_unit_test(hooks_see_each_packet_of_a_list),
		cmocka_unit_test(a_destination_holds_its_device_and_discards_by_default),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
