/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - system calls of scripts
 *
 * Theory of operation
 *   A row of the table names a call and the kinds of its arguments, one letter each. A kind knows how to make the argument of an
 *   expression, and, where the call writes through it, how to compare what was written. The argument before or after may matter (a
 *   buffer's size): kinds see the whole vector. Octets that a script does not spell out are zeros.
 */
#include "drill/calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "drill/constants.h"
#include "drill/tcpinfo.h"

#define MAX_BUFFER (1L << 30)
#define CONTROL    4096
#define MAX_VECTOR 1024
#define MAX_FD     4096
#define UNWRITTEN  0xa5 /* what output arguments are filled with before the call */

/* ---- memory of a call ------------------------------------------------------------------------------------ */

struct drill_alloc {
	struct drill_alloc *next;
	max_align_t data[];
};

static void *take(struct drill_run_call *c, size_t n)
{
	struct drill_alloc *a = calloc(1, sizeof(*a) + n);

	if (!a)
		return NULL;
	a->next = c->memory;
	c->memory = a;
	return a->data;
}

void drill_call_free(struct drill_run_call *c)
{
	while (c->memory) {
		struct drill_alloc *a = c->memory;

		c->memory = a->next;
		free(a);
	}
}

static int __attribute__((format(printf, 2, 3)))
fail(struct drill_run_call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof(c->error), fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- descriptors ----------------------------------------------------------------------------------------- */

int drill_fd_world(const struct drill_fds *fds, int script_fd)
{
	return script_fd >= 0 && script_fd < fds->nr ? fds->world[script_fd] : -1;
}

static int fd_set_world(struct drill_fds *fds, int script_fd, int world_fd)
{
	if (script_fd < 0 || script_fd >= MAX_FD)
		return -1;
	if (script_fd >= fds->nr) {
		int nr = script_fd + 16;
		int *w = realloc(fds->world, (size_t)nr * sizeof(*w));

		if (!w)
			return -1;
		for (int i = fds->nr; i < nr; i++)
			w[i] = -1;
		fds->world = w;
		fds->nr = nr;
	}
	fds->world[script_fd] = world_fd;
	return 0;
}

void drill_fds_free(struct drill_fds *fds)
{
	free(fds->world);
	fds->world = NULL;
	fds->nr = 0;
}

/* ---- numbers --------------------------------------------------------------------------------------------- */

/* htons() and htonl(), which scripts write in addresses; everything else is the expression's own. */
static int number(struct drill_run_call *c, const struct drill_expr *e, int64_t *ret)
{
	int64_t v;

	if (e->kind == DRILL_EXPR_CALL && e->nr_members == 1) {
		if (number(c, e->members[0].value, &v))
			return -1;
		if (!strcmp(e->text, "htons") || !strcmp(e->text, "ntohs")) {
			*ret = htons((uint16_t)v);
			return 0;
		}
		if (!strcmp(e->text, "htonl") || !strcmp(e->text, "ntohl")) {
			*ret = (int64_t)htonl((uint32_t)v);
			return 0;
		}
		return fail(c, "unknown function %s()", e->text);
	}
	if (e->kind == DRILL_EXPR_WORD && !strcmp(e->text, "NULL")) {
		*ret = 0;
		return 0;
	}
	return drill_expr_number(e, ret, c->error, sizeof(c->error)) ? -1 : 0;
}

static bool is_null(const struct drill_expr *e)
{
	return (e->kind == DRILL_EXPR_WORD && !strcmp(e->text, "NULL")) ||
	       (e->kind == DRILL_EXPR_INTEGER && e->number == 0);
}

static bool is_any(const struct drill_expr *e)
{
	return e->kind == DRILL_EXPR_ELLIPSIS;
}

/* [x]: x */
static const struct drill_expr *unlist(const struct drill_expr *e)
{
	return e->kind == DRILL_EXPR_LIST && e->nr_members == 1 ? e->members[0].value : e;
}

static int check_number(struct drill_run_call *c, const char *what, const struct drill_expr *want,
			int64_t seen)
{
	char text[128];
	int64_t v;

	if (is_any(want))
		return 0;
	if (number(c, want, &v))
		return -1;
	/* 0xffffffff is also what an int of -1 is written as. */
	if (v == seen || (v == (int64_t)(uint32_t)seen && seen < 0 && seen >= INT32_MIN))
		return 0;
	drill_expr_format(want, text, sizeof(text));
	if (want->hex)
		return fail(c, "%s: expected %s, seen 0x%llx", what, text,
			    (unsigned long long)seen);
	if (want->kind == DRILL_EXPR_INTEGER)
		return fail(c, "%s: expected %s, seen %lld", what, text, (long long)seen);
	return fail(c, "%s: expected %s (0x%llx), seen 0x%llx", what, text, (unsigned long long)v,
		    (unsigned long long)seen);
}

static const struct drill_expr *arg_expr(const struct drill_run_call *c, size_t i)
{
	const struct drill_call *call = c->event->call;

	return i < call->nr_args ? call->args[i] : NULL;
}

/* The number in argument @i, which is a size. */
static int size_arg(struct drill_run_call *c, size_t i, size_t *ret)
{
	const struct drill_expr *e = arg_expr(c, i);
	int64_t v;

	if (!e)
		return fail(c, "a size is missing");
	if (number(c, unlist(e), &v))
		return -1;
	*ret = v < 0 ? 0 : (size_t)v;
	return v > MAX_BUFFER ? fail(c, "a buffer of %lld octets is too big", (long long)v) : 0;
}

/* ---- structures as octets -------------------------------------------------------------------------------- */

static const struct drill_field linger_fields[] = {
	{ "onoff", offsetof(struct linger, l_onoff), 4, 0, 0 },
	{ "l_onoff", offsetof(struct linger, l_onoff), 4, 0, 0 },
	{ "linger", offsetof(struct linger, l_linger), 4, 0, 0 },
	{ "l_linger", offsetof(struct linger, l_linger), 4, 0, 0 },
};
static const struct drill_field timeval_fields[] = {
	{ "tv_sec", offsetof(struct timeval, tv_sec), 8, 0, 0 },
	{ "tv_usec", offsetof(struct timeval, tv_usec), 8, 0, 0 },
};
static const struct drill_field extended_err_fields[] = {
	{ "ee_errno", offsetof(struct sock_extended_err, ee_errno), 4, 0, 0 },
	{ "ee_origin", offsetof(struct sock_extended_err, ee_origin), 1, 0, 0 },
	{ "ee_type", offsetof(struct sock_extended_err, ee_type), 1, 0, 0 },
	{ "ee_code", offsetof(struct sock_extended_err, ee_code), 1, 0, 0 },
	{ "ee_info", offsetof(struct sock_extended_err, ee_info), 4, 0, 0 },
	{ "ee_data", offsetof(struct sock_extended_err, ee_data), 4, 0, 0 },
};

static const struct layout {
	const struct drill_field *field;
	size_t nr, size;
} layouts[] = {
	[DRILL_SHAPE_LINGER] = { linger_fields, 4, sizeof(struct linger) },
	[DRILL_SHAPE_TIMEVAL] = { timeval_fields, 2, sizeof(struct timeval) },
	[DRILL_SHAPE_EXTENDED_ERR] = { extended_err_fields, 6, sizeof(struct sock_extended_err) },
	[DRILL_SHAPE_TCP_INFO] = { drill_tcp_info, 0, DRILL_TCP_INFO_SIZE },
};

static const struct layout *layout_of(const struct drill_expr *e)
{
	if (e->kind != DRILL_EXPR_STRUCT || e->shape >= sizeof(layouts) / sizeof(layouts[0]) ||
	    !layouts[e->shape].field)
		return NULL;
	return &layouts[e->shape];
}

static const struct drill_field *field_of(const struct layout *l, const char *name)
{
	size_t nr = l->field == drill_tcp_info ? drill_nr_tcp_info : l->nr;

	for (size_t i = 0; i < nr; i++)
		if (name && !strcmp(l->field[i].name, name))
			return &l->field[i];
	return NULL;
}

static int check_layout(struct drill_run_call *c, const struct layout *l,
			const struct drill_expr *want, const void *seen, size_t len)
{
	for (size_t i = 0; i < want->nr_members; i++) {
		const struct drill_member *m = &want->members[i];
		const struct drill_field *f = field_of(l, m->name);

		if (!f)
			return fail(c, "there is no member %s",
				    m->name ? m->name : "without a name");
		if (f->offset + f->size > len)
			return fail(c, "%s is not there: the structure has %zu octets", m->name,
				    len);
		if (check_number(c, m->name, m->value, (int64_t)drill_field_get(f, seen)))
			return -1;
	}
	return 0;
}

static int write_layout(struct drill_run_call *c, const struct layout *l,
			const struct drill_expr *e, void *to)
{
	for (size_t i = 0; i < e->nr_members; i++) {
		const struct drill_field *f = field_of(l, e->members[i].name);
		int64_t v;

		if (!f)
			return fail(c, "there is no member %s",
				    e->members[i].name ? e->members[i].name : "without a name");
		if (is_any(e->members[i].value))
			continue;
		if (number(c, e->members[i].value, &v))
			return -1;
		drill_field_set(f, to, (uint64_t)v);
	}
	return 0;
}

/* Integers as long as what they are written into. */
static void put_integer(void *to, size_t len, int64_t v)
{
	int32_t i32 = (int32_t)v;

	if (len >= sizeof(v))
		memcpy(to, &v, sizeof(v));
	else
		memcpy(to, &i32, len < sizeof(i32) ? len : sizeof(i32));
}

static int64_t get_integer(const void *from, size_t len)
{
	int64_t v = 0;
	int32_t i32 = 0;

	if (len >= sizeof(v)) {
		memcpy(&v, from, sizeof(v));
		return v;
	}
	memcpy(&i32, from, len < sizeof(i32) ? len : sizeof(i32));
	return i32;
}

/* The octets of @e into @to, which has room for @len and is zero. */
static int write_value(struct drill_run_call *c, const struct drill_expr *e, uint8_t *to,
		       size_t len)
{
	const struct layout *l = layout_of(e);
	int64_t v;

	if (is_any(e))
		return 0;
	if (e->kind == DRILL_EXPR_STRING) {
		memcpy(to, e->text, e->text_len < len ? e->text_len : len);
		return 0;
	}
	if (e->kind == DRILL_EXPR_LIST) {
		/* One fills its place; several are ints, one behind the other. */
		for (size_t i = 0; i < e->nr_members && (e->nr_members == 1 || 4 * i + 4 <= len);
		     i++)
			if (write_value(c, e->members[i].value, to + 4 * i,
					e->nr_members == 1 ? len : 4))
				return -1;
		return 0;
	}
	if (l)
		return len < l->size ? 0 : write_layout(c, l, e, to);
	if (e->kind == DRILL_EXPR_STRUCT)
		return fail(c, "a structure of unknown kind");
	if (number(c, e, &v))
		return -1;
	put_integer(to, len, v);
	return 0;
}

static int check_value(struct drill_run_call *c, const char *what, const struct drill_expr *want,
		       const uint8_t *seen, size_t len)
{
	const struct layout *l = layout_of(want);

	if (is_any(want) || is_null(want))
		return 0;
	if (want->kind == DRILL_EXPR_STRING) {
		size_t n = want->text_len;

		/* A string may be followed by its NUL. */
		if (n > len || memcmp(want->text, seen, n) != 0 ||
		    (!want->more && len > n && seen[n]))
			return fail(c, "%s: expected \"%.*s\", seen \"%.*s\"", what, (int)n,
				    want->text, (int)len, (const char *)seen);
		return 0;
	}
	if (want->kind == DRILL_EXPR_LIST) {
		for (size_t i = 0; i < want->nr_members; i++) {
			size_t off = 4 * i, n = want->nr_members == 1 ? len : 4;

			if (off + n > len)
				return fail(c, "%s: only %zu octets", what, len);
			if (check_value(c, what, want->members[i].value, seen + off, n))
				return -1;
		}
		return 0;
	}
	if (l)
		return check_layout(c, l, want, seen, len);
	return check_number(c, what, want, get_integer(seen, len));
}

/* ---- addresses ------------------------------------------------------------------------------------------- */

unsigned drill_sockaddr(int domain, const struct drill_addr *a, uint16_t port,
			struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	memset(ret, 0, sizeof(*ret));
	if (domain == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr = a->v4;
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	if (a->family == AF_INET) {
		memset(in6->sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(in6->sin6_addr.s6_addr + 12, &a->v4, 4);
	} else {
		in6->sin6_addr = a->v6;
	}
	return sizeof(*in6);
}

bool drill_addr_of_sockaddr(const struct sockaddr_storage *ss, struct drill_addr *ret_addr,
			    uint16_t *ret_port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	memset(ret_addr, 0, sizeof(*ret_addr));
	if (ss->ss_family == AF_INET) {
		ret_addr->family = AF_INET;
		ret_addr->v4 = in->sin_addr;
		*ret_port = ntohs(in->sin_port);
		return true;
	}
	if (ss->ss_family != AF_INET6)
		return false;
	*ret_port = ntohs(in6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		ret_addr->family = AF_INET;
		memcpy(&ret_addr->v4, in6->sin6_addr.s6_addr + 12, 4);
	} else {
		ret_addr->family = AF_INET6;
		ret_addr->v6 = in6->sin6_addr;
	}
	return true;
}

static const struct drill_expr *member_value(const struct drill_expr *e, const char *a,
					     const char *b)
{
	const struct drill_member *m = drill_expr_member(e, a);

	if (!m && b)
		m = drill_expr_member(e, b);
	return m ? m->value : NULL;
}

/* inet_addr("192.0.2.1"), inet_pton(AF_INET6, "::1"), INADDR_ANY; in network order, @len octets */
static int write_in_addr(struct drill_run_call *c, const struct drill_expr *e, int family, void *to,
			 size_t len)
{
	const struct drill_expr *text = e;
	int64_t v;

	if (e->kind == DRILL_EXPR_CALL && strncmp(e->text, "inet_", 5) == 0 && e->nr_members)
		text = e->members[e->nr_members - 1].value;
	if (text->kind == DRILL_EXPR_STRING) {
		if (inet_pton(family, text->text, to) != 1)
			return fail(c, "\"%s\" is not such an address", text->text);
		return 0;
	}
	if (number(c, e, &v))
		return -1;
	put_integer(to, len < 4 ? len : 4, v);
	return 0;
}

static int write_sockaddr(struct drill_run_call *c, const struct drill_expr *e,
			  struct sockaddr_storage *ss, socklen_t *ret_len)
{
	const struct drill_expr *family = member_value(e, "sa_family", "sin_family");
	const struct drill_expr *port = member_value(e, "sin_port", "sin6_port");
	const struct drill_expr *addr = member_value(e, "sin_addr", "sin6_addr");
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	int64_t v = c->calls->domain;

	if (!family)
		family = member_value(e, "sin6_family", NULL);
	if (family && !is_any(family) && number(c, family, &v))
		return -1;
	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)v;
	*ret_len = v == AF_INET6 ? sizeof(*in6) : sizeof(*in);
	/* The port is in network order, and at the same place in both. */
	if (port && !is_any(port)) {
		if (number(c, port, &v))
			return -1;
		in->sin_port = (in_port_t)v;
	}
	if (!addr || is_any(addr))
		return 0;
	return ss->ss_family == AF_INET6 ? write_in_addr(c, addr, AF_INET6, &in6->sin6_addr, 16)
					 : write_in_addr(c, addr, AF_INET, &in->sin_addr, 4);
}

static int check_sockaddr(struct drill_run_call *c, const struct drill_expr *want,
			  const struct sockaddr_storage *seen)
{
	struct drill_addr a, b;
	struct sockaddr_storage ss;
	uint16_t pa, pb;
	socklen_t len;

	if (want->kind != DRILL_EXPR_STRUCT)
		return 0;
	if (write_sockaddr(c, want, &ss, &len))
		return -1;
	if (ss.ss_family != seen->ss_family)
		return fail(c, "address family: expected %d, seen %d", ss.ss_family,
			    seen->ss_family);
	if (!drill_addr_of_sockaddr(&ss, &a, &pa) || !drill_addr_of_sockaddr(seen, &b, &pb))
		return 0;
	if (member_value(want, "sin_port", "sin6_port") && pa != pb)
		return fail(c, "port: expected %u, seen %u", pa, pb);
	if (member_value(want, "sin_addr", "sin6_addr") &&
	    memcmp(&a.v6, &b.v6, a.family == AF_INET ? 4 : 16) != 0)
		return fail(c, "the address is another one");
	return 0;
}

/* ---- kinds of arguments ---------------------------------------------------------------------------------- */

struct kind {
	int (*prepare)(struct drill_run_call *c, size_t i, const struct drill_expr *e);
	int (*check)(struct drill_run_call *c, size_t i,
		     const struct drill_expr *e); /* may be NULL */
};

static int prepare_int(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	int64_t v;

	if (is_any(e)) {
		c->arg[i] = 0;
		return 0;
	}
	if (number(c, unlist(e), &v))
		return -1;
	c->arg[i] = (unsigned long)v;
	return 0;
}

static int prepare_domain(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	if (!is_any(e))
		return prepare_int(c, i, e);
	c->arg[i] = (unsigned long)c->calls->domain;
	return 0;
}

static int prepare_fd(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	int64_t v;

	if (number(c, e, &v))
		return -1;
	if (i == 0)
		c->fd = (int)v;
	c->arg[i] = (unsigned long)drill_fd_world(&c->calls->fds, (int)v);
	return 0;
}

/* An address that goes in; its length is the next argument, unless the script says otherwise. */
static int prepare_addr(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	bool bind = !strcmp(c->event->call->name, "bind");
	struct sockaddr_storage *ss;
	socklen_t len;

	if (is_null(e)) {
		c->arg[i] = c->arg[i + 1] = 0;
		return 0;
	}
	ss = take(c, sizeof(*ss));
	if (!ss)
		return fail(c, "no memory");
	if (is_any(e))
		len = drill_sockaddr(c->calls->domain, bind ? &c->calls->local : &c->calls->remote,
				     bind ? c->calls->bind_port : c->calls->connect_port, ss);
	else if (e->kind == DRILL_EXPR_WORD) { /* AF_UNSPEC */
		int64_t family;

		if (number(c, e, &family))
			return -1;
		ss->ss_family = (sa_family_t)family;
		len = c->calls->domain == AF_INET ? sizeof(struct sockaddr_in)
						  : sizeof(struct sockaddr_in6);
	} else if (e->kind != DRILL_EXPR_STRUCT)
		return fail(c, "an address is expected");
	else if (write_sockaddr(c, e, ss, &len))
		return -1;
	c->arg[i] = (unsigned long)ss;
	c->arg[i + 1] = len;
	return 0;
}

static int prepare_addr_len(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return is_any(e) ? 0 : prepare_int(c, i, e);
}

static int prepare_addr_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	struct {
		struct sockaddr_storage ss;
		socklen_t len;
	} * out;

	if (is_null(e)) {
		c->arg[i] = c->arg[i + 1] = 0;
		return 0;
	}
	out = take(c, sizeof(*out));
	if (!out)
		return fail(c, "no memory");
	out->len = sizeof(out->ss);
	c->arg[i] = (unsigned long)&out->ss;
	c->arg[i + 1] = (unsigned long)&out->len;
	return 0;
}

static int check_addr_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return c->arg[i] ? check_sockaddr(c, e, (const struct sockaddr_storage *)c->arg[i]) : 0;
}

/* An in and out length, [16] or ...; the argument was made with the one before. */
static int prepare_len_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	int64_t v;

	if (is_null(e))
		c->arg[i] = 0;
	if (is_any(e) || !c->arg[i])
		return 0;
	/* For calls that have one number for both directions, what is written is also what goes in. */
	if (number(c, unlist(e), &v))
		return -1;
	*(socklen_t *)c->arg[i] = (socklen_t)v;
	return 0;
}

