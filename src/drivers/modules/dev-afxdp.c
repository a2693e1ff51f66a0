/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dev-afxdp.c - a module: a device over queues of an interface of the host, by AF_XDP sockets
 *
 * Theory of operation
 *   The interface is the device's alone: libxdp's program gives every frame of its queues to the sockets, the host sees none of them. Each
 *   queue of the interface has a socket with rings for receive and transmit, and rings for empty and sent chunks; all share one umem of chunks of 4 KiB.
 *
 *   Receive. The kernel (or the card) writes a frame into a chunk. Short ones are copied into an skb and the chunk is free again; of longer ones
 *   the chunk itself becomes a fragment, and is free when the last skb that points into it has gone: there is no copy between ring
 *   and skb. At most half of the chunks are lent so, beyond that frames are copied.
 *   Transmit. The octets are gathered into a chunk, one copy. The kernel is told (where it wants to be: need_wakeup) when the softirqs that wrote frames are
 *   through, or tx_usecs later; it takes 32 frames a call in copy mode, so it is called until the ring is empty.
 *   Each socket has an interrupt line (host_line.h). With busy_poll the sockets ask for busy polling (SO_PREFER_BUSY_POLL): then the device's
 *   poll() drives the card's, and while the device is up it looks again after a microsecond, by a timer: what is always
 *   scheduled would keep who turns the machine (weir_run()) from going back to the program with what has come.
 *
 *   In a net on several cpus the sockets are shared out: each cpu has some of them, which are the queue of the device's shadow there
 *   (netdev_queue_ops), and a pool of chunks of its own. A chunk never leaves its cpu: its pool fills its sockets' rings, what was sent comes back by
 *   the ring of the socket that sent it, and what is lent is copied when its packet goes to another cpu (skb_migrate()). So nothing
 *   of the umem is shared on the packet path. The interface's hash is not ours: net_steer() hands over what came by a wrong queue.
 *
 *   There is no word about checksums beside a frame. A kernel that sends to a veth leaves them unfinished, and AF_XDP hands that on: with
 *   csum=veth a transport checksum that is the sum of the pseudo header alone is taken as such; else the sender's offloads must be off.
 * Invariants
 *   A chunk is in exactly one place: on its pool's free list, in a fill or rx ring (the kernel's), in a tx or completion ring, or lent
 *   (page.refcount > 0). A pool outlives the device while chunks of it are lent, the umem its pools, and the module the umem.
 * Locking: a queue and its pool: the lock of its cpu; rtnl to make and remove. Counters of a queue have one writer, and are read by atomics.
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

#include "core/net_group.h"
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
#define FILL_BATCH  64u
#define TX_CALLS    (RING / 32 + 1)
#define RETRY_NS    (10 * NSEC_PER_MSEC)
#define AFXDP_TXQ   1000
#define BUSY_USECS  20
#define LOOK_NS     NSEC_PER_USEC
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

struct afxdp_chunk {
	struct page page;
	struct afxdp_pool *pool;
};

/* The memory. */
struct afxdp_umem {
	struct machine *machine;
	struct xsk_umem *umem;
	u8 *area;
	u32 refs; /* atomic: the device, and each pool */
	u32 nr_chunks;
	struct afxdp_chunk chunks[];
};

/* The part of it that one cpu works with: all under its lock. */
struct afxdp_pool {
	struct afxdp_umem *umem;
	u32 refs; /* the queue, and each chunk that is lent */
	u32 nr_chunks, nr_lent, nr_free;
	u32 free[]; /* a stack: what was used last is in the cache */
} __cacheline_aligned;

struct afxdp_stats {
	u64 rx_lent, rx_copied, rx_ring_full, rx_fill_empty, rx_dropped;
	u64 tx_calls, tx_ring_full;
	u64 csum_unfinished;
	u64 busy_polled; /* sockets that know whom in the kernel to poll */
};

/* A queue of the interface */
struct afxdp_port {
	struct xsk_socket *xsk; /* NULL: it is not open */
	struct xsk_ring_cons rx, comp;
	struct xsk_ring_prod tx, fill;
	int fd;
	bool counts; /* the kernel can be asked for its counters: the lead's cpu lock */
	struct host_line line;
};

