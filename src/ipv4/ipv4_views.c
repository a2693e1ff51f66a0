/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4_views.c - /proc/net/route, arp, snmp, netstat, fib_triestat: as proc(5) and programs have them */
#include <net/if.h>
#include <linux/route.h>
#include <stdio.h>

#include "core/net_group.h"
#include "core/sysctl.h"
#include "ipv4/igmp.h"
#include "ipv4/ipv4_internal.h"

#include <linux/if_arp.h>

/* ---- /proc/net/route ----------------------------------------------------------------------------------------- */

#define ROUTE_LINE_WIDTH 127

static u16 route_flags(const struct fib_alias *fa, u8 plen)
{
	u16 flags = RTF_UP;

	if (fib_type_error(fa->type))
		flags |= RTF_REJECT;
	if (!be32_zero(fa->fi->nh[0].gw))
		flags |= RTF_GATEWAY;
	if (plen == 32)
		flags |= RTF_HOST;
	return flags;
}

static void route_line(struct text *t, const struct fib_node *n, const struct fib_alias *fa)
{
	const struct fib_info *fi = fa->fi;
	const struct fib_nh *nh = &fi->nh[0];
	u32 advmss = fi->metrics.value[DST_METRIC_ADVMSS];
	char line[256];

	if (fa->type == RTN_BROADCAST || fa->type == RTN_MULTICAST)
		return;
	snprintf(line, sizeof(line), "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%u\t%u\t%u",
		 nh->dev ? nh->dev->name : "*", cpu_to_be32(n->key).v, nh->gw.v,
		 route_flags(fa, n->plen), 0, 0, fi->priority, cpu_to_be32(fib_mask(n->plen)).v,
		 advmss ? advmss + 40 : 0, fi->metrics.value[DST_METRIC_WINDOW],
		 fi->metrics.value[DST_METRIC_RTT] >> 3);
	text_printf(t, "%-*s\n", ROUTE_LINE_WIDTH, line);
}

