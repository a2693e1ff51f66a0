/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drill/constants.h"
#include "drill/lexer.h"

struct fixture {
	struct drill_arena *arena;
	struct drill_lexer lx;
};

static void start(struct fixture *f, const char *text)
{
	f->arena = drill_arena_create();
	drill_lexer_init(&f->lx, f->arena, "s", text, strlen(text));
}

static void stop(struct fixture *f)
{
	free(f->lx.error);
	drill_arena_free(f->arena);
}

/* A token as one letter for its kind and its text. */
static void describe(const struct drill_token *t, char *buf, size_t size)
{
	static const char kinds[] = "-wixfsc%e";

	if (t->kind == TOKEN_PUNCT)
		snprintf(buf, size, "%c", t->punct);
	else
		snprintf(buf, size, "%c:%s", kinds[t->kind], t->text ? t->text : "");
}

static void text_is_cut_into_tokens(void **state)
{
	static const struct {
		const char *text;
		const char *tokens; /* with a blank after each */
	} cases[] = {
		{ "", "-: " },
		{ " \t\r\n\f\v", "-: " },
		{ "socket 10 0x1F 1a2b _x", "w:socket i:10 x:0x1F w:1a2b w:_x -: " },
		{ "0xfg 0x", "w:0xfg w:0x -: " },
		{ "1.5 .25 1. 10", "f:1.5 f:.25 f:1. i:10 -: " },
		{ "0...0.1", "i:0 e:... f:0.1 -: " },
		{ "+.1~+.2", "+ f:.1 ~ + f:.2 -: " },
		{ "S. <...>", "w:S . < e:... > -: " },
		{ "a// b\nc # d\ne /* f \n g */h", "w:a w:c w:e w:h -: " },
		{ "a/b", "w:a / w:b -: " },
		{ "\"a b\"\"c\"", "s:a b s:c -: " },
		{ "\"\\x41\\102\\n\\\\\\\"\\q\"", "s:AB\n\\\"q -: " },
		{ "`ls // # \n \"x` y", "c:ls // # \n \"x w:y -: " },
		{ "%{ a % } }%b", "%: a % }  w:b -: " },
		{ "1 \\\n 2", "i:1 i:2 -: " },
		{ "\xef\xbb\xbf"
		  "1",
		  "i:1 -: " },
		{ "\x01\xff", "\x01 \xff -: " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		char all[256] = "", one[64];

		start(&f, cases[i].text);
		do {
			drill_lex_next(&f.lx);
			describe(&f.lx.token, one, sizeof(one));
			strcat(strcat(all, one), " ");
		} while (f.lx.token.kind != TOKEN_END);
		assert_null(f.lx.error);
		assert_string_equal(all, cases[i].tokens);
		stop(&f);
	}
}

static void numbers_have_their_values(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
		int64_t ns;
	} cases[] = {
		{ "0", 0, 0 },
		{ "18446744073709551615", UINT64_MAX, INT64_MAX / 4 / 1000000000 * 1000000000 },
		{ "0xffffffffffffffff", UINT64_MAX, 0 },
		{ "0xAb", 0xab, 0 },
		{ "3", 3, 3000000000 },
		{ "1.5", 0, 1500000000 },
		{ ".000001", 0, 1000 },
		{ "0.0000000019", 0, 1 },
		{ "2.", 0, 2000000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;

		start(&f, cases[i].text);
		drill_lex_next(&f.lx);
		assert_int_equal(f.lx.token.number, cases[i].number);
		/* A time that no clock reaches only has to be large. */
		if (cases[i].ns > 1000000000000000000)
			assert_true(f.lx.token.ns >= 1000000000000000000);
		else
			assert_int_equal(f.lx.token.ns, cases[i].ns);
		stop(&f);
	}
}

static void tokens_know_their_place(void **state)
{
	static const struct drill_pos places[] = {
		{ 1, 1 }, { 2, 3 }, { 4, 3 }, { 5, 1 }, { 5, 2 }
	};
	struct fixture f;

	(void)state;
	start(&f, "a // x\n  \"b\n\\\nc\" d\n1+");
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		drill_lex_next(&f.lx);
		if (i == 2)
			assert_int_equal(f.lx.last.line, 4);
		assert_int_equal(f.lx.token.pos.line, places[i].line);
		if (i != 2)
			assert_int_equal(f.lx.token.pos.column, places[i].column);
	}
	stop(&f);
}

