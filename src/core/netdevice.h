/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netdevice.h - network devices, NAPI, packet types: the boundary between protocols and drivers
 *
 * Theory of operation
 *   Down: dev_queue_xmit(skb) -> qdisc of the device's queue (or none) -> taps -> dev_hard_start_xmit() ->
 *   ndo_start_xmit(). Segmentation (gso.c) and checksums happen on the way when the device lacks the feature.
 *   Up: the driver schedules its napi; NET_RX softirq calls poll(), which hands frames to napi_gro_receive() or
 *   netif_receive_skb(); old-style drivers use netif_rx(), whose backlog is a napi of the cpu.
 *   netif_receive_skb(): taps (ptype_all), rx_handler (bridge, macvlan, ...), then the packet type.
 *   What a poll brings and GRO does not hold goes up in lists (gro_normal_one()): each layer does its part for all before the next one.
 *
 * Locking
 *   The list of devices and everything configured: rtnl to change, cpu lock of the home cpu to read (changes of
 *   the lists take both). Queues, napi, statistics: the cpu lock.
 */
#ifndef WEIR_CORE_NETDEVICE_H
#define WEIR_CORE_NETDEVICE_H

#include <net/if.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>

#include "core/cpu.h"
#include "core/net.h"
#include "core/skbuff.h"
#include "lib/list.h"

struct Qdisc;
struct in_device; /* ipv4/ */
struct inet6_dev; /* ipv6/ */
struct neighbour;
struct neigh_parms;
struct net_device;
struct netlink_ext_ack;
struct rtnl_link_ops; /* netlink/rtnetlink.h */
struct ethtool_ops;   /* core/ethtool.h */

#define MAX_ADDR_LEN  32
#define LL_MAX_HEADER 32
#define MAX_HEADER    (LL_MAX_HEADER + 48)
#define NET_IP_ALIGN                                                                               \
	2 /* drivers of Ethernet reserve this, so that the network header behind 14 octets is aligned */

/* ---- NAPI -------------------------------------------------------------------------------------------- */

#define NAPI_POLL_WEIGHT 64

enum { NAPI_STATE_SCHED = 1 << 0, NAPI_STATE_DISABLED = 1 << 1, NAPI_STATE_MISSED = 1 << 2 };

struct napi_struct {
	struct list_head poll_list; /* on softnet->poll_list while scheduled */
	struct cpu *cpu;
	struct net_device *dev;
	/* Processes at most @budget packets, returns how many. Fewer than @budget: it called napi_complete_done(). */
	int (*poll)(struct napi_struct *napi, int budget);
	u32 state;
	int weight;
	u32 gro_count;
	struct sk_buff_head gro_list; /* merged packets that may still grow, oldest first */
	struct skb_list rx_list;      /* on their way up: gro_normal_one() */
	u32 rx_count;                 /* of them, as many as came from the wire */
	struct list_head dev_list;
};

void netif_napi_add(struct net_device *dev, struct napi_struct *napi,
		    int (*poll)(struct napi_struct *napi, int budget));
void netif_napi_del(struct napi_struct *napi);
void napi_schedule(struct napi_struct *napi); /* cpu lock held: the driver's interrupt */
/* The same of a device whose other end is here: @napi's queue has what was sent in this section of the lock. */
static inline void napi_schedule_here(struct napi_struct *napi)
{
	if (napi->state & NAPI_STATE_SCHED)
		return;
	napi->cpu->sent_here = true;
	napi_schedule(napi);
}
/* Ends polling; flushes GRO. False: it was rescheduled, poll again. */
bool napi_complete_done(struct napi_struct *napi, int work_done);
void napi_enable(struct napi_struct *napi);
void napi_disable(struct napi_struct *napi);

struct softnet_data {
	struct list_head poll_list;
	struct napi_struct backlog; /* netif_rx */
	struct sk_buff_head input_pkt_queue;
	struct sk_buff *completion_queue; /* freed in NET_TX softirq */
	struct Qdisc *output_queue;       /* rescheduled qdiscs */
	struct Qdisc **output_queue_tailp;
	u32 xmit_recursion;
	struct list_head
		linkwatch; /* devices whose carrier changed: NETDEV_CHANGE is still to be called */
	/* /proc/net/softnet_stat */
	u32 processed, dropped, time_squeeze;
	/* net.core.*: per machine in effect, copied to each cpu */
	int netdev_budget;
	u64 netdev_budget_ns;
	int dev_weight;
	u32 netdev_max_backlog;
	u32 gro_normal_batch;
};

