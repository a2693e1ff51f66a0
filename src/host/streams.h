/* SPDX-License-Identifier: BSD-2-Clause */
/* streams.h - named random streams of a seeded host: each continues where it was left */
#ifndef WEIR_HOST_STREAMS_H
#define WEIR_HOST_STREAMS_H

#include <pthread.h>

#include "lib/list.h"
#include "lib/types.h"

struct random_streams {
	pthread_mutex_t lock;
	struct list_head streams; /* struct random_stream */
	u64 seed;
};

void random_streams_init(struct random_streams *s, u64 seed);
void random_streams_fini(struct random_streams *s);
/* Any thread. A stream that has no memory to be remembered starts anew with each call. */
void random_streams_draw(struct random_streams *s, const char *name, void *buf, size_t len);

#endif
