/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parser.c - from a script's text to struct drill_script
 *
 * Recursive descent with one token of look-ahead; doc/drill.md has the grammar, and each function here is a rule of it. Nobody checks
 * for errors on the way: after the first one all tokens are TOKEN_END, and the script is thrown away.
 */
#include "drill/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/constants.h"

enum { EXPR_DEPTH = 64, EXPR_CHAIN = 256 };

struct parser {
	struct drill_lexer lx;
	struct drill_script *script;
	int depth;
};

/* ---- tokens -------------------------------------------------------------------------------------------- */

bool drill_at_punct(const struct drill_lexer *lx, char punct)
{
	return lx->token.kind == TOKEN_PUNCT && lx->token.punct == punct;
}

bool drill_at_word(const struct drill_lexer *lx, const char *word)
{
	return lx->token.kind == TOKEN_WORD && strcmp(lx->token.text, word) == 0;
}

bool drill_accept_punct(struct drill_lexer *lx, char punct)
{
	if (!drill_at_punct(lx, punct))
		return false;
	drill_lex_next(lx);
	return true;
}

bool drill_accept_word(struct drill_lexer *lx, const char *word)
{
	if (!drill_at_word(lx, word))
		return false;
	drill_lex_next(lx);
	return true;
}

void drill_expected(struct drill_lexer *lx, const char *what)
{
	drill_lex_error(lx, lx->token.pos, "expected %s, not %s", what, drill_token_words(lx));
	lx->token.kind = TOKEN_END;
}

void drill_expect_punct(struct drill_lexer *lx, char punct, const char *where)
{
	char what[96];

	if (drill_accept_punct(lx, punct))
		return;
	snprintf(what, sizeof(what), "'%c' %s", punct, where);
	drill_expected(lx, what);
}

uint64_t drill_expect_number(struct drill_lexer *lx, const char *what, uint64_t max)
{
	const struct drill_token *t = &lx->token;
	uint64_t number = t->number;

	if (t->kind != TOKEN_INTEGER && t->kind != TOKEN_HEX) {
		drill_expected(lx, what);
		return 0;
	}
	if (number > max) {
		drill_lex_error(lx, t->pos, "%s is at most %llu, not %s", what,
				(unsigned long long)max, t->text);
		return 0;
	}
	drill_lex_next(lx);
	return number;
}

/* ---- expressions --------------------------------------------------------------------------------------- */

static struct drill_expr *parse_expr(struct parser *p);
static struct drill_expr *parse_operand(struct parser *p, bool calls);

static struct drill_expr *new_expr(struct parser *p, enum drill_expr_kind kind,
				   struct drill_pos pos)
{
	struct drill_expr *e = drill_arena_alloc(p->lx.arena, sizeof(*e));

	e->kind = kind;
	e->pos = pos;
	return e;
}

static void add_member(struct parser *p, struct drill_expr *e, struct drill_member m)
{
	e->members = drill_arena_grow(p->lx.arena, e->members, e->nr_members, sizeof(m));
	e->members[e->nr_members++] = m;
}

/* value | name = value | name(arg) = value */
static void parse_member(struct parser *p, struct drill_expr *e)
{
	struct drill_member m = { .pos = p->lx.token.pos, .value = parse_expr(p) };

	if (drill_at_punct(&p->lx, '=')) {
		const struct drill_expr *name = m.value;

		if (name->kind != DRILL_EXPR_WORD &&
		    !(name->kind == DRILL_EXPR_CALL && name->nr_members <= 1)) {
			drill_lex_error(&p->lx, m.pos, "only a name can stand before '='");
			return;
		}
		m.name = name->text;
		m.arg = name->nr_members ? name->members[0].value : NULL;
		drill_lex_next(&p->lx);
		m.value = parse_expr(p);
	}
	add_member(p, e, m);
}

/* Members up to @close, with ',' between them; the opening character was read. */
static void parse_members(struct parser *p, struct drill_expr *e, char close, const char *where)
{
	if (drill_accept_punct(&p->lx, close))
		return;
	do {
		parse_member(p, e);
	} while (drill_accept_punct(&p->lx, ','));
	drill_expect_punct(&p->lx, close, where);
}

