/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drill/script.h"

static struct drill_script *parse_with(const char *text, const struct drill_parse_options *opt)
{
	char *error = NULL;
	struct drill_script *s = drill_script_parse("t.pkt", text, strlen(text), opt, &error);

	if (!s)
		fail_msg("%s", error);
	return s;
}

static struct drill_script *parse(const char *text)
{
	return parse_with(text, NULL);
}

/* ---- structure of a script ----------------------------------------------------------------------------- */

static const char whole[] = "// A script with everything\n"
			    "--ip_version=ipv4\n"
			    "--mtu=1500 --tolerance_usecs=10000 # three\n"
			    "`sysctl -q a=1\n"
			    " sysctl -q b=2`\n"
			    "--dry-run\n"
			    "`second`\n"
			    "\n"
			    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
			    "+0 < S 0:0(0) win 1000\n"
			    "+.1~+.2 > S. 0:0(0) ack 1 <mss 1460,\n"
			    "    nop,nop> // over two lines\n"
			    "* `ip route`\n"
			    "1.5~2 %{ assert True }%\n"
			    "+.25...0.75 accept(3, ..., ...) = 4\n"
			    "`cleanup`\n";

static void script_has_its_parts_in_order(void **state)
{
	struct drill_script *s = parse(whole);
	size_t len;

	(void)state;
	assert_int_equal(s->nr_options, 4);
	assert_string_equal(drill_script_option(s, "ip_version"), "ipv4");
	assert_string_equal(drill_script_option(s, "mtu"), "1500");
	assert_string_equal(drill_script_option(s, "tolerance_usecs"), "10000");
	assert_string_equal(s->options[3].name, "dry_run");
	assert_null(drill_script_option(s, "dry_run"));
	assert_null(drill_script_option(s, "other"));
	assert_int_equal(s->nr_init, 2);
	assert_string_equal(s->init[0].text, "sysctl -q a=1\n sysctl -q b=2");
	assert_int_equal(s->init[1].pos.line, 7);
	assert_int_equal(s->nr_cleanup, 1);
	assert_string_equal(s->cleanup[0].text, "cleanup");
	assert_int_equal(s->nr_events, 6);
	assert_int_equal(s->events[2].pos.line, 11);
	assert_int_equal(s->events[2].last_line, 12);
	assert_int_equal(s->events[3].last_line, 13);
	assert_memory_equal(drill_script_line(s, s->events[2].pos, &len), "+.1~+.2 > S.", 12);
	assert_int_equal(len, strlen("+.1~+.2 > S. 0:0(0) ack 1 <mss 1460,"));
	drill_script_free(s);
}

static void events_have_their_times(void **state)
{
	static const struct drill_when when[] = {
		{ DRILL_TIME_ABSOLUTE, 0, 0, false, 0 },
		{ DRILL_TIME_RELATIVE, 0, 0, false, 0 },
		{ DRILL_TIME_RELATIVE_RANGE, 100000000, 200000000, false, 0 },
		{ DRILL_TIME_ANY, 0, 0, false, 0 },
		{ DRILL_TIME_ABSOLUTE_RANGE, 1500000000, 2000000000, false, 0 },
		{ DRILL_TIME_RELATIVE, 250000000, 0, true, 750000000 },
	};
	static const enum drill_event_kind kinds[] = {
		DRILL_EVENT_SYSCALL, DRILL_EVENT_PACKET, DRILL_EVENT_PACKET,
		DRILL_EVENT_COMMAND, DRILL_EVENT_CODE,   DRILL_EVENT_SYSCALL,
	};
	struct drill_script *s = parse(whole);

	(void)state;
	for (size_t i = 0; i < s->nr_events; i++) {
		const struct drill_when *w = &s->events[i].when;

		assert_int_equal(s->events[i].kind, kinds[i]);
		assert_int_equal(w->kind, when[i].kind);
		assert_int_equal(w->ns, when[i].ns);
		assert_int_equal(w->to_ns, when[i].to_ns);
		assert_int_equal(w->blocks, when[i].blocks);
		assert_int_equal(w->until_ns, when[i].until_ns);
	}
	assert_int_equal(s->events[1].packet->dir, DRILL_INBOUND);
	assert_int_equal(s->events[2].packet->dir, DRILL_OUTBOUND);
	assert_string_equal(s->events[3].text, "ip route");
	assert_string_equal(s->events[4].text, " assert True ");
	assert_int_equal(s->events[4].text_pos.line, 14);
	assert_int_equal(s->events[4].text_pos.column, 9);
	drill_script_free(s);
}

