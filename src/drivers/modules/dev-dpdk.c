/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev-dpdk.c - a module: a device over a port of DPDK
 *
 *     dpdk:0000:03:00.0      dpdk:net_tap0,iface=dtap0      dpdk:net_af_packet0,iface=eth1      dpdk:net_ring0
 *
 * Theory of operation
 *   What is behind the colon is a device as DPDK names it, with its arguments; a port of that name that is there already is used as it is.
 *   DPDK's environment (EAL) is one for the process: all machines share it, it is initialised with the first device and stays. A program that has
 *   done so itself keeps its own settings; otherwise they come from WEIR_DPDK_EAL ("--no-huge -m 256 --no-pci"). No EAL thread runs code of ours:
 *   bursts are made by whoever holds the cpu lock, so a queue never has two users.
 *
 *   Receive. There is no interrupt: poll() looks for a burst, again at once while frames come, and after IDLE_NS when there were none. Short
 *   frames are copied; of longer ones the mbuf's octets become fragments, whose struct page lies in the mbuf's private area, and the mbuf is
 *   freed with the last skb that points into it. At most half of the pool is lent.
 *   Transmit. The octets are gathered into a chain of mbufs, one copy. Frames are sent in bursts: when the softirqs that wrote them are through, or BURST
 *   of them are there. Checksums and segmentation are left to the port where it says that it can.
 *
 *   In a net on several cpus each of them has a queue of the port for receive and one for transmit, with a pool of mbufs of its own: the queue of
 *   the device's shadow there (netdev_queue_ops), as far as the port has so many. A port that can spreads flows by a hash, which is not ours:
 *   net_steer() hands over what came by a wrong queue; lent mbufs are copied then (skb_migrate()), so that none leaves its cpu.
 * Invariants
 *   A pool outlives the port, and the device while mbufs of it are lent; the module outlives the pools.
 * Locking: a queue and its pool: the lock of its cpu; rtnl to make and remove. The rest: the lead's. Counters of a queue have one writer, and are
 * read by atomics.
 * See the DPDK programmer's guide: mbuf library, poll mode driver.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/net_group.h"
#include "drivers/drivers_internal.h"
#include "weir/module.h"

/* DPDK has words of its own for some of ours. */
#undef likely
#undef unlikely
#undef container_of
#undef min
#undef max
#undef __packed
#undef typeof
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#define TX_PATIENCE (5 * NSEC_PER_SEC)
#define MBUFS       8191u /* one less than a power of two, as mempools like it */
#define RX_RING     1024u
#define TX_RING     1024u
#define BURST       32u
#define COPY_MAX    512u
#define IDLE_NS     (50 * NSEC_PER_USEC)
#define LINK_NS     (100 * NSEC_PER_MSEC)
#define DPDK_TXQ    1000
#define EAL_WORDS   32
#define RSS_FLOWS   (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP)
#define TX_TSO      (RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
#define TX_CSUM     (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

struct dpdk_pool {
	struct machine *machine;
	struct rte_mempool *mp;
	u32 refs; /* the queue, and each mbuf that is lent */
	u32 nr_lent;
};

/* In the private area of each mbuf. */
struct dpdk_priv_area {
	struct page page;
	struct dpdk_pool *pool;
	struct rte_mbuf *m;
};

struct dpdk_stats {
	u64 rx_lent, rx_copied, rx_missed, rx_no_mbuf, tx_bursts, tx_full;
};

/* What a cpu has of the device: queue @id of the port, in both directions. */
struct dpdk_queue {
	struct napi_struct napi;
	struct net_device *
		dev; /* whose it is: the device's, or that of its shadow on another cpu. NULL: nobody's */
	const struct dpdk_priv *priv;
	struct dpdk_pool *pool;
	u16 id;
	u64 tx_moved; /* when a frame left, or the first of pending came */
	u32 nr_pending;
	struct rte_mbuf *pending[BURST];
	struct hrtimer idle;
	struct dpdk_stats stats; /* what the port counts is in priv->sum */
} __cacheline_aligned;

