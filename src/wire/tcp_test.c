/* SPDX-License-Identifier: BSD-2-Clause */
#include "wire/tcp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void what_is_built_is_what_is_parsed(void **state)
{
	const struct tcp_view in = {
		.source = 43210,
		.dest = 80,
		.seq = 0xfffffff0,
		.ack_seq = 5,
		.flags = TCP_FLAG_SYN | TCP_FLAG_ACK,
		.window = 64240,
		.urg_ptr = 9,
		.hdr_len = 24,
	};
	struct tcp_view v;
	u8 p[24] = { 0 };

	tcp_build(p, &in);
	assert_int_equal(tcp_parse(p, sizeof(p), &v), 24);
	assert_int_equal(v.source, in.source);
	assert_int_equal(v.dest, in.dest);
	assert_int_equal(v.seq, in.seq);
	assert_int_equal(v.ack_seq, in.ack_seq);
	assert_int_equal(v.flags, in.flags);
	assert_int_equal(v.window, in.window);
	assert_int_equal(v.urg_ptr, in.urg_ptr);
	assert_int_equal(v.hdr_len, in.hdr_len);
}

static void malformed_headers_are_refused(void **state)
{
	static const struct {
		u8 doff;
		size_t len;
		int ret;
	} cases[] = {
		{ 5, 20, 20 },       { 5, 19, -EBADMSG },  { 5, 0, -EBADMSG },
		{ 4, 20, -EBADMSG }, { 0, 60, -EBADMSG },  { 6, 23, -EBADMSG },
		{ 6, 24, 24 },       { 15, 59, -EBADMSG }, { 15, 60, 60 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 p[60] = { [12] = (u8)(cases[i].doff << 4) };
		struct tcp_view v;

		assert_int_equal(tcp_parse(p, cases[i].len, &v), cases[i].ret);
	}
}

static void parse(const u8 *opt, u32 len, bool syn, struct tcp_opts_view *v)
{
	static u8 p[60];

	memset(p, 0, sizeof(p));
	memcpy(p + 20, opt, len);
	tcp_opts_parse(p, 20 + len, syn, v);
}

static bool same_options(const struct tcp_opts_view *a, const struct tcp_opts_view *b)
{
	if (a->saw_tstamp != b->saw_tstamp || a->sack_ok != b->sack_ok ||
	    a->wscale_ok != b->wscale_ok || a->saw_fastopen != b->saw_fastopen ||
	    a->snd_wscale != b->snd_wscale || a->mss != b->mss || a->tsval != b->tsval ||
	    a->tsecr != b->tsecr || a->num_sacks != b->num_sacks ||
	    a->fastopen_len != b->fastopen_len || !a->md5 != !b->md5 || !a->ao != !b->ao)
		return false;
	for (u32 i = 0; i < a->num_sacks; i++) {
		if (a->sacks[i].start != b->sacks[i].start || a->sacks[i].end != b->sacks[i].end)
			return false;
	}
	return true;
}

static void options_of_a_syn_are_parsed(void **state)
{
	static const u8 opt[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7 };
	struct tcp_opts_view v;

	parse(opt, sizeof(opt), true, &v);
	assert_int_equal(v.mss, 1460);
	assert_true(v.sack_ok && v.saw_tstamp && v.wscale_ok);
	assert_int_equal(v.tsval, 1);
	assert_int_equal(v.tsecr, 2);
	assert_int_equal(v.snd_wscale, 7);
	/* RFC 9293 3.2, RFC 7323 2.2, RFC 2018 2: these are for SYN segments only */
	parse(opt, sizeof(opt), false, &v);
	assert_int_equal(v.mss, 0);
	assert_false(v.sack_ok || v.wscale_ok);
	assert_true(v.saw_tstamp);
}

/* RFC 9768 3.2.3 */
static void accecn_options_have_up_to_three_counters(void **state)
{
	static const u8 lengths[] = { 2, 5, 8, 11 };
	u8 opt[16] = { 0 };
	struct tcp_opts_view v;

	for (u8 len = 2; len < 16; len++) {
		for (u8 kind = 172; kind <= 174; kind += 2) {
			opt[0] = kind;
			opt[1] = len;
			parse(opt, len, false, &v);
			assert_int_equal(v.accecn != NULL,
					 memchr(lengths, len, sizeof(lengths)) != NULL);
			assert_true(!v.accecn || (v.accecn[0] == kind && v.accecn[1] == len));
		}
	}
	opt[0] = 173;
	opt[1] = 11;
	parse(opt, 11, false, &v);
	assert_null(v.accecn);
}

static void sack_blocks_are_parsed(void **state)
{
	static const u8 opt[] = {
		1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 9, 255, 255, 255, 0, 0, 0, 0, 7
	};
	struct tcp_opts_view v;

	parse(opt, sizeof(opt), false, &v);
	assert_int_equal(v.num_sacks, 2);
	assert_int_equal(v.sacks[0].start, 1);
	assert_int_equal(v.sacks[0].end, 9);
	assert_int_equal(v.sacks[1].start, 0xffffff00);
	assert_int_equal(v.sacks[1].end, 7);
	parse(opt, sizeof(opt), true, &v);
	assert_int_equal(v.num_sacks, 0);
}

static void wrong_options_count_as_absent(void **state)
{
	static const struct {
		const char *what;
		u8 len, opt[40];
		struct tcp_opts_view v;
	} cases[] = {
		{ "nothing", 0, { 0 }, { 0 } },
		{ "end before MSS", 8, { 0, 0, 0, 0, 2, 4, 5, 180 }, { 0 } },
		{ "MSS of length 3", 8, { 2, 3, 5, 4, 2, 1, 1, 1 }, { .sack_ok = true } },
		{ "length 0 ends the walk", 8, { 9, 0, 4, 2 }, { 0 } },
		{ "length 1 ends the walk", 8, { 9, 1, 4, 2 }, { 0 } },
		{ "longer than the header", 8, { 4, 2, 9, 7, 1, 1, 1, 1 }, { .sack_ok = true } },
		{ "kind without a length", 4, { 1, 4, 2, 2 }, { .sack_ok = true } },
		{ "unknown is skipped", 8, { 77, 5, 1, 2, 3, 4, 2, 1 }, { .sack_ok = true } },
		{ "scale above 14", 4, { 3, 3, 15, 0 }, { .wscale_ok = true, .snd_wscale = 14 } },
		{ "timestamps of length 9",
		  12,
		  { 8, 9, 1, 1, 1, 1, 1, 1, 1, 4, 2, 0 },
		  { .sack_ok = true } },
		{ "fast open, odd cookie", 8, { 34, 7, 1, 2, 3, 4, 5, 1 }, { 0 } },
		{ "fast open, short cookie", 4, { 34, 4, 1, 2 }, { 0 } },
		{ "MD5 of length 17", 20, { 19, 17 }, { 0 } },
		{ "AO without key ids", 4, { 29, 3, 1, 1 }, { 0 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcp_opts_view v;

		parse(cases[i].opt, cases[i].len, true, &v);
		if (!same_options(&v, &cases[i].v))
			fail_msg("%s", cases[i].what);
	}
	for (u8 len = 2; len < 40; len++) {
		u8 opt[40] = { 5, len };
		struct tcp_opts_view v;

		parse(opt, sizeof(opt), false, &v);
		assert_int_equal(v.num_sacks, (len - 2) % 8 ? 0 : (len - 2) / 8);
	}
}

static void fast_open_is_parsed_in_both_forms(void **state)
{
	static const u8 request[] = { 34, 2 }, cookie[] = { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	static const u8 experiment[] = { 254, 8, 0xf9, 0x89, 1, 2, 3, 4 };
	struct tcp_opts_view v;

	parse(request, sizeof(request), true, &v);
	assert_true(v.saw_fastopen);
	assert_int_equal(v.fastopen_len, 0);
	parse(cookie, sizeof(cookie), true, &v);
	assert_int_equal(v.fastopen_len, 8);
	assert_memory_equal(v.fastopen_cookie, cookie + 2, 8);
	parse(experiment, sizeof(experiment), true, &v);
	assert_int_equal(v.fastopen_len, 4);
	parse(cookie, sizeof(cookie), false, &v);
	assert_false(v.saw_fastopen);
}

static void built_options_are_parsed_back(void **state)
{
	struct tcp_opts_view in = { .mss = 1460,
				    .sack_ok = true,
				    .saw_tstamp = true,
				    .tsval = 77,
				    .tsecr = 3,
				    .wscale_ok = true,
				    .snd_wscale = 9 },
			     out;
	u8 opt[TCP_MAX_OPTIONS];
	u32 tsval, tsecr;
	int len = tcp_opts_build(opt, &in);

	assert_int_equal(len, 20);
	parse(opt, (u32)len, true, &out);
	assert_true(same_options(&in, &out));

	in = (struct tcp_opts_view){ .saw_tstamp = true,
				     .tsval = 5,
				     .tsecr = 6,
				     .num_sacks = 3,
				     .sacks = { { 1, 2 }, { 3, 4 }, { 5, 6 } } };
	len = tcp_opts_build(opt, &in);
	assert_int_equal(len, 40);
	parse(opt, (u32)len, false, &out);
	assert_true(same_options(&in, &out));
	in.num_sacks = 4;
	assert_int_equal(tcp_opts_build(opt, &in), -EMSGSIZE);

	in = (struct tcp_opts_view){ .saw_tstamp = true, .tsval = 5, .tsecr = 6 };
	assert_int_equal(tcp_opts_build(opt, &in), 12);
	assert_true(tcp_opts_fast_tstamp(opt, &tsval, &tsecr));
	assert_int_equal(tsval, 5);
	assert_int_equal(tsecr, 6);
	opt[0] = 0;
	assert_false(tcp_opts_fast_tstamp(opt, &tsval, &tsecr));
}

static void sequence_numbers_are_compared_around_the_wrap(void **state)
{
	assert_true(before(0xfffffff0, 5));
	assert_false(before(5, 0xfffffff0));
	assert_false(before(7, 7));
	assert_true(after(5, 0xfffffff0));
	assert_true(between(0, 0xfffffff0, 5));
	assert_true(between(5, 5, 5));
	assert_false(between(6, 0xfffffff0, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_what_is_parsed),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(options_of_a_syn_are_parsed),
		cmocka_unit_test(accecn_options_have_up_to_three_counters),
		cmocka_unit_test(sack_blocks_are_parsed),
		cmocka_unit_test(wrong_options_count_as_absent),
		cmocka_unit_test(fast_open_is_parsed_in_both_forms),
		cmocka_unit_test(built_options_are_parsed_back),
		cmocka_unit_test(sequence_numbers_are_compared_around_the_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
