/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nic.c - an emulated Ethernet card and its driver
 *
 * Theory of operation
 *   The card and the driver share two rings of descriptors.
 *   Transmit: nic_xmit() (driver) puts a packet on the ring and stops the queue when the ring is full. With the last packet of a list, or when
 *   the queue stops, it writes the tail register (the doorbell): the card sees no descriptor behind the tail. The card takes descriptors in
 *   order: it reads the packet ("DMA": nic_dma_out(), a copy with tag, checksum, padding and frame check sequence filled
 *   in; a big segment is cut into frames here), puts one frame at a time on the wire (medium.h), marks the descriptor done, and raises an
 *   interrupt. The handler, or the poll, gives finished packets to the completion queue (dev_consume_skb_irq(): the socket's charge
 *   ends in NET_TX softirq) and wakes the queue.
 *   Receive: the driver keeps the ring filled with empty buffers. A frame from the wire passes the frame check and the address
 *   filter and is written ("DMA": nic_dma_in()) into the next buffer; without one it is lost at once, at no cost
 *   (RX_OVERRUN). The interrupt masks further ones and schedules the napi; nic_poll() takes finished buffers up within its
 *   budget, puts new ones in, and unmasks when nothing is left.
 *   Programmed I/O: a card without DMA holds frames in its own memory, raises an interrupt for each, and the handler copies
 *   the octets and calls netif_rx(). Nothing masks interrupts then but the handler itself: under overload the cpu does
 *   nothing else (make study-livelock).
 *   Interrupts: a cause bit and, unless masked, a call of nic_interrupt() on the card's cpu: at once, or, with moderation,
 *   by a timer that the first event starts or when enough events came together. Events while masked stay as causes.
 * Invariants
 *   Ring indices only grow; tx: clean <= hw <= tail <= use <= clean + size; rx: clean <= hw <= clean + size. A descriptor between clean and hw
 *   is done and the driver's, all others are the card's.
 *   irq_masked <=> the napi is scheduled because of this card.
 * Locking: the cpu lock; rtnl to make and configure.
 */
#include "drivers/nic.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "core/ethtool.h"
#include "core/machine.h"
#include "drivers/drivers_internal.h"
#include "drivers/fcs.h"
#include "drivers/link_netlink.h"
#include "lib/csum.h"
#include "netlink/netlink.h"
#include "weir/netlink.h"
#include "wire/ethernet.h"

#define NIC_FRAME_MIN   60 /* without the frame check sequence: IEEE 802.3 3.2.7 */
#define NIC_IP_ALIGN    NET_IP_ALIGN
#define NIC_PIO_WORK    20 /* frames that one interrupt handles at most */
#define NIC_RING_MIN_RX 8
#define NIC_USECS_MAX   1000000u
#define NIC_FEATURES                                                                               \
	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_HIGHDMA |      \
	 NETIF_F_TSO | NETIF_F_TSO6)
#define NIC_VLAN_FEATURES (NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX)
#define NIC_WATCHDOG_NS   (5 * NSEC_PER_SEC)

enum { NIC_CAUSE_RX = 1 << 0, NIC_CAUSE_TX = 1 << 1 };

struct nic {
	struct net_device *dev;
	struct port port;
	struct nic_params p;
	struct napi_struct napi;
	struct nic_stats stats;

	/* receive */
	struct sk_buff **rx;
	u32 rx_hw, rx_clean, rx_fill;
	u32 rx_buf;  /* octets of a buffer */
	u64 mc_hash; /* the multicast filter: a bit for each value of six bits of the address' CRC */
	bool rx_all, rx_all_multi;

	/* transmit */
	struct sk_buff **tx;
	u32 tx_use, tx_tail, tx_hw, tx_clean;
	struct sk_buff *
		tx_segs; /* what is still to be sent of the descriptor tx_hw, if it is a big segment */
	bool tx_busy, tx_running, tx_hung;

	/* interrupts */
	u32 irq_cause;
	u32 rx_events, tx_events; /* since the last one */
	bool irq_masked, irq_running;
	struct hrtimer irq_timer;

	void (*work)(struct net_device *dev, enum nic_work what, u32 octets, void *arg);
	void *work_arg;
};

const struct nic_params nic_defaults = { .rx_ring = NIC_RING_DEFAULT, .tx_ring = NIC_RING_DEFAULT };

static const struct net_device_ops nic_ops;

static bool nic_params_ok(const struct nic_params *p)
{
	return p->rx_ring >= NIC_RING_MIN_RX && p->rx_ring <= NIC_RING_MAX && p->tx_ring &&
	       p->tx_ring <= NIC_RING_MAX;
}

static struct nic *nic_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

static struct nic *port_nic(struct port *port)
{
	return container_of(port, struct nic, port);
}

bool is_nic(const struct net_device *dev)
{
	return dev->netdev_ops == &nic_ops;
}

const struct nic_stats *nic_get_stats(const struct net_device *dev)
{
	return &nic_priv(dev)->stats;
}

struct port *nic_port(const struct net_device *dev)
{
	return &nic_priv(dev)->port;
}

static void nic_work(struct nic *nic, enum nic_work what, u32 octets)
{
	if (unlikely(nic->work))
		nic->work(nic->dev, what, octets, nic->work_arg);
}

/* ---- interrupts ------------------------------------------------------------------------------------------ */

static void nic_interrupt(struct nic *nic);

/* An event that wants an interrupt: @events of them wait, moderated by @usecs and @frames. */
static void nic_raise(struct nic *nic, u32 cause, u32 events, u32 usecs, u32 frames)
{
	u64 when = nic->dev->cpu->now + usecs * NSEC_PER_USEC;

	nic->irq_cause |= cause;
	if (nic->irq_masked || nic->irq_running)
		return;
	if (!usecs || (frames && events >= frames)) {
		nic_interrupt(nic);
		return;
	}
	if (hrtimer_active(&nic->irq_timer) && nic->irq_timer.expires <= when)
		return;
	if (hrtimer_start(nic->dev->cpu, &nic->irq_timer, when))
		nic_interrupt(nic);
}

static void nic_raise_rx(struct nic *nic)
{
	nic_raise(nic, NIC_CAUSE_RX, ++nic->rx_events, nic->p.rx_usecs, nic->p.rx_frames);
}

