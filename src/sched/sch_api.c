/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_api.c - queueing disciplines as tc(8) sees and changes them: RTM_*QDISC, RTM_*TCLASS
 *
 * Theory of operation
 *   A qdisc is named by its device and a handle MAJOR:0, a class by MAJOR:MINOR of its qdisc. A request says where (tcm_parent:
 *   TC_H_ROOT or a class) and which (tcm_handle, 0: any). What RTM_NEWQDISC means depends on the flags and on what is there:
 *     handle of another one, or none   CREATE: make it and graft it; what was there needs REPLACE (or has to be a default)
 *     no handle                        the one that is there is changed; another kind takes its place if CREATE|REPLACE or no flag is given
 *     its handle                       it is changed; EXCL forbids that
 *   Defaults (handle 0) cannot be addressed: where one is, nothing is.
 *   A change of the root happens under the cpu lock, between two packets. What the old one holds is dropped (QDISC_RESET), as on Linux.
 *   Errors and sentences are Linux's, found by asking it.
 * Locking: rtnl (the caller's), and the cpu lock here.
 * See rtnetlink(7), tc(8), linux/rtnetlink.h, linux/pkt_sched.h.
 */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>

#include "core/machine.h"
#include "core/sysctl.h"
#include "netlink/netlink.h"
#include "sched/sched_internal.h"

#define QDISC_MSG_MAX 8192

struct tc_request { /* a parsed message */
	struct nl_request *req;
	const struct tcmsg *tcm;
	const struct nlattr *tb[TCA_MAX + 1];
	struct net_device *dev;
	u16 flags; /* NLM_F_* */
};

static const struct nla_policy tc_policy[TCA_MAX + 1] = {
	[TCA_KIND] = { NLA_K_STRING, .help = "which discipline: \"pfifo\"" },
	[TCA_OPTIONS] = { NLA_K_UNSPEC,
			  .help = "a structure or attributes of the discipline's own" },
};

static int tc_parse(struct nl_request *req, struct tc_request *t)
{
	int err = nlmsg_parse(req->nlh, sizeof(*t->tcm), t->tb, TCA_MAX, tc_policy, req->extack);

	if (err)
		return err;
	t->req = req;
	t->tcm = (const void *)((const char *)req->nlh + NLMSG_HDRLEN);
	t->flags = req->nlh->nlmsg_flags;
	t->dev = __dev_get_by_index(req->net, t->tcm->tcm_ifindex);
	return t->dev ? 0 : -ENODEV;
}

static int fail(const struct tc_request *t, int err, const char *sentence)
{
	nl_set_err_msg(t->req->extack, "%s", sentence);
	return err;
}

static const struct Qdisc_ops *tc_kind(const struct tc_request *t)
{
	char kind[IFNAMSIZ];

	if (!t->tb[TCA_KIND] || nla_strscpy(kind, t->tb[TCA_KIND], sizeof(kind)) < 0)
		return NULL;
	return qdisc_lookup_ops(t->req->net->machine, kind);
}

static bool kind_differs(const struct tc_request *t, const struct Qdisc *q)
{
	return t->tb[TCA_KIND] && tc_kind(t) != q->ops;
}

/* ---- as messages --------------------------------------------------------------------------------------- */

/* With what the driver refused. */
static struct gnet_stats_queue queue_stats(const struct Qdisc *q)
{
	struct gnet_stats_queue s = { .qlen = q->stats.qlen + q->gso_skb.qlen,
				      .backlog = q->stats.backlog,
				      .drops = q->stats.drops,
				      .requeues = q->stats.requeues,
				      .overlimits = q->stats.overlimits };
	const struct sk_buff *skb;

	skb_queue_walk(&q->gso_skb, skb)
		s.backlog += skb->len;
	return s;
}

static void put_stats(struct nl_msg *m, struct Qdisc *q)
{
	struct gnet_stats_queue queue = queue_stats(q);
	struct gnet_stats_basic basic = { .bytes = q->stats.bytes,
					  .packets = (u32)q->stats.packets };
	struct tc_stats old = { .bytes = q->stats.bytes,
				.packets = (u32)q->stats.packets,
				.drops = queue.drops,
				.overlimits = queue.overlimits,
				.qlen = queue.qlen,
				.backlog = queue.backlog };
	u32 nest = nla_nest_start(m, TCA_STATS2);

	nla_put(m, TCA_STATS_BASIC, sizeof(basic), &basic);
	if (q->ops->dump_stats)
		q->ops->dump_stats(q, m);
	nla_put(m, TCA_STATS_QUEUE, sizeof(queue), &queue);
	nla_nest_end(m, nest);
	nla_put(m, TCA_STATS, sizeof(old), &old);
}

static void put_options(struct nl_msg *m, struct Qdisc *q)
{
	u8 options[QDISC_OPTIONS_MAX] __attribute__((aligned(8)));
	u32 nest;

	if (q->ops->options) {
		nla_put(m, TCA_OPTIONS, q->ops->options(q, options), options);
	} else if (q->ops->dump) {
		nest = nla_nest_start(m, TCA_OPTIONS);
		q->ops->dump(q, m);
		nla_nest_end(m, nest);
	}
}

/* cpu lock held */
static int fill_qdisc(struct nl_msg *m, struct Qdisc *q, u32 portid, u32 seq, u16 type, u16 flags)
{
	struct tcmsg *tcm = nlmsg_begin(m, portid, seq, type, flags, sizeof(*tcm));

	if (!tcm)
		return -EMSGSIZE;
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = qdisc_dev(q)->ifindex;
	tcm->tcm_handle = q->handle;
	tcm->tcm_parent = q->parent ? q->parent : TC_H_ROOT;
	tcm->tcm_info = q->refcount - !!(q->state & QDISC_STATE_SCHED);
	nla_put_string(m, TCA_KIND, q->ops->id);
	put_options(m, q);
	nla_put_u8(m, TCA_HW_OFFLOAD, 0);
	put_stats(m, q);
	return nlmsg_finish(m);
}

static void notify_qdisc(const struct tc_request *t, struct Qdisc *old, struct Qdisc *new)
{
	struct net *net = t->req->net;
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_TC) ||
	    nl_msg_init(&m, QDISC_MSG_MAX))
		return;
	if (old)
		fill_qdisc(&m, old, t->req->portid, t->req->nlh->nlmsg_seq, RTM_DELQDISC, 0);
	if (new)
		fill_qdisc(&m, new, t->req->portid, t->req->nlh->nlmsg_seq, RTM_NEWQDISC,
			   old ? NLM_F_REPLACE : 0);
	if (m.len)
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, RTNLGRP_TC);
	nl_msg_fini(&m);
}

