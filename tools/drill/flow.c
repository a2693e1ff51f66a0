/* SPDX-License-Identifier: BSD-2-Clause */
/* flow.c - the connections of a script: between its numbers and those on the wire (flow.h) */
#include "drill/flow.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 32768

void drill_flows_free(struct drill_flows *fs)
{
	while (fs->first) {
		struct drill_flow *f = fs->first;

		fs->first = f->next;
		free(f->ts);
		free(f);
	}
}

struct drill_flow *drill_flow_new(struct drill_flows *fs, enum drill_proto proto,
				  const struct drill_addr *local, uint16_t lport,
				  const struct drill_addr *remote, uint16_t rport)
{
	struct drill_flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->proto = proto;
	f->local = *local;
	f->remote = *remote;
	f->lport = lport;
	f->rport = rport;
	f->fd = -1;
	f->next = fs->first;
	fs->first = f;
	return f;
}

uint16_t drill_flow_port(struct drill_flows *fs)
{
	if (fs->next_port < FIRST_PORT)
		fs->next_port = FIRST_PORT;
	return fs->next_port++;
}

bool drill_addr_equal(const struct drill_addr *a, const struct drill_addr *b)
{
	return a->family == b->family && !memcmp(&a->v6, &b->v6, a->family == AF_INET6 ? 16 : 4);
}

struct drill_flow *drill_flow_find(struct drill_flows *fs, enum drill_proto proto,
				   const struct drill_addr *local, uint16_t lport,
				   const struct drill_addr *remote, uint16_t rport)
{
	struct drill_flow *f;

	for (f = fs->first; f; f = f->next)
		if (f->proto == proto && f->lport == lport && f->rport == rport &&
		    drill_addr_equal(&f->local, local) && drill_addr_equal(&f->remote, remote))
			break;
	return f;
}

struct drill_flow *drill_flow_of_ports(struct drill_flows *fs, enum drill_proto proto,
				       uint16_t written_lport, uint16_t written_rport)
{
	struct drill_flow *f;

	for (f = fs->first; f; f = f->next)
		if (f->proto == proto && f->written_lport == written_lport &&
		    f->written_rport == written_rport)
			break;
	return f;
}

/* ---- sequence numbers ------------------------------------------------------------------------------------ */

static uint32_t local_offset(const struct drill_flow *f, bool syn)
{
	return syn ? f->local_isn - f->local_written : f->local_isn;
}

static uint32_t remote_offset(const struct drill_flow *f, bool syn)
{
	return syn ? f->remote_isn - f->remote_written : f->remote_isn;
}

/* ---- time stamps ----------------------------------------------------------------------------------------- */

static uint32_t ecr_on_wire(const struct drill_flow *f, uint32_t written)
{
	/* The latest meaning of a value counts. */
	for (size_t i = f->nr_ts; i-- > 0;)
		if (f->ts[i].written == written)
			return f->ts[i].wire;
	return f->nr_ts ? written - f->ts[0].written + f->ts[0].wire : written;
}

static void ts_learn(struct drill_flow *f, uint32_t written, uint32_t wire, uint64_t now)
{
	struct drill_ts_pair *ts = realloc(f->ts, (f->nr_ts + 1) * sizeof(*ts));

	if (!ts)
		return; /* an ecr then keeps its distance */
	if (!f->nr_ts)
		f->ts_time = now;
	ts[f->nr_ts++] = (struct drill_ts_pair){ written, wire };
	f->ts = ts;
}

/* Does the stack's clock stand where the script says, counted from its first time stamp? */
static bool ts_fits(const struct drill_flow *f, uint32_t written, uint32_t wire, uint64_t tick_ns,
		    uint64_t tolerance_ns)
{
	int32_t off = (int32_t)((written - f->ts[0].written) - (wire - f->ts[0].wire));

	return (uint64_t)llabs((long long)off) * tick_ns <= tolerance_ns;
}

