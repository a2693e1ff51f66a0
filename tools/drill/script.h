/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - a packet script as data
 *
 * drill_script_read() turns text into a struct drill_script: options, commands that come before the first event, events in the order
 * of the text, commands after the last. Everything hangs off one arena that drill_script_free() frees; every node knows its place in
 * the text. Nothing here knows a stack: what an event means is the executor's.
 *
 * Numbers and names. An expression keeps what was written. drill_expr_number() works it out: literals, names of the constants table
 * (constants.h), and | & ^ << >> - ! ~ over them. A word that was given on the command line (-D NAME=VALUE) or by an option
 * line (--define=NAME=VALUE) is replaced by its value's tokens before anything else sees it, in packets too.
 */
#ifndef WEIR_DRILL_SCRIPT_H
#define WEIR_DRILL_SCRIPT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drill/packet.h"

/* ---- expressions --------------------------------------------------------------------------------------- */

enum drill_expr_kind {
	DRILL_EXPR_ELLIPSIS, /* ...                  the tool chooses, or anything will do */
	DRILL_EXPR_INTEGER,  /* 10  -1  0x2f         @number; @hex says how it was written */
	DRILL_EXPR_STRING,   /* "text\x00"  "ab"...  @text, @text_len; @more: the ... after it */
	DRILL_EXPR_WORD,     /* O_RDWR               @text */
	DRILL_EXPR_UNARY,    /* -x  ~x  !x  &x       @op, @left */
	DRILL_EXPR_BINARY,   /* x | y                @op, @left, @right */
	DRILL_EXPR_LIST,     /* [x, y]               @members, without names */
	DRILL_EXPR_STRUCT,   /* {x=1, y(2)=[3], 4}   @members, @shape */
	DRILL_EXPR_CALL, /* htons(8080)          @text is the function's name; @members its arguments */
	DRILL_EXPR_MPLS, /* {(label 1, tc 0, [S], ttl 64)}   @mpls */
	DRILL_EXPR_GRE,  /* {flags [key present], key 7}   @gre */
};

enum drill_op {
	DRILL_OP_NONE,
	DRILL_OP_OR,     /* | */
	DRILL_OP_AND,    /* & */
	DRILL_OP_XOR,    /* ^ */
	DRILL_OP_SHL,    /* << */
	DRILL_OP_SHR,    /* >> */
	DRILL_OP_NEG,    /* -x */
	DRILL_OP_NOT,    /* !x */
	DRILL_OP_INVERT, /* ~x */
	DRILL_OP_REF,    /* &x: the argument is an output */
};

/* What the names of a structure's members say it is. Unnamed members: {..., 100} is an iovec by its use, SHAPE_PLAIN here. */
enum drill_shape {
	DRILL_SHAPE_PLAIN,
	DRILL_SHAPE_SOCKADDR, /* sa_family|sin_family|sin6_family, sin_port|sin6_port, sin_addr|sin6_addr */
	DRILL_SHAPE_MSGHDR,       /* msg_name(...), msg_iov(n), msg_flags, msg_control */
	DRILL_SHAPE_CMSGHDR,      /* cmsg_level, cmsg_type, cmsg_data */
	DRILL_SHAPE_IOVEC,        /* iov_base, iov_len (or unnamed) */
	DRILL_SHAPE_POLLFD,       /* fd, events, revents */
	DRILL_SHAPE_EPOLL_EVENT,  /* events, fd|ptr|u32|u64 in this order */
	DRILL_SHAPE_LINGER,       /* onoff|l_onoff, linger|l_linger */
	DRILL_SHAPE_TIMEVAL,      /* tv_sec, tv_usec */
	DRILL_SHAPE_TIMESTAMPING, /* scm_sec, scm_nsec */
	DRILL_SHAPE_EXTENDED_ERR, /* ee_errno, ee_origin, ee_type, ee_code, ee_info, ee_data */
	DRILL_SHAPE_TCP_INFO,     /* members that begin with tcpi_ */
	DRILL_SHAPE_MD5SIG, /* tcpm_addr, tcpm_flags, tcpm_prefixlen, tcpm_keylen, tcpm_ifindex, tcpm_key */
	DRILL_SHAPE_AO_ADD, /* addr, alg_name, prefix, sndid, rcvid, maclen, keyflags, keylen, key */
	DRILL_SHAPE_UNKNOWN, /* has names, but none of the sets above */
};

struct drill_expr;

struct drill_member {
	struct drill_pos pos;
	const char *name;       /* NULL: no name */
	struct drill_expr *arg; /* of msg_iov(2)=...; NULL: none */
	struct drill_expr *value;
};

