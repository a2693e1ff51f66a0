/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_sysctl.c - net.ipv4.tcp_*: names, defaults and ranges are Linux's */
#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "tcp/tcp.h"
#include "tcp/tcp_internal.h"

#define ROW(name, kind, field, def, lo, hi, help)                                                  \
	SYSCTL_ROW("ipv4/tcp_" name, kind, struct netns_tcp, field, def, lo, hi, help)
#define U32_MAX_ 0xffffffffULL
#define INT_MAX_ 0x7fffffff
#define INT_MIN_ (u64)(-1LL - INT_MAX_)
/* s: what Linux's clock of 1000 ticks a second takes */
#define TIME_MAX_ 2147483LL

static void *tcp_sysctl_base(struct net *net)
{
	return net->tcp;
}

static void cong_show(struct net *net, struct text *t)
{
	text_printf(t, "%s\n", net->tcp->cong_default->name);
}

static int cong_store(struct net *net, const char *text, size_t len)
{
	const struct tcp_congestion_ops *ca;
	char name[TCP_CA_NAME_SIZE];

	while (len && (text[len - 1] == '\n' || text[len - 1] == ' ' || text[len - 1] == '\0'))
		len--;
	if (!len || len >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, len);
	name[len] = '\0';
	ca = tcp_ca_find(net->machine, name);
	if (!ca)
		return -ENOENT;
	net->tcp->cong_default = ca;
	return 0;
}

static void available_show(struct net *net, struct text *t)
{
	const struct tcp_machine *tm = net->machine->tcp;

	for (u32 i = 0; i < tm->nr_cong; i++)
		text_printf(t, "%s%s", i ? " " : "", tm->cong[i]->name);
	text_printf(t, "\n");
}

static void ehash_show(struct net *net, struct text *t)
{
	text_printf(t, "%u\n", 1u << net->tcp->hashinfo.ehash_bits);
}

static void ulp_show(struct net *net, struct text *t)
{
	(void)net;
	text_printf(t, "\n");
}

