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
 * Invariants
 *   The pool outlives the device while mbufs are lent, and the module while the pool is there.
 * Locking: the cpu lock; rtnl to make and remove.
 * See the DPDK programmer's guide: mbuf library, poll mode driver.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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
#define TX_TSO      (RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM)
#define TX_CSUM     (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)

struct dpdk_pool {
	struct machine *machine;
	struct rte_mempool *mp;
	u32 refs; /* the device, and each mbuf that is lent */
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

struct dpdk_priv {
	struct napi_struct napi;
	struct net_device *dev;
	struct dpdk_pool *pool;
	u16 port;
	bool opened, probed; /* probed: by us, so it goes with the device */
	u64 tx_offloads;
	u64 tx_moved; /* when a frame left, or the first of pending came */
	u32 nr_pending;
	struct rte_mbuf *pending[BURST];
	struct hrtimer idle;
	struct timer_list link;
	struct dpdk_stats stats;
};

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
static struct page *mbuf_lend(struct dpdk_priv *priv, struct rte_mbuf *m)
{
	struct dpdk_priv_area *a = rte_mbuf_to_priv(m);

	*a = (struct dpdk_priv_area){
		.page = { .refcount = 1,
			  .size = m->buf_len,
			  .owner = priv->napi.cpu,
			  .release = mbuf_release,
			  .addr = m->buf_addr },
		.pool = priv->pool,
		.m = m,
	};
	priv->pool->nr_lent++;
	priv->pool->refs++;
	return &a->page;
}

/* NULL: no memory. */
static struct dpdk_pool *pool_create(struct machine *m, u16 port)
{
	struct dpdk_pool *p = calloc(1, sizeof(*p));
	char name[32];

	if (!p)
		return NULL;
	p->machine = m;
	p->refs = 1;
	snprintf(name, sizeof(name), "weir-port-%u", port);
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
static struct sk_buff *dpdk_skb(struct dpdk_priv *priv, struct rte_mbuf *m)
{
	struct net_device *dev = priv->dev;
	struct sk_buff *skb;
	struct page *page;

