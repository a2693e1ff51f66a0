/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbour.h - from next-hop address to link-layer address, for ARP and ND alike
 *
 * The states and their transitions are those of RFC 4861 7.3.2 with Linux's additions (NOARP, PERMANENT, FAILED); values
 * are the NUD_* of linux/neighbour.h. One table per family and net. Theory of operation: neighbour.c.
 * Locking: cpu lock of the table's net.
 */
#ifndef WEIR_CORE_NEIGHBOUR_H
#define WEIR_CORE_NEIGHBOUR_H

#include <linux/neighbour.h>

#include "core/netdevice.h"

#define NUD_IN_TIMER  (NUD_INCOMPLETE | NUD_REACHABLE | NUD_DELAY | NUD_PROBE)
#define NUD_VALID     (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)
#define NUD_CONNECTED (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE)

#define NEIGH_UPDATE_F_OVERRIDE          1u
#define NEIGH_UPDATE_F_WEAK_OVERRIDE     2u
#define NEIGH_UPDATE_F_OVERRIDE_ISROUTER 4u
#define NEIGH_UPDATE_F_ISROUTER          8u
#define NEIGH_UPDATE_F_ADMIN             16u

struct neigh_table;

/* Per device and table: net.ipv4.neigh.DEV.* Times in ns. */
struct neigh_parms {
	struct list_head list;
	struct net_device *dev; /* NULL: the table's default */
	struct neigh_table *tbl;
	u64 reachable_time; /* randomised around base_reachable_time: RFC 4861 6.3.2 */
	u64 base_reachable_time, retrans_time, gc_staletime, delay_probe_time, locktime,
		proxy_delay, anycast_delay;
	u32 mcast_probes, ucast_probes, app_probes, mcast_reprobes;
	u32 queue_len_bytes, proxy_qlen;
};

struct neighbour {
	struct hlist_node hash;
	struct neigh_table *tbl;
	struct neigh_parms *parms;
	struct net_device *dev;       /* held */
	u64 confirmed, updated, used; /* ns */
	struct timer_list timer;
	struct sk_buff_head arp_queue; /* packets that wait; only in NUD_INCOMPLETE */
	u32 arp_queue_len_bytes;
	u32 refcount;
	u32 probes;
	u8 nud_state, type, flags, dead;
	u8 protocol; /* RTPROT_* */
	u8 ha[MAX_ADDR_LEN] __attribute__((aligned(8)));
	/* consumes; what the state allows: resolve, or send at once. It must not look at @n once the packet is with the device. */
	int (*output)(struct neighbour *n, struct sk_buff *skb);
	/* The link-layer header of packets of hh_protocol, the table's, is the last hh_len octets of hh; 0: none is kept. It is made anew
	 * when ha changes; when the device gets another address the entry dies. */
	u8 hh[HH_MAX] __attribute__((aligned(8)));
	be16 hh_protocol;
	u8 hh_len;
	const struct neigh_ops *ops;
	u8 primary_key[16]; /* be32 or in6_addr */
};

struct neigh_ops {
	u16 family;
	void (*solicit)(struct neighbour *n, struct sk_buff *skb); /* borrow skb (may be NULL) */
	void (*error_report)(struct neighbour *n, struct sk_buff *skb); /* consume: unreachable */
};

struct pneigh_entry { /* pneigh.c: an address that we answer for */
	struct list_head node;
	struct neigh_table *tbl;
	struct net_device *dev; /* held; NULL: questions by any device */
	u8 protocol;            /* RTPROT_* */
	u8 key[16] __attribute__((aligned(4)));
};
#define PNEIGH_BUCKETS 8

struct neigh_cb { /* skb->cb of a question that waits for its answer */
	u64 due;  /* ns; 0: it did not wait */
};
#define NEIGH_CB(skb) ((struct neigh_cb *)(skb)->cb)

struct neigh_table {
	u16 family;
	u8 key_len;
	u16 protocol;   /* ETH_P_* */
	const char *id; /* "arp_cache" */
	/* Fills type, state and ops of a new entry. 0 or -errno */
	int (*constructor)(struct neighbour *n);
	struct net *net;
	struct neigh_parms parms; /* default */
	struct list_head parms_list;
	struct hlist_head *buckets;
	u32 hash_bits;
	u32 entries;
	u32 gc_entries; /* those that garbage collection may take: not PERMANENT */
	u64 last_flush; /* ns, of the last forced collection */
	u64 last_rand;  /* ns, when the reachable times were drawn */
	u32 gc_thresh1, gc_thresh2, gc_thresh3;
	u64 gc_interval;
	struct timer_list gc_timer;
	u32 hash_rnd;
	u64 rng[4]; /* a stream of the table's own */
	struct {
		u64 allocs, destroys, hash_grows, res_failed, lookups, hits, unres_discards,
			table_fulls, forced_gc_runs, periodic_gc_runs;
		u64 rcv_probes_mcast,
			rcv_probes_ucast; /* questions received: ND alone counts them */
	} stats;
	/* pneigh.c */
	struct list_head pneigh[PNEIGH_BUCKETS];
	struct sk_buff_head proxy_queue;
	struct timer_list proxy_timer;
	void (*proxy_redo)(struct sk_buff *skb); /* consumes: a question has waited long enough */
	/* An entry comes, or goes: so that its questions are heard. 0 or -errno; both may be NULL */
	int (*pconstructor)(struct pneigh_entry *e);
	void (*pdestructor)(struct pneigh_entry *e);
	/* netlink: called on every visible change, may be NULL */
	void (*notify)(struct neighbour *n, int rtm_type);
};

