/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng.c - see pcapng.h
 *
 * Theory of operation
 *   The tap copies each frame into a held entry (a ring of HOLD_FRAMES). pcapng_poll() reads new trace records into a small map packet id -> last
 *   record, and writes entries that are older than HOLD_NS, or earlier when the ring is half full.
 */
#include "see/pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD_FRAMES 8192
#define HOLD_NS     500000000ull
#define FATES       32768 /* power of two; direct-mapped by packet id */
#define SNAPLEN     262144

enum { BLOCK_SHB = 0x0a0d0d0a, BLOCK_IDB = 1, BLOCK_EPB = 6 };
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	OPT_SHB_USERAPPL = 4,
	OPT_IF_NAME = 2,
	OPT_IF_TSRESOL = 9,
	OPT_EPB_FLAGS = 2,
	OPT_EPB_PACKETID = 5
};

struct held {
	struct weir_frame frame;
	char net[64];
};

struct capture_net {
	struct capture_net *next;
	struct pcapng *owner;
	struct weir_tap *tap;
	char name[64];
};

struct interface {
	uint32_t net_id, ifindex;
};

struct pcapng {
	FILE *out;
	int error;
	struct weir_machine *machine; /* of the nets watched */
	struct recorder *rec;
	uint64_t next_record;
	struct weir_trace_record *fates;
	struct capture_net *nets;
	struct interface *interfaces;
	uint32_t nr_interfaces;
	struct held *held; /* ring */
	uint64_t head, tail;
	uint64_t overruns;
};

/* ---- blocks -------------------------------------------------------------------------------------------- */

struct block {
	uint8_t *p;
	size_t len, size;
};

static void put(struct block *b, const void *data, size_t n)
{
	size_t padded = (n + 3) & ~(size_t)3;

	if (b->len + padded > b->size) {
		size_t size = (b->len + padded) * 2;
		uint8_t *p = realloc(b->p, size);

		if (!p)
			return;
		b->p = p;
		b->size = size;
	}
	if (n)
		memcpy(b->p + b->len, data, n);
	if (padded > n)
		memset(b->p + b->len + n, 0, padded - n);
	b->len += padded;
}

static void put32(struct block *b, uint32_t v)
{
	put(b, &v, 4);
}

static void put_option(struct block *b, uint16_t code, const void *data, size_t n)
{
	uint16_t h[2] = { code, (uint16_t)n };

	put(b, h, 4);
	put(b, data, n);
}

static void block_begin(struct block *b, uint32_t type)
{
	b->len = 0;
	put32(b, type);
	put32(b, 0);
}

static void block_end(struct pcapng *p, struct block *b)
{
	uint32_t total = (uint32_t)b->len + 4;

	put32(b, total);
	if (b->p && b->len == total) {
		memcpy(b->p + 4, &total, 4);
		if (fwrite(b->p, 1, b->len, p->out) != b->len && !p->error)
			p->error = -(errno ? errno : EIO);
	} else if (!p->error) {
		p->error = -ENOMEM;
	}
	free(b->p);
}

static void write_section_header(struct pcapng *p)
{
	struct block b = { 0 };
	char appl[64];
	uint64_t unknown_length = UINT64_MAX;

	snprintf(appl, sizeof(appl), "weir %s", weir_version());
	block_begin(&b, BLOCK_SHB);
	put32(&b, 0x1a2b3c4d);
	put32(&b, 1); /* version 1.0 */
	put(&b, &unknown_length, 8);
	put_option(&b, OPT_SHB_USERAPPL, appl, strlen(appl));
	put_option(&b, OPT_END, NULL, 0);
	block_end(p, &b);
}

static uint32_t interface_of(struct pcapng *p, const struct held *h)
{
	struct block b = { 0 };
	struct interface *grown;
	char name[96];
	uint8_t nanoseconds = 9;
	uint32_t linktype =
		1 | 0u << 16; /* LINKTYPE_ETHERNET: loopback has an Ethernet header too */

	for (uint32_t i = 0; i < p->nr_interfaces; i++)
		if (p->interfaces[i].net_id == h->frame.net_id &&
		    p->interfaces[i].ifindex == h->frame.ifindex)
			return i;
	grown = realloc(p->interfaces, (p->nr_interfaces + 1) * sizeof(*grown));
	if (!grown)
		return 0;
	p->interfaces = grown;
	p->interfaces[p->nr_interfaces] = (struct interface){ h->frame.net_id, h->frame.ifindex };
	snprintf(name, sizeof(name), "%s:%.16s", h->net, h->frame.ifname);
	block_begin(&b, BLOCK_IDB);
	put32(&b, linktype);
	put32(&b, SNAPLEN);
	put_option(&b, OPT_IF_NAME, name, strlen(name));
	put_option(&b, OPT_IF_TSRESOL, &nanoseconds, 1);
	put_option(&b, OPT_END, NULL, 0);
	block_end(p, &b);
	return p->nr_interfaces++;
}

