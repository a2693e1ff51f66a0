/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_views.c - devices as programs read them: /proc/net/dev, dev_mcast, ptype, softnet_stat, /sys/class/net
 *
 * The formats are those that proc(5) and the programs that parse them (ifconfig, ip, sar, node exporters) expect.
 * Locking: the cpu lock is held by the caller (struct view_desc).
 */
#include "core/netdevice.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_ether.h>

#include "core/machine.h"
#include "core/sysctl.h"

#define U(x) ((unsigned long long)(x))

static void proc_net_dev_show(struct net *net, struct text *t)
{
	struct net_device *dev;

	text_printf(t,
		    "Inter-|   Receive                                                |  Transmit\n"
		    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		    "packets errs "
		    "drop fifo colls carrier compressed\n");
	net_for_each_dev(net, dev) {
		struct rtnl_link_stats64 s;

		dev_get_stats(dev, &s);
		text_printf(t,
			    "%6s: %7llu %7llu %4llu %4llu %4llu %5llu %10llu %9llu "
			    "%8llu %7llu %4llu %4llu %4llu %5llu %7llu %10llu\n",
			    dev->name, U(s.rx_bytes), U(s.rx_packets), U(s.rx_errors),
			    U(s.rx_dropped + s.rx_missed_errors), U(s.rx_fifo_errors),
			    U(s.rx_length_errors + s.rx_over_errors + s.rx_crc_errors +
			      s.rx_frame_errors),
			    U(s.rx_compressed), U(s.multicast), U(s.tx_bytes), U(s.tx_packets),
			    U(s.tx_errors), U(s.tx_dropped), U(s.tx_fifo_errors), U(s.collisions),
			    U(s.tx_carrier_errors + s.tx_aborted_errors + s.tx_window_errors +
			      s.tx_heartbeat_errors),
			    U(s.tx_compressed));
	}
}

static void proc_dev_mcast_show(struct net *net, struct text *t)
{
	struct net_device *dev;

	net_for_each_dev(net, dev) {
		struct netdev_hw_addr *ha;

		list_for_each_entry(ha, &dev->mc, node) {
			text_printf(t, "%-4d %-15s %-5u %-5d ", dev->ifindex, dev->name,
				    ha->refcount, 0);
			for (int i = 0; i < dev->addr_len; i++)
				text_printf(t, "%02x", ha->addr[i]);
			text_printf(t, "\n");
		}
	}
}

/* One line per cpu. Other cpus' counters are read without their lock: single words that only grow. */
static void proc_softnet_stat_show(struct net *net, struct text *t)
{
	for (u32 i = 0; i < net->machine->ncpus; i++) {
		const struct softnet_data *sd = net->machine->cpus[i]->softnet;
		u32 qlen = __atomic_load_n(&sd->input_pkt_queue.qlen, __ATOMIC_RELAXED);

		text_printf(t,
			    "%08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x %08x "
			    "%08x\n",
			    __atomic_load_n(&sd->processed, __ATOMIC_RELAXED),
			    __atomic_load_n(&sd->dropped, __ATOMIC_RELAXED),
			    __atomic_load_n(&sd->time_squeeze, __ATOMIC_RELAXED), 0, 0, 0, 0, 0, 0,
			    0, 0, qlen, i, qlen, 0);
	}
}

static void ptype_line(struct text *t, u16 type, const struct net_device *dev, const char *name)
{
	if (!name)
		return;
	if (type == ETH_P_ALL)
		text_append(t, "ALL ", 4);
	else
		text_printf(t, "%04x", type);
	text_printf(t, " %-8s %s\n", dev ? dev->name : "", name);
}

static void taps_show(struct text *t, const struct list_head *taps)
{
	const struct packet_tap *tap;

	list_for_each_entry(tap, taps, node)
		ptype_line(t, tap->type, tap->dev, tap->name);
}

static void pack_show(const struct packet_type *pt, void *arg)
{
	ptype_line(arg, pt->type, NULL, pt->name);
}

/* Who gets packets: sniffers of a device, of all devices, protocols. */
static void proc_ptype_show(struct net *net, struct text *t)
{
	struct net_device *dev;

	text_printf(t, "Type Device      Function\n");
	net_for_each_dev(net, dev)
		taps_show(t, &dev->ptype_all);
	taps_show(t, &net->core->ptype_all);
	dev_for_each_pack(net, pack_show, t);
}

