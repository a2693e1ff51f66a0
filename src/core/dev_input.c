/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev_input.c - from the driver to the packet handlers: NAPI, the backlog, taps, packet types
 *
 * Theory of operation
 *   A driver that has work calls napi_schedule(), which puts its napi on the cpu's poll list and raises NET_RX. net_rx_action()
 *   polls the first of the list with a weight, again and again, until the list is empty or one round's budget (packets, time) is used up;
 *   a napi that is not done goes to the end of the list, so devices take turns. What is left waits for the next round: user
 *   context never does more than one budget of other people's work, and under overload the drivers' rings fill and
 *   packets are dropped there, before anything was spent on them. For the same reason a poll that fills
 *   a receiver is the last of its round, and softirqs rest (softirq.c): at four times what a program can read, up to a tenth is
 *   brought in vain; a third with the whole budget.
 *   What a poll brings goes up in lists (gro_normal_one() in gro.c): each layer does its part for all of a list before the next
 *   layer does, so that its code and tables are in the cache for all but the first, and what two packets have in common
 *   (handler, route) is found once. A list of one goes the way of single packets.
 *   netif_rx() is for drivers without a ring: a queue per cpu, polled by a napi of its own.
 * Invariants
 *   NAPI_STATE_SCHED <=> the napi is on the poll list or being polled. A napi that is scheduled again while it is being polled
 *   remembers that in NAPI_STATE_MISSED: napi_complete_done() then keeps it scheduled, so no wake-up is lost.
 * Locking: the cpu lock, throughout.
 */
#include "core/netdevice.h"

#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/net_group.h"
#include "core/qdisc.h"
#include "core/zerocopy.h"

/* The clock is read once for so many packets or polls: enough to hold a time limit of 2 ms. */
#define CLOCK_REFRESH_PACKETS 64

/* ---- NAPI ---------------------------------------------------------------------------------------------- */

static void napi_init(struct napi_struct *napi, struct cpu *cpu, struct net_device *dev,
		      int (*poll)(struct napi_struct *napi, int budget))
{
	memset(napi, 0, sizeof(*napi));
	napi->cpu = cpu;
	napi->dev = dev;
	napi->poll = poll;
	napi->weight = NAPI_POLL_WEIGHT;
	list_init(&napi->poll_list);
	list_init(&napi->dev_list);
	skb_queue_head_init(&napi->gro_list);
	skb_list_init(&napi->rx_list);
}

void netif_napi_add(struct net_device *dev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget))
{
	napi_init(napi, dev->cpu, dev, poll);
	napi->state = NAPI_STATE_DISABLED;
	list_add_tail(&napi->dev_list, &dev->napi_list);
}

void netif_napi_del(struct napi_struct *napi)
{
	napi_disable(napi);
	list_del(&napi->dev_list);
}

void napi_enable(struct napi_struct *napi)
{
	napi->state &= ~(u32)NAPI_STATE_DISABLED;
}

void napi_disable(struct napi_struct *napi)
{
	list_del(&napi->poll_list);
	napi->state = NAPI_STATE_DISABLED;
	skb_queue_purge_reason(&napi->gro_list, SKB_DROP_DEV_DOWN);
	napi->gro_count = 0;
	kfree_skb_list_reason(napi->rx_list.first, SKB_DROP_DEV_DOWN);
	skb_list_init(&napi->rx_list);
	napi->rx_count = 0;
}

void napi_schedule(struct napi_struct *napi)
{
	if (napi->state) {
		if (napi->state & NAPI_STATE_SCHED)
			napi->state |= NAPI_STATE_MISSED;
		return;
	}
	napi->state = NAPI_STATE_SCHED;
	list_add_tail(&napi->poll_list, &napi->cpu->softnet->poll_list);
	raise_softirq(napi->cpu, NET_RX_SOFTIRQ);
}

