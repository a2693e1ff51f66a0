/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_rules_test.c - policy rules: what packets through a router make of them, in both IP versions. What ip(8) says and sees is
 * compared with Linux in tests/cli/ip-rule-test.
 *
 *   10.0.0.0/24    eth0 [ net ] eth1  main: default via eth1
 *   2001:db8::/64             [ ] eth2  table 100: default via eth2
 */
#include "inet/fib_rules.h"

#include <errno.h>

#include "core/sysctl.h"
#include "drivers/drivers_module.h"
#include "inet/inet_module.h"
#include "ipv4/ipv4_module.h"
#include "ipv4/ipv4_test.h"
#include "ipv6/ip6_fib.h"
#include "ipv6/ipv6.h"
#include "ipv6/ipv6_module.h"
#include "netlink/netlink_internal.h"
#include "netlink/netlink_module.h"
#include "socket/socket_module.h"
#include "wire/udp.h"

struct fixture {
	struct machine *m;
	struct net *net;
	struct net_device *eth[3];
};

static const struct net_module modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "socket", socket_machine_init, socket_machine_exit, socket_net_init, socket_net_exit },
	{ "netlink", netlink_machine_init, netlink_machine_exit, netlink_net_init,
	  netlink_net_exit },
	{ "inet", inet_machine_init, inet_machine_exit, inet_net_init, inet_net_exit },
	{ "ipv4", ipv4_machine_init, ipv4_machine_exit, ipv4_net_init, ipv4_net_exit },
	{ "ipv6", ipv6_machine_init, ipv6_machine_exit, ipv6_net_init, ipv6_net_exit },
	{ "drivers", drivers_machine_init, NULL, drivers_net_init, drivers_net_exit },
};

static const struct in6_addr host6 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
			     far6 = { .s6_addr = { 0x20, 1, 0xd, 0xb8, 0xf, [15] = 1 } };
static const be32 host4 = { 0x0200000a } /* 10.0.0.2 */, far4 = { 0x017100cb }; /* 203.0.113.1 */

/* ---- requests ------------------------------------------------------------------------------------------- */

struct rule_spec {
	u16 type; /* 0: RTM_NEWRULE */
	u8 family, action, tos;
	u32 pref, table, mark, flags;
	u16 dport;
	u8 ip_proto;
	const char *iif;
};

static int rule_request(struct net *net, struct rule_spec s)
{
	struct fib_rule_port_range ports = { s.dport, s.dport };
	struct fib_rule_hdr *h;
	struct nl_msg m;
	int err;

	assert_int_equal(nl_msg_init(&m, 512), 0);
	h = nlmsg_begin(&m, 0, 1, s.type ? s.type : RTM_NEWRULE, NLM_F_REQUEST | NLM_F_CREATE,
			sizeof(*h));
	h->family = s.family ? s.family : AF_INET;
	h->action = s.action ? s.action : FR_ACT_TO_TBL;
	h->tos = s.tos;
	h->flags = s.flags;
	nla_put_u32(&m, FRA_TABLE, s.table);
	nla_put_u32(&m, FRA_PRIORITY, s.pref);
	if (s.mark)
		nla_put_u32(&m, FRA_FWMARK, s.mark);
	if (s.dport)
		nla_put(&m, FRA_DPORT_RANGE, sizeof(ports), &ports);
	if (s.ip_proto)
		nla_put_u8(&m, FRA_IP_PROTO, s.ip_proto);
	if (s.iif)
		nla_put_string(&m, FRA_IIFNAME, s.iif);
	assert_int_equal(nlmsg_finish(&m), 0);
	rtnl_lock(net->machine);
	err = rtnl_request(net, (const struct nlmsghdr *)m.buf);
	rtnl_unlock(net->machine);
	nl_msg_fini(&m);
	return err;
}

static int route6_add(struct net *net, const struct in6_addr *dst, u8 plen, u32 table,
		      struct net_device *dev)
{
	const struct fib6_config cfg = { .table = table,
					 .dst = *dst,
					 .dst_len = plen,
					 .oif = dev->ifindex,
					 .protocol = RTPROT_BOOT,
					 .type = RTN_UNICAST,
					 .nl_flags = NLM_F_CREATE };
	int err;

