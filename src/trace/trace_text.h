/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_text.h - one trace record as a line for people
 */
#ifndef WEIR_TRACE_TRACE_TEXT_H
#define WEIR_TRACE_TRACE_TEXT_H

#include "core/trace.h"

struct trace_line { /* a record with its names */
	u64 time, skb_id, related, arg1, arg2;
	u32 net_id, ifindex, len;
	enum trace_verdict verdict;
	u8 context;
	const char *point, *file, *arg1_name, *arg2_name;
	const char *reason; /* NULL: not dropped */
	u32 depth;          /* of indentation */
};

/* Writes at most @size octets with the NUL; returns the length of the whole line, as snprintf(). No newline. */
int trace_text(const struct trace_line *l, char *buf, size_t size);
const char *trace_verdict_name(enum trace_verdict v);
const char *trace_context_name(u8 context); /* static storage */

#endif
