/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_fragment.h - putting fragments together: what both IP versions share (inet_fragment.c)
 */
#ifndef WEIR_INET_INET_FRAGMENT_H
#define WEIR_INET_INET_FRAGMENT_H

#include "core/skbuff.h"
#include "core/timer.h"
#include "lib/list.h"
#include "lib/rbtree.h"

struct fqdir;
struct inet_frag_queue;
struct net;
struct net_device;

#define INET_FRAG_KEY_WORDS 12 /* two IPv6 addresses, identification, user, device, protocol */

struct inet_frag_key {
	u32 w[INET_FRAG_KEY_WORDS]; /* unused ones are 0 */
};

/* What an IP version says about its fragments; const. */
struct inet_frags {
	/* The time of @q is over. Reports that if it wants; the fragments are there still. Softirq */
	void (*expire)(struct inet_frag_queue *q);
	u32 mib_fails, mib_timeout, mib_overlaps;
};

enum {                      /* inet_frag_queue.flags */
       INET_FRAG_FIRST = 1, /* the fragment at offset 0 is there */
       INET_FRAG_LAST = 2,  /* the end is known: len is final */
       INET_FRAG_DEAD = 4,  /* out of the table */
};

/* One datagram that is not complete yet. Lies in the head area of an skb of the arena. */
struct inet_frag_queue {
	struct hlist_node hash;
	struct list_head lru; /* fqdir.lru: oldest first */
	struct timer_list timer;
	struct fqdir *fqdir;
	struct sk_buff *home;     /* whose head area this is */
	struct rb_root fragments; /* by offset; no two overlap */
	struct inet_frag_key key;
	u32 len;                   /* end of the last octet seen */
	u32 meat;                  /* octets there */
	u32 mem;                   /* truesize, home's included */
	u32 rid;                   /* max_dist: the source's counter at the last fragment */
	u16 max_size, max_df_size; /* largest fragment as a packet; of those with DF */
	u8 flags, ecn;             /* ecn: 1 << the two bits of each fragment */
};

/* The queues of one net and IP version. */
struct fqdir {
	u32 high_thresh,
		low_thresh; /* octets: over the first the oldest queues go until the second is kept */
	u32 max_dist;       /* fragments of the same source between two of a queue; 0: any number */
	u64 timeout;        /* ns */
	u32 mem, nqueues;
	const struct inet_frags *f;
	struct net *net;
	struct hlist_head *table; /* in table_home; NULL: there are no queues */
	struct sk_buff *table_home;
	struct list_head lru;
};

/* What became of a fragment. */
enum inet_frag_verdict {
	INET_FRAG_WAIT,     /* taken; others are missing */
	INET_FRAG_COMPLETE, /* taken, and it was the last one missing: call inet_frag_reasm() */
	INET_FRAG_DROPPED,  /* freed; the queue may be dead */
};

/* Before the first use; thresholds and timeout are set by the caller (sysctls). */
void fqdir_init(struct fqdir *d, const struct inet_frags *f, struct net *net);
void fqdir_exit(struct fqdir *d);
/* @dev goes away: with it whatever has a fragment from it. */
void fqdir_drop_dev(struct fqdir *d, const struct net_device *dev);

/* The queue of @key, made if there is none. NULL: no memory. */
struct inet_frag_queue *inet_frag_find(struct fqdir *d, const struct inet_frag_key *key);
/* Consumes @skb, whose data are octets [@offset, @offset + skb->len) of the datagram; @more: it is not its end. The device stays in
 * skb->dev; the caller has taken the dst off. */
enum inet_frag_verdict inet_frag_queue_insert(struct inet_frag_queue *q, struct sk_buff *skb,
					      u32 offset, bool more);
/* Drops all fragments for @reason; the queue is gone. */
void inet_frag_kill(struct inet_frag_queue *q, skb_drop_reason_t reason);
/* Drops the fragments but goes on, as if new. */
void inet_frag_restart(struct inet_frag_queue *q, skb_drop_reason_t reason);
/* The datagram: one skb, payload in fragments and frag_list, no octet copied. The queue is gone. NULL: no memory, all dropped. */
struct sk_buff *inet_frag_reasm(struct inet_frag_queue *q);
/* The fragment at offset 0, or NULL. */
struct sk_buff *inet_frag_first(const struct inet_frag_queue *q);
/* RFC 3168 5.3: the two ECN bits that a datagram of fragments with @seen (inet_frag_queue.ecn) gets; -1: must not be put
 * together, -2: those of the first fragment. */
int inet_frag_ecn(u8 seen);

/* ---- cutting: what both IP versions share in making fragments ------------------------------------------------ */

/* Octets [@off, @off + @len) of @skb (borrowed) with head room for @hlen octets and a link-layer header: page fragments are shared, the
 * rest is copied. NULL: no memory. */
struct sk_buff *inet_frag_piece(const struct sk_buff *skb, u32 hlen, u32 off, u32 len);
/* What a fragment inherits besides octets and the IP version's cb: dst, device, priority, mark, time, hash. */
void inet_frag_copy_metadata(struct sk_buff *to, const struct sk_buff *from);

#endif
