/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * veth.c - two Ethernet devices, what one sends the other receives
 *
 * Theory of operation
 *   Without impairments a frame is handed over as it is: big segments whole, checksums unfinished (CHECKSUM_PARTIAL means "never left
 *   the machine"), no octet copied. Transmitting puts it on the peer's receive ring and schedules the peer's napi, so one
 *   packet's way down and the next one's way up do not nest, however long the chain of devices is.
 *   The socket is charged until the peer's poll takes the frame. What must not cross to another net (destination, mark, conntrack) is
 *   scrubbed there too.
 *   With impairments (WEIR_VETH_LINK, link.c) the device stops announcing segmentation and checksum offload, so that frames of wire
 *   size with final checksums enter the link, and the link delivers to the peer's ring. Then, and only then, the peer merges
 *   what it receives (GRO): merging pays for frames of wire size, not for packets that never were cut.
 *   Carrier: both ends are up.
 *   The ends may live on different cpus. What the sender must not look at there (flags, MTU, ring) the receiver checks, and a frame
 *   goes by the receiver's inbox (core/skb_inbox.h). Its octets are copied on the way if the sender keeps them, as TCP does. The
 *   other end's carrier is told by a call to its cpu, which has been made when the control call that changed it returns.
 * Invariants
 *   priv(a)->peer == b <=> priv(b)->peer == a, but while they are paired or parted. The ring holds at most VETH_RING_SIZE frames from
 *   plain transmission, the inbox as many; what comes over a link on one cpu is bounded by the link.
 * Locking: each end's cpu lock; rtnl to make, pair and configure.
 */
#include "drivers/veth.h"

#include <errno.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>

#include "weir/netlink.h"
#include "core/ethtool.h"
#include "core/machine.h"
#include "core/qdisc.h"
#include "core/skb_inbox.h"
#include "drivers/drivers_internal.h"
#include "drivers/link_netlink.h"
#include "netlink/netlink.h"
#include "wire/ethernet.h"

#define VETH_RING_SIZE 1024
#define VETH_FEATURES                                                                              \
	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_HIGHDMA |      \
	 NETIF_F_GSO_SOFTWARE)

struct veth_link {
	struct link link;
	struct net_device *dev; /* whose transmissions it carries */
};

struct veth_stats {
	u64 peer_ifindex; /* filled in when asked for */
	u64 rx_drops;     /* the ring was full */
};

struct veth_priv {
	struct net_device *peer; /* NULL: not paired yet, or it has gone */
	struct veth_link *link;  /* NULL: never impaired */
	struct napi_struct napi;
	struct sk_buff_head ring;
	struct skb_inbox inbox;  /* from a peer on another cpu */
	struct cpu_call carrier; /* the peer has come up or gone down */
	bool up;                 /* atomic: as of open and stop */
	struct net_device *dev;
	struct veth_stats stats;
};

static struct veth_priv *veth_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- transmit ------------------------------------------------------------------------------------------- */

static void veth_ring_add(struct net_device *rcv, struct sk_buff *skb)
{
	struct veth_priv *priv = veth_priv(rcv);

	skb->dev = rcv; /* the sender's device may go while the frame is on the ring */
	skb_queue_tail(&priv->ring, skb);
	napi_schedule_here(&priv->napi);
}

static bool veth_crosses(const struct net_device *dev, const struct net_device *peer)
{
	return unlikely(peer->cpu != dev->cpu);
}

/* Consumes; false: there was no room for it. */
static bool veth_cross(struct net_device *rcv, struct sk_buff *skb)
{
	if (likely(skb_inbox_put(&veth_priv(rcv)->inbox, skb)))
		return true;
	kfree_skb_reason(skb, SKB_DROP_RING_FULL);
	return false;
}

