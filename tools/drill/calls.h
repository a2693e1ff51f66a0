/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.h - system calls of scripts: arguments from expressions, results and structures compared with what is expected
 *
 * drill_call_prepare() makes an argument vector; drill_call_run() does the call, in any thread; drill_call_check() compares. All memory
 * that a call needs hangs off it and ends with drill_call_free().
 */
#ifndef WEIR_DRILL_CALLS_H
#define WEIR_DRILL_CALLS_H

#include "drill/script.h"
#include "drill/world.h"

struct sockaddr_storage;
struct drill_alloc;
struct drill_call_row;

/* The script's descriptors: what its numbers are in the world. */
struct drill_fds {
	int *world; /* by the script's number; -1: closed */
	int nr;
};

/* What calls need to know of the script's run. */
struct drill_calls {
	struct drill_world *world;
	struct drill_fds fds;
	int domain;                      /* of socket(...): AF_INET, AF_INET6 */
	struct drill_addr local, remote; /* for bind(..., ...) and connect(..., ...) */
	uint16_t bind_port, connect_port;
	uint64_t realtime; /* of the script's time 0 */
	uint64_t tolerance_ns;
};

#define DRILL_CALL_ARGS 6

struct drill_run_call {
	struct drill_calls *calls;
	const struct drill_event *event;
	const struct drill_call_row *row;
	struct drill_alloc *memory;
	unsigned long arg[DRILL_CALL_ARGS];
	int fd;           /* the script's number in the first argument; -1 */
	long result;      /* of the world, or -errno */
	char error[1024]; /* why prepare or check failed */
};

/* 0, or -1 with @c->error. drill_call_free() in either case. */
int drill_call_prepare(struct drill_run_call *c, struct drill_calls *calls,
		       const struct drill_event *event);
void drill_call_run(struct drill_run_call *c);
/* Also keeps the table of descriptors. 0, or -1 with @c->error. */
int drill_call_check(struct drill_run_call *c);
void drill_call_free(struct drill_run_call *c);

/* The world's descriptor; -1: none. */
int drill_fd_world(const struct drill_fds *fds, int script_fd);
void drill_fds_free(struct drill_fds *fds);

/* The length of the socket address. @domain AF_INET6 with an IPv4 address: mapped. */
unsigned drill_sockaddr(int domain, const struct drill_addr *a, uint16_t port,
			struct sockaddr_storage *ret);
/* The other way; mapped ones as IPv4. False: neither. */
bool drill_addr_of_sockaddr(const struct sockaddr_storage *ss, struct drill_addr *ret_addr,
			    uint16_t *ret_port);

#endif
