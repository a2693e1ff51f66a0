/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_packet.c - the family AF_PACKET: frames as devices see them, to and from programs
 *
 * Theory of operation
 *   A socket with a protocol has a tap on its device, or on all of its net. The tap lends each frame, link-layer header first, on its
 *   way in before any protocol sees it, and on its way out between qdisc and driver. SOCK_RAW takes the frame as it is, SOCK_DGRAM
 *   ("cooked") from the network header on. The filter says how much is kept; then a clone goes to the receive queue, or, with a
 *   ring, the octets are copied there (packet_ring.c).
 *   Like Linux: a socket does not see what it sent itself, nor the copies that multicast senders loop back to their own host; one that
 *   asks for a single protocol does not see outgoing frames.
 *   What a program sends goes to the qdisc of the device as it is (SOCK_RAW) or behind a header that the device builds.
 * Locking: the home cpu's lock.
 * See packet(7).
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "core/bpf_classic.h"
#include "core/machine.h"
#include "core/sock_reasons.h"
#include "core/vnet.h"
#include "core/zerocopy.h"
#include "packet/packet_internal.h"
#include "socket/socket.h"
#include "wire/ethernet.h"

#define LINEAR_MAX 2048 /* of a frame that is sent, in the head area; more goes to fragments */

const struct proto packet_proto = {
	.name = "PACKET",
	.obj_size = sizeof(struct packet_sock),
};

/* ---- receiving ------------------------------------------------------------------------------------------ */

/* How many octets the filter keeps of the packet at @off; 0: none. */
static u32 packet_run_filter(const struct packet_sock *po, const struct sk_buff *skb, u32 off,
			     bool outgoing)
{
	struct sk_buff view;

	if (likely(!sk_has_filter(&po->sk)))
		return UINT32_MAX;
	if (!outgoing)
		return bpf_prog_run(po->sk.sk_rare->filter, skb, (int)off);
	/* The frame is lent, and SKF_AD_PKTTYPE must say which way it goes: the program looks at a copy of the struct. */
	view = *skb;
	view.pkt_type = SKB_PACKET_OUTGOING;
	return bpf_prog_run(po->sk.sk_rare->filter, &view, (int)off);
}

void packet_fill_addr(const struct packet_sock *po, const struct packet_frame *fr,
		      struct sockaddr_ll *ll)
{
	const struct net_device *dev = fr->dev;

	memset(ll, 0, sizeof(*ll));
	ll->sll_family = AF_PACKET;
	ll->sll_protocol = fr->skb->protocol.v;
	ll->sll_ifindex = po->origdev && !fr->outgoing && fr->skb->skb_iif ? (int)fr->skb->skb_iif
									   : dev->ifindex;
	ll->sll_hatype = dev->type;
	ll->sll_pkttype = fr->outgoing ? PACKET_OUTGOING : fr->skb->pkt_type;
	if (dev->header_ops && dev->header_ops->parse) {
		u8 addr[MAX_ADDR_LEN];

		ll->sll_halen = (u8)dev->header_ops->parse(fr->skb, addr);
		memcpy(ll->sll_addr, addr, min_t(size_t, ll->sll_halen, sizeof(ll->sll_addr)));
	}
}

u32 packet_status(const struct sk_buff *skb, bool outgoing)
{
	u32 status = TP_STATUS_USER;

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		status |= TP_STATUS_CSUMNOTREADY;
	else if (!outgoing && skb_csum_unnecessary(skb))
		status |= TP_STATUS_CSUM_VALID;
	if (skb->vlan_present)
		status |= TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID;
	return status;
}

bool packet_has_room(const struct packet_sock *po)
{
	return po->rx.mem ? packet_ring_has_room(po) : po->sk.sk_rmem_alloc < po->sk.sk_rcvbuf;
}

/* To the receive queue: a clone. */
static void packet_rcv(struct packet_sock *po, const struct packet_frame *fr)
{
	struct sock *sk = &po->sk;
	struct sk_buff *copy = NULL;

	if (sk->sk_rmem_alloc < sk->sk_rcvbuf)
		copy = skb_clone_to_keep(fr->skb);
	if (!copy) {
		po->drops++;
		sk->sk_drops++;
		return;
	}
	PACKET_CB(copy)->origlen = fr->len;
	packet_fill_addr(po, fr, &PACKET_CB(copy)->addr);
	__skb_pull(copy, fr->off);
	if (fr->snaplen < fr->len && pskb_trim(copy, fr->snaplen)) {
		po->drops++;
		kfree_skb_reason(copy, SKB_DROP_NOMEM);
		return;
	}
	if (fr->outgoing) {
		copy->pkt_type = SKB_PACKET_OUTGOING;
		copy->tstamp = fr->dev->cpu->now; /* not when it is to depart */
	}
	trace_skb(copy, fr->dev->net, TP_packet_rcv, TRACE_QUEUED, sk->sk_rmem_alloc, 0);
	if (__sock_queue_rcv_skb(sk, copy))
		po->drops++;
	else
		po->packets++;
}

