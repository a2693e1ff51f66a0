/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * afpacket.c - a device over an interface of the host, by packet sockets with rings (TPACKET_V3)
 *
 * Theory of operation
 *   Receive. The kernel copies frames into blocks of a ring that is mapped here, and gives a whole block over when it is full or a
 *   millisecond old. A watch of the host's (host.h) plays the interrupt for the first block; poll() then takes frames and
 *   blocks without a system call for as long as there are any. Ordinary frames are copied into an skb, and a block goes back to the
 *   kernel with its last frame. What is longer (segments that the host has merged, or that were never cut) is lent: all but its headers stays
 *   where it is as a fragment, and the block goes back when the last skb that points into it has gone. No more than half of the blocks
 *   are lent out, so that a program that does not read cannot starve the ring; beyond that, long frames are copied too.
 *   In front of each frame is a virtio-net header (wire/virtio_net.h): checksums that were never finished and big segments come whole.
 *   VLAN tags are beside the octets, in the ring as in the skb.
 *
 *   A filter in the kernel (setsockopt SO_ATTACH_FILTER) lets through what is for the device's address or for many, unless the device
 *   is promiscuous: the host's own traffic does not fill the ring. Memberships make the host's card receive the device's address and multicast
 *   groups. What the host sends is not seen: as with macvlan, host and device cannot talk over the host's interface itself.
 *
 *   Transmit. Frames of ordinary size are put into a ring; one system call sends all that are there, when the softirqs that wrote them are
 *   through (poll() is what comes next), or tx_usecs later if there is such an option. Frames that do not fit into a slot go by sendmsg() on a second socket, head area and fragments in one
 *   call, after what is in the ring: a slot for 64 KiB would save no copy, as a receiver on the same host must copy out of a ring.
 *   A full ring or socket stops the queue; the watch wakes it. The kernel says nothing of frames that its queueing discipline drops.
 *
 *   hostif.c tells of carrier and MTU. Fanout: devices of several instances or processes that join the same group share the frames; they have
 *   one address then (addr=host), as the kernel chooses the socket before the filter.
 * Invariants
 *   block->page.refcount > 0 <=> the block is ours; then either it is the one that is being read, or something of it is lent.
 *   The ring outlives the device while blocks are lent.
 * Locking: the cpu lock; rtnl to make and remove. afpacket_ready() runs in a thread of the host's without a lock.
 * See packet(7), Documentation/networking/packet_mmap of the kernel's uapi header linux/if_packet.h.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/ethtool.h"
#include "core/machine.h"
#include "core/vnet.h"
#include "drivers/drivers_internal.h"
#include "drivers/frame.h"
#include "drivers/host_dev.h"
#include "drivers/hostif.h"
#include "host/host.h"
#include "netlink/netlink.h"
#include "wire/ethernet.h"

#include <net/if_arp.h> /* behind netdevice.h: it has a MAX_ADDR_LEN of its own */

#define RX_BLOCK     (256u << 10) /* two of the largest frames */
#define TX_FRAME     2048u
#define TX_BLOCK     (64u << 10)
#define TX_DATA_OFF  TPACKET_ALIGN(sizeof(struct tpacket3_hdr))
#define TX_ROOM      (TX_FRAME - TX_DATA_OFF - VIRTIO_NET_HEADER_LEN)
#define TX_VECTORS   (2 + MAX_SKB_FRAGS)
#define SEND_BUFFER  (8 << 20)
#define RETIRE_MS    1
#define TX_BATCH     64 /* as many are sent without waiting for more */
#define MAX_MEMBERS  64
#define RETRY_NS     (10 * NSEC_PER_MSEC) /* the kernel had no memory for what is in the ring */
#define AFPACKET_TXQ 1000

enum { ADDR_OWN, ADDR_HOST };

struct afpacket_config {
	u32 rx_blocks, tx_frames;
	u32 fanout; /* 0: none */
	u32 fanout_mode;
	u32 addr;
	u32 qdisc_bypass;
	u32 tx_usecs;
};

struct afpacket_block {
	struct page page;
	struct afpacket_ring *ring;
	struct tpacket_block_desc *desc;
	bool lent;
};

/* The mapped memory and its socket. */
struct afpacket_ring {
	int fd;
	u8 *map;
	size_t map_len;
	u32 refs; /* the device, and each block that is not the kernel's */
	u32 nr_blocks, nr_lent;
	u32 tx_frames;
	struct afpacket_block blocks[];
};

