/* SPDX-License-Identifier: BSD-2-Clause */
/* inet_module.h - what stack/modules.c calls */
#ifndef WEIR_INET_INET_MODULE_H
#define WEIR_INET_INET_MODULE_H

struct machine;
struct net;

int inet_machine_init(struct machine *m);
void inet_machine_exit(struct machine *m);
int inet_net_init(struct net *net);
void inet_net_exit(struct net *net);

#endif
