/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tun.c - a device over a tun or tap descriptor of the host
 *
 * Theory of operation
 *   Each read of the descriptor gives one frame (tap) or one IP packet (tun), each write sends one. A watch of the host's (host.h) plays the
 *   interrupt: it schedules the napi, which reads until the descriptor is empty or the budget used up, and arms the watch again only then.
 *   So one wake-up may stand for many frames.
 *
 *   One copy per direction, made by the host's kernel. A frame is read into a fresh skb: the first octets into its head area, what does not
 *   fit there into up to RX_PAGES pages that the device holds ready; frames of ordinary size never touch them. The octets of a page that
 *   were used become fragments, the rest waits for the next frame. Transmission writes head area and fragments in one call.
 *
 *   With IFF_VNET_HDR a virtio-net header (wire/virtio_net.h) is in front of each frame: unfinished checksums and big segments cross whole.
 *   What we can receive is told to the kernel by TUNSETOFFLOAD; what it says of a frame is checked against the frame.
 *
 *   A descriptor that takes no more (EAGAIN) stops the queue, and the watch wakes it. One that fails for good (its interface was removed)
 *   takes the carrier away until the device is put down and up again. Going up and down is shown to the host as the carrier of its interface.
 *
 *   Programs cannot make such a device by netlink: a descriptor is the embedder's, who attaches it (weir_dev_attach_tap()). What netlink says
 *   of one is what Linux says (linux/if_link.h, IFLA_TUN_*), and it is removed by netlink like any other.
 * Invariants
 *   queued <=> work is on its way to the cpu or on its list: it is handed over once at a time.
 * Locking: the cpu lock; rtnl to make and remove. tun_ready() runs in a thread of the host's without a lock.
 * See tun(4), Documentation of the kernel's uapi header linux/if_tun.h.
 */
#include "drivers/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/netdevice.h"
#include "core/vnet.h"
#include "drivers/drivers_internal.h"
#include "drivers/frame.h"
#include "drivers/host_dev.h"
#include "host/host.h"
#include "netlink/netlink.h"
#include "wire/ethernet.h"

#include <net/if_arp.h> /* behind netdevice.h: it has a MAX_ADDR_LEN of its own */

#define RX_HEAD 1600 /* of an ordinary frame with a VLAN tag, linear */
#define RX_PAGES                                                                                   \
	3 /* the first may be used up in part: two whole ones and RX_HEAD hold the largest frame */
#define MAX_FRAME  (65535 + ETH_HLEN + 8)
#define MAX_VNET   64
#define PAGE_ROOM  (SKB_PAGE_SIZE - (u32)sizeof(struct page))
#define PAGE_MIN   256u                 /* less than this left in a page: a fresh one */
#define RETRY_NS   (10 * NSEC_PER_MSEC) /* after a famine */
#define TUN_QUEUE  500                  /* as Linux */
#define TX_VECTORS (2 + MAX_SKB_FRAGS)
#define TX_COPY    512

static_assert(RX_HEAD + (RX_PAGES - 1) * PAGE_ROOM >= MAX_FRAME, "the largest frame has room");

struct tun_priv {
	struct napi_struct napi;
	int fd;
	u32 vnet_len; /* of the virtio-net header; 0: there is none */
	bool layer3;
	bool is_tun; /* it knows the ioctls of tun(4) */
	bool connectionless; /* a datagram socket: an empty message is one, and that the peer is not there yet passes */
	bool failed; /* nothing can be read any more */
	u32 armed;   /* HOST_WATCH_* that were asked for */
	struct host_watch *watch;
	struct page *rx_pages[RX_PAGES]; /* filled in order */
	u32 rx_off;                      /* used octets of the first */
	struct timer_list retry;

	/* between tun_ready() and the cpu */
	struct net_device *dev;
	struct cpu_work work;
	u32 queued; /* atomic */
};

