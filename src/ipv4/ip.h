/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip.h - IPv4 for the layers above: receive registration, output, ICMP, addresses
 */
#ifndef WEIR_IPV4_IP_H
#define WEIR_IPV4_IP_H

#include "core/net.h"
#include "core/netdevice.h"
#include "core/skbuff.h"
#include "inet/inet_fragment.h"
#include "inet/inet_sock.h"
#include "inet/mc_group.h"
#include "ipv4/route.h"
#include "ipv4/rt_cache.h"
#include "wire/ipv4.h"

struct ip_options {                   /* compiled options of a packet or a socket */
	be32 faddr;                   /* first hop of a source route */
	u8 optlen;                    /* octets, multiple of 4 */
	u8 srr, rr, ts, router_alert; /* offsets from the IP header, 0: absent */
	u8 is_strictroute;
	u8 data[40];
};

struct ipcm_cookie; /* ip_sockglue.h */

struct inet_skb_parm { /* skb->cb while IPv4 holds the skb, and under TCP's and UDP's own cb */
	int iif;
	u16 flags; /* IPSKB_* */
	u16 frag_max_size;
	u8 opt_off; /* 0: no options in this packet */
	u8 pad[3];
};
#define IPCB(skb)           ((struct inet_skb_parm *)(skb)->cb)
#define IPSKB_FORWARDED     1
#define IPSKB_DOREDIRECT    2
#define IPSKB_FRAG_PMTU     4 /* every fragment had DF */
#define IPSKB_SOURCE_ROUTED 8 /* the dst is the way to the next address of its source route */

static inline struct ip_hdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct ip_hdr *)skb_network_header(skb);
}

/* A bounded token bucket per remote host (icmp.c). */
struct icmp_peer {
	be32 daddr;
	u64 stamp;  /* ns */
	u64 tokens; /* ns that may be spent */
};
#define ICMP_PEERS 128 /* direct mapped */

/* How many fragments a source has sent: max_dist of ip_fragment.c */
struct ip_frag_peer {
	be32 saddr;
	u32 count;
	u32 since; /* count when saddr took the slot */
};
#define IP_FRAG_PEERS 64 /* direct mapped */

#define RAW_HASH_BITS    4
#define RAW_HASH_SIZE    (1 << RAW_HASH_BITS) /* by protocol */
#define FIB_TABLE_HASHSZ 16

struct fib_rules;
struct fib_table;
struct rt_exception;
struct rt_peer;

struct rt_exceptions {              /* rt_exception.c */
	struct rt_exception *slots; /* NULL: nothing was learnt */
	u8 bits;
	u32 used;
	u32 seq; /* changes so far, never 0 */
	struct timer_list gc_timer;
};

/* Per net */
struct netns_ipv4 {
	struct net *net;
	const struct net_protocol *protos[256];
	struct fib_table *fib_main, *fib_local; /* fib_frontend.c; either may be NULL */
	struct fib_rules *rules;                /* fib_rules.c */
	bool fib_has_custom_rules;              /* fib_rules.custom */
	/* Routing looks at ports; at ports or users, which keys of rt_cache lack: fib4_needs_changed() */
	bool rules_need_l4, rules_need_more;
	u32 fib_table_count;
	u32 rt_last_id; /* rtable.rt_id */
	u32 rt_genid;   /* routes changed: cached dsts are obsolete */
	struct neigh_table *arp_tbl;
	struct list_head in_devs;
	/* sysctls: table in sysctl_ipv4.c */
	u8 default_ttl, ip_forward, no_pmtu_disc, icmp_echo_ignore_all, icmp_echo_ignore_broadcasts;
	u8 fwmark_reflect, ip_forward_update_priority, fib_multipath_hash_policy;
	u8 raw_l3mdev_accept; /* kept only */
	u8 icmp_ignore_bogus_error_responses, icmp_errors_use_inbound_ifaddr, ip_forward_use_pmtu;
	u32 icmp_ratelimit_ms, icmp_ratemask, icmp_msgs_per_sec, icmp_msgs_burst;
	u64 icmp_global_stamp;
	u32 icmp_global_credit;
	u32 min_pmtu, mtu_expires_s, min_adv_mss;
	u32 ip_id_seed[2];
	struct notifier_block *notifier;
	struct sock *icmp_sk;
	u64 ip_id_counter;
	/* A copy of each packet for raw sockets of its protocol: true if one took it. Borrows @skb, data at the transport header.
	 * Not asked while there are no raw sockets. */
	u32 nr_raw;
	bool (*raw_deliver)(struct net *net, const struct sk_buff *skb, u8 protocol);

