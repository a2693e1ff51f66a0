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
struct inet_af_ops;
struct inet_dgram_proto;
struct inet_hashinfo;
struct ip_options; /* ipv4/ */
struct ipv6_pinfo; /* inet6_sock.h */
struct netlink_ext_ack;

/* How a segment goes out that belongs to no full socket: what its connection had, or its listener has. */
struct ip_reply_arg {
	u8 tos;         /* or traffic class */
	be32 flowlabel; /* IPv6 */
	u32 mark; /* unless that of the packet that is answered is to be reflected (fwmark_reflect) */
	int oif; /* the device it is bound to; 0: any */
};

struct inet_sock {
	struct sock sk;  /* must be first */
	be32 inet_saddr; /* what we send from */
	be16 inet_sport;
	u16 inet_id; /* IP identification counter */
	s16 uc_ttl;  /* -1: the route's or net's default */
	u8 tos;
	u8 min_ttl;
	u8 mc_ttl;
	u8 rcv_tos;  /* of the segment that opened the connection: IP_PKTOPTIONS */
	u8 pmtudisc; /* IP_PMTUDISC_* */
	u8 recverr : 1, is_icsk : 1, freebind : 1, hdrincl : 1, mc_loop : 1, transparent : 1,
		mc_all : 1, nodefrag : 1;
	u8 bind_address_no_port : 1, defer_connect : 1, recverr_rfc4884 : 1;
	u8 listen_any : 1; /* takes what is for any destination (weir_listen_any()) */
	u16 cmsg_flags;    /* IP_CMSG_*: which control messages to give */
	int uc_index, mc_index;
	be32 mc_addr;
	struct ip_options *inet_opt;
	struct ipv6_pinfo *pinet6; /* AF_INET6: at the end of the same object (inet6_create) */
	u16 local_port_range_lo, local_port_range_hi; /* 0: the net's */
	/* The number of the route by which packets of this IPv4 connection come in: ip_early_demux(); 0: it has not been asked for yet */
	u32 rx_dst_id;
};

#define inet_sk(sk_) ((struct inet_sock *)(sk_))

enum { /* inet_sock.cmsg_flags */
       IP_CMSG_PKTINFO = 1 << 0,
       IP_CMSG_TTL = 1 << 1,
       IP_CMSG_TOS = 1 << 2,
       IP_CMSG_RECVOPTS = 1 << 3,
       IP_CMSG_RETOPTS = 1 << 4,
       IP_CMSG_PASSSEC = 1 << 5,
       IP_CMSG_ORIGDSTADDR = 1 << 6,
       IP_CMSG_CHECKSUM = 1 << 7,
       IP_CMSG_RECVFRAGSIZE = 1 << 8,
};

/* inet/ per net */
#define INET_PING_HASH_SIZE 64

struct netns_inet {
	const struct inet_af_ops *af_ops[2]; /* AF_INET, AF_INET6 */
	struct fib_rules *fib_rules[2];      /* the same; each family makes its own */
	struct inet_hashinfo *
		tcp_hashinfo; /* set by inet_hashinfo_init(): the tables of this net's connections */
	u16 ip_local_port_lo, ip_local_port_hi;
	u32 ip_unprivileged_port_start;
	u32 tw_count; /* timewait socks alive */
	u32 ping_group_lo, ping_group_hi;
	u8 ip_nonlocal_bind;
	u8 ip_early_demux; /* of both IP versions */
	u32 udp_connected; /* UDP sockets with a port that have, or had, a peer */
	u8 ip_autobind_reuse;
	u8 bindv6only;                                    /* IPV6_V6ONLY of new sockets */
	struct hlist_head ping_hash[INET_PING_HASH_SIZE]; /* ping.c: by identifier */
	u16 ping_next;                                    /* identifier to try first */
};

/* ---- protosw.c: which protocol serves (family, type, protocol) -------------------------------------- */

#define INET_PROTOSW_PERMANENT 1
#define INET_PROTOSW_REUSE     2 /* SO_REUSEADDR by default */
#define INET_PROTOSW_ICSK      4

