/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loss_side.c - recovery: what one connection carries over a link that loses 1 % of the frames each way, weir's TCP and the kernel's on the same link
 *
 * 1 Gbit/s, 10 ms there and back, a buffer of one product. The link is ours, between two taps in two namespaces (study_tcp_kernel.c); the two runs of
 * a pair lose frames by the same seed. LOSS_S seconds count, after one, whatever the other rows take: some hundred losses.
 */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>

#include "bench/study_tcp.h"

#define LOSS_S 6.0
#define RATE   1e9

static double carry(const struct bench_params *p, bool weir)
{
	struct study_scenario s = { .control = p->control,
				    .flows = 1,
				    .buffer = 1,
				    .loss = 0.01,
				    .from_s = 1,
				    .to_s = 1 + LOSS_S,
				    .rate = RATE,
				    .rtt_us = 10000,
				    .seed = p->seed,
				    .weir_ends = weir };
	struct study_result r;
	const char *why;

	if (!study_kernel_run(&s, &r, &why)) {
		fprintf(stderr, "bench: %s\n", why);
		return -EPERM;
	}
	return r.goodput * RATE / 8 * STUDY_MSS / STUDY_FRAME;
}

double weir_loss(const struct bench_params *p)
{
	return carry(p, true);
}

double kernel_loss(const struct bench_params *p)
{
	return carry(p, false);
}
