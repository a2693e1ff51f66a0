/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers_internal.h - drop reasons and trace points of this folder, link kinds for drivers_module.c */
#ifndef WEIR_DRIVERS_DRIVERS_INTERNAL_H
#define WEIR_DRIVERS_DRIVERS_INTERNAL_H

#include "core/drop_reason.h"
#include "core/trace.h"

struct net;
struct rtnl_link_ops;
struct host_dev_ops;

#define DRIVERS_DROP_REASONS(X)                                                                    \
	X(LINK_LOSS, "lost on the link (its loss setting said so)")                                \
	X(LINK_QUEUE_FULL, "the queue of the link is full: more is sent than its rate carries")    \
	X(RING_FULL, "the receive ring of the device at the other end is full")                    \
	X(RX_OVERRUN, "the card had no free receive descriptor: the driver did not keep up")       \
	X(RX_FILTER, "the card's address filter: meant for another station")                       \
	X(FRAME_CHECK, "the frame check sequence is wrong: damaged on its way")                    \
	X(EXCESSIVE_COLLISIONS, "given up after 16 collisions on a hub")                           \
	X(SWITCH_FILTERED, "a switch found the receiver at the port the frame came from")          \
	X(MEDIUM_NO_HOST, "a hub, switch or token medium has no host that could send")             \
	X(TX_HUNG, "the card's transmitter was reset with the frame in its ring")                  \
	X(TUN_WRITE,                                                                               \
	  "the host's tun descriptor did not take the frame: its interface is down or gone")       \
	X(PORT_TOO_LONG, "longer than the buffer in which the program took frames from its port")  \
	X(VNET_HDR, "what the virtio-net header says is not true of the frame")                    \
	X(RING_SNAPPED, "longer than a block of the ring that the host's kernel puts frames into") \
	X(HOST_XMIT,                                                                               \
	  "the host's interface did not take the frame: it is down, gone or full, or its MTU is "  \
	  "smaller")                                                                               \
	X(TUN_NO_MEM, "no memory for a frame of the host: it was read and thrown away")

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
	X(link_deliver, "drivers/link.c", NULL, NULL)                                              \
	X(nic_xmit, "drivers/nic.c", "queued", NULL)                                               \
	X(nic_dma_out, "drivers/nic.c", "wire_len", NULL)                                          \
	X(nic_dma_in, "drivers/nic.c", "descriptor", NULL)                                         \
	X(nic_clean_tx, "drivers/nic.c", NULL, NULL)                                               \
	X(nic_poll, "drivers/nic.c", "work", NULL)                                                 \
	X(nic_interrupt, "drivers/nic.c", "cause", NULL)                                           \
	X(nic_interrupt_pio, "drivers/nic.c", NULL, NULL)                                          \
	X(hub_start, "drivers/hub.c", "collisions", NULL)                                          \
	X(hub_defer, "drivers/hub.c", "ns", NULL)                                                  \
	X(hub_collision, "drivers/hub.c", "collisions", NULL)                                      \
	X(hub_backoff, "drivers/hub.c", "slots", "collisions")                                     \
	X(switch_input, "drivers/switch.c", "from_port", "to_port")                                \
	X(token_start, "drivers/token.c", "station", NULL)                                         \
	X(tun_xmit, "drivers/tun.c", NULL, NULL)                                                   \
	X(tun_receive, "drivers/tun.c", "gso_size", NULL)                                          \
	X(afpacket_xmit, "drivers/afpacket.c", "big", NULL)                                        \
	X(afpacket_receive, "drivers/afpacket.c", "gso_size", NULL)                                \
	X(afxdp_xmit, "drivers/modules/dev-afxdp.c", NULL, NULL)                                   \
	X(afxdp_receive, "drivers/modules/dev-afxdp.c", "lent", NULL)                              \
	X(dpdk_xmit, "drivers/modules/dev-dpdk.c", "queued", NULL)                                 \
	X(dpdk_receive, "drivers/modules/dev-dpdk.c", "lent", NULL)                                \
	X(port_xmit, "drivers/port.c", "queued", NULL)                                             \
	X(port_poll, "drivers/port.c", "queued", NULL)

TRACE_POINT_ENUM(DRIVERS, DRIVERS_TRACE_POINTS);

/* loopback.c */
int loopback_net_init(struct net *net);

extern const struct drop_reason_table drivers_drop_reasons;
extern const struct trace_point_table drivers_trace_points;
extern const struct rtnl_link_ops dummy_link_ops, veth_link_ops;
extern const struct rtnl_link_ops tun_link_ops, port_link_ops, afpacket_link_ops;
extern const struct host_dev_ops tap_dev_ops, afpacket_dev_ops;
extern const struct rtnl_link_ops nic_link_ops, hub_link_ops, switch_link_ops, token_link_ops;

#endif
