/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module.h - parts of a stack that come and go while it runs
 *
 * Theory of operation
 *   A loadable module describes itself by one constant struct module, THIS_MODULE of its code, which is also its identity: tables that
 *   outlive a call (proto, proto_ops, net_proto_family) name it as their owner. What changes is per machine: which modules are
 *   loaded, and how many users each has. A sock counts for its proto's owner, a struct socket for its proto_ops' owner; as packets on the way
 *   out keep the sock they are charged to, no code of a module can be called after its last user has gone. What is registered
 *   without being counted (packet types, protocols, hooks, the family itself) is reached with a cpu lock held only; so a module
 *   goes in this order: no new users; its exit functions take back what they registered; synchronize_net() waits
 *   until every cpu has been unlocked once; then its code is unmapped.
 *   Finding and mapping files is the business of stack/module_load.c, which core asks through machine->request_module.
 * Locking: rtnl to load and unload; machine->module_lock (leaf) for the list and the counts.
 * See doc/adr/0006-modules.md.
 */
#ifndef WEIR_CORE_MODULE_H
#define WEIR_CORE_MODULE_H

#include "core/machine.h"
#include "lib/list.h"
#include "lib/types.h"

struct net;

/* What a module was compiled against: the size of a structure that it shares with the stack. */
struct module_layout {
	const char *name; /* NULL: end of the table */
	u32 size;
};

/* A function of the stack that a module calls; filled in when it is loaded. */
struct module_import {
	const char *name; /* NULL: end of the table */
	void **slot;
};

struct module {
	const char *name;        /* "net-pf-36" */
	const char *description; /* one sentence */
	u32 net_size;            /* octets of its own in every net, zeroed: net_module_data() */
	/* All optional. rtnl held, no cpu lock; must not block. init functions: 0 or -errno, and then nothing is left behind. Each
	 * exit undoes its init; after it nothing may be registered, no timer armed. */
	int (*init)(struct machine *m);
	void (*exit)(struct machine *m);
	int (*net_init)(struct net *net); /* of every net, old and new */
	void (*net_exit)(struct net *net);
	u32 api; /* WEIR_MODULE_API of include/weir/module.h */
	const struct module_layout *layouts;
	const struct module_import *imports;
};

/* One more user. False: it is being unloaded. @mod NULL: the stack itself, which stays. Any lock may be held. */
bool __try_module_get(struct machine *m, const struct module *mod);
void __module_put(struct machine *m, const struct module *mod);
static inline bool try_module_get(struct machine *m, const struct module *mod)
{
	return likely(!mod) || __try_module_get(m, mod);
}
static inline void module_put(struct machine *m, const struct module *mod)
{
	if (unlikely(mod))
		__module_put(m, mod);
}

/* The module's own part of @net, net_size octets; NULL: not (yet) loaded there. rtnl or the net's cpu lock. */
void *net_module_data(const struct net *net, const struct module *mod);

/* Loads the module of this name if there is one. 0: it is there now; -ENOENT. Takes rtnl; no lock held. */
int request_module(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Waits until all who held a cpu lock when this was called have given it back. No cpu lock held. */
void synchronize_net(struct machine *m);

/* ---- for stack/module_load.c: rtnl held ----------------------------------------------------------------- */

struct loaded_module {
	struct list_head node; /* machine->loaded_modules, oldest first */
	const struct module *mod;
	void *object; /* what mapped it */
	u32 users;
	bool going;
};

/* Initialises @mod in the machine and in all nets. 0, -EEXIST, -ENOMEM or what its init functions said. */
int module_add(struct machine *m, const struct module *mod, void *object);
/* The reverse. 0 with *ret_object, -ENOENT, -EBUSY: it has users. */
int module_del(struct machine *m, const char *name, void **ret_object);
struct loaded_module *module_find(struct machine *m, const char *name);

/* ---- for net.c and machine.c ----------------------------------------------------------------------------- */

void modules_machine_init(struct machine *m);
void modules_machine_exit(struct machine *m);
int modules_net_init(struct net *net); /* the loaded ones, oldest first; 0 or -errno */
void modules_net_exit(struct net *net);

#endif
