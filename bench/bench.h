/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - one benchmark, two stacks: weir in this process, and the kernel as the peer
 *
 * A side sets itself up, runs one measurement, and gives a rate (higher is better). bench.c interleaves the sides (A B A B ...) and
 * takes the median of the pairs' ratios, because the machine's speed changes within seconds.
 */
#ifndef WEIR_BENCH_BENCH_H
#define WEIR_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_path {
	PATH_LOOPBACK,
	PATH_VETH,
	PATH_VETH_NO_OFFLOAD,
	PATH_ROUTED, /* two veths and a router between them */
};

struct bench_params {
	enum bench_path path;
	size_t write_size;    /* octets per call */
	double seconds;       /* of the measurement proper */
	bool ipv6;            /* weir's side only */
	unsigned connections; /* 0: one */
	unsigned gso_size;    /* of datagrams: UDP_SEGMENT, UDP_GRO; 0: one a call */
	unsigned
		lump; /* datagrams that leave in one call, each on the wire alone, and so arrive in one poll; 0: one */
	unsigned time_wait; /* weir's side only: TIME_WAIT socks that are there when it begins */
	size_t span; /* octets that the program's buffers walk through at each end; 0: one buffer again and again */
	unsigned routes;
	const char *control; /* congestion */
	double limit;        /* an aim that is a number, not a peer's */
	uint64_t seed;       /* of what is random, the same for both sides of a pair */
	/* weir's side only: batches to do, for their number of operations; 0: by time */
	uint64_t count;
};

/* All give operations (or octets) per second, or a negative errno. */
typedef double (*bench_fn)(const struct bench_params *p);

double weir_tcp_bulk(const struct bench_params *p);
/* The same with MSG_ZEROCOPY and weir_recv_zc(). */
double weir_tcp_bulk_zc(const struct bench_params *p);
double weir_tcp_rr(const struct bench_params *p);
/* Where both ends are in one hand: the octet goes around the packets, weir_bypass(). */
double weir_tcp_rr_bypass(const struct bench_params *p);
double weir_tcp_crr(const struct bench_params *p);
double weir_udp(const struct bench_params *p);
/* p->lump datagrams at a time over a link, or through a router; each layer does its part for several or, _single, for one by one. */
double weir_lump(const struct bench_params *p);
double weir_lump_single(const struct bench_params *p);
/* What a router can forward: from what two neighbours, and the same two with a router between them, can pass on. */
double weir_forward(const struct bench_params *p);
/* Orderly ends, each of which leaves a TIME_WAIT sock of the client's. */
double weir_tcp_crr_close(const struct bench_params *p);
/* What p->connections connected pairs cost, both ends in this process: 1 / octets of one. */
double weir_idle(const struct bench_params *p);
double kernel_idle(const struct bench_params *p);
double kernel_tcp_bulk(const struct bench_params *p);
double kernel_tcp_rr(const struct bench_params *p);
double kernel_tcp_crr(const struct bench_params *p);
double kernel_udp(const struct bench_params *p);
double kernel_forward(const struct bench_params *p);

/* thread_side.c: two threads over a loopback; a connection per cpu of one net */
double weir_rr_two_threads(const struct bench_params *p);
double weir_rr_two_threads_busy_poll(const struct bench_params *p);
double weir_bulk_cpus_1(const struct bench_params *p);
double weir_bulk_cpus_2(const struct bench_params *p);
/* A thread and a cpu for each of two nets with a veth between them; they look before they sleep, or not. */
double weir_bulk_two_nets(const struct bench_params *p);
double weir_bulk_two_nets_sleep(const struct bench_params *p);

/* fib_side.c: a lookup in a table of p->routes routes; 1 / octets that they take */
double weir_fib_lookup(const struct bench_params *p);
double weir_fib_memory(const struct bench_params *p);

/* loss_side.c: octets a second over a link that loses 1 % each way, 10 ms there and back, 1 Gbit/s */
double weir_loss(const struct bench_params *p);
double kernel_loss(const struct bench_params *p);

/* port_side.c: devices over the host's interfaces, and bare loops on the same ports */
double weir_tap_bulk_out(const struct bench_params *p);
double weir_tap_bulk_in(const struct bench_params *p);
double weir_afpacket_bulk_out(const struct bench_params *p);
double weir_afpacket_bulk_in(const struct bench_params *p);
double weir_tap_tx(const struct bench_params *p);
double weir_tap_rx(const struct bench_params *p);
double weir_afpacket_tx(const struct bench_params *p);
double weir_afpacket_tx_mmsg(const struct bench_params *p);
double weir_afpacket_rx(const struct bench_params *p);
double weir_afxdp_tx(const struct bench_params *p);
double weir_afxdp_tx_mmsg(const struct bench_params *p);
double weir_afxdp_rx(const struct bench_params *p);
double loop_afxdp_tx(const struct bench_params *p);
double loop_afxdp_rx(const struct bench_params *p);
double loop_tap_tx(const struct bench_params *p);
double loop_tap_rx(const struct bench_params *p);
double loop_afpacket_tx(const struct bench_params *p);
double loop_afpacket_rx(const struct bench_params *p);
double weir_dpdk_tx(const struct bench_params *p);
double weir_dpdk_rx(const struct bench_params *p);
double loop_dpdk_tx(const struct bench_params *p);
double loop_dpdk_rx(const struct bench_params *p);
/* Datagrams that a program reads which computes on each of them: of four times as many as it can; the most of all. */
double weir_overload(const struct bench_params *p);
double weir_overload_peak(const struct bench_params *p);

double bench_clock(void);              /* s, monotonic */
double bench_thread_clock(void);       /* s that the calling thread was on a processor */
double bench_median(double *v, int n); /* sorts @v */

#define BENCH_SLICES 400 /* of one measurement that changes between two loads */

#endif
