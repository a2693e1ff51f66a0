/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_rules.c - policy rules of both IP versions
 *
 * Theory of operation
 *   A net has one list of rules for each IP version, ordered by preference and then by age. A lookup walks it; the first rule that fits
 *   the flow and has an answer decides: a table that has a route, or an error. A table without one (or with a route of type throw)
 *   hands on to the next rule; so does a result that the rule suppresses, and "nop". "goto" jumps forward; to a preference
 *   that no rule has it is a nop, until a rule of that preference comes.
 *
 *   At first there are the default rules: everybody asks table local, then main, then (IPv4) default. As long as these
 *   are all (fib_rules.custom is false), the families ask those tables themselves and the list is not walked.
 *   What a rule may look at beyond addresses, devices, mark and TOS costs a look into the transport header, or makes answers worthless
 *   for a cache that is keyed by less: need_l4 and need_uid tell who must care.
 *
 *   Both families' rules are one structure: an address is one word or four. What differs is a row of struct fib_rules_ops.
 * Invariants
 *   ctarget points forward in the list, so that a walk ends.
 * Locking: fib_rules.h. Requests run under rtnl and take the cpu lock where they change something.
 * See ip-rule(8), rtnetlink(7).
 */
#include "inet/fib_rules.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "inet/inet_sock.h"

#define FIB_RULES_MAX 4096u /* of a family: each costs every lookup a look */

#define RULE_FLAGS_KEPT (FIB_RULE_PERMANENT | FIB_RULE_INVERT)

static struct fib_rules *rules_of(struct net *net, u8 family)
{
	if (family != AF_INET && family != AF_INET6)
		return NULL;
	return net->inet ? net->inet->fib_rules[family == AF_INET6] : NULL;
}

/* ---- lookup --------------------------------------------------------------------------------------------- */

static bool addr_fits(const struct fib_rules_ops *ops, const void *addr, const u32 *rule,
		      const u32 *mask)
{
	u32 w[4], differs = 0;

	memcpy(w, addr, ops->addr_len);
	for (u32 i = 0; i < ops->addr_len / 4u; i++)
		differs |= (w[i] ^ rule[i]) & mask[i];
	return !differs;
}

static bool rule_fits(const struct fib_rules_ops *ops, const struct fib_rule *r,
		      const struct fib_rule_key *k)
{
	if ((r->iifindex && r->iifindex != k->iif) || (r->oifindex && r->oifindex != k->oif))
		return false;
	if ((r->mark ^ k->mark) & r->mark_mask)
		return false;
	if (k->uid < r->uid_start || k->uid > r->uid_end)
		return false;
	if ((r->tos && r->tos != (k->tos & ops->tos_mask)) ||
	    (r->ip_proto && r->ip_proto != k->ip_proto))
		return false;
	if (r->sport_start && (k->sport < r->sport_start || k->sport > r->sport_end))
		return false;
	if (r->dport_start && (k->dport < r->dport_start || k->dport > r->dport_end))
		return false;
	if (r->src_len && (!k->src || !addr_fits(ops, k->src, r->src, r->src_mask)))
		return false;
	return !r->dst_len || addr_fits(ops, k->dst, r->dst, r->dst_mask);
}

static int action_error(u8 action)
{
	switch (action) {
	case FR_ACT_UNREACHABLE:
		return -ENETUNREACH;
	case FR_ACT_PROHIBIT:
		return -EACCES;
	default: /* FR_ACT_BLACKHOLE, and what nobody knows */
		return -EINVAL;
	}
}

static struct fib_rule *rule_next(const struct fib_rules *rules, const struct fib_rule *r)
{
	return r->node.next == &rules->list ? NULL
					    : container_of(r->node.next, struct fib_rule, node);
}

