/* SPDX-License-Identifier: BSD-2-Clause */
/* splice_test.c - octets that go from a file or through a pipe to a socket without the program: sendfile(2), splice(2) */
#include "tests/api/two_nets.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE 300000

static const struct weir_machine_config virtual_clock = { .clock = WEIR_CLOCK_VIRTUAL,
							  .seeded = true,
							  .seed = 1 };

struct bed {
	struct two_nets t;
	struct weir_file *c, *s; /* a TCP connection */
	struct weir_file *p[2];
	int fd; /* of a file of FILE_SIZE octets */
	uint8_t *octets;
};

static int setup(void **state)
{
	struct bed *b = calloc(1, sizeof(*b));
	FILE *f = tmpfile();

	two_nets_create(&b->t, &virtual_clock);
	two_nets_connect(&b->t, &b->c, &b->s);
	assert_int_equal(weir_pipe(b->t.m, b->p, SOCK_NONBLOCK), 0);
	b->octets = malloc(FILE_SIZE);
	for (int i = 0; i < FILE_SIZE; i++)
		b->octets[i] = (uint8_t)(i * 7 + i / 251);
	assert_non_null(f);
	b->fd = dup(fileno(f));
	fclose(f);
	assert_int_equal(write(b->fd, b->octets, FILE_SIZE), FILE_SIZE);
	lseek(b->fd, 0, SEEK_SET);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	weir_close(b->c);
	weir_close(b->s);
	for (int i = 0; i < 2; i++)
		if (b->p[i])
			weir_close(b->p[i]);
	two_nets_destroy(&b->t);
	close(b->fd);
	free(b->octets);
	free(b);
	return 0;
}

/* Reads what has come; the octets must be those from *pos on. */
static void drain(struct bed *b, size_t *pos)
{
	uint8_t buf[65536];
	ssize_t n;

	weir_run(b->t.m, 1000000);
	while ((n = weir_read(b->s, buf, sizeof(buf))) > 0) {
		assert_memory_equal(buf, b->octets + *pos, n);
		*pos += (size_t)n;
	}
}

static void sendfile_sends_all_and_moves_the_position(void **state)
{
	struct bed *b = *state;
	size_t got = 0, sent = 0;

	for (int i = 0; i < 10000 && got < FILE_SIZE; i++) {
		ssize_t n = weir_sendfile(b->c, b->fd, NULL, FILE_SIZE);

		assert_true(n >= 0 || n == -EAGAIN);
		if (n > 0)
			sent += (size_t)n;
		assert_int_equal(lseek(b->fd, 0, SEEK_CUR), sent);
		drain(b, &got);
	}
	assert_int_equal(got, FILE_SIZE);
	assert_int_equal(weir_sendfile(b->c, b->fd, NULL, 10), 0); /* the end of the file */
}

static void sendfile_with_an_offset_leaves_the_position(void **state)
{
	struct bed *b = *state;
	off_t off = 1000;
	size_t got = 1000;

	assert_int_equal(weir_sendfile(b->c, b->fd, &off, 500), 500);
	assert_int_equal(off, 1500);
	assert_int_equal(lseek(b->fd, 0, SEEK_CUR), 0);
	drain(b, &got);
	assert_int_equal(got, 1500);
}

static void sendfile_refuses_as_linux(void **state)
{
	struct bed *b = *state;
	off_t off = -1;
	int p[2];

	assert_int_equal(weir_sendfile(b->c, b->fd, &off, 10), -EINVAL);
	assert_int_equal(weir_sendfile(b->c, -1, NULL, 10), -EBADF);
	assert_int_equal(weir_sendfile(b->c, b->fd, NULL, SIZE_MAX), -EINVAL);
	assert_int_equal(weir_sendfile(b->c, b->fd, NULL, 0), 0);
	assert_int_equal(pipe(p), 0);
	off = 0;
	assert_int_equal(weir_sendfile(b->c, p[0], &off, 10), -ESPIPE);
	assert_int_equal(weir_sendfile(b->c, p[0], NULL, 10), -EINVAL);
	close(p[0]);
	close(p[1]);
}

static void splice_carries_a_stream_through_a_pipe(void **state)
{
	struct bed *b = *state;
	size_t in = 0, out = 0;
	uint8_t buf[65536];
	struct weir_file *u[2];
	ssize_t n;

	assert_int_equal(weir_socketpair(b->t.net[1], AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, u),
			 0);
	for (int i = 0; i < 10000 && out < FILE_SIZE; i++) {
		n = weir_write(b->c, b->octets + in, FILE_SIZE - in);
		in += n > 0 ? (size_t)n : 0;
		weir_run(b->t.m, 1000000);
		n = weir_splice(b->s, b->p[1], 50000, SPLICE_F_NONBLOCK);
		assert_true(n > 0 || n == -EAGAIN);
		n = weir_splice(b->p[0], u[0], 40000, SPLICE_F_NONBLOCK);
		assert_true(n > 0 || n == -EAGAIN);
		n = weir_read(u[1], buf, sizeof(buf));
		if (n <= 0)
			continue;
		assert_memory_equal(buf, b->octets + out, n);
		out += (size_t)n;
	}
	assert_int_equal(out, FILE_SIZE);
	weir_close(u[0]);
	weir_close(u[1]);
}

