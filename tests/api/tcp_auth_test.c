/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_auth_test.c - TCP-MD5 and TCP-AO between two instances, and what the options tell (RFC 2385, RFC 5925) */
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <weir/crypto.h>

#include "tcp/tcp_auth_uapi.h"
#include "two_nets.h"

#define MS 1000000ull

struct bed {
	struct two_nets t;
	struct weir_file *l, *c, *s;
};

static int setup(void **state)
{
	const struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
						 .seeded = true,
						 .seed = 1,
						 .crypto = weir_crypto_openssl() };
	struct bed *b = calloc(1, sizeof(*b));

	two_nets_create(&b->t, &cfg);
	assert_int_equal(weir_socket(b->t.net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &b->l),
			 0);
	assert_int_equal(weir_socket(b->t.net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &b->c),
			 0);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	weir_close(b->l);
	weir_close(b->c);
	if (b->s)
		weir_close(b->s);
	weir_run(b->t.m, 100 * MS);
	two_nets_destroy(&b->t);
	free(b);
	return 0;
}

static int ao_add(struct weir_file *f, const struct sockaddr_in *peer, const char *alg,
		  uint8_t sndid, uint8_t rcvid, const char *key)
{
	struct ao_add_arg a = { .prefix = 32, .sndid = sndid, .rcvid = rcvid };

	memcpy(&a.addr, peer, sizeof(*peer));
	((struct sockaddr_in *)&a.addr)->sin_port = 0;
	strcpy(a.alg_name, alg);
	a.keylen = (uint8_t)strlen(key);
	memcpy(a.key, key, a.keylen);
	return weir_setsockopt(f, SOL_TCP, TCP_AO_ADD_KEY_, &a, sizeof(a));
}

static int md5_set(struct weir_file *f, const struct sockaddr_in *peer, const char *key)
{
	struct md5sig_arg a = { .keylen = (uint16_t)strlen(key) };

	memcpy(&a.addr, peer, sizeof(*peer));
	memcpy(a.key, key, a.keylen);
	return weir_setsockopt(f, SOL_TCP, TCP_MD5SIG, &a, sizeof(a));
}

static bool establish(struct bed *b)
{
	int r = -EAGAIN;

	assert_int_equal(weir_bind(b->l, (struct sockaddr *)&b->t.addr[1], sizeof(b->t.addr[1])),
			 0);
	assert_int_equal(weir_listen(b->l, 5), 0);
	assert_int_equal(weir_connect(b->c, (struct sockaddr *)&b->t.addr[1], sizeof(b->t.addr[1])),
			 -EINPROGRESS);
	for (int i = 0; i < 100 && r == -EAGAIN; i++) {
		weir_run(b->t.m, 10 * MS);
		r = weir_accept(b->l, NULL, NULL, SOCK_NONBLOCK, &b->s);
	}
	return r == 0;
}

/* @n octets from @from to @to arrive as they were. */
static void transfer(struct bed *b, struct weir_file *from, struct weir_file *to, size_t n)
{
	uint8_t out[4096], in[4096];
	size_t sent = 0, got = 0;

	for (int i = 0; i < 10000 && got < n; i++) {
		for (size_t k = 0; k < sizeof(out); k++)
			out[k] = (uint8_t)((sent + k) * 7);
		if (sent < n) {
			ssize_t r = weir_write(from, out,
					       n - sent < sizeof(out) ? n - sent : sizeof(out));

			sent += r > 0 ? (size_t)r : 0;
		}
		weir_run(b->t.m, 1 * MS);
		for (ssize_t r; (r = weir_read(to, in, sizeof(in))) > 0; got += (size_t)r)
			for (ssize_t k = 0; k < r; k++)
				assert_int_equal(in[k], (uint8_t)((got + (size_t)k) * 7));
	}
	assert_int_equal(got, n);
}

static struct ao_info_arg info_of(struct weir_file *f)
{
	struct ao_info_arg a = { 0 };
	socklen_t len = sizeof(a);

