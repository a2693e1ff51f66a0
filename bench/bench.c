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

struct row {
	const char *name, *peer, *unit;
	double scale; /* of the rate, for the unit */
	bool invert;  /* the unit is a time: lower is better; ratio is turned */
	double aim;   /* of the ratio */
	struct bench_params params;
	bench_fn weir, other; /* other: the peer, or weir over IPv4 */
};

/* ---- lwIP: a shared object, if --lwip names one (bench/build-lwip) -------------------------------------- */

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
	char *buf = calloc(3, p->write_size);
	double start = bench_clock(), now;
	uint64_t octets = 0;

	do {
		for (int i = 0; i < 64; i++, octets += p->write_size) {
			memcpy(buf + p->write_size, buf, p->write_size);
			memcpy(buf + 2 * p->write_size, buf + p->write_size, p->write_size);
			__asm__ volatile("" ::: "memory");
		}
		now = bench_clock();
	} while (now - start < p->seconds);
	free(buf);
	return (double)octets / (now - start);
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

static const struct row rows[] = {
	{ "tcp_bulk_loopback",
	  "kernel loopback, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  1.0,
	  { PATH_LOOPBACK, 131072, 0, false },
	  weir_tcp_bulk,
	  kernel_tcp_bulk },
	{ "tcp_bulk_veth_gso",
	  "kernel veth 1500, GSO, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  1.0,
	  { PATH_VETH, 131072, 0, false },
	  weir_tcp_bulk,
	  kernel_tcp_bulk },
	{ "tcp_bulk_veth_no_offload",
	  "kernel veth 1500, all offloads off, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  2.0,
	  { PATH_VETH_NO_OFFLOAD, 131072, 0, false },
	  weir_tcp_bulk,
	  kernel_tcp_bulk },
	{ "tcp_rr_1",
	  "kernel loopback, 2 threads",
	  "us",
	  1e6,
	  true,
	  8.0,
	  { PATH_LOOPBACK, 1, 0, false },
	  weir_tcp_rr,
	  kernel_tcp_rr },
	{ "rr_two_threads",
	  "kernel loopback, 2 threads",
	  "us",
	  1e6,
	  true,
	  1.0,
	  { PATH_LOOPBACK, 1, 0, false },
	  weir_rr_two_threads,
	  kernel_tcp_rr },
	{ "rr_two_threads_busy_poll",
	  "kernel loopback, 2 threads",
	  "us",
	  1e6,
	  true,
	  8.0,
	  { PATH_LOOPBACK, 1, 0, false },
	  weir_rr_two_threads_busy_poll,
	  kernel_tcp_rr },
	{ "tcp_bulk_two_cpus",
	  "weir, one cpu and one thread",
	  "Gbit/s",
	  8e-9,
	  false,
	  1.7,
	  { PATH_LOOPBACK, 131072, 0, false },
	  weir_bulk_cpus_2,
	  weir_bulk_cpus_1 },
	{ "tcp_crr",
	  "kernel loopback, 2 threads",
	  "connections/s",
	  1,
	  false,
	  8.0,
	  { PATH_LOOPBACK, 1, 0, false },
	  weir_tcp_crr,
	  kernel_tcp_crr },
	{ "udp_64",
	  "kernel loopback, 2 threads",
	  "M packets/s",
	  1e-6,
	  false,
	  8.0,
	  { PATH_LOOPBACK, 64, 0, false },
	  weir_udp,
	  kernel_udp },
	{ "forward_64",
	  "kernel between namespaces: 1/pps - 1/sender",
	  "M packets/s",
	  1e-6,
	  false,
	  5.0,
	  { PATH_ROUTED, 64, 0, false },
	  weir_forward,
	  kernel_forward },
	{ "tap_bulk_out",
	  "kernel veth 1500, GSO, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.8,
	  { PATH_VETH, 131072, 0, false },
	  weir_tap_bulk_out,
	  kernel_tcp_bulk },
	{ "tap_bulk_in",
	  "kernel veth 1500, GSO, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.8,
	  { PATH_VETH, 131072, 0, false },
	  weir_tap_bulk_in,
	  kernel_tcp_bulk },
	{ "afpacket_bulk_out",
	  "kernel veth 1500, GSO, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.8,
	  { PATH_VETH, 131072, 0, false },
	  weir_afpacket_bulk_out,
	  kernel_tcp_bulk },
	{ "afpacket_bulk_in",
	  "kernel veth 1500, GSO, cubic, 2 threads",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.8,
	  { PATH_VETH, 131072, 0, false },
	  weir_afpacket_bulk_in,
	  kernel_tcp_bulk },
	{ "tap_tx_64",
	  "a bare loop on a tap without offload",
	  "M packets/s",
	  1e-6,
	  false,
	  0.8,
	  { PATH_VETH, 64, 0, false },
	  weir_tap_tx,
	  loop_tap_tx },
	{ "tap_rx_64",
	  "a bare loop on a tap without offload",
	  "M packets/s",
	  1e-6,
	  false,
	  0.8,
	  { PATH_VETH, 64, 0, false },
	  weir_tap_rx,
	  loop_tap_rx },
	{ "afpacket_tx_64",
	  "a bare loop on packet rings over veth",
	  "M packets/s",
	  1e-6,
	  false,
	  0.8,
	  { PATH_VETH, 64, 0, false },
	  weir_afpacket_tx,
	  loop_afpacket_tx },
	{ "afpacket_rx_64",
	  "a bare loop on packet rings over veth",
	  "M packets/s",
	  1e-6,
	  false,
	  0.8,
	  { PATH_VETH, 64, 0, false },
	  weir_afpacket_rx,
	  loop_afpacket_rx },
	{ "afxdp_tx_64",
	  "a bare loop on AF_XDP over veth, copy mode",
	  "M packets/s",
	  1e-6,
	  false,
	  0.8,
	  { PATH_VETH, 64, 0, false },
	  weir_afxdp_tx,
	  loop_afxdp_tx },
	{ "afxdp_rx_64",
	  "a bare loop on AF_XDP over veth, copy mode",
	  "M packets/s",
	  1e-6,
	  false,
	  0.8,
	  { PATH_VETH, 64, 0, false },
	  weir_afxdp_rx,
	  loop_afxdp_rx },
	{ "tcp_bulk_loopback_v6",
	  "weir, the same over IPv4",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.95,
	  { PATH_LOOPBACK, 131072, 0, true },
	  weir_tcp_bulk,
	  weir_tcp_bulk },
	{ "tcp_bulk_veth_no_offload_v6",
	  "weir, the same over IPv4",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.95,
	  { PATH_VETH_NO_OFFLOAD, 131072, 0, true },
	  weir_tcp_bulk,
	  weir_tcp_bulk },
	{ "tcp_rr_1_v6",
	  "weir, the same over IPv4",
	  "us",
	  1e6,
	  true,
	  0.95,
	  { PATH_LOOPBACK, 1, 0, true },
	  weir_tcp_rr,
	  weir_tcp_rr },
	{ "tcp_crr_v6",
	  "weir, the same over IPv4",
	  "connections/s",
	  1,
	  false,
	  0.95,
	  { PATH_LOOPBACK, 1, 0, true },
	  weir_tcp_crr,
	  weir_tcp_crr },
	{ "udp_64_v6",
	  "weir, the same over IPv4",
	  "M packets/s",
	  1e-6,
	  false,
	  0.95,
	  { PATH_LOOPBACK, 64, 0, true },
	  weir_udp,
	  weir_udp },
	{ "lwip_tcp_bulk_1500",
	  "lwIP",
	  "Gbit/s",
	  8e-9,
	  false,
	  2.0,
	  { PATH_VETH_NO_OFFLOAD, 131072, 0, false },
	  weir_tcp_bulk,
	  lwip_tcp_bulk },
	{ "lwip_tcp_rr_1",
	  "lwIP",
	  "us",
	  1e6,
	  true,
	  4.0,
	  { PATH_LOOPBACK, 1, 0, false },
	  weir_tcp_rr,
	  lwip_tcp_rr },
	{ "lwip_tcp_rr_64",
	  "lwIP",
	  "us",
	  1e6,
	  true,
	  1.8,
	  { PATH_LOOPBACK, 1, 0, false, 64 },
	  weir_tcp_rr,
	  lwip_tcp_rr },
	{ "lwip_tcp_rr_1000",
	  "lwIP",
	  "us",
	  1e6,
	  true,
	  1.8,
	  { PATH_LOOPBACK, 1, 0, false, 1000 },
	  weir_tcp_rr,
	  lwip_tcp_rr },
	{ "lwip_tcp_crr",
	  "lwIP",
	  "connections/s",
	  1,
	  false,
	  1.2,
	  { PATH_LOOPBACK, 1, 0, false },
	  weir_tcp_crr,
	  lwip_tcp_crr },
	{ "lwip_udp_64",
	  "lwIP",
	  "M packets/s",
	  1e-6,
	  false,
	  1.2,
	  { PATH_LOOPBACK, 64, 0, false },
	  weir_udp,
	  lwip_udp },
	{ "lwip_udp_1400",
	  "lwIP",
	  "M packets/s",
	  1e-6,
	  false,
	  1.0,
	  { PATH_LOOPBACK, 1400, 0, false },
	  weir_udp,
	  lwip_udp },
	{ "udp_1400_gso",
	  "kernel loopback, UDP_SEGMENT and UDP_GRO, 2 threads",
	  "M packets/s",
	  1e-6,
	  false,
	  1.5,
	  { .path = PATH_LOOPBACK, .write_size = 46 * 1400, .gso_size = 1400 },
	  weir_udp,
	  kernel_udp },
	{ "tcp_bulk_veth_gso_zc",
	  "weir with copies",
	  "Gbit/s",
	  8e-9,
	  false,
	  1.5,
	  { PATH_VETH, 131072, 0, false },
	  weir_tcp_bulk_zc,
	  weir_tcp_bulk },
	{ "tcp_bulk_veth_gso_bound",
	  "two memcpy() of 128 KiB",
	  "Gbit/s",
	  8e-9,
	  false,
	  0.6,
	  { PATH_VETH, 131072, 0, false },
	  weir_tcp_bulk,
	  memcpy_twice },
	{ "tcp_crr_time_wait_1M",
	  "weir, 1,000 TIME_WAIT",
	  "connections/s",
	  1,
	  false,
	  0.9,
	  { .path = PATH_LOOPBACK, .write_size = 1, .time_wait = 1000000 },
	  weir_tcp_crr_close,
	  weir_tcp_crr_few },
	{ "idle_pair",
	  "kernel: slabs of 10,000 pairs; weir: memory of 1,000,000 pairs",
	  "octets",
	  1,
	  true,
	  1.5,
	  { .path = PATH_LOOPBACK, .write_size = 1, .connections = 10000 },
	  weir_idle_million,
	  kernel_idle },
	{ "tcp_rr_64",
	  "weir, one connection",
	  "us",
	  1e6,
	  true,
	  0.7,
	  { PATH_LOOPBACK, 1, 0, false, 64 },
	  weir_tcp_rr,
	  weir_tcp_rr_one },
	{ "tcp_rr_10000",
	  "weir, one connection",
	  "us",
	  1e6,
	  true,
	  0.4,
	  { PATH_LOOPBACK, 1, 0, false, 10000 },
	  weir_tcp_rr,
	  weir_tcp_rr_one },
};