static void splice_into_a_full_socket_loses_nothing(void **state)
{
	struct bed *b = *state;
	size_t got = 0, in = 0;
	ssize_t n;

	for (int i = 0; i < 10000 && got < FILE_SIZE; i++) {
		n = weir_write(b->p[1], b->octets + in, FILE_SIZE - in);
		in += n > 0 ? (size_t)n : 0;
		n = weir_splice(b->p[0], b->c, 65536, SPLICE_F_MORE);
		if (n == -EAGAIN || i % 8 == 7)
			drain(b, &got);
	}
	weir_run(b->t.m, 1000000000);
	drain(b, &got);
	assert_int_equal(got, FILE_SIZE);
}

static void splice_refuses_as_linux(void **state)
{
	struct bed *b = *state;
	struct weir_file *q[2];
	char buf[8];

	assert_int_equal(weir_splice(b->c, b->s, 10, 0), -EINVAL);
	assert_int_equal(weir_splice(b->c, b->s, 0, 0), 0);
	assert_int_equal(weir_splice(b->p[0], b->p[1], 10, 0), -EINVAL);
	assert_int_equal(weir_splice(b->p[1], b->c, 10, 0), -EBADF);
	assert_int_equal(weir_splice(b->c, b->p[0], 10, 0), -EBADF);
	assert_int_equal(weir_splice(b->p[0], b->c, 10, 0x1000), -EINVAL);
	assert_int_equal(weir_splice(b->p[0], b->c, 10, SPLICE_F_NONBLOCK), -EAGAIN);
	assert_int_equal(weir_splice(b->c, b->p[1], 10, SPLICE_F_NONBLOCK), -EAGAIN);
	assert_int_equal(weir_pipe(b->t.m, q, 0), 0);
	assert_int_equal(weir_write(b->p[1], "pipes", 5), 5);
	assert_int_equal(weir_splice(b->p[0], q[1], 10, 0), 5);
	assert_int_equal(weir_read(q[0], buf, 8), 5);
	assert_memory_equal(buf, "pipes", 5);
	weir_close(q[1]);
	assert_int_equal(weir_read(q[0], buf, 8), 0);
	weir_close(q[0]);
}

static void a_pipe_says_when_its_other_end_is_gone(void **state)
{
	struct bed *b = *state;

	assert_int_equal(weir_poll_now(b->p[0]), 0);
	assert_int_equal(weir_poll_now(b->p[1]), POLLOUT | POLLWRNORM);
	weir_close(b->p[0]);
	b->p[0] = NULL;
	assert_int_equal(weir_poll_now(b->p[1]), POLLOUT | POLLWRNORM | POLLERR);
	assert_int_equal(weir_write(b->p[1], "x", 1), -EPIPE);
	assert_int_equal(weir_splice(b->c, b->p[1], 1, SPLICE_F_NONBLOCK), -EPIPE);
}

static void *splice_two(void *arg)
{
	struct weir_file **f = arg;

	assert_int_equal(weir_splice(f[0], f[1], 65536, 0), 5);
	return NULL;
}

/* A splice that waits for octets must not keep others from writing to where they will go. */
static void a_splice_that_waits_holds_neither_pipe(void **state)
{
	const struct weir_machine_config cfg = { .workers = 1 };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_file *a[2], *b[2];
	char buf[16];
	pthread_t t;

	assert_int_equal(weir_pipe(m, a, 0), 0);
	assert_int_equal(weir_pipe(m, b, 0), 0);
	pthread_create(&t, NULL, splice_two, (struct weir_file *[2]){ a[0], b[1] });
	for (int i = 0; i < 100;
	     i++) { /* it may begin later than this: then nothing is seen, and nothing is wrong */
		assert_true(weir_poll_now(b[1]) & POLLOUT);
		usleep(500);
	}
	assert_int_equal(weir_write(b[1], "first", 5), 5);
	assert_int_equal(weir_write(a[1], "later", 5), 5);
	pthread_join(t, NULL);
	assert_int_equal(weir_read(b[0], buf, sizeof(buf)), 10);
	assert_memory_equal(buf, "firstlater", 10);
	for (int i = 0; i < 2; i++) {
		weir_close(a[i]);
		weir_close(b[i]);
	}
	weir_machine_destroy(m);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sendfile_sends_all_and_moves_the_position),
		TEST(sendfile_with_an_offset_leaves_the_position),
		TEST(sendfile_refuses_as_linux),
		TEST(splice_carries_a_stream_through_a_pipe),
		TEST(splice_into_a_full_socket_loses_nothing),
		TEST(splice_refuses_as_linux),
		TEST(a_pipe_says_when_its_other_end_is_gone),
		cmocka_unit_test(a_splice_that_waits_holds_neither_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
