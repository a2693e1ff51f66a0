/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timer.c - the timer wheel and the high-resolution heap of a cpu
 *
 * Theory of operation
 *   Wheel. Time is counted in ticks of 2^20 ns. A tick number is read as digits of 6 bits; level l has one slot per value of digit
 *   l. wheel->clk is the last tick that was processed. A timer for tick T (its expiry, rounded up) is put on the level of the
 *   highest digit in which T and clk differ, into the slot of that digit of T. So
 *     - every slot in use is ahead of clk's digit at its level: the next event of a level is its lowest set bit;
 *     - the lowest level in use holds the earliest timers;
 *     - all timers for one tick are always in the same slot, hence fire in the order in which they were armed.
 *   When clk reaches the first tick of a slot of level l > 0, its timers are put in again, in order, and fall to lower levels.
 *   Eight levels hold every expiry that fits in 64 bits: there is no "too far" and no second look at a timer.
 *   del_timer() leaves the slot's bit set, because it does not know the wheel; a set bit of an empty slot is cleared by whoever
 *   meets it.
 *   A timer for a tick that was processed already waits on wheel->due for the next round.
 *
 *   Heap. Ordered by expiry, then by order of arming. A timer that a handler arms for a time that has passed is put aside until the
 *   round is over, so that a round always ends.
 *   cpu->timers_at is the time before which nothing is due, so that the question at each unlock is one comparison. Arming lowers it; when
 *   it has come, or is 0, it is found out anew.
 * Invariants: a slot that has timers has its bit set; clk never exceeds the tick of cpu->now; timers_at never exceeds timers_next().
 * Locking: the cpu's lock.
 */
#include "core/timer.h"

#include <errno.h>
#include <stdlib.h>

#include "core/core_internal.h"
#include "core/cpu.h"
#include "lib/heap.h"

#define LEVEL_BITS  6
#define LEVEL_SLOTS (1u << LEVEL_BITS)
#define NR_LEVELS   8
#define MAX_EXPIRES (1ULL << 63) /* 292 years; so that rounding up does not overflow */

struct timer_wheel {
	u64 clk; /* tick */
	struct list_head due;
	u64 pending[NR_LEVELS]; /* bit map of slots */
	struct list_head slots[NR_LEVELS][LEVEL_SLOTS];
};

struct hrtimer_heap {
	struct heap heap;
	struct heap late; /* armed in this round for a time that has passed */
	u64 next_seq;
	bool running;
};

static u64 tick_of(u64 ns)
{
	return ns >> TIMER_TICK_SHIFT;
}

static u64 tick_after(u64 ns)
{
	return tick_of(min(ns, MAX_EXPIRES) + (1ULL << TIMER_TICK_SHIFT) - 1);
}

/* ---- the wheel ---------------------------------------------------------------------------------------- */

void timer_setup(struct timer_list *t, void (*fn)(struct cpu *cpu, struct timer_list *t))
{
	list_init(&t->entry);
	t->expires = 0;
	t->function = fn;
}

/*
 * Puts @t, which is on no list, where it belongs. Timers for clk itself or earlier go to @now_list. Returns when somebody must look:
 * the first tick of its slot.
 */
static u64 wheel_insert(struct timer_wheel *w, struct timer_list *t, struct list_head *now_list)
{
	u64 tick = tick_after(t->expires);
	unsigned level, slot;

	if (tick <= w->clk) {
		list_add_tail(&t->entry, now_list);
		return 0;
	}
	level = (63 - (unsigned)__builtin_clzll(tick ^ w->clk)) / LEVEL_BITS;
	slot = (tick >> (level * LEVEL_BITS)) & (LEVEL_SLOTS - 1);
	list_add_tail(&t->entry, &w->slots[level][slot]);
	w->pending[level] |= 1ULL << slot;
	return tick >> (level * LEVEL_BITS) << (level * LEVEL_BITS);
}

