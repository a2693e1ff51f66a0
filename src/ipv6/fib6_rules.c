/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib6_rules.c - policy rules of IPv6: what inet/fib_rules.c needs to know of its tables and flows
 *
 * A rule that prohibits or swallows is answered with a route of that type that is in no table (rule_routes); "unreachable" is
 * what no route at all is.
 */
#include <errno.h>

#include "inet/fib_rules.h"
#include "ipv6/ipv6_internal.h"

struct fib6_rule_arg {
	const struct flowi6 *fl;
	bool strict;
	struct fib6_info *f;
};

static int fib6_rule_lookup(struct net *net, struct fib_rule *rule, void *p)
{
	struct fib6_rule_arg *arg = p;

	if (!rule->table_cache)
		rule->table_cache = fib6_get_table(net, rule->table);
	arg->f = rule->table_cache ? fib6_table_lookup(rule->table_cache, arg->fl, arg->strict)
				   : NULL;
	if (arg->f && fib_rule_suppresses(rule, arg->f->dst_len, arg->f->dev))
		arg->f = NULL;
	return arg->f ? 0 : -EAGAIN;
}

struct fib6_info *fib6_rules_lookup(struct net *net, const struct flowi6 *fl, bool strict)
{
	struct fib6_rule_arg arg = { .fl = fl, .strict = strict };
	const struct fib_rule_key key = {
		/* No source yet: it is nobody's, not one of ::/n. */
		.src = ipv6_addr_any(&fl->saddr) ? NULL : &fl->saddr,
		.dst = &fl->daddr,
		.iif = fl->iif || !net->loopback_dev ? fl->iif : net->loopback_dev->ifindex,
		.oif = fl->oif,
		.mark = fl->mark,
		.uid = fl->uid,
		.tos = (u8)(be32_to_cpu(fl->flowlabel) >> 20),
		.ip_proto = fl->proto,
		.sport = be16_to_cpu(fl->sport),
		.dport = be16_to_cpu(fl->dport),
	};

	switch (fib_rules_lookup(net->ipv6->rules, &key, &arg)) {
	case 0:
		return arg.f;
	case -EACCES:
		return fib6_rule_route(net, RTN_PROHIBIT);
	case -EINVAL:
		return fib6_rule_route(net, RTN_BLACKHOLE);
	default:
		return NULL;
	}
}

void fib6_rules_dissect(const struct sk_buff *skb, struct flowi6 *fl)
{
	u32 at = (u32)skb_network_offset(skb) + (u32)sizeof(struct ipv6_hdr);
	u32 len = skb->len > at ? skb->len - at : 0;
	u8 buf[512], next = ipv6_hdr(skb)->nexthdr;
	u16 frag_off;
	int skip;

	len = min(len, (u32)sizeof(buf));
	if (skb_copy_bits(skb, at, buf, len))
		return;
	skip = ipv6_skip_exthdr(buf, len, &next, &frag_off);
	if (skip < 0)
		return;
	fl->proto = next;
	/* One answer must serve all fragments of a datagram. */
	if (!frag_off && !(IP6CB(skb)->flags & IP6SKB_FRAGMENTED))
		fib_rules_ports(skb, at + (u32)skip, next, &fl->sport, &fl->dport);
}

static int fib6_rule_new_table(struct net *net, u32 *table, struct netlink_ext_ack *extack)
{
	if (!*table) {
		nl_set_err_msg(extack, "A rule that looks up needs a table");
		return -EINVAL;
	}
	if (!fib6_new_table(net, *table)) {
		nl_set_err_msg(extack, "No memory, or more than %u tables", FIB_TABLES_MAX);
		return -ENOBUFS;
	}
	return 0;
}

void fib6_needs_changed(struct net *net)
{
	net->ipv6->fib6_has_custom_rules = net->ipv6->rules->custom;
	net->ipv6->rules_need_l4 =
		net->ipv6->rules->need_l4 || net->ipv6->fib_multipath_hash_policy;
	rt6_cache_flush(net);
}

static const struct fib_rules_ops fib6_rules_ops = {
	.family = AF_INET6,
	.addr_len = 16,
	.tos_mask = 0xfc, /* RFC 2474: without ECN */
	.nlgroup = RTNLGRP_IPV6_RULE,
	.new_table = fib6_rule_new_table,
	.lookup = fib6_rule_lookup,
	.changed = fib6_needs_changed,
};

int fib6_rules_init(struct net *net)
{
	net->ipv6->rules = fib_rules_create(net, &fib6_rules_ops);
	return net->ipv6->rules ? 0 : -ENOMEM;
}