static void describe_fate(const struct pcapng *p, uint64_t id, char *buf, size_t size)
{
	const struct weir_trace_record *f = &p->fates[id & (FATES - 1)];
	static const char *const verdicts[] = { "passed", "dropped",    "delivered",
						"queued", "taken over", "created" };

	if (f->skb_id != id || !f->point) {
		snprintf(buf, size, "packet #%llu", (unsigned long long)id);
		return;
	}
	snprintf(buf, size, "packet #%llu: %s at %s (%s)%s%s", (unsigned long long)id,
		 verdicts[f->verdict < 6 ? f->verdict : 0], f->point, f->file,
		 f->reason ? ", " : "",
		 f->reason ? weir_drop_reason_name(recorder_machine(p->rec), f->reason) : "");
}

static void write_packet(struct pcapng *p, const struct held *h)
{
	struct block b = { 0 };
	uint32_t iface = interface_of(p, h), flags = h->frame.outgoing ? 2 : 1;
	char comment[256];

	block_begin(&b, BLOCK_EPB);
	put32(&b, iface);
	put32(&b, (uint32_t)(h->frame.time >> 32));
	put32(&b, (uint32_t)h->frame.time);
	put32(&b, h->frame.caplen);
	put32(&b, h->frame.len);
	put(&b, h->frame.data, h->frame.caplen);
	if (p->rec) {
		describe_fate(p, h->frame.skb_id, comment, sizeof(comment));
		put_option(&b, OPT_COMMENT, comment, strlen(comment));
	}
	put_option(&b, OPT_EPB_FLAGS, &flags, 4);
	put_option(&b, OPT_EPB_PACKETID, &h->frame.skb_id, 8);
	put_option(&b, OPT_END, NULL, 0);
	block_end(p, &b);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

struct pcapng *pcapng_create(const char *path, struct recorder *r)
{
	struct pcapng *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->rec = r;
	p->held = calloc(HOLD_FRAMES, sizeof(*p->held));
	p->fates = calloc(FATES, sizeof(*p->fates));
	p->out = fopen(path, "we");
	if (!p->out || !p->held || !p->fates) {
		int err = p->out ? ENOMEM : errno;

		if (p->out)
			fclose(p->out);
		free(p->held);
		free(p->fates);
		free(p);
		errno = err;
		return NULL;
	}
	if (r)
		p->next_record = recorder_records_end(r);
	write_section_header(p);
	return p;
}

/* Runs inside the stack: copies. A full ring loses the new frame and counts it. */
static void hold_frame(const struct weir_frame *f, void *arg)
{
	struct capture_net *c = arg;
	struct pcapng *p = c->owner;
	struct held *h = &p->held[p->head % HOLD_FRAMES];
	uint8_t *copy;

	if (p->head - p->tail == HOLD_FRAMES || !(copy = malloc(f->caplen ? f->caplen : 1))) {
		p->overruns++;
		return;
	}
	memcpy(copy, f->data, f->caplen);
	h->frame = *f;
	h->frame.data = copy;
	memcpy(h->net, c->name, sizeof(h->net));
	p->head++;
}

int pcapng_watch(struct pcapng *p, struct weir_net *net)
{
	struct capture_net *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->owner = p;
	strncpy(c->name, weir_net_name(net), sizeof(c->name) - 1);
	c->tap = weir_tap_create(net, NULL, SNAPLEN, hold_frame, c);
	if (!c->tap) {
		int err = -errno;

		free(c);
		return err;
	}
	c->next = p->nets;
	p->nets = c;
	p->machine = weir_net_machine(net);
	return 0;
}

static void learn_fates(struct pcapng *p)
{
	if (!p->rec)
		return;
	if (p->next_record < recorder_records_begin(p->rec))
		p->next_record = recorder_records_begin(p->rec);
	for (; p->next_record < recorder_records_end(p->rec); p->next_record++) {
		const struct weir_trace_record *rec = recorder_record(p->rec, p->next_record);

		p->fates[rec->skb_id & (FATES - 1)] = *rec;
	}
}

static void write_until(struct pcapng *p, uint64_t deadline, bool all)
{
	while (p->tail != p->head) {
		struct held *h = &p->held[p->tail % HOLD_FRAMES];

		if (!all && h->frame.time > deadline && p->head - p->tail < HOLD_FRAMES / 2)
			break;
		write_packet(p, h);
		free((void *)h->frame.data);
		p->tail++;
	}
}

int pcapng_poll(struct pcapng *p)
{
	learn_fates(p);
	if (p->nets)
		write_until(p, weir_realtime(p->machine) - HOLD_NS, !p->rec);
	return p->error;
}

int pcapng_close(struct pcapng *p)
{
	int err;

	learn_fates(p);
	write_until(p, 0, true);
	while (p->nets) {
		struct capture_net *c = p->nets;

		p->nets = c->next;
		weir_tap_destroy(c->tap);
		free(c);
	}
	if (fclose(p->out) != 0 && !p->error)
		p->error = -errno;
	if (p->overruns)
		fprintf(stderr,
			"weir: the capture lost %llu frames: they came faster than they could be "
			"written\n",
			(unsigned long long)p->overruns);
	err = p->error;
	free(p->interfaces);
	free(p->held);
	free(p->fates);
	free(p);
	return err;
}