/* ---- finding; cpu lock held ------------------------------------------------------------------------------ */

struct tc_place {             /* where a qdisc is or will be */
	struct Qdisc *parent; /* NULL: the root */
	unsigned long cl;     /* of parent */
	struct Qdisc *q;      /* what is there now; NULL: nothing, or a default */
};

static int find_place(const struct tc_request *t, u32 clid, const char *missing,
		      struct tc_place *ret)
{
	struct Qdisc *p;

	*ret = (struct tc_place){ .q = t->dev->qdisc };
	if (clid != TC_H_ROOT) {
		p = qdisc_lookup(t->dev, TC_H_MAJ(clid));
		if (!p)
			return fail(t, -ENOENT, missing);
		if (!p->ops->cl_ops)
			return fail(t, -EOPNOTSUPP, "Parent qdisc is not classful");
		ret->parent = p;
		ret->cl = p->ops->cl_ops->find(p, clid);
		if (!ret->cl)
			return fail(t, -ENOENT, "Specified class not found");
		ret->q = p->ops->cl_ops->leaf(p, ret->cl);
	}
	if (ret->q && !ret->q->handle)
		ret->q = NULL;
	return 0;
}

/* ---- grafting; cpu lock held ----------------------------------------------------------------------------- */

/* Takes the reference of @new; NULL: back to the default. */
static int graft(const struct tc_request *t, const struct tc_place *place, struct Qdisc *new)
{
	const struct Qdisc *parent = place->parent;
	struct Qdisc *old = NULL;
	int err = 0;

	if (!parent)
		old = dev_graft_qdisc(t->dev, new);
	else
		err = parent->ops->cl_ops->graft(place->parent, place->cl, new, &old,
						 t->req->extack);
	if (err) {
		qdisc_put(new);
		return err;
	}
	notify_qdisc(t, old, new);
	if (old && parent) {
		struct gnet_stats_queue waits = queue_stats(old);

		qdisc_reset(old);
		qdisc_tree_reduce_backlog(old, (s32)waits.qlen, (s32)waits.backlog);
	}
	qdisc_put(old);
	return 0;
}

