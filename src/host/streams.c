/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.c - named random streams
 *
 * Seeded, a stream is a function of seed and name alone, whatever the others do. Unseeded, all octets come from getrandom(2): keys made
 * of them are fit to keep secrets. Consumers that need a number per packet draw a seed once and go on by themselves.
 */
#include "host/streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/random.h"

struct random_stream {
	struct random_stream *next;
	u64 state[4];
	char name[];
};

void random_streams_init(struct random_streams *s, bool seeded, u64 seed)
{
	*s = (struct random_streams){ .seeded = seeded, .seed = seed };
	pthread_mutex_init(&s->lock, NULL);
}

void random_streams_fini(struct random_streams *s)
{
	struct random_stream *r, *next;

	for (r = s->first; r; r = next) {
		next = r->next;
		free(r);
	}
	pthread_mutex_destroy(&s->lock);
}

/* Lock held. NULL: it is new, and there is no memory to keep it. */
static struct random_stream *stream_find(struct random_streams *s, const char *name)
{
	struct random_stream *r;
	size_t n = strlen(name) + 1;

	for (r = s->first; r; r = r->next)
		if (!strcmp(r->name, name))
			return r;
	r = malloc(sizeof(*r) + n);
	if (!r)
		return NULL;
	memcpy(r->name, name, n);
	random_stream_seed(r->state, s->seed, name);
	r->next = s->first;
	s->first = r;
	return r;
}

static void system_random(void *buf, size_t len)
{
	u8 *p = buf;
	ssize_t n;

	while (len) {
		n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) { /* nothing below us can be trusted then */
			perror("weir: getrandom");
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

void random_streams_get(struct random_streams *s, const char *name, void *buf, size_t len)
{
	struct random_stream *r;

	if (!s->seeded) {
		system_random(buf, len);
		return;
	}
	pthread_mutex_lock(&s->lock);
	r = stream_find(s, name);
	if (r) {
		random_bytes(r->state, buf, len);
	} else { /* its beginning, once more: still a function of seed and name, and most are drawn from once */
		u64 state[4];

		random_stream_seed(state, s->seed, name);
		random_bytes(state, buf, len);
	}
	pthread_mutex_unlock(&s->lock);
}
