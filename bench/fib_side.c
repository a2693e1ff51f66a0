/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fib_side.c - a lookup in the routing tables of a small net, and the memory that its routes take
 *
 * A net with an interface and so many routes beside those of its address: a default one and prefixes of 24 bits. Looked up are addresses of all of
 * them in turn, by the function that a miss of the destination cache asks: tables local, main and default, routes and next hops.
 */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "ipv4/ipv4_internal.h"
#include "lab/lab_net.h"
#include "stack/stack.h"

#define DESTINATIONS 1024
#define BATCH        1000

struct world {
	struct weir_machine *m;
	struct weir_net *net;
	size_t octets; /* that the routes and the tables took */
};

static struct lab_ip address(uint32_t host_order)
{
	return (struct lab_ip){ .family = AF_INET, .v4.s_addr = htonl(host_order) };
}

/* Of route @i, 1 and up; 0: behind the default one. */
static uint32_t destination(unsigned i)
{
	return i ? 0x0a010000u + (i << 8) + 7 : 0xc6336407u;
}

static int add_routes(struct weir_net *net, unsigned n)
{
	struct lab_route to = { .has_via = true, .via = address(0x0a0000fe) };
	struct net_error err;
	int r = 0;

	to.dst.family = AF_INET;
	for (unsigned i = 0; i < n && !r; i++) {
		to.dst = i ? address(destination(i) & ~0xffu) : address(0);
		to.prefixlen = i ? 24 : 0;
		r = net_route_add(net, &to, &err);
	}
	return r;
}

static int world_create(struct world *w, unsigned routes)
{
	struct lab_ip me = address(0x0a000001);
	struct weir_net *peer;
	struct net_error err;
	int r;

	w->m = weir_machine_create(NULL);
	w->net = w->m ? weir_net_create(w->m, "a") : NULL;
	peer = w->m ? weir_net_create(w->m, "b") : NULL;
	if (!w->net || !peer)
		return -ENOMEM;
	r = net_veth_add(w->net, "eth0", peer, "eth0", 1500, &err);
	if (!r)
		r = net_link_up(peer, "eth0", &err);
	if (!r)
		r = net_ip_add(w->net, "eth0", &me, 24, &err);
	if (!r)
		r = net_link_up(w->net, "eth0", &err);
	if (r)
		return r;
	w->octets = mallinfo2().uordblks;
	r = add_routes(w->net, routes);
	w->octets = mallinfo2().uordblks - w->octets;
	w->octets += malloc_usable_size(net_of(w->net)->ipv4->fib_main);
	w->octets += malloc_usable_size(net_of(w->net)->ipv4->fib_local);
	return r;
}

double weir_fib_memory(const struct bench_params *p)
{
	struct world w = { NULL };
	int r = world_create(&w, p->routes);

	if (w.m)
		weir_machine_destroy(w.m);
	return r ? r : 1 / (double)w.octets;
}

double weir_fib_lookup(const struct bench_params *p)
{
	struct world w = { NULL };
	be32 to[DESTINATIONS];
	int r = world_create(&w, p->routes);
	struct net *net = net_of(w.net);
	double start = bench_thread_clock(), now = start;
	uint64_t n = 0, found = 0;

	for (unsigned i = 0; i < DESTINATIONS; i++)
		to[i] = cpu_to_be32(destination((i * 2654435761u >> 16) % p->routes));
	while (!r && now - start < p->seconds) {
		cpu_lock(net->cpu);
		for (int i = 0; i < BATCH; i++, n++) {
			struct flowi4 fl = { .daddr = to[n % DESTINATIONS] };
			struct fib_result res;

			found += fib_lookup(net, &fl, &res) == 0;
		}
		cpu_unlock(net->cpu);
		now = bench_thread_clock();
	}
	if (w.m)
		weir_machine_destroy(w.m);
	if (!r && found != n)
		r = -ENETUNREACH;
	return r ? r : (double)n / (now - start);
}
