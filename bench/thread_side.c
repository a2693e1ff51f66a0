/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread_side.c - weir with threads: a worker per cpu, blocking calls
 *
 * rr_two_threads*: one thread asks, another answers, over a loopback; both sleep between, or look for a while first (busy polling).
 * bulk_cpus: a thread per cpu, each with both ends of a connection of its own, in one net on all cpus; beside it the same on one.
 * bulk_two_nets: a thread and a cpu for each end, a veth between them; both look for a while before they sleep, or (_sleep) do not.
 */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

#define CPUS_MAX   64
#define LOOK_USECS 1000

struct world {
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_file *listener;
	struct sockaddr_in addr;
};

static int world_create(struct world *w, uint32_t cpus)
{
	struct weir_machine_config cfg = { .ncpus = cpus, .workers = true };
	struct net_error err;
	int r;

	w->addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
	w->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w->m = weir_machine_create(&cfg);
	w->net = w->m ? weir_net_create_on(w->m, "a", cpus) : NULL;
	if (!w->net)
		return -ENOMEM;
	r = net_link_up(w->net, "lo", &err);
	if (!r)
		r = weir_socket(w->net, AF_INET, SOCK_STREAM, 0, &w->listener);
	if (!r)
		r = weir_bind(w->listener, (struct sockaddr *)&w->addr, sizeof(w->addr));
	return r ? r : weir_listen(w->listener, 64);
}

static void world_destroy(struct world *w)
{
	if (w->listener)
		weir_close(w->listener);
	if (w->net)
		weir_net_destroy(w->net);
	weir_machine_destroy(w->m);
}

static int world_connect(struct world *w, uint32_t cpu, struct weir_file **c, struct weir_file **s)
{
	int r = weir_socket_on(w->net, cpu, AF_INET, SOCK_STREAM, 0, c);

	if (!r)
		r = weir_connect(*c, (struct sockaddr *)&w->addr, sizeof(w->addr));
	return r ? r : weir_accept(w->listener, NULL, NULL, 0, s);
}

/* ---- request and response between two threads --------------------------------------------------------------- */

static void *answer(void *arg)
{
	struct weir_file *f = arg;
	char c;

	while (weir_recv(f, &c, 1, 0) == 1)
		weir_send(f, &c, 1, 0);
	weir_close(f);
	return NULL;
}

static void look_first(struct weir_file *f)
{
	int usecs = LOOK_USECS, one = 1;

	weir_setsockopt(f, SOL_SOCKET, SO_BUSY_POLL, &usecs, sizeof(usecs));
	weir_setsockopt(f, SOL_SOCKET, SO_PREFER_BUSY_POLL, &one, sizeof(one));
}

static double two_threads(const struct bench_params *p, bool look)
{
	struct world w = { 0 };
	struct weir_file *c, *s;
	double start, now;
	pthread_t server;
	uint64_t n = 0;
	char x = 'x';
	int r = world_create(&w, 1);

	if (!r)
		r = world_connect(&w, 0, &c, &s);
	if (r) {
		world_destroy(&w);
		return r;
	}
	if (look) {
		look_first(c);
		look_first(s);
	}
	pthread_create(&server, NULL, answer, s);
	start = bench_clock();
	do {
		for (int i = 0; i < 100; i++, n++)
			if (weir_send(c, &x, 1, 0) != 1 || weir_recv(c, &x, 1, 0) != 1)
				r = -EIO;
		now = bench_clock();
	} while (!r && now - start < p->seconds);
	weir_close(c);
	pthread_join(server, NULL);
	world_destroy(&w);
	return r ? r : (double)n / (now - start);
}

double weir_rr_two_threads(const struct bench_params *p)
{
	return two_threads(p, false);
}

double weir_rr_two_threads_busy_poll(const struct bench_params *p)
{
	return two_threads(p, true);
}

/* ---- independent flows --------------------------------------------------------------------------------------- */

struct flow {
	struct weir_file *c, *s;
	const struct bench_params *p;
	uint64_t octets;
};

static void *run_flow(void *arg)
{
	struct flow *f = arg;
	char *buf = malloc(f->p->write_size);
	double end = bench_clock() + f->p->seconds;

	memset(buf, 'x', f->p->write_size);
	while (bench_clock() < end) {
		for (int i = 0; i < 8; i++) {
			ssize_t n;

			weir_send(f->c, buf, f->p->write_size, MSG_DONTWAIT);
			n = weir_recv(f->s, buf, f->p->write_size, MSG_DONTWAIT);
			f->octets += n > 0 ? (uint64_t)n : 0;
		}
	}
	free(buf);
	return NULL;
}

