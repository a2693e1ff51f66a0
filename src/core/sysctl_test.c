/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl_test.c - values are parsed, checked and shown by kind; a bad write changes nothing */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/sysctl.h"
#include "weir/weir.h"

struct values {
	u8 small;
	u16 pair[2];
	u32 triple[3];
	s32 sign;
	u64 big, seconds, millis;
	char text[8];
	u32 changes, least, most;
};

static struct values the_values; /* of this test program */

static void *base(struct net *net)
{
	return &the_values;
}

static void *dir_base(struct net *net, const char *name)
{
	return !strcmp(name, "all") || !strcmp(name, "eth0") ? &the_values : NULL;
}

static void dir_list(struct net *net, struct text *t)
{
	text_printf(t, "all\neth0\n");
}

static void changed(struct net *net)
{
	the_values.changes++;
}

#define ROW(name, kind, field, def, lo, hi)                                                        \
	SYSCTL_ROW("test/" name, kind, struct values, field, def, lo, hi, "")

static const struct sysctl_desc rows[] = {
	ROW("small", SYSCTL_U8, small, 64, 1, 200),
	ROW("pair", SYSCTL_U16_PAIR, pair, 0, 1, 65535),
	ROW("triple", SYSCTL_U32_TRIPLE, triple, 0, 0, 0),
	ROW("sign", SYSCTL_S32, sign, (u64)-1, (u64)-5, 5),
	{ .path = "test/least",
	  .kind = SYSCTL_U32,
	  .offset = offsetof(struct values, least),
	  .def = 3,
	  .max_at = offsetof(struct values, most) },
	ROW("most", SYSCTL_U32, most, 10, 0, 0),
	ROW("big", SYSCTL_U64, big, 1, 0, 0),
	ROW("seconds", SYSCTL_NS_AS_S, seconds, 30, 1, 100),
	ROW("millis", SYSCTL_NS_AS_MS, millis, 250, 0, 0),
	{ .path = "test/text",
	  .kind = SYSCTL_STRING,
	  .offset = offsetof(struct values, text),
	  .len = 8 },
	{ .path = "test/fixed",
	  .kind = SYSCTL_U8,
	  .offset = offsetof(struct values, small),
	  .def = 64,
	  .readonly = true },
	{ .path = "test/hook",
	  .kind = SYSCTL_U32,
	  .offset = offsetof(struct values, changes),
	  .changed = changed },
};
static const struct sysctl_table table = { base, rows, ARRAY_SIZE(rows) };
static const struct sysctl_desc param_rows[] = { SYSCTL_ROW("mod/parameters/small", SYSCTL_U8,
							    struct values, small, 64, 1, 200, "") };
static const struct sysctl_table params = { base, param_rows, 1, .parameters = true };
static const struct sysctl_desc dir_rows[] = { SYSCTL_ROW("small", SYSCTL_U8, struct values, small,
							  0, 0, 0, "") };
static const struct sysctl_dir dir = { "test/conf", dir_base, dir_list, dir_rows, 1 };

static struct weir_machine *machine;
static struct weir_net *net;

static int setup(void **state)
{
	struct machine *m;

	machine = weir_machine_create(NULL);
	net = machine ? weir_net_create(machine, "n") : NULL;
	if (!net)
		return 1;
	m = ((struct net *)net)->machine;
	memset(&the_values, 0, sizeof(the_values));
	sysctl_set_defaults(&table, &the_values);
	return sysctl_register(m, &table) || sysctl_register(m, &params) ||
	       sysctl_register_dir(m, &dir);
}

static int teardown(void **state)
{
	weir_net_destroy(net);
	weir_machine_destroy(machine);
	return 0;
}

static void expect(const char *path, int err, const char *text)
{
	char *got = NULL;
	size_t len;

	assert_int_equal(weir_view_read(net, path, &got, &len), err);
	if (text)
		assert_string_equal(got, text);
	free(got);
}

