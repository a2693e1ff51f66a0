/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.c - a device whose cable ends in the program that embeds the stack
 *
 * Theory of operation
 *   Two bounded rings. port_input() puts a copy of the program's frame on the receive ring and schedules the napi, as the card's interrupt
 *   would. Transmission puts frames on the other ring, where port_output() finds them; a full ring stops the queue of the device, and
 *   taking one starts it again, so that a slow program fills the qdisc and then the sockets behind it, and costs no more memory.
 *   Whoever waits in port_output() is woken after the cpu lock was released; a program that does not wait learns from weir_run(), as of
 *   an epoll that became ready. No function of the program's is called.
 *   With PORT_GSO the device offers what a card with TSO does, and nothing is cut: the octets of a big segment are handed over as they
 *   are, and only its checksum is completed, in the program's copy. In the other direction the MTU does not count, as behind a card
 *   that merges segments.
 * Invariants
 *   port->dev != NULL <=> the device is registered and will find its port.
 * Locking: the cpu lock; rtnl to make and remove.
 */
#include "drivers/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "core/machine.h"
#include "core/netdevice.h"
#include "core/vnet.h"
#include "core/wait.h"
#include "core/zerocopy.h"
#include "drivers/drivers_internal.h"
#include "drivers/frame.h"
#include "lib/csum.h"
#include "netlink/netlink.h"
#include "wire/ethernet.h"
#include "wire/ipv4.h"
#include "wire/ipv6.h"

#include <net/if_arp.h> /* behind netdevice.h: it has a MAX_ADDR_LEN of its own */

#define PORT_RX_RING  1024
#define PORT_TX_QUEUE 256
#define PORT_TXQ_LEN  1000

#define TCP_HLEN        20u
#define TCP_CSUM_OFFSET 16u

#define PORT_GSO_FEATURES                                                                          \
	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM | NETIF_F_TSO |         \
	 NETIF_F_TSO6)

struct port {
	struct cpu *cpu;
	struct machine *machine;
	struct net_device *dev; /* NULL: gone */
	u32 tx_max;
	u32 flags; /* PORT_* */
	struct sk_buff_head tx, rx;
	struct napi_struct napi;
	struct wait_queue_head wait; /* in port_output() */
};

struct port_priv {
	struct port *port; /* NULL: not joined to one */
};

static struct port *dev_port(const struct net_device *dev)
{
	return ((struct port_priv *)netdev_priv(dev))->port;
}

/* ---- to the program --------------------------------------------------------------------------------------- */

/* For weir_run(): the first event since it looked wakes it. */
static void port_tell(struct port *port)
{
	struct machine *m = port->machine;

	wake_up(port->cpu, &port->wait, EPOLLIN);
	if (!__atomic_load_n(&m->event_pending, __ATOMIC_RELAXED) &&
	    !__atomic_exchange_n(&m->event_pending, 1, __ATOMIC_ACQ_REL))
		machine_kick(m);
}

static enum netdev_tx port_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct port *port = dev_port(dev);

	skb = skb_orphan_frags_rx(skb); /* it waits here for as long as the program likes */
	if (unlikely(!skb))
		return NETDEV_TX_OK;
	trace_skb(skb, dev->net, TP_port_xmit, TRACE_QUEUED, port->tx.qlen, 0);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	skb_queue_tail(&port->tx, skb);
	if (port->tx.qlen >= port->tx_max)
		netif_tx_stop_queue(dev->tx);
	if (port->tx.qlen == 1)
		port_tell(port);
	return NETDEV_TX_OK;
}

static struct sk_buff *port_take(struct port *port)
{
	struct sk_buff *skb = skb_dequeue(&port->tx);

	if (skb && netif_xmit_stopped(port->dev->tx) && port->tx.qlen <= port->tx_max / 2)
		netif_tx_wake_queue(port->dev->tx);
	return skb;
}

/* Sleeps until there is a frame. Lock held. 0 or -errno */
static int port_wait(struct port *port, u64 timeout_ns)
{
	const u64 now = port->cpu->now;
	const u64 deadline = timeout_ns >= HOST_FOREVER - now ? HOST_FOREVER : now + timeout_ns;
	struct wait_entry w;
	int err;

	err = wait_entry_init(port->cpu, &w);
	if (err)
		return err;
	add_wait_queue(&port->wait, &w);
	while (port->dev && skb_queue_empty(&port->tx) && !err)
		err = wait_schedule(port->cpu, &w, deadline);
	remove_wait_queue(&w);
	wait_entry_fini(port->cpu, &w);
	return err;
}

/* The field holds the sum of the pseudo header: of the whole of a big segment, as TCP leaves it. */
static void finish_checksum(const struct sk_buff *skb, u8 *octets)
{
	u32 start = (u32)skb_checksum_start_offset(skb);
	u16 field = csum_fold(csum_partial(octets + start, skb->len - start, 0));

	if (!field) /* RFC 768: 0 means none; both zeros are the same number */
		field = 0xffff;
	memcpy(octets + start + skb->csum_offset, &field, sizeof(field));
}

