/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun.c - a device over a tun or tap descriptor of the host
 *
 * Theory of operation
 *   Each read of the descriptor gives one frame (tap) or one IP packet (tun), each write sends one. The interrupt (host_line.h) schedules the
 *   napi, which reads until the descriptor is empty or the budget used up.
 *
 *   One copy per direction, made by the host's kernel. A frame is read into a fresh skb: the first octets into its head area, what does not
 *   fit there into up to RX_PAGES pages that the device holds ready; frames of ordinary size never touch them. The octets of a page that
 *   were used become fragments, the rest waits for the next frame. Transmission writes head area and fragments in one call.
 *
 *   With IFF_VNET_HDR a virtio-net header (wire/virtio_net.h) is in front of each frame: unfinished checksums and big segments cross whole.
 *   What we can receive is told to the kernel by TUNSETOFFLOAD; what it says of a frame is checked against the frame.
 *
 *   A descriptor that takes no more (EAGAIN) stops the queue, and the interrupt wakes it. One that fails for good (its interface was removed)
 *   takes the carrier away until the device is put down and up again. Going up and down is shown to the host as the carrier of its interface.
 *
 *   In a net on several cpus a device that is attached by name has a descriptor for each of them (IFF_MULTI_QUEUE), which is the queue of its
 *   shadow there (netdev_queue_ops). The kernel hands a flow to the queue that has sent of it last, so that frames come where their flow is at home;
 *   of those that nobody has answered yet, and of other cpus' flows, net_steer() takes care.
 *
 *   Programs cannot make such a device by netlink: a descriptor is the embedder's, who attaches it (weir_dev_attach_tap()). What netlink says
 *   of one is what Linux says (linux/if_link.h, IFLA_TUN_*), and it is removed by netlink like any other.
 * Locking: a queue: the lock of its cpu; rtnl to make and remove. The rest of struct tun_priv is constant.
 * See tun(4), Documentation of the kernel's uapi header linux/if_tun.h.
 */
#include "drivers/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/net_group.h"
#include "core/netdevice.h"
#include "core/vnet.h"
#include "drivers/drivers_internal.h"
#include "drivers/frame.h"
#include "drivers/host_dev.h"
#include "drivers/host_line.h"
#include "netlink/netlink.h"
#include "wire/ethernet.h"

#include <net/if_arp.h> /* behind netdevice.h: it has a MAX_ADDR_LEN of its own */

#define RX_HEAD 1600 /* of an ordinary frame with a VLAN tag, linear */
#define RX_PAGES                                                                                   \
	3 /* the first may be used up in part: two whole ones and RX_HEAD hold the largest frame */
#define MAX_FRAME     (65535 + ETH_HLEN + 8)
#define MAX_VNET      64
#define PAGE_ROOM     (SKB_PAGE_SIZE - (u32)sizeof(struct page))
#define PAGE_MIN      256u                 /* less than this left in a page: a fresh one */
#define RETRY_NS      (10 * NSEC_PER_MSEC) /* after a famine */
#define TUN_QUEUE     500                  /* as Linux */
#define TX_VECTORS    (2 + MAX_SKB_FRAGS)
#define TX_COPY       512
#define SOCKET_ERRORS 8 /* in a row: it has failed */

static_assert(RX_HEAD + (RX_PAGES - 1) * PAGE_ROOM >= MAX_FRAME, "the largest frame has room");

struct tun_queue {
	struct napi_struct napi;
	struct host_line line;
	struct net_device *
		dev; /* whose it is: the device's, or that of its shadow on another cpu. NULL: nobody's */
	const struct tun_priv *priv;
	int fd;
	bool failed;                     /* nothing can be read any more */
	struct page *rx_pages[RX_PAGES]; /* filled in order */
	u32 rx_off;                      /* used octets of the first */
	struct timer_list retry;
};

struct tun_priv {
	u32 vnet_len; /* of the virtio-net header; 0: there is none */
	bool layer3;
	bool is_tun; /* it knows the ioctls of tun(4) */
	bool connectionless; /* a datagram socket: an empty message is one, and what it was told of earlier ones passes */
	u32 nr_others;
	struct tun_queue *others; /* for other cpus */
	struct tun_queue own;
};