/* Of the driver's own, for ethtool -S */
struct afpacket_stats {
	u64 rx_blocks, rx_lent, rx_kernel_drops, rx_freezes;
	u64 tx_kicks, tx_big, tx_ring_full;
};

struct membership {
	u16 type; /* PACKET_MR_*; 0: none */
	u8 addr[ETH_ALEN];
	bool wanted;
};

struct afpacket_socket { /* what is between afpacket_ready() and the cpu */
	struct net_device *dev;
	int fd; /* of the ring's socket: the ring's */
	struct host_watch *watch;
	struct cpu_work work;
	u32 queued; /* atomic */
	u32 armed;  /* HOST_WATCH_* that were asked for */
};

struct afpacket_priv {
	struct napi_struct napi;
	struct afpacket_ring *ring;

	/* receive */
	u32 rx_block;                      /* the next one, or the one that is being read */
	u32 rx_left;                       /* frames of it */
	const struct tpacket3_hdr *rx_hdr; /* the next of them */

	/* transmit */
	u32 tx_next;    /* slot */
	u32 tx_unsent;  /* frames that the kernel does not know of */
	u64 tx_wait_ns; /* so long they may wait for more; 0: they do not */
	struct hrtimer tx_timer;
	struct timer_list retry;

	struct afpacket_socket in, big;
	struct hostif host;
	struct membership members[MAX_MEMBERS];
	struct afpacket_stats stats;
};

static struct afpacket_priv *afpacket_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- the ring ------------------------------------------------------------------------------------------- */

static void ring_put(struct afpacket_ring *ring)
{
	if (--ring->refs)
		return;
	if (ring->map)
		munmap(ring->map, ring->map_len);
	if (ring->fd >= 0)
		close(ring->fd);
	free(ring);
}