static struct tun_priv *tun_priv(const struct net_device *dev)
{
	return netdev_priv(dev);
}

/* ---- the watch ------------------------------------------------------------------------------------------ */

static void tun_arm(struct tun_priv *priv, u32 events)
{
	if (priv->failed)
		events &= ~(u32)HOST_WATCH_READ;
	if ((priv->armed & events) == events)
		return;
	priv->armed |= events;
	priv->dev->net->machine->host->ops->watch_arm(priv->watch, priv->armed);
}

/* A thread of the host's: the "interrupt line". */
static void tun_ready(void *arg)
{
	struct tun_priv *priv = arg;

	if (!__atomic_exchange_n(&priv->queued, 1, __ATOMIC_ACQ_REL))
		cpu_queue_work(priv->dev->cpu, &priv->work);
}

static void tun_interrupt(struct cpu *cpu, struct cpu_work *w)
{
	struct tun_priv *priv = container_of(w, struct tun_priv, work);

	__atomic_store_n(&priv->queued, 0, __ATOMIC_RELEASE);
	priv->armed = 0;
	if (!netif_running(priv->dev))
		return;
	if (netif_xmit_stopped(priv->dev->tx))
		netif_tx_wake_queue(priv->dev->tx);
	if (!(priv->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&priv->napi);
}

static void tun_fail(struct tun_priv *priv)
{
	priv->failed = true;
	netif_carrier_off(priv->dev);
}

/* ---- receive --------------------------------------------------------------------------------------------- */

/* True: all pages are there. */
static bool tun_pages_fill(struct tun_priv *priv)
{
	if (priv->rx_pages[0] && PAGE_ROOM - priv->rx_off < PAGE_MIN) {
		page_put(priv->rx_pages[0]);
		memmove(priv->rx_pages, priv->rx_pages + 1,
			sizeof(priv->rx_pages) - sizeof(priv->rx_pages[0]));
		priv->rx_pages[RX_PAGES - 1] = NULL;
		priv->rx_off = 0;
	}
	for (u32 i = 0; i < RX_PAGES; i++) {
		if (!priv->rx_pages[i])
			priv->rx_pages[i] = page_alloc(priv->dev->cpu);
		if (!priv->rx_pages[i])
			return false;
	}
	return true;
}

static void tun_pages_free(struct tun_priv *priv)
{
	for (u32 i = 0; i < RX_PAGES; i++) {
		if (priv->rx_pages[i])
			page_put(priv->rx_pages[i]);
		priv->rx_pages[i] = NULL;
	}
	priv->rx_off = 0;
}

/* @len octets of the pages belong to @skb from now on. */
static void tun_add_frags(struct tun_priv *priv, struct sk_buff *skb, u32 len)
{
	struct skb_shared_info *sh = skb_shinfo(skb);

	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
	while (len) {
		struct page *p = priv->rx_pages[0];
		u32 n = min(len, PAGE_ROOM - priv->rx_off);

		page_get(p);
		sh->frags[sh->nr_frags++] =
			(skb_frag_t){ .page = p, .offset = priv->rx_off, .size = n };
		len -= n;
		priv->rx_off = min(PAGE_ROOM, ALIGN_UP(priv->rx_off + n, (u32)CACHE_LINE));
		if (len) { /* the frame goes on in the next page */
			page_put(p);
			memmove(priv->rx_pages, priv->rx_pages + 1,
				sizeof(priv->rx_pages) - sizeof(priv->rx_pages[0]));
			priv->rx_pages[RX_PAGES - 1] = NULL;
			priv->rx_off = 0;
		}
	}
}

/* One frame that there is no memory for. -EAGAIN: none is there */
static int tun_read_away(struct tun_priv *priv)
{
	u8 octet;

	if (read(priv->fd, &octet, sizeof(octet)) < 0)
		return -errno;
	priv->dev->stats.rx_dropped++;
	return 0;
}

/* The next frame, without its virtio-net header, which is put at @vnet. NULL with *ret_err. */
static struct sk_buff *tun_read(struct tun_priv *priv, u8 *vnet, int *ret_err)
{
	struct sk_buff *skb = netdev_alloc_skb(priv->dev, RX_HEAD + NET_IP_ALIGN);
	struct iovec iov[2 + RX_PAGES] = { { vnet, priv->vnet_len } };
	ssize_t n;

	if (!skb || !tun_pages_fill(priv)) {
		consume_skb(skb); /* not a packet yet */
		*ret_err = -ENOMEM;
		return NULL;
	}
	if (!priv->layer3)
		skb_reserve(skb, NET_IP_ALIGN);
	iov[1] = (struct iovec){ skb_tail_pointer(skb), RX_HEAD };
	for (u32 i = 0; i < RX_PAGES; i++) {
		u32 off = i ? 0 : priv->rx_off;

		iov[2 + i] = (struct iovec){ priv->rx_pages[i]->addr + off, PAGE_ROOM - off };
	}
	do
		n = readv(priv->fd, iov, ARRAY_SIZE(iov));
	while (n < 0 && (errno == EINTR || (errno == ECONNREFUSED && priv->connectionless)));
	if (n < 0 || (n == 0 && !priv->connectionless)) {
		*ret_err = n < 0 ? -errno : -EPIPE;
		consume_skb(skb);
		return NULL;
	}
	n -= min((ssize_t)priv->vnet_len, n);
	skb_put(skb, min((u32)n, (u32)RX_HEAD));
	if (n > RX_HEAD)
		tun_add_frags(priv, skb, (u32)n - RX_HEAD);
	return skb;
}

/* The type of a packet without link-layer header, from its version; 0: neither. */
static u16 tun_packet_type(const struct sk_buff *skb)
{
	u8 version = skb->len ? skb->data[0] >> 4 : 0;

	return version == 4 ? ETH_P_IP : version == 6 ? ETH_P_IPV6 : 0;
}

static void tun_receive(struct tun_priv *priv, struct sk_buff *skb, const u8 *vnet)
{
	struct net_device *dev = priv->dev;
	u32 l2_len = priv->layer3 ? 0 : ETH_HLEN;
	skb_drop_reason_t reason = SKB_NOT_DROPPED;

	if (skb->len < max(l2_len, 1u) || (priv->layer3 && !tun_packet_type(skb)))
		reason = SKB_DROP_PKT_TOO_SMALL;
	else if (priv->vnet_len && virtio_net_hdr_to_skb(skb, vnet, l2_len))
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
	if (priv->layer3) {
		skb->protocol = cpu_to_be16(tun_packet_type(skb));
		skb_reset_mac_header(skb);
		netif_receive_skb(skb);
		return;
	}
	skb->protocol = eth_type_trans(skb, dev);
	dev->stats.multicast += skb->pkt_type == SKB_PACKET_MULTICAST;
	if (skb_is_gso(skb))
		netif_receive_skb(skb);
	else
		napi_gro_receive(&priv->napi, skb);
}

static void tun_retry(struct cpu *cpu, struct timer_list *t)
{
	struct tun_priv *priv = container_of(t, struct tun_priv, retry);

	if (netif_running(priv->dev) && !(priv->napi.state & NAPI_STATE_SCHED))
		napi_schedule(&priv->napi);
}

static int tun_poll(struct napi_struct *napi, int budget)
{
	struct net_device *dev = napi->dev;
	struct tun_priv *priv = tun_priv(dev);
	u8 vnet[MAX_VNET];
	int work = 0, err = 0;

	while (work < budget && !err) {
		struct sk_buff *skb = tun_read(priv, vnet, &err);
		u32 len = skb ? skb->len : 0;

		if (skb)
			tun_receive(priv, skb, vnet);
		else if (err == -ENOMEM)
			err = tun_read_away(priv);
		work += err ? 0 : napi_work(dev, len);
	}
	if (work >= budget)
		return budget;
	napi_complete_done(napi, work);
	if (err == -EAGAIN || err == -EINTR)
		tun_arm(priv, HOST_WATCH_READ);
	else if (err == -ENOMEM || err == -ENOBUFS) /* the host's, not ours */
		mod_timer(dev->cpu, &priv->retry, dev->cpu->now + RETRY_NS);
	else
		tun_fail(priv);
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

static ssize_t tun_write(const struct tun_priv *priv, const struct sk_buff *skb, u8 *vnet)
{
	u8 copy[MAX_VNET + TX_COPY];
	struct iovec iov[TX_VECTORS] = { { vnet, priv->vnet_len } };

	/* Describing pieces to the kernel takes longer than copying a few octets. */
	if (!priv->vnet_len && !skb_is_nonlinear(skb))
		return write(priv->fd, skb->data, skb->len);
	if (skb->len > TX_COPY || skb_copy_bits(skb, 0, copy + priv->vnet_len, skb->len))
		return writev(priv->fd, iov, tun_gather(skb, iov, priv->vnet_len != 0));
	memcpy(copy, vnet, priv->vnet_len);
	return write(priv->fd, copy, priv->vnet_len + skb->len);
}

static enum netdev_tx tun_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct tun_priv *priv = tun_priv(dev);
	u8 vnet[MAX_VNET];
	ssize_t n;

	trace_skb(skb, dev->net, TP_tun_xmit, TRACE_PASS, 0, 0);
	if (priv->vnet_len && virtio_net_hdr_from_skb(skb, vnet, priv->vnet_len))
		return tun_drop(skb, dev, SKB_DROP_VNET_HDR);
	do
		n = tun_write(priv, skb, vnet);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN) {
		netif_tx_stop_queue(dev->tx);
		tun_arm(priv, HOST_WATCH_WRITE | (priv->armed & HOST_WATCH_READ));
		return NETDEV_TX_BUSY;
	}
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
		(void)ioctl(priv->fd, TUNSETCARRIER, &on);
}

