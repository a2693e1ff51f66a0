/* SPDX-License-Identifier: BSD-2-Clause */
/* plot_results.c - bench/results.json and instructions.json as pictures: plot-results RESULTS INSTRUCTIONS DIRECTORY */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/plot.h"

#define MAX_BARS 128
#define TEXT     64

/* Every row that was measured: its ratio to the peer. */
static bool plot_ratios(const json_t *doc, const char *path)
{
	static char text[MAX_BARS][TEXT];
	struct plot_bar bars[MAX_BARS];
	size_t n = 0, i;
	double value;
	json_t *row;

	json_array_foreach(json_object_get(doc, "rows"), i, row)
	{
		const json_t *ratio = json_object_get(row, "ratio");

		if (!json_is_number(ratio) || json_number_value(ratio) <= 0 || n == MAX_BARS)
			continue;
		value = json_number_value(json_object_get(row, "weir"));
		snprintf(text[n], TEXT, value < 1000 ? "%.3g %s" : "%.0f %s", value,
			 json_string_value(json_object_get(row, "unit")));
		bars[n] = (struct plot_bar){
			.name = json_string_value(json_object_get(row, "name")),
			.text = text[n],
			.value = json_number_value(ratio),
			.mark = json_number_value(json_object_get(row, "aim")),
		};
		n++;
	}
	return plot_bars(
		path, "weir beside its peers: times better than the peer of the row; mark: the aim",
		bars, n);
}

/* The layers of all rows together would say little: one bar a row and layer. */
static bool plot_instructions(const json_t *doc, const char *path)
{
	static char name[MAX_BARS][TEXT], text[MAX_BARS][TEXT];
	struct plot_bar bars[MAX_BARS];
	const char *row_name, *layer;
	json_t *row, *value;
	size_t n = 0;

	json_object_foreach(json_object_get(doc, "rows"), row_name, row)
	{
		json_object_foreach(json_object_get(row, "layers"), layer, value)
		{
			double v = json_number_value(value);

			if (v < 50 || n == MAX_BARS)
				continue;
			snprintf(name[n], TEXT, "%s: %s", row_name, layer);
			snprintf(text[n], TEXT, "%.0f", v);
			bars[n] = (struct plot_bar){ name[n], text[n], v, 0 };
			n++;
		}
	}
	return plot_bars(path, "instructions per operation, by layer", bars, n);
}

static bool plot(const char *from, const char *directory, const char *name,
		 bool (*draw)(const json_t *doc, const char *path))
{
	json_error_t err;
	json_t *doc = json_load_file(from, 0, &err);
	char path[4096];
	bool ok;

	if (!doc) {
		fprintf(stderr, "plot-results: %s: %s\n", from, err.text);
		return false;
	}
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	ok = draw(doc, path);
	if (!ok)
		perror(path);
	json_decref(doc);
	return ok;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: plot-results RESULTS INSTRUCTIONS DIRECTORY\n");
		return 2;
	}
	return plot(argv[1], argv[3], "bench.svg", plot_ratios) &&
			       plot(argv[2], argv[3], "instructions.svg", plot_instructions)
		       ? 0
		       : 1;
}
