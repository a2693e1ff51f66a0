/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers_internal.h - drop reasons and trace points of this folder, link kinds for drivers_module.c */
#ifndef WEIR_DRIVERS_DRIVERS_INTERNAL_H
#define WEIR_DRIVERS_DRIVERS_INTERNAL_H

#include "core/drop_reason.h"
#include "core/trace.h"

struct net;
struct rtnl_link_ops;

#define DRIVERS_DROP_REASONS(X)                                                                    \
	X(LINK_LOSS, "lost on the link (its loss setting said so)")                                \
	X(LINK_QUEUE_FULL, "the queue of the link is full: more is sent than its rate carries")    \
	X(RING_FULL, "the receive ring of the device at the other end is full")

DROP_REASON_ENUM(DRIVERS, DRIVERS_DROP_REASONS);

#define DRIVERS_TRACE_POINTS(X)                                                                    \
	X(loopback_xmit, "drivers/loopback.c", NULL, NULL)                                         \
	X(dummy_xmit, "drivers/dummy.c", NULL, NULL)                                               \
	X(veth_xmit, "drivers/veth.c", "peer_ifindex", NULL)                                       \
	X(veth_poll, "drivers/veth.c", "queued", NULL)                                             \
	X(link_enqueue, "drivers/link.c", "queued", "starts_in_ns")                                \
	X(link_serialized, "drivers/link.c", "delay_ns", NULL)                                     \
	X(link_corrupt, "drivers/link.c", "bit", NULL)                                             \
	X(link_duplicate, "drivers/link.c", NULL, NULL)                                            \
	X(link_deliver, "drivers/link.c", NULL, NULL)

TRACE_POINT_ENUM(DRIVERS, DRIVERS_TRACE_POINTS);

/* loopback.c */
int loopback_net_init(struct net *net);

extern const struct drop_reason_table drivers_drop_reasons;
extern const struct trace_point_table drivers_trace_points;
extern const struct rtnl_link_ops dummy_link_ops, veth_link_ops;

#endif
