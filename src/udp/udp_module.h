/* SPDX-License-Identifier: BSD-2-Clause */
/* udp_module.h - what stack/modules.c calls */
#ifndef WEIR_UDP_UDP_MODULE_H
#define WEIR_UDP_UDP_MODULE_H

struct machine;
struct net;

int udp_machine_init(struct machine *m);
int udp_net_init(struct net *net);
void udp_net_exit(struct net *net);

#endif
