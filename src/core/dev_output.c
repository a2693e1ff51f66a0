/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_output.c - from the protocols to the driver
 *
 * Theory of operation
 *   dev_queue_xmit() chooses a transmit queue and gives the packet to its qdisc, or, for devices that never wait (loopback, veth:
 *   noqueue), straight to the driver. Right before the driver the packet is made into what the device can carry
 *   (validate_xmit_skb: segments, linear data, final checksums, the VLAN tag among the octets), then taps see it, then ndo_start_xmit() consumes it or says BUSY.
 *   A virtual device's driver may call dev_queue_xmit() again (a tunnel, a vlan); a configuration in which that never ends is
 *   cut off at XMIT_RECURSION_LIMIT. What became several segments, or left a qdisc together, is given to the driver as a list: it is
 *   told with each packet whether another one follows (netdev_xmit_more()), and need not ring its card's bell for each.
 * Locking: the cpu lock.
 */
#include "core/netdevice.h"

#include <errno.h>

#include "core/dst.h"
#include "core/qdisc.h"
#include "core/sock.h"
#include "wire/ethernet.h"

#define XMIT_RECURSION_LIMIT 8

/* ---- making the packet fit the device ------------------------------------------------------------------ */

/* What a device must have to cut it itself. */
static netdev_features_t gso_features(const struct sk_buff *skb)
{
	u16 type = skb_shinfo(skb)->gso_type;
	netdev_features_t accecn = type & SKB_GSO_TCP_ACCECN ? NETIF_F_GSO_ACCECN : 0;

	if (type & SKB_GSO_TCPV4)
		return NETIF_F_TSO | accecn;
	if (type & SKB_GSO_TCPV6)
		return NETIF_F_TSO6 | accecn;
	if (type & SKB_GSO_UDP_L4)
		return NETIF_F_GSO_UDP_L4;
	return 0;
}

/* Behind a tag that is put in by software a card does not find the IP header: what needs it is done by software, too. */
#define VLAN_SAFE_FEATURES (NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM)

static bool needs_tag(const struct sk_buff *skb, const struct net_device *dev)
{
	return unlikely(skb->vlan_present) && !(dev->features & NETIF_F_HW_VLAN_CTAG_TX);
}

static bool needs_gso(const struct sk_buff *skb, const struct net_device *dev,
		      netdev_features_t features)
{
	netdev_features_t f = gso_features(skb);

	if (!skb_is_gso(skb))
		return false;
	return !f || (features & f) != f ||
	       skb->len > dev->gso_max_size + skb->mac_len + MAX_HEADER ||
	       skb_shinfo(skb)->gso_segs > dev->gso_max_segs || skb->ip_summed != CHECKSUM_PARTIAL;
}

static bool needs_linearize(const struct sk_buff *skb, netdev_features_t features)
{
	return skb_is_nonlinear(skb) &&
	       (!(features & NETIF_F_SG) ||
		(skb_shinfo(skb)->frag_list && !(features & NETIF_F_FRAGLIST)));
}

static bool can_checksum(const struct sk_buff *skb, netdev_features_t features)
{
	if (features & NETIF_F_HW_CSUM)
		return true;
	if (features & NETIF_F_IP_CSUM && be16_to_cpu(skb->protocol) == ETH_P_IP)
		return true;
	return features & NETIF_F_IPV6_CSUM && be16_to_cpu(skb->protocol) == ETH_P_IPV6;
}

/* transform: one wire packet; NULL: dropped */
static struct sk_buff *validate_one(struct sk_buff *skb, struct net_device *dev,
				    netdev_features_t features)
{
	if (needs_linearize(skb, features) && skb_linearize(skb)) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NULL;
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL && !can_checksum(skb, features) &&
	    skb_checksum_help(skb)) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_SKB_CSUM);
		return NULL;
	}
	if (needs_tag(skb, dev) && skb_vlan_push_inside(skb)) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NULL;
	}
	return skb;
}

