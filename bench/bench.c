/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - weir beside the kernel of this machine, and weir over IPv6 beside itself over IPv4, in interleaved pairs
 *
 *     bench [--pairs N] [--seconds S] [--json FILE] [--lwip FILE] [ROW...]
 *     bench --count BATCHES ROW
 *
 * Prints a table and writes {"rows": [{"name", "peer", "unit", "weir", "peer_value", "ratio", "aim"}]}: medians, and the median of the pairs'
 * ratios, oriented so that higher is better. Timings judge nothing here: the exit status says only whether it could be measured.
 * --count: weir alone, under a virtual clock, so that each run does the same; prints how many operations bench_counted() has done.
 */
#include "bench/bench.h"

#include <dlfcn.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct unit {
	const char *name;
	double scale; /* of the rate */
	bool invert;  /* lower is better: one over the rate, and the ratio is turned */
};

static const struct unit gbit = { "Gbit/s", 8e-9 }, mbit = { "Mbit/s", 8e-6 },
			 mpps = { "M packets/s", 1e-6 }, per_s = { "connections/s", 1 },
			 us = { "us", 1e6, true }, ns = { "ns", 1e9, true },
			 octets = { "octets", 1, true };

struct row {
	const char *name, *peer;
	const struct unit *unit;
	double aim;           /* of the ratio */
	bench_fn weir, other; /* other: the peer; an IPv6 row's is weir over IPv4 */
	struct bench_params params;
};

/* ---- lwIP: a shared object, if --lwip names one (bench/build-lwip) -------------------------------------- */

#define LWIP "lwIP 2.2"

static void *lwip;

static double lwip_call(const char *name, const struct bench_params *p)
{
	bench_fn fn = lwip ? (bench_fn)dlsym(lwip, name) : NULL;

	return fn ? fn(p) : -ENOENT;
}

static double lwip_tcp_bulk(const struct bench_params *p)
{
	return lwip_call("lwip_tcp_bulk", p);
}

static double lwip_tcp_rr(const struct bench_params *p)
{
	return lwip_call("lwip_tcp_rr", p);
}

static double lwip_tcp_crr(const struct bench_params *p)
{
	return lwip_call("lwip_tcp_crr", p);
}

static double lwip_udp(const struct bench_params *p)
{
	return lwip_call("lwip_udp", p);
}

static bool lwip_open(const char *path)
{
	const char *(*settings)(void);

	lwip = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	settings = lwip ? (const char *(*)(void))dlsym(lwip, "bench_lwip_settings") : NULL;
	if (!settings) {
		fprintf(stderr, "bench: %s: %s\n", path, dlerror());
		return false;
	}
	printf("%s\n", settings());
	return true;
}

/* An aim that is a number: one over it, as a rate. */
static double limit(const struct bench_params *p)
{
	return 1 / p->limit;
}

/* ---- rows --------------------------------------------------------------------------------------------- */

/* The same with one connection: what more of them cost. */
static double weir_tcp_rr_one(const struct bench_params *p)
{
	struct bench_params one = *p;

	one.connections = 1;
	return weir_tcp_rr(&one);
}

/* Of what bulk transfer without a wire cannot do without: two copies, through buffers of the same size. */
static double memcpy_twice(const struct bench_params *p)
{
	size_t span = p->span ? p->span : p->write_size, at = 0;
	char *from = malloc(span), *between = malloc(p->write_size), *to = malloc(span);
	double start, now;
	uint64_t done = 0;

	memset(from, 'x', span);
	memset(to, 'x', span);
	start = bench_clock();
	do {
		for (int i = 0; i < 64; i++, done += p->write_size) {
			memcpy(between, from + at, p->write_size);
			memcpy(to + at, between, p->write_size);
			__asm__ volatile("" ::: "memory");
			at = (at + p->write_size) % span;
		}
		now = bench_clock();
	} while (now - start < p->seconds);
	free(from);
	free(between);
	free(to);
	return (double)done / (now - start);
}

static double weir_tcp_crr_few(const struct bench_params *p)
{
	struct bench_params few = *p;

	few.time_wait = 1000;
	return weir_tcp_crr_close(&few);
}

/* A million pairs, once: it takes its time, and the answer does not change. */
static double weir_idle_million(const struct bench_params *p)
{
	struct bench_params million = *p;
	static double answer;

	million.connections = 1000000;
	if (!answer)
		answer = weir_idle(&million);
	return answer;
}

