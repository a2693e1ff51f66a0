/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lexer.c - tokens of a packet script
 *
 * Theory of operation
 *   The input is a stack: the script at the bottom, above it the values of the defines that are being replaced. A define's tokens
 *   carry the position of the word that was replaced, because that is where the reader of an error looks. An input is popped when a
 *   token is wanted and it has none left; so an input stack from before a token can be put back as a value (drill_lex_back).
 */
#include "drill/lexer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct drill_input *top(struct drill_lexer *lx)
{
	return &lx->input[lx->nr_inputs - 1];
}

void drill_lexer_init(struct drill_lexer *lx, struct drill_arena *arena, const char *path,
		      const char *text, size_t len)
{
	memset(lx, 0, sizeof(*lx));
	lx->path = path;
	lx->arena = arena;
	lx->input[0] = (struct drill_input){ .p = text, .end = text + len, .pos = { 1, 1 } };
	lx->nr_inputs = 1;
	/* Three octets that editors of another world put in front. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		lx->input[0].p += 3;
}

static struct drill_define *find_define(struct drill_lexer *lx, const char *name)
{
	for (size_t i = 0; i < lx->nr_defines; i++)
		if (strcmp(lx->defines[i].name, name) == 0)
			return &lx->defines[i];
	return NULL;
}

void drill_lexer_define(struct drill_lexer *lx, const char *name, const char *value, bool fixed)
{
	struct drill_define *d = find_define(lx, name);

	if (d) {
		if (fixed || (size_t)(d - lx->defines) >= lx->fixed_defines)
			d->value = value;
		return;
	}
	lx->defines = drill_arena_grow(lx->arena, lx->defines, lx->nr_defines, sizeof(*d));
	lx->defines[lx->nr_defines++] = (struct drill_define){ name, value };
	if (fixed)
		lx->fixed_defines = lx->nr_defines;
}

void drill_lex_error(struct drill_lexer *lx, struct drill_pos pos, const char *format, ...)
{
	char *sentence = NULL;
	va_list args;

	if (lx->error)
		return;
	va_start(args, format);
	if (vasprintf(&sentence, format, args) < 0 ||
	    asprintf(&lx->error, "%s:%u:%u: %s", lx->path, pos.line, pos.column, sentence) < 0) {
		fputs("weir drill: out of memory\n", stderr);
		exit(1);
	}
	va_end(args);
	free(sentence);
}

/* ---- characters ---------------------------------------------------------------------------------------- */

static int peek(const struct drill_input *in, size_t ahead)
{
	return (size_t)(in->end - in->p) > ahead ? (unsigned char)in->p[ahead] : -1;
}

static void advance(struct drill_lexer *lx, size_t n)
{
	struct drill_input *in = top(lx);

	while (n--) {
		lx->end = in->pos;
		if (!in->define) {
			if (*in->p == '\n')
				in->pos = (struct drill_pos){ in->pos.line + 1, 1 };
			else
				in->pos.column++;
		}
		in->p++;
	}
}

/* The first @what after the current place, or NULL. */
static const char *find(const struct drill_input *in, const char *what, size_t skip)
{
	size_t left = in->end - in->p;

	return left < skip ? NULL : memmem(in->p + skip, left - skip, what, strlen(what));
}

static void skip_line(struct drill_lexer *lx)
{
	while (peek(top(lx), 0) >= 0 && peek(top(lx), 0) != '\n')
		advance(lx, 1);
}

/* Over white space and comments. True if there was any. */
static bool skip_space(struct drill_lexer *lx)
{
	struct drill_input *in = top(lx);
	struct drill_pos end = lx->end;
	bool any = false;

	for (;; any = true) {
		int c = peek(in, 0);

		if (c >= 0 && isspace(c)) {
			advance(lx, 1);
		} else if (c == '\\' && (peek(in, 1) == '\n' || peek(in, 1) == '\r')) {
			advance(lx, 1);
		} else if (c == '#' || (c == '/' && peek(in, 1) == '/')) {
			skip_line(lx);
		} else if (c == '/' && peek(in, 1) == '*') {
			const char *stop = find(in, "*/", 2);

			if (!stop) {
				drill_lex_error(lx, in->pos, "this comment has no end");
				break;
			}
			advance(lx, stop + 2 - in->p);
		} else {
			break;
		}
	}
	lx->end = end;
	return any;
}

static bool is_word(int c)
{
	return c >= 0 && (isalnum(c) || c == '_');
}

/* ---- tokens -------------------------------------------------------------------------------------------- */

static int64_t seconds(const char *text, size_t len)
{
	const int64_t limit = INT64_MAX / 4;
	int64_t ns = 0, unit = 1000000000;
	size_t i = 0;

	for (; i < len && text[i] != '.'; i++)
		ns = ns > (limit - 9) / 10 ? limit : ns * 10 + (text[i] - '0');
	ns = ns > limit / unit ? limit : ns * unit;
	for (i++; i < len && unit > 1; i++) {
		unit /= 10;
		ns += (text[i] - '0') * unit;
	}
	return ns;
}

static void take(struct drill_lexer *lx, enum drill_token_kind kind, size_t len)
{
	struct drill_token *t = &lx->token;

	t->kind = kind;
	t->text = drill_arena_text(lx->arena, top(lx)->p, len);
	t->len = len;
	advance(lx, len);
}

static bool number_value(const char *text, size_t len, int base, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned int digit = isdigit((unsigned char)text[i]) ? text[i] - '0'
								     : (text[i] | 0x20) - 'a' + 10;

		if (n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*ret = n;
	return true;
}

static void lex_word(struct drill_lexer *lx)
{
	const struct drill_input *in = top(lx);
	struct drill_token *t = &lx->token;
	size_t len = 0, digits = 0;

	while (is_word(peek(in, len)))
		len++;
	while (digits < len && isdigit((unsigned char)in->p[digits]))
		digits++;
	/* 1.5, and not the 0 of 0...1 */
	if (digits == len && peek(in, len) == '.' && peek(in, len + 1) != '.') {
		for (len++; peek(in, len) >= 0 && isdigit(peek(in, len));)
			len++;
		take(lx, TOKEN_FLOAT, len);
		t->ns = seconds(t->text, t->len);
		return;
	}
	if (digits == len) {
		take(lx, TOKEN_INTEGER, len);
		t->ns = seconds(t->text, t->len);
		if (!number_value(t->text, len, 10, &t->number))
			drill_lex_error(lx, t->pos, "the number '%s' is over 64 bits", t->text);
		return;
	}
	if (len > 2 && in->p[0] == '0' && (in->p[1] | 0x20) == 'x') {
		size_t hex = 2;

		while (hex < len && isxdigit((unsigned char)in->p[hex]))
			hex++;
		if (hex == len) {
			take(lx, TOKEN_HEX, len);
			if (!number_value(t->text + 2, len - 2, 16, &t->number))
				drill_lex_error(lx, t->pos, "the number '%s' is over 64 bits",
						t->text);
			return;
		}
	}
	take(lx, TOKEN_WORD, len);
}

static int hex_digit(int c)
{
	return c < 0 || !isxdigit(c) ? -1 : isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* One character of a string, after its backslash. Returns how many characters were used. */
static size_t escape(const struct drill_input *in, size_t at, char *ret)
{
	static const char names[] = "abfnrtv", values[] = "\a\b\f\n\r\t\v";
	int c = peek(in, at);
	const char *n = c > 0 ? strchr(names, c) : NULL;
	size_t used = 1;

	if (n) {
		*ret = values[n - names];
	} else if (c == 'x' && hex_digit(peek(in, at + 1)) >= 0) {
		int value = 0;

		for (; used < 3 && hex_digit(peek(in, at + used)) >= 0; used++)
			value = value * 16 + hex_digit(peek(in, at + used));
		*ret = value;
	} else if (c >= '0' && c <= '7') {
		int value = 0;

		for (used = 0; used < 3 && peek(in, at + used) >= '0' && peek(in, at + used) <= '7';
		     used++)
			value = value * 8 + peek(in, at + used) - '0';
		*ret = value;
	} else {
		*ret = c; /* \" \\ and whatever needs none */
	}
	return used;
}

static void lex_string(struct drill_lexer *lx)
{
	const struct drill_input *in = top(lx);
	struct drill_token *t = &lx->token;
	size_t at = 1, len = 0;
	char *text;

	while (peek(in, at) >= 0 && peek(in, at) != '"')
		at += peek(in, at) == '\\' ? 2 : 1;
	if (peek(in, at) < 0) {
		drill_lex_error(lx, in->pos, "this string has no end");
		return;
	}
	text = drill_arena_alloc(lx->arena, at);
	for (at = 1; peek(in, at) != '"'; len++) {
		if (peek(in, at) == '\\')
			at += 1 + escape(in, at + 1, &text[len]);
		else
			text[len] = in->p[at++];
	}
	*t = (struct drill_token){ TOKEN_STRING, t->pos, t->spaced, 0, text, len, 0, 0 };
	advance(lx, at + 1);
}

/* Text up to @end, which is left out. */
static void lex_enclosed(struct drill_lexer *lx, enum drill_token_kind kind, size_t skip,
			 const char *end, const char *what)
{
	const char *stop = find(top(lx), end, skip);

	if (!stop) {
		drill_lex_error(lx, top(lx)->pos, "this %s has no end: %s is missing", what, end);
		return;
	}
	advance(lx, skip);
	take(lx, kind, stop - top(lx)->p);
	advance(lx, strlen(end));
}

static bool replace(struct drill_lexer *lx)
{
	const struct drill_define *d = find_define(lx, lx->token.text);

	if (!d)
		return false;
	if (lx->nr_inputs == DRILL_DEFINE_DEPTH) {
		drill_lex_error(lx, lx->token.pos, "'%s' is defined by itself",
				lx->input[1].define);
		return false;
	}
	lx->input[lx->nr_inputs++] = (struct drill_input){ .p = d->value,
							   .end = d->value + strlen(d->value),
							   .pos = lx->token.pos,
							   .define = d->name };
	return true;
}

static void lex_one(struct drill_lexer *lx)
{
	const struct drill_input *in = top(lx);
	struct drill_token *t = &lx->token;
	int c = peek(in, 0);

	t->pos = in->pos;
	if (c < 0)
		t->kind = TOKEN_END;
	else if (is_word(c))
		lex_word(lx);
	else if (c == '"')
		lex_string(lx);
	else if (c == '`')
		lex_enclosed(lx, TOKEN_COMMAND, 1, "`", "command");
	else if (c == '%' && peek(in, 1) == '{')
		lex_enclosed(lx, TOKEN_CODE, 2, "}%", "code");
	else if (c == '.' && peek(in, 1) == '.' && peek(in, 2) == '.')
		take(lx, TOKEN_ELLIPSIS, 3);
	else if (c == '.' && peek(in, 1) >= 0 && isdigit(peek(in, 1))) {
		size_t len = 1;

		while (peek(in, len) >= 0 && isdigit(peek(in, len)))
			len++;
		take(lx, TOKEN_FLOAT, len);
		t->ns = seconds(t->text, t->len);
	} else {
		t->kind = TOKEN_PUNCT;
		t->punct = c;
		advance(lx, 1);
	}
}

void drill_lex_next(struct drill_lexer *lx)
{
	struct drill_token *t = &lx->token;
	bool spaced = lx->nr_inputs == 1 && top(lx)->pos.line == 1 && top(lx)->pos.column == 1;

	lx->last = lx->end;
	memcpy(lx->before, lx->input, sizeof(lx->before));
	lx->nr_before = lx->nr_inputs;
	do {
		*t = (struct drill_token){ 0 };
		for (;;) {
			spaced |= skip_space(lx);
			if (top(lx)->p < top(lx)->end || lx->nr_inputs == 1)
				break;
			lx->nr_inputs--;
		}
		t->spaced = spaced;
		lex_one(lx);
	} while (!lx->error && t->kind == TOKEN_WORD && replace(lx));
	if (lx->error)
		*t = (struct drill_token){ .kind = TOKEN_END, .pos = t->pos };
}

void drill_lex_back(struct drill_lexer *lx)
{
	memcpy(lx->input, lx->before, sizeof(lx->input));
	lx->nr_inputs = lx->nr_before;
}

/* ---- raw reads ----------------------------------------------------------------------------------------- */

static void raw_start(struct drill_lexer *lx)
{
	do {
		skip_space(lx);
	} while (top(lx)->p == top(lx)->end && lx->nr_inputs > 1 && lx->nr_inputs--);
}

bool drill_lex_option(struct drill_lexer *lx, struct drill_option *ret)
{
	const struct drill_input *in = top(lx);
	size_t len = 2, out = 0;
	char *name, *value;

	raw_start(lx);
	in = top(lx);
	if (lx->error || peek(in, 0) != '-' || peek(in, 1) != '-')
		return false;
	ret->pos = in->pos;
	while (is_word(peek(in, len)) || peek(in, len) == '-')
		len++;
	name = drill_arena_text(lx->arena, in->p + 2, len - 2);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	if (!*name)
		drill_lex_error(lx, in->pos, "expected the name of an option after --");
	advance(lx, len);
	ret->name = name;
	ret->value = NULL;
	if (peek(in, 0) != '=')
		return true;
	advance(lx, 1);
	/* Up to white space, but quotes protect it; they may enclose a part: --define=A="b c". */
	value = drill_arena_alloc(lx->arena, in->end - in->p + 1);
	while (peek(in, 0) >= 0 && !isspace(peek(in, 0))) {
		char quote = peek(in, 0);
		const char *end =
			quote == '"' || quote == '`' ? find(in, (char[]){ quote, 0 }, 1) : NULL;

		if (end) {
			memcpy(value + out, in->p + 1, end - in->p - 1);
			out += end - in->p - 1;
			advance(lx, end + 1 - in->p);
		} else {
			value[out++] = quote;
			advance(lx, 1);
		}
	}
	ret->value = drill_arena_text(lx->arena, value, out);
	return true;
}

const char *drill_lex_flags(struct drill_lexer *lx, struct drill_pos *ret_pos)
{
	const struct drill_input *in;
	size_t len = 0;

	raw_start(lx);
	in = top(lx);
	*ret_pos = in->pos;
	while (peek(in, len) >= 0 &&
	       (isalpha(peek(in, len)) || peek(in, len) == '.' || peek(in, len) == '-'))
		len++;
	if (len && peek(in, len) >= 0 && isdigit(peek(in, len)) && peek(in, len + 1) >= 0 &&
	    isspace(peek(in, len + 1)))
		len++;
	take(lx, TOKEN_WORD, len);
	return lx->token.text;
}

const char *drill_lex_address(struct drill_lexer *lx, struct drill_pos *ret_pos)
{
	const struct drill_input *in;
	size_t len = 0;

	raw_start(lx);
	in = top(lx);
	*ret_pos = in->pos;
	while (hex_digit(peek(in, len)) >= 0 || peek(in, len) == '.' || peek(in, len) == ':')
		len++;
	/* One colon at the end, or the third of "fd:::", is the packet's; two are the address's. */
	if (len && in->p[len - 1] == ':' &&
	    (len < 2 || in->p[len - 2] != ':' || (len > 2 && in->p[len - 3] == ':')))
		len--;
	take(lx, TOKEN_WORD, len);
	return lx->token.text;
}

const char *drill_lex_note(struct drill_lexer *lx)
{
	const struct drill_input *in = top(lx);
	struct drill_pos pos = in->pos;
	size_t len = 0;

	for (int depth = 0; peek(in, len) != ')' || depth; len++) {
		if (peek(in, len) < 0 || peek(in, len) == '\n') {
			drill_lex_error(lx, pos, "this note has no end: ')' is missing");
			return "";
		}
		depth += peek(in, len) == '(' ? 1 : peek(in, len) == ')' ? -1 : 0;
	}
	take(lx, TOKEN_WORD, len);
	advance(lx, 1);
	return lx->token.text;
}

const char *drill_token_words(struct drill_lexer *lx)
{
	static const char *const plain[] = {
		[TOKEN_END] = "the end of the file", [TOKEN_STRING] = "a string",
		[TOKEN_COMMAND] = "a command",       [TOKEN_CODE] = "code",
		[TOKEN_ELLIPSIS] = "'...'",
	};
	const struct drill_token *t = &lx->token;
	char *text;

	if (t->kind != TOKEN_PUNCT && plain[t->kind])
		return plain[t->kind];
	text = drill_arena_alloc(lx->arena, t->len + 3);
	if (t->kind == TOKEN_PUNCT)
		snprintf(text, 4, "'%c'", isprint((unsigned char)t->punct) ? t->punct : '?');
	else
		snprintf(text, t->len + 3, "'%s'", t->text);
	return text;
}