int fib_rules_lookup(struct fib_rules *rules, const struct fib_rule_key *key, void *arg)
{
	struct fib_rule *r =
		rule_next(rules, container_of(&rules->list, struct fib_rule, node)); /* the first */

	while (r) {
		int err;

		if (rule_fits(rules->ops, r, key) == !!(r->flags & FIB_RULE_INVERT) ||
		    r->action == FR_ACT_NOP) {
			r = rule_next(rules, r);
			continue;
		}
		if (r->action == FR_ACT_GOTO) {
			r = r->ctarget ? r->ctarget : rule_next(rules, r);
			continue;
		}
		if (r->action != FR_ACT_TO_TBL)
			return action_error(r->action);
		err = rules->ops->lookup(rules->net, r, arg);
		if (err != -EAGAIN)
			return err;
		r = rule_next(rules, r);
	}
	return -ESRCH;
}

void fib_rules_ports(const struct sk_buff *skb, u32 off, u8 ip_proto, be16 *sport, be16 *dport)
{
	be16 ports[2] = { { 0 }, { 0 } };

	switch (ip_proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		if (skb_copy_bits(skb, off, ports, sizeof(ports)))
			memset(ports, 0, sizeof(ports));
		break;
	default:
		break;
	}
	*sport = ports[0];
	*dport = ports[1];
}

/* ---- the list ------------------------------------------------------------------------------------------- */

static bool is_default_rule(const struct fib_rule *r, u32 pref, u32 table)
{
	return r->pref == pref && r->table == table && r->action == FR_ACT_TO_TBL &&
	       !(r->flags & FIB_RULE_INVERT) && !r->src_len && !r->dst_len && !r->mark &&
	       !r->mark_mask && !r->tos && !r->ip_proto && !r->sport_start && !r->dport_start &&
	       !r->iifindex && !r->oifindex && !r->uid_start && r->uid_end == ~0u &&
	       r->suppress_prefixlen == ~0u && r->suppress_ifgroup == ~0u;
}

static const struct {
	u32 pref, table;
} default_rules[] = {
	{ 0, RT_TABLE_LOCAL },
	{ 0x7ffe, RT_TABLE_MAIN },
	{ 0x7fff, RT_TABLE_DEFAULT },
};

static u32 nr_default_rules(const struct fib_rules_ops *ops)
{
	return ops->default_rule ? 3 : 2;
}

/* Finds anew what depends on the whole list. */
static void rules_changed(struct fib_rules *rules)
{
	u32 i = 0, n = nr_default_rules(rules->ops);
	struct fib_rule *r, *t;

	rules->custom = rules->count != n;
	rules->need_l4 = rules->need_uid = false;
	list_for_each_entry(r, &rules->list, node) {
		if (i >= n || !is_default_rule(r, default_rules[i].pref, default_rules[i].table))
			rules->custom = true;
		i++;
		rules->need_l4 |= r->ip_proto || r->sport_start || r->dport_start;
		rules->need_uid |= r->uid_start || r->uid_end != ~0u;
		if (r->action != FR_ACT_GOTO)
			continue;
		r->ctarget = NULL;
		for (t = rule_next(rules, r); t && t->pref <= r->target; t = rule_next(rules, t)) {
			if (t->pref == r->target) {
				r->ctarget = t;
				break;
			}
		}
	}
	rules->seq++;
	rules->ops->changed(rules->net);
}

static void rule_insert(struct fib_rules *rules, struct fib_rule *new)
{
	struct list_head *before = &rules->list;
	struct fib_rule *r;

	list_for_each_entry(r, &rules->list, node) {
		if (r->pref > new->pref) {
			before = &r->node;
			break;
		}
	}
	list_add_tail(&new->node, before);
	rules->count++;
}

static void rule_remove(struct fib_rules *rules, struct fib_rule *r)
{
	list_del(&r->node);
	rules->count--;
	free(r);
}

void fib_rules_destroy(struct fib_rules *rules)
{
	if (!rules)
		return;
	while (!list_empty(&rules->list))
		rule_remove(rules, list_first_entry(&rules->list, struct fib_rule, node));
	rules->net->inet->fib_rules[rules->ops->family == AF_INET6] = NULL;
	free(rules);
}

