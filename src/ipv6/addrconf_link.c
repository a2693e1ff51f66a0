/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf_link.c - the IPv6 part of link messages (IFLA_AF_SPEC), and RTM_GETNETCONF
 *
 * ip -d link shows addrgenmode, ip link set addrgenmode and ip token set change it: rtnl_link.c asks here through rtnl_af_ops.
 * Context: rtnl held; cpu lock taken here where it is not held already (notices).
 */
#include <errno.h>
#include <string.h>

#include "inet/netconf.h"
#include "ipv6/addrconf_internal.h"

#include <linux/ipv6.h> /* behind netinet/in.h: DEVCONF_* */
#include <linux/snmp.h>

#define SKIP_STATS (1u << 3) /* RTEXT_FILTER_SKIP_STATS */

/* ---- attributes ----------------------------------------------------------------------------------------------------- */

static void fill_conf(struct nl_msg *m, const struct ipv6_devconf *c)
{
	const u64 ms = NSEC_PER_MSEC;
	const s32 v[DEVCONF_MAX] = {
		[DEVCONF_FORWARDING] = c->forwarding,
		[DEVCONF_HOPLIMIT] = (s32)c->hop_limit,
		[DEVCONF_MTU6] = (s32)c->mtu6,
		[DEVCONF_ACCEPT_RA] = c->accept_ra,
		[DEVCONF_ACCEPT_REDIRECTS] = c->accept_redirects,
		[DEVCONF_AUTOCONF] = c->autoconf,
		[DEVCONF_DAD_TRANSMITS] = (s32)c->dad_transmits,
		[DEVCONF_RTR_SOLICITS] = c->rtr_solicits,
		[DEVCONF_RTR_SOLICIT_INTERVAL] = (s32)(c->rtr_solicit_interval / ms),
		[DEVCONF_RTR_SOLICIT_MAX_INTERVAL] = (s32)(c->rtr_solicit_max_interval / ms),
		[DEVCONF_RTR_SOLICIT_DELAY] = (s32)(c->rtr_solicit_delay / ms),
		[DEVCONF_RTR_PROBE_INTERVAL] = (s32)(c->rtr_probe_interval / ms),
		[DEVCONF_USE_TEMPADDR] = c->use_tempaddr,
		[DEVCONF_TEMP_VALID_LFT] = (s32)c->temp_valid_lft,
		[DEVCONF_TEMP_PREFERED_LFT] = (s32)c->temp_prefered_lft,
		[DEVCONF_REGEN_MAX_RETRY] = (s32)c->regen_max_retry,
		[DEVCONF_MAX_DESYNC_FACTOR] = (s32)c->max_desync_factor,
		[DEVCONF_MAX_ADDRESSES] = (s32)c->max_addresses,
		[DEVCONF_FORCE_MLD_VERSION] = c->force_mld_version,
		[DEVCONF_ACCEPT_RA_DEFRTR] = c->accept_ra_defrtr,
		[DEVCONF_ACCEPT_RA_PINFO] = c->accept_ra_pinfo,
		[DEVCONF_ACCEPT_RA_RTR_PREF] = c->accept_ra_rtr_pref,
		[DEVCONF_ACCEPT_RA_RT_INFO_MIN_PLEN] = c->accept_ra_rt_info_min_plen,
		[DEVCONF_ACCEPT_RA_RT_INFO_MAX_PLEN] = c->accept_ra_rt_info_max_plen,
		[DEVCONF_PROXY_NDP] = c->proxy_ndp,
		[DEVCONF_OPTIMISTIC_DAD] = c->optimistic_dad,
		[DEVCONF_USE_OPTIMISTIC] = c->use_optimistic,
		[DEVCONF_ACCEPT_SOURCE_ROUTE] = c->accept_source_route,
		[DEVCONF_DISABLE_IPV6] = c->disable_ipv6,
		[DEVCONF_ACCEPT_DAD] = c->accept_dad,
		[DEVCONF_FORCE_TLLAO] = c->force_tllao,
		[DEVCONF_NDISC_NOTIFY] = c->ndisc_notify,
		[DEVCONF_MLDV1_UNSOLICITED_REPORT_INTERVAL] =
			(s32)c->mldv1_unsolicited_report_interval,
		[DEVCONF_MLDV2_UNSOLICITED_REPORT_INTERVAL] =
			(s32)c->mldv2_unsolicited_report_interval,
		[DEVCONF_SUPPRESS_FRAG_NDISC] = c->suppress_frag_ndisc,
		[DEVCONF_ACCEPT_RA_FROM_LOCAL] = c->accept_ra_from_local,
		[DEVCONF_ACCEPT_RA_MTU] = c->accept_ra_mtu,
		[DEVCONF_USE_OIF_ADDRS_ONLY] = c->use_oif_addrs_only,
		[DEVCONF_ACCEPT_RA_MIN_HOP_LIMIT] = (s32)c->accept_ra_min_hop_limit,
		[DEVCONF_ACCEPT_RA_MIN_LFT] = (s32)c->accept_ra_min_lft,
		[DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN] = c->ignore_routes_with_linkdown,
		[DEVCONF_DROP_UNICAST_IN_L2_MULTICAST] = c->drop_unicast_in_l2_multicast,
		[DEVCONF_DROP_UNSOLICITED_NA] = c->drop_unsolicited_na,
		[DEVCONF_KEEP_ADDR_ON_DOWN] = c->keep_addr_on_down,
		[DEVCONF_ENHANCED_DAD] = c->enhanced_dad,
		[DEVCONF_ADDR_GEN_MODE] = c->addr_gen_mode,
		[DEVCONF_NDISC_TCLASS] = c->ndisc_tclass,
		[DEVCONF_RA_DEFRTR_METRIC] = (s32)c->ra_defrtr_metric,
		[DEVCONF_NDISC_EVICT_NOCARRIER] = c->ndisc_evict_nocarrier,
		[DEVCONF_ACCEPT_UNTRACKED_NA] = c->accept_untracked_na,
	};

	nla_put(m, IFLA_INET6_CONF, sizeof(v), v);
}

