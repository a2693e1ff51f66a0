/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrlabel.c - labels of prefixes, for source address selection (RFC 6724 2.1, "ip addrlabel")
 *
 * A net begins with the default table, which is constant. The first change copies it into a list of the net's own (addrlabels), longest
 * prefixes first.
 * Locking: the cpu lock; rtnl too where a program asks.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/if_addrlabel.h>

#include "ipv6/addrconf_internal.h"

struct addrlabel {
	struct in6_addr prefix;
	u8 plen;
	int ifindex; /* 0: any */
	u32 label;
};

struct addrlabel_entry {
	struct list_head node;
	struct addrlabel l;
};

/* Linux's; RFC 6724 2.1 with 6bone and site-local. */
static const struct addrlabel defaults[] = {
	{ { .s6_addr = { [15] = 1 } }, 128, 0, 0 },
	{ { .s6_addr = { 0 } }, 96, 0, 3 },
	{ { .s6_addr = { [10] = 0xff, 0xff } }, 96, 0, 4 },
	{ { .s6_addr = { 0x20, 1 } }, 32, 0, 6 },
	{ { .s6_addr = { 0x20, 1, 0, 0x10 } }, 28, 0, 7 },
	{ { .s6_addr = { 0x3f, 0xfe } }, 16, 0, 12 },
	{ { .s6_addr = { 0x20, 2 } }, 16, 0, 2 },
	{ { .s6_addr = { 0xfe, 0xc0 } }, 10, 0, 11 },
	{ { .s6_addr = { 0xfc } }, 7, 0, 5 },
	{ { .s6_addr = { 0 } }, 0, 0, 1 },
};

/* Number @i of the net's table; NULL: no more. */
static const struct addrlabel *label_at(const struct net *net, u32 i)
{
	const struct netns_ipv6 *ip6 = net->ipv6;
	const struct addrlabel_entry *e;

	if (!ip6->addrlabel_seq)
		return i < ARRAY_SIZE(defaults) ? &defaults[i] : NULL;
	list_for_each_entry(e, &ip6->addrlabels, node)
		if (!i--)
			return &e->l;
	return NULL;
}

static bool label_matches(const struct addrlabel *l, const struct in6_addr *addr, int ifindex)
{
	return (!l->ifindex || l->ifindex == ifindex) &&
	       ipv6_prefix_equal(addr, &l->prefix, l->plen);
}

static const struct addrlabel *label_find(const struct net *net, const struct in6_addr *addr,
					  int ifindex)
{
	const struct netns_ipv6 *ip6 = net->ipv6;
	const struct addrlabel_entry *e;

	if (!ip6->addrlabel_seq) {
		for (u32 i = 0; i < ARRAY_SIZE(defaults); i++)
			if (label_matches(&defaults[i], addr, ifindex))
				return &defaults[i];
		return NULL;
	}
	list_for_each_entry(e, &ip6->addrlabels, node)
		if (label_matches(&e->l, addr, ifindex))
			return &e->l;
	return NULL;
}

u32 ipv6_addr_label(const struct net *net, const struct in6_addr *addr, int ifindex)
{
	const struct addrlabel *l = label_find(net, addr, ifindex);

	return l ? l->label : IPV6_ADDR_LABEL_DEFAULT;
}

/* ---- changes ------------------------------------------------------------------------------------------------------- */

static int label_insert(struct netns_ipv6 *ip6, const struct addrlabel *l)
{
	struct addrlabel_entry *e = calloc(1, sizeof(*e)), *other;

	if (!e)
		return -ENOMEM;
	e->l = *l;
	list_for_each_entry(other, &ip6->addrlabels, node)
		if (other->l.plen <= l->plen) {
			list_add_tail(&e->node, &other->node);
			return 0;
		}
	list_add_tail(&e->node, &ip6->addrlabels);
	return 0;
}

static void labels_free(struct netns_ipv6 *ip6)
{
	while (!list_empty(&ip6->addrlabels)) {
		struct addrlabel_entry *e =
			list_first_entry(&ip6->addrlabels, struct addrlabel_entry, node);

		list_del(&e->node);
		free(e);
	}
}

/* A table of the net's own. 0 or -ENOMEM */
static int labels_own(struct netns_ipv6 *ip6)
{
	int err = 0;

	if (ip6->addrlabel_seq)
		return 0;
	for (u32 i = ARRAY_SIZE(defaults); i-- && !err;)
		err = label_insert(ip6, &defaults[i]);
	if (err)
		labels_free(ip6);
	else
		ip6->addrlabel_seq = 1;
	return err;
}

static struct addrlabel_entry *label_exact(struct netns_ipv6 *ip6, const struct addrlabel *l)
{
	struct addrlabel_entry *e;

	list_for_each_entry(e, &ip6->addrlabels, node)
		if (e->l.plen == l->plen && e->l.ifindex == l->ifindex &&
		    ipv6_addr_equal(&e->l.prefix, &l->prefix))
			return e;
	return NULL;
}

static int label_add(struct netns_ipv6 *ip6, const struct addrlabel *l, bool replace)
{
	struct addrlabel_entry *e;
	int err = labels_own(ip6);

	if (err)
		return err;
	e = label_exact(ip6, l);
	if (e && !replace)
		return -EEXIST;
	if (e)
		e->l.label = l->label;
	else
		err = label_insert(ip6, l);
	ip6->addrlabel_seq++;
	return err;
}

static int label_del(struct netns_ipv6 *ip6, const struct addrlabel *l)
{
	struct addrlabel_entry *e;
	int err = labels_own(ip6);

	if (err)
		return err;
	e = label_exact(ip6, l);
	if (!e)
		return -ESRCH;
	list_del(&e->node);
	free(e);
	ip6->addrlabel_seq++;
	return 0;
}

