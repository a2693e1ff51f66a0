/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WEIR_LLC_LLC_MODULE_H
#define WEIR_LLC_LLC_MODULE_H

struct machine;
struct net;

int llc_machine_init(struct machine *m);
int llc_net_init(struct net *net);
void llc_net_exit(struct net *net);

#endif