	cpu_lock(net->cpu);
	err = ip6_route_add(net, &cfg, NULL);
	cpu_unlock(net->cpu);
	return err;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *const names[] = { "eth0", "eth1", "eth2" };
	struct machine_config cfg = {
		.host = host_sim_create(1, 0),
		.ncpus = 1,
		.modules = modules,
		.nr_modules = ARRAY_SIZE(modules),
	};

	f->m = machine_create(&cfg);
	assert_non_null(f->m);
	f->net = ipv4_net(f->m, "t");
	for (u32 i = 0; i < 3; i++)
		f->eth[i] = test_netdev(f->net, names[i], true);
	cpu_lock(f->net->cpu);
	ipv4_set_forwarding(f->net, true);
	cpu_unlock(f->net->cpu);
	f->net->ipv6->devconf_all.forwarding = 1;
	assert_int_equal(addr_add(f->eth[0], IP(10, 0, 0, 1), 24), 0);
	for (u32 i = 1; i < 3; i++) {
		struct route_spec r = { .dev = f->eth[i],
					.scope = RT_SCOPE_LINK,
					.table = i == 2 ? 100 : RT_TABLE_MAIN };

		assert_int_equal(route_request(f->net, r), 0);
		assert_int_equal(route6_add(f->net, &in6addr_any, 0, i == 2 ? 100 : RT_TABLE_MAIN,
					    f->eth[i]),
				 0);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (u32 i = 0; i < 3; i++)
		test_netdev_del(f->eth[i]);
	machine_destroy(f->m);
	free(f);
	return 0;
}

/* ---- packets -------------------------------------------------------------------------------------------- */

struct in_packet {
	u16 dport;
	u8 protocol, tos;
	u32 mark;
	bool fragment;
	u32 dev; /* of arrival */
};

/* The device that a packet from host4 to far4 is sent on by; NULL: it is dropped, or answered with an error *ret_err. */
static struct net_device *forward4(struct fixture *f, struct in_packet p, int *ret_err)
{
	struct udp_hdr udp = { .source = cpu_to_be16(4000), .dest = cpu_to_be16(p.dport) };
	struct net_device *dev = NULL;
	struct sk_buff *skb;

	cpu_lock(f->net->cpu);
	skb = ip_packet(f->eth[p.dev],
			(struct packet_spec){ .src = host4,
					      .dst = far4,
					      .tos = p.tos,
					      .frag = p.fragment ? IP_F_MF : 0,
					      .protocol = p.protocol ? p.protocol : IPPROTO_UDP,
					      .payload = 8 });
	memcpy(skb->data + 20, &udp, 8);
	skb->mark = p.mark;
	*ret_err = -(int)ip_route_input(skb, far4, host4, p.tos, f->eth[p.dev]);
	if (!*ret_err) {
		*ret_err = skb->dst->error;
		dev = *ret_err ? NULL : skb->dst->dev;
	}
	consume_skb(skb);
	cpu_unlock(f->net->cpu);
	return dev;
}

/* The same in IPv6; with an empty destination options header in front of the transport. */
static struct net_device *forward6(struct fixture *f, struct in_packet p, int *ret_err)
{
	struct udp_hdr udp = { .source = cpu_to_be16(4000), .dest = cpu_to_be16(p.dport) };
	u8 ext[8] = { p.protocol ? p.protocol : IPPROTO_UDP, 0, 1, 4 };
	struct net_device *dev = NULL;
	struct ipv6_hdr *ip;
	struct sk_buff *skb;