static struct tun_priv *tun_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

static void tun_fail(struct tun_queue *q)
{
	q->failed = true;
	netif_carrier_off(q->dev);
}

/* ---- receive --------------------------------------------------------------------------------------------- */

/* True: all pages are there. */
static bool tun_pages_fill(struct tun_queue *q)
{
	if (q->rx_pages[0] && PAGE_ROOM - q->rx_off < PAGE_MIN) {
		page_put(q->rx_pages[0]);
		memmove(q->rx_pages, q->rx_pages + 1, sizeof(q->rx_pages) - sizeof(q->rx_pages[0]));
		q->rx_pages[RX_PAGES - 1] = NULL;
		q->rx_off = 0;
	}
	for (u32 i = 0; i < RX_PAGES; i++) {
		if (!q->rx_pages[i])
			q->rx_pages[i] = page_alloc(q->dev->cpu);
		if (!q->rx_pages[i])
			return false;
	}
	return true;
}

static void tun_pages_free(struct tun_queue *q)
{
	for (u32 i = 0; i < RX_PAGES; i++) {
		if (q->rx_pages[i])
			page_put(q->rx_pages[i]);
		q->rx_pages[i] = NULL;
	}
	q->rx_off = 0;
}

/* @len octets of the pages belong to @skb from now on. */
static void tun_add_frags(struct tun_queue *q, struct sk_buff *skb, u32 len)
{
	struct skb_shared_info *sh = skb_shinfo(skb);

	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
	while (len) {
		struct page *p = q->rx_pages[0];
		u32 n = min(len, PAGE_ROOM - q->rx_off);

		page_get(p);
		sh->frags[sh->nr_frags++] =
			(skb_frag_t){ .page = p, .offset = q->rx_off, .size = n };
		len -= n;
		q->rx_off = min(PAGE_ROOM, ALIGN_UP(q->rx_off + n, (u32)CACHE_LINE));
		if (len) { /* the frame goes on in the next page */
			page_put(p);
			memmove(q->rx_pages, q->rx_pages + 1,
				sizeof(q->rx_pages) - sizeof(q->rx_pages[0]));
			q->rx_pages[RX_PAGES - 1] = NULL;
			q->rx_off = 0;
		}
	}
}

/* The length of the next frame; -EAGAIN: none is there, -EPIPE: none will come. */
static ssize_t tun_readv(const struct tun_queue *q, const struct iovec *iov, int nr)
{
	int told = 0; /* errors of a datagram socket: with the telling they are over */
	ssize_t n;

	do
		n = readv(q->fd, iov, nr);
	while (n < 0 && (errno == EINTR ||
			 (q->priv->connectionless && errno != EAGAIN && told++ < SOCKET_ERRORS)));
	if (n < 0)
		return -errno;
	return n || q->priv->connectionless ? n : -EPIPE;
}

/* One frame that there is no memory for. 0, or as tun_readv() */
static int tun_read_away(struct tun_queue *q)
{
	u8 octet;
	struct iovec iov = { &octet, sizeof(octet) };
	ssize_t n = tun_readv(q, &iov, 1);

	if (n < 0)
		return (int)n;
	q->dev->stats.rx_dropped++;
	return 0;
}

/* The next frame, without its virtio-net header, which is put at @vnet. NULL with *ret_err. */
static struct sk_buff *tun_read(struct tun_queue *q, u8 *vnet, int *ret_err)
{
	struct sk_buff *skb = netdev_alloc_skb(q->dev, RX_HEAD + NET_IP_ALIGN);
	struct iovec iov[2 + RX_PAGES] = { { vnet, q->priv->vnet_len } };
	ssize_t n;

