/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ethtool_ioctl.c - SIOCETHTOOL: the older door to what core/ethtool.h offers
 *
 * The argument of the request, ifr_data, is a structure that begins with the command and may be followed by an array. How much of the
 * array the caller has room for stands in the structure; where Linux overlooks that for the sake of old programs (a count of 0), so
 * does this.
 * Context: control; rtnl held, the cpu lock not.
 * See ioctl_list(2), linux/ethtool.h.
 */
#include <errno.h>
#include <linux/net_tstamp.h>

#include "core/ethtool.h"
#include "socket/socket_internal.h"

#define ETOOSMALL      525 /* Linux's; not for programs, but they get it */
#define FEATURE_BLOCKS (ETHTOOL_NR_FEATURES / 32)

static int get_drvinfo(struct net_device *dev, void *arg)
{
	return ethtool_get_drvinfo(dev, arg);
}

static int get_link(struct net_device *dev, void *arg)
{
	struct ethtool_value *v = arg;
	bool up = false;
	int err = ethtool_get_link(dev, &up);

	if (!err)
		v->data = up;
	return err;
}

/* Those that are missing here have no word for the link modes: SUPPORTED_* are none. */
static int get_settings(struct net_device *dev, void *arg)
{
	struct ethtool_cmd *c = arg;
	struct ethtool_link l;
	int err = ethtool_get_link_settings(dev, &l);

	if (err)
		return err;
	*c = (struct ethtool_cmd){ .cmd = ETHTOOL_GSET, .duplex = l.duplex, .port = l.port };
	ethtool_cmd_speed_set(c, l.speed);
	return 0;
}

#define LINK_MODE_WORDS ((__ETHTOOL_LINK_MODE_MASK_NBITS + 31) / 32)

/* The caller asks with a wrong number of words first; the answer is minus the right one. */
static int get_link_settings(struct net_device *dev, void *arg)
{
	struct ethtool_link_settings *s = arg;
	s8 words = s->link_mode_masks_nwords;
	struct ethtool_link l;
	int err = ethtool_get_link_settings(dev, &l);

	if (err)
		return err;
	memset(s, 0, sizeof(*s));
	s->cmd = ETHTOOL_GLINKSETTINGS;
	if (words != LINK_MODE_WORDS) {
		s->link_mode_masks_nwords = -LINK_MODE_WORDS;
		return 0;
	}
	s->link_mode_masks_nwords = LINK_MODE_WORDS;
	memset(s->link_mode_masks, 0, 3 * LINK_MODE_WORDS * sizeof(u32));
	s->speed = l.speed;
	s->duplex = l.duplex;
	s->port = l.port;
	return 0;
}

static int get_ringparam(struct net_device *dev, void *arg)
{
	return ethtool_get_ringparam(dev, arg);
}
static int set_ringparam(struct net_device *dev, void *arg)
{
	return ethtool_set_ringparam(dev, arg, NULL);
}
static int get_coalesce(struct net_device *dev, void *arg)
{
	return ethtool_get_coalesce(dev, arg);
}
static int set_coalesce(struct net_device *dev, void *arg)
{
	return ethtool_set_coalesce(dev, arg, NULL);
}
static int get_channels(struct net_device *dev, void *arg)
{
	return ethtool_get_channels(dev, arg);
}
static int set_channels(struct net_device *dev, void *arg)
{
	return ethtool_set_channels(dev, arg);
}

static int get_perm_addr(struct net_device *dev, void *arg)
{
	struct ethtool_perm_addr *a = arg;

	if (a->size < dev->addr_len)
		return -ETOOSMALL;
	a->size = dev->addr_len;
	memcpy(a->data, dev->perm_addr, dev->addr_len);
	return 0;
}

static int get_ts_info(struct net_device *dev, void *arg)
{
	struct ethtool_ts_info *t = arg;

	if (!dev->ethtool_ops)
		return -EOPNOTSUPP;
	*t = (struct ethtool_ts_info){ .cmd = ETHTOOL_GET_TS_INFO,
				       .so_timestamping = ETHTOOL_SOF_TIMESTAMPING,
				       .phc_index = -1 };
	return 0;
}