static int tun_init(struct net_device *dev)
{
	struct tun_priv *priv = tun_priv(dev);

	priv->work.fn = tun_interrupt;
	timer_setup(&priv->retry, tun_retry);
	netif_napi_add(dev, &priv->napi, tun_poll);
	priv->watch = dev->net->machine->host->ops->watch_create(dev->net->machine->host, priv->fd,
								 tun_ready, priv);
	if (!priv->watch) {
		int err = -errno;

		netif_napi_del(&priv->napi);
		return err == -EPERM ? -EINVAL : err; /* epoll_ctl(2): an ordinary file */
	}
	return 0;
}

static void tun_uninit(struct net_device *dev)
{
	struct tun_priv *priv = tun_priv(dev);

	dev->net->machine->host->ops->watch_free(priv->watch);
	cpu_lock(dev->cpu);
	run_remote_work(dev->cpu); /* ours may be among it */
	del_timer(&priv->retry);
	tun_pages_free(priv);
	netif_napi_del(&priv->napi);
	cpu_unlock(dev->cpu);
}

static void tun_destructor(struct net_device *dev)
{
	if (tun_priv(dev)->fd >= 0)
		close(tun_priv(dev)->fd);
}

static int tun_open(struct net_device *dev)
{
	struct tun_priv *priv = tun_priv(dev);

	priv->failed = false;
	napi_enable(&priv->napi);
	tun_tell_carrier(priv, 1);
	netif_carrier_on(dev);
	netif_tx_wake_queue(dev->tx);
	tun_arm(priv, HOST_WATCH_READ);
	return 0;
}

