/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_tbf.c - tbf: a rate, by a bucket of tokens
 *
 * Theory of operation
 *   The bucket fills at the rate and holds as many tokens as `burst` octets need; a token is a nanosecond of the rate here. A packet leaves when the bucket
 *   holds what its length costs; until then a watchdog waits. With a peakrate there is a second bucket, which holds little
 *   (`mtu`), so that what has gathered in the first does not leave all at once.
 *   What is longer than a bucket could never leave: a segment that the stack keeps whole is cut first, anything else is dropped.
 *   What waits is in the inner discipline (sch_inner.c), a bfifo of limit octets.
 * See tc-tbf(8), linux/pkt_sched.h (struct tc_ratespec); J. Turner, New Directions in Communications, 1986 (leaky buckets).
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <linux/pkt_sched.h>

#include "core/machine.h"
#include "netlink/netlink.h"
#include "sched/sched_internal.h"

#define TICK_NS    64 /* of the times in messages: see psched_show() */
#define ATM_CELL   53
#define ATM_OCTETS 48 /* of a cell that are ours */

struct tbf_bucket {
	struct tc_ratespec spec; /* of messages */
	u64 rate;                /* octets/s; 0: this bucket is not used */
	s64 tokens_ns, depth_ns;
};

struct tbf_priv {
	struct qdisc_inner inner; /* first */
	struct tbf_bucket mean, peak;
	u32 max_size;  /* longest that fits into both */
	u64 filled_ns; /* as of then */
	struct qdisc_watchdog watchdog;
};

/* ---- tokens ------------------------------------------------------------------------------------------------ */

static s64 bucket_cost(const struct tbf_bucket *b, u32 len)
{
	u64 octets = max((u64)len + b->spec.overhead, (u64)b->spec.mpu);

	if ((b->spec.linklayer & TC_LINKLAYER_MASK) == TC_LINKLAYER_ATM)
		octets = (octets + ATM_OCTETS - 1) / ATM_OCTETS * ATM_CELL;
	return (s64)(octets * NSEC_PER_SEC / b->rate);
}

/* The longest packet that @ns of tokens pay. */
static u32 bucket_size(const struct tbf_bucket *b, s64 ns)
{
	u64 octets = (u64)((unsigned __int128)(u64)ns * b->rate / NSEC_PER_SEC);

	if ((b->spec.linklayer & TC_LINKLAYER_MASK) == TC_LINKLAYER_ATM)
		octets = octets / ATM_CELL * ATM_OCTETS;
	octets -= min(octets, (u64)b->spec.overhead);
	return (u32)min(octets, (u64)UINT32_MAX);
}

/* How long until @b can pay for @len; 0: now. What waited when the bucket was made smaller leaves it with a debt. */
static s64 bucket_wait(const struct tbf_bucket *b, u32 len)
{
	return b->rate ? max(min(bucket_cost(b, len), b->depth_ns) - b->tokens_ns, (s64)0) : 0;
}

static void bucket_fill(struct tbf_bucket *b, u64 ns)
{
	b->tokens_ns += (s64)min(ns, (u64)(b->depth_ns - b->tokens_ns));
}

static void tbf_fill(struct tbf_priv *p, u64 now)
{
	bucket_fill(&p->mean, now - p->filled_ns);
	bucket_fill(&p->peak, now - p->filled_ns);
	p->filled_ns = now;
}

/* ---- packets --------------------------------------------------------------------------------------------- */

/* Cuts what is longer than the buckets, whose pieces fit. */
static enum qdisc_verdict tbf_segment(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free)
{
	const struct net_device *dev = qdisc_dev(q);
	const struct tbf_priv *p = qdisc_priv(q);
	const struct qdisc_skb_cb cb = *QDISC_CB(skb);
	u32 taken = 0, octets = 0;
	int err;
	struct sk_buff *seg = skb_gso_segment(skb, dev->features & ~NETIF_F_GSO_SOFTWARE, &err);

