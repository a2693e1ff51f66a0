/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_red.c - red: random early detection
 *
 * Theory of operation
 *   The mean length of the queue (exponentially weighted, weight 2^-Wlog, octets) says how much congestion there is. Below qth_min nothing
 *   happens; above qth_max each packet is marked; in between a packet is marked with a probability that grows to max_p. Marking is
 *   dropping, or with ecn the mark of RFC 3168 where the sender understands it.
 *     harddrop   above qth_max packets are dropped even with ecn
 *     nodrop     what cannot be marked is let in (with ecn only)
 *     adaptive   max_p is moved, twice a second, so that the mean stays about in the middle
 *   So that marks come evenly and not in clusters the distance to the next one is drawn evenly: after a mark a number R in [0, 1) is drawn, and
 *   the packet whose count since then times the probability reaches R is next (Floyd and Jacobson 1993, 7 and 11).
 *   While nothing waits the mean decays as if small packets had come and gone at the speed of the device; tc(8) sends a table of how often it is halved,
 *   by cells of 2^Scell_log us.
 *   What gets in waits in the inner discipline (sch_inner.c), a bfifo of limit octets.
 * See S. Floyd, V. Jacobson, Random Early Detection Gateways for Congestion Avoidance, 1993; S. Floyd, R. Gummadi, S. Shenker, Adaptive RED,
 * 2001; RFC 7567; tc-red(8).
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>

#include "core/machine.h"
#include "lib/random.h"
#include "netlink/netlink.h"
#include "sched/sched_internal.h"

#define RED_STAB_SIZE 256
#define RED_FLAGS     (TC_RED_ECN | TC_RED_HARDDROP | TC_RED_ADAPTATIVE | TC_RED_NODROP)
#define RED_ADAPT_NS  (NSEC_PER_SEC / 2)
#define RED_ONE       (1ULL << 32) /* a probability of 1 */

struct red_priv {
	struct qdisc_inner inner; /* first */
	struct tc_red_qopt opt;   /* as it was given; limit is q->limit */
	u8 stab[RED_STAB_SIZE];
	u32 flags;   /* TC_RED_* */
	u32 max_p;   /* parts of 2^32 */
	u64 half_us; /* idle for so long: half of the mean is left */

	u64 avg;   /* times 2^Wlog */
	s64 count; /* packets since the last mark; -1: below qth_min */
	u32 r;     /* R */
	bool idle; /* nothing waits, since idle_since */
	u64 idle_since;
	u64 adapted_ns;
	u64 rng[4];
	u32 marked, early, pdrop;
};

/* ---- the mean ------------------------------------------------------------------------------------------- */

static u64 red_decayed(const struct red_priv *p, u64 idle_us)
{
	u64 cell = min(idle_us >> p->opt.Scell_log, (u64)RED_STAB_SIZE - 1);

	if (p->stab[cell])
		return p->avg >> p->stab[cell];
	return p->avg -
	       (u64)((unsigned __int128)(p->avg / 2) * min(idle_us, p->half_us) / p->half_us);
}

static u32 red_mean(struct Qdisc *q, u64 now)
{
	struct red_priv *p = qdisc_priv(q);

	if (p->idle) {
		p->avg = red_decayed(p, (now - p->idle_since) / NSEC_PER_USEC);
		p->idle = false;
	} else {
		p->avg += p->inner.q->stats.backlog - (p->avg >> p->opt.Wlog);
	}
	return (u32)min(p->avg >> p->opt.Wlog, (u64)UINT32_MAX);
}

/* Adaptive RED 4: max_p between 1 % and 50 %, more by a quarter of itself or 1 %, less by a tenth, for a mean within the middle fifth. */
static void red_adapt(struct red_priv *p, u32 mean, u64 now)
{
	const u32 span = p->opt.qth_max - p->opt.qth_min, one_percent = RED_ONE / 100;
	u64 steps = (now - p->adapted_ns) / RED_ADAPT_NS;

	p->adapted_ns += steps * RED_ADAPT_NS;
	/* After so many there is nothing left to change. */
	for (steps = min(steps, (u64)64); steps; steps--) {
		if (mean > p->opt.qth_min + (u64)span * 6 / 10 && p->max_p <= RED_ONE / 2)
			p->max_p += min(one_percent, p->max_p / 4);
		else if (mean < p->opt.qth_min + (u64)span * 4 / 10 && p->max_p >= one_percent)
			p->max_p = (u32)((u64)p->max_p * 9 / 10);
	}
}

/* ---- in ------------------------------------------------------------------------------------------------ */

enum red_action { RED_PASS, RED_PROBABLY, RED_ALWAYS };

static enum red_action red_decide(struct red_priv *p, u32 mean)
{
	u64 probability;

