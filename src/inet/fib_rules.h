/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_rules.h - policy rules: which routing table a packet asks, by more than its destination
 *
 * Theory of operation: fib_rules.c.
 * Locking: changed with rtnl and the net's cpu lock held, read with either.
 */
#ifndef WEIR_INET_FIB_RULES_H
#define WEIR_INET_FIB_RULES_H

#include <linux/fib_rules.h>
#include <net/if.h>

#include "core/netdevice.h"
#include "lib/list.h"
#include "lib/types.h"
#include "netlink/netlink.h"

#define FIB_TABLES_MAX                                                                             \
	1024u /* routing tables of a family: made by whoever names them first, they stay */

struct fib_rule {
	struct list_head node;
	u32 pref, table;
	u32 flags; /* FIB_RULE_PERMANENT, FIB_RULE_INVERT; the others are made when it is shown */
	u8 action, proto, tos, ip_proto, src_len, dst_len;
	u32 src[4], dst[4]; /* network order; the first word alone is IPv4's */
	u32 src_mask[4], dst_mask[4];
	u32 mark, mark_mask;
	u32 uid_start, uid_end;
	u16 sport_start, sport_end, dport_start, dport_end; /* host order; start 0: any */
	u32 suppress_prefixlen, suppress_ifgroup;           /* ~0: nothing is suppressed */
	int iifindex, oifindex; /* 0: any; -1: a name that no device has */
	char iifname[IFNAMSIZ], oifname[IFNAMSIZ];
	u32 target;               /* FR_ACT_GOTO */
	struct fib_rule *ctarget; /* NULL: there is no rule of that preference (yet) */
	void *table_cache; /* the family's: tables live as long as the net, so it need not look again */
};

/* What rules look at. */
struct fib_rule_key {
	const void *src, *dst; /* src NULL: no source was chosen yet (IPv6) */
	int iif, oif;          /* iif: the loopback device for what is sent from here */
	u32 mark, uid;
	u8 tos, ip_proto;
	u16 sport, dport; /* host order */
};

struct fib_rules_ops {
	u8 family;
	u8 addr_len;       /* octets */
	u8 tos_mask;       /* the bits of FRA's tos that rules of this family may name */
	u32 nlgroup;       /* RTNLGRP_* */
	bool default_rule; /* a third default rule: table "default" */
	/* Which table a rule that names none gets (0: that is an error), and makes sure that @table can be had. Control. 0 or -errno */
	int (*new_table)(struct net *net, u32 *table, struct netlink_ext_ack *extack);
	/* Looks @arg's flow up in the table of @rule. 0: found; -EAGAIN: go on with the next rule; other errors are the answer. */
	int (*lookup)(struct net *net, struct fib_rule *rule, void *arg);
	void (*changed)(struct net *net); /* what was looked up before may be wrong now. cpu lock */
};

struct fib_rules {
	struct net *net;
	const struct fib_rules_ops *ops;
	struct list_head list; /* by preference, then by age */
	u32 count, seq;        /* seq: of changes, for dumps */
	bool custom;           /* not just the default ones: the list must be walked */
	bool need_l4;          /* some rule looks at the protocol or ports */
	bool need_uid;
};

/* The rules of a family, with the default ones: net->inet->fib_rules. cpu lock. NULL: no memory */
struct fib_rules *fib_rules_create(struct net *net, const struct fib_rules_ops *ops);
void fib_rules_destroy(struct fib_rules *rules); /* NULL is fine. cpu lock */
/* The answer of the first rule that has one: 0 or -errno; -ESRCH: none has. cpu lock */
int fib_rules_lookup(struct fib_rules *rules, const struct fib_rule_key *key, void *arg);
/* Does @rule not want a result of this prefix length by @dev (which may be NULL)? */
static inline bool fib_rule_suppresses(const struct fib_rule *rule, u8 plen,
				       const struct net_device *dev)
{
	return (rule->suppress_prefixlen != ~0u && plen <= rule->suppress_prefixlen) ||
	       (rule->suppress_ifgroup != ~0u && dev && dev->group == rule->suppress_ifgroup);
}
/* Names of devices come and go. rtnl held, no cpu lock */
void fib_rules_device_event(struct fib_rules *rules, enum netdev_event ev, struct net_device *dev);
/* Ports of a transport header at @off from skb->data, for rules that look at them; 0 where there are none. borrow */
void fib_rules_ports(const struct sk_buff *skb, u32 off, u8 ip_proto, be16 *sport, be16 *dport);
int fib_rules_machine_init(struct machine *m);

#endif
