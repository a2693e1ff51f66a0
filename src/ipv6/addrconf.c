/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addrconf.c - the IPv6 side of a device, and the life of its addresses
 *
 * Theory of operation
 *   Each device of at least 1,280 octets MTU (RFC 8200 5) has an inet6_dev. It is "ready" while the device is up with carrier and
 *   disable_ipv6 is 0; becoming ready brings ::1 or a link-local address, starts DAD for addresses that are there, and then
 *   router solicitations. Going down takes the addresses away, or, with keep_addr_on_down, only the use of permanent ones.
 *
 *   An address goes through these stages:
 *     tentative    in the list and the hash, its solicited-node group joined (joined), DAD running (addrconf_dad.c)
 *     usable       routes in table local, to the peer and for anycast are there (routed); optimistic addresses get here at once
 *     deprecated   preferred lifetime over: existing connections only (addrconf_slaac.c has the timer)
 *     dead         out of list and hash; freed with its last reference
 *   The route of its prefix is there from the beginning: so does Linux.
 *
 *   Who does what: addrconf_addr.c answers questions about addresses, addrconf_iid.c makes identifiers, addrconf_dad.c is DAD and
 *   router solicitation, addrconf_slaac.c prefixes of advertisements, lifetimes and temporary addresses, saddr.c source selection
 *   (RFC 6724), addrlabel.c its policy table, addrconf_netlink.c and addrconf_link.c messages, anycast.c anycast addresses.
 * Invariants
 *   An address in a list is in the hash, and has the list's reference. A timer is only armed while the address is in the list.
 *   cnf says what is wanted; inet6_dev.forwarding, .disabled and .addr_gen_mode what is in effect.
 * Locking: the cpu lock. Nothing here needs rtnl, so advertisements and timers change addresses, too.
 * See RFC 4862, RFC 4291.
 */
#include "ipv6/addrconf.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include <linux/if_arp.h>

#include "core/sysctl.h"
#include "ipv6/addrconf_internal.h"

#define NOARP_ANYWAY (IFF_NOARP | IFF_LOOPBACK)

/* ---- references ------------------------------------------------------------------------------------------------ */

void in6_ifa_put(struct inet6_ifaddr *ifp)
{
	if (!ifp || --ifp->refcount)
		return;
	assert(ifp->dead && !timer_pending(&ifp->dad_timer));
	in6_ifa_put(ifp->ifpub);
	free(ifp);
}

/* ---- what an address means for routing --------------------------------------------------------------------------- */

/* ::1 has none, single addresses that programs add have one: so does Linux. */
static bool wants_prefix_route(const struct inet6_ifaddr *ifp)
{
	return !(ifp->flags & IFA_F_NOPREFIXROUTE) &&
	       !(ifp->idev->dev->flags & IFF_LOOPBACK && ifp->scope == 1);
}

void inet6_ifa_prefix_route(const struct inet6_ifaddr *ifp)
{
	u32 lifetime = ifp->flags & IFA_F_PERMANENT ? INFINITY_LIFE : ifp->valid_lft;

	if (!wants_prefix_route(ifp))
		return;
	if (rt6_prefix_route(ifp->idev->dev, &ifp->addr, ifp->prefix_len, lifetime,
			     ifp->rt_priority, RTPROT_KERNEL))
		addrconf_incomplete(ifp->idev);
}

/* Another address of the device that needs the route of @ifp's prefix. */
static const struct inet6_ifaddr *prefix_sharer(const struct inet6_ifaddr *ifp)
{
	const struct inet6_ifaddr *other;

	list_for_each_entry(other, &ifp->idev->addr_list, node)
		if (other != ifp && other->prefix_len == ifp->prefix_len &&
		    !(other->flags & IFA_F_NOPREFIXROUTE) &&
		    ipv6_prefix_equal(&other->addr, &ifp->addr, ifp->prefix_len))
			return other;
	return NULL;
}

void inet6_ifa_prefix_unroute(const struct inet6_ifaddr *ifp)
{
	/* Prefixes of advertisements have a life of their own. */
	if (!wants_prefix_route(ifp) || prefix_sharer(ifp))
		return;
	rt6_prefix_route(ifp->idev->dev, &ifp->addr, ifp->prefix_len, 0, ifp->rt_priority,
			 RTPROT_KERNEL);
}

