/* SPDX-License-Identifier: BSD-2-Clause */
/* plot.c - see plot.h */
#include "bench/plot.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define WIDTH    720
#define HEIGHT   330 /* of a panel */
#define LEFT     80
#define RIGHT    130 /* the legend is there */
#define TOP      30
#define BOTTOM   50
#define MAX_TICK 12

static const char *const colours[PLOT_SERIES] = { "#c0392b", "#2471a3", "#1e8449",
						  "#7d3c98", "#ca6f1e", "#17202a" };

struct axis {
	double min, max; /* of what is shown: logarithms if log */
	bool log;
	double from, to; /* pixels */
};

void plot_add(struct plot_panel *p, size_t series, const char *name, double x, double y)
{
	struct plot_series *s = &p->series[series];

	s->name = name;
	if (s->n == PLOT_POINTS)
		return;
	s->x[s->n] = x;
	s->y[s->n++] = y;
}

static double scale(const struct axis *a, double v)
{
	double s = a->log ? log10(v) : v;

	return a->from + (s - a->min) / (a->max - a->min) * (a->to - a->from);
}

static bool shown(const struct plot_panel *p, double x, double y)
{
	return (!p->log_x || x > 0) && (!p->log_y || y > 0);
}

static void include(struct axis *a, double v)
{
	double s = a->log ? log10(v) : v;

	a->min = s < a->min ? s : a->min;
	a->max = s > a->max ? s : a->max;
}

/* A step of 1, 2 or 5 times a power of ten that gives a handful of ticks. */
static double tick_step(double span)
{
	double step = pow(10, floor(log10(span / 4)));

	return span / step > 20 ? step * 5 : span / step > 8 ? step * 2 : step;
}

static void axes_of(const struct plot_panel *p, double top, struct axis *x, struct axis *y)
{
	*x = (struct axis){ p->log_x ? INFINITY : 0, -INFINITY, p->log_x, LEFT, WIDTH - RIGHT };
	*y = (struct axis){ p->log_y ? INFINITY : 0, -INFINITY, p->log_y, top + HEIGHT - BOTTOM,
			    top + TOP };
	for (size_t s = 0; s < PLOT_SERIES; s++)
		for (size_t i = 0; i < p->series[s].n; i++)
			if (shown(p, p->series[s].x[i], p->series[s].y[i])) {
				include(x, p->series[s].x[i]);
				include(y, p->series[s].y[i]);
			}
	if (!(x->max > x->min))
		x->min -= 1, x->max = x->min + 2;
	if (!(y->max > y->min))
		y->min -= 1, y->max = y->min + 2;
	if (y->log) {
		y->min = floor(y->min);
		y->max = ceil(y->max);
	}
}

static void tick(FILE *f, const struct axis *a, bool vertical, double v, double cross)
{
	double at = scale(a, v);

	v += 0.0; /* not -0 */
	if (vertical)
		fprintf(f,
			"<path d='M%.1f %.1fH%d' stroke='#ddd'/><text x='%.1f' y='%.1f' "
			"text-anchor='end'>%g</text>\n",
			cross, at, WIDTH - RIGHT, cross - 6, at + 4, v);
	else
		fprintf(f,
			"<path d='M%.1f %.1fv5' stroke='#333'/><text x='%.1f' y='%.1f' "
			"text-anchor='middle'>%g</text>\n",
			at, cross, at, cross + 18, v);
}

static void ticks(FILE *f, const struct axis *a, bool vertical, double cross)
{
	/* A short logarithmic axis counts in doublings, a long one in tenfolds. */
	double step = a->log ? (a->max - a->min < 2 ? log10(2) : 1) : tick_step(a->max - a->min);
	double v = ceil(a->min / step - 1e-9) * step;

	for (int i = 0; i < MAX_TICK && v <= a->max + step * 1e-6; i++, v += step)
		tick(f, a, vertical, a->log ? pow(10, v) : v, cross);
}

static void curve(FILE *f, const struct plot_panel *p, size_t nr, const struct axis *x,
		  const struct axis *y)
{
	const struct plot_series *s = &p->series[nr];
	double legend = y->to + 14 + 18 * (double)nr;

	fprintf(f, "<polyline fill='none' stroke='%s' stroke-width='2' points='", colours[nr]);
	for (size_t i = 0; i < s->n; i++)
		if (shown(p, s->x[i], s->y[i]))
			fprintf(f, "%.1f,%.1f ", scale(x, s->x[i]), scale(y, s->y[i]));
	fprintf(f, "'/>\n");
	for (size_t i = 0; i < s->n; i++)
		if (shown(p, s->x[i], s->y[i]))
			fprintf(f, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n",
				scale(x, s->x[i]), scale(y, s->y[i]), colours[nr]);
	fprintf(f,
		"<path d='M%d %.1fh20' stroke='%s' stroke-width='2'/><text x='%d' "
		"y='%.1f'>%s</text>\n",
		WIDTH - RIGHT + 12, legend, colours[nr], WIDTH - RIGHT + 38, legend + 4, s->name);
}

