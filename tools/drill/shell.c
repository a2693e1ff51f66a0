/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell.c - the commands of scripts that need no shell
 *
 * Two passes over the same text: the first only looks whether every command is one of those, the second does them. Words may be quoted
 * where nothing in the quotes is special to a shell. An exit status is that of the last command, as a shell's; "&&" ends at a failure.
 */
#include "drill/shell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 32
#define SPECIAL   "$`\\*?[]{}()<>|&;#~!"

struct command {
	char *word[MAX_WORDS];
	unsigned nr;
	char *to; /* > file */
};

/* What ends a command. */
enum join { JOIN_END, JOIN_THEN, JOIN_AND, JOIN_UNKNOWN };

static enum join take_join(const char **p)
{
	while (**p == ' ' || **p == '\t')
		(*p)++;
	if (!**p)
		return JOIN_END;
	if (**p == '\n' || **p == ';') {
		(*p)++;
		return JOIN_THEN;
	}
	if ((*p)[0] == '&' && (*p)[1] == '&') {
		*p += 2;
		return JOIN_AND;
	}
	return JOIN_UNKNOWN;
}

/* The next word into @out, which has room for all of it. False: there is none, or a shell must look at it. */
static bool take_word(const char **p, char *out)
{
	bool any = false;
	char quote = 0;

	while (**p) {
		char c = **p;

		if (quote && c == quote) {
			quote = 0;
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
			any = true;
		} else if (quote == '"' && strchr("$`\\", c)) {
			return false;
		} else if (!quote && isspace((unsigned char)c)) {
			break;
		} else if (!quote && strchr(SPECIAL, c)) {
			if (!any || !strchr(";&", c))
				return false;
			break;
		} else {
			*out++ = c;
			any = true;
		}
		(*p)++;
	}
	*out = '\0';
	return any && !quote;
}

/* One command; its words lie in @buf. False: for a shell. */
static bool take_command(const char **p, struct command *c, char *buf)
{
	c->nr = 0;
	c->to = NULL;
	for (;;) {
		while (**p == ' ' || **p == '\t')
			(*p)++;
		if (!**p || strchr("\n;&", **p))
			return true;
		if (**p == '>') {
			(*p)++;
			while (**p == ' ')
				(*p)++;
			if (c->to || !take_word(p, buf))
				return false;
			c->to = buf;
		} else {
			if (c->nr == MAX_WORDS || !take_word(p, buf))
				return false;
			c->word[c->nr++] = buf;
		}
		buf += strlen(buf) + 1;
	}
}

static bool is_sysctl(const struct command *c)
{
	unsigned settings = 0;

	if (c->nr < 2 || strcmp(c->word[0], "sysctl") != 0 || c->to)
		return false;
	for (unsigned i = 1; i < c->nr; i++) {
		if (!strcmp(c->word[i], "-q") || !strcmp(c->word[i], "-qw"))
			continue;
		if (!strcmp(c->word[i], "-w"))
			continue;
		if (c->word[i][0] == '-' || !strchr(c->word[i], '='))
			return false;
		settings++;
	}
	/* Without -q it would print. */
	return settings && c->word[1][0] == '-' && c->word[1][1] == 'q';
}

static bool is_echo(const struct command *c)
{
	return c->nr == 2 && !strcmp(c->word[0], "echo") && c->word[1][0] != '-' && c->to &&
	       !strncmp(c->to, "/proc/sys/net/", 14);
}

static int complain(const char *name, const char *value, int err)
{
	if (err)
		fprintf(stderr, "setting %s to \"%s\": %s\n", name, value, strerror(-err));
	return err ? 1 : 0;
}

/* The exit status. */
static int perform(const struct command *c, const struct drill_shell_ops *ops, void *arg)
{
	int status = 0;

	if (c->to)
		return complain(c->to, c->word[1], ops->write(arg, c->to, c->word[1]));
	for (unsigned i = 1; i < c->nr; i++) {
		char *eq = strchr(c->word[i], '=');

		if (c->word[i][0] == '-')
			continue;
		*eq = '\0';
		status |= complain(c->word[i], eq + 1, ops->sysctl(arg, c->word[i], eq + 1));
		*eq = '=';
	}
	return status;
}

/* @ops NULL: only looks. False: for a shell. */
static bool pass(const char *text, char *buf, const struct drill_shell_ops *ops, void *arg,
		 int *ret_status)
{
	enum join join = JOIN_THEN;
	struct command c;

	while (join != JOIN_END) {
		if (!take_command(&text, &c, buf))
			return false;
		if (c.nr || c.to) {
			if (!is_sysctl(&c) && !is_echo(&c))
				return false;
			if (ops && (join != JOIN_AND || !*ret_status))
				*ret_status = perform(&c, ops, arg);
		}
		join = take_join(&text);
		if (join == JOIN_UNKNOWN)
			return false;
	}
	return true;
}

bool drill_shell(const char *command, const struct drill_shell_ops *ops, void *arg, int *ret_status)
{
	char *buf = malloc(2 * strlen(command) + 2);
	int status = 0;
	bool done;

	done = buf && pass(command, buf, NULL, NULL, &status) &&
	       pass(command, buf, ops, arg, &status);
	free(buf);
	*ret_status = status << 8;
	return done;
}