	if (!seg)
		return qdisc_drop(skb, q, to_free, err == -ENOMEM ? SKB_DROP_NOMEM : SKB_DROP_GSO);
	consume_skb(skb);
	while (seg) {
		struct sk_buff *next = seg->next;
		u32 len = seg->len;

		seg->next = NULL;
		*QDISC_CB(seg) = cb;
		QDISC_CB(seg)->pkt_len = len;
		if (len > p->max_size) {
			qdisc_drop(seg, q, to_free, SKB_DROP_QDISC_TOO_LONG);
		} else if (qdisc_inner_enqueue(seg, q, to_free) != QDISC_DROP) {
			taken++;
			octets += len;
		}
		seg = next;
	}
	if (!taken)
		return QDISC_DROP;
	/* Parents count one packet of the length there was. */
	qdisc_tree_reduce_backlog(q, 1 - (s32)taken, (s32)(cb.pkt_len - octets));
	return QDISC_OK;
}

static enum qdisc_verdict tbf_enqueue(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free)
{
	const struct tbf_priv *p = qdisc_priv(q);

	if (likely(QDISC_CB(skb)->pkt_len <= p->max_size))
		return qdisc_inner_enqueue(skb, q, to_free);
	if (skb_is_gso(skb))
		return tbf_segment(skb, q, to_free);
	return qdisc_drop(skb, q, to_free, SKB_DROP_QDISC_TOO_LONG);
}

static struct sk_buff *tbf_dequeue(struct Qdisc *q)
{
	struct tbf_priv *p = qdisc_priv(q);
	const struct sk_buff *skb = qdisc_inner_peek(q);
	u64 now = qdisc_dev(q)->cpu->now;
	u32 len;
	s64 wait;

	if (!skb)
		return NULL;
	len = QDISC_CB(skb)->pkt_len;
	tbf_fill(p, now);
	wait = max(bucket_wait(&p->mean, len), bucket_wait(&p->peak, len));
	if (wait) {
		q->stats.overlimits++;
		qdisc_watchdog_schedule_ns(&p->watchdog, now + (u64)wait);
		return NULL;
	}
	p->mean.tokens_ns -= bucket_cost(&p->mean, len);
	if (p->peak.rate)
		p->peak.tokens_ns -= bucket_cost(&p->peak, len);
	return qdisc_inner_dequeue(q);
}

static void tbf_restart(struct Qdisc *q)
{
	struct tbf_priv *p = qdisc_priv(q);

	p->mean.tokens_ns = p->mean.depth_ns;
	p->peak.tokens_ns = p->peak.depth_ns;
	p->filled_ns = qdisc_dev(q)->cpu->now;
}

static void tbf_reset(struct Qdisc *q)
{
	struct tbf_priv *p = qdisc_priv(q);

	qdisc_watchdog_cancel(&p->watchdog);
	qdisc_inner_reset(q);
	tbf_restart(q);
}

/* ---- settings ---------------------------------------------------------------------------------------------- */

static const struct nla_policy tbf_policy[TCA_TBF_MAX + 1] = {
	[TCA_TBF_PARMS] = { NLA_K_UNSPEC, .len = sizeof(struct tc_tbf_qopt),
			    .help = "struct tc_tbf_qopt" },
	[TCA_TBF_RTAB] = { NLA_K_BINARY, .len = TC_RTAB_SIZE, .help = "without effect" },
	[TCA_TBF_PTAB] = { NLA_K_BINARY, .len = TC_RTAB_SIZE, .help = "without effect" },
	[TCA_TBF_RATE64] = { NLA_K_U64, .help = "octets/s, beyond 32 bits" },
	[TCA_TBF_PRATE64] = { NLA_K_U64, .help = "octets/s of the peak, beyond 32 bits" },
	[TCA_TBF_BURST] = { NLA_K_U32, .help = "octets at once" },
	[TCA_TBF_PBURST] = { NLA_K_U32, .help = "octets at once at the peak" },
};

