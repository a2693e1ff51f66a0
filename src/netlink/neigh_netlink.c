/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh_netlink.c - RTM_NEWNEIGH, DELNEIGH, GETNEIGH: the neighbour tables of all families through netlink
 *
 * Context: rtnl held; the tables are guarded by the cpu lock, which is taken here. neigh_notify() is called by the tables with that
 * lock held.
 * See rtnetlink(7), linux/neighbour.h.
 */
#include <errno.h>
#include <linux/neighbour.h>

#include "core/neighbour.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"

#define NL_NDA_MAX NDA_PROTOCOL

static const struct nla_policy nd_policy[NL_NDA_MAX + 1] = {
	[NDA_DST] = { NLA_K_BINARY, .len = 16, .help = "network address" },
	[NDA_LLADDR] = { NLA_K_BINARY, .len = MAX_ADDR_LEN, .help = "link-layer address" },
	[NDA_PROBES] = { NLA_K_U32 },
	[NDA_VLAN] = { NLA_K_U16 },
	[NDA_PORT] = { NLA_K_U16 },
	[NDA_VNI] = { NLA_K_U32 },
	[NDA_IFINDEX] = { NLA_K_U32, .help = "device" },
	[NDA_MASTER] = { NLA_K_U32, .help = "master" },
	[NDA_PROTOCOL] = { NLA_K_U8, .help = "protocol" },
};

static struct neigh_table *neigh_find_table(struct net *net, int family)
{
	for (u32 i = 0; i < ARRAY_SIZE(net->core->neigh_tables); i++)
		if (net->core->neigh_tables[i] && net->core->neigh_tables[i]->family == family)
			return net->core->neigh_tables[i];
	return NULL;
}

/* ---- showing ------------------------------------------------------------------------------------------- */

/* Times of struct nda_cacheinfo are in hundredths of a second. */
static u32 age_ticks(u64 now, u64 then)
{
	return now > then ? (u32)((now - then) / (NSEC_PER_SEC / 100)) : 0;
}

/* cpu lock held. 0 or -EMSGSIZE */
static int fill_neigh(struct nl_msg *m, const struct neighbour *n, u32 portid, u32 seq, int type,
		      u16 flags)
{
	struct ndmsg *ndm = nlmsg_begin(m, portid, seq, (u16)type, flags, sizeof(*ndm));
	struct nda_cacheinfo ci = { 0 };
	u64 now = n->dev->cpu->now;

	if (!ndm)
		return -EMSGSIZE;
	ndm->ndm_family = (u8)n->tbl->family;
	ndm->ndm_flags = n->flags;
	ndm->ndm_type = n->type;
	ndm->ndm_ifindex = n->dev->ifindex;
	ndm->ndm_state = n->nud_state;
	nla_put(m, NDA_DST, n->tbl->key_len, n->primary_key);
	if (n->nud_state & NUD_VALID)
		nla_put(m, NDA_LLADDR, n->dev->addr_len, n->ha);
	ci.ndm_confirmed = age_ticks(now, n->confirmed);
	ci.ndm_used = age_ticks(now, n->used);
	ci.ndm_updated = age_ticks(now, n->updated);
	ci.ndm_refcnt = n->refcount - 1;
	nla_put_u32(m, NDA_PROBES, n->probes);
	nla_put(m, NDA_CACHEINFO, sizeof(ci), &ci);
	if (n->protocol)
		nla_put_u8(m, NDA_PROTOCOL, n->protocol);
	return nlmsg_finish(m);
}

void neigh_notify(struct neighbour *n, int rtm_type)
{
	struct net *net = n->dev->net;
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_NEIGH))
		return;
	if (nl_msg_init(&m, 512))
		return;
	if (!fill_neigh(&m, n, 0, 0, rtm_type, 0))
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, RTNLGRP_NEIGH);
	nl_msg_fini(&m);
}

struct neigh_dump {
	struct nl_msg *msg;
	struct netlink_callback *cb;
	int ifindex;
	u64 index, skip;
};

static int dump_one(struct neighbour *n, void *arg)
{
	struct neigh_dump *d = arg;
	int err;

	if (d->index++ < d->skip || (d->ifindex && n->dev->ifindex != d->ifindex))
		return 0;
	err = fill_neigh(d->msg, n, d->cb->portid, d->cb->nlh->nlmsg_seq, RTM_NEWNEIGH,
			 NLM_F_MULTI);
	if (err)
		return err;
	d->cb->args[1] = d->index;
	return 0;
}

/* cpu lock held. 0 or -EMSGSIZE */
static int fill_pneigh(struct nl_msg *m, const struct neigh_table *tbl,
		       const struct pneigh_entry *e, u32 portid, u32 seq, u16 flags)
{
	struct ndmsg *ndm = nlmsg_begin(m, portid, seq, RTM_NEWNEIGH, flags, sizeof(*ndm));

	if (!ndm)
		return -EMSGSIZE;
	ndm->ndm_family = (u8)tbl->family;
	ndm->ndm_flags = NTF_PROXY;
	ndm->ndm_type = RTN_UNICAST;
	ndm->ndm_ifindex = e->dev ? e->dev->ifindex : 0;
	ndm->ndm_state = NUD_NONE;
	nla_put(m, NDA_DST, tbl->key_len, e->key);
	if (e->protocol)
		nla_put_u8(m, NDA_PROTOCOL, e->protocol);
	return nlmsg_finish(m);
}