	assert_int_equal(weir_getsockopt(f, SOL_TCP, TCP_AO_INFO_, &a, &len), 0);
	assert_int_equal(len, sizeof(a));
	return a;
}

static void md5_carries_a_stream_both_ways(void **state)
{
	struct bed *b = *state;

	assert_int_equal(md5_set(b->l, &b->t.addr[0], "secret"), 0);
	assert_int_equal(md5_set(b->c, &b->t.addr[1], "secret"), 0);
	assert_true(establish(b));
	transfer(b, b->c, b->s, 300000);
	transfer(b, b->s, b->c, 300000);
}

static void md5_with_different_keys_never_connects(void **state)
{
	struct bed *b = *state;

	assert_int_equal(md5_set(b->l, &b->t.addr[0], "secret"), 0);
	assert_int_equal(md5_set(b->c, &b->t.addr[1], "Secret"), 0);
	assert_false(establish(b));
}

static void ao_carries_a_stream(struct bed *b, const char *alg)
{
	assert_int_equal(ao_add(b->l, &b->t.addr[0], alg, 1, 2, "secret"), 0);
	assert_int_equal(ao_add(b->c, &b->t.addr[1], alg, 2, 1, "secret"), 0);
	assert_true(establish(b));
	transfer(b, b->c, b->s, 300000);
	transfer(b, b->s, b->c, 300000);
	assert_int_equal(info_of(b->s).pkt_bad + info_of(b->c).pkt_bad, 0);
	assert_true(info_of(b->s).pkt_good > 300);
}

static void ao_with_sha1_carries_a_stream_both_ways(void **state)
{
	ao_carries_a_stream(*state, "hmac(sha1)");
}

static void ao_with_sha256_carries_a_stream_both_ways(void **state)
{
	ao_carries_a_stream(*state, "hmac(sha256)");
}

static void ao_with_cmac_carries_a_stream_both_ways(void **state)
{
	ao_carries_a_stream(*state, "cmac(aes128)");
}

static void ao_keys_change_while_the_connection_lives(void **state)
{
	struct ao_info_arg ask = { .set_rnext = 1, .rnext = 12 };
	struct ao_del_arg del = { .prefix = 32, .sndid = 2, .rcvid = 1 };
	struct bed *b = *state;

	assert_int_equal(ao_add(b->l, &b->t.addr[0], "hmac(sha1)", 1, 2, "secret"), 0);
	assert_int_equal(ao_add(b->c, &b->t.addr[1], "hmac(sha1)", 2, 1, "secret"), 0);
	assert_true(establish(b));
	/* The new key, at both ends; then the client asks for it, and the server signs with it from its next segment on. */
	assert_int_equal(ao_add(b->s, &b->t.addr[0], "cmac(aes128)", 12, 13, "more secret"), 0);
	assert_int_equal(ao_add(b->c, &b->t.addr[1], "cmac(aes128)", 13, 12, "more secret"), 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_INFO_, &ask, sizeof(ask)), 0);
	transfer(b, b->c, b->s, 1000);
	assert_int_equal(info_of(b->s).current_key, 12);
	assert_int_equal(info_of(b->c).current_key, 2);
	/* A key that is in use stays; once the other side is asked to change too, it may go. */
	memcpy(&del.addr, &b->t.addr[1], sizeof(b->t.addr[1]));
	((struct sockaddr_in *)&del.addr)->sin_port = 0;
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_DEL_KEY_, &del, sizeof(del)),
			 -EBUSY);
	ask.rnext = 13;
	assert_int_equal(weir_setsockopt(b->s, SOL_TCP, TCP_AO_INFO_, &ask, sizeof(ask)), 0);
	transfer(b, b->s, b->c, 1000);
	assert_int_equal(info_of(b->c).current_key, 13);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_DEL_KEY_, &del, sizeof(del)), 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_DEL_KEY_, &del, sizeof(del)),
			 -ENOENT);
	transfer(b, b->c, b->s, 100000);
	assert_int_equal(info_of(b->s).pkt_bad + info_of(b->c).pkt_bad, 0);
}

