/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_walk.c - weir walk [LAB/]NODE [FILTER] [--last | --drop | --id N] */
#include "tools/weir/commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "run/run.h"
#include "tools/weir/target.h"

static const char walk_help[] =
	"usage: weir walk [LAB/]NODE [FILTER] [--last | --drop | --id N]\n"
	"\n"
	"Prints where a packet went, function by function, and how it ended.\n"
	"\n"
	"FILTER  an expression as tcpdump has it, over the frames of NODE's devices\n"
	"--last  the newest packet that matches (the default)\n"
	"--drop  the newest packet that was discarded on NODE\n"
	"--id N  packet number N, as captures and other walks name it\n";

int cmd_walk(int argc, char **argv)
{
	static const struct option options[] = { { "last", no_argument, NULL, 'l' },
						 { "drop", no_argument, NULL, 'd' },
						 { "id", required_argument, NULL, 'i' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	const char *mode = "last", *id = "", *filter = "";
	struct target target;
	int c, r;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'l':
			mode = "last";
			break;
		case 'd':
			mode = "drop";
			break;
		case 'i':
			mode = "id";
			id = optarg;
			if (strspn(id, "0123456789") != strlen(id) || !*id) {
				fprintf(stderr, "weir walk: --id wants a number, not '%s'\n", id);
				return 2;
			}
			break;
		case 'h':
			fputs(walk_help, stdout);
			return 0;
		default:
			fprintf(stderr,
				"weir walk: there is no option %s, or its value is missing; see "
				"weir walk --help\n",
				argv[optind - 1]);
			return 2;
		}
	}
	if (optind == argc || argc - optind > 2) {
		fprintf(stderr, "weir walk: %s; see weir walk --help\n",
			optind == argc ? "a NODE is missing"
				       : "there is one FILTER: put it in quotes");
		return 2;
	}
	if (argc - optind == 2)
		filter = argv[optind + 1];
	r = find_target("walk", argv[optind], &target);
	if (r)
		return r;
	const char *args[] = { "walk", target.node, filter, mode, id };

	r = run_control_call(target.instance, args, 5, stdout);
	if (r < 0) {
		fprintf(stderr, "weir walk: '%s' does not answer: %s\n", target.instance,
			strerror(-r));
		return 1;
	}
	return r;
}