	if (mean < p->opt.qth_min) {
		p->count = -1;
		return RED_PASS;
	}
	if (mean >= p->opt.qth_max) {
		p->count = -1;
		return RED_ALWAYS;
	}
	if (!++p->count) {
		p->r = (u32)(random_next(p->rng) >> 32);
		return RED_PASS;
	}
	probability = (u64)p->max_p * (mean - p->opt.qth_min) / (p->opt.qth_max - p->opt.qth_min);
	if (probability * (u64)p->count < p->r)
		return RED_PASS;
	p->count = 0;
	p->r = (u32)(random_next(p->rng) >> 32);
	return RED_PROBABLY;
}

/* True: @skb may come in, marked or not. */
static bool red_mark(struct red_priv *p, struct sk_buff *skb, enum red_action why)
{
	if (!(p->flags & TC_RED_ECN) || (why == RED_ALWAYS && p->flags & TC_RED_HARDDROP))
		return false;
	if (!qdisc_mark_ce(skb))
		return p->flags & TC_RED_NODROP;
	p->marked++;
	return true;
}

static enum qdisc_verdict red_enqueue(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free)
{
	struct red_priv *p = qdisc_priv(q);
	u64 now = qdisc_dev(q)->cpu->now;
	u32 mean = red_mean(q, now);
	enum red_action action;
	enum qdisc_verdict v;

	if (p->flags & TC_RED_ADAPTATIVE && now - p->adapted_ns >= RED_ADAPT_NS)
		red_adapt(p, mean, now);
	action = red_decide(p, mean);
	if (unlikely(action != RED_PASS)) {
		q->stats.overlimits++;
		if (!red_mark(p, skb, action)) {
			p->early++;
			return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_CONGESTED);
		}
	}
	v = qdisc_inner_enqueue(skb, q, to_free);
	p->pdrop += v == QDISC_DROP;
	return v;
}

static struct sk_buff *red_dequeue(struct Qdisc *q)
{
	struct red_priv *p = qdisc_priv(q);
	struct sk_buff *skb = qdisc_inner_dequeue(q);

	if (!skb && !q->stats.qlen && !p->idle) {
		p->idle = true;
		p->idle_since = qdisc_dev(q)->cpu->now;
	}
	return skb;
}

static void red_restart(struct Qdisc *q)
{
	struct red_priv *p = qdisc_priv(q);

	p->avg = 0;
	p->count = -1;
	p->idle = false;
	p->adapted_ns = qdisc_dev(q)->cpu->now;
}

static void red_reset(struct Qdisc *q)
{
	qdisc_inner_reset(q);
	red_restart(q);
}

/* ---- settings ------------------------------------------------------------------------------------------ */

static const struct nla_policy red_policy[TCA_RED_MAX + 1] = {
	[TCA_RED_PARMS] = { NLA_K_UNSPEC, .len = sizeof(struct tc_red_qopt),
			    .help = "struct tc_red_qopt" },
	[TCA_RED_STAB] = { NLA_K_UNSPEC, .len = RED_STAB_SIZE,
			   .help = "by idle time: how often the mean is halved" },
	[TCA_RED_MAX_P] = { NLA_K_U32, .help = "greatest probability, parts of 2^32" },
	[TCA_RED_FLAGS] = { NLA_K_UNSPEC, .len = sizeof(struct nla_bitfield32),
			    .help = "TC_RED_*: which, and which are meant" },
	[TCA_RED_EARLY_DROP_BLOCK] = { NLA_K_U32, .help = "filters for what is dropped" },
	[TCA_RED_MARK_BLOCK] = { NLA_K_U32, .help = "filters for what is marked" },
};

static int red_refuse(struct netlink_ext_ack *extack, int err, const char *sentence)
{
	nl_set_err_msg(extack, "%s", sentence);
	return err;
}

static int red_check(const struct tc_red_qopt *o, const u8 *stab, struct netlink_ext_ack *extack)
{
	if (o->qth_max < o->qth_min)
		return red_refuse(extack, -EINVAL, "max is less than min");
	if (o->Wlog >= 32 || o->Plog >= 32 || o->Scell_log >= 32)
		return red_refuse(extack, -EINVAL, "a logarithm is too large");
	for (u32 i = 0; i < RED_STAB_SIZE; i++) {
		if (stab[i] >= 32)
			return red_refuse(extack, -EINVAL,
					  "the table of halvings has one that is too large");
	}
	return 0;
}