/* ---- system calls -------------------------------------------------------------------------------------- */

static void put_call(const struct drill_call *c, char *buf, size_t size)
{
	char one[512];
	size_t n = snprintf(buf, size, "%s(", c->name);

	for (size_t i = 0; i < c->nr_args; i++) {
		drill_expr_format(c->args[i], one, sizeof(one));
		n += snprintf(buf + n, size - n, "%s%s", i ? ", " : "", one);
	}
	drill_expr_format(c->result, one, sizeof(one));
	n += snprintf(buf + n, size - n, ") = %s", one);
	if (c->errno_name)
		n += snprintf(buf + n, size - n, " %s", c->errno_name);
	if (c->note)
		snprintf(buf + n, size - n, " (%s)", c->note);
}

/* As written, or NULL: as read. */
static const char *const calls[][2] = {
	{ "close(3) = 0", NULL },
	{ "f() = ...", NULL },
	{ "f(...) = ?", "f(...) = ..." },
	{ "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0", NULL },
	{ "fcntl(4, F_GETFL) = 0x2 (flags O_RDWR)", NULL },
	{ "connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress (really))", NULL },
	{ "read(4, \"ab\\x00\\\"\"..., 5) = -1 EAGAIN", NULL },
	{ "setsockopt(4, SOL_TCP, TCP_X, [0xffffffff], 4) = 0", NULL },
	{ "f(-1, ~1, !A, &x) = -7", NULL },
	{ "f(A | B|C & D, (A|B) & C, A<<2>>1, A^B) = A|B",
	  "f(A|B|(C&D), (A|B)&C, (A<<2)>>1, A^B) = A|B" },
	{ "f([], [1], [a, [b, {c}]]) = [5, 6]", NULL },
	{ "poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLIN}], 1, -1) = 1", NULL },
	{ "epoll_wait(5, {events=EPOLLIN, ptr=0}, 1, 0) = 1", NULL },
	{ "sendmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {\"x\", 1}], msg_flags=0, "
	  "msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=8}]}, 0) = 101",
	  NULL },
	{ "bind(3, {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr(\"1.2.3.4\")}, "
	  "...) = 0",
	  "bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr(\"1.2.3.4\")}, ...) "
	  "= 0" },
	{ "setsockopt(4, A, B, {onoff=1, linger=0}, 8) = 0", NULL },
	{ "f({(label 7, tc 1, ttl 2)(label 8, tc 0, [S], ttl 3)}) = 0", NULL },
	{ "f({flags [key present], key 7}) = 0",
	  "f({flags 0x2000, sum 0, off 0, key 7, seq 0}) = 0" },
	{ "f({flags=1, x=2}, {flags, 3}) = 0", NULL },
};

static void calls_are_read_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct drill_script *s;
		char text[1024], again[1024];

		/* The events after it must not become part of its result. */
		snprintf(text, sizeof(text), "0 %s\n+0 < . 1:1(0)\n* f() = 0 // end\n",
			 calls[i][0]);
		s = parse(text);
		assert_int_equal(s->nr_events, 3);
		put_call(s->events[0].call, again, sizeof(again));
		assert_string_equal(again, calls[i][1] ? calls[i][1] : calls[i][0]);
		drill_script_free(s);
	}
}

static void results_carry_their_errno(void **state)
{
	struct drill_script *s = parse("0 f() = -1 EPIPE (Broken pipe)\n0 f() = -1\n");

	(void)state;
	assert_int_equal(s->events[0].call->errno_value, 32);
	assert_string_equal(s->events[0].call->note, "Broken pipe");
	assert_int_equal(s->events[0].call->result->number, -1);
	assert_int_equal(s->events[1].call->errno_value, 0);
	assert_null(s->events[1].call->errno_name);
	drill_script_free(s);
}