static const struct view_desc dev_views[] = {
	{ "/proc/net/dev", proc_net_dev_show },
	{ "/proc/net/dev_mcast", proc_dev_mcast_show },
	{ "/proc/net/ptype", proc_ptype_show },
	{ "/proc/net/softnet_stat", proc_softnet_stat_show },
};

int dev_views_machine_init(struct machine *m)
{
	return view_register(m, dev_views, ARRAY_SIZE(dev_views));
}

/* ---- /sys/class/net ------------------------------------------------------------------------------------- */

static void show_addr(const u8 *addr, const struct net_device *dev, struct text *t)
{
	for (int i = 0; i < dev->addr_len; i++)
		text_printf(t, "%s%02x", i ? ":" : "", addr[i]);
	text_printf(t, "\n");
}

static int addr_assign_type_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%d\n", dev->addr_assign_type);
	return 0;
}

static int addr_len_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%d\n", dev->addr_len);
	return 0;
}

static int address_show(struct net_device *dev, struct text *t)
{
	show_addr(dev->dev_addr, dev, t);
	return 0;
}

static int broadcast_show(struct net_device *dev, struct text *t)
{
	show_addr(dev->broadcast, dev, t);
	return 0;
}

static int carrier_show(struct net_device *dev, struct text *t)
{
	if (!netif_running(dev))
		return -EINVAL;
	text_printf(t, "%d\n", netif_carrier_ok(dev));
	return 0;
}

static int dormant_show(struct net_device *dev, struct text *t)
{
	if (!netif_running(dev))
		return -EINVAL;
	text_printf(t, "%d\n", dev->operstate == 5 /* IF_OPER_DORMANT */);
	return 0;
}

static int flags_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "0x%x\n", dev->flags);
	return 0;
}

static int ifalias_show(struct net_device *dev, struct text *t)
{
	if (dev->ifalias)
		text_printf(t, "%s\n", dev->ifalias);
	return 0;
}

static int ifindex_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%d\n", dev->ifindex);
	return 0;
}

static int iflink_show(struct net_device *dev, struct text *t)
{
	int link = dev->iflink ? dev->iflink : dev->ifindex;

	if (dev->netdev_ops->ndo_get_iflink)
		link = dev->netdev_ops->ndo_get_iflink(dev);
	text_printf(t, "%d\n", link);
	return 0;
}

static int link_mode_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%u\n", dev->link_mode);
	return 0;
}

static int mtu_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%u\n", dev->mtu);
	return 0;
}

static int netdev_group_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%u\n", dev->group);
	return 0;
}

static int operstate_show(struct net_device *dev, struct text *t)
{
	static const char *const names[] = { "unknown", "notpresent", "down", "lowerlayerdown",
					     "testing", "dormant",    "up" };
	u8 state = netif_running(dev) ? dev->operstate : IF_OPER_DOWN;

	text_printf(t, "%s\n", state < ARRAY_SIZE(names) ? names[state] : "unknown");
	return 0;
}

/* Virtual devices have no speed of their own; veth says 10 Gbit/s, as Linux's does. */
static int speed_show(struct net_device *dev, struct text *t)
{
	if (!netif_running(dev) || !dev->netdev_ops->ndo_get_peer_dev)
		return -EINVAL;
	text_printf(t, "10000\n");
	return 0;
}

static int duplex_show(struct net_device *dev, struct text *t)
{
	if (!netif_running(dev) || !dev->netdev_ops->ndo_get_peer_dev)
		return -EINVAL;
	text_printf(t, "full\n");
	return 0;
}

static int tx_queue_len_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%u\n", dev->tx_queue_len);
	return 0;
}

static int type_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "%u\n", dev->type);
	return 0;
}

static int uevent_show(struct net_device *dev, struct text *t)
{
	text_printf(t, "INTERFACE=%s\nIFINDEX=%d\n", dev->name, dev->ifindex);
	return 0;
}

