/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipv6_views.c - /proc/net/snmp6, ipv6_route, rt6_stats, igmp6, mcfilter6, ip6_flowlabel: as proc(5) and programs have them
 *
 * What belongs to sockets of one protocol is beside it: raw6 in raw.c, anycast6 and if_inet6 in addrconf.c, icmp6 in inet/, tcp6, udp6 and sockstat6 in tcp/ and udp/.
 */
#include <stdio.h>

#include "core/net_group.h"
#include "core/sysctl.h"
#include "ipv6/ip6_sockglue.h"
#include "ipv6/ipv6_internal.h"

/* ---- /proc/net/snmp6 -------------------------------------------------------------------------------------------- */

static void show_mib_group(const struct net *net, struct text *t, const char *group)
{
	char name[64];

	for (u32 i = 0; i < NR_MIB; i++) {
		if (strcmp(mib_descs[i].group, group))
			continue;
		snprintf(name, sizeof(name), "%s%s", group, mib_descs[i].name);
		text_printf(t, "%-32s\t%llu\n", name, (unsigned long long)net_mib(net, i));
	}
}

/* Only types that were seen. */
static void show_icmp_msg(struct text *t, const char *direction, const u32 *counts)
{
	char name[64];

	for (u32 i = 0; i < 256; i++) {
		if (!counts[i])
			continue;
		snprintf(name, sizeof(name), "Icmp6%sType%u", direction, i);
		text_printf(t, "%-32s\t%u\n", name, counts[i]);
	}
}

static void show_snmp6(struct net *net, struct text *t)
{
	show_mib_group(net, t, "Ip6");
	show_mib_group(net, t, "Icmp6");
	show_icmp_msg(t, "In", net->ipv6->icmpv6_msg_in);
	show_icmp_msg(t, "Out", net->ipv6->icmpv6_msg_out);
	show_mib_group(net, t, "Udp6");
	show_mib_group(net, t, "UdpLite6");
}

/* ---- /proc/net/rt6_stats ---------------------------------------------------------------------------------------- */

static u32 table_routes(const struct fib6_table *tb)
{
	struct prefix_node *n = prefix_trie_seek(&tb->trie, (struct prefix_key){ 0, 0 }, 0);
	u32 routes = 0;

	for (; n; n = prefix_trie_next(n))
		for (const struct fib6_info *f = n->value; f; f = f->next)
			routes++;
	return routes;
}

/* fib nodes, nodes with routes, routes made, routes in the tables, exceptions, dsts, routes discarded */
static void show_rt6_stats(struct net *net, struct text *t)
{
	const struct netns_ipv6 *ip6 = net->ipv6;
	u32 nodes = 0, prefixes = 0, routes = 0, dsts = 0;
	const struct fib6_table *tb;
	const struct rt6_info *rt;

	for (u32 i = 0; i < FIB6_TABLE_HASHSZ; i++) {
		hlist_for_each_entry(tb, &ip6->fib6_tables[i], hash) {
			nodes += tb->trie.nodes;
			prefixes += tb->trie.prefixes;
			routes += table_routes(tb);
		}
	}
	list_for_each_entry(rt, &ip6->rt6_list, rt6i_list)
		dsts++;
	text_printf(t, "%04x %04x %04x %04x %04x %04x %04x\n", nodes, prefixes, routes, routes,
		    ip6->rt6_exception_count, dsts, 0);
}

static const struct view_desc ipv6_views[] = {
	{ "/proc/net/snmp6", show_snmp6 },
	{ "/proc/net/ipv6_route", ipv6_route_show },
	{ "/proc/net/rt6_stats", show_rt6_stats },
	{ "/proc/net/igmp6", igmp6_show },
	{ "/proc/net/mcfilter6", mcfilter6_show },
	{ "/proc/net/ip6_flowlabel", ip6_flowlabel_show },
	{ "/etc/resolv.conf", ipv6_resolv_conf_show },
};

static int views_machine_init(struct machine *m)
{
	return view_register(m, ipv6_views, ARRAY_SIZE(ipv6_views));
}

const struct ipv6_part ipv6_views_part = {
	.name = "ipv6_views",
	.machine_init = views_machine_init,
};

/* ---- the part of sockets ------------------------------------------------------------------------------------------ */

static int sockets_net_init(struct net *net)
{
	inet_register_af_ops(net, &ipv6_inet_af_ops);
	return 0;
}

const struct ipv6_part ipv6_sockets_part = {
	.name = "sockets",
	.net_init = sockets_net_init,
	.net_exit = ip6_flowlabel_net_exit,
};
