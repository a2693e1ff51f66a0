/* SPDX-License-Identifier: BSD-2-Clause */
/* link_netlink.h - the attributes WEIR_LINK_* of weir/netlink.h, for all devices that have links */
#ifndef WEIR_DRIVERS_LINK_NETLINK_H
#define WEIR_DRIVERS_LINK_NETLINK_H

#include "drivers/link.h"
#include "netlink/netlink.h"
#include "weir/netlink.h"

extern const struct nla_policy link_attr_policy[WEIR_LINK_MAX + 1];

/* Changes in @p only what is given in the nest. 0 or -errno with @extack */
int link_params_parse(const struct nlattr *nest, struct link_params *p,
		      struct netlink_ext_ack *extack);
/* Parameters and counters of @link as a nest of type @type. */
void link_fill(struct nl_msg *m, u16 type, const struct link *link);

#endif
