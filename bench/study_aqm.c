/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_aqm.c - what a queueing discipline at the bottleneck makes of the congestion controls
 *
 *      a === 10 ms === router [tbf 50 Mbit/s > discipline] === 10 ms === b        and back the same way without a bottleneck
 *
 * The router is a stack of its own that forwards; the discipline under study is weir's, configured by the messages that tc(8) would send,
 * inside a tbf on the router's port. All have the same limit, in packets of the path's product: red with tc's defaults (max = limit / 4,
 * min = max / 3, adaptive), codel and fq_codel with theirs (5 ms, 100 ms). Those three mark what understands it; that is DCTCP, for which
 * codel and fq_codel mark all that waited for 5 ms (ce_threshold): 20 packets, as in study_tcp.c.
 * Beside four connections a program sends a datagram of 100 octets every 10 ms: what that waits is what a call or a game notices.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plot.h"
#include "bench/study_tcp.h"
#include "lab/lab_net.h"
#include "tests/support/topo.h"

#define PROBE_NS 10000000ULL

/* ---- the discipline: tc qdisc add dev eth1 root handle 1: tbf ..., parent 1:1 handle 2: ... ---------------------- */

static void put_tbf(struct nlmsghdr *h, const struct study_scenario *s)
{
	struct tc_tbf_qopt o = { .rate = { .rate = (uint32_t)(study_rate(s) / 8) },
				 .limit = study_queue(s) * STUDY_FRAME };

	mnl_attr_put(h, TCA_TBF_PARMS, sizeof(o), &o);
	mnl_attr_put_u32(h, TCA_TBF_BURST, STUDY_FRAME);
}

static void put_codel(struct nlmsghdr *h, const struct study_scenario *s)
{
	mnl_attr_put_u32(h, TCA_CODEL_LIMIT, study_queue(s));
	mnl_attr_put_u32(h, TCA_CODEL_ECN, 1);
	mnl_attr_put_u32(h, TCA_CODEL_CE_THRESHOLD, 5000);
}

static void put_fq_codel(struct nlmsghdr *h, const struct study_scenario *s)
{
	mnl_attr_put_u32(h, TCA_FQ_CODEL_LIMIT, study_queue(s));
	mnl_attr_put_u32(h, TCA_FQ_CODEL_CE_THRESHOLD, 5000);
}

/* As tc-red(8) says: the weight lets a burst of (2 min + max) / 3 pass; the table says how the mean decays at the rate of the port. */
static void put_red(struct nlmsghdr *h, const struct study_scenario *s)
{
	struct tc_red_qopt o = { .limit = study_queue(s) * STUDY_FRAME,
				 .flags = TC_RED_ECN | TC_RED_ADAPTATIVE };
	double us = STUDY_FRAME * 8e6 / study_rate(s), burst, room, w = 1, halvings;
	uint8_t stab[256];

	o.qth_max = o.limit / 4;
	o.qth_min = o.qth_max / 3;
	burst = (2.0 * o.qth_min + o.qth_max) / (3 * STUDY_FRAME);
	room = burst + 1 - (double)o.qth_min / STUDY_FRAME;
	/* Floyd and Jacobson 6.2: the mean of a burst stays below min. */
	do {
		w /= 2;
		o.Wlog++;
	} while (o.Wlog < 20 && room > (1 - pow(1 - w, burst)) / w);
	halvings = -log2(1 - w) / us; /* in a microsecond */
	while ((double)(256 << o.Scell_log) * halvings < 31)
		o.Scell_log++;
	for (int i = 0; i < 256; i++)
		stab[i] = (uint8_t)fmin(rint((double)(i << o.Scell_log) * halvings), 31);
	mnl_attr_put(h, TCA_RED_PARMS, sizeof(o), &o);
	mnl_attr_put(h, TCA_RED_STAB, sizeof(stab), stab);
	mnl_attr_put_u32(h, TCA_RED_MAX_P, (uint32_t)(0.02 * 4294967296.0));
}

