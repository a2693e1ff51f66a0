/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_frontend.c - routing tables: lookup, change, the routes that addresses and devices bring, rtnetlink
 *
 * Theory of operation
 *   A net has the tables local (our own addresses and broadcasts), main and default, looked at in that order, and others by
 *   number, which policy rules point to (fib_rules.c). A table is a trie of prefixes with aliases.
 *
 *   An address brings, as in Linux: "local A/32" (scope host) and "broadcast B/32" in table local, and the prefix of
 *   its network in main (scope link, protocol kernel, preferred source A), the latter only while the device is up and
 *   unless the address is secondary or says IFA_F_NOPREFIXROUTE. Going down removes what needs the device.
 *
 *   Every change makes the cached rtables of the net obsolete (rt_cache_flush) and bumps fib_generation.
 * Locking: changes need rtnl and the cpu lock; the rtnetlink handlers here take the latter.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>
#include <stdlib.h>

/* ---- tables -------------------------------------------------------------------------------------------- */

struct fib_table *fib_get_table(struct net *net, u32 id)
{
	struct fib_table *tb;

	hlist_for_each_entry(tb, &net->ipv4->fib_tables[id % FIB_TABLE_HASHSZ], hash)
		if (tb->id == id)
			return tb;
	return NULL;
}

struct fib_table *fib_new_table(struct net *net, u32 id)
{
	struct fib_table *tb = fib_get_table(net, id);

	if (tb || net->ipv4->fib_table_count >= FIB_TABLES_MAX)
		return tb;
	tb = calloc(1, sizeof(*tb));
	if (!tb)
		return NULL;
	net->ipv4->fib_table_count++;
	tb->id = id;
	hlist_add_head(&tb->hash, &net->ipv4->fib_tables[id % FIB_TABLE_HASHSZ]);
	if (id == RT_TABLE_LOCAL)
		net->ipv4->fib_local = tb;
	if (id == RT_TABLE_MAIN)
		net->ipv4->fib_main = tb;
	return tb;
}

static void fib_changed(struct net *net)
{
	net->ipv4->fib_generation++;
	rt_cache_flush(net);
}

static int big_table_lookup(struct net *net, struct fib_table *tb, const struct flowi4 *fl,
			    struct fib_result *res)
{
	struct fib_match m;

	fib_trie_match(&tb->trie, be32_to_cpu(fl->daddr), &m);
	while (m.n) {
		int err = fib_select_alias(net, m.node[--m.n], fl, res);

		if (err != -ESRCH)
			return err;
	}
	return -EAGAIN;
}

int fib_table_lookup(struct net *net, struct fib_table *tb, const struct flowi4 *fl,
		     struct fib_result *res)
{
	const struct fib_trie *t = &tb->trie;

	if (unlikely(!fib_trie_is_small(t)))
		return big_table_lookup(net, tb, fl, res);
	for (u32 m = fib_row_match(t, be32_to_cpu(fl->daddr)); m; m &= m - 1) {
		int err = fib_select_alias(net, t->row.node[__builtin_ctz(m)], fl, res);

		if (err != -ESRCH)
			return err;
	}
	return -EAGAIN;
}

int fib_lookup(struct net *net, const struct flowi4 *fl, struct fib_result *res)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	int err = -EAGAIN;

	if (unlikely(ip4->fib_has_custom_rules))
		return fib4_rules_lookup(net, fl, res);
	if (likely(ip4->fib_local))
		err = fib_table_lookup(net, ip4->fib_local, fl, res);
	if (err == -EAGAIN && likely(ip4->fib_main))
		err = fib_table_lookup(net, ip4->fib_main, fl, res);
	if (unlikely(err == -EAGAIN)) {
		struct fib_table *tb = fib_get_table(net, RT_TABLE_DEFAULT);

		err = tb ? fib_table_lookup(net, tb, fl, res) : err;
	}
	return err == -EAGAIN ? -ENETUNREACH : err;
}

/* ---- change -------------------------------------------------------------------------------------------- */