struct dpdk_priv {
	struct net_device *dev;
	u16 port;
	bool opened, probed; /* probed: by us, so it goes with the device */
	u64 tx_offloads;
	struct timer_list link;
	struct dpdk_stats sum; /* of all queues, when that was asked for last */
	u32 nr_others;
	struct dpdk_queue *others; /* for other cpus */
	struct dpdk_queue own;
};

/* Of a counter of a queue's, which others may read */
#define COUNT(counter) __atomic_store_n(&(counter), (counter) + 1, __ATOMIC_RELAXED)

static struct dpdk_priv *dpdk_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- mbufs ------------------------------------------------------------------------------------------------ */

static void pool_put(struct dpdk_pool *p)
{
	struct machine *m = p->machine;

	if (--p->refs)
		return;
	rte_mempool_free(p->mp);
	free(p);
	__module_put(m, THIS_MODULE);
}

/* The last reference to its octets has gone. */
static void mbuf_release(struct page *page)
{
	struct dpdk_priv_area *a = (struct dpdk_priv_area *)page; /* its first member */
	struct dpdk_pool *pool = a->pool;

	pool->nr_lent--;
	rte_pktmbuf_free_seg(a->m);
	pool_put(pool);
}

static_assert(offsetof(struct dpdk_priv_area, page) == 0, "mbuf_release()");

/* The octets of one mbuf, as a page with a reference of the caller's. */
static struct page *mbuf_lend(struct dpdk_queue *q, struct rte_mbuf *m)
{
	struct dpdk_priv_area *a = rte_mbuf_to_priv(m);

	*a = (struct dpdk_priv_area){
		.page = { .refcount = 1,
			  .size = m->buf_len,
			  .owner = q->napi.cpu,
			  .release = mbuf_release,
			  .addr = m->buf_addr },
		.pool = q->pool,
		.m = m,
	};
	q->pool->nr_lent++;
	q->pool->refs++;
	return &a->page;
}

/* NULL: no memory. */
static struct dpdk_pool *pool_create(struct machine *m, u16 port, u16 queue)
{
	struct dpdk_pool *p = calloc(1, sizeof(*p));
	char name[32];

	if (!p)
		return NULL;
	p->machine = m;
	p->refs = 1;
	snprintf(name, sizeof(name), "weir-%u-%u", port, queue);
	p->mp = rte_pktmbuf_pool_create(
		name, MBUFS, 0, RTE_ALIGN(sizeof(struct dpdk_priv_area), RTE_MBUF_PRIV_ALIGN),
		RTE_MBUF_DEFAULT_BUF_SIZE, rte_eth_dev_socket_id(port));
	if (!p->mp || !__try_module_get(m, THIS_MODULE)) {
		rte_mempool_free(p->mp);
		free(p);
		return NULL;
	}
	return p;
}

/* ---- receive ---------------------------------------------------------------------------------------------- */

/* Consumes @m. NULL: no memory */
static struct sk_buff *dpdk_skb(struct dpdk_queue *q, struct rte_mbuf *m)
{
	struct net_device *dev = q->dev;
	struct sk_buff *skb;
	struct page *page;

	if (m->nb_segs == 1 && (m->data_len <= COPY_MAX || q->pool->nr_lent * 2 >= MBUFS)) {
		skb = frame_copy_in(dev, rte_pktmbuf_mtod(m, void *), m->data_len);
		rte_pktmbuf_free(m);
		COUNT(q->stats.rx_copied);
		return skb;
	}
	page = mbuf_lend(q, m);
	skb = frame_lend_in(dev, page, m->data_off, m->data_len);
	for (struct rte_mbuf *seg = m->next, *next; seg; seg = next) {
		struct page *more = mbuf_lend(q, seg);
		bool fits = skb && skb_append_page(skb, more, seg->data_off, seg->data_len);

		next = seg->next;
		if (skb && !fits) {
			kfree_skb_reason(skb, SKB_DROP_NOMEM);
			skb = NULL;
		}
		seg->next = NULL;
		page_put(more);
	}
	m->next = NULL;
	m->nb_segs = 1;
	page_put(page);
	if (skb)
		COUNT(q->stats.rx_lent);
	return skb;
}

