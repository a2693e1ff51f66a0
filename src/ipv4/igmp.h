/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * igmp.h - membership of multicast groups: of devices (IGMP) and of sockets
 */
#ifndef WEIR_IPV4_IGMP_H
#define WEIR_IPV4_IGMP_H

#include "ipv4/ip.h"

/* Is this host member of @group on @in_dev, as far as @saddr goes? Borrow */
bool ip_check_mc(const struct in_device *in_dev, be32 group, be32 saddr, u8 protocol);
/* Does @sk want what @saddr sent to @group on device @dif? */
bool ip_mc_sf_allow(const struct sock *sk, be32 group, be32 saddr, int dif);

/* What setsockopt(2) of level IPPROTO_IP asks for: from ip_mc_sockopts.c. 0 or -errno */
int ip_mc_join_group(struct sock *sk, const struct ip_mreqn *imr, u8 mode);
int ip_mc_leave_group(struct sock *sk, const struct ip_mreqn *imr);
/* One source more or less: @mode MCAST_EXCLUDE blocks, MCAST_INCLUDE takes from it only. */
int ip_mc_source(struct sock *sk, const struct ip_mreqn *imr, be32 source, u8 mode, bool add);
int ip_mc_msfilter(struct sock *sk, const struct ip_mreqn *imr, u8 mode, const be32 *sources,
		   u32 n);
/* *ret_mode and up to @max sources; *ret_n: how many there are. */
int ip_mc_gsfget(const struct sock *sk, const struct ip_mreqn *imr, u8 *ret_mode, be32 *sources,
		 u32 max, u32 *ret_n);
void ip_mc_drop_socket(struct sock *sk);

/* devinet.c tells */
void ip_mc_init_dev(struct in_device *in_dev);
void ip_mc_up(struct in_device *in_dev);
void ip_mc_down(struct in_device *in_dev);
void ip_mc_destroy_dev(struct in_device *in_dev);

extern const struct net_protocol igmp_protocol;
struct netlink_callback;
struct nl_msg;
struct text;
int inet_rtm_dumpmulticast(struct nl_msg *msg, struct netlink_callback *cb);
void igmp_show(struct net *net, struct text *t);
void mcfilter_show(struct net *net, struct text *t);

#endif