static void what_has_no_end_is_an_error_at_its_beginning(void **state)
{
	static const char *const wrong[][2] = {
		{ "\n \"abc", "s:2:2: this string has no end" },
		{ "\"abc\\\"", "s:1:1: this string has no end" },
		{ "1 `abc", "s:1:3: this command has no end: ` is missing" },
		{ "%{ abc }", "s:1:1: this code has no end: }% is missing" },
		{ "1 /* 2", "s:1:3: this comment has no end" },
		{ "18446744073709551616",
		  "s:1:1: the number '18446744073709551616' is over 64 bits" },
		{ "0x10000000000000000",
		  "s:1:1: the number '0x10000000000000000' is over 64 bits" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fixture f;

		start(&f, wrong[i][0]);
		for (int n = 0; n < 5; n++)
			drill_lex_next(&f.lx);
		assert_int_equal(f.lx.token.kind, TOKEN_END);
		assert_non_null(f.lx.error);
		assert_string_equal(f.lx.error, wrong[i][1]);
		stop(&f);
	}
}

static void defines_replace_words_and_only_words(void **state)
{
	struct fixture f;
	char all[256] = "", one[64];

	(void)state;
	start(&f, "A B \"A\" `A` AA C");
	drill_lexer_define(&f.lx, "A", "1, B", true);
	drill_lexer_define(&f.lx, "B", "x", false);
	drill_lexer_define(&f.lx, "A", "wrong", false); /* the caller's win */
	drill_lexer_define(&f.lx, "C", "", false);
	do {
		drill_lex_next(&f.lx);
		describe(&f.lx.token, one, sizeof(one));
		strcat(strcat(all, one), " ");
	} while (f.lx.token.kind != TOKEN_END);
	assert_string_equal(all, "i:1 , w:x w:x s:A c:A w:AA -: ");
	stop(&f);
	start(&f, "\n A");
	drill_lexer_define(&f.lx, "A", "B", true);
	drill_lexer_define(&f.lx, "B", "1 A", true);
	for (int n = 0; n < 20; n++)
		drill_lex_next(&f.lx);
	assert_string_equal(f.lx.error, "s:2:2: 'A' is defined by itself");
	stop(&f);
}

static void options_are_read_raw(void **state)
{
	static const char *const cases[][3] = {
		{ "--mtu=1500", "mtu", "1500" },
		{ "  // c\n --ip-version=ipv6 // c", "ip_version", "ipv6" },
		{ "--dry_run\n", "dry_run", NULL },
		{ "--local_ip=fd::1\n", "local_ip", "fd::1" },
		{ "--define=A=\"b c\"d", "define", "A=b cd" },
		{ "--x=`a b`", "x", "a b" },
		{ "--x=\"a", "x", "\"a" },
		{ "--x=", "x", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drill_option o;
		struct fixture f;

		start(&f, cases[i][0]);
		assert_true(drill_lex_option(&f.lx, &o));
		assert_string_equal(o.name, cases[i][1]);
		if (cases[i][2])
			assert_string_equal(o.value, cases[i][2]);
		else
			assert_null(o.value);
		assert_false(drill_lex_option(&f.lx, &o));
		stop(&f);
	}
}

static void constants_are_sorted_and_found(void **state)
{
	(void)state;
	for (size_t i = 1; i < drill_nr_constants; i++)
		assert_true(strcmp(drill_constants[i - 1].name, drill_constants[i].name) < 0);
	for (size_t i = 0; i < drill_nr_constants; i++)
		assert_ptr_equal(drill_constant(drill_constants[i].name), &drill_constants[i]);
	assert_null(drill_constant("NO_SUCH_NAME"));
	assert_null(drill_constant(""));
	assert_int_equal(drill_constant("EAGAIN")->value, 11);
	assert_int_equal(drill_constant("SOL_TCP")->value, 6);
	assert_int_equal(drill_constant("TCP_CLOSE")->value, 7);
	assert_string_equal(drill_errno_name(11), "EAGAIN");
	assert_string_equal(drill_errno_name(95), "EOPNOTSUPP");
	assert_null(drill_errno_name(4000));
}

static void arena_arrays_keep_what_is_in_them(void **state)
{
	struct drill_arena *a = drill_arena_create();
	size_t *items = NULL;
	char *large = drill_arena_alloc(a, 100000);

	(void)state;
	large[99999] = 1;
	for (size_t i = 0; i < 1000; i++) {
		items = drill_arena_grow(a, items, i, sizeof(*items));
		items[i] = i;
	}
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(items[i], i);
	drill_arena_free(a);
	drill_arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_cut_into_tokens),
		cmocka_unit_test(numbers_have_their_values),
		cmocka_unit_test(tokens_know_their_place),
		cmocka_unit_test(what_has_no_end_is_an_error_at_its_beginning),
		cmocka_unit_test(defines_replace_words_and_only_words),
		cmocka_unit_test(options_are_read_raw),
		cmocka_unit_test(constants_are_sorted_and_found),
		cmocka_unit_test(arena_arrays_keep_what_is_in_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