struct fib_rules *fib_rules_create(struct net *net, const struct fib_rules_ops *ops)
{
	struct fib_rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	rules->net = net;
	rules->ops = ops;
	list_init(&rules->list);
	net->inet->fib_rules[ops->family == AF_INET6] = rules;
	for (u32 i = 0; i < nr_default_rules(ops); i++) {
		struct fib_rule *r = calloc(1, sizeof(*r));

		if (!r) {
			fib_rules_destroy(rules);
			return NULL;
		}
		*r = (struct fib_rule){ .pref = default_rules[i].pref,
					.table = default_rules[i].table,
					.action = FR_ACT_TO_TBL,
					.proto = RTPROT_KERNEL,
					.uid_end = ~0u,
					.suppress_prefixlen = ~0u,
					.suppress_ifgroup = ~0u };
		rule_insert(rules, r);
	}
	return rules;
}

/* ---- devices -------------------------------------------------------------------------------------------- */

static int name_to_index(struct net *net, const char *name)
{
	const struct net_device *dev;

	if (!name[0])
		return 0;
	dev = __dev_get_by_name(net, name);
	return dev ? dev->ifindex : -1;
}

/* What @index says about @name after @ev of @dev. True: it has changed */
static bool follow_device(int *index, const char *name, enum netdev_event ev,
			  const struct net_device *dev)
{
	bool is_it = name[0] && !strncmp(name, dev->name, IFNAMSIZ) && ev != NETDEV_UNREGISTER;
	int now = is_it ? dev->ifindex : *index == dev->ifindex ? -1 : *index;

	if (!name[0] || now == *index)
		return false;
	*index = now;
	return true;
}

void fib_rules_device_event(struct fib_rules *rules, enum netdev_event ev, struct net_device *dev)
{
	bool changed = false;
	struct fib_rule *r;

	if (ev != NETDEV_REGISTER && ev != NETDEV_UNREGISTER && ev != NETDEV_CHANGENAME)
		return;
	cpu_lock(rules->net->cpu);
	list_for_each_entry(r, &rules->list, node) {
		changed |= follow_device(&r->iifindex, r->iifname, ev, dev);
		changed |= follow_device(&r->oifindex, r->oifname, ev, dev);
	}
	if (changed)
		rules_changed(rules);
	cpu_unlock(rules->net->cpu);
}

/* ---- requests ------------------------------------------------------------------------------------------- */

/* Newer than the headers that this is built with: named so that they are refused, not overlooked. */
#define FRA_DSCP_      25
#define FRA_DSCP_MASK_ 30

static const struct nla_policy rule_policy[FRA_DSCP_MASK_ + 1] = {
	[FRA_DST] = { .kind = NLA_K_BINARY, .len = 16, .help = "destination prefix" },
	[FRA_SRC] = { .kind = NLA_K_BINARY, .len = 16, .help = "source prefix" },
	[FRA_IIFNAME] = { .kind = NLA_K_STRING, .len = IFNAMSIZ - 1, .help = "input device" },
	[FRA_GOTO] = { .kind = NLA_K_U32, .help = "preference to go on at" },
	[FRA_PRIORITY] = { .kind = NLA_K_U32, .help = "preference: less is earlier" },
	[FRA_FWMARK] = { .kind = NLA_K_U32, .help = "mark" },
	[FRA_FLOW] = { .kind = NLA_K_U32, .help = "realms: not supported" },
	[FRA_TUN_ID] = { .kind = NLA_K_U64, .help = "tunnel: not supported" },
	[FRA_SUPPRESS_IFGROUP] = { .kind = NLA_K_U32,
				   .help = "routes by devices of this group do not count" },
	[FRA_SUPPRESS_PREFIXLEN] = { .kind = NLA_K_U32,
				     .help = "prefixes of at most this length do not count" },
	[FRA_TABLE] = { .kind = NLA_K_U32, .help = "table" },
	[FRA_FWMASK] = { .kind = NLA_K_U32, .help = "the bits of the mark that count" },
	[FRA_OIFNAME] = { .kind = NLA_K_STRING, .len = IFNAMSIZ - 1, .help = "output device" },
	[FRA_L3MDEV] = { .kind = NLA_K_U8, .help = "the table of a VRF: not supported" },
	[FRA_UID_RANGE] = { .kind = NLA_K_BINARY, .len = 8, .help = "first and last user" },
	[FRA_PROTOCOL] = { .kind = NLA_K_U8, .help = "who made the rule: RTPROT_*" },
	[FRA_IP_PROTO] = { .kind = NLA_K_U8, .help = "transport protocol" },
	[FRA_SPORT_RANGE] = { .kind = NLA_K_BINARY, .len = 4, .help = "first and last port" },
	[FRA_DPORT_RANGE] = { .kind = NLA_K_BINARY, .len = 4, .help = "first and last port" },
};

