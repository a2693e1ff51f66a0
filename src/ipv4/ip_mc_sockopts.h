/* SPDX-License-Identifier: BSD-2-Clause */
/* ip_mc_sockopts.h - the setters that ip_sockglue.c's table names; all: 0 or -errno */
#ifndef WEIR_IPV4_IP_MC_SOCKOPTS_H
#define WEIR_IPV4_IP_MC_SOCKOPTS_H

#include "core/sock.h"

int ip_add_membership(struct sock *sk, const void *val, socklen_t len);
int ip_drop_membership(struct sock *sk, const void *val, socklen_t len);
int ip_add_source_membership(struct sock *sk, const void *val, socklen_t len);
int ip_drop_source_membership(struct sock *sk, const void *val, socklen_t len);
int ip_block_source(struct sock *sk, const void *val, socklen_t len);
int ip_unblock_source(struct sock *sk, const void *val, socklen_t len);
int mcast_join_group(struct sock *sk, const void *val, socklen_t len);
int mcast_leave_group(struct sock *sk, const void *val, socklen_t len);
int mcast_join_source_group(struct sock *sk, const void *val, socklen_t len);
int mcast_leave_source_group(struct sock *sk, const void *val, socklen_t len);
int mcast_block_source(struct sock *sk, const void *val, socklen_t len);
int mcast_unblock_source(struct sock *sk, const void *val, socklen_t len);
int ip_set_msfilter(struct sock *sk, const void *val, socklen_t len);
int ip_get_msfilter(const struct sock *sk, void *val, socklen_t *len);
int mcast_set_msfilter(struct sock *sk, const void *val, socklen_t len);
int mcast_get_msfilter(const struct sock *sk, void *val, socklen_t *len);

#endif
