/* SPDX-License-Identifier: BSD-2-Clause */
/* drill.h - running a packet script: what the command needs to know */
#ifndef WEIR_DRILL_DRILL_H
#define WEIR_DRILL_DRILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "drill/script.h"

enum drill_variant {
	DRILL_IPV4,
	DRILL_MAPPED, /* AF_INET6 sockets, IPv4 packets */
	DRILL_IPV6,
	DRILL_NR_VARIANTS,
};

/* "ipv4", "mapped", "ipv6" */
extern const char *const drill_variant_name[DRILL_NR_VARIANTS];

/*
 * Options of a run: what --name=value says, on the command line or in a script; a script's win. NULL and 0: the default of the variant.
 */
struct drill_options {
	enum drill_variant variant;
	const char *local_ip, *remote_ip, *gateway_ip, *netmask_ip;
	uint32_t mtu, mss;
	uint16_t bind_port, connect_port;
	uint64_t tolerance_ns, ts_tick_ns;
	bool strict_segments, ts_ecr_scaled;
	const char *init_scripts;
	/* These are the command line's alone. */
	uint64_t seed;
	const struct drill_define *defines;
	size_t nr_defines;
	const char *pcapng;
	bool kernel;
	bool verbose; /* a line for each event on @log */
	FILE *log;
};

void drill_options_default(struct drill_options *o, enum drill_variant variant);
/* 0; -ENOENT: no such option; -EINVAL: a value that it cannot have. @value must outlive @o. */
int drill_options_set(struct drill_options *o, const char *name, const char *value);

/* The network that @o asks for. 0, or -EINVAL with a sentence in @error. */
struct drill_net_config;
int drill_network(const struct drill_options *o, struct drill_net_config *ret, char *error,
		  size_t size);

struct drill_result {
	bool passed;
	uint32_t line; /* of the event that failed; 0: none */
	char *message; /* why it failed; several lines. NULL if passed */
	uint64_t ns;   /* how long the script took on its own clock */
};

/* Runs a script once. @ret is filled in either case; free(@ret->message). */
void drill_run(const char *path, const struct drill_options *o, struct drill_result *ret);

#endif
