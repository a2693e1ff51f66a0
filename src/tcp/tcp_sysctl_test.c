/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_sysctl_test.c - net.ipv4.tcp_* have the names, defaults and ranges that Linux 6.18 has in a fresh namespace
 *
 * Ranges were found out by writing numbers from -2^31 to 2^32. Times in seconds end there at 2^31 ticks, whose number depends on the
 * kernel; here a tick is a ms. Linux takes 0 to 2 for tcp_ecn and tcp_ecn_option before AccECN was complete; ours is.
 */
#include <errno.h>
#include <limits.h>

#include "core/sysctl.h"
#include "tcp/tcp_test.h"

#define TIME_MAX (INT_MAX / 1000)

static const struct {
	const char *name;
	s64 def, min, max;
} rows[] = {
	{ "abort_on_overflow", 0, 0, 255 },
	{ "adv_win_scale", 1, -31, 31 },
	{ "app_win", 31, 0, 31 },
	{ "base_mss", 1024, INT_MIN, INT_MAX },
	{ "challenge_ack_limit", INT_MAX, INT_MIN, INT_MAX },
	{ "child_ehash_entries", 0, 0, 16777216 },
	{ "dsack", 1, 0, 255 },
	{ "early_demux", 1, 0, 255 },
	{ "early_retrans", 3, 0, 4 },
	{ "ecn", 2, 0, 5 },
	{ "ecn_fallback", 1, 0, 1 },
	{ "ecn_option", 2, 0, 3 },
	{ "ecn_option_beacon", 3, 0, 3 },
	{ "fack", 0, 0, 255 },
	{ "fastopen", 1, INT_MIN, INT_MAX },
	{ "fastopen_blackhole_timeout_sec", 0, 0, INT_MAX },
	{ "fin_timeout", 60, -TIME_MAX, TIME_MAX },
	{ "frto", 2, 0, 255 },
	{ "fwmark_accept", 0, 0, 255 },
	{ "keepalive_intvl", 75, -TIME_MAX, TIME_MAX },
	{ "keepalive_probes", 9, 0, 255 },
	{ "keepalive_time", 7200, -TIME_MAX, TIME_MAX },
	{ "l3mdev_accept", 0, 0, 1 },
	{ "limit_output_bytes", 4194304, INT_MIN, INT_MAX },
	{ "low_latency", 0, INT_MIN, INT_MAX },
	{ "max_reordering", 300, 1, INT_MAX },
	{ "max_syn_backlog", 4096, INT_MIN, INT_MAX },
	{ "max_tw_buckets", 131072, INT_MIN, INT_MAX },
	{ "migrate_req", 0, 0, 1 },
	{ "min_rtt_wlen", 300, 0, 86400 },
	{ "min_snd_mss", 48, 48, 65535 },
	{ "min_tso_segs", 2, 1, 255 },
	{ "moderate_rcvbuf", 1, 0, 255 },
	{ "mtu_probe_floor", 48, 48, 65535 },
	{ "mtu_probing", 0, 0, 255 },
	{ "no_metrics_save", 0, 0, 255 },
	{ "no_ssthresh_metrics_save", 1, 0, 1 },
	{ "notsent_lowat", UINT_MAX, 0, UINT_MAX },
	{ "orphan_retries", 0, 0, 255 },
	{ "pacing_ca_ratio", 120, 0, 1000 },
	{ "pacing_ss_ratio", 200, 0, 1000 },
	{ "plb_cong_thresh", 128, 0, 256 },
	{ "plb_enabled", 0, 0, 1 },
	{ "plb_idle_rehash_rounds", 3, 0, 31 },
	{ "plb_rehash_rounds", 12, 0, 31 },
	{ "plb_suspend_rto_sec", 60, 0, 255 },
	{ "probe_interval", 600, 0, UINT_MAX / 1000 },
	{ "probe_threshold", 8, INT_MIN, INT_MAX },
	{ "recovery", 1, 0, 255 },
	{ "reflect_tos", 0, 0, 1 },
	{ "reordering", 3, 1, 300 },
	{ "retrans_collapse", 1, 0, 255 },
	{ "retries1", 3, 0, 255 },
	{ "retries2", 15, 0, 255 },
	{ "rfc1337", 0, 0, 255 },
	{ "rto_max_ms", 120000, 1000, 120000 },
	{ "rto_min_us", 200000, 1, INT_MAX },
	{ "sack", 1, 0, 255 },
	{ "shrink_window", 0, 0, 1 },
	{ "slow_start_after_idle", 1, 0, 255 },
	{ "stdurg", 0, 0, 255 },
	{ "syn_linear_timeouts", 4, 0, 127 },
	{ "syn_retries", 6, 1, 127 },
	{ "synack_retries", 5, 0, 255 },
	{ "syncookies", 1, 0, 255 },
	{ "thin_linear_timeouts", 0, 0, 255 },
	{ "timestamps", 1, 0, 255 },
	{ "tso_rtt_log", 9, 0, 255 },
	{ "tso_win_divisor", 3, 0, 255 },
	{ "tw_reuse", 2, 0, 2 },
	{ "tw_reuse_delay", 1000, 1, 60000 },
	{ "window_scaling", 1, 0, 255 },
	{ "workaround_signed_windows", 0, 0, 255 },
};

static s64 get(struct tcp_fixture *f, const char *path)
{
	struct text t = { 0 };
	char *end;
	s64 v;

	cpu_unlock(f->net->cpu);
	if (view_read(f->net, path, &t))
		fail_msg("%s is not there", path);
	cpu_lock(f->net->cpu);
	v = strtoll(t.buf, &end, 10);
	assert_string_equal(end, "\n");
	text_free(&t);
	return v;
}

