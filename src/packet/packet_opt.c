/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_opt.c - options of level SOL_PACKET, and memberships
 *
 * A membership makes a device receive more than its own address: it is counted per socket, and ends with the socket or the device.
 * See packet(7).
 */
#include <errno.h>
#include <stdlib.h>

#include "core/vnet.h"
#include "packet/packet_internal.h"
#include "socket/socket.h"

#define PACKET_VNET_HDR_SZ_ 24 /* younger than some <linux/if_packet.h> */

struct packet_mreq_max {
	int mr_ifindex;
	unsigned short mr_type, mr_alen;
	unsigned char mr_address[MAX_ADDR_LEN];
};

/* ---- memberships ---------------------------------------------------------------------------------------- */

static int mc_apply(struct net_device *dev, const struct packet_mc *mc, int what)
{
	switch (mc->type) {
	case PACKET_MR_MULTICAST:
		if (mc->alen != dev->addr_len)
			return -EINVAL;
		return what > 0 ? dev_mc_add(dev, mc->addr) : dev_mc_del(dev, mc->addr);
	case PACKET_MR_PROMISC:
		return dev_set_promiscuity(dev, what);
	case PACKET_MR_ALLMULTI:
		return dev_set_allmulti(dev, what);
	case PACKET_MR_UNICAST:
		if (mc->alen != dev->addr_len)
			return -EINVAL;
		/* Our devices have no list of further addresses: as in Linux they then receive all. */
		return dev_set_promiscuity(dev, what);
	default:
		return -EINVAL;
	}
}

static struct packet_mc *mc_find(struct packet_sock *po, const struct packet_mreq_max *mr)
{
	struct packet_mc *mc;

	list_for_each_entry(mc, &po->mc, node)
		if (mc->ifindex == mr->mr_ifindex && mc->type == mr->mr_type &&
		    mc->alen == mr->mr_alen && !memcmp(mc->addr, mr->mr_address, mr->mr_alen))
			return mc;
	return NULL;
}

static int mc_add(struct packet_sock *po, const struct packet_mreq_max *mr)
{
	struct net_device *dev = __dev_get_by_index(sock_net(&po->sk), mr->mr_ifindex);
	struct packet_mc *mc;
	int err;

	if (!dev)
		return -ENODEV;
	if (mr->mr_alen > dev->addr_len)
		return -EINVAL;
	mc = mc_find(po, mr);
	if (mc) {
		mc->count++;
		return 0;
	}
	mc = calloc(1, sizeof(*mc));
	if (!mc)
		return -ENOBUFS;
	mc->ifindex = mr->mr_ifindex;
	mc->type = mr->mr_type;
	mc->alen = (u8)mr->mr_alen;
	memcpy(mc->addr, mr->mr_address, mc->alen);
	mc->count = 1;
	err = mc_apply(dev, mc, 1);
	if (err) {
		free(mc);
		return err;
	}
	list_add_tail(&mc->node, &po->mc);
	return 0;
}

static void mc_end(struct packet_sock *po, struct packet_mc *mc)
{
	struct net_device *dev = __dev_get_by_index(sock_net(&po->sk), mc->ifindex);

	if (dev)
		mc_apply(dev, mc, -1);
	list_del(&mc->node);
	free(mc);
}

/* Leaving what was not joined is no error, as in Linux. */
static int mc_drop(struct packet_sock *po, const struct packet_mreq_max *mr)
{
	struct packet_mc *mc = mc_find(po, mr);

	if (mc && --mc->count == 0)
		mc_end(po, mc);
	return 0;
}

void packet_mc_flush(struct packet_sock *po, const struct net_device *dev)
{
	struct packet_mc *mc, *next;

	list_for_each_entry_safe(mc, next, &po->mc, node)
		if (!dev || mc->ifindex == dev->ifindex)
			mc_end(po, mc);
}