static int check_len_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	if (is_any(e) || !c->arg[i])
		return 0;
	return check_number(c, "length", unlist(e), *(const socklen_t *)c->arg[i]);
}

/* Octets that go in; their number is the next argument. */
static int prepare_write(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	size_t n;
	uint8_t *buf;

	if (is_null(e)) {
		c->arg[i] = 0;
		return 0;
	}
	if (size_arg(c, i + 1, &n))
		return -1;
	if (e->kind == DRILL_EXPR_STRING && !e->more && e->text_len < n)
		return fail(c, "the string has only %zu octets", e->text_len);
	buf = take(c, n + 1);
	if (!buf)
		return fail(c, "no memory");
	c->arg[i] = (unsigned long)buf;
	return write_value(c, e, buf, n);
}

static int prepare_read(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	size_t n;

	if (is_null(e)) {
		c->arg[i] = 0;
		return 0;
	}
	if (size_arg(c, i + 1, &n))
		return -1;
	c->arg[i] = (unsigned long)take(c, n + 1);
	return c->arg[i] ? 0 : fail(c, "no memory");
}

static int check_read(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	size_t n = (size_t)c->result;

	if (e->kind != DRILL_EXPR_STRING)
		return 0;
	if (e->text_len > n || (!e->more && e->text_len != n))
		return fail(c, "expected %zu octets, seen %zu", e->text_len, n);
	if (memcmp(e->text, (const void *)c->arg[i], e->text_len) != 0)
		return fail(c, "other octets were read: \"%.*s\"", (int)n, (const char *)c->arg[i]);
	return 0;
}