bool napi_complete_done(struct napi_struct *napi, int work_done)
{
	if (napi->gro_count)
		napi_gro_flush(napi, false);
	gro_normal_list(napi);
	/* Delivering may have brought the device down. */
	if (napi->state & NAPI_STATE_DISABLED)
		return true;
	if (napi->state & NAPI_STATE_MISSED) {
		napi->state &= ~(u32)NAPI_STATE_MISSED;
		return false;
	}
	napi->state &= ~(u32)NAPI_STATE_SCHED;
	return true;
}

/* Polls the first napi of the list. Returns the packets it processed. */
static int napi_poll_first(struct softnet_data *sd)
{
	struct napi_struct *napi = list_first_entry(&sd->poll_list, struct napi_struct, poll_list);
	int work;

	list_del(&napi->poll_list);
	napi->state &= ~(u32)NAPI_STATE_MISSED;
	work = napi->poll(napi, napi->weight);
	assert(work <= napi->weight);
	if (!(napi->state & NAPI_STATE_SCHED))
		return work;
	/* Someone may have disabled and scheduled it anew meanwhile. */
	if (!list_empty(&napi->poll_list))
		return work;
	if (napi->gro_count)
		napi_gro_flush(napi, true);
	gro_normal_list(napi);
	list_add_tail(&napi->poll_list, &sd->poll_list);
	return work;
}

void net_rx_action(struct cpu *cpu)
{
	struct softnet_data *sd = cpu->softnet;
	u64 deadline = cpu->now + sd->netdev_budget_ns;
	int budget = sd->netdev_budget, unseen = 0;

	while (!list_empty(&sd->poll_list)) {
		int work = napi_poll_first(sd);

		budget -= work;
		unseen += work + 1;
		if (unseen >= CLOCK_REFRESH_PACKETS) {
			unseen = 0;
			cpu_clock_refresh(cpu);
		}
		if (likely(budget > 0 && cpu->now < deadline && !cpu->receiver_full) ||
		    list_empty(&sd->poll_list))
			continue;
		sd->time_squeeze += !cpu->receiver_full;
		raise_softirq(cpu, NET_RX_SOFTIRQ);
		return;
	}
}

/* ---- the backlog: netif_rx ----------------------------------------------------------------------------- */

void netif_rx(struct sk_buff *skb)
{
	struct cpu *cpu = skb->dev->cpu;
	struct softnet_data *sd = cpu->softnet;

	if (unlikely(!netif_running(skb->dev))) {
		skb->dev->stats.rx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		return;
	}
	if (unlikely(sd->input_pkt_queue.qlen >= sd->netdev_max_backlog)) {
		sd->dropped++;
		skb->dev->stats.rx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_CPU_BACKLOG);
		return;
	}
	trace_skb(skb, NULL, TP_netif_rx, TRACE_QUEUED, 0, 0);
	skb_queue_tail(&sd->input_pkt_queue, skb);
	napi_schedule_here(&sd->backlog);
}

static int process_backlog(struct napi_struct *napi, int budget)
{
	struct softnet_data *sd = napi->cpu->softnet;
	int work = 0;

	budget = min(budget, sd->dev_weight);
	while (work < budget) {
		struct sk_buff *skb = skb_dequeue(&sd->input_pkt_queue);

		if (!skb)
			break;
		work++;
		netif_receive_skb(skb);
	}
	if (skb_queue_empty(&sd->input_pkt_queue))
		napi_complete_done(napi, work);
	return work;
}

/* ---- taps ---------------------------------------------------------------------------------------------- */

void dev_add_tap(struct net *net, struct packet_tap *tap)
{
	tap->net = net;
	list_add_tail(&tap->node, tap->dev ? &tap->dev->ptype_all : &net->core->ptype_all);
	net_group_device_watch(net);
}

void dev_remove_tap(struct packet_tap *tap)
{
	list_del(&tap->node);
	net_group_device_watch(tap->net);
}

static void taps_run(const struct list_head *taps, const struct sk_buff *skb,
		     struct net_device *dev, u16 type)
{
	struct packet_tap *tap, *next;

	list_for_each_entry_safe(tap, next, taps, node) {
		if (tap->type == ETH_P_ALL || tap->type == type)
			tap->func(tap, skb, dev, false);
	}
}

