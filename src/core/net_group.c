/* SPDX-License-Identifier: BSD-2-Clause */
/* net_group.c - the shards of a net on several cpus, the ports and flows that each has. Theory of operation: net_group.h */
#include "core/net_group.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/core_internal.h"
#include "core/machine.h"
#include "lib/siphash.h"

#define FLOW_FREE    0u
#define FLOW_DELETED 1u
#define FLOW_SHARD   0xffull
#define NR_FLOWS     ARRAY_SIZE(((struct net_group *)0)->flows)

/* ---- flows ----------------------------------------------------------------------------------------------- */

/* Sum and exclusive or of both ends: the same for both directions. */
u64 net_flow_hash_v4(const struct net_group *g, be32 a, be16 ap, be32 b, be16 bp)
{
	u32 ports = (u32)(u16)(ap.v + bp.v) << 16 | (ap.v ^ bp.v);

	return siphash_3u32(a.v + b.v, a.v ^ b.v, ports, g->key);
}

u64 net_flow_hash_v6(const struct net_group *g, const struct in6_addr *a, be16 ap,
		     const struct in6_addr *b, be16 bp)
{
	u32 words[9];

	for (int i = 0; i < 4; i++) {
		words[i] = a->s6_addr32[i] + b->s6_addr32[i];
		words[4 + i] = a->s6_addr32[i] ^ b->s6_addr32[i];
	}
	words[8] = (u32)(u16)(ap.v + bp.v) << 16 | (ap.v ^ bp.v);
	return siphash_9u32(words, g->key);
}

/* *@ret_v: what it had. Without claim_lock it may have something else by now. */
static u64 *flow_slot(struct net_group *g, u64 hash, u64 *ret_v)
{
	for (u32 i = (u32)(hash >> 32), n = 0; n < NR_FLOWS; i++, n++) {
		u64 *slot = &g->flows[i % NR_FLOWS];
		u64 v = __atomic_load_n(slot, __ATOMIC_RELAXED);

		if (v == FLOW_FREE)
			return NULL;
		if (v != FLOW_DELETED && (v & ~FLOW_SHARD) == (hash & ~FLOW_SHARD)) {
			*ret_v = v;
			return slot;
		}
	}
	return NULL;
}

int net_flow_add(struct net *net, u64 hash)
{
	struct net_group *g = net->group;
	u32 i = (u32)(hash >> 32);
	int err = -ENOBUFS;

	pthread_mutex_lock(&g->claim_lock);
	if (g->nr_flows < GROUP_FLOWS_MAX) {
		/* Half of the places stay free: there is one. */
		while (g->flows[i % NR_FLOWS] > FLOW_DELETED)
			i++;
		__atomic_store_n(&g->flows[i % NR_FLOWS], (hash & ~FLOW_SHARD) | (net->shard + 2u),
				 __ATOMIC_RELAXED);
		__atomic_store_n(&g->nr_flows, g->nr_flows + 1, __ATOMIC_RELAXED);
		err = 0;
	}
	pthread_mutex_unlock(&g->claim_lock);
	return err;
}

