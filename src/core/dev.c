/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev.c - the life of network devices: lists, names, flags, up and down, moving between nets
 *
 * Theory of operation
 *   alloc_netdev() gives a device one reference; register_netdevice() makes it visible, unregister_netdevice() takes all that back
 *   and drops the reference. Others (routes, neighbours) hold references of their own with dev_hold(), so the memory
 *   goes with the last dev_put(); such a device is on no list, is down and has no qdisc any more, and its net may be gone.
 *   Carrier changes come from drivers in any context, also with the cpu lock held, but notifiers want rtnl and no cpu lock:
 *   netif_carrier_on/off act on the queues at once and note the device in softnet->linkwatch; the next function
 *   here that returns to control code, rtnl_unlock(), or the next turn of the loop calls NETDEV_CHANGE (linkwatch_run()).
 * Invariants
 *   dev_list is ordered by ifindex; a registered device is in dev_list and in both hashes. A device that is not IFF_UP has no active
 *   qdisc. gflags holds what the administrator asked for; promiscuity and allmulti count all who ask.
 * Locking
 *   rtnl for all changes here; what the packet path reads changes with the home cpu's lock held as well. Notifiers are
 *   called with rtnl alone.
 */
#include "core/netdevice.h"

#include <ctype.h>
#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/net_group.h"
#include "core/nf_hook.h"
#include "core/qdisc.h"
#include "core/sysctl.h"

#define DEV_HASH_BITS_MIN  2
#define DEV_HASH_BITS_MAX  16
#define DEV_NAME_MAX_UNITS 32768 /* numbers that "%d" may take */

/* ---- names and lists ----------------------------------------------------------------------------------- */

int dev_valid_name(const char *name)
{
	size_t len = strnlen(name, IFNAMSIZ);

	if (len == 0 || len == IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '/' || name[i] == ':' || isspace((unsigned char)name[i]))
			return -EINVAL;
	}
	return 0;
}

static u32 name_hash(const char *name) /* FNV-1a */
{
	u32 h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (u8)*name) * 16777619u;
	return h ^ (h >> 15);
}

static struct hlist_head *name_bucket(const struct netns_core *core, const char *name)
{
	return &core->name_hash[name_hash(name) & ((1u << core->hash_bits) - 1)];
}

static struct hlist_head *index_bucket(const struct netns_core *core, int ifindex)
{
	return &core->index_hash[(u32)ifindex & ((1u << core->hash_bits) - 1)];
}

struct net_device *__dev_get_by_name(struct net *net, const char *name)
{
	struct net_device *dev;

	hlist_for_each_entry(dev, name_bucket(net->core, name), name_hlist) {
		if (!strncmp(dev->name, name, IFNAMSIZ))
			return dev;
	}
	return NULL;
}

struct net_device *__dev_get_by_index(struct net *net, int ifindex)
{
	struct net_device *dev;

	hlist_for_each_entry(dev, index_bucket(net->core, ifindex), index_hlist) {
		if (dev->ifindex == ifindex)
			return dev;
	}
	return NULL;
}

/* cpu lock held. Staying small when there is no memory only costs time. */
static void hash_grow(struct netns_core *core)
{
	u32 bits = core->hash_bits + 1;
	struct hlist_head *names, *indexes;
	struct net_device *dev;

	if (core->nr_devs <= 1u << core->hash_bits || bits > DEV_HASH_BITS_MAX)
		return;
	names = calloc(1u << bits, sizeof(*names));
	indexes = calloc(1u << bits, sizeof(*indexes));
	if (!names || !indexes) {
		free(names);
		free(indexes);
		return;
	}
	free(core->name_hash);
	free(core->index_hash);
	core->name_hash = names;
	core->index_hash = indexes;
	core->hash_bits = bits;
	list_for_each_entry(dev, &core->dev_list, dev_list) {
		hlist_add_head(&dev->name_hlist, name_bucket(core, dev->name));
		hlist_add_head(&dev->index_hlist, index_bucket(core, dev->ifindex));
	}
}