#define NR_ROWS   (sizeof(rows) / sizeof(rows[0]))
#define MAX_PAIRS 99

double bench_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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
	return r->invert ? r->scale / rate : r->scale * rate;
}

static json_t *measure(const struct row *r, int pairs, double seconds)
{
	struct bench_params p = r->params, other = r->params;
	double w[MAX_PAIRS], k[MAX_PAIRS], ratio[MAX_PAIRS], wm, km, rm;

	p.seconds = other.seconds = seconds;
	other.ipv6 = false;
	for (int i = 0; i < pairs; i++) {
		fprintf(stderr, "\r%-28s pair %d of %d ", r->name, i + 1, pairs);
		w[i] = r->weir(&p);
		k[i] = r->other(&other);
		if (w[i] <= 0 || k[i] <= 0) {
			fprintf(stderr, "\r%-28s not measured: %s: %s\n", r->name,
				w[i] <= 0 ? "weir" : r->peer,
				strerror((int)-(w[i] <= 0 ? w[i] : k[i])));
			return json_pack("{ssssssss}", "name", r->name, "peer", r->peer, "unit",
					 r->unit, "error",
					 strerror((int)-(w[i] <= 0 ? w[i] : k[i])));
		}
		ratio[i] = w[i] / k[i];
	}
	wm = bench_median(w, pairs);
	km = bench_median(k, pairs);
	rm = bench_median(ratio, pairs);
	printf("\r%-26s %10.2f %10.2f %-14s %6.2f  (aim %.1f)  %s\n", r->name, in_unit(r, wm),
	       in_unit(r, km), r->unit, rm, r->aim, r->peer);
	fflush(stdout);
	return json_pack("{sssssssfsfsfsfsisf}", "name", r->name, "peer", r->peer, "unit", r->unit,
			 "weir", in_unit(r, wm), "peer_value", in_unit(r, km), "ratio", rm, "aim",
			 r->aim, "pairs", pairs, "seconds", seconds);
}

/* What @path has of other rows stays there. */
static int save(json_t *rows, const char *path)
{
	json_t *old = json_load_file(path, 0, NULL), *row, *have, *doc;
	size_t i, j;
	int err;

	json_array_foreach(json_object_get(old, "rows"), i, row)
	{
		bool replaced = false;

		json_array_foreach(rows, j, have) replaced |=
			json_equal(json_object_get(have, "name"), json_object_get(row, "name"));
		if (!replaced)
			json_array_append(rows, row);
	}
	doc = json_pack("{sO}", "rows", rows);
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
	printf("%-26s %10s %10s %-14s %6s\n", "row", "weir", "peer", "unit", "ratio");
	for (size_t i = 0; i < NR_ROWS; i++) {
		bool wanted = first == argc;

		for (int a = first; a < argc; a++)
			wanted |= !strcmp(argv[a], rows[i].name);
		/* Asked for by name it is an error, otherwise it is left out with a word. */
		if (wanted && first == argc && !lwip && !strcmp(rows[i].peer, "lwIP")) {
			printf("%-26s left out: make bench LWIP_DIR=a source tree of lwIP 2.2\n",
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