/* ---- keys of signatures: an address first, members that are numbers, members that are text ---------------- */

struct key_field {
	const char *name;
	uint16_t offset, size;
	bool text;
};

static const struct key_field md5sig_fields[] = { /* struct tcp_md5sig */
						  { "tcpm_flags", 128, 1, false },
						  { "tcpm_prefixlen", 129, 1, false },
						  { "tcpm_keylen", 130, 2, false },
						  { "tcpm_ifindex", 132, 4, false },
						  { "tcpm_key", 136, 80, true }
};
static const struct key_field ao_add_fields[] = { /* struct tcp_ao_add of Linux 6.7 */
						  { "alg_name", 128, 64, true },
						  { "prefix", 202, 1, false },
						  { "sndid", 203, 1, false },
						  { "rcvid", 204, 1, false },
						  { "maclen", 205, 1, false },
						  { "keyflags", 206, 1, false },
						  { "keylen", 207, 1, false },
						  { "key", 208, 80, true }
};

static const struct key_layout {
	enum drill_shape shape;
	const char *addr;
	size_t size;
	const struct key_field *field;
	size_t nr;
} key_layouts[] = {
	{ DRILL_SHAPE_MD5SIG, "tcpm_addr", 216, md5sig_fields, 5 },
	{ DRILL_SHAPE_AO_ADD, "addr", 288, ao_add_fields, 8 },
};