static void list_netdevice(struct net_device *dev) /* cpu lock held */
{
	struct netns_core *core = dev->net->core;
	struct list_head *pos = &core->dev_list;

	/* New devices have the highest number, nearly always. */
	while (pos->prev != &core->dev_list &&
	       list_entry(pos->prev, struct net_device, dev_list)->ifindex > dev->ifindex)
		pos = pos->prev;
	list_add_tail(&dev->dev_list, pos);
	hlist_add_head(&dev->name_hlist, name_bucket(core, dev->name));
	hlist_add_head(&dev->index_hlist, index_bucket(core, dev->ifindex));
	core->nr_devs++;
	core->dev_generation++;
	hash_grow(core);
}

static void unlist_netdevice(struct net_device *dev) /* cpu lock held */
{
	struct netns_core *core = dev->net->core;

	list_del(&dev->dev_list);
	hlist_del_init(&dev->name_hlist);
	hlist_del_init(&dev->index_hlist);
	core->nr_devs--;
	core->dev_generation++;
}

static int dev_new_index(struct net *net)
{
	struct netns_core *core = net->core;

	do {
		if (++core->ifindex <= 0)
			core->ifindex = 1;
	} while (__dev_get_by_index(net, core->ifindex));
	return core->ifindex;
}

/* The unit number of @name under the pattern "prefix%dsuffix", or -1. */
static long name_unit(const char *name, const char *prefix, size_t prefix_len, const char *suffix)
{
	const char *digits = name + prefix_len;
	char *end;
	long n;

	if (strnlen(name, prefix_len) < prefix_len || strncmp(name, prefix, prefix_len) ||
	    !isdigit((unsigned char)*digits))
		return -1;
	n = strtol(digits, &end, 10);
	if (strcmp(end, suffix) || n >= DEV_NAME_MAX_UNITS)
		return -1;
	/* "eth01" is not unit 1. */
	return digits[0] == '0' && end - digits > 1 ? -1 : n;
}

/* Resolves @pattern, which may contain one "%d", into a free valid name of @net. 0, -EINVAL, -EEXIST, -ENFILE, -ENOMEM */
static int dev_get_free_name(struct net *net, const char *pattern, char ret_name[IFNAMSIZ])
{
	const char *percent = strchr(pattern, '%');
	struct net_device *dev;
	char name[IFNAMSIZ];
	u8 *used;
	long n = 0;

	if (dev_valid_name(pattern))
		return -EINVAL;
	if (!percent) {
		if (__dev_get_by_name(net, pattern))
			return -EEXIST;
		strcpy(ret_name, pattern);
		return 0;
	}
	if (percent[1] != 'd' || strchr(percent + 1, '%'))
		return -EINVAL;
	used = calloc(DEV_NAME_MAX_UNITS / 8, 1);
	if (!used)
		return -ENOMEM;
	net_for_each_dev(net, dev) {
		long unit = name_unit(dev->name, pattern, (size_t)(percent - pattern), percent + 2);

		if (unit >= 0)
			used[unit / 8] |= (u8)(1 << unit % 8);
	}
	while (n < DEV_NAME_MAX_UNITS && used[n / 8] & 1 << n % 8)
		n++;
	free(used);
	if (n == DEV_NAME_MAX_UNITS)
		return -ENFILE;
	if (snprintf(name, sizeof(name), "%.*s%ld%s", (int)(percent - pattern), pattern, n,
		     percent + 2) >= (int)sizeof(name))
		return -EINVAL;
	memcpy(ret_name, name, IFNAMSIZ);
	return 0;
}

/* ---- memory -------------------------------------------------------------------------------------------- */

struct net_device *alloc_netdev(struct net *net, u32 priv, const char *name,
				void (*setup)(struct net_device *dev), u32 txqs)
{
	size_t size = ALIGN_UP(ALIGN_UP(sizeof(struct net_device), CACHE_LINE) + priv, CACHE_LINE);
	struct net_device *dev;

	if (strnlen(name, IFNAMSIZ) == IFNAMSIZ || txqs == 0)
		return NULL;
	dev = aligned_alloc(CACHE_LINE, size);
	if (!dev)
		return NULL;
	memset(dev, 0, size);
	dev->tx = calloc(txqs, sizeof(*dev->tx));
	if (!dev->tx) {
		free(dev);
		return NULL;
	}
	dev->num_tx_queues = txqs;
	for (u32 i = 0; i < txqs; i++)
		dev->tx[i].dev = dev;
	dev->net = net;
	dev->cpu = net->cpu;
	dev->refcount = 1;
	dev->carrier = true;
	dev->gso_max_size = GSO_MAX_SIZE;
	dev->gso_max_segs = GSO_MAX_SEGS;
	list_init(&dev->ptype_all);
	list_init(&dev->dev_list);
	list_init(&dev->napi_list);
	list_init(&dev->mc);
	list_init(&dev->linkwatch_node);
	list_init(&dev->qdiscs);
	strcpy(dev->name, name);
	setup(dev);
	return dev;
}

