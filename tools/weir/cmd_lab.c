/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_lab.c - weir lab run|up|down|ls */
#include "tools/weir/commands.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab_run.h"
#include "run/run.h"

static const char lab_help[] =
	"usage: weir lab run  [--seed S] [--pcapng FILE] [--walk FILTER] [--no-report] FILE\n"
	"       weir lab up   [--seed S] [--pcapng FILE] FILE\n"
	"       weir lab down NAME\n"
	"       weir lab ls   [--json]\n"
	"       weir lab check FILE\n"
	"\n"
	"run   build the lab that FILE describes, run its commands, print a report, take it down\n"
	"up    the same, but it stays up in the background\n"
	"down  end a lab\n"
	"ls    list the labs that are up\n"
	"check read FILE, and say what is wrong with it\n"
	"\n"
	"See weir-lab(1), and weir-lab(5) for the file.\n";

static int usage_error(const char *what, const char *arg)
{
	fprintf(stderr, "weir lab: %s%s%s; see weir lab --help\n", what, arg ? " " : "",
		arg ? arg : "");
	return 2;
}

static bool parse_seed(const char *s, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(s, &end, 0);
	return *s >= '0' && *s <= '9' && !*end && !errno;
}

static int lab_start(int argc, char **argv, bool stay)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' },
						 { "pcapng", required_argument, NULL, 'p' },
						 { "walk", required_argument, NULL, 'w' },
						 { "no-report", no_argument, NULL, 'n' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct lab_options opt = { .stay = stay, .report = true };
	struct lab_desc *desc;
	char *error = NULL;
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		switch (c) {
		case 's':
			opt.seeded = true;
			if (!parse_seed(optarg, &opt.seed))
				return usage_error("--seed wants a number, not", optarg);
			break;
		case 'p':
			opt.pcapng = optarg;
			break;
		case 'w':
			opt.walk = optarg;
			break;
		case 'n':
			opt.report = false;
			break;
		case 'h':
			fputs(lab_help, stdout);
			return 0;
		case ':':
			return usage_error("a value is missing behind", argv[optind - 1]);
		default:
			return usage_error("there is no option", argv[optind - 1]);
		}
	}
	if (stay && (opt.walk || !opt.report))
		return usage_error("up prints no report: there is no",
				   opt.walk ? "--walk" : "--no-report");
	if (optind + 1 != argc)
		return usage_error(optind == argc ? "a FILE is missing"
						  : "there is one FILE, not also",
				   optind == argc ? NULL : argv[optind + 1]);
	desc = lab_desc_read(argv[optind], &error);
	if (!desc) {
		fprintf(stderr, "weir lab: %s\n", error ? error : "out of memory");
		free(error);
		return 2;
	}
	return lab_run(desc, &opt);
}

static int lab_cmd_run(int argc, char **argv)
{
	return lab_start(argc, argv, false);
}

static int lab_cmd_up(int argc, char **argv)
{
	return lab_start(argc, argv, true);
}

static int lab_cmd_down(int argc, char **argv)
{
	const char *args[] = { "down" };
	int r;

	if (argc != 2 || argv[1][0] == '-')
		return usage_error("down wants one NAME", NULL);
	r = run_control_call(argv[1], args, 1, stdout);
	if (r < 0) {
		fprintf(stderr, "weir lab: '%s' cannot be ended: %s\n", argv[1],
			r == -ENOENT || r == -ECONNREFUSED ? "there is no lab of that name up"
							   : strerror(-r));
		return 1;
	}
	return r;
}

static int lab_cmd_check(int argc, char **argv)
{
	struct lab_desc *desc;
	char *error = NULL;

	if (argc != 2 || argv[1][0] == '-')
		return usage_error("check wants one FILE", NULL);
	desc = lab_desc_read(argv[1], &error);
	if (!desc) {
		fprintf(stderr, "weir lab: %s\n", error ? error : "out of memory");
		free(error);
		return 2;
	}
	printf("%s: lab '%s', %zu nodes, %zu links: good\n", argv[1], desc->name, desc->nr_nodes,
	       desc->nr_links);
	lab_desc_free(desc);
	return 0;
}

static int list_one(const char *name, void *arg)
{
	const char *args[] = { "ps" };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *info;

	if (!f)
		return 1;
	run_control_call(name, args, 1, f);
	fclose(f);
	info = json_loads(text, 0, NULL);
	if (info && !strcmp(json_string_value(json_object_get(info, "kind")) ?: "", "lab"))
		json_array_append(arg, info);
	json_decref(info);
	free(text);
	return 0;
}

static int lab_cmd_ls(int argc, char **argv)
{
	bool as_json = argc == 2 && !strcmp(argv[1], "--json");
	json_t *list, *lab;
	size_t i, k;

	if (argc > 1 && !as_json)
		return usage_error("ls knows only --json, not", argv[1]);
	list = json_array();
	run_state_each(list_one, list);
	if (as_json) {
		json_dumpf(list, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		json_array_foreach(list, i, lab)
		{
			json_t *node;

			printf("%-24s", json_string_value(json_object_get(lab, "name")) ?: "?");
			json_array_foreach(json_object_get(lab, "nodes"), k, node) printf(
				" %s", json_string_value(json_is_string(node)
								 ? node
								 : json_object_get(node, "name"))
					       ?: "?");
			putchar('\n');
		}
	}
	json_decref(list);
	return 0;
}

int cmd_lab(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = { { "run", lab_cmd_run },
		      { "up", lab_cmd_up },
		      { "down", lab_cmd_down },
		      { "ls", lab_cmd_ls },
		      { "check", lab_cmd_check } };

	if (argc < 2)
		return usage_error("run, up, down, ls or check?", NULL);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    (argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))) {
		fputs(lab_help, stdout);
		return 0;
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return usage_error("run, up, down, ls or check, not", argv[1]);
}
