/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev-afxdp.c - a module: a device over queues of an interface of the host, by AF_XDP sockets
 *
 * Theory of operation
 *   The interface is the device's alone: libxdp's program gives every frame of the queues to the sockets, the host sees none of them. Each
 *   queue has a socket with rings for receive and transmit, and rings for empty and sent chunks; all share one umem of chunks of 4 KiB.
 *
 *   Receive. The kernel (or the card) writes a frame into a chunk. Short ones are copied into an skb and the chunk is free again; of longer ones
 *   the chunk itself becomes a fragment, and is free when the last skb that points into it has gone: there is no copy between ring
 *   and skb. At most half of the chunks are lent so, beyond that frames are copied.
 *   Transmit. The octets are gathered into a chunk, one copy. The kernel is told (where it wants to be: need_wakeup) when the softirqs that wrote frames are
 *   through, or tx_usecs later; it takes 32 frames a call in copy mode, so it is called until the ring is empty.
 *   Each socket has an interrupt line (host_line.h). With busy_poll the sockets ask for busy polling (SO_PREFER_BUSY_POLL): then the device's
 *   poll() drives the card's, and never sleeps while the device is up.
 *
 *   There is no word about checksums beside a frame. A kernel that sends to a veth leaves them unfinished, and AF_XDP hands that on: with
 *   csum=veth a transport checksum that is the sum of the pseudo header alone is taken as such; else the sender's offloads must be off.
 * Invariants
 *   A chunk is in exactly one place: on the free list, in a fill or rx ring (the kernel's), in a tx or completion ring, or lent
 *   (page.refcount > 0). The umem outlives the device while chunks are lent, and the module while the umem is there.
 * Locking: the cpu lock; rtnl to make and remove.
 * See Documentation of the uapi header linux/if_xdp.h; libxdp(3), xsk.h.
 */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/drivers_internal.h"
#include "weir/module.h"

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#define CHUNK       4096u
#define CHUNK_ROOM  (CHUNK - XDP_PACKET_HEADROOM)
#define COPY_MAX    512u /* shorter frames are cheaper to copy than to lend */
#define MAX_QUEUES  16
#define RING        2048u
#define TX_BATCH    64u
#define TX_CALLS    (RING / 32 + 1)
#define RETRY_NS    (10 * NSEC_PER_MSEC)
#define AFXDP_TXQ   1000
#define BUSY_USECS  20
#define BUSY_BUDGET 64

#ifndef XDP_PACKET_HEADROOM
#define XDP_PACKET_HEADROOM 256
#endif
#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif

enum { MODE_AUTO, MODE_NATIVE, MODE_GENERIC };
enum { COPY_AUTO, COPY_ALWAYS, COPY_NEVER };
enum { CSUM_CHECK, CSUM_VETH };
enum { ADDR_HOST, ADDR_OWN };

struct afxdp_config {
	u32 chunks, queues, mode, copy, csum, addr, busy_poll, tx_usecs;
};

struct afxdp_umem {
	struct machine *machine;
	struct xsk_umem *umem;
	u8 *area;
	u32 refs; /* the device, and each chunk that is lent */
	u32 nr_chunks, nr_lent, nr_free;
	u32 *free; /* a stack: what was used last is in the cache */
	struct afxdp_chunk {
		struct page page;
		struct afxdp_umem *owner;
	} chunks[];
};

struct afxdp_stats {
	u64 rx_lent, rx_copied, rx_ring_full, rx_fill_empty, rx_dropped;
	u64 tx_calls, tx_ring_full;
	u64 csum_unfinished;
};

struct afxdp_queue {
	struct xsk_socket *xsk;
	struct xsk_ring_cons rx, comp;
	struct xsk_ring_prod tx, fill;
	int fd;
	struct host_line line;
};

struct afxdp_priv {
	struct napi_struct napi;
	struct afxdp_umem *umem;
	u32 nr_queues, next_queue;
	bool csum_veth, busy_poll;
	u32 tx_unsent;
	u64 tx_wait_ns;
	struct hrtimer tx_timer;
	struct timer_list retry;
	struct hostif host;
	struct afxdp_stats stats;
	struct afxdp_queue queues[MAX_QUEUES];
};

static struct afxdp_priv *afxdp_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- chunks --------------------------------------------------------------------------------------------- */

static size_t umem_size(u32 nr_chunks)
{
	return (size_t)nr_chunks * CHUNK;
}

static void umem_put(struct afxdp_umem *u)
{
	struct machine *m = u->machine;

	if (--u->refs)
		return;
	if (u->area)
		munmap(u->area, umem_size(u->nr_chunks));
	free(u->free);
	free(u);
	__module_put(m, THIS_MODULE);
}

static void chunk_free(struct afxdp_umem *u, u64 addr)
{
	u->free[u->nr_free++] = (u32)(addr / CHUNK);
}

/* The last reference to what was received in it has gone. */
static void chunk_release(struct page *page)
{
	struct afxdp_chunk *c = container_of(page, struct afxdp_chunk, page);
	struct afxdp_umem *u = c->owner;

	u->nr_lent--;
	chunk_free(u, (u64)(page->addr - u->area));
	umem_put(u);
}

/* NULL: no memory. */
static struct afxdp_umem *umem_create(struct machine *m, u32 nr_chunks)
{
	struct afxdp_umem *u = calloc(1, sizeof(*u) + nr_chunks * sizeof(u->chunks[0]));

	if (!u)
		return NULL;
	u->machine = m;
	u->refs = 1;
	u->nr_chunks = nr_chunks;
	u->free = calloc(nr_chunks, sizeof(*u->free));
	u->area = mmap(NULL, umem_size(nr_chunks), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (u->area == MAP_FAILED)
		u->area = NULL;
	if (!u->free || !u->area || !__try_module_get(m, THIS_MODULE)) {
		if (u->area)
			munmap(u->area, umem_size(nr_chunks));
		free(u->free);
		free(u);
		return NULL;
	}
	for (u32 i = nr_chunks; i-- > 0;) {
		struct afxdp_chunk *c = &u->chunks[i];

		c->owner = u;
		c->page = (struct page){ .size = CHUNK,
					 .release = chunk_release,
					 .addr = u->area + (size_t)i * CHUNK };
		chunk_free(u, (u64)i * CHUNK);
	}
	return u;
}

/* ---- receive --------------------------------------------------------------------------------------------- */

/* As many empty chunks as there are and the ring takes. */
static void fill_ring(struct afxdp_priv *priv, struct afxdp_queue *q)
{
	struct afxdp_umem *u = priv->umem;
	u32 n = min(u->nr_free, xsk_prod_nb_free(&q->fill, RING)), i, at;

	n = min(n, RING);
	/* Some are kept for transmission; a ring is given what its share is. */
	if (n < TX_BATCH || u->nr_free < u->nr_chunks / 8 ||
	    !xsk_ring_prod__reserve(&q->fill, n, &at))
		return;
	for (i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&q->fill, at + i) = (u64)u->free[--u->nr_free] * CHUNK;
	xsk_ring_prod__submit(&q->fill, n);
	if (xsk_ring_prod__needs_wakeup(&q->fill))
		(void)recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static struct sk_buff *afxdp_skb(struct afxdp_priv *priv, u64 addr, u32 len)
{
	struct net_device *dev = priv->napi.dev;
	struct afxdp_umem *u = priv->umem;
	struct page *page = &u->chunks[addr / CHUNK].page;
	struct sk_buff *skb;

	if (len <= COPY_MAX || u->nr_lent * 2 >= u->nr_chunks) {
		skb = frame_copy_in(dev, u->area + addr, len);
		chunk_free(u, addr);
		priv->stats.rx_copied++;
		return skb;
	}
	page->refcount = 1;
	page->owner = dev->cpu;
	u->nr_lent++;
	u->refs++;
	skb = frame_lend_in(dev, page, (u32)(addr % CHUNK), len);
	page_put(page);
	priv->stats.rx_lent++;
	return skb;
}

static void afxdp_receive(struct afxdp_priv *priv, struct sk_buff *skb)
{
	struct net_device *dev = priv->napi.dev;

	trace_skb(skb, dev->net, TP_afxdp_receive, TRACE_PASS, skb_shinfo(skb)->nr_frags, 0);
	if (unlikely(skb->len < ETH_HLEN)) {
		dev->stats.rx_errors++;
		dev->stats.rx_length_errors++;
		kfree_skb_reason(skb, SKB_DROP_PKT_TOO_SMALL);
		return;
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	if (priv->csum_veth && frame_csum_unfinished(skb))
		priv->stats.csum_unfinished++;
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	napi_gro_receive(&priv->napi, skb);
}

static int rx_queue(struct afxdp_priv *priv, struct afxdp_queue *q, int budget)
{
	u32 at, n = xsk_ring_cons__peek(&q->rx, (u32)budget, &at);

	for (u32 i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, at + i);
		struct sk_buff *skb = afxdp_skb(priv, d->addr, d->len);

		if (skb)
			afxdp_receive(priv, skb);
		else
			priv->napi.dev->stats.rx_dropped++;
	}
	if (n)
		xsk_ring_cons__release(&q->rx, n);
	fill_ring(priv, q);
	return (int)n;
}

static void tx_flush(struct afxdp_priv *priv);

static int afxdp_poll(struct napi_struct *napi, int budget)
{
	struct afxdp_priv *priv = container_of(napi, struct afxdp_priv, napi);
	int work = 0;

	for (u32 i = 0; i < priv->nr_queues && work < budget; i++) {
		struct afxdp_queue *q = &priv->queues[priv->next_queue];

		if (priv->busy_poll)
			(void)recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
		work += rx_queue(priv, q, budget - work);
		priv->next_queue = (priv->next_queue + 1) % priv->nr_queues;
	}
	tx_flush(priv);
	if (work >= budget)
		return budget;
	if (priv->busy_poll) { /* the caller pays a core */
		napi_complete_done(napi, work);
		napi_schedule(napi);
		return work;
	}
	napi_complete_done(napi, work);
	tx_flush(priv); /* what the end of merging has caused */
	for (u32 i = 0; i < priv->nr_queues; i++)
		host_line_arm(&priv->queues[i].line, HOST_WATCH_READ);
	return work;
}

/* ---- transmit -------------------------------------------------------------------------------------------- */

/* Takes back what was sent. */
static void tx_clean(struct afxdp_priv *priv, struct afxdp_queue *q)
{
	u32 at = 0, n = xsk_ring_cons__peek(&q->comp, RING, &at);

	for (u32 i = 0; i < n; i++)
		chunk_free(priv->umem, *xsk_ring_cons__comp_addr(&q->comp, at + i));
	if (n)
		xsk_ring_cons__release(&q->comp, n);
}

static bool tx_ring_empty(struct afxdp_queue *q)
{
	return xsk_prod_nb_free(&q->tx, RING) == RING;
}

static void tx_flush(struct afxdp_priv *priv)
{
	struct afxdp_queue *q = &priv->queues[0];
	struct net_device *dev = priv->napi.dev;
	int calls = 0;

	tx_clean(priv, q); /* what a card has sent by itself meanwhile */
	if (!priv->tx_unsent)
		return;
	while (!tx_ring_empty(q) && calls++ < (int)TX_CALLS &&
	       xsk_ring_prod__needs_wakeup(&q->tx)) {
		priv->stats.tx_calls++;
		if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
		    errno != EBUSY)
			break;
		tx_clean(priv, q); /* the kernel sends no more than it has room to tell of */
	}
	priv->tx_unsent = 0;
	if (unlikely(!tx_ring_empty(q) && xsk_ring_prod__needs_wakeup(&q->tx))) {
		priv->tx_unsent = 1;
		mod_timer(dev->cpu, &priv->retry, dev->cpu->now + RETRY_NS);
	}
	tx_clean(priv, q);
}

static void afxdp_retry(struct cpu *cpu, struct timer_list *t)
{
	struct afxdp_priv *priv = container_of(t, struct afxdp_priv, retry);

	if (netif_running(priv->napi.dev))
		tx_flush(priv);
}

static void tx_waited(struct cpu *cpu, struct hrtimer *t)
{
	struct afxdp_priv *priv = container_of(t, struct afxdp_priv, tx_timer);

	if (netif_running(priv->napi.dev))
		tx_flush(priv);
}

static void tx_expect_more(struct afxdp_priv *priv)
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

static enum netdev_tx tx_drop(struct sk_buff *skb, struct net_device *dev, skb_drop_reason_t reason)
{
	dev->stats.tx_errors++;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

static enum netdev_tx afxdp_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	struct afxdp_umem *u = priv->umem;
	struct afxdp_queue *q = &priv->queues[0];
	struct xdp_desc *d;
	u64 addr;
	u32 at;

	trace_skb(skb, dev->net, TP_afxdp_xmit, TRACE_PASS, 0, 0);
	if (skb->len > CHUNK || skb->len > hostif_mtu(&priv->host) + ETH_HLEN + VLAN_HLEN)
		return tx_drop(skb, dev, SKB_DROP_HOST_XMIT);
	if (!u->nr_free || !xsk_prod_nb_free(&q->tx, 1)) {
		tx_flush(priv);
		if (!u->nr_free || !xsk_prod_nb_free(&q->tx, 1)) {
			priv->stats.tx_ring_full++;
			return host_line_busy(&q->line);
		}
	}
	addr = (u64)u->free[u->nr_free - 1] * CHUNK;
	if (skb_copy_bits(skb, 0, u->area + addr, skb->len))
		return tx_drop(skb, dev, SKB_DROP_NOMEM);
	if (!xsk_ring_prod__reserve(&q->tx, 1, &at)) /* not so: there was room */
		return tx_drop(skb, dev, SKB_DROP_NOMEM);
	d = xsk_ring_prod__tx_desc(&q->tx, at);
	*d = (struct xdp_desc){ .addr = addr, .len = skb->len };
	xsk_ring_prod__submit(&q->tx, 1);
	u->nr_free--;
	priv->tx_unsent++;
	tx_expect_more(priv);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

/* ---- device operations ------------------------------------------------------------------------------------ */

static void lines_close(struct afxdp_priv *priv)
{
	for (u32 i = 0; i < priv->nr_queues; i++)
		host_line_close(&priv->queues[i].line);
}

static int afxdp_init(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	int err = 0;

	timer_setup(&priv->retry, afxdp_retry);
	hrtimer_setup(&priv->tx_timer, tx_waited);
	netif_napi_add(dev, &priv->napi, afxdp_poll);
	for (u32 i = 0; i < priv->nr_queues && !err; i++)
		err = host_line_open(&priv->queues[i].line, &priv->napi, priv->queues[i].fd, true);
	if (!err)
		err = hostif_follow(&priv->host, dev);
	if (err) {
		lines_close(priv);
		netif_napi_del(&priv->napi);
	}
	return err;
}

/*
 * libxdp and libbpf would write to stderr. What they print with is the process's, and the program may have a use for it: ours is there during our
 * calls. Two machines may put back each other's, so the module is never unmapped.
 */
static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

static int be_quiet_too(enum libxdp_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

struct printers {
	libbpf_print_fn_t bpf;
	libxdp_print_fn_t xdp;
};

static struct printers silence(void)
{
	return (struct printers){ libbpf_set_print(be_quiet), libxdp_set_print(be_quiet_too) };
}

static void unsilence(struct printers old)
{
	(void)libbpf_set_print(old.bpf);
	(void)libxdp_set_print(old.xdp);
}

static void sockets_delete(struct afxdp_priv *priv)
{
	struct printers old = silence();

	for (u32 i = 0; i < MAX_QUEUES; i++) {
		if (priv->queues[i].xsk)
			xsk_socket__delete(priv->queues[i].xsk);
		priv->queues[i].xsk = NULL;
	}
	if (priv->umem && priv->umem->umem)
		(void)xsk_umem__delete(priv->umem->umem);
	if (priv->umem)
		priv->umem->umem = NULL;
	unsilence(old);
}

static void afxdp_uninit(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	hostif_close(&priv->host);
	lines_close(priv);
	cpu_lock(dev->cpu);
	del_timer(&priv->retry);
	hrtimer_cancel(dev->cpu, &priv->tx_timer);
	netif_napi_del(&priv->napi);
	cpu_unlock(dev->cpu);
	sockets_delete(priv); /* the kernel writes nothing any more */
}

static void afxdp_destructor(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	hostif_close(&priv->host);
	sockets_delete(priv);
	if (priv->umem) /* the cpu lock is held, or nobody has seen the device */
		umem_put(priv->umem);
}

static int afxdp_open(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	napi_enable(&priv->napi);
	hostif_show_carrier(&priv->host);
	netif_tx_wake_queue(dev->tx);
	napi_schedule(&priv->napi); /* what came while it was down, and arms the watches */
	return 0;
}

static int afxdp_stop(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	netif_carrier_off(dev);
	napi_disable(&priv->napi);
	tx_flush(priv);
	del_timer(&priv->retry);
	hrtimer_cancel(dev->cpu, &priv->tx_timer);
	return 0;
}

static int afxdp_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

static void ask_stats(struct afxdp_priv *priv)
{
	struct afxdp_stats *st = &priv->stats;

	st->rx_ring_full = st->rx_fill_empty = st->rx_dropped = 0;
	for (u32 i = 0; i < priv->nr_queues; i++) {
		struct xdp_statistics x = { 0 };
		socklen_t len = sizeof(x);

		if (getsockopt(priv->queues[i].fd, SOL_XDP, XDP_STATISTICS, &x, &len))
			continue;
		st->rx_ring_full += x.rx_ring_full;
		st->rx_fill_empty += x.rx_fill_ring_empty_descs;
		st->rx_dropped += x.rx_dropped; /* for want of an empty chunk, too */
	}
}

static void afxdp_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	const struct afxdp_stats *st = &priv->stats;

	ask_stats(priv);
	s->rx_missed_errors += st->rx_ring_full + st->rx_dropped;
	s->rx_dropped += st->rx_ring_full + st->rx_dropped;
}

static const struct net_device_ops afxdp_ops = {
	.ndo_init = afxdp_init,
	.ndo_uninit = afxdp_uninit,
	.ndo_open = afxdp_open,
	.ndo_stop = afxdp_stop,
	.ndo_start_xmit = afxdp_xmit,
	.ndo_set_mac_address = afxdp_set_mac,
	.ndo_get_stats64 = afxdp_get_stats64,
};

#define AFXDP_STAT(name_) ETHTOOL_OWN_STAT(#name_, struct afxdp_stats, name_)

static const struct ethtool_stat afxdp_stat_rows[] = {
	ETHTOOL_DEV_STAT("rx_packets", rx_packets),
	ETHTOOL_DEV_STAT("tx_packets", tx_packets),
	ETHTOOL_DEV_STAT("rx_bytes", rx_bytes),
	ETHTOOL_DEV_STAT("tx_bytes", tx_bytes),
	AFXDP_STAT(rx_lent),
	AFXDP_STAT(rx_copied),
	AFXDP_STAT(rx_ring_full),
	AFXDP_STAT(rx_fill_empty),
	AFXDP_STAT(rx_dropped),
	AFXDP_STAT(tx_calls),
	AFXDP_STAT(tx_ring_full),
	AFXDP_STAT(csum_unfinished),
};

static const void *afxdp_stats_own(struct net_device *dev)
{
	ask_stats(afxdp_priv(dev));
	return &afxdp_priv(dev)->stats;
}

static bool afxdp_get_link(struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

static int afxdp_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	ret->combined_count = ret->max_combined = afxdp_priv(dev)->nr_queues;
	return 0;
}

static const struct ethtool_ops afxdp_ethtool_ops = {
	.driver = "afxdp",
	.stats = afxdp_stat_rows,
	.nr_stats = ARRAY_SIZE(afxdp_stat_rows),
	.stats_own = afxdp_stats_own,
	.get_link = afxdp_get_link,
	.get_channels = afxdp_get_channels,
};

/* ---- attaching --------------------------------------------------------------------------------------------- */

static void afxdp_setup(struct net_device *dev);

static const struct rtnl_link_ops afxdp_link_ops = {
	.kind = "afxdp",
	.priv_size = sizeof(struct afxdp_priv),
	.setup = afxdp_setup,
};

static void afxdp_setup(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	ether_setup(dev);
	dev->netdev_ops = &afxdp_ops;
	dev->rtnl_link_ops = &afxdp_link_ops;
	dev->ethtool_ops = &afxdp_ethtool_ops;
	dev->features = dev->hw_features = NETIF_F_SG | NETIF_F_HIGHDMA;
	dev->tx_queue_len = AFXDP_TXQ;
	dev->live_addr_change = true;
	dev->priv_destructor = afxdp_destructor;
	dev->carrier = false;
	priv->host.fd = priv->host.stop_fd = -1;
}

/* How many queues the interface receives by. */
static u32 host_queues(const char *name)
{
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (void *)&ch };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = -1;

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (fd >= 0) {
		err = ioctl(fd, SIOCETHTOOL, &ifr);
		close(fd);
	}
	return err ? 1 : max(1u, ch.combined_count + ch.rx_count);
}

static int open_queue(struct afxdp_priv *priv, const char *name, u32 i,
		      const struct afxdp_config *cfg)
{
	static const u32 xdp_flags[] = { [MODE_AUTO] = 0,
					 [MODE_NATIVE] = XDP_FLAGS_DRV_MODE,
					 [MODE_GENERIC] = XDP_FLAGS_SKB_MODE };
	static const u16 bind_flags[] = {
		[COPY_AUTO] = 0, [COPY_ALWAYS] = XDP_COPY, [COPY_NEVER] = XDP_ZEROCOPY
	};
	struct afxdp_queue *q = &priv->queues[i];
	struct xsk_socket_config sc = {
		.rx_size = RING,
		.tx_size = RING,
		.xdp_flags = xdp_flags[cfg->mode],
		.bind_flags = (u16)(XDP_USE_NEED_WAKEUP | bind_flags[cfg->copy]),
	};
	int err = xsk_socket__create_shared(&q->xsk, name, i, priv->umem->umem, &q->rx, &q->tx,
					    &q->fill, &q->comp, &sc);

	if (err)
		return err;
	q->fd = xsk_socket__fd(q->xsk);
	return 0;
}

static int busy_poll_queue(const struct afxdp_queue *q)
{
	int on = 1, usecs = BUSY_USECS, budget = BUSY_BUDGET;

	return setsockopt(q->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on)) ||
			       setsockopt(q->fd, SOL_SOCKET, SO_BUSY_POLL, &usecs, sizeof(usecs)) ||
			       setsockopt(q->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget,
					  sizeof(budget))
		       ? -errno
		       : 0;
}

static const char *why_not(int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return "AF_XDP needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF";
	case EBUSY:
		return "the queue belongs to another AF_XDP socket, or the interface has an XDP "
		       "program";
	case EOPNOTSUPP:
		return "the interface's driver does not do this: try mode=generic, or copy=yes";
	case ENOBUFS:
	case ENOMEM:
		return "no memory that may be locked (ulimit -l)";
	case ENOENT:
		return "libxdp's programs are not installed";
	case EAFNOSUPPORT:
		return "the kernel was built without AF_XDP";
	}
	return strerror(-err);
}