static void netdev_destroy(struct net_device *dev)
{
	struct netdev_hw_addr *ha, *next;

	list_for_each_entry_safe(ha, next, &dev->mc, node)
		free(ha);
	if (dev->priv_destructor)
		dev->priv_destructor(dev);
	free(dev->ifalias);
	free(dev->tx);
	free(dev);
}

void dev_put(struct net_device *dev)
{
	assert(dev->refcount > 0);
	if (--dev->refcount == 0) {
		assert(dev->reg_state != NETREG_REGISTERED);
		netdev_destroy(dev);
	}
}

void free_netdev(struct net_device *dev)
{
	if (dev)
		dev_put(dev);
}

/* ---- carrier and operational state: RFC 2863 3.1.13 ---------------------------------------------------- */

static int dev_get_iflink(const struct net_device *dev)
{
	if (dev->netdev_ops->ndo_get_iflink)
		return dev->netdev_ops->ndo_get_iflink(dev);
	return dev->iflink ? dev->iflink : dev->ifindex;
}

/* The device at the other end may live in another net and have the same number there. */
static bool dev_has_lower(const struct net_device *dev)
{
	return dev->netdev_ops->ndo_get_peer_dev || dev_get_iflink(dev) != dev->ifindex;
}

static void dev_update_operstate(struct net_device *dev)
{
	if (dev->carrier)
		dev->operstate =
			dev->link_mode == IF_LINK_MODE_DORMANT ? IF_OPER_DORMANT : IF_OPER_UP;
	else if (dev_has_lower(dev))
		dev->operstate = IF_OPER_LOWERLAYERDOWN;
	else
		dev->operstate = IF_OPER_DOWN;
}

static void linkwatch_note(struct net_device *dev)
{
	if (dev->reg_state != NETREG_REGISTERED)
		return;
	dev_update_operstate(dev);
	if (list_empty(&dev->linkwatch_node))
		list_add_tail(&dev->linkwatch_node, &dev->cpu->softnet->linkwatch);
	__atomic_store_n(&dev->cpu->machine->linkwatch_pending, 1, __ATOMIC_SEQ_CST);
	dev->cpu->need_kick = true; /* who sleeps for the cpu turns, and looks */
}

void netif_carrier_on(struct net_device *dev)
{
	if (dev->carrier)
		return;
	dev->carrier = true;
	linkwatch_note(dev);
	if (netif_running(dev))
		dev_activate(dev);
}

void netif_carrier_off(struct net_device *dev)
{
	if (!dev->carrier)
		return;
	dev->carrier = false;
	linkwatch_note(dev);
	if (netif_running(dev))
		dev_deactivate(dev);
}

void linkwatch_run(struct machine *m)
{
	__atomic_store_n(&m->linkwatch_pending, 0, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpus[i];

		if (!cpu->softnet)
			continue;
		for (;;) {
			struct net_device *dev;

			cpu_lock(cpu);
			run_remote_work(
				cpu); /* the other end of a veth may have told of its carrier */
			dev = list_first_entry_or_null(&cpu->softnet->linkwatch, struct net_device,
						       linkwatch_node);
			if (dev)
				list_del(&dev->linkwatch_node);
			cpu_unlock(cpu);
			if (!dev)
				break;
			/* rtnl keeps the device registered until we are done with it. */
			call_netdevice_notifiers(NETDEV_CHANGE, dev);
		}
	}
}

/* ---- features ------------------------------------------------------------------------------------------ */

