/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_steer.c - the devices of a net on several cpus: which shard a packet is for, and the shadows of devices
 *
 * Theory of operation: net_group.h
 *   A packet is looked at once, behind the device that received it and the taps, before IP. What only teaches (ARP, ND, IGMP, MLD) goes
 *   to all shards, multicast and broadcast datagrams to those with a socket on their port. All that cannot be told at a glance is the lead's.
 * Context: net_steer*: softirq, lock of the receiving device's cpu. Events: rtnl.
 */
#include "core/net_group.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/qdisc.h"
#include "wire/arp.h"
#include "wire/icmp.h"
#include "wire/icmpv6.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"
#include "wire/tcp.h"
#include "wire/udp.h"

#define INBOX_PACKETS 1024
#define LOOK_OCTETS   192 /* headers of IPv6, extensions included, that are looked at */
#define ICMP6_HDR_LEN 8

/* ---- whose is it? ---------------------------------------------------------------------------------------- */

struct look { /* what is known of one packet */
	struct net_group *g;
	const u8 *p; /* from the network header on */
	u32 len;
	bool to_many; /* multicast or broadcast */
};

static u64 all_shards(const struct net_group *g)
{
	return g->n == 64 ? ~0ull : (1ull << g->n) - 1;
}

static u64 lead_shard(const struct net_group *g)
{
	return 1ull << g->lead;
}

/* The @n-th of those in @mask. */
static u64 nth_shard(u64 mask, u32 n)
{
	while (n--)
		mask &= mask - 1;
	return mask & -mask;
}

/* Sockets on the local @port. */
static u64 udp_shards(const struct look *l, be16 port, u64 hash)
{
	u64 mask = __atomic_load_n(&l->g->udp_ports[be16_to_cpu(port)], __ATOMIC_ACQUIRE);

	if (l->to_many)
		return mask | lead_shard(l->g);
	if (!mask)
		return lead_shard(l->g); /* it says that nobody is there, or forwards */
	if (!(mask & (mask - 1)))
		return mask;
	return nth_shard(mask, (u32)((hash >> 32) % (u32)__builtin_popcountll(mask)));
}

struct ends { /* of a flow, as the packet has them; ours is the local one */
	bool v4;
	be32 a4, b4;
	struct in6_addr a6, b6;
	be16 ap, bp, ours;
};

static u64 flow_shards(const struct look *l, u8 protocol, const struct ends *e)
{
	u64 hash = e->v4 ? net_flow_hash_v4(l->g, e->a4, e->ap, e->b4, e->bp)
			 : net_flow_hash_v6(l->g, &e->a6, e->ap, &e->b6, e->bp);

	if (protocol == IPPROTO_UDP)
		return udp_shards(l, e->ours, hash);
	return 1ull << net_flow_shard(l->g, hash);
}

/* @off: of the ports. @about: the packet is one of ours that an ICMP error quotes. */
static u64 ports_shards(const struct look *l, u8 protocol, u32 off, bool about, struct ends *e)
{
	if (l->len < off + 4)
		return lead_shard(l->g);
	memcpy(&e->ap, l->p + off, 2);
	memcpy(&e->bp, l->p + off + 2, 2);
	e->ours = about ? e->ap : e->bp;
	return flow_shards(l, protocol, e);
}