/* With both ids 7. */
static int ao_add_as(struct weir_file *f, const struct sockaddr_in *peer, bool current, bool rnext)
{
	struct ao_add_arg a = { .prefix = 32,
				.sndid = 7,
				.rcvid = 7,
				.set_current = current,
				.set_rnext = rnext,
				.keylen = 3,
				.key = "key" };

	memcpy(&a.addr, peer, sizeof(*peer));
	((struct sockaddr_in *)&a.addr)->sin_port = 0;
	strcpy(a.alg_name, "cmac(aes128)");
	return weir_setsockopt(f, SOL_TCP, TCP_AO_ADD_KEY_, &a, sizeof(a));
}

/* RFC 5925 7.4; its keys were for somebody else. */
static void ao_keys_are_refused_once_a_connection_began_unsigned(void **state)
{
	struct bed *b = *state;
	struct sockaddr_in other = b->t.addr[1];

	other.sin_addr.s_addr ^= htonl(128);
	assert_int_equal(ao_add(b->c, &other, "hmac(sha1)", 1, 2, "secret"), 0);
	assert_true(establish(b));
	assert_int_equal(ao_add_as(b->c, &b->t.addr[1], true, false), -EISCONN);
	assert_int_equal(ao_add_as(b->c, &b->t.addr[1], true, true), -EISCONN);
	transfer(b, b->c, b->s, 1000);
	transfer(b, b->s, b->c, 1000);
}

/* A connection under repair takes them; half of a choice signs nothing. */
static void ao_repair_may_choose_one_key_after_the_other(void **state)
{
	struct ao_info_arg rnext = { .set_rnext = 1, .rnext = 7 };
	struct bed *b = *state;
	int on = 1, off = 0;
	char byte;

	assert_true(establish(b));
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(ao_add_as(b->c, &b->t.addr[1], true, false), 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_INFO_, &rnext, sizeof(rnext)), 0);
	/* Its traffic keys are of the numbers 0 as long as TCP_AO_REPAIR has not told others: the peer, unsigned, drops the segment. */
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	assert_int_equal(weir_write(b->c, "x", 1), 1);
	weir_run(b->t.m, 100 * MS);
	assert_int_equal(weir_read(b->s, &byte, 1), -EAGAIN);
}

static void ao_keys_are_shown(void **state)
{
	struct ao_get_arg a[3];
	socklen_t len = sizeof(a);
	struct bed *b = *state;

	memset(a, 0, sizeof(a));
	assert_int_equal(weir_getsockopt(b->l, SOL_TCP, TCP_AO_GET_KEYS_, a, &len), -ENOENT);
	assert_int_equal(ao_add(b->l, &b->t.addr[0], "hmac(sha1)", 1, 2, "secret"), 0);
	assert_int_equal(ao_add(b->l, &b->t.addr[0], "cmac(aes128)", 3, 4, "sixteen octets.."), 0);
	a[0].get_all = 1;
	a[0].nkeys = 3;
	assert_int_equal(weir_getsockopt(b->l, SOL_TCP, TCP_AO_GET_KEYS_, a, &len), 0);
	assert_int_equal(len, 2 * sizeof(a[0]));
	assert_int_equal(a[0].nkeys, 2);
	assert_string_equal(a[0].alg_name, "hmac(sha1)");
	assert_string_equal(a[1].alg_name, "cmac(aes)");
	assert_int_equal(a[1].sndid, 3);
	assert_int_equal(a[1].keylen, 16);
	assert_int_equal(a[1].maclen, 12);
	assert_int_equal(a[1].prefix, 32);
	/* Room for one: how many there are is told all the same. */
	memset(a, 0, sizeof(a));
	a[0].get_all = 1;
	a[0].nkeys = 1;
	len = sizeof(a[0]);
	assert_int_equal(weir_getsockopt(b->l, SOL_TCP, TCP_AO_GET_KEYS_, a, &len), 0);
	assert_int_equal(a[0].nkeys, 2);
	assert_int_equal(a[0].sndid, 1);
}

