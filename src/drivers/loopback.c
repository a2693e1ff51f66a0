/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loopback.c - "lo": what is sent is received, by the same net, through the backlog of the cpu
 *
 * Everything travels as it is: big segments, unfinished checksums (CHECKSUM_PARTIAL means "never left the machine"), and the
 * destination, if routing prepared it for input.
 */
#include "core/dst.h"
#include "core/ethtool.h"
#include "core/netdevice.h"
#include "core/qdisc.h"
#include "drivers/drivers_internal.h"

#include <errno.h>
#include <net/if_arp.h>

static enum netdev_tx loopback_xmit(struct sk_buff *skb, struct net_device *dev)
{
	u32 len = skb->len;

	trace_skb(skb, dev->net, TP_loopback_xmit, TRACE_PASS, 0, 0);
	skb_orphan(skb);
	skb->tstamp = 0;
	/* An output route that says nothing about input must not be asked for it. */
	if (skb->dst && skb->dst->input == dst_discard)
		skb_dst_drop(skb);
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += len;
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += len;
	netif_rx(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops loopback_ops = {
	.ndo_start_xmit = loopback_xmit,
};

static const struct ethtool_ops loopback_ethtool_ops = { .get_link = ethtool_op_get_link };

static void loopback_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->type = ARPHRD_LOOPBACK;
	dev->flags = IFF_LOOPBACK;
	dev->mtu = 65536;
	dev->min_mtu = 0;
	dev->max_mtu = 0;
	dev->features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM |
			NETIF_F_HIGHDMA | NETIF_F_LLTX | NETIF_F_GSO_SOFTWARE | NETIF_F_LOOPBACK |
			NETIF_F_NETNS_LOCAL;
	dev->hw_features = NETIF_F_GSO_SOFTWARE;
	memset(dev->broadcast, 0, sizeof(dev->broadcast));
	dev->netdev_ops = &loopback_ops;
	dev->ethtool_ops = &loopback_ethtool_ops;
	dev->default_qdisc = &noqueue_qdisc_ops;
}

int loopback_net_init(struct net *net)
{
	struct net_device *dev = alloc_netdev(net, 0, "lo", loopback_setup, 1);
	int err;

	if (!dev)
		return -ENOMEM;
	net->loopback_dev = dev;
	err = register_netdevice(dev);
	if (err) {
		net->loopback_dev = NULL;
		free_netdev(dev);
	}
	return err;
}