/* The last reference to something in the block has gone. */
static void block_release(struct page *page)
{
	struct afpacket_block *b = container_of(page, struct afpacket_block, page);

	b->ring->nr_lent -= b->lent;
	b->lent = false;
	__atomic_store_n(&b->desc->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ring_put(b->ring);
}

static bool block_is_full(const struct afpacket_block *b)
{
	return __atomic_load_n(&b->desc->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

/* ---- the watches ---------------------------------------------------------------------------------------- */

static void socket_arm(struct afpacket_socket *s, u32 events)
{
	if ((s->armed & events) == events)
		return;
	s->armed |= events;
	s->dev->net->machine->host->ops->watch_arm(s->watch, s->armed);
}

/* A thread of the host's: the "interrupt line". */
static void afpacket_ready(void *arg)
{
	struct afpacket_socket *s = arg;

	if (!__atomic_exchange_n(&s->queued, 1, __ATOMIC_ACQ_REL))
		cpu_queue_work(s->dev->cpu, &s->work);
}

static void afpacket_interrupt(struct cpu *cpu, struct cpu_work *w)
{
	struct afpacket_socket *s = container_of(w, struct afpacket_socket, work);
	struct afpacket_priv *priv = afpacket_priv(s->dev);
	int err;
	socklen_t len = sizeof(err);

	__atomic_store_n(&s->queued, 0, __ATOMIC_RELEASE);
	s->armed = 0;
	/* ENETDOWN when the interface goes down: hostif.c tells of it. Unread, it would wake the watch for ever. */
	(void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!netif_running(s->dev))
		return;
	if (netif_xmit_stopped(s->dev->tx))
		netif_tx_wake_queue(s->dev->tx);
	if (!(priv->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&priv->napi);
}

/* 0 or -errno */
static int socket_watch(struct afpacket_socket *s, struct net_device *dev)
{
	struct host *host = dev->net->machine->host;

	s->dev = dev;
	s->work.fn = afpacket_interrupt;
	s->watch = host->ops->watch_create(host, s->fd, afpacket_ready, s);
	return s->watch ? 0 : -errno;
}

static void socket_unwatch(struct afpacket_socket *s)
{
	s->dev->net->machine->host->ops->watch_free(s->watch);
	s->watch = NULL;
}

/* ---- receive --------------------------------------------------------------------------------------------- */

static struct sk_buff *afpacket_skb(struct afpacket_priv *priv, struct afpacket_block *b,
				    const u8 *octets, u32 len)
{
	struct afpacket_ring *ring = b->ring;
	struct sk_buff *skb;

	if (len <= FRAME_HEAD || (!b->lent && ring->nr_lent * 2 >= ring->nr_blocks))
		return frame_copy_in(priv->napi.dev, octets, len);
	skb = frame_lend_in(priv->napi.dev, &b->page, (u32)(octets - b->page.addr), len);
	if (skb) {
		ring->nr_lent += !b->lent;
		b->lent = true;
		priv->stats.rx_lent++;
	}
	return skb;
}

static void afpacket_receive(struct afpacket_priv *priv, struct sk_buff *skb, const u8 *vnet,
			     const struct tpacket3_hdr *h)
{
	struct net_device *dev = priv->napi.dev;
	skb_drop_reason_t reason = SKB_NOT_DROPPED;

	if (h->tp_snaplen < h->tp_len)
		reason = SKB_DROP_RING_SNAPPED;
	else if (skb->len < ETH_HLEN)
		reason = SKB_DROP_PKT_TOO_SMALL;
	else if (virtio_net_hdr_to_skb(skb, vnet, ETH_HLEN))
		reason = SKB_DROP_VNET_HDR;
	trace_skb(skb, dev->net, TP_afpacket_receive, TRACE_PASS, skb_shinfo(skb)->gso_size, 0);
	if (unlikely(reason)) {
		dev->stats.rx_errors++;
		dev->stats.rx_length_errors += reason == SKB_DROP_RING_SNAPPED;
		dev->stats.rx_frame_errors += reason != SKB_DROP_RING_SNAPPED;
		kfree_skb_reason(skb, reason);
		return;
	}
	if (h->tp_status & TP_STATUS_VLAN_VALID) {
		skb->vlan_present = 1;
		skb->vlan_tci = (u16)h->hv1.tp_vlan_tci;
		skb->vlan_proto =
			cpu_to_be16(h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->hv1.tp_vlan_tpid
									     : ETH_P_8021Q);
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	if (skb_is_gso(skb))
		netif_receive_skb(skb);
	else
		napi_gro_receive(&priv->napi, skb);
}

/* The next block becomes the one that is read. False: it is the kernel's. */
static bool block_begin(struct afpacket_priv *priv)
{
	struct afpacket_ring *ring = priv->ring;
	struct afpacket_block *b = &ring->blocks[priv->rx_block];

	if (b->page.refcount || !block_is_full(b))
		return false;
	b->page.refcount = 1;
	b->page.owner = priv->napi.cpu;
	ring->refs++;
	priv->stats.rx_blocks++;
	priv->rx_left = b->desc->hdr.bh1.num_pkts;
	priv->rx_hdr = (const void *)((u8 *)b->desc + b->desc->hdr.bh1.offset_to_first_pkt);
	return true;
}

static void block_end(struct afpacket_priv *priv)
{
	struct afpacket_block *b = &priv->ring->blocks[priv->rx_block];

	priv->rx_left = 0;
	priv->rx_block = (priv->rx_block + 1) % priv->ring->nr_blocks;
	page_put(&b->page);
}

static int rx_frames(struct afpacket_priv *priv, int budget)
{
	int work = 0;

	while (work < budget) {
		struct afpacket_block *b = &priv->ring->blocks[priv->rx_block];
		const struct tpacket3_hdr *h;
		const u8 *octets;
		struct sk_buff *skb;

		if (!priv->rx_left) {
			if (!block_begin(priv))
				break;
			if (!priv->rx_left) { /* without a frame: its time was up */
				block_end(priv);
				continue;
			}
		}
		h = priv->rx_hdr;
		octets = (const u8 *)h + h->tp_mac;
		skb = afpacket_skb(priv, b, octets, h->tp_snaplen);
		if (skb)
			afpacket_receive(priv, skb, octets - VIRTIO_NET_HEADER_LEN, h);
		else
			priv->napi.dev->stats.rx_dropped++;
		priv->rx_hdr = (const void *)((const u8 *)h + h->tp_next_offset);
		work += napi_work(priv->napi.dev, h->tp_snaplen);
		if (!--priv->rx_left)
			block_end(priv);
	}
	return work;
}

static void tx_flush(struct afpacket_priv *priv);

static int afpacket_poll(struct napi_struct *napi, int budget)
{
	struct afpacket_priv *priv = container_of(napi, struct afpacket_priv, napi);
	int work = rx_frames(priv, budget);

	tx_flush(priv);
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	tx_flush(priv); /* what the end of merging has caused */
	socket_arm(&priv->in, HOST_WATCH_READ);
	return work;
}

/* ---- transmit -------------------------------------------------------------------------------------------- */

static struct tpacket3_hdr *tx_slot(const struct afpacket_priv *priv, u32 i)
{
	const struct afpacket_ring *ring = priv->ring;

	return (struct tpacket3_hdr *)(ring->map + (size_t)ring->nr_blocks * RX_BLOCK +
				       (size_t)i * TX_FRAME);
}

static bool tx_slot_free(const struct tpacket3_hdr *h)
{
	return __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) == TP_STATUS_AVAILABLE;
}

/* All that is in the ring is the kernel's to send. False: it has not taken all of it. */
static bool tx_send_ring(struct afpacket_priv *priv)
{
	ssize_t n;

	if (!priv->tx_unsent)
		return true;
	priv->stats.tx_kicks++;
	do
		n = send(priv->in.fd, NULL, 0, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0 || (errno != EAGAIN && errno != ENOBUFS))
		priv->tx_unsent = 0;
	return !priv->tx_unsent;
}

static void tx_flush(struct afpacket_priv *priv)
{
	struct net_device *dev = priv->napi.dev;

	if (unlikely(!tx_send_ring(priv)))
		mod_timer(dev->cpu, &priv->retry, dev->cpu->now + RETRY_NS);
}

/* A frame was put into the ring: when is it sent? */
static void tx_expect_more(struct afpacket_priv *priv)
{
	struct net_device *dev = priv->napi.dev;

	if (priv->tx_wait_ns && priv->tx_unsent < TX_BATCH) {
		if (!hrtimer_active(&priv->tx_timer))
			(void)hrtimer_start(dev->cpu, &priv->tx_timer,
					    dev->cpu->now + priv->tx_wait_ns);
	} else if (priv->tx_wait_ns) {
		tx_flush(priv);
	} else if (!(priv->napi.state & NAPI_STATE_SCHED)) {
		napi_schedule(&priv->napi);
	}
}

static void tx_waited(struct cpu *cpu, struct hrtimer *t)
{
	struct afpacket_priv *priv = container_of(t, struct afpacket_priv, tx_timer);

	if (netif_running(priv->napi.dev))
		tx_flush(priv);
}

static enum netdev_tx tx_drop(struct sk_buff *skb, struct net_device *dev, skb_drop_reason_t reason)
{
	dev->stats.tx_errors++;
	dev->stats.tx_carrier_errors += reason == SKB_DROP_HOST_XMIT;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

static enum netdev_tx tx_done(struct sk_buff *skb, struct net_device *dev)
{
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

static enum netdev_tx tx_busy(struct net_device *dev, struct afpacket_socket *s)
{
	netif_tx_stop_queue(dev->tx);
	socket_arm(s, HOST_WATCH_WRITE | (s->armed & HOST_WATCH_READ));
	return NETDEV_TX_BUSY;
}

/* A frame that does not fit into a slot. */
static enum netdev_tx tx_big(struct afpacket_priv *priv, struct sk_buff *skb, const u8 *vnet)
{
	struct net_device *dev = priv->napi.dev;
	const struct skb_shared_info *sh = skb_shinfo(skb);
	struct iovec iov[TX_VECTORS];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t n;

	if (!tx_send_ring(priv))
		return tx_busy(dev, &priv->in); /* in order */
	iov[msg.msg_iovlen++] = (struct iovec){ (void *)vnet, VIRTIO_NET_HEADER_LEN };
	iov[msg.msg_iovlen++] = (struct iovec){ skb->data, skb_headlen(skb) };
	for (u32 i = 0; i < sh->nr_frags; i++)
		iov[msg.msg_iovlen++] =
			(struct iovec){ skb_frag_address(&sh->frags[i]), sh->frags[i].size };
	do
		n = sendmsg(priv->big.fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return tx_busy(dev, &priv->big);
	if (n < 0)
		return tx_drop(skb, dev, SKB_DROP_HOST_XMIT);
	priv->stats.tx_big++;
	return tx_done(skb, dev);
}

static enum netdev_tx afpacket_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);
	struct tpacket3_hdr *h = tx_slot(priv, priv->tx_next);
	u8 vnet[VIRTIO_NET_HEADER_LEN], *p = (u8 *)h + TX_DATA_OFF;

	trace_skb(skb, dev->net, TP_afpacket_xmit, TRACE_PASS, skb->len > TX_ROOM, 0);
	if (skb->len > hostif_mtu(&priv->host) + ETH_HLEN + VLAN_HLEN && !skb_is_gso(skb))
		return tx_drop(skb, dev, SKB_DROP_HOST_XMIT);
	if (virtio_net_hdr_from_skb(skb, vnet, sizeof(vnet)))
		return tx_drop(skb, dev, SKB_DROP_VNET_HDR);
	if (skb->len > TX_ROOM)
		return tx_big(priv, skb, vnet);
	if (!tx_slot_free(h)) {
		priv->stats.tx_ring_full++;
		tx_flush(priv);
		return tx_slot_free(h) ? afpacket_xmit(skb, dev) : tx_busy(dev, &priv->in);
	}
	memcpy(p, vnet, sizeof(vnet));
	if (skb_copy_bits(skb, 0, p + sizeof(vnet), skb->len))
		return tx_drop(skb, dev, SKB_DROP_NOMEM);
	h->tp_len = (u32)sizeof(vnet) + skb->len;
	h->tp_next_offset = 0;
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	priv->tx_next = (priv->tx_next + 1) % priv->ring->tx_frames;
	priv->tx_unsent++;
	tx_expect_more(priv);
	return tx_done(skb, dev);
}

static void afpacket_retry(struct cpu *cpu, struct timer_list *t)
{
	struct afpacket_priv *priv = container_of(t, struct afpacket_priv, retry);

	if (netif_running(priv->napi.dev))
		tx_flush(priv);
}

/* ---- which frames ----------------------------------------------------------------------------------------- */

/* What the host sends is not for us, nor, unless we are promiscuous, what is for other stations. */
static void set_filter(struct net_device *dev)
{
	const u8 *a = dev->dev_addr;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (u32)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 7, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 4, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 (u32)a[0] << 24 | (u32)a[1] << 16 | (u32)a[2] << 8 | a[3], 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (u32)a[4] << 8 | a[5], 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = ARRAY_SIZE(code), .filter = code };

	if (dev->flags & IFF_PROMISC) /* whatever the first octet is */
		code[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 4, 0, 0);
	(void)setsockopt(afpacket_priv(dev)->in.fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			 sizeof(prog));
}

static bool membership_ask(const struct afpacket_priv *priv, const struct membership *m, int option)
{
	struct packet_mreq mr = { .mr_ifindex = priv->host.ifindex,
				  .mr_type = m->type,
				  .mr_alen = ETH_ALEN };

	memcpy(mr.mr_address, m->addr, ETH_ALEN);
	return !setsockopt(priv->in.fd, SOL_PACKET, option, &mr, sizeof(mr));
}

/* False: there is no room, or the host does not want it. */
static bool membership_want(struct afpacket_priv *priv, u16 type, const u8 *addr)
{
	struct membership *free_row = NULL;

	for (u32 i = 0; i < MAX_MEMBERS; i++) {
		struct membership *m = &priv->members[i];

		if (!m->type) {
			free_row = free_row ? free_row : m;
		} else if (m->type == type && ether_addr_equal(m->addr, addr)) {
			m->wanted = true;
			return true;
		}
	}
	if (!free_row)
		return false;
	free_row->type = type;
	memcpy(free_row->addr, addr, ETH_ALEN);
	free_row->wanted = true;
	if (membership_ask(priv, free_row, PACKET_ADD_MEMBERSHIP))
		return true;
	free_row->type = 0;
	return false;
}

static void afpacket_set_rx_mode(struct net_device *dev)
{
	static const u8 none[ETH_ALEN];
	struct afpacket_priv *priv = afpacket_priv(dev);
	const struct netdev_hw_addr *ha;
	bool all = dev->flags & IFF_ALLMULTI;

	for (u32 i = 0; i < MAX_MEMBERS; i++)
		priv->members[i].wanted = false;
	if (!ether_addr_equal(dev->dev_addr, priv->host.addr))
		(void)membership_want(priv, PACKET_MR_UNICAST, dev->dev_addr);
	if (dev->flags & IFF_PROMISC)
		(void)membership_want(priv, PACKET_MR_PROMISC, none);
	list_for_each_entry(ha, &dev->mc, node)
		all |= !membership_want(priv, PACKET_MR_MULTICAST, ha->addr);
	/* Its row is there: with it full, one that is not wanted any more makes room below, and the next call finds it. */
	if (all)
		(void)membership_want(priv, PACKET_MR_ALLMULTI, none);
	for (u32 i = 0; i < MAX_MEMBERS; i++) {
		struct membership *m = &priv->members[i];

		if (m->type && !m->wanted) {
			(void)membership_ask(priv, m, PACKET_DROP_MEMBERSHIP);
			m->type = 0;
		}
	}
	set_filter(dev);
}

/* ---- device operations ------------------------------------------------------------------------------------ */

static int afpacket_init(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);
	int err;

	timer_setup(&priv->retry, afpacket_retry);
	hrtimer_setup(&priv->tx_timer, tx_waited);
	netif_napi_add(dev, &priv->napi, afpacket_poll);
	err = socket_watch(&priv->in, dev);
	if (!err)
		err = socket_watch(&priv->big, dev);
	if (!err)
		err = hostif_follow(&priv->host, dev);
	if (err) {
		socket_unwatch(&priv->in);
		socket_unwatch(&priv->big);
		netif_napi_del(&priv->napi);
	}
	return err;
}

/* What is lent stays ours to read; nothing more comes. */
static void ring_shut(struct afpacket_ring *ring)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &nothing };

	(void)setsockopt(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static void afpacket_uninit(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	hostif_close(&priv->host);
	socket_unwatch(&priv->in);
	socket_unwatch(&priv->big);
	cpu_lock(dev->cpu);
	run_remote_work(dev->cpu); /* ours may be among it */
	del_timer(&priv->retry);
	hrtimer_cancel(dev->cpu, &priv->tx_timer);
	ring_shut(priv->ring);
	if (priv->rx_left)
		block_end(priv);
	netif_napi_del(&priv->napi);
	cpu_unlock(dev->cpu);
}

static void afpacket_destructor(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	hostif_close(&priv->host);
	if (priv->big.fd >= 0)
		close(priv->big.fd);
	if (priv->ring) /* the cpu lock is held, or nobody has seen the device */
		ring_put(priv->ring);
}

static int afpacket_open(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	napi_enable(&priv->napi);
	hostif_show_carrier(&priv->host);
	netif_tx_wake_queue(dev->tx);
	napi_schedule(&priv->napi); /* what came while it was down, and arms the watch */
	return 0;
}

static int afpacket_stop(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	netif_carrier_off(dev);
	napi_disable(&priv->napi);
	(void)tx_send_ring(priv);
	del_timer(&priv->retry);
	hrtimer_cancel(dev->cpu, &priv->tx_timer);
	ring_shut(priv->ring);
	return 0;
}

static int afpacket_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	if (netif_running(dev))
		afpacket_set_rx_mode(dev);
	return 0;
}

/* The kernel counts from one question to the next. */
static void ask_stats(struct afpacket_priv *priv)
{
	struct tpacket_stats_v3 st;
	socklen_t len = sizeof(st);

	if (getsockopt(priv->in.fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		return;
	priv->stats.rx_kernel_drops += st.tp_drops;
	priv->stats.rx_freezes += st.tp_freeze_q_cnt;
}

static void afpacket_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	ask_stats(priv);
	s->rx_dropped += priv->stats.rx_kernel_drops;
	s->rx_missed_errors += priv->stats.rx_kernel_drops;
}

static const struct net_device_ops afpacket_ops = {
	.ndo_init = afpacket_init,
	.ndo_uninit = afpacket_uninit,
	.ndo_open = afpacket_open,
	.ndo_stop = afpacket_stop,
	.ndo_start_xmit = afpacket_xmit,
	.ndo_set_rx_mode = afpacket_set_rx_mode,
	.ndo_set_mac_address = afpacket_set_mac,
	.ndo_get_stats64 = afpacket_get_stats64,
};

/* ---- ethtool ------------------------------------------------------------------------------------------------ */

#define AFPACKET_STAT(name_) ETHTOOL_OWN_STAT(#name_, struct afpacket_stats, name_)

static const struct ethtool_stat afpacket_stat_rows[] = {
	ETHTOOL_DEV_STAT("rx_packets", rx_packets),
	ETHTOOL_DEV_STAT("tx_packets", tx_packets),
	ETHTOOL_DEV_STAT("rx_bytes", rx_bytes),
	ETHTOOL_DEV_STAT("tx_bytes", tx_bytes),
	ETHTOOL_DEV_STAT("rx_dropped", rx_dropped),
	AFPACKET_STAT(rx_blocks),
	AFPACKET_STAT(rx_lent),
	AFPACKET_STAT(rx_kernel_drops),
	AFPACKET_STAT(rx_freezes),
	AFPACKET_STAT(tx_kicks),
	AFPACKET_STAT(tx_big),
	AFPACKET_STAT(tx_ring_full),
};

static const void *afpacket_stats_own(struct net_device *dev)
{
	ask_stats(afpacket_priv(dev));
	return &afpacket_priv(dev)->stats;
}

static const struct ethtool_ops afpacket_ethtool_ops = {
	.driver = "afpacket",
	.stats = afpacket_stat_rows,
	.nr_stats = ARRAY_SIZE(afpacket_stat_rows),
	.stats_own = afpacket_stats_own,
	.get_link = ethtool_op_get_link,
};

/* ---- attaching --------------------------------------------------------------------------------------------- */

static void afpacket_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &afpacket_ops;
	dev->rtnl_link_ops = &afpacket_link_ops;
	dev->ethtool_ops = &afpacket_ethtool_ops;
	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM | NETIF_F_TSO |
			NETIF_F_TSO6 | NETIF_F_RXCSUM | NETIF_F_HW_VLAN_CTAG_RX;
	dev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
	dev->tx_queue_len = AFPACKET_TXQ;
	dev->live_addr_change = true;
	dev->priv_destructor = afpacket_destructor;
	dev->carrier = false;
	afpacket_priv(dev)->in.fd = afpacket_priv(dev)->big.fd = -1;
	afpacket_priv(dev)->host.fd = afpacket_priv(dev)->host.stop_fd = -1;
}

static int set_option(int fd, int option, int value)
{
	return setsockopt(fd, SOL_PACKET, option, &value, sizeof(value)) ? -errno : 0;
}

static int open_socket(const struct afpacket_config *cfg, int *ret_fd)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), room = SEND_BUFFER, err;

	*ret_fd = fd;
	if (fd < 0)
		return -errno;
	err = set_option(fd, PACKET_VERSION, TPACKET_V3);
	if (!err)
		err = set_option(fd, PACKET_VNET_HDR, 1);
	if (!err && cfg->qdisc_bypass)
		err = set_option(fd, PACKET_QDISC_BYPASS, 1);
	(void)set_option(fd, PACKET_LOSS,
			 1); /* a frame that is refused does not hold up the others */
	(void)set_option(fd, PACKET_IGNORE_OUTGOING, 1);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return err;
}