/* A handle nobody has given: 8001: and up. 0: none is left */
static u32 alloc_handle(struct net_device *dev)
{
	u32 *last = &dev->net->core->qdisc_autohandle;

	for (u32 tries = 0; tries < 0x8000; tries++) {
		*last += TC_H_MAKE(0x10000u, 0);
		if (*last <= 0x80000000u || *last == TC_H_MAJ(TC_H_ROOT))
			*last = TC_H_MAKE(0x80010000u, 0);
		if (!qdisc_lookup(dev, *last))
			return *last;
	}
	return 0;
}

static int create(const struct tc_request *t, const struct tc_place *place)
{
	struct netdev_queue *txq = place->parent ? place->parent->dev_queue : &t->dev->tx[0];
	const struct Qdisc_ops *ops = tc_kind(t);
	u32 handle = t->tcm->tcm_handle;
	struct Qdisc *q;
	int err;

	if (!ops)
		return fail(t, -ENOENT, "Specified qdisc kind is unknown");
	if (!handle)
		handle = alloc_handle(t->dev);
	if (!handle)
		return fail(t, -ENOSPC, "Maximum number of qdisc handles was exceeded");
	q = qdisc_create(txq, ops, handle, t->tcm->tcm_parent, t->tb[TCA_OPTIONS], t->req->extack,
			 &err);
	return q ? graft(t, place, q) : err;
}

/* Where nothing is. */
static int create_if_asked(const struct tc_request *t, const struct tc_place *place)
{
	if (!(t->flags & NLM_F_CREATE))
		return fail(t, -ENOENT, "Qdisc not found. To create specify NLM_F_CREATE flag");
	return create(t, place);
}

/* Of another kind than what is there, without a handle: CREATE|REPLACE say so, and so does a request from before there were flags. */
static bool replaces(const struct tc_request *t, const struct Qdisc *q)
{
	const u16 both = NLM_F_CREATE | NLM_F_REPLACE;

	return kind_differs(t, q) &&
	       ((t->flags & both) == both || !(t->flags & (both | NLM_F_EXCL)));
}

static int change(const struct tc_request *t, struct Qdisc *q)
{
	const struct nlattr *opt = t->tb[TCA_OPTIONS];
	int err = 0;

	if (!q)
		return fail(t, -ENOENT, "Specified qdisc not found");
	if (t->flags & NLM_F_EXCL)
		return fail(t, -EEXIST, "Exclusivity flag on, cannot modify");
	if (kind_differs(t, q))
		return fail(t, -EINVAL, "Invalid qdisc name: must match existing qdisc");
	if (opt && !q->ops->change)
		return fail(t, -EINVAL, "Change operation not supported by specified qdisc");
	if (opt)
		err = q->ops->change(q, opt, t->req->extack);
	if (!err)
		notify_qdisc(t, NULL, q);
	return err;
}

/* A handle that is not the one of what is there. */
static int new_handle(const struct tc_request *t, const struct tc_place *place)
{
	if (place->q && !(t->flags & NLM_F_REPLACE))
		return fail(t, -EEXIST, "NLM_F_REPLACE needed to override");
	if (TC_H_MIN(t->tcm->tcm_handle))
		return fail(t, -EINVAL, "Invalid minor handle");
	if (!qdisc_lookup(t->dev, t->tcm->tcm_handle))
		return create_if_asked(t, place);
	if (t->flags & NLM_F_EXCL)
		return fail(t, -EEXIST, "Exclusivity flag on, cannot override");
	return fail(t, -EOPNOTSUPP, "a qdisc cannot move to another place: create it there");
}

static int new_qdisc_locked(const struct tc_request *t)
{
	u32 handle = t->tcm->tcm_handle, clid = t->tcm->tcm_parent;
	struct tc_place place;
	int err;

	if (!clid && !handle)
		return fail(t, -EINVAL, "Handle cannot be zero");
	if (!clid)
		return change(t, qdisc_lookup(t->dev, handle));
	if (clid == TC_H_INGRESS && !tc_kind(t))
		return fail(t, -ENOENT, "Specified qdisc kind is unknown");
	if (clid == TC_H_INGRESS)
		return fail(t, -EINVAL,
			    "Specified parent ID is reserved for ingress and clsact Qdiscs");
	err = find_place(t, clid, "Failed to find specified qdisc", &place);
	if (err)
		return err;
	if (handle && (!place.q || place.q->handle != handle))
		return new_handle(t, &place);
	if (!place.q)
		return create_if_asked(t, &place);
	if (!handle && replaces(t, place.q))
		return create(t, &place);
	return change(t, place.q);
}

