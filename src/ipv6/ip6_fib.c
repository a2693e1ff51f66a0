/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_fib.c - IPv6 routing tables
 *
 * Theory of operation
 *   A table is a trie of destination prefixes (lib/prefix_trie). Each prefix has a list of routes, ordered by metric and then by age.
 *   A route has one next hop; routes of the same metric that go through gateways and were put there by somebody (not by router
 *   advertisements) form one multipath route: they are found, shown and removed together, and flows are spread over them.
 *
 *   Lookup: as the policy rules say (fib6_rules.c), at first table local, then main. In each, the longest prefix that has a route which fits: not expired, its device the one the
 *   flow asks for, its source prefix around the flow's source. Of those that fit at the lowest metric the longest source prefix wins (source
 *   specific routes), then router preference (RFC 4191 3.2), then a router that can be reached before one that cannot (RFC 4861
 *   6.3.6), then the share of the flow's hash among the multipath siblings.
 *
 *   Routes of unreachable, blackhole, prohibit and throw kind point at the loopback device. The stack's own routes (addresses, prefixes on
 *   link, groups, router advertisements) come in by the same two functions as those of netlink.
 *   Expired routes are taken out by a timer, and never used before that.
 * Locking: the cpu lock.
 * See RFC 4191, RFC 4861 5.2 and 6.3.6, RFC 8028.
 */
#include "ipv6/ip6_fib.h"

#include <errno.h>
#include <linux/icmpv6.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/neighbour.h"
#include "core/sysctl.h"
#include "inet/fib_rules.h"
#include "ipv6/ipv6_internal.h"
#include "lib/hash.h"

/* ---- tables ------------------------------------------------------------------------------------------------- */

static struct hlist_head *table_bucket(const struct net *net, u32 id)
{
	return (struct hlist_head *)&net->ipv6->fib6_tables[id % FIB6_TABLE_HASHSZ];
}

struct fib6_table *fib6_get_table(const struct net *net, u32 id)
{
	struct fib6_table *tb;

	hlist_for_each_entry(tb, table_bucket(net, id), hash)
		if (tb->id == id)
			return tb;
	return NULL;
}

struct fib6_table *fib6_new_table(struct net *net, u32 id)
{
	struct fib6_table *tb = fib6_get_table(net, id);

	if (tb || net->ipv6->fib6_table_count >= FIB_TABLES_MAX)
		return tb;
	tb = calloc(1, sizeof(*tb));
	if (!tb)
		return NULL;
	net->ipv6->fib6_table_count++;
	tb->id = id;
	hlist_add_head(&tb->hash, table_bucket(net, id));
	return tb;
}

static void fib6_changed(struct net *net)
{
	net->ipv6->fib6_generation++;
	rt6_cache_flush(net);
}

/* ---- routes --------------------------------------------------------------------------------------------------- */

void fib6_info_put(struct fib6_info *f)
{
	if (!f || --f->refcount)
		return;
	if (f->dev)
		dev_put(f->dev);
	free(f);
}

bool fib6_is_sibling(const struct fib6_info *prev, const struct fib6_info *f)
{
	const u32 automatic = RTF_ADDRCONF | RTF_DYNAMIC | RTF_DEFAULT;

	return prev->metric == f->metric && fib6_has_gateway(prev) && fib6_has_gateway(f) &&
	       !((prev->flags | f->flags) & automatic) && prev->src_len == f->src_len &&
	       ipv6_addr_equal(&prev->src, &f->src);
}

/* The place in its prefix's list that points to @f; NULL: not there. */
static struct fib6_info **fib6_place(struct prefix_node *n, const struct fib6_info *f)
{
	struct fib6_info **p = (struct fib6_info **)&n->value;

	while (*p && *p != f)
		p = &(*p)->next;
	return *p ? p : NULL;
}

static struct prefix_node *fib6_node(const struct fib6_info *f)
{
	return prefix_trie_find(&f->table->trie, prefix_key_load(&f->dst), f->dst_len);
}

struct fib6_info *fib6_prefix_first(const struct fib6_info *f)
{
	return fib6_node(f)->value;
}

static void fib6_notify(const struct fib6_info *f, int event, const struct fib6_config *cfg,
			u16 flags)
{
	u32 portid = cfg ? cfg->portid : 0, seq = cfg && cfg->nlh ? cfg->nlh->nlmsg_seq : 0;
	struct nl_msg m;

	if (!netlink_has_listeners(f->net, NETLINK_ROUTE, RTNLGRP_IPV6_ROUTE) ||
	    nl_msg_init(&m, 2048))
		return;
	if (!fib6_dump_info(&m, portid, seq, event, flags, f, false))
		nlmsg_notify(f->net, NETLINK_ROUTE, &m, 0, RTNLGRP_IPV6_ROUTE);
	nl_msg_fini(&m);
}

/* By a router advertisement, not a program's that says so. */
static bool is_advertised(u8 protocol, u32 flags)
{
	return protocol == RTPROT_RA && flags & RTF_ADDRCONF;
}

/* The advertised routes that there are of the kind that @flags name. */
static u32 *ra_count(struct net *net, u32 flags)
{
	return flags & RTF_DEFAULT ? &net->ipv6->ra_routers : &net->ipv6->ra_routes;
}

