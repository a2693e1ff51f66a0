/* SPDX-License-Identifier: BSD-2-Clause */
/* study_tcp.h - the bottleneck of study_tcp, and what was measured at it: over the stack (study_tcp.c), over the host's kernel (study_tcp_kernel.c) */
#ifndef WEIR_BENCH_STUDY_TCP_H
#define WEIR_BENCH_STUDY_TCP_H

#include <stdbool.h>
#include <stdint.h>

#define STUDY_RATE      50000000.0
#define STUDY_RTT_US    40000.0
#define STUDY_MSS       1448
#define STUDY_FRAME     1514
#define STUDY_BDP       165 /* packets */
#define STUDY_MAX_FLOWS 4
#define STUDY_STEP_S    2 /* a connection begins so long after the one before */

struct study_scenario {
	const char *control;
	unsigned flows;
	double buffer;       /* of the product */
	double loss;         /* parts of all frames, each way */
	unsigned mark_from;  /* packets that wait; 0: nothing is marked */
	double from_s, to_s; /* what counts */
};

struct study_result {
	double goodput, rtt, losses, fairness;
};

/* What each connection had. */
struct study_flow {
	uint64_t octets;        /* read, since counting began */
	double srtt_us;         /* mean */
	uint32_t retrans, sent; /* segments, since counting began */
};

static inline unsigned study_queue(const struct study_scenario *s)
{
	return (unsigned)(s->buffer * STUDY_BDP) > 1 ? (unsigned)(s->buffer * STUDY_BDP) : 1;
}
struct study_result study_sum_up(const struct study_scenario *s, const struct study_flow *f);

/* In real time, between two network namespaces that are there for this run only. False: not possible here; *ret_why says why. */
bool study_kernel_run(const struct study_scenario *s, struct study_result *ret,
		      const char **ret_why);

#endif
