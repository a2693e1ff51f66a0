/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shell.c - the commands of scripts that need no shell
 *
 * Two passes over the same text: the first only looks whether every command is one of those, the second does them. Words may be quoted
 * where nothing in the quotes is special to a shell. An exit status is that of the last command, as a shell's; "&&" ends at a failure.
 * A file of such commands is read and treated likewise.
 */
#include "drill/shell.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 32
#define MAX_FILE  65536 /* octets of a file of commands */
#define MAX_DEPTH 4     /* files that run files */
#define SPECIAL   "$`\\*?[]{}()<>|&;#~!"

struct command {
	char *word[MAX_WORDS];
	unsigned nr;
	char *to; /* > file */
};

/* What ends a command. */
enum join { JOIN_END, JOIN_THEN, JOIN_AND, JOIN_UNKNOWN };

static void skip_blanks(const char **p)
{
	for (;; (*p)++)
		if ((*p)[0] == '\\' && (*p)[1] == '\n')
			(*p)++;
		else if (**p != ' ' && **p != '\t')
			return;
}

static enum join take_join(const char **p)
{
	skip_blanks(p);
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
		} else if (!quote &&
			   (isspace((unsigned char)c) || (c == '\\' && (*p)[1] == '\n'))) {
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
		skip_blanks(p);
		if (**p == '#') /* a comment: of a word it would not be the beginning */
			*p += strcspn(*p, "\n");
		if (!**p || strchr("\n;&", **p))
			return true;
		if (**p == '>') {
			(*p)++;
			skip_blanks(p);
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

static bool is_option(const char *word)
{
	static const char *const options[] = { "-q", "-w", "-e", "-qw", "-qe", "-eq", "-wq" };

	for (unsigned i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (!strcmp(word, options[i]))
			return true;
	return false;
}

/* Whether one of the command's options has @letter. */
static bool has_option(const struct command *c, char letter)
{
	for (unsigned i = 1; i < c->nr; i++)
		if (c->word[i][0] == '-' && strchr(c->word[i], letter))
			return true;
	return false;
}

static bool is_sysctl(const struct command *c)
{
	unsigned settings = 0;

	if (c->nr < 2 || strcmp(c->word[0], "sysctl") != 0 || c->to)
		return false;
	for (unsigned i = 1; i < c->nr; i++) {
		if (is_option(c->word[i]))
			continue;
		if (c->word[i][0] == '-' || !strchr(c->word[i], '='))
			return false;
		settings++;
	}
	return settings && has_option(c, 'q'); /* without -q it would print */
}

/* The path of a file, alone. */
static bool is_file(const struct command *c)
{
	return c->nr == 1 && !c->to && strchr(c->word[0], '/');
}

static bool is_echo(const struct command *c)
{
	return c->nr == 2 && !strcmp(c->word[0], "echo") && c->word[1][0] != '-' && c->to &&
	       (!strncmp(c->to, "/proc/sys/net/", 14) || !strncmp(c->to, "/sys/module/", 12));
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
	bool ignore_unknown = has_option(c, 'e');
	int status = 0;

	if (c->to)
		return complain(c->to, c->word[1], ops->write(arg, c->to, c->word[1]));
	for (unsigned i = 1; i < c->nr; i++) {
		char *eq = strchr(c->word[i], '=');
		int err;

		if (c->word[i][0] == '-')
			continue;
		*eq = '\0';
		err = ops->sysctl(arg, c->word[i], eq + 1);
		if (err != -ENOENT || !ignore_unknown)
			status |= complain(c->word[i], eq + 1, err);
		*eq = '=';
	}
	return status;
}

struct run {
	const char *dir;
	const struct drill_shell_ops *ops; /* NULL: only looks */
	void *arg;
	unsigned depth;
	int status;
};

static bool run_text(struct run *r, const char *text);

/* The text of a shell's script. NULL: it is none, or longer than somebody writes who sets sysctls. */
static char *read_file(const char *dir, const char *path)
{
	char *name = malloc(strlen(dir) + strlen(path) + 2), *text = NULL;
	size_t len = 0;
	FILE *f = NULL;

	if (name) {
		sprintf(name, "%s/%s", path[0] == '/' ? "" : dir, path);
		f = fopen(name, "re");
	}
	if (f)
		text = malloc(MAX_FILE + 1);
	if (text)
		len = fread(text, 1, MAX_FILE + 1, f);
	if (f)
		fclose(f);
	free(name);
	if (text && len <= MAX_FILE && !memchr(text, '\0', len)) {
		text[len] = '\0';
		if (!strncmp(text, "#!/bin/sh\n", 10) || !strncmp(text, "#!/bin/bash\n", 12))
			return text;
	}
	free(text);
	return NULL;
}

static bool run_file(struct run *r, const char *path)
{
	char *text = r->depth < MAX_DEPTH ? read_file(r->dir, path) : NULL;
	bool done;

	if (!text)
		return false;
	r->depth++;
	if (r->ops)
		r->status = 0;
	done = run_text(r, text);
	r->depth--;
	free(text);
	return done;
}

/* False: for a shell. */
static bool run_one(struct run *r, struct command *c)
{
	if (is_file(c))
		return run_file(r, c->word[0]);
	if (!is_sysctl(c) && !is_echo(c))
		return false;
	if (r->ops)
		r->status = perform(c, r->ops, r->arg);
	return true;
}

static bool pass(struct run *r, const char *text, char *buf)
{
	enum join join = JOIN_THEN;
	struct command c;

	while (join != JOIN_END) {
		bool last = false;

		if (!take_command(&text, &c, buf))
			return false;
		if (c.nr > 1 && !strcmp(c.word[0], "exec")) {
			memmove(c.word, c.word + 1, --c.nr * sizeof(*c.word));
			last = true;
		}
		if ((c.nr || c.to) && (!r->ops || join != JOIN_AND || !r->status) &&
		    !run_one(r, &c))
			return false;
		if (last && r->ops)
			return true;
		join = take_join(&text);
		if (join == JOIN_UNKNOWN)
			return false;
	}
	return true;
}

static bool run_text(struct run *r, const char *text)
{
	char *buf = malloc(2 * strlen(text) + 2);
	bool done = buf && pass(r, text, buf);

	free(buf);
	return done;
}

bool drill_shell(const char *command, const char *dir, const struct drill_shell_ops *ops, void *arg,
		 int *ret_status)
{
	struct run look = { .dir = dir }, r = { .dir = dir, .ops = ops, .arg = arg };
	bool done = run_text(&look, command) && run_text(&r, command);

	*ret_status = r.status << 8;
	return done;
}
