/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xdp_side.c - a bare loop on an AF_XDP socket, for port_side.c: what libxdp offers and nothing else
 *
 * Frames out: chunks of the umem in turn, 64 at a time. Frames in: looked at, and the chunk given back.
 */
#include "bench/xdp_side.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#define CHUNK  4096u
#define CHUNKS 8192u
#define RING   2048u
#define BATCH  64u

struct xdp_side {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_cons rx, comp;
	struct xsk_ring_prod tx, fill;
	unsigned char *area;
	uint32_t next, in_flight;
};

static int be_quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static int libxdp_be_quiet(enum libxdp_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* The upper half of the chunks is for receiving. */
static void give_all(struct xdp_side *x)
{
	uint32_t at;

	if (xsk_ring_prod__reserve(&x->fill, RING, &at) != RING)
		return;
	for (uint32_t i = 0; i < RING; i++)
		*xsk_ring_prod__fill_addr(&x->fill, at + i) = (uint64_t)(CHUNKS / 2 + i) * CHUNK;
	xsk_ring_prod__submit(&x->fill, RING);
}

struct xdp_side *xdp_side_open(const char *ifname)
{
	struct xsk_umem_config uc = { .fill_size = RING, .comp_size = RING, .frame_size = CHUNK };
	struct xsk_socket_config sc = { .rx_size = RING,
					.tx_size = RING,
					.bind_flags = XDP_USE_NEED_WAKEUP };
	struct xdp_side *x = calloc(1, sizeof(*x));
	int err;

	libbpf_set_print(be_quiet);
	libxdp_set_print(libxdp_be_quiet);
	x->area = mmap(NULL, (size_t)CHUNKS * CHUNK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	err = xsk_umem__create(&x->umem, x->area, (uint64_t)CHUNKS * CHUNK, &x->fill, &x->comp,
			       &uc);
	if (!err)
		err = xsk_socket__create(&x->xsk, ifname, 0, x->umem, &x->rx, &x->tx, &sc);
	if (err) {
		xdp_side_close(x);
		errno = -err;
		return NULL;
	}
	give_all(x);
	return x;
}

void xdp_side_close(struct xdp_side *x)
{
	if (x->xsk)
		xsk_socket__delete(x->xsk);
	if (x->umem)
		xsk_umem__delete(x->umem);
	munmap(x->area, (size_t)CHUNKS * CHUNK);
	free(x);
}

uint64_t xdp_side_send(struct xdp_side *x, const void *frame, uint32_t len)
{
	uint32_t at, n = xsk_ring_prod__reserve(&x->tx, BATCH, &at);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t addr = (uint64_t)(x->next++ % (CHUNKS / 2)) * CHUNK;

		memcpy(x->area + addr, frame, len);
		*xsk_ring_prod__tx_desc(&x->tx, at + i) =
			(struct xdp_desc){ .addr = addr, .len = len };
	}
	xsk_ring_prod__submit(&x->tx, n);
	x->in_flight += n;
	while (x->in_flight > RING / 2) {
		uint32_t done;

		sendto(xsk_socket__fd(x->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0);
		done = xsk_ring_cons__peek(&x->comp, RING, &at);
		xsk_ring_cons__release(&x->comp, done);
		x->in_flight -= done;
	}
	return n;
}

uint64_t xdp_side_receive(struct xdp_side *x)
{
	struct pollfd p = { .fd = xsk_socket__fd(x->xsk), .events = POLLIN };
	uint32_t at, fill, n = xsk_ring_cons__peek(&x->rx, BATCH, &at);
	unsigned char buf[CHUNK];

	if (!n) {
		poll(&p, 1, 1);
		return 0;
	}
	if (xsk_ring_prod__reserve(&x->fill, n, &fill) != n)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&x->rx, at + i);

		memcpy(buf, x->area + d->addr, d->len);
		__asm__ volatile("" ::"r"(buf) : "memory");
		*xsk_ring_prod__fill_addr(&x->fill, fill + i) = d->addr / CHUNK * CHUNK;
	}
	xsk_ring_prod__submit(&x->fill, n);
	xsk_ring_cons__release(&x->rx, n);
	return n;
}