static int bind_socket(int fd, int ifindex, u16 protocol)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = cpu_to_be16(protocol).v,
				  .sll_ifindex = ifindex };

	return bind(fd, (struct sockaddr *)&to, sizeof(to)) ? -errno : 0;
}

static int map_rings(struct afpacket_ring *ring)
{
	struct tpacket_req3 rx = { .tp_block_size = RX_BLOCK,
				   .tp_block_nr = ring->nr_blocks,
				   .tp_frame_size = TX_FRAME,
				   .tp_frame_nr = ring->nr_blocks * (RX_BLOCK / TX_FRAME),
				   .tp_retire_blk_tov = RETIRE_MS };
	struct tpacket_req3 tx = { .tp_block_size = TX_BLOCK,
				   .tp_block_nr = ring->tx_frames / (TX_BLOCK / TX_FRAME),
				   .tp_frame_size = TX_FRAME,
				   .tp_frame_nr = ring->tx_frames };

	if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &rx, sizeof(rx)) ||
	    setsockopt(ring->fd, SOL_PACKET, PACKET_TX_RING, &tx, sizeof(tx)))
		return -errno;
	ring->map_len = (size_t)ring->nr_blocks * RX_BLOCK + (size_t)ring->tx_frames * TX_FRAME;
	ring->map = mmap(NULL, ring->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (ring->map == MAP_FAILED) {
		ring->map = NULL;
		return -errno;
	}
	for (u32 i = 0; i < ring->nr_blocks; i++) {
		struct afpacket_block *b = &ring->blocks[i];

		b->ring = ring;
		b->desc = (void *)(ring->map + (size_t)i * RX_BLOCK);
		b->page = (struct page){ .size = RX_BLOCK,
					 .release = block_release,
					 .addr = (u8 *)b->desc };
	}
	return 0;
}