s64 port_output(struct port *port, void *buf, size_t size, u64 timeout_ns)
{
	struct sk_buff *skb;
	s64 n = 0;

	cpu_lock(port->cpu);
	if (port->dev && skb_queue_empty(&port->tx))
		n = timeout_ns ? port_wait(port, timeout_ns) : -EAGAIN;
	if (!n && !port->dev)
		n = -ENODEV;
	if (n)
		goto out;
	skb = port_take(port);
	if (!skb) { /* another thread was faster */
		n = -EAGAIN;
		goto out;
	}
	n = skb->len <= size ? (s64)skb->len : -EMSGSIZE;
	if (n > 0 && skb_copy_bits(skb, 0, buf, skb->len))
		n = -ENOMEM;
	if (n > 0 && skb->ip_summed == CHECKSUM_PARTIAL)
		finish_checksum(skb, buf);
	if (n > 0)
		consume_skb(skb);
	else
		kfree_skb_reason(skb, SKB_DROP_PORT_TOO_LONG);
out:
	cpu_unlock(port->cpu);
	return n;
}

/* ---- from the program -------------------------------------------------------------------------------------- */

static void port_receive(struct port *port, struct sk_buff *skb)
{
	struct net_device *dev = port->dev;

	trace_skb(skb, dev->net, TP_port_poll, TRACE_PASS, port->rx.qlen, 0);
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	if (!dev->header_ops) {
		skb->protocol =
			cpu_to_be16(skb->data[0] >> 4 == 6 ? (u16)ETH_P_IPV6 : (u16)ETH_P_IP);
		skb_reset_mac_header(skb);
		gro_normal_one_of(&port->napi, skb, !skb_queue_empty(&port->rx));
		return;
	}
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	napi_gro_receive(&port->napi, skb);
}

static int port_poll(struct napi_struct *napi, int budget)
{
	struct port *port = container_of(napi, struct port, napi);
	int work = 0;

	while (work < budget && !skb_queue_empty(&port->rx)) {
		port_receive(port, skb_dequeue(&port->rx));
		work++;
	}
	if (work < budget)
		napi_complete_done(napi, work);
	return work;
}

static int port_accepts(const struct port *port, const u8 *frame, size_t len)
{
	const struct net_device *dev = port->dev;
	u32 mtu;

	if (!dev)
		return -ENODEV;
	if (!netif_running(dev))
		return -ENETDOWN;
	mtu = port->flags & PORT_GSO ? ETH_MAX_MTU : dev->mtu;
	if (len > mtu + dev->hard_header_len + 8u) /* two VLAN tags */
		return -EMSGSIZE;
	if (dev->header_ops ? len < ETH_HLEN : !len || (frame[0] >> 4 != 4 && frame[0] >> 4 != 6))
		return -EINVAL;
	return port->rx.qlen < PORT_RX_RING ? 0 : -ENOBUFS;
}

/* The sum of the pseudo header takes the checksum's place, as in a segmentation unit of ours: it may be cut again. Where TCP begins; 0: not IP */
static u32 port_pseudo_sum(struct sk_buff *skb, u32 l2_len, bool *ret_v6)
{
	const u8 *ip = skb->data + l2_len;
	u32 start = l2_len + sizeof(struct ipv6_hdr), sum;
	u16 field;

	if (skb_headlen(skb) < l2_len + sizeof(struct ip_hdr) + TCP_HLEN)
		return 0;
	*ret_v6 = ip[0] >> 4 == 6;
	if (*ret_v6) {
		const struct ipv6_hdr *h = (const struct ipv6_hdr *)ip;

		if (skb_headlen(skb) < start + TCP_HLEN)
			return 0;
		sum = csum_ipv6_nofold(&h->saddr, &h->daddr, skb->len - start, IPPROTO_TCP, 0);
	} else {
		const struct ip_hdr *h = (const struct ip_hdr *)ip;

		start = l2_len + ip_hdr_len(h);
		if (start + TCP_HLEN > skb_headlen(skb))
			return 0;
		sum = csum_tcpudp_nofold(h->saddr, h->daddr, skb->len - start, IPPROTO_TCP, 0);
	}
	field = (u16)~csum_fold(sum);
	memcpy(skb->data + start + TCP_CSUM_OFFSET, &field, sizeof(field));
	return start;
}

/* A header that says what the program does: the segments of @skb are @gso_size octets long. 0 or -EINVAL */
static int port_set_gso(struct sk_buff *skb, u32 gso_size)
{
	const u32 l2_len = skb->dev->hard_header_len;
	struct virtio_net_view v = { .needs_csum = true, .csum_offset = TCP_CSUM_OFFSET };
	u8 vnet[VIRTIO_NET_HEADER_LEN];
	bool v6;

	v.csum_start = (u16)port_pseudo_sum(skb, l2_len, &v6);
	if (!v.csum_start || gso_size > UINT16_MAX)
		return -EINVAL;
	v.gso_type = v6 ? VIRTIO_GSO_TCPV6 : VIRTIO_GSO_TCPV4;
	v.gso_size = (u16)gso_size;
	virtio_net_build(vnet, &v);
	return virtio_net_hdr_to_skb(skb, vnet, l2_len);
}

