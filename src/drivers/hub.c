/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hub.c - a shared medium: carrier sense, collision detection, exponential back-off (IEEE 802.3 clause 4, half duplex)
 *
 * Theory of operation
 *   Every two stations are the same distance apart, p.delay_ns. A station's signal occupies [tx_start, tx_end) at its own
 *   place, and the same interval later by the distance at all others. Everything follows from these intervals:
 *     - carrier is heard while the shifted interval of another station lasts (carrier sense);
 *     - a station with a frame waits until it hears none and the gap of 96 bit times is over, then sends, whoever else
 *       does: carrier that begins in the last third of the gap does not hold it back any more (4.2.3.2.2);
 *     - two whose intervals meet at a station collide there: each notices when the other's signal arrives, jams for 32 bit
 *       times and falls silent.
 *   After the n-th collision of a frame the station waits r slots of 512 bit times, r evenly in [0, 2^min(n, 10)), and after the 16th
 *   it gives the frame up (4.2.3.2.5). Choices come from the random stream of the medium: the same seed collides alike.
 *   A station has one timer; what it means is the station's state (medium.h).
 * Limits
 *   The preamble takes its time but has no octets. Fragments of collisions are seen by nobody but as carrier.
 * Invariants
 *   2 * delay <= slot <= the shortest frame, therefore a station that has finished without a collision has not collided anywhere.
 * Locking: the cpu lock.
 */
#include "drivers/medium.h"

#include <errno.h>

#include "drivers/drivers_internal.h"
#include "host/host.h"
#include "lib/random.h"

static void hub_defer(struct port *s);

static void hub_arm(struct port *s, u64 when)
{
	/* Without memory for a timer the station stays silent: like a broken transceiver, found by the card's watchdog. */
	(void)!hrtimer_start(s->dev->cpu, &s->timer, when);
}

/* Has carrier of another been heard by @s in the whole or a part of [@from, @to]? */
static bool hub_heard(const struct port *s, u64 from, u64 to)
{
	const struct medium *m = s->medium;
	const struct port *i;

	list_for_each_entry(i, &m->ports, node) {
		if (i != s && i->tx_end && i->tx_start + m->p.delay_ns <= to &&
		    i->tx_end + m->p.delay_ns > from)
			return true;
	}
	return false;
}

/* The signals of @s and of @i meet. @i is told only if it still sends then. */
static void hub_collide(struct port *s, struct port *i, u64 now)
{
	u64 d = s->medium->p.delay_ns;

	s->collide_at = min(s->collide_at, max(now, i->tx_start + d));
	if (i->state == STATION_TX && now + d < i->tx_end && now + d < i->collide_at) {
		i->collide_at = now + d;
		hub_arm(i, i->collide_at);
	}
}

static void hub_start(struct port *s)
{
	struct medium *m = s->medium;
	u64 now = m->dev->cpu->now;
	struct port *i;

	s->state = STATION_TX;
	s->tx_start = now;
	s->tx_end = now + medium_bits_ns(m, HUB_PREAMBLE_BITS + 8ULL * s->frame->len);
	s->collide_at = HOST_FOREVER;
	trace_skb(s->frame, NULL, TP_hub_start, TRACE_PASS, s->collisions, 0);
	list_for_each_entry(i, &m->ports, node) {
		if (i != s && i->tx_end && i->tx_end + m->p.delay_ns > now)
			hub_collide(s, i, now);
	}
	hub_arm(s, min(s->tx_end, s->collide_at));
}

/* The station has a frame: now, or when the gap behind what it hears is over. */
static void hub_defer(struct port *s)
{
	struct medium *m = s->medium;
	u64 now = m->dev->cpu->now, gap = medium_bits_ns(m, HUB_GAP_BITS), busy = s->tx_end;
	const struct port *i;

	s->state = STATION_WAIT;
	list_for_each_entry(i, &m->ports, node) {
		if (i != s && i->tx_end && i->tx_start + m->p.delay_ns <= now)
			busy = max(busy, i->tx_end + m->p.delay_ns);
	}
	if (!busy || busy + gap <= now) {
		hub_start(s);
		return;
	}
	if (!s->deferred) {
		s->deferred = true;
		m->stats.deferred++;
		trace_skb(s->frame, NULL, TP_hub_defer, TRACE_QUEUED, busy - min(busy, now), 0);
	}
	hub_arm(s, busy + gap);
}

