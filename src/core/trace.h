/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace.h - trace points: what happened to a packet, where, and with which outcome
 *
 * Theory of operation
 *   A trace point is one row in its folder's table, with a number range per folder (as drop reasons have):
 *
 *     #define IPV4_TRACE_POINTS(X) \
 *             X(ip_rcv,       "ipv4/ip_input.c", "len", NULL) \
 *             X(ip_forward,   "ipv4/ip_forward.c", "ttl", "mtu")
 *     TRACE_POINT_ENUM(IPV4, IPV4_TRACE_POINTS)
 *
 *   The name is the function's name; args 1 and 2 are named in the row (NULL: unused). Off, a trace point is
 *   one predictable branch on cpu->trace_on: a load, a comparison and a jump, and nothing else. On, it writes one 64-octet record into
 *   the ring of the cpu, overwriting the oldest. Packet octets never go into the ring: only to taps.
 *
 *   To a compiler a call takes a frame, and the registers that a call may change: a third of what points cost that are off, because
 *   functions that make no other call on their way through did so for this one. So on x86-64 what is called saves all registers, is handed
 *   what it needs on the stack, and is hidden from the compiler in an asm statement. Vector registers are not saved: the compiler is told.
 *   Consumers read with trace_read() (trace/).
 */
#ifndef WEIR_CORE_TRACE_H
#define WEIR_CORE_TRACE_H

#include "core/drop_reason.h"
#include "lib/types.h"

struct cpu;
struct machine;
struct net;
struct sk_buff;

typedef u16 trace_point_t;

enum trace_verdict {
	TRACE_PASS,   /* went on */
	TRACE_DROP,   /* discarded: reason says why */
	TRACE_DONE,   /* reached its end (delivered, copied to the program) */
	TRACE_QUEUED, /* waits (qdisc, neighbour, socket, link) */
	TRACE_STOLEN, /* somebody else took it */
	TRACE_CREATE, /* was made from related (clone, segment, fragment, merge) or from nothing */
};

struct trace_record {
	u64 time; /* ns */
	u64 skb_id;
	u64 related; /* parent or sibling skb id, or 0 */
	u64 arg1;
	u64 arg2;
	u32 net_id;
	u32 ifindex;
	trace_point_t point;
	u16 cpu;
	skb_drop_reason_t reason;
	u8 verdict;
	u8 context; /* enum cpu_context and CONTEXT_KSOFTIRQD */
	u32 seq;    /* of the ring: finds gaps */
	u32 len;    /* skb->len then */
};

static_assert(sizeof(struct trace_record) == 64, "a trace record is one cache line");

struct trace_point_desc {
	const char *name;
	const char *file;
	const char *arg1; /* NULL: unused */
	const char *arg2;
};

struct trace_point_table {
	enum drop_range range; /* the same ranges as drop reasons */
	const struct trace_point_desc *rows;
	u32 count;
};

#define TRACE_RANGE_SHIFT                      7 /* 128 points per folder */
#define TRACE_POINT_ENUM_ROW_(name, f, a1, a2) TP_##name,
#define TRACE_POINT_DESC_ROW_(name, f, a1, a2) { #name, f, a1, a2 },
#define TRACE_POINT_ENUM(range, LIST)                                                              \
	enum {                                                                                     \
		TP_##range##_BASE_ = (DROP_RANGE_##range << TRACE_RANGE_SHIFT),                    \
		LIST(TRACE_POINT_ENUM_ROW_) TP_##range##_END_                                      \
	}