static void nic_raise_tx(struct nic *nic)
{
	nic_raise(nic, NIC_CAUSE_TX, ++nic->tx_events, nic->p.tx_usecs, nic->p.tx_frames);
}

static void nic_irq_timer(struct cpu *cpu, struct hrtimer *t)
{
	nic_interrupt(container_of(t, struct nic, irq_timer));
}

/* ---- transmit: the driver -------------------------------------------------------------------------------- */

static void nic_tx_run(struct nic *nic);

static u32 nic_tx_room(const struct nic *nic)
{
	return nic->p.tx_ring - (nic->tx_use - nic->tx_clean);
}

static void nic_tx_doorbell(struct nic *nic)
{
	nic->stats.tx_doorbells++;
	nic->tx_tail = nic->tx_use;
	nic_tx_run(nic);
}

static enum netdev_tx nic_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);

	if (unlikely(!nic_tx_room(nic))) {
		netif_tx_stop_queue(&dev->tx[0]);
		return NETDEV_TX_BUSY;
	}
	trace_skb(skb, dev->net, TP_nic_xmit, TRACE_QUEUED, nic->tx_use - nic->tx_clean, 0);
	nic->tx[nic->tx_use++ % nic->p.tx_ring] = skb;
	dev->tx[0].tx_room = nic_tx_room(nic);
	if (!nic_tx_room(nic)) {
		nic->stats.tx_stopped++;
		netif_tx_stop_queue(&dev->tx[0]);
	}
	if (!netdev_xmit_more(dev) || netif_xmit_stopped(&dev->tx[0]))
		nic_tx_doorbell(nic);
	return NETDEV_TX_OK;
}

static void nic_clean_tx(struct nic *nic)
{
	while (nic->tx_clean != nic->tx_hw) {
		struct sk_buff **d = &nic->tx[nic->tx_clean++ % nic->p.tx_ring];

		trace_skb(*d, nic->dev->net, TP_nic_clean_tx, TRACE_PASS, 0, 0);
		dev_consume_skb_irq(*d);
		*d = NULL;
	}
	nic->dev->tx[0].tx_room = nic_tx_room(nic);
	if (nic_tx_room(nic))
		netif_tx_wake_queue(&nic->dev->tx[0]);
}

/* ---- transmit: the card ---------------------------------------------------------------------------------- */

static u32 tx_tag_len(const struct sk_buff *skb)
{
	return skb->vlan_present ? VLAN_HLEN : 0;
}

static void tx_tag(u8 *p, const struct sk_buff *skb)
{
	be16 tci = cpu_to_be16(skb->vlan_tci);

	memmove(p + 2 * ETH_ALEN + VLAN_HLEN, p + 2 * ETH_ALEN, 2);
	memcpy(p + 2 * ETH_ALEN, &skb->vlan_proto, 2);
	memcpy(p + 2 * ETH_ALEN + 2, &tci, 2);
}

static void tx_checksum(u8 *p, u32 len, const struct sk_buff *skb)
{
	u32 start = (u32)skb_checksum_start_offset(skb) + tx_tag_len(skb);
	u16 sum = csum_fold(csum_partial(p + start, len - start, 0));

	/* RFC 768: 0 would mean that there is none; in ones' complement it is the same number. */
	sum = sum ? sum : 0xffff;
	memcpy(p + start + skb->csum_offset, &sum, sizeof(sum));
}

/* borrow; the wire's copy of a packet of wire size. NULL: out of memory */
static struct sk_buff *nic_dma_out(struct nic *nic, const struct sk_buff *skb)
{
	u32 tag = tx_tag_len(skb), len = skb->len + tag, padded = max(len, (u32)NIC_FRAME_MIN);
	struct sk_buff *wire = alloc_skb(nic->dev->cpu, padded + FCS_LEN);
	u8 *p;

	if (!wire)
		return NULL;
	p = skb_put(wire, padded + FCS_LEN);
	skb_copy_bits(skb, 0, p, ETH_HLEN);
	skb_copy_bits(skb, ETH_HLEN, p + ETH_HLEN + tag, skb->len - ETH_HLEN);
	if (tag)
		tx_tag(p, skb);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		tx_checksum(p, len, skb);
	memset(p + len, 0, padded - len);
	fcs_append(p, padded);
	wire->dev = nic->dev;
	wire->protocol = skb->protocol;
	wire->parent_id = skb->id;
	if (unlikely(wire->cpu->trace_on))
		__trace_skb(wire, nic->dev->net, TP_nic_dma_out, TRACE_CREATE, 0, skb->id,
			    wire->len, 0);
	return wire;
}

static void tx_count_drop(struct nic *nic, struct sk_buff *skb, skb_drop_reason_t reason)
{
	nic->dev->stats.tx_dropped++;
	kfree_skb_reason(skb, reason);
}

/* Segmentation offload: replaces the packet of a descriptor by its segments. False: dropped. */
static bool tx_segment(struct nic *nic, struct sk_buff **d)
{
	int err;
	struct sk_buff *big = *d, *segs = skb_gso_segment(big, nic->dev->features, &err);

	if (!segs)
		return false;
	consume_skb(big);
	/* The last one carries the charge: it stays in the descriptor. */
	nic->tx_segs = segs;
	while (segs->next)
		segs = segs->next;
	*d = segs;
	return true;
}

/* The next frame for the wire; NULL: nothing to send. Descriptors that cannot be sent are passed over. */
static struct sk_buff *tx_next(struct nic *nic)
{
	while (nic->tx_hw != nic->tx_tail) {
		struct sk_buff **d = &nic->tx[nic->tx_hw % nic->p.tx_ring], *wire = NULL;

		if (nic->tx_segs)
			wire = nic_dma_out(nic, nic->tx_segs);
		else if (!skb_is_gso(*d) || (*d)->ip_summed != CHECKSUM_PARTIAL)
			wire = (*d)->len < ETH_HLEN ? NULL : nic_dma_out(nic, *d);
		else if (tx_segment(nic, d))
			wire = nic_dma_out(nic, nic->tx_segs);
		if (wire)
			return wire;
		nic->dev->stats.tx_dropped++;
		nic->dev->stats.tx_errors++;
		while (nic->tx_segs && nic->tx_segs != *d) {
			struct sk_buff *next = nic->tx_segs->next;

			nic->tx_segs->next = NULL;
			kfree_skb_reason(nic->tx_segs, SKB_DROP_NOMEM);
			nic->tx_segs = next;
		}
		nic->tx_segs = NULL;
		nic->tx_hw++;
		nic_raise_tx(nic);
	}
	return NULL;
}