static void dpdk_receive(struct dpdk_queue *q, struct sk_buff *skb, u64 flags, u16 tci)
{
	struct net_device *dev = q->dev;

	trace_skb(skb, dev->net, TP_dpdk_receive, TRACE_PASS, skb_shinfo(skb)->nr_frags, 0);
	if (skb->len < ETH_HLEN) {
		dev->stats.rx_errors++;
		dev->stats.rx_length_errors++;
		kfree_skb_reason(skb, SKB_DROP_PKT_TOO_SMALL);
		return;
	}
	if ((flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		skb->vlan_present = 1;
		skb->vlan_tci = tci;
		skb->vlan_proto = cpu_to_be16(ETH_P_8021Q);
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	napi_gro_receive(&q->napi, skb);
}

static void tx_flush(struct dpdk_queue *q);

static int dpdk_poll(struct napi_struct *napi, int budget)
{
	struct dpdk_queue *q = (struct dpdk_queue *)napi; /* its first member */
	struct rte_mbuf *burst[BURST];
	int work = 0;
	u16 n;

	do {
		u16 want = (u16)RTE_MIN((int)BURST, budget - work);

		n = rte_eth_rx_burst(q->priv->port, q->id, burst, want);
		for (u16 i = 0; i < n; i++) {
			u64 flags = burst[i]->ol_flags;
			u16 tci = burst[i]->vlan_tci;
			struct sk_buff *skb = dpdk_skb(q, burst[i]);

			if (skb)
				dpdk_receive(q, skb, flags, tci);
			else
				q->dev->stats.rx_dropped++;
		}
		work += n;
	} while (n == BURST && work < budget);
	tx_flush(q);
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	tx_flush(q); /* what the end of merging has caused */
	if (work)
		napi_schedule(napi);
	else
		(void)hrtimer_start(napi->cpu, &q->idle, napi->cpu->now + IDLE_NS);
	return work;
}

static_assert(offsetof(struct dpdk_queue, napi) == 0, "dpdk_poll()");

static void dpdk_idle(struct cpu *cpu, struct hrtimer *t)
{
	struct dpdk_queue *q = (struct dpdk_queue *)((char *)t - offsetof(struct dpdk_queue, idle));

	if (netif_running(q->dev) && !(q->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&q->napi);
}

static void dpdk_link(struct cpu *cpu, struct timer_list *t)
{
	struct dpdk_priv *priv = (struct dpdk_priv *)((char *)t - offsetof(struct dpdk_priv, link));
	struct rte_eth_link link = { 0 };

	if (!netif_running(priv->dev))
		return;
	if (rte_eth_link_get_nowait(priv->port, &link) || link.link_status != RTE_ETH_LINK_UP)
		netif_carrier_off(priv->dev);
	else
		netif_carrier_on(priv->dev);
	mod_timer(cpu, &priv->link, cpu->now + LINK_NS);
}

/* ---- transmit --------------------------------------------------------------------------------------------- */

static void tx_flush(struct dpdk_queue *q)
{
	u64 now = q->napi.cpu->now;
	u16 n;

	if (!q->nr_pending)
		return;
	n = rte_eth_tx_burst(q->priv->port, q->id, q->pending, (u16)q->nr_pending);
	COUNT(q->stats.tx_bursts);
	if (n) {
		q->tx_moved = now;
	} else if (now - q->tx_moved > TX_PATIENCE) {
		/* No ring is full for so long: this one is refused, and keeps back all behind it. */
		rte_pktmbuf_free(q->pending[0]);
		q->dev->stats.tx_errors++;
		q->tx_moved = now;
		n = 1;
	}
	q->nr_pending -= n;
	memmove(q->pending, q->pending + n, q->nr_pending * sizeof(q->pending[0]));
	if (n && netif_xmit_stopped(q->dev->tx))
		netif_tx_wake_queue(q->dev->tx);
}

/* A chain with the octets of @skb. NULL: the pool is empty */
static struct rte_mbuf *mbuf_gather(struct dpdk_queue *q, const struct sk_buff *skb)
{
	struct rte_mbuf *head = NULL, *last = NULL;

	for (u32 off = 0; off < skb->len;) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(q->pool->mp);
		u16 n;

		if (!m)
			goto out;
		n = (u16)RTE_MIN(skb->len - off, (u32)rte_pktmbuf_tailroom(m));
		if (head) {
			last->next = m;
			head->nb_segs++;
		} else {
			head = m;
			head->pkt_len = 0;
		}
		last = m;
		m->data_len = n;
		head->pkt_len += n;
		if (skb_copy_bits(skb, off, rte_pktmbuf_mtod(m, void *), n))
			goto out;
		off += n;
	}
	return head;
out:
	rte_pktmbuf_free(head);
	return NULL;
}

/* What is left to the port: the field holds the sum of the pseudo header. */
static void mbuf_offloads(struct rte_mbuf *m, const struct sk_buff *skb)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);
	u8 *p = rte_pktmbuf_mtod(m, u8 *);
	bool v4 = p[ETH_HLEN] >> 4 == 4, tcp = skb->csum_offset == 16;
	u8 *l4;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return;
	l4 = p + skb_checksum_start_offset(skb);
	m->l2_len = ETH_HLEN;
	m->l3_len = (u64)(l4 - p - ETH_HLEN);
	m->ol_flags |= (v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6) |
		       (tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
	if (!skb_is_gso(skb))
		return;
	m->l4_len = (u64)(l4[12] >> 4) * 4;
	m->tso_segsz = sh->gso_size;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | (v4 ? RTE_MBUF_F_TX_IP_CKSUM : 0);
	/* The pseudo header of a segment is the port's to finish: here without a length, and the IP checksum is its, too. */
	if (v4) {
		struct rte_ipv4_hdr *ip = (void *)(p + ETH_HLEN);
		u16 sum = rte_ipv4_phdr_cksum(ip, m->ol_flags);

		ip->hdr_checksum = 0;
		memcpy(l4 + 16, &sum, sizeof(sum));
	} else {
		u16 sum = rte_ipv6_phdr_cksum((void *)(p + ETH_HLEN), m->ol_flags);

		memcpy(l4 + 16, &sum, sizeof(sum));
	}
}

static enum netdev_tx tx_stop(struct dpdk_queue *q)
{
	COUNT(q->stats.tx_full);
	netif_tx_stop_queue(q->dev->tx); /* poll() sends on, and wakes it */
	return NETDEV_TX_BUSY;
}

static enum netdev_tx dpdk_queue_xmit(struct sk_buff *skb, void *queue)
{
	struct dpdk_queue *q = queue;
	struct net_device *dev = q->dev;
	struct rte_mbuf *m;

	trace_skb(skb, dev->net, TP_dpdk_xmit, TRACE_PASS, q->nr_pending, 0);
	if (q->nr_pending == BURST) {
		tx_flush(q);
		if (q->nr_pending == BURST)
			return tx_stop(q);
	}
	m = mbuf_gather(q, skb);
	if (!m) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NETDEV_TX_OK;
	}
	mbuf_offloads(m, skb);
	if (!q->nr_pending)
		q->tx_moved = q->napi.cpu->now;
	q->pending[q->nr_pending++] = m;
	if (!(q->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&q->napi);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

/* ---- a queue ------------------------------------------------------------------------------------------------ */

/* @q becomes @dev's, which is that of the cpu. */
static void queue_init(struct dpdk_queue *q, struct net_device *dev)
{
	hrtimer_setup(&q->idle, dpdk_idle);
	netif_napi_add(dev, &q->napi, dpdk_poll);
	q->dev = dev;
}

static void queue_drop_pending(struct dpdk_queue *q)
{
	rte_pktmbuf_free_bulk(q->pending, q->nr_pending);
	q->nr_pending = 0;
}

static void queue_uninit(void *queue)
{
	struct dpdk_queue *q = queue;

	cpu_lock(q->dev->cpu);
	hrtimer_cancel(q->dev->cpu, &q->idle);
	queue_drop_pending(q);
	netif_napi_del(&q->napi);
	cpu_unlock(q->dev->cpu);
}

static int queue_open(void *queue)
{
	struct dpdk_queue *q = queue;

	napi_enable(&q->napi);
	netif_tx_wake_queue(q->dev->tx);
	napi_schedule(&q->napi);
	return 0;
}

static void queue_stop(void *queue)
{
	struct dpdk_queue *q = queue;

	tx_flush(q);
	napi_disable(&q->napi);
	hrtimer_cancel(q->dev->cpu, &q->idle);
}

/* One of those that are left, for the cpu of @shadow; NULL: there are none */
static void *queue_attach(struct net_device *dev, struct net_device *shadow)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	for (u32 i = 0; i < priv->nr_others; i++) {
		struct dpdk_queue *q = &priv->others[i];

		if (q->dev)
			continue;
		queue_init(q, shadow);
		return q;
	}
	return NULL;
}

static const struct netdev_queue_ops dpdk_queue_ops = {
	.attach = queue_attach,
	.detach = queue_uninit, /* its pool stays: the port has mbufs of it */
	.open = queue_open,
	.stop = queue_stop,
	.start_xmit = dpdk_queue_xmit,
};

/* ---- device operations -------------------------------------------------------------------------------------- */

static int dpdk_init(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	timer_setup(&priv->link, dpdk_link);
	queue_init(&priv->own, dev);
	return 0;
}

static enum netdev_tx dpdk_xmit(struct sk_buff *skb, struct net_device *dev)
{
	return dpdk_queue_xmit(skb, &dpdk_priv(dev)->own);
}

static void port_close(struct dpdk_priv *priv)
{
	char name[RTE_ETH_NAME_MAX_LEN] = "";

	if (!priv->opened)
		return;
	priv->opened = false;
	(void)rte_eth_dev_get_name_by_port(priv->port, name);
	(void)rte_eth_dev_stop(priv->port);
	(void)rte_eth_dev_close(priv->port);
	if (priv->probed)
		(void)rte_eal_hotplug_remove("vdev", name);
}

/* The port is closed; @q's cpu lock is held, or nobody has seen it. */
static void queue_put_pool(struct dpdk_queue *q)
{
	if (q->pool)
		pool_put(q->pool);
	q->pool = NULL;
}

static void dpdk_uninit(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	cpu_lock(dev->cpu);
	del_timer(&priv->link);
	cpu_unlock(dev->cpu);
	queue_uninit(&priv->own);
	port_close(priv);
	for (u32 i = 0; i < priv->nr_others; i++) {
		struct dpdk_queue *q = &priv->others[i];

		if (!q->dev)
			continue;
		cpu_lock(q->napi.cpu); /* the shadow is gone, its cpu is not */
		queue_put_pool(q);
		cpu_unlock(q->napi.cpu);
	}
}

static void dpdk_destructor(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	port_close(priv);
	queue_put_pool(&priv->own); /* the cpu lock is held, or nobody has seen the device */
	for (u32 i = 0; i < priv->nr_others; i++)
		queue_put_pool(&priv->others[i]);
	free(priv->others);
}

static int dpdk_open(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);
	int err = rte_eth_dev_start(priv->port);

	if (err)
		return err;
	mod_timer(dev->cpu, &priv->link, dev->cpu->now + 1);
	return queue_open(&priv->own);
}