static const struct key_layout *key_layout_of(const struct drill_expr *e)
{
	for (size_t i = 0; i < sizeof(key_layouts) / sizeof(key_layouts[0]); i++)
		if (e->kind == DRILL_EXPR_STRUCT && e->shape == key_layouts[i].shape)
			return &key_layouts[i];
	return NULL;
}

static int write_key_field(struct drill_run_call *c, const struct key_field *f,
			   const struct drill_expr *e, uint8_t *to)
{
	int64_t v;

	if (f->text && e->kind == DRILL_EXPR_STRING) {
		memcpy(to, e->text, e->text_len < f->size ? e->text_len : f->size);
		return 0;
	}
	/* A prefix of ...: this peer alone. */
	if (is_any(e))
		v = c->calls->remote.family == AF_INET ? 32 : 128;
	else if (number(c, e, &v))
		return -1;
	memcpy(to, &v, f->size < sizeof(v) ? f->size : sizeof(v));
	return 0;
}

/* The address: ... is the other end's. */
static int write_key(struct drill_run_call *c, const struct key_layout *l,
		     const struct drill_expr *e, uint8_t *to, size_t len)
{
	const struct drill_expr *addr = member_value(e, l->addr, NULL);
	struct sockaddr_storage ss = { 0 };
	socklen_t addr_len;

	if (len < l->size)
		return 0;
	if (addr && is_any(addr))
		drill_sockaddr(c->calls->domain, &c->calls->remote, 0, &ss);
	else if (addr && write_sockaddr(c, addr, &ss, &addr_len))
		return -1;
	memcpy(to, &ss, sizeof(ss));
	for (size_t i = 0; i < l->nr; i++) {
		const struct drill_expr *v = member_value(e, l->field[i].name, NULL);

		if (v && write_key_field(c, &l->field[i], v, to + l->field[i].offset))
			return -1;
	}
	return 0;
}

/* setsockopt()'s value */
static int prepare_value(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	uint8_t *buf;
	size_t n;

	if (is_null(e)) {
		c->arg[i] = 0;
		return 0;
	}
	if (size_arg(c, i + 1, &n))
		return -1;
	/* A wrong length must not make the stack read beyond. */
	buf = take(c, n + DRILL_TCP_INFO_SIZE);
	if (!buf)
		return fail(c, "no memory");
	c->arg[i] = (unsigned long)buf;
	if (key_layout_of(e))
		return write_key(c, key_layout_of(e), e, buf, n);
	return write_value(c, e, buf, n < 4 && e->kind == DRILL_EXPR_LIST ? 4 : n);
}

