/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * afpacket.c - a device over an interface of the host, by packet sockets with rings (TPACKET_V3)
 *
 * Theory of operation
 *   Receive. The kernel copies frames into blocks of a ring that is mapped here, and gives a whole block over when it is full or a
 *   millisecond old. The interrupt (host_line.h) tells of the first block; poll() then takes frames and
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
 *   A full ring or socket stops the queue; the interrupt wakes it. The kernel says nothing of frames that its queueing discipline drops.
 *
 *   hostif.c tells of carrier and MTU. Fanout: devices of several instances or processes that join the same group share the frames; they have
 *   one address then (addr=host), as the kernel chooses the socket before the filter.
 *   In a net on several cpus each has a socket and rings of its own, the queue of the device's shadow there (netdev_queue_ops), in a fanout group
 *   that is the device's alone if no other was asked for. The kernel's hash is not ours: net_steer() hands over what came by a wrong ring.
 * Invariants
 *   block->page.refcount > 0 <=> the block is ours; then either it is the one that is being read, or something of it is lent.
 *   The ring outlives the device while blocks are lent.
 * Locking: a queue: the lock of its cpu; the rest: the lead's. rtnl to make and remove. Counters of a queue have one writer, and are read by atomics.
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
#include "core/net_group.h"
#include "core/vnet.h"
#include "drivers/drivers_internal.h"
#include "drivers/frame.h"
#include "drivers/host_dev.h"
#include "drivers/host_line.h"
#include "drivers/hostif.h"
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
	u32 queues; /* at most; 0: one for each cpu of the net */
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

struct afpacket_queue {
	struct napi_struct napi;
	struct net_device *
		dev; /* whose it is: the device's, or that of its shadow on another cpu. NULL: nobody's */
	const struct afpacket_priv *priv;
	struct afpacket_ring *ring; /* NULL: there is none any more */
	struct host_line line;

	/* receive */
	u32 rx_block;                      /* the next one, or the one that is being read */
	u32 rx_left;                       /* frames of it */
	const struct tpacket3_hdr *rx_hdr; /* the next of them */

	/* transmit */
	u32 tx_next;   /* slot */
	u32 tx_unsent; /* frames that the kernel does not know of */
	struct hrtimer tx_timer;
	struct timer_list retry;
	int big_fd; /* -1 */
	struct host_line big_line;

	struct afpacket_stats stats;
};

struct afpacket_priv {
	struct hostif host;
	u64 tx_wait_ns;                 /* so long frames may wait for more; 0: they do not */
	u32 fanout;                     /* argument of PACKET_FANOUT; 0: none */
	int ring_fds[MACHINE_MAX_CPUS]; /* of all queues; -1: it is not in use */
	struct membership members[MAX_MEMBERS];
	struct afpacket_stats
		sum; /* of all queues, when that was asked for last; and what the kernel said itself */
	u32 nr_others;
	struct afpacket_queue *others; /* for other cpus */
	struct afpacket_queue own;
};

/* Of a counter of a queue's, which others may read */
#define COUNT(counter) __atomic_store_n(&(counter), (counter) + 1, __ATOMIC_RELAXED)

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

/* ---- receive --------------------------------------------------------------------------------------------- */

static struct sk_buff *afpacket_skb(struct afpacket_queue *q, struct afpacket_block *b,
				    const u8 *octets, u32 len)
{
	struct afpacket_ring *ring = b->ring;
	struct sk_buff *skb;

	if (len <= FRAME_HEAD || (!b->lent && ring->nr_lent * 2 >= ring->nr_blocks))
		return frame_copy_in(q->dev, octets, len);
	skb = frame_lend_in(q->dev, &b->page, (u32)(octets - b->page.addr), len);
	if (skb) {
		ring->nr_lent += !b->lent;
		b->lent = true;
		COUNT(q->stats.rx_lent);
	}
	return skb;
}

static void afpacket_receive(struct afpacket_queue *q, struct sk_buff *skb, const u8 *vnet,
			     const struct tpacket3_hdr *h)
{
	struct net_device *dev = q->dev;
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
	napi_gro_receive(&q->napi, skb);
}