/* A frame has come to the end of an impaired link. */
static void veth_link_deliver(struct link *link, struct sk_buff *skb)
{
	struct net_device *dev = container_of(link, struct veth_link, link)->dev;
	struct net_device *rcv = veth_priv(dev)->peer;

	if (rcv && veth_crosses(dev, rcv)) {
		veth_cross(rcv, skb);
		return;
	}
	if (!rcv || !netif_running(rcv)) {
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		return;
	}
	veth_ring_add(rcv, skb);
}

/* What only the receiver's cpu may look at. */
static skb_drop_reason_t veth_check_rcv(const struct net_device *rcv, const struct sk_buff *skb)
{
	if (!netif_running(rcv))
		return SKB_DROP_DEV_DOWN;
	/* Room for one VLAN tag more than the peer's MTU, as real cards have. */
	if (!skb_is_gso(skb) && skb->len > rcv->mtu + ETH_HLEN + 4)
		return SKB_DROP_DEV_MTU;
	return SKB_NOT_DROPPED;
}

static skb_drop_reason_t veth_check(const struct net_device *dev, const struct net_device *rcv,
				    const struct sk_buff *skb)
{
	if (!rcv)
		return SKB_DROP_DEV_DOWN;
	if (skb_headlen(skb) < ETH_HLEN)
		return SKB_DROP_PKT_TOO_SMALL;
	return veth_crosses(dev, rcv) ? SKB_NOT_DROPPED : veth_check_rcv(rcv, skb);
}

/* A frame has come from another cpu. */
static void veth_inbox_deliver(struct skb_inbox *in, struct sk_buff *skb)
{
	struct veth_priv *priv = container_of(in, struct veth_priv, inbox);
	skb_drop_reason_t reason = veth_check_rcv(priv->dev, skb);

	skb->dev = priv->dev;
	if (!reason && priv->ring.qlen >= VETH_RING_SIZE) {
		reason = SKB_DROP_RING_FULL;
		priv->stats.rx_drops++;
	}
	if (unlikely(reason)) {
		kfree_skb_reason(skb, reason);
		return;
	}
	veth_ring_add(priv->dev, skb);
}

static enum netdev_tx veth_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev);
	struct net_device *rcv = priv->peer;
	skb_drop_reason_t reason = veth_check(dev, rcv, skb);
	u32 len = skb->len;
	bool sent = true;

	trace_skb(skb, dev->net, TP_veth_xmit, TRACE_PASS, rcv ? rcv->ifindex : 0, 0);
	if (unlikely(reason))
		goto drop;
	/* A link whose impairments were taken away is used until it is empty: order is kept. */
	if (unlikely(priv->link) &&
	    (link_active(&priv->link->link) || !link_idle(&priv->link->link))) {
		sent = link_enqueue(&priv->link->link, skb);
	} else if (veth_crosses(dev, rcv)) {
		sent = veth_cross(rcv, skb);
	} else {
		reason = SKB_DROP_RING_FULL;
		if (unlikely(veth_priv(rcv)->ring.qlen >= VETH_RING_SIZE)) {
			veth_priv(rcv)->stats.rx_drops++;
			goto drop;
		}
		veth_ring_add(rcv, skb);
	}
	if (likely(sent)) {
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += len;
	} else {
		dev->stats.tx_dropped++;
	}
	return NETDEV_TX_OK;

drop:
	dev->stats.tx_dropped++;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

/* ---- receive --------------------------------------------------------------------------------------------- */

static void veth_receive(struct veth_priv *priv, struct net_device *dev, struct sk_buff *skb,
			 bool xnet, bool gro)
{
	u32 len = skb->len;

	skb_orphan(skb);
	skb_scrub_packet(skb, xnet);
	skb->tstamp = 0;
	trace_skb(skb, dev->net, TP_veth_poll, TRACE_PASS, priv->ring.qlen, 0);
	/* Corruption may have cut nothing off, but a program may send anything. */
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN))) {
		dev->stats.rx_errors++;
		dev->stats.rx_length_errors++;
		kfree_skb_reason(skb, SKB_DROP_PKT_TOO_SMALL);
		return;
	}
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += len;
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	if (gro && !skb_is_gso(skb))
		napi_gro_receive(&priv->napi, skb);
	else
		gro_normal_one_of(&priv->napi, skb, !skb_queue_empty(&priv->ring));
}

