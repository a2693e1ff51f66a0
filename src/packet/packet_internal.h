/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_internal.h - what the files of this folder share
 *
 * Invariant: a packet_sock is "running" exactly while its frames reach it: its own tap is registered, or it is a member of its group's
 * array. It is running when it has a protocol and the device it is bound to, if any, is up.
 */
#ifndef WEIR_PACKET_PACKET_INTERNAL_H
#define WEIR_PACKET_PACKET_INTERNAL_H

#include <linux/if_packet.h>

#include "core/netdevice.h"
#include "core/sock.h"
#include "core/timer.h"

struct socket;

#define PACKET_TRACE_POINTS(X)                                                                     \
	X(packet_rcv, "packet/af_packet.c", "rmem", NULL)                                          \
	X(tpacket_rcv, "packet/packet_ring.c", "frame", NULL)                                      \
	X(packet_snd, "packet/af_packet.c", "protocol", NULL)

TRACE_POINT_ENUM(PACKET, PACKET_TRACE_POINTS);

/* A ring of frames (V1, V2), or of blocks that frames are packed into (V3). All positions are our own: nothing is read back from the
 * shared memory but a status word. */
struct packet_ring {
	u8 *mem; /* NULL: no ring */
	u32 block_size, block_nr, frame_size, frame_nr, frames_per_block;
	u32 head; /* V1, V2: the frame that is next; V3: the block */
	/* V3 */
	u32 retire_ms, priv;
	bool open;            /* the block at head is being filled */
	bool frozen;          /* it is the program's, and a frame was lost for that */
	u32 used, last, pkts; /* octets of the block; where its last frame begins; frames */
	u64 seq;
};

struct packet_fanout {
	struct list_head node; /* netns_packet.fanouts */
	struct packet_tap tap;
	u16 id;
	u8 type;
	u16 flags;
	u32 members, max_members; /* sockets that joined */
	u32 num;                  /* of them, running: in arr[] */
	u32 rr;
	struct bpf_prog *prog; /* PACKET_FANOUT_CBPF; NULL: the first member gets all */
	struct packet_sock *arr[];
};

struct packet_mc {
	struct list_head node;
	int ifindex;
	u16 type;
	u8 alen;
	u8 addr[MAX_ADDR_LEN];
	u32 count;
};

struct packet_sock {
	struct sock sk; /* must be first */
	struct packet_tap tap;
	struct list_head node;  /* netns_packet.socks */
	struct net_device *dev; /* bound to; NULL: none */
	int ifindex;            /* of dev; 0: all; -1: it is gone */
	u16 num;                /* ETH_P_*; 0: nothing is received */
	bool running;
	bool dgram;
	bool auxdata, origdev, loss, qdisc_bypass, ignore_outgoing, tx_has_off;
	u8 version;  /* enum tpacket_versions */
	u8 vnet_len; /* of the virtio-net header in front of each frame; 0: none */
	u32 reserve, copy_thresh, tstamp;
	u32 packets, drops, freezes; /* since they were last asked for */
	struct packet_ring rx, tx;
	struct timer_list retire_timer; /* V3 */
	u8 *map;                        /* what the rings lie in */
	size_t map_size;
	int map_fd;
	struct packet_fanout *fanout;
	struct tpacket_rollover_stats rollover;
	struct list_head mc; /* struct packet_mc */
};

static inline struct packet_sock *packet_sk(const struct sock *sk)
{
	return (struct packet_sock *)sk;
}

struct netns_packet {
	struct net *net;
	struct notifier_block nb;
	struct list_head socks, fanouts;
};

/* skb->cb of a frame on a receive queue */
struct packet_cb {
	struct sockaddr_ll addr;
	u32 origlen;
};
#define PACKET_CB(skb) ((struct packet_cb *)(skb)->cb)
static_assert(sizeof(struct packet_cb) <= SKB_CB_SIZE, "cb");

/* A frame on its way to a socket, as the filter left it. */
struct packet_frame {
	const struct sk_buff *skb;
	struct net_device *dev;
	bool outgoing;
	u32 off;     /* from skb->data: where the socket's packet begins */
	u32 len;     /* from there on */
	u32 snaplen; /* of these are kept */
};

/* af_packet.c */
extern const struct net_proto_family packet_family;
extern const struct proto packet_proto;
void packet_hook(struct packet_sock *po);
void packet_unhook(struct packet_sock *po);
/* A frame for one socket. borrow */
void packet_deliver(struct packet_sock *po, const struct sk_buff *skb, struct net_device *dev,
		    bool outgoing);
bool packet_has_room(const struct packet_sock *po);
void packet_fill_addr(const struct packet_sock *po, const struct packet_frame *fr,
		      struct sockaddr_ll *ll);
u32 packet_status(const struct sk_buff *skb, bool outgoing);
/* Makes and sends one packet of @len octets from @from, the virtio-net header included. Octets sent without it, or -errno. * drops the
 * lock */
ssize_t packet_send_one(struct packet_sock *po, struct net_device *dev, u16 proto, const u8 *daddr,
			const struct sockcm_cookie *sockc, struct iov_iter *from, u32 len,
			bool noblock);

/* packet_ring.c */
int packet_set_ring(struct packet_sock *po, const struct tpacket_req3 *req, bool tx);
void packet_free_rings(struct packet_sock *po);
u32 packet_hdrlen(u32 version);
void tpacket_rcv(struct packet_sock *po, const struct packet_frame *fr);
bool packet_ring_readable(
	const struct packet_sock *po); /* something is there that the program may not have read */
bool packet_ring_has_room(const struct packet_sock *po);
ssize_t tpacket_snd(struct packet_sock *po, struct net_device *dev, u16 proto, const u8 *daddr,
		    const struct sockcm_cookie *sockc, bool noblock);

/* packet_fanout.c */
int packet_fanout_join(struct packet_sock *po, const struct fanout_args *args);
int packet_fanout_set_data(struct packet_sock *po, const void *val, socklen_t len);
void packet_fanout_leave(struct packet_sock *po);
void packet_fanout_link(struct packet_sock *po);
void packet_fanout_unlink(struct packet_sock *po);

/* packet_diag.c */
int packet_diag_machine_init(struct machine *m);

/* packet_opt.c */
int packet_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len);
int packet_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len);
/* Ends the memberships: all of them, or (@dev) those of a device. */
void packet_mc_flush(struct packet_sock *po, const struct net_device *dev);

#endif