/* The qdisc that a DEL or GET names. */
static int named_qdisc(const struct tc_request *t, struct tc_place *place)
{
	u32 handle = t->tcm->tcm_handle, clid = t->tcm->tcm_parent;
	int err;

	*place = (struct tc_place){ .q = NULL };
	if (clid == TC_H_INGRESS)
		return fail(t, -ENOENT, "Cannot find specified qdisc on specified device");
	if (!clid) {
		place->q = qdisc_lookup(t->dev, handle);
		if (!place->q)
			return fail(t, -ENOENT, "Failed to find qdisc with specified handle");
	} else {
		err = find_place(t, clid, "Failed to find qdisc with specified classid", place);
		if (err)
			return err;
		/* A default can be looked at. */
		if (!place->q && clid == TC_H_ROOT)
			place->q = t->dev->qdisc;
		if (!place->q)
			return fail(t, -ENOENT, "Cannot find specified qdisc on specified device");
		if (handle && place->q->handle != handle)
			return fail(t, -EINVAL, "Invalid handle");
	}
	if (kind_differs(t, place->q))
		return fail(t, -EINVAL, "Invalid qdisc name: must match existing qdisc");
	return 0;
}

static int del_qdisc_locked(const struct tc_request *t)
{
	struct tc_place place;
	int err = named_qdisc(t, &place);

	if (err)
		return err;
	if (!t->tcm->tcm_parent)
		return fail(t, -EINVAL, "Classid cannot be zero");
	if (!place.q->handle)
		return fail(t, -ENOENT, "Cannot delete qdisc with handle of zero");
	return graft(t, &place, NULL);
}

static int get_qdisc_locked(const struct tc_request *t)
{
	struct tc_place place;
	int err = named_qdisc(t, &place);

	return err ? err
		   : fill_qdisc(t->req->reply, place.q, t->req->portid, t->req->nlh->nlmsg_seq,
				RTM_NEWQDISC, 0);
}

/* ---- classes; cpu lock held ------------------------------------------------------------------------------ */

static int fill_class(struct nl_msg *m, struct Qdisc *q, unsigned long cl, u32 portid, u32 seq,
		      u16 type, u16 flags)
{
	const struct Qdisc_class_ops *ops = q->ops->cl_ops;
	struct tcmsg *tcm = nlmsg_begin(m, portid, seq, type, flags, sizeof(*tcm));
	u32 nest;

	if (!tcm)
		return -EMSGSIZE;
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = qdisc_dev(q)->ifindex;
	tcm->tcm_handle = tcm->tcm_parent = q->handle;
	nla_put_string(m, TCA_KIND, q->ops->id);
	if (ops->dump)
		ops->dump(q, cl, m, tcm);
	if (ops->dump_stats) {
		nest = nla_nest_start(m, TCA_STATS2);
		ops->dump_stats(q, cl, m);
		nla_nest_end(m, nest);
	}
	return nlmsg_finish(m);
}

static void notify_class(const struct tc_request *t, struct Qdisc *q, unsigned long cl, u16 type)
{
	struct net *net = t->req->net;
	struct nl_msg m;

	if (!netlink_has_listeners(net, NETLINK_ROUTE, RTNLGRP_TC) ||
	    nl_msg_init(&m, QDISC_MSG_MAX))
		return;
	if (!fill_class(&m, q, cl, t->req->portid, t->req->nlh->nlmsg_seq, type, 0))
		nlmsg_notify(net, NETLINK_ROUTE, &m, 0, RTNLGRP_TC);
	nl_msg_fini(&m);
}

/* The qdisc of a class: named by the class, by its parent, or the root. */
static int class_qdisc(const struct tc_request *t, struct Qdisc **ret_q)
{
	u32 major = TC_H_MAJ(t->tcm->tcm_handle), parent = t->tcm->tcm_parent;
	struct Qdisc *q;

	if (!major && parent != TC_H_ROOT)
		major = TC_H_MAJ(parent);
	if (!major && t->dev->qdisc)
		major = t->dev->qdisc->handle;
	q = qdisc_lookup(t->dev, major);
	if (!q)
		return -ENOENT;
	*ret_q = q;
	return q->ops->cl_ops ? 0 : -EINVAL;
}

