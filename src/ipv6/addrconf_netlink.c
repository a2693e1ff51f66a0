/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf_netlink.c - addresses in rtnetlink messages: RTM_*ADDR, GETANYCAST, NEWPREFIX
 *
 * Context: control (rtnl held, no cpu lock) for requests and dumps: advertisements and timers change addresses without rtnl, so each
 * takes the cpu lock. Notices are sent by whoever changes something, with the cpu lock.
 * See rtnetlink(7), linux/if_addr.h.
 */
#include <errno.h>

#include "ipv6/addrconf_internal.h"
#include "wire/ndisc.h"

/* ---- messages ----------------------------------------------------------------------------------------------------- */

static u32 centiseconds(u64 ns)
{
	return (u32)(ns / (10 * NSEC_PER_MSEC));
}

static u32 lifetime_left(u32 lft, u64 age_s)
{
	if (lft == INFINITY_LIFE)
		return lft;
	return lft > age_s ? (u32)(lft - age_s) : 0;
}

static u8 rt_scope(u8 scope)
{
	switch (scope) {
	case 1:
		return RT_SCOPE_HOST;
	case 2:
		return RT_SCOPE_LINK;
	case 5:
		return RT_SCOPE_SITE;
	default:
		return RT_SCOPE_UNIVERSE;
	}
}

static struct ifaddrmsg *ifm_begin(struct nl_msg *m, u32 portid, u32 seq, int event, u16 flags,
				   const struct net_device *dev, u8 plen, u32 ifa_flags, u8 scope)
{
	struct ifaddrmsg *ifm = nlmsg_begin(m, portid, seq, (u16)event, flags, sizeof(*ifm));

	if (!ifm)
		return NULL;
	ifm->ifa_family = AF_INET6;
	ifm->ifa_prefixlen = plen;
	ifm->ifa_flags = (u8)ifa_flags;
	ifm->ifa_scope = rt_scope(scope);
	ifm->ifa_index = (u32)dev->ifindex;
	return ifm;
}

static int inet6_fill_ifaddr(struct nl_msg *m, const struct inet6_ifaddr *ifp, u32 portid, u32 seq,
			     int event, u16 flags)
{
	u64 age_s = (net_now(ifp->idev->net) - ifp->tstamp) / NSEC_PER_SEC;
	struct ifa_cacheinfo ci = {
		.ifa_prefered = lifetime_left(ifp->prefered_lft, age_s),
		.ifa_valid = lifetime_left(ifp->valid_lft, age_s),
		.cstamp = centiseconds(ifp->cstamp),
		.tstamp = centiseconds(ifp->tstamp),
	};

	if (!ifm_begin(m, portid, seq, event, flags, ifp->idev->dev, ifp->prefix_len, ifp->flags,
		       ifp->scope))
		return -EMSGSIZE;
	if (!ipv6_addr_any(&ifp->peer_addr)) {
		nla_put(m, IFA_LOCAL, 16, &ifp->addr);
		nla_put(m, IFA_ADDRESS, 16, &ifp->peer_addr);
	} else {
		nla_put(m, IFA_ADDRESS, 16, &ifp->addr);
	}
	if (ifp->rt_priority)
		nla_put_u32(m, IFA_RT_PRIORITY, ifp->rt_priority);
	nla_put(m, IFA_CACHEINFO, sizeof(ci), &ci);
	nla_put_u32(m, IFA_FLAGS, ifp->flags);
	if (ifp->proto)
		nla_put_u8(m, IFA_PROTO, ifp->proto);
	return nlmsg_finish(m);
}

void inet6_ifa_notify(int event, const struct inet6_ifaddr *ifp)
{
	struct net *net = ifp->idev->net;
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_IPV6_IFADDR) || nl_msg_init(&m, 512))
		return;
	if (!inet6_fill_ifaddr(&m, ifp, 0, 0, event, 0))
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, RTNLGRP_IPV6_IFADDR);
	nl_msg_fini(&m);
}

