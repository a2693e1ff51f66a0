/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drop_reason.h - why a packet was discarded
 *
 * Every discard names a reason. A reason is one row in the table of the folder that discards:
 *
 *     #define IPV4_DROP_REASONS(X) \
 *             X(IP_CSUM, "header checksum is wrong (RFC 791 3.1)") \
 *             ...
 *     DROP_REASON_ENUM(IPV4, IPV4_DROP_REASONS)
 *
 * gives SKB_DROP_IP_CSUM in the folder's own number range; DROP_REASON_TABLE() gives the table that
 * stack/modules.c registers. Names are shown without the prefix: "IP_CSUM". Counters per reason are kept
 * per net.
 */
#ifndef WEIR_CORE_DROP_REASON_H
#define WEIR_CORE_DROP_REASON_H

#include "lib/types.h"

typedef u16 skb_drop_reason_t; /* 0: not dropped, keep going */

#define SKB_NOT_DROPPED  ((skb_drop_reason_t)0)
#define DROP_RANGE_SHIFT 6 /* 64 reasons per folder */
#define DROP_RANGE_SIZE  (1 << DROP_RANGE_SHIFT)

enum drop_range {
	DROP_RANGE_CORE,
	DROP_RANGE_SOCKET,
	DROP_RANGE_INET,
	DROP_RANGE_IPV4,
	DROP_RANGE_IPV6,
	DROP_RANGE_TCP,
	DROP_RANGE_UDP,
	DROP_RANGE_PACKET,
	DROP_RANGE_DRIVERS,
	DROP_RANGE_SCHED,
	DROP_RANGE_NETFILTER,
	DROP_RANGE_TUNNEL,
	DROP_RANGE_KIDS,
	DROP_RANGE_NETLINK,
	DROP_RANGE_UNIX,
	DROP_RANGE_LLC,
	NR_DROP_RANGES
};

#define SKB_DROP_MAX (NR_DROP_RANGES << DROP_RANGE_SHIFT)

struct drop_reason_desc {
	const char *name;
	const char *help;
};

struct drop_reason_table {
	enum drop_range range;
	const struct drop_reason_desc *rows; /* row i describes reason number base + 1 + i */
	u32 count;
};

#define DROP_REASON_ENUM_ROW_(name, help) SKB_DROP_##name,
#define DROP_REASON_DESC_ROW_(name, help) { #name, help },
/* The enumerators of a folder, from base + 1 on: 0 means "not dropped". */
#define DROP_REASON_ENUM(range, LIST)                                                              \
	enum {                                                                                     \
		SKB_DROP_##range##_BASE_ = (DROP_RANGE_##range << DROP_RANGE_SHIFT),               \
		LIST(DROP_REASON_ENUM_ROW_) SKB_DROP_##range##_END_                                \
	};                                                                                         \
	static_assert(SKB_DROP_##range##_END_ - SKB_DROP_##range##_BASE_ <= DROP_RANGE_SIZE,       \
		      "too many drop reasons in one range")
#define DROP_REASON_TABLE(sym, range_, LIST)                                                       \
	static const struct drop_reason_desc sym##_rows[] = { LIST(DROP_REASON_DESC_ROW_) };       \
	const struct drop_reason_table sym = { DROP_RANGE_##range_, sym##_rows,                    \
					       ARRAY_SIZE(sym##_rows) }

#define CORE_DROP_REASONS(X)                                                                       \
	X(NOT_SPECIFIED, "discarded for a reason that has no name yet")                            \
	X(NOMEM, "no memory, or the arena's limit is reached")                                     \
	X(DEV_DOWN, "the device is not up")                                                        \
	X(DEV_TX_FULL, "the driver's transmit queue is full")                                      \
	X(DEV_HEADER, "the device could not build a link-layer header")                            \
	X(DEV_MTU, "larger than the device can carry")                                             \
	X(CPU_BACKLOG, "the backlog of the cpu is full (net.core.netdev_max_backlog)")             \
	X(QDISC_FULL, "the queueing discipline is full")                                           \
	X(QDISC_FLOW_LIMIT, "its flow has too many packets in the queueing discipline")            \
	X(QDISC_HORIZON, "its time of departure is too far away for the queueing discipline")      \
	X(QDISC_CONGESTED, "the queueing discipline says by it that there is congestion")          \
	X(QDISC_TOO_LONG, "longer than what the rate lets pass at once (tbf: burst)")              \
	X(QDISC_RESET, "its queue was emptied: device down, or discipline replaced")               \
	X(OTHERHOST, "addressed to another link-layer address")                                    \
	X(UNHANDLED_PROTO, "no packet handler for this Ethernet type")                             \
	X(SKB_CSUM, "a checksum could not be computed")                                            \
	X(GSO, "a big segment could not be cut into wire segments")                                \
	X(NEIGH_FAILED, "the next hop's link-layer address could not be found")                    \
	X(NEIGH_QUEUEFULL, "too many packets wait for the next hop's link-layer address")          \
	X(NEIGH_CREATEFAIL, "the neighbour table is full")                                         \
	X(NEIGH_DEAD, "the neighbour entry was removed")                                           \
	X(PKT_TOO_SMALL, "shorter than its own headers")                                           \
	X(HDR_TRUNC, "headers are truncated")                                                      \
	X(NETFILTER_DROP, "a hook said drop")                                                      \
	X(DST_DISCARD, "the route says discard")                                                   \
	X(NET_EXIT, "the instance or the device is being removed")                                 \
	X(TAP_FILTERED, "not wanted by the filter of a packet socket")                             \
	X(FORWARD_LOOP, "a device handed the packet to itself too many times")                     \
	X(DEV_NO_CARRIER, "the device has no carrier: its link is down")

DROP_REASON_ENUM(CORE, CORE_DROP_REASONS);

/* drop_reason.c */

struct machine;
void drop_reason_register(struct machine *m, const struct drop_reason_table *table);
struct net;
u64 *net_drop_counter(const struct net *net, skb_drop_reason_t reason);
/* Packets that @net has dropped for @reason. */
static inline u64 net_drops(const struct net *net, skb_drop_reason_t reason)
{
	return *net_drop_counter(net, reason);
}
/* "NEIGH_FAILED", or "?" for numbers nobody registered. Static storage. */
const char *drop_reason_name(const struct machine *m, skb_drop_reason_t reason);
const char *drop_reason_help(const struct machine *m, skb_drop_reason_t reason);

extern const struct drop_reason_table core_drop_reasons;

#endif