static bool has_ports(u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static u64 ip4_shards(const struct look *l, u32 off, bool about)
{
	const struct ip_hdr *h = (const struct ip_hdr *)(l->p + off);
	struct ends e = { .v4 = true };
	u32 end;

	if (l->len < off + sizeof(*h) || h->ihl_version >> 4 != 4)
		return lead_shard(l->g);
	end = off + ip_hdr_len(h);
	if (ip_is_fragment(h))
		return lead_shard(l->g);
	if (has_ports(h->protocol)) {
		e.a4 = h->saddr;
		e.b4 = h->daddr;
		return ports_shards(l, h->protocol, end, about, &e);
	}
	if (h->protocol == IPPROTO_IGMP)
		return all_shards(l->g);
	if (h->protocol != IPPROTO_ICMP || about || l->len < end + sizeof(struct icmp_hdr))
		return lead_shard(l->g);
	switch (((const struct icmp_hdr *)(l->p + end))->type) {
	case ICMP4_DEST_UNREACH:
	case ICMP4_SOURCE_QUENCH:
	case ICMP4_REDIRECT:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETERPROB:
		return ip4_shards(l, end + sizeof(struct icmp_hdr), true);
	default:
		return lead_shard(l->g);
	}
}

static bool teaches_v6(u8 type)
{
	switch (type) {
	case ICMPV6_MGM_QUERY:
	case NDISC_ROUTER_SOLICITATION:
	case NDISC_ROUTER_ADVERTISEMENT:
	case NDISC_NEIGHBOUR_SOLICITATION:
	case NDISC_NEIGHBOUR_ADVERTISEMENT:
	case NDISC_REDIRECT:
		return true;
	default:
		return false;
	}
}

static u64 ip6_shards(const struct look *l, u32 off, bool about)
{
	const struct ipv6_hdr *h = (const struct ipv6_hdr *)(l->p + off);
	struct ends e = { 0 };
	u32 start = off + sizeof(*h), end;
	u16 frag = 0;
	u8 next, type;
	int skip;

	if (l->len < start || be32_to_cpu(h->ver_tc_flow) >> 28 != 6)
		return lead_shard(l->g);
	next = h->nexthdr;
	skip = ipv6_skip_exthdr(l->p + start, l->len - start, &next, &frag);
	if (skip < 0 || frag)
		return lead_shard(l->g);
	end = start + (u32)skip;
	if (has_ports(next)) {
		e.a6 = h->saddr;
		e.b6 = h->daddr;
		return ports_shards(l, next, end, about, &e);
	}
	if (next != IPPROTO_ICMPV6 || about || l->len < end + ICMP6_HDR_LEN)
		return lead_shard(l->g);
	type = l->p[end];
	if (teaches_v6(type))
		return all_shards(l->g);
	/* RFC 4443 2.1: errors have types below 128. */
	return type < 128 ? ip6_shards(l, end + ICMP6_HDR_LEN, true) : lead_shard(l->g);
}

/* Data at the network header. */
static u64 skb_shards(struct net_group *g, const struct sk_buff *skb)
{
	u8 buf[LOOK_OCTETS] __attribute__((aligned(8)));
	struct look l = { .g = g, .p = skb->data, .len = skb_headlen(skb) };
	u16 type = be16_to_cpu(skb->protocol);

	if (type == ETH_P_ARP)
		return all_shards(g);
	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return lead_shard(g);
	if (unlikely(l.len < LOOK_OCTETS && skb_is_nonlinear(skb))) {
		l.len = min(skb->len, (u32)LOOK_OCTETS);
		if (skb_copy_bits(skb, 0, buf, l.len))
			return lead_shard(g);
		l.p = buf;
	}
	l.to_many = skb->pkt_type == SKB_PACKET_MULTICAST || skb->pkt_type == SKB_PACKET_BROADCAST;
	if (type == ETH_P_IP) {
		if (l.len >= sizeof(struct ip_hdr)) {
			be32 to = ((const struct ip_hdr *)l.p)->daddr;

			l.to_many |= ipv4_is_multicast(to) || ipv4_is_lbcast(to);
		}
		return ip4_shards(&l, 0, false);
	}
	l.to_many |= l.len >= sizeof(struct ipv6_hdr) &&
		     ((const struct ipv6_hdr *)l.p)->daddr.s6_addr[0] == 0xff;
	return ip6_shards(&l, 0, false);
}

/* ---- handing over ---------------------------------------------------------------------------------------- */

/* @steered: it is that shard's; else it looks itself. */
static void steer_to(struct shard_port *port, struct sk_buff *skb, bool steered)
{
	if (unlikely(!skb))
		return;
	skb->steered = steered;
	trace_skb(skb, NULL, TP_net_steer, TRACE_QUEUED, port->inbox.cpu->id, 0);
	if (!skb_inbox_put(&port->inbox, skb))
		kfree_skb_reason(skb, SKB_DROP_CPU_BACKLOG);
}

static bool goes_by_lead(const struct dev_shards *ds)
{
	return __atomic_load_n(&ds->by_lead, __ATOMIC_RELAXED);
}

bool net_steer(struct sk_buff *skb)
{
	struct net_device *dev = skb->dev;
	struct dev_shards *ds = dev->shards;
	u64 mask, mine = 1ull << dev->net->shard, others;

	if (skb->steered) { /* another one has looked */
		skb->steered = 0;
		return false;
	}
	if (unlikely(goes_by_lead(ds)) && !net_is_lead(dev->net)) {
		steer_to(&ds->port[ds->g->lead], skb, false);
		return true;
	}
	mask = skb_shards(ds->g, skb);
	others = mask & ~mine;
	while (others) {
		struct shard_port *port = &ds->port[__builtin_ctzll(others)];

		others &= others - 1;
		steer_to(port, others || mask & mine ? skb_copy(skb) : skb, true);
	}
	return !(mask & mine);
}

bool net_steer_whole(struct sk_buff *skb)
{
	u32 off = (u32)(skb->data - skb_network_header(skb));
	struct net_device *dev = skb->dev;
	struct dev_shards *ds = dev->shards;
	u64 mask;

	skb_push(skb, off);
	mask = skb_shards(ds->g, skb);
	/* One to many has been put together where it belongs: with the lead, and with nobody else. */
	if (mask & 1ull << dev->net->shard || mask & (mask - 1)) {
		__skb_pull(skb, off);
		return false;
	}
	steer_to(&ds->port[__builtin_ctzll(mask)], skb, true);
	return true;
}

/* Another shard's part of the device has received it: up. */
static void shard_deliver_rx(struct skb_inbox *in, struct sk_buff *skb)
{
	struct shard_port *port = container_of(in, struct shard_port, inbox);

	if (unlikely(!port->dev)) {
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		return;
	}
	skb->dev = port->dev;
	if (!port->dev->shards) /* nobody would ask */
		skb->steered = 0;
	netif_rx(skb);
}

/* From a shadow: down, out of the real device. */
static void shard_deliver_tx(struct skb_inbox *in, struct sk_buff *skb)
{
	struct dev_shards *ds = container_of(in, struct dev_shards, out);
	struct net_device *dev = ds->port[ds->g->lead].dev;

	if (unlikely(!dev || !netif_running(dev))) {
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		return;
	}
	skb->dev = dev;
	dev_queue_xmit(skb);
}

/* ---- shadows --------------------------------------------------------------------------------------------- */

struct shadow_priv {
	struct dev_shards *ds;
	const struct netdev_queue_ops *ops; /* of the real device */
	void *queue;                        /* of its; NULL: what is sent goes by the lead */
};

static struct shadow_priv *shadow_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* Does the lead say this by itself? Shards ask for neighbours, since the answers come to all; they announce and answer nothing. */
static bool leads_to_say(const struct sk_buff *skb, const struct net_device *dev)
{
	const u8 *p = skb_network_header(skb);
	u32 len = skb_headlen(skb) - (u32)(p - skb->data);
	const struct ipv6_hdr *h = (const struct ipv6_hdr *)p;
	struct arp_view arp;
	u8 type;

	if (be16_to_cpu(skb->protocol) == ETH_P_ARP)
		return arp_parse(p, len, dev->addr_len, &arp) < 0 || arp.op != ARP_OP_REQUEST ||
		       be32_zero(arp.sip) || be32_eq(arp.sip, arp.tip);
	if (be16_to_cpu(skb->protocol) != ETH_P_IPV6 || len < sizeof(*h) + 1 ||
	    h->nexthdr != IPPROTO_ICMPV6)
		return false;
	type = p[sizeof(*h)];
	if (type == NDISC_NEIGHBOUR_SOLICITATION)
		return ipv6_addr_any(&h->saddr); /* duplicate address detection */
	return type >= NDISC_ROUTER_SOLICITATION && type <= NDISC_REDIRECT;
}

static enum netdev_tx shadow_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct shadow_priv *priv = shadow_priv(dev);
	struct dev_shards *ds = priv->ds;

	if (unlikely(leads_to_say(skb, dev))) {
		consume_skb(skb);
		return NETDEV_TX_OK;
	}
	if (priv->queue && likely(!goes_by_lead(ds)))
		return priv->ops->start_xmit(skb, priv->queue);
	trace_skb(skb, dev->net, TP_shadow_xmit, TRACE_PASS, ds->g->lead, 0);
	if (!skb_inbox_put(&ds->out, skb))
		kfree_skb_reason(skb, SKB_DROP_CPU_BACKLOG);
	return NETDEV_TX_OK;
}

