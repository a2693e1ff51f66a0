/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lexer.h - tokens of a packet script
 *
 * Most of a script is made of ordinary tokens (drill_lex_next). Some of its parts have an alphabet of their own: option lines, TCP
 * flags ("SEWA", ".5"), addresses, notes. For them the parser puts the current token back (drill_lex_back) and reads raw.
 *
 * After the first error every token is TOKEN_END: a parser may go on without looking, its loops end.
 */
#ifndef WEIR_DRILL_LEXER_H
#define WEIR_DRILL_LEXER_H

#include "drill/arena.h"
#include "drill/script.h"

enum drill_token_kind {
	TOKEN_END,
	TOKEN_WORD,     /* socket  sackOK  1a2b: letters, digits and _, but not a number */
	TOKEN_INTEGER,  /* 10 */
	TOKEN_HEX,      /* 0x1f */
	TOKEN_FLOAT,    /* .5  1.25: @ns has it in 10^-9 */
	TOKEN_STRING,   /* "...": @text without quotes and escapes */
	TOKEN_COMMAND,  /* `...` */
	TOKEN_CODE,     /* %{ ... }% */
	TOKEN_ELLIPSIS, /* ... */
	TOKEN_PUNCT,    /* any other character: @punct */
};

struct drill_token {
	enum drill_token_kind kind;
	struct drill_pos pos;
	bool spaced; /* white space or a comment before it, or it is the first */
	char punct;
	const char *text; /* NUL-terminated; of all kinds but END and PUNCT */
	size_t len;
	uint64_t number; /* INTEGER, HEX */
	int64_t ns;      /* INTEGER, FLOAT, as seconds */
};

struct drill_input {
	const char *p, *end;
	struct drill_pos pos;
	const char *define; /* NULL: the script itself */
};

enum { DRILL_DEFINE_DEPTH = 8 };

struct drill_lexer {
	const char *path;
	struct drill_arena *arena;
	struct drill_input
		input[DRILL_DEFINE_DEPTH]; /* the script, and the defines that are being replaced */
	size_t nr_inputs;
	struct drill_input before[DRILL_DEFINE_DEPTH]; /* as it was before the current token */
	size_t nr_before;
	struct drill_define *defines;
	size_t nr_defines;
	size_t fixed_defines;     /* those of the caller: the script cannot change them */
	struct drill_token token; /* the current one */
	struct drill_pos end;     /* of the last character that was read and was not space */
	struct drill_pos last;    /* @end as it was before the current token */
	char *error;              /* malloc()ed; NULL: none so far */
};

void drill_lexer_init(struct drill_lexer *lx, struct drill_arena *arena, const char *path,
		      const char *text, size_t len);
/* @value stays the caller's; it must live as long as the lexer. Refused (false) when the name is one of the caller's. */
void drill_lexer_define(struct drill_lexer *lx, const char *name, const char *value, bool fixed);

/* Makes the next token the current one. */
void drill_lex_next(struct drill_lexer *lx);
/* Undoes the last drill_lex_next(), so that a raw read starts where the token did. */
void drill_lex_back(struct drill_lexer *lx);

/* Raw reads. They skip white space and comments first, and leave the current token undefined: call drill_lex_next() after. */
/* --name=value: false if there is none here. */
bool drill_lex_option(struct drill_lexer *lx, struct drill_option *ret);
/* TCP flags: letters, '.', '-', and a digit before white space. "" if there are none. */
const char *drill_lex_flags(struct drill_lexer *lx, struct drill_pos *ret_pos);
/* Digits, letters a-f, '.' and ':'; the ':' after an address is left there. */
const char *drill_lex_address(struct drill_lexer *lx, struct drill_pos *ret_pos);
/* The text up to the parenthesis that closes one that was read already, which is read too. */
const char *drill_lex_note(struct drill_lexer *lx);

/* Keeps the first error only: "path:line:column: sentence". */
void drill_lex_error(struct drill_lexer *lx, struct drill_pos pos, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* What the current token is, in words, for "expected x, not ...". */
const char *drill_token_words(struct drill_lexer *lx);

#endif