static int veth_poll(struct napi_struct *napi, int budget)
{
	struct net_device *dev = napi->dev;
	struct veth_priv *priv = veth_priv(dev);
	int work = 0;

	while (work < budget) {
		struct sk_buff *skb = skb_dequeue(&priv->ring);
		struct net_device *peer = priv->peer;
		bool crosses = peer && veth_crosses(dev, peer);

		if (!skb)
			break;
		work++;
		/* Of a peer on another cpu nothing is known but where it is: what it cut is seen by its frames. */
		veth_receive(priv, dev, skb, crosses || !peer || peer->net != dev->net,
			     crosses || (peer && !(peer->features & NETIF_F_TSO)));
	}
	if (work < budget)
		napi_complete_done(napi, work);
	return work;
}

/* ---- device operations ------------------------------------------------------------------------------------ */

/* The peer, on another cpu, has come up or gone down, or was joined to us. */
static void veth_carrier_call(struct cpu *cpu, struct cpu_call *call)
{
	struct veth_priv *priv = container_of(call, struct veth_priv, carrier);
	struct net_device *dev = priv->dev, *peer = priv->peer;

	lock_assert_held(cpu);
	if (peer && netif_running(dev) && __atomic_load_n(&veth_priv(peer)->up, __ATOMIC_ACQUIRE))
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

static int veth_init(struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev);

	priv->dev = dev;
	skb_queue_head_init(&priv->ring);
	skb_inbox_init(&priv->inbox, dev->cpu, VETH_RING_SIZE, veth_inbox_deliver);
	cpu_call_init(&priv->carrier, veth_carrier_call);
	netif_napi_add(dev, &priv->napi, veth_poll);
	dev->carrier = false;
	return 0;
}

static void veth_uninit(struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev);
	struct net_device *peer = priv->peer;

	/* First the peer forgets us: from then on nothing comes from its cpu. */
	if (peer) {
		cpu_lock(peer->cpu);
		veth_priv(peer)->peer = NULL;
		netif_carrier_off(peer);
		cpu_unlock(peer->cpu);
	}
	cpu_lock(dev->cpu);
	priv->peer = NULL;
	if (priv->link)
		link_fini(&priv->link->link);
	skb_inbox_fini(&priv->inbox, SKB_DROP_NET_EXIT);
	skb_queue_purge_reason(&priv->ring, SKB_DROP_NET_EXIT);
	netif_napi_del(&priv->napi);
	cpu_unlock(dev->cpu);
}

static void veth_destructor(struct net_device *dev)
{
	free(veth_priv(dev)->link);
}

static void veth_tell_peer(struct net_device *dev, bool carrier)
{
	struct net_device *peer = veth_priv(dev)->peer;

	if (veth_crosses(dev, peer))
		cpu_call_on(dev->cpu, peer->cpu, &veth_priv(peer)->carrier);
	else if (carrier)
		netif_carrier_on(peer);
	else
		netif_carrier_off(peer);
}

static int veth_open(struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev);

	if (!priv->peer)
		return -ENOTCONN;
	napi_enable(&priv->napi);
	__atomic_store_n(&priv->up, true, __ATOMIC_RELEASE);
	if (__atomic_load_n(&veth_priv(priv->peer)->up, __ATOMIC_ACQUIRE)) {
		netif_carrier_on(dev);
		veth_tell_peer(dev, true);
	}
	return 0;
}

static int veth_stop(struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev);

	__atomic_store_n(&priv->up, false, __ATOMIC_RELEASE);
	netif_carrier_off(dev);
	if (priv->peer)
		veth_tell_peer(dev, false);
	napi_disable(&priv->napi);
	skb_queue_purge_reason(&priv->ring, SKB_DROP_DEV_DOWN);
	if (priv->link)
		link_purge(&priv->link->link);
	return 0;
}

