/* SPDX-License-Identifier: BSD-2-Clause */
#include "run_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char base[] = "/tmp/weir-state-XXXXXX";

static int private_base(void **state)
{
	if (!mkdtemp(base))
		return -1;
	return setenv("XDG_RUNTIME_DIR", base, 1);
}

static int remove_base(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/weir/.lock", base);
	unlink(path);
	snprintf(path, sizeof(path), "%s/weir", base);
	rmdir(path);
	return rmdir(base);
}

static void names_cannot_leave_the_directory(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "-x", ".hidden", "a b", "a\n" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(state_name_valid(bad[i]));
	assert_true(state_name_valid("two-hosts_1.yaml"));
}

static void a_live_name_is_taken(void **state)
{
	char *dir, *again;
	int fd, lock, fd2, lock2;
	struct stat st;

	assert_int_equal(state_create("one", &dir, &fd, &lock), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(state_create("one", &again, &fd2, &lock2), -EEXIST);
	fd2 = state_open("one");
	assert_true(fd2 >= 0);
	close(fd2);
	state_remove("one");
	assert_int_equal(stat(dir, &st), -1);
	close(lock);
	close(fd);
	free(dir);
}

static int count(const char *name, void *arg)
{
	(*(int *)arg)++;
	return 0;
}

static void a_dead_name_is_removed(void **state)
{
	char *dir;
	int fd, lock, n = 0;
	struct stat st;

	assert_int_equal(state_create("two", &dir, &fd, &lock), 0);
	assert_int_equal(mkdirat(fd, "views", 0700), 0);
	assert_int_equal(mkdirat(fd, "views/host", 0700), 0);
	assert_int_equal(run_state_each(count, &n), 0);
	assert_int_equal(n, 1);
	close(lock); /* as the death of front and stack does */
	close(fd);
	assert_int_equal(state_open("two"), -ENOENT);
	n = 0;
	assert_int_equal(run_state_each(count, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(stat(dir, &st), -1);
	free(dir);
}

static void a_base_that_others_may_enter_is_refused(void **state)
{
	char path[64], *dir;
	int fd, lock;

	snprintf(path, sizeof(path), "%s/weir", base);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(state_create("three", &dir, &fd, &lock), -EPERM);
	assert_int_equal(chmod(path, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_cannot_leave_the_directory),
		cmocka_unit_test(a_live_name_is_taken),
		cmocka_unit_test(a_dead_name_is_removed),
		cmocka_unit_test(a_base_that_others_may_enter_is_refused),
	};

	return cmocka_run_group_tests(tests, private_base, remove_base);
}
