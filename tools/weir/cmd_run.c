/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_run.c - weir run: one program, one net, a way out and ports in */
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
#include "uplink/uplink.h"

static const char text[] =
	"usage: weir run [OPTION ...] -- PROGRAM [ARGUMENT ...]\n"
	"\n"
	"Runs PROGRAM, unmodified, on a network stack of its own, with a way out through the "
	"host's "
	"own sockets.\n"
	"The instance ends with PROGRAM, and so does everything PROGRAM has started.\n"
	"\n"
	"  --name NAME      name for weir exec and weir ps (default: run-PID)\n"
	"  --seed SEED      random choices of the stack are a function of this number\n"
	"  --uplink KIND    nat (default): a way out; none: a loopback interface only\n"
	"  --mtu N          of the way out (1280 to 65520; default 65520)\n"
	"  -p [ADDR:]HOST:GUEST[/udp]\n"
	"                   a port of the host (or a range) leads to one of the program; "
	"repeatable\n"
	"  --host-loopback  10.0.2.2 and fd00::2 are the host's 127.0.0.1 and ::1\n"
	"  --allow RULE, --deny RULE\n"
	"                   what may be connected to: TARGET[:PORT[-PORT]][/tcp|/udp|/icmp], "
	"TARGET:\n"
	"                   all, an address or prefix, NAME, *.NAME; the first rule that matches "
	"decides;\n"
	"                   what none matches is denied if there is an --allow, else allowed\n"
	"  --allow-unix PATH\n"
	"                   the AF_UNIX socket PATH of the host, those in directory PATH, or the "
	"abstract\n"
	"                   one \"@NAME\" may be connected to; repeatable\n"
	"  --allow-mount    the program may mount, in namespaces of its own (bwrap); weaker: "
	"weir-run(1)\n"
	"  --audit FILE     one JSON object a line for each connection\n"
	"  --pcapng FILE    write every frame to FILE, with each packet's id and fate\n"
	"  --walk FILTER    at the end, print the path of the last packet that matches (as tcpdump "
	"has it)\n"
	"\n"
	"The exit status is PROGRAM's; 126, 127: it could not be started; 125: weir failed; 2: bad "
	"command line.\n";

#define ALLOW_UNIX_MAX 64