/* A structure is what the names of its members say. "needs" must be among them. */
static const struct {
	enum drill_shape shape;
	const char *needs;
	const char *names[10];
} shapes[] = {
	{ DRILL_SHAPE_SOCKADDR,
	  "sa_family",
	  { "sa_family", "sin_port", "sin_addr", "sin6_port", "sin6_addr", "sin6_flowinfo",
	    "sin6_scope_id" } },
	{ DRILL_SHAPE_SOCKADDR, "sin_family", { "sin_family", "sin_port", "sin_addr" } },
	{ DRILL_SHAPE_SOCKADDR,
	  "sin6_family",
	  { "sin6_family", "sin6_port", "sin6_addr", "sin6_flowinfo", "sin6_scope_id" } },
	{ DRILL_SHAPE_MSGHDR, "msg_iov", { "msg_name", "msg_iov", "msg_control", "msg_flags" } },
	{ DRILL_SHAPE_CMSGHDR,
	  "cmsg_level",
	  { "cmsg_level", "cmsg_type", "cmsg_data", "cmsg_len" } },
	{ DRILL_SHAPE_IOVEC, "iov_len", { "iov_base", "iov_len" } },
	{ DRILL_SHAPE_EPOLL_EVENT, "events", { "events", "fd", "ptr", "u32", "u64" } },
	{ DRILL_SHAPE_LINGER, "onoff", { "onoff", "linger" } },
	{ DRILL_SHAPE_LINGER, "l_onoff", { "l_onoff", "l_linger" } },
	{ DRILL_SHAPE_TIMEVAL, "tv_sec", { "tv_sec", "tv_usec" } },
	{ DRILL_SHAPE_TIMESTAMPING, "scm_sec", { "scm_sec", "scm_nsec" } },
	{ DRILL_SHAPE_EXTENDED_ERR,
	  "ee_errno",
	  { "ee_errno", "ee_origin", "ee_type", "ee_code", "ee_pad", "ee_info", "ee_data" } },
	{ DRILL_SHAPE_MD5SIG,
	  "tcpm_key",
	  { "tcpm_addr", "tcpm_flags", "tcpm_prefixlen", "tcpm_keylen", "tcpm_ifindex",
	    "tcpm_key" } },
	{ DRILL_SHAPE_AO_ADD,
	  "alg_name",
	  { "addr", "alg_name", "prefix", "sndid", "rcvid", "maclen", "keyflags", "keylen",
	    "key" } },
};

static bool all_named(const struct drill_expr *e, const char *const *names, size_t max)
{
	for (size_t i = 0; i < e->nr_members; i++) {
		size_t n = 0;

		while (n < max && names[n] &&
		       (!e->members[i].name || strcmp(names[n], e->members[i].name) != 0))
			n++;
		if (n == max || !names[n])
			return false;
	}
	return true;
}

static enum drill_shape find_shape(const struct drill_expr *e)
{
	bool names = false, tcp_info = true;

	for (size_t i = 0; i < e->nr_members; i++) {
		names |= e->members[i].name != NULL;
		tcp_info &= e->members[i].name && strncmp(e->members[i].name, "tcpi_", 5) == 0;
	}
	if (!names)
		return DRILL_SHAPE_PLAIN;
	if (tcp_info)
		return DRILL_SHAPE_TCP_INFO;
	/* The order tells the two apart that have the same members: struct pollfd and struct epoll_event begin differently. */
	if (e->members[0].name && strcmp(e->members[0].name, "fd") == 0) {
		static const char *const pollfd[] = { "fd", "events", "revents" };

		return all_named(e, pollfd, 3) ? DRILL_SHAPE_POLLFD : DRILL_SHAPE_UNKNOWN;
	}
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		if (drill_expr_member(e, shapes[i].needs) && all_named(e, shapes[i].names, 10))
			return shapes[i].shape;
	return DRILL_SHAPE_UNKNOWN;
}

