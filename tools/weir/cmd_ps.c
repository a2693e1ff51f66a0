/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_ps.c - weir ps: running instances of this user and their programs */
#include "tools/weir/commands.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"

static int collect(const char *name, void *arg)
{
	static const char *const args[] = { "ps" };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *info;
	int err;

	if (!f)
		return 1;
	err = run_control_call(name, args, 1, f);
	fclose(f);
	info = json_loads(text, 0, NULL);
	if (info)
		json_array_append_new(arg, info);
	else if (err < 0)
		fprintf(stderr, "weir ps: %s: %s\n", name, strerror(-err));
	free(text);
	return 0;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static void print_instance(const json_t *info)
{
	const json_t *node, *proc, *procs;
	size_t i, k;

	json_array_foreach(json_object_get(info, "nodes"), i, node)
	{
		procs = json_object_get(node, "processes");
		if (!json_array_size(procs))
			printf("%-20s %-5s %-16s %7s  %s\n", text_of(info, "name"),
			       text_of(info, "kind"), text_of(node, "name"), "-", "-");
		json_array_foreach(procs, k, proc)
			printf("%-20s %-5s %-16s %7d  %s\n", text_of(info, "name"),
			       text_of(info, "kind"), text_of(node, "name"),
			       (int)json_integer_value(json_object_get(proc, "pid")),
			       text_of(proc, "command"));
	}
}

int cmd_ps(int argc, char **argv)
{
	bool as_json = argc == 2 && !strcmp(argv[1], "--json");
	const json_t *info;
	json_t *list;
	size_t i;
	int err;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		puts("usage: weir ps [--json]\n\nLists the running instances of this user, their "
		     "nodes and programs.");
		return 0;
	}
	if (argc > 1 && !as_json)
		return command_error("ps", "unexpected \"%s\" (weir ps --help)", argv[1]);
	list = json_array();
	err = run_state_each(collect, list);
	if (as_json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		printf("%-20s %-5s %-16s %7s  %s\n", "INSTANCE", "KIND", "NODE", "PID", "PROGRAM");
		json_array_foreach(list, i, info) print_instance(info);
	}
	json_decref(list);
	return err ? 1 : 0;
}
