/* SPDX-License-Identifier: BSD-2-Clause */
/* nic.h - the emulated Ethernet card, for those who make one without netlink, measure it, or give its work a price */
#ifndef WEIR_DRIVERS_NIC_H
#define WEIR_DRIVERS_NIC_H

#include "core/netdevice.h"
#include "drivers/medium.h"

#define NIC_RING_DEFAULT 256
#define NIC_RING_MAX     4096

struct nic_params {
	u32 rx_ring, tx_ring;    /* descriptors */
	bool pio;                /* programmed I/O and netif_rx() */
	u32 rx_usecs, rx_frames; /* moderation: weir/netlink.h */
	u32 tx_usecs, tx_frames;
};

struct nic_stats {
	u64 interrupts, rx_interrupts, tx_interrupts, polls;
	u64 rx_overruns, rx_filtered, tx_stopped, tx_timeouts;
	u64 tx_doorbells;           /* writes of the tail register */
	u64 tx_single, tx_multiple; /* frames sent after one, after more collisions */
};

/* What the cpu does for a card. On real machines it takes time; here only if somebody counts it. */
enum nic_work {
	NIC_WORK_INTERRUPT, /* entering and leaving the handler */
	NIC_WORK_PIO,       /* copying a frame out of the card, octet by octet */
	NIC_WORK_POLL,      /* one call of poll() */
	NIC_WORK_FRAME,     /* one frame's descriptor */
};

extern const struct nic_params nic_defaults;

/* rtnl. A registered card, down; @link: a medium or another card to be plugged into, or NULL. NULL with *ret_err (as nic_set_params(),
 * port_plug(), port_cable(), register_netdevice()) */
struct net_device *nic_create(struct net *net, const char *name, const struct nic_params *p,
			      struct net_device *link, int *ret_err);
/* rtnl. 0, -EINVAL, -EBUSY (rings and mode of a card that is up) */
int nic_set_params(struct net_device *dev, const struct nic_params *p);
void nic_set_cable(struct net_device *dev, const struct link_params *p); /* rtnl */
bool is_nic(const struct net_device *dev);
const struct nic_stats *nic_get_stats(const struct net_device *dev);
struct port *nic_port(const struct net_device *dev);
/* cpu lock. @work is called for whatever the cpu does for the card; it may bring frames by nic_wire_input(). */
void nic_set_work(struct net_device *dev,
		  void (*work)(struct net_device *dev, enum nic_work what, u32 octets, void *arg),
		  void *arg);
/* cpu lock; consume. A frame with its frame check sequence arrives from the wire. */
void nic_wire_input(struct net_device *dev, struct sk_buff *skb);
/* cpu lock. A transmitter that hangs, until the driver's watchdog resets it. */
void nic_hang(struct net_device *dev);

#endif
