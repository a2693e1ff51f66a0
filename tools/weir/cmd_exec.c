/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_exec.c - weir exec: a program on a node of an instance that runs already */
#include "tools/weir/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "run/run.h"
#include "tools/weir/target.h"

static const char text[] =
	"usage: weir exec [INSTANCE/]NODE -- PROGRAM [ARGUMENT ...]\n"
	"\n"
	"Runs PROGRAM on a node of a running instance (weir ps lists them). Without INSTANCE/, the "
	"word before\n"
	"\"--\" names an instance that has one node only, or a node that only one instance has.\n"
	"The exit status is PROGRAM's.\n";

struct search {
	const char *word;
	bool found;
};

static int look(const char *name, void *arg)
{
	struct search *s = arg;

	s->found = !strcmp(name, s->word);
	return s->found;
}

/* An instance's own name is enough if it has one node: it decides. */
static int find(const char *spec, struct target *ret)
{
	struct search s = { .word = spec };

	if (!strchr(spec, '/'))
		run_state_each(look, &s);
	if (!s.found)
		return find_target("exec", spec, ret);
	snprintf(ret->instance, sizeof(ret->instance), "%s", spec);
	ret->node[0] = '\0';
	return 0;
}

int cmd_exec(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	struct target target;
	int err, opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (opt != 'h')
			return command_error("exec", "unknown option \"%s\" (weir exec --help)",
					     argv[optind - 1]);
		fputs(text, stdout);
		return 0;
	}
	if (optind >= argc)
		return command_error("exec", "no node given (weir exec NODE -- PROGRAM)");
	err = find(argv[optind++], &target);
	if (err)
		return err;
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	if (optind >= argc)
		return command_error("exec", "no program given (weir exec NODE -- PROGRAM)");
	err = run_control_exec(target.instance, target.node, argv + optind);
	if (err == -ENOENT)
		return command_error("exec", "no instance \"%s\" is running", target.instance);
	if (err == -E2BIG)
		return command_error("exec", "arguments and environment are too long");
	if (err < 0) {
		fprintf(stderr, "weir exec: %s: %s\n", target.instance, strerror(-err));
		return 125;
	}
	return err;
}
