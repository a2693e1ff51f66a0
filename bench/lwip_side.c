/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwip_side.c - lwIP in this process: both ends in one instance, over a device with an MTU of 1500 whose cable ends in itself
 *
 * A shared object that `make bench LWIP_DIR=...` builds of this file and of a copy of lwIP that lies elsewhere (bench/build-lwip), because lwIP's
 * state is global and its configuration is compiled in. The raw API is driven without an operating system, as its documentation says is fastest; what
 * is sent is copied from the program's buffer and what is received to it, as with sockets. The device copies each packet, because lwIP turns
 * the octets of headers it has received in place.
 */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/csum.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"
#include "netif/ethernet.h"

#define EXPORT __attribute__((visibility("default")))

/* ---- what lwIP asks of its host --------------------------------------------------------------------------- */

static double clock_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

u32_t sys_now(void)
{
	return (u32_t)(clock_s() * 1000);
}

uint32_t bench_lwip_rand(void)
{
	return (uint32_t)random();
}

uint16_t bench_lwip_chksum(const void *data, int len)
{
	return (uint16_t)~csum_fold(csum_partial(data, (size_t)len, 0));
}

uint16_t bench_lwip_chksum_copy(void *dst, const void *src, uint16_t len)
{
	return (uint16_t)~csum_fold(csum_partial_copy(dst, src, len, 0));
}

/* ---- the device ------------------------------------------------------------------------------------------- */

#define RING 8192u /* a power of two */

static struct netif device;
static struct eth_addr device_addr = { { 2, 0, 0, 0, 0, 1 } };
static struct pbuf *ring[RING];
static unsigned ring_head, ring_tail;

static err_t device_output(struct netif *netif, struct pbuf *p)
{
	struct pbuf *q;

	(void)netif;
	if (ring_tail - ring_head == RING)
		return ERR_MEM;
	q = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_POOL);
	if (!q)
		return ERR_MEM;
	pbuf_copy(q, p);
	ring[ring_tail++ % RING] = q;
	return ERR_OK;
}

static err_t device_init(struct netif *netif)
{
	netif->name[0] = 'b';
	netif->name[1] = '0';
	netif->mtu = 1500;
	netif->hwaddr_len = ETH_HWADDR_LEN;
	memcpy(netif->hwaddr, &device_addr, ETH_HWADDR_LEN);
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
	netif->output = etharp_output;
	netif->linkoutput = device_output;
	return ERR_OK;
}

/* All that is under way, and what its arrival sends. */
static void pump(void)
{
	while (ring_head != ring_tail) {
		struct pbuf *p = ring[ring_head++ % RING];

		if (device.input(p, &device) != ERR_OK)
			pbuf_free(p);
	}
}

static void start(void)
{
	ip4_addr_t addr, mask, gw;

	if (device.input)
		return;
	lwip_init();
	IP4_ADDR(&addr, 10, 0, 0, 1);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gw, 0, 0, 0, 0);
	netif_add(&device, &addr, &mask, &gw, NULL, device_init, ethernet_input);
	netif_set_default(&device);
	netif_set_up(&device);
	netif_set_link_up(&device);
	etharp_add_static_entry(&addr, &device_addr);
}

EXPORT const char *bench_lwip_settings(void)
{
	return "lwIP " LWIP_VERSION_STRING ", raw API, no OS, Ethernet, timestamps, SACK, MSS "
	       "1460, TCP_WND 1 MiB, TCP_SND_BUF 512 KiB, "
	       "checksums by weir's routine, made while copying; built by " BENCH_LWIP_BUILD;
}

/* ---- connections ------------------------------------------------------------------------------------------ */

struct end {
	struct tcp_pcb *pcb;
	char *buf;
	size_t size;
	uint64_t received;
	bool connected;
};

