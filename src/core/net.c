/* SPDX-License-Identifier: BSD-2-Clause */
/* net.c - life and death of a stack instance: the table of modules runs forward to build it and backward to undo it */
#include "core/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/drop_reason.h"
#include "core/module.h"
#include "core/net_group.h"

static void net_modules_exit(struct net *net, u32 n)
{
	struct machine *m = net->machine;

	while (n-- > 0)
		if (m->modules[n].net_exit)
			m->modules[n].net_exit(net);
}

static int net_modules_init(struct net *net)
{
	struct machine *m = net->machine;
	u32 i;
	int err;

	for (i = 0; i < m->nr_modules; i++) {
		if (!m->modules[i].net_init)
			continue;
		err = m->modules[i].net_init(net);
		if (err) {
			net_modules_exit(net, i);
			return err;
		}
	}
	err = modules_net_init(net);
	if (err)
		net_modules_exit(net, i);
	return err;
}

static struct net *net_alloc(struct machine *m, const char *name)
{
	struct net *net = calloc(1, sizeof(*net));

	if (!net)
		return NULL;
	net->drop_counts = calloc(m->nr_drop_reasons + 1, sizeof(*net->drop_counts));
	if (!net->drop_counts) {
		free(net);
		return NULL;
	}
	net->machine = m;
	list_init(&net->module_parts);
	list_init(&net->node);
	net->refcount = 1;
	if (name)
		snprintf(net->name, sizeof(net->name), "%s", name);
	return net;
}

static void net_free(struct net *net)
{
	free(net->drop_counts);
	free(net);
}

static void net_exit(struct net *net) /* rtnl */
{
	cpu_lock(net->cpu); /* packets still come */
	net->dying = true;
	cpu_unlock(net->cpu);
	modules_net_exit(net);
	net_modules_exit(net, net->machine->nr_modules);
}

struct net *net_create_on(struct machine *m, const char *name, u32 ncpus)
{
	struct net *net = net_alloc(m, name);
	u32 n = min(ncpus, m->ncpus);
	int err;

	if (!net) {
		errno = ENOMEM;
		return NULL;
	}
	rtnl_lock(m);
	net->id = ++m->next_net_id;
	net->cpu = m->cpus[(net->id - 1) % (n > 1 ? n : m->ncpus)];
	/* Visible from the start: a module may look its net up by number while it builds its part. */
	list_add_tail(&net->node, &m->nets);
	err = net_modules_init(net);
	if (!err && n > 1) {
		err = net_group_create(net, n);
		if (err)
			net_exit(net);
	}
	if (err)
		list_del(&net->node);
	rtnl_unlock(m);
	if (!err)
		return net;
	net_free(net);
	errno = -err;
	return NULL;
}

struct net *net_create(struct machine *m, const char *name)
{
	return net_create_on(m, name, 1);
}

void net_destroy(struct net *net)
{
	struct machine *m;

	if (!net)
		return;
	m = net->machine;
	rtnl_lock(m);
	if (net->group)
		net_group_destroy(net);
	net_exit(net);
	list_del(&net->node);
	rtnl_unlock(m);
	net_free(net);
}

struct net *net_shard_create(struct net *lead, struct cpu *cpu, int *ret_err)
{
	struct net *net = net_alloc(lead->machine, lead->name);

	if (!net) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	net->id = lead->id; /* in what is traced and shown they are one */
	net->cpu = cpu;
	*ret_err = net_modules_init(net);
	if (!*ret_err)
		return net;
	net_free(net);
	return NULL;
}

void net_shard_destroy(struct net *shard)
{
	net_exit(shard);
	net_free(shard);
}

struct net *net_find(struct machine *m, u32 id)
{
	struct net *net;

	list_for_each_entry(net, &m->nets, node)
		if (net->id == id)
			return net;
	return NULL;
}