void addrlabel_net_exit(struct net *net)
{
	labels_free(net->ipv6);
}

/* ---- netlink --------------------------------------------------------------------------------------------------------- */

static const struct nla_policy ifal_policy[IFAL_MAX + 1] = {
	[IFAL_ADDRESS] = { .kind = NLA_K_IN6_ADDR, .help = "prefix" },
	[IFAL_LABEL] = { .kind = NLA_K_U32, .help = "label" },
};

static int fill_label(struct nl_msg *m, const struct addrlabel *l, u32 portid, u32 seq, int type,
		      u16 flags, u32 lseq)
{
	struct ifaddrlblmsg *ifal = nlmsg_begin(m, portid, seq, (u16)type, flags, sizeof(*ifal));

	if (!ifal)
		return -EMSGSIZE;
	ifal->ifal_family = AF_INET6;
	ifal->ifal_prefixlen = l->plen;
	ifal->ifal_index = (u32)l->ifindex;
	ifal->ifal_seq = lseq;
	nla_put(m, IFAL_ADDRESS, 16, &l->prefix);
	nla_put_u32(m, IFAL_LABEL, l->label);
	return nlmsg_finish(m);
}

static void mask_prefix(struct in6_addr *a, u8 plen)
{
	for (u32 i = plen; i < 128; i++)
		a->s6_addr[i / 8] &= (u8) ~(0x80 >> i % 8);
}

static int parse_label(struct nl_request *req, struct addrlabel *ret, bool need_label)
{
	const struct ifaddrlblmsg *ifal = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[IFAL_MAX + 1];
	int err = nlmsg_parse(req->nlh, sizeof(*ifal), tb, IFAL_MAX, ifal_policy, req->extack);

	if (err)
		return err;
	if (ifal->ifal_family != AF_INET6 || ifal->ifal_prefixlen > 128 || !tb[IFAL_ADDRESS] ||
	    (need_label && !tb[IFAL_LABEL])) {
		nl_set_err_msg(req->extack, "A label needs a prefix of at most 128 bits");
		return -EINVAL;
	}
	*ret = (struct addrlabel){ .plen = ifal->ifal_prefixlen, .ifindex = (int)ifal->ifal_index };
	memcpy(&ret->prefix, nla_data(tb[IFAL_ADDRESS]), 16);
	mask_prefix(&ret->prefix, ret->plen);
	ret->label = tb[IFAL_LABEL] ? nla_get_u32(tb[IFAL_LABEL]) : 0;
	if (need_label && ret->label == IPV6_ADDR_LABEL_DEFAULT)
		return -EINVAL;
	/* RFC 4291 2.5.5.2: behind ::ffff:0:0/96 are IPv4 addresses. */
	if (ret->plen > 96 && ipv6_addr_v4mapped(&ret->prefix)) {
		nl_set_err_msg(req->extack, "IPv4-mapped addresses have one label");
		return -EINVAL;
	}
	if (ret->ifindex && !__dev_get_by_index(req->net, ret->ifindex))
		return -EINVAL;
	return 0;
}

static int addrlabel_new(struct nl_request *req)
{
	struct addrlabel l;
	int err = parse_label(req, &l, true);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = label_add(req->net->ipv6, &l, req->nlh->nlmsg_flags & NLM_F_REPLACE);
	rt6_cache_flush(req->net);
	cpu_unlock(req->net->cpu);
	return err;
}

static int addrlabel_delete(struct nl_request *req)
{
	struct addrlabel l;
	int err = parse_label(req, &l, false);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = label_del(req->net->ipv6, &l);
	rt6_cache_flush(req->net);
	cpu_unlock(req->net->cpu);
	return err;
}

/* Which label @IFAL_ADDRESS has: "ip addrlabel get" does not exist, programs ask. */
static int addrlabel_get(struct nl_request *req)
{
	const struct ifaddrlblmsg *ifal = NLMSG_DATA(req->nlh);
	const struct addrlabel *l;
	struct addrlabel ask;
	int err = parse_label(req, &ask, false);

	if (err)
		return err;
	if (ifal->ifal_prefixlen != 128)
		return -EINVAL;
	cpu_lock(req->net->cpu);
	l = label_find(req->net, &ask.prefix, ask.ifindex);
	err = l ? fill_label(req->reply, l, req->portid, req->nlh->nlmsg_seq, RTM_NEWADDRLABEL, 0,
			     req->net->ipv6->addrlabel_seq)
		: -ESRCH;
	cpu_unlock(req->net->cpu);
	return err;
}

/* args[0]: entries that are out */
static int addrlabel_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct addrlabel *l;
	int more = 0;

	cpu_lock(cb->net->cpu);
	cb->seq = cb->net->ipv6->addrlabel_seq + 1;
	while (!more && (l = label_at(cb->net, (u32)cb->args[0]))) {
		if (fill_label(msg, l, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWADDRLABEL,
			       NLM_F_MULTI, cb->net->ipv6->addrlabel_seq))
			more = 1;
		else
			cb->args[0]++;
	}
	cpu_unlock(cb->net->cpu);
	return more;
}

const struct rtnl_handler addrlabel_rtnl_handlers[] = {
	{ .family = AF_INET6, .type = RTM_NEWADDRLABEL, .doit = addrlabel_new },
	{ .family = AF_INET6, .type = RTM_DELADDRLABEL, .doit = addrlabel_delete },
	{ .family = AF_INET6,
	  .type = RTM_GETADDRLABEL,
	  .doit = addrlabel_get,
	  .dumpit = addrlabel_dump },
};
const u32 nr_addrlabel_rtnl_handlers = ARRAY_SIZE(addrlabel_rtnl_handlers);
