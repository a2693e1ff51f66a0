/* SPDX-License-Identifier: BSD-2-Clause */
/* tsc.c - see tsc.h */
#include "host/linux/tsc.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
bool tsc_usable(void)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	char name[16] = "";
	int fd, mode = 0;
	ssize_t n;

	if (prctl(PR_GET_TSC, &mode) < 0 || mode != PR_TSC_ENABLE)
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, name, sizeof(name));
	close(fd);
	return n == 4 && !memcmp(name, "tsc\n", 4);
}
#else
bool tsc_usable(void)
{
	return false;
}
#endif

void tsc_clock_sync(struct tsc_clock *c, u64 tsc, u64 ns)
{
	u32 seq = __atomic_load_n(&c->seq, __ATOMIC_RELAXED);
	u64 ticks, passed, mult;

	if (seq & 1 || !__atomic_compare_exchange_n(&c->seq, &seq, seq + 1, false, __ATOMIC_ACQUIRE,
						    __ATOMIC_RELAXED))
		return; /* another thread is at it */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	ticks = tsc - c->tsc;
	passed = ns - c->ns;
	mult = c->mult;
	/* Who read its counter a little before the last one did comes too late. */
	if (ticks >= TSC_CALIBRATION && -ticks >= TSC_CALIBRATION) {
		/* After a long pause, or when time did not pass as it should, the old rate (or none) has to do. */
		if (c->tsc && passed && passed < 1ull << 32) {
			mult = (passed << 32) / ticks;
			mult -= mult >> 12;
		}
		__atomic_store_n(&c->tsc, tsc, __ATOMIC_RELAXED);
		__atomic_store_n(&c->ns, ns, __ATOMIC_RELAXED);
		__atomic_store_n(&c->mult, mult, __ATOMIC_RELAXED);
	}
	__atomic_store_n(&c->seq, seq + 2, __ATOMIC_RELEASE);
}
