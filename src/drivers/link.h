/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - one direction of a link with impairments: rate, queue, delay, jitter, loss, duplicates, reordering, corruption
 *
 * Used by veth and media, and by the netem discipline. Theory of operation: link.c.
 * Locking: the cpu lock.
 */
#ifndef WEIR_DRIVERS_LINK_H
#define WEIR_DRIVERS_LINK_H

#include "core/skbuff.h"
#include "core/timer.h"
#include "lib/types.h"

struct cpu;
struct host;

#define LINK_QUEUE_PACKETS_DEFAULT 1000

struct link_params { /* attributes WEIR_LINK_* of weir/netlink.h; probabilities are parts of 2^32 */
	u64 delay_ns, jitter_ns, rate_bps;
	u32 loss, loss_burst, duplicate, reorder, corrupt;
	u32 queue_packets; /* 0: the default */
	u32 ecn_packets;   /* 0: nothing is marked */
};

struct link_stats {
	u64 lost, duplicated, reordered, corrupted, queue_drops, marked;
};

struct link {
	struct cpu *cpu;
	struct link_params p;
	struct link_stats stats;
	/* consumes: a frame arrives at the other end */
	void (*deliver)(struct link *link, struct sk_buff *skb);
	struct sk_buff_head
		txq; /* waits for, or is in, the serialiser; LINK_CB: when its last bit has left */
	struct sk_buff_head line; /* on its way; LINK_CB: when it arrives; ordered */
	u64 busy_until;           /* the serialiser is free from here on */
	u64 busy_rem;             /* fraction of a ns left over, in 1/rate */
	u64 last_arrival;         /* of those that keep order */
	struct hrtimer timer;
	bool burst;   /* Gilbert model: in the bad state */
	bool running; /* link_run() is on the stack */
	u64 rng[4];
};

/* @name: of the random stream (host_random()): the link's choices depend on it and the host's seed alone. */
void link_init(struct link *link, struct cpu *cpu, struct host *host, const char *name,
	       void (*deliver)(struct link *link, struct sk_buff *skb));
void link_fini(struct link *link); /* drops what is under way */
void link_set_params(struct link *link, const struct link_params *p);
/* Discards what is under way (the device goes down). */
void link_purge(struct link *link);
/* consume. False: dropped because the queue is full (the sender may know; loss on the link it must not). */
bool link_enqueue(struct link *link, struct sk_buff *skb);

static inline bool link_active(const struct link *link)
{
	const struct link_params *p = &link->p;

	return p->delay_ns || p->jitter_ns || p->rate_bps || p->loss || p->duplicate ||
	       p->reorder || p->corrupt || p->ecn_packets;
}

static inline bool link_idle(const struct link *link)
{
	return skb_queue_empty(&link->txq) && skb_queue_empty(&link->line);
}

#endif
