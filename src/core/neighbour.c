/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbour.c - from next-hop address to link-layer address
 *
 * Theory of operation
 *   A neighbour is created by the first packet (or route) that needs it. Its state says what is known (RFC 4861 7.3.2):
 *
 *     NONE        nothing was tried yet
 *     INCOMPLETE  being asked for by multicast or broadcast; packets wait in arp_queue
 *     REACHABLE   address known and confirmed within reachable_time: output is neigh_connected_output
 *     STALE       address known, not confirmed lately; the next packet uses it and moves on to
 *     DELAY       used; an upper layer gets delay_probe_time to confirm it, then
 *     PROBE       asked by unicast; packets still use the old address
 *     FAILED      nobody answered; the next packet starts over
 *     NOARP, PERMANENT   no resolution needed; set by the administrator. No timers.
 *
 *   The timer runs in INCOMPLETE, REACHABLE, DELAY and PROBE (NUD_IN_TIMER). All changes by packets and by the administrator go
 *   through neigh_update(). A confirmation from above (neigh_confirm) only notes the time; the timer looks at it.
 *   Entries that nobody but the table refers to are collected: periodically when unused for gc_staletime or failed, and by
 *   force when the table has reached gc_thresh2 for 5 s or gc_thresh3.
 * Invariants
 *   arp_queue is non-empty only in INCOMPLETE, holds at most queue_len_bytes of truesize (one packet always fits), and the oldest
 *   packet gives way. ha is valid only in states of NUD_VALID. A timer is armed exactly in NUD_IN_TIMER.
 *   An entry in the table has a reference for being there. A dead entry is not in the table, has tbl and parms NULL,
 *   no timer, an empty queue, and discards what is sent through it: routes may hold it for longer than the table lives.
 * Locking
 *   The cpu lock of the table's net. No driver is called from a walk of the table.
 * See RFC 4861 7.3.2 and 7.3.3, RFC 826; RFC 1122 2.3.2.2 (the queue).
 */
#include "core/neighbour.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/dst.h"
#include "core/machine.h"
#include "lib/random.h"

#define NEIGH_HASH_BITS_MIN 3
#define NEIGH_HASH_BITS_MAX 20
#define NEIGH_RETRANS_MIN   (10 * NSEC_PER_MSEC)
#define NEIGH_GC_PERIOD_MIN (100 * NSEC_PER_MSEC)
#define NEIGH_FLUSH_PERIOD                                                                         \
	(5 * NSEC_PER_SEC) /* forced collections; what is younger survives them */
#define NEIGH_RAND_PERIOD                                                                          \
	(300 * NSEC_PER_SEC) /* RFC 4861 6.3.4: draw again at least every few hours */

static u64 tbl_now(const struct neigh_table *tbl)
{
	return tbl->net->cpu->now;
}

/* ---- hash ---------------------------------------------------------------------------------------------- */

static u32 neigh_hash(const struct neigh_table *tbl, const void *key, const struct net_device *dev)
{
	u32 h = tbl->hash_rnd ^ (u32)dev->ifindex * 0x9e3779b1u;
	const u8 *p = key;
	u32 word;

	for (u32 i = 0; i < tbl->key_len; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		h = (h ^ word) * 0x85ebca6bu;
		h ^= h >> 15;
	}
	return h & ((1u << tbl->hash_bits) - 1);
}

static void hash_grow(struct neigh_table *tbl)
{
	u32 old_size = 1u << tbl->hash_bits;
	struct hlist_head *old = tbl->buckets, *buckets;

	if (tbl->entries <= old_size || tbl->hash_bits >= NEIGH_HASH_BITS_MAX)
		return;
	buckets = calloc(2 * (size_t)old_size, sizeof(*buckets));
	if (!buckets)
		return;
	tbl->buckets = buckets;
	tbl->hash_bits++;
	for (u32 i = 0; i < old_size; i++) {
		struct neighbour *n;
		struct hlist_node *next;

		hlist_for_each_entry_safe(n, next, &old[i], hash) {
			hlist_del_init(&n->hash);
			hlist_add_head(&n->hash, &buckets[neigh_hash(tbl, n->primary_key, n->dev)]);
		}
	}
	free(old);
	tbl->stats.hash_grows++;
}

