/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_semantics.c - what a route means: next hops, scopes, metrics
 *
 * Theory of operation
 *   The trie says which prefixes contain an address. A prefix has aliases (struct fib_alias: TOS, type), and an alias points to a
 *   fib_info, which holds everything that many prefixes have in common: next hops, metrics, preferred source, protocol,
 *   priority. Equal fib_infos are one object, found by hash, so that a million routes over a handful of gateways cost a
 *   handful of fib_infos, and so that a next hop's cached rtables serve all of them.
 *
 *   Scope says how far away a destination is: HOST (an address of ours), LINK (a neighbour), UNIVERSE (behind a
 *   gateway). A gateway must itself be nearer than the route through it: it is looked up with a scope above the
 *   route's, which is what excludes gateways behind gateways.
 *
 * Life
 *   treeref counts aliases, refcount adds rtables. When the last alias goes, the caches and devices of the next hops are
 *   released; the metrics live until the last rtable is gone.
 * See ip-route(8), rtnetlink(7).
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/hash.h"

static const struct {
	s16 error;
	u8 scope; /* the widest that a route of this type may have */
} fib_props[RTN_MAX + 1] = {
	[RTN_UNSPEC] = { 0, RT_SCOPE_NOWHERE },
	[RTN_UNICAST] = { 0, RT_SCOPE_UNIVERSE },
	[RTN_LOCAL] = { 0, RT_SCOPE_HOST },
	[RTN_BROADCAST] = { 0, RT_SCOPE_LINK },
	[RTN_ANYCAST] = { 0, RT_SCOPE_LINK },
	[RTN_MULTICAST] = { 0, RT_SCOPE_UNIVERSE },
	[RTN_BLACKHOLE] = { -EINVAL, RT_SCOPE_UNIVERSE },
	[RTN_UNREACHABLE] = { -EHOSTUNREACH, RT_SCOPE_UNIVERSE },
	[RTN_PROHIBIT] = { -EACCES, RT_SCOPE_UNIVERSE },
	[RTN_THROW] = { -EAGAIN, RT_SCOPE_UNIVERSE },
	[RTN_NAT] = { -EINVAL, RT_SCOPE_NOWHERE },
	[RTN_XRESOLVE] = { -EINVAL, RT_SCOPE_NOWHERE },
};

int fib_type_error(u8 type)
{
	return type <= RTN_MAX ? fib_props[type].error : -EINVAL;
}

u8 fib_type_scope(u8 type)
{
	return type <= RTN_MAX ? fib_props[type].scope : RT_SCOPE_NOWHERE;
}

/* ---- sharing ------------------------------------------------------------------------------------------ */

#define FIB_INFO_HASH_MIN_BITS 4

int fib_info_hash_init(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;

	ip4->fib_info_bits = FIB_INFO_HASH_MIN_BITS;
	ip4->fib_info_hash = calloc(1u << ip4->fib_info_bits, sizeof(struct hlist_head));
	return ip4->fib_info_hash ? 0 : -ENOMEM;
}

static u32 fib_info_hashfn(const struct fib_info *fi)
{
	u32 h = jhash_3words(fi->prefsrc.v, fi->priority,
			     (u32)fi->protocol | (u32)fi->scope << 8 | (u32)fi->type << 16,
			     fi->table);

	for (u32 i = 0; i < fi->nhs; i++)
		h = jhash_2words((u32)fi->nh[i].oif, fi->nh[i].gw.v, h);
	return h;
}

static struct hlist_head *fib_info_bucket(struct netns_ipv4 *ip4, const struct fib_info *fi)
{
	return &ip4->fib_info_hash[hash_32(fib_info_hashfn(fi), ip4->fib_info_bits)];
}