static const struct sysfs_attr {
	const char *name;
	int (*show)(struct net_device *dev, struct text *t); /* 0 or -errno as read(2) gives */
} attrs[] = {
	{ "addr_assign_type", addr_assign_type_show },
	{ "addr_len", addr_len_show },
	{ "address", address_show },
	{ "broadcast", broadcast_show },
	{ "carrier", carrier_show },
	{ "dormant", dormant_show },
	{ "duplex", duplex_show },
	{ "flags", flags_show },
	{ "ifalias", ifalias_show },
	{ "ifindex", ifindex_show },
	{ "iflink", iflink_show },
	{ "link_mode", link_mode_show },
	{ "mtu", mtu_show },
	{ "netdev_group", netdev_group_show },
	{ "operstate", operstate_show },
	{ "speed", speed_show },
	{ "tx_queue_len", tx_queue_len_show },
	{ "type", type_show },
	{ "uevent", uevent_show },
};

#define STAT_ROW(field)                                                                            \
	{                                                                                          \
#field, offsetof(struct rtnl_link_stats64, field)                                  \
	}
static const struct {
	const char *name;
	size_t offset;
} stat_rows[] = {
	STAT_ROW(collisions),        STAT_ROW(multicast),
	STAT_ROW(rx_bytes),          STAT_ROW(rx_compressed),
	STAT_ROW(rx_crc_errors),     STAT_ROW(rx_dropped),
	STAT_ROW(rx_errors),         STAT_ROW(rx_fifo_errors),
	STAT_ROW(rx_frame_errors),   STAT_ROW(rx_length_errors),
	STAT_ROW(rx_missed_errors),  STAT_ROW(rx_nohandler),
	STAT_ROW(rx_over_errors),    STAT_ROW(rx_packets),
	STAT_ROW(tx_aborted_errors), STAT_ROW(tx_bytes),
	STAT_ROW(tx_carrier_errors), STAT_ROW(tx_compressed),
	STAT_ROW(tx_dropped),        STAT_ROW(tx_errors),
	STAT_ROW(tx_fifo_errors),    STAT_ROW(tx_heartbeat_errors),
	STAT_ROW(tx_packets),        STAT_ROW(tx_window_errors),
};

static int list_devices(struct net *net, struct text *t)
{
	struct net_device *dev;

	net_for_each_dev(net, dev)
		text_printf(t, "%s\n", dev->name);
	return -EISDIR;
}

static int list_attrs(struct text *t)
{
	for (u32 i = 0; i < ARRAY_SIZE(attrs); i++)
		text_printf(t, "%s\n", attrs[i].name);
	text_printf(t, "statistics\n");
	return -EISDIR;
}

static int statistics_read(struct net_device *dev, const char *name, struct text *t)
{
	struct rtnl_link_stats64 s;

	dev_get_stats(dev, &s);
	for (u32 i = 0; i < ARRAY_SIZE(stat_rows); i++) {
		if (!*name) {
			text_printf(t, "%s\n", stat_rows[i].name);
		} else if (!strcmp(name, stat_rows[i].name)) {
			text_printf(t, "%llu\n",
				    U(*(const __u64 *)((const char *)&s + stat_rows[i].offset)));
			return 0;
		}
	}
	return *name ? -ENOENT : -EISDIR;
}

int dev_sysfs_read(struct net *net, const char *rest, struct text *t)
{
	char name[IFNAMSIZ];
	struct net_device *dev;
	size_t len;

	rest += strspn(rest, "/");
	len = strcspn(rest, "/");
	if (!len)
		return list_devices(net, t);
	if (len >= sizeof(name))
		return -ENOENT;
	memcpy(name, rest, len);
	name[len] = '\0';
	dev = __dev_get_by_name(net, name);
	if (!dev)
		return -ENOENT;
	rest += len;
	rest += strspn(rest, "/");
	if (!*rest)
		return list_attrs(t);
	if (!strcmp(rest, "statistics"))
		return statistics_read(dev, "", t);
	if (!strncmp(rest, "statistics/", 11))
		return statistics_read(dev, rest + 11 + strspn(rest + 11, "/"), t);
	for (u32 i = 0; i < ARRAY_SIZE(attrs); i++) {
		if (!strcmp(rest, attrs[i].name))
			return attrs[i].show(dev, t);
	}
	return -ENOENT;
}
