/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_ring.c - frames in memory that is shared with the program: TPACKET_V1, V2, V3
 *
 * Theory of operation
 *   The memory is a memfd that the program maps (packet_ring_fd()): the receive ring, then the transmit ring. Its size is sealed
 *   against shrinking, so that no access of ours can fault.
 *   V1, V2: a ring of frames of one size. Each begins with a status word that says whose it is: we fill a frame that is ours
 *   (TP_STATUS_KERNEL) and make it the program's (TP_STATUS_USER), the program gives it back.
 *   V3: a ring of blocks that frames of any size are packed into. A block is given to the program when the next frame does not fit, or when
 *   the retire timer finds frames in it. While the next block is still the program's, the queue is frozen and frames are lost.
 *   Transmit ring (V1, V2): the program marks frames TP_STATUS_SEND_REQUEST and calls send(); the octets are copied.
 * Invariants
 *   The program may write anything anywhere at any time. Of what is shared we read only status words, and the length and offsets of a
 *   frame to be sent, once, before they are checked; positions are kept in struct packet_ring.
 * Locking: the home cpu's lock.
 * See packet(7), linux/if_packet.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/net_tstamp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/vnet.h"
#include "core/zerocopy.h"
#include "packet/packet.h"
#include "packet/packet_internal.h"
#include "socket/socket.h"

#define RING_MAX          (1ULL << 30) /* octets, of one socket */
#define V3_ALIGN          8u
#define V3_HDR            ALIGN_UP((u32)sizeof(struct tpacket_block_desc), V3_ALIGN)
#define V3_DEFAULT_TOV_MS 8
#define RING_PAGE         4096u

