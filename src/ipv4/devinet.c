/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devinet.c - the IPv4 side of a device: addresses and per-device settings
 *
 * Theory of operation
 *   Each device of at least 68 octets MTU (RFC 791 3.2) has an in_device with a list of addresses. The first address of a network on a
 *   device is primary, further ones of the same network are secondary: they follow in the list and have no network route
 *   of their own. Deleting a primary deletes its secondaries, or promotes the first of them (promote_secondaries).
 *   What an address means for routing is done by fib_add_ifaddr() and fib_del_ifaddr().
 *
 *   Addresses may have lifetimes (RFC 2131 leases; values as RFC 4862 5.5.4 has them): one timer per net deprecates and removes
 *   them. Removing needs rtnl, which a softirq must not wait for: the timer tries the lock and comes back soon if it is taken. The
 *   same timer makes up for routes of addresses that memory was lacking for (routes_missing).
 * Locking: changes need rtnl and the cpu lock; the rtnetlink handlers and the device events here take the latter.
 */
#include "ipv4/ipv4_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "ipv4/igmp.h"
#include "socket/socket.h"

#define IPV4_MIN_MTU      68
#define LIFETIME_FOREVER  0xffffffffu
#define LIFETIME_RETRY_NS (50 * NSEC_PER_MSEC)

static be32 prefix_mask(u8 plen)
{
	return cpu_to_be32(fib_mask(plen));
}

static bool ifa_same_net(be32 addr, const struct in_ifaddr *ifa)
{
	return ((addr.v ^ ifa->address.v) & ifa->mask.v) == 0;
}

/* ---- questions -------------------------------------------------------------------------------------------- */

struct in_ifaddr *inet_find_ifa(const struct in_device *in_dev, be32 local)
{
	struct in_ifaddr *ifa;

	list_for_each_entry(ifa, &in_dev->ifa_list, node)
		if (be32_eq(ifa->local, local))
			return ifa;
	return NULL;
}

struct net_device *ip_dev_find(struct net *net, be32 addr)
{
	struct flowi4 fl = { .daddr = addr };
	struct in_device *in_dev;
	struct fib_result res;

	list_for_each_entry(in_dev, &net->ipv4->in_devs, node)
		if (inet_find_ifa(in_dev, addr))
			return in_dev->dev;
	/* Whole networks may be local: 127.0.0.0/8. */
	if (net->ipv4->fib_local && fib_table_lookup(net, net->ipv4->fib_local, &fl, &res) == 0 &&
	    res.type == RTN_LOCAL)
		return fib_result_nh(&res)->dev;
	return NULL;
}

bool inet_addr_onlink(const struct in_device *in_dev, be32 a, be32 b)
{
	struct in_ifaddr *ifa;

	list_for_each_entry(ifa, &in_dev->ifa_list, node)
		if (ifa_same_net(a, ifa) && (be32_zero(b) || ifa_same_net(b, ifa)))
			return true;
	return false;
}

be32 inet_select_addr(const struct net_device *dev, be32 dst, u8 scope)
{
	struct in_device *in_dev = in_dev_get(dev), *other;
	struct in_ifaddr *ifa;
	be32 addr = { 0 };

	if (!in_dev)
		return addr;
	list_for_each_entry(ifa, &in_dev->ifa_list, node) {
		if ((ifa->flags & IFA_F_SECONDARY) || ifa->scope > scope)
			continue;
		if (be32_zero(dst) || ifa_same_net(dst, ifa))
			return ifa->local;
		if (be32_zero(addr))
			addr = ifa->local;
	}
	if (!be32_zero(addr))
		return addr;

	/* An unnumbered device borrows from the others, but nothing that is only valid on their link. */
	list_for_each_entry(other, &in_dev->net->ipv4->in_devs, node) {
		list_for_each_entry(ifa, &other->ifa_list, node) {
			if (!(ifa->flags & IFA_F_SECONDARY) && ifa->scope != RT_SCOPE_LINK &&
			    ifa->scope <= scope)
				return ifa->local;
		}
	}
	return addr;
}

/* ---- messages --------------------------------------------------------------------------------------------- */

static u32 lifetime_left(u32 lft, u64 age_s)
{
	if (lft == LIFETIME_FOREVER)
		return lft;
	return lft > age_s ? (u32)(lft - age_s) : 0;
}

static u32 centiseconds(u64 ns)
{
	return (u32)(ns / (10 * NSEC_PER_MSEC));
}