struct sk_buff *validate_xmit_skb(struct sk_buff *skb, struct net_device *dev)
{
	const netdev_features_t any = NETIF_F_SG | NETIF_F_HW_CSUM;
	const struct skb_shared_info *sh = skb_shinfo(skb);
	netdev_features_t features = dev->features;
	struct sk_buff *head = NULL, **tail = &head;

	/* Nothing to be cut, and the device takes it as it is: loopback, veth. */
	if (likely((features & any) == any && !sh->gso_size && !sh->frag_list &&
		   !skb->vlan_present)) {
		skb->next = NULL;
		return skb;
	}
	if (needs_tag(skb, dev))
		features &= VLAN_SAFE_FEATURES;
	if (needs_gso(skb, dev, features)) {
		int err;
		struct sk_buff *segs = skb_gso_segment(skb, features, &err);

		if (!segs) {
			dev->stats.tx_dropped++;
			kfree_skb_reason(skb, err == -ENOMEM ? SKB_DROP_NOMEM : SKB_DROP_GSO);
			return NULL;
		}
		consume_skb(skb);
		skb = segs;
	} else {
		skb->next = NULL;
	}
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		skb = validate_one(skb, dev, features);
		if (skb) {
			*tail = skb;
			tail = &skb->next;
		}
		skb = next;
	}
	return head;
}

struct sk_buff *validate_xmit_skb_list(struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *head = NULL, **tail = &head;

	while (skb) {
		struct sk_buff *next = skb->next;

		*tail = validate_xmit_skb(skb, dev);
		while (*tail)
			tail = &(*tail)->next;
		skb = next;
	}
	return head;
}

/* ---- to the driver ------------------------------------------------------------------------------------- */

static void taps_output(const struct sk_buff *skb, struct net_device *dev,
			const struct list_head *taps)
{
	struct packet_tap *tap, *next;

	/* Whoever asks for one protocol only wants what comes in: packet(7). */
	list_for_each_entry_safe(tap, next, taps, node) {
		if (tap->type == ETH_P_ALL)
			tap->func(tap, skb, dev, true);
	}
}

static inline bool has_taps(const struct net_device *dev)
{
	return !list_empty(&dev->ptype_all) || !list_empty(&dev->net->core->ptype_all);
}

struct sk_buff *__dev_hard_start_xmit(struct sk_buff *first, struct net_device *dev,
				      struct netdev_queue *txq, bool tapped, enum netdev_tx *ret)
{
	struct sk_buff *skb = first;

	*ret = NETDEV_TX_OK;
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		if (unlikely(has_taps(dev)) && !tapped) {
			taps_output(skb, dev, &dev->net->core->ptype_all);
			taps_output(skb, dev, &dev->ptype_all);
		}
		tapped = false;
		trace_skb(skb, dev->net, TP_dev_hard_start_xmit, TRACE_PASS, txq - dev->tx, 0);
		skb_tstamp_tx(skb, SKBTX_SW_TSTAMP, SCM_TSTAMP_SND);
		*ret = netdev_start_xmit(skb, dev, next != NULL);
		if (unlikely(*ret == NETDEV_TX_BUSY)) {
			skb->next = next;
			break;
		}
		txq->trans_start = dev->cpu->now;
		skb = next;
		if (unlikely(skb && netif_xmit_stopped(txq)))
			break; /* with NETDEV_TX_OK: nobody has looked at this one yet */
	}
	if (unlikely(skb))
		dev->cpu->xmit_more = false;
	return skb;
}

struct sk_buff *dev_hard_start_xmit(struct sk_buff *first, struct net_device *dev,
				    struct netdev_queue *txq, enum netdev_tx *ret)
{
	return __dev_hard_start_xmit(first, dev, txq, false, ret);
}