void packet_deliver(struct packet_sock *po, const struct sk_buff *skb, struct net_device *dev,
		    bool outgoing)
{
	struct packet_frame fr = { .skb = skb, .dev = dev, .outgoing = outgoing };

	if (skb->pkt_type == SKB_PACKET_LOOPBACK)
		return;
	if (outgoing && (po->ignore_outgoing || skb->sk == &po->sk))
		return;
	if (po->dgram)
		fr.off = (u32)max(skb_network_offset(skb), 0);
	if (fr.off > skb->len || fr.off > skb_headlen(skb))
		return;
	fr.len = skb->len - fr.off;
	fr.snaplen = min(packet_run_filter(po, skb, fr.off, outgoing), fr.len);
	if (!fr.snaplen)
		return;
	if (po->rx.mem)
		tpacket_rcv(po, &fr);
	else
		packet_rcv(po, &fr);
}

static void packet_tap_func(struct packet_tap *tap, const struct sk_buff *skb,
			    struct net_device *dev, bool outgoing)
{
	packet_deliver(container_of(tap, struct packet_sock, tap), skb, dev, outgoing);
}

void packet_hook(struct packet_sock *po)
{
	if (po->running)
		return;
	po->running = true;
	if (po->fanout) {
		packet_fanout_link(po);
		return;
	}
	po->tap.dev = po->dev;
	po->tap.type = po->num;
	po->tap.name = po->rx.mem ? "tpacket_rcv" : "packet_rcv";
	dev_add_tap(sock_net(&po->sk), &po->tap);
}

void packet_unhook(struct packet_sock *po)
{
	if (!po->running)
		return;
	po->running = false;
	if (po->fanout)
		packet_fanout_unlink(po);
	else
		dev_remove_tap(&po->tap);
}

/* ---- recvmsg ------------------------------------------------------------------------------------------- */

static void packet_put_auxdata(struct kmsghdr *msg, const struct sk_buff *skb)
{
	struct tpacket_auxdata aux = {
		.tp_status = packet_status(skb, skb->pkt_type == SKB_PACKET_OUTGOING),
		.tp_len = PACKET_CB(skb)->origlen,
		.tp_snaplen = skb->len,
		.tp_net = (u16)skb_network_offset(skb),
	};

	if (skb->vlan_present) {
		aux.tp_vlan_tci = skb->vlan_tci;
		aux.tp_vlan_tpid = be16_to_cpu(skb->vlan_proto);
	}
	put_cmsg(msg, SOL_PACKET, PACKET_AUXDATA, sizeof(aux), &aux);
}

/* Errors are no packets: what is told there is when frames left (SO_TIMESTAMPING). */
static ssize_t packet_recv_errqueue(struct sock *sk, struct kmsghdr *msg, size_t len)
{
	struct sk_buff *skb = sock_dequeue_err_skb(sk);
	u32 copied;
	int err;

	if (!skb)
		return -EAGAIN;
	copied = (u32)min_t(size_t, skb->len, len);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, copied);
	if (!err) {
		sock_recv_tx_timestamp(sk, msg, skb);
		put_cmsg(msg, SOL_PACKET, PACKET_TX_TIMESTAMP, sizeof(SOCK_ERR_CB(skb)->ee),
			 &SOCK_ERR_CB(skb)->ee);
		msg->flags |= MSG_ERRQUEUE;
	}
	consume_skb(skb);
	return err ? err : (ssize_t)copied;
}

/* In front of the frame, as PACKET_VNET_HDR asks. Octets, or -EINVAL: no room for it, or it cannot be told. */
static int packet_put_vnet(const struct packet_sock *po, struct kmsghdr *msg, size_t len,
			   const struct sk_buff *skb)
{
	u8 vnet[VIRTIO_NET_HDR_MRG_RXBUF_LEN];

	if (!po->vnet_len)
		return 0;
	if (len < po->vnet_len || virtio_net_hdr_from_skb(skb, vnet, po->vnet_len))
		return -EINVAL;
	return copy_to_iter(vnet, po->vnet_len, &msg->iter) == po->vnet_len ? po->vnet_len
									    : -EFAULT;
}

