/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_explain.c - weir explain: from a name of the kernel to our file and line
 *
 * A name is looked for as it is written, then without regard to case, then with all that is neither letter nor digit taken as
 * one gap ("header-prediction"). What is not found so is a typo: the names that are nearest by Levenshtein's distance are offered.
 */
#include "tools/weir/commands.h"

#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tools/weir/names.h"

#define NAME_MAX_LEN   64
#define SUGGESTIONS    4
#define NOT_A_DISTANCE 1000

/* ---- looking up --------------------------------------------------------------------------------------------- */

/* Letters and digits of @from, in lower case, one blank for each gap between them. */
static void fold(const char *from, char to[NAME_MAX_LEN])
{
	size_t n = 0;

	for (; *from && n < NAME_MAX_LEN - 2; from++) {
		if (isalnum((unsigned char)*from))
			to[n++] = (char)tolower((unsigned char)*from);
		else if (n && to[n - 1] != ' ')
			to[n++] = ' ';
	}
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = '\0';
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool same_but_case(const char *a, const char *b)
{
	return !strcasecmp(a, b);
}

static bool same_folded(const char *a, const char *b)
{
	char x[NAME_MAX_LEN], y[NAME_MAX_LEN];

	fold(a, x);
	fold(b, y);
	return x[0] && !strcmp(x, y);
}

static bool (*const looks[])(const char *a, const char *b) = { same_text, same_but_case,
							       same_folded };

/* Cuts @query to the name: no "struct", no "()". */
static void clean(char *query)
{
	static const char *const before[] = { "struct ", "enum ", "union " };
	char *paren = strchr(query, '(');

	if (paren && paren > query)
		*paren = '\0';
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		size_t n = strlen(before[i]);

		if (!strncmp(query, before[i], n))
			memmove(query, query + n, strlen(query + n) + 1);
	}
	for (size_t n = strlen(query); n && (query[n - 1] == ' ' || query[n - 1] == ';'); n--)
		query[n - 1] = '\0';
}

/* ---- typing errors ------------------------------------------------------------------------------------------ */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MAX_LEN], left, above;

	for (unsigned j = 0; j <= strlen(b); j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		left = row[0];
		row[0] = i;
		for (unsigned j = 1; b[j - 1]; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, left + (a[i - 1] != b[j - 1]));
			left = above;
		}
	}
	return row[strlen(b)];
}

/* How far a name is from what was asked for; NOT_A_DISTANCE: too far to offer. A name that holds the words is near. */
static unsigned how_far(const char *query, const char *name)
{
	char a[NAME_MAX_LEN], b[NAME_MAX_LEN];
	unsigned d;

	fold(query, a);
	fold(name, b);
	d = distance(a, b);
	if (d <= 1 + strlen(a) / 4)
		return d;
	return strlen(a) > 2 && strstr(b, a) ? 1 + (unsigned)strlen(a) / 4 : NOT_A_DISTANCE;
}

static int unknown(const char *query)
{
	const struct weir_name *nearest[SUGGESTIONS] = { NULL };
	unsigned far[SUGGESTIONS];

	for (unsigned i = 0; i < SUGGESTIONS; i++)
		far[i] = NOT_A_DISTANCE;
	for (size_t i = 0; i < nr_weir_names; i++) {
		unsigned d = how_far(query, weir_names[i].name), at = SUGGESTIONS;

		while (at && d < far[at - 1])
			at--;
		if (at == SUGGESTIONS)
			continue;
		for (unsigned k = SUGGESTIONS - 1; k > at; k--) {
			far[k] = far[k - 1];
			nearest[k] = nearest[k - 1];
		}
		far[at] = d;
		nearest[at] = &weir_names[i];
	}
	fprintf(stderr, "weir explain: there is no \"%s\"", query);
	for (unsigned i = 0; i < SUGGESTIONS && nearest[i]; i++)
		fprintf(stderr, "%s%s", i ? ", " : "; near it: ", nearest[i]->name);
	fputs(nearest[0] ? "\n" : " (weir explain --list has all names)\n", stderr);
	return 1;
}

/* ---- printing ----------------------------------------------------------------------------------------------- */

static const char *const state_text[] = {
	[NAME_HERE] = "here",
	[NAME_HISTORY] = "history",
	[NAME_NOT_YET] = "not yet",
};

