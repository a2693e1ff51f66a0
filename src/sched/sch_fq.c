/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_fq.c - fq: one queue for each socket, served in turns, and no packet before its time
 *
 * Theory of operation
 *   A flow is the packets of one socket, or of those without one whose hash agrees in orphan_mask. The flows that have something to
 *   send now are on two lists: new_flows, served first, and old_flows. The flow in front may send as many octets as it has
 *   credit; then it gets another quantum and goes to the end of old_flows (deficit round robin). A new flow begins with initial_quantum.
 *   A packet leaves no earlier than its time (skb->tstamp: SO_TXTIME, TCP's pacing) and, where a rate holds for the flow (maxrate,
 *   SO_MAX_PACING_RATE of sockets that give no times), than the packet before it lets it. A flow whose next packet is not due yet waits in a
 *   tree by time; a watchdog runs the queue when the first of them is due.
 *   Within a flow packets leave by their times; those of earlier times than what came before them wait in a tree of their own.
 *   Packets of TC_PRIO_CONTROL go before all others.
 *   A sender of the device's cpu learns that its times are heeded: SOCK_FQ_PACED is set on the socket of each packet that comes.
 *   A flow that is empty stays for a while: it may get more. The longest idle ones go first when new ones come.
 * Invariants
 *   Each flow is in its bucket's tree and on exactly one of: new_flows, old_flows, delayed (tree), idle. Idle flows are empty. At most
 *   2 * buckets flows are idle. stats.qlen is the sum of the flows' and internal's qlen.
 * Memory: a flow is a slot of the packets' memory; without one the packet goes with the control packets.
 * Locking: the cpu lock.
 * See tc-fq(8), RFC 8290 4.1 (the two lists), RFC 3168 (marks).
 */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/sock.h"
#include "lib/hash.h"
#include "lib/rbtree.h"
#include "netlink/netlink.h"
#include "sched/sched_internal.h"

#define FQ_NEVER              UINT64_MAX
#define FQ_IDLE_NS            (3 * NSEC_PER_SEC) /* how long an empty flow stays */
#define FQ_GC_MAX             8                  /* flows that go when one comes */
#define FQ_QUANTUM_MAX        (1u << 20)
#define FQ_BUCKETS_LOG_MAX    18
#define FQ_NO_CE_THRESHOLD_US UINT32_MAX

enum fq_where { FQ_NEW, FQ_OLD, FQ_DELAYED, FQ_IDLE };

struct fq_flow {
	struct rb_node node; /* of its bucket, by key */
	u64 key;
	union {
		struct list_head list;  /* NEW, OLD, IDLE */
		struct rb_node delayed; /* DELAYED, by next_ns */
	};
	struct sk_buff *head, *tail; /* by time, through ->next */
	struct rb_root early;        /* those before tail, by time */
	u64 next_ns;                 /* nothing leaves before */
	u64 idle_ns;                 /* IDLE: since when */
	s32 credit;
	u32 qlen;
	u8 where; /* enum fq_where */
};
static_assert(sizeof(struct fq_flow) <= PACKET_SLOT_SIZE, "slots");

struct fq_priv {
	struct list_head new_flows, old_flows, idle; /* idle: the longest first */
	struct rb_root delayed;
	u64 next_delayed_ns; /* of the first of delayed; FQ_NEVER: none */
	struct fq_flow internal;
	struct rb_root *buckets;
	struct qdisc_watchdog watchdog;

	/* settings; limit is q->limit */
	u32 flow_limit, quantum, initial_quantum, orphan_mask, low_rate; /* low_rate: octets/s */
	u64 max_rate;                                                    /* octets/s; ~0: none */
	u64 refill_ns, ce_threshold_ns, horizon_ns;
	u32 ce_threshold_us, timer_slack_ns;
	u8 buckets_log;
	bool rate_enable, horizon_drop;

	u32 flows, idle_flows, delayed_flows;
	struct {
		u64 gc, internal, throttled, flow_limit, too_long, no_memory, ce_mark;
		u64 horizon_drops, horizon_caps;
		u64 latency_ns; /* between a flow's time and when it was looked at: moving average */
	} stat;
};

struct fq_skb_cb {
	u64 time_ns; /* not before */
};