#define TRACE_POINT_TABLE(sym, range_, LIST)                                                       \
	static const struct trace_point_desc sym##_rows[] = { LIST(TRACE_POINT_DESC_ROW_) };       \
	const struct trace_point_table sym = { DROP_RANGE_##range_, sym##_rows,                    \
					       ARRAY_SIZE(sym##_rows) }

#define CORE_TRACE_POINTS(X)                                                                       \
	X(alloc_skb, "core/skbuff.c", "size", NULL)                                                \
	X(skb_clone, "core/skbuff.c", NULL, NULL)                                                  \
	X(kfree_skb, "core/skbuff.c", NULL, NULL)                                                  \
	X(consume_skb, "core/skbuff.c", NULL, NULL)                                                \
	X(netif_rx, "core/dev_input.c", NULL, NULL)                                                \
	X(net_steer, "core/net_steer.c", "cpu", NULL)                                              \
	X(shadow_xmit, "core/net_steer.c", "cpu", NULL)                                            \
	X(napi_gro_receive, "core/gro.c", NULL, NULL)                                              \
	X(gro_merged, "core/gro.c", "segments", NULL)                                              \
	X(netif_receive_skb, "core/dev_input.c", "protocol", NULL)                                 \
	X(dev_queue_xmit, "core/dev_output.c", "protocol", NULL)                                   \
	X(qdisc_enqueue, "core/qdisc.c", "qlen", NULL)                                             \
	X(qdisc_dequeue, "core/qdisc.c", "held", "waited_ns")                                      \
	X(qdisc_mark_ce, "sched/ecn.c", "ds_field", "waited_ns")                                   \
	X(qdisc_requeue, "core/qdisc.c", "held", NULL)                                             \
	X(dequeue_skb, "core/qdisc.c", "held", NULL)                                               \
	X(dev_watchdog, "core/qdisc.c", "queue", "stopped_ms")                                     \
	X(skb_gso_segment, "core/gso.c", "gso_size", "segments")                                   \
	X(dev_hard_start_xmit, "core/dev_output.c", "queue", NULL)                                 \
	X(neigh_resolve_output, "core/neighbour.c", "state", NULL)                                 \
	X(neigh_update, "core/neighbour.c", "old_state", "new_state")                              \
	X(nf_hook, "core/nf_hook.c", "family", "hook")

TRACE_POINT_ENUM(CORE, CORE_TRACE_POINTS);

struct trace_ring;

/* What a point says, on the stack of whoever says it. */
struct trace_call {
	const struct sk_buff *skb;
	const struct net *net; /* NULL: that of skb->dev or skb->sk */
	u64 what;              /* TRACE_WHAT() */
	u64 related;
	u64 arg1, arg2;
};

#define TRACE_WHAT(tp, verdict, reason) ((u64)(tp) | (u64)(verdict) << 16 | (u64)(reason) << 24)

/* trace.c, control side */
void trace_point_register(struct machine *m, const struct trace_point_table *table);
const struct trace_point_desc *trace_point_desc(const struct machine *m, trace_point_t tp);
/* Turns recording on: every cpu gets a ring of @records (rounded up to a power of two). 0 or -ENOMEM. */
int trace_enable(struct machine *m, u32 records);
void trace_disable(struct machine *m);
/* Copies up to @max records newer than *@cursor (start with 0) of cpu @cpu; advances *@cursor; returns how
 * many. *@ret_lost: records overwritten before they were read. Takes the cpu lock. */
u32 trace_read(struct cpu *cpu, u64 *cursor, struct trace_record *out, u32 max, u64 *ret_lost);

extern const struct trace_point_table core_trace_points;

/* trace_skb(skb, net, TP_ip_rcv, TRACE_PASS, arg1, arg2); @net may be NULL when skb->dev is set. */
#define trace_skb(skb_, net_, tp_, verdict_, a1_, a2_)                                             \
	do {                                                                                       \
		if (unlikely((skb_)->cpu->trace_on))                                               \
			__trace_skb((skb_), (net_), (tp_), (verdict_), 0, 0, (a1_), (a2_));        \
	} while (0)

/* Writes the record: the caller has looked at trace_on. __trace_skb(skb, net, TP_x, TRACE_x, reason, related, arg1, arg2) */
#if defined(__x86_64__) && defined(__LP64__)
#define TRACE_SAVES_REGISTERS
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define TRACE_CFI_(n) ".cfi_adjust_cfa_offset " #n "\n\t"
#else
#define TRACE_CFI_(n)
#endif

/* Finds a struct trace_call behind its return address; only to be called as below. */
__attribute__((visibility("hidden"))) void __trace_skb(void);

/* What a processor has beyond sixteen vector registers is only in use, and only has names, where the compiler was told of it. */
#ifdef __AVX512F__
#define TRACE_CLOBBERS_512                                                                         \
	, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",         \
		"xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3",   \
		"k4", "k5", "k6", "k7"
#else
#define TRACE_CLOBBERS_512
#endif

/* 128 octets below the stack pointer are a leaf function's to use. Of memory the record needs what *skb_ holds, and what has been there
 * since before the function began: nothing is written that the caller could have in a register, and so there is no "memory" here. */
#define __trace_skb(skb_, net_, tp_, verdict_, reason_, related_, a1_, a2_)                                                                                                  \
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t" TRACE_CFI_(128) "push %[a2]\n\t" TRACE_CFI_(8) "push %[a1]\n\t" TRACE_CFI_(8) "push %[related]\n\t" TRACE_CFI_(        \
				 8) "push %[what]\n\t" TRACE_CFI_(8) "push %[net]\n\t" TRACE_CFI_(8) "push %[skb]\n\t" TRACE_CFI_(8) "call %P[record]\n\t"                   \
																     "lea 176(%%rsp), %%rsp\n\t" TRACE_CFI_( \
																	     -176)                           \
			 :                                                                                                                                                   \
			 : [skb] "r"(skb_), [net] "re"((u64)(uintptr_t)(net_)),                                                                                              \
			   [what] "re"(TRACE_WHAT((tp_), (verdict_), (reason_))),                                                                                            \
			   [related] "re"((u64)(related_)), [a1] "re"((u64)(a1_)),                                                                                           \
			   [a2] "re"((u64)(a2_)), [record] "i"(__trace_skb), "m"(*(skb_))                                                                                    \
			 : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",                                                                             \
			   "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",                                                                                      \
			   "xmm15" TRACE_CLOBBERS_512)
#else
__attribute__((cold)) void __trace_skb(const struct trace_call *call);
#define __trace_skb(skb_, net_, tp_, verdict_, reason_, related_, a1_, a2_)                        \
	__trace_skb(&(const struct trace_call){ (skb_), (net_),                                    \
						TRACE_WHAT((tp_), (verdict_), (reason_)),          \
						(u64)(related_), (u64)(a1_), (u64)(a2_) })
#endif

#endif