void inet6_prefix_notify(struct inet6_dev *idev, const u8 *pinfo)
{
	struct ndisc_prefix_info pi;
	struct prefix_cacheinfo ci;
	struct prefixmsg *pm;
	struct nl_msg m;

	if (!netlink_has_listeners(idev->net, NETLINK_ROUTE, RTNLGRP_IPV6_PREFIX) ||
	    ndisc_parse_prefix_info(pinfo, 32, &pi) || nl_msg_init(&m, 256))
		return;
	pm = nlmsg_begin(&m, 0, 0, RTM_NEWPREFIX, 0, sizeof(*pm));
	if (pm) {
		pm->prefix_family = AF_INET6;
		pm->prefix_ifindex = idev->dev->ifindex;
		pm->prefix_type = pinfo[0];
		pm->prefix_len = pi.plen;
		pm->prefix_flags = (u8)((pi.onlink ? 1 : 0) | (pi.autoconf ? 2 : 0));
		ci = (struct prefix_cacheinfo){ pi.preferred, pi.valid };
		nla_put(&m, PREFIX_ADDRESS, 16, &pi.prefix);
		nla_put(&m, PREFIX_CACHEINFO, sizeof(ci), &ci);
		if (!nlmsg_finish(&m))
			nlmsg_notify(idev->net, NETLINK_ROUTE, &m, 0, RTNLGRP_IPV6_PREFIX);
	}
	nl_msg_fini(&m);
}

/* ---- requests ------------------------------------------------------------------------------------------------------- */

static const struct nla_policy ifa_policy[IFA_MAX + 1] = {
	[IFA_ADDRESS] = { .kind = NLA_K_IN6_ADDR,
			  .help = "the address; with IFA_LOCAL the peer's" },
	[IFA_LOCAL] = { .kind = NLA_K_IN6_ADDR, .help = "own address" },
	[IFA_CACHEINFO] = { .kind = NLA_K_BINARY,
			    .len = sizeof(struct ifa_cacheinfo),
			    .help = "lifetimes" },
	[IFA_FLAGS] = { .kind = NLA_K_U32, .help = "IFA_F_*" },
	[IFA_RT_PRIORITY] = { .kind = NLA_K_U32, .help = "metric of the prefix route" },
	[IFA_PROTO] = { .kind = NLA_K_U8, .help = "who configured it" },
};

/* IFA_F_* that a request may set */
#define IFA_F_SETTABLE                                                                             \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE |            \
	 IFA_F_MCAUTOJOIN | IFA_F_OPTIMISTIC)

static int parse_addresses(const struct nlattr **tb, struct ifa6_config *cfg)
{
	if (tb[IFA_LOCAL])
		memcpy(&cfg->addr, nla_data(tb[IFA_LOCAL]), 16);
	else if (tb[IFA_ADDRESS])
		memcpy(&cfg->addr, nla_data(tb[IFA_ADDRESS]), 16);
	else
		return -EINVAL;
	if (tb[IFA_LOCAL] && tb[IFA_ADDRESS] &&
	    memcmp(nla_data(tb[IFA_LOCAL]), nla_data(tb[IFA_ADDRESS]), 16))
		memcpy(&cfg->peer, nla_data(tb[IFA_ADDRESS]), 16);
	return 0;
}

static int parse_lifetimes(const struct nlattr *a, struct ifa6_config *cfg,
			   struct netlink_ext_ack *extack)
{
	struct ifa_cacheinfo ci;

	cfg->valid = cfg->preferred = INFINITY_LIFE;
	if (!a)
		return 0;
	if (nla_len(a) < (int)sizeof(ci))
		return -EINVAL;
	memcpy(&ci, nla_data(a), sizeof(ci));
	if (!ci.ifa_valid || ci.ifa_prefered > ci.ifa_valid) {
		nl_set_err_msg(extack, "address lifetime invalid");
		return -EINVAL;
	}
	cfg->valid = ci.ifa_valid;
	cfg->preferred = ci.ifa_prefered;
	return 0;
}

static int parse_ifaddr(struct nl_request *req, const struct nlattr **tb, struct ifa6_config *cfg)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(req->nlh);
	int err = nlmsg_parse(req->nlh, sizeof(*ifm), tb, IFA_MAX, ifa_policy, req->extack);

	if (err)
		return err;
	memset(cfg, 0, sizeof(*cfg));
	cfg->requested = true;
	cfg->plen = ifm->ifa_prefixlen;
	cfg->flags = (tb[IFA_FLAGS] ? nla_get_u32(tb[IFA_FLAGS]) : ifm->ifa_flags) & IFA_F_SETTABLE;
	cfg->rt_priority = tb[IFA_RT_PRIORITY] ? nla_get_u32(tb[IFA_RT_PRIORITY]) : 0;
	cfg->proto = tb[IFA_PROTO] ? nla_get_u8(tb[IFA_PROTO]) : 0;
	return parse_addresses(tb, cfg);
}