static bool has_taps(const struct net_device *dev)
{
	return unlikely(!list_empty(&dev->net->core->ptype_all) || !list_empty(&dev->ptype_all));
}

/* Taps want the frame from its link-layer header on. */
static void taps_input(struct sk_buff *skb, struct net_device *dev)
{
	struct list_head *all = &dev->net->core->ptype_all;
	u32 hdr = (u32)(skb->data - skb_mac_header(skb));
	u16 type = be16_to_cpu(skb->protocol);

	skb_push(skb, hdr);
	taps_run(all, skb, dev, type);
	taps_run(&dev->ptype_all, skb, dev, type);
	__skb_pull(skb, hdr);
}

/* ---- packet types -------------------------------------------------------------------------------------- */

struct ptype_reg {
	struct list_head node;
	const struct packet_type *pt;
};

static struct list_head *ptype_head(struct net *net, u16 type)
{
	return &net->core->ptype_base[(type ^ type >> 8) & (ARRAY_SIZE(net->core->ptype_base) - 1)];
}

const struct packet_type *dev_get_pack(struct net *net, u16 type)
{
	struct ptype_reg *reg;

	list_for_each_entry(reg, ptype_head(net, type), node) {
		if (reg->pt->type == type)
			return reg->pt;
	}
	return NULL;
}

int dev_add_pack(struct net *net, const struct packet_type *pt)
{
	struct ptype_reg *reg;

	if (!pt->func)
		return -EINVAL;
	if (dev_get_pack(net, pt->type))
		return -EEXIST;
	reg = calloc(1, sizeof(*reg));
	if (!reg)
		return -ENOMEM;
	reg->pt = pt;
	cpu_lock(net->cpu);
	list_add_tail(&reg->node, ptype_head(net, pt->type));
	cpu_unlock(net->cpu);
	return 0;
}

void dev_remove_pack(struct net *net, const struct packet_type *pt)
{
	struct ptype_reg *reg;

	list_for_each_entry(reg, ptype_head(net, pt->type), node) {
		if (reg->pt != pt)
			continue;
		cpu_lock(net->cpu);
		list_del(&reg->node);
		cpu_unlock(net->cpu);
		free(reg);
		return;
	}
}

void dev_for_each_pack(struct net *net, void (*fn)(const struct packet_type *pt, void *arg),
		       void *arg)
{
	struct ptype_reg *reg;

	for (u32 i = 0; i < ARRAY_SIZE(net->core->ptype_base); i++)
		list_for_each_entry(reg, &net->core->ptype_base[i], node)
			fn(reg->pt, arg);
}

void dev_ptypes_free(struct net *net)
{
	for (u32 i = 0; i < ARRAY_SIZE(net->core->ptype_base); i++) {
		struct ptype_reg *reg, *next;

		list_for_each_entry_safe(reg, next, &net->core->ptype_base[i], node)
			free(reg);
		list_init(&net->core->ptype_base[i]);
	}
}

int netdev_rx_handler_register(struct net_device *dev,
			       enum rx_handler_result (*h)(struct sk_buff **), void *data)
{
	if (dev->rx_handler)
		return -EBUSY;
	dev->rx_handler_data = data;
	dev->rx_handler = h;
	net_group_device_watch(dev->net);
	return 0;
}

void netdev_rx_handler_unregister(struct net_device *dev)
{
	dev->rx_handler = NULL;
	dev->rx_handler_data = NULL;
	net_group_device_watch(dev->net);
}

/* ---- one received packet ------------------------------------------------------------------------------- */