/* Lock held. Puts a copy on the ring. @gso_size: 0: one segment. 0 or -errno */
static int port_queue(struct port *port, const void *frame, size_t len, u32 gso_size)
{
	struct sk_buff *skb = frame_copy_in(port->dev, frame, (u32)len);

	if (!skb)
		return -ENOBUFS;
	if (gso_size && port_set_gso(skb, gso_size)) {
		consume_skb(skb);
		return -EINVAL;
	}
	skb_queue_tail(&port->rx, skb);
	if (!(port->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&port->napi);
	return 0;
}

int port_input_merged(struct port *port, const void *frame, size_t len, u32 gso_size)
{
	int err;

	cpu_lock(port->cpu);
	err = port_accepts(port, frame, len);
	if (!err)
		err = port_queue(port, frame, len, gso_size);
	if (err == -ENOBUFS)
		port->dev->stats.rx_dropped++;
	else if (err && port->dev)
		port->dev->stats.rx_errors++;
	cpu_unlock(port->cpu);
	return err;
}

int port_input(struct port *port, const void *frame, size_t len)
{
	return port_input_merged(port, frame, len, 0);
}

/* ---- device operations ------------------------------------------------------------------------------------- */

static int port_init(struct net_device *dev)
{
	struct port *port = dev_port(dev);

	netif_napi_add(dev, &port->napi, port_poll);
	port->dev = dev;
	return 0;
}

static void port_uninit(struct net_device *dev)
{
	struct port *port = dev_port(dev);

	cpu_lock(dev->cpu);
	skb_queue_purge_reason(&port->rx, SKB_DROP_NET_EXIT);
	skb_queue_purge_reason(&port->tx, SKB_DROP_NET_EXIT);
	netif_napi_del(&port->napi);
	port->dev = NULL;
	port_tell(port);
	cpu_unlock(dev->cpu);
}

static int port_open(struct net_device *dev)
{
	napi_enable(&dev_port(dev)->napi);
	netif_tx_wake_queue(dev->tx);
	return 0;
}

static int port_stop(struct net_device *dev)
{
	struct port *port = dev_port(dev);

	napi_disable(&port->napi);
	skb_queue_purge_reason(&port->rx, SKB_DROP_DEV_DOWN);
	skb_queue_purge_reason(&port->tx, SKB_DROP_DEV_DOWN);
	return 0;
}

static int port_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

static const struct net_device_ops port_ops = {
	.ndo_init = port_init,
	.ndo_uninit = port_uninit,
	.ndo_open = port_open,
	.ndo_stop = port_stop,
	.ndo_start_xmit = port_xmit,
	.ndo_set_mac_address = port_set_mac,
};

static void port_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &port_ops;
	dev->rtnl_link_ops = &port_link_ops;
	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA;
	dev->max_mtu = ETH_MAX_MTU - ETH_HLEN;
	dev->tx_queue_len = PORT_TXQ_LEN;
	dev->live_addr_change = true;
}

static void port_setup_layer3(struct net_device *dev)
{
	dev->header_ops = NULL;
	dev->type = ARPHRD_NONE;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	memset(dev->broadcast, 0, sizeof(dev->broadcast));
}

int port_create(struct net *net, const char *name, u32 flags, u32 queue, struct port **ret_port)
{
	struct net_device *dev = alloc_netdev(net, sizeof(struct port_priv), name, port_setup, 1);
	struct port *port = calloc(1, sizeof(*port));
	int err = -ENOMEM;

	if (!dev || !port)
		goto out;
	port->cpu = net->cpu;
	port->machine = net->machine;
	port->flags = flags;
	port->tx_max = queue ? queue : PORT_TX_QUEUE;
	skb_queue_head_init(&port->tx);
	skb_queue_head_init(&port->rx);
	init_waitqueue_head(&port->wait);
	((struct port_priv *)netdev_priv(dev))->port = port;
	if (flags & PORT_GSO)
		dev->features = dev->hw_features = PORT_GSO_FEATURES;
	if (flags & PORT_L3)
		port_setup_layer3(dev);
	else
		eth_hw_addr_random(dev);
	err = register_netdevice(dev);
	if (err)
		goto out;
	*ret_port = port;
	return 0;
out:
	free_netdev(dev);
	free(port);
	return err;
}

void port_destroy(struct port *port)
{
	if (!port)
		return;
	rtnl_lock(port->machine);
	if (port->dev)
		unregister_netdevice(port->dev);
	rtnl_unlock(port->machine);
	free(port);
}

/* ---- netlink ----------------------------------------------------------------------------------------------- */

static int port_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
			const struct nlattr **data, struct netlink_ext_ack *extack)
{
	nl_set_err_msg(extack, "a port ends in the program that embeds the stack, which alone can "
			       "make one");
	return -EOPNOTSUPP;
}

const struct rtnl_link_ops port_link_ops = {
	.kind = "port",
	.priv_size = sizeof(struct port_priv),
	.setup = port_setup,
	.newlink = port_newlink,
};
