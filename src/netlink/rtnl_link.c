/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl_link.c - RTM_NEWLINK, DELLINK, SETLINK, GETLINK: devices through netlink
 *
 * A link message is struct ifinfomsg and IFLA_* attributes. link_policy says what each may be; fill_link() writes what a device
 * is; do_setlink() applies what a request asks for, in an order in which a failure leaves the least behind: what can be
 * refused without a trace comes first.
 * Context: rtnl held, cpu lock not.
 * See rtnetlink(7), linux/if_link.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/net_group.h"
#include "core/qdisc.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"

#define NL_IFLA_MAX IFLA_ALLMULTI
#define IFALIASZ_   256
#define ARPHRD_LOOPBACK                                                                            \
	772 /* linux/if_arp.h, which cannot be included beside net/if.h; so linux/if.h: */
enum { OPER_DOWN = 2, OPER_TESTING = 4, OPER_DORMANT = 5, OPER_UP = 6 }; /* RFC 2863 ifOperStatus */
#define SKIP_STATS (1u << 3) /* RTEXT_FILTER_SKIP_STATS */

static const struct nla_policy link_policy[NL_IFLA_MAX + 1] = {
	[IFLA_IFNAME] = { NLA_K_STRING, .len = IFNAMSIZ - 1, .help = "name" },
	[IFLA_ADDRESS] = { NLA_K_BINARY, .len = MAX_ADDR_LEN, .help = "link-layer address" },
	[IFLA_BROADCAST] = { NLA_K_BINARY, .len = MAX_ADDR_LEN,
			     .help = "link-layer broadcast address" },
	[IFLA_MTU] = { NLA_K_U32, .help = "MTU" },
	[IFLA_LINK] = { NLA_K_U32, .help = "lower device" },
	[IFLA_MASTER] = { NLA_K_U32, .help = "master" },
	[IFLA_CARRIER] = { NLA_K_U8, .help = "carrier" },
	[IFLA_TXQLEN] = { NLA_K_U32, .help = "transmit queue length" },
	[IFLA_WEIGHT] = { NLA_K_U32 },
	[IFLA_OPERSTATE] = { NLA_K_U8, .help = "operational state" },
	[IFLA_LINKMODE] = { NLA_K_U8, .help = "link mode" },
	[IFLA_LINKINFO] = { NLA_K_NESTED, .help = "link type" },
	[IFLA_NET_NS_PID] = { NLA_K_U32, .help = "instance" },
	[IFLA_NET_NS_FD] = { NLA_K_U32, .help = "instance" },
	[IFLA_IFALIAS] = { NLA_K_STRING, .len = IFALIASZ_ - 1, .help = "alias" },
	[IFLA_VFINFO_LIST] = { NLA_K_NESTED },
	[IFLA_AF_SPEC] = { NLA_K_NESTED },
	[IFLA_EXT_MASK] = { NLA_K_U32 },
	[IFLA_PROMISCUITY] = { NLA_K_U32 },
	[IFLA_GROUP] = { NLA_K_U32, .help = "group" },
	[IFLA_NUM_TX_QUEUES] = { NLA_K_U32, .min = 1, .max = 4096, .help = "transmit queues" },
	[IFLA_NUM_RX_QUEUES] = { NLA_K_U32, .min = 1, .max = 4096, .help = "receive queues" },
	[IFLA_GSO_MAX_SEGS] = { NLA_K_U32, .min = 1, .max = GSO_MAX_SEGS, .help = "gso_max_segs" },
	[IFLA_GSO_MAX_SIZE] = { NLA_K_U32, .min = 1, .max = GSO_MAX_SIZE, .help = "gso_max_size" },
	[IFLA_PROTO_DOWN] = { NLA_K_U8 },
	[IFLA_TARGET_NETNSID] = { NLA_K_S32, .help = "instance" },
	[IFLA_ALT_IFNAME] = { NLA_K_STRING, .len = 127, .help = "name" },
	[IFLA_XDP] = { NLA_K_NESTED },
};

static const struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
	[IFLA_INFO_KIND] = { NLA_K_STRING, .len = 31, .help = "link type" },
	[IFLA_INFO_DATA] = { NLA_K_NESTED },
	[IFLA_INFO_SLAVE_KIND] = { NLA_K_STRING, .len = 31 },
	[IFLA_INFO_SLAVE_DATA] = { NLA_K_NESTED },
};

/* ---- what a device is ---------------------------------------------------------------------------------- */