struct job {
	struct run *run;
	struct run_proc *proc;
	char **argv;
	struct see_options see_options;
	struct see_session *see;
	bool no_uplink, allow_mount;
	struct uplink_config uplink;
	struct uplink_policy *policy;
	struct uplink_ports *ports;
	const char *audit;
	const char *allow_unix[ALLOW_UNIX_MAX];
	unsigned nr_allow_unix;
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

/* The way out and the ports in. 0, or an exit status; then the reason was said. */
static int open_uplink(struct job *job, struct run_node *node)
{
	char why[256] = "";
	int err;

	if (job->no_uplink)
		return 0;
	if (job->ports && uplink_ports_open(job->ports, why, sizeof(why))) {
		fprintf(stderr, "weir run: %s\n", why);
		return 125;
	}
	if (job->audit) {
		job->uplink.audit = fopen(job->audit, "ae");
		if (!job->uplink.audit) {
			fprintf(stderr, "weir run: --audit %s: %s\n", job->audit, strerror(errno));
			return 125;
		}
	}
	job->uplink.policy = job->policy;
	job->uplink.ports = job->ports;
	err = uplink_create(job->run, node, &job->uplink, why, sizeof(why));
	if (err) {
		fprintf(stderr, "weir run: the way out cannot be made: %s%s%s\n", strerror(-err),
			why[0] ? ": " : "", why);
		return 125;
	}
	job->ports = NULL; /* the uplink's */
	return 0;
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
	for (unsigned i = 0; i < job->nr_allow_unix; i++)
		if (run_allow_unix(r, job->allow_unix[i]))
			return 125;
	if (job->allow_mount)
		run_allow_mount(r);
	err = open_uplink(job, node);
	if (!err)
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

static int add_rule(struct job *job, bool allow, const char *rule)
{
	const char *why = "out of memory";

	if (!job->policy)
		job->policy = uplink_policy_new();
	if (!job->policy || uplink_policy_add(job->policy, allow, rule, &why))
		return command_error("run", "--%s \"%s\": %s", allow ? "allow" : "deny", rule, why);
	return 0;
}

static int add_ports(struct job *job, const char *ports)
{
	const char *why = "out of memory";

	if (!job->ports)
		job->ports = uplink_ports_new();
	if (!job->ports || uplink_ports_add(job->ports, ports, &why))
		return command_error("run", "-p \"%s\": %s", ports, why);
	return 0;
}

static int set_mtu(struct job *job, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*end || end == value || n < UPLINK_MTU_MIN || n > UPLINK_MTU_MAX)
		return command_error("run", "--mtu \"%s\": not a number from %d to %d", value,
				     UPLINK_MTU_MIN, UPLINK_MTU_MAX);
	job->uplink.mtu = (uint32_t)n;
	return 0;
}

static int set_uplink(struct job *job, const char *value)
{
	job->no_uplink = !strcmp(value, "none");
	if (!job->no_uplink && strcmp(value, "nat") != 0)
		return command_error("run", "--uplink \"%s\": nat or none", value);
	return 0;
}

/* An option of the way out. -1: it is none */
static int uplink_option(struct job *job, int opt, const char *value)
{
	switch (opt) {
	case 'u':
		return set_uplink(job, value);
	case 'm':
		return set_mtu(job, value);
	case 'p':
		return add_ports(job, value);
	case 'L':
		job->uplink.host_loopback = true;
		return 0;
	case 'A':
	case 'D':
		return add_rule(job, opt == 'A', value);
	case 'a':
		job->audit = value;
		return 0;
	case 'U':
		if (job->nr_allow_unix == ALLOW_UNIX_MAX)
			return command_error("run", "more than %d --allow-unix", ALLOW_UNIX_MAX);
		job->allow_unix[job->nr_allow_unix++] = value;
		return 0;
	default:
		return -1;
	}
}

static int run_job(struct job *job, int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "pcapng", required_argument, NULL, 'c' },
		{ "walk", required_argument, NULL, 'w' },
		{ "uplink", required_argument, NULL, 'u' },
		{ "mtu", required_argument, NULL, 'm' },
		{ "publish", required_argument, NULL, 'p' },
		{ "host-loopback", no_argument, NULL, 'L' },
		{ "allow", required_argument, NULL, 'A' },
		{ "deny", required_argument, NULL, 'D' },
		{ "audit", required_argument, NULL, 'a' },
		{ "allow-unix", required_argument, NULL, 'U' },
		{ "allow-mount", no_argument, NULL, 'M' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct run_config cfg = { .kind = "run", .setup = setup, .arg = job };
	char *end;
	int opt, status;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+hp:", options, NULL)) != -1) {
		status = uplink_option(job, opt, optarg);
		if (status > 0)
			return status;
		if (status == 0)
			continue;
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
		case 'c':
			job->see_options.pcapng = optarg;
			break;
		case 'w':
			job->see_options.walk = optarg;
			break;
		case 'M':
			job->allow_mount = true;
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
	if (job->no_uplink && job->ports)
		return command_error("run", "-p needs a way in: not with --uplink none");
	if (optind >= argc)
		return command_error("run", "no program given (weir run -- PROGRAM)");
	job->argv = argv + optind;
	return run_front(&cfg);
}

int cmd_run(int argc, char **argv)
{
	struct job job = { .see_options.without = "it runs without --walk or --pcapng" };
	int status = run_job(&job, argc, argv);

	uplink_ports_free(job.ports);
	uplink_policy_free(job.policy);
	return status;
}
