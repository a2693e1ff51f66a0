/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysctl_ipv4_test.c - net.ipv4.* of this folder in a fresh net are there and say what those of Linux 6.18 say in a fresh namespace
 *
 * Times in route/ are jiffies in Linux, whose number depends on the kernel; here they are ms (a kernel of HZ=1000).
 */
#include <errno.h>
#include <linux/ip.h>
#include <stdio.h>

#include "core/sysctl.h"
#include "ipv4/ipv4_test.h"

static const struct {
	const char *path, *value;
} as_linux[] = {
	{ "ipv4/fib_multipath_hash_policy", "0" },
	{ "ipv4/conf/default/accept_local", "0" },
	{ "ipv4/conf/default/accept_redirects", "1" },
	{ "ipv4/conf/default/accept_source_route", "1" },
	{ "ipv4/conf/default/arp_accept", "0" },
	{ "ipv4/conf/default/arp_announce", "0" },
	{ "ipv4/conf/default/arp_evict_nocarrier", "1" },
	{ "ipv4/conf/default/arp_filter", "0" },
	{ "ipv4/conf/default/arp_ignore", "0" },
	{ "ipv4/conf/default/arp_notify", "0" },
	{ "ipv4/conf/default/bc_forwarding", "0" },
	{ "ipv4/conf/default/bootp_relay", "0" },
	{ "ipv4/conf/default/disable_policy", "0" },
	{ "ipv4/conf/default/drop_gratuitous_arp", "0" },
	{ "ipv4/conf/default/drop_unicast_in_l2_multicast", "0" },
	{ "ipv4/conf/default/force_igmp_version", "0" },
	{ "ipv4/conf/default/forwarding", "0" },
	{ "ipv4/conf/default/igmpv2_unsolicited_report_interval", "10000" },
	{ "ipv4/conf/default/igmpv3_unsolicited_report_interval", "1000" },
	{ "ipv4/conf/default/ignore_routes_with_linkdown", "0" },
	{ "ipv4/conf/default/log_martians", "0" },
	{ "ipv4/conf/default/mc_forwarding", "0" },
	{ "ipv4/conf/default/medium_id", "0" },
	{ "ipv4/conf/default/promote_secondaries", "0" },
	{ "ipv4/conf/default/proxy_arp", "0" },
	{ "ipv4/conf/default/proxy_arp_pvlan", "0" },
	{ "ipv4/conf/default/route_localnet", "0" },
	{ "ipv4/conf/default/rp_filter", "0" },
	{ "ipv4/conf/default/secure_redirects", "1" },
	{ "ipv4/conf/default/send_redirects", "1" },
	{ "ipv4/conf/default/shared_media", "1" },
	{ "ipv4/conf/default/src_valid_mark", "0" },
	{ "ipv4/conf/default/tag", "0" },
	{ "ipv4/fwmark_reflect", "0" },
	{ "ipv4/ip_early_demux", "1" },
	{ "ipv4/raw_l3mdev_accept", "1" },
	{ "ipv4/icmp_echo_ignore_all", "0" },
	{ "ipv4/icmp_echo_ignore_broadcasts", "1" },
	{ "ipv4/icmp_errors_use_inbound_ifaddr", "0" },
	{ "ipv4/icmp_ignore_bogus_error_responses", "1" },
	{ "ipv4/icmp_msgs_burst", "50" },
	{ "ipv4/icmp_msgs_per_sec", "1000" },
	{ "ipv4/icmp_ratelimit", "1000" },
	{ "ipv4/icmp_ratemask", "6168" },
	{ "ipv4/igmp_link_local_mcast_reports", "1" },
	{ "ipv4/igmp_max_memberships", "20" },
	{ "ipv4/igmp_max_msf", "10" },
	{ "ipv4/igmp_qrv", "2" },
	{ "ipv4/ip_default_ttl", "64" },
	{ "ipv4/ip_forward", "0" },
	{ "ipv4/ip_forward_update_priority", "1" },
	{ "ipv4/ip_forward_use_pmtu", "0" },
	{ "ipv4/ip_no_pmtu_disc", "0" },
	{ "ipv4/ipfrag_high_thresh", "4194304" },
	{ "ipv4/ipfrag_low_thresh", "3145728" },
	{ "ipv4/ipfrag_max_dist", "64" },
	{ "ipv4/ipfrag_time", "30" },
	{ "ipv4/neigh/default/anycast_delay", "100" },
	{ "ipv4/neigh/default/app_solicit", "0" },
	{ "ipv4/neigh/default/base_reachable_time", "30" },
	{ "ipv4/neigh/default/base_reachable_time_ms", "30000" },
	{ "ipv4/neigh/default/delay_first_probe_time", "5" },
	{ "ipv4/neigh/default/gc_interval", "30" },
	{ "ipv4/neigh/default/gc_stale_time", "60" },
	{ "ipv4/neigh/default/gc_thresh1", "128" },
	{ "ipv4/neigh/default/gc_thresh2", "512" },
	{ "ipv4/neigh/default/gc_thresh3", "1024" },
	{ "ipv4/neigh/default/locktime", "100" },
	{ "ipv4/neigh/default/mcast_resolicit", "0" },
	{ "ipv4/neigh/default/mcast_solicit", "3" },
	{ "ipv4/neigh/default/proxy_delay", "80" },
	{ "ipv4/neigh/default/proxy_qlen", "64" },
	{ "ipv4/neigh/default/retrans_time", "100" },
	{ "ipv4/neigh/default/retrans_time_ms", "1000" },
	{ "ipv4/neigh/default/ucast_solicit", "3" },
	{ "ipv4/neigh/default/unres_qlen_bytes", "212992" },
	{ "ipv4/route/error_burst", "5000" },
	{ "ipv4/route/error_cost", "1000" },
	{ "ipv4/route/gc_interval", "60" },
	{ "ipv4/route/gc_min_interval", "0" },
	{ "ipv4/route/gc_min_interval_ms", "500" },
	{ "ipv4/route/gc_thresh", "-1" },
	{ "ipv4/route/gc_timeout", "300" },
	{ "ipv4/route/max_size", "2147483647" },
	{ "ipv4/route/min_adv_mss", "256" },
	{ "ipv4/route/min_pmtu", "552" },
	{ "ipv4/route/mtu_expires", "600" },
	{ "ipv4/route/redirect_load", "20" },
	{ "ipv4/route/redirect_number", "9" },
	{ "ipv4/route/redirect_silence", "20480" },
};