/* What a cpu has of the device. */
struct afxdp_queue {
	struct napi_struct napi;
	struct net_device *
		dev; /* whose it is: the device's, or that of its shadow on another cpu. NULL: nobody's */
	const struct afxdp_priv *priv;
	struct afxdp_pool *pool;  /* NULL: there is none any more */
	struct afxdp_port *ports; /* nr_ports of them; it sends by the first */
	u32 nr_ports, next_port;
	u32 tx_unsent;
	struct hrtimer tx_timer, look;
	struct timer_list retry;
	struct afxdp_stats stats; /* what the kernel counts is in priv->sum */
} __cacheline_aligned;

struct afxdp_priv {
	struct afxdp_umem *umem;
	u32 nr_ports;
	bool csum_veth, busy_poll;
	u64 tx_wait_ns;
	struct hostif host;
	struct afxdp_stats sum; /* of all queues, when that was asked for last */
	struct afxdp_port ports[MAX_QUEUES];
	u32 nr_others;
	struct afxdp_queue *others; /* for other cpus */
	struct afxdp_queue own;
};

/* Of a counter of a queue's, which others may read */
#define COUNT(counter) __atomic_store_n(&(counter), (counter) + 1, __ATOMIC_RELAXED)

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

	if (__atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL))
		return;
	if (u->area)
		munmap(u->area, umem_size(u->nr_chunks));
	free(u);
	__module_put(m, THIS_MODULE);
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
	u->area = mmap(NULL, umem_size(nr_chunks), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (u->area == MAP_FAILED || !__try_module_get(m, THIS_MODULE)) {
		if (u->area != MAP_FAILED)
			munmap(u->area, umem_size(nr_chunks));
		free(u);
		return NULL;
	}
	return u;
}

/* Its cpu lock is held, or nobody has seen it. */
static void pool_put(struct afxdp_pool *pool)
{
	struct afxdp_umem *u = pool->umem;

	if (--pool->refs)
		return;
	free(pool);
	umem_put(u);
}

static void chunk_free(struct afxdp_pool *pool, u64 addr)
{
	pool->free[pool->nr_free++] = (u32)(addr / CHUNK);
}

/* The last reference to what was received in it has gone. */
static void chunk_release(struct page *page)
{
	struct afxdp_pool *pool = container_of(page, struct afxdp_chunk, page)->pool;

	pool->nr_lent--;
	chunk_free(pool, (u64)(page->addr - pool->umem->area));
	pool_put(pool);
}

/* @n chunks of @u from @first on. NULL: no memory */
static struct afxdp_pool *pool_create(struct afxdp_umem *u, u32 first, u32 n)
{
	size_t size = sizeof(struct afxdp_pool) + n * sizeof(u32);
	struct afxdp_pool *pool = aligned_alloc(CACHE_LINE, ALIGN_UP(size, (size_t)CACHE_LINE));

	if (!pool)
		return NULL;
	*pool = (struct afxdp_pool){ .umem = u, .refs = 1, .nr_chunks = n };
	__atomic_add_fetch(&u->refs, 1, __ATOMIC_RELAXED);
	for (u32 i = first + n; i-- > first;) {
		struct afxdp_chunk *c = &u->chunks[i];

		c->pool = pool;
		c->page = (struct page){ .size = CHUNK,
					 .release = chunk_release,
					 .addr = u->area + (size_t)i * CHUNK };
		chunk_free(pool, (u64)i * CHUNK);
	}
	return pool;
}

/* ---- receive --------------------------------------------------------------------------------------------- */