static err_t end_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct end *e = arg;

	(void)err;
	if (!p) {
		if (e)
			e->pcb = NULL;
		tcp_arg(pcb, NULL);
		tcp_close(pcb);
		return ERR_OK;
	}
	for (struct pbuf *q = p; q; q = q->next)
		memcpy(e->buf + e->received % e->size, q->payload,
		       q->len < e->size - e->received % e->size ? q->len
								: e->size - e->received % e->size);
	e->received += p->tot_len;
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void end_err(void *arg, err_t err)
{
	struct end *e = arg;

	(void)err;
	if (e)
		e->pcb = NULL; /* lwIP has freed it */
}

static err_t end_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)pcb;
	((struct end *)arg)->connected = err == ERR_OK;
	return ERR_OK;
}

static void end_init(struct end *e, struct tcp_pcb *pcb)
{
	e->pcb = pcb;
	tcp_arg(pcb, e);
	tcp_recv(pcb, end_recv);
	tcp_err(pcb, end_err);
	tcp_nagle_disable(pcb);
}

/* The server's end of the connection that is being made. */
static struct end *accepting;

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	if (err != ERR_OK || !accepting)
		return ERR_ABRT;
	end_init(accepting, pcb);
	accepting = NULL;
	return ERR_OK;
}

static struct tcp_pcb *listen_on(u16_t port)
{
	struct tcp_pcb *pcb = tcp_new();