	/* routing; cpu lock to read, rtnl and cpu lock to change */
	struct hlist_head fib_tables[FIB_TABLE_HASHSZ]; /* by table id */
	struct hlist_head *fib_info_hash;               /* shared fib_infos */
	u32 fib_info_bits, fib_info_count;
	u32 fib_generation;          /* of routes and addresses: netlink dumps */
	struct list_head rt_list;    /* every live rtable of the net */
	struct rt_cache rt_cache;    /* destinations in use */
	struct rt_exceptions rt_exc; /* learnt path MTUs and redirects */
	struct rt_peer *rt_peers; /* route.c: limits of redirects and errors; NULL: none was due */
	u64 rt_redirect_load, rt_redirect_silence, rt_error_cost, rt_error_burst; /* ns */
	u32 rt_redirect_number;
	struct in_device *conf_all, *conf_default; /* devconf only: no device, no addresses */
	struct timer_list addr_lifetime_timer;

	struct hlist_head raw_hash[RAW_HASH_SIZE]; /* raw.c */
	struct list_head ra_chain;                 /* raw sockets with IP_ROUTER_ALERT */

	u32 igmp_max_memberships, igmp_max_msf;
	u8 igmp_qrv, igmp_link_local_mcast_reports;

	struct fqdir frags; /* ip_fragment.c */
	struct ip_frag_peer frag_peers[IP_FRAG_PEERS];

	struct icmp_peer icmp_peers[ICMP_PEERS];
	u32 icmp_msg_in[256], icmp_msg_out[256]; /* IcmpMsg of /proc/net/snmp */
};

/* ip_input.c */
/* 0, -EEXIST. rtnl; at run time with the net's cpu lock too. */
int inet_add_protocol(struct net *net, u8 protocol, const struct net_protocol *p);
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
			   const void *segment, u32 len, u32 csum_offset,
			   const struct ip_reply_arg *arg);
/* A datagram of a socket: IP header, @transhdrlen unwritten octets at the transport header, data from @from. @length counts the
 * transport header and the data. Gives one skb (data at the IP header, transport_header set, charged to @sk), whose
 * transport header and checksum the caller writes and which it gives to ip_send_skb(); or NULL with *ret_err (-EMSGSIZE: larger
 * than 65,535 octets, or than the path takes and fragments are forbidden; -EAGAIN, -ENOBUFS, -EFAULT). Success takes over the
 * reference *rt and sets *rt to NULL. May block for send buffer room (unless @flags has MSG_DONTWAIT), dropping the lock.
 * Fragments are made behind POST_ROUTING by ip_finish_output(). @ipc: what the control messages say. */
struct sk_buff *ip_make_skb(struct sock *sk, struct flowi4 *fl, struct iov_iter *from, u32 length,
			    u32 transhdrlen, struct rtable **rt, u32 flags,
			    const struct ipcm_cookie *ipc, int *ret_err);
int ip_send_skb(struct net *net, struct sk_buff *skb); /* consumes */
/* Cuts what exceeds the route's MTU into fragments and gives each to @output. consume; 0 or -errno. */
int ip_do_fragment(struct net *net, struct sock *sk, struct sk_buff *skb,
		   int (*output)(struct net *, struct sock *, struct sk_buff *));
