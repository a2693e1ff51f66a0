/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl_ipv4.c - net.ipv4.*: rows of what this folder's code looks at, and of settings that programs expect to find
 *
 * Per device there is net.ipv4.conf.DEV.* (struct in_device), with "default" for devices to come and "all", which combines with the
 * device's by IN_DEV_ORCONF and friends. net.ipv4.neigh: core/neigh_sysctl.c.
 * ip_forward and conf.all.forwarding are one setting: writing it sets every device and the default, as in Linux.
 */
#include "core/sysctl.h"

#include "ipv4/ipv4_internal.h"
#include "ipv4/rt_exception.h"

static void *ipv4_base(struct net *net)
{
	return net->ipv4;
}

void ipv4_set_forwarding(struct net *net, bool on)
{
	struct netns_ipv4 *ip4 = net->ipv4;
	struct in_device *in_dev;

	ip4->ip_forward = on;
	ip4->conf_all->forwarding = ip4->conf_default->forwarding = on;
	list_for_each_entry(in_dev, &ip4->in_devs, node)
		in_dev->forwarding = on;
	inet_netconf_changed(net);
	rt_cache_flush(net);
}

static void ip_forward_changed(struct net *net)
{
	ipv4_set_forwarding(net, net->ipv4->ip_forward);
}

static void devconf_changed(struct net *net)
{
	if (net->ipv4->conf_all->forwarding != net->ipv4->ip_forward)
		ipv4_set_forwarding(net, net->ipv4->conf_all->forwarding);
	inet_netconf_changed(net);
	rt_cache_flush(net);
}

static int route_flush(struct net *net, const char *text, size_t len)
{
	rt_cache_flush(net);
	rt_exc_clear(net);
	return 0;
}

#define ROW(name, kind, field, def, lo, hi, help)                                                  \
	SYSCTL_ROW("ipv4/" name, kind, struct netns_ipv4, field, def, lo, hi, help)