static struct fq_skb_cb *fq_cb(const struct sk_buff *skb)
{
	static_assert(sizeof(struct fq_skb_cb) <= sizeof(((struct qdisc_skb_cb *)0)->data), "cb");
	return (struct fq_skb_cb *)QDISC_CB(skb)->data;
}

static u64 fq_now(const struct Qdisc *q)
{
	return qdisc_dev(q)->cpu->now;
}

static bool ns_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/* ---- the packets of a flow ----------------------------------------------------------------------------- */

static struct sk_buff *early_first(const struct fq_flow *f)
{
	return rb_entry_safe(rb_first(&f->early), struct sk_buff, rbnode);
}

static struct sk_buff *flow_peek(const struct fq_flow *f)
{
	struct sk_buff *early = early_first(f);

	if (!early || (f->head && !ns_before(fq_cb(early)->time_ns, fq_cb(f->head)->time_ns)))
		return f->head;
	return early;
}

static void flow_add_early(struct fq_flow *f, struct sk_buff *skb)
{
	struct rb_node **link = &f->early.node, *parent = NULL;

	while (*link) {
		const struct sk_buff *at = rb_entry(*link, struct sk_buff, rbnode);

		parent = *link;
		link = ns_before(fq_cb(skb)->time_ns, fq_cb(at)->time_ns) ? &parent->left
									  : &parent->right;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &f->early);
}

static void flow_add(struct fq_flow *f, struct sk_buff *skb)
{
	f->qlen++;
	if (f->head && ns_before(fq_cb(skb)->time_ns, fq_cb(f->tail)->time_ns)) {
		flow_add_early(f, skb);
		return;
	}
	skb->next = NULL;
	if (f->head)
		f->tail->next = skb;
	else
		f->head = skb;
	f->tail = skb;
}

/* @skb: flow_peek(f) */
static void flow_remove(struct fq_flow *f, struct sk_buff *skb)
{
	f->qlen--;
	if (skb == f->head)
		f->head = skb->next;
	else
		rb_erase(&skb->rbnode, &f->early);
	skb->next = skb->prev = NULL;
}

/* ---- flows --------------------------------------------------------------------------------------------- */

static void flow_list(struct fq_flow *f, struct list_head *list, enum fq_where where)
{
	list_add_tail(&f->list, list);
	f->where = (u8)where;
}

static void flow_idle(struct fq_priv *p, struct fq_flow *f, u64 now)
{
	f->idle_ns = now;
	flow_list(f, &p->idle, FQ_IDLE);
	p->idle_flows++;
}

static void flow_delay(struct fq_priv *p, struct fq_flow *f)
{
	struct rb_node **link = &p->delayed.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = ns_before(f->next_ns, rb_entry(parent, struct fq_flow, delayed)->next_ns)
			       ? &parent->left
			       : &parent->right;
	}
	rb_link_node(&f->delayed, parent, link);
	rb_insert_color(&f->delayed, &p->delayed);
	f->where = FQ_DELAYED;
	p->delayed_flows++;
	p->stat.throttled++;
	p->next_delayed_ns = min(p->next_delayed_ns, f->next_ns);
}

static void flow_undelay(struct fq_priv *p, struct fq_flow *f)
{
	rb_erase(&f->delayed, &p->delayed);
	p->delayed_flows--;
	flow_list(f, &p->old_flows, FQ_OLD);
}

static void flow_free(struct Qdisc *q, struct fq_flow *f)
{
	struct fq_priv *p = qdisc_priv(q);

	rb_erase(&f->node, &p->buckets[hash_64(f->key, p->buckets_log)]);
	list_del(&f->list);
	packet_slot_free(qdisc_dev(q)->cpu, f);
	p->idle_flows--;
	p->flows--;
}

/* A flow comes: those that are idle for long go, and the longest idle one in any case when there are many. */
static void flows_gc(struct Qdisc *q, u64 now)
{
	struct fq_priv *p = qdisc_priv(q);

	for (int n = 0; n < FQ_GC_MAX && p->idle_flows; n++) {
		struct fq_flow *f = list_first_entry(&p->idle, struct fq_flow, list);

		if (now - f->idle_ns < FQ_IDLE_NS && p->idle_flows < 2u << p->buckets_log)
			return;
		flow_free(q, f);
		p->stat.gc++;
	}
}