static const struct drill_expr *first_arg(struct drill_script *s)
{
	return s->events[0].call->args[0];
}

static void structures_are_told_apart_by_their_members(void **state)
{
	static const struct {
		const char *text;
		enum drill_shape shape;
	} cases[] = {
		{ "{..., 5}", DRILL_SHAPE_PLAIN },
		{ "{iov_base=..., iov_len=5}", DRILL_SHAPE_IOVEC },
		{ "{sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr(\"1.1.1.1\")}",
		  DRILL_SHAPE_SOCKADDR },
		{ "{sin6_family=AF_INET6, sin6_port=1, sin6_addr=inet6_addr(\"::1\")}",
		  DRILL_SHAPE_SOCKADDR },
		{ "{msg_name(...)=..., msg_iov(1)=[{..., 1}], msg_flags=0}", DRILL_SHAPE_MSGHDR },
		{ "{cmsg_level=1, cmsg_type=2, cmsg_data=3}", DRILL_SHAPE_CMSGHDR },
		{ "{fd=1, events=2}", DRILL_SHAPE_POLLFD },
		{ "{fd=1, events=2, revents=3}", DRILL_SHAPE_POLLFD },
		{ "{events=2, fd=1}", DRILL_SHAPE_EPOLL_EVENT },
		{ "{events=2, u64=1}", DRILL_SHAPE_EPOLL_EVENT },
		{ "{onoff=1, linger=2}", DRILL_SHAPE_LINGER },
		{ "{tv_sec=1, tv_usec=2}", DRILL_SHAPE_TIMEVAL },
		{ "{scm_sec=1, scm_nsec=2}", DRILL_SHAPE_TIMESTAMPING },
		{ "{ee_errno=0, ee_origin=1, ee_type=2, ee_code=3, ee_info=4, ee_data=5}",
		  DRILL_SHAPE_EXTENDED_ERR },
		{ "{tcpm_addr=..., tcpm_keylen=1, tcpm_key=\"k\"}", DRILL_SHAPE_MD5SIG },
		{ "{addr=..., alg_name=\"hmac(sha1)\", sndid=1, rcvid=2, keylen=1, key=\"k\"}",
		  DRILL_SHAPE_AO_ADD },
		{ "{tcpi_rtt=1, tcpi_snd_cwnd=2}", DRILL_SHAPE_TCP_INFO },
		{ "{events=2, foo=1}", DRILL_SHAPE_UNKNOWN },
		{ "{fd=1, 2}", DRILL_SHAPE_UNKNOWN },
		{ "{a=1}", DRILL_SHAPE_UNKNOWN },
		{ "{}", DRILL_SHAPE_PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		struct drill_script *s;

		snprintf(text, sizeof(text), "0 f(%s) = 0", cases[i].text);
		s = parse(text);
		assert_int_equal(first_arg(s)->kind, DRILL_EXPR_STRUCT);
		assert_int_equal(first_arg(s)->shape, cases[i].shape);
		drill_script_free(s);
	}
}

static void expressions_have_values(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
		const char *error;
	} cases[] = {
		{ "5", 5, NULL },
		{ "-5", -5, NULL },
		{ "0xffffffffffffffff", -1, NULL },
		{ "SOCK_STREAM|SOCK_NONBLOCK", 1 | 2048, NULL },
		{ "1|2^3&6", 1 | (2 ^ (3 & 6)), NULL },
		{ "1<<4|1", 17, NULL },
		{ "1<<64", 0, NULL },
		{ "~0 & 0xf0>>4", 0xf, NULL },
		{ "!0", 1, NULL },
		{ "(1|4)&6", 4, NULL },
		{ "htons(80)", 80, NULL },
		{ "1|FOO", 0, "1:7: 'FOO' is not a known name" },
		{ "...", 0, "1:5: expected a number" },
		{ "[1]", 0, "1:5: expected a number" },
		{ "foo(1)", 0, "1:5: expected a number" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256], error[128] = "";
		struct drill_script *s;
		int64_t value = 0;
		int rc;

		snprintf(text, sizeof(text), "0 f(%s) = 0", cases[i].text);
		s = parse(text);
		rc = drill_expr_number(first_arg(s), &value, error, sizeof(error));
		assert_int_equal(rc == 0, !cases[i].error);
		assert_int_equal(value, cases[i].value);
		assert_string_equal(error, cases[i].error ? cases[i].error : "");
		drill_script_free(s);
	}
}

