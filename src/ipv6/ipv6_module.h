/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv6_module.h - the rows of this folder in stack/modules.c */
#ifndef WEIR_IPV6_IPV6_MODULE_H
#define WEIR_IPV6_IPV6_MODULE_H

struct machine;
struct net;

int ipv6_machine_init(struct machine *m);
void ipv6_machine_exit(struct machine *m);
int ipv6_net_init(struct net *net);
void ipv6_net_exit(struct net *net);

#endif
