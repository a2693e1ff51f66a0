/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_test.h - for unit tests of disciplines: one on a device, options for it, packets into and out of it in virtual time
 *
 * put() and take() ask the discipline itself, as the glue would (core/qdisc.c), so that a test says when a packet comes and when the driver would
 * have it.
 */
#ifndef WEIR_SCHED_SCHED_TEST_H
#define WEIR_SCHED_SCHED_TEST_H

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>

#include "core/dev_test.h"
#include "netlink/netlink.h"
#include "sched/sched_internal.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#define MS NSEC_PER_MSEC

static struct net *net;
static struct net_device *dev;
static struct Qdisc *root;

/* ---- options: nla_put*(opts(), ...), then change() or attach() */

static struct nl_msg opt_msg;
static u32 opt_nest;

static struct nl_msg *opts(void)
{
	if (!opt_msg.buf) {
		assert_int_equal(nl_msg_init(&opt_msg, 4096), 0);
		nlmsg_begin(&opt_msg, 0, 1, RTM_NEWQDISC, 0, sizeof(struct tcmsg));
		opt_nest = nla_nest_start(&opt_msg, TCA_OPTIONS);
	}
	return &opt_msg;
}

static inline const struct nlattr *opts_end(void)
{
	opts();
	nla_nest_end(&opt_msg, opt_nest);
	assert_int_equal(nlmsg_finish(&opt_msg), 0);
	return (const struct nlattr *)(opt_msg.buf + NLMSG_HDRLEN +
				       NLMSG_ALIGN(sizeof(struct tcmsg)));
}

static inline int change(struct Qdisc *q)
{
	const struct nlattr *opt = opts_end();
	int err;

	cpu_lock(net->cpu);
	err = q->ops->change(q, opt, NULL);
	cpu_unlock(net->cpu);
	nl_msg_fini(&opt_msg);
	opt_msg.buf = NULL;
	return err;
}

/* The root: 0 or what its init says. */
static inline int attach(const struct Qdisc_ops *ops)
{
	const struct nlattr *opt = opts_end();
	int err;

	rtnl_lock(net->machine);
	cpu_lock(net->cpu);
	root = qdisc_create(&dev->tx[0], ops, 0x10000, TC_H_ROOT, opt, NULL, &err);
	if (root) {
		qdisc_put(dev_graft_qdisc(dev, root));
		err = 0;
	}
	cpu_unlock(net->cpu);
	rtnl_unlock(net->machine);
	nl_msg_fini(&opt_msg);
	opt_msg.buf = NULL;
	return err;
}

/* Into the only class of the root, with default settings. */
static inline struct Qdisc *attach_inner(const struct Qdisc_ops *ops, u32 handle)
{
	struct Qdisc *in, *old;
	int err;

	cpu_lock(net->cpu);
	in = qdisc_create(&dev->tx[0], ops, handle, 0x10001, NULL, NULL, &err);
	assert_non_null(in);
	assert_int_equal(root->ops->cl_ops->graft(root, 1, in, &old, NULL), 0);
	qdisc_put(old);
	cpu_unlock(net->cpu);
	return in;
}

static inline int sched_setup(void **state)
{
	net = test_net();
	dev = test_netdev(net, "e0", true);
	return 0;
}

static inline int sched_teardown(void **state)
{
	test_netdev_del(dev);
	test_net_done(net);
	return 0;
}

/* ---- packets */

/* cpu lock held: an IP packet of @flow with @ds in its header, in a frame of @len octets altogether. */
static inline struct sk_buff *ip_frame(u16 type, u32 flow, u8 ds, u32 len)
{
	static const u8 to[ETH_ALEN] = { 2, 0, 0, 0, 0, 2 };
	struct sk_buff *skb = test_frame(dev, to, type, len - ETH_HLEN);
	u8 *h = skb_network_header(skb);

	memset(h, 0, 40);
	h[0] = type == ETH_P_IP ? 0x45 : (u8)(0x60 | ds >> 4);
	h[1] = type == ETH_P_IP ? ds : (u8)(ds << 4);
	memcpy(h + 12, &flow, sizeof(flow)); /* in both versions part of the source */
	if (type == ETH_P_IP)
		ip_send_check((struct ip_hdr *)h);
	return skb;
}

/* cpu lock held */
static inline enum qdisc_verdict put_skb(struct sk_buff *skb)
{
	struct sk_buff *to_free = NULL, *next;
	enum qdisc_verdict v;

	*QDISC_CB(skb) = (struct qdisc_skb_cb){ .enqueued = dev->cpu->now, .pkt_len = skb->len };
	v = root->ops->enqueue(skb, root, &to_free);
	for (; to_free; to_free = next) {
		next = to_free->next;
		to_free->next = NULL;
		kfree_skb_reason(to_free, QDISC_CB(to_free)->reason);
	}
	return v;
}

static inline enum qdisc_verdict put_as(u16 type, u32 flow, u8 ds, u32 len, u32 mark)
{
	enum qdisc_verdict v;
	struct sk_buff *skb;

	cpu_lock(net->cpu);
	skb = ip_frame(type, flow, ds, len);
	skb->mark = mark;
	v = put_skb(skb);
	cpu_unlock(net->cpu);
	return v;
}

static inline enum qdisc_verdict put(u32 flow, u32 len, u32 mark)
{
	return put_as(ETH_P_IP, flow, 0, len, mark);
}

struct taken {
	u32 mark; /* 0: nothing came */
	u32 len;
	u8 ds;
};

static inline struct taken take(void)
{
	struct taken t = { 0 };
	struct sk_buff *skb;

	cpu_lock(net->cpu);
	skb = root->ops->dequeue(root);
	if (skb) {
		t = (struct taken){ skb->mark, QDISC_CB(skb)->pkt_len, qdisc_dsfield(skb) };
		if (skb->protocol.v == cpu_to_be16(ETH_P_IP).v)
			assert_true(ipv4_csum_ok(skb_network_header(skb), 20));
	}
	consume_skb(skb);
	cpu_unlock(net->cpu);
	return t;
}

static inline void wait_for(u64 ns)
{
	test_run_for(net->machine, ns);
}

static inline u64 drops_by(skb_drop_reason_t reason)
{
	return net_drops(net, reason);
}

/* What dump_stats says, @len octets of it. */
static inline void xstats(struct Qdisc *q, void *ret, size_t len)
{
	struct nl_msg m;

	assert_int_equal(nl_msg_init(&m, 1024), 0);
	nlmsg_begin(&m, 0, 1, RTM_NEWQDISC, 0, sizeof(struct tcmsg));
	cpu_lock(net->cpu);
	assert_int_equal(q->ops->dump_stats(q, &m), 0);
	cpu_unlock(net->cpu);
	assert_int_equal(nlmsg_finish(&m), 0);
	assert_true(m.len >= len);
	memcpy(ret, m.buf + m.len - len, len);
	nl_msg_fini(&m);
}

#endif