static const struct sysctl_desc tcp_sysctl_rows[] = {
	ROW("rmem", SYSCTL_U32_TRIPLE, rmem, 0, 1, 0x7fffffff,
	    "receive buffer: least, default, most (autotuning)"),
	ROW("wmem", SYSCTL_U32_TRIPLE, wmem, 0, 1, 0x7fffffff,
	    "send buffer: least, default, most (autotuning)"),
	ROW("mem", SYSCTL_U32_TRIPLE, mem.limit, 0, 0, 0x7fffffff,
	    "pages of all connections: no pressure below, pressure beyond, most"),
	ROW("rto_min_us", SYSCTL_U32, rto_min_us, 200000, 1, INT_MAX_,
	    "least retransmission timeout, us"),
	ROW("max_tw_buckets", SYSCTL_S32, max_tw_buckets, 131072, INT_MIN_, INT_MAX_,
	    "most TIME_WAIT entries"),
	ROW("max_orphans", SYSCTL_U32, max_orphans, TCP_MAX_ORPHANS, 0, 0x7fffffff,
	    "most connections without a socket"),
	ROW("max_syn_backlog", SYSCTL_S32, max_syn_backlog, 4096, INT_MIN_, INT_MAX_,
	    "most half-open connections of a listener"),
	ROW("notsent_lowat", SYSCTL_U32, notsent_lowat, U32_MAX_, 0, U32_MAX_,
	    "not writeable while so much is not sent"),
	ROW("limit_output_bytes", SYSCTL_S32, limit_output_bytes, 4194304, INT_MIN_, INT_MAX_,
	    "most octets of a paced connection in queues of this host"),
	ROW("challenge_ack_limit", SYSCTL_S32, challenge_ack_limit, INT_MAX_, INT_MIN_, INT_MAX_,
	    "challenge ACKs in a second (RFC 5961)"),
	ROW("invalid_ratelimit", SYSCTL_U32, invalid_ratelimit_ms, 500, 0, 0x7fffffff,
	    "least time between answers to invalid segments, ms"),
	ROW("min_snd_mss", SYSCTL_U32, min_snd_mss, TCP_MIN_SND_MSS, TCP_MIN_SND_MSS, 65535,
	    "least segment size used"),
	ROW("mtu_probing", SYSCTL_U8, mtu_probing, 0, 0, 255,
	    "RFC 4821 path MTU discovery: 1 when segments seem to vanish, 2 always"),
	ROW("base_mss", SYSCTL_S32, base_mss, 1024, INT_MIN_, INT_MAX_,
	    "segment size that its search begins with"),
	ROW("mtu_probe_floor", SYSCTL_U32, mtu_probe_floor, TCP_MIN_SND_MSS, TCP_MIN_SND_MSS, 65535,
	    "least segment size that it goes down to"),
	ROW("probe_interval", SYSCTL_U32, probe_interval_s, 600, 0, U32_MAX_ / 1000,
	    "time until it searches anew, s"),
	ROW("probe_threshold", SYSCTL_S32, probe_threshold, 8, INT_MIN_, INT_MAX_,
	    "the search ends when this much is uncertain"),
	ROW("shrink_window", SYSCTL_U8, shrink_window, 0, 0, 1,
	    "an offered window shrinks with the room in the receive buffer (RFC 7323 2.4)"),
	ROW("keepalive_time", SYSCTL_S32, keepalive_time_s, 7200, (u64)-TIME_MAX_, TIME_MAX_,
	    "idle time before the first probe, s"),
	ROW("keepalive_intvl", SYSCTL_S32, keepalive_intvl_s, 75, (u64)-TIME_MAX_, TIME_MAX_,
	    "time between probes, s"),
	ROW("keepalive_probes", SYSCTL_U8, keepalive_probes, 9, 0, 255, "probes before giving up"),
	ROW("fin_timeout", SYSCTL_S32, fin_timeout_s, 60, (u64)-TIME_MAX_, TIME_MAX_,
	    "orphans in FIN_WAIT2, s"),
	ROW("syn_retries", SYSCTL_U8, syn_retries, 6, 1, 127,
	    "SYNs sent again before connect(2) fails"),
	ROW("synack_retries", SYSCTL_U8, synack_retries, 5, 0, 255, "SYN-ACKs sent again"),
	ROW("retries1", SYSCTL_U8, retries1, 3, 0, 255,
	    "timeouts before the route is looked up again (R1)"),
	ROW("retries2", SYSCTL_U8, retries2, 15, 0, 255,
	    "timeouts before the connection is given up (R2)"),
	ROW("orphan_retries", SYSCTL_U8, orphan_retries, 0, 0, 255, "the same for orphans; 0: 8"),
	{ .path = "ipv4/tcp_reordering",
	  .kind = SYSCTL_U32,
	  .offset = offsetof(struct netns_tcp, reordering),
	  .def = 3,
	  .min = 1,
	  .max = INT_MAX_,
	  .max_at = offsetof(struct netns_tcp, max_reordering),
	  .help = "segments beyond a hole that make it lost; at most tcp_max_reordering" },
	ROW("max_reordering", SYSCTL_U32, max_reordering, 300, 1, INT_MAX_,
	    "how far that may adapt"),
	ROW("window_scaling", SYSCTL_U8, window_scaling, 1, 0, 255, "RFC 7323 window scale option"),
	ROW("timestamps", SYSCTL_U8, timestamps, 1, 0, 255, "RFC 7323 timestamps option"),
	ROW("sack", SYSCTL_U8, sack, 1, 0, 255, "RFC 2018 selective acknowledgements"),
	ROW("dsack", SYSCTL_U8, dsack, 1, 0, 255, "RFC 2883 duplicate SACKs"),
	ROW("comp_sack_delay_ns", SYSCTL_U64, comp_sack_delay_ns, NSEC_PER_MSEC, 0, 0,
	    "most time that selective ACKs wait for more to report (5 % of the round trip), ns"),
	ROW("comp_sack_slack_ns", SYSCTL_U64, comp_sack_slack_ns, 100 * NSEC_PER_USEC, 0, 0,
	    "and this much longer, so that one wake-up does for several, ns"),
	ROW("comp_sack_nr", SYSCTL_U8, comp_sack_nr, 44, 0, 255,
	    "most selective ACKs that one stands for; 0: each is sent at once"),
	ROW("pingpong_thresh", SYSCTL_U8, pingpong_thresh, 1, 1, 255,
	    "answers in time that make a session interactive, whose ACKs wait for the next one"),
	ROW("autocorking", SYSCTL_U8, autocorking, 1, 0, 1,
	    "small writes wait for more while a packet of the connection is queued in this host"),
	ROW("backlog_ack_defer", SYSCTL_U8, backlog_ack_defer, 1, 0, 1,
	    "without effect: no socket has a backlog"),
	ROW("tw_reuse", SYSCTL_U8, tw_reuse, 2, 0, 2,
	    "connect(2) may reuse TIME_WAIT: 1 always, 2 on loopback"),
	ROW("tw_reuse_delay", SYSCTL_U32, tw_reuse_delay_ms, 1000, 1, 60000,
	    "how long it must have been there before, ms"),
	ROW("abort_on_overflow", SYSCTL_U8, abort_on_overflow, 0, 0, 255,
	    "RST when the accept queue is full"),
	ROW("moderate_rcvbuf", SYSCTL_U8, moderate_rcvbuf, 1, 0, 255, "receive buffer autotuning"),
	ROW("slow_start_after_idle", SYSCTL_U8, slow_start_after_idle, 1, 0, 255, "RFC 2861"),
	ROW("pacing_ss_ratio", SYSCTL_U32, pacing_ss_ratio, 200, 0, 1000,
	    "rate in slow start, per cent of the window per round trip"),
	ROW("pacing_ca_ratio", SYSCTL_U32, pacing_ca_ratio, 120, 0, 1000,
	    "the same in congestion avoidance"),
	ROW("min_tso_segs", SYSCTL_U32, min_tso_segs, 2, 1, 255, "least segments in a unit"),
	ROW("tso_win_divisor", SYSCTL_U32, tso_win_divisor, 3, 0, 255,
	    "a unit waits for more ACKs until it is this part of the window; 0: four segments"),
	ROW("tso_rtt_log", SYSCTL_U32, tso_rtt_log, 9, 0, 255,
	    "round trips of 2^this us halve the units that near peers get"),
	ROW("ecn", SYSCTL_U8, ecn, 2, 0, 5,
	    "RFC 3168: 0 off, 1 offered and accepted, 2 accepted only; RFC 9768 as well: 3 both, 4 "
	    "accepted (3168 offered), 5 accepted only"),
	ROW("ecn_fallback", SYSCTL_U8, ecn_fallback, 1, 0, 1,
	    "a SYN that is sent again does not offer ECN"),
	ROW("ecn_option", SYSCTL_U8, ecn_option, 2, 0, 3,
	    "AccECN option: 0 never, 1 when counters change, 2 wherever it fits once the peer's "
	    "came, 3 wherever it fits"),
	ROW("ecn_option_beacon", SYSCTL_U8, ecn_option_beacon, 3, 0, 3,
	    "the least of them in a round trip where ecn_option is 1"),
	ROW("reflect_tos", SYSCTL_U8, reflect_tos, 0, 0, 1,
	    "connections that are accepted have the type of service of their SYN"),
	ROW("min_rtt_wlen", SYSCTL_U32, min_rtt_wlen_s, 300, 0, 86400,
	    "how long the least round trip time is the least, s"),
	ROW("workaround_signed_windows", SYSCTL_U8, workaround_signed_windows, 0, 0, 255,
	    "peers without window scaling are offered 32767 octets at most"),
	ROW("syncookies", SYSCTL_U8, syncookies, 1, 0, 255,
	    "SYN cookies: 1 when the SYN queue is full, 2 always (RFC 4987)"),
	ROW("no_metrics_save", SYSCTL_U8, no_metrics_save, 0, 0, 255,
	    "nothing is kept for the next connection with the peer (ip tcp_metrics)"),
	ROW("no_ssthresh_metrics_save", SYSCTL_U8, no_ssthresh_metrics_save, 1, 0, 1,
	    "the slow start threshold is not kept"),
	ROW("fastopen", SYSCTL_S32, fastopen, 1, INT_MIN_, INT_MAX_,
	    "fast open (RFC 7413): 1 client, 2 server, 4 client without cookie, 0x200 server "
	    "without, 0x400 all listeners"),
	ROW("fastopen_blackhole_timeout_sec", SYSCTL_U32, fastopen_blackhole_timeout_s, 0, 0,
	    0x7fffffff, "no active fast open for so long after one was swallowed; 0: try on"),
	{ .path = "ipv4/tcp_fastopen_key",
	  .kind = SYSCTL_FUNC,
	  .show = tcp_fastopen_key_show,
	  .store = tcp_fastopen_key_store,
	  .help = "key of the cookies of fast open, and a second one that is valid, too" },
	ROW("rto_max_ms", SYSCTL_U32, rto_max_ms, 120000, 1000, 120000,
	    "most retransmission timeout, ms"),
	ROW("syn_linear_timeouts", SYSCTL_U8, syn_linear_timeouts, 4, 0, 127,
	    "SYNs sent again at even intervals, before these double"),
	ROW("stdurg", SYSCTL_U8, stdurg, 0, 0, 255,
	    "the urgent pointer is at the urgent octet (RFC 1122), not behind it (RFC 6093)"),
	ROW("recovery", SYSCTL_U8, recovery, 1, 0, 255,
	    "1 RACK (RFC 8985), 2 with a fixed reordering window, 4 without the threshold of 3"),
	ROW("early_retrans", SYSCTL_U8, early_retrans, 3, 0, 4,
	    "3 or 4: tail loss probes (RFC 8985 7)"),
	ROW("frto", SYSCTL_U8, frto, 2, 0, 255, "RFC 5682 detection of spurious timeouts"),
	ROW("thin_linear_timeouts", SYSCTL_U8, thin_linear_timeouts, 0, 0, 255,
	    "no back-off for the first timeouts of streams with little in flight"),
	ROW("retrans_collapse", SYSCTL_U8, retrans_collapse, 1, 0, 255,
	    "retransmissions join small segments"),
	ROW("rfc1337", SYSCTL_U8, rfc1337, 0, 0, 255, "ignore RST in TIME_WAIT"),
	ROW("app_win", SYSCTL_U8, app_win, 31, 0, 31,
	    "of the receive buffer at the start, this part (2^-this), and at least a segment, is "
	    "not "
	    "offered as window; 0: all is"),
	ROW("fwmark_accept", SYSCTL_U8, fwmark_accept, 0, 0, 255,
	    "connections of a listener without a mark have that of their SYN"),
	ROW("plb_enabled", SYSCTL_U8, plb_enabled, 0, 0, 1,
	    "protective load balancing: DCTCP over IPv6 changes the flow label when its path stays "
	    "congested"),
	ROW("plb_idle_rehash_rounds", SYSCTL_U8, plb_idle_rehash_rounds, 3, 0, 31,
	    "after so many congested round trips, when nothing is in flight"),
	ROW("plb_rehash_rounds", SYSCTL_U8, plb_rehash_rounds, 12, 0, 31, "after so many, at once"),
	ROW("plb_suspend_rto_sec", SYSCTL_U8, plb_suspend_rto_s, 60, 0, 255,
	    "not for so long after a timeout, up to twice that, s"),
	ROW("plb_cong_thresh", SYSCTL_U32, plb_cong_thresh, 128, 0, TCP_PLB_ONE,
	    "a round trip is congested when this part of its packets, of 256, was marked"),
	ROW("migrate_req", SYSCTL_U8, hashinfo.migrate_req, 0, 0, 1,
	    "handshakes and connections that a listener leaves behind go to another of its "
	    "SO_REUSEPORT "
	    "group"),
	ROW("l3mdev_accept", SYSCTL_U8, l3mdev_accept, 0, 0, 1,
	    "kept for programs that set it: there are no VRFs, all listeners are for all devices"),
	ROW("early_demux", SYSCTL_U8, early_demux, 1, 0, 255,
	    "early demux for it, where ip_early_demux allows it"),
	ROW("fack", SYSCTL_U8, fack, 0, 0, 255, "without effect, as in Linux since 4.15"),
	ROW("low_latency", SYSCTL_S32, low_latency, 0, INT_MIN_, INT_MAX_,
	    "without effect, as in Linux since 4.14"),
	ROW("adv_win_scale", SYSCTL_S32, adv_win_scale, 1, (u64)-31LL, 31,
	    "without effect, as in Linux since 6.6"),
	ROW("child_ehash_entries", SYSCTL_U32, child_ehash_entries, 0, 0, 16777216,
	    "kept for programs that set it: each net's table grows with its connections"),
	{ .path = "ipv4/tcp_ehash_entries",
	  .kind = SYSCTL_FUNC,
	  .readonly = true,
	  .show = ehash_show,
	  .help = "chains of the table of connections now" },
	{ .path = "ipv4/tcp_available_ulp",
	  .kind = SYSCTL_FUNC,
	  .readonly = true,
	  .show = ulp_show,
	  .help = "what TCP_ULP may name: nothing" },
	{ .path = "ipv4/tcp_congestion_control",
	  .kind = SYSCTL_FUNC,
	  .show = cong_show,
	  .store = cong_store,
	  .help = "congestion control of new sockets" },
	{ .path = "ipv4/tcp_available_congestion_control",
	  .kind = SYSCTL_FUNC,
	  .readonly = true,
	  .show = available_show,
	  .help = "what may be chosen" },
	{ .path = "ipv4/tcp_allowed_congestion_control",
	  .kind = SYSCTL_FUNC,
	  .readonly = true,
	  .show = available_show,
	  .help = "what programs without privilege may choose" },
};