/* The other queues have stopped before. */
static int dpdk_stop(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	netif_carrier_off(dev);
	queue_stop(&priv->own);
	del_timer(&priv->link);
	return rte_eth_dev_stop(priv->port);
}

static void dpdk_set_rx_mode(struct net_device *dev)
{
	u16 port = dpdk_priv(dev)->port;

	/* A port that cannot do it receives what it likes; the stack looks at addresses, too. */
	(void)(dev->flags & IFF_PROMISC ? rte_eth_promiscuous_enable(port)
					: rte_eth_promiscuous_disable(port));
	(void)rte_eth_allmulticast_enable(port);
}

static int dpdk_set_mac(struct net_device *dev, const u8 *addr)
{
	struct rte_ether_addr a;
	int err;

	memcpy(a.addr_bytes, addr, ETH_ALEN);
	err = rte_eth_dev_default_mac_addr_set(dpdk_priv(dev)->port, &a);
	if (!err)
		memcpy(dev->dev_addr, addr, ETH_ALEN);
	return err;
}

static int dpdk_change_mtu(struct net_device *dev, int mtu)
{
	int err = rte_eth_dev_set_mtu(dpdk_priv(dev)->port, (u16)mtu);

	return err == -ENOTSUP ? 0 : err; /* a port without a limit of its own */
}

