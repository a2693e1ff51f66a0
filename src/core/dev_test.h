/* SPDX-License-Identifier: BSD-2-Clause */
/* dev_test.h - for unit tests: a net with a device whose driver keeps what it is given, and virtual time that can be moved */
#ifndef WEIR_CORE_DEV_TEST_H
#define WEIR_CORE_DEV_TEST_H

#include "core/core_test.h"
#include "core/netdevice.h"
#include "core/qdisc.h"
#include "wire/ethernet.h"

struct test_dev {
	struct sk_buff_head sent;
	bool busy;      /* the driver says NETDEV_TX_BUSY */
	u32 busy_after; /* the same, once so many were sent; 0: never */
	u32 stop_after; /* stops its queue after so many packets; 0: never */
	u32 opens, stops;
	u32 doorbells,
		told; /* how often the card was told of what was sent, and of how many of it */
	netdev_features_t forbidden;
};

static inline struct test_dev *test_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

static inline void test_doorbell(struct test_dev *td)
{
	td->doorbells++;
	td->told = td->sent.qlen;
}

static inline enum netdev_tx test_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct test_dev *td = test_priv(dev);

	if (td->busy || (td->busy_after && td->sent.qlen >= td->busy_after)) {
		if (td->told != td->sent.qlen)
			test_doorbell(td);
		return NETDEV_TX_BUSY;
	}
	skb_queue_tail(&td->sent, skb);
	if (td->stop_after && td->sent.qlen >= td->stop_after)
		netif_tx_stop_queue(&dev->tx[0]);
	if (!netdev_xmit_more(dev) || netif_xmit_stopped(&dev->tx[0]))
		test_doorbell(td);
	return NETDEV_TX_OK;
}

static inline int test_open(struct net_device *dev)
{
	test_priv(dev)->opens++;
	return 0;
}

static inline int test_stop(struct net_device *dev)
{
	test_priv(dev)->stops++;
	return 0;
}

static inline int test_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

static inline netdev_features_t test_fix_features(struct net_device *dev, netdev_features_t f)
{
	return f & ~test_priv(dev)->forbidden;
}

static const struct net_device_ops test_dev_ops = {
	.ndo_start_xmit = test_xmit,
	.ndo_open = test_open,
	.ndo_stop = test_stop,
	.ndo_set_mac_address = test_set_mac,
	.ndo_fix_features = test_fix_features,
};

static inline void test_dev_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &test_dev_ops;
	dev->features = dev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_FRAGLIST;
	memcpy(dev->dev_addr, "\x02\0\0\0\0\x01", ETH_ALEN);
	skb_queue_head_init(&test_priv(dev)->sent);
}

/* Registered; up if @up. */
static inline struct net_device *test_netdev(struct net *net, const char *name, bool up)
{
	struct net_device *dev =
		alloc_netdev(net, sizeof(struct test_dev), name, test_dev_setup, 1);

	assert_non_null(dev);
	rtnl_lock(net->machine);
	assert_int_equal(register_netdevice(dev), 0);
	if (up)
		assert_int_equal(dev_open(dev, NULL), 0);
	rtnl_unlock(net->machine);
	return dev;
}

static inline void test_netdev_del(struct net_device *dev)
{
	struct machine *m = dev->net->machine;

	cpu_lock(dev->cpu);
	skb_queue_consume(&test_priv(dev)->sent);
	cpu_unlock(dev->cpu);
	rtnl_lock(m);
	unregister_netdevice(dev);
	rtnl_unlock(m);
}

/* A machine with one net; nothing locked. */
static inline struct net *test_net(void)
{
	struct net *net = net_create(test_machine(), "t");

	assert_non_null(net);
	return net;
}

static inline void test_net_done(struct net *net)
{
	machine_destroy(net->machine);
}

/* Handles all that is due, at once or in the next @ns. */
static inline void test_run_for(struct machine *m, u64 ns)
{
	u64 target = host_now(m->host) + ns;
	struct host_parker *p = m->host->ops->parker_create(m->host);

	for (;;) {
		u64 now, left = machine_turn(m);

		now = host_now(m->host);
		if (!left)
			continue;
		if (now >= target)
			break;
		m->host->ops->park(p, left == HOST_FOREVER || now + left > target ? target
										  : now + left);
	}
	m->host->ops->parker_free(p);
}

/* cpu lock held: a frame of @len octets of payload behind room for headers; protocol @type, network header at data. */
static inline struct sk_buff *test_packet(struct net_device *dev, u16 type, u32 len)
{
	struct sk_buff *skb = alloc_skb(dev->cpu, 128 + len);

	assert_non_null(skb);
	skb_reserve(skb, 128);
	for (u32 i = 0; i < len; i++)
		*(u8 *)skb_put(skb, 1) = (u8)i;
	skb->dev = dev;
	skb->protocol = cpu_to_be16(type);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	return skb;
}

/* The same with an Ethernet header to @dst: ready for dev_queue_xmit(). */
static inline struct sk_buff *test_frame(struct net_device *dev, const u8 *dst, u16 type, u32 len)
{
	struct sk_buff *skb = test_packet(dev, type, len);

	assert_int_equal(dev_hard_header(skb, dev, type, dst, NULL, len), ETH_HLEN);
	return skb;
}

#endif
