/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - see report.h */
#include "lab/report.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "lab/lab_net.h"
#include "see/walk.h"

#define MAX_CONNECTIONS 8 /* the ones that carried most */

struct connection {
	const char *node;
	char local[INET6_ADDRSTRLEN + 8], remote[INET6_ADDRSTRLEN + 8];
	struct tcp_info info;
};

struct lab_report {
	const struct lab_desc *desc;
	struct run_node **nodes;
	struct weir_net *media;
	struct connection top[MAX_CONNECTIONS]; /* by octets sent, most first */
	size_t nr_top, nr_seen;
};

static void name_address(const struct sockaddr_storage *ss, char *buf, size_t size)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *a = (const struct sockaddr_in *)ss;
	char ip[INET6_ADDRSTRLEN];

	if (ss->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &a6->sin6_addr, ip, sizeof(ip));
		snprintf(buf, size, "[%s]:%u", ip, ntohs(a6->sin6_port));
	} else {
		inet_ntop(AF_INET, &a->sin_addr, ip, sizeof(ip));
		snprintf(buf, size, "%s:%u", ip, ntohs(a->sin_port));
	}
}

/* A stream socket of a program is about to be closed. */
static void on_stream_end(struct run_node *node, struct weir_file *f, void *arg)
{
	struct lab_report *rep = arg;
	struct connection c = { .node = run_node_name(node) };
	struct sockaddr_storage local, remote;
	socklen_t len = sizeof(c.info), llen = sizeof(local), rlen = sizeof(remote);
	size_t at;

	if (weir_getsockopt(f, IPPROTO_TCP, TCP_INFO, &c.info, &len) < 0 ||
	    weir_getsockname(f, (struct sockaddr *)&local, &llen) < 0 ||
	    weir_getpeername(f, (struct sockaddr *)&remote, &rlen) < 0)
		return;
	rep->nr_seen++;
	name_address(&local, c.local, sizeof(c.local));
	name_address(&remote, c.remote, sizeof(c.remote));
	for (at = 0;
	     at < rep->nr_top && rep->top[at].info.tcpi_bytes_acked >= c.info.tcpi_bytes_acked;
	     at++)
		;
	if (at == MAX_CONNECTIONS)
		return;
	if (rep->nr_top < MAX_CONNECTIONS)
		rep->nr_top++;
	memmove(&rep->top[at + 1], &rep->top[at], (rep->nr_top - 1 - at) * sizeof(c));
	rep->top[at] = c;
}

struct lab_report *lab_report_start(struct run *r, const struct lab_desc *desc,
				    struct run_node **nodes, struct weir_net *media)
{
	struct lab_report *rep = calloc(1, sizeof(*rep));

	if (!rep)
		return NULL;
	rep->desc = desc;
	rep->nodes = nodes;
	rep->media = media;
	run_observe_streams(r, on_stream_end, rep);
	return rep;
}

static void print_link(const struct lab_report *rep, FILE *out, const struct lab_endpoint *from,
		       const char *to)
{
	struct net_link_stats s;
	char name[2 * (LAB_NAME_MAX + IFNAMSIZ) + 8];

	snprintf(name, sizeof(name), "%s:%s > %s", rep->desc->nodes[from->node].name, from->ifname,
		 to);
	if (net_link_stats(run_node_net(rep->nodes[from->node]), from->ifname, &s) < 0)
		return;
	fprintf(out,
		"%-34s %10" PRIu64 " %14" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		" %8" PRIu64 "\n",
		name, s.tx_packets, s.tx_octets, s.lost, s.duplicated, s.reordered, s.corrupted,
		s.queue_drops);
}

static void print_links(const struct lab_report *rep, FILE *out)
{
	const struct lab_desc *d = rep->desc;

	fprintf(out, "\n%-34s %10s %14s %8s %8s %8s %8s %8s\n", "link", "packets", "octets", "lost",
		"dup", "reorder", "corrupt", "q-drops");
	for (size_t i = 0; i < d->nr_links * 2; i++) {
		const struct lab_endpoint *to = &d->links[i / 2].end[1 - i % 2];
		char name[LAB_NAME_MAX + IFNAMSIZ + 2];

		snprintf(name, sizeof(name), "%s:%s", d->nodes[to->node].name, to->ifname);
		print_link(rep, out, &d->links[i / 2].end[i % 2], name);
	}
	for (size_t i = 0; i < d->nr_plugs; i++)
		print_link(rep, out, &d->plugs[i].end, d->media[d->plugs[i].medium].name);
}

static void print_counter(const char *name, uint64_t value, void *arg)
{
	if (value)
		fprintf(arg, ", %s %" PRIu64, name, value);
}

static void print_media(const struct lab_report *rep, FILE *out)
{
	for (size_t i = 0; i < rep->desc->nr_media; i++) {
		const struct lab_medium *m = &rep->desc->media[i];

		fprintf(out, "%s%s '%s'", i ? "" : "\n", m->kind, m->name);
		net_ethtool_stats(rep->media, m->name, print_counter, out);
		fputc('\n', out);
	}
}

static void print_connections(const struct lab_report *rep, FILE *out)
{
	if (!rep->nr_top)
		return;
	fprintf(out, "\n%-12s %-43s %12s %12s %9s %8s %10s %6s\n", "tcp", "connection", "acked",
		"received", "segments", "retrans", "srtt", "cwnd");
	for (size_t i = 0; i < rep->nr_top; i++) {
		const struct connection *c = &rep->top[i];
		char pair[72];

		snprintf(pair, sizeof(pair), "%s > %s", c->local, c->remote);
		fprintf(out, "%-12s %-43s %12llu %12llu %9u %8u %7.2f ms %6u\n", c->node, pair,
			(unsigned long long)c->info.tcpi_bytes_acked,
			(unsigned long long)c->info.tcpi_bytes_received, c->info.tcpi_segs_out,
			c->info.tcpi_total_retrans, (double)c->info.tcpi_rtt / 1e3,
			c->info.tcpi_snd_cwnd);
	}
	if (rep->nr_seen > rep->nr_top)
		fprintf(out, "and %zu more connections that carried less\n",
			rep->nr_seen - rep->nr_top);
}

static void print_walk(FILE *out, struct recorder *rec)
{
	struct walk_filter *f;
	const struct recorded_frame *frame;
	char *error = NULL, what[160];

	f = walk_filter_compile("tcp", &error);
	free(error);
	frame = f ? walk_find_last(rec, 0, f, 1000) : NULL;
	if (frame) {
		walk_describe(frame, what, sizeof(what));
		fprintf(out, "\nthe walk of one packet: %s\n", what);
		walk_print(out, rec, frame->skb_id);
	}
	walk_filter_free(f);
}

void lab_report_print(struct lab_report *rep, FILE *out, struct recorder *rec, bool walk)
{
	if (!rep)
		return;
	print_links(rep, out);
	print_media(rep, out);
	print_connections(rep, out);
	if (walk && rec)
		print_walk(out, rec);
	fflush(out);
}

void lab_report_free(struct lab_report *rep)
{
	free(rep);
}