static netdev_features_t netdev_features_consistent(netdev_features_t f)
{
	if (!(f & NETIF_F_SG))
		f &= ~(NETIF_F_GSO_SOFTWARE | NETIF_F_FRAGLIST | NETIF_F_GSO);
	/* A device that cuts segments must fill in their checksums. */
	if (!(f & (NETIF_F_HW_CSUM | NETIF_F_IP_CSUM)))
		f &= ~NETIF_F_TSO;
	if (!(f & (NETIF_F_HW_CSUM | NETIF_F_IPV6_CSUM)))
		f &= ~NETIF_F_TSO6;
	if (!(f & NETIF_F_HW_CSUM) &&
	    (f & (NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM)) != (NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM))
		f &= ~NETIF_F_GSO_UDP_L4;
	return f;
}

static netdev_features_t netdev_compute_features(struct net_device *dev)
{
	netdev_features_t f =
		(dev->features & ~dev->hw_features) | (dev->wanted_features & dev->hw_features);

	if (dev->netdev_ops->ndo_fix_features)
		f = dev->netdev_ops->ndo_fix_features(dev, f);
	return netdev_features_consistent(f);
}

void netdev_update_features(struct net_device *dev)
{
	netdev_features_t f = netdev_compute_features(dev);

	if (f == dev->features)
		return;
	cpu_lock(dev->cpu);
	dev->features = f;
	cpu_unlock(dev->cpu);
	if (dev->reg_state == NETREG_REGISTERED)
		call_netdevice_notifiers(NETDEV_FEAT_CHANGE, dev);
}

/* ---- registration -------------------------------------------------------------------------------------- */

static void flush_backlog(struct net_device *dev) /* cpu lock held */
{
	struct sk_buff_head *q = &dev->cpu->softnet->input_pkt_queue;
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(q, skb, next) {
		if (skb->dev == dev) {
			skb_unlink(skb, q);
			kfree_skb_reason(skb, SKB_DROP_NET_EXIT);
		}
	}
}

/* Down, invisible, without queues; told to all. What is common to leaving for good and leaving for another net. */
static void netdev_withdraw(struct net_device *dev)
{
	struct packet_tap *tap, *next;

	dev_close(dev);
	cpu_lock(dev->cpu);
	unlist_netdevice(dev);
	list_del(&dev->linkwatch_node);
	dev->reg_state = NETREG_UNREGISTERING;
	dev_shutdown(dev);
	cpu_unlock(dev->cpu);

	call_netdevice_notifiers(NETDEV_UNREGISTER, dev);

	cpu_lock(dev->cpu);
	flush_backlog(dev);
	list_for_each_entry_safe(tap, next, &dev->ptype_all, node)
		list_del(&tap->node);
	cpu_unlock(dev->cpu);
}

int register_netdevice(struct net_device *dev)
{
	struct net *net = dev->net;
	char name[IFNAMSIZ];
	int err;

	assert(dev->reg_state == NETREG_UNINITIALIZED && dev->netdev_ops &&
	       dev->netdev_ops->ndo_start_xmit);
	err = dev_get_free_name(net, dev->name, name);
	if (err)
		return err;
	if (dev->ifindex < 0)
		return -EINVAL;
	if (dev->ifindex && __dev_get_by_index(net, dev->ifindex))
		return -EBUSY;
	strcpy(dev->name, name);
	dev->cpu = net->cpu;

	if (dev->netdev_ops->ndo_init) {
		err = dev->netdev_ops->ndo_init(dev);
		if (err)
			return err > 0 ? -EIO : err;
	}
	if (!dev->ifindex)
		dev->ifindex = dev_new_index(net);
	if (!dev->addr_assign_type) /* else drawn or given: nothing is burnt in, unless the driver says so */
		memcpy(dev->perm_addr, dev->dev_addr, sizeof(dev->perm_addr));

	/* Segmentation and merging in software work for every device. */
	dev->hw_features |= NETIF_F_GSO | NETIF_F_GRO;
	dev->features |= NETIF_F_GSO | NETIF_F_GRO;
	dev->wanted_features = dev->features & dev->hw_features;
	dev->features = netdev_compute_features(dev);

	err = call_netdevice_notifiers(NETDEV_POST_INIT, dev);
	if (err)
		goto uninit;

	cpu_lock(dev->cpu);
	list_netdevice(dev);
	dev->reg_state = NETREG_REGISTERED;
	/* A device that never lost its carrier has the state "unknown", as Linux's loopback. */
	if (!dev->carrier)
		dev_update_operstate(dev);
	cpu_unlock(dev->cpu);

	err = call_netdevice_notifiers(NETDEV_REGISTER, dev);
	if (err)
		goto withdraw;
	return 0;

withdraw:
	netdev_withdraw(dev);
uninit:
	if (dev->netdev_ops->ndo_uninit)
		dev->netdev_ops->ndo_uninit(dev);
	dev->reg_state = NETREG_UNINITIALIZED;
	return err;
}

