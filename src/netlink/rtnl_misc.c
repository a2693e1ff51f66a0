/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl_misc.c - small tables that tools ask for: policy rules
 *
 * Rules are the three every Linux instance has; they cannot be changed until policy routing exists.
 */
#include <errno.h>
#include <linux/fib_rules.h>

#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"

static const struct {
	u32 priority;
	u32 table;
} default_rules[] = {
	{ 0, RT_TABLE_LOCAL },
	{ 32766, RT_TABLE_MAIN },
	{ 32767, RT_TABLE_DEFAULT }, /* IPv4 only */
};

/* args[0]: next rule */
static int dump_rules(struct nl_msg *msg, struct netlink_callback *cb)
{
	u8 family = ((const struct rtgenmsg *)NLMSG_DATA(cb->nlh))->rtgen_family;
	u32 n = ARRAY_SIZE(default_rules) - (family == AF_INET6);

	for (; cb->args[0] < n; cb->args[0]++) {
		u32 table = default_rules[cb->args[0]].table;
		struct fib_rule_hdr *h = nlmsg_begin(msg, cb->portid, cb->nlh->nlmsg_seq,
						     RTM_NEWRULE, NLM_F_MULTI, sizeof(*h));

		if (!h)
			return 1;
		h->family = family;
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

int rtnl_misc_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_INET, RTM_GETRULE, NULL, dump_rules },
		{ AF_INET6, RTM_GETRULE, NULL, dump_rules },
		{ AF_UNSPEC, RTM_NEWRULE, change_rule, NULL },
		{ AF_UNSPEC, RTM_DELRULE, change_rule, NULL },
	};

	return rtnl_register(m, handlers, ARRAY_SIZE(handlers));
}