/* After '{': a structure, or the headers that tunnels take as options. */
static struct drill_expr *parse_struct(struct parser *p, struct drill_pos pos)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_expr *e;

	if (drill_at_punct(lx, '(')) {
		e = new_expr(p, DRILL_EXPR_MPLS, pos);
		e->mpls = drill_arena_alloc(lx->arena, sizeof(*e->mpls));
		drill_parse_mpls(lx, e->mpls);
		drill_expect_punct(lx, '}', "after the MPLS entries");
		return e;
	}
	if (drill_at_word(lx, "flags")) {
		struct drill_lexer before = *lx;

		drill_lex_next(lx);
		if (drill_at_punct(lx, '[') || lx->token.kind == TOKEN_INTEGER ||
		    lx->token.kind == TOKEN_HEX) {
			*lx = before;
			e = new_expr(p, DRILL_EXPR_GRE, pos);
			e->gre = drill_arena_alloc(lx->arena, sizeof(*e->gre));
			drill_parse_gre(lx, e->gre);
			drill_expect_punct(lx, '}', "after the GRE header");
			return e;
		}
		*lx = before;
	}
	e = new_expr(p, DRILL_EXPR_STRUCT, pos);
	parse_members(p, e, '}', "after the members of the structure");
	e->shape = find_shape(e);
	return e;
}

static struct drill_expr *parse_word(struct parser *p, bool calls)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_expr *e = new_expr(p, DRILL_EXPR_WORD, lx->token.pos);

	e->text = lx->token.text;
	e->text_len = lx->token.len;
	drill_lex_next(lx);
	if (calls && drill_accept_punct(lx, '(')) {
		e->kind = DRILL_EXPR_CALL;
		parse_members(p, e, ')', "after the arguments");
	}
	return e;
}

static enum drill_op unary_op(const struct drill_lexer *lx)
{
	static const struct {
		char punct;
		enum drill_op op;
	} ops[] = { { '-', DRILL_OP_NEG },
		    { '!', DRILL_OP_NOT },
		    { '~', DRILL_OP_INVERT },
		    { '&', DRILL_OP_REF } };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (drill_at_punct(lx, ops[i].punct))
			return ops[i].op;
	return DRILL_OP_NONE;
}

static struct drill_expr *parse_unary(struct parser *p, enum drill_op op, bool calls)
{
	struct drill_expr *e = new_expr(p, DRILL_EXPR_UNARY, p->lx.token.pos);

	drill_lex_next(&p->lx);
	e->op = op;
	e->left = parse_operand(p, calls);
	/* -1 is a number, not an operation: nobody wants to see the difference. */
	if (op == DRILL_OP_NEG && e->left->kind == DRILL_EXPR_INTEGER && !e->left->hex) {
		e->left->number = -(uint64_t)e->left->number;
		e->left->pos = e->pos;
		return e->left;
	}
	return e;
}

static struct drill_expr *parse_literal(struct parser *p)
{
	struct drill_lexer *lx = &p->lx;
	const struct drill_token *t = &lx->token;
	struct drill_expr *e = new_expr(p, DRILL_EXPR_INTEGER, t->pos);

	e->text = t->text;
	e->text_len = t->len;
	e->number = t->number;
	e->hex = t->kind == TOKEN_HEX;
	if (t->kind == TOKEN_STRING)
		e->kind = DRILL_EXPR_STRING;
	else if (t->kind == TOKEN_ELLIPSIS)
		e->kind = DRILL_EXPR_ELLIPSIS;
	drill_lex_next(lx);
	if (e->kind == DRILL_EXPR_STRING && t->kind == TOKEN_ELLIPSIS) {
		e->more = true;
		drill_lex_next(lx);
	}
	return e;
}

/* @calls: a parenthesis after a word holds arguments, and is not the note after a result. */
static struct drill_expr *parse_operand(struct parser *p, bool calls)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_pos pos = lx->token.pos;
	enum drill_op op = unary_op(lx);
	struct drill_expr *e;

	if (p->depth == EXPR_DEPTH) {
		drill_lex_error(lx, pos, "an expression is at most %d levels deep", EXPR_DEPTH);
		return new_expr(p, DRILL_EXPR_ELLIPSIS, pos);
	}
	p->depth++;
	if (op != DRILL_OP_NONE) {
		e = parse_unary(p, op, calls);
	} else if (drill_accept_punct(lx, '(')) {
		e = parse_expr(p);
		drill_expect_punct(lx, ')', "after the expression");
	} else if (drill_accept_punct(lx, '[')) {
		e = new_expr(p, DRILL_EXPR_LIST, pos);
		parse_members(p, e, ']', "after the list");
	} else if (drill_accept_punct(lx, '{')) {
		e = parse_struct(p, pos);
	} else if (lx->token.kind == TOKEN_WORD) {
		e = parse_word(p, calls);
	} else if (lx->token.kind == TOKEN_INTEGER || lx->token.kind == TOKEN_HEX ||
		   lx->token.kind == TOKEN_STRING || lx->token.kind == TOKEN_ELLIPSIS) {
		e = parse_literal(p);
	} else {
		drill_expected(lx, "a value");
		e = new_expr(p, DRILL_EXPR_ELLIPSIS, pos);
	}
	p->depth--;
	return e;
}