void unregister_netdevice(struct net_device *dev)
{
	struct machine *m = dev->net->machine;
	struct cpu *cpu = dev->cpu;
	struct napi_struct *napi, *next;

	if (dev->reg_state != NETREG_REGISTERED)
		return;
	netdev_withdraw(dev);
	if (dev->netdev_ops->ndo_uninit)
		dev->netdev_ops->ndo_uninit(dev);
	cpu_lock(cpu);
	list_for_each_entry_safe(napi, next, &dev->napi_list, dev_list)
		netif_napi_del(napi);
	if (dev->net->loopback_dev == dev)
		dev->net->loopback_dev = NULL;
	dev_put(dev);
	cpu_unlock(cpu);
	linkwatch_run(m);
}

int dev_change_net_namespace(struct net_device *dev, struct net *net, const char *name)
{
	char new_name[IFNAMSIZ];
	struct napi_struct *napi;
	int err;

	if (dev->features & NETIF_F_NETNS_LOCAL)
		return -EINVAL;
	if (dev->reg_state != NETREG_REGISTERED)
		return -EINVAL;
	if (net == dev->net)
		return name ? dev_change_name(dev, name) : 0;
	/* Packets, timers and queues of a device belong to its cpu. */
	if (net->cpu != dev->cpu)
		return -EOPNOTSUPP;
	err = dev_get_free_name(net, name ? name : dev->name, new_name);
	if (err == -EEXIST && !name)
		err = dev_get_free_name(net, "dev%d", new_name);
	if (err)
		return err;

	netdev_withdraw(dev);
	cpu_lock(dev->cpu);
	dev->net = net;
	strcpy(dev->name, new_name);
	if (__dev_get_by_index(net, dev->ifindex))
		dev->ifindex = dev_new_index(net);
	list_for_each_entry(napi, &dev->napi_list, dev_list)
		napi->cpu = net->cpu;
	list_netdevice(dev);
	dev->reg_state = NETREG_REGISTERED;
	cpu_unlock(dev->cpu);

	/* Nobody may refuse a device that has left its old home already. */
	call_netdevice_notifiers(NETDEV_REGISTER, dev);
	linkwatch_run(net->machine);
	return 0;
}

/* ---- up and down --------------------------------------------------------------------------------------- */

static void dev_set_rx_mode(struct net_device *dev) /* cpu lock held */
{
	if (netif_running(dev) && dev->netdev_ops->ndo_set_rx_mode)
		dev->netdev_ops->ndo_set_rx_mode(dev);
}

int dev_open(struct net_device *dev, struct netlink_ext_ack *extack)
{
	int err;

	if (netif_running(dev))
		return 0;
	if (dev->reg_state != NETREG_REGISTERED)
		return -ENODEV;
	err = call_netdevice_notifiers(NETDEV_PRE_UP, dev);
	if (err)
		return err;

	cpu_lock(dev->cpu);
	if (dev->netdev_ops->ndo_open)
		err = dev->netdev_ops->ndo_open(dev);
	if (!err) {
		dev->flags |= IFF_UP;
		dev_set_rx_mode(dev);
		dev_activate(dev);
	}
	cpu_unlock(dev->cpu);
	if (err)
		return err;
	call_netdevice_notifiers(NETDEV_UP, dev);
	linkwatch_run(dev->net->machine);
	return 0;
}

void dev_close(struct net_device *dev)
{
	if (!netif_running(dev))
		return;
	call_netdevice_notifiers(NETDEV_GOING_DOWN, dev);

	cpu_lock(dev->cpu);
	dev_deactivate(dev);
	dev->flags &= ~(u32)IFF_UP;
	if (dev->netdev_ops->ndo_stop)
		dev->netdev_ops->ndo_stop(dev);
	cpu_unlock(dev->cpu);

	call_netdevice_notifiers(NETDEV_DOWN, dev);
	linkwatch_run(dev->net->machine);
}

