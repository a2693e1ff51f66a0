/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_tcp_weir.c - an end of the bottleneck whose TCP is weir's: a stack on "tap0" of this namespace, by AF_PACKET
 *
 * Does what the ends of study_tcp_kernel.c do, so that the two can be compared: one connection, non-blocking, as fast as it takes octets.
 */
#include "bench/study_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

#define MS 1000000ULL

struct end {
	struct weir_machine *m;
	struct weir_net *net;
};

static void check(const char *what, int err)
{
	if (err >= 0)
		return;
	fprintf(stderr, "study_tcp: weir: %s: %s\n", what, strerror(-err));
	_exit(1);
}

static struct in_addr address(unsigned net, unsigned host)
{
	return (struct in_addr){ htonl(STUDY_NET | net << 8 | host) };
}

static struct sockaddr_in receiver(void)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(7),
				     .sin_addr = address(2, 2) };
}

static struct end end_create(const struct study_scenario *s, unsigned net)
{
	struct lab_route route = { .dst.family = AF_INET,
				   .has_via = true,
				   .via = { .family = AF_INET, .v4 = address(net, 1) } };
	struct end e = { weir_machine_create(NULL), NULL };
	char why[256] = "machine";
	struct net_error err;

	e.net = e.m ? weir_net_create(e.m, "end") : NULL;
	check(why, e.net ? 0 : -ENOMEM);
	check(why, weir_dev_attach(e.net, "eth0", "afpacket:tap0", why, sizeof(why)));
	check("address", net_addr_add(e.net, "eth0", address(net, 2), 24, &err));
	check("up", net_link_up(e.net, "eth0", &err));
	check("route", net_route_add(e.net, &route, &err));
	check("wmem", weir_sysctl(e.net, "net.ipv4.tcp_wmem", STUDY_WMEM));
	check("rmem", weir_sysctl(e.net, "net.ipv4.tcp_rmem", STUDY_RMEM));
	if (s->mark_from)
		check("ecn", weir_sysctl(e.net, "net.ipv4.tcp_ecn", "1"));
	return e;
}

struct sender {
	struct weir_file *f;
	struct study_sender seen;
};

static void look(struct sender *f, bool first)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);

	check("TCP_INFO", weir_getsockopt(f->f, IPPROTO_TCP, TCP_INFO, &i, &len));
	study_look(&f->seen, &i, first);
}

static struct weir_file *open_sender(const struct study_scenario *s, struct end *e)
{
	struct sockaddr_in to = receiver();
	struct weir_file *f;
	int err;

	check("socket", weir_socket(e->net, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &f));
	check(s->control, weir_setsockopt(f, IPPROTO_TCP, TCP_CONGESTION, s->control,
					  (socklen_t)strlen(s->control)));
	err = weir_connect(f, (struct sockaddr *)&to, sizeof(to));
	check("connect", err == -EINPROGRESS ? 0 : err);
	return f;
}

void study_weir_send(const struct study_scenario *s, int channel)
{
	static char buf[1 << 16];
	struct sender f[STUDY_MAX_FLOWS] = { 0 };
	struct end e = end_create(s, 1);
	uint64_t begin = weir_now(e.m), from = begin + (uint64_t)(s->from_s * 1e9),
		 end = begin + (uint64_t)(s->to_s * 1e9), next_look = from, now;
	unsigned opened = 0;

	while ((now = weir_now(e.m)) < end) {
		if (opened < s->flows && now >= begin + (uint64_t)opened * STUDY_STEP_S * 1000 * MS)
			f[opened++].f = open_sender(s, &e);
		for (unsigned i = 0; i < opened; i++)
			while (weir_send(f[i].f, buf, sizeof(buf), 0) > 0)
				;
		if (now >= next_look) {
			for (unsigned i = 0; i < opened; i++)
				look(&f[i], next_look == from);
			next_look += (uint64_t)(STUDY_LOOK_S * 1e9);
		}
		weir_run(e.m, 2 * MS);
	}
	for (unsigned i = 0; i < s->flows; i++)
		if (write(channel, &f[i].seen.result, sizeof(f[i].seen.result)) < 0)
			check("result", -errno);
}

void study_weir_receive(const struct study_scenario *s, int channel)
{
	static char buf[1 << 16];
	struct sockaddr_in a = receiver();
	struct end e = end_create(s, 2);
	uint64_t octets[STUDY_MAX_FLOWS] = { 0 }, begin, from, end, now;
	struct weir_file *l, *f[STUDY_MAX_FLOWS];
	unsigned accepted = 0;
	ssize_t n;
	char go;

	check("socket", weir_socket(e.net, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l));
	check("bind", weir_bind(l, (struct sockaddr *)&a, sizeof(a)));
	check("listen", weir_listen(l, STUDY_MAX_FLOWS));
	if (write(channel, "r", 1) != 1 || read(channel, &go, 1) != 1)
		check("start", -errno);
	begin = weir_now(e.m);
	from = begin + (uint64_t)(s->from_s * 1e9);
	end = begin + (uint64_t)(s->to_s * 1e9);
	while ((now = weir_now(e.m)) < end) {
		weir_run(e.m, 2 * MS);
		if (accepted < s->flows && !weir_accept(l, NULL, NULL, SOCK_NONBLOCK, &f[accepted]))
			accepted++;
		for (unsigned i = 0; i < accepted; i++)
			while ((n = weir_recv(f[i], buf, sizeof(buf), 0)) > 0)
				octets[i] += now >= from ? (uint64_t)n : 0;
	}
	if (write(channel, octets, sizeof(octets)) < 0)
		check("result", -errno);
}
