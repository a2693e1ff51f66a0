/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cable.h - what leaves the stack, in order, each packet with the time at which it left
 *
 * A thread of the world receives and pokes the world for each packet. What stacks say by themselves (IGMP, MLD, neighbours, routers)
 * is left out. Locking: a lock of its own guards the queue; any thread may take.
 */
#ifndef WEIR_DRILL_CABLE_H
#define WEIR_DRILL_CABLE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct drill_world;

struct drill_frame {
	struct drill_frame *next;
	uint64_t time; /* on the world's clock */
	size_t len;
	uint8_t octets[];
};

struct drill_cable {
	struct drill_world *world;
	void *thread;
	pthread_mutex_t lock;
	struct drill_frame *first, **tail;
};

/* 0, or -ENOMEM. A failed one needs no end. */
int drill_cable_start(struct drill_cable *c, struct drill_world *w);
/* Unplugs the world, and frees what is in the queue. One that was not started (all zeros) may be ended. */
void drill_cable_end(struct drill_cable *c);
/* The oldest, or NULL. free() it. */
struct drill_frame *drill_cable_take(struct drill_cable *c);

#endif
