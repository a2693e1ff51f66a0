/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_sockglue.h - where sockets meet IPv6: between ipv6_sockglue.c, datagram.c, ip6_flowlabel.c and raw.c
 */
#ifndef WEIR_IPV6_IP6_SOCKGLUE_H
#define WEIR_IPV6_IP6_SOCKGLUE_H

#include "ipv6/ipv6.h"

struct text;

/* Does an address of this kind need a device to mean something (RFC 4007)? @type: ipv6_addr_type() of @a */
bool ipv6_addr_needs_scope_id(const struct in6_addr *a);
/* What sin6_scope_id says of an address of a packet that came by device @iif. */
u32 ipv6_iface_scope_id(const struct in6_addr *a, int iif);
bool ipv6_can_nonlocal_bind(const struct sock *sk);

/* datagram.c: one extension header of a control message: *opt, a set of the caller's, becomes the set with it. 0 or -errno */
int ip6_cmsg_option(struct sock *sk, const struct cmsghdr *cmsg, size_t len,
		    struct ipv6_txoptions **opt);
int ip6_datagram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len);

/* ipv6_ioctl.c: -ENOIOCTLCMD: not mine */
int ipv6_ioctl(struct net *net, unsigned cmd, void *arg);

/* ip6_flowlabel.c. May @sk send with the label in @flowinfo? 0 or -EINVAL; *ret_opt: headers that belong to it (borrow) or NULL */
int fl6_sock_lookup(const struct sock *sk, be32 flowinfo, struct ipv6_txoptions **ret_opt);
void fl6_free_socklist(struct sock *sk);
int ipv6_flowlabel_opt(struct sock *sk, const void *val, socklen_t len);
int ipv6_flowlabel_opt_get(const struct sock *sk, void *val, socklen_t *len);
void ip6_flowlabel_show(struct net *net, struct text *t);
void ip6_flowlabel_net_exit(struct net *net);

/* raw.c. IPV6_ROUTER_ALERT: -1: off; else the value of the option that is wanted. 0 or -errno */
int ip6_ra_control(struct sock *sk, int sel);
bool ip6_ra_is_on(const struct sock *sk);
int rawv6_set_checksum(struct sock *sk, int offset); /* 0 or -EINVAL */
/* A packet with its header (IPV6_HDRINCL). Takes over *rt when it says so by setting it to NULL. 0 or -errno */
int rawv6_send_hdrinc(struct sock *sk, const struct flowi6 *fl, struct kmsghdr *msg, u32 len,
		      struct rt6_info **rt);

#endif