static void panel(FILE *f, const struct plot_panel *p, double top)
{
	struct axis x, y;

	axes_of(p, top, &x, &y);
	fprintf(f, "<text x='%d' y='%.1f' font-weight='bold'>%s</text>\n", LEFT, top + 18,
		p->title);
	ticks(f, &y, true, LEFT);
	ticks(f, &x, false, y.from);
	fprintf(f, "<path d='M%d %.1fV%.1fH%d' fill='none' stroke='#333'/>\n", LEFT, y.to, y.from,
		WIDTH - RIGHT);
	fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='middle'>%s</text>\n", (x.from + x.to) / 2,
		y.from + 38, p->x_label);
	fprintf(f,
		"<text transform='translate(16 %.1f) rotate(-90)' text-anchor='middle'>%s</text>\n",
		(y.from + y.to) / 2, p->y_label);
	for (size_t s = 0; s < PLOT_SERIES; s++)
		if (p->series[s].n)
			curve(f, p, s, &x, &y);
}

bool plot_write_columns(const char *path, const struct plot_panel *panels, size_t nr,
			size_t columns)
{
	FILE *f = fopen(path, "we");
	bool ok;

	if (!f)
		return false;
	fprintf(f,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%zu' height='%zu' "
		"font-family='sans-serif' "
		"font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
		columns * WIDTH, (nr + columns - 1) / columns * HEIGHT);
	for (size_t i = 0; i < nr; i++) {
		fprintf(f, "<g transform='translate(%zu 0)'>\n", i % columns * WIDTH);
		panel(f, &panels[i], (double)(i / columns * HEIGHT));
		fprintf(f, "</g>\n");
	}
	fprintf(f, "</svg>\n");
	ok = !ferror(f);
	return fclose(f) == 0 && ok;
}

/* ---- bars ------------------------------------------------------------------------------------------------ */

#define BAR_LINE  20
#define BAR_LEFT  245
#define BAR_RIGHT 170 /* the figures are there */
#define BAR_TOP   50

static void bar(FILE *f, const struct plot_bar *b, const struct axis *x, double top)
{
	double one = scale(x, 1), end = scale(x, b->value), from = end < one ? end : one;
	const char *colour = b->value >= b->mark ? "#1e8449"
			     : b->value >= 1     ? "#ca6f1e"
						 : "#c0392b";

	fprintf(f, "<text x='%d' y='%.1f' text-anchor='end'>%s</text>\n", BAR_LEFT - 8, top + 14,
		b->name);
	fprintf(f, "<rect x='%.1f' y='%.1f' width='%.1f' height='14' fill='%s'/>\n", from, top + 3,
		fabs(end - one), colour);
	if (b->mark > 0)
		fprintf(f, "<path d='M%.1f %.1fv18' stroke='#17202a' stroke-width='2'/>\n",
			scale(x, b->mark), top + 1);
	fprintf(f, "<text x='%d' y='%.1f'>%s</text>\n", WIDTH - BAR_RIGHT + 12, top + 14, b->text);
}

bool plot_bars(const char *path, const char *title, const struct plot_bar *bars, size_t nr)
{
	struct axis x = { 0, 0, true, BAR_LEFT, WIDTH - BAR_RIGHT };
	double height = BAR_TOP + (double)nr * BAR_LINE;
	FILE *f = fopen(path, "we");
	bool ok;

	if (!f)
		return false;
	for (size_t i = 0; i < nr; i++) {
		include(&x, bars[i].value);
		if (bars[i].mark > 0)
			include(&x, bars[i].mark);
	}
	x.min = floor(x.min * 2) / 2;
	x.max = ceil(x.max * 2 + 1e-9) / 2;
	fprintf(f,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%.0f' "
		"font-family='sans-serif' "
		"font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n",
		WIDTH, height + 30);
	fprintf(f, "<text x='16' y='20' font-weight='bold'>%s</text>\n", title);
	for (double v = ceil(x.min); v <= x.max + 1e-9; v++)
		fprintf(f,
			"<path d='M%.1f %dV%.1f' stroke='#ddd'/><text x='%.1f' y='%.1f' "
			"text-anchor='middle'>%g</text>\n",
			scale(&x, pow(10, v)), BAR_TOP, height, scale(&x, pow(10, v)), height + 18,
			pow(10, v));
	for (size_t i = 0; i < nr; i++)
		bar(f, &bars[i], &x, BAR_TOP + (double)i * BAR_LINE);
	fprintf(f, "<path d='M%.1f %dV%.1f' stroke='#333'/>\n</svg>\n", scale(&x, 1), BAR_TOP,
		height);
	ok = !ferror(f);
	return fclose(f) == 0 && ok;
}