	if (m->nb_segs == 1 && (m->data_len <= COPY_MAX || priv->pool->nr_lent * 2 >= MBUFS)) {
		skb = frame_copy_in(dev, rte_pktmbuf_mtod(m, void *), m->data_len);
		rte_pktmbuf_free(m);
		priv->stats.rx_copied++;
		return skb;
	}
	page = mbuf_lend(priv, m);
	skb = frame_lend_in(dev, page, m->data_off, m->data_len);
	for (struct rte_mbuf *seg = m->next, *next; seg; seg = next) {
		struct page *more = mbuf_lend(priv, seg);
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
	priv->stats.rx_lent += skb != NULL;
	return skb;
}

static void dpdk_receive(struct dpdk_priv *priv, struct sk_buff *skb, u64 flags, u16 tci)
{
	struct net_device *dev = priv->dev;

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
	napi_gro_receive(&priv->napi, skb);
}

static void tx_flush(struct dpdk_priv *priv);

static int dpdk_poll(struct napi_struct *napi, int budget)
{
	struct dpdk_priv *priv = dpdk_priv(napi->dev);
	struct rte_mbuf *burst[BURST];
	int work = 0;
	u16 n;

	do {
		u16 want = (u16)RTE_MIN((int)BURST, budget - work);

		n = rte_eth_rx_burst(priv->port, 0, burst, want);
		for (u16 i = 0; i < n; i++) {
			u64 flags = burst[i]->ol_flags;
			u16 tci = burst[i]->vlan_tci;
			struct sk_buff *skb = dpdk_skb(priv, burst[i]);

			if (skb)
				dpdk_receive(priv, skb, flags, tci);
			else
				priv->dev->stats.rx_dropped++;
		}
		work += n;
	} while (n == BURST && work < budget);
	tx_flush(priv);
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	tx_flush(priv); /* what the end of merging has caused */
	if (work)
		napi_schedule(napi);
	else
		(void)hrtimer_start(napi->cpu, &priv->idle, napi->cpu->now + IDLE_NS);
	return work;
}

static void dpdk_idle(struct cpu *cpu, struct hrtimer *t)
{
	struct dpdk_priv *priv = (struct dpdk_priv *)((char *)t - offsetof(struct dpdk_priv, idle));

	if (netif_running(priv->dev) && !(priv->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&priv->napi);
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

static void tx_flush(struct dpdk_priv *priv)
{
	u16 n;

	if (!priv->nr_pending)
		return;
	n = rte_eth_tx_burst(priv->port, 0, priv->pending, (u16)priv->nr_pending);
	priv->stats.tx_bursts++;
	if (n) {
		priv->tx_moved = priv->napi.cpu->now;
	} else if (priv->napi.cpu->now - priv->tx_moved > TX_PATIENCE) {
		/* No ring is full for so long: this one is refused, and keeps back all behind it. */
		rte_pktmbuf_free(priv->pending[0]);
		priv->dev->stats.tx_errors++;
		priv->tx_moved = priv->napi.cpu->now;
		n = 1;
	}
	priv->nr_pending -= n;
	memmove(priv->pending, priv->pending + n, priv->nr_pending * sizeof(priv->pending[0]));
	if (n && netif_xmit_stopped(priv->dev->tx))
		netif_tx_wake_queue(priv->dev->tx);
}

/* A chain with the octets of @skb. NULL: the pool is empty */
static struct rte_mbuf *mbuf_gather(struct dpdk_priv *priv, const struct sk_buff *skb)
{
	struct rte_mbuf *head = NULL, *last = NULL;

	for (u32 off = 0; off < skb->len;) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(priv->pool->mp);
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

static enum netdev_tx tx_stop(struct dpdk_priv *priv)
{
	priv->stats.tx_full++;
	netif_tx_stop_queue(priv->dev->tx); /* poll() sends on, and wakes it */
	return NETDEV_TX_BUSY;
}

static enum netdev_tx dpdk_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);
	struct rte_mbuf *m;

	trace_skb(skb, dev->net, TP_dpdk_xmit, TRACE_PASS, priv->nr_pending, 0);
	if (priv->nr_pending == BURST) {
		tx_flush(priv);
		if (priv->nr_pending == BURST)
			return tx_stop(priv);
	}
	m = mbuf_gather(priv, skb);
	if (!m) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_NOMEM);
		return NETDEV_TX_OK;
	}
	mbuf_offloads(m, skb);
	if (!priv->nr_pending)
		priv->tx_moved = priv->napi.cpu->now;
	priv->pending[priv->nr_pending++] = m;
	if (!(priv->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&priv->napi);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

/* ---- device operations -------------------------------------------------------------------------------------- */

static int dpdk_init(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	priv->dev = dev;
	hrtimer_setup(&priv->idle, dpdk_idle);
	timer_setup(&priv->link, dpdk_link);
	netif_napi_add(dev, &priv->napi, dpdk_poll);
	return 0;
}

static void port_close(struct dpdk_priv *priv)
{
	char name[RTE_ETH_NAME_MAX_LEN] = "";

	if (!priv->opened)
		return;
	priv->opened = false;
	rte_pktmbuf_free_bulk(priv->pending, priv->nr_pending);
	priv->nr_pending = 0;
	(void)rte_eth_dev_get_name_by_port(priv->port, name);
	(void)rte_eth_dev_stop(priv->port);
	(void)rte_eth_dev_close(priv->port);
	if (priv->probed)
		(void)rte_eal_hotplug_remove("vdev", name);
}

static void dpdk_uninit(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	cpu_lock(dev->cpu);
	hrtimer_cancel(dev->cpu, &priv->idle);
	del_timer(&priv->link);
	netif_napi_del(&priv->napi);
	cpu_unlock(dev->cpu);
	port_close(priv);
}

static void dpdk_destructor(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	port_close(priv);
	if (priv->pool) /* the cpu lock is held, or nobody has seen the device */
		pool_put(priv->pool);
}

static int dpdk_open(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);
	int err = rte_eth_dev_start(priv->port);

	if (err)
		return err;
	napi_enable(&priv->napi);
	netif_tx_wake_queue(dev->tx);
	napi_schedule(&priv->napi);
	mod_timer(dev->cpu, &priv->link, dev->cpu->now + 1);
	return 0;
}

static int dpdk_stop(struct net_device *dev)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	netif_carrier_off(dev);
	tx_flush(priv);
	napi_disable(&priv->napi);
	hrtimer_cancel(dev->cpu, &priv->idle);
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