/* "ip neigh show proxy". args[0]: table, args[1]: entries of it that are done */
static int pneigh_dump(struct nl_msg *msg, struct netlink_callback *cb, const struct ndmsg *ndm)
{
	int more = 0;

	cpu_lock(cb->net->cpu);
	for (; !more && cb->args[0] < ARRAY_SIZE(cb->net->core->neigh_tables); cb->args[0]++) {
		struct neigh_table *tbl = cb->net->core->neigh_tables[cb->args[0]];
		struct pneigh_entry *e;

		if (!tbl || (ndm->ndm_family && tbl->family != ndm->ndm_family))
			continue;
		for (; (e = pneigh_next(tbl, cb->args[1])); cb->args[1]++) {
			if (ndm->ndm_ifindex && (!e->dev || e->dev->ifindex != ndm->ndm_ifindex))
				continue;
			if (fill_pneigh(msg, tbl, e, cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI)) {
				cpu_unlock(cb->net->cpu);
				return 1;
			}
		}
		cb->args[1] = 0;
	}
	cpu_unlock(cb->net->cpu);
	return more;
}

/* args[0]: table, args[1]: entries of it that are done */
static int neigh_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct ndmsg *ndm = (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
	const struct nlattr *tb[NL_NDA_MAX + 1] = { NULL };
	struct neigh_dump d = { .msg = msg, .cb = cb };
	struct rtgenmsg *g = (void *)((char *)cb->nlh + NLMSG_HDRLEN);
	int err;

	if (cb->nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(*ndm)) {
		err = nlmsg_parse(cb->nlh, sizeof(*ndm), tb, NL_NDA_MAX, nd_policy, cb->extack);
		if (err)
			return err;
		if (ndm->ndm_flags & NTF_PROXY)
			return pneigh_dump(msg, cb, ndm);
		d.ifindex = ndm->ndm_ifindex;
	}
	if (tb[NDA_IFINDEX])
		d.ifindex = (int)nla_get_u32(tb[NDA_IFINDEX]);
	if (tb[NDA_MASTER] && nla_get_u32(tb[NDA_MASTER]))
		return 0;
	for (; cb->args[0] < ARRAY_SIZE(cb->net->core->neigh_tables);
	     cb->args[0]++, cb->args[1] = 0) {
		struct neigh_table *tbl = cb->net->core->neigh_tables[cb->args[0]];

		if (!tbl || (g->rtgen_family && tbl->family != g->rtgen_family))
			continue;
		d.index = 0;
		d.skip = cb->args[1];
		cpu_lock(cb->net->cpu);
		err = neigh_for_each(tbl, dump_one, &d);
		cpu_unlock(cb->net->cpu);
		if (err)
			return 1;
	}
	return 0;
}

/* ---- requests ------------------------------------------------------------------------------------------ */

struct neigh_request {
	const struct ndmsg *ndm;
	const struct nlattr *tb[NL_NDA_MAX + 1];
	struct neigh_table *tbl;
	struct net_device *dev;
	bool proxy;
};

static int parse_neigh(struct nl_request *req, struct neigh_request *nr)
{
	int err =
		nlmsg_parse(req->nlh, sizeof(*nr->ndm), nr->tb, NL_NDA_MAX, nd_policy, req->extack);

	if (err)
		return err;
	nr->ndm = (const void *)((const char *)req->nlh + NLMSG_HDRLEN);
	if (!nr->tb[NDA_DST]) {
		nl_set_err_msg(req->extack, "Network address not specified");
		req->extack->miss_type = NDA_DST;
		return -EINVAL;
	}
	nr->tbl = neigh_find_table(req->net, nr->ndm->ndm_family);
	if (!nr->tbl) {
		nl_set_err_msg(req->extack, "There is no neighbour table of address family %u",
			       nr->ndm->ndm_family);
		return -EAFNOSUPPORT;
	}
	if (nla_len(nr->tb[NDA_DST]) < nr->tbl->key_len) {
		nl_set_bad_attr(req->extack, nr->tb[NDA_DST]);
		nl_set_err_msg(req->extack, "Invalid network address");
		return -EINVAL;
	}
	nr->proxy = nr->ndm->ndm_flags & NTF_PROXY;
	nr->dev = __dev_get_by_index(req->net, nr->ndm->ndm_ifindex);
	if (!nr->dev && nr->proxy && !nr->ndm->ndm_ifindex)
		return 0; /* for questions by any device */
	if (!nr->dev) {
		if (!nr->ndm->ndm_ifindex)
			nl_set_err_msg(req->extack, "The request names no device");
		return nr->ndm->ndm_ifindex ? -ENODEV : -EINVAL;
	}
	if (nr->tb[NDA_LLADDR] && nla_len(nr->tb[NDA_LLADDR]) < nr->dev->addr_len) {
		nl_set_bad_attr(req->extack, nr->tb[NDA_LLADDR]);
		nl_set_err_msg(req->extack, "Invalid link address");
		return -EINVAL;
	}
	return 0;
}