/* Keeps the wire busy. Sending may end at once and come back here: it is the outer call that goes on. */
static void nic_tx_run(struct nic *nic)
{
	struct sk_buff *wire;

	if (nic->tx_running || nic->tx_hung)
		return;
	nic->tx_running = true;
	while (!nic->tx_busy && (wire = tx_next(nic))) {
		nic->tx_busy = true;
		port_xmit(&nic->port, wire);
	}
	nic->tx_running = false;
}

static void tx_count(struct nic *nic, enum port_sent how, u32 collisions, u32 len)
{
	struct rtnl_link_stats64 *st = &nic->dev->stats;

	st->collisions += collisions;
	nic->stats.tx_single += how == PORT_SENT && collisions == 1;
	nic->stats.tx_multiple += how == PORT_SENT && collisions > 1;
	switch (how) {
	case PORT_SENT:
		st->tx_packets++;
		st->tx_bytes += len;
		return;
	case PORT_NO_CARRIER:
		st->tx_carrier_errors++;
		break;
	case PORT_COLLISIONS:
		st->tx_aborted_errors++;
		break;
	}
	st->tx_errors++;
}

static void nic_sent(struct port *port, enum port_sent how, u32 collisions)
{
	struct nic *nic = port_nic(port);
	struct sk_buff *skb;

	if (!nic->tx_busy)
		return;
	nic->tx_busy = false;
	skb = nic->tx_segs ? nic->tx_segs : nic->tx[nic->tx_hw % nic->p.tx_ring];
	tx_count(nic, how, collisions, skb->len);
	if (nic->tx_segs) {
		nic->tx_segs = skb->next;
		skb->next = NULL;
		if (nic->tx_segs)
			consume_skb(skb);
	}
	if (!nic->tx_segs) {
		nic->tx_hw++;
		nic_raise_tx(nic);
	}
	nic_tx_run(nic);
}

/* All that is in the ring is lost: the card is reset or goes down. Nothing is under way on the wire. */
static void tx_purge(struct nic *nic, skb_drop_reason_t reason)
{
	struct sk_buff *last = nic->tx_segs ? nic->tx[nic->tx_hw % nic->p.tx_ring] : NULL;

	while (nic->tx_segs && nic->tx_segs != last) {
		struct sk_buff *skb = nic->tx_segs;

		nic->tx_segs = skb->next;
		skb->next = NULL;
		tx_count_drop(nic, skb, reason);
	}
	nic->tx_segs = NULL;
	for (; nic->tx_clean != nic->tx_hw; nic->tx_clean++)
		consume_skb(nic->tx[nic->tx_clean % nic->p.tx_ring]);
	for (; nic->tx_clean != nic->tx_use; nic->tx_clean++)
		tx_count_drop(nic, nic->tx[nic->tx_clean % nic->p.tx_ring], reason);
	nic->tx_use = nic->tx_tail = nic->tx_hw = nic->tx_clean = 0;
	nic->tx_busy = nic->tx_hung = false;
}

static void nic_tx_timeout(struct net_device *dev, u32 queue)
{
	struct nic *nic = nic_priv(dev);

	nic->stats.tx_timeouts++;
	dev->stats.tx_errors++;
	port_reset(&nic->port);
	tx_purge(nic, SKB_DROP_TX_HUNG);
	dev->tx[queue].tx_room = nic_tx_room(nic);
	dev->tx[queue].trans_start = dev->cpu->now;
	netif_tx_wake_queue(&dev->tx[queue]);
}

void nic_hang(struct net_device *dev)
{
	nic_priv(dev)->tx_hung = true;
}

/* ---- receive: the card ------------------------------------------------------------------------------------ */

static u32 mc_hash_bit(const u8 *addr)
{
	return fcs_compute(addr, ETH_ALEN) >> 26;
}

static bool rx_wanted(const struct nic *nic, const u8 *dst)
{
	if (nic->rx_all || ether_addr_equal(dst, nic->dev->dev_addr))
		return true;
	if (!is_multicast_ether_addr(dst))
		return false;
	return nic->rx_all_multi || is_broadcast_ether_addr(dst) ||
	       nic->mc_hash >> mc_hash_bit(dst) & 1;
}

/* Is the TCP or UDP checksum of this IPv4 packet right? False: wrong, or not for this card to say. */
static bool rx_checksum_ok(const u8 *ip, u32 len)
{
	u32 hlen = (ip[0] & 15u) * 4, total;
	be32 saddr, daddr;

	if (len < 20 || ip[0] >> 4 != 4 || hlen < 20)
		return false;
	total = (u32)ip[2] << 8 | ip[3];
	if (total < hlen + 8 || total > len)
		return false;
	/* fragments, and other protocols */
	if ((ip[6] & 0x3f) || ip[7] || (ip[9] != IPPROTO_TCP && ip[9] != IPPROTO_UDP))
		return false;
	if (ip[9] == IPPROTO_UDP && !ip[hlen + 6] && !ip[hlen + 7])
		return false;
	memcpy(&saddr, ip + 12, 4);
	memcpy(&daddr, ip + 16, 4);
	return !csum_tcpudp_magic(saddr, daddr, total - hlen, ip[9],
				  csum_partial(ip + hlen, total - hlen, 0));
}

/* What the card found out, and the octets of a frame, into a buffer of the host. */
static void nic_write_frame(struct nic *nic, struct sk_buff *skb, const struct sk_buff *wire)
{
	u32 len = wire->len - FCS_LEN;
	const u8 *p = wire->data;
	u16 type = (u16)(p[12] << 8 | p[13]);

	if (type == ETH_P_8021Q && nic->dev->features & NETIF_F_HW_VLAN_CTAG_RX &&
	    len >= ETH_HLEN + VLAN_HLEN) {
		memcpy(skb_put(skb, 2 * ETH_ALEN), p, 2 * ETH_ALEN);
		skb->vlan_present = 1;
		skb->vlan_proto = BE16_INIT(ETH_P_8021Q);
		skb->vlan_tci = (u16)(p[14] << 8 | p[15]);
		p += VLAN_HLEN;
		len -= VLAN_HLEN;
		memcpy(skb_put(skb, len - 2 * ETH_ALEN), p + 2 * ETH_ALEN, len - 2 * ETH_ALEN);
	} else {
		memcpy(skb_put(skb, len), p, len);
	}
	type = (u16)(skb->data[12] << 8 | skb->data[13]);
	if (nic->dev->features & NETIF_F_RXCSUM && type == ETH_P_IP &&
	    rx_checksum_ok(skb->data + ETH_HLEN, len - ETH_HLEN))
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->parent_id = wire->id;
	if (unlikely(skb->cpu->trace_on))
		__trace_skb(skb, nic->dev->net, TP_nic_dma_in, TRACE_CREATE, 0, wire->id,
			    nic->rx_hw, 0);
}

