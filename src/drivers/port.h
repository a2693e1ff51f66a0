/* SPDX-License-Identifier: BSD-2-Clause */
/* port.h - a device whose cable ends in the program that embeds the stack: frames by function call */
#ifndef WEIR_DRIVERS_PORT_H
#define WEIR_DRIVERS_PORT_H

#include "lib/types.h"

struct net;
struct port;

#define PORT_L3  (1u << 0) /* IP packets without a link-layer header; else Ethernet */
#define PORT_GSO (1u << 2) /* segments of up to 64 KiB go out and come in whole */

/*
 * rtnl. A device @name of @net ("%d" allowed). @queue: frames that wait for port_output(), at most; 0: 256. 0; -EEXIST, -EINVAL,
 * -ENOMEM. The port outlives its device, which others may remove.
 */
int port_create(struct net *net, const char *name, u32 flags, u32 queue, struct port **ret_port);
void port_destroy(
	struct port *port); /* with its device; no thread is inside a call. No lock held */
/* A frame comes in: copied. 0; -ENETDOWN, -EMSGSIZE (PORT_GSO: longer than 64 KiB), -EINVAL (cut short), -ENOBUFS (the ring is full, or no memory), -ENODEV (gone) */
int port_input(struct port *port, const void *frame, size_t len);
/* Merged of segments with @gso_size octets of payload: -EINVAL too if it cannot be. */
int port_input_merged(struct port *port, const void *frame, size_t len, u32 gso_size);
/*
 * The next frame that goes out, its length; waits up to @timeout_ns (0: does not), then -EAGAIN; -EMSGSIZE: longer than @size, and
 * dropped; -ENODEV: the device is gone; -EINTR: the machine is being stopped.
 */
s64 port_output(struct port *port, void *buf, size_t size, u64 timeout_ns);

#endif
