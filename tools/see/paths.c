/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paths.c - from trace records to control paths
 *
 * Theory of operation
 *   What happened to a packet before it reached the driver is kept per packet and inherited by what is made from it (a clone, a segment).
 *   dev_hard_start_xmit ends a transmission: why the packet had waited and the context of this record say which path it was. The
 *   driver may still refuse, which the next record (qdisc_requeue) tells; so a line is given out one record later.
 *   Reception is told at the first record that says where the packet has come to: a socket's queue, or TCP's handling of an ACK.
 */
#include "see/paths.h"

#include <stdio.h>
#include <string.h>

void paths_init(struct paths *p)
{
	memset(p, 0, sizeof(*p));
}

static struct paths_packet *find(struct paths *p, uint64_t id)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->packets[i].id == id)
			return &p->packets[i];
	return NULL;
}

/* With more relatives than fit, the oldest is forgotten. */
static struct paths_packet *find_or_add(struct paths *p, uint64_t id)
{
	struct paths_packet *k = find(p, id);

	if (k)
		return k;
	if (p->n == PATHS_PACKETS) {
		memmove(&p->packets[0], &p->packets[1], sizeof(p->packets) - sizeof(p->packets[0]));
		p->n--;
	}
	k = &p->packets[p->n++];
	*k = (struct paths_packet){ .id = id };
	return k;
}

static unsigned context_of(const struct weir_trace_record *rec)
{
	return rec->context & ~WEIR_KSOFTIRQD;
}

/* ---- transmission -------------------------------------------------------------------------------------- */

static const struct {
	unsigned path;
	const char *why;
} held_by[] = {
	[WEIR_HELD_NOT] = { 0, "" },
	[WEIR_HELD_DRIVER] = { 2, "queued because the driver was busy, TX softirq raised" },
	[WEIR_HELD_LOCK] = { 2, "queued because the queue was being run, TX softirq raised" },
	[WEIR_HELD_POLICY] = { 3, "queued by qdisc" },
	[WEIR_HELD_QUOTA] = { 2, "queued because a run had sent enough, TX softirq raised" },
};

/* Who sends what waited, where that has a number. */
static unsigned sender_number(unsigned path, unsigned context)
{
	if (path == 4 && context == WEIR_CONTEXT_NET_RX)
		return 7;
	if (context == WEIR_CONTEXT_TASKLET_HI)
		return 6;
	return context == WEIR_CONTEXT_NET_TX ? 5 : 0;
}

static const char *sender_note(unsigned sender)
{
	return sender == 6 ? " (qdisc watchdog)" : sender == 7 ? " (an ACK came)" : "";
}

static void tell_waited(struct paths_line *l, const struct paths_packet *k)
{
	char tcp[80] = "", by[16] = "";

	if (k->tcp_held)
		snprintf(tcp, sizeof(tcp), "held by TCP (cwnd %u, in flight %u)%s", k->cwnd,
			 k->in_flight, k->held ? ", then " : "");
	if (l->sender)
		snprintf(by, sizeof(by), "%u: ", l->sender);
	snprintf(l->text, sizeof(l->text), "transmit path %u: %s%s, sent by %s%s%s", l->path, tcp,
		 held_by[k->held].why, by, weir_context_name(l->context), sender_note(l->sender));
}

static void transmitted(struct paths *p, const struct paths_packet *k,
			const struct weir_trace_record *rec)
{
	unsigned context = context_of(rec);
	struct paths_line *l = &p->line;

	*l = (struct paths_line){ .direction = PATHS_TRANSMIT,
				  .context = rec->context,
				  .skb_id = rec->skb_id };
	p->pending = true;
	if (k->held || k->tcp_held) {
		l->path = k->held ? held_by[k->held].path : 4;
		l->sender = sender_number(l->path, context);
		tell_waited(l, k);
	} else if (context == WEIR_CONTEXT_PROCESS) {
		l->path = 1;
		snprintf(l->text, sizeof(l->text),
			 "transmit path 1: process context, from the call to the driver");
	} else {
		snprintf(l->text, sizeof(l->text), "transmitted at once in %s",
			 weir_context_name(rec->context));
	}
}

/* ---- reception ----------------------------------------------------------------------------------------- */

static void received(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec,
		     const char *where)
{
	struct paths_line *l = &p->line;

	if (k->received || context_of(rec) != WEIR_CONTEXT_NET_RX)
		return;
	k->received = true;
	*l = (struct paths_line){ .direction = PATHS_RECEIVE,
				  .path = 2,
				  .context = rec->context,
				  .skb_id = rec->skb_id };
	p->pending = true;
	snprintf(l->text, sizeof(l->text), "receive path 2: %s %s", weir_context_name(rec->context),
		 where);
}