/* ---- strings and statistics ------------------------------------------------------------------------------- */

static int get_sset_info(struct net_device *dev, void *arg)
{
	struct ethtool_sset_info *s = arg;
	u64 asked = s->sset_mask;
	u32 n = 0;

	s->reserved = 0;
	s->sset_mask = 0;
	for (u32 i = 0; i < 64; i++) {
		int count = asked >> i & 1 ? ethtool_sset_count(dev, i) : -1;

		if (count < 0)
			continue;
		s->sset_mask |= 1ULL << i;
		s->data[n++] = (u32)count;
	}
	return 0;
}

static int get_strings(struct net_device *dev, void *arg)
{
	struct ethtool_gstrings *s = arg;
	int n = ethtool_sset_count(dev, s->string_set);

	if (n < 0)
		return n;
	s->len = s->len ? min(s->len, (u32)n) : (u32)n;
	for (u32 i = 0; i < s->len; i++)
		strncpy((char *)s->data + i * ETH_GSTRING_LEN,
			ethtool_sset_string(dev, s->string_set, i), ETH_GSTRING_LEN);
	return 0;
}

static int get_stats(struct net_device *dev, void *arg)
{
	struct ethtool_stats *s = arg;
	u64 data[ETHTOOL_STATS_MAX];
	u32 n = ethtool_nr_stats(dev);

	if (!n)
		return -EOPNOTSUPP;
	ethtool_get_stats(dev, data);
	s->n_stats = s->n_stats ? min(s->n_stats, n) : n;
	memcpy(s->data, data, s->n_stats * sizeof(*data));
	return 0;
}

/* ---- features ---------------------------------------------------------------------------------------------- */

static int get_features(struct net_device *dev, void *arg)
{
	struct ethtool_gfeatures *g = arg;
	u32 room = min(g->size, (u32)FEATURE_BLOCKS);

	g->size = FEATURE_BLOCKS;
	for (u32 i = 0; i < room; i++)
		g->features[i] = (struct ethtool_get_features_block){
			.available = (u32)(dev->hw_features >> 32 * i),
			.requested = (u32)(dev->wanted_features >> 32 * i),
			.active = (u32)(dev->features >> 32 * i),
		};
	return 0;
}

static int set_features(struct net_device *dev, void *arg)
{
	const struct ethtool_sfeatures *s = arg;
	netdev_features_t wanted = 0, mask = 0;
	int ret = 0;

	if (s->size != FEATURE_BLOCKS)
		return -EINVAL;
	for (u32 i = 0; i < FEATURE_BLOCKS; i++) {
		wanted |= (u64)s->features[i].requested << 32 * i;
		mask |= (u64)s->features[i].valid << 32 * i;
	}
	for (u32 i = 0; i < ETHTOOL_NR_FEATURES; i++)
		if (mask >> i & 1 && !*ethtool_sset_string(dev, ETH_SS_FEATURES, i))
			return -EINVAL;
	if (mask & ~dev->hw_features) {
		mask &= dev->hw_features;
		ret |= ETHTOOL_F_UNSUPPORTED;
	}
	ethtool_set_features(dev, wanted, mask);
	if ((dev->wanted_features ^ dev->features) & mask)
		ret |= ETHTOOL_F_WISH;
	return ret;
}

/* The commands from before features had names: one value each. */
struct old_feature {
	u32 get, set;
	netdev_features_t mask;
};

static const struct old_feature old_features[] = {
	{ ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM, NETIF_F_CSUM_MASK },
	{ ETHTOOL_GRXCSUM, ETHTOOL_SRXCSUM, NETIF_F_RXCSUM },
	{ ETHTOOL_GSG, ETHTOOL_SSG, NETIF_F_SG },
	{ ETHTOOL_GTSO, ETHTOOL_STSO, NETIF_F_TSO | NETIF_F_TSO6 },
	{ ETHTOOL_GGSO, ETHTOOL_SGSO, NETIF_F_GSO },
	{ ETHTOOL_GGRO, ETHTOOL_SGRO, NETIF_F_GRO },
};