/* getsockopt()'s value and length */
static int prepare_value_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	const struct drill_expr *len = arg_expr(c, i + 1);
	size_t n = 0;
	uint8_t *buf;

	if (len && !is_any(len) && !is_null(len) && size_arg(c, i + 1, &n))
		return -1;
	if (!n)
		n = layout_of(unlist(e)) ? layout_of(unlist(e))->size : 256;
	buf = take(c, n + DRILL_TCP_INFO_SIZE + sizeof(max_align_t));
	if (!buf)
		return fail(c, "no memory");
	memset(buf + sizeof(max_align_t), UNWRITTEN, n);
	*(socklen_t *)buf = (socklen_t)n;
	c->arg[i] = is_null(e) ? 0 : (unsigned long)(buf + sizeof(max_align_t));
	c->arg[i + 1] = (unsigned long)buf;
	return 0;
}

static int check_value_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	if (!c->arg[i] || !c->arg[i + 1])
		return 0;
	return check_value(c, "value", unlist(e), (const uint8_t *)c->arg[i],
			   *(const socklen_t *)c->arg[i + 1]);
}

/* ioctl()'s and others' [n]: an int that goes in, out, or both */
static int prepare_int_ref(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	int64_t v = 0;
	int64_t *p;

	if (e->kind != DRILL_EXPR_LIST)
		return prepare_int(c, i, e);
	p = take(c, 64);
	if (!p)
		return fail(c, "no memory");
	if (e->nr_members && !is_any(e->members[0].value) && number(c, e->members[0].value, &v))
		return -1;
	if (c->arg[i - 1] == FIONBIO || c->arg[i - 1] == FIOASYNC)
		put_integer(p, 4, v);
	else
		memset(p, UNWRITTEN, 4);
	c->arg[i] = (unsigned long)p;
	return 0;
}

static int check_int_ref(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	if (e->kind != DRILL_EXPR_LIST || !e->nr_members)
		return 0;
	return check_number(c, "value", e->members[0].value, *(const int *)c->arg[i]);
}

/* An offset in a file, [n], that goes in */
static int prepare_offset(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	off_t *p;
	int64_t v;

	if (is_null(e)) {
		c->arg[i] = 0;
		return 0;
	}
	p = take(c, sizeof(*p));
	if (!p)
		return fail(c, "no memory");
	if (number(c, unlist(e), &v))
		return -1;
	*p = v;
	c->arg[i] = (unsigned long)p;
	return 0;
}

static int prepare_string(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	if (e->kind != DRILL_EXPR_STRING)
		return fail(c, "a string is expected");
	c->arg[i] = (unsigned long)e->text;
	return 0;
}

/* ---- vectors of buffers ---------------------------------------------------------------------------------- */

static const struct drill_expr *iov_part(const struct drill_expr *e, const char *name, size_t at)
{
	const struct drill_expr *v = member_value(e, name, NULL);

	if (!v && e->kind == DRILL_EXPR_STRUCT && at < e->nr_members && !e->members[at].name)
		v = e->members[at].value;
	return v;
}

/* A list of {base, length}. NULL: none. */
static int make_iov(struct drill_run_call *c, const struct drill_expr *list, struct iovec **ret_iov,
		    size_t *ret_nr)
{
	struct iovec *iov;

	*ret_iov = NULL;
	*ret_nr = 0;
	if (is_null(list) || is_any(list))
		return 0;
	if (list->kind != DRILL_EXPR_LIST || list->nr_members > MAX_VECTOR)
		return fail(c, "a list of buffers is expected");
	iov = take(c, (list->nr_members + 1) * sizeof(*iov));
	if (!iov)
		return fail(c, "no memory");
	for (size_t i = 0; i < list->nr_members; i++) {
		const struct drill_expr *e = list->members[i].value;
		const struct drill_expr *base = iov_part(e, "iov_base", 0);
		const struct drill_expr *len = iov_part(e, "iov_len", 1);
		int64_t n;

		if (!base || !len || number(c, len, &n))
			return base && len ? -1 : fail(c, "a buffer is {base, length}");
		if (n < 0 || n > MAX_BUFFER)
			return fail(c, "a buffer of %lld octets", (long long)n);
		iov[i].iov_len = (size_t)n;
		if (is_null(base))
			continue;
		iov[i].iov_base = take(c, (size_t)n + 1);
		if (!iov[i].iov_base)
			return fail(c, "no memory");
		if (base->kind == DRILL_EXPR_STRING &&
		    write_value(c, base, iov[i].iov_base, (size_t)n))
			return -1;
	}
	*ret_iov = iov;
	*ret_nr = list->nr_members;
	return 0;
}

static int prepare_iov(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	struct iovec *iov;
	size_t nr;

	if (make_iov(c, e, &iov, &nr))
		return -1;
	c->arg[i] = (unsigned long)iov;
	return 0;
}

/* ---- control messages ------------------------------------------------------------------------------------ */

static size_t cmsg_size(const struct drill_expr *data)
{
	const struct layout *l = layout_of(data);

	if (data->kind == DRILL_EXPR_STRING)
		return data->text_len;
	if (data->kind == DRILL_EXPR_LIST)
		return 4 * data->nr_members;
	return l ? l->size : sizeof(int);
}

static int write_control(struct drill_run_call *c, const struct drill_expr *list, struct msghdr *m)
{
	size_t at = 0;

	for (size_t i = 0; i < list->nr_members; i++) {
		const struct drill_expr *e = list->members[i].value;
		const struct drill_expr *level = member_value(e, "cmsg_level", NULL);
		const struct drill_expr *type = member_value(e, "cmsg_type", NULL);
		const struct drill_expr *data = member_value(e, "cmsg_data", NULL);
		struct cmsghdr *cm = (struct cmsghdr *)((char *)m->msg_control + at);
		int64_t l, t;
		size_t n;

		if (!level || !type || !data || number(c, level, &l) || number(c, type, &t))
			return fail(c, "a control message needs cmsg_level, cmsg_type, cmsg_data");
		n = cmsg_size(data);
		if (at + CMSG_SPACE(n) > CONTROL)
			return fail(c, "too many control messages");
		cm->cmsg_level = (int)l;
		cm->cmsg_type = (int)t;
		cm->cmsg_len = CMSG_LEN(n);
		if (write_value(c, data, CMSG_DATA(cm), n))
			return -1;
		at += CMSG_SPACE(n);
	}
	m->msg_controllen = at;
	if (!at)
		m->msg_control = NULL;
	return 0;
}