static void fill_stats(struct nl_msg *m, struct net_device *dev)
{
	struct rtnl_link_stats64 s64 = { 0 };
	struct rtnl_link_stats s32;
	const __u64 *from = (const __u64 *)&s64;
	__u32 *to = (__u32 *)&s32;

	net_group_ask_stats(dev);
	cpu_lock(dev->cpu);
	dev_get_stats(dev, &s64);
	cpu_unlock(dev->cpu);
	/* The old structure has the same fields in the same order, half as wide. */
	for (u32 i = 0; i < sizeof(s32) / sizeof(__u32); i++)
		to[i] = (__u32)from[i];
	nla_put(m, IFLA_STATS64, sizeof(s64), &s64);
	nla_put(m, IFLA_STATS, sizeof(s32), &s32);
}

static void fill_linkinfo(struct nl_msg *m, const struct net_device *dev)
{
	const struct rtnl_link_ops *ops = dev->rtnl_link_ops;
	u32 info, data;

	if (!ops)
		return;
	info = nla_nest_start(m, IFLA_LINKINFO);
	nla_put_string(m, IFLA_INFO_KIND, ops->kind);
	if (ops->fill_info) {
		data = nla_nest_start(m, IFLA_INFO_DATA);
		ops->fill_info(m, dev);
		nla_nest_end(m, data);
	}
	nla_nest_end(m, info);
}

static void fill_peer(struct nl_msg *m, struct net_device *dev)
{
	struct net_device *peer =
		dev->netdev_ops->ndo_get_peer_dev ? dev->netdev_ops->ndo_get_peer_dev(dev) : NULL;
	int iflink = dev->iflink;

	if (peer)
		iflink = peer->ifindex;
	else if (dev->netdev_ops->ndo_get_iflink)
		iflink = dev->netdev_ops->ndo_get_iflink(dev);
	if (!iflink || (!peer && iflink == dev->ifindex))
		return;
	nla_put_u32(m, IFLA_LINK, (u32)iflink);
	if (peer && peer->net != dev->net)
		nla_put_u32(m, IFLA_LINK_NETNSID, peer->net->id);
}

static void fill_af_spec(struct nl_msg *m, struct net_device *dev, u32 ext_mask)
{
	const struct rtnl_table *t = dev->net->machine->rtnl_table;
	u32 nest = nla_nest_start_noflag(m, IFLA_AF_SPEC);

	for (u32 i = 0; i < ARRAY_SIZE(t->af_ops) && t->af_ops[i]; i++)
		t->af_ops[i]->fill(m, dev, ext_mask);
	nla_nest_end(m, nest);
}

static const char *dev_qdisc_id(const struct net_device *dev)
{
	const struct Qdisc *q = dev->num_tx_queues ? dev->tx[0].qdisc_sleeping : NULL;

	return q ? q->ops->id : "noop";
}