/* cpu lock held. */
static int add_locked(struct nl_request *req, const struct neigh_request *nr)
{
	u32 flags =
		NEIGH_UPDATE_F_ADMIN | NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE_ISROUTER;
	struct neighbour *n = neigh_lookup(nr->tbl, nla_data(nr->tb[NDA_DST]), nr->dev);
	int err = 0;

	if (!n) {
		if (!(req->nlh->nlmsg_flags & NLM_F_CREATE))
			return -ENOENT;
		n = neigh_create(nr->tbl, nla_data(nr->tb[NDA_DST]), nr->dev, &err);
		if (!n)
			return err;
	} else {
		if (req->nlh->nlmsg_flags & NLM_F_EXCL)
			err = -EEXIST;
		if (!(req->nlh->nlmsg_flags & NLM_F_REPLACE))
			flags &= ~(NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_OVERRIDE_ISROUTER);
	}
	if (nr->ndm->ndm_flags & NTF_ROUTER)
		flags |= NEIGH_UPDATE_F_ISROUTER;
	if (!err && nr->tb[NDA_PROTOCOL])
		n->protocol = nla_get_u8(nr->tb[NDA_PROTOCOL]);
	if (!err)
		err = neigh_update(n, nr->tb[NDA_LLADDR] ? nla_data(nr->tb[NDA_LLADDR]) : NULL,
				   (u8)nr->ndm->ndm_state, flags);
	neigh_release(n);
	return err;
}

static int pneigh_add_locked(const struct neigh_request *nr)
{
	struct pneigh_entry *e = pneigh_create(nr->tbl, nla_data(nr->tb[NDA_DST]), nr->dev);

	if (!e)
		return -ENOBUFS;
	if (nr->tb[NDA_PROTOCOL])
		e->protocol = nla_get_u8(nr->tb[NDA_PROTOCOL]);
	return 0;
}

static int neigh_add(struct nl_request *req)
{
	struct neigh_request nr;
	int err = parse_neigh(req, &nr);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	err = nr.proxy ? pneigh_add_locked(&nr) : add_locked(req, &nr);
	cpu_unlock(req->net->cpu);
	return err;
}

static int neigh_delete(struct nl_request *req)
{
	struct neigh_request nr;
	struct neighbour *n;
	int err = parse_neigh(req, &nr);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	if (nr.proxy) {
		err = pneigh_delete(nr.tbl, nla_data(nr.tb[NDA_DST]), nr.dev);
		cpu_unlock(req->net->cpu);
		return err;
	}
	n = neigh_lookup(nr.tbl, nla_data(nr.tb[NDA_DST]), nr.dev);
	if (n) {
		err = neigh_update(n, NULL, NUD_FAILED,
				   NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN);
		neigh_remove(n);
		neigh_release(n);
	} else {
		err = -ENOENT;
	}
	cpu_unlock(req->net->cpu);
	return err;
}

static int neigh_get(struct nl_request *req)
{
	struct neigh_request nr;
	struct neighbour *n;
	int err = parse_neigh(req, &nr);

	if (err)
		return err;
	cpu_lock(req->net->cpu);
	if (nr.proxy) {
		const struct pneigh_entry *e =
			pneigh_lookup(nr.tbl, nla_data(nr.tb[NDA_DST]), nr.dev);

		err = e ? fill_pneigh(req->reply, nr.tbl, e, req->portid, req->nlh->nlmsg_seq, 0)
			: -ENOENT;
		cpu_unlock(req->net->cpu);
		return err;
	}
	n = neigh_lookup(nr.tbl, nla_data(nr.tb[NDA_DST]), nr.dev);
	if (n) {
		err = fill_neigh(req->reply, n, req->portid, req->nlh->nlmsg_seq, RTM_NEWNEIGH, 0);
		neigh_release(n);
	} else {
		nl_set_err_msg(req->extack, "Neighbour entry not found");
		err = -ENOENT;
	}
	cpu_unlock(req->net->cpu);
	return err;
}

int neigh_netlink_machine_init(struct machine *m)
{
	static const struct rtnl_handler handlers[] = {
		{ AF_UNSPEC, RTM_NEWNEIGH, neigh_add, NULL },
		{ AF_UNSPEC, RTM_DELNEIGH, neigh_delete, NULL },
		{ AF_UNSPEC, RTM_GETNEIGH, neigh_get, neigh_dump },
	};

	return rtnl_register(m, handlers, ARRAY_SIZE(handlers));
}
