/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_text.c - one trace record as a line for people
 *
 *     12.003400120  1:2  #77 (of #76)  softirq/net_rx  ip_rcv             ipv4/ip_input.c  len=1500  drop IP_CSUM
 *
 * Time in seconds, net:ifindex, packet, what it was made from, who ran it, function, file, arguments by name, and the verdict where
 * it is not just "went on".
 */
#include "trace/trace_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/cpu.h"

struct line {
	char *buf;
	size_t size, len;
};

__printf(2, 3) static void put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->len < l->size ? l->buf + l->len : NULL,
		      l->len < l->size ? l->size - l->len : 0, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n;
}

const char *trace_verdict_name(enum trace_verdict v)
{
	static const char *const names[] = {
		"pass", "drop", "done", "queued", "stolen", "created"
	};

	return (unsigned)v < ARRAY_SIZE(names) ? names[v] : "?";
}

const char *trace_context_name(u8 context)
{
	static const char *const names[NR_CONTEXTS][2] = {
		[CONTEXT_PROCESS] = { "process", "process" },
		[CONTEXT_WORK] = { "softirq/hi", "ksoftirqd/hi" },
		[CONTEXT_TASKLET_HI] = { "tasklet_hi", "ksoftirqd/tasklet_hi" },
		[CONTEXT_TIMER] = { "timer", "ksoftirqd/timer" },
		[CONTEXT_NET_TX] = { "softirq/net_tx", "ksoftirqd/net_tx" },
		[CONTEXT_NET_RX] = { "softirq/net_rx", "ksoftirqd/net_rx" },
		[CONTEXT_TASKLET] = { "tasklet", "ksoftirqd/tasklet" },
		[CONTEXT_HARDIRQ] = { "hardirq", "hardirq" },
	};
	u8 what = (u8)(context & ~CONTEXT_KSOFTIRQD);

	return what < NR_CONTEXTS ? names[what][!!(context & CONTEXT_KSOFTIRQD)] : "?";
}

int trace_text(const struct trace_line *t, char *buf, size_t size)
{
	struct line l = { buf, size, 0 };

	if (size)
		buf[0] = 0;
	put(&l, "%5llu.%09llu  %u:%u  #%llu", (unsigned long long)(t->time / NSEC_PER_SEC),
	    (unsigned long long)(t->time % NSEC_PER_SEC), t->net_id, t->ifindex,
	    (unsigned long long)t->skb_id);
	if (t->related)
		put(&l, " (of #%llu)", (unsigned long long)t->related);
	put(&l, "  %-16s", trace_context_name(t->context));
	put(&l, "  %*s%-24s %-24s len=%u", (int)t->depth * 2, "", t->point, t->file, t->len);
	if (t->arg1_name)
		put(&l, " %s=%llu", t->arg1_name, (unsigned long long)t->arg1);
	if (t->arg2_name)
		put(&l, " %s=%llu", t->arg2_name, (unsigned long long)t->arg2);
	if (t->verdict != TRACE_PASS)
		put(&l, "  %s", trace_verdict_name(t->verdict));
	if (t->reason)
		put(&l, " %s", t->reason);
	return (int)l.len;
}