static int inet_fill_ifaddr(struct nl_msg *m, const struct in_ifaddr *ifa, u32 portid, u32 seq,
			    int event, u16 flags)
{
	const struct net *net = ifa->dev->net;
	u64 age_s = (net_now(net) - ifa->tstamp) / NSEC_PER_SEC;
	struct ifaddrmsg *ifm = nlmsg_begin(m, portid, seq, (u16)event, flags, sizeof(*ifm));
	struct ifa_cacheinfo ci = { LIFETIME_FOREVER, LIFETIME_FOREVER, centiseconds(ifa->cstamp),
				    centiseconds(ifa->tstamp) };

	if (!ifm)
		return -EMSGSIZE;
	ifm->ifa_family = AF_INET;
	ifm->ifa_prefixlen = ifa->prefixlen;
	ifm->ifa_flags = (u8)ifa->flags;
	ifm->ifa_scope = ifa->scope;
	ifm->ifa_index = (u32)ifa->dev->dev->ifindex;
	if (!(ifa->flags & IFA_F_PERMANENT)) {
		ci.ifa_prefered = lifetime_left(ifa->preferred_lft, age_s);
		ci.ifa_valid = lifetime_left(ifa->valid_lft, age_s);
	}
	if (!be32_zero(ifa->address))
		nla_put_in_addr(m, IFA_ADDRESS, ifa->address);
	if (!be32_zero(ifa->local))
		nla_put_in_addr(m, IFA_LOCAL, ifa->local);
	if (!be32_zero(ifa->broadcast))
		nla_put_in_addr(m, IFA_BROADCAST, ifa->broadcast);
	if (ifa->label[0])
		nla_put_string(m, IFA_LABEL, ifa->label);
	if (ifa->proto)
		nla_put_u8(m, IFA_PROTO, ifa->proto);
	nla_put_u32(m, IFA_FLAGS, ifa->flags);
	if (ifa->rt_priority)
		nla_put_u32(m, IFA_RT_PRIORITY, ifa->rt_priority);
	nla_put(m, IFA_CACHEINFO, sizeof(ci), &ci);
	return nlmsg_finish(m);
}

static void rtmsg_ifa(int event, const struct in_ifaddr *ifa, const struct nl_request *req)
{
	struct net *net = ifa->dev->net;
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_IPV4_IFADDR))
		return;
	if (nl_msg_init(&m, 512))
		return;
	if (inet_fill_ifaddr(&m, ifa, req ? req->portid : 0, req ? req->nlh->nlmsg_seq : 0, event,
			     0) == 0)
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, RTNLGRP_IPV4_IFADDR);
	nl_msg_fini(&m);
}

/* ---- change ----------------------------------------------------------------------------------------------- */

static void lifetime_timer_arm(struct net *net, u64 when)
{
	struct timer_list *t = &net->ipv4->addr_lifetime_timer;

	if (!timer_pending(t) || t->expires > when)
		mod_timer(net->cpu, t, when);
}

void inet_routes_missing(struct in_device *in_dev)
{
	struct net *net = in_dev->net;

	in_dev->routes_missing = true;
	lifetime_timer_arm(net, net_now(net) + LIFETIME_RETRY_NS);
}

static void ifa_set_lifetime(struct in_ifaddr *ifa, u32 valid, u32 preferred)
{
	struct net *net = ifa->dev->net;
	u64 now = net_now(net);

	ifa->flags &= ~(u32)(IFA_F_PERMANENT | IFA_F_DEPRECATED);
	ifa->valid_lft = valid;
	ifa->preferred_lft = preferred;
	ifa->tstamp = now;
	if (!ifa->cstamp)
		ifa->cstamp = now;
	if (valid == LIFETIME_FOREVER)
		ifa->flags |= IFA_F_PERMANENT;
	if (preferred == 0)
		ifa->flags |= IFA_F_DEPRECATED;
	if (valid != LIFETIME_FOREVER || (preferred && preferred != LIFETIME_FOREVER))
		lifetime_timer_arm(net,
				   now + min(valid, preferred ? preferred : valid) * NSEC_PER_SEC);
}