/* The next block becomes the one that is read. False: it is the kernel's. */
static bool block_begin(struct afpacket_queue *q)
{
	struct afpacket_ring *ring = q->ring;
	struct afpacket_block *b = &ring->blocks[q->rx_block];

	if (b->page.refcount || !block_is_full(b))
		return false;
	b->page.refcount = 1;
	b->page.owner = q->napi.cpu;
	ring->refs++;
	COUNT(q->stats.rx_blocks);
	q->rx_left = b->desc->hdr.bh1.num_pkts;
	q->rx_hdr = (const void *)((u8 *)b->desc + b->desc->hdr.bh1.offset_to_first_pkt);
	return true;
}

static void block_end(struct afpacket_queue *q)
{
	struct afpacket_block *b = &q->ring->blocks[q->rx_block];

	q->rx_left = 0;
	q->rx_block = (q->rx_block + 1) % q->ring->nr_blocks;
	page_put(&b->page);
}

static int rx_frames(struct afpacket_queue *q, int budget)
{
	int work = 0;

	while (work < budget) {
		struct afpacket_block *b = &q->ring->blocks[q->rx_block];
		const struct tpacket3_hdr *h;
		const u8 *octets;
		struct sk_buff *skb;

		if (!q->rx_left) {
			if (!block_begin(q))
				break;
			if (!q->rx_left) { /* without a frame: its time was up */
				block_end(q);
				continue;
			}
		}
		h = q->rx_hdr;
		octets = (const u8 *)h + h->tp_mac;
		skb = afpacket_skb(q, b, octets, h->tp_snaplen);
		if (skb)
			afpacket_receive(q, skb, octets - VIRTIO_NET_HEADER_LEN, h);
		else
			q->dev->stats.rx_dropped++;
		q->rx_hdr = (const void *)((const u8 *)h + h->tp_next_offset);
		work += napi_work(q->dev, h->tp_snaplen);
		if (!--q->rx_left)
			block_end(q);
	}
	return work;
}

static void tx_flush(struct afpacket_queue *q);

static int afpacket_poll(struct napi_struct *napi, int budget)
{
	struct afpacket_queue *q = container_of(napi, struct afpacket_queue, napi);
	int work = rx_frames(q, budget);

	tx_flush(q);
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	tx_flush(q); /* what the end of merging has caused */
	host_line_arm(&q->line, HOST_WATCH_READ);
	return work;
}

/* ---- transmit -------------------------------------------------------------------------------------------- */

static struct tpacket3_hdr *tx_slot(const struct afpacket_queue *q, u32 i)
{
	const struct afpacket_ring *ring = q->ring;

	return (struct tpacket3_hdr *)(ring->map + (size_t)ring->nr_blocks * RX_BLOCK +
				       (size_t)i * TX_FRAME);
}

static bool tx_slot_free(const struct tpacket3_hdr *h)
{
	return __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) == TP_STATUS_AVAILABLE;
}

/* All that is in the ring is the kernel's to send. False: it has not taken all of it. */
static bool tx_send_ring(struct afpacket_queue *q)
{
	ssize_t n;

	if (!q->tx_unsent)
		return true;
	COUNT(q->stats.tx_kicks);
	do
		n = send(q->ring->fd, NULL, 0, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	/* Of an interface that is down they wait in the ring until it is up: nobody else would send them then. */
	if (n >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != ENETDOWN))
		q->tx_unsent = 0;
	return !q->tx_unsent;
}

static void tx_flush(struct afpacket_queue *q)
{
	struct net_device *dev = q->dev;

	if (unlikely(!tx_send_ring(q)))
		mod_timer(dev->cpu, &q->retry, dev->cpu->now + RETRY_NS);
}

/* A frame was put into the ring: when is it sent? */
static void tx_expect_more(struct afpacket_queue *q)
{
	struct net_device *dev = q->dev;

	if (q->priv->tx_wait_ns && q->tx_unsent < TX_BATCH) {
		if (!hrtimer_active(&q->tx_timer))
			(void)hrtimer_start(dev->cpu, &q->tx_timer,
					    dev->cpu->now + q->priv->tx_wait_ns);
	} else if (q->priv->tx_wait_ns) {
		tx_flush(q);
	} else if (!(q->napi.state & NAPI_STATE_SCHED)) {
		napi_schedule(&q->napi);
	}
}

