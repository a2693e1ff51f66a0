/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink.h - weir's own netlink attributes
 *
 * Impairments of a link: inside IFLA_INFO_DATA of kind "veth", nested as WEIR_VETH_LINK. They act on what the device on which they are
 * set sends. All are optional; absent means 0 (off), and RTM_NEWLINK on an existing device changes only what is given.
 * Probabilities are parts of 2^32 (0xffffffff: always), as tc-netem's.
 *
 * Emulated Ethernet cards, kind "nic", and what they are plugged into, kinds "hub", "switch" and "token". IFLA_LINK of a new nic names the
 * device it is plugged into: a medium, or another nic, which makes a cable between the two. So with iproute2 alone:
 *     ip link add hub0 type hub
 *     ip link add link hub0 name eth0 netns NUMBER type nic      (NUMBER of weir_net_id())
 * A medium carries frames while it is up. All attributes below are optional.
 */
#ifndef WEIR_NETLINK_H
#define WEIR_NETLINK_H

/* Behind VETH_INFO_PEER (1) of linux/veth.h */
#define WEIR_VETH_LINK 100

enum {
	WEIR_LINK_UNSPEC,
	WEIR_LINK_DELAY_NS, /* u64: one-way propagation delay */
	WEIR_LINK_JITTER_NS, /* u64: uniformly distributed around the delay; order is kept unless REORDER */
	WEIR_LINK_LOSS, /* u32 probability */
	WEIR_LINK_LOSS_BURST, /* u32: mean burst length in packets (Gilbert model); 0 or 1: independent losses */
	WEIR_LINK_DUPLICATE, /* u32 probability */
	WEIR_LINK_REORDER, /* u32 probability that a packet overtakes: it is sent without the delay */
	WEIR_LINK_CORRUPT, /* u32 probability that one bit is flipped */
	WEIR_LINK_RATE_BPS, /* u64 bit/s; 0: infinite. Frames are serialised with their link-layer header */
	WEIR_LINK_QUEUE_PACKETS, /* u32: of the transmit queue in front of the rate; default 1000 */
	WEIR_LINK_ECN_PACKETS, /* u32: IP packets that find more than so many waiting are marked CE if they are ECT (RFC 3168, RFC 8257 3.1); 0: none */
	/* read only: counters, u64 */
	WEIR_LINK_STAT_LOST,
	WEIR_LINK_STAT_DUPLICATED,
	WEIR_LINK_STAT_REORDERED,
	WEIR_LINK_STAT_CORRUPTED,
	WEIR_LINK_STAT_QUEUE_DROPS,
	WEIR_LINK_STAT_MARKED,
	WEIR_LINK_PAD,
	WEIR_LINK_MAX_
};
#define WEIR_LINK_MAX (WEIR_LINK_MAX_ - 1)

/* IFLA_INFO_DATA of kind "nic". Rings and mode change only while the card is down (EBUSY). */
enum {
	WEIR_NIC_UNSPEC,
	WEIR_NIC_RX_RING, /* u32: receive descriptors, 8 to 4096; default 256. Programmed I/O: frames that the card's memory holds */
	WEIR_NIC_TX_RING, /* u32: transmit descriptors, 1 to 4096; default 256 */
	WEIR_NIC_PIO, /* u8: 1: no DMA and no NAPI, the interrupt handler copies each frame and calls netif_rx() */
	WEIR_NIC_RX_USECS, /* u32: a receive interrupt waits so long for more frames; default 0: none waits */
	WEIR_NIC_RX_FRAMES, /* u32: ... or until so many have come; 0: no such limit */
	WEIR_NIC_TX_USECS,  /* u32: the same for transmit-complete interrupts */
	WEIR_NIC_TX_FRAMES, /* u32 */
	WEIR_NIC_LINK, /* nested WEIR_LINK_*: the cable to a nic (what this one sends) or to a switch (both directions); rate
			     * 1 Gbit/s unless given */
	/* read only: counters, u64 */
	WEIR_NIC_STAT_INTERRUPTS,
	WEIR_NIC_STAT_RX_INTERRUPTS, /* of these: for received frames */
	WEIR_NIC_STAT_TX_INTERRUPTS, /* for transmitted ones; an interrupt may be both */
	WEIR_NIC_STAT_POLLS,
	WEIR_NIC_STAT_RX_OVERRUNS,
	WEIR_NIC_STAT_RX_FILTERED, /* for other stations */
	WEIR_NIC_STAT_TX_STOPPED,  /* how often the transmit queue was stopped */
	WEIR_NIC_STAT_TX_TIMEOUTS,
	WEIR_NIC_PAD,
	WEIR_NIC_MAX_
};
#define WEIR_NIC_MAX (WEIR_NIC_MAX_ - 1)

/* IFLA_INFO_DATA of kinds "hub", "switch", "token" */
enum {
	WEIR_MEDIUM_UNSPEC,
	WEIR_MEDIUM_RATE_BPS, /* u64 bit/s of the shared medium: hub 10 M, token 16 M unless given. Not for a switch: its cables have rates */
	WEIR_MEDIUM_DELAY_NS, /* u64: propagation, hub: between any two stations (at most half a slot, default 5 us); token: to the next */
	WEIR_MEDIUM_HOLD_NS, /* u64: how long a station may keep the token and begin frames; default 10 ms */
	WEIR_MEDIUM_AGEING_NS, /* u64: a switch forgets a station that has been silent so long; default 300 s */
	/* read only: counters, u64 */
	WEIR_MEDIUM_STAT_FRAMES,
	WEIR_MEDIUM_STAT_OCTETS,
	WEIR_MEDIUM_STAT_COLLISIONS, /* hub: attempts that collided, counted at each station */
	WEIR_MEDIUM_STAT_ABORTED,    /* hub: frames given up after 16 attempts */
	WEIR_MEDIUM_STAT_DEFERRED,   /* hub: frames that found the medium busy */
	WEIR_MEDIUM_STAT_FLOODED,    /* switch: frames sent to all ports */
	WEIR_MEDIUM_STAT_LEARNED,    /* switch: addresses */
	WEIR_MEDIUM_STAT_TOKENS,     /* token: times that a station kept it to send */
	WEIR_MEDIUM_PAD,
	WEIR_MEDIUM_MAX_
};
#define WEIR_MEDIUM_MAX (WEIR_MEDIUM_MAX_ - 1)

#endif
