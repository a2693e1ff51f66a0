/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sch_api_test.c - what tc can do to a device, and what the disciplines do with packets
 *
 * Errors and sentences are those of Linux 6.18, asked with the same messages.
 */
#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>

#include "core/dev_test.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"
#include "netlink/netlink_module.h"
#include "sched/sched_internal.h"
#include "sched/sched_module.h"
#include "socket/socket_module.h"

#define C NLM_F_CREATE
#define E NLM_F_EXCL
#define R NLM_F_REPLACE

static struct net *net;
static struct net_device *dev;
static char sentence[160];
static struct nl_msg answer;

static const u8 other_mac[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };

static const struct net_module modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "socket", socket_machine_init, socket_machine_exit, socket_net_init, socket_net_exit },
	{ "netlink", netlink_machine_init, netlink_machine_exit, netlink_net_init,
	  netlink_net_exit },
	{ "sched", sched_machine_init, NULL, NULL, NULL },
};

static int setup(void **state)
{
	struct machine_config cfg = { .host = host_sim_create(1, 0),
				      .modules = modules,
				      .nr_modules = ARRAY_SIZE(modules) };
	struct machine *m = machine_create(&cfg);

	assert_non_null(m);
	net = net_create(m, "t");
	assert_non_null(net);
	dev = test_netdev(net, "e0", true);
	return 0;
}

static int teardown(void **state)
{
	test_netdev_del(dev);
	test_net_done(net);
	return 0;
}

struct tc {
	int type, flags;
	u32 handle, parent;
	const char *kind;
	int limit; /* -1: no options */
	int options_len;
};

/* The errno of a request; the sentence in @sentence, the reply in @answer until the next request. */
static int tc_request(const struct tc *t)
{
	const struct rtnl_handler *h = rtnl_find(net->machine, AF_UNSPEC, t->type, false);
	struct netlink_ext_ack extack = { .msg = "" };
	struct nl_request req = { .net = net, .extack = &extack, .privileged = true };
	struct nl_msg m;
	struct tcmsg *tcm;
	u32 limit = (u32)t->limit;
	int err;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	tcm = nlmsg_begin(&m, 0, 1, (u16)t->type, (u16)(NLM_F_REQUEST | t->flags), sizeof(*tcm));
	tcm->tcm_ifindex = dev->ifindex;
	tcm->tcm_handle = t->handle;
	tcm->tcm_parent = t->parent;
	if (t->kind)
		nla_put_string(&m, TCA_KIND, t->kind);
	if (t->limit >= 0)
		nla_put(&m, TCA_OPTIONS, t->options_len ? (u32)t->options_len : 4u, &limit);
	assert_int_equal(nlmsg_finish(&m), 0);
	nl_msg_fini(&answer);
	assert_int_equal(nl_msg_init(&answer, 4096), 0);
	req.nlh = (struct nlmsghdr *)m.buf;
	req.reply = &answer;
	assert_non_null(h);
	rtnl_lock(net->machine);
	err = h->doit(&req);
	rtnl_unlock(net->machine);
	strcpy(sentence, extack.msg);
	nl_msg_fini(&m);
	return err;
}

#define TC(...) tc_request(&(const struct tc){ __VA_ARGS__ })
#define ADD(kind_, handle_, limit_)                                                                \
	assert_int_equal(TC(RTM_NEWQDISC, C | E, handle_, TC_H_ROOT, kind_, limit_), 0)
#define DEL() assert_int_equal(TC(RTM_DELQDISC, 0, 0, TC_H_ROOT, NULL, -1), 0)
#define REFUSED(err_, sentence_, ...)                                                              \
	do {                                                                                       \
		assert_int_equal(TC(__VA_ARGS__), err_);                                           \
		assert_string_equal(sentence, sentence_);                                          \
	} while (0)

static u32 one(u32 major)
{
	return major << 16;
}

/* cpu lock held */
static int xmit(u32 mark, u32 len)
{
	struct sk_buff *skb = test_frame(dev, other_mac, 0x88b5, len);

	skb->mark = mark;
	return dev_queue_xmit(skb);
}

