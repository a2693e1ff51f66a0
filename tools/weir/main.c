/* SPDX-License-Identifier: BSD-2-Clause */
/* main.c - weir: the table of commands */
#include "tools/weir/commands.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <weir/weir.h>

struct command {
	const char *name;
	int (*fn)(int argc, char **argv);
	const char *help;
};

static const struct command commands[] = {
	{ "run", cmd_run, "run a program on a network stack of its own" },
	{ "lab", cmd_lab, "build and run networks of hosts from a file" },
	{ "exec", cmd_exec, "run a program on a node of a running instance" },
	{ "ps", cmd_ps, "list running instances and their programs" },
	{ "walk", cmd_walk, "show the path of a packet, function by function" },
	{ "drill", cmd_drill, "run packet scripts against a stack in virtual time" },
	{ "explain", cmd_explain, "say where weir has what the kernel's books name" },
	{ "doctor", cmd_doctor, "say what this machine lets weir do" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

int command_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "weir%s%s: ", command ? " " : "", command ? command : "");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int help(FILE *out)
{
	fputs("usage: weir COMMAND [OPTIONS] ...\n\ncommands:\n", out);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nweir COMMAND --help says more; weir --version prints the version.\n", out);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(stdout);
	if (!strcmp(argv[1], "--version")) {
		printf("weir %s\n", weir_version());
		return 0;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].fn(argc - 1, argv + 1);
	return command_error(NULL, "no command \"%s\" (weir --help lists them)", argv[1]);
}
