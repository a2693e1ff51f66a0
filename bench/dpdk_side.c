/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dpdk_side.c - a bare loop on a port of DPDK, for port_side.c: bursts out of and into one pool, and nothing else
 *
 * The port is net_af_packet, which needs no hardware and no huge pages, and has the address that frames are sent to: for the host's kernel,
 * which sees them as well, they are its own then, as they are where weir has the port. The thread has a number of DPDK's, so that the pool's cache works for it.
 */
#include "bench/dpdk_side.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#define PORT  "net_af_packet_bare"
#define MBUFS 8191u
#define CACHE 256u
#define RING  1024u
#define BURST 32u

struct dpdk_side {
	struct rte_mempool *pool;
	uint16_t port;
	bool probed, registered;
};

int dpdk_side_start(void)
{
	char text[] =
		"bench --no-huge -m 256 --no-pci --no-shconf --no-telemetry --log-level=error "
		"--lcores=0",
	     *argv[16], *save = NULL;
	int argc = 0;
	cpu_set_t cpus;
	int r;

	if (rte_lcore_count())
		return 0;
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	/* EAL binds the thread that starts it to one cpu. */
	sched_getaffinity(0, sizeof(cpus), &cpus);
	r = rte_eal_init(argc, argv);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	return r < 0 ? -rte_errno : 0;
}

static int port_up(struct dpdk_side *d, const unsigned char *mac)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_ether_addr addr;
	int r = rte_eth_dev_configure(d->port, 1, 1, &conf);

	if (!r)
		r = rte_eth_rx_queue_setup(d->port, 0, RING, 0, NULL, d->pool);
	if (!r)
		r = rte_eth_tx_queue_setup(d->port, 0, RING, 0, NULL);
	if (!r)
		r = rte_eth_dev_start(d->port);
	memcpy(addr.addr_bytes, mac, sizeof(addr.addr_bytes));
	return r ? r : rte_eth_dev_default_mac_addr_set(d->port, &addr);
}

struct dpdk_side *dpdk_side_open(const char *ifname, const unsigned char *mac)
{
	struct dpdk_side *d = calloc(1, sizeof(*d));
	char args[64];
	int r = dpdk_side_start();

	d->registered = !r && !rte_thread_register();
	snprintf(args, sizeof(args), "iface=%s", ifname);
	if (!r)
		r = rte_eal_hotplug_add("vdev", PORT, args);
	d->probed = !r;
	if (!r)
		r = rte_eth_dev_get_port_by_name(PORT, &d->port);
	if (!r) {
		d->pool = rte_pktmbuf_pool_create("bare", MBUFS, CACHE, 0,
						  RTE_MBUF_DEFAULT_BUF_SIZE, 0);
		r = d->pool ? port_up(d, mac) : -rte_errno;
	}
	if (r) {
		dpdk_side_close(d);
		errno = -r;
		return NULL;
	}
	return d;
}

void dpdk_side_close(struct dpdk_side *d)
{
	if (d->probed) {
		(void)rte_eth_dev_stop(d->port);
		(void)rte_eth_dev_close(d->port);
		(void)rte_eal_hotplug_remove("vdev", PORT);
	}
	rte_mempool_free(d->pool);
	if (d->registered)
		rte_thread_unregister();
	free(d);
}

uint64_t dpdk_side_send(struct dpdk_side *d, const void *frame, uint32_t len)
{
	struct rte_mbuf *m[BURST];
	uint16_t sent;

	if (rte_pktmbuf_alloc_bulk(d->pool, m, BURST))
		return 0;
	for (uint32_t i = 0; i < BURST; i++) {
		memcpy(rte_pktmbuf_mtod(m[i], void *), frame, len);
		m[i]->data_len = (uint16_t)len;
		m[i]->pkt_len = len;
	}
	sent = rte_eth_tx_burst(d->port, 0, m, BURST);
	if (sent < BURST)
		rte_pktmbuf_free_bulk(m + sent, BURST - sent);
	return sent;
}

uint64_t dpdk_side_receive(struct dpdk_side *d)
{
	struct rte_mbuf *m[BURST];
	unsigned char buf[2048];
	uint16_t n = rte_eth_rx_burst(d->port, 0, m, BURST);

	for (uint16_t i = 0; i < n; i++) {
		memcpy(buf, rte_pktmbuf_mtod(m[i], void *), m[i]->data_len);
		__asm__ volatile("" ::"r"(buf) : "memory");
	}
	rte_pktmbuf_free_bulk(m, n);
	return n;
}