static int put(const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/test/%s", name);
	return weir_view_write(net, path, value, strlen(value));
}

static void defaults_are_shown(void **state)
{
	expect("/proc/sys/net/test/small", 0, "64\n");
	expect("/proc/sys/net/test/sign", 0, "-1\n");
	expect("/proc/sys/net/test/seconds", 0, "30\n");
	expect("/proc/sys/net/test/millis", 0, "250\n");
	assert_true(the_values.seconds == 30 * NSEC_PER_SEC);
	expect("/proc/sys/net/test/triple", 0, "0\t0\t0\n");
	expect("/proc/sys/net/core/somaxconn", 0, "4096\n");
	expect("/proc/sys/net/core/rmem_default", 0, "212992\n");
}

static void what_is_the_cpus_is_shown_and_checked(void **state)
{
	static const char *const path = "/proc/sys/net/core/gro_normal_batch";

	expect(path, 0, "8\n");
	assert_int_equal(weir_view_write(net, path, "0", 1), -EINVAL);
	assert_int_equal(weir_view_write(net, path, "-1", 2), -EINVAL);
	assert_int_equal(weir_view_write(net, path, "2147483648", 10), -EINVAL);
	assert_int_equal(weir_view_write(net, path, "1", 1), 0);
	expect(path, 0, "1\n");
	assert_int_equal(weir_view_write(net, path, "2147483647", 10), 0);
	expect(path, 0, "2147483647\n");
	assert_int_equal(weir_view_write(net, path, "8", 1), 0);
}

static void parameters_of_modules_have_a_tree_of_their_own(void **state)
{
	const char *path = "/sys/module/mod/parameters/small";

	expect(path, 0, "64\n");
	assert_int_equal(weir_view_write(net, path, "7", 1), 0);
	expect(path, 0, "7\n");
	assert_int_equal(weir_view_write(net, path, "201", 3), -EINVAL);
	expect("/sys/module/mod", -EISDIR, "parameters\n");
	expect("/sys/module/test/small", -ENOENT, NULL);
	expect("/proc/sys/net/mod/parameters/small", -ENOENT, NULL);
	assert_int_equal(weir_view_write(net, "/proc/sys/net/mod/parameters/small", "7", 1),
			 -ENOENT);
}

static void writes_are_checked(void **state)
{
	static const struct {
		const char *name, *value;
		int err;
		const char *after;
	} cases[] = {
		{ "small", "1", 0, "1\n" },
		{ "small", " 200\n", 0, "200\n" },
		{ "small", "0x10", 0, "16\n" },
		{ "small", "0", -EINVAL, "64\n" },
		{ "small", "201", -EINVAL, "64\n" },
		{ "small", "256", -EINVAL, "64\n" },
		{ "small", "", 0, "64\n" },
		{ "small", " ", -EINVAL, "64\n" },
		{ "small", "5 6", 0, "5\n" },
		{ "small", "5x", -EINVAL, "64\n" },
		{ "small", "-1", -EINVAL, "64\n" },
		{ "pair", "1000\t2000", 0, "1000\t2000\n" },
		{ "pair", "2000 1000", -EINVAL, "0\t0\n" },
		{ "pair", "1000", -EINVAL, "0\t0\n" },
		{ "pair", "1 65536", -EINVAL, "0\t0\n" },
		{ "triple", "1 2 3", 0, "1\t2\t3\n" },
		{ "triple", "7\n", 0, "7\t0\t0\n" },
		{ "triple", "1 2 x", -EINVAL, "0\t0\t0\n" },
		{ "sign", "-5", 0, "-5\n" },
		{ "sign", "-6", -EINVAL, "-1\n" },
		{ "sign", "99999999999", -EINVAL, "-1\n" },
		{ "least", "10", 0, "10\n" },
		{ "least", "11", -EINVAL, "3\n" },
		{ "big", "18446744073709551615", 0, "18446744073709551615\n" },
		{ "big", "18446744073709551616", -EINVAL, "1\n" },
		{ "seconds", "100", 0, "100\n" },
		{ "seconds", "101", -EINVAL, "30\n" },
		{ "millis", "18446744073709551615", -EINVAL, "250\n" },
		{ "text", "cubic\n", 0, "cubic\n" },
		{ "text", "much too long", -EINVAL, "\n" },
		{ "fixed", "1", -EACCES, "64\n" },
		{ "nosuch", "1", -ENOENT, NULL },
	};
	char path[64];

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&the_values, 0, sizeof(the_values));
		sysctl_set_defaults(&table, &the_values);
		if (put(cases[i].name, cases[i].value) != cases[i].err)
			print_error("case %u: %s = %s\n", i, cases[i].name, cases[i].value);
		assert_int_equal(put(cases[i].name, cases[i].value), cases[i].err);
		snprintf(path, sizeof(path), "/proc/sys/net/test/%s", cases[i].name);
		if (cases[i].after)
			expect(path, 0, cases[i].after);
	}
}

