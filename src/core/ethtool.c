/* SPDX-License-Identifier: BSD-2-Clause */
/* ethtool.c - see ethtool.h. What is missing in a driver's operations gives -EOPNOTSUPP, as on Linux. */
#include "core/ethtool.h"

#include <errno.h>
#include <stdio.h>

#include "core/net_group.h"

/* ---- strings --------------------------------------------------------------------------------------------- */

/* The names of features are what programs know: their order is the order of the lines of "ethtool -k". */
static const char *const feature_names[ETHTOOL_NR_FEATURES] = {
	"tx-scatter-gather",
	"tx-checksum-ipv4",
	"",
	"tx-checksum-ip-generic",
	"tx-checksum-ipv6",
	"highdma",
	"tx-scatter-gather-fraglist",
	"tx-vlan-hw-insert",
	"rx-vlan-hw-parse",
	"rx-vlan-filter",
	"vlan-challenged",
	"tx-generic-segmentation",
	"",
	"",
	"rx-gro",
	"rx-lro",
	"tx-tcp-segmentation",
	"tx-gso-robust",
	"tx-tcp-ecn-segmentation",
	"tx-tcp-mangleid-segmentation",
	"tx-tcp6-segmentation",
	"tx-fcoe-segmentation",
	"tx-gre-segmentation",
	"tx-gre-csum-segmentation",
	"tx-ipxip4-segmentation",
	"tx-ipxip6-segmentation",
	"tx-udp_tnl-segmentation",
	"tx-udp_tnl-csum-segmentation",
	"tx-gso-partial",
	"tx-tunnel-remcsum-segmentation",
	"tx-sctp-segmentation",
	"tx-esp-segmentation",
	"",
	"tx-udp-segmentation",
	"tx-gso-list",
	"tx-tcp-accecn-segmentation",
	"tx-checksum-fcoe-crc",
	"tx-checksum-sctp",
	"rx-ntuple-filter",
	"rx-hashing",
	"rx-checksum",
	"tx-nocache-copy",
	"loopback",
	"rx-fcs",
	"rx-all",
	"tx-vlan-stag-hw-insert",
	"rx-vlan-stag-hw-parse",
	"rx-vlan-stag-filter",
	"l2-fwd-offload",
	"hw-tc-offload",
	"esp-hw-offload",
	"esp-tx-csum-hw-offload",
	"rx-udp_tunnel-port-offload",
	"tls-hw-tx-offload",
	"tls-hw-rx-offload",
	"rx-gro-hw",
	"tls-hw-record",
	"rx-gro-list",
	"macsec-hw-offload",
	"rx-udp-gro-forwarding",
	"hsr-tag-ins-offload",
	"hsr-tag-rm-offload",
	"hsr-fwd-offload",
	"hsr-dup-offload",
};

static const char *const timestamping_names[] = {
	"hardware-transmit",     "software-transmit",     "hardware-receive",   "software-receive",
	"software-system-clock", "hardware-legacy-clock", "hardware-raw-clock", "option-id",
	"sched-transmit",        "ack-transmit",          "option-cmsg",        "option-tsonly",
	"option-stats",          "option-pktinfo",        "option-tx-swhw",     "bind-phc",
};
static_assert(SOF_TIMESTAMPING_BIND_PHC == 1 << (ARRAY_SIZE(timestamping_names) - 1), "names");

static const char *const std_stats_names[] = { "eth-phy", "eth-mac", "eth-ctrl", "rmon" };
static_assert(ARRAY_SIZE(std_stats_names) == __ETHTOOL_STATS_CNT, "names");
static const char *const phy_stats_names[] = { "SymbolErrorDuringCarrier" };
static const char *const mac_stats_names[] = {
	"FramesTransmittedOK",
	"SingleCollisionFrames",
	"MultipleCollisionFrames",
	"FramesReceivedOK",
	"FrameCheckSequenceErrors",
	"AlignmentErrors",
	"OctetsTransmittedOK",
	"FramesWithDeferredXmissions",
	"LateCollisions",
	"FramesAbortedDueToXSColls",
	"FramesLostDueToIntMACXmitError",
	"CarrierSenseErrors",
	"OctetsReceivedOK",
	"FramesLostDueToIntMACRcvError",
	"MulticastFramesXmittedOK",
	"BroadcastFramesXmittedOK",
	"FramesWithExcessiveDeferral",
	"MulticastFramesReceivedOK",
	"BroadcastFramesReceivedOK",
	"InRangeLengthErrors",
	"OutOfRangeLengthField",
	"FrameTooLongErrors",
};
static_assert(ARRAY_SIZE(mac_stats_names) == __ETHTOOL_A_STATS_ETH_MAC_CNT, "names");
static const char *const ctrl_stats_names[] = { "MACControlFramesTransmitted",
						"MACControlFramesReceived",
						"UnsupportedOpcodesReceived" };