static void ask_stats(struct dpdk_priv *priv)
{
	struct rte_eth_stats st;
	struct dpdk_stats sum = { 0 };
	u64 *to = (u64 *)&sum;

	for (u32 i = 0; i <= priv->nr_others; i++) {
		const u64 *from = (const u64 *)(i ? &priv->others[i - 1].stats : &priv->own.stats);

		for (u32 k = 0; k < sizeof(sum) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
	}
	if (!rte_eth_stats_get(priv->port, &st)) {
		sum.rx_missed = st.imissed;
		sum.rx_no_mbuf = st.rx_nombuf;
	}
	priv->sum = sum;
}

static void dpdk_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	ask_stats(priv);
	s->rx_missed_errors += priv->sum.rx_missed;
	s->rx_dropped += priv->sum.rx_missed + priv->sum.rx_no_mbuf;
}

static const struct net_device_ops dpdk_ops = {
	.ndo_init = dpdk_init,
	.ndo_uninit = dpdk_uninit,
	.ndo_open = dpdk_open,
	.ndo_stop = dpdk_stop,
	.ndo_start_xmit = dpdk_xmit,
	.ndo_set_rx_mode = dpdk_set_rx_mode,
	.ndo_set_mac_address = dpdk_set_mac,
	.ndo_change_mtu = dpdk_change_mtu,
	.ndo_get_stats64 = dpdk_get_stats64,
	.queue_ops = &dpdk_queue_ops,
};

