/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf_internal.h - what the files of address configuration share: addrconf*.c, anycast.c, saddr.c, addrlabel.c, sysctl_ipv6.c
 *
 * All functions: cpu lock held.
 */
#ifndef WEIR_IPV6_ADDRCONF_INTERNAL_H
#define WEIR_IPV6_ADDRCONF_INTERNAL_H

#include <linux/netconf.h>

#include "ipv6/ipv6_internal.h"
#include "netlink/netlink.h"

#define IPV6_MIN_MTU_        1280u
#define INFINITY_LIFE        0xffffffffu
#define IN6_ADDR_HSIZE_BITS  4
#define ADDRCONF_PREFIX_PLEN 64

/* inet6_dev.if_flags, as netlink shows them */
enum {
	IF_RS_SENT = 0x10,
	IF_RA_RCVD = 0x20,
	IF_RA_MANAGED = 0x40,
	IF_RA_OTHERCONF = 0x80,
	IF_READY = (int)0x80000000,
};

struct ifa6_config {
	struct in6_addr addr, peer;
	u8 plen, proto;
	u32 flags, rt_priority, valid, preferred;
	bool requested; /* by a program: others hear of it before DAD has ended */
};

/* ---- addrconf.c: addresses of a device -------------------------------------------------------------------- */

/* Adds an address and starts what follows from it: routes, DAD. 0 with *ret (may be NULL), or -errno */
int inet6_addr_add(struct inet6_dev *idev, const struct ifa6_config *cfg,
		   struct netlink_ext_ack *extack, struct inet6_ifaddr **ret);
void ipv6_del_addr(struct inet6_ifaddr *ifp);
void in6_ifa_put(struct inet6_ifaddr *ifp);
/* New lifetimes, counted from now on; the timer knows. */
void inet6_ifa_set_lifetime(struct inet6_ifaddr *ifp, u32 valid, u32 preferred);
void inet6_ifa_prefix_route(const struct inet6_ifaddr *ifp); /* made or refreshed */
void inet6_ifa_prefix_unroute(const struct inet6_ifaddr *ifp);
/* The address may be used: routes in table local, of the peer, anycast. */
void inet6_ifa_route(struct inet6_ifaddr *ifp);
void inet6_ifa_unroute(struct inet6_ifaddr *ifp);
/* The device takes part: link-local address, DAD of what is there. Nothing happens if it may not or is not ready. */
void addrconf_dev_up(struct net_device *dev);
void addrconf_dev_down(struct inet6_dev *idev, bool keep);
void addrconf_gen_linklocal(struct inet6_dev *idev);
/* There was no memory for a route, a group or an own address: all that should be there is looked at again soon, which complete() does. */
void addrconf_incomplete(struct inet6_dev *idev);
void addrconf_complete(struct inet6_dev *idev);
void addrconf_set_disabled(struct inet6_dev *idev, bool disabled);
void addrconf_set_forwarding(struct inet6_dev *idev, bool on);
static inline bool ipv6_accept_ra(const struct inet6_dev *idev)
{
	return idev->cnf.forwarding ? idev->cnf.accept_ra == 2 : idev->cnf.accept_ra != 0;
}

/* ---- addrconf_addr.c ------------------------------------------------------------------------------------------ */

int inet6_hash_addr(struct net *net, struct inet6_ifaddr *ifp); /* 0 or -ENOMEM */
void inet6_unhash_addr(struct net *net, struct inet6_ifaddr *ifp);
struct text;
void if_inet6_show(struct net *net, struct text *t); /* /proc/net/if_inet6, anycast6 */
void anycast6_show(struct net *net, struct text *t);

/* ---- addrconf_iid.c: interface identifiers ------------------------------------------------------------------- */

/* The low 64 bits of @addr, whose high ones are given, by the device's addr_gen_mode. @dad_count: collisions so far. 0 or
 * -errno: there is none. *ret_flags: IFA_F_STABLE_PRIVACY */