static const struct sysctl_desc ipv4_rows[] = {
	{ .path = "ipv4/ip_forward",
	  .kind = SYSCTL_U8,
	  .offset = offsetof(struct netns_ipv4, ip_forward),
	  .max = 1,
	  .help = "forward packets between devices",
	  .changed = ip_forward_changed },
	ROW("ip_default_ttl", SYSCTL_U8, default_ttl, 64, 1, 255,
	    "TTL of packets that are built here"),
	ROW("ip_forward_update_priority", SYSCTL_U8, ip_forward_update_priority, 1, 0, 1,
	    "forwarded packets are queued by their TOS"),
	ROW("fwmark_reflect", SYSCTL_U8, fwmark_reflect, 0, 0, 255,
	    "answers that belong to no socket carry the mark of what they answer"),
	ROW("raw_l3mdev_accept", SYSCTL_U8, raw_l3mdev_accept, 1, 0, 1,
	    "kept for programs that set it: there are no VRFs"),
	ROW("ip_no_pmtu_disc", SYSCTL_U8, no_pmtu_disc, 0, 0, 3,
	    "do not believe ICMP about the path MTU"),
	ROW("ip_forward_use_pmtu", SYSCTL_U8, ip_forward_use_pmtu, 0, 0, 1,
	    "forwarded packets too respect learnt path MTUs"),
	ROW("icmp_echo_ignore_all", SYSCTL_U8, icmp_echo_ignore_all, 0, 0, 1,
	    "do not answer pings"),
	ROW("icmp_echo_ignore_broadcasts", SYSCTL_U8, icmp_echo_ignore_broadcasts, 1, 0, 1,
	    "do not answer pings to broadcast and multicast addresses"),
	ROW("icmp_ignore_bogus_error_responses", SYSCTL_U8, icmp_ignore_bogus_error_responses, 1, 0,
	    1, "ignore ICMP errors about broadcasts"),
	ROW("icmp_errors_use_inbound_ifaddr", SYSCTL_U8, icmp_errors_use_inbound_ifaddr, 0, 0, 1,
	    "ICMP errors come from the address of the device the packet arrived by"),
	ROW("icmp_ratelimit", SYSCTL_U32, icmp_ratelimit_ms, 1000, 0, 3600000,
	    "ms between two ICMP messages to one host, of types in icmp_ratemask; 0: no limit"),
	ROW("icmp_ratemask", SYSCTL_U32, icmp_ratemask, 6168, 0, UINT32_MAX,
	    "ICMP types that are limited, as bits"),
	ROW("icmp_msgs_per_sec", SYSCTL_U32, icmp_msgs_per_sec, 1000, 0, INT32_MAX,
	    "limited ICMP messages a second to all hosts together"),
	ROW("icmp_msgs_burst", SYSCTL_U32, icmp_msgs_burst, 50, 0, INT32_MAX, "burst of the above"),
	ROW("ipfrag_high_thresh", SYSCTL_U32, frags.high_thresh, 4 * 1024 * 1024, 0, INT32_MAX,
	    "octets that incomplete datagrams may take"),
	ROW("ipfrag_low_thresh", SYSCTL_U32, frags.low_thresh, 3 * 1024 * 1024, 0, INT32_MAX,
	    "octets of them that are kept when ipfrag_high_thresh is reached"),
	ROW("ipfrag_time", SYSCTL_NS_AS_S, frags.timeout, 30, 0, INT32_MAX,
	    "s that fragments wait for the others"),
	ROW("ipfrag_max_dist", SYSCTL_U32, frags.max_dist, 64, 0, INT32_MAX,
	    "other fragments of a source that may come between two of a datagram; 0: any number"),
	{ .path = "ipv4/fib_multipath_hash_policy",
	  .kind = SYSCTL_U8,
	  .offset = offsetof(struct netns_ipv4, fib_multipath_hash_policy),
	  .max = 1,
	  .help = "how multipath routes spread: 0 by addresses, 1 by ports and protocol too",
	  .changed = fib4_needs_changed },
	ROW("igmp_max_memberships", SYSCTL_U32, igmp_max_memberships, 20, 0, INT32_MAX,
	    "multicast groups that a socket may join"),
	ROW("igmp_max_msf", SYSCTL_U32, igmp_max_msf, 10, 0, INT32_MAX,
	    "sources that a socket may name for a group"),
	ROW("igmp_qrv", SYSCTL_U8, igmp_qrv, 2, 1, 7,
	    "how often a report is sent, since it may be lost"),
	ROW("igmp_link_local_mcast_reports", SYSCTL_U8, igmp_link_local_mcast_reports, 1, 0, 1,
	    "report groups of 224.0.0.0/24"),
	ROW("route/min_pmtu", SYSCTL_U32, min_pmtu, 552, 68, 65535,
	    "path MTUs below are not believed"),
	ROW("route/min_adv_mss", SYSCTL_U32, min_adv_mss, 256, 0, 65495,
	    "least MSS that is announced"),
	ROW("route/max_size", SYSCTL_U32, rt_cache.max_size, INT32_MAX, 0, INT32_MAX,
	    "most entries of the destination cache (65,536 whatever this says); 0: none"),
	ROW("route/gc_thresh", SYSCTL_S32, rt_cache.gc_thresh, (u64)-1, (u64)-1, INT32_MAX,
	    "above so many entries unused ones are looked for at once; -1: never"),
	ROW("route/gc_timeout", SYSCTL_NS_AS_S, rt_cache.gc_timeout, 300, 1, INT32_MAX,
	    "s after which an unused entry goes; s a redirect is followed"),
	ROW("route/gc_interval", SYSCTL_NS_AS_S, rt_cache.gc_interval, 60, 1, INT32_MAX,
	    "s between two collections"),
	ROW("route/gc_min_interval", SYSCTL_NS_AS_S, rt_cache.gc_min_interval, 0, 0, INT32_MAX,
	    "the same in s"),
	ROW("route/gc_min_interval_ms", SYSCTL_NS_AS_MS, rt_cache.gc_min_interval, 500, 0,
	    INT32_MAX, "least ms between two collections by gc_thresh"),
	{ .path = "ipv4/route/flush",
	  .kind = SYSCTL_FUNC,
	  .store = route_flush,
	  .help = "writing anything makes all routes be looked up anew, and forgets path MTUs and "
		  "redirects" },
	ROW("route/redirect_number", SYSCTL_U32, rt_redirect_number, 9, 0, 32,
	    "redirects to a host that ignores them"),
	ROW("route/redirect_load", SYSCTL_NS_AS_MS, rt_redirect_load, 20, 0, 3600000,
	    "ms between the first two redirects to a host, then twice as long each time"),
	ROW("route/redirect_silence", SYSCTL_NS_AS_MS, rt_redirect_silence, 20480, 0, INT32_MAX,
	    "ms without packets to redirect after which a host is told again"),
	ROW("route/error_cost", SYSCTL_NS_AS_MS, rt_error_cost, 1000, 0, 3600000,
	    "ms of error_burst that an ICMP unreachable to a host costs"),
	ROW("route/error_burst", SYSCTL_NS_AS_MS, rt_error_burst, 5000, 0, 3600000,
	    "ms that a host can save up for ICMP unreachables"),
	ROW("route/mtu_expires", SYSCTL_U32, mtu_expires_s, 600, 0, INT32_MAX,
	    "s a learnt path MTU is kept"),
};

