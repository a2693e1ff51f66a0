/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers_module.h - what stack/modules.c calls; last in its table, so that devices find all protocols and leave before them */
#ifndef WEIR_DRIVERS_DRIVERS_MODULE_H
#define WEIR_DRIVERS_DRIVERS_MODULE_H

struct machine;
struct net;

int drivers_machine_init(struct machine *m);
int drivers_net_init(struct net *net); /* makes "lo" */
void drivers_net_exit(struct net *net);

#endif