static u32 sent_mark(void)
{
	struct sk_buff *skb = skb_dequeue(&test_priv(dev)->sent);
	u32 mark = skb ? skb->mark : 0;

	consume_skb(skb);
	return mark;
}

static void where_nothing_is(void **state)
{
	const char *no_create = "Qdisc not found. To create specify NLM_F_CREATE flag";
	const char *unknown = "Specified qdisc kind is unknown";

	REFUSED(-ENOENT, unknown, RTM_NEWQDISC, C | E, 0, TC_H_ROOT, "nosuch", -1);
	REFUSED(-ENOENT, unknown, RTM_NEWQDISC, C | E, 0, TC_H_ROOT, NULL, -1);
	REFUSED(-ENOENT, unknown, RTM_NEWQDISC, C | E, 0, TC_H_ROOT, "aaaaaaaaaaaaaaaaaaaa", -1);
	REFUSED(-ENOENT, no_create, RTM_NEWQDISC, 0, 0, TC_H_ROOT, "pfifo", -1);
	REFUSED(-ENOENT, no_create, RTM_NEWQDISC, 0, one(1), TC_H_ROOT, "pfifo", -1);
	REFUSED(-EINVAL, "Invalid minor handle", RTM_NEWQDISC, C | E, 0x10001, TC_H_ROOT, "pfifo",
		-1);
	REFUSED(-EINVAL, "Handle cannot be zero", RTM_NEWQDISC, 0, 0, 0, "pfifo", -1);
	REFUSED(-ENOENT, "Failed to find specified qdisc", RTM_NEWQDISC, C | E, 0, one(1), "pfifo",
		-1);
	REFUSED(-ENOENT, "Specified qdisc not found", RTM_NEWQDISC, C | E, one(1), 0, "pfifo", -1);
	REFUSED(-EINVAL, "Specified parent ID is reserved for ingress and clsact Qdiscs",
		RTM_NEWQDISC, C | E, 0, TC_H_INGRESS, "pfifo", -1);
	REFUSED(-ENOENT, "Cannot delete qdisc with handle of zero", RTM_DELQDISC, 0, 0, TC_H_ROOT,
		NULL, -1);
	REFUSED(-EINVAL, "Invalid handle", RTM_DELQDISC, 0, one(9), TC_H_ROOT, NULL, -1);
	REFUSED(-ENOENT, "Failed to find qdisc with specified classid", RTM_DELQDISC, 0, 0, one(1),
		NULL, -1);
	REFUSED(-ENOENT, "Failed to find qdisc with specified handle", RTM_DELQDISC, 0, 0, 0, NULL,
		-1);
	assert_int_equal(TC(RTM_NEWQDISC, C | E, 0, TC_H_ROOT, "pfifo", 1, 1), -EINVAL);
	assert_string_equal(dev->qdisc->ops->id, "pfifo_fast");
}