/* ---- devices ----------------------------------------------------------------------------------------- */

typedef u64 netdev_features_t;
/* The bit of a feature is its place among the names that ethtool shows: ethtool.c. */
#define NETIF_F_SG                  (1ULL << 0)
#define NETIF_F_IP_CSUM             (1ULL << 1)
#define NETIF_F_HW_CSUM             (1ULL << 3)
#define NETIF_F_IPV6_CSUM           (1ULL << 4)
#define NETIF_F_HIGHDMA             (1ULL << 5)
#define NETIF_F_FRAGLIST            (1ULL << 6)
#define NETIF_F_HW_VLAN_CTAG_TX     (1ULL << 7)
#define NETIF_F_HW_VLAN_CTAG_RX     (1ULL << 8)
#define NETIF_F_HW_VLAN_CTAG_FILTER (1ULL << 9)
#define NETIF_F_GSO                 (1ULL << 11)
#define NETIF_F_LLTX                (1ULL << 12) /* without a name */
#define NETIF_F_NETNS_LOCAL         (1ULL << 13) /* without a name */
#define NETIF_F_GRO                 (1ULL << 14)
#define NETIF_F_TSO                 (1ULL << 16)
#define NETIF_F_TSO6                (1ULL << 20)
#define NETIF_F_GSO_UDP_L4          (1ULL << 33)
#define NETIF_F_GSO_ACCECN          (1ULL << 35)
#define NETIF_F_RXCSUM              (1ULL << 40)
#define NETIF_F_LOOPBACK            (1ULL << 42)
#define NETIF_F_GSO_SOFTWARE        (NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_GSO_UDP_L4 | NETIF_F_GSO_ACCECN)
#define NETIF_F_CSUM_MASK           (NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_HW_CSUM)

enum netdev_tx {
	NETDEV_TX_OK,   /* the driver took the packet (sent or dropped it) */
	NETDEV_TX_BUSY, /* the driver did not take it: requeue */
};

struct netdev_queue {
	struct net_device *dev;
	struct Qdisc *qdisc;          /* active */
	struct Qdisc *qdisc_sleeping; /* configured */
	u64 trans_start;              /* ns of the last successful transmit: watchdog */
	u32 state;                    /* bit 0: stopped by the driver */
	u32 tx_room; /* packets that the driver will take now, if it says so; 0: they come one by one */
	u32 trans_timeout;
};

#define __QUEUE_STATE_DRV_XOFF 1u

#define HH_MAX 16 /* the longest link-layer header that is kept ready (core/neighbour.h) */
struct header_ops {
	/* Builds the link-layer header in front of data. @daddr/@saddr NULL: take the device's. Returns its length, or
	 * minus its length when daddr was unknown. */
	int (*create)(struct sk_buff *skb, struct net_device *dev, u16 type, const void *daddr,
		      const void *saddr, u32 len);
	int (*parse)(const struct sk_buff *skb, u8 *haddr); /* source address; returns its length */
	/* What create() makes of all packets of @type from the device to @daddr, as the last octets of @ret. Its length, or 0: they
	 * differ. Optional */
	u32 (*cache)(const struct net_device *dev, u16 type, const void *daddr, u8 ret[HH_MAX]);
};

/*
 * Of a driver whose device has, in a net on several cpus, a queue on each of them (net_group.h): what is received and sent by it never leaves
 * that cpu. The queue belongs to the device's shadow there, whose counters it counts in and whose transmit queue it stops; for the lead's cpu the device
 * has a queue that nobody else knows of.
 */
struct netdev_queue_ops {
	/* rtnl. A queue for @shadow, which is down; NULL: there is no more, what is received and sent there goes by the lead's cpu */
	void *(*attach)(struct net_device *dev, struct net_device *shadow);
	void (*detach)(void *queue); /* rtnl; the shadow is down */
	int (*open)(void *queue);    /* this and all below: the shadow's cpu lock; rtnl */
	void (*stop)(void *queue);
	enum netdev_tx (*start_xmit)(struct sk_buff *skb, void *queue); /* as ndo_start_xmit */
};