/* A request: the rule it describes, and which parts of it were named. */
struct rule_request {
	struct fib_rules *rules;
	struct fib_rule rule;
	bool has_pref;
};

static int parse_prefix(const struct fib_rules_ops *ops, const struct nlattr *a, u8 plen,
			u32 *ret_addr, u32 *ret_mask)
{
	u8 mask[16] = { 0 };

	if (!plen)
		return 0;
	if (!a || nla_len(a) != ops->addr_len || plen > ops->addr_len * 8)
		return -EINVAL;
	for (u32 bit = 0; bit < plen; bit++)
		mask[bit / 8] |= (u8)(0x80 >> bit % 8);
	memcpy(ret_addr, nla_data(a), ops->addr_len);
	memcpy(ret_mask, mask, ops->addr_len);
	return 0;
}

static int parse_ports(const struct nlattr *a, const char *what, u16 *start, u16 *end,
		       struct netlink_ext_ack *extack)
{
	struct fib_rule_port_range range;

	if (!a)
		return 0;
	if (nla_len(a) != sizeof(range))
		return -ERANGE;
	memcpy(&range, nla_data(a), sizeof(range));
	/* 65,535 as the end would be "any" to others' programs. */
	if (!range.start || range.end < range.start || range.end == 0xffff) {
		nl_set_err_msg(extack,
			       "Invalid %s range: the first must not be above the last, and "
			       "both from 1 to 65534",
			       what);
		return -EINVAL;
	}
	*start = range.start;
	*end = range.end;
	return 0;
}

static int parse_uids(const struct nlattr *a, struct fib_rule *r, struct netlink_ext_ack *extack)
{
	struct fib_rule_uid_range range = { 0, ~0u };

	if (a && nla_len(a) != sizeof(range))
		return -ERANGE;
	if (a)
		memcpy(&range, nla_data(a), sizeof(range));
	if (a && (range.start == ~0u || range.end == ~0u || range.end < range.start)) {
		nl_set_err_msg(extack, "Invalid uid range: the first must not be above the last");
		return -EINVAL;
	}
	r->uid_start = range.start;
	r->uid_end = range.end;
	return 0;
}