static void members_are_found_by_name(void **state)
{
	struct drill_script *s = parse("0 f({a=1, b(2)=3, 4}) = 0");
	const struct drill_expr *e = first_arg(s);

	(void)state;
	assert_int_equal(drill_expr_member(e, "a")->value->number, 1);
	assert_null(drill_expr_member(e, "a")->arg);
	assert_int_equal(drill_expr_member(e, "b")->arg->number, 2);
	assert_int_equal(drill_expr_member(e, "b")->value->number, 3);
	assert_null(drill_expr_member(e, "c"));
	assert_null(e->members[2].name);
	drill_script_free(s);
}

static void formatting_counts_what_does_not_fit(void **state)
{
	struct drill_script *s = parse("0 f([abc, \"def\"]) = 0");
	char small[8];

	(void)state;
	assert_int_equal(drill_expr_format(first_arg(s), small, sizeof(small)),
			 strlen("[abc, \"def\"]"));
	assert_string_equal(small, "[abc, \"");
	assert_int_equal(drill_expr_format(first_arg(s), NULL, 0), strlen("[abc, \"def\"]"));
	drill_script_free(s);
}

/* ---- defines ------------------------------------------------------------------------------------------- */

static void defines_come_from_the_caller_and_from_option_lines(void **state)
{
	const struct drill_define defines[] = { { "MSS", "1460" }, { "COOKIE", "a1b2" } };
	const struct drill_parse_options opt = { defines, 2 };
	struct drill_script *s = parse_with("--define=MSS=1 --define=LEVEL=SOL_IP|1\n"
					    "0 > S 0:0(0) <mss MSS,FO COOKIE>\n"
					    "0 f(LEVEL, MSS) = 0\n",
					    &opt);
	char text[128];

	(void)state;
	drill_packet_format(s->events[0].packet, text, sizeof(text));
	assert_string_equal(text, "S 0:0(0) <mss 1460,FO a1b2>");
	put_call(s->events[1].call, text, sizeof(text));
	assert_string_equal(text, "f(SOL_IP|1, 1460) = 0");
	drill_script_free(s);
}

/* ---- errors -------------------------------------------------------------------------------------------- */