/* Takes over @ifa: in the list, or freed on failure. */
static int inet_insert_ifa(struct in_ifaddr *ifa, const struct nl_request *req)
{
	struct in_device *in_dev = ifa->dev;
	struct netlink_ext_ack *extack = req ? req->extack : NULL;
	struct list_head *last_primary = &in_dev->ifa_list;
	struct in_ifaddr *other;

	if (be32_zero(ifa->local)) {
		free(ifa);
		return 0;
	}
	ifa->flags &= ~(u32)IFA_F_SECONDARY;
	list_for_each_entry(other, &in_dev->ifa_list, node) {
		if (!(other->flags & IFA_F_SECONDARY) && ifa->scope <= other->scope)
			last_primary = &other->node;
		if (!be32_eq(other->mask, ifa->mask) || !ifa_same_net(other->address, ifa))
			continue;
		if (be32_eq(other->local, ifa->local)) {
			nl_set_err_msg(extack, "Address already assigned");
			free(ifa);
			return -EEXIST;
		}
		if (other->scope != ifa->scope) {
			nl_set_err_msg(extack,
				       "Invalid scope: the network has another one on this device");
			free(ifa);
			return -EINVAL;
		}
		ifa->flags |= IFA_F_SECONDARY;
	}
	if (ifa->flags & IFA_F_SECONDARY)
		list_add_tail(&ifa->node, &in_dev->ifa_list);
	else
		list_add(&ifa->node, last_primary);
	in_dev->net->ipv4->fib_generation++;
	fib_add_ifaddr(ifa);
	rtmsg_ifa(RTM_NEWADDR, ifa, req);
	return 0;
}

static void inet_forget_ifa(struct in_ifaddr *ifa, bool primary_stays, const struct nl_request *req)
{
	ifa->dev->net->ipv4->fib_generation++;
	fib_del_ifaddr(ifa, primary_stays);
	rtmsg_ifa(RTM_DELADDR, ifa, req);
	free(ifa);
}

static void inet_promote_ifa(struct in_ifaddr *ifa)
{
	struct in_device *in_dev = ifa->dev;
	struct in_ifaddr *other;
	struct list_head *last_primary = &in_dev->ifa_list;

	list_del(&ifa->node);
	list_for_each_entry(other, &in_dev->ifa_list, node)
		if (!(other->flags & IFA_F_SECONDARY) && ifa->scope <= other->scope)
			last_primary = &other->node;
	list_add(&ifa->node, last_primary);
	ifa->flags &= ~(u32)IFA_F_SECONDARY;
	in_dev->net->ipv4->fib_generation++;
	fib_add_ifaddr(ifa);
	rtmsg_ifa(RTM_NEWADDR, ifa, NULL);
}

static void inet_del_ifa(struct in_ifaddr *ifa, const struct nl_request *req)
{
	struct in_device *in_dev = ifa->dev;
	bool was_primary = !(ifa->flags & IFA_F_SECONDARY);
	bool promote = IN_DEV_ORCONF(in_dev, promote_secondaries);
	struct in_ifaddr *other, *next, *heir = NULL;

	list_del(&ifa->node);
	if (was_primary) {
		list_for_each_entry_safe(other, next, &in_dev->ifa_list, node) {
			if (!(other->flags & IFA_F_SECONDARY) || !be32_eq(other->mask, ifa->mask) ||
			    !ifa_same_net(other->address, ifa))
				continue;
			if (promote) {
				heir = heir ? heir : other;
				continue;
			}
			list_del(&other->node);
			inet_forget_ifa(other, false, NULL);
		}
	}
	inet_forget_ifa(ifa, false, req);
	if (heir)
		inet_promote_ifa(heir);
}

static struct in_ifaddr *inet_alloc_ifa(struct in_device *in_dev)
{
	struct in_ifaddr *ifa = calloc(1, sizeof(*ifa));

	if (!ifa)
		return NULL;
	ifa->dev = in_dev;
	ifa->valid_lft = ifa->preferred_lft = LIFETIME_FOREVER;
	strcpy(ifa->label, in_dev->dev->name);
	return ifa;
}

