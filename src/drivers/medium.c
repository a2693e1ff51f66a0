/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * medium.c - ports, cables, and what hub, switch and token medium have in common
 *
 * Theory of operation
 *   medium.h. A cable is two links (link.c), one for each direction, as is the line from a card to a switch. The card may hand over
 *   the next frame when the serialiser of its link is free, so frames wait in the card's ring and not in the link.
 *   On a shared medium the bits are timed by hub.c and token.c; a frame then is on the medium's line until it arrives.
 *   Carrier: cable: both cards are up; medium: the medium is up.
 * Locking: the cpu lock; rtnl to make, plug and configure.
 */
#include "drivers/medium.h"

#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/ethtool.h"
#include "core/machine.h"
#include "core/qdisc.h"
#include "drivers/drivers_internal.h"
#include "host/host.h"
#include "lib/random.h"
#include "netlink/netlink.h"
#include "weir/netlink.h"

/* Frames on their way at the same time: a bound for the memory, which no sane medium comes near. */
#define MEDIUM_LINE_MAX 65536

struct medium_cb {
	u64 when;
	struct port *to;
};
#define MEDIUM_CB(skb) ((struct medium_cb *)(skb)->cb)
static_assert(sizeof(struct medium_cb) <= SKB_CB_SIZE, "cb");

static const struct net_device_ops medium_dev_ops;

static struct medium *medium_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

bool is_medium(const struct net_device *dev)
{
	return dev->netdev_ops == &medium_dev_ops;
}

const struct medium_stats *medium_get_stats(const struct net_device *dev)
{
	return &medium_priv(dev)->stats;
}

u64 port_rate(const struct port *port)
{
	if (port->medium && port->medium->p.rate_bps)
		return port->medium->p.rate_bps;
	return port->cable.rate_bps;
}

/* On a hub and on a token medium one station sends at a time. */
bool port_full_duplex(const struct port *port)
{
	return !port->medium || port->medium->ops == &switch_ops;
}

u64 medium_bits_ns(const struct medium *m, u64 bits)
{
	return bits * NSEC_PER_SEC / m->p.rate_bps;
}

static u64 host_seed(struct net_device *dev, const char *what)
{
	char name[128];
	u64 seed;

	if (dev->net->name[0])
		snprintf(name, sizeof(name), "%s:%s:%s", what, dev->net->name, dev->name);
	else
		snprintf(name, sizeof(name), "%s:%u:%s", what, dev->net->id, dev->name);
	host_random(dev->net->machine->host, name, &seed, sizeof(seed));
	return seed;
}

/* ---- frames on their way over a shared medium ---------------------------------------------------------- */

static void line_arm(struct medium *m)
{
	struct sk_buff *skb = skb_peek(&m->line);

	if (!skb)
		hrtimer_cancel(m->dev->cpu, &m->line_timer);
	else if (hrtimer_start(m->dev->cpu, &m->line_timer, MEDIUM_CB(skb)->when))
		skb_queue_purge_reason(&m->line, SKB_DROP_NOMEM);
}

static void line_timer(struct cpu *cpu, struct hrtimer *t)
{
	struct medium *m = container_of(t, struct medium, line_timer);
	struct sk_buff *skb;

	while ((skb = skb_peek(&m->line)) && MEDIUM_CB(skb)->when <= cpu->now) {
		struct port *to = MEDIUM_CB(skb)->to;

		skb_unlink(skb, &m->line);
		port_receive(to, skb);
	}
	line_arm(m);
}

void medium_deliver_at(struct medium *m, struct port *to, const struct sk_buff *skb, u64 when)
{
	struct sk_buff *copy, *pos = skb_peek_tail(&m->line);

	if (!netif_running(to->dev) || m->line.qlen >= MEDIUM_LINE_MAX)
		return;
	copy = skb_clone(skb);
	if (!copy)
		return;
	copy->dev = to->dev;
	MEDIUM_CB(copy)->when = when;
	MEDIUM_CB(copy)->to = to;
	while (pos && MEDIUM_CB(pos)->when > when)
		pos = pos->prev == (struct sk_buff *)&m->line ? NULL : pos->prev;
	if (pos)
		skb_queue_after(&m->line, pos, copy);
	else
		skb_queue_head(&m->line, copy);
	if (skb_peek(&m->line) == copy)
		line_arm(m);
}

