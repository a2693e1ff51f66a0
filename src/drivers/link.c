/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.c - one direction of a link with impairments
 *
 * Theory of operation
 *   A frame passes three places:
 *
 *     txq         bounded by queue_packets; one frame after the other is serialised at the rate. Its end is known on arrival:
 *                 start = max(now, end of the one before), end = start + bits / rate. Until then it is charged to its socket.
 *     the choice  at the end of serialisation, so behind everything the sender can see: lost? corrupted? duplicated? overtaking?
 *     line        the propagation delay: a list ordered by arrival. Without reordering frames arrive in the order in which they were sent:
 *                 jitter that would swap two frames makes the later one wait. A frame that overtakes is delivered at the end of
 *                 its serialisation, without the delay.
 *
 *   Times are computed from scheduled times, not from when the timer happened to run: a late timer does not add up. Fractions of a
 *   nanosecond are carried along while the serialiser is busy, so that the mean rate is exact.
 *   One hrtimer is armed for the earliest end or arrival; link_run() handles all that is due, in the order of their times.
 * Randomness
 *   A stream per link, and a fixed number of draws per frame whatever is configured: changing one probability does not shift
 *   the choices of the others, and the same seed gives the same choices.
 * Loss bursts (Gilbert model)
 *   Two states; all frames are lost in the bad one. Leaving it has probability 1/burst, entering it is chosen so that
 *   the share of lost frames is `loss` in the long run. See E. N. Gilbert, Capacity of a burst-noise channel, 1960.
 * Congestion marks
 *   A packet that finds more than ecn_packets waiting is marked CE if it is ECT, as a switch does that knows ECN (RFC 8257 3.1).
 * Invariants
 *   Frames have final checksums and are not GSO while an impairment is set (the device clears the features); the receiver gets
 *   CHECKSUM_NONE and must verify.
 * Locking: the cpu lock.
 */
#include "drivers/link.h"

#include <linux/if_ether.h>

#include "core/cpu.h"
#include "drivers/drivers_internal.h"
#include "host/host.h"
#include "lib/random.h"
#include "wire/ipv4.h"

/* Frames under way beyond what the rate's queue bounds: memory must be bounded with an infinite rate, too. */
#define LINK_LINE_PACKETS_MAX 65536

struct link_cb {
	u64 time;
};
#define LINK_CB(skb) ((struct link_cb *)(skb)->cb)
static_assert(sizeof(struct link_cb) <= SKB_CB_SIZE, "cb");

struct link_draw { /* what chance says about one frame */
	u32 loss, duplicate, reorder, corrupt;
	u64 jitter, corrupt_bit;
};

/* ---- chance --------------------------------------------------------------------------------------------- */

static struct link_draw link_draw(struct link *link)
{
	struct link_draw d;
	u64 r;

	d.loss = (u32)(random_next(link->rng) >> 32);
	d.duplicate = (u32)(random_next(link->rng) >> 32);
	d.reorder = (u32)(random_next(link->rng) >> 32);
	r = random_next(link->rng);
	d.corrupt = (u32)(r >> 32);
	d.corrupt_bit = r & UINT32_MAX;
	d.jitter = random_next(link->rng);
	return d;
}

/* Parts of 2^32; all ones: always. */
static bool chance(u32 probability, u32 drawn)
{
	return probability == UINT32_MAX || drawn < probability;
}

static bool link_loses(struct link *link, u32 drawn)
{
	const struct link_params *p = &link->p;
	u64 enter;

	if (p->loss_burst <= 1 || p->loss == UINT32_MAX || !p->loss)
		return chance(p->loss, drawn);
	if (link->burst) {
		link->burst = !chance(UINT32_MAX / p->loss_burst, drawn);
	} else {
		/* loss / (burst * (1 - loss)) */
		enter = ((u64)p->loss << 32) / ((u64)p->loss_burst * ((1ULL << 32) - p->loss));
		link->burst = chance((u32)min(enter, (u64)UINT32_MAX), drawn);
	}
	return link->burst;
}

/* ---- delivery ------------------------------------------------------------------------------------------- */

static void link_deliver(struct link *link, struct sk_buff *skb)
{
	trace_skb(skb, NULL, TP_link_deliver, TRACE_PASS, 0, 0);
	link->deliver(link, skb);
}

static void line_add(struct link *link, struct sk_buff *skb, u64 arrival)
{
	if (link->line.qlen >= LINK_LINE_PACKETS_MAX) {
		link->stats.queue_drops++;
		kfree_skb_reason(skb, SKB_DROP_LINK_QUEUE_FULL);
		return;
	}
	LINK_CB(skb)->time = arrival;
	skb_queue_tail(&link->line, skb);
}