struct net_device_ops {
	int (*ndo_init)(struct net_device *dev);    /* optional; rtnl */
	void (*ndo_uninit)(struct net_device *dev); /* optional; rtnl */
	int (*ndo_open)(struct net_device *dev);    /* optional; rtnl, cpu lock */
	int (*ndo_stop)(struct net_device *dev);    /* optional; rtnl, cpu lock */
	/* consumes @skb unless NETDEV_TX_BUSY; cpu lock; any softirq or user context. See netdev_xmit_more(). */
	enum netdev_tx (*ndo_start_xmit)(struct sk_buff *skb, struct net_device *dev);
	void (*ndo_tx_timeout)(struct net_device *dev, u32 queue);
	void (*ndo_set_rx_mode)(struct net_device *dev);
	int (*ndo_set_mac_address)(struct net_device *dev, const u8 *addr);
	int (*ndo_change_mtu)(struct net_device *dev, int mtu);
	void (*ndo_get_stats64)(struct net_device *dev,
				struct rtnl_link_stats64 *s); /* adds to *s */
	netdev_features_t (*ndo_fix_features)(struct net_device *dev, netdev_features_t f);
	/* optional: the device at the other end (veth), for IFLA_LINK; NULL if none */
	struct net_device *(*ndo_get_peer_dev)(struct net_device *dev);
	int (*ndo_get_iflink)(const struct net_device *dev);
	const struct netdev_queue_ops *queue_ops; /* NULL: one queue, on the lead's cpu */
};

enum netdev_reg_state { NETREG_UNINITIALIZED, NETREG_REGISTERED, NETREG_UNREGISTERING };
enum rx_handler_result {
	RX_HANDLER_CONSUMED,
	RX_HANDLER_ANOTHER,
	RX_HANDLER_EXACT,
	RX_HANDLER_PASS
};

struct net_device {
	/* transmit */
	const struct net_device_ops *netdev_ops;
	const struct header_ops *header_ops; /* NULL: no link-layer header */
	struct netdev_queue *tx;
	netdev_features_t features;
	u32 num_tx_queues;
	u32 flags; /* IFF_* */
	u32 mtu;
	u16 hard_header_len;
	u16 needed_headroom;
	u32 gso_max_size;
	u32 gso_max_segs;
	struct cpu *cpu; /* home */
	struct net *net;

	/* receive */
	enum rx_handler_result (*rx_handler)(struct sk_buff **pskb); /* bridge, bond, macvlan */
	void *rx_handler_data;
	struct dev_shards *shards;  /* the net is on several cpus: net_group.h; NULL: it is not, or
				       this is a shadow that has no queue of its own */
	struct list_head ptype_all; /* taps on this device */
	struct in_device *ip_ptr;
	struct inet6_dev *ip6_ptr;
	int ifindex;
	u16 type; /* ARPHRD_* */
	u8 addr_len;
	u8 operstate; /* IF_OPER_* */
	u8 dev_addr[MAX_ADDR_LEN];
	u8 broadcast[MAX_ADDR_LEN];

	/* statistics: guarded by the cpu lock */
	struct rtnl_link_stats64 stats;
	u64 rx_nohandler;