static struct neighbour *hash_find(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct neighbour *n;

	hlist_for_each_entry(n, &tbl->buckets[neigh_hash(tbl, key, dev)], hash) {
		if (n->dev == dev && !memcmp(n->primary_key, key, tbl->key_len))
			return n;
	}
	return NULL;
}

/* ---- notices, queue, timer ----------------------------------------------------------------------------- */

static void neigh_notify(struct neighbour *n, int type)
{
	if (n->tbl->notify)
		n->tbl->notify(n, type);
}

static void arp_queue_drop(struct neighbour *n, struct sk_buff *skb, skb_drop_reason_t reason)
{
	n->arp_queue_len_bytes -= skb->truesize;
	kfree_skb_reason(skb, reason);
}

static void arp_queue_purge(struct neighbour *n, skb_drop_reason_t reason)
{
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&n->arp_queue)))
		arp_queue_drop(n, skb, reason);
}

static void neigh_arm(struct neighbour *n, u64 expires)
{
	mod_timer(n->tbl->net->cpu, &n->timer, expires);
}

static u64 retrans_time(const struct neighbour *n)
{
	return max(n->parms->retrans_time, (u64)NEIGH_RETRANS_MIN);
}

/* ---- state ---------------------------------------------------------------------------------------------- */

/* The address is known, or another one. */
static void neigh_hh_init(struct neighbour *n)
{
	const struct header_ops *ops = n->dev->header_ops;

	n->hh_len = ops && ops->cache ? (u8)ops->cache(n->dev, n->tbl->protocol, n->ha, n->hh) : 0;
}

static void neigh_connect(struct neighbour *n)
{
	neigh_hh_init(n);
	n->output = n->dev->header_ops ? neigh_connected_output : neigh_direct_output;
}

static void neigh_suspect(struct neighbour *n)
{
	n->output = n->dev->header_ops ? neigh_resolve_output : neigh_direct_output;
}

static int neigh_blackhole(struct neighbour *n, struct sk_buff *skb)
{
	kfree_skb_reason(skb, SKB_DROP_NEIGH_DEAD);
	return -ENETDOWN;
}

static u32 neigh_max_probes(const struct neighbour *n)
{
	const struct neigh_parms *p = n->parms;

	return p->ucast_probes + p->app_probes +
	       (n->nud_state & NUD_PROBE ? p->mcast_reprobes : p->mcast_probes);
}

/* The entry has just become FAILED: those who wait learn it. */
static void neigh_invalidate(struct neighbour *n)
{
	struct sk_buff *skb;

	n->tbl->stats.res_failed++;
	/* A report may send packets, and they may bring the entry back to life. */
	while (n->nud_state == NUD_FAILED && (skb = skb_dequeue(&n->arp_queue))) {
		n->arp_queue_len_bytes -= skb->truesize;
		n->ops->error_report(n, skb);
	}
	if (n->nud_state == NUD_FAILED)
		arp_queue_purge(n, SKB_DROP_NEIGH_FAILED);
}

/* One question to the network. May run the whole way down to a driver: the caller holds a reference. */
static void neigh_probe(struct neighbour *n)
{
	struct sk_buff *skb = skb_peek_tail(&n->arp_queue);

	n->probes++;
	/* The packet stays alive for the solicitation, whatever happens to the queue meanwhile. */
	if (skb)
		skb_get(skb);
	n->ops->solicit(n, skb);
	consume_skb(skb);
}

/* REACHABLE has run out, or somebody confirmed it meanwhile. Returns when to look again (ignored in STALE). */
static u64 timer_reachable(struct neighbour *n, u64 now, bool *notify)
{
	struct neigh_parms *p = n->parms;

	if (now < n->confirmed + p->reachable_time)
		return n->confirmed + p->reachable_time;
	n->updated = now;
	neigh_suspect(n);
	/* In use all the time: no need to wait for the next packet. */
	if (now < n->used + p->delay_probe_time) {
		n->nud_state = NUD_DELAY;
		return now + p->delay_probe_time;
	}
	n->nud_state = NUD_STALE;
	*notify = true;
	return 0;
}