static int open_umem(struct afxdp_priv *priv)
{
	struct afxdp_umem *u = priv->umem;
	struct xsk_umem_config uc = { .fill_size = RING, .comp_size = RING, .frame_size = CHUNK };

	/* The rings of the first queue are made with the umem. */
	return xsk_umem__create(&u->umem, u->area, umem_size(u->nr_chunks), &priv->queues[0].fill,
				&priv->queues[0].comp, &uc);
}

/* 0, or -errno with a sentence. */
static int afxdp_take(struct net_device *dev, const char *name, const struct afxdp_config *cfg,
		      struct netlink_ext_ack *extack)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	int err = hostif_open(&priv->host, name);
	u32 queues;

	if (err) {
		nl_set_err_msg(extack, "afxdp: %s: %s", name, strerror(-err));
		return err;
	}
	queues = cfg->queues ? cfg->queues : host_queues(name);
	if (queues > MAX_QUEUES) {
		nl_set_err_msg(extack, "afxdp: %s has %u queues, %u can be served: ethtool -L",
			       name, queues, (u32)MAX_QUEUES);
		return -EINVAL;
	}
	priv->csum_veth = cfg->csum == CSUM_VETH;
	priv->busy_poll = cfg->busy_poll;
	priv->tx_wait_ns = cfg->tx_usecs * NSEC_PER_USEC;
	priv->umem = umem_create(dev->net->machine, cfg->chunks);
	if (!priv->umem)
		return -ENOMEM;
	err = open_umem(priv);
	if (err) {
		nl_set_err_msg(extack, "afxdp: %u chunks: %s", cfg->chunks, why_not(err));
		return err;
	}
	for (u32 i = 0; i < queues && !err; i++) {
		err = open_queue(priv, name, i, cfg);
		if (err) {
			nl_set_err_msg(extack, "afxdp: %s, queue %u: %s", name, i, why_not(err));
			return err;
		}
		priv->nr_queues++;
		fill_ring(priv, &priv->queues[i]);
		if (cfg->busy_poll)
			err = busy_poll_queue(&priv->queues[i]);
	}
	if (err)
		nl_set_err_msg(extack, "afxdp: busy polling: %s", strerror(-err));
	return err;
}

