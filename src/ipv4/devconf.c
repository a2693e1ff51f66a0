/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devconf.c - net.ipv4.conf.* through netlink: IFLA_INET_CONF of link messages, RTM_GETNETCONF (ip netconf) and its notifications
 *
 * A setting is a row of the sysctl table; here it has a number (linux/ip.h) and, a few, an attribute of netconf messages. What the
 * listeners of RTNLGRP_IPV4_NETCONF were told last is kept with each device, so that whoever changes a setting only
 * calls inet_netconf_changed().
 * See rtnetlink(7).
 */
#include <errno.h>
#include <linux/ip.h>

#include "core/sysctl.h"
#include "inet/netconf.h"
#include "ipv4/ipv4_internal.h"

/* ---- settings by number --------------------------------------------------------------------------------- */

static const char *const conf_names[IPV4_DEVCONF_MAX + 1] = {
	[IPV4_DEVCONF_FORWARDING] = "forwarding",
	[IPV4_DEVCONF_MC_FORWARDING] = "mc_forwarding",
	[IPV4_DEVCONF_PROXY_ARP] = "proxy_arp",
	[IPV4_DEVCONF_ACCEPT_REDIRECTS] = "accept_redirects",
	[IPV4_DEVCONF_SECURE_REDIRECTS] = "secure_redirects",
	[IPV4_DEVCONF_SEND_REDIRECTS] = "send_redirects",
	[IPV4_DEVCONF_SHARED_MEDIA] = "shared_media",
	[IPV4_DEVCONF_RP_FILTER] = "rp_filter",
	[IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE] = "accept_source_route",
	[IPV4_DEVCONF_BOOTP_RELAY] = "bootp_relay",
	[IPV4_DEVCONF_LOG_MARTIANS] = "log_martians",
	[IPV4_DEVCONF_TAG] = "tag",
	[IPV4_DEVCONF_ARPFILTER] = "arp_filter",
	[IPV4_DEVCONF_MEDIUM_ID] = "medium_id",
	[IPV4_DEVCONF_NOXFRM] = "disable_xfrm",
	[IPV4_DEVCONF_NOPOLICY] = "disable_policy",
	[IPV4_DEVCONF_FORCE_IGMP_VERSION] = "force_igmp_version",
	[IPV4_DEVCONF_ARP_ANNOUNCE] = "arp_announce",
	[IPV4_DEVCONF_ARP_IGNORE] = "arp_ignore",
	[IPV4_DEVCONF_PROMOTE_SECONDARIES] = "promote_secondaries",
	[IPV4_DEVCONF_ARP_ACCEPT] = "arp_accept",
	[IPV4_DEVCONF_ARP_NOTIFY] = "arp_notify",
	[IPV4_DEVCONF_ACCEPT_LOCAL] = "accept_local",
	[IPV4_DEVCONF_SRC_VMARK] = "src_valid_mark",
	[IPV4_DEVCONF_PROXY_ARP_PVLAN] = "proxy_arp_pvlan",
	[IPV4_DEVCONF_ROUTE_LOCALNET] = "route_localnet",
	[IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL] = "igmpv2_unsolicited_report_interval",
	[IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL] = "igmpv3_unsolicited_report_interval",
	[IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN] = "ignore_routes_with_linkdown",
	[IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST] = "drop_unicast_in_l2_multicast",
	[IPV4_DEVCONF_DROP_GRATUITOUS_ARP] = "drop_gratuitous_arp",
	[IPV4_DEVCONF_BC_FORWARDING] = "bc_forwarding",
	[IPV4_DEVCONF_ARP_EVICT_NOCARRIER] = "arp_evict_nocarrier",
};

static const struct sysctl_desc *conf_row(u32 id)
{
	return id <= IPV4_DEVCONF_MAX && conf_names[id] ? ipv4_devconf_row(conf_names[id]) : NULL;
}