	if (p.fragment)
		memset(ext + 1, 0, 7);
	if (p.fragment)
		ext[3] = 1; /* more come */
	cpu_lock(f->net->cpu);
	skb = alloc_skb(f->net->cpu, 128);
	assert_non_null(skb);
	ip = skb_put_zero(skb, sizeof(*ip));
	ip->ver_tc_flow = cpu_to_be32(6u << 28 | (u32)p.tos << 20);
	ip->nexthdr = p.fragment ? IPPROTO_FRAGMENT : IPPROTO_DSTOPTS;
	ip->saddr = host6;
	ip->daddr = far6;
	memcpy(skb_put(skb, 8), ext, 8);
	memcpy(skb_put(skb, 8), &udp, 8);
	skb_reset_network_header(skb);
	skb->dev = f->eth[p.dev];
	skb->mark = p.mark;
	*ret_err = -(int)ip6_route_input(skb);
	if (!*ret_err) {
		*ret_err = skb->dst->error;
		dev = *ret_err ? NULL : skb->dst->dev;
	}
	consume_skb(skb);
	cpu_unlock(f->net->cpu);
	return dev;
}

static const struct {
	u8 family;
	struct net_device *(*forward)(struct fixture *f, struct in_packet p, int *ret_err);
} versions[] = { { AF_INET, forward4 }, { AF_INET6, forward6 } };

#define for_each_version(v) for (u32 v = 0; v < ARRAY_SIZE(versions); v++)

static struct fib_rules *rules_of(struct fixture *f, u32 v)
{
	return f->net->inet->fib_rules[v];
}

/* ---- claims --------------------------------------------------------------------------------------------- */

static void the_list_is_walked_only_while_there_are_rules_of_somebody(void **state)
{
	struct fixture *f = *state;

	for_each_version(v)
	{
		struct rule_spec r = { .family = versions[v].family, .pref = 5, .table = 100 };

		assert_false(rules_of(f, v)->custom);
		assert_int_equal(rule_request(f->net, r), 0);
		assert_true(rules_of(f, v)->custom);
		assert_false(rules_of(f, !v)->custom);
		r.type = RTM_DELRULE;
		assert_int_equal(rule_request(f->net, r), 0);
		assert_false(rules_of(f, v)->custom);
		/* Without one of the default ones it is walked too. */
		r.pref = 32766;
		r.table = RT_TABLE_MAIN;
		assert_int_equal(rule_request(f->net, r), 0);
		assert_true(rules_of(f, v)->custom);
		r.type = RTM_NEWRULE;
		assert_int_equal(rule_request(f->net, r), 0);
		assert_false(rules_of(f, v)->custom);
	}
}

static void packets_of_one_pair_of_hosts_go_by_their_ports(void **state)
{
	struct fixture *f = *state;
	int err;

	for_each_version(v)
	{
		struct rule_spec r = { .family = versions[v].family,
				       .pref = 5,
				       .table = 100,
				       .dport = 53,
				       .ip_proto = IPPROTO_UDP };

		assert_ptr_equal(versions[v].forward(f, (struct in_packet){ .dport = 53 }, &err),
				 f->eth[1]);
		assert_int_equal(rule_request(f->net, r), 0);
		for (u32 turn = 0; turn < 2; turn++) {
			struct in_packet p = { .dport = 53 };

			assert_ptr_equal(versions[v].forward(f, p, &err), f->eth[2]);
			p.dport = 54;
			assert_ptr_equal(versions[v].forward(f, p, &err), f->eth[1]);
			p.dport = 53;
			p.protocol = IPPROTO_TCP;
			assert_ptr_equal(versions[v].forward(f, p, &err), f->eth[1]);
			/* All of a datagram go one way. */
			p.protocol = IPPROTO_UDP;
			p.fragment = true;
			assert_ptr_equal(versions[v].forward(f, p, &err), f->eth[1]);
		}
	}
}

static void packets_go_by_mark_tos_and_device(void **state)
{
	struct fixture *f = *state;
	int err;

	for_each_version(v)
	{
		const struct rule_spec rules[] = {
			{ .family = versions[v].family, .pref = 5, .table = 100, .mark = 7 },
			{ .family = versions[v].family, .pref = 6, .table = 100, .tos = 8 },
			{ .family = versions[v].family, .pref = 7, .table = 100, .iif = "eth1" },
			{ .family = versions[v].family,
			  .pref = 8,
			  .action = FR_ACT_BLACKHOLE,
			  .iif = "lo" },
		};
		const struct {
			struct in_packet p;
			u32 by;
		} cases[] = {
			{ { .mark = 0 }, 1 }, { { .mark = 7 }, 2 }, { { .mark = 6 }, 1 },
			{ { .tos = 8 }, 2 },  { { .tos = 9 }, 2 },  { { .tos = 16 }, 1 },
			{ { .dev = 1 }, 2 },  { { .dev = 2 }, 1 },
		};

		for (u32 i = 0; i < ARRAY_SIZE(rules); i++)
			assert_int_equal(rule_request(f->net, rules[i]), 0);
		for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
			assert_ptr_equal(versions[v].forward(f, cases[i].p, &err),
					 f->eth[cases[i].by]);
	}
}

static void a_change_is_seen_by_the_next_packet(void **state)
{
	struct fixture *f = *state;
	int err;

	for_each_version(v)
	{
		struct rule_spec r = { .family = versions[v].family, .pref = 5, .table = 100 };

		assert_ptr_equal(versions[v].forward(f, (struct in_packet){ 0 }, &err), f->eth[1]);
		assert_int_equal(rule_request(f->net, r), 0);
		assert_ptr_equal(versions[v].forward(f, (struct in_packet){ 0 }, &err), f->eth[2]);
		r.type = RTM_DELRULE;
		assert_int_equal(rule_request(f->net, r), 0);
		assert_ptr_equal(versions[v].forward(f, (struct in_packet){ 0 }, &err), f->eth[1]);
	}
}

static void refusing_rules_give_their_errors(void **state)
{
	struct fixture *f = *state;
	int err;

	for_each_version(v)
	{
		static const struct {
			u8 action;
			int err;
		} cases[] = { { FR_ACT_UNREACHABLE, -ENETUNREACH },
			      { FR_ACT_PROHIBIT, -EACCES },
			      { FR_ACT_BLACKHOLE, -EINVAL } };

		for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
			struct rule_spec r = { .family = versions[v].family,
					       .pref = 5,
					       .action = cases[i].action };

			assert_int_equal(rule_request(f->net, r), 0);
			assert_null(versions[v].forward(f, (struct in_packet){ 0 }, &err));
			/* IPv4 drops at once what nobody is told about. */
			if (cases[i].action == FR_ACT_BLACKHOLE && versions[v].family == AF_INET)
				assert_int_equal(err, -SKB_DROP_IP_BLACKHOLE);
			else
				assert_int_equal(err, cases[i].err);
			r.type = RTM_DELRULE;
			assert_int_equal(rule_request(f->net, r), 0);
		}
	}
}