/* ---- flags --------------------------------------------------------------------------------------------- */

#define FLAGS_SETTABLE                                                                             \
	(IFF_DEBUG | IFF_NOTRAILERS | IFF_NOARP | IFF_DYNAMIC | IFF_MULTICAST | IFF_PORTSEL |      \
	 IFF_AUTOMEDIA)

static bool netif_oper_up(const struct net_device *dev)
{
	return dev->operstate == IF_OPER_UP || dev->operstate == IF_OPER_UNKNOWN;
}

u32 dev_get_flags(const struct net_device *dev)
{
	u32 flags = dev->flags &
		    ~(u32)(IFF_PROMISC | IFF_ALLMULTI | IFF_RUNNING | IFF_LOWER_UP | IFF_DORMANT);

	flags |= dev->gflags & (IFF_PROMISC | IFF_ALLMULTI);
	if (netif_running(dev)) {
		if (netif_oper_up(dev))
			flags |= IFF_RUNNING;
		if (netif_carrier_ok(dev))
			flags |= IFF_LOWER_UP;
		if (dev->operstate == IF_OPER_DORMANT)
			flags |= IFF_DORMANT;
	}
	return flags;
}

static int count_change(struct net_device *dev, u32 *count, u32 flag, int inc)
{
	if (inc > 0 && *count + (u32)inc < *count)
		return -EOVERFLOW;
	if (inc < 0 && *count < (u32)-inc)
		return -EINVAL;
	*count += (u32)inc;
	if (*count)
		dev->flags |= flag;
	else
		dev->flags &= ~flag;
	dev_set_rx_mode(dev);
	return 0;
}

int dev_set_promiscuity(struct net_device *dev, int inc)
{
	return count_change(dev, &dev->promiscuity, IFF_PROMISC, inc);
}

int dev_set_allmulti(struct net_device *dev, int inc)
{
	return count_change(dev, &dev->allmulti, IFF_ALLMULTI, inc);
}

static int dev_change_gflags(struct net_device *dev, u32 flags) /* cpu lock held */
{
	u32 changed = flags ^ dev->gflags;
	int err;

	if (changed & IFF_PROMISC) {
		err = dev_set_promiscuity(dev, flags & IFF_PROMISC ? 1 : -1);
		if (err)
			return err;
		dev->gflags ^= IFF_PROMISC;
	}
	if (changed & IFF_ALLMULTI) {
		err = dev_set_allmulti(dev, flags & IFF_ALLMULTI ? 1 : -1);
		if (err)
			return err;
		dev->gflags ^= IFF_ALLMULTI;
	}
	return 0;
}

int dev_change_flags(struct net_device *dev, u32 flags, struct netlink_ext_ack *extack)
{
	u32 old = dev->flags, old_gflags = dev->gflags, changed;
	int err;

	cpu_lock(dev->cpu);
	dev->flags = (flags & FLAGS_SETTABLE) | (dev->flags & ~(u32)FLAGS_SETTABLE);
	if ((old ^ flags) & IFF_MULTICAST)
		dev_set_rx_mode(dev);
	err = dev_change_gflags(dev, flags);
	cpu_unlock(dev->cpu);
	if (err)
		return err;

	changed = (old ^ dev->flags) | (old_gflags ^ dev->gflags);
	if ((flags & IFF_UP) && !netif_running(dev)) {
		err = dev_open(dev, extack);
	} else if (!(flags & IFF_UP) && netif_running(dev)) {
		dev_close(dev);
	} else if (changed) {
		call_netdevice_notifiers(NETDEV_CHANGE, dev);
	}
	return err;
}

/* ---- other properties ---------------------------------------------------------------------------------- */

