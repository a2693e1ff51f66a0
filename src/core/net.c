/* SPDX-License-Identifier: BSD-2-Clause */
/* net.c - life and death of a stack instance: the table of modules runs forward to build it and backward to undo it */
#include "core/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/drop_reason.h"
#include "core/module.h"

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

struct net *net_create(struct machine *m, const char *name)
{
	struct net *net = calloc(1, sizeof(*net));
	int err;

	if (!net)
		goto out_nomem;
	net->drop_counts = calloc(m->nr_drop_reasons + 1, sizeof(*net->drop_counts));
	if (!net->drop_counts)
		goto out_nomem;
	net->machine = m;
	list_init(&net->module_parts);
	net->refcount = 1;
	if (name)
		snprintf(net->name, sizeof(net->name), "%s", name);

	rtnl_lock(m);
	net->id = ++m->next_net_id;
	net->cpu = m->cpus[(net->id - 1) % m->ncpus];
	/* Visible from the start: a module may look its net up by number while it builds its part. */
	list_add_tail(&net->node, &m->nets);
	err = net_modules_init(net);
	if (err)
		list_del(&net->node);
	rtnl_unlock(m);
	if (!err)
		return net;

	free(net->drop_counts);
	free(net);
	errno = -err;
	return NULL;

out_nomem:
	free(net);
	errno = ENOMEM;
	return NULL;
}

void net_destroy(struct net *net)
{
	struct machine *m;

	if (!net)
		return;
	m = net->machine;
	rtnl_lock(m);
	net->dying = true;
	modules_net_exit(net);
	net_modules_exit(net, m->nr_modules);
	list_del(&net->node);
	rtnl_unlock(m);
	free(net->drop_counts);
	free(net);
}

struct net *net_find(struct machine *m, u32 id)
{
	struct net *net;

	list_for_each_entry(net, &m->nets, node)
		if (net->id == id)
			return net;
	return NULL;
}