	if (!skb || !tun_pages_fill(q)) {
		consume_skb(skb); /* not a packet yet */
		*ret_err = -ENOMEM;
		return NULL;
	}
	if (!q->priv->layer3)
		skb_reserve(skb, NET_IP_ALIGN);
	iov[1] = (struct iovec){ skb_tail_pointer(skb), RX_HEAD };
	for (u32 i = 0; i < RX_PAGES; i++) {
		u32 off = i ? 0 : q->rx_off;

		iov[2 + i] = (struct iovec){ q->rx_pages[i]->addr + off, PAGE_ROOM - off };
	}
	n = tun_readv(q, iov, ARRAY_SIZE(iov));
	if (n < 0) {
		*ret_err = (int)n;
		consume_skb(skb);
		return NULL;
	}
	n -= min((ssize_t)q->priv->vnet_len, n);
	skb_put(skb, min((u32)n, (u32)RX_HEAD));
	if (n > RX_HEAD)
		tun_add_frags(q, skb, (u32)n - RX_HEAD);
	return skb;
}

/* The type of a packet without link-layer header, from its version; 0: neither. */
static u16 tun_packet_type(const struct sk_buff *skb)
{
	u8 version = skb->len ? skb->data[0] >> 4 : 0;

	return version == 4 ? ETH_P_IP : version == 6 ? ETH_P_IPV6 : 0;
}