/* IFA_F_MANAGETEMPADDR: temporary addresses of what no advertisement brought (RFC 8981 for daemons) */
static int check_flags(struct inet6_dev *idev, struct ifa6_config *cfg,
		       struct netlink_ext_ack *extack)
{
	if (cfg->flags & IFA_F_MANAGETEMPADDR &&
	    (cfg->plen != 64 || cfg->flags & IFA_F_TEMPORARY)) {
		nl_set_err_msg(extack,
			       "address with \"mngtmpaddr\" flag must have prefix length 64");
		return -EINVAL;
	}
	if (cfg->flags & IFA_F_OPTIMISTIC && (!idev->cnf.optimistic_dad || idev->cnf.forwarding)) {
		if (cfg->flags & IFA_F_NODAD) {
			nl_set_err_msg(extack, "address flags are mutually exclusive");
			return -EINVAL;
		}
		cfg->flags &= ~(u32)IFA_F_OPTIMISTIC;
	}
	return 0;
}

static int modify_addr(struct inet6_ifaddr *ifp, const struct ifa6_config *cfg)
{
	const u32 changeable =
		IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR;
	bool was_managing = ifp->flags & IFA_F_MANAGETEMPADDR;

	/* The prefix's route only changes its lifetime, unless it is to go or to have another metric. */
	if (cfg->flags & IFA_F_NOPREFIXROUTE || ifp->rt_priority != cfg->rt_priority)
		inet6_ifa_prefix_unroute(ifp);
	ifp->flags = (ifp->flags & ~changeable) | (cfg->flags & changeable);
	ifp->rt_priority = cfg->rt_priority;
	if (cfg->proto)
		ifp->proto = cfg->proto;
	if (!ipv6_addr_equal(&ifp->peer_addr, &cfg->peer)) {
		bool routed = ifp->routed;

		inet6_ifa_unroute(ifp);
		ifp->peer_addr = cfg->peer;
		if (routed)
			inet6_ifa_route(ifp);
	}
	inet6_ifa_set_lifetime(ifp, cfg->valid, cfg->preferred);
	inet6_ifa_prefix_route(ifp);
	if (was_managing || ifp->flags & IFA_F_MANAGETEMPADDR)
		addrconf_manage_tempaddrs(ifp, ifp->flags & IFA_F_MANAGETEMPADDR ? cfg->valid : 0,
					  ifp->flags & IFA_F_MANAGETEMPADDR ? cfg->preferred : 0,
					  !was_managing);
	ifp->idev->net->ipv6->addr_generation++;
	rt6_cache_flush(ifp->idev->net);
	inet6_ifa_notify(RTM_NEWADDR, ifp);
	addrconf_verify(ifp->idev);
	return 0;
}

static struct inet6_dev *request_idev(struct nl_request *req, u32 ifindex, int *ret_err)
{
	struct net_device *dev = __dev_get_by_index(req->net, (int)ifindex);
	struct inet6_dev *idev = dev ? ipv6_find_idev(dev) : NULL;

	*ret_err = dev ? -ENOBUFS : -ENODEV;
	if (!dev)
		nl_set_err_msg(req->extack, "Unable to find the interface");
	else if (!idev)
		nl_set_err_msg(req->extack,
			       "Device %s takes no part in IPv6: its MTU is below 1280", dev->name);
	return idev;
}

static int newaddr_locked(struct nl_request *req, struct ifa6_config *cfg)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(req->nlh);
	struct inet6_ifaddr *ifp;
	struct inet6_dev *idev;
	int err;

	idev = request_idev(req, ifm->ifa_index, &err);
	if (!idev)
		return err;
	err = check_flags(idev, cfg, req->extack);
	if (err)
		return err;
	ifp = ipv6_get_ifaddr(req->net, &cfg->addr, idev->dev, true);
	if (ifp) {
		if (req->nlh->nlmsg_flags & NLM_F_EXCL ||
		    !(req->nlh->nlmsg_flags & NLM_F_REPLACE)) {
			nl_set_err_msg(req->extack, "address already assigned");
			return -EEXIST;
		}
		return modify_addr(ifp, cfg);
	}
	err = inet6_addr_add(idev, cfg, req->extack, &ifp);
	if (!err && cfg->flags & IFA_F_MANAGETEMPADDR)
		addrconf_manage_tempaddrs(ifp, cfg->valid, cfg->preferred, true);
	return err;
}