static void directories_list_each_name_once(void **state)
{
	expect("/proc/sys/net/test/conf", -EISDIR, "all\neth0\n");
	expect("/proc/sys/net/test/conf/eth0/", -EISDIR, "small\n");
	expect("/proc/sys/net/test/conf/eth0/small", 0, "64\n");
	expect("/proc/sys/net/test/conf/eth1/small", -ENOENT, NULL);
	expect("/proc/sys/net/test/conf/eth1", -ENOENT, NULL);
	expect("/proc/sys/net/test/", -EISDIR,
	       "small\npair\ntriple\nsign\nleast\nmost\nbig\nseconds\nmillis\ntext\nfixed\nhook\nco"
	       "nf\n");
	expect("/proc/sys/net/tes", -ENOENT, NULL);
	expect("/nowhere", -ENOENT, NULL);
}

static void names_with_dots_and_slashes_mean_the_same(void **state)
{
	assert_int_equal(weir_sysctl(net, "net.test.small", "7"), 0);
	expect("/proc/sys/net/test/small", 0, "7\n");
	assert_int_equal(weir_sysctl(net, "net/test/conf/eth0/small", "8"), 0);
	expect("/proc/sys/net/test/small", 0, "8\n");
	assert_int_equal(weir_sysctl(net, "net.test.nosuch", "7"), -ENOENT);
	assert_int_equal(weir_sysctl(net, "kernel.hostname", "x"), -ENOENT);
	assert_int_equal(put("hook", "0"), 0);
	assert_int_equal(the_values.changes, 1); /* told after the write */
}

static void a_path_of_any_length_is_harmless(void **state)
{
	char path[600];

	for (size_t n = 500; n < sizeof(path); n++) {
		memset(path, 'x', n);
		path[0] = '/';
		path[n] = 0;
		expect(path, -ENOENT, NULL);
	}
}

static void views_cannot_be_written(void **state)
{
	assert_int_equal(weir_view_write(net, "/proc/net/dev", "x", 1), -EACCES);
	assert_int_equal(weir_view_write(net, "/proc/net/nosuch", "x", 1), -ENOENT);
}

static void text_grows_as_needed(void **state)
{
	struct text t = { 0 };

	for (int i = 0; i < 1000; i++)
		text_printf(&t, "%0300d\n", i);
	assert_false(t.failed);
	assert_int_equal(t.len, 301000);
	assert_int_equal(t.buf[t.len], 0);
	text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_are_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_the_cpus_is_shown_and_checked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(parameters_of_modules_have_a_tree_of_their_own,
						setup, teardown),
		cmocka_unit_test_setup_teardown(writes_are_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(directories_list_each_name_once, setup, teardown),
		cmocka_unit_test_setup_teardown(names_with_dots_and_slashes_mean_the_same, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_path_of_any_length_is_harmless, setup, teardown),
		cmocka_unit_test_setup_teardown(views_cannot_be_written, setup, teardown),
		cmocka_unit_test(text_grows_as_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