static u64 timer_delay(struct neighbour *n, u64 now, bool *notify)
{
	n->updated = now;
	*notify = true;
	if (now <= n->confirmed + n->parms->delay_probe_time) {
		n->nud_state = NUD_REACHABLE;
		neigh_connect(n);
		return n->confirmed + n->parms->reachable_time;
	}
	n->nud_state = NUD_PROBE;
	n->probes = 0;
	return now + retrans_time(n);
}

static void neigh_timer_handler(struct cpu *cpu, struct timer_list *t)
{
	struct neighbour *n = container_of(t, struct neighbour, timer);
	u64 now = cpu->now, next;
	bool notify = false;

	neigh_hold(n);
	if (n->nud_state & NUD_REACHABLE)
		next = timer_reachable(n, now, &notify);
	else if (n->nud_state & NUD_DELAY)
		next = timer_delay(n, now, &notify);
	else
		next = now + retrans_time(n);

	if (n->nud_state & (NUD_INCOMPLETE | NUD_PROBE) && n->probes >= neigh_max_probes(n)) {
		n->nud_state = NUD_FAILED;
		n->updated = now;
		notify = true;
		neigh_invalidate(n);
	} else if (n->nud_state & NUD_IN_TIMER) {
		neigh_arm(n, next);
		if (n->nud_state & (NUD_INCOMPLETE | NUD_PROBE))
			neigh_probe(n);
	}
	if (notify && !n->dead)
		neigh_notify(n, RTM_NEWNEIGH);
	neigh_release(n);
}

/* NONE or FAILED: starts to ask. False: nobody can be asked, @skb is gone. */
static bool neigh_start_resolution(struct neighbour *n, struct sk_buff *skb)
{
	u64 now = tbl_now(n->tbl);

	n->updated = now;
	if (!n->parms->mcast_probes && !n->parms->app_probes) {
		n->nud_state = NUD_FAILED;
		if (skb)
			kfree_skb_reason(skb, SKB_DROP_NEIGH_FAILED);
		return false;
	}
	/* Unicast questions make no sense yet: count them as asked. */
	n->probes = n->parms->ucast_probes;
	n->nud_state = NUD_INCOMPLETE;
	neigh_arm(n, now + retrans_time(n));
	return true;
}

static void neigh_enqueue(struct neighbour *n, struct sk_buff *skb)
{
	/* RFC 1122 2.3.2.2: keep at least the latest packet. */
	while (n->arp_queue_len_bytes + skb->truesize > n->parms->queue_len_bytes) {
		struct sk_buff *oldest = skb_dequeue(&n->arp_queue);

		if (!oldest)
			break;
		n->tbl->stats.unres_discards++;
		arp_queue_drop(n, oldest, SKB_DROP_NEIGH_QUEUEFULL);
	}
	skb_queue_tail(&n->arp_queue, skb);
	n->arp_queue_len_bytes += skb->truesize;
}

bool neigh_event_send(struct neighbour *n, struct sk_buff *skb)
{
	bool ask = false;

	if (unlikely(n->dead)) {
		if (skb)
			kfree_skb_reason(skb, SKB_DROP_NEIGH_DEAD);
		return false;
	}
	n->used = tbl_now(n->tbl);
	if (n->nud_state & (NUD_CONNECTED | NUD_DELAY | NUD_PROBE))
		return true;
	if (n->nud_state & NUD_STALE) {
		n->nud_state = NUD_DELAY;
		n->updated = n->used;
		neigh_arm(n, n->used + n->parms->delay_probe_time);
		return true;
	}
	if (!(n->nud_state & NUD_INCOMPLETE)) {
		if (!neigh_start_resolution(n, skb))
			return false;
		ask = true;
	}
	if (skb)
		neigh_enqueue(n, skb);
	if (ask) {
		neigh_hold(n);
		neigh_probe(n);
		neigh_release(n);
	}
	return false;
}

/* ---- output --------------------------------------------------------------------------------------------- */

