/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net_group.h - an instance on several cpus: its shards, and which of them a packet is for
 *
 * Theory of operation (doc/adr/0009-shards.md)
 *   A net on several cpus is several struct net, one on each: shards. One of them is the lead: it is what the program knows, has the
 *   devices, and speaks for the net. Each shard has all tables of its own, so that no packet path shares a line with
 *   another one; they are kept alike by giving each of them the same input: configuration requests and writes to sysctls are done on
 *   the lead and then on the others, and packets that teach something (ARP, neighbour discovery) are given to all of them. What a
 *   shard would say that the lead says already is dropped on its way out.
 *
 *   A device of the lead has a shadow in each other shard, with the same name, number and addresses. What a shard sends by its shadow
 *   goes to the lead's cpu and out by the real device. What the real device receives is handed, before IP, to the shard that the flow
 *   belongs to. The loopback devices of the shards hand to each other in the same way.
 *   Drivers with a queue for each cpu (netdev_queue_ops) give it to the shadow, which then sends and receives by itself, and hands over, as the
 *   real device does, what is another shard's. What stands at the real device alone (a tap, an rx_handler, a discipline that somebody chose) must
 *   see all: while there is any, queues go by the lead.
 *
 *   Flows: TCP belongs to the hash of its addresses and ports, which is the same for both directions; connect(2) chooses a port that
 *   leads to where the socket is. A socket whose port was chosen by bind(2) names its flow in a table when it connects. UDP belongs
 *   to the cpu whose socket has the port; several with SO_REUSEPORT share by the hash. ICMP errors belong to the flow that they are
 *   about. All else, fragments included, is the lead's; a datagram that it has put together is looked at once more.
 * Locking
 *   n, shards, key: constant. claim_lock (leaf): who has which UDP port and flow; udp_ports and flows are read without (atomics).
 */
#ifndef WEIR_CORE_NET_GROUP_H
#define WEIR_CORE_NET_GROUP_H

#include "core/net.h"
#include "core/netdevice.h"
#include "core/skb_inbox.h"
#include "wire/ipv6.h"

#define GROUP_FLOWS_MAX 4096 /* connections from ports that bind(2) chose */

struct udp_claims {    /* of one port */
	u16 exclusive; /* sockets without SO_REUSEPORT */
	u16 sockets[]; /* by shard */
};

struct net_group {
	u32 n;
	u32 lead; /* index of */
	struct net *shards[MACHINE_MAX_CPUS];
	u64 key[2];
	u32 next; /* atomic: whose turn it is to get a socket */
	struct notifier_block nb;
	pthread_mutex_t bind_lock; /* before any cpu lock: socket/sock_replica.h */
	pthread_mutex_t claim_lock;
	struct udp_claims **claims; /* by port; NULL: no sockets */
	u64 udp_ports[65536];       /* atomic: shards with sockets, as bits */
	u32 nr_flows;
	u64 flows
		[2 *
		 GROUP_FLOWS_MAX]; /* atomic: 0 free, 1 was used; else hash without its low octet, shard + 2 */
	u64 mib[NR_MIB]; /* of the others when a view was begun: the lead's cpu lock */
};

/* @net, which is new, empty, and on one of the first @n cpus of its machine, gets shards on the others of them. 0 or -errno. rtnl */
int net_group_create(struct net *net, u32 n);
void net_group_destroy(struct net *lead); /* rtnl */

static inline struct net *net_lead(struct net *net)
{
	return likely(!net->group) ? net : net->group->shards[net->group->lead];
}
static inline bool net_is_lead(const struct net *net)
{
	return likely(!net->group) || net->shard == net->group->lead;
}
/* Visits all shards but the lead; nothing for a net without. */
#define net_for_each_other_shard(lead_, s_, i_)                                                    \
	for (u32 i_ = 0; (lead_)->group && i_ < (lead_)->group->n; i_++)                           \
		if (((s_) = (lead_)->group->shards[i_]) != (lead_))
/* What all shards of @net have counted; the others as of the last net_group_sum_mib(), which takes their locks. Lead's cpu lock. */
u64 net_mib(const struct net *net, u32 i);
void net_group_sum_mib(struct net *net);
/* The shard whose turn it is, for a new connection-oriented socket. */
struct net *net_group_next(struct net *net);

/* The shard that packets between @a and @b belong to, in either direction. */
u64 net_flow_hash_v4(const struct net_group *g, be32 a, be16 ap, be32 b, be16 bp);
u64 net_flow_hash_v6(const struct net_group *g, const struct in6_addr *a, be16 ap,
		     const struct in6_addr *b, be16 bp);
static inline u32 net_flow_home(const struct net_group *g, u64 hash)
{
	return (u32)((hash >> 32) * g->n >> 32);
}
/* With what net_flow_add() was told. */
u32 net_flow_shard(struct net_group *g, u64 hash);
/* The flow of @hash is @net's, wherever its hash leads. 0 or -ENOBUFS. And no longer. */
int net_flow_add(struct net *net, u64 hash);
void net_flow_del(struct net *net, u64 hash);

/* A UDP socket of @net takes @port, alone or (@shared) with others of SO_REUSEPORT. 0, -EADDRINUSE: it is another shard's; -ENOMEM */
int net_udp_claim(struct net *net, u16 port, bool shared);
void net_udp_unclaim(struct net *net, u16 port, bool shared);
/* Has another shard than @net's sockets on UDP @port? */
bool net_udp_elsewhere(const struct net *net, u16 port);

/* ---- net_steer.c: devices ------------------------------------------------------------------------------ */

struct shard_port {             /* a device, as one shard sees it */
	struct skb_inbox inbox; /* what others have received for it */
	struct net_device *dev; /* NULL: gone */
	/* atomics: what this shard's part of the device has counted, when that was asked for last; for the lead */
	u64 stats[sizeof(struct rtnl_link_stats64) / sizeof(u64)];
};

struct dev_shards {
	struct net_group *g;
	bool lo;
	bool by_lead; /* atomic, written under the lead's cpu lock: queues are not used directly */
	struct skb_inbox out;     /* of the lead: what the others send by the device */
	struct shard_port port[]; /* by shard */
};

/* Received by a device of a net with shards, data at the network header: true: it was consumed, it is another shard's. */
bool net_steer(struct sk_buff *skb);
/* The same for a datagram that was put together of fragments; data behind the network header, which is whole. */
bool net_steer_whole(struct sk_buff *skb);
/* A tap, rx_handler or discipline came to a device of @net, or went. cpu lock */
void net_group_device_watch(struct net *net);
/* Each other shard tells what its part of @dev has counted; no cpu lock. Then net_group_add_stats() adds it all; lead's cpu lock. */
void net_group_ask_stats(struct net_device *dev);
void net_group_add_stats(const struct net_device *dev, struct rtnl_link_stats64 *s);
/* The same for all devices of one shard; its cpu lock. */
void net_group_tell_stats(struct net *shard);
int net_group_netdev_event(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev);
/* Joins the loopback devices of all shards. 0 or -ENOMEM; and parts them. */
int net_group_join_lo(struct net_group *g);
void net_group_part_lo(struct net_group *g);

#endif