static void subnet_router(const struct inet6_ifaddr *ifp, struct in6_addr *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (u32 i = 0; i < ifp->prefix_len; i++)
		ret->s6_addr[i / 8] |= ifp->addr.s6_addr[i / 8] & (u8)(0x80 >> i % 8);
}

/* RFC 4291 2.6.1: routers answer to the prefix followed by zeros. Not where hosts have all identifiers (RFC 6164). */
static void anycast_join(struct inet6_ifaddr *ifp)
{
	struct in6_addr addr;

	if (ifp->anycast || ifp->prefix_len >= 127 || ifp->idev->dev->flags & IFF_LOOPBACK)
		return;
	subnet_router(ifp, &addr);
	if (ipv6_addr_any(&addr))
		return;
	ifp->anycast = !ipv6_dev_ac_inc(ifp->idev, &addr);
	if (!ifp->anycast)
		addrconf_incomplete(ifp->idev);
}

static void anycast_leave(struct inet6_ifaddr *ifp)
{
	struct in6_addr addr;

	if (!ifp->anycast)
		return;
	ifp->anycast = false;
	subnet_router(ifp, &addr);
	ipv6_dev_ac_dec(ifp->idev, &addr);
}

/* Nothing happens to what is there already. */
static void add_routes(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;
	int err = ip6_add_local_route(idev->dev, &ifp->addr, false);

	if (!err && !ipv6_addr_any(&ifp->peer_addr))
		err = rt6_prefix_route(idev->dev, &ifp->peer_addr, 128, INFINITY_LIFE,
				       ifp->rt_priority, RTPROT_KERNEL);
	if (err)
		addrconf_incomplete(idev);
	if (idev->forwarding)
		anycast_join(ifp);
	rt6_cache_flush(idev->net);
}

void inet6_ifa_route(struct inet6_ifaddr *ifp)
{
	if (ifp->routed)
		return;
	ifp->routed = true;
	add_routes(ifp);
}

void inet6_ifa_unroute(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;

	if (!ifp->routed)
		return;
	ifp->routed = false;
	if (idev->forwarding)
		anycast_leave(ifp);
	if (!ipv6_addr_any(&ifp->peer_addr))
		rt6_prefix_route(idev->dev, &ifp->peer_addr, 128, 0, ifp->rt_priority,
				 RTPROT_KERNEL);
	ip6_del_local_route(idev->dev, &ifp->addr, false);
	rt6_remove_prefsrc(idev->net, &ifp->addr);
	rt6_cache_flush(idev->net);
}

/* ---- adding -------------------------------------------------------------------------------------------------------- */

void inet6_ifa_set_lifetime(struct inet6_ifaddr *ifp, u32 valid, u32 preferred)
{
	u64 now = net_now(ifp->idev->net);

	ifp->flags &= ~(u32)(IFA_F_PERMANENT | IFA_F_DEPRECATED);
	ifp->valid_lft = valid;
	ifp->prefered_lft = preferred;
	ifp->tstamp = now;
	if (valid == INFINITY_LIFE)
		ifp->flags |= IFA_F_PERMANENT;
	if (!preferred)
		ifp->flags |= IFA_F_DEPRECATED;
}

static int check_new_addr(const struct inet6_dev *idev, const struct ifa6_config *cfg,
			  struct netlink_ext_ack *extack)
{
	int type = ipv6_addr_type(&cfg->addr);

	if (idev->dead || idev->disabled) {
		nl_set_err_msg(extack, "IPv6 is disabled on this device");
		return idev->dead ? -ENODEV : -EACCES;
	}
	if (type == IPV6_ADDR_ANY) {
		nl_set_err_msg(extack, "Invalid address");
		return -EADDRNOTAVAIL;
	}
	if (type & IPV6_ADDR_MULTICAST && !(cfg->flags & IFA_F_MCAUTOJOIN)) {
		nl_set_err_msg(extack, "Cannot assign multicast address without "
				       "\"IFA_F_MCAUTOJOIN\" flag");
		return -EADDRNOTAVAIL;
	}
	if (type & IPV6_ADDR_LOOPBACK && !(type & IPV6_ADDR_MULTICAST) &&
	    !(idev->dev->flags & IFF_LOOPBACK)) {
		nl_set_err_msg(extack, "Cannot assign loopback address on this device");
		return -EADDRNOTAVAIL;
	}
	if (ipv6_get_ifaddr(idev->net, &cfg->addr, idev->dev, true)) {
		nl_set_err_msg(extack, "address already assigned");
		return -EEXIST;
	}
	return 0;
}

