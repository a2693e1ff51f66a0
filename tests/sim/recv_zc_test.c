/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recv_zc_test.c - weir_recv_zc(): octets where they lie, kept as long as the program wants, within its receive buffer
 *
 *      a --- eth0 =====[ 5 ms, losses ]===== eth0 --- b        b receives
 */
#include "tests/support/topo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include <cmocka.h>
#include <linux/sock_diag.h>

#define MS     1000000ULL
#define S      1000000000ULL
#define PIECES 64

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

struct bed {
	struct topo t;
	struct weir_file *c, *s;
	uint64_t sent, got;
};

static const struct topo_link plain_link = { .delay_ns = 5 * MS };

static void begin(struct bed *b, const struct topo_link *link)
{
	memset(b, 0, sizeof(*b));
	assert_true(topo_create(&b->t, link, 3));
	assert_true(topo_connect(&b->t, &b->c, &b->s));
}

/* Nothing of it is left. */
static void end(struct bed *b)
{
	struct weir_memory mem;

	weir_close(b->c);
	if (b->s)
		weir_close(b->s);
	topo_run(&b->t, 200 * S);
	weir_memory(b->t.m, &mem);
	assert_int_equal(mem.nr_socks, 0);
	assert_int_equal(mem.skb_live, 0);
	topo_destroy(&b->t);
}