static const char *const wrong[][2] = {
	{ "", ":1:1: expected an event, not the end of the file" },
	{ "// nothing\n", ":2:1: expected an event, not the end of the file" },
	{ "foo() = 1", ":1:1: expected an option, a command or the time of an event, not 'foo'" },
	{ "-1 foo() = 1", ":1:1: expected an option, a command or the time of an event, not '-'" },
	{ "--", ":1:1: expected the name of an option after --" },
	{ "--define=A\n0 f() = 0", ":1:1: expected --define=NAME=VALUE" },
	{ "+x", ":1:2: expected a time in seconds, not 'x'" },
	{ "0",
	  ":1:2: expected a packet, a system call, a command or code, not the end of the file" },
	{ "0 1", ":1:3: expected a packet, a system call, a command or code, not '1'" },
	{ "+1~2 f() = 0", ":1:3: both ends of a range have a '+', or none has" },
	{ "2~1 f() = 0", ":1:2: the range ends before it begins" },
	{ "*...1 f() = 0", ":1:2: a call that blocks begins at one time, not in a range" },
	{ "0...1 `x`", ":1:1: only a system call can have an end time" },
	{ "0...x f() = 0", ":1:5: expected a time in seconds, not 'x'" },
	{ "0 f = 0", ":1:5: expected '(' after the name of the call, not '='" },
	{ "0 f(1 = 0", ":1:7: expected ')' after the arguments of the call, not '='" },
	{ "0 f(,) = 0", ":1:5: expected a value, not ','" },
	{ "0 f()\n", ":2:1: expected '=' and the result of the call, not the end of the file" },
	{ "0 f() = \n", ":2:1: expected a value, not the end of the file" },
	{ "0 f() = -1 EFOO (x)", ":1:12: expected the name of an error, not 'EFOO'" },
	{ "0 f() = 0 (x\n)", ":1:12: this note has no end: ')' is missing" },
	{ "0 f([1) = 0", ":1:7: expected ']' after the list, not ')'" },
	{ "0 f({1=2}) = 0", ":1:6: only a name can stand before '='" },
	{ "0 f({a=1)) = 0", ":1:9: expected '}' after the members of the structure, not ')'" },
	{ "0 f(1<2) = 0", ":1:7: expected '<' (a shift is << or >>), not '2'" },
	{ "0 f() = 0\nxyz", ":2:1: expected the time of an event, not 'xyz'" },
	{ "0 f() = 0\n`a`\n0 f() = 0", ":3:1: expected nothing after the last command, not '0'" },
	{ "0 < S 0:0(0) win 1 <mss 1,>", ":1:27: expected a TCP option" },
};

static void errors_name_place_and_expectation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *error = NULL;
		struct drill_script *s =
			drill_script_parse("t.pkt", wrong[i][0], strlen(wrong[i][0]), NULL, &error);

		assert_null(s);
		if (strncmp(error, "t.pkt", 5) != 0 ||
		    strncmp(error + 5, wrong[i][1], strlen(wrong[i][1])) != 0)
			fail_msg("'%s' gave '%s', not '%s'", wrong[i][0], error, wrong[i][1]);
		free(error);
	}
}

/* Expressions that would overflow the stack of whoever walks them. */
static void depth_and_length_of_expressions_are_bounded(void **state)
{
	static const char *const parts[] = { "(", "[", "{", "-", "a(", "1|" };

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t len = strlen(parts[i]), n = 100000;
		char *text = malloc(4 + len * n + 1), *error = NULL;

		strcpy(text, "0 f(");
		for (size_t k = 0; k < n; k++)
			memcpy(text + 4 + k * len, parts[i], len + 1);
		assert_null(drill_script_parse("t", text, strlen(text), NULL, &error));
		assert_non_null(strstr(error, "an expression"));
		free(error);
		free(text);
	}
}

static void files_are_read(void **state)
{
	char path[] = "/tmp/weir-drill-test-XXXXXX", *error = NULL;
	int fd = mkstemp(path);
	struct drill_script *s;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, whole, sizeof(whole) - 1), sizeof(whole) - 1);
	close(fd);
	s = drill_script_read(path, NULL, &error);
	assert_non_null(s);
	assert_int_equal(s->nr_events, 6);
	assert_string_equal(s->path, path);
	drill_script_free(s);
	unlink(path);
	assert_null(drill_script_read(path, NULL, &error));
	assert_non_null(strstr(error, "No such file"));
	free(error);
	assert_null(drill_script_read("/tmp", NULL, &error));
	assert_non_null(strstr(error, "/tmp: Is a directory"));
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(script_has_its_parts_in_order),
		cmocka_unit_test(events_have_their_times),
		cmocka_unit_test(calls_are_read_as_written),
		cmocka_unit_test(results_carry_their_errno),
		cmocka_unit_test(structures_are_told_apart_by_their_members),
		cmocka_unit_test(expressions_have_values),
		cmocka_unit_test(members_are_found_by_name),
		cmocka_unit_test(formatting_counts_what_does_not_fit),
		cmocka_unit_test(defines_come_from_the_caller_and_from_option_lines),
		cmocka_unit_test(errors_name_place_and_expectation),
		cmocka_unit_test(depth_and_length_of_expressions_are_bounded),
		cmocka_unit_test(files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