static void line_forget(struct medium *m, const struct port *port)
{
	struct sk_buff *skb, *next;

	skb_queue_walk_safe(&m->line, skb, next) {
		if (port && MEDIUM_CB(skb)->to != port)
			continue;
		skb_unlink(skb, &m->line);
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
	}
	line_arm(m);
}

/* ---- ports ------------------------------------------------------------------------------------------------ */

void port_receive(struct port *port, struct sk_buff *skb)
{
	skb->dev = port->dev;
	port->ops->receive(port, skb);
}

void port_sent(struct port *port, enum port_sent how)
{
	u32 collisions = port->collisions;

	port->collisions = 0;
	port->ops->sent(port, how, collisions);
}

/* What a card has sent comes to the end of its cable. */
static void cable_up_deliver(struct link *link, struct sk_buff *skb)
{
	struct port *port = container_of(link, struct port, up);

	if (port->peer)
		port_receive(port->peer, skb);
	else if (port->medium)
		switch_input(port, skb);
	else
		kfree_skb_reason(skb, SKB_DROP_DEV_NO_CARRIER);
}

static void cable_down_deliver(struct link *link, struct sk_buff *skb)
{
	port_receive(container_of(link, struct port, down), skb);
}

/* The last bit has left for the cable. */
static void cable_timer(struct cpu *cpu, struct hrtimer *t)
{
	port_sent(container_of(t, struct port, timer), PORT_SENT);
}

static void cable_xmit(struct port *port, struct sk_buff *skb)
{
	struct cpu *cpu = port->dev->cpu;

	link_enqueue(&port->up, skb);
	if (port->up.busy_until <= cpu->now ||
	    hrtimer_start(cpu, &port->timer, port->up.busy_until))
		port_sent(port, PORT_SENT);
}

static bool port_has_cable(const struct port *port)
{
	return port->peer || (port->medium && port->medium->ops == &switch_ops);
}

void port_xmit(struct port *port, struct sk_buff *skb)
{
	if (!netif_carrier_ok(port->dev) || (!port->peer && !port->medium)) {
		kfree_skb_reason(skb, SKB_DROP_DEV_NO_CARRIER);
		port_sent(port, PORT_NO_CARRIER);
	} else if (port_has_cable(port)) {
		cable_xmit(port, skb);
	} else {
		port->medium->ops->xmit(port, skb);
	}
}

void port_init(struct port *port, struct net_device *dev, const struct port_ops *ops)
{
	memset(port, 0, sizeof(*port));
	port->dev = dev;
	port->ops = ops;
	list_init(&port->node);
	port->cable.rate_bps = PORT_RATE_DEFAULT;
}

void port_set_cable(struct port *port, const struct link_params *p)
{
	port->cable = *p;
	if (port_has_cable(port)) {
		link_set_params(&port->up, p);
		link_set_params(&port->down, p);
	}
}

/* The timer works for the cable or for the station, and only one of them is there. */
static void port_make_cable(struct port *port)
{
	struct host *host = port->dev->net->machine->host;
	char name[160];

	snprintf(name, sizeof(name), "cable:%u:%s", port->dev->net->id, port->dev->name);
	link_init(&port->up, port->dev->cpu, host, name, cable_up_deliver);
	strcat(name, ":down");
	link_init(&port->down, port->dev->cpu, host, name, cable_down_deliver);
	link_set_params(&port->up, &port->cable);
	link_set_params(&port->down, &port->cable);
	hrtimer_setup(&port->timer, cable_timer);
}

int port_cable(struct port *a, struct port *b)
{
	if (a->dev->cpu != b->dev->cpu)
		return -EOPNOTSUPP;
	if (a->peer || b->peer || a->medium || b->medium)
		return -EBUSY;
	cpu_lock(a->dev->cpu);
	a->peer = b;
	b->peer = a;
	port_make_cable(a);
	port_make_cable(b);
	cpu_unlock(a->dev->cpu);
	return 0;
}

static void ports_number(struct medium *m)
{
	struct port *p;
	u32 i = 0;

	list_for_each_entry(p, &m->ports, node)
		p->index = i++;
	m->nr_ports = i;
	if (m->token_pos >= i)
		m->token_pos = 0;
}