/* One RTM_NEWLINK or RTM_DELLINK message. 0 or -EMSGSIZE */
static int fill_link(struct nl_msg *m, struct net_device *dev, int type, u32 portid, u32 seq,
		     u16 flags, u32 change, u32 ext_mask)
{
	static const u8 no_address[MAX_ADDR_LEN];
	struct ifinfomsg *ifm = nlmsg_begin(m, portid, seq, (u16)type, flags, sizeof(*ifm));
	struct rtnl_link_ifmap map = { 0 };

	if (!ifm)
		return -EMSGSIZE;
	ifm->ifi_family = AF_UNSPEC;
	ifm->ifi_type = dev->type;
	ifm->ifi_index = dev->ifindex;
	ifm->ifi_flags = dev_get_flags(dev);
	ifm->ifi_change = change;

	nla_put_string(m, IFLA_IFNAME, dev->name);
	nla_put_u32(m, IFLA_TXQLEN, dev->tx_queue_len);
	nla_put_u8(m, IFLA_OPERSTATE, netif_running(dev) ? dev->operstate : OPER_DOWN);
	nla_put_u8(m, IFLA_LINKMODE, (u8)dev->link_mode);
	nla_put_u32(m, IFLA_MTU, dev->mtu);
	nla_put_u32(m, IFLA_MIN_MTU, dev->min_mtu);
	nla_put_u32(m, IFLA_MAX_MTU, dev->max_mtu);
	nla_put_u32(m, IFLA_GROUP, dev->group);
	nla_put_u32(m, IFLA_PROMISCUITY, dev->promiscuity);
	nla_put_u32(m, IFLA_ALLMULTI, dev->allmulti);
	nla_put_u32(m, IFLA_NUM_TX_QUEUES, dev->num_tx_queues);
	nla_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
	nla_put_u32(m, IFLA_GSO_MAX_SEGS, dev->gso_max_segs);
	nla_put_u32(m, IFLA_GSO_MAX_SIZE, dev->gso_max_size);
	/* How far those two may be raised, and what receiving merges at most: the same for every device. */
	nla_put_u32(m, IFLA_TSO_MAX_SIZE, GSO_MAX_SIZE);
	nla_put_u32(m, IFLA_TSO_MAX_SEGS, GSO_MAX_SEGS);
	nla_put_u32(m, IFLA_GRO_MAX_SIZE, GSO_MAX_SIZE);
	fill_peer(m, dev);
	nla_put_string(m, IFLA_QDISC, dev_qdisc_id(dev));
	if (dev->ifalias)
		nla_put_string(m, IFLA_IFALIAS, dev->ifalias);
	nla_put_u8(m, IFLA_CARRIER, netif_carrier_ok(dev));
	nla_put_u8(m, IFLA_PROTO_DOWN, 0);
	nla_put(m, IFLA_MAP, sizeof(map), &map);
	if (dev->addr_len) {
		nla_put(m, IFLA_ADDRESS, dev->addr_len, dev->dev_addr);
		nla_put(m, IFLA_BROADCAST, dev->addr_len, dev->broadcast);
		if (memcmp(dev->perm_addr, no_address, dev->addr_len))
			nla_put(m, IFLA_PERM_ADDRESS, dev->addr_len, dev->perm_addr);
	}
	if (!(ext_mask & SKIP_STATS))
		fill_stats(m, dev);
	fill_linkinfo(m, dev);
	fill_af_spec(m, dev, ext_mask);
	return nlmsg_finish(m);
}

void rtmsg_ifinfo(int type, struct net_device *dev, u32 change)
{
	struct nl_msg m;

	if (!netlink_has_listeners(dev->net, NETLINK_ROUTE, RTNLGRP_LINK))
		return;
	if (nl_msg_init(&m, 8192))
		return;
	if (!fill_link(&m, dev, type, 0, 0, 0, change, 0))
		nlmsg_notify(dev->net, NETLINK_ROUTE, &m, 0, RTNLGRP_LINK);
	nl_msg_fini(&m);
}

int rtnl_device_event(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev)
{
	(void)nb;
	switch (ev) {
	case NETDEV_REGISTER:
		rtmsg_ifinfo(RTM_NEWLINK, dev, ~0u);
		break;
	case NETDEV_UNREGISTER:
		rtmsg_ifinfo(RTM_DELLINK, dev, ~0u);
		break;
	case NETDEV_UP:
	case NETDEV_DOWN:
		rtmsg_ifinfo(RTM_NEWLINK, dev, IFF_UP);
		break;
	case NETDEV_CHANGE:
	case NETDEV_CHANGEMTU:
	case NETDEV_CHANGEADDR:
	case NETDEV_CHANGENAME:
	case NETDEV_FEAT_CHANGE:
	case NETDEV_CHANGE_TX_QUEUE_LEN:
		rtmsg_ifinfo(RTM_NEWLINK, dev, 0);
		break;
	default:
		break;
	}
	return 0;
}

/* ---- requests: common ---------------------------------------------------------------------------------- */

struct link_request { /* a parsed message */
	const struct ifinfomsg *ifm;
	const struct nlattr *tb[NL_IFLA_MAX + 1];
	const struct nlattr *info[IFLA_INFO_MAX + 1];
	char kind[32];
	char name[IFNAMSIZ];
};

static int parse_link(const struct nlmsghdr *nlh, struct link_request *lr,
		      struct netlink_ext_ack *extack)
{
	int err;

	memset(lr, 0, sizeof(*lr));
	err = nlmsg_parse(nlh, sizeof(struct ifinfomsg), lr->tb, NL_IFLA_MAX, link_policy, extack);
	if (err)
		return err;
	lr->ifm = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	if (lr->tb[IFLA_IFNAME])
		nla_strscpy(lr->name, lr->tb[IFLA_IFNAME], sizeof(lr->name));
	else if (lr->tb[IFLA_ALT_IFNAME])
		nla_strscpy(lr->name, lr->tb[IFLA_ALT_IFNAME], sizeof(lr->name));
	if (lr->tb[IFLA_LINKINFO]) {
		err = nla_parse_nested(lr->info, IFLA_INFO_MAX, lr->tb[IFLA_LINKINFO], info_policy,
				       extack);
		if (err)
			return err;
		if (lr->info[IFLA_INFO_KIND])
			nla_strscpy(lr->kind, lr->info[IFLA_INFO_KIND], sizeof(lr->kind));
	}
	return 0;
}