struct inet_protosw {
	u16 type;     /* SOCK_* */
	u16 protocol; /* IPPROTO_IP: wildcard (raw) */
	const struct proto *prot;
	const struct proto_ops *ops;
	u8 flags;
};

/* Per machine, rtnl; @family AF_INET or AF_INET6. 0 or -EEXIST/-ENOMEM. No cpu lock held. */
int inet_register_protosw(struct machine *m, int family, const struct inet_protosw *p);
/* Sockets of the protocol that exist stay. Not for INET_PROTOSW_PERMANENT rows. */
void inet_unregister_protosw(struct machine *m, int family, const struct inet_protosw *p);
/* The row for socket(2). NULL with *ret_err: -ESOCKTNOSUPPORT (no such type), -EPROTONOSUPPORT. */
const struct inet_protosw *inet_protosw_find(const struct machine *m, int family, int type,
					     int protocol, int *ret_err);

/* ---- net_protocol: which transport gets a received packet; registered per net ------------------------ */

struct net_protocol {
	/* consumes @skb; transport header set, data at it. Softirq */
	void (*handler)(struct sk_buff *skb);
	/* borrow; an ICMP error came for a packet of ours: data at the inner IP header. */
	void (*err_handler)(struct sk_buff *skb, u8 type, u8 code, u32 info);
	/* borrow; the packet has no route yet, data at the network header, transport header set. Gives it the connected socket that @handler will
	 * find (skb_set_owner_edemux()), or does nothing. Optional */
	void (*early_demux)(struct sk_buff *skb);
	const struct offload_callbacks *offload;
	u8 no_policy : 1;
};

/* ---- af_inet.c: proto_ops shared by the internet protocols ------------------------------------------ */

extern const struct proto_ops inet_stream_ops, inet_dgram_ops;
extern const struct proto_ops inet6_stream_ops, inet6_dgram_ops;
int inet_release(struct socket *sock);
int inet_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len);
int inet_stream_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags);
int inet_dgram_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags);
int inet_accept(struct socket *sock, struct socket *newsock, int flags);
int inet_getname(struct socket *sock, struct sockaddr_storage *ret, int peer);
int inet_ioctl(struct socket *sock, unsigned cmd, void *arg);
int inet_listen(struct socket *sock, int backlog);
int inet_listen_any(struct socket *sock, int backlog);
int inet_shutdown(struct socket *sock, int how);
ssize_t inet_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len);
ssize_t inet_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags);
int inet_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len);
int inet_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len);
u32 inet_poll(struct socket *sock);
/* The ports that connect(2) and bind(2) to port 0 choose from: IP_LOCAL_PORT_RANGE inside the net's range. */
void inet_sk_get_local_port_range(const struct sock *sk, u16 *ret_lo, u16 *ret_hi);
/* Do the bound addresses of two sockets overlap? @match_wildcard: "any" overlaps with all. Of both IP versions: a socket of AF_INET6
 * that is bound to "any" and not IPV6_V6ONLY has all IPv4 addresses too. */
bool inet_rcv_saddr_equal(const struct sock_common *a, const struct sock_common *b,
			  bool match_wildcard);
/* Would @sk be of the same SO_REUSEPORT group as @sk2, which has the same port? */
static inline bool inet_reuseport_match(const struct sock *sk, const struct sock *sk2)
{
	return sk2->sk_reuseport && sk2->sk_uid == sk->sk_uid && sk2->sk_family == sk->sk_family &&
	       sk2->sk_ipv6only == sk->sk_ipv6only && sk2->sk_bound_dev_if == sk->sk_bound_dev_if &&
	       inet_rcv_saddr_equal(&sk->c, &sk2->c, false);
}
/* The end of a datagram sock: unhashed, orphaned, the reference given back. */
void inet_sk_common_release(struct sock *sk);
/* What it sends from and is bound to, its peer: none any more, of both IP versions. */
void inet_reset_saddr(struct sock *sk);
void inet_reset_peer(struct sock *sk);
int inet_autobind(struct sock *sk); /* a port if it has none: 0 or -EAGAIN */
u32 datagram_poll(struct socket *sock);