static bool ra_too_many(struct net *net, u32 flags)
{
	return *ra_count(net, flags) >= (flags & RTF_DEFAULT ? RA_ROUTERS_MAX : RA_ROUTES_MAX);
}

/* Out of its table; the table's reference ends. */
static void fib6_unlink(struct fib6_info *f, const struct fib6_config *cfg)
{
	struct prefix_node *n = fib6_node(f);
	struct fib6_info **place = fib6_place(n, f);

	fib6_notify(f, RTM_DELROUTE, cfg, 0);
	*place = f->next;
	f->next = NULL;
	f->dead = true;
	f->net->ipv6->fib6_src_routes -= f->src_len != 0;
	if (is_advertised(f->protocol, f->flags))
		--*ra_count(f->net, f->flags);
	fib6_drop_cache(f);
	rt6_exceptions_drop(f);
	prefix_trie_changed(&f->table->trie, n, true);
	fib6_changed(f->net);
	fib6_info_put(f);
}

/* Calls @match on every route of the net; those it says true to are removed. */
static void fib6_clean(struct net *net, bool (*match)(struct fib6_info *f, const void *arg),
		       const void *arg)
{
	for (u32 i = 0; i < FIB6_TABLE_HASHSZ; i++) {
		struct fib6_table *tb;

		hlist_for_each_entry(tb, &net->ipv6->fib6_tables[i], hash) {
			struct prefix_key key = { 0, 0 };
			struct prefix_node *n;
			u8 plen = 0;

			/* A removal may take nodes away: each step seeks anew. */
			while ((n = prefix_trie_seek(&tb->trie, key, plen))) {
				struct fib6_info *f = n->value;

				key = n->key;
				plen = n->plen;
				while (f && !match(f, arg))
					f = f->next;
				if (f) {
					fib6_unlink(f, NULL);
					continue;
				}
				n = prefix_trie_next(n);
				if (!n)
					break;
				key = n->key;
				plen = n->plen;
			}
		}
	}
}

/* ---- lookup ------------------------------------------------------------------------------------------------------- */

/* RFC 4191 3.2: preference, and whether the router answers. -1: must not be used. */
static int fib6_score(const struct fib6_info *f, const struct flowi6 *fl, bool strict)
{
	static const u8 pref[4] = { [ICMPV6_ROUTER_PREF_LOW] = 0,
				    [ICMPV6_ROUTER_PREF_MEDIUM] = 1,
				    [ICMPV6_ROUTER_PREF_HIGH] = 2,
				    [ICMPV6_ROUTER_PREF_INVALID] = 1 };
	/* An own address is ours on every device, unless its scope is that of a link (RFC 4007 5). */
	bool same_dev = !fl->oif || f->dev->ifindex == fl->oif || (f->type == RTN_LOCAL && !strict);
	struct neighbour *n;
	int score;

	if (fib6_expired(f) || f->nh_flags & RTNH_F_DEAD)
		return -1;
	if (!same_dev)
		return -1;
	score = pref[f->pref & 3] * 2;
	if (!fib6_has_gateway(f))
		return score + 1;
	/* RFC 4861 6.3.6: a router that has not answered is used only if there is no other. Not asked yet counts as good. */
	n = neigh_lookup(f->net->ipv6->nd_tbl, &f->gateway, f->dev);
	if (!n)
		return score + 1;
	if (!(n->nud_state & NUD_FAILED))
		score++;
	else
		score = 0;
	neigh_release(n);
	return score;
}

static u32 fib6_flow_hash(const struct net *net, const struct flowi6 *fl)
{
	u32 w[8], h = (u32)net->machine->hash_seed[1];

	memcpy(w, &fl->saddr, 16);
	memcpy(w + 4, &fl->daddr, 16);
	for (u32 i = 0; i < 8; i += 2)
		h = jhash_2words(w[i], w[i + 1], h);
	if (net->ipv6->fib_multipath_hash_policy)
		return jhash_2words((u32)fl->sport.v << 16 | fl->dport.v, fl->proto, h);
	/* RFC 6438: the flow label tells flows of one pair of hosts apart. */
	return jhash_2words(be32_to_cpu(fl->flowlabel) & IPV6_FLOWLABEL_MASK_, fl->proto, h);
}

/* The next hop of the multipath route around @best whose share @fl's hash falls into, of those that may be used. @head: the
 * prefix's list */
static struct fib6_info *fib6_select_path(struct fib6_info *head, struct fib6_info *best,
					  const struct flowi6 *fl, bool strict)
{
	struct fib6_info *first = head, *f;
	u32 total = 0, pick;

	while (first != best && !fib6_is_sibling(first, best))
		first = first->next;

	for (f = first; f && fib6_is_sibling(first, f); f = f->next)
		if (fib6_score(f, fl, strict) > 0)
			total += f->weight;
	if (total <= best->weight)
		return best;
	pick = (u32)((u64)fib6_flow_hash(first->net, fl) * total >> 32);
	for (f = first; f && fib6_is_sibling(first, f); f = f->next) {
		if (fib6_score(f, fl, strict) <= 0)
			continue;
		if (pick < f->weight)
			return f;
		pick -= f->weight;
	}
	return best;
}