/* The header is not kept, or there is no room for it. */
static __attribute__((noinline)) int neigh_xmit_create(struct neighbour *n, struct sk_buff *skb)
{
	struct net_device *dev = n->dev;

	if (unlikely(skb_headroom(skb) < (u32)dev->hard_header_len + dev->needed_headroom) &&
	    skb_cow_head(skb, (u32)dev->hard_header_len + dev->needed_headroom)) {
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return -ENOMEM;
	}
	skb->dev = dev;
	if (unlikely(dev_hard_header(skb, dev, be16_to_cpu(skb->protocol), n->ha, NULL, skb->len) <
		     0)) {
		kfree_skb_reason(skb, SKB_DROP_DEV_HEADER);
		return -EINVAL;
	}
	return dev_queue_xmit(skb);
}

static inline int neigh_xmit(struct neighbour *n, struct sk_buff *skb)
{
	int off = skb_network_offset(skb);
	u32 len = n->hh_len;
	u8 *data;

	if (unlikely(off > 0))
		__skb_pull(skb, (u32)off);
	if (unlikely(!len || skb_headroom(skb) < HH_MAX || !be16_eq(skb->protocol, n->hh_protocol)))
		return neigh_xmit_create(n, skb);
	data = skb->data;
	skb->data -= len; /* no more than HH_MAX */
	skb->len += len;
	skb->dev = n->dev;
	memcpy(data - HH_MAX, n->hh, HH_MAX); /* all of it, by one load and one store */
	return dev_queue_xmit(skb);
}

int neigh_resolve_output(struct neighbour *n, struct sk_buff *skb)
{
	bool valid = n->nud_state & NUD_VALID;

	trace_skb(skb, NULL, TP_neigh_resolve_output, valid ? TRACE_PASS : TRACE_QUEUED,
		  n->nud_state, 0);
	if (!neigh_event_send(n, skb))
		return 0;
	return neigh_xmit(n, skb);
}

int neigh_connected_output(struct neighbour *n, struct sk_buff *skb)
{
	n->used = n->dev->cpu->now;
	return neigh_xmit(n, skb);
}

int neigh_direct_output(struct neighbour *n, struct sk_buff *skb)
{
	int off = skb_network_offset(skb);

	if (off > 0)
		__skb_pull(skb, (u32)off);
	skb->dev = n->dev;
	return dev_queue_xmit(skb);
}

void neigh_confirm(struct neighbour *n)
{
	if (!n->dead)
		n->confirmed = tbl_now(n->tbl);
}

/* ---- update --------------------------------------------------------------------------------------------- */

static void set_isrouter(struct neighbour *n, u32 flags)
{
	if (flags & NEIGH_UPDATE_F_ISROUTER)
		n->flags |= NTF_ROUTER;
	else
		n->flags &= (u8)~NTF_ROUTER;
}

/* The address is known now: what waited goes out, in order. */
static void arp_queue_flush(struct neighbour *n)
{
	struct sk_buff *skb;

	while (n->nud_state & NUD_VALID && !n->dead && (skb = skb_dequeue(&n->arp_queue))) {
		n->arp_queue_len_bytes -= skb->truesize;
		n->output(n, skb);
	}
}

static void account_permanent(struct neighbour *n, u8 old, u8 new)
{
	if (!(old & NUD_PERMANENT) && new &NUD_PERMANENT)
		n->tbl->gc_entries--;
	else if (old & NUD_PERMANENT && !(new &NUD_PERMANENT))
		n->tbl->gc_entries++;
}

static void neigh_set_state(struct neighbour *n, u8 new)
{
	u64 now = tbl_now(n->tbl);

	del_timer(&n->timer);
	account_permanent(n, n->nud_state, new);
	n->nud_state = new;
	if (new &NUD_PROBE)
		n->probes = 0;
	if (new &NUD_IN_TIMER)
		neigh_arm(n, new &NUD_REACHABLE ? now + n->parms->reachable_time
			     : new &NUD_DELAY   ? now + n->parms->delay_probe_time
						: now);
}