static int set_membership(struct packet_sock *po, const void *val, socklen_t len, bool add)
{
	struct packet_mreq_max mr = { 0 };

	if (len < sizeof(struct packet_mreq))
		return -EINVAL;
	memcpy(&mr, val, min_t(size_t, len, sizeof(mr)));
	if (mr.mr_alen > sizeof(mr.mr_address) ||
	    len < offsetof(struct packet_mreq_max, mr_address) + mr.mr_alen)
		return -EINVAL;
	return add ? mc_add(po, &mr) : mc_drop(po, &mr);
}

/* ---- set ------------------------------------------------------------------------------------------------- */

static int set_ring(struct packet_sock *po, const void *val, socklen_t len, bool tx)
{
	socklen_t need = po->version == TPACKET_V3 ? sizeof(struct tpacket_req3)
						   : sizeof(struct tpacket_req);
	struct tpacket_req3 req = { 0 };

	if (len < need)
		return -EINVAL;
	memcpy(&req, val, need);
	return packet_set_ring(po, &req, tx);
}

static int set_fanout(struct packet_sock *po, const void *val, socklen_t len)
{
	struct fanout_args args = { 0 };

	if (len != sizeof(int) && len != sizeof(args))
		return -EINVAL;
	memcpy(&args, val, len);
	return packet_fanout_join(po, &args);
}

/* What lays out the rings cannot change while there is one. */
static int set_layout(struct packet_sock *po, int name, int val)
{
	if (po->rx.mem || po->tx.mem)
		return -EBUSY;
	switch (name) {
	case PACKET_VERSION:
		if (val < TPACKET_V1 || val > TPACKET_V3)
			return -EINVAL;
		po->version = (u8)val;
		return 0;
	case PACKET_RESERVE:
		/* Offsets are 16 bits wide. */
		if (val < 0 || val > 60000)
			return -EINVAL;
		po->reserve = (u32)val;
		return 0;
	case PACKET_LOSS:
		po->loss = val;
		return 0;
	default: /* PACKET_TX_HAS_OFF */
		po->tx_has_off = val;
		return 0;
	}
}

/* PACKET_VNET_HDR is a switch, PACKET_VNET_HDR_SZ chooses between the two headers that there are. */
static int set_vnet(struct packet_sock *po, int name, int val)
{
	u32 len = name == PACKET_VNET_HDR ? (val ? VIRTIO_NET_HEADER_LEN : 0u) : (u32)val;

	if (po->dgram)
		return -EINVAL;
	if (len && len != VIRTIO_NET_HEADER_LEN && len != VIRTIO_NET_HDR_MRG_RXBUF_LEN)
		return -EINVAL;
	if (po->rx.mem || po->tx.mem)
		return -EBUSY;
	po->vnet_len = (u8)len;
	return 0;
}

static bool is_int_option(int name)
{
	static const u8 names[] = {
		PACKET_VNET_HDR, PACKET_VNET_HDR_SZ_, PACKET_VERSION,      PACKET_RESERVE,
		PACKET_LOSS,     PACKET_TX_HAS_OFF,   PACKET_COPY_THRESH,  PACKET_AUXDATA,
		PACKET_ORIGDEV,  PACKET_TIMESTAMP,    PACKET_QDISC_BYPASS, PACKET_IGNORE_OUTGOING
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] == name)
			return true;
	return false;
}

int packet_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len)
{
	struct packet_sock *po = packet_sk(sock->sk);
	int v;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (name) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		return set_membership(po, val, len, name == PACKET_ADD_MEMBERSHIP);
	case PACKET_RX_RING:
	case PACKET_TX_RING:
		return set_ring(po, val, len, name == PACKET_TX_RING);
	case PACKET_FANOUT:
		return set_fanout(po, val, len);
	case PACKET_FANOUT_DATA:
		return packet_fanout_set_data(po, val, len);
	default:
		break;
	}
	if (!is_int_option(name))
		return -ENOPROTOOPT;
	/* Linux: some take longer values, too. */
	if (len < sizeof(v) ||
	    (len > sizeof(v) && name != PACKET_AUXDATA && name != PACKET_ORIGDEV &&
	     name != PACKET_VNET_HDR && name != PACKET_VNET_HDR_SZ_))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case PACKET_VERSION:
	case PACKET_RESERVE:
	case PACKET_LOSS:
	case PACKET_TX_HAS_OFF:
		return set_layout(po, name, v);
	case PACKET_VNET_HDR:
	case PACKET_VNET_HDR_SZ_:
		return set_vnet(po, name, v);
	case PACKET_COPY_THRESH:
		po->copy_thresh = (u32)v;
		return 0;
	case PACKET_AUXDATA:
		po->auxdata = v;
		return 0;
	case PACKET_ORIGDEV:
		po->origdev = v;
		return 0;
	case PACKET_TIMESTAMP:
		po->tstamp = (u32)v;
		return 0;
	case PACKET_QDISC_BYPASS:
		po->qdisc_bypass = v;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		if (v < 0 || v > 1)
			return -EINVAL;
		po->ignore_outgoing = v;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* ---- get ------------------------------------------------------------------------------------------------- */

