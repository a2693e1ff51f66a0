/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * token.c - a medium on which only the station that has the token may send
 *
 * Theory of operation
 *   The token goes from station to station in the order in which they were plugged in, and round again. A hop costs p.delay_ns
 *   and the 24 bits of the token. Whoever has something to send keeps it, sends one frame, and more as long as p.hold_ns since the
 *   capture allows them to end in time; then the token goes on at once (early release).
 *   An idle token does not cost events: where it is follows from where and when it was let go, so the next capture is computed, and a
 *   timer is armed for it only. A frame of a station that the token passes earlier moves the timer forward.
 *   After the idea of IEEE 802.5 and 802.4; frames are Ethernet's, there are no priorities, and the token is never lost.
 * Locking: the cpu lock.
 */
#include "drivers/medium.h"

#include "drivers/drivers_internal.h"
#include "host/host.h"

#define TOKEN_BITS 24

static u64 token_hop_ns(const struct medium *m)
{
	return m->p.delay_ns + medium_bits_ns(m, TOKEN_BITS);
}

/* When the free token next comes to @p, not before now. */
static u64 token_arrival(const struct medium *m, const struct port *p)
{
	u64 now = m->dev->cpu->now, hop = token_hop_ns(m), round = m->nr_ports * hop, at;
	u32 hops = (p->index + m->nr_ports - m->token_pos) % m->nr_ports;

	at = m->token_free_at + (hops ? hops : m->nr_ports) * hop;
	if (at < now)
		at += (now - at + round - 1) / round * round;
	return at;
}

static void token_schedule(struct medium *m)
{
	struct port *p, *best = NULL;
	u64 first = HOST_FOREVER;

	if (m->holder)
		return;
	list_for_each_entry(p, &m->ports, node) {
		u64 at = p->frame ? token_arrival(m, p) : HOST_FOREVER;

		if (at < first) {
			first = at;
			best = p;
		}
	}
	m->next_holder = best;
	if (!best)
		hrtimer_cancel(m->dev->cpu, &m->token_timer);
	else
		(void)!hrtimer_start(m->dev->cpu, &m->token_timer, first);
}

static void token_release(struct medium *m, const struct port *p)
{
	m->holder = NULL;
	m->token_pos = p->index;
	m->token_free_at = m->dev->cpu->now;
	token_schedule(m);
}

static u64 token_frame_ns(const struct medium *m, const struct sk_buff *skb)
{
	return medium_bits_ns(m, HUB_PREAMBLE_BITS + 8ULL * skb->len);
}

static void token_start(struct port *p)
{
	struct medium *m = p->medium;

	trace_skb(p->frame, NULL, TP_token_start, TRACE_PASS, p->index, 0);
	(void)!hrtimer_start(m->dev->cpu, &m->token_timer,
			     m->dev->cpu->now + token_frame_ns(m, p->frame));
}

/* The holder's last bit has left: the others hear it in their order. */
static void token_frame_end(struct medium *m)
{
	struct port *p = m->holder, *i;
	u64 now = m->dev->cpu->now;
	struct sk_buff *skb = p->frame;

	m->stats.frames++;
	m->stats.octets += skb->len;
	list_for_each_entry(i, &m->ports, node) {
		u32 hops = (i->index + m->nr_ports - p->index) % m->nr_ports;

		if (i != p)
			medium_deliver_at(m, i, skb, now + hops * m->p.delay_ns);
	}
	p->frame = NULL;
	consume_skb(skb);
	port_sent(p, PORT_SENT);
	if (m->holder != p) /* the card was unplugged meanwhile */
		return;
	if (p->frame && now + token_frame_ns(m, p->frame) <= m->hold_until)
		token_start(p);
	else
		token_release(m, p);
}

static void token_timer(struct cpu *cpu, struct hrtimer *t)
{
	struct medium *m = container_of(t, struct medium, token_timer);

	if (m->holder) {
		token_frame_end(m);
		return;
	}
	m->holder = m->next_holder;
	m->next_holder = NULL;
	m->hold_until = cpu->now + m->p.hold_ns;
	m->stats.tokens++;
	token_start(m->holder);
}

static int token_init(struct medium *m)
{
	hrtimer_setup(&m->token_timer, token_timer);
	return 0;
}

static void token_xmit(struct port *p, struct sk_buff *skb)
{
	p->frame = skb;
	token_schedule(p->medium);
}

static void token_leave(struct port *p)
{
	struct medium *m = p->medium;
	struct sk_buff *skb = p->frame;

	p->frame = NULL;
	if (m->holder == p)
		token_release(m, p);
	else
		token_schedule(m);
	p->frame = skb; /* whose end is up to the caller */
}

const struct medium_ops token_ops = {
	.kind = "token",
	.defaults = { .rate_bps = 16000000, .delay_ns = 500, .hold_ns = 10 * NSEC_PER_MSEC },
	.init = token_init,
	.xmit = token_xmit,
	.leave = token_leave,
};
