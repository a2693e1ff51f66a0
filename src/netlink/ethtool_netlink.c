/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ethtool_netlink.c - the generic netlink family "ethtool": what ethtool(8) asks first
 *
 * Theory of operation
 *   Most requests are of one kind: a header that names the device, and an answer about it. A row of ethnl_rows says which command it is, which
 *   function fills the answer, and how a change is announced; ethnl_get() and ethnl_dump() are the same for all. A row without
 *   a function is something that no device here has: asking gives EOPNOTSUPP, as a Linux device without it does.
 *   Many structures of linux/ethtool.h have their members in the order of the attributes: word n is attribute n + 1. That is
 *   asserted and used.
 * Context: control; rtnl held, the cpu lock not.
 * See linux/ethtool_netlink.h.
 */
#include <errno.h>
#include <linux/ethtool_netlink.h>

#include "core/ethtool.h"
#include "core/machine.h"
#include "netlink/ethnl_bitset.h"
#include "netlink/genetlink.h"
#include "netlink/netlink_internal.h"

#define WORD_ATTR(word)   ((u16)((word) + 1))
#define ATTR_WORD(attr)   ((u32)(attr)-1)
#define MONITOR_GROUP     0
#define LINK_MODE_BITS    __ETHTOOL_LINK_MODE_MASK_NBITS
#define NR_TIMESTAMPING   16 /* SOF_TIMESTAMPING_BIND_PHC is the last */
#define ALT_NAME_LEN      128
#define STATS_SRC         5 /* ETHTOOL_A_STATS_SRC of later headers */
#define NR_COALESCE_WORDS (ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL)