static void interrupted(struct paths *p, struct paths_packet *k,
			const struct weir_trace_record *rec)
{
	struct paths_line *l = &p->line;

	if (k->interrupt)
		return;
	k->interrupt = true;
	*l = (struct paths_line){ .direction = PATHS_RECEIVE,
				  .path = 1,
				  .context = rec->context,
				  .skb_id = rec->skb_id };
	p->pending = true;
	snprintf(l->text, sizeof(l->text),
		 "receive path 1: the interrupt handler takes the frame and raises RX softirq");
}

/* ---- records ------------------------------------------------------------------------------------------- */

static void on_made(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec)
{
	const struct paths_packet *parent = find(p, rec->related);

	if (parent) {
		k->tcp_held = parent->tcp_held;
		k->cwnd = parent->cwnd;
		k->in_flight = parent->in_flight;
		k->held = parent->held;
	}
}

static void on_write_xmit(struct paths *p, struct paths_packet *k,
			  const struct weir_trace_record *rec)
{
	if (rec->verdict != WEIR_QUEUED || k->tcp_held)
		return;
	k->tcp_held = true;
	k->cwnd = (uint32_t)rec->arg1;
	k->in_flight = (uint32_t)rec->arg2;
}

static void on_queue_xmit(struct paths *p, struct paths_packet *k,
			  const struct weir_trace_record *rec)
{
	k->held = WEIR_HELD_NOT;
}

static void on_held(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec)
{
	if (rec->arg1 && rec->arg1 < sizeof(held_by) / sizeof(held_by[0]))
		k->held = (uint8_t)rec->arg1;
}

static void on_requeue(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec)
{
	if (p->pending && p->line.skb_id == rec->skb_id)
		p->pending = false;
	on_held(p, k, rec);
}

static void on_hard_start(struct paths *p, struct paths_packet *k,
			  const struct weir_trace_record *rec)
{
	transmitted(p, k, rec);
	k->tcp_held = false;
}

static void on_netif_rx(struct paths *p, struct paths_packet *k,
			const struct weir_trace_record *rec)
{
	if (context_of(rec) == WEIR_CONTEXT_HARDIRQ)
		interrupted(p, k, rec);
}

/* A packet that comes in is another one for what comes after: a forwarded one is sent again. */
static void on_receive(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec)
{
	k->held = WEIR_HELD_NOT;
	k->tcp_held = false;
}

static void on_socket(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec)
{
	received(p, k, rec, "up to the socket's receive queue");
}

static void on_ack(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec)
{
	received(p, k, rec, "up to TCP, which handles the ACK");
}

static const struct {
	const char *point;
	void (*fn)(struct paths *p, struct paths_packet *k, const struct weir_trace_record *rec);
} handlers[] = {
	{ "tcp_write_xmit", on_write_xmit },
	{ "dev_queue_xmit", on_queue_xmit },
	{ "qdisc_dequeue", on_held },
	{ "qdisc_requeue", on_requeue },
	{ "dequeue_skb", on_held },
	{ "dev_hard_start_xmit", on_hard_start },
	{ "netif_rx", on_netif_rx },
	{ "nic_interrupt", interrupted },
	{ "netif_receive_skb", on_receive },
	{ "tcp_data_queue", on_socket },
	{ "tcp_data_queue_ofo", on_socket },
	{ "udp_queue_rcv_skb", on_socket },
	{ "raw_rcv", on_socket },
	{ "ping_rcv", on_socket },
	{ "packet_rcv", on_socket },
	{ "tcp_ack", on_ack },
};

bool paths_feed(struct paths *p, const struct weir_trace_record *rec, struct paths_line *ret)
{
	struct paths_line before = p->line;
	bool waited = p->pending;
	struct paths_packet *k;
	size_t i;

	if (!rec) {
		*ret = before;
		p->pending = false;
		return waited;
	}
	if (waited && strcmp(rec->point, "qdisc_requeue")) {
		p->pending = false;
		*ret = before;
	} else {
		waited = false;
	}
	k = find_or_add(p, rec->skb_id);
	if (rec->verdict == WEIR_CREATE)
		on_made(p, k, rec);
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (!strcmp(rec->point, handlers[i].point)) {
			handlers[i].fn(p, k, rec);
			break;
		}
	}
	return waited;
}