static const struct sysctl_table tcp_sysctls = { tcp_sysctl_base, tcp_sysctl_rows,
						 ARRAY_SIZE(tcp_sysctl_rows) };

int tcp_sysctl_machine_init(struct machine *m)
{
	int err = sysctl_register(m, &tcp_sysctls);

	return err ? err : sysctl_register(m, &tcp_cubic_params);
}

void tcp_sysctl_net_init(struct net *net)
{
	struct netns_tcp *t = net->tcp;

	sysctl_set_defaults(&tcp_sysctls, t);
	sysctl_set_defaults(&tcp_cubic_params, &t->cubic);
	t->rmem[0] = 4096;
	t->rmem[1] = 131072;
	t->rmem[2] = 6291456;
	t->wmem[0] = 4096;
	t->wmem[1] = 16384;
	t->wmem[2] = 4194304;
	t->init_cwnd = TCP_INIT_CWND;
	/* Linux takes a sixteenth of all memory; what the machine has is for packets alone. */
	sock_mem_init(&t->mem, sock_mem_machine_pages(net->machine) / 4);
	t->mem.has_pressure = true;
	t->mem.pressures = MIB_TcpExt_TCPMemoryPressures;
	t->mem.pressures_chrono = MIB_TcpExt_TCPMemoryPressuresChrono;
	t->mem.least[SK_MEM_SEND] = &t->wmem[0];
	t->mem.least[SK_MEM_RECV] = &t->rmem[0];
}