static int afxdp_attach(struct net *net, const char *ifname, const char *name, const void *config,
			struct netlink_ext_ack *extack)
{
	const struct afxdp_config *cfg = config;
	struct net_device *dev;
	struct printers old;
	int err;

	if (net->machine->host->virtual_time) {
		nl_set_err_msg(extack, "afxdp: the host's interfaces keep real time");
		return -EOPNOTSUPP;
	}
	dev = alloc_netdev(net, sizeof(struct afxdp_priv), ifname, afxdp_setup, 1);
	if (!dev)
		return -ENOMEM;
	old = silence();
	err = afxdp_take(dev, name, cfg, extack);
	unsilence(old);
	if (!err) {
		struct hostif *h = &afxdp_priv(dev)->host;

		dev->mtu = dev->max_mtu = min(h->mtu, CHUNK_ROOM - ETH_HLEN - VLAN_HLEN);
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

static const char *const mode_words[] = {
	[MODE_AUTO] = "auto", [MODE_NATIVE] = "native", [MODE_GENERIC] = "generic"
};
static const char *const copy_words[] = {
	[COPY_AUTO] = "auto", [COPY_ALWAYS] = "yes", [COPY_NEVER] = "no"
};
static const char *const csum_words[] = { [CSUM_CHECK] = "check", [CSUM_VETH] = "veth" };
static const char *const addr_words[] = { [ADDR_HOST] = "host", [ADDR_OWN] = "own" };
static const char *const no_yes[] = { "no", "yes" };

static const struct host_dev_option afxdp_options[] = {
	HOST_DEV_NUMBER("chunks", struct afxdp_config, chunks, 8192, 1024, 1 << 20),
	HOST_DEV_NUMBER("queues", struct afxdp_config, queues, 0, 1, MAX_QUEUES),
	HOST_DEV_CHOICE("mode", struct afxdp_config, mode, MODE_AUTO, mode_words),
	HOST_DEV_CHOICE("copy", struct afxdp_config, copy, COPY_AUTO, copy_words),
	HOST_DEV_CHOICE("csum", struct afxdp_config, csum, CSUM_CHECK, csum_words),
	HOST_DEV_CHOICE("addr", struct afxdp_config, addr, ADDR_HOST, addr_words),
	HOST_DEV_CHOICE("busy_poll", struct afxdp_config, busy_poll, 0, no_yes),
	HOST_DEV_NUMBER("tx_usecs", struct afxdp_config, tx_usecs, 0, 0, 10000),
};

static const struct host_dev_ops afxdp_dev_ops = {
	.kind = "afxdp",
	.owner = THIS_MODULE,
	.options = afxdp_options,
	.nr_options = ARRAY_SIZE(afxdp_options),
	.attach = afxdp_attach,
};

static int afxdp_module_init(struct machine *m)
{
	return host_dev_register(m, &afxdp_dev_ops);
}

static void afxdp_module_exit(struct machine *m)
{
	host_dev_unregister(m, &afxdp_dev_ops);
}

WEIR_MODULE(.name = "dev-afxdp", .description = "devices over interfaces of the host by AF_XDP",
	    .init = afxdp_module_init, .exit = afxdp_module_exit);
