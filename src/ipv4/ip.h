/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.h - IPv4 for the layers above: receive registration, output, ICMP, addresses
 */
#ifndef WEIR_IPV4_IP_H
#define WEIR_IPV4_IP_H

#include "core/net.h"
#include "core/netdevice.h"
#include "core/skbuff.h"
#include "inet/inet_sock.h"
#include "ipv4/route.h"
#include "wire/ipv4.h"

struct ip_options { /* compiled options of a packet or a socket */
	be32 faddr;   /* first hop of a source route */
	be32 nexthop;
	u8 optlen;    /* octets, multiple of 4 */
	u8 srr, rr, ts, router_alert; /* offsets from the IP header, 0: absent */
	u8 is_strictroute : 1, srr_is_hit : 1, is_changed : 1, rr_needaddr : 1, ts_needtime : 1, ts_needaddr : 1;
	u8 data[40];
};

struct inet_skb_parm { /* skb->cb while IPv4 holds the skb, and under TCP's and UDP's own cb */
	int iif;
	u16 flags; /* IPSKB_* */
	u16 frag_max_size;
	u8 opt_off; /* 0: no options in this packet */
	u8 pad[3];
};
#define IPCB(skb)        ((struct inet_skb_parm *)(skb)->cb)
#define IPSKB_FORWARDED  1
#define IPSKB_DOREDIRECT 2

static inline struct ip_hdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct ip_hdr *)skb_network_header(skb);
}

/* Per net */
struct netns_ipv4 {
	const struct net_protocol *protos[256];
	struct fib_table *fib_main, *fib_local; /* fib_trie.c */
	u32 rt_genid; /* routes changed: cached dsts are obsolete */
	struct neigh_table *arp_tbl;
	struct list_head in_devs;
	/* sysctls: table in sysctl_ipv4.c */
	u8 default_ttl, ip_forward, no_pmtu_disc, icmp_echo_ignore_all, icmp_echo_ignore_broadcasts;
	u32 icmp_ratelimit_ms, icmp_ratemask, icmp_msgs_per_sec, icmp_msgs_burst;
	u64 icmp_global_stamp;
	u32 icmp_global_credit;
	u32 min_pmtu, mtu_expires_s;
	u32 ip_id_seed[2];
	struct notifier_block *notifier;
	struct sock *icmp_sk;
	u64 ip_id_counter;
};

/* ip_input.c */
int inet_add_protocol(struct net *net, u8 protocol, const struct net_protocol *p); /* 0, -EEXIST */
void inet_del_protocol(struct net *net, u8 protocol);

/* ip_output.c */

/* For TCP: routes (or uses the socket's dst), adds the header, sends. Consumes; 0 or -errno. skb->data at the transport
 * header. */
int ip_queue_xmit(struct sock *sk, struct sk_buff *skb);
/* A SYN-ACK or similar with everything given. Consumes. */
int ip_build_and_send_pkt(struct sk_buff *skb, const struct sock *sk, be32 saddr, be32 daddr,
			  const struct ip_options *opt, u8 tos);
/* A RST or ACK that belongs to no full socket, answering @skb (borrow): @arg is the transport segment with a zero checksum
 * field; its checksum is computed. */
void ip_send_unicast_reply(struct net *net, struct sk_buff *skb, be32 daddr, be32 saddr, u8 proto,
			   const void *segment, u32 len, u32 csum_offset, u8 tos);
/* A datagram of a socket: header + data from @msg, checksum by the transport (see udp.c). Takes data; gives a list ready for
 * ip_send_skb, or NULL with *ret_err. Fragments are made when @fl's mtu asks for it. @transhdrlen octets are
 * reserved at the transport header. */
struct sk_buff *ip_make_skb(struct sock *sk, struct flowi4 *fl, struct iov_iter *from, u32 length, u32 transhdrlen,
			    struct rtable **rt, u32 flags, u8 tos, s16 ttl, int *ret_err);
int ip_send_skb(struct net *net, struct sk_buff *skb); /* consumes */
int ip_local_out(struct net *net, struct sock *sk, struct sk_buff *skb); /* consumes: LOCAL_OUT hook, then dst_output */

/* icmp.c */

/* borrow @skb_in: the packet that cannot be delivered. Obeys RFC 1122 3.2.2 and 1812 4.3.2 (never about errors,
 * fragments, broadcasts; rate limited). @info in host order: MTU, pointer << 24, or raw gateway */
void icmp_send(struct sk_buff *skb_in, u8 type, u8 code, u32 info);
/* The errno that an ICMP destination-unreachable code means, and whether it is fatal to a connection (RFC 1122 4.2.3.9). */
int icmp_err_convert(u8 code, bool *ret_fatal);
/* Puts an error on @sk's error queue if it wants it (IP_RECVERR). borrow skb. */
void ip_icmp_error(struct sock *sk, struct sk_buff *skb, int err, be16 port, u32 info, u8 *payload);
void ip_local_error(struct sock *sk, int err, be32 daddr, be16 port, u32 info);

/* devinet.c */
struct in_ifaddr {
	struct list_head node; /* in_device.ifa_list: primaries first */
	struct in_device *dev;
	be32 local, address, mask, broadcast; /* address: the peer's on point-to-point links */
	u8 prefixlen, scope;
	u32 flags; /* IFA_F_* */
	char label[IFNAMSIZ];
	u32 valid_lft, preferred_lft; /* s; ~0: forever */
	u64 cstamp, tstamp;
	u32 rt_priority;
	u8 proto;
};
struct in_device {
	struct net_device *dev;
	struct list_head node; /* netns_ipv4.in_devs */
	struct list_head ifa_list;
	struct neigh_parms *arp_parms;
	u8 forwarding, rp_filter, accept_redirects, send_redirects, secure_redirects, accept_source_route,
		proxy_arp, arp_announce, arp_ignore, arp_filter, arp_notify, log_martians, shared_media,
		accept_local, route_localnet, promote_secondaries;
	bool dead;
};
/* A local address of @dev that fits towards @dst with at most @scope; 0 when there is none. */
be32 inet_select_addr(const struct net_device *dev, be32 dst, u8 scope);
bool inet_addr_onlink(const struct in_device *in_dev, be32 a, be32 b);
/* The device that has @addr; NULL. */
struct net_device *ip_dev_find(struct net *net, be32 addr);

#endif
