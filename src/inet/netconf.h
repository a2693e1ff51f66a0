/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netconf.h - RTM_GETNETCONF (ip netconf) and its notifications, for both IP versions: see rtnetlink(7)
 */
#ifndef WEIR_INET_NETCONF_H
#define WEIR_INET_NETCONF_H

#include <linux/netconf.h>

#include "netlink/netlink.h"

struct net;

struct netconf_ops {
	u8 family;
	u16 group; /* RTNLGRP_IPV4_NETCONF ... */
	/* Settings of a device, NETCONFA_IFINDEX_ALL or _DEFAULT; NULL: it has none. cpu lock held */
	const void *(*find)(struct net *net, int ifindex);
	/* Puts the setting @type (NETCONFA_*), or each if it is NETCONFA_ALL. */
	void (*fill)(struct nl_msg *m, const void *conf, int type);
};

/* What handlers of RTM_GETNETCONF do. */
int netconf_get(struct nl_request *req, const struct netconf_ops *ops);
int netconf_dump(struct nl_msg *msg, struct netlink_callback *cb, const struct netconf_ops *ops);

/* Tells the group of @type of @ifindex. @conf NULL: it is gone, only the device is named. */
void netconf_notify(struct net *net, const struct netconf_ops *ops, int event, int type,
		    int ifindex, const void *conf);

#endif