static int refuse_unsupported(const struct nlattr **tb, const struct fib_rule_hdr *frh,
			      struct netlink_ext_ack *extack)
{
	if (tb[FRA_L3MDEV] && nla_get_u8(tb[FRA_L3MDEV]) != 1) {
		nl_set_err_msg(extack, "Invalid l3mdev attribute: it can only be 1");
		return -EINVAL;
	}
	if (tb[FRA_L3MDEV] && (frh->table || tb[FRA_TABLE])) {
		nl_set_err_msg(extack, "A rule has a table or l3mdev, not both");
		return -EINVAL;
	}
	if (tb[FRA_L3MDEV]) {
		nl_set_err_msg(extack, "There are no VRF devices here: name a table");
		return -EOPNOTSUPP;
	}
	if (tb[FRA_TUN_ID] || tb[FRA_FLOW]) {
		nl_set_err_msg(extack, "Rules know no tunnel ids and no realms");
		return -EOPNOTSUPP;
	}
	for (u32 i = FRA_DSCP_; i <= FRA_DSCP_MASK_; i++) {
		if (!tb[i])
			continue;
		nl_set_bad_attr(extack, tb[i]);
		nl_set_err_msg(extack, "Rules know no dscp, flow label and masks of ports: use tos "
				       "and ranges");
		return -EOPNOTSUPP;
	}
	if (frh->flags & FIB_RULE_FIND_SADDR) {
		nl_set_err_msg(extack, "Rules do not choose source addresses");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int parse_selectors(struct fib_rules *rules, const struct fib_rule_hdr *frh,
			   const struct nlattr **tb, struct fib_rule *r,
			   struct netlink_ext_ack *extack)
{
	const struct fib_rules_ops *ops = rules->ops;
	int err;

	r->src_len = frh->src_len;
	r->dst_len = frh->dst_len;
	if (parse_prefix(ops, tb[FRA_SRC], r->src_len, r->src, r->src_mask)) {
		nl_set_err_msg(extack, "Invalid source address or prefix length");
		return -EINVAL;
	}
	if (parse_prefix(ops, tb[FRA_DST], r->dst_len, r->dst, r->dst_mask)) {
		nl_set_err_msg(extack, "Invalid destination address or prefix length");
		return -EINVAL;
	}
	if (tb[FRA_IIFNAME])
		nla_strscpy(r->iifname, tb[FRA_IIFNAME], sizeof(r->iifname));
	if (tb[FRA_OIFNAME])
		nla_strscpy(r->oifname, tb[FRA_OIFNAME], sizeof(r->oifname));
	r->iifindex = name_to_index(rules->net, r->iifname);
	r->oifindex = name_to_index(rules->net, r->oifname);
	if (tb[FRA_FWMARK])
		r->mark = nla_get_u32(tb[FRA_FWMARK]);
	if (tb[FRA_FWMASK])
		r->mark_mask = nla_get_u32(tb[FRA_FWMASK]);
	else if (r->mark)
		r->mark_mask = ~0u;
	if (tb[FRA_IP_PROTO])
		r->ip_proto = nla_get_u8(tb[FRA_IP_PROTO]);
	err = parse_uids(tb[FRA_UID_RANGE], r, extack);
	if (!err)
		err = parse_ports(tb[FRA_SPORT_RANGE], "sport", &r->sport_start, &r->sport_end,
				  extack);
	if (!err)
		err = parse_ports(tb[FRA_DPORT_RANGE], "dport", &r->dport_start, &r->dport_end,
				  extack);
	if (err)
		return err;
	r->tos = frh->tos;
	if (r->tos & ~ops->tos_mask) {
		nl_set_err_msg(extack, "Invalid tos: only the bits of 0x%x count", ops->tos_mask);
		return -EINVAL;
	}
	return 0;
}

/* In front of the second one: behind table local, if that is as at first. */
static u32 default_pref(const struct fib_rules *rules)
{
	const struct fib_rule *r;

	if (list_empty(&rules->list))
		return 0;
	r = rule_next(rules, list_first_entry(&rules->list, struct fib_rule, node));
	return r && r->pref ? r->pref - 1 : 0;
}

static int parse_action(const struct fib_rule_hdr *frh, const struct nlattr **tb,
			struct fib_rule *r, struct netlink_ext_ack *extack)
{
	r->action = frh->action;
	r->table = tb[FRA_TABLE] ? nla_get_u32(tb[FRA_TABLE]) : frh->table;
	if (tb[FRA_SUPPRESS_PREFIXLEN])
		r->suppress_prefixlen = nla_get_u32(tb[FRA_SUPPRESS_PREFIXLEN]);
	if (tb[FRA_SUPPRESS_IFGROUP])
		r->suppress_ifgroup = nla_get_u32(tb[FRA_SUPPRESS_IFGROUP]);
	if (tb[FRA_GOTO] && r->action != FR_ACT_GOTO) {
		nl_set_err_msg(extack, "A goto target without the action goto");
		return -EINVAL;
	}
	if (r->action != FR_ACT_GOTO)
		return 0;
	if (!tb[FRA_GOTO]) {
		nl_set_err_msg(extack, "Action goto needs a target: a preference");
		return -EINVAL;
	}
	r->target = nla_get_u32(tb[FRA_GOTO]);
	if (r->target <= r->pref) {
		nl_set_err_msg(extack, "goto leads forward only: to a preference above %u",
			       r->pref);
		return -EINVAL;
	}
	return 0;
}

static int parse_request(struct nl_request *req, struct rule_request *ret)
{
	const struct fib_rule_hdr *frh = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[FRA_DSCP_MASK_ + 1];
	struct fib_rule *r = &ret->rule;
	int err;

	if (req->nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*frh))) {
		nl_set_err_msg(req->extack, "The message is too short for a rule");
		return -EINVAL;
	}
	*ret = (struct rule_request){ .rules = rules_of(req->net, frh->family) };
	if (!ret->rules) {
		nl_set_err_msg(req->extack, "There are rules of IPv4 and IPv6 only");
		return -EAFNOSUPPORT;
	}
	err = nlmsg_parse(req->nlh, sizeof(*frh), tb, FRA_DSCP_MASK_, rule_policy, req->extack);
	if (!err)
		err = refuse_unsupported(tb, frh, req->extack);
	if (err)
		return err;
	r->suppress_prefixlen = r->suppress_ifgroup = ~0u;
	r->flags = frh->flags & RULE_FLAGS_KEPT;
	r->proto = tb[FRA_PROTOCOL] ? nla_get_u8(tb[FRA_PROTOCOL]) : RTPROT_UNSPEC;
	ret->has_pref = tb[FRA_PRIORITY] != NULL;
	r->pref = ret->has_pref ? nla_get_u32(tb[FRA_PRIORITY]) : default_pref(ret->rules);
	err = parse_selectors(ret->rules, frh, tb, r, req->extack);
	return err ? err : parse_action(frh, tb, r, req->extack);
}