/* Softirq, cpu lock held. The next address that ends or is deprecated decides when to come back. */
static void lifetime_timer_fn(struct cpu *cpu, struct timer_list *t)
{
	struct netns_ipv4 *ip4 = container_of(t, struct netns_ipv4, addr_lifetime_timer);
	struct in_device *in_dev;
	struct in_ifaddr *ifa, *next;
	u64 now = cpu->now, again = UINT64_MAX;
	struct machine *m = cpu->machine;

	if (pthread_mutex_trylock(&m->rtnl)) {
		mod_timer(cpu, t, now + LIFETIME_RETRY_NS);
		return;
	}
	list_for_each_entry(in_dev, &ip4->in_devs, node) {
		if (unlikely(in_dev->routes_missing)) {
			in_dev->routes_missing = false;
			fib_device_up(in_dev->dev);
			if (in_dev->routes_missing)
				again = now + LIFETIME_RETRY_NS;
		}
restart:
		list_for_each_entry_safe(ifa, next, &in_dev->ifa_list, node) {
			u64 preferred_end = ifa->tstamp + ifa->preferred_lft * NSEC_PER_SEC;
			u64 valid_end = ifa->tstamp + ifa->valid_lft * NSEC_PER_SEC;

			if (ifa->valid_lft != LIFETIME_FOREVER && now >= valid_end) {
				inet_del_ifa(ifa, NULL);
				goto restart; /* secondaries may have gone with it */
			}
			if (ifa->valid_lft != LIFETIME_FOREVER)
				again = min(again, valid_end);
			if (ifa->preferred_lft == LIFETIME_FOREVER ||
			    (ifa->flags & IFA_F_DEPRECATED))
				continue;
			if (now >= preferred_end) {
				ifa->flags |= IFA_F_DEPRECATED;
				rtmsg_ifa(RTM_NEWADDR, ifa, NULL);
			} else {
				again = min(again, preferred_end);
			}
		}
	}
	pthread_mutex_unlock(&m->rtnl);
	if (again != UINT64_MAX)
		mod_timer(cpu, t, again);
}

/* ---- rtnetlink --------------------------------------------------------------------------------------------- */

static const struct nla_policy ifa_policy[IFA_MAX + 1] = {
	[IFA_LOCAL] = { .kind = NLA_K_IN_ADDR, .help = "the address" },
	[IFA_ADDRESS] = { .kind = NLA_K_IN_ADDR,
			  .help = "the peer's address on point-to-point links, else the address" },
	[IFA_BROADCAST] = { .kind = NLA_K_IN_ADDR, .help = "broadcast address" },
	[IFA_LABEL] = { .kind = NLA_K_STRING, .len = IFNAMSIZ - 1, .help = "name for ioctls" },
	[IFA_CACHEINFO] = { .kind = NLA_K_BINARY,
			    .len = sizeof(struct ifa_cacheinfo),
			    .help = "lifetimes" },
	[IFA_FLAGS] = { .kind = NLA_K_U32, .help = "IFA_F_*" },
	[IFA_RT_PRIORITY] = { .kind = NLA_K_U32, .help = "metric of the network route" },
	[IFA_PROTO] = { .kind = NLA_K_U8, .help = "who configured it" },
};

static int ifa_parse_lifetime(const struct nlattr *a, u32 *valid, u32 *preferred,
			      struct netlink_ext_ack *extack)
{
	struct ifa_cacheinfo ci;

	*valid = *preferred = LIFETIME_FOREVER;
	if (!a)
		return 0;
	if (nla_len(a) < (int)sizeof(ci)) {
		nl_set_err_msg(extack, "IFA_CACHEINFO is too short");
		return -EINVAL;
	}
	memcpy(&ci, nla_data(a), sizeof(ci));
	if (!ci.ifa_valid || ci.ifa_prefered > ci.ifa_valid) {
		nl_set_err_msg(extack,
			       "Invalid lifetime: preferred must not exceed valid, valid not be 0");
		return -EINVAL;
	}
	*valid = ci.ifa_valid;
	*preferred = ci.ifa_prefered;
	return 0;
}

static struct in_device *ifm_in_dev(const struct nl_request *req, const struct ifaddrmsg *ifm,
				    int *ret_err)
{
	struct net_device *dev = __dev_get_by_index(req->net, (int)ifm->ifa_index);

	if (!dev) {
		nl_set_err_msg(req->extack, "Unable to find the device");
		*ret_err = -ENODEV;
		return NULL;
	}
	if (!dev->ip_ptr) {
		nl_set_err_msg(req->extack, "Device %s takes no part in IPv4: its MTU is below 68",
			       dev->name);
		*ret_err = -ENOBUFS;
		return NULL;
	}
	return dev->ip_ptr;
}

static struct in_ifaddr *find_matching_ifa(const struct in_ifaddr *like)
{
	struct in_ifaddr *ifa;

	list_for_each_entry(ifa, &like->dev->ifa_list, node)
		if (be32_eq(ifa->mask, like->mask) && ifa_same_net(ifa->address, like) &&
		    be32_eq(ifa->local, like->local))
			return ifa;
	return NULL;
}