int ip_local_out(struct net *net, struct sock *sk,
		 struct sk_buff *skb); /* consumes: LOCAL_OUT hook, then dst_output */

/* ip_fragment.c */

/* Who puts fragments together: each has its own queues. */
enum ip_defrag_user { IP_DEFRAG_LOCAL_DELIVER, IP_DEFRAG_CALL_RA_CHAIN, IP_DEFRAG_CONNTRACK };
/* Transform: the datagram that the fragment @skb completes (data at the IP header), or NULL: it was consumed. */
struct sk_buff *ip_defrag(struct net *net, struct sk_buff *skb, enum ip_defrag_user user);

/* icmp.c */

void icmp_count_out(struct net *net,
		    u8 type); /* an ICMP message of ours leaves: ping sockets too */
/* Of a packet that a program made (ping, raw): counts it if it is ICMP. borrow @skb, transport header set */
void icmp_count_sent(struct net *net, const struct sk_buff *skb);

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
enum in_rt_slot {
	IN_RT_LOCAL_IN,
	IN_RT_BROADCAST_IN,
	IN_RT_MULTICAST_IN,
	IN_RT_LOCAL_OUT,
	IN_RT_BROADCAST_OUT,
	IN_RT_MULTICAST_OUT,
	IN_RT_MULTICAST_LOCAL_OUT,
	IN_RT_ONLINK_OUT,
	IN_RT_NET_UNREACH_IN,
	IN_RT_HOST_UNREACH_IN,
	IN_RT_PROHIBIT_IN,
	NR_IN_RT
};
struct in_device {
	struct net_device *dev;
	struct list_head node; /* netns_ipv4.in_devs */
	struct list_head ifa_list;
	struct neigh_parms *arp_parms;
	u8 forwarding, rp_filter, accept_redirects, send_redirects, secure_redirects,
		accept_source_route, proxy_arp, arp_announce, arp_ignore, arp_filter, arp_notify,
		log_martians, shared_media, accept_local, route_localnet, promote_secondaries;
	u8 ignore_routes_with_linkdown, drop_unicast_in_l2_multicast, arp_accept, bc_forwarding,
		tag, mc_forwarding, disable_policy, disable_xfrm, proxy_arp_pvlan, src_valid_mark,
		bootp_relay, arp_evict_nocarrier, drop_gratuitous_arp;
	bool dead;
	s32 medium_id;
#define NR_INET_NETCONF 6
	u8 netconf_told[NR_INET_NETCONF]; /* devconf.c: what netlink's listeners know */
	struct net *net;

	/* igmp.c */
	u8 force_igmp_version;
	bool routes_missing; /* devinet.c: for want of memory, they are tried again */
	u64 igmpv2_unsolicited_report_interval, igmpv3_unsolicited_report_interval; /* ns */
	struct mc_dev mc;

	struct rtable *rt_cache[NR_IN_RT]; /* held; results that belong to no nexthop */
};
#define in_dev_get(dev_) ((struct in_device *)(dev_)->ip_ptr)
/* SIOCGIFADDR, SIOCGIFNETMASK, SIOCGIFBRDADDR, SIOCGIFDSTADDR (@arg: struct ifreq), SIOCGIFCONF (struct ifconf). cpu lock held.
 * -ENOIOCTLCMD: not mine. */
int devinet_ioctl(struct net *net, unsigned cmd, void *arg);
/* SIOCGARP (@arg: struct arpreq). cpu lock held. -ENOIOCTLCMD: not mine. */
int arp_ioctl(struct net *net, unsigned cmd, void *arg);
/* A local address of @dev that fits towards @dst with at most @scope; 0 when there is none. */
be32 inet_select_addr(const struct net_device *dev, be32 dst, u8 scope);
bool inet_addr_onlink(const struct in_device *in_dev, be32 a, be32 b);
/* The device that has @addr; NULL. */
struct net_device *ip_dev_find(struct net *net, be32 addr);

#endif