static void rx_overrun(struct nic *nic, struct sk_buff *wire)
{
	nic->stats.rx_overruns++;
	if (nic->p.pio)
		nic->dev->stats.rx_fifo_errors++;
	else
		nic->dev->stats.rx_missed_errors++;
	kfree_skb_reason(wire, SKB_DROP_RX_OVERRUN);
	/* Whoever could make room may not know that it is needed. */
	nic_raise_rx(nic);
}

/* consume: into the next descriptor */
static void nic_dma_in(struct nic *nic, struct sk_buff *wire)
{
	struct sk_buff *skb = nic->rx[nic->rx_hw % nic->p.rx_ring];

	if (nic->rx_hw == nic->rx_fill || wire->len - FCS_LEN > nic->rx_buf) {
		rx_overrun(nic, wire);
		return;
	}
	nic_write_frame(nic, skb, wire);
	consume_skb(wire);
	nic->rx_hw++;
	nic_raise_rx(nic);
}

/* consume: into the card's own memory */
static void nic_fifo_in(struct nic *nic, struct sk_buff *wire)
{
	if (nic->rx_hw - nic->rx_clean >= nic->p.rx_ring) {
		rx_overrun(nic, wire);
		return;
	}
	nic->rx[nic->rx_hw++ % nic->p.rx_ring] = wire;
	nic_raise_rx(nic);
}

static skb_drop_reason_t rx_check(struct nic *nic, const struct sk_buff *wire)
{
	struct rtnl_link_stats64 *st = &nic->dev->stats;

	if (wire->len < NIC_FRAME_MIN + FCS_LEN) {
		st->rx_errors++;
		st->rx_length_errors++;
		return SKB_DROP_PKT_TOO_SMALL;
	}
	if (!fcs_ok(wire->data, wire->len)) {
		st->rx_errors++;
		st->rx_crc_errors++;
		return SKB_DROP_FRAME_CHECK;
	}
	if (!rx_wanted(nic, wire->data)) {
		nic->stats.rx_filtered++;
		return SKB_DROP_RX_FILTER;
	}
	if (wire->len > nic->dev->mtu + ETH_HLEN + VLAN_HLEN + FCS_LEN) {
		st->rx_errors++;
		st->rx_length_errors++;
		return SKB_DROP_DEV_MTU;
	}
	return SKB_NOT_DROPPED;
}

void nic_wire_input(struct net_device *dev, struct sk_buff *wire)
{
	struct nic *nic = nic_priv(dev);
	skb_drop_reason_t reason;

	wire->dev = dev;
	if (!netif_running(dev)) {
		kfree_skb_reason(wire, SKB_DROP_DEV_DOWN);
		return;
	}
	reason = rx_check(nic, wire);
	if (reason)
		kfree_skb_reason(wire, reason);
	else if (nic->p.pio)
		nic_fifo_in(nic, wire);
	else
		nic_dma_in(nic, wire);
}

static void nic_receive(struct port *port, struct sk_buff *wire)
{
	nic_wire_input(port->dev, wire);
}

static const struct port_ops nic_port_ops = { .receive = nic_receive, .sent = nic_sent };

/* ---- receive: the driver ----------------------------------------------------------------------------------- */

/* The network header behind 14 octets of Ethernet is to be aligned. */
static struct sk_buff *rx_buffer(struct nic *nic, u32 size)
{
	struct sk_buff *skb = netdev_alloc_skb(nic->dev, size + NIC_IP_ALIGN);

	if (skb)
		skb_reserve(skb, NIC_IP_ALIGN);
	return skb;
}

static void nic_refill(struct nic *nic)
{
	while (nic->rx_fill - nic->rx_clean < nic->p.rx_ring) {
		struct sk_buff *skb = rx_buffer(nic, nic->rx_buf);

		if (!skb)
			return;
		nic->rx[nic->rx_fill++ % nic->p.rx_ring] = skb;
	}
}

/* consume; a frame in the host's memory */
static void rx_deliver(struct nic *nic, struct sk_buff *skb)
{
	struct net_device *dev = nic->dev;

	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	if (nic->p.pio)
		netif_rx(skb);
	else
		napi_gro_receive(&nic->napi, skb);
}

static int nic_poll(struct napi_struct *napi, int budget)
{
	struct nic *nic = nic_priv(napi->dev);
	int work = 0;

	nic->stats.polls++;
	nic_work(nic, NIC_WORK_POLL, 0);
	nic->irq_cause = 0;
	nic_clean_tx(nic);
	/* A delivery may bring the card down: then the ring is empty, and its memory stays until the next start. */
	while (work < budget && nic->rx_clean != nic->rx_hw) {
		struct sk_buff *skb = nic->rx[nic->rx_clean++ % nic->p.rx_ring];

		work++;
		nic_work(nic, NIC_WORK_FRAME, skb->len);
		trace_skb(skb, NULL, TP_nic_poll, TRACE_PASS, work, 0);
		rx_deliver(nic, skb);
		if (unlikely(!netif_running(nic->dev)))
			return work;
	}
	nic_refill(nic);
	nic->rx_events = nic->tx_events = 0;
	if (work < budget && napi_complete_done(napi, work)) {
		nic->irq_masked = false;
		nic->irq_cause = 0;
		/* What came since the last look. */
		if (nic->rx_clean != nic->rx_hw)
			nic_raise_rx(nic);
		if (nic->tx_clean != nic->tx_hw)
			nic_raise_tx(nic);
	}
	return work;
}

