/* SPDX-License-Identifier: BSD-2-Clause */
/* dummy.c - a device that counts what it is given and throws it away: a place for addresses and routes */
#include "core/ethtool.h"
#include "core/netdevice.h"
#include "core/qdisc.h"
#include "drivers/drivers_internal.h"
#include "netlink/netlink.h"

static enum netdev_tx dummy_xmit(struct sk_buff *skb, struct net_device *dev)
{
	trace_skb(skb, dev->net, TP_dummy_xmit, TRACE_DONE, 0, 0);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

static int dummy_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

static const struct net_device_ops dummy_ops = {
	.ndo_start_xmit = dummy_xmit,
	.ndo_set_mac_address = dummy_set_mac,
};

static const struct ethtool_ops dummy_ethtool_ops = { .driver = "dummy" };

static void dummy_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->flags |= IFF_NOARP;
	dev->flags &= ~(u32)IFF_MULTICAST;
	dev->features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
			NETIF_F_LLTX | NETIF_F_GSO_SOFTWARE;
	dev->hw_features = dev->features & ~NETIF_F_LLTX;
	dev->min_mtu = 0;
	dev->max_mtu = 0;
	dev->live_addr_change = true;
	dev->netdev_ops = &dummy_ops;
	dev->ethtool_ops = &dummy_ethtool_ops;
	dev->default_qdisc = &noqueue_qdisc_ops;
}

static int dummy_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
			 const struct nlattr **data, struct netlink_ext_ack *extack)
{
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	return register_netdevice(dev);
}

const struct rtnl_link_ops dummy_link_ops = {
	.kind = "dummy",
	.setup = dummy_setup,
	.newlink = dummy_newlink,
};