static const struct {
	const char *kind;
	void (*put)(struct nlmsghdr *h, const struct study_scenario *s);
} disciplines[] = {
	{ "pfifo", NULL }, { "red", put_red }, { "codel", put_codel }, { "fq_codel", put_fq_codel }
};
#define NR_DISCIPLINES (sizeof(disciplines) / sizeof(disciplines[0]))

static int add_qdisc(struct weir_net *net, uint32_t handle, uint32_t parent, const char *kind,
		     void (*put)(struct nlmsghdr *h, const struct study_scenario *s),
		     const struct study_scenario *s)
{
	char buf[1024] __attribute__((aligned(8)));
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct tc_fifo_qopt fifo = { study_queue(s) };
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(h, sizeof(*tcm));
	struct nlattr *nest;

	h->nlmsg_type = RTM_NEWQDISC;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	tcm->tcm_ifindex = 3; /* lo, eth0, eth1 */
	tcm->tcm_handle = handle;
	tcm->tcm_parent = parent;
	mnl_attr_put_strz(h, TCA_KIND, kind);
	if (put) {
		nest = mnl_attr_nest_start(h, TCA_OPTIONS);
		put(h, s);
		mnl_attr_nest_end(h, nest);
	} else {
		mnl_attr_put(h, TCA_OPTIONS, sizeof(fifo), &fifo);
	}
	return weir_netlink(net, NETLINK_ROUTE, h, NULL, NULL, NULL, 0);
}

static int add_disciplines(struct weir_net *router, const struct study_scenario *s)
{
	int r = add_qdisc(router, 0x10000, TC_H_ROOT, "tbf", put_tbf, s);

	for (size_t i = 0; !r && i < NR_DISCIPLINES; i++)
		if (!strcmp(disciplines[i].kind, s->qdisc))
			r = add_qdisc(router, 0x20000, 0x10001, s->qdisc, disciplines[i].put, s);
	return r;
}

/* ---- the network ------------------------------------------------------------------------------------------------- */

static struct lab_ip address(unsigned net, unsigned host)
{
	return (struct lab_ip){ .family = AF_INET,
				.v4.s_addr = htonl(0x0a000000u | net << 8 | host) };
}

/* End @i, eth0 of its own, and the router's port to it. */
static int add_end(struct topo *t, struct weir_net *router, unsigned i, struct net_error *err)
{
	const struct lab_impairment delay = { .delay_ns = (uint64_t)(STUDY_RTT_US * 250),
					      .queue_packets = 10000 };
	const char *port = i ? "eth1" : "eth0";
	struct lab_route route = {
		.is_default = true, .dst.family = AF_INET, .has_via = true, .via = address(i, 254)
	};
	struct lab_ip end = address(i, i + 1);
	int r = net_veth_add(router, port, t->net[i], "eth0", 0, err);

	if (!r)
		r = net_link_impair(router, port, &delay, err);
	if (!r)
		r = net_link_impair(t->net[i], "eth0", &delay, err);
	if (!r)
		r = net_ip_add(router, port, &route.via, 24, err);
	if (!r)
		r = net_ip_add(t->net[i], "eth0", &end, 24, err);
	if (!r)
		r = net_link_up(router, port, err);
	if (!r)
		r = net_link_up(t->net[i], "eth0", err);
	if (!r)
		r = net_route_add(t->net[i], &route, err);
	t->addr[i].in = (struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_port = htons(7),
					      .sin_addr = end.v4 };
	return r;
}