static int shadow_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, dev->addr_len);
	return 0;
}

static int shadow_open(struct net_device *dev)
{
	struct shadow_priv *priv = shadow_priv(dev);

	return priv->queue ? priv->ops->open(priv->queue) : 0;
}

static int shadow_stop(struct net_device *dev)
{
	struct shadow_priv *priv = shadow_priv(dev);

	if (priv->queue)
		priv->ops->stop(priv->queue);
	return 0;
}

static void shadow_uninit(struct net_device *dev)
{
	struct shadow_priv *priv = shadow_priv(dev);

	if (priv->queue)
		priv->ops->detach(priv->queue);
	priv->queue = NULL;
}

static const struct net_device_ops shadow_ops = {
	.ndo_uninit = shadow_uninit,
	.ndo_open = shadow_open,
	.ndo_stop = shadow_stop,
	.ndo_start_xmit = shadow_xmit,
	.ndo_set_mac_address = shadow_set_mac,
};

static void shadow_setup(struct net_device *dev)
{
	dev->netdev_ops = &shadow_ops;
	dev->default_qdisc = &noqueue_qdisc_ops;
	dev->live_addr_change = true;
}

static void shadow_follow(struct net_device *dev, const struct net_device *real)
{
	const u32 same = IFF_BROADCAST | IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;

	dev->header_ops = real->header_ops;
	dev->features = (real->features & ~NETIF_F_LOOPBACK) | NETIF_F_LLTX | NETIF_F_NETNS_LOCAL;
	dev->gso_max_size = real->gso_max_size;
	dev->gso_max_segs = real->gso_max_segs;
	dev->flags = (dev->flags & ~same) | (real->flags & same);
}