/* When a frame that was serialised at @end arrives; never before one that was sent earlier. */
static u64 link_arrival(struct link *link, u64 end, u64 drawn)
{
	u64 delay = link->p.delay_ns, jitter = link->p.jitter_ns;

	if (jitter) {
		/* Evenly in [delay - jitter, delay + jitter], but not before now. */
		u64 span = (u64)(((unsigned __int128)drawn * (2 * jitter + 1)) >> 64);

		delay = delay + span > jitter ? delay + span - jitter : 0;
	}
	link->last_arrival = max(link->last_arrival, end + delay);
	return link->last_arrival;
}

/* Flips one bit of a copy: the original may be shared with the sender's retransmission queue. */
static struct sk_buff *link_corrupt(struct link *link, struct sk_buff *skb, u64 drawn)
{
	struct sk_buff *copy = skb_copy(skb);
	u64 bit;

	if (!copy) {
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NULL;
	}
	consume_skb(skb);
	if (!copy->len)
		return copy;
	bit = (drawn * ((u64)copy->len * 8)) >> 32;
	copy->data[bit / 8] ^= (u8)(1u << bit % 8);
	link->stats.corrupted++;
	trace_skb(copy, NULL, TP_link_corrupt, TRACE_PASS, bit, 0);
	return copy;
}

/* ---- the end of serialisation ---------------------------------------------------------------------------- */

/* What happens to a frame that has left the sender at @end. */
static void link_propagate(struct link *link, struct sk_buff *skb, u64 end)
{
	struct link_draw d = link_draw(link);
	struct sk_buff *twin = NULL;
	u64 arrival;

	skb_orphan(skb);
	if (link_loses(link, d.loss)) {
		link->stats.lost++;
		kfree_skb_reason(skb, SKB_DROP_LINK_LOSS);
		return;
	}
	if (unlikely(link->p.corrupt) && chance(link->p.corrupt, d.corrupt) && !skb_is_gso(skb)) {
		skb = link_corrupt(link, skb, d.corrupt_bit);
		if (!skb)
			return;
	}
	if (unlikely(link->p.duplicate) && chance(link->p.duplicate, d.duplicate)) {
		twin = skb_clone(skb);
		if (twin) {
			link->stats.duplicated++;
			trace_skb(twin, NULL, TP_link_duplicate, TRACE_CREATE, 0, 0);
		}
	}

	if (unlikely(link->p.reorder) && chance(link->p.reorder, d.reorder)) {
		link->stats.reordered += !skb_queue_empty(&link->line);
		trace_skb(skb, NULL, TP_link_serialized, TRACE_PASS, 0, 0);
		link_deliver(link, skb);
		if (twin)
			link_deliver(link, twin);
		return;
	}
	arrival = link_arrival(link, end, d.jitter);
	trace_skb(skb, NULL, TP_link_serialized, TRACE_QUEUED, arrival - end, 0);
	line_add(link, skb, arrival);
	if (twin)
		line_add(link, twin, arrival);
}

static u64 queue_time(const struct sk_buff_head *q)
{
	struct sk_buff *skb = skb_peek(q);

	return skb ? LINK_CB(skb)->time : HOST_FOREVER;
}

static void link_arm(struct link *link)
{
	u64 next = min(queue_time(&link->txq), queue_time(&link->line));

	if (next == HOST_FOREVER)
		hrtimer_cancel(link->cpu, &link->timer);
	else if (hrtimer_active(&link->timer) && link->timer.expires == next)
		return;
	else if (hrtimer_start(link->cpu, &link->timer, next))
		link_purge(link);
}

/* All that is due, in the order of time; an arrival goes before an end at the same time: it was sent earlier. Delivering and
 * releasing a charge may bring new frames: they only join the queues. */
static void link_run(struct link *link)
{
	u64 now = link->cpu->now;

	if (link->running)
		return;
	link->running = true;
	for (;;) {
		u64 end = queue_time(&link->txq), arrival = queue_time(&link->line);

		if (arrival <= now && arrival <= end)
			link_deliver(link, skb_dequeue(&link->line));
		else if (end <= now)
			link_propagate(link, skb_dequeue(&link->txq), end);
		else
			break;
	}
	link->running = false;
	link_arm(link);
}

static void link_timer(struct cpu *cpu, struct hrtimer *t)
{
	link_run(container_of(t, struct link, timer));
}

/* ---- congestion marks --------------------------------------------------------------------------------------- */

#define ECN_CE 3u

