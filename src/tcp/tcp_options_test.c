/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_options_test.c - what is written is what wire/tcp.h reads, and lies where Linux puts it */
#include "tcp/tcp_test.h"

static void write_and_parse(const struct tcp_out_opts *o, bool syn, struct tcp_opts_view *v,
			    u8 buf[64])
{
	u32 n = tcp_options_size(o);

	assert_true(n % 4 == 0 && n <= 40);
	memset(buf, 0xee, 64);
	tcp_options_write(buf + 20, o);
	assert_int_equal(buf[20 + n], 0xee); /* no octet beyond the size */
	tcp_opts_parse(buf, 20 + n, syn, v);
}

static void syn_options_have_linux_order(void **state)
{
	static const u8 want[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 3, 3, 7 };
	struct tcp_out_opts o = { .mss = 1460,
				  .ts = true,
				  .tsval = 7,
				  .tsecr = 9,
				  .sack_perm = true,
				  .wscale = true,
				  .wscale_val = 7 };
	struct tcp_opts_view v;
	u8 buf[64];

	write_and_parse(&o, true, &v, buf);
	assert_int_equal(tcp_options_size(&o), sizeof(want));
	assert_memory_equal(buf + 20, want, sizeof(want));
	assert_int_equal(v.mss, 1460);
	assert_true(v.sack_ok && v.wscale_ok && v.saw_tstamp);
	assert_int_equal(v.snd_wscale, 7);
	assert_int_equal(v.tsval, 7);
	assert_int_equal(v.tsecr, 9);
}

static void every_combination_survives_the_way_there_and_back(void **state)
{
	for (u32 mask = 0; mask < 16; mask++) {
		for (u8 sacks = 0; sacks <= 4; sacks++) {
			struct tcp_out_opts o = { .mss = mask & 1 ? 536 : 0,
						  .ts = mask & 2,
						  .tsval = 0x01020304,
						  .tsecr = 0xfffefdfc,
						  .sack_perm = mask & 4,
						  .wscale = mask & 8,
						  .wscale_val = 14,
						  .num_sacks = sacks };
			struct tcp_opts_view v;
			u8 buf[64];

			for (u32 i = 0; i < sacks; i++)
				o.sacks[i] = (struct tcp_sack_block){ i * 10, i * 10 + 5 };
			if (tcp_options_size(&o) > 40)
				continue;
			write_and_parse(&o, true, &v, buf);
			assert_int_equal(v.mss, o.mss);
			assert_int_equal(v.saw_tstamp, o.ts);
			assert_int_equal(v.tsval, o.ts ? o.tsval : 0);
			assert_int_equal(v.sack_ok, o.sack_perm);
			assert_int_equal(v.wscale_ok, o.wscale);
			write_and_parse(&o, false, &v, buf);
			assert_int_equal(v.num_sacks, sacks);
			for (u32 i = 0; i < sacks; i++) {
				assert_int_equal(v.sacks[i].start, i * 10);
				assert_int_equal(v.sacks[i].end, i * 10 + 5);
			}
		}
	}
}

static void timestamps_alone_are_the_form_of_header_prediction(void **state)
{
	struct tcp_out_opts o = { .ts = true, .tsval = 1, .tsecr = 2 };
	u32 tsval, tsecr;
	u8 buf[12];

	tcp_options_write(buf, &o);
	assert_true(tcp_opts_fast_tstamp(buf, &tsval, &tsecr));
	assert_int_equal(tsval, 1);
	assert_int_equal(tsecr, 2);
}

static void established_segments_carry_as_many_blocks_as_fit(void **state)
{
	struct tcp_fixture *f = *state;
	struct tcp_out_opts o;

	assert_true(tcp_ofo_get(f->sk));
	f->tp->num_sacks = 4;
	assert_int_equal(tcp_established_options(f->sk, &o),
			 12 + 4 + 24); /* three beside timestamps */
	assert_int_equal(o.num_sacks, 3);
	f->tp->tstamp_ok = 0;
	assert_int_equal(tcp_established_options(f->sk, &o), 4 + 32);
	assert_int_equal(o.num_sacks, 4);
	f->tp->dsack_pending = 1;
	f->tp->ofo->duplicate_sack = (struct tcp_sack_block){ 1, 2 };
	assert_int_equal(tcp_established_options(f->sk, &o), 4 + 32);
	assert_int_equal(o.sacks[0].start, 1); /* RFC 2883 4: first */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syn_options_have_linux_order),
		cmocka_unit_test(every_combination_survives_the_way_there_and_back),
		cmocka_unit_test(timestamps_alone_are_the_form_of_header_prediction),
		cmocka_unit_test_setup_teardown(established_segments_carry_as_many_blocks_as_fit,
						tcp_fixture_setup, tcp_fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