static void where_a_qdisc_is(void **state)
{
	const char *excl = "Exclusivity flag on, cannot modify";
	const char *kind = "Invalid qdisc name: must match existing qdisc";
	const char *classless = "Parent qdisc is not classful";

	ADD("pfifo", one(1), 4);
	assert_int_equal(dev->qdisc->handle, one(1));
	assert_int_equal(dev->qdisc->limit, 4);
	REFUSED(-EEXIST, excl, RTM_NEWQDISC, C | E, 0, TC_H_ROOT, "pfifo", -1);
	REFUSED(-EEXIST, excl, RTM_NEWQDISC, C | E | R, 0, TC_H_ROOT, "pfifo", -1);
	REFUSED(-EEXIST, excl, RTM_NEWQDISC, C | E | R, one(1), TC_H_ROOT, "bfifo", -1);
	REFUSED(-EEXIST, "NLM_F_REPLACE needed to override", RTM_NEWQDISC, C, one(2), TC_H_ROOT,
		"pfifo", -1);
	REFUSED(-EINVAL, kind, RTM_NEWQDISC, C, 0, TC_H_ROOT, "bfifo", -1);
	REFUSED(-EINVAL, kind, RTM_NEWQDISC, R, 0, TC_H_ROOT, "bfifo", -1);
	REFUSED(-EINVAL, kind, RTM_NEWQDISC, C | R, one(1), TC_H_ROOT, "bfifo", -1);
	REFUSED(-EINVAL, kind, RTM_DELQDISC, 0, 0, TC_H_ROOT, "bfifo", -1);
	REFUSED(-EINVAL, kind, RTM_GETQDISC, 0, one(1), 0, "bfifo", -1);
	REFUSED(-EOPNOTSUPP, classless, RTM_NEWQDISC, C | E, one(2), 0x10001, "pfifo", -1);
	REFUSED(-EOPNOTSUPP, classless, RTM_DELQDISC, 0, one(2), one(1), NULL, -1);
	REFUSED(-EINVAL, "Classid cannot be zero", RTM_DELQDISC, 0, one(1), 0, NULL, -1);
	REFUSED(-EINVAL, "Invalid handle", RTM_DELQDISC, 0, one(2), TC_H_ROOT, NULL, -1);
	assert_int_equal(TC(RTM_NEWTCLASS, C, 0x10001, TC_H_ROOT, NULL, -1), -EINVAL);
	assert_int_equal(TC(RTM_NEWTCLASS, C, 0x20001, TC_H_ROOT, NULL, -1), -ENOENT);

	/* changes of what is there */
	assert_int_equal(TC(RTM_NEWQDISC, C, 0, TC_H_ROOT, "pfifo", 9), 0);
	assert_int_equal(TC(RTM_NEWQDISC, 0, 0, TC_H_ROOT, NULL, -1), 0);
	assert_int_equal(dev->qdisc->limit, 9);
	assert_int_equal(TC(RTM_NEWQDISC, 0, one(1), 0, "pfifo", 44), 0);
	assert_int_equal(TC(RTM_NEWQDISC, 0, 0, TC_H_ROOT, "pfifo", 45, 1), -EINVAL);
	assert_int_equal(dev->qdisc->limit, 44);
	assert_int_equal(dev->qdisc->handle, one(1));

	/* another in its place */
	assert_int_equal(TC(RTM_NEWQDISC, C | R, one(2), TC_H_ROOT, "pfifo", 5), 0);
	assert_int_equal(dev->qdisc->handle, one(2));
	assert_int_equal(TC(RTM_NEWQDISC, C | R, 0, TC_H_ROOT, "bfifo", -1), 0);
	assert_int_equal(dev->qdisc->handle, 0x80010000);
	assert_int_equal(TC(RTM_NEWQDISC, 0, 0, TC_H_ROOT, "pfifo", 5), 0);
	assert_string_equal(dev->qdisc->ops->id, "pfifo");
	assert_int_equal(dev->qdisc->handle, 0x80020000);
	DEL();
	assert_string_equal(dev->qdisc->ops->id, "pfifo_fast");
	assert_int_equal(dev->qdisc->handle, 0);
	assert_true(list_empty(&dev->qdiscs));
}

static void what_cannot_be_changed_says_so(void **state)
{
	ADD("pfifo_fast", 0, -1);
	assert_int_equal(TC(RTM_NEWQDISC, 0, 0, TC_H_ROOT, "pfifo_fast", -1), 0);
	REFUSED(-EINVAL, "Change operation not supported by specified qdisc", RTM_NEWQDISC, 0, 0,
		TC_H_ROOT, "pfifo_fast", 3);
	assert_int_equal(TC(RTM_NEWQDISC, C | R, 0, TC_H_ROOT, "noqueue", -1), 0);
	rtnl_lock(net->machine);
	dev_change_tx_queue_len(dev, 0);
	rtnl_unlock(net->machine);
	assert_int_equal(TC(RTM_NEWQDISC, C | R, 0, TC_H_ROOT, "pfifo_fast", -1), -EINVAL);
	DEL();
	assert_string_equal(dev->qdisc->ops->id, "noqueue");
}

