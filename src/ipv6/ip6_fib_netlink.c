/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_fib_netlink.c - IPv6 routes through rtnetlink and /proc/net/ipv6_route: what ip -6 route asks for
 *
 * The next hops of a multipath route are dumped as one message (RTA_MULTIPATH), and notified one by one.
 * Context: control, under rtnl; the cpu lock is taken here. See rtnetlink(7).
 */
#include <errno.h>
#include <linux/icmpv6.h>

#include "core/cpu.h"
#include "core/sysctl.h"
#include "ipv6/ip6_fib.h"
#include "ipv6/ipv6_internal.h"

static const struct nla_policy rtm6_policy[RTA_MAX + 1] = {
	[RTA_DST] = { .kind = NLA_K_IN6_ADDR, .help = "destination" },
	[RTA_SRC] = { .kind = NLA_K_IN6_ADDR,
		      .help = "source prefix: for packets from there only" },
	[RTA_IIF] = { .kind = NLA_K_U32, .help = "input device" },
	[RTA_OIF] = { .kind = NLA_K_U32, .help = "output device" },
	[RTA_GATEWAY] = { .kind = NLA_K_IN6_ADDR, .help = "next hop" },
	[RTA_PRIORITY] = { .kind = NLA_K_U32, .help = "metric: less is better" },
	[RTA_PREFSRC] = { .kind = NLA_K_IN6_ADDR, .help = "preferred source address" },
	[RTA_METRICS] = { .kind = NLA_K_NESTED, .help = "RTAX_*" },
	[RTA_MULTIPATH] = { .kind = NLA_K_BINARY, .help = "struct rtnexthop list" },
	[RTA_TABLE] = { .kind = NLA_K_U32, .help = "table" },
	[RTA_PREF] = { .kind = NLA_K_U8, .help = "router preference: RFC 4191" },
	[RTA_EXPIRES] = { .kind = NLA_K_U32, .help = "lifetime in s" },
	[RTA_ENCAP_TYPE] = { .kind = NLA_K_U16, .help = "tunnel: not supported" },
	[RTA_NH_ID] = { .kind = NLA_K_U32, .help = "nexthop object: not supported" },
};

static struct in6_addr tb_addr(const struct nlattr **tb, int type)
{
	struct in6_addr a = { 0 };

	if (tb[type])
		memcpy(&a, nla_data(tb[type]), sizeof(a));
	return a;
}