/* By scope, widest first; the newest of a scope before the others. */
static void addr_list_insert(struct inet6_dev *idev, struct inet6_ifaddr *ifp)
{
	struct inet6_ifaddr *other;

	list_for_each_entry(other, &idev->addr_list, node)
		if (ifp->scope >= other->scope) {
			list_add_tail(&ifp->node, &other->node);
			return;
		}
	list_add_tail(&ifp->node, &idev->addr_list);
}

static struct inet6_ifaddr *addr_alloc(struct inet6_dev *idev, const struct ifa6_config *cfg)
{
	struct inet6_ifaddr *ifp = calloc(1, sizeof(*ifp));

	if (!ifp)
		return NULL;
	ifp->idev = idev;
	ifp->addr = cfg->addr;
	ifp->peer_addr = cfg->peer;
	ifp->prefix_len = cfg->plen;
	ifp->scope = ipv6_addr_scope(&cfg->addr);
	ifp->proto = cfg->proto;
	ifp->rt_priority = cfg->rt_priority;
	ifp->flags = cfg->flags;
	/* RFC 4862 5.4: nobody knows yet whether it is free. */
	if (!(cfg->flags & IFA_F_NODAD) && !(idev->dev->flags & IFF_LOOPBACK) &&
	    !ipv6_addr_is_multicast(&cfg->addr))
		ifp->flags |= IFA_F_TENTATIVE;
	ifp->refcount = 1;
	ifp->cstamp = net_now(idev->net);
	inet6_ifa_set_lifetime(ifp, cfg->valid, cfg->preferred);
	return ifp;
}

int inet6_addr_add(struct inet6_dev *idev, const struct ifa6_config *cfg,
		   struct netlink_ext_ack *extack, struct inet6_ifaddr **ret)
{
	int err = check_new_addr(idev, cfg, extack);
	struct inet6_ifaddr *ifp;

	if (err)
		return err;
	ifp = addr_alloc(idev, cfg);
	if (!ifp)
		return -ENOBUFS;
	err = inet6_hash_addr(idev->net, ifp);
	if (err) {
		free(ifp);
		return -ENOBUFS;
	}
	addr_list_insert(idev, ifp);
	idev->net->ipv6->addr_generation++;
	if (ipv6_addr_is_multicast(&ifp->addr))
		ipv6_dev_mc_inc(idev->dev, &ifp->addr);
	inet6_ifa_prefix_route(ifp);
	if (cfg->requested && ifp->flags & IFA_F_TENTATIVE && !(ifp->flags & IFA_F_OPTIMISTIC))
		inet6_ifa_notify(RTM_NEWADDR, ifp);
	if (ret)
		*ret = ifp;
	addrconf_dad_start(ifp);
	addrconf_verify(idev);
	return 0;
}

/* ---- removing -------------------------------------------------------------------------------------------------------- */

/* The list's reference keeps @ifp until its caller gives that back. */
static void orphan_tempaddrs(struct inet6_dev *idev, struct inet6_ifaddr *ifp)
{
	struct inet6_ifaddr *other;

	list_for_each_entry(other, &idev->addr_list, node)
		if (other->ifpub == ifp) {
			other->ifpub = NULL;
			in6_ifa_put(ifp);
		}
}

void ipv6_del_addr(struct inet6_ifaddr *ifp)
{
	struct inet6_dev *idev = ifp->idev;

	if (ifp->dead)
		return;
	ifp->dead = true;
	list_del(&ifp->node);
	inet6_unhash_addr(idev->net, ifp);
	idev->net->ipv6->addr_generation++;
	addrconf_dad_stop(ifp);
	inet6_ifa_notify(RTM_DELADDR, ifp);
	inet6_ifa_unroute(ifp);
	inet6_ifa_prefix_unroute(ifp);
	if (ipv6_addr_is_multicast(&ifp->addr))
		ipv6_dev_mc_dec(idev->dev, &ifp->addr);
	orphan_tempaddrs(idev, ifp);
	in6_ifa_put(ifp);
}

/* ---- link-local addresses ----------------------------------------------------------------------------------------------- */

static int add_own(struct inet6_dev *idev, const struct in6_addr *addr, u8 plen, u32 flags,
		   u8 proto)
{
	struct ifa6_config cfg = {
		.addr = *addr,
		.plen = plen,
		.proto = proto,
		.flags = flags,
		.valid = INFINITY_LIFE,
		.preferred = INFINITY_LIFE,
	};

	return inet6_addr_add(idev, &cfg, NULL, NULL);
}