static void fib_notify(struct net *net, int event, const struct fib_node *n,
		       const struct fib_alias *fa, const struct fib_config *cfg, u16 nl_flags)
{
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE))
		return;
	if (nl_msg_init(&m, 4096))
		return;
	if (fib_dump_info(&m, cfg ? cfg->portid : 0, cfg && cfg->nlh ? cfg->nlh->nlmsg_seq : 0,
			  event, nl_flags, n, fa) == 0)
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, RTNLGRP_IPV4_ROUTE);
	nl_msg_fini(&m);
}

/* Where an alias of this TOS and priority begins: TOS descending, priority ascending. */
static struct fib_alias **fib_alias_place(struct fib_node *n, u8 tos, u32 priority)
{
	struct fib_alias **pp = &n->aliases;

	while (*pp && ((*pp)->tos > tos || ((*pp)->tos == tos && (*pp)->fi->priority < priority)))
		pp = &(*pp)->next;
	return pp;
}

static bool fib_alias_peer(const struct fib_alias *fa, u8 tos, u32 priority)
{
	return fa && fa->tos == tos && fa->fi->priority == priority;
}

static int fib_alias_replace(struct net *net, struct fib_node *n, struct fib_alias *first,
			     struct fib_info *fi, struct fib_config *cfg,
			     struct netlink_ext_ack *extack)
{
	struct fib_info *old = first->fi;

	for (struct fib_alias *fa = first; fib_alias_peer(fa, cfg->tos, fi->priority);
	     fa = fa->next) {
		if (fa->type != cfg->type || fa->fi != fi)
			continue;
		if (fa == first)
			return 1; /* it is that already */
		nl_set_err_msg(extack, "An equal route exists behind the one to replace");
		return -EEXIST;
	}
	first->fi = fi;
	first->type = cfg->type;
	fib_release_info(old);
	fib_changed(net);
	fib_notify(net, RTM_NEWROUTE, n, first, cfg, NLM_F_REPLACE);
	return 0;
}

int fib_table_insert(struct net *net, struct fib_config *cfg, struct netlink_ext_ack *extack)
{
	u32 key = be32_to_cpu(cfg->dst);
	struct fib_alias **place, *fa;
	struct fib_table *tb;
	struct fib_node *n;
	struct fib_info *fi;
	bool had;
	int err = 0;

	if (cfg->plen > 32 || (key & ~fib_mask(cfg->plen))) {
		nl_set_err_msg(extack, "Invalid prefix for given prefix length");
		return -EINVAL;
	}
	tb = fib_new_table(net, cfg->table);
	if (!tb) {
		nl_set_err_msg(extack, "No memory, or more than %u tables", FIB_TABLES_MAX);
		return -ENOBUFS;
	}
	fi = fib_create_info(net, cfg, extack, &err);
	if (!fi)
		return err;
	n = fib_trie_get(&tb->trie, key, cfg->plen);
	if (!n) {
		fib_release_info(fi);
		return -ENOBUFS;
	}
	had = n->aliases != NULL;
	place = fib_alias_place(n, cfg->tos, fi->priority);

	if (fib_alias_peer(*place, cfg->tos, fi->priority)) {
		err = -EEXIST;
		if (cfg->nl_flags & NLM_F_EXCL)
			goto fail;
		if (cfg->nl_flags & NLM_F_REPLACE) {
			err = fib_alias_replace(net, n, *place, fi, cfg, extack);
			if (err > 0)
				err = 0;
			else if (!err)
				return 0;
			goto fail;
		}
		for (fa = *place; fib_alias_peer(fa, cfg->tos, fi->priority); fa = fa->next)
			if (fa->type == cfg->type && fa->fi == fi)
				goto fail;
		if (cfg->nl_flags & NLM_F_APPEND)
			while (fib_alias_peer(*place, cfg->tos, fi->priority))
				place = &(*place)->next;
	}
	if (!(cfg->nl_flags & NLM_F_CREATE)) {
		nl_set_err_msg(extack, "No such route to change");
		err = -ENOENT;
		goto fail;
	}

	err = -ENOBUFS;
	fa = calloc(1, sizeof(*fa));
	if (!fa)
		goto fail;
	fa->fi = fi;
	fa->tos = cfg->tos;
	fa->type = cfg->type;
	fa->next = *place;
	*place = fa;
	fib_trie_changed(&tb->trie, n, had);
	fib_changed(net);
	fib_notify(net, RTM_NEWROUTE, n, fa, cfg,
		   (u16)(cfg->nl_flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND)));
	return 0;