/* Prefixes and TOS count where @q names them only: as in Linux also when asking whether a rule is there already. */
static bool same_prefixes(const struct fib_rule *r, const struct fib_rule *q)
{
	return (!q->src_len ||
		(r->src_len == q->src_len && !memcmp(r->src, q->src, sizeof(r->src)))) &&
	       (!q->dst_len ||
		(r->dst_len == q->dst_len && !memcmp(r->dst, q->dst, sizeof(r->dst)))) &&
	       (!q->tos || r->tos == q->tos);
}

static bool rule_exists(const struct fib_rules *rules, const struct fib_rule *q)
{
	struct fib_rule *r;

	list_for_each_entry(r, (struct list_head *)&rules->list, node) {
		if (r->action == q->action && r->table == q->table &&
		    r->suppress_ifgroup == q->suppress_ifgroup &&
		    r->suppress_prefixlen == q->suppress_prefixlen &&
		    !strcmp(r->iifname, q->iifname) && !strcmp(r->oifname, q->oifname) &&
		    r->pref == q->pref && r->mark == q->mark && r->mark_mask == q->mark_mask &&
		    r->uid_start == q->uid_start && r->uid_end == q->uid_end &&
		    r->ip_proto == q->ip_proto && r->proto == q->proto &&
		    r->sport_start == q->sport_start && r->sport_end == q->sport_end &&
		    r->dport_start == q->dport_start && r->dport_end == q->dport_end &&
		    same_prefixes(r, q))
			return true;
	}
	return false;
}

/* The first rule that is what @rq names. Neither "not" nor the target of a goto tell rules apart, as in Linux. */
static struct fib_rule *rule_find(const struct rule_request *rq)
{
	const struct fib_rule *q = &rq->rule;
	struct fib_rule *r;