u32 packet_hdrlen(u32 version)
{
	switch (version) {
	case TPACKET_V1:
		return TPACKET_HDRLEN;
	case TPACKET_V2:
		return TPACKET2_HDRLEN;
	default:
		return TPACKET3_HDRLEN;
	}
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static size_t ring_size(const struct packet_ring *r)
{
	return (size_t)r->block_size * r->block_nr;
}

/* A new mapping of @size octets; its descriptor in *ret_fd. */
static int map_create(size_t size, u8 **ret_map, int *ret_fd)
{
	int err, fd = memfd_create("packet-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *map;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_map = map;
	*ret_fd = fd;
	return 0;
}

static void map_free(struct packet_sock *po)
{
	if (po->map)
		munmap(po->map, po->map_size);
	if (po->map_fd >= 0)
		close(po->map_fd);
	po->map = NULL;
	po->map_size = 0;
	po->map_fd = -1;
}

/* Gives the socket memory for the rings as @rx and @tx say; what is in those that stay moves along. */
static int rings_remap(struct packet_sock *po, struct packet_ring *rx, struct packet_ring *tx)
{
	size_t size = ring_size(rx) + ring_size(tx);
	u8 *map = NULL;
	int err, fd = -1;

	if (size > RING_MAX)
		return -ENOMEM;
	if (size) {
		err = map_create(size, &map, &fd);
		if (err)
			return err;
		if (rx->mem)
			memcpy(map, rx->mem, ring_size(rx));
		if (tx->mem)
			memcpy(map + ring_size(rx), tx->mem, ring_size(tx));
	}
	map_free(po);
	po->map = map;
	po->map_size = size;
	po->map_fd = fd;
	rx->mem = ring_size(rx) ? map : NULL;
	tx->mem = ring_size(tx) ? map + ring_size(rx) : NULL;
	po->rx = *rx;
	po->tx = *tx;
	return 0;
}

static int ring_check(const struct packet_sock *po, const struct tpacket_req3 *req)
{
	u32 min_frame = packet_hdrlen(po->version) + po->reserve;
	u32 per_block;

	if ((int)req->tp_block_size <= 0 || req->tp_block_size % RING_PAGE)
		return -EINVAL;
	if (req->tp_frame_size < min_frame || req->tp_frame_size % TPACKET_ALIGNMENT)
		return -EINVAL;
	if (po->version == TPACKET_V3 &&
	    (u64)V3_HDR + ALIGN_UP((u64)req->tp_sizeof_priv, V3_ALIGN) + min_frame >
		    req->tp_block_size)
		return -EINVAL;
	per_block = req->tp_block_size / req->tp_frame_size;
	if (!per_block || (u64)per_block * req->tp_block_nr != req->tp_frame_nr)
		return -EINVAL;
	return (u64)req->tp_block_size * req->tp_block_nr > RING_MAX ? -ENOMEM : 0;
}

static void retire_timer(struct cpu *cpu, struct timer_list *t);
static bool block_open(struct packet_sock *po);

int packet_set_ring(struct packet_sock *po, const struct tpacket_req3 *req, bool tx)
{
	struct packet_ring *old = tx ? &po->tx : &po->rx, r = { 0 };
	struct packet_ring other = tx ? po->rx : po->tx;
	int err;

	if (!req->tp_block_nr) {
		if (req->tp_frame_nr)
			return -EINVAL;
	} else {
		if (old->mem)
			return -EBUSY;
		if (tx && po->version == TPACKET_V3)
			return -EINVAL;
		err = ring_check(po, req);
		if (err)
			return err;
		r.block_size = req->tp_block_size;
		r.block_nr = req->tp_block_nr;
		r.frame_size = req->tp_frame_size;
		r.frame_nr = req->tp_frame_nr;
		r.frames_per_block = r.block_size / r.frame_size;
		if (po->version == TPACKET_V3) {
			r.retire_ms =
				req->tp_retire_blk_tov ? req->tp_retire_blk_tov : V3_DEFAULT_TOV_MS;
			r.priv = req->tp_sizeof_priv;
		}
	}
	err = tx ? rings_remap(po, &other, &r) : rings_remap(po, &r, &other);
	if (err)
		return err;
	if (tx)
		return 0;
	if (po->retire_timer.function)
		del_timer(&po->retire_timer);
	skb_queue_purge_reason(&po->sk.sk_receive_queue, SKB_DROP_NOT_SPECIFIED);
	if (po->rx.mem && po->version == TPACKET_V3) {
		block_open(po);
		timer_setup(&po->retire_timer, retire_timer);
		mod_timer(po->sk.sk_cpu, &po->retire_timer,
			  po->sk.sk_cpu->now + (u64)po->rx.retire_ms * NSEC_PER_MSEC);
	}
	return 0;
}

void packet_free_rings(struct packet_sock *po)
{
	if (po->retire_timer.function)
		del_timer(&po->retire_timer);
	po->rx.mem = po->tx.mem = NULL;
	map_free(po);
}

int packet_ring_fd(struct file *f, int *ret_fd, size_t *ret_size)
{
	struct socket *sock;
	int fd = -EINVAL;

	if (!file_is_socket(f))
		return -ENOTSOCK;
	sock = file_socket(f);
	cpu_lock(sock_cpu(sock));
	if (sock->sk && sock->sk->sk_family == AF_PACKET && packet_sk(sock->sk)->map_fd >= 0) {
		fd = fcntl(packet_sk(sock->sk)->map_fd, F_DUPFD_CLOEXEC, 0);
		fd = fd < 0 ? -errno : fd;
		*ret_size = packet_sk(sock->sk)->map_size;
	}
	cpu_unlock(sock_cpu(sock));
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

/* ---- frames of V1 and V2 --------------------------------------------------------------------------------- */

static u8 *frame_at(const struct packet_ring *r, u32 i)
{
	return r->mem + (size_t)(i / r->frames_per_block) * r->block_size +
	       (size_t)(i % r->frames_per_block) * r->frame_size;
}

static u32 frame_status(const struct packet_sock *po, const u8 *frame)
{
	if (po->version == TPACKET_V1)
		return (u32)__atomic_load_n(&((const struct tpacket_hdr *)frame)->tp_status,
					    __ATOMIC_ACQUIRE);
	return __atomic_load_n(&((const struct tpacket2_hdr *)frame)->tp_status, __ATOMIC_ACQUIRE);
}

static void frame_set_status(const struct packet_sock *po, u8 *frame, u32 status)
{
	if (po->version == TPACKET_V1)
		__atomic_store_n(&((struct tpacket_hdr *)frame)->tp_status, status,
				 __ATOMIC_RELEASE);
	else
		__atomic_store_n(&((struct tpacket2_hdr *)frame)->tp_status, status,
				 __ATOMIC_RELEASE);
}

static u32 frame_next(const struct packet_ring *r, u32 i)
{
	return i + 1 == r->frame_nr ? 0 : i + 1;
}

/* ---- what all versions tell about a frame ------------------------------------------------------------------ */

struct tp_place {
	u32 macoff, netoff, snaplen;
};

/* Where the octets lie in a frame, as Linux places them: the network header is aligned. */
static void tp_place(const struct packet_sock *po, const struct packet_frame *fr,
		     struct tp_place *p)
{
	u32 maclen, hdrlen = packet_hdrlen(po->version);

	if (po->dgram) {
		p->macoff = p->netoff = TPACKET_ALIGN(hdrlen) + 16 + po->reserve;
	} else {
		maclen = (u32)max(skb_network_offset(fr->skb), 0);
		p->netoff = TPACKET_ALIGN(hdrlen + max(maclen, 16u)) + po->reserve + po->vnet_len;
		p->macoff = p->netoff - maclen;
	}
	p->snaplen = fr->snaplen;
}

/* The octets of the packet, and the virtio-net header right in front of them, into @frame. Like Linux the shorter one, whatever room
 * PACKET_VNET_HDR_SZ takes. */
static bool tp_copy(const struct packet_sock *po, const struct packet_frame *fr,
		    const struct tp_place *p, u8 *frame)
{
	if (!p->snaplen)
		return true;
	if (po->vnet_len &&
	    virtio_net_hdr_from_skb(fr->skb, frame + p->macoff - VIRTIO_NET_HEADER_LEN,
				    VIRTIO_NET_HEADER_LEN))
		return false;
	return !skb_copy_bits(fr->skb, fr->off, frame + p->macoff, p->snaplen);
}

static u64 tp_stamp(const struct packet_sock *po, const struct packet_frame *fr)
{
	struct host *host = po->sk.sk_cpu->machine->host;
	u64 now = host_now(host), stamp = fr->outgoing || !fr->skb->tstamp ? now : fr->skb->tstamp;

	return host_realtime(host) - (now > stamp ? now - stamp : 0);
}

static u32 tp_status(const struct packet_sock *po, const struct packet_frame *fr)
{
	u32 status = packet_status(fr->skb, fr->outgoing);

	if (po->tstamp & SOF_TIMESTAMPING_SOFTWARE)
		status |= TP_STATUS_TS_SOFTWARE;
	if (po->drops)
		status |= TP_STATUS_LOSING;
	return status;
}

static void tp_lost(struct packet_sock *po)
{
	po->drops++;
	po->sk.sk_drops++;
}

/* ---- receiving, V1 and V2 ---------------------------------------------------------------------------------- */

static void fill_v1(u8 *frame, const struct packet_frame *fr, const struct tp_place *p, u64 stamp)
{
	struct tpacket_hdr *h = (struct tpacket_hdr *)frame;

	h->tp_len = fr->len;
	h->tp_snaplen = p->snaplen;
	h->tp_mac = (u16)p->macoff;
	h->tp_net = (u16)p->netoff;
	h->tp_sec = (u32)(stamp / NSEC_PER_SEC);
	h->tp_usec = (u32)(stamp % NSEC_PER_SEC / NSEC_PER_USEC);
}

static void fill_v2(u8 *frame, const struct packet_frame *fr, const struct tp_place *p, u64 stamp)
{
	struct tpacket2_hdr *h = (struct tpacket2_hdr *)frame;

	h->tp_len = fr->len;
	h->tp_snaplen = p->snaplen;
	h->tp_mac = (u16)p->macoff;
	h->tp_net = (u16)p->netoff;
	h->tp_sec = (u32)(stamp / NSEC_PER_SEC);
	h->tp_nsec = (u32)(stamp % NSEC_PER_SEC);
	h->tp_vlan_tci = fr->skb->vlan_present ? fr->skb->vlan_tci : 0;
	h->tp_vlan_tpid = fr->skb->vlan_present ? be16_to_cpu(fr->skb->vlan_proto) : 0;
	memset(h->tp_padding, 0, sizeof(h->tp_padding));
}

/* A frame that is too long for the ring goes to the queue as well, where the program asked for that (PACKET_COPY_THRESH). */
static bool copy_to_queue(struct packet_sock *po, const struct packet_frame *fr)
{
	struct sk_buff *copy;

	if (!po->copy_thresh || po->sk.sk_rmem_alloc >= po->sk.sk_rcvbuf)
		return false;
	copy = skb_clone_to_keep(fr->skb);
	if (!copy)
		return false;
	PACKET_CB(copy)->origlen = fr->len;
	packet_fill_addr(po, fr, &PACKET_CB(copy)->addr);
	__skb_pull(copy, fr->off);
	return __sock_queue_rcv_skb(&po->sk, copy) == 0;
}

static void ring_rcv(struct packet_sock *po, const struct packet_frame *fr)
{
	struct packet_ring *r = &po->rx;
	u8 *frame = frame_at(r, r->head);
	u32 status, hdr = po->version == TPACKET_V1 ? sizeof(struct tpacket_hdr)
						    : sizeof(struct tpacket2_hdr);
	struct tp_place p;

	if (frame_status(po, frame) != TP_STATUS_KERNEL) {
		tp_lost(po);
		return;
	}
	tp_place(po, fr, &p);
	status = tp_status(po, fr);
	if (p.macoff + p.snaplen > r->frame_size) {
		if (copy_to_queue(po, fr))
			status |= TP_STATUS_COPY;
		p.snaplen = p.macoff < r->frame_size ? r->frame_size - p.macoff : 0;
	}
	if (!tp_copy(po, fr, &p, frame)) {
		tp_lost(po);
		return;
	}
	if (po->version == TPACKET_V1)
		fill_v1(frame, fr, &p, tp_stamp(po, fr));
	else
		fill_v2(frame, fr, &p, tp_stamp(po, fr));
	packet_fill_addr(po, fr, (struct sockaddr_ll *)(frame + TPACKET_ALIGN(hdr)));
	trace_skb(fr->skb, fr->dev->net, TP_tpacket_rcv, TRACE_QUEUED, r->head, 0);
	frame_set_status(po, frame, status);
	r->head = frame_next(r, r->head);
	po->packets++;
	sk_data_ready(&po->sk);
}

/* ---- receiving, V3 ----------------------------------------------------------------------------------------- */

static struct tpacket_block_desc *block_at(const struct packet_ring *r, u32 i)
{
	return (struct tpacket_block_desc *)(r->mem + (size_t)i * r->block_size);
}

static u32 block_first(const struct packet_ring *r)
{
	return V3_HDR + ALIGN_UP(r->priv, V3_ALIGN);
}

/* Takes the block at head into use. False: it is the program's. */
static bool block_open(struct packet_sock *po)
{
	struct packet_ring *r = &po->rx;
	struct tpacket_block_desc *b = block_at(r, r->head);
	struct host *host = po->sk.sk_cpu->machine->host;
	u64 now;

	if (__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) != TP_STATUS_KERNEL)
		return false;
	now = host_realtime(host);
	b->version = TPACKET_V3;
	b->offset_to_priv = V3_HDR;
	b->hdr.bh1.num_pkts = 0;
	b->hdr.bh1.offset_to_first_pkt = block_first(r);
	b->hdr.bh1.blk_len = block_first(r);
	b->hdr.bh1.seq_num = ++r->seq;
	b->hdr.bh1.ts_first_pkt.ts_sec = (u32)(now / NSEC_PER_SEC);
	b->hdr.bh1.ts_first_pkt.ts_nsec = (u32)(now % NSEC_PER_SEC);
	r->used = block_first(r);
	r->pkts = r->last = 0;
	r->open = true;
	r->frozen = false;
	return true;
}

/* The block at head becomes the program's. */
static void block_close(struct packet_sock *po, u32 status)
{
	struct packet_ring *r = &po->rx;
	struct tpacket_block_desc *b = block_at(r, r->head);

	if (r->last) {
		struct tpacket3_hdr *h = (struct tpacket3_hdr *)((u8 *)b + r->last);

		h->tp_next_offset = 0;
		b->hdr.bh1.ts_last_pkt.ts_sec = h->tp_sec;
		b->hdr.bh1.ts_last_pkt.ts_nsec = h->tp_nsec;
	}
	b->hdr.bh1.num_pkts = r->pkts;
	b->hdr.bh1.blk_len = r->used;
	if (po->drops)
		status |= TP_STATUS_LOSING;
	__atomic_store_n(&b->hdr.bh1.block_status, TP_STATUS_USER | status, __ATOMIC_RELEASE);
	r->open = false;
	r->head = r->head + 1 == r->block_nr ? 0 : r->head + 1;
	sk_data_ready(&po->sk);
}

static void retire_timer(struct cpu *cpu, struct timer_list *t)
{
	struct packet_sock *po = container_of(t, struct packet_sock, retire_timer);
	struct packet_ring *r = &po->rx;

	if (r->open && r->pkts)
		block_close(po, TP_STATUS_BLK_TMO);
	if (!r->open)
		block_open(po);
	mod_timer(cpu, t, cpu->now + (u64)r->retire_ms * NSEC_PER_MSEC);
}

static void fill_v3(struct packet_sock *po, u8 *frame, const struct packet_frame *fr,
		    const struct tp_place *p, u32 total)
{
	struct tpacket3_hdr *h = (struct tpacket3_hdr *)frame;
	u64 stamp = tp_stamp(po, fr);

	memset(h, 0, sizeof(*h));
	h->tp_next_offset = total;
	h->tp_sec = (u32)(stamp / NSEC_PER_SEC);
	h->tp_nsec = (u32)(stamp % NSEC_PER_SEC);
	h->tp_snaplen = p->snaplen;
	h->tp_len = fr->len;
	h->tp_status = tp_status(po, fr);
	h->tp_mac = (u16)p->macoff;
	h->tp_net = (u16)p->netoff;
	h->hv1.tp_rxhash = fr->skb->hash;
	if (fr->skb->vlan_present) {
		h->hv1.tp_vlan_tci = fr->skb->vlan_tci;
		h->hv1.tp_vlan_tpid = be16_to_cpu(fr->skb->vlan_proto);
	}
	packet_fill_addr(po, fr, (struct sockaddr_ll *)(frame + TPACKET_ALIGN(sizeof(*h))));
}

static void block_rcv(struct packet_sock *po, const struct packet_frame *fr)
{
	struct packet_ring *r = &po->rx;
	struct tp_place p;
	u32 total, most = r->block_size - block_first(r);
	u8 *frame;

	tp_place(po, fr, &p);
	if (p.macoff + p.snaplen > most)
		p.snaplen = p.macoff < most ? most - p.macoff : 0;
	total = ALIGN_UP(p.macoff + p.snaplen, V3_ALIGN);
	if (r->open && r->used + total > r->block_size)
		block_close(po, 0);
	if ((!r->open && !block_open(po)) || r->used + total > r->block_size) {
		if (!r->frozen)
			po->freezes++;
		r->frozen = true;
		tp_lost(po);
		return;
	}
	frame = (u8 *)block_at(r, r->head) + r->used;
	if (!tp_copy(po, fr, &p, frame)) {
		tp_lost(po);
		return;
	}
	fill_v3(po, frame, fr, &p, total);
	trace_skb(fr->skb, fr->dev->net, TP_tpacket_rcv, TRACE_QUEUED, r->head, 0);
	r->last = r->used;
	r->used += total;
	r->pkts++;
	po->packets++;
}

void tpacket_rcv(struct packet_sock *po, const struct packet_frame *fr)
{
	if (po->version == TPACKET_V3)
		block_rcv(po, fr);
	else
		ring_rcv(po, fr);
}

bool packet_ring_readable(const struct packet_sock *po)
{
	const struct packet_ring *r = &po->rx;
	u32 prev;

	if (po->version == TPACKET_V3) {
		prev = r->head ? r->head - 1 : r->block_nr - 1;
		return __atomic_load_n(&block_at(r, prev)->hdr.bh1.block_status,
				       __ATOMIC_ACQUIRE) != TP_STATUS_KERNEL;
	}
	prev = r->head ? r->head - 1 : r->frame_nr - 1;
	return frame_status(po, frame_at(r, prev)) != TP_STATUS_KERNEL;
}

bool packet_ring_has_room(const struct packet_sock *po)
{
	const struct packet_ring *r = &po->rx;

	if (po->version == TPACKET_V3)
		return r->open || __atomic_load_n(&block_at(r, r->head)->hdr.bh1.block_status,
						  __ATOMIC_ACQUIRE) == TP_STATUS_KERNEL;
	return frame_status(po, frame_at(r, r->head)) == TP_STATUS_KERNEL;
}

/* ---- sending ------------------------------------------------------------------------------------------------ */

/* Where the octets of a frame lie and how many: read once from memory that may change under us. 0, -EINVAL, -EMSGSIZE. */
static int tx_frame(const struct packet_sock *po, const u8 *frame, u32 *ret_off, u32 *ret_len)
{
	u32 off = packet_hdrlen(po->version) - (u32)sizeof(struct sockaddr_ll), len;
	u32 mac, net;

	if (po->version == TPACKET_V1) {
		const volatile struct tpacket_hdr *h = (const volatile struct tpacket_hdr *)frame;

		len = h->tp_len;
		mac = h->tp_mac;
		net = h->tp_net;
	} else {
		const volatile struct tpacket2_hdr *h = (const volatile struct tpacket2_hdr *)frame;

		len = h->tp_len;
		mac = h->tp_mac;
		net = h->tp_net;
	}
	if (po->tx_has_off) {
		u32 asked = po->dgram ? net : mac;

		if (asked < off || asked >= po->tx.frame_size)
			return -EINVAL;
		off = asked;
	}
	if (len > po->tx.frame_size - off)
		return -EMSGSIZE;
	*ret_off = off;
	*ret_len = len;
	return 0;
}

ssize_t tpacket_snd(struct packet_sock *po, struct net_device *dev, u16 proto, const u8 *daddr,
		    const struct sockcm_cookie *sockc, bool noblock)
{
	u64 timeo = sock_sndtimeo(&po->sk, noblock);
	int ifindex = dev->ifindex;
	ssize_t sent = 0;

	/* At most once around: the program may mark frames as fast as we send them. The lock may be dropped while we wait for room: the ring
	 * and the device are looked at again for each frame. */
	for (u32 i = 0; po->tx.mem && i < po->tx.frame_nr; i++) {
		u8 *frame = frame_at(&po->tx, po->tx.head);
		struct iov_iter iter;
		struct iovec iov;
		u32 off, len;
		ssize_t n;

		dev = __dev_get_by_index(sock_net(&po->sk), ifindex);
		if (!dev)
			return sent ? sent : -ENXIO;
		if (frame_status(po, frame) != TP_STATUS_SEND_REQUEST)
			break;
		n = tx_frame(po, frame, &off, &len);
		if (!n) {
			/* Without waiting inside: the ring may go meanwhile. */
			iov = (struct iovec){ frame + off, len };
			iov_iter_init(&iter, &iov, 1, len);
			n = packet_send_one(po, dev, proto, daddr, sockc, &iter, len, true);
		}
		if (n == -EAGAIN && (sent || noblock))
			return sent ? sent : n;
		if (n == -EAGAIN) {
			int err = sk_wait_event(&po->sk, &timeo);

			if (err)
				return err;
			continue;
		}
		if (n < 0 && !po->loss) {
			frame_set_status(po, frame, TP_STATUS_WRONG_FORMAT);
			return sent ? sent : n;
		}
		frame_set_status(po, frame, TP_STATUS_AVAILABLE);
		po->tx.head = frame_next(&po->tx, po->tx.head);
		if (n > 0)
			sent += n;
	}
	return sent;
}