fail:
	fib_trie_changed(&tb->trie, n, had); /* may have been made for nothing */
	fib_release_info(fi);
	return err;
}

/* Unlinks *@pp. @n may be gone afterwards. */
static void fib_alias_remove(struct net *net, struct fib_table *tb, struct fib_node *n,
			     struct fib_alias **pp)
{
	struct fib_alias *fa = *pp;

	*pp = fa->next;
	fib_release_info(fa->fi);
	free(fa);
	if (!n->aliases)
		fib_trie_changed(&tb->trie, n, true);
}

int fib_table_delete(struct net *net, struct fib_config *cfg, struct netlink_ext_ack *extack)
{
	u32 key = be32_to_cpu(cfg->dst);
	struct fib_table *tb = fib_get_table(net, cfg->table);
	struct fib_node *n;

	if (cfg->plen > 32 || (key & ~fib_mask(cfg->plen))) {
		nl_set_err_msg(extack, "Invalid prefix for given prefix length");
		return -EINVAL;
	}
	if (!tb) {
		nl_set_err_msg(extack, "FIB table does not exist");
		return -ESRCH;
	}
	n = fib_trie_find(&tb->trie, key, cfg->plen);
	if (!n)
		return -ESRCH;
	for (struct fib_alias **pp = &n->aliases; *pp; pp = &(*pp)->next) {
		struct fib_alias *fa = *pp;

		if (fa->tos != cfg->tos || (cfg->type && fa->type != cfg->type) ||
		    !fib_info_matches(fa->fi, cfg))
			continue;
		fib_notify(net, RTM_DELROUTE, n, fa, cfg, 0);
		fib_alias_remove(net, tb, n, pp);
		fib_changed(net);
		return 0;
	}
	return -ESRCH;
}

static u32 fib_table_flush(struct net *net, struct fib_table *tb, bool all)
{
	struct fib_node *n = fib_trie_first(&tb->trie);
	u32 removed = 0;

	while (n) {
		struct fib_alias **pp = &n->aliases;
		u32 key = n->key;
		u8 plen = n->plen;

		while (*pp) {
			if (!all && !((*pp)->fi->flags & RTNH_F_DEAD)) {
				pp = &(*pp)->next;
				continue;
			}
			removed++;
			if (n->aliases == *pp &&
			    !(*pp)->next) { /* the last: takes the node along */
				fib_alias_remove(net, tb, n, pp);
				break;
			}
			fib_alias_remove(net, tb, n, pp);
		}
		if (plen == 32 && key == ~0u)
			break;
		n = plen == 32 ? fib_trie_seek(&tb->trie, key + 1, 0)
			       : fib_trie_seek(&tb->trie, key, (u8)(plen + 1));
	}
	return removed;
}

void fib_flush(struct net *net)
{
	struct fib_table *tb;
	u32 removed = 0;

	for (u32 i = 0; i < FIB_TABLE_HASHSZ; i++)
		hlist_for_each_entry(tb, &net->ipv4->fib_tables[i], hash)
			removed += fib_table_flush(net, tb, false);
	if (removed)
		fib_changed(net);
}

/* ---- what addresses bring --------------------------------------------------------------------------------- */

