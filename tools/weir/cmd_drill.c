/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_drill.c - weir drill [OPTIONS] FILE|DIR... */
#include "tools/weir/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drill/batch.h"

static const char drill_help[] =
	"usage: weir drill [OPTIONS] FILE|DIR...\n"
	"\n"
	"Runs scripts in packetdrill's language against a stack in virtual time: system calls, "
	"packets in, packets\n"
	"expected out. A line for each script; exit status 1 if one failed. A directory means all "
	"*.pkt below it.\n"
	"\n"
	"-v, --verbose        every event, and what commands print\n"
	"-q, --quiet          only failures and the count\n"
	"--ip-version V       ipv4 (the default), mapped (AF_INET6 sockets, IPv4 packets), ipv6, "
	"all; or several: ipv4,ipv6\n"
	"-j, --jobs N         scripts at a time (default: as many as there are processors)\n"
	"-D NAME=VALUE        replaces a word in scripts; VARIANT:NAME=VALUE in that variant only\n"
	"--seed N             of everything random (default 1)\n"
	"--timeout S          seconds of real time for a script (default 60; 0: no limit)\n"
	"--pcapng FILE        captures what passes the device; with several scripts "
	"FILE-SCRIPT-VARIANT\n"
	"--json               the results as JSON on standard output, in place of lines\n"
	"--junit FILE         the results as JUnit XML, too\n"
	"--kernel             against this machine's kernel, in a network namespace of its own and "
	"in real time; needs root\n"
	"--NAME[=VALUE]       options as scripts have them: --local_ip, --remote_ip, --mtu, "
	"--tolerance_usecs ...\n"
	"\n"
	"weir-drill(1) describes the language and these options.\n";

#define MAX_DEFINES  64
#define MAX_SETTINGS 64

struct command_line {
	struct drill_batch batch;
	unsigned variants;
	bool json, quiet;
	const char *junit;
	struct {
		const char *variant; /* NULL: all */
		size_t variant_len;
		struct drill_define define;
	} define[MAX_DEFINES];
	size_t nr_defines;
	int nr_paths;
	char **paths;
};

/* ---- reports --------------------------------------------------------------------------------------------- */