static void tun_receive(struct tun_queue *q, struct sk_buff *skb, const u8 *vnet)
{
	struct net_device *dev = q->dev;
	u32 l2_len = q->priv->layer3 ? 0 : ETH_HLEN;
	skb_drop_reason_t reason = SKB_NOT_DROPPED;

	if (skb->len < max(l2_len, 1u) || (q->priv->layer3 && !tun_packet_type(skb)))
		reason = SKB_DROP_PKT_TOO_SMALL;
	else if (q->priv->vnet_len && virtio_net_hdr_to_skb(skb, vnet, l2_len))
		reason = SKB_DROP_VNET_HDR;
	trace_skb(skb, dev->net, TP_tun_receive, TRACE_PASS, skb_shinfo(skb)->gso_size, 0);
	if (unlikely(reason)) {
		dev->stats.rx_errors++;
		dev->stats.rx_frame_errors++;
		kfree_skb_reason(skb, reason);
		return;
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	if (q->priv->layer3) {
		skb->protocol = cpu_to_be16(tun_packet_type(skb));
		skb_reset_mac_header(skb);
		gro_normal_one(&q->napi, skb, 1);
		return;
	}
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	napi_gro_receive(&q->napi, skb);
}

static void tun_retry(struct cpu *cpu, struct timer_list *t)
{
	struct tun_queue *q = container_of(t, struct tun_queue, retry);

	if (netif_running(q->dev) && !(q->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&q->napi);
}

static int tun_poll(struct napi_struct *napi, int budget)
{
	struct net_device *dev = napi->dev;
	struct tun_queue *q = container_of(napi, struct tun_queue, napi);
	u8 vnet[MAX_VNET];
	int work = 0, err = 0;

	while (work < budget && !err) {
		struct sk_buff *skb = tun_read(q, vnet, &err);
		u32 len = skb ? skb->len : 0;

		if (skb)
			tun_receive(q, skb, vnet);
		else if (err == -ENOMEM)
			err = tun_read_away(q);
		work += err ? 0 : napi_work(dev, len);
	}
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	if (err == -EAGAIN)
		host_line_arm(&q->line, HOST_WATCH_READ);
	else if (err == -ENOMEM || err == -ENOBUFS) /* the host's, not ours */
		mod_timer(dev->cpu, &q->retry, dev->cpu->now + RETRY_NS);
	else
		tun_fail(q);
	return work;
}

/* ---- transmit -------------------------------------------------------------------------------------------- */

static enum netdev_tx tun_drop(struct sk_buff *skb, struct net_device *dev,
			       skb_drop_reason_t reason)
{
	dev->stats.tx_errors++;
	dev->stats.tx_carrier_errors += reason == SKB_DROP_TUN_WRITE;
	kfree_skb_reason(skb, reason);
	return NETDEV_TX_OK;
}

/* The octets behind what is in iov[0, nr), in as many pieces as they lie in. Gives the number of all. */
static int tun_gather(const struct sk_buff *skb, struct iovec *iov, int nr)
{
	const struct skb_shared_info *sh = skb_shinfo(skb);

	iov[nr++] = (struct iovec){ skb->data, skb_headlen(skb) };
	for (u32 i = 0; i < sh->nr_frags; i++)
		iov[nr++] = (struct iovec){ skb_frag_address(&sh->frags[i]), sh->frags[i].size };
	return nr;
}

static ssize_t tun_write(const struct tun_queue *q, const struct sk_buff *skb, u8 *vnet)
{
	u8 copy[MAX_VNET + TX_COPY];
	struct iovec iov[TX_VECTORS] = { { vnet, q->priv->vnet_len } };

	/* Describing pieces to the kernel takes longer than copying a few octets. */
	if (!q->priv->vnet_len && !skb_is_nonlinear(skb))
		return write(q->fd, skb->data, skb->len);
	if (skb->len > TX_COPY || skb_copy_bits(skb, 0, copy + q->priv->vnet_len, skb->len))
		return writev(q->fd, iov, tun_gather(skb, iov, q->priv->vnet_len != 0));
	memcpy(copy, vnet, q->priv->vnet_len);
	return write(q->fd, copy, q->priv->vnet_len + skb->len);
}

static enum netdev_tx tun_queue_xmit(struct sk_buff *skb, void *queue)
{
	struct tun_queue *q = queue;
	struct net_device *dev = q->dev;
	u8 vnet[MAX_VNET];
	ssize_t n;

	trace_skb(skb, dev->net, TP_tun_xmit, TRACE_PASS, 0, 0);
	if (q->priv->vnet_len && virtio_net_hdr_from_skb(skb, vnet, q->priv->vnet_len))
		return tun_drop(skb, dev, SKB_DROP_VNET_HDR);
	do
		n = tun_write(q, skb, vnet);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return host_line_busy(&q->line);
	if (n < 0)
		return tun_drop(skb, dev, SKB_DROP_TUN_WRITE);
	dev->stats.tx_packets++;
	dev->stats.tx_bytes += skb->len;
	consume_skb(skb);
	return NETDEV_TX_OK;
}

/* ---- device operations ------------------------------------------------------------------------------------ */

/* Whether the host's interface has a carrier. Kernels before 4.20 have no such call. */
static void tun_tell_carrier(const struct tun_priv *priv, int on)
{
	if (priv->is_tun)
		(void)ioctl(priv->own.fd, TUNSETCARRIER, &on);
}

/* @q becomes @dev's, which is that of the cpu. 0 or -errno */
static int tun_queue_init(struct tun_queue *q, struct net_device *dev)
{
	int err;

	timer_setup(&q->retry, tun_retry);
	netif_napi_add(dev, &q->napi, tun_poll);
	err = host_line_open(&q->line, &q->napi, q->fd, false);
	if (err) {
		netif_napi_del(&q->napi);
		return err == -EPERM ? -EINVAL : err; /* epoll_ctl(2): an ordinary file */
	}
	q->dev = dev;
	return 0;
}

static void tun_queue_uninit(void *queue)
{
	struct tun_queue *q = queue;

	host_line_close(&q->line);
	cpu_lock(q->dev->cpu);
	del_timer(&q->retry);
	tun_pages_free(q);
	netif_napi_del(&q->napi);
	cpu_unlock(q->dev->cpu);
	q->dev = NULL;
}

static int tun_queue_open(void *queue)
{
	struct tun_queue *q = queue;

	q->failed = false;
	napi_enable(&q->napi);
	netif_tx_wake_queue(q->dev->tx);
	host_line_arm(&q->line, HOST_WATCH_READ);
	return 0;
}

static void tun_queue_stop(void *queue)
{
	struct tun_queue *q = queue;

	napi_disable(&q->napi);
	del_timer(&q->retry);
	tun_pages_free(q);
}

/* One of those that are left, for the cpu of @shadow; NULL: there are none */
static void *tun_queue_attach(struct net_device *dev, struct net_device *shadow)
{
	struct tun_priv *priv = tun_priv(dev);

	for (u32 i = 0; i < priv->nr_others; i++) {
		struct tun_queue *q = &priv->others[i];

		if (!q->dev && q->fd >= 0)
			return tun_queue_init(q, shadow) ? NULL : q;
	}
	return NULL;
}

static const struct netdev_queue_ops tun_queue_ops = {
	.attach = tun_queue_attach,
	.detach = tun_queue_uninit,
	.open = tun_queue_open,
	.stop = tun_queue_stop,
	.start_xmit = tun_queue_xmit,
};

static enum netdev_tx tun_xmit(struct sk_buff *skb, struct net_device *dev)
{
	return tun_queue_xmit(skb, &tun_priv(dev)->own);
}

static int tun_init(struct net_device *dev)
{
	return tun_queue_init(&tun_priv(dev)->own, dev);
}

static void tun_uninit(struct net_device *dev)
{
	tun_queue_uninit(&tun_priv(dev)->own);
}

static void tun_destructor(struct net_device *dev)
{
	struct tun_priv *priv = tun_priv(dev);

	for (u32 i = 0; i < priv->nr_others; i++)
		if (priv->others[i].fd >= 0)
			close(priv->others[i].fd);
	free(priv->others);
	if (priv->own.fd >= 0)
		close(priv->own.fd);
}

static int tun_open(struct net_device *dev)
{
	tun_tell_carrier(tun_priv(dev), 1);
	netif_carrier_on(dev);
	return tun_queue_open(&tun_priv(dev)->own);
}

static int tun_stop(struct net_device *dev)
{
	netif_carrier_off(dev);
	tun_tell_carrier(tun_priv(dev), 0);
	tun_queue_stop(&tun_priv(dev)->own);
	return 0;
}

static int tun_set_mac(struct net_device *dev, const u8 *addr)
{
	memcpy(dev->dev_addr, addr, ETH_ALEN);
	return 0;
}

static const struct net_device_ops tun_ops = {
	.ndo_init = tun_init,
	.ndo_uninit = tun_uninit,
	.ndo_open = tun_open,
	.ndo_stop = tun_stop,
	.ndo_start_xmit = tun_xmit,
	.queue_ops = &tun_queue_ops,
};

static const struct net_device_ops tap_ops = {
	.ndo_init = tun_init,
	.ndo_uninit = tun_uninit,
	.ndo_open = tun_open,
	.ndo_stop = tun_stop,
	.ndo_start_xmit = tun_xmit,
	.queue_ops = &tun_queue_ops,
	.ndo_set_mac_address = tun_set_mac,
};

static void tun_setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &tap_ops;
	dev->rtnl_link_ops = &tun_link_ops;
	dev->features = NETIF_F_SG | NETIF_F_HIGHDMA;
	dev->hw_features = NETIF_F_SG;
	dev->max_mtu = ETH_MAX_MTU - ETH_HLEN;
	dev->tx_queue_len = TUN_QUEUE;
	dev->live_addr_change = true;
	dev->priv_destructor = tun_destructor;
	dev->carrier = false;
	tun_priv(dev)->own = (struct tun_queue){ .priv = tun_priv(dev), .fd = -1 };
}

static void tun_setup_layer3(struct net_device *dev)
{
	dev->netdev_ops = &tun_ops;
	dev->header_ops = NULL;
	dev->type = ARPHRD_NONE;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	dev->max_mtu = ETH_MAX_MTU;
	memset(dev->broadcast, 0, sizeof(dev->broadcast));
}

/* ---- attaching --------------------------------------------------------------------------------------------- */

/* Of a descriptor that is no tun: a read must give one message, a write send one. 0 or -EINVAL */
static int tun_probe_socket(struct tun_priv *priv)
{
	int type;
	socklen_t len = sizeof(type);

	if (getsockopt(priv->own.fd, SOL_SOCKET, SO_TYPE, &type, &len) || type == SOCK_STREAM)
		return -EINVAL;
	priv->connectionless = type == SOCK_DGRAM;
	return 0;
}

/* Finds out what the descriptor is. 0 or -EINVAL */
static int tun_probe(struct tun_priv *priv, u32 flags)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int len = VIRTIO_NET_HEADER_LEN;

	priv->is_tun = !ioctl(priv->own.fd, TUNGETIFF, &ifr);
	if (!priv->is_tun) {
		priv->layer3 = flags & TUN_ATTACH_L3;
		priv->vnet_len = flags & TUN_ATTACH_VNET_HDR ? (u32)len : 0;
		return tun_probe_socket(priv);
	}
	if (!(ifr.ifr_flags & IFF_NO_PI))
		return -EINVAL;
	priv->layer3 = ifr.ifr_flags & IFF_TUN;
	if (!(ifr.ifr_flags & IFF_VNET_HDR))
		return 0;
	if (ioctl(priv->own.fd, TUNGETVNETHDRSZ, &len) || len < VIRTIO_NET_HEADER_LEN ||
	    len > MAX_VNET)
		return -EINVAL;
	priv->vnet_len = (u32)len;
	return 0;
}

