/* SPDX-License-Identifier: BSD-2-Clause */
/* cable.c - what leaves the stack */
#include "drill/cable.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "drill/packet.h"
#include "drill/world.h"

/* What stacks say by themselves: IGMP, MLD, neighbours, routers. */
static bool is_chatter(const uint8_t *p, size_t len)
{
	size_t at = 40;
	uint8_t next;

	if (len >= 20 && p[0] >> 4 == 4)
		return p[9] == IPPROTO_IGMP;
	if (len < 48 || p[0] >> 4 != 6)
		return true;
	next = p[6];
	if (next == IPPROTO_HOPOPTS && len >= 56) { /* MLD has a router alert */
		next = p[40];
		at += 8u + p[41] * 8u;
	}
	return next == IPPROTO_ICMPV6 && at < len &&
	       (p[at] == MLD_LISTENER_QUERY || p[at] == MLD_LISTENER_REPORT ||
		p[at] == MLD_LISTENER_REDUCTION || p[at] == 143 ||
		(p[at] >= ND_ROUTER_SOLICIT && p[at] <= ND_REDIRECT));
}

static void cable_thread(void *arg)
{
	static const size_t size = DRILL_PACKET_MAX + 64;
	struct drill_cable *c = arg;
	struct drill_world *w = c->world;
	uint8_t *buf = malloc(size);
	uint64_t time;
	ssize_t n;

	while (buf && (n = w->ops->receive(w, buf, size, &time)) >= 0) {
		struct drill_frame *f;

		if (is_chatter(buf, (size_t)n))
			continue;
		f = malloc(sizeof(*f) + (size_t)n);
		if (!f)
			continue;
		f->next = NULL;
		f->time = time;
		f->len = (size_t)n;
		memcpy(f->octets, buf, f->len);
		pthread_mutex_lock(&c->lock);
		*c->tail = f;
		c->tail = &f->next;
		pthread_mutex_unlock(&c->lock);
		w->ops->poke(w);
	}
	free(buf);
}

struct drill_frame *drill_cable_take(struct drill_cable *c)
{
	struct drill_frame *f;

	pthread_mutex_lock(&c->lock);
	f = c->first;
	if (f) {
		c->first = f->next;
		if (!c->first)
			c->tail = &c->first;
	}
	pthread_mutex_unlock(&c->lock);
	return f;
}

int drill_cable_start(struct drill_cable *c, struct drill_world *w)
{
	*c = (struct drill_cable){ .world = w };
	c->tail = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	c->thread = w->ops->thread_start(w, cable_thread, c);
	if (c->thread)
		return 0;
	pthread_mutex_destroy(&c->lock);
	return -ENOMEM;
}

void drill_cable_end(struct drill_cable *c)
{
	struct drill_frame *f;

	if (!c->thread)
		return;
	c->world->ops->unplug(c->world);
	c->world->ops->thread_join(c->world, c->thread);
	while ((f = drill_cable_take(c)))
		free(f);
	pthread_mutex_destroy(&c->lock);
	c->thread = NULL;
}