static struct in_ifaddr *rtm_to_ifaddr(struct nl_request *req, u32 *valid, u32 *preferred,
				       int *ret_err)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[IFA_MAX + 1];
	struct in_device *in_dev;
	struct in_ifaddr *ifa;

	*ret_err = nlmsg_parse(req->nlh, sizeof(*ifm), tb, IFA_MAX, ifa_policy, req->extack);
	if (*ret_err)
		return NULL;
	*ret_err = -EINVAL;
	if (ifm->ifa_prefixlen > 32) {
		nl_set_err_msg(req->extack, "Invalid prefix length: 0 to 32");
		return NULL;
	}
	if (!tb[IFA_LOCAL]) {
		nl_set_err_msg(req->extack, "The local address is missing");
		return NULL;
	}
	*ret_err = ifa_parse_lifetime(tb[IFA_CACHEINFO], valid, preferred, req->extack);
	if (*ret_err)
		return NULL;
	in_dev = ifm_in_dev(req, ifm, ret_err);
	if (!in_dev)
		return NULL;
	*ret_err = -ENOBUFS;
	ifa = inet_alloc_ifa(in_dev);
	if (!ifa)
		return NULL;
	ifa->prefixlen = ifm->ifa_prefixlen;
	ifa->mask = prefix_mask(ifm->ifa_prefixlen);
	ifa->flags = tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : ifm->ifa_flags;
	ifa->scope = ifm->ifa_scope;
	ifa->local = nla_get_in_addr(tb[IFA_LOCAL]);
	ifa->address = tb[IFA_ADDRESS] ? nla_get_in_addr(tb[IFA_ADDRESS]) : ifa->local;
	if (tb[IFA_BROADCAST])
		ifa->broadcast = nla_get_in_addr(tb[IFA_BROADCAST]);
	if (tb[IFA_LABEL])
		nla_strscpy(ifa->label, tb[IFA_LABEL], sizeof(ifa->label));
	if (tb[IFA_RT_PRIORITY])
		ifa->rt_priority = nla_get_u32(tb[IFA_RT_PRIORITY]);
	if (tb[IFA_PROTO])
		ifa->proto = nla_get_u8(tb[IFA_PROTO]);
	*ret_err = 0;
	return ifa;
}

/* What can change in place: lifetimes, the metric of the network route, flags that concern nobody else. */
static int inet_modify_ifa(struct in_ifaddr *ifa, const struct in_ifaddr *want, u32 valid,
			   u32 preferred, const struct nl_request *req)
{
	const u32 keep = IFA_F_SECONDARY | IFA_F_PERMANENT | IFA_F_DEPRECATED;
	bool reroute = ifa->rt_priority != want->rt_priority ||
		       ((ifa->flags ^ want->flags) & IFA_F_NOPREFIXROUTE);

	if (!(req->nlh->nlmsg_flags & NLM_F_REPLACE) || (req->nlh->nlmsg_flags & NLM_F_EXCL)) {
		nl_set_err_msg(req->extack, "Address already assigned");
		return -EEXIST;
	}
	if (reroute) { /* its place decides which address is chosen as source: it keeps it */
		struct list_head *before = ifa->node.prev;

		list_del(&ifa->node);
		fib_del_ifaddr(ifa, false);
		list_add(&ifa->node, before);
	}
	ifa->rt_priority = want->rt_priority;
	ifa->flags = (ifa->flags & keep) | (want->flags & ~keep);
	ifa->proto = want->proto;
	ifa_set_lifetime(ifa, valid, preferred);
	ifa->dev->net->ipv4->fib_generation++;
	if (reroute)
		fib_add_ifaddr(ifa);
	rtmsg_ifa(RTM_NEWADDR, ifa, req);
	return 0;
}

static int inet_rtm_newaddr(struct nl_request *req)
{
	u32 valid, preferred;
	struct in_ifaddr *ifa, *old;
	int err;

	cpu_lock(req->net->cpu);
	ifa = rtm_to_ifaddr(req, &valid, &preferred, &err);
	if (!ifa)
		goto out;
	old = find_matching_ifa(ifa);
	if (old) {
		err = inet_modify_ifa(old, ifa, valid, preferred, req);
		free(ifa);
		goto out;
	}
	ifa_set_lifetime(ifa, valid, preferred);
	err = inet_insert_ifa(ifa, req);
out:
	cpu_unlock(req->net->cpu);
	return err;
}