static void flow_insert(struct fq_priv *p, struct fq_flow *f)
{
	struct rb_root *root = &p->buckets[hash_64(f->key, p->buckets_log)];
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = f->key < rb_entry(parent, struct fq_flow, node)->key ? &parent->left
									    : &parent->right;
	}
	rb_link_node(&f->node, parent, link);
	rb_insert_color(&f->node, root);
}

static struct fq_flow *flow_find(const struct fq_priv *p, u64 key)
{
	struct rb_node *n = p->buckets[hash_64(key, p->buckets_log)].node;

	while (n) {
		struct fq_flow *f = rb_entry(n, struct fq_flow, node);

		if (f->key == key)
			return f;
		n = key < f->key ? n->left : n->right;
	}
	return NULL;
}

/* A new one is idle. NULL: no memory */
static struct fq_flow *flow_create(struct Qdisc *q, u64 key)
{
	struct fq_priv *p = qdisc_priv(q);
	u64 now = fq_now(q);
	struct fq_flow *f;

	flows_gc(q, now);
	f = packet_slot_alloc(qdisc_dev(q)->cpu);
	if (!f)
		return NULL;
	*f = (struct fq_flow){ .key = key, .credit = (s32)p->initial_quantum };
	flow_insert(p, f);
	p->flows++;
	flow_idle(p, f, now);
	return f;
}

/* The socket, if it is one that may be touched here. */
static struct sock *fq_sock(const struct Qdisc *q, const struct sk_buff *skb)
{
	return skb->sk && skb->sk->sk_cpu == qdisc_dev(q)->cpu ? skb->sk : NULL;
}

static struct fq_flow *fq_classify(struct Qdisc *q, const struct sk_buff *skb)
{
	struct fq_priv *p = qdisc_priv(q);
	struct sock *sk = fq_sock(q, skb);
	struct fq_flow *f;
	u64 key;

	if ((skb->priority & TC_PRIO_MAX) == TC_PRIO_CONTROL)
		return &p->internal;
	if (sk) {
		sock_set_flag(sk, SOCK_FQ_PACED);
		key = sk->sk_cookie << 1;
	} else {
		key = (u64)(skb_flow_hash(skb) & p->orphan_mask) << 1 | 1;
	}
	f = flow_find(p, key);
	if (!f)
		f = flow_create(q, key);
	if (unlikely(!f)) {
		p->stat.no_memory++;
		return &p->internal;
	}
	return f;
}

/* ---- in ------------------------------------------------------------------------------------------------ */

/* When @skb may leave. False: too far away. */
static bool fq_set_time(struct Qdisc *q, struct sk_buff *skb)
{
	struct fq_priv *p = qdisc_priv(q);
	u64 now = fq_now(q), when = skb->tstamp ? skb->tstamp : now;

	if (ns_before(now + p->horizon_ns, when)) {
		if (p->horizon_drop) {
			p->stat.horizon_drops++;
			return false;
		}
		p->stat.horizon_caps++;
		when = now + p->horizon_ns;
	}
	fq_cb(skb)->time_ns = when;
	return true;
}

static enum qdisc_verdict fq_enqueue(struct sk_buff *skb, struct Qdisc *q, struct sk_buff **to_free)
{
	struct fq_priv *p = qdisc_priv(q);
	struct fq_flow *f;

	if (unlikely(q->stats.qlen >= q->limit))
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FULL);
	if (unlikely(!fq_set_time(q, skb)))
		return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_HORIZON);
	f = fq_classify(q, skb);
	if (f != &p->internal) {
		if (unlikely(f->qlen >= p->flow_limit)) {
			p->stat.flow_limit++;
			return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_FLOW_LIMIT);
		}
		if (f->where == FQ_IDLE) {
			list_del(&f->list);
			p->idle_flows--;
			flow_list(f, &p->new_flows, FQ_NEW);
			if (fq_now(q) - f->idle_ns > p->refill_ns)
				f->credit = max(f->credit, (s32)p->quantum);
		}
	} else {
		p->stat.internal++;
	}
	flow_add(f, skb);
	qdisc_qstats_add(q, skb);
	return QDISC_OK;
}

/* ---- out ----------------------------------------------------------------------------------------------- */