static ssize_t packet_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	int err, vnet;
	u32 copied;

	if (flags & ~(MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC | MSG_ERRQUEUE))
		return -EINVAL;
	if (flags & MSG_ERRQUEUE)
		return packet_recv_errqueue(sk, msg, len);
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	vnet = packet_put_vnet(packet_sk(sk), msg, len, skb);
	if (vnet < 0) {
		skb_free_datagram(sk, skb);
		return vnet;
	}
	copied = (u32)min_t(size_t, skb->len, len - (size_t)vnet);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, copied);
	if (err) {
		skb_free_datagram(sk, skb);
		return err;
	}
	if (msg->name) {
		memset(msg->name, 0, sizeof(*msg->name));
		memcpy(msg->name, &PACKET_CB(skb)->addr, sizeof(struct sockaddr_ll));
		msg->namelen = (socklen_t)(offsetof(struct sockaddr_ll, sll_addr) +
					   PACKET_CB(skb)->addr.sll_halen);
	}
	sock_recv_cmsgs(sk, msg, skb);
	if (packet_sk(sk)->auxdata)
		packet_put_auxdata(msg, skb);
	len = (size_t)vnet + (flags & MSG_TRUNC ? skb->len : copied);
	skb_free_datagram(sk, skb);
	return (ssize_t)len;
}

/* ---- sendmsg ------------------------------------------------------------------------------------------- */

/* Without a queue in between, and unseen by taps. */
static int packet_direct_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct netdev_queue *txq = &dev->tx[0];

	skb_reset_mac_header(skb);
	skb->mac_len = (u16)(skb->network_header - skb->mac_header);
	skb = validate_xmit_skb(skb, dev);
	if (!skb)
		return -ENOBUFS;
	if (netif_xmit_stopped(txq) || netdev_start_xmit(skb, dev, false) == NETDEV_TX_BUSY) {
		dev->stats.tx_dropped++;
		kfree_skb_reason(skb, SKB_DROP_DEV_TX_FULL);
		return -ENOBUFS;
	}
	return 0;
}

/* The headers of a frame that a program made: as far as the device's kind tells. 0, -EINVAL. */
static int packet_parse_frame(struct packet_sock *po, struct sk_buff *skb, struct net_device *dev)
{
	u32 hlen = dev->hard_header_len;

	if (skb->len < hlen || skb_headlen(skb) < hlen)
		return -EINVAL;
	skb_reset_mac_header(skb);
	skb->network_header = (u16)(skb->mac_header + hlen);
	if ((be16_zero(skb->protocol) || be16_to_cpu(skb->protocol) == ETH_P_ALL) &&
	    hlen >= sizeof(struct eth_hdr))
		skb->protocol = ((const struct eth_hdr *)skb->data)->type;
	if (hlen >= sizeof(struct eth_hdr) && is_multicast_ether_addr(skb->data))
		skb->pkt_type = is_broadcast_ether_addr(skb->data) ? SKB_PACKET_BROADCAST
								   : SKB_PACKET_MULTICAST;
	return 0;
}

/* Octets of the program behind what is in @skb. */
static int packet_copy_from(struct packet_sock *po, struct sk_buff *skb, struct iov_iter *from,
			    u32 len)
{
	u32 before = skb->truesize;
	s64 n = skb_append_iter(skb, from, len, true);

	po->sk.sk_wmem_alloc += skb->truesize - before;
	if (n < 0)
		return (int)n;
	return n == len ? 0 : -EFAULT;
}

/* The virtio-net header in front of what the program sends, as far as it can be judged before the frame is there. *ret_gso: the frame is
 * to be cut, and may be longer than the device takes. 0, -EINVAL, -EFAULT. */
static int packet_get_vnet(const struct packet_sock *po, struct iov_iter *from, u32 *len, u8 *vnet,
			   bool *ret_gso)
{
	struct virtio_net_header h;

	*ret_gso = false;
	if (!po->vnet_len)
		return 0;
	if (*len < po->vnet_len)
		return -EINVAL;
	if (copy_from_iter(vnet, po->vnet_len, from) != po->vnet_len)
		return -EFAULT;
	memcpy(&h, vnet, sizeof(h));
	*len -= po->vnet_len;
	*ret_gso = h.gso_type != VIRTIO_GSO_NONE;
	return h.hdr_len > *len ? -EINVAL : 0;
}