static int new_class_locked(const struct tc_request *t)
{
	u32 classid = t->tcm->tcm_handle;
	const struct Qdisc_class_ops *ops;
	unsigned long cl = 0;
	struct Qdisc *q;
	int err = class_qdisc(t, &q);

	if (err)
		return err;
	ops = q->ops->cl_ops;
	if (classid)
		cl = ops->find(q, TC_H_MAKE(q->handle, classid));
	if (cl && t->flags & NLM_F_EXCL)
		return -EEXIST;
	if (!cl && !(t->flags & NLM_F_CREATE))
		return -ENOENT;
	if (!ops->change)
		return -EOPNOTSUPP;
	err = ops->change(q, classid ? TC_H_MAKE(q->handle, classid) : 0, t->tcm->tcm_parent,
			  (const struct nlattr **)t->tb, &cl, t->req->extack);
	if (!err)
		notify_class(t, q, cl, RTM_NEWTCLASS);
	return err;
}

static int named_class(const struct tc_request *t, struct Qdisc **ret_q, unsigned long *ret_cl)
{
	int err = class_qdisc(t, ret_q);

	if (err)
		return err;
	*ret_cl = (*ret_q)->ops->cl_ops->find(*ret_q,
					      TC_H_MAKE((*ret_q)->handle, t->tcm->tcm_handle));
	return *ret_cl ? 0 : -ENOENT;
}

static int del_class_locked(const struct tc_request *t)
{
	struct Qdisc *q;
	unsigned long cl;
	int err = named_class(t, &q, &cl);

	if (err)
		return err;
	if (!q->ops->cl_ops->delete)
		return -EOPNOTSUPP;
	notify_class(t, q, cl, RTM_DELTCLASS);
	return q->ops->cl_ops->delete (q, cl, t->req->extack);
}

static int get_class_locked(const struct tc_request *t)
{
	struct Qdisc *q;
	unsigned long cl;
	int err = named_class(t, &q, &cl);

	return err ? err
		   : fill_class(t->req->reply, q, cl, t->req->portid, t->req->nlh->nlmsg_seq,
				RTM_NEWTCLASS, 0);
}

/* ---- requests -------------------------------------------------------------------------------------------- */

static int locked(struct nl_request *req, int (*fn)(const struct tc_request *t))
{
	struct tc_request t;
	int err = tc_parse(req, &t);

	if (err)
		return err;
	cpu_lock(t.dev->cpu);
	err = fn(&t);
	cpu_unlock(t.dev->cpu);
	return err;
}

static int new_qdisc(struct nl_request *req)
{
	return locked(req, new_qdisc_locked);
}

static int del_qdisc(struct nl_request *req)
{
	return locked(req, del_qdisc_locked);
}

static int get_qdisc(struct nl_request *req)
{
	return locked(req, get_qdisc_locked);
}

static int new_class(struct nl_request *req)
{
	return locked(req, new_class_locked);
}

static int del_class(struct nl_request *req)
{
	return locked(req, del_class_locked);
}

static int get_class(struct nl_request *req)
{
	return locked(req, get_class_locked);
}

static int change_filter(struct nl_request *req)
{
	nl_set_err_msg(req->extack, "weir has no traffic classifiers yet");
	return -EOPNOTSUPP;
}

/* ---- dumps ----------------------------------------------------------------------------------------------- */

/* The root or the defaults of all queues first, then those below. */
static struct Qdisc *nth_qdisc(struct net_device *dev, u64 n)
{
	u32 roots = dev->qdisc && !dev->qdisc->handle ? dev->num_tx_queues : 1;
	struct Qdisc *q;

	if (!dev->qdisc)
		return NULL;
	if (n < roots)
		return roots == 1 ? dev->qdisc : dev->tx[n].qdisc_sleeping;
	n -= roots;
	list_for_each_entry(q, &dev->qdiscs, node) {
		if (q != dev->qdisc && !n--)
			return q;
	}
	return NULL;
}