/* Empty chunks for @port, as many as its ring and its share of the pool allow; some of that are kept for transmission. */
static void fill_ring(struct afxdp_queue *q, struct afxdp_port *port)
{
	struct afxdp_pool *pool = q->pool;
	u32 room = xsk_prod_nb_free(&port->fill, RING), spare = pool->nr_chunks / 4;
	u32 share = min(RING, (pool->nr_chunks - spare) / q->nr_ports), there, n, at;

	room = min(room, RING);
	there = RING - room;
	n = pool->nr_free > spare ? min(pool->nr_free - spare, room) : 0;
	n = min(n, share > there ? share - there : 0);
	if (n < min(share / 2, FILL_BATCH) || !n || !xsk_ring_prod__reserve(&port->fill, n, &at))
		return;
	for (u32 i = 0; i < n; i++)
		*xsk_ring_prod__fill_addr(&port->fill, at + i) =
			(u64)pool->free[--pool->nr_free] * CHUNK;
	xsk_ring_prod__submit(&port->fill, n);
	if (xsk_ring_prod__needs_wakeup(&port->fill))
		(void)recvfrom(port->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static struct sk_buff *afxdp_skb(struct afxdp_queue *q, u64 addr, u32 len)
{
	struct afxdp_pool *pool = q->pool;
	struct page *page = &pool->umem->chunks[addr / CHUNK].page;
	struct sk_buff *skb;

	if (len <= COPY_MAX || pool->nr_lent * 2 >= pool->nr_chunks) {
		skb = frame_copy_in(q->dev, pool->umem->area + addr, len);
		chunk_free(pool, addr);
		COUNT(q->stats.rx_copied);
		return skb;
	}
	page->refcount = 1;
	page->owner = q->dev->cpu;
	pool->nr_lent++;
	pool->refs++;
	skb = frame_lend_in(q->dev, page, (u32)(addr % CHUNK), len);
	page_put(page);
	COUNT(q->stats.rx_lent);
	return skb;
}

static void afxdp_receive(struct afxdp_queue *q, struct sk_buff *skb)
{
	struct net_device *dev = q->dev;

	trace_skb(skb, dev->net, TP_afxdp_receive, TRACE_PASS, skb_shinfo(skb)->nr_frags, 0);
	if (unlikely(skb->len < ETH_HLEN)) {
		dev->stats.rx_errors++;
		dev->stats.rx_length_errors++;
		kfree_skb_reason(skb, SKB_DROP_PKT_TOO_SMALL);
		return;
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	if (q->priv->csum_veth && frame_csum_unfinished(skb))
		COUNT(q->stats.csum_unfinished);
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	napi_gro_receive(&q->napi, skb);
}

static int rx_port(struct afxdp_queue *q, struct afxdp_port *port, int budget)
{
	u32 at, n = xsk_ring_cons__peek(&port->rx, (u32)budget, &at);

	for (u32 i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&port->rx, at + i);
		struct sk_buff *skb = afxdp_skb(q, d->addr, d->len);

		if (skb)
			afxdp_receive(q, skb);
		else
			q->dev->stats.rx_dropped++;
	}
	if (n)
		xsk_ring_cons__release(&port->rx, n);
	fill_ring(q, port);
	return (int)n;
}

static void tx_flush(struct afxdp_queue *q);

static int afxdp_poll(struct napi_struct *napi, int budget)
{
	struct afxdp_queue *q = container_of(napi, struct afxdp_queue, napi);
	int work = 0;

	for (u32 i = 0; i < q->nr_ports && work < budget; i++) {
		struct afxdp_port *port = &q->ports[q->next_port];

		if (q->priv->busy_poll)
			(void)recvfrom(port->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
		work += rx_port(q, port, budget - work);
		q->next_port = (q->next_port + 1) % q->nr_ports;
	}
	tx_flush(q);
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	tx_flush(q); /* what the end of merging has caused */
	if (q->priv->busy_poll &&
	    !hrtimer_start(napi->cpu, &q->look, cpu_clock_refresh(napi->cpu) + LOOK_NS))
		return work; /* the caller pays a core */
	for (u32 i = 0; i < q->nr_ports; i++)
		host_line_arm(&q->ports[i].line, HOST_WATCH_READ);
	return work;
}

static void afxdp_look(struct cpu *cpu, struct hrtimer *t)
{
	struct afxdp_queue *q = container_of(t, struct afxdp_queue, look);

	if (netif_running(q->dev) && !(q->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&q->napi);
}

/* ---- transmit -------------------------------------------------------------------------------------------- */

/* Takes back what was sent. */
static void tx_clean(struct afxdp_queue *q)
{
	struct afxdp_port *port = q->ports;
	u32 at = 0, n = xsk_ring_cons__peek(&port->comp, RING, &at);

	for (u32 i = 0; i < n; i++)
		chunk_free(q->pool, *xsk_ring_cons__comp_addr(&port->comp, at + i));
	if (n)
		xsk_ring_cons__release(&port->comp, n);
}

static bool tx_ring_empty(struct afxdp_queue *q)
{
	return xsk_prod_nb_free(&q->ports->tx, RING) == RING;
}

static void tx_flush(struct afxdp_queue *q)
{
	struct afxdp_port *port = q->ports;
	int calls = 0;

	tx_clean(q); /* what a card has sent by itself meanwhile */
	if (!q->tx_unsent)
		return;
	while (!tx_ring_empty(q) && calls++ < (int)TX_CALLS &&
	       xsk_ring_prod__needs_wakeup(&port->tx)) {
		COUNT(q->stats.tx_calls);
		if (sendto(port->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
		    errno != EBUSY)
			break;
		tx_clean(q); /* the kernel sends no more than it has room to tell of */
	}
	q->tx_unsent = 0;
	if (unlikely(!tx_ring_empty(q) && xsk_ring_prod__needs_wakeup(&port->tx))) {
		q->tx_unsent = 1;
		mod_timer(q->dev->cpu, &q->retry, q->dev->cpu->now + RETRY_NS);
	}
	tx_clean(q);
}

static void afxdp_retry(struct cpu *cpu, struct timer_list *t)
{
	struct afxdp_queue *q = container_of(t, struct afxdp_queue, retry);

	if (netif_running(q->dev))
		tx_flush(q);
}

static void tx_waited(struct cpu *cpu, struct hrtimer *t)
{
	struct afxdp_queue *q = container_of(t, struct afxdp_queue, tx_timer);

	if (netif_running(q->dev))
		tx_flush(q);
}

static void tx_expect_more(struct afxdp_queue *q)
{
	u64 wait_ns = q->priv->tx_wait_ns;
	struct cpu *cpu = q->dev->cpu;

	if (wait_ns && q->tx_unsent < TX_BATCH) {
		if (!hrtimer_active(&q->tx_timer))
			(void)hrtimer_start(cpu, &q->tx_timer, cpu->now + wait_ns);
	} else if (wait_ns) {
		tx_flush(q);
	} else if (!(q->napi.state & NAPI_STATE_SCHED)) {
		napi_schedule(&q->napi);
	}
}

static enum netdev_tx tx_drop(struct sk_buff *skb, struct net_device *dev, skb_drop_reason_t reason)
{
	dev->stats.tx_errors++;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

static enum netdev_tx afxdp_queue_xmit(struct sk_buff *skb, void *queue)
{
	struct afxdp_queue *q = queue;
	struct net_device *dev = q->dev;
	struct afxdp_pool *pool = q->pool;
	struct afxdp_port *port = q->ports;
	struct xdp_desc *d;
	u64 addr;
	u32 at;

	trace_skb(skb, dev->net, TP_afxdp_xmit, TRACE_PASS, 0, 0);
	if (skb->len > CHUNK || skb->len > hostif_mtu(&q->priv->host) + ETH_HLEN + VLAN_HLEN)
		return tx_drop(skb, dev, SKB_DROP_HOST_XMIT);
	if (!pool->nr_free || !xsk_prod_nb_free(&port->tx, 1)) {
		tx_flush(q);
		if (!pool->nr_free || !xsk_prod_nb_free(&port->tx, 1)) {
			COUNT(q->stats.tx_ring_full);
			return host_line_busy(&port->line);
		}
	}
	addr = (u64)pool->free[pool->nr_free - 1] * CHUNK;
	if (skb_copy_bits(skb, 0, pool->umem->area + addr, skb->len))
		return tx_drop(skb, dev, SKB_DROP_NOMEM);
	if (!xsk_ring_prod__reserve(&port->tx, 1, &at)) /* not so: there was room */
		return tx_drop(skb, dev, SKB_DROP_NOMEM);
	d = xsk_ring_prod__tx_desc(&port->tx, at);
	*d = (struct xdp_desc){ .addr = addr, .len = skb->len };
	xsk_ring_prod__submit(&port->tx, 1);
	pool->nr_free--;
	q->tx_unsent++;
	tx_expect_more(q);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
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

/* ---- a queue ---------------------------------------------------------------------------------------------- */

static void lines_close(struct afxdp_queue *q)
{
	for (u32 i = 0; i < q->nr_ports; i++)
		host_line_close(&q->ports[i].line);
}

/* @q becomes @dev's, which is that of the cpu. 0 or -errno */
static int queue_init(struct afxdp_queue *q, struct net_device *dev)
{
	int err = 0;

	timer_setup(&q->retry, afxdp_retry);
	hrtimer_setup(&q->tx_timer, tx_waited);
	hrtimer_setup(&q->look, afxdp_look);
	netif_napi_add(dev, &q->napi, afxdp_poll);
	for (u32 i = 0; i < q->nr_ports && !err; i++)
		err = host_line_open(&q->ports[i].line, &q->napi, q->ports[i].fd, true);
	if (err) {
		lines_close(q);
		netif_napi_del(&q->napi);
		return err;
	}
	q->dev = dev;
	return 0;
}

static void queue_uninit(struct afxdp_queue *q)
{
	lines_close(q);
	cpu_lock(q->dev->cpu);
	del_timer(&q->retry);
	hrtimer_cancel(q->dev->cpu, &q->tx_timer);
	hrtimer_cancel(q->dev->cpu, &q->look);
	netif_napi_del(&q->napi);
	cpu_unlock(q->dev->cpu);
}

/* After this the kernel writes nothing into the chunks of @ports, and nobody asks it. */
static void ports_delete(struct afxdp_port *ports, u32 n)
{
	struct printers old = silence();

	for (u32 i = 0; i < n; i++) {
		ports[i].counts = false;
		if (ports[i].xsk)
			xsk_socket__delete(ports[i].xsk);
		ports[i].xsk = NULL;
	}
	unsilence(old);
}

/* No socket any more; its cpu lock is held, or nobody has seen it. */
static void queue_put_pool(struct afxdp_queue *q)
{
	if (q->pool)
		pool_put(q->pool);
	q->pool = NULL;
}

static int queue_open(void *queue)
{
	struct afxdp_queue *q = queue;

	napi_enable(&q->napi);
	netif_tx_wake_queue(q->dev->tx);
	napi_schedule(&q->napi); /* what came while it was down, and arms the lines */
	return 0;
}

static void queue_stop(void *queue)
{
	struct afxdp_queue *q = queue;

	napi_disable(&q->napi);
	tx_flush(q);
	del_timer(&q->retry);
	hrtimer_cancel(q->dev->cpu, &q->tx_timer);
	hrtimer_cancel(q->dev->cpu, &q->look);
}

/* One of those that are left, for the cpu of @shadow; NULL: there are none */
static void *queue_attach(struct net_device *dev, struct net_device *shadow)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	for (u32 i = 0; i < priv->nr_others; i++) {
		struct afxdp_queue *q = &priv->others[i];

		if (!q->dev && q->pool)
			return queue_init(q, shadow) ? NULL : q;
	}
	return NULL;
}

static void queue_detach(void *queue)
{
	struct afxdp_queue *q = queue;
	struct cpu *cpu = q->dev->cpu, *lead = q->priv->own.dev->cpu;

	cpu_lock(lead);
	for (u32 i = 0; i < q->nr_ports; i++)
		q->ports[i].counts = false;
	cpu_unlock(lead);
	queue_uninit(q);
	ports_delete(q->ports, q->nr_ports);
	cpu_lock(cpu);
	queue_put_pool(q);
	cpu_unlock(cpu);
	q->dev = NULL;
}

static const struct netdev_queue_ops afxdp_queue_ops = {
	.attach = queue_attach,
	.detach = queue_detach,
	.open = queue_open,
	.stop = queue_stop,
	.start_xmit = afxdp_queue_xmit,
};

/* ---- device operations ------------------------------------------------------------------------------------ */

static int afxdp_init(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	int err = queue_init(&priv->own, dev);

	if (err)
		return err;
	err = hostif_follow(&priv->host, dev);
	if (err)
		queue_uninit(&priv->own);
	return err;
}

/* Those of other cpus are gone, or never were any cpu's. */
static void sockets_delete(struct afxdp_priv *priv)
{
	struct printers old;

	ports_delete(priv->ports, MAX_QUEUES);
	old = silence();
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
	queue_uninit(&priv->own);
	sockets_delete(priv);
}

static void afxdp_destructor(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	hostif_close(&priv->host);
	sockets_delete(priv);
	queue_put_pool(&priv->own); /* the cpu lock is held, or nobody has seen the device */
	for (u32 i = 0; i < priv->nr_others; i++)
		queue_put_pool(&priv->others[i]);
	free(priv->others);
	if (priv->umem)
		umem_put(priv->umem);
}

static enum netdev_tx afxdp_xmit(struct sk_buff *skb, struct net_device *dev)
{
	return afxdp_queue_xmit(skb, &afxdp_priv(dev)->own);
}

static int afxdp_open(struct net_device *dev)
{
	struct afxdp_priv *priv = afxdp_priv(dev);

	hostif_show_carrier(&priv->host);
	return queue_open(&priv->own);
}

static int afxdp_stop(struct net_device *dev)
{
	netif_carrier_off(dev);
	queue_stop(&afxdp_priv(dev)->own);
	return 0;
}

static int afxdp_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

/* What the kernel has counted of @port */
static void ask_kernel(const struct afxdp_port *port, struct afxdp_stats *sum)
{
	struct xdp_statistics x = { 0 };
	u32 napi_id = 0;
	socklen_t len = sizeof(x), napi_len = sizeof(napi_id);

	if (!port->counts)
		return;
	if (!getsockopt(port->fd, SOL_SOCKET, SO_INCOMING_NAPI_ID, &napi_id, &napi_len))
		sum->busy_polled += napi_id != 0;
	if (getsockopt(port->fd, SOL_XDP, XDP_STATISTICS, &x, &len))
		return;
	sum->rx_ring_full += x.rx_ring_full;
	sum->rx_fill_empty += x.rx_fill_ring_empty_descs;
	sum->rx_dropped += x.rx_dropped; /* for want of an empty chunk, too */
}

static void ask_stats(struct afxdp_priv *priv)
{
	struct afxdp_stats sum = { 0 };
	u64 *to = (u64 *)&sum;

	for (u32 i = 0; i <= priv->nr_others; i++) {
		const u64 *from = (const u64 *)(i ? &priv->others[i - 1].stats : &priv->own.stats);

		for (u32 k = 0; k < sizeof(sum) / sizeof(*to); k++)
			to[k] += __atomic_load_n(&from[k], __ATOMIC_RELAXED);
	}
	for (u32 i = 0; i < priv->nr_ports; i++)
		ask_kernel(&priv->ports[i], &sum);
	priv->sum = sum;
}

static void afxdp_get_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	const struct afxdp_stats *st = &priv->sum;

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
	.queue_ops = &afxdp_queue_ops,
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
	AFXDP_STAT(busy_polled),
};

static const void *afxdp_stats_own(struct net_device *dev)
{
	ask_stats(afxdp_priv(dev));
	return &afxdp_priv(dev)->sum;
}

static bool afxdp_get_link(struct net_device *dev)
{
	return netif_carrier_ok(dev);
}

static int afxdp_get_channels(struct net_device *dev, struct ethtool_channels *ret)
{
	ret->combined_count = ret->max_combined = afxdp_priv(dev)->nr_ports;
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
	priv->own.priv = priv;
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

static int busy_poll_port(const struct afxdp_port *port)
{
	int on = 1, usecs = BUSY_USECS, budget = BUSY_BUDGET;

	return setsockopt(port->fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof(on)) ||
			       setsockopt(port->fd, SOL_SOCKET, SO_BUSY_POLL, &usecs,
					  sizeof(usecs)) ||
			       setsockopt(port->fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget,
					  sizeof(budget))
		       ? -errno
		       : 0;
}

/* Queue @i of the interface @name */
static int open_port(struct afxdp_priv *priv, const char *name, u32 i,
		     const struct afxdp_config *cfg)
{
	static const u32 xdp_flags[] = { [MODE_AUTO] = 0,
					 [MODE_NATIVE] = XDP_FLAGS_DRV_MODE,
					 [MODE_GENERIC] = XDP_FLAGS_SKB_MODE };
	static const u16 bind_flags[] = {
		[COPY_AUTO] = 0, [COPY_ALWAYS] = XDP_COPY, [COPY_NEVER] = XDP_ZEROCOPY
	};
	struct afxdp_port *port = &priv->ports[i];
	struct xsk_socket_config sc = {
		.rx_size = RING,
		.tx_size = RING,
		.xdp_flags = xdp_flags[cfg->mode],
		.bind_flags = (u16)(XDP_USE_NEED_WAKEUP | bind_flags[cfg->copy]),
	};
	int err = xsk_socket__create_shared(&port->xsk, name, i, priv->umem->umem, &port->rx,
					    &port->tx, &port->fill, &port->comp, &sc);

	if (err)
		return err;
	port->fd = xsk_socket__fd(port->xsk);
	port->counts = true;
	priv->nr_ports++;
	return 0;
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

static int open_umem(struct afxdp_priv *priv, u32 nr_chunks, struct machine *m)
{
	struct xsk_umem_config uc = { .fill_size = RING, .comp_size = RING, .frame_size = CHUNK };

	priv->umem = umem_create(m, nr_chunks);
	if (!priv->umem)
		return -ENOMEM;
	/* The rings of the first queue are made with the umem. */
	return xsk_umem__create(&priv->umem->umem, priv->umem->area, umem_size(nr_chunks),
				&priv->ports[0].fill, &priv->ports[0].comp, &uc);
}

/* Share @i of @n of the sockets and chunks. 0 or -ENOMEM */
static int queue_take(struct afxdp_priv *priv, struct afxdp_queue *q, u32 i, u32 n)
{
	u32 chunks = priv->umem->nr_chunks, ports = priv->nr_ports;
	u32 first_chunk = (u32)((u64)chunks * i / n), first = ports * i / n;

	q->priv = priv;
	q->ports = &priv->ports[first];
	q->nr_ports = ports * (i + 1) / n - first;
	q->pool = pool_create(priv->umem, first_chunk,
			      (u32)((u64)chunks * (i + 1) / n) - first_chunk);
	if (!q->pool)
		return -ENOMEM;
	for (u32 k = 0; k < q->nr_ports; k++)
		fill_ring(q, &q->ports[k]);
	return 0;
}

/* A queue for each of @n cpus. */
static int queues_take(struct afxdp_priv *priv, u32 n)
{
	int err = queue_take(priv, &priv->own, 0, n);

	if (err || n == 1)
		return err;
	priv->others = aligned_alloc(CACHE_LINE, (n - 1) * sizeof(*priv->others));
	if (!priv->others)
		return -ENOMEM;
	memset(priv->others, 0, (n - 1) * sizeof(*priv->others));
	for (u32 i = 1; i < n && !err; i++) {
		priv->nr_others++;
		err = queue_take(priv, &priv->others[i - 1], i, n);
	}
	return err;
}

/* 0, or -errno with a sentence. */
static int afxdp_take(struct net_device *dev, const char *name, const struct afxdp_config *cfg,
		      struct netlink_ext_ack *extack)
{
	struct afxdp_priv *priv = afxdp_priv(dev);
	u32 queues, cpus = dev->net->group ? dev->net->group->n : 1;
	int err = hostif_open(&priv->host, name);

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
	err = open_umem(priv, cfg->chunks, dev->net->machine);
	if (err) {
		nl_set_err_msg(extack, "afxdp: %u chunks: %s", cfg->chunks, why_not(err));
		return err;
	}
	for (u32 i = 0; i < queues; i++) {
		err = open_port(priv, name, i, cfg);
		if (err) {
			nl_set_err_msg(extack, "afxdp: %s, queue %u: %s", name, i, why_not(err));
			return err;
		}
		err = cfg->busy_poll ? busy_poll_port(&priv->ports[i]) : 0;
		if (err) {
			nl_set_err_msg(extack, "afxdp: busy polling: %s", strerror(-err));
			return err;
		}
	}
	return queues_take(priv, min(cpus, queues));
}

/* Those that no cpu has taken: their frames are the host's. */
static void close_unused(struct afxdp_priv *priv)
{
	for (u32 i = 0; i < priv->nr_others; i++) {
		struct afxdp_queue *q = &priv->others[i];

		if (q->dev)
			continue;
		ports_delete(q->ports, q->nr_ports);
		queue_put_pool(q);
	}
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
	else
		close_unused(afxdp_priv(dev));
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