/* clang-format off */
#define LO     "kernel loopback, cubic, 2 threads"
#define VETH   "kernel veth 1500, GSO, cubic, 2 threads"
#define TAP    "a bare loop on a tap without offload"
#define RINGS  "a bare loop on packet rings over veth"
#define XDP    "a bare loop on AF_XDP over veth, copy mode"
#define DPDK   "a bare loop on DPDK's net_af_packet over veth"
#define V4     "weir, the same over IPv4"
#define ONE    "weir, one packet after the other (gro_normal_batch 1)"
#define KIB128 131072

static const struct row rows[] = {
	/* beside the kernel of this machine */
	{ "tcp_bulk_loopback", LO, &gbit, 1.0, weir_tcp_bulk, kernel_tcp_bulk, { PATH_LOOPBACK, KIB128 } },
	{ "tcp_bulk_veth_gso", VETH, &gbit, 1.8, weir_tcp_bulk, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "tcp_bulk_veth_gso_two_cpus", VETH, &gbit, 1.5, weir_bulk_two_nets, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "tcp_bulk_veth_gso_two_cpus_sleep", VETH, &gbit, 1.0, weir_bulk_two_nets_sleep, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "tcp_bulk_veth_no_offload", "kernel veth 1500, all offloads off, cubic, 2 threads",
	  &gbit, 4.0, weir_tcp_bulk, kernel_tcp_bulk, { PATH_VETH_NO_OFFLOAD, KIB128 } },
	{ "tcp_rr_1", LO, &us, 8.0, weir_tcp_rr, kernel_tcp_rr, { PATH_LOOPBACK, 1 } },
	{ "rr_two_threads", LO, &us, 1.0, weir_rr_two_threads, kernel_tcp_rr, { PATH_LOOPBACK, 1 } },
	{ "tcp_crr", LO, &per_s, 12.0, weir_tcp_crr, kernel_tcp_crr, { PATH_LOOPBACK, 1 } },
	{ "udp_64", LO, &mpps, 10.0, weir_udp, kernel_udp, { PATH_LOOPBACK, 64 } },
	{ "udp_1400_gso", "kernel loopback, UDP_SEGMENT and UDP_GRO, 2 threads",
	  &mpps, 1.5, weir_udp, kernel_udp, { PATH_LOOPBACK, 46 * 1400, .gso_size = 1400 } },
	{ "forward_64", "kernel between namespaces: 1/pps - 1/sender", &mpps, 5.0, weir_forward, kernel_forward, { PATH_ROUTED, 64 } },
	{ "idle_pair", "kernel: slabs of 10,000 pairs; weir: memory of 1,000,000 pairs",
	  &octets, 1.5, weir_idle_million, kernel_idle, { PATH_LOOPBACK, 1, .connections = 10000 } },
	{ "loss_1pct_cubic", "kernel, CUBIC, on the same link", &mbit, 1.0, weir_loss, kernel_loss, { .control = "cubic" } },
	{ "loss_1pct_bbr", "kernel, BBR, on the same link", &mbit, 1.0, weir_loss, kernel_loss, { .control = "bbr" } },

	/* devices over the host's interfaces */
	{ "tap_bulk_out", VETH, &gbit, 0.8, weir_tap_bulk_out, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "tap_bulk_in", VETH, &gbit, 0.8, weir_tap_bulk_in, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "afpacket_bulk_out", VETH, &gbit, 0.8, weir_afpacket_bulk_out, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "afpacket_bulk_in", VETH, &gbit, 0.8, weir_afpacket_bulk_in, kernel_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "tap_tx_64", TAP, &mpps, 0.8, weir_tap_tx, loop_tap_tx, { PATH_VETH, 64 } },
	{ "tap_rx_64", TAP, &mpps, 0.8, weir_tap_rx, loop_tap_rx, { PATH_VETH, 64 } },
	{ "afpacket_tx_64", RINGS, &mpps, 0.8, weir_afpacket_tx, loop_afpacket_tx, { PATH_VETH, 64 } },
	{ "afpacket_tx_mmsg_64", RINGS, &mpps, 0.8, weir_afpacket_tx_mmsg, loop_afpacket_tx, { PATH_VETH, 64 } },
	{ "afpacket_rx_64", RINGS, &mpps, 0.8, weir_afpacket_rx, loop_afpacket_rx, { PATH_VETH, 64 } },
	{ "afxdp_tx_64", XDP, &mpps, 0.8, weir_afxdp_tx, loop_afxdp_tx, { PATH_VETH, 64 } },
	{ "afxdp_tx_mmsg_64", XDP, &mpps, 0.8, weir_afxdp_tx_mmsg, loop_afxdp_tx, { PATH_VETH, 64 } },
	{ "afxdp_rx_64", XDP, &mpps, 0.8, weir_afxdp_rx, loop_afxdp_rx, { PATH_VETH, 64 } },
	{ "dpdk_tx_64", DPDK, &mpps, 0.8, weir_dpdk_tx, loop_dpdk_tx, { PATH_VETH, 64 } },
	{ "dpdk_rx_64", DPDK, &mpps, 0.8, weir_dpdk_rx, loop_dpdk_rx, { PATH_VETH, 64 } },
	{ "overload_4x", "weir, the most that it reads whatever is offered",
	  &mpps, 0.95, weir_overload, weir_overload_peak, { PATH_VETH, 64 } },

	/* beside lwIP */
	{ "lwip_tcp_bulk_1500", LWIP, &gbit, 2.0, weir_tcp_bulk, lwip_tcp_bulk, { PATH_VETH_NO_OFFLOAD, KIB128 } },
	{ "lwip_tcp_rr_1", LWIP, &us, 4.0, weir_tcp_rr, lwip_tcp_rr, { PATH_LOOPBACK, 1 } },
	{ "lwip_tcp_rr_64", LWIP, &us, 1.8, weir_tcp_rr, lwip_tcp_rr, { PATH_LOOPBACK, 1, .connections = 64 } },
	{ "lwip_tcp_rr_1000", LWIP, &us, 1.8, weir_tcp_rr, lwip_tcp_rr, { PATH_LOOPBACK, 1, .connections = 1000 } },
	{ "lwip_tcp_crr", LWIP, &per_s, 1.2, weir_tcp_crr, lwip_tcp_crr, { PATH_LOOPBACK, 1 } },
	{ "lwip_udp_64", LWIP, &mpps, 1.2, weir_udp, lwip_udp, { PATH_LOOPBACK, 64 } },
	{ "lwip_udp_1400", LWIP, &mpps, 1.0, weir_udp, lwip_udp, { PATH_LOOPBACK, 1400 } },

	/* beside itself, and what there is no way around */
	{ "forward_lump_1", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_ROUTED, 64, .lump = 1 } },
	{ "forward_lump_4", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_ROUTED, 64, .lump = 4 } },
	{ "forward_lump_16", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_ROUTED, 64, .lump = 16 } },
	{ "forward_lump_64", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_ROUTED, 64, .lump = 64 } },
	{ "udp_lump_1", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_VETH_NO_OFFLOAD, 64, .lump = 1 } },
	{ "udp_lump_4", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_VETH_NO_OFFLOAD, 64, .lump = 4 } },
	{ "udp_lump_16", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_VETH_NO_OFFLOAD, 64, .lump = 16 } },
	{ "udp_lump_64", ONE, &mpps, 1.0, weir_lump, weir_lump_single, { PATH_VETH_NO_OFFLOAD, 64, .lump = 64 } },
	{ "tcp_bulk_loopback_v6", V4, &gbit, 0.95, weir_tcp_bulk, weir_tcp_bulk, { PATH_LOOPBACK, KIB128, .ipv6 = true } },
	{ "tcp_bulk_veth_no_offload_v6", V4, &gbit, 0.95, weir_tcp_bulk, weir_tcp_bulk, { PATH_VETH_NO_OFFLOAD, KIB128, .ipv6 = true } },
	{ "tcp_rr_1_v6", V4, &us, 0.95, weir_tcp_rr, weir_tcp_rr, { PATH_LOOPBACK, 1, .ipv6 = true } },
	{ "tcp_crr_v6", V4, &per_s, 0.95, weir_tcp_crr, weir_tcp_crr, { PATH_LOOPBACK, 1, .ipv6 = true } },
	{ "udp_64_v6", V4, &mpps, 0.95, weir_udp, weir_udp, { PATH_LOOPBACK, 64, .ipv6 = true } },
	{ "tcp_bulk_two_cpus", "weir, one cpu and one thread", &gbit, 1.7, weir_bulk_cpus_2, weir_bulk_cpus_1, { PATH_LOOPBACK, KIB128 } },
	{ "tcp_bulk_veth_gso_zc", "weir with copies, buffers of 64 MiB in turn",
	  &gbit, 1.5, weir_tcp_bulk_zc, weir_tcp_bulk, { PATH_VETH, KIB128, .span = 64 << 20 } },
	{ "tcp_bulk_veth_gso_zc_cached", "weir with copies, one buffer of 128 KiB",
	  &gbit, 1.5, weir_tcp_bulk_zc, weir_tcp_bulk, { PATH_VETH, KIB128 } },
	{ "tcp_bulk_veth_gso_bound", "two memcpy() of 128 KiB", &gbit, 0.6, weir_tcp_bulk, memcpy_twice, { PATH_VETH, KIB128 } },
	{ "tcp_bulk_veth_gso_bound_64m", "two memcpy(), buffers of 64 MiB in turn",
	  &gbit, 0.6, weir_tcp_bulk, memcpy_twice, { PATH_VETH, KIB128, .span = 64 << 20 } },
	{ "tcp_rr_1_bypass", "weir, by packets", &us, 1.0, weir_tcp_rr_bypass, weir_tcp_rr, { PATH_LOOPBACK, 1 } },
	{ "tcp_rr_64", "weir, one connection", &us, 0.7, weir_tcp_rr, weir_tcp_rr_one, { PATH_LOOPBACK, 1, .connections = 64 } },
	{ "tcp_rr_10000", "weir, one connection", &us, 0.4, weir_tcp_rr, weir_tcp_rr_one, { PATH_LOOPBACK, 1, .connections = 10000 } },
	{ "tcp_crr_time_wait_1M", "weir, 1,000 TIME_WAIT",
	  &per_s, 0.9, weir_tcp_crr_close, weir_tcp_crr_few, { PATH_LOOPBACK, 1, .time_wait = 1000000 } },
	{ "rr_two_threads_busy_poll", "2 us", &us, 1.0, weir_rr_two_threads_busy_poll, limit, { PATH_LOOPBACK, 1, .limit = 2e-6 } },
	{ "fib_10_lookup", "15 ns", &ns, 1.0, weir_fib_lookup, limit, { .routes = 10, .limit = 15e-9 } },
	{ "fib_10_memory", "4 KiB", &octets, 1.0, weir_fib_memory, limit, { .routes = 10, .limit = 4096 } },
};
/* clang-format on */

