/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_tcp.c - congestion controls at a bottleneck: goodput, round trips and losses against the buffer, and how they share
 *
 *      a === 50 Mbit/s, buffer, 20 ms === b        and back without a bottleneck: 40 ms there and back, a product of 165 packets
 *
 * Everything is the stack's own code; nothing is modelled but the link. Time is virtual and the seed fixed, so the tables are the same
 * everywhere. A run has one connection that sends all the time, for 20 s, the first 5 of which are not counted; goodput is what the receiving
 * program has read, in parts of what the bottleneck could carry; the round trip is the mean of the sender's smoothed one, in multiples of
 * the path's; losses are segments sent again. DCTCP's bottleneck marks from 20 waiting packets on (RFC 8257 3.1), the others' drops.
 * --aqm: disciplines at the bottleneck (study_aqm.c).
 * --kernel: Reno and CUBIC beside the host's TCP at the same bottleneck, in real time (study_tcp_kernel.c).
 * Sharing: four connections that begin two seconds apart, Jain's index of what they got from 20 to 60 s.
 * See R. Jain, D. Chiu, W. Hawe, A Quantitative Measure of Fairness, 1984.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plot.h"
#include "bench/study_tcp.h"
#include "tests/support/topo.h"

#define MS        1000000ULL
#define S         1000000000ULL
#define MARK_FROM 20

static const char *const controls[] = { "reno", "cubic", "bbr", "bbr3", "dctcp" };
#define NR_CONTROLS (sizeof(controls) / sizeof(controls[0]))

static const double buffers[] = { 0.1, 0.25, 0.5, 1, 2, 4, 8 }; /* of the product */
#define NR_BUFFERS (sizeof(buffers) / sizeof(buffers[0]))

struct flow {
	struct weir_file *client, *server;
	uint64_t begins, octets; /* read since counting began */
	double srtt_sum;
	unsigned samples;
	uint32_t retrans, sent; /* segments, since counting began */
	uint32_t retrans0, sent0;
};

static void die(const char *what)
{
	fprintf(stderr, "study_tcp: %s\n", what);
	exit(1);
}