/* @ticks: how deep it is, unless @burst says so in octets. Lowers *ret_max_size to what fits. 0 or -EINVAL */
static int bucket_parse(struct tbf_bucket *ret, const struct tc_ratespec *spec, u32 ticks,
			const struct nlattr *rate64, const struct nlattr *burst, u32 *ret_max_size)
{
	struct tbf_bucket b = { .spec = *spec, .rate = spec->rate };
	u32 size;

	if (rate64)
		b.rate = max(b.rate, nla_get_u64(rate64));
	if (!b.rate)
		return -EINVAL;
	size = burst ? nla_get_u32(burst) : bucket_size(&b, (s64)ticks * TICK_NS);
	b.depth_ns = burst ? bucket_cost(&b, size) : (s64)ticks * TICK_NS;
	/* What never fits would wait for ever. */
	if (!size || bucket_cost(&b, size) > b.depth_ns)
		return -EINVAL;
	*ret_max_size = min(*ret_max_size, size);
	*ret = b;
	return 0;
}

static int tbf_parse(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct tbf_bucket mean, peak = { .rate = 0 };
	const struct nlattr *tb[TCA_TBF_MAX + 1];
	struct tbf_priv *p = qdisc_priv(q);
	u32 max_size = UINT32_MAX;
	struct tc_tbf_qopt o;
	int err;

	if (!opt)
		return -EINVAL;
	err = nla_parse_nested(tb, TCA_TBF_MAX, opt, tbf_policy, extack);
	if (err)
		return err;
	if (!tb[TCA_TBF_PARMS])
		return -EINVAL;
	memcpy(&o, nla_data(tb[TCA_TBF_PARMS]), sizeof(o));
	err = bucket_parse(&mean, &o.rate, o.buffer, tb[TCA_TBF_RATE64], tb[TCA_TBF_BURST],
			   &max_size);
	if (!err && o.peakrate.rate)
		err = bucket_parse(&peak, &o.peakrate, o.mtu, tb[TCA_TBF_PRATE64],
				   tb[TCA_TBF_PBURST], &max_size);
	if (err)
		return err;
	if (peak.rate && peak.rate <= mean.rate) {
		nl_set_err_msg(extack, "the peak rate is not more than the rate");
		return -EINVAL;
	}
	p->mean = mean;
	p->peak = peak;
	p->max_size = max_size;
	q->limit = o.limit;
	tbf_restart(q);
	return 0;
}

static int tbf_change(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	int err = tbf_parse(q, opt, extack);

	if (!err)
		qdisc_inner_set_limit(q, q->limit);
	return err;
}

static int tbf_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct tbf_priv *p = qdisc_priv(q);
	int err = tbf_parse(q, opt, extack);

	qdisc_watchdog_init(&p->watchdog, q);
	return err ? err : qdisc_inner_init(q, q->limit);
}

static void dump_spec(struct nl_msg *m, const struct tbf_bucket *b, int attr64,
		      struct tc_ratespec *ret)
{
	*ret = (struct tc_ratespec){ .linklayer = b->spec.linklayer & TC_LINKLAYER_MASK,
				     .overhead = b->spec.overhead,
				     .mpu = b->spec.mpu,
				     .rate = (u32)min(b->rate, (u64)UINT32_MAX) };
	if (b->rate > UINT32_MAX)
		nla_put_u64(m, (u16)attr64, b->rate);
}

static int tbf_dump(struct Qdisc *q, struct nl_msg *m)
{
	const struct tbf_priv *p = qdisc_priv(q);
	struct tc_tbf_qopt o = { .limit = q->limit,
				 .buffer = (u32)(p->mean.depth_ns / TICK_NS),
				 .mtu = (u32)(p->peak.depth_ns / TICK_NS) };

	dump_spec(m, &p->mean, TCA_TBF_RATE64, &o.rate);
	if (p->peak.rate)
		dump_spec(m, &p->peak, TCA_TBF_PRATE64, &o.peakrate);
	nla_put(m, TCA_TBF_PARMS, sizeof(o), &o);
	return 0;
}

const struct Qdisc_ops tbf_qdisc_ops = {
	.id = "tbf",
	.priv_size = sizeof(struct tbf_priv),
	.cl_ops = &qdisc_inner_class_ops,
	.enqueue = tbf_enqueue,
	.dequeue = tbf_dequeue,
	.init = tbf_init,
	.change = tbf_change,
	.reset = tbf_reset,
	.destroy = qdisc_inner_destroy,
	.dump = tbf_dump,
};