void addrconf_gen_linklocal(struct inet6_dev *idev)
{
	struct in6_addr addr = { .s6_addr = { 0xfe, 0x80 } };
	u32 flags;

	if (idev->dev->flags & IFF_LOOPBACK || addrconf_gen_iid(idev, &addr, 0, &flags))
		return;
	/* RFC 4429 3.1: hosts only */
	if (idev->cnf.optimistic_dad && !idev->cnf.forwarding)
		flags |= IFA_F_OPTIMISTIC;
	idev->lladdr_missing = add_own(idev, &addr, 64, flags, IFAPROT_KERNEL_LL) == -ENOBUFS;
	if (idev->lladdr_missing)
		addrconf_incomplete(idev);
}

/* ---- devices that become ready and cease to be -------------------------------------------------------------------------- */

static bool link_ready(const struct net_device *dev)
{
	return netif_running(dev) && netif_carrier_ok(dev);
}

/* RFC 4291 2.8: the groups that a node is in by itself, a router in some more (RFC 4861 6.2.2). */
static const struct in6_addr own_groups[] = {
	{ .s6_addr = { 0xff, 1, [15] = 1 } }, { .s6_addr = { 0xff, 2, [15] = 1 } },
	{ .s6_addr = { 0xff, 2, [15] = 2 } }, { .s6_addr = { 0xff, 1, [15] = 2 } },
	{ .s6_addr = { 0xff, 5, [15] = 2 } },
};
enum { ALL_NODES = 0x03, ALL_ROUTERS = 0x1c }; /* bits of own_groups */

/* Makes memberships what is wanted. */
static void own_groups_sync(struct inet6_dev *idev)
{
	for (u32 i = 0; i < ARRAY_SIZE(own_groups); i++) {
		u8 bit = (u8)(1u << i);

		if (!((idev->groups_wanted ^ idev->groups_joined) & bit))
			continue;
		if (idev->groups_joined & bit)
			ipv6_dev_mc_dec(idev->dev, &own_groups[i]);
		else if (ipv6_dev_mc_inc(idev->dev, &own_groups[i])) {
			addrconf_incomplete(idev);
			continue;
		}
		idev->groups_joined ^= bit;
	}
}

static void set_all_routers(struct inet6_dev *idev, bool join)
{
	if (!(idev->dev->flags & IFF_MULTICAST))
		return;
	if (join)
		idev->groups_wanted |= ALL_ROUTERS;
	else
		idev->groups_wanted &= (u8)~ALL_ROUTERS;
	own_groups_sync(idev);
}

void addrconf_incomplete(struct inet6_dev *idev)
{
	if (idev->dead)
		return;
	idev->incomplete = true;
	addrconf_verify(idev);
}

void addrconf_complete(struct inet6_dev *idev)
{
	struct in6_addr lladdr;
	struct inet6_ifaddr *ifp;

	own_groups_sync(idev);
	if (!(idev->if_flags & (u32)IF_READY))
		return;
	if (rt6_device_up(idev->dev))
		addrconf_incomplete(idev);
	list_for_each_entry(ifp, &idev->addr_list, node) {
		inet6_ifa_prefix_route(ifp);
		addrconf_dad_join(ifp);
		if (ifp->routed)
			add_routes(ifp);
	}
	ipv6_dev_ac_complete(idev);
	if (idev->lladdr_missing && ipv6_get_lladdr(idev->dev, &lladdr, 0)) {
		idev->lladdr_missing = false;
		addrconf_gen_linklocal(idev);
	}
}

void addrconf_dev_up(struct net_device *dev)
{
	struct inet6_dev *idev = ipv6_find_idev(dev);
	struct inet6_ifaddr *ifp, *next;

	if (!idev || idev->disabled || !link_ready(dev) || idev->if_flags & (u32)IF_READY)
		return;
	idev->if_flags |= (u32)IF_READY;
	idev->tstamp = net_now(idev->net);
	/* Links without addresses have nothing that an identifier could be made from. */
	if (dev->type == ARPHRD_NONE && idev->cnf.addr_gen_mode == IN6_ADDR_GEN_EUI64)
		idev->cnf.addr_gen_mode = idev->addr_gen_mode = IN6_ADDR_GEN_RANDOM;
	if (rt6_device_up(dev))
		addrconf_incomplete(idev);
	list_for_each_entry_safe(ifp, next, &idev->addr_list, node) {
		inet6_ifa_prefix_route(ifp);
		addrconf_dad_start(ifp);
	}
	if (dev->flags & IFF_LOOPBACK)
		add_own(idev, &in6addr_loopback, 128, 0, IFAPROT_KERNEL_LO);
	else
		addrconf_gen_linklocal(idev);
	addrconf_verify(idev);
}