static void fib_magic(bool add, u8 type, be32 dst, u8 plen, struct in_ifaddr *ifa, u32 priority)
{
	struct net_device *dev = ifa->dev->dev;
	struct fib_config cfg = {
		.table = type == RTN_UNICAST ? RT_TABLE_MAIN : RT_TABLE_LOCAL,
		.priority = priority,
		.dst = dst,
		.plen = plen,
		.type = type,
		.scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK,
		.protocol = RTPROT_KERNEL,
		.prefsrc = ifa->local,
		.oif = dev->ifindex,
		.nl_flags = NLM_F_CREATE | NLM_F_APPEND,
	};
	int err;

	if (!add) {
		fib_table_delete(dev->net, &cfg, NULL);
		return;
	}
	err = fib_table_insert(dev->net, &cfg, NULL);
	if (err == -ENOMEM || err == -ENOBUFS)
		inet_routes_missing(ifa->dev);
}

static be32 ifa_prefix(const struct in_ifaddr *ifa)
{
	return be32_raw(ifa->address.v & ifa->mask.v);
}

static u8 ifa_prefix_type(const struct in_ifaddr *ifa)
{
	return ifa->dev->dev->flags & IFF_LOOPBACK ? RTN_LOCAL : RTN_UNICAST;
}

/* A primary's network, which also serves its secondaries. */
static bool ifa_has_prefix_route(const struct in_ifaddr *ifa)
{
	be32 prefix = ifa_prefix(ifa);

	return !ipv4_is_zeronet(prefix) &&
	       !(ifa->flags & (IFA_F_SECONDARY | IFA_F_NOPREFIXROUTE)) &&
	       (!be32_eq(prefix, ifa->local) || ifa->prefixlen < 32);
}

static bool ifa_has_broadcast(const struct in_ifaddr *ifa)
{
	return !be32_zero(ifa->broadcast) && !ipv4_is_lbcast(ifa->broadcast) &&
	       !be32_eq(ifa->broadcast, ifa->local);
}

static bool ifa_has_net_broadcast(const struct in_ifaddr *ifa)
{
	return ifa->prefixlen < 31 && !ipv4_is_zeronet(ifa_prefix(ifa)) &&
	       !(ifa->flags & IFA_F_SECONDARY);
}

void fib_add_ifaddr(struct in_ifaddr *ifa)
{
	struct net_device *dev = ifa->dev->dev;
	be32 all_ones = be32_raw(ifa_prefix(ifa).v | ~ifa->mask.v);

	fib_magic(true, RTN_LOCAL, ifa->local, 32, ifa, 0);
	if (!netif_running(dev))
		return;
	if (ifa_has_broadcast(ifa))
		fib_magic(true, RTN_BROADCAST, ifa->broadcast, 32, ifa, 0);
	if (ifa_has_prefix_route(ifa))
		fib_magic(true, ifa_prefix_type(ifa), ifa_prefix(ifa), ifa->prefixlen, ifa,
			  ifa->rt_priority);
	if (ifa_has_net_broadcast(ifa) && !be32_eq(all_ones, ifa->broadcast))
		fib_magic(true, RTN_BROADCAST, all_ones, 32, ifa, 0);
}

static bool local_addr_in_use(const struct in_ifaddr *except, be32 addr)
{
	struct in_device *in_dev;
	struct in_ifaddr *ifa;

	list_for_each_entry(in_dev, &except->dev->net->ipv4->in_devs, node)
		list_for_each_entry(ifa, &in_dev->ifa_list, node)
			if (ifa != except && be32_eq(ifa->local, addr))
				return true;
	return false;
}

/* Removes the broadcast route that @gone brought; another address of the device with the same broadcast brings its own. */
static void fib_del_broadcast(struct in_ifaddr *gone, be32 addr)
{
	struct in_ifaddr *ifa;

	fib_magic(false, RTN_BROADCAST, addr, 32, gone, 0);
	if (!netif_running(gone->dev->dev))
		return;
	list_for_each_entry(ifa, &gone->dev->ifa_list, node) {
		if (ifa == gone)
			continue;
		if ((ifa_has_broadcast(ifa) && be32_eq(ifa->broadcast, addr)) ||
		    (ifa_has_net_broadcast(ifa) && (ifa_prefix(ifa).v | ~ifa->mask.v) == addr.v)) {
			fib_magic(true, RTN_BROADCAST, addr, 32, ifa, 0);
			return;
		}
	}
}