/* The delayed flows whose time has come get in line. */
static void fq_wake_delayed(struct fq_priv *p, u64 now)
{
	struct rb_node *n;

	if (ns_before(now, p->next_delayed_ns) || p->next_delayed_ns == FQ_NEVER)
		return;
	p->stat.latency_ns -= p->stat.latency_ns >> 3;
	p->stat.latency_ns += (now - p->next_delayed_ns) >> 3;
	p->next_delayed_ns = FQ_NEVER;
	while ((n = rb_first(&p->delayed))) {
		struct fq_flow *f = rb_entry(n, struct fq_flow, delayed);

		if (ns_before(now, f->next_ns)) {
			p->next_delayed_ns = f->next_ns;
			return;
		}
		flow_undelay(p, f);
	}
}

/* @skb of @f leaves at @now: when the next may, and how much credit it has used. */
static void fq_charge(struct Qdisc *q, struct fq_flow *f, const struct sk_buff *skb, u64 now)
{
	struct fq_priv *p = qdisc_priv(q);
	const struct sock *sk = fq_sock(q, skb);
	u64 rate = p->max_rate, octets = QDISC_CB(skb)->pkt_len, len;

	f->credit -= (s32)octets;
	if (!p->rate_enable)
		return;
	/* What has a time was paced by who sent it. */
	if (!skb->tstamp && sk && sk->sk_rare)
		rate = min(rate, sk->sk_rare->max_pacing_rate);
	if (rate <= p->low_rate) {
		f->credit = 0; /* at such a rate one packet at a time */
	} else {
		octets = max(octets, (u64)p->quantum);
		if (f->credit > 0)
			return;
	}
	if (rate == UINT64_MAX)
		return;
	len = octets * NSEC_PER_SEC / max(rate, (u64)1);
	if (unlikely(len > NSEC_PER_SEC)) {
		len = NSEC_PER_SEC;
		p->stat.too_long++;
	}
	/* It left later than it might have: half of the gap at most makes up for that. */
	if (f->next_ns)
		len -= min(len / 2, now - f->next_ns);
	f->next_ns = now + len;
}

static struct sk_buff *fq_take(struct Qdisc *q, struct fq_flow *f, struct sk_buff *skb)
{
	flow_remove(f, skb);
	qdisc_qstats_del(q, skb);
	return skb;
}

/* The flow whose turn it is; NULL: none may send now. */
static struct fq_flow *fq_next_flow(struct fq_priv *p)
{
	for (;;) {
		bool new = !list_empty(&p->new_flows);
		struct list_head *list = new ? &p->new_flows : &p->old_flows;
		struct fq_flow *f = list_first_entry_or_null(list, struct fq_flow, list);

		if (!f || f->credit > 0)
			return f;
		f->credit += (s32)p->quantum;
		list_del(&f->list);
		flow_list(f, &p->old_flows, FQ_OLD);
	}
}

static struct sk_buff *fq_dequeue(struct Qdisc *q)
{
	struct fq_priv *p = qdisc_priv(q);
	struct sk_buff *skb = flow_peek(&p->internal);
	u64 now = fq_now(q), when;
	struct fq_flow *f;

	if (!q->stats.qlen)
		return NULL;
	if (unlikely(skb))
		return fq_take(q, &p->internal, skb);
	fq_wake_delayed(p, now);
	while ((f = fq_next_flow(p))) {
		skb = flow_peek(f);
		if (!skb) {
			bool again = f->where == FQ_NEW && !list_empty(&p->old_flows);

			/* A flow that is new again and again must not starve the old ones: it waits for a turn of them. */
			list_del(&f->list);
			if (again)
				flow_list(f, &p->old_flows, FQ_OLD);
			else
				flow_idle(p, f, now);
			continue;
		}
		when = max(fq_cb(skb)->time_ns, f->next_ns);
		if (ns_before(now, when)) {
			list_del(&f->list);
			f->next_ns = when;
			flow_delay(p, f);
			continue;
		}
		if (now - when > p->ce_threshold_ns && qdisc_mark_ce(skb))
			p->stat.ce_mark++;
		fq_take(q, f, skb);
		fq_charge(q, f, skb, now);
		return skb;
	}
	if (p->next_delayed_ns != FQ_NEVER)
		qdisc_watchdog_schedule_ns(&p->watchdog, p->next_delayed_ns);
	return NULL;
}

/* ---- emptying ------------------------------------------------------------------------------------------ */