/* net_init or cpu lock. What is zero in parms and gc_thresh* gets its default. 0 or -ENOMEM */
int neigh_table_init(struct neigh_table *tbl, struct net *net);
void neigh_table_clear(struct neigh_table *tbl);
struct neigh_parms *neigh_parms_alloc(struct net_device *dev, struct neigh_table *tbl);
/* After somebody has set parameters: reachable times that their base_reachable_time could not give are drawn anew. */
void neigh_table_parms_changed(struct neigh_table *tbl);
void neigh_parms_release(struct neigh_table *tbl, struct neigh_parms *p);
/* Held entry or NULL. */
struct neighbour *neigh_lookup(struct neigh_table *tbl, const void *key, struct net_device *dev);
/* Held entry; creates. NULL with *ret_err -ENOBUFS (table full) or -ENOMEM. */
struct neighbour *neigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev,
			       int *ret_err);
static inline void neigh_hold(struct neighbour *n)
{
	n->refcount++;
}
void neigh_free(struct neighbour *n); /* the last reference is gone */
static inline void neigh_release(struct neighbour *n)
{
	assert(n->refcount > 0);
	if (--n->refcount == 0)
		neigh_free(n);
}
/* @lladdr NULL: unchanged. @new_state a NUD_* value. 0 or -EPERM/-EINVAL. */
int neigh_update(struct neighbour *n, const u8 *lladdr, u8 new_state, u32 flags);
void neigh_confirm(struct neighbour *n); /* an upper layer saw progress: RFC 4861 7.3.1 */
/* Something (@skb, or NULL) is to be sent to @n. True: its address is known, send. False: @skb was queued or dropped, and the
 * address is being asked for. */
bool neigh_event_send(struct neighbour *n, struct sk_buff *skb);
/* consume; queues while unresolved. 0 or -errno (dropped). */
int neigh_resolve_output(struct neighbour *n, struct sk_buff *skb);
int neigh_connected_output(struct neighbour *n, struct sk_buff *skb);
int neigh_direct_output(struct neighbour *n, struct sk_buff *skb);
static inline int neigh_output(struct neighbour *n, struct sk_buff *skb)
{
	return n->output(n, skb);
}
int neigh_remove(struct neighbour *n); /* admin delete: unlinks, drops its queue */
void neigh_ifdown(struct neigh_table *tbl, struct net_device *dev); /* all of @dev */
void neigh_carrier_down(struct neigh_table *tbl,
			struct net_device *dev); /* all of @dev but PERMANENT */
void neigh_changeaddr(struct neigh_table *tbl, struct net_device *dev);
/* pneigh.c. The entry for @key by @dev, or for any device; NULL: none. */
struct pneigh_entry *pneigh_lookup(struct neigh_table *tbl, const void *key,
				   const struct net_device *dev);
/* The entry of just this device (NULL: any), made if there is none. NULL: no memory. */
struct pneigh_entry *pneigh_create(struct neigh_table *tbl, const void *key,
				   struct net_device *dev);
int pneigh_delete(struct neigh_table *tbl, const void *key,
		  struct net_device *dev);                          /* 0, -ENOENT */
struct pneigh_entry *pneigh_next(struct neigh_table *tbl, u64 pos); /* number @pos; NULL: no more */
/* Consumes: tbl->proxy_redo() gets it after a random part of proxy_delay. */
void pneigh_enqueue(struct neigh_table *tbl, const struct neigh_parms *p, struct sk_buff *skb);
void pneigh_table_init(struct neigh_table *tbl);
void pneigh_ifdown(struct neigh_table *tbl, const struct net_device *dev); /* NULL: all devices */
/* Calls @fn for each entry; fn must not change the table. Non-zero from fn ends the walk and is returned. */
int neigh_for_each(struct neigh_table *tbl, int (*fn)(struct neighbour *n, void *arg), void *arg);

/* neigh_sysctl.c. machine_init */
int neigh_sysctl_init(struct machine *m);

#endif
