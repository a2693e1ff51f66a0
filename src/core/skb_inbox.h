/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skb_inbox.h - packets that other cpus hand to this one
 *
 * Theory of operation
 *   Who holds an skb under the lock of its own cpu puts it into the inbox of another one: skb_migrate() makes it the other's, an atomic
 *   stack carries it, and one piece of work per batch tells the owner, who takes all at once and hands them on in the order in
 *   which they came. At most limit packets wait, and no more than SKB_INBOX_OCTETS of memory; a full inbox refuses before anything was spent on
 *   the packet.
 * Locking: any number of cpus put; the owner's cpu lock takes. What puts must have stopped before skb_inbox_fini().
 */
#ifndef WEIR_CORE_SKB_INBOX_H
#define WEIR_CORE_SKB_INBOX_H

#include "core/cpu.h"

#define SKB_INBOX_OCTETS (16u << 20)

struct skb_inbox {
	struct cpu *cpu; /* the owner */
	/* consumes; HI softirq of the owner */
	void (*deliver)(struct skb_inbox *in, struct sk_buff *skb);
	u32 limit;
	struct cpu_call call;
	/* atomics */
	struct sk_buff *head; /* the last one put comes first */
	u64 load;             /* packets that wait, and their octets: skb_inbox.c */
	u32 refused;          /* since the owner looked last */
};

void skb_inbox_init(struct skb_inbox *in, struct cpu *cpu, u32 limit,
		    void (*deliver)(struct skb_inbox *in, struct sk_buff *skb));
void skb_inbox_fini(struct skb_inbox *in, skb_drop_reason_t reason); /* owner's cpu lock */
/* Lock of skb->cpu held. True: consumed (if there was no memory to copy what others share: discarded). False: full, still yours. */
bool skb_inbox_put(struct skb_inbox *in, struct sk_buff *skb);
/* How many were refused since the last call. */
u32 skb_inbox_take_refused(struct skb_inbox *in);

#endif
