/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * anycast.c - addresses that several nodes answer to (RFC 4291 2.6), and solicited-node groups
 *
 * A forwarding device has the subnet-router address of each of its prefixes; programs join others (IPV6_JOIN_ANYCAST). An address
 * counts its users; while it has some there are a route in table local and membership in its solicited-node group.
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/sock.h"
#include "inet/inet6_sock.h"
#include "ipv6/addrconf_internal.h"
#include "ipv6/ipv6.h"

int addrconf_join_solict(struct net_device *dev, const struct in6_addr *addr)
{
	struct in6_addr group;

	if (dev->flags & (IFF_LOOPBACK | IFF_NOARP))
		return 0;
	addrconf_addr_solict_mult(addr, &group);
	return ipv6_dev_mc_inc(dev, &group);
}

void addrconf_leave_solict(struct net_device *dev, const struct in6_addr *addr)
{
	struct in6_addr group;

	if (dev->flags & (IFF_LOOPBACK | IFF_NOARP))
		return;
	addrconf_addr_solict_mult(addr, &group);
	ipv6_dev_mc_dec(dev, &group);
}

/* ---- of a device ------------------------------------------------------------------------------------------------- */

static struct ifacaddr6 *ac_find(const struct inet6_dev *idev, const struct in6_addr *addr)
{
	struct ifacaddr6 *aca;

	list_for_each_entry(aca, &idev->ac_list, node)
		if (ipv6_addr_equal(&aca->addr, addr))
			return aca;
	return NULL;
}

/* Nothing happens to what is there already. */
static void ac_join(struct inet6_dev *idev, struct ifacaddr6 *aca)
{
	if (!aca->joined)
		aca->joined = !addrconf_join_solict(idev->dev, &aca->addr);
	if (ip6_add_local_route(idev->dev, &aca->addr, true) || !aca->joined)
		addrconf_incomplete(idev);
}

int ipv6_dev_ac_inc(struct inet6_dev *idev, const struct in6_addr *addr)
{
	struct ifacaddr6 *aca = ac_find(idev, addr);

	if (aca) {
		aca->users++;
		return 0;
	}
	aca = calloc(1, sizeof(*aca));
	if (!aca)
		return -ENOMEM;
	aca->addr = *addr;
	aca->users = 1;
	aca->cstamp = aca->tstamp = net_now(idev->net);
	list_add(&aca->node, &idev->ac_list);
	ac_join(idev, aca);
	return 0;
}

void ipv6_dev_ac_complete(struct inet6_dev *idev)
{
	struct ifacaddr6 *aca;

	list_for_each_entry(aca, &idev->ac_list, node)
		ac_join(idev, aca);
}

static void ac_free(struct inet6_dev *idev, struct ifacaddr6 *aca)
{
	list_del(&aca->node);
	if (aca->joined)
		addrconf_leave_solict(idev->dev, &aca->addr);
	ip6_del_local_route(idev->dev, &aca->addr, true);
	free(aca);
}

void ipv6_dev_ac_dec(struct inet6_dev *idev, const struct in6_addr *addr)
{
	struct ifacaddr6 *aca = ac_find(idev, addr);

	if (aca && !--aca->users)
		ac_free(idev, aca);
}

void ipv6_dev_ac_clear(struct inet6_dev *idev)
{
	while (!list_empty(&idev->ac_list))
		ac_free(idev, list_first_entry(&idev->ac_list, struct ifacaddr6, node));
}

bool ipv6_chk_acast_addr(struct net *net, const struct net_device *dev, const struct in6_addr *addr)
{
	const struct inet6_dev *idev;

	if (dev)
		return __in6_dev_get(dev) && ac_find(__in6_dev_get(dev), addr);
	list_for_each_entry(idev, &net->ipv6->in6_devs, node)
		if (ac_find(idev, addr))
			return true;
	return false;
}

/* ---- of a socket --------------------------------------------------------------------------------------------------- */

struct ipv6_ac_socklist { /* ipv6_pinfo.ac_list */
	struct list_head node;
	struct in6_addr addr;
	int ifindex;
};

static bool sock_has_list(const struct ipv6_pinfo *np)
{
	return np->ac_list.next;
}

/* The device that @addr is joined on. NULL with *ret_err */
static struct inet6_dev *ac_join_dev(struct net *net, int ifindex, const struct in6_addr *addr,
				     int *ret_err)
{
	bool host = !net->ipv6->devconf_all.forwarding;
	struct flowi6 fl = { .daddr = *addr, .saddr = in6addr_loopback };
	struct net_device *dev = NULL;
	struct fib6_info *f;

	*ret_err = -ENODEV;
	if (ifindex) {
		dev = __dev_get_by_index(net, ifindex);
	} else {
		f = fib6_lookup(net, &fl, false);
		if (f && f->type == RTN_UNICAST)
			dev = f->dev;
		else if (host)
			*ret_err = -EADDRNOTAVAIL;
	}
	if (!dev)
		return NULL;
	*ret_err = -EADDRNOTAVAIL;
	if (!__in6_dev_get(dev)) {
		*ret_err = ifindex ? -ENODEV : -EADDRNOTAVAIL;
		return NULL;
	}
	/* RFC 4291 2.6: a host may have anycast addresses of its own prefixes; others would need routing. */
	if (!ipv6_chk_prefix(addr, dev) && host)
		return NULL;
	return __in6_dev_get(dev);
}

int ipv6_sock_ac_join(struct sock *sk, int ifindex, const struct in6_addr *addr)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct net *net = sock_net(sk);
	struct ipv6_ac_socklist *pac;
	struct inet6_dev *idev;
	int err;

	if (ipv6_addr_is_multicast(addr) || ipv6_chk_addr(net, addr, NULL, false))
		return -EINVAL;
	idev = ac_join_dev(net, ifindex, addr, &err);
	if (!idev)
		return err;
	pac = calloc(1, sizeof(*pac));
	if (!pac)
		return -ENOMEM;
	pac->addr = *addr;
	pac->ifindex = idev->dev->ifindex;
	err = ipv6_dev_ac_inc(idev, addr);
	if (err) {
		free(pac);
		return err;
	}
	if (!sock_has_list(np))
		list_init(&np->ac_list);
	list_add(&pac->node, &np->ac_list);
	return 0;
}

static void sock_ac_free(struct net *net, struct ipv6_ac_socklist *pac)
{
	struct net_device *dev = __dev_get_by_index(net, pac->ifindex);

	if (dev && __in6_dev_get(dev))
		ipv6_dev_ac_dec(__in6_dev_get(dev), &pac->addr);
	list_del(&pac->node);
	free(pac);
}

int ipv6_sock_ac_drop(struct sock *sk, int ifindex, const struct in6_addr *addr)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct ipv6_ac_socklist *pac;

	if (!sock_has_list(np))
		return -ENOENT;
	list_for_each_entry(pac, &np->ac_list, node) {
		if ((ifindex && pac->ifindex != ifindex) || !ipv6_addr_equal(&pac->addr, addr))
			continue;
		sock_ac_free(sock_net(sk), pac);
		return 0;
	}
	return -ENOENT;
}

void ipv6_sock_ac_close(struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk(sk);

	while (sock_has_list(np) && !list_empty(&np->ac_list))
		sock_ac_free(sock_net(sk),
			     list_first_entry(&np->ac_list, struct ipv6_ac_socklist, node));
}