/* To a state in which the address is not known. */
static void neigh_update_invalid(struct neighbour *n, u8 new)
{
	u8 old = n->nud_state;
	bool notify = old & NUD_VALID;

	neigh_set_state(n, new);
	neigh_suspect(n);
	n->updated = tbl_now(n->tbl);
	if (new &NUD_FAILED && old &(NUD_INCOMPLETE | NUD_PROBE)) {
		neigh_invalidate(n);
		notify = true;
	}
	if (notify && !n->dead)
		neigh_notify(n, RTM_NEWNEIGH);
}

static int neigh_update_valid(struct neighbour *n, const u8 *lladdr, u8 new, u32 flags)
{
	u64 now = tbl_now(n->tbl);
	u8 old = n->nud_state;
	bool same, notify = false;

	if (!lladdr && !(old & NUD_VALID) && n->dev->addr_len)
		return -EINVAL;
	same = !n->dev->addr_len || !lladdr ||
	       (old & NUD_VALID && !memcmp(lladdr, n->ha, n->dev->addr_len));

	if (new &NUD_CONNECTED)
		n->confirmed = now;
	if (old & NUD_VALID && !same && !(flags & NEIGH_UPDATE_F_OVERRIDE)) {
		/* Somebody else claims the address. Weakly: doubt the old one, but keep it; otherwise do not listen. */
		if (!(flags & NEIGH_UPDATE_F_WEAK_OVERRIDE) || !(old & NUD_CONNECTED))
			return 0;
		same = true;
		new = NUD_STALE;
	} else if (old & NUD_VALID && same && new == NUD_STALE && !(flags & NEIGH_UPDATE_F_ADMIN)) {
		/* Nothing new: what is better confirmed stays so. */
		new = old;
	}
	if (flags & NEIGH_UPDATE_F_OVERRIDE_ISROUTER || !(old & NUD_VALID))
		set_isrouter(n, flags);

	if (new != old || !same)
		n->updated = now;
	if (!same) {
		memcpy(n->ha, lladdr, n->dev->addr_len);
		neigh_hh_init(n);
		if (!(new &NUD_CONNECTED))
			n->confirmed = now - min(now, 2 * n->parms->base_reachable_time);
		notify = true;
	}
	if (new != old) {
		neigh_set_state(n, new);
		notify = true;
		if (new &NUD_CONNECTED)
			neigh_connect(n);
		else
			neigh_suspect(n);
		if (!(old & NUD_VALID))
			arp_queue_flush(n);
	} else if (new &NUD_REACHABLE) {
		neigh_arm(n, now + n->parms->reachable_time);
	}
	if (notify && !n->dead)
		neigh_notify(n, RTM_NEWNEIGH);
	return 0;
}

int neigh_update(struct neighbour *n, const u8 *lladdr, u8 new_state, u32 flags)
{
	int err = 0;

	if (n->dead)
		return -EPERM;
	if (n->nud_state & (NUD_NOARP | NUD_PERMANENT) && !(flags & NEIGH_UPDATE_F_ADMIN))
		return -EPERM;
	neigh_hold(n);
	if (n->tbl->net->cpu->trace_on && !skb_queue_empty(&n->arp_queue))
		__trace_skb(skb_peek(&n->arp_queue), n->tbl->net, TP_neigh_update, TRACE_PASS, 0, 0,
			    n->nud_state, new_state);
	if (new_state & NUD_VALID)
		err = neigh_update_valid(n, lladdr, new_state, flags);
	else
		neigh_update_invalid(n, new_state);
	neigh_release(n);
	return err;
}

/* ---- life ----------------------------------------------------------------------------------------------- */

void neigh_free(struct neighbour *n)
{
	struct net_device *dev = n->dev;

	assert(n->dead && skb_queue_empty(&n->arp_queue) && !timer_pending(&n->timer));
	free(n);
	dev_put(dev);
}

