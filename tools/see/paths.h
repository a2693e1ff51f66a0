/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.h - which of the control paths of doc/paths.md a packet took
 *
 * Transmission has seven: 1 the caller all the way; 2 queued for TX softirq because driver or queue were busy; 3 queued because the
 * discipline holds back; 4 TCP holds back; 5 TX softirq sends what 2 queued; 6 a tasklet sends what 3 queued; 7 an ACK in RX
 * softirq sends what 4 held. Reception has two: the interrupt handler takes the frame, and RX softirq carries it up.
 * Nothing of this is written down by the stack as a number: it follows from the records of a packet, their contexts and why it
 * was held.
 */
#ifndef WEIR_SEE_PATHS_H
#define WEIR_SEE_PATHS_H

#include <weir/weir.h>

#define PATHS_PACKETS 64

enum paths_direction { PATHS_TRANSMIT, PATHS_RECEIVE };

struct paths_line {
	enum paths_direction direction;
	unsigned
		path; /* 1 to 4, or 1 to 2; 0: none of them (an answer or a forwarded packet that leaves at once) */
	unsigned sender; /* 5 to 7, or 0: who it was has no number */
	uint8_t context; /* of the sender */
	uint64_t skb_id;
	char text[200];
};

/* The records of one packet and its relatives, oldest first. */
struct paths {
	struct paths_packet {
		uint64_t id;
		uint8_t held;             /* enum weir_held: the last time */
		bool tcp_held;            /* waited in the write queue of its socket */
		uint32_t cwnd, in_flight; /* ... when it was first held */
		bool interrupt;           /* the handler took it */
		bool received;            /* its reception has been told */
	} packets[PATHS_PACKETS];
	unsigned n;
	bool pending; /* a line that a refusal by the driver takes back */
	struct paths_line line;
};

void paths_init(struct paths *p);
/* True: a path has ended before @rec, *ret says which. Call with NULL at the end, until it gives false. */
bool paths_feed(struct paths *p, const struct weir_trace_record *rec, struct paths_line *ret);

#endif