/* dgram.c: what UDP, raw and ping sockets share */
int inet_datagram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len);
int inet_dgram_disconnect(struct sock *sk, int flags);
/* SOCK_DESTROY: the program reads ECONNABORTED, the sock is disconnected. 0 */
int inet_dgram_abort(struct sock *sk);
/* Transport header and payload of a datagram, summed (unfolded). */
u32 inet_dgram_csum(const struct sk_buff *skb);
/* recvmsg(2) of sockets that see a packet whole (raw, ping). @tp: the trace point. * may block */
ssize_t inet_dgram_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags, int tp);
/* SIOCINQ: octets of the next message, without its first @hdr_len; SIOCOUTQ: octets not yet sent. */
int inet_dgram_ioctl(struct sock *sk, unsigned cmd, void *arg, u32 hdr_len);
/* An ICMP error for @sk: @payload lies in @skb, whose data is the inner IP header. borrow */
void inet_dgram_icmp_err(struct sock *sk, struct sk_buff *skb, u8 type, u8 code, u32 info,
			 be16 port, u8 *payload);
/* sendmsg(2): at once, or held back while @more. *@cork: what is held back; NULL: nothing. * may block */
struct inet_cork;
/* What the socket said when the first piece of a datagram came: it counts, whatever the socket says when the datagram leaves. (Of IPv4's
 * options the TTL is not among them, as on Linux.) */
struct sock_corked {
	u32 mark, priority;
	u8 tos;
};
struct inet_dgram_proto;
ssize_t inet_dgram_cork_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len,
				const struct inet_dgram_proto *proto, struct inet_cork **cork,
				bool more);
/* Sends what is held back. 0 or -errno. * may block */
int inet_dgram_push(struct sock *sk, const struct inet_dgram_proto *proto, struct inet_cork **cork,
		    u32 flags);
void inet_cork_drop(struct sock *sk, struct inet_cork **cork);
/* A line of /proc/net/udp, /proc/net/icmp and their twins of IPv6. */
struct text;
#define INET_PROC_ADDR 33
void inet_proc_addr(char ret[INET_PROC_ADDR], const struct sock_common *c, bool local);
void inet_dgram_proc_header(struct text *t, u16 family, bool icmp);
void inet_dgram_proc_line(struct text *t, u32 slot, const struct sock *sk);

/* What a datagram protocol puts between the IP header and the payload: see inet_af_ops.datagram_send. */
struct inet_dgram_addrs {
	u16 family;  /* of the packet: an AF_INET6 socket sends over IPv4 to mapped addresses */
	u8 protocol; /* IPv6: of the packet */
	u32 pseudo;  /* sum of the addresses: the pseudo header without length and protocol */
	be16 sport, dport;
	u16 gso_size; /* the payload is this many octets per datagram; 0: one datagram */
};
/* What the protocol's own options and control messages say about one sendmsg(2). */
struct inet_dgram_tx {
	u16 gso_size;
};
struct inet_dgram_proto {
	u8 protocol; /* IPPROTO_* */
	u8 hdr_len;  /* octets at the transport header that build() writes */
	bool hdr_in_msg; /* the program gives the header as the first hdr_len octets of its message (ping) */
	/* @skb has the IP header and the payload; transport_header points to hdr_len unwritten octets. @hdr: the program's
	 * own header, if hdr_in_msg. 0, or -errno: not sent. */
	int (*build)(struct sock *sk, struct sk_buff *skb, const struct inet_dgram_addrs *a,
		     const u8 *hdr);
	/* What became of a packet of @family: 0 or -errno. Optional */
	void (*sent)(struct sock *sk, u16 family, int err);
	/* Control messages of the protocol's own level; @ret is zeroed. 0 or -errno. Optional */
	int (*tx_options)(struct sock *sk, const struct kmsghdr *msg, size_t len,
			  struct inet_dgram_tx *ret);
};