static bool fib6_source_fits(const struct fib6_info *f, const struct flowi6 *fl)
{
	/* A flow that has no source yet may take any that is not source specific. */
	return !f->src_len ||
	       (!ipv6_addr_any(&fl->saddr) && ipv6_prefix_equal(&f->src, &fl->saddr, f->src_len));
}

/* The best route of one prefix; NULL: none fits. */
static struct fib6_info *fib6_select(struct prefix_node *n, const struct flowi6 *fl, bool strict)
{
	struct fib6_info *best = NULL, *f;
	int best_score = -1;

	for (f = n->value; f; f = f->next) {
		int score;

		/* A longer source prefix beats a lower metric: it is the more specific route. */
		if (best && (f->src_len < best->src_len ||
			     (f->src_len == best->src_len && f->metric > best->metric)))
			continue;
		if (!fib6_source_fits(f, fl))
			continue;
		score = fib6_score(f, fl, strict);
		if (score < 0)
			continue;
		if (!best || f->src_len > best->src_len || score > best_score) {
			best = f;
			best_score = score;
		}
	}
	return best && fib6_has_gateway(best) ? fib6_select_path(n->value, best, fl, strict) : best;
}

struct fib6_info *fib6_table_lookup(struct fib6_table *tb, const struct flowi6 *fl, bool strict)
{
	struct prefix_node *n = prefix_trie_match(&tb->trie, prefix_key_load(&fl->daddr));

	for (; n; n = prefix_trie_shorter(n)) {
		struct fib6_info *f = fib6_select(n, fl, strict);

		if (f)
			return f->type == RTN_THROW ? NULL : f;
	}
	return NULL;
}

struct fib6_info *fib6_lookup(struct net *net, const struct flowi6 *fl, bool strict)
{
	static const u32 order[] = { RT_TABLE_LOCAL, RT_TABLE_MAIN };

	if (unlikely(net->ipv6->fib6_has_custom_rules))
		return fib6_rules_lookup(net, fl, strict);

	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		struct fib6_table *tb = fib6_get_table(net, order[i]);
		struct fib6_info *f = tb ? fib6_table_lookup(tb, fl, strict) : NULL;

		if (f)
			return f;
	}
	return NULL;
}

/* ---- adding --------------------------------------------------------------------------------------------------------- */

static bool type_has_nexthop(u8 type)
{
	return type == RTN_UNICAST || type == RTN_LOCAL || type == RTN_ANYCAST ||
	       type == RTN_MULTICAST;
}

static bool is_on_link(const struct fib6_info *f)
{
	return f && !fib6_has_gateway(f) && f->type == RTN_UNICAST;
}

/* RFC 4861 8: routers are known by their link-local address; a global one must be reachable on link. 0 or -errno */
static int gateway_check(struct net *net, const struct fib6_config *cfg, struct net_device **dev,
			 struct netlink_ext_ack *extack)
{
	int type = ipv6_addr_type(&cfg->gateway);
	struct flowi6 fl = { .daddr = cfg->gateway, .oif = cfg->oif };
	const struct fib6_info *f;
	struct fib6_table *tb;

	if (ipv6_get_ifaddr(net, &cfg->gateway, *dev, type & IPV6_ADDR_LINKLOCAL)) {
		nl_set_err_msg(extack, "Gateway can not be a local address");
		return -EINVAL;
	}
	if (type & IPV6_ADDR_LINKLOCAL || cfg->rtm_flags & RTNH_F_ONLINK) {
		if (!*dev) {
			nl_set_err_msg(extack, "The gateway needs a device: add dev NAME");
			return -EINVAL;
		}
		return 0;
	}
	if (!(type & IPV6_ADDR_UNICAST)) {
		nl_set_err_msg(extack, "Invalid gateway address");
		return -EINVAL;
	}
	/* The table of the route itself is asked first, whatever the rules say of it. */
	tb = fib6_get_table(net, cfg->table);
	f = tb ? fib6_table_lookup(tb, &fl, cfg->oif != 0) : NULL;
	if (!is_on_link(f))
		f = fib6_lookup(net, &fl, cfg->oif != 0);
	if (!is_on_link(f)) {
		nl_set_err_msg(extack, "No route on link leads to the gateway");
		return -EHOSTUNREACH;
	}
	*dev = f->dev;
	return 0;
}

/* A route that is in no table yet, with one reference. NULL with *ret_err */
static struct fib6_info *fib6_create(struct net *net, const struct fib6_config *cfg,
				     struct netlink_ext_ack *extack, int *ret_err)
{
	struct net_device *dev = cfg->oif ? __dev_get_by_index(net, cfg->oif) : NULL;
	struct fib6_info *f;

