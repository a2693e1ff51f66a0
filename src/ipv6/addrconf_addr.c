/* SPDX-License-Identifier: BSD-2-Clause */
/* addrconf_addr.c - kinds and scopes of addresses (RFC 4291, 4007), and which are ours */
#include "ipv6/addrconf.h"

#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "ipv6/addrconf_internal.h"
#include "lib/hash.h"

u8 ipv6_addr_scope(const struct in6_addr *a)
{
	int type = ipv6_addr_type(a);

	if (type & IPV6_ADDR_MULTICAST)
		return a->s6_addr[1] & 15;
	if (type & IPV6_ADDR_LOOPBACK)
		return 1;
	if (type & IPV6_ADDR_LINKLOCAL)
		return 2;
	return type & IPV6_ADDR_SITELOCAL ? 5 : 14;
}

int ipv6_addr_type(const struct in6_addr *a)
{
	static const u8 zeros[12];

	if (a->s6_addr[0] == 0xff) {
		u8 scope = a->s6_addr[1] & 15;

		return IPV6_ADDR_MULTICAST | (scope == 1   ? IPV6_ADDR_LOOPBACK
					      : scope == 2 ? IPV6_ADDR_LINKLOCAL
					      : scope == 5 ? IPV6_ADDR_SITELOCAL
							   : 0);
	}
	if (a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0x80)
		return IPV6_ADDR_UNICAST | IPV6_ADDR_LINKLOCAL;
	if (a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0xc0)
		return IPV6_ADDR_UNICAST | IPV6_ADDR_SITELOCAL;
	if (a->s6_addr[0] || memcmp(a->s6_addr, zeros, 10))
		return IPV6_ADDR_UNICAST;
	if (ipv6_addr_v4mapped(a))
		return IPV6_ADDR_MAPPED;
	if (memcmp(a->s6_addr, zeros, 12))
		return IPV6_ADDR_UNICAST;
	if (ipv6_addr_any(a))
		return IPV6_ADDR_ANY;
	if (ipv6_addr_equal(a, &in6addr_loopback))
		return IPV6_ADDR_UNICAST | IPV6_ADDR_LOOPBACK;
	return IPV6_ADDR_UNICAST | IPV6_ADDR_COMPATv4;
}

void addrconf_addr_solict_mult(const struct in6_addr *addr, struct in6_addr *ret)
{
	*ret = (struct in6_addr){ .s6_addr = { 0xff, 2, [11] = 1, 0xff, addr->s6_addr[13],
					       addr->s6_addr[14], addr->s6_addr[15] } };
}

/* ---- which are ours ------------------------------------------------------------------------------------------ */

static u32 addr_hash(const struct net *net, const struct in6_addr *addr)
{
	u32 w[4];

	memcpy(w, addr, 16);
	return jhash_3words(w[0] ^ w[1], w[2], w[3], (u32)net->machine->hash_seed[0]) &
	       ((1u << net->ipv6->addr_hash_bits) - 1);
}

/* Twice as many chains when there are more addresses than those. */
static int addr_hash_grow(struct net *net)
{
	struct netns_ipv6 *ip6 = net->ipv6;
	u32 old_size = ip6->addr_hash ? 1u << ip6->addr_hash_bits : 0;
	u32 bits = old_size ? ip6->addr_hash_bits + 1 : IN6_ADDR_HSIZE_BITS;
	struct hlist_head *old = ip6->addr_hash, *new;

	if (ip6->addr_count < old_size || bits > 20)
		return 0;
	new = calloc(1u << bits, sizeof(*new));
	if (!new)
		return old ? 0 : -ENOMEM;
	ip6->addr_hash = new;
	ip6->addr_hash_bits = bits;
	for (u32 i = 0; i < old_size; i++)
		while (old[i].first) {
			struct inet6_ifaddr *ifp =
				container_of(old[i].first, struct inet6_ifaddr, hash);

			hlist_del_init(&ifp->hash);
			hlist_add_head(&ifp->hash, &new[addr_hash(net, &ifp->addr)]);
		}
	free(old);
	return 0;
}

int inet6_hash_addr(struct net *net, struct inet6_ifaddr *ifp)
{
	int err = addr_hash_grow(net);

	if (err)
		return err;
	hlist_add_head(&ifp->hash, &net->ipv6->addr_hash[addr_hash(net, &ifp->addr)]);
	net->ipv6->addr_count++;
	return 0;
}