/* Out of the table, and harmless from now on. */
static void neigh_unlink(struct neighbour *n)
{
	struct neigh_table *tbl = n->tbl;

	hlist_del_init(&n->hash);
	tbl->entries--;
	tbl->gc_entries -= !(n->nud_state & NUD_PERMANENT);
	tbl->stats.destroys++;
	del_timer(&n->timer);
	arp_queue_purge(n, SKB_DROP_NEIGH_DEAD);
	n->output = neigh_blackhole;
	n->dead = true;
	neigh_notify(n, RTM_DELNEIGH);
	n->tbl = NULL;
	n->parms = NULL;
	neigh_release(n);
}

static bool gc_forced_takes(const struct neighbour *n, u64 now)
{
	if (n->refcount != 1 || n->nud_state & (NUD_PERMANENT | NUD_IN_TIMER))
		return false;
	return n->nud_state & (NUD_FAILED | NUD_NOARP) || now > n->updated + NEIGH_FLUSH_PERIOD;
}

static bool gc_periodic_takes(const struct neighbour *n, u64 now)
{
	if (n->refcount != 1 || n->nud_state & (NUD_PERMANENT | NUD_IN_TIMER))
		return false;
	return n->nud_state == NUD_FAILED ||
	       now > max(n->used, n->confirmed) + n->parms->gc_staletime;
}

static u32 gc_walk(struct neigh_table *tbl, bool (*takes)(const struct neighbour *n, u64 now),
		   u32 max)
{
	u32 freed = 0, size = 1u << tbl->hash_bits;
	u64 now = tbl_now(tbl);

	for (u32 i = 0; i < size && freed < max; i++) {
		struct hlist_node *next;
		struct neighbour *n;

		hlist_for_each_entry_safe(n, next, &tbl->buckets[i], hash) {
			if (!takes(n, now))
				continue;
			neigh_unlink(n);
			if (++freed == max)
				break;
		}
	}
	return freed;
}

static void neigh_forced_gc(struct neigh_table *tbl)
{
	u32 want = tbl->gc_entries > tbl->gc_thresh2 ? tbl->gc_entries - tbl->gc_thresh2 : 1;

	tbl->stats.forced_gc_runs++;
	gc_walk(tbl, gc_forced_takes, want);
	tbl->last_flush = tbl_now(tbl);
}

/* RFC 4861 6.3.2: between half and one and a half of the base, so that neighbours do not ask in step. */
static u64 rand_reachable_time(struct neigh_table *tbl, u64 base)
{
	return base ? random_next(tbl->rng) % base + base / 2 : 0;
}

void neigh_table_parms_changed(struct neigh_table *tbl)
{
	struct neigh_parms *p;

	list_for_each_entry(p, &tbl->parms_list, list)
		if (p->reachable_time < p->base_reachable_time / 2 ||
		    p->reachable_time >= p->base_reachable_time / 2 + p->base_reachable_time)
			p->reachable_time = rand_reachable_time(tbl, p->base_reachable_time);
}

/* The administrator may set base_reachable_time to 0; the timer must not run all the time then. */
static void gc_arm(struct neigh_table *tbl)
{
	mod_timer(tbl->net->cpu, &tbl->gc_timer,
		  tbl_now(tbl) + max(tbl->parms.base_reachable_time / 2, (u64)NEIGH_GC_PERIOD_MIN));
}

static void neigh_periodic(struct cpu *cpu, struct timer_list *t)
{
	struct neigh_table *tbl = container_of(t, struct neigh_table, gc_timer);
	struct neigh_parms *p;

	tbl->stats.periodic_gc_runs++;
	if (cpu->now > tbl->last_rand + NEIGH_RAND_PERIOD) {
		tbl->last_rand = cpu->now;
		list_for_each_entry(p, &tbl->parms_list, list)
			p->reachable_time = rand_reachable_time(tbl, p->base_reachable_time);
	}
	if (tbl->entries >= tbl->gc_thresh1)
		gc_walk(tbl, gc_periodic_takes, UINT32_MAX);
	/* An empty table needs no timer: an idle instance sleeps for ever. */
	if (tbl->entries)
		gc_arm(tbl);
}

/* Room for one more entry? */
static bool neigh_table_room(struct neigh_table *tbl)
{
	u64 now = tbl_now(tbl);

	if (tbl->gc_entries >= tbl->gc_thresh3 ||
	    (tbl->gc_entries >= tbl->gc_thresh2 && now > tbl->last_flush + NEIGH_FLUSH_PERIOD))
		neigh_forced_gc(tbl);
	if (tbl->gc_entries < tbl->gc_thresh3)
		return true;
	tbl->stats.table_fulls++;
	return false;
}

