/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - the rings that trace points write to: see trace.h
 *
 * Theory of operation
 *   Each cpu has a ring of a power of two of records; end counts all records ever written, so record number n lies at
 *   n & mask until end - n exceeds the size. Readers keep a cursor of their own and learn from it what they lost. Rings stay
 *   allocated when tracing stops, so that what was recorded can still be read; enabling again empties them.
 * Locking: the cpu lock guards its ring; rtnl guards enabling.
 */
#include "core/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/net.h"
#include "core/netdevice.h"
#include "core/sock.h"

struct trace_ring {
	u64 end;
	u64 mask;
	struct trace_record records[];
};

void __trace_skb(const struct sk_buff *skb, const struct net *net, trace_point_t tp, enum trace_verdict v,
		 skb_drop_reason_t reason, u64 related, u64 arg1, u64 arg2)
{
	struct cpu *cpu = skb->cpu;
	struct trace_ring *ring = cpu->trace;
	struct trace_record *r = &ring->records[ring->end & ring->mask];

	if (!net)
		net = skb->dev ? skb->dev->net : skb->sk ? sock_net(skb->sk) : NULL;
	*r = (struct trace_record){
		.time = cpu->now,
		.skb_id = skb->id,
		.related = related,
		.arg1 = arg1,
		.arg2 = arg2,
		.net_id = net ? net->id : 0,
		.ifindex = skb->dev ? (u32)skb->dev->ifindex : 0,
		.point = tp,
		.cpu = cpu->id,
		.reason = reason,
		.verdict = (u8)v,
		.seq = (u32)ring->end,
		.len = skb->len,
	};
	ring->end++;
}

void trace_point_register(struct machine *m, const struct trace_point_table *table)
{
	assert(table->range < NR_DROP_RANGES && table->count < (1 << TRACE_RANGE_SHIFT));
	m->trace_tables[table->range] = table;
}

const struct trace_point_desc *trace_point_desc(const struct machine *m, trace_point_t tp)
{
	static const struct trace_point_desc unknown = { "?", "?", NULL, NULL };
	u32 range = tp >> TRACE_RANGE_SHIFT, row = tp & ((1 << TRACE_RANGE_SHIFT) - 1);
	const struct trace_point_table *t = range < NR_DROP_RANGES ? m->trace_tables[range] : NULL;

	return t && row && row <= t->count ? &t->rows[row - 1] : &unknown;
}

int trace_enable(struct machine *m, u32 records)
{
	u64 size = 1ull << order_base_2(max(records, 64u));

	for (u32 i = 0; i < m->ncpus; i++) {
		struct trace_ring *ring = malloc(sizeof(*ring) + size * sizeof(ring->records[0]));
		struct cpu *cpu = m->cpus[i];
		struct trace_ring *old;

		if (!ring) {
			trace_disable(m);
			return -ENOMEM;
		}
		ring->end = 0;
		ring->mask = size - 1;
		cpu_lock(cpu);
		old = cpu->trace;
		cpu->trace = ring;
		cpu->trace_on = true;
		cpu_unlock(cpu);
		free(old);
	}
	return 0;
}

void trace_disable(struct machine *m)
{
	for (u32 i = 0; i < m->ncpus; i++) {
		cpu_lock(m->cpus[i]);
		m->cpus[i]->trace_on = false;
		cpu_unlock(m->cpus[i]);
	}
}

u32 trace_read(struct cpu *cpu, u64 *cursor, struct trace_record *out, u32 max, u64 *ret_lost)
{
	struct trace_ring *ring;
	u64 begin, n = 0;

	*ret_lost = 0;
	cpu_lock(cpu);
	ring = cpu->trace;
	if (ring) {
		begin = ring->end > ring->mask + 1 ? ring->end - (ring->mask + 1) : 0;
		if (*cursor > ring->end)
			*cursor = 0; /* tracing was enabled anew */
		if (*cursor < begin) {
			*ret_lost = begin - *cursor;
			*cursor = begin;
		}
		n = min(ring->end - *cursor, (u64)max);
		for (u64 i = 0; i < n; i++)
			out[i] = ring->records[(*cursor + i) & ring->mask];
		*cursor += n;
	}
	cpu_unlock(cpu);
	return (u32)n;
}

TRACE_POINT_TABLE(core_trace_points, CORE, CORE_TRACE_POINTS);
