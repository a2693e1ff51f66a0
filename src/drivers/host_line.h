/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_line.h - the interrupt line of a device over a descriptor of the host
 *
 * Theory of operation
 *   A watch of the host's (host.h) plays the card: it tells once when the descriptor can be read or written. That wakes the device's queue, if
 *   the driver had stopped it, and schedules the napi, whose poll() works without the line until nothing is left; then it arms it again. So one
 *   wake-up may stand for many frames.
 * Invariants
 *   queued <=> work is on its way to the cpu or on its list: it is handed over once at a time.
 * Locking: the cpu lock of the device; line_ready() runs in a thread of the host's without a lock.
 */
#ifndef WEIR_DRIVERS_HOST_LINE_H
#define WEIR_DRIVERS_HOST_LINE_H

#include "core/netdevice.h"
#include "host/host.h"

struct host_line {
	struct cpu *cpu;
	struct net_device *dev;
	struct napi_struct *napi;
	int fd;
	bool socket; /* its error is read with each interrupt: unread, it would raise the line for ever */
	u32 armed;                /* HOST_WATCH_* that were asked for */
	struct host_watch *watch; /* NULL: it is not open */
	struct cpu_work work;
	u32 queued; /* atomic */
};

/* @fd stays the caller's, and open until host_line_close(). rtnl. 0; -ENOMEM; -EPERM: nothing that can be waited for */
int host_line_open(struct host_line *l, struct napi_struct *napi, int fd, bool socket);
/* No interrupt comes any more. rtnl, no cpu lock; again is fine, and one that was not opened. */
void host_line_close(struct host_line *l);
/* One interrupt when the descriptor is as @events say, or has failed, beside those that were asked for before. cpu lock */
void host_line_arm(struct host_line *l, u32 events);
/* The descriptor takes no more: the queue stops until it does. cpu lock */
enum netdev_tx host_line_busy(struct host_line *l);

#endif