static uint8_t octet(uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

/* As much as the socket takes. */
static uint64_t fill(struct bed *b)
{
	static uint8_t buf[10000];
	uint64_t before = b->sent;
	ssize_t n;

	do {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = octet(b->sent + i);
		n = weir_send(b->c, buf, sizeof(buf), MSG_DONTWAIT);
		b->sent += n > 0 ? (uint64_t)n : 0;
	} while (n > 0);
	return b->sent - before;
}

static void compare(const struct iovec *iov, int nr, uint64_t at, ssize_t n)
{
	for (int i = 0; i < nr; i++) {
		const uint8_t *p = iov[i].iov_base;

		assert_true(iov[i].iov_len > 0);
		for (size_t k = 0; k < iov[i].iov_len; k++)
			if (p[k] != octet(at + k))
				fail_msg("octet %llu", (unsigned long long)(at + k));
		at += iov[i].iov_len;
		n -= (ssize_t)iov[i].iov_len;
	}
	assert_int_equal(n, 0);
}

static ssize_t take(struct bed *b, size_t most, int pieces, struct weir_recv_hold **hold)
{
	struct iovec iov[PIECES];
	int nr = pieces;
	ssize_t n = weir_recv_zc(b->s, iov, &nr, most, MSG_DONTWAIT, hold);

	if (n > 0) {
		assert_true(nr > 0 && nr <= pieces && n <= (ssize_t)most);
		compare(iov, nr, b->got, n);
		b->got += (uint64_t)n;
	}
	return n;
}

static uint32_t rmem(struct weir_file *f)
{
	uint32_t m[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(m);

	assert_int_equal(weir_getsockopt(f, SOL_SOCKET, SO_MEMINFO, m, &len), 0);
	return m[SK_MEMINFO_RMEM_ALLOC];
}

/* Every size of call, also beside copying ones, over a link that loses and reorders. */
static void pieces_have_the_octets_in_order(void **state)
{
	static const struct topo_link bad = { .delay_ns = 2 * MS, .loss = 0.02, .reorder = 0.05 };
	struct weir_recv_hold *held[8] = { NULL };
	unsigned turn = 0;
	struct bed b;
	uint8_t copy[500];
	ssize_t n;

	(void)state;
	begin(&b, &bad);
	while (b.got < 3000000) {
		fill(&b);
		topo_run(&b.t, MS);
		for (int i = 0; i < 20; i++, turn++) {
			struct weir_recv_hold **h = &held[turn * 5 % 8];

			weir_recv_release(*h);
			*h = NULL;
			if (turn % 3 == 2) {
				n = weir_recv(b.s, copy, sizeof(copy), MSG_DONTWAIT);
				if (n > 0) {
					struct iovec iov = { copy, (size_t)n };

					compare(&iov, 1, b.got, n);
					b.got += (uint64_t)n;
				}
			} else {
				n = take(&b, 1 + turn * 977 % 20000, 1 + (int)(turn % PIECES), h);
			}
			if (n < 0) {
				assert_int_equal(n, -EAGAIN);
				break;
			}
		}
	}
	for (int i = 0; i < 8; i++)
		weir_recv_release(held[i]);
	end(&b);
}

static void what_is_kept_counts_against_the_receive_buffer(void **state)
{
	struct weir_recv_hold *held[4000];
	int nr = 0, small = 100000;
	uint64_t stopped;
	struct bed b;

	(void)state;
	begin(&b, &plain_link);
	assert_int_equal(weir_setsockopt(b.s, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 2000; i++) {
		fill(&b);
		topo_run(&b.t, MS);
		while (nr < 4000 && take(&b, 1 << 20, PIECES, &held[nr]) > 0)
			nr++;
	}
	/* The window is closed, and all of the buffer is ours. */
	assert_true(nr > 0 && rmem(b.s) > 0);
	assert_true(rmem(b.s) <= 3u * (unsigned)small);
	stopped = b.got;
	fill(&b);
	topo_run(&b.t, 2 * S);
	assert_int_equal(take(&b, 1 << 20, PIECES, &held[nr]), -EAGAIN);
	assert_int_equal(b.got, stopped);
	while (nr)
		weir_recv_release(held[--nr]);
	assert_int_equal(rmem(b.s), 0);
	/* The peer is told at once. */
	topo_run(&b.t, 50 * MS);
	assert_true(take(&b, 1 << 20, PIECES, &held[0]) > 0);
	weir_recv_release(held[0]);
	end(&b);
}

static void pieces_outlive_the_file_and_the_connection(void **state)
{
	struct weir_recv_hold *hold = NULL;
	struct iovec iov[PIECES];
	int nr = PIECES;
	struct bed b;
	ssize_t n;

	(void)state;
	begin(&b, &plain_link);
	fill(&b);
	topo_run(&b.t, 100 * MS);
	n = weir_recv_zc(b.s, iov, &nr, 1 << 20, MSG_DONTWAIT, &hold);
	assert_true(n > 0);
	weir_close(b.s);
	b.s = NULL;
	topo_run(&b.t, S);
	compare(iov, nr, 0, n);
	weir_recv_release(hold);
	end(&b);
}

static void it_says_what_it_cannot_do(void **state)
{
	struct weir_recv_hold *hold = NULL;
	struct iovec iov[2];
	struct weir_file *u;
	int nr = 2, none = 0;
	struct bed b;

	(void)state;
	begin(&b, &plain_link);
	assert_int_equal(weir_recv_zc(b.s, iov, &nr, 100, MSG_DONTWAIT, &hold), -EAGAIN);
	assert_int_equal(weir_recv_zc(b.s, iov, &none, 100, MSG_DONTWAIT, &hold), -EINVAL);
	assert_int_equal(weir_recv_zc(b.s, iov, &nr, 100, MSG_PEEK, &hold), -EINVAL);
	assert_int_equal(weir_socket(b.t.net[0], b.t.family, SOCK_DGRAM, 0, &u), 0);
	assert_int_equal(weir_recv_zc(u, iov, &nr, 100, MSG_DONTWAIT, &hold), -EOPNOTSUPP);
	weir_close(u);
	assert_int_equal(weir_send(b.c, "end", 3, 0), 3);
	assert_int_equal(weir_shutdown(b.c, SHUT_WR), 0);
	topo_run(&b.t, 100 * MS);
	assert_int_equal(weir_recv_zc(b.s, iov, &nr, 2, MSG_DONTWAIT, &hold), 2);
	assert_int_equal(nr, 1);
	assert_memory_equal(iov[0].iov_base, "en", 2);
	weir_recv_release(hold);
	nr = 2;
	assert_int_equal(weir_recv_zc(b.s, iov, &nr, 100, MSG_DONTWAIT, &hold), 1);
	weir_recv_release(hold);
	nr = 2;
	assert_int_equal(weir_recv_zc(b.s, iov, &nr, 100, MSG_DONTWAIT, &hold), 0);
	weir_recv_release(NULL);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_have_the_octets_in_order),
		cmocka_unit_test(what_is_kept_counts_against_the_receive_buffer),
		cmocka_unit_test(pieces_outlive_the_file_and_the_connection),
		cmocka_unit_test(it_says_what_it_cannot_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