static void print_name(const struct weir_name *n)
{
	printf("%s (%s): ", n->name, n->kind);
	if (n->state != NAME_HERE)
		printf("%s%s", state_text[n->state], *n->place ? "; see " : "");
	if (*n->symbol && (n->state != NAME_HERE || strcmp(n->symbol, n->name) != 0))
		printf("%s in ", n->symbol);
	printf("%s\n    %s\n    part of: %s", n->place, n->sentence, n->mechanism);
	if (*n->test)
		printf("; test: %s", n->test);
	putchar('\n');
}

static void print_row(const struct weir_name *n)
{
	if (n->state == NAME_HERE)
		printf("  %-28s %s\n", n->name, n->place);
	else
		printf("  %-28s %s%s%s\n", n->name, state_text[n->state], *n->place ? ", see " : "",
		       n->place);
}

static json_t *name_json(const struct weir_name *n)
{
	return json_pack("{ss ss ss ss ss ss ss ss}", "name", n->name, "kind", n->kind, "mechanism",
			 n->mechanism, "state", state_text[n->state], "symbol", n->symbol, "place",
			 n->place, "test", n->test, "sentence", n->sentence);
}

static void print_json(json_t *list)
{
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

/* ---- the command -------------------------------------------------------------------------------------------- */

/* The names of one mechanism, or all. Returns how many. */
static size_t list_names(const char *mechanism, bool as_json)
{
	const char *heading = NULL;
	json_t *list = json_array();
	size_t found = 0;

	for (size_t i = 0; i < nr_weir_names; i++) {
		const struct weir_name *n = &weir_names[i];

		if (mechanism && !same_folded(n->mechanism, mechanism))
			continue;
		found++;
		if (as_json) {
			json_array_append_new(list, name_json(n));
			continue;
		}
		if (!heading || strcmp(heading, n->mechanism) != 0)
			printf("%s%s\n", heading ? "\n" : "", n->mechanism);
		heading = n->mechanism;
		print_row(n);
	}
	if (as_json && found)
		print_json(list);
	else
		json_decref(list);
	return found;
}

static int explain(char *query, bool as_json)
{
	json_t *list;
	size_t found = 0;

	clean(query);
	list = json_array();
	for (size_t look = 0; look < sizeof(looks) / sizeof(looks[0]) && !found; look++)
		for (size_t i = 0; i < nr_weir_names; i++) {
			if (!looks[look](weir_names[i].name, query))
				continue;
			found++;
			if (as_json)
				json_array_append_new(list, name_json(&weir_names[i]));
			else
				print_name(&weir_names[i]);
		}
	if (found && as_json)
		print_json(list);
	else
		json_decref(list);
	return found || list_names(query, as_json) ? 0 : unknown(query);
}

static int help(void)
{
	puts("usage: weir explain [--json] NAME\n"
	     "       weir explain [--json] --list\n\n"
	     "Says where weir has what books on Linux networking name: a function, a structure, "
	     "an\n"
	     "option, a mechanism (\"header prediction\") or a group of them (\"receiving "
	     "tcp\").\n\n"
	     "  --list    all names, by mechanism\n"
	     "  --json    for programs: an array of objects");
	return 0;
}

int cmd_explain(int argc, char **argv)
{
	char query[256] = "";
	bool as_json = false, all = false;

	for (int i = 1; i < argc; i++) {
		size_t used = strlen(query);

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return help();
		if (!strcmp(argv[i], "--json")) {
			as_json = true;
		} else if (!strcmp(argv[i], "--list")) {
			all = true;
		} else if (argv[i][0] == '-') {
			return command_error(
				"explain", "there is no option %s (weir explain --help)", argv[i]);
		} else if (used + strlen(argv[i]) + 2 > sizeof(query)) {
			return command_error("explain", "that is longer than any name");
		} else {
			snprintf(query + used, sizeof(query) - used, "%s%s", used ? " " : "",
				 argv[i]);
		}
	}
	if (all && *query)
		return command_error("explain", "--list takes no name");
	if (!all && !*query)
		return command_error("explain", "a NAME is missing (weir explain --help)");
	if (all)
		return list_names(NULL, as_json) ? 0 : 1;
	return explain(query, as_json);
}