/* The old way: octet by octet, in the handler. */
static void nic_interrupt_pio(struct nic *nic)
{
	for (u32 work = 0; work < NIC_PIO_WORK && nic->rx_clean != nic->rx_hw; work++) {
		struct sk_buff *wire = nic->rx[nic->rx_clean % nic->p.rx_ring];
		struct sk_buff *skb = rx_buffer(nic, wire->len);

		nic_work(nic, NIC_WORK_PIO, wire->len);
		nic->rx_clean++;
		if (!skb) {
			nic->dev->stats.rx_dropped++;
			kfree_skb_reason(wire, SKB_DROP_NOMEM);
			continue;
		}
		nic_write_frame(nic, skb, wire);
		consume_skb(wire);
		trace_skb(skb, NULL, TP_nic_interrupt_pio, TRACE_PASS, 0, 0);
		rx_deliver(nic, skb);
	}
	if (nic->rx_clean != nic->rx_hw)
		nic->irq_cause |= NIC_CAUSE_RX;
	else
		nic->irq_cause &= ~(u32)NIC_CAUSE_RX;
}

/* The handler. It is not entered again while it runs: what happens meanwhile is a further interrupt right behind. */
static void nic_interrupt(struct nic *nic)
{
	struct cpu *cpu = nic->dev->cpu;
	u8 interrupted;

	if (nic->irq_masked || nic->irq_running || !nic->irq_cause)
		return;
	nic->irq_running = true;
	interrupted = irq_enter(cpu);
	hrtimer_cancel(nic->dev->cpu, &nic->irq_timer);
	while (nic->irq_cause && !nic->irq_masked) {
		u32 cause = nic->irq_cause;

		nic->irq_cause = 0;
		nic->stats.interrupts++;
		nic->stats.rx_interrupts += !!(cause & NIC_CAUSE_RX);
		nic->stats.tx_interrupts += !!(cause & NIC_CAUSE_TX);
		nic->rx_events = nic->tx_events = 0;
		nic_work(nic, NIC_WORK_INTERRUPT, 0);
		if (cause & NIC_CAUSE_TX)
			nic_clean_tx(nic);
		if (!(cause & NIC_CAUSE_RX))
			continue;
		if (nic->p.pio) {
			nic_interrupt_pio(nic);
		} else {
			nic->irq_masked = true;
			if (nic->rx_clean != nic->rx_hw)
				trace_skb(nic->rx[nic->rx_clean % nic->p.rx_ring], NULL,
					  TP_nic_interrupt, TRACE_QUEUED, cause, 0);
			napi_schedule(&nic->napi);
		}
	}
	irq_exit(cpu, interrupted);
	nic->irq_running = false;
}

/* ---- device operations --------------------------------------------------------------------------------------- */

static int nic_init(struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);

	netif_napi_add(dev, &nic->napi, nic_poll);
	dev->carrier = false;
	return 0;
}

static void nic_uninit(struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);

	cpu_lock(dev->cpu);
	port_unplug(&nic->port);
	netif_napi_del(&nic->napi);
	cpu_unlock(dev->cpu);
}

static void nic_free_rings(struct nic *nic)
{
	free(nic->rx);
	free(nic->tx);
	nic->rx = nic->tx = NULL;
}

static void nic_destructor(struct net_device *dev)
{
	nic_free_rings(nic_priv(dev));
}

struct nic_rings {
	struct sk_buff **rx, **tx;
};

static int nic_rings_alloc(struct nic_rings *ret, const struct nic_params *p)
{
	ret->rx = calloc(p->rx_ring, sizeof(*ret->rx));
	ret->tx = calloc(p->tx_ring, sizeof(*ret->tx));
	if (ret->rx && ret->tx)
		return 0;
	free(ret->rx);
	free(ret->tx);
	return -ENOMEM;
}

/* Takes the rings. */
static int nic_start(struct nic *nic, const struct nic_rings *rings)
{
	struct net_device *dev = nic->dev;

	nic_free_rings(nic);
	nic->rx = rings->rx;
	nic->tx = rings->tx;
	nic->rx_buf = dev->mtu + ETH_HLEN + VLAN_HLEN;
	nic->irq_cause = nic->rx_events = nic->tx_events = 0;
	nic->irq_masked = false;
	if (!nic->p.pio) {
		nic_refill(nic);
		napi_enable(&nic->napi);
	}
	dev->tx[0].tx_room = nic_tx_room(nic);
	netif_tx_wake_queue(&dev->tx[0]);
	port_open(&nic->port);
	return nic->p.pio || nic->rx_fill ? 0 : -ENOMEM;
}

static int nic_stop(struct net_device *dev);

static int nic_open(struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);
	struct nic_rings rings;
	int err = nic_rings_alloc(&rings, &nic->p);

	if (err)
		return err;
	err = nic_start(nic, &rings);
	if (err)
		nic_stop(dev);
	return err;
}

static void rx_purge(struct nic *nic)
{
	u32 end = nic->p.pio ? nic->rx_hw : nic->rx_fill;

	for (; nic->rx_clean != end; nic->rx_clean++) {
		struct sk_buff *skb = nic->rx[nic->rx_clean % nic->p.rx_ring];

		if (nic->rx_clean < nic->rx_hw)
			kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		else
			consume_skb(skb); /* an empty buffer */
	}
	nic->rx_clean = nic->rx_hw = nic->rx_fill = 0;
}

static int nic_stop(struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);

	hrtimer_cancel(dev->cpu, &nic->irq_timer);
	napi_disable(&nic->napi);
	port_stop(&nic->port);
	tx_purge(nic, SKB_DROP_DEV_DOWN);
	rx_purge(nic);
	return 0;
}

static void nic_set_rx_mode(struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);
	struct netdev_hw_addr *ha;

	nic->rx_all = dev->flags & IFF_PROMISC;
	nic->rx_all_multi = dev->flags & IFF_ALLMULTI;
	nic->mc_hash = 0;
	list_for_each_entry(ha, &dev->mc, node)
		nic->mc_hash |= 1ULL << mc_hash_bit(ha->addr);
}

static int nic_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

/* Empty buffers are of the old size: new ones. Frames that have arrived are lost, as when a card is reset. */
static int nic_change_mtu(struct net_device *dev, int mtu)
{
	struct nic *nic = nic_priv(dev);

	if (!netif_running(dev) || nic->p.pio)
		return 0;
	rx_purge(nic);
	nic->rx_buf = (u32)mtu + ETH_HLEN + VLAN_HLEN;
	nic_refill(nic);
	return 0;
}

