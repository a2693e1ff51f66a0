/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_module.c - registers UDP and UDP-Lite: protosw rows, views, the transports of each net */
#include "udp/udp_module.h"

#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/sysctl.h"
#include "ipv6/ipv6.h"
#include "socket/socket.h"
#include "udp/udp.h"

DROP_REASON_TABLE(udp_drop_reasons, UDP, UDP_DROP_REASONS);
TRACE_POINT_TABLE(udp_trace_points, UDP, UDP_TRACE_POINTS);

static void table_show(struct net *net, struct text *t, enum udp_variant_id id, u16 family)
{
	const struct udp_table *table = &net->udp->table[id];

	inet_dgram_proc_header(t, family, false);
	for (u32 i = 0; i < 1u << table->bits; i++) {
		struct sock_common *c;

		hlist_for_each_entry(c, &table->hash[i], skc_node)
			if (c->skc_family == family)
				inet_dgram_proc_line(t, i, (struct sock *)c);
	}
}

static void udp_proc_show(struct net *net, struct text *t)
{
	table_show(net, t, UDP_PLAIN, AF_INET);
}

static void udplite_proc_show(struct net *net, struct text *t)
{
	table_show(net, t, UDP_LITE, AF_INET);
}

static void udp6_proc_show(struct net *net, struct text *t)
{
	table_show(net, t, UDP_PLAIN, AF_INET6);
}

static void udplite6_proc_show(struct net *net, struct text *t)
{
	table_show(net, t, UDP_LITE, AF_INET6);
}

static const struct view_desc udp_views[] = {
	{ "/proc/net/udp", udp_proc_show, .rows = true },
	{ "/proc/net/udplite", udplite_proc_show, .rows = true },
	{ "/proc/net/udp6", udp6_proc_show, .rows = true },
	{ "/proc/net/udplite6", udplite6_proc_show, .rows = true },
};

#define ROW(name, kind, field, def, lo, hi, help)                                                  \
	SYSCTL_ROW("ipv4/udp_" name, kind, struct netns_udp, field, def, lo, hi, help)

static void hash_entries_show(struct net *net, struct text *t)
{
	text_printf(t, "%u\n", 1u << net->udp->table[UDP_PLAIN].bits);
}

static const struct sysctl_desc udp_sysctl_rows[] = {
	ROW("mem", SYSCTL_U32_TRIPLE, mem.limit, 0, 0, 0x7fffffff,
	    "pages of all sockets: the third number is the most"),
	ROW("rmem_min", SYSCTL_U32, rmem_min, 4096, 1, 0x7fffffff,
	    "what a socket may receive although much is used in all"),
	ROW("wmem_min", SYSCTL_U32, wmem_min, 4096, 1, 0x7fffffff,
	    "kept for programs that set it: what is sent does not count"),
	ROW("early_demux", SYSCTL_U8, early_demux, 1, 0, 255,
	    "early demux for it, where ip_early_demux allows it"),
	ROW("l3mdev_accept", SYSCTL_U8, l3mdev_accept, 0, 0, 1,
	    "kept for programs that set it: there are no VRFs, all sockets are for all devices"),
	ROW("child_hash_entries", SYSCTL_U32, child_hash_entries, 0, 0, 65536,
	    "kept for programs that set it: each net's table grows with its sockets"),
	{ .path = "ipv4/udp_hash_entries",
	  .kind = SYSCTL_FUNC,
	  .readonly = true,
	  .show = hash_entries_show,
	  .help = "chains of the table of sockets now" },
};

static void *udp_sysctl_base(struct net *net)
{
	return net->udp;
}

static const struct sysctl_table udp_sysctls = { udp_sysctl_base, udp_sysctl_rows,
						 ARRAY_SIZE(udp_sysctl_rows) };

static void udp_mem_init(struct net *net)
{
	struct netns_udp *u = net->udp;

	sysctl_set_defaults(&udp_sysctls, u);
	/* Twice what TCP has, as in Linux. */
	sock_mem_init(&u->mem, sock_mem_machine_pages(net->machine) / 2);
	u->mem.least[SK_MEM_SEND] = &u->wmem_min;
	u->mem.least[SK_MEM_RECV] = &u->rmem_min;
}

static const struct inet_protosw udp_protosw[NR_UDP_VARIANTS] = {
	[UDP_PLAIN] = { .type = SOCK_DGRAM,
			.protocol = IPPROTO_UDP,
			.prot = &udp_prot,
			.ops = &inet_dgram_ops,
			.flags = INET_PROTOSW_PERMANENT },
	[UDP_LITE] = { .type = SOCK_DGRAM,
		       .protocol = IPPROTO_UDPLITE,
		       .prot = &udplite_prot,
		       .ops = &inet_dgram_ops,
		       .flags = INET_PROTOSW_PERMANENT },
};

static const struct inet_protosw udpv6_protosw[NR_UDP_VARIANTS] = {
	[UDP_PLAIN] = { .type = SOCK_DGRAM,
			.protocol = IPPROTO_UDP,
			.prot = &udpv6_prot,
			.ops = &inet6_dgram_ops,
			.flags = INET_PROTOSW_PERMANENT },
	[UDP_LITE] = { .type = SOCK_DGRAM,
		       .protocol = IPPROTO_UDPLITE,
		       .prot = &udplitev6_prot,
		       .ops = &inet6_dgram_ops,
		       .flags = INET_PROTOSW_PERMANENT },
};

int udp_machine_init(struct machine *m)
{
	int err;

	drop_reason_register(m, &udp_drop_reasons);
	trace_point_register(m, &udp_trace_points);
	err = view_register(m, udp_views, ARRAY_SIZE(udp_views));
	if (!err)
		err = sysctl_register(m, &udp_sysctls);
	if (!err)
		err = udp_diag_machine_init(m);
	for (u32 i = 0; i < NR_UDP_VARIANTS && !err; i++)
		err = inet_register_protosw(m, AF_INET, &udp_protosw[i]);
	for (u32 i = 0; i < NR_UDP_VARIANTS && !err; i++)
		err = inet_register_protosw(m, AF_INET6, &udpv6_protosw[i]);
	return err;
}

int udp_net_init(struct net *net)
{
	int err = 0;

	net->udp = calloc(1, sizeof(*net->udp));
	if (!net->udp)
		return -ENOMEM;
	udp_mem_init(net);
	net->udp->key[0] = net->machine->hash_seed[0] ^ net->id;
	net->udp->key[1] = net->machine->hash_seed[1];
	for (u32 i = 0; i < NR_UDP_VARIANTS && !err; i++) {
		err = udp_table_init(&net->udp->table[i]);
		if (!err)
			err = inet_add_protocol(net, udp_variants[i].protocol, &udp4_protocols[i]);
		if (!err && net->ipv6) /* a stack may be made without */
			err = inet6_add_protocol(net, udp_variants[i].protocol, &udp6_protocols[i]);
	}
	if (err)
		udp_net_exit(net);
	return err;
}

void udp_net_exit(struct net *net)
{
	if (!net->udp)
		return;
	cpu_lock(net->cpu);
	for (u32 i = 0; i < ARRAY_SIZE(net->udp->any); i++)
		if (net->udp->any[i])
			udp_unhash_any(net->udp->any[i]);
	for (u32 i = 0; i < NR_UDP_VARIANTS; i++) {
		inet_del_protocol(net, udp_variants[i].protocol);
		if (net->ipv6)
			inet6_del_protocol(net, udp_variants[i].protocol);
		udp_table_fini(&net->udp->table[i]);
	}
	cpu_unlock(net->cpu);
	free(net->udp);
	net->udp = NULL;
}