static int old_feature(struct net_device *dev, struct ethtool_value *v)
{
	for (u32 i = 0; i < ARRAY_SIZE(old_features); i++) {
		const struct old_feature *f = &old_features[i];

		if (v->cmd == f->get) {
			v->data = !!(dev->features & f->mask);
			return 0;
		}
		if (v->cmd != f->set)
			continue;
		if (!(dev->hw_features & f->mask))
			return -EOPNOTSUPP;
		ethtool_set_features(dev, v->data ? f->mask : 0, f->mask);
		return 0;
	}
	return -EOPNOTSUPP;
}

static const struct {
	u32 flag;
	netdev_features_t feature;
} old_flags[] = {
	{ ETH_FLAG_TXVLAN, NETIF_F_HW_VLAN_CTAG_TX },
	{ ETH_FLAG_RXVLAN, NETIF_F_HW_VLAN_CTAG_RX },
	{ ETH_FLAG_LRO, 0 },
	{ ETH_FLAG_NTUPLE, 0 },
	{ ETH_FLAG_RXHASH, 0 },
};

static int get_flags(struct net_device *dev, void *arg)
{
	struct ethtool_value *v = arg;

	v->data = 0;
	for (u32 i = 0; i < ARRAY_SIZE(old_flags); i++)
		if (dev->features & old_flags[i].feature)
			v->data |= old_flags[i].flag;
	return 0;
}

static int set_flags(struct net_device *dev, void *arg)
{
	const struct ethtool_value *v = arg;
	netdev_features_t wanted = 0, mask = 0;
	u32 known = 0;

	for (u32 i = 0; i < ARRAY_SIZE(old_flags); i++) {
		netdev_features_t f = old_flags[i].feature;
		bool on = v->data & old_flags[i].flag;

		known |= old_flags[i].flag;
		if (on != !!(dev->features & f) && !(dev->hw_features & f))
			return -EOPNOTSUPP;
		wanted |= on ? f : 0;
		mask |= f;
	}
	if (v->data & ~known)
		return -EINVAL;
	ethtool_set_features(dev, wanted, mask);
	return 0;
}

/* ---- the table --------------------------------------------------------------------------------------------- */

static const struct {
	u32 cmd;
	int (*fn)(struct net_device *dev, void *arg);
} ethtool_commands[] = {
	{ ETHTOOL_GDRVINFO, get_drvinfo },     { ETHTOOL_GLINK, get_link },
	{ ETHTOOL_GSET, get_settings },        { ETHTOOL_GLINKSETTINGS, get_link_settings },
	{ ETHTOOL_GRINGPARAM, get_ringparam }, { ETHTOOL_SRINGPARAM, set_ringparam },
	{ ETHTOOL_GCOALESCE, get_coalesce },   { ETHTOOL_SCOALESCE, set_coalesce },
	{ ETHTOOL_GCHANNELS, get_channels },   { ETHTOOL_SCHANNELS, set_channels },
	{ ETHTOOL_GPERMADDR, get_perm_addr },  { ETHTOOL_GET_TS_INFO, get_ts_info },
	{ ETHTOOL_GSSET_INFO, get_sset_info }, { ETHTOOL_GSTRINGS, get_strings },
	{ ETHTOOL_GSTATS, get_stats },         { ETHTOOL_GFEATURES, get_features },
	{ ETHTOOL_SFEATURES, set_features },   { ETHTOOL_GFLAGS, get_flags },
	{ ETHTOOL_SFLAGS, set_flags },
};

int dev_ethtool(struct net_device *dev, void *arg)
{
	u32 cmd;

	if (!arg)
		return -EFAULT;
	memcpy(&cmd, arg, sizeof(cmd));
	for (u32 i = 0; i < ARRAY_SIZE(ethtool_commands); i++)
		if (ethtool_commands[i].cmd == cmd)
			return ethtool_commands[i].fn(dev, arg);
	return old_feature(dev, arg);
}