#define DPDK_STAT(name_) ETHTOOL_OWN_STAT(#name_, struct dpdk_stats, name_)

static const struct ethtool_stat dpdk_stat_rows[] = {
	ETHTOOL_DEV_STAT("rx_packets", rx_packets),
	ETHTOOL_DEV_STAT("tx_packets", tx_packets),
	DPDK_STAT(rx_lent),
	DPDK_STAT(rx_copied),
	DPDK_STAT(rx_missed),
	DPDK_STAT(rx_no_mbuf),
	DPDK_STAT(tx_bursts),
	DPDK_STAT(tx_full),
};

static const void *dpdk_stats_own(struct net_device *dev)
{
	ask_stats(dpdk_priv(dev));
	return &dpdk_priv(dev)->sum;
}

static bool dpdk_get_link(struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

static int dpdk_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	ret->combined_count = ret->max_combined = 1 + dpdk_priv(dev)->nr_others;
	return 0;
}

static const struct ethtool_ops dpdk_ethtool_ops = {
	.driver = "dpdk",
	.stats = dpdk_stat_rows,
	.nr_stats = ARRAY_SIZE(dpdk_stat_rows),
	.stats_own = dpdk_stats_own,
	.get_link = dpdk_get_link,
	.get_channels = dpdk_get_channels,
};

/* ---- attaching ----------------------------------------------------------------------------------------------- */

static void dpdk_setup(struct net_device *dev);

static const struct rtnl_link_ops dpdk_link_ops = {
	.kind = "dpdk",
	.priv_size = sizeof(struct dpdk_priv),
	.setup = dpdk_setup,
};

static void dpdk_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &dpdk_ops;
	dev->rtnl_link_ops = &dpdk_link_ops;
	dev->ethtool_ops = &dpdk_ethtool_ops;
	dev->tx_queue_len = DPDK_TXQ;
	dev->live_addr_change = true;
	dev->priv_destructor = dpdk_destructor;
	dev->carrier = false;
	dpdk_priv(dev)->own.priv = dpdk_priv(dev);
}

