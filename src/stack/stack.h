/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack.h - the composition root: the module table, and what the files of the embedding API share
 *
 * The opaque handles of weir.h are our own structures: struct weir_net is struct net, struct weir_file is struct file.
 */
#ifndef WEIR_STACK_STACK_H
#define WEIR_STACK_STACK_H

#include "core/machine.h"
#include "core/net.h"
#include "socket/socket.h"
#include "weir/weir.h"

extern const struct net_module weir_modules[];
extern const u32 weir_nr_modules;

struct weir_machine {
	struct machine *m;
	u32 net_cpus; /* of what weir_net_create() makes */
	/* weir_arm(): -1 until it was called */
	int epoll_fd, event_fd, timer_fd;
	u32 armed; /* atomic: a kick writes event_fd */
	u32 kicked; /* atomic: it did; set behind the write, so that a counter is never left unread */
	u64 timer_at; /* when timer_fd expires or did; 0: it is not set */
	pthread_mutex_t arm_lock;

	/* module_load.c */
	char *module_path; /* NULL: none */
	bool module_root_only;
	void (*module_log)(void *arg, const char *text);
	void *module_log_arg;
};

int module_load_init(struct weir_machine *wm,
		     const struct weir_machine_config *cfg); /* 0, -ENOMEM */
void module_load_exit(struct weir_machine *wm);              /* all nets are gone */

static inline struct net *net_of(const struct weir_net *net)
{
	return (struct net *)net;
}
static inline struct file *file_of(const struct weir_file *f)
{
	return (struct file *)f;
}
static inline struct weir_file *to_weir_file(struct file *f)
{
	return (struct weir_file *)f;
}

#endif