void inet6_unhash_addr(struct net *net, struct inet6_ifaddr *ifp)
{
	hlist_del_init(&ifp->hash);
	net->ipv6->addr_count--;
}

/* RFC 4007: addresses that mean another node on each link. */
static bool needs_link(const struct inet6_ifaddr *ifp)
{
	return ifp->scope <= 2;
}

static bool ifa_on(const struct inet6_ifaddr *ifp, const struct net_device *dev, bool strict)
{
	return !dev || ifp->idev->dev == dev || (!needs_link(ifp) && !strict);
}

struct inet6_ifaddr *ipv6_get_ifaddr(struct net *net, const struct in6_addr *addr,
				     const struct net_device *dev, bool strict)
{
	struct inet6_ifaddr *ifp;

	if (!net->ipv6->addr_hash)
		return NULL;
	hlist_for_each_entry(ifp, &net->ipv6->addr_hash[addr_hash(net, addr)], hash)
		if (ipv6_addr_equal(&ifp->addr, addr) && ifa_on(ifp, dev, strict))
			return ifp;
	return NULL;
}

static bool ifa_usable(const struct inet6_ifaddr *ifp)
{
	return !(ifp->flags & IFA_F_TENTATIVE) ||
	       (ifp->flags & IFA_F_OPTIMISTIC && !(ifp->flags & IFA_F_DADFAILED));
}

bool ipv6_chk_addr(struct net *net, const struct in6_addr *addr, const struct net_device *dev,
		   bool strict)
{
	struct inet6_ifaddr *ifp;

	if (!net->ipv6->addr_hash)
		return false;
	hlist_for_each_entry(ifp, &net->ipv6->addr_hash[addr_hash(net, addr)], hash)
		if (ipv6_addr_equal(&ifp->addr, addr) && ifa_usable(ifp) &&
		    ifa_on(ifp, dev, strict))
			return true;
	return false;
}

bool ipv6_chk_prefix(const struct in6_addr *addr, const struct net_device *dev)
{
	const struct inet6_dev *idev = __in6_dev_get(dev);
	struct inet6_ifaddr *ifp;

	if (!idev)
		return false;
	list_for_each_entry(ifp, &idev->addr_list, node)
		if (ipv6_prefix_equal(addr, &ifp->addr, ifp->prefix_len))
			return true;
	return false;
}

int ipv6_get_lladdr(const struct net_device *dev, struct in6_addr *ret, u32 banned_flags)
{
	const struct inet6_dev *idev = __in6_dev_get(dev);
	struct inet6_ifaddr *ifp;

	if (!idev)
		return -EADDRNOTAVAIL;
	list_for_each_entry(ifp, &idev->addr_list, node)
		if (ifp->scope == 2 && !(ifp->flags & banned_flags)) {
			*ret = ifp->addr;
			return 0;
		}
	return -EADDRNOTAVAIL;
}

/* ---- /proc/net ------------------------------------------------------------------------------------------------ */

static void show_addr(struct text *t, const struct in6_addr *a)
{
	for (u32 i = 0; i < 16; i++)
		text_printf(t, "%02x", a->s6_addr[i]);
}

/* The kind of scope as /proc/net/if_inet6 has it: IPV6_ADDR_* bits. */
static u32 proc_scope(u8 scope)
{
	return scope == 1   ? IPV6_ADDR_LOOPBACK
	       : scope == 2 ? IPV6_ADDR_LINKLOCAL
	       : scope == 5 ? IPV6_ADDR_SITELOCAL
			    : 0;
}

void if_inet6_show(struct net *net, struct text *t)
{
	const struct inet6_ifaddr *ifp;
	const struct inet6_dev *idev;

	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		list_for_each_entry(ifp, &idev->addr_list, node) {
			show_addr(t, &ifp->addr);
			text_printf(t, " %02x %02x %02x %02x %8s\n", (u32)idev->dev->ifindex,
				    ifp->prefix_len, proc_scope(ifp->scope), (u8)ifp->flags,
				    idev->dev->name);
		}
}

void anycast6_show(struct net *net, struct text *t)
{
	const struct ifacaddr6 *aca;
	const struct inet6_dev *idev;

	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		list_for_each_entry(aca, &idev->ac_list, node) {
			text_printf(t, "%-4d %-15s ", idev->dev->ifindex, idev->dev->name);
			show_addr(t, &aca->addr);
			text_printf(t, " %5u\n", aca->users);
		}
}