/* @ifa is not in any list any more. @primary_stays: a secondary of the same network became primary and took over the prefix. */
void fib_del_ifaddr(struct in_ifaddr *ifa, bool primary_stays)
{
	struct net *net = ifa->dev->net;
	be32 all_ones = be32_raw(ifa_prefix(ifa).v | ~ifa->mask.v);

	if (ifa_has_prefix_route(ifa) && !primary_stays)
		fib_magic(false, ifa_prefix_type(ifa), ifa_prefix(ifa), ifa->prefixlen, ifa,
			  ifa->rt_priority);
	if (ifa_has_broadcast(ifa))
		fib_del_broadcast(ifa, ifa->broadcast);
	if (ifa_has_net_broadcast(ifa) && !be32_eq(all_ones, ifa->broadcast))
		fib_del_broadcast(ifa, all_ones);
	/* Its twin with another mask brought the same local route. */
	if (!inet_find_ifa(ifa->dev, ifa->local))
		fib_magic(false, RTN_LOCAL, ifa->local, 32, ifa, 0);
	if (!local_addr_in_use(ifa, ifa->local) && fib_sync_down_addr(net, ifa->local))
		fib_flush(net);
	fib_changed(net);
}

void fib_device_up(struct net_device *dev)
{
	struct in_device *in_dev = in_dev_get(dev);
	struct in_ifaddr *ifa;

	if (!in_dev)
		return;
	fib_sync_up(dev);
	list_for_each_entry(ifa, &in_dev->ifa_list, node)
		fib_add_ifaddr(ifa);
	fib_changed(dev->net);
}

/* Local routes stay while the device is only down: its addresses are ours still. */
void fib_device_down(struct net_device *dev, bool unregister)
{
	if (fib_sync_down_dev(dev, unregister))
		fib_flush(dev->net);
	fib_changed(dev->net);
}

/* ---- rtnetlink -------------------------------------------------------------------------------------------- */

static const struct nla_policy rtm_policy[RTA_MAX + 1] = {
	[RTA_DST] = { .kind = NLA_K_IN_ADDR, .help = "destination" },
	[RTA_SRC] = { .kind = NLA_K_IN_ADDR, .help = "source" },
	[RTA_IIF] = { .kind = NLA_K_U32, .help = "input device" },
	[RTA_OIF] = { .kind = NLA_K_U32, .help = "output device" },
	[RTA_GATEWAY] = { .kind = NLA_K_IN_ADDR, .help = "next hop" },
	[RTA_PRIORITY] = { .kind = NLA_K_U32, .help = "metric: less is better" },
	[RTA_PREFSRC] = { .kind = NLA_K_IN_ADDR, .help = "preferred source address" },
	[RTA_METRICS] = { .kind = NLA_K_NESTED, .help = "RTAX_*" },
	[RTA_MULTIPATH] = { .kind = NLA_K_BINARY, .help = "struct rtnexthop list" },
	[RTA_FLOW] = { .kind = NLA_K_U32, .help = "realm: ignored" },
	[RTA_TABLE] = { .kind = NLA_K_U32, .help = "table" },
	[RTA_MARK] = { .kind = NLA_K_U32, .help = "mark" },
	[RTA_UID] = { .kind = NLA_K_U32, .help = "user" },
	[RTA_VIA] = { .kind = NLA_K_BINARY, .help = "next hop of another family: not supported" },
};

static be32 tb_addr(const struct nlattr **tb, int type)
{
	return tb[type] ? nla_get_in_addr(tb[type]) : (be32){ 0 };
}