static u32 jitter_free_ms(u64 ns)
{
	return (u32)(ns / NSEC_PER_MSEC);
}

static void fill_cacheinfo(struct nl_msg *m, const struct inet6_dev *idev)
{
	struct ifla_cacheinfo ci = {
		.max_reasm_len = 65535,
		.tstamp = (u32)(idev->tstamp / (10 * NSEC_PER_MSEC)),
		.reachable_time = jitter_free_ms(idev->nd_parms->reachable_time),
		.retrans_time = jitter_free_ms(idev->nd_parms->retrans_time),
	};

	nla_put(m, IFLA_INET6_CACHEINFO, sizeof(ci), &ci);
}

/* Counters are the net's, not the device's: the sizes are what programs look for. */
static void fill_stats(struct nl_msg *m)
{
	u64 ip[__IPSTATS_MIB_MAX] = { __IPSTATS_MIB_MAX },
	    icmp[__ICMP6_MIB_MAX] = { __ICMP6_MIB_MAX };

	nla_put(m, IFLA_INET6_STATS, sizeof(ip), ip);
	nla_put(m, IFLA_INET6_ICMP6STATS, sizeof(icmp), icmp);
}

/* cpu lock held */
static void fill_af(struct nl_msg *m, const struct inet6_dev *idev, u32 ext_mask)
{
	nla_put_u32(m, IFLA_INET6_FLAGS, idev->if_flags);
	fill_cacheinfo(m, idev);
	fill_conf(m, &idev->cnf);
	if (!(ext_mask & SKIP_STATS))
		fill_stats(m);
	nla_put(m, IFLA_INET6_TOKEN, 16, &idev->token);
	nla_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, idev->cnf.addr_gen_mode);
	if (idev->ra_mtu)
		nla_put_u32(m, IFLA_INET6_RA_MTU, idev->ra_mtu);
}

static void inet6_fill_link_af(struct nl_msg *m, struct net_device *dev, u32 ext_mask)
{
	u32 nest;

	cpu_lock(dev->cpu);
	if (__in6_dev_get(dev)) {
		nest = nla_nest_start_noflag(m, AF_INET6);
		fill_af(m, __in6_dev_get(dev), ext_mask);
		nla_nest_end(m, nest);
	}
	cpu_unlock(dev->cpu);
}

static const struct nla_policy af_policy[IFLA_INET6_MAX + 1] = {
	[IFLA_INET6_ADDR_GEN_MODE] = { .kind = NLA_K_U8, .help = "how identifiers are made" },
	[IFLA_INET6_TOKEN] = { .kind = NLA_K_IN6_ADDR, .help = "identifier to use" },
	[IFLA_INET6_RA_MTU] = { .kind = NLA_K_REJECT },
};

