/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_ioctl.c - the old device requests (SIOCGIF..., SIOCSIF...) of netdevice(7)
 *
 * Reads answer from the device. Changes call the same functions that RTM_SETLINK calls, under rtnl; addresses and routes belong
 * to the families and come through their own ioctl. Requests about devices that are unknown here give -ENOIOCTLCMD.
 * Context: control; no lock held by the caller.
 */
#include <errno.h>
#include <linux/sockios.h>

#include "core/netdevice.h"
#include "core/sysctl.h"
#include "socket/socket.h"
#include "socket/socket_internal.h"

struct ifreq_handler {
	unsigned cmd;
	bool set;
	/* rtnl and cpu lock held for get, rtnl for set */
	int (*fn)(struct net_device *dev, struct ifreq *ifr);
};

static int get_index(struct net_device *dev, struct ifreq *ifr)
{
	ifr->ifr_ifindex = dev->ifindex;
	return 0;
}
static int get_flags(struct net_device *dev, struct ifreq *ifr)
{
	ifr->ifr_flags = (short)dev_get_flags(dev);
	return 0;
}
static int get_metric(struct net_device *dev, struct ifreq *ifr)
{
	(void)dev;
	ifr->ifr_metric = 0;
	return 0;
}
static int get_mtu(struct net_device *dev, struct ifreq *ifr)
{
	ifr->ifr_mtu = (int)dev->mtu;
	return 0;
}
static int get_hwaddr(struct net_device *dev, struct ifreq *ifr)
{
	memset(&ifr->ifr_hwaddr, 0, sizeof(ifr->ifr_hwaddr));
	ifr->ifr_hwaddr.sa_family = dev->type;
	memcpy(ifr->ifr_hwaddr.sa_data, dev->dev_addr,
	       min((size_t)dev->addr_len, sizeof(ifr->ifr_hwaddr.sa_data)));
	return 0;
}
static int get_txqlen(struct net_device *dev, struct ifreq *ifr)
{
	ifr->ifr_qlen = (int)dev->tx_queue_len;
	return 0;
}
static int get_map(struct net_device *dev, struct ifreq *ifr)
{
	(void)dev;
	memset(&ifr->ifr_map, 0, sizeof(ifr->ifr_map));
	return 0;
}

static int set_flags(struct net_device *dev, struct ifreq *ifr)
{
	/* 16 bits only: the rest stays as it is. */
	return dev_change_flags(dev, (dev->flags & ~0xffffu) | (u16)ifr->ifr_flags, NULL);
}
static int set_metric(struct net_device *dev, struct ifreq *ifr)
{
	(void)dev;
	(void)ifr;
	return -EOPNOTSUPP;
}
static int set_mtu(struct net_device *dev, struct ifreq *ifr)
{
	return dev_set_mtu(dev, ifr->ifr_mtu, NULL);
}
static int set_hwaddr(struct net_device *dev, struct ifreq *ifr)
{
	if (ifr->ifr_hwaddr.sa_family != dev->type ||
	    dev->addr_len > sizeof(ifr->ifr_hwaddr.sa_data))
		return -EINVAL;
	return dev_set_mac_address(dev, (const u8 *)ifr->ifr_hwaddr.sa_data, NULL);
}
static int set_hwbroadcast(struct net_device *dev, struct ifreq *ifr)
{
	if (ifr->ifr_hwaddr.sa_family != dev->type ||
	    dev->addr_len > sizeof(ifr->ifr_hwaddr.sa_data))
		return -EINVAL;
	cpu_lock(dev->cpu);
	memcpy(dev->broadcast, ifr->ifr_hwaddr.sa_data, dev->addr_len);
	cpu_unlock(dev->cpu);
	return call_netdevice_notifiers(NETDEV_CHANGEADDR, dev);
}
static int set_txqlen(struct net_device *dev, struct ifreq *ifr)
{
	return ifr->ifr_qlen < 0 ? -EINVAL : dev_change_tx_queue_len(dev, (u32)ifr->ifr_qlen);
}
static int set_name(struct net_device *dev, struct ifreq *ifr)
{
	ifr->ifr_newname[IFNAMSIZ - 1] = 0;
	return dev_change_name(dev, ifr->ifr_newname);
}
static int multi(struct net_device *dev, struct ifreq *ifr,
		 int (*fn)(struct net_device *, const u8 *))
{
	int err;

	if (ifr->ifr_hwaddr.sa_family != AF_UNSPEC)
		return -EINVAL;
	cpu_lock(dev->cpu);
	err = fn(dev, (const u8 *)ifr->ifr_hwaddr.sa_data);
	cpu_unlock(dev->cpu);
	return err;
}
static int add_multi(struct net_device *dev, struct ifreq *ifr)
{
	return multi(dev, ifr, dev_mc_add);
}
static int del_multi(struct net_device *dev, struct ifreq *ifr)
{
	return multi(dev, ifr, dev_mc_del);
}
static int ethtool(struct net_device *dev, struct ifreq *ifr)
{
	return dev_ethtool(dev, ifr->ifr_data);
}
/* libpcap and others probe for features with it: the answer must be EOPNOTSUPP, not ENOTTY. */
static int not_supported(struct net_device *dev, struct ifreq *ifr)
{
	(void)dev;
	(void)ifr;
	return -EOPNOTSUPP;
}

