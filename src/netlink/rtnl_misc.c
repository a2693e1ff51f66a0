/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl_misc.c - small tables that tools ask for: policy rules and queueing disciplines
 *
 * Rules are the three every Linux instance has; they cannot be changed until policy routing exists. Queueing disciplines are
 * shown as they are; tc changes them when src/sched exists.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>

#include "core/qdisc.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"

static const struct {
	u32 priority;
	u32 table;
} default_rules[] = {
	{ 0, RT_TABLE_LOCAL },
	{ 32766, RT_TABLE_MAIN },
	{ 32767, RT_TABLE_DEFAULT },
};

/* args[0]: next rule */
static int dump_rules(struct nl_msg *msg, struct netlink_callback *cb)
{
	for (; cb->args[0] < ARRAY_SIZE(default_rules); cb->args[0]++) {
		u32 table = default_rules[cb->args[0]].table;
		struct fib_rule_hdr *h = nlmsg_begin(msg, cb->portid, cb->nlh->nlmsg_seq,
						     RTM_NEWRULE, NLM_F_MULTI, sizeof(*h));

		if (!h)
			return 1;
		h->family = AF_INET;
		h->table = (u8)table;
		h->action = FR_ACT_TO_TBL;
		nla_put_u32(msg, FRA_TABLE, table);
		nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, ~0u);
		nla_put_u8(msg, FRA_PROTOCOL, RTPROT_KERNEL);
		if (default_rules[cb->args[0]].priority)
			nla_put_u32(msg, FRA_PRIORITY, default_rules[cb->args[0]].priority);
		if (nlmsg_finish(msg))
			return 1;
	}
	return 0;
}

static int change_rule(struct nl_request *req)
{
	nl_set_err_msg(req->extack,
		       "weir has no policy routing yet: the three default rules cannot be changed");
	return -EOPNOTSUPP;
}

static void fill_qdisc_stats(struct nl_msg *m, const struct Qdisc *q)
{
	struct tc_stats old = { .bytes = q->stats.bytes,
				.packets = (u32)q->stats.packets,
				.drops = q->stats.drops,
				.overlimits = q->stats.overlimits,
				.qlen = q->stats.qlen,
				.backlog = q->stats.backlog };
	struct gnet_stats_basic basic = { .bytes = q->stats.bytes,
					  .packets = (u32)q->stats.packets };
	struct gnet_stats_queue queue = { .qlen = q->stats.qlen,
					  .backlog = q->stats.backlog,
					  .drops = q->stats.drops,
					  .requeues = q->stats.requeues,
					  .overlimits = q->stats.overlimits };
	u32 nest = nla_nest_start(m, TCA_STATS2);

	nla_put(m, TCA_STATS_BASIC, sizeof(basic), &basic);
	nla_put(m, TCA_STATS_QUEUE, sizeof(queue), &queue);
	nla_nest_end(m, nest);
	nla_put(m, TCA_STATS, sizeof(old), &old);
}

static int fill_qdisc(struct nl_msg *m, struct netlink_callback *cb, struct net_device *dev,
		      struct Qdisc *q)
{
	struct tcmsg *tcm = nlmsg_begin(m, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWQDISC,
					NLM_F_MULTI, sizeof(*tcm));
	u32 opts;

	if (!tcm)
		return -EMSGSIZE;
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = dev->ifindex;
	tcm->tcm_handle = q->handle;
	tcm->tcm_parent = q->parent ? q->parent : TC_H_ROOT;
	tcm->tcm_info = q->refcount;
	nla_put_string(m, TCA_KIND, q->ops->id);
	if (q->ops->dump) {
		opts = nla_nest_start(m, TCA_OPTIONS);
		q->ops->dump(q, m);
		nla_nest_end(m, opts);
	}
	fill_qdisc_stats(m, q);
	return nlmsg_finish(m);
}

/* args[0]: the ifindex that was dumped last, args[1]: the next queue of the one after */
static int dump_qdiscs(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct tcmsg *req = (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
	int want = cb->nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(*req) ? req->tcm_ifindex : 0;
	struct net_device *dev;
	int err = 0;

	cpu_lock(cb->net->cpu);
	net_for_each_dev(cb->net, dev) {
		if ((u64)dev->ifindex <= cb->args[0] || (want && dev->ifindex != want))
			continue;
		for (; cb->args[1] < dev->num_tx_queues && !err; cb->args[1] += !err)
			if (dev->tx[cb->args[1]].qdisc_sleeping)
				err = fill_qdisc(msg, cb, dev, dev->tx[cb->args[1]].qdisc_sleeping);
		if (err)
			break;
		cb->args[0] = (u64)dev->ifindex;
		cb->args[1] = 0;
	}
	cpu_unlock(cb->net->cpu);
	return err ? 1 : 0;
}

static int change_qdisc(struct nl_request *req)
{
	nl_set_err_msg(req->extack,
		       "weir has no traffic control yet: noqueue and pfifo_fast are all there is");
	return -EOPNOTSUPP;
}

int rtnl_misc_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_INET, RTM_GETRULE, NULL, dump_rules },
		{ AF_UNSPEC, RTM_NEWRULE, change_rule, NULL },
		{ AF_UNSPEC, RTM_DELRULE, change_rule, NULL },
		{ AF_UNSPEC, RTM_GETQDISC, NULL, dump_qdiscs },
		{ AF_UNSPEC, RTM_NEWQDISC, change_qdisc, NULL },
		{ AF_UNSPEC, RTM_DELQDISC, change_qdisc, NULL },
	};

	return rtnl_register(m, handlers, ARRAY_SIZE(handlers));
}