static double bulk_cpus(const struct bench_params *p, uint32_t cpus)
{
	struct flow f[CPUS_MAX] = { 0 };
	pthread_t threads[CPUS_MAX];
	struct world w = { 0 };
	double start, octets = 0;
	int r = world_create(&w, cpus);
	uint32_t n = 0;

	for (; !r && n < cpus; n++) {
		f[n].p = p;
		r = world_connect(&w, n, &f[n].c, &f[n].s);
	}
	start = bench_clock();
	for (uint32_t i = 0; !r && i < n; i++)
		pthread_create(&threads[i], NULL, run_flow, &f[i]);
	for (uint32_t i = 0; !r && i < n; i++) {
		pthread_join(threads[i], NULL);
		octets += (double)f[i].octets;
	}
	octets /= bench_clock() - start;
	for (uint32_t i = 0; i < n; i++) {
		if (f[i].c)
			weir_close(f[i].c);
		if (f[i].s)
			weir_close(f[i].s);
	}
	world_destroy(&w);
	return r ? r : octets;
}

double weir_bulk_cpus_1(const struct bench_params *p)
{
	return bulk_cpus(p, 1);
}

double weir_bulk_cpus_2(const struct bench_params *p)
{
	return bulk_cpus(p, 2);
}

/* ---- one flow between two cpus -------------------------------------------------------------------------------- */

struct drain {
	struct weir_file *f;
	size_t size;
	uint64_t octets;
};

static void *run_drain(void *arg)
{
	struct drain *d = arg;
	char *buf = malloc(d->size);
	ssize_t n;

	while ((n = weir_recv(d->f, buf, d->size, 0)) > 0)
		__atomic_fetch_add(&d->octets, (uint64_t)n, __ATOMIC_RELAXED);
	free(buf);
	return NULL;
}

struct two_nets {
	struct weir_machine *m;
	struct weir_net *net[2]; /* of a machine with two cpus, they are on one each */
	struct weir_file *c, *s;
};

static int two_nets_create(struct two_nets *w)
{
	struct weir_machine_config cfg = { .ncpus = 2, .workers = true };
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(7),
				  .sin_addr.s_addr = htonl(0x0a000002) };
	struct weir_file *l = NULL;
	struct net_error err;
	int r;

	w->m = weir_machine_create(&cfg);
	w->net[0] = w->m ? weir_net_create(w->m, "a") : NULL;
	w->net[1] = w->m ? weir_net_create(w->m, "b") : NULL;
	if (!w->net[0] || !w->net[1])
		return -ENOMEM;
	r = net_veth_add(w->net[0], "eth0", w->net[1], "eth0", 1500, &err);
	for (uint32_t i = 0; i < 2 && !r; i++) {
		struct in_addr addr = { htonl(0x0a000001 + i) };

		r = net_addr_add(w->net[i], "eth0", addr, 24, &err);
		if (!r)
			r = net_link_up(w->net[i], "eth0", &err);
	}
	if (!r)
		r = weir_socket(w->net[1], AF_INET, SOCK_STREAM, 0, &l);
	if (!r)
		r = weir_bind(l, (struct sockaddr *)&to, sizeof(to));
	if (!r)
		r = weir_listen(l, 1);
	if (!r)
		r = weir_socket(w->net[0], AF_INET, SOCK_STREAM, 0, &w->c);
	if (!r)
		r = weir_connect(w->c, (struct sockaddr *)&to, sizeof(to));
	if (!r)
		r = weir_accept(l, NULL, NULL, 0, &w->s);
	if (l)
		weir_close(l);
	return r;
}

static void two_nets_destroy(struct two_nets *w)
{
	if (w->c)
		weir_close(w->c);
	if (w->s)
		weir_close(w->s);
	for (int i = 0; i < 2; i++)
		if (w->net[i])
			weir_net_destroy(w->net[i]);
	if (w->m)
		weir_machine_destroy(w->m);
}

#define BULK_WARM_UP_S 0.1

static double bulk_two_nets(const struct bench_params *p, bool look)
{
	struct two_nets w = { 0 };
	struct drain d = { .size = p->write_size };
	double start, octets = 0, took = 1;
	int r = two_nets_create(&w);
	pthread_t thread;
	char *buf;

	if (r) {
		two_nets_destroy(&w);
		return r;
	}
	buf = malloc(p->write_size);
	memset(buf, 'x', p->write_size);
	d.f = w.s;
	if (look) {
		look_first(w.c);
		look_first(w.s);
	}
	pthread_create(&thread, NULL, run_drain, &d);
	for (int measured = 0; measured < 2; measured++) {
		uint64_t before = __atomic_load_n(&d.octets, __ATOMIC_RELAXED);

		start = bench_clock();
		do {
			weir_send(w.c, buf, p->write_size, 0);
			took = bench_clock() - start;
		} while (took < (measured ? p->seconds : BULK_WARM_UP_S));
		octets = (double)(__atomic_load_n(&d.octets, __ATOMIC_RELAXED) - before);
	}
	weir_close(w.c);
	w.c = NULL;
	pthread_join(thread, NULL);
	two_nets_destroy(&w);
	free(buf);
	return octets / took;
}

double weir_bulk_two_nets(const struct bench_params *p)
{
	return bulk_two_nets(p, true);
}

double weir_bulk_two_nets_sleep(const struct bench_params *p)
{
	return bulk_two_nets(p, false);
}
