/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink.h - weir's own netlink attributes
 *
 * Impairments of a link: inside IFLA_INFO_DATA of kind "veth", nested as WEIR_VETH_LINK. They act on what the device on which they are
 * set sends. All are optional; absent means 0 (off), and RTM_NEWLINK on an existing device changes only what is given.
 * Probabilities are parts of 2^32 (0xffffffff: always), as tc-netem's.
 */
#ifndef WEIR_NETLINK_H
#define WEIR_NETLINK_H

/* Behind VETH_INFO_PEER (1) of linux/veth.h */
#define WEIR_VETH_LINK 100

enum {
	WEIR_LINK_UNSPEC,
	WEIR_LINK_DELAY_NS,     /* u64: one-way propagation delay */
	WEIR_LINK_JITTER_NS,    /* u64: uniformly distributed around the delay; order is kept unless REORDER */
	WEIR_LINK_LOSS,         /* u32 probability */
	WEIR_LINK_LOSS_BURST,   /* u32: mean burst length in packets (Gilbert model); 0 or 1: independent losses */
	WEIR_LINK_DUPLICATE,    /* u32 probability */
	WEIR_LINK_REORDER,      /* u32 probability that a packet overtakes: it is sent without the delay */
	WEIR_LINK_CORRUPT,      /* u32 probability that one bit is flipped */
	WEIR_LINK_RATE_BPS,     /* u64 bit/s; 0: infinite. Frames are serialised with their link-layer header */
	WEIR_LINK_QUEUE_PACKETS, /* u32: of the transmit queue in front of the rate; default 1000 */
	/* read only: counters, u64 */
	WEIR_LINK_STAT_LOST,
	WEIR_LINK_STAT_DUPLICATED,
	WEIR_LINK_STAT_REORDERED,
	WEIR_LINK_STAT_CORRUPTED,
	WEIR_LINK_STAT_QUEUE_DROPS,
	WEIR_LINK_PAD,
	WEIR_LINK_MAX_
};
#define WEIR_LINK_MAX (WEIR_LINK_MAX_ - 1)

#endif