/* Keeps chains short; on lack of memory they get longer. */
static void fib_info_hash_grow(struct netns_ipv4 *ip4)
{
	u32 old_size = 1u << ip4->fib_info_bits;
	struct hlist_head *old = ip4->fib_info_hash;
	struct hlist_node *next;
	struct fib_info *fi;
	struct hlist_head *new;

	if (ip4->fib_info_count <= old_size || ip4->fib_info_bits >= 20)
		return;
	new = calloc(old_size * 2, sizeof(*new));
	if (!new)
		return;
	ip4->fib_info_hash = new;
	ip4->fib_info_bits++;
	for (u32 i = 0; i < old_size; i++) {
		hlist_for_each_entry_safe(fi, next, &old[i], hash) {
			hlist_del_init(&fi->hash);
			hlist_add_head(&fi->hash, fib_info_bucket(ip4, fi));
		}
	}
	free(old);
}

static bool fib_nh_equal(const struct fib_nh *a, const struct fib_nh *b)
{
	return a->oif == b->oif && be32_eq(a->gw, b->gw) && a->weight == b->weight &&
	       a->scope == b->scope && !((a->flags ^ b->flags) & ~RTNH_F_DEAD);
}

static bool fib_info_equal(const struct fib_info *a, const struct fib_info *b)
{
	if (a->protocol != b->protocol || a->scope != b->scope || a->type != b->type ||
	    a->nhs != b->nhs || a->priority != b->priority || a->table != b->table ||
	    !be32_eq(a->prefsrc, b->prefsrc) ||
	    memcmp(&a->metrics, &b->metrics, sizeof(a->metrics)))
		return false;
	for (u32 i = 0; i < a->nhs; i++)
		if (!fib_nh_equal(&a->nh[i], &b->nh[i]))
			return false;
	return true;
}

static struct fib_info *fib_info_find(struct netns_ipv4 *ip4, const struct fib_info *like)
{
	struct fib_info *fi;

	hlist_for_each_entry(fi, fib_info_bucket(ip4, like), hash)
		if (!fi->dead && fib_info_equal(fi, like))
			return fi;
	return NULL;
}

void fib_nh_drop_cache(struct fib_nh *nh)
{
	struct rtable *out = nh->rt_output, *in = nh->rt_input;

	nh->rt_output = nh->rt_input = NULL;
	ip_rt_put(out);
	ip_rt_put(in);
}

void fib_info_put(struct fib_info *fi)
{
	if (fi && --fi->refcount == 0)
		free(fi);
}

/* The devices are held only as long as the fib_info is in use by a table. */
static void fib_info_unlink_nhs(struct fib_info *fi)
{
	for (u32 i = 0; i < fi->nhs; i++) {
		struct fib_nh *nh = &fi->nh[i];

		fib_nh_drop_cache(nh);
		if (nh->dev)
			dev_put(nh->dev);
		nh->dev = NULL;
	}
}

void fib_release_info(struct fib_info *fi)
{
	if (--fi->treeref)
		return;
	hlist_del_init(&fi->hash);
	fi->net->ipv4->fib_info_count--;
	fi->dead = 1;
	fib_info_unlink_nhs(fi);
	fib_info_put(fi);
}

/* ---- making ------------------------------------------------------------------------------------------- */

static u32 fib_count_nexthops(const struct nlattr *mp)
{
	const struct rtnexthop *rtnh = nla_data(mp);
	int rem = nla_len(mp);
	u32 n = 0;

	while (rem >= (int)sizeof(*rtnh) && rtnh->rtnh_len >= sizeof(*rtnh) &&
	       rtnh->rtnh_len <= rem) {
		n++;
		rem -= (int)RTNH_ALIGN(rtnh->rtnh_len);
		rtnh = RTNH_NEXT(rtnh);
	}
	return n;
}

static int fib_parse_nexthops(struct fib_info *fi, const struct fib_config *cfg,
			      struct netlink_ext_ack *extack)
{
	const struct rtnexthop *rtnh = nla_data(cfg->multipath);

