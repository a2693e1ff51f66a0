/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink.c - the registry of NETLINK_ROUTE handlers and link types
 *
 * Handlers are rows (family, type). A request looks for its own family first and then for AF_UNSPEC; a dump of AF_UNSPEC without a
 * handler of its own visits all families (af_netlink.c). The registry is filled while the machine is set up and only read after.
 * See rtnetlink(7).
 */
#include <errno.h>
#include <stdlib.h>

#include "core/net_group.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"

static int table_grow(void **rows, u32 *size, u32 nr, size_t row_size)
{
	u32 n = *size ? *size * 2 : 16;
	void *p;

	if (nr < *size)
		return 0;
	p = realloc(*rows, n * row_size);
	if (!p)
		return -ENOMEM;
	*rows = p;
	*size = n;
	return 0;
}

static bool same_handler(const struct rtnl_handler *a, const struct rtnl_handler *b)
{
	return a->family == b->family && a->type == b->type &&
	       ((a->doit && b->doit) || (a->dumpit && b->dumpit));
}

int rtnl_register(struct machine *m, const struct rtnl_handler *h, u32 n)
{
	struct rtnl_table *t = m->rtnl_table;

	for (u32 i = 0; i < n; i++) {
		for (u32 k = 0; k < t->nr_rows; k++)
			if (same_handler(&t->rows[k], &h[i]))
				return -EEXIST;
		if (table_grow((void **)&t->rows, &t->size_rows, t->nr_rows, sizeof(*t->rows)))
			return -ENOMEM;
		t->rows[t->nr_rows++] = h[i];
	}
	return 0;
}

/* The handler for exactly this family. */
static const struct rtnl_handler *find_exact(const struct rtnl_table *t, int family, int type,
					     bool dump)
{
	for (u32 i = 0; i < t->nr_rows; i++) {
		const struct rtnl_handler *h = &t->rows[i];

		if (h->family == family && h->type == type &&
		    (dump ? (void *)h->dumpit : (void *)h->doit))
			return h;
	}
	return NULL;
}

const struct rtnl_handler *rtnl_find(const struct machine *m, int family, int type, bool dump)
{
	const struct rtnl_handler *h = find_exact(m->rtnl_table, family, type, dump);

	return h ? h : find_exact(m->rtnl_table, AF_UNSPEC, type, dump);
}

/* What shapes the tables of each shard of a net on several cpus. Links are not among it: shadows follow them (core/net_steer.c). */
static bool shapes_tables(u16 type)
{
	switch (type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_SETNEIGHTBL:
	case RTM_NEWADDRLABEL:
	case RTM_DELADDRLABEL:
		return true;
	default:
		return false;
	}
}

int rtnl_doit(const struct rtnl_handler *h, struct nl_request *req)
{
	int err = h->doit(req);
	struct net *shard;

	if (likely(!req->net->group) || err || !shapes_tables(req->nlh->nlmsg_type))
		return err;
	/* The same request in the same state: what the lead could do all can, unless memory is short. */
	net_for_each_other_shard(req->net, shard, i)
	{
		struct nl_msg reply = { 0 };
		struct nl_request again = *req;

		again.net = shard;
		again.reply = &reply;
		err = h->doit(&again);
		if (err)
			break;
	}
	return err;
}

int rtnl_request(struct net *net, const struct nlmsghdr *nlh)
{
	const struct rtgenmsg *g = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	const struct rtnl_handler *h =
		rtnl_find(net->machine, g->rtgen_family, nlh->nlmsg_type, false);
	struct netlink_ext_ack extack = { 0 };
	struct nl_msg reply = { 0 };
	struct nl_request req = {
		.net = net,
		.nlh = nlh,
		.privileged = true,
		.extack = &extack,
		.reply = &reply,
	};

	return h ? rtnl_doit(h, &req) : -EOPNOTSUPP;
}

int rtnl_af_register(struct machine *m, const struct rtnl_af_ops *ops)
{
	struct rtnl_table *t = m->rtnl_table;

	for (u32 i = 0; i < ARRAY_SIZE(t->af_ops); i++)
		if (!t->af_ops[i]) {
			t->af_ops[i] = ops;
			return 0;
		}
	return -ENOSPC;
}

int rtnl_link_register(struct machine *m, const struct rtnl_link_ops *ops)
{
	struct rtnl_table *t = m->rtnl_table;

	if (!ops->kind || !ops->setup)
		return -EINVAL;
	if (rtnl_link_ops_get(m, ops->kind))
		return -EEXIST;
	if (table_grow((void **)&t->link_ops, &t->size_link_ops, t->nr_link_ops,
		       sizeof(*t->link_ops)))
		return -ENOMEM;
	t->link_ops[t->nr_link_ops++] = ops;
	return 0;
}

const struct rtnl_link_ops *rtnl_link_ops_get(const struct machine *m, const char *kind)
{
	const struct rtnl_table *t = m->rtnl_table;

	for (u32 i = 0; i < t->nr_link_ops; i++)
		if (!strcmp(t->link_ops[i]->kind, kind))
			return t->link_ops[i];
	return NULL;
}
