/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tsc.h - CLOCK_MONOTONIC between two readings of it, by the processor's time stamp counter
 *
 * Theory of operation
 *   The stack reads the clock at every call; clock_gettime(2) takes 23 ns, of which most is a fence that orders the counter against
 *   other loads. Nobody here needs that order. So the clock is read about every half millisecond, and what passes between is counted
 *   by the counter alone, at the rate of the last interval less 1/4096: time interpolated so always lags, by less than a microsecond, and steps
 *   forward where the clock is read again.
 *   Only where the kernel itself takes its time from the counter (clocksource tsc: it is constant, runs on in all sleep states, and agrees
 *   between processors) and the process may read it (PR_SET_TSC).
 * Locking: any thread. seq is odd while one writes; who meets that reads the clock itself.
 */
#ifndef WEIR_HOST_LINUX_TSC_H
#define WEIR_HOST_LINUX_TSC_H

#include "lib/types.h"

/* ThreadSanitizer knows no fences. What they order here is atomic, so it sees no races either. */
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan"
#endif

struct tsc_clock {
	bool usable;
	u32 seq;
	u64 tsc, ns; /* one instant */
	u64 mult;    /* ns of a tick << 32; 0: not known yet */
};

#define TSC_SPAN        (1ull << 21) /* ticks for which one reading is good */
#define TSC_CALIBRATION (1ull << 20) /* least ticks between two readings that make a rate */
#define TSC_PROMPT      (1ull << 11) /* ticks within which counter and clock are read as one instant */

bool tsc_usable(void);

/* The time at counter value @tsc; 0: read the clock, and tell tsc_clock_sync() */
static inline u64 tsc_clock_at(const struct tsc_clock *c, u64 tsc)
{
	u32 seq = __atomic_load_n(&c->seq, __ATOMIC_ACQUIRE);
	u64 passed = tsc - __atomic_load_n(&c->tsc, __ATOMIC_RELAXED);
	u64 ns = __atomic_load_n(&c->ns, __ATOMIC_RELAXED);
	u64 mult = __atomic_load_n(&c->mult, __ATOMIC_RELAXED);

	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (unlikely(passed >= TSC_SPAN || !mult || seq & 1 ||
		     seq != __atomic_load_n(&c->seq, __ATOMIC_RELAXED)))
		return 0;
	return ns + (passed * mult >> 32);
}

/* The clock said @ns when the counter had @tsc. */
void tsc_clock_sync(struct tsc_clock *c, u64 tsc, u64 ns);

#if defined(__x86_64__)
static inline u64 tsc_read(void)
{
	return __builtin_ia32_rdtsc();
}
#else
static inline u64 tsc_read(void)
{
	return 0;
}
#endif

#endif
