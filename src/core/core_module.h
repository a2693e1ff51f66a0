/* SPDX-License-Identifier: BSD-2-Clause */
/* core_module.h - what stack/modules.c calls of this folder; the row comes first in its table */
#ifndef WEIR_CORE_CORE_MODULE_H
#define WEIR_CORE_CORE_MODULE_H

struct machine;
struct net;

int core_machine_init(struct machine *m);
void core_machine_exit(struct machine *m);
int core_net_init(struct net *net);
void core_net_exit(struct net *net);

#endif