	/* control: rtnl */
	char name[IFNAMSIZ];
	struct list_head dev_list; /* netns_core.dev_list, ordered by ifindex */
	struct hlist_node name_hlist, index_hlist;
	struct list_head napi_list;
	u32 refcount;
	u32 min_mtu, max_mtu;
	u32 tx_queue_len;
	u32 promiscuity, allmulti;
	u32 gflags;            /* IFF_PROMISC, IFF_ALLMULTI as the administrator asked for */
	u32 link_mode;         /* IF_LINK_MODE_* */
	bool carrier;          /* link is up */
	bool live_addr_change; /* the address may change while up */
	struct list_head linkwatch_node;
	enum netdev_reg_state reg_state;
	netdev_features_t hw_features; /* what ethtool may change */
	netdev_features_t
		wanted_features; /* of hw_features: what was asked for; set by register_netdevice() */
	const struct rtnl_link_ops *rtnl_link_ops;
	const struct ethtool_ops *ethtool_ops; /* NULL: what can be said of every device */
	struct Qdisc *qdisc; /* root: the one that serves all queues, or the default of the first */
	struct list_head qdiscs; /* those with a handle; cpu lock too */
	const struct Qdisc_ops
		*default_qdisc; /* NULL: the sysctl's if tx_queue_len, else noqueue */
	struct list_head mc;    /* struct netdev_hw_addr: multicast addresses to receive */
	char *ifalias;
	u32 group;
	void (*priv_destructor)(struct net_device *dev);
	int iflink;
	u64 watchdog_timeo; /* ns; 0: none */
	struct timer_list watchdog_timer;
	u8 perm_addr[MAX_ADDR_LEN];
	u8 addr_assign_type;
	/* driver's private area follows */
};

static inline void *netdev_priv(const struct net_device *dev)
{
	return (char *)dev + ALIGN_UP(sizeof(struct net_device), CACHE_LINE);
}

/* ---- dev.c: life and lists; rtnl held unless said otherwise ------------------------------------------ */

struct netns_core {
	int ifindex; /* the last one given */
	struct list_head dev_list;
	struct hlist_head *name_hash, *index_hash; /* 1 << hash_bits buckets, growing */
	u32 hash_bits;
	u32 nr_devs;
	struct list_head ptype_all;          /* struct packet_tap */
	struct list_head ptype_base[16];     /* struct ptype_reg by Ethernet type */
	u32 dev_generation;                  /* of the list: netlink dumps */
	struct list_head netdev_chain;       /* struct notifier_block: device events */
	struct neigh_table *neigh_tables[2]; /* arp_tbl, nd_tbl: set by their modules */
	u32 proto_inuse[PROTO_MAX +
			1]; /* socks by their place in machine.protos; the last: of others */
	/* sysctls net.core.* */
	u32 rmem_default, rmem_max, wmem_default, wmem_max, somaxconn, optmem_max;
	const struct Qdisc_ops *default_qdisc; /* net.core.default_qdisc */
	u32 qdisc_autohandle;                  /* the last one given */
};

/* A device with @priv octets of private state, one tx queue per @txqs, set up by @setup; @name may contain "%d".
 * Not registered. NULL: out of memory. */
struct net_device *alloc_netdev(struct net *net, u32 priv, const char *name,
				void (*setup)(struct net_device *dev), u32 txqs);
void free_netdev(struct net_device *dev); /* never registered, or after unregister (freed there) */
int register_netdevice(struct net_device *dev);    /* 0, -EEXIST, -EINVAL (name), -ENFILE */
void unregister_netdevice(struct net_device *dev); /* downs, notifies, frees */
int dev_change_net_namespace(struct net_device *dev, struct net *net, const char *name);
int dev_open(struct net_device *dev, struct netlink_ext_ack *extack);
void dev_close(struct net_device *dev);
int dev_change_flags(struct net_device *dev, u32 flags, struct netlink_ext_ack *extack);
int dev_set_mtu(struct net_device *dev, int mtu, struct netlink_ext_ack *extack);
int dev_change_name(struct net_device *dev, const char *name);
int dev_set_mac_address(struct net_device *dev, const u8 *addr, struct netlink_ext_ack *extack);
int dev_set_promiscuity(struct net_device *dev, int inc); /* cpu lock */
int dev_set_allmulti(struct net_device *dev, int inc);
int dev_change_tx_queue_len(struct net_device *dev, u32 len);
int dev_mc_add(struct net_device *dev, const u8 *addr); /* counts; cpu lock */
int dev_mc_del(struct net_device *dev, const u8 *addr);
void netif_carrier_on(struct net_device *dev);
void netif_carrier_off(struct net_device *dev);
/* Recomputes features after something they depend on has changed. */
void netdev_update_features(struct net_device *dev);
/* rtnl or cpu lock; no reference is taken */
struct net_device *__dev_get_by_name(struct net *net, const char *name);
struct net_device *__dev_get_by_index(struct net *net, int ifindex);
static inline void dev_hold(struct net_device *dev)
{
	dev->refcount++; /* cpu lock */
}
void dev_put(struct net_device *dev); /* cpu lock */
void dev_get_stats(struct net_device *dev, struct rtnl_link_stats64 *ret);
u32 dev_get_flags(const struct net_device
			  *dev); /* with IFF_RUNNING, IFF_LOWER_UP ... as userspace sees them */