static int join_fanout(int fd, const struct afpacket_config *cfg)
{
	static const int modes[] = { PACKET_FANOUT_HASH, PACKET_FANOUT_LB, PACKET_FANOUT_CPU,
				     PACKET_FANOUT_RND, PACKET_FANOUT_QM };

	if (!cfg->fanout)
		return 0;
	return set_option(fd, PACKET_FANOUT,
			  (int)(cfg->fanout | (u32)modes[cfg->fanout_mode] << 16));
}

/* Sockets, rings and what the host says. 0, or -errno with a sentence. */
static int afpacket_take(struct net_device *dev, const char *name,
			 const struct afpacket_config *cfg, struct netlink_ext_ack *extack)
{
	struct afpacket_priv *priv = afpacket_priv(dev);
	struct afpacket_ring *ring;
	int err = hostif_open(&priv->host, name);

	if (err || priv->host.type != ARPHRD_ETHER) {
		nl_set_err_msg(extack, "afpacket: %s: %s", name,
			       err ? strerror(-err) : "not an Ethernet interface");
		return err ? err : -EINVAL;
	}
	ring = calloc(1, sizeof(*ring) + cfg->rx_blocks * sizeof(ring->blocks[0]));
	if (!ring)
		return -ENOMEM;
	priv->ring = ring;
	*ring = (struct afpacket_ring){ .refs = 1,
					.nr_blocks = cfg->rx_blocks,
					.tx_frames = cfg->tx_frames };
	err = open_socket(cfg, &ring->fd);
	if (err == -EPERM || err == -EACCES)
		nl_set_err_msg(extack, "afpacket: packet sockets need CAP_NET_RAW");
	else if (err)
		nl_set_err_msg(extack, "afpacket: packet socket: %s", strerror(-err));
	if (err)
		return err;
	priv->in.fd = ring->fd;
	err = map_rings(ring);
	if (err) {
		nl_set_err_msg(extack, "afpacket: rings of %u blocks and %u frames: %s",
			       cfg->rx_blocks, cfg->tx_frames, strerror(-err));
		return err;
	}
	err = open_socket(cfg, &priv->big.fd);
	ring_shut(ring); /* until the device goes up */
	if (!err)
		err = bind_socket(priv->big.fd, priv->host.ifindex, 0);
	if (!err)
		err = bind_socket(ring->fd, priv->host.ifindex, ETH_P_ALL);
	if (err) {
		nl_set_err_msg(extack, "afpacket: %s: %s", name, strerror(-err));
		return err;
	}
	err = join_fanout(ring->fd, cfg);
	if (err)
		nl_set_err_msg(extack, "afpacket: fanout group %u: %s", cfg->fanout,
			       strerror(-err));
	return err;
}

