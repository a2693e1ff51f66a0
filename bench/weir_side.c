/* SPDX-License-Identifier: BSD-2-Clause */
/* weir_side.c - both ends in this thread: two nets over a veth, or one over its loopback; caller-driven, non-blocking */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

struct pair {
	struct weir_machine *m;
	struct weir_net *net[2]; /* the same one twice for loopback */
	struct lab_ip addr;      /* of the server */
	struct sockaddr_storage server;
	socklen_t server_len;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-err));
	exit(1);
}

#define CHECK(call)                                                                                \
	({                                                                                         \
		__typeof__(call) check_r_ = (call);                                                \
		if (check_r_ < 0)                                                                  \
			die(#call, (int)check_r_);                                                 \
		check_r_;                                                                          \
	})

/* The client's (@i 0) or server's address on the veth. */
static struct lab_ip side_address(bool ipv6, int i)
{
	struct lab_ip ip = { .family = ipv6 ? AF_INET6 : AF_INET };

	if (ipv6)
		ip.v6 = (struct in6_addr){ .s6_addr = { 0xfd, [15] = (uint8_t)(i + 1) } };
	else
		ip.v4.s_addr = htonl(0x0a000001u + (uint32_t)i);
	return ip;
}

static void set_server(struct pair *p)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&p->server;
	struct sockaddr_in *sin = (struct sockaddr_in *)&p->server;

	if (p->addr.family == AF_INET6) {
		*sin6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
					       .sin6_port = htons(7),
					       .sin6_addr = p->addr.v6 };
		p->server_len = sizeof(*sin6);
	} else {
		*sin = (struct sockaddr_in){ .sin_family = AF_INET,
					     .sin_port = htons(7),
					     .sin_addr = p->addr.v4 };
		p->server_len = sizeof(*sin);
	}
}

static struct pair pair_create(const struct bench_params *b)
{
	struct pair p = { .m = weir_machine_create(NULL) };
	struct net_error err;

	if (!p.m)
		die("weir_machine_create", -errno);
	p.net[0] = p.net[1] = weir_net_create(p.m, "a");
	CHECK(net_link_up(p.net[0], "lo", &err));
	if (b->path == PATH_LOOPBACK) {
		int r = 0;

		p.addr.family = b->ipv6 ? AF_INET6 : AF_INET;
		p.addr.v4.s_addr = htonl(INADDR_LOOPBACK);
		if (b->ipv6)
			p.addr.v6 = in6addr_loopback;
		else
			r = net_ip_add(p.net[0], "lo", &p.addr, 8, &err);
		if (r < 0 && r != -EEXIST)
			die("loopback address", r);
		set_server(&p);
		return p;
	}
	p.net[1] = weir_net_create(p.m, "b");
	CHECK(net_veth_add(p.net[0], "eth0", p.net[1], "eth0", 1500, &err));
	for (int i = 0; i < 2; i++) {
		struct lab_ip ip = side_address(b->ipv6, i);
		/* A link with a property cannot take big segments or unfinished checksums: everything is per wire packet. */
		struct lab_impairment wire = { .rate_bps = 1000000000000000ull,
					       .queue_packets = 100000 };

		if (b->path == PATH_VETH_NO_OFFLOAD)
			CHECK(net_link_impair(p.net[i], "eth0", &wire, &err));
		CHECK(net_ip_add(p.net[i], "eth0", &ip, b->ipv6 ? 64 : 24, &err));
		CHECK(net_link_up(p.net[i], "eth0", &err));
	}
	p.addr = side_address(b->ipv6, 1);
	set_server(&p);
	return p;
}

static void pair_destroy(struct pair *p)
{
	if (p->net[1] != p->net[0])
		weir_net_destroy(p->net[1]);
	weir_net_destroy(p->net[0]);
	weir_machine_destroy(p->m);
}

static struct weir_file *listen_on(struct pair *p)
{
	struct weir_file *l;
	int one = 1;

	CHECK(weir_socket(p->net[1], p->addr.family, SOCK_STREAM | SOCK_NONBLOCK, 0, &l));
	CHECK(weir_setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(weir_bind(l, (struct sockaddr *)&p->server, p->server_len));
	CHECK(weir_listen(l, 1024));
	return l;
}

static void connect_pair(struct pair *p, struct weir_file *l, struct weir_file **c,
			 struct weir_file **s)
{
	int r;

