/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flags.h - what --so_flags says: items with commas between, NAME=VALUE or NAME
 *
 *   local_ip, remote_ip, gateway_ip, netmask_ip, mtu, ip_version   as the tool's own options; they must agree with those
 *   seed, pcapng                                                   as of weir drill
 *   follow_sysctls                                                 sysctls of the network namespace that the tool is in, as they are
 *                                                                  at each system call, are the instance's
 *   NAME.WITH.DOTS=VALUE                                           a sysctl
 */
#ifndef WEIR_DRILL_FLAGS_H
#define WEIR_DRILL_FLAGS_H

#include <stdbool.h>

#include "drill/drill.h"

struct flags {
	struct drill_options options;
	bool follow_sysctls;
	struct flags_sysctl {
		const char *name, *value;
	} * sysctls;
	size_t nr_sysctls;
	char *text; /* what the pointers point into */
};

/* @text may be NULL. 0, -ENOMEM, or -EINVAL with a sentence in @error. */
int flags_parse(struct flags *f, const char *text, char *error, size_t size);
void flags_free(struct flags *f);

#endif
