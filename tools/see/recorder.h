/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.h - the flight recorder: the last trace records and frames of a machine, for walks and captures
 *
 * Theory of operation
 *   The stack writes trace records into rings of its own; recorder_poll() moves them here before they are overwritten, into a bigger ring
 *   in order of time. Taps copy the first octets of each frame with its packet id, so that a filter in pcap syntax can
 *   find the ids of packets afterwards. Both rings forget the oldest. One recorder serves all nets of a machine.
 * Threads: one; recorder_poll() must be called where weir_ calls are allowed. The taps run inside the stack and only copy.
 */
#ifndef WEIR_SEE_RECORDER_H
#define WEIR_SEE_RECORDER_H

#include <weir/weir.h>

#define RECORDER_SNAP 160

struct recorded_frame {
	uint64_t seq;  /* of all frames, from 1 on */
	uint64_t time; /* ns since 1970 */
	uint64_t skb_id;
	uint32_t net_id, ifindex, len, caplen;
	uint16_t dev_type, protocol;
	bool outgoing;
	char ifname[16];
	uint8_t data[RECORDER_SNAP];
};

struct recorder;

/* Starts tracing on @m. NULL with errno set. @records and @frames are rounded up to powers of two. */
struct recorder *recorder_create(struct weir_machine *m, uint32_t records, uint32_t frames);
/* Before the machine is destroyed. NULL is fine. */
void recorder_free(struct recorder *r);
/* Watches the frames of @net, which must outlive the recorder. 0 or -errno. */
int recorder_watch(struct recorder *r, struct weir_net *net);
void recorder_poll(struct recorder *r);

/* Name of a net that is watched; "?" for others. */
const char *recorder_net_name(const struct recorder *r, uint32_t net_id);
struct weir_machine *recorder_machine(const struct recorder *r);

/* Records and frames by sequence number: valid in [*_begin, *_end). NULL when forgotten. */
uint64_t recorder_records_begin(const struct recorder *r);
uint64_t recorder_records_end(const struct recorder *r);
const struct weir_trace_record *recorder_record(const struct recorder *r, uint64_t seq);
uint64_t recorder_frames_begin(const struct recorder *r);
uint64_t recorder_frames_end(const struct recorder *r);
const struct recorded_frame *recorder_frame(const struct recorder *r, uint64_t seq);
/* Records that the stack overwrote before they were read. */
uint64_t recorder_lost(const struct recorder *r);

#endif