int port_plug(struct port *port, struct net_device *dev)
{
	struct medium *m = medium_priv(dev);

	if (!is_medium(dev))
		return -EINVAL;
	if (port->dev->cpu != dev->cpu)
		return -EOPNOTSUPP;
	cpu_lock(dev->cpu);
	port->medium = m;
	port->state = STATION_IDLE;
	port->collide_at = HOST_FOREVER;
	list_add_tail(&port->node, &m->ports);
	ports_number(m);
	if (m->ops == &switch_ops)
		port_make_cable(port);
	else
		hrtimer_setup(&port->timer, hub_timer);
	cpu_unlock(dev->cpu);
	return 0;
}

/* Nothing of the port is under way any more. */
static void port_quiet(struct port *port)
{
	if (port_has_cable(port)) {
		hrtimer_cancel(port->dev->cpu, &port->timer);
		link_purge(&port->up);
		link_purge(&port->down);
	}
	if (port->medium) {
		port->medium->ops->leave(port);
		line_forget(port->medium, port);
	}
	kfree_skb_reason(port->frame, SKB_DROP_DEV_DOWN);
	port->frame = NULL;
	port->collisions = 0;
}

void port_unplug(struct port *port)
{
	struct medium *m = port->medium;

	port_quiet(port);
	if (port->peer) {
		struct port *peer = port->peer;

		peer->peer = NULL;
		port->peer = NULL;
		hrtimer_cancel(peer->dev->cpu, &peer->timer);
		link_purge(&peer->up);
		netif_carrier_off(peer->dev);
		port_sent(peer, PORT_NO_CARRIER);
	}
	if (m) {
		list_del(&port->node);
		list_init(&port->node);
		ports_number(m);
		port->medium = NULL;
	}
	netif_carrier_off(port->dev);
}

void port_open(struct port *port)
{
	if (port->medium && netif_running(port->medium->dev)) {
		netif_carrier_on(port->dev);
	} else if (port->peer && netif_running(port->peer->dev)) {
		netif_carrier_on(port->dev);
		netif_carrier_on(port->peer->dev);
	}
}

void port_reset(struct port *port)
{
	port_quiet(port);
}

void port_stop(struct port *port)
{
	port_quiet(port);
	netif_carrier_off(port->dev);
	if (port->peer)
		netif_carrier_off(port->peer->dev);
}

/* ---- the device of a medium ------------------------------------------------------------------------------- */

static enum netdev_tx medium_dev_xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev->stats.tx_dropped++;
	kfree_skb_reason(skb, SKB_DROP_MEDIUM_NO_HOST);
	return NETDEV_TX_OK;
}

static int medium_dev_init(struct net_device *dev)
{
	struct medium *m = medium_priv(dev);

	random_seed(m->rng, host_seed(dev, m->ops->kind));
	return m->ops->init ? m->ops->init(m) : 0;
}

static int medium_dev_open(struct net_device *dev)
{
	struct port *p;

	list_for_each_entry(p, &medium_priv(dev)->ports, node) {
		if (netif_running(p->dev))
			netif_carrier_on(p->dev);
	}
	return 0;
}

static int medium_dev_stop(struct net_device *dev)
{
	struct medium *m = medium_priv(dev);
	struct port *p;

	list_for_each_entry(p, &m->ports, node)
		netif_carrier_off(p->dev);
	list_for_each_entry(p, &m->ports, node) {
		port_quiet(p);
		if (netif_running(p->dev))
			port_sent(p, PORT_NO_CARRIER);
	}
	return 0;
}

static void medium_dev_uninit(struct net_device *dev)
{
	struct medium *m = medium_priv(dev);

	cpu_lock(dev->cpu);
	while (!list_empty(&m->ports))
		port_unplug(list_first_entry(&m->ports, struct port, node));
	line_forget(m, NULL);
	hrtimer_cancel(dev->cpu, &m->token_timer);
	if (m->ops->fini)
		m->ops->fini(m);
	cpu_unlock(dev->cpu);
}