static void ao_and_md5_exclude_each_other(void **state)
{
	struct ao_info_arg required = { .ao_required = 1 };
	struct bed *b = *state;

	assert_int_equal(ao_add(b->l, &b->t.addr[0], "hmac(sha1)", 1, 2, "secret"), 0);
	assert_int_equal(md5_set(b->l, &b->t.addr[0], "secret"), -EKEYREJECTED);
	assert_int_equal(md5_set(b->l, &b->t.addr[1], "secret"), 0);
	assert_int_equal(ao_add(b->l, &b->t.addr[1], "hmac(sha1)", 1, 2, "secret"), -EKEYREJECTED);
	assert_int_equal(weir_setsockopt(b->l, SOL_TCP, TCP_AO_INFO_, &required, sizeof(required)),
			 -EKEYREJECTED);
}

static void ao_required_lets_nobody_in_without(void **state)
{
	struct ao_info_arg required = { .ao_required = 1 };
	struct bed *b = *state;

	assert_int_equal(weir_setsockopt(b->l, SOL_TCP, TCP_AO_INFO_, &required, sizeof(required)),
			 0);
	assert_false(establish(b));
	assert_true(info_of(b->l).pkt_ao_required > 0);
	weir_close(b->c);
	assert_int_equal(weir_socket(b->t.net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &b->c),
			 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_INFO_, &required, sizeof(required)),
			 0);
	assert_int_equal(weir_connect(b->c, (struct sockaddr *)&b->t.addr[1], sizeof(b->t.addr[1])),
			 -EKEYREJECTED);
}

static void ao_state_is_taken_over_in_repair(void **state)
{
	struct ao_repair_arg a = { 0 };
	socklen_t len = sizeof(a);
	struct bed *b = *state;
	int on = 1, off = -1;

	assert_int_equal(ao_add(b->l, &b->t.addr[0], "hmac(sha1)", 1, 2, "secret"), 0);
	assert_int_equal(ao_add(b->c, &b->t.addr[1], "hmac(sha1)", 2, 1, "secret"), 0);
	assert_true(establish(b));
	assert_int_equal(weir_getsockopt(b->c, SOL_TCP, TCP_AO_REPAIR_, &a, &len), -EPERM);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	assert_int_equal(weir_getsockopt(b->c, SOL_TCP, TCP_AO_REPAIR_, &a, &len), 0);
	assert_true(a.snt_isn != 0 && a.rcv_isn != 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_REPAIR_, &a, sizeof(a)), 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	transfer(b, b->c, b->s, 10000);
	/* With another number the peer believes nothing any more. */
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_REPAIR, &on, sizeof(on)), 0);
	a.snt_isn ^= 1;
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_AO_REPAIR_, &a, sizeof(a)), 0);
	assert_int_equal(weir_setsockopt(b->c, SOL_TCP, TCP_REPAIR, &off, sizeof(off)), 0);
	assert_int_equal(weir_write(b->c, "x", 1), 1);
	weir_run(b->t.m, 100 * MS);
	assert_true(info_of(b->s).pkt_bad > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(md5_carries_a_stream_both_ways),
		TEST(md5_with_different_keys_never_connects),
		TEST(ao_with_sha1_carries_a_stream_both_ways),
		TEST(ao_with_sha256_carries_a_stream_both_ways),
		TEST(ao_with_cmac_carries_a_stream_both_ways),
		TEST(ao_keys_change_while_the_connection_lives),
		TEST(ao_keys_are_refused_once_a_connection_began_unsigned),
		TEST(ao_repair_may_choose_one_key_after_the_other),
		TEST(ao_keys_are_shown),
		TEST(ao_and_md5_exclude_each_other),
		TEST(ao_required_lets_nobody_in_without),
		TEST(ao_state_is_taken_over_in_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