#define NR_ROWS   (sizeof(rows) / sizeof(rows[0]))
#define MAX_PAIRS 99

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double bench_clock(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

double bench_thread_clock(void)
{
	return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static double in_unit(const struct row *r, double rate)
{
	return r->unit->invert ? r->unit->scale / rate : r->unit->scale * rate;
}

static json_t *measure(const struct row *r, int pairs, double seconds)
{
	struct bench_params p = r->params, other = r->params;
	double w[MAX_PAIRS], k[MAX_PAIRS], ratio[MAX_PAIRS], wm, km, rm;

	p.seconds = other.seconds = seconds;
	other.ipv6 = false;
	for (int i = 0; i < pairs; i++) {
		fprintf(stderr, "\r%-33s pair %d of %d ", r->name, i + 1, pairs);
		p.seed = other.seed = (uint64_t)i + 1;
		w[i] = r->weir(&p);
		k[i] = r->other(&other);
		if (w[i] <= 0 || k[i] <= 0) {
			fprintf(stderr, "\r%-33s not measured: %s: %s\n", r->name,
				w[i] <= 0 ? "weir" : r->peer,
				strerror((int)-(w[i] <= 0 ? w[i] : k[i])));
			return json_pack("{ssssssss}", "name", r->name, "peer", r->peer, "unit",
					 r->unit->name, "error",
					 strerror((int)-(w[i] <= 0 ? w[i] : k[i])));
		}
		ratio[i] = w[i] / k[i];
	}
	wm = bench_median(w, pairs);
	km = bench_median(k, pairs);
	rm = bench_median(ratio, pairs);
	printf("\r%-33s %10.2f %10.2f %-14s %6.2f  (aim %.4g)  %s\n", r->name, in_unit(r, wm),
	       in_unit(r, km), r->unit->name, rm, r->aim, r->peer);
	fflush(stdout);
	return json_pack("{sssssssfsfsfsfsisf}", "name", r->name, "peer", r->peer, "unit",
			 r->unit->name, "weir", in_unit(r, wm), "peer_value", in_unit(r, km),
			 "ratio", rm, "aim", r->aim, "pairs", pairs, "seconds", seconds);
}

static json_t *find_row(const json_t *rows, const char *name)
{
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (!strcmp(json_string_value(json_object_get(row, "name")), name))
			return row;
	}
	return NULL;
}

/* In the order of the table; what @path has of other rows stays there, with those of other programs behind. */
static int save(json_t *measured, const char *path)
{
	json_t *old = json_load_file(path, 0, NULL), *was = json_object_get(old, "rows"), *row;
	json_t *all = json_array(), *doc;
	size_t i;
	int err;

	for (i = 0; i < NR_ROWS; i++) {
		row = find_row(measured, rows[i].name);
		row = row ? row : find_row(was, rows[i].name);
		if (row)
			json_array_append(all, row);
	}
	json_array_foreach(was, i, row)
	{
		if (!find_row(all, json_string_value(json_object_get(row, "name"))))
			json_array_append(all, row);
	}
	doc = json_pack("{so}", "rows", all);
	err = json_dump_file(doc, path, JSON_INDENT(2));
	json_decref(doc);
	json_decref(old);
	return err;
}

static bool is_row(const char *name)
{
	for (size_t i = 0; i < NR_ROWS; i++)
		if (!strcmp(name, rows[i].name))
			return true;
	return false;
}

/* For bench/instructions. */
static int count(const char *batches, const char *name)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		struct bench_params p = rows[i].params;

		p.count = strtoull(batches, NULL, 10);
		if (strcmp(name, rows[i].name) || !p.count)
			continue;
		printf("%.0f\n", rows[i].weir(&p));
		return 0;
	}
	fprintf(stderr, "bench: no such row, or no number: '%s' '%s'\n", name, batches);
	return 2;
}

