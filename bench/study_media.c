/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_media.c - delay and throughput of a shared medium against the number of stations and the load: hub, token medium, switch
 *
 * Every station is a net with an emulated card, and sends UDP datagrams through the whole stack to the next station, at random times
 * (exponentially distributed gaps). Nothing is modelled but the media themselves; time is virtual and the seed fixed, so the
 * tables are the same everywhere. Delay counts from sendto() to recv(), thus with the wait in the sender's ring; it is the mean
 * of what arrived. Load and throughput are octets of Ethernet frames, in parts of the medium's rate (for the switch, whose
 * stations do not share one, of one cable's rate).
 * See R. Metcalfe, D. Boggs, Ethernet: Distributed Packet Switching for Local Computer Networks, 1976; D. Boggs, J. Mogul, C. Kent, Measured
 * Capacity of an Ethernet, 1988.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "bench/plot.h"
#include "core/netdevice.h"
#include "drivers/medium.h"
#include "drivers/nic.h"
#include "lab/lab_net.h"
#include "lib/random.h"
#include "stack/stack.h"

#define MAX_STATIONS 64
#define RATE         10000000ull /* bit/s of every medium and cable */
#define SEED         1
#define SECOND       1000000000ull
#define OVERHEAD     46 /* Ethernet header and check sequence, IP, UDP */

struct station {
	struct weir_net *net;
	struct weir_file *sock;
	struct sockaddr_in peer;
	uint64_t next;
};

struct study {
	struct weir_machine *m;
	struct net_device *medium;
	struct station st[MAX_STATIONS];
	int n;
	u64 rng[4];
	uint64_t delivered, delay_sum, octets;
};

struct result {
	double load, throughput, delay_ms, collisions, lost;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "study_media: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void add_medium(struct study *s, struct weir_net *home, const char *kind)
{
	struct medium_params p = { .rate_bps = RATE,
				   .delay_ns = !strcmp(kind, "hub") ? 5000 : 500,
				   .hold_ns = 1, /* one frame for each capture of the token */
				   .ageing_ns = 300 * SECOND };
	int err = 0;

	rtnl_lock(s->m->m);
	s->medium = medium_create(net_of(home), "m0", kind, &p, &err);
	if (!s->medium)
		die("medium", err);
	err = dev_open(s->medium, NULL);
	rtnl_unlock(s->m->m);
	if (err)
		die("medium", err);
}

static void add_station(struct study *s, int i)
{
	struct station *st = &s->st[i];
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct link_params cable = { .rate_bps = RATE };
	struct nic_params np = { .rx_ring = 256, .tx_ring = 64 };
	struct net_device *dev;
	struct net_error error;
	int err = 0;

	st->net = weir_net_create(s->m, NULL);
	if (!st->net)
		die("net", -12);
	rtnl_lock(s->m->m);
	dev = nic_create(net_of(st->net), "eth0", &np, s->medium, &err);
	if (!dev)
		die("card", err);
	nic_set_cable(dev, &cable);
	err = dev_change_tx_queue_len(dev, 16);
	if (!err)
		err = dev_open(dev, NULL);
	rtnl_unlock(s->m->m);
	me.sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
	if (!err)
		err = net_addr_add(st->net, "eth0", me.sin_addr, 24, &error);
	if (!err)
		err = weir_socket(st->net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &st->sock);
	if (!err)
		err = weir_bind(st->sock, (struct sockaddr *)&me, sizeof(me));
	if (err)
		die("station", err);
	st->peer = me;
	st->peer.sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)((i + 1) % s->n));
}

static void study_start(struct study *s, const char *kind, int n)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
					   .seeded = true,
					   .seed = SEED };

	memset(s, 0, sizeof(*s));
	s->n = n;
	s->m = weir_machine_create(&cfg);
	if (!s->m)
		die("machine", -12);
	add_medium(s, weir_net_create(s->m, "wires"), kind);
	for (int i = 0; i < n; i++)
		add_station(s, i);
	random_seed(s->rng, SEED);
}

static void receive(struct study *s, int i)
{
	uint64_t sent;
	char buf[2048];
	ssize_t len;

	while ((len = weir_recv(s->st[i].sock, buf, sizeof(buf), 0)) >= (ssize_t)sizeof(sent)) {
		memcpy(&sent, buf, sizeof(sent));
		if (!sent)
			continue; /* the first ones, which resolve addresses */
		s->delivered++;
		s->octets += (uint64_t)len + OVERHEAD;
		s->delay_sum += weir_now(s->m) - sent;
	}
}

static void send_one(struct study *s, struct station *st, size_t payload, uint64_t stamp)
{
	char buf[2048] = { 0 };

	memcpy(buf, &stamp, sizeof(stamp));
	weir_sendto(st->sock, buf, payload, 0, (struct sockaddr *)&st->peer, sizeof(st->peer));
}

static uint64_t gap(struct study *s, double mean_ns)
{
	double u = ((double)(random_next(s->rng) >> 11) + 1) / 9007199254740993.0;

	return (uint64_t)(-log(u) * mean_ns) + 1;
}

/* Everybody is known to everybody before the measurement. */
static void warm_up(struct study *s)
{
	uint64_t end = weir_now(s->m) + SECOND;

	for (int i = 0; i < s->n; i++)
		send_one(s, &s->st[i], 64, 0);
	while (weir_now(s->m) < end)
		weir_run(s->m, end - weir_now(s->m));
	for (int i = 0; i < s->n; i++)
		receive(s, i);
}