static const char *const rmon_stats_names[] = { "etherStatsUndersizePkts", "etherStatsOversizePkts",
						"etherStatsFragments", "etherStatsJabbers" };

static const struct {
	const char *const *names;
	u32 n;
} string_sets[ETH_SS_COUNT] = {
	[ETH_SS_FEATURES] = { feature_names, ARRAY_SIZE(feature_names) },
	[ETH_SS_SOF_TIMESTAMPING] = { timestamping_names, ARRAY_SIZE(timestamping_names) },
	[ETH_SS_STATS_STD] = { std_stats_names, ARRAY_SIZE(std_stats_names) },
	[ETH_SS_STATS_ETH_PHY] = { phy_stats_names, ARRAY_SIZE(phy_stats_names) },
	[ETH_SS_STATS_ETH_MAC] = { mac_stats_names, ARRAY_SIZE(mac_stats_names) },
	[ETH_SS_STATS_ETH_CTRL] = { ctrl_stats_names, ARRAY_SIZE(ctrl_stats_names) },
	[ETH_SS_STATS_RMON] = { rmon_stats_names, ARRAY_SIZE(rmon_stats_names) },
};

bool ethtool_sset_per_dev(u32 sset)
{
	return sset == ETH_SS_TEST || sset == ETH_SS_STATS || sset == ETH_SS_PRIV_FLAGS ||
	       sset == ETH_SS_PHY_STATS;
}

u32 ethtool_nr_stats(const struct net_device *dev)
{
	return dev->ethtool_ops ? dev->ethtool_ops->nr_stats : 0;
}

int ethtool_sset_count(const struct net_device *dev, u32 sset)
{
	if (sset >= ETH_SS_COUNT)
		return -EINVAL;
	if (sset == ETH_SS_STATS && dev && ethtool_nr_stats(dev))
		return (int)ethtool_nr_stats(dev);
	return string_sets[sset].n ? (int)string_sets[sset].n : -EOPNOTSUPP;
}

const char *ethtool_sset_string(const struct net_device *dev, u32 sset, u32 i)
{
	return sset == ETH_SS_STATS ? dev->ethtool_ops->stats[i].name : string_sets[sset].names[i];
}

/* ---- statistics ------------------------------------------------------------------------------------------ */

void ethtool_get_stats(struct net_device *dev, u64 *data)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;
	struct rtnl_link_stats64 common;
	const char *own;

	net_group_ask_stats(dev);
	cpu_lock(dev->cpu);
	dev_get_stats(dev, &common);
	own = ops && ops->stats_own ? ops->stats_own(dev) : NULL;
	for (u32 i = 0; i < ethtool_nr_stats(dev); i++) {
		const struct ethtool_stat *row = &ops->stats[i];

		memcpy(&data[i], (row->own ? own : (const char *)&common) + row->offset,
		       sizeof(data[i]));
	}
	cpu_unlock(dev->cpu);
}

void ethtool_get_mac_stats(struct net_device *dev, u64 *data)
{
	for (u32 i = 0; i < __ETHTOOL_A_STATS_ETH_MAC_CNT; i++)
		data[i] = ETHTOOL_STAT_NOT_SET;
	if (!dev->ethtool_ops || !dev->ethtool_ops->get_mac_stats)
		return;
	cpu_lock(dev->cpu);
	dev->ethtool_ops->get_mac_stats(dev, data);
	cpu_unlock(dev->cpu);
}

/* ---- what a driver tells --------------------------------------------------------------------------------- */

