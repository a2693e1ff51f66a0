/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netlink_internal.h - shared by the files of this folder
 */
#ifndef WEIR_NETLINK_NETLINK_INTERNAL_H
#define WEIR_NETLINK_NETLINK_INTERNAL_H

#include <pthread.h>

#include "core/machine.h"
#include "core/netdevice.h"
#include "core/sock.h"
#include "netlink/genetlink.h"
#include "netlink/netlink.h"

#define NL_MAX_PROTOCOLS 32
#define NL_GROUP_WORDS   4 /* 128 groups */
#define NL_GOODSIZE                                                                                \
	3776u /* Linux's first dump buffer: fits the 4096 octets that many programs offer */
#define NL_MAX_DUMP 65536u

struct sock_diag_handler;

struct rtnl_row { /* a registered handler */
	struct rtnl_handler h;
};

#define GENL_MAX_FAMILIES 16

struct genl_row { /* a registered family */
	const struct genl_family *f;
	u16 id;
	u32 first_group;
};

/* machine->rtnl_table: everything that is registered. Changed under rtnl or before the machine runs. */
struct rtnl_table {
	struct rtnl_handler *rows;
	u32 nr_rows, size_rows;
	const struct rtnl_link_ops **link_ops;
	u32 nr_link_ops, size_link_ops;
	struct netlink_protocol protocols[NL_MAX_PROTOCOLS];
	bool present[NL_MAX_PROTOCOLS];
	const struct sock_diag_handler *diag[NPROTO]; /* sock_diag.c: by family */
	const struct rtnl_af_ops *af_ops[4];          /* NULL: no more */
	struct genl_row genl[GENL_MAX_FAMILIES];
	u32 nr_genl, nr_genl_groups;
};

/* af_netlink.c: a running dump; rtnl */
struct netlink_dump {
	struct netlink_callback cb;
	int (*dumpit)(struct nl_msg *msg, struct netlink_callback *cb);
	u32 prev_seq;
	int family; /* AF_UNSPEC dump over all families: the one that is running; -1: just one */
	u16 type;
	struct nlmsghdr *request; /* copy */
	struct netlink_ext_ack extack;
};

struct netns_netlink {
	struct net *net;      /* NULL: gone; the queued work frees this */
	pthread_mutex_t lock; /* leaf: queues, groups and ports of all netlink sockets of the net */
	struct list_head socks; /* struct netlink_sock.node */
	u32 next_portid;
	struct cpu_work work; /* wakes sockets that got something while the cpu was not locked */
	u32 work_queued;      /* atomic */
	struct notifier_block notifier;
};

/* rtnetlink.c */
const struct rtnl_handler *rtnl_find(const struct machine *m, int family, int type, bool dump);
/* Calls the handler for @req, and for each shard of a net on several cpus. */
int rtnl_doit(const struct rtnl_handler *h, struct nl_request *req);
int rtnetlink_rcv(struct nl_request *req, struct netlink_callback **ret_dump);
int rtnl_device_event(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev);
int rtnl_link_machine_init(struct machine *m); /* rtnl_link.c */
int neigh_netlink_machine_init(struct machine *m);
int neightbl_netlink_machine_init(struct machine *m);
int sock_diag_machine_init(struct machine *m); /* sock_diag.c */
const struct rtnl_link_ops *rtnl_link_ops_get(const struct machine *m, const char *kind);

#endif
