/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netconf.c - RTM_GETNETCONF: settings of devices, of "all" and of "default", one message each
 *
 * What the settings are, and when they change, only their IP version knows: struct netconf_ops.
 */
#include "inet/netconf.h"

#include <errno.h>

#include "core/cpu.h"
#include "core/net.h"
#include "core/netdevice.h"

/* nlmsg_finish()'s verdict */
static int fill(struct nl_msg *m, const struct netconf_ops *ops, int ifindex, const void *conf,
		int type, int event, u32 portid, u32 seq, u16 flags)
{
	struct netconfmsg *ncm = nlmsg_begin(m, portid, seq, (u16)event, flags, sizeof(*ncm));

	if (!ncm)
		return -EMSGSIZE;
	ncm->ncm_family = ops->family;
	nla_put_u32(m, NETCONFA_IFINDEX, (u32)ifindex);
	if (conf)
		ops->fill(m, conf, type);
	return nlmsg_finish(m);
}

void netconf_notify(struct net *net, const struct netconf_ops *ops, int event, int type,
		    int ifindex, const void *conf)
{
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, ops->group) || nl_msg_init(&m, 256))
		return;
	if (!fill(&m, ops, ifindex, conf, type, event, 0, 0, 0))
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, ops->group);
	nl_msg_fini(&m);
}

static const struct nla_policy policy[NETCONFA_MAX + 1] = {
	[NETCONFA_IFINDEX] = { .kind = NLA_K_S32, .help = "device; -1: all, -2: default" },
};

int netconf_get(struct nl_request *req, const struct netconf_ops *ops)
{
	const struct nlattr *tb[NETCONFA_MAX + 1];
	const void *conf;
	int ifindex, err;

	err = nlmsg_parse(req->nlh, sizeof(struct netconfmsg), tb, NETCONFA_MAX, policy,
			  req->extack);
	if (err || !tb[NETCONFA_IFINDEX])
		return err ? err : -EINVAL;
	ifindex = (int)nla_get_u32(tb[NETCONFA_IFINDEX]);
	cpu_lock(req->net->cpu);
	conf = ops->find(req->net, ifindex);
	err = conf ? fill(req->reply, ops, ifindex, conf, NETCONFA_ALL, RTM_NEWNETCONF, req->portid,
			  req->nlh->nlmsg_seq, 0)
		   : -EINVAL;
	cpu_unlock(req->net->cpu);
	return err;
}

static int dump_one(struct nl_msg *msg, struct netlink_callback *cb, const struct netconf_ops *ops,
		    int ifindex)
{
	const void *conf = ops->find(cb->net, ifindex);

	return conf ? fill(msg, ops, ifindex, conf, NETCONFA_ALL, RTM_NEWNETCONF, cb->portid,
			   cb->nlh->nlmsg_seq, NLM_F_MULTI)
		    : 0;
}

/* args[0]: the device's ifindex that was last, args[1]: 1 "all" is out, 2 "default" too */
int netconf_dump(struct nl_msg *msg, struct netlink_callback *cb, const struct netconf_ops *ops)
{
	struct net_device *dev;
	int full = 0;

	cpu_lock(cb->net->cpu);
	net_for_each_dev(cb->net, dev) {
		if (full || (u64)dev->ifindex <= cb->args[0])
			continue;
		full = dump_one(msg, cb, ops, dev->ifindex);
		if (!full)
			cb->args[0] = (u64)dev->ifindex;
	}
	for (int i = NETCONFA_IFINDEX_ALL - (int)cb->args[1];
	     !full && i >= NETCONFA_IFINDEX_DEFAULT; i--) {
		full = dump_one(msg, cb, ops, i);
		if (!full)
			cb->args[1]++;
	}
	cpu_unlock(cb->net->cpu);
	return full ? 1 : 0;
}
