/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net.h - one stack instance (a network namespace in Linux)
 *
 * The core knows which parts an instance has only by forward declaration: each module allocates its part in
 * net_init() and frees it in net_exit(). Modules are initialised in the order of the table in stack/modules.c
 * and torn down in the reverse order.
 */
#ifndef WEIR_CORE_NET_H
#define WEIR_CORE_NET_H

#include "core/cpu.h"
#include "core/machine.h"
#include "core/mib.h"
#include "lib/list.h"

struct netns_core;    /* core/dev.c: devices, packet types, sysctls of net.core */
struct netns_sock;    /* socket/ */
struct netns_netlink; /* netlink/ */
struct netns_inet;    /* inet/: port ranges, ping table, inet sysctls */
struct netns_ipv4;
struct netns_ipv6;
struct netns_tcp;
struct netns_udp;
struct netns_packet;
struct netns_llc; /* llc/ */
struct netns_unix;
struct net_group;
struct nf_hooks; /* core/nf_hook.h: hook points */
struct neigh_table;

struct net {
	struct machine *machine;
	struct cpu *cpu;       /* home */
	struct list_head node; /* machine->nets */
	u32 id;                /* unique in the machine, from 1 on */
	u32 refcount;          /* rtnl */
	char name[64];
	bool dying;

	struct netns_core *core;
	struct netns_sock *sock;
	struct netns_netlink *netlink;
	struct netns_inet *inet;
	struct netns_ipv4 *ipv4;
	struct netns_ipv6 *ipv6;
	struct netns_tcp *tcp;
	struct netns_udp *udp;
	struct netns_packet *packet;
	struct netns_llc *llc;
	struct netns_unix *unx; /* "unix" is a macro of compilers */
	struct nf_hooks *nf;
	struct list_head module_parts; /* core/module.c; rtnl and the cpu lock to change */

	struct net_device *loopback_dev;
	struct net_group *group; /* NULL: on one cpu; net_group.h */
	u16 shard;               /* our index there */
	u64 mib[NR_MIB];         /* guarded by the home cpu's lock */
	u64 *drop_counts;        /* of each reason that is registered: net_drops() */
};

/* One row of stack/modules.c. */
struct net_module {
	const char *name;
	int (*machine_init)(struct machine *m); /* optional: registrations. 0 or -errno */
	void (*machine_exit)(struct machine *m);
	int (*net_init)(struct net *net);  /* optional. rtnl held, cpu lock not. 0 or -errno */
	void (*net_exit)(struct net *net); /* undoes net_init; devices of others may be gone */
};

/* NULL with errno set. Takes rtnl. @name may be NULL. */
struct net *net_create(struct machine *m, const char *name);
/* On @ncpus cpus of the machine, or as many as it has; 0 and 1: as above. */
struct net *net_create_on(struct machine *m, const char *name, u32 ncpus);
/* For net_group.c, rtnl held. A shard is known to nobody but its group. NULL with *ret_err */
struct net *net_shard_create(struct net *lead, struct cpu *cpu, int *ret_err);
void net_shard_destroy(struct net *shard);
void net_destroy(struct net *net);               /* takes rtnl */
struct net *net_find(struct machine *m, u32 id); /* rtnl held */

static inline u64 net_now(const struct net *net)
{
	return net->cpu->now;
}

#define NET_INC_STATS(net, field)    ((net)->mib[field]++)
#define NET_ADD_STATS(net, field, n) ((net)->mib[field] += (n))

#endif
