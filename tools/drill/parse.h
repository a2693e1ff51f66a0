/* SPDX-License-Identifier: BSD-2-Clause */
/* parse.h - what the parser's two halves share: parser.c (scripts, events, expressions) and packet_text.c (packets) */
#ifndef WEIR_DRILL_PARSE_H
#define WEIR_DRILL_PARSE_H

#include "drill/lexer.h"

/* The current token is looked at, accepted (then the next one is current) or expected (else the error names @what). */
bool drill_at_punct(const struct drill_lexer *lx, char punct);
bool drill_at_word(const struct drill_lexer *lx, const char *word);
bool drill_accept_punct(struct drill_lexer *lx, char punct);
bool drill_accept_word(struct drill_lexer *lx, const char *word);
void drill_expect_punct(struct drill_lexer *lx, char punct, const char *where);
/* An integer, decimal or hexadecimal, of at most @max. */
uint64_t drill_expect_number(struct drill_lexer *lx, const char *what, uint64_t max);
void drill_expected(struct drill_lexer *lx, const char *what);

/* The current token is the one after the direction. Leaves the one after the packet. */
void drill_parse_packet(struct drill_lexer *lx, struct drill_packet *ret);
/* Also parts of expressions. The current token is the one after the opening word or brace. */
void drill_parse_gre(struct drill_lexer *lx, struct drill_gre *ret);
/* Entries, as many as there are: (label 1, tc 0, [S], ttl 64) */
void drill_parse_mpls(struct drill_lexer *lx, struct drill_mpls *ret);

#endif
