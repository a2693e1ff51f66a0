/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flow.h - the connections of a script: between its numbers and those on the wire
 *
 * Theory of operation
 *   A flow is a 4-tuple on the wire. Its remote end is the script: ports are made up, sequence numbers are those that the script writes
 *   in its SYN. Its local end is the stack, whose initial sequence number is learnt from its SYN. Behind the SYN a script counts from
 *   1, so the offset of a number depends on whether the segment has SYN:
 *     in segments with SYN     wire = written + (ISN on the wire - ISN as written)
 *     in all others            wire = written + ISN on the wire
 *   Time stamps of the stack are mapped value by value: what a script calls TS val 100 is what came with it. In the other direction,
 *   an ecr that was never seen keeps its distance to the first that was.
 */
#ifndef WEIR_DRILL_FLOW_H
#define WEIR_DRILL_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drill/packet.h"

struct drill_ts_pair {
	uint32_t written, wire;
};

struct drill_flow {
	struct drill_flow *next;
	enum drill_proto proto;
	struct drill_addr local, remote;
	uint16_t lport, rport;
	uint16_t written_lport, written_rport; /* 0: the script names no ports */
	int fd;                                /* the script's descriptor; -1: none yet */
	bool passive;                          /* began with an inbound SYN */
	bool open;                             /* segments of an open connection went to and fro */
	bool syn_in; /* a SYN came in since the local ISN was learnt: it may change */
	bool local_known, remote_known;
	uint32_t local_isn, local_written;
	uint32_t remote_isn, remote_written;
	uint32_t
		quoted_seq; /* of the last segment that the stack sent, as written: what an ICMP error quotes */
	struct drill_ts_pair *ts;
	size_t nr_ts;
	uint64_t ts_time; /* of the first pair */
};

struct drill_flows {
	struct drill_flow *first;
	uint16_t next_port;
};

void drill_flows_free(struct drill_flows *fs);
/* NULL: no memory. */
struct drill_flow *drill_flow_new(struct drill_flows *fs, enum drill_proto proto,
				  const struct drill_addr *local, uint16_t lport,
				  const struct drill_addr *remote, uint16_t rport);
/* A port for the script's end that no flow has. */
uint16_t drill_flow_port(struct drill_flows *fs);
struct drill_flow *drill_flow_find(struct drill_flows *fs, enum drill_proto proto,
				   const struct drill_addr *local, uint16_t lport,
				   const struct drill_addr *remote, uint16_t rport);
struct drill_flow *drill_flow_of_ports(struct drill_flows *fs, enum drill_proto proto,
				       uint16_t written_lport, uint16_t written_rport);
bool drill_addr_equal(const struct drill_addr *a, const struct drill_addr *b);

/* From the script's numbers to the wire's, and learns from what is written. */
void drill_flow_inbound(struct drill_flow *f, struct drill_packet *p);
/*
 * @seen, a packet of the stack's, to the script's numbers; learns from what @expected writes. @now, @tick_ns (0: time stamps are not
 * checked against time) and @tolerance_ns are for time stamps: one that fits becomes what is expected.
 */
void drill_flow_outbound(struct drill_flow *f, const struct drill_packet *expected,
			 struct drill_packet *seen, uint64_t now, uint64_t tick_ns,
			 uint64_t tolerance_ns);

#endif
