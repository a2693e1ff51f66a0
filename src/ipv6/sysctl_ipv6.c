/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl_ipv6.c - net.ipv6.*: rows, defaults as Linux's, and what a change sets in motion
 *
 * Per device there are net.ipv6.conf.DEV.* (struct ipv6_devconf) and net.ipv6.neigh.DEV.* (struct neigh_parms), with "default" for
 * devices to come and, for conf, "all". Writing forwarding or disable_ipv6 of "all" writes every device's, as in Linux; written for one
 * device, each concerns only that. A write only changes the value; devconf_changed() then compares what is wanted with what is
 * in effect (inet6_dev.forwarding, .disabled, .addr_gen_mode) and acts on the difference.
 */
#include "core/sysctl.h"

#include <errno.h>

#include "ipv6/addrconf_internal.h"

static void *ipv6_base(struct net *net)
{
	return net->ipv6;
}

static int route_flush(struct net *net, const char *text, size_t len)
{
	(void)text;
	(void)len;
	rt6_exceptions_clear(net);
	rt6_cache_flush(net);
	return 0;
}

/* "0-1,3-127": bits of a set of 256 as ranges. */
static void ratemask_show(struct net *net, struct text *t)
{
	const u32 *mask = net->ipv6->icmpv6_ratemask;
	bool first = true;

	for (u32 i = 0; i < 256; i++) {
		u32 end = i;

		if (!(mask[i / 32] & (1u << i % 32)))
			continue;
		while (end < 255 && mask[(end + 1) / 32] & (1u << (end + 1) % 32))
			end++;
		text_printf(t, "%s%u", first ? "" : ",", i);
		if (end > i)
			text_printf(t, "-%u", end);
		first = false;
		i = end;
	}
	text_append(t, "\n", 1);
}

/* The next number of [*s, end), or -EINVAL. */
static int ratemask_number(const char **s, const char *end)
{
	int n = 0;

	if (*s >= end || **s < '0' || **s > '9')
		return -EINVAL;
	while (*s < end && **s >= '0' && **s <= '9' && n < 256)
		n = n * 10 + *(*s)++ - '0';
	return n < 256 ? n : -EINVAL;
}

static int ratemask_store(struct net *net, const char *s, size_t len)
{
	const char *end = s + len;
	u32 mask[8] = { 0 };

	while (end > s && (end[-1] == '\n' || end[-1] == ' ' || !end[-1]))
		end--;
	while (s < end) {
		int from = ratemask_number(&s, end), to = from;

		if (from >= 0 && s < end && *s == '-') {
			s++;
			to = ratemask_number(&s, end);
		}
		if (from < 0 || to < from || (s < end && *s++ != ','))
			return -EINVAL;
		for (int i = from; i <= to; i++)
			mask[i / 32] |= 1u << i % 32;
	}
	memcpy(net->ipv6->icmpv6_ratemask, mask, sizeof(mask));
	return 0;
}

#define ROW(name, kind, field, def, lo, hi, help)                                                  \
	SYSCTL_ROW("ipv6/" name, kind, struct netns_ipv6, field, def, lo, hi, help)

