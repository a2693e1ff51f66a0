/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pneigh.c - addresses that we answer for though they are others': proxy entries and the delay of their answers
 *
 * An entry says that questions for an address, by one device or by any, may be answered (RFC 1027). Whether they are is for the
 * protocol to say. Its answers to broadcast questions wait for a random part of proxy_delay, so that a station that has the
 * address itself is heard first; at most proxy_qlen questions wait.
 * Locking: the cpu lock of the table's net.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/neighbour.h"
#include "lib/random.h"

static struct list_head *pneigh_bucket(struct neigh_table *tbl, const void *key)
{
	const u8 *p = key;
	u32 h = 0;

	for (u32 i = 0; i < tbl->key_len; i++)
		h = h * 31 + p[i];
	return &tbl->pneigh[h % PNEIGH_BUCKETS];
}

static struct pneigh_entry *pneigh_find(struct neigh_table *tbl, const void *key,
					const struct net_device *dev, bool exact)
{
	struct pneigh_entry *e;

	list_for_each_entry(e, pneigh_bucket(tbl, key), node)
		if (!memcmp(e->key, key, tbl->key_len) && (e->dev == dev || (!exact && !e->dev)))
			return e;
	return NULL;
}

struct pneigh_entry *pneigh_lookup(struct neigh_table *tbl, const void *key,
				   const struct net_device *dev)
{
	return pneigh_find(tbl, key, dev, false);
}

struct pneigh_entry *pneigh_create(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct pneigh_entry *e = pneigh_find(tbl, key, dev, true);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->key, key, tbl->key_len);
	e->tbl = tbl;
	e->dev = dev;
	if (tbl->pconstructor && tbl->pconstructor(e)) {
		free(e);
		return NULL;
	}
	if (dev)
		dev_hold(dev);
	list_add_tail(&e->node, pneigh_bucket(tbl, key));
	return e;
}

static void pneigh_free(struct pneigh_entry *e)
{
	list_del(&e->node);
	if (e->tbl->pdestructor)
		e->tbl->pdestructor(e);
	if (e->dev)
		dev_put(e->dev);
	free(e);
}

int pneigh_delete(struct neigh_table *tbl, const void *key, struct net_device *dev)
{
	struct pneigh_entry *e = pneigh_find(tbl, key, dev, true);

	if (!e)
		return -ENOENT;
	pneigh_free(e);
	return 0;
}

struct pneigh_entry *pneigh_next(struct neigh_table *tbl, u64 pos)
{
	struct pneigh_entry *e;

	for (u32 i = 0; i < PNEIGH_BUCKETS; i++)
		list_for_each_entry(e, &tbl->pneigh[i], node)
			if (!pos--)
				return e;
	return NULL;
}

/* ---- questions that wait ------------------------------------------------------------------------------------ */

static void proxy_timer(struct cpu *cpu, struct timer_list *t)
{
	struct neigh_table *tbl = container_of(t, struct neigh_table, proxy_timer);
	u64 next = UINT64_MAX;
	u32 n = tbl->proxy_queue.qlen;

	/* Each once: an answer may bring new questions. */
	while (n--) {
		struct sk_buff *skb = skb_dequeue(&tbl->proxy_queue);

		if (!skb)
			break;
		if (NEIGH_CB(skb)->due <= cpu->now) {
			tbl->proxy_redo(skb);
			continue;
		}
		next = min(next, NEIGH_CB(skb)->due);
		skb_queue_tail(&tbl->proxy_queue, skb);
	}
	if (!skb_queue_empty(&tbl->proxy_queue) && next != UINT64_MAX)
		mod_timer(cpu, t, next);
}

void pneigh_enqueue(struct neigh_table *tbl, const struct neigh_parms *p, struct sk_buff *skb)
{
	u64 due = tbl->net->cpu->now + random_next(tbl->rng) % max(p->proxy_delay, (u64)1);

	if (tbl->proxy_queue.qlen >= p->proxy_qlen) {
		kfree_skb_reason(skb, SKB_DROP_NEIGH_QUEUEFULL);
		return;
	}
	NEIGH_CB(skb)->due = due;
	skb_queue_tail(&tbl->proxy_queue, skb);
	if (!timer_pending(&tbl->proxy_timer) || due < tbl->proxy_timer.expires)
		mod_timer(tbl->net->cpu, &tbl->proxy_timer, due);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

void pneigh_table_init(struct neigh_table *tbl)
{
	for (u32 i = 0; i < PNEIGH_BUCKETS; i++)
		list_init(&tbl->pneigh[i]);
	skb_queue_head_init(&tbl->proxy_queue);
	timer_setup(&tbl->proxy_timer, proxy_timer);
}

void pneigh_ifdown(struct neigh_table *tbl, const struct net_device *dev)
{
	struct pneigh_entry *e, *next;
	u32 n = tbl->proxy_queue.qlen;

	for (u32 i = 0; i < PNEIGH_BUCKETS; i++)
		list_for_each_entry_safe(e, next, &tbl->pneigh[i], node)
			if (!dev || e->dev == dev)
				pneigh_free(e);
	while (n--) {
		struct sk_buff *skb = skb_dequeue(&tbl->proxy_queue);

		if (!dev || skb->dev == dev)
			kfree_skb_reason(skb, SKB_DROP_NEIGH_DEAD);
		else
			skb_queue_tail(&tbl->proxy_queue, skb);
	}
	if (!dev)
		del_timer(&tbl->proxy_timer);
}