	CHECK(weir_socket(p->net[0], p->addr.family, SOCK_STREAM | SOCK_NONBLOCK, 0, c));
	r = weir_connect(*c, (struct sockaddr *)&p->server, p->server_len);
	if (r < 0 && r != -EINPROGRESS)
		die("connect", r);
	for (int i = 0; (r = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, s)) == -EAGAIN && i < 100000;
	     i++)
		weir_run(p->m, 1000000);
	if (r < 0)
		die("accept", r);
}

double weir_tcp_bulk(const struct bench_params *b)
{
	struct pair p = pair_create(b);
	struct weir_file *l = listen_on(&p), *c, *s;
	char *out = malloc(b->write_size), *in = malloc(b->write_size);
	double start, end, warm;
	uint64_t octets = 0;

	memset(out, 'x', b->write_size);
	connect_pair(&p, l, &c, &s);
	warm = bench_clock() + 0.1;
	start = 0;
	end = warm + b->seconds;
	for (;;) {
		double now = bench_clock();
		ssize_t n, sent;

		if (!start && now >= warm) {
			start = now;
			octets = 0;
		}
		if (now >= end)
			break;
		sent = weir_send(c, out, b->write_size, 0);
		if (sent < 0 && sent != -EAGAIN)
			die("send", (int)sent);
		n = weir_recv(s, in, b->write_size, 0);
		if (n > 0)
			octets += (uint64_t)n;
		else if (sent < 0)
			weir_run(p.m, 1000000);
	}
	end = bench_clock();
	weir_close(c);
	weir_close(s);
	weir_close(l);
	pair_destroy(&p);
	free(out);
	free(in);
	return (double)octets / (end - start);
}

/* Moves one octet from @from to @to. */
static void pass_octet(struct pair *p, struct weir_file *from, struct weir_file *to)
{
	char c = 'x';

	CHECK(weir_send(from, &c, 1, 0));
	while (weir_recv(to, &c, 1, 0) != 1)
		weir_run(p->m, 1000000);
}

double weir_tcp_rr(const struct bench_params *b)
{
	struct pair p = pair_create(b);
	struct weir_file *l = listen_on(&p), *c, *s;
	double start, now;
	uint64_t n = 0;
	int one = 1;

	connect_pair(&p, l, &c, &s);
	weir_setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	weir_setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	start = bench_clock();
	do {
		for (int i = 0; i < 100; i++, n++) {
			pass_octet(&p, c, s);
			pass_octet(&p, s, c);
		}
		now = bench_clock();
	} while (now - start < b->seconds);
	weir_close(c);
	weir_close(s);
	weir_close(l);
	pair_destroy(&p);
	return (double)n / (now - start);
}

double weir_tcp_crr(const struct bench_params *b)
{
	struct pair p = pair_create(b);
	struct weir_file *l = listen_on(&p), *c, *s;
	struct linger abort_close = { 1, 0 };
	double start = bench_clock(), now;
	uint64_t n = 0;

	do {
		for (int i = 0; i < 50; i++, n++) {
			connect_pair(&p, l, &c, &s);
			pass_octet(&p, c, s);
			pass_octet(&p, s, c);
			/* The client aborts, so that neither side is limited by TIME_WAIT ports: as the kernel side does. */
			weir_setsockopt(c, SOL_SOCKET, SO_LINGER, &abort_close,
					sizeof(abort_close));
			weir_close(c);
			weir_close(s);
		}
		now = bench_clock();
	} while (now - start < b->seconds);
	weir_close(l);
	pair_destroy(&p);
	return (double)n / (now - start);
}

double weir_udp(const struct bench_params *b)
{
	struct pair p = pair_create(b);
	struct weir_file *c, *s;
	char buf[65536] = { 0 };
	double start, now;
	uint64_t n = 0;

	CHECK(weir_socket(p.net[1], p.addr.family, SOCK_DGRAM | SOCK_NONBLOCK, 0, &s));
	CHECK(weir_bind(s, (struct sockaddr *)&p.server, p.server_len));
	CHECK(weir_socket(p.net[0], p.addr.family, SOCK_DGRAM | SOCK_NONBLOCK, 0, &c));
	CHECK(weir_connect(c, (struct sockaddr *)&p.server, p.server_len));
	start = bench_clock();
	do {
		for (int i = 0; i < 64; i++)
			weir_send(c, buf, b->write_size, 0);
		while (weir_recv(s, buf, sizeof(buf), 0) > 0)
			n++;
		weir_run(p.m, 0);
		now = bench_clock();
	} while (now - start < b->seconds);
	weir_close(c);
	weir_close(s);
	pair_destroy(&p);
	return (double)n / (now - start);
}