static const struct sysctl_table ipv4_table = { ipv4_base, ipv4_rows, ARRAY_SIZE(ipv4_rows) };

/* ---- net.ipv4.conf ------------------------------------------------------------------------------------------ */

#define CONF(name, def_, hi, help_)                                                                \
	{                                                                                          \
		.path = #name, .kind = SYSCTL_U8, .offset = offsetof(struct in_device, name),      \
		.def = (def_), .min = 0, .max = (hi), .help = (help_), .changed = devconf_changed  \
	}

static const struct sysctl_desc devconf_rows[] = {
	CONF(forwarding, 0, 1, "forward what arrives here"),
	CONF(rp_filter, 0, 2, "1: sources must be reachable by this device; 2: by any (RFC 3704)"),
	CONF(accept_redirects, 1, 1, "follow redirects; a router only if \"all\" says so too"),
	CONF(send_redirects, 1, 1, "tell senders on the same link about a better gateway"),
	CONF(secure_redirects, 1, 1,
	     "without shared_media: follow redirects to gateways of default routes only"),
	CONF(accept_source_route, 1, 1, "follow source routes, if \"all\" says so too"),
	CONF(proxy_arp, 0, 1, "answer ARP for what is reached by other devices"),
	CONF(proxy_arp_pvlan, 0, 1,
	     "answer ARP for what is reached by this device: its stations hear only us (RFC 3069)"),
	{ .path = "medium_id",
	  .kind = SYSCTL_S32,
	  .offset = offsetof(struct in_device, medium_id),
	  .min = (u64)-1,
	  .max = INT32_MAX,
	  .help = "no proxy ARP between devices of one medium; 0: a medium of its own, -1: no "
		  "proxy ARP",
	  .changed = devconf_changed },
	CONF(arp_announce, 0, 2,
	     "source addresses in ARP questions: 0 any, 1 of the target's network, 2 the best"),
	CONF(arp_ignore, 0, 8, "which ARP questions get no answer"),
	CONF(arp_filter, 0, 1, "answer ARP only where packets to the asker would leave"),
	CONF(arp_notify, 0, 1, "announce addresses when the device comes up"),
	CONF(arp_accept, 0, 2, "gratuitous ARP creates entries: 1 any, 2 of our networks"),
	CONF(arp_evict_nocarrier, 1, 1, "entries go when the carrier does"),
	CONF(drop_gratuitous_arp, 0, 1, "ignore announcements of addresses"),
	CONF(log_martians, 0, 1, "trace packets with impossible addresses (ip_log_martian)"),
	CONF(shared_media, 1, 1,
	     "several networks share the link: redirects may name gateways of any of them"),
	CONF(accept_local, 0, 1, "accept our own addresses as sources"),
	CONF(route_localnet, 0, 1, "127.0.0.0/8 may be routed"),
	CONF(promote_secondaries, 0, 1,
	     "the first secondary address takes over when the primary is deleted"),
	CONF(ignore_routes_with_linkdown, 0, 1, "routes over a device without carrier are skipped"),
	CONF(drop_unicast_in_l2_multicast, 0, 1,
	     "drop unicast packets in link-layer broadcasts (RFC 1122 3.3.6)"),
	CONF(bc_forwarding, 0, 1, "forward directed broadcasts, if \"all\" says so too (RFC 2644)"),
	CONF(mc_forwarding, 0, 0, "set by multicast routing daemons"),
	CONF(bootp_relay, 0, 1, "not used"),
	CONF(src_valid_mark, 0, 1, "the way back to a source is looked up with the packet's mark"),
	CONF(disable_policy, 0, 1, "not used"),
	CONF(disable_xfrm, 0, 1, "not used"),
	CONF(force_igmp_version, 0, 3, "speak this version of IGMP; 0: what the routers speak"),
	{ .path = "igmpv2_unsolicited_report_interval",
	  .kind = SYSCTL_NS_AS_MS,
	  .offset = offsetof(struct in_device, igmpv2_unsolicited_report_interval),
	  .def = 10000,
	  .max = INT32_MAX,
	  .help = "ms within which a report of IGMPv1 or v2 is repeated" },
	{ .path = "igmpv3_unsolicited_report_interval",
	  .kind = SYSCTL_NS_AS_MS,
	  .offset = offsetof(struct in_device, igmpv3_unsolicited_report_interval),
	  .def = 1000,
	  .max = INT32_MAX,
	  .help = "ms within which a report of IGMPv3 is repeated" },
	CONF(tag, 0, 255, "for the administrator"),
};