static int put(struct tcp_fixture *f, const char *path, s64 v)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", (long long)v), err;

	cpu_unlock(f->net->cpu);
	err = view_write(f->net, path, text, (size_t)n);
	cpu_lock(f->net->cpu);
	return err;
}

static void sysctls_have_the_defaults_and_ranges_of_linux(void **state)
{
	struct tcp_fixture *f = *state;
	char path[96];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/tcp_%s", rows[i].name);
		if (get(f, path) != rows[i].def)
			fail_msg("%s is %lld", path, (long long)get(f, path));
		if (put(f, path, rows[i].min) || get(f, path) != rows[i].min ||
		    put(f, path, rows[i].max) || get(f, path) != rows[i].max)
			fail_msg("%s does not take its range", path);
		if (put(f, path, rows[i].min - 1) != -EINVAL ||
		    put(f, path, rows[i].max + 1) != -EINVAL)
			fail_msg("%s takes more than its range", path);
		assert_int_equal(put(f, path, rows[i].def), 0);
	}
}

static void reordering_is_bounded_by_its_maximum_of_then(void **state)
{
	struct tcp_fixture *f = *state;
	static const char most[] = "/proc/sys/net/ipv4/tcp_max_reordering",
			  least[] = "/proc/sys/net/ipv4/tcp_reordering";

	assert_int_equal(put(f, least, 301), -EINVAL);
	assert_int_equal(put(f, most, 1000000), 0);
	assert_int_equal(put(f, least, 301), 0);
	assert_int_equal(put(f, least, 1000000), 0);
	assert_int_equal(tcp_reordering_least(f->sk), 65535); /* what fits into a connection */
	/* Lowering the maximum leaves the other as it is. */
	assert_int_equal(put(f, most, 5), 0);
	assert_int_equal(get(f, least), 1000000);
	assert_int_equal(put(f, least, 6), -EINVAL);
	assert_int_equal(put(f, least, 5), 0);
}

static void lists_and_sizes_are_shown(void **state)
{
	struct tcp_fixture *f = *state;
	struct text t = { 0 };

	assert_true(get(f, "/proc/sys/net/ipv4/tcp_ehash_entries") >= 1);
	assert_int_equal(put(f, "/proc/sys/net/ipv4/tcp_ehash_entries", 1), -EACCES);
	cpu_unlock(f->net->cpu);
	assert_int_equal(view_read(f->net, "/proc/sys/net/ipv4/tcp_available_ulp", &t), 0);
	cpu_lock(f->net->cpu);
	assert_string_equal(t.buf, "\n");
	text_free(&t);
}

/* What is negative or 0 where that makes no sense harms nobody: the least that does is taken. */
static void senseless_values_are_harmless(void **state)
{
	struct tcp_fixture *f = *state;

	f->net->tcp->keepalive_time_s = f->net->tcp->keepalive_intvl_s = -5;
	assert_int_equal(keepalive_time_s(f->sk), 0);
	assert_int_equal(keepalive_intvl_s(f->sk), 0);
	f->net->tcp->fin_timeout_s = -5;
	inet_csk(f->sk)->icsk_rto_us = 200000;
	assert_int_equal(tcp_fin_time_ns(f->sk), 700 * NSEC_PER_MSEC);
	f->net->tcp->mtu_probing = 2;
	f->net->tcp->base_mss = -5;
	f->tp->mss_clamp = 1460;
	tcp_mtup_init(f->sk);
	assert_true(f->tp->mtup_low > 40 && f->tp->mtup_low <= 100);
	assert_int_equal(f->tp->mtup_high, 1500);
}

static u32 request_mark(struct tcp_fixture *f, u32 sock_mark, u32 skb_mark)
{
	const struct tcp_af_ops *af = tcp_af(f->net, AF_INET);
	struct tcp_request_sock treq = { 0 };
	struct sk_buff *skb = alloc_skb(f->net->cpu, 128);
	u32 mark;

	assert_non_null(skb);
	memset(skb_put(skb, 40), 0, 40);
	skb_reset_network_header(skb);
	skb->transport_header = (u16)(skb->network_header + 20);
	skb->mark = skb_mark;
	f->sk->sk_mark = sock_mark;
	inet_reqsk_init(&treq.req, af->req_ops, f->sk);
	tcp_openreq_addresses(f->sk, &treq.req, skb);
	mark = treq.req.ir_mark;
	consume_skb(skb);
	return mark;
}

static void a_connection_has_the_mark_of_its_syn_if_asked_for(void **state)
{
	struct tcp_fixture *f = *state;

	assert_int_equal(request_mark(f, 0, 7), 0);
	assert_int_equal(request_mark(f, 3, 7), 3);
	f->net->tcp->fwmark_accept = 1;
	assert_int_equal(request_mark(f, 0, 7), 7);
	assert_int_equal(request_mark(f, 3, 7), 3); /* the listener's own counts more */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tcp_fixture_setup, tcp_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sysctls_have_the_defaults_and_ranges_of_linux),
		TEST(reordering_is_bounded_by_its_maximum_of_then),
		TEST(lists_and_sizes_are_shown),
		TEST(senseless_values_are_harmless),
		TEST(a_connection_has_the_mark_of_its_syn_if_asked_for),
	};

	return cmocka_run_group_tests_name("tcp_sysctl", tests, NULL, NULL);
}