static u32 conf_get(const struct in_device *in_dev, u32 id)
{
	const struct sysctl_desc *row = conf_row(id);
	const void *field = row ? (const char *)in_dev + row->offset : NULL;

	if (!row)
		return 0;
	switch (row->kind) {
	case SYSCTL_U8:
		return *(const u8 *)field;
	case SYSCTL_NS_AS_MS:
		return (u32)(*(const u64 *)field / NSEC_PER_MSEC);
	default:
		return *(const u32 *)field;
	}
}

static void conf_set(struct in_device *in_dev, const struct sysctl_desc *row, u32 v)
{
	void *field = (char *)in_dev + row->offset;

	switch (row->kind) {
	case SYSCTL_U8:
		*(u8 *)field = (u8)v;
		break;
	case SYSCTL_NS_AS_MS:
		*(u64 *)field = v * NSEC_PER_MSEC;
		break;
	default:
		*(u32 *)field = v;
	}
}

/* ---- IFLA_AF_SPEC --------------------------------------------------------------------------------------- */

static void inet_fill_link_af(struct nl_msg *m, struct net_device *dev, u32 ext_mask)
{
	u32 values[IPV4_DEVCONF_MAX], nest;
	const struct in_device *in_dev;

	cpu_lock(dev->net->cpu);
	in_dev = in_dev_get(dev);
	for (u32 i = 0; in_dev && i < IPV4_DEVCONF_MAX; i++)
		values[i] = conf_get(in_dev, i + 1);
	cpu_unlock(dev->net->cpu);
	if (!in_dev)
		return;
	nest = nla_nest_start_noflag(m, AF_INET);
	nla_put(m, IFLA_INET_CONF, sizeof(values), values);
	nla_nest_end(m, nest);
}

/* One setting. @apply false: only checks it. */
static int set_one(struct in_device *in_dev, const struct nlattr *a, bool apply,
		   struct netlink_ext_ack *extack)
{
	const struct sysctl_desc *row = conf_row((u32)nla_type(a));
	u64 v;

	if (!row || nla_len(a) < 4) {
		nl_set_bad_attr(extack, a);
		nl_set_err_msg(extack, "IFLA_INET_CONF has no setting of this number, or no value");
		return -EINVAL;
	}
	v = row->kind == SYSCTL_S32 ? (u64)(s64)(s32)nla_get_u32(a) : nla_get_u32(a);
	if ((s64)v < (s64)row->min || (s64)v > (s64)row->max) {
		nl_set_bad_attr(extack, a);
		nl_set_err_msg(extack, "net.ipv4.conf.*.%s takes no such value", row->path);
		return -EINVAL;
	}
	if (apply)
		conf_set(in_dev, row, (u32)v);
	return 0;
}

static int inet_set_link_af(struct net_device *dev, const struct nlattr *a,
			    struct netlink_ext_ack *extack)
{
	struct in_device *in_dev;
	const struct nlattr *conf, *one;
	int rem, rem2, err = 0;

	cpu_lock(dev->net->cpu);
	in_dev = in_dev_get(dev);
	if (!in_dev)
		err = -EAFNOSUPPORT;
	/* All or nothing. */
	for (int apply = 0; apply <= 1 && !err; apply++) {
		nla_for_each(conf, nla_data(a), nla_len(a), rem) {
			if (nla_type(conf) != IFLA_INET_CONF)
				continue;
			nla_for_each(one, nla_data(conf), nla_len(conf), rem2) {
				if (!err)
					err = set_one(in_dev, one, apply, extack);
			}
		}
	}
	if (!err) {
		inet_netconf_changed(dev->net);
		rt_cache_flush(dev->net);
	}
	cpu_unlock(dev->net->cpu);
	return err;
}

static const struct rtnl_af_ops inet_link_af_ops = {
	.family = AF_INET,
	.fill = inet_fill_link_af,
	.set = inet_set_link_af,
};

/* ---- netconf -------------------------------------------------------------------------------------------- */