static void flow_purge(struct fq_flow *f)
{
	struct sk_buff *skb;

	while ((skb = flow_peek(f))) {
		flow_remove(f, skb);
		kfree_skb_reason(skb, SKB_DROP_QDISC_RESET);
	}
}

static void flows_purge(struct Qdisc *q, struct list_head *list)
{
	struct fq_priv *p = qdisc_priv(q);
	struct fq_flow *f;

	while ((f = list_first_entry_or_null(list, struct fq_flow, list))) {
		flow_purge(f);
		if (list != &p->idle)
			p->idle_flows++; /* as flow_free() wants it */
		flow_free(q, f);
	}
}

static void fq_reset(struct Qdisc *q)
{
	struct fq_priv *p = qdisc_priv(q);
	struct rb_node *n;

	qdisc_watchdog_cancel(&p->watchdog);
	flow_purge(&p->internal);
	while ((n = rb_first(&p->delayed)))
		flow_undelay(p, rb_entry(n, struct fq_flow, delayed));
	p->next_delayed_ns = FQ_NEVER;
	flows_purge(q, &p->new_flows);
	flows_purge(q, &p->old_flows);
	flows_purge(q, &p->idle);
}

static void fq_destroy(struct Qdisc *q)
{
	struct fq_priv *p = qdisc_priv(q);

	fq_reset(q);
	free(p->buckets);
}

/* ---- settings ------------------------------------------------------------------------------------------ */

static const struct nla_policy fq_policy[TCA_FQ_MAX + 1] = {
	[TCA_FQ_PLIMIT] = { NLA_K_U32, .help = "most packets" },
	[TCA_FQ_FLOW_PLIMIT] = { NLA_K_U32, .help = "most packets of one flow" },
	[TCA_FQ_QUANTUM] = { NLA_K_U32, .min = 1, .max = FQ_QUANTUM_MAX, .help = "octets a turn" },
	[TCA_FQ_INITIAL_QUANTUM] = { NLA_K_U32, .max = INT32_MAX,
				     .help = "octets of the first turn" },
	[TCA_FQ_RATE_ENABLE] = { NLA_K_U32, .max = 1, .help = "do rates hold?" },
	[TCA_FQ_FLOW_DEFAULT_RATE] = { NLA_K_U32, .help = "obsolete: without effect" },
	[TCA_FQ_FLOW_MAX_RATE] = { NLA_K_U32, .help = "octets/s of one flow; ~0: any" },
	[TCA_FQ_BUCKETS_LOG] = { NLA_K_U32, .min = 1, .max = FQ_BUCKETS_LOG_MAX,
				 .help = "size of the table of flows, as a power of 2" },
	[TCA_FQ_FLOW_REFILL_DELAY] = { NLA_K_U32,
				       .help = "us after which an idle flow has credit again" },
	[TCA_FQ_ORPHAN_MASK] = { NLA_K_U32, .help = "bits of the hash of what has no socket" },
	[TCA_FQ_LOW_RATE_THRESHOLD] = { NLA_K_U32,
					.help = "octets/s up to which packets go one by one" },
	[TCA_FQ_CE_THRESHOLD] = { NLA_K_U32, .help = "us of waiting that give a mark; ~0: never" },
	[TCA_FQ_TIMER_SLACK] = { NLA_K_U32, .help = "ns; without effect" },
	[TCA_FQ_HORIZON] = { NLA_K_U32, .help = "us that a packet's time may be away" },
	[TCA_FQ_HORIZON_DROP] = { NLA_K_U8, .help = "beyond it: drop? else its time is moved" },
};

