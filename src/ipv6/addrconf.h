/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf.h - IPv6 addresses of devices and their configuration; multicast and anycast membership
 *
 * Locking: like IPv4's in_device: changed with the cpu lock held (rtnl too where a program asked), read with either.
 */
#ifndef WEIR_IPV6_ADDRCONF_H
#define WEIR_IPV6_ADDRCONF_H

#include <netinet/in.h>

#include <linux/if_addr.h>

#include "core/net.h"
#include "core/netdevice.h"
#include "core/timer.h"
#include "inet/inet_sock.h"
#include "inet/mc_group.h"
#include "wire/ipv6.h"

struct inet6_dev;
struct ndisc_dns;
struct neigh_parms;

/* Scope and kind of an address (RFC 4291, 4007, 6724): bits. */
enum {
	IPV6_ADDR_ANY = 0,
	IPV6_ADDR_UNICAST = 1,
	IPV6_ADDR_MULTICAST = 2,
	IPV6_ADDR_LOOPBACK = 0x10,
	IPV6_ADDR_LINKLOCAL = 0x20,
	IPV6_ADDR_SITELOCAL = 0x40,
	IPV6_ADDR_COMPATv4 = 0x80,
	IPV6_ADDR_MAPPED = 0x1000,
};
int ipv6_addr_type(const struct in6_addr *a);
u8 ipv6_addr_scope(const struct in6_addr
			   *a); /* 1 node, 2 link, 5 site, 14 global: as in multicast addresses */
static inline bool ipv6_addr_is_multicast(const struct in6_addr *a)
{
	return a->s6_addr[0] == 0xff;
}
static inline bool ipv6_addr_is_ll_all_nodes(const struct in6_addr *a)
{
	static const struct in6_addr all = { .s6_addr = { 0xff, 2, [15] = 1 } };

	return ipv6_addr_equal(a, &all);
}
/* ff02::1:ffXX:XXXX (RFC 4291 2.7.1) */
void addrconf_addr_solict_mult(const struct in6_addr *addr, struct in6_addr *ret);

struct inet6_ifaddr {
	struct list_head
		node; /* inet6_dev.addr_list: by scope, then newest first as Linux shows them */
	struct inet6_dev *idev;
	struct in6_addr addr, peer_addr; /* peer: :: none */
	u8 prefix_len;
	u8 scope; /* ipv6_addr_scope() */
	u8 dad_probes;
	u8 proto;                    /* IFAPROT_* */
	u32 flags;                   /* IFA_F_* */
	u32 valid_lft, prefered_lft; /* s; ~0: forever */
	u64 cstamp, tstamp;          /* ns */
	u64 dad_nonce;               /* RFC 7527 */
	u32 rt_priority;
	struct inet6_ifaddr *ifpub; /* of a temporary address: the public one */
	u32 regen_count;
	struct timer_list dad_timer;
	struct hlist_node hash; /* netns_ipv6.addr_hash */
	u32 refcount;
	bool dead;
	bool joined;  /* its solicited-node group was joined */
	bool routed;  /* it may be used: its routes are there */
	bool anycast; /* its prefix's subnet-router address was added */
};

enum { IN6_ADDR_GEN_EUI64, IN6_ADDR_GEN_NONE, IN6_ADDR_GEN_STABLE_PRIVACY, IN6_ADDR_GEN_RANDOM };

struct ipv6_devconf {                 /* net.ipv6.conf.DEV.*: rows in sysctl_ipv6.c */
	s32 accept_dad, use_tempaddr; /* -1 on devices without ARP */
	u8 forwarding, accept_ra, accept_redirects, autoconf, accept_ra_defrtr, accept_ra_pinfo,
		accept_ra_rtr_pref, accept_ra_from_local, accept_ra_mtu;
	u8 proxy_ndp, accept_source_route, optimistic_dad, use_optimistic, force_tllao,
		ndisc_notify, suppress_frag_ndisc, drop_unicast_in_l2_multicast,
		drop_unsolicited_na;
	u8 disable_ipv6, keep_addr_on_down, use_oif_addrs_only, enhanced_dad, addr_gen_mode,
		ignore_routes_with_linkdown, accept_untracked_na, force_mld_version, mc_forwarding,
		ndisc_evict_nocarrier;
	u8 accept_ra_rt_info_min_plen, accept_ra_rt_info_max_plen, ndisc_tclass;
	u32 hop_limit, mtu6, dad_transmits, accept_ra_min_hop_limit, ra_defrtr_metric,
		accept_ra_min_lft, max_desync_factor, max_addresses, regen_max_retry,
		temp_valid_lft, temp_prefered_lft, regen_min_advance;
	s32 rtr_solicits; /* -1: for ever */
	u64 rtr_solicit_interval, rtr_solicit_max_interval, rtr_solicit_delay,
		rtr_probe_interval;                                               /* ns */
	u32 mldv1_unsolicited_report_interval, mldv2_unsolicited_report_interval; /* ms */
	struct in6_addr stable_secret;                                            /* ::: none */
};