bool mod_timer(struct cpu *cpu, struct timer_list *t, u64 expires_ns)
{
	struct timer_wheel *w = cpu->wheel;
	bool was_pending = timer_pending(t);

	lock_assert_held(cpu);
	if (was_pending) {
		if (t->expires == expires_ns)
			return true;
		list_del(&t->entry);
	}
	t->expires = expires_ns;
	if (likely(cpu->now < cpu->timers_at))
		w->clk = max(w->clk, tick_of(cpu->now)); /* nothing lies between */
	cpu->timers_at = min(cpu->timers_at, wheel_insert(w, t, &w->due) << TIMER_TICK_SHIFT);
	if (expires_ns < cpu->sleep_until)
		cpu->need_kick = true;
	return was_pending;
}

bool del_timer(struct timer_list *t)
{
	if (!timer_pending(t))
		return false;
	list_del(&t->entry);
	return true;
}

/* The first slot in use after clk: its first tick, or UINT64_MAX. */
static u64 wheel_first_slot(struct timer_wheel *w, unsigned *ret_level, unsigned *ret_slot)
{
	unsigned level, slot, shift;

	for (level = 0; level < NR_LEVELS; level++) {
		while (w->pending[level]) {
			slot = (unsigned)__builtin_ctzll(w->pending[level]);
			shift = level * LEVEL_BITS;
			if (list_empty(&w->slots[level][slot])) {
				w->pending[level] &= ~(1ULL << slot);
				continue;
			}
			*ret_level = level;
			*ret_slot = slot;
			return (w->clk >> shift >> LEVEL_BITS << LEVEL_BITS | slot) << shift;
		}
	}
	return UINT64_MAX;
}

static void fire_list(struct cpu *cpu, struct list_head *list)
{
	struct timer_list *t;

	while (!list_empty(list)) {
		t = list_first_entry(list, struct timer_list, entry);
		list_del(&t->entry);
		t->function(cpu, t);
	}
}

/* Moves clk to @tick, the first of the given slot, and fires what is for it. */
static void wheel_enter_slot(struct cpu *cpu, u64 tick, unsigned level, unsigned slot)
{
	struct timer_wheel *w = cpu->wheel;
	struct list_head timers, fire;
	struct timer_list *t;

	list_init(&timers);
	list_init(&fire);
	w->clk = tick;
	w->pending[level] &= ~(1ULL << slot);
	list_splice_tail_init(&w->slots[level][slot], &timers);
	if (level == 0) {
		fire_list(cpu, &timers);
		return;
	}
	while (!list_empty(&timers)) {
		t = list_first_entry(&timers, struct timer_list, entry);
		list_del(&t->entry);
		wheel_insert(w, t, &fire);
	}
	fire_list(cpu, &fire);
}

/* ---- the heap ----------------------------------------------------------------------------------------- */

static bool hrtimer_before(const void *a, const void *b)
{
	const struct hrtimer *x = a, *y = b;

	return x->expires != y->expires ? x->expires < y->expires : x->seq < y->seq;
}

static const struct heap_ops hrtimer_heap_ops = {
	.less = hrtimer_before,
	.index_offset = offsetof(struct hrtimer, index),
};

void hrtimer_setup(struct hrtimer *t, void (*fn)(struct cpu *cpu, struct hrtimer *t))
{
	*t = (struct hrtimer){ .function = fn };
}

int hrtimer_start(struct cpu *cpu, struct hrtimer *t, u64 expires_ns)
{
	struct hrtimer_heap *h = cpu->hrtimers;
	int err;

	lock_assert_held(cpu);
	hrtimer_cancel(cpu, t);
	t->expires = expires_ns;
	t->seq = h->next_seq++;
	cpu->timers_at = min(cpu->timers_at, expires_ns);
	if (unlikely(h->running && expires_ns <= cpu->now)) {
		err = heap_push(&h->late, t);
		t->late = !err;
		return err;
	}
	err = heap_push(&h->heap, t);
	if (!err && expires_ns < cpu->sleep_until)
		cpu->need_kick = true;
	return err;
}

