/* SPDX-License-Identifier: BSD-2-Clause */
/* streams.h - the named random streams of a host; see streams.c. For host/ only */
#ifndef WEIR_HOST_STREAMS_H
#define WEIR_HOST_STREAMS_H

#include <pthread.h>

#include "lib/types.h"

struct random_stream;

struct random_streams {
	pthread_mutex_t lock; /* leaf: guards all below */
	struct random_stream *first;
	bool seeded;
	u64 seed;
};

void random_streams_init(struct random_streams *s, bool seeded, u64 seed);
void random_streams_fini(struct random_streams *s);
void random_streams_get(struct random_streams *s, const char *name, void *buf, size_t len);

#endif