static void tx_waited(struct cpu *cpu, struct hrtimer *t)
{
	struct afpacket_queue *q = container_of(t, struct afpacket_queue, tx_timer);

	if (netif_running(q->dev))
		tx_flush(q);
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

/* A frame that does not fit into a slot. */
static enum netdev_tx tx_big(struct afpacket_queue *q, struct sk_buff *skb, const u8 *vnet)
{
	struct net_device *dev = q->dev;
	const struct skb_shared_info *sh = skb_shinfo(skb);
	struct iovec iov[TX_VECTORS];
	struct msghdr msg = { .msg_iov = iov };
	ssize_t n;

	if (!tx_send_ring(q))
		return host_line_busy(&q->line); /* in order */
	iov[msg.msg_iovlen++] = (struct iovec){ (void *)vnet, VIRTIO_NET_HEADER_LEN };
	iov[msg.msg_iovlen++] = (struct iovec){ skb->data, skb_headlen(skb) };
	for (u32 i = 0; i < sh->nr_frags; i++)
		iov[msg.msg_iovlen++] =
			(struct iovec){ skb_frag_address(&sh->frags[i]), sh->frags[i].size };
	do
		n = sendmsg(q->big_fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return host_line_busy(&q->big_line);
	if (n < 0)
		return tx_drop(skb, dev, SKB_DROP_HOST_XMIT);
	COUNT(q->stats.tx_big);
	return tx_done(skb, dev);
}

static enum netdev_tx afpacket_queue_xmit(struct sk_buff *skb, void *queue)
{
	struct afpacket_queue *q = queue;
	struct net_device *dev = q->dev;
	struct tpacket3_hdr *h = tx_slot(q, q->tx_next);
	u8 vnet[VIRTIO_NET_HEADER_LEN], *p = (u8 *)h + TX_DATA_OFF;

	trace_skb(skb, dev->net, TP_afpacket_xmit, TRACE_PASS, skb->len > TX_ROOM, 0);
	if (skb->len > hostif_mtu(&q->priv->host) + ETH_HLEN + VLAN_HLEN && !skb_is_gso(skb))
		return tx_drop(skb, dev, SKB_DROP_HOST_XMIT);
	if (virtio_net_hdr_from_skb(skb, vnet, sizeof(vnet)))
		return tx_drop(skb, dev, SKB_DROP_VNET_HDR);
	if (skb->len > TX_ROOM)
		return tx_big(q, skb, vnet);
	if (!tx_slot_free(h)) {
		COUNT(q->stats.tx_ring_full);
		tx_flush(q);
		return tx_slot_free(h) ? afpacket_queue_xmit(skb, q) : host_line_busy(&q->line);
	}
	memcpy(p, vnet, sizeof(vnet));
	if (skb_copy_bits(skb, 0, p + sizeof(vnet), skb->len))
		return tx_drop(skb, dev, SKB_DROP_NOMEM);
	h->tp_len = (u32)sizeof(vnet) + skb->len;
	h->tp_next_offset = 0;
	__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	q->tx_next = (q->tx_next + 1) % q->ring->tx_frames;
	q->tx_unsent++;
	tx_expect_more(q);
	return tx_done(skb, dev);
}

static void afpacket_retry(struct cpu *cpu, struct timer_list *t)
{
	struct afpacket_queue *q = container_of(t, struct afpacket_queue, retry);

	if (netif_running(q->dev))
		tx_flush(q);
}

/* ---- which frames ----------------------------------------------------------------------------------------- */

/* What the host sends is not for us, nor, unless we are promiscuous, what is for other stations. */
static void set_filter(struct net_device *dev)
{
	const struct afpacket_priv *priv = afpacket_priv(dev);
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
	for (u32 i = 0; i <= priv->nr_others; i++)
		if (priv->ring_fds[i] >= 0)
			(void)setsockopt(priv->ring_fds[i], SOL_SOCKET, SO_ATTACH_FILTER, &prog,
					 sizeof(prog));
}

static bool membership_ask(const struct afpacket_priv *priv, const struct membership *m, int option)
{
	struct packet_mreq mr = { .mr_ifindex = priv->host.ifindex,
				  .mr_type = m->type,
				  .mr_alen = ETH_ALEN };

	memcpy(mr.mr_address, m->addr, ETH_ALEN);
	return !setsockopt(priv->own.ring->fd, SOL_PACKET, option, &mr, sizeof(mr));
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

/* ---- a queue ---------------------------------------------------------------------------------------------- */

/* What is lent stays ours to read; nothing more comes. */
static void ring_shut(struct afpacket_ring *ring)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { .len = 1, .filter = &nothing };

	(void)setsockopt(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

/* @q becomes @dev's, which is that of the cpu. 0 or -errno */
static int queue_init(struct afpacket_queue *q, struct net_device *dev)
{
	int err;

	timer_setup(&q->retry, afpacket_retry);
	hrtimer_setup(&q->tx_timer, tx_waited);
	netif_napi_add(dev, &q->napi, afpacket_poll);
	/* ENETDOWN when the interface goes down: hostif.c tells of it. */
	err = host_line_open(&q->line, &q->napi, q->ring->fd, true);
	if (!err)
		err = host_line_open(&q->big_line, &q->napi, q->big_fd, true);
	if (err) {
		host_line_close(&q->line);
		netif_napi_del(&q->napi);
		return err;
	}
	q->dev = dev;
	return 0;
}

static void queue_uninit(struct afpacket_queue *q)
{
	host_line_close(&q->line);
	host_line_close(&q->big_line);
	cpu_lock(q->dev->cpu);
	del_timer(&q->retry);
	hrtimer_cancel(q->dev->cpu, &q->tx_timer);
	ring_shut(q->ring);
	if (q->rx_left)
		block_end(q);
	netif_napi_del(&q->napi);
	cpu_unlock(q->dev->cpu);
}

/* Its cpu lock is held, or nobody has seen it. */
static void queue_close(struct afpacket_queue *q)
{
	if (q->big_fd >= 0)
		close(q->big_fd);
	q->big_fd = -1;
	if (q->ring)
		ring_put(q->ring);
	q->ring = NULL;
}

static int queue_open(void *queue)
{
	struct afpacket_queue *q = queue;

	napi_enable(&q->napi);
	netif_tx_wake_queue(q->dev->tx);
	napi_schedule(&q->napi); /* what came while it was down, and arms the line */
	return 0;
}

static void queue_stop(void *queue)
{
	struct afpacket_queue *q = queue;

	napi_disable(&q->napi);
	(void)tx_send_ring(q);
	del_timer(&q->retry);
	hrtimer_cancel(q->dev->cpu, &q->tx_timer);
	ring_shut(q->ring);
}

/* ---- queues of other cpus ---------------------------------------------------------------------------------- */

/* From now on the kernel puts frames into the ring of @q, or none any more. The lead's cpu lock */
static void queue_use(struct net_device *dev, const struct afpacket_queue *q, bool use)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	priv->ring_fds[1 + (q - priv->others)] = use ? q->ring->fd : -1;
	if (use && netif_running(dev))
		set_filter(dev);
}

static int set_option(int fd, int option, int value);

static void *queue_attach(struct net_device *dev, struct net_device *shadow)
{
	struct afpacket_priv *priv = afpacket_priv(dev);
	struct afpacket_queue *q = priv->others, *end = q + priv->nr_others;

	while (q < end && (q->dev || !q->ring))
		q++;
	if (q == end)
		return NULL;
	if (set_option(q->ring->fd, PACKET_FANOUT, (int)priv->fanout) || queue_init(q, shadow)) {
		queue_close(q); /* it must get no frames */
		return NULL;
	}
	cpu_lock(dev->cpu);
	queue_use(dev, q, true);
	cpu_unlock(dev->cpu);
	return q;
}

static void queue_detach(void *queue)
{
	struct afpacket_queue *q = queue;
	struct net_device *dev = q->priv->own.dev, *shadow = q->dev;

	cpu_lock(dev->cpu);
	queue_use(dev, q, false);
	cpu_unlock(dev->cpu);
	queue_uninit(q);
	cpu_lock(shadow->cpu);
	queue_close(q);
	cpu_unlock(shadow->cpu);
	q->dev = NULL;
}

static const struct netdev_queue_ops afpacket_queue_ops = {
	.attach = queue_attach,
	.detach = queue_detach,
	.open = queue_open,
	.stop = queue_stop,
	.start_xmit = afpacket_queue_xmit,
};

/* ---- device operations ------------------------------------------------------------------------------------ */

static int afpacket_init(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);
	int err = queue_init(&priv->own, dev);

	if (err)
		return err;
	priv->ring_fds[0] = priv->own.ring->fd;
	err = hostif_follow(&priv->host, dev);
	if (err)
		queue_uninit(&priv->own);
	return err;
}

static void afpacket_uninit(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	hostif_close(&priv->host);
	queue_uninit(&priv->own);
}

static void afpacket_destructor(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	hostif_close(&priv->host);
	for (u32 i = 0; i < priv->nr_others; i++)
		queue_close(&priv->others[i]);
	free(priv->others);
	queue_close(&priv->own);
}

static enum netdev_tx afpacket_xmit(struct sk_buff *skb, struct net_device *dev)
{
	return afpacket_queue_xmit(skb, &afpacket_priv(dev)->own);
}

static int afpacket_open(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	hostif_show_carrier(&priv->host);
	return queue_open(&priv->own);
}

static int afpacket_stop(struct net_device *dev)
{
	netif_carrier_off(dev);
	queue_stop(&afpacket_priv(dev)->own);
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
static void ask_kernel(int fd, struct afpacket_stats *sum)
{
	struct tpacket_stats_v3 st;
	socklen_t len = sizeof(st);

	if (fd < 0 || getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len))
		return;
	sum->rx_kernel_drops += st.tp_drops;
	sum->rx_freezes += st.tp_freeze_q_cnt;
}

static u64 add_up(const struct afpacket_priv *priv, size_t counter)
{
	u64 n = 0;

	for (u32 i = 0; i <= priv->nr_others; i++) {
		const struct afpacket_queue *q = i ? &priv->others[i - 1] : &priv->own;

		n += __atomic_load_n((const u64 *)((const char *)&q->stats + counter),
				     __ATOMIC_RELAXED);
	}
	return n;
}

static void ask_stats(struct afpacket_priv *priv)
{
	struct afpacket_stats *sum = &priv->sum;

	for (u32 i = 0; i <= priv->nr_others; i++)
		ask_kernel(priv->ring_fds[i], sum);
	sum->rx_blocks = add_up(priv, offsetof(struct afpacket_stats, rx_blocks));
	sum->rx_lent = add_up(priv, offsetof(struct afpacket_stats, rx_lent));
	sum->tx_kicks = add_up(priv, offsetof(struct afpacket_stats, tx_kicks));
	sum->tx_big = add_up(priv, offsetof(struct afpacket_stats, tx_big));
	sum->tx_ring_full = add_up(priv, offsetof(struct afpacket_stats, tx_ring_full));
}

static void afpacket_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

	ask_stats(priv);
	s->rx_dropped += priv->sum.rx_kernel_drops;
	s->rx_missed_errors += priv->sum.rx_kernel_drops;
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
	.queue_ops = &afpacket_queue_ops,
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
	return &afpacket_priv(dev)->sum;
}

static int afpacket_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	ret->combined_count = ret->max_combined = 1 + afpacket_priv(dev)->nr_others;
	return 0;
}