int dev_set_mtu(struct net_device *dev, int mtu, struct netlink_ext_ack *extack)
{
	u32 old = dev->mtu;
	int err = 0;

	if (mtu < 0 || (u32)mtu < dev->min_mtu || (dev->max_mtu && (u32)mtu > dev->max_mtu))
		return -EINVAL;
	if ((u32)mtu == old)
		return 0;
	cpu_lock(dev->cpu);
	if (dev->netdev_ops->ndo_change_mtu)
		err = dev->netdev_ops->ndo_change_mtu(dev, mtu);
	if (!err)
		dev->mtu = (u32)mtu;
	cpu_unlock(dev->cpu);
	if (!err)
		call_netdevice_notifiers(NETDEV_CHANGEMTU, dev);
	return err;
}

int dev_change_name(struct net_device *dev, const char *name)
{
	char new_name[IFNAMSIZ];
	int err;

	if (!strncmp(dev->name, name, IFNAMSIZ))
		return 0;
	err = dev_get_free_name(dev->net, name, new_name);
	if (err)
		return err;
	cpu_lock(dev->cpu);
	hlist_del_init(&dev->name_hlist);
	strcpy(dev->name, new_name);
	hlist_add_head(&dev->name_hlist, name_bucket(dev->net->core, dev->name));
	dev->net->core->dev_generation++;
	cpu_unlock(dev->cpu);
	call_netdevice_notifiers(NETDEV_CHANGENAME, dev);
	return 0;
}

int dev_set_mac_address(struct net_device *dev, const u8 *addr, struct netlink_ext_ack *extack)
{
	int err;

	if (!dev->netdev_ops->ndo_set_mac_address)
		return -EOPNOTSUPP;
	if (netif_running(dev) && !dev->live_addr_change)
		return -EBUSY;
	if (dev->addr_len == ETH_ALEN && ((addr[0] & 1) || !memcmp(addr, "\0\0\0\0\0\0", ETH_ALEN)))
		return -EADDRNOTAVAIL;
	cpu_lock(dev->cpu);
	err = dev->netdev_ops->ndo_set_mac_address(dev, addr);
	if (!err)
		dev->addr_assign_type = 3; /* NET_ADDR_SET */
	cpu_unlock(dev->cpu);
	if (!err)
		call_netdevice_notifiers(NETDEV_CHANGEADDR, dev);
	return err;
}

int dev_change_tx_queue_len(struct net_device *dev, u32 len)
{
	if (len == dev->tx_queue_len)
		return 0;
	cpu_lock(dev->cpu);
	dev->tx_queue_len = len;
	dev_qdisc_change_tx_queue_len(dev);
	cpu_unlock(dev->cpu);
	call_netdevice_notifiers(NETDEV_CHANGE_TX_QUEUE_LEN, dev);
	return 0;
}

static struct netdev_hw_addr *mc_find(struct net_device *dev, const u8 *addr)
{
	struct netdev_hw_addr *ha;

	list_for_each_entry(ha, &dev->mc, node) {
		if (!memcmp(ha->addr, addr, dev->addr_len))
			return ha;
	}
	return NULL;
}

int dev_mc_add(struct net_device *dev, const u8 *addr)
{
	struct netdev_hw_addr *ha = mc_find(dev, addr);

	if (ha) {
		ha->refcount++;
		return 0;
	}
	ha = calloc(1, sizeof(*ha));
	if (!ha)
		return -ENOMEM;
	memcpy(ha->addr, addr, dev->addr_len);
	ha->refcount = 1;
	list_add_tail(&ha->node, &dev->mc);
	dev_set_rx_mode(dev);
	return 0;
}

int dev_mc_del(struct net_device *dev, const u8 *addr)
{
	struct netdev_hw_addr *ha = mc_find(dev, addr);

	if (!ha)
		return -ENOENT;
	if (--ha->refcount)
		return 0;
	list_del(&ha->node);
	free(ha);
	dev_set_rx_mode(dev);
	return 0;
}

void dev_get_stats(struct net_device *dev, struct rtnl_link_stats64 *ret)
{
	*ret = dev->stats;
	net_group_add_stats(dev, ret);
	ret->rx_nohandler += dev->rx_nohandler;
	if (dev->netdev_ops->ndo_get_stats64)
		dev->netdev_ops->ndo_get_stats64(dev, ret);
}

/* ---- machine and net ----------------------------------------------------------------------------------- */

static void default_qdisc_show(struct net *net, struct text *t)
{
	text_printf(t, "%s\n", net->core->default_qdisc->id);
}