/* SCM_TIMESTAMPING: counted from the script's start. */
static int check_timestamping(struct drill_run_call *c, const struct drill_expr *want,
			      const struct cmsghdr *cm)
{
	const struct drill_expr *sec = member_value(want, "scm_sec", NULL);
	const struct drill_expr *nsec = member_value(want, "scm_nsec", NULL);
	struct timespec ts[3] = { 0 }, *t = ts;
	int64_t s = 0, ns = 0, seen;

	if (cm->cmsg_len < CMSG_LEN(sizeof(ts)))
		return fail(c, "a time stamp of %zu octets", (size_t)cm->cmsg_len - CMSG_LEN(0));
	memcpy(ts, CMSG_DATA(cm), sizeof(ts));
	if (!ts[0].tv_sec && ts[2].tv_sec)
		t = &ts[2];
	if ((sec && !is_any(sec) && number(c, sec, &s)) ||
	    (nsec && !is_any(nsec) && number(c, nsec, &ns)))
		return -1;
	seen = t->tv_sec * 1000000000LL + t->tv_nsec - (int64_t)c->calls->realtime;
	s = s * 1000000000 + ns;
	if (llabs(seen - s) > (int64_t)c->calls->tolerance_ns)
		return fail(c, "time stamp: expected %.6f s, seen %.6f s", (double)s / 1e9,
			    (double)seen / 1e9);
	return 0;
}

static int check_cmsg(struct drill_run_call *c, const struct drill_expr *want,
		      const struct cmsghdr *cm)
{
	const struct drill_expr *level = member_value(want, "cmsg_level", NULL);
	const struct drill_expr *type = member_value(want, "cmsg_type", NULL);
	const struct drill_expr *data = member_value(want, "cmsg_data", NULL);

	if ((level && check_number(c, "cmsg_level", level, cm->cmsg_level)) ||
	    (type && check_number(c, "cmsg_type", type, cm->cmsg_type)))
		return -1;
	if (!data)
		return 0;
	if (data->kind == DRILL_EXPR_STRUCT && data->shape == DRILL_SHAPE_TIMESTAMPING)
		return check_timestamping(c, data, cm);
	return check_value(c, "cmsg_data", data, CMSG_DATA(cm), cm->cmsg_len - CMSG_LEN(0));
}

static int check_control(struct drill_run_call *c, const struct drill_expr *list,
			 const struct msghdr *m)
{
	struct cmsghdr *cm = m->msg_controllen >= sizeof(*cm) ? CMSG_FIRSTHDR(m) : NULL;

	if (list->kind != DRILL_EXPR_LIST)
		return 0;
	for (size_t i = 0; i < list->nr_members; i++) {
		if (!cm)
			return fail(c, "expected %zu control messages, seen %zu", list->nr_members,
				    i);
		if (check_cmsg(c, list->members[i].value, cm))
			return -1;
		cm = CMSG_NXTHDR((struct msghdr *)(uintptr_t)m, cm);
	}
	if (cm)
		return fail(c, "another control message, level %d type %d", cm->cmsg_level,
			    cm->cmsg_type);
	return 0;
}

/* ---- messages -------------------------------------------------------------------------------------------- */

static int make_name(struct drill_run_call *c, const struct drill_member *m, bool in,
		     struct msghdr *ret)
{
	struct sockaddr_storage *ss;
	socklen_t len = sizeof(*ss);
	int64_t v;

	if (!m || is_null(m->value))
		return 0;
	ss = take(c, sizeof(*ss));
	if (!ss)
		return fail(c, "no memory");
	if (in && is_any(m->value))
		len = drill_sockaddr(c->calls->domain, &c->calls->remote, c->calls->connect_port,
				     ss);
	else if (in && write_sockaddr(c, m->value, ss, &len))
		return -1;
	if (m->arg && !is_any(m->arg)) {
		if (number(c, m->arg, &v))
			return -1;
		len = (socklen_t)v;
	}
	ret->msg_name = ss;
	ret->msg_namelen = len;
	return 0;
}

static int make_msghdr(struct drill_run_call *c, const struct drill_expr *e, bool in,
		       struct msghdr *m)
{
	const struct drill_expr *iov = member_value(e, "msg_iov", NULL);
	const struct drill_expr *control = member_value(e, "msg_control", NULL);
	size_t nr = 0;

	if (make_name(c, drill_expr_member(e, "msg_name"), in, m))
		return -1;
	if (iov && make_iov(c, iov, &m->msg_iov, &nr))
		return -1;
	m->msg_iovlen = nr;
	if (!control || is_null(control))
		return 0;
	m->msg_control = take(c, CONTROL);
	if (!m->msg_control)
		return fail(c, "no memory");
	m->msg_controllen = CONTROL;
	return in ? write_control(c, control, m) : 0;
}

static int check_msghdr(struct drill_run_call *c, const struct drill_expr *e,
			const struct msghdr *m)
{
	const struct drill_expr *flags = member_value(e, "msg_flags", NULL);
	const struct drill_expr *control = member_value(e, "msg_control", NULL);
	const struct drill_member *name = drill_expr_member(e, "msg_name");

	if (flags && check_number(c, "msg_flags", flags, m->msg_flags))
		return -1;
	if (name && m->msg_name && m->msg_namelen && check_sockaddr(c, name->value, m->msg_name))
		return -1;
	return control ? check_control(c, control, m) : 0;
}

static int prepare_msg(struct drill_run_call *c, size_t i, const struct drill_expr *e, bool in)
{
	struct msghdr *m;

	if (is_null(e)) {
		c->arg[i] = 0;
		return 0;
	}
	m = take(c, sizeof(*m));
	if (!m)
		return fail(c, "no memory");
	c->arg[i] = (unsigned long)m;
	return make_msghdr(c, e, in, m);
}

static int prepare_msg_in(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return prepare_msg(c, i, e, true);
}

static int prepare_msg_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return prepare_msg(c, i, e, false);
}

static int check_msg_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return c->arg[i] ? check_msghdr(c, e, (const struct msghdr *)c->arg[i]) : 0;
}

/* [{msg_hdr={...}, msg_len=n}, ...] */
static int prepare_mmsg(struct drill_run_call *c, size_t i, const struct drill_expr *e, bool in)
{
	struct mmsghdr *m;

	if (e->kind != DRILL_EXPR_LIST || e->nr_members > MAX_VECTOR)
		return fail(c, "a list of messages is expected");
	m = take(c, (e->nr_members + 1) * sizeof(*m));
	if (!m)
		return fail(c, "no memory");
	for (size_t k = 0; k < e->nr_members; k++) {
		const struct drill_expr *h = member_value(e->members[k].value, "msg_hdr", NULL);

		if (make_msghdr(c, h ? h : e->members[k].value, in, &m[k].msg_hdr))
			return -1;
	}
	c->arg[i] = (unsigned long)m;
	return 0;
}

static int prepare_mmsg_in(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return prepare_mmsg(c, i, e, true);
}