static const struct sysctl_desc ipv6_rows[] = {
	ROW("anycast_src_echo_reply", SYSCTL_U8, anycast_src_echo_reply, 0, 0, 1,
	    "answers to pings come from the anycast address that was asked"),
	ROW("auto_flowlabels", SYSCTL_U8, auto_flowlabels, 1, 0, 3,
	    "flow labels for packets without one (RFC 6437)"),
	ROW("flowlabel_consistency", SYSCTL_U8, flowlabel_consistency, 1, 0, 1,
	    "labels must be asked for before they are used"),
	ROW("flowlabel_state_ranges", SYSCTL_U8, flowlabel_state_ranges, 0, 0, 1,
	    "labels of the flow manager and made-up ones are of different ranges"),
	ROW("ip_nonlocal_bind", SYSCTL_U8, ip_nonlocal_bind, 0, 0, 1,
	    "sockets may be bound to foreign addresses"),
	ROW("fwmark_reflect", SYSCTL_U8, fwmark_reflect, 0, 0, 255,
	    "answers that belong to no socket carry the mark of what they answer"),
	{ .path = "ipv6/fib_multipath_hash_policy",
	  .kind = SYSCTL_U8,
	  .offset = offsetof(struct netns_ipv6, fib_multipath_hash_policy),
	  .max = 1,
	  .help = "paths are chosen by 0: addresses and flow label, 1: ports and protocol",
	  .changed = fib6_needs_changed },
	ROW("idgen_retries", SYSCTL_U32, idgen_retries, 3, 0, INT32_MAX,
	    "identifiers to try after collisions (RFC 7217 7)"),
	ROW("idgen_delay", SYSCTL_U32, idgen_delay_s, 1, 0, INT32_MAX, "s between two of them"),
	ROW("max_dst_opts_number", SYSCTL_U32, max_dst_opts_cnt, 8, 0, INT32_MAX,
	    "destination options in a packet (RFC 8504 5.3)"),
	ROW("max_hbh_opts_number", SYSCTL_U32, max_hbh_opts_cnt, 8, 0, INT32_MAX,
	    "hop-by-hop options in a packet"),
	ROW("max_dst_opts_length", SYSCTL_U32, max_dst_opts_len, INT32_MAX, 0, INT32_MAX,
	    "octets of a destination options header"),
	ROW("max_hbh_length", SYSCTL_U32, max_hbh_opts_len, INT32_MAX, 0, INT32_MAX,
	    "octets of a hop-by-hop options header"),
	ROW("mld_max_msf", SYSCTL_U32, mld_max_msf, 64, 0, INT32_MAX,
	    "sources that a socket may name for a group"),
	ROW("mld_qrv", SYSCTL_U32, mld_qrv, 2, 1, INT32_MAX,
	    "how often a report is sent, since it may be lost"),
	ROW("ip6frag_high_thresh", SYSCTL_U32, frags.high_thresh, 4 * 1024 * 1024, 0, INT32_MAX,
	    "octets that incomplete packets may take"),
	ROW("ip6frag_low_thresh", SYSCTL_U32, frags.low_thresh, 3 * 1024 * 1024, 0, INT32_MAX,
	    "octets of them that are kept when ip6frag_high_thresh is reached"),
	ROW("ip6frag_time", SYSCTL_NS_AS_S, frags.timeout, 60, 0, INT32_MAX,
	    "s that fragments wait for the others"),
	ROW("icmp/ratelimit", SYSCTL_U32, icmpv6_ratelimit_ms, 100, 0, INT32_MAX,
	    "ms between two ICMPv6 messages to a /64, of types in ratemask; 0: no limit"),
	{ .path = "ipv6/icmp/ratemask",
	  .kind = SYSCTL_FUNC,
	  .show = ratemask_show,
	  .store = ratemask_store,
	  .help = "ICMPv6 types that are limited" },
	ROW("icmp/echo_ignore_all", SYSCTL_U8, icmpv6_echo_ignore_all, 0, 0, 1,
	    "do not answer pings"),
	ROW("icmp/echo_ignore_multicast", SYSCTL_U8, icmpv6_echo_ignore_multicast, 0, 0, 1,
	    "do not answer pings to groups"),
	ROW("icmp/echo_ignore_anycast", SYSCTL_U8, icmpv6_echo_ignore_anycast, 0, 0, 1,
	    "do not answer pings to anycast addresses"),
	ROW("route/gc_interval", SYSCTL_U32, route_gc_interval_s, 30, 1, INT32_MAX,
	    "s between two searches for routes whose lifetime is over"),
	ROW("route/gc_timeout", SYSCTL_U32, route_gc_timeout_s, 60, 0, INT32_MAX,
	    "s an unused exception is kept"),
	ROW("route/gc_thresh", SYSCTL_U32, route_gc_thresh, 1024, 0, INT32_MAX,
	    "exceptions up to which none is looked for"),
	ROW("route/max_size", SYSCTL_U32, route_max_size, INT32_MAX, 0, INT32_MAX, "not used"),
	ROW("route/mtu_expires", SYSCTL_U32, route_mtu_expires_s, 600, 0, INT32_MAX,
	    "s a learnt path MTU is kept"),
	ROW("route/min_adv_mss", SYSCTL_U32, route_min_adv_mss, 1220, 0, 65535,
	    "least MSS that is announced"),
	ROW("route/skip_notify_on_dev_down", SYSCTL_U8, skip_notify_on_dev_down, 0, 0, 1,
	    "no messages about routes that go with their device"),
	{ .path = "ipv6/route/flush",
	  .kind = SYSCTL_FUNC,
	  .store = route_flush,
	  .help = "writing anything forgets what was learnt about destinations" },
};