/* Precedence as in C. No + and no *: after a result they begin the next event. */
static const struct {
	const char *text;
	enum drill_op op;
	int level;
} binary_ops[] = {
	{ "|", DRILL_OP_OR, 1 },   { "^", DRILL_OP_XOR, 2 },  { "&", DRILL_OP_AND, 3 },
	{ "<<", DRILL_OP_SHL, 4 }, { ">>", DRILL_OP_SHR, 4 },
};

/* The operator that is the current token, if it binds at least as strongly as @level. A doubled character is two tokens. */
static int find_binary_op(struct drill_lexer *lx, int level)
{
	for (size_t i = 0; i < sizeof(binary_ops) / sizeof(binary_ops[0]); i++)
		if (binary_ops[i].level >= level && drill_at_punct(lx, binary_ops[i].text[0]))
			return i;
	return -1;
}

static struct drill_expr *parse_binary(struct parser *p, int level, bool calls)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_expr *left = parse_operand(p, calls);
	int length = 0;

	for (int i = find_binary_op(lx, level); i >= 0; i = find_binary_op(lx, level)) {
		struct drill_expr *e = new_expr(p, DRILL_EXPR_BINARY, lx->token.pos);

		if (++length == EXPR_CHAIN)
			drill_lex_error(lx, e->pos, "an expression has at most %d operators",
					EXPR_CHAIN);
		drill_lex_next(lx);
		if (binary_ops[i].text[1])
			drill_expect_punct(lx, binary_ops[i].text[1], "(a shift is << or >>)");
		e->op = binary_ops[i].op;
		e->left = left;
		e->right = parse_binary(p, binary_ops[i].level + 1, calls);
		left = e;
	}
	return left;
}

static struct drill_expr *parse_expr(struct parser *p)
{
	return parse_binary(p, 1, true);
}

/* ---- events -------------------------------------------------------------------------------------------- */

static int64_t parse_time(struct drill_lexer *lx)
{
	int64_t ns = lx->token.ns;

	if (lx->token.kind != TOKEN_INTEGER && lx->token.kind != TOKEN_FLOAT)
		drill_expected(lx, "a time in seconds");
	else
		drill_lex_next(lx);
	return ns;
}

/* * | 1.5 | 1~2 | +.1 | +.1~+.2, and for calls the end of their blocking: ...2 */
static void parse_when(struct drill_lexer *lx, struct drill_when *w)
{
	bool relative;

	if (drill_accept_punct(lx, '*')) {
		w->kind = DRILL_TIME_ANY;
		return;
	}
	relative = drill_accept_punct(lx, '+');
	w->kind = relative ? DRILL_TIME_RELATIVE : DRILL_TIME_ABSOLUTE;
	w->ns = parse_time(lx);
	if (drill_at_punct(lx, '~')) {
		struct drill_pos pos = lx->token.pos;

		drill_lex_next(lx);
		w->kind = relative ? DRILL_TIME_RELATIVE_RANGE : DRILL_TIME_ABSOLUTE_RANGE;
		if (drill_accept_punct(lx, '+') != relative)
			drill_lex_error(lx, pos, "both ends of a range have a '+', or none has");
		w->to_ns = parse_time(lx);
		if (w->to_ns < w->ns)
			drill_lex_error(lx, pos, "the range ends before it begins");
	}
}

static void parse_until(struct drill_lexer *lx, struct drill_when *w)
{
	struct drill_pos pos = lx->token.pos;

	if (lx->token.kind != TOKEN_ELLIPSIS)
		return;
	drill_lex_next(lx);
	drill_accept_punct(lx, '+');
	w->blocks = true;
	w->until_ns = parse_time(lx);
	if (w->kind != DRILL_TIME_ABSOLUTE && w->kind != DRILL_TIME_RELATIVE)
		drill_lex_error(lx, pos, "a call that blocks begins at one time, not in a range");
}

