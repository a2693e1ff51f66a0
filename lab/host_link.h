/* SPDX-License-Identifier: BSD-2-Clause */
/* host_link.h - a node's interface over a tap or tun interface of the host */
#ifndef WEIR_LAB_HOST_LINK_H
#define WEIR_LAB_HOST_LINK_H

#include <weir/weir.h>

/*
 * Makes @ifname in @net the other side of the host's interface @host_ifname: a tap or tun that is there (who may use it: ip tuntap add ...
 * user), else a new tap, which goes with the lab. The host's side is left as it is: down and without address, if it is new. 0 or -errno
 */
int host_link_attach(struct weir_net *net, const char *ifname, const char *host_ifname);

#endif