static const struct tcmsg *dump_request(const struct netlink_callback *cb)
{
	static const struct tcmsg all;

	if (cb->nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(all))
		return &all;
	return (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
}

/* args[0]: the ifindex that was dumped last, args[1]: the next qdisc of the one after */
static int dump_qdiscs(struct nl_msg *msg, struct netlink_callback *cb)
{
	int want = dump_request(cb)->tcm_ifindex, err = 0;
	struct net_device *dev;
	struct Qdisc *q;

	cpu_lock(cb->net->cpu);
	net_for_each_dev(cb->net, dev) {
		if ((u64)dev->ifindex <= cb->args[0] || (want && dev->ifindex != want))
			continue;
		for (; !err && (q = nth_qdisc(dev, cb->args[1])); cb->args[1] += !err)
			err = fill_qdisc(msg, q, cb->portid, cb->nlh->nlmsg_seq, RTM_NEWQDISC,
					 NLM_F_MULTI);
		if (err)
			break;
		cb->args[0] = (u64)dev->ifindex;
		cb->args[1] = 0;
	}
	cpu_unlock(cb->net->cpu);
	return err ? 1 : 0;
}

struct class_dump {
	struct qdisc_walker w;
	struct nl_msg *msg;
	struct netlink_callback *cb;
};

static int dump_one_class(struct Qdisc *q, unsigned long cl, struct qdisc_walker *w)
{
	struct class_dump *d = container_of(w, struct class_dump, w);

	return fill_class(d->msg, q, cl, d->cb->portid, d->cb->nlh->nlmsg_seq, RTM_NEWTCLASS,
			  NLM_F_MULTI);
}

/* args[0]: the next qdisc, args[1]: the next class of it */
static int dump_classes(struct nl_msg *msg, struct netlink_callback *cb)
{
	struct net_device *dev = __dev_get_by_index(cb->net, dump_request(cb)->tcm_ifindex);
	u32 parent = dump_request(cb)->tcm_parent;
	struct Qdisc *q;

	if (!dev)
		return 0;
	cpu_lock(dev->cpu);
	for (; (q = nth_qdisc(dev, cb->args[0])); cb->args[0]++, cb->args[1] = 0) {
		struct class_dump d = { .w = { .fn = dump_one_class, .skip = (int)cb->args[1] },
					.msg = msg,
					.cb = cb };

		if (!q->ops->cl_ops ||
		    (parent && parent != TC_H_ROOT && TC_H_MAJ(parent) != q->handle))
			continue;
		q->ops->cl_ops->walk(q, &d.w);
		if (d.w.stop) {
			cb->args[1] = (u64)d.w.count;
			break;
		}
	}
	cpu_unlock(dev->cpu);
	return q ? 1 : 0;
}

static int dump_filters(struct nl_msg *msg, struct netlink_callback *cb)
{
	return 0;
}

/* What tc(8) reads before it computes times: ns per us, ns per tick of 64 ns, ticks of the clock per s, resolution of its timers. */
static void psched_show(struct net *net, struct text *t)
{
	(void)net;
	text_printf(t, "%08x %08x %08x %08x\n", (u32)NSEC_PER_USEC, 64u, 1000000u,
		    (u32)NSEC_PER_SEC);
}

int sch_api_machine_init(struct machine *m)
{
	static const struct view_desc views[] = { { "/proc/net/psched", psched_show } };
	static const struct rtnl_handler handlers[] = {
		{ AF_UNSPEC, RTM_NEWQDISC, new_qdisc, NULL },
		{ AF_UNSPEC, RTM_DELQDISC, del_qdisc, NULL },
		{ AF_UNSPEC, RTM_GETQDISC, get_qdisc, dump_qdiscs },
		{ AF_UNSPEC, RTM_NEWTCLASS, new_class, NULL },
		{ AF_UNSPEC, RTM_DELTCLASS, del_class, NULL },
		{ AF_UNSPEC, RTM_GETTCLASS, get_class, dump_classes },
		{ AF_UNSPEC, RTM_NEWTFILTER, change_filter, NULL },
		{ AF_UNSPEC, RTM_DELTFILTER, change_filter, NULL },
		{ AF_UNSPEC, RTM_GETTFILTER, NULL, dump_filters },
	};

	int err = rtnl_register(m, handlers, ARRAY_SIZE(handlers));

	return err ? err : view_register(m, views, ARRAY_SIZE(views));
}