static int veth_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

static netdev_features_t veth_fix_features(struct net_device *dev, netdev_features_t f)
{
	const struct veth_priv *priv = veth_priv(dev);

	/* Impairments act on wire frames: cut before, with final checksums. */
	if (priv->link && link_active(&priv->link->link))
		f &= ~(NETIF_F_GSO_SOFTWARE | NETIF_F_CSUM_MASK);
	return f;
}

static struct net_device *veth_get_peer(struct net_device *dev)
{
	return veth_priv(dev)->peer;
}

static int veth_get_iflink(const struct net_device *dev)
{
	const struct net_device *peer = veth_priv(dev)->peer;

	return peer ? peer->ifindex : 0;
}

static const struct net_device_ops veth_ops = {
	.ndo_init = veth_init,
	.ndo_uninit = veth_uninit,
	.ndo_open = veth_open,
	.ndo_stop = veth_stop,
	.ndo_start_xmit = veth_xmit,
	.ndo_set_mac_address = veth_set_mac,
	.ndo_fix_features = veth_fix_features,
	.ndo_get_peer_dev = veth_get_peer,
	.ndo_get_iflink = veth_get_iflink,
};

/* ---- ethtool: what Linux's says, but for what XDP counts ------------------------------------------------------ */

static const struct ethtool_stat veth_stats[] = {
	ETHTOOL_OWN_STAT("peer_ifindex", struct veth_stats, peer_ifindex),
	ETHTOOL_OWN_STAT("rx_queue_0_drops", struct veth_stats, rx_drops),
};

static const void *veth_stats_own(struct net_device *dev)
{
	struct veth_priv *priv = veth_priv(dev);

	priv->stats.rx_drops += skb_inbox_take_refused(&priv->inbox);
	priv->stats.peer_ifindex = priv->peer ? (u64)priv->peer->ifindex : 0;
	return &priv->stats;
}

static int veth_get_link_settings(struct net_device *dev, struct ethtool_link *ret)
{
	*ret = (struct ethtool_link){ SPEED_10000, DUPLEX_FULL, PORT_TP };
	return 0;
}

static int veth_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	ret->max_rx = ret->max_tx = ret->rx_count = ret->tx_count = 1;
	return 0;
}

static const struct ethtool_ops veth_ethtool_ops = {
	.driver = "veth",
	.stats = veth_stats,
	.nr_stats = ARRAY_SIZE(veth_stats),
	.stats_own = veth_stats_own,
	.get_link = ethtool_op_get_link,
	.get_link_settings = veth_get_link_settings,
	.get_channels = veth_get_channels,
};

static void veth_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &veth_ops;
	dev->ethtool_ops = &veth_ethtool_ops;
	dev->rtnl_link_ops = &veth_link_ops;
	dev->features = VETH_FEATURES | NETIF_F_LLTX;
	dev->hw_features = VETH_FEATURES;
	dev->max_mtu = ETH_MAX_MTU;
	dev->live_addr_change = true;
	dev->default_qdisc = &noqueue_qdisc_ops;
	dev->priv_destructor = veth_destructor;
}

bool is_veth(const struct net_device *dev)
{
	return dev->netdev_ops == &veth_ops;
}

/* ---- pairs -------------------------------------------------------------------------------------------------- */

static void veth_pair(struct net_device *a, struct net_device *b)
{
	cpu_lock(a->cpu);
	veth_priv(a)->peer = b;
	cpu_unlock(a->cpu);
	cpu_lock(b->cpu);
	veth_priv(b)->peer = a;
	cpu_unlock(b->cpu);
}

static void veth_dellink(struct net_device *dev)
{
	struct net_device *peer = veth_priv(dev)->peer;

	unregister_netdevice(dev);
	if (peer)
		unregister_netdevice(peer);
}

