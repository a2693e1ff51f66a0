/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_internal.h - between tcp_module.c and the files that register something */
#ifndef WEIR_TCP_TCP_INTERNAL_H
#define WEIR_TCP_TCP_INTERNAL_H

struct machine;
struct net;

int tcp_sysctl_machine_init(struct machine *m);
void tcp_sysctl_net_init(struct net *net);
int tcp_views_machine_init(struct machine *m);
int tcp_diag_machine_init(struct machine *m);
int tcp_metrics_machine_init(struct machine *m);
void tcp_metrics_net_exit(struct net *net);

#endif
