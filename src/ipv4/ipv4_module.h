/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4_module.h - what stack/modules.c calls */
#ifndef WEIR_IPV4_IPV4_MODULE_H
#define WEIR_IPV4_IPV4_MODULE_H

struct machine;
struct net;

int ipv4_machine_init(struct machine *m);
void ipv4_machine_exit(struct machine *m);
int ipv4_net_init(struct net *net);
void ipv4_net_exit(struct net *net);

#endif
