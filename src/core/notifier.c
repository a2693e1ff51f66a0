/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notifier.c - who wants to know what happens to devices
 *
 * A chain per net, highest priority first, equal priorities in the order of registration. Whoever registers late is told about
 * the devices that are there already, so that no module depends on having been first.
 * Locking: rtnl. Callbacks run without a cpu lock; they may unregister themselves, not others.
 */
#include "core/netdevice.h"

void register_netdevice_notifier(struct net *net, struct notifier_block *nb)
{
	struct list_head *pos = &net->core->netdev_chain;
	struct notifier_block *other;
	struct net_device *dev;

	list_for_each_entry(other, &net->core->netdev_chain, node) {
		if (other->priority < nb->priority) {
			pos = &other->node;
			break;
		}
	}
	list_add_tail(&nb->node, pos);

	net_for_each_dev(net, dev) {
		nb->call(nb, NETDEV_REGISTER, dev);
		if (dev->flags & IFF_UP)
			nb->call(nb, NETDEV_UP, dev);
	}
}

/* The mirror image: the one who leaves sees the devices go. */
void unregister_netdevice_notifier(struct net *net, struct notifier_block *nb)
{
	struct net_device *dev;

	if (!nb->node.next || list_empty(&nb->node))
		return;
	list_del(&nb->node);
	net_for_each_dev(net, dev) {
		if (dev->flags & IFF_UP) {
			nb->call(nb, NETDEV_GOING_DOWN, dev);
			nb->call(nb, NETDEV_DOWN, dev);
		}
		nb->call(nb, NETDEV_UNREGISTER, dev);
	}
}

static bool may_refuse(enum netdev_event ev)
{
	return ev == NETDEV_PRE_UP || ev == NETDEV_REGISTER || ev == NETDEV_POST_INIT;
}

int call_netdevice_notifiers(enum netdev_event ev, struct net_device *dev)
{
	struct notifier_block *nb, *next;

	list_for_each_entry_safe(nb, next, &dev->net->core->netdev_chain, node) {
		int err = nb->call(nb, ev, dev);

		if (err && may_refuse(ev))
			return err;
	}
	return 0;
}
