/* SPDX-License-Identifier: BSD-2-Clause */
/* shell_test.c - which commands need no shell, and what they do */
#include "drill/shell.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What was set, in order: "name=value;". */
static char done[512];

static void note(const char *a, const char *sep, const char *b)
{
	size_t len = strlen(done);

	snprintf(done + len, sizeof(done) - len, "%s%s%s;", a, sep, b);
}

static int set(void *arg, const char *name, const char *value)
{
	(void)arg;
	note(name, "=", value);
	return strcmp(name, "nosuch") ? strcmp(name, "refused") ? 0 : -EINVAL : -ENOENT;
}

static int put(void *arg, const char *path, const char *text)
{
	(void)arg;
	note(path, "<", text);
	return 0;
}

static const struct drill_shell_ops ops = { .sysctl = set, .write = put };

/* The exit status, or -1: a shell is needed. */
static int run(const char *command, const char *dir)
{
	int status;

	done[0] = '\0';
	return drill_shell(command, dir, &ops, NULL, &status) ? status >> 8 : -1;
}

static void settings_need_no_shell(void **state)
{
	(void)state;
	assert_int_equal(
		run("sysctl -q a=1 -w b=\"2 3\"; sysctl -q c=4\necho 5 > /proc/sys/net/d", "."), 0);
	assert_string_equal(done, "a=1;b=2 3;c=4;/proc/sys/net/d<5;");
	assert_int_equal(run("echo 3 > /sys/module/m/parameters/p", "."), 0);
	assert_string_equal(done, "/sys/module/m/parameters/p<3;");
	assert_int_equal(run("sysctl -q a=1 \\\n  b=2 # a comment\n# another; c=3", "."), 0);
	assert_string_equal(done, "a=1;b=2;");
}

static void the_last_command_tells_the_status(void **state)
{
	(void)state;
	assert_int_equal(run("sysctl -q nosuch=1", "."), 1);
	assert_int_equal(run("sysctl -e -q nosuch=1", "."), 0);
	assert_int_equal(run("sysctl -e -q refused=1", "."), 1);
	assert_int_equal(run("sysctl -q refused=1\nsysctl -q a=1", "."), 0);
	assert_int_equal(run("sysctl -q refused=1 && sysctl -q a=1", "."), 1);
	assert_string_equal(done, "refused=1;");
}

static void everything_else_is_left_to_a_shell_whole(void **state)
{
	static const char *const commands[] = { "sysctl a=1",      "sysctl -q a",
						"sysctl -q a=$b",  "sysctl -q a=1; ip link",
						"echo 1 > /tmp/x", "sysctl -q a=1 | cat",
						"./no-such-file" };

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		assert_int_equal(run(commands[i], "."), -1);
		assert_string_equal(done, "");
	}
}

/* @text as the file "x.sh" of a directory of its own, and what running it does. */
static int run_file(const char *text, const char *command)
{
	char dir[] = "/tmp/shell_test.XXXXXX", path[64];
	int status;
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.sh", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	status = run(command, dir);
	unlink(path);
	rmdir(dir);
	return status;
}

static void files_of_settings_need_no_shell(void **state)
{
	(void)state;
	assert_int_equal(run_file("#!/bin/sh\n# what\nexec sysctl -q -e nosuch=1 \\\n\ta=1\n",
				  "./x.sh\nsysctl -q b=2"),
			 0);
	assert_string_equal(done, "nosuch=1;a=1;b=2;");
	assert_int_equal(run_file("#!/bin/sh\nsysctl -q a=1\nip link\n", "./x.sh"), -1);
	assert_string_equal(done, "");
	assert_int_equal(run_file("#!/usr/bin/python3\nsysctl -q a=1\n", "./x.sh"), -1);
	assert_int_equal(run_file("#!/bin/sh\n./x.sh\n", "./x.sh"), -1); /* for ever */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_need_no_shell),
		cmocka_unit_test(the_last_command_tells_the_status),
		cmocka_unit_test(everything_else_is_left_to_a_shell_whole),
		cmocka_unit_test(files_of_settings_need_no_shell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
