/* SPDX-License-Identifier: BSD-2-Clause */
/* tun.h - a device whose frames are read from and written to a descriptor of the host */
#ifndef WEIR_DRIVERS_TUN_H
#define WEIR_DRIVERS_TUN_H

#include "lib/types.h"

struct net;

/* What cannot be asked of the descriptor, if it is not one of /dev/net/tun. */
enum { TUN_ATTACH_L3 = 1, TUN_ATTACH_VNET_HDR = 2 };

/*
 * rtnl. A device @name ("%d" allowed) over @fd: one that was attached to a host's interface by TUNSETIFF (IFF_TAP or IFF_TUN, with IFF_NO_PI,
 * with or without IFF_VNET_HDR: all found out), or any socket that keeps the boundaries of messages. The device has a duplicate of its own;
 * the open file becomes non-blocking. 0; -EINVAL: without IFF_NO_PI, not a message descriptor; -EBADF, -EEXIST, -ENOMEM; -EOPNOTSUPP
 * under virtual time.
 */
int tun_attach(struct net *net, const char *name, int fd, u32 flags);

#endif
