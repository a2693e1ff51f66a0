/* SPDX-License-Identifier: BSD-2-Clause */
/* win_filter.c - see win_filter.h */
#include "lib/win_filter.h"

/* The runners-up while @new is not the best. */
static u32 age(struct win_filter *f, u32 window, struct win_sample new)
{
	u32 dt = new.time - f->best[0].time;

	if (dt > window) {
		/* The best is too old; so may be the one after it. */
		f->best[0] = f->best[1];
		f->best[1] = f->best[2];
		f->best[2] = new;
		if (new.time - f->best[0].time > window) {
			f->best[0] = f->best[1];
			f->best[1] = f->best[2];
			f->best[2] = new;
		}
	} else if (f->best[1].time == f->best[0].time && dt > window / 4) {
		f->best[1] = f->best[2] = new;
	} else if (f->best[2].time == f->best[1].time && dt > window / 2) {
		f->best[2] = new;
	}
	return f->best[0].value;
}

u32 win_filter_max(struct win_filter *f, u32 window, u32 time, u32 value)
{
	struct win_sample new = { time, value };

	if (value >= f->best[0].value || time - f->best[2].time > window)
		return win_filter_reset(f, time, value);
	if (value >= f->best[1].value)
		f->best[1] = f->best[2] = new;
	else if (value >= f->best[2].value)
		f->best[2] = new;
	return age(f, window, new);
}

u32 win_filter_min(struct win_filter *f, u32 window, u32 time, u32 value)
{
	struct win_sample new = { time, value };

	if (value <= f->best[0].value || time - f->best[2].time > window)
		return win_filter_reset(f, time, value);
	if (value <= f->best[1].value)
		f->best[1] = f->best[2] = new;
	else if (value <= f->best[2].value)
		f->best[2] = new;
	return age(f, window, new);
}