	for (u32 i = 0; i < fi->nhs; i++, rtnh = RTNH_NEXT(rtnh)) {
		struct fib_nh *nh = &fi->nh[i];
		const struct nlattr *a;
		int rem;

		if (rtnh->rtnh_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) {
			nl_set_err_msg(
				extack,
				"Invalid flags for nexthop - can not contain DEAD or LINKDOWN");
			return -EINVAL;
		}
		nh->oif = rtnh->rtnh_ifindex;
		nh->flags = rtnh->rtnh_flags & RTNH_F_ONLINK;
		nh->weight = (u16)(rtnh->rtnh_hops + 1);
		nla_for_each(a, RTNH_DATA(rtnh), rtnh->rtnh_len - sizeof(*rtnh), rem) {
			if (nla_type(a) == RTA_VIA) {
				nl_set_err_msg(extack, "Only IPv4 gateways are supported");
				return -EOPNOTSUPP;
			}
			if (nla_type(a) == RTA_GATEWAY) {
				if (nla_len(a) < 4) {
					nl_set_err_msg(extack, "A gateway has 4 octets");
					return -EINVAL;
				}
				nh->gw = nla_get_in_addr(a);
			}
		}
	}
	return 0;
}

/* A gateway: on the link of a device, or found through the routes that are there already. */
static int fib_check_gateway(struct net *net, struct fib_nh *nh, const struct fib_config *cfg,
			     struct netlink_ext_ack *extack)
{
	struct flowi4 fl = { .daddr = nh->gw, .oif = nh->oif };
	struct net_device *dev;
	struct fib_result res;
	struct fib_table *tb;
	int err;

	if (cfg->scope >= RT_SCOPE_LINK) {
		nl_set_err_msg(extack, "Nexthop has invalid scope");
		return -EINVAL;
	}
	if (nh->flags & RTNH_F_ONLINK) {
		dev = __dev_get_by_index(net, nh->oif);
		if (!dev) {
			nl_set_err_msg(extack, "Nexthop device required for onlink");
			return -ENODEV;
		}
		if (inet_addr_type(net, nh->gw) != RTN_UNICAST) {
			nl_set_err_msg(extack, "Nexthop has invalid gateway");
			return -EINVAL;
		}
		if (!netif_running(dev)) {
			nl_set_err_msg(extack, "Nexthop device is not up");
			return -ENETDOWN;
		}
		nh->scope = RT_SCOPE_LINK;
		goto found;
	}
	fl.scope = (u8)max(cfg->scope + 1, (int)RT_SCOPE_LINK);
	/* The table of the route itself is asked first, whatever the rules say of it. */
	tb = cfg->table == RT_TABLE_MAIN ? NULL : fib_get_table(net, cfg->table);
	err = tb ? fib_table_lookup(net, tb, &fl, &res) : -EAGAIN;
	if (err)
		err = fib_lookup(net, &fl, &res);
	if (err) {
		nl_set_err_msg(extack, "Nexthop has invalid gateway");
		return err;
	}
	if (res.type != RTN_UNICAST && res.type != RTN_LOCAL) {
		nl_set_err_msg(extack, "Nexthop has invalid gateway");
		return -EINVAL;
	}
	nh->scope = res.scope;
	nh->oif = fib_result_nh(&res)->oif;
	dev = fib_result_nh(&res)->dev;
	if (!dev) {
		nl_set_err_msg(extack, "No egress device for nexthop gateway");
		return -EINVAL;
	}
	if (!netif_running(dev)) {
		nl_set_err_msg(extack, "Nexthop device is not up");
		return -ENETDOWN;
	}
found:
	dev_hold(dev);
	nh->dev = dev;
	return 0;
}

static int fib_check_nh(struct net *net, struct fib_nh *nh, const struct fib_config *cfg,
			struct netlink_ext_ack *extack)
{
	struct net_device *dev;

	if (!be32_zero(nh->gw))
		return fib_check_gateway(net, nh, cfg, extack);
	if (nh->flags & RTNH_F_ONLINK) {
		nl_set_err_msg(extack,
			       "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set");
		return -EINVAL;
	}
	dev = __dev_get_by_index(net, nh->oif);
	if (!dev) {
		nl_set_err_msg(extack, "No device for nexthop: give a device or a gateway");
		return -ENODEV;
	}
	if (!dev->ip_ptr) {
		nl_set_err_msg(extack, "Device %s takes no part in IPv4", dev->name);
		return -EINVAL;
	}
	if (!netif_running(dev)) {
		nl_set_err_msg(extack, "Device for nexthop is not up");
		return -ENETDOWN;
	}
	dev_hold(dev);
	nh->dev = dev;
	nh->scope = cfg->scope == RT_SCOPE_HOST ? RT_SCOPE_NOWHERE : RT_SCOPE_LINK;
	return 0;
}

