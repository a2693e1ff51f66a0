/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eth.c - devices with Ethernet framing: defaults, header, receive classification
 *
 * See IEEE 802.3 3.2 and RFC 894. skb->data is at the Ethernet header before eth_type_trans() and behind it afterwards.
 */
#include "core/netdevice.h"

#include <net/if_arp.h>

#include "core/dst.h"
#include "wire/ethernet.h"

#define ETH_TYPE_MIN 1536 /* smaller values are the length of an 802.3 frame */

static int eth_header(struct sk_buff *skb, struct net_device *dev, u16 type, const void *daddr,
		      const void *saddr, u32 len)
{
	struct eth_hdr *eth = skb_push(skb, sizeof(*eth));

	eth->type = cpu_to_be16(type != ETH_P_802_3 && type != ETH_P_802_2 ? type : (u16)len);
	memcpy(eth->src, saddr ? saddr : dev->dev_addr, ETH_ALEN);
	if (daddr) {
		memcpy(eth->dst, daddr, ETH_ALEN);
		return sizeof(*eth);
	}
	/* Nobody resolves addresses here: any destination will do. */
	if (dev->flags & (IFF_LOOPBACK | IFF_NOARP)) {
		memset(eth->dst, 0, ETH_ALEN);
		return sizeof(*eth);
	}
	return -(int)sizeof(*eth);
}

static int eth_header_parse(const struct sk_buff *skb, u8 *haddr)
{
	const struct eth_hdr *eth = (const struct eth_hdr *)skb_mac_header(skb);

	memcpy(haddr, eth->src, ETH_ALEN);
	return ETH_ALEN;
}

static u32 eth_header_cache(const struct net_device *dev, u16 type, const void *daddr,
			    u8 ret[HH_MAX])
{
	struct eth_hdr *eth = (struct eth_hdr *)(ret + HH_MAX - sizeof(*eth));

	memset(ret, 0, HH_MAX);
	memcpy(eth->dst, daddr, ETH_ALEN);
	memcpy(eth->src, dev->dev_addr, ETH_ALEN);
	eth->type = cpu_to_be16(type);
	return sizeof(*eth);
}

static const struct header_ops eth_header_ops = {
	.create = eth_header,
	.parse = eth_header_parse,
	.cache = eth_header_cache,
};

void ether_setup(struct net_device *dev)
{
	dev->header_ops = &eth_header_ops;
	dev->type = ARPHRD_ETHER;
	dev->hard_header_len = ETH_HLEN;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_DATA_LEN;
	dev->addr_len = ETH_ALEN;
	dev->tx_queue_len = 1000;
	dev->flags = IFF_BROADCAST | IFF_MULTICAST;
	memset(dev->broadcast, 0xff, ETH_ALEN);
}

/* A locally administered unicast address (IEEE 802 8.2) from the device's own random stream. */
void eth_hw_addr_random(struct net_device *dev)
{
	struct net *net = dev->net;

	cpu_lock(net->cpu);
	for (int i = 0; i < ETH_ALEN; i++)
		dev->dev_addr[i] = (u8)(cpu_random(net->cpu) >> 24);
	cpu_unlock(net->cpu);
	dev->dev_addr[0] &= 0xfe;
	dev->dev_addr[0] |= 0x02;
	dev->addr_assign_type = 1; /* NET_ADDR_RANDOM */
}

/* The caller made sure that the header is in the head area. */
be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev)
{
	const struct eth_hdr *eth = (const struct eth_hdr *)skb->data;
	u16 type = be16_to_cpu(eth->type);

	skb->dev = dev;
	skb_reset_mac_header(skb);
	__skb_pull(skb, sizeof(*eth));
	skb->mac_len = sizeof(*eth);

	if (likely(ether_addr_equal(eth->dst, dev->dev_addr)))
		skb->pkt_type = SKB_PACKET_HOST;
	else if (!is_multicast_ether_addr(eth->dst))
		skb->pkt_type = SKB_PACKET_OTHERHOST;
	else if (ether_addr_equal(eth->dst, dev->broadcast))
		skb->pkt_type = SKB_PACKET_BROADCAST;
	else
		skb->pkt_type = SKB_PACKET_MULTICAST;

	if (likely(type >= ETH_TYPE_MIN))
		return eth->type;
	/* Novell put IPX straight behind the length field: its checksum field, always 0xffff, tells. Else it is LLC. */
	if (skb_headlen(skb) >= 2 && skb->data[0] == 0xff && skb->data[1] == 0xff)
		return BE16_INIT(ETH_P_802_3);
	return BE16_INIT(ETH_P_802_2);
}