	list_for_each_entry(r, &rq->rules->list, node) {
		if ((q->action && r->action != q->action) || (q->table && r->table != q->table) ||
		    (q->proto && r->proto != q->proto) || (rq->has_pref && r->pref != q->pref) ||
		    (q->suppress_ifgroup != ~0u && r->suppress_ifgroup != q->suppress_ifgroup) ||
		    (q->suppress_prefixlen != ~0u &&
		     r->suppress_prefixlen != q->suppress_prefixlen))
			continue;
		if ((q->iifname[0] && strcmp(r->iifname, q->iifname)) ||
		    (q->oifname[0] && strcmp(r->oifname, q->oifname)) ||
		    (q->mark && r->mark != q->mark) ||
		    (q->mark_mask && r->mark_mask != q->mark_mask))
			continue;
		if (((q->uid_start || q->uid_end != ~0u) &&
		     (r->uid_start != q->uid_start || r->uid_end != q->uid_end)) ||
		    (q->ip_proto && r->ip_proto != q->ip_proto))
			continue;
		if ((q->sport_start &&
		     (r->sport_start != q->sport_start || r->sport_end != q->sport_end)) ||
		    (q->dport_start &&
		     (r->dport_start != q->dport_start || r->dport_end != q->dport_end)))
			continue;
		if (same_prefixes(r, q))
			return r;
	}
	return NULL;
}

/* ---- messages ------------------------------------------------------------------------------------------- */

static u32 shown_flags(const struct fib_rule *r)
{
	u32 flags = r->flags;

	if (r->action == FR_ACT_GOTO && !r->ctarget)
		flags |= FIB_RULE_UNRESOLVED;
	if (r->iifindex < 0)
		flags |= FIB_RULE_IIF_DETACHED;
	if (r->oifindex < 0)
		flags |= FIB_RULE_OIF_DETACHED;
	return flags;
}

static void put_ports(struct nl_msg *m, u16 type, u16 start, u16 end)
{
	struct fib_rule_port_range range = { start, end };

	if (start)
		nla_put(m, type, sizeof(range), &range);
}

/* One rule. nlmsg_finish()'s verdict */
static int fill_rule(struct nl_msg *m, const struct fib_rules *rules, const struct fib_rule *r,
		     u32 portid, u32 seq, u16 type, u16 flags)
{
	struct fib_rule_hdr *frh = nlmsg_begin(m, portid, seq, type, flags, sizeof(*frh));
	struct fib_rule_uid_range uids = { r->uid_start, r->uid_end };

	if (!frh)
		return -EMSGSIZE;
	frh->family = rules->ops->family;
	frh->dst_len = r->dst_len;
	frh->src_len = r->src_len;
	frh->tos = r->tos;
	frh->table = r->table < 256 ? (u8)r->table : RT_TABLE_COMPAT;
	frh->action = r->action;
	frh->flags = shown_flags(r);
	nla_put_u32(m, FRA_TABLE, r->table);
	nla_put_u32(m, FRA_SUPPRESS_PREFIXLEN, r->suppress_prefixlen);
	nla_put_u8(m, FRA_PROTOCOL, r->proto);
	if (r->iifname[0])
		nla_put_string(m, FRA_IIFNAME, r->iifname);
	if (r->oifname[0])
		nla_put_string(m, FRA_OIFNAME, r->oifname);
	if (r->pref)
		nla_put_u32(m, FRA_PRIORITY, r->pref);
	if (r->mark)
		nla_put_u32(m, FRA_FWMARK, r->mark);
	if (r->mark || r->mark_mask)
		nla_put_u32(m, FRA_FWMASK, r->mark_mask);
	if (r->target)
		nla_put_u32(m, FRA_GOTO, r->target);
	if (r->uid_start || r->uid_end != ~0u)
		nla_put(m, FRA_UID_RANGE, sizeof(uids), &uids);
	put_ports(m, FRA_SPORT_RANGE, r->sport_start, r->sport_end);
	put_ports(m, FRA_DPORT_RANGE, r->dport_start, r->dport_end);
	if (r->ip_proto)
		nla_put_u8(m, FRA_IP_PROTO, r->ip_proto);
	if (r->suppress_ifgroup != ~0u)
		nla_put_u32(m, FRA_SUPPRESS_IFGROUP, r->suppress_ifgroup);
	if (r->dst_len)
		nla_put(m, FRA_DST, rules->ops->addr_len, r->dst);
	if (r->src_len)
		nla_put(m, FRA_SRC, rules->ops->addr_len, r->src);
	return nlmsg_finish(m);
}