static bool stays_on_down(const struct inet6_dev *idev, const struct inet6_ifaddr *ifp)
{
	bool keep = idev->cnf.keep_addr_on_down || idev->net->ipv6->devconf_all.keep_addr_on_down;

	return keep && ifp->flags & IFA_F_PERMANENT && ifp->scope > 2;
}

void addrconf_dev_down(struct inet6_dev *idev, bool keep)
{
	struct inet6_ifaddr *ifp, *next;

	addrconf_rs_stop(idev);
	del_timer(&idev->addr_timer);
	list_for_each_entry_safe(ifp, next, &idev->addr_list, node) {
		if (!keep || !stays_on_down(idev, ifp)) {
			ipv6_del_addr(ifp);
			continue;
		}
		addrconf_dad_stop(ifp);
		inet6_ifa_unroute(ifp);
		if (!(ifp->flags & IFA_F_NODAD))
			ifp->flags |= IFA_F_TENTATIVE;
	}
	/* What is left is sockets', who count on it. */
	if (idev->dead)
		ipv6_dev_ac_clear(idev);
	idev->if_flags &= ~(u32)(IF_RS_SENT | IF_RA_RCVD | IF_READY);
	ndisc_dns_free(idev);
	rt6_device_down(idev->dev, false);
	idev->tstamp = net_now(idev->net);
}

void addrconf_set_disabled(struct inet6_dev *idev, bool disabled)
{
	if (idev->disabled == disabled)
		return;
	if (disabled)
		addrconf_dev_down(idev, false);
	idev->disabled = disabled;
	if (!disabled)
		addrconf_dev_up(idev->dev);
}

void addrconf_set_forwarding(struct inet6_dev *idev, bool on)
{
	struct inet6_ifaddr *ifp;

	if (idev->forwarding == on)
		return;
	idev->forwarding = on;
	set_all_routers(idev, on);
	list_for_each_entry(ifp, &idev->addr_list, node) {
		if (!ifp->routed)
			continue;
		if (on)
			anycast_join(ifp);
		else
			anycast_leave(ifp);
	}
	inet6_netconf_notify(idev->net, RTM_NEWNETCONF, NETCONFA_FORWARDING, idev->dev->ifindex,
			     &idev->cnf);
}

/* ---- the life of inet6_dev ------------------------------------------------------------------------------------------------- */

static bool may_have_ipv6(const struct net_device *dev)
{
	return dev->mtu >= IPV6_MIN_MTU_ && dev->net->ipv6 && dev->reg_state == NETREG_REGISTERED;
}

static void devconf_init(struct inet6_dev *idev)
{
	const struct net_device *dev = idev->dev;

	idev->cnf = idev->net->ipv6->devconf_default;
	memset(&idev->cnf.stable_secret, 0, sizeof(idev->cnf.stable_secret));
	idev->cnf.mtu6 = dev->mtu;
	if (dev->flags & NOARP_ANYWAY) {
		idev->cnf.accept_dad = -1;
		idev->cnf.use_tempaddr = -1;
	}
	idev->disabled = idev->cnf.disable_ipv6;
	idev->addr_gen_mode = idev->cnf.addr_gen_mode;
}

static struct inet6_dev *ipv6_add_dev(struct net_device *dev)
{
	struct netns_ipv6 *ip6 = dev->net->ipv6;
	struct inet6_dev *idev = calloc(1, sizeof(*idev));

	if (!idev)
		return NULL;
	idev->dev = dev;
	idev->net = dev->net;
	idev->tstamp = net_now(dev->net);
	list_init(&idev->addr_list);
	list_init(&idev->ac_list);
	devconf_init(idev);
	idev->nd_parms = neigh_parms_alloc(dev, ip6->nd_tbl);
	if (!idev->nd_parms) {
		free(idev);
		return NULL;
	}
	addrconf_rs_setup(idev);
	addrconf_verify_setup(idev);
	dev_hold(dev);
	list_add_tail(&idev->node, &ip6->in6_devs);
	dev->ip6_ptr = idev;
	ipv6_mc_init_dev(idev);
	idev->groups_wanted = ALL_NODES;
	own_groups_sync(idev);
	idev->forwarding = idev->cnf.forwarding;
	if (idev->forwarding)
		set_all_routers(idev, true);
	inet6_netconf_notify(idev->net, RTM_NEWNETCONF, NETCONFA_ALL, dev->ifindex, &idev->cnf);
	return idev;
}