/* Who handles *@pskb, which may be another packet or of another device afterwards. NULL: it was consumed. */
static __inlined const struct packet_type *receive_skb_core(struct sk_buff **pskb)
{
	struct sk_buff *skb = skb_orphan_frags_rx(*pskb);
	const struct packet_type *pt;
	struct net_device *dev;
	bool exact = false;

	if (unlikely(!skb))
		return NULL;
	if (!skb->tstamp)
		skb->tstamp = skb->cpu->now;
	skb->dev->cpu->softnet->processed++;
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	skb_reset_mac_len(skb);
	trace_skb(skb, NULL, TP_netif_receive_skb, TRACE_PASS, be16_to_cpu(skb->protocol), 0);

another:
	dev = skb->dev;
	skb->skb_iif = (u32)dev->ifindex;
	if (has_taps(dev))
		taps_input(skb, dev);
	if (dev->rx_handler) {
		switch (dev->rx_handler(&skb)) {
		case RX_HANDLER_CONSUMED:
			return NULL;
		case RX_HANDLER_ANOTHER: /* the packet now belongs to the device above: skb->dev */
			goto another;
		case RX_HANDLER_EXACT:
			exact = true;
			break;
		case RX_HANDLER_PASS:
			break;
		}
	}

	if (unlikely(dev->shards) && net_steer(skb))
		return NULL;
	*pskb = skb;
	pt = exact ? NULL : dev_get_pack(dev->net, be16_to_cpu(skb->protocol));
	if (likely(pt))
		return pt;
	if (exact)
		dev->rx_nohandler++;
	else
		dev->stats.rx_dropped++;
	kfree_skb_reason(skb, SKB_DROP_UNHANDLED_PROTO);
	return NULL;
}

void netif_receive_skb(struct sk_buff *skb)
{
	const struct packet_type *pt = receive_skb_core(&skb);

	if (likely(pt))
		pt->func(skb, skb->dev, pt);
}

/* ---- several received packets -------------------------------------------------------------------------- */

/* @list, of one type and device, goes up. */
static void receive_sublist(struct skb_list *list, const struct packet_type *pt,
			    struct net_device *dev)
{
	struct sk_buff *skb;

	if (list->first->next && pt->list_func) {
		pt->list_func(list, dev, pt);
		return;
	}
	while ((skb = skb_list_take(list)))
		pt->func(skb, dev, pt);
}

void netif_receive_skb_list(struct skb_list *list)
{
	const struct packet_type *pt, *sub_pt = NULL;
	struct net_device *sub_dev = NULL;
	struct skb_list sub;
	struct sk_buff *skb;

	skb_list_init(&sub);
	while ((skb = skb_list_take(list))) {
		pt = receive_skb_core(&skb);
		if (!pt)
			continue;
		/* What came before, of another device or type, stays before. */
		if (!skb_list_empty(&sub) && (pt != sub_pt || skb->dev != sub_dev))
			receive_sublist(&sub, sub_pt, sub_dev);
		sub_pt = pt;
		sub_dev = skb->dev;
		skb_list_add(&sub, skb);
	}
	if (!skb_list_empty(&sub))
		receive_sublist(&sub, sub_pt, sub_dev);
}

/* ---- per cpu ------------------------------------------------------------------------------------------- */

int softnet_init(struct cpu *cpu)
{
	struct softnet_data *sd = calloc(1, sizeof(*sd));

	if (!sd)
		return -ENOMEM;
	list_init(&sd->poll_list);
	list_init(&sd->linkwatch);
	skb_queue_head_init(&sd->input_pkt_queue);
	napi_init(&sd->backlog, cpu, NULL, process_backlog);
	sd->output_queue_tailp = &sd->output_queue;
	/* Linux's defaults: net.core.* in its documentation of sysctls. */
	sd->netdev_budget = 300;
	sd->netdev_budget_ns = 2 * NSEC_PER_MSEC;
	sd->dev_weight = NAPI_POLL_WEIGHT;
	sd->netdev_max_backlog = 1000;
	sd->gro_normal_batch = 8;
	cpu->softnet = sd;
	return 0;
}

void softnet_exit(struct cpu *cpu)
{
	struct softnet_data *sd = cpu->softnet;

	if (!sd)
		return;
	cpu_lock(cpu);
	skb_queue_purge_reason(&sd->input_pkt_queue, SKB_DROP_NET_EXIT);
	net_tx_action(cpu); /* nothing runs any more: it only frees */
	cpu->softirq_pending &= ~(1u << NET_RX_SOFTIRQ | 1u << NET_TX_SOFTIRQ);
	cpu->softnet = NULL;
	cpu_unlock(cpu);
	free(sd);
}