static struct net_device *nic_get_peer(struct net_device *dev)
{
	const struct port *port = nic_port(dev);

	return port->peer ? port->peer->dev : port->medium ? port->medium->dev : NULL;
}

static int nic_get_iflink(const struct net_device *dev)
{
	const struct port *port = nic_port(dev);

	return port->peer     ? port->peer->dev->ifindex
	       : port->medium ? port->medium->dev->ifindex
			      : 0;
}

static const struct net_device_ops nic_ops = {
	.ndo_init = nic_init,
	.ndo_uninit = nic_uninit,
	.ndo_open = nic_open,
	.ndo_stop = nic_stop,
	.ndo_start_xmit = nic_xmit,
	.ndo_tx_timeout = nic_tx_timeout,
	.ndo_set_rx_mode = nic_set_rx_mode,
	.ndo_set_mac_address = nic_set_mac,
	.ndo_change_mtu = nic_change_mtu,
	.ndo_get_peer_dev = nic_get_peer,
	.ndo_get_iflink = nic_get_iflink,
};

/* ---- ethtool ------------------------------------------------------------------------------------------------- */

#define NIC_STAT(name_) ETHTOOL_OWN_STAT(#name_, struct nic_stats, name_)

static const struct ethtool_stat nic_stats[] = {
	ETHTOOL_DEV_STAT("rx_packets", rx_packets),
	ETHTOOL_DEV_STAT("tx_packets", tx_packets),
	ETHTOOL_DEV_STAT("rx_bytes", rx_bytes),
	ETHTOOL_DEV_STAT("tx_bytes", tx_bytes),
	ETHTOOL_DEV_STAT("rx_errors", rx_errors),
	ETHTOOL_DEV_STAT("tx_errors", tx_errors),
	ETHTOOL_DEV_STAT("rx_dropped", rx_dropped),
	ETHTOOL_DEV_STAT("tx_dropped", tx_dropped),
	ETHTOOL_DEV_STAT("multicast", multicast),
	ETHTOOL_DEV_STAT("collisions", collisions),
	ETHTOOL_DEV_STAT("rx_length_errors", rx_length_errors),
	ETHTOOL_DEV_STAT("rx_crc_errors", rx_crc_errors),
	ETHTOOL_DEV_STAT("rx_missed_errors", rx_missed_errors),
	ETHTOOL_DEV_STAT("rx_fifo_errors", rx_fifo_errors),
	ETHTOOL_DEV_STAT("tx_aborted_errors", tx_aborted_errors),
	ETHTOOL_DEV_STAT("tx_carrier_errors", tx_carrier_errors),
	NIC_STAT(interrupts),
	NIC_STAT(rx_interrupts),
	NIC_STAT(tx_interrupts),
	NIC_STAT(polls),
	NIC_STAT(rx_overruns),
	NIC_STAT(rx_filtered),
	NIC_STAT(tx_stopped),
	NIC_STAT(tx_timeouts),
	NIC_STAT(tx_doorbells),
	NIC_STAT(tx_single),
	NIC_STAT(tx_multiple),
};

static const void *nic_stats_own(struct net_device *dev)
{
	return &nic_priv(dev)->stats;
}

static int nic_get_link_settings(struct net_device *dev, struct ethtool_link *ret)
{
	const struct port *port = nic_port(dev);

	ret->port = PORT_TP;
	if (!netif_carrier_ok(dev))
		return 0;
	ret->speed = (u32)(port_rate(port) / 1000000);
	ret->duplex = port_full_duplex(port) ? DUPLEX_FULL : DUPLEX_HALF;
	return 0;
}

static int nic_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ret)
{
	ret->rx_max_pending = ret->tx_max_pending = NIC_RING_MAX;
	ret->rx_pending = nic_priv(dev)->p.rx_ring;
	ret->tx_pending = nic_priv(dev)->p.tx_ring;
	return 0;
}

/* A card that is up is stopped for it, as real ones are: what is in the rings is lost. */
static int nic_set_ringparam(struct net_device *dev, const struct ethtool_ringparam *r,
			     struct netlink_ext_ack *extack)
{
	struct nic *nic = nic_priv(dev);
	struct nic_params p = nic->p;
	struct nic_rings rings = { 0 };
	int err = 0;

	p.rx_ring = r->rx_pending;
	p.tx_ring = r->tx_pending;
	if (!nic_params_ok(&p))
		return -EINVAL;
	if (netif_running(dev))
		err = nic_rings_alloc(&rings, &p);
	if (err)
		return err;
	cpu_lock(dev->cpu);
	if (netif_running(dev)) {
		nic_stop(dev);
		nic->p = p;
		nic_start(nic, &rings);
	} else {
		nic->p = p;
	}
	cpu_unlock(dev->cpu);
	return 0;
}

static int nic_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ret)
{
	const struct nic_params *p = &nic_priv(dev)->p;

	ret->rx_coalesce_usecs = p->rx_usecs;
	ret->rx_max_coalesced_frames = p->rx_frames;
	ret->tx_coalesce_usecs = p->tx_usecs;
	ret->tx_max_coalesced_frames = p->tx_frames;
	return 0;
}

static int nic_set_coalesce(struct net_device *dev, const struct ethtool_coalesce *c,
			    struct netlink_ext_ack *extack)
{
	struct nic_params p = nic_priv(dev)->p;

	if (c->rx_coalesce_usecs > NIC_USECS_MAX || c->tx_coalesce_usecs > NIC_USECS_MAX) {
		nl_set_err_msg(extack, "an interrupt waits for %u us at most", NIC_USECS_MAX);
		return -EINVAL;
	}
	p.rx_usecs = c->rx_coalesce_usecs;
	p.rx_frames = c->rx_max_coalesced_frames;
	p.tx_usecs = c->tx_coalesce_usecs;
	p.tx_frames = c->tx_max_coalesced_frames;
	return nic_set_params(dev, &p);
}

static int nic_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	ret->max_combined = ret->combined_count = 1;
	return 0;
}

