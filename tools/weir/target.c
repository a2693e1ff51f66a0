/* SPDX-License-Identifier: BSD-2-Clause */
/* target.c - see target.h */
#include "tools/weir/target.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"

struct search {
	const char *instance; /* NULL: any */
	const char *node;
	struct target *found;
	unsigned matches;
	char names[512]; /* of the instances that match */
};

static bool has_node(const char *instance, const char *node)
{
	const char *args[] = { "ps" };
	char *text = NULL;
	size_t len, i;
	FILE *f = open_memstream(&text, &len);
	json_t *info, *entry;
	bool found = false;

	if (!f)
		return false;
	run_control_call(instance, args, 1, f);
	fclose(f);
	info = json_loads(text, 0, NULL);
	json_array_foreach(json_object_get(info, "nodes"), i, entry)
	{
		const char *name = json_string_value(
			json_is_string(entry) ? entry : json_object_get(entry, "name"));

		found |= name && !strcmp(name, node);
	}
	json_decref(info);
	free(text);
	return found;
}

static int look_into(const char *name, void *arg)
{
	struct search *s = arg;
	size_t n = strlen(s->names);

	if ((s->instance && strcmp(s->instance, name)) || !has_node(name, s->node))
		return 0;
	s->matches++;
	snprintf(s->found->instance, sizeof(s->found->instance), "%s", name);
	snprintf(s->found->node, sizeof(s->found->node), "%s", s->node);
	snprintf(s->names + n, sizeof(s->names) - n, "%s%s", n ? ", " : "", name);
	return 0;
}

int find_target(const char *command, const char *spec, struct target *ret)
{
	const char *slash = strchr(spec, '/');
	struct search s = { .node = slash ? slash + 1 : spec, .found = ret };
	char instance[64];

	if (slash) {
		snprintf(instance, sizeof(instance), "%.*s", (int)(slash - spec), spec);
		s.instance = instance;
	}
	run_state_each(look_into, &s);
	if (s.matches == 1)
		return 0;
	if (s.matches > 1)
		fprintf(stderr, "weir %s: more than one lab has a node '%s' (%s): say LAB/%s\n",
			command, s.node, s.names, s.node);
	else
		fprintf(stderr,
			"weir %s: no lab or instance that is up has a node '%s'; see weir ps\n",
			command, spec);
	return 2;
}