static void show_route(struct net *net, struct text *t)
{
	text_printf(t, "%-*s\n", ROUTE_LINE_WIDTH,
		    "Iface\tDestination\tGateway "
		    "\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	if (!net->ipv4->fib_main)
		return;
	for (struct fib_node *n = fib_trie_first(&net->ipv4->fib_main->trie); n;
	     n = fib_trie_next(n))
		for (const struct fib_alias *fa = n->aliases; fa; fa = fa->next)
			route_line(t, n, fa);
}

/* ---- /proc/net/arp -------------------------------------------------------------------------------------------- */

static int arp_line(struct neighbour *n, void *arg)
{
	struct text *t = arg;
	char ip[16], ha[3 * MAX_ADDR_LEN] = "";
	u32 flags = n->nud_state & NUD_PERMANENT ? ATF_PERM | ATF_COM
		    : n->nud_state & NUD_VALID   ? ATF_COM
						 : 0;
	int at = 0;
	be32 addr;

	if (n->nud_state & NUD_NOARP)
		return 0;
	memcpy(&addr, n->primary_key, sizeof(addr));
	for (u32 i = 0; i < n->dev->addr_len; i++)
		at += snprintf(ha + at, sizeof(ha) - (size_t)at, "%s%02x", i ? ":" : "", n->ha[i]);
	text_printf(t, "%-16s 0x%-10x0x%-10x%-17s     *        %s\n", ipv4_ntop(addr, ip),
		    n->dev->type, flags, ha, n->dev->name);
	return 0;
}

static void show_arp(struct net *net, struct text *t)
{
	text_printf(
		t,
		"IP address       HW type     Flags       HW address            Mask     Device\n");
	neigh_for_each(net->ipv4->arp_tbl, arp_line, t);
}

/* ---- /proc/net/snmp, netstat ------------------------------------------------------------------------------------ */

/* Rows that are no counters. */
static s64 mib_value(const struct net *net, u32 i)
{
	switch (i) {
	case MIB_Ip_Forwarding:
		return net->ipv4->ip_forward ? 1 : 2;
	case MIB_Ip_DefaultTTL:
		return net->ipv4->default_ttl;
	case MIB_Tcp_RtoAlgorithm: /* RFC 4022: 1 other, which is what Linux says of RFC 6298 */
		return 1;
	case MIB_Tcp_RtoMin:
		return net->mib[i] ? (s64)net->mib[i] : 200;
	case MIB_Tcp_RtoMax:
		return net->mib[i] ? (s64)net->mib[i] : 120000;
	case MIB_Tcp_MaxConn:
		return -1;
	default:
		return (s64)net_mib(net, i);
	}
}

static void show_mib_group(const struct net *net, struct text *t, const char *group)
{
	text_printf(t, "%s:", group);
	for (u32 i = 0; i < NR_MIB; i++)
		if (!strcmp(mib_descs[i].group, group))
			text_printf(t, " %s", mib_descs[i].name);
	text_printf(t, "\n%s:", group);
	for (u32 i = 0; i < NR_MIB; i++)
		if (!strcmp(mib_descs[i].group, group))
			text_printf(t, " %lld", (long long)mib_value(net, i));
	text_printf(t, "\n");
}

/* Only types that were seen. */
static void show_icmp_msg(const struct net *net, struct text *t)
{
	const struct netns_ipv4 *ip4 = net->ipv4;
	bool any = false;

	for (u32 i = 0; i < 256; i++)
		any |= ip4->icmp_msg_in[i] || ip4->icmp_msg_out[i];
	if (!any)
		return;
	text_printf(t, "IcmpMsg:");
	for (u32 i = 0; i < 256; i++)
		if (ip4->icmp_msg_in[i])
			text_printf(t, " InType%u", i);
	for (u32 i = 0; i < 256; i++)
		if (ip4->icmp_msg_out[i])
			text_printf(t, " OutType%u", i);
	text_printf(t, "\nIcmpMsg:");
	for (u32 i = 0; i < 256; i++)
		if (ip4->icmp_msg_in[i])
			text_printf(t, " %u", ip4->icmp_msg_in[i]);
	for (u32 i = 0; i < 256; i++)
		if (ip4->icmp_msg_out[i])
			text_printf(t, " %u", ip4->icmp_msg_out[i]);
	text_printf(t, "\n");
}

static void show_snmp(struct net *net, struct text *t)
{
	show_mib_group(net, t, "Ip");
	show_mib_group(net, t, "Icmp");
	show_icmp_msg(net, t);
	show_mib_group(net, t, "Tcp");
	show_mib_group(net, t, "Udp");
	show_mib_group(net, t, "UdpLite");
}

static void show_netstat(struct net *net, struct text *t)
{
	show_mib_group(net, t, "TcpExt");
	show_mib_group(net, t, "IpExt");
	show_mib_group(net, t, "WeirExt");
}

/* ---- /proc/net/fib_triestat ---------------------------------------------------------------------------------------- */

static void show_trie(struct text *t, const char *name, const struct fib_table *tb)
{
	struct fib_trie_stat st;
	u32 n;

	if (!tb)
		return;
	n = tb->trie.prefixes;
	fib_trie_stats(&tb->trie, &st);
	text_printf(t,
		    "%s:\n\tAver depth:     %llu.%02llu\n\tMax depth:      %u\n\tPrefixes:       "
		    "%u\n\tNodes:          %u\n",
		    name, n ? (unsigned long long)(st.total_depth / n) : 0,
		    n ? (unsigned long long)(st.total_depth * 100 / n % 100) : 0, st.max_depth, n,
		    tb->trie.nodes);
}

static void show_fib_triestat(struct net *net, struct text *t)
{
	text_printf(t, "Basic info: size of node: %zu bytes.\n", sizeof(struct fib_node));
	show_trie(t, "Main", net->ipv4->fib_main);
	show_trie(t, "Local", net->ipv4->fib_local);
}

/* ---- /proc/net/stat/rt_cache --------------------------------------------------------------------------------------- */

static void show_rt_cache_stat(struct net *net, struct text *t)
{
	const struct rt_cache_stat *s = &net->ipv4->rt_cache.stat;

	text_printf(t,
		    "entries  in_hit   in_slow_tot in_slow_mc in_no_route in_brd   in_martian_dst "
		    "in_martian_src out_hit  out_slow_tot out_slow_mc gc_total gc_ignored "
		    "gc_goal_miss gc_dst_overflow in_hlist_search out_hlist_search\n");
	text_printf(t,
		    "%08x %08x %08x    %08x   %08x    %08x %08x       %08x       %08x %08x     "
		    "%08x    %08x %08x   %08x     %08x        %08x        %08x\n",
		    net->ipv4->rt_cache.used, s->in_hit, s->in_slow_tot, s->in_slow_mc,
		    s->in_no_route, s->in_brd, s->in_martian_dst, s->in_martian_src, s->out_hit,
		    s->out_slow_tot, s->out_slow_mc, s->gc_total, s->gc_ignored, s->gc_goal_miss,
		    s->gc_dst_overflow, s->in_hlist_search, s->out_hlist_search);
}

/* Empty since Linux 3.6, here too: "route -C" shows its title. What is cached: RTM_GETROUTE, "ip route get". */
static void show_rt_cache(struct net *net, struct text *t)
{
	(void)net;
	text_printf(t, "%-127s\n",
		    "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\t"
		    "MTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst");
}

static const struct view_desc ipv4_views[] = {
	{ "/proc/net/rt_cache", show_rt_cache }, { "/proc/net/stat/rt_cache", show_rt_cache_stat },
	{ "/proc/net/route", show_route },       { "/proc/net/arp", show_arp },
	{ "/proc/net/raw", raw_show },           { "/proc/net/igmp", igmp_show },
	{ "/proc/net/mcfilter", mcfilter_show }, { "/proc/net/snmp", show_snmp },
	{ "/proc/net/netstat", show_netstat },   { "/proc/net/fib_triestat", show_fib_triestat },
};

int ipv4_views_init(struct machine *m)
{
	return view_register(m, ipv4_views, ARRAY_SIZE(ipv4_views));
}
