/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell.h - the commands of scripts that need no shell
 *
 * Nearly all commands set sysctls: "sysctl -q net.ipv4.tcp_ecn=1 ..." and "echo 1 > /proc/sys/net/...", several joined by newlines, ';' or
 * "&&", or in a file of such commands that they name. Those are done at once. Everything else, down to the first word that a shell would
 * have to look at, is left to a shell.
 */
#ifndef WEIR_DRILL_SHELL_H
#define WEIR_DRILL_SHELL_H

#include <stdbool.h>

struct drill_shell_ops {
	int (*sysctl)(void *arg, const char *name, const char *value);
	int (*write)(void *arg, const char *path, const char *text);
};

/* @dir: what names of files are relative to. True: all of @command was done, *ret_status as of waitpid(2). False: nothing was, it needs a shell. */
bool drill_shell(const char *command, const char *dir, const struct drill_shell_ops *ops, void *arg,
		 int *ret_status);

#endif