int addrconf_gen_iid(struct inet6_dev *idev, struct in6_addr *addr, u8 dad_count, u32 *ret_flags);
/* Random ones (RFC 8981 3.3.1). */
void addrconf_random_iid(struct net *net, struct in6_addr *addr);

/* ---- addrconf_dad.c ------------------------------------------------------------------------------------------- */

void addrconf_dad_start(struct inet6_ifaddr *ifp);
void addrconf_dad_join(struct inet6_ifaddr *ifp); /* its solicited-node group */
void addrconf_dad_stop(struct inet6_ifaddr *ifp); /* the address goes, or its device does */
void addrconf_rs_start(struct inet6_dev *idev); /* there is a link-local address: solicit routers */
void addrconf_rs_stop(struct inet6_dev *idev);
void addrconf_rs_setup(struct inet6_dev *idev);

/* ---- addrconf_slaac.c: lifetimes, temporary addresses ---------------------------------------------------------- */

void addrconf_verify(struct inet6_dev *idev); /* what has run out; arms the timer for the next */
void addrconf_verify_setup(struct inet6_dev *idev);
/* The temporary addresses of @ifp follow its new lifetimes; a first one is made if there is none. */
void addrconf_manage_tempaddrs(struct inet6_ifaddr *ifp, u32 valid, u32 preferred, bool create);

/* ---- addrconf_netlink.c, addrconf_link.c ----------------------------------------------------------------------- */

void inet6_ifa_notify(int event, const struct inet6_ifaddr *ifp);
void inet6_prefix_notify(struct inet6_dev *idev, const u8 *pinfo);
/* @type: NETCONFA_*, what has changed. RTM_DELNETCONF: @cnf NULL */
void inet6_netconf_notify(struct net *net, int event, int type, int ifindex,
			  const struct ipv6_devconf *cnf);
void inet6_ifinfo_notify(struct inet6_dev *idev); /* its state (IF_RA_MANAGED ...) has changed */
extern const struct rtnl_handler addrconf_rtnl_handlers[], addrlabel_rtnl_handlers[],
	addrconf_link_rtnl_handlers[];
extern const struct rtnl_af_ops inet6_af_ops;
extern const u32 nr_addrconf_rtnl_handlers, nr_addrlabel_rtnl_handlers,
	nr_addrconf_link_rtnl_handlers;

/* ---- addrlabel.c ------------------------------------------------------------------------------------------------- */

#define IPV6_ADDR_LABEL_DEFAULT 0xffffffffu
u32 ipv6_addr_label(const struct net *net, const struct in6_addr *addr, int ifindex);
void addrlabel_net_exit(struct net *net);

/* ---- anycast.c --------------------------------------------------------------------------------------------------- */

struct ifacaddr6 { /* an anycast address of a device; inet6_dev.ac_list */
	struct list_head node;
	struct in6_addr addr;
	u32 users;
	bool joined; /* its solicited-node group was joined */
	u64 cstamp, tstamp;
};
int ipv6_dev_ac_inc(struct inet6_dev *idev, const struct in6_addr *addr); /* 0 or -ENOMEM */
void ipv6_dev_ac_dec(struct inet6_dev *idev, const struct in6_addr *addr);
void ipv6_dev_ac_clear(struct inet6_dev *idev);
int addrconf_join_solict(struct net_device *dev, const struct in6_addr *addr); /* 0 or -ENOMEM */
void ipv6_dev_ac_complete(struct inet6_dev *idev); /* as addrconf_complete() */
void addrconf_leave_solict(struct net_device *dev, const struct in6_addr *addr);

/* ---- ndisc_dns.c, ip6_route.c, sysctl_ipv6.c ----------------------------------------------------------------------- */

void ndisc_dns_free(struct inet6_dev *idev);
void ipv6_devconf_defaults(struct net *net);

#endif