/*
 * What af_inet needs of an IP version; registered per net by ipv4/ (and ipv6/). All: cpu lock held.
 */
struct inet_af_ops {
	u16 family;
	socklen_t sockaddr_len;
	/* May @sk bind to this address? Changes nothing. 0, -EINVAL, -EADDRNOTAVAIL, -EAFNOSUPPORT */
	int (*bind_addr)(struct sock *sk, const struct sockaddr *addr, socklen_t len,
			 u16 *ret_port);
	/* Sets sk_rcv_saddr/inet_saddr (or the v6 pair) from an address that bind_addr() has approved; NULL: any. */
	void (*set_addr)(struct sock *sk, const struct sockaddr *addr);
	/* connect(2) of datagram sockets: routes, sets the addresses, the cached dst and SS_TCP_ESTABLISHED. */
	int (*datagram_connect)(struct sock *sk, const struct sockaddr *addr, socklen_t len);
	/* One datagram of @len octets from @msg to where @msg (or the connection) says, with the headers of @proto in front.
	 * Octets of the payload or -errno. * may block */
	ssize_t (*datagram_send)(struct sock *sk, struct kmsghdr *msg, size_t len,
				 const struct inet_dgram_proto *proto);
	/* Before a received packet is queued to @sk: keeps what recv_cmsg() will need, drops the dst. */
	void (*rcv_prepare)(struct sock *sk, struct sk_buff *skb);
	/* The source address of a received packet, for recvmsg(2): fills @msg's name. */
	void (*rcv_name)(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb,
			 be16 sport);
	/* Queues an ICMP error that came for @sk to its error queue, if it asked for that. borrow */
	void (*icmp_error)(struct sock *sk, struct sk_buff *skb, int err, be16 port, u32 info,
			   u8 *payload);
	/* errno of an ICMP error of this version; *ret_hard: fatal for a connected datagram socket */
	int (*icmp_errno)(struct sock *sk, struct sk_buff *skb, u8 type, u8 code, u32 info,
			  bool *ret_hard);
	/* The program closes @sk: leaves its multicast groups. */
	void (*release)(struct sock *sk);
	int (*setsockopt)(struct sock *sk, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(struct sock *sk, int level, int name, void *val, socklen_t *len);
	/* SIOCADDRT, SIOCGIFADDR, ARP ioctls; -ENOIOCTLCMD: not mine */
	int (*ioctl)(struct net *net, unsigned cmd, void *arg);
	/* Control messages of a received packet that are of the family's level */
	void (*recv_cmsg)(struct sock *sk, struct kmsghdr *msg, struct sk_buff *skb);
	/* IP-level error queue */
	ssize_t (*recv_error)(struct sock *sk, struct kmsghdr *msg, size_t len);
	/* A smaller path MTU that the program wants to hear of (RFC 3542 11.3) is a message without octets: true, and it is in
	 * @msg. recvmsg(2) of datagram sockets asks first. Optional */
	bool (*recv_pathmtu)(struct sock *sk, struct kmsghdr *msg);
};

void inet_register_af_ops(struct net *net, const struct inet_af_ops *ops);
static inline const struct inet_af_ops *inet_af_ops(const struct net *net,
						    int family) /* NULL: not there */
{
	return net->inet->af_ops[family == AF_INET6];
}

static inline ssize_t inet_dgram_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len,
					 const struct inet_dgram_proto *proto,
					 struct inet_cork **cork, bool more)
{
	if (likely(!more && !*cork))
		return inet_af_ops(sock_net(sk), sk->sk_family)->datagram_send(sk, msg, len, proto);
	return inet_dgram_cork_sendmsg(sk, msg, len, proto, cork, more);
}

/* icmp_ext.c - borrow. @skb: an ICMP error from the datagram on that it quotes; @payload: where what the socket gets begins; @quoted: how
 * many octets are quoted, by the error's header. All 0: there are no extensions. */
struct sock_ee_data_rfc4884 inet_rfc4884(const struct sk_buff *skb, u32 payload, u32 quoted);

#endif