ssize_t packet_send_one(struct packet_sock *po, struct net_device *dev, u16 proto, const u8 *daddr,
			const struct sockcm_cookie *sockc, struct iov_iter *from, u32 len,
			bool noblock)
{
	u32 reserve = LL_MAX_HEADER + dev->hard_header_len + dev->needed_headroom;
	u32 most = dev->mtu + (po->dgram ? 0u : dev->hard_header_len);
	u8 vnet[VIRTIO_NET_HDR_MRG_RXBUF_LEN];
	struct sock *sk = &po->sk;
	struct sk_buff *skb;
	bool gso;
	int err;

	if (!netif_running(dev))
		return -ENETDOWN;
	err = packet_get_vnet(po, from, &len, vnet, &gso);
	if (err)
		return err;
	if (gso)
		most = GSO_MAX_SIZE;
	/* A VLAN tag is not the device's header, and not its payload. */
	if (len > most + (po->dgram ? 0 : 4))
		return -EMSGSIZE;
	dev_hold(dev);
	skb = sock_alloc_send_skb(sk, reserve + min(len, (u32)LINEAR_MAX), 0, noblock, &err);
	if (!skb)
		goto out;
	skb_reserve(skb, reserve);
	skb->protocol = cpu_to_be16(proto);
	skb->dev = dev;
	skb->priority = sockc->priority;
	skb->mark = sockc->mark;
	if (po->dgram) {
		skb_reset_network_header(skb);
		if (dev_hard_header(skb, dev, proto, daddr, NULL, len) < 0)
			err = -EINVAL;
	}
	if (!err)
		err = packet_copy_from(po, skb, from, len);
	if (!err && !po->dgram)
		err = packet_parse_frame(po, skb, dev);
	if (!err && po->vnet_len)
		err = virtio_net_hdr_to_skb(skb, vnet, dev->hard_header_len);
	/* That somebody has checked the checksum is for receivers to know, not for senders to say. */
	if (skb->ip_summed == CHECKSUM_UNNECESSARY)
		skb->ip_summed = CHECKSUM_NONE;
	if (!err && !po->dgram && len > most && be16_to_cpu(skb->protocol) != ETH_P_8021Q)
		err = -EMSGSIZE;
	if (!err && dev->reg_state != NETREG_REGISTERED)
		err = -ENXIO; /* it went while we waited for room */
	if (err) {
		kfree_skb_reason(skb, SKB_DROP_SOCKET_SEND);
		goto out;
	}
	sock_tx_timestamp(sk, skb, sockc);
	trace_skb(skb, dev->net, TP_packet_snd, TRACE_CREATE, be16_to_cpu(skb->protocol), 0);
	if (!po->qdisc_bypass)
		err = dev_queue_xmit(skb);
	else if (netif_running(dev))
		err = packet_direct_xmit(skb, dev);
	else {
		kfree_skb_reason(skb, SKB_DROP_DEV_DOWN);
		err = -ENETDOWN;
	}
out:
	dev_put(dev);
	return err ? err : (ssize_t)len;
}

static ssize_t packet_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	struct packet_sock *po = packet_sk(sock->sk);
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)msg->name;
	bool noblock = msg->flags & MSG_DONTWAIT;
	const u8 *daddr = NULL;
	struct net_device *dev = po->dev;
	u8 addr[sizeof(msg->name->__ss_padding)];
	struct sockcm_cookie sockc;
	u16 proto = po->num;
	int err;

	if (ll) {
		if (msg->namelen < sizeof(*ll) ||
		    msg->namelen < offsetof(struct sockaddr_ll, sll_addr) + ll->sll_halen)
			return -EINVAL;
		if (ll->sll_family != AF_PACKET && ll->sll_family != AF_UNSPEC)
			return -EINVAL;
		proto = be16_to_cpu(be16_raw(ll->sll_protocol));
		dev = __dev_get_by_index(sock->net, ll->sll_ifindex);
		if (po->dgram && dev && ll->sll_halen < dev->addr_len && !po->tx.mem)
			return -EINVAL;
		if (po->dgram && ll->sll_halen) {
			memcpy(addr, ll->sll_addr, min_t(size_t, ll->sll_halen, sizeof(addr)));
			daddr = addr;
		}
	}
	if (!dev)
		return -ENXIO;
	if (!netif_running(dev))
		return -ENETDOWN;
	sockcm_init(&sockc, &po->sk);
	err = sock_cmsgs_send(&po->sk, msg, &sockc);
	if (err)
		return err;
	if (po->tx.mem)
		return tpacket_snd(po, dev, proto, daddr, &sockc, noblock);
	if (len > INT32_MAX)
		return -EMSGSIZE;
	err = (int)packet_send_one(po, dev, proto, daddr, &sockc, &msg->iter, (u32)len, noblock);
	return err < 0 ? err : (ssize_t)len;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static int packet_do_bind(struct packet_sock *po, int ifindex, u16 proto)
{
	struct net_device *dev = NULL;

	if (po->fanout)
		return -EINVAL;
	if (ifindex) {
		dev = __dev_get_by_index(sock_net(&po->sk), ifindex);
		if (!dev)
			return -ENODEV;
	}
	packet_unhook(po);
	po->dev = dev;
	po->ifindex = ifindex;
	po->num = proto;
	if (!proto)
		return 0;
	if (!dev || netif_running(dev)) {
		packet_hook(po);
	} else {
		po->sk.sk_err = ENETDOWN;
		sk_error_report(&po->sk);
	}
	return 0;
}