bool ethtool_op_get_link(struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

/* Calls get_@name of the driver, if there is one. */
#define ETHTOOL_GET(name_, dev_, ret_)                                                             \
	({                                                                                         \
		const struct ethtool_ops *ops_ = (dev_)->ethtool_ops;                              \
		int err_ = -EOPNOTSUPP;                                                            \
                                                                                                   \
		if (ops_ && ops_->name_) {                                                         \
			cpu_lock((dev_)->cpu);                                                     \
			err_ = ops_->name_((dev_), (ret_));                                        \
			cpu_unlock((dev_)->cpu);                                                   \
		}                                                                                  \
		err_;                                                                              \
	})

int ethtool_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *ret)
{
	if (!dev->ethtool_ops || !dev->ethtool_ops->driver)
		return -EOPNOTSUPP;
	*ret = (struct ethtool_drvinfo){ .cmd = ETHTOOL_GDRVINFO,
					 .n_stats = ethtool_nr_stats(dev) };
	snprintf(ret->driver, sizeof(ret->driver), "%s", dev->ethtool_ops->driver);
	snprintf(ret->version, sizeof(ret->version), "1.0");
	return 0;
}

int ethtool_get_link(struct net_device *dev, bool *ret)
{
	const struct ethtool_ops *ops = dev->ethtool_ops;

	if (!ops || !ops->get_link)
		return -EOPNOTSUPP;
	cpu_lock(dev->cpu);
	*ret = netif_running(dev) && ops->get_link(dev);
	cpu_unlock(dev->cpu);
	return 0;
}

int ethtool_get_link_settings(struct net_device *dev, struct ethtool_link *ret)
{
	*ret = (struct ethtool_link){ .speed = (u32)SPEED_UNKNOWN, .duplex = DUPLEX_UNKNOWN };
	return ETHTOOL_GET(get_link_settings, dev, ret);
}

int ethtool_get_ringparam(struct net_device *dev, struct ethtool_ringparam *ret)
{
	*ret = (struct ethtool_ringparam){ .cmd = ETHTOOL_GRINGPARAM };
	return ETHTOOL_GET(get_ringparam, dev, ret);
}

int ethtool_get_coalesce(struct net_device *dev, struct ethtool_coalesce *ret)
{
	*ret = (struct ethtool_coalesce){ .cmd = ETHTOOL_GCOALESCE };
	return ETHTOOL_GET(get_coalesce, dev, ret);
}

int ethtool_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	*ret = (struct ethtool_channels){ .cmd = ETHTOOL_GCHANNELS };
	return ETHTOOL_GET(get_channels, dev, ret);
}

/* ---- what may be changed --------------------------------------------------------------------------------- */

int ethtool_set_ringparam(struct net_device *dev, const struct ethtool_ringparam *r,
			  struct netlink_ext_ack *extack)
{
	struct ethtool_ringparam now;
	int err = ethtool_get_ringparam(dev, &now);

	if (err || !dev->ethtool_ops->set_ringparam)
		return -EOPNOTSUPP;
	if (r->rx_pending > now.rx_max_pending || r->rx_mini_pending > now.rx_mini_max_pending ||
	    r->rx_jumbo_pending > now.rx_jumbo_max_pending || r->tx_pending > now.tx_max_pending)
		return -EINVAL;
	return dev->ethtool_ops->set_ringparam(dev, r, extack);
}

int ethtool_set_coalesce(struct net_device *dev, const struct ethtool_coalesce *c,
			 struct netlink_ext_ack *extack)
{
	struct ethtool_coalesce now;
	const u32 *a = (const u32 *)c, *b = (const u32 *)&now;
	int err = ethtool_get_coalesce(dev, &now);

	if (err || !dev->ethtool_ops->set_coalesce)
		return -EOPNOTSUPP;
	for (u32 i = 1; i < sizeof(now) / sizeof(u32); i++)
		if (a[i] != b[i] && !(dev->ethtool_ops->coalesce_params >> i & 1))
			return -EINVAL;
	return dev->ethtool_ops->set_coalesce(dev, c, extack);
}

/* No driver here has queues to add or to take away: what there is may be asked for again. */
int ethtool_set_channels(struct net_device *dev, const struct ethtool_channels *c)
{
	struct ethtool_channels now;

	if (ethtool_get_channels(dev, &now))
		return -EOPNOTSUPP;
	return c->rx_count == now.rx_count && c->tx_count == now.tx_count &&
			       c->other_count == now.other_count &&
			       c->combined_count == now.combined_count
		       ? 0
		       : -EINVAL;
}

void ethtool_set_features(struct net_device *dev, netdev_features_t wanted, netdev_features_t mask)
{
	mask &= dev->hw_features;
	dev->wanted_features = (dev->wanted_features & ~mask) | (wanted & mask);
	netdev_update_features(dev);
}