static void ts_outbound(struct drill_flow *f, const struct drill_packet *expected,
			struct drill_packet *seen, uint64_t now, uint64_t tick_ns,
			uint64_t tolerance_ns)
{
	const struct drill_tcp_option *want = drill_packet_option(expected, DRILL_OPT_TS);
	struct drill_tcp_option *got = drill_packet_option_mut(seen, DRILL_OPT_TS);
	uint32_t wire;

	if (!got)
		return;
	wire = got->ts.val;
	if (!want || want->ts.any_val) {
		/* In the script's numbers for those who read the message. */
		if (f->nr_ts)
			got->ts.val = wire - f->ts[0].wire + f->ts[0].written;
		return;
	}
	if (!f->nr_ts || !tick_ns || ts_fits(f, want->ts.val, wire, tick_ns, tolerance_ns)) {
		ts_learn(f, want->ts.val, wire, now);
		got->ts.val = want->ts.val;
	} else {
		got->ts.val = wire - f->ts[0].wire + f->ts[0].written;
	}
}

/* ---- packets --------------------------------------------------------------------------------------------- */

/* A SYN within an open connection is not the beginning of another one: its number is of the one that there is. */
static void note_open(struct drill_flow *f, const struct drill_packet *p)
{
	if (p->tcp.flags & (DRILL_TCP_FIN | DRILL_TCP_RST))
		f->open = false;
	else if (!(p->tcp.flags & DRILL_TCP_SYN) && f->local_known && f->remote_known)
		f->open = true;
}

void drill_flow_inbound(struct drill_flow *f, struct drill_packet *p)
{
	bool syn = p->proto == DRILL_TCP && p->tcp.flags & DRILL_TCP_SYN;
	struct drill_shift by = { 0 };
	struct drill_tcp_option *ts;

	if (p->proto == DRILL_ICMP) {
		if (p->icmp.quote == DRILL_QUOTE_TCP)
			by.ack = f->local_isn;
		drill_packet_shift(p, &by);
		return;
	}
	if (p->proto != DRILL_TCP)
		return;
	if (syn && !f->open) {
		f->remote_isn = f->remote_written = p->tcp.seq;
		f->remote_known = f->syn_in = true;
	}
	note_open(f, p);
	by.seq = remote_offset(f, syn);
	if (p->tcp.flags & DRILL_TCP_ACK)
		by.ack = local_offset(f, syn);
	ts = drill_packet_option_mut(p, DRILL_OPT_TS);
	if (ts && p->tcp.flags & DRILL_TCP_ACK)
		by.ts_ecr = ecr_on_wire(f, ts->ts.ecr) - ts->ts.ecr;
	drill_packet_shift(p, &by);
}

void drill_flow_outbound(struct drill_flow *f, const struct drill_packet *expected,
			 struct drill_packet *seen, uint64_t now, uint64_t tick_ns,
			 uint64_t tolerance_ns)
{
	bool syn = seen->proto == DRILL_TCP && seen->tcp.flags & DRILL_TCP_SYN;
	struct drill_shift by = { 0 };

	if (seen->proto != DRILL_TCP)
		return;
	if (syn && (!f->local_known || f->syn_in)) {
		f->local_isn = seen->tcp.seq;
		f->local_written = expected && expected->proto == DRILL_TCP &&
						   expected->tcp.flags & DRILL_TCP_SYN
					   ? expected->tcp.seq
					   : 0;
		f->local_known = true;
		f->syn_in = false;
	}
	note_open(f, seen);
	by.seq = -local_offset(f, syn);
	if (seen->tcp.flags & DRILL_TCP_ACK)
		by.ack = -remote_offset(f, syn);
	drill_packet_shift(seen, &by);
	f->quoted_seq = seen->tcp.seq;
	if (expected && expected->proto == DRILL_TCP)
		ts_outbound(f, expected, seen, now, tick_ns, tolerance_ns);
}