static int packet_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_ll *ll = (const struct sockaddr_ll *)addr;
	struct packet_sock *po = packet_sk(sock->sk);
	u16 proto;

	if (len < sizeof(*ll) || ll->sll_family != AF_PACKET)
		return -EINVAL;
	proto = be16_to_cpu(be16_raw(ll->sll_protocol));
	return packet_do_bind(po, ll->sll_ifindex, proto ? proto : po->num);
}

static int packet_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct packet_sock *po = packet_sk(sk);

	packet_unhook(po);
	packet_fanout_leave(po);
	packet_mc_flush(po, NULL);
	packet_free_rings(po);
	list_del(&po->node);
	skb_queue_purge_reason(&sk->sk_receive_queue, SKB_DROP_SOCKET_CLOSE);
	sock_orphan(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

static int packet_getname(struct socket *sock, struct sockaddr_storage *ret, int peer)
{
	const struct packet_sock *po = packet_sk(sock->sk);
	struct sockaddr_ll *ll = (struct sockaddr_ll *)ret;

	if (peer)
		return -EOPNOTSUPP;
	memset(ret, 0, sizeof(*ret));
	ll->sll_family = AF_PACKET;
	ll->sll_ifindex = po->ifindex;
	ll->sll_protocol = cpu_to_be16(po->num).v;
	if (po->dev) {
		ll->sll_hatype = po->dev->type;
		ll->sll_halen = po->dev->addr_len;
		memcpy(ll->sll_addr, po->dev->dev_addr, min_t(size_t, po->dev->addr_len, 32));
	}
	return (int)(offsetof(struct sockaddr_ll, sll_addr) + ll->sll_halen);
}

static u32 packet_poll(struct socket *sock)
{
	const struct packet_sock *po = packet_sk(sock->sk);
	u32 mask = datagram_poll(sock);

	if (po->rx.mem && packet_ring_readable(po))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static int packet_ioctl(struct socket *sock, unsigned cmd, void *arg)
{
	struct sock *sk = sock->sk;
	const struct sk_buff *skb;

	switch (cmd) {
	case SIOCOUTQ:
		*(int *)arg = (int)sk->sk_wmem_alloc;
		return 0;
	case SIOCINQ:
		skb = skb_peek(&sk->sk_receive_queue);
		*(int *)arg = skb ? (int)skb->len : 0;
		return 0;
	default:
		return sock_gettstamp(sk, cmd, arg);
	}
}

static const struct proto_ops packet_ops = {
	.family = AF_PACKET,
	.release = packet_release,
	.bind = packet_bind,
	.getname = packet_getname,
	.poll = packet_poll,
	.ioctl = packet_ioctl,
	.setsockopt = packet_setsockopt,
	.getsockopt = packet_getsockopt,
	.sendmsg = packet_sendmsg,
	.recvmsg = packet_recvmsg,
};

static int packet_create(struct net *net, struct socket *sock, int protocol)
{
	struct packet_sock *po;
	struct sock *sk;

	/* SOCK_PACKET is what Linux 2.0 had. */
	if (sock->type != SOCK_RAW && sock->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	sk = sk_alloc(net, AF_PACKET, &packet_proto);
	if (!sk)
		return -ENOBUFS;
	sock_init_data(sk, sock, &sock->wq, sock->type);
	po = packet_sk(sk);
	po->dgram = sock->type == SOCK_DGRAM;
	po->tap.func = packet_tap_func;
	po->map_fd = -1;
	list_init(&po->mc);
	list_init(&po->tap.node);
	list_add_tail(&po->node, &net->packet->socks);
	sock->ops = &packet_ops;
	sock->sk = sk;
	po->num = be16_to_cpu(be16_raw((u16)protocol));
	if (po->num)
		packet_hook(po);
	return 0;
}

const struct net_proto_family packet_family = {
	.family = AF_PACKET,
	.create = packet_create,
};
