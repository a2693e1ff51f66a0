/* SPDX-License-Identifier: BSD-2-Clause */
/* cmd_doctor.c - weir doctor: what this machine lets the runner do */
#include "tools/weir/commands.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "run/run.h"

int cmd_doctor(int argc, char **argv)
{
	bool json = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json")) {
			json = true;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			puts("usage: weir doctor [--json]\n\n"
			     "Tries each facility that the runner can use, and says what is lost "
			     "without it and what to do.\n"
			     "Exit status 0: programs can be attached here; 1: they cannot.");
			return 0;
		} else {
			return command_error("doctor", "unexpected \"%s\" (weir doctor --help)",
					     argv[i]);
		}
	}
	return run_doctor(stdout, json);
}