static const struct sysctl_table devconf_table = { ipv4_base, devconf_rows,
						   ARRAY_SIZE(devconf_rows) };

const struct sysctl_desc *ipv4_devconf_row(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(devconf_rows); i++)
		if (!strcmp(devconf_rows[i].path, name))
			return &devconf_rows[i];
	return NULL;
}

void in_device_defaults(struct in_device *in_dev, bool all)
{
	sysctl_set_defaults(&devconf_table, in_dev);
	if (all) /* source routes need both: RFC 7126 4.3 */
		in_dev->accept_source_route = 0;
	list_init(&in_dev->ifa_list);
	inet_netconf_new(in_dev);
}

static void *devconf_base(struct net *net, const char *name)
{
	struct net_device *dev;

	if (!strcmp(name, "all"))
		return net->ipv4->conf_all;
	if (!strcmp(name, "default"))
		return net->ipv4->conf_default;
	dev = __dev_get_by_name(net, name);
	return dev ? dev->ip_ptr : NULL;
}

static void dev_names(struct net *net, struct text *t)
{
	struct net_device *dev;

	net_for_each_dev(net, dev)
		if (dev->ip_ptr)
			text_printf(t, "%s\n", dev->name);
}

static void devconf_list(struct net *net, struct text *t)
{
	text_printf(t, "all\ndefault\n");
	dev_names(net, t);
}

static const struct sysctl_dir devconf_dir = {
	"ipv4/conf", devconf_base, devconf_list, devconf_rows, ARRAY_SIZE(devconf_rows),
};

/* ---------------------------------------------------------------------------------------------------------------- */

void ipv4_sysctl_defaults(struct netns_ipv4 *ip4)
{
	sysctl_set_defaults(&ipv4_table, ip4);
}

int ipv4_sysctl_init(struct machine *m)
{
	int err = sysctl_register(m, &ipv4_table);

	return err ? err : sysctl_register_dir(m, &devconf_dir);
}