	ip_set_option(pcb, SOF_REUSEADDR);
	if (tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
		return NULL;
	pcb = tcp_listen_with_backlog(pcb, 255);
	tcp_accept(pcb, on_accept);
	return pcb;
}

static bool connect_ends(struct end *c, struct end *s, u16_t port)
{
	struct tcp_pcb *pcb = tcp_new();

	if (!pcb)
		return false;
	end_init(c, pcb);
	accepting = s;
	c->connected = false;
	if (tcp_connect(pcb, &device.ip_addr, port, end_connected) != ERR_OK)
		return false;
	pump();
	return c->connected && s->pcb;
}

static void pass(struct end *from, struct end *to)
{
	uint64_t before = to->received;
	char c = 'x';

	tcp_write(from->pcb, &c, 1, TCP_WRITE_FLAG_COPY);
	tcp_output(from->pcb);
	while (to->received == before) {
		pump();
		if (to->received == before)
			sys_check_timeouts();
	}
}

/* ---- the loop ------------------------------------------------------------------------------------------------ */

static double run(const struct bench_params *b, uint64_t (*batch)(void *load), void *load)
{
	double begin, now, tick;
	uint64_t ops = 0;

	begin = clock_s();
	do
		batch(load);
	while (clock_s() - begin < 0.1);
	begin = tick = clock_s();
	do {
		ops += batch(load);
		now = clock_s();
		if (now - tick > 0.001) {
			sys_check_timeouts();
			tick = now;
		}
	} while (now - begin < b->seconds);
	return (double)ops / (now - begin);
}

/* ---- bulk ------------------------------------------------------------------------------------------------------ */

struct bulk {
	struct end c, s;
	char *out;
	size_t size;
};

static uint64_t bulk_batch(void *load)
{
	struct bulk *l = load;
	uint64_t before = l->s.received;

	for (int i = 0; i < 16; i++) {
		size_t left = l->size;

		while (left) {
			u16_t n = (u16_t)(left < 32768 ? left : 32768);

			if (n > tcp_sndbuf(l->c.pcb) ||
			    tcp_write(l->c.pcb, l->out, n, TCP_WRITE_FLAG_COPY) != ERR_OK)
				break;
			left -= n;
		}
		tcp_output(l->c.pcb);
		pump();
	}
	return l->s.received - before;
}

static void end_close(struct end *e)
{
	if (e->pcb) {
		tcp_arg(e->pcb, NULL);
		tcp_abort(e->pcb);
	}
	pump();
}

EXPORT double lwip_tcp_bulk(const struct bench_params *b)
{
	struct bulk l = { .size = b->write_size };
	struct tcp_pcb *listener;
	double r = -1;

	start();
	listener = listen_on(7);
	l.s.buf = malloc(l.size);
	l.c.buf = malloc(l.size);
	l.s.size = l.c.size = l.size;
	l.out = calloc(1, l.size);
	if (connect_ends(&l.c, &l.s, 7))
		r = run(b, bulk_batch, &l);
	end_close(&l.c);
	end_close(&l.s);
	tcp_close(listener);
	free(l.s.buf);
	free(l.c.buf);
	free(l.out);
	return r;
}

/* ---- request and response ---------------------------------------------------------------------------------------- */

struct rr {
	struct end *c, *s;
	unsigned n, next;
	char octet[2];
};

static uint64_t rr_batch(void *load)
{
	struct rr *l = load;

	for (int i = 0; i < 100; i++) {
		pass(&l->c[l->next], &l->s[l->next]);
		pass(&l->s[l->next], &l->c[l->next]);
		if (++l->next == l->n)
			l->next = 0;
	}
	return 100;
}

EXPORT double lwip_tcp_rr(const struct bench_params *b)
{
	struct rr l = { .n = b->connections ? b->connections : 1 };
	struct tcp_pcb *listener;
	bool ok = true;
	double r = -1;

	if (2 * l.n >= MEMP_NUM_TCP_PCB)
		return -12; /* ENOMEM */
	start();
	listener = listen_on(7);
	l.c = calloc(l.n, sizeof(*l.c));
	l.s = calloc(l.n, sizeof(*l.s));
	for (unsigned i = 0; i < l.n && ok; i++) {
		l.c[i].buf = l.s[i].buf = l.octet;
		l.c[i].size = l.s[i].size = 1;
		ok = connect_ends(&l.c[i], &l.s[i], 7);
	}
	if (ok)
		r = run(b, rr_batch, &l);
	for (unsigned i = 0; i < l.n; i++) {
		end_close(&l.c[i]);
		end_close(&l.s[i]);
	}
	tcp_close(listener);
	free(l.c);
	free(l.s);
	return r;
}

static uint64_t crr_batch(void *load)
{
	char octet[2];

	(void)load;
	for (int i = 0; i < 50; i++) {
		struct end c = { .buf = octet, .size = 1 }, s = c;

		if (!connect_ends(&c, &s, 7))
			abort();
		pass(&c, &s);
		pass(&s, &c);
		end_close(&c);
		end_close(&s);
	}
	return 50;
}

EXPORT double lwip_tcp_crr(const struct bench_params *b)
{
	struct tcp_pcb *listener;
	double r;

	start();
	listener = listen_on(7);
	r = run(b, crr_batch, NULL);
	tcp_close(listener);
	return r;
}

/* ---- datagrams ----------------------------------------------------------------------------------------------------- */

struct datagrams {
	struct udp_pcb *c, *s;
	size_t size;
	uint64_t received;
	char buf[65536];
};

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *addr,
			u16_t port)
{
	struct datagrams *l = arg;

	(void)pcb;
	(void)addr;
	(void)port;
	pbuf_copy_partial(p, l->buf, p->tot_len, 0);
	l->received++;
	pbuf_free(p);
}

static uint64_t udp_batch(void *load)
{
	struct datagrams *l = load;
	uint64_t before = l->received;

	for (int i = 0; i < 64; i++) {
		struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)l->size, PBUF_RAM);

		memcpy(p->payload, l->buf, l->size);
		udp_send(l->c, p);
		pbuf_free(p);
	}
	pump();
	return l->received - before;
}

EXPORT double lwip_udp(const struct bench_params *b)
{
	struct datagrams *l = calloc(1, sizeof(*l));
	double r;

	start();
	l->size = b->write_size;
	l->s = udp_new();
	l->c = udp_new();
	udp_bind(l->s, IP_ADDR_ANY, 7);
	udp_recv(l->s, on_datagram, l);
	udp_connect(l->c, &device.ip_addr, 7);
	r = run(b, udp_batch, l);
	udp_remove(l->c);
	udp_remove(l->s);
	free(l);
	return r;
}
