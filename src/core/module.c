/* SPDX-License-Identifier: BSD-2-Clause */
/* module.c - the modules of a machine: their users, and their parts of its nets (module.h has the theory) */
#include "core/module.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/net.h"

#define MODULE_NAME_MAX 64

struct net_module_part {
	struct list_head node; /* net->module_parts, newest first */
	const struct module *mod;
	u64 data[];
};

/* ---- users ----------------------------------------------------------------------------------------------- */

static struct loaded_module *module_lookup(struct machine *m, const struct module *mod)
{
	struct loaded_module *lm;

	list_for_each_entry(lm, &m->loaded_modules, node) {
		if (lm->mod == mod)
			return lm;
	}
	return NULL;
}

bool __try_module_get(struct machine *m, const struct module *mod)
{
	struct loaded_module *lm;
	bool ok;

	pthread_mutex_lock(&m->module_lock);
	lm = module_lookup(m, mod);
	ok = lm && !lm->going;
	if (ok)
		lm->users++;
	pthread_mutex_unlock(&m->module_lock);
	return ok;
}

void __module_put(struct machine *m, const struct module *mod)
{
	struct loaded_module *lm;

	pthread_mutex_lock(&m->module_lock);
	lm = module_lookup(m, mod);
	assert(lm && lm->users);
	lm->users--;
	pthread_mutex_unlock(&m->module_lock);
}

struct loaded_module *module_find(struct machine *m, const char *name)
{
	struct loaded_module *lm;

	list_for_each_entry(lm, &m->loaded_modules, node) {
		if (strcmp(lm->mod->name, name) == 0)
			return lm;
	}
	return NULL;
}

int request_module(struct machine *m, const char *fmt, ...)
{
	char name[MODULE_NAME_MAX];
	va_list ap;
	int n;

	if (!m->request_module)
		return -ENOENT;
	va_start(ap, fmt);
	n = vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	return n < 0 || (size_t)n >= sizeof(name) ? -ENOENT : m->request_module(m, name);
}

void synchronize_net(struct machine *m)
{
	for (u32 i = 0; i < m->ncpus; i++) {
		cpu_lock(m->cpus[i]);
		cpu_unlock(m->cpus[i]);
	}
}

/* ---- the parts of nets ------------------------------------------------------------------------------------ */

static struct net_module_part *net_part(const struct net *net, const struct module *mod)
{
	struct net_module_part *part;

	list_for_each_entry(part, &net->module_parts, node) {
		if (part->mod == mod)
			return part;
	}
	return NULL;
}

void *net_module_data(const struct net *net, const struct module *mod)
{
	struct net_module_part *part = net_part(net, mod);

	return part ? part->data : NULL;
}

static void net_part_remove(struct net *net, struct net_module_part *part)
{
	if (part->mod->net_exit)
		part->mod->net_exit(net);
	cpu_lock(net->cpu);
	list_del(&part->node);
	cpu_unlock(net->cpu);
	free(part);
}

static int net_part_add(struct net *net, const struct module *mod)
{
	struct net_module_part *part = calloc(1, sizeof(*part) + mod->net_size);
	int err;

	if (!part)
		return -ENOMEM;
	part->mod = mod;
	cpu_lock(net->cpu);
	list_add(&part->node, &net->module_parts);
	cpu_unlock(net->cpu);
	err = mod->net_init ? mod->net_init(net) : 0;
	if (err) {
		cpu_lock(net->cpu);
		list_del(&part->node);
		cpu_unlock(net->cpu);
		free(part);
	}
	return err;
}

void modules_net_exit(struct net *net)
{
	struct net_module_part *part, *next;

	list_for_each_entry_safe(part, next, &net->module_parts, node)
		net_part_remove(net, part);
}

int modules_net_init(struct net *net)
{
	struct loaded_module *lm;

	list_for_each_entry(lm, &net->machine->loaded_modules, node) {
		int err = net_part_add(net, lm->mod);

		if (err) {
			modules_net_exit(net);
			return err;
		}
	}
	return 0;
}

/* ---- coming and going --------------------------------------------------------------------------------------- */

static void module_leave_nets(struct machine *m, const struct module *mod)
{
	struct net_module_part *part;
	struct net *net;

	list_for_each_entry(net, &m->nets, node) {
		part = net_part(net, mod);
		if (part)
			net_part_remove(net, part);
	}
}

static int module_enter(struct machine *m, const struct module *mod)
{
	struct net *net;
	int err = mod->init ? mod->init(m) : 0;

	if (err)
		return err;
	list_for_each_entry(net, &m->nets, node) {
		err = net_part_add(net, mod);
		if (!err)
			continue;
		module_leave_nets(m, mod);
		if (mod->exit)
			mod->exit(m);
		return err;
	}
	return 0;
}

static void module_unlist(struct machine *m, struct loaded_module *lm)
{
	pthread_mutex_lock(&m->module_lock);
	list_del(&lm->node);
	pthread_mutex_unlock(&m->module_lock);
	free(lm);
}

int module_add(struct machine *m, const struct module *mod, void *object)
{
	struct loaded_module *lm;
	int err;

	if (module_find(m, mod->name))
		return -EEXIST;
	lm = calloc(1, sizeof(*lm));
	if (!lm)
		return -ENOMEM;
	lm->mod = mod;
	lm->object = object;
	/* Its family may be asked for a socket as soon as it is registered; until all nets know the module nobody gets in. */
	lm->going = true;
	pthread_mutex_lock(&m->module_lock);
	list_add_tail(&lm->node, &m->loaded_modules);
	pthread_mutex_unlock(&m->module_lock);
	err = module_enter(m, mod);
	if (err) {
		synchronize_net(m);
		module_unlist(m, lm);
		return err;
	}
	pthread_mutex_lock(&m->module_lock);
	lm->going = false;
	pthread_mutex_unlock(&m->module_lock);
	return 0;
}

int module_del(struct machine *m, const char *name, void **ret_object)
{
	struct loaded_module *lm = module_find(m, name);
	bool busy;

	if (!lm)
		return -ENOENT;
	pthread_mutex_lock(&m->module_lock);
	busy = lm->users > 0;
	lm->going = !busy;
	pthread_mutex_unlock(&m->module_lock);
	if (busy)
		return -EBUSY;
	module_leave_nets(m, lm->mod);
	if (lm->mod->exit)
		lm->mod->exit(m);
	synchronize_net(m);
	*ret_object = lm->object;
	module_unlist(m, lm);
	return 0;
}

void modules_machine_init(struct machine *m)
{
	pthread_mutex_init(&m->module_lock, NULL);
	list_init(&m->loaded_modules);
}

void modules_machine_exit(struct machine *m)
{
	assert(list_empty(&m->loaded_modules));
	pthread_mutex_destroy(&m->module_lock);
}