static int afpacket_attach(struct net *net, const char *ifname, const char *name,
			   const void *config, struct netlink_ext_ack *extack)
{
	const struct afpacket_config *cfg = config;
	struct net_device *dev;
	int err;

	if (net->machine->host->virtual_time) {
		nl_set_err_msg(extack, "afpacket: the host's interfaces keep real time");
		return -EOPNOTSUPP;
	}
	dev = alloc_netdev(net, sizeof(struct afpacket_priv), ifname, afpacket_setup, 1);
	if (!dev)
		return -ENOMEM;
	err = afpacket_take(dev, name, cfg, extack);
	if (!err) {
		struct hostif *h = &afpacket_priv(dev)->host;

		dev->mtu = dev->max_mtu = h->mtu;
		afpacket_priv(dev)->tx_wait_ns = cfg->tx_usecs * NSEC_PER_USEC;
		if (cfg->addr == ADDR_HOST)
			memcpy(dev->dev_addr, h->addr, ETH_ALEN);
		else
			eth_hw_addr_random(dev);
		err = register_netdevice(dev);
	}
	if (err)
		free_netdev(dev);
	return err;
}

static const char *const fanout_modes[] = { "hash", "lb", "cpu", "rnd", "qm" };
static const char *const addr_words[] = { [ADDR_OWN] = "own", [ADDR_HOST] = "host" };
static const char *const no_yes[] = { "no", "yes" };