static void limits_follow_the_queue_length(void **state)
{
	rtnl_lock(net->machine);
	dev_change_tx_queue_len(dev, 3);
	rtnl_unlock(net->machine);
	ADD("bfifo", 0, -1);
	assert_int_equal(dev->qdisc->limit, 3 * 1514);
	rtnl_lock(net->machine);
	dev_change_tx_queue_len(dev, 7);
	rtnl_unlock(net->machine);
	assert_int_equal(dev->qdisc->limit, 3 * 1514);
	assert_int_equal(TC(RTM_NEWQDISC, C | R, 0, TC_H_ROOT, "pfifo", -1), 0);
	assert_int_equal(dev->qdisc->limit, 7);
}

static const struct nlattr *answer_attr(int type)
{
	const struct nlattr *tb[TCA_MAX + 1];

	assert_int_equal(nlmsg_parse((struct nlmsghdr *)answer.buf, sizeof(struct tcmsg), tb,
				     TCA_MAX, NULL, NULL),
			 0);
	assert_non_null(tb[type]);
	return tb[type];
}

static void a_qdisc_shows_itself(void **state)
{
	const struct nlattr *tb[TCA_STATS_MAX + 1];
	struct gnet_stats_queue queue;
	const struct tcmsg *tcm;

	ADD("pfifo", one(1), 2);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 0; i < 4; i++) /* one goes to the driver's door, two wait, one is too many */
		xmit(i, 60);
	cpu_unlock(net->cpu);
	assert_int_equal(TC(RTM_GETQDISC, 0, one(1), 0, NULL, -1), 0);
	tcm = (void *)(answer.buf + NLMSG_HDRLEN);
	assert_int_equal(tcm->tcm_handle, one(1));
	assert_int_equal(tcm->tcm_parent, TC_H_ROOT);
	assert_int_equal(tcm->tcm_info, 2);
	assert_string_equal((const char *)nla_data(answer_attr(TCA_KIND)), "pfifo");
	assert_int_equal(nla_get_u32(answer_attr(TCA_OPTIONS)), 2);
	assert_int_equal(nla_parse_nested(tb, TCA_STATS_MAX, answer_attr(TCA_STATS2), NULL, NULL),
			 0);
	memcpy(&queue, nla_data(tb[TCA_STATS_QUEUE]), sizeof(queue));
	assert_int_equal(queue.qlen, 3);
	assert_int_equal(queue.backlog, 3 * 74);
	assert_int_equal(queue.drops, 1);
	assert_int_equal(queue.requeues, 1);
	DEL();
	assert_int_equal(TC(RTM_GETQDISC, 0, 0, TC_H_ROOT, NULL, -1), 0);
	assert_int_equal(nla_len(answer_attr(TCA_OPTIONS)), sizeof(struct tc_prio_qopt));
}

static void a_pfifo_counts_packets(void **state)
{
	ADD("pfifo", 0, 2);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(1, 60), 0); /* nothing waits: straight to the driver */
	assert_int_equal(sent_mark(), 1);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 2; i <= 4; i++)
		assert_int_equal(xmit(i, 1000), 0);
	assert_int_equal(xmit(5, 60), -ENOBUFS);
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	for (u32 i = 2; i <= 4; i++)
		assert_int_equal(sent_mark(), i);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_FULL), 1);
}

static void a_bfifo_counts_octets(void **state)
{
	ADD("bfifo", 0, 2000);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	xmit(1, 60); /* at the driver's door */
	assert_int_equal(xmit(2, 986), 0);
	assert_int_equal(xmit(3, 987), -ENOBUFS);
	assert_int_equal(xmit(4, 986), 0);
	assert_int_equal(dev->qdisc->stats.backlog, 2000);
	cpu_unlock(net->cpu);
}

static void a_fifo_without_room_lets_nothing_pass(void **state)
{
	ADD("pfifo", 0, 0);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(1, 60), -ENOBUFS);
	cpu_unlock(net->cpu);
	assert_int_equal(TC(RTM_NEWQDISC, 0, 0, TC_H_ROOT, "pfifo", 1), 0);
	cpu_lock(net->cpu);
	assert_int_equal(xmit(2, 60), 0);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(), 2);
}