#define ASSERT_WORD(type, field, attr)                                                             \
	static_assert(offsetof(struct type, field) / sizeof(u32) == ATTR_WORD(attr), #attr)
ASSERT_WORD(ethtool_ringparam, rx_max_pending, ETHTOOL_A_RINGS_RX_MAX);
ASSERT_WORD(ethtool_ringparam, tx_pending, ETHTOOL_A_RINGS_TX);
ASSERT_WORD(ethtool_channels, max_rx, ETHTOOL_A_CHANNELS_RX_MAX);
ASSERT_WORD(ethtool_channels, combined_count, ETHTOOL_A_CHANNELS_COMBINED_COUNT);
ASSERT_WORD(ethtool_coalesce, rx_coalesce_usecs, ETHTOOL_A_COALESCE_RX_USECS);
ASSERT_WORD(ethtool_coalesce, use_adaptive_rx_coalesce, ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX);
ASSERT_WORD(ethtool_coalesce, rate_sample_interval, ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL);

static const struct bitset_names feature_bits = { ETHTOOL_NR_FEATURES, ETH_SS_FEATURES };
static const struct bitset_names link_mode_bits = { LINK_MODE_BITS, ETH_SS_COUNT };
static const struct bitset_names timestamping_bits = { NR_TIMESTAMPING, ETH_SS_SOF_TIMESTAMPING };
static const struct bitset_names stats_bits = { __ETHTOOL_STATS_CNT, ETH_SS_STATS_STD };

static const struct genl_family ethtool_family;

/* ---- the header of requests and answers ------------------------------------------------------------------- */

struct ethnl_info { /* what a request says besides the device */
	u32 flags;
	const struct nlattr **tb;
	struct netlink_ext_ack *extack;
};

struct ethnl_row {
	u8 cmd, reply, ntf;
	u16 header; /* attribute */
	/* 0, or -errno before anything was put */
	int (*fill)(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info);
};

static const struct nla_policy header_policy[ETHTOOL_A_HEADER_MAX + 1] = {
	[ETHTOOL_A_HEADER_DEV_INDEX] = { NLA_K_U32, .help = "number of a device" },
	[ETHTOOL_A_HEADER_DEV_NAME] = { NLA_K_NUL_STRING, .len = ALT_NAME_LEN - 1,
					.help = "name of a device" },
	[ETHTOOL_A_HEADER_FLAGS] = { NLA_K_U32, .help = "ETHTOOL_FLAG_*" },
};

#define HEADER                                                                                     \
	{                                                                                          \
		NLA_K_NESTED, .nested = header_policy, .maxtype = ETHTOOL_A_HEADER_MAX,            \
			      .help = "the device"                                                 \
	}

static int wrong_device(const struct nlattr *a, const char *why, struct netlink_ext_ack *extack)
{
	nl_set_bad_attr(extack, a);
	nl_set_err_msg(extack, "%s", why);
	return -ENODEV;
}

/* The device stays NULL if the request names none. */
static int parse_header(struct net *net, const struct nlattr *nest, struct net_device **ret_dev,
			u32 *ret_flags, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[ETHTOOL_A_HEADER_MAX + 1], *index, *name;
	struct net_device *dev = NULL;
	int err;

	if (!nest) {
		nl_set_err_msg(extack, "request header missing");
		return -EINVAL;
	}
	err = nla_parse_nested(tb, ETHTOOL_A_HEADER_MAX, nest, header_policy, extack);
	if (err)
		return err;
	index = tb[ETHTOOL_A_HEADER_DEV_INDEX];
	name = tb[ETHTOOL_A_HEADER_DEV_NAME];
	if (index) {
		dev = __dev_get_by_index(net, (int)nla_get_u32(index));
		if (!dev)
			return wrong_device(index, "no device matches ifindex", extack);
		if (name && strcmp(dev->name, nla_data(name)))
			return wrong_device(nest, "ifindex and name do not match", extack);
	} else if (name) {
		dev = __dev_get_by_name(net, nla_data(name));
		if (!dev)
			return wrong_device(name, "no device matches name", extack);
	}
	*ret_dev = dev;
	*ret_flags = tb[ETHTOOL_A_HEADER_FLAGS] ? nla_get_u32(tb[ETHTOOL_A_HEADER_FLAGS]) : 0;
	return 0;
}

static int parse_device(const struct genl_request *g, u16 header, struct net_device **ret_dev,
			struct ethnl_info *info)
{
	int err;

	*info = (struct ethnl_info){ .tb = g->tb, .extack = g->req->extack };
	err = parse_header(g->req->net, g->tb[header], ret_dev, &info->flags, info->extack);
	if (err || *ret_dev)
		return err;
	nl_set_err_msg(info->extack, "neither ifindex nor name specified");
	return -EINVAL;
}

static void put_header(struct nl_msg *m, u16 type, const struct net_device *dev)
{
	u32 nest = nla_nest_start(m, type);

	nla_put_u32(m, ETHTOOL_A_HEADER_DEV_INDEX, (u32)dev->ifindex);
	nla_put_string(m, ETHTOOL_A_HEADER_DEV_NAME, dev->name);
	nla_nest_end(m, nest);
}

static bool compact(const struct ethnl_info *info)
{
	return info->flags & ETHTOOL_FLAG_COMPACT_BITSETS;
}

/* ---- link -------------------------------------------------------------------------------------------------- */

static int fill_linkinfo(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	struct ethtool_link l;
	int err = ethtool_get_link_settings(dev, &l);

	if (err)
		return err;
	nla_put_u8(m, ETHTOOL_A_LINKINFO_PORT, l.port);
	nla_put_u8(m, ETHTOOL_A_LINKINFO_PHYADDR, 0);
	nla_put_u8(m, ETHTOOL_A_LINKINFO_TP_MDIX, ETH_TP_MDI_INVALID);
	nla_put_u8(m, ETHTOOL_A_LINKINFO_TP_MDIX_CTRL, ETH_TP_MDI_INVALID);
	nla_put_u8(m, ETHTOOL_A_LINKINFO_TRANSCEIVER, XCVR_INTERNAL);
	return 0;
}

static int fill_linkmodes(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	static const u64 none;
	struct ethtool_link l;
	int err = ethtool_get_link_settings(dev, &l);

	if (err)
		return err;
	nla_put_u8(m, ETHTOOL_A_LINKMODES_AUTONEG, AUTONEG_DISABLE);
	ethnl_put_bitset(m, ETHTOOL_A_LINKMODES_OURS, none, &none, &link_mode_bits, compact(info));
	nla_put_u32(m, ETHTOOL_A_LINKMODES_SPEED, l.speed);
	nla_put_u8(m, ETHTOOL_A_LINKMODES_DUPLEX, l.duplex);
	nla_put_u8(m, ETHTOOL_A_LINKMODES_RATE_MATCHING, 0);
	return 0;
}

static int fill_linkstate(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	bool up;

	if (!ethtool_get_link(dev, &up))
		nla_put_u8(m, ETHTOOL_A_LINKSTATE_LINK, up);
	return 0;
}

static int fill_tsinfo(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	if (!dev->ethtool_ops)
		return -EOPNOTSUPP;
	ethnl_put_bitset(m, ETHTOOL_A_TSINFO_TIMESTAMPING, ETHTOOL_SOF_TIMESTAMPING, NULL,
			 &timestamping_bits, compact(info));
	return 0;
}

/* ---- features ---------------------------------------------------------------------------------------------- */

static int fill_features(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	static const u64 all = ~0ULL;
	bool c = compact(info);

	ethnl_put_bitset(m, ETHTOOL_A_FEATURES_HW, dev->hw_features, &all, &feature_bits, c);
	ethnl_put_bitset(m, ETHTOOL_A_FEATURES_WANTED, dev->wanted_features, NULL, &feature_bits,
			 c);
	ethnl_put_bitset(m, ETHTOOL_A_FEATURES_ACTIVE, dev->features, NULL, &feature_bits, c);
	ethnl_put_bitset(m, ETHTOOL_A_FEATURES_NOCHANGE, 0, NULL, &feature_bits, c);
	return 0;
}

static void ethnl_notify(struct net_device *dev, const struct ethnl_row *row);
static const struct ethnl_row *find_row(u8 cmd);

/* What was asked for and not got, and what has changed. */
static int features_reply(const struct genl_request *g, struct net_device *dev,
			  const struct ethnl_info *info, u64 asked, u64 mask, u64 before)
{
	struct nl_msg *m = g->req->reply;
	u64 missed = (asked ^ dev->features) & mask, changed = before ^ dev->features;

	if (info->flags & ETHTOOL_FLAG_OMIT_REPLY)
		return 0;
	if (!genl_reply_begin(m, g, ETHTOOL_MSG_FEATURES_SET_REPLY))
		return -EMSGSIZE;
	put_header(m, ETHTOOL_A_FEATURES_HEADER, dev);
	ethnl_put_bitset(m, ETHTOOL_A_FEATURES_WANTED, asked & missed, &missed, &feature_bits,
			 compact(info));
	ethnl_put_bitset(m, ETHTOOL_A_FEATURES_ACTIVE, dev->features & changed, &changed,
			 &feature_bits, compact(info));
	return nlmsg_finish(m);
}

static int features_set(const struct genl_request *g)
{
	const struct nlattr *wanted = g->tb[ETHTOOL_A_FEATURES_WANTED];
	struct net_device *dev;
	struct ethnl_info info;
	u64 val, mask, before;
	int err = parse_device(g, ETHTOOL_A_FEATURES_HEADER, &dev, &info);

	if (err)
		return err;
	if (!wanted)
		return -EINVAL;
	err = ethnl_parse_bitset(wanted, &feature_bits, &val, &mask, info.extack);
	if (err)
		return err;
	before = dev->features;
	ethtool_set_features(dev, val, mask);
	if (before != dev->features)
		ethnl_notify(dev, find_row(ETHTOOL_MSG_FEATURES_GET));
	return features_reply(g, dev, &info, val, mask, before);
}

/* ---- rings and channels: four limits, four values ------------------------------------------------------------ */

static void put_limits(struct nl_msg *m, const u32 *words)
{
	for (u32 i = 1; i <= 4; i++)
		if (words[i]) {
			nla_put_u32(m, WORD_ATTR(i), words[i]);
			nla_put_u32(m, WORD_ATTR(i + 4), words[i + 4]);
		}
}

/* Values of the request over those that are. 1: something changes. */
static int merge_limits(u32 *words, const struct ethnl_info *info, const char *what)
{
	int changed = 0;

	for (u32 i = 5; i <= 8; i++) {
		const struct nlattr *a = info->tb[WORD_ATTR(i)];

		if (!a || nla_get_u32(a) == words[i])
			continue;
		words[i] = nla_get_u32(a);
		changed = 1;
		if (words[i] > words[i - 4]) {
			nl_set_bad_attr(info->extack, a);
			nl_set_err_msg(info->extack, "requested %s exceeds maximum", what);
			return -EINVAL;
		}
	}
	return changed;
}

static int fill_rings(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	struct ethtool_ringparam r;
	int err = ethtool_get_ringparam(dev, &r);

	if (!err)
		put_limits(m, (const u32 *)&r);
	return err;
}

static int rings_set(const struct genl_request *g)
{
	struct ethtool_ringparam r;
	struct net_device *dev;
	struct ethnl_info info;
	int err = parse_device(g, ETHTOOL_A_RINGS_HEADER, &dev, &info);

	if (!err)
		err = ethtool_get_ringparam(dev, &r);
	if (err)
		return err;
	err = merge_limits((u32 *)&r, &info, "ring size");
	if (err <= 0)
		return err;
	err = ethtool_set_ringparam(dev, &r, info.extack);
	if (!err)
		ethnl_notify(dev, find_row(ETHTOOL_MSG_RINGS_GET));
	return err;
}

static int fill_channels(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	struct ethtool_channels c;
	int err = ethtool_get_channels(dev, &c);

	if (!err)
		put_limits(m, (const u32 *)&c);
	return err;
}

static int channels_set(const struct genl_request *g)
{
	struct ethtool_channels c;
	struct net_device *dev;
	struct ethnl_info info;
	int err = parse_device(g, ETHTOOL_A_CHANNELS_HEADER, &dev, &info);

	if (!err)
		err = ethtool_get_channels(dev, &c);
	if (err)
		return err;
	err = merge_limits((u32 *)&c, &info, "channel count");
	return err <= 0 ? err : ethtool_set_channels(dev, &c);
}

/* ---- interrupt moderation ------------------------------------------------------------------------------------ */

static bool is_bool_word(u32 word)
{
	return word == ATTR_WORD(ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX) ||
	       word == ATTR_WORD(ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX);
}

static int fill_coalesce(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	struct ethtool_coalesce c;
	const u32 *words = (const u32 *)&c;
	int err = ethtool_get_coalesce(dev, &c);

	for (u32 i = 1; !err && i < NR_COALESCE_WORDS; i++) {
		if (!words[i] && !(dev->ethtool_ops->coalesce_params >> i & 1))
			continue;
		if (is_bool_word(i))
			nla_put_u8(m, WORD_ATTR(i), !!words[i]);
		else
			nla_put_u32(m, WORD_ATTR(i), words[i]);
	}
	return err;
}

static int coalesce_set(const struct genl_request *g)
{
	struct ethtool_coalesce c;
	u32 *words = (u32 *)&c;
	struct net_device *dev;
	struct ethnl_info info;
	int err = parse_device(g, ETHTOOL_A_COALESCE_HEADER, &dev, &info);

	if (!err)
		err = ethtool_get_coalesce(dev, &c);
	if (err)
		return err;
	for (u32 i = 1; i < NR_COALESCE_WORDS; i++) {
		const struct nlattr *a = g->tb[WORD_ATTR(i)];

		if (!a)
			continue;
		if (!(dev->ethtool_ops->coalesce_params >> i & 1)) {
			nl_set_bad_attr(info.extack, a);
			nl_set_err_msg(info.extack, "cannot modify an unsupported parameter");
			return -EINVAL;
		}
		words[i] = is_bool_word(i) ? nla_get_u8(a) : nla_get_u32(a);
	}
	err = ethtool_set_coalesce(dev, &c, info.extack);
	if (!err)
		ethnl_notify(dev, find_row(ETHTOOL_MSG_COALESCE_GET));
	return err;
}

/* ---- standard statistics --------------------------------------------------------------------------------------- */

static void put_mac_stats(struct nl_msg *m, struct net_device *dev)
{
	u64 data[__ETHTOOL_A_STATS_ETH_MAC_CNT];

	ethtool_get_mac_stats(dev, data);
	for (u16 i = 0; i < __ETHTOOL_A_STATS_ETH_MAC_CNT; i++) {
		u32 nest;

		if (data[i] == ETHTOOL_STAT_NOT_SET)
			continue;
		nest = nla_nest_start(m, ETHTOOL_A_STATS_GRP_STAT);
		nla_put_u64(m, i, data[i]);
		nla_nest_end(m, nest);
	}
}

static int fill_stats(struct nl_msg *m, struct net_device *dev, const struct ethnl_info *info)
{
	u64 groups, mask;
	int err;

	if (!info->tb || !info->tb[ETHTOOL_A_STATS_GROUPS]) {
		nl_set_err_msg(info->extack, "no stats requested");
		return -EINVAL;
	}
	err = ethnl_parse_bitset(info->tb[ETHTOOL_A_STATS_GROUPS], &stats_bits, &groups, &mask,
				 info->extack);
	if (err)
		return err;
	for (u32 i = 0; i < __ETHTOOL_STATS_CNT; i++) {
		u32 nest;

		if (!(groups >> i & 1))
			continue;
		nest = nla_nest_start(m, ETHTOOL_A_STATS_GRP);
		nla_put_u32(m, ETHTOOL_A_STATS_GRP_ID, i);
		nla_put_u32(m, ETHTOOL_A_STATS_GRP_SS_ID, ETH_SS_STATS_ETH_PHY + i);
		if (i == ETHTOOL_STATS_ETH_MAC)
			put_mac_stats(m, dev);
		nla_nest_end(m, nest);
	}
	return 0;
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static const struct ethnl_row ethnl_rows[] = {
	{ ETHTOOL_MSG_LINKINFO_GET, ETHTOOL_MSG_LINKINFO_GET_REPLY, 0, ETHTOOL_A_LINKINFO_HEADER,
	  fill_linkinfo },
	{ ETHTOOL_MSG_LINKMODES_GET, ETHTOOL_MSG_LINKMODES_GET_REPLY, 0, ETHTOOL_A_LINKMODES_HEADER,
	  fill_linkmodes },
	{ ETHTOOL_MSG_LINKSTATE_GET, ETHTOOL_MSG_LINKSTATE_GET_REPLY, 0, ETHTOOL_A_LINKSTATE_HEADER,
	  fill_linkstate },
	{ ETHTOOL_MSG_DEBUG_GET, 0, 0, ETHTOOL_A_DEBUG_HEADER, NULL },
	{ ETHTOOL_MSG_WOL_GET, 0, 0, ETHTOOL_A_WOL_HEADER, NULL },
	{ ETHTOOL_MSG_FEATURES_GET, ETHTOOL_MSG_FEATURES_GET_REPLY, ETHTOOL_MSG_FEATURES_NTF,
	  ETHTOOL_A_FEATURES_HEADER, fill_features },
	{ ETHTOOL_MSG_PRIVFLAGS_GET, 0, 0, ETHTOOL_A_PRIVFLAGS_HEADER, NULL },
	{ ETHTOOL_MSG_RINGS_GET, ETHTOOL_MSG_RINGS_GET_REPLY, ETHTOOL_MSG_RINGS_NTF,
	  ETHTOOL_A_RINGS_HEADER, fill_rings },
	{ ETHTOOL_MSG_CHANNELS_GET, ETHTOOL_MSG_CHANNELS_GET_REPLY, ETHTOOL_MSG_CHANNELS_NTF,
	  ETHTOOL_A_CHANNELS_HEADER, fill_channels },
	{ ETHTOOL_MSG_COALESCE_GET, ETHTOOL_MSG_COALESCE_GET_REPLY, ETHTOOL_MSG_COALESCE_NTF,
	  ETHTOOL_A_COALESCE_HEADER, fill_coalesce },
	{ ETHTOOL_MSG_PAUSE_GET, 0, 0, ETHTOOL_A_PAUSE_HEADER, NULL },
	{ ETHTOOL_MSG_EEE_GET, 0, 0, ETHTOOL_A_EEE_HEADER, NULL },
	{ ETHTOOL_MSG_TSINFO_GET, ETHTOOL_MSG_TSINFO_GET_REPLY, 0, ETHTOOL_A_TSINFO_HEADER,
	  fill_tsinfo },
	{ ETHTOOL_MSG_FEC_GET, 0, 0, ETHTOOL_A_FEC_HEADER, NULL },
	{ ETHTOOL_MSG_STATS_GET, ETHTOOL_MSG_STATS_GET_REPLY, 0, ETHTOOL_A_STATS_HEADER,
	  fill_stats },
};

static const struct ethnl_row *find_row(u8 cmd)
{
	for (u32 i = 0; i < ARRAY_SIZE(ethnl_rows); i++)
		if (ethnl_rows[i].cmd == cmd)
			return &ethnl_rows[i];
	return NULL;
}

/* The message has been begun. */
static int ethnl_fill(struct nl_msg *m, struct net_device *dev, const struct ethnl_row *row,
		      const struct ethnl_info *info)
{
	int err;

	put_header(m, row->header, dev);
	err = row->fill ? row->fill(m, dev, info) : -EOPNOTSUPP;
	if (!err)
		return nlmsg_finish(m);
	nlmsg_cancel(m);
	return err;
}

static int ethnl_get(const struct genl_request *g)
{
	const struct ethnl_row *row = find_row(g->hdr->cmd);
	struct net_device *dev;
	struct ethnl_info info;
	int err = parse_device(g, row->header, &dev, &info);

	if (err)
		return err;
	if (!genl_reply_begin(g->req->reply, g, row->reply))
		return -EMSGSIZE;
	return ethnl_fill(g->req->reply, dev, row, &info);
}

static void ethnl_notify(struct net_device *dev, const struct ethnl_row *row)
{
	static const struct ethnl_info info = { .flags = ETHTOOL_FLAG_COMPACT_BITSETS };
	u16 id = genl_family_id(dev->net->machine, &ethtool_family);
	struct nl_msg m;

	if (nl_msg_init(&m, NL_GOODSIZE))
		return;
	if (genl_msg_begin(&m, id, 0, 0, 0, row->ntf, ethtool_family.version) &&
	    !ethnl_fill(&m, dev, row, &info))
		genl_notify(dev->net, &ethtool_family, &m, MONITOR_GROUP);
	nl_msg_fini(&m);
}

/* args[0]: the ifindex that was done last */
static int ethnl_dump(struct nl_msg *m, struct netlink_callback *cb)
{
	const struct genlmsghdr *hdr = (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
	const struct ethnl_row *row = find_row(hdr->cmd);
	const struct nlattr *tb[ETHTOOL_A_STATS_MAX + 1] = { NULL };
	static const struct nla_policy policy[ETHTOOL_A_STATS_MAX + 1];
	struct ethnl_info info = { .tb = tb, .extack = cb->extack };
	struct net_device *dev, *only = NULL;
	int err = genl_dump_parse(cb, tb, ETHTOOL_A_STATS_MAX, policy);

	if (!err && tb[row->header])
		err = parse_header(cb->net, tb[row->header], &only, &info.flags, cb->extack);
	if (err)
		return err;
	net_for_each_dev(cb->net, dev) {
		if (dev->ifindex <= (int)cb->args[0] || (only && dev != only))
			continue;
		err = genl_msg_begin(m, cb->nlh->nlmsg_type, cb->portid, cb->nlh->nlmsg_seq,
				     NLM_F_MULTI, row->reply, ethtool_family.version)
			      ? ethnl_fill(m, dev, row, &info)
			      : -EMSGSIZE;
		if (err == -EMSGSIZE)
			return 1;
		if (err && err != -EOPNOTSUPP)
			return err;
		cb->args[0] = (u64)dev->ifindex;
	}
	return 0;
}

/* ---- string sets -------------------------------------------------------------------------------------------------- */

static const struct nla_policy strset_policy[ETHTOOL_A_STRSET_MAX + 1] = {
	[ETHTOOL_A_STRSET_HEADER] = HEADER,
	[ETHTOOL_A_STRSET_STRINGSETS] = { NLA_K_UNSPEC, .help = "which sets; all if absent" },
	[ETHTOOL_A_STRSET_COUNTS_ONLY] = { NLA_K_FLAG, .help = "not the strings themselves" },
};

static const struct nla_policy stringset_policy[ETHTOOL_A_STRINGSET_ID + 1] = {
	[ETHTOOL_A_STRINGSET_ID] = { NLA_K_U32, .help = "ETH_SS_*" },
};

/* The sets that are asked for, as bits. */
static int parse_stringsets(const struct nlattr *nest, u32 *ret, struct netlink_ext_ack *extack)
{
	const struct nlattr *tb[ETHTOOL_A_STRINGSET_ID + 1], *a;
	int rem, err;

	*ret = 0;
	nla_for_each(a, nla_data(nest), nla_len(nest), rem) {
		err = nla_parse_nested(tb, ETHTOOL_A_STRINGSET_ID, a, stringset_policy, extack);
		if (err)
			return err;
		if (!tb[ETHTOOL_A_STRINGSET_ID])
			return -EINVAL;
		if (nla_get_u32(tb[ETHTOOL_A_STRINGSET_ID]) >= ETH_SS_COUNT) {
			nl_set_bad_attr(extack, tb[ETHTOOL_A_STRINGSET_ID]);
			nl_set_err_msg(extack, "unknown string set id");
			return -EOPNOTSUPP;
		}
		*ret |= 1u << nla_get_u32(tb[ETHTOOL_A_STRINGSET_ID]);
	}
	return 0;
}

static void put_stringset(struct nl_msg *m, const struct net_device *dev, u32 sset, u32 count,
			  bool counts_only)
{
	u32 set = nla_nest_start(m, ETHTOOL_A_STRINGSETS_STRINGSET), strings, one;

	nla_put_u32(m, ETHTOOL_A_STRINGSET_ID, sset);
	nla_put_u32(m, ETHTOOL_A_STRINGSET_COUNT, count);
	if (!counts_only) {
		strings = nla_nest_start(m, ETHTOOL_A_STRINGSET_STRINGS);
		for (u32 i = 0; i < count; i++) {
			one = nla_nest_start(m, ETHTOOL_A_STRINGS_STRING);
			nla_put_u32(m, ETHTOOL_A_STRING_INDEX, i);
			nla_put_string(m, ETHTOOL_A_STRING_VALUE,
				       ethtool_sset_string(dev, sset, i));
			nla_nest_end(m, one);
		}
		nla_nest_end(m, strings);
	}
	nla_nest_end(m, set);
}

/* Sets that were not asked for by their numbers are those of the device, or without one those of all. */
static int put_stringsets(struct nl_msg *m, const struct net_device *dev, bool asked, u32 sets,
			  bool counts_only, struct netlink_ext_ack *extack)
{
	u32 nest = nla_nest_start(m, ETHTOOL_A_STRSET_STRINGSETS);

	for (u32 i = 0; i < ETH_SS_COUNT; i++) {
		bool own = ethtool_sset_per_dev(i);
		int count = ethtool_sset_count(dev, i);

		if (asked ? !(sets >> i & 1) : own != !!dev)
			continue;
		if (own && !dev) {
			nl_set_err_msg(extack, "requested per device strings without dev");
			return -EINVAL;
		}
		if (count > 0)
			put_stringset(m, dev, i, (u32)count, counts_only);
		else if (asked && !own)
			return -EOPNOTSUPP;
	}
	nla_nest_end(m, nest);
	return 0;
}

static int strset_get(const struct genl_request *g)
{
	struct netlink_ext_ack *extack = g->req->extack;
	const struct nlattr *sets = g->tb[ETHTOOL_A_STRSET_STRINGSETS];
	struct nl_msg *m = g->req->reply;
	struct net_device *dev;
	u32 flags, mask = 0;
	int err = parse_header(g->req->net, g->tb[ETHTOOL_A_STRSET_HEADER], &dev, &flags, extack);

	if (!err && sets)
		err = parse_stringsets(sets, &mask, extack);
	if (err)
		return err;
	if (!genl_reply_begin(m, g, ETHTOOL_MSG_STRSET_GET_REPLY))
		return -EMSGSIZE;
	if (dev)
		put_header(m, ETHTOOL_A_STRSET_HEADER, dev);
	err = put_stringsets(m, dev, sets, mask, g->tb[ETHTOOL_A_STRSET_COUNTS_ONLY], extack);
	return err ? err : nlmsg_finish(m);
}

/* ---- the family ------------------------------------------------------------------------------------------------------ */

/* Every request about a device: its header is attribute 1, but that of statistics. */
static const struct nla_policy get_policy[ETHTOOL_A_LINKINFO_HEADER + 1] = {
	[ETHTOOL_A_LINKINFO_HEADER] = HEADER,
};

static const struct nla_policy stats_policy[STATS_SRC + 1] = {
	[ETHTOOL_A_STATS_PAD] = { NLA_K_REJECT },
	[ETHTOOL_A_STATS_HEADER] = HEADER,
	[ETHTOOL_A_STATS_GROUPS] = { NLA_K_UNSPEC, .help = "which groups" },
	[ETHTOOL_A_STATS_GRP] = { NLA_K_REJECT },
	[STATS_SRC] = { NLA_K_U32, .help = "of the whole MAC: the only source" },
};

static const struct nla_policy features_policy[ETHTOOL_A_FEATURES_WANTED + 1] = {
	[ETHTOOL_A_FEATURES_HEADER] = HEADER,
	[ETHTOOL_A_FEATURES_HW] = { NLA_K_REJECT },
	[ETHTOOL_A_FEATURES_WANTED] = { NLA_K_UNSPEC, .help = "features to change" },
};

#define REJECT_LIMITS                                                                              \
	[1 + 1] = { NLA_K_REJECT }, [2 + 1] = { NLA_K_REJECT }, [3 + 1] = { NLA_K_REJECT },        \
	     [4 + 1] = { NLA_K_REJECT }

static const struct nla_policy rings_policy[ETHTOOL_A_RINGS_TX + 1] = {
	[ETHTOOL_A_RINGS_HEADER] = HEADER,
	REJECT_LIMITS,
	[ETHTOOL_A_RINGS_RX] = { NLA_K_U32, .help = "receive descriptors" },
	[ETHTOOL_A_RINGS_RX_MINI] = { NLA_K_U32, .help = "of a ring for small frames" },
	[ETHTOOL_A_RINGS_RX_JUMBO] = { NLA_K_U32, .help = "of a ring for large frames" },
	[ETHTOOL_A_RINGS_TX] = { NLA_K_U32, .help = "transmit descriptors" },
};

static const struct nla_policy channels_policy[ETHTOOL_A_CHANNELS_COMBINED_COUNT + 1] = {
	[ETHTOOL_A_CHANNELS_HEADER] = HEADER,
	REJECT_LIMITS,
	[ETHTOOL_A_CHANNELS_RX_COUNT] = { NLA_K_U32, .help = "receive queues" },
	[ETHTOOL_A_CHANNELS_TX_COUNT] = { NLA_K_U32, .help = "transmit queues" },
	[ETHTOOL_A_CHANNELS_OTHER_COUNT] = { NLA_K_U32, .help = "other queues" },
	[ETHTOOL_A_CHANNELS_COMBINED_COUNT] = { NLA_K_U32, .help = "queues for both" },
};

#define COALESCE_U32(attr) [attr] = { NLA_K_U32, .help = #attr }
static const struct nla_policy coalesce_policy[NR_COALESCE_WORDS + 1] = {
	[ETHTOOL_A_COALESCE_HEADER] = HEADER,
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_USECS),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_MAX_FRAMES),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_USECS_IRQ),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_MAX_FRAMES_IRQ),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_USECS),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_MAX_FRAMES),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_USECS_IRQ),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_MAX_FRAMES_IRQ),
	COALESCE_U32(ETHTOOL_A_COALESCE_STATS_BLOCK_USECS),
	[ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX] = { NLA_K_U8, .help = "adaptive" },
	[ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX] = { NLA_K_U8, .help = "adaptive" },
	COALESCE_U32(ETHTOOL_A_COALESCE_PKT_RATE_LOW),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_USECS_LOW),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_MAX_FRAMES_LOW),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_USECS_LOW),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_MAX_FRAMES_LOW),
	COALESCE_U32(ETHTOOL_A_COALESCE_PKT_RATE_HIGH),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_USECS_HIGH),
	COALESCE_U32(ETHTOOL_A_COALESCE_RX_MAX_FRAMES_HIGH),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_USECS_HIGH),
	COALESCE_U32(ETHTOOL_A_COALESCE_TX_MAX_FRAMES_HIGH),
	COALESCE_U32(ETHTOOL_A_COALESCE_RATE_SAMPLE_INTERVAL),
};