	*ret_err = -ENODEV;
	if (cfg->oif && !dev)
		return NULL;
	if (!type_has_nexthop(cfg->type)) {
		dev = net->loopback_dev;
	} else if (cfg->has_gateway) {
		*ret_err = gateway_check(net, cfg, &dev, extack);
		if (*ret_err)
			return NULL;
	}
	*ret_err = -ENODEV;
	if (!dev) {
		nl_set_err_msg(extack, "A route needs a device or a gateway");
		return NULL;
	}
	*ret_err = -ENETDOWN;
	if (!(dev->flags & IFF_UP) && cfg->nlh) {
		nl_set_err_msg(extack, "Nexthop device is not up");
		return NULL;
	}
	*ret_err = -EINVAL;
	if (!ipv6_addr_any(&cfg->prefsrc) && !ipv6_chk_addr(net, &cfg->prefsrc, NULL, false)) {
		nl_set_err_msg(extack, "Invalid source address");
		return NULL;
	}
	*ret_err = -ENOMEM;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	*f = (struct fib6_info){
		.net = net,
		.refcount = 1,
		.dst = cfg->dst,
		.src = cfg->src,
		.dst_len = cfg->dst_len,
		.src_len = cfg->src_len,
		.protocol = cfg->protocol,
		.type = cfg->type,
		.pref = cfg->pref,
		/* What the stack adds to table local has none, as in Linux. */
		.metric = cfg->metric || (!cfg->nlh && cfg->flags & (RTF_LOCAL | RTF_ANYCAST))
				  ? cfg->metric
				  : IP6_RT_PRIO_USER,
		.flags = cfg->flags | RTF_UP | (cfg->has_gateway ? RTF_GATEWAY : 0),
		.expires = cfg->expires,
		.prefsrc = cfg->prefsrc,
		.dev = dev,
		.gateway = cfg->gateway,
		.nh_flags = (u8)(cfg->rtm_flags & RTNH_F_ONLINK),
		.weight = cfg->weight ? cfg->weight : 1,
	};
	dev_hold(dev);
	list_init(&f->exceptions);
	*ret_err = ip_metrics_parse(dev->net->machine, &f->metrics, cfg->metrics, extack);
	if (cfg->hop_limit) {
		f->metrics.value[DST_METRIC_HOPLIMIT] = cfg->hop_limit;
		f->metrics.any = true;
	}
	if (*ret_err) {
		fib6_info_put(f);
		return NULL;
	}
	return f;
}

struct fib6_info *fib6_rule_route(struct net *net, u8 type)
{
	struct fib6_info **slot = &net->ipv6->rule_routes[type == RTN_BLACKHOLE];
	struct fib6_config cfg = { .type = type, .protocol = RTPROT_KERNEL };
	int err;

	if (!*slot)
		*slot = fib6_create(net, &cfg, NULL, &err);
	return *slot;
}

static void rule_routes_drop(struct net *net)
{
	for (u32 i = 0; i < ARRAY_SIZE(net->ipv6->rule_routes); i++) {
		struct fib6_info *f = net->ipv6->rule_routes[i];

		net->ipv6->rule_routes[i] = NULL;
		if (f)
			fib6_drop_cache(f);
		fib6_info_put(f);
	}
}

static bool fib6_same_nexthop(const struct fib6_info *a, const struct fib6_info *b)
{
	return a->dev == b->dev && ipv6_addr_equal(&a->gateway, &b->gateway) &&
	       a->src_len == b->src_len && ipv6_addr_equal(&a->src, &b->src);
}

/* "ip route replace": what has the same metric goes, all next hops of it. */
static void fib6_remove_metric(struct prefix_node *n, struct fib6_info *keep,
			       const struct fib6_config *cfg)
{
	struct fib6_info *f = n->value, *next;

	for (; f; f = next) {
		next = f->next;
		if (f != keep && f->metric == keep->metric && f->src_len == keep->src_len &&
		    ipv6_addr_equal(&f->src, &keep->src))
			fib6_unlink(f, cfg);
	}
}

/* May @f join the routes of its prefix? 0, or -EEXIST, -ENOENT. */
static int fib6_insert_check(const struct fib6_info *first, struct fib6_info *f, u32 nl_flags,
			     struct netlink_ext_ack *extack)
{
	bool same_metric = false;

	for (; first; first = first->next) {
		if (first->metric != f->metric || first->src_len != f->src_len ||
		    !ipv6_addr_equal(&first->src, &f->src))
			continue;
		same_metric = true;
		if (nl_flags & NLM_F_REPLACE)
			continue;
		if (nl_flags & NLM_F_EXCL)
			return -EEXIST;
		/* What an advertisement calls on link ends with its lifetime, an address's prefix with the address: two. */
		if (fib6_same_nexthop(first, f) && first->type == f->type &&
		    is_advertised(first->protocol, first->flags) ==
			    is_advertised(f->protocol, f->flags))
			return -EEXIST;
	}
	if (!same_metric && nl_flags & NLM_F_REPLACE && !(nl_flags & NLM_F_CREATE)) {
		nl_set_err_msg(extack, "There is no route to replace");
		return -ENOENT;
	}
	return 0;
}

/* Takes over the caller's reference, also on failure. */
static int fib6_insert(struct fib6_table *tb, struct fib6_info *f, const struct fib6_config *cfg,
		       struct netlink_ext_ack *extack)
{
	struct prefix_node *n = prefix_trie_get(&tb->trie, prefix_key_load(&f->dst), f->dst_len);
	struct fib6_info **place;
	bool had;
	int err;

