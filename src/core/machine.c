/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - life and death of a machine
 *
 * Order of creation: host (given), cpus, modules in the order of their table, workers. Destruction goes backwards; the nets that
 * are left go first, after the workers.
 */
#include "core/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/core_internal.h"
#include "core/module.h"
#include "core/net.h"
#include "core/netdevice.h"
#include "host/host.h"

#define MEM_LIMIT_PER_CPU (1ULL << 30)

static void modules_exit(struct machine *m, u32 n)
{
	while (n-- > 0)
		if (m->modules[n].machine_exit)
			m->modules[n].machine_exit(m);
}

static int modules_init(struct machine *m)
{
	u32 i;
	int err;

	for (i = 0; i < m->nr_modules; i++) {
		if (!m->modules[i].machine_init)
			continue;
		err = m->modules[i].machine_init(m);
		if (err) {
			modules_exit(m, i);
			return err;
		}
	}
	return 0;
}

static void workers_stop(struct machine *m)
{
	u32 i;

	__atomic_store_n(&m->stopping, true, __ATOMIC_RELEASE);
	for (i = 0; i < m->ncpus; i++) {
		struct host_parker *p = m->cpus[i] ? m->cpus[i]->worker : NULL;

		if (m->threads[i]) {
			m->host->ops->unpark(p);
			m->host->ops->thread_join(m->threads[i]);
			m->threads[i] = NULL;
		}
		if (p) {
			__atomic_store_n(&m->cpus[i]->worker, NULL, __ATOMIC_RELEASE);
			m->host->ops->parker_free(p);
		}
	}
}

static int workers_start(struct machine *m)
{
	char name[16];
	u32 i;

	for (i = 0; i < m->ncpus; i++) {
		m->cpus[i]->worker = m->host->ops->parker_create(m->host);
		if (!m->cpus[i]->worker)
			return -ENOMEM;
		snprintf(name, sizeof(name), "weir/%u", i);
		m->threads[i] = m->host->ops->thread_start(m->host, name, cpu_worker, m->cpus[i]);
		if (!m->threads[i])
			return -ENOMEM;
	}
	return 0;
}

/* Everything but the modules. */
static void machine_free(struct machine *m)
{
	struct host *host = m->host;
	u32 i;

	for (i = 0; i < m->ncpus; i++)
		cpu_destroy(m->cpus[i]);
	parkers_fini(m);
	modules_machine_exit(m);
	pthread_mutex_destroy(&m->rtnl);
	free(m);
	host->ops->destroy(host);
}

struct machine *machine_create(const struct machine_config *cfg)
{
	struct machine *m = calloc(1, sizeof(*m));
	u32 i;
	int err;

	if (!m) {
		cfg->host->ops->destroy(cfg->host);
		errno = ENOMEM;
		return NULL;
	}
	m->host = cfg->host;
	m->ncpus = cfg->ncpus ? cfg->ncpus : 1;
	m->workers = cfg->workers;
	m->single_threaded = cfg->single_threaded;
	m->modules = cfg->modules;
	m->nr_modules = cfg->nr_modules;
	pthread_mutex_init(&m->rtnl, NULL);
	modules_machine_init(m);
	parkers_init(m);
	list_init(&m->nets);
	m->start_ns = host_now(m->host);
	host_random(m->host, "hash", m->hash_seed, sizeof(m->hash_seed));

	err = -EINVAL;
	if (m->ncpus > MACHINE_MAX_CPUS || (m->single_threaded && (m->workers || m->ncpus > 1))) {
		m->ncpus = 0;
		goto out_free;
	}
	m->crypto = cfg->crypto;
	m->mem_limit = cfg->mem_limit ? cfg->mem_limit : m->ncpus * MEM_LIMIT_PER_CPU;
	err = -ENOMEM;
	for (i = 0; i < m->ncpus; i++) {
		m->cpus[i] = cpu_create(m, (u16)i);
		if (!m->cpus[i])
			goto out_free;
	}
	err = modules_init(m);
	if (err)
		goto out_free;
	if (m->workers) {
		err = workers_start(m);
		if (err)
			goto out_workers;
	}
	return m;

out_workers:
	workers_stop(m);
	modules_exit(m, m->nr_modules);
out_free:
	machine_free(m);
	errno = -err;
	return NULL;
}

void machine_destroy(struct machine *m)
{
	struct net *net, *next;

	if (!m)
		return;
	workers_stop(m);
	list_for_each_entry_safe(net, next, &m->nets, node)
		net_destroy(net);
	modules_exit(m, m->nr_modules);
	machine_free(m);
}

void rtnl_lock(struct machine *m)
{
	pthread_mutex_lock(&m->rtnl);
}

void rtnl_unlock(struct machine *m)
{
	/* Who notes a carrier and does not get rtnl relies on the holder, who may be just about to leave. */
	do {
		if (unlikely(__atomic_load_n(&m->linkwatch_pending, __ATOMIC_SEQ_CST)))
			linkwatch_run(m);
		pthread_mutex_unlock(&m->rtnl);
	} while (unlikely(__atomic_load_n(&m->linkwatch_pending, __ATOMIC_SEQ_CST)) &&
		 !pthread_mutex_trylock(&m->rtnl));
}

bool linkwatch_turn(struct machine *m)
{
	if (likely(!__atomic_load_n(&m->linkwatch_pending, __ATOMIC_SEQ_CST)) ||
	    pthread_mutex_trylock(&m->rtnl))
		return false;
	rtnl_unlock(m);
	return true;
}