/* IEEE 802.3 5.2.2 */
static void nic_get_mac_stats(struct net_device *dev, u64 *data)
{
	const struct rtnl_link_stats64 *st = &dev->stats;
	const struct nic *nic = nic_priv(dev);

	data[ETHTOOL_A_STATS_ETH_MAC_2_TX_PKT] = st->tx_packets;
	data[ETHTOOL_A_STATS_ETH_MAC_3_SINGLE_COL] = nic->stats.tx_single;
	data[ETHTOOL_A_STATS_ETH_MAC_4_MULTI_COL] = nic->stats.tx_multiple;
	data[ETHTOOL_A_STATS_ETH_MAC_5_RX_PKT] = st->rx_packets;
	data[ETHTOOL_A_STATS_ETH_MAC_6_FCS_ERR] = st->rx_crc_errors;
	data[ETHTOOL_A_STATS_ETH_MAC_8_TX_BYTES] = st->tx_bytes;
	data[ETHTOOL_A_STATS_ETH_MAC_11_XS_COL] = st->tx_aborted_errors;
	data[ETHTOOL_A_STATS_ETH_MAC_13_CS_ERR] = st->tx_carrier_errors;
	data[ETHTOOL_A_STATS_ETH_MAC_14_RX_BYTES] = st->rx_bytes;
	data[ETHTOOL_A_STATS_ETH_MAC_21_RX_MCAST] = st->multicast;
}

static const struct ethtool_ops nic_ethtool_ops = {
	.driver = "nic",
	.coalesce_params = ETHTOOL_COALESCE_BIT(rx_coalesce_usecs) |
			   ETHTOOL_COALESCE_BIT(rx_max_coalesced_frames) |
			   ETHTOOL_COALESCE_BIT(tx_coalesce_usecs) |
			   ETHTOOL_COALESCE_BIT(tx_max_coalesced_frames),
	.stats = nic_stats,
	.nr_stats = ARRAY_SIZE(nic_stats),
	.stats_own = nic_stats_own,
	.get_link = ethtool_op_get_link,
	.get_link_settings = nic_get_link_settings,
	.get_ringparam = nic_get_ringparam,
	.set_ringparam = nic_set_ringparam,
	.get_coalesce = nic_get_coalesce,
	.set_coalesce = nic_set_coalesce,
	.get_channels = nic_get_channels,
	.get_mac_stats = nic_get_mac_stats,
};

static void nic_setup(struct net_device *dev)
{
	struct nic *nic = nic_priv(dev);

	ether_setup(dev);
	dev->netdev_ops = &nic_ops;
	dev->ethtool_ops = &nic_ethtool_ops;
	dev->rtnl_link_ops = &nic_link_ops;
	dev->features = NIC_FEATURES;
	dev->hw_features = NIC_FEATURES | NIC_VLAN_FEATURES;
	dev->max_mtu = 9000;
	dev->live_addr_change = true;
	dev->watchdog_timeo = NIC_WATCHDOG_NS;
	dev->priv_destructor = nic_destructor;
	nic->dev = dev;
	nic->p = nic_defaults;
	port_init(&nic->port, dev, &nic_port_ops);
	hrtimer_setup(&nic->irq_timer, nic_irq_timer);
}

void nic_set_work(struct net_device *dev,
		  void (*work)(struct net_device *dev, enum nic_work what, u32 octets, void *arg),
		  void *arg)
{
	nic_priv(dev)->work = work;
	nic_priv(dev)->work_arg = arg;
}

/* ---- making and configuring ----------------------------------------------------------------------------------- */

int nic_set_params(struct net_device *dev, const struct nic_params *p)
{
	struct nic *nic = nic_priv(dev);

	if (!nic_params_ok(p))
		return -EINVAL;
	if (netif_running(dev) &&
	    (p->rx_ring != nic->p.rx_ring || p->tx_ring != nic->p.tx_ring || p->pio != nic->p.pio))
		return -EBUSY;
	cpu_lock(dev->cpu);
	nic->p = *p;
	cpu_unlock(dev->cpu);
	return 0;
}

void nic_set_cable(struct net_device *dev, const struct link_params *p)
{
	cpu_lock(dev->cpu);
	port_set_cable(nic_port(dev), p);
	cpu_unlock(dev->cpu);
}

static int nic_plug(struct net_device *dev, struct net_device *link)
{
	if (is_nic(link))
		return port_cable(nic_port(dev), nic_port(link));
	return port_plug(nic_port(dev), link);
}

/* Registers @dev, and leaves it unregistered on failure. */
static int nic_register(struct net_device *dev, struct net_device *link)
{
	int err;

	memcpy(dev->perm_addr, dev->dev_addr, ETH_ALEN); /* burnt in when it was made */
	err = register_netdevice(dev);

	if (err || !link)
		return err;
	err = nic_plug(dev, link);
	if (err) {
		/* unregister_netdevice() would free it: the caller does. */
		cpu_lock(dev->cpu);
		dev_hold(dev);
		cpu_unlock(dev->cpu);
		unregister_netdevice(dev);
		dev->reg_state = NETREG_UNINITIALIZED;
	}
	return err;
}

struct net_device *nic_create(struct net *net, const char *name, const struct nic_params *p,
			      struct net_device *link, int *ret_err)
{
	struct net_device *dev = alloc_netdev(net, sizeof(struct nic), name, nic_setup, 1);

	if (!dev) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	eth_hw_addr_random(dev);
	*ret_err = nic_set_params(dev, p ? p : &nic_defaults);
	if (!*ret_err)
		*ret_err = nic_register(dev, link);
	if (!*ret_err)
		return dev;
	free_netdev(dev);
	return NULL;
}

/* ---- netlink ------------------------------------------------------------------------------------------------------ */

static const struct nla_policy nic_policy[WEIR_NIC_MAX + 1] = {
	[WEIR_NIC_RX_RING] = { NLA_K_U32, .min = NIC_RING_MIN_RX, .max = NIC_RING_MAX,
			       .help = "receive descriptors" },
	[WEIR_NIC_TX_RING] = { NLA_K_U32, .min = 1, .max = NIC_RING_MAX,
			       .help = "transmit descriptors" },
	[WEIR_NIC_PIO] = { NLA_K_U8,
			   .help = "programmed I/O and netif_rx() instead of DMA and NAPI" },
	[WEIR_NIC_RX_USECS] = { NLA_K_U32, .max = NIC_USECS_MAX,
				.help = "how long a receive interrupt waits for more frames" },
	[WEIR_NIC_RX_FRAMES] = { NLA_K_U32, .help = "frames that end that waiting" },
	[WEIR_NIC_TX_USECS] = { NLA_K_U32, .max = NIC_USECS_MAX,
				.help = "how long a transmit-complete interrupt waits" },
	[WEIR_NIC_TX_FRAMES] = { NLA_K_U32, .help = "frames that end that waiting" },
	[WEIR_NIC_LINK] = { NLA_K_NESTED, .nested = link_attr_policy, .maxtype = WEIR_LINK_MAX,
			    .help = "the cable" },
};