/* RFC 8273-like: the identifier of addresses by advertisement. :: takes the token away. */
static int set_token(struct inet6_dev *idev, const struct in6_addr *token,
		     struct netlink_ext_ack *extack)
{
	struct inet6_ifaddr *ifp;

	if (idev->dev->flags & (IFF_LOOPBACK | IFF_NOARP) || !ipv6_accept_ra(idev)) {
		nl_set_err_msg(extack, idev->dev->flags & (IFF_LOOPBACK | IFF_NOARP)
					       ? "Device does not do neighbour discovery"
					       : "Router advertisement is disabled on device");
		return -EINVAL;
	}
	if (!idev->cnf.rtr_solicits) {
		nl_set_err_msg(extack, "Router solicitation is disabled on device");
		return -EINVAL;
	}
	memset(&idev->token, 0, sizeof(idev->token));
	memcpy(&idev->token.s6_addr[8], &token->s6_addr[8], 8);
	/* Those made so far go; the next advertisement brings others. */
	list_for_each_entry(ifp, &idev->addr_list, node)
		if (ifp->proto == IFAPROT_KERNEL_RA && !(ifp->flags & IFA_F_TEMPORARY))
			inet6_ifa_set_lifetime(ifp, 0, 0);
	addrconf_verify(idev);
	if (idev->if_flags & (u32)IF_READY) {
		idev->if_flags &= ~(u32)IF_RA_RCVD;
		addrconf_rs_start(idev);
	}
	return 0;
}

static int set_addr_gen_mode(struct inet6_dev *idev, u8 mode, struct netlink_ext_ack *extack)
{
	bool have_secret = !ipv6_addr_any(&idev->cnf.stable_secret) ||
			   !ipv6_addr_any(&idev->net->ipv6->devconf_default.stable_secret);

	if (mode > IN6_ADDR_GEN_RANDOM || (mode == IN6_ADDR_GEN_STABLE_PRIVACY && !have_secret)) {
		nl_set_err_msg(extack, mode > IN6_ADDR_GEN_RANDOM ? "No such addrgenmode"
								  : "There is no stable_secret");
		return -EINVAL;
	}
	idev->cnf.addr_gen_mode = idev->addr_gen_mode = mode;
	return 0;
}

static int inet6_set_link_af(struct net_device *dev, const struct nlattr *a,
			     struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[IFLA_INET6_MAX + 1];
	struct inet6_dev *idev;
	struct in6_addr token;
	int err = nla_parse_nested(tb, IFLA_INET6_MAX, a, af_policy, extack);

	if (err)
		return err;
	if (!tb[IFLA_INET6_TOKEN] && !tb[IFLA_INET6_ADDR_GEN_MODE])
		return -EINVAL;
	cpu_lock(dev->cpu);
	idev = __in6_dev_get(dev);
	err = idev ? 0 : -EAFNOSUPPORT;
	if (!err && tb[IFLA_INET6_TOKEN]) {
		memcpy(&token, nla_data(tb[IFLA_INET6_TOKEN]), 16);
		err = set_token(idev, &token, extack);
	}
	if (!err && tb[IFLA_INET6_ADDR_GEN_MODE])
		err = set_addr_gen_mode(idev, nla_get_u8(tb[IFLA_INET6_ADDR_GEN_MODE]), extack);
	cpu_unlock(dev->cpu);
	return err;
}

const struct rtnl_af_ops inet6_af_ops = {
	.family = AF_INET6,
	.fill = inet6_fill_link_af,
	.set = inet6_set_link_af,
};

/* ---- RTM_GETLINK of AF_INET6 ------------------------------------------------------------------------------------------ */

