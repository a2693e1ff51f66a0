/* SPDX-License-Identifier: BSD-2-Clause */
/* recorder.c - see recorder.h */
#include "see/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TRACE_RING 65536 /* of each cpu, inside the stack */
#define READ_BATCH 512

struct watched_net {
	struct watched_net *next;
	struct recorder *rec;
	struct weir_tap *tap;
	uint32_t id;
	char name[64];
};

struct recorder {
	struct weir_machine *machine;
	struct watched_net *nets;
	uint64_t cursor[64];
	uint64_t lost;
	struct weir_trace_record *records; /* record seq lies at seq & (nr - 1) */
	uint64_t nr_records, records_end;
	struct recorded_frame *frames;
	uint64_t nr_frames, frames_end;
};

static uint64_t round_up_pow2(uint32_t n)
{
	uint64_t p = 64;

	while (p < n)
		p <<= 1;
	return p;
}

struct recorder *recorder_create(struct weir_machine *m, uint32_t records, uint32_t frames)
{
	struct recorder *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return NULL;
	r->machine = m;
	r->nr_records = round_up_pow2(records);
	r->nr_frames = round_up_pow2(frames);
	r->records = malloc(r->nr_records * sizeof(*r->records));
	r->frames = malloc(r->nr_frames * sizeof(*r->frames));
	if (r->records && r->frames)
		err = weir_trace_enable(m, TRACE_RING);
	if (err < 0) {
		free(r->records);
		free(r->frames);
		free(r);
		errno = -err;
		return NULL;
	}
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	weir_trace_disable(r->machine);
	while (r->nets) {
		struct watched_net *w = r->nets;

		r->nets = w->next;
		weir_tap_destroy(w->tap);
		free(w);
	}
	free(r->records);
	free(r->frames);
	free(r);
}

/* Runs inside the stack: copies, nothing else. */
static void record_frame(const struct weir_frame *f, void *arg)
{
	struct watched_net *w = arg;
	struct recorder *r = w->rec;
	struct recorded_frame *slot = &r->frames[r->frames_end & (r->nr_frames - 1)];

	r->frames_end++;
	slot->seq = r->frames_end;
	slot->time = f->time;
	slot->skb_id = f->skb_id;
	slot->net_id = f->net_id;
	slot->ifindex = f->ifindex;
	slot->len = f->len;
	slot->caplen = f->caplen < RECORDER_SNAP ? f->caplen : RECORDER_SNAP;
	slot->dev_type = f->dev_type;
	slot->protocol = f->protocol;
	slot->outgoing = f->outgoing;
	memcpy(slot->ifname, f->ifname, sizeof(slot->ifname));
	memcpy(slot->data, f->data, slot->caplen);
}

int recorder_watch(struct recorder *r, struct weir_net *net)
{
	struct watched_net *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->rec = r;
	w->id = weir_net_id(net);
	strncpy(w->name, weir_net_name(net), sizeof(w->name) - 1);
	w->tap = weir_tap_create(net, NULL, RECORDER_SNAP, record_frame, w);
	if (!w->tap) {
		int err = -errno;

		free(w);
		return err;
	}
	w->next = r->nets;
	r->nets = w;
	return 0;
}

void recorder_poll(struct recorder *r)
{
	struct weir_trace_record batch[READ_BATCH];
	int n;

	do {
		uint64_t lost = 0;

		n = weir_trace_read(r->machine, r->cursor, batch, READ_BATCH, &lost);
		r->lost += lost;
		for (int i = 0; i < n; i++)
			r->records[r->records_end++ & (r->nr_records - 1)] = batch[i];
	} while (n == READ_BATCH);
}

const char *recorder_net_name(const struct recorder *r, uint32_t net_id)
{
	for (const struct watched_net *w = r->nets; w; w = w->next)
		if (w->id == net_id)
			return w->name;
	return "?";
}

struct weir_machine *recorder_machine(const struct recorder *r)
{
	return r->machine;
}

uint64_t recorder_records_begin(const struct recorder *r)
{
	return r->records_end > r->nr_records ? r->records_end - r->nr_records : 0;
}

uint64_t recorder_records_end(const struct recorder *r)
{
	return r->records_end;
}

const struct weir_trace_record *recorder_record(const struct recorder *r, uint64_t seq)
{
	if (seq < recorder_records_begin(r) || seq >= r->records_end)
		return NULL;
	return &r->records[seq & (r->nr_records - 1)];
}

uint64_t recorder_frames_begin(const struct recorder *r)
{
	return r->frames_end > r->nr_frames ? r->frames_end - r->nr_frames : 0;
}

uint64_t recorder_frames_end(const struct recorder *r)
{
	return r->frames_end;
}

const struct recorded_frame *recorder_frame(const struct recorder *r, uint64_t seq)
{
	if (seq < recorder_frames_begin(r) || seq >= r->frames_end)
		return NULL;
	return &r->frames[seq & (r->nr_frames - 1)];
}

uint64_t recorder_lost(const struct recorder *r)
{
	return r->lost;
}