static int prepare_mmsg_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	return prepare_mmsg(c, i, e, false);
}

static int check_mmsg(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	const struct mmsghdr *m = (const struct mmsghdr *)c->arg[i];

	for (long k = 0; k < c->result && (size_t)k < e->nr_members; k++) {
		const struct drill_expr *x = e->members[k].value;
		const struct drill_expr *h = member_value(x, "msg_hdr", NULL);
		const struct drill_expr *len = member_value(x, "msg_len", NULL);

		if (len && check_number(c, "msg_len", len, m[k].msg_len))
			return -1;
		if (c->row && !strcmp(c->event->call->name, "recvmmsg") &&
		    check_msghdr(c, h ? h : x, &m[k].msg_hdr))
			return -1;
	}
	return 0;
}

/* ---- poll and epoll -------------------------------------------------------------------------------------- */

static int prepare_pollfds(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	struct pollfd *p;

	if (e->kind != DRILL_EXPR_LIST) {
		c->arg[i] = 0;
		return 0;
	}
	p = take(c, (e->nr_members + 1) * sizeof(*p));
	if (!p)
		return fail(c, "no memory");
	for (size_t k = 0; k < e->nr_members; k++) {
		const struct drill_expr *fd = member_value(e->members[k].value, "fd", NULL);
		const struct drill_expr *ev = member_value(e->members[k].value, "events", NULL);
		int64_t v, events = 0;

		if (!fd || number(c, fd, &v) || (ev && number(c, ev, &events)))
			return fd ? -1 : fail(c, "a pollfd needs fd");
		p[k].fd = v < 0 ? -1 : drill_fd_world(&c->calls->fds, (int)v);
		p[k].events = (short)events;
	}
	c->arg[i] = (unsigned long)p;
	return 0;
}

static int check_pollfds(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	const struct pollfd *p = (const struct pollfd *)c->arg[i];

	for (size_t k = 0; p && k < e->nr_members; k++) {
		const struct drill_expr *r = member_value(e->members[k].value, "revents", NULL);

		if (r && check_number(c, "revents", r, p[k].revents))
			return -1;
	}
	return 0;
}

/* The data of an epoll event is what the script wrote: descriptors are its own numbers. */
static const struct drill_expr *event_data(const struct drill_expr *e)
{
	static const char *const names[] = { "fd", "ptr", "u32", "u64" };
	const struct drill_expr *v = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !v; i++)
		v = member_value(e, names[i], NULL);
	return v;
}

static int prepare_event(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	const struct drill_expr *events = member_value(e, "events", NULL), *data = event_data(e);
	struct epoll_event *ev;
	int64_t v = 0, d = 0;

	if (e->kind != DRILL_EXPR_STRUCT) {
		c->arg[i] = 0;
		return 0;
	}
	ev = take(c, sizeof(*ev));
	if (!ev)
		return fail(c, "no memory");
	if ((events && number(c, events, &v)) || (data && number(c, data, &d)))
		return -1;
	ev->events = (uint32_t)v;
	ev->data.u64 = (uint64_t)d;
	c->arg[i] = (unsigned long)ev;
	return 0;
}

/* One structure or a list of them */
static int prepare_events_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	size_t n;

	if (is_null(e)) {
		c->arg[i] = 0;
		return 0;
	}
	if (size_arg(c, i + 1, &n))
		return -1;
	c->arg[i] = (unsigned long)take(c, (n + 1) * sizeof(struct epoll_event));
	return c->arg[i] ? 0 : fail(c, "no memory");
}

static int check_events_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	const struct epoll_event *ev = (const struct epoll_event *)c->arg[i];

	for (long k = 0; k < c->result; k++) {
		const struct drill_expr *x = e, *events, *data;

		if (e->kind == DRILL_EXPR_LIST)
			x = (size_t)k < e->nr_members ? e->members[k].value : NULL;
		else if (k > 0)
			x = NULL;
		if (!x)
			return 0; /* the number is compared with the result */
		events = member_value(x, "events", NULL);
		data = event_data(x);
		if (events && check_number(c, "events", events, ev[k].events))
			return -1;
		if (data && check_number(c, "data", data, (int64_t)ev[k].data.u64))
			return -1;
	}
	return 0;
}

/* ---- pairs of descriptors -------------------------------------------------------------------------------- */

static int prepare_fds_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	if (e->kind != DRILL_EXPR_LIST || e->nr_members != 2)
		return fail(c, "[number, number] is expected");
	c->arg[i] = (unsigned long)take(c, 2 * sizeof(int));
	return c->arg[i] ? 0 : fail(c, "no memory");
}

