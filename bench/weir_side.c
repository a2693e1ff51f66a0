/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * weir_side.c - both ends in this thread: two nets over a veth, or one over its loopback; caller-driven, non-blocking
 *
 * A load is a batch() of operations, again and again: for a time, or (bench --count) a number of times inside bench_counted(), where
 * bench/instructions counts. Then the clock is virtual and moves by COUNTED_STEP_NS a batch, so that every run does the same.
 */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

#define WARM_UP_S       0.1
#define COUNTED_STEP_NS 100000

struct pair {
	struct weir_machine *m;
	struct weir_net *net[2]; /* the same one twice for loopback */
	struct weir_net *router; /* between them; NULL: they are neighbours */
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

static struct weir_machine *machine_create(const struct bench_params *b)
{
	struct weir_machine_config cfg = { .single_threaded = true };
	struct weir_machine *m;

	if (b->count) {
		cfg.clock = WEIR_CLOCK_VIRTUAL;
		cfg.seed = 1;
	}
	m = weir_machine_create(&cfg);

	if (!m)
		die("weir_machine_create", -errno);
	return m;
}

static struct lab_ip ipv4(uint32_t host_order)
{
	return (struct lab_ip){ .family = AF_INET, .v4.s_addr = htonl(host_order) };
}

static void loopback_up(struct pair *p, bool ipv6)
{
	struct net_error err;
	int r = 0;

	p->addr = ipv4(INADDR_LOOPBACK);
	if (ipv6)
		p->addr = (struct lab_ip){ .family = AF_INET6, .v6 = in6addr_loopback };
	else
		r = net_ip_add(p->net[0], "lo", &p->addr, 8, &err);
	if (r < 0 && r != -EEXIST)
		die("loopback address", r);
}

/* A veth: @dev of @net with address @ip, and whatever is at its other end. */
static void end_up(struct weir_net *net, const char *dev, const struct lab_ip *ip, uint8_t prefix)
{
	struct net_error err;

	CHECK(net_ip_add(net, dev, ip, prefix, &err));
	CHECK(net_link_up(net, dev, &err));
}

/* A link with a property cannot take big segments or unfinished checksums: everything is per wire packet. */
static void wire_packets(struct weir_net *net, const char *dev)
{
	struct lab_impairment wire = { .rate_bps = 1000000000000000ull, .queue_packets = 100000 };
	struct net_error err;

	CHECK(net_link_impair(net, dev, &wire, &err));
}

static void veth_up(struct pair *p, const struct bench_params *b)
{
	struct net_error err;

	CHECK(net_veth_add(p->net[0], "eth0", p->net[1], "eth0", 1500, &err));
	for (int i = 0; i < 2; i++) {
		struct lab_ip ip = side_address(b->ipv6, i);

		if (b->path == PATH_VETH_NO_OFFLOAD)
			wire_packets(p->net[i], "eth0");
		end_up(p->net[i], "eth0", &ip, b->ipv6 ? 64 : 24);
	}
	p->addr = side_address(b->ipv6, 1);
}

/* 10.0.0.0/24 and 10.0.1.0/24 with a router between them. */
static void routed_up(struct pair *p)
{
	static const char *const port[2] = { "eth0", "eth1" };
	struct net_error err;

	p->router = weir_net_create(p->m, "r");
	CHECK(weir_sysctl(p->router, "net.ipv4.ip_forward", "1"));
	for (int i = 0; i < 2; i++) {
		uint32_t subnet = 0x0a000000u | (uint32_t)i << 8;
		struct lab_ip end = ipv4(subnet | 1), gateway = ipv4(subnet | 254);
		struct lab_route route = { .dst.family = AF_INET, .has_via = true, .via = gateway };

		CHECK(net_veth_add(p->net[i], "eth0", p->router, port[i], 1500, &err));
		end_up(p->net[i], "eth0", &end, 24);
		end_up(p->router, port[i], &gateway, 24);
		CHECK(net_route_add(p->net[i], &route, &err));
		p->addr = end;
	}
}

static struct pair pair_create(const struct bench_params *b)
{
	struct pair p = { .m = machine_create(b) };
	struct net_error err;