/* = result [errno] [(note)] */
static void parse_result(struct parser *p, struct drill_call *call)
{
	struct drill_lexer *lx = &p->lx;

	call->result_pos = lx->token.pos;
	if (drill_accept_punct(lx, '?'))
		call->result = new_expr(p, DRILL_EXPR_ELLIPSIS, call->result_pos);
	else
		call->result = parse_binary(p, 1, false);
	if (lx->token.kind == TOKEN_WORD && lx->token.text[0] == 'E') {
		const struct drill_constant *c = drill_constant(lx->token.text);

		if (!c || c->value <= 0 || !drill_errno_name(c->value))
			drill_expected(lx, "the name of an error");
		call->errno_name = lx->token.text;
		call->errno_value = c ? c->value : 0;
		drill_lex_next(lx);
	}
	if (drill_at_punct(lx, '(')) {
		call->note = drill_lex_note(lx);
		drill_lex_next(lx);
	}
}

static void parse_call(struct parser *p, struct drill_event *ev)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_call *call = drill_arena_alloc(lx->arena, sizeof(*call));

	ev->kind = DRILL_EVENT_SYSCALL;
	ev->call = call;
	call->name = lx->token.text;
	drill_lex_next(lx);
	drill_expect_punct(lx, '(', "after the name of the call");
	if (!drill_accept_punct(lx, ')')) {
		do {
			call->args = drill_arena_grow(lx->arena, call->args, call->nr_args,
						      sizeof(*call->args));
			call->args[call->nr_args++] = parse_expr(p);
		} while (drill_accept_punct(lx, ','));
		drill_expect_punct(lx, ')', "after the arguments of the call");
	}
	drill_expect_punct(lx, '=', "and the result of the call");
	parse_result(p, call);
}

static void parse_text(struct drill_lexer *lx, struct drill_event *ev, enum drill_event_kind kind)
{
	ev->kind = kind;
	ev->text = lx->token.text;
	ev->text_pos = lx->token.pos;
	ev->text_pos.column += kind == DRILL_EVENT_CODE ? 2 : 1;
	drill_lex_next(lx);
}

static void parse_packet_event(struct drill_lexer *lx, struct drill_event *ev)
{
	ev->kind = DRILL_EVENT_PACKET;
	ev->packet = drill_arena_alloc(lx->arena, sizeof(*ev->packet));
	ev->packet->dir = drill_at_punct(lx, '<') ? DRILL_INBOUND : DRILL_OUTBOUND;
	ev->packet->pos = lx->token.pos;
	drill_lex_next(lx);
	drill_parse_packet(lx, ev->packet);
}

static void parse_event(struct parser *p, struct drill_event *ev)
{
	struct drill_lexer *lx = &p->lx;

	ev->pos = lx->token.pos;
	parse_when(lx, &ev->when);
	parse_until(lx, &ev->when);
	if (drill_at_punct(lx, '<') || drill_at_punct(lx, '>'))
		parse_packet_event(lx, ev);
	else if (lx->token.kind == TOKEN_COMMAND)
		parse_text(lx, ev, DRILL_EVENT_COMMAND);
	else if (lx->token.kind == TOKEN_CODE)
		parse_text(lx, ev, DRILL_EVENT_CODE);
	else if (lx->token.kind == TOKEN_WORD)
		parse_call(p, ev);
	else
		drill_expected(lx, "a packet, a system call, a command or code");
	if (ev->when.blocks && ev->kind != DRILL_EVENT_SYSCALL)
		drill_lex_error(lx, ev->pos, "only a system call can have an end time");
	ev->last_line = lx->last.line;
}

/* ---- scripts ------------------------------------------------------------------------------------------- */

static void define(struct drill_lexer *lx, const struct drill_option *o)
{
	const char *equals = o->value ? strchr(o->value, '=') : NULL;

	if (!equals || equals == o->value) {
		drill_lex_error(lx, o->pos, "expected --define=NAME=VALUE");
		return;
	}
	drill_lexer_define(lx, drill_arena_text(lx->arena, o->value, equals - o->value), equals + 1,
			   false);
}

/* Option lines. Leaves the token after them. */
static void parse_options(struct parser *p)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_script *s = p->script;
	struct drill_option o;

	while (drill_lex_option(lx, &o)) {
		s->options = drill_arena_grow(lx->arena, s->options, s->nr_options, sizeof(o));
		s->options[s->nr_options++] = o;
		if (strcmp(o.name, "define") == 0)
			define(lx, &o);
	}
	drill_lex_next(lx);
}