static int check_fds_out(struct drill_run_call *c, size_t i, const struct drill_expr *e)
{
	const int *fds = (const int *)c->arg[i];

	for (int k = 0; k < 2; k++) {
		int64_t v;

		if (number(c, e->members[k].value, &v))
			return -1;
		if (fd_set_world(&c->calls->fds, (int)v, fds[k]))
			return fail(c, "%lld is no descriptor", (long long)v);
	}
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------------------- */

static const struct kind kinds[128] = {
	['i'] = { prepare_int, NULL },
	['D'] = { prepare_domain, NULL },
	['f'] = { prepare_fd, NULL },
	['A'] = { prepare_addr, NULL },
	['L'] = { prepare_addr_len, NULL },
	['P'] = { prepare_addr_out, check_addr_out },
	['l'] = { prepare_len_out, check_len_out },
	['W'] = { prepare_write, NULL },
	['R'] = { prepare_read, check_read },
	['V'] = { prepare_value, NULL },
	['G'] = { prepare_value_out, check_value_out },
	['g'] = { prepare_int_ref, check_int_ref },
	['o'] = { prepare_offset, NULL },
	['s'] = { prepare_string, NULL },
	['v'] = { prepare_iov, NULL },
	['M'] = { prepare_msg_in, NULL },
	['m'] = { prepare_msg_out, check_msg_out },
	['X'] = { prepare_mmsg_in, check_mmsg },
	['x'] = { prepare_mmsg_out, check_mmsg },
	['Q'] = { prepare_pollfds, check_pollfds },
	['E'] = { prepare_event, NULL },
	['S'] = { prepare_events_out, check_events_out },
	['p'] = { prepare_fds_out, check_fds_out },
};

struct drill_call_row {
	const char *name;
	enum drill_sys nr;
	const char *args; /* kinds; those behind '-' may be left out */
	bool returns_fd, returns_time;
};

static const struct drill_call_row rows[] = {
	{ "accept", DRILL_SYS_ACCEPT, "fPl", true },
	{ "accept4", DRILL_SYS_ACCEPT4, "fPli", true },
	{ "bind", DRILL_SYS_BIND, "fAL" },
	{ "close", DRILL_SYS_CLOSE, "f" },
	{ "connect", DRILL_SYS_CONNECT, "fAL" },
	{ "dup", DRILL_SYS_DUP, "f", true },
	{ "dup2", DRILL_SYS_DUP2, "fi", true },
	{ "dup3", DRILL_SYS_DUP3, "fii", true },
	{ "epoll_create", DRILL_SYS_EPOLL_CREATE, "i", true },
	{ "epoll_create1", DRILL_SYS_EPOLL_CREATE1, "i", true },
	{ "epoll_ctl", DRILL_SYS_EPOLL_CTL, "fif-E" },
	{ "epoll_wait", DRILL_SYS_EPOLL_WAIT, "fSii" },
	{ "fcntl", DRILL_SYS_FCNTL, "fi-i" },
	{ "getpeername", DRILL_SYS_GETPEERNAME, "fPl" },
	{ "getsockname", DRILL_SYS_GETSOCKNAME, "fPl" },
	{ "getsockopt", DRILL_SYS_GETSOCKOPT, "fiiGl" },
	{ "ioctl", DRILL_SYS_IOCTL, "fi-g" },
	{ "listen", DRILL_SYS_LISTEN, "fi" },
	{ "open", DRILL_SYS_OPEN, "si-i", true },
	{ "pipe", DRILL_SYS_PIPE, "p" },
	{ "pipe2", DRILL_SYS_PIPE2, "pi" },
	{ "poll", DRILL_SYS_POLL, "Qii" },
	{ "read", DRILL_SYS_READ, "fRi" },
	{ "readv", DRILL_SYS_READV, "fvi" },
	{ "recv", DRILL_SYS_RECV, "fRii" },
	{ "recvfrom", DRILL_SYS_RECVFROM, "fRiiPl" },
	{ "recvmmsg", DRILL_SYS_RECVMMSG, "fxii-i" },
	{ "recvmsg", DRILL_SYS_RECVMSG, "fmi" },
	{ "send", DRILL_SYS_SEND, "fWii" },
	{ "sendfile", DRILL_SYS_SENDFILE, "ffoi" },
	{ "sendmmsg", DRILL_SYS_SENDMMSG, "fXii" },
	{ "sendmsg", DRILL_SYS_SENDMSG, "fMi" },
	{ "sendto", DRILL_SYS_SENDTO, "fWiiAL" },
	{ "setsockopt", DRILL_SYS_SETSOCKOPT, "fiiVi" },
	{ "shutdown", DRILL_SYS_SHUTDOWN, "fi" },
	{ "socket", DRILL_SYS_SOCKET, "Dii", true },
	{ "socketpair", DRILL_SYS_SOCKETPAIR, "Diip" },
	{ "splice", DRILL_SYS_SPLICE, "fofoii" },
	{ "write", DRILL_SYS_WRITE, "fWi" },
	{ "writev", DRILL_SYS_WRITEV, "fvi" },
};

static const struct drill_call_row *row_of(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* Calls @fn of each argument's kind. */
static int each_argument(struct drill_run_call *c, bool check)
{
	const struct drill_call *call = c->event->call;
	size_t i = 0;

	for (const char *k = c->row->args; *k && i < call->nr_args; k++) {
		const struct kind *kind = &kinds[(unsigned char)*k];

		if (*k == '-')
			continue;
		if (!check && kind->prepare(c, i, call->args[i]))
			return -1;
		if (check && kind->check && kind->check(c, i, call->args[i]))
			return -1;
		i++;
	}
	return 0;
}

int drill_call_prepare(struct drill_run_call *c, struct drill_calls *calls,
		       const struct drill_event *event)
{
	const struct drill_call *call = event->call;
	size_t most, least;
	const char *dash;

	memset(c, 0, sizeof(*c));
	c->calls = calls;
	c->event = event;
	c->fd = -1;
	c->row = row_of(call->name);
	if (!c->row)
		return fail(c, "there is no system call %s()", call->name);
	dash = strchr(c->row->args, '-');
	most = strlen(c->row->args) - (dash ? 1 : 0);
	least = dash ? (size_t)(dash - c->row->args) : most;
	if (call->nr_args < least || call->nr_args > most)
		return fail(c, "%s() has %zu arguments, not %zu", call->name, most, call->nr_args);
	return each_argument(c, false);
}

void drill_call_run(struct drill_run_call *c)
{
	struct drill_world *w = c->calls->world;

	c->result = w->ops->sys(w, c->row->nr, c->arg);
}

/* "-1 EAGAIN (Resource temporarily unavailable)" */
static const char *result_text(long result, char *buf, size_t size)
{
	const char *name = result < 0 ? drill_errno_name((int)-result) : NULL;

	if (result >= 0)
		snprintf(buf, size, "%ld", result);
	else if (name)
		snprintf(buf, size, "-1 %s (%s)", name, strerror((int)-result));
	else
		snprintf(buf, size, "-1 (error %ld)", -result);
	return buf;
}

static int check_result(struct drill_run_call *c)
{
	const struct drill_call *call = c->event->call;
	char want[128], seen[128], num[64];
	int64_t v;

	if (!call->result || is_any(call->result)) {
		if (c->row->returns_fd && c->result >= 0)
			return fail(c, "the result of %s() must be a number", call->name);
		return 0;
	}
	if (number(c, call->result, &v))
		return -1;
	drill_expr_format(call->result, num, sizeof(num));
	snprintf(want, sizeof(want), "%s%s%s", num, call->errno_name ? " " : "",
		 call->errno_name ? call->errno_name : "");
	if (c->row->returns_fd && v >= 0 && c->result >= 0) {
		if (fd_set_world(&c->calls->fds, (int)v, (int)c->result))
			return fail(c, "%lld is no descriptor", (long long)v);
		return 0;
	}
	if (c->result < 0 ? v == -1 && (!call->errno_value || call->errno_value == -c->result)
			  : v == c->result)
		return 0;
	return fail(c, "expected result %s, seen %s", want,
		    result_text(c->result, seen, sizeof(seen)));
}

int drill_call_check(struct drill_run_call *c)
{
	if (check_result(c))
		return -1;
	if (c->row->nr == DRILL_SYS_CLOSE && c->fd >= 0 && c->fd < c->calls->fds.nr)
		c->calls->fds.world[c->fd] = -1;
	return c->result < 0 ? 0 : each_argument(c, true);
}