static bool ifa_wanted(const struct in_ifaddr *ifa, const struct ifaddrmsg *ifm,
		       const struct nlattr **tb)
{
	if (tb[IFA_LOCAL] && !be32_eq(ifa->local, nla_get_in_addr(tb[IFA_LOCAL])))
		return false;
	if (tb[IFA_LABEL]) {
		char label[IFNAMSIZ];

		nla_strscpy(label, tb[IFA_LABEL], sizeof(label));
		if (strcmp(label, ifa->label))
			return false;
	}
	return !tb[IFA_ADDRESS] || (ifm->ifa_prefixlen == ifa->prefixlen &&
				    ifa_same_net(nla_get_in_addr(tb[IFA_ADDRESS]), ifa));
}

static int inet_rtm_deladdr(struct nl_request *req)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[IFA_MAX + 1];
	struct in_device *in_dev;
	struct in_ifaddr *ifa;
	int err = nlmsg_parse(req->nlh, sizeof(*ifm), tb, IFA_MAX, ifa_policy, req->extack);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	in_dev = ifm_in_dev(req, ifm, &err);
	if (!in_dev)
		goto out;
	err = -EADDRNOTAVAIL;
	list_for_each_entry(ifa, &in_dev->ifa_list, node) {
		if (!ifa_wanted(ifa, ifm, tb))
			continue;
		inet_del_ifa(ifa, req);
		err = 0;
		goto out;
	}
	nl_set_err_msg(req->extack, "Address not found");
out:
	cpu_unlock(req->net->cpu);
	return err;
}

/* args[0]: ifindex of the device that is being dumped, args[1]: addresses of it that are out already. */
static int inet_rtm_dumpaddr(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(cb->nlh);
	struct net *net = cb->net;
	struct net_device *dev;
	u32 only = 0;

	if (cb->strict && cb->nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(*ifm)))
		only = ifm->ifa_index;
	if (only && !__dev_get_by_index(net, (int)only)) {
		nl_set_err_msg(cb->extack, "Device does not exist");
		return -ENODEV;
	}
	cb->seq = net->ipv4->fib_generation + net->core->dev_generation;
	net_for_each_dev(net, dev) {
		struct in_device *in_dev = in_dev_get(dev);
		struct in_ifaddr *ifa;
		u64 skip = (u64)dev->ifindex == cb->args[0] ? cb->args[1] : 0, i = 0;

		if (!in_dev || (u64)dev->ifindex < cb->args[0] ||
		    (only && only != (u32)dev->ifindex))
			continue;
		list_for_each_entry(ifa, &in_dev->ifa_list, node) {
			if (i++ < skip)
				continue;
			if (inet_fill_ifaddr(msg, ifa, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWADDR,
					     NLM_F_MULTI | (only ? NLM_F_DUMP_FILTERED : 0))) {
				cb->args[0] = (u64)dev->ifindex;
				cb->args[1] = i - 1;
				return 1;
			}
		}
	}
	return 0;
}

const struct rtnl_handler devinet_rtnl_handlers[] = {
	{ .family = AF_INET, .type = RTM_NEWADDR, .doit = inet_rtm_newaddr },
	{ .family = AF_INET, .type = RTM_DELADDR, .doit = inet_rtm_deladdr },
	{ .family = AF_INET, .type = RTM_GETADDR, .dumpit = inet_rtm_dumpaddr },
	{ .family = AF_INET, .type = RTM_GETMULTICAST, .dumpit = inet_rtm_dumpmulticast },
};
const u32 nr_devinet_rtnl_handlers = ARRAY_SIZE(devinet_rtnl_handlers);

/* ---- ioctls: netdevice(7) ---------------------------------------------------------------------------------- */

static void ifreq_set(struct ifreq *ifr, be32 addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = addr.v };

	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
}

static int devinet_gifconf(struct net *net, struct ifconf *ifc)
{
	int room = ifc->ifc_len, used = 0;
	struct in_ifaddr *ifa;
	struct net_device *dev;

	net_for_each_dev(net, dev) {
		if (!dev->ip_ptr)
			continue;
		list_for_each_entry(ifa, &dev->ip_ptr->ifa_list, node) {
			struct ifreq ifr = { 0 };

			if (ifc->ifc_buf) {
				if (room - used < (int)sizeof(ifr))
					goto out;
				memcpy(ifr.ifr_name, ifa->label, IFNAMSIZ);
				ifreq_set(&ifr, ifa->local);
				memcpy(ifc->ifc_buf + used, &ifr, sizeof(ifr));
			}
			used += (int)sizeof(ifr);
		}
	}
out:
	ifc->ifc_len = used;
	return 0;
}

