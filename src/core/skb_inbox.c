/* SPDX-License-Identifier: BSD-2-Clause */
/* skb_inbox.c - see skb_inbox.h */
#include "core/skb_inbox.h"

#include "core/machine.h"

/* One packet more, in load. */
#define LOAD_SHIFT  40
#define LOAD_PACKET (1ull << LOAD_SHIFT)

static u32 load_packets(u64 load)
{
	return (u32)(load >> LOAD_SHIFT);
}

static u64 load_octets(u64 load)
{
	return load & (LOAD_PACKET - 1);
}

/* All that is there, in the order in which it came. */
static struct sk_buff *inbox_take_all(struct skb_inbox *in)
{
	struct sk_buff *skb = __atomic_exchange_n(&in->head, NULL, __ATOMIC_ACQUIRE);
	struct sk_buff *fifo = NULL, *next;

	for (; skb; skb = next) {
		next = skb->next;
		skb->next = fifo;
		fifo = skb;
	}
	return fifo;
}

static void inbox_empty(struct cpu *cpu, struct cpu_call *call)
{
	struct skb_inbox *in = container_of(call, struct skb_inbox, call);
	struct sk_buff *skb, *next;

	lock_assert_held(cpu);
	for (skb = inbox_take_all(in); skb; skb = next) {
		next = skb->next;
		skb->next = skb->prev = NULL;
		__atomic_sub_fetch(&in->load, LOAD_PACKET + skb->truesize, __ATOMIC_RELAXED);
		in->deliver(in, skb);
	}
}

bool skb_inbox_put(struct skb_inbox *in, struct sk_buff *skb)
{
	struct cpu *from = skb->cpu;
	struct sk_buff *old;
	u64 mine = LOAD_PACKET + skb->truesize, load;

	load = __atomic_add_fetch(&in->load, mine, __ATOMIC_RELAXED);
	if (load_packets(load) > in->limit || load_octets(load - mine) >= SKB_INBOX_OCTETS) {
		__atomic_sub_fetch(&in->load, mine, __ATOMIC_RELAXED);
		__atomic_add_fetch(&in->refused, 1, __ATOMIC_RELAXED);
		return false;
	}
	skb = skb_migrate(skb, in->cpu);
	if (!skb) {
		__atomic_sub_fetch(&in->load, mine, __ATOMIC_RELAXED);
		return true;
	}
	if (LOAD_PACKET + skb->truesize != mine) /* a copy */
		__atomic_add_fetch(&in->load, LOAD_PACKET + skb->truesize - mine, __ATOMIC_RELAXED);
	skb->dev = NULL; /* that is the sender's: deliver() sets ours */
	old = __atomic_load_n(&in->head, __ATOMIC_RELAXED);
	do {
		skb->next = old;
	} while (!__atomic_compare_exchange_n(&in->head, &old, skb, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	cpu_call_on(from, in->cpu, &in->call);
	return true;
}

u32 skb_inbox_take_refused(struct skb_inbox *in)
{
	return __atomic_exchange_n(&in->refused, 0, __ATOMIC_RELAXED);
}

void skb_inbox_init(struct skb_inbox *in, struct cpu *cpu, u32 limit,
		    void (*deliver)(struct skb_inbox *in, struct sk_buff *skb))
{
	*in = (struct skb_inbox){ .cpu = cpu, .deliver = deliver, .limit = limit };
	cpu_call_init(&in->call, inbox_empty);
}

void skb_inbox_fini(struct skb_inbox *in, skb_drop_reason_t reason)
{
	struct sk_buff *skb, *next;

	lock_assert_held(in->cpu);
	for (skb = inbox_take_all(in); skb; skb = next) {
		next = skb->next;
		skb->next = skb->prev = NULL;
		__atomic_sub_fetch(&in->load, LOAD_PACKET + skb->truesize, __ATOMIC_RELAXED);
		kfree_skb_reason(skb, reason);
	}
	run_remote_work(in->cpu); /* our call may be among it */
}