static void usage(FILE *out)
{
	fprintf(out, "usage: bench [--pairs N] [--seconds S] [--json FILE] [--lwip FILE] [ROW...]\n"
		     "       bench --count BATCHES ROW\nrows:");
	for (size_t i = 0; i < NR_ROWS; i++)
		fprintf(out, " %s", rows[i].name);
	fputc('\n', out);
}

int main(int argc, char **argv)
{
	int pairs = 5, first = 1;
	double seconds = 1;
	const char *json_path = NULL;
	json_t *result = json_array(), *row;
	bool all = true;

	if (argc == 4 && !strcmp(argv[1], "--count"))
		return count(argv[2], argv[3]);
	for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
		if (!strcmp(argv[first], "--pairs"))
			pairs = atoi(argv[first + 1]);
		else if (!strcmp(argv[first], "--seconds"))
			seconds = atof(argv[first + 1]);
		else if (!strcmp(argv[first], "--json"))
			json_path = argv[first + 1];
		else if (!strcmp(argv[first], "--lwip")) {
			if (!lwip_open(argv[first + 1]))
				return 1;
		} else
			break;
	}
	if ((first < argc && argv[first][0] == '-') || pairs < 1 || pairs > MAX_PAIRS ||
	    seconds <= 0) {
		usage(stderr);
		return 2;
	}
	for (int a = first; a < argc; a++)
		if (!is_row(argv[a])) {
			fprintf(stderr, "bench: there is no row '%s'\n", argv[a]);
			usage(stderr);
			return 2;
		}
	printf("weir built by " BENCH_BUILD "\n");
	printf("%-33s %10s %10s %-14s %6s\n", "row", "weir", "peer", "unit", "ratio");
	for (size_t i = 0; i < NR_ROWS; i++) {
		bool wanted = first == argc;

		for (int a = first; a < argc; a++)
			wanted |= !strcmp(argv[a], rows[i].name);
		/* Asked for by name it is an error, otherwise it is left out with a word. */
		if (wanted && first == argc && !lwip && !strcmp(rows[i].peer, LWIP)) {
			printf("%-33s left out: make bench LWIP_DIR=a source tree of lwIP 2.2\n",
			       rows[i].name);
			continue;
		}
		if (!wanted)
			continue;
		row = measure(&rows[i], pairs, seconds);
		all &= !json_object_get(row, "error");
		json_array_append_new(result, row);
	}
	if (json_path && save(result, json_path) < 0) {
		fprintf(stderr, "bench: %s: %s\n", json_path, strerror(errno));
		return 1;
	}
	json_decref(result);
	return all ? 0 : 1;
}