static int xmit_noqueue(struct sk_buff *skb, struct net_device *dev, struct netdev_queue *txq)
{
	struct softnet_data *sd = dev->cpu->softnet;
	enum netdev_tx ret;

	if (unlikely(sd->xmit_recursion >= XMIT_RECURSION_LIMIT)) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_FORWARD_LOOP);
		return -ENETDOWN;
	}
	skb = validate_xmit_skb(skb, dev);
	if (!skb)
		return -ENOBUFS;
	sd->xmit_recursion++;
	if (netif_xmit_stopped(txq))
		ret = NETDEV_TX_BUSY;
	else
		skb = dev_hard_start_xmit(skb, dev, txq, &ret);
	sd->xmit_recursion--;
	if (likely(!skb))
		return 0;
	/* Without a queue there is no later. */
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_DEV_TX_FULL);
		skb = next;
	}
	return -ENOBUFS;
}

/* A flow keeps its queue. */
static struct netdev_queue *netdev_pick_tx(struct net_device *dev, struct sk_buff *skb)
{
	if (likely(dev->num_tx_queues == 1))
		skb->queue_mapping = 0;
	else
		skb->queue_mapping = (u16)((u64)skb->hash * dev->num_tx_queues >> 32);
	return &dev->tx[skb->queue_mapping];
}

int dev_queue_xmit(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct netdev_queue *txq;
	struct Qdisc *q;

	skb_reset_mac_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	trace_skb(skb, dev->net, TP_dev_queue_xmit, TRACE_PASS, be16_to_cpu(skb->protocol), 0);
	skb_tstamp_tx(skb, SKBTX_SCHED_TSTAMP, SCM_TSTAMP_SCHED);
	if (unlikely(!netif_running(dev))) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		return -ENETDOWN;
	}
	txq = netdev_pick_tx(dev, skb);
	q = txq->qdisc;
	if (unlikely(!q)) {
		/* No carrier: like a cable that is not plugged in, and not an error of the sender. */
		dev->stats.tx_dropped++;
		dev->stats.tx_carrier_errors++;
		kfree_skb_reason(skb, SKB_DROP_DEV_NO_CARRIER);
		return 0;
	}
	if (q->flags & TCQ_F_NOQUEUE)
		return xmit_noqueue(skb, dev, txq);
	return qdisc_xmit_skb(skb, q, dev, txq);
}

int dev_loopback_xmit(struct sk_buff *skb)
{
	__skb_pull(skb, (u32)skb_network_offset(skb));
	skb_reset_mac_header(skb);
	skb->pkt_type = SKB_PACKET_LOOPBACK;
	if (skb->ip_summed == CHECKSUM_NONE)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->tstamp = 0;
	netif_rx(skb);
	return 0;
}

/* ---- after the driver ---------------------------------------------------------------------------------- */

void dev_consume_skb_irq(struct sk_buff *skb)
{
	struct softnet_data *sd = skb->cpu->softnet;

	skb->next = sd->completion_queue;
	sd->completion_queue = skb;
	raise_softirq(skb->cpu, NET_TX_SOFTIRQ);
}

void netif_tx_wake_queue(struct netdev_queue *txq)
{
	if (!netif_xmit_stopped(txq))
		return;
	txq->state &= ~__QUEUE_STATE_DRV_XOFF;
	if (txq->qdisc && !(txq->qdisc->flags & TCQ_F_NOQUEUE))
		__netif_schedule(txq->qdisc);
}

void net_tx_action(struct cpu *cpu)
{
	struct softnet_data *sd = cpu->softnet;
	struct sk_buff *skb = sd->completion_queue;
	struct Qdisc *q = sd->output_queue;

	sd->completion_queue = NULL;
	while (skb) {
		struct sk_buff *next = skb->next;

		skb->next = NULL;
		consume_skb(skb);
		skb = next;
	}

	/* What the qdiscs schedule while they run is for the next round. */
	sd->output_queue = NULL;
	sd->output_queue_tailp = &sd->output_queue;
	while (q) {
		struct Qdisc *next = q->next_sched;

		q->next_sched = NULL;
		q->state &= ~QDISC_STATE_SCHED;
		if (!(q->state & QDISC_STATE_DEACTIVATED))
			qdisc_run(q);
		qdisc_put(q);
		q = next;
	}
}