/* The device a request names; NULL with *ret_err -EINVAL (it names none) or -ENODEV. */
static struct net_device *find_link(struct net *net, const struct link_request *lr,
				    struct netlink_ext_ack *extack, int *ret_err)
{
	struct net_device *dev;

	if (lr->ifm->ifi_index > 0) {
		dev = __dev_get_by_index(net, lr->ifm->ifi_index);
	} else if (lr->ifm->ifi_index < 0) {
		nl_set_err_msg(extack, "ifindex can't be negative");
		*ret_err = -EINVAL;
		return NULL;
	} else if (lr->name[0]) {
		dev = __dev_get_by_name(net, lr->name);
	} else {
		nl_set_err_msg(extack, "The request names no device");
		*ret_err = -EINVAL;
		return NULL;
	}
	if (!dev)
		*ret_err = -ENODEV;
	return dev;
}

struct net *rtnl_link_get_net(struct net *src_net, const struct nlattr **tb)
{
	const struct nlattr *a = tb[IFLA_NET_NS_FD];

	if (!a)
		a = tb[IFLA_NET_NS_PID];
	if (!a)
		a = tb[IFLA_TARGET_NETNSID];
	return a ? net_find(src_net->machine, nla_get_u32(a)) : src_net;
}

static bool names_net(const struct link_request *lr)
{
	return lr->tb[IFLA_NET_NS_FD] || lr->tb[IFLA_NET_NS_PID] || lr->tb[IFLA_TARGET_NETNSID];
}

/* ---- changing ------------------------------------------------------------------------------------------ */

static int set_alias(struct net_device *dev, const struct nlattr *a)
{
	char buf[IFALIASZ_], *copy = NULL, *old;
	int n = nla_strscpy(buf, a, sizeof(buf));

	if (n < 0)
		return -EINVAL;
	if (n > 0) {
		copy = strdup(buf);
		if (!copy)
			return -ENOMEM;
	}
	cpu_lock(dev->cpu); /* /sys/class/net reads it without rtnl */
	old = dev->ifalias;
	dev->ifalias = copy;
	cpu_unlock(dev->cpu);
	free(old);
	return 0;
}

static int set_address(struct net_device *dev, const struct nlattr *a,
		       struct netlink_ext_ack *extack)
{
	if (nla_len(a) < dev->addr_len || !dev->addr_len) {
		nl_set_bad_attr(extack, a);
		nl_set_err_msg(extack, "A link-layer address of %s has %u octets", dev->name,
			       dev->addr_len);
		return dev->addr_len ? -EINVAL : -EOPNOTSUPP;
	}
	return dev_set_mac_address(dev, nla_data(a), extack);
}

static int set_carrier(struct net_device *dev, bool on)
{
	/* A real link's carrier is not ours to set: only of devices that have no other end. */
	if (dev->netdev_ops->ndo_get_peer_dev || dev->type == ARPHRD_LOOPBACK)
		return -EOPNOTSUPP;
	cpu_lock(dev->cpu);
	on ? netif_carrier_on(dev) : netif_carrier_off(dev);
	cpu_unlock(dev->cpu);
	linkwatch_run(dev->net->machine);
	return 0;
}

static int move_link(struct net_device *dev, const struct link_request *lr,
		     struct netlink_ext_ack *extack)
{
	struct net *net = rtnl_link_get_net(dev->net, (const struct nlattr **)lr->tb);

	if (!net) {
		nl_set_err_msg(extack,
			       "No such instance: the value is a number from weir_net_id()");
		return -EINVAL;
	}
	if (net == dev->net)
		return 0;
	if (dev->features & NETIF_F_NETNS_LOCAL) {
		nl_set_err_msg(extack,
			       "The interface %s belongs to its instance and cannot be moved",
			       dev->name);
		return -EINVAL;
	}
	return dev_change_net_namespace(dev, net, lr->name[0] ? lr->name : "dev%d");
}