	if (!n) {
		fib6_info_put(f);
		return -ENOMEM;
	}
	had = n->value != NULL;
	err = fib6_insert_check(n->value, f, cfg->nl_flags, extack);
	if (err) {
		prefix_trie_changed(&tb->trie, n, had);
		fib6_info_put(f);
		return err;
	}
	f->table = tb;
	place = (struct fib6_info **)&n->value;
	while (*place && (*place)->metric < f->metric)
		place = &(*place)->next;
	/* Behind its elders, so that a multipath route's next hops stay together and in order. */
	while (*place && (*place)->metric == f->metric && !(cfg->nl_flags & NLM_F_REPLACE))
		place = &(*place)->next;
	f->next = *place;
	*place = f;
	f->net->ipv6->fib6_src_routes += f->src_len != 0;
	if (is_advertised(f->protocol, f->flags))
		++*ra_count(f->net, f->flags);
	prefix_trie_changed(&tb->trie, n, had);
	fib6_changed(f->net);
	fib6_notify(
		f, RTM_NEWROUTE, cfg,
		(u16)(cfg->nl_flags & (NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND | NLM_F_REPLACE)));
	if (cfg->nl_flags & NLM_F_REPLACE)
		fib6_remove_metric(n, f, cfg);
	if (f->expires && !timer_pending(&f->net->ipv6->fib6_gc_timer))
		mod_timer(f->net->cpu, &f->net->ipv6->fib6_gc_timer,
			  net_now(f->net) + f->net->ipv6->route_gc_interval_s * NSEC_PER_SEC);
	return 0;
}

static struct fib6_table *fib6_get_table_or_new(struct net *net, u32 id,
						struct netlink_ext_ack *extack)
{
	struct fib6_table *tb = fib6_new_table(net, id);

	if (!tb)
		nl_set_err_msg(extack, "No memory, or more than %u tables", FIB_TABLES_MAX);
	return tb;
}

static int fib6_add_one(struct net *net, const struct fib6_config *cfg,
			struct netlink_ext_ack *extack)
{
	struct fib6_table *tb = fib6_get_table_or_new(net, cfg->table, extack);
	struct fib6_info *f;
	int err;

	if (!tb)
		return -ENOMEM;
	if (is_advertised(cfg->protocol, cfg->flags) && ra_too_many(net, cfg->flags))
		return -ENOSPC;
	f = fib6_create(net, cfg, extack, &err);
	return f ? fib6_insert(tb, f, cfg, extack) : err;
}

#define FIB6_MULTIPATH_MAX 256u /* next hops of one route */

/* ---- multipath --------------------------------------------------------------------------------------------------------- */

/* The next hop at @rtnh merged into *cfg. 0 or -EINVAL */
static int multipath_config(struct fib6_config *cfg, const struct rtnexthop *rtnh,
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *a;
	int rem;

	cfg->oif = rtnh->rtnh_ifindex;
	cfg->weight = (u16)(rtnh->rtnh_hops + 1);
	cfg->rtm_flags = rtnh->rtnh_flags & RTNH_F_ONLINK;
	cfg->has_gateway = false;
	cfg->gateway = in6addr_any;
	nla_for_each(a, (const char *)rtnh + sizeof(*rtnh), rtnh->rtnh_len - (int)sizeof(*rtnh),
		     rem) {
		if (nla_type(a) != RTA_GATEWAY)
			continue;
		if (nla_len(a) < 16) {
			nl_set_err_msg(extack, "The gateway of a next hop must have 16 octets");
			return -EINVAL;
		}
		memcpy(&cfg->gateway, nla_data(a), 16);
		cfg->has_gateway = true;
	}
	return 0;
}

/* Calls @fn for each next hop of @cfg until one fails. *ret_n: how many there are. 0 or -errno */
static int multipath_walk(struct net *net, const struct fib6_config *cfg,
			  int (*fn)(struct net *, const struct fib6_config *,
				    struct netlink_ext_ack *, void *arg),
			  void *arg, u32 *ret_n, struct netlink_ext_ack *extack)
{
	const struct rtnexthop *rtnh = nla_data(cfg->multipath);
	int rem = nla_len(cfg->multipath), err = 0;
	struct fib6_config one = *cfg;

	one.multipath = NULL;
	for (*ret_n = 0; rem >= (int)sizeof(*rtnh); ++*ret_n) {
		if (rtnh->rtnh_len < sizeof(*rtnh) || rtnh->rtnh_len > rem) {
			nl_set_err_msg(extack, "A next hop's length is impossible");
			return -EINVAL;
		}
		err = multipath_config(&one, rtnh, extack);
		if (!err)
			err = fn(net, &one, extack, arg);
		if (err)
			return err;
		rem -= (int)RTNH_ALIGN(rtnh->rtnh_len);
		rtnh = RTNH_NEXT(rtnh);
	}
	return 0;
}

/* One next hop onto the list at @arg, in order. */
static int multipath_create(struct net *net, const struct fib6_config *cfg,
			    struct netlink_ext_ack *extack, void *arg)
{
	struct fib6_info **place = arg, *f;
	int err;

	f = fib6_create(net, cfg, extack, &err);
	if (!f)
		return err;
	for (; *place; place = &(*place)->next) {
		if (!fib6_same_nexthop(*place, f))
			continue;
		nl_set_err_msg(extack, "A next hop is named twice");
		fib6_info_put(f);
		return -EEXIST;
	}
	*place = f;
	return 0;
}

static void multipath_free(struct fib6_info *f)
{
	while (f) {
		struct fib6_info *next = f->next;

		fib6_info_put(f);
		f = next;
	}
}

