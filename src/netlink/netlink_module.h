/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WEIR_NETLINK_NETLINK_MODULE_H
#define WEIR_NETLINK_NETLINK_MODULE_H

struct machine;
struct net;

int netlink_machine_init(struct machine *m);
void netlink_machine_exit(struct machine *m);
int netlink_net_init(struct net *net);
void netlink_net_exit(struct net *net);

#endif