static bool fib_prefsrc_valid(struct net *net, const struct fib_config *cfg)
{
	/* The route that makes an address local may name it. */
	if (cfg->type == RTN_LOCAL && cfg->plen == 32 && be32_eq(cfg->dst, cfg->prefsrc))
		return true;
	if (cfg->type == RTN_LOCAL && ipv4_is_loopback(cfg->prefsrc))
		return true;
	return inet_addr_type(net, cfg->prefsrc) == RTN_LOCAL;
}

static int fib_check_config(struct net *net, const struct fib_config *cfg,
			    struct netlink_ext_ack *extack)
{
	if (cfg->type > RTN_MAX || cfg->type == RTN_UNSPEC || cfg->type == RTN_NAT ||
	    cfg->type == RTN_XRESOLVE) {
		nl_set_err_msg(extack, "Invalid route type");
		return -EINVAL;
	}
	if (fib_props[cfg->type].scope > cfg->scope) {
		nl_set_err_msg(extack, "Invalid scope");
		return -EINVAL;
	}
	if (cfg->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) {
		nl_set_err_msg(extack, "Invalid rtm_flags - can not contain DEAD or LINKDOWN");
		return -EINVAL;
	}
	if (fib_props[cfg->type].error && (!be32_zero(cfg->gw) || cfg->oif || cfg->multipath)) {
		nl_set_err_msg(
			extack,
			"Gateway, device and multipath can not be specified for this route type");
		return -EINVAL;
	}
	if (cfg->scope > RT_SCOPE_HOST) {
		nl_set_err_msg(extack, "Invalid scope");
		return -EINVAL;
	}
	if (cfg->scope == RT_SCOPE_HOST && (!be32_zero(cfg->gw) || cfg->multipath)) {
		nl_set_err_msg(extack,
			       "Route with host scope can not have a gateway or multiple nexthops");
		return -EINVAL;
	}
	if (!be32_zero(cfg->prefsrc) && !fib_prefsrc_valid(net, cfg)) {
		nl_set_err_msg(extack, "Invalid prefsrc address");
		return -EINVAL;
	}
	return 0;
}

struct fib_info *fib_create_info(struct net *net, struct fib_config *cfg,
				 struct netlink_ext_ack *extack, int *ret_err)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	u32 nhs = cfg->multipath ? fib_count_nexthops(cfg->multipath) : 1;
	struct fib_info *fi, *same;
	int err;

	err = fib_check_config(net, cfg, extack);
	if (err)
		goto fail;
	if (nhs == 0 || nhs > FIB_MAX_NEXTHOPS) {
		nl_set_err_msg(extack, "Invalid nexthop configuration: 1 to %d nexthops",
			       FIB_MAX_NEXTHOPS);
		err = -EINVAL;
		goto fail;
	}
	err = -ENOMEM;
	fi = calloc(1, sizeof(*fi) + nhs * sizeof(fi->nh[0]));
	if (!fi)
		goto fail;
	fi->net = net;
	fi->nhs = (u16)nhs;
	fi->refcount = 1;
	fi->table = cfg->table;
	fi->priority = cfg->priority;
	fi->prefsrc = cfg->prefsrc;
	fi->protocol = cfg->protocol;
	fi->scope = cfg->scope;
	fi->type = cfg->type;

	err = ip_metrics_parse(net->machine, &fi->metrics, cfg->metrics, extack);
	if (err)
		goto fail_free;
	if (cfg->multipath) {
		err = fib_parse_nexthops(fi, cfg, extack);
		if (err)
			goto fail_free;
	} else {
		fi->nh[0].oif = cfg->oif;
		fi->nh[0].gw = cfg->gw;
		fi->nh[0].weight = 1;
		fi->nh[0].flags = cfg->rtm_flags & RTNH_F_ONLINK;
	}
	for (u32 i = 0; i < nhs && !fib_props[cfg->type].error; i++) {
		err = fib_check_nh(net, &fi->nh[i], cfg, extack);
		if (err)
			goto fail_free;
	}

	same = fib_info_find(ip4, fi);
	if (same) {
		fib_info_unlink_nhs(fi);
		fib_info_put(fi);
		same->treeref++;
		return same;
	}
	fi->treeref = 1;
	ip4->fib_info_count++;
	fib_info_hash_grow(ip4);
	hlist_add_head(&fi->hash, fib_info_bucket(ip4, fi));
	return fi;