/* With a queue it is a device that can be busy: what must wait does, as at the real one. */
static void shadow_give_queue(struct net_device *dev, struct net_device *real,
			      struct dev_shards *ds)
{
	struct shadow_priv *priv = shadow_priv(dev);

	priv->ops = real->netdev_ops->queue_ops;
	priv->queue = priv->ops ? priv->ops->attach(real, dev) : NULL;
	if (!priv->queue)
		return;
	dev->shards = ds;
	dev->default_qdisc = real->default_qdisc;
	dev->tx_queue_len = real->tx_queue_len;
}

static int shadow_create(struct dev_shards *ds, struct net_device *real, u32 i)
{
	struct net *net = ds->g->shards[i];
	struct net_device *dev =
		alloc_netdev(net, sizeof(struct shadow_priv), real->name, shadow_setup, 1);
	int err;

	if (!dev)
		return -ENOMEM;
	shadow_priv(dev)->ds = ds;
	shadow_follow(dev, real);
	dev->type = real->type;
	dev->addr_len = real->addr_len;
	dev->hard_header_len = real->hard_header_len;
	dev->needed_headroom = real->needed_headroom;
	dev->mtu = real->mtu;
	dev->ifindex = real->ifindex;
	dev->carrier = real->carrier;
	memcpy(dev->dev_addr, real->dev_addr, sizeof(dev->dev_addr));
	memcpy(dev->broadcast, real->broadcast, sizeof(dev->broadcast));
	shadow_give_queue(dev, real, ds);
	err = register_netdevice(dev);
	if (err) {
		shadow_uninit(dev);
		free_netdev(dev);
		return err;
	}
	cpu_lock(net->cpu);
	ds->port[i].dev = dev;
	cpu_unlock(net->cpu);
	return 0;
}

