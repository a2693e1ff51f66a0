/* SPDX-License-Identifier: BSD-2-Clause */
/* expr.c - expressions: their values, their members, their text */
#include "drill/script.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "drill/constants.h"
#include "drill/packet_internal.h"

/* ---- values -------------------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static int fail(const struct drill_expr *e, char *error,
						      size_t size, const char *format, ...)
{
	int n = snprintf(error, size, "%u:%u: ", e->pos.line, e->pos.column);
	va_list args;

	if (n < 0 || (size_t)n >= size)
		return -EINVAL;
	va_start(args, format);
	vsnprintf(error + n, size - n, format, args);
	va_end(args);
	return -EINVAL;
}

/* In unsigned arithmetic: it wraps where a script's author wants all bits. */
static uint64_t apply(enum drill_op op, uint64_t a, uint64_t b)
{
	switch (op) {
	case DRILL_OP_OR:
		return a | b;
	case DRILL_OP_AND:
		return a & b;
	case DRILL_OP_XOR:
		return a ^ b;
	case DRILL_OP_SHL:
		return b < 64 ? a << b : 0;
	case DRILL_OP_SHR:
		return b < 64 ? a >> b : 0;
	case DRILL_OP_NEG:
		return -a;
	case DRILL_OP_NOT:
		return !a;
	case DRILL_OP_INVERT:
		return ~a;
	case DRILL_OP_NONE:
	case DRILL_OP_REF:
		break;
	}
	return a;
}

/* htons(80) stays 80: whoever takes a port or an address out of an expression puts it into wire order. */
static bool is_order_call(const struct drill_expr *e)
{
	static const char *const names[] = { "htons", "htonl", "ntohs", "ntohl" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(e->text, names[i]) == 0)
			return e->nr_members == 1;
	return false;
}

int drill_expr_number(const struct drill_expr *e, int64_t *ret_value, char *error, size_t size)
{
	const struct drill_constant *c;
	int64_t a, b = 0;
	int rc;

	switch (e->kind) {
	case DRILL_EXPR_INTEGER:
		*ret_value = e->number;
		return 0;
	case DRILL_EXPR_WORD:
		c = drill_constant(e->text);
		if (!c)
			return fail(e, error, size, "'%s' is not a known name", e->text);
		*ret_value = c->value;
		return 0;
	case DRILL_EXPR_UNARY:
	case DRILL_EXPR_BINARY:
		rc = drill_expr_number(e->left, &a, error, size);
		if (rc == 0 && e->kind == DRILL_EXPR_BINARY)
			rc = drill_expr_number(e->right, &b, error, size);
		if (rc == 0)
			*ret_value = apply(e->op, a, b);
		return rc;
	case DRILL_EXPR_CALL:
		if (is_order_call(e))
			return drill_expr_number(e->members[0].value, ret_value, error, size);
		break;
	default:
		break;
	}
	return fail(e, error, size, "expected a number");
}

const struct drill_member *drill_expr_member(const struct drill_expr *e, const char *name)
{
	for (size_t i = 0; i < e->nr_members; i++)
		if (e->members[i].name && strcmp(e->members[i].name, name) == 0)
			return &e->members[i];
	return NULL;
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void put_expr(struct drill_out *o, const struct drill_expr *e);

static void put_string(struct drill_out *o, const struct drill_expr *e)
{
	drill_put(o, "\"");
	for (size_t i = 0; i < e->text_len; i++) {
		unsigned char c = e->text[i];

		if (c == '"' || c == '\\')
			drill_put(o, "\\%c", c);
		else if (isprint(c))
			drill_put(o, "%c", c);
		else
			drill_put(o, "\\x%02x", c);
	}
	drill_put(o, e->more ? "\"..." : "\"");
}

static void put_members(struct drill_out *o, const struct drill_expr *e, const char *open,
			const char *close)
{
	drill_put(o, "%s", open);
	for (size_t i = 0; i < e->nr_members; i++) {
		const struct drill_member *m = &e->members[i];

		drill_put(o, "%s", i ? ", " : "");
		if (m->name)
			drill_put(o, "%s", m->name);
		if (m->arg) {
			drill_put(o, "(");
			put_expr(o, m->arg);
			drill_put(o, ")");
		}
		drill_put(o, "%s", m->name ? "=" : "");
		put_expr(o, m->value);
	}
	drill_put(o, "%s", close);
}

static const char *op_text(enum drill_op op)
{
	static const char *const text[] = {
		[DRILL_OP_NONE] = "", [DRILL_OP_OR] = "|",   [DRILL_OP_AND] = "&",
		[DRILL_OP_XOR] = "^", [DRILL_OP_SHL] = "<<", [DRILL_OP_SHR] = ">>",
		[DRILL_OP_NEG] = "-", [DRILL_OP_NOT] = "!",  [DRILL_OP_INVERT] = "~",
		[DRILL_OP_REF] = "&",
	};

	return text[op];
}

/* An operation inside another one: in parentheses, so that the text means what the tree does. */
static void put_part(struct drill_out *o, const struct drill_expr *e, const struct drill_expr *of)
{
	bool same = e->kind == DRILL_EXPR_BINARY && of->kind == DRILL_EXPR_BINARY &&
		    e->op == of->op && e == of->left;
	bool enclose = (e->kind == DRILL_EXPR_BINARY || e->kind == DRILL_EXPR_UNARY) && !same;

	drill_put(o, "%s", enclose ? "(" : "");
	put_expr(o, e);
	drill_put(o, "%s", enclose ? ")" : "");
}

static void put_expr(struct drill_out *o, const struct drill_expr *e)
{
	switch (e->kind) {
	case DRILL_EXPR_ELLIPSIS:
		drill_put(o, "...");
		break;
	case DRILL_EXPR_INTEGER:
		drill_put(o, e->hex ? "0x%llx" : "%lld", (long long)e->number);
		break;
	case DRILL_EXPR_STRING:
		put_string(o, e);
		break;
	case DRILL_EXPR_WORD:
		drill_put(o, "%s", e->text);
		break;
	case DRILL_EXPR_UNARY:
		drill_put(o, "%s", op_text(e->op));
		put_part(o, e->left, e);
		break;
	case DRILL_EXPR_BINARY:
		put_part(o, e->left, e);
		drill_put(o, "%s", op_text(e->op));
		put_part(o, e->right, e);
		break;
	case DRILL_EXPR_LIST:
		put_members(o, e, "[", "]");
		break;
	case DRILL_EXPR_STRUCT:
		put_members(o, e, "{", "}");
		break;
	case DRILL_EXPR_CALL:
		drill_put(o, "%s", e->text);
		put_members(o, e, "(", ")");
		break;
	case DRILL_EXPR_MPLS:
		drill_put(o, "{");
		drill_put_mpls(o, e->mpls);
		drill_put(o, "}");
		break;
	case DRILL_EXPR_GRE:
		drill_put(o, "{");
		drill_put_gre(o, e->gre);
		drill_put(o, "}");
		break;
	}
}

size_t drill_expr_format(const struct drill_expr *e, char *buf, size_t size)
{
	struct drill_out o = { buf, size, 0 };

	if (size)
		*buf = '\0';
	put_expr(&o, e);
	return o.len;
}