fail_free:
	fib_info_unlink_nhs(fi);
	fib_info_put(fi);
fail:
	*ret_err = err;
	return NULL;
}

/* ---- matching ----------------------------------------------------------------------------------------- */

static bool fib_nexthops_match(const struct fib_info *fi, const struct fib_config *cfg)
{
	const struct rtnexthop *rtnh = nla_data(cfg->multipath);

	if (fib_count_nexthops(cfg->multipath) != fi->nhs)
		return false;
	for (u32 i = 0; i < fi->nhs; i++, rtnh = RTNH_NEXT(rtnh)) {
		const struct nlattr *a;
		int rem;

		if (rtnh->rtnh_ifindex && rtnh->rtnh_ifindex != fi->nh[i].oif)
			return false;
		nla_for_each(a, RTNH_DATA(rtnh), rtnh->rtnh_len - sizeof(*rtnh), rem) {
			if (nla_type(a) == RTA_GATEWAY && nla_len(a) >= 4 &&
			    !be32_eq(nla_get_in_addr(a), fi->nh[i].gw))
				return false;
		}
	}
	return true;
}

bool fib_info_matches(const struct fib_info *fi, const struct fib_config *cfg)
{
	if (cfg->priority && cfg->priority != fi->priority)
		return false;
	if (cfg->protocol && cfg->protocol != fi->protocol)
		return false;
	if (!cfg->any_scope && cfg->scope != RT_SCOPE_NOWHERE && cfg->scope != fi->scope)
		return false;
	if (!be32_zero(cfg->prefsrc) && !be32_eq(cfg->prefsrc, fi->prefsrc))
		return false;
	if (cfg->multipath)
		return fib_nexthops_match(fi, cfg);
	if (cfg->oif && cfg->oif != fi->nh[0].oif)
		return false;
	return be32_zero(cfg->gw) || be32_eq(cfg->gw, fi->nh[0].gw);
}

static bool fib_nh_usable(struct net *net, const struct fib_nh *nh, const struct flowi4 *fl)
{
	const struct in_device *in_dev;

	if (nh->flags & RTNH_F_DEAD)
		return false;
	if (fl->oif && fl->oif != nh->oif)
		return false;
	if (nh->dev && unlikely(!netif_carrier_ok(nh->dev))) {
		in_dev = in_dev_get(nh->dev);
		if (in_dev && IN_DEV_ORCONF(in_dev, ignore_routes_with_linkdown))
			return false;
	}
	return true;
}

int fib_select_alias(struct net *net, struct fib_node *n, const struct flowi4 *fl,
		     struct fib_result *res)
{
	for (struct fib_alias *fa = n->aliases; fa; fa = fa->next) {
		struct fib_info *fi = fa->fi;
		int err;

		if ((fa->tos && fa->tos != (fl->tos & IPTOS_RT_MASK)) || fi->dead ||
		    fi->scope < fl->scope)
			continue;
		err = fib_props[fa->type].error;
		if (!err && (fi->flags & RTNH_F_DEAD))
			continue;
		for (u32 i = 0; i < fi->nhs; i++) {
			if (!err && !fib_nh_usable(net, &fi->nh[i], fl))
				continue;
			res->node = n;
			res->fa = fa;
			res->fi = fi;
			res->table = fi->table;
			res->plen = n->plen;
			res->type = fa->type;
			res->scope = fi->scope;
			res->nh_sel = (u8)i;
			return err;
		}
	}
	return -ESRCH;
}