static int rtm_to_fib_config(struct nl_request *req, struct fib_config *cfg)
{
	const struct rtmsg *rtm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[RTA_MAX + 1];
	int err = nlmsg_parse(req->nlh, sizeof(*rtm), tb, RTA_MAX, rtm_policy, req->extack);

	if (err)
		return err;
	if (rtm->rtm_src_len || rtm->rtm_dst_len > 32 || (rtm->rtm_tos & ~IPTOS_RT_MASK)) {
		nl_set_err_msg(req->extack, "Invalid values in the header: a prefix has 0 to 32 "
					    "bits, a TOS no ECN bits, a source no prefix");
		return -EINVAL;
	}
	if (tb[RTA_VIA]) {
		nl_set_err_msg(req->extack, "Only IPv4 gateways are supported");
		return -EOPNOTSUPP;
	}
	if (rtm->rtm_type > RTN_MAX) {
		nl_set_err_msg(req->extack, "Invalid route type");
		return -EINVAL;
	}
	*cfg = (struct fib_config){
		.table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table,
		.priority = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0,
		.dst = tb_addr(tb, RTA_DST),
		.gw = tb_addr(tb, RTA_GATEWAY),
		.prefsrc = tb_addr(tb, RTA_PREFSRC),
		.oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0,
		.plen = rtm->rtm_dst_len,
		.tos = rtm->rtm_tos,
		.protocol = rtm->rtm_protocol,
		.scope = rtm->rtm_scope,
		.type = rtm->rtm_type,
		.nl_flags = req->nlh->nlmsg_flags,
		.rtm_flags = rtm->rtm_flags,
		.metrics = tb[RTA_METRICS],
		.multipath = tb[RTA_MULTIPATH],
		.portid = req->portid,
		.nlh = req->nlh,
	};
	if (cfg->table == RT_TABLE_UNSPEC)
		cfg->table = RT_TABLE_MAIN;
	return 0;
}

static int rtnl_newroute_doit(struct nl_request *req)
{
	struct fib_config cfg;
	int err = rtm_to_fib_config(req, &cfg);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = fib_table_insert(req->net, &cfg, req->extack);
	cpu_unlock(req->net->cpu);
	return err;
}

static int rtnl_delroute_doit(struct nl_request *req)
{
	struct fib_config cfg;
	int err = rtm_to_fib_config(req, &cfg);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = fib_table_delete(req->net, &cfg, req->extack);
	cpu_unlock(req->net->cpu);
	return err;
}

struct fib_dump_filter {
	u32 table; /* 0: all */
	u8 protocol, type;
	int oif;
};

static bool fib_alias_filtered(const struct fib_alias *fa, const struct fib_dump_filter *f)
{
	const struct fib_info *fi = fa->fi;

	if ((f->protocol && f->protocol != fi->protocol) || (f->type && f->type != fa->type))
		return true;
	if (!f->oif)
		return false;
	for (u32 i = 0; i < fi->nhs; i++)
		if (fi->nh[i].oif == f->oif)
			return false;
	return true;
}

/* Place in a table: args[2] key, args[3] plen, args[4] aliases of it that are out already. */
static int fib_table_dump(struct fib_table *tb, struct nl_msg *msg, struct netlink_callback *cb,
			  const struct fib_dump_filter *f)
{
	u16 flags = NLM_F_MULTI |
		    (f->table || f->protocol || f->type || f->oif ? NLM_F_DUMP_FILTERED : 0);
	struct fib_node *n = fib_trie_seek(&tb->trie, (u32)cb->args[2], (u8)cb->args[3]);

	for (; n; n = fib_trie_next(n)) {
		u64 skip = n->key == cb->args[2] && n->plen == cb->args[3] ? cb->args[4] : 0;
		u64 i = 0;

		for (struct fib_alias *fa = n->aliases; fa; fa = fa->next, i++) {
			if (i < skip || fib_alias_filtered(fa, f))
				continue;
			if (fib_dump_info(msg, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWROUTE, flags,
					  n, fa)) {
				cb->args[2] = n->key;
				cb->args[3] = n->plen;
				cb->args[4] = i;
				return 1;
			}
		}
	}
	cb->args[2] = cb->args[3] = cb->args[4] = 0;
	return 0;
}