void ether_setup(struct net_device *dev);
void eth_hw_addr_random(struct net_device *dev);

/* Calls NETDEV_CHANGE for devices whose carrier changed since. rtnl held, no cpu lock. The functions above that may
 * change a carrier do this themselves. */
void linkwatch_run(struct machine *m);
/* 0, -EINVAL */
int dev_valid_name(const char *name);

/* One row of net_device.mc */
struct netdev_hw_addr {
	struct list_head node;
	u32 refcount;
	u8 addr[MAX_ADDR_LEN];
};

/* For core_module.c and softirq.c */
int dev_machine_init(struct machine *m);
void dev_machine_exit(struct machine *m);
int dev_net_init(struct net *net);
void dev_net_exit(struct net *net);
int softnet_init(struct cpu *cpu); /* dev_input.c; 0 or -ENOMEM */
void softnet_exit(struct cpu *cpu);
void dev_ptypes_free(struct net *net);
void net_tx_action(struct cpu *cpu); /* NET_TX softirq */
void net_rx_action(
	struct cpu *cpu); /* NET_RX softirq; raises itself again when the budget was too small */

/* dev_views.c: the file @rest below /sys/class/net ("", "eth0", "eth0/mtu", "eth0/statistics/rx_bytes"). 0, -ENOENT,
 * -EISDIR (the entries, one a line, are in @t). cpu lock held. */
struct text;
int dev_sysfs_read(struct net *net, const char *rest, struct text *t);
int dev_views_machine_init(struct machine *m);

#define net_for_each_dev(net_, dev_) list_for_each_entry(dev_, &(net_)->core->dev_list, dev_list)

static inline bool netif_running(const struct net_device *dev)
{
	return dev->flags & IFF_UP;
}

static inline bool netif_carrier_ok(const struct net_device *dev)
{
	return dev->carrier;
}

/* ---- notifier.c: device and address events ----------------------------------------------------------- */

enum netdev_event {
	NETDEV_REGISTER = 1,
	NETDEV_UNREGISTER,
	NETDEV_UP,
	NETDEV_DOWN,
	NETDEV_GOING_DOWN,
	NETDEV_CHANGE,
	NETDEV_CHANGEMTU,
	NETDEV_CHANGEADDR,
	NETDEV_CHANGENAME,
	NETDEV_FEAT_CHANGE,
	NETDEV_PRE_UP,
	NETDEV_CHANGE_TX_QUEUE_LEN,
	NETDEV_POST_INIT,
};

struct notifier_block {
	struct list_head node;
	/* rtnl held; cpu lock not held. Non-zero from NETDEV_PRE_UP and NETDEV_REGISTER refuses with that errno. */
	int (*call)(struct notifier_block *nb, enum netdev_event ev, struct net_device *dev);
	int priority; /* higher first */
};

void register_netdevice_notifier(struct net *net,
				 struct notifier_block *nb); /* replays REGISTER and UP */
void unregister_netdevice_notifier(struct net *net, struct notifier_block *nb);
int call_netdevice_notifiers(enum netdev_event ev, struct net_device *dev);

/* ---- packet types and taps; dev_input.c -------------------------------------------------------------- */

struct packet_type {
	u16 type; /* ETH_P_*, host order */
	/* consumes @skb; data at the network header. NET_RX softirq */
	void (*func)(struct sk_buff *skb, struct net_device *dev, const struct packet_type *pt);
	/* The same for several, all of @dev, in order. NULL: @func takes them one by one. */
	void (*list_func)(struct skb_list *list, struct net_device *dev,
			  const struct packet_type *pt);
	/* NULL if the protocol neither merges nor cuts: gro.c, gso.c */
	const struct offload_callbacks *offload;
	const char *name; /* of func, for /proc/net/ptype; NULL: not shown */
};