/* Registers both (the second must not have been). Frees neither on failure, but leaves none registered. */
static int veth_register_pair(struct net_device *dev, struct net_device *peer)
{
	int err;

	err = register_netdevice(peer);
	if (err)
		return err;
	err = register_netdevice(dev);
	if (err) {
		/* unregister_netdevice() would free it: the caller does, as for the other one. */
		cpu_lock(peer->cpu);
		dev_hold(peer);
		cpu_unlock(peer->cpu);
		unregister_netdevice(peer);
		return err;
	}
	veth_pair(dev, peer);
	return 0;
}

int veth_create(struct net *net_a, const char *name_a, struct net *net_b, const char *name_b,
		struct net_device **ret_a, struct net_device **ret_b)
{
	struct net_device *a = alloc_netdev(net_a, sizeof(struct veth_priv), name_a, veth_setup, 1);
	struct net_device *b = alloc_netdev(net_b, sizeof(struct veth_priv), name_b, veth_setup, 1);
	int err = -ENOMEM;

	if (a && b) {
		eth_hw_addr_random(a);
		eth_hw_addr_random(b);
		err = veth_register_pair(a, b);
	}
	if (err) {
		free_netdev(a);
		free_netdev(b);
		return err;
	}
	*ret_a = a;
	*ret_b = b;
	return 0;
}

/* ---- impairments --------------------------------------------------------------------------------------------- */

static struct veth_link *veth_link_alloc(struct net_device *dev)
{
	struct veth_link *vl = malloc(sizeof(*vl));
	char name[128];

	if (!vl)
		return NULL;
	if (dev->net->name[0])
		snprintf(name, sizeof(name), "link:%s:%s", dev->net->name, dev->name);
	else
		snprintf(name, sizeof(name), "link:%u:%s", dev->net->id, dev->name);
	link_init(&vl->link, dev->cpu, dev->net->machine->host, name, veth_link_deliver);
	vl->dev = dev;
	return vl;
}

int veth_set_link(struct net_device *dev, const struct link_params *p)
{
	struct veth_priv *priv = veth_priv(dev);
	struct veth_link *vl = priv->link;

	if (!vl) {
		vl = veth_link_alloc(dev);
		if (!vl)
			return -ENOMEM;
	}
	cpu_lock(dev->cpu);
	link_set_params(&vl->link, p);
	priv->link = vl;
	cpu_unlock(dev->cpu);
	netdev_update_features(dev);
	return 0;
}

const struct link *veth_get_link(const struct net_device *dev)
{
	const struct veth_link *vl = veth_priv(dev)->link;

	return vl ? &vl->link : NULL;
}

/* ---- netlink ---------------------------------------------------------------------------------------------------- */

static const struct nla_policy veth_policy[WEIR_VETH_LINK + 1] = {
	[VETH_INFO_PEER] = { NLA_K_UNSPEC, .len = sizeof(struct ifinfomsg),
			     .help = "the device at the other end" },
	[WEIR_VETH_LINK] = { NLA_K_NESTED, .nested = link_attr_policy, .maxtype = WEIR_LINK_MAX,
			     .help = "impairments of what this end sends" },
};

/* Changes only what is given. */
static int veth_change_link(struct net_device *dev, const struct nlattr *nest,
			    struct netlink_ext_ack *extack)
{
	const struct link *link = veth_get_link(dev);
	struct link_params p = { 0 };
	int err;

	if (link)
		p = link->p;
	err = link_params_parse(nest, &p, extack);
	if (err)
		return err;
	return veth_set_link(dev, &p);
}

static int veth_changelink(struct net_device *dev, const struct nlattr **tb,
			   const struct nlattr **data, struct netlink_ext_ack *extack)
{
	if (data && data[WEIR_VETH_LINK])
		return veth_change_link(dev, data[WEIR_VETH_LINK], extack);
	return 0;
}

