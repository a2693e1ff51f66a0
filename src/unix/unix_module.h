/* SPDX-License-Identifier: BSD-2-Clause */
/* unix_module.h - what stack/modules.c calls of this folder */
#ifndef WEIR_UNIX_UNIX_MODULE_H
#define WEIR_UNIX_UNIX_MODULE_H

struct machine;
struct net;

int unix_machine_init(struct machine *m);
int unix_net_init(struct net *net);
void unix_net_exit(struct net *net);

#endif