static u32 fib_multipath_hash(const struct net *net, const struct flowi4 *fl)
{
	u32 h = jhash_2words(fl->saddr.v, fl->daddr.v, (u32)net->machine->hash_seed[0]);

	if (net->ipv4->fib_multipath_hash_policy)
		h = jhash_2words((u32)fl->sport.v << 16 | fl->dport.v, fl->proto, h);
	return h;
}

/* Multipath: a flow stays on its next hop as long as the set does not change. Flows are spread by addresses, or ports too
 * (fib_multipath_hash_policy), in proportion to the weights. */
void fib_select_path(struct net *net, struct fib_result *res, const struct flowi4 *fl)
{
	struct fib_info *fi = res->fi;
	u32 total = 0, point;

	if (likely(fi->nhs == 1))
		return;
	for (u32 i = 0; i < fi->nhs; i++)
		if (fib_nh_usable(net, &fi->nh[i], fl))
			total += fi->nh[i].weight;
	if (!total)
		return;
	point = (u32)((u64)fib_multipath_hash(net, fl) * total >> 32);
	for (u32 i = 0; i < fi->nhs; i++) {
		if (!fib_nh_usable(net, &fi->nh[i], fl))
			continue;
		if (point < fi->nh[i].weight) {
			res->nh_sel = (u8)i;
			return;
		}
		point -= fi->nh[i].weight;
	}
}

be32 fib_result_prefsrc(struct net *net, struct fib_result *res)
{
	struct fib_nh *nh = fib_result_nh(res);

	if (!be32_zero(res->fi->prefsrc))
		return res->fi->prefsrc;
	if (!nh->dev)
		return (be32){ 0 };
	if (nh->addr_generation != net->ipv4->fib_generation) {
		nh->saddr = inet_select_addr(nh->dev, nh->gw, res->fi->scope);
		nh->addr_generation = net->ipv4->fib_generation;
	}
	return nh->saddr;
}

/* ---- devices and addresses that come and go ------------------------------------------------------------ */

u32 fib_sync_down_dev(struct net_device *dev, bool unregister)
{
	struct netns_ipv4 *ip4 = dev->net->ipv4;
	struct fib_info *fi;
	u32 died = 0;

	for (u32 b = 0; b < 1u << ip4->fib_info_bits; b++) {
		hlist_for_each_entry(fi, &ip4->fib_info_hash[b], hash) {
			u32 dead = 0;
			bool gone = false;

			for (u32 i = 0; i < fi->nhs; i++) {
				struct fib_nh *nh = &fi->nh[i];

				/* Scope nowhere: an address of ours, which does not depend on the link. */
				if (nh->dev == dev &&
				    (unregister || nh->scope != RT_SCOPE_NOWHERE)) {
					nh->flags |= RTNH_F_DEAD;
					fib_nh_drop_cache(nh);
					gone = unregister;
				}
				dead += (nh->flags & RTNH_F_DEAD) != 0;
			}
			/* A next hop cannot lose its device and stay in the route. */
			if (dead && (dead == fi->nhs || gone) && !(fi->flags & RTNH_F_DEAD)) {
				fi->flags |= RTNH_F_DEAD;
				died++;
			}
		}
	}
	return died;
}

u32 fib_sync_down_addr(struct net *net, be32 addr)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	struct fib_info *fi;
	u32 died = 0;

	if (be32_zero(addr))
		return 0;
	for (u32 b = 0; b < 1u << ip4->fib_info_bits; b++) {
		hlist_for_each_entry(fi, &ip4->fib_info_hash[b], hash) {
			if (be32_eq(fi->prefsrc, addr) && !(fi->flags & RTNH_F_DEAD)) {
				fi->flags |= RTNH_F_DEAD;
				died++;
			}
		}
	}
	return died;
}