static void run(struct study *s, double mean_ns, size_t payload, uint64_t ns, uint64_t *ret_sent)
{
	uint64_t end = weir_now(s->m) + ns;

	for (int i = 0; i < s->n; i++)
		s->st[i].next = weir_now(s->m) + gap(s, mean_ns);
	for (;;) {
		uint64_t now = weir_now(s->m), next = end;

		if (now >= end)
			return;
		for (int i = 0; i < s->n; i++) {
			struct station *st = &s->st[i];

			if (st->next <= now) {
				send_one(s, st, payload, now);
				(*ret_sent)++;
				st->next += gap(s, mean_ns);
			}
			receive(s, i);
			next = st->next < next ? st->next : next;
		}
		now = weir_now(s->m);
		if (next > now)
			weir_run(s->m, next - now);
	}
}

/* @load: of all stations together, in parts of RATE. */
static struct result measure(const char *kind, int n, double load, size_t payload)
{
	double frame_bits = (double)(payload + OVERHEAD) * 8;
	double mean_ns = frame_bits * n / (load * (double)RATE) * 1e9;
	const uint64_t ns = SECOND;
	struct result r = { .load = load };
	const struct medium_stats *st;
	uint64_t sent = 0, collisions, frames;
	struct study s;

	study_start(&s, kind, n);
	warm_up(&s);
	st = medium_get_stats(s.medium);
	collisions = st->collisions;
	frames = st->frames;
	run(&s, mean_ns, payload, ns, &sent);
	r.throughput = (double)s.octets * 8 / (double)RATE * 1e9 / (double)ns;
	r.delay_ms = s.delivered ? (double)s.delay_sum / (double)s.delivered / 1e6 : 0;
	frames = st->frames - frames;
	r.collisions = frames ? (double)(st->collisions - collisions) / (double)frames : 0;
	r.lost = sent ? 1 - (double)s.delivered / (double)sent : 0;
	weir_machine_destroy(s.m);
	return r;
}

static void print_result(bool json, const char *kind, size_t payload, int n, const struct result *r)
{
	if (json)
		printf("{\"medium\":\"%s\",\"frame\":%zu,\"stations\":%d,\"load\":%.2f,"
		       "\"throughput\":%.4f,\"delay_ms\":%.4f,"
		       "\"collisions_per_frame\":%.4f,\"undelivered\":%.4f}\n",
		       kind, payload + OVERHEAD, n, r->load, r->throughput, r->delay_ms,
		       r->collisions, r->lost);
	else
		printf("%-7s %6zu %9d %6.2f %11.4f %10.3f %12.3f %12.4f\n", kind,
		       payload + OVERHEAD, n, r->load, r->throughput, r->delay_ms, r->collisions,
		       r->lost);
}

enum { PLOT_THROUGHPUT_512, PLOT_THROUGHPUT_1500, PLOT_DELAY_512, PLOT_DELAY_1500, NR_PLOTS };

#define FULL_LOAD 2.0 /* of what the medium could carry: it is never idle */
#define HALF_LOAD 0.6

static void plot_result(struct plot_panel *plots, size_t k, const char *kind, size_t p, int n,
			const struct result *r)
{
	if (r->load == FULL_LOAD)
		plot_add(&plots[PLOT_THROUGHPUT_512 + p], k, kind, n, r->throughput);
	else if (r->load == HALF_LOAD)
		plot_add(&plots[PLOT_DELAY_512 + p], k, kind, n, r->delay_ms);
}

int main(int argc, char **argv)
{
	static const char *const kinds[] = { "hub", "token", "switch" };
	static const int stations[] = { 2, 4, 8, 16, 32, 64 };
	static const double loads[] = { 0.3, HALF_LOAD, 0.9, FULL_LOAD };
	static const size_t payloads[] = { 466, 1454 }; /* frames of 512 and 1,500 octets */
	struct plot_panel plots[NR_PLOTS] = {
		{ "Throughput, frames of 512 octets, twice as much offered as fits", "stations",
		  "part of the rate", true },
		{ "Throughput, frames of 1,500 octets, twice as much offered as fits", "stations",
		  "part of the rate", true },
		{ "Delay, frames of 512 octets, 0.6 of the rate offered", "stations", "ms", true,
		  true },
		{ "Delay, frames of 1,500 octets, 0.6 of the rate offered", "stations", "ms", true,
		  true },
	};
	const char *svg = NULL;
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--svg") && i + 1 < argc)
			svg = argv[++i];
		else
			die("usage: study_media [--json] [--svg FILE]", -EINVAL);
	}
	if (!json)
		printf("%-7s %6s %9s %6s %11s %10s %12s %12s\n", "medium", "frame", "stations",
		       "load", "throughput", "delay/ms", "coll./frame", "undelivered");
	for (size_t k = 0; k < 3; k++) {
		for (size_t p = 0; p < 2; p++) {
			for (size_t l = 0; l < 4; l++) {
				for (size_t n = 0; n < 6; n++) {
					struct result r = measure(kinds[k], stations[n], loads[l],
								  payloads[p]);

					print_result(json, kinds[k], payloads[p], stations[n], &r);
					plot_result(plots, k, kinds[k], p, stations[n], &r);
				}
			}
		}
	}
	if (svg && !plot_write(svg, plots, NR_PLOTS))
		die(svg, -errno);
	return 0;
}