/* What weir does not have yet is refused before anything was changed. */
static int refuse_unsupported(const struct net_device *dev, const struct link_request *lr,
			      struct netlink_ext_ack *extack)
{
	const struct nlattr *const *tb = (const struct nlattr *const *)lr->tb;

	(void)dev;
	if (tb[IFLA_MASTER] && nla_get_u32(tb[IFLA_MASTER])) {
		nl_set_bad_attr(extack, tb[IFLA_MASTER]);
		nl_set_err_msg(extack, "weir has no masters (bridge, bond) yet");
		return -EOPNOTSUPP;
	}
	if (tb[IFLA_XDP]) {
		nl_set_bad_attr(extack, tb[IFLA_XDP]);
		nl_set_err_msg(extack, "weir has no XDP programs");
		return -EOPNOTSUPP;
	}
	if (tb[IFLA_VFINFO_LIST] || tb[IFLA_PROTO_DOWN]) {
		nl_set_err_msg(extack, "The device has no such property");
		return -EOPNOTSUPP;
	}
	return 0;
}

static u32 wanted_flags(const struct net_device *dev, const struct ifinfomsg *ifm)
{
	u32 flags = ifm->ifi_flags;

	if (ifm->ifi_change)
		flags = (flags & ifm->ifi_change) | (dev->flags & ~ifm->ifi_change);
	return flags;
}

static int set_plain(struct net_device *dev, const struct link_request *lr, bool *ret_changed)
{
	const struct nlattr *const *tb = (const struct nlattr *const *)lr->tb;

	cpu_lock(dev->cpu);
	if (tb[IFLA_BROADCAST] && nla_len(tb[IFLA_BROADCAST]) >= dev->addr_len) {
		memcpy(dev->broadcast, nla_data(tb[IFLA_BROADCAST]), dev->addr_len);
		*ret_changed = true;
	}
	if (tb[IFLA_GROUP]) {
		dev->group = nla_get_u32(tb[IFLA_GROUP]);
		*ret_changed = true;
	}
	if (tb[IFLA_OPERSTATE]) {
		u8 s = nla_get_u8(tb[IFLA_OPERSTATE]);

		if (s == OPER_UP || s == OPER_DORMANT || s == OPER_TESTING)
			dev->operstate = s;
	}
	if (tb[IFLA_LINKMODE])
		dev->link_mode = nla_get_u8(tb[IFLA_LINKMODE]);
	if (tb[IFLA_GSO_MAX_SIZE])
		dev->gso_max_size = nla_get_u32(tb[IFLA_GSO_MAX_SIZE]);
	if (tb[IFLA_GSO_MAX_SEGS])
		dev->gso_max_segs = nla_get_u32(tb[IFLA_GSO_MAX_SEGS]);
	cpu_unlock(dev->cpu);
	return 0;
}

static int set_af_spec(struct net_device *dev, const struct nlattr *spec,
		       struct netlink_ext_ack *extack)
{
	const struct rtnl_table *t = dev->net->machine->rtnl_table;
	const struct nlattr *a;
	int rem, err = 0;

	nla_for_each(a, nla_data(spec), nla_len(spec), rem) {
		const struct rtnl_af_ops *ops = NULL;

		for (u32 i = 0; i < ARRAY_SIZE(t->af_ops) && t->af_ops[i]; i++)
			if (t->af_ops[i]->family == nla_type(a))
				ops = t->af_ops[i];
		if (!ops) {
			nl_set_bad_attr(extack, a);
			return -EAFNOSUPPORT;
		}
		err = ops->set(dev, a, extack);
		if (err)
			break;
	}
	return err;
}

static int do_setlink(struct net_device *dev, const struct link_request *lr,
		      struct netlink_ext_ack *extack)
{
	const struct nlattr *const *tb = (const struct nlattr *const *)lr->tb;
	bool changed = false;
	int err = refuse_unsupported(dev, lr, extack);