static int tun_stop(struct net_device *dev)
{
	struct tun_priv *priv = tun_priv(dev);

	netif_carrier_off(dev);
	tun_tell_carrier(priv, 0);
	napi_disable(&priv->napi);
	del_timer(&priv->retry);
	tun_pages_free(priv);
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
};

static const struct net_device_ops tap_ops = {
	.ndo_init = tun_init,
	.ndo_uninit = tun_uninit,
	.ndo_open = tun_open,
	.ndo_stop = tun_stop,
	.ndo_start_xmit = tun_xmit,
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
	tun_priv(dev)->fd = -1;
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

	if (getsockopt(priv->fd, SOL_SOCKET, SO_TYPE, &type, &len) || type == SOCK_STREAM)
		return -EINVAL;
	priv->connectionless = type == SOCK_DGRAM;
	return 0;
}

/* Finds out what @priv->fd is. 0 or -EINVAL */
static int tun_probe(struct tun_priv *priv, u32 flags)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	int len = VIRTIO_NET_HEADER_LEN;

	priv->is_tun = !ioctl(priv->fd, TUNGETIFF, &ifr);
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
	if (ioctl(priv->fd, TUNGETVNETHDRSZ, &len) || len < VIRTIO_NET_HEADER_LEN || len > MAX_VNET)
		return -EINVAL;
	priv->vnet_len = (u32)len;
	return 0;
}

