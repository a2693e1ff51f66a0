/* SPDX-License-Identifier: BSD-2-Clause */
/* ip6_mc_sockopts.h - the setters that ipv6_sockglue.c's table names; all: 0 or -errno */
#ifndef WEIR_IPV6_IP6_MC_SOCKOPTS_H
#define WEIR_IPV6_IP6_MC_SOCKOPTS_H

#include "core/sock.h"

int ip6_join_group(struct sock *sk, const void *val, socklen_t len);
int ip6_leave_group(struct sock *sk, const void *val, socklen_t len);
int ip6_join_anycast(struct sock *sk, const void *val, socklen_t len);
int ip6_leave_anycast(struct sock *sk, const void *val, socklen_t len);
int mcast6_join_group(struct sock *sk, const void *val, socklen_t len);
int mcast6_leave_group(struct sock *sk, const void *val, socklen_t len);
int mcast6_join_source_group(struct sock *sk, const void *val, socklen_t len);
int mcast6_leave_source_group(struct sock *sk, const void *val, socklen_t len);
int mcast6_block_source(struct sock *sk, const void *val, socklen_t len);
int mcast6_unblock_source(struct sock *sk, const void *val, socklen_t len);
int mcast6_set_msfilter(struct sock *sk, const void *val, socklen_t len);
int mcast6_get_msfilter(const struct sock *sk, void *val, socklen_t *len);

#endif
