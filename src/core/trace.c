/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.c - the rings that trace points write to
 *
 * Theory of operation
 *   A cpu has one ring of a power of two of records; the number of a record counts from 1 over the life of the machine and selects its
 *   slot. Writing overwrites the oldest. A reader remembers the number of the last record it has seen (its cursor; 0: none) and learns
 *   how many it missed. Rings stay when recording is turned off, so that what was recorded can still be read; numbers go on when it is
 *   turned on again.
 * Locking: the cpu's lock guards its ring. Tables are registered before the machine works and never change.
 */
#include "core/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "core/core_internal.h"
#include "core/netdevice.h"
#include "core/sock.h"

TRACE_POINT_TABLE(core_trace_points, CORE, CORE_TRACE_POINTS);

struct trace_ring {
	u64 last;  /* number of the newest record; 0: none yet */
	u64 first; /* the first number that was written into this ring */
	u32 mask;
	struct trace_record records[];
};

static const struct net *trace_net(const struct sk_buff *skb, const struct net *net)
{
	if (net)
		return net;
	if (skb->dev)
		return skb->dev->net;
	return skb->sk ? sock_net(skb->sk) : NULL;
}

static void trace_record(const struct trace_call *call)
{
	const struct sk_buff *skb = call->skb;
	const struct net *net;
	struct cpu *cpu = skb->cpu;
	struct trace_ring *ring = cpu->trace;
	u64 nr;

	lock_assert_held(cpu);
	if (!ring)
		return;
	net = trace_net(skb, call->net);
	nr = ++ring->last;
	ring->records[nr & ring->mask] = (struct trace_record){
		.time = cpu->now,
		.skb_id = skb->id,
		.related = call->related,
		.arg1 = call->arg1,
		.arg2 = call->arg2,
		.net_id = net ? net->id : 0,
		.ifindex = skb->dev ? (u32)skb->dev->ifindex : 0,
		.point = (trace_point_t)call->what,
		.cpu = cpu->id,
		.reason = (skb_drop_reason_t)(call->what >> 24),
		.verdict = (u8)(call->what >> 16),
		.context = cpu->context,
		.seq = (u32)nr,
		.len = skb->len,
	};
}

#ifdef TRACE_SAVES_REGISTERS
/* Vector registers, and what of them a newer processor has, are told to be changed where this is called (core/trace.h). */
__attribute__((naked, cold)) void(__trace_skb)(void)
{
	__asm__("push %%rbp\n\t.cfi_adjust_cfa_offset 8\n\t.cfi_rel_offset %%rbp, 0\n\t"
		"mov %%rsp, %%rbp\n\t.cfi_def_cfa_register %%rbp\n\t"
		"push %%rax\n\tpush %%rcx\n\tpush %%rdx\n\tpush %%rsi\n\tpush %%rdi\n\t"
		"push %%r8\n\tpush %%r9\n\tpush %%r10\n\tpush %%r11\n\t"
		"lea 16(%%rbp), %%rdi\n\t" /* behind rbp and the return address */
		"and $-16, %%rsp\n\t"
		"call %P0\n\t"
		"lea -72(%%rbp), %%rsp\n\t"
		"pop %%r11\n\tpop %%r10\n\tpop %%r9\n\tpop %%r8\n\t"
		"pop %%rdi\n\tpop %%rsi\n\tpop %%rdx\n\tpop %%rcx\n\tpop %%rax\n\t"
		"pop %%rbp\n\t.cfi_def_cfa %%rsp, 8\n\tret"
		:
		: "i"(trace_record));
}
#else
void(__trace_skb)(const struct trace_call *call)
{
	trace_record(call);
}
#endif

void trace_point_register(struct machine *m, const struct trace_point_table *table)
{
	assert(table->range < NR_DROP_RANGES && table->count < (1u << TRACE_RANGE_SHIFT));
	m->trace_tables[table->range] = table;
}

const struct trace_point_desc *trace_point_desc(const struct machine *m, trace_point_t tp)
{
	static const struct trace_point_desc unknown = { "?", "?", NULL, NULL };
	u32 range = tp >> TRACE_RANGE_SHIFT, row = tp & ((1u << TRACE_RANGE_SHIFT) - 1);
	const struct trace_point_table *table =
		range < NR_DROP_RANGES ? m->trace_tables[range] : NULL;

	return table && row >= 1 && row <= table->count ? &table->rows[row - 1] : &unknown;
}

static struct trace_ring *ring_create(u32 records)
{
	u32 n = 1u << order_base_2(clamp(records, 16u, 1u << 24));
	struct trace_ring *ring =
		calloc(1, sizeof(*ring) + (size_t)n * sizeof(struct trace_record));

	if (ring)
		ring->mask = n - 1;
	return ring;
}

int trace_enable(struct machine *m, u32 records)
{
	struct trace_ring *fresh[MACHINE_MAX_CPUS];
	u32 i;

	for (i = 0; i < m->ncpus; i++) {
		fresh[i] = ring_create(records);
		if (!fresh[i]) {
			while (i-- > 0)
				free(fresh[i]);
			return -ENOMEM;
		}
	}
	for (i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = m->cpus[i];
		struct trace_ring *old;

		cpu_lock(cpu);
		old = cpu->trace;
		if (old && old->mask == fresh[i]->mask) {
			old = fresh
				[i]; /* the one that is there will do, and holds what was recorded */
		} else {
			fresh[i]->last = old ? old->last : 0;
			fresh[i]->first = fresh[i]->last + 1;
			cpu->trace = fresh[i];
		}
		cpu->trace_on = true;
		cpu_unlock(cpu);
		free(old);
	}
	return 0;
}

void trace_disable(struct machine *m)
{
	u32 i;

	for (i = 0; i < m->ncpus; i++) {
		cpu_lock(m->cpus[i]);
		m->cpus[i]->trace_on = false;
		cpu_unlock(m->cpus[i]);
	}
}

void trace_fini(struct cpu *cpu)
{
	free(cpu->trace);
	cpu->trace = NULL;
}

u32 trace_read(struct cpu *cpu, u64 *cursor, struct trace_record *out, u32 max, u64 *ret_lost)
{
	struct trace_ring *ring;
	u64 oldest, lost = 0;
	u32 n = 0;

	cpu_lock(cpu);
	ring = cpu->trace;
	if (ring) {
		oldest = ring->last > ring->mask ? ring->last - ring->mask : 1;
		oldest = max(oldest, ring->first);
		if (*cursor + 1 < oldest) {
			lost = oldest - (*cursor + 1);
			*cursor = oldest - 1;
		}
		while (n < max && *cursor < ring->last)
			out[n++] = ring->records[++*cursor & ring->mask];
	}
	cpu_unlock(cpu);
	if (ret_lost)
		*ret_lost = lost;
	return n;
}
