/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - the root of everything mutable: host, cpus, rtnl, nets, registries
 *
 * Machines share nothing; a process may hold several. Lifetime: machine_create() ... machine_destroy(), which
 * requires that no thread is inside a call.
 */
#ifndef WEIR_CORE_MACHINE_H
#define WEIR_CORE_MACHINE_H

#include <pthread.h>

#include "core/cpu.h"
#include "core/drop_reason.h"
#include "core/trace.h"
#include "host/host.h"
#include "lib/list.h"

struct net;
struct module;
struct net_module;
struct net_proto_family;
struct Qdisc_ops;
struct host_dev_ops;    /* drivers/ */
struct machine_inet;    /* inet/protosw.c */
struct tcp_machine;     /* tcp/: congestion control algorithms */
struct rtnl_table;      /* netlink/ */
struct sysctl_registry; /* sysctl.c */

#define MACHINE_MAX_CPUS 64
#define NPROTO           48 /* address families */
#define PROTO_MAX        32 /* transports: struct proto */

struct weir_crypto; /* weir/crypto.h */

struct machine {
	struct host *host;
	struct cpu *cpus[MACHINE_MAX_CPUS];
	u32 ncpus;
	bool workers; /* one thread per cpu; else caller-driven */
	bool single_threaded; /* never two threads at once: cpus are not locked, files counted without atomics */
	bool stopping;
	struct host_thread *threads[MACHINE_MAX_CPUS];

	pthread_mutex_t
		rtnl; /* guards configuration: devices, addresses, routes, registries. Before any cpu lock */
	struct list_head nets; /* rtnl */
	u32 next_net_id;
	const struct net_module *modules; /* the ordered table of stack/modules.c */
	u32 nr_modules;
	const struct net_proto_family *net_families[NPROTO]; /* rtnl; published pointers */
	const struct proto
		*protos[PROTO_MAX]; /* rtnl; NULL: free. A place is kept by netns_core too */
	struct machine_sock *sock;  /* socket/: locks of the epolls, open files */
	u32 linkwatch_pending;      /* atomic: a carrier has changed since linkwatch_run() looked */
	u32 event_pending;          /* atomic: an epoll became ready since weir_run() looked */
	const struct Qdisc_ops **qdisc_kinds; /* rtnl: queueing disciplines that are there */
	u32 nr_qdisc_kinds;
	const struct host_dev_ops *host_devs[8]; /* rtnl: drivers/host_dev.h */
	struct machine_inet *inet;               /* inet/: which protocol serves (type, protocol) */
	struct tcp_machine *tcp;                 /* tcp/: congestion control algorithms */
	struct rtnl_table *rtnl_table;
	struct sysctl_registry *sysctls;
	const struct drop_reason_table *drop_tables[NR_DROP_RANGES];
	u16 drop_base[NR_DROP_RANGES]; /* where the counters of a range begin, in net.drop_counts */
	u16 nr_drop_reasons;
	const struct trace_point_table *trace_tables[NR_DROP_RANGES];

	/* core/module.c: what was loaded at run time */
	pthread_mutex_t module_lock; /* leaf: users of the modules; with rtnl: the list */
	struct list_head loaded_modules;
	/* Looks for a module and loads it: 0, -ENOENT ... NULL: nothing is loaded on demand. Takes rtnl. */
	int (*request_module)(struct machine *m, const char *name);
	void *request_module_arg;

	const struct weir_crypto *crypto; /* weir/crypto.h; NULL: none */
	u64 mem_limit;                    /* octets the arenas may take; 0: the default */
	u32 next_ifindex;

	/* parkers for blocked threads, and who drives a caller-driven machine (wait.c); leaf lock */
	pthread_mutex_t parker_lock;
	struct list_head parkers;      /* unused ones */
	struct list_head driver_queue; /* blocked threads that could take over */
	bool driven;                   /* a thread turns the loop */
	struct host_parker *driver;    /* whom to unpark for new work */

	/* caller-driven: whom to wake when another thread queues work (an eventfd of the embedding API) */
	void (*kick)(struct machine *m, void *arg);
	void *kick_arg;
	u64 sock_cookies;  /* atomic: struct cpu_numbers */
	u64 inos;          /* atomic: of sockets */
	u64 arena_octets;  /* atomic: taken by the arenas of all cpus; at most mem_limit */
	u64 arena_mallocs; /* atomic: allocations from the system on the packet path */
	u64 start_ns;
	u64 hash_seed[2]; /* host stream "hash": keys of the hash tables (siphash) */
};

struct machine_config {
	struct host *host; /* owned by the machine from here on, also on failure */
	u32 ncpus;         /* 0: 1 */
	bool workers;
	bool single_threaded;
	u64 mem_limit;                    /* 0: 1 GiB per cpu */
	const struct weir_crypto *crypto; /* NULL: none */
	const struct net_module *modules;
	u32 nr_modules;
};

/* NULL with errno set. */
struct machine *machine_create(const struct machine_config *cfg);
void machine_destroy(struct machine *m);

void rtnl_lock(struct machine *m);
void rtnl_unlock(struct machine *m); /* no cpu lock */
/*
 * A turn of the loop, no lock held: carriers that have changed are told of, unless somebody configures, whose rtnl_unlock() does it then. True: there
 * may be something to do.
 */
bool linkwatch_turn(struct machine *m);

/* One turn of all cpus without sleeping: timers, queued work, softirqs. The ns until something is due by
 * itself: 0 more work now, HOST_FOREVER nothing. */
u64 machine_turn(struct machine *m);

/* wait.c. As machine_turn(), but does nothing: for an event loop outside, right before it sleeps. From then on m->kick is called
 * when something comes up that is earlier than what was returned. */
u64 machine_next_event(struct machine *m);
/* wait.c. Drives a caller-driven machine: turns until at least one round did something and nothing is left to do now, or until
 * @timeout_ns (HOST_FOREVER: none) passed without work. 0; -EINVAL with workers; -ENOMEM; -EINTR: being stopped. */
int machine_run(struct machine *m, u64 timeout_ns);
/* Wakes whoever drives @m (the thread in machine_run() or a blocking call) and calls m->kick. Any thread. */
void machine_kick(struct machine *m);

#endif
