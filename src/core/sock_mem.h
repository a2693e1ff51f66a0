/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_mem.h - how much memory all socks of one protocol may take in a net (net.ipv4.tcp_mem, udp_mem)
 *
 * Theory of operation
 *   What a sock uses is sk_rmem_alloc + sk_wmem_queued, in truesize. It may use sk_mem_quota octets without asking: one page at first,
 *   which every sock has for nothing (as tcp_rmem[0] and tcp_wmem[0] promise it). sk_mem_schedule() asks for more, in pages of
 *   the protocol's struct sock_mem; sk_mem_reclaim() gives back what is to spare. Both are one comparison on one cache line where nothing is
 *   to do: a connection that carries small messages never leaves its first page.
 *   Limits are three numbers of pages. Below the first there is no pressure; beyond the second pressure begins and lasts until it is below the
 *   first again: windows and buffers do not grow. Beyond the third requests are refused, but for those of sk_forced_mem_schedule().
 * Invariants
 *   sock_mem.allocated is the sum of (sk_mem_quota - SK_MEM_QUANTUM) / SK_MEM_QUANTUM over the protocol's socks in the net.
 *   Protocols without proto.memory have no limit: their quota is UINT32_MAX.
 * Locking: the sock's home cpu's lock; sock_mem.allocated and pressure_ns are shared by the cpus of a net.
 * See tcp(7), udp(7).
 */
#ifndef WEIR_CORE_SOCK_MEM_H
#define WEIR_CORE_SOCK_MEM_H

#include "core/mib.h"
#include "core/sock.h"

#define SK_MEM_QUANTUM 4096u /* a page, in which the limits count */

enum sk_mem_kind { SK_MEM_SEND, SK_MEM_RECV };

struct sock_mem {
	u64 allocated; /* pages; atomic */
	u32 limit[3];  /* sysctl, pages */
	u32 socks;     /* of the protocol in the net; atomic */
	/* What a sock gets of each kind under pressure without a look at its share: the first numbers of tcp_wmem, tcp_rmem */
	const u32 *least[2];
	bool has_pressure; /* a state of its own: else only the third limit counts */
	u64 pressure_ns;   /* since when; 0: there is none */
	enum mib_counter pressures,
		pressures_chrono; /* how often, and how long in ms: if has_pressure */
};

/* Linux's proportions (3 : 4 : 6) of @limit pages. */
void sock_mem_init(struct sock_mem *mem, u64 limit);
/* Pages for packets that @m may have. */
u64 sock_mem_machine_pages(const struct machine *m);

static inline u32 sk_mem_used(const struct sock *sk)
{
	return sk->sk_rmem_alloc + sk->sk_wmem_queued;
}
bool __sk_mem_schedule(struct sock *sk, u32 octets, enum sk_mem_kind kind);
/* May @sk use @octets more? They are not charged yet. */
static inline bool sk_mem_schedule(struct sock *sk, u32 octets, enum sk_mem_kind kind)
{
	return likely((u64)sk_mem_used(sk) + octets <= sk->sk_mem_quota) ||
	       __sk_mem_schedule(sk, octets, kind);
}
/* @octets more are granted whatever the limits say: what must not fail. */
void sk_forced_mem_schedule(struct sock *sk, u32 octets);
/* The same for what @sk uses by now: retransmissions, FIN, what was rounded up. */
static inline void sk_mem_charge(struct sock *sk)
{
	if (unlikely(sk_mem_used(sk) > sk->sk_mem_quota))
		sk_forced_mem_schedule(sk, 0);
}
void __sk_mem_reclaim(struct sock *sk);
/* @sk uses less than before: more than a page to spare goes back. */
static inline void sk_mem_reclaim(struct sock *sk)
{
	if (unlikely(sk->sk_mem_quota >= (u64)sk_mem_used(sk) + 2 * SK_MEM_QUANTUM))
		__sk_mem_reclaim(sk);
}
/* Memory itself has run out. */
void sk_enter_memory_pressure(struct sock *sk);
/* The program must wait: what is queued is more than there is memory for. */
void sk_stream_moderate_sndbuf(struct sock *sk);
/* What SO_MEMINFO calls fwd_alloc: granted and not used, whole pages. */
u32 sk_mem_forward(const struct sock *sk);
/* Pages that @sk takes, its first one included. */
static inline u32 sk_mem_pages(const struct sock *sk)
{
	return sk_mem_used(sk) ? (sk->sk_mem_quota / SK_MEM_QUANTUM) : 0;
}
/* sk_alloc() and sk_free() */
void sk_mem_begin(struct sock *sk);
void sk_mem_end(struct sock *sk);

#endif
