/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_run.c - weir run: one program, one net with a loopback */
#include "tools/weir/commands.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "run/run.h"
#include "see/session.h"

static const char text[] =
	"usage: weir run [--name NAME] [--seed SEED] [--pcapng FILE] [--walk FILTER] -- PROGRAM "
	"[ARGUMENT ...]\n"
	"\n"
	"Runs PROGRAM, unmodified, on a network stack of its own. The instance has a loopback "
	"interface only;\n"
	"it ends with PROGRAM, and so does everything PROGRAM has started.\n"
	"\n"
	"  --name NAME    name for weir exec and weir ps (default: run-PID)\n"
	"  --seed SEED    random choices of the stack are a function of this number\n"
	"  --pcapng FILE  write every frame to FILE, with each packet's id and fate\n"
	"  --walk FILTER  at the end, print the path of the last packet that matches (as tcpdump "
	"has it)\n"
	"\n"
	"The exit status is PROGRAM's; 126, 127: it could not be started; 125: weir failed; 2: bad "
	"command line.\n";

struct job {
	struct run *run;
	struct run_proc *proc;
	char **argv;
	struct see_options see_options;
	struct see_session *see;
};

static void program_changed(struct run_proc *p, int wait_status, void *arg)
{
	struct job *job = arg;

	if (WIFSTOPPED(wait_status)) {
		run_suspend(job->run);
		return;
	}
	job->proc = NULL;
	run_finish(job->run, wait_status);
}

static void relay_signal(struct run *r, int sig, bool direct, void *arg)
{
	struct job *job = arg;

	if (job->proc && direct)
		run_proc_kill(job->proc, sig);
}

static void at_finish(struct run *r, void *arg)
{
	struct job *job = arg;
	int err = see_session_end(job->see, stderr);

	if (err < 0)
		fprintf(stderr, "weir run: %s: the capture is incomplete: %s\n",
			job->see_options.pcapng, strerror(-err));
}

/* 0, or an exit status; then the reason was said. */
static int start_seeing(struct job *job, struct run_node *node)
{
	int err;

	job->see = see_session_start(job->run, &job->see_options);
	if (!job->see)
		return EXIT_USAGE;
	run_at_finish(job->run, at_finish, job);
	err = see_session_watch(job->see, run_node_net(node));
	if (err < 0)
		fprintf(stderr, "weir run: cannot see into the net: %s\n", strerror(-err));
	return err < 0 ? 125 : 0;
}

static int setup(struct run *r, void *arg)
{
	struct job *job = arg;
	struct run_spawn sp = {
		.argv = job->argv,
		.fds = { 0, 1, 2 },
		.inherit = true,
		.foreground = true,
		.changed = program_changed,
		.arg = job,
	};
	struct run_node *node;
	int err;

	job->run = r;
	run_on_signal(r, relay_signal, job);
	err = run_node_loopback(r, "host", &node);
	if (err) {
		fprintf(stderr, "weir run: cannot set up the net: %s\n", strerror(-err));
		return 125;
	}
	err = start_seeing(job, node);
	if (err)
		return err;
	err = run_spawn(node, &sp, &job->proc);
	if (err) {
		fprintf(stderr, "weir run: %s: %s\n", job->argv[0], strerror(-err));
		return err == -ENOENT ? 127 : 126;
	}
	return 0;
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "pcapng", required_argument, NULL, 'p' },
		{ "walk", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct job job = { .see_options.without = "it runs without --walk or --pcapng" };
	struct run_config cfg = { .kind = "run", .setup = setup, .arg = &job };
	char *end;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			cfg.name = optarg;
			break;
		case 's':
			errno = 0;
			cfg.seeded = true;
			cfg.seed = strtoull(optarg, &end, 0);
			if (errno || *end || end == optarg || optarg[0] == '-')
				return command_error("run",
						     "--seed \"%s\": not a number from 0 to 2^64-1",
						     optarg);
			break;
		case 'p':
			job.see_options.pcapng = optarg;
			break;
		case 'w':
			job.see_options.walk = optarg;
			break;
		case 'h':
			fputs(text, stdout);
			return 0;
		default:
			return command_error(
				"run", "unknown option or missing value: \"%s\" (weir run --help)",
				argv[optind - 1]);
		}
	}
	if (optind >= argc)
		return command_error("run", "no program given (weir run -- PROGRAM)");
	job.argv = argv + optind;
	return run_front(&cfg);
}