/* Another number of buckets: all flows move. */
static int fq_resize(struct Qdisc *q, u8 log)
{
	struct fq_priv *p = qdisc_priv(q);
	struct rb_root *old = p->buckets, *buckets;
	u32 n = old ? 1u << p->buckets_log : 0;

	if (old && log == p->buckets_log)
		return 0;
	buckets = calloc(1u << log, sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	p->buckets = buckets;
	p->buckets_log = log;
	for (u32 i = 0; i < n; i++) {
		struct rb_node *at;

		while ((at = rb_first(&old[i]))) {
			rb_erase(at, &old[i]);
			flow_insert(p, rb_entry(at, struct fq_flow, node));
		}
	}
	free(old);
	return 0;
}

static void fq_set(struct Qdisc *q, const struct nlattr **tb)
{
	struct fq_priv *p = qdisc_priv(q);
	const struct {
		int attr;
		u32 *field;
	} words[] = {
		{ TCA_FQ_PLIMIT, &q->limit },
		{ TCA_FQ_FLOW_PLIMIT, &p->flow_limit },
		{ TCA_FQ_QUANTUM, &p->quantum },
		{ TCA_FQ_INITIAL_QUANTUM, &p->initial_quantum },
		{ TCA_FQ_ORPHAN_MASK, &p->orphan_mask },
		{ TCA_FQ_LOW_RATE_THRESHOLD, &p->low_rate },
		{ TCA_FQ_CE_THRESHOLD, &p->ce_threshold_us },
		{ TCA_FQ_TIMER_SLACK, &p->timer_slack_ns },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (tb[words[i].attr])
			*words[i].field = nla_get_u32(tb[words[i].attr]);
	}
	if (tb[TCA_FQ_FLOW_MAX_RATE]) {
		u32 rate = nla_get_u32(tb[TCA_FQ_FLOW_MAX_RATE]);

		p->max_rate = rate == UINT32_MAX ? UINT64_MAX : rate;
	}
	if (tb[TCA_FQ_RATE_ENABLE])
		p->rate_enable = nla_get_u32(tb[TCA_FQ_RATE_ENABLE]) != 0;
	if (tb[TCA_FQ_FLOW_REFILL_DELAY])
		p->refill_ns = nla_get_u32(tb[TCA_FQ_FLOW_REFILL_DELAY]) * NSEC_PER_USEC;
	if (tb[TCA_FQ_HORIZON])
		p->horizon_ns = nla_get_u32(tb[TCA_FQ_HORIZON]) * NSEC_PER_USEC;
	if (tb[TCA_FQ_HORIZON_DROP])
		p->horizon_drop = nla_get_u8(tb[TCA_FQ_HORIZON_DROP]) != 0;
	p->ce_threshold_ns = p->ce_threshold_us == FQ_NO_CE_THRESHOLD_US
				     ? UINT64_MAX
				     : p->ce_threshold_us * NSEC_PER_USEC;
}

/* The limit is lower now: what is beyond it goes, from the flows that wait for their time first. */
static void fq_trim(struct Qdisc *q)
{
	struct fq_priv *p = qdisc_priv(q);
	u32 dropped = 0, octets = 0;
	struct rb_node *n;

	while (q->stats.qlen > q->limit) {
		struct sk_buff *skb = flow_peek(&p->internal);
		struct fq_flow *f = &p->internal;

		if (!skb) {
			n = rb_last(&p->delayed);
			if (n)
				f = rb_entry(n, struct fq_flow, delayed);
			else if (!list_empty(&p->old_flows))
				f = list_last_entry(&p->old_flows, struct fq_flow, list);
			else
				f = list_last_entry(&p->new_flows, struct fq_flow, list);
			skb = flow_peek(f);
		}
		if (skb) {
			octets += QDISC_CB(skb)->pkt_len;
			dropped++;
			q->stats.drops++;
			kfree_skb_reason(fq_take(q, f, skb), SKB_DROP_QDISC_FULL);
		}
		if (f != &p->internal && !f->qlen) {
			if (f->where == FQ_DELAYED)
				flow_undelay(p, f);
			list_del(&f->list);
			flow_idle(p, f, fq_now(q));
		}
	}
	if (!p->delayed.node)
		p->next_delayed_ns = FQ_NEVER;
	qdisc_tree_reduce_backlog(q, (s32)dropped, (s32)octets);
}

static int fq_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[TCA_FQ_MAX + 1];
	int err = nla_parse_nested(tb, TCA_FQ_MAX, opt, fq_policy, extack);

	if (err)
		return err == -ERANGE ? -EINVAL : err;
	if (tb[TCA_FQ_BUCKETS_LOG]) {
		err = fq_resize(q, (u8)nla_get_u32(tb[TCA_FQ_BUCKETS_LOG]));
		if (err)
			return err;
	}
	fq_set(q, tb);
	fq_trim(q);
	return 0;
}

