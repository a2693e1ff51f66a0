/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h - the story of one packet: which functions it went through, on which nodes, and how it ended
 *
 * A packet changes its identity on the way: TCP sends a clone of what it keeps, a big segment is cut, received segments are merged.
 * A walk follows these relations: backwards from the packet to what it was made from, forwards to what it went into.
 */
#ifndef WEIR_SEE_WALK_H
#define WEIR_SEE_WALK_H

#include <stdio.h>

#include "see/recorder.h"

/* A filter in pcap syntax over recorded frames. @expr NULL or "": everything. NULL with *ret_error (free() it) set. */
struct walk_filter;
struct walk_filter *walk_filter_compile(const char *expr, char **ret_error);
void walk_filter_free(struct walk_filter *f);
bool walk_filter_match(struct walk_filter *f, const struct recorded_frame *frame);

/* The newest frame of @net_id (0: any) that matches; NULL. @min_len: at least that many octets. */
const struct recorded_frame *walk_find_last(const struct recorder *r, uint32_t net_id,
					    struct walk_filter *f, uint32_t min_len);
/* The newest packet that was dropped on @net_id (0: any); its id, or 0. */
uint64_t walk_find_last_drop(const struct recorder *r, uint32_t net_id);

/* Prints the walk of packet @id as an indented story. Returns how many records it had. */
unsigned walk_print(FILE *out, const struct recorder *r, uint64_t id);

/* One line that names a frame: "tcp 10.0.0.1:80 > 10.0.0.2:40000 seq 1 ack 1 len 1448". */
void walk_describe(const struct recorded_frame *frame, char *buf, size_t size);

#endif
