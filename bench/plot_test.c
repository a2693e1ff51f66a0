/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/plot.h"

static void points_lie_where_their_values_are(void **state)
{
	char path[] = "/tmp/weir-plot-test-XXXXXX", text[8192] = "";
	struct plot_panel p = { "t", "x", "y", .log_x = true };
	FILE *f;

	close(mkstemp(path));
	plot_add(&p, 0, "one", 1, 0);
	plot_add(&p, 0, "one", 10, 50);
	plot_add(&p, 0, "one", 100, 100);
	plot_add(&p, 0, "one", 0, 100); /* has no logarithm */
	assert_true(plot_write(path, &p, 1));
	f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	unlink(path);
	/* The corners of the axes and the middle between them. */
	assert_non_null(strstr(text, "points='80.0,280.0 335.0,155.0 590.0,30.0 '"));
	assert_non_null(strstr(text, ">one</text>"));
	assert_non_null(strstr(text, "</svg>\n"));
}

/* The axis goes from 10^0 to 10^2: 190 pixels a factor of ten. */
static void bars_go_from_one_to_their_values(void **state)
{
	const struct plot_bar bars[] = { { "ahead", "10 x", 10, 5 }, { "behind", "1 x", 1, 50 } };
	char path[] = "/tmp/weir-plot-XXXXXX", text[8192] = "";
	FILE *f;

	close(mkstemp(path));
	assert_true(plot_bars(path, "title", bars, 2));
	f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	unlink(path);
	assert_non_null(strstr(text, "<rect x='245.0' y='53.0' width='152.5'"));
	assert_non_null(strstr(text, "<rect x='245.0' y='73.0' width='0.0'"));
	assert_non_null(strstr(text, ">behind</text>"));
	assert_non_null(strstr(text, "</svg>\n"));
	assert_false(plot_bars("/nonexistent/plot.svg", "title", bars, 2));
}

static void what_cannot_be_written_is_an_error(void **state)
{
	struct plot_panel p = { "t", "x", "y" };

	plot_add(&p, 0, "one", 1, 1);
	assert_false(plot_write("/nonexistent/plot.svg", &p, 1));
	assert_int_equal(errno, ENOENT);
	assert_false(plot_write("/dev/full", &p, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_lie_where_their_values_are),
		cmocka_unit_test(bars_go_from_one_to_their_values),
		cmocka_unit_test(what_cannot_be_written_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
