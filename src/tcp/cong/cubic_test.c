/* SPDX-License-Identifier: BSD-2-Clause */
/* cubic_test.c - the integer arithmetic of cong/cubic.c against RFC 9438's formulas in floating point; growth and decrease */
#include <math.h>

#include "tcp/cong/cubic.h"
#include "tcp/tcp_test.h"

static void cube_root_is_rounded_down(void **state)
{
	for (u64 i = 0; i < 3000; i++) {
		u64 c = i * i * i;

		assert_int_equal(cubic_root(c), i);
		if (i > 1)
			assert_int_equal(cubic_root(c - 1), i - 1);
	}
	assert_int_equal(cubic_root(UINT64_MAX), 2642245);
}

static void k_and_window_follow_the_formula(void **state)
{
	for (u32 w_max = 10; w_max < 100000; w_max = w_max * 3 / 2) {
		u32 cwnd = (u32)(w_max * 0.7), k = cubic_k_ms(w_max - cwnd);
		double want_k = cbrt((w_max - cwnd) / 0.4) * 1000;

		assert_in_range(k, (u32)want_k - 1, (u32)want_k + 1);
		for (u32 t = 0; t < 4 * k; t += k / 16 + 1) {
			double d = (t - want_k) / 1000, want = 0.4 * d * d * d + w_max;
			u32 got = cubic_window(w_max, k, t);

			assert_in_range(got, want > 2 ? (u32)(want * 0.999) - 1 : 0,
					(u32)(want * 1.001) + 2);
		}
		assert_int_equal(cubic_window(w_max, k, k), w_max); /* the plateau */
	}
}

static void loss_takes_three_tenths(void **state)
{
	struct tcp_fixture *f = *state;

	f->tp->snd_cwnd = 1000;
	assert_int_equal(tcp_cubic.ssthresh(f->sk), 700);
	f->tp->snd_cwnd = 1;
	assert_int_equal(tcp_cubic.ssthresh(f->sk), 2);
}

/* One lossy epoch at 100 ms: the window returns to w_max about K after the loss, slowly around it, and then beyond. */
static void window_returns_to_its_maximum_after_k(void **state)
{
	struct tcp_fixture *f = *state;
	u32 k_ms = cubic_k_ms(300), at_k = 0;

	f->tp->snd_cwnd = 1000;
	f->tp->srtt_us = 100000 << 3;
	f->tp->min_rtt_us = 100000;
	f->tp->snd_ssthresh = tcp_cubic.ssthresh(f->sk);
	f->tp->snd_cwnd = f->tp->snd_ssthresh;
	f->tp->is_cwnd_limited = 1;
	for (u32 t = 0; t < 2 * k_ms; t += 100) {
		/* ACKs for two segments each, spread over the round trip. */
		for (u32 i = 0; i < f->tp->snd_cwnd; i += 2)
			tcp_cubic.cong_avoid(f->sk, 0, 2);
		tcp_fixture_advance(f, 100 * NSEC_PER_MSEC);
		if (t < k_ms)
			at_k = f->tp->snd_cwnd;
	}
	assert_in_range(at_k, 960, 1040);
	assert_in_range(f->tp->snd_cwnd, 1250, 1350); /* symmetric: C K^3 = 300 above */
}

/* As Linux: 5 % a round trip until something is lost, although Reno's window is ahead of the curve. */
static void a_path_without_a_loss_is_tried_faster(void **state)
{
	struct tcp_fixture *f = *state;

	f->tp->srtt_us = 40000 << 3;
	f->tp->min_rtt_us = 40000;
	f->tp->snd_cwnd = f->tp->snd_ssthresh = 200;
	f->tp->is_cwnd_limited = 1;
	for (u32 round = 0; round < 10; round++) {
		u32 cwnd = f->tp->snd_cwnd;

		for (u32 i = 0; i < cwnd; i += 2)
			tcp_cubic.cong_avoid(f->sk, 0, 2);
		tcp_fixture_advance(f, 40 * NSEC_PER_MSEC);
	}
	assert_in_range(f->tp->snd_cwnd, 310, 330); /* 200 * 1.05^10 */
}

/* As Linux: between two looks at the curve the window grows by what the last one said, which here is once for every 20 segments. */
static void the_curve_is_looked_at_32_times_a_second(void **state)
{
	struct tcp_fixture *f = *state;
	struct cpu *cpu = f->sk->sk_cpu;

	f->tp->srtt_us = 100000 << 3;
	f->tp->min_rtt_us = 100000;
	f->tp->snd_cwnd = f->tp->snd_ssthresh = 7;
	f->tp->is_cwnd_limited = 1;
	f->tp->snd_cwnd_cnt = 0;
	/* Reno would have eight from the seventh acknowledgement on (RFC 9438 4.3): nobody looks. */
	for (u32 i = 0; i < 12; i++) {
		tcp_cubic.cong_avoid(f->sk, 0, 1);
		assert_int_equal(f->tp->snd_cwnd, 7);
	}
	cpu->now += NSEC_PER_SEC / 32;
	tcp_cubic.cong_avoid(f->sk, 0, 1);
	assert_int_equal(f->tp->snd_cwnd, 7);
	cpu->now += NSEC_PER_USEC;
	tcp_cubic.cong_avoid(f->sk, 0, 1);
	assert_int_equal(f->tp->snd_cwnd, 8);
}

static void unused_windows_do_not_grow(void **state)
{
	struct tcp_fixture *f = *state;

	f->tp->snd_cwnd = 100;
	f->tp->snd_ssthresh = 50;
	f->tp->is_cwnd_limited = 0;
	for (int i = 0; i < 1000; i++) {
		tcp_cubic.cong_avoid(f->sk, 0, 2);
		tcp_reno.cong_avoid(f->sk, 0, 2);
	}
	assert_int_equal(f->tp->snd_cwnd, 100);
}

static void reno_doubles_then_adds_one_a_round_trip(void **state)
{
	struct tcp_fixture *f = *state;

	f->tp->snd_cwnd = 10;
	f->tp->snd_ssthresh = 20;
	f->tp->max_packets_out = 100;
	f->tp->is_cwnd_limited = 1;
	tcp_reno.cong_avoid(f->sk, 0, 10);
	assert_int_equal(f->tp->snd_cwnd, 20);
	for (int i = 0; i < 20; i++)
		tcp_reno.cong_avoid(f->sk, 0, 1);
	assert_int_equal(f->tp->snd_cwnd, 21);
	assert_int_equal(tcp_reno.ssthresh(f->sk), 10);
}

#define WITH_FIXTURE(t) cmocka_unit_test_setup_teardown(t, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cube_root_is_rounded_down),
		cmocka_unit_test(k_and_window_follow_the_formula),
		WITH_FIXTURE(loss_takes_three_tenths),
		WITH_FIXTURE(window_returns_to_its_maximum_after_k),
		WITH_FIXTURE(a_path_without_a_loss_is_tried_faster),
		WITH_FIXTURE(the_curve_is_looked_at_32_times_a_second),
		WITH_FIXTURE(unused_windows_do_not_grow),
		WITH_FIXTURE(reno_doubles_then_adds_one_a_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