void net_flow_del(struct net *net, u64 hash)
{
	struct net_group *g = net->group;
	u64 *slot, i, v;

	pthread_mutex_lock(&g->claim_lock);
	slot = flow_slot(g, hash, &v);
	if (slot) {
		__atomic_store_n(slot, FLOW_DELETED, __ATOMIC_RELAXED);
		__atomic_store_n(&g->nr_flows, g->nr_flows - 1, __ATOMIC_RELAXED);
		/* No search goes on behind a free place: what was used just before one may be free again. */
		for (i = (u64)(slot - g->flows); g->flows[i % NR_FLOWS] == FLOW_DELETED &&
						 g->flows[(i + 1) % NR_FLOWS] == FLOW_FREE;
		     i += NR_FLOWS - 1)
			__atomic_store_n(&g->flows[i % NR_FLOWS], FLOW_FREE, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&g->claim_lock);
}

u32 net_flow_shard(struct net_group *g, u64 hash)
{
	u64 v;

	if (unlikely(__atomic_load_n(&g->nr_flows, __ATOMIC_RELAXED)) && flow_slot(g, hash, &v))
		return (u32)(v & FLOW_SHARD) - 2;
	return net_flow_home(g, hash);
}

/* ---- UDP ports ------------------------------------------------------------------------------------------- */

int net_udp_claim(struct net *net, u16 port, bool shared)
{
	struct net_group *g = net->group;
	u64 mine = 1ull << net->shard, others;
	struct udp_claims *c;
	int err = 0;

	pthread_mutex_lock(&g->claim_lock);
	others = g->udp_ports[port] & ~mine;
	c = g->claims[port];
	if (others && (!shared || c->exclusive)) {
		err = -EADDRINUSE;
	} else if (!c) {
		c = calloc(1, sizeof(*c) + g->n * sizeof(c->sockets[0]));
		g->claims[port] = c;
		err = c ? 0 : -ENOMEM;
	}
	if (!err && c->sockets[net->shard] == UINT16_MAX)
		err = -EADDRINUSE;
	if (!err) {
		c->sockets[net->shard]++;
		c->exclusive += !shared;
		__atomic_store_n(&g->udp_ports[port], others | mine, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&g->claim_lock);
	return err;
}

void net_udp_unclaim(struct net *net, u16 port, bool shared)
{
	struct net_group *g = net->group;
	struct udp_claims *c;
	u64 left;

	pthread_mutex_lock(&g->claim_lock);
	c = g->claims[port];
	c->exclusive -= !shared;
	if (!--c->sockets[net->shard]) {
		left = g->udp_ports[port] & ~(1ull << net->shard);
		__atomic_store_n(&g->udp_ports[port], left, __ATOMIC_RELEASE);
		if (!left) {
			free(c);
			g->claims[port] = NULL;
		}
	}
	pthread_mutex_unlock(&g->claim_lock);
}

bool net_udp_elsewhere(const struct net *net, u16 port)
{
	return __atomic_load_n(&net->group->udp_ports[port], __ATOMIC_RELAXED) &
	       ~(1ull << net->shard);
}

/* ---- counters -------------------------------------------------------------------------------------------- */

void net_group_sum_mib(struct net *net)
{
	struct net *shard, *lead = net_lead(net);
	u64 sum[NR_MIB] = { 0 };

	net_for_each_other_shard(lead, shard, i)
	{
		cpu_lock(shard->cpu);
		for (u32 k = 0; k < NR_MIB; k++)
			sum[k] += shard->mib[k];
		net_group_tell_stats(shard);
		cpu_unlock(shard->cpu);
	}
	cpu_lock(lead->cpu);
	memcpy(lead->group->mib, sum, sizeof(sum));
	cpu_unlock(lead->cpu);
}

u64 net_mib(const struct net *net, u32 i)
{
	return net->mib[i] + (net->group && net_is_lead(net) ? net->group->mib[i] : 0);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

struct net *net_group_next(struct net *net)
{
	struct net_group *g = net->group;

	return g->shards[__atomic_fetch_add(&g->next, 1, __ATOMIC_RELAXED) % g->n];
}

/* Large, and hardly any of it is ever touched. */
static void *group_map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void group_free(struct net_group *g)
{
	if (g->claims)
		munmap(g->claims, 65536 * sizeof(*g->claims));
	pthread_mutex_destroy(&g->claim_lock);
	pthread_mutex_destroy(&g->bind_lock);
	munmap(g, sizeof(*g));
}

static struct net_group *group_alloc(struct machine *m, u32 n)
{
	struct net_group *g = group_map(sizeof(*g));

	if (!g)
		return NULL;
	g->n = n;
	/* All nets of a machine: with as many shards, both ends of a flow are on one cpu. */
	g->key[0] = m->hash_seed[0];
	g->key[1] = ~m->hash_seed[1];
	g->nb.call = net_group_netdev_event;
	pthread_mutex_init(&g->claim_lock, NULL);
	pthread_mutex_init(&g->bind_lock, NULL);
	g->claims = group_map(65536 * sizeof(*g->claims));
	if (!g->claims) {
		group_free(g);
		return NULL;
	}
	return g;
}

static void group_shards_free(struct net_group *g)
{
	for (u32 i = 0; i < g->n; i++)
		if (i != g->lead && g->shards[i])
			net_shard_destroy(g->shards[i]);
}

static void net_set_group(struct net *net, struct net_group *g)
{
	cpu_lock(net->cpu);
	net->group = g;
	cpu_unlock(net->cpu);
}

int net_group_create(struct net *net, u32 n)
{
	struct machine *m = net->machine;
	struct net_group *g = group_alloc(m, n);
	int err = 0;

	if (!g)
		return -ENOMEM;
	g->lead = net->cpu->id;
	for (u32 i = 0; i < n && !err; i++) {
		g->shards[i] = i == g->lead ? net : net_shard_create(net, m->cpus[i], &err);
		if (!err)
			g->shards[i]->shard = (u16)i;
	}
	if (!err)
		err = net_group_join_lo(g);
	if (err) {
		group_shards_free(g);
		group_free(g);
		return err;
	}
	for (u32 i = 0; i < n; i++)
		net_set_group(g->shards[i], g);
	register_netdevice_notifier(net, &g->nb);
	return 0;
}

void net_group_destroy(struct net *lead)
{
	struct net_group *g = lead->group;

	unregister_netdevice_notifier(lead, &g->nb);
	net_group_part_lo(g);
	group_shards_free(g);
	net_set_group(lead, NULL); /* its timers still run, and may end named flows */
	group_free(g);
}