static const struct ethtool_ops afpacket_ethtool_ops = {
	.driver = "afpacket",
	.stats = afpacket_stat_rows,
	.nr_stats = ARRAY_SIZE(afpacket_stat_rows),
	.stats_own = afpacket_stats_own,
	.get_link = ethtool_op_get_link,
	.get_channels = afpacket_get_channels,
};

/* ---- attaching --------------------------------------------------------------------------------------------- */

static void afpacket_setup(struct net_device *dev)
{
	struct afpacket_priv *priv = afpacket_priv(dev);

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
	for (u32 i = 0; i < ARRAY_SIZE(priv->ring_fds); i++)
		priv->ring_fds[i] = -1;
	priv->own = (struct afpacket_queue){ .priv = priv, .big_fd = -1 };
	priv->host.fd = priv->host.stop_fd = -1;
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

/* The group of the device: one that was asked for, or one of its own if it has several queues. The argument for the others in *ret. */
static int join_fanout(int fd, const struct afpacket_config *cfg, bool several, u32 *ret)
{
	static const int modes[] = { PACKET_FANOUT_HASH, PACKET_FANOUT_LB, PACKET_FANOUT_CPU,
				     PACKET_FANOUT_RND, PACKET_FANOUT_QM };
	u32 mode = (u32)modes[cfg->fanout_mode] << 16;
	int err, id;
	socklen_t len = sizeof(id);

	*ret = cfg->fanout | mode;
	if (cfg->fanout)
		return set_option(fd, PACKET_FANOUT, (int)*ret);
	if (!several)
		return 0;
	err = set_option(fd, PACKET_FANOUT, (int)(mode | PACKET_FANOUT_FLAG_UNIQUEID << 16));
	if (err || getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &id, &len))
		return err ? err : -errno;
	*ret = mode | (u16)id;
	return 0;
}