/* ---- a device with its ports ------------------------------------------------------------------------------ */

static struct dev_shards *dev_shards_alloc(struct net_group *g, bool lo)
{
	struct dev_shards *ds = calloc(1, sizeof(*ds) + g->n * sizeof(ds->port[0]));

	if (!ds)
		return NULL;
	ds->g = g;
	ds->lo = lo;
	skb_inbox_init(&ds->out, g->shards[g->lead]->cpu, INBOX_PACKETS, shard_deliver_tx);
	for (u32 i = 0; i < g->n; i++)
		skb_inbox_init(&ds->port[i].inbox, g->shards[i]->cpu, INBOX_PACKETS,
			       shard_deliver_rx);
	return ds;
}

static void dev_set_shards(struct net_device *dev, struct dev_shards *ds)
{
	cpu_lock(dev->cpu);
	dev->shards = ds;
	cpu_unlock(dev->cpu);
}

/* Nobody puts anything into the inboxes any more. */
static void dev_shards_free(struct dev_shards *ds)
{
	for (u32 i = 0; i < ds->g->n; i++) {
		struct skb_inbox *in = &ds->port[i].inbox;

		cpu_lock(in->cpu);
		ds->port[i].dev = NULL;
		skb_inbox_fini(in, SKB_DROP_NET_EXIT);
		if (i == ds->g->lead)
			skb_inbox_fini(&ds->out, SKB_DROP_NET_EXIT);
		cpu_unlock(in->cpu);
	}
	free(ds);
}

/* First the device hands over nothing any more, then no shadow sends. */
static void dev_part(struct net_device *dev)
{
	struct dev_shards *ds = dev->shards;

	if (!ds)
		return;
	dev_set_shards(dev, NULL);
	for (u32 i = 0; i < ds->g->n; i++) {
		struct cpu *cpu = ds->g->shards[i]->cpu;
		struct net_device *shadow = ds->port[i].dev;

		cpu_lock(cpu);
		ds->port[i].dev = NULL;
		cpu_unlock(cpu);
		if (shadow && i != ds->g->lead)
			unregister_netdevice(shadow);
	}
	dev_shards_free(ds);
}

/* Does anything stand at the real device that must see all? */
static void device_watch(struct net_device *dev)
{
	bool any = !list_empty(&dev->ptype_all) || !list_empty(&dev->net->core->ptype_all) ||
		   dev->rx_handler || (dev->qdisc && dev->qdisc->handle);

	__atomic_store_n(&dev->shards->by_lead, any, __ATOMIC_RELAXED);
}

void net_group_device_watch(struct net *net)
{
	struct net_device *dev;

	if (likely(!net->group) || !net_is_lead(net))
		return;
	net_for_each_dev(net, dev)
		if (dev->shards && !dev->shards->lo)
			device_watch(dev);
}

static int dev_join(struct net_group *g, struct net_device *dev)
{
	struct dev_shards *ds = dev_shards_alloc(g, false);
	int err = ds ? 0 : -ENOMEM;

	if (err)
		return err;
	cpu_lock(dev->cpu);
	ds->port[g->lead].dev = dev;
	dev->shards = ds;
	device_watch(dev);
	cpu_unlock(dev->cpu);
	for (u32 i = 0; i < g->n && !err; i++)
		if (i != g->lead)
			err = shadow_create(ds, dev, i);
	if (err)
		dev_part(dev);
	return err;
}

int net_group_join_lo(struct net_group *g)
{
	struct dev_shards *ds = dev_shards_alloc(g, true);

	if (!ds)
		return -ENOMEM;
	for (u32 i = 0; i < g->n; i++) {
		struct net_device *lo = g->shards[i]->loopback_dev;

		cpu_lock(lo->cpu);
		ds->port[i].dev = lo;
		lo->shards = ds;
		cpu_unlock(lo->cpu);
	}
	return 0;
}

void net_group_part_lo(struct net_group *g)
{
	struct dev_shards *ds = g->shards[0]->loopback_dev->shards;

	for (u32 i = 0; i < g->n; i++)
		dev_set_shards(g->shards[i]->loopback_dev, NULL);
	dev_shards_free(ds);
}