	if (rte_eth_stats_get(priv->port, &st))
		return;
	priv->stats.rx_missed = st.imissed;
	priv->stats.rx_no_mbuf = st.rx_nombuf;
}

static void dpdk_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct dpdk_priv *priv = dpdk_priv(dev);

	ask_stats(priv);
	s->rx_missed_errors += priv->stats.rx_missed;
	s->rx_dropped += priv->stats.rx_missed + priv->stats.rx_no_mbuf;
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
	return &dpdk_priv(dev)->stats;
}

static bool dpdk_get_link(struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

static const struct ethtool_ops dpdk_ethtool_ops = {
	.driver = "dpdk",
	.stats = dpdk_stat_rows,
	.nr_stats = ARRAY_SIZE(dpdk_stat_rows),
	.stats_own = dpdk_stats_own,
	.get_link = dpdk_get_link,
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
}

/* 0, also when somebody has done it; or -errno. */
static int start_eal(struct netlink_ext_ack *extack)
{
	const char *env = getenv("WEIR_DPDK_EAL");
	char program[] = "weir", text[512], *argv[EAL_WORDS] = { program }, *save = NULL;
	int argc = 1;

	if (rte_lcore_count()) /* there are none before it */
		return 0;
	snprintf(text, sizeof(text), "%s", env ? env : "--in-memory");
	for (char *w = strtok_r(text, " ", &save); w && argc < EAL_WORDS - 1;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	if (rte_eal_init(argc, argv) >= 0 || rte_errno == EALREADY)
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

static int open_port(struct dpdk_priv *priv, struct rte_eth_dev_info *info)
{
	const u64 wanted =
		TX_TSO | TX_CSUM | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	struct rte_eth_conf conf = { 0 };
	u16 rx = RX_RING, tx = TX_RING;
	int err = rte_eth_dev_info_get(priv->port, info);

	if (err)
		return err;
	priv->opened = true;
	conf.txmode.offloads = priv->tx_offloads =
		info->tx_offload_capa & wanted & ~quirks(info->driver_name);
	conf.rxmode.offloads = info->rx_offload_capa &
			       (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM |
				RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP);
	err = rte_eth_dev_configure(priv->port, 1, 1, &conf);
	if (!err)
		err = rte_eth_dev_adjust_nb_rx_tx_desc(priv->port, &rx, &tx);
	if (!err)
		err = rte_eth_rx_queue_setup(priv->port, 0, rx, (unsigned)SOCKET_ID_ANY, NULL,
					     priv->pool->mp);
	if (!err)
		err = rte_eth_tx_queue_setup(priv->port, 0, tx, (unsigned)SOCKET_ID_ANY, NULL);
	return err;
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
	err = find_port(priv, name, extack);
	if (!err) {
		priv->pool = pool_create(net->machine, priv->port);
		err = priv->pool ? open_port(priv, &info) : -ENOMEM;
		if (err)
			nl_set_err_msg(extack, "dpdk: %.80s: %s", name, rte_strerror(-err));
	}
	if (!err) {
		take_features(dev, priv, &info);
		err = register_netdevice(dev);
	}
	if (err)
		free_netdev(dev);
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
