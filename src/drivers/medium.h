/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * medium.h - what Ethernet cards are plugged into: a cable to another card, a hub, a switch, a token medium
 *
 * Theory of operation
 *   A card has a port. Its transmitter hands one frame at a time to port_xmit() and hears from ops->sent() when the frame has left; what
 *   arrives comes by ops->receive(). On the wire a frame is linear, padded to 60 octets, and ends with its frame check
 *   sequence (fcs.h).
 *   A medium is a network device that no host sends through: it is made, named, seen, set up and down and removed as any other link,
 *   and its ports may belong to cards of other nets of the same cpu.
 * Invariants
 *   A port is plugged into a medium (medium != NULL), or into another port (peer->peer == port), or into nothing. Between port_xmit() and
 *   sent() the port has exactly one frame under way and port_xmit() is not called.
 * Locking: the cpu lock; rtnl to plug.
 */
#ifndef WEIR_DRIVERS_MEDIUM_H
#define WEIR_DRIVERS_MEDIUM_H

#include "core/netdevice.h"
#include "drivers/link.h"

struct medium;
struct nl_msg;
struct port;

#define PORT_RATE_DEFAULT 1000000000ULL

/* IEEE 802.3 4.4.2, in bit times. */
#define HUB_SLOT_BITS     512
#define HUB_GAP_BITS      96
#define HUB_JAM_BITS      32
#define HUB_PREAMBLE_BITS 64
#define HUB_ATTEMPTS      16
#define HUB_BACKOFF_LIMIT 10

enum port_sent {
	PORT_SENT,       /* the last bit has left */
	PORT_NO_CARRIER, /* nothing is there, or it went away */
	PORT_COLLISIONS, /* given up after HUB_ATTEMPTS */
};

struct port_ops { /* of the card; softirq or user context, cpu lock */
	void (*receive)(struct port *port, struct sk_buff *skb); /* consumes */
	/* The frame of port_xmit() has left or was given up, after @collisions. May call port_xmit(). */
	void (*sent)(struct port *port, enum port_sent how, u32 collisions);
};

enum station_state {               /* of a port on a hub */
		     STATION_IDLE, /* no frame */
		     STATION_WAIT, /* defers to others; timer: when the gap behind them ends */
		     STATION_TX, /* sends; timer: the last bit, or when it will notice a collision */
		     STATION_JAM,     /* has noticed one; timer: end of the jam */
		     STATION_BACKOFF, /* timer: a random number of slots is over */
};

struct port {
	struct net_device *dev; /* the card */
	const struct port_ops *ops;
	struct medium *medium;
	struct port *peer;
	struct list_head node; /* medium->ports */
	u32 index;             /* in that list */
	struct link_params cable;
	struct link up, down; /* cable or switch: from the card, and from the switch */
	struct hrtimer timer;
	struct sk_buff *frame; /* hub, token: what is to be sent */

	/* hub */
	enum station_state state;
	u32 collisions; /* of the frame */
	bool deferred;
	u64 tx_start, tx_end; /* of the last or the present signal, jam included */
	u64 collide_at; /* when the signal of another arrives; HOST_FOREVER: not known of any */
};

struct medium_params {
	u64 rate_bps, delay_ns, hold_ns, ageing_ns;
};

struct medium_stats {
	u64 frames, octets;
	u64 collisions, aborted, deferred;
	u64 attempts[HUB_ATTEMPTS + 1]; /* frames by collisions they had */
	u64 flooded, filtered, learned, fcs_errors;
	u64 tokens;
};

struct medium_ops {
	const char *kind;
	struct medium_params defaults;
	int (*init)(struct medium *m); /* optional; 0 or -errno */
	void (*fini)(struct medium *m);
	void (*xmit)(struct port *port, struct sk_buff *skb); /* consumes; sent() follows */
	void (*leave)(struct port *port); /* forget its frame and timers; no sent() follows */
	/* -EINVAL with a sentence for what cannot be; optional */
	int (*check)(const struct medium_params *p, const char **ret_why);
};

struct fdb_entry {
	u8 addr[ETH_ALEN];
	struct port *port; /* NULL: unused */
	u64 seen;
};

#define FDB_BUCKETS 256
#define FDB_WAYS    4

struct medium {
	struct net_device *dev;
	const struct medium_ops *ops;
	struct medium_params p;
	struct medium_stats stats;
	struct list_head ports;
	u32 nr_ports;
	u64 rng[4];
	/* frames between their sender's last bit and a receiver: ordered by arrival; MEDIUM_CB */
	struct sk_buff_head line;
	struct hrtimer line_timer;
	struct fdb_entry *fdb; /* switch: FDB_BUCKETS * FDB_WAYS */
	/* token: it left the station @token_pos at @token_free_at, unless @holder has it */
	struct hrtimer token_timer;
	struct port *holder, *next_holder;
	u32 token_pos;
	u64 token_free_at, hold_until;
};

/* ---- medium.c ---------------------------------------------------------------------------------------- */

void port_init(struct port *port, struct net_device *dev, const struct port_ops *ops);
/* rtnl. Plugs @port into @other, a medium. 0, -EINVAL (not a medium), -EOPNOTSUPP (another cpu) */
int port_plug(struct port *port, struct net_device *medium);
/* rtnl. A cable between two ports. 0, -EBUSY, -EOPNOTSUPP */
int port_cable(struct port *a, struct port *b);
/* cpu lock. What is under way is lost. */
void port_unplug(struct port *port);
void port_set_cable(struct port *port, const struct link_params *p);
/* cpu lock. The card goes up or down. */
void port_open(struct port *port);
void port_stop(struct port *port);
/* cpu lock. Forgets the frame under way; no sent() follows. */
void port_reset(struct port *port);
/* consume */
void port_xmit(struct port *port, struct sk_buff *skb);
u64 port_rate(const struct port *port); /* bit/s; 0: as fast as can be */
bool port_full_duplex(const struct port *port);
bool is_medium(const struct net_device *dev);
/* For those who make them without netlink. rtnl; registered, down. NULL with *ret_err */
struct net_device *medium_create(struct net *net, const char *name, const char *kind,
				 const struct medium_params *p, int *ret_err);
const struct medium_stats *medium_get_stats(const struct net_device *dev);

/* for hub.c, switch.c, token.c */
u64 medium_bits_ns(const struct medium *m, u64 bits);
/* borrow; a copy of the frame reaches @to at @when */
void medium_deliver_at(struct medium *m, struct port *to, const struct sk_buff *skb, u64 when);
/* Ends the port's frame (taken out already): reports to the card. */
void port_sent(struct port *port, enum port_sent how);
void port_receive(struct port *port, struct sk_buff *skb); /* consume */

/* hub.c, switch.c, token.c */
extern const struct medium_ops hub_ops, switch_ops, token_ops;
void hub_timer(struct cpu *cpu, struct hrtimer *t);
void switch_input(struct port *port, struct sk_buff *skb); /* consume */

#endif