/* ---- counters --------------------------------------------------------------------------------------------- */

static void tell_stats(struct shard_port *port) /* that shard's cpu lock */
{
	struct rtnl_link_stats64 s = { 0 };
	u64 words[ARRAY_SIZE(port->stats)];

	if (!port->dev)
		return;
	s = port->dev->stats;
	memcpy(words, &s, sizeof(words));
	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		__atomic_store_n(&port->stats[i], words[i], __ATOMIC_RELAXED);
}

void net_group_tell_stats(struct net *shard)
{
	struct net_device *dev;

	net_for_each_dev(shard, dev) {
		struct dev_shards *ds =
			dev->netdev_ops == &shadow_ops ? shadow_priv(dev)->ds : dev->shards;

		if (ds)
			tell_stats(&ds->port[shard->shard]);
	}
}

void net_group_ask_stats(struct net_device *dev)
{
	struct dev_shards *ds = dev->shards;

	for (u32 i = 0; ds && i < ds->g->n; i++) {
		struct cpu *cpu = ds->port[i].inbox.cpu;

		if (i == ds->g->lead)
			continue;
		cpu_lock(cpu);
		tell_stats(&ds->port[i]);
		cpu_unlock(cpu);
	}
}

void net_group_add_stats(const struct net_device *dev, struct rtnl_link_stats64 *s)
{
	const struct dev_shards *ds = dev->shards;
	u64 sum[ARRAY_SIZE(ds->port[0].stats)];

	if (likely(!ds) || !net_is_lead(dev->net))
		return;
	memcpy(sum, s, sizeof(sum));
	for (u32 i = 0; i < ds->g->n; i++)
		for (u32 k = 0; i != ds->g->lead && k < ARRAY_SIZE(sum); k++)
			sum[k] += __atomic_load_n(&ds->port[i].stats[k], __ATOMIC_RELAXED);
	memcpy(s, sum, sizeof(sum));
}

/* ---- what happens to the lead's devices -------------------------------------------------------------------- */

static int shadow_event(struct net_device *dev, struct net_device *real, enum netdev_event ev)
{
	switch (ev) {
	case NETDEV_UP:
		return dev_open(dev, NULL);
	case NETDEV_GOING_DOWN:
		dev_close(dev);
		return 0;
	case NETDEV_CHANGEMTU:
		return dev_set_mtu(dev, (int)real->mtu, NULL);
	case NETDEV_CHANGEADDR:
		return dev_set_mac_address(dev, real->dev_addr, NULL);
	case NETDEV_CHANGENAME:
		return dev_change_name(dev, real->name);
	case NETDEV_CHANGE_TX_QUEUE_LEN:
		return dev->default_qdisc == &noqueue_qdisc_ops
			       ? 0
			       : dev_change_tx_queue_len(dev, real->tx_queue_len);
	case NETDEV_CHANGE:
	case NETDEV_FEAT_CHANGE:
		cpu_lock(dev->cpu);
		if (!(dev->flags & IFF_LOOPBACK))
			shadow_follow(dev, real);
		if (real->carrier)
			netif_carrier_on(dev);
		else
			netif_carrier_off(dev);
		cpu_unlock(dev->cpu);
		return call_netdevice_notifiers(ev, dev);
	default:
		return 0;
	}
}

int net_group_netdev_event(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev)
{
	struct net_group *g = container_of(nb, struct net_group, nb);
	struct dev_shards *ds = dev->shards;
	bool lo = dev->flags & IFF_LOOPBACK;
	int err = 0;

	if (ev == NETDEV_REGISTER)
		return lo ? 0 : dev_join(g, dev);
	if (!ds)
		return 0;
	if (ev == NETDEV_UNREGISTER) {
		if (!lo)
			dev_part(dev);
		return 0;
	}
	for (u32 i = 0; i < g->n; i++)
		if (i != g->lead && ds->port[i].dev)
			err = shadow_event(ds->port[i].dev, dev, ev);
	(void)err; /* a shadow that could not follow has less than the device: its packets are dropped there, and counted */
	return 0;
}
