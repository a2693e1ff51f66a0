/* SPDX-License-Identifier: BSD-2-Clause */
/* fib_rules.c - policy rules of IPv4: what inet/fib_rules.c needs to know of its tables and flows */
#include <errno.h>

#include "ipv4/ipv4_internal.h"

struct fib4_rule_arg {
	const struct flowi4 *fl;
	struct fib_result *res;
};

static int fib4_rule_lookup(struct net *net, struct fib_rule *rule, void *p)
{
	const struct fib4_rule_arg *arg = p;
	int err;

	if (!rule->table_cache)
		rule->table_cache = fib_get_table(net, rule->table);
	if (!rule->table_cache)
		return -EAGAIN;
	err = fib_table_lookup(net, rule->table_cache, arg->fl, arg->res);
	if (!err && fib_rule_suppresses(rule, arg->res->plen, fib_result_nh(arg->res)->dev))
		return -EAGAIN;
	return err;
}

int fib4_rules_lookup(struct net *net, const struct flowi4 *fl, struct fib_result *res)
{
	struct fib4_rule_arg arg = { fl, res };
	const struct fib_rule_key key = {
		.src = &fl->saddr,
		.dst = &fl->daddr,
		.iif = fl->iif || !net->loopback_dev ? fl->iif : net->loopback_dev->ifindex,
		.oif = fl->oif,
		.mark = fl->mark,
		.uid = fl->uid,
		.tos = fl->tos,
		.ip_proto = fl->proto,
		.sport = be16_to_cpu(fl->sport),
		.dport = be16_to_cpu(fl->dport),
	};
	int err = fib_rules_lookup(net->ipv4->rules, &key, &arg);

	return err == -ESRCH ? -ENETUNREACH : err;
}

/* As in Linux, a rule that names no table gets one that nobody has named before. */
static int fib4_rule_new_table(struct net *net, u32 *table, struct netlink_ext_ack *extack)
{
	u32 id = 1;

	if (*table)
		return 0;
	while (id < RT_TABLE_COMPAT && fib_get_table(net, id))
		id++;
	if (id == RT_TABLE_COMPAT || !fib_new_table(net, id)) {
		nl_set_err_msg(extack, "No table is free for a rule that names none");
		return -ENOBUFS;
	}
	*table = id;
	return 0;
}

void fib4_needs_changed(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;

	ip4->fib_has_custom_rules = ip4->rules->custom;
	ip4->rules_need_l4 = ip4->rules->need_l4 || ip4->fib_multipath_hash_policy;
	ip4->rules_need_more = ip4->rules_need_l4 || ip4->rules->need_uid;
	rt_cache_flush(net);
}

static const struct fib_rules_ops fib4_rules_ops = {
	.family = AF_INET,
	.addr_len = 4,
	.tos_mask = IPTOS_RT_MASK,
	.nlgroup = RTNLGRP_IPV4_RULE,
	.default_rule = true,
	.new_table = fib4_rule_new_table,
	.lookup = fib4_rule_lookup,
	.changed = fib4_needs_changed,
};

int fib4_rules_init(struct net *net)
{
	net->ipv4->rules = fib_rules_create(net, &fib4_rules_ops);
	return net->ipv4->rules ? 0 : -ENOMEM;
}