static struct neigh_parms *parms_find(struct neigh_table *tbl, struct net_device *dev)
{
	struct neigh_parms *p;

	list_for_each_entry(p, &tbl->parms_list, list) {
		if (p->dev == dev)
			return p;
	}
	return &tbl->parms;
}

static struct neighbour *neigh_alloc(struct neigh_table *tbl, const void *key,
				     struct net_device *dev)
{
	struct neighbour *n = calloc(1, sizeof(*n));
	u64 now = tbl_now(tbl);

	if (!n)
		return NULL;
	n->tbl = tbl;
	n->parms = parms_find(tbl, dev);
	n->dev = dev;
	n->hh_protocol = cpu_to_be16(tbl->protocol);
	n->nud_state = NUD_NONE;
	n->type = RTN_UNICAST;
	n->refcount = 1;
	n->updated = n->used = now;
	n->confirmed = now - min(now, 2 * n->parms->base_reachable_time);
	memcpy(n->primary_key, key, tbl->key_len);
	skb_queue_head_init(&n->arp_queue);
	timer_setup(&n->timer, neigh_timer_handler);
	neigh_suspect(n);
	return n;
}

struct neighbour *neigh_lookup(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct neighbour *n = hash_find(tbl, key, dev);

	tbl->stats.lookups++;
	if (n) {
		tbl->stats.hits++;
		neigh_hold(n);
	}
	return n;
}

struct neighbour *neigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev,
			       int *ret_err)
{
	struct neighbour *n = hash_find(tbl, key, dev);
	int err;

	if (n) {
		neigh_hold(n);
		return n;
	}
	if (!neigh_table_room(tbl)) {
		*ret_err = -ENOBUFS;
		return NULL;
	}
	n = neigh_alloc(tbl, key, dev);
	if (!n) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	err = tbl->constructor ? tbl->constructor(n) : 0;
	if (err) {
		free(n);
		*ret_err = err;
		return NULL;
	}
	if (n->nud_state & NUD_CONNECTED)
		neigh_connect(n);
	dev_hold(dev);
	hlist_add_head(&n->hash, &tbl->buckets[neigh_hash(tbl, key, dev)]);
	tbl->entries++;
	tbl->gc_entries += !(n->nud_state & NUD_PERMANENT);
	tbl->stats.allocs++;
	hash_grow(tbl);
	if (!timer_pending(&tbl->gc_timer))
		gc_arm(tbl);
	neigh_hold(n);
	return n;
}

int neigh_remove(struct neighbour *n)
{
	if (n->dead)
		return -ENOENT;
	neigh_hold(n);
	account_permanent(n, n->nud_state, NUD_FAILED);
	n->nud_state = NUD_FAILED;
	neigh_unlink(n);
	neigh_release(n);
	return 0;
}

static void neigh_flush_dev(struct neigh_table *tbl, struct net_device *dev, bool keep_permanent)
{
	for (u32 i = 0; i < 1u << tbl->hash_bits; i++) {
		struct hlist_node *next;
		struct neighbour *n;

		hlist_for_each_entry_safe(n, next, &tbl->buckets[i], hash) {
			if ((!dev || n->dev == dev) &&
			    !(keep_permanent && n->nud_state & NUD_PERMANENT))
				neigh_unlink(n);
		}
	}
}

void neigh_ifdown(struct neigh_table *tbl, struct net_device *dev)
{
	neigh_flush_dev(tbl, dev, false);
	pneigh_ifdown(tbl, dev);
}

void neigh_carrier_down(struct neigh_table *tbl, struct net_device *dev)
{
	neigh_flush_dev(tbl, dev, true);
}

void neigh_changeaddr(struct neigh_table *tbl, struct net_device *dev)
{
	neigh_flush_dev(tbl, dev, false);
}