/* Counting starts anew. Lost frames are counted in both. */
static void get_statistics(struct packet_sock *po, void *val, socklen_t *len)
{
	struct tpacket_stats_v3 st = {
		.tp_packets = po->packets + po->drops,
		.tp_drops = po->drops,
		.tp_freeze_q_cnt = po->freezes,
	};

	*len = min(*len, po->version == TPACKET_V3 ? (socklen_t)sizeof(st)
						   : (socklen_t)sizeof(struct tpacket_stats));
	memcpy(val, &st, *len);
	po->packets = po->drops = po->freezes = 0;
}

static int get_hdrlen(const void *val, socklen_t len, int *v)
{
	if (len < sizeof(*v))
		return -EINVAL;
	memcpy(v, val, sizeof(*v));
	switch (*v) {
	case TPACKET_V1:
		*v = sizeof(struct tpacket_hdr);
		return 0;
	case TPACKET_V2:
		*v = sizeof(struct tpacket2_hdr);
		return 0;
	case TPACKET_V3:
		*v = sizeof(struct tpacket3_hdr);
		return 0;
	default:
		return -EINVAL;
	}
}

static int get_int(const struct packet_sock *po, int name, const void *val, socklen_t len, int *v)
{
	switch (name) {
	case PACKET_AUXDATA:
		*v = po->auxdata;
		return 0;
	case PACKET_ORIGDEV:
		*v = po->origdev;
		return 0;
	case PACKET_VNET_HDR:
		*v = po->vnet_len != 0;
		return 0;
	case PACKET_VNET_HDR_SZ_:
		*v = po->vnet_len;
		return 0;
	case PACKET_VERSION:
		*v = po->version;
		return 0;
	case PACKET_HDRLEN:
		return get_hdrlen(val, len, v);
	case PACKET_COPY_THRESH:
		*v = (int)po->copy_thresh;
		return 0;
	case PACKET_RESERVE:
		*v = (int)po->reserve;
		return 0;
	case PACKET_LOSS:
		*v = po->loss;
		return 0;
	case PACKET_TIMESTAMP:
		*v = (int)po->tstamp;
		return 0;
	case PACKET_TX_HAS_OFF:
		*v = po->tx_has_off;
		return 0;
	case PACKET_QDISC_BYPASS:
		*v = po->qdisc_bypass;
		return 0;
	case PACKET_IGNORE_OUTGOING:
		*v = po->ignore_outgoing;
		return 0;
	case PACKET_FANOUT:
		*v = po->fanout ? po->fanout->id |
					  (int)((u32)(po->fanout->type | po->fanout->flags) << 16)
				: 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

int packet_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len)
{
	struct packet_sock *po = packet_sk(sock->sk);
	int v, err;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (name == PACKET_STATISTICS) {
		get_statistics(po, val, len);
		return 0;
	}
	if (name == PACKET_ROLLOVER_STATS) {
		if (!po->fanout)
			return -EINVAL;
		*len = min(*len, (socklen_t)sizeof(po->rollover));
		memcpy(val, &po->rollover, *len);
		return 0;
	}
	err = get_int(po, name, val, *len, &v);
	if (err)
		return err;
	*len = min(*len, (socklen_t)sizeof(v));
	memcpy(val, &v, *len);
	return 0;
}
