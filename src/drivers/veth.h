/* SPDX-License-Identifier: BSD-2-Clause */
/* veth.h - pairs of virtual Ethernet devices, for those who make them without netlink (tests, embedders) */
#ifndef WEIR_DRIVERS_VETH_H
#define WEIR_DRIVERS_VETH_H

#include "core/netdevice.h"
#include "drivers/link.h"

/* rtnl. Two registered devices that are each other's peer, down. The nets may be the same. 0, -EEXIST, -EINVAL, -ENOMEM, -EOPNOTSUPP (the
 * nets live on different cpus). */
int veth_create(struct net *net_a, const char *name_a, struct net *net_b, const char *name_b,
		struct net_device **ret_a, struct net_device **ret_b);
/* rtnl. Impairs what @dev sends from now on. 0 or -ENOMEM */
int veth_set_link(struct net_device *dev, const struct link_params *p);
/* The link of what @dev sends; NULL: it never had impairments. cpu lock */
const struct link *veth_get_link(const struct net_device *dev);
bool is_veth(const struct net_device *dev);

#endif