	if (err)
		return err;
	if (names_net(lr)) {
		err = move_link(dev, lr, extack);
		if (err)
			return err;
	}
	if (tb[IFLA_ADDRESS]) {
		err = set_address(dev, tb[IFLA_ADDRESS], extack);
		if (err)
			return err;
	}
	if (tb[IFLA_MTU]) {
		err = dev_set_mtu(dev, (int)nla_get_u32(tb[IFLA_MTU]), extack);
		if (err)
			return err;
	}
	if (lr->ifm->ifi_index > 0 && tb[IFLA_IFNAME] && strcmp(lr->name, dev->name)) {
		err = dev_change_name(dev, lr->name);
		if (err)
			return err;
	}
	if (tb[IFLA_IFALIAS]) {
		err = set_alias(dev, tb[IFLA_IFALIAS]);
		if (err)
			return err;
		changed = true;
	}
	if (tb[IFLA_TXQLEN]) {
		err = dev_change_tx_queue_len(dev, nla_get_u32(tb[IFLA_TXQLEN]));
		if (err)
			return err;
	}
	if (tb[IFLA_AF_SPEC]) {
		err = set_af_spec(dev, tb[IFLA_AF_SPEC], extack);
		if (err)
			return err;
		changed = true;
	}
	set_plain(dev, lr, &changed);
	if (lr->ifm->ifi_flags || lr->ifm->ifi_change) {
		err = dev_change_flags(dev, wanted_flags(dev, lr->ifm), extack);
		if (err)
			return err;
	}
	if (tb[IFLA_CARRIER]) {
		err = set_carrier(dev, nla_get_u8(tb[IFLA_CARRIER]));
		if (err)
			return err;
	}
	if (changed)
		rtmsg_ifinfo(RTM_NEWLINK, dev, 0);
	return 0;
}

static int rtnl_setlink(struct nl_request *req)
{
	struct link_request lr;
	struct net_device *dev;
	int err = parse_link(req->nlh, &lr, req->extack);

	if (err)
		return err;
	dev = find_link(req->net, &lr, req->extack, &err);
	return dev ? do_setlink(dev, &lr, req->extack) : err;
}

/* ---- creating ------------------------------------------------------------------------------------------ */

static u32 attr_u32(const struct nlattr *a, u32 dflt)
{
	return a ? nla_get_u32(a) : dflt;
}

struct net_device *rtnl_create_link(struct net *net, const char *ifname,
				    const struct rtnl_link_ops *ops, const struct nlattr **tb,
				    struct netlink_ext_ack *extack, int *ret_err)
{
	struct net_device *dev = alloc_netdev(net, ops->priv_size, ifname, ops->setup,
					      attr_u32(tb[IFLA_NUM_TX_QUEUES], 1));

	if (!dev) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	dev->rtnl_link_ops = ops;
	if (tb[IFLA_MTU]) {
		u32 mtu = nla_get_u32(tb[IFLA_MTU]);

		if (mtu < dev->min_mtu || (dev->max_mtu && mtu > dev->max_mtu)) {
			nl_set_bad_attr(extack, tb[IFLA_MTU]);
			nl_set_err_msg(extack, mtu < dev->min_mtu
						       ? "mtu less than device minimum"
						       : "mtu greater than device maximum");
			free_netdev(dev);
			*ret_err = -EINVAL;
			return NULL;
		}
		dev->mtu = mtu;
	}
	if (tb[IFLA_ADDRESS] && dev->addr_len) {
		if (nla_len(tb[IFLA_ADDRESS]) < dev->addr_len) {
			nl_set_bad_attr(extack, tb[IFLA_ADDRESS]);
			nl_set_err_msg(extack, "The link-layer address is too short");
			free_netdev(dev);
			*ret_err = -EINVAL;
			return NULL;
		}
		memcpy(dev->dev_addr, nla_data(tb[IFLA_ADDRESS]), dev->addr_len);
		dev->addr_assign_type = 3; /* NET_ADDR_SET */
	}
	if (tb[IFLA_BROADCAST] && nla_len(tb[IFLA_BROADCAST]) >= dev->addr_len)
		memcpy(dev->broadcast, nla_data(tb[IFLA_BROADCAST]), dev->addr_len);
	if (tb[IFLA_TXQLEN])
		dev->tx_queue_len = nla_get_u32(tb[IFLA_TXQLEN]);
	if (tb[IFLA_LINKMODE])
		dev->link_mode = nla_get_u8(tb[IFLA_LINKMODE]);
	if (tb[IFLA_GROUP])
		dev->group = nla_get_u32(tb[IFLA_GROUP]);
	return dev;
}

static int parse_info_data(const struct rtnl_link_ops *ops, const struct link_request *lr,
			   const struct nlattr **data, struct netlink_ext_ack *extack)
{
	if (!ops->maxtype || !lr->info[IFLA_INFO_DATA])
		return 0;
	return nla_parse_nested(data, ops->maxtype, lr->info[IFLA_INFO_DATA], ops->policy, extack);
}

#define LINK_MAX_DATA 256 /* attributes of IFLA_INFO_DATA */

