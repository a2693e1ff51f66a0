/* SPDX-License-Identifier: BSD-2-Clause */
/* inet_module.c - registers the family, its sysctls and views */
#include "inet/inet_module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/netdevice.h"
#include "core/sysctl.h"
#include "inet/fib_rules.h"
#include "inet/inet_internal.h"
#include "inet/ping.h"
#include "socket/socket.h"

DROP_REASON_TABLE(inet_drop_reasons, INET, INET_DROP_REASONS);
TRACE_POINT_TABLE(inet_trace_points, INET, INET_TRACE_POINTS);

/* ---- sysctls ----------------------------------------------------------------------------------------- */

#define PING_GROUP_MAX 2147483647u /* GID_T_MAX */

static void *inet_sysctl_base(struct net *net)
{
	return net->inet;
}

/* Two numbers and nothing else, the text need not end with a NUL. */
static int parse_pair(const char *text, size_t len, long *a, long *b)
{
	char buf[64];
	int used = 0;

	if (len >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (sscanf(buf, " %ld %ld %n", a, b, &used) != 2 || buf[used] != '\0')
		return -EINVAL;
	return 0;
}

static void port_range_show(struct net *net, struct text *t)
{
	text_printf(t, "%u\t%u\n", net->inet->ip_local_port_lo, net->inet->ip_local_port_hi);
}

static int port_range_store(struct net *net, const char *text, size_t len)
{
	long lo, hi;

	if (parse_pair(text, len, &lo, &hi) || lo < 1 || hi > 65535 || hi < lo ||
	    lo < (long)net->inet->ip_unprivileged_port_start)
		return -EINVAL;
	net->inet->ip_local_port_lo = (u16)lo;
	net->inet->ip_local_port_hi = (u16)hi;
	return 0;
}

static void ping_group_show(struct net *net, struct text *t)
{
	text_printf(t, "%u\t%u\n", net->inet->ping_group_lo, net->inet->ping_group_hi);
}

static int ping_group_store(struct net *net, const char *text, size_t len)
{
	long lo, hi;

	if (parse_pair(text, len, &lo, &hi) || lo < 0 || hi < 0 || lo > PING_GROUP_MAX ||
	    hi > PING_GROUP_MAX)
		return -EINVAL;
	if (hi < lo) { /* nobody */
		lo = 1;
		hi = 0;
	}
	net->inet->ping_group_lo = (u32)lo;
	net->inet->ping_group_hi = (u32)hi;
	return 0;
}

static const struct sysctl_desc inet_sysctl_rows[] = {
	{ .path = "ipv4/ip_local_port_range",
	  .kind = SYSCTL_FUNC,
	  .show = port_range_show,
	  .store = port_range_store,
	  .help = "first and last port that connect(2) and bind(2) to port 0 choose from" },
	{ .path = "ipv4/ping_group_range",
	  .kind = SYSCTL_FUNC,
	  .show = ping_group_show,
	  .store = ping_group_store,
	  .help = "first and last group that may make ICMP echo sockets" },
	SYSCTL_ROW("ipv4/ip_unprivileged_port_start", SYSCTL_U32, struct netns_inet,
		   ip_unprivileged_port_start, 1024, 0, 65535,
		   "first port that a socket of another user than root may bind to"),
	SYSCTL_ROW("ipv4/ip_nonlocal_bind", SYSCTL_U8, struct netns_inet, ip_nonlocal_bind, 0, 0, 1,
		   "whether bind(2) takes addresses that no device has"),
	SYSCTL_ROW(
		"ipv4/ip_early_demux", SYSCTL_U8, struct netns_inet, ip_early_demux, 1, 0, 255,
		"whether the connected socket of a packet is looked for before its route, which it "
		"may know; of IPv6 too"),
	SYSCTL_ROW("ipv4/ip_autobind_reuse", SYSCTL_U8, struct netns_inet, ip_autobind_reuse, 0, 0,
		   1,
		   "whether bind(2) to port 0 may share a port by SO_REUSEADDR when none is free"),
	SYSCTL_ROW("ipv6/bindv6only", SYSCTL_U8, struct netns_inet, bindv6only, 0, 0, 1,
		   "IPV6_V6ONLY of new sockets: whether they leave IPv4 to others"),
};

static const struct sysctl_table inet_sysctls = { inet_sysctl_base, inet_sysctl_rows,
						  ARRAY_SIZE(inet_sysctl_rows) };

static const struct view_desc inet_views[] = {
	{ "/proc/net/icmp", ping_proc_show },
	{ "/proc/net/icmp6", ping6_proc_show },
};

/* ---- registration ------------------------------------------------------------------------------------ */

static const struct net_proto_family inet_family = { .family = AF_INET, .create = inet_create };
static const struct net_proto_family inet6_family = { .family = AF_INET6, .create = inet6_create };

static const struct inet_protosw ping_protosw = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_ICMP,
	.prot = &ping_prot,
	.ops = &inet_dgram_ops,
	.flags = INET_PROTOSW_REUSE,
};

static const struct inet_protosw pingv6_protosw = {
	.type = SOCK_DGRAM,
	.protocol = IPPROTO_ICMPV6,
	.prot = &pingv6_prot,
	.ops = &inet6_dgram_ops,
	.flags = INET_PROTOSW_REUSE,
};

int inet_machine_init(struct machine *m)
{
	int err = inet_protosw_init(m);

	if (err)
		return err;
	drop_reason_register(m, &inet_drop_reasons);
	trace_point_register(m, &inet_trace_points);
	err = sysctl_register(m, &inet_sysctls);
	if (!err)
		err = view_register(m, inet_views, ARRAY_SIZE(inet_views));
	if (!err)
		err = inet_register_protosw(m, AF_INET, &ping_protosw);
	if (!err)
		err = inet_register_protosw(m, AF_INET6, &pingv6_protosw);
	if (!err)
		err = inet_diag_machine_init(m);
	if (!err)
		err = fib_rules_machine_init(m);
	if (!err)
		err = sock_register(m, &inet_family);
	if (!err)
		err = sock_register(m, &inet6_family);
	if (err)
		inet_protosw_fini(m);
	return err;
}

void inet_machine_exit(struct machine *m)
{
	sock_unregister(m, AF_INET6);
	sock_unregister(m, AF_INET);
	inet_protosw_fini(m);
}

int inet_net_init(struct net *net)
{
	struct netns_inet *ni = calloc(1, sizeof(*ni));

	if (!ni)
		return -ENOMEM;
	sysctl_set_defaults(&inet_sysctls, ni);
	ni->ip_local_port_lo = 32768;
	ni->ip_local_port_hi = 60999;
	ni->ping_group_lo = 0;
	ni->ping_group_hi = PING_GROUP_MAX;
	net->inet = ni;
	return 0;
}

void inet_net_exit(struct net *net)
{
	if (!net->inet)
		return;
	cpu_lock(net->cpu);
	ping_net_exit(net);
	cpu_unlock(net->cpu);
	free(net->inet);
	net->inet = NULL;
}