/* The kernel takes whatever the header describes; what it may send us is told here. */
static void tun_set_offloads(struct net_device *dev)
{
	const struct tun_priv *priv = tun_priv(dev);

	if (priv->is_tun)
		(void)ioctl(priv->fd, TUNSETOFFLOAD,
			    priv->vnet_len ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0);
	if (!priv->vnet_len)
		return;
	dev->features |= NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_RXCSUM;
	dev->hw_features |= NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6;
}

static int tun_take_fd(struct tun_priv *priv, int fd)
{
	int fl;

	priv->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (priv->fd < 0)
		return -errno;
	fl = fcntl(priv->fd, F_GETFL);
	if (fl < 0 || fcntl(priv->fd, F_SETFL, fl | O_NONBLOCK))
		return -errno;
	return 0;
}

int tun_attach(struct net *net, const char *name, int fd, u32 flags)
{
	struct net_device *dev = alloc_netdev(net, sizeof(struct tun_priv), name, tun_setup, 1);
	struct tun_priv *priv;
	int err;

	if (!dev)
		return -ENOMEM;
	priv = tun_priv(dev);
	priv->dev = dev;
	err = tun_take_fd(priv, fd);
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
	return err;
}

/* ---- by name ----------------------------------------------------------------------------------------------- */

/* 0 or -errno; an interface of that name that is of the other kind: -EINVAL */
static int set_iff(int fd, const char *name, int kind)
{
	struct ifreq ifr = { .ifr_flags = (short)(kind | IFF_NO_PI | IFF_VNET_HDR) };

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(fd, TUNSETIFF, &ifr) ? -errno : 0;
}

static int tap_attach(struct net *net, const char *ifname, const char *name, const void *config,
		      struct netlink_ext_ack *extack)
{
	int fd, err;

	if (strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		err = -errno;
		nl_set_err_msg(extack, "/dev/net/tun: %s", strerror(-err));
		return err;
	}
	err = set_iff(fd, name, IFF_TAP);
	if (err == -EINVAL)
		err = set_iff(fd, name, IFF_TUN);
	if (err)
		nl_set_err_msg(extack, "tap %s: %s", name, strerror(-err));
	else
		err = tun_attach(net, ifname, fd, 0);
	close(fd);
	return err;
}

const struct host_dev_ops tap_dev_ops = { .kind = "tap", .attach = tap_attach };

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
	nla_put_u8(m, IFLA_TUN_MULTI_QUEUE, 0);
}

const struct rtnl_link_ops tun_link_ops = {
	.kind = "tun",
	.priv_size = sizeof(struct tun_priv),
	.setup = tun_setup,
	.newlink = tun_newlink,
	.fill_info = tun_fill_info,
};