int dev_add_pack(struct net *net, const struct packet_type *pt); /* rtnl; 0, -EEXIST, -ENOMEM */
void dev_remove_pack(struct net *net, const struct packet_type *pt);

/* A tap sees every frame of a device (or of all of a net): packet sockets, capture files. */
struct packet_tap {
	struct list_head node;
	struct net *net;        /* set by dev_add_tap() */
	struct net_device *dev; /* NULL: all devices of the net */
	u16 type;               /* ETH_P_ALL or one type */
	/* borrow: frame with mac header set; data at the mac header. @outgoing: seen on its way out. cpu lock. */
	void (*func)(struct packet_tap *tap, const struct sk_buff *skb, struct net_device *dev,
		     bool outgoing);
	const char *name; /* of func, for /proc/net/ptype; NULL: not shown */
};

/* Calls @fn for each handler, in the order of the hash table; cpu lock. */
void dev_for_each_pack(struct net *net, void (*fn)(const struct packet_type *pt, void *arg),
		       void *arg);
/* The handler of an Ethernet type (host order), or NULL. */
const struct packet_type *dev_get_pack(struct net *net, u16 type);

void dev_add_tap(struct net *net, struct packet_tap *tap); /* cpu lock */
void dev_remove_tap(struct packet_tap *tap);

void netif_rx(struct sk_buff *skb); /* consume; any context with the cpu lock */
void netif_receive_skb(
	struct sk_buff *skb); /* consume; softirq; skb->dev set, mac header set, protocol set */
/* The same for several, in order, whatever devices and types they are of: layer by layer. */
void netif_receive_skb_list(struct skb_list *list);
int netdev_rx_handler_register(struct net_device *dev,
			       enum rx_handler_result (*h)(struct sk_buff **), void *data);
void netdev_rx_handler_unregister(struct net_device *dev);
/* Ethernet receive: sets pkt_type, mac header, pulls the header, returns the protocol. */
be16 eth_type_trans(struct sk_buff *skb, struct net_device *dev);

/* ---- dev_output.c ------------------------------------------------------------------------------------ */

enum net_xmit { NET_XMIT_SUCCESS, NET_XMIT_DROP, NET_XMIT_CN };

/* consume; network header set, link-layer header built. 0, or -ENOBUFS/-ENETDOWN... when it was dropped here. */
int dev_queue_xmit(struct sk_buff *skb);
/* Hands one skb (or a ->next list) to the driver; returns what the driver did not take. */
struct sk_buff *dev_hard_start_xmit(struct sk_buff *first, struct net_device *dev,
				    struct netdev_queue *txq, enum netdev_tx *ret);
/* As above; @tapped: taps have seen the first one already (it comes back from a busy driver). */
struct sk_buff *__dev_hard_start_xmit(struct sk_buff *first, struct net_device *dev,
				      struct netdev_queue *txq, bool tapped, enum netdev_tx *ret);
/* Features, segmentation, checksum: transform into what @dev can send (a ->next list); NULL: dropped. */
struct sk_buff *validate_xmit_skb(struct sk_buff *skb, struct net_device *dev);
/* The same of all packets of a ->next list. */
struct sk_buff *validate_xmit_skb_list(struct sk_buff *skb, struct net_device *dev);
int dev_loopback_xmit(struct sk_buff *skb); /* a copy for ourselves: multicast and broadcast */
/* Where a driver frees sent packets: in NET_TX softirq. */
void dev_consume_skb_irq(struct sk_buff *skb);

/*
 * For ndo_start_xmit: another packet is handed over right behind this one, so that telling the hardware (a doorbell, a system call) may wait
 * for it. A driver that puts it off tells all the same when it stops the queue or says BUSY, as the next packet may come late then,
 * and with the last packet also if it drops that one.
 */
static inline bool netdev_xmit_more(const struct net_device *dev)
{
	return dev->cpu->xmit_more;
}

/* The only way to the driver: consumes @skb unless NETDEV_TX_BUSY. @more: another one follows; who then has none after all says false. */
static inline enum netdev_tx netdev_start_xmit(struct sk_buff *skb, struct net_device *dev,
					       bool more)
{
	dev->cpu->xmit_more = more;
	return dev->netdev_ops->ndo_start_xmit(skb, dev);
}

