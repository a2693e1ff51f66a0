/* SPDX-License-Identifier: BSD-2-Clause */
/* commands.h - the commands of weir: each gets argv with its own name first, and returns an exit status */
#ifndef TOOLS_WEIR_COMMANDS_H
#define TOOLS_WEIR_COMMANDS_H

int cmd_run(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_drill(int argc, char **argv);
int cmd_walk(int argc, char **argv);
int cmd_explain(int argc, char **argv);

#define EXIT_USAGE 2 /* bad command lines and bad configuration, with one sentence on stderr */

/* Says "weir COMMAND: ..." and returns EXIT_USAGE. */
int command_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