bool hrtimer_cancel(struct cpu *cpu, struct hrtimer *t)
{
	if (!t->index)
		return false;
	heap_remove(t->late ? &cpu->hrtimers->late : &cpu->hrtimers->heap, t);
	t->late = false;
	return true;
}

static void hrtimers_begin_round(struct hrtimer_heap *h)
{
	h->running = true;
}

/* What was put aside becomes ordinary: it is due in the next round. */
static void hrtimers_end_round(struct hrtimer_heap *h)
{
	struct hrtimer *t;

	h->running = false;
	while ((t = heap_pop(&h->late))) {
		t->late = false;
		/* The heap has had room for it in this round: a timer in late was popped from heap, or was new. */
		if (heap_push(&h->heap, t)) {
			heap_push(&h->late,
				  t); /* it came from there: there is room; try again next round */
			t->late = true;
			return;
		}
	}
}

/* ---- a round ------------------------------------------------------------------------------------------ */

/* Fires what is due, both kinds in the order of their time; at the same time the wheel goes first. */
void run_timers(struct cpu *cpu)
{
	struct timer_wheel *w = cpu->wheel;
	struct hrtimer_heap *h = cpu->hrtimers;
	u64 now_tick = tick_of(cpu->now), tick;
	struct list_head due;
	struct hrtimer *t;
	unsigned level, slot;

	list_init(&due);
	list_splice_tail_init(&w->due, &due);
	hrtimers_begin_round(h);
	fire_list(cpu, &due);
	for (;;) {
		tick = wheel_first_slot(w, &level, &slot);
		t = heap_peek(&h->heap);
		if (t && t->expires <= cpu->now &&
		    (tick > now_tick || t->expires < tick << TIMER_TICK_SHIFT)) {
			heap_pop(&h->heap);
			t->function(cpu, t);
		} else if (tick <= now_tick) {
			wheel_enter_slot(cpu, tick, level, slot);
		} else {
			break;
		}
	}
	w->clk = max(w->clk, now_tick); /* no slot in use begins before it */
	hrtimers_end_round(h);
	cpu->timers_at = 0; /* to be looked up */
}

u64 timers_next(struct cpu *cpu)
{
	struct hrtimer_heap *h = cpu->hrtimers;
	struct hrtimer *t = heap_peek(&h->heap);
	unsigned level, slot;
	u64 next = t ? t->expires : HOST_FOREVER, tick;

	if (!list_empty(&cpu->wheel->due) || h->late.len)
		return 0;
	tick = wheel_first_slot(cpu->wheel, &level, &slot);
	if (tick != UINT64_MAX)
		next = min(next, tick << TIMER_TICK_SHIFT);
	return next;
}

bool __timers_due(struct cpu *cpu)
{
	struct timer_wheel *w = cpu->wheel;
	u64 next = timers_next(cpu);

	if (next <= cpu->now)
		return true;
	w->clk =
		max(w->clk, tick_of(cpu->now)); /* so that new timers land on the level they need */
	cpu->timers_at = next;
	return false;
}

int timers_init(struct cpu *cpu)
{
	struct timer_wheel *w = calloc(1, sizeof(*w));
	struct hrtimer_heap *h = calloc(1, sizeof(*h));
	unsigned level, slot;

	if (!w || !h) {
		free(w);
		free(h);
		return -ENOMEM;
	}
	list_init(&w->due);
	for (level = 0; level < NR_LEVELS; level++)
		for (slot = 0; slot < LEVEL_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
	w->clk = tick_of(cpu->now);
	heap_init(&h->heap, &hrtimer_heap_ops);
	heap_init(&h->late, &hrtimer_heap_ops);
	cpu->wheel = w;
	cpu->hrtimers = h;
	return 0;
}

void timers_fini(struct cpu *cpu)
{
	if (cpu->hrtimers) {
		heap_fini(&cpu->hrtimers->heap);
		heap_fini(&cpu->hrtimers->late);
	}
	free(cpu->hrtimers);
	free(cpu->wheel);
	cpu->hrtimers = NULL;
	cpu->wheel = NULL;
}
