/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * win_filter.h - the largest (or smallest) value of a sliding window of time, in three samples
 *
 * The best value of the window is kept, the second best of what came after it, and the third best after that: when the best is too old,
 * the next takes its place. To keep the two others fresh, a new value takes one over when a quarter (half) of the window has passed without.
 * The estimate is never better than the true one, and at most a quarter of the window late. The idea is K. Nichols'. Times may wrap.
 */
#ifndef WEIR_LIB_WIN_FILTER_H
#define WEIR_LIB_WIN_FILTER_H

#include "lib/types.h"

struct win_sample {
	u32 time, value;
};

struct win_filter {
	struct win_sample best[3]; /* in order of time, and of value */
};

static inline u32 win_filter_get(const struct win_filter *f)
{
	return f->best[0].value;
}

static inline u32 win_filter_reset(struct win_filter *f, u32 time, u32 value)
{
	f->best[0] = f->best[1] = f->best[2] = (struct win_sample){ time, value };
	return value;
}

u32 win_filter_max(struct win_filter *f, u32 window, u32 time, u32 value);
u32 win_filter_min(struct win_filter *f, u32 window, u32 time, u32 value);

#endif