struct drill_expr {
	enum drill_expr_kind kind;
	struct drill_pos pos;
	enum drill_op op;
	enum drill_shape shape;
	bool hex;
	bool more;
	int64_t number;
	const char *text;
	size_t text_len; /* a string may hold NULs */
	struct drill_expr *left, *right;
	struct drill_member *members;
	size_t nr_members;
	struct drill_mpls *mpls;
	struct drill_gre *gre;
};

/* 0 and the value, or -EINVAL and a sentence (of the form "line:column: ...", at most @size octets) in @error. */
int drill_expr_number(const struct drill_expr *e, int64_t *ret_value, char *error, size_t size);
/* The member of this name, or NULL. @e may be of any kind. */
const struct drill_member *drill_expr_member(const struct drill_expr *e, const char *name);
/* The text that the expression is written as, in one line. Returns the length it has (as snprintf). */
size_t drill_expr_format(const struct drill_expr *e, char *buf, size_t size);

/* ---- events -------------------------------------------------------------------------------------------- */

enum drill_time_kind {
	DRILL_TIME_ABSOLUTE,       /* 1.5         since the script's start */
	DRILL_TIME_RELATIVE,       /* +.1         since the time of the event before */
	DRILL_TIME_ANY,            /* *           whenever it happens */
	DRILL_TIME_ABSOLUTE_RANGE, /* 1~2 */
	DRILL_TIME_RELATIVE_RANGE, /* +.1~+.2 */
};

struct drill_when {
	enum drill_time_kind kind;
	int64_t ns;    /* from the base that @kind names */
	int64_t to_ns; /* ranges: the end, from the same base */
	/* Blocking calls: +.1...0.5 connect(...). Written without a sign; counted from the same base as @ns. */
	bool blocks;
	int64_t until_ns;
};

enum drill_event_kind {
	DRILL_EVENT_PACKET,  /* @packet; its @dir says inbound or outbound */
	DRILL_EVENT_SYSCALL, /* @call */
	DRILL_EVENT_COMMAND, /* `shell`: @text */
	DRILL_EVENT_CODE,    /* %{ python }%: @text */
};

struct drill_call {
	const char *name;
	struct drill_expr **args;
	size_t nr_args;
	struct drill_expr *result; /* DRILL_EXPR_ELLIPSIS: not checked (... or ?) */
	const char *errno_name;    /* "EAGAIN" of: = -1 EAGAIN (...); NULL: none */
	int errno_value;           /* 0: none */
	const char *note;          /* what stood in the parentheses; NULL: none. For people only. */
	struct drill_pos result_pos;
};

struct drill_event {
	enum drill_event_kind kind;
	struct drill_pos pos;
	uint32_t last_line; /* where it ends */
	struct drill_when when;
	struct drill_packet *packet;
	struct drill_call *call;
	const char *text;          /* command, code */
	struct drill_pos text_pos; /* of the text's first octet */
};

struct drill_command {
	struct drill_pos pos;
	const char *text;
};

/* --name=value. @name is without the dashes and has '_' for every '-'. A quoted value is given without its quotes. */
struct drill_option {
	struct drill_pos pos;
	const char *name;
	const char *value; /* NULL: none was given */
};

struct drill_script {
	const char *path;
	struct drill_option *options;
	size_t nr_options;
	struct drill_command *init; /* commands before the first event */
	size_t nr_init;
	struct drill_event *events;
	size_t nr_events;
	struct drill_command *cleanup; /* commands after the last event, run whatever happened */
	size_t nr_cleanup;
	struct drill_arena *arena;
	const char *source; /* the whole text, NUL-terminated */
};

/* NAME=VALUE pairs that replace words. Those of the caller win over the script's own --define. */
struct drill_define {
	const char *name;
	const char *value;
};

struct drill_parse_options {
	const struct drill_define *defines;
	size_t nr_defines;
};

/* NULL and *ret_error "path:line:column: sentence" (free() it) on failure. @opt may be NULL. */
struct drill_script *drill_script_read(const char *path, const struct drill_parse_options *opt,
				       char **ret_error);
/* As above, from memory; @path only names it. */
struct drill_script *drill_script_parse(const char *path, const char *text, size_t len,
					const struct drill_parse_options *opt, char **ret_error);
void drill_script_free(struct drill_script *s);

/* The last value of an option; NULL: it is not given, or has no value. */
const char *drill_script_option(const struct drill_script *s, const char *name);
/* The line of the text that @pos is in, without its end; *ret_len its length. */
const char *drill_script_line(const struct drill_script *s, struct drill_pos pos, size_t *ret_len);

#endif
