/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WEIR_SOCKET_SOCKET_MODULE_H
#define WEIR_SOCKET_SOCKET_MODULE_H

struct machine;
struct net;

int socket_machine_init(struct machine *m);
void socket_machine_exit(struct machine *m);
int socket_net_init(struct net *net);
void socket_net_exit(struct net *net);

#endif