/* cpu lock held */
static int fill_ifinfo(struct nl_msg *m, const struct inet6_dev *idev, u32 portid, u32 seq,
		       int event, u16 flags)
{
	struct net_device *dev = idev->dev;
	struct ifinfomsg *ifm = nlmsg_begin(m, portid, seq, (u16)event, flags, sizeof(*ifm));
	u32 nest;

	if (!ifm)
		return -EMSGSIZE;
	ifm->ifi_family = AF_INET6;
	ifm->ifi_type = dev->type;
	ifm->ifi_index = dev->ifindex;
	ifm->ifi_flags = dev_get_flags(dev);
	nla_put_string(m, IFLA_IFNAME, dev->name);
	if (dev->addr_len)
		nla_put(m, IFLA_ADDRESS, dev->addr_len, dev->dev_addr);
	nla_put_u32(m, IFLA_MTU, dev->mtu);
	nla_put_u8(m, IFLA_OPERSTATE, netif_running(dev) ? dev->operstate : 2 /* IF_OPER_DOWN */);
	nest = nla_nest_start_noflag(m, IFLA_PROTINFO); /* ip(8) would not read it otherwise */
	fill_af(m, idev, 0);
	nla_nest_end(m, nest);
	return nlmsg_finish(m);
}

/* args[0]: the ifindex that was dumped last */
static int inet6_dump_ifinfo(struct nl_msg *msg, struct netlink_callback *cb)
{
	struct net_device *dev;
	int more = 0;

	cpu_lock(cb->net->cpu);
	cb->seq = cb->net->core->dev_generation;
	net_for_each_dev(cb->net, dev) {
		if ((u64)dev->ifindex <= cb->args[0] || !__in6_dev_get(dev))
			continue;
		more = fill_ifinfo(msg, __in6_dev_get(dev), cb->portid, cb->nlh->nlmsg_seq,
				   RTM_NEWLINK, NLM_F_MULTI);
		if (more)
			break;
		cb->args[0] = (u64)dev->ifindex;
	}
	cpu_unlock(cb->net->cpu);
	return more ? 1 : 0;
}

void inet6_ifinfo_notify(struct inet6_dev *idev)
{
	struct nl_msg m;

	if (!netlink_has_listeners(idev->net, NETLINK_ROUTE, RTNLGRP_IPV6_IFINFO) ||
	    nl_msg_init(&m, 2048))
		return;
	if (!fill_ifinfo(&m, idev, 0, 0, RTM_NEWLINK, 0))
		nlmsg_notify(idev->net, NETLINK_ROUTE, &m, 0, RTNLGRP_IPV6_IFINFO);
	nl_msg_fini(&m);
}

/* ---- netconf ------------------------------------------------------------------------------------------------------------ */

static const void *netconf_find(struct net *net, int ifindex)
{
	struct net_device *dev;

	if (ifindex == NETCONFA_IFINDEX_ALL)
		return &net->ipv6->devconf_all;
	if (ifindex == NETCONFA_IFINDEX_DEFAULT)
		return &net->ipv6->devconf_default;
	dev = __dev_get_by_index(net, ifindex);
	return dev && __in6_dev_get(dev) ? &__in6_dev_get(dev)->cnf : NULL;
}

static void netconf_fill(struct nl_msg *m, const void *conf, int type)
{
	const struct ipv6_devconf *c = conf;
	const struct {
		u16 type;
		u32 value;
	} rows[] = {
		{ NETCONFA_FORWARDING, c->forwarding },
		{ NETCONFA_MC_FORWARDING, c->mc_forwarding },
		{ NETCONFA_PROXY_NEIGH, c->proxy_ndp },
		{ NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, c->ignore_routes_with_linkdown },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (type == NETCONFA_ALL || type == rows[i].type)
			nla_put_u32(m, rows[i].type, rows[i].value);
}

static const struct netconf_ops inet6_netconf = {
	.family = AF_INET6,
	.group = RTNLGRP_IPV6_NETCONF,
	.find = netconf_find,
	.fill = netconf_fill,
};

void inet6_netconf_notify(struct net *net, int event, int type, int ifindex,
			  const struct ipv6_devconf *cnf)
{
	netconf_notify(net, &inet6_netconf, event, type, ifindex, cnf);
}

static int inet6_netconf_get(struct nl_request *req)
{
	return netconf_get(req, &inet6_netconf);
}

static int inet6_netconf_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	return netconf_dump(msg, cb, &inet6_netconf);
}

const struct rtnl_handler addrconf_link_rtnl_handlers[] = {
	{ .family = AF_INET6, .type = RTM_GETLINK, .dumpit = inet6_dump_ifinfo },
	{ .family = AF_INET6,
	  .type = RTM_GETNETCONF,
	  .doit = inet6_netconf_get,
	  .dumpit = inet6_netconf_dump },
};
const u32 nr_addrconf_link_rtnl_handlers = ARRAY_SIZE(addrconf_link_rtnl_handlers);