static int fib_dump_filter_init(struct netlink_callback *cb, struct fib_dump_filter *f)
{
	const struct rtmsg *rtm = NLMSG_DATA(cb->nlh);
	const struct nlattr *tb[RTA_MAX + 1];
	int err;

	*f = (struct fib_dump_filter){ 0 };
	if (!cb->strict || cb->nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*rtm)))
		return 0;
	err = nlmsg_parse(cb->nlh, sizeof(*rtm), tb, RTA_MAX, rtm_policy, cb->extack);
	if (err)
		return err;
	f->table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	f->protocol = rtm->rtm_protocol;
	f->type = rtm->rtm_type;
	f->oif = tb[RTA_OIF] ? (int)nla_get_u32(tb[RTA_OIF]) : 0;
	return 0;
}

/* args[0]: hash bucket, args[1]: table in it, in order of the chain. */
static int rtnl_getroute_dumpit(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct rtmsg *rtm = NLMSG_DATA(cb->nlh);
	struct net *net = cb->net;
	struct fib_dump_filter f;
	struct fib_table *tb;
	int err = fib_dump_filter_init(cb, &f);

	if (err)
		return err;
	cb->seq = net->ipv4->fib_generation;
	/* "ip route show cache" */
	if (cb->nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(*rtm)) && (rtm->rtm_flags & RTM_F_CLONED))
		return rt_dump_exceptions(msg, cb);
	if (f.table) {
		tb = fib_get_table(net, f.table);
		if (!tb) {
			nl_set_err_msg(cb->extack, "FIB table does not exist");
			return -ENOENT;
		}
		return fib_table_dump(tb, msg, cb, &f);
	}
	for (; cb->args[0] < FIB_TABLE_HASHSZ; cb->args[0]++, cb->args[1] = 0) {
		u64 i = 0;

		hlist_for_each_entry(tb, &net->ipv4->fib_tables[cb->args[0]], hash) {
			if (i++ < cb->args[1])
				continue;
			if (fib_table_dump(tb, msg, cb, &f))
				return 1;
			cb->args[1]++;
		}
	}
	return 0;
}

/* Nothing is there to be told: "ip mroute", "ip nexthop" print nothing, as where Linux has nothing. Making one is EOPNOTSUPP. */
static int dump_nothing(struct nl_msg *msg, struct netlink_callback *cb)
{
	return 0;
}

const struct rtnl_handler fib_rtnl_handlers[] = {
	{ .family = AF_INET, .type = RTM_NEWROUTE, .doit = rtnl_newroute_doit },
	{ .family = AF_INET, .type = RTM_DELROUTE, .doit = rtnl_delroute_doit },
	{ .family = AF_INET,
	  .type = RTM_GETROUTE,
	  .doit = rtnl_getroute_doit,
	  .dumpit = rtnl_getroute_dumpit },
	{ .family = RTNL_FAMILY_IPMR, .type = RTM_GETROUTE, .dumpit = dump_nothing },
	{ .family = AF_UNSPEC, .type = RTM_GETNEXTHOP, .dumpit = dump_nothing },
};
const u32 nr_fib_rtnl_handlers = ARRAY_SIZE(fib_rtnl_handlers);

/* ---- life ------------------------------------------------------------------------------------------------- */

int fib_net_init(struct net *net)
{
	int err = fib_info_hash_init(net);

	if (err)
		return err;
	/* The chains of the hash order tables for dumps: local (255) and main (254) are made when first used. */
	if (!fib_new_table(net, RT_TABLE_MAIN) || !fib_new_table(net, RT_TABLE_LOCAL))
		return -ENOMEM;
	return fib4_rules_init(net);
}

void fib_net_exit(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	struct hlist_node *next;
	struct fib_table *tb;

	fib_rules_destroy(ip4->rules);
	ip4->rules = NULL;
	ip4->fib_has_custom_rules = false;
	for (u32 i = 0; i < FIB_TABLE_HASHSZ; i++) {
		hlist_for_each_entry_safe(tb, next, &ip4->fib_tables[i], hash) {
			fib_table_flush(net, tb, true);
			fib_trie_free(&tb->trie);
			hlist_del_init(&tb->hash);
			free(tb);
		}
	}
	ip4->fib_main = ip4->fib_local = NULL;
	free(ip4->fib_info_hash);
	ip4->fib_info_hash = NULL;
}