/* The kernel takes whatever the header describes; what it may send us is told here. */
static void tun_set_offloads(struct net_device *dev)
{
	const struct tun_priv *priv = tun_priv(dev);

	if (priv->is_tun)
		(void)ioctl(priv->own.fd, TUNSETOFFLOAD,
			    priv->vnet_len ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0);
	if (!priv->vnet_len)
		return;
	dev->features |= NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_RXCSUM;
	dev->hw_features |= NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
}

static int tun_take_fd(struct tun_queue *q, int fd)
{
	int fl;

	q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (q->fd < 0)
		return -errno;
	fl = fcntl(q->fd, F_GETFL);
	if (fl < 0 || fcntl(q->fd, F_SETFL, fl | O_NONBLOCK))
		return -errno;
	return 0;
}

/* All but the first are queues for other cpus. 0, or -errno: some may be ours all the same */
static int tun_take_fds(struct tun_priv *priv, const int *fds, u32 n)
{
	int err = tun_take_fd(&priv->own, fds[0]);

	if (err || n == 1)
		return err;
	priv->others = calloc(n - 1, sizeof(*priv->others));
	if (!priv->others)
		return -ENOMEM;
	for (u32 i = 1; i < n && !err; i++) {
		struct tun_queue *q = &priv->others[priv->nr_others];

		q->priv = priv;
		err = tun_take_fd(q, fds[i]);
		priv->nr_others += q->fd >= 0;
	}
	return err;
}