/* RFC 3704: the way back is asked with the rules, of the same conversation: ports change places. */
static void the_reverse_path_is_asked_with_the_rules(void **state)
{
	struct fixture *f = *state;
	struct route_spec back = { .dst = IP(10, 0, 0, 2),
				   .plen = 32,
				   .dev = f->eth[2],
				   .scope = RT_SCOPE_LINK,
				   .table = 100 };
	struct rule_spec r = { .pref = 5, .table = 100, .dport = 4000, .ip_proto = IPPROTO_UDP };
	int err;

	in_dev_get(f->eth[2])->rp_filter = 1;
	/* A source on eth0 by eth2 */
	addr_add(f->eth[2], IP(10, 9, 0, 1), 24);
	assert_null(forward4(f, (struct in_packet){ .dev = 2, .dport = 53 }, &err));
	assert_int_equal(err, -SKB_DROP_IP_RPFILTER);
	assert_int_equal(route_request(f->net, back), 0);
	assert_int_equal(rule_request(f->net, r), 0);
	assert_ptr_equal(forward4(f, (struct in_packet){ .dev = 2, .dport = 53 }, &err), f->eth[1]);
	r.type = RTM_DELRULE;
	assert_int_equal(rule_request(f->net, r), 0);
	assert_null(forward4(f, (struct in_packet){ .dev = 2, .dport = 53 }, &err));
}

static void tables_and_rules_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct route_spec route = { .dev = f->eth[1], .scope = RT_SCOPE_LINK };
	struct rule_spec r = { .table = 100 };
	int err = 0, err6 = 0;
	u32 n = 0;

	for (u32 id = 1000; id < 1000 + FIB_TABLES_MAX; id++) {
		route.table = id;
		err = err ? err : route_request(f->net, route);
		err6 = err6 ? err6 : route6_add(f->net, &in6addr_any, 0, id, f->eth[1]);
	}
	assert_int_equal(err, -ENOBUFS);
	assert_int_equal(err6, -ENOMEM);
	assert_int_equal(f->net->ipv4->fib_table_count, FIB_TABLES_MAX);
	assert_int_equal(f->net->ipv6->fib6_table_count, FIB_TABLES_MAX);
	/* The tables that are there can be had. */
	route.table = RT_TABLE_MAIN;
	route.dst = IP(10, 8, 0, 0);
	route.plen = 16;
	assert_int_equal(route_request(f->net, route), 0);

	for (err = 0; !err && n < 10000; n++) {
		r.pref = n + 1;
		err = rule_request(f->net, r);
	}
	assert_int_equal(err, -ENOSPC);
}

