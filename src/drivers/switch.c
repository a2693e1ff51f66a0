/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * switch.c - a learning switch: store and forward, full duplex, one cable for each card (IEEE 802.1D 7.7 to 7.9)
 *
 * Theory of operation
 *   A frame that has arrived whole and unharmed teaches at which port its sender is. It goes to the port where its receiver was last
 *   heard, to nobody if that is where it came from, and to all others if the receiver is unknown, silent for longer than p.ageing_ns,
 *   or a group. What waits for a slow port waits in the queue of its cable (link.c), which is bounded.
 *   The table is a fixed array of small buckets: a full bucket forgets its oldest entry.
 * Limits: no spanning tree; a card is all that can be plugged in, so there are no loops.
 * Locking: the cpu lock.
 */
#include "drivers/medium.h"

#include <errno.h>
#include <stdlib.h>

#include "drivers/drivers_internal.h"
#include "drivers/fcs.h"
#include "lib/hash.h"
#include "wire/ethernet.h"

static struct fdb_entry *fdb_bucket(const struct medium *m, const u8 *addr)
{
	u64 key = 0;

	memcpy(&key, addr, ETH_ALEN);
	return &m->fdb[(hash_mix64(key) % FDB_BUCKETS) * FDB_WAYS];
}

static struct fdb_entry *fdb_find(const struct medium *m, const u8 *addr)
{
	struct fdb_entry *e = fdb_bucket(m, addr);

	for (u32 i = 0; i < FDB_WAYS; i++) {
		if (e[i].port && ether_addr_equal(e[i].addr, addr))
			return &e[i];
	}
	return NULL;
}

static struct port *fdb_lookup(const struct medium *m, const u8 *addr)
{
	const struct fdb_entry *e = fdb_find(m, addr);

	return e && m->dev->cpu->now - e->seen < m->p.ageing_ns ? e->port : NULL;
}

static void fdb_learn(struct medium *m, const u8 *addr, struct port *port)
{
	struct fdb_entry *e = fdb_find(m, addr);

	if (is_multicast_ether_addr(addr))
		return;
	if (!e) {
		struct fdb_entry *b = fdb_bucket(m, addr);

		e = b;
		for (u32 i = 0; i < FDB_WAYS; i++) {
			if (!b[i].port) {
				e = &b[i];
				break;
			}
			if (b[i].seen < e->seen)
				e = &b[i];
		}
		memcpy(e->addr, addr, ETH_ALEN);
		m->stats.learned++;
	}
	e->port = port;
	e->seen = m->dev->cpu->now;
}

/* consume */
static void switch_output(struct port *out, struct sk_buff *skb)
{
	skb->dev = out->dev;
	link_enqueue(&out->down, skb);
}

static bool port_lives(const struct port *p, const struct port *in)
{
	return p != in && netif_running(p->dev);
}

/* consume */
static void switch_flood(struct medium *m, const struct port *in, struct sk_buff *skb)
{
	struct port *p, *last = NULL;

	m->stats.flooded++;
	list_for_each_entry(p, &m->ports, node) {
		struct sk_buff *copy;

		if (!port_lives(p, in))
			continue;
		copy = last ? skb_clone(skb) : NULL;
		if (copy)
			switch_output(last, copy);
		last = p;
	}
	if (last)
		switch_output(last, skb);
	else
		consume_skb(skb);
}

void switch_input(struct port *in, struct sk_buff *skb)
{
	struct medium *m = in->medium;
	const struct eth_hdr *eth = (const struct eth_hdr *)skb->data;
	struct port *out;

	skb->dev = m->dev;
	if (!netif_running(m->dev)) {
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		return;
	}
	if (!fcs_ok(skb->data, skb->len)) {
		m->stats.fcs_errors++;
		kfree_skb_reason(skb, SKB_DROP_FRAME_CHECK);
		return;
	}
	m->stats.frames++;
	m->stats.octets += skb->len;
	fdb_learn(m, eth->src, in);
	out = is_multicast_ether_addr(eth->dst) ? NULL : fdb_lookup(m, eth->dst);
	trace_skb(skb, NULL, TP_switch_input, TRACE_PASS, in->index, out ? out->index : UINT32_MAX);
	if (!out) {
		switch_flood(m, in, skb);
	} else if (port_lives(out, in)) {
		switch_output(out, skb);
	} else {
		m->stats.filtered++;
		kfree_skb_reason(skb, SKB_DROP_SWITCH_FILTERED);
	}
}

/* An address behind a port that went away is unknown. */
static void switch_leave(struct port *port)
{
	struct medium *m = port->medium;

	for (u32 i = 0; m->fdb && i < FDB_BUCKETS * FDB_WAYS; i++) {
		if (m->fdb[i].port == port)
			m->fdb[i].port = NULL;
	}
}

static int switch_init(struct medium *m)
{
	m->fdb = calloc(FDB_BUCKETS * FDB_WAYS, sizeof(*m->fdb));
	return m->fdb ? 0 : -ENOMEM;
}

static void switch_fini(struct medium *m)
{
	free(m->fdb);
	m->fdb = NULL;
}

/* Ports of a switch send over their cables: medium.c. */
static void switch_xmit(struct port *port, struct sk_buff *skb)
{
	switch_input(port, skb);
}

const struct medium_ops switch_ops = {
	.kind = "switch",
	.defaults = { .ageing_ns = 300 * NSEC_PER_SEC },
	.init = switch_init,
	.fini = switch_fini,
	.xmit = switch_xmit,
	.leave = switch_leave,
};