/* The kernel must hand no frame to a queue that no cpu has taken. */
static void tun_close_unused(struct tun_priv *priv)
{
	for (u32 i = 0; i < priv->nr_others; i++) {
		struct tun_queue *q = &priv->others[i];

		if (!q->dev)
			close(q->fd);
		if (!q->dev)
			q->fd = -1;
	}
}

static int tun_attach_fds(struct net *net, const char *name, const int *fds, u32 n, u32 flags)
{
	struct net_device *dev = alloc_netdev(net, sizeof(struct tun_priv), name, tun_setup, 1);
	struct tun_priv *priv;
	int err;

	if (!dev)
		return -ENOMEM;
	priv = tun_priv(dev);
	err = tun_take_fds(priv, fds, n);
	if (!err)
		err = tun_probe(priv, flags);
	if (!err) {
		if (priv->layer3)
			tun_setup_layer3(dev);
		else
			eth_hw_addr_random(dev);
		tun_set_offloads(dev);
		tun_tell_carrier(priv, 0);
		err = register_netdevice(dev);
	}
	if (err)
		free_netdev(dev);
	else
		tun_close_unused(priv);
	return err;
}

int tun_attach(struct net *net, const char *name, int fd, u32 flags)
{
	return tun_attach_fds(net, name, &fd, 1, flags);
}

/* ---- by name ----------------------------------------------------------------------------------------------- */

struct tap_config {
	u32 queues; /* at most; 0: one for each cpu of the net */
};

/* 0 with @name, IFNAMSIZ octets, as it became ("tap%d"); or -errno: an interface that is of the other kind, or has another number of queues: -EINVAL */
static int set_iff(int fd, char *name, int kind)
{
	struct ifreq ifr = { .ifr_flags = (short)(kind | IFF_NO_PI | IFF_VNET_HDR) };

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &ifr))
		return -errno;
	memcpy(name, ifr.ifr_name, IFNAMSIZ);
	return 0;
}

/*
 * The first queue of @name, which is made if it is not there; if it is, it says itself what it is. @ret_kind: what that was. An interface of many
 * queues may be used by one. 0 or -errno
 */