static const struct sysctl_table ipv6_table = { ipv6_base, ipv6_rows, ARRAY_SIZE(ipv6_rows) };

/* ---- net.ipv6.conf --------------------------------------------------------------------------------------------------- */

static void sync_all(struct net *net)
{
	struct netns_ipv6 *ip6 = net->ipv6;
	struct inet6_dev *idev;

	if (ip6->forwarding != ip6->devconf_all.forwarding) {
		ip6->forwarding = ip6->devconf_all.forwarding != 0;
		ip6->devconf_default.forwarding = ip6->devconf_all.forwarding;
		list_for_each_entry(idev, &ip6->in6_devs, node)
			idev->cnf.forwarding = ip6->forwarding;
		/* RFC 4861 6.2: what this node learnt as a host */
		if (ip6->forwarding)
			rt6_purge_default_routers(net);
		inet6_netconf_notify(net, RTM_NEWNETCONF, NETCONFA_FORWARDING,
				     NETCONFA_IFINDEX_DEFAULT, &ip6->devconf_default);
		inet6_netconf_notify(net, RTM_NEWNETCONF, NETCONFA_FORWARDING, NETCONFA_IFINDEX_ALL,
				     &ip6->devconf_all);
	}
	if (ip6->disabled != ip6->devconf_all.disable_ipv6) {
		ip6->disabled = ip6->devconf_all.disable_ipv6 != 0;
		ip6->devconf_default.disable_ipv6 = ip6->devconf_all.disable_ipv6;
		list_for_each_entry(idev, &ip6->in6_devs, node)
			idev->cnf.disable_ipv6 = ip6->disabled;
	}
}

static void sync_dev(struct inet6_dev *idev)
{
	if (idev->cnf.mtu6 > idev->dev->mtu)
		idev->cnf.mtu6 = idev->dev->mtu;
	addrconf_set_forwarding(idev, idev->cnf.forwarding);
	addrconf_set_disabled(idev, idev->cnf.disable_ipv6);
	if (idev->addr_gen_mode != idev->cnf.addr_gen_mode) {
		idev->addr_gen_mode = idev->cnf.addr_gen_mode;
		if (idev->if_flags & (u32)IF_READY)
			addrconf_gen_linklocal(idev);
	}
}

static void devconf_changed(struct net *net)
{
	struct inet6_dev *idev;

	sync_all(net);
	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		sync_dev(idev);
	rt6_cache_flush(net);
}

/* RFC 7217: with a secret, addresses are made from it. */
static void secret_changed(struct net *net)
{
	struct inet6_dev *idev;

	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		if (idev->cnf.addr_gen_mode == IN6_ADDR_GEN_EUI64 &&
		    !ipv6_addr_any(&idev->cnf.stable_secret))
			idev->cnf.addr_gen_mode = IN6_ADDR_GEN_STABLE_PRIVACY;
	if (!ipv6_addr_any(&net->ipv6->devconf_default.stable_secret))
		net->ipv6->devconf_default.addr_gen_mode = IN6_ADDR_GEN_STABLE_PRIVACY;
	devconf_changed(net);
}

#define CONF_KIND(name, kind_, field, def_, lo, hi, help_)                                         \
	{                                                                                          \
		.path = name, .kind = kind_, .offset = offsetof(struct ipv6_devconf, field),       \
		.def = (def_), .min = (lo), .max = (hi), .help = help_, .changed = devconf_changed \
	}
#define CONF(field, def_, hi, help_) CONF_KIND(#field, SYSCTL_U8, field, def_, 0, hi, help_)
#define CONF_U32(name, field, def_, help_)                                                         \
	CONF_KIND(name, SYSCTL_U32, field, def_, 0, UINT32_MAX, help_)

