/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_plb_test.c - when a flow asks for another path, and how */
#include "inet/inet6_sock.h"
#include "tcp/tcp_test.h"

static u64 rehashes(struct tcp_fixture *f)
{
	return f->net->mib[MIB_TcpExt_TCPPLBRehash];
}

/* @n round trips of which @marked of 100 packets were marked. How often the path was changed in them. */
static u64 rounds(struct tcp_fixture *f, struct tcp_plb *plb, u32 n, u32 marked)
{
	u64 before = rehashes(f);

	while (n--)
		tcp_plb_round(f->sk, plb, 100, marked);
	return rehashes(f) - before;
}

static int setup(void **state)
{
	struct tcp_fixture *f;
	int err = tcp_fixture_setup(state);

	f = *state;
	if (!err) {
		f->net->tcp->plb_enabled = 1;
		f->tp->packets_out = 1;
	}
	return err;
}

static int teardown(void **state)
{
	((struct tcp_fixture *)*state)->tp->packets_out = 0;
	return tcp_fixture_teardown(state);
}

static void twelve_congested_rounds_change_the_path(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	assert_int_equal(rounds(f, &plb, 11, 50), 0);
	assert_int_equal(rounds(f, &plb, 1, 50), 1);
	assert_int_equal(f->tp->plb_rehash, 1);
	/* And it begins anew. */
	assert_int_equal(rounds(f, &plb, 11, 100), 0);
	assert_int_equal(rounds(f, &plb, 1, 100), 1);
	assert_int_equal(rounds(f, &plb, 1000, 49), 0);
}

static void one_round_without_congestion_ends_the_count(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	assert_int_equal(rounds(f, &plb, 11, 50), 0);
	assert_int_equal(rounds(f, &plb, 1, 49), 0);
	assert_int_equal(rounds(f, &plb, 11, 50), 0);
}

static void three_are_enough_while_nothing_is_in_flight(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	assert_int_equal(rounds(f, &plb, 5, 50), 0);
	f->tp->packets_out = 0;
	assert_int_equal(rounds(f, &plb, 1, 50), 1);
	assert_int_equal(rounds(f, &plb, 2, 50), 0);
	assert_int_equal(rounds(f, &plb, 1, 50), 1);
}

/* Not even where no round trip is too few for it. */
static void a_path_that_is_not_congested_stays(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	f->net->tcp->plb_idle_rehash_rounds = 0;
	f->tp->packets_out = 0;
	assert_int_equal(rounds(f, &plb, 10, 49), 0);
	f->net->tcp->plb_rehash_rounds = 0;
	assert_int_equal(rounds(f, &plb, 10, 49), 0);
	assert_int_equal(rounds(f, &plb, 1, 50), 1);
}

static void a_timeout_suspends_it(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	tcp_plb_timeout(f->sk, &plb);
	assert_int_equal(rounds(f, &plb, 100, 100), 0);
	tcp_fixture_advance(f, 59 * NSEC_PER_SEC);
	assert_int_equal(rounds(f, &plb, 100, 100), 0);
	tcp_fixture_advance(f, 61 * NSEC_PER_SEC);
	assert_int_equal(rounds(f, &plb, 1, 100), 1);
	/* 0: not at all */
	f->net->tcp->plb_suspend_rto_s = 0;
	tcp_plb_timeout(f->sk, &plb);
	assert_int_equal(rounds(f, &plb, 12, 100), 1);
}

static void it_is_off_unless_asked_for(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	f->net->tcp->plb_enabled = 0;
	assert_int_equal(rounds(f, &plb, 100, 100), 0);
	f->net->tcp->plb_enabled = 1;
	sock_set_flag(f->sk, SOCK_NO_TXREHASH);
	assert_int_equal(rounds(f, &plb, 100, 100), 0);
}

static void a_threshold_of_0_changes_the_path_whatever_is_marked(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_plb plb = { 0 };

	f->net->tcp->plb_cong_thresh = 0;
	assert_int_equal(rounds(f, &plb, 24, 0), 2);
	f->net->tcp->plb_cong_thresh = 256;
	assert_int_equal(rounds(f, &plb, 24, 99), 0);
	assert_int_equal(rounds(f, &plb, 24, 100), 2);
}

static void the_flow_label_is_another_one_then(void **state)
{
	struct tcp_fixture *f = *state;
	struct ipv6_pinfo np = { .auto_label.label = cpu_to_be32(0x12345) };
	struct tcp_plb plb = { 0 };
	u32 label;

	f->sk->c.skc_family = AF_INET6;
	inet_sk(f->sk)->pinet6 = &np;
	assert_int_equal(rounds(f, &plb, 12, 100), 1);
	label = be32_to_cpu(np.auto_label.label);
	assert_true(label && label != 0x12345 && label <= 0xfffff);
	/* None was sent yet: the first one is as good as any. */
	np.auto_label.label = (be32){ 0 };
	assert_int_equal(rounds(f, &plb, 12, 100), 1);
	assert_int_equal(np.auto_label.label.v, 0);
	inet_sk(f->sk)->pinet6 = NULL;
	f->sk->c.skc_family = AF_INET;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(twelve_congested_rounds_change_the_path),
		TEST(one_round_without_congestion_ends_the_count),
		TEST(three_are_enough_while_nothing_is_in_flight),
		TEST(a_path_that_is_not_congested_stays),
		TEST(a_timeout_suspends_it),
		TEST(it_is_off_unless_asked_for),
		TEST(a_threshold_of_0_changes_the_path_whatever_is_marked),
		TEST(the_flow_label_is_another_one_then),
	};

	return cmocka_run_group_tests_name("tcp_plb", tests, NULL, NULL);
}
