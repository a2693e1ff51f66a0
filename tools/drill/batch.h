/* SPDX-License-Identifier: BSD-2-Clause */
/* batch.h - many scripts, several at a time, each in a process of its own; what became of them as text, JSON and JUnit XML */
#ifndef WEIR_DRILL_BATCH_H
#define WEIR_DRILL_BATCH_H

#include "drill/drill.h"

/* A script in a variant. */
struct drill_job {
	char *path;
	enum drill_variant variant;
	struct drill_result result;
	char *output;   /* what it and its commands wrote */
	double seconds; /* of real time */
	int pid;        /* while it runs */
	int from;       /* ... our end of its pipe */
	int out;        /* ... where its output goes */
	double started;
	bool done;
};

struct drill_batch {
	struct drill_job *job;
	size_t nr;
	/* Options of all; the variant is the job's, and so are the words. */
	struct drill_options options;
	struct {
		const struct drill_define *define;
		size_t nr;
	} defines[DRILL_NR_VARIANTS];
	const char *
		pcapng; /* with more than one job "-VARIANT" and the script's name go in front of its end */
	unsigned parallel;
	double limit; /* seconds of real time for each; 0: none */
	/* Called in the order of the jobs, as they are ready. */
	void (*report)(const struct drill_job *job, void *arg);
	void *arg;
};

/* Adds a file, or all *.pkt below a directory in the order of their names, in those of @variants (bit 1 << variant) that the name
 * allows: "...v4.pkt" is not for IPv6, "...v6.pkt" for nothing else. 0 or -errno. */
int drill_batch_add(struct drill_batch *b, const char *path, unsigned variants);
/* The number of those that failed, or -errno. */
int drill_batch_run(struct drill_batch *b);
void drill_batch_free(struct drill_batch *b);

/* 0 or -errno */
int drill_batch_json(const struct drill_batch *b, FILE *out);
int drill_batch_junit(const struct drill_batch *b, FILE *out);

#endif