/* 0, also when somebody has done it; or -errno. */
static int start_eal(struct netlink_ext_ack *extack)
{
	const char *env = getenv("WEIR_DPDK_EAL");
	char program[] = "weir", text[512], *argv[EAL_WORDS] = { program }, *save = NULL;
	int argc = 1, r;
	cpu_set_t cpus;

	if (rte_lcore_count()) /* there are none before it */
		return 0;
	snprintf(text, sizeof(text), "%s", env ? env : "--in-memory");
	for (char *w = strtok_r(text, " ", &save); w && argc < EAL_WORDS - 1;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	/* EAL binds the thread that starts it to one cpu; it is the program's. */
	(void)sched_getaffinity(0, sizeof(cpus), &cpus);
	r = rte_eal_init(argc, argv);
	(void)sched_setaffinity(0, sizeof(cpus), &cpus);
	if (r >= 0 || rte_errno == EALREADY)
		return 0;
	nl_set_err_msg(extack,
		       "dpdk: EAL: %s (WEIR_DPDK_EAL=\"--no-huge -m 256 --no-pci\" for ports "
		       "without hardware)",
		       rte_strerror(rte_errno));
	return rte_errno == EACCES ? -EACCES : -ENODEV;
}

/* The port of "NAME[,ARGUMENTS]", probed if it is not there. */
static int find_port(struct dpdk_priv *priv, const char *spec, struct netlink_ext_ack *extack)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	size_t len = strcspn(spec, ",");
	int err;

	if (len >= sizeof(name))
		return -EINVAL;
	memcpy(name, spec, len);
	name[len] = '\0';
	if (!rte_eth_dev_get_port_by_name(name, &priv->port))
		return 0;
	err = strchr(name, ':')
		      ? rte_dev_probe(spec)
		      : rte_eal_hotplug_add("vdev", name, spec[len] ? spec + len + 1 : "");
	if (!err) {
		priv->probed = !strchr(name, ':');
		err = rte_eth_dev_get_port_by_name(name, &priv->port);
	}
	if (err)
		nl_set_err_msg(extack, "dpdk: %.80s: %s", spec, rte_strerror(-err));
	return err;
}

/* What drivers say that they can, and cannot. */
static u64 quirks(const char *driver)
{
	static const struct {
		const char *driver;
		u64 offloads;
	} rows[] = {
		/* Takes the Ethernet header for a part of the MTU: it refuses full segments (DPDK 22.11). */
		{ "net_tap", RTE_ETH_TX_OFFLOAD_TCP_TSO },
	};
	u64 ret = 0;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(rows[i].driver, driver))
			ret |= rows[i].offloads;
	return ret;
}

/* Queue @q->id of the port, with a pool of its own. 0 or -errno */
static int open_queue(struct dpdk_priv *priv, struct dpdk_queue *q, struct machine *m, u16 rx,
		      u16 tx)
{
	int err;

	q->priv = priv;
	q->pool = pool_create(m, priv->port, q->id);
	if (!q->pool)
		return -ENOMEM;
	err = rte_eth_rx_queue_setup(priv->port, q->id, rx, (unsigned)SOCKET_ID_ANY, NULL,
				     q->pool->mp);
	return err ? err
		   : rte_eth_tx_queue_setup(priv->port, q->id, tx, (unsigned)SOCKET_ID_ANY, NULL);
}

static int open_queues(struct dpdk_priv *priv, struct machine *m, u16 n)
{
	u16 rx = RX_RING, tx = TX_RING;
	int err = rte_eth_dev_adjust_nb_rx_tx_desc(priv->port, &rx, &tx);

	if (!err)
		err = open_queue(priv, &priv->own, m, rx, tx);
	if (err || n == 1)
		return err;
	priv->others = aligned_alloc(CACHE_LINE, (n - 1u) * sizeof(*priv->others));
	if (!priv->others)
		return -ENOMEM;
	memset(priv->others, 0, (n - 1u) * sizeof(*priv->others));
	for (u16 i = 1; i < n && !err; i++) {
		struct dpdk_queue *q = &priv->others[priv->nr_others++];

		q->id = i;
		err = open_queue(priv, q, m, rx, tx);
	}
	return err;
}

