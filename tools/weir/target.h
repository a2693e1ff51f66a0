/* SPDX-License-Identifier: BSD-2-Clause */
/* target.h - which instance and node "[LAB/]NODE" on a command line means */
#ifndef WEIR_TOOLS_TARGET_H
#define WEIR_TOOLS_TARGET_H

struct target {
	char instance[64]; /* name of the lab or of the instance of weir run */
	char node[64];
};

/* 0; or an exit status, when nothing or more than one thing is meant: then it was said on stderr. @command: for messages. */
int find_target(const char *command, const char *spec, struct target *ret);

#endif
