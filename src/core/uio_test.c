/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/core_test.h"

#include "core/uio.h"
#include "lib/csum.h"

static void copies_cross_segments_and_stop_at_the_end(void **state)
{
	char a[3] = "abc", b[5] = "defgh", out[10] = "";
	struct iovec iov[4] = { { a, 3 }, { NULL, 0 }, { b, 5 }, { NULL, 0 } };
	struct iov_iter i, saved;

	iov_iter_init(&i, iov, 4, 8);
	assert_int_equal(copy_from_iter(out, 4, &i), 4);
	assert_memory_equal(out, "abcd", 4);
	saved = i;
	iov_iter_advance(&i, 2);
	assert_int_equal(copy_from_iter(out, 10, &i), 2);
	assert_memory_equal(out, "gh", 2);
	assert_int_equal(copy_from_iter(out, 10, &i), 0);
	iov_iter_revert(&i, &saved);
	assert_int_equal(i.count, 4);
	assert_int_equal(copy_to_iter("WXYZ!", 5, &i), 4);
	assert_memory_equal(b, "dWXYZ", 5);
	iov_iter_init(&i, NULL, 0, 0);
	assert_int_equal(copy_from_iter(out, 1, &i), 0);
}

static void sums_do_not_depend_on_the_segments(void **state)
{
	u8 from[101], to[101];
	u32 whole, sum;

	for (u32 i = 0; i < sizeof(from); i++)
		from[i] = (u8)(i * 37);
	whole = csum_fold(csum_partial(from, sizeof(from), 0));
	for (u32 cut = 0; cut <= sizeof(from); cut++) {
		struct iovec iov[2] = { { from, cut }, { from + cut, sizeof(from) - cut } };
		struct iov_iter i;

		iov_iter_init(&i, iov, 2, sizeof(from));
		assert_int_equal(csum_and_copy_from_iter(to, sizeof(to), &sum, &i), sizeof(to));
		assert_int_equal(csum_fold(sum), whole);
		assert_memory_equal(from, to, sizeof(to));
		memset(to, 0, sizeof(to));
		iov[0].iov_base = to;
		iov[1].iov_base = to + cut;
		iov_iter_init(&i, iov, 2, sizeof(from));
		assert_int_equal(csum_and_copy_to_iter(from, sizeof(from), &sum, &i), sizeof(to));
		assert_int_equal(csum_fold(sum), whole);
		assert_memory_equal(from, to, sizeof(to));
	}
}

static void control_messages_are_cut_with_a_flag(void **state)
{
	union {
		char buf[64];
		struct cmsghdr align;
	} u;
	struct kmsghdr msg = { .control = u.buf, .controllen = CMSG_SPACE(4) + CMSG_LEN(2) };
	struct msghdr user = { .msg_control = u.buf };
	struct cmsghdr *c;
	u32 v = 0x01020304;

	put_cmsg(&msg, 1, 2, sizeof(v), &v);
	assert_int_equal(msg.flags, 0);
	assert_int_equal(msg.control_used, CMSG_SPACE(4));
	put_cmsg(&msg, 3, 4, sizeof(v), &v);
	assert_int_equal(msg.flags, MSG_CTRUNC);
	user.msg_controllen = msg.control_used;
	c = CMSG_FIRSTHDR(&user);
	assert_true(c->cmsg_level == 1 && c->cmsg_type == 2 && c->cmsg_len == CMSG_LEN(4));
	assert_memory_equal(CMSG_DATA(c), &v, sizeof(v));
	msg.flags = 0;
	put_cmsg(&msg, 3, 4, sizeof(v), &v);
	assert_int_equal(msg.flags, MSG_CTRUNC);
	msg = (struct kmsghdr){ .controllen = 100 };
	put_cmsg(&msg, 3, 4, sizeof(v), &v);
	assert_int_equal(msg.flags, MSG_CTRUNC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_cross_segments_and_stop_at_the_end),
		cmocka_unit_test(sums_do_not_depend_on_the_segments),
		cmocka_unit_test(control_messages_are_cut_with_a_flag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
