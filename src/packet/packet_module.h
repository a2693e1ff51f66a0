/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WEIR_PACKET_PACKET_MODULE_H
#define WEIR_PACKET_PACKET_MODULE_H

struct machine;
struct net;

int packet_machine_init(struct machine *m);
int packet_net_init(struct net *net);
void packet_net_exit(struct net *net);

#endif