struct inet6_dev *ipv6_find_idev(struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	return idev || !may_have_ipv6(dev) ? idev : ipv6_add_dev(dev);
}

static void ipv6_del_dev(struct inet6_dev *idev)
{
	struct net_device *dev = idev->dev;
	struct netns_ipv6 *ip6 = idev->net->ipv6;

	idev->dead = true;
	addrconf_dev_down(idev, false);
	ipv6_mc_destroy_dev(idev);
	rt6_device_down(dev, true);
	neigh_ifdown(ip6->nd_tbl, dev);
	ip6_rt_put(idev->link_dst);
	inet6_netconf_notify(idev->net, RTM_DELNETCONF, 0, dev->ifindex, NULL);
	dev->ip6_ptr = NULL;
	list_del(&idev->node);
	neigh_parms_release(ip6->nd_tbl, idev->nd_parms);
	dev_put(dev);
	free(idev);
}

static void addrconf_change_mtu(struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	if (dev->mtu < IPV6_MIN_MTU_) {
		if (idev)
			ipv6_del_dev(idev);
		return;
	}
	if (!idev) {
		addrconf_dev_up(dev);
		return;
	}
	idev->cnf.mtu6 = dev->mtu;
	rt6_cache_flush(dev->net);
}

static void addrconf_change(struct net_device *dev)
{
	struct inet6_dev *idev = __in6_dev_get(dev);

	/* Without carrier the addresses stay: cables are pulled and put back. */
	if (idev && netif_carrier_ok(dev))
		addrconf_dev_up(dev);
	rt6_cache_flush(dev->net);
}

static int addrconf_event(struct net_device *dev, enum netdev_event ev)
{
	struct net *net = dev->net;
	int err = 0;

	cpu_lock(net->cpu);
	switch (ev) {
	case NETDEV_REGISTER:
		if (may_have_ipv6(dev) && !ipv6_find_idev(dev))
			err = -ENOMEM;
		break;
	case NETDEV_UP:
		addrconf_dev_up(dev);
		break;
	case NETDEV_CHANGE:
		addrconf_change(dev);
		break;
	case NETDEV_CHANGEMTU:
		addrconf_change_mtu(dev);
		break;
	case NETDEV_DOWN:
		if (dev->ip6_ptr)
			addrconf_dev_down(dev->ip6_ptr, true);
		break;
	case NETDEV_UNREGISTER:
		if (dev->ip6_ptr)
			ipv6_del_dev(dev->ip6_ptr);
		break;
	default:
		break;
	}
	cpu_unlock(net->cpu);
	return err;
}

static int addrconf_net_init(struct net *net)
{
	ipv6_devconf_defaults(net);
	return 0;
}

static void addrconf_net_exit(struct net *net)
{
	struct netns_ipv6 *ip6 = net->ipv6;

	while (!list_empty(&ip6->in6_devs))
		ipv6_del_dev(list_first_entry(&ip6->in6_devs, struct inet6_dev, node));
	free(ip6->addr_hash);
	addrlabel_net_exit(net);
}

static const struct view_desc addrconf_views[] = {
	{ "/proc/net/if_inet6", if_inet6_show },
	{ "/proc/net/anycast6", anycast6_show },
};

static int addrconf_machine_init(struct machine *m)
{
	int err = rtnl_register(m, addrconf_rtnl_handlers, nr_addrconf_rtnl_handlers);

	if (!err)
		err = rtnl_register(m, addrlabel_rtnl_handlers, nr_addrlabel_rtnl_handlers);
	if (!err)
		err = rtnl_register(m, addrconf_link_rtnl_handlers, nr_addrconf_link_rtnl_handlers);
	if (!err)
		err = view_register(m, addrconf_views, ARRAY_SIZE(addrconf_views));
	return err ? err : rtnl_af_register(m, &inet6_af_ops);
}

const struct ipv6_part addrconf_part = {
	.name = "addrconf",
	.machine_init = addrconf_machine_init,
	.net_init = addrconf_net_init,
	.net_exit = addrconf_net_exit,
	.netdev_event = addrconf_event,
};