static void a_head_drop_makes_room(void **state)
{
	ADD("pfifo_head_drop", 0, 2);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 1; i <= 5; i++)
		assert_int_equal(xmit(i, 60), 0);
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(), 1); /* was at the driver's door */
	assert_int_equal(sent_mark(), 4);
	assert_int_equal(sent_mark(), 5);
	assert_int_equal(sent_mark(), 0);
	assert_int_equal(dev->qdisc->stats.drops, 2);
}

static void replacing_drops_what_waits_and_goes_on(void **state)
{
	ADD("pfifo", 0, 10);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 1; i <= 3; i++)
		xmit(i, 60);
	__netif_schedule(dev->qdisc);
	cpu_unlock(net->cpu);
	assert_int_equal(TC(RTM_NEWQDISC, C | R, one(7), TC_H_ROOT, "bfifo", 2000), 0);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_RESET), 3);
	cpu_lock(net->cpu);
	netif_tx_wake_queue(&dev->tx[0]);
	xmit(9, 60);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(), 9);
	assert_int_equal(dev->qdisc->stats.packets, 1);
}

static void a_device_that_is_down_keeps_its_qdisc(void **state)
{
	ADD("pfifo", one(3), 4);
	rtnl_lock(net->machine);
	dev_close(dev);
	rtnl_unlock(net->machine);
	assert_int_equal(TC(RTM_NEWQDISC, C | R, one(4), TC_H_ROOT, "bfifo", 4000), 0);
	rtnl_lock(net->machine);
	dev_open(dev, NULL);
	rtnl_unlock(net->machine);
	assert_int_equal(dev->tx[0].qdisc->handle, one(4));
	cpu_lock(net->cpu);
	assert_int_equal(xmit(1, 60), 0);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(), 1);
}

/* ---- a discipline with two classes ------------------------------------------------------------------------ */

struct two {
	struct Qdisc *leaf[2];
};

static int two_init(struct Qdisc *q, const struct nlattr *opt, struct netlink_ext_ack *extack)
{
	struct two *p = qdisc_priv(q);
	int err;

	for (u32 i = 0; i < 2; i++) {
		p->leaf[i] = qdisc_create(q->dev_queue, &pfifo_qdisc_ops, 0, q->handle | (i + 1),
					  NULL, NULL, &err);
		assert_non_null(p->leaf[i]);
	}
	return 0;
}

static enum qdisc_verdict two_enqueue(struct sk_buff *skb, struct Qdisc *q,
				      struct sk_buff **to_free)
{
	struct Qdisc *leaf = ((struct two *)qdisc_priv(q))->leaf[skb->mark & 1];
	u32 len = QDISC_CB(skb)->pkt_len;
	enum qdisc_verdict v = leaf->ops->enqueue(skb, leaf, to_free);

	if (v == QDISC_OK) {
		q->stats.qlen++;
		q->stats.backlog += len;
	}
	return v;
}

static struct sk_buff *two_dequeue(struct Qdisc *q)
{
	struct two *p = qdisc_priv(q);

	for (u32 i = 0; i < 2; i++) {
		struct sk_buff *skb = p->leaf[i]->ops->dequeue(p->leaf[i]);

		if (skb) {
			qdisc_qstats_del(q, skb);
			return skb;
		}
	}
	return NULL;
}

static void two_reset(struct Qdisc *q)
{
	struct two *p = qdisc_priv(q);

	qdisc_reset(p->leaf[0]);
	qdisc_reset(p->leaf[1]);
}

static void two_destroy(struct Qdisc *q)
{
	struct two *p = qdisc_priv(q);

	qdisc_put(p->leaf[0]);
	qdisc_put(p->leaf[1]);
}

static int two_graft(struct Qdisc *q, unsigned long cl, struct Qdisc *new, struct Qdisc **ret_old,
		     struct netlink_ext_ack *extack)
{
	struct two *p = qdisc_priv(q);
	int err;

	if (!new)
		new = qdisc_create(q->dev_queue, &pfifo_qdisc_ops, 0, q->handle | (u32)cl, NULL,
				   NULL, &err);
	*ret_old = p->leaf[cl - 1];
	p->leaf[cl - 1] = new;
	return 0;
}

