/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_sock.h - what all internet sockets have, and the registries of the internet families
 */
#ifndef WEIR_INET_INET_SOCK_H
#define WEIR_INET_INET_SOCK_H

#include "core/sock.h"
#include "core/dst.h"
#include "lib/types.h"

struct proto_ops;
struct socket;
struct ip_options; /* ipv4/ */
struct netlink_ext_ack;

struct inet_sock {
	struct sock sk; /* must be first */
	be32 inet_saddr;  /* what we send from */
	be16 inet_sport;
	u16 inet_id;      /* IP identification counter */
	s16 uc_ttl;       /* -1: the route's or net's default */
	u8 tos;
	u8 min_ttl;
	u8 mc_ttl;
	u8 pmtudisc;      /* IP_PMTUDISC_* */
	u8 recverr : 1, is_icsk : 1, freebind : 1, hdrincl : 1, mc_loop : 1, transparent : 1, mc_all : 1,
		nodefrag : 1;
	u8 bind_address_no_port : 1, defer_connect : 1, recverr_rfc4884 : 1;
	u16 cmsg_flags;   /* IP_CMSG_*: which control messages to give */
	int uc_index, mc_index;
	be32 mc_addr;
	struct ip_options *inet_opt;
	u16 local_port_range_lo, local_port_range_hi; /* 0: the net's */
};

#define inet_sk(sk_) ((struct inet_sock *)(sk_))

enum { /* inet_sock.cmsg_flags */
	IP_CMSG_PKTINFO = 1 << 0, IP_CMSG_TTL = 1 << 1, IP_CMSG_TOS = 1 << 2, IP_CMSG_RECVOPTS = 1 << 3,
	IP_CMSG_RETOPTS = 1 << 4, IP_CMSG_PASSSEC = 1 << 5, IP_CMSG_ORIGDSTADDR = 1 << 6,
	IP_CMSG_CHECKSUM = 1 << 7, IP_CMSG_RECVFRAGSIZE = 1 << 8,
};

/* inet/ per net */
struct netns_inet {
	u16 ip_local_port_lo, ip_local_port_hi;
	u16 ip_unprivileged_port_start;
	u32 ping_group_lo, ping_group_hi;
	u8 ip_nonlocal_bind;
	u8 ip_autobind_reuse;
	struct hlist_head ping_hash[64];
};

/* ---- protosw.c: which protocol serves (family, type, protocol) -------------------------------------- */

#define INET_PROTOSW_PERMANENT 1
#define INET_PROTOSW_REUSE     2 /* SO_REUSEADDR by default */
#define INET_PROTOSW_ICSK      4

struct inet_protosw {
	u16 type;     /* SOCK_* */
	u16 protocol; /* IPPROTO_IP: wildcard (raw) */
	struct proto *prot;
	const struct proto_ops *ops;
	u8 flags;
};

/* Per machine; @family AF_INET or AF_INET6. 0 or -EEXIST/-ENOMEM */
int inet_register_protosw(struct machine *m, int family, const struct inet_protosw *p);

/* ---- net_protocol: which transport gets a received packet; registered per net ------------------------ */

struct net_protocol {
	/* consumes @skb; transport header set, data at it. Softirq */
	void (*handler)(struct sk_buff *skb);
	/* borrow; an ICMP error came for a packet of ours: data at the inner IP header. */
	void (*err_handler)(struct sk_buff *skb, u8 type, u8 code, u32 info);
	const struct offload_callbacks *offload;
	u8 no_policy : 1;
};

/* ---- af_inet.c: proto_ops shared by the internet protocols ------------------------------------------ */

extern const struct proto_ops inet_stream_ops, inet_dgram_ops;
int inet_release(struct socket *sock);
int inet_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len);
int inet_stream_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags);
int inet_dgram_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags);
int inet_accept(struct socket *sock, struct socket *newsock, int flags);
int inet_getname(struct socket *sock, struct sockaddr_storage *ret, int peer);
int inet_ioctl(struct socket *sock, unsigned cmd, void *arg);
int inet_listen(struct socket *sock, int backlog);
int inet_shutdown(struct socket *sock, int how);
ssize_t inet_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len);
ssize_t inet_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags);
int inet_autobind(struct sock *sk); /* a port if it has none: 0 or -EAGAIN */
u32 datagram_poll(struct socket *sock);

/*
 * What af_inet needs of an IP version; registered per net by ipv4/ (and ipv6/). All: cpu lock held.
 */
struct inet_af_ops {
	u16 family;
	socklen_t sockaddr_len;
	/* May @sk bind to this address? Sets sk_rcv_saddr/inet_saddr (or the v6 pair). 0, -EADDRNOTAVAIL, -EAFNOSUPPORT */
	int (*bind_addr)(struct sock *sk, const struct sockaddr *addr, socklen_t len, u16 *ret_port);
	int (*setsockopt)(struct sock *sk, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(struct sock *sk, int level, int name, void *val, socklen_t *len);
	/* SIOCADDRT, SIOCGIFADDR, ARP ioctls; -ENOIOCTLCMD: not mine */
	int (*ioctl)(struct net *net, unsigned cmd, void *arg);
	/* Control messages of a received packet */
	void (*recv_cmsg)(struct sock *sk, struct kmsghdr *msg, struct sk_buff *skb);
	/* IP-level error queue */
	ssize_t (*recv_error)(struct sock *sk, struct kmsghdr *msg, size_t len);
};

void inet_register_af_ops(struct net *net, const struct inet_af_ops *ops);
const struct inet_af_ops *inet_af_ops(const struct net *net, int family); /* NULL: not there */

#endif