static const struct ifreq_handler ifreq_handlers[] = {
	{ SIOCGIFINDEX, false, get_index },
	{ SIOCGIFFLAGS, false, get_flags },
	{ SIOCGIFMETRIC, false, get_metric },
	{ SIOCGIFMTU, false, get_mtu },
	{ SIOCGIFHWADDR, false, get_hwaddr },
	{ SIOCGIFTXQLEN, false, get_txqlen },
	{ SIOCGIFMAP, false, get_map },
	{ SIOCGIFSLAVE, false, not_supported },
	{ SIOCSIFFLAGS, true, set_flags },
	{ SIOCSIFMETRIC, true, set_metric },
	{ SIOCSIFMTU, true, set_mtu },
	{ SIOCSIFHWADDR, true, set_hwaddr },
	{ SIOCSIFHWBROADCAST, true, set_hwbroadcast },
	{ SIOCSIFTXQLEN, true, set_txqlen },
	{ SIOCSIFNAME, true, set_name },
	{ SIOCSIFMAP, true, not_supported },
	{ SIOCADDMULTI, true, add_multi },
	{ SIOCDELMULTI, true, del_multi },
	{ SIOCETHTOOL, true, ethtool },
	{ SIOCGMIIPHY, false, not_supported },
	{ SIOCGMIIREG, false, not_supported },
	{ SIOCGHWTSTAMP, false, not_supported },
	{ SIOCSHWTSTAMP, true, not_supported },
};

static int get_ifname(struct net *net, struct ifreq *ifr)
{
	struct net_device *dev;
	int err = 0;

	cpu_lock(net->cpu);
	dev = __dev_get_by_index(net, ifr->ifr_ifindex);
	if (dev)
		memcpy(ifr->ifr_name, dev->name, IFNAMSIZ);
	else
		err = -ENODEV;
	cpu_unlock(net->cpu);
	return err;
}

static int ifreq_call(struct net *net, const struct ifreq_handler *h, struct ifreq *ifr)
{
	struct net_device *dev;
	char *colon;
	int err;

	ifr->ifr_name[IFNAMSIZ - 1] = 0;
	colon = strchr(ifr->ifr_name, ':'); /* an address label "eth0:1" names the device */
	if (colon)
		*colon = 0;
	rtnl_lock(net->machine);
	dev = __dev_get_by_name(net, ifr->ifr_name);
	if (!dev) {
		err = -ENODEV;
	} else if (h->set) {
		err = h->fn(dev, ifr);
	} else {
		cpu_lock(net->cpu);
		err = h->fn(dev, ifr);
		cpu_unlock(net->cpu);
	}
	rtnl_unlock(net->machine);
	if (colon)
		*colon = ':';
	return err;
}

int dev_ioctl(struct net *net, unsigned cmd, void *arg)
{
	if (cmd == SIOCGIFNAME)
		return get_ifname(net, arg);
	if (cmd == SIOCGIFCONF)
		return net->sock->gifconf ? net->sock->gifconf(net, arg) : -ENOIOCTLCMD;
	for (u32 i = 0; i < ARRAY_SIZE(ifreq_handlers); i++)
		if (ifreq_handlers[i].cmd == cmd)
			return ifreq_call(net, &ifreq_handlers[i], arg);
	return -ENOIOCTLCMD;
}