static struct Qdisc *two_leaf(struct Qdisc *q, unsigned long cl)
{
	return ((struct two *)qdisc_priv(q))->leaf[cl - 1];
}

static unsigned long two_find(struct Qdisc *q, u32 classid)
{
	u32 minor = TC_H_MIN(classid);

	return minor == 1 || minor == 2 ? minor : 0;
}

static void two_walk(struct Qdisc *q, struct qdisc_walker *w)
{
	for (unsigned long cl = 1; cl <= 2; cl++) {
		if (!qdisc_walk_step(q, cl, w))
			return;
	}
}

static int two_dump(struct Qdisc *q, unsigned long cl, struct nl_msg *msg, struct tcmsg *tcm)
{
	tcm->tcm_handle |= (u32)cl;
	tcm->tcm_info = ((struct two *)qdisc_priv(q))->leaf[cl - 1]->handle;
	return 0;
}

static const struct Qdisc_class_ops two_class_ops = {
	.graft = two_graft,
	.leaf = two_leaf,
	.find = two_find,
	.walk = two_walk,
	.dump = two_dump,
};

static const struct Qdisc_ops two_ops = {
	.id = "two",
	.priv_size = sizeof(struct two),
	.cl_ops = &two_class_ops,
	.enqueue = two_enqueue,
	.dequeue = two_dequeue,
	.init = two_init,
	.reset = two_reset,
	.destroy = two_destroy,
};

static int dump(int type, u32 *handles, int max)
{
	const struct rtnl_handler *h = rtnl_find(net->machine, AF_UNSPEC, type, true);
	struct {
		struct nlmsghdr nlh;
		struct tcmsg tcm;
	} req = { { .nlmsg_len = sizeof(req), .nlmsg_type = (u16)type }, { .tcm_family = 0 } };
	struct netlink_callback cb = { .net = net, .nlh = &req.nlh };
	int n = 0, more;

	req.tcm.tcm_ifindex = dev->ifindex;
	do { /* a buffer for one message: the dump has to be resumed */
		struct nl_msg m;

		assert_int_equal(nl_msg_init(&m, 300), 0);
		rtnl_lock(net->machine);
		more = h->dumpit(&m, &cb);
		rtnl_unlock(net->machine);
		for (u32 off = 0; off < m.len && n < max;) {
			const struct nlmsghdr *nlh = (void *)(m.buf + off);

			handles[n++] = ((const struct tcmsg *)(nlh + 1))->tcm_handle;
			off += NLMSG_ALIGN(nlh->nlmsg_len);
		}
		nl_msg_fini(&m);
	} while (more > 0 && n < max);
	return n;
}

static void disciplines_plug_into_classes(void **state)
{
	u32 handles[8];
	struct two *p;

	assert_int_equal(register_qdisc(net->machine, &two_ops), 0);
	assert_int_equal(register_qdisc(net->machine, &two_ops), -EEXIST);
	ADD("two", one(1), -1);
	p = qdisc_priv(dev->qdisc);
	assert_int_equal(TC(RTM_NEWQDISC, C | E, one(2), 0x10002, "bfifo", 3000), 0);
	assert_int_equal(p->leaf[1]->handle, one(2));
	assert_int_equal(p->leaf[1]->parent, 0x10002);
	REFUSED(-ENOENT, "Specified class not found", RTM_NEWQDISC, C | E, one(3), 0x10003, "pfifo",
		-1);
	assert_int_equal(dump(RTM_GETQDISC, handles, 8), 2);
	assert_int_equal(handles[0], one(1));
	assert_int_equal(handles[1], one(2));
	assert_int_equal(dump(RTM_GETTCLASS, handles, 8), 2);
	assert_int_equal(handles[0], 0x10001);
	assert_int_equal(handles[1], 0x10002);

	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[0]);
	for (u32 i = 1; i <= 4; i++)
		xmit(i, 60);
	assert_int_equal(dev->qdisc->stats.qlen, 4);
	cpu_unlock(net->cpu);
	/* Taking a leaf away takes its packets out of the sum. */
	assert_int_equal(TC(RTM_DELQDISC, 0, one(2), 0x10002, NULL, -1), 0);
	assert_int_equal(dev->qdisc->stats.qlen, 2);
	assert_int_equal(dev->qdisc->stats.backlog, 2 * 74);
	assert_int_equal(p->leaf[1]->handle, 0);
	cpu_lock(net->cpu);
	netif_tx_wake_queue(&dev->tx[0]);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(), 2);
	assert_int_equal(sent_mark(), 4);
	assert_int_equal(sent_mark(), 0);
}