static const struct sysctl_desc devconf_rows[] = {
	CONF(forwarding, 0, 1, "be a router: forward what arrives here, do not believe routers"),
	CONF_KIND("hop_limit", SYSCTL_U32, hop_limit, 64, 1, 255,
		  "hop limit of packets that are built here"),
	CONF_KIND("mtu", SYSCTL_U32, mtu6, 1280, 1280, UINT32_MAX,
		  "MTU of IPv6 on this link; not more than the device's"),
	CONF(accept_ra, 1, 2, "believe router advertisements; 2: although this is a router"),
	CONF(accept_ra_defrtr, 1, 1, "learn default routers"),
	CONF_U32("ra_defrtr_metric", ra_defrtr_metric, 1024, "metric of their routes"),
	CONF(accept_ra_from_local, 0, 1, "believe advertisements of this node itself"),
	CONF_KIND("accept_ra_min_hop_limit", SYSCTL_U32, accept_ra_min_hop_limit, 1, 0, 256,
		  "hop limits below are not believed"),
	CONF_U32("accept_ra_min_lft", accept_ra_min_lft, 0,
		 "lifetimes below (s), but 0, are not believed"),
	CONF(accept_ra_pinfo, 1, 1, "learn prefixes"),
	CONF(accept_ra_rtr_pref, 1, 1, "learn preferences of routers, and routes (RFC 4191)"),
	CONF(accept_ra_rt_info_min_plen, 0, 128, "shortest prefix of a route that is learnt"),
	CONF(accept_ra_rt_info_max_plen, 0, 128, "longest prefix of a route that is learnt"),
	CONF(accept_ra_mtu, 1, 1, "learn the link's MTU"),
	CONF(accept_redirects, 1, 1, "follow redirects, unless this is a router"),
	CONF(accept_source_route, 0, 255, "follow routing headers of type 2; others never"),
	CONF(autoconf, 1, 1, "make addresses from prefixes (RFC 4862)"),
	CONF_KIND("dad_transmits", SYSCTL_U32, dad_transmits, 1, 0, INT32_MAX,
		  "questions whether an address is free"),
	CONF_KIND("accept_dad", SYSCTL_S32, accept_dad, 1, (u64)-1, 2,
		  "0: no questions; 2: IPv6 is disabled if the MAC address is somebody else's"),
	CONF(enhanced_dad, 1, 1, "questions carry a nonce (RFC 7527)"),
	CONF(optimistic_dad, 0, 1, "use addresses while they are asked for (RFC 4429)"),
	CONF(use_optimistic, 0, 1, "such addresses count as preferred"),
	CONF_KIND("use_tempaddr", SYSCTL_S32, use_tempaddr, 0, (u64)-1, 2,
		  "temporary addresses (RFC 8981): 1: made, 2: preferred"),
	CONF_U32("temp_valid_lft", temp_valid_lft, 604800, "s a temporary address is valid"),
	CONF_U32("temp_prefered_lft", temp_prefered_lft, 86400, "s it is preferred"),
	CONF_U32("regen_max_retry", regen_max_retry, 3, "tries after collisions"),
	CONF_U32("regen_min_advance", regen_min_advance, 2,
		 "s, besides DAD, by which a successor is made earlier"),
	CONF_U32("max_desync_factor", max_desync_factor, 600,
		 "s that preferred lifetimes are shortened at most, at random"),
	CONF_U32("max_addresses", max_addresses, 16,
		 "addresses that advertisements can make; 0: any number"),
	CONF_KIND("router_solicitations", SYSCTL_S32, rtr_solicits, (u64)-1, (u64)-1, INT32_MAX,
		  "questions for routers; -1: until one answers"),
	CONF_KIND("router_solicitation_interval", SYSCTL_NS_AS_S, rtr_solicit_interval, 4, 0,
		  INT32_MAX, "s between the first two, then twice as long each time (RFC 7559)"),
	CONF_KIND("router_solicitation_max_interval", SYSCTL_NS_AS_S, rtr_solicit_max_interval,
		  3600, 0, INT32_MAX, "s between two at most"),
	CONF_KIND("router_solicitation_delay", SYSCTL_NS_AS_S, rtr_solicit_delay, 1, 0, INT32_MAX,
		  "s by which the first question is delayed at most, at random"),
	CONF_KIND("router_probe_interval", SYSCTL_NS_AS_S, rtr_probe_interval, 60, 0, INT32_MAX,
		  "not used"),
	CONF_KIND("addr_gen_mode", SYSCTL_U8, addr_gen_mode, 0, 0, 3,
		  "identifiers: 0 of the MAC address, 1 no link-local address, 2 by "
		  "stable_secret (RFC 7217), 3 by a random secret"),
	{ .path = "stable_secret",
	  .kind = SYSCTL_IN6_ADDR,
	  .offset = offsetof(struct ipv6_devconf, stable_secret),
	  .help = "128 bits, written as an address, that identifiers are made from",
	  .changed = secret_changed },
	CONF(disable_ipv6, 0, 1, "take no part in IPv6"),
	CONF(keep_addr_on_down, 0, 1, "permanent addresses stay when the device goes down"),
	CONF(use_oif_addrs_only, 0, 1, "sources are addresses of the outgoing device"),
	CONF(proxy_ndp, 0, 1, "answer for the neighbours of \"ip neigh add proxy\""),
	CONF(ndisc_notify, 0, 1, "announce addresses that are new or moved (RFC 9131)"),
	CONF(ndisc_tclass, 0, 255, "traffic class of neighbour discovery"),
	CONF(ndisc_evict_nocarrier, 1, 1, "entries go when the carrier does"),
	CONF(force_tllao, 0, 1, "advertisements always carry the link-layer address"),
	CONF(suppress_frag_ndisc, 1, 1, "no neighbour discovery in fragments (RFC 6980)"),
	CONF(drop_unsolicited_na, 0, 1, "ignore advertisements that nobody asked for"),
	CONF(accept_untracked_na, 0, 2,
	     "such advertisements create entries: 1 any, 2 of our prefixes (RFC 9131)"),
	CONF(drop_unicast_in_l2_multicast, 0, 1, "drop unicast packets in link-layer multicasts"),
	CONF(ignore_routes_with_linkdown, 0, 1, "routes over a device without carrier are skipped"),
	CONF(force_mld_version, 0, 2, "speak this version of MLD; 0: what the routers speak"),
	CONF_U32("mldv1_unsolicited_report_interval", mldv1_unsolicited_report_interval, 10000,
		 "ms within which a report of MLDv1 is repeated"),
	CONF_U32("mldv2_unsolicited_report_interval", mldv2_unsolicited_report_interval, 1000,
		 "ms within which a report of MLDv2 is repeated"),
	CONF(mc_forwarding, 0, 0, "set by multicast routing daemons"),
};