bool study_aqm_create(struct topo *t, const struct study_scenario *s)
{
	static const char *const names[] = { "a", "b", "router" };
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .seeded = true, .seed = 1 };
	struct weir_net *net[3];
	struct net_error err = { "" };
	int r = 0;

	*t = (struct topo){ .m = weir_machine_create(&cfg),
			    .family = AF_INET,
			    .addrlen = sizeof(t->addr[0].in) };
	if (!t->m)
		return false;
	for (int i = 0; !r && i < 3; i++) {
		net[i] = weir_net_create(t->m, names[i]);
		r = !net[i] ? -ENOMEM : weir_sysctl(net[i], "net.ipv6.conf.all.disable_ipv6", "1");
	}
	for (unsigned i = 0; !r && i < 2; i++) {
		t->net[i] = net[i];
		r = add_end(t, net[2], i, &err);
	}
	if (!r)
		r = weir_sysctl(net[2], "net.ipv4.ip_forward", "1");
	if (!r)
		r = add_disciplines(net[2], s);
	if (r) {
		fprintf(stderr, "study_aqm: %s %s\n", strerror(-r), err.text);
		topo_destroy(t);
	}
	return r == 0;
}

/* ---- the datagrams ------------------------------------------------------------------------------------------------ */

bool study_probe_open(struct study_probe *p, struct topo *t)
{
	int one = 1;

	*p = (struct study_probe){ .shortest_ns = INT64_MAX };
	return !weir_socket(t->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &p->from) &&
	       !weir_socket(t->net[1], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &p->to) &&
	       !weir_setsockopt(p->to, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) &&
	       !weir_bind(p->to, &t->addr[1].sa, t->addrlen) &&
	       !weir_connect(p->from, &t->addr[1].sa, t->addrlen);
}

/* How long after it was sent, by the stamp of its arrival; the clocks have a fixed difference. False: none is there. */
static bool probe_take(struct study_probe *p, int64_t *ret_ns)
{
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(sizeof(struct timespec))];
	} u;
	uint64_t data[13];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	struct timespec ts;

	if (weir_recvmsg(p->to, &msg, 0) < (ssize_t)sizeof(data[0]) || !CMSG_FIRSTHDR(&msg))
		return false;
	memcpy(&ts, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(ts));
	*ret_ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec - (int64_t)data[0];
	return true;
}

void study_probe_turn(struct study_probe *p, uint64_t now, bool counts)
{
	uint64_t data[13] = { now };
	int64_t ns;

	if (now >= p->next) {
		weir_send(p->from, data, sizeof(data), 0);
		p->next = now + PROBE_NS;
	}
	while (probe_take(p, &ns)) {
		/* The first comes while nothing else is under way. */
		p->shortest_ns = ns < p->shortest_ns ? ns : p->shortest_ns;
		if (counts && p->n < STUDY_PROBES)
			p->wait_ms[p->n++] = (double)(ns - p->shortest_ns) / 1e6;
	}
}

static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