/* cpu lock held; @hash chooses the queue */
static void xmit_hashed(struct net_device *d, u32 mark, u32 hash)
{
	struct sk_buff *skb = test_frame(d, other_mac, 0x88b5, 60);

	skb->mark = mark;
	skb->hash = hash;
	assert_int_equal(dev_queue_xmit(skb), 0);
}

static void one_root_serves_all_queues_of_a_device(void **state)
{
	struct net_device *one_queue = dev;
	struct sk_buff *skb;
	u32 handles[8];

	dev = alloc_netdev(net, sizeof(struct test_dev), "m0", test_dev_setup, 2);
	rtnl_lock(net->machine);
	assert_int_equal(register_netdevice(dev), 0);
	assert_int_equal(dev_open(dev, NULL), 0);
	rtnl_unlock(net->machine);
	assert_int_equal(dump(RTM_GETQDISC, handles, 8), 2); /* a default for each queue */
	assert_ptr_not_equal(dev->tx[0].qdisc, dev->tx[1].qdisc);
	cpu_lock(net->cpu);
	netif_tx_stop_queue(&dev->tx[1]);
	xmit_hashed(dev, 1, 0xffffffff);
	xmit_hashed(dev, 2, 0);
	cpu_unlock(net->cpu);
	assert_int_equal(sent_mark(), 2); /* the queues do not wait for each other */

	ADD("pfifo", one(1), 5);
	assert_int_equal(net_drops(net, SKB_DROP_QDISC_RESET), 1);
	assert_int_equal(dump(RTM_GETQDISC, handles, 8), 1);
	assert_ptr_equal(dev->tx[0].qdisc, dev->tx[1].qdisc);
	assert_int_equal(TC(RTM_GETQDISC, 0, one(1), 0, NULL, -1), 0);
	assert_int_equal(((const struct tcmsg *)(answer.buf + NLMSG_HDRLEN))->tcm_info, 3);
	cpu_lock(net->cpu);
	xmit_hashed(dev, 3, 0xffffffff);
	xmit_hashed(dev, 4, 0); /* one root is one line: it waits behind the other */
	assert_int_equal(test_priv(dev)->sent.qlen, 0);
	netif_tx_wake_queue(&dev->tx[1]);
	cpu_unlock(net->cpu);
	skb = skb_peek(&test_priv(dev)->sent);
	assert_int_equal(skb->queue_mapping, 1);
	assert_int_equal(sent_mark(), 3);
	assert_int_equal(sent_mark(), 4);
	DEL();
	assert_int_equal(dump(RTM_GETQDISC, handles, 8), 2);
	test_netdev_del(dev);
	dev = one_queue;
}

static void handles_run_round(void **state)
{
	ADD("pfifo", 0, 1);
	DEL();
	net->core->qdisc_autohandle = 0xfffe0000;
	ADD("pfifo", 0, 1);
	assert_int_equal(dev->qdisc->handle, 0x80010000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(where_nothing_is),
		T(where_a_qdisc_is),
		T(what_cannot_be_changed_says_so),
		T(limits_follow_the_queue_length),
		T(a_qdisc_shows_itself),
		T(a_pfifo_counts_packets),
		T(a_bfifo_counts_octets),
		T(a_fifo_without_room_lets_nothing_pass),
		T(a_head_drop_makes_room),
		T(replacing_drops_what_waits_and_goes_on),
		T(a_device_that_is_down_keeps_its_qdisc),
		T(disciplines_plug_into_classes),
		T(one_root_serves_all_queues_of_a_device),
		T(handles_run_round),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	nl_msg_fini(&answer);
	return failed;
}