static void put_u32(const struct nlattr *a, u32 *v)
{
	if (a)
		*v = nla_get_u32(a);
}

static int nic_changelink(struct net_device *dev, const struct nlattr **tb,
			  const struct nlattr **data, struct netlink_ext_ack *extack)
{
	struct nic *nic = nic_priv(dev);
	struct link_params cable = nic->port.cable;
	struct nic_params p = nic->p;
	int err;

	if (!data)
		return 0;
	put_u32(data[WEIR_NIC_RX_RING], &p.rx_ring);
	put_u32(data[WEIR_NIC_TX_RING], &p.tx_ring);
	put_u32(data[WEIR_NIC_RX_USECS], &p.rx_usecs);
	put_u32(data[WEIR_NIC_RX_FRAMES], &p.rx_frames);
	put_u32(data[WEIR_NIC_TX_USECS], &p.tx_usecs);
	put_u32(data[WEIR_NIC_TX_FRAMES], &p.tx_frames);
	if (data[WEIR_NIC_PIO])
		p.pio = nla_get_u8(data[WEIR_NIC_PIO]);
	if (data[WEIR_NIC_LINK]) {
		err = link_params_parse(data[WEIR_NIC_LINK], &cable, extack);
		if (err)
			return err;
	}
	err = nic_set_params(dev, &p);
	if (err) {
		nl_set_err_msg(extack, "rings and mode of a card change only while it is down");
		return err;
	}
	nic_set_cable(dev, &cable);
	return 0;
}

/* What IFLA_LINK names, in the net of the requester. */
static int nic_find_link(struct net *src_net, const struct nlattr **tb,
			 struct net_device **ret_link, struct netlink_ext_ack *extack)
{
	struct net_device *link;

	*ret_link = NULL;
	if (!tb[IFLA_LINK])
		return 0;
	link = __dev_get_by_index(src_net, (int)nla_get_u32(tb[IFLA_LINK]));
	if (!link)
		return -ENODEV;
	if (!is_nic(link) && !is_medium(link)) {
		nl_set_bad_attr(extack, tb[IFLA_LINK]);
		nl_set_err_msg(
			extack,
			"a card is plugged into a hub, a switch, a token medium or another card");
		return -EINVAL;
	}
	*ret_link = link;
	return 0;
}

static int nic_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
		       const struct nlattr **data, struct netlink_ext_ack *extack)
{
	struct net_device *link;
	int err = nic_find_link(src_net, tb, &link, extack);

	if (err)
		return err;
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	err = nic_changelink(dev, tb, data, extack);
	if (err)
		return err;
	err = nic_register(dev, link);
	if (err == -EOPNOTSUPP)
		nl_set_err_msg(extack,
			       "what is plugged together must be in instances of the same cpu");
	else if (err == -EBUSY)
		nl_set_err_msg(extack, "%s has a cable already", link ? link->name : "");
	return err;
}

static int nic_validate(const struct nlattr **tb, const struct nlattr **data,
			struct netlink_ext_ack *extack)
{
	const struct nlattr *a = tb[IFLA_ADDRESS];

	if (!a || (nla_len(a) == ETH_ALEN && is_valid_ether_addr(nla_data(a))))
		return 0;
	nl_set_bad_attr(extack, a);
	nl_set_err_msg(extack, "not a unicast Ethernet address");
	return nla_len(a) == ETH_ALEN ? -EADDRNOTAVAIL : -EINVAL;
}

static void nic_fill_info(struct nl_msg *m, const struct net_device *dev)
{
	const struct nic *nic = nic_priv(dev);
	struct link cable = { .p = nic->port.cable, .stats = nic->port.up.stats };

	nla_put_u32(m, WEIR_NIC_RX_RING, nic->p.rx_ring);
	nla_put_u32(m, WEIR_NIC_TX_RING, nic->p.tx_ring);
	nla_put_u8(m, WEIR_NIC_PIO, nic->p.pio);
	nla_put_u32(m, WEIR_NIC_RX_USECS, nic->p.rx_usecs);
	nla_put_u32(m, WEIR_NIC_RX_FRAMES, nic->p.rx_frames);
	nla_put_u32(m, WEIR_NIC_TX_USECS, nic->p.tx_usecs);
	nla_put_u32(m, WEIR_NIC_TX_FRAMES, nic->p.tx_frames);
	link_fill(m, WEIR_NIC_LINK, &cable);
	nla_put_u64(m, WEIR_NIC_STAT_INTERRUPTS, nic->stats.interrupts);
	nla_put_u64(m, WEIR_NIC_STAT_RX_INTERRUPTS, nic->stats.rx_interrupts);
	nla_put_u64(m, WEIR_NIC_STAT_TX_INTERRUPTS, nic->stats.tx_interrupts);
	nla_put_u64(m, WEIR_NIC_STAT_POLLS, nic->stats.polls);
	nla_put_u64(m, WEIR_NIC_STAT_RX_OVERRUNS, nic->stats.rx_overruns);
	nla_put_u64(m, WEIR_NIC_STAT_RX_FILTERED, nic->stats.rx_filtered);
	nla_put_u64(m, WEIR_NIC_STAT_TX_STOPPED, nic->stats.tx_stopped);
	nla_put_u64(m, WEIR_NIC_STAT_TX_TIMEOUTS, nic->stats.tx_timeouts);
}

const struct rtnl_link_ops nic_link_ops = {
	.kind = "nic",
	.priv_size = sizeof(struct nic),
	.setup = nic_setup,
	.policy = nic_policy,
	.maxtype = WEIR_NIC_MAX,
	.validate = nic_validate,
	.newlink = nic_newlink,
	.changelink = nic_changelink,
	.fill_info = nic_fill_info,
};