/* All or nothing: the next hops are made first. From then on only the first can meet an error, or one that joins a route which has
 * that next hop already: those before it are taken back. */
static int multipath_add(struct net *net, const struct fib6_config *cfg,
			 struct netlink_ext_ack *extack)
{
	struct fib6_table *tb = fib6_get_table_or_new(net, cfg->table, extack);
	struct fib6_config one = *cfg;
	struct fib6_info *todo = NULL, *f, *added[FIB6_MULTIPATH_MAX];
	u32 n, done = 0;
	int err;

	if (!tb)
		return -ENOMEM;
	err = multipath_walk(net, cfg, multipath_create, &todo, &n, extack);
	if (!err && (!n || n > FIB6_MULTIPATH_MAX)) {
		nl_set_err_msg(extack, "A multipath route has 1 to %u next hops",
			       FIB6_MULTIPATH_MAX);
		err = -EINVAL;
	}
	while (!err && todo) {
		f = todo;
		todo = f->next;
		f->next = NULL;
		err = fib6_insert(tb, f, &one, extack);
		if (!err)
			added[done++] = f;
		/* The first of the group may have to be alone, the others join it. */
		one.nl_flags &= ~(u32)(NLM_F_REPLACE | NLM_F_EXCL);
		one.nl_flags |= NLM_F_CREATE;
	}
	multipath_free(todo);
	while (err && done)
		fib6_unlink(added[--done], cfg);
	return err;
}

int ip6_route_add(struct net *net, const struct fib6_config *cfg, struct netlink_ext_ack *extack)
{
	if (cfg->dst_len > 128 || cfg->src_len > 128) {
		nl_set_err_msg(extack, "Invalid prefix length: 0 to 128");
		return -EINVAL;
	}
	return cfg->multipath ? multipath_add(net, cfg, extack) : fib6_add_one(net, cfg, extack);
}

/* ---- removing ---------------------------------------------------------------------------------------------------------- */

static bool fib6_matches(const struct fib6_info *f, const struct fib6_config *cfg)
{
	if (cfg->oif && f->dev->ifindex != cfg->oif)
		return false;
	if (cfg->has_gateway && !ipv6_addr_equal(&f->gateway, &cfg->gateway))
		return false;
	if (cfg->metric && f->metric != cfg->metric)
		return false;
	if (cfg->protocol && f->protocol != cfg->protocol)
		return false;
	if (cfg->type && cfg->nlh == NULL && f->type != cfg->type)
		return false;
	return f->src_len == cfg->src_len && ipv6_addr_equal(&f->src, &cfg->src);
}

static int fib6_del_one(struct net *net, const struct fib6_config *cfg,
			struct netlink_ext_ack *extack, void *unused)
{
	struct fib6_table *tb = fib6_get_table(net, cfg->table);
	struct prefix_node *n;
	struct fib6_info *f, *next, *first;

	if (!tb) {
		nl_set_err_msg(extack, "FIB table does not exist");
		return -ESRCH;
	}
	n = prefix_trie_find(&tb->trie, prefix_key_load(&cfg->dst), cfg->dst_len);
	for (f = n ? n->value : NULL; f; f = f->next)
		if (fib6_matches(f, cfg))
			break;
	if (!f)
		return -ESRCH;
	/* Named without a next hop, a multipath route goes as a whole. */
	first = f;
	if (!cfg->nlh || cfg->has_gateway || cfg->oif) {
		fib6_unlink(f, cfg);
		return 0;
	}
	first->refcount++;
	for (f = first->next; f && fib6_is_sibling(first, f); f = next) {
		next = f->next;
		fib6_unlink(f, cfg);
	}
	fib6_unlink(first, cfg);
	fib6_info_put(first);
	return 0;
}

int ip6_route_del(struct net *net, const struct fib6_config *cfg, struct netlink_ext_ack *extack)
{
	u32 n;

	return cfg->multipath ? multipath_walk(net, cfg, fib6_del_one, NULL, &n, extack)
			      : fib6_del_one(net, cfg, extack, NULL);
}

/* ---- what the stack itself adds -------------------------------------------------------------------------------------------- */

static u64 lifetime_expires(const struct net *net, u32 lifetime)
{
	return lifetime == UINT32_MAX ? 0 : net_now(net) + lifetime * NSEC_PER_SEC;
}

int ip6_add_local_route(struct net_device *dev, const struct in6_addr *addr, bool anycast)
{
	struct fib6_config cfg = {
		.table = RT_TABLE_LOCAL,
		.dst = *addr,
		.dst_len = 128,
		.oif = dev->ifindex,
		.protocol = RTPROT_KERNEL,
		.type = anycast ? RTN_ANYCAST : RTN_LOCAL,
		.flags = RTF_NONEXTHOP | (anycast ? RTF_ANYCAST : RTF_LOCAL),
		.nl_flags = NLM_F_CREATE,
	};
	int err = ip6_route_add(dev->net, &cfg, NULL);

	return err == -EEXIST ? 0 : err;
}