	p.net[0] = p.net[1] = weir_net_create(p.m, "a");
	CHECK(net_link_up(p.net[0], "lo", &err));
	if (b->path != PATH_LOOPBACK)
		p.net[1] = weir_net_create(p.m, "b");
	switch (b->path) {
	case PATH_LOOPBACK:
		loopback_up(&p, b->ipv6);
		break;
	case PATH_ROUTED:
		routed_up(&p);
		break;
	default:
		veth_up(&p, b);
		break;
	}
	set_server(&p);
	return p;
}

static void pair_destroy(struct pair *p)
{
	if (p->net[1] != p->net[0])
		weir_net_destroy(p->net[1]);
	weir_net_destroy(p->net[0]);
	if (p->router)
		weir_net_destroy(p->router);
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

/* ---- the loop ------------------------------------------------------------------------------------------ */

/* Gives the operations that were done. */
typedef uint64_t (*batch_fn)(void *load);

/* Not inlined: callgrind counts from its entry to its return. */
__attribute__((noinline)) static uint64_t bench_counted(struct weir_machine *m, batch_fn batch,
							void *load, uint64_t batches)
{
	uint64_t ops = 0;

	for (uint64_t i = 0; i < batches; i++) {
		ops += batch(load);
		weir_sleep(m, COUNTED_STEP_NS);
	}
	return ops;
}

static double run_load(const struct bench_params *b, struct weir_machine *m, batch_fn batch,
		       void *load)
{
	double start, now;
	uint64_t ops = 0;

	if (b->count) {
		for (uint64_t i = 0; i < b->count; i++) {
			batch(load);
			weir_sleep(m, COUNTED_STEP_NS);
		}
		return (double)bench_counted(m, batch, load, b->count);
	}
	start = bench_clock();
	do
		batch(load);
	while (bench_clock() - start < WARM_UP_S);
	start = bench_clock();
	do {
		ops += batch(load);
		now = bench_clock();
	} while (now - start < b->seconds);
	return (double)ops / (now - start);
}

/* ---- bulk ---------------------------------------------------------------------------------------------- */

struct bulk {
	struct pair p;
	struct weir_file *c, *s;
	char *out, *in; /* each of @span octets, of which @size are used at a time */
	size_t size, span, at;
};

/* The next @size octets of the buffers. */
static void bulk_step(struct bulk *l)
{
	l->at += l->size;
	if (l->at >= l->span)
		l->at = 0;
}

static struct bulk bulk_create(const struct bench_params *b)
{
	struct bulk l = { .p = pair_create(b), .size = b->write_size };
	struct weir_file *listener = listen_on(&l.p);

	l.span = b->span ? b->span : l.size;
	l.out = malloc(l.span);
	l.in = malloc(l.span);
	memset(l.out, 'x', l.span);
	memset(l.in, 'x', l.span);
	connect_pair(&l.p, listener, &l.c, &l.s);
	weir_close(listener);
	return l;
}

static void bulk_destroy(struct bulk *l)
{
	weir_close(l->c);
	weir_close(l->s);
	pair_destroy(&l->p);
	free(l->out);
	free(l->in);
}

static uint64_t bulk_batch(void *load)
{
	struct bulk *l = load;
	uint64_t octets = 0;

	for (int i = 0; i < 16; i++) {
		ssize_t sent = weir_send(l->c, l->out + l->at, l->size, 0), n;

		if (sent < 0 && sent != -EAGAIN)
			die("send", (int)sent);
		n = weir_recv(l->s, l->in + l->at, l->size, 0);
		bulk_step(l);
		if (n > 0)
			octets += (uint64_t)n;
		else if (sent < 0)
			weir_run(l->p.m, 1000000);
	}
	return octets;
}

double weir_tcp_bulk(const struct bench_params *b)
{
	struct bulk l = bulk_create(b);
	double r = run_load(b, l.p.m, bulk_batch, &l);

	bulk_destroy(&l);
	return r;
}

/* Takes what is there without copying it. The octets, 0 if there are none. */
static size_t take(struct weir_file *f, size_t n)
{
	struct weir_recv_hold *hold;
	struct iovec iov[64];
	int pieces = 64;
	ssize_t got = weir_recv_zc(f, iov, &pieces, n, MSG_DONTWAIT, &hold);

	if (got <= 0)
		return 0;
	weir_recv_release(hold);
	return (size_t)got;
}

/* Reads what the stack says of sends that are done with the program's memory. */
static void reap_completions(struct weir_file *f)
{
	char control[256];
	struct msghdr msg;

	do
		msg = (struct msghdr){ .msg_control = control, .msg_controllen = sizeof(control) };
	while (weir_recvmsg(f, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
}

static uint64_t bulk_zc_batch(void *load)
{
	struct bulk *l = load;
	uint64_t octets = 0;

	for (int i = 0; i < 16; i++) {
		ssize_t sent = weir_send(l->c, l->out + l->at, l->size, MSG_ZEROCOPY);
		size_t n;

		if (sent < 0 && sent != -EAGAIN && sent != -ENOBUFS)
			die("send", (int)sent);
		n = take(l->s, l->size);
		octets += n;
		if (!n && sent < 0)
			weir_run(l->p.m, 1000000);
		reap_completions(l->c);
		bulk_step(l);
	}
	return octets;
}

double weir_tcp_bulk_zc(const struct bench_params *b)
{
	struct bulk l = bulk_create(b);
	int one = 1;
	double r;

	CHECK(weir_setsockopt(l.c, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	r = run_load(b, l.p.m, bulk_zc_batch, &l);
	bulk_destroy(&l);
	return r;
}

/* ---- request and response ------------------------------------------------------------------------------- */

/* Moves one octet from @from to @to. */
static void pass_octet(struct pair *p, struct weir_file *from, struct weir_file *to)
{
	char c = 'x';

	CHECK(weir_send(from, &c, 1, 0));
	while (weir_recv(to, &c, 1, 0) != 1)
		weir_run(p->m, 1000000);
}

/* The same by who holds both ends: nothing is sent. */
static void hand_octet(struct pair *p, struct weir_file *from, struct weir_file *to)
{
	volatile char there;
	char c = 'x';

	while (weir_bypass_ready(from, to) != 0)
		weir_run(p->m, 1000000);
	there = c;
	(void)there;
	weir_bypass(from, to, 1);
}

struct rr {
	struct pair p;
	struct weir_file **c, **s;
	unsigned n, next; /* connections */
	void (*pass)(struct pair *p, struct weir_file *from, struct weir_file *to);
};

static uint64_t rr_batch(void *load)
{
	struct rr *l = load;

	for (int i = 0; i < 100; i++) {
		l->pass(&l->p, l->c[l->next], l->s[l->next]);
		l->pass(&l->p, l->s[l->next], l->c[l->next]);
		if (++l->next == l->n)
			l->next = 0;
	}
	return 100;
}

static double tcp_rr(const struct bench_params *b,
		     void (*pass)(struct pair *p, struct weir_file *from, struct weir_file *to))
{
	struct rr l = { .p = pair_create(b),
			.n = b->connections ? b->connections : 1,
			.pass = pass };
	struct weir_file *listener = listen_on(&l.p);
	int one = 1;
	double r;

	l.c = calloc(l.n, sizeof(*l.c));
	l.s = calloc(l.n, sizeof(*l.s));
	for (unsigned i = 0; i < l.n; i++) {
		connect_pair(&l.p, listener, &l.c[i], &l.s[i]);
		weir_setsockopt(l.c[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		weir_setsockopt(l.s[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	r = run_load(b, l.p.m, rr_batch, &l);
	for (unsigned i = 0; i < l.n; i++) {
		weir_close(l.c[i]);
		weir_close(l.s[i]);
	}
	weir_close(listener);
	pair_destroy(&l.p);
	free(l.c);
	free(l.s);
	return r;
}

double weir_tcp_rr(const struct bench_params *b)
{
	return tcp_rr(b, pass_octet);
}

double weir_tcp_rr_bypass(const struct bench_params *b)
{
	return tcp_rr(b, hand_octet);
}

struct crr {
	struct pair p;
	struct weir_file *listener;
};

static uint64_t crr_batch(void *load)
{
	struct linger abort_close = { 1, 0 };
	struct weir_file *c, *s;
	struct crr *l = load;

	for (int i = 0; i < 50; i++) {
		connect_pair(&l->p, l->listener, &c, &s);
		pass_octet(&l->p, c, s);
		pass_octet(&l->p, s, c);
		/* The client aborts, so that neither side is limited by TIME_WAIT ports: as the kernel side does. */
		weir_setsockopt(c, SOL_SOCKET, SO_LINGER, &abort_close, sizeof(abort_close));
		weir_close(c);
		weir_close(s);
	}
	return 50;
}

double weir_tcp_crr(const struct bench_params *b)
{
	struct crr l = { .p = pair_create(b) };
	double r;

	l.listener = listen_on(&l.p);
	r = run_load(b, l.p.m, crr_batch, &l);
	weir_close(l.listener);
	pair_destroy(&l.p);
	return r;
}

/* ---- datagrams ------------------------------------------------------------------------------------------ */

struct datagrams {
	struct pair p;
	struct weir_file *c, *s;
	size_t size, gso_size;
	int batch; /* sends between two looks at the receiver */
	char buf[65536];
};

static uint64_t udp_batch(void *load)
{
	struct datagrams *l = load;
	uint64_t n = 0;
	ssize_t got;

	for (int i = 0; i < l->batch; i++)
		weir_send(l->c, l->buf, l->size, 0);
	while ((got = weir_recv(l->s, l->buf, sizeof(l->buf), 0)) > 0)
		n += l->gso_size ? (uint64_t)got / l->gso_size : 1;
	weir_run(l->p.m, 0);
	return n;
}

static void datagrams_open(struct datagrams *l)
{
	struct pair *p = &l->p;

	CHECK(weir_socket(p->net[1], p->addr.family, SOCK_DGRAM | SOCK_NONBLOCK, 0, &l->s));
	CHECK(weir_bind(l->s, (struct sockaddr *)&p->server, p->server_len));
	CHECK(weir_socket(p->net[0], p->addr.family, SOCK_DGRAM | SOCK_NONBLOCK, 0, &l->c));
	CHECK(weir_connect(l->c, (struct sockaddr *)&p->server, p->server_len));
}

double weir_udp(const struct bench_params *b)
{
	struct datagrams l = { .p = pair_create(b),
			       .size = b->write_size,
			       .batch = b->gso_size ? 2 : 64 };
	int segment = (int)b->gso_size, one = 1;
	double r;

	datagrams_open(&l);
	if (segment) {
		l.gso_size = b->gso_size;
		CHECK(weir_setsockopt(l.c, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)));
		CHECK(weir_setsockopt(l.s, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)));
	}
	r = run_load(b, l.p.m, udp_batch, &l);
	weir_close(l.c);
	weir_close(l.s);
	pair_destroy(&l.p);
	return r;
}

static double lump(const struct bench_params *b, const char *batch)
{
	struct datagrams l = { .p = pair_create(b), .size = b->lump * b->write_size, .batch = 1 };
	int segment = (int)b->write_size;
	double r;

	CHECK(weir_sysctl(l.p.net[0], "net.core.gro_normal_batch", batch));
	datagrams_open(&l);
	if (l.p.router)
		wire_packets(l.p.net[0], "eth0");
	CHECK(weir_setsockopt(l.c, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)));
	r = run_load(b, l.p.m, udp_batch, &l);
	weir_close(l.c);
	weir_close(l.s);
	pair_destroy(&l.p);
	return r;
}

double weir_lump(const struct bench_params *b)
{
	return lump(b, "8"); /* the default */
}

double weir_lump_single(const struct bench_params *b)
{
	return lump(b, "1");
}

#define SLICE_S 0.005

double weir_forward(const struct bench_params *b)
{
	struct bench_params side = *b;
	struct datagrams l[2];
	double cost[2], differences[BENCH_SLICES], start, now, begin;
	int n = 0;

	side.path = PATH_ROUTED;
	if (b->count)
		return weir_udp(&side);
	for (int i = 0; i < 2; i++) {
		side.path = i ? PATH_ROUTED : PATH_VETH;
		/* One by one: in lumps each is cheaper, and a router makes lumps. */
		l[i] = (struct datagrams){ .p = pair_create(&side),
					   .size = b->write_size,
					   .batch = 1 };
		datagrams_open(&l[i]);
		udp_batch(&l[i]);
	}
	/* In turns: the speed of the machine changes, and the difference is what counts. */
	begin = bench_clock();
	do {
		for (int i = 0; i < 2; i++) {
			uint64_t ops = 0;

			start = bench_clock();
			do {
				ops += udp_batch(&l[i]);
				now = bench_clock();
			} while (now - start < SLICE_S);
			cost[i] = (now - start) / (double)ops;
		}
		differences[n++] = cost[1] - cost[0];
	} while (n < BENCH_SLICES && now - begin < b->seconds);
	for (int i = 0; i < 2; i++) {
		weir_close(l[i].c);
		weir_close(l[i].s);
		pair_destroy(&l[i].p);
	}
	return 1 / bench_median(differences, n);
}

/* ---- many connections -------------------------------------------------------------------------------------- */

#define MANY_PORTS 64 /* of servers: a client has some 60,000 ports towards each */

struct many {
	struct pair p;
	struct weir_file *listeners[MANY_PORTS];
	unsigned next;
};

static struct many *many_create(const struct bench_params *b)
{
	struct many *m = calloc(1, sizeof(*m));
	struct sockaddr_in *sin = (struct sockaddr_in *)&m->p.server;

	m->p = pair_create(b);
	CHECK(weir_sysctl(m->p.net[0], "net.ipv4.ip_local_port_range", "1024 65535"));
	CHECK(weir_sysctl(m->p.net[0], "net.ipv4.tcp_max_tw_buckets", "2000000"));
	for (unsigned i = 0; i < MANY_PORTS; i++) {
		sin->sin_port = htons((uint16_t)(100 + i));
		m->listeners[i] = listen_on(&m->p);
	}
	return m;
}

static void many_connect(struct many *m, struct weir_file **c, struct weir_file **s)
{
	unsigned i = m->next++ % MANY_PORTS;

	((struct sockaddr_in *)&m->p.server)->sin_port = htons((uint16_t)(100 + i));
	connect_pair(&m->p, m->listeners[i], c, s);
}

static void many_destroy(struct many *m)
{
	for (unsigned i = 0; i < MANY_PORTS; i++)
		weir_close(m->listeners[i]);
	pair_destroy(&m->p);
	free(m);
}

static uint64_t crr_close_batch(void *load)
{
	struct many *m = load;
	struct weir_file *c, *s;

	for (int i = 0; i < 50; i++) {
		many_connect(m, &c, &s);
		pass_octet(&m->p, c, s);
		pass_octet(&m->p, s, c);
		weir_close(c);
		weir_close(s);
	}
	return 50;
}

double weir_tcp_crr_close(const struct bench_params *b)
{
	struct many *m = many_create(b);
	double r;

	for (uint64_t made = 0; made < b->time_wait;)
		made += crr_close_batch(m);
	r = run_load(b, m->p.m, crr_close_batch, m);
	many_destroy(m);
	return r;
}

/* Octets of this process that are in memory. */
static uint64_t resident(void)
{
	unsigned long size, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &size, &pages) != 2)
		pages = 0;
	if (f)
		fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

double weir_idle(const struct bench_params *b)
{
	struct many *m = many_create(b);
	struct weir_file **files = calloc(2 * (size_t)b->connections, sizeof(*files));
	uint64_t before, after;

	for (size_t i = 0; i < 2 * (size_t)b->connections; i++)
		files[i] = NULL; /* its pages are not counted */
	before = resident();
	for (size_t i = 0; i < b->connections; i++)
		many_connect(m, &files[2 * i], &files[2 * i + 1]);
	after = resident();
	for (size_t i = 0; i < 2 * (size_t)b->connections; i++)
		weir_close(files[i]);
	many_destroy(m);
	free(files);
	return (double)b->connections / (double)(after - before);
}