static int veth_check_address(const struct nlattr **tb, struct netlink_ext_ack *extack)
{
	const struct nlattr *a = tb[IFLA_ADDRESS];

	if (!a)
		return 0;
	if (nla_len(a) == ETH_ALEN && is_valid_ether_addr(nla_data(a)))
		return 0;
	nl_set_bad_attr(extack, a);
	nl_set_err_msg(extack, "not a unicast Ethernet address");
	return nla_len(a) == ETH_ALEN ? -EADDRNOTAVAIL : -EINVAL;
}

static int veth_validate(const struct nlattr **tb, const struct nlattr **data,
			 struct netlink_ext_ack *extack)
{
	return veth_check_address(tb, extack);
}

/* Makes the peer that the request describes (or does not: then it is veth%d in the same net). NULL with *ret_err */
static struct net_device *veth_make_peer(struct net *src_net, const struct nlattr *desc,
					 const struct nlattr **tb, struct netlink_ext_ack *extack,
					 int *ret_err)
{
	const struct ifinfomsg *ifm = desc ? nla_data(desc) : NULL;
	char name[IFNAMSIZ] = "veth%d";
	struct net_device *peer;
	struct net *net;

	memset(tb, 0, (IFLA_MAX + 1) * sizeof(*tb));
	if (desc) {
		const char *attrs = (const char *)(ifm + 1);

		*ret_err = nla_parse(tb, IFLA_MAX, attrs, (size_t)nla_len(desc) - sizeof(*ifm),
				     NULL, false, extack);
		if (!*ret_err)
			*ret_err = veth_check_address(tb, extack);
		if (!*ret_err && tb[IFLA_IFNAME] &&
		    nla_strscpy(name, tb[IFLA_IFNAME], sizeof(name)) < 0)
			*ret_err = -EINVAL;
		if (*ret_err)
			return NULL;
	}
	net = rtnl_link_get_net(src_net, tb);
	if (!net) {
		nl_set_err_msg(extack, "no instance has the number that is given for the peer");
		*ret_err = -EINVAL;
		return NULL;
	}
	peer = rtnl_create_link(net, name, &veth_link_ops, tb, extack, ret_err);
	if (peer && ifm && ifm->ifi_index)
		peer->ifindex = ifm->ifi_index;
	return peer;
}

static int veth_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
			const struct nlattr **data, struct netlink_ext_ack *extack)
{
	const struct nlattr *peer_tb[IFLA_MAX + 1];
	struct net_device *peer;
	int err;

	peer = veth_make_peer(src_net, data ? data[VETH_INFO_PEER] : NULL, peer_tb, extack, &err);
	if (!peer)
		return err;
	if (!peer_tb[IFLA_ADDRESS])
		eth_hw_addr_random(peer);
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	err = veth_register_pair(dev, peer);
	if (err) {
		free_netdev(peer);
		return err;
	}
	if (data && data[WEIR_VETH_LINK])
		err = veth_change_link(dev, data[WEIR_VETH_LINK], extack);
	if (err) {
		/* The caller frees what was not registered: leave it as it came. */
		cpu_lock(dev->cpu);
		dev_hold(dev);
		cpu_unlock(dev->cpu);
		veth_dellink(dev);
		dev->reg_state = NETREG_UNINITIALIZED;
	}
	return err;
}

static void veth_fill_info(struct nl_msg *m, const struct net_device *dev)
{
	const struct link *link = veth_get_link(dev);

	if (link)
		link_fill(m, WEIR_VETH_LINK, link);
}

const struct rtnl_link_ops veth_link_ops = {
	.kind = "veth",
	.priv_size = sizeof(struct veth_priv),
	.setup = veth_setup,
	.policy = veth_policy,
	.maxtype = WEIR_VETH_LINK,
	.validate = veth_validate,
	.newlink = veth_newlink,
	.changelink = veth_changelink,
	.dellink = veth_dellink,
	.fill_info = veth_fill_info,
};
