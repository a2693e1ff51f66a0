/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genetlink.h - generic netlink: families by name
 *
 * A family is a name, a table of commands with the policy of their attributes, and multicast groups. It gets a number when it is
 * registered, which programs find by name through the family "nlctrl" (genl-ctrl-list(8)).
 */
#ifndef WEIR_NETLINK_GENETLINK_H
#define WEIR_NETLINK_GENETLINK_H

#include <linux/genetlink.h>

#include "netlink/netlink.h"

#define GENL_MAX_GROUPS 4

struct genl_request {
	struct nl_request *req;
	const struct genlmsghdr *hdr;
	const struct nlattr **tb; /* by the policy of the command */
	u16 family;               /* the type of an answer */
};

struct genl_op {
	u8 cmd;
	bool admin; /* changes something */
	u16 maxtype;
	const struct nla_policy *policy;
	int (*doit)(const struct genl_request *g); /* rtnl held. 0 or -errno */
	/* rtnl held. > 0: call again; 0: done. The request: genl_dump_parse() */
	int (*dumpit)(struct nl_msg *msg, struct netlink_callback *cb);
};

struct genl_family {
	const char *name;
	u8 version;
	bool strict; /* unknown attributes, attributes of a wrong size are refused */
	const struct genl_op *ops;
	u32 nr_ops;
	const char *groups[GENL_MAX_GROUPS]; /* names; NULL: no more */
};

/* Per machine; stays until its end. @f is kept. 0, -EEXIST, -ENOSPC */
int genl_register_family(struct machine *m, const struct genl_family *f);
/* Begins an answer to @g; to be ended by nlmsg_finish(). False: does not fit. */
bool genl_reply_begin(struct nl_msg *m, const struct genl_request *g, u8 cmd);
/* A message that is not an answer to @g's request but of its family: a part of a dump, a notification. */
bool genl_msg_begin(struct nl_msg *m, u16 family, u32 portid, u32 seq, u16 flags, u8 cmd,
		    u8 version);
/* The attributes of the request of a dump. */
int genl_dump_parse(struct netlink_callback *cb, const struct nlattr **tb, u16 maxtype,
		    const struct nla_policy *policy);
/* To the members of the family's group number @group. */
void genl_notify(struct net *net, const struct genl_family *f, const struct nl_msg *m, u32 group);
u16 genl_family_id(const struct machine *m, const struct genl_family *f);

/* genetlink.c, ethtool_netlink.c: for af_netlink.c */
int genetlink_machine_init(struct machine *m);
int ethtool_netlink_machine_init(struct machine *m);

#endif