static int fq_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct net_device *dev = qdisc_dev(q);
	struct fq_priv *p = qdisc_priv(q);
	u32 frame = dev->mtu + dev->hard_header_len;
	int err;

	list_init(&p->new_flows);
	list_init(&p->old_flows);
	list_init(&p->idle);
	p->next_delayed_ns = FQ_NEVER;
	qdisc_watchdog_init(&p->watchdog, q);
	q->limit = 10000;
	p->flow_limit = 100;
	p->quantum = 2 * frame;
	p->initial_quantum = 10 * frame;
	p->max_rate = UINT64_MAX;
	p->rate_enable = true;
	p->refill_ns = 40 * NSEC_PER_MSEC;
	p->orphan_mask = 1023;
	p->low_rate = 550000 / 8;
	p->ce_threshold_us = FQ_NO_CE_THRESHOLD_US;
	p->ce_threshold_ns = UINT64_MAX;
	p->timer_slack_ns = 10 * NSEC_PER_USEC;
	p->horizon_ns = 10 * NSEC_PER_SEC;
	p->horizon_drop = true;
	err = fq_resize(q, 10);
	if (!err && opt)
		err = fq_change(q, opt, extack);
	if (err)
		free(p->buckets);
	return err;
}

static int fq_dump(struct Qdisc *q, struct nl_msg *m)
{
	const struct fq_priv *p = qdisc_priv(q);

	nla_put_u32(m, TCA_FQ_PLIMIT, q->limit);
	nla_put_u32(m, TCA_FQ_FLOW_PLIMIT, p->flow_limit);
	nla_put_u32(m, TCA_FQ_QUANTUM, p->quantum);
	nla_put_u32(m, TCA_FQ_INITIAL_QUANTUM, p->initial_quantum);
	nla_put_u32(m, TCA_FQ_RATE_ENABLE, p->rate_enable);
	nla_put_u32(m, TCA_FQ_FLOW_MAX_RATE, (u32)min(p->max_rate, (u64)UINT32_MAX));
	nla_put_u32(m, TCA_FQ_FLOW_REFILL_DELAY, (u32)(p->refill_ns / NSEC_PER_USEC));
	nla_put_u32(m, TCA_FQ_ORPHAN_MASK, p->orphan_mask);
	nla_put_u32(m, TCA_FQ_LOW_RATE_THRESHOLD, p->low_rate);
	nla_put_u32(m, TCA_FQ_CE_THRESHOLD, p->ce_threshold_us);
	nla_put_u32(m, TCA_FQ_BUCKETS_LOG, p->buckets_log);
	nla_put_u32(m, TCA_FQ_TIMER_SLACK, p->timer_slack_ns);
	nla_put_u32(m, TCA_FQ_HORIZON, (u32)(p->horizon_ns / NSEC_PER_USEC));
	nla_put_u8(m, TCA_FQ_HORIZON_DROP, p->horizon_drop);
	return 0;
}

static int fq_dump_stats(struct Qdisc *q, struct nl_msg *m)
{
	const struct fq_priv *p = qdisc_priv(q);
	struct tc_fq_qd_stats s = {
		.gc_flows = p->stat.gc,
		.highprio_packets = p->stat.internal,
		.throttled = p->stat.throttled,
		.flows_plimit = p->stat.flow_limit,
		.pkts_too_long = p->stat.too_long,
		.allocation_errors = p->stat.no_memory,
		.flows = p->flows,
		.inactive_flows = p->idle_flows,
		.throttled_flows = p->delayed_flows,
		.unthrottle_latency_ns = (u32)min(p->stat.latency_ns, (u64)UINT32_MAX),
		.ce_mark = p->stat.ce_mark,
		.horizon_drops = p->stat.horizon_drops,
		.horizon_caps = p->stat.horizon_caps,
	};

	if (p->next_delayed_ns != FQ_NEVER)
		s.time_next_delayed_flow = (s64)(p->next_delayed_ns - fq_now(q));
	nla_put(m, TCA_STATS_APP, sizeof(s), &s);
	return 0;
}

const struct Qdisc_ops fq_qdisc_ops = {
	.id = "fq",
	.priv_size = sizeof(struct fq_priv),
	.enqueue = fq_enqueue,
	.dequeue = fq_dequeue,
	.init = fq_init,
	.change = fq_change,
	.reset = fq_reset,
	.destroy = fq_destroy,
	.dump = fq_dump,
	.dump_stats = fq_dump_stats,
};