static const struct {
	u16 type;
	u8 id;
	bool quiet; /* shown, but nobody is told of a change: as in Linux */
} netconf_rows[NR_INET_NETCONF] = {
	{ NETCONFA_FORWARDING, IPV4_DEVCONF_FORWARDING },
	{ NETCONFA_RP_FILTER, IPV4_DEVCONF_RP_FILTER },
	{ NETCONFA_MC_FORWARDING, IPV4_DEVCONF_MC_FORWARDING },
	{ NETCONFA_BC_FORWARDING, IPV4_DEVCONF_BC_FORWARDING, true },
	{ NETCONFA_PROXY_NEIGH, IPV4_DEVCONF_PROXY_ARP },
	{ NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN },
};

static const void *netconf_find(struct net *net, int ifindex)
{
	struct net_device *dev;

	if (ifindex == NETCONFA_IFINDEX_ALL)
		return net->ipv4->conf_all;
	if (ifindex == NETCONFA_IFINDEX_DEFAULT)
		return net->ipv4->conf_default;
	dev = __dev_get_by_index(net, ifindex);
	return dev ? in_dev_get(dev) : NULL;
}

static void netconf_fill(struct nl_msg *m, const void *conf, int type)
{
	for (u32 i = 0; i < ARRAY_SIZE(netconf_rows); i++)
		if (type == NETCONFA_ALL || type == netconf_rows[i].type)
			nla_put_u32(m, netconf_rows[i].type, conf_get(conf, netconf_rows[i].id));
}

static const struct netconf_ops inet_netconf = {
	.family = AF_INET,
	.group = RTNLGRP_IPV4_NETCONF,
	.find = netconf_find,
	.fill = netconf_fill,
};

static int netconf_index(const struct in_device *in_dev)
{
	const struct netns_ipv4 *ipv4 = in_dev->net->ipv4;

	return in_dev == ipv4->conf_all       ? NETCONFA_IFINDEX_ALL
	       : in_dev == ipv4->conf_default ? NETCONFA_IFINDEX_DEFAULT
					      : in_dev->dev->ifindex;
}

static void tell(const struct in_device *in_dev, int type)
{
	netconf_notify(in_dev->net, &inet_netconf, RTM_NEWNETCONF, type, netconf_index(in_dev),
		       in_dev);
}

static void netconf_check(struct in_device *in_dev)
{
	for (u32 i = 0; i < ARRAY_SIZE(netconf_rows); i++) {
		u8 now = (u8)conf_get(in_dev, netconf_rows[i].id);

		if (in_dev->netconf_told[i] == now || netconf_rows[i].quiet)
			continue;
		in_dev->netconf_told[i] = now;
		tell(in_dev, netconf_rows[i].type);
	}
}

void inet_netconf_changed(struct net *net)
{
	struct in_device *in_dev;

	netconf_check(net->ipv4->conf_all);
	netconf_check(net->ipv4->conf_default);
	list_for_each_entry(in_dev, &net->ipv4->in_devs, node)
		netconf_check(in_dev);
}

void inet_netconf_new(struct in_device *in_dev)
{
	for (u32 i = 0; i < ARRAY_SIZE(netconf_rows); i++)
		in_dev->netconf_told[i] = (u8)conf_get(in_dev, netconf_rows[i].id);
	if (in_dev->dev)
		tell(in_dev, NETCONFA_ALL);
}

void inet_netconf_gone(struct in_device *in_dev)
{
	netconf_notify(in_dev->net, &inet_netconf, RTM_DELNETCONF, 0, netconf_index(in_dev), NULL);
}

static int inet_netconf_get(struct nl_request *req)
{
	return netconf_get(req, &inet_netconf);
}

static int inet_netconf_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	return netconf_dump(msg, cb, &inet_netconf);
}

int inet_devconf_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_INET, RTM_GETNETCONF, inet_netconf_get, inet_netconf_dump },
	};
	int err = rtnl_af_register(m, &inet_link_af_ops);

	return err ? err : rtnl_register(m, handlers, ARRAY_SIZE(handlers));
}
