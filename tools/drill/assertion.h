/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * assertion.h - %{ python }% blocks of scripts
 *
 * At each block the state of a socket is taken; the code of all runs behind the script's end, in order, in one interpreter: so
 * that time does not pass for it, and what one block defines the next can use. A block sees tcpi_* (TCP_INFO), what its congestion
 * control tells of itself (TCP_CC_INFO: bbr_*, dctcp_*, tcpv_*), SK_MEMINFO_* by sk_meminfo_*, and TCP_ESTABLISHED ..., TCP_CA_Open ...
 */
#ifndef WEIR_DRILL_ASSERTION_H
#define WEIR_DRILL_ASSERTION_H

#include "drill/script.h"
#include "drill/world.h"

struct drill_assertions {
	char *text;
	size_t len, size;
	bool any;
};

/* The state of world descriptor @fd (-1: no socket: only the constants are there). 0 or -ENOMEM. */
int drill_assertion_add(struct drill_assertions *a, const struct drill_event *event,
			struct drill_world *w, int fd);
/* Runs what was added. 0; -1 with the line and malloced text in @ret_line, @ret_message. */
int drill_assertions_run(struct drill_assertions *a, const char *path, uint32_t *ret_line,
			 char **ret_message);
void drill_assertions_free(struct drill_assertions *a);

#endif