/* The sockets and rings of one queue, which get nothing yet. 0, or -errno with a sentence */
static int queue_take(struct afpacket_queue *q, int ifindex, const struct afpacket_config *cfg,
		      struct netlink_ext_ack *extack)
{
	struct afpacket_ring *ring =
		calloc(1, sizeof(*ring) + cfg->rx_blocks * sizeof(ring->blocks[0]));
	int err;

	if (!ring)
		return -ENOMEM;
	q->ring = ring;
	*ring = (struct afpacket_ring){ .refs = 1,
					.nr_blocks = cfg->rx_blocks,
					.tx_frames =
						ALIGN_UP(cfg->tx_frames, TX_BLOCK / TX_FRAME) };
	err = open_socket(cfg, &ring->fd);
	if (err == -EPERM || err == -EACCES)
		nl_set_err_msg(extack, "afpacket: packet sockets need CAP_NET_RAW");
	else if (err)
		nl_set_err_msg(extack, "afpacket: packet socket: %s", strerror(-err));
	if (err)
		return err;
	err = map_rings(ring);
	if (err) {
		nl_set_err_msg(extack, "afpacket: rings of %u blocks and %u frames: %s",
			       ring->nr_blocks, ring->tx_frames, strerror(-err));
		return err;
	}
	err = open_socket(cfg, &q->big_fd);
	ring_shut(ring); /* until the device goes up */
	if (!err)
		err = bind_socket(q->big_fd, ifindex, 0);
	if (!err)
		err = bind_socket(ring->fd, ifindex, ETH_P_ALL);
	if (err)
		nl_set_err_msg(extack, "afpacket: %s", strerror(-err));
	return err;
}