/* Are bits behind the prefix set? */
static bool has_host_bits(const struct in6_addr *a, u8 plen)
{
	for (u32 bit = plen; bit < 128; bit++)
		if (a->s6_addr[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

static int check_header(const struct rtmsg *rtm, const struct fib6_config *cfg,
			const struct nlattr **tb, struct netlink_ext_ack *extack)
{
	if (rtm->rtm_dst_len > 128 || rtm->rtm_src_len > 128) {
		nl_set_err_msg(extack, "Invalid prefix length: 0 to 128");
		return -EINVAL;
	}
	if (has_host_bits(&cfg->dst, cfg->dst_len) || has_host_bits(&cfg->src, cfg->src_len)) {
		nl_set_err_msg(extack, "Invalid prefix for given prefix length");
		return -EINVAL;
	}
	if (rtm->rtm_type > RTN_MAX) {
		nl_set_err_msg(extack, "Invalid route type");
		return -EINVAL;
	}
	if (tb[RTA_ENCAP_TYPE] || tb[RTA_NH_ID]) {
		nl_set_err_msg(extack,
			       "Routes with encapsulation or nexthop objects are not supported");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int rtm_to_config(struct nl_request *req, struct fib6_config *cfg)
{
	const struct rtmsg *rtm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[RTA_MAX + 1];
	int err = nlmsg_parse(req->nlh, sizeof(*rtm), tb, RTA_MAX, rtm6_policy, req->extack);

	if (err)
		return err;
	*cfg = (struct fib6_config){
		.table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table,
		.metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0,
		.dst = tb_addr(tb, RTA_DST),
		.src = tb_addr(tb, RTA_SRC),
		.gateway = tb_addr(tb, RTA_GATEWAY),
		.has_gateway = tb[RTA_GATEWAY] != NULL,
		.prefsrc = tb_addr(tb, RTA_PREFSRC),
		.oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0,
		.dst_len = rtm->rtm_dst_len,
		.src_len = rtm->rtm_src_len,
		.protocol = rtm->rtm_protocol,
		.type = rtm->rtm_type,
		.pref = tb[RTA_PREF] ? nla_get_u8(tb[RTA_PREF]) & 3 : ICMPV6_ROUTER_PREF_MEDIUM,
		.nl_flags = req->nlh->nlmsg_flags,
		.rtm_flags = rtm->rtm_flags,
		.metrics = tb[RTA_METRICS],
		.multipath = tb[RTA_MULTIPATH],
		.portid = req->portid,
		.nlh = req->nlh,
	};
	if (cfg->table == RT_TABLE_UNSPEC)
		cfg->table = RT_TABLE_MAIN;
	if (tb[RTA_EXPIRES])
		cfg->expires = nla_get_u32(tb[RTA_EXPIRES]);
	return check_header(rtm, cfg, tb, req->extack);
}

static int inet6_rtm_newroute(struct nl_request *req)
{
	struct fib6_config cfg;
	int err = rtm_to_config(req, &cfg);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	if (cfg.expires)
		cfg.expires = net_now(req->net) + cfg.expires * NSEC_PER_SEC;
	err = ip6_route_add(req->net, &cfg, req->extack);
	cpu_unlock(req->net->cpu);
	return err;
}

static int inet6_rtm_delroute(struct nl_request *req)
{
	struct fib6_config cfg;
	int err = rtm_to_config(req, &cfg);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = ip6_route_del(req->net, &cfg, req->extack);
	cpu_unlock(req->net->cpu);
	return err;
}

/* ---- messages ------------------------------------------------------------------------------------------------- */

static u32 nexthop_flags(const struct fib6_info *f)
{
	u32 flags = f->nh_flags;

	if (!netif_carrier_ok(f->dev) && f->type == RTN_UNICAST)
		flags |= RTNH_F_LINKDOWN;
	return flags;
}

static void put_multipath(struct nl_msg *m, const struct fib6_info *first)
{
	u32 mark = nla_nest_start_noflag(m, RTA_MULTIPATH); /* ip(8) would not read it otherwise */

	for (const struct fib6_info *f = first; f && fib6_is_sibling(first, f); f = f->next) {
		struct {
			struct rtnexthop nh;
			struct nlattr attr;
			struct in6_addr gateway;
		} one = {
			.nh = { .rtnh_len = sizeof(one),
				.rtnh_flags = (u8)nexthop_flags(f),
				.rtnh_hops = (u8)(f->weight - 1),
				.rtnh_ifindex = f->dev->ifindex },
			.attr = { .nla_len = NLA_HDRLEN + 16, .nla_type = RTA_GATEWAY },
			.gateway = f->gateway,
		};

		nl_put_raw(m, &one, sizeof(one));
	}
	nla_nest_end(m, mark);
}

int fib6_dump_info(struct nl_msg *m, u32 portid, u32 seq, int event, u16 flags,
		   const struct fib6_info *f, bool siblings)
{
	struct rtmsg *rtm = nlmsg_begin(m, portid, seq, (u16)event, flags, sizeof(*rtm));
	struct rta_cacheinfo ci = { 0 };
	u32 table = f->table ? f->table->id : RT_TABLE_MAIN;

	if (!rtm)
		return -EMSGSIZE;
	rtm->rtm_family = AF_INET6;
	rtm->rtm_dst_len = f->dst_len;
	rtm->rtm_src_len = f->src_len;
	rtm->rtm_table = table < 256 ? (u8)table : RT_TABLE_COMPAT;
	rtm->rtm_protocol = f->protocol;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = f->type;
	nla_put_u32(m, RTA_TABLE, table);
	if (f->dst_len)
		nla_put(m, RTA_DST, 16, &f->dst);
	if (f->src_len)
		nla_put(m, RTA_SRC, 16, &f->src);
	ip_metrics_put(m, f->net->machine, &f->metrics);
	nla_put_u32(m, RTA_PRIORITY, f->metric);
	if (!ipv6_addr_any(&f->prefsrc))
		nla_put(m, RTA_PREFSRC, 16, &f->prefsrc);
	if (siblings && f->next && fib6_is_sibling(f, f->next)) {
		put_multipath(m, f);
	} else {
		if (fib6_has_gateway(f))
			nla_put(m, RTA_GATEWAY, 16, &f->gateway);
		nla_put_u32(m, RTA_OIF, (u32)f->dev->ifindex);
		rtm->rtm_flags |= nexthop_flags(f);
	}
	if (f->expires)
		ci.rta_expires =
			(s32)((s64)(f->expires - net_now(f->net)) / (s64)(10 * NSEC_PER_MSEC));
	nla_put(m, RTA_CACHEINFO, sizeof(ci), &ci);
	nla_put_u8(m, RTA_PREF, f->pref);
	return nlmsg_finish(m);
}

/* ---- dumps ---------------------------------------------------------------------------------------------------- */

struct dump_filter {
	u32 table; /* 0: all */
	u8 protocol, type;
	int oif;
	bool cloned; /* ip route show cache: exceptions only */
};

static bool filtered(const struct fib6_info *f, const struct dump_filter *flt)
{
	return (flt->protocol && flt->protocol != f->protocol) ||
	       (flt->type && flt->type != f->type) || (flt->oif && flt->oif != f->dev->ifindex);
}

/* Place in a table: args[2], args[3] key, args[4] plen, args[5] routes of it that are out already. */
static int table_dump(struct fib6_table *tb, struct nl_msg *msg, struct netlink_callback *cb,
		      const struct dump_filter *flt)
{
	struct prefix_key at = { cb->args[2], cb->args[3] };
	u16 flags =
		NLM_F_MULTI |
		(flt->table || flt->protocol || flt->type || flt->oif ? NLM_F_DUMP_FILTERED : 0);
	struct prefix_node *n = prefix_trie_seek(&tb->trie, at, (u8)cb->args[4]);

	for (; n; n = prefix_trie_next(n)) {
		bool resumed = n->key.hi == at.hi && n->key.lo == at.lo && n->plen == cb->args[4];
		u64 skip = resumed ? cb->args[5] : 0, i = 0;
		const struct fib6_info *prev = NULL;

		for (const struct fib6_info *f = n->value; f; prev = f, f = f->next, i++) {
			if (i < skip || filtered(f, flt) || (prev && fib6_is_sibling(prev, f)))
				continue;
			if (fib6_dump_info(msg, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWROUTE, flags,
					   f, true)) {
				cb->args[2] = n->key.hi;
				cb->args[3] = n->key.lo;
				cb->args[4] = n->plen;
				cb->args[5] = i;
				return 1;
			}
		}
	}
	cb->args[2] = cb->args[3] = cb->args[4] = cb->args[5] = 0;
	return 0;
}

static int dump_filter_init(struct netlink_callback *cb, struct dump_filter *flt)
{
	const struct rtmsg *rtm = NLMSG_DATA(cb->nlh);
	const struct nlattr *tb[RTA_MAX + 1];
	int err;

	*flt = (struct dump_filter){ 0 };
	if (cb->nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*rtm)))
		return 0;
	flt->cloned = rtm->rtm_flags & RTM_F_CLONED;
	if (!cb->strict)
		return 0;
	err = nlmsg_parse(cb->nlh, sizeof(*rtm), tb, RTA_MAX, rtm6_policy, cb->extack);
	if (err)
		return err;
	flt->table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	flt->protocol = rtm->rtm_protocol;
	flt->type = rtm->rtm_type;
	flt->oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0;
	return 0;
}

/* args[0]: hash bucket, args[1]: table in it. */
static int dump_tables(struct nl_msg *msg, struct netlink_callback *cb,
		       const struct dump_filter *flt)
{
	struct netns_ipv6 *ip6 = cb->net->ipv6;
	struct fib6_table *tb;

	if (flt->table) {
		tb = fib6_get_table(cb->net, flt->table);
		if (!tb) {
			nl_set_err_msg(cb->extack, "FIB table does not exist");
			return -ENOENT;
		}
		return table_dump(tb, msg, cb, flt);
	}
	for (; cb->args[0] < FIB6_TABLE_HASHSZ; cb->args[0]++, cb->args[1] = 0) {
		u64 i = 0;

		hlist_for_each_entry(tb, &ip6->fib6_tables[cb->args[0]], hash) {
			if (i++ < cb->args[1])
				continue;
			if (table_dump(tb, msg, cb, flt))
				return 1;
			cb->args[1]++;
		}
	}
	return 0;
}

static int inet6_dump_fib(struct nl_msg *msg, struct netlink_callback *cb)
{
	struct dump_filter flt;
	int err = dump_filter_init(cb, &flt);

	if (err)
		return err;
	cpu_lock(cb->net->cpu);
	cb->seq = cb->net->ipv6->fib6_generation;
	err = flt.cloned ? rt6_dump_exceptions(msg, cb) : dump_tables(msg, cb, &flt);
	cpu_unlock(cb->net->cpu);
	return err;
}

/* There is no multicast routing: "ip -6 mroute" prints nothing. */
static int dump_nothing(struct nl_msg *msg, struct netlink_callback *cb)
{
	return 0;
}

const struct rtnl_handler ip6_route_rtnl_handlers[] = {
	{ .family = RTNL_FAMILY_IP6MR, .type = RTM_GETROUTE, .dumpit = dump_nothing },
	{ .family = AF_INET6, .type = RTM_NEWROUTE, .doit = inet6_rtm_newroute },
	{ .family = AF_INET6, .type = RTM_DELROUTE, .doit = inet6_rtm_delroute },
	{ .family = AF_INET6,
	  .type = RTM_GETROUTE,
	  .doit = inet6_rtm_getroute,
	  .dumpit = inet6_dump_fib },
};
const u32 nr_ip6_route_rtnl_handlers = ARRAY_SIZE(ip6_route_rtnl_handlers);

/* ---- /proc/net/ipv6_route --------------------------------------------------------------------------------------- */

static void text_addr(struct text *t, const struct in6_addr *a)
{
	for (u32 i = 0; i < 16; i++)
		text_printf(t, "%02x", a->s6_addr[i]);
}

void ipv6_route_show(struct net *net, struct text *t)
{
	for (u32 i = 0; i < FIB6_TABLE_HASHSZ; i++) {
		struct fib6_table *tb;

		hlist_for_each_entry(tb, &net->ipv6->fib6_tables[i], hash) {
			struct prefix_node *n =
				prefix_trie_seek(&tb->trie, (struct prefix_key){ 0, 0 }, 0);

			for (; n; n = prefix_trie_next(n)) {
				for (const struct fib6_info *f = n->value; f; f = f->next) {
					text_addr(t, &f->dst);
					text_printf(t, " %02x ", f->dst_len);
					text_addr(t, &f->src);
					text_printf(t, " %02x ", f->src_len);
					text_addr(t, &f->gateway);
					text_printf(t, " %08x %08x %08x %08x %8s\n", f->metric,
						    f->refcount, 0, f->flags, f->dev->name);
				}
			}
		}
	}
}
