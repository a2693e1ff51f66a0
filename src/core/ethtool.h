/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ethtool.h - what a driver tells and lets be changed beyond what every device has: the part that both doors share
 *
 * ethtool(8) comes by generic netlink (netlink/ethtool_netlink.c) or by SIOCETHTOOL (socket/ethtool_ioctl.c). Both ask here, so
 * they cannot differ. Strings, counts and values of statistics are derived from one table of the driver.
 */
#ifndef WEIR_CORE_ETHTOOL_H
#define WEIR_CORE_ETHTOOL_H

#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/net_tstamp.h>

#include "core/netdevice.h"

#define ETHTOOL_NR_FEATURES 64
#define ETHTOOL_STATS_MAX   128 /* of one device */
/* Every device here: packets are stamped by the stack. */
#define ETHTOOL_SOF_TIMESTAMPING (SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE)

/* A row of what "ethtool -S" shows: a u64 of the device's statistics, or of the driver's own. */
struct ethtool_stat {
	const char *name; /* shorter than ETH_GSTRING_LEN */
	u32 offset;
	bool own;
};

#define ETHTOOL_DEV_STAT(name_, field_)                                                            \
	{                                                                                          \
		.name = (name_), .offset = offsetof(struct rtnl_link_stats64, field_)              \
	}
#define ETHTOOL_OWN_STAT(name_, type_, field_)                                                     \
	{                                                                                          \
		.name = (name_), .offset = offsetof(type_, field_), .own = true                    \
	}

/* Speed and duplex of the medium; ETHTOOL's SPEED_UNKNOWN, DUPLEX_UNKNOWN without carrier. */
struct ethtool_link {
	u32 speed; /* Mbit/s */
	u8 duplex, port;
};

#define ETHTOOL_STAT_NOT_SET (~0ULL)

/* All optional. rtnl held; get_* with the cpu lock, set_* without. */
struct ethtool_ops {
	const char *driver;  /* NULL: ETHTOOL_GDRVINFO is not supported */
	u32 coalesce_params; /* ETHTOOL_COALESCE_BIT()s: what set_coalesce() takes */
	const struct ethtool_stat *stats;
	u32 nr_stats;
	const void *(*stats_own)(struct net_device *dev); /* the driver's structure */
	bool (*get_link)(struct net_device *dev);         /* NULL: unknown */
	int (*get_link_settings)(struct net_device *dev, struct ethtool_link *ret);
	int (*get_ringparam)(struct net_device *dev, struct ethtool_ringparam *ret);
	int (*set_ringparam)(struct net_device *dev, const struct ethtool_ringparam *r,
			     struct netlink_ext_ack *extack);
	int (*get_coalesce)(struct net_device *dev, struct ethtool_coalesce *ret);
	int (*set_coalesce)(struct net_device *dev, const struct ethtool_coalesce *c,
			    struct netlink_ext_ack *extack);
	int (*get_channels)(struct net_device *dev, struct ethtool_channels *ret);
	void (*get_mac_stats)(struct net_device *dev, u64 *data); /* ETHTOOL_A_STATS_ETH_MAC_* */
};

/* The bit for a u32 member of struct ethtool_coalesce. */
#define ETHTOOL_COALESCE_BIT(field_)                                                               \
	(1u << (offsetof(struct ethtool_coalesce, field_) / sizeof(u32)))

/* ---- ethtool.c; rtnl held, the cpu lock not ------------------------------------------------------------ */

bool ethtool_op_get_link(struct net_device *dev); /* for struct ethtool_ops: the carrier */
int ethtool_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *ret);
int ethtool_get_link(struct net_device *dev, bool *ret);
int ethtool_get_link_settings(struct net_device *dev, struct ethtool_link *ret);
int ethtool_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ret);
int ethtool_set_ringparam(struct net_device *dev, const struct ethtool_ringparam *r,
			  struct netlink_ext_ack *extack);
int ethtool_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ret);
/* -EINVAL: a change that the driver does not take */
int ethtool_set_coalesce(struct net_device *dev, const struct ethtool_coalesce *c,
			 struct netlink_ext_ack *extack);
int ethtool_get_channels(struct net_device *dev, struct ethtool_channels *ret);
int ethtool_set_channels(struct net_device *dev, const struct ethtool_channels *c);
u32 ethtool_nr_stats(const struct net_device *dev);
void ethtool_get_stats(struct net_device *dev, u64 *data); /* ethtool_nr_stats() of them */
void ethtool_get_mac_stats(struct net_device *dev,
			   u64 *data); /* __ETHTOOL_A_STATS_ETH_MAC_CNT of them */
/* Asks for @wanted of the features in @mask; what can be had is in dev->features afterwards. */
void ethtool_set_features(struct net_device *dev, netdev_features_t wanted, netdev_features_t mask);

/* A set of strings; @dev may be NULL for those that belong to no device. The number of them, or -EOPNOTSUPP, -EINVAL (unknown set). */
int ethtool_sset_count(const struct net_device *dev, u32 sset);
const char *ethtool_sset_string(const struct net_device *dev, u32 sset, u32 i);
bool ethtool_sset_per_dev(u32 sset);

#endif