static struct fib6_info *find_own(struct net_device *dev, u32 table, const struct in6_addr *dst,
				  u8 plen, u32 flags)
{
	struct fib6_table *tb = fib6_get_table(dev->net, table);
	struct prefix_node *n = tb ? prefix_trie_find(&tb->trie, prefix_key_load(dst), plen) : NULL;
	struct fib6_info *f;

	for (f = n ? n->value : NULL; f; f = f->next)
		if (f->dev == dev && (f->flags & flags) == flags)
			return f;
	return NULL;
}

void ip6_del_local_route(struct net_device *dev, const struct in6_addr *addr, bool anycast)
{
	struct fib6_info *f =
		find_own(dev, RT_TABLE_LOCAL, addr, 128, anycast ? RTF_ANYCAST : RTF_LOCAL);

	if (f)
		fib6_unlink(f, NULL);
}

int rt6_prefix_route(struct net_device *dev, const struct in6_addr *prefix, u8 plen, u32 lifetime,
		     u32 metric, u8 protocol)
{
	struct prefix_key key = prefix_key_load(prefix);
	struct fib6_config cfg = {
		.table = RT_TABLE_MAIN,
		.metric = metric ? metric : IP6_RT_PRIO_KERNEL,
		.dst_len = plen,
		.oif = dev->ifindex,
		.protocol = protocol,
		.type = RTN_UNICAST,
		.flags = protocol == RTPROT_RA ? RTF_ADDRCONF | RTF_PREFIX_RT : 0,
		.nl_flags = NLM_F_CREATE,
		.expires = lifetime_expires(dev->net, lifetime),
	};
	struct fib6_info *f;
	int err;

	key.hi &= plen >= 64 ? ~0ull : plen ? ~0ull << (64 - plen) : 0;
	key.lo &= plen <= 64 ? 0 : ~0ull << (128 - plen);
	prefix_key_store(key, &cfg.dst);
	f = find_own(dev, RT_TABLE_MAIN, &cfg.dst, plen, cfg.flags);
	while (f && (f->dev != dev || fib6_has_gateway(f) || f->protocol != protocol))
		f = f->next;
	if (f && !lifetime) {
		fib6_unlink(f, NULL);
		return 0;
	}
	if (!lifetime)
		return 0;
	if (f && f->metric == cfg.metric) {
		f->expires = cfg.expires;
		return 0;
	}
	err = ip6_route_add(dev->net, &cfg, NULL);
	return err == -EEXIST ? 0 : err;
}

/* ---- router advertisements ------------------------------------------------------------------------------------------------- */

/* 0: it was not said, what was said before holds. */
static void fib6_set_hop_limit(struct fib6_info *f, u8 hop_limit)
{
	u32 *metric = &f->metrics.value[DST_METRIC_HOPLIMIT];

	if (!hop_limit || *metric == hop_limit)
		return;
	*metric = hop_limit;
	f->metrics.any = true;
	fib6_changed(f->net);
}

/* A route through @router that an advertisement brought: made, changed or, with @lifetime 0, removed. */
static int ra_route(struct net_device *dev, const struct in6_addr *router, struct fib6_config *cfg,
		    u32 lifetime, u8 hop_limit)
{
	struct fib6_table *tb = fib6_new_table(dev->net, RT_TABLE_MAIN);
	struct prefix_node *n =
		tb ? prefix_trie_find(&tb->trie, prefix_key_load(&cfg->dst), cfg->dst_len) : NULL;
	struct fib6_info *f = n ? n->value : NULL;
	int err;

	while (f &&
	       !(f->dev == dev && f->protocol == RTPROT_RA &&
		 (f->flags & cfg->flags) == cfg->flags && ipv6_addr_equal(&f->gateway, router)))
		f = f->next;
	/* RFC 4191 2.1: another preference takes effect at once. */
	if (f && (!lifetime || f->pref != cfg->pref)) {
		fib6_unlink(f, NULL);
		f = NULL;
	}
	if (!lifetime)
		return 0;
	cfg->expires = lifetime_expires(dev->net, lifetime);
	if (f) {
		f->expires = cfg->expires;
		fib6_set_hop_limit(f, hop_limit);
		return 0;
	}
	cfg->hop_limit = hop_limit;
	cfg->table = RT_TABLE_MAIN;
	cfg->oif = dev->ifindex;
	cfg->gateway = *router;
	cfg->has_gateway = true;
	cfg->protocol = RTPROT_RA;
	cfg->type = RTN_UNICAST;
	cfg->nl_flags = NLM_F_CREATE;
	err = ip6_route_add(dev->net, cfg, NULL);
	return err == -EEXIST ? 0 : err;
}

int rt6_default_router(struct net_device *dev, const struct in6_addr *router, u32 lifetime, u8 pref,
		       u8 hop_limit, u32 metric)
{
	struct fib6_config cfg = { .metric = metric ? metric : IP6_RT_PRIO_USER,
				   .pref = pref,
				   .flags = RTF_ADDRCONF | RTF_DEFAULT };

	return ra_route(dev, router, &cfg, lifetime, hop_limit);
}

int rt6_route_information(struct net_device *dev, const struct in6_addr *router,
			  const struct in6_addr *prefix, u8 plen, u32 lifetime, u8 pref)
{
	struct fib6_config cfg = { .metric = IP6_RT_PRIO_USER,
				   .dst = *prefix,
				   .dst_len = plen,
				   .pref = pref,
				   .flags = RTF_ADDRCONF | RTF_ROUTEINFO };

	return ra_route(dev, router, &cfg, lifetime, 0);
}

