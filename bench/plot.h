/* SPDX-License-Identifier: BSD-2-Clause */
/* plot.h - curves of a study as an SVG picture: panels one below the other or in columns, each with axes, a legend and a line for each series */
#ifndef WEIR_BENCH_PLOT_H
#define WEIR_BENCH_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#define PLOT_SERIES 6
#define PLOT_POINTS 32

struct plot_series {
	const char *name;
	double x[PLOT_POINTS], y[PLOT_POINTS];
	size_t n;
};

struct plot_panel {
	const char *title, *x_label, *y_label;
	bool log_x, log_y; /* points that are not positive are left out */
	struct plot_series series[PLOT_SERIES];
};

/* What is beyond PLOT_POINTS is left out. */
void plot_add(struct plot_panel *p, size_t series, const char *name, double x, double y);
struct plot_bar {
	const char *name, *text; /* left of the bar and at its end */
	double value,
		mark; /* on a logarithmic axis, whose origin is 1; mark: what it is to reach, 0: none */
};

/* One bar a line, from 1 to its value: to the right, green if it reaches the mark, or to the left. False as below. */
bool plot_bars(const char *path, const char *title, const struct plot_bar *bars, size_t nr);

/* False: the file cannot be written; errno. */
bool plot_write_columns(const char *path, const struct plot_panel *panels, size_t nr,
			size_t columns);
static inline bool plot_write(const char *path, const struct plot_panel *panels, size_t nr)
{
	return plot_write_columns(path, panels, nr, 1);
}

#endif