static inline void netif_tx_stop_queue(struct netdev_queue *txq)
{
	txq->state |= __QUEUE_STATE_DRV_XOFF;
}

static inline bool netif_xmit_stopped(const struct netdev_queue *txq)
{
	return txq->state & __QUEUE_STATE_DRV_XOFF;
}

void netif_tx_wake_queue(struct netdev_queue *txq); /* schedules the qdisc */

static inline int dev_hard_header(struct sk_buff *skb, struct net_device *dev, u16 type,
				  const void *daddr, const void *saddr, u32 len)
{
	return dev->header_ops ? dev->header_ops->create(skb, dev, type, daddr, saddr, len) : 0;
}

/* ---- gro.c, gso.c ------------------------------------------------------------------------------------ */

/* How a protocol takes part in merging and cutting. Network layer: in packet_type; transport: in net_protocol. */
struct offload_callbacks {
	/* borrow; tries to merge @skb into one of @napi's gro_list. See gro.c for the contract of cb. Returns the held skb
	 * that must be flushed now, or NULL; sets NAPI_GRO_CB(skb)->same_flow/flush. */
	struct sk_buff *(*gro_receive)(struct sk_buff_head *held, struct sk_buff *skb);
	int (*gro_complete)(struct sk_buff *skb, int nhoff); /* fixes headers of a merged skb */
	/* borrow @skb; returns a ->next list of segments or NULL with *ret_err set. */
	struct sk_buff *(*gso_segment)(struct sk_buff *skb, netdev_features_t features,
				       int *ret_err);
};

void napi_gro_receive(struct napi_struct *napi, struct sk_buff *skb); /* consume */
void napi_gro_flush(struct napi_struct *napi, bool only_old);
/* consume; poll(): a packet of @segs wire packets that is not to be merged goes up behind those that came before it, at the latest when
 * the poll is over. Packets of a napi go by this or by napi_gro_receive() only: else they would overtake each other. */
void gro_normal_one(struct napi_struct *napi, struct sk_buff *skb, u32 segs);
/* The same for what may be the last one of its poll (@more: it is not): alone it does not have to wait. */
static inline void gro_normal_one_of(struct napi_struct *napi, struct sk_buff *skb, bool more)
{
	if (!more && skb_list_empty(&napi->rx_list))
		netif_receive_skb(skb);
	else
		gro_normal_one(napi, skb, 1);
}
void __gro_normal_list(struct napi_struct *napi); /* there are some */
/* Up with them. */
static inline void gro_normal_list(struct napi_struct *napi)
{
	if (!skb_list_empty(&napi->rx_list))
		__gro_normal_list(napi);
}
/* borrow; by the packet type of skb->protocol. NULL with *ret_err. */
struct sk_buff *skb_gso_segment(struct sk_buff *skb, netdev_features_t features, int *ret_err);
/* Cuts [data + header] into gso_size pieces sharing the fragments: what transports call. data at the transport header;
 * copies everything from the mac header up to data + @thlen into each segment. */
struct sk_buff *skb_segment(struct sk_buff *skb, netdev_features_t features, u32 thlen,
			    int *ret_err);

struct napi_gro_cb {
	u32 data_offset; /* of the header that is parsed now, from data */
	u32 age_ms;
	u16 count; /* segments merged */
	u8 same_flow;
	u8 flush; /* do not merge, and deliver what is held of this flow */
	u16 ip_id;
	u16 proto;
	u32 csum;
	struct sk_buff *last; /* tail of frag_list */
	u8 csum_valid;
	u8 csum_cnt;
	u8 is_atomic;
	u8 merged; /* enum: set by skb_gro_receive(), read by napi_gro_receive() */
};

#define NAPI_GRO_CB(skb) ((struct napi_gro_cb *)(skb)->cb)
static_assert(sizeof(struct napi_gro_cb) <= SKB_CB_SIZE, "cb");
/* Merges the payload of @skb (behind the headers up to data_offset) onto @p. 0 or -E2BIG. Consumes @skb on 0. */
int skb_gro_receive(struct sk_buff *p, struct sk_buff *skb);

#endif