static int inet6_rtm_newaddr(struct nl_request *req)
{
	const struct nlattr *tb[IFA_MAX + 1];
	struct ifa6_config cfg;
	int err = parse_ifaddr(req, tb, &cfg);

	if (!err)
		err = parse_lifetimes(tb[IFA_CACHEINFO], &cfg, req->extack);
	if (err)
		return err;
	if (cfg.plen > 128) {
		nl_set_err_msg(req->extack, "Invalid prefix length");
		return -EINVAL;
	}
	cpu_lock(req->net->cpu);
	err = newaddr_locked(req, &cfg);
	cpu_unlock(req->net->cpu);
	return err;
}

static int deladdr_locked(struct nl_request *req, const struct ifa6_config *cfg)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(req->nlh);
	struct net_device *dev = __dev_get_by_index(req->net, (int)ifm->ifa_index);
	struct inet6_ifaddr *ifp;

	if (cfg->plen > 128) {
		nl_set_err_msg(req->extack, "Invalid prefix length");
		return -EINVAL;
	}
	if (!dev) {
		nl_set_err_msg(req->extack, "Unable to find the interface");
		return -ENODEV;
	}
	if (!__in6_dev_get(dev)) {
		nl_set_err_msg(req->extack, "IPv6 is disabled on this device");
		return -ENXIO;
	}
	ifp = ipv6_get_ifaddr(req->net, &cfg->addr, dev, true);
	if (!ifp || ifp->prefix_len != cfg->plen) {
		nl_set_err_msg(req->extack, "address not found");
		return -EADDRNOTAVAIL;
	}
	/* Its temporary addresses go with it. */
	if (!(ifp->flags & IFA_F_TEMPORARY) && ifp->flags & IFA_F_MANAGETEMPADDR)
		addrconf_manage_tempaddrs(ifp, 0, 0, false);
	ipv6_del_addr(ifp);
	addrconf_verify(__in6_dev_get(dev));
	return 0;
}

static int inet6_rtm_deladdr(struct nl_request *req)
{
	const struct nlattr *tb[IFA_MAX + 1];
	struct ifa6_config cfg;
	int err = parse_ifaddr(req, tb, &cfg);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = deladdr_locked(req, &cfg);
	cpu_unlock(req->net->cpu);
	return err;
}

static int inet6_rtm_getaddr(struct nl_request *req)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(req->nlh);
	const struct nlattr *tb[IFA_MAX + 1];
	const struct net_device *dev;
	struct inet6_ifaddr *ifp;
	struct ifa6_config cfg;
	int err = parse_ifaddr(req, tb, &cfg);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	dev = ifm->ifa_index ? __dev_get_by_index(req->net, (int)ifm->ifa_index) : NULL;
	ifp = ipv6_get_ifaddr(req->net, &cfg.addr, dev, true);
	err = ifp ? inet6_fill_ifaddr(req->reply, ifp, req->portid, req->nlh->nlmsg_seq,
				      RTM_NEWADDR, 0)
		  : -EADDRNOTAVAIL;
	cpu_unlock(req->net->cpu);
	return err;
}

/* ---- dumps ------------------------------------------------------------------------------------------------------------ */

struct addr_dump {
	struct nl_msg *msg;
	struct netlink_callback *cb;
	u16 flags;
	u64 skip, i; /* entries of the device that are out already; that were seen */
};

/* The entries of one kind of a device, from d->skip on. 0, or -EMSGSIZE: full; d->i is where to go on */
typedef int fill_dev(struct addr_dump *d, const struct inet6_dev *idev);