static void medium_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	const struct medium_stats *st = &medium_priv(dev)->stats;

	s->rx_packets += st->frames;
	s->rx_bytes += st->octets;
	s->collisions += st->collisions;
	s->tx_aborted_errors += st->aborted;
	s->rx_crc_errors += st->fcs_errors;
}

static const struct net_device_ops medium_dev_ops = {
	.ndo_init = medium_dev_init,
	.ndo_uninit = medium_dev_uninit,
	.ndo_open = medium_dev_open,
	.ndo_stop = medium_dev_stop,
	.ndo_start_xmit = medium_dev_xmit,
	.ndo_get_stats64 = medium_get_stats64,
};

#define MEDIUM_STAT(name_) ETHTOOL_OWN_STAT(#name_, struct medium_stats, name_)

static const struct ethtool_stat medium_stats[] = {
	MEDIUM_STAT(frames),   MEDIUM_STAT(octets),   MEDIUM_STAT(collisions),
	MEDIUM_STAT(aborted),  MEDIUM_STAT(deferred), MEDIUM_STAT(flooded),
	MEDIUM_STAT(filtered), MEDIUM_STAT(learned),  MEDIUM_STAT(fcs_errors),
	MEDIUM_STAT(tokens),
};

static const void *medium_stats_own(struct net_device *dev)
{
	return &medium_priv(dev)->stats;
}

#define MEDIUM_ETHTOOL_OPS(kind_)                                                                  \
	{                                                                                          \
		.driver = (kind_), .stats = medium_stats, .nr_stats = ARRAY_SIZE(medium_stats),    \
		.stats_own = medium_stats_own, .get_link = ethtool_op_get_link                     \
	}

static const struct ethtool_ops hub_ethtool_ops = MEDIUM_ETHTOOL_OPS("hub");
static const struct ethtool_ops switch_ethtool_ops = MEDIUM_ETHTOOL_OPS("switch");
static const struct ethtool_ops token_ethtool_ops = MEDIUM_ETHTOOL_OPS("token");

static void medium_setup(struct net_device *dev, const struct medium_ops *ops,
			 const struct ethtool_ops *ethtool_ops,
			 const struct rtnl_link_ops *link_ops)
{
	struct medium *m = medium_priv(dev);

	dev->netdev_ops = &medium_dev_ops;
	dev->ethtool_ops = ethtool_ops;
	dev->rtnl_link_ops = link_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_NOARP;
	dev->mtu = ETH_DATA_LEN;
	dev->max_mtu = ETH_MAX_MTU;
	dev->features = NETIF_F_LLTX |
			NETIF_F_NETNS_LOCAL; /* its ports' lists and timers stay where they are */
	dev->default_qdisc = &noqueue_qdisc_ops;
	m->dev = dev;
	m->ops = ops;
	m->p = ops->defaults;
	list_init(&m->ports);
	skb_queue_head_init(&m->line);
	hrtimer_setup(&m->line_timer, line_timer);
}

static void hub_setup(struct net_device *dev)
{
	medium_setup(dev, &hub_ops, &hub_ethtool_ops, &hub_link_ops);
}

static void switch_setup(struct net_device *dev)
{
	medium_setup(dev, &switch_ops, &switch_ethtool_ops, &switch_link_ops);
}

static void token_setup(struct net_device *dev)
{
	medium_setup(dev, &token_ops, &token_ethtool_ops, &token_link_ops);
}

static int medium_set_params(struct net_device *dev, const struct medium_params *p,
			     struct netlink_ext_ack *extack)
{
	struct medium *m = medium_priv(dev);
	const char *why = NULL;
	int err = m->ops->check ? m->ops->check(p, &why) : 0;

	if (err) {
		nl_set_err_msg(extack, "%s", why);
		return err;
	}
	cpu_lock(dev->cpu);
	m->p = *p;
	cpu_unlock(dev->cpu);
	return 0;
}

struct net_device *medium_create(struct net *net, const char *name, const char *kind,
				 const struct medium_params *p, int *ret_err)
{
	void (*setup)(struct net_device * dev) = !strcmp(kind, "hub")      ? hub_setup
						 : !strcmp(kind, "switch") ? switch_setup
									   : token_setup;
	struct net_device *dev = alloc_netdev(net, sizeof(struct medium), name, setup, 1);

	if (!dev) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	*ret_err = p ? medium_set_params(dev, p, NULL) : 0;
	if (!*ret_err)
		*ret_err = register_netdevice(dev);
	if (!*ret_err)
		return dev;
	free_netdev(dev);
	return NULL;
}