static void move(struct flow *f, bool counts)
{
	static char buf[1 << 16];
	ssize_t n;

	while (weir_send(f->client, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	while ((n = weir_recv(f->server, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		if (counts)
			f->octets += (uint64_t)n;
}

/* The next one; the @n that are there go on meanwhile. */
static void open_flow(struct topo *t, struct weir_file *listener, struct flow *all, unsigned n,
		      const char *control)
{
	struct flow *f = &all[n];
	int err = weir_socket(t->net[0], t->family, SOCK_STREAM | SOCK_NONBLOCK, 0, &f->client);

	if (!err)
		err = weir_setsockopt(f->client, IPPROTO_TCP, TCP_CONGESTION, control,
				      (socklen_t)strlen(control));
	if (!err)
		err = weir_connect(f->client, &t->addr[1].sa, t->addrlen);
	if (err && err != -EINPROGRESS)
		die("connect");
	for (int ms = 0; ms < 30000; ms++) { /* its SYN may be lost */
		topo_run(t, MS);
		if (!weir_accept(listener, NULL, NULL, SOCK_NONBLOCK, &f->server))
			return;
		for (unsigned i = 0; i < n; i++)
			move(&all[i], false);
	}
	die("accept");
}

static void look(struct flow *f, bool first)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	if (weir_getsockopt(f->client, IPPROTO_TCP, TCP_INFO, &info, &len))
		die("TCP_INFO");
	if (first) {
		f->retrans0 = info.tcpi_total_retrans;
		f->sent0 = info.tcpi_data_segs_out;
	}
	f->srtt_sum += info.tcpi_rtt;
	f->samples++;
	f->retrans = info.tcpi_total_retrans - f->retrans0;
	f->sent = info.tcpi_data_segs_out - f->sent0;
}

static struct weir_file *listener_of(struct topo *t)
{
	struct weir_file *l = topo_listen(t, STUDY_MAX_FLOWS);

	/* DCTCP's receiver speaks it, too. */
	if (!l)
		die("listen");
	return l;
}

static void prepare(struct topo *t, const struct study_scenario *s)
{
	for (int i = 0; i < 2; i++)
		if (weir_sysctl(t->net[i], "net.ipv4.tcp_wmem", STUDY_WMEM) ||
		    weir_sysctl(t->net[i], "net.ipv4.tcp_rmem", STUDY_RMEM) ||
		    weir_sysctl(t->net[i], "net.ipv4.tcp_congestion_control", s->control) ||
		    (s->mark_from && strcmp(s->control, "dctcp") != 0 &&
		     weir_sysctl(t->net[i], "net.ipv4.tcp_ecn", "1")))
			die("sysctl");
}

struct study_result study_run(const struct study_scenario *s)
{
	struct topo_link link = { .delay_ns = (uint64_t)(STUDY_RTT_US * 1000 / 2),
				  .rate_bps = (uint64_t)STUDY_RATE,
				  .loss = s->loss,
				  .queue_packets = study_queue(s),
				  .ecn_packets = s->mark_from };
	struct flow f[STUDY_MAX_FLOWS] = { 0 };
	struct study_flow results[STUDY_MAX_FLOWS];
	struct study_result result;
	struct study_probe probe;
	struct weir_file *l;
	uint64_t from, end, next_look;
	unsigned opened = 0;
	bool counting = false;
	struct topo t;

	if (s->qdisc ? !study_aqm_create(&t, s) : !topo_create(&t, &link, 1))
		die("topology");
	if (s->qdisc && !study_probe_open(&probe, &t))
		die("datagrams");
	prepare(&t, s);
	l = listener_of(&t);
	from = weir_now(t.m) + (uint64_t)(s->from_s * 1e9);
	end = weir_now(t.m) + (uint64_t)(s->to_s * 1e9);
	for (unsigned i = 0; i < s->flows; i++)
		f[i].begins = weir_now(t.m) + i * STUDY_STEP_S * S;
	next_look = from;
	while (weir_now(t.m) < end) {
		if (opened < s->flows && weir_now(t.m) >= f[opened].begins) {
			open_flow(&t, l, f, opened, s->control);
			opened++;
		}
		topo_run(&t, 2 * MS);
		counting = weir_now(t.m) >= from;
		if (s->qdisc && s->flows > 1)
			study_probe_turn(&probe, weir_now(t.m), counting);
		for (unsigned i = 0; i < opened; i++)
			move(&f[i], counting);
		if (counting && weir_now(t.m) >= next_look) {
			for (unsigned i = 0; i < opened; i++)
				look(&f[i], next_look == from);
			next_look += 20 * MS;
		}
	}
	for (unsigned i = 0; i < s->flows; i++) {
		results[i] = (struct study_flow){ f[i].octets, f[i].srtt_sum / f[i].samples,
						  f[i].retrans, f[i].sent };
		weir_close(f[i].client);
		weir_close(f[i].server);
	}
	weir_close(l);
	result = study_sum_up(s, results);
	if (s->qdisc)
		result.wait_ms = study_probe_close(&probe);
	topo_destroy(&t);
	return result;
}

static struct study_scenario scenario(const char *control, unsigned flows, double buffer,
				      double from_s, double to_s)
{
	return (struct study_scenario){ .control = control,
					.flows = flows,
					.buffer = buffer,
					.mark_from = strcmp(control, "dctcp") ? 0 : MARK_FROM,
					.from_s = from_s,
					.to_s = to_s };
}

static void one_flow_table(bool json, struct plot_panel *plots)
{
	if (!json)
		printf("One connection, 50 Mbit/s, 40 ms: goodput, round trip, losses against the "
		       "buffer\n"
		       "%-8s %8s %9s %11s %9s\n",
		       "control", "buffer", "goodput", "round trip", "losses");
	for (size_t c = 0; c < NR_CONTROLS; c++) {
		for (size_t b = 0; b < NR_BUFFERS; b++) {
			struct study_scenario sc = scenario(controls[c], 1, buffers[b], 5, 20);
			struct study_result r = study_run(&sc);

			if (json)
				printf("{\"table\":\"buffer\",\"control\":\"%s\",\"buffer\":%.2f,"
				       "\"goodput\":"
				       "%.4f,\"rtt\":%.3f,\"losses\":%.5f}\n",
				       controls[c], buffers[b], r.goodput, r.rtt, r.losses);
			else
				printf("%-8s %8.2f %9.3f %11.2f %8.2f%%\n", controls[c], buffers[b],
				       r.goodput, r.rtt, r.losses * 100);
			plot_add(&plots[0], c, controls[c], buffers[b], r.goodput);
			plot_add(&plots[1], c, controls[c], buffers[b], r.rtt);
			plot_add(&plots[2], c, controls[c], buffers[b], r.losses * 100);
		}
		if (!json)
			printf("\n");
	}
}

static void sharing_table(bool json, struct plot_panel *plots)
{
	static const double at[] = { 0.5, 1, 2, 4 };

	if (!json)
		printf("Four connections, two seconds apart\n%-8s %8s %9s %9s %11s\n", "control",
		       "buffer", "goodput", "fairness", "round trip");
	for (size_t c = 0; c < NR_CONTROLS; c++)
		for (size_t b = 0; b < sizeof(at) / sizeof(at[0]); b++) {
			struct study_scenario sc =
				scenario(controls[c], STUDY_MAX_FLOWS, at[b], 20, 60);
			struct study_result r = study_run(&sc);

			if (json)
				printf("{\"table\":\"sharing\",\"control\":\"%s\",\"buffer\":%.2f,"
				       "\"goodput\":"
				       "%.4f,\"fairness\":%.4f,\"rtt\":%.3f}\n",
				       controls[c], at[b], r.goodput, r.fairness, r.rtt);
			else
				printf("%-8s %8.2f %9.3f %9.3f %11.2f\n", controls[c], at[b],
				       r.goodput, r.fairness, r.rtt);
			plot_add(&plots[3], c, controls[c], at[b], r.fairness);
		}
}

/* For the tests: what each is known for. */
static int check(void)
{
	static const struct {
		const char *control;
		double buffer, least_goodput, most_rtt;
	} rows[] = {
		{ "reno", 1, 0.95, 2.2 },  { "cubic", 1, 0.95, 2.2 }, { "cubic", 4, 0.95, 5.2 },
		{ "bbr", 8, 0.9, 1.6 },    { "bbr3", 8, 0.9, 1.6 },   { "bbr3", 0.25, 0.75, 1.3 },
		{ "dctcp", 8, 0.9, 1.25 },
	};
	int bad = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct study_scenario sc = scenario(rows[i].control, 1, rows[i].buffer, 5, 12);
		struct study_result r = study_run(&sc);
		bool ok = r.goodput >= rows[i].least_goodput && r.rtt <= rows[i].most_rtt;

		printf("%-6s buffer %.2f: goodput %.3f (at least %.2f), round trip %.2f (at most "
		       "%.2f)%s\n",
		       rows[i].control, rows[i].buffer, r.goodput, rows[i].least_goodput, r.rtt,
		       rows[i].most_rtt, ok ? "" : " FAILED");
		bad += !ok;
	}
	return bad != 0;
}

/* ---- beside the host's kernel ---------------------------------------------------------------------------- */

/* Half of the runs are with the kernel's TCP: these take the time that they take. */
static const struct {
	const char *what;
	unsigned flows;
	double buffer, loss;
	unsigned mark_from;
	double from_s, to_s;
} beside[] = {
	{ "drop-tail", 1, 0.1, 0, 0, 5, 20 },    { "drop-tail", 1, 0.25, 0, 0, 5, 20 },
	{ "drop-tail", 1, 0.5, 0, 0, 5, 20 },    { "drop-tail", 1, 1, 0, 0, 5, 20 },
	{ "drop-tail", 1, 2, 0, 0, 5, 20 },      { "drop-tail", 1, 4, 0, 0, 5, 20 },
	{ "drop-tail", 1, 8, 0, 0, 5, 20 },      { "loss 0.01 %", 1, 1, 0.0001, 0, 5, 45 },
	{ "loss 0.1 %", 1, 1, 0.001, 0, 5, 45 }, { "loss 1 %", 1, 1, 0.01, 0, 5, 45 },
	{ "marks from 20", 1, 4, 0, 20, 5, 20 }, { "four share", 4, 1, 0, 0, 20, 60 },
};

static void show_beside(bool json, size_t i, const char *control, const char *stack,
			const struct study_result *r)
{
	if (json)
		printf("{\"table\":\"beside\",\"scenario\":\"%s\",\"control\":\"%s\",\"stack\":\"%"
		       "s\","
		       "\"buffer\":%.2f,\"goodput\":%.4f,\"rtt\":%.3f,\"losses\":%.5f,\"fairness\":"
		       "%.3f}\n",
		       beside[i].what, control, stack, beside[i].buffer, r->goodput, r->rtt,
		       r->losses, r->fairness);
	else
		printf("%-14s %6.2f  %-6s %-7s %8.3f %11.2f %8.2f%% %9.3f\n", beside[i].what,
		       beside[i].buffer, control, stack, r->goodput, r->rtt, r->losses * 100,
		       r->fairness);
	fflush(stdout);
}

static void plot_beside(struct plot_panel *plots, size_t series, const char *name, size_t i,
			const struct study_result *r)
{
	if (strcmp(beside[i].what, "drop-tail") != 0)
		return;
	plot_add(&plots[0], series, name, beside[i].buffer, r->goodput);
	plot_add(&plots[1], series, name, beside[i].buffer, r->rtt);
	plot_add(&plots[2], series, name, beside[i].buffer, r->losses * 100);
}

/* 0, or 77 where it cannot be done. */
static int kernel_table(bool json, struct plot_panel *plots)
{
	static const char *const names[][2] = { { "reno", "reno, kernel" },
						{ "cubic", "cubic, kernel" } };

	if (!json)
		printf("%-14s %6s  %-6s %-7s %8s %11s %9s %9s\n", "50 Mbit/s 40 ms", "buffer", "",
		       "", "goodput", "round trip", "losses", "fairness");
	for (size_t c = 0; c < sizeof(names) / sizeof(names[0]); c++)
		for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
			struct study_scenario s = { .control = names[c][0],
						    .flows = beside[i].flows,
						    .buffer = beside[i].buffer,
						    .loss = beside[i].loss,
						    .mark_from = beside[i].mark_from,
						    .from_s = beside[i].from_s,
						    .to_s = beside[i].to_s,
						    .seed = 1 };
			struct study_result ours = study_run(&s), kernel;
			const char *why;

			if (!study_kernel_run(&s, &kernel, &why)) {
				fprintf(stderr, "study_tcp: %s\n", why);
				return 77;
			}
			show_beside(json, i, s.control, "weir", &ours);
			show_beside(json, i, s.control, "kernel", &kernel);
			plot_beside(plots, 2 * c, names[c][0], i, &ours);
			plot_beside(plots, 2 * c + 1, names[c][1], i, &kernel);
		}
	return 0;
}

int main(int argc, char **argv)
{
	struct plot_panel plots[] = {
		{ "Goodput of one connection", "buffer, bandwidth-delay products",
		  "part of the bottleneck", .log_x = true },
		{ "Round trip", "buffer, bandwidth-delay products", "multiples of the path's",
		  .log_x = true },
		{ "Losses", "buffer, bandwidth-delay products", "per cent sent again",
		  .log_x = true },
		{ "Four connections", "buffer, bandwidth-delay products", "Jain's index",
		  .log_x = true },
	};
	const char *svg = NULL;
	bool json = false, kernel = false, aqm = false;
	size_t nr_plots = sizeof(plots) / sizeof(plots[0]);
	int status = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--check"))
			return check() || study_aqm_check();
		if (!strcmp(argv[i], "--kernel"))
			kernel = true;
		else if (!strcmp(argv[i], "--aqm"))
			aqm = true;
		else if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--svg") && i + 1 < argc)
			svg = argv[++i];
		else
			die("usage: study_tcp [--kernel | --aqm] [--json] [--svg FILE] | --check");
	}
	if (aqm)
		return !study_aqm(json, svg);
	if (kernel) {
		nr_plots--;
		status = kernel_table(json, plots);
	} else {
		one_flow_table(json, plots);
		sharing_table(json, plots);
	}
	if (svg && !status && !plot_write(svg, plots, nr_plots))
		die(svg);
	return status;
}
