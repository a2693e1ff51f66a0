/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * corpus_parse.c - how much of a collection of scripts is understood
 *
 *   drill-parse-corpus [-D NAME=VALUE]... PATH...
 *
 * Parses every *.pkt below the paths (or below $DRILL_CORPUS if there are none), writes each packet out again, reads that and compares.
 * Prints what failed, and a count for each directory. 0: all passed; 1: some did not; 2: there was nothing to do.
 */
#include "drill/script.h"

#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	char *directory;
	unsigned int passed, all;
};

/* nftw() has no argument for its callback. */
static struct {
	struct drill_define *defines;
	size_t nr_defines;
	struct tally *tally;
	size_t nr_tally;
} run;

static void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fputs("drill-parse-corpus: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static struct tally *tally_of(const char *path, size_t base)
{
	size_t len = base ? base - 1 : 0;
	struct tally *t;

	for (size_t i = 0; i < run.nr_tally; i++)
		if (strlen(run.tally[i].directory) == len &&
		    memcmp(run.tally[i].directory, path, len) == 0)
			return &run.tally[i];
	run.tally = xrealloc(run.tally, (run.nr_tally + 1) * sizeof(*t));
	t = &run.tally[run.nr_tally++];
	*t = (struct tally){ .directory = xrealloc(NULL, len + 1) };
	memcpy(t->directory, path, len);
	t->directory[len] = '\0';
	return t;
}

/* What was written out means the same as what was read. */
static bool same_again(const char *path, const struct drill_packet *p)
{
	struct drill_packet again;
	char text[4096], twice[4096], error[256] = "";

	drill_packet_format(p, text, sizeof(text));
	if (drill_packet_read(text, p->dir, &again, error, sizeof(error)) < 0) {
		printf("%s:%u: '%s': %s\n", path, p->pos.line, text, error);
		return false;
	}
	drill_packet_format(&again, twice, sizeof(twice));
	if (strcmp(text, twice) == 0)
		return true;
	printf("%s:%u: '%s' became '%s'\n", path, p->pos.line, text, twice);
	return false;
}

static bool check(const char *path)
{
	const struct drill_parse_options opt = { run.defines, run.nr_defines };
	char *error = NULL;
	struct drill_script *s = drill_script_read(path, &opt, &error);
	bool good = s != NULL;

	if (!s)
		printf("%s\n", error);
	for (size_t i = 0; s && i < s->nr_events; i++)
		if (s->events[i].kind == DRILL_EVENT_PACKET)
			good &= same_again(path, s->events[i].packet);
	drill_script_free(s);
	free(error);
	return good;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	struct tally *t;

	if (type != FTW_F || fnmatch("*.pkt", path + at->base, 0) != 0)
		return 0;
	t = tally_of(path, at->base);
	t->all++;
	t->passed += check(path);
	return 0;
}

static bool define(char *text)
{
	char *equals = strchr(text, '=');

	if (!equals)
		return false;
	*equals = '\0';
	run.defines = xrealloc(run.defines, (run.nr_defines + 1) * sizeof(*run.defines));
	run.defines[run.nr_defines++] = (struct drill_define){ text, equals + 1 };
	return true;
}

static int by_directory(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->directory, ((const struct tally *)b)->directory);
}

static int report(void)
{
	unsigned int passed = 0, all = 0;

	qsort(run.tally, run.nr_tally, sizeof(*run.tally), by_directory);
	for (size_t i = 0; i < run.nr_tally; i++) {
		printf("%4u of %4u  %s\n", run.tally[i].passed, run.tally[i].all,
		       run.tally[i].directory);
		passed += run.tally[i].passed;
		all += run.tally[i].all;
	}
	printf("%4u of %4u\n", passed, all);
	return !all ? 2 : passed < all;
}

int main(int argc, char **argv)
{
	char *corpus = getenv("DRILL_CORPUS");
	char **paths = argv + 1;

	for (; paths[0] && strcmp(paths[0], "-D") == 0 && paths[1]; paths += 2) {
		if (!define(paths[1])) {
			fputs("drill-parse-corpus: expected -D NAME=VALUE\n", stderr);
			return 2;
		}
	}
	if (!*paths && !corpus) {
		fputs("drill-parse-corpus: which scripts? Give a path, or DRILL_CORPUS\n", stderr);
		return 2;
	}
	for (char **p = *paths ? paths : (char *[]){ corpus, NULL }; *p; p++)
		if (nftw(*p, visit, 16, FTW_PHYS) != 0)
			perror(*p);
	return report();
}