/* With a queue for each of @cpus, if there are so many. 0 or -errno */
static int open_port(struct dpdk_priv *priv, u32 cpus, struct rte_eth_dev_info *info)
{
	const u64 wanted =
		TX_TSO | TX_CSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	struct rte_eth_conf conf = { 0 };
	int err = rte_eth_dev_info_get(priv->port, info);
	u16 n;

	if (err)
		return err;
	priv->opened = true;
	conf.txmode.offloads = priv->tx_offloads =
		info->tx_offload_capa & wanted & ~quirks(info->driver_name);
	conf.rxmode.offloads = info->rx_offload_capa &
			       (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
				RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	n = RTE_MIN(info->max_rx_queues, info->max_tx_queues);
	n = RTE_MIN(n, (u16)cpus);
	conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads & RSS_FLOWS;
	if (n > 1 && conf.rx_adv_conf.rss_conf.rss_hf)
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	err = rte_eth_dev_configure(priv->port, n, n, &conf);
	return err ? err : open_queues(priv, priv->dev->net->machine, n);
}

static void take_features(struct net_device *dev, const struct dpdk_priv *priv,
			  const struct rte_eth_dev_info *info)
{
	u16 mtu = ETH_DATA_LEN;
	struct rte_ether_addr addr;

	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA;
	if ((priv->tx_offloads & TX_CSUM) == TX_CSUM)
		dev->features |= NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM;
	if ((priv->tx_offloads & (TX_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)) ==
	    (TX_TSO | RTE_ETH_TX_OFFLOAD_MULTI_SEGS))
		dev->features |= NETIF_F_TSO | NETIF_F_TSO6;
	dev->hw_features = dev->features;
	(void)rte_eth_dev_get_mtu(priv->port, &mtu);
	dev->mtu = RTE_MIN(mtu, (u16)ETH_DATA_LEN);
	dev->max_mtu = RTE_MIN((u32)info->max_mtu, (u32)(RTE_MBUF_DEFAULT_DATAROOM - ETH_HLEN - 8));
	if (!rte_eth_macaddr_get(priv->port, &addr) && !rte_is_zero_ether_addr(&addr))
		memcpy(dev->dev_addr, addr.addr_bytes, ETH_ALEN);
	else
		eth_hw_addr_random(dev);
}

static int dpdk_attach(struct net *net, const char *ifname, const char *name, const void *config,
		       struct netlink_ext_ack *extack)
{
	struct rte_eth_dev_info info = { 0 };
	struct net_device *dev;
	struct dpdk_priv *priv;
	int err;

	if (net->machine->host->virtual_time) {
		nl_set_err_msg(extack, "dpdk: ports keep real time");
		return -EOPNOTSUPP;
	}
	err = start_eal(extack);
	if (err)
		return err;
	dev = alloc_netdev(net, sizeof(struct dpdk_priv), ifname, dpdk_setup, 1);
	if (!dev)
		return -ENOMEM;
	priv = dpdk_priv(dev);
	priv->dev = dev;
	err = find_port(priv, name, extack);
	if (!err) {
		err = open_port(priv, net->group ? net->group->n : 1, &info);
		if (err)
			nl_set_err_msg(extack, "dpdk: %.80s: %s", name, rte_strerror(-err));
	}
	if (!err) {
		take_features(dev, priv, &info);
		err = register_netdevice(dev);
	}
	if (err) {
		free_netdev(dev);
		return err;
	}
	for (u32 i = 0; i < priv->nr_others && !err; i++)
		err = priv->others[i].dev ? 0 : -ENOMEM;
	if (err) /* what came by a queue that no cpu has taken would be lost */
		unregister_netdevice(dev);
	return err;
}

static const struct host_dev_ops dpdk_dev_ops = {
	.kind = "dpdk",
	.owner = THIS_MODULE,
	.attach = dpdk_attach,
};

static int dpdk_module_init(struct machine *m)
{
	return host_dev_register(m, &dpdk_dev_ops);
}

static void dpdk_module_exit(struct machine *m)
{
	host_dev_unregister(m, &dpdk_dev_ops);
}

WEIR_MODULE(.name = "dev-dpdk", .description = "devices over ports of DPDK",
	    .init = dpdk_module_init, .exit = dpdk_module_exit);