static bool at_event(const struct drill_lexer *lx)
{
	return lx->token.kind == TOKEN_INTEGER || lx->token.kind == TOKEN_FLOAT ||
	       drill_at_punct(lx, '+') || drill_at_punct(lx, '*');
}

static void parse_commands(struct parser *p, struct drill_command **list, size_t *nr)
{
	struct drill_lexer *lx = &p->lx;

	while (lx->token.kind == TOKEN_COMMAND) {
		*list = drill_arena_grow(lx->arena, *list, *nr, sizeof(**list));
		(*list)[(*nr)++] = (struct drill_command){ lx->token.pos, lx->token.text };
		drill_lex_next(lx);
	}
}

static void parse_script(struct parser *p)
{
	struct drill_lexer *lx = &p->lx;
	struct drill_script *s = p->script;

	for (;;) {
		size_t before = s->nr_options + s->nr_init;

		parse_options(p);
		parse_commands(p, &s->init, &s->nr_init);
		/* Options may also stand between commands. */
		if (!drill_at_punct(lx, '-') || s->nr_options + s->nr_init == before)
			break;
		drill_lex_back(lx);
	}
	while (at_event(lx)) {
		s->events =
			drill_arena_grow(lx->arena, s->events, s->nr_events, sizeof(*s->events));
		parse_event(p, &s->events[s->nr_events++]);
	}
	if (!s->nr_events && lx->token.kind == TOKEN_END)
		drill_expected(lx, "an event");
	parse_commands(p, &s->cleanup, &s->nr_cleanup);
	if (lx->token.kind != TOKEN_END)
		drill_expected(lx, s->nr_cleanup  ? "nothing after the last command"
				   : s->nr_events ? "the time of an event"
						  : "an option, a command or the time of an event");
}

struct drill_script *drill_script_parse(const char *path, const char *text, size_t len,
					const struct drill_parse_options *opt, char **ret_error)
{
	struct drill_arena *arena = drill_arena_create();
	struct drill_script *s = drill_arena_alloc(arena, sizeof(*s));
	struct parser p = { .script = s };

	s->arena = arena;
	s->path = drill_arena_text(arena, path, strlen(path));
	s->source = drill_arena_text(arena, text, len);
	drill_lexer_init(&p.lx, arena, s->path, s->source, len);
	for (size_t i = 0; opt && i < opt->nr_defines; i++)
		drill_lexer_define(&p.lx, opt->defines[i].name, opt->defines[i].value, true);
	parse_script(&p);
	if (p.lx.error) {
		*ret_error = p.lx.error;
		drill_arena_free(arena);
		return NULL;
	}
	return s;
}

/* The text (free() it) and its length, or NULL with errno. */
static char *read_file(const char *path, size_t *ret_len)
{
	FILE *in = fopen(path, "r"), *out;
	char *text = NULL, block[4096];
	size_t n;
	int error;

	if (!in)
		return NULL;
	out = open_memstream(&text, ret_len);
	while (out && (n = fread(block, 1, sizeof(block), in)) > 0)
		fwrite(block, 1, n, out);
	error = !out || ferror(in) || ferror(out) ? errno : 0;
	if (out)
		fclose(out);
	fclose(in);
	if (!error)
		return text;
	free(text);
	errno = error;
	return NULL;
}

struct drill_script *drill_script_read(const char *path, const struct drill_parse_options *opt,
				       char **ret_error)
{
	struct drill_script *s;
	size_t len = 0;
	char *text = read_file(path, &len);

	if (!text) {
		if (asprintf(ret_error, "%s: %s", path, strerror(errno)) < 0)
			*ret_error = NULL;
		return NULL;
	}
	s = drill_script_parse(path, text, len, opt, ret_error);
	free(text);
	return s;
}

void drill_script_free(struct drill_script *s)
{
	if (s)
		drill_arena_free(s->arena);
}

const char *drill_script_option(const struct drill_script *s, const char *name)
{
	for (size_t i = s->nr_options; i--;)
		if (strcmp(s->options[i].name, name) == 0)
			return s->options[i].value;
	return NULL;
}

const char *drill_script_line(const struct drill_script *s, struct drill_pos pos, size_t *ret_len)
{
	const char *line = s->source;

	for (uint32_t n = 1; n < pos.line && strchr(line, '\n'); n++)
		line = strchr(line, '\n') + 1;
	*ret_len = strcspn(line, "\n");
	return line;
}