static void notify_rule(const struct fib_rules *rules, const struct fib_rule *r, u16 type,
			const struct nl_request *req)
{
	struct nl_msg m;

	if (!netlink_has_listeners(rules->net, NETLINK_ROUTE, rules->ops->nlgroup) ||
	    nl_msg_init(&m, 512))
		return;
	if (!fill_rule(&m, rules, r, req->portid, req->nlh->nlmsg_seq, type, 0))
		nlmsg_notify(rules->net, NETLINK_ROUTE, &m, 0, rules->ops->nlgroup);
	nl_msg_fini(&m);
}

static int newrule_doit(struct nl_request *req)
{
	struct rule_request rq;
	struct fib_rule *r;
	int err = parse_request(req, &rq);

	if (err)
		return err;
	if (rq.rules->count >= FIB_RULES_MAX) {
		nl_set_err_msg(req->extack, "There are %u rules already: no more", FIB_RULES_MAX);
		return -ENOSPC;
	}
	if (req->nlh->nlmsg_flags & NLM_F_EXCL && rule_exists(rq.rules, &rq.rule))
		return -EEXIST;
	r = malloc(sizeof(*r));
	if (!r)
		return -ENOMEM;
	*r = rq.rule;
	cpu_lock(req->net->cpu);
	if (r->action == FR_ACT_TO_TBL)
		err = rq.rules->ops->new_table(req->net, &r->table, req->extack);
	if (err) {
		free(r);
	} else {
		rule_insert(rq.rules, r);
		rules_changed(rq.rules);
		notify_rule(rq.rules, r, RTM_NEWRULE, req);
	}
	cpu_unlock(req->net->cpu);
	return err;
}

static int delrule_doit(struct nl_request *req)
{
	struct rule_request rq;
	struct fib_rule *r;
	int err = parse_request(req, &rq);

	if (err)
		return err;
	r = rule_find(&rq);
	if (!r)
		return -ENOENT;
	if (r->flags & FIB_RULE_PERMANENT) {
		nl_set_err_msg(req->extack, "The rule was made to stay");
		return -EPERM;
	}
	cpu_lock(req->net->cpu);
	/* Said with the state in which it was shown last. */
	notify_rule(rq.rules, r, RTM_DELRULE, req);
	rule_remove(rq.rules, r);
	rules_changed(rq.rules);
	cpu_unlock(req->net->cpu);
	return 0;
}

/* args[0]: rules that are out already */
static int getrule_dumpit(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct fib_rule_hdr *frh = NLMSG_DATA(cb->nlh);
	struct fib_rules *rules = rules_of(cb->net, frh->family);
	struct fib_rule *r;
	u64 i = 0;

	if (!rules)
		return 0;
	if (cb->strict &&
	    (cb->nlh->nlmsg_len != NLMSG_LENGTH(sizeof(*frh)) || frh->dst_len || frh->src_len ||
	     frh->tos || frh->table || frh->res1 || frh->res2 || frh->action || frh->flags)) {
		nl_set_err_msg(cb->extack, "A dump of rules cannot be filtered");
		return -EINVAL;
	}
	cb->seq = rules->seq;
	list_for_each_entry(r, &rules->list, node) {
		if (i++ < cb->args[0])
			continue;
		if (fill_rule(msg, rules, r, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWRULE,
			      NLM_F_MULTI))
			return 1;
		cb->args[0]++;
	}
	return 0;
}

int fib_rules_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_INET, RTM_GETRULE, NULL, getrule_dumpit },
		{ AF_INET6, RTM_GETRULE, NULL, getrule_dumpit },
		{ AF_UNSPEC, RTM_NEWRULE, newrule_doit, NULL },
		{ AF_UNSPEC, RTM_DELRULE, delrule_doit, NULL },
	};

	return rtnl_register(m, handlers, ARRAY_SIZE(handlers));
}
