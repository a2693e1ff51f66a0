/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_run.h - a lab that lives: nets, links, programs, report
 */
#ifndef WEIR_LAB_LAB_RUN_H
#define WEIR_LAB_LAB_RUN_H

#include "lab/lab.h"
#include "run/run.h"

struct lab_options {
	bool stay;   /* "up": in the background, until "down" */
	bool seeded; /* @seed instead of the file's */
	uint64_t seed;
	const char *pcapng; /* NULL: none */
	const char *walk;   /* filter of the walk at the end; NULL: the last big data packet */
	bool report;
};

/* Builds and runs @desc; consumes it. Returns an exit status for main(); what went wrong was said on stderr. */
int lab_run(struct lab_desc *desc, const struct lab_options *opt);

#endif