/* The historic ones are in the structure; the attribute, where there is one, says which it is about. */
static int red_flags(const struct red_priv *p, const struct tc_red_qopt *o,
		     const struct nlattr *attr, u32 *ret, struct netlink_ext_ack *extack)
{
	struct nla_bitfield32 bits = { 0, 0 };

	if (attr)
		memcpy(&bits, nla_data(attr), sizeof(bits));
	if ((bits.selector & ~(u32)RED_FLAGS) || (bits.value & ~bits.selector))
		return red_refuse(extack, -EINVAL, "a flag that red does not know");
	*ret = (p->flags & ~(u32)TC_RED_HISTORIC_FLAGS) | (o->flags & TC_RED_HISTORIC_FLAGS);
	*ret = (*ret & ~bits.selector) | bits.value;
	if ((*ret & (TC_RED_NODROP | TC_RED_ECN)) == TC_RED_NODROP)
		return red_refuse(extack, -EINVAL, "nodrop mode is only meaningful with ECN");
	return 0;
}

/* Up to the first cell of which the table says something the mean goes down in a straight line. */
static u64 red_half_us(const struct red_priv *p)
{
	u64 cell = 1;

	while (cell < RED_STAB_SIZE && !p->stab[cell])
		cell++;
	return cell << p->opt.Scell_log;
}

static int red_parse(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[TCA_RED_MAX + 1];
	struct red_priv *p = qdisc_priv(q);
	struct tc_red_qopt o;
	u32 flags;
	int err;

	if (!opt)
		return -EINVAL;
	err = nla_parse_nested(tb, TCA_RED_MAX, opt, red_policy, extack);
	if (err)
		return err;
	if (!tb[TCA_RED_PARMS] || !tb[TCA_RED_STAB])
		return red_refuse(extack, -EINVAL, "red needs its parameters and its table");
	if ((tb[TCA_RED_EARLY_DROP_BLOCK] && nla_get_u32(tb[TCA_RED_EARLY_DROP_BLOCK])) ||
	    (tb[TCA_RED_MARK_BLOCK] && nla_get_u32(tb[TCA_RED_MARK_BLOCK])))
		return red_refuse(extack, -EOPNOTSUPP, "weir has no traffic classifiers yet");
	memcpy(&o, nla_data(tb[TCA_RED_PARMS]), sizeof(o));
	err = red_check(&o, nla_data(tb[TCA_RED_STAB]), extack);
	if (!err)
		err = red_flags(p, &o, tb[TCA_RED_FLAGS], &flags, extack);
	if (err)
		return err;
	p->opt = o;
	p->flags = flags;
	memcpy(p->stab, nla_data(tb[TCA_RED_STAB]), sizeof(p->stab));
	p->half_us = red_half_us(p);
	p->max_p = (u32)min(((u64)(o.qth_max - o.qth_min) << 32) >> o.Plog, RED_ONE - 1);
	if (tb[TCA_RED_MAX_P])
		p->max_p = nla_get_u32(tb[TCA_RED_MAX_P]);
	q->limit = o.limit;
	return 0;
}

static int red_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	int err = red_parse(q, opt, extack);

	if (err)
		return err;
	qdisc_inner_set_limit(q, q->limit);
	red_restart(q); /* a mean by other weights would mislead */
	return 0;
}

static int red_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct red_priv *p = qdisc_priv(q);
	int err = red_parse(q, opt, extack);

	if (err)
		return err;
	random_seed(p->rng, cpu_random(qdisc_dev(q)->cpu));
	red_restart(q);
	return qdisc_inner_init(q, q->limit);
}

static int red_dump(struct Qdisc *q, struct nl_msg *m)
{
	const struct red_priv *p = qdisc_priv(q);
	struct nla_bitfield32 bits = { .value = p->flags, .selector = RED_FLAGS };
	struct tc_red_qopt o = p->opt;

	o.flags = (u8)((o.flags & ~TC_RED_HISTORIC_FLAGS) | (p->flags & TC_RED_HISTORIC_FLAGS));
	nla_put(m, TCA_RED_PARMS, sizeof(o), &o);
	nla_put_u32(m, TCA_RED_MAX_P, p->max_p);
	nla_put(m, TCA_RED_FLAGS, sizeof(bits), &bits);
	return 0;
}

static int red_dump_stats(struct Qdisc *q, struct nl_msg *m)
{
	const struct red_priv *p = qdisc_priv(q);
	struct tc_red_xstats s = { .early = p->early, .pdrop = p->pdrop, .marked = p->marked };

	nla_put(m, TCA_STATS_APP, sizeof(s), &s);
	return 0;
}

const struct Qdisc_ops red_qdisc_ops = {
	.id = "red",
	.priv_size = sizeof(struct red_priv),
	.cl_ops = &qdisc_inner_class_ops,
	.enqueue = red_enqueue,
	.dequeue = red_dequeue,
	.init = red_init,
	.change = red_change,
	.reset = red_reset,
	.destroy = qdisc_inner_destroy,
	.dump = red_dump,
	.dump_stats = red_dump_stats,
};