int devinet_ioctl(struct net *net, unsigned cmd, void *arg)
{
	struct ifreq *ifr = arg;
	struct sockaddr_in want;
	struct in_ifaddr *ifa, *found = NULL;
	struct net_device *dev;
	char name[IFNAMSIZ];
	char *colon;

	if (cmd == SIOCGIFCONF)
		return devinet_gifconf(net, arg);
	if (cmd != SIOCGIFADDR && cmd != SIOCGIFNETMASK && cmd != SIOCGIFBRDADDR &&
	    cmd != SIOCGIFDSTADDR)
		return -ENOIOCTLCMD;

	ifr->ifr_name[IFNAMSIZ - 1] = '\0';
	strcpy(name, ifr->ifr_name);
	colon = strchr(name, ':');
	if (colon)
		*colon = '\0';
	dev = __dev_get_by_name(net, name);
	if (!dev)
		return -ENODEV;
	if (!dev->ip_ptr)
		return -EADDRNOTAVAIL;
	/* An address that is given with the name picks among addresses of the same label. */
	memcpy(&want, &ifr->ifr_addr, sizeof(want));
	list_for_each_entry(ifa, &dev->ip_ptr->ifa_list, node) {
		if (strcmp(ifa->label, ifr->ifr_name))
			continue;
		if (!found)
			found = ifa;
		if (want.sin_family == AF_INET && want.sin_addr.s_addr == ifa->local.v) {
			found = ifa;
			break;
		}
	}
	if (!found)
		return -EADDRNOTAVAIL;
	switch (cmd) {
	case SIOCGIFADDR:
		ifreq_set(ifr, found->local);
		break;
	case SIOCGIFNETMASK:
		ifreq_set(ifr, found->mask);
		break;
	case SIOCGIFBRDADDR:
		ifreq_set(ifr, found->broadcast);
		break;
	default:
		ifreq_set(ifr, found->address);
		break;
	}
	return 0;
}

/* ---- life -------------------------------------------------------------------------------------------------- */

struct in_device *inetdev_create(struct net_device *dev)
{
	struct netns_ipv4 *ip4 = dev->net->ipv4;
	struct in_device *in_dev = calloc(1, sizeof(*in_dev));

	if (!in_dev)
		return NULL;
	if (ip4->conf_default)
		*in_dev = *ip4->conf_default;
	memset(in_dev->rt_cache, 0, sizeof(in_dev->rt_cache));
	in_dev->dev = dev;
	in_dev->net = dev->net;
	list_init(&in_dev->ifa_list);
	in_dev->arp_parms = neigh_parms_alloc(dev, ip4->arp_tbl);
	if (!in_dev->arp_parms) {
		free(in_dev);
		return NULL;
	}
	ip_mc_init_dev(in_dev);
	dev_hold(dev);
	list_add_tail(&in_dev->node, &ip4->in_devs);
	dev->ip_ptr = in_dev;
	inet_netconf_new(in_dev);
	return in_dev;
}

static void inetdev_destroy(struct in_device *in_dev)
{
	struct net_device *dev = in_dev->dev;
	struct netns_ipv4 *ip4 = in_dev->net->ipv4;

	in_dev->dead = true;
	inet_netconf_gone(in_dev);
	ip_mc_destroy_dev(in_dev);
	while (!list_empty(&in_dev->ifa_list))
		inet_del_ifa(list_first_entry(&in_dev->ifa_list, struct in_ifaddr, node), NULL);
	fib_device_down(dev, true);
	neigh_ifdown(ip4->arp_tbl, dev);
	rt_in_dev_drop_cache(in_dev);
	rt_drop_dev(dev);
	dev->ip_ptr = NULL;
	list_del(&in_dev->node);
	neigh_parms_release(ip4->arp_tbl, in_dev->arp_parms);
	dev_put(dev);
	free(in_dev);
}

/* RFC 1122 3.2.1.3: the loopback network is always there once its device is up. */
static void inet_loopback_up(struct in_device *in_dev)
{
	struct in_ifaddr *ifa;

	if (!(in_dev->dev->flags & IFF_LOOPBACK) || !list_empty(&in_dev->ifa_list))
		return;
	ifa = inet_alloc_ifa(in_dev);
	if (!ifa)
		return;
	ifa->local = ifa->address = BE32_INIT(INADDR_LOOPBACK);
	ifa->prefixlen = 8;
	ifa->mask = prefix_mask(8);
	ifa->scope = RT_SCOPE_HOST;
	ifa->proto = 1; /* IFAPROT_KERNEL_LO of linux/if_addr.h */
	ifa_set_lifetime(ifa, LIFETIME_FOREVER, LIFETIME_FOREVER);
	inet_insert_ifa(ifa, NULL);
}

