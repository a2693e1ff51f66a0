/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_module.h - what stack/modules.c calls */
#ifndef WEIR_TCP_TCP_MODULE_H
#define WEIR_TCP_TCP_MODULE_H

struct machine;
struct net;

int tcp_machine_init(struct machine *m);
void tcp_machine_exit(struct machine *m);
int tcp_net_init(struct net *net);
void tcp_net_exit(struct net *net);

#endif