#define GET(cmd_)                                                                                  \
	{                                                                                          \
		.cmd = (cmd_), .maxtype = ETHTOOL_A_LINKINFO_HEADER, .policy = get_policy,         \
		.doit = ethnl_get, .dumpit = ethnl_dump                                            \
	}
#define SET(cmd_, policy_, doit_)                                                                  \
	{                                                                                          \
		.cmd = (cmd_), .admin = true, .maxtype = ARRAY_SIZE(policy_) - 1,                  \
		.policy = (policy_), .doit = (doit_)                                               \
	}

static const struct genl_op ethnl_ops[] = {
	{ .cmd = ETHTOOL_MSG_STRSET_GET,
	  .maxtype = ETHTOOL_A_STRSET_MAX,
	  .policy = strset_policy,
	  .doit = strset_get },
	GET(ETHTOOL_MSG_LINKINFO_GET),
	GET(ETHTOOL_MSG_LINKMODES_GET),
	GET(ETHTOOL_MSG_LINKSTATE_GET),
	GET(ETHTOOL_MSG_DEBUG_GET),
	GET(ETHTOOL_MSG_WOL_GET),
	GET(ETHTOOL_MSG_FEATURES_GET),
	SET(ETHTOOL_MSG_FEATURES_SET, features_policy, features_set),
	GET(ETHTOOL_MSG_PRIVFLAGS_GET),
	GET(ETHTOOL_MSG_RINGS_GET),
	SET(ETHTOOL_MSG_RINGS_SET, rings_policy, rings_set),
	GET(ETHTOOL_MSG_CHANNELS_GET),
	SET(ETHTOOL_MSG_CHANNELS_SET, channels_policy, channels_set),
	GET(ETHTOOL_MSG_COALESCE_GET),
	SET(ETHTOOL_MSG_COALESCE_SET, coalesce_policy, coalesce_set),
	GET(ETHTOOL_MSG_PAUSE_GET),
	GET(ETHTOOL_MSG_EEE_GET),
	GET(ETHTOOL_MSG_TSINFO_GET),
	GET(ETHTOOL_MSG_FEC_GET),
	{ .cmd = ETHTOOL_MSG_STATS_GET,
	  .maxtype = STATS_SRC,
	  .policy = stats_policy,
	  .doit = ethnl_get,
	  .dumpit = ethnl_dump },
};

static const struct genl_family ethtool_family = {
	.name = ETHTOOL_GENL_NAME,
	.version = ETHTOOL_GENL_VERSION,
	.strict = true,
	.ops = ethnl_ops,
	.nr_ops = ARRAY_SIZE(ethnl_ops),
	.groups = { ETHTOOL_MCGRP_MONITOR_NAME },
};

int ethtool_netlink_machine_init(struct machine *m)
{
	return genl_register_family(m, &ethtool_family);
}