struct inet6_dev { /* of each device that takes part; net_device.ip6_ptr */
	struct net_device *dev;
	struct net *net;
	struct list_head node;      /* netns_ipv6.in6_devs */
	struct list_head addr_list; /* inet6_ifaddr */
	struct list_head ac_list;   /* ifacaddr6 */
	struct ipv6_devconf cnf;
	struct neigh_parms *nd_parms;
	u32 if_flags; /* IF_RA_OTHERCONF, IF_RA_MANAGED, IF_RA_RCVD, IF_RS_SENT, IF_READY of linux/if_link.h users */
	struct in6_addr token;                  /* ip token set */
	struct timer_list rs_timer, addr_timer; /* router solicitations; lifetimes */
	u32 rs_probes;
	u64 rs_interval;
	u64 tstamp;                /* ipv6InterfaceTable update */
	struct mc_dev mc;          /* mcast.c */
	u32 desync_factor;         /* s: RFC 8981 3.8 */
	u32 ra_mtu;                /* of the last advertisement that gave one */
	struct ndisc_dns *dns;     /* ndisc_dns.c: what advertisements say of DNS; NULL: nothing */
	bool forwarding, disabled; /* settings that are in effect; cnf has what is wanted */
	u8 addr_gen_mode;
	struct rt6_info *link_dst; /* rt6_link_dst(): belongs to no route */
	bool dead;
	bool incomplete,
		lladdr_missing; /* memory was lacking: addrconf_complete() makes up for it */
	u8 groups_wanted, groups_joined; /* of own_groups */
};

#define __in6_dev_get(dev_) ((dev_)->ip6_ptr)

/* Is @addr ours? @dev NULL: on any device; link-local addresses need it. @strict: only on @dev, whatever the scope. Tentative
 * addresses (IFA_F_TENTATIVE without OPTIMISTIC) do not count. */
bool ipv6_chk_addr(struct net *net, const struct in6_addr *addr, const struct net_device *dev,
		   bool strict);
/* The same with tentative ones: the entry or NULL (not held). */
struct inet6_ifaddr *ipv6_get_ifaddr(struct net *net, const struct in6_addr *addr,
				     const struct net_device *dev, bool strict);
/* RFC 6724 section 5. @dst_dev: outgoing device or NULL. 0 or -EADDRNOTAVAIL */
int ipv6_dev_get_saddr(struct net *net, const struct net_device *dst_dev,
		       const struct in6_addr *daddr, u32 prefs, struct in6_addr *ret);
/* A link-local address of @dev without any of @banned_flags. 0 or -EADDRNOTAVAIL */
int ipv6_get_lladdr(const struct net_device *dev, struct in6_addr *ret, u32 banned_flags);
/* Does a prefix of @dev cover @addr? */
bool ipv6_chk_prefix(const struct in6_addr *addr, const struct net_device *dev);
struct inet6_dev *
ipv6_find_idev(struct net_device *dev); /* makes it if it may be: NULL otherwise */

/* From ndisc.c: a prefix information option (@pinfo, 32 octets), DAD heard our tentative address. */
void addrconf_prefix_rcv(struct net_device *dev, const u8 *pinfo, u32 len, bool sllao);
void addrconf_dad_failure(struct inet6_ifaddr *ifp);

/* ---- mcast.c ------------------------------------------------------------------------------------------- */

int ipv6_dev_mc_inc(struct net_device *dev, const struct in6_addr *group); /* 0 or -errno */
int ipv6_dev_mc_dec(struct net_device *dev, const struct in6_addr *group);
/* Is this host a member of @group on @dev, as far as @src goes (NULL: any)? */
bool ipv6_chk_mcast_addr(const struct net_device *dev, const struct in6_addr *group,
			 const struct in6_addr *src);
/* Sockets: setsockopt(2) of level IPPROTO_IPV6, IPV6_JOIN_GROUP and MCAST_*. 0 or -errno */
int ipv6_sock_mc_join(struct sock *sk, int ifindex, const struct in6_addr *group, u8 mode);
int ipv6_sock_mc_drop(struct sock *sk, int ifindex, const struct in6_addr *group);
int ip6_mc_source(struct sock *sk, int ifindex, const struct in6_addr *group,
		  const struct in6_addr *source, u8 mode, bool add);
int ip6_mc_msfilter(struct sock *sk, int ifindex, const struct in6_addr *group, u8 mode,
		    const struct in6_addr *sources, u32 n);
int ip6_mc_msfget(const struct sock *sk, int ifindex, const struct in6_addr *group, u8 *ret_mode,
		  struct in6_addr *sources, u32 max, u32 *ret_n);
void ipv6_sock_mc_close(struct sock *sk);
/* Does @sk want what @src sent to @group on device @dif? */
bool inet6_mc_check(const struct sock *sk, const struct in6_addr *group, const struct in6_addr *src,
		    int dif);
/* Is a packet, whose hop-by-hop options were read, an MLD message? Those reach members whatever their source filters say. borrow */
bool ipv6_is_mld(const struct sk_buff *skb);
/* For icmpv6_rcv(): consume; data at the ICMPv6 header, checksum verified. */
void igmp6_event_query(struct sk_buff *skb);
void igmp6_event_report(struct sk_buff *skb);
/* For addrconf.c. A device begins and ceases to take part; a link-local address has passed DAD (RFC 3590 4). */
void ipv6_mc_init_dev(struct inet6_dev *idev);
void ipv6_mc_destroy_dev(struct inet6_dev *idev);
void ipv6_mc_dad_complete(struct inet6_dev *idev);

/* ---- anycast.c: IPV6_JOIN_ANYCAST, and the subnet-router address of forwarding devices -------------------- */

int ipv6_sock_ac_join(struct sock *sk, int ifindex, const struct in6_addr *addr);
int ipv6_sock_ac_drop(struct sock *sk, int ifindex, const struct in6_addr *addr);
void ipv6_sock_ac_close(struct sock *sk);
bool ipv6_chk_acast_addr(struct net *net, const struct net_device *dev,
			 const struct in6_addr *addr);

#endif