static bool is_ra_route(struct fib6_info *f, const void *arg)
{
	return f->flags & (RTF_DEFAULT | RTF_ROUTEINFO) && f->flags & RTF_ADDRCONF;
}

void rt6_purge_default_routers(struct net *net)
{
	fib6_clean(net, is_ra_route, NULL);
}

/* ---- devices --------------------------------------------------------------------------------------------------------------- */

int rt6_device_up(struct net_device *dev)
{
	/* Groups leave by the device that the program names. */
	struct fib6_config cfg = {
		.table = RT_TABLE_LOCAL,
		.metric = IP6_RT_PRIO_KERNEL,
		.dst = { .s6_addr = { 0xff } },
		.dst_len = 8,
		.oif = dev->ifindex,
		.protocol = RTPROT_KERNEL,
		.type = RTN_MULTICAST,
		.nl_flags = NLM_F_CREATE,
	};
	int err = dev->flags & IFF_LOOPBACK ? 0 : ip6_route_add(dev->net, &cfg, NULL);

	fib6_changed(dev->net);
	return err == -EEXIST ? 0 : err;
}

static bool is_through_dev(struct fib6_info *f, const void *dev)
{
	return f->dev == dev && type_has_nexthop(f->type);
}

static bool is_of_dev(struct fib6_info *f, const void *dev)
{
	return f->dev == dev;
}

void rt6_device_down(struct net_device *dev, bool unregister)
{
	fib6_clean(dev->net, unregister ? is_of_dev : is_through_dev, dev);
	fib6_changed(dev->net);
	if (unregister && dev == dev->net->loopback_dev)
		rule_routes_drop(dev->net);
	if (unregister)
		rt6_drop_dev(dev);
}

/* The route stays, with a source that is chosen. Never true: nothing is removed. */
static bool drop_prefsrc(struct fib6_info *f, const void *addr)
{
	if (ipv6_addr_equal(&f->prefsrc, addr))
		f->prefsrc = in6addr_any;
	return false;
}

void rt6_remove_prefsrc(struct net *net, const struct in6_addr *addr)
{
	fib6_clean(net, drop_prefsrc, addr);
	fib6_changed(net);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static bool is_expired(struct fib6_info *f, const void *arg)
{
	return fib6_expired(f);
}

static bool any_expires(const struct net *net)
{
	for (u32 i = 0; i < FIB6_TABLE_HASHSZ; i++) {
		struct fib6_table *tb;

		hlist_for_each_entry(tb, (struct hlist_head *)&net->ipv6->fib6_tables[i], hash)
			for (struct prefix_node *n =
				     prefix_trie_seek(&tb->trie, (struct prefix_key){ 0, 0 }, 0);
			     n; n = prefix_trie_next(n))
				for (const struct fib6_info *f = n->value; f; f = f->next)
					if (f->expires)
						return true;
	}
	return false;
}

static void fib6_gc(struct cpu *cpu, struct timer_list *t)
{
	struct netns_ipv6 *ip6 = container_of(t, struct netns_ipv6, fib6_gc_timer);

	fib6_clean(ip6->net, is_expired, NULL);
	if (any_expires(ip6->net))
		mod_timer(cpu, t, cpu->now + ip6->route_gc_interval_s * NSEC_PER_SEC);
}

static bool is_any(struct fib6_info *f, const void *arg)
{
	return true;
}

static void fib6_net_exit(struct net *net)
{
	struct hlist_node *next;
	struct fib6_table *tb;

	del_timer(&net->ipv6->fib6_gc_timer);
	fib_rules_destroy(net->ipv6->rules);
	net->ipv6->rules = NULL;
	net->ipv6->fib6_has_custom_rules = false;
	rule_routes_drop(net);
	fib6_clean(net, is_any, NULL);
	rt6_exceptions_clear(net);
	for (u32 i = 0; i < FIB6_TABLE_HASHSZ; i++) {
		hlist_for_each_entry_safe(tb, next, &net->ipv6->fib6_tables[i], hash) {
			prefix_trie_free(&tb->trie);
			hlist_del_init(&tb->hash);
			free(tb);
		}
	}
}

static int fib6_net_init(struct net *net)
{
	timer_setup(&net->ipv6->fib6_gc_timer, fib6_gc);
	net->ipv6->net = net;
	if (fib6_new_table(net, RT_TABLE_MAIN) && fib6_new_table(net, RT_TABLE_LOCAL) &&
	    !fib6_rules_init(net))
		return 0;
	fib6_net_exit(net);
	return -ENOMEM;
}

static int fib6_netdev_event(struct net_device *dev, enum netdev_event ev)
{
	fib_rules_device_event(dev->net->ipv6->rules, ev, dev);
	return 0;
}

static int fib6_machine_init(struct machine *m)
{
	return rtnl_register(m, ip6_route_rtnl_handlers, nr_ip6_route_rtnl_handlers);
}

const struct ipv6_part ip6_fib_part = {
	.name = "fib6",
	.machine_init = fib6_machine_init,
	.net_init = fib6_net_init,
	.net_exit = fib6_net_exit,
	.netdev_event = fib6_netdev_event,
};