/* RFC 5227 3: tells the link about our addresses, if arp_notify asks for it. */
static void inet_announce(struct in_device *in_dev)
{
	struct in_ifaddr *ifa;

	if (!IN_DEV_ORCONF(in_dev, arp_notify) || (in_dev->dev->flags & IFF_NOARP))
		return;
	list_for_each_entry(ifa, &in_dev->ifa_list, node)
		arp_send(in_dev->dev, 1, ifa->local, ifa->local, NULL, NULL);
}

static void inet_rename_labels(struct in_device *in_dev)
{
	struct in_ifaddr *ifa;

	list_for_each_entry(ifa, &in_dev->ifa_list, node) {
		char label[2 * IFNAMSIZ];
		const char *colon = strchr(ifa->label, ':');

		snprintf(label, sizeof(label), "%s%s", in_dev->dev->name, colon ? colon : "");
		if (strlen(label) < IFNAMSIZ)
			strcpy(ifa->label, label);
		else
			strcpy(ifa->label, in_dev->dev->name);
		rtmsg_ifa(RTM_NEWADDR, ifa, NULL);
	}
}

/* rtnl held, cpu lock not. */
void devinet_event(struct net_device *dev, enum netdev_event ev, int *ret_err)
{
	struct net *net = dev->net;
	struct in_device *in_dev;

	*ret_err = 0;
	cpu_lock(net->cpu);
	in_dev = in_dev_get(dev);
	if (!in_dev && dev->mtu >= IPV4_MIN_MTU &&
	    (ev == NETDEV_REGISTER || ev == NETDEV_CHANGEMTU)) {
		in_dev = inetdev_create(dev);
		if (!in_dev)
			*ret_err = -ENOMEM;
	}
	if (!in_dev)
		goto out;
	switch (ev) {
	case NETDEV_UP:
		inet_loopback_up(in_dev);
		fib_device_up(dev);
		ip_mc_up(in_dev);
		inet_announce(in_dev);
		break;
	case NETDEV_DOWN:
		ip_mc_down(in_dev);
		fib_device_down(dev, false);
		neigh_ifdown(net->ipv4->arp_tbl, dev);
		break;
	case NETDEV_CHANGEMTU:
		if (dev->mtu < IPV4_MIN_MTU)
			inetdev_destroy(in_dev);
		else
			rt_cache_flush(net);
		break;
	case NETDEV_CHANGEADDR:
		neigh_changeaddr(net->ipv4->arp_tbl, dev);
		rt_cache_flush(net);
		inet_announce(in_dev);
		break;
	case NETDEV_CHANGE:
		if (!netif_carrier_ok(dev) && IN_DEV_ANDCONF(in_dev, arp_evict_nocarrier))
			neigh_carrier_down(net->ipv4->arp_tbl, dev);
		rt_cache_flush(net);
		break;
	case NETDEV_CHANGENAME:
		inet_rename_labels(in_dev);
		break;
	case NETDEV_UNREGISTER:
		fqdir_drop_dev(&net->ipv4->frags, dev);
		inetdev_destroy(in_dev);
		break;
	default:
		break;
	}
out:
	cpu_unlock(net->cpu);
}

int devinet_net_init(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;

	list_init(&ip4->in_devs);
	timer_setup(&ip4->addr_lifetime_timer, lifetime_timer_fn);
	ip4->conf_all = calloc(1, sizeof(*ip4->conf_all));
	ip4->conf_default = calloc(1, sizeof(*ip4->conf_default));
	if (!ip4->conf_all || !ip4->conf_default)
		return -ENOMEM;
	in_device_defaults(ip4->conf_all, true);
	in_device_defaults(ip4->conf_default, false);
	ip4->conf_all->net = ip4->conf_default->net = net;
	return 0;
}

/* cpu lock held; devices have gone, or go without us. */
void devinet_net_exit(struct net *net)
{
	struct netns_ipv4 *ip4 = net->ipv4;

	while (!list_empty(&ip4->in_devs))
		inetdev_destroy(list_first_entry(&ip4->in_devs, struct in_device, node));
	del_timer(&ip4->addr_lifetime_timer);
	free(ip4->conf_all);
	free(ip4->conf_default);
	ip4->conf_all = ip4->conf_default = NULL;
}