/* An ECT packet in an Ethernet frame becomes CE; others pass as they are. */
static void link_mark(struct link *link, struct sk_buff *skb)
{
	struct ip_hdr *ip;
	u8 *h, ecn;
	bool v4;

	if (skb->len < ETH_HLEN + sizeof(*ip) || skb_ensure_writable(skb, ETH_HLEN + sizeof(*ip)))
		return;
	h = skb->data + ETH_HLEN;
	v4 = h[-2] == ETH_P_IP >> 8 && h[-1] == (ETH_P_IP & 0xff);
	if (!v4 && !(h[-2] == ETH_P_IPV6 >> 8 && h[-1] == (ETH_P_IPV6 & 0xff)))
		return;
	ecn = v4 ? h[1] & 3 : h[1] >> 4 & 3;
	if (!ecn || ecn == ECN_CE)
		return;
	if (v4) {
		u32 len = ip_hdr_len((const struct ip_hdr *)h);

		if (len < sizeof(*ip) || skb->len < ETH_HLEN + len ||
		    skb_ensure_writable(skb, ETH_HLEN + len))
			return;
		ip = (struct ip_hdr *)(skb->data + ETH_HLEN);
		ip->tos |= ECN_CE;
		ip_send_check(ip);
	} else {
		h[1] |= ECN_CE << 4;
	}
	link->stats.marked++;
}

/* ---- the sender's side ------------------------------------------------------------------------------------ */

/* When the last bit of a frame that comes now has left. IEEE 802.3 preamble, gap and frame check are not counted. */
static u64 link_serialise(struct link *link, u32 len)
{
	u64 now = link->cpu->now, bits;

	if (!link->p.rate_bps) {
		link->busy_until = max(link->busy_until, now);
		link->busy_rem = 0;
		return link->busy_until;
	}
	if (link->busy_until < now) {
		link->busy_until = now;
		link->busy_rem = 0;
	}
	/* At most 2^16 octets * 8 * 10^9: fits. */
	bits = (u64)len * 8 * NSEC_PER_SEC + link->busy_rem;
	link->busy_until += bits / link->p.rate_bps;
	link->busy_rem = bits % link->p.rate_bps;
	return link->busy_until;
}

bool link_enqueue(struct link *link, struct sk_buff *skb)
{
	u32 limit = link->p.queue_packets ? link->p.queue_packets : LINK_QUEUE_PACKETS_DEFAULT;

	/* The one in the serialiser does not wait. */
	if (link->txq.qlen > limit) {
		link->stats.queue_drops++;
		kfree_skb_reason(skb, SKB_DROP_LINK_QUEUE_FULL);
		return false;
	}
	if (link_active(link) && !skb_is_gso(skb)) {
		if (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) {
			kfree_skb_reason(skb, SKB_DROP_SKB_CSUM);
			return true;
		}
		skb->ip_summed = CHECKSUM_NONE;
		skb->csum_valid = 0;
	}
	if (unlikely(link->p.ecn_packets) && link->txq.qlen > link->p.ecn_packets)
		link_mark(link, skb);
	trace_skb(skb, NULL, TP_link_enqueue, TRACE_QUEUED, link->txq.qlen,
		  link->busy_until > link->cpu->now ? link->busy_until - link->cpu->now : 0);
	LINK_CB(skb)->time = link_serialise(link, skb->len);
	skb_queue_tail(&link->txq, skb);
	if (LINK_CB(skb)->time <= link->cpu->now)
		link_run(link);
	else if (!link->running)
		link_arm(link);
	return true;
}

/* ---- life -------------------------------------------------------------------------------------------------- */

void link_purge(struct link *link)
{
	hrtimer_cancel(link->cpu, &link->timer);
	skb_queue_purge_reason(&link->txq, SKB_DROP_DEV_DOWN);
	skb_queue_purge_reason(&link->line, SKB_DROP_DEV_DOWN);
	link->busy_until = link->busy_rem = link->last_arrival = 0;
}

void link_set_params(struct link *link, const struct link_params *p)
{
	if (p->rate_bps != link->p.rate_bps)
		link->busy_rem = 0; /* was counted in the old unit */
	link->p = *p;
	if (!p->loss_burst)
		link->burst = false;
}

void link_init(struct link *link, struct cpu *cpu, struct host *host, const char *name,
	       void (*deliver)(struct link *link, struct sk_buff *skb))
{
	u64 seed;

	memset(link, 0, sizeof(*link));
	link->cpu = cpu;
	link->deliver = deliver;
	skb_queue_head_init(&link->txq);
	skb_queue_head_init(&link->line);
	hrtimer_setup(&link->timer, link_timer);
	host_random(host, name, &seed, sizeof(seed));
	random_seed(link->rng, seed);
}

void link_fini(struct link *link)
{
	link_purge(link);
}