static void print_indented(const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		printf("    %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static void print_job(const struct drill_job *j, void *arg)
{
	const struct command_line *d = arg;
	const struct drill_result *r = &j->result;

	if (d->json || (d->quiet && r->passed))
		return;
	printf("%s %s [%s] %.3f s", r->passed ? "pass" : "FAIL", j->path,
	       drill_variant_name[j->variant], (double)r->ns / 1e9);
	putchar('\n');
	if (d->batch.options.verbose || !r->passed)
		print_indented(j->output);
	if (!r->passed && r->line)
		printf("    %s:%u: %s\n", j->path, r->line, r->message ? r->message : "");
	else if (!r->passed)
		print_indented(r->message);
	fflush(stdout);
}

static int write_junit(const struct drill_batch *b, const char *path)
{
	FILE *f = fopen(path, "w");
	int err;

	if (!f)
		return command_error("drill", "%s: %s", path, strerror(errno));
	err = drill_batch_junit(b, f);
	if (fclose(f) || err)
		return command_error("drill", "%s cannot be written", path);
	return 0;
}

/* ---- the command line ------------------------------------------------------------------------------------ */

static int take_variants(struct command_line *d, const char *text)
{
	d->variants = 0;
	while (*text) {
		size_t n = strcspn(text, ",");
		unsigned bit = 0;

		if (n == 3 && !strncmp(text, "all", 3))
			bit = (1u << DRILL_NR_VARIANTS) - 1;
		for (int v = 0; v < DRILL_NR_VARIANTS; v++)
			if (strlen(drill_variant_name[v]) == n &&
			    !strncmp(text, drill_variant_name[v], n))
				bit = 1u << v;
		if (n >= 11 && !strncmp(text, "ipv4-mapped", 11))
			bit = 1u << DRILL_MAPPED;
		if (!bit)
			return command_error("drill", "--ip-version: there is no \"%.*s\"", (int)n,
					     text);
		d->variants |= bit;
		text += n + (text[n] == ',');
	}
	return 0;
}

static int take_define(struct command_line *d, char *text)
{
	char *eq = strchr(text, '='), *colon = memchr(text, ':', eq ? (size_t)(eq - text) : 0);

	if (!eq || d->nr_defines == MAX_DEFINES)
		return command_error("drill", "-D wants NAME=VALUE, not \"%s\"", text);
	*eq = '\0';
	if (colon) {
		d->define[d->nr_defines].variant = text;
		d->define[d->nr_defines].variant_len = (size_t)(colon - text);
		text = colon + 1;
	}
	d->define[d->nr_defines++].define = (struct drill_define){ text, eq + 1 };
	return 0;
}

static int take_count(const char *name, const char *text, unsigned long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoul(text, &end, 0);
	if (errno || end == text || *end || text[0] == '-')
		return command_error("drill", "%s wants a number, not \"%s\"", name, text);
	return 0;
}

/* What scripts may say too: --mtu=1400. */
static int take_setting(struct command_line *d, char *text)
{
	char *eq = strchr(text, '='), *name = text + 2;
	int err;

	if (eq)
		*eq = '\0';
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	err = drill_options_set(&d->batch.options, name, eq ? eq + 1 : NULL);
	if (err == -ENOENT)
		return command_error("drill", "there is no option --%s; see weir drill --help",
				     name);
	return err ? command_error("drill", "--%s cannot be \"%s\"", name, eq ? eq + 1 : "") : 0;
}

enum option_id {
	VERBOSE,
	QUIET,
	VERSION,
	JOBS,
	DEFINE,
	SEED,
	TIMEOUT,
	PCAPNG,
	JSON,
	JUNIT,
	KERNEL,
	HELP
};

static const struct {
	const char *name;
	enum option_id id;
	bool value;
} options[] = {
	{ "-v", VERBOSE, false },
	{ "--verbose", VERBOSE, false },
	{ "-q", QUIET, false },
	{ "--quiet", QUIET, false },
	{ "--ip-version", VERSION, true },
	{ "--ip_version", VERSION, true },
	{ "-j", JOBS, true },
	{ "--jobs", JOBS, true },
	{ "-D", DEFINE, true },
	{ "--define", DEFINE, true },
	{ "--seed", SEED, true },
	{ "--timeout", TIMEOUT, true },
	{ "--pcapng", PCAPNG, true },
	{ "--json", JSON, false },
	{ "--junit", JUNIT, true },
	{ "--kernel", KERNEL, false },
	{ "-h", HELP, false },
	{ "--help", HELP, false },
};
#define NR_OPTIONS (sizeof(options) / sizeof(options[0]))

static int take_option(struct command_line *d, enum option_id id, const char *name, char *value)
{
	unsigned long n = 0;

	switch (id) {
	case VERBOSE:
		d->batch.options.verbose = true;
		return 0;
	case QUIET:
		d->quiet = true;
		return 0;
	case VERSION:
		return take_variants(d, value);
	case DEFINE:
		return take_define(d, value);
	case PCAPNG:
		d->batch.pcapng = value;
		return 0;
	case JSON:
		d->json = true;
		return 0;
	case JUNIT:
		d->junit = value;
		return 0;
	case KERNEL:
		d->batch.options.kernel = true;
		return 0;
	default:
		break;
	}
	if (take_count(name, value, &n))
		return EXIT_USAGE;
	if (id == JOBS)
		d->batch.parallel = (unsigned)n;
	else if (id == SEED)
		d->batch.options.seed = n;
	else
		d->batch.limit = (double)n;
	return 0;
}

/* One argument, and its value if that is the next. 0, EXIT_USAGE, or -1: help was asked for. */
static int take_argument(struct command_line *d, int argc, char **argv, int *i)
{
	char *arg = argv[*i], *value = NULL;
	size_t n = strcspn(arg, "=");

	for (size_t k = 0; k < NR_OPTIONS; k++) {
		const char *name = options[k].name;

		if (strncmp(arg, name, n) != 0 || name[n] || (arg[n] && n == 2))
			continue;
		if (options[k].id == HELP)
			return -1;
		if (arg[n] == '=')
			value = arg + n + 1;
		else if (options[k].value && *i + 1 < argc)
			value = argv[++*i];
		if (options[k].value != !!value)
			return command_error("drill", "%s %s", name,
					     options[k].value ? "wants a value" : "has no value");
		return take_option(d, options[k].id, name, value);
	}
	if (arg[0] == '-' && arg[1] == 'D' && arg[2])
		return take_define(d, arg + 2);
	if (arg[0] == '-' && arg[1] == '-' && arg[2])
		return take_setting(d, arg);
	if (arg[0] == '-')
		return command_error("drill", "there is no option %s; see weir drill --help", arg);
	d->paths[d->nr_paths++] = arg;
	return 0;
}

/* ---- running --------------------------------------------------------------------------------------------- */

/* Words that mean the same thing in all variants: those that the public scripts expect to be given. */
static const struct {
	unsigned variants;
	struct drill_define define;
} predefined[] = {
	{ 1 << DRILL_IPV4, { "CMSG_LEVEL_IP", "SOL_IP" } },
	{ 1 << DRILL_MAPPED | 1 << DRILL_IPV6, { "CMSG_LEVEL_IP", "SOL_IPV6" } },
	{ 1 << DRILL_IPV4, { "CMSG_TYPE_RECVERR", "IP_RECVERR" } },
	{ 1 << DRILL_MAPPED | 1 << DRILL_IPV6, { "CMSG_TYPE_RECVERR", "IPV6_RECVERR" } },
};
#define NR_PREDEFINED (sizeof(predefined) / sizeof(predefined[0]))

struct define_list {
	struct drill_define define[MAX_DEFINES + NR_PREDEFINED];
	size_t nr;
};

/* The words of a variant; those of the command line first: the first counts. */
static void defines_of(const struct command_line *d, enum drill_variant v, struct define_list *ret)
{
	const char *name = drill_variant_name[v];

	ret->nr = 0;
	for (size_t i = 0; i < d->nr_defines; i++)
		if (!d->define[i].variant || (strlen(name) == d->define[i].variant_len &&
					      !strncmp(name, d->define[i].variant, strlen(name))))
			ret->define[ret->nr++] = d->define[i].define;
	for (size_t i = 0; i < NR_PREDEFINED; i++)
		if (predefined[i].variants & 1u << v)
			ret->define[ret->nr++] = predefined[i].define;
}

static int run(struct command_line *d)
{
	struct define_list lists[DRILL_NR_VARIANTS];
	struct drill_batch *b = &d->batch;
	int failed;

	for (int v = 0; v < DRILL_NR_VARIANTS; v++) {
		defines_of(d, (enum drill_variant)v, &lists[v]);
		b->defines[v].define = lists[v].define;
		b->defines[v].nr = lists[v].nr;
	}
	for (int i = 0; i < d->nr_paths; i++) {
		int err = drill_batch_add(b, d->paths[i], d->variants);

		if (err)
			return command_error("drill", "%s: %s", d->paths[i], strerror(-err));
	}
	failed = drill_batch_run(b);
	if (failed < 0)
		return command_error("drill", "cannot run scripts: %s", strerror(-failed));
	if (d->json && drill_batch_json(b, stdout))
		return command_error("drill", "the results cannot be written");
	if (d->junit && write_junit(b, d->junit))
		return EXIT_USAGE;
	if (!d->json && (b->nr > 1 || !b->nr))
		printf("%zu passed, %d failed\n", b->nr - (size_t)failed, failed);
	return failed ? 1 : 0;
}

int cmd_drill(int argc, char **argv)
{
	struct command_line d = { .variants = 1u << DRILL_IPV4 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int r = 0;

	drill_options_default(&d.batch.options, DRILL_IPV4);
	d.batch.parallel = cpus > 0 ? (unsigned)cpus : 1;
	d.batch.limit = 60;
	d.batch.report = print_job;
	d.batch.arg = &d;
	d.paths = calloc((size_t)argc, sizeof(*d.paths));
	if (!d.paths)
		return command_error("drill", "no memory");
	for (int i = 1; i < argc && !r; i++) {
		if (!strcmp(argv[i], "--")) {
			while (++i < argc)
				d.paths[d.nr_paths++] = argv[i];
			break;
		}
		r = take_argument(&d, argc, argv, &i);
	}
	if (r < 0)
		r = fputs(drill_help, stdout) < 0;
	else if (!r && !d.nr_paths)
		r = command_error("drill", "which script? (weir drill --help)");
	else if (!r)
		r = run(&d);
	drill_batch_free(&d.batch);
	free(d.paths);
	return r;
}