static int tap_open_first(int fd, char *name, bool many, int *ret_kind)
{
	static const int kinds[] = { IFF_TAP, IFF_TUN };
	int err = -EINVAL;

	for (u32 i = 0; i < 2 * ARRAY_SIZE(kinds) && err == -EINVAL; i++) {
		bool second = i / ARRAY_SIZE(kinds);

		*ret_kind = kinds[i % ARRAY_SIZE(kinds)] | (many != second ? IFF_MULTI_QUEUE : 0);
		err = set_iff(fd, name, *ret_kind);
	}
	return err;
}

static void close_all(const int *fds, u32 n)
{
	while (n)
		close(fds[--n]);
}

/* Descriptors of queues of @name at @fds: @max of them if it has that many, else one. How many, or -errno with a sentence */
static int tap_open(const char *name, int *fds, u32 max, struct netlink_ext_ack *extack)
{
	char iff[IFNAMSIZ] = "";
	int kind, err;

	strncpy(iff, name, IFNAMSIZ - 1);
	for (u32 n = 0; n < max; n++) {
		fds[n] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fds[n] < 0) {
			err = -errno;
			nl_set_err_msg(extack, "/dev/net/tun: %s", strerror(-err));
			close_all(fds, n);
			return err;
		}
		err = n ? set_iff(fds[n], iff, kind) : tap_open_first(fds[0], iff, max > 1, &kind);
		if (err) {
			nl_set_err_msg(extack, "tap %s: %s", name, strerror(-err));
			close_all(fds, n + 1);
			return err;
		}
		if (!(kind & IFF_MULTI_QUEUE))
			max = 1;
	}
	return (int)max;
}

static int tap_attach(struct net *net, const char *ifname, const char *name, const void *config,
		      struct netlink_ext_ack *extack)
{
	const struct tap_config *cfg = config;
	u32 max = net->group ? net->group->n : 1;
	int fds[MACHINE_MAX_CPUS] = { -1 }, n, err;

	if (strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	n = tap_open(name, fds, cfg->queues ? min(cfg->queues, max) : max, extack);
	if (n < 0)
		return n;
	err = tun_attach_fds(net, ifname, fds, (u32)n, 0);
	close_all(fds, (u32)n);
	return err;
}

static const struct host_dev_option tap_options[] = {
	HOST_DEV_NUMBER("queues", struct tap_config, queues, 0, 1, MACHINE_MAX_CPUS),
};

const struct host_dev_ops tap_dev_ops = {
	.kind = "tap",
	.options = tap_options,
	.nr_options = ARRAY_SIZE(tap_options),
	.attach = tap_attach,
};

/* ---- netlink ----------------------------------------------------------------------------------------------- */

static int tun_newlink(struct net *src_net, struct net_device *dev, const struct nlattr **tb,
		       const struct nlattr **data, struct netlink_ext_ack *extack)
{
	nl_set_err_msg(extack,
		       "a tun or tap device is attached to a descriptor of the host by the "
		       "program that embeds the stack, or by a lab file's link to \"host:\"");
	return -EOPNOTSUPP;
}

static void tun_fill_info(struct nl_msg *m, const struct net_device *dev)
{
	const struct tun_priv *priv = tun_priv(dev);

	nla_put_u8(m, IFLA_TUN_TYPE, priv->layer3 ? IFF_TUN : IFF_TAP);
	nla_put_u8(m, IFLA_TUN_PI, 0);
	nla_put_u8(m, IFLA_TUN_VNET_HDR, priv->vnet_len != 0);
	nla_put_u8(m, IFLA_TUN_PERSIST, 0);
	nla_put_u8(m, IFLA_TUN_MULTI_QUEUE, priv->nr_others != 0);
	if (priv->nr_others) {
		nla_put_u32(m, IFLA_TUN_NUM_QUEUES, 1 + priv->nr_others);
		nla_put_u32(m, IFLA_TUN_NUM_DISABLED_QUEUES, 0);
	}
}

const struct rtnl_link_ops tun_link_ops = {
	.kind = "tun",
	.priv_size = sizeof(struct tun_priv),
	.setup = tun_setup,
	.newlink = tun_newlink,
	.fill_info = tun_fill_info,
};
