/* SPDX-License-Identifier: BSD-2-Clause */
/* host_line.c - see host_line.h */
#include "drivers/host_line.h"

#include <errno.h>
#include <sys/socket.h>

#include "core/machine.h"

/* A thread of the host's. */
static void line_ready(void *arg)
{
	struct host_line *l = arg;

	if (!__atomic_exchange_n(&l->queued, 1, __ATOMIC_ACQ_REL))
		cpu_queue_work(l->cpu, &l->work);
}

static void line_interrupt(struct cpu *cpu, struct cpu_work *w)
{
	struct host_line *l = container_of(w, struct host_line, work);
	int err;
	socklen_t len = sizeof(err);

	__atomic_store_n(&l->queued, 0, __ATOMIC_RELEASE);
	l->armed = 0;
	if (l->socket)
		(void)getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!netif_running(l->dev))
		return;
	netif_tx_wake_queue(l->dev->tx);
	if (!(l->napi->state & NAPI_STATE_SCHED))
		napi_schedule(l->napi);
}

int host_line_open(struct host_line *l, struct napi_struct *napi, int fd, bool socket)
{
	struct host *host = napi->cpu->machine->host;

	*l = (struct host_line){ .cpu = napi->cpu,
				 .dev = napi->dev,
				 .napi = napi,
				 .fd = fd,
				 .socket = socket,
				 .work.fn = line_interrupt };
	l->watch = host->ops->watch_create(host, fd, line_ready, l);
	return l->watch ? 0 : -errno;
}

void host_line_close(struct host_line *l)
{
	struct cpu *cpu;

	if (!l->watch)
		return;
	cpu = l->cpu;
	cpu->machine->host->ops->watch_free(l->watch);
	l->watch = NULL;
	cpu_lock(cpu);
	run_remote_work(cpu); /* ours may be among it */
	cpu_unlock(cpu);
}

void host_line_arm(struct host_line *l, u32 events)
{
	if ((l->armed & events) == events)
		return;
	l->armed |= events;
	l->cpu->machine->host->ops->watch_arm(l->watch, l->armed);
}

enum netdev_tx host_line_busy(struct host_line *l)
{
	netif_tx_stop_queue(l->dev->tx);
	host_line_arm(l, HOST_WATCH_WRITE);
	return NETDEV_TX_BUSY;
}
