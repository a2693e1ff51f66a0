/* SPDX-License-Identifier: BSD-2-Clause */
/* sock_mem.c - the memory of a protocol's socks: the part that is not the fast path (sock_mem.h) */
#include "core/sock_mem.h"

#include "core/cpu.h"
#include "core/machine.h"

#define SK_SNDBUF_LEAST 4608u /* as SO_SNDBUF */
#define SOCK_MEM_LEAST  128u  /* pages; as Linux */

static struct sock_mem *sk_mem(const struct sock *sk)
{
	return sk->sk_prot->memory ? sk->sk_prot->memory(sk->sk_net) : NULL;
}

u64 sock_mem_machine_pages(const struct machine *m)
{
	return m->mem_limit / SK_MEM_QUANTUM;
}

void sock_mem_init(struct sock_mem *mem, u64 limit)
{
	limit = max(limit, (u64)SOCK_MEM_LEAST);
	limit = min(limit, (u64)(INT32_MAX / 2));
	mem->limit[0] = (u32)limit / 4 * 3;
	mem->limit[1] = (u32)limit;
	mem->limit[2] = mem->limit[0] * 2;
}

/* ---- pressure ------------------------------------------------------------------------------------------- */

static bool under_pressure(const struct sock_mem *mem)
{
	return __atomic_load_n(&mem->pressure_ns, __ATOMIC_RELAXED);
}

static void enter_pressure(struct sock *sk, struct sock_mem *mem)
{
	if (!mem->has_pressure || under_pressure(mem))
		return;
	__atomic_store_n(&mem->pressure_ns, max(sk->sk_cpu->now, (u64)1), __ATOMIC_RELAXED);
	NET_INC_STATS(sk->sk_net, mem->pressures);
}

static void leave_pressure(struct sock *sk, struct sock_mem *mem)
{
	u64 since = __atomic_exchange_n(&mem->pressure_ns, 0, __ATOMIC_RELAXED);

	/* Another cpu's clock may be ahead of ours. */
	if (since && sk->sk_cpu->now > since)
		NET_ADD_STATS(sk->sk_net, mem->pressures_chrono,
			      (sk->sk_cpu->now - since) / NSEC_PER_MSEC);
}

void sk_enter_memory_pressure(struct sock *sk)
{
	struct sock_mem *mem = sk_mem(sk);

	if (mem)
		enter_pressure(sk, mem);
}

void sk_stream_moderate_sndbuf(struct sock *sk)
{
	if (sk->sk_userlocks & SK_SNDBUF_LOCK)
		return;
	sk->sk_sndbuf = max(min(sk->sk_sndbuf, sk->sk_wmem_queued >> 1), SK_SNDBUF_LEAST);
}

/* ---- granting ------------------------------------------------------------------------------------------- */

/* The quota becomes what @used octets need. The pages of the protocol then. */
static u64 set_quota(struct sock *sk, struct sock_mem *mem, u64 used)
{
	u64 quota = max(ALIGN_UP(used, (u64)SK_MEM_QUANTUM), (u64)SK_MEM_QUANTUM);
	s64 pages = (s64)(quota - sk->sk_mem_quota) / (s64)SK_MEM_QUANTUM;

	sk->sk_mem_quota = (u32)quota;
	return __atomic_add_fetch(&mem->allocated, (u64)pages, __ATOMIC_RELAXED);
}

/* Under pressure, below the hard limit: everybody's minimum, and who has less than a fair share. */
static bool within_share(const struct sock *sk, const struct sock_mem *mem, enum sk_mem_kind kind)
{
	u32 has = kind == SK_MEM_RECV ? sk->sk_rmem_alloc : sk->sk_wmem_queued;

	if (mem->least[kind] && has < *mem->least[kind])
		return true;
	return !under_pressure(mem) ||
	       mem->limit[2] > (u64)__atomic_load_n(&mem->socks, __ATOMIC_RELAXED) *
				       (sk->sk_mem_quota / SK_MEM_QUANTUM);
}

bool __sk_mem_schedule(struct sock *sk, u32 octets, enum sk_mem_kind kind)
{
	struct sock_mem *mem = sk_mem(sk);
	u32 before = sk->sk_mem_quota;
	u64 allocated;

	lock_assert_held(sk->sk_cpu);
	if (!mem)
		return false; /* 4 GiB */
	allocated = set_quota(sk, mem, (u64)sk_mem_used(sk) + octets);
	if (allocated <= mem->limit[0]) {
		if (under_pressure(mem))
			leave_pressure(sk, mem);
		return true;
	}
	if (allocated > mem->limit[1])
		enter_pressure(sk, mem);
	if (allocated <= mem->limit[2] && within_share(sk, mem, kind))
		return true;
	if (kind == SK_MEM_SEND && sk->sk_type == SOCK_STREAM) {
		sk_stream_moderate_sndbuf(sk);
		/* Only who is below its buffer's size can be told to wait for room. */
		if (sk->sk_wmem_queued + octets >= sk->sk_sndbuf)
			return true;
	}
	set_quota(sk, mem, before);
	return false;
}

void sk_forced_mem_schedule(struct sock *sk, u32 octets)
{
	u64 used = (u64)sk_mem_used(sk) + octets;
	struct sock_mem *mem = sk_mem(sk);

	if (mem && used > sk->sk_mem_quota && set_quota(sk, mem, used) > mem->limit[1])
		enter_pressure(sk, mem);
}

void __sk_mem_reclaim(struct sock *sk)
{
	struct sock_mem *mem = sk_mem(sk);

	if (mem && set_quota(sk, mem, sk_mem_used(sk)) < mem->limit[0] && under_pressure(mem))
		leave_pressure(sk, mem);
}

u32 sk_mem_forward(const struct sock *sk)
{
	u32 used = sk_mem_used(sk);

	return sk->sk_prot->memory && used && used <= sk->sk_mem_quota ? sk->sk_mem_quota - used
								       : 0;
}

/* ---- life ----------------------------------------------------------------------------------------------- */

void sk_mem_begin(struct sock *sk)
{
	struct sock_mem *mem = sk_mem(sk);

	sk->sk_mem_quota = mem ? SK_MEM_QUANTUM : UINT32_MAX;
	if (mem)
		__atomic_add_fetch(&mem->socks, 1, __ATOMIC_RELAXED);
}

void sk_mem_end(struct sock *sk)
{
	struct sock_mem *mem = sk_mem(sk);

	if (!mem)
		return;
	if (set_quota(sk, mem, 0) < mem->limit[0] && under_pressure(mem))
		leave_pressure(sk, mem);
	__atomic_sub_fetch(&mem->socks, 1, __ATOMIC_RELAXED);
}
