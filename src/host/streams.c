/* SPDX-License-Identifier: BSD-2-Clause */
/* streams.c - see streams.h */
#include "host/streams.h"

#include <stdlib.h>

#include "lib/random.h"

struct random_stream {
	struct list_head node;
	u64 state[4];
	char name[];
};

void random_streams_init(struct random_streams *s, u64 seed)
{
	pthread_mutex_init(&s->lock, NULL);
	list_init(&s->streams);
	s->seed = seed;
}

void random_streams_fini(struct random_streams *s)
{
	struct random_stream *r, *next;

	list_for_each_entry_safe(r, next, &s->streams, node)
		free(r);
	pthread_mutex_destroy(&s->lock);
}

static struct random_stream *stream_find(struct random_streams *s, const char *name)
{
	struct random_stream *r;
	size_t n = strlen(name) + 1;

	list_for_each_entry(r, &s->streams, node)
		if (strcmp(r->name, name) == 0)
			return r;
	r = malloc(sizeof(*r) + n);
	if (!r)
		return NULL;
	memcpy(r->name, name, n);
	random_stream_seed(r->state, s->seed, name);
	list_add(&r->node, &s->streams);
	return r;
}

void random_streams_draw(struct random_streams *s, const char *name, void *buf, size_t len)
{
	struct random_stream *r;
	u64 fresh[4];

	pthread_mutex_lock(&s->lock);
	r = stream_find(s, name);
	if (!r)
		random_stream_seed(fresh, s->seed, name);
	random_bytes(r ? r->state : fresh, buf, len);
	pthread_mutex_unlock(&s->lock);
}