void fib_sync_up(struct net_device *dev)
{
	struct netns_ipv4 *ip4 = dev->net->ipv4;
	struct fib_info *fi;

	for (u32 b = 0; b < 1u << ip4->fib_info_bits; b++)
		hlist_for_each_entry(fi, &ip4->fib_info_hash[b], hash)
			for (u32 i = 0; i < fi->nhs; i++)
				if (fi->nh[i].dev == dev && !(fi->flags & RTNH_F_DEAD))
					fi->nh[i].flags &= (u8)~RTNH_F_DEAD;
}

/* ---- messages ------------------------------------------------------------------------------------------ */

static u8 fib_nh_dump_flags(const struct fib_nh *nh)
{
	u8 flags = nh->flags & (RTNH_F_ONLINK | RTNH_F_DEAD);

	if (nh->dev && nh->scope != RT_SCOPE_NOWHERE && !netif_carrier_ok(nh->dev))
		flags |= RTNH_F_LINKDOWN;
	return flags;
}

static void fib_put_multipath(struct nl_msg *m, const struct fib_info *fi)
{
	u8 buf[FIB_MAX_NEXTHOPS * (sizeof(struct rtnexthop) + 8)] __attribute__((aligned(4)));
	u8 *p = buf;

	memset(buf, 0, sizeof(buf));
	for (u32 i = 0; i < fi->nhs; i++) {
		const struct fib_nh *nh = &fi->nh[i];
		struct rtnexthop *rtnh = (struct rtnexthop *)p;

		rtnh->rtnh_len = sizeof(*rtnh);
		rtnh->rtnh_flags = fib_nh_dump_flags(nh);
		rtnh->rtnh_hops = (u8)(nh->weight - 1);
		rtnh->rtnh_ifindex = nh->oif;
		p += sizeof(*rtnh);
		if (!be32_zero(nh->gw)) {
			struct nlattr *a = (struct nlattr *)p;

			a->nla_len = NLA_HDRLEN + 4;
			a->nla_type = RTA_GATEWAY;
			memcpy(p + NLA_HDRLEN, &nh->gw, 4);
			rtnh->rtnh_len = (u16)(rtnh->rtnh_len + a->nla_len);
			p += a->nla_len;
		}
	}
	nla_put(m, RTA_MULTIPATH, (u32)(p - buf), buf);
}

int fib_dump_info(struct nl_msg *m, u32 portid, u32 seq, int event, u16 flags,
		  const struct fib_node *n, const struct fib_alias *fa)
{
	const struct fib_info *fi = fa->fi;
	struct rtmsg *rtm = nlmsg_begin(m, portid, seq, (u16)event, flags, sizeof(*rtm));

	if (!rtm)
		return -EMSGSIZE;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = n->plen;
	rtm->rtm_tos = fa->tos;
	rtm->rtm_table = fi->table < 256 ? (u8)fi->table : RT_TABLE_COMPAT;
	rtm->rtm_protocol = fi->protocol;
	rtm->rtm_scope = fi->scope;
	rtm->rtm_type = fa->type;
	if (fi->flags & RTNH_F_DEAD)
		rtm->rtm_flags |= RTNH_F_DEAD;
	if (fi->nhs == 1 && fi->nh[0].oif)
		rtm->rtm_flags |= fib_nh_dump_flags(&fi->nh[0]);

	nla_put_u32(m, RTA_TABLE, fi->table);
	if (n->plen)
		nla_put_in_addr(m, RTA_DST, cpu_to_be32(n->key));
	if (fi->priority)
		nla_put_u32(m, RTA_PRIORITY, fi->priority);
	ip_metrics_put(m, fi->net->machine, &fi->metrics);
	if (!be32_zero(fi->prefsrc))
		nla_put_in_addr(m, RTA_PREFSRC, fi->prefsrc);
	if (fi->nhs == 1) {
		if (!be32_zero(fi->nh[0].gw))
			nla_put_in_addr(m, RTA_GATEWAY, fi->nh[0].gw);
		if (fi->nh[0].oif)
			nla_put_u32(m, RTA_OIF, (u32)fi->nh[0].oif);
	} else {
		fib_put_multipath(m, fi);
	}
	return nlmsg_finish(m);
}