static int create_link(struct nl_request *req, struct link_request *lr,
		       const struct rtnl_link_ops *ops, const struct nlattr **data)
{
	const struct nlattr **tb = lr->tb;
	struct net *net = rtnl_link_get_net(req->net, tb);
	char name[IFNAMSIZ];
	struct net_device *dev;
	int err;

	if (!net) {
		nl_set_err_msg(req->extack,
			       "No such instance: the value is a number from weir_net_id()");
		return -EINVAL;
	}
	if (lr->name[0])
		memcpy(name, lr->name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%.12s%%d", ops->kind);
	dev = rtnl_create_link(net, name, ops, tb, req->extack, &err);
	if (!dev)
		return err;
	if (lr->ifm->ifi_index > 0)
		dev->ifindex = lr->ifm->ifi_index;
	if (ops->newlink)
		err = ops->newlink(req->net, dev, tb, data, req->extack);
	else
		err = register_netdevice(dev);
	if (err) {
		if (dev->reg_state == NETREG_UNINITIALIZED)
			free_netdev(dev);
		return err;
	}
	if (lr->ifm->ifi_flags || lr->ifm->ifi_change)
		err = dev_change_flags(dev, wanted_flags(dev, lr->ifm), req->extack);
	if (!err && tb[IFLA_IFALIAS])
		err = set_alias(dev, tb[IFLA_IFALIAS]);
	return err;
}

static int change_link(struct nl_request *req, struct net_device *dev, struct link_request *lr,
		       const struct rtnl_link_ops *ops, const struct nlattr **data)
{
	int err;

	if (req->nlh->nlmsg_flags & NLM_F_EXCL)
		return -EEXIST;
	if (req->nlh->nlmsg_flags & NLM_F_REPLACE)
		return -EOPNOTSUPP;
	if (lr->info[IFLA_INFO_DATA]) {
		if (!ops || ops != dev->rtnl_link_ops || !ops->changelink) {
			nl_set_err_msg(req->extack, "The properties of %s cannot be changed",
				       dev->name);
			return -EOPNOTSUPP;
		}
		err = ops->changelink(dev, lr->tb, data, req->extack);
		if (err)
			return err;
		rtmsg_ifinfo(RTM_NEWLINK, dev, 0);
	}
	return do_setlink(dev, lr, req->extack);
}

static int rtnl_newlink(struct nl_request *req)
{
	const struct nlattr *data[LINK_MAX_DATA] = { NULL };
	const struct rtnl_link_ops *ops = NULL;
	struct net_device *dev = NULL;
	struct link_request lr;
	int err = parse_link(req->nlh, &lr, req->extack);

	if (err)
		return err;
	if (lr.ifm->ifi_index < 0) {
		nl_set_err_msg(req->extack, "ifindex can't be negative");
		return -EINVAL;
	}
	/* What is to be made in another instance must be new there, not here; Linux does so since 6.14. */
	if ((lr.ifm->ifi_index > 0 || lr.name[0]) &&
	    !(names_net(&lr) && (req->nlh->nlmsg_flags & NLM_F_EXCL)))
		dev = find_link(req->net, &lr, NULL, &err);
	if (lr.kind[0]) {
		ops = rtnl_link_ops_get(req->net->machine, lr.kind);
		if (ops && ops->maxtype >= LINK_MAX_DATA)
			return -EINVAL;
		if (ops) {
			err = parse_info_data(ops, &lr, data, req->extack);
			if (!err && ops->validate)
				err = ops->validate(lr.tb, data, req->extack);
			if (err)
				return err;
		}
	}
	if (dev)
		return change_link(req, dev, &lr, ops, data);
	if (!(req->nlh->nlmsg_flags & NLM_F_CREATE))
		return -ENODEV; /* also when none is named: ip asks so whether RTM_NEWLINK is known */
	if (!ops) {
		nl_set_bad_attr(req->extack, lr.info[IFLA_INFO_KIND]);
		nl_set_err_msg(req->extack, lr.kind[0] ? "Unknown device type"
						       : "The request names no device type");
		return -EOPNOTSUPP;
	}
	err = refuse_unsupported(NULL, &lr, req->extack);
	return err ? err : create_link(req, &lr, ops, data);
}

/* ---- removing ------------------------------------------------------------------------------------------ */

static int del_one(struct net_device *dev, struct netlink_ext_ack *extack)
{
	if (!dev->rtnl_link_ops) {
		nl_set_err_msg(extack, "%s cannot be removed: it is part of its instance",
			       dev->name);
		return -EOPNOTSUPP;
	}
	if (dev->rtnl_link_ops->dellink)
		dev->rtnl_link_ops->dellink(dev);
	else
		unregister_netdevice(dev);
	return 0;
}

static int del_group(struct net *net, u32 group)
{
	struct net_device *dev;
	bool any = false;

	if (!group)
		return -EPERM;
	net_for_each_dev(net, dev) {
		if (dev->group != group)
			continue;
		any = true;
		if (!dev->rtnl_link_ops)
			return -EOPNOTSUPP;
	}
restart: /* removing one device may remove its peer as well */
	net_for_each_dev(net, dev)
		if (dev->group == group) {
			del_one(dev, NULL);
			goto restart;
		}
	return any ? 0 : -ENODEV;
}

static int rtnl_dellink(struct nl_request *req)
{
	struct link_request lr;
	struct net_device *dev;
	int err = parse_link(req->nlh, &lr, req->extack);

	if (err)
		return err;
	if (!lr.ifm->ifi_index && !lr.name[0] && lr.tb[IFLA_GROUP])
		return del_group(req->net, nla_get_u32(lr.tb[IFLA_GROUP]));
	dev = find_link(req->net, &lr, req->extack, &err);
	return dev ? del_one(dev, req->extack) : err;
}

/* ---- showing ------------------------------------------------------------------------------------------- */

static int rtnl_getlink(struct nl_request *req)
{
	struct link_request lr;
	struct net_device *dev;
	struct net *net;
	int err = parse_link(req->nlh, &lr, req->extack);

	if (err)
		return err;
	net = rtnl_link_get_net(req->net, lr.tb);
	if (!net)
		return -EINVAL;
	dev = find_link(net, &lr, req->extack, &err);
	if (!dev)
		return err;
	return fill_link(req->reply, dev, RTM_NEWLINK, req->portid, req->nlh->nlmsg_seq, 0, 0,
			 attr_u32(lr.tb[IFLA_EXT_MASK], 0));
}

static bool link_wanted(const struct net_device *dev, const struct link_request *lr)
{
	if (lr->tb[IFLA_MASTER] && nla_get_u32(lr->tb[IFLA_MASTER]))
		return false; /* nobody has a master */
	if (lr->kind[0])
		return dev->rtnl_link_ops && !strcmp(dev->rtnl_link_ops->kind, lr->kind);
	return !lr->info[IFLA_INFO_SLAVE_KIND];
}

/* args[0]: the ifindex that was dumped last */
static int rtnl_dump_link(struct nl_msg *msg, struct netlink_callback *cb)
{
	struct link_request lr;
	struct net_device *dev;
	struct net *net = cb->net;
	int err;

	/* Old programs send struct rtgenmsg only: they want everything. */
	if (cb->nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(struct ifinfomsg)) {
		err = parse_link(cb->nlh, &lr, cb->extack);
		if (err)
			return err;
		net = rtnl_link_get_net(cb->net, lr.tb);
		if (!net)
			return -EINVAL;
	} else {
		memset(&lr, 0, sizeof(lr));
	}
	cb->seq = net->core->dev_generation;
	net_for_each_dev(net, dev) {
		if ((u64)dev->ifindex <= cb->args[0] || !link_wanted(dev, &lr))
			continue;
		err = fill_link(msg, dev, RTM_NEWLINK, cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
				0, attr_u32(lr.tb[IFLA_EXT_MASK], 0));
		if (err)
			return 1;
		cb->args[0] = (u64)dev->ifindex;
	}
	return 0;
}

/* Bridge ports: there are none. */
static int dump_nothing(struct nl_msg *msg, struct netlink_callback *cb)
{
	(void)msg;
	(void)cb;
	return 0;
}

int rtnl_link_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_UNSPEC, RTM_NEWLINK, rtnl_newlink, NULL },
		{ AF_UNSPEC, RTM_DELLINK, rtnl_dellink, NULL },
		{ AF_UNSPEC, RTM_SETLINK, rtnl_setlink, NULL },
		{ AF_UNSPEC, RTM_GETLINK, rtnl_getlink, rtnl_dump_link },
		{ AF_BRIDGE, RTM_GETLINK, NULL, dump_nothing },
		{ AF_BRIDGE, RTM_GETNEIGH, NULL, dump_nothing },
	};

	return rtnl_register(m, handlers, ARRAY_SIZE(handlers));
}