int neigh_for_each(struct neigh_table *tbl, int (*fn)(struct neighbour *n, void *arg), void *arg)
{
	for (u32 i = 0; i < 1u << tbl->hash_bits; i++) {
		struct neighbour *n;

		hlist_for_each_entry(n, &tbl->buckets[i], hash) {
			int err = fn(n, arg);

			if (err)
				return err;
		}
	}
	return 0;
}

/* ---- tables --------------------------------------------------------------------------------------------- */

struct neigh_parms *neigh_parms_alloc(struct net_device *dev, struct neigh_table *tbl)
{
	struct neigh_parms *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = tbl->parms;
	p->dev = dev;
	p->reachable_time = rand_reachable_time(tbl, p->base_reachable_time);
	list_init(&p->list);
	list_add_tail(&p->list, &tbl->parms_list);
	return p;
}

void neigh_parms_release(struct neigh_table *tbl, struct neigh_parms *p)
{
	if (!p || p == &tbl->parms)
		return;
	neigh_flush_dev(tbl, p->dev, false);
	list_del(&p->list);
	free(p);
}

/* Linux's defaults: arp(7), RFC 4861 10. */
static void parms_defaults(struct neigh_parms *p)
{
	p->base_reachable_time = 30 * NSEC_PER_SEC;
	p->retrans_time = NSEC_PER_SEC;
	p->gc_staletime = 60 * NSEC_PER_SEC;
	p->delay_probe_time = 5 * NSEC_PER_SEC;
	p->locktime = NSEC_PER_SEC;
	p->proxy_delay = 800 * NSEC_PER_MSEC;
	p->anycast_delay = NSEC_PER_SEC;
	p->mcast_probes = 3;
	p->ucast_probes = 3;
	p->queue_len_bytes = 212992;
	p->proxy_qlen = 64;
}

int neigh_table_init(struct neigh_table *tbl, struct net *net)
{
	char stream[32];
	u64 seed;

	assert(tbl->key_len && tbl->key_len <= sizeof_field(struct neighbour, primary_key) &&
	       tbl->key_len % sizeof(u32) == 0);
	tbl->net = net;
	tbl->hash_bits = NEIGH_HASH_BITS_MIN;
	tbl->buckets = calloc(1u << tbl->hash_bits, sizeof(*tbl->buckets));
	if (!tbl->buckets)
		return -ENOMEM;
	snprintf(stream, sizeof(stream), "neigh:%u:%u", net->id, tbl->family);
	host_random(net->machine->host, stream, &seed, sizeof(seed));
	random_seed(tbl->rng, seed);
	tbl->hash_rnd = (u32)random_next(tbl->rng);
	tbl->entries = tbl->gc_entries = 0;
	if (!tbl->parms.base_reachable_time)
		parms_defaults(&tbl->parms);
	if (!tbl->gc_thresh3) {
		tbl->gc_thresh1 = 128;
		tbl->gc_thresh2 = 512;
		tbl->gc_thresh3 = 1024;
	}
	if (!tbl->gc_interval)
		tbl->gc_interval = 30 * NSEC_PER_SEC;
	list_init(&tbl->parms_list);
	list_init(&tbl->parms.list);
	tbl->parms.tbl = tbl;
	tbl->parms.dev = NULL;
	tbl->parms.reachable_time = rand_reachable_time(tbl, tbl->parms.base_reachable_time);
	list_add_tail(&tbl->parms.list, &tbl->parms_list);
	tbl->last_flush = tbl->last_rand = tbl_now(tbl);
	timer_setup(&tbl->gc_timer, neigh_periodic);
	pneigh_table_init(tbl);
	return 0;
}

void neigh_table_clear(struct neigh_table *tbl)
{
	struct neigh_parms *p, *next;

	if (!tbl->buckets)
		return;
	neigh_flush_dev(tbl, NULL, false);
	pneigh_ifdown(tbl, NULL);
	del_timer(&tbl->gc_timer);
	list_for_each_entry_safe(p, next, &tbl->parms_list, list) {
		list_del(&p->list);
		if (p != &tbl->parms)
			free(p);
	}
	free(tbl->buckets);
	tbl->buckets = NULL;
}