/* ---- netlink --------------------------------------------------------------------------------------------------- */

static const struct nla_policy medium_policy[WEIR_MEDIUM_MAX + 1] = {
	[WEIR_MEDIUM_RATE_BPS] = { NLA_K_U64, .min = 1000, .max = 1000000000000ULL,
				   .help = "bit/s of a shared medium" },
	[WEIR_MEDIUM_DELAY_NS] = { NLA_K_U64, .max = NSEC_PER_SEC,
				   .help = "propagation between stations" },
	[WEIR_MEDIUM_HOLD_NS] = { NLA_K_U64, .max = 10 * NSEC_PER_SEC,
				  .help = "how long a station may keep the token" },
	[WEIR_MEDIUM_AGEING_NS] = { NLA_K_U64, .min = 1, .max = 1000000 * NSEC_PER_SEC,
				    .help = "a switch forgets a silent station" },
};

static void put_u64(const struct nlattr *a, u64 *v)
{
	if (a)
		*v = nla_get_u64(a);
}

static int medium_changelink(struct net_device *dev, const struct nlattr **tb,
			     const struct nlattr **data, struct netlink_ext_ack *extack)
{
	struct medium_params p = medium_priv(dev)->p;

	if (!data)
		return 0;
	put_u64(data[WEIR_MEDIUM_RATE_BPS], &p.rate_bps);
	put_u64(data[WEIR_MEDIUM_DELAY_NS], &p.delay_ns);
	put_u64(data[WEIR_MEDIUM_HOLD_NS], &p.hold_ns);
	put_u64(data[WEIR_MEDIUM_AGEING_NS], &p.ageing_ns);
	return medium_set_params(dev, &p, extack);
}

static int medium_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
			  const struct nlattr **data, struct netlink_ext_ack *extack)
{
	int err = medium_changelink(dev, tb, data, extack);

	return err ? err : register_netdevice(dev);
}

static void medium_fill_info(struct nl_msg *m, const struct net_device *dev)
{
	const struct medium *md = medium_priv(dev);

	nla_put_u64(m, WEIR_MEDIUM_RATE_BPS, md->p.rate_bps);
	nla_put_u64(m, WEIR_MEDIUM_DELAY_NS, md->p.delay_ns);
	nla_put_u64(m, WEIR_MEDIUM_HOLD_NS, md->p.hold_ns);
	nla_put_u64(m, WEIR_MEDIUM_AGEING_NS, md->p.ageing_ns);
	nla_put_u64(m, WEIR_MEDIUM_STAT_FRAMES, md->stats.frames);
	nla_put_u64(m, WEIR_MEDIUM_STAT_OCTETS, md->stats.octets);
	nla_put_u64(m, WEIR_MEDIUM_STAT_COLLISIONS, md->stats.collisions);
	nla_put_u64(m, WEIR_MEDIUM_STAT_ABORTED, md->stats.aborted);
	nla_put_u64(m, WEIR_MEDIUM_STAT_DEFERRED, md->stats.deferred);
	nla_put_u64(m, WEIR_MEDIUM_STAT_FLOODED, md->stats.flooded);
	nla_put_u64(m, WEIR_MEDIUM_STAT_LEARNED, md->stats.learned);
	nla_put_u64(m, WEIR_MEDIUM_STAT_TOKENS, md->stats.tokens);
}

#define MEDIUM_LINK_OPS(kind_)                                                                     \
	const struct rtnl_link_ops kind_##_link_ops = {                                            \
		.kind = #kind_,                                                                    \
		.priv_size = sizeof(struct medium),                                                \
		.setup = kind_##_setup,                                                            \
		.policy = medium_policy,                                                           \
		.maxtype = WEIR_MEDIUM_MAX,                                                        \
		.newlink = medium_newlink,                                                         \
		.changelink = medium_changelink,                                                   \
		.fill_info = medium_fill_info,                                                     \
	}

MEDIUM_LINK_OPS(hub);
MEDIUM_LINK_OPS(switch);
MEDIUM_LINK_OPS(token);
