/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip_sockglue.h - where sockets meet IPv4: options of level IPPROTO_IP, control messages, errors, datagrams
 */
#ifndef WEIR_IPV4_IP_SOCKGLUE_H
#define WEIR_IPV4_IP_SOCKGLUE_H

#include "ipv4/ip.h"

/* What AF_INET sockets need of IPv4; ipv4_net_init() registers it with inet_register_af_ops(). */
extern const struct inet_af_ops ipv4_inet_af_ops;

int ip_setsockopt(struct sock *sk, int level, int name, const void *val, socklen_t len);
int ip_getsockopt(struct sock *sk, int level, int name, void *val, socklen_t *len);

/* Control messages of one sendmsg(2), on top of what the socket says. */
struct ipcm_cookie {
	const struct sock *sk;
	be32 addr;  /* source */
	be16 sport; /* of a socket for any destination; 0: its own */
	int oif;
	u8 tos;
	s16 ttl;      /* -1: the default */
	u16 gso_size; /* payload octets per datagram; 0: one datagram */
	struct sockcm_cookie sockc;
	const struct ip_options *opt; /* NULL: none, and no source route */
	struct ip_options own_opt;    /* of a control message; read through opt only */
};
/* 0 or -EINVAL */
int ip_cmsg_send(const struct kmsghdr *msg, struct ipcm_cookie *ipc);

int ip4_datagram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len);
ssize_t ip4_datagram_send(struct sock *sk, struct kmsghdr *msg, size_t len,
			  const struct inet_dgram_proto *proto);
/* Fills in TOS, device, mark, uid, flags of a flow from the socket. */
void ipv4_flow_init_sk(struct flowi4 *fl, const struct sock *sk);

#endif