static int fill_unicast(struct addr_dump *d, const struct inet6_dev *idev)
{
	const struct inet6_ifaddr *ifp;

	list_for_each_entry(ifp, &idev->addr_list, node) {
		if (d->i++ < d->skip)
			continue;
		if (inet6_fill_ifaddr(d->msg, ifp, d->cb->portid, d->cb->nlh->nlmsg_seq,
				      RTM_NEWADDR, d->flags))
			return -EMSGSIZE;
	}
	return 0;
}

static int fill_group(struct addr_dump *d, const struct inet6_dev *idev, int type, int attr,
		      const struct in6_addr *addr, u64 cstamp)
{
	struct ifa_cacheinfo ci = { INFINITY_LIFE, INFINITY_LIFE, centiseconds(cstamp),
				    centiseconds(cstamp) };

	if (!ifm_begin(d->msg, d->cb->portid, d->cb->nlh->nlmsg_seq, type, d->flags, idev->dev, 128,
		       IFA_F_PERMANENT, ipv6_addr_scope(addr)))
		return -EMSGSIZE;
	nla_put(d->msg, (u16)attr, 16, addr);
	nla_put(d->msg, IFA_CACHEINFO, sizeof(ci), &ci);
	return nlmsg_finish(d->msg);
}

static int fill_anycast(struct addr_dump *d, const struct inet6_dev *idev)
{
	const struct ifacaddr6 *aca;

	list_for_each_entry(aca, &idev->ac_list, node) {
		if (d->i++ < d->skip)
			continue;
		if (fill_group(d, idev, RTM_GETANYCAST, IFA_ANYCAST, &aca->addr, aca->cstamp))
			return -EMSGSIZE;
	}
	return 0;
}

/* args[0]: ifindex of the device that is being dumped, args[1]: entries of it that are out already. cpu lock held */
static int dump_locked(struct nl_msg *msg, struct netlink_callback *cb, u32 only, fill_dev *fill)
{
	struct net *net = cb->net;
	struct net_device *dev;

	cb->seq = net->ipv6->addr_generation + net->core->dev_generation;
	net_for_each_dev(net, dev) {
		struct addr_dump d = {
			.msg = msg,
			.cb = cb,
			.flags = (u16)(NLM_F_MULTI | (only ? NLM_F_DUMP_FILTERED : 0)),
			.skip = (u64)dev->ifindex == cb->args[0] ? cb->args[1] : 0,
		};

		if (!__in6_dev_get(dev) || (u64)dev->ifindex < cb->args[0] ||
		    (only && only != (u32)dev->ifindex))
			continue;
		if (fill(&d, __in6_dev_get(dev))) {
			cb->args[0] = (u64)dev->ifindex;
			cb->args[1] = d.i - 1;
			return 1;
		}
	}
	return 0;
}

static int inet6_dump(struct nl_msg *msg, struct netlink_callback *cb, fill_dev *fill)
{
	const struct ifaddrmsg *ifm = NLMSG_DATA(cb->nlh);
	u32 only = 0;
	int more;

	if (cb->strict && cb->nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(*ifm)))
		only = ifm->ifa_index;
	if (only && !__dev_get_by_index(cb->net, (int)only)) {
		nl_set_err_msg(cb->extack, "Device does not exist");
		return -ENODEV;
	}
	cpu_lock(cb->net->cpu);
	more = dump_locked(msg, cb, only, fill);
	cpu_unlock(cb->net->cpu);
	return more;
}

static int inet6_dump_ifaddr(struct nl_msg *msg, struct netlink_callback *cb)
{
	return inet6_dump(msg, cb, fill_unicast);
}

static int inet6_dump_ifacaddr(struct nl_msg *msg, struct netlink_callback *cb)
{
	return inet6_dump(msg, cb, fill_anycast);
}

const struct rtnl_handler addrconf_rtnl_handlers[] = {
	{ .family = AF_INET6, .type = RTM_NEWADDR, .doit = inet6_rtm_newaddr },
	{ .family = AF_INET6, .type = RTM_DELADDR, .doit = inet6_rtm_deladdr },
	{ .family = AF_INET6,
	  .type = RTM_GETADDR,
	  .doit = inet6_rtm_getaddr,
	  .dumpit = inet6_dump_ifaddr },
	{ .family = AF_INET6, .type = RTM_GETANYCAST, .dumpit = inet6_dump_ifacaddr },
};
const u32 nr_addrconf_rtnl_handlers = ARRAY_SIZE(addrconf_rtnl_handlers);