/* What Linux has and we have not: doc/limits.md */
static const char *const absent[] = {
	"ipv4/fib_multipath_hash_fields",
	"ipv4/fib_multipath_hash_seed",
	"ipv4/fib_multipath_use_neigh",
	"ipv4/fib_notify_on_flag_change",
	"ipv4/icmp_echo_enable_probe",
	"ipv4/ip_dynaddr",
	"ipv4/neigh/default/interval_probe_time_ms",
	"ipv4/neigh/default/unres_qlen",
	"ipv4/route/gc_elasticity",
};

static int read_sysctl(struct net *net, const char *path, struct text *t)
{
	char full[128];

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	return view_read(net, full, t);
}

static void defaults_are_those_of_linux(void **state)
{
	struct machine *m = ipv4_machine();
	struct net *net = ipv4_net(m, "t");

	for (u32 i = 0; i < ARRAY_SIZE(as_linux); i++) {
		struct text t = { 0 };
		char want[64];

		snprintf(want, sizeof(want), "%s\n", as_linux[i].value);
		if (read_sysctl(net, as_linux[i].path, &t) || strcmp(t.buf, want))
			fail_msg("%s is %s", as_linux[i].path, t.buf ? t.buf : "not there");
		text_free(&t);
	}
	machine_destroy(m);
}

static void what_is_absent_is_known(void **state)
{
	struct machine *m = ipv4_machine();
	struct net *net = ipv4_net(m, "t");

	for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
		struct text t = { 0 };

		if (read_sysctl(net, absent[i], &t) != -ENOENT)
			fail_msg("%s is there: doc/limits.md says it is not", absent[i]);
		text_free(&t);
	}
	machine_destroy(m);
}

static void route_flush_makes_cached_routes_obsolete(void **state)
{
	struct machine *m = ipv4_machine();
	struct net *net = ipv4_net(m, "t");
	u32 genid = net->ipv4->rt_genid;

	assert_int_equal(view_write(net, "/proc/sys/net/ipv4/route/flush", "1\n", 2), 0);
	assert_int_not_equal(net->ipv4->rt_genid, genid);
	machine_destroy(m);
}

/* RTM_SETLINK with IFLA_INET_CONF: @first and @second get these values. */
static int set_link_conf(struct net_device *dev, u16 first, u32 a, u16 second, u32 b)
{
	struct ifinfomsg *ifm;
	u32 spec, af, conf;
	struct nl_msg m;
	int err;

	assert_int_equal(nl_msg_init(&m, 512), 0);
	ifm = nlmsg_begin(&m, 0, 1, RTM_SETLINK, NLM_F_REQUEST, sizeof(*ifm));
	ifm->ifi_index = dev->ifindex;
	spec = nla_nest_start(&m, IFLA_AF_SPEC);
	af = nla_nest_start(&m, AF_INET);
	conf = nla_nest_start(&m, IFLA_INET_CONF);
	nla_put_u32(&m, first, a);
	nla_put_u32(&m, second, b);
	nla_nest_end(&m, conf);
	nla_nest_end(&m, af);
	nla_nest_end(&m, spec);
	assert_int_equal(nlmsg_finish(&m), 0);
	rtnl_lock(dev->net->machine);
	err = rtnl_request(dev->net, (const struct nlmsghdr *)m.buf);
	rtnl_unlock(dev->net->machine);
	nl_msg_fini(&m);
	return err;
}

static void link_messages_set_all_or_nothing(void **state)
{
	struct machine *m = ipv4_machine();
	struct net *net = ipv4_net(m, "t");
	struct net_device *dev = net->loopback_dev;
	const struct in_device *in_dev = in_dev_get(dev);

	assert_int_equal(set_link_conf(dev, IPV4_DEVCONF_RP_FILTER, 2, IPV4_DEVCONF_PROXY_ARP, 1),
			 0);
	assert_int_equal(in_dev->rp_filter, 2);
	assert_int_equal(in_dev->proxy_arp, 1);
	assert_int_equal(set_link_conf(dev, IPV4_DEVCONF_RP_FILTER, 1, IPV4_DEVCONF_PROXY_ARP, 7),
			 -EINVAL);
	assert_int_equal(set_link_conf(dev, IPV4_DEVCONF_RP_FILTER, 1, IPV4_DEVCONF_MAX + 1, 1),
			 -EINVAL);
	assert_int_equal(in_dev->rp_filter, 2);
	assert_int_equal(set_link_conf(dev, IPV4_DEVCONF_MEDIUM_ID, ~0u,
				       IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL, 5),
			 0);
	assert_int_equal(in_dev->medium_id, -1);
	assert_int_equal(in_dev->igmpv2_unsolicited_report_interval, 5 * NSEC_PER_MSEC);
	machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_linux),
		cmocka_unit_test(what_is_absent_is_known),
		cmocka_unit_test(link_messages_set_all_or_nothing),
		cmocka_unit_test(route_flush_makes_cached_routes_obsolete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