static void hub_collision(struct port *s)
{
	struct medium *m = s->medium;
	struct port *i;

	m->stats.collisions++;
	s->collisions++;
	s->state = STATION_JAM;
	s->tx_end = m->dev->cpu->now + medium_bits_ns(m, HUB_JAM_BITS);
	s->collide_at = HOST_FOREVER;
	trace_skb(s->frame, NULL, TP_hub_collision, TRACE_PASS, s->collisions, 0);
	hub_arm(s, s->tx_end);
	/* The signal ends earlier than those thought who wait for its end. */
	list_for_each_entry(i, &m->ports, node) {
		if (i->state == STATION_WAIT)
			hub_defer(i);
	}
}

static void hub_finish(struct port *s, enum port_sent how)
{
	struct sk_buff *skb = s->frame;

	s->frame = NULL;
	s->state = STATION_IDLE;
	s->deferred = false;
	if (how == PORT_SENT)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_EXCESSIVE_COLLISIONS);
	port_sent(s, how);
}

static void hub_success(struct port *s)
{
	struct medium *m = s->medium;
	struct port *i;

	m->stats.frames++;
	m->stats.octets += s->frame->len;
	m->stats.attempts[s->collisions]++;
	list_for_each_entry(i, &m->ports, node) {
		if (i != s)
			medium_deliver_at(m, i, s->frame, s->tx_end + m->p.delay_ns);
	}
	hub_finish(s, PORT_SENT);
}

static void hub_backoff(struct port *s)
{
	struct medium *m = s->medium;
	u32 r;

	if (s->collisions >= HUB_ATTEMPTS) {
		m->stats.aborted++;
		m->stats.attempts[HUB_ATTEMPTS]++;
		hub_finish(s, PORT_COLLISIONS);
		return;
	}
	r = random_below(m->rng, 1u << min(s->collisions, (u32)HUB_BACKOFF_LIMIT));
	s->state = STATION_BACKOFF;
	trace_skb(s->frame, NULL, TP_hub_backoff, TRACE_QUEUED, r, s->collisions);
	hub_arm(s, s->tx_end + r * medium_bits_ns(m, HUB_SLOT_BITS));
}

static void hub_gap_over(struct port *s)
{
	u64 now = s->dev->cpu->now, gap = medium_bits_ns(s->medium, HUB_GAP_BITS);

	if (hub_heard(s, now - min(now, gap), now - min(now, gap / 3)))
		hub_defer(s);
	else
		hub_start(s);
}

void hub_timer(struct cpu *cpu, struct hrtimer *t)
{
	struct port *s = container_of(t, struct port, timer);

	switch (s->state) {
	case STATION_IDLE:
		break;
	case STATION_WAIT:
		hub_gap_over(s);
		break;
	case STATION_TX:
		if (s->collide_at < s->tx_end)
			hub_collision(s);
		else
			hub_success(s);
		break;
	case STATION_JAM:
		hub_backoff(s);
		break;
	case STATION_BACKOFF:
		hub_defer(s);
		break;
	}
}

static void hub_xmit(struct port *s, struct sk_buff *skb)
{
	s->frame = skb;
	hub_defer(s);
}

/* A signal that breaks off: nobody receives the frame, those who wait look again. */
static void hub_leave(struct port *s)
{
	struct medium *m = s->medium;
	struct port *i;

	hrtimer_cancel(s->dev->cpu, &s->timer);
	if (s->state == STATION_TX || s->state == STATION_JAM) {
		s->tx_end = m->dev->cpu->now;
		list_for_each_entry(i, &m->ports, node) {
			if (i != s && i->state == STATION_WAIT)
				hub_defer(i);
		}
	}
	s->state = STATION_IDLE;
	s->deferred = false;
}

static int hub_check(const struct medium_params *p, const char **ret_why)
{
	*ret_why = "stations of a hub must not be farther apart than half a slot of 512 bit times, "
		   "or collisions go unnoticed";
	return 2 * p->delay_ns > HUB_SLOT_BITS * NSEC_PER_SEC / p->rate_bps ? -EINVAL : 0;
}

const struct medium_ops hub_ops = {
	.kind = "hub",
	.defaults = { .rate_bps = 10000000, .delay_ns = 5 * NSEC_PER_USEC },
	.xmit = hub_xmit,
	.leave = hub_leave,
	.check = hub_check,
};