static void *devconf_default_base(struct net *net)
{
	return &net->ipv6->devconf_default;
}

static const struct sysctl_table devconf_table = { devconf_default_base, devconf_rows,
						   ARRAY_SIZE(devconf_rows) };

void ipv6_devconf_defaults(struct net *net)
{
	struct netns_ipv6 *ip6 = net->ipv6;

	sysctl_set_defaults(&devconf_table, &ip6->devconf_default);
	ip6->devconf_all = ip6->devconf_default;
	ip6->devconf_all.accept_dad = 0;
}

static void *devconf_base(struct net *net, const char *name)
{
	struct net_device *dev;

	if (!strcmp(name, "all"))
		return &net->ipv6->devconf_all;
	if (!strcmp(name, "default"))
		return &net->ipv6->devconf_default;
	dev = __dev_get_by_name(net, name);
	return dev && dev->ip6_ptr ? &dev->ip6_ptr->cnf : NULL;
}

static void dev_names(struct net *net, struct text *t)
{
	struct net_device *dev;

	net_for_each_dev(net, dev)
		if (dev->ip6_ptr)
			text_printf(t, "%s\n", dev->name);
}

static void devconf_list(struct net *net, struct text *t)
{
	text_printf(t, "all\ndefault\n");
	dev_names(net, t);
}

static const struct sysctl_dir devconf_dir = {
	"ipv6/conf", devconf_base, devconf_list, devconf_rows, ARRAY_SIZE(devconf_rows),
};

/* ------------------------------------------------------------------------------------------------------------------------- */

static int ipv6_sysctl_net_init(struct net *net)
{
	static const u32 ratemask[8] = { 0xfffffffb, ~0u, ~0u, ~0u }; /* errors but "too big" */

	sysctl_set_defaults(&ipv6_table, net->ipv6);
	memcpy(net->ipv6->icmpv6_ratemask, ratemask, sizeof(ratemask));
	return 0;
}

static int ipv6_sysctl_machine_init(struct machine *m)
{
	int err = sysctl_register(m, &ipv6_table);

	return err ? err : sysctl_register_dir(m, &devconf_dir);
}

const struct ipv6_part ipv6_sysctl_part = {
	.name = "sysctl",
	.machine_init = ipv6_sysctl_machine_init,
	.net_init = ipv6_sysctl_net_init,
};