static int two_paths6(struct fixture *f)
{
	struct fib6_config cfg = { .table = RT_TABLE_MAIN,
				   .gateway = { .s6_addr = { 0xfe, 0x80, [15] = 9 } },
				   .has_gateway = true,
				   .dst = far6,
				   .dst_len = 128,
				   .type = RTN_UNICAST,
				   .protocol = RTPROT_STATIC,
				   .nl_flags = NLM_F_CREATE | NLM_F_APPEND };
	int err = 0;

	cpu_lock(f->net->cpu);
	for (u32 i = 1; i < 3 && !err; i++) {
		cfg.oif = f->eth[i]->ifindex;
		err = ip6_route_add(f->net, &cfg, NULL);
	}
	cpu_unlock(f->net->cpu);
	return err;
}

static int two_paths4(struct fixture *f)
{
	struct rtnexthop nh[2] = { { .rtnh_len = 8, .rtnh_ifindex = f->eth[1]->ifindex },
				   { .rtnh_len = 8, .rtnh_ifindex = f->eth[2]->ifindex } };
	struct rtmsg *rtm;
	struct nl_msg m;
	int err;

	assert_int_equal(nl_msg_init(&m, 256), 0);
	rtm = nlmsg_begin(&m, 0, 1, RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE, sizeof(*rtm));
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = RT_SCOPE_LINK;
	nla_put_in_addr(&m, RTA_DST, far4);
	nla_put(&m, RTA_MULTIPATH, sizeof(nh), nh);
	assert_int_equal(nlmsg_finish(&m), 0);
	rtnl_lock(f->m);
	err = rtnl_request(f->net, (const struct nlmsghdr *)m.buf);
	rtnl_unlock(f->m);
	nl_msg_fini(&m);
	return err;
}

/* fib_multipath_hash_policy: 0 keeps a pair of hosts on one path, 1 spreads its conversations. */
static void paths_are_shared_by_hosts_or_by_ports(void **state)
{
	static const char *const policy[] = { "/proc/sys/net/ipv4/fib_multipath_hash_policy",
					      "/proc/sys/net/ipv6/fib_multipath_hash_policy" };
	struct fixture *f = *state;
	int err;

	assert_int_equal(two_paths4(f), 0);
	assert_int_equal(two_paths6(f), 0);
	for_each_version(v)
	{
		for (u32 by_ports = 0; by_ports < 2; by_ports++) {
			u32 second = 0;

			assert_int_equal(view_write(f->net, policy[v], by_ports ? "1" : "0", 1), 0);
			for (u16 port = 1; port <= 200; port++) {
				struct in_packet p = { .dport = port };
				struct net_device *dev = versions[v].forward(f, p, &err);

				/* The next packet of a conversation goes the same way. */
				assert_ptr_equal(versions[v].forward(f, p, &err), dev);
				second += dev == f->eth[2];
			}
			if (by_ports)
				assert_in_range(second, 60, 140);
			else
				assert_true(second == 0 || second == 200);
		}
	}
}

static int count_rule(struct fixture *f, u8 family)
{
	struct netlink_callback cb = { .net = f->net };
	struct nl_msg req, m;
	int n = 0;

	assert_int_equal(nl_msg_init(&req, 64), 0);
	assert_int_equal(nl_msg_init(&m, 4096), 0);
	((struct fib_rule_hdr *)nlmsg_begin(&req, 0, 1, RTM_GETRULE, NLM_F_DUMP,
					    sizeof(struct fib_rule_hdr)))
		->family = family;
	assert_int_equal(nlmsg_finish(&req), 0);
	cb.nlh = (const struct nlmsghdr *)req.buf;
	assert_int_equal(rtnl_find(f->m, family, RTM_GETRULE, true)->dumpit(&m, &cb), 0);
	for (u32 at = 0; at < m.len;
	     at += NLMSG_ALIGN(((struct nlmsghdr *)(m.buf + at))->nlmsg_len))
		n++;
	nl_msg_fini(&req);
	nl_msg_fini(&m);
	return n;
}

static void a_net_starts_with_the_default_rules(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(count_rule(f, AF_INET), 3);
	assert_int_equal(count_rule(f, AF_INET6), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_net_starts_with_the_default_rules),
		T(the_list_is_walked_only_while_there_are_rules_of_somebody),
		T(packets_of_one_pair_of_hosts_go_by_their_ports),
		T(packets_go_by_mark_tos_and_device),
		T(a_change_is_seen_by_the_next_packet),
		T(refusing_rules_give_their_errors),
		T(the_reverse_path_is_asked_with_the_rules),
		T(paths_are_shared_by_hosts_or_by_ports),
		T(tables_and_rules_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