/* Queues for @n other cpus. */
static int others_take(struct afpacket_priv *priv, u32 n, const struct afpacket_config *cfg,
		       struct netlink_ext_ack *extack)
{
	int err = 0;

	priv->others = calloc(n, sizeof(*priv->others));
	if (!priv->others)
		return -ENOMEM;
	for (u32 i = 0; i < n && !err; i++) {
		struct afpacket_queue *q = &priv->others[i];

		*q = (struct afpacket_queue){ .priv = priv, .big_fd = -1 };
		priv->nr_others++;
		err = queue_take(q, priv->host.ifindex, cfg, extack);
	}
	return err;
}

/* What the host says, sockets and rings. 0, or -errno with a sentence. */
static int afpacket_take(struct net_device *dev, const char *name,
			 const struct afpacket_config *cfg, struct netlink_ext_ack *extack)
{
	struct afpacket_priv *priv = afpacket_priv(dev);
	u32 n = dev->net->group ? dev->net->group->n : 1;
	int err = hostif_open(&priv->host, name);

	if (err || priv->host.type != ARPHRD_ETHER) {
		nl_set_err_msg(extack, "afpacket: %s: %s", name,
			       err ? strerror(-err) : "not an Ethernet interface");
		return err ? err : -EINVAL;
	}
	n = cfg->queues ? min(n, cfg->queues) : n;
	err = queue_take(&priv->own, priv->host.ifindex, cfg, extack);
	if (err)
		return err;
	err = join_fanout(priv->own.ring->fd, cfg, n > 1, &priv->fanout);
	if (err == -EINVAL && !cfg->fanout)
		return 0; /* an interface that is down joins nothing: one queue, then */
	if (err) {
		nl_set_err_msg(extack, "afpacket: fanout group %u: %s", cfg->fanout,
			       strerror(-err));
		return err;
	}
	return n > 1 ? others_take(priv, n - 1, cfg, extack) : 0;
}

/* Those that no cpu has taken */
static void close_unused(struct afpacket_priv *priv)
{
	for (u32 i = 0; i < priv->nr_others; i++)
		if (!priv->others[i].dev)
			queue_close(&priv->others[i]);
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
	else
		close_unused(afpacket_priv(dev));
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
	HOST_DEV_NUMBER("queues", struct afpacket_config, queues, 0, 1, MACHINE_MAX_CPUS),
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