static const struct host_dev_option afpacket_options[] = {
	HOST_DEV_NUMBER("rx_blocks", struct afpacket_config, rx_blocks, 32, 4, 4096),
	HOST_DEV_NUMBER("tx_frames", struct afpacket_config, tx_frames, 512, 32, 65536),
	HOST_DEV_NUMBER("fanout", struct afpacket_config, fanout, 0, 1, 65535),
	HOST_DEV_CHOICE("fanout_mode", struct afpacket_config, fanout_mode, 0, fanout_modes),
	HOST_DEV_CHOICE("addr", struct afpacket_config, addr, ADDR_OWN, addr_words),
	HOST_DEV_NUMBER("tx_usecs", struct afpacket_config, tx_usecs, 0, 0, 10000),
	HOST_DEV_CHOICE("qdisc_bypass", struct afpacket_config, qdisc_bypass, 0, no_yes),
};

const struct host_dev_ops afpacket_dev_ops = {
	.kind = "afpacket",
	.options = afpacket_options,
	.nr_options = ARRAY_SIZE(afpacket_options),
	.attach = afpacket_attach,
};

static int afpacket_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
			    const struct nlattr **data, struct netlink_ext_ack *extack)
{
	nl_set_err_msg(extack, "a device over an interface of the host is made by the program that "
			       "embeds the stack, or by a lab file's link to \"afpacket:IF\"");
	return -EOPNOTSUPP;
}

const struct rtnl_link_ops afpacket_link_ops = {
	.kind = "afpacket",
	.priv_size = sizeof(struct afpacket_priv),
	.setup = afpacket_setup,
	.newlink = afpacket_newlink,
};