double study_probe_close(struct study_probe *p)
{
	weir_close(p->from);
	weir_close(p->to);
	qsort(p->wait_ms, p->n, sizeof(p->wait_ms[0]), by_size);
	return p->n ? p->wait_ms[p->n * 99 / 100] : 0;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

static const char *const controls[] = { "reno", "cubic", "bbr", "bbr3", "dctcp" };
#define NR_CONTROLS (sizeof(controls) / sizeof(controls[0]))
#define QUANTITIES  4 /* a column of pictures each */

static void show(bool json, const struct study_scenario *s, const struct study_result *one,
		 const struct study_result *four)
{
	printf(json ? "{\"table\":\"aqm\",\"control\":\"%s\",\"qdisc\":\"%s\",\"limit\":%.2f,"
		      "\"goodput\":%.4f,\"rtt\":%.3f,\"losses\":%.5f,\"fairness\":%.3f,"
		      "\"rtt_of_four\":%.3f,\"wait_ms\":%.2f}\n"
		    : "%-6s %-9s %6.2f %8.3f %11.2f %8.4f %9.3f %11.2f %10.2f\n",
	       s->control, s->qdisc, s->buffer, one->goodput, one->rtt, one->losses, four->fairness,
	       four->rtt, four->wait_ms);
	fflush(stdout);
}

bool study_aqm(bool json, const char *svg)
{
	static const char *const titles[QUANTITIES] = { "goodput of one", "round trip of one",
							"fairness of four",
							"beside four: a datagram waits" };
	static const char *const labels[QUANTITIES] = { "part of the bottleneck",
							"multiples of the path's", "Jain's index",
							"ms, 99 of 100" };
	static const double limits[] = { 0.5, 1, 2, 4, 8 };
	static struct plot_panel plots[NR_CONTROLS][QUANTITIES];
	char title[NR_CONTROLS][QUANTITIES][64];

	if (!json)
		printf("%-6s %-9s %6s %8s %11s %8s %9s %11s %10s\n", "", "", "limit", "goodput",
		       "round trip", "losses", "fairness", "round trip", "waits, ms");
	for (size_t c = 0; c < NR_CONTROLS; c++) {
		for (size_t q = 0; q < QUANTITIES; q++) {
			snprintf(title[c][q], sizeof(title[c][q]), "%s: %s", controls[c],
				 titles[q]);
			plots[c][q] =
				(struct plot_panel){ title[c][q], "limit, bandwidth-delay products",
						     labels[q], .log_x = true,
						     .log_y = q == 1 || q == 3 };
		}
		for (size_t i = 0; i < NR_DISCIPLINES * sizeof(limits) / sizeof(limits[0]); i++) {
			size_t d = i % NR_DISCIPLINES;
			struct study_scenario s = { .control = controls[c],
						    .qdisc = disciplines[d].kind,
						    .flows = 1,
						    .buffer = limits[i / NR_DISCIPLINES],
						    .from_s = 5,
						    .to_s = 20 };
			struct study_result one = study_run(&s), four;

			s.flows = STUDY_MAX_FLOWS;
			s.from_s = 10;
			s.to_s = 30;
			four = study_run(&s);
			show(json, &s, &one, &four);
			plot_add(&plots[c][0], d, s.qdisc, s.buffer, one.goodput);
			plot_add(&plots[c][1], d, s.qdisc, s.buffer, one.rtt);
			plot_add(&plots[c][2], d, s.qdisc, s.buffer, four.fairness);
			plot_add(&plots[c][3], d, s.qdisc, s.buffer, four.wait_ms);
		}
	}
	return !svg || plot_write_columns(svg, plots[0], NR_CONTROLS * QUANTITIES, QUANTITIES);
}

int study_aqm_check(void)
{
	static const struct {
		const char *control, *qdisc;
		double least_goodput, most_rtt, least_fairness, most_wait_ms;
	} rows[] = {
		{ "cubic", "pfifo", 0.95, 9, 0, 400 },
		{ "cubic", "red", 0.9, 3, 0.5, 120 },
		{ "cubic", "codel", 0.85, 1.4, 0.5, 60 },
		{ "cubic", "fq_codel", 0.85, 1.4, 0.95, 3 },
		{ "dctcp", "codel", 0.8, 1.2, 0.5, 20 },
	};
	int bad = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct study_scenario s = { .control = rows[i].control,
					    .qdisc = rows[i].qdisc,
					    .flows = STUDY_MAX_FLOWS,
					    .buffer = 4,
					    .from_s = 8,
					    .to_s = 14 };
		struct study_result r = study_run(&s);
		bool ok = r.goodput >= rows[i].least_goodput && r.rtt <= rows[i].most_rtt &&
			  r.fairness >= rows[i].least_fairness && r.wait_ms <= rows[i].most_wait_ms;

		printf("%-6s %-9s goodput %.3f (at least %.2f), round trip %.2f (at most %.1f), "
		       "fairness %.3f (at least %.2f), a datagram waits %.1f ms (at most %.0f)%s\n",
		       s.control, s.qdisc, r.goodput, rows[i].least_goodput, r.rtt,
		       rows[i].most_rtt, r.fairness, rows[i].least_fairness, r.wait_ms,
		       rows[i].most_wait_ms, ok ? "" : " FAILED");
		bad += !ok;
	}
	return bad;
}