/* For devices that come up for the first time from now on. */
static int default_qdisc_store(struct net *net, const char *text, size_t len)
{
	const struct Qdisc_ops *ops;
	char kind[IFNAMSIZ];

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= sizeof(kind))
		return -ENOENT;
	memcpy(kind, text, len);
	kind[len] = '\0';
	ops = qdisc_lookup_ops(net->machine, kind);
	if (!ops)
		return -ENOENT;
	net->core->default_qdisc = ops;
	return 0;
}

static void budget_usecs_show(struct net *net, struct text *t)
{
	text_printf(t, "%llu\n",
		    (unsigned long long)(net->cpu->softnet->netdev_budget_ns / NSEC_PER_USEC));
}

static int budget_usecs_store(struct net *net, const char *text, size_t len)
{
	u64 usecs = 0;

	if (!len || len > 9)
		return -EINVAL;
	for (size_t i = 0; i < len && text[i] != '\n'; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -EINVAL;
		usecs = usecs * 10 + (u64)(text[i] - '0');
	}
	if (!usecs)
		return -EINVAL;
	net->cpu->softnet->netdev_budget_ns = usecs * NSEC_PER_USEC;
	return 0;
}

static void *softnet_sysctl_base(struct net *net)
{
	return net->cpu->softnet;
}

/* The other rows of net.core are core_sysctls; socket/ registers them. */
static const struct sysctl_desc softnet_sysctl_rows[] = {
	{ .path = "core/netdev_budget_usecs",
	  .kind = SYSCTL_FUNC,
	  .show = budget_usecs_show,
	  .store = budget_usecs_store,
	  .help = "time of one NET_RX round at most" },
	{ .path = "core/default_qdisc",
	  .kind = SYSCTL_FUNC,
	  .show = default_qdisc_show,
	  .store = default_qdisc_store,
	  .help = "discipline of devices with a queue" },
};

static const struct sysctl_table softnet_sysctls = {
	.base = softnet_sysctl_base,
	.rows = softnet_sysctl_rows,
	.count = ARRAY_SIZE(softnet_sysctl_rows),
};

int dev_net_init(struct net *net)
{
	struct netns_core *core = calloc(1, sizeof(*core));

	if (!core)
		return -ENOMEM;
	core->hash_bits = DEV_HASH_BITS_MIN;
	core->name_hash = calloc(1u << core->hash_bits, sizeof(*core->name_hash));
	core->index_hash = calloc(1u << core->hash_bits, sizeof(*core->index_hash));
	if (!core->name_hash || !core->index_hash) {
		free(core->name_hash);
		free(core->index_hash);
		free(core);
		return -ENOMEM;
	}
	list_init(&core->dev_list);
	list_init(&core->ptype_all);
	for (u32 i = 0; i < ARRAY_SIZE(core->ptype_base); i++)
		list_init(&core->ptype_base[i]);
	list_init(&core->netdev_chain);
	core->default_qdisc = &pfifo_fast_ops;
	sysctl_set_defaults(&core_sysctls, core);
	net->core = core;
	return 0;
}

void dev_net_exit(struct net *net)
{
	struct netns_core *core = net->core;

	if (!core)
		return;
	/* The drivers' net_exit has run: what is left belongs to nobody else. */
	while (!list_empty(&core->dev_list)) {
		unregister_netdevice(
			list_first_entry(&core->dev_list, struct net_device, dev_list));
	}
	nf_hooks_free(net);
	dev_ptypes_free(net);
	net->core = NULL;
	free(core->name_hash);
	free(core->index_hash);
	free(core);
}

int dev_machine_init(struct machine *m)
{
	int err;

	for (u32 i = 0; i < m->ncpus; i++) {
		err = softnet_init(m->cpus[i]);
		if (err)
			goto undo;
	}
	err = sysctl_register(m, &softnet_sysctls);
	if (!err)
		err = dev_views_machine_init(m);
	if (err)
		goto undo;
	return 0;

undo:
	dev_machine_exit(m);
	return err;
}

void dev_machine_exit(struct machine *m)
{
	for (u32 i = 0; i < m->ncpus; i++)
		softnet_exit(m->cpus[i]);
}
